//! The response to a raise.

use axum::http::HeaderName;
use axum::http::header::LOCATION;
use redflash_core::model::{ApiKey, NotificationId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::alert::RaiseOutcome;
use crate::api::openapi::value;
use crate::api::plan::Recipient;

/// A raised alert. It is stored, and is sent even if the server restarts.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Raised {
    #[schemars(with = "value::Id")]
    notification_id: NotificationId,
    /// Number of deliveries.
    queued: usize,
    /// Number of skipped endpoints.
    skipped: usize,
    /// Number of deliveries that a gateway has accepted. Only if the request waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "usize")]
    sent: Option<usize>,
    /// Arguments that the event's templates require and that are missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    missing: Vec<String>,
    /// Arguments that the event's templates do not use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    unused: Vec<String>,
    /// Contacts behind the target. Only for keys with the `inspect` permission.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<Recipient>")]
    recipients: Option<Vec<Recipient>>,
}

impl Raised {
    /// Returns the response to requests with this key.
    pub(super) fn new(outcome: &RaiseOutcome, key: &ApiKey) -> Self {
        let raised = outcome.raised();
        let plan = &raised.plan;
        let recipients = (key.inspect || key.admin).then(|| {
            let recipients = plan.recipients.iter().cloned();
            recipients.map(Recipient::from).collect()
        });
        Self {
            notification_id: raised.notification,
            queued: plan.queued(),
            skipped: plan.skipped(),
            sent: outcome.sent().map(|(sent, _)| sent),
            missing: plan.missing.clone(),
            unused: plan.unused.clone(),
            recipients,
        }
    }

    /// Returns the header with its URL.
    pub(super) fn location(&self) -> [(HeaderName, String); 1] {
        let url = format!("/api/v1/notifications/{}", self.notification_id);
        [(LOCATION, url)]
    }
}
