//! The arguments of an event that is raised manually: `{{> partials/arguments page.arguments}}`.

use redflash_core::model::Event;
use redflash_core::template::{Arguments, Parameter, Template};
use serde::Serialize;
use serde_json::Value;

use crate::admin::ui::form::Form;

/// Prefix of the field names; the rest is the name of the argument.
pub(crate) const PREFIX: &str = "arg.";
/// The field for more arguments, as lines of `NAME=VALUE`.
pub(crate) const LINES: &str = "arguments";

/// A field for each argument of an event's templates, as it was filled in.
#[derive(Serialize)]
pub(crate) struct Fields {
    fields: Vec<Argument>,
    lines: String,
}

#[derive(Serialize)]
struct Argument {
    id: String,
    field: String,
    name: String,
    value: String,
    is_list: bool,
}

impl Fields {
    pub(crate) fn of(event: &Event, form: &Form) -> Self {
        let field = |(index, parameter): (usize, Parameter)| {
            let field = format!("{PREFIX}{}", parameter.name);
            Argument {
                id: format!("argument-{index}"),
                value: form.get(&field).replace("\r\n", "\n"),
                field,
                name: parameter.name,
                is_list: parameter.is_list,
            }
        };
        Self {
            fields: parameters(event)
                .into_iter()
                .enumerate()
                .map(field)
                .collect(),
            lines: form.get(LINES).replace("\r\n", "\n"),
        }
    }

    /// Returns the arguments to raise. Empty ones are left out; lines take precedence over fields.
    pub(crate) fn arguments(&self) -> Arguments {
        let fields = self.fields.iter().map(|field| {
            let value = if field.is_list {
                let lines = field.value.lines().map(str::trim);
                lines.filter(|line| !line.is_empty()).collect()
            } else {
                field.value.trim().into()
            };
            (field.name.clone(), value)
        });
        let lines = self.lines.lines().filter_map(|line| line.split_once('='));
        let lines = lines.map(|(name, value)| (name.trim().to_owned(), value.trim().into()));
        let is_empty = |value: &Value| *value == "" || *value == Value::Array(Vec::new());
        let given = fields.chain(lines);
        given
            .filter(|(name, value)| !name.is_empty() && !is_empty(value))
            .collect()
    }
}

/// Returns the arguments of the message and the subject.
fn parameters(event: &Event) -> Vec<Parameter> {
    let mut all: Vec<Parameter> = Vec::new();
    for source in [&event.message].into_iter().chain(&event.subject) {
        let parameters = Template::parse(source).map(|template| template.parameters());
        for parameter in parameters.unwrap_or_default() {
            if !all.iter().any(|known| known.name == parameter.name) {
                all.push(parameter);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn arguments(message: &str, form: &str) -> Value {
        let mut event = Event::new("a".parse().unwrap(), "A".parse().unwrap(), message);
        event.subject = Some("{{level}}".into());
        let form = Form::parse(form.as_bytes()).unwrap();
        Fields::of(&event, &form).arguments().into()
    }

    #[test]
    fn raises_filled_in_arguments() {
        let message = "{{host}} {{#each disks}}{{this}}{{/each}} {{gone}}";
        let form = "arg.host=+db1+&arg.disks=sda%0D%0A%0D%0Asdb&arg.gone=&arg.level=1&arg.odd=x";
        let expected = json!({"host": "db1", "disks": ["sda", "sdb"], "level": "1"});
        assert_eq!(arguments(message, form), expected);
        assert_eq!(arguments(message, ""), json!({}));
    }

    #[test]
    fn prefers_lines_to_fields() {
        let form = "arg.host=db1&arguments=host%3Da%3Db%0D%0Anonsense%0D%0A%3Dx%0D%0Amore+%3D+y";
        assert_eq!(
            arguments("{{host}}", form),
            json!({"host": "a=b", "more": "y"})
        );
    }

    #[test]
    fn ignores_invalid_templates() {
        let form = "arg.level=1&arguments=host%3Ddb1";
        let expected = json!({"level": "1", "host": "db1"});
        assert_eq!(arguments(&"{".repeat(4000), form), expected);
    }
}
