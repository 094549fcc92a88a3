//! The life of a delivery in a store: every change of state, shared by all stores.

use super::MAX_CLAIMS;
use crate::clock::Timestamp;
use crate::delivery::{
    Attempt, AttemptOutcome, Delivery, DeliveryState, Disposition, Lease, LeaseGrant, LeaseToken,
    Receipt, ReceiptState, Settled, Settlement,
};
use crate::model::{Slug, WorkerId};

/// A delivery as a store records it. A store reads one, changes it by a method of this type, and
/// writes it back, all in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    /// The delivery.
    pub delivery: Delivery,
    /// The API key its notification was raised with, which shares turns fairly with other keys.
    pub raised_by: Option<Slug>,
    /// Present lease.
    pub lease: Option<LeaseGrant>,
    /// Number of leases since the last recorded outcome.
    pub claims: u32,
}

/// The effect of a receipt on an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It changed the entry.
    Applied,
    /// The receipt repeats what is known.
    Known,
    /// The hand-over is under way: the receipt must be stored, and applied after the settlement.
    Early,
    /// The message went through another gateway.
    NotOurs,
}

impl OutboxEntry {
    /// Creates an entry that is queued, or, in state `Sending`, leased from the beginning.
    pub fn new(delivery: Delivery, raised_by: Option<Slug>, lease: Option<&Lease>) -> Self {
        let is_leased = delivery.state == DeliveryState::Sending;
        let mut entry = Self {
            delivery,
            raised_by,
            lease: None,
            claims: 0,
        };
        match lease {
            Some(lease) if is_leased => entry.lease_to(lease),
            _ => entry.delivery.state = DeliveryState::Queued,
        }
        entry
    }

    /// Leases it.
    pub const fn lease_to(&mut self, lease: &Lease) {
        self.delivery.state = DeliveryState::Sending;
        self.lease = Some(LeaseGrant {
            worker: lease.worker,
            token: lease.token,
            until: lease.until,
        });
        self.claims += 1;
    }

    /// Returns the entry after a settlement whose lease still holds, and the attempt to log: for a
    /// store that can write it in one statement.
    pub fn settled(worker: WorkerId, settlement: &Settlement) -> (Self, Option<Attempt>) {
        let delivery = settlement.delivery.clone();
        let mut entry = Self {
            lease: Some(LeaseGrant {
                worker,
                token: settlement.token,
                until: delivery.due_at,
            }),
            delivery,
            raised_by: None,
            claims: 0,
        };
        let (attempt, _) = entry.settle(worker, settlement);
        (entry, attempt)
    }

    /// Ends a lease. Returns the attempt to log, and whether that grant still held.
    pub fn settle(
        &mut self,
        worker: WorkerId,
        settlement: &Settlement,
    ) -> (Option<Attempt>, Settled) {
        let held = self
            .lease
            .is_some_and(|lease| (lease.worker, lease.token) == (worker, settlement.token));
        let attempt = settlement.attempt.as_ref().map(|attempt| self.log(attempt));
        let waits = self.delivery.state == DeliveryState::Queued;
        let settled = if held {
            Settled::Recorded
        } else if waits && matches!(settlement.next, Disposition::Done { .. }) {
            Settled::Late
        } else {
            Settled::Lost
        };
        if settled != Settled::Lost {
            if let Some(attempt) = &attempt {
                self.delivery.due_at = attempt.ended_at;
            }
            let was_unrecorded = self.delivery.is_unrecorded();
            self.end(&settlement.next);
            if attempt.is_none() && self.delivery.state.is_final() {
                self.delivery.due_at = settlement.at;
            }
            // Until another attempt, the message may have gone out.
            let only_waits = attempt.is_none() && self.delivery.state == DeliveryState::Queued;
            if only_waits && was_unrecorded {
                Attempt::UNRECORDED.clone_into(&mut self.delivery.detail);
            }
        }
        (attempt, settled)
    }

    /// Renews the lease; returns false if another grant holds it.
    pub fn renew(&mut self, worker: WorkerId, token: LeaseToken, until: Timestamp) -> bool {
        let held = |lease: &&mut LeaseGrant| (lease.worker, lease.token) == (worker, token);
        let Some(lease) = self.lease.as_mut().filter(held) else {
            return false;
        };
        lease.until = until;
        true
    }

    /// Takes the entry back from a holder that recorded no outcome. Returns the attempt to log.
    pub fn take_back(&mut self, now: Timestamp) -> Attempt {
        let attempt = self.log(&Attempt::unrecorded(now));
        self.lease = None;
        self.delivery.due_at = now;
        (self.delivery.state, self.delivery.detail) = if self.claims >= MAX_CLAIMS {
            let detail = format!(
                "set aside after {} hand-overs without any outcome",
                self.claims
            );
            (DeliveryState::Quarantined, detail)
        } else {
            (DeliveryState::Queued, Attempt::UNRECORDED.to_owned())
        };
        attempt
    }

    /// Returns a delivery whose receipt did not arrive in time to the queue, for another gateway.
    /// Returns the attempt to log; `None` if no receipt is due.
    pub fn miss_receipt(&mut self, now: Timestamp) -> Option<Attempt> {
        let due = self.delivery.receipt_due_at.take_if(|due| *due <= now);
        due.filter(|_| self.delivery.state == DeliveryState::Sent)?;
        let detail = "no receipt came in time".to_owned();
        let attempt = self.log(&Attempt {
            number: 0,
            gateway: self.delivery.gateway.clone(),
            started_at: now,
            ended_at: now,
            outcome: AttemptOutcome::Unknown,
            detail: detail.clone(),
            may_repeat: self.delivery.may_repeat,
        });
        self.end(&Disposition::Elsewhere { detail });
        self.delivery.due_at = now;
        self.delivery.first_attempt_at = Some(now);
        Some(attempt)
    }

    /// Applies a gateway's receipt, which only ever moves the entry forward.
    pub fn receive(&mut self, gateway: &Slug, receipt: &Receipt, now: Timestamp) -> Received {
        let delivery = &mut self.delivery;
        if delivery.state == DeliveryState::Sending {
            return Received::Early;
        }
        let arrived = receipt.state == ReceiptState::Delivered;
        let in_parts = receipt.of_part && delivery.parts.is_some_and(|parts| parts > 1);
        if delivery.gateway.as_ref() != Some(gateway) {
            // If several gateways may have sent it, an arrival counts from any of them: from one
            // that did not confirm in time, or from a hand-over that was not recorded.
            let is_named = receipt.delivery.is_some() || delivery.refused_by.contains(gateway);
            if !arrived || in_parts || !delivery.may_repeat || !is_named {
                return Received::NotOurs;
            }
        }
        if arrived && in_parts {
            return self.receive_part(receipt, now);
        }
        // The price in a gateway's answer is an estimate; of several parts, a receipt prices one.
        let open = delivery.price.is_none() || delivery.parts.is_none_or(|parts| parts <= 1);
        let priced = open && receipt.price.is_some() && delivery.price != receipt.price;
        if priced {
            delivery.price.clone_from(&receipt.price);
        }
        // One receipt for a message in parts may be about the first part alone: its arrival does
        // not repair a part that failed.
        let in_pieces = delivery.parts.is_some_and(|parts| parts > 1);
        let next = match (delivery.state, receipt.state) {
            (DeliveryState::Failed, ReceiptState::Delivered) if in_pieces && !priced => {
                return Received::Known;
            }
            (DeliveryState::Failed, ReceiptState::Delivered) if in_pieces => {
                return Received::Applied;
            }
            (
                DeliveryState::Queued
                | DeliveryState::Sent
                | DeliveryState::Failed
                | DeliveryState::Cancelled
                | DeliveryState::Suppressed
                | DeliveryState::Quarantined,
                ReceiptState::Delivered,
            ) => DeliveryState::Delivered,
            (DeliveryState::Sent, ReceiptState::Failed) => DeliveryState::Failed,
            _ if priced => return Received::Applied,
            _ => return Received::Known,
        };
        delivery.state = next;
        delivery.due_at = now;
        delivery.receipt_due_at = None;
        delivery.detail.clone_from(&receipt.detail);
        Received::Applied
    }

    /// Records the arrival of one of several parts: the message has arrived when all have.
    fn receive_part(&mut self, receipt: &Receipt, now: Timestamp) -> Received {
        let delivery = &mut self.delivery;
        let part = receipt.message_id.clone().unwrap_or_default();
        if delivery.state == DeliveryState::Delivered || delivery.parts_delivered.contains(&part) {
            return Received::Known;
        }
        delivery.parts_delivered.push(part);
        let (arrived, parts) = (delivery.parts_delivered.len(), delivery.parts.unwrap_or(1));
        if u32::try_from(arrived).is_ok_and(|arrived| arrived < parts) {
            if delivery.state == DeliveryState::Sent {
                delivery.detail = format!("{arrived} of {parts} parts have arrived");
            }
            return Received::Applied;
        }
        delivery.state = DeliveryState::Delivered;
        delivery.due_at = now;
        delivery.receipt_due_at = None;
        delivery.detail.clone_from(&receipt.detail);
        Received::Applied
    }

    /// Returns the entry to the queue, due now, if it ended badly; returns false if it did not.
    pub fn resend(&mut self, now: Timestamp) -> bool {
        let delivery = &mut self.delivery;
        let ended_badly = matches!(
            delivery.state,
            DeliveryState::Failed
                | DeliveryState::Cancelled
                | DeliveryState::Suppressed
                | DeliveryState::Quarantined
        );
        if ended_badly {
            delivery.state = DeliveryState::Queued;
            delivery.due_at = now;
            // From now on it is retried for as long as a new one.
            delivery.first_attempt_at = Some(now);
            delivery.refused_by.clear();
            self.claims = 0;
        }
        ended_badly
    }

    /// Gives up a queued delivery; returns false if it is not queued.
    ///
    /// * `why` - what a delivery that was never attempted waited for.
    pub fn give_up(&mut self, why: Option<&str>, now: Timestamp) -> bool {
        let delivery = &mut self.delivery;
        if delivery.state != DeliveryState::Queued {
            return false;
        }
        let why = why.unwrap_or(&delivery.detail);
        let detail = Self::given_up(delivery.attempts, why);
        self.end(&Disposition::Fail { detail });
        self.delivery.due_at = now;
        true
    }

    /// Returns the detail of a delivery that is given up.
    ///
    /// * `why` - the last failure, or what it waited for.
    pub(crate) fn given_up(attempts: u32, why: &str) -> String {
        match attempts {
            0 => format!("given up: {why}"),
            1 => format!("given up after 1 attempt: {why}"),
            _ => format!("given up after {attempts} attempts: {why}"),
        }
    }

    /// Returns true if receipts may have been stored while the hand-over was under way.
    pub const fn may_have_early_receipts(&self) -> bool {
        matches!(
            self.delivery.state,
            DeliveryState::Sent
                | DeliveryState::Queued
                | DeliveryState::Failed
                | DeliveryState::Quarantined
        ) && self.delivery.attempts > 0
    }

    fn log(&mut self, attempt: &Attempt) -> Attempt {
        let delivery = &mut self.delivery;
        delivery.attempts += 1;
        delivery.first_attempt_at.get_or_insert(attempt.started_at);
        if attempt.gateway.is_some() {
            delivery.gateway.clone_from(&attempt.gateway);
        }
        delivery.may_repeat |= attempt.outcome == AttemptOutcome::Unknown;
        Attempt {
            number: delivery.attempts,
            ..attempt.clone()
        }
    }

    fn end(&mut self, next: &Disposition) {
        self.lease = None;
        self.claims = 0;
        let delivery = &mut self.delivery;
        let (state, detail) = match next {
            Disposition::Done {
                accepted,
                receipt_due_at,
            } => {
                delivery.receipt_due_at = *receipt_due_at;
                delivery.parts_delivered.clear();
                delivery.message_id.clone_from(&accepted.message_id);
                delivery.parts = Some(accepted.parts);
                delivery.price.clone_from(&accepted.price);
                let arrived = accepted.delivered;
                let state = if arrived {
                    DeliveryState::Delivered
                } else {
                    DeliveryState::Sent
                };
                (state, &accepted.detail)
            }
            Disposition::Elsewhere { detail } => {
                delivery.refused_by.extend(delivery.gateway.clone());
                (DeliveryState::Queued, detail)
            }
            Disposition::Queue { due_at, detail } => {
                delivery.due_at = *due_at;
                (DeliveryState::Queued, detail)
            }
            Disposition::Fail { detail } => (DeliveryState::Failed, detail),
            Disposition::Cancel { detail } => (DeliveryState::Cancelled, detail),
            Disposition::Suppress { detail } => (DeliveryState::Suppressed, detail),
            Disposition::Hold { detail } => (DeliveryState::Quarantined, detail),
        };
        delivery.state = state;
        delivery.detail.clone_from(detail);
    }
}
