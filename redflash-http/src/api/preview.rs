//! `POST /api/v1/preview`: what an event that is being written would do.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use redflash_core::{Arguments, Content, EditError, Event, InvalidField, Name, Plan, Slug};
use serde::Deserialize;

use crate::api::edit::Written;
use crate::api::event::Said;
use crate::api::extract::json_body::Input;
use crate::api::openapi::operation::Operation;
use crate::api::problem::Problem;
use crate::app::App;
use crate::off_thread;
use crate::route::{Auth, Permission, Route};

pub(super) fn routes() -> Vec<Route> {
    let preview = Operation::new(
        "previewEvent",
        "Alerts",
        "Says what an event would do if it were saved as it is here and raised now",
    );
    let auth = Auth::ApiKey(Permission::View);
    vec![
        Route::new(Method::POST, "/api/v1/preview", auth, show)
            .described(preview.takes("Preview").gives("Plan")),
    ]
}

/// An event that is being written, and what fills it in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Preview {
    event: Said,
    #[serde(default)]
    arguments: Arguments,
}

async fn show(
    State(app): State<Arc<App>>,
    Input(preview): Input<Preview>,
) -> Result<Json<Plan>, Problem> {
    let mut event = blank(Event::said_slug(&preview.event));
    event.apply(&preview.event, &app.engine)?;
    let faults = event.check_templates();
    if !faults.is_empty() {
        let faults = faults.into_iter().map(|fault| InvalidField {
            field: format!("event.{}", fault.field),
            ..fault
        });
        return Err(EditError::Invalid(faults.collect()).into());
    }
    let (engine, arguments) = (app.engine.clone(), preview.arguments);
    let is_large = Content::size_of(&arguments) >= off_thread::LARGE;
    let plan = off_thread::run(
        is_large,
        async move { engine.preview(&event, arguments).await },
    );
    Ok(Json(plan.await??))
}

/// An event of which nothing is said, which is never saved.
fn blank(slug: Option<&Slug>) -> Event {
    let unnamed = || Slug::parse("preview").expect("it is a slug");
    let name = Name::parse("Event").expect("it is a name");
    Event::new(slug.cloned().unwrap_or_else(unnamed), name, "")
}
