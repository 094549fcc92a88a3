//! Load: connections that send one request after the other, and time every answer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// The result of a load.
#[derive(Debug)]
pub(crate) struct Found {
    /// Answers in a second.
    pub(crate) rate: f64,
    /// The time within which 99 of 100 answers came.
    pub(crate) p99: Duration,
}

/// A connection that is used again and again.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    /// Sends a request, and returns the answer's status and body.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> (u16, Vec<u8>) {
        self.0.write_all(request).await.unwrap();
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut length = 0;
        loop {
            line.clear();
            self.0.read_line(&mut line).await.unwrap();
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        (status, body)
    }
}

/// A form that raises an alert.
pub(crate) fn raise(path: &str, key: &str) -> Vec<u8> {
    let body = format!("api_key={key}&message=The+disk+of+db1+is+full%3A+97+%25");
    post(path, &body)
}

/// A form.
pub(crate) fn post(path: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Sends one request again and again for a while, on 64 connections; every answer must be 201.
pub(crate) async fn run(address: SocketAddr, request: Vec<u8>, length: Duration) -> Found {
    const CONNECTIONS: usize = 64;
    let begun = Instant::now();
    let mut connections = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let request = request.clone();
        connections.spawn(async move {
            let mut connection = Connection::open(address).await;
            let mut times = Vec::new();
            while begun.elapsed() < length {
                let sent = Instant::now();
                let (status, body) = connection.exchange(&request).await;
                assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
                times.push(sent.elapsed());
            }
            times
        });
    }
    let mut times: Vec<Duration> = connections.join_all().await.into_iter().flatten().collect();
    let seconds = begun.elapsed().as_secs_f64();
    times.sort_unstable();
    Found {
        rate: times.len() as f64 / seconds,
        p99: times[times.len() * 99 / 100],
    }
}

/// Returns the number of webhooks that a sink has counted.
pub(crate) async fn counted(sink: SocketAddr) -> u64 {
    let mut connection = Connection::open(sink).await;
    let (_, body) = connection
        .exchange(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    String::from_utf8(body).unwrap().parse().unwrap()
}
