//! Counts that bound what is sent, and alarms that have been given.

use async_trait::async_trait;

use super::{StoreError, Window};
use crate::Timestamp;

/// How much may be counted by one meter in a window of time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Allowance {
    /// What is counted, such as `gateway/vonage-uk`.
    pub meter: String,
    /// In which window.
    pub window: Window,
    /// At most so much.
    pub limit: u32,
}

/// What became of counting one more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spent {
    /// It was counted: how much each allowance has used now, in their order.
    Counted(Vec<u32>),
    /// Nothing was counted: this allowance, by its place, is used up.
    UsedUp(usize),
}

/// An alarm that has been given and is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// The subject, such as `gateway/office-mail`.
    pub subject: String,
    /// When it was given.
    pub since: Timestamp,
    /// Why, for people.
    pub reason: String,
    /// When the gateway that it is about is tried again, if there is one.
    pub next_try_at: Option<Timestamp>,
}

/// Counts that bound what is sent, and alarms that have been given.
#[async_trait]
pub trait Meter: Send + Sync {
    /// Counts one more against every allowance, or against none when one is used up. Of many at once,
    /// exactly as many are counted as there is room for.
    async fn spend(&self, allowances: &[Allowance], now: Timestamp) -> Result<Spent, StoreError>;

    /// Takes back what was counted at this time.
    async fn refund(&self, allowances: &[Allowance], at: Timestamp) -> Result<(), StoreError>;

    /// Returns how much each allowance has used in the window that holds this moment, in their order.
    async fn used(&self, allowances: &[Allowance], now: Timestamp) -> Result<Vec<u32>, StoreError>;

    /// Notes that an alarm has been given; `false` when one about its subject was noted already, of
    /// which then only the time of the next try changes.
    async fn start_alarm(&self, alarm: &Alarm) -> Result<bool, StoreError>;

    /// Notes that the alarm about a subject is over; `false` when there was none.
    async fn end_alarm(&self, subject: &str) -> Result<bool, StoreError>;

    /// The alarms that have been given and are not over, by subject.
    async fn alarms(&self) -> Result<Vec<Alarm>, StoreError>;
}
