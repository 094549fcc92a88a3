//! The arguments that a template asks for.

use handlebars::template::{
    HelperTemplate, Parameter as Given, Template as Compiled, TemplateElement,
};

use super::helper;

/// An argument that a template asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, as in a raise.
    pub name: String,
    /// Whether the template goes through it with `each`.
    pub is_list: bool,
}

/// Every argument that a template asks for, in the order of the text.
pub(super) fn of(template: &Compiled) -> Vec<Parameter> {
    let mut found = Vec::new();
    elements(template, 0, &mut found);
    found
}

fn elements(template: &Compiled, loops: usize, found: &mut Vec<Parameter>) {
    for element in &template.elements {
        if let TemplateElement::Expression(call)
        | TemplateElement::HtmlExpression(call)
        | TemplateElement::HelperBlock(call) = element
        {
            helper_call(call, loops, found);
        }
    }
}

fn helper_call(call: &HelperTemplate, loops: usize, found: &mut Vec<Parameter>) {
    let is_loop = call.block && call.name.as_name() == Some("each");
    let is_call = call.block || !call.params.is_empty() || !call.hash.is_empty();
    if !is_call && !call.name.as_name().is_some_and(is_helper) {
        note(&call.name, loops, false, found);
    }
    for parameter in call.params.iter().chain(call.hash.values()) {
        note(parameter, loops, is_loop, found);
    }
    let within = loops + usize::from(is_loop);
    for (part, loops) in [(&call.template, within), (&call.inverse, loops)] {
        if let Some(part) = part {
            elements(part, loops, found);
        }
    }
}

fn is_helper(name: &str) -> bool {
    helper::NAMES.contains(&name)
}

fn note(given: &Given, loops: usize, is_list: bool, found: &mut Vec<Parameter>) {
    match given {
        Given::Subexpression(inner) => {
            if let TemplateElement::Expression(call) = inner.as_element() {
                helper_call(call, loops, found);
            }
        }
        other => {
            let Some(name) = other.as_name().and_then(|path| argument(path, loops)) else {
                return;
            };
            match found.iter_mut().find(|known| known.name == name) {
                Some(known) => known.is_list |= is_list,
                None => found.push(Parameter {
                    name: name.to_owned(),
                    is_list,
                }),
            }
        }
    }
}

/// The argument that a path begins with; `None` for what belongs to the entry that an `each` is at.
///
/// * `loops` - how many `each` the path stands in.
fn argument(path: &str, loops: usize) -> Option<&str> {
    let from_root = path.strip_prefix("@root.").or(path.strip_prefix("@root/"));
    let outside = from_root.or_else(|| {
        let inner = path.trim_start_matches("../");
        let up = (path.len() - inner.len()) / "../".len();
        (up == loops).then_some(inner)
    })?;
    let name = outside.split(['.', '/', '[']).next().unwrap_or_default();
    let is_name = !name.is_empty() && !name.starts_with('@') && name != "this";
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use crate::Template;

    fn names(source: &str) -> Vec<String> {
        let parameters = Template::parse(source).unwrap().parameters();
        let shown = parameters.into_iter().map(|parameter| {
            let list = if parameter.is_list { "[]" } else { "" };
            format!("{}{list}", parameter.name)
        });
        shown.collect()
    }

    #[test]
    fn a_template_says_what_it_asks_for() {
        for (source, asked) in [
            ("plain", vec![]),
            (
                "{{host}} {{disk.name}} {{host}} {{{raw}}}",
                vec!["host", "disk", "raw"],
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
            ("{{this}} {{this.x}} {{@root}}", vec![]),
        ] {
            assert_eq!(names(source), asked, "{source}");
        }
    }
}
