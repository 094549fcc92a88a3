//! A program against the channel suite: a small script that each test extends.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use redflash_core::conformance::channel::{Behaviour, Fixture, message};
use redflash_core::gateway::{Channel, Gateway};
use redflash_core::message::{Accepted, OutboundMessage, SendError};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::vendor::{class, gateway, refused_key};

/// The script, which records its input before it does what the test asks for.
const SCRIPT: &str = "#!/bin/sh
echo run >> \"$HERE/runs\"
cat > \"$HERE/stdin\"
printf '[%s]\\n' \"$@\" > \"$HERE/arguments\"
env > \"$HERE/environment\"
. \"$HERE/next\"
";

/// A directory with the script.
struct Machine {
    directory: TempDir,
    gateway: Gateway,
    gone: Gateway,
    is_gone: AtomicBool,
}

impl Machine {
    fn path(&self, name: &str) -> String {
        path(&self.directory, name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Has the script do this from now on.
    fn tell(&self, script: &str) {
        fs::write(self.path("next"), script).unwrap();
    }

    async fn run(&self, script: &str) -> Result<Accepted, SendError> {
        self.tell(script);
        self.channel().send(&self.message()).await
    }

    fn message(&self) -> OutboundMessage {
        message(self.channel(), "+447700900001")
    }
}

fn path(directory: &TempDir, name: &str) -> String {
    directory.path().join(name).to_str().unwrap().to_owned()
}

fn table(directory: &TempDir, program: &str) -> Value {
    json!({
        "type": "exec", "channel": "sms", "program": path(directory, program),
        "arguments": ["--to", "{to}", "a b; $(touch x)", "{subject}", "{reference}"],
        "env": {"HERE": directory.path(), "SECRET": "canary-exec"},
    })
}

async fn open() -> Machine {
    let directory = TempDir::new().unwrap();
    let program = directory.path().join("send");
    fs::write(&program, SCRIPT).unwrap();
    executable(&program);
    let machine = Machine {
        gateway: gateway(table(&directory, "send")),
        gone: gateway(table(&directory, "nothing")),
        is_gone: AtomicBool::new(false),
        directory,
    };
    machine.tell("exit 0");
    machine
}

fn executable(program: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(program, fs::Permissions::from_mode(0o700)).unwrap();
}

#[async_trait]
impl Fixture for Machine {
    fn channel(&self) -> &dyn Channel {
        if self.is_gone.load(Ordering::Relaxed) {
            &*self.gone.channel
        } else {
            &*self.gateway.channel
        }
    }

    fn address(&self) -> (String, String) {
        ("+447700900001".into(), "0044 7700 900-001".into())
    }

    fn not_addresses(&self) -> Vec<String> {
        ["ann", "07700900001"].map(str::to_owned).to_vec()
    }

    async fn prepare(&self, behaviour: Behaviour) -> bool {
        self.tell(match behaviour {
            Behaviour::Accept => "echo 4711",
            Behaviour::Reject => "echo no >&2; exit 65",
            Behaviour::RefuseAccount => "exit 77",
            // It has no such answer.
            Behaviour::Throttle(_) => return false,
            Behaviour::Fail => "exit 75",
            Behaviour::Hang => "sleep 60",
            Behaviour::Drop => "kill -9 $$",
            Behaviour::Garbage => "echo '<html>'; exit 1",
            Behaviour::Endless => "yes",
            Behaviour::Gone => {
                self.is_gone.store(true, Ordering::Relaxed);
                return true;
            }
        });
        true
    }

    async fn messages(&self) -> usize {
        self.read("runs").lines().count()
    }

    fn secrets(&self) -> Vec<String> {
        vec!["canary-exec".into()]
    }
}

redflash_core::channel_conformance!(open);

#[tokio::test]
async fn passes_the_message_without_a_shell() {
    let machine = open().await;
    machine.tell("echo; echo ' 4711 '; echo more; echo note >&2");
    let mut message = machine.message();
    message.subject = "-x {to} \"*\" $(touch y)".into();
    message.body = "Größe\n> 5 %".into();
    let accepted = machine.channel().send(&message).await.unwrap();
    assert_eq!(accepted.message_id.as_deref(), Some("4711"));
    assert_eq!(accepted.detail, "exit status: 0: note");
    assert!(!accepted.delivered);
    assert_eq!(machine.read("stdin"), message.body);
    assert_eq!(
        machine.read("arguments"),
        "[--to]\n[+447700900001]\n[a b; $(touch x)]\n[-x {to} \"*\" $(touch y)]\n\
         [019f4a2b6c007d3e8f50617283000001]\n"
    );
    assert!(machine.channel().capabilities().subject);
}

#[tokio::test]
async fn environment_is_as_configured() {
    let machine = open().await;
    machine.run("").await.unwrap();
    let environment = machine.read("environment");
    let mut names: Vec<_> = environment
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        // The shell's own.
        .filter(|name| !matches!(*name, "PWD" | "OLDPWD" | "SHLVL" | "_"))
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["HERE", "LANG", "PATH", "SECRET"]);
    assert!(environment.contains("PWD=/\n"), "{environment}");
}

#[tokio::test]
async fn maps_every_exit_code() {
    let machine = open().await;
    for (code, expected) in [
        (1, "unknown"),
        (2, "unknown"),
        (63, "unknown"),
        (64, "rejected"),
        (65, "rejected"),
        (66, "rejected"),
        (67, "invalid address"),
        (68, "invalid address"),
        (69, "rejected"),
        (70, "rejected"),
        (71, "rejected"),
        (72, "rejected"),
        (73, "rejected"),
        (74, "rejected"),
        (75, "message later"),
        (76, "rejected"),
        (77, "unauthorized"),
        (78, "rejected"),
        (79, "unknown"),
        (126, "unknown"),
        (255, "unknown"),
    ] {
        let error = machine.run(&format!("echo why >&2; exit {code}")).await;
        let error = error.unwrap_err();
        assert_eq!(class(&error), expected, "{code}");
        assert!(
            error.detail().ends_with(&format!("{code}: why")),
            "{}",
            error.detail()
        );
    }
    let error = machine.run("kill -TERM $$").await.unwrap_err();
    assert_eq!(class(&error), "unknown");
}

#[tokio::test]
async fn kills_children_of_the_program_on_timeout() {
    let machine = open().await;
    let error = machine
        .run("sleep 60 & echo $! > \"$HERE/child\"; wait")
        .await;
    assert_eq!(class(&error.unwrap_err()), "unknown");
    let child = machine.read("child");
    let status = format!("/proc/{}/stat", child.trim());
    let begun = Instant::now();
    // A killed process may still wait until its parent reads its exit status.
    while fs::read_to_string(&status).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(begun.elapsed() < Duration::from_secs(10), "{child} lives");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn does_not_wait_for_children_of_the_program() {
    let machine = open().await;
    let begun = Instant::now();
    let accepted = machine.run("echo 4711; sleep 5 &").await.unwrap();
    assert_eq!(accepted.message_id.as_deref(), Some("4711"));
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn tolerates_long_output_and_unread_input() {
    let machine = open().await;
    let much = "head -c 1000000 /dev/zero | tr '\\0' x; head -c 1000000 /dev/zero >&2";
    let accepted = machine.run(much).await.unwrap();
    assert_eq!(accepted.message_id.unwrap().len(), 200);
    let deaf = machine.directory.path().join("send");
    fs::write(&deaf, "#!/bin/sh\nexit 0\n").unwrap();
    let mut message = machine.message();
    message.body = "x".repeat(1_000_000);
    machine.channel().send(&message).await.unwrap();
}

#[tokio::test]
async fn missing_program_is_unreachable() {
    let machine = open().await;
    let program = machine.directory.path().join("nothing");
    fs::write(&program, "no program").unwrap();
    machine.is_gone.store(true, Ordering::Relaxed);
    let error = machine.run("").await.unwrap_err();
    assert_eq!(class(&error), "unreachable", "{error}");
}

#[test]
fn rejects_invalid_settings_by_key() {
    for (key, value, invalid_key) in [
        ("program", json!("send-sms"), "program"),
        ("channel", json!("S M S"), "channel"),
        ("arguments", json!(["--to={to}"]), "arguments[0]"),
        ("arguments", json!(["{to}", "{body}"]), "arguments[1]"),
        ("arguments", json!(["a\u{0}b"]), "arguments[0]"),
        ("env", json!({"A=B": "x"}), "env.A=B"),
        ("env", json!({"A": "x\u{0}"}), "env.A"),
        ("env", json!({"A": 735_190}), "env.A"),
        ("shell", json!(true), "shell"),
    ] {
        let mut table = json!({"channel": "sms", "program": "/bin/true"});
        table[key] = value;
        assert_eq!(refused_key("exec", table.clone()), invalid_key, "{table}");
    }
}
