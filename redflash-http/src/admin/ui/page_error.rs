//! Error pages.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use redflash_core::engine::{EditError, RaiseError};
use redflash_core::error_chain;
use redflash_core::store::StoreError;
use tracing::error;

use crate::error::{RaiseFailure, RequestError, RequestErrorKind};

/// The error that is shown instead of a page.
#[derive(Clone, Debug)]
pub(crate) struct PageError {
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    /// Explanation, with the next step.
    pub(crate) text: String,
}

impl PageError {
    pub(crate) fn new(status: StatusCode, title: &'static str, text: impl Into<String>) -> Self {
        Self {
            status,
            title,
            text: text.into(),
        }
    }

    /// Returns the error for an item that does not exist.
    pub(crate) fn missing(what: impl std::fmt::Display) -> Self {
        let text = format!("There is no {what}. It may have been removed.");
        Self::new(StatusCode::NOT_FOUND, "Not found", text)
    }

    pub(crate) fn role() -> Self {
        let text = "You have read-only access. Ask an admin for the admin role.";
        Self::new(StatusCode::FORBIDDEN, "Admin role required", text)
    }

    pub(crate) fn foreign_form() -> Self {
        let text = "The form was submitted from another site. Nothing was changed.";
        Self::new(StatusCode::FORBIDDEN, "Cross-site request refused", text)
    }

    pub(crate) fn stale_form() -> Self {
        let text = "The form belongs to another session. Nothing was changed. Reload the page and try again.";
        Self::new(StatusCode::FORBIDDEN, "This form has expired", text)
    }

    pub(crate) fn unreadable(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Invalid request", why)
    }

    /// Returns the error for an item that another user has changed.
    pub(crate) fn outdated(text: impl Into<String>) -> Self {
        let title = "Someone else changed this";
        Self::new(StatusCode::CONFLICT, title, text)
    }

    pub(crate) fn unavailable() -> Self {
        let text = "The database is not responding. Accepted alerts are safe. Try again later.";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Temporarily unavailable",
            text,
        )
    }

    fn broken() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal error",
            "See the server log for details. Check the alert log before you try again.",
        )
    }
}

/// The guard renders the page, since it knows the visitor.
impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing { what } => Self::missing(what),
            error @ (StoreError::Conflict { .. } | StoreError::Dangling { .. }) => {
                let text = format!("{error}. Nothing was changed.");
                Self::new(StatusCode::CONFLICT, "Conflict", text)
            }
            error => {
                error!(error = error_chain(&error), "the store failed");
                Self::unavailable()
            }
        }
    }
}

impl From<EditError> for PageError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Store(error) => error.into(),
            EditError::Outdated(_) => Self::outdated(
                "Your change was not saved. Reload the page to see the current version.",
            ),
            error => {
                let text = format!("{error}. Nothing was changed.");
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Change refused", text)
            }
        }
    }
}

impl From<RaiseFailure> for PageError {
    fn from(failed: RaiseFailure) -> Self {
        match failed {
            RaiseFailure::Refused(error) => error.into(),
            RaiseFailure::NotServed(error) => error.into(),
            RaiseFailure::OutcomeUnknown(_) => Self::broken(),
        }
    }
}

impl From<RequestError> for PageError {
    fn from(error: RequestError) -> Self {
        if error.kind == RequestErrorKind::RateLimited {
            return Self::new(StatusCode::TOO_MANY_REQUESTS, "Not sent", error.detail);
        }
        Self::broken()
    }
}

impl From<RaiseError> for PageError {
    fn from(error: RaiseError) -> Self {
        match error {
            RaiseError::UnknownTarget(target) => Self::missing(target),
            RaiseError::Store { source, .. } => source.into(),
            error => {
                let text = format!("{error}. Nothing was sent.");
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Not sent", text)
            }
        }
    }
}
