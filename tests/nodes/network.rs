//! A host of its own for a node: a network namespace with two cables, which can be cut.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A network namespace, and two cables that lead to it.
#[derive(Debug)]
pub(crate) struct Host {
    name: String,
    /// The relays that make loopback reachable over the cables.
    forwards: JoinSet<()>,
}

/// A cable from here to the host.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cable {
    /// To the database.
    Database = 1,
    /// To everything else.
    World = 2,
}

fn ip(arguments: &str) -> Result<(), String> {
    let ran = Command::new("ip").args(arguments.split(' ')).output();
    let output = ran.map_err(|fault| format!("ip (Debian's package is `iproute2`): {fault}"))?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    Err(format!("ip {arguments}: {}", message.trim()))
}

impl Host {
    /// Makes one.
    ///
    /// # Errors
    ///
    /// Why this machine does not let us.
    pub(crate) fn new() -> Result<Self, String> {
        let host = Self {
            name: format!("rf{}", std::process::id()),
            forwards: JoinSet::new(),
        };
        ip(&format!("netns add {}", host.name))?;
        host.inside("ip link set lo up")?;
        for cable in [Cable::Database, Cable::World] {
            let (here, there) = (host.end(cable), format!("e{}", cable as u8));
            ip(&format!(
                "link add {here} type veth peer name {there} netns {}",
                host.name
            ))?;
            ip(&format!("addr add {}/30 dev {here}", Self::here(cable)))?;
            ip(&format!("link set {here} up"))?;
            host.inside(&format!(
                "ip addr add {}/30 dev {there}",
                Self::there(cable)
            ))?;
            host.inside(&format!("ip link set {there} up"))?;
        }
        Ok(host)
    }

    fn inside(&self, command: &str) -> Result<(), String> {
        ip(&format!("netns exec {} {command}", self.name))
    }

    fn end(&self, cable: Cable) -> String {
        format!("{}c{}", self.name, cable as u8)
    }

    /// Our address on a cable.
    pub(crate) const fn here(cable: Cable) -> Ipv4Addr {
        Ipv4Addr::new(10, 231, cable as u8, 1)
    }

    /// The host's address on a cable.
    pub(crate) const fn there(cable: Cable) -> Ipv4Addr {
        Ipv4Addr::new(10, 231, cable as u8, 2)
    }

    /// Returns the command prefix that runs a program on the host.
    pub(crate) fn wrapper(&self) -> Vec<String> {
        let words = ["ip", "netns", "exec", &self.name];
        words.map(str::to_owned).into()
    }

    /// Makes what listens on loopback reachable from the host, and returns where.
    pub(crate) async fn forward(&mut self, cable: Cable, to: SocketAddr) -> SocketAddr {
        let listener = TcpListener::bind((Self::here(cable), 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        self.forwards.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut from, _)) = listener.accept().await {
                connections.spawn(async move {
                    let mut to = TcpStream::connect(to).await?;
                    copy_bidirectional(&mut from, &mut to).await
                });
            }
        });
        address
    }

    /// Cuts a cable: packets are lost without an error to either side.
    pub(crate) fn cut(&self, cable: Cable) {
        self.inside(&format!(
            "tc qdisc add dev e{} root netem loss 100%",
            cable as u8
        ))
        .or_else(|_| self.inside(&format!("ip link set e{} down", cable as u8)))
        .unwrap();
    }

    /// Mends it.
    pub(crate) fn mend(&self, cable: Cable) {
        let _ = self.inside(&format!("tc qdisc del dev e{} root", cable as u8));
        self.inside(&format!("ip link set e{} up", cable as u8))
            .unwrap();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // The cables go with it.
        let _ = ip(&format!("netns del {}", self.name));
    }
}
