//! Schema of the problem documents that [`Problem`](crate::api::problem::Problem) writes.

#![expect(dead_code, reason = "only the schemas of these types are used")]

use schemars::JsonSchema;

use crate::api::openapi::value;
use crate::api::plan::Recipient;

/// Description of an error (RFC 9457).
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Problem {
    /// Always `about:blank`.
    #[schemars(rename = "type")]
    kind: String,
    /// Name of the status.
    title: String,
    #[schemars(range(min = 400, max = 599))]
    status: u16,
    /// Explanation for people, with the fix where there is one.
    detail: String,
    /// Error code for programs.
    #[schemars(extend("pattern" = "^[a-z_]+$"))]
    code: String,
    /// Every invalid field.
    #[schemars(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// Notification that may have been recorded despite the error.
    #[schemars(skip_serializing_if = "Option::is_none", with = "value::Id")]
    notification_id: Option<String>,
    /// Contacts that were not notified, with the reasons.
    #[schemars(skip_serializing_if = "Option::is_none", with = "Vec<Recipient>")]
    recipients: Option<Vec<Recipient>>,
    /// Arguments that the event's templates require and that are missing.
    #[schemars(skip_serializing_if = "Vec::is_empty", length(max = 50))]
    missing: Vec<String>,
    /// Arguments that the event's templates do not use.
    #[schemars(skip_serializing_if = "Vec::is_empty", length(max = 50))]
    unused: Vec<String>,
}

/// An invalid field.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct FieldError {
    #[schemars(extend("examples" = ["endpoints[2].address"]))]
    field: String,
    /// Explanation for people.
    message: String,
    /// Line of the template, counted from 1.
    #[schemars(
        skip_serializing_if = "Option::is_none",
        with = "usize",
        range(min = 1)
    )]
    line: Option<usize>,
}
