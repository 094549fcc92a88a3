//! Several processes: one that is killed, one that aborts, two on one file.

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use redflash_core::Engine;
use redflash_core::delivery::AttemptOutcome::{Ok as Accepted, Unknown};
use redflash_core::delivery::{Attempt, DeliveryState};
use redflash_core::model::NotificationId;
use redflash_core::store::{LogFilter, Store};
use redflash_store::{Access, OpenError, SqliteStore};
use redflash_tests::{HookedStore, until};

use crate::deadline::{several_threads, within_limit};
use crate::fake_channel::FakeChannel;
use crate::world::{LONG, add_ann, engine, is_clean, open, outcomes, to_ann};

const ROLE: &str = "REDFLASH_TEST_ROLE";
const FILE: &str = "REDFLASH_TEST_FILE";
/// Begins the lines that a process writes for the test, among those of the test harness.
const MARK: &str = "role: ";

/// Another process, killed when dropped.
pub(crate) struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts this program again, in a role, with a file of alerts.
    pub(crate) fn start(role: &str, file: &Path) -> Self {
        Self::start_in(role, file, Path::new("/"))
    }

    /// Starts this program in a directory.
    pub(crate) fn start_in(role: &str, file: &Path, directory: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "processes::runs_child_process", "--nocapture"]);
        command
            .env(ROLE, role)
            .env(FILE, file)
            .current_dir(directory);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the next line that the process writes for the test.
    pub(crate) fn line(&mut self) -> String {
        let marked = self.lines.by_ref().find_map(|line| {
            let line = line.unwrap();
            line.split_once(MARK).map(|(_, text)| text.to_owned())
        });
        marked.expect("the process has ended")
    }

    /// Returns the next line of the process's log that contains a text.
    fn logs(&mut self, text: &str) -> String {
        let mut lines = self.lines.by_ref().map(Result::unwrap);
        let logged = lines.find(|line| line.contains(text));
        logged.expect("the process has ended")
    }

    /// Kills the process, and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Plays a role in a process that a test has started. In the test run itself it does nothing.
#[test]
fn runs_child_process() {
    let (Some(role), Some(file)) = (std::env::var_os(ROLE), std::env::var_os(FILE)) else {
        return;
    };
    let file = PathBuf::from(file);
    several_threads().block_on(async {
        match role.to_str().unwrap() {
            "commits" => commit_and_wait(&file).await,
            "sends" => send_and_wait(&file).await,
            "serves" => serve(&file).await,
            "moves" => move_away(&file).await,
            "blocks" => block_in_a_send(&file).await,
            "aborts" => abort_in_a_send(&file).await,
            role => panic!("there is no role {role}"),
        }
        std::future::pending::<()>().await;
    });
}

#[expect(clippy::print_stdout, reason = "the test reads it")]
fn say(text: impl std::fmt::Display) {
    println!("{MARK}{text}");
}

/// Raises an alert, and waits between its commit and its send.
async fn commit_and_wait(file: &Path) {
    let store = HookedStore::over(open(file));
    add_ann(&*store).await;
    let engine = engine(Arc::clone(&store) as _, FakeChannel::new().gateway());
    let handle = engine.start().await.unwrap();
    store.hold("enqueued");
    let committed = store.reaches("enqueued");
    tokio::spawn(async move { engine.raise(to_ann("alert")).await });
    committed.await;
    say("committed");
    std::mem::forget(handle);
}

/// Raises an alert, and waits in its send.
async fn send_and_wait(file: &Path) {
    let store = open(file);
    add_ann(&*store).await;
    let channel = FakeChannel::new();
    let engine = engine(store, channel.gateway());
    let handle = engine.start().await.unwrap();
    let raised = engine.raise(to_ann("hang")).await.unwrap();
    channel.begins("hang").await;
    say(raised.notification);
    std::mem::forget(handle);
}

/// Sends whatever there is to send, and says so.
async fn serve(file: &Path) {
    let store = open(file);
    add_ann(&*store).await;
    let channel = FakeChannel::new();
    let engine = engine(store, channel.gateway());
    let handle = engine.start().await.unwrap();
    say("serves");
    channel.begins("from beside").await;
    until("it is sent", async || channel.sent().pop()).await;
    say("sent");
    std::mem::forget(handle);
}

/// Leaves the directory after the file was opened by its relative path.
async fn move_away(file: &Path) {
    let store = open(file);
    add_ann(&*store).await;
    std::env::set_current_dir("/").unwrap();
    let engine = engine(store, FakeChannel::new().gateway());
    let handle = engine.start().await.unwrap();
    engine.raise(to_ann("alert")).await.unwrap();
    let newest = LogFilter::newest(std::num::NonZeroU32::MIN);
    engine.store().log(&newest).await.unwrap();
    is_clean(handle.drain(LONG).await);
    say("sent");
}

/// Raises an alert whose channel blocks its thread, in a program with a log.
async fn block_in_a_send(file: &Path) {
    tracing_subscriber::fmt().with_ansi(false).init();
    let store = open(file);
    add_ann(&*store).await;
    let engine = engine(store, FakeChannel::new().gateway());
    let _handle = engine.start().await.unwrap();
    engine.raise(to_ann("block")).await.unwrap();
    std::future::pending::<()>().await;
}

/// Raises alerts in a program that aborts at the first panic.
async fn abort_in_a_send(file: &Path) {
    std::panic::set_hook(Box::new(|_| std::process::abort()));
    let store = open(file);
    add_ann(&*store).await;
    let engine = engine(store, FakeChannel::new().gateway());
    for text in ["one", "two", "three", "panic"] {
        say(engine.raise(to_ann(text)).await.unwrap().notification);
    }
    let _handle = engine.start().await.unwrap();
    std::future::pending::<()>().await;
}

/// A directory with a file of alerts, and an engine that sends what another process has left there.
struct Successor {
    directory: tempfile::TempDir,
    channel: FakeChannel,
}

impl Successor {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            channel: FakeChannel::new(),
        }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("alerts.db")
    }

    fn engine(&self, store: Arc<dyn Store>) -> Engine {
        engine(store, self.channel.gateway())
    }
}

/// The only delivery of a notification.
async fn record(engine: &Engine, id: NotificationId) -> redflash_core::store::DeliveryRecord {
    let found = engine.store().notification(id).await.unwrap();
    found.unwrap().1.pop().unwrap()
}

#[test]
fn alert_survives_a_kill_between_commit_and_send() {
    within_limit(|| {
        let successor = Successor::new();
        let mut process = Process::start("commits", &successor.file());
        assert_eq!(process.line(), "committed");
        process.kill();
        several_threads().block_on(async {
            let engine = successor.engine(open(&successor.file()));
            is_clean(engine.start().await.unwrap().drain(LONG).await);
            assert_eq!(successor.channel.sent(), ["alert"]);
        });
    });
}

#[test]
fn kill_during_a_send_is_an_unknown_outcome() {
    within_limit(|| {
        let successor = Successor::new();
        let mut process = Process::start("sends", &successor.file());
        let id = process.line().parse().unwrap();
        process.kill();
        several_threads().block_on(async {
            let engine = successor.engine(open(&successor.file()));
            let handle = engine.start().await.unwrap();
            successor.channel.begins("hang").await;
            let record = record(&engine, id).await;
            assert_eq!(outcomes(&record), [Unknown]);
            assert_eq!(record.attempts_made[0].detail, Attempt::UNRECORDED);
            assert!(record.delivery.may_repeat);
            drop(handle);
        });
    });
}

#[test]
fn program_that_aborts_at_a_panic_keeps_every_alert() {
    within_limit(|| {
        let successor = Successor::new();
        let mut process = Process::start("aborts", &successor.file());
        let ids: [NotificationId; 4] = [(); 4].map(|()| process.line().parse().unwrap());
        assert!(!process.child.wait().unwrap().success());
        several_threads().block_on(async {
            let engine = successor.engine(open(&successor.file()));
            let _handle = engine.start().await.unwrap();
            for id in &ids[..3] {
                until("it is sent", async || {
                    let record = record(&engine, *id).await;
                    (record.delivery.state == DeliveryState::Sent).then_some(())
                })
                .await;
            }
            let record = record(&engine, ids[3]).await;
            assert_eq!(outcomes(&record)[0], Unknown);
        });
    });
}

#[test]
fn channel_that_blocks_its_thread_is_named_in_the_log() {
    within_limit(|| {
        let directory = tempfile::tempdir().unwrap();
        let mut process = Process::start("blocks", &directory.path().join("alerts.db"));
        let line = process.logs("a channel blocks its thread");
        assert!(line.contains("gateway=fake"), "{line}");
        assert!(line.contains("ERROR redflash_core"), "{line}");
    });
}

#[test]
fn alert_raised_beside_a_serving_process_is_sent_by_it() {
    within_limit(|| {
        let successor = Successor::new();
        let file = successor.file();
        let mut process = Process::start("serves", &file);
        assert_eq!(process.line(), "serves");
        several_threads().block_on(async {
            let refused = SqliteStore::open(&file, Access::Server).unwrap_err();
            let pid = process.id();
            let is_right = matches!(refused, OpenError::Served { pid: Some(by), .. } if by == pid);
            assert!(is_right, "{refused}");
            let beside = SqliteStore::open(&file, Access::Shared).unwrap();
            let engine = successor.engine(Arc::new(beside));
            let raised = engine.raise(to_ann("from beside")).await.unwrap();
            assert!(!raised.running);
            assert_eq!(process.line(), "sent");
            until("it is recorded", async || {
                let record = record(&engine, raised.notification).await;
                (outcomes(&record) == [Accepted]).then_some(())
            })
            .await;
            drop(engine);
            process.kill();
            let engine = successor.engine(open(&file));
            engine.raise(to_ann("later")).await.unwrap();
            is_clean(engine.start().await.unwrap().drain(LONG).await);
            assert_eq!(successor.channel.sent(), ["later"]);
        });
    });
}
