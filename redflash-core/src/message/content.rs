//! The content of a raise.

use serde_json::Value;

use crate::template::Arguments;

/// The content of a raise.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A literal text.
    Message(String),
    /// Arguments for the event's template.
    Arguments(Arguments),
}

impl Content {
    /// Returns the size of a text, or of the names and values of arguments, in bytes: at most their
    /// size as JSON.
    pub fn size(&self) -> usize {
        match self {
            Self::Message(text) => text.len(),
            Self::Arguments(arguments) => Self::size_of(arguments),
        }
    }

    /// Returns the size of the names and values of arguments, in bytes.
    pub fn size_of(arguments: &Arguments) -> usize {
        let fields = arguments.iter();
        fields.map(|(name, value)| name.len() + size(value)).sum()
    }
}

fn size(value: &Value) -> usize {
    1 + match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(size).sum(),
        Value::Object(object) => Content::size_of(object),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn counts_all_parts_of_arguments() {
        for (arguments, least) in [
            (json!({}), 0),
            (json!({"host": "db1"}), 7),
            (json!({"alerts": vec![json!({"host": "db1"}); 1000]}), 8000),
            (json!({"n": vec![0; 1000]}), 1000),
        ] {
            let written = arguments.to_string().len();
            let Value::Object(arguments) = arguments else {
                unreachable!("arguments are an object")
            };
            let size = Content::Arguments(arguments).size();
            assert!((least..=written).contains(&size), "{size} {written}");
        }
        assert_eq!(Content::Message("déjà".into()).size(), 6);
    }
}
