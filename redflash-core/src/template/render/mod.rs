//! Rendering within a budget of steps.
//!
//! The arguments come from the caller, and they decide how long a template with loops takes. Each
//! part of the template, each name of a path and every few bytes of processed text are a step, so
//! that no arguments make a rendering take longer than some milliseconds.

mod call;
mod lookup;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

use super::helper::Helper;
use super::path::Path;
use super::program::{Block, Choice, Expression, Node};
use super::{Arguments, Rendered, Template, TemplateError};
use crate::clock::Timestamp;
use crate::model::MissingArguments;

/// Number of bytes of text processed in one step.
const BYTES_A_STEP: usize = 16;

static NULL: Value = Value::Null;
/// The text of all arguments together.
static ALL: LazyLock<Value> = LazyLock::new(|| "[object]".into());

/// Reason why a rendering ends early.
enum Stop {
    /// The text has its maximum length.
    Full,
    Failed(TemplateError),
}

impl Stop {
    fn failed(reason: String) -> Self {
        Self::Failed(TemplateError::Render { reason })
    }
}

/// A value during rendering.
#[derive(Clone)]
enum Val<'a> {
    Of(&'a Value),
    Made(Value),
    /// All arguments together.
    All,
    /// No value: the argument is missing, and will be marked.
    Missing(&'a Path),
}

impl Val<'_> {
    fn value(&self) -> &Value {
        match self {
            Self::Of(value) => value,
            Self::Made(value) => value,
            Self::All => &ALL,
            Self::Missing(_) => &NULL,
        }
    }
}

/// The context of a block.
struct Scope<'a> {
    this: Val<'a>,
    /// The names that the block defines.
    names: Vec<(&'a str, Val<'a>)>,
    /// The position in an `each`: index, number of entries, and key.
    position: Option<(usize, usize, Option<&'a str>)>,
}

/// One rendering.
pub(super) struct Renderer<'a> {
    arguments: &'a Arguments,
    raised_at: Timestamp,
    missing_arguments: MissingArguments,
    /// The blocks, the innermost last.
    scopes: Vec<Scope<'a>>,
    missing: BTreeSet<&'a str>,
    steps: usize,
    text: String,
}

impl<'a> Renderer<'a> {
    pub(super) const fn new(
        arguments: &'a Arguments,
        raised_at: Timestamp,
        missing_arguments: MissingArguments,
    ) -> Self {
        Self {
            arguments,
            raised_at,
            missing_arguments,
            scopes: Vec::new(),
            missing: BTreeSet::new(),
            steps: 0,
            text: String::new(),
        }
    }

    pub(super) fn render(mut self, program: &'a [Node]) -> Result<Rendered, TemplateError> {
        let cut = match self.nodes(program) {
            Ok(()) => false,
            Err(Stop::Full) => true,
            Err(Stop::Failed(error)) => return Err(error),
        };
        if cut {
            const MARK: char = '…';
            let room = Template::MAX_OUTPUT - MARK.len_utf8();
            self.text.truncate(self.text.floor_char_boundary(room));
            self.text.push(MARK);
        }
        Ok(Rendered {
            text: self.text,
            cut,
            missing: self.missing.into_iter().map(str::to_owned).collect(),
            steps: self.steps,
        })
    }

    /// Counts steps.
    const fn step(&mut self, steps: usize) -> Result<(), Stop> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > Template::MAX_STEPS {
            return Err(Stop::Failed(TemplateError::TooMuchWork));
        }
        Ok(())
    }

    /// Counts the work on a number of bytes.
    const fn work(&mut self, bytes: usize) -> Result<(), Stop> {
        self.step(1 + bytes / BYTES_A_STEP)
    }

    fn nodes(&mut self, program: &'a [Node]) -> Result<(), Stop> {
        for node in program {
            self.step(1)?;
            match node {
                Node::Text(text) => self.write(text)?,
                Node::Print(expression) => {
                    let value = self.evaluate(expression, false)?;
                    self.print(&value)?;
                }
                Node::Choice(choice) => self.choice(choice)?,
                Node::Each(block) => self.each(block)?,
                Node::With(block) => self.with(block)?,
            }
        }
        Ok(())
    }

    fn write(&mut self, text: &str) -> Result<(), Stop> {
        let room = Template::MAX_OUTPUT - self.text.len();
        if text.len() <= room {
            self.work(text.len())?;
            self.text.push_str(text);
            return Ok(());
        }
        self.text.push_str(&text[..text.floor_char_boundary(room)]);
        Err(Stop::Full)
    }

    fn print(&mut self, value: &Val<'_>) -> Result<(), Stop> {
        match value {
            Val::Missing(path) => {
                for part in ["[", &path.name, "?]"] {
                    self.write(part)?;
                }
                Ok(())
            }
            value => match value.value() {
                Value::String(text) => self.write(text),
                value => {
                    let text = self.text_of(value)?;
                    self.write(&text)
                }
            },
        }
    }

    fn text<'v>(&mut self, value: &'v Val<'_>) -> Result<Cow<'v, str>, Stop> {
        self.text_of(value.value())
    }

    fn text_of<'v>(&mut self, value: &'v Value) -> Result<Cow<'v, str>, Stop> {
        self.step(1)?;
        Ok(match value {
            Value::Null => "".into(),
            Value::String(text) => text.into(),
            Value::Bool(_) | Value::Number(_) => value.to_string().into(),
            Value::Object(_) => "[object]".into(),
            Value::Array(entries) => {
                let mut text = String::from("[");
                for (position, entry) in entries.iter().enumerate() {
                    if position > 0 {
                        text.push_str(", ");
                    }
                    let entry = self.text_of(entry)?;
                    self.work(entry.len())?;
                    text.push_str(&entry);
                }
                text.push(']');
                text.into()
            }
        })
    }

    fn choice(&mut self, choice: &'a Choice) -> Result<(), Stop> {
        for branch in &choice.branches {
            let condition = self.evaluate(&branch.condition, true)?;
            if is_true(condition.value(), branch.includes_zero) == branch.wanted {
                return self.nodes(&branch.body);
            }
        }
        self.nodes(&choice.otherwise)
    }

    fn each(&mut self, block: &'a Block) -> Result<(), Stop> {
        let over = self.evaluate(&block.value, block.otherwise.is_some())?;
        match over {
            Val::Missing(_) => self.print(&over),
            Val::Of(Value::Array(entries)) if !entries.is_empty() => {
                let entries = entries.iter().map(|entry| (None, entry));
                self.entries(block, entries)
            }
            Val::Of(Value::Object(entries)) if !entries.is_empty() => {
                let entries = entries.iter().map(|(key, entry)| (Some(&**key), entry));
                self.entries(block, entries)
            }
            Val::All if !self.arguments.is_empty() => {
                let entries = self.arguments.iter();
                self.entries(block, entries.map(|(key, entry)| (Some(&**key), entry)))
            }
            _ => self.nodes(block.otherwise.as_deref().unwrap_or_default()),
        }
    }

    fn entries(
        &mut self,
        block: &'a Block,
        entries: impl ExactSizeIterator<Item = (Option<&'a str>, &'a Value)>,
    ) -> Result<(), Stop> {
        let count = entries.len();
        for (index, (key, entry)) in entries.enumerate() {
            self.step(1)?;
            let number = || Value::from(index);
            let named = block.names.iter().map(String::as_str).zip([
                Val::Of(entry),
                Val::Made(key.map_or_else(number, Value::from)),
            ]);
            let scope = Scope {
                this: Val::Of(entry),
                names: named.collect(),
                position: Some((index, count, key)),
            };
            self.within(scope, &block.body)?;
        }
        Ok(())
    }

    fn with(&mut self, block: &'a Block) -> Result<(), Stop> {
        let this = self.evaluate(&block.value, block.otherwise.is_some())?;
        if let Val::Missing(_) = this {
            return self.print(&this);
        }
        if !is_true(this.value(), false) {
            return self.nodes(block.otherwise.as_deref().unwrap_or_default());
        }
        let names = block.names.iter().map(String::as_str);
        let scope = Scope {
            names: names.take(1).map(|name| (name, this.clone())).collect(),
            this,
            // `@index` and the like belong to the `each` around it.
            position: self.scopes.last().and_then(|around| around.position),
        };
        self.within(scope, &block.body)
    }

    fn within(&mut self, scope: Scope<'a>, body: &'a [Node]) -> Result<(), Stop> {
        self.scopes.push(scope);
        self.nodes(body)?;
        self.scopes.pop();
        Ok(())
    }

    /// Returns the value of an expression.
    ///
    /// * `is_optional` - true if the template handles a missing value.
    fn evaluate(&mut self, expression: &'a Expression, is_optional: bool) -> Result<Val<'a>, Stop> {
        match expression {
            Expression::Literal(value) => Ok(Val::Of(value)),
            Expression::Path(path) => match self.find(path)? {
                Some(value) => Ok(value),
                None if is_optional || !self.is_argument(path) => Ok(Val::Of(&NULL)),
                None => {
                    self.missing.insert(&path.name);
                    Ok(match self.missing_arguments {
                        MissingArguments::Mark => Val::Missing(path),
                        _ => Val::Of(&NULL),
                    })
                }
            },
            Expression::ArgumentOrDate(path) => match self.find(path)? {
                Some(value) => Ok(value),
                None => self.call(Helper::Date, &[]),
            },
            Expression::Call(helper, parameters) => {
                let is_optional = is_optional || *helper == Helper::Default;
                let mut values = Vec::with_capacity(parameters.len());
                for parameter in parameters {
                    values.push(self.evaluate(parameter, is_optional)?);
                }
                self.call(*helper, &values)
            }
        }
    }
}

/// Returns true if a value satisfies a condition.
fn is_true(value: &Value, includes_zero: bool) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is_true) => *is_true,
        Value::Number(number) => includes_zero || number.as_f64().is_some_and(|n| n != 0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(entries) => !entries.is_empty(),
        Value::Object(object) => !object.is_empty(),
    }
}
