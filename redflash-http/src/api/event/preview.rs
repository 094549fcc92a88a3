//! `POST /api/v1/preview`: the plan of an event that is being edited.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use redflash_core::engine::{EditError, InvalidField};
use redflash_core::message::Content;
use redflash_core::model::{Event, MissingArguments, Name, Slug};
use redflash_core::template::Arguments;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::extract::json_body::{Input, Optional};
use crate::api::openapi::operation::Operation;
use crate::api::openapi::value;
use crate::api::plan::Plan;
use crate::api::problem::Problem;
use crate::app::App;
use crate::off_thread;
use crate::route::{Auth, Permission, Route};

pub(super) fn routes() -> Vec<Route> {
    let preview = Operation::new(
        "previewEvent",
        "Alerts",
        "Preview an event that is not saved",
    );
    let auth = Auth::ApiKey(Permission::View);
    vec![
        Route::new(Method::POST, "/api/v1/preview", auth, show)
            .described(preview.body::<Preview>().ok::<Plan>()),
    ]
}

/// An event that is being edited, and arguments to render it with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Preview {
    event: EventDraft,
    /// Arguments for the templates: names, and values of any type.
    #[serde(default)]
    #[schemars(extend("examples" = [{ "host": "db1" }]))]
    arguments: Arguments,
}

/// An event that is being edited. Contacts and groups that do not exist are ignored.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EventDraft {
    #[serde(default)]
    #[schemars(with = "value::Slug")]
    slug: Optional<Slug>,
    #[serde(default)]
    #[schemars(with = "value::Name")]
    name: Optional<Name>,
    /// Description for the people who maintain the event.
    #[serde(default)]
    description: Optional<String>,
    /// False if raising the event is rejected.
    #[serde(default)]
    enabled: Optional<bool>,
    /// Template of the subject, for channels that have one. The name of the event if null. At most 4096
    /// bytes.
    #[serde(default)]
    #[schemars(with = "Option<value::Subject>")]
    subject: Option<String>,
    /// Template of the message. At most 4096 bytes.
    #[schemars(with = "value::Template")]
    message: String,
    /// Sender of the message, where the gateway allows it.
    #[serde(default)]
    sender: Option<String>,
    #[serde(default)]
    #[schemars(with = "value::MissingArguments", extend("default" = "mark"))]
    missing_arguments: Optional<MissingArguments>,
    /// Contacts to notify.
    #[serde(default)]
    #[schemars(with = "Vec<value::Slug>")]
    contacts: Vec<Slug>,
    /// Groups to notify.
    #[serde(default)]
    #[schemars(with = "Vec<value::Slug>")]
    groups: Vec<Slug>,
}

impl From<EventDraft> for Event {
    fn from(draft: EventDraft) -> Self {
        let slug = draft.slug.0;
        let slug = slug.unwrap_or_else(|| Slug::parse("preview").expect("it is a slug"));
        let name = draft.name.0;
        let name = name.unwrap_or_else(|| Name::parse("Event").expect("it is a name"));
        let mut event = Self::new(slug, name, draft.message);
        draft.description.set(&mut event.description);
        draft.enabled.set(&mut event.enabled);
        draft.missing_arguments.set(&mut event.missing_arguments);
        Self {
            subject: draft.subject,
            sender: draft.sender,
            contacts: draft.contacts,
            groups: draft.groups,
            ..event
        }
    }
}

async fn show(
    State(app): State<Arc<App>>,
    Input(preview): Input<Preview>,
) -> Result<Json<Plan>, Problem> {
    let event = Event::from(preview.event);
    let errors = event.check_templates();
    if !errors.is_empty() {
        let errors = errors.into_iter().map(|error| InvalidField {
            field: format!("event.{}", error.field),
            ..error
        });
        return Err(EditError::Invalid(errors.collect()).into());
    }
    let (engine, arguments) = (app.engine.clone(), preview.arguments);
    let is_large = Content::size_of(&arguments) >= off_thread::LARGE;
    let plan = off_thread::run(
        is_large,
        async move { engine.preview(&event, arguments).await },
    );
    Ok(Json(plan.await??.into()))
}
