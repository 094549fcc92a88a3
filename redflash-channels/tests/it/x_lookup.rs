//! The time that a look-up of X leaves its message.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use redflash_core::conformance::channel::message;
use redflash_core::gateway::Channel;
use redflash_core::message::SendError;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::vendor::{class, gateway};
use crate::x::{ID, table};

/// The timeout of the gateway.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Answers a look-up after a while, and lets no other connection come about from then on. Returns its
/// address.
fn start(answers_after: Duration) -> SocketAddr {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        // Connections that no one accepts fill the system's queue, which then stops answering.
        for _ in 0..8 {
            tokio::spawn(async move {
                let _waiting = TcpStream::connect(address).await;
                std::future::pending::<()>().await;
            });
        }
        answer(stream, answers_after).await;
        keep(listener).await;
    });
    address
}

async fn answer(mut stream: TcpStream, after: Duration) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.unwrap());
    }
    tokio::time::sleep(after).await;
    let user = json!({ "data": { "id": ID } }).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        user.len()
    );
    // Who has given up does not hear it.
    let _ = stream.write_all(format!("{head}{user}").as_bytes()).await;
}

async fn keep(_listener: TcpListener) {
    std::future::pending::<()>().await;
}

async fn to_name(address: SocketAddr) -> (SendError, Duration) {
    let gateway = gateway(table(&format!("http://{address}")));
    let channel: &dyn Channel = &*gateway.channel;
    let begun = Instant::now();
    let error = channel.send(&message(channel, "@redflash_ops")).await;
    (error.unwrap_err(), begun.elapsed())
}

/// However long the look-up takes, a message whose connection does not come about has not gone out,
/// and that is known in time.
#[tokio::test]
async fn slow_lookup_leaves_time_for_the_message() {
    for answers_after in [Duration::ZERO, TIMEOUT * 2 / 5, TIMEOUT * 4 / 5] {
        let (error, took) = to_name(start(answers_after)).await;
        assert_eq!(class(&error), "unreachable", "{answers_after:?}: {error:?}");
        assert!(took < TIMEOUT + Duration::from_millis(500), "{took:?}");
    }
}

/// A look-up has half of the time, since the message needs the other half.
#[tokio::test]
async fn lookup_times_out_at_half_the_limit() {
    let (error, took) = to_name(start(TIMEOUT * 2)).await;
    assert_eq!(class(&error), "unreachable", "{error:?}");
    assert!(took < TIMEOUT * 3 / 4, "{took:?}");
}
