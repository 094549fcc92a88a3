//! Settings that are valid but probably mistaken.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use redflash_channels::TYPES;

use super::{Config, Server};

/// Returns the warnings about a configuration.
///
/// * `text` - the content of the file.
pub(super) fn warnings(config: &Config, text: &str, file: Option<&Path>) -> Vec<String> {
    let readable = file.filter(|path| is_readable_by_others(path) && holds_secret(text));
    let readable = readable.map(|path| {
        let path = path.display();
        format!("{path} contains secrets and is readable by other users: run `chmod 600 {path}`")
    });
    let unprotected = is_unprotected(&config.server).then(|| {
        format!(
            "{} is reachable from the network, and API keys travel unencrypted without TLS: use a \
             TLS proxy and set server.public_url to its URL",
            config.server.listen
        )
    });
    let lacks_proxy = has_https_url(&config.server) && config.admin.trusted_proxies.is_empty();
    let untrusted = lacks_proxy.then(|| {
        "all failed logins to the web admin count against the TLS proxy's address: add it to \
         admin.trusted_proxies"
            .to_owned()
    });
    [readable, unprotected, untrusted]
        .into_iter()
        .flatten()
        .collect()
}

fn is_readable_by_others(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.permissions().mode() & 0o044 != 0)
}

/// Returns true if a line of the file sets a secret, or a URL with credentials.
fn holds_secret(text: &str) -> bool {
    let mut secrets = TYPES.iter().flat_map(|kind| kind.secrets).chain(&[
        "callback_secret",
        "previous_callback_secret",
        "client_secret",
    ]);
    secrets.any(|key| {
        text.lines().any(|line| {
            let (name, value) = line.split_once('=').unwrap_or_default();
            let name = name.trim();
            let is_login = matches!(name, "database" | "proxy") && value.contains('@');
            let is_secret = match key.strip_suffix('*') {
                Some(table) => name.starts_with(table),
                None => name == *key,
            };
            is_secret || is_login
        })
    })
}

fn is_unprotected(server: &Server) -> bool {
    let listen = server.listen.parse::<SocketAddr>();
    listen.is_ok_and(|address| !address.ip().is_loopback()) && !has_https_url(server)
}

fn has_https_url(server: &Server) -> bool {
    let url = server.public_url.as_deref();
    url.is_some_and(|url| url.starts_with("https://"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::load::tests::load_text;
    use super::super::{Overrides, load};
    use super::*;

    #[test]
    fn warns_about_readable_file_with_password() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let overrides = Overrides {
            config: Some(file.path().to_owned()),
            database: None,
        };
        for (text, mode, warns) in [
            ("database = \"postgres://a:b@localhost/c\"", 0o644, true),
            ("database = \"postgres://a:b@localhost/c\"", 0o600, false),
            ("database = \"sqlite:a.db\"", 0o644, false),
        ] {
            fs::write(file.path(), text).unwrap();
            fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
            let warnings = load(&overrides).unwrap().warnings;
            let warned = warnings.iter().any(|warning| warning.contains("chmod"));
            assert_eq!(warned, warns, "{text} {mode:o}");
        }
    }

    #[test]
    fn warns_about_untrusted_proxy() {
        let server = "[server]\npublic_url = \"https://a.example\"\n";
        let named = format!("{server}[admin]\ntrusted_proxies = [\"10.0.0.1\"]");
        for (text, warns) in [(server, true), (&named, false), ("", false)] {
            let warnings = load_text(text).unwrap().warnings;
            let warned = warnings
                .iter()
                .any(|warning| warning.contains("trusted_proxies"));
            assert_eq!(warned, warns, "{text}");
        }
    }
}
