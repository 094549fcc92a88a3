//! What a path names.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use redflash_core::{EndpointId, NotificationId, Slug};

use crate::problem::Problem;

/// The `{slug}` of a path.
#[derive(Debug)]
pub(super) struct Named(pub(super) Slug);

/// The `{slug}` of a contact and the `{id}` of one of its endpoints.
#[derive(Debug)]
pub(super) struct NamedEndpoint {
    pub(super) contact: Slug,
    pub(super) id: EndpointId,
}

/// The `{id}` of a notification.
#[derive(Debug)]
pub(super) struct NamedNotification(pub(super) NotificationId);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        part(parts, state, "slug").await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for NamedEndpoint {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self {
            contact: part(parts, state, "slug").await?,
            id: part(parts, state, "id").await?,
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for NamedNotification {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = part(parts, state, "id").await;
        id.map(Self).map_err(|_| Problem::unknown_notification())
    }
}

/// A part of a path. What cannot be one is something that nobody has.
pub(super) async fn part<T: FromStr, S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
    name: &str,
) -> Result<T, Problem> {
    let all = RawPathParams::from_request_parts(parts, state).await;
    let all = all.map_err(|_| Problem::no_such_resource())?;
    let found = all.iter().find(|(known, _)| *known == name);
    found
        .and_then(|(_, text)| text.parse().ok())
        .ok_or_else(Problem::no_such_resource)
}
