//! The deliveries of a plan.

use crate::delivery::Delivery;
use crate::model::DeliveryId;
use crate::plan::{Notification, Verdict};

/// Returns the deliveries of a notification's plan, in the order of the plan.
pub(super) fn deliveries(notification: &Notification) -> Vec<Delivery> {
    let now = notification.raised_at;
    let mut deliveries = Vec::with_capacity(notification.plan.queued());
    let mut places = 1..=DeliveryId::MAX_PER_NOTIFICATION;
    for recipient in &notification.plan.recipients {
        for endpoint in &recipient.endpoints {
            let (Verdict::Deliver(lane), Some(place)) = (&endpoint.verdict, places.next()) else {
                continue;
            };
            let waiting = Delivery::new(
                DeliveryId::new(notification.id, place),
                recipient.contact.clone(),
                endpoint.endpoint,
                endpoint.channel.clone(),
                endpoint.address.clone(),
                lane.clone(),
                now,
            );
            deliveries.push(Delivery {
                via: recipient.via.clone(),
                ..waiting
            });
        }
    }
    deliveries
}
