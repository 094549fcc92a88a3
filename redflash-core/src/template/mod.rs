//! Message templates in the handlebars language, safe to accept from a form.
//!
//! The `handlebars` crate parses a source. The result is translated into our own `program`, which is
//! rendered within a budget (`render`). Texts are not HTML-escaped, the event decides the effect of
//! a missing argument ([`MissingArguments`]), and only these helpers exist:
//!
//! | helper | example | gives |
//! | --- | --- | --- |
//! | `if`, `unless`, `else` | `{{#if host}}on {{host}}{{/if}}` | a choice |
//! | `each` | `{{#each disks}}{{this}} {{/each}}` | a loop, nested at most twice |
//! | `with` | `{{#with disk}}{{name}}{{/with}}` | the values inside another |
//! | `eq`, `ne` | `{{#if (eq status "resolved")}}over{{/if}}` | true if two values are equal, or differ |
//! | `upper`, `lower` | `{{upper level}}` | letters in one case |
//! | `truncate` | `{{truncate text 20}}` | at most that many characters, the last being `…` |
//! | `default` | `{{default host "unknown"}}` | the first argument that is not empty |
//! | `length` | `{{length disks}}` | the number of entries, or of characters |
//! | `lookup` | `{{lookup labels name}}` | the entry of that name or number |
//! | `date` | `{{date "%H:%M" "Europe/London"}}` | the time of the raise, in UTC unless a zone is named |
//! | `format_date` | `{{format_date started_at "%H:%M" "Europe/London"}}` | a given time: RFC 3339, or seconds or milliseconds since 1970 |
//!
//! A name alone is an argument even where a helper has the same name: `{{lower}}` is the argument
//! `lower`. Only `{{date}}` is the time of the raise if there is no argument `date`.
//!
//! `{{host.name}}` is the value `name` inside the argument `host` or, without one, the argument
//! `host.name`.
//!
//! Rendering is limited to [`Template::MAX_STEPS`], since its time would otherwise depend on the
//! arguments, which may come from anyone.

mod cache;
mod helper;
mod nesting;
mod parameter;
mod path;
mod program;
mod render;

use std::sync::Arc;

use handlebars::TemplateErrorReason;
use serde_json::{Map, Value};

pub use parameter::Parameter;

use parameter::Usage;
use program::Program;
use render::Renderer;

use crate::clock::Timestamp;
use crate::model::MissingArguments;

/// The arguments of a raise: names and values, as they came.
pub type Arguments = Map<String, Value>;

/// A message template that was parsed and is within the limits. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Template(Arc<Parsed>);

#[derive(Debug)]
struct Parsed {
    program: Program,
    usage: Usage,
}

/// A text rendered from a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The text, at most [`Template::MAX_OUTPUT`] bytes.
    pub text: String,
    /// True if the text was cut at that limit; it then ends with `…`.
    pub cut: bool,
    /// Required arguments that are missing, sorted.
    pub missing: Vec<String>,
    /// The steps that it took, at most [`Template::MAX_STEPS`].
    pub steps: usize,
}

/// Reason why a source is not a valid template, or why a template was not rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// The source is too long.
    #[error("a template has at most {max} bytes, this one has {size}", max = Template::MAX_SOURCE)]
    TooLong {
        /// The size in bytes.
        size: usize,
    },
    /// Blocks, parentheses or brackets are nested too deep.
    #[error("a template nests at most {max} deep, this one goes deeper at line {line}", max = Template::MAX_NESTING)]
    TooDeep {
        /// The line where the limit is passed, counted from 1.
        line: usize,
    },
    /// The source is not in the template language.
    #[error("line {line}, column {column}: {reason}")]
    Syntax {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// The error at that position.
        reason: String,
    },
    /// The source uses a construct that is not available here.
    #[error("{what} is not available in templates; helpers are {known}", known = helper::names().collect::<Vec<_>>().join(", "))]
    Unavailable {
        /// The construct or helper.
        what: String,
    },
    /// The template failed on these arguments.
    #[error("the template failed: {reason}")]
    Render {
        /// The error.
        reason: String,
    },
    /// Rendering these arguments takes more work than allowed.
    #[error("the template takes more than {max} steps with these arguments", max = Template::MAX_STEPS)]
    TooMuchWork,
}

impl Template {
    /// Maximum length of a source, in bytes.
    pub const MAX_SOURCE: usize = 4096;
    /// Maximum nesting of blocks, parentheses and brackets, and maximum length of a path.
    pub const MAX_NESTING: usize = 32;
    /// Maximum length of the output, in bytes.
    pub const MAX_OUTPUT: usize = 64 * 1024;
    /// Maximum work of a rendering. A part of the template, an entry of a list, a name of a path
    /// and every few bytes of text are a step each.
    pub const MAX_STEPS: usize = 50_000;

    /// Checks and compiles a source.
    ///
    /// # Errors
    ///
    /// [`TemplateError`] by the rule that the source breaks; never `Render` or `TooMuchWork`.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        if let Some(known) = cache::get(source) {
            return Ok(known);
        }
        let checked = nesting::check(source)?;
        let parsed = handlebars::Template::compile(&checked).map_err(|error| {
            let (line, column) = error.pos().unwrap_or((1, 1));
            TemplateError::Syntax {
                line,
                column,
                reason: reason(error.reason()),
            }
        })?;
        let program = program::translate(&parsed)?;
        let usage = Usage::of(&program);
        let template = Self(Arc::new(Parsed { program, usage }));
        cache::keep(source, &template);
        Ok(template)
    }

    /// Returns the arguments that the template uses, in the order of its text.
    pub fn parameters(&self) -> Vec<Parameter> {
        self.0.usage.parameters.clone()
    }

    /// Returns true if an argument of this name can affect the text.
    pub fn uses(&self, name: &str) -> bool {
        self.0.usage.has(name)
    }

    /// Returns the arguments of the template that have the name of a helper, and may be meant as
    /// one.
    pub fn helper_names(&self) -> impl Iterator<Item = &str> {
        let names = self.0.usage.parameters.iter();
        names
            .map(|parameter| &*parameter.name)
            .filter(|name| helper::names().any(|helper| helper == *name))
    }

    /// Renders the template. The same arguments and time always give the same text.
    ///
    /// # Errors
    ///
    /// [`TemplateError::Render`] when a helper gets arguments that it cannot use,
    /// [`TemplateError::TooMuchWork`] when the arguments make it take too long.
    pub fn render(
        &self,
        arguments: &Arguments,
        raised_at: Timestamp,
        missing_arguments: MissingArguments,
    ) -> Result<Rendered, TemplateError> {
        Renderer::new(arguments, raised_at, missing_arguments).render(&self.0.program)
    }
}

/// Returns the error in a source, for its author.
fn reason(error: &TemplateErrorReason) -> String {
    use TemplateErrorReason as Reason;
    match error {
        Reason::MismatchingClosedHelper(opened, closed) => {
            format!("{{{{#{opened}}}}} is open here, and {{{{/{closed}}}}} does not close it")
        }
        // The parser lists its grammar rules that could follow, which helps no author.
        Reason::InvalidSyntax(_) => {
            "this is not valid: write a value as {{name}}, and a condition as \
            {{#if name}}…{{/if}}"
                .to_owned()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
