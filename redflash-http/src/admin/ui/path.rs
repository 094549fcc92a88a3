//! What the path of a page names.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use redflash_core::{EndpointId, NotificationId, Slug};

use crate::admin::ui::page_error::PageError;
use crate::app::App;
use crate::extract::path::part;

/// The `{slug}` of a path.
pub(crate) struct Named(pub(crate) Slug);

/// The `{slug}` of a contact and the `{id}` of one of its endpoints.
pub(crate) struct NamedEndpoint {
    pub(crate) contact: Slug,
    pub(crate) id: EndpointId,
}

/// The `{id}` of a notification.
pub(crate) struct NamedNotification(pub(crate) NotificationId);

impl FromRequestParts<Arc<App>> for NamedNotification {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, PageError> {
        part(parts, app, "id").await.map(Self).ok_or_else(nothing)
    }
}

impl FromRequestParts<Arc<App>> for Named {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, PageError> {
        part(parts, app, "slug").await.map(Self).ok_or_else(nothing)
    }
}

impl FromRequestParts<Arc<App>> for NamedEndpoint {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, PageError> {
        let Named(contact) = Named::from_request_parts(parts, app).await?;
        let id = part(parts, app, "id").await.ok_or_else(nothing)?;
        Ok(Self { contact, id })
    }
}

fn nothing() -> PageError {
    PageError::missing("page with that name")
}
