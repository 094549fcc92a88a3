//! Tests of one gateway, with a real message.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::delivery::{
    Attempt, AttemptOutcome, Delivery, DeliveryState, Disposition, Lane, Lease, Settlement,
};
use crate::dispatcher::{LeaseGuard, SendRequest};
use crate::engine::Engine;
use crate::gateway::Gateway;
use crate::message::{Accepted, Idempotency, Message, OutboundMessage, Price, SendError};
use crate::model::{
    Action, Actor, Address, DeliveryId, EndpointId, Name, NotificationId, Slug, Target,
};
use crate::plan::{Notification, Plan, PlannedEndpoint, Recipient, Verdict, printable};
use crate::store::{Enqueue, Enqueued, StoreError};

/// The result of a gateway test.
#[derive(Debug)]
pub struct GatewayTest {
    /// The notification that records the test, where a receipt shows up.
    pub notification: NotificationId,
    /// The gateway's answer.
    pub result: Result<Accepted, SendError>,
    /// Time until the answer.
    pub took: Duration,
}

/// The result of a gateway test, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayTestView {
    /// The notification that records the test, where a receipt shows up.
    pub notification: NotificationId,
    /// `accepted`, or the class of the error.
    pub class: String,
    /// The gateway's answer, or the error.
    pub detail: String,
    /// Time until the answer, in milliseconds.
    pub took_ms: u64,
    /// The gateway's own id of the message.
    pub message_id: Option<String>,
    /// The price, if known.
    pub price: Option<Price>,
}

impl From<&GatewayTest> for GatewayTestView {
    fn from(test: &GatewayTest) -> Self {
        let (class, detail) = match &test.result {
            Ok(accepted) => ("accepted", accepted.detail.clone()),
            Err(error) => (error.class(), error.detail()),
        };
        let accepted = test.result.as_ref().ok();
        Self {
            notification: test.notification,
            class: class.to_owned(),
            detail,
            took_ms: u64::try_from(test.took.as_millis()).unwrap_or(u64::MAX),
            message_id: accepted.and_then(|accepted| accepted.message_id.clone()),
            price: accepted.and_then(|accepted| accepted.price.clone()),
        }
    }
}

/// The contact in the log of gateway tests. No contact of that slug has to exist.
const TEST_CONTACT: &str = "gateway-test";

/// A gateway test that was requested with an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatewayTestRef {
    /// The notification that records the test.
    pub notification: NotificationId,
    /// True if an earlier request made the test, and nothing was sent now.
    pub repeat: bool,
}

/// A test that is not handed over yet.
struct PendingTest {
    gateway: Arc<Gateway>,
    notification: Notification,
    delivery: Delivery,
    lease: Lease,
    guard: LeaseGuard,
}

impl Engine {
    /// Sends one message through one gateway, whatever its breaker, budget or position, and records
    /// it as a notification of its own and in the audit log. The message is never repeated.
    ///
    /// Returns `None` if the gateway does not exist.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be recorded. If the outcome cannot be recorded, the message
    /// may have gone out.
    pub async fn test_gateway(
        &self,
        gateway: &Slug,
        to: Address,
        text: &str,
        by: &Actor,
    ) -> Result<Option<GatewayTest>, StoreError> {
        let Some(gateway) = self.gateways().get(gateway).cloned() else {
            return Ok(None);
        };
        let pending = self.prepare_test(gateway, to, text);
        self.begin(&pending, None).await?;
        Ok(Some(self.finish(pending, by).await?))
    }

    /// Tests a gateway as [`test_gateway`](Self::test_gateway) does, once for each idempotency key.
    ///
    /// # Errors
    ///
    /// As [`test_gateway`](Self::test_gateway), and [`StoreError::Outdated`] when the key was used
    /// for another request.
    pub async fn test_gateway_once(
        &self,
        gateway: &Slug,
        to: Address,
        text: &str,
        idempotency: &Idempotency,
        by: &Actor,
    ) -> Result<Option<GatewayTestRef>, StoreError> {
        let Some(gateway) = self.gateways().get(gateway).cloned() else {
            return Ok(None);
        };
        let pending = self.prepare_test(gateway, to, text);
        let test_ref = |notification, repeat| GatewayTestRef {
            notification,
            repeat,
        };
        match self.begin(&pending, Some(idempotency)).await? {
            Enqueued::Repeat(earlier) => Ok(Some(test_ref(earlier.id, true))),
            Enqueued::Mismatch | Enqueued::Outdated => Err(StoreError::Outdated),
            Enqueued::New => {
                let finished = self.finish(pending, by).await?;
                Ok(Some(test_ref(finished.notification, false)))
            }
        }
    }

    /// Records a test as being handed over.
    async fn begin(
        &self,
        pending: &PendingTest,
        idempotency: Option<&Idempotency>,
    ) -> Result<Enqueued, StoreError> {
        let store = self.store();
        store.join(pending.lease.worker).await?;
        let order = Enqueue {
            notification: &pending.notification,
            deliveries: std::slice::from_ref(&pending.delivery),
            lease: Some(&pending.lease),
            unqueued: 0,
            idempotency,
            planned_at: None,
        };
        store.enqueue(&order).await
    }

    /// Hands a test over, and records its outcome.
    async fn finish(&self, pending: PendingTest, by: &Actor) -> Result<GatewayTest, StoreError> {
        let PendingTest {
            gateway,
            notification,
            delivery,
            lease,
            guard,
        } = pending;
        let now = notification.raised_at;
        let text_parts = notification.plan.message;
        let message = OutboundMessage {
            notification: notification.id,
            delivery: delivery.id,
            attempt: 1,
            first_attempt_at: now,
            at: now,
            to: delivery.address.clone(),
            subject: text_parts.subject,
            body: text_parts.body,
            sender: None,
            link: None,
            origin: None,
        };
        let sending = SendRequest {
            gateway: Arc::clone(&gateway),
            requests: Arc::new(Semaphore::new(1)),
            message,
            lease: guard.view(),
        };
        let result = self.dispatcher.send(sending).await.result;
        let ended_at = self.now();
        let (outcome, detail) = match &result {
            Ok(accepted) => (AttemptOutcome::Ok, accepted.detail.clone()),
            Err(error @ SendError::Unknown(_)) => (AttemptOutcome::Unknown, error.detail()),
            Err(error) => (AttemptOutcome::Permanent, error.detail()),
        };
        let next = match &result {
            Ok(accepted) => Disposition::done(accepted.clone()),
            Err(_) => Disposition::Fail {
                detail: detail.clone(),
            },
        };
        let subject = format!("gateway/{}", gateway.name);
        let detail_text = format!("{}, notification/{}", delivery.address, notification.id);
        let settlement = Settlement {
            delivery,
            token: lease.token,
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
            at: ended_at,
        };
        let settled = self.store().settle(lease.worker, &[settlement]).await;
        drop(guard);
        // The message was sent, whether or not that is recorded.
        self.record_action(by, Action::Tested, &subject, &detail_text)
            .await;
        settled?;
        Ok(GatewayTest {
            notification: notification.id,
            result,
            took: ended_at.since(now),
        })
    }

    /// Builds the notification that records a test, and its delivery.
    fn prepare_test(&self, gateway: Arc<Gateway>, to: Address, text: &str) -> PendingTest {
        let now = self.now();
        let contact = Slug::parse(TEST_CONTACT).expect("a valid slug");
        let name = format!("Test of {}", gateway.name);
        let name = Name::parse(&name).expect("a valid name");
        let kind = gateway.channel.kind();
        let lane = Lane::new(&kind, gateway.channel.host(&to).as_deref());
        let id = NotificationId::new(now);
        let delivery = Delivery {
            state: DeliveryState::Sending,
            ..Delivery::new(
                DeliveryId::new(id, 1),
                contact.clone(),
                EndpointId::new(now),
                kind,
                to,
                lane,
                now,
            )
        };
        let plan = Plan {
            target: Target::Contact(contact.clone()),
            name: name.clone(),
            message: Message {
                subject: name.to_string(),
                body: printable(text),
                sender: None,
                degraded: None,
                cut: false,
            },
            recipients: vec![Recipient {
                contact,
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
            missing: Vec::new(),
            unused: Vec::new(),
            refusal: None,
        };
        let notification = Notification {
            id,
            raised_at: now,
            raised_by: None,
            plan,
            arguments: None,
        };
        let lease = self.dispatcher.lease(now);
        PendingTest {
            guard: self.dispatcher.guard(delivery.id, &lease),
            lease,
            gateway,
            notification,
            delivery,
        }
    }
}
