//! Serde's error messages, reworded for authors of a configuration.

/// Minimum similarity, from 0 to 1, of a misspelled name.
const ALIKE: f64 = 0.8;

/// Returns the name of the key if the error is about an unknown key.
pub(super) fn unknown_key(reason: &str) -> Option<&str> {
    let (name, _) = reason.strip_prefix("unknown field `")?.split_once('`')?;
    Some(name)
}

/// Rewords an error: suggests the intended name and describes the expected value. Omits a value of the
/// wrong type, since it may be a secret.
///
/// * `known` - valid names in addition to those that the error lists.
pub(super) fn reword(reason: &str, known: &[&str]) -> String {
    for (start, kind) in [("unknown field `", "key"), ("unknown variant `", "value")] {
        let parts = reason
            .strip_prefix(start)
            .and_then(|rest| rest.split_once("`, "));
        if let Some((name, expected)) = parts {
            let listed = expected.split('`').skip(1).step_by(2);
            let hint = nearest(name, listed.chain(known.iter().copied()));
            let hint =
                hint.map_or_else(String::new, |similar| format!(" did you mean `{similar}`?"));
            return format!("unknown {kind} `{name}`,{hint} {expected}");
        }
    }
    let is_type = ["invalid type: ", "invalid value: "]
        .iter()
        .any(|start| reason.starts_with(start));
    match reason.rsplit_once(", expected ") {
        Some((_, expected)) if is_type => expected_form(expected),
        _ => reason.to_owned(),
    }
}

/// Returns the most similar name.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let is_file = name.ends_with("_file");
    let names = names.flat_map(|known| {
        let with_file = (is_file && !known.ends_with("_file")).then(|| format!("{known}_file"));
        [Some(known.to_owned()), with_file].into_iter().flatten()
    });
    let scored = names.map(|known| (strsim::jaro_winkler(name, &known), known));
    let best = scored.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(score, _)| *score >= ALIKE)
        .map(|(_, known)| known)
}

/// Describes how to write a type that serde names.
fn expected_form(expected: &str) -> String {
    let is_number = |text: &str| {
        let bits = text.strip_prefix(['u', 'i']);
        bits.is_some_and(|bits| matches!(bits, "8" | "16" | "32" | "64" | "128" | "size"))
    };
    match expected {
        "a sequence" => "write a list in brackets, such as [\"one\", \"two\"]".into(),
        "a map" => "write a table, such as { name = \"value\" }".into(),
        "a boolean" => "write true or false, without quotes".into(),
        "a string" | "path string" | "a borrowed string" => "write a string in quotes".into(),
        "f32" | "f64" => "write a number, without quotes".into(),
        number if is_number(number) => "write a whole number from 0, without quotes".into(),
        number if number.starts_with("a nonzero ") => {
            "write a whole number from 1, without quotes".into()
        }
        table if table.starts_with("struct ") => {
            "write a section with keys of its own, such as [server]".into()
        }
        other => format!("it must be {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_intended_name() {
        for (reason, wanted) in [
            (
                "unknown field `gateway`, expected one of `database`, `log`",
                "did you mean `gateways`?",
            ),
            (
                "unknown field `pasword_file`, expected `host` or `password`",
                "did you mean `password_file`?",
            ),
            (
                "unknown variant `asinc`, expected `async` or `sync`",
                "did you mean `async`?",
            ),
        ] {
            let words = reword(reason, &["gateways"]);
            assert!(words.contains(wanted), "{words}");
        }
        let words = reword("unknown field `zebra`, expected `host` or `port`", &[]);
        assert_eq!(words, "unknown key `zebra`, expected `host` or `port`");
    }

    #[test]
    fn describes_expected_value_and_omits_actual() {
        for (expected, wanted) in [
            ("a sequence", "[\"one\""),
            ("a boolean", "true or false"),
            ("u16", "a whole number"),
            ("a nonzero u32", "from 1"),
            ("a string", "in quotes"),
            ("struct Server", "[server]"),
        ] {
            let reason = format!("invalid type: string \"canary\", expected {expected}");
            let words = reword(&reason, &[]);
            assert!(
                words.contains(wanted) && !words.contains("canary"),
                "{words}"
            );
        }
    }
}
