//! The arguments of an event that is raised by hand: `{{> partials/arguments page.arguments}}`.

use redflash_core::{Arguments, Event, Parameter, Template};
use serde::Serialize;
use serde_json::Value;

use crate::admin::ui::form::Form;

/// What the names of the fields begin with; the rest is the argument's name.
pub(crate) const PREFIX: &str = "arg.";
/// More of them, as lines of `NAME=VALUE`.
pub(crate) const LINES: &str = "arguments";

/// The arguments that an event's templates ask for, as they were filled in.
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
        let field = |(place, parameter): (usize, Parameter)| {
            let field = format!("{PREFIX}{}", parameter.name);
            Argument {
                id: format!("argument-{place}"),
                value: form.get(&field).replace("\r\n", "\n"),
                field,
                name: parameter.name,
                is_list: parameter.is_list,
            }
        };
        Self {
            fields: asked(event).into_iter().enumerate().map(field).collect(),
            lines: form.get(LINES).replace("\r\n", "\n"),
        }
    }

    /// What is raised. What is left empty is not sent along; the lines count before the fields.
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

/// The arguments that the message and the subject ask for.
fn asked(event: &Event) -> Vec<Parameter> {
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
    fn what_is_filled_in_is_raised() {
        let message = "{{host}} {{#each disks}}{{this}}{{/each}} {{gone}}";
        let form = "arg.host=+db1+&arg.disks=sda%0D%0A%0D%0Asdb&arg.gone=&arg.level=1&arg.odd=x";
        let said = json!({"host": "db1", "disks": ["sda", "sdb"], "level": "1"});
        assert_eq!(arguments(message, form), said);
        assert_eq!(arguments(message, ""), json!({}));
    }

    #[test]
    fn lines_count_before_fields() {
        let form = "arg.host=db1&arguments=host%3Da%3Db%0D%0Anonsense%0D%0A%3Dx%0D%0Amore+%3D+y";
        assert_eq!(
            arguments("{{host}}", form),
            json!({"host": "a=b", "more": "y"})
        );
    }

    #[test]
    fn a_template_with_faults_asks_for_nothing() {
        let form = "arg.level=1&arguments=host%3Ddb1";
        let said = json!({"level": "1", "host": "db1"});
        assert_eq!(arguments(&"{".repeat(4000), form), said);
    }
}
