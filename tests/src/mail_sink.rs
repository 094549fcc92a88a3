//! A mail server.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::smtp::{SmtpFault, SmtpTls, State, accept};
use crate::{Authority, Mail, PATIENCE};

/// A running mail server; it stops when dropped.
#[derive(Debug)]
pub struct MailSink {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl MailSink {
    /// Starts one without TLS or logins, on a port of its own.
    pub async fn plain() -> Self {
        Self::start(SmtpTls::None, None, None).await
    }

    /// Starts one.
    ///
    /// * `authority` - whose certificate it shows.
    /// * `login` - the name and password without which it takes nothing.
    pub async fn start(
        tls: SmtpTls,
        authority: Option<&Authority>,
        login: Option<(&str, &str)>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            tls,
            login: login.map(|(name, password)| (name.to_owned(), password.to_owned())),
            acceptor: authority.map(|authority| authority.acceptor.clone()),
            faults: Mutex::default(),
            mails: Mutex::default(),
            refused_logins: Mutex::default(),
            connections: AtomicUsize::default(),
            hang_up: Notify::new(),
            more: Notify::new(),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self {
            address,
            state,
            task,
        }
    }

    /// The gateway's table in the configuration.
    ///
    /// * `more` - more lines, such as the login.
    pub fn gateway(&self, name: &str, more: &str) -> String {
        let tls = match self.state.tls {
            SmtpTls::None => "none",
            SmtpTls::StartTls => "starttls",
            SmtpTls::Implicit => "tls",
        };
        format!(
            "name = \"{name}\"\ntype = \"smtp\"\nhost = \"localhost\"\nport = {}\ntls = \"{tls}\"\n\
             from = \"RedFlash <alerts@example.org>\"\n{more}",
            self.port()
        )
    }

    /// The port it listens on, on 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// It does this with one connection more.
    pub fn once(&self, fault: SmtpFault) {
        self.state.faults.lock().unwrap().push_back(fault);
    }

    /// Every mail so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.state.mails.lock().unwrap().clone()
    }

    /// Returns the number of refused logins.
    pub fn refused_logins(&self) -> u32 {
        *self.state.refused_logins.lock().unwrap()
    }

    /// Returns the number of connections so far.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// Closes every connection that is open.
    pub fn disconnect(&self) {
        self.state.hang_up.notify_waiters();
    }

    /// Waits until at least this many mails have arrived, and returns all.
    pub async fn expect(&self, count: usize) -> Vec<Mail> {
        let enough = async {
            loop {
                let more = self.state.more.notified();
                tokio::pin!(more);
                more.as_mut().enable();
                if self.state.mails.lock().unwrap().len() >= count {
                    return;
                }
                more.await;
            }
        };
        let came = timeout(PATIENCE, enough).await;
        assert!(came.is_ok(), "{} of {count} mails came", self.mails().len());
        self.mails()
    }
}

impl Drop for MailSink {
    fn drop(&mut self) {
        self.task.abort();
    }
}
