//! Phone numbers in international form (ITU-T E.164): `+` and up to 15 digits, country first.

mod plan;

use redflash_core::gateway::CallbackError;
use redflash_core::model::{Address, AddressError};

/// Normalizes a number to the form `+447700900000`.
///
/// Drops spaces, dots, dashes and brackets, and reads `00` at the beginning as `+`. Also drops a zero
/// in brackets after the country code, as in `+44 (0)7700 900000`, which is dialled only within the
/// country. Where numbers begin with a zero from abroad too, as in Italy, the zero stays.
///
/// # Errors
///
/// Returns an [`AddressError`] for a text that is not a number, or for a number that cannot exist in its
/// country.
pub(crate) fn parse(raw: &str) -> Result<Address, AddressError> {
    let compact: String = raw
        .chars()
        .filter(|c| !matches!(c, ' ' | '.' | '-' | '/'))
        .collect();
    let compact = without_optional_zero(&compact).replace(['(', ')'], "");
    let digits = match compact.strip_prefix("00") {
        Some(rest) => Some(rest),
        None => compact.strip_prefix('+'),
    };
    let legal = |digits: &&str| {
        (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0')
    };
    let Some(digits) = digits.filter(legal) else {
        return Err(AddressError::new(format!(
            "{raw:?} is not a valid phone number: write it with its country code and 7 to 15 digits, such as +447700900123"
        )));
    };
    plan::check(digits)?;
    Address::new(format!("+{digits}"))
}

/// Returns a number without the optional trunk zero after its country code.
fn without_optional_zero(compact: &str) -> String {
    let Some((before, after)) = compact.split_once("(0)") else {
        return compact.to_owned();
    };
    let country = before.replace(['(', ')'], "");
    let code = country
        .strip_prefix('+')
        .or_else(|| country.strip_prefix("00"));
    match code.filter(|code| plan::has_optional_zero(code)) {
        Some(code) => format!("+{code}{after}"),
        None => compact.to_owned(),
    }
}

/// Returns the address of a sender id that is a number.
pub(crate) fn own(sender: Option<&str>) -> Option<Address> {
    let digits = sender?.trim_start_matches('+');
    parse(&format!("+{digits}")).ok()
}

/// Parses the sender of an inbound message, which gateways often write without the plus. Keeps a sender
/// that is not a number, such as a short code, unchanged.
pub(crate) fn origin(raw: &str) -> Result<Address, CallbackError> {
    parse(raw)
        .or_else(|_| parse(&format!("+{}", raw.trim())))
        .or_else(|_| Address::new(raw.trim()))
        .map_err(|_| CallbackError::Malformed("it has no valid sender".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalizes_numbers() {
        for same in [
            "+447700900123",
            "00447700900123",
            " +44 7700 900-123 ",
            "+44(7700)900.123",
        ] {
            assert_eq!(parse(same).unwrap().as_str(), "+447700900123", "{same}");
        }
    }

    #[test]
    fn drops_optional_trunk_zeros() {
        for same in [
            "+44 (0)7700 900123",
            "0044 (0) 7700 900123",
            "+44(0)7700900123",
            "(+44) (0)7700-900123",
            "(0044)(0)7700 900123",
        ] {
            assert_eq!(parse(same).unwrap().as_str(), "+447700900123", "{same}");
        }
        for (written, number) in [
            ("+49 (0)171 1234567", "+491711234567"),
            ("+41 (0)79 123 45 67", "+41791234567"),
            ("+353 (0)87 123 4567", "+353871234567"),
            // After anything but the country code it is an ordinary digit.
            ("+49 89 1234 (0)", "+498912340"),
        ] {
            assert_eq!(parse(written).unwrap().as_str(), number, "{written}");
        }
    }

    #[test]
    fn italian_numbers_keep_their_zero() {
        for same in ["+39 06 6982 1234", "+39 (0)6 6982 1234", "0039 0669821234"] {
            assert_eq!(parse(same).unwrap().as_str(), "+390669821234", "{same}");
        }
        let abidjan = parse("+225 (0)7 07 12 34 56").unwrap();
        assert_eq!(abidjan.as_str(), "+2250707123456");
    }

    #[test]
    fn rejects_numbers_of_impossible_length() {
        for (bad, says) in [
            ("+44 07700 900123", "leave out the 0 after +44"),
            ("+49 0171 1234567", "leave out the 0 after +49"),
            ("+81 090 1234 5678", "leave out the 0 after +81"),
            (
                "+44 7700 900 1234",
                "+44 is followed by 7 to 10 digits, not by 11",
            ),
            ("+44 7700", "7 to 15 digits"),
            ("+44 77009", "+44 is followed by 7 to 10 digits, not by 5"),
            ("+1 212 555 012", "+1 is followed by 10 digits, not by 9"),
            ("+1 212 555 01234", "+1 is followed by 10 digits, not by 11"),
            (
                "+353 87 123 456789",
                "+353 is followed by 7 to 10 digits, not by 11",
            ),
            ("+4915112345678901", "7 to 15 digits"),
        ] {
            let reason = parse(bad).unwrap_err().to_string();
            assert!(reason.contains(says), "{bad}: {reason}");
        }
        for good in [
            "+12125550123",
            "+33612345678",
            "+4915112345678",
            "+5491123456789",
            "+861391234567",
            "+4790012345",
            "+47580012345678",
            "+2905123",
            // A country code without a known plan.
            "+210123456789",
        ] {
            assert_eq!(parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn reads_numbers_and_short_codes_as_senders() {
        for same in ["+447700900123", "447700900123", " 447700900123"] {
            assert_eq!(origin(same).unwrap().as_str(), "+447700900123", "{same}");
        }
        for other in ["60300", "CARRIER"] {
            assert_eq!(origin(other).unwrap().as_str(), other);
        }
        assert!(origin(" ").is_err());
    }

    #[test]
    fn rejects_text_that_is_not_a_number() {
        for bad in [
            "",
            "+",
            "07700900123",
            "7700900123",
            "+44",
            "+0447700900123",
            "+4477009001234567",
            "+44x7700900123",
            "+４４７７００９００１２３",
            "++447700900123",
            "+447700900123,+447700900124",
        ] {
            assert!(parse(bad).is_err(), "{bad} was accepted");
        }
    }
}
