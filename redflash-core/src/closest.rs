//! Suggestions for mistyped names.

/// Maximum length of a text that is compared.
const MAX_LENGTH: usize = 64;

/// Returns the known name that is most similar to a mistyped one, if any is similar at all.
pub fn closest<'a>(mistyped: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if mistyped.len() > MAX_LENGTH {
        return None;
    }
    let mistyped = mistyped.to_lowercase();
    let bound = (mistyped.chars().count() / 3).clamp(1, 3);
    let distances = known.into_iter().map(|name| {
        let distance = strsim::osa_distance(&mistyped, &name.to_lowercase());
        (distance, name)
    });
    let (_, name) = distances
        .filter(|(distance, _)| *distance <= bound)
        .min_by_key(|(distance, _)| *distance)?;
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_mistyped_names() {
        let known = ["email", "sms", "slack", "webhook"];
        for (mistyped, expected) in [
            ("emial", Some("email")),
            ("E-mail", Some("email")),
            ("smss", Some("sms")),
            ("webhok", Some("webhook")),
            ("pigeon", None),
            (&"email".repeat(100), None),
        ] {
            assert_eq!(closest(mistyped, known), expected, "{mistyped}");
        }
    }
}
