//! Promises of holding a lease: one grant at a time, renewed, and kept while it is used.

use std::time::Duration;

use super::fixture::{
    Opened, START, alert, at, enqueue, lease, one, record, requeued, want, worker,
};
use crate::delivery::{AttemptOutcome, DeliveryState, HeldLease, Job, LeaseToken, Settled};
use crate::model::WorkerId;

/// Claims due deliveries under a lease with its own token.
async fn granted(store: &Opened, worker: WorkerId, seconds: u64) -> Vec<Job> {
    let lease = crate::delivery::Lease {
        token: LeaseToken::random(),
        ..lease(worker, at(seconds))
    };
    let wants = [want("sms", Some("app"), 10)];
    let claimed = store.claim_due(&lease, &wants);
    claimed.await.expect("claimed")
}

const fn held(job: &Job) -> HeldLease {
    HeldLease {
        delivery: job.delivery.id,
        token: job.token,
    }
}

async fn requeue(store: &Opened, seconds: u64, running: &[HeldLease]) -> usize {
    let requeued = store.requeue_orphans(at(seconds), None, running);
    requeued.await.expect("requeued").len()
}

/// The outcome of an earlier grant does not settle a later one, even if the worker is the same and
/// no attempt was counted in between.
pub async fn settlement_of_an_earlier_grant_is_lost(store: Opened) {
    let alert = one(&store).await;
    let me = worker();
    let first = granted(&store, me, 0).await.remove(0);
    let given_back = crate::delivery::Settlement {
        token: first.token,
        attempt: None,
        ..requeued(&first.delivery, AttemptOutcome::Retry, START, START)
    };
    store.settle(me, &[given_back]).await.expect("settled");
    let second = granted(&store, me, 1).await.remove(0);
    assert_eq!(first.delivery.attempts, second.delivery.attempts);
    assert_ne!(first.token, second.token);
    let settle = async |job: &Job| {
        let settlement = crate::delivery::Settlement {
            token: job.token,
            ..requeued(&job.delivery, AttemptOutcome::Retry, at(2), at(90))
        };
        store.settle(me, &[settlement]).await.expect("settled")
    };
    assert_eq!(settle(&first).await, [Settled::Lost]);
    let record = async || record(&store, &alert).await.delivery;
    assert_eq!(record().await.state, DeliveryState::Sending);
    let later = crate::delivery::Settlement {
        token: second.token,
        ..requeued(&second.delivery, AttemptOutcome::Unknown, at(3), at(90))
    };
    assert_eq!(
        store.settle(me, &[later]).await.expect("settled"),
        [Settled::Recorded]
    );
    let settled = record().await;
    assert_eq!(
        (settled.state, settled.due_at, settled.attempts),
        (DeliveryState::Queued, at(90), 2)
    );
}

/// A renewed lease is not taken back at its old end, but at its new one. Other leases do not
/// change.
pub async fn renewed_lease_lasts_longer(store: Opened) {
    let alerts = alert(3, "sms", Some("app"), START);
    enqueue(&store, &alerts, None).await;
    let me = worker();
    let jobs = granted(&store, me, 0).await;
    let renewed: Vec<_> = jobs[..2].iter().map(held).collect();
    let until = at(60).plus(Duration::from_secs(60));
    let lost = store.renew(me, &renewed, until).await.expect("renewed");
    assert_eq!(lost, []);
    assert_eq!(requeue(&store, 60, &[]).await, 1);
    assert_eq!(requeue(&store, 119, &[]).await, 0);
    assert_eq!(requeue(&store, 120, &[]).await, 2);
    assert_eq!(store.renew(me, &[], until).await.expect("renewed"), []);
}

/// A renewal returns the leases that are lost, and does not change their present holders.
pub async fn renewal_reports_lost_leases(store: Opened) {
    let alerts = alert(4, "sms", Some("app"), START);
    enqueue(&store, &alerts, None).await;
    let (slow, quick) = (worker(), worker());
    let jobs = granted(&store, slow, 0).await;
    let mut mine: Vec<_> = jobs.iter().map(held).collect();
    mine.sort();
    let settlement = crate::delivery::Settlement {
        token: mine[0].token,
        ..requeued(&jobs[0].delivery, AttemptOutcome::Retry, START, at(1000))
    };
    store.settle(slow, &[settlement]).await.expect("settled");
    // One is settled, one still held; the others are granted again.
    let kept = held(&jobs[1]);
    assert_eq!(requeue(&store, 60, &[kept]).await, 2);
    let again = granted(&store, quick, 60).await;
    assert_eq!(again.len(), 2);
    let mut lost = store.renew(slow, &mine, at(500)).await.expect("renewed");
    lost.sort();
    mine.retain(|lease| *lease != kept);
    assert_eq!(lost, mine);
    let again: Vec<_> = again.iter().map(held).collect();
    let nobodys = store.renew(slow, &again, at(500)).await.expect("renewed");
    assert_eq!(nobodys.len(), 2, "another worker's token renews nothing");
    assert_eq!(requeue(&store, 120, &[]).await, 2);
    assert_eq!(requeue(&store, 500, &[]).await, 1);
}

/// A delivery that its holder is still handing over is not taken back, however late it is.
pub async fn running_delivery_is_not_taken_back(store: Opened) {
    let alert = one(&store).await;
    let me = worker();
    let job = granted(&store, me, 0).await.remove(0);
    assert_eq!(requeue(&store, 1_000_000, &[held(&job)]).await, 0);
    assert_eq!(
        record(&store, &alert).await.delivery.state,
        DeliveryState::Sending
    );
    let earlier = HeldLease {
        token: LeaseToken::random(),
        ..held(&job)
    };
    assert_eq!(requeue(&store, 1_000_000, &[earlier]).await, 1);
}
