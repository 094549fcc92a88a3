//! Giving up deliveries that have waited too long, independent of the breakers.

use std::num::NonZeroU32;
use std::time::Duration;

use tracing::warn;

use crate::clock::{Moment, Monotonic};
use crate::dispatcher::{Dispatcher, POLL_INTERVAL};
use crate::model::ChannelKind;
use crate::store::{Overdue, StoreError};

/// Longest time between two sweeps.
const MAX_SWEEP_INTERVAL: Duration = Duration::from_secs(30);
/// Number of deliveries given up in one transaction.
const BATCH_SIZE: NonZeroU32 = NonZeroU32::new(256).expect("not zero");

impl Dispatcher {
    /// Gives up deliveries whose first attempt was too long ago, and deliveries without an attempt
    /// whose gateways have taken nothing for as long. Our own limits give nothing up.
    pub(crate) async fn give_up_overdue(
        &self,
        now: Moment,
        looked_at: &mut Option<Monotonic>,
    ) -> Result<(), StoreError> {
        let gateways = self.gateways();
        let shortest = gateways.iter().map(|one| one.schedule.give_up_after());
        let apart = shortest
            .min()
            .map(|shortest| (shortest / 10).clamp(POLL_INTERVAL, MAX_SWEEP_INTERVAL));
        let Some(apart) = apart else {
            return Ok(());
        };
        if looked_at.is_some_and(|at| now.monotonic.since(at) < apart) {
            return Ok(());
        }
        let overdue = self.overdue(now);
        loop {
            let given_up = self.store.give_up(&overdue, now.wall, BATCH_SIZE).await?;
            self.count_ended(&given_up);
            if !given_up.is_empty() {
                warn!(deliveries = given_up.len(), "gave up overdue deliveries");
            }
            if given_up.len() < BATCH_SIZE.get() as usize {
                break;
            }
        }
        *looked_at = Some(now.monotonic);
        Ok(())
    }

    fn overdue(&self, now: Moment) -> Vec<Overdue> {
        let gateways = self.gateways();
        let kinds = gateways.iter().map(|gateway| gateway.channel.kind());
        let mut kinds: Vec<_> = kinds.collect();
        kinds.sort();
        kinds.dedup();
        let attempted = kinds.iter().map(|channel| Overdue::Attempted {
            channel: channel.clone(),
            before: self.ago(self.longest_patience(channel), now),
        });
        let closed = self.lanes().closed_lanes(now.monotonic);
        let waiting = closed.into_iter().filter_map(|(lane, wait)| {
            let channel = ChannelKind::parse(lane.channel()).ok()?;
            let patience = self.longest_patience(&channel);
            wait.is_closed_for(patience, now.monotonic)
                .then(|| Overdue::Waiting {
                    lane,
                    before: self.ago(patience, now),
                    why: wait.cause.to_string(),
                })
        });
        attempted.chain(waiting).collect()
    }

    /// Returns the longest time that any gateway of a channel keeps trying a delivery.
    fn longest_patience(&self, channel: &ChannelKind) -> Duration {
        let gateways = self.gateways();
        let longest = gateways
            .of(channel.as_str())
            .map(|gateway| gateway.schedule.give_up_after())
            .max();
        longest.unwrap_or(Duration::MAX)
    }
}
