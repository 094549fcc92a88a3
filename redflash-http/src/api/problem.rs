//! Errors of the API as problem documents (RFC 9457).

use std::time::Duration;

use axum::Json;
use axum::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use redflash_core::engine::{EditError, InvalidField, RaiseError};
use redflash_core::error_chain;
use redflash_core::model::{ApiKey, NotificationId, Slug};
use redflash_core::plan::Recipient;
use redflash_core::store::StoreError;
use tracing::error;

use crate::api::problem_document::ProblemDocument;
use crate::error::{RaiseFailure, RequestError, RequestErrorKind};
use crate::middleware::request_log::ErrorFields;

/// The error of a request to the API.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    /// The error, and the way to correct the request.
    detail: Box<str>,
    /// The error code for programs.
    code: &'static str,
    /// All invalid fields.
    errors: Vec<InvalidField>,
    /// The alert that may have been recorded nevertheless.
    notification_id: Option<NotificationId>,
    /// The part of the plan that explains the refusal.
    plan: Option<Box<RefusedPlan>>,
    retry_after: Option<Duration>,
    /// True if the body was not read to its end, so that the connection cannot be reused.
    close: bool,
}

/// The part of a plan that explains its refusal.
#[derive(Debug, Default)]
struct RefusedPlan {
    /// The recipients that were not notified, each with the reason.
    recipients: Option<Vec<Recipient>>,
    /// Arguments that the event's templates need and that were not given.
    missing: Vec<String>,
    /// Arguments that were given and that the event's templates do not use.
    unused: Vec<String>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<Box<str>>) -> Self {
        Self {
            status,
            detail: detail.into(),
            code,
            errors: Vec::new(),
            notification_id: None,
            plan: None,
            retry_after: None,
            close: false,
        }
    }

    /// Returns the error of one invalid field.
    pub(crate) fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        EditError::field(field, message).into()
    }

    /// Returns the error of a request without a valid key.
    pub(crate) fn unauthorized() -> Self {
        let detail = "send a valid key as Authorization: Bearer …";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_key", detail)
    }

    /// Returns the error of a body whose slug differs from that in the path.
    pub(crate) fn other_slug(slug: &Slug) -> Self {
        let message = format!("the slug is {slug} and cannot be changed");
        Self {
            errors: vec![InvalidField::new("slug", &*message)],
            ..Self::new(StatusCode::CONFLICT, "other_slug", message)
        }
    }

    /// Returns the error of an unknown path.
    pub(crate) fn no_such_resource() -> Self {
        let detail = "there is no such resource";
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// Returns the error of a field that refers to something that does not exist.
    pub(crate) fn unknown_reference(field: &str, message: String) -> Self {
        Self {
            errors: vec![InvalidField::new(field, &*message)],
            ..Self::new(StatusCode::CONFLICT, "unknown_reference", message)
        }
    }

    /// Returns the error of a notification that does not exist, or that the key may not see.
    pub(crate) fn unknown_notification() -> Self {
        let detail = "there is no such notification, or this key may not see it";
        Self::new(StatusCode::NOT_FOUND, "unknown_notification", detail)
    }

    /// Hides the recipients from keys that may not inspect.
    pub(crate) fn shown_to(mut self, key: &ApiKey) -> Self {
        if let Some(plan) = &mut self.plan {
            plan.recipients = plan.recipients.take().filter(|_| key.inspect || key.admin);
        }
        self
    }

    /// Returns the error of a key without the permission.
    pub(crate) fn forbidden(detail: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not_allowed", detail)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let detail = error.to_string();
        match error {
            StoreError::Conflict { .. } => Self::new(StatusCode::CONFLICT, "exists", detail),
            StoreError::Missing { .. } => Self::new(StatusCode::NOT_FOUND, "not_found", detail),
            StoreError::Dangling { ref reference, .. } => {
                let message = format!("there is no {reference}");
                Self {
                    errors: vec![InvalidField::new(field_of(reference), message)],
                    ..Self::new(StatusCode::CONFLICT, "unknown_reference", detail)
                }
            }
            StoreError::Outdated => Self {
                retry_after: Some(Duration::from_secs(1)),
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
            },
            _ => {
                // The source may hold paths of this machine, so only the log has it.
                error!(error = error_chain(&error), "the store failed");
                Self {
                    retry_after: Some(Duration::from_secs(1)),
                    ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", detail)
                }
            }
        }
    }
}

/// Returns the field of a group or an event that holds a reference, such as `contacts` for `contact/ann`.
fn field_of(reference: &str) -> String {
    let (kind, _) = reference.split_once('/').unwrap_or((reference, ""));
    format!("{kind}s")
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        let detail = error.to_string();
        match error {
            EditError::Invalid(errors) => Self {
                errors,
                ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
            },
            EditError::Outdated(_) => {
                Self::new(StatusCode::PRECONDITION_FAILED, "outdated", detail)
            }
            EditError::LastAdmin(_) => Self::new(StatusCode::CONFLICT, "last_admin", detail),
            EditError::Store(error) => error.into(),
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail),
        }
    }
}

impl From<RaiseError> for Problem {
    fn from(error: RaiseError) -> Self {
        let (code, detail) = (error.code(), error.to_string());
        let with_status = |status| Self::new(status, code, detail.clone());
        match error {
            RaiseError::UnknownTarget(_) => with_status(StatusCode::NOT_FOUND),
            RaiseError::Disabled(_) | RaiseError::IdempotencyMismatch => {
                with_status(StatusCode::CONFLICT)
            }
            RaiseError::TooLarge { .. } => with_status(StatusCode::PAYLOAD_TOO_LARGE),
            RaiseError::EmptyMessage | RaiseError::TooManyRecipients(_) => {
                with_status(StatusCode::UNPROCESSABLE_ENTITY)
            }
            RaiseError::MissingArguments(plan) | RaiseError::UnusedArguments(plan) => Self {
                plan: Some(Box::new(RefusedPlan {
                    missing: plan.missing,
                    unused: plan.unused,
                    recipients: None,
                })),
                ..with_status(StatusCode::UNPROCESSABLE_ENTITY)
            },
            RaiseError::NoRecipients(plan) => Self {
                plan: Some(Box::new(RefusedPlan {
                    recipients: Some(plan.recipients),
                    ..RefusedPlan::default()
                })),
                ..with_status(StatusCode::UNPROCESSABLE_ENTITY)
            },
            RaiseError::KeyRevoked(_) => Self::unauthorized(),
            RaiseError::Overloaded { retry_after } => Self {
                retry_after: Some(retry_after),
                ..with_status(StatusCode::SERVICE_UNAVAILABLE)
            },
            RaiseError::Store {
                notification,
                source,
            } => Self {
                notification_id: notification,
                ..source.into()
            },
            _ => with_status(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

impl From<RaiseFailure> for Problem {
    fn from(failure: RaiseFailure) -> Self {
        match failure {
            RaiseFailure::Refused(error) => error.into(),
            RaiseFailure::NotServed(error) => error.into(),
            RaiseFailure::OutcomeUnknown(id) => {
                let detail = "the alert is recorded, but its deliveries could not be read";
                Self {
                    notification_id: Some(id),
                    retry_after: Some(Duration::from_secs(1)),
                    ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "outcome_unknown", detail)
                }
            }
        }
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        use RequestErrorKind as Kind;
        let status = match error.kind {
            // The API takes keys from the header alone, so the detail differs from the old contract's.
            Kind::MissingKey | Kind::InvalidKey => return Self::unauthorized(),
            Kind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Kind::Overloaded | Kind::StoreUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Kind::TooManyFields | Kind::BadBody | Kind::BadIdempotencyKey => {
                StatusCode::BAD_REQUEST
            }
            Kind::BadEncoding | Kind::BadContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self {
            retry_after: error.retry_after,
            close: error.close,
            ..Self::new(status, error.kind.code(), error.detail)
        }
    }
}

impl Problem {
    /// Returns the document, with the members that follow from the status.
    pub(crate) fn into_document(self) -> ProblemDocument {
        let plan = self.plan.unwrap_or_default();
        let recipients = |all: Vec<Recipient>| all.into_iter().map(Into::into).collect();
        ProblemDocument {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code,
            errors: self.errors.into_iter().map(Into::into).collect(),
            notification_id: self.notification_id,
            recipients: plan.recipients.map(recipients),
            missing: plan.missing,
            unused: plan.unused,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, code) = (self.status, self.code);
        let (close, retry_after) = (self.close, self.retry_after);
        let mut response = (status, Json(self.into_document())).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(CONTENT_TYPE, kind);
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(after) = retry_after {
            let seconds = after.as_millis().div_ceil(1000).max(1);
            headers.insert(
                RETRY_AFTER,
                HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX)),
            );
        }
        response.extensions_mut().insert(ErrorFields {
            code,
            key: None,
            target: None,
        });
        response
    }
}

#[cfg(test)]
mod tests {
    use redflash_core::clock::Timestamp;

    use super::*;

    #[test]
    fn large_alert_and_large_body_are_the_same_error() {
        let error = || RaiseError::TooLarge {
            what: "bytes of text",
            size: 11,
            most: 10,
        };
        let problem = Problem::from(error());
        assert_eq!(problem.status, StatusCode::PAYLOAD_TOO_LARGE);
        let body = Problem::from(RequestError::new(RequestErrorKind::TooLarge, ""));
        assert_eq!((body.status, body.code), (problem.status, problem.code));
    }

    #[test]
    fn temporary_errors_have_retry_after_and_notification() {
        let id = NotificationId::new(Timestamp::from_millis(1));
        let overloaded = RaiseError::Overloaded {
            retry_after: Duration::from_millis(1_500),
        };
        let unknown = RaiseError::Store {
            notification: Some(id),
            source: StoreError::Unknown("the disk is gone".into()),
        };
        for (problem, code, after, notification) in [
            (overloaded.into(), "overloaded", "2", None),
            (unknown.into(), "store_unavailable", "1", Some(id)),
            (
                Problem::from(RaiseFailure::OutcomeUnknown(id)),
                "outcome_unknown",
                "1",
                Some(id),
            ),
        ] {
            assert_eq!(
                (problem.code, problem.notification_id),
                (code, notification)
            );
            assert!(!problem.detail.contains("disk"), "{}", problem.detail);
            let response = problem.into_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers()[RETRY_AFTER], after);
        }
    }
}
