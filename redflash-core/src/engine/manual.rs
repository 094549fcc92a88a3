//! Manual actions beside changes of the directory, with their entries in the audit log.

use tracing::error;

use crate::engine::{Engine, RaiseError, Raised};
use crate::error_chain;
use crate::message::Raise;
use crate::model::{Action, Actor, EndpointId};

impl Engine {
    /// Raises an alert as a user, with an entry in the audit log: a test for a
    /// [single](Raise::only) endpoint, a raise otherwise. A repeat of an earlier request has no
    /// entry.
    ///
    /// # Errors
    ///
    /// As [`raise`](Self::raise).
    pub async fn raise_as(&self, raise: Raise, by: &Actor) -> Result<Raised, RaiseError> {
        let only = raise.only;
        let raised = self.raise(raise).await?;
        if raised.repeat {
            return Ok(raised);
        }
        let target = raised.plan.target.to_string();
        if let Some(destination) = only.and_then(|only| destination(&raised, only)) {
            self.record_action(by, Action::Tested, &target, &destination)
                .await;
        } else {
            let subject = format!("notification/{}", raised.notification);
            self.record_action(by, Action::Raised, &subject, &target)
                .await;
        }
        Ok(raised)
    }

    /// Records an action that cannot be undone. An error is only logged: reported as a failure, the
    /// action would be repeated.
    pub(crate) async fn record_action(
        &self,
        by: &Actor,
        action: Action,
        subject: &str,
        detail: &str,
    ) {
        if let Err(error) = self.record_audit(by, action, subject, detail).await {
            let action = action.as_str();
            let error = error_chain(&error);
            error!(%by, action, subject, error, "could not record an action in the audit log");
        }
    }
}

/// Returns the channel and the address of a notified endpoint.
fn destination(raised: &Raised, only: EndpointId) -> Option<String> {
    let mut endpoints = raised.plan.recipients.iter().flat_map(|one| &one.endpoints);
    let endpoint = endpoints.find(|one| one.endpoint == only)?;
    Some(format!("{} {}", endpoint.channel, endpoint.address))
}
