//! The program of a template: only the constructs and helpers that are available here.

use handlebars::template::{
    BlockParam, HelperTemplate, Parameter as Given, Template as Parsed, TemplateElement,
};
use serde_json::Value;

use super::helper::{self, Helper};
use super::path::Path;
use super::{Template, TemplateError};

/// Maximum depth of nested `each` blocks.
const MAX_LOOPS: usize = 2;

/// The parts of a template in their order.
pub(super) type Program = Vec<Node>;

/// One part of a template.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    Print(Expression),
    Choice(Choice),
    Each(Block),
    With(Block),
}

/// `if` and `unless`, with all their `else if`.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) branches: Vec<Branch>,
    pub(super) otherwise: Program,
}

#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) condition: Expression,
    /// True if the condition must hold, as in `if`; false for `unless`.
    pub(super) wanted: bool,
    /// True if the number 0 counts as true.
    pub(super) includes_zero: bool,
    pub(super) body: Program,
}

/// `each` or `with`.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) value: Expression,
    /// The names after `as`: of the value, and of its index or key.
    pub(super) names: Vec<String>,
    pub(super) body: Program,
    /// The part after `else`.
    pub(super) otherwise: Option<Program>,
}

/// An expression with a value.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    Literal(Value),
    Path(Path),
    /// `{{date}}` alone: the argument of that name, or else the time of the raise.
    ArgumentOrDate(Path),
    Call(Helper, Vec<Self>),
}

impl Expression {
    /// Returns the value, if it is known before there are any arguments.
    const fn literal(&self) -> Option<&Value> {
        match self {
            Self::Literal(value) => Some(value),
            _ => None,
        }
    }
}

/// Translates a parsed source.
pub(super) fn translate(parsed: &Parsed) -> Result<Program, TemplateError> {
    nodes(
        parsed,
        Translator {
            position: (1, 1),
            loops: 0,
            depth: 0,
        },
    )
}

/// Translates the parts of a block's body.
///
/// * `around` - the translator of the block.
fn nodes(parsed: &Parsed, around: Translator) -> Result<Program, TemplateError> {
    let around = around.deeper()?;
    let mut program = Vec::with_capacity(parsed.elements.len());
    for (index, element) in parsed.elements.iter().enumerate() {
        // The parser has no position for an `else if`.
        let position = parsed.mapping.get(index);
        let position = position.map_or(around.position, |position| (position.0, position.1));
        let translator = Translator { position, ..around };
        match element {
            TemplateElement::RawString(text) => program.push(Node::Text(text.clone())),
            TemplateElement::Comment(_) => {}
            TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => {
                program.push(Node::Print(translator.call(call)?));
            }
            TemplateElement::HelperBlock(call) => program.push(translator.block(call)?),
            TemplateElement::PartialExpression(_) | TemplateElement::PartialBlock(_) => {
                return Err(unavailable("a partial ({{> …}})"));
            }
            _ => return Err(unavailable("a decorator ({{* …}})")),
        }
    }
    Ok(program)
}

/// Translates the construct at one position of the source.
#[derive(Clone, Copy)]
struct Translator {
    /// Line and column, counted from 1.
    position: (usize, usize),
    /// Number of `each` blocks around it.
    loops: usize,
    /// Number of blocks and parentheses around it.
    depth: usize,
}

impl Translator {
    fn deeper(self) -> Result<Self, TemplateError> {
        let depth = self.depth + 1;
        if depth > Template::MAX_NESTING + 1 {
            return Err(TemplateError::TooDeep {
                line: self.position.0,
            });
        }
        Ok(Self { depth, ..self })
    }

    const fn in_loop(self) -> Self {
        let loops = self.loops + 1;
        Self { loops, ..self }
    }

    fn block(self, call: &HelperTemplate) -> Result<Node, TemplateError> {
        let name = call.name.as_name().unwrap_or_default();
        match name {
            "if" | "unless" => self.choice(call),
            "each" if self.loops == MAX_LOOPS => {
                Err(unavailable("an each inside more than one other each"))
            }
            "each" => Ok(Node::Each(self.value_block(call, self.in_loop())?)),
            "with" => Ok(Node::With(self.value_block(call, self)?)),
            _ if Helper::parse(name).is_some() => {
                Err(self.misused(format!("{name} is not a block: write {{{{{name} value}}}}")))
            }
            _ => Err(unavailable(&format!("{name:?}"))),
        }
    }

    /// Translates an `each` or a `with`.
    ///
    /// * `within` - the translator of its body.
    fn value_block(self, call: &HelperTemplate, within: Self) -> Result<Block, TemplateError> {
        let names = match &call.block_param {
            None => Vec::new(),
            Some(BlockParam::Single(name)) => vec![name],
            Some(BlockParam::Pair((name, key))) => vec![name, key],
            Some(_) => return Err(unavailable("this list of names")),
        };
        let names = names.into_iter().filter_map(Given::as_name);
        Ok(Block {
            value: self.only_parameter(call)?,
            names: names.map(str::to_owned).collect(),
            body: body(call.template.as_ref(), within)?,
            otherwise: match &call.inverse {
                Some(inverse) => Some(nodes(inverse, self)?),
                None => None,
            },
        })
    }

    /// Translates a chain of `else if` in a loop, so that a long one does not nest.
    fn choice(self, mut call: &HelperTemplate) -> Result<Node, TemplateError> {
        let mut branches = Vec::new();
        loop {
            let hash = call.hash.get("includeZero");
            let includes_zero = matches!(hash, Some(Given::Literal(Value::Bool(true))));
            branches.push(Branch {
                condition: self.only_parameter(call)?,
                wanted: call.name.as_name() == Some("if"),
                includes_zero,
                body: body(call.template.as_ref(), self)?,
            });
            match call.inverse.as_ref().and_then(chained) {
                Some(next) if matches!(next.name.as_name(), Some("if" | "unless")) => call = next,
                _ => break,
            }
        }
        Ok(Node::Choice(Choice {
            branches,
            otherwise: body(call.inverse.as_ref(), self)?,
        }))
    }

    fn only_parameter(self, call: &HelperTemplate) -> Result<Expression, TemplateError> {
        let name = call.name.as_name().unwrap_or_default();
        match &*call.params {
            [given, ..] => self.expression(given),
            [] => Err(self.misused(format!(
                "{name} needs a value: write {{{{#{name} value}}}}…{{{{/{name}}}}}"
            ))),
        }
    }

    fn call(self, call: &HelperTemplate) -> Result<Expression, TemplateError> {
        if call.params.is_empty() && call.hash.is_empty() {
            // An argument takes precedence over a helper of its name.
            return match (self.expression(&call.name)?, call.name.as_name()) {
                (Expression::Path(path), Some("date")) => Ok(Expression::ArgumentOrDate(path)),
                (expression, _) => Ok(expression),
            };
        }
        let name = call.name.as_name().unwrap_or("this expression");
        let Some(helper) = Helper::parse(name) else {
            return Err(if helper::is_block(name) {
                self.misused(format!(
                    "{name} is a block: write {{{{#{name} value}}}}…{{{{/{name}}}}}"
                ))
            } else {
                unavailable(&format!("{name:?}"))
            });
        };
        let parameters = call.params.iter().map(|given| self.expression(given));
        let parameters = parameters.collect::<Result<Vec<_>, _>>()?;
        let literals: Vec<_> = parameters.iter().map(Expression::literal).collect();
        helper
            .check(&literals)
            .map_err(|reason| self.misused(reason))?;
        Ok(Expression::Call(helper, parameters))
    }

    fn expression(self, given: &Given) -> Result<Expression, TemplateError> {
        match given {
            Given::Literal(value) => Ok(Expression::Literal(value.clone())),
            Given::Subexpression(inner) => match inner.as_element() {
                TemplateElement::Expression(call) => self.deeper()?.call(call),
                _ => Err(unavailable("this subexpression")),
            },
            other => self.path(other.as_name().unwrap_or_default()),
        }
    }

    fn path(self, raw: &str) -> Result<Expression, TemplateError> {
        let path = Path::parse(raw).ok_or(TemplateError::TooDeep {
            line: self.position.0,
        })?;
        Ok(Expression::Path(path))
    }

    fn misused(self, reason: String) -> TemplateError {
        let (line, column) = self.position;
        TemplateError::Syntax {
            line,
            column,
            reason,
        }
    }
}

fn body(parsed: Option<&Parsed>, around: Translator) -> Result<Program, TemplateError> {
    parsed.map_or(Ok(Vec::new()), |parsed| nodes(parsed, around))
}

/// Returns the `else if` that is the whole `else` part.
fn chained(inverse: &Parsed) -> Option<&HelperTemplate> {
    match &*inverse.elements {
        [TemplateElement::HelperBlock(call)] if call.is_chained() => Some(call),
        _ => None,
    }
}

fn unavailable(what: &str) -> TemplateError {
    TemplateError::Unavailable {
        what: what.to_owned(),
    }
}
