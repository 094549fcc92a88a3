//! The stream of changes to a notification.

use std::time::Duration;

use redflash_core::message::Raise;
use redflash_core::model::NotificationId;
use redflash_core::store::Sessions;
use redflash_tests::PATIENCE;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::admin::delivery_world::World;
use crate::login::{Who, lacks, says};

/// A page that follows a notification.
struct Stream {
    connection: TcpStream,
    /// The data received so far.
    read: String,
}

impl Stream {
    async fn open(world: &World, id: NotificationId, header: &str) -> Self {
        let mut connection = TcpStream::connect(world.address).await.unwrap();
        let cookie = &world.who(Who::Admin).cookie;
        let head = format!(
            "GET /admin/log/{id}/events HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n{header}\r\n"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        let mut stream = Self {
            connection,
            read: String::new(),
        };
        stream.until("\r\n\r\n").await;
        stream
    }

    /// Reads until a text arrives; fails the test otherwise.
    async fn until(&mut self, text: &str) {
        while !self.read.contains(text) {
            assert!(self.more().await, "{text:?} did not come: {}", self.read);
        }
    }

    /// Reads until the server closes the connection, or ends the response.
    async fn end(&mut self) {
        while !self.read.ends_with("0\r\n\r\n") && self.more().await {}
    }

    async fn more(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let read = timeout(PATIENCE, self.connection.read(&mut buffer)).await;
        let read = read.expect("something comes").unwrap();
        self.read += &String::from_utf8_lossy(&buffer[..read]);
        read > 0
    }
}

async fn waiting() -> (World, NotificationId) {
    let world = World::start().await;
    world.contact("ann", "Ann", &["wait-1"]).await;
    let raise = Raise::contact("ann".parse().unwrap(), "hello");
    let id = world.engine.raise(raise).await.unwrap().notification;
    (world, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_changes_until_all_deliveries_end() {
    let (world, id) = waiting().await;
    let page = world.page(&format!("/admin/log/{id}")).await;
    says(
        &page,
        &[
            &format!("data-events-url=\"/admin/log/{id}/events\""),
            "Refresh",
        ],
    );
    let mut stream = Stream::open(&world, id, "").await;
    says(
        &stream.read,
        &["200 OK", "text/event-stream", "x-accel-buffering: no"],
    );
    stream.until("<strong>Sending</strong>").await;
    lacks(&stream.read, "event: end");
    world.channel.gate.add_permits(1);
    stream.until("at last").await;
    stream.until("event: end").await;
    assert_eq!(stream.read.matches("<strong>Sending</strong>").count(), 1);
    lacks(&stream.read, "<html");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_ended_notification_once() {
    let world = World::start().await;
    world.contact("ann", "Ann", &["a"]).await;
    let id = world.tell("ann", "hello").await;
    let stream = world.page(&format!("/admin/log/{id}/events")).await;
    says(&stream, &["data: ", "Attempt 1 via first"]);
    assert!(stream.ends_with("event: end\ndata: end\n\n"), "{stream}");
    let nobody = format!("/admin/log/{}/events", "0".repeat(32));
    world.get_as(Who::Admin, &nobody).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_stream_at_time_limit() {
    let (world, id) = waiting().await;
    let long_ago = world.engine.now().minus(Duration::from_secs(601));
    let header = format!("Last-Event-ID: {}\r\n", long_ago.as_millis());
    let mut stream = Stream::open(&world, id, &header).await;
    stream.until("event: end").await;
    let odd = Stream::open(&world, id, "Last-Event-ID: <script>\r\n").await;
    says(&odd.read, &["200 OK"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_stream_at_logout() {
    let (world, id) = waiting().await;
    let mut stream = Stream::open(&world, id, "").await;
    stream.until("<strong>Sending</strong>").await;
    world
        .store
        .end_session(&world.who(Who::Admin).session)
        .await
        .unwrap();
    stream.end().await;
    lacks(&stream.read, "event: end");
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_does_not_delay_shutdown() {
    let (world, id) = waiting().await;
    let mut stream = Stream::open(&world, id, "").await;
    stream.until("<strong>Sending</strong>").await;
    world.stop.send(()).unwrap();
    timeout(Duration::from_secs(5), world.serving)
        .await
        .expect("the server ends before it would cut connections off")
        .unwrap()
        .unwrap();
    stream.end().await;
    lacks(&stream.read, "event: end");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_number_of_streams() {
    let (world, id) = waiting().await;
    let mut streams = Vec::new();
    for _ in 0..100 {
        streams.push(Stream::open(&world, id, "").await);
    }
    let last = streams.last().unwrap();
    says(&last.read, &["200 OK"]);
    let refused = Stream::open(&world, id, "").await;
    says(&refused.read, &["503 ", "retry-after: 10"]);
    drop(streams);
    redflash_tests::until("a place is free", || async {
        let stream = Stream::open(&world, id, "").await;
        stream.read.contains("200 OK").then_some(())
    })
    .await;
}
