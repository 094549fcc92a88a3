//! Message templates: the handlebars language, made safe to take from a form.
//!
//! Texts are not HTML-escaped, missing arguments are empty, and only these helpers exist:
//!
//! | helper | example | gives |
//! | --- | --- | --- |
//! | `if`, `unless`, `else` | `{{#if host}}on {{host}}{{/if}}` | a choice |
//! | `each` | `{{#each disks}}{{this}} {{/each}}` | a repetition, at most two inside one another |
//! | `upper`, `lower` | `{{upper level}}` | letters in one case |
//! | `truncate` | `{{truncate text 20}}` | at most that many characters, the last being `…` |
//! | `default` | `{{default host "unknown"}}` | the first argument that is not empty |
//! | `date` | `{{date "%H:%M" "Europe/London"}}` | when the alert was raised, UTC unless a zone is named |

mod check;
mod helper;
mod parameter;

use std::io;
use std::sync::LazyLock;

use handlebars::{
    Context, Handlebars, Output, RenderContext, Renderable, TemplateErrorReason, no_escape,
};
use serde_json::{Map, Value};

pub use parameter::Parameter;

use crate::Timestamp;

/// What a raise fills into a template: names and values, as they came.
pub type Arguments = Map<String, Value>;

/// A message template that compiled and kept to the bounds.
#[derive(Clone, Debug)]
pub struct Template(handlebars::Template);

/// A text made from a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The text, at most [`Template::MAX_OUTPUT`] bytes.
    pub text: String,
    /// Whether the text was cut at that bound; it then ends with `…`.
    pub cut: bool,
}

/// Why a text is no template, or why a template gave no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// The source is longer than it may be.
    #[error("a template has at most {max} bytes, this one has {size}", max = Template::MAX_SOURCE)]
    TooLong {
        /// The size in bytes.
        size: usize,
    },
    /// Blocks, parentheses or brackets stand too deep inside one another.
    #[error("a template nests at most {max} deep, this one goes deeper at line {line}", max = Template::MAX_NESTING)]
    TooDeep {
        /// The line where the bound is passed, counted from 1.
        line: usize,
    },
    /// The source is not in the template language.
    #[error("line {line}, column {column}: {reason}")]
    Syntax {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// The source uses something that templates here do not have.
    #[error("{what} is not available in templates; helpers are {known}", known = helper::NAMES.join(", "))]
    Unavailable {
        /// The construct or helper.
        what: String,
    },
    /// The template failed on these arguments.
    #[error("the template failed: {reason}")]
    Render {
        /// What failed.
        reason: String,
    },
}

impl Template {
    /// The longest source, in bytes.
    pub const MAX_SOURCE: usize = 4096;
    /// The deepest nesting of blocks, parentheses and brackets.
    pub const MAX_NESTING: usize = 32;
    /// The longest output, in bytes.
    pub const MAX_OUTPUT: usize = 64 * 1024;

    /// Checks and compiles a source.
    ///
    /// # Errors
    ///
    /// Every variant of [`TemplateError`] but `Render`, by the rule that the source breaks.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        check::bounds(source)?;
        let template = handlebars::Template::compile(source).map_err(|error| {
            let (line, column) = error.pos().unwrap_or((1, 1));
            TemplateError::Syntax {
                line,
                column,
                reason: reason(error.reason()),
            }
        })?;
        check::constructs(&template)?;
        Ok(Self(template))
    }

    /// The arguments that the template asks for, in the order of its text.
    pub fn parameters(&self) -> Vec<Parameter> {
        parameter::of(&self.0)
    }

    /// Fills the template in. The same arguments and time always give the same text.
    ///
    /// # Errors
    ///
    /// [`TemplateError::Render`] when a helper is used in a way that only the arguments show wrong.
    pub fn render(
        &self,
        arguments: &Arguments,
        raised_at: Timestamp,
    ) -> Result<Rendered, TemplateError> {
        let context = Context::from(Value::Object(arguments.clone()));
        let mut scope = RenderContext::new(None);
        scope.register_local_helper("date", Box::new(helper::Date(raised_at)));
        let mut output = Bounded::default();
        let result = self.0.render(&REGISTRY, &context, &mut scope, &mut output);
        match result {
            Err(error) if !output.full => Err(TemplateError::Render {
                reason: error.reason().to_string(),
            }),
            _ => Ok(output.finish()),
        }
    }
}

/// What is wrong with a source, in words for whoever writes it.
fn reason(fault: &TemplateErrorReason) -> String {
    use TemplateErrorReason as Reason;
    match fault {
        Reason::MismatchingClosedHelper(opened, closed) => {
            format!("{{{{#{opened}}}}} is open here, and {{{{/{closed}}}}} does not close it")
        }
        // The parser says which of its rules could go on, which helps nobody.
        Reason::InvalidSyntax(_) => {
            "this cannot be read: a value is written {{name}}, and a condition \
            {{#if name}}…{{/if}}"
                .to_owned()
        }
        other => other.to_string(),
    }
}

static REGISTRY: LazyLock<Handlebars<'static>> = LazyLock::new(|| {
    let mut registry = Handlebars::new();
    registry.register_escape_fn(no_escape);
    helper::register(&mut registry);
    registry
});

/// An output that stops the rendering once it is full.
#[derive(Default)]
struct Bounded {
    text: String,
    full: bool,
}

impl Output for Bounded {
    fn write(&mut self, segment: &str) -> io::Result<()> {
        let room = Template::MAX_OUTPUT - self.text.len();
        if segment.len() <= room {
            self.text.push_str(segment);
            return Ok(());
        }
        self.text
            .push_str(&segment[..segment.floor_char_boundary(room)]);
        self.full = true;
        Err(io::Error::other("the text is as long as it may be"))
    }
}

impl Bounded {
    fn finish(mut self) -> Rendered {
        const MARK: char = '…';
        if self.full {
            let room = Template::MAX_OUTPUT - MARK.len_utf8();
            self.text.truncate(self.text.floor_char_boundary(room));
            self.text.push(MARK);
        }
        Rendered {
            text: self.text,
            cut: self.full,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn render(source: &str, arguments: &Value) -> String {
        let at = Timestamp::from_millis(1_700_000_000_000);
        let template = Template::parse(source).unwrap();
        template
            .render(arguments.as_object().unwrap(), at)
            .unwrap()
            .text
    }

    #[test]
    fn arguments_fill_the_template() {
        let arguments = json!({"host": "db1", "n": 3, "disks": ["sda", "sdb"]});
        assert_eq!(render("{{host}}: {{n}}", &arguments), "db1: 3");
        assert_eq!(render("[{{missing}}]", &arguments), "[]");
        assert_eq!(
            render("{{#if host}}yes{{else}}no{{/if}}", &arguments),
            "yes"
        );
        assert_eq!(render("{{#if gone}}yes{{else}}no{{/if}}", &arguments), "no");
        assert_eq!(
            render("{{#each disks}}{{this}};{{/each}}", &arguments),
            "sda;sdb;"
        );
    }

    #[test]
    fn texts_are_neither_escaped_nor_rendered_twice() {
        let arguments = json!({"x": "<b>&\"{{y}}", "y": "secret"});
        assert_eq!(render("{{x}}", &arguments), "<b>&\"{{y}}");
    }

    #[test]
    fn helpers_shape_text() {
        let arguments = json!({"a": "Straße", "empty": ""});
        assert_eq!(
            render("{{upper a}} {{lower a}}", &arguments),
            "STRASSE straße"
        );
        assert_eq!(
            render("{{truncate a 4}} {{truncate a 6}}", &arguments),
            "Str… Straße"
        );
        assert_eq!(render("{{default empty a \"x\"}}", &arguments), "Straße");
        assert_eq!(render("{{default gone \"x\"}}", &arguments), "x");
        assert_eq!(render("{{upper (truncate a 2)}}", &arguments), "S…");
    }

    #[test]
    fn the_date_is_that_of_the_raise() {
        assert_eq!(render("{{date}}", &json!({})), "2023-11-14 22:13 UTC");
        let zoned = render("{{date \"%H:%M\" \"Asia/Tokyo\"}}", &json!({}));
        assert_eq!(zoned, "07:13");
        // An argument of the same name does not hide the helper from a call with parameters.
        assert_eq!(render("{{date \"%Y\"}}", &json!({"date": "x"})), "2023");
    }

    #[test]
    fn names_of_the_language_are_plain_arguments() {
        let arguments = json!({"self": "1", "loop": "2", "__class__": "4", "constructor": "5"});
        assert_eq!(
            render("{{loop}}{{__class__}}{{constructor}}", &arguments),
            "245"
        );
    }

    #[test]
    fn output_is_bounded() {
        let arguments = json!({"x": "é".repeat(30_000)});
        let template = Template::parse(&"{{x}}".repeat(50)).unwrap();
        let rendered = template
            .render(arguments.as_object().unwrap(), Timestamp::default())
            .unwrap();
        assert!(rendered.cut && rendered.text.ends_with('…'));
        assert!(rendered.text.len() <= Template::MAX_OUTPUT);
    }

    #[test]
    fn a_failing_helper_is_an_error_with_its_reason() {
        let template = Template::parse("{{truncate x n}}").unwrap();
        let arguments = json!({"x": "abc", "n": "many"});
        let error = template
            .render(arguments.as_object().unwrap(), Timestamp::default())
            .unwrap_err();
        assert!(error.to_string().contains("truncate"), "{error}");
    }
}
