//! The Vonage Messages API, version 1, `POST /v1/messages`, for text messages: the channel `sms`.
//!
//! Facts are from the vendor's `OpenAPI` description of the Messages API (1.4.0), its guide "Signed
//! Webhooks" and its page of errors of that API. A text has up to 1000 characters, which six parts
//! never exceed. Callbacks have the format [`messages`](super::CallbackFormat).
//!
//! An account authenticates with its key and secret, or one of its applications with a token that the
//! application's private key signs for each message.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::Receipt;
use redflash_core::gateway::{Authenticity, Callback, CallbackError, Capabilities, Channel};
use redflash_core::inbound::InboundMessage;
use redflash_core::message::{Accepted, Deferral, OutboundMessage, SendError, SenderError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::callback::{CallbackFormat, Callbacks, secrets};
use super::signature::SignatureMethod;
use crate::ConfigError;
use crate::crypto::jwt::Signer;
use crate::http::{
    Answer, Client, Guard, HttpOptions, Request, account_refusal_by_403, basic, callback_url,
    endpoint,
};
use crate::sms::segments::{Alphabet, SmsText, check_parts, fit};
use crate::sms::{phone, sender_id};

/// Configuration of a Vonage account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VonageMessagesConfig {
    /// The account's key, which goes with `api_secret`.
    #[serde(default)]
    pub api_key: Option<String>,
    /// The account's secret.
    #[serde(default)]
    pub api_secret: Option<SecretString>,
    /// The id of an application, which goes with `private_key`, instead of the account's key.
    #[serde(default)]
    pub application_id: Option<String>,
    /// The application's private RSA key, in PEM.
    #[serde(default)]
    pub private_key: Option<SecretString>,
    /// The secret that signs callbacks, from the account's settings; without it they are not checked.
    #[serde(default)]
    pub signature_secret: Option<SecretString>,
    /// The previous secret, while callbacks may still be signed with it.
    #[serde(default)]
    pub previous_signature_secret: Option<SecretString>,
    /// The URL for statuses; that of the account's settings by default.
    #[serde(default)]
    pub callback_url: Option<SecretString>,
    /// The sender: up to 15 digits, or up to 11 letters and digits.
    pub from: String,
    /// The base URL of the API; `https://api.nexmo.com` by default.
    #[serde(default = "base_url")]
    pub base_url: Url,
    /// Maximum number of parts of a message, up to 6; a longer text is truncated. 6 by default.
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
    Url::parse("https://api.nexmo.com").expect("it is a URL")
}

/// Sends texts through Vonage's Messages API.
pub struct VonageMessages {
    config: VonageMessagesConfig,
    credentials: Credentials,
    callbacks: Callbacks,
    url: Url,
    client: Client,
}

/// The credentials of requests.
enum Credentials {
    Account(HeaderValue),
    Application { id: String, key: Signer },
}

impl fmt::Debug for VonageMessages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VonageMessages")
            .field("url", &self.url.as_str())
            .field("from", &self.config.from)
            .finish_non_exhaustive()
    }
}

/// The response to an accepted message.
#[derive(Deserialize)]
struct SendResponse {
    message_uuid: String,
}

/// An error response (RFC 9457).
#[derive(Default, Deserialize)]
struct Problem {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    invalid_parameters: Vec<InvalidParameter>,
}

#[derive(Deserialize)]
struct InvalidParameter {
    #[serde(default)]
    name: String,
}

impl Credentials {
    fn new(config: &VonageMessagesConfig) -> Result<Self, ConfigError> {
        let of_account = (config.api_key.as_deref(), config.api_secret.as_ref());
        let of_application = (config.application_id.as_deref(), &config.private_key);
        match (of_account, of_application) {
            ((Some(key), Some(secret)), (None, None)) => {
                if key.is_empty() || key.contains(':') {
                    return Err(ConfigError::at(
                        "api_key",
                        "it must not be empty or contain a colon",
                    ));
                }
                if secret.expose_secret().is_empty() {
                    return Err(ConfigError::at("api_secret", "it must not be empty"));
                }
                Ok(Self::Account(basic(key, secret)))
            }
            ((None, None), (Some(id), Some(key))) => {
                if id.is_empty() {
                    return Err(ConfigError::at("application_id", "it must not be empty"));
                }
                let reason = "it must be a private RSA key in PEM";
                let key =
                    Signer::from_pem(key).ok_or_else(|| ConfigError::at("private_key", reason))?;
                let id = id.to_owned();
                Ok(Self::Application { id, key })
            }
            _ => {
                let reason = "set api_key and api_secret, or application_id and private_key";
                Err(ConfigError::at("api_key", reason))
            }
        }
    }

    /// Returns the value of `Authorization` for an attempt.
    fn header(&self, message: &OutboundMessage) -> Result<HeaderValue, SendError> {
        /// The lifetime of a token in seconds: the vendor's default.
        const LIFETIME: i64 = 15 * 60;
        match self {
            Self::Account(header) => Ok(header.clone()),
            Self::Application { id, key } => {
                let now = message.at.as_millis().div_euclid(1000);
                let claims = json!({
                    "application_id": id,
                    "iat": now,
                    "exp": now + LIFETIME,
                    // Two attempts never share a token.
                    "jti": format!("{}-{}", message.delivery, message.attempt),
                });
                let token = key.sign(&claims).and_then(|token| {
                    let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
                    value.set_sensitive(true);
                    Some(value)
                });
                token.ok_or_else(|| SendError::Unreachable("cannot sign a token".into()))
            }
        }
    }
}

impl VonageMessages {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: VonageMessagesConfig) -> Result<Self, ConfigError> {
        sender_id::check(&config.from).map_err(sender_id::invalid_from)?;
        check_parts(config.max_parts, 6)?;
        if let Some(url) = &config.callback_url {
            callback_url(url)?;
        }
        let callbacks = Callbacks {
            format: CallbackFormat::Messages,
            method: SignatureMethod::default(),
            secrets: secrets(
                config.signature_secret.as_ref(),
                config.previous_signature_secret.as_ref(),
            )?,
        };
        Ok(Self {
            credentials: Credentials::new(&config)?,
            callbacks,
            url: endpoint(&config.base_url, &["v1", "messages"])?,
            client: Client::new(Guard::open(), config.timeout, &config.http)?,
            config,
        })
    }

    fn request(&self, message: &OutboundMessage, sms: &SmsText) -> Result<Request, SendError> {
        let encoding = match sms.alphabet {
            Alphabet::Gsm7 => "text",
            Alphabet::Ucs2 => "unicode",
        };
        let mut document = json!({
            "message_type": "text",
            "channel": "sms",
            // Numbers have no plus.
            "to": message.to.as_str().trim_start_matches('+'),
            "from": message.sender.as_ref().unwrap_or(&self.config.from),
            "text": sms.text,
            "client_ref": message.delivery.to_string(),
            "sms": { "encoding_type": encoding },
        });
        if let Some(url) = &self.config.callback_url {
            document["webhook_url"] = url.expose_secret().into();
            document["webhook_version"] = "v1".into();
        }
        let request = Request::json(self.url.clone(), &document, message.at);
        Ok(request.header(AUTHORIZATION, self.credentials.header(message)?))
    }
}

#[async_trait]
impl Channel for VonageMessages {
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
        let request = self.request(message, &sms)?;
        let answer = self.client.send(request).await?;
        if !answer.status.is_success() {
            return Err(refused(&answer));
        }
        let response: Option<SendResponse> = answer.json();
        let response = response.ok_or_else(|| SendError::Unknown(answer.detail().into()))?;
        let detail = format!("answered {}", answer.status.as_u16());
        Ok(sms.accepted(Some(response.message_uuid), detail))
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

/// Maps an error response to a send error, by the number at the end of its type, the parameter it names,
/// or its status.
fn refused(answer: &Answer) -> SendError {
    let reason = answer.detail();
    let problem: Problem = answer.json().unwrap_or_default();
    let names = |name: &str| {
        problem
            .invalid_parameters
            .iter()
            .any(|parameter| parameter.name == name)
    };
    match problem.kind.rsplit('#').next().unwrap_or_default() {
        "1000" => answer.rate_limited(reason),
        // An internal error of the vendor; no connection to the network.
        "1030" | "1100" => answer.deferred(Deferral::Message, reason),
        // Unknown prefix, number barred, invalid number.
        "1040" | "1050" | "1170" => SendError::InvalidAddress { reason },
        // Account barred, no credit, not enabled.
        "1060" | "1070" | "1080" => SendError::Unauthorized { reason },
        // Sender not allowed, feature not allowed, destination not permitted in a demo account.
        "1120" | "1140" | "1160" => SendError::Unroutable { reason },
        _ if names("to") => SendError::InvalidAddress { reason },
        _ if names("from") => SendError::Unroutable { reason },
        _ => account_refusal_by_403(answer),
    }
}
