//! Comparison of texts in searches, on pages and in the API.

/// Normalizes a text for comparison: in lower case and without spaces, so that a phone number is
/// found in any notation.
pub(crate) fn compact(text: &str) -> String {
    let letters = text.chars().filter(|letter| !letter.is_whitespace());
    letters.flat_map(char::to_lowercase).collect()
}
