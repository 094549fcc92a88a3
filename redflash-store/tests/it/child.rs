//! Other processes that use a file: this test binary again, in one of a few parts.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child as Process, ChildStdout, Command, Stdio};

use redflash_core::clock::Timestamp;
use redflash_core::model::WorkerId;
use redflash_core::store::{Directory, Outbox};
use redflash_store::{Access, SqliteStore};

const PART: &str = "REDFLASH_TEST_PART";
const DATABASE: &str = "REDFLASH_TEST_DATABASE";
/// Begins the lines that a child writes for its parent, among those of the test harness.
const MARK: &str = "child: ";

/// Another process, killed when dropped.
pub(crate) struct Child {
    process: Process,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Child {
    /// Starts a process that plays a part.
    ///
    /// * `directory` - its working directory.
    pub(crate) fn start(part: &str, database: impl AsRef<OsStr>, directory: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child::runs_child_process", "--nocapture"])
            .env(PART, part)
            .env(DATABASE, database)
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// Starts a process that serves a database until it is asked to stop.
    pub(crate) fn serving(database: &Path) -> Self {
        let mut child = Self::start("serve", database, Path::new("/"));
        assert_eq!(child.line(), "serves");
        child
    }

    /// Returns the next line that the process writes.
    pub(crate) fn line(&mut self) -> String {
        let mut lines = self.lines.by_ref().map(Result::unwrap);
        let marked = lines.find_map(|line| {
            let (_, text) = line.split_once(MARK)?;
            Some(text.to_owned())
        });
        marked.expect("the process ended")
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Lets the process end in order, and waits until it has.
    pub(crate) fn stop(mut self) {
        drop(self.process.stdin.take());
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Does nothing in the test run itself.
#[tokio::test]
async fn runs_child_process() {
    let (Some(part), Some(database)) = (std::env::var_os(PART), std::env::var_os(DATABASE)) else {
        return;
    };
    match part.to_str().unwrap() {
        "serve" => match SqliteStore::open(database, Access::Server) {
            Ok(_store) => {
                say("serves");
                until_told();
            }
            Err(refused) => say(&refused.to_string()),
        },
        "serve a shared store" => {
            let store = SqliteStore::open(database, Access::Shared).unwrap();
            match store.serve(WorkerId::new(Timestamp::default())) {
                Ok(_serving) => {
                    say("serves");
                    until_told();
                }
                Err(refused) => say(&refused.to_string()),
            }
        }
        // As a server does that knows no other lock.
        "lock the file beside" => {
            let mut beside = database;
            beside.push(".lock");
            let mut lock = std::fs::File::create(beside).unwrap();
            lock.lock().unwrap();
            writeln!(lock, "{}", std::process::id()).unwrap();
            say("locked");
            until_told();
        }
        "leave the directory" => {
            let store = SqliteStore::open(database, Access::Server).unwrap();
            std::env::set_current_dir("/").unwrap();
            store.probe(Timestamp::default()).await.unwrap();
            store.version().await.unwrap();
            say(&store.path().display().to_string());
        }
        other => panic!("there is no part {other}"),
    }
}

#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn say(line: &str) {
    println!("{MARK}{line}");
}

/// Waits until the parent closes the standard input.
fn until_told() {
    let lines = std::io::stdin().lines();
    lines.for_each(drop);
}
