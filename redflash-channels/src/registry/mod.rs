//! Creates gateways from tables of the configuration.

mod address;
mod deadline;
mod error;
#[cfg(feature = "http")]
mod http_options;
mod options;
pub(crate) mod settings;
mod types;

pub use address::parse_address;
pub use error::ConfigError;
pub use options::COMMON_KEYS;
pub use settings::read_secret_file;
pub use types::{GatewayType, TYPES};

use redflash_core::gateway::Gateway;
use redflash_core::model::Slug;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use self::options::GatewayOptions;
use self::settings::{Settings, read_secret, take_secret, take_text};

/// A gateway created from a table of the configuration.
#[derive(Debug)]
pub struct Configured {
    /// The gateway.
    pub gateway: Gateway,
    /// The secrets in the path of its callbacks that authenticate them: none, one, or two while one
    /// replaces the other.
    pub callback_secrets: Vec<SecretString>,
    /// Warnings about settings that are valid but need attention.
    pub warnings: Vec<String>,
}

/// Creates a gateway from a table of the configuration.
///
/// * `public_url` - the URL at which gateways reach this server, if any.
///
/// In addition to the keys of its type, the table holds:
///
/// | key | meaning | default |
/// | --- | --- | --- |
/// | `name` | the gateway's name | required |
/// | `type` | the type, one of [`TYPES`] | required |
/// | `concurrency` | maximum number of concurrent messages, per host for webhooks | 32 |
/// | `per_second` | maximum number of messages per second | no limit |
/// | `retry` | the delays between attempts, the last of which repeats | the type's |
/// | `give_up_after` | the age at which a delivery fails | the type's |
/// | `prefixes` | prefixes of the addresses it is used for, such as `+44` | all addresses |
/// | `senders` | the senders that an event may name | all that the type permits |
/// | `budget` | limits of sending: `per_hour`, `per_day`, `address_per_hour`, `address_per_day`, and the percentage of a gateway's limit that raises an alarm, `alarm_percent` | no limit, 80 |
/// | `on_unknown` | handling of a message that may have been sent: `resend` or `hold` | `resend` |
/// | `receipt_timeout` | time to wait for a receipt before the channel's next gateway is used too | no limit |
/// | `proxy` | the proxy of a type that speaks HTTP, such as `http://proxy.example.org:3128`, or `none` | `HTTPS_PROXY` and `HTTP_PROXY` of the environment |
/// | `ca_file` | a PEM file of certificates that such a type trusts in addition to those of this machine | none |
/// | `callback_secret`, `previous_callback_secret` | the secret in the path of its callbacks | callbacks are off |
///
/// # Errors
///
/// Returns a [`ConfigError`] that names the key, the problem and its solution.
pub fn configure(
    mut settings: Map<String, Value>,
    public_url: Option<&str>,
) -> Result<Configured, ConfigError> {
    let name = take_text(&mut settings, "name")?
        .ok_or_else(|| ConfigError::at("name", "a gateway needs a name, such as \"hooks\""))?;
    let name: Slug = name
        .parse()
        .map_err(|error| ConfigError::at("name", format!("{error}")))?;
    let kind = gateway_type(&mut settings)?;
    let callback_secrets = callback_secrets(&mut settings)?;
    let options = GatewayOptions::take(&mut settings, kind.name)?;
    for secret in kind.secrets {
        read_secret(&mut settings, secret)?;
    }
    if let Some(public_url) = public_url {
        let callback_url = kind.callback_url(public_url, &name, &settings, &callback_secrets);
        if let (Some(url), false) = (callback_url, settings.contains_key("callback_url")) {
            settings.insert("callback_url".into(), url.into());
        }
    }
    let warnings = kind.warnings(&settings, options.prefixes());
    let channel = (kind.channel)(settings)?;
    let gateway = options.gateway(name, kind.name, channel, (kind.schedule)())?;
    Ok(Configured {
        gateway,
        callback_secrets,
        warnings,
    })
}

fn gateway_type(settings: &mut Settings) -> Result<&'static GatewayType, ConfigError> {
    let known = || {
        let names: Vec<_> = TYPES.iter().map(|kind| kind.name).collect();
        names.join(", ")
    };
    let Some(name) = take_text(settings, "type")? else {
        let reason = format!("a gateway needs a type: one of {}", known());
        return Err(ConfigError::at("type", reason));
    };
    let mut types = TYPES.iter();
    types
        .find(|kind| kind.name == name || kind.aliases.contains(&&*name))
        .ok_or_else(|| {
            let reason = format!("unknown type {name:?}: use one of {}", known());
            ConfigError::at("type", reason)
        })
}

fn callback_secrets(settings: &mut Settings) -> Result<Vec<SecretString>, ConfigError> {
    /// A shorter secret could be guessed.
    const SHORTEST: usize = 16;
    let mut secrets = Vec::new();
    for key in ["callback_secret", "previous_callback_secret"] {
        let Some(secret) = take_secret(settings, key)? else {
            continue;
        };
        let text = secret.expose_secret();
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
        if text.len() < SHORTEST || !text.bytes().all(legal) {
            let reason = format!(
                "it must have at least {SHORTEST} characters of A-Z a-z 0-9 - _ . ~, since it is part of a URL"
            );
            return Err(ConfigError::at(key, reason));
        }
        secrets.push(secret);
    }
    Ok(secrets)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use std::time::Duration;

    use redflash_core::delivery::RetrySchedule;

    use super::*;

    fn settings(value: Value) -> Settings {
        match value {
            Value::Object(map) => map,
            other => panic!("{other} is not a table"),
        }
    }

    fn error_of(value: Value) -> ConfigError {
        configure(settings(value), None).unwrap_err()
    }

    #[test]
    fn error_names_the_invalid_key() {
        let cases = [
            (json!({}), "name"),
            (json!({"name": "A b", "type": "console"}), "name"),
            (json!({"name": "a"}), "type"),
            (json!({"name": "a", "type": "pigeon"}), "type"),
            (json!({"name": "a", "type": 5}), "type"),
            (
                json!({"name": "a", "type": "console", "concurrency": 0}),
                "concurrency",
            ),
            (
                json!({"name": "a", "type": "console", "concurrency": -1}),
                "concurrency",
            ),
            (
                json!({"name": "a", "type": "console", "per_second": 0}),
                "per_second",
            ),
            (
                json!({"name": "a", "type": "console", "retry": ["-5s"]}),
                "retry[0]",
            ),
            (
                json!({"name": "a", "type": "console", "retry": ["1s", "1000000000h"]}),
                "retry[1]",
            ),
            (
                json!({"name": "a", "type": "console", "on_unknown": "guess"}),
                "on_unknown",
            ),
            (
                json!({"name": "a", "type": "console", "prefixes": [""]}),
                "prefixes[0]",
            ),
            (
                json!({"name": "a", "type": "console", "senders": ["Ops"]}),
                "senders[0]",
            ),
            (
                json!({"name": "a", "type": "console", "budget": {"per_hour": 0}}),
                "budget.per_hour",
            ),
            (
                json!({"name": "a", "type": "console", "budget": {"per_week": 5}}),
                "budget.per_week",
            ),
            (
                json!({"name": "a", "type": "console", "budget": {"alarm_percent": 101}}),
                "budget.alarm_percent",
            ),
            (
                json!({"name": "a", "type": "console", "receipt_timeout": "5m"}),
                "receipt_timeout",
            ),
            (
                json!({"name": "a", "type": "console", "callback_secret": ""}),
                "callback_secret",
            ),
            (
                json!({"name": "a", "type": "console", "callback_secret": "short"}),
                "callback_secret",
            ),
            (
                json!({"name": "a", "type": "console", "callback_secret_file": "/nowhere"}),
                "callback_secret_file",
            ),
        ];
        for (table, key) in cases {
            let error = error_of(table.clone());
            assert_eq!(error.key.as_deref(), Some(key), "{table} {error}");
        }
    }

    #[test]
    fn error_names_an_unknown_key_and_the_known_ones() {
        let error = error_of(json!({"name": "a", "type": "console", "chanel": "sms"})).to_string();
        assert!(
            error.contains("chanel") && error.contains("channel"),
            "{error}"
        );
    }

    #[cfg(feature = "webhook")]
    #[test]
    fn error_does_not_quote_a_secret_of_the_wrong_type() {
        let error = error_of(json!({"name": "a", "type": "webhook", "signing_secret": 735_190}));
        assert_eq!(error.key.as_deref(), Some("signing_secret"));
        assert!(!error.to_string().contains("735190"), "{error}");
    }

    #[cfg(feature = "chat")]
    #[test]
    fn error_does_not_quote_secrets_of_a_table() {
        let table = |rooms: Value| json!({"name": "a", "type": "slack", "rooms": rooms});
        let error = error_of(table(json!({"ops": 735_190})));
        assert_eq!(error.key.as_deref(), Some("rooms.ops"));
        assert!(!error.to_string().contains("735190"), "{error}");
        let error = error_of(table(json!({"ops_file": "/nowhere"})));
        assert_eq!(error.key.as_deref(), Some("rooms.ops_file"));
        let error = error_of(table(json!("canary")));
        assert_eq!(error.key.as_deref(), Some("rooms"));
        assert!(!error.to_string().contains("canary"), "{error}");
    }

    #[test]
    fn reads_secrets_from_files_without_line_ends() {
        let directory = std::env::temp_dir().join(format!("redflash-{}", std::process::id()));
        let table = json!({"name": "a", "type": "console", "callback_secret_file": directory});
        for text in [
            "a-secret-of-some-length\n",
            "a-secret-of-some-length\r\n\r\n",
            "\u{feff}a-secret-of-some-length\r",
        ] {
            std::fs::write(&directory, text).unwrap();
            let configured = configure(settings(table.clone()), None);
            let secrets = configured.unwrap().callback_secrets;
            assert_eq!(secrets[0].expose_secret(), "a-secret-of-some-length");
        }
        let large = vec![b'a'; 70_000];
        for (bytes, reason) in [(&b"\xef\xbb\xbf\r\n"[..], "empty"), (&large[..], "large")] {
            std::fs::write(&directory, bytes).unwrap();
            let error = configure(settings(table.clone()), None).unwrap_err();
            assert!(error.reason.contains(reason), "{error}");
        }
        std::fs::remove_file(&directory).unwrap();
    }

    #[cfg(feature = "webhook")]
    #[test]
    fn deadline_follows_the_timeout_of_the_gateway() {
        let deadline = |timeout: Value| {
            let mut table = settings(json!({"name": "a", "type": "webhook"}));
            if !timeout.is_null() {
                table.insert("timeout".into(), timeout);
            }
            configure(table, None).map(|configured| configured.gateway.limits.deadline)
        };
        for (timeout, seconds) in [(json!("2s"), 3), (json!("90s"), 91), (Value::Null, 11)] {
            let deadline = deadline(timeout.clone()).unwrap();
            assert_eq!(deadline, Duration::from_secs(seconds), "{timeout}");
        }
        for timeout in [json!("soon"), json!(5)] {
            let error = deadline(timeout).unwrap_err();
            assert_eq!(error.key.as_deref(), Some("timeout"));
        }
    }

    #[test]
    fn applies_limits_and_retry_delays() {
        let table = json!({
            "name": "a", "type": "console", "concurrency": 3, "per_second": 0.5,
            "retry": ["1s", "1m"], "give_up_after": "1h",
        });
        let gateway = configure(settings(table), None).unwrap().gateway;
        assert_eq!(gateway.limits.concurrency, 3);
        assert_eq!(gateway.limits.per_second, Some(0.5));
        let waits = [1, 60].map(Duration::from_secs).to_vec();
        let schedule = RetrySchedule::new(waits, Duration::from_secs(3600));
        assert_eq!(gateway.schedule, schedule);
    }
}
