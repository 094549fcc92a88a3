//! An HTTP proxy that opens tunnels.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request for a tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunnelRequest {
    /// The request line, such as `CONNECT a.example:443 HTTP/1.1`.
    pub line: String,
    /// The header `Proxy-Authorization`.
    pub authorization: Option<String>,
}

/// A proxy whose tunnels all lead to one peer, whatever they are asked to lead to. It stops when
/// dropped.
pub struct ConnectProxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<TunnelRequest>>>,
    task: JoinHandle<()>,
}

impl ConnectProxy {
    /// Starts one on a port of its own.
    pub async fn to(peer: SocketAddr) -> Self {
        Self::answering("200 OK", peer).await
    }

    /// Starts one that opens no tunnel, and answers with this status, such as `403 Forbidden`.
    pub async fn refusing(status: &'static str) -> Self {
        Self::answering(status, ([127, 0, 0, 1], 9).into()).await
    }

    async fn answering(status: &'static str, peer: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let journal = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, status, peer, Arc::clone(&journal)));
            }
        });
        Self {
            address,
            asked,
            task,
        }
    }

    /// Returns its URL, with a user and a password if they are given (`me:secret`).
    pub fn url(&self, user: Option<&str>) -> String {
        match user {
            Some(user) => format!("http://{user}@{}", self.address),
            None => format!("http://{}", self.address),
        }
    }

    /// Returns every request for a tunnel so far.
    pub fn asked(&self) -> Vec<TunnelRequest> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for ConnectProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for ConnectProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConnectProxy").field(&self.address).finish()
    }
}

async fn serve(
    client: TcpStream,
    status: &'static str,
    peer: SocketAddr,
    asked: Arc<Mutex<Vec<TunnelRequest>>>,
) -> Option<()> {
    let mut client = BufStream::new(client);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        client.read_line(&mut line).await.ok()?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let authorization = lines.iter().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("proxy-authorization")
            .then(|| value.to_owned())
    });
    asked.lock().unwrap().push(TunnelRequest {
        line: lines.first()?.clone(),
        authorization,
    });
    let answer = format!("HTTP/1.1 {status}\r\n\r\n");
    client.write_all(answer.as_bytes()).await.ok()?;
    client.flush().await.ok()?;
    if status.starts_with("200") {
        let mut server = TcpStream::connect(peer).await.ok()?;
        copy_bidirectional(&mut client, &mut server).await.ok()?;
    }
    Some(())
}
