//! The errors of the old contract.

use std::time::Duration;

use axum::Json;
use axum::http::header::{CONNECTION, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use redflash_core::engine::RaiseError;
use redflash_core::error_chain;
use redflash_core::model::{ApiKey, NotificationId, Slug, Target};
use redflash_core::plan::Recipient;
use serde::Serialize;

use crate::error::{RaiseFailure, RequestError, RequestErrorKind};
use crate::middleware::request_log::ErrorFields;

/// The error of a request in the old contract: 403, 404 or 500, and nothing else.
#[derive(Debug)]
pub(crate) struct LegacyError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    /// The reason in full.
    pub(crate) detail: Box<str>,
    /// The text of the old service for it, if there was one: its clients compare these.
    old_text: Option<Box<str>>,
    /// Time after which a repeated request may succeed.
    pub(crate) retry_after: Option<Duration>,
    /// The alert that may have been recorded nevertheless.
    pub(crate) notification: Option<NotificationId>,
    /// The recipients and the reasons why none was notified, for keys that may inspect.
    pub(crate) recipients: Option<Box<[Recipient]>>,
    /// True if the body was not read to its end, so that the connection cannot be reused.
    pub(crate) close: bool,
    subject: Box<Subject>,
}

/// The key and the target of the request, for the log.
#[derive(Debug, Default)]
struct Subject {
    key: Option<Slug>,
    target: Option<Target>,
}

#[derive(Serialize)]
struct Body<'a> {
    message: &'a str,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    notification_id: Option<NotificationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipients: Option<&'a [Recipient]>,
}

impl LegacyError {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<Box<str>>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            old_text: None,
            retry_after: None,
            notification: None,
            recipients: None,
            close: false,
            subject: Box::default(),
        }
    }

    /// Sets the key of the request.
    pub(crate) fn with_key(mut self, key: &ApiKey) -> Self {
        self.subject.key = Some(key.slug.clone());
        self
    }

    /// Sets the target of the request.
    pub(crate) fn with_target(mut self, target: Option<&Target>) -> Self {
        self.subject.target = target.cloned();
        self
    }

    /// Sets the text of the old service.
    pub(crate) fn with_old_text(mut self, old_text: impl Into<Box<str>>) -> Self {
        self.old_text = Some(old_text.into());
        self
    }

    /// Returns the error of a key without the permission.
    pub(crate) fn not_allowed(detail: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not_allowed", detail)
            .with_old_text("Insufficient privileges")
    }

    /// Returns the error of an unsupported method.
    pub(crate) fn method() -> Self {
        let detail = "raise with POST; contacts and groups can be inspected with GET";
        Self::new(StatusCode::FORBIDDEN, "method_not_allowed", detail)
            .with_old_text("Invalid request method")
    }

    /// Returns the error of an unknown target.
    pub(crate) fn unknown(kind: &str, slug: &str) -> Self {
        let slug: String = slug.chars().take(100).collect();
        let detail = format!("there is no {kind}/{slug}");
        Self::new(StatusCode::NOT_FOUND, "unknown_target", detail)
            .with_old_text(format!("{slug} not found"))
    }

    /// Returns the error of a disabled target.
    ///
    /// * `name` - its display name, which is in the old text of a contact.
    pub(crate) fn disabled(target: &Target, name: &str) -> Self {
        let detail = format!("{target} is switched off");
        let slug = target.slug();
        Self::new(StatusCode::NOT_FOUND, "disabled", detail).with_old_text(match target {
            Target::Contact(_) => format!("Contact '{name}' ({slug}) is disabled"),
            Target::Group(_) => format!("Group {slug} is disabled"),
            Target::Event(_) => format!("Event {slug} is disabled"),
        })
    }

    /// Returns the error of an unknown URL.
    pub(crate) fn not_found() -> Self {
        let detail = "There is nothing at this URL";
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// Returns the error of an invalid request.
    pub(crate) fn bad(code: &'static str, detail: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, code, detail)
    }

    /// Returns an error after which a repeated request may succeed.
    fn later(code: &'static str, detail: impl Into<Box<str>>, after: Duration) -> Self {
        Self {
            retry_after: Some(after),
            ..Self::bad(code, detail)
        }
    }
}

impl From<RaiseError> for LegacyError {
    fn from(error: RaiseError) -> Self {
        let code = error.code();
        match error {
            RaiseError::UnknownTarget(target) => {
                Self::unknown(target.kind(), target.slug().as_str())
            }
            RaiseError::Disabled(target) => Self::disabled(&target, target.slug().as_str()),
            RaiseError::EmptyMessage => {
                Self::bad(code, error.to_string()).with_old_text("Empty message")
            }
            RaiseError::KeyRevoked(_) => RequestError::invalid_key().into(),
            RaiseError::NoRecipients(ref plan) => Self {
                recipients: Some(plan.recipients.clone().into()),
                ..Self::bad(code, error.to_string())
            },
            RaiseError::Overloaded { retry_after } => {
                Self::later(code, error.to_string(), retry_after)
            }
            RaiseError::Store { notification, .. } => Self {
                notification,
                // The source may hold paths of this machine, so only the log has it.
                ..Self::later(code, error.to_string(), Duration::from_secs(1))
            },
            _ => Self::bad(code, error_chain(&error)),
        }
    }
}

impl From<RequestError> for LegacyError {
    fn from(error: RequestError) -> Self {
        let (status, old_text) = match error.kind {
            RequestErrorKind::MissingKey => {
                (StatusCode::FORBIDDEN, Some("You must specify your API key"))
            }
            RequestErrorKind::InvalidKey => {
                (StatusCode::FORBIDDEN, Some("Invalid API key for operation"))
            }
            _ => (StatusCode::INTERNAL_SERVER_ERROR, None),
        };
        Self {
            old_text: old_text.map(Into::into),
            retry_after: error.retry_after,
            close: error.close,
            ..Self::new(status, error.kind.code(), error.detail)
        }
    }
}

impl From<RaiseFailure> for LegacyError {
    fn from(failure: RaiseFailure) -> Self {
        match failure {
            RaiseFailure::Refused(error) => error.into(),
            RaiseFailure::NotServed(error) => error.into(),
            RaiseFailure::OutcomeUnknown(notification) => {
                let message = "the alert is recorded, but its deliveries could not be read";
                Self {
                    notification: Some(notification),
                    ..Self::bad("outcome_unknown", message)
                }
            }
        }
    }
}

impl IntoResponse for LegacyError {
    fn into_response(self) -> Response {
        let body = Body {
            message: self.old_text.as_deref().unwrap_or(&self.detail),
            detail: &self.detail,
            code: self.code,
            notification_id: self.notification,
            recipients: self.recipients.as_deref(),
        };
        let mut response = (self.status, Json(body)).into_response();
        response.extensions_mut().insert(ErrorFields {
            code: self.code,
            key: self.subject.key,
            target: self.subject.target,
        });
        if let Some(after) = self.retry_after {
            let seconds = after.as_millis().div_ceil(1000).max(1);
            let seconds = HeaderValue::try_from(seconds.to_string());
            response
                .headers_mut()
                .insert(RETRY_AFTER, seconds.expect("digits are a header's value"));
        }
        if self.close {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        response
    }
}
