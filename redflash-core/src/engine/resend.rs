//! Resending deliveries that ended without being sent.

use crate::engine::Engine;
use crate::model::{Action, Actor, DeliveryId, NotificationId};
use crate::store::StoreError;

impl Engine {
    /// Puts deliveries of a notification that failed, were cancelled, suppressed or set aside back
    /// into the queue, due now, with an entry in the audit log. Returns their number.
    ///
    /// * `only` - the only delivery to resend.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn resend(
        &self,
        id: NotificationId,
        only: Option<DeliveryId>,
        by: &Actor,
    ) -> Result<u64, StoreError> {
        let resent = self.store().resend(id, only, self.now()).await?;
        if resent > 0 {
            let detail = match only {
                Some(delivery) => format!("delivery {delivery}"),
                None => format!("{resent} deliveries"),
            };
            let subject = format!("notification/{id}");
            self.dispatcher.wake();
            self.record_action(by, Action::Resent, &subject, &detail)
                .await;
        }
        Ok(resent)
    }
}
