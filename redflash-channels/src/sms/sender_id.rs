//! Who a text message says it comes from: a number, or a short name.

use std::borrow::Cow;

use redflash_core::SenderError;

use crate::ConfigError;

/// Checks a sender against what networks take: up to 15 digits, or up to 11 letters, digits and
/// spaces of which one at least is no space (3GPP TS 23.040, section 9.1.2.5).
pub(crate) fn check(sender: &str) -> Result<(), SenderError> {
    let number = sender.len() <= 15 && sender.bytes().all(|b| b.is_ascii_digit());
    let name = sender.len() <= 11
        && sender
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b' ');
    if !sender.trim().is_empty() && (number || name) {
        return Ok(());
    }
    Err(SenderError::new(
        "a sender is up to 15 digits, or up to 11 letters and digits",
    ))
}

/// The same, where a number may also have its plus.
pub(crate) fn check_international(sender: &str) -> Result<(), SenderError> {
    match sender.strip_prefix('+') {
        Some(digits) if is_number(digits) => Ok(()),
        _ => check(sender),
    }
}

/// What is wrong with a table's `from`.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what map_err hands over"
)]
pub(crate) fn wrong(error: SenderError) -> ConfigError {
    ConfigError::at("from", error.to_string())
}

/// A sender for gateways that want a number with its plus, and short codes and names as they are.
pub(crate) fn with_plus(sender: &str) -> Cow<'_, str> {
    if is_number(sender) {
        Cow::Owned(format!("+{sender}"))
    } else {
        Cow::Borrowed(sender)
    }
}

/// What kind of sender it is, in the words that several vendors share.
pub(crate) fn kind(sender: &str) -> &'static str {
    if sender.starts_with('+') {
        "INTERNATIONAL"
    } else if sender.bytes().all(|b| b.is_ascii_digit()) {
        "SHORTCODE"
    } else {
        "ALPHANUMERIC"
    }
}

/// Whether it is a number with its country, not the short code of a network.
fn is_number(sender: &str) -> bool {
    (7..=15).contains(&sender.len()) && sender.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_a_number_or_a_short_name() {
        for good in ["RedFlash", "Red Flash 1", "447700900123", "123456789012345"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "  ",
            "+447700900123",
            "A name too long",
            "1234567890123456",
            "Größe",
        ] {
            assert!(check(bad).is_err(), "{bad} was taken");
        }
    }
    #[test]
    fn a_number_has_its_plus_where_that_is_wanted() {
        for (sender, written, known_as) in [
            ("447700900123", "+447700900123", "INTERNATIONAL"),
            ("+447700900123", "+447700900123", "INTERNATIONAL"),
            ("60300", "60300", "SHORTCODE"),
            ("RedFlash", "RedFlash", "ALPHANUMERIC"),
        ] {
            assert_eq!(check_international(sender), Ok(()));
            assert_eq!(with_plus(sender), written);
            assert_eq!(kind(written), known_as);
        }
        for bad in [
            "+",
            "+60300",
            "+4477009001234567",
            "+RedFlash",
            "A name too long",
        ] {
            assert!(check_international(bad).is_err(), "{bad} was taken");
        }
    }
}
