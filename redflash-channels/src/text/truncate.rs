//! Truncation of texts to the maximum length of a message.

use std::borrow::Cow;

/// Truncates a text to `longest` characters; a truncated text ends in `…`.
///
/// Counts UTF-16 code units, as most chat services do. For a service that counts whole characters, the
/// result is short enough too.
pub(crate) fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    cut_by(text, longest, char::len_utf16)
}

/// Truncates a text to `longest` bytes; a truncated text ends in `…`.
pub(crate) fn cut_bytes(text: &str, longest: usize) -> Cow<'_, str> {
    cut_by(text, longest, char::len_utf8)
}

fn cut_by(text: &str, longest: usize, width: fn(char) -> usize) -> Cow<'_, str> {
    let mut filled = 0;
    // Up to here the ellipsis still fits after the text.
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

/// Appends to the detail of an outcome that the text was truncated, if it was.
pub(crate) fn noting_cut(detail: &str, whole: &str, sent: &str) -> String {
    if sent == whole {
        return detail.to_owned();
    }
    format!("{detail}, cut to {} characters", sent.chars().count())
}

/// Joins the lines of a text into one.
pub(crate) fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncated_text_ends_in_ellipsis() {
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
    fn notes_truncation() {
        let noted = |text| noting_cut("taken", text, &cut(text, 3));
        assert_eq!(noted("abc"), "taken");
        assert_eq!(noted("abcdef"), "taken, cut to 3 characters");
        assert_eq!(one_line(" a\n\n b\tc "), "a b c");
    }
}
