//! A receiver of webhooks that does as little as can be: it counts, and `GET` tells the count.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

static COUNT: AtomicU64 = AtomicU64::new(0);

pub(crate) fn serve() -> ! {
    let (runtime, listener) = crate::child::listen();
    runtime.block_on(accept(listener))
}

async fn accept(listener: TcpListener) -> ! {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        tokio::spawn(answer(BufReader::new(stream)));
    }
}

async fn answer(mut stream: BufReader<TcpStream>) -> Option<()> {
    let mut line = String::new();
    loop {
        line.clear();
        stream
            .read_line(&mut line)
            .await
            .ok()
            .filter(|read| *read > 0)?;
        let is_get = line.starts_with("GET");
        let mut length = 0;
        loop {
            line.clear();
            stream.read_line(&mut line).await.ok()?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        let text = if is_get {
            COUNT.load(Ordering::Relaxed).to_string()
        } else {
            COUNT.fetch_add(1, Ordering::Relaxed);
            String::new()
        };
        let answer = format!(
            "HTTP/1.1 201 Created\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        );
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}
