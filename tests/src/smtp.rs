//! The server's side of SMTP (RFC 5321), as much of it as a client can ask for.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use crate::Mail;

/// A mail server's TLS and login requirements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// It is not.
    None,
    /// It offers STARTTLS, and takes nothing before.
    StartTls,
    /// From the first byte.
    Implicit,
}

/// A fault that a mail server injects into one connection.
#[derive(Clone, Debug)]
pub enum SmtpFault {
    /// It greets with this, and closes.
    Greeting(&'static str),
    /// It answers RCPT with this.
    Recipient(&'static str),
    /// It answers the end of the message with this, and keeps nothing.
    Data(&'static str),
    /// It keeps the message, and closes the connection instead of saying so.
    DropAfterData,
    /// It falls silent after the message, and keeps nothing.
    HangAfterData,
    /// It falls silent instead of greeting.
    Hang,
    /// It answers this command of the second mail with these words, or with none where they are
    /// empty, and closes. The command `.` is the end of the message.
    Later(&'static str, &'static str),
}

/// A mail server's state beyond one connection.
pub(crate) struct State {
    pub(crate) tls: SmtpTls,
    pub(crate) login: Option<(String, String)>,
    pub(crate) acceptor: Option<TlsAcceptor>,
    pub(crate) faults: Mutex<VecDeque<SmtpFault>>,
    pub(crate) mails: Mutex<Vec<Mail>>,
    pub(crate) refused_logins: Mutex<u32>,
    pub(crate) connections: AtomicUsize,
    pub(crate) hang_up: Notify,
    pub(crate) more: Notify,
}

/// The state of one connection.
#[derive(Default)]
struct Session {
    tls: bool,
    login: Option<String>,
    from: String,
    to: Vec<String>,
    fault: Option<SmtpFault>,
    /// True if the session has accepted a mail.
    has_taken: bool,
}

impl Session {
    /// The last words of a connection that ends at this command.
    fn ends_at(&self, command: &str) -> Option<&'static str> {
        match self.fault {
            Some(SmtpFault::Later(verb, words)) if self.has_taken && verb == command => Some(words),
            _ => None,
        }
    }
}

/// The action that follows a command.
enum Then {
    Continue,
    UpgradeToTls,
    Close,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

pub(crate) async fn accept(listener: TcpListener, state: Arc<State>) {
    // The connections end with the server.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        state.connections.fetch_add(1, Ordering::Relaxed);
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let fault = state.faults.lock().unwrap().pop_front();
            let mut session = Session {
                fault,
                ..Session::default()
            };
            if state.tls == SmtpTls::Implicit {
                let acceptor = state.acceptor.as_ref().unwrap();
                session.tls = true;
                let stream = acceptor.accept(stream).await.ok()?;
                talk(&mut BufStream::new(stream), &state, &mut session, true).await?;
                return Some(());
            }
            let mut plain = BufStream::new(stream);
            if let Then::UpgradeToTls = talk(&mut plain, &state, &mut session, true).await? {
                let acceptor = state.acceptor.as_ref().unwrap();
                session.tls = true;
                let stream = acceptor.accept(plain.into_inner()).await.ok()?;
                talk(&mut BufStream::new(stream), &state, &mut session, false).await?;
            }
            Some(())
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Talks until the connection ends or is to be upgraded; `None` when it broke.
async fn talk<S>(
    stream: &mut BufStream<S>,
    state: &State,
    session: &mut Session,
    greet: bool,
) -> Option<Then>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if greet {
        if let Some(SmtpFault::Greeting(line)) = session.fault {
            say(stream, line).await?;
            return Some(Then::Close);
        }
        if let Some(SmtpFault::Hang) = session.fault {
            stream.read_to_end(&mut Vec::new()).await.ok()?;
            return None;
        }
        say(stream, "220 localhost ready").await?;
    }
    loop {
        let line = tokio::select! {
            line = line(stream) => line?,
            () = state.hang_up.notified() => return Some(Then::Close),
        };
        match obey(stream, state, session, &line).await? {
            Then::Continue => {}
            then => return Some(then),
        }
    }
}

async fn obey<S>(
    stream: &mut BufStream<S>,
    state: &State,
    session: &mut Session,
    line: &str,
) -> Option<Then>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let verb = verb.to_ascii_uppercase();
    if let Some(words) = session.ends_at(&verb) {
        return part(stream, words).await;
    }
    let protected = session.tls || state.tls == SmtpTls::None;
    match &*verb {
        "EHLO" => {
            let mut features = vec!["localhost"];
            if !protected {
                features.push("STARTTLS");
            }
            if protected && state.login.is_some() {
                features.push("AUTH PLAIN LOGIN");
            }
            features.push("8BITMIME");
            let (last, first) = features.split_last()?;
            for feature in first {
                say(stream, &format!("250-{feature}")).await?;
            }
            say(stream, &format!("250 {last}")).await?;
        }
        "STARTTLS" if !protected => {
            say(stream, "220 go ahead").await?;
            return Some(Then::UpgradeToTls);
        }
        "QUIT" => {
            say(stream, "221 bye").await?;
            return Some(Then::Close);
        }
        "NOOP" | "RSET" => say(stream, "250 fine").await?,
        "AUTH" => authenticate(stream, state, session, rest).await?,
        _ if !protected => say(stream, "530 use STARTTLS first").await?,
        _ if state.login.is_some() && session.login.is_none() => {
            say(stream, "530 authentication required").await?;
        }
        "MAIL" => {
            session.from = path(rest);
            session.to.clear();
            say(stream, "250 sender fine").await?;
        }
        "RCPT" => {
            if let Some(SmtpFault::Recipient(answer)) = session.fault {
                say(stream, answer).await?;
            } else {
                session.to.push(path(rest));
                say(stream, "250 recipient fine").await?;
            }
        }
        "DATA" => return data(stream, state, session).await,
        _ => say(stream, "500 unknown").await?,
    }
    Some(Then::Continue)
}

async fn data<S>(stream: &mut BufStream<S>, state: &State, session: &mut Session) -> Option<Then>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    say(stream, "354 go on").await?;
    let mut source = String::new();
    loop {
        let line = line(stream).await?;
        if line == "." {
            break;
        }
        source += line.strip_prefix('.').unwrap_or(&line);
        source += "\r\n";
    }
    if let Some(words) = session.ends_at(".") {
        return part(stream, words).await;
    }
    match session.fault {
        Some(SmtpFault::Data(answer)) => {
            say(stream, answer).await?;
            return Some(Then::Continue);
        }
        Some(SmtpFault::HangAfterData) => {
            stream.read_to_end(&mut Vec::new()).await.ok()?;
            return None;
        }
        _ => {}
    }
    let mail = Mail {
        tls: session.tls,
        login: session.login.clone(),
        from: session.from.clone(),
        to: session.to.clone(),
        source,
    };
    state.mails.lock().unwrap().push(mail);
    session.has_taken = true;
    state.more.notify_waiters();
    if let Some(SmtpFault::DropAfterData) = session.fault {
        return Some(Then::Close);
    }
    say(stream, "250 taken").await?;
    Some(Then::Continue)
}

/// AUTH PLAIN with an initial response (RFC 4616), or AUTH LOGIN.
async fn authenticate<S>(
    stream: &mut BufStream<S>,
    state: &State,
    session: &mut Session,
    arguments: &str,
) -> Option<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let decode = |text: &str| String::from_utf8(BASE64_STANDARD.decode(text).ok()?).ok();
    let given = if let Some(response) = arguments.strip_prefix("PLAIN ") {
        let response = decode(response)?;
        let mut parts = response.split('\0').skip(1).map(str::to_owned);
        (parts.next()?, parts.next()?)
    } else {
        say(stream, "334 VXNlcm5hbWU6").await?;
        let name = decode(&line(stream).await?)?;
        say(stream, "334 UGFzc3dvcmQ6").await?;
        (name, decode(&line(stream).await?)?)
    };
    if state.login.as_ref() == Some(&given) {
        session.login = Some(given.0);
        return say(stream, "235 welcome").await;
    }
    *state.refused_logins.lock().unwrap() += 1;
    state.more.notify_waiters();
    say(stream, "535 5.7.8 wrong name or password").await
}

/// The address in `FROM:<a@b>`.
fn path(argument: &str) -> String {
    let start = argument.find('<').map_or(0, |at| at + 1);
    let end = argument.find('>').unwrap_or(argument.len());
    argument[start..end].to_owned()
}

/// Reads one line without its end; `None` when the connection ends.
async fn line<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>) -> Option<String> {
    let mut bytes = Vec::new();
    stream
        .read_until(b'\n', &mut bytes)
        .await
        .ok()
        .filter(|n| *n > 0)?;
    let text = String::from_utf8_lossy(&bytes);
    Some(text.strip_suffix("\r\n").unwrap_or(&text).to_owned())
}

/// Says the last words of a connection, if there are any.
async fn part<S>(stream: &mut BufStream<S>, words: &str) -> Option<Then>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if !words.is_empty() {
        say(stream, words).await?;
    }
    Some(Then::Close)
}

async fn say<S>(stream: &mut BufStream<S>, line: &str) -> Option<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream
        .write_all(format!("{line}\r\n").as_bytes())
        .await
        .ok()?;
    stream.flush().await.ok()
}
