//! Telephone numbers in international form (ITU-T E.164): `+` and up to 15 digits, country first.

mod plan;

use redflash_core::{Address, AddressError, CallbackError};

/// Brings a number into its normal form, `+447700900000`.
///
/// Spaces, dots, dashes and brackets are dropped, and `00` at the beginning is taken for `+`. A zero
/// in brackets behind the country, as in `+44 (0)7700 900000`, is dialled within the country only and
/// dropped too, but where numbers begin with a zero from abroad as well, as in Italy.
///
/// # Errors
///
/// [`AddressError`] for what is no number, or one that cannot exist in its country.
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
            "{raw:?} is not a telephone number: write it with its country, such as +447700900123, 7 to 15 digits"
        )));
    };
    plan::check(digits)?;
    Address::new(format!("+{digits}"))
}

/// A number without the optional trunk zero that follows its country.
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

/// Our own number, of a sender that is one.
pub(crate) fn own(sender: Option<&str>) -> Option<Address> {
    let digits = sender?.trim_start_matches('+');
    parse(&format!("+{digits}")).ok()
}

/// Who sent a message, as gateways write it: often without the plus. What is no number, such as a
/// short code, stands as it came.
pub(crate) fn origin(raw: &str) -> Result<Address, CallbackError> {
    parse(raw)
        .or_else(|_| parse(&format!("+{}", raw.trim())))
        .or_else(|_| Address::new(raw.trim()))
        .map_err(|_| CallbackError::Malformed("it does not say who sent it".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_form() {
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
    fn optional_trunk_zeros_are_dropped() {
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
            // Behind anything but the country it is a digit like others.
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
    fn numbers_of_impossible_length_are_refused() {
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
            // Of a country code that no plan is known of.
            "+210123456789",
        ] {
            assert_eq!(parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn a_message_comes_from_a_number_or_a_short_code() {
        for same in ["+447700900123", "447700900123", " 447700900123"] {
            assert_eq!(origin(same).unwrap().as_str(), "+447700900123", "{same}");
        }
        for other in ["60300", "CARRIER"] {
            assert_eq!(origin(other).unwrap().as_str(), other);
        }
        assert!(origin(" ").is_err());
    }

    #[test]
    fn what_is_no_number_is_refused() {
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
            assert!(parse(bad).is_err(), "{bad} was taken");
        }
    }
}
