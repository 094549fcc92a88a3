//! What an event that is being written would do, shown beside it.

use axum::http::Method;
use axum::response::{Html, IntoResponse, Response};
use redflash_core::{Engine, Event, FieldFault, RaiseError, Slug};
use serde::Serialize;

use crate::admin::event::form::Draft;
use crate::admin::event::page;
use crate::admin::event::samples::Samples;
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{Faults, sentence};
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::Plan;
use crate::route::{Auth, Permission, Route};

/// Where a form is sent to be tried.
///
/// Not below `/admin/events`, where an event of that name would stand.
pub(crate) const URL: &str = "/admin/preview/event";

/// How many lines are shown before and after one that is wrong.
const AROUND: usize = 3;
/// How many characters of such a line are shown.
const SHOWN: usize = 200;

pub(crate) fn routes() -> Vec<Route> {
    let view = Auth::Session(Permission::View);
    vec![Route::new(Method::POST, URL, view, preview)]
}

/// What an event would do: `{{> partials/preview page.preview}}`.
#[derive(Serialize)]
pub(crate) struct Preview {
    /// Nothing is written yet.
    blank: bool,
    faults: Vec<Fault>,
    /// Warnings about probable mistakes.
    warnings: Vec<String>,
    /// Why something else is sent than the template says.
    degraded: Option<String>,
    length: String,
    plan: Option<Plan>,
}

/// What is wrong with a template, and where.
#[derive(Serialize)]
struct Fault {
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
    /// What an event would do if it were saved as it is here and raised with these.
    pub(crate) async fn of(
        engine: &Engine,
        event: &Event,
        samples: &Samples,
    ) -> Result<Self, RaiseError> {
        let mut preview = Self {
            blank: event.message.trim().is_empty(),
            faults: Vec::new(),
            warnings: event.warnings().iter().map(|text| sentence(text)).collect(),
            degraded: None,
            length: String::new(),
            plan: None,
        };
        if preview.blank {
            return Ok(preview);
        }
        let faults = event.check_templates();
        preview.faults = faults
            .iter()
            .map(|fault| Fault::new(fault, event))
            .collect();
        if preview.faults.is_empty() {
            let plan = engine.preview(event, samples.arguments()).await?;
            preview.degraded.clone_from(&plan.message.degraded);
            let plan = Plan::from(plan);
            preview.length = length(&plan);
            preview.plan = Some(plan);
        }
        Ok(preview)
    }
}

impl Fault {
    fn new(fault: &FieldFault, event: &Event) -> Self {
        let source = match &*fault.field {
            "subject" => event.subject.as_deref().unwrap_or_default(),
            _ => &event.message,
        };
        Self {
            field: sentence(&fault.field),
            message: sentence(&fault.message),
            lines: fault
                .line
                .map_or_else(Vec::new, |line| around(source, line)),
        }
    }
}

/// The lines around one that is wrong.
fn around(source: &str, wrong: usize) -> Vec<Line> {
    let first = wrong.saturating_sub(AROUND).max(1);
    let lines = source.split('\n').enumerate().map(|(place, text)| Line {
        number: place + 1,
        text: text.chars().take(SHOWN).collect(),
        is_wrong: place + 1 == wrong,
    });
    lines
        .skip(first - 1)
        .take(wrong + AROUND + 1 - first)
        .collect()
}

/// How long the text is, with a warning where that costs something.
fn length(plan: &Plan) -> String {
    let count = plan.text.chars().count();
    let said = match count {
        1 => "1 character.".to_owned(),
        count => format!("{count} characters."),
    };
    let by_sms = plan.told.iter().any(|told| told.channel == "sms");
    if by_sms && count > 70 {
        return format!(
            "{said} An SMS holds 160 characters, or 70 if any character is outside the GSM \
             alphabet. Longer messages are sent in several parts."
        );
    }
    said
}

/// Answers a script with the preview alone, and the button of the form with the whole page.
async fn preview(desk: PageContext, form: Form) -> Result<Response, PageError> {
    let slug = form.given("event").and_then(|slug| Slug::parse(slug).ok());
    if form.has("preview") {
        return match &slug {
            Some(slug) => page::show(&desk, slug, Some(&form), None).await,
            None => page::show_new(&desk, &form, None).await,
        };
    }
    let engine = &desk.app.engine;
    let event = match &slug {
        Some(slug) => {
            let event = engine.store().event(slug).await?;
            event.ok_or_else(|| PageError::missing(format!("event {slug}")))?
        }
        None => page::unsaved(&Draft::typed(&form, None, &mut Faults::default())),
    };
    let event = page::as_typed(event, Some(&form));
    let samples = Samples::of(&event, &form);
    let preview = Preview::of(engine, &event, &samples).await?;
    Ok(Html(desk.fragment("preview", preview)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_wrong_stands_among_its_neighbours() {
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
