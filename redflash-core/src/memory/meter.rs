//! Meters and alarms in memory.

use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::clock::Timestamp;
use crate::store::{Alarm, Allowance, Meter, Spent, StoreError};

#[async_trait]
impl Meter for MemoryStore {
    async fn spend(&self, allowances: &[Allowance], now: Timestamp) -> Result<Spent, StoreError> {
        let mut state = self.state();
        let used_up = allowances
            .iter()
            .position(|allowance| *state.meter(allowance, now) >= allowance.limit);
        if let Some(position) = used_up {
            return Ok(Spent::UsedUp(position));
        }
        let count = |allowance: &Allowance| {
            let count = state.meter(allowance, now);
            *count += 1;
            *count
        };
        Ok(Spent::Counted(allowances.iter().map(count).collect()))
    }

    async fn refund(&self, allowances: &[Allowance], at: Timestamp) -> Result<(), StoreError> {
        let mut state = self.state();
        for allowance in allowances {
            let key = (allowance.meter.clone(), allowance.window);
            let starts_at = allowance.window.start(at);
            if let Some((began, count)) = state.meters.get_mut(&key)
                && *began == starts_at
            {
                *count = count.saturating_sub(1);
            }
        }
        Ok(())
    }

    async fn used(&self, allowances: &[Allowance], now: Timestamp) -> Result<Vec<u32>, StoreError> {
        let mut state = self.state();
        let used = allowances.iter().map(|one| *state.meter(one, now));
        Ok(used.collect())
    }

    async fn start_alarm(&self, alarm: &Alarm) -> Result<bool, StoreError> {
        let mut state = self.state();
        if let Some(known) = state.alarms.get_mut(&alarm.subject) {
            known.next_try_at = alarm.next_try_at;
            return Ok(false);
        }
        state.alarms.insert(alarm.subject.clone(), alarm.clone());
        Ok(true)
    }

    async fn end_alarm(&self, subject: &str) -> Result<bool, StoreError> {
        Ok(self.state().alarms.remove(subject).is_some())
    }

    async fn alarms(&self) -> Result<Vec<Alarm>, StoreError> {
        Ok(self.state().alarms.values().cloned().collect())
    }
}

impl State {
    /// Returns the count of the window that contains this moment.
    fn meter(&mut self, allowance: &Allowance, now: Timestamp) -> &mut u32 {
        let key = (allowance.meter.clone(), allowance.window);
        let starts_at = allowance.window.start(now);
        let (began, count) = self.meters.entry(key).or_insert((starts_at, 0));
        if *began != starts_at {
            (*began, *count) = (starts_at, 0);
        }
        count
    }
}
