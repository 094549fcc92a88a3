//! The IP address of a client, also behind proxies.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::app::App;
use crate::server::connection::Peer;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client, as far as trusted proxies report it.
///
/// Without a [`Peer`], as in a router embedded in another server, all clients have one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientIp(pub(crate) IpAddr);

impl FromRequestParts<Arc<App>> for ClientIp {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<Peer>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
        let settings = app.config.settings.get();
        Ok(Self(client_address(
            peer,
            &parts.headers,
            &settings.trusted_proxies,
        )))
    }
}

/// Returns the last address on the path that is not a trusted proxy. Clients can forge all before it.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut last = peer.to_canonical();
    let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
    let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    for text in hops {
        if !is_trusted(&last) {
            break;
        }
        match parse_address(text.trim()) {
            Some(address) => last = address,
            None => break,
        }
    }
    last
}

/// Parses an address with or without a port.
fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse().ok();
    let address = address.or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, lines: &[&str]) -> String {
        let trusted = ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"];
        let trusted = trusted.map(|net| net.parse().unwrap());
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, line.parse().unwrap());
        }
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn believes_trusted_proxies_only() {
        assert_eq!(from("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(from("127.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(from("::ffff:127.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(from("127.0.0.1", &[]), "127.0.0.1");
    }

    #[test]
    fn ignores_addresses_that_clients_forge() {
        let way = "203.0.113.9, 198.51.100.7, 10.1.1.1";
        assert_eq!(from("127.0.0.1", &[way]), "198.51.100.7");
        let lines = ["203.0.113.9", "198.51.100.7 ,10.1.1.1", "10.2.2.2"];
        assert_eq!(from("127.0.0.1", &lines), "198.51.100.7");
    }

    #[test]
    fn accepts_ports_and_ignores_invalid_addresses() {
        assert_eq!(from("10.0.0.1", &["198.51.100.7:4711"]), "198.51.100.7");
        assert_eq!(from("10.0.0.1", &["[2001:db8::7]:4711"]), "2001:db8::7");
        assert_eq!(from("fd00::1", &["[2001:db8::7]"]), "2001:db8::7");
        assert_eq!(from("fd00::1", &["::ffff:198.51.100.7"]), "198.51.100.7");
        assert_eq!(from("10.0.0.1", &["198.51.100.7, unknown"]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &["198.51.100.7, x, 10.0.0.9"]), "10.0.0.9");
        assert_eq!(from("10.0.0.1", &[""]), "10.0.0.1");
    }
}
