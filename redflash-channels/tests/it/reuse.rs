//! Connections that are kept for the next message, and peers that have closed them meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redflash_channels::webhook::{Webhook, WebhookConfig};
use redflash_core::Engine;
use redflash_core::clock::Timestamp;
use redflash_core::conformance::channel::message;
use redflash_core::delivery::{AttemptOutcome, DeliveryState};
use redflash_core::gateway::Gateway;
use redflash_core::message::{Accepted, Raise, SendError};
use redflash_core::model::{Contact, EndpointId};
use redflash_core::store::{Directory as _, Entry, MemoryStore, Save};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::vendor::class;

/// An answer that promises to keep the connection.
const TAKEN: &[u8] = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nKeep-Alive: timeout=5\r\n\r\n";
/// The answer of some servers and proxies on a connection that was idle for too long (RFC 9110, section
/// 15.5.9).
const TIMED_OUT: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// The end of a connection after its first answer.
#[derive(Clone, Copy, Debug)]
enum End {
    /// Closes it at once.
    AfterAnswer,
    /// Says that it was idle for too long, and closes it.
    TimedOut,
    /// Closes it when the next request arrives, unread: the system resets the connection.
    UnreadRequest,
    /// Closes it when the next request has come in whole.
    ReadRequest,
}

/// A receiver that breaks its promise about connections.
struct Receiver {
    gateway: Gateway,
    url: String,
    requests: Arc<AtomicUsize>,
    closed: Arc<Notify>,
}

impl Receiver {
    async fn start(end: End) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let webhook = Webhook::new(WebhookConfig {
            allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
            timeout: Duration::from_secs(5),
            ..WebhookConfig::default()
        });
        let receiver = Self {
            gateway: Gateway::new("hooks".parse().unwrap(), webhook.unwrap()),
            url: format!("http://{}/", listener.local_addr().unwrap()),
            requests: Arc::default(),
            closed: Arc::default(),
        };
        let requests = Arc::clone(&receiver.requests);
        let closed = Arc::clone(&receiver.closed);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (requests, closed) = (Arc::clone(&requests), Arc::clone(&closed));
                tokio::spawn(async move {
                    serve(stream, end, &requests).await;
                    closed.notify_one();
                });
            }
        });
        receiver
    }

    /// Sends a message.
    async fn sent(&self) -> Result<Accepted, SendError> {
        let channel = &*self.gateway.channel;
        channel.send(&message(channel, &self.url)).await
    }

    /// The number of requests that came.
    fn count(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, end: End, requests: &AtomicUsize) {
    // A client may open a connection more than it needs.
    if !read(&mut stream).await {
        return;
    }
    requests.fetch_add(1, Ordering::SeqCst);
    stream.write_all(TAKEN).await.unwrap();
    match end {
        End::AfterAnswer => {}
        End::TimedOut => stream.write_all(TIMED_OUT).await.unwrap(),
        End::UnreadRequest => drop(stream.peek(&mut [0]).await),
        End::ReadRequest => {
            let came = read(&mut stream).await;
            requests.fetch_add(usize::from(came), Ordering::SeqCst);
        }
    }
}

/// Reads one request, whose last words are those of the suite's message; `false` if none comes.
async fn read(stream: &mut TcpStream) -> bool {
    let mut request = Vec::new();
    while !request.ends_with(b"full%3A+100+%25.") {
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(read @ 1..) => request.extend_from_slice(&chunk[..read]),
            _ => return false,
        }
    }
    true
}

/// A connection that is found closed before a message is sent costs no attempt: the message goes over a
/// new connection at once.
#[tokio::test]
async fn replaces_connections_closed_while_idle() {
    for end in [End::AfterAnswer, End::TimedOut] {
        let receiver = Receiver::start(end).await;
        for sent in 1..=200 {
            let accepted = receiver.sent().await;
            assert!(accepted.is_ok(), "{end:?}, message {sent}: {accepted:?}");
            receiver.closed.notified().await;
        }
        assert_eq!(receiver.count(), 200, "{end:?}");
    }
}

/// The log of an alert that found its connection closed shows one attempt, and the alert arrived once.
#[tokio::test]
async fn alert_over_a_closed_connection_takes_one_attempt() {
    for end in [End::AfterAnswer, End::TimedOut] {
        let receiver = Receiver::start(end).await;
        let store = Arc::new(MemoryStore::new());
        let channel = &receiver.gateway.channel;
        let ann = Contact::new("ann".parse().unwrap(), "Ann".parse().unwrap()).with_endpoint(
            EndpointId::new(Timestamp::from_millis(0)),
            channel.kind(),
            channel.parse_address(&receiver.url).unwrap(),
        );
        let entries = [Entry::Contact(ann)];
        store.save(&entries, Save::Create).await.unwrap();
        let engine = Engine::builder(store).gateway(receiver.gateway.clone());
        let engine = engine.build().unwrap();
        let running = engine.start().await.unwrap();
        for sent in 1..=20 {
            let raise = Raise::contact("ann".parse().unwrap(), "the disk is full: 100 %.");
            let id = engine.raise(raise).await.unwrap().notification;
            let records = engine.wait(id, Duration::from_secs(10)).await.unwrap();
            assert_eq!(records[0].delivery.state, DeliveryState::Delivered);
            let outcomes = records[0].attempts_made.iter().map(|one| one.outcome);
            let outcomes: Vec<_> = outcomes.collect();
            assert_eq!(outcomes, [AttemptOutcome::Ok], "{end:?}, message {sent}");
            receiver.closed.notified().await;
        }
        assert_eq!(receiver.count(), 20, "{end:?}");
        running.shutdown(Duration::from_secs(5)).await;
    }
}

/// Once bytes of a message have been sent, its outcome is unknown, and no unlogged repeat is sent.
#[tokio::test]
async fn closed_connection_makes_the_outcome_unknown() {
    for (end, requests) in [(End::UnreadRequest, 1), (End::ReadRequest, 2)] {
        let receiver = Receiver::start(end).await;
        receiver.sent().await.unwrap();
        let error = receiver.sent().await.unwrap_err();
        assert_eq!(class(&error), "unknown", "{end:?}: {error:?}");
        receiver.closed.notified().await;
        assert_eq!(receiver.count(), requests, "{end:?}");
        receiver.sent().await.unwrap();
    }
}
