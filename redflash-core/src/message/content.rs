//! What is to be said.

use serde_json::Value;

use crate::Arguments;

/// What is to be said.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// This text, literally.
    Message(String),
    /// The event's own words, filled in with these.
    Arguments(Arguments),
}

impl Content {
    /// Returns the bytes of a text, or of the names and values of arguments: at most what these take up
    /// as JSON.
    pub fn size(&self) -> usize {
        match self {
            Self::Message(text) => text.len(),
            Self::Arguments(arguments) => Self::size_of(arguments),
        }
    }

    /// Returns the bytes of the names and values of arguments.
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
    fn size_of_arguments_is_that_of_all_their_parts() {
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
