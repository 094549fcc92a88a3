//! Lanes: who may be handed what, how much at once, and whose turn it is.

mod paused_address;
mod rate;
pub(super) mod wait;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::dispatcher::gateway_health::GatewayHealth;
use crate::dispatcher::gateway_health::breaker::Admission;
use crate::dispatcher::gateway_health::upstream::{Peer, Verdict};
use crate::dispatcher::lane::paused_address::PausedAddresses;
use crate::dispatcher::lane::rate::Rate;
use crate::dispatcher::lane::wait::{Cause, Wait};
use crate::store::{ClaimRequest, ClosedLane, DueQueue, Nodes};
use crate::{Address, Gateway, Gateways, Lane, Moment, Monotonic, OnUnknown, Slug};

/// How long a delivery waits before its channel is looked for again, when no gateway serves it.
const NONE_CONFIGURED: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);
/// How many deliveries are leased for each that may be under way, so that no gateway waits for the
/// next claim. Leases are renewed meanwhile.
const AHEAD: u32 = 4;

/// Time after a crash in which nothing is leased ahead. A delivery that crashes the program is found out
/// by it, and none that only waited for its turn is blamed.
const CAUTION: Duration = Duration::from_secs(600);

/// The state of every lane and of every gateway within it.
#[derive(Debug)]
pub(crate) struct Lanes {
    gateways: Gateways,
    states: HashMap<Lane, LaneState>,
    peers: HashMap<(Slug, Lane), Peer>,
    rates: HashMap<Slug, Rate>,
    paused: PausedAddresses,
    /// Nothing is leased ahead before this time.
    cautious_until: Option<Monotonic>,
}

#[derive(Debug, Default)]
struct LaneState {
    /// Leased deliveries: under way, or waiting at the gate.
    in_flight: u32,
    /// Lets through as many as may be under way.
    gate: Option<Gate>,
    /// Something that is due waits in the store: what comes now has to wait behind it.
    backlog: bool,
    turns: usize,
}

/// Limit on the deliveries of a lane that are under way.
#[derive(Debug)]
struct Gate {
    permits: Arc<Semaphore>,
    width: usize,
}

impl Gate {
    fn new(width: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(width)),
            width,
        }
    }

    /// Lets more through, or fewer as far as permits are free: those in use come back.
    fn resize(&mut self, width: usize) {
        if let Some(more) = width.checked_sub(self.width) {
            self.permits.add_permits(more);
            self.width = width;
        } else {
            self.width -= self.permits.forget_permits(self.width - width);
        }
    }
}

/// How much of a lane is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Slots(NonZeroU32),
    /// All slots are taken; one that becomes free wakes the dispatcher.
    Full,
    /// No gateway takes anything before this time.
    Closed(Monotonic),
}

/// Through which gateway a delivery goes.
#[derive(Clone, Debug)]
pub(crate) enum Choice {
    /// This one, and what its request has to go through; it counts as under way until
    /// [`Lanes::end`].
    Gateway(Arc<Gateway>, Arc<Semaphore>),
    /// None for now.
    Wait(Wait),
    /// No gateway of the channel is left for this address.
    Nobody,
}

impl Lanes {
    pub(crate) fn new(gateways: Gateways) -> Self {
        let mut lanes = Self {
            gateways: Gateways::default(),
            states: HashMap::new(),
            peers: HashMap::new(),
            rates: HashMap::new(),
            paused: PausedAddresses::default(),
            cautious_until: None,
        };
        lanes.replace_gateways(gateways);
        lanes
    }

    /// Takes other gateways. One that keeps its name keeps its breaker and, with the same bound, what
    /// it has used up of its rate; a bound that changed counts from now on.
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
        for ((name, _), peer) in &mut self.peers {
            match self.gateways.get(name) {
                Some(gateway) => peer.widen(&gateway.limits),
                None => peer.retire(),
            }
        }
        let lanes: Vec<_> = self.states.keys().cloned().collect();
        for lane in lanes {
            let width = self.width(&lane) as usize;
            if let Some(gate) = self
                .states
                .get_mut(&lane)
                .and_then(|state| state.gate.as_mut())
            {
                gate.resize(width);
            }
        }
    }

    /// How many slots of a lane are free for what comes now: none while something waits in it.
    pub(crate) fn free(&self, lane: &Lane, now: Monotonic) -> u32 {
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
        let gate = state.gate.get_or_insert_with(|| Gate::new(width));
        Arc::clone(&gate.permits)
    }

    /// Lets nothing more through: what waits at a gate is given back.
    pub(crate) fn close(&self) {
        for state in self.states.values() {
            if let Some(gate) = &state.gate {
                gate.permits.close();
            }
        }
    }

    /// Leases no more than may be under way for some time: the process before this one has crashed.
    pub(crate) fn lease_nothing_ahead(&mut self, now: Monotonic) {
        self.cautious_until = Some(now.plus(CAUTION));
    }

    /// Lets things through again.
    pub(crate) fn open(&mut self) {
        for state in self.states.values_mut() {
            state.gate = None;
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
        let mut wants = Vec::new();
        for (lane, queues) in by_lane {
            match self.room(lane, now) {
                Room::Slots(free) => wants.extend(self.turns(lane, &queues, free.get())),
                Room::Full => {}
                Room::Closed(until) => at(until),
            }
        }
        self.forget(now);
        if self.cautious_until.is_some_and(|until| until <= now) {
            self.cautious_until = None;
        }
        (wants, next)
    }

    /// Deals `free` slots out to the queues of a lane, starting where the last deal ended.
    fn turns(&mut self, lane: &Lane, queues: &[&DueQueue], free: u32) -> Vec<ClaimRequest> {
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

    /// Chooses the first gateway of the lane that takes messages to this address now.
    ///
    /// * `may` - whether a gateway comes into question for the message.
    pub(crate) fn choose(
        &mut self,
        lane: &Lane,
        to: &Address,
        now: Monotonic,
        may: impl Fn(&Gateway) -> bool,
    ) -> Choice {
        let gateways: Vec<_> = self.gateways.of(lane.channel()).cloned().collect();
        let mut waits = Vec::new();
        for gateway in gateways.iter().filter(|gateway| may(gateway)) {
            match self.begin(gateway, lane, to, now) {
                Ok(requests) => return Choice::Gateway(Arc::clone(gateway), requests),
                Err(wait) => waits.push(wait),
            }
        }
        match Wait::earliest(waits) {
            Some(wait) => Choice::Wait(wait),
            None if gateways.is_empty() => Choice::Wait(Wait {
                until: now.plus(NONE_CONFIGURED),
                cause: Cause::NoneConfigured,
                closed_since: None,
            }),
            None => Choice::Nobody,
        }
    }

    /// Begins a hand-over to a gateway, or says what has to be waited for.
    fn begin(
        &mut self,
        gateway: &Gateway,
        lane: &Lane,
        to: &Address,
        now: Monotonic,
    ) -> Result<Arc<Semaphore>, Wait> {
        let name = &gateway.name;
        let peer = self.peers.entry((name.clone(), lane.clone())).or_default();
        if let Admission::Wait(until) = peer.admission(now) {
            return Err(Wait {
                until,
                cause: Cause::Closed(name.clone(), peer.last_error().map(str::to_owned)),
                closed_since: peer.closed_since(now),
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
        Ok(peer.begin(&gateway.limits))
    }

    /// The lanes in which no gateway takes messages, each with the reason and since when.
    pub(crate) fn closed_lanes(&self, now: Monotonic) -> Vec<(Lane, Wait)> {
        let lanes: BTreeSet<_> = self.peers.keys().map(|(_, lane)| lane).collect();
        let closed = lanes.into_iter();
        closed
            .filter_map(|lane| Some((lane.clone(), self.closed_lane(lane, now)?)))
            .collect()
    }

    /// Returns why and since when no gateway takes messages in a lane; `None` if one does.
    pub(crate) fn closed_lane(&self, lane: &Lane, now: Monotonic) -> Option<Wait> {
        let wait = |gateway: &Arc<Gateway>| {
            let peer = self.peers.get(&(gateway.name.clone(), lane.clone()))?;
            let error = peer.last_error().map(str::to_owned);
            let until = match peer.admission(now) {
                Admission::Wait(until) => until,
                Admission::Any | Admission::One => now,
            };
            Some(Wait {
                until,
                cause: Cause::Closed(gateway.name.clone(), error),
                closed_since: Some(peer.closed_since(now)?),
            })
        };
        let waits: Option<Vec<_>> = self.gateways.of(lane.channel()).map(wait).collect();
        Wait::earliest(waits?)
    }

    /// Ends what [`choose`](Self::choose) began. Returns the time of the next try if the gateway has
    /// stopped by it.
    pub(crate) fn end(
        &mut self,
        gateway: &Slug,
        lane: &Lane,
        verdict: Verdict,
        error: Option<&str>,
        now: Monotonic,
    ) -> Option<Monotonic> {
        let peer = self.peers.get_mut(&(gateway.clone(), lane.clone()))?;
        peer.end(verdict, error, now)
    }

    /// Hands nothing for this address to this gateway before `until`.
    pub(crate) fn pause_address(
        &mut self,
        gateway: &Slug,
        to: &Address,
        until: Monotonic,
        now: Monotonic,
    ) {
        self.paused.pause(gateway, to, until, now);
    }

    /// Whether one of these gateways of the lane takes messages now.
    pub(crate) fn has(&self, lane: &Lane, now: Monotonic, may: impl Fn(&Gateway) -> bool) -> bool {
        let takes = |gateway: &Arc<Gateway>| {
            may(gateway) && !matches!(self.admission(gateway, lane, now), Admission::Wait(_))
        };
        self.gateways.of(lane.channel()).any(takes)
    }

    pub(crate) fn health(&self, now: Moment) -> Vec<GatewayHealth> {
        let health =
            |((gateway, lane), peer): (&(Slug, Lane), &Peer)| peer.health(gateway, lane, now);
        let mut all: Vec<_> = self.peers.iter().map(health).collect();
        all.sort_by(|a, b| (&a.gateway, &a.lane).cmp(&(&b.gateway, &b.lane)));
        all
    }

    /// How many deliveries may be leased.
    fn capacity(&self, lane: &Lane) -> u32 {
        let concurrency = self.concurrency(lane);
        if self.leases_ahead(lane) {
            concurrency.saturating_mul(AHEAD)
        } else {
            concurrency
        }
    }

    /// Returns true if more is leased than may be under way. What is leased when the program crashes may
    /// have gone out for all that anybody knows, so nothing is where that would set it aside. Batches
    /// are collected from what is leased.
    fn leases_ahead(&self, lane: &Lane) -> bool {
        let holds = |gateway: &Arc<Gateway>| gateway.on_unknown == OnUnknown::Hold;
        let collects = |gateway: &Arc<Gateway>| gateway.channel.capabilities().batch > 1;
        let gateways = || self.gateways.of(lane.channel());
        gateways().any(collects) || self.cautious_until.is_none() && !gateways().any(holds)
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

    fn admission(&self, gateway: &Gateway, lane: &Lane, now: Monotonic) -> Admission {
        let peer = self.peers.get(&(gateway.name.clone(), lane.clone()));
        peer.map_or(Admission::Any, |peer| peer.admission(now))
    }

    fn room(&self, lane: &Lane, now: Monotonic) -> Room {
        let in_flight = self.states.get(lane).map_or(0, |state| state.in_flight);
        let Some(free) = NonZeroU32::new(self.capacity(lane).saturating_sub(in_flight)) else {
            return Room::Full;
        };
        let mut best: Option<NonZeroU32> = None;
        let mut earliest: Option<Monotonic> = None;
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
    pub(crate) fn closed(&self, now: Moment) -> Vec<ClosedLane> {
        let closed = self.peers.iter().filter_map(|((gateway, lane), peer)| {
            let until = peer.found_until()?;
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

    /// Takes over what other nodes have found out, and this one's share of what all may send.
    pub(crate) fn learn(&mut self, nodes: &Nodes, now: Moment) {
        for rate in self.rates.values_mut() {
            rate.share(nodes.count.get());
        }
        for closed in nodes.closed.iter().filter(|closed| closed.until > now.wall) {
            if self.gateways.get(&closed.gateway).is_none() {
                continue;
            }
            let key = (closed.gateway.clone(), closed.lane.clone());
            let peer = self.peers.entry(key).or_default();
            peer.learn(now.monotonic_at(closed.until), now.monotonic);
        }
    }

    /// Drops lanes and peers that remember nothing that matters.
    fn forget(&mut self, now: Monotonic) {
        self.states
            .retain(|_, lane| lane.in_flight > 0 || lane.backlog);
        self.peers.retain(|_, peer| peer.matters(now));
        self.paused.forget(now);
    }
}
