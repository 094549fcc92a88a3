//! Warnings about valid but dangerous settings of a gateway for webhooks.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use crate::registry::settings::Settings;

/// The shortest prefixes that one private network needs: `10.0.0.0/8` and `fc00::/7`.
const SHORTEST: (u8, u8) = (8, 7);
/// Addresses at which clouds provide the machine's credentials.
const METADATA: [&str; 2] = ["169.254.169.254", "fd00:ec2::254"];
/// The IPv6 form of all IPv4 addresses (RFC 4291, section 2.5.5.2).
const MAPPED: &str = "::ffff:0:0/96";

/// Returns warnings about a gateway's table.
///
/// * `prefixes` - prefixes of the addresses that the gateway is used for.
pub(crate) fn warnings(settings: &Settings, prefixes: &[String]) -> Vec<String> {
    let networks = settings.get("allow_networks").and_then(Value::as_array);
    let networks = networks.into_iter().flatten().filter_map(Value::as_str);
    let mut warnings: Vec<_> = networks
        .filter_map(|text| network(text, text.parse().ok()?))
        .collect();
    let has_secrets = settings.contains_key("authorization") || settings.contains_key("headers");
    let is_bounded = |prefix: &String| {
        let rest = prefix.split_once("://").map(|(_, rest)| rest);
        rest.is_some_and(|rest| rest.contains('/'))
    };
    if has_secrets && (prefixes.is_empty() || !prefixes.iter().all(is_bounded)) {
        warnings.push(
            "its headers and authorization are sent to every webhook that it is used for: limit it to \
             the receiver with prefixes, such as [\"https://hooks.example.org/\"], including the slash"
                .to_owned(),
        );
    }
    warnings
}

fn network(text: &str, network: IpNet) -> Option<String> {
    let mapped: IpNet = MAPPED.parse().expect("it is a network");
    let shortest = match network {
        IpNet::V4(_) => SHORTEST.0,
        IpNet::V6(_) if mapped.contains(&network) => mapped.prefix_len() + SHORTEST.0,
        IpNet::V6(_) => SHORTEST.1,
    };
    if network.prefix_len() < shortest {
        return Some(format!(
            "allow_networks contains {text}: users who may add a webhook can reach services inside your \
             network and on this machine; list only the networks of the receivers"
        ));
    }
    let metadata = METADATA.iter().find(|address| {
        let address: IpAddr = address.parse().expect("it is an address");
        network.contains(&address)
    })?;
    Some(format!(
        "allow_networks contains {text}, which includes {metadata}: clouds provide the credentials of \
         this machine there"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(table: &Value, prefixes: &[&str]) -> Vec<String> {
        let prefixes: Vec<_> = prefixes.iter().map(|prefix| (*prefix).to_owned()).collect();
        warnings(table.as_object().unwrap(), &prefixes)
    }

    #[test]
    fn warns_about_too_large_networks() {
        for wide in [
            "0.0.0.0/0",
            "0.0.0.0/1",
            "128.0.0.0/1",
            "10.0.0.0/7",
            "::/0",
            "fc00::/6",
            "::ffff:0:0/96",
            "169.254.0.0/16",
            "169.254.169.254/32",
            "fd00::/8",
        ] {
            let warnings = of(&json!({"allow_networks": ["10.1.0.0/16", wide]}), &[]);
            assert_eq!(warnings.len(), 1, "{wide}: {warnings:?}");
            assert!(warnings[0].contains(wide), "{warnings:?}");
        }
        let usual = [
            "10.0.0.0/8",
            "192.168.0.0/16",
            "127.0.0.0/8",
            "fd12:3456::/32",
            "::1/128",
        ];
        assert_eq!(of(&json!({"allow_networks": usual}), &[]), [""; 0]);
    }

    #[test]
    fn warns_of_secrets_for_everybody() {
        let table = json!({"headers": {"X-Api-Key": "canary"}});
        for open in [
            &[][..],
            &["https://hooks.example.org"],
            &["https://a.example/", "http"],
        ] {
            let warnings = of(&table, open);
            assert_eq!(warnings.len(), 1, "{open:?}");
            assert!(!warnings[0].contains("canary"), "{warnings:?}");
        }
        assert_eq!(of(&table, &["https://hooks.example.org/"]), [""; 0]);
    }
}
