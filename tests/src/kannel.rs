//! A Kannel of the test's own, with an SMS centre that the test plays.

use std::path::Path;
use std::process::Stdio;
use std::{fmt, fs, thread};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::missing;
use crate::server::Log;
use crate::{Check, Coding, PATIENCE, Port, Reply, Rules, Simulator, Text, http_client, until};

/// Folder of the programs in Debian's package.
const PROGRAMS: &str = "/usr/sbin";

/// Query parameters that Kannel's SMSC `http`, type `generic`, sends to the centre.
const CENTRE: Rules = Rules {
    faults: |request| {
        let mut check = Check::default();
        check
            .rule(request.method == "GET", "the method is GET")
            .rule(request.path.starts_with("/mt?"), "the path is ours")
            .faults()
    },
    refuse: |faults| Reply::body(200, format!("FAIL {faults}")),
    // Its id for a text is Kannel's.
    accept: |request, _| Reply::body(200, format!("OK id={}", Text::of(request).id)),
};

/// Debian's Kannel on loopback, a bearerbox with an smsbox, killed when dropped. When its test fails,
/// its log is printed.
///
/// It ends with the thread that started it at the latest, so each test starts one of its own.
pub struct Kannel {
    centre: Simulator,
    running: Option<Running>,
    /// The log of the processes before.
    past: String,
    admin: Port,
    boxes: Port,
    sendsms: Port,
    /// Port on which Kannel hears from the centre. Kannel itself binds it on every address, and
    /// listens to 127.0.0.1 only.
    incoming: Port,
    directory: TempDir,
}

struct Running {
    bearerbox: Program,
    smsbox: Program,
}

struct Program {
    child: Child,
    log: Log,
}

impl Kannel {
    /// The user of [`gateway`](Self::gateway).
    pub const USERNAME: &str = "tester";
    /// Its password.
    pub const PASSWORD: &str = "canary-kannel-password";
    /// Into how many parts it cuts a text, and drops the rest.
    pub const MAX_PARTS: u32 = 6;
    /// The beginning of numbers to which it has no way.
    pub const NO_WAY: &str = "+4479";

    /// Starts one on ports of its own.
    ///
    /// * `inbound` - the URL of what people answer, without a query.
    pub async fn start(inbound: &str) -> Self {
        look_for_it();
        let mut kannel = Self {
            centre: Simulator::start(CENTRE).await,
            running: None,
            past: String::new(),
            admin: Port::reserve(),
            boxes: Port::reserve(),
            sendsms: Port::reserve(),
            incoming: Port::reserve(),
            directory: TempDir::with_prefix("redflash-kannel-").unwrap(),
        };
        fs::create_dir(kannel.directory.path().join("spool")).unwrap();
        let path = kannel.directory.path().join("kannel.conf");
        fs::write(path, kannel.config(inbound)).unwrap();
        kannel.restart().await;
        kannel
    }

    /// The gateway's table in the configuration.
    ///
    /// * `more` - more lines, such as the callback secret.
    pub fn gateway(&self, name: &str, more: &str) -> String {
        format!(
            "name = \"{name}\"\ntype = \"kannel\"\nbase_url = \"{}\"\nusername = \"{}\"\n\
             password = \"{}\"\nmax_parts = {}\n{more}",
            self.base_url(),
            Self::USERNAME,
            Self::PASSWORD,
            Self::MAX_PARTS
        )
    }

    /// The URL at which the smsbox takes texts, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.sendsms.address())
    }

    /// Programs the centre's reaction to one more text, after those programmed before. `OK id=…` takes it, and
    /// `FAIL …` refuses it.
    pub fn once(&self, reply: Reply) {
        self.centre.once(reply);
    }

    /// Every text that has reached the centre.
    pub fn texts(&self) -> Vec<Text> {
        self.centre.received().iter().map(Text::of).collect()
    }

    /// Waits until at least this many texts have reached the centre, and returns all.
    pub async fn expect(&self, count: usize) -> Vec<Text> {
        let received = self.centre.expect(count).await;
        assert_eq!(self.centre.faults(), [""; 0]);
        received.iter().map(Text::of).collect()
    }

    /// The centre reports on a text that it took.
    ///
    /// * `kind` - by Kannel's numbers: 1 delivered, 2 not delivered, 4 queued.
    pub async fn report(&self, text: &Text, kind: u8, words: &str) {
        let kind = kind.to_string();
        let fields = [
            ("from", &*text.from),
            ("to", &text.to),
            ("dlr-mask", &kind),
            ("dlr-mid", &text.id),
            ("text", words),
        ];
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        // Kannel knows of it a moment after the centre has taken it.
        until("Kannel knows the text", async || {
            (self.tell(&query).await == "Sent").then_some(())
        })
        .await;
    }

    /// Sends a text from a phone to our number, which is 13013.
    pub async fn says(&self, from: &str, coding: Coding, text: &str) {
        let (number, bytes) = match coding {
            Coding::Gsm7 => ("0", text.as_bytes().to_vec()),
            Coding::Ucs2 => (
                "2&charset=UTF-16BE",
                text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            ),
        };
        let text: String = url::form_urlencoded::byte_serialize(&bytes).collect();
        let query = format!("from={from}&to=13013&text={text}&coding={number}");
        assert_eq!(self.tell(&query).await, "Sent");
    }

    /// Has it end in order, and waits until it has. It keeps what it has not passed on yet, and forgets
    /// which reports are to come.
    pub async fn stop(&mut self) {
        let mut running = self.running.take().expect("Kannel runs");
        // The smsbox first: one whose bearerbox is gone restarts itself.
        for program in [&mut running.smsbox, &mut running.bearerbox] {
            program.end().await;
            self.past.push_str(&program.log.text());
        }
    }

    /// Starts it, and waits until it takes texts; one that runs is stopped first.
    pub async fn restart(&mut self) {
        if self.running.is_some() {
            self.stop().await;
        }
        let bearerbox = self.program("bearerbox");
        let started = bearerbox
            .log
            .find(|line| line.contains("entering mainloop").then_some(()));
        let started = timeout(PATIENCE, started).await;
        started.unwrap_or_else(|_| panic!("no bearerbox:\n{}", bearerbox.log.text()));
        let smsbox = self.program("smsbox");
        let http = http_client();
        let status = format!(
            "http://{}/status.txt?password={}",
            self.admin.address(),
            Self::PASSWORD
        );
        until("the smsbox is connected", async || {
            let answer = http.get(&status).send().await.ok()?;
            let status = answer.text().await.ok()?;
            status.contains("smsbox:(none)").then_some(())
        })
        .await;
        self.running = Some(Running { bearerbox, smsbox });
    }

    /// Tells it something as the centre, and returns what it answers.
    async fn tell(&self, query: &str) -> String {
        let (address, name, password) = (self.incoming.address(), Self::USERNAME, Self::PASSWORD);
        let url = format!("http://{address}/?username={name}&password={password}&{query}");
        let answer = http_client().get(url).send().await.unwrap();
        answer.text().await.unwrap()
    }

    fn program(&self, name: &str) -> Program {
        // It ends with the test even if that is killed.
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig=KILL", "--"])
            .arg(Path::new(PROGRAMS).join(name))
            .args(["-v", "1", "kannel.conf"])
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log = Log::default();
        log.follow(child.stdout.take().unwrap());
        log.follow(child.stderr.take().unwrap());
        Program { child, log }
    }

    fn config(&self, inbound: &str) -> String {
        let Self {
            admin,
            boxes,
            sendsms,
            incoming,
            ..
        } = self;
        let centre = self.centre.base_url();
        let [admin, boxes, sendsms, incoming] = [admin, boxes, sendsms, incoming].map(Port::number);
        let (name, password, parts, no_way) = (
            Self::USERNAME,
            Self::PASSWORD,
            Self::MAX_PARTS,
            Self::NO_WAY,
        );
        format!(
            r#"
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = {password}
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-deny-ip = "*.*.*.*"
box-allow-ip = 127.0.0.1
dlr-storage = internal
store-type = spool
store-location = spool

group = smsc
smsc = http
smsc-id = centre
system-type = generic
port = {incoming}
connect-allow-ip = 127.0.0.1
smsc-username = {name}
smsc-password = {password}
send-url = "{centre}/mt?from=%P&to=%p&text=%b&coding=%c&udh=%u&id=%I"
status-success-regex = "^OK"
status-permfail-regex = "^FAIL"
status-tempfail-regex = "^RETRY"
generic-foreign-id-regex = "id=([0-9a-zA-Z-]+)"
reconnect-delay = 1
denied-prefix = "{no_way}"

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {boxes}
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
http-request-retry = 60
http-queue-delay = 1

group = sendsms-user
username = {name}
password = {password}
default-sender = 13013
user-deny-ip = "*.*.*.*"
user-allow-ip = 127.0.0.1
max-messages = {parts}
concatenation = true

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "{inbound}?from=%p&text=%b&coding=%c&charset=%C&id=%I"
"#
        )
    }
}

impl fmt::Debug for Kannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kannel")
            .field("sendsms", &self.sendsms)
            .finish_non_exhaustive()
    }
}

impl Drop for Kannel {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("Kannel's log:\n{}", self.past);
            if let Some(Running { bearerbox, smsbox }) = &self.running {
                eprintln!("{}{}", smsbox.log.text(), bearerbox.log.text());
            }
        }
    }
}

impl Program {
    /// Has it end in order, and waits until it has.
    async fn end(&mut self) {
        if let Some(pid) = self.child.id() {
            let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
            kill_process(pid, Signal::TERM).unwrap();
        }
        let ended = timeout(PATIENCE, self.child.wait()).await;
        ended.expect("Kannel ends").unwrap();
    }
}

/// Ends the test where there is no Kannel.
fn look_for_it() {
    let there = |name| Path::new(PROGRAMS).join(name).exists();
    if there("bearerbox") && there("smsbox") {
        return;
    }
    missing("Kannel is missing; Debian's package is `kannel`");
}
