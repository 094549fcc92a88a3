//! A PostgreSQL of the test's own.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, iter, thread};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::missing;
use crate::{Authority, Cli, PATIENCE, Port};

/// Prefix of the directories of clusters; the id of the owning process follows.
const PREFIX: &str = "redflash-postgres-";

/// The password of every role.
const PASSWORD: &str = "the-password-of-a-test";

/// Settings that differ from the server's defaults; paths are relative to its data.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=..",
    "ssl=on",
    "ssl_cert_file=../server.pem",
    "ssl_key_file=../server.key",
    "fsync=on",
    "shared_buffers=16MB",
    // In the data directory, so that nothing is left behind after SIGKILL.
    "dynamic_shared_memory_type=mmap",
];

/// A private PostgreSQL cluster on loopback, gone when dropped. When its test fails, its log is
/// printed.
///
/// It ends with the thread that started it at the latest, so each test starts one of its own.
#[derive(Debug)]
pub struct Postgres {
    process: Option<Process>,
    /// The log of the processes before.
    past: String,
    programs: PathBuf,
    port: Port,
    databases: AtomicUsize,
    ca_file: PathBuf,
    directory: TempDir,
}

/// A running postmaster with its children.
#[derive(Debug)]
struct Process {
    postmaster: Child,
    /// Their output. It closes when the last of them has ended.
    log: watch::Receiver<String>,
}

impl Postgres {
    /// Starts one with an empty cluster, password logins and TLS, on a port of its own.
    pub async fn start() -> Self {
        sweep();
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let directory = TempDir::with_prefix(prefix).unwrap();
        let mut cluster = Self {
            process: None,
            past: String::new(),
            programs: programs(),
            port: Port::reserve(),
            databases: AtomicUsize::new(0),
            ca_file: directory.path().join("ca.pem"),
            directory,
        };
        cluster.initialize().await;
        cluster.restart().await;
        cluster
    }

    /// The URL of a new, empty database of its own, as its owner, who is no superuser.
    pub async fn database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("redflash_{number}");
        let sql = format!(
            "CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}';\nCREATE DATABASE {name} OWNER {name};"
        );
        self.sql(&self.url("postgres"), &sql).await;
        self.url(&name)
    }

    /// The certificate, in PEM, of the authority that signed the server's.
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// A program of the same version, such as `pgbench`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// The port it listens on, on 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.port.number()
    }

    /// Kills the postmaster with SIGKILL, and waits until its children have ended by themselves.
    pub async fn kill(&mut self) {
        self.end(Signal::KILL).await;
    }

    /// Has it end its clients' sessions and stop in order, and waits until it has.
    pub async fn stop_fast(&mut self) {
        self.end(Signal::INT).await;
    }

    /// Starts it again on the same data and port, and waits until it answers; one that runs is
    /// stopped first.
    pub async fn restart(&mut self) {
        if self.process.is_some() {
            self.stop_fast().await;
        }
        let mut command = self.command("postgres");
        command.args(["-D", "data", "-p", &self.port().to_string()]);
        command.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        let log = &mut self.process.insert(Process::start(command)).log;
        let ready = log.wait_for(|log| log.contains("ready to accept connections"));
        let ready = matches!(timeout(PATIENCE, ready).await, Ok(Ok(_)));
        assert!(ready, "PostgreSQL does not start");
    }

    /// Stops all its processes with SIGSTOP: connections stay open, and nothing answers.
    pub fn pause(&self) {
        let process = self.running();
        // The postmaster first: it starts no more children then.
        pause(process.postmaster());
        process.all().into_iter().for_each(pause);
    }

    /// Lets all its processes go on after [`pause`](Self::pause).
    pub fn resume(&self) {
        send(&self.running().all(), Signal::CONT);
    }

    /// Runs SQL with psql, each statement by itself, and returns its output: unaligned, without
    /// headers and without the last line break.
    ///
    /// * `database` - the URL of a database.
    pub async fn sql(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"));
        // The user's own settings must not change what it prints.
        psql.env_clear().arg("--no-psqlrc");
        psql.args(["--quiet", "--no-align", "--tuples-only"]);
        psql.args(["--set=ON_ERROR_STOP=1", database]);
        run(psql, sql).await
    }

    async fn initialize(&self) {
        let authority = Authority::new();
        for (name, text) in [
            ("ca.pem", &*authority.certificate),
            ("server.pem", &authority.server_certificate),
            ("server.key", &authority.server_key),
            ("password", PASSWORD),
        ] {
            let path = self.directory.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        if geteuid().is_root() {
            let mut chown = Command::new("chown");
            chown.args(["-R", "postgres:"]).arg(self.directory.path());
            run(chown, "").await;
        }
        let mut initdb = self.command("initdb");
        initdb.args(["--no-sync", "--no-instructions", "--username=postgres"]);
        initdb.args(["--auth=scram-sha-256", "--pwfile=password", "data"]);
        run(initdb, "").await;
    }

    /// A server program, as a user it runs as: it refuses to be root.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        // It ends with the test even if that is killed; with SIGQUIT, after which PostgreSQL frees
        // its shared memory.
        command.arg("--pdeathsig=QUIT");
        if geteuid().is_root() {
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
        }
        command
            .arg("--")
            .arg(self.programs.join(program))
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("LC_ALL", "C.UTF-8");
        command
    }

    /// The URL of the database that has the same name as its owner.
    fn url(&self, name: &str) -> String {
        format!(
            "postgres://{name}:{PASSWORD}@{}/{name}",
            self.port.address()
        )
    }

    fn running(&self) -> &Process {
        self.process.as_ref().expect("PostgreSQL runs")
    }

    async fn end(&mut self, signal: Signal) {
        let process = self.process.as_mut().expect("PostgreSQL runs");
        process.end(signal);
        let ended = async { while process.log.changed().await.is_ok() {} };
        timeout(PATIENCE, ended).await.expect("PostgreSQL ends");
        process.postmaster.wait().unwrap();
        self.past.push_str(&process.log.borrow());
        self.process = None;
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if thread::panicking() {
            let now = self.process.as_ref().map(|process| process.log.borrow());
            let now = now.as_deref().map_or("", String::as_str);
            eprintln!("PostgreSQL's log:\n{}{now}", self.past);
        }
        if let Some(mut process) = self.process.take() {
            process.end(Signal::QUIT);
            poll(|| process.log.has_changed().is_err());
            // A second panic would hide the first.
            let _ = process.postmaster.kill();
            let _ = process.postmaster.wait();
        }
        // A killed postmaster leaves this file, whose seventh line ends with the id of some shared
        // memory, of which the system has a limited number.
        let lock = fs::read_to_string(self.directory.path().join("data/postmaster.pid"));
        let lock = lock.unwrap_or_default();
        if let Some((_, id)) = lock.lines().nth(6).and_then(|ids| ids.rsplit_once(' ')) {
            let _ = Command::new("ipcrm").args(["-m", id]).status();
        }
    }
}

impl Process {
    fn start(mut command: Command) -> Self {
        let mut postmaster = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A paused process in a group of its own is woken when its parent dies.
            .process_group(0)
            .spawn()
            .unwrap();
        let stderr = BufReader::new(postmaster.stderr.take().unwrap());
        let (printed, log) = watch::channel(String::new());
        // Not a task, since `drop` waits for it, perhaps on the runtime's only thread.
        thread::spawn(move || {
            for line in stderr.split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                printed.send_modify(|log| log.extend([&*line, "\n"]));
            }
        });
        Self { postmaster, log }
    }

    fn postmaster(&self) -> Pid {
        Pid::from_child(&self.postmaster)
    }

    /// The postmaster, which has one thread, and its children.
    fn all(&self) -> Vec<Pid> {
        let postmaster = self.postmaster();
        let children = format!("/proc/{postmaster}/task/{postmaster}/children");
        let children = fs::read_to_string(children).unwrap();
        let children = children.split_whitespace();
        let children = children.filter_map(|pid| Pid::from_raw(pid.parse().ok()?));
        iter::once(postmaster).chain(children).collect()
    }

    /// Has the postmaster end, paused or not; its children follow.
    fn end(&self, signal: Signal) {
        let all = self.all();
        send(&[self.postmaster()], signal);
        send(&all, Signal::CONT);
    }
}

/// The directory of the newest PostgreSQL's programs.
fn programs() -> PathBuf {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let newest = debian
        .filter_map(|entry| {
            let version = entry.ok()?.path();
            let number: u32 = version.file_name()?.to_str()?.parse().ok()?;
            let initdb = version.join("bin/initdb");
            initdb.exists().then_some((number, initdb))
        })
        .max()
        .map(|(_, initdb)| initdb);
    let path = env::var_os("PATH").unwrap_or_default();
    let initdb = newest.or_else(|| {
        let mut directories = env::split_paths(&path);
        // Its other programs are beside the file that a link on the path leads to.
        directories.find_map(|directory| fs::canonicalize(directory.join("initdb")).ok())
    });
    let Some(initdb) = initdb else {
        missing("PostgreSQL is missing; Debian's package is `postgresql`");
    };
    initdb.parent().unwrap().to_owned()
}

/// Removes what processes have left behind that had no time to clean up.
fn sweep() {
    let left = fs::read_dir(env::temp_dir())
        .into_iter()
        .flatten()
        .flatten();
    for entry in left {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            // Another may be sweeping too.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Runs a program, which must succeed, and returns what it printed without the last line break.
async fn run(command: Command, input: &str) -> String {
    let ended = Cli::program(command).input(input).run().await;
    let text = ended.succeeded().stdout;
    text.strip_suffix('\n').unwrap_or(&text).to_owned()
}

fn send(pids: &[Pid], signal: Signal) {
    for pid in pids {
        // A child may have ended meanwhile.
        let _ = kill_process(*pid, signal);
    }
}

/// Stops a process with SIGSTOP, and waits until it has stopped or ended.
fn pause(pid: Pid) {
    send(&[pid], Signal::STOP);
    let stopped = poll(|| {
        let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = status.rsplit(") ").next().unwrap_or_default();
        state.is_empty() || state.starts_with(['T', 'Z'])
    });
    assert!(stopped, "PostgreSQL does not stop");
}

/// Whether it becomes so, for what cannot be awaited.
fn poll(so: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while !so() {
        if begun.elapsed() > PATIENCE {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
    true
}
