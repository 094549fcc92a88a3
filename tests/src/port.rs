//! A port of a test's own.

use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// A port on 127.0.0.1 that stays the test's, whether or not a server listens there.
///
/// It is bound and never listens: nobody else is given the port, and as long as no server has it,
/// connections are refused.
#[derive(Debug)]
pub struct Port {
    address: SocketAddr,
    _reserved: TcpSocket,
}

impl Port {
    /// A free one.
    pub fn reserve() -> Self {
        let reserved = TcpSocket::new_v4().unwrap();
        // With this, as with the servers' own, the port can be bound a second time.
        reserved.set_reuseaddr(true).unwrap();
        reserved.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Self {
            address: reserved.local_addr().unwrap(),
            _reserved: reserved,
        }
    }

    /// Returns the address of a server on this port.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number.
    pub const fn number(&self) -> u16 {
        self.address.port()
    }
}
