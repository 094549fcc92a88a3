//! Sample arguments for the preview of an event.

use redflash_core::model::Event;
use redflash_core::template::{Arguments, Parameter, Template};
use serde::Serialize;
use serde_json::Value;

use crate::admin::ui::form::Form;

/// Prefix of the field names; the rest is the name of the argument.
const PREFIX: &str = "arg.";

/// Sample arguments: `{{> partials/samples page.samples}}`.
#[derive(Serialize)]
pub(crate) struct Samples {
    fields: Vec<Sample>,
    /// More arguments, as lines of `NAME=VALUE`.
    lines: String,
}

/// The sample of one argument of the templates.
#[derive(Serialize)]
struct Sample {
    id: String,
    field: String,
    name: String,
    value: String,
}

impl Samples {
    /// Reads the samples from a form. An argument without one has its own name as its value.
    pub(crate) fn of(event: &Event, form: &Form) -> Self {
        let sample = |(index, parameter): (usize, Parameter)| {
            let field = format!("{PREFIX}{}", parameter.name);
            let value = if form.has(&field) {
                form.get(&field).to_owned()
            } else if parameter.is_list {
                Value::from(vec![parameter.name.clone()]).to_string()
            } else {
                parameter.name.clone()
            };
            Sample {
                id: format!("arg-{index}"),
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

    /// Returns the arguments to preview. Lines take precedence over fields.
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

/// Reads a value: a list or an object in JSON, otherwise a text.
fn value(text: &str) -> Value {
    let is_json = text.starts_with(['[', '{']);
    let json = is_json.then(|| serde_json::from_str(text).ok());
    json.flatten().unwrap_or_else(|| text.into())
}

/// Returns the arguments of the message and the subject.
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
    fn uses_names_as_default_values() {
        let named = json!({"level": "level", "host": "host", "disks": ["disks"], "gone": "gone"});
        assert_eq!(arguments(""), named);
    }

    #[test]
    fn prefers_lines_to_fields() {
        let form = "arg.host=db1&arg.gone=&arguments=disks%3D%5B%22sda%22%5D%0D%0Alevel+%3D+a%3Db%0D%0Anonsense";
        let expected = json!({"level": "a=b", "host": "db1", "disks": ["sda"], "gone": ""});
        assert_eq!(arguments(form), expected);
        assert_eq!(arguments("arguments=host%3D%5Bno")["host"], "[no");
    }
}
