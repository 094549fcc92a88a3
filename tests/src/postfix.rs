//! A real Postfix of the test's own.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};
use std::{fmt, fs, thread};

use rustix::process::geteuid;
use tempfile::TempDir;
use tokio::process::Child;
use tokio::time::timeout;

use crate::missing;
use crate::server::Log;
use crate::{Mail, PATIENCE, Port, until};

/// Directory of the servers in Debian's package.
const SERVERS: &str = "/usr/lib/postfix/sbin";
/// The user and group `nobody`, who owns the mailboxes.
const NOBODY: u32 = 65534;

/// The settings beside those that name a directory of the instance.
const SETTINGS: &str = "
compatibility_level = 3.6
maillog_file = /dev/stdout
mail_owner = postfix
setgid_group = postdrop
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
myhostname = mx.example.org
mydestination =
mynetworks =
alias_maps =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtputf8_enable = no
virtual_mailbox_domains = example.org
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_relay_restrictions = reject_unauth_destination
smtpd_helo_required = yes
smtpd_peername_lookup = no
";

/// The servers that take a mail and put it into a mailbox, of master(5).
const SERVICES: &str = "
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
";

/// Debian's Postfix on loopback with queue, configuration and mailboxes of its own, killed when
/// dropped. When its test fails, its log is printed.
///
/// It ends with the thread that started it at the latest, so each test starts one of its own.
pub struct Postfix {
    _master: Child,
    log: Log,
    port: Port,
    directory: TempDir,
}

impl Postfix {
    /// Starts one that has mailboxes in example.org.
    ///
    /// * `mailboxes` - the names before the `@`.
    /// * `settings` - more settings, of postconf(5).
    pub async fn start(mailboxes: &[&str], settings: &[&str]) -> Self {
        require();
        let directory = TempDir::with_prefix("redflash-postfix-").unwrap();
        let port = Port::reserve();
        prepare(directory.path(), &port, mailboxes, settings);
        let config = directory.path().join("config");
        let mut check = Command::new("postfix");
        let checked = check.arg("-c").arg(&config).arg("check").output().unwrap();
        assert!(checked.status.success(), "{checked:?}");
        // It ends with the test even if that is killed.
        let mut master = tokio::process::Command::new("setpriv")
            .args(["--pdeathsig=KILL", "--"])
            .arg(Path::new(SERVERS).join("master"))
            .arg("-c")
            .arg(&config)
            .arg("-s")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log = Log::default();
        log.follow(master.stdout.take().unwrap());
        log.follow(master.stderr.take().unwrap());
        let started = log.find(|line| line.contains("daemon started").then_some(()));
        let started = timeout(PATIENCE, started).await;
        started.unwrap_or_else(|_| panic!("no Postfix:\n{}", log.text()));
        Self {
            _master: master,
            log,
            port,
            directory,
        }
    }

    /// The gateway's table in the configuration.
    ///
    /// * `more` - more lines, such as the retries.
    pub fn gateway(&self, name: &str, more: &str) -> String {
        format!(
            "name = \"{name}\"\ntype = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
             from = \"RedFlash <alerts@example.net>\"\n{more}",
            self.port()
        )
    }

    /// The port it listens on, on 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.port.number()
    }

    /// The mails in a mailbox, in no order.
    pub fn mails(&self, mailbox: &str) -> Vec<Mail> {
        let new = self.directory.path().join("mail").join(mailbox).join("new");
        let files = fs::read_dir(new).into_iter().flatten().flatten();
        files.map(|file| mail(&file.path())).collect()
    }

    /// Waits until a mailbox holds at least this many mails, and returns all.
    pub async fn expect(&self, mailbox: &str, count: usize) -> Vec<Mail> {
        let what = format!("{mailbox} has {count} mails");
        until(&what, async || {
            Some(self.mails(mailbox)).filter(|mails| mails.len() >= count)
        })
        .await
    }

    /// Waits until its log has a line with this text.
    pub async fn logs(&self, text: &str) {
        let found = self.log.find(|line| line.contains(text).then_some(()));
        let found = timeout(PATIENCE, found).await;
        found.unwrap_or_else(|_| panic!("Postfix logs no {text:?}"));
    }

    /// The number of lines in its log with this text.
    pub fn logged(&self, text: &str) -> usize {
        let log = self.log.text();
        log.lines().filter(|line| line.contains(text)).count()
    }
}

impl fmt::Debug for Postfix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postfix")
            .field("port", &self.port())
            .finish_non_exhaustive()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("Postfix's log:\n{}", self.log.text());
        }
    }
}

/// Writes the configuration, and makes the directories with the owners that Postfix wants.
fn prepare(root: &Path, port: &Port, mailboxes: &[&str], settings: &[&str]) {
    fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
    for name in ["config", "queue", "data", "mail"] {
        fs::create_dir(root.join(name)).unwrap();
    }
    chown(root.join("mail"), Some(NOBODY), Some(NOBODY)).unwrap();
    let mut own = Command::new("chown");
    let owned = own.arg("postfix").arg(root.join("data")).status();
    assert!(owned.unwrap().success());
    let boxes: Vec<_> = mailboxes
        .iter()
        .map(|name| format!("{{ {name}@example.org = {name}/ }}"))
        .collect();
    let root_text = root.display();
    let main = format!(
        "{SETTINGS}\nqueue_directory = {root_text}/queue\ndata_directory = {root_text}/data\n\
         virtual_mailbox_base = {root_text}/mail\n\
         virtual_mailbox_maps = inline:{{ {} }}\n{}\n",
        boxes.join(", "),
        settings.join("\n")
    );
    let services = format!("{} inet n - n - - smtpd{SERVICES}", port.address());
    fs::write(root.join("config/main.cf"), main).unwrap();
    fs::write(root.join("config/master.cf"), services).unwrap();
}

fn mail(path: &Path) -> Mail {
    let source = fs::read_to_string(path).unwrap().replace('\n', "\r\n");
    let bare = Mail {
        tls: false,
        login: None,
        from: String::new(),
        to: Vec::new(),
        source,
    };
    let from = bare.header("Return-Path");
    Mail {
        from: from.trim_matches(['<', '>']).to_owned(),
        to: vec![bare.header("Delivered-To")],
        ..bare
    }
}

/// Ends the test where Postfix cannot be started.
fn require() {
    if !Path::new(SERVERS).join("master").exists() {
        missing("Postfix is missing; Debian's package is `postfix`");
    }
    if !geteuid().is_root() {
        missing("Postfix can be started by root alone");
    }
}
