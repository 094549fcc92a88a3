//! Windows of time for meters.

use std::time::Duration;

use crate::clock::Timestamp;

/// A window of a limit. Windows start on the full hour or at midnight, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Window {
    /// From one full hour to the next.
    Hour,
    /// From midnight to midnight.
    Day,
}

impl Window {
    /// Returns its length.
    pub const fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::Hour => 60 * 60,
            Self::Day => 24 * 60 * 60,
        })
    }

    /// Returns the start of the window that contains this time.
    pub fn start(self, now: Timestamp) -> Timestamp {
        let length = i64::try_from(self.length().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(now.as_millis().div_euclid(length) * length)
    }

    /// Returns the unit of a limit: `an hour`, `a day`.
    pub const fn each(self) -> &'static str {
        match self {
            Self::Hour => "an hour",
            Self::Day => "a day",
        }
    }

    /// Returns the window as text, as in a store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_start_on_the_hour_and_at_midnight() {
        // 2026-11-25 01:30:00 UTC
        let now = Timestamp::from_millis(1_795_570_200_000);
        let since = |window: Window| now.since(window.start(now));
        assert_eq!(since(Window::Hour), Duration::from_secs(30 * 60));
        assert_eq!(since(Window::Day), Duration::from_secs(90 * 60));
    }
}
