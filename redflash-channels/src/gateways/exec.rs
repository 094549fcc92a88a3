//! A program of this machine: any channel.
//!
//! What is sent to an address of the channel that the configuration names is handed to a program:
//! the message on its standard input, the rest in its arguments. An argument that is `{to}`,
//! `{subject}` or `{reference}` (the delivery, the same for every attempt) is replaced as a whole, and
//! no shell reads any of them. Where the program takes arguments that start with `-` for options, put
//! `--` before an address or a subject.
//!
//! How the program ends says what became of the message, in the codes of `sysexits.h`:
//!
//! | code | meaning |
//! | --- | --- |
//! | 0 | sent; the first line that it prints, if it prints any, is the message's id |
//! | 67, 68 | nothing can be sent to this address (`EX_NOUSER`, `EX_NOHOST`) |
//! | 75 | not now (`EX_TEMPFAIL`): this message is tried again, and delays no other |
//! | 77 | the account is refused (`EX_NOPERM`): the gateway is stopped |
//! | 64 to 78 otherwise | refused for good |
//! | anything else, a signal, no end in time | it may have been sent, or may not |
//!
//! The program runs in `/` and in a process group of its own, which is killed when its time is over.
//! Its environment holds `PATH`, `LANG` and what the configuration adds.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::{
    Accepted, Address, AddressError, Capabilities, Channel, ChannelKind, Deferral, OutboundMessage,
    SendError,
};
use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use crate::ConfigError;
use crate::registry::parse_address;

/// Which program sends, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecConfig {
    /// The channel it serves, such as `sms`, whose addresses it is given.
    pub channel: ChannelKind,
    /// The program's path, from the root.
    pub program: PathBuf,
    /// Its arguments, which everybody on the machine can see; none by default.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// What its environment holds beside `PATH` and `LANG`, or in their place. The values are secrets.
    #[serde(default)]
    pub env: BTreeMap<String, SecretString>,
    /// How long it may run; 30 s by default.
    #[serde(default = "time_limit", with = "crate::text::duration")]
    pub timeout: Duration,
}

const fn time_limit() -> Duration {
    Duration::from_secs(30)
}

/// What every program's environment holds, unless the configuration says otherwise.
const ENVIRONMENT: [(&str, &str); 2] = [
    (
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ),
    ("LANG", "C.UTF-8"),
];
/// As much of an output as is kept.
const MAX_OUTPUT: usize = 16 * 1024;
/// How long an output is read on after the program has ended, since what it started may hold it open.
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
            return Err("a placeholder is an argument of its own".to_owned());
        }
        if text.starts_with('{') && text.ends_with('}') {
            let known = placeholders.join(", ");
            return Err(format!("there is no such placeholder: there are {known}"));
        }
        if text.contains('\0') {
            return Err("an argument holds no NUL".to_owned());
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
            let reason = "give the whole path, such as /usr/local/bin/send-sms";
            return Err(ConfigError::at("program", reason));
        }
        for (name, value) in &config.env {
            let legal = !name.is_empty() && !name.contains(['=', '\0']);
            if !legal || value.expose_secret().contains('\0') {
                let reason = "neither a name nor a value holds NUL, and a name no =";
                return Err(ConfigError::at(format!("env.{name}"), reason));
            }
        }
        let mut arguments = Vec::new();
        for (at, text) in config.arguments.iter().enumerate() {
            let argument = Argument::parse(text);
            let argument =
                argument.map_err(|reason| ConfigError::at(format!("arguments[{at}]"), reason))?;
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
        let mut running = Running(child);
        let ended = timeout(self.config.timeout, running.end(&message.body)).await;
        match ended {
            Ok(Ok(ended)) => ended.outcome(),
            Ok(Err(error)) => Err(SendError::Unknown(error.into())),
            Err(_) => Err(SendError::Unknown("it did not end in time".into())),
        }
    }
}

/// A program that runs; its process group is killed when this is dropped before it has ended.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Once it is waited for it has no id, which may be another's by then.
        let id = self.0.id().and_then(|id| i32::try_from(id).ok());
        if let Some(group) = id.and_then(Pid::from_raw) {
            // It fails only if the group has just ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Running {
    /// Feeds the program, reads what it says, and waits for its end.
    async fn end(&mut self, text: &str) -> std::io::Result<Ended> {
        let Self(child) = self;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let status = {
            let talk = async {
                tokio::join!(
                    feed(stdin, text),
                    keep(stdout, &mut output),
                    keep(stderr, &mut errors)
                );
            };
            tokio::pin!(talk);
            tokio::select! {
                status = child.wait() => {
                    // What is late is left out.
                    let _ = timeout(GRACE, talk).await;
                    status
                }
                () = &mut talk => child.wait().await,
            }
        };
        Ok(Ended {
            status: status?,
            output: first_line(&output),
            errors: first_line(&errors),
        })
    }
}

/// Writes the text; a program need not read it.
async fn feed(stdin: Option<ChildStdin>, text: &str) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(text.as_bytes()).await;
    }
}

/// Reads to the end, and keeps the beginning.
async fn keep(from: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut from) = from else { return };
    let mut chunk = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut chunk).await {
        let room = MAX_OUTPUT - kept.len();
        kept.extend_from_slice(&chunk[..length.min(room)]);
    }
}

/// The first line that says something, as much of it as the log keeps.
fn first_line(bytes: &[u8]) -> String {
    /// In characters.
    const LONGEST: usize = 200;
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    let line = line.unwrap_or_default().chars();
    line.filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// How a program ended, and the first line of each output.
struct Ended {
    status: ExitStatus,
    output: String,
    errors: String,
}

impl Ended {
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
