//! Texts in mail headers that look like encoded words (RFC 2047), but are not.
//!
//! Words in plain ASCII are sent unchanged, so a mail reader would decode a text such as
//! `=?utf-8?q?=41?=`. Such a text is encoded as a whole.

use std::fmt;

use email_encoding::headers::rfc2047;
use email_encoding::headers::writer::EmailWriter;
use lettre::message::Mailbox;
use lettre::message::header::{HeaderName, HeaderValue};

/// Returns true if a text may be mistaken for one that contains an encoded word.
pub(super) fn looks_like_one(text: &str) -> bool {
    text.contains("=?")
}

/// Returns the header `Subject` with the whole text encoded.
pub(super) fn subject(text: String) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str("Subject");
    let encoded = encode(name.len() + ": ".len(), &text, "");
    HeaderValue::dangerous_new_pre_encoded(name, text, encoded)
}

/// Returns the header of a mailbox whose display name has to be encoded; `None` if it has not.
pub(super) fn mailbox(name: &'static str, mailbox: &Mailbox) -> Option<HeaderValue> {
    let display = mailbox
        .name
        .as_deref()
        .filter(|text| looks_like_one(text))?;
    let name = HeaderName::new_from_ascii_str(name);
    let encoded = encode(
        name.len() + ": ".len(),
        display,
        &format!("<{}>", mailbox.email),
    );
    let raw = mailbox.to_string();
    Some(HeaderValue::dangerous_new_pre_encoded(name, raw, encoded))
}

/// Returns the text as encoded words, followed by another text unchanged.
///
/// * `used` - number of characters in use on the first line.
fn encode(used: usize, text: &str, then: &str) -> String {
    let mut encoded = String::new();
    let mut writer = EmailWriter::new(&mut encoded, used, 0, false);
    let written = rfc2047::encode(text, &mut writer).and_then(|()| {
        if then.is_empty() {
            return Ok(());
        }
        writer.space();
        fmt::Write::write_str(&mut writer.folding(), then)
    });
    written.expect("writing to a String cannot fail");
    drop(writer);
    encoded
}
