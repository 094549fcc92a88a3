//! How a text fits into a message that is not cut into parts.

use std::borrow::Cow;

/// A text of at most so many characters; what is cut ends in `…`.
///
/// What counts are units of UTF-16, as at most chat services. For one that counts whole characters
/// the result is short enough too.
pub(crate) fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    cut_by(text, longest, char::len_utf16)
}

/// A text of at most so many bytes; what is cut ends in `…`.
pub(crate) fn cut_bytes(text: &str, longest: usize) -> Cow<'_, str> {
    cut_by(text, longest, char::len_utf8)
}

fn cut_by(text: &str, longest: usize, width: fn(char) -> usize) -> Cow<'_, str> {
    let mut filled = 0;
    // Up to here the mark still fits behind the text.
    let mut end = 0;
    for (at, c) in text.char_indices() {
        if filled + width('…') <= longest {
            end = at;
        }
        filled += width(c);
        if filled > longest {
            return Cow::Owned(format!("{}…", text[..end].trim_end()));
        }
    }
    Cow::Borrowed(text)
}

/// What the gateway said, and whether the text that was sent is not the whole.
pub(crate) fn noting_cut(said: &str, whole: &str, sent: &str) -> String {
    if sent == whole {
        return said.to_owned();
    }
    format!("{said}, cut to {} characters", sent.chars().count())
}

/// A text on one line.
pub(crate) fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_ends_in_a_mark() {
        for (text, longest, result) in [
            ("", 3, ""),
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("a bcd", 3, "a…"),
            ("🔥🔥", 4, "🔥🔥"),
            ("🔥🔥🔥", 4, "🔥…"),
            ("🔥🔥", 3, "🔥…"),
        ] {
            assert_eq!(cut(text, longest), result, "{text} in {longest}");
        }
        for (text, longest, result) in [("äöü", 6, "äöü"), ("äöüß", 6, "ä…"), ("äöüß", 7, "äö…")]
        {
            assert_eq!(cut_bytes(text, longest), result, "{text} in {longest}");
        }
    }

    #[test]
    fn a_cut_is_noted() {
        let noted = |text| noting_cut("taken", text, &cut(text, 3));
        assert_eq!(noted("abc"), "taken");
        assert_eq!(noted("abcdef"), "taken, cut to 3 characters");
        assert_eq!(one_line(" a\n\n b\tc "), "a b c");
    }
}
