//! The templates of a request: their variables, and the escaping of values.

use std::collections::BTreeSet;

use redflash_core::clock::Timestamp;
use redflash_core::message::SendError;
use redflash_core::model::MissingArguments;
use redflash_core::template::{Arguments, Template};
use serde_json::Value;

use crate::ConfigError;
use crate::text::percent;

/// The variables of a template.
pub(super) const VARIABLES: [&str; 12] = [
    "to",
    "to_digits",
    "from",
    "text",
    "text_hex_utf16",
    "unicode",
    "reference",
    "callback_url",
    "username",
    "password",
    "basic",
    "token",
];

/// The keywords of the template language that apply to single values.
const KEYWORDS: [&str; 9] = [
    "if", "unless", "else", "upper", "lower", "truncate", "default", "date", "true",
];

/// The escaping of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// None, since the rendered text is encoded as a whole.
    None,
    /// Percent-encoded, within a URL.
    Url,
    /// For character data of XML.
    Xml,
}

/// The values of one message.
pub(super) struct Values {
    pub(super) values: Arguments,
    pub(super) at: Timestamp,
}

impl Values {
    /// Returns the values with escaped texts.
    pub(super) fn escaped(&self, escape: Escape) -> Self {
        let mut values = self.values.clone();
        for value in values.values_mut() {
            if let Value::String(text) = value {
                *text = escape.apply(text);
            }
        }
        Self {
            values,
            at: self.at,
        }
    }

    /// Renders a template.
    pub(super) fn fill(&self, template: &Template) -> Result<String, SendError> {
        let rendered = template.render(&self.values, self.at, MissingArguments::Blank);
        let rendered = rendered.ok();
        match rendered.filter(|rendered| !rendered.cut) {
            Some(rendered) => Ok(rendered.text),
            // The error could quote a secret.
            None => Err(SendError::Rejected {
                reason: "a template of the gateway failed for this message".into(),
            }),
        }
    }
}

impl Escape {
    fn apply(self, text: &str) -> String {
        match self {
            Self::None => text.to_owned(),
            Self::Url => percent::encoded(text),
            Self::Xml => text
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;")
                .replace('\'', "&apos;"),
        }
    }
}

/// Compiles templates, and collects the variables that they name.
#[derive(Debug, Default)]
pub(super) struct Compiler {
    pub(super) named: BTreeSet<&'static str>,
}

impl Compiler {
    /// Compiles a template, and renders it once with sample values.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] at this key that describes the problem of the template.
    pub(super) fn compile(&mut self, key: &str, source: &str) -> Result<Template, ConfigError> {
        let invalid = |reason: String| ConfigError::at(key, reason);
        let template = Template::parse(source).map_err(|error| invalid(error.to_string()))?;
        for name in names(source) {
            match VARIABLES.iter().find(|known| **known == name) {
                Some(known) => _ = self.named.insert(known),
                None if KEYWORDS.contains(&name) => {}
                None => {
                    let known = VARIABLES.join(", ");
                    return Err(invalid(format!("unknown variable {name:?}: use {known}")));
                }
            }
        }
        let sample = VARIABLES.map(|name| (name.to_owned(), Value::from("1")));
        let sample = Arguments::from_iter(sample);
        let rendered = template.render(&sample, Timestamp::default(), MissingArguments::Blank);
        rendered.map_err(|error| invalid(error.to_string()))?;
        Ok(template)
    }
}

/// Returns the names in the tags of a template, outside of quotes.
fn names(source: &str) -> impl Iterator<Item = &str> {
    let tags = source.split("{{").skip(1);
    let tags = tags.filter_map(|rest| rest.split("}}").next());
    let bare = tags
        .filter(|tag| !tag.starts_with('!'))
        .flat_map(|tag| tag.split(['"', '\'']).step_by(2));
    bare.flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_unknown_variables() {
        let mut compiler = Compiler::default();
        for bad in [
            "{{txt}}",
            "{{#if text}}{{this}}{{/if}}",
            "{{#each text}}a{{/each}}",
            "{{upper (lower messsage)}}",
            "{{truncate text \"many\"}}",
            "{{text",
            "{{message.text}}",
        ] {
            let error = compiler.compile("body", bad).unwrap_err();
            assert_eq!(error.key.as_deref(), Some("body"), "{bad}");
        }
        for good in [
            "plain",
            "{{#if unicode}}2{{else}}0{{/if}}",
            "{{~default from \"nobody at all\"~}}",
            "{{truncate text 20}}{{date '%H:%M'}}",
            "{{! a note }}{{token}}",
        ] {
            compiler.compile("body", good).unwrap();
        }
        let named: Vec<_> = compiler.named.into_iter().collect();
        assert_eq!(named, ["from", "text", "token", "unicode"]);
    }

    #[test]
    fn escapes_values_for_their_context() {
        let text = "a b&c=<\"é'>/../%41+";
        assert_eq!(Escape::None.apply(text), text);
        assert_eq!(
            Escape::Url.apply(text),
            "a%20b%26c%3D%3C%22%C3%A9%27%3E%2F..%2F%2541%2B"
        );
        assert_eq!(
            Escape::Xml.apply(text),
            "a b&amp;c=&lt;&quot;é&apos;&gt;/../%41+"
        );
    }
}
