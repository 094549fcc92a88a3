//! Alerts and leases for the promises.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::delivery::{
    Attempt, AttemptOutcome, Delivery, DeliveryState, Disposition, Job, Lane, Lease, LeaseToken,
    Settlement,
};
use crate::message::{Accepted, Message};
use crate::model::{
    Address, ChannelKind, Contact, DeliveryId, EndpointId, Name, NotificationId, Slug, Target,
    WorkerId,
};
use crate::plan::{Notification, Plan, PlannedEndpoint, Recipient, Verdict};
use crate::store::{ClaimRequest, Enqueue, Entry, Outbox, Queue, Save, Store};

pub(super) type Opened = Arc<dyn Store>;

pub(super) const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

pub(super) fn at(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(seconds))
}

pub(super) fn slug(text: &str) -> Slug {
    Slug::parse(text).expect("a slug")
}

pub(super) fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

pub(super) fn limit(limit: u32) -> NonZeroU32 {
    NonZeroU32::new(limit).expect("not zero")
}

pub(super) fn contact(who: &str, address: &str) -> Contact {
    let address = Address::new(address).expect("an address");
    Contact::new(slug(who), name(who)).with_endpoint(
        EndpointId::new(START),
        ChannelKind::sms(),
        address,
    )
}

pub(super) async fn save(store: &Opened, entries: impl IntoIterator<Item = Entry>) {
    let entries: Vec<_> = entries.into_iter().collect();
    store
        .save(&entries, Save::Create)
        .await
        .expect("what is new can be saved");
}

/// A notification with a number of deliveries in one lane, with its key and its time.
pub(super) struct Alert {
    pub(super) notification: Notification,
    pub(super) deliveries: Vec<Delivery>,
}

impl Alert {
    /// Returns the order to record it with all deliveries queued.
    pub(super) fn unleased(&self) -> Enqueue<'_> {
        Enqueue {
            notification: &self.notification,
            deliveries: &self.deliveries,
            lease: None,
            unqueued: 0,
            idempotency: None,
            planned_at: None,
        }
    }
}

pub(super) fn alert(count: u32, lane: &str, key: Option<&str>, now: Timestamp) -> Alert {
    let id = NotificationId::new(now);
    let lane = Lane::stored(lane.to_owned());
    let deliveries: Vec<_> = (0..count)
        .map(|index| delivery(id, &lane, index, now))
        .collect();
    let recipient = |delivery: &Delivery| Recipient {
        contact: delivery.contact.clone(),
        name: name("somebody"),
        via: delivery.via.clone(),
        endpoints: vec![PlannedEndpoint {
            endpoint: delivery.endpoint,
            channel: delivery.channel.clone(),
            address: delivery.address.clone(),
            verdict: Verdict::Deliver(lane.clone()),
        }],
        skip: None,
    };
    let plan = Plan {
        target: Target::Group(slug("crew")),
        name: name("The crew"),
        message: Message {
            subject: "Disk".into(),
            body: "the disk is full \u{1f525}".into(),
            sender: Some("Ops".into()),
            degraded: None,
            cut: false,
        },
        recipients: deliveries.iter().map(recipient).collect(),
        missing: Vec::new(),
        unused: Vec::new(),
        refusal: None,
    };
    let notification = Notification {
        id,
        raised_at: now,
        raised_by: key.map(slug),
        plan,
        arguments: None,
    };
    Alert {
        notification,
        deliveries,
    }
}

fn delivery(notification: NotificationId, lane: &Lane, index: u32, now: Timestamp) -> Delivery {
    let address = Address::new(format!("+4477009{index:05}")).expect("an address");
    let waiting = Delivery::new(
        DeliveryId::new(notification, index + 1),
        slug(&format!("c{index}")),
        EndpointId::new(now),
        ChannelKind::sms(),
        address,
        lane.clone(),
        now,
    );
    Delivery {
        via: vec![slug("crew"), slug("night")],
        ..waiting
    }
}

pub(super) async fn enqueue(store: &Opened, alert: &Alert, lease: Option<&Lease>) {
    let mut deliveries = alert.deliveries.clone();
    if lease.is_some() {
        for delivery in &mut deliveries {
            delivery.state = DeliveryState::Sending;
        }
    }
    let enqueue = Enqueue {
        deliveries: &deliveries,
        lease,
        ..alert.unleased()
    };
    let enqueued = store.enqueue(&enqueue).await;
    assert_eq!(enqueued.expect("enqueued"), crate::store::Enqueued::New);
}

/// Enqueues one alert with one delivery and returns it.
pub(super) async fn one(store: &Opened) -> Alert {
    let alert = alert(1, "sms", Some("app"), START);
    enqueue(store, &alert, None).await;
    alert
}

/// The default token of leases in these tests.
pub(super) const TOKEN: LeaseToken = LeaseToken::stored(1);

pub(super) fn lease(worker: WorkerId, now: Timestamp) -> Lease {
    Lease {
        worker,
        token: TOKEN,
        now,
        until: now.plus(Duration::from_secs(60)),
    }
}

pub(super) fn worker() -> WorkerId {
    WorkerId::new(START)
}

pub(super) fn want(lane: &str, key: Option<&str>, count: u32) -> ClaimRequest {
    ClaimRequest {
        queue: Queue {
            lane: Lane::stored(lane.to_owned()),
            raised_by: key.map(slug),
        },
        limit: limit(count),
    }
}

/// Claims at most `limit` deliveries of [`one`].
pub(super) async fn claim(
    store: &Opened,
    worker: WorkerId,
    now: Timestamp,
    count: u32,
) -> Vec<Job> {
    let wants = [want("sms", Some("app"), count)];
    store
        .claim_due(&lease(worker, now), &wants)
        .await
        .expect("claimed")
}

pub(super) fn attempt(outcome: AttemptOutcome, now: Timestamp) -> Attempt {
    Attempt {
        number: 1,
        gateway: Some(slug("gw")),
        started_at: now,
        ended_at: now.plus(Duration::from_secs(1)),
        outcome,
        detail: "the gateway's answer".into(),
        may_repeat: false,
    }
}

pub(super) fn sent(delivery: &Delivery, message_id: &str, now: Timestamp) -> Settlement {
    Settlement {
        delivery: delivery.clone(),
        token: TOKEN,
        attempt: Some(attempt(AttemptOutcome::Ok, now)),
        next: Disposition::done(Accepted {
            message_id: Some(message_id.to_owned()),
            parts: 2,
            price: None,
            delivered: false,
            detail: "taken".into(),
        }),
        at: START,
    }
}

pub(super) fn requeued(
    delivery: &Delivery,
    outcome: AttemptOutcome,
    now: Timestamp,
    due_at: Timestamp,
) -> Settlement {
    Settlement {
        delivery: delivery.clone(),
        token: TOKEN,
        attempt: Some(attempt(outcome, now)),
        next: Disposition::Queue {
            due_at,
            detail: "later".into(),
        },
        at: START,
    }
}

pub(super) async fn record(store: &Opened, alert: &Alert) -> crate::store::DeliveryRecord {
    let found = Outbox::notification(&**store, alert.notification.id)
        .await
        .expect("read");
    found.expect("the notification").1.swap_remove(0)
}

/// Returns a notification with `count` deliveries in one lane, raised in-process, for benchmarks of
/// a store.
pub fn alert_of(count: u32, lane: &str, now: Timestamp) -> (Notification, Vec<Delivery>) {
    let alert = alert(count, lane, None, now);
    (alert.notification, alert.deliveries)
}

/// Returns the settlement of a delivery that a gateway accepted, for benchmarks of a store.
pub fn sent_of(delivery: &Delivery, token: LeaseToken, now: Timestamp) -> Settlement {
    Settlement {
        token,
        ..sent(delivery, "m", now)
    }
}
