//! Why a page is not shown, in the frame of the pages.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use redflash_core::{EditError, RaiseError, StoreError, error_chain};
use tracing::error;

use crate::error::{RaiseFailure, RequestError, RequestErrorKind};

/// Why a page is not shown.
#[derive(Clone, Debug)]
pub(crate) struct PageError {
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    /// What to do.
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

    /// Nothing of this name.
    pub(crate) fn missing(what: impl std::fmt::Display) -> Self {
        let text = format!("There is no {what}. It may have been removed.");
        Self::new(StatusCode::NOT_FOUND, "Not found", text)
    }

    pub(crate) fn role() -> Self {
        let text =
            "You may look at everything, and change nothing. An admin can give you the role.";
        Self::new(StatusCode::FORBIDDEN, "This takes an admin", text)
    }

    pub(crate) fn foreign_form() -> Self {
        let text = "The form came from a page of another site. Nothing was changed.";
        Self::new(StatusCode::FORBIDDEN, "Not from here", text)
    }

    pub(crate) fn stale_form() -> Self {
        let text =
            "The form was made for another session. Nothing was changed: open the page again.";
        Self::new(StatusCode::FORBIDDEN, "This form is stale", text)
    }

    pub(crate) fn unreadable(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "This cannot be read", why)
    }

    /// Somebody else was quicker.
    pub(crate) fn outdated(text: impl Into<String>) -> Self {
        let title = "Somebody else has changed this";
        Self::new(StatusCode::CONFLICT, title, text)
    }

    pub(crate) fn unavailable() -> Self {
        let text = "The store does not answer now. Alerts that were accepted are safe. Try again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Not now", text)
    }

    fn broken() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something is broken here",
            "The log of the server says what. Look into the log before you try again.",
        )
    }
}

/// Shown by the guard, which knows who asked.
impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for PageError {
    fn from(fault: StoreError) -> Self {
        match fault {
            StoreError::Missing { what } => Self::missing(what),
            fault @ (StoreError::Conflict { .. } | StoreError::Dangling { .. }) => {
                let text = format!("{fault}. Nothing was changed.");
                Self::new(StatusCode::CONFLICT, "This does not fit", text)
            }
            fault => {
                error!(fault = error_chain(&fault), "the store failed");
                Self::unavailable()
            }
        }
    }
}

impl From<EditError> for PageError {
    fn from(fault: EditError) -> Self {
        match fault {
            EditError::Store(fault) => fault.into(),
            EditError::Outdated(_) => {
                Self::outdated("Your change was not saved. Open the page again to see theirs.")
            }
            fault => {
                let text = format!("{fault}. Nothing was changed.");
                Self::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "This cannot be done",
                    text,
                )
            }
        }
    }
}

impl From<RaiseFailure> for PageError {
    fn from(failed: RaiseFailure) -> Self {
        match failed {
            RaiseFailure::Refused(fault) => fault.into(),
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
    fn from(fault: RaiseError) -> Self {
        match fault {
            RaiseError::UnknownTarget(target) => Self::missing(target),
            RaiseError::Store { source, .. } => source.into(),
            fault => {
                let text = format!("{fault}. Nothing was sent.");
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Not sent", text)
            }
        }
    }
}
