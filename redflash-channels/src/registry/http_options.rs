//! The tables of gateways that speak HTTP.

use std::path::PathBuf;

use serde::de::DeserializeOwned;

use super::settings::{Settings, read, take_secret, take_text};
use crate::http::HttpOptions;
use crate::{ConfigError, gateways};

/// Reads a gateway's table into the struct of its type, along with `proxy` and `ca_file`.
///
/// # Errors
///
/// Returns a [`ConfigError`] that names the invalid key.
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
    ($($feature:literal => $($config:ty),+;)+) => { $($(
        #[cfg(feature = $feature)]
        impl AsMut<HttpOptions> for $config {
            fn as_mut(&mut self) -> &mut HttpOptions {
                &mut self.http
            }
        }
    )+)+ };
}

with_http_options! {
    "chat" =>
        gateways::discord::DiscordConfig,
        gateways::gotify::GotifyConfig,
        gateways::matrix::MatrixConfig,
        gateways::ntfy::NtfyConfig,
        gateways::pagerduty::PagerDutyConfig,
        gateways::pushover::PushoverConfig,
        gateways::signal::SignalConfig,
        gateways::slack::SlackConfig,
        gateways::teams::TeamsConfig,
        gateways::telegram::TelegramConfig;
    "sms" =>
        gateways::bulksms::BulkSmsConfig,
        gateways::clickatell::one_api::ClickatellConfig,
        gateways::clickatell::classic::ClickatellClassicConfig,
        gateways::http_sms::HttpSmsConfig,
        gateways::kannel::KannelConfig,
        gateways::messagemedia::MessageMediaConfig,
        gateways::twilio::TwilioConfig,
        gateways::vonage::sms::VonageConfig,
        gateways::vonage::messages::VonageMessagesConfig;
    "webhook" => gateways::webhook::WebhookConfig;
    "x" => gateways::x::XConfig;
}
