//! Sender ids of text messages: a number, or a short name.

use std::borrow::Cow;

use redflash_core::message::SenderError;

use crate::ConfigError;

/// Checks a sender id against the rules of networks: up to 15 digits, or up to 11 letters, digits and
/// spaces, at least one of which is not a space (3GPP TS 23.040, section 9.1.2.5).
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
        "a sender ID has up to 15 digits, or up to 11 letters and digits",
    ))
}

/// Checks a sender id as [`check`] does, and permits a number with its plus.
pub(crate) fn check_international(sender: &str) -> Result<(), SenderError> {
    match sender.strip_prefix('+') {
        Some(digits) if is_number(digits) => Ok(()),
        _ => check(sender),
    }
}

/// Returns the configuration error of an invalid `from`.
#[expect(clippy::needless_pass_by_value, reason = "it is a callback of map_err")]
pub(crate) fn invalid_from(error: SenderError) -> ConfigError {
    ConfigError::at("from", error.to_string())
}

/// Returns a sender id for gateways that take numbers with a plus, and short codes and names unchanged.
pub(crate) fn with_plus(sender: &str) -> Cow<'_, str> {
    if is_number(sender) {
        Cow::Owned(format!("+{sender}"))
    } else {
        Cow::Borrowed(sender)
    }
}

/// Returns the kind of a sender id, in the terms that several vendors share.
pub(crate) fn kind(sender: &str) -> &'static str {
    if sender.starts_with('+') {
        "INTERNATIONAL"
    } else if sender.bytes().all(|b| b.is_ascii_digit()) {
        "SHORTCODE"
    } else {
        "ALPHANUMERIC"
    }
}

/// Returns true for a number with its country code, as opposed to a network's short code.
fn is_number(sender: &str) -> bool {
    (7..=15).contains(&sender.len()) && sender.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_numbers_and_short_names() {
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
            assert!(check(bad).is_err(), "{bad} was accepted");
        }
    }

    #[test]
    fn adds_plus_to_international_numbers_only() {
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
            assert!(check_international(bad).is_err(), "{bad} was accepted");
        }
    }
}
