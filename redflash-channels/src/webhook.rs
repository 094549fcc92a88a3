//! Webhooks: the channel `webhook`.
//!
//! A message is `POST {address}/{notification id}` with the form fields `notification_id` and
//! `message`, and any 2xx answer, customarily 201 or 200, is proof that it arrived.
//!
//! A receiver that is being deployed answers 404 for a while: until ten minutes after the first attempt
//! that is "later", then it is for good, as 410 is at once. 408, 425 and 429 are "later" too, and a
//! redirect is not followed. 401, 403 and 407 refuse us, not the message: another gateway of the channel
//! may send it, and it is tried again.
//!
//! The headers are those of the Standard Webhooks specification 1.0.0: `webhook-id` (the delivery,
//! the same on every attempt, so that a receiver can tell a repeat), `webhook-timestamp` (Unix
//! seconds of the attempt) and, with a signing secret, `webhook-signature`: `v1,` and the base64 of
//! HMAC-SHA256 over `{id}.{timestamp}.{body}`, once for each live secret.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use ipnet::IpNet;
use redflash_core::{
    Accepted, Address, AddressError, Channel, ChannelKind, Deferral, OutboundMessage, SendError,
};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::Deserialize;
use sha2::Sha256;
use url::{Host, Url};

use crate::ConfigError;
use crate::http::{Answer, Client, Guard, Request, refusal};

/// How webhooks are sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookConfig {
    /// Networks that are not public and may be dialled all the same; none by default.
    pub allow_networks: Vec<IpNet>,
    /// The secret that signs, `whsec_` and the base64 of 24 to 64 bytes.
    pub signing_secret: Option<SecretString>,
    /// The secret that signed before, which signs beside the new one while receivers change over.
    pub previous_signing_secret: Option<SecretString>,
    /// How long a hand-over may take from the resolving of the name to the end of the answer;
    /// 10 s by default.
    #[serde(with = "crate::duration")]
    pub timeout: Duration,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self {
            allow_networks: Vec::new(),
            signing_secret: None,
            previous_signing_secret: None,
            timeout: Duration::from_secs(10),
        }
    }
}

/// Sends webhooks.
pub struct Webhook {
    client: Client,
    guard: Guard,
    keys: Vec<SecretSlice<u8>>,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("guard", &self.guard)
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

impl Webhook {
    /// A channel of this configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when a secret is none, or when this machine trusts no certificates.
    pub fn new(config: WebhookConfig) -> Result<Self, ConfigError> {
        let WebhookConfig {
            allow_networks,
            signing_secret,
            previous_signing_secret,
            timeout,
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
            client: Client::new(guard.clone(), timeout)?,
            guard,
            keys,
        })
    }

    /// The signatures of a body, or `None` without a secret.
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
            Url::parse(message.to.as_str()).map_err(|fault| invalid(fault.to_string()))?;
        url.path_segments_mut()
            .map_err(|()| invalid("it has no path".into()))?
            .pop_if_empty()
            .push(&message.notification.to_string());
        let notification = message.notification.to_string();
        let fields = [
            ("notification_id", &*notification),
            ("message", &message.body),
        ];
        let mut request = Request::form(url, &fields, message.at);
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

fn signing_key(name: &str, secret: &SecretString) -> Result<SecretSlice<u8>, ConfigError> {
    let text = secret.expose_secret();
    let encoded = text.strip_prefix("whsec_");
    let key = encoded.and_then(|text| BASE64_STANDARD.decode(text).ok());
    key.filter(|key| (24..=64).contains(&key.len()))
        .map(SecretSlice::from)
        .ok_or_else(|| {
            let reason = "a signing secret is whsec_ followed by the base64 of 24 to 64 bytes";
            ConfigError::at(name, reason)
        })
}

#[async_trait]
impl Channel for Webhook {
    fn kind(&self) -> ChannelKind {
        ChannelKind::webhook()
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        parse_url(raw.trim(), &self.guard)
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

/// How long after its first attempt a message may meet a 404: longer than a deployment takes, and short
/// enough that a mistyped URL is not hidden for a day.
const NOT_FOUND_FOR: Duration = Duration::from_secs(10 * 60);

/// The meaning of a refusal.
fn refused(answer: &Answer, message: &OutboundMessage) -> SendError {
    let tried_for = message.at.since(message.first_attempt_at);
    match answer.status.as_u16() {
        404 if tried_for < NOT_FOUND_FOR => answer.deferred(Deferral::Recipient, answer.detail()),
        _ => refusal(answer),
    }
}

/// Brings a URL into its normal form, as long as no network but the public one may be dialled.
pub(crate) fn parse_address(raw: &str) -> Result<Address, AddressError> {
    parse_url(raw.trim(), &Guard::new(&[]))
}

/// The host, with its port unless that is the scheme's own, in a URL of normal form.
fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split(['/', '?']).next()
}

/// Brings a URL into its normal form: host in lower case, no port that goes without saying, no
/// slash at the end of a path.
fn parse_url(raw: &str, guard: &Guard) -> Result<Address, AddressError> {
    let refuse = |reason: &str| Err(AddressError::new(reason));
    // The parser drops some of these, so that what is checked would not be what was typed.
    if raw.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return refuse("a webhook's address holds no white space");
    }
    let mut url = Url::parse(raw).map_err(|fault| {
        AddressError::new(format!(
            "{raw:?} is no URL ({fault}): write it as https://hooks.example.org/alerts"
        ))
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("a webhook's address starts with https:// or http://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse(
            "a webhook's address holds no user name or password: they would be shown in the log",
        );
    }
    if url.port() == Some(0) {
        return refuse("nothing listens on port 0");
    }
    let literal = match url.host() {
        None => return refuse("a webhook's address names a host"),
        Some(Host::Ipv4(v4)) => Some(v4.into()),
        Some(Host::Ipv6(v6)) => Some(v6.into()),
        Some(Host::Domain(name)) => is_localhost(name).then_some([127, 0, 0, 1].into()),
    };
    if let Some(address) = literal {
        let judged = guard.check(address);
        judged.map_err(|blocked| AddressError::new(blocked.to_string()))?;
    }
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Address::new(url)
}

/// Names that always mean the machine itself (RFC 6761, section 6.3).
fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use redflash_core::{DeliveryId, NotificationId, Timestamp};

    use super::*;

    fn webhook(config: WebhookConfig) -> Webhook {
        Webhook::new(config).unwrap()
    }

    fn parse(raw: &str) -> Result<String, String> {
        let address = webhook(WebhookConfig::default()).parse_address(raw);
        address
            .map(|address| address.as_str().to_owned())
            .map_err(|fault| fault.to_string())
    }

    #[test]
    fn equal_places_have_equal_addresses() {
        let normal = "https://hooks.example.org/alerts";
        for same in [
            "https://hooks.example.org/alerts",
            " https://hooks.example.org/alerts/ ",
            "HTTPS://Hooks.Example.org:443/alerts//#top",
            "https://hooks.example.org/x/../alerts",
        ] {
            assert_eq!(parse(same).as_deref(), Ok(normal), "{same}");
        }
        let with_query = "https://hooks.example.org/a?b=c";
        assert_eq!(parse(with_query).as_deref(), Ok(with_query));
    }

    #[test]
    fn what_is_no_webhook_is_refused() {
        for bad in [
            "",
            "hooks.example.org",
            "//hooks.example.org/",
            "javascript:alert(1)",
            "ftp://hooks.example.org/",
            "https://",
            "https://a b/",
            "http://hooks.example:99999/",
            "http://hooks.example:0/",
            "https://me:secret@hooks.example.org/",
            "http://\t127.0.0.1/",
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0177.0.0.1/",
            "http://①②⑦.0.0.1/",
            "http://[::1]/",
            "http://0/",
            "http://[2002:c0a8:0001::1]/",
            "http://localhost./",
            "http://a.localhost/",
            "http://169.254.169.254/latest",
        ] {
            assert!(parse(bad).is_err(), "{bad} was taken");
        }
        assert!(
            parse("http://10.0.0.1/")
                .unwrap_err()
                .contains("allow_networks")
        );
    }

    #[test]
    fn each_host_is_a_lane_of_its_own() {
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
    fn the_notification_is_added_to_the_path() {
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
    fn signatures_are_those_of_standard_webhooks() {
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
    fn a_signing_secret_is_checked() {
        for bad in ["", "plain", "whsec_!!!", "whsec_c2hvcnQ="] {
            let config = WebhookConfig {
                signing_secret: Some(bad.into()),
                ..WebhookConfig::default()
            };
            let fault = Webhook::new(config).unwrap_err();
            assert_eq!(fault.key.as_deref(), Some("signing_secret"), "{bad}");
        }
    }
}
