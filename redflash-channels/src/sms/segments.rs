//! How a text fits into short messages: the GSM 7-bit default alphabet (3GPP TS 23.038, section
//! 6.2.1) or UCS-2, and the size of a part (3GPP TS 23.040).

use redflash_core::Accepted;

use crate::ConfigError;

/// The alphabet in which a text is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// The GSM 7-bit default alphabet with its extension table.
    Gsm7,
    /// UCS-2, or rather UTF-16, for everything else.
    Ucs2,
}

/// A text cut to what fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SmsText {
    /// The text; when it was cut, its last character is a mark.
    pub(crate) text: String,
    /// How it is written.
    pub(crate) alphabet: Alphabet,
    /// Into how many parts the gateway cuts it.
    pub(crate) parts: u32,
    /// Into how many parts the whole text would have been cut.
    pub(crate) whole: u32,
}

/// Into how many parts a text may be cut, where a table does not say.
pub(crate) const fn six_parts() -> u32 {
    6
}

/// Checks a table's `max_parts`.
///
/// * `most` - how many the vendor takes.
pub(crate) fn check_parts(parts: u32, most: u32) -> Result<(), ConfigError> {
    if (1..=most).contains(&parts) {
        return Ok(());
    }
    let reason = format!("it must be from 1 to {most}");
    Err(ConfigError::at("max_parts", reason))
}

impl SmsText {
    /// The gateway's word that it took this text; `said` is what the log keeps of it, unless the
    /// text was cut.
    pub(crate) fn accepted(&self, message_id: Option<String>, said: String) -> Accepted {
        Accepted {
            message_id,
            parts: self.parts,
            price: None,
            delivered: false,
            detail: if self.whole > self.parts {
                format!("cut to {} of {} parts", self.parts, self.whole)
            } else {
                said
            },
        }
    }
}

/// The basic table, without the escape.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The extension table: each takes two places.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

impl Alphabet {
    /// The smallest alphabet that has every character of a text.
    pub(crate) fn of(text: &str) -> Self {
        let known =
            |c: char| c.is_ascii_alphanumeric() || BASIC.contains(c) || EXTENSION.contains(c);
        if text.chars().all(known) {
            Self::Gsm7
        } else {
            Self::Ucs2
        }
    }

    /// How many places a character takes.
    fn width(self, c: char) -> usize {
        match self {
            Self::Gsm7 if EXTENSION.contains(c) => 2,
            Self::Gsm7 => 1,
            Self::Ucs2 => c.len_utf16(),
        }
    }

    /// How many places a message has that is sent alone, and a part of one that is not.
    const fn places(self) -> (usize, usize) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Ucs2 => (70, 67),
        }
    }

    /// The mark at the end of a text that was cut.
    const fn mark(self) -> &'static str {
        match self {
            Self::Gsm7 => "...",
            Self::Ucs2 => "…",
        }
    }

    /// Into how many parts a text is cut. A character of two places is never torn apart.
    fn parts(self, text: &str) -> u32 {
        let (alone, part) = self.places();
        let widths = || text.chars().map(|c| self.width(c));
        if widths().sum::<usize>() <= alone {
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

/// Cuts a text to at most so many parts.
pub(crate) fn fit(text: &str, max_parts: u32) -> SmsText {
    fit_in(Alphabet::of(text), text, max_parts)
}

/// The same for a gateway that is told the alphabet, which must have every character of the text.
pub(crate) fn fit_in(alphabet: Alphabet, text: &str, max_parts: u32) -> SmsText {
    let whole = alphabet.parts(text);
    if whole <= max_parts {
        return SmsText {
            text: text.to_owned(),
            alphabet,
            parts: whole,
            whole,
        };
    }
    // The longest beginning that still fits with the mark behind it.
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let cut = |end: usize| format!("{}{}", text[..end].trim_end(), alphabet.mark());
    let fitting = ends.partition_point(|end| alphabet.parts(&cut(*end)) <= max_parts);
    let text = cut(ends[fitting.saturating_sub(1)]);
    SmsText {
        parts: alphabet.parts(&text),
        text,
        alphabet,
        whole,
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
    fn parts_are_counted_as_networks_do() {
        use Alphabet::{Gsm7, Ucs2};
        let cases = [
            (String::new(), (Gsm7, 1)),
            ("a".repeat(160), (Gsm7, 1)),
            ("a".repeat(161), (Gsm7, 2)),
            ("a".repeat(306), (Gsm7, 2)),
            ("a".repeat(307), (Gsm7, 3)),
            ("€".repeat(80), (Gsm7, 1)),
            ("€".repeat(81), (Gsm7, 2)),
            // 76 pairs and one place left over in the first part.
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
    fn the_basic_table_is_whole() {
        // 128 places, less the escape.
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(EXTENSION.chars().count(), 10);
    }

    #[test]
    fn what_is_too_long_is_cut_with_a_mark() {
        let sms = fit(&"a".repeat(1000), 2);
        assert_eq!((sms.parts, sms.whole), (2, 7));
        assert_eq!(sms.text.len(), 306);
        assert!(sms.text.ends_with("a..."));
        let sms = fit(&"ж".repeat(100), 1);
        assert_eq!(sms.text.chars().count(), 70);
        assert!(sms.text.ends_with("ж…"));
        let sms = fit(&"🔥".repeat(100), 1);
        assert_eq!(sms.parts, 1);
    }
}
