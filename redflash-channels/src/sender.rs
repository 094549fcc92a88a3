//! Who a text message says it comes from: a number, or a short name.

use redflash_core::SenderError;

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
}
