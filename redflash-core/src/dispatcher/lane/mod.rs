//! Lanes: concurrency, choice of a gateway, and fair turns of the senders.

mod capacity;
pub(super) mod choice;
mod gate;
mod paused_address;
mod rate;
pub(super) mod wait;

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::clock::{Moment, Monotonic};
use crate::delivery::Lane;
use crate::dispatcher::gateway_health::GatewayHealth;
use crate::dispatcher::gateway_health::upstream::Upstream;
use crate::dispatcher::lane::capacity::Capacity;
use crate::dispatcher::lane::gate::Gate;
use crate::dispatcher::lane::paused_address::PausedAddresses;
use crate::dispatcher::lane::rate::Rate;
use crate::gateway::Gateways;
use crate::model::Slug;
use crate::store::{ClaimRequest, ClosedLane, DueQueue, Nodes};

const SECOND: Duration = Duration::from_secs(1);

/// Time after a crash in which nothing is leased ahead. A delivery that crashes the program is then
/// identified, and none that only waited for its turn is blamed.
const CAUTION_PERIOD: Duration = Duration::from_secs(600);

/// The state of every lane and of every gateway within it.
#[derive(Debug)]
pub(crate) struct Lanes {
    gateways: Gateways,
    states: HashMap<Lane, LaneState>,
    upstreams: HashMap<(Slug, Lane), Upstream>,
    rates: HashMap<Slug, Rate>,
    paused: PausedAddresses,
    /// Time before which nothing is leased ahead.
    cautious_until: Option<Monotonic>,
}

#[derive(Debug, Default)]
struct LaneState {
    /// Leased deliveries: in flight, or waiting at the gate.
    in_flight: u32,
    /// Lets through as many deliveries as may be in flight.
    gate: Option<Gate>,
    /// True if due deliveries wait in the store. New ones have to wait behind them.
    backlog: bool,
    turns: usize,
}

impl Lanes {
    pub(crate) fn new(gateways: Gateways) -> Self {
        let mut lanes = Self {
            gateways: Gateways::default(),
            states: HashMap::new(),
            upstreams: HashMap::new(),
            rates: HashMap::new(),
            paused: PausedAddresses::default(),
            cautious_until: None,
        };
        lanes.replace_gateways(gateways);
        lanes
    }

    /// Replaces the gateways. A gateway that keeps its name keeps its breaker. With the same rate
    /// limit, it also keeps its used share; a new limit counts from now on.
    pub(crate) fn replace_gateways(&mut self, gateways: Gateways) {
        let before = std::mem::replace(&mut self.gateways, gateways);
        let limits = |gateways: &Gateways, name: &Slug| Some(gateways.get(name)?.limits);
        let mut rates = HashMap::new();
        for gateway in self.gateways.iter() {
            let same = limits(&before, &gateway.name)
                .is_some_and(|limits| limits.per_second == gateway.limits.per_second);
            let kept = self.rates.remove(&gateway.name).filter(|_| same);
            let new = || gateway.limits.per_second.map(Rate::per_second);
            if let Some(rate) = kept.or_else(new) {
                rates.insert(gateway.name.clone(), rate);
            }
        }
        self.rates = rates;
        for ((name, _), upstream) in &mut self.upstreams {
            match self.gateways.get(name) {
                Some(gateway) => upstream.apply_limits(&gateway.limits),
                None => upstream.retire(),
            }
        }
        let lanes: Vec<_> = self.states.keys().cloned().collect();
        for lane in lanes {
            let width = self.gate_width(&lane) as usize;
            if let Some(gate) = self
                .states
                .get_mut(&lane)
                .and_then(|state| state.gate.as_mut())
            {
                gate.resize(width);
            }
        }
    }

    /// Takes slots of a lane.
    pub(crate) fn take_slots(&mut self, lane: &Lane, count: u32) {
        self.states.entry(lane.clone()).or_default().in_flight += count;
    }

    /// Releases a slot. Returns true if the dispatcher should look for more.
    pub(crate) fn release(&mut self, lane: &Lane) -> bool {
        let capacity = self.max_leased(lane);
        let Some(state) = self.states.get_mut(lane) else {
            return false;
        };
        state.in_flight = state.in_flight.saturating_sub(1);
        // Polling once half is free, instead of for every slot, claims in batches.
        state.backlog && state.in_flight <= capacity / 2
    }

    /// Returns the gate of a lane, which each of its deliveries passes before it is handed over.
    pub(crate) fn gate(&mut self, lane: &Lane) -> Arc<Semaphore> {
        let width = usize::try_from(self.gate_width(lane)).unwrap_or(1);
        let state = self.states.entry(lane.clone()).or_default();
        let gate = state.gate.get_or_insert_with(|| Gate::new(width));
        Arc::clone(&gate.permits)
    }

    /// Closes the gates. Deliveries that wait at one go back to the queue.
    pub(crate) fn close(&self) {
        for state in self.states.values() {
            if let Some(gate) = &state.gate {
                gate.permits.close();
            }
        }
    }

    /// Leases no more than may be in flight for some time, since the process before this one
    /// crashed.
    pub(crate) fn lease_nothing_ahead(&mut self, now: Monotonic) {
        self.cautious_until = Some(now.plus(CAUTION_PERIOD));
    }

    /// Opens the gates again.
    pub(crate) fn open(&mut self) {
        for state in self.states.values_mut() {
            state.gate = None;
        }
    }

    /// Records that a delivery was queued in this lane. Returns true if it is the first since the
    /// last poll, so that the dispatcher should poll.
    pub(crate) fn queued(&mut self, lane: &Lane) -> bool {
        let state = self.states.entry(lane.clone()).or_default();
        !std::mem::replace(&mut state.backlog, true)
    }

    /// Begins a poll: the store may not see deliveries that are queued from now on.
    pub(crate) fn begin_poll(&mut self) {
        for state in self.states.values_mut() {
            state.backlog = false;
        }
    }

    /// Shares the free slots of every lane fairly among its queues, and takes them.
    ///
    /// Returns the deliveries to claim, and the earliest time at which more may be due.
    pub(crate) fn share(
        &mut self,
        queues: &[DueQueue],
        now: Moment,
    ) -> (Vec<ClaimRequest>, Option<Monotonic>) {
        let mut by_lane: BTreeMap<&Lane, Vec<&DueQueue>> = BTreeMap::new();
        let mut next: Option<Monotonic> = None;
        let mut at = |time: Monotonic| next = Some(next.map_or(time, |next| next.min(time)));
        for due in queues {
            if due.due_at <= now.wall {
                by_lane.entry(&due.queue.lane).or_default().push(due);
            } else {
                at(now.monotonic_at(due.due_at));
            }
        }
        let now = now.monotonic;
        for (lane, state) in &mut self.states {
            state.backlog |= by_lane.contains_key(lane);
        }
        let mut claims = Vec::new();
        for (lane, queues) in by_lane {
            match self.free_capacity(lane, now) {
                Capacity::Slots(free) => claims.extend(self.deal(lane, &queues, free.get())),
                Capacity::Full => {}
                Capacity::Closed(until) => at(until),
            }
        }
        self.forget(now);
        if self.cautious_until.is_some_and(|until| until <= now) {
            self.cautious_until = None;
        }
        (claims, next)
    }

    /// Deals `free` slots out to the queues of a lane, starting where the last deal ended.
    fn deal(&mut self, lane: &Lane, queues: &[&DueQueue], free: u32) -> Vec<ClaimRequest> {
        let state = self.states.entry(lane.clone()).or_default();
        state.backlog = true;
        state.in_flight += free;
        let start = state.turns % queues.len();
        state.turns = state.turns.wrapping_add(1);
        let count = u32::try_from(queues.len()).unwrap_or(u32::MAX);
        let (each, rest) = (free / count, free % count);
        let ordered = queues[start..].iter().chain(&queues[..start]);
        let shares = ordered.zip(0..).filter_map(|(due, index)| {
            let limit = NonZeroU32::new(each + u32::from(index < rest))?;
            Some(ClaimRequest {
                queue: due.queue.clone(),
                limit,
            })
        });
        shares.collect()
    }

    pub(crate) fn health(&self, now: Moment) -> Vec<GatewayHealth> {
        let health = |((gateway, lane), upstream): (&(Slug, Lane), &Upstream)| {
            upstream.health(gateway, lane, now)
        };
        let mut all: Vec<_> = self.upstreams.iter().map(health).collect();
        all.sort_by(|a, b| (&a.gateway, &a.lane).cmp(&(&b.gateway, &b.lane)));
        all
    }

    /// Returns the gateways that this node has found closed, and until when.
    pub(crate) fn closed(&self, now: Moment) -> Vec<ClosedLane> {
        let closed = self
            .upstreams
            .iter()
            .filter_map(|((gateway, lane), upstream)| {
                let until = upstream.closed_until()?;
                (until > now.monotonic).then(|| ClosedLane {
                    gateway: gateway.clone(),
                    lane: lane.clone(),
                    // In whole seconds, so that equal findings are equal lists.
                    until: now.wall_at(until).plus(SECOND).floor(SECOND),
                })
            });
        // In one order, for the same reason.
        let mut closed: Vec<_> = closed.collect();
        closed.sort();
        closed
    }

    /// Applies the findings of other nodes, and this node's share of the rate limits.
    pub(crate) fn learn(&mut self, nodes: &Nodes, now: Moment) {
        for rate in self.rates.values_mut() {
            rate.share(nodes.count.get());
        }
        for closed in nodes.closed.iter().filter(|closed| closed.until > now.wall) {
            if self.gateways.get(&closed.gateway).is_none() {
                continue;
            }
            let key = (closed.gateway.clone(), closed.lane.clone());
            let upstream = self.upstreams.entry(key).or_default();
            upstream.learn(now.monotonic_at(closed.until), now.monotonic);
        }
    }

    /// Drops lanes and upstreams that remember nothing that matters.
    fn forget(&mut self, now: Monotonic) {
        self.states
            .retain(|_, lane| lane.in_flight > 0 || lane.backlog);
        self.upstreams
            .retain(|_, upstream| upstream.is_relevant(now));
        self.paused.forget(now);
    }
}
