//! Requests that no HTTP client would send.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::PATIENCE;

/// A step of a raw request.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes again and again, one time in each interval, until the server ends it.
    Repeat(Vec<u8>, Duration),
    /// Closes the connection without waiting for an answer.
    Close,
}

/// What came back before the server closed the connection or fell silent.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// Every byte that came.
    pub bytes: Vec<u8>,
    /// Whether the server closed the connection, and after how long.
    pub closed: Option<Duration>,
    /// How many bytes could be sent.
    pub sent: usize,
}

/// Sends raw bytes and reads until the server closes the connection, or says nothing for as long
/// as `quiet` after everything was sent.
pub async fn exchange(address: SocketAddr, steps: &[Step], quiet: Duration) -> Exchange {
    let begun = Instant::now();
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let mut result = Exchange::default();
    let mut buffer = vec![0; 64 * 1024];
    for step in steps {
        match step {
            Step::Send(bytes) => {
                if timeout(PATIENCE, writer.write_all(bytes))
                    .await
                    .is_ok_and(|sent| sent.is_ok())
                {
                    result.sent += bytes.len();
                }
            }
            Step::Repeat(bytes, every) => {
                while begun.elapsed() < PATIENCE {
                    let answer = tokio::select! {
                        biased;
                        read = reader.read(&mut buffer) => Some(read),
                        sent = writer.write_all(bytes) => match sent {
                            Ok(()) => None,
                            Err(error) => Some(Err(error)),
                        },
                    };
                    match answer {
                        None => result.sent += bytes.len(),
                        Some(Ok(0) | Err(_)) => {
                            result.closed = Some(begun.elapsed());
                            return result;
                        }
                        Some(Ok(read)) => {
                            result.bytes.extend(&buffer[..read]);
                            break;
                        }
                    }
                    sleep(*every).await;
                }
            }
            Step::Close => return result,
        }
    }
    loop {
        match timeout(quiet, reader.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => {
                result.closed = Some(begun.elapsed());
                return result;
            }
            Ok(Ok(read)) => result.bytes.extend(&buffer[..read]),
            Err(_) => return result,
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
        let text = String::from_utf8_lossy(&self.bytes);
        let answers = text.split("HTTP/1.").skip(1);
        answers
            .filter_map(|answer| answer.split(' ').nth(1)?.parse().ok())
            .collect()
    }

    /// What came, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The body of the last answer.
    pub fn body(&self) -> String {
        let text = self.text();
        text.rsplit_once("\r\n\r\n")
            .map_or_else(String::new, |(_, body)| body.to_owned())
    }
}
