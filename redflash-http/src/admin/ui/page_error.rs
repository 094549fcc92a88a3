//! Why a page is not shown, in the frame of the pages.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use redflash_core::{EditError, RaiseError, StoreError, error_chain};
use tracing::error;

use crate::admin::auth::session::Visitor;
use crate::admin::ui::page;
use crate::admin::ui::partials::{Fault, Link};
use crate::alert::RaiseFailure;
use crate::app::App;

/// Why a page is not shown.
#[derive(Clone, Debug)]
pub(crate) struct PageError {
    pub(crate) status: StatusCode,
    title: &'static str,
    /// What to do.
    text: String,
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

    /// Somebody else was quicker.
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

    /// The page that says it.
    pub(crate) fn show(self, app: &App, visitor: Option<&Visitor>) -> Response {
        let fault = Fault {
            status: self.status.as_u16(),
            title: self.title.to_owned(),
            text: self.text,
            action: Some(match visitor {
                Some(_) => Link {
                    url: "/admin".into(),
                    label: "Back to home".into(),
                },
                None => Link {
                    url: "/admin/login".into(),
                    label: "Back to login".into(),
                },
            }),
        };
        let html = page::render(app, visitor, "error", self.title, None, None, fault);
        (self.status, html).into_response()
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
                Self::new(StatusCode::CONFLICT, "Conflict", text)
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
            EditError::Outdated(_) => Self::outdated(
                "Your change was not saved. Reload the page to see the current version.",
            ),
            fault => {
                let text = format!("{fault}. Nothing was changed.");
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Change refused", text)
            }
        }
    }
}

impl From<RaiseFailure> for PageError {
    fn from(failed: RaiseFailure) -> Self {
        match failed {
            RaiseFailure::Refused(fault) => fault.into(),
            RaiseFailure::RateLimited(refusal) => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "Not sent", refusal.detail)
            }
            RaiseFailure::LostSight(_) | RaiseFailure::Broken => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Internal error",
                "See the server log for details. Check the alert log before you try again.",
            ),
        }
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
