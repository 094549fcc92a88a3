//! Texts in a mail's head that would be taken for encoded words (RFC 2047), and are none.
//!
//! Words in plain ASCII go out as they are, so that a text such as `=?utf-8?q?=41?=` would be read as
//! something else than what the alert says. Such a text is encoded as a whole.

use std::fmt;

use email_encoding::headers::rfc2047;
use email_encoding::headers::writer::EmailWriter;
use lettre::message::Mailbox;
use lettre::message::header::{HeaderName, HeaderValue};

/// Returns true if a text may be mistaken for one that contains an encoded word.
pub(super) fn looks_like_one(text: &str) -> bool {
    text.contains("=?")
}

/// The header `Subject` with all of this text encoded.
pub(super) fn subject(text: String) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str("Subject");
    let encoded = encode(name.len() + ": ".len(), &text, "");
    HeaderValue::dangerous_new_pre_encoded(name, text, encoded)
}

/// A header of a mailbox whose display name has to be encoded; `None` where it has not.
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

/// The text as encoded words, then another as it is.
///
/// * `used` - characters of the first line that are taken.
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
    written.expect("a text takes all that is written to it");
    drop(writer);
    encoded
}
