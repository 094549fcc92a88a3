//! A channel of one's own: pagers behind a server that takes one line for each message.
//!
//! The server answers `OK id`, `NO reason`, `LOGIN` or `BUSY [seconds]`. The suite below is the same
//! that the gateways of this project pass: `cargo test -p redflash-examples --example custom_channel`

#![expect(clippy::print_stdout, reason = "it says what it did")]

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::gateway::Channel;
use redflash_core::message::{Accepted, OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Sends to pagers.
#[derive(Clone, Debug)]
struct Pagers {
    server: String,
    patience: Duration,
}

#[async_trait]
impl Channel for Pagers {
    fn kind(&self) -> ChannelKind {
        ChannelKind::parse("pager").expect("it is a legal kind")
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        let digits: String = raw.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(AddressError::new(
                "a pager has a number of six digits, such as 123-456",
            ));
        }
        Address::new(digits)
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        // Until the line is written, nothing was sent; after that, the outcome is unknown without an answer.
        let unreachable = |fault: io::Error| SendError::Unreachable(fault.into());
        let connect = timeout(self.patience, TcpStream::connect(&self.server));
        let stream = match connect.await {
            Ok(connected) => connected.map_err(unreachable)?,
            Err(_) => return Err(SendError::Unreachable("no connection in time".into())),
        };
        let mut stream = BufReader::new(stream);
        let text = message.body.replace('\n', " ");
        let line = format!("PAGE {} {text}\n", message.to);
        stream
            .write_all(line.as_bytes())
            .await
            .map_err(unreachable)?;
        let mut answer = String::new();
        // Nothing a peer answers may grow without bound.
        let mut bounded = stream.take(1024);
        match timeout(self.patience, bounded.read_line(&mut answer)).await {
            Ok(Ok(_)) => outcome(answer.trim()),
            Ok(Err(fault)) => Err(SendError::Unknown(fault.into())),
            Err(_) => Err(SendError::Unknown("no answer in time".into())),
        }
    }
}

fn outcome(answer: &str) -> Result<Accepted, SendError> {
    let (word, rest) = answer.split_once(' ').unwrap_or((answer, ""));
    let reason = answer.to_owned();
    match word {
        "OK" => Ok(Accepted::new(Some(rest.to_owned()))),
        "NO" => Err(SendError::Rejected { reason }),
        "LOGIN" => Err(SendError::Unauthorized { reason }),
        "BUSY" => {
            let retry_after = rest.parse().ok().map(Duration::from_secs);
            Err(SendError::RateLimited {
                reason,
                retry_after,
            })
        }
        _ => Err(SendError::Unknown(
            format!("the server answered {answer:?}").into(),
        )),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(server), Some(pager)) = (arguments.next(), arguments.next()) else {
        return Err("usage: custom_channel HOST:PORT PAGER".into());
    };
    let patience = Duration::from_secs(5);
    let pagers = Pagers { server, patience };
    let address = pagers.parse_address(&pager)?;
    println!("pager {address} is an address; a program gives the channel to Gateway::new");
    Ok(())
}

#[cfg(test)]
mod suite {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};

    use redflash_core::conformance::channel::{Behaviour, Fixture};
    use tokio::net::TcpListener;

    use super::*;

    /// A pager server with programmable behaviour.
    struct Server {
        pagers: Mutex<&'static Pagers>,
        gone: &'static Pagers,
        next: Arc<Mutex<Behaviour>>,
        messages: Arc<AtomicUsize>,
    }

    fn pagers(server: String) -> &'static Pagers {
        let patience = Duration::from_secs(1);
        Box::leak(Box::new(Pagers { server, patience }))
    }

    async fn open() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nowhere = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        let server = Server {
            pagers: Mutex::new(pagers(listener.local_addr().unwrap().to_string())),
            gone: pagers(nowhere.to_string()),
            next: Arc::new(Mutex::new(Behaviour::Accept)),
            messages: Arc::default(),
        };
        let (next, messages) = (Arc::clone(&server.next), Arc::clone(&server.messages));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let behaviour = *next.lock().unwrap();
                messages.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(answer(stream, behaviour));
            }
        });
        server
    }

    async fn answer(stream: TcpStream, behaviour: Behaviour) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let answer = match behaviour {
            Behaviour::Accept => "OK 1\n".to_owned(),
            Behaviour::Reject => "NO such pager\n".to_owned(),
            Behaviour::RefuseAccount => "LOGIN\n".to_owned(),
            Behaviour::Throttle(None) => "BUSY\n".to_owned(),
            Behaviour::Throttle(Some(seconds)) => format!("BUSY {seconds}\n"),
            Behaviour::Garbage => "HTTP/1.1 200 OK\n".to_owned(),
            Behaviour::Hang => return stream.read_line(&mut line).await.map(drop),
            Behaviour::Drop | Behaviour::Gone | Behaviour::Fail => return Ok(()),
            Behaviour::Endless => loop {
                stream.write_all(&[b'x'; 4096]).await?;
            },
        };
        stream.write_all(answer.as_bytes()).await
    }

    #[async_trait]
    impl Fixture for Server {
        fn channel(&self) -> &dyn Channel {
            *self.pagers.lock().unwrap()
        }

        fn address(&self) -> (String, String) {
            ("123456".into(), " 123-456".into())
        }

        fn not_addresses(&self) -> Vec<String> {
            ["12345", "1234567", "12345x"].map(str::to_owned).to_vec()
        }

        async fn prepare(&self, behaviour: Behaviour) -> bool {
            if behaviour == Behaviour::Gone {
                *self.pagers.lock().unwrap() = self.gone;
            }
            *self.next.lock().unwrap() = behaviour;
            // Such a server knows no failure beside being busy.
            behaviour != Behaviour::Fail
        }

        async fn messages(&self) -> usize {
            self.messages.load(Ordering::Relaxed)
        }

        fn secrets(&self) -> Vec<String> {
            Vec::new()
        }
    }

    redflash_core::channel_conformance!(open);
}
