//! The problem document that describes an error to a client (RFC 9457).

use redflash_core::engine::InvalidField;
use redflash_core::model::NotificationId;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::openapi::value;
use crate::api::plan::Recipient;

/// Description of an error (RFC 9457).
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem", deny_unknown_fields)]
pub(crate) struct ProblemDocument {
    /// Always `about:blank`.
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    pub(crate) kind: &'static str,
    /// Name of the status.
    #[schemars(with = "String")]
    pub(crate) title: &'static str,
    #[schemars(range(min = 400, max = 599))]
    pub(crate) status: u16,
    /// Explanation for people, with the fix where there is one.
    #[schemars(with = "String")]
    pub(crate) detail: Box<str>,
    /// Error code for programs.
    #[schemars(with = "String", extend("pattern" = "^[a-z_]+$"))]
    pub(crate) code: &'static str,
    /// Every invalid field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<FieldError>,
    /// Notification that may have been recorded despite the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "value::Id")]
    pub(crate) notification_id: Option<NotificationId>,
    /// Contacts that were not notified, with the reasons.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<Recipient>")]
    pub(crate) recipients: Option<Vec<Recipient>>,
    /// Arguments that the event's templates require and that are missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub(crate) missing: Vec<String>,
    /// Arguments that the event's templates do not use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub(crate) unused: Vec<String>,
}

/// An invalid field.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct FieldError {
    #[schemars(extend("examples" = ["endpoints[2].address"]))]
    field: String,
    /// Explanation for people.
    message: String,
    /// Line of the template, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "usize", range(min = 1))]
    line: Option<usize>,
}

impl From<InvalidField> for FieldError {
    fn from(error: InvalidField) -> Self {
        Self {
            field: error.field,
            message: error.message,
            line: error.line,
        }
    }
}
