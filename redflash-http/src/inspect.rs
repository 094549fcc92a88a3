//! `GET /contact/{slug}`, `/group/{slug}`: what is there, without addresses.

use axum::Json;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use redflash_core::{RaiseError, Slug, StoreError};
use serde_json::json;

use crate::front::{App, Kind};
use crate::refusal::Refusal;
use crate::{body, key};

pub(crate) async fn inspect(
    app: &App,
    kind: Kind,
    slug: &str,
    request: Request,
) -> Result<Response, Refusal> {
    // Nothing is read from a body.
    let (parts, _) = request.into_parts();
    let mut query = body::query(parts.uri.query())?;
    let secret = key::take(&mut body::Fields::new(), &mut query, &parts.headers);
    let key = key::check(&app.engine, secret).await?;
    app.used(&key);
    if !key.inspect {
        let message = format!("The key {} may not inspect", key.slug);
        return Err(Refusal::not_allowed(message));
    }
    let unknown = || Refusal::unknown(kind.name(), slug);
    let slug: Slug = slug.parse().map_err(|_| unknown())?;
    let failed = |fault: StoreError| Refusal::from(RaiseError::from(fault));
    let store = app.engine.store();
    let shown = match kind {
        Kind::Contact => {
            let contact = store.contact(&slug).await.map_err(failed)?;
            let contact = contact
                .filter(|contact| contact.enabled)
                .ok_or_else(unknown)?;
            json!({ "name": contact.name, "slug": contact.slug })
        }
        Kind::Group => {
            let group = store.group(&slug).await.map_err(failed)?;
            let group = group.filter(|group| group.enabled).ok_or_else(unknown)?;
            json!({ "name": group.name, "slug": group.slug, "short_contacts": group.contacts })
        }
        Kind::Event => return Err(Refusal::method()),
    };
    Ok(Json(shown).into_response())
}
