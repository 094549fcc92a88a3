//! The Vonage SMS API (formerly Nexmo), `POST /sms/json`: the channel `sms`.
//!
//! Facts are from the vendor's `OpenAPI` description of the SMS API (versions 1.0.10 and 1.2.0) and its
//! guides "Concatenation and Encoding", "Custom Sender ID" and "Delivery Receipts". The two tables
//! of numbers are different: `refused` reads the status of a send, `receipt_reason` the error
//! code of a delivery receipt.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::{
    Accepted, Address, AddressError, Callback, CallbackError, Capabilities, Channel, ChannelKind,
    OutboundMessage, Price, Receipt, ReceiptState, SendError, SenderError,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::gsm7::{Alphabet, Fitted, fit};
use crate::http::{Client, Guard, Request, account_refusal, endpoint, short};
use crate::{ConfigError, phone, sender};

/// How a Vonage account is used.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VonageConfig {
    /// The account's key.
    pub api_key: String,
    /// The account's secret.
    pub api_secret: SecretString,
    /// The sender: up to 15 digits, or up to 11 letters and digits.
    pub from: String,
    /// Where the API is; `https://rest.nexmo.com` by default.
    #[serde(default = "base_url")]
    pub base_url: Url,
    /// Into how many parts a text may be cut; what is longer loses its end. 6 by default.
    #[serde(default = "max_parts")]
    pub max_parts: u32,
    /// How long a hand-over may take; 10 s by default.
    #[serde(default = "timeout", with = "crate::duration")]
    pub timeout: Duration,
}

fn base_url() -> Url {
    Url::parse("https://rest.nexmo.com").expect("it is a URL")
}

const fn max_parts() -> u32 {
    6
}

const fn timeout() -> Duration {
    Duration::from_secs(10)
}

/// Sends texts through Vonage.
pub struct Vonage {
    config: VonageConfig,
    url: Url,
    client: Client,
}

impl fmt::Debug for Vonage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vonage")
            .field("url", &self.url.as_str())
            .field("from", &self.config.from)
            .finish_non_exhaustive()
    }
}

/// The answer to a send: one element for each part.
#[derive(Debug, Deserialize)]
struct Sent {
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
    /// A channel of this configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the key.
    pub fn new(config: VonageConfig) -> Result<Self, ConfigError> {
        if config.api_key.is_empty() {
            return Err(ConfigError::at("api_key", "it must not be empty"));
        }
        sender::check(&config.from).map_err(|fault| ConfigError::at("from", fault.to_string()))?;
        if !(1..=20).contains(&config.max_parts) {
            return Err(ConfigError::at("max_parts", "it must be from 1 to 20"));
        }
        let url = endpoint(&config.base_url, &["sms", "json"])?;
        let client = Client::new(Guard::open(), config.timeout)?;
        Ok(Self {
            config,
            url,
            client,
        })
    }

    fn request(&self, message: &OutboundMessage, fitted: &Fitted) -> Request {
        let kind = match fitted.alphabet {
            Alphabet::Gsm7 => "text",
            Alphabet::Ucs2 => "unicode",
        };
        let fields = [
            ("api_key", &*self.config.api_key),
            ("api_secret", self.config.api_secret.expose_secret()),
            ("from", message.sender.as_ref().unwrap_or(&self.config.from)),
            // The number goes without its plus.
            ("to", message.to.as_str().trim_start_matches('+')),
            ("text", &fitted.text),
            ("type", kind),
            ("client-ref", &message.delivery.to_string()),
        ];
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
            sender: true,
            ..Capabilities::default()
        }
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        phone::parse(raw)
    }

    fn check_sender(&self, sender: &str) -> Result<(), SenderError> {
        sender::check(sender)
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let fitted = fit(&message.body, self.config.max_parts);
        let answer = self.client.send(self.request(message, &fitted)).await?;
        if !answer.status.is_success() {
            return Err(account_refusal(&answer));
        }
        match answer.json::<Sent>() {
            Some(sent) if !sent.messages.is_empty() => outcome(&sent.messages, &fitted),
            _ => Err(SendError::Unknown(answer.detail().into())),
        }
    }

    fn parse_receipts(&self, callback: &Callback<'_>) -> Result<Vec<Receipt>, CallbackError> {
        let code = callback.field("err-code").unwrap_or_default();
        let state = match callback.field("status") {
            Some("delivered") => ReceiptState::Delivered,
            Some("failed" | "rejected" | "expired") => ReceiptState::Failed,
            None if code == "0" => ReceiptState::Delivered,
            // "accepted" and "buffered" are on the way, "unknown" says nothing.
            Some(_) | None => ReceiptState::Pending,
        };
        let status = callback.field("status").unwrap_or("no status");
        let detail = match receipt_reason(code) {
            Some(reason) => format!("{} ({code}: {reason})", short(status)),
            None => short(status),
        };
        Ok(vec![Receipt {
            message_id: callback.field("messageId").map(str::to_owned),
            delivery: callback.field("client-ref").and_then(|id| id.parse().ok()),
            state,
            of_part: true,
            price: callback.field("price").and_then(|price| price.parse().ok()),
            detail,
        }])
    }
}

/// What the answer for all parts together means.
fn outcome(parts: &[Part], fitted: &Fitted) -> Result<Accepted, SendError> {
    let failed: Vec<_> = parts.iter().filter(|part| part.status != "0").collect();
    let Some(first) = failed.first() else {
        return Ok(accepted(parts, fitted));
    };
    if failed.len() < parts.len() {
        let taken = parts.len() - failed.len();
        let reason = format!(
            "{taken} of {} parts were taken: {}",
            parts.len(),
            first.detail()
        );
        return Err(SendError::Unknown(reason.into()));
    }
    Err(refused(first))
}

fn accepted(parts: &[Part], fitted: &Fitted) -> Accepted {
    let mut detail = "status 0".to_owned();
    if fitted.whole > fitted.parts {
        detail = format!("cut to {} of {} parts", fitted.parts, fitted.whole);
    }
    Accepted {
        message_id: parts.iter().find_map(|part| part.message_id.clone()),
        parts: u32::try_from(parts.len()).unwrap_or(u32::MAX),
        price: total(parts),
        delivered: false,
        detail,
    }
}

/// The price of all parts; `None` unless each has one.
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

/// The send-status table.
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
        "5" => SendError::Unreachable(reason.into()),
        // Unknown prefix, number barred, number de-activated.
        "6" | "7" | "33" => SendError::InvalidAddress { reason },
        // Sender not allowed, destination not among those of a demo account.
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

/// The error codes of delivery receipts.
fn receipt_reason(code: &str) -> Option<&'static str> {
    Some(match code {
        "1" => "unknown failure",
        "2" => "absent for now",
        "3" => "absent for good",
        "4" => "barred by the user",
        "5" => "number portability error",
        "6" => "taken for spam",
        "7" => "handset busy",
        "8" => "network error",
        "9" => "illegal number, or opted out",
        "10" => "illegal message",
        "11" => "no route",
        "12" => "destination unreachable",
        "13" => "age restriction",
        "14" => "blocked by the carrier",
        "15" => "prepaid card without funds",
        "50" => "entity filter",
        "51" => "header filter",
        "52" => "content filter",
        "53" => "consent filter",
        "54" => "regulation error",
        "99" => "general error",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use redflash_core::Retry;

    use super::*;

    fn config() -> VonageConfig {
        VonageConfig {
            api_key: "a1b2c3d4".into(),
            api_secret: "canary".into(),
            from: "RedFlash".into(),
            base_url: base_url(),
            max_parts: max_parts(),
            timeout: timeout(),
        }
    }

    fn part(status: &str) -> Part {
        Part {
            status: status.into(),
            message_id: None,
            message_price: None,
            error_text: None,
        }
    }

    #[test]
    fn every_send_status_has_its_class() {
        use Retry::{After, Elsewhere, Never, StopGateway};
        for (status, retry) in [
            ("1", After(None)),
            ("2", Never),
            ("3", Never),
            ("4", StopGateway),
            ("5", After(None)),
            ("6", Never),
            ("7", Never),
            ("8", StopGateway),
            ("9", StopGateway),
            ("10", After(None)),
            ("11", StopGateway),
            ("12", Never),
            ("14", StopGateway),
            ("15", Elsewhere),
            ("22", Never),
            ("23", Never),
            ("29", Elsewhere),
            ("32", StopGateway),
            ("33", Never),
            ("77", Never),
            ("x", Never),
        ] {
            assert_eq!(refused(&part(status)).retry(), retry, "{status}");
        }
    }

    #[test]
    fn a_message_of_which_parts_were_taken_may_have_arrived() {
        let fitted = fit(&"a".repeat(200), 6);
        let fault = outcome(&[part("0"), part("1")], &fitted).unwrap_err();
        assert_eq!(fault.retry(), Retry::MayRepeat);
        let fault = outcome(&[part("1"), part("1")], &fitted).unwrap_err();
        assert_eq!(fault.retry(), Retry::After(None));
    }

    #[test]
    fn prices_add_up_and_nonsense_is_no_price() {
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

    #[test]
    fn impossible_settings_are_refused_by_their_key() {
        type Change = fn(&mut VonageConfig);
        let cases: [(&str, Change); 6] = [
            ("api_key", |config| config.api_key.clear()),
            ("from", |config| config.from = "A name too long".into()),
            ("from", |config| config.from = "+447700900000".into()),
            ("max_parts", |config| config.max_parts = 0),
            ("max_parts", |config| config.max_parts = 21),
            ("base_url", |config| {
                config.base_url = Url::parse("ftp://x/").unwrap();
            }),
        ];
        for (key, change) in cases {
            let mut config = config();
            change(&mut config);
            assert_eq!(Vonage::new(config).unwrap_err().key.as_deref(), Some(key));
        }
    }

    #[test]
    fn receipts_are_read_by_their_status() {
        use ReceiptState::{Delivered, Failed, Pending};
        let vonage = Vonage::new(config()).unwrap();
        let read = |fields: &[(&str, &str)]| {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            let fields: Vec<_> = fields.iter().map(own).collect();
            let callback = Callback {
                method: "POST",
                url: "",
                fields: &fields,
                headers: &[],
                body: &[],
            };
            vonage.parse_receipts(&callback).unwrap().remove(0)
        };
        for (status, state) in [
            ("delivered", Delivered),
            ("failed", Failed),
            ("rejected", Failed),
            ("expired", Failed),
            ("accepted", Pending),
            ("buffered", Pending),
            ("unknown", Pending),
            ("x", Pending),
        ] {
            let receipt = read(&[("status", status), ("err-code", "0"), ("messageId", "A1")]);
            assert_eq!(receipt.state, state, "{status}");
            assert_eq!(receipt.message_id.as_deref(), Some("A1"));
        }
        let receipt = read(&[("status", "rejected"), ("err-code", "9"), ("price", "-5")]);
        assert_eq!(receipt.detail, "rejected (9: illegal number, or opted out)");
        assert_eq!(receipt.price, None);
        assert_eq!(read(&[("err-code", "0")]).state, Delivered);
        assert_eq!(read(&[]).state, Pending);
    }

    #[test]
    fn the_secret_is_in_no_debug_output() {
        let vonage = Vonage::new(config()).unwrap();
        assert!(!format!("{vonage:?} {:?}", config()).contains("canary"));
    }
}
