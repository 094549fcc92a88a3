//! TLS in front of a peer that speaks without.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::Authority;

/// TLS in front of a peer, with the certificate of an [`Authority`]. It stops when dropped.
pub struct TlsFront {
    address: SocketAddr,
    names: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl TlsFront {
    /// Starts one on a port of its own.
    pub async fn of(authority: &Authority, peer: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let names = Arc::new(Mutex::new(Vec::new()));
        let (acceptor, seen) = (authority.acceptor.clone(), Arc::clone(&names));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
                tokio::spawn(async move {
                    let mut client = acceptor.accept(client).await?;
                    if let Some(name) = client.get_ref().1.server_name() {
                        seen.lock().unwrap().push(name.to_owned());
                    }
                    let mut server = TcpStream::connect(peer).await?;
                    copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        Self {
            address,
            names,
            task,
        }
    }

    /// Returns the address that it listens on.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the names that clients asked for (SNI), in their order.
    pub fn names(&self) -> Vec<String> {
        self.names.lock().unwrap().clone()
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for TlsFront {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TlsFront").field(&self.address).finish()
    }
}
