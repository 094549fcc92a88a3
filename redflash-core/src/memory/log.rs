//! The log of notifications in memory: filtered, and counted.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use super::State;
use crate::clock::Timestamp;
use crate::model::NotificationId;
use crate::store::{LogFilter, LogPage, OutcomeCount, Recent};

impl State {
    pub(super) fn log(&self, filter: &LogFilter) -> LogPage {
        let indexed = LogFilter {
            state: filter.state.filter(|state| !LogFilter::is_usual(*state)),
            channel: None,
            gateway: None,
            target: None,
            text: None,
            ..filter.clone()
        };
        let newest_first = self.notifications.values().rev();
        let all = newest_first.map(|logged| {
            let rows = logged
                .deliveries
                .iter()
                .map(|id| self.deliveries[id].entry.delivery.clone());
            (logged.notification.clone(), rows.collect::<Vec<_>>())
        });
        let most = if filter.needs_scan() {
            LogFilter::LOOKED_THROUGH as usize
        } else {
            usize::MAX
        };
        let mut page = LogPage::default();
        let candidates =
            all.filter(|(notification, deliveries)| indexed.lets(notification, deliveries));
        for (position, (notification, deliveries)) in candidates.enumerate() {
            if page.entries.len() == filter.limit.get() as usize || position == most {
                return page;
            }
            page.next = Some(notification.id);
            if filter.lets(&notification, &deliveries) {
                page.entries.push((notification, deliveries));
            }
        }
        page.next = None;
        page
    }

    pub(super) fn recent(&self, since: Timestamp, step: Duration) -> Recent {
        let most = Recent::COUNTED as usize;
        let first = NotificationId::first_at(since);
        let mut rows: Vec<_> = self.deliveries.values().collect();
        rows.retain(|row| row.entry.delivery.notification >= first);
        rows.sort_by_key(|row| Reverse(row.entry.delivery.id));
        let attempts = rows.iter().flat_map(|row| row.attempts.iter().rev());
        let mut recent = Recent {
            cut: rows.len() > most || attempts.clone().count() > most,
            ..Recent::default()
        };
        for row in rows.iter().take(most) {
            *recent.states.entry(row.entry.delivery.state).or_default() += 1;
        }
        let mut counts = BTreeMap::<_, u64>::new();
        for attempt in attempts.take(most) {
            let at = attempt.ended_at.floor(step);
            *counts
                .entry((at, attempt.gateway.clone(), attempt.outcome))
                .or_default() += 1;
        }
        recent.outcomes = counts
            .into_iter()
            .map(|((at, gateway, outcome), count)| OutcomeCount {
                gateway,
                at,
                outcome,
                count,
            })
            .collect();
        recent
    }
}
