//! The choice of a gateway for a delivery, and the lanes without an open gateway.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::Lanes;
use super::wait::{Cause, Wait};
use crate::clock::Monotonic;
use crate::delivery::Lane;
use crate::dispatcher::gateway_health::breaker::Admission;
use crate::dispatcher::gateway_health::upstream::HealthSignal;
use crate::gateway::Gateway;
use crate::model::{Address, Slug};

/// Time after which a delivery looks for its channel again if no gateway serves it.
const NO_GATEWAY_RETRY: Duration = Duration::from_secs(60);

/// The gateway chosen for a delivery.
#[derive(Clone, Debug)]
pub(crate) enum Choice {
    /// This one, with the permits for its request. The message counts as in flight until
    /// [`Lanes::end`].
    Gateway(Arc<Gateway>, Arc<Semaphore>),
    /// None yet.
    Wait(Wait),
    /// No gateway of the channel is left for this address.
    NoneLeft,
}

impl Lanes {
    /// Chooses the first gateway of the lane that takes messages to this address now.
    ///
    /// * `is_candidate` - returns true if a gateway is eligible for the message.
    pub(crate) fn choose(
        &mut self,
        lane: &Lane,
        to: &Address,
        now: Monotonic,
        is_candidate: impl Fn(&Gateway) -> bool,
    ) -> Choice {
        let gateways: Vec<_> = self.gateways.of(lane.channel()).cloned().collect();
        let mut waits = Vec::new();
        for gateway in gateways.iter().filter(|gateway| is_candidate(gateway)) {
            match self.begin(gateway, lane, to, now) {
                Ok(requests) => return Choice::Gateway(Arc::clone(gateway), requests),
                Err(wait) => waits.push(wait),
            }
        }
        match Wait::earliest(waits) {
            Some(wait) => Choice::Wait(wait),
            None if gateways.is_empty() => Choice::Wait(Wait {
                until: now.plus(NO_GATEWAY_RETRY),
                cause: Cause::NoneConfigured,
                closed_since: None,
            }),
            None => Choice::NoneLeft,
        }
    }

    /// Begins a hand-over to a gateway, or returns the wait for it.
    fn begin(
        &mut self,
        gateway: &Gateway,
        lane: &Lane,
        to: &Address,
        now: Monotonic,
    ) -> Result<Arc<Semaphore>, Wait> {
        let name = &gateway.name;
        let upstream = self
            .upstreams
            .entry((name.clone(), lane.clone()))
            .or_default();
        if let Admission::Wait(until) = upstream.admission(now) {
            return Err(Wait {
                until,
                cause: Cause::Closed(name.clone(), upstream.last_error().map(str::to_owned)),
                closed_since: upstream.closed_since(now),
            });
        }
        let waits = |until, cause| Wait {
            until,
            cause,
            closed_since: None,
        };
        if let Some(until) = self.paused.until(name, to, now) {
            return Err(waits(until, Cause::PausedAddress(name.clone())));
        }
        if let Some(rate) = self.rates.get_mut(name) {
            rate.take(now)
                .map_err(|until| waits(until, Cause::OwnLimit(name.clone())))?;
        }
        Ok(upstream.begin(&gateway.limits))
    }

    /// Returns the lanes in which no gateway takes messages, each with its wait.
    pub(crate) fn closed_lanes(&self, now: Monotonic) -> Vec<(Lane, Wait)> {
        let lanes: BTreeSet<_> = self.upstreams.keys().map(|(_, lane)| lane).collect();
        let closed = lanes.into_iter();
        closed
            .filter_map(|lane| Some((lane.clone(), self.closed_lane(lane, now)?)))
            .collect()
    }

    /// Returns the wait of a lane in which no gateway takes messages; `None` if one does.
    pub(crate) fn closed_lane(&self, lane: &Lane, now: Monotonic) -> Option<Wait> {
        let wait = |gateway: &Arc<Gateway>| {
            let upstream = self.upstreams.get(&(gateway.name.clone(), lane.clone()))?;
            let error = upstream.last_error().map(str::to_owned);
            let until = match upstream.admission(now) {
                Admission::Wait(until) => until,
                Admission::Any | Admission::One => now,
            };
            Some(Wait {
                until,
                cause: Cause::Closed(gateway.name.clone(), error),
                closed_since: Some(upstream.closed_since(now)?),
            })
        };
        let waits: Option<Vec<_>> = self.gateways.of(lane.channel()).map(wait).collect();
        Wait::earliest(waits?)
    }

    /// Ends a hand-over that [`choose`](Self::choose) began. Returns the time of the next try if
    /// this stopped the gateway.
    pub(crate) fn end(
        &mut self,
        gateway: &Slug,
        lane: &Lane,
        signal: HealthSignal,
        error: Option<&str>,
        now: Monotonic,
    ) -> Option<Monotonic> {
        let upstream = self.upstreams.get_mut(&(gateway.clone(), lane.clone()))?;
        upstream.end(signal, error, now)
    }

    /// Keeps messages to this address from this gateway until `until`.
    pub(crate) fn pause_address(
        &mut self,
        gateway: &Slug,
        to: &Address,
        until: Monotonic,
        now: Monotonic,
    ) {
        self.paused.pause(gateway, to, until, now);
    }

    /// Returns true if one of these gateways of the lane takes messages now.
    pub(crate) fn has_open_gateway(
        &self,
        lane: &Lane,
        now: Monotonic,
        is_candidate: impl Fn(&Gateway) -> bool,
    ) -> bool {
        let takes = |gateway: &Arc<Gateway>| {
            is_candidate(gateway)
                && !matches!(self.admission(gateway, lane, now), Admission::Wait(_))
        };
        self.gateways.of(lane.channel()).any(takes)
    }

    pub(super) fn admission(&self, gateway: &Gateway, lane: &Lane, now: Monotonic) -> Admission {
        let upstream = self.upstreams.get(&(gateway.name.clone(), lane.clone()));
        upstream.map_or(Admission::Any, |upstream| upstream.admission(now))
    }
}
