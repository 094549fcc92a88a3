//! Connections: eviction of idle ones, responses to unread bodies, and the Host header.

use std::time::Duration;

use redflash_http::HttpConfig;
use redflash_tests::raw::{Step, exchange};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::site::Site;

/// Time limit of a test.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until the server closes a connection.
async fn closed(stream: &mut TcpStream) {
    let read = timeout(PATIENCE, stream.read(&mut [0])).await;
    assert_eq!(read.expect("still open").unwrap_or(0), 0);
}

fn crowded(max_connections: usize) -> HttpConfig {
    HttpConfig {
        max_connections,
        // Longer than the test, so that only eviction ends the idle connections.
        header_timeout: PATIENCE * 3,
        ..HttpConfig::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn evicts_idle_connections() {
    let site = Site::start(crowded(3)).await;
    let mut silent = Vec::new();
    for number in 0..20 {
        let mut stream = TcpStream::connect(site.address).await.unwrap();
        if number % 2 == 1 {
            stream
                .write_all(b"GET /healthz HTTP/1.1\r\n")
                .await
                .unwrap();
        }
        silent.push(stream);
    }
    let fields = [("message", "hi")];
    let raised = site.client.raise("contact/ann", &site.key, &fields);
    timeout(PATIENCE, raised).await.unwrap().expect(201);
    for stream in &mut silent[..17] {
        closed(stream).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_connection_with_request_in_progress() {
    let site = Site::start(crowded(2)).await;
    let body = "message=slow";
    let head = format!(
        "POST /contact/ann HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nExpect: 100-continue\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        site.key,
        body.len()
    );
    let mut slow = TcpStream::connect(site.address).await.unwrap();
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 1024];
    let read = slow.read(&mut answer).await.unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 100 "));
    for _ in 0..10 {
        let talk = exchange(
            site.address,
            &[site.request(10, "message=hi")],
            PATIENCE / 100,
        )
        .await;
        assert_eq!(talk.status(), Some(201), "{}", talk.text());
    }
    slow.write_all(body.as_bytes()).await.unwrap();
    let read = slow.read(&mut answer).await.unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 201 "));
}

/// Writes a whole request before it reads anything, and returns the whole response.
async fn written_first(site: &Site, path: &str, headers: &str, length: usize) -> String {
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{headers}\
         Content-Length: {length}\r\n\r\n"
    );
    let whole = async {
        stream.write_all(head.as_bytes()).await.unwrap();
        let chunk = vec![b'x'; 64 * 1024];
        for begin in (0..length).step_by(chunk.len()) {
            let end = (length - begin).min(chunk.len());
            stream.write_all(&chunk[..end]).await.unwrap();
        }
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    };
    timeout(PATIENCE, whole)
        .await
        .expect("no end of the answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn response_to_oversized_body_arrives() {
    let site = Site::start(HttpConfig::default()).await;
    let key = format!("Authorization: Bearer {}\r\n", site.key);
    for length in [300_000, 5_000_000, 20_000_000] {
        for (path, headers, status, code) in [
            ("/contact/ann", "", 500, "too_large"),
            ("/group/both/", "", 500, "too_large"),
            ("/event/disk", "", 500, "too_large"),
            ("/api/v1/contacts", "", 401, "invalid_key"),
            ("/api/v1/contacts/ann/messages", "", 401, "invalid_key"),
            ("/nowhere", "", 404, "not_found"),
        ] {
            let answer = written_first(&site, path, headers, length).await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{answer}"
            );
            assert!(answer.contains(code), "{answer}");
        }
    }
    for (path, status) in [
        ("/contact/ann", 500),
        ("/event/disk/", 500),
        ("/api/v1/contacts/ann/messages", 413),
        ("/api/v1/events/disk/explain", 413),
    ] {
        let answer = written_first(&site, path, &key, 20_000_000).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        assert!(answer.contains("too_large"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requires_one_host_header() {
    let site = Site::start(HttpConfig::default()).await;
    for (head, status) in [
        ("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        ("GET /healthz HTTP/1.1\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n", 400),
        ("GET http://x/healthz HTTP/1.1\r\n\r\n", 400),
        ("GET /healthz HTTP/1.0\r\n\r\n", 200),
        ("GET /healthz HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n", 400),
        (
            "POST /contact/ann HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
            400,
        ),
        ("GET /admin/login HTTP/1.1\r\n\r\n", 400),
    ] {
        let steps = [Step::Send(head.into())];
        let talk = exchange(site.address, &steps, Duration::from_millis(500)).await;
        assert_eq!(talk.status(), Some(status), "{head}: {}", talk.text());
        assert!(status == 200 || talk.closed.is_some(), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn evicts_strangers_with_unfinished_requests() {
    let site = Site::start(crowded(3)).await;
    let half = "POST /contact/ann HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nmess";
    let mut strangers = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(site.address).await.unwrap();
        stream.write_all(half.as_bytes()).await.unwrap();
        strangers.push(stream);
    }
    let fields = [("message", "hi")];
    let raised = site.client.raise("contact/ann", &site.key, &fields);
    timeout(PATIENCE, raised).await.unwrap().expect(201);
    for stream in &mut strangers[..17] {
        closed(stream).await;
    }
}
