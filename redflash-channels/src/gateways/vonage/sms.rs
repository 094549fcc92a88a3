//! The Vonage SMS API (formerly Nexmo), `POST /sms/json`: the channel `sms`.
//!
//! Facts are from the vendor's `OpenAPI` description of the SMS API (versions 1.0.10 and 1.2.0), its
//! guides "Concatenation and Encoding", "Custom Sender ID" and "Signing Messages", and its page of
//! errors. The status of a send, which `refused` reads, differs from the error code of a delivery receipt.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::Receipt;
use redflash_core::gateway::{Authenticity, Callback, CallbackError, Capabilities, Channel};
use redflash_core::inbound::InboundMessage;
use redflash_core::message::{Accepted, Deferral, OutboundMessage, Price, SendError, SenderError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

pub use super::callback::CallbackFormat;
use super::callback::{Callbacks, secrets};
pub use super::signature::SignatureMethod;
use crate::ConfigError;
use crate::http::{Client, Guard, HttpOptions, Request, account_refusal_by_403, endpoint, short};
use crate::sms::segments::{Alphabet, SmsText, check_parts, fit};
use crate::sms::{phone, sender_id};

/// Configuration of a Vonage account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VonageConfig {
    /// The account's key.
    pub api_key: String,
    /// The account's secret; not needed if messages are signed.
    #[serde(default)]
    pub api_secret: Option<SecretString>,
    /// The secret that signs messages, instead of `api_secret`, and callbacks.
    #[serde(default)]
    pub signature_secret: Option<SecretString>,
    /// The previous secret, while callbacks may still be signed with it.
    #[serde(default)]
    pub previous_signature_secret: Option<SecretString>,
    /// The signature method: `md5hash`, the default, `md5`, `sha1`, `sha256` or `sha512`.
    #[serde(default)]
    pub signature_method: SignatureMethod,
    /// The format of callbacks in the account's settings, `sms` or `messages`; `sms` by default.
    #[serde(default)]
    pub callback_format: CallbackFormat,
    /// The sender: up to 15 digits, or up to 11 letters and digits.
    pub from: String,
    /// The base URL of the API; `https://rest.nexmo.com` by default.
    #[serde(default = "base_url")]
    pub base_url: Url,
    /// Maximum number of parts of a message; a longer text is truncated. 6 by default.
    #[serde(default = "crate::sms::segments::six_parts")]
    pub max_parts: u32,
    /// The time limit of a request; 10 s by default.
    #[serde(
        default = "crate::text::duration::ten_seconds",
        with = "crate::text::duration"
    )]
    pub timeout: Duration,
    /// The proxy and the certificates of its connections.
    #[serde(skip)]
    pub http: HttpOptions,
}

fn base_url() -> Url {
    Url::parse("https://rest.nexmo.com").expect("it is a URL")
}

/// Sends texts through Vonage.
pub struct Vonage {
    config: VonageConfig,
    credential: Credential,
    callbacks: Callbacks,
    url: Url,
    client: Client,
}

/// The credential of a request.
enum Credential {
    Secret(SecretString),
    Signature(SecretString),
}

impl fmt::Debug for Vonage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vonage")
            .field("url", &self.url.as_str())
            .field("from", &self.config.from)
            .finish_non_exhaustive()
    }
}

/// The response to a send, with one element for each part.
#[derive(Debug, Deserialize)]
struct SendResponse {
    messages: Vec<Part>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Part {
    status: String,
    #[serde(default)]
    message_id: Option<String>,
    #[serde(default)]
    message_price: Option<String>,
    #[serde(default)]
    error_text: Option<String>,
}

impl Vonage {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: VonageConfig) -> Result<Self, ConfigError> {
        if config.api_key.is_empty() {
            return Err(ConfigError::at("api_key", "it must not be empty"));
        }
        sender_id::check(&config.from).map_err(sender_id::invalid_from)?;
        check_parts(config.max_parts, 20)?;
        let credential = match (&config.signature_secret, &config.api_secret) {
            (Some(secret), _) => Credential::Signature(not_empty("signature_secret", secret)?),
            (None, Some(secret)) => Credential::Secret(not_empty("api_secret", secret)?),
            (None, None) => {
                let reason = "set it or signature_secret";
                return Err(ConfigError::at("api_secret", reason));
            }
        };
        let callbacks = Callbacks {
            format: config.callback_format,
            method: config.signature_method,
            secrets: secrets(
                config.signature_secret.as_ref(),
                config.previous_signature_secret.as_ref(),
            )?,
        };
        let url = endpoint(&config.base_url, &["sms", "json"])?;
        let client = Client::new(Guard::open(), config.timeout, &config.http)?;
        Ok(Self {
            config,
            credential,
            callbacks,
            url,
            client,
        })
    }

    fn request(&self, message: &OutboundMessage, sms: &SmsText) -> Request {
        let kind = match sms.alphabet {
            Alphabet::Gsm7 => "text",
            Alphabet::Ucs2 => "unicode",
        };
        let reference = message.delivery.to_string();
        let timestamp = message.at.as_millis().div_euclid(1000).to_string();
        let mut fields = vec![
            ("api_key", &*self.config.api_key),
            ("from", message.sender.as_ref().unwrap_or(&self.config.from)),
            // The number has no plus.
            ("to", message.to.as_str().trim_start_matches('+')),
            ("text", &sms.text),
            ("type", kind),
            ("client-ref", &reference),
        ];
        let signature;
        match &self.credential {
            Credential::Secret(secret) => fields.insert(1, ("api_secret", secret.expose_secret())),
            Credential::Signature(secret) => {
                fields.push(("timestamp", &timestamp));
                signature = self.config.signature_method.sign(secret, &fields);
                fields.push(("sig", &signature));
            }
        }
        Request::form(self.url.clone(), &fields, message.at)
    }
}

#[async_trait]
impl Channel for Vonage {
    fn kind(&self) -> ChannelKind {
        ChannelKind::sms()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            receipts: true,
            inbound: true,
            sender: true,
            ..Capabilities::default()
        }
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        phone::parse(raw)
    }

    fn own_address(&self) -> Option<Address> {
        phone::own(Some(&self.config.from))
    }

    fn check_sender(&self, sender: &str) -> Result<(), SenderError> {
        sender_id::check(sender)
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let sms = fit(&message.body, self.config.max_parts);
        let answer = self.client.send(self.request(message, &sms)).await?;
        if !answer.status.is_success() {
            return Err(account_refusal_by_403(&answer));
        }
        match answer.json::<SendResponse>() {
            Some(response) if !response.messages.is_empty() => outcome(&response.messages, &sms),
            _ => Err(SendError::Unknown(answer.detail().into())),
        }
    }

    fn authenticate(
        &self,
        callback: &Callback<'_>,
        now: Timestamp,
    ) -> Result<Authenticity, CallbackError> {
        self.callbacks.authenticate(callback, now)
    }

    fn parse_receipts(&self, callback: &Callback<'_>) -> Result<Vec<Receipt>, CallbackError> {
        self.callbacks.receipts(callback)
    }

    fn parse_inbound(&self, callback: &Callback<'_>) -> Result<Vec<InboundMessage>, CallbackError> {
        self.callbacks.inbound(callback)
    }
}

fn not_empty(key: &str, secret: &SecretString) -> Result<SecretString, ConfigError> {
    if secret.expose_secret().is_empty() {
        return Err(ConfigError::at(key, "it must not be empty"));
    }
    Ok(secret.clone())
}

/// Returns the outcome of a message from those of its parts.
fn outcome(parts: &[Part], sms: &SmsText) -> Result<Accepted, SendError> {
    let failed: Vec<_> = parts.iter().filter(|part| part.status != "0").collect();
    let Some(first) = failed.first() else {
        return Ok(accepted(parts, sms));
    };
    if failed.len() < parts.len() {
        let accepted = parts.len() - failed.len();
        let reason = format!(
            "{accepted} of {} parts were accepted: {}",
            parts.len(),
            first.detail()
        );
        return Err(SendError::Unknown(reason.into()));
    }
    Err(refused(first))
}

fn accepted(parts: &[Part], sms: &SmsText) -> Accepted {
    let message_id = parts.iter().find_map(|part| part.message_id.clone());
    Accepted {
        parts: u32::try_from(parts.len()).unwrap_or(u32::MAX),
        price: total(parts),
        ..sms.accepted(message_id, "status 0".into())
    }
}

/// Returns the price of all parts; `None` unless each has one.
fn total(parts: &[Part]) -> Option<Price> {
    let prices = parts
        .iter()
        .map(|part| part.message_price.as_deref()?.parse::<Price>().ok());
    let prices: Vec<Price> = prices.collect::<Option<_>>()?;
    match &*prices {
        [one] => Some(one.clone()),
        more => {
            let sum: f64 = more.iter().map(Price::value).sum();
            format!("{sum:.8}").parse().ok()
        }
    }
}

/// Maps the status of a send to a send error.
fn refused(part: &Part) -> SendError {
    let reason = part.detail();
    match &*part.status {
        // Throttled; too many connections.
        "1" | "10" => SendError::RateLimited {
            reason,
            retry_after: None,
        },
        // Credentials, account suspended, no credit, not enabled for HTTP, bad signature.
        "4" | "8" | "9" | "11" | "14" | "32" => SendError::Unauthorized { reason },
        // An internal error of the vendor; no connection to the network.
        "5" | "13" => SendError::Deferred {
            scope: Deferral::Message,
            reason,
            retry_after: None,
        },
        // Unknown prefix, number barred, number deactivated, invalid number.
        "6" | "7" | "33" | "34" => SendError::InvalidAddress { reason },
        // Sender not allowed, destination not permitted in a demo account.
        "15" | "29" => SendError::Unroutable { reason },
        _ => SendError::Rejected { reason },
    }
}

impl Part {
    fn detail(&self) -> String {
        let status = short(&self.status);
        match &self.error_text {
            Some(text) => format!("status {status}: {}", short(text)),
            None => format!("status {status}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use redflash_core::message::Retry;

    use super::*;

    fn part(status: &str) -> Part {
        Part {
            status: status.into(),
            message_id: None,
            message_price: None,
            error_text: None,
        }
    }

    #[test]
    fn partly_accepted_message_may_have_arrived() {
        let sms = fit(&"a".repeat(200), 6);
        let error = outcome(&[part("0"), part("1")], &sms).unwrap_err();
        assert_eq!(error.retry(), Retry::MayRepeat);
        let error = outcome(&[part("1"), part("1")], &sms).unwrap_err();
        assert_eq!(error.retry(), Retry::After(None));
    }

    #[test]
    fn adds_up_prices_and_ignores_invalid_ones() {
        let priced = |price: &str| Part {
            message_price: Some(price.into()),
            ..part("0")
        };
        assert_eq!(
            total(&[priced("0.03330000")]).unwrap().as_str(),
            "0.03330000"
        );
        let two = total(&[priced("0.03330000"), priced("0.03330000")]);
        assert_eq!(two.unwrap().as_str(), "0.06660000");
        assert_eq!(total(&[priced("NaN")]), None);
        assert_eq!(total(&[priced("0.1"), part("0")]), None);
    }
}
