//! Lanes: who may be handed what, how much at once, and whose turn it is.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::breaker::Admission;
use super::peer::{GatewayHealth, Peer, Verdict};
use super::rate::Rate;
use crate::store::{ClosedLane, DueQueue, Nodes, Want};
use crate::{Gateway, Gateways, Lane, Slug, Timestamp};

/// How long a delivery waits before its channel is looked for again, when no gateway serves it.
const NONE_CONFIGURED: Duration = Duration::from_secs(60);
/// How many deliveries are leased for each that may be under way, so that no gateway waits for the
/// next claim. Leases are renewed meanwhile.
const AHEAD: u32 = 4;

/// The state of every lane and of every gateway within it.
#[derive(Debug)]
pub(crate) struct Lanes {
    gateways: Gateways,
    states: HashMap<Lane, LaneState>,
    peers: HashMap<(Slug, Lane), Peer>,
    rates: HashMap<Slug, Rate>,
}

#[derive(Debug, Default)]
struct LaneState {
    /// Leased deliveries: under way, or waiting at the gate.
    in_flight: u32,
    /// Lets through as many as may be under way.
    gate: Option<Arc<Semaphore>>,
    /// Something that is due waits in the store: what comes now has to wait behind it.
    backlog: bool,
    turns: usize,
}

/// How much of a lane is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Slots(NonZeroU32),
    /// All slots are taken; one that becomes free wakes the dispatcher.
    Full,
    /// No gateway takes anything before this time.
    Closed(Timestamp),
}

/// Through which gateway a delivery goes.
#[derive(Clone, Debug)]
pub(crate) enum Choice {
    /// This one, and what its request has to go through; it counts as under way until
    /// [`Lanes::end`].
    Gateway(Arc<Gateway>, Arc<Semaphore>),
    /// None before this time.
    Wait(Timestamp),
    /// No gateway of the channel is left for this address.
    Nobody,
}

impl Lanes {
    pub(crate) fn new(gateways: Gateways) -> Self {
        let rate = |gateway: &Arc<Gateway>| {
            let rate = Rate::per_second(gateway.limits.per_second?);
            Some((gateway.name.clone(), rate))
        };
        let rates = gateways.iter().filter_map(rate).collect();
        Self {
            gateways,
            states: HashMap::new(),
            peers: HashMap::new(),
            rates,
        }
    }

    /// How many slots of a lane are free for what comes now: none while something waits in it.
    pub(crate) fn free(&self, lane: &Lane, now: Timestamp) -> u32 {
        let waits = self.states.get(lane).is_some_and(|state| state.backlog);
        match self.room(lane, now) {
            Room::Slots(free) if !waits => free.get(),
            _ => 0,
        }
    }

    /// Takes so many slots of a lane.
    pub(crate) fn take(&mut self, lane: &Lane, count: u32) {
        self.states.entry(lane.clone()).or_default().in_flight += count;
    }

    /// Gives a slot back; `true` when the dispatcher should look for more.
    pub(crate) fn release(&mut self, lane: &Lane) -> bool {
        let capacity = self.capacity(lane);
        let Some(state) = self.states.get_mut(lane) else {
            return false;
        };
        state.in_flight = state.in_flight.saturating_sub(1);
        // Looking once half is free, instead of for every slot, claims in batches.
        state.backlog && state.in_flight <= capacity / 2
    }

    /// The gate of a lane, through which each of its deliveries goes before it is handed over.
    pub(crate) fn gate(&mut self, lane: &Lane) -> Arc<Semaphore> {
        let width = usize::try_from(self.width(lane)).unwrap_or(1);
        let state = self.states.entry(lane.clone()).or_default();
        let gate = state
            .gate
            .get_or_insert_with(|| Arc::new(Semaphore::new(width)));
        Arc::clone(gate)
    }

    /// Lets nothing more through: what waits at a gate is given back.
    pub(crate) fn close(&self) {
        for state in self.states.values() {
            if let Some(gate) = &state.gate {
                gate.close();
            }
        }
    }

    /// Something was put into the store's queue of this lane; `true` when it is the first that
    /// waits there since the last look, so that the dispatcher should look.
    pub(crate) fn queued(&mut self, lane: &Lane) -> bool {
        let state = self.states.entry(lane.clone()).or_default();
        !std::mem::replace(&mut state.backlog, true)
    }

    /// The store is about to be looked at: what is queued from now on may not be seen by it.
    pub(crate) fn look(&mut self) {
        for state in self.states.values_mut() {
            state.backlog = false;
        }
    }

    /// Shares the free slots of every lane fairly among its queues and takes them.
    ///
    /// Returns what to claim, and the earliest time at which there may be more to do.
    pub(crate) fn share(
        &mut self,
        queues: &[DueQueue],
        now: Timestamp,
    ) -> (Vec<Want>, Option<Timestamp>) {
        let mut by_lane: BTreeMap<&Lane, Vec<&DueQueue>> = BTreeMap::new();
        let mut next: Option<Timestamp> = None;
        let mut at = |time: Timestamp| next = Some(next.map_or(time, |next| next.min(time)));
        for due in queues {
            if due.due_at <= now {
                by_lane.entry(&due.queue.lane).or_default().push(due);
            } else {
                at(due.due_at);
            }
        }
        for (lane, state) in &mut self.states {
            state.backlog |= by_lane.contains_key(lane);
        }
        let mut wants = Vec::new();
        for (lane, queues) in by_lane {
            match self.room(lane, now) {
                Room::Slots(free) => wants.extend(self.turns(lane, &queues, free.get())),
                Room::Full => {}
                Room::Closed(until) => at(until),
            }
        }
        self.forget(now);
        (wants, next)
    }

    /// Deals `free` slots out to the queues of a lane, starting where the last deal ended.
    fn turns(&mut self, lane: &Lane, queues: &[&DueQueue], free: u32) -> Vec<Want> {
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
            Some(Want {
                queue: due.queue.clone(),
                limit,
            })
        });
        shares.collect()
    }

    /// Chooses the first gateway of the lane that takes messages now.
    ///
    /// * `may` - whether a gateway comes into question for the message.
    pub(crate) fn choose(
        &mut self,
        lane: &Lane,
        now: Timestamp,
        may: impl Fn(&Gateway) -> bool,
    ) -> Choice {
        let mut earliest: Option<Timestamp> = None;
        let mut any = false;
        for gateway in self.gateways.of(lane.channel()) {
            any = true;
            if !may(gateway) {
                continue;
            }
            let key = (gateway.name.clone(), lane.clone());
            let peer = self.peers.entry(key).or_default();
            let rate = self.rates.get_mut(&gateway.name);
            let until = match peer.admission(now) {
                Admission::Wait(until) => until,
                Admission::Any | Admission::One => match rate.map_or(Ok(()), |r| r.take(now)) {
                    Ok(()) => {
                        let requests = peer.begin(&gateway.limits);
                        return Choice::Gateway(Arc::clone(gateway), requests);
                    }
                    Err(until) => until,
                },
            };
            earliest = Some(earliest.map_or(until, |earliest| earliest.min(until)));
        }
        match earliest {
            Some(earliest) => Choice::Wait(earliest),
            None if any => Choice::Nobody,
            None => Choice::Wait(now.plus(NONE_CONFIGURED)),
        }
    }

    /// Ends what [`choose`](Self::choose) began. Says whether the gateway has stopped by it.
    pub(crate) fn end(
        &mut self,
        gateway: &Slug,
        lane: &Lane,
        verdict: Verdict,
        now: Timestamp,
    ) -> bool {
        let Some(peer) = self.peers.get_mut(&(gateway.clone(), lane.clone())) else {
            return false;
        };
        peer.end(verdict, now)
    }

    /// Whether one of these gateways of the lane takes messages now.
    pub(crate) fn has(&self, lane: &Lane, now: Timestamp, may: impl Fn(&Gateway) -> bool) -> bool {
        let takes = |gateway: &Arc<Gateway>| {
            may(gateway) && !matches!(self.admission(gateway, lane, now), Admission::Wait(_))
        };
        self.gateways.of(lane.channel()).any(takes)
    }

    pub(crate) fn health(&self, now: Timestamp) -> Vec<GatewayHealth> {
        let health = |((gateway, lane), peer): (&(Slug, Lane), &Peer)| GatewayHealth {
            gateway: gateway.clone(),
            lane: lane.clone(),
            state: peer.state(now),
            in_flight: peer.in_flight,
        };
        let mut all: Vec<_> = self.peers.iter().map(health).collect();
        all.sort_by(|a, b| (&a.gateway, &a.lane).cmp(&(&b.gateway, &b.lane)));
        all
    }

    /// How many deliveries may be leased.
    fn capacity(&self, lane: &Lane) -> u32 {
        self.concurrency(lane).saturating_mul(AHEAD)
    }

    /// How many may be under way.
    fn concurrency(&self, lane: &Lane) -> u32 {
        let limits = self
            .gateways
            .of(lane.channel())
            .map(|gateway| gateway.limits.concurrency);
        limits.max().unwrap_or(1).max(1)
    }

    /// How many go through the gate: as many as may be under way, or all that are leased where they
    /// are to be collected into batches.
    fn width(&self, lane: &Lane) -> u32 {
        let mut gateways = self.gateways.of(lane.channel());
        if gateways.any(|gateway| gateway.channel.capabilities().batch > 1) {
            return self.capacity(lane);
        }
        self.concurrency(lane)
    }

    fn admission(&self, gateway: &Gateway, lane: &Lane, now: Timestamp) -> Admission {
        let peer = self.peers.get(&(gateway.name.clone(), lane.clone()));
        peer.map_or(Admission::Any, |peer| peer.admission(now))
    }

    fn room(&self, lane: &Lane, now: Timestamp) -> Room {
        let in_flight = self.states.get(lane).map_or(0, |state| state.in_flight);
        let Some(free) = NonZeroU32::new(self.capacity(lane).saturating_sub(in_flight)) else {
            return Room::Full;
        };
        let mut best: Option<NonZeroU32> = None;
        let mut earliest: Option<Timestamp> = None;
        let mut any = false;
        for gateway in self.gateways.of(lane.channel()) {
            any = true;
            let rate = self.rates.get(&gateway.name);
            let allowed = rate.map_or(Ok(u32::MAX), |rate| rate.available(now));
            let slots = match (self.admission(gateway, lane, now), allowed) {
                (Admission::Any, Ok(allowed)) => NonZeroU32::new(free.get().min(allowed)),
                (Admission::One, Ok(_)) => Some(NonZeroU32::MIN),
                (Admission::Wait(until), _) | (_, Err(until)) => {
                    earliest = Some(earliest.map_or(until, |earliest| earliest.min(until)));
                    None
                }
            };
            best = best.max(slots);
        }
        match (best, earliest) {
            (Some(slots), _) => Room::Slots(slots),
            (None, Some(until)) => Room::Closed(until),
            // Deliveries of a channel without a gateway are claimed all the same, one at a time, so
            // that they end in a visible state.
            (None, None) if !any => Room::Slots(NonZeroU32::MIN),
            (None, None) => Room::Full,
        }
    }

    /// Which gateways were found to take nothing, and until when.
    pub(crate) fn closed(&self, now: Timestamp) -> Vec<ClosedLane> {
        let closed = self.peers.iter().filter_map(|((gateway, lane), peer)| {
            let until = peer.found_until()?;
            (until > now).then(|| ClosedLane {
                gateway: gateway.clone(),
                lane: lane.clone(),
                until,
            })
        });
        // In one order, so that equal findings are equal lists.
        let mut closed: Vec<_> = closed.collect();
        closed.sort();
        closed
    }

    /// Takes over what other nodes have found out, and this one's share of what all may send.
    pub(crate) fn learn(&mut self, nodes: &Nodes, now: Timestamp) {
        for rate in self.rates.values_mut() {
            rate.share(nodes.count.get());
        }
        for closed in nodes.closed.iter().filter(|closed| closed.until > now) {
            if self.gateways.get(&closed.gateway).is_none() {
                continue;
            }
            let key = (closed.gateway.clone(), closed.lane.clone());
            self.peers.entry(key).or_default().told_until = closed.until;
        }
    }

    /// Drops lanes and peers that remember nothing that matters.
    fn forget(&mut self, now: Timestamp) {
        self.states
            .retain(|_, lane| lane.in_flight > 0 || lane.backlog);
        self.peers.retain(|_, peer| peer.matters(now));
    }
}
