//! A program on this machine: any channel.
//!
//! Messages of the configured channel are passed to a program: the text on its standard input, the rest
//! as arguments. An argument that is `{to}`, `{subject}` or `{reference}` (the delivery, the same for
//! every attempt) is replaced as a whole, and no shell interprets it. If the program reads arguments that
//! start with `-` as options, put `--` before an address or a subject.
//!
//! The exit status of the program determines the outcome, by the codes of `sysexits.h`:
//!
//! | code | meaning |
//! | --- | --- |
//! | 0 | sent; the first line of its output, if any, is the message's id |
//! | 67, 68 | the address is invalid (`EX_NOUSER`, `EX_NOHOST`) |
//! | 75 | temporary failure (`EX_TEMPFAIL`): this message is retried, and delays no other |
//! | 77 | the account is refused (`EX_NOPERM`): the gateway is stopped |
//! | any other of 64 to 78 | the message is rejected |
//! | anything else, a signal, a timeout | unknown: it may or may not have been sent |
//!
//! The program runs in `/` and in a process group of its own, which is killed at the timeout. Its
//! environment holds `PATH`, `LANG` and the configured variables.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::gateway::{Capabilities, Channel};
use redflash_core::message::{Accepted, Deferral, OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use crate::ConfigError;
use crate::registry::parse_address;

/// Configuration of a program.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecConfig {
    /// The channel it serves, such as `sms`.
    pub channel: ChannelKind,
    /// The absolute path of the program.
    pub program: PathBuf,
    /// Its arguments, which every user of the machine can see; none by default.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Environment variables in addition to `PATH` and `LANG`, or replacing them. The values are secrets.
    #[serde(default)]
    pub env: BTreeMap<String, SecretString>,
    /// The time limit of a run; 30 s by default.
    #[serde(default = "time_limit", with = "crate::text::duration")]
    pub timeout: Duration,
}

const fn time_limit() -> Duration {
    Duration::from_secs(30)
}

/// The environment of every program, unless the configuration replaces it.
const ENVIRONMENT: [(&str, &str); 2] = [
    (
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ),
    ("LANG", "C.UTF-8"),
];
/// Maximum size of an output; the rest is discarded.
const MAX_OUTPUT: usize = 16 * 1024;
/// Time limit of reading an output after the program has exited, since its children may hold it open.
const GRACE: Duration = Duration::from_millis(200);

/// Sends by running a program.
pub struct Exec {
    config: ExecConfig,
    arguments: Vec<Argument>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Argument {
    Fixed(String),
    To,
    Subject,
    Reference,
}

impl fmt::Debug for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exec")
            .field("channel", &self.config.channel)
            .field("program", &self.config.program)
            .field("arguments", &self.arguments.len())
            .finish_non_exhaustive()
    }
}

impl Argument {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "{to}" => return Ok(Self::To),
            "{subject}" => return Ok(Self::Subject),
            "{reference}" => return Ok(Self::Reference),
            _ => {}
        }
        let placeholders = ["{to}", "{subject}", "{reference}"];
        if placeholders.iter().any(|name| text.contains(name)) {
            return Err("a placeholder must be an argument of its own".to_owned());
        }
        if text.starts_with('{') && text.ends_with('}') {
            let known = placeholders.join(", ");
            return Err(format!("unknown placeholder: use {known}"));
        }
        if text.contains('\0') {
            return Err("an argument must not contain NUL".to_owned());
        }
        Ok(Self::Fixed(text.to_owned()))
    }
}

impl Exec {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: ExecConfig) -> Result<Self, ConfigError> {
        if !config.program.is_absolute() {
            let reason = "it must be an absolute path, such as /usr/local/bin/send-sms";
            return Err(ConfigError::at("program", reason));
        }
        for (name, value) in &config.env {
            let legal = !name.is_empty() && !name.contains(['=', '\0']);
            if !legal || value.expose_secret().contains('\0') {
                let reason = "a name or value must not contain NUL, nor a name =";
                return Err(ConfigError::at(format!("env.{name}"), reason));
            }
        }
        let mut arguments = Vec::new();
        for (index, text) in config.arguments.iter().enumerate() {
            let argument = Argument::parse(text);
            let argument = argument
                .map_err(|reason| ConfigError::at(format!("arguments[{index}]"), reason))?;
            arguments.push(argument);
        }
        Ok(Self { config, arguments })
    }

    fn command(&self, message: &OutboundMessage) -> Command {
        let mut command = Command::new(&self.config.program);
        for argument in &self.arguments {
            match argument {
                Argument::Fixed(text) => command.arg(text),
                Argument::To => command.arg(message.to.as_str()),
                Argument::Subject => command.arg(&message.subject),
                Argument::Reference => command.arg(message.delivery.to_string()),
            };
        }
        let env = self.config.env.iter();
        command
            .env_clear()
            .envs(ENVIRONMENT)
            .envs(env.map(|(name, value)| (name, value.expose_secret())))
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

#[async_trait]
impl Channel for Exec {
    fn kind(&self) -> ChannelKind {
        self.config.channel.clone()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            subject: self.arguments.contains(&Argument::Subject),
            ..Capabilities::default()
        }
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        parse_address(&self.config.channel, raw)
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let child = self.command(message).spawn();
        let child = child.map_err(|error| SendError::Unreachable(error.into()))?;
        let mut program = RunningProgram(child);
        match timeout(self.config.timeout, program.wait(&message.body)).await {
            Ok(Ok(output)) => output.outcome(),
            Ok(Err(error)) => Err(SendError::Unknown(error.into())),
            Err(_) => Err(SendError::Unknown("it did not exit in time".into())),
        }
    }
}

/// A running program. Dropping this before the program exits kills its process group.
struct RunningProgram(Child);

impl Drop for RunningProgram {
    fn drop(&mut self) {
        // After the wait it has no id, since another process may have the id by then.
        let id = self.0.id().and_then(|id| i32::try_from(id).ok());
        if let Some(group) = id.and_then(Pid::from_raw) {
            // It fails only if the group has just exited.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl RunningProgram {
    /// Writes the text to the program, reads its output, and waits for its exit.
    async fn wait(&mut self, text: &str) -> std::io::Result<ProgramOutput> {
        let Self(child) = self;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let status = {
            let transfer = async {
                tokio::join!(
                    feed(stdin, text),
                    read(stdout, &mut output),
                    read(stderr, &mut errors)
                );
            };
            tokio::pin!(transfer);
            tokio::select! {
                status = child.wait() => {
                    // Later output is ignored.
                    let _ = timeout(GRACE, transfer).await;
                    status
                }
                () = &mut transfer => child.wait().await,
            }
        };
        Ok(ProgramOutput {
            status: status?,
            output: first_line(&output),
            errors: first_line(&errors),
        })
    }
}

/// Writes the text, which a program need not read.
async fn feed(stdin: Option<ChildStdin>, text: &str) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(text.as_bytes()).await;
    }
}

/// Reads to the end, and keeps at most `MAX_OUTPUT` bytes.
async fn read(from: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut from) = from else { return };
    let mut chunk = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut chunk).await {
        let room = MAX_OUTPUT - kept.len();
        kept.extend_from_slice(&chunk[..length.min(room)]);
    }
}

/// Returns the first line that is not blank, shortened for the log.
fn first_line(bytes: &[u8]) -> String {
    /// Maximum number of characters.
    const LONGEST: usize = 200;
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    let line = line.unwrap_or_default().chars();
    line.filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// The exit status of a program, and the first line of each output.
struct ProgramOutput {
    status: ExitStatus,
    output: String,
    errors: String,
}

impl ProgramOutput {
    fn outcome(self) -> Result<Accepted, SendError> {
        let mut reason = self.status.to_string();
        if !self.errors.is_empty() {
            reason.extend([": ", &self.errors]);
        }
        match self.status.code() {
            Some(0) => Ok(Accepted {
                detail: reason,
                ..Accepted::new(Some(self.output).filter(|id| !id.is_empty()))
            }),
            Some(67 | 68) => Err(SendError::InvalidAddress { reason }),
            Some(75) => Err(SendError::Deferred {
                scope: Deferral::Message,
                reason,
                retry_after: None,
            }),
            Some(77) => Err(SendError::Unauthorized { reason }),
            Some(64..=78) => Err(SendError::Rejected { reason }),
            Some(_) | None => Err(SendError::Unknown(reason.into())),
        }
    }
}
