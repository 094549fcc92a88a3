//! The URLs of the old contract at which alerts are raised and targets inspected.
//!
//! Each URL exists with and without a trailing slash, served in place: a redirect would turn an old
//! client's POST into a GET, and lose the alert.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::legacy::error::LegacyError;
use crate::legacy::target_kind::TargetKind;
use crate::legacy::{inspect, raise};
use crate::route::{Auth, Route};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::any("/contact/{slug}", Auth::Handler, contact),
        Route::any("/contact/{slug}/", Auth::Handler, contact),
        Route::any("/group/{slug}", Auth::Handler, group),
        Route::any("/group/{slug}/", Auth::Handler, group),
        Route::any("/event/{slug}", Auth::Handler, event),
        Route::any("/event/{slug}/", Auth::Handler, event),
    ]
}

type Named = Result<Path<String>, PathRejection>;

async fn contact(State(app): State<Arc<App>>, slug: Named, request: Request) -> Response {
    serve(&app, TargetKind::Contact, slug, request).await
}

async fn group(State(app): State<Arc<App>>, slug: Named, request: Request) -> Response {
    serve(&app, TargetKind::Group, slug, request).await
}

async fn event(State(app): State<Arc<App>>, slug: Named, request: Request) -> Response {
    serve(&app, TargetKind::Event, slug, request).await
}

async fn serve(app: &App, kind: TargetKind, slug: Named, request: Request) -> Response {
    // An undecodable slug is an unknown one; the key is checked first.
    let slug = slug.map_or_else(|_| "?".to_owned(), |Path(slug)| slug);
    let served = match *request.method() {
        Method::POST => raise::raise(app, kind, &slug, request).await,
        Method::GET if kind != TargetKind::Event => {
            inspect::inspect(app, kind, &slug, request).await
        }
        _ => Err(LegacyError::method()),
    };
    served.unwrap_or_else(IntoResponse::into_response)
}
