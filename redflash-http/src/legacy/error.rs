//! Why a request was not served, in the two forms in which that is told.

use std::time::Duration;

use axum::Json;
use axum::http::header::{CONNECTION, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use redflash_core::{ApiKey, NotificationId, RaiseError, Recipient, Slug, Target, error_chain};
use serde::Serialize;

use crate::error::{RaiseFailure, RequestError, RequestErrorKind};
use crate::middleware::request_log::ErrorFields;

/// Why a request on a raising URL was refused: 403, 404 or 500, and nothing else.
#[derive(Debug)]
pub(crate) struct LegacyError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    /// The reason in our words.
    pub(crate) detail: Box<str>,
    /// The reason in the words of the old service, where it had some: its clients compare them.
    old_text: Option<Box<str>>,
    /// When to try again, where that helps.
    pub(crate) retry_after: Option<Duration>,
    /// The alert that may have been recorded all the same.
    pub(crate) notification: Option<NotificationId>,
    /// Everybody who was not told, and why: for keys that may inspect.
    pub(crate) recipients: Option<Box<[Recipient]>>,
    /// The body was not read to its end, so the connection cannot be used again.
    pub(crate) close: bool,
    about: Box<About>,
}

/// The request that was refused, for the log.
#[derive(Debug, Default)]
struct About {
    key: Option<Slug>,
    target: Option<Target>,
}

#[derive(Serialize)]
struct Told<'a> {
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
            about: Box::default(),
        }
    }

    /// The same refusal, of a request with this key.
    pub(crate) fn by(mut self, key: &ApiKey) -> Self {
        self.about.key = Some(key.slug.clone());
        self
    }

    /// The same refusal, of a raise at this target.
    pub(crate) fn at(mut self, target: Option<&Target>) -> Self {
        self.about.target = target.cloned();
        self
    }

    /// The same refusal, with the text that the old service had for it.
    pub(crate) fn with_old_text(mut self, old_text: impl Into<Box<str>>) -> Self {
        self.old_text = Some(old_text.into());
        self
    }

    /// A key that may not do this.
    pub(crate) fn not_allowed(detail: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not_allowed", detail)
            .with_old_text("Insufficient privileges")
    }

    /// A method that this URL does not have.
    pub(crate) fn method() -> Self {
        let detail = "raise with POST; contacts and groups can be inspected with GET";
        Self::new(StatusCode::FORBIDDEN, "method_not_allowed", detail)
            .with_old_text("Invalid request method")
    }

    /// A target that does not exist.
    pub(crate) fn unknown(kind: &str, slug: &str) -> Self {
        let slug: String = slug.chars().take(100).collect();
        let detail = format!("there is no {kind}/{slug}");
        Self::new(StatusCode::NOT_FOUND, "unknown_target", detail)
            .with_old_text(format!("{slug} not found"))
    }

    /// A target that is switched off.
    ///
    /// * `name` - its name among people, which the old text of a contact has.
    pub(crate) fn disabled(target: &Target, name: &str) -> Self {
        let detail = format!("{target} is switched off");
        let slug = target.slug();
        Self::new(StatusCode::NOT_FOUND, "disabled", detail).with_old_text(match target {
            Target::Contact(_) => format!("Contact '{name}' ({slug}) is disabled"),
            Target::Group(_) => format!("Group {slug} is disabled"),
            Target::Event(_) => format!("Event {slug} is disabled"),
        })
    }

    /// A URL that leads nowhere.
    pub(crate) fn nowhere() -> Self {
        let detail = "There is nothing at this URL";
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// A request that cannot be read.
    pub(crate) fn bad(code: &'static str, detail: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, code, detail)
    }

    /// Something that may work later.
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
                // The chain may hold paths of this machine; it is in the server's log.
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
                let message = "the alert is recorded; what became of it cannot be said now";
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
        let told = Told {
            message: self.old_text.as_deref().unwrap_or(&self.detail),
            detail: &self.detail,
            code: self.code,
            notification_id: self.notification,
            recipients: self.recipients.as_deref(),
        };
        let mut response = (self.status, Json(told)).into_response();
        response.extensions_mut().insert(ErrorFields {
            code: self.code,
            key: self.about.key,
            target: self.about.target,
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
