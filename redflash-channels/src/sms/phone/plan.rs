//! Facts of national numbering plans, which distinguish a mistyped number from a possible one.

use redflash_core::model::AddressError;

/// Minimum and maximum number of digits after the listed country codes.
///
/// From the national plans that the ITU-T publishes (<https://www.itu.int/oth/T0202.aspx?parent=T0202>)
/// as summarized by libphonenumber 9.0, with gaps within a range filled. The ranges include the longer
/// numbers of machines, which can receive texts too, in Belgium, France, Spain, Denmark, Sweden and
/// Norway, and the `1` that mobile numbers in Mexico had until 2019. Country codes that are missing
/// here, such as new ones, have the bounds of E.164.
const LENGTHS: &[(usize, usize, &[&str])] = &[
    (4, 5, &["290"]),
    (4, 7, &["683", "690"]),
    (4, 10, &["98"]),
    (4, 11, &["352"]),
    (4, 12, &["598"]),
    (4, 13, &["43", "49"]),
    (5, 5, &["500", "682"]),
    (5, 6, &["247"]),
    (5, 7, &["676", "677", "678", "688"]),
    (5, 8, &["386", "686"]),
    (5, 10, &["27", "64", "685"]),
    (5, 11, &["31", "852"]),
    (5, 12, &["358", "47", "61", "971"]),
    (5, 13, &["82"]),
    (6, 6, &["298", "299", "672", "687"]),
    (6, 7, &["597"]),
    (
        6,
        9,
        &["252", "355", "376", "40", "421", "508", "681", "689"],
    ),
    (6, 10, &["48", "53", "880", "95"]),
    (6, 11, &["375", "595"]),
    (6, 12, &["359", "381", "39"]),
    (6, 13, &["46", "63"]),
    (
        7,
        7,
        &[
            "238", "239", "246", "248", "269", "291", "297", "592", "673", "674", "680", "691",
            "692",
        ],
    ),
    (
        7,
        8,
        &["241", "599", "670", "675", "853", "961", "965", "975"],
    ),
    (
        7,
        9,
        &[
            "220", "231", "245", "265", "354", "385", "423", "967", "968",
        ],
    ),
    (
        7,
        10,
        &[
            "230", "243", "254", "263", "267", "353", "372", "44", "84", "960",
        ],
    ),
    (7, 11, &["501", "503", "507", "679", "886", "974"]),
    (7, 12, &["86", "882", "972"]),
    (7, 13, &["62", "90"]),
    (
        8,
        8,
        &[
            "216", "222", "223", "226", "227", "228", "232", "235", "236", "253", "257", "266",
            "350", "356", "357", "370", "371", "373", "374", "389", "505", "509", "800", "808",
            "973", "993",
        ],
    ),
    (
        8,
        9,
        &[
            "213", "224", "233", "237", "250", "258", "264", "268", "36", "377", "382", "387",
            "51", "591", "962", "963",
        ],
    ),
    (
        8,
        10,
        &[
            "20", "378", "506", "60", "850", "855", "856", "964", "970", "976",
        ],
    ),
    (8, 11, &["502", "504", "55", "57", "593", "65", "977"]),
    (8, 12, &["383", "45", "883", "92"]),
    (8, 13, &["32", "66", "81", "91"]),
    (
        9,
        9,
        &[
            "211", "212", "218", "221", "240", "242", "244", "249", "251", "255", "256", "260",
            "261", "262", "351", "590", "594", "596", "93", "94", "979", "992", "994", "995",
            "998",
        ],
    ),
    (9, 10, &["380", "881", "966", "996"]),
    (9, 11, &["56"]),
    (9, 12, &["41", "420", "870"]),
    (9, 13, &["33", "34"]),
    (10, 10, &["1", "225", "229", "58"]),
    (10, 11, &["52", "54"]),
    (10, 12, &["234", "30"]),
    (10, 14, &["7"]),
    (11, 11, &["888"]),
    (12, 12, &["878"]),
];

/// Country codes whose numbers have a trunk zero that is left out when dialling from abroad. No number
/// there that is reachable from abroad begins with a zero.
const TRUNK_ZERO: &[&str] = &[
    "20", "211", "212", "213", "218", "231", "232", "233", "234", "243", "249", "251", "252",
    "254", "255", "256", "260", "261", "262", "263", "264", "265", "27", "291", "31", "32", "33",
    "353", "355", "358", "359", "370", "373", "374", "377", "380", "381", "382", "383", "385",
    "386", "387", "389", "40", "41", "421", "423", "43", "44", "46", "49", "508", "51", "53", "54",
    "55", "57", "58", "590", "591", "593", "594", "595", "596", "598", "60", "61", "62", "63",
    "64", "66", "686", "81", "82", "84", "850", "855", "856", "86", "880", "886", "90", "91", "92",
    "93", "94", "95", "961", "962", "963", "964", "966", "967", "970", "971", "972", "976", "977",
    "98", "994", "995", "996",
];

/// Country codes whose numbers may begin with a zero that is also dialled from abroad: Italy and the
/// Vatican, San Marino, and several African and Asian plans.
const LEADING_ZERO: &[&str] = &[
    "39", "225", "226", "227", "229", "241", "242", "250", "378", "379", "992",
];

/// A country code with its plan.
struct Plan {
    code: &'static str,
    least: usize,
    most: usize,
}

impl Plan {
    /// Returns the plan of a number without its plus. No country code is a prefix of another.
    fn of(digits: &str) -> Option<Self> {
        LENGTHS.iter().find_map(|&(least, most, codes)| {
            let code = codes.iter().find(|code| digits.starts_with(**code))?;
            Some(Self { code, least, most })
        })
    }
}

/// Returns true if a zero in brackets after this country code is dropped when dialling from abroad.
pub(super) fn has_optional_zero(code: &str) -> bool {
    let is_code = Plan::of(code).is_some_and(|plan| plan.code == code);
    is_code && !LEADING_ZERO.contains(&code)
}

/// Checks that a number, without its plus, can exist in its country.
///
/// # Errors
///
/// Returns an [`AddressError`] that describes the problem.
pub(super) fn check(digits: &str) -> Result<(), AddressError> {
    let Some(Plan { code, least, most }) = Plan::of(digits) else {
        return Ok(());
    };
    let national = &digits[code.len()..];
    if national.starts_with('0') && TRUNK_ZERO.contains(&code) {
        return Err(AddressError::new(format!(
            "+{digits} cannot be reached from abroad: leave out the 0 after +{code}"
        )));
    }
    if (least..=most).contains(&national.len()) {
        return Ok(());
    }
    let expected = if least == most {
        least.to_string()
    } else {
        format!("{least} to {most}")
    };
    Err(AddressError::new(format!(
        "+{digits} is not a valid phone number: +{code} is followed by {expected} digits, not by {}",
        national.len()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn country_codes_are_prefix_free() {
        let codes: Vec<_> = LENGTHS.iter().flat_map(|(_, _, codes)| *codes).collect();
        for (index, code) in codes.iter().enumerate() {
            for (other_index, other) in codes.iter().enumerate() {
                assert!(
                    index == other_index || !other.starts_with(**code),
                    "{code} {other}"
                );
            }
        }
        for (least, most, codes) in LENGTHS {
            for code in *codes {
                assert!(least <= most && code.len() + most <= 15, "{code}");
            }
        }
    }

    #[test]
    fn trunk_zeros_belong_to_known_plans_without_leading_zeros() {
        for code in TRUNK_ZERO {
            assert!(
                Plan::of(code).is_some_and(|plan| plan.code == *code),
                "{code}"
            );
            assert!(!LEADING_ZERO.contains(code), "{code}");
        }
    }
}
