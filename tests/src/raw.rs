//! Requests that no HTTP client would send.

use std::future::pending;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{sleep, timeout};

use crate::PATIENCE;

/// A step of a raw request.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes again and again, one time in each interval, as long as the server lets it.
    Repeat(Vec<u8>, Duration),
    /// Closes the connection without waiting for an answer.
    Close,
}

/// The bytes received before either side closed the connection or the server fell silent.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// Every byte that came.
    pub bytes: Vec<u8>,
    /// After how long the server closed the connection, if it did.
    pub closed: Option<Duration>,
    /// The number of bytes sent.
    pub sent: usize,
}

/// Sends raw bytes, and reads at the same time: until the server closes the connection, says
/// nothing for the length of `quiet` after its last bytes, or sends nothing at all for as
/// long as a test may take.
pub async fn exchange(address: SocketAddr, steps: &[Step], quiet: Duration) -> Exchange {
    let stream = TcpStream::connect(address).await.unwrap();
    let (reader, writer) = stream.into_split();
    let mut result = Exchange::default();
    let Exchange {
        bytes,
        closed,
        sent,
    } = &mut result;
    tokio::select! {
        () = write(writer, steps, sent) => {}
        () = read(reader, quiet, bytes, closed) => {}
    }
    result
}

/// Returns when it has closed the connection, otherwise never.
async fn write(mut writer: OwnedWriteHalf, steps: &[Step], sent: &mut usize) {
    for step in steps {
        match step {
            Step::Send(bytes) => {
                if writer.write_all(bytes).await.is_ok() {
                    *sent += bytes.len();
                }
            }
            Step::Repeat(bytes, every) => {
                while writer.write_all(bytes).await.is_ok() {
                    *sent += bytes.len();
                    sleep(*every).await;
                }
            }
            Step::Close => return,
        }
    }
    pending::<()>().await;
}

async fn read(
    mut reader: OwnedReadHalf,
    quiet: Duration,
    bytes: &mut Vec<u8>,
    closed: &mut Option<Duration>,
) {
    let begun = Instant::now();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let patience = if bytes.is_empty() { PATIENCE } else { quiet };
        match timeout(patience, reader.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => {
                *closed = Some(begun.elapsed());
                return;
            }
            Ok(Ok(read)) => bytes.extend(&buffer[..read]),
            Err(_) => return,
        }
    }
}

impl Exchange {
    /// The status of the first answer, if one came.
    pub fn status(&self) -> Option<u16> {
        self.statuses().first().copied()
    }

    /// The status of each answer, in order.
    pub fn statuses(&self) -> Vec<u16> {
        let text = self.text();
        let answers = text.split("HTTP/1.").skip(1);
        answers
            .filter_map(|answer| answer.split(' ').nth(1)?.parse().ok())
            .collect()
    }

    /// Returns the received bytes as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The head of the last answer, in lower case.
    pub fn head(&self) -> String {
        self.last().0.to_ascii_lowercase()
    }

    /// The body of the last answer, as it came.
    pub fn body(&self) -> String {
        self.last().1
    }

    fn last(&self) -> (String, String) {
        let text = self.text();
        let begin = text.rfind("HTTP/1.1 ").unwrap_or_default();
        let (head, body) = text[begin..].split_once("\r\n\r\n").unwrap_or_default();
        (head.to_owned(), body.to_owned())
    }
}
