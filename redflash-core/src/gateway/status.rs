//! The state of a gateway as a whole, derived from its lanes, its alarms and the queue.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::delivery::Lane;
use crate::gateway::{Gateway, GatewayHealth, GatewayState};
use crate::model::Slug;
use crate::store::Alarm;

/// State of a gateway, and the reason if it gets no messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayStatus {
    /// State of the gateway as a whole. A single host of many that takes nothing does not affect it.
    pub state: GatewayState,
    /// Start of that state; `None` while it is `ok`.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// The failure that keeps messages from it, or the reason why it refuses some of them.
    #[serde(default)]
    pub last_error: Option<String>,
    /// Time of the next hand-over, if known.
    #[serde(default)]
    pub next_try_at: Option<Timestamp>,
    /// Number of deliveries queued on its channel.
    #[serde(default)]
    pub waiting: u64,
}

/// The states of all gateways at one time.
#[derive(Clone, Debug, Default)]
pub struct GatewayStatuses {
    pub(crate) alarms: Vec<Alarm>,
    pub(crate) health: Vec<GatewayHealth>,
    pub(crate) waiting: Vec<(Lane, u64)>,
}

impl GatewayStatuses {
    /// Returns the status of a gateway.
    pub fn of(&self, gateway: &Gateway) -> GatewayStatus {
        let kind = gateway.channel.kind();
        let lanes = self.waiting.iter();
        let ours = lanes.filter(|(lane, _)| lane.channel() == kind.as_str());
        GatewayStatus {
            waiting: ours.map(|(_, count)| count).sum(),
            ..self.without_waiting(&gateway.name)
        }
    }

    /// Returns the state of a gateway in each lane in which it was used lately, closed lanes first.
    pub fn lanes(&self, gateway: &Slug) -> Vec<GatewayHealth> {
        let mut lanes: Vec<_> = self.of_lanes(gateway).cloned().collect();
        lanes.sort_by(|a, b| (b.state, &a.lane).cmp(&(a.state, &b.lane)));
        lanes
    }

    fn without_waiting(&self, gateway: &Slug) -> GatewayStatus {
        let closed = || {
            self.of_lanes(gateway)
                .filter(|lane| lane.state != GatewayState::Ok)
        };
        let worst = closed().max_by_key(|lane| lane.state);
        let last_error = worst.and_then(|lane| lane.last_error.clone());
        let next_try_at = closed().filter_map(|lane| lane.next_try_at).min();
        if let Some(alarm) = self.alarm(&crate::dispatcher::subject(gateway)) {
            // The lanes know better, also that a message is under way.
            let is_known = closed().next().is_some();
            let next_try_at = next_try_at.or(alarm.next_try_at.filter(|_| !is_known));
            return GatewayStatus {
                state: GatewayState::Stopped,
                since: Some(alarm.since),
                last_error: last_error.or_else(|| Some(alarm.reason.clone())),
                next_try_at,
                waiting: 0,
            };
        }
        let is_closed = closed().count() == self.of_lanes(gateway).count();
        match worst.filter(|_| is_closed) {
            Some(worst) => GatewayStatus {
                state: worst.state,
                since: closed().filter_map(|lane| lane.since).min(),
                last_error,
                next_try_at,
                waiting: 0,
            },
            None => GatewayStatus {
                last_error: self
                    .alarm(&crate::dispatcher::refusal_subject(gateway))
                    .map(|alarm| format!("refuses some messages: {}", alarm.reason)),
                ..GatewayStatus::default()
            },
        }
    }

    fn of_lanes<'a>(&'a self, gateway: &'a Slug) -> impl Iterator<Item = &'a GatewayHealth> {
        self.health
            .iter()
            .filter(move |one| one.gateway == *gateway)
    }

    fn alarm(&self, subject: &str) -> Option<&Alarm> {
        self.alarms.iter().find(|alarm| alarm.subject == subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug() -> Slug {
        Slug::parse("hook").unwrap()
    }

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn lane(host: &str, state: GatewayState) -> GatewayHealth {
        let is_ok = state == GatewayState::Ok;
        GatewayHealth {
            gateway: slug(),
            lane: Lane::stored(format!("webhook:{host}")),
            host: Some(host.into()),
            state,
            since: (!is_ok).then_some(at(5)),
            last_error: (!is_ok).then(|| "no route to host".into()),
            next_try_at: (!is_ok).then_some(at(60)),
            in_flight: 0,
        }
    }

    fn status(health: &[GatewayHealth], alarm: Option<&str>) -> GatewayStatus {
        let alarm = alarm.map(|subject| Alarm {
            subject: subject.into(),
            since: at(3),
            reason: "wrong password".into(),
            next_try_at: Some(at(90)),
        });
        let statuses = GatewayStatuses {
            alarms: alarm.into_iter().collect(),
            health: health.to_vec(),
            waiting: Vec::new(),
        };
        statuses.without_waiting(&slug())
    }

    #[test]
    fn derives_state_from_lanes_and_alarms() {
        use GatewayState::{Ok, Paused, Probing, Stopped};
        for (states, alarm, expected) in [
            (&[][..], None, Ok),
            (&[Ok, Stopped], None, Ok),
            (&[Stopped], None, Stopped),
            (&[Paused, Probing], None, Paused),
            (&[Probing], None, Probing),
            (&[Ok], Some("gateway/hook"), Stopped),
            (&[Ok], Some("gateway/other"), Ok),
            (&[Ok], Some("refusal/hook"), Ok),
        ] {
            let lanes: Vec<_> = states.iter().map(|state| lane("a", *state)).collect();
            assert_eq!(
                status(&lanes, alarm).state,
                expected,
                "{states:?} {alarm:?}"
            );
        }
    }

    #[test]
    fn stopped_gateway_has_reason_start_and_next_try() {
        let shown = status(&[lane("a", GatewayState::Stopped)], None);
        assert_eq!(shown.last_error.as_deref(), Some("no route to host"));
        assert_eq!(
            (shown.since, shown.next_try_at),
            (Some(at(5)), Some(at(60)))
        );
        // If only the store is known, its alarm is shown.
        let shown = status(&[], Some("gateway/hook"));
        assert_eq!(shown.last_error.as_deref(), Some("wrong password"));
        assert_eq!(
            (shown.since, shown.next_try_at),
            (Some(at(3)), Some(at(90)))
        );
        let shown = status(&[lane("a", GatewayState::Stopped)], Some("gateway/hook"));
        assert_eq!(shown.next_try_at, Some(at(60)));
        let shown = status(&[], Some("refusal/hook"));
        assert_eq!(
            shown.last_error.as_deref(),
            Some("refuses some messages: wrong password")
        );
    }
}
