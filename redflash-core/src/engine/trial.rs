//! Trying one gateway out, with a real message.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::Engine;
use crate::dispatcher::Sending;
use crate::store::Enqueue;
use crate::{
    Accepted, Address, Attempt, AttemptOutcome, Delivery, DeliveryId, DeliveryState, EndpointId,
    Lane, Message, Name, Next, Notification, NotificationId, OutboundMessage, Plan,
    PlannedEndpoint, Recipient, SendError, Settlement, Slug, StoreError, Target, Verdict,
};

/// What came of trying a gateway out.
#[derive(Debug)]
pub struct Trial {
    /// The notification it was recorded as, where a receipt shows up.
    pub notification: NotificationId,
    /// What the gateway said.
    pub result: Result<Accepted, SendError>,
    /// How long that took.
    pub took: Duration,
}

/// The contact that trials are recorded as being sent to. There need be none of that slug.
const SOMEBODY: &str = "gateway-test";

impl Engine {
    /// Sends one message through one gateway, whatever its breaker, budget or place in the order, and
    /// logs it as a notification of its own. It is never repeated.
    ///
    /// Returns `None` when there is no such gateway.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be recorded; after a failure to record the outcome the message
    /// may have gone out.
    pub async fn try_gateway(
        &self,
        gateway: &Slug,
        to: Address,
        text: &str,
    ) -> Result<Option<Trial>, StoreError> {
        let dispatcher = &self.dispatcher;
        let Some(gateway) = dispatcher.gateways.get(gateway) else {
            return Ok(None);
        };
        let (notification, delivery) = self.trial(&gateway.name, &*gateway.channel, to, text);
        let now = notification.raised_at;
        let lease = dispatcher.lease(now);
        dispatcher.store.join(lease.worker).await?;
        let order = Enqueue {
            notification: &notification,
            deliveries: std::slice::from_ref(&delivery),
            lease: Some(&lease),
            idempotency: None,
            planned_at: None,
        };
        dispatcher.store.enqueue(&order).await?;
        let message = OutboundMessage {
            notification: notification.id,
            delivery: delivery.id,
            attempt: 1,
            at: now,
            to: delivery.address.clone(),
            subject: notification.plan.message.subject.clone(),
            body: text.to_owned(),
            sender: None,
        };
        let sending = Sending {
            gateway: Arc::clone(gateway),
            requests: Arc::new(Semaphore::new(1)),
            message,
            until: lease.until,
        };
        let result = dispatcher.send(sending).await.result;
        let ended_at = self.now();
        let (outcome, detail) = match &result {
            Ok(accepted) => (AttemptOutcome::Ok, accepted.detail.clone()),
            Err(fault @ SendError::Unknown(_)) => (AttemptOutcome::Unknown, fault.detail()),
            Err(fault) => (AttemptOutcome::Permanent, fault.detail()),
        };
        let next = match &result {
            Ok(accepted) => Next::done(accepted.clone()),
            Err(_) => Next::Fail {
                detail: detail.clone(),
            },
        };
        let settlement = Settlement {
            delivery,
            attempt: Some(Attempt {
                number: 1,
                gateway: Some(gateway.name.clone()),
                started_at: now,
                ended_at,
                outcome,
                detail,
                may_repeat: false,
            }),
            next,
        };
        dispatcher.store.settle(lease.worker, &[settlement]).await?;
        Ok(Some(Trial {
            notification: notification.id,
            result,
            took: ended_at.since(now),
        }))
    }

    /// The notification that a trial is recorded as, and its delivery.
    fn trial(
        &self,
        gateway: &Slug,
        channel: &dyn crate::Channel,
        to: Address,
        text: &str,
    ) -> (Notification, Delivery) {
        let now = self.now();
        let somebody = Slug::parse(SOMEBODY).expect("it is a slug");
        let name = format!("Test of {gateway}");
        let name = Name::parse(&name).expect("a slug and some letters are a name");
        let kind = channel.kind();
        let lane = Lane::new(&kind, channel.host(&to).as_deref());
        let id = NotificationId::new(now);
        let delivery = Delivery {
            state: DeliveryState::Sending,
            ..Delivery::new(
                DeliveryId::new(id, 1),
                somebody.clone(),
                EndpointId::new(now),
                kind,
                to,
                lane,
                now,
            )
        };
        let plan = Plan {
            target: Target::Contact(somebody.clone()),
            name: name.clone(),
            message: Message {
                subject: name.to_string(),
                body: text.to_owned(),
                sender: None,
                degraded: None,
                cut: false,
            },
            recipients: vec![Recipient {
                contact: somebody,
                name,
                via: Vec::new(),
                endpoints: vec![PlannedEndpoint {
                    endpoint: delivery.endpoint,
                    channel: delivery.channel.clone(),
                    address: delivery.address.clone(),
                    verdict: Verdict::Deliver(delivery.lane.clone()),
                }],
                skip: None,
            }],
            refusal: None,
        };
        let notification = Notification {
            id,
            raised_at: now,
            raised_by: None,
            plan,
        };
        (notification, delivery)
    }
}
