//! The errors that every HTTP interface maps to answers of its own.

use std::time::Duration;

use redflash_core::engine::RaiseError;
use redflash_core::model::NotificationId;
use redflash_core::store::StoreError;

/// A request that was not served, before an interface chooses the status of its answer.
#[derive(Debug)]
pub(crate) struct RequestError {
    pub(crate) kind: RequestErrorKind,
    /// The reason, for the caller.
    pub(crate) detail: Box<str>,
    /// Time after which a repeated request may succeed.
    pub(crate) retry_after: Option<Duration>,
    /// True if the body was not read to its end, so that the connection cannot be reused.
    pub(crate) close: bool,
}

/// The reason why a request was not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestErrorKind {
    /// The request has no API key.
    MissingKey,
    /// The API key is unknown or disabled.
    InvalidKey,
    /// The API key raises too many alerts.
    RateLimited,
    /// Too many requests are being processed.
    Overloaded,
    /// The body has too many bytes.
    TooLarge,
    /// The body did not arrive in time.
    TooSlow,
    /// The body or the query has too many fields.
    TooManyFields,
    /// The body is malformed.
    BadBody,
    /// The body is compressed.
    BadEncoding,
    /// The body has an unsupported media type.
    BadContentType,
    /// The `Idempotency-Key` header is malformed.
    BadIdempotencyKey,
    /// The store failed.
    StoreUnavailable,
    /// A task panicked.
    Internal,
}

impl RequestErrorKind {
    /// Returns the error code for programs.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::MissingKey | Self::InvalidKey => "invalid_key",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::TooManyFields => "too_many_fields",
            Self::BadBody => "bad_body",
            Self::BadEncoding => "bad_encoding",
            Self::BadContentType => "bad_content_type",
            Self::BadIdempotencyKey => "bad_idempotency_key",
            Self::StoreUnavailable => "store_unavailable",
            Self::Internal => "internal",
        }
    }
}

impl RequestError {
    pub(crate) fn new(kind: RequestErrorKind, detail: impl Into<Box<str>>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            retry_after: None,
            close: false,
        }
    }

    /// Returns the error of a request without an API key.
    pub(crate) fn missing_key() -> Self {
        let detail = "this request has no API key: send it as the field api_key, or as \
            Authorization: Bearer …";
        Self::new(RequestErrorKind::MissingKey, detail)
    }

    /// Returns the error of a request with an unknown or disabled API key.
    pub(crate) fn invalid_key() -> Self {
        let detail = "there is no such API key, or it is switched off";
        Self::new(RequestErrorKind::InvalidKey, detail)
    }

    /// Returns the error of a request whose task panicked.
    pub(crate) fn internal() -> Self {
        let detail = "something is broken here; the server's log has more";
        Self::new(RequestErrorKind::Internal, detail)
    }

    /// Sets the time after which a repeated request may succeed.
    pub(crate) fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Has the connection closed after the answer.
    pub(crate) fn closing(mut self) -> Self {
        self.close = true;
        self
    }
}

impl From<StoreError> for RequestError {
    fn from(error: StoreError) -> Self {
        // The source may hold paths of this machine, so only the outer message is passed on.
        let detail = RaiseError::from(error).to_string();
        Self::new(RequestErrorKind::StoreUnavailable, detail).retry_after(Duration::from_secs(1))
    }
}

/// The reason why an alert was not raised, or why its outcome is unknown.
#[derive(Debug)]
pub(crate) enum RaiseFailure {
    /// The engine refused the alert.
    Refused(RaiseError),
    /// The key raises too many alerts, or the task panicked.
    NotServed(RequestError),
    /// The alert is recorded, but its deliveries could not be read.
    OutcomeUnknown(NotificationId),
}

impl From<RequestError> for RaiseFailure {
    fn from(error: RequestError) -> Self {
        Self::NotServed(error)
    }
}
