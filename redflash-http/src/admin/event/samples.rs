//! Arguments with which one tries an event out before anything happens.

use redflash_core::{Arguments, Event, Parameter, Template};
use serde::Serialize;
use serde_json::Value;

use crate::admin::ui::form::Form;

/// What the names of the fields of samples begin with; the rest is the argument's name.
const PREFIX: &str = "arg.";

/// Arguments to try with: `{{> partials/samples page.samples}}`.
#[derive(Serialize)]
pub(crate) struct Samples {
    fields: Vec<Sample>,
    /// More of them, as lines of `NAME=VALUE`.
    lines: String,
}

/// An argument that the templates ask for.
#[derive(Serialize)]
struct Sample {
    id: String,
    field: String,
    name: String,
    value: String,
}

impl Samples {
    /// What a form says of the arguments that an event's templates ask for. Of what it does not say,
    /// the name serves.
    pub(crate) fn of(event: &Event, form: &Form) -> Self {
        let sample = |(place, parameter): (usize, Parameter)| {
            let field = format!("{PREFIX}{}", parameter.name);
            let value = if form.has(&field) {
                form.get(&field).to_owned()
            } else if parameter.is_list {
                Value::from(vec![parameter.name.clone()]).to_string()
            } else {
                parameter.name.clone()
            };
            Sample {
                id: format!("arg-{place}"),
                field,
                name: parameter.name,
                value,
            }
        };
        Self {
            fields: parameters(event)
                .into_iter()
                .enumerate()
                .map(sample)
                .collect(),
            lines: form.get("arguments").replace("\r\n", "\n"),
        }
    }

    /// The arguments of a raise like this. The lines count before the fields.
    pub(crate) fn arguments(&self) -> Arguments {
        let fields = self
            .fields
            .iter()
            .map(|sample| (&*sample.name, &*sample.value));
        let lines = self.lines.lines().filter_map(|line| line.split_once('='));
        let lines = lines.map(|(name, value)| (name.trim(), value.trim()));
        let given = fields.chain(lines).filter(|(name, _)| !name.is_empty());
        given
            .map(|(name, text)| (name.to_owned(), value(text)))
            .collect()
    }
}

/// A value as it is typed: a list or an object in JSON, otherwise a text.
fn value(text: &str) -> Value {
    let is_json = text.starts_with(['[', '{']);
    let json = is_json.then(|| serde_json::from_str(text).ok());
    json.flatten().unwrap_or_else(|| text.into())
}

/// The arguments that the message and the subject ask for.
fn parameters(event: &Event) -> Vec<Parameter> {
    let mut all: Vec<Parameter> = Vec::new();
    for source in event.subject.iter().chain([&event.message]) {
        let Ok(template) = Template::parse(source) else {
            continue;
        };
        for parameter in template.parameters() {
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

    fn arguments(form: &str) -> Value {
        let message = "{{host}} {{#each disks}}{{this}}{{/each}} {{gone}}";
        let mut event = Event::new("a".parse().unwrap(), "A".parse().unwrap(), message);
        event.subject = Some("{{level}}".into());
        let form = Form::parse(form.as_bytes()).unwrap();
        Samples::of(&event, &form).arguments().into()
    }

    #[test]
    fn what_is_not_said_is_called_by_its_name() {
        let named = json!({"level": "level", "host": "host", "disks": ["disks"], "gone": "gone"});
        assert_eq!(arguments(""), named);
    }

    #[test]
    fn lines_count_before_fields() {
        let form = "arg.host=db1&arg.gone=&arguments=disks%3D%5B%22sda%22%5D%0D%0Alevel+%3D+a%3Db%0D%0Anonsense";
        let said = json!({"level": "a=b", "host": "db1", "disks": ["sda"], "gone": ""});
        assert_eq!(arguments(form), said);
        assert_eq!(arguments("arguments=host%3D%5Bno")["host"], "[no");
    }
}
