//! Path parameters.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use redflash_core::model::{EndpointId, NotificationId, Slug};

use crate::api::problem::Problem;
use crate::extract::path::part;

/// The `{slug}` of a path.
#[derive(Debug)]
pub(crate) struct Named(pub(crate) Slug);

/// The `{slug}` of a contact and the `{id}` of one of its endpoints.
#[derive(Debug)]
pub(crate) struct NamedEndpoint {
    pub(crate) contact: Slug,
    pub(crate) id: EndpointId,
}

/// The `{id}` of a notification.
#[derive(Debug)]
pub(crate) struct NamedNotification(pub(crate) NotificationId);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let slug = part(parts, state, "slug").await;
        slug.map(Self).ok_or_else(Problem::no_such_resource)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for NamedEndpoint {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Named(contact) = Named::from_request_parts(parts, state).await?;
        let id = part(parts, state, "id").await;
        let id = id.ok_or_else(Problem::no_such_resource)?;
        Ok(Self { contact, id })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for NamedNotification {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = part(parts, state, "id").await;
        id.map(Self).ok_or_else(Problem::unknown_notification)
    }
}
