//! Arguments of an event's templates, given as `NAME=VALUE`.

use redflash_core::template::Arguments;
use serde_json::Value;

use crate::error::CliError;

/// Parses `name=value`.
pub(super) fn argument(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE, such as host=db1".into()),
    }
}

/// Collects the arguments of a template.
///
/// # Errors
///
/// Rejects an argument that is given twice.
pub(super) fn arguments(given: Vec<(String, String)>) -> Result<Arguments, CliError> {
    let mut arguments = Arguments::new();
    for (name, value) in given {
        if arguments.contains_key(&name) {
            let message = format!("{name} is given twice: omit one");
            return Err(CliError::usage(message));
        }
        arguments.insert(name, Value::from(value));
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use crate::error::Exit;

    use super::*;

    #[test]
    fn rejects_duplicate_argument() {
        let given = |names: &[&str]| {
            let pairs = names
                .iter()
                .map(|name| argument(&format!("{name}=1")).unwrap());
            arguments(pairs.collect())
        };
        assert_eq!(given(&["host", "disk"]).unwrap().len(), 2);
        let refused = given(&["host", "disk", "host"]).unwrap_err();
        assert_eq!(refused.exit, Exit::Usage);
        assert_eq!(refused.message, "host is given twice: omit one");
    }
}
