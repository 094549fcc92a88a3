//! What the path of a page names.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use redflash_core::{EndpointId, NotificationId, Slug};

use super::oops::Oops;
use crate::front::App;

/// The `{slug}` of a path.
pub(super) struct Named(pub(super) Slug);

/// The `{slug}` of a contact and the `{id}` of one of its endpoints.
pub(super) struct NamedEndpoint {
    pub(super) contact: Slug,
    pub(super) id: EndpointId,
}

/// The `{id}` of a notification.
pub(super) struct NamedNotification(pub(super) NotificationId);

impl FromRequestParts<Arc<App>> for NamedNotification {
    type Rejection = Oops;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Oops> {
        let id = part(parts, app, "id").await?;
        id.parse().map(Self).map_err(|_| nothing())
    }
}

impl FromRequestParts<Arc<App>> for Named {
    type Rejection = Oops;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Oops> {
        let text = part(parts, app, "slug").await?;
        let slug = Slug::parse(&text).map_err(|_| nothing())?;
        Ok(Self(slug))
    }
}

impl FromRequestParts<Arc<App>> for NamedEndpoint {
    type Rejection = Oops;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Oops> {
        let Named(contact) = Named::from_request_parts(parts, app).await?;
        let id = part(parts, app, "id").await?;
        let id = id.parse().map_err(|_| nothing())?;
        Ok(Self { contact, id })
    }
}

async fn part(parts: &mut Parts, app: &Arc<App>, name: &str) -> Result<String, Oops> {
    let all = RawPathParams::from_request_parts(parts, app).await;
    let all = all.map_err(|_| nothing())?;
    let found = all.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| text.to_owned()).ok_or_else(nothing)
}

fn nothing() -> Oops {
    Oops::missing("page of that name")
}
