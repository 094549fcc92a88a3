//! Text from elsewhere, made safe for a terminal.

/// Makes control characters visible, except for line breaks.
pub(crate) fn sanitize(text: &str) -> String {
    let mut sanitized = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && character != '\n' {
            sanitized.extend(character.escape_unicode());
        } else {
            sanitized.push(character);
        }
    }
    sanitized
}

/// Sanitizes the text and puts it on one line.
pub(crate) fn one_line(text: &str) -> String {
    sanitize(&text.replace('\n', " ⏎ "))
}
