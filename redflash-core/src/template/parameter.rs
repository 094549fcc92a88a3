//! The arguments that a template uses.

use std::collections::BTreeSet;

use super::helper::Helper;
use super::path::{Base, Path};
use super::program::{Block, Expression, Node};

/// An argument that a template uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, as in a raise; `disk.name` for a value inside another.
    pub name: String,
    /// True if the template iterates over it with `each`.
    pub is_list: bool,
}

/// Arguments that can affect a template's text.
#[derive(Clone, Debug, Default)]
pub(super) struct Usage {
    /// The arguments that the template names, in the order of its text.
    pub(super) parameters: Vec<Parameter>,
    /// The names of all arguments that it could find a value in.
    names: BTreeSet<String>,
    /// True if the template uses all arguments together, so that any of them may have an effect.
    all: bool,
}

impl Usage {
    pub(super) fn of(program: &[Node]) -> Self {
        let mut usage = Self::default();
        usage.nodes(program, &Scopes::default());
        usage
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.all || self.names.contains(name)
    }

    fn nodes(&mut self, program: &[Node], scopes: &Scopes<'_>) {
        for node in program {
            match node {
                Node::Text(_) => {}
                Node::Print(expression) => self.expression(expression, scopes, false),
                Node::Choice(choice) => {
                    for branch in &choice.branches {
                        self.expression(&branch.condition, scopes, false);
                        self.nodes(&branch.body, scopes);
                    }
                    self.nodes(&choice.otherwise, scopes);
                }
                Node::Each(block) => self.block(block, scopes, true),
                Node::With(block) => self.block(block, scopes, false),
            }
        }
    }

    fn block(&mut self, block: &Block, scopes: &Scopes<'_>, is_loop: bool) {
        self.expression(&block.value, scopes, is_loop);
        self.nodes(&block.body, &scopes.within(block));
        self.nodes(block.otherwise.as_deref().unwrap_or_default(), scopes);
    }

    fn expression(&mut self, expression: &Expression, scopes: &Scopes<'_>, is_list: bool) {
        match expression {
            Expression::Path(path) if scopes.is_argument(path) => self.note(path, is_list),
            Expression::Literal(_) | Expression::Path(_) => {}
            Expression::ArgumentOrDate(path) => {
                self.names.insert(path.name.clone());
            }
            Expression::Call(helper, values) => {
                for value in values {
                    self.expression(value, scopes, is_list && *helper == Helper::Default);
                }
            }
        }
    }

    fn note(&mut self, path: &Path, is_list: bool) {
        if path.segments.is_empty() {
            self.all = true;
            return;
        }
        for end in 1..=path.segments.len() {
            self.names.insert(path.segments[..end].join("."));
        }
        let mut known = self.parameters.iter_mut();
        match known.find(|known| known.name == path.name) {
            Some(known) => known.is_list |= is_list,
            None => self.parameters.push(Parameter {
                name: path.name.clone(),
                is_list,
            }),
        }
    }
}

/// The blocks around a part of a template.
#[derive(Clone, Default)]
struct Scopes<'a> {
    depth: usize,
    names: Vec<&'a str>,
}

impl<'a> Scopes<'a> {
    fn within(&self, block: &'a Block) -> Self {
        let names = block.names.iter().map(String::as_str);
        Self {
            depth: self.depth + 1,
            names: self.names.iter().copied().chain(names).collect(),
        }
    }

    /// Returns true if a path starts at the arguments themselves, not at the value of a block.
    fn is_argument(&self, path: &Path) -> bool {
        match path.base {
            Base::Root => true,
            Base::Local(_) => false,
            Base::Scope(0)
                if path
                    .segments
                    .first()
                    .is_some_and(|name| self.names.contains(&&**name)) =>
            {
                false
            }
            Base::Scope(up) => up >= self.depth,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::template::Template;

    fn names(source: &str) -> Vec<String> {
        let parameters = Template::parse(source).unwrap().parameters();
        let shown = parameters.into_iter().map(|parameter| {
            let list = if parameter.is_list { "[]" } else { "" };
            format!("{}{list}", parameter.name)
        });
        shown.collect()
    }

    #[test]
    fn parameters_are_the_arguments_of_a_template() {
        for (source, asked) in [
            ("plain", vec![]),
            (
                "{{host}} {{disk.name}} {{host}} {{{raw}}}",
                vec!["host", "disk.name", "raw"],
            ),
            ("{{date}} {{date \"%H\"}} {{upper level}}", vec!["level"]),
            (
                "{{#if a}}{{b}}{{else if c}}{{d}}{{else}}{{e}}{{/if}}",
                vec!["a", "b", "c", "d", "e"],
            ),
            ("{{default (truncate text n) \"x\"}}", vec!["text", "n"]),
            (
                "{{#each disks}}{{this}} {{name}} {{@index}} {{../host}} {{@root.site}}{{else}}{{none}}{{/each}}",
                vec!["disks[]", "host", "site", "none"],
            ),
            (
                "{{#each disks as |disk i|}}{{disk.name}} {{i}} {{../i}}{{/each}}",
                vec!["disks[]", "i"],
            ),
            (
                "{{#with disk}}{{name}} {{../host}}{{/with}}",
                vec!["disk", "host"],
            ),
            ("{{this}} {{this.x}} {{@root}}", vec!["x"]),
            ("{{upper}} {{lower}}", vec!["upper", "lower"]),
        ] {
            assert_eq!(names(source), asked, "{source}");
        }
    }

    #[test]
    fn distinguishes_used_from_unused_arguments() {
        for (source, used, unused) in [
            ("{{host}}", vec!["host"], vec!["hosts", "host.name", "x"]),
            ("{{host.name}}", vec!["host", "host.name"], vec!["name"]),
            ("{{date}}", vec!["date"], vec!["time"]),
            ("{{lookup labels key}}", vec!["labels", "key"], vec!["x"]),
            ("{{lookup this key}}", vec!["key", "anything"], vec![]),
            ("{{lookup @root key}}", vec!["anything"], vec![]),
            ("{{#each this}}{{@key}}{{/each}}", vec!["anything"], vec![]),
            (
                "{{#each list}}{{this}}{{x}}{{/each}}",
                vec!["list"],
                vec!["x", "this"],
            ),
            (
                "{{#each list}}{{#if (eq x ../y)}}{{lookup ../z this}}{{/if}}{{/each}}",
                vec!["list", "y", "z"],
                vec!["x"],
            ),
        ] {
            let template = Template::parse(source).unwrap();
            for name in used {
                assert!(template.uses(name), "{source}: {name}");
            }
            for name in unused {
                assert!(!template.uses(name), "{source}: {name}");
            }
        }
    }
}
