//! Path parameters of pages.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use redflash_core::model::{EndpointId, NotificationId, Slug};

use crate::admin::ui::page_error::PageError;
use crate::app::App;
use crate::extract::path::part;

/// The `{slug}` of a path.
pub(crate) struct SlugPath(pub(crate) Slug);

/// The `{slug}` of a contact and the `{id}` of one of its endpoints.
pub(crate) struct EndpointPath {
    pub(crate) contact: Slug,
    pub(crate) id: EndpointId,
}

/// The `{id}` of a notification.
pub(crate) struct NotificationPath(pub(crate) NotificationId);

impl FromRequestParts<Arc<App>> for NotificationPath {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, PageError> {
        part(parts, app, "id").await.map(Self).ok_or_else(not_found)
    }
}

impl FromRequestParts<Arc<App>> for SlugPath {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, PageError> {
        part(parts, app, "slug")
            .await
            .map(Self)
            .ok_or_else(not_found)
    }
}

impl FromRequestParts<Arc<App>> for EndpointPath {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, PageError> {
        let SlugPath(contact) = SlugPath::from_request_parts(parts, app).await?;
        let id = part(parts, app, "id").await.ok_or_else(not_found)?;
        Ok(Self { contact, id })
    }
}

fn not_found() -> PageError {
    PageError::missing("page with that name")
}
