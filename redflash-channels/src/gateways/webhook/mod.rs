//! Webhooks: the channel `webhook`.
//!
//! A message is `POST {address}/{notification id}` with the form fields `notification_id` and
//! `message`. Any 2xx answer, usually 201 or 200, means that it arrived. With `append_id = false` it is
//! posted to the address itself, with `format = "json"` as a JSON object:
//!
//! ```json
//! {
//!   "type": "notification",
//!   "timestamp": "2026-11-30T12:00:00Z",
//!   "id": "019adf3b5c8e7000a1b2c3d4e5f60000",
//!   "event": "disk-full",
//!   "target": "event/disk-full",
//!   "subject": "Disk full",
//!   "message": "The disk of db1 is at 97 %.",
//!   "arguments": { "host": "db1", "percent": 97 },
//!   "url": "https://alerts.example.org/admin/log/019adf3b5c8e7000a1b2c3d4e5f60000"
//! }
//! ```
//!
//! `id` is the notification's. `event` is null for a message to a contact or a group, `url` without a
//! public URL of the server. `arguments` are those of the raise; they are null above 64 KiB of JSON,
//! which is not stored.
//!
//! An address may contain a user and a password, `https://me:secret@hooks.example.org/`. They are sent as
//! `Authorization: Basic` (RFC 7617), and take precedence over the gateway's own `authorization`.
//!
//! A receiver answers 404 while it is being deployed: until ten minutes after the first attempt a 404
//! defers the message, then it rejects it, as 410 does at once. 408, 425, 429 and a 503 with
//! `Retry-After` also defer this address or this message. Redirects are not followed. 401, 403 and 407
//! refuse us, not the message: another gateway of the channel may send it, and it is retried.
//!
//! The headers are those of the Standard Webhooks specification 1.0.0: `webhook-id` (the delivery, the
//! same on every attempt, so that a receiver can detect a repeat), `webhook-timestamp` (Unix seconds of
//! the attempt) and, with a signing secret, `webhook-signature`: `v1,` and the base64 of HMAC-SHA256
//! over `{id}.{timestamp}.{body}`, once for each secret.

mod address;
mod header;
mod payload;
mod warning;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use redflash_core::gateway::Channel;
use redflash_core::message::{Accepted, Deferral, OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::Deserialize;
use sha2::Sha256;
use url::Url;

use crate::ConfigError;
use crate::http::{Answer, Client, Guard, HttpOptions, Request, basic, refusal};

pub(crate) use address::parse_address;
use address::{authority, parse_url};
pub(crate) use warning::warnings;

/// The format of a webhook's body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum WebhookFormat {
    /// The form fields `notification_id` and `message`.
    #[default]
    Form,
    /// A JSON object, with the event and its arguments.
    Json,
}

/// Configuration of a gateway for webhooks.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookConfig {
    /// Networks that are not public and may nevertheless be dialled; none by default.
    pub allow_networks: Vec<IpNet>,
    /// The signing secret, `whsec_` and the base64 of 24 to 64 bytes.
    pub signing_secret: Option<SecretString>,
    /// The previous signing secret, which also signs while receivers switch to the new one.
    pub previous_signing_secret: Option<SecretString>,
    /// The format of the body; `form` by default.
    pub format: WebhookFormat,
    /// Adds the notification's id to the address; true by default.
    pub append_id: bool,
    /// Headers of each request, such as `X-Api-Key`; none by default. They are sent to every address that
    /// the gateway is used for.
    pub headers: BTreeMap<String, SecretString>,
    /// The header `Authorization`, such as `Bearer …`; none by default. It is sent to every address that
    /// the gateway is used for, unless the address has a user of its own.
    pub authorization: Option<SecretString>,
    /// The time limit of a request, from name resolution to the end of the answer; 10 s by default.
    #[serde(with = "crate::text::duration")]
    pub timeout: Duration,
    /// The proxy and the certificates of its connections.
    #[serde(skip)]
    pub http: HttpOptions,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self {
            allow_networks: Vec::new(),
            signing_secret: None,
            previous_signing_secret: None,
            format: WebhookFormat::Form,
            append_id: true,
            headers: BTreeMap::new(),
            authorization: None,
            timeout: Duration::from_secs(10),
            http: HttpOptions::default(),
        }
    }
}

/// Sends webhooks.
pub struct Webhook {
    client: Client,
    guard: Guard,
    keys: Vec<SecretSlice<u8>>,
    format: WebhookFormat,
    append_id: bool,
    headers: HeaderMap,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("guard", &self.guard)
            .field("keys", &self.keys.len())
            .field("format", &self.format)
            .field("append_id", &self.append_id)
            .finish_non_exhaustive()
    }
}

impl Webhook {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key; no key if this machine trusts no certificates.
    pub fn new(config: WebhookConfig) -> Result<Self, ConfigError> {
        let WebhookConfig {
            allow_networks,
            signing_secret,
            previous_signing_secret,
            format,
            append_id,
            headers,
            authorization,
            timeout,
            http,
        } = config;
        let secrets = [
            ("signing_secret", signing_secret),
            ("previous_signing_secret", previous_signing_secret),
        ];
        let keys = secrets
            .into_iter()
            .filter_map(|(name, secret)| Some(signing_key(name, &secret?)))
            .collect::<Result<_, _>>()?;
        let guard = Guard::new(&allow_networks);
        Ok(Self {
            client: Client::new(guard.clone(), timeout, &http)?,
            guard,
            keys,
            format,
            append_id,
            headers: header::headers(&headers, authorization.as_ref())?,
        })
    }

    /// Returns the signatures of a body, or `None` without a secret.
    fn signature(&self, id: &str, timestamp: i64, body: &str) -> Option<String> {
        let signatures = self.keys.iter().map(|key| {
            let mac = Hmac::<Sha256>::new_from_slice(key.expose_secret());
            let mut mac = mac.expect("HMAC takes a key of any length");
            mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
            format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
        });
        let signatures: Vec<_> = signatures.collect();
        (!signatures.is_empty()).then(|| signatures.join(" "))
    }

    fn request(&self, message: &OutboundMessage) -> Result<Request, SendError> {
        let invalid = |reason: String| SendError::InvalidAddress { reason };
        let mut url =
            Url::parse(message.to.as_str()).map_err(|error| invalid(error.to_string()))?;
        let user = take_user(&mut url);
        if self.append_id {
            url.path_segments_mut()
                .map_err(|()| invalid("it has no path".into()))?
                .pop_if_empty()
                .push(&message.notification.to_string());
        }
        let mut request = match self.format {
            WebhookFormat::Form => {
                let notification = message.notification.to_string();
                let fields = [
                    ("notification_id", &*notification),
                    ("message", &message.body),
                ];
                Request::form(url, &fields, message.at)
            }
            WebhookFormat::Json => {
                let body = payload::json(message);
                Request::post(url, "application/json", body, message.at)
            }
        };
        for (name, value) in &self.headers {
            request.headers.insert(name, value.clone());
        }
        if let Some(user) = user {
            request.headers.insert(AUTHORIZATION, user);
        }
        let id = message.delivery.to_string();
        let timestamp = message.at.as_millis().div_euclid(1000);
        let signature = self.signature(&id, timestamp, &request.body);
        let mut header = |name, text: String| {
            let value = HeaderValue::try_from(text).expect("it is plain ASCII");
            request.headers.insert(name, value);
        };
        if let Some(signature) = signature {
            header("webhook-signature", signature);
        }
        header("webhook-id", id);
        header("webhook-timestamp", timestamp.to_string());
        Ok(request)
    }
}

/// Takes the user and the password out of a URL, as the value of `Authorization`.
fn take_user(url: &mut Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let user = decoded(url.username());
    let password = SecretString::from(decoded(url.password().unwrap_or_default()));
    // Only URLs without a host cannot have a user.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(basic(&user, &password))
}

fn signing_key(name: &str, secret: &SecretString) -> Result<SecretSlice<u8>, ConfigError> {
    let text = secret.expose_secret();
    let encoded = text.strip_prefix("whsec_");
    let key = encoded.and_then(|text| BASE64_STANDARD.decode(text).ok());
    key.filter(|key| (24..=64).contains(&key.len()))
        .map(SecretSlice::from)
        .ok_or_else(|| {
            let reason = "it must be whsec_ followed by the base64 of 24 to 64 bytes";
            ConfigError::at(name, reason)
        })
}

#[async_trait]
impl Channel for Webhook {
    fn kind(&self) -> ChannelKind {
        ChannelKind::webhook()
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        parse_url(raw.trim(), &self.guard, !self.append_id)
    }

    fn host<'a>(&self, address: &'a Address) -> Option<Cow<'a, str>> {
        authority(address.as_str()).map(Cow::Borrowed)
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let answer = self.client.send(self.request(message)?).await?;
        if !answer.status.is_success() {
            return Err(refused(&answer, message));
        }
        Ok(Accepted::delivered(format!(
            "answered {}",
            answer.status.as_u16()
        )))
    }
}

/// Time after the first attempt in which a message is retried on a 404: longer than a deployment takes,
/// and short enough not to hide a mistyped URL for a day.
const NOT_FOUND_FOR: Duration = Duration::from_secs(10 * 60);

/// Maps an error response to a send error.
fn refused(answer: &Answer, message: &OutboundMessage) -> SendError {
    let tried_for = message.at.since(message.first_attempt_at);
    match answer.status.as_u16() {
        404 if tried_for < NOT_FOUND_FOR => answer.deferred(Deferral::Recipient, answer.detail()),
        // One application asks to wait; others on the same host are not affected.
        503 if answer.retry_after.is_some() => {
            answer.deferred(Deferral::Recipient, answer.detail())
        }
        _ => refusal(answer),
    }
}

#[cfg(test)]
mod tests {
    use redflash_core::clock::Timestamp;
    use redflash_core::model::{DeliveryId, NotificationId};

    use super::*;

    fn webhook(config: WebhookConfig) -> Webhook {
        Webhook::new(config).unwrap()
    }

    #[test]
    fn gives_each_host_its_own_lane() {
        let host = |url: &str| {
            let address = Address::new(url).unwrap();
            let webhook = webhook(WebhookConfig::default());
            webhook.host(&address).map(Cow::into_owned)
        };
        assert_eq!(host("https://a.example/b").as_deref(), Some("a.example"));
        assert_eq!(
            host("http://a.example:81?b").as_deref(),
            Some("a.example:81")
        );
    }

    #[test]
    fn appends_the_notification_id_to_the_path() {
        let now = Timestamp::from_millis(1_614_265_330_000);
        let id = NotificationId::new(now);
        for (address, path) in [
            ("https://a.example/", format!("/{id}")),
            ("https://a.example/b", format!("/b/{id}")),
            ("https://a.example/b?c=d", format!("/b/{id}?c=d")),
        ] {
            let message = OutboundMessage {
                notification: id,
                delivery: DeliveryId::new(id, 1),
                attempt: 1,
                first_attempt_at: now,
                at: now,
                to: Address::new(address).unwrap(),
                subject: String::new(),
                body: "a & b".into(),
                sender: None,
                link: None,
                origin: None,
            };
            let request = webhook(WebhookConfig::default()).request(&message).unwrap();
            assert_eq!(request.url.as_str(), format!("https://a.example{path}"));
            assert_eq!(
                request.body,
                format!("notification_id={id}&message=a+%26+b")
            );
            assert_eq!(request.headers["webhook-timestamp"], "1614265330");
            assert!(!request.headers.contains_key("webhook-signature"));
        }
    }

    /// The vector of the Standard Webhooks reference libraries.
    #[test]
    fn signatures_follow_standard_webhooks() {
        let webhook = webhook(WebhookConfig {
            signing_secret: Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()),
            previous_signing_secret: Some("whsec_Y2FuYXJ5LXdlYmhvb2stc2lnbmluZy1rZXk=".into()),
            ..WebhookConfig::default()
        });
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signature = webhook.signature(id, 1_614_265_330, r#"{"test": 2432232314}"#);
        let signature = signature.unwrap();
        let mut each = signature.split(' ');
        assert_eq!(
            each.next(),
            Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        );
        assert!(each.next().is_some(), "both secrets sign");
    }

    #[test]
    fn rejects_invalid_signing_secrets() {
        for bad in ["", "plain", "whsec_!!!", "whsec_c2hvcnQ="] {
            let config = WebhookConfig {
                signing_secret: Some(bad.into()),
                ..WebhookConfig::default()
            };
            let error = Webhook::new(config).unwrap_err();
            assert_eq!(error.key.as_deref(), Some("signing_secret"), "{bad}");
        }
    }
}
