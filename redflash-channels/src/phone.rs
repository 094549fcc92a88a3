//! Telephone numbers in international form (ITU-T E.164): `+` and up to 15 digits, country first.

use redflash_core::{Address, AddressError, CallbackError};

/// What numbers begin with that cost whoever sends to them extra: the international service (ITU-T
/// E.169.2), and what national plans set apart: 900 in North America, 09 in Britain, 0900 in Germany,
/// 0900, 0901 and 0906 in Switzerland, 089 in France, 190 in Australia.
const PREMIUM: [&str; 9] = [
    "979", "1900", "449", "49900", "41900", "41901", "41906", "3389", "61190",
];

/// Brings a number into its normal form, `+447700900000`.
///
/// Spaces, dots, dashes and brackets are dropped, and `00` at the beginning is taken for `+`. Numbers
/// of premium rate are refused.
pub(crate) fn parse(raw: &str) -> Result<Address, AddressError> {
    let compact: String = raw
        .chars()
        .filter(|c| !matches!(c, ' ' | '.' | '-' | '(' | ')' | '/'))
        .collect();
    let digits = match compact.strip_prefix("00") {
        Some(rest) => Some(rest),
        None => compact.strip_prefix('+'),
    };
    let legal = |digits: &&str| {
        (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0')
    };
    match digits.filter(legal) {
        Some(digits) if PREMIUM.iter().any(|range| digits.starts_with(range)) => {
            let reason = format!("+{digits} is a number of premium rate: nothing is sent there");
            Err(AddressError::new(reason))
        }
        Some(digits) => Address::new(format!("+{digits}")),
        None => Err(AddressError::new(format!(
            "{raw:?} is no telephone number: write it with its country, such as +447700900123, 7 to 15 digits"
        ))),
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
    fn numbers_of_premium_rate_are_refused() {
        for dear in [
            "+979123456789",
            "00 979 123 456 789",
            "+1 900 555 0123",
            "+449098790123",
        ] {
            let refusal = parse(dear).unwrap_err().to_string();
            assert!(refusal.contains("premium"), "{refusal}");
        }
        for ordinary in ["+19005", "+1 901 555 0123", "+447700900123", "+97912"] {
            let refused = parse(ordinary).is_err_and(|fault| fault.to_string().contains("premium"));
            assert!(!refused, "{ordinary}");
        }
        assert_eq!(origin("+979123456789").unwrap().as_str(), "+979123456789");
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
