//! The EHLO name of this machine.

use std::net::{Ipv4Addr, Ipv6Addr};

use lettre::transport::smtp::extension::ClientId;

use crate::ConfigError;

/// The EHLO name of this machine (RFC 5321, section 4.1.1.1), with its origin.
///
/// Many servers refuse a name without a dot, but containers and many machines have only such a name.
#[derive(Clone, Debug)]
pub(super) struct Hello {
    id: ClientId,
    origin: Origin,
}

#[derive(Clone, Debug)]
enum Origin {
    /// The key `ehlo_name`.
    Configured,
    /// The host name.
    Host,
    /// The domain of `from`, since this host name has no dot.
    From { host: String },
}

impl Hello {
    /// Creates the configured name, or derives one.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] for a name that no server accepts.
    pub(super) fn new(configured: Option<&str>, from: &str) -> Result<Self, ConfigError> {
        match configured {
            Some(name) => Ok(Self {
                id: parse(name)?,
                origin: Origin::Configured,
            }),
            None => Ok(Self::derive(&ClientId::default(), from)),
        }
    }

    fn derive(host: &ClientId, from: &str) -> Self {
        let is_full = matches!(host, ClientId::Domain(name) if has_dot(name));
        let own = own_domain(from).filter(|_| !is_full);
        let (id, origin) = match own {
            Some(own) => {
                let host = host.to_string();
                (own, Origin::From { host })
            }
            None => (host.clone(), Origin::Host),
        };
        Self { id, origin }
    }

    pub(super) const fn client_id(&self) -> &ClientId {
        &self.id
    }

    /// Describes a derived name and its origin; `None` for a configured name.
    pub(super) fn derived(&self) -> Option<String> {
        let name = &self.id;
        match &self.origin {
            Origin::Configured => None,
            Origin::Host => Some(format!("the EHLO name is {name}, the host name")),
            Origin::From { host } => Some(format!(
                "the EHLO name is {name}, the domain of `from`, since the host name {host} has no dot; \
                 set ehlo_name to choose another"
            )),
        }
    }
}

/// Returns true if a name has a dot between two labels.
fn has_dot(name: &str) -> bool {
    name.trim_matches('.').contains('.') && is_domain(name)
}

/// Returns the domain of an address as a name, which may be an address literal (RFC 5321, section 4.1.3);
/// `None` for a domain that is not plain ASCII.
fn own_domain(domain: &str) -> Option<ClientId> {
    let name = || ClientId::Domain(domain.to_ascii_lowercase());
    literal(domain).or_else(|| is_domain(domain).then(name))
}

fn parse(name: &str) -> Result<ClientId, ConfigError> {
    if let Some(literal) = literal(name) {
        return Ok(literal);
    }
    if is_domain(name) {
        return Ok(ClientId::Domain(name.to_owned()));
    }
    let reason = "it must be a host name, such as \"alerts.example.org\", or an address in brackets, \
                  such as \"[192.0.2.1]\"";
    Err(ConfigError::at("ehlo_name", reason))
}

fn literal(text: &str) -> Option<ClientId> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    if let Ok(address) = inner.parse::<Ipv4Addr>() {
        return Some(ClientId::Ipv4(address));
    }
    let address = inner.strip_prefix("IPv6:").unwrap_or(inner);
    address.parse::<Ipv6Addr>().ok().map(ClientId::Ipv6)
}

fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derived(host: &str, from: &str) -> String {
        let host = ClientId::Domain(host.into());
        Hello::derive(&host, from).client_id().to_string()
    }

    #[test]
    fn replaces_host_names_without_a_dot_by_the_domain_of_from() {
        assert_eq!(
            derived("mail.example.net", "example.org"),
            "mail.example.net"
        );
        for host in ["box", "box.", ".box", "", "4f1c0a9d77b2", "a b.c"] {
            assert_eq!(derived(host, "Example.org"), "example.org", "{host:?}");
        }
        let unnamed = ClientId::Ipv4(Ipv4Addr::LOCALHOST);
        let hello = Hello::derive(&unnamed, "example.org");
        assert_eq!(hello.client_id().to_string(), "example.org");
        assert_eq!(derived("box", "[192.0.2.7]"), "[192.0.2.7]");
        assert_eq!(derived("box", "ex\u{e4}mple.org"), "box");
    }

    #[test]
    fn describes_the_origin_of_derived_names() {
        let reason = |host: &str| {
            let host = ClientId::Domain(host.into());
            Hello::derive(&host, "example.org").derived().unwrap()
        };
        assert!(
            reason("box").contains("box has no dot"),
            "{}",
            reason("box")
        );
        assert!(reason("mail.example.net").contains("the host name"));
        let configured = Hello::new(Some("alerts.example.org"), "example.org").unwrap();
        assert_eq!(configured.derived(), None);
    }

    #[test]
    fn accepts_host_names_and_addresses() {
        for name in [
            "alerts.example.org",
            "box",
            "[192.0.2.1]",
            "[IPv6:2001:db8::1]",
        ] {
            let hello = Hello::new(Some(name), "example.org").unwrap();
            assert_eq!(hello.client_id().to_string(), name);
        }
        for bad in [
            "",
            "a b",
            "a\r\nMAIL",
            "ä.example",
            "a..b",
            "-a.example",
            "[300.1.1.1]",
        ] {
            let error = Hello::new(Some(bad), "example.org").unwrap_err();
            assert_eq!(error.key.as_deref(), Some("ehlo_name"), "{bad:?}");
        }
    }
}
