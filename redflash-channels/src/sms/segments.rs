//! Message segmentation: the GSM 7-bit default alphabet (3GPP TS 23.038, section 6.2.1) or UCS-2, and
//! the size of a part (3GPP TS 23.040).

use redflash_core::message::Accepted;

use crate::ConfigError;

/// The alphabet in which a text is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// The GSM 7-bit default alphabet with its extension table.
    Gsm7,
    /// UCS-2, or rather UTF-16, for everything else.
    Ucs2,
}

/// The text of a message, truncated to the permitted number of parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SmsText {
    /// The text; a truncated one ends in an ellipsis.
    pub(crate) text: String,
    /// The alphabet that encodes it.
    pub(crate) alphabet: Alphabet,
    /// Number of parts in which the gateway sends it.
    pub(crate) parts: u32,
    /// Number of parts of the text before truncation.
    pub(crate) untruncated_parts: u32,
}

/// Default of `max_parts`.
pub(crate) const fn six_parts() -> u32 {
    6
}

/// Checks the key `max_parts`.
///
/// * `max` - the vendor's limit.
pub(crate) fn check_parts(parts: u32, max: u32) -> Result<(), ConfigError> {
    if (1..=max).contains(&parts) {
        return Ok(());
    }
    let reason = format!("it must be from 1 to {max}");
    Err(ConfigError::at("max_parts", reason))
}

impl SmsText {
    /// Returns the outcome of a message that the gateway accepted. The log shows `detail`, unless the
    /// text was truncated.
    pub(crate) fn accepted(&self, message_id: Option<String>, detail: String) -> Accepted {
        Accepted {
            message_id,
            parts: self.parts,
            price: None,
            delivered: false,
            detail: if self.untruncated_parts > self.parts {
                format!("cut to {} of {} parts", self.parts, self.untruncated_parts)
            } else {
                detail
            },
        }
    }
}

/// The basic table, without the escape character.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The extension table, whose characters take two septets each.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

impl Alphabet {
    /// Returns the smallest alphabet that has every character of a text.
    pub(crate) fn of(text: &str) -> Self {
        let known =
            |c: char| c.is_ascii_alphanumeric() || BASIC.contains(c) || EXTENSION.contains(c);
        if text.chars().all(known) {
            Self::Gsm7
        } else {
            Self::Ucs2
        }
    }

    /// Returns the number of code units of a character.
    fn width(self, c: char) -> usize {
        match self {
            Self::Gsm7 if EXTENSION.contains(c) => 2,
            Self::Gsm7 => 1,
            Self::Ucs2 => c.len_utf16(),
        }
    }

    /// Returns the code units of a message of one part, and of each part of a longer message.
    const fn capacity(self) -> (usize, usize) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Ucs2 => (70, 67),
        }
    }

    /// Returns the ellipsis at the end of a truncated text.
    const fn ellipsis(self) -> &'static str {
        match self {
            Self::Gsm7 => "...",
            Self::Ucs2 => "…",
        }
    }

    /// Returns the number of parts of a text. A character of two code units never spans two parts.
    fn parts(self, text: &str) -> u32 {
        let (single, part) = self.capacity();
        let widths = || text.chars().map(|c| self.width(c));
        if widths().sum::<usize>() <= single {
            return 1;
        }
        let mut parts = 1;
        let mut filled = 0;
        for width in widths() {
            if filled + width > part {
                parts += 1;
                filled = 0;
            }
            filled += width;
        }
        parts
    }
}

/// Truncates a text to at most `max_parts` parts.
pub(crate) fn fit(text: &str, max_parts: u32) -> SmsText {
    fit_in(Alphabet::of(text), text, max_parts)
}

/// Truncates a text as [`fit`] does, for a gateway whose requests name the alphabet. The alphabet must
/// have every character of the text.
pub(crate) fn fit_in(alphabet: Alphabet, text: &str, max_parts: u32) -> SmsText {
    let untruncated_parts = alphabet.parts(text);
    if untruncated_parts <= max_parts {
        return SmsText {
            text: text.to_owned(),
            alphabet,
            parts: untruncated_parts,
            untruncated_parts,
        };
    }
    // The longest prefix that fits together with the ellipsis.
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let cut = |end: usize| format!("{}{}", text[..end].trim_end(), alphabet.ellipsis());
    let fitting = ends.partition_point(|end| alphabet.parts(&cut(*end)) <= max_parts);
    let text = cut(ends[fitting.saturating_sub(1)]);
    SmsText {
        parts: alphabet.parts(&text),
        text,
        alphabet,
        untruncated_parts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (Alphabet, u32) {
        let sms = fit(text, u32::MAX);
        (sms.alphabet, sms.parts)
    }

    #[test]
    fn counts_parts_as_networks_do() {
        use Alphabet::{Gsm7, Ucs2};
        let cases = [
            (String::new(), (Gsm7, 1)),
            ("a".repeat(160), (Gsm7, 1)),
            ("a".repeat(161), (Gsm7, 2)),
            ("a".repeat(306), (Gsm7, 2)),
            ("a".repeat(307), (Gsm7, 3)),
            ("€".repeat(80), (Gsm7, 1)),
            ("€".repeat(81), (Gsm7, 2)),
            // 76 pairs, and one septet left over in the first part.
            ("€".repeat(153), (Gsm7, 3)),
            ("ж".repeat(70), (Ucs2, 1)),
            ("ж".repeat(71), (Ucs2, 2)),
            ("🔥".repeat(35), (Ucs2, 1)),
            ("🔥".repeat(36), (Ucs2, 2)),
            ("🔥".repeat(67), (Ucs2, 3)),
            ("a`".to_owned(), (Ucs2, 1)),
        ];
        for (text, expected) in cases {
            assert_eq!(parts(&text), expected, "{text}");
        }
    }

    #[test]
    fn alphabet_is_complete() {
        // 128 characters, less the escape.
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(EXTENSION.chars().count(), 10);
    }

    #[test]
    fn truncates_long_text_with_ellipsis() {
        let sms = fit(&"a".repeat(1000), 2);
        assert_eq!((sms.parts, sms.untruncated_parts), (2, 7));
        assert_eq!(sms.text.len(), 306);
        assert!(sms.text.ends_with("a..."));
        let sms = fit(&"ж".repeat(100), 1);
        assert_eq!(sms.text.chars().count(), 70);
        assert!(sms.text.ends_with("ж…"));
        let sms = fit(&"🔥".repeat(100), 1);
        assert_eq!(sms.parts, 1);
    }
}
