//! The connections of a gateway that speaks HTTP.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::de::DeserializeOwned;

use crate::ConfigError;
use crate::settings::{Settings, read, take_secret, take_text};

/// The proxy and the certificates of a gateway's connections.
#[derive(Clone, Debug, Default)]
pub struct HttpOptions {
    /// The proxy for all requests, such as `http://user:password@proxy.example.org:3128`, or `none`.
    /// By default the one that `HTTPS_PROXY`, `HTTP_PROXY` or `ALL_PROXY` of the environment names, as
    /// far as `NO_PROXY` does not except the host; this machine itself is never asked for through that.
    ///
    /// Requests go through a tunnel (`CONNECT`), so the proxy must allow that to the gateway's port.
    pub proxy: Option<SecretString>,
    /// A PEM file of certificates that are trusted beside those that this machine trusts.
    pub ca_file: Option<PathBuf>,
}

/// Reads a gateway's table as the struct of its type, and `proxy` and `ca_file` beside its keys.
///
/// # Errors
///
/// [`ConfigError`] names the key.
pub(crate) fn read_http<T>(mut settings: Settings) -> Result<T, ConfigError>
where
    T: DeserializeOwned + AsMut<HttpOptions>,
{
    let options = HttpOptions {
        proxy: take_secret(&mut settings, "proxy")?,
        ca_file: take_text(&mut settings, "ca_file")?.map(PathBuf::from),
    };
    let mut config: T = read(settings)?;
    *config.as_mut() = options;
    Ok(config)
}

macro_rules! with_http_options {
    ($($feature:literal => $($config:ident::$name:ident)+;)+) => { $($(
        #[cfg(feature = $feature)]
        impl AsMut<HttpOptions> for crate::$config::$name {
            fn as_mut(&mut self) -> &mut HttpOptions {
                &mut self.http
            }
        }
    )+)+ };
}

with_http_options! {
    "chat" =>
        discord::DiscordConfig gotify::GotifyConfig matrix::MatrixConfig ntfy::NtfyConfig
        pagerduty::PagerDutyConfig pushover::PushoverConfig signal::SignalConfig slack::SlackConfig
        teams::TeamsConfig telegram::TelegramConfig;
    "sms" =>
        bulksms::BulkSmsConfig clickatell::ClickatellConfig
        clickatell_classic::ClickatellClassicConfig http_sms::HttpSmsConfig kannel::KannelConfig
        messagemedia::MessageMediaConfig twilio::TwilioConfig vonage::VonageConfig
        vonage_messages::VonageMessagesConfig;
    "webhook" => webhook::WebhookConfig;
    "x" => x::XConfig;
}
