//! The types of gateway that a configuration can name.

use std::sync::Arc;

use redflash_core::delivery::RetrySchedule;
use redflash_core::gateway::Channel;
use redflash_core::model::Slug;
use secrecy::{ExposeSecret, SecretString};

#[cfg(feature = "http")]
use super::http_options::read_http;
use super::settings::{Settings, read};
use crate::{ConfigError, gateways};

/// A type of gateway.
#[derive(Clone, Copy, Debug)]
pub struct GatewayType {
    /// The value of `type`.
    pub name: &'static str,
    /// Other accepted values of `type`.
    pub aliases: &'static [&'static str],
    /// The keys that hold secrets. Each can be given in a file, as `KEY_file`. `TABLE.*` stands for
    /// all keys of a table.
    pub secrets: &'static [&'static str],
    /// The way its vendor learns the URL of callbacks.
    callbacks: Callbacks,
    /// Returns the default retry schedule.
    pub(crate) schedule: fn() -> RetrySchedule,
    /// Creates a channel from the remaining keys of the table.
    pub(crate) channel: fn(Settings) -> Result<Arc<dyn Channel>, ConfigError>,
}

/// The way a gateway's vendor learns the URL of callbacks.
#[derive(Clone, Copy, Debug)]
enum Callbacks {
    /// There are no callbacks, or the vendor's own settings hold the URL.
    Elsewhere,
    /// Each message names the URL: the key `callback_url` of the table, which defaults to one below the
    /// server's public URL.
    InMessages {
        /// The secret that signs callbacks, if the vendor signs them; the URL then needs no secret.
        signed_by: Option<&'static str>,
    },
}

/// All types of gateway. A new type is one entry here.
pub const TYPES: &[GatewayType] = &[
    #[cfg(feature = "sms")]
    GatewayType {
        name: "bulksms",
        aliases: &[],
        secrets: &["token_secret"],
        callbacks: Callbacks::Elsewhere,
        schedule: RetrySchedule::prompt,
        channel: |settings| {
            Ok(Arc::new(gateways::bulksms::BulkSms::new(read_http(
                settings,
            )?)?))
        },
    },
    #[cfg(feature = "sms")]
    GatewayType {
        name: "clickatell",
        aliases: &[],
        secrets: &["api_key"],
        callbacks: Callbacks::Elsewhere,
        schedule: RetrySchedule::prompt,
        channel: |settings| {
            Ok(Arc::new(gateways::clickatell::one_api::Clickatell::new(
                read_http(settings)?,
            )?))
        },
    },
    #[cfg(feature = "sms")]
    GatewayType {
        name: "clickatell-classic",
        aliases: &[],
        secrets: &["password"],
        callbacks: Callbacks::Elsewhere,
        schedule: RetrySchedule::prompt,
        channel: |settings| {
            let config = read_http(settings)?;
            Ok(Arc::new(
                gateways::clickatell::classic::ClickatellClassic::new(config)?,
            ))
        },
    },
    GatewayType {
        name: "console",
        aliases: &[],
        secrets: &[],
        callbacks: Callbacks::Elsewhere,
        schedule: RetrySchedule::prompt,
        channel: |settings| Ok(Arc::new(gateways::console::Console::new(read(settings)?))),
    },
    #[cfg(feature = "chat")]
    GatewayType {
        name: "discord",
        aliases: &[],
        secrets: &["rooms.*"],
        callbacks: Callbacks::Elsewhere,
        schedule: RetrySchedule::prompt,
        channel: |settings| {
            Ok(Arc::new(gateways::discord::Discord::new(read_http(
                settings,
            )?)?))
        },
    },
    #[cfg(all(feature = "exec", unix))]
    GatewayType {
        name: "exec",
        aliases: &[],
        secrets: &["env.*"],
        callbacks: Callbacks::Elsewhere,
        schedule: RetrySchedule::prompt,
        channel: |settings| Ok(Arc::new(gateways::exec::Exec::new(read(settings)?)?)),
    },
    #[cfg(feature = "chat")]
    GatewayType {
        name: "gotify",
        aliases: &[],
        secrets: &["apps.*"],
        callbacks: Callbacks::Elsewhere,
        schedule: RetrySchedule::prompt,
        channel: |settings| {
            Ok(Arc::new(gateways::gotify::Gotify::new(read_http(
                settings,
            )?)?))
        },
    },
    #[cfg(feature = "sms")]
    GatewayType {
        name: "http-sms",
        aliases: &[],
        secrets: &["password", "token", "callback_url"],
        callbacks: Callbacks::InMessages { signed_by: None },
        schedule: RetrySchedule::prompt,
        channel: |settings| {
            Ok(Arc::new(gateways::http_sms::HttpSms::new(read_http(
                settings,
            )?)?))
        },
    },
    #[cfg(feature = "sms")]
    GatewayType {
        name: "kannel",
        aliases: &[],
        secrets: &["password", "callback_url"],
        callbacks: Callbacks::InMessages { signed_by: None },
        schedule: RetrySchedule::prompt,
        channel: |settings| {
            Ok(Arc::new(gateways::kannel::Kannel::new(read_http(
                settings,
            )?)?))
        },
    },
    #[cfg(feature = "chat")]
    GatewayType {
        name: "matrix",
        aliases: &[],
        secrets: &["access_token"],
        callbacks: Callbacks::Elsewhere,
        schedule: RetrySchedule::prompt,
        channel: |settings| {
            Ok(Arc::new(gateways::matrix::Matrix::new(read_http(
                settings,
            )?)?))
        },
    },
    #[cfg(feature = "sms")]
    GatewayType {
        name: "messagemedia",
        aliases: &[],
        secrets: &["api_secret", "callback_url"],
        callbacks: Callbacks::InMessages { signed_by: None },
        schedule: RetrySchedule::prompt,
        channel: |settings| {
            Ok(Arc::new(gateways::messagemedia::MessageMedia::new(
                read_http(settings)?,
            )?))
        },
    },
    #[cfg(feature = "chat")]
    GatewayType {
        name: "ntfy",
        aliases: &[],
        secrets: &["token", "password"],
        callbacks: Callbacks::Elsewhere,
        schedule: RetrySchedule::prompt,
        channel: |settings| Ok(Arc::new(gateways::ntfy::Ntfy::new(read_http(settings)?)?)),
    },
    #[cfg(feature = "chat")]
    GatewayType {
        name: "pagerduty",
        aliases: &[],
        secrets: &["services.*"],
        callbacks: Callbacks::Elsewhere,
        schedule: RetrySchedule::prompt,
        channel: |settings| {
            Ok(Arc::new(gateways::pagerduty::PagerDuty::new(read_http(
                settings,
            )?)?))
        },
    },
    #[cfg(feature = "chat")]
    GatewayType {
        name: "pushover",
        aliases: &[],
        secrets: &["token"],
        callbacks: Callbacks::Elsewhere,
        schedule: RetrySchedule::prompt,
        channel: |settings| {
            Ok(Arc::new(gateways::pushover::Pushover::new(read_http(
                settings,
            )?)?))
        },
    },
    #[cfg(feature = "chat")]
    GatewayType {
        name: "signal",
        aliases: &[],
        secrets: &[],
        callbacks: Callbacks::Elsewhere,
        schedule: RetrySchedule::prompt,
        channel: |settings| {
            Ok(Arc::new(gateways::signal::Signal::new(read_http(
                settings,
            )?)?))
        },
    },
    #[cfg(feature = "chat")]
    GatewayType {
        name: "slack",
        aliases: &[],
        secrets: &["bot_token", "rooms.*"],
        callbacks: Callbacks::Elsewhere,
        schedule: RetrySchedule::prompt,
        channel: |settings| Ok(Arc::new(gateways::slack::Slack::new(read_http(settings)?)?)),
    },
    #[cfg(feature = "email")]
    GatewayType {
        name: "smtp",
        aliases: &["email"],
        secrets: &["password"],
        callbacks: Callbacks::Elsewhere,
        schedule: RetrySchedule::patient,
        channel: |settings| Ok(Arc::new(gateways::smtp::Smtp::new(read(settings)?)?)),
    },
    #[cfg(feature = "chat")]
    GatewayType {
        name: "teams",
        aliases: &[],
        secrets: &["rooms.*"],
        callbacks: Callbacks::Elsewhere,
        schedule: RetrySchedule::prompt,
        channel: |settings| Ok(Arc::new(gateways::teams::Teams::new(read_http(settings)?)?)),
    },
    #[cfg(feature = "chat")]
    GatewayType {
        name: "telegram",
        aliases: &[],
        secrets: &["token", "webhook_secret", "previous_webhook_secret"],
        callbacks: Callbacks::Elsewhere,
        schedule: RetrySchedule::prompt,
        channel: |settings| {
            Ok(Arc::new(gateways::telegram::Telegram::new(read_http(
                settings,
            )?)?))
        },
    },
    #[cfg(feature = "sms")]
    GatewayType {
        name: "twilio",
        aliases: &[],
        secrets: &[
            "auth_token",
            "previous_auth_token",
            "api_key_secret",
            "shared_key_secret",
            "callback_url",
        ],
        callbacks: Callbacks::InMessages {
            signed_by: Some("auth_token"),
        },
        schedule: RetrySchedule::prompt,
        channel: |settings| {
            Ok(Arc::new(gateways::twilio::Twilio::new(read_http(
                settings,
            )?)?))
        },
    },
    #[cfg(feature = "sms")]
    GatewayType {
        name: "vonage",
        aliases: &["nexmo"],
        secrets: &[
            "api_secret",
            "signature_secret",
            "previous_signature_secret",
        ],
        callbacks: Callbacks::Elsewhere,
        schedule: RetrySchedule::prompt,
        channel: |settings| {
            Ok(Arc::new(gateways::vonage::sms::Vonage::new(read_http(
                settings,
            )?)?))
        },
    },
    #[cfg(feature = "sms")]
    GatewayType {
        name: "vonage-messages",
        aliases: &[],
        secrets: &[
            "api_secret",
            "private_key",
            "signature_secret",
            "previous_signature_secret",
            "callback_url",
        ],
        callbacks: Callbacks::InMessages {
            signed_by: Some("signature_secret"),
        },
        schedule: RetrySchedule::prompt,
        channel: |settings| {
            let config = read_http(settings)?;
            Ok(Arc::new(gateways::vonage::messages::VonageMessages::new(
                config,
            )?))
        },
    },
    #[cfg(feature = "webhook")]
    GatewayType {
        name: "webhook",
        aliases: &[],
        secrets: &[
            "signing_secret",
            "previous_signing_secret",
            "authorization",
            "headers.*",
        ],
        callbacks: Callbacks::Elsewhere,
        schedule: RetrySchedule::patient,
        channel: |settings| {
            Ok(Arc::new(gateways::webhook::Webhook::new(read_http(
                settings,
            )?)?))
        },
    },
    #[cfg(feature = "x")]
    GatewayType {
        name: "x",
        aliases: &["twitter"],
        secrets: &["consumer_secret", "access_token", "access_token_secret"],
        callbacks: Callbacks::Elsewhere,
        schedule: RetrySchedule::prompt,
        channel: |settings| Ok(Arc::new(gateways::x::X::new(read_http(settings)?)?)),
    },
];

impl GatewayType {
    /// Returns warnings about valid but risky settings of a table of this type.
    ///
    /// * `prefixes` - prefixes of the addresses that the gateway is used for.
    #[cfg_attr(
        not(feature = "webhook"),
        expect(
            clippy::unused_self,
            unused_variables,
            reason = "only webhooks have warnings"
        )
    )]
    pub(crate) fn warnings(&self, settings: &Settings, prefixes: &[String]) -> Vec<String> {
        #[cfg(feature = "webhook")]
        if self.name == "webhook" {
            return gateways::webhook::warnings(settings, prefixes);
        }
        Vec::new()
    }

    /// Returns the URL for callbacks of a gateway of this type, if each of its messages names one.
    pub(crate) fn callback_url(
        &self,
        public_url: &str,
        name: &Slug,
        settings: &Settings,
        secrets: &[SecretString],
    ) -> Option<String> {
        let Callbacks::InMessages { signed_by } = self.callbacks else {
            return None;
        };
        let url = format!("{}/ack/{name}", public_url.trim_end_matches('/'));
        match secrets.first() {
            Some(secret) => Some(format!("{url}/{}", secret.expose_secret())),
            None if signed_by.is_some_and(|key| settings.contains_key(key)) => Some(url),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases_are_unique() {
        let mut names: Vec<_> = TYPES
            .iter()
            .flat_map(|kind| kind.aliases.iter().chain([&kind.name]))
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
