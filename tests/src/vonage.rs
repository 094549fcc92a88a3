//! An SMS gateway that speaks the Vonage SMS API.
//!
//! The rules are those of Vonage's published `OpenAPI` description of the SMS API (version 1.2.0) and
//! of its guides on concatenation and delivery receipts.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::peer::{Received, Reply};
use crate::simulator::{Rules, Simulator};

/// A simulated Vonage account: it checks each request against the vendor's rules, answers with the
/// programmed status (0, accepted, by default), and records what would have been sent.
#[derive(Debug)]
pub struct Vonage(Simulator);

/// The documented rules of `POST /sms/json`.
pub const VONAGE: Rules = Rules {
    faults,
    refuse: |faults| answered("3", faults),
    accept: |request, number| {
        Reply::body(200, accepted(&request.form(), number).to_string())
            .with("Content-Type", "application/json")
    },
};

impl Vonage {
    /// The account's key.
    pub const API_KEY: &str = "a1b2c3d4";
    /// The account's secret.
    pub const API_SECRET: &str = "canary-vonage-5EcRe7";
    /// The price of one part.
    pub const PRICE: &str = "0.03330000";

    /// Starts one on a port of its own.
    pub async fn start() -> Self {
        Self(Simulator::start(VONAGE).await)
    }

    /// Returns the URL that it listens on.
    pub const fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// The gateway's table in the configuration, with a sender that everybody may use.
    pub fn gateway(&self, name: &str) -> String {
        format!(
            "name = \"{name}\"\ntype = \"vonage\"\nbase_url = \"http://{}\"\n\
             api_key = \"{}\"\napi_secret = \"{}\"\nfrom = \"RedFlash\"",
            self.0.address(),
            Self::API_KEY,
            Self::API_SECRET,
        )
    }

    /// It answers one request more with this status of the send-status table.
    pub fn once_status(&self, status: u16) {
        self.once(Self::status(status));
    }

    /// The answer of this status of the send-status table.
    pub fn status(status: u16) -> Reply {
        answered(&status.to_string(), &format!("simulated status {status}"))
    }

    /// Programs the reaction to one more request, after those programmed before.
    pub fn once(&self, reply: Reply) {
        self.0.once(reply);
    }

    /// Every request so far.
    pub fn received(&self) -> Vec<Received> {
        self.0.received()
    }

    /// Waits until at least this many requests have arrived, and returns all.
    pub async fn expect(&self, count: usize) -> Vec<Received> {
        self.0.expect(count).await
    }

    /// Returns the faults of the requests so far.
    pub fn faults(&self) -> Vec<String> {
        self.0.faults()
    }

    /// The fields of a delivery receipt for a message it took.
    ///
    /// * `request` - the request with which the message came.
    /// * `message_id` - the id it gave the message.
    /// * `status`, `code` - of the vendor's receipt tables.
    pub fn receipt(
        request: &Received,
        message_id: &str,
        status: &str,
        code: u16,
    ) -> Vec<(&'static str, String)> {
        let sent = request.form();
        let field = |name: &str| sent.get(name).cloned().unwrap_or_default();
        vec![
            ("msisdn", field("to")),
            ("to", field("from")),
            ("network-code", "23410".into()),
            ("messageId", message_id.into()),
            ("price", "0.04440000".into()),
            ("status", status.into()),
            ("scts", "2611241200".into()),
            ("err-code", code.to_string()),
            ("api-key", Self::API_KEY.into()),
            ("client-ref", field("client-ref")),
            ("message-timestamp", "2026-11-24 12:00:00".into()),
        ]
    }
}

fn answered(status: &str, text: &str) -> Reply {
    let message = json!({ "to": "447700900000", "status": status, "error-text": text });
    let answer = json!({ "message-count": "1", "messages": [message] });
    Reply::body(200, answer.to_string())
}

/// The answer to a message that is taken: one element for each part.
fn accepted(form: &BTreeMap<String, String>, number: u32) -> Value {
    let parts = parts(
        &form["text"],
        form.get("type").map(String::as_str) == Some("unicode"),
    );
    let messages = (1..=parts).map(|part| {
        json!({
            "to": form["to"],
            "message-id": format!("{number:08X}{part:02X}"),
            "status": "0",
            "remaining-balance": "3.14159265",
            "message-price": Vonage::PRICE,
            "network": "23410",
            "client-ref": form.get("client-ref"),
        })
    });
    let messages: Vec<Value> = messages.collect();
    json!({ "message-count": messages.len().to_string(), "messages": messages })
}

/// The fields of a request, as far as they concern text messages.
const KNOWN: [&str; 16] = [
    "api_key",
    "api_secret",
    "from",
    "to",
    "text",
    "type",
    "status-report-req",
    "callback",
    "client-ref",
    "ttl",
    "message-class",
    "account-ref",
    "entity-id",
    "content-id",
    "timestamp",
    "sig",
];

/// Returns the violations of the vendor's rules in a request.
fn faults(request: &Received) -> Vec<String> {
    let form = request.form();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let mut faults = Vec::new();
    let mut rule = |holds: bool, text: &str| {
        if !holds {
            faults.push(format!("{text} in {form:?}"));
        }
    };
    rule(request.method == "POST", "the method is POST");
    rule(
        request.path == "/sms/json",
        "the path is /sms/json, without a query",
    );
    rule(
        request
            .header("content-type")
            .starts_with("application/x-www-form-urlencoded"),
        "the body is a form",
    );
    rule(
        form.keys().all(|name| KNOWN.contains(&&**name)),
        "there are known fields only",
    );
    rule(
        field("api_key") == Vonage::API_KEY,
        "api_key is the account's",
    );
    let signed = form.contains_key("sig") && form.contains_key("timestamp");
    rule(
        signed != form.contains_key("api_secret"),
        "there is either an api_secret or a signature",
    );
    rule(
        signed || field("api_secret") == Vonage::API_SECRET,
        "api_secret is the account's",
    );
    rule(is_number(field("to"), 7), "`to` is 7 to 15 digits");
    rule(
        is_sender(field("from")),
        "`from` is a number or up to 11 letters and digits",
    );
    rule(
        matches!(field("status-report-req"), "" | "true" | "false"),
        "status-report-req is a lower-case boolean",
    );
    rule(
        field("client-ref").len() <= 40,
        "client-ref has up to 40 characters",
    );
    rule(
        field("callback").len() <= 100,
        "callback has up to 100 characters",
    );
    rule(
        matches!(field("type"), "" | "text" | "unicode"),
        "type is text or unicode",
    );
    let unicode = field("type") == "unicode";
    rule(!field("text").is_empty(), "there is a text");
    rule(
        unicode != is_gsm(field("text")),
        "type is unicode exactly when the text has other characters than GSM 03.38",
    );
    rule(
        field("text").chars().count() <= 3200,
        "the text has up to 3200 characters",
    );
    faults
}

fn is_number(text: &str, least: usize) -> bool {
    (least..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_sender(text: &str) -> bool {
    let letters = text.replace(' ', "");
    let named = letters.len() <= 11 && letters.bytes().all(|b| b.is_ascii_alphanumeric());
    is_number(text, 1) || (!letters.is_empty() && named)
}

/// The basic alphabet of GSM 03.38.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡\
    ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Its extension, whose characters count twice.
const EXTENDED: &str = "|^€{}[]~\\\u{c}";

fn is_gsm(text: &str) -> bool {
    text.chars()
        .all(|c| BASIC.contains(c) || EXTENDED.contains(c))
}

/// Into how many parts a text is cut: 160 or 70 units go into one, 153 or 67 into each of several.
fn parts(text: &str, unicode: bool) -> usize {
    let (units, one, several) = if unicode {
        (text.encode_utf16().count(), 70, 67)
    } else {
        let twice = text.chars().filter(|c| EXTENDED.contains(*c)).count();
        (text.chars().count() + twice, 160, 153)
    };
    if units <= one {
        1
    } else {
        units.div_ceil(several)
    }
}
