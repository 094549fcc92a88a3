//! The guard against addresses that are not public, except in networks that the configuration names.
//!
//! Otherwise a user who may add a webhook could make the server call services that only it can reach.
//! Addresses are checked when they are dialled, after name resolution, so that a name cannot resolve to
//! one address for the check and to another for the connection.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use redflash_core::BoxError;
use redflash_core::message::SendError;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;
use tokio::time::timeout;

/// Time limit of name resolution.
const RESOLVE: Duration = Duration::from_secs(2);

/// Permits addresses that may be dialled.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    allowed: Arc<[IpNet]>,
    /// True if a proxy resolves the names.
    by_name: bool,
}

/// An address that may not be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Blocked(IpAddr);

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is not a public address: to allow it, add its network to allow_networks of the gateway",
            self.0
        )
    }
}

impl Error for Blocked {}

impl Blocked {
    /// Returns the send error, after which another gateway, which may dial there, is used.
    pub(super) fn refusal(self) -> SendError {
        SendError::Unroutable {
            reason: self.to_string(),
        }
    }
}

impl Guard {
    /// Creates a guard that permits public addresses and those of these networks.
    pub(crate) fn new(allowed: &[IpNet]) -> Self {
        Self {
            allowed: allowed.into(),
            by_name: false,
        }
    }

    /// Creates a guard that permits all addresses, for a peer that the configuration names.
    #[cfg(feature = "account")]
    pub(crate) fn open() -> Self {
        let everything = ["0.0.0.0/0", "::/0"].map(|net| net.parse().expect("it is a network"));
        Self {
            by_name: true,
            ..Self::new(&everything)
        }
    }

    /// Returns true for a peer that the configuration names: a proxy may resolve its name.
    pub(super) const fn goes_by_name(&self) -> bool {
        self.by_name
    }

    /// Checks that an address may be dialled.
    pub(crate) fn check(&self, address: IpAddr) -> Result<(), Blocked> {
        let canonical = address.to_canonical();
        let named = |net: &IpNet| net.contains(&address) || net.contains(&canonical);
        if is_public(canonical) || self.allowed.iter().any(named) {
            return Ok(());
        }
        Err(Blocked(address))
    }
}

impl Guard {
    /// Resolves a name, or reads the literal address that a URL holds instead. Returns the addresses that
    /// may be dialled.
    ///
    /// # Errors
    ///
    /// Returns [`Blocked`] if no address may be dialled, or the error of the name resolution.
    pub(super) async fn addresses(&self, host: &str) -> Result<Vec<SocketAddr>, BoxError> {
        let name = host.trim_matches(['[', ']']);
        let found = timeout(RESOLVE, lookup_host((name, 0)))
            .await
            .map_err(|_| format!("{name} did not resolve in time"))??;
        let mut blocked = None;
        let mut open = Vec::new();
        for address in found {
            match self.check(address.ip()) {
                Ok(()) => open.push(address),
                Err(refused) => blocked = Some(refused),
            }
        }
        match blocked {
            Some(refused) if open.is_empty() => Err(Box::new(refused)),
            _ => Ok(open),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let open = guard.addresses(name.as_str()).await?;
            Ok(Box::new(open.into_iter()) as Addrs)
        })
    }
}

/// Returns true for a publicly reachable address, by the IANA special-purpose registries (RFC 6890 and
/// its successors).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        // Shared by carriers, RFC 6598.
        || (a == 100 && (64..128).contains(&b))
        // Protocol assignments, and the 6to4 relays of old.
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        // Benchmarks, RFC 2544.
        || (a == 198 && (18..20).contains(&b))
        // Multicast, reserved, broadcast.
        || a >= 224)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, ..] = address.segments();
    // NAT64 (RFC 6052) leads to the IPv4 address at its end.
    if (a, b) == (0x64, 0xff9b) && address.segments()[2..6] == [0; 4] {
        let [.., high, low] = address.segments();
        let within = (u32::from(high) << 16) | u32::from(low);
        return is_public_v4(within.into());
    }
    // Global unicast, less Teredo, ORCHID and other assignments in 2001::/23, documentation, 6to4.
    (a & 0xe000) == 0x2000
        && !(a == 0x2001 && b < 0x200)
        && !(a == 0x2001 && b == 0xdb8)
        && a != 0x2002
        && !(a == 0x3fff && b < 0x1000)
        && !(a == 0x2620 && b == 0x4f && c == 0x8000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn permits_only_public_addresses() {
        let guard = Guard::new(&[]);
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
        ] {
            assert_eq!(guard.check(ip(public)), Ok(()), "{public}");
        }
        for closed in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:c0a8:1::1",
            "3fff::1",
            "fc00::1",
            "fd00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert_eq!(
                guard.check(ip(closed)),
                Err(Blocked(ip(closed))),
                "{closed}"
            );
        }
    }

    #[test]
    fn permits_configured_networks() {
        let guard = Guard::new(&["10.1.0.0/16".parse().unwrap()]);
        assert_eq!(guard.check(ip("10.1.2.3")), Ok(()));
        assert_eq!(guard.check(ip("::ffff:10.1.2.3")), Ok(()));
        assert!(guard.check(ip("10.2.0.1")).is_err());
    }

    #[tokio::test]
    async fn checks_the_resolved_address_of_a_name() {
        let name: Name = "localhost".parse().unwrap();
        let refused = Guard::new(&[]).resolve(name).await.err().unwrap();
        assert!(refused.downcast_ref::<Blocked>().is_some(), "{refused}");
        let networks = ["127.0.0.0/8", "::1/128"].map(|net| net.parse().unwrap());
        let name: Name = "localhost".parse().unwrap();
        assert!(Guard::new(&networks).resolve(name).await.is_ok());
    }
}
