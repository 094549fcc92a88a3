//! What a template source must keep to before and after it is compiled.

use handlebars::template::{HelperTemplate, Parameter, Template as Compiled, TemplateElement};

use super::{Template, TemplateError, helper};

/// How many `each` blocks may stand inside one another: it bounds the time a rendering takes.
const MAX_LOOPS: usize = 2;

/// Size and nesting, judged on the bare text: the compiler recurses, and a deep source would
/// overflow its stack before it could complain.
pub(super) fn bounds(source: &str) -> Result<(), TemplateError> {
    if source.len() > Template::MAX_SOURCE {
        return Err(TemplateError::TooLong { size: source.len() });
    }
    let mut line = 1;
    let mut brackets = 0_usize;
    let mut blocks = 0_usize;
    let mut rest = source;
    while let Some(character) = rest.chars().next() {
        if let Some(tag) = rest.strip_prefix("{{") {
            let tag = tag.trim_start_matches(['{', '~']).trim_start();
            if tag.starts_with(['#', '^']) || tag.starts_with("else") {
                blocks += 1;
            } else if tag.starts_with('/') {
                blocks = blocks.saturating_sub(1);
            }
        }
        match character {
            '\n' => line += 1,
            '(' | '[' | '{' => brackets += 1,
            ')' | ']' | '}' => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        if brackets.max(blocks) > Template::MAX_NESTING {
            return Err(TemplateError::TooDeep { line });
        }
        rest = &rest[character.len_utf8()..];
    }
    Ok(())
}

/// Only the constructs and helpers that we list, judged on the compiled template.
pub(super) fn constructs(template: &Compiled) -> Result<(), TemplateError> {
    elements(template, 0)
}

fn elements(template: &Compiled, loops: usize) -> Result<(), TemplateError> {
    for element in &template.elements {
        match element {
            TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
            TemplateElement::Expression(call)
            | TemplateElement::HtmlExpression(call)
            | TemplateElement::HelperBlock(call) => helper_call(call, loops)?,
            TemplateElement::PartialExpression(_) | TemplateElement::PartialBlock(_) => {
                return Err(unavailable("a partial ({{> …}})"));
            }
            _ => return Err(unavailable("a decorator ({{* …}})")),
        }
    }
    Ok(())
}

fn helper_call(call: &HelperTemplate, loops: usize) -> Result<(), TemplateError> {
    let name = call.name.as_name();
    let calls = call.block || !call.params.is_empty() || !call.hash.is_empty();
    if calls && !name.is_some_and(|name| helper::NAMES.contains(&name)) {
        return Err(unavailable(&format!(
            "{:?}",
            name.unwrap_or("this expression")
        )));
    }
    let loops = loops + usize::from(call.block && name == Some("each"));
    if loops > MAX_LOOPS {
        return Err(unavailable("an each inside more than one other each"));
    }
    for parameter in std::iter::once(&call.name)
        .chain(&call.params)
        .chain(call.hash.values())
    {
        subexpression(parameter, loops)?;
    }
    for part in [&call.template, &call.inverse].into_iter().flatten() {
        elements(part, loops)?;
    }
    Ok(())
}

fn subexpression(parameter: &Parameter, loops: usize) -> Result<(), TemplateError> {
    match parameter {
        Parameter::Subexpression(inner) => match inner.as_element() {
            TemplateElement::Expression(call) => helper_call(call, loops),
            _ => Err(unavailable("this subexpression")),
        },
        _ => Ok(()),
    }
}

fn unavailable(what: &str) -> TemplateError {
    TemplateError::Unavailable {
        what: what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(source: &str) -> TemplateError {
        Template::parse(source).expect_err(source)
    }

    #[test]
    fn long_sources_are_refused() {
        assert!(Template::parse(&"x".repeat(4096)).is_ok());
        assert_eq!(
            refusal(&"x".repeat(4097)),
            TemplateError::TooLong { size: 4097 }
        );
    }

    #[test]
    fn deep_sources_are_refused_before_they_are_compiled() {
        let deep = |open: &str, count| format!("\n{{{{upper {}", open.repeat(count));
        for source in [
            deep("(", 2000),
            deep("[", 2000),
            deep("(upper ", 500),
            "{{#if a}}".repeat(400),
            "{{^a}}".repeat(400),
            format!("{{{{#if a}}}}{}", "{{else if a}}".repeat(300)),
            "{".repeat(4000),
        ] {
            assert!(
                matches!(refusal(&source), TemplateError::TooDeep { .. }),
                "{}",
                &source[..20]
            );
        }
        assert_eq!(
            refusal(&deep("(", 2000)),
            TemplateError::TooDeep { line: 2 }
        );
    }

    #[test]
    fn faults_are_named_by_line_and_column() {
        let error = refusal("first\n{{#if x}}open");
        assert!(matches!(error, TemplateError::Syntax { .. }), "{error}");
        assert!(error.to_string().contains("line"), "{error}");
        for (source, wanted) in [
            ("Disk {{host", "line 1, column 12: this cannot be read"),
            (
                "a\n{{#if x}}y{{/each}}",
                "line 2, column 11: {{#if}} is open here, and {{/each}} does not close it",
            ),
        ] {
            let error = refusal(source).to_string();
            assert!(error.starts_with(wanted), "{error}");
        }
    }

    #[test]
    fn only_listed_constructs_are_available() {
        for source in [
            "{{> header}}",
            "{{#*inline \"x\"}}y{{/inline}}",
            "{{log x}}",
            "{{lookup a b}}",
            "{{#with a}}x{{/with}}",
            "{{include \"/etc/passwd\"}}",
            "{{upper (lookup a b)}}",
            "{{#each a}}{{#each b}}{{#each c}}x{{/each}}{{/each}}{{/each}}",
        ] {
            let error = refusal(source);
            assert!(
                matches!(error, TemplateError::Unavailable { .. }),
                "{source}: {error}"
            );
        }
    }
}
