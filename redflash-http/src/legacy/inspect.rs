//! `GET /contact/{slug}`, `/group/{slug}`: a contact or a group, without addresses.

use axum::Json;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use redflash_core::engine::RaiseError;
use redflash_core::model::Slug;
use redflash_core::store::StoreError;
use serde_json::json;

use crate::app::App;
use crate::auth::api_key;
use crate::extract::body;
use crate::legacy::error::LegacyError;
use crate::legacy::target_kind::TargetKind;

pub(crate) async fn inspect(
    app: &App,
    kind: TargetKind,
    slug: &str,
    request: Request,
) -> Result<Response, LegacyError> {
    // The body is ignored.
    let (parts, _) = request.into_parts();
    let mut query = body::query(parts.uri.query())?;
    let secret = api_key::before_body(&mut query, &parts.headers);
    let key = api_key::check(&app.engine, secret).await?;
    app.note_use(&key);
    if !key.inspect {
        let message = format!("The key {} may not inspect", key.slug);
        return Err(LegacyError::not_allowed(message));
    }
    let unknown = || {
        let text: String = slug.chars().take(100).collect();
        LegacyError::unknown(kind.name(), slug)
            .with_old_text(format!("Invalid {}: {text}", kind.name()))
    };
    let slug: Slug = slug.parse().map_err(|_| unknown())?;
    let failed = |error: StoreError| LegacyError::from(RaiseError::from(error));
    let store = app.engine.store();
    let shown = match kind {
        TargetKind::Contact => {
            let contact = store.contact(&slug).await.map_err(failed)?;
            let contact = contact.ok_or_else(unknown)?;
            if !contact.enabled {
                let refusal = LegacyError::disabled(&kind.target(slug), contact.name.as_str());
                return Err(refusal.with_old_text("Disabled user"));
            }
            json!({ "name": contact.name, "slug": contact.slug })
        }
        TargetKind::Group => {
            let group = store.group(&slug).await.map_err(failed)?;
            let group = group.ok_or_else(unknown)?;
            if !group.enabled {
                let refusal = LegacyError::disabled(&kind.target(slug), group.name.as_str());
                return Err(refusal.with_old_text("Disabled group"));
            }
            json!({ "name": group.name, "slug": group.slug, "short_contacts": group.contacts })
        }
        TargetKind::Event => return Err(LegacyError::method()),
    };
    Ok(Json(shown).into_response())
}
