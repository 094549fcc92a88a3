//! The preview of an event: its message and recipients, or its errors.

use redflash_core::Engine;
use redflash_core::engine::{InvalidField, RaiseError};
use redflash_core::model::Event;
use serde::Serialize;

use crate::admin::event::samples::Samples;
use crate::admin::ui::form_error::sentence;
use crate::admin::ui::partials::Plan;

/// Number of lines shown before and after a line with an error.
const CONTEXT_LINES: usize = 3;
/// Maximum number of characters shown of such a line.
const MAX_LINE: usize = 200;

/// The preview of an event: `{{> partials/preview page.preview}}`.
#[derive(Serialize)]
pub(crate) struct Preview {
    /// True if there is no message yet.
    blank: bool,
    errors: Vec<TemplateError>,
    /// Warnings about probable mistakes.
    warnings: Vec<String>,
    /// Reason why a fallback text is sent instead of the template.
    degraded: Option<String>,
    length: String,
    plan: Option<Plan>,
}

/// An error in a template, with the lines around it.
#[derive(Serialize)]
struct TemplateError {
    field: String,
    message: String,
    lines: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    number: usize,
    text: String,
    is_wrong: bool,
}

impl Preview {
    /// Plans the event as if it were saved and raised with the samples.
    pub(crate) async fn of(
        engine: &Engine,
        event: &Event,
        samples: &Samples,
    ) -> Result<Self, RaiseError> {
        let mut preview = Self {
            blank: event.message.trim().is_empty(),
            errors: Vec::new(),
            warnings: event.warnings().iter().map(|text| sentence(text)).collect(),
            degraded: None,
            length: String::new(),
            plan: None,
        };
        if preview.blank {
            return Ok(preview);
        }
        let errors = event.check_templates();
        preview.errors = errors
            .iter()
            .map(|error| TemplateError::new(error, event))
            .collect();
        if preview.errors.is_empty() {
            let plan = engine.preview(event, samples.arguments()).await?;
            preview.degraded.clone_from(&plan.message.degraded);
            let plan = Plan::from(plan);
            preview.length = length(&plan);
            preview.plan = Some(plan);
        }
        Ok(preview)
    }
}

impl TemplateError {
    fn new(error: &InvalidField, event: &Event) -> Self {
        let source = match &*error.field {
            "subject" => event.subject.as_deref().unwrap_or_default(),
            _ => &event.message,
        };
        Self {
            field: sentence(&error.field),
            message: sentence(&error.message),
            lines: error
                .line
                .map_or_else(Vec::new, |line| around(source, line)),
        }
    }
}

/// Returns the lines around the one with an error.
fn around(source: &str, wrong: usize) -> Vec<Line> {
    let first = wrong.saturating_sub(CONTEXT_LINES).max(1);
    let lines = source.split('\n').enumerate().map(|(index, text)| Line {
        number: index + 1,
        text: text.chars().take(MAX_LINE).collect(),
        is_wrong: index + 1 == wrong,
    });
    lines
        .skip(first - 1)
        .take(wrong + CONTEXT_LINES + 1 - first)
        .collect()
}

/// Returns the length of the text, with a warning if it costs more than one SMS.
fn length(plan: &Plan) -> String {
    let count = plan.text.chars().count();
    let text = match count {
        1 => "1 character.".to_owned(),
        count => format!("{count} characters."),
    };
    let by_sms = plan
        .deliveries
        .iter()
        .any(|delivery| delivery.channel == "sms");
    if by_sms && count > 70 {
        return format!(
            "{text} An SMS holds 160 characters, or 70 if any character is outside the GSM \
             alphabet. Longer messages are sent in several parts."
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_lines_around_the_error() {
        let source = "1\n2\n3\n4\n5\n6\n7\n8";
        for (wrong, first, last) in [(1, 1, 4), (4, 1, 7), (5, 2, 8), (8, 5, 8)] {
            let lines = around(source, wrong);
            let numbers: Vec<_> = lines.iter().map(|line| line.number).collect();
            assert_eq!(numbers, (first..=last).collect::<Vec<_>>(), "{wrong}");
            let marked = lines.iter().filter(|line| line.is_wrong);
            assert_eq!(marked.map(|line| line.number).collect::<Vec<_>>(), [wrong]);
        }
        assert!(around("", 9).is_empty());
    }
}
