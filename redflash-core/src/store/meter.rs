//! Meters, which count against budgets, and open alarms.

use async_trait::async_trait;

use super::{StoreError, Window};
use crate::clock::Timestamp;

/// The limit of one meter in a window of time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Allowance {
    /// Meter, such as `gateway/vonage-uk`.
    pub meter: String,
    /// Window.
    pub window: Window,
    /// The maximum count.
    pub limit: u32,
}

/// The result of counting one more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spent {
    /// Counted: the present count of each allowance, in their order.
    Counted(Vec<u32>),
    /// Not counted: the allowance at this index is used up.
    UsedUp(usize),
}

/// An open alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// The subject, such as `gateway/office-mail`.
    pub subject: String,
    /// Time when it was raised.
    pub since: Timestamp,
    /// Reason, for people.
    pub reason: String,
    /// Time of the next try of the gateway that it is about, if there is one.
    pub next_try_at: Option<Timestamp>,
}

/// Meters, which count against budgets, and open alarms.
#[async_trait]
pub trait Meter: Send + Sync {
    /// Counts one more against every allowance, or against none if one is used up. Concurrent calls
    /// never exceed a limit.
    async fn spend(&self, allowances: &[Allowance], now: Timestamp) -> Result<Spent, StoreError>;

    /// Takes back what was counted at this time.
    async fn refund(&self, allowances: &[Allowance], at: Timestamp) -> Result<(), StoreError>;

    /// Returns the count of each allowance in the present window, in their order.
    async fn used(&self, allowances: &[Allowance], now: Timestamp) -> Result<Vec<u32>, StoreError>;

    /// Opens an alarm; returns false if one about its subject is open, of which then only the time
    /// of the next try changes.
    async fn start_alarm(&self, alarm: &Alarm) -> Result<bool, StoreError>;

    /// Closes the alarm about a subject; returns false if there was none.
    async fn end_alarm(&self, subject: &str) -> Result<bool, StoreError>;

    /// Returns the open alarms, ordered by subject.
    async fn alarms(&self) -> Result<Vec<Alarm>, StoreError>;
}
