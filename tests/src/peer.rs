//! An HTTP server that answers as a test tells it, and remembers every request.
//!
//! Written on bare connections, since much of what it has to do no HTTP library would do: to fall
//! silent, to reset, to drip, to answer without end.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::PATIENCE;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// The headers, names in lower case; the last of one name wins.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
    /// When it had come in whole.
    pub at: Instant,
}

/// A peer's reaction to a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers.
    Answer {
        /// The status.
        status: u16,
        /// Headers, beside `Content-Length`.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
    /// Sends these words, which need be no HTTP, and closes the connection.
    Raw(String),
    /// Answers with this status, once it is let.
    Once(Arc<Notify>, u16),
    /// Says nothing, and keeps the connection.
    Hang,
    /// Closes the connection.
    Drop,
    /// Resets the connection.
    Reset,
    /// Sends one header a second, without end.
    DripHeaders,
    /// Answers with this status, and sends one byte of body a second, without end.
    DripBody(u16),
    /// Answers with this status and a body without end.
    Endless(u16),
}

/// A running peer; it stops when dropped.
pub(crate) struct Peer {
    address: SocketAddr,
    journal: Arc<Journal>,
    task: JoinHandle<()>,
}

type Handler = dyn Fn(&Received) -> Reply + Send + Sync;

#[derive(Default)]
struct Journal {
    received: Mutex<Vec<Received>>,
    more: Notify,
}

impl Reply {
    /// An answer without a body.
    pub fn status(status: u16) -> Self {
        Self::body(status, "")
    }

    /// An answer with a body.
    pub fn body(status: u16, body: impl Into<String>) -> Self {
        Self::Answer {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// The same with a header, if it is an answer.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

impl Received {
    /// The body's form fields; the last of one name wins.
    pub fn form(&self) -> BTreeMap<String, String> {
        let fields = url::form_urlencoded::parse(&self.body);
        fields
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The request as text, to be compared whole: the method and path, the headers that say
    /// something, the body.
    pub fn written(&self) -> String {
        const PLAIN: [&str; 4] = ["accept", "content-length", "host", "user-agent"];
        let mut text = format!("{} {}\n", self.method, self.path);
        for (name, value) in &self.headers {
            if !PLAIN.contains(&&**name) {
                text.extend([&**name, ": ", value, "\n"]);
            }
        }
        text + "\n" + &String::from_utf8_lossy(&self.body)
    }

    /// A header.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

impl Peer {
    pub(crate) async fn start(
        handler: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let journal = Arc::new(Journal::default());
        let task = tokio::spawn(accept(listener, Arc::new(handler), Arc::clone(&journal)));
        Self {
            address,
            journal,
            task,
        }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.journal.received.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.journal.received.lock().unwrap().len()
    }

    /// Waits until at least this many requests have arrived.
    pub(crate) async fn expect(&self, count: usize) -> Vec<Received> {
        let enough = async {
            loop {
                let more = self.journal.more.notified();
                tokio::pin!(more);
                more.as_mut().enable();
                if self.count() >= count {
                    return;
                }
                more.await;
            }
        };
        let came = timeout(PATIENCE, enough).await;
        assert!(came.is_ok(), "{} of {count} requests came", self.count());
        self.received()
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, handler: Arc<Handler>, journal: Arc<Journal>) {
    // The connections end with the peer.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (handler, journal) = (Arc::clone(&handler), Arc::clone(&journal));
        connections.spawn(serve(stream, handler, journal));
        while connections.try_join_next().is_some() {}
    }
}

/// Serves one connection until either side ends it.
async fn serve(stream: TcpStream, handler: Arc<Handler>, journal: Arc<Journal>) {
    stream.set_nodelay(true).unwrap();
    let mut stream = BufStream::new(stream);
    while let Some(request) = read(&mut stream).await {
        let reply = handler(&request);
        journal.received.lock().unwrap().push(request);
        journal.more.notify_waiters();
        if answer(&mut stream, reply).await.is_none() {
            return;
        }
    }
}

/// Reads one request; `None` when the connection ends.
async fn read(stream: &mut BufStream<TcpStream>) -> Option<Received> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|n| *n > 0)?;
    let mut words = line.split_ascii_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|n| *n > 0)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length");
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    Some(Received {
        method,
        path,
        headers,
        body,
        at: Instant::now(),
    })
}

/// Answers; `None` when the connection is to end.
async fn answer(stream: &mut BufStream<TcpStream>, reply: Reply) -> Option<()> {
    match reply {
        Reply::Answer {
            status,
            headers,
            body,
        } => {
            let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
            for (name, value) in headers {
                head.extend([&*name, ": ", &value, "\r\n"]);
            }
            send(stream, &format!("{head}\r\n{body}")).await
        }
        Reply::Raw(words) => {
            send(stream, &words).await?;
            None
        }
        Reply::Once(gate, status) => {
            gate.notified().await;
            send(
                stream,
                &format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n"),
            )
            .await
        }
        Reply::Hang => {
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.ok()?;
            None
        }
        Reply::Drop => None,
        Reply::Reset => {
            stream.get_ref().set_zero_linger().ok()?;
            None
        }
        Reply::DripHeaders => {
            send(stream, "HTTP/1.1 200 X\r\n").await?;
            without_end(stream, "X-Drip: drop\r\n", Duration::from_secs(1)).await
        }
        Reply::DripBody(status) => {
            send(stream, &format!("HTTP/1.1 {status} X\r\n\r\n")).await?;
            without_end(stream, "x", Duration::from_secs(1)).await
        }
        Reply::Endless(status) => {
            send(stream, &format!("HTTP/1.1 {status} X\r\n\r\n")).await?;
            without_end(stream, &"x".repeat(4096), Duration::ZERO).await
        }
    }
}

async fn send(stream: &mut BufStream<TcpStream>, text: &str) -> Option<()> {
    stream.write_all(text.as_bytes()).await.ok()?;
    stream.flush().await.ok()
}

async fn without_end(stream: &mut BufStream<TcpStream>, text: &str, every: Duration) -> Option<()> {
    loop {
        send(stream, text).await?;
        sleep(every).await;
    }
}
