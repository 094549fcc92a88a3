//! Budgets of gateways: limits that keep a mistake from costing a fortune or from flooding a
//! recipient.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{Address, Slug};
use crate::store::{Allowance, Window};

/// The limits of one gateway. Messages beyond them are suppressed, and the log says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The maximum number of messages per hour.
    pub per_hour: Option<u32>,
    /// The maximum number of messages per day.
    pub per_day: Option<u32>,
    /// The maximum number of messages to one address per hour.
    pub address_per_hour: Option<u32>,
    /// The maximum number of messages to one address per day.
    pub address_per_day: Option<u32>,
    /// Share of the gateway's limit at which an alarm is raised, in percent.
    pub alarm_percent: u32,
}

/// Formats the limits, such as `100 an hour, 5 a day to one address`; empty if there are none.
impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bounds = [
            (self.per_hour, "an hour"),
            (self.per_day, "a day"),
            (self.address_per_hour, "an hour to one address"),
            (self.address_per_day, "a day to one address"),
        ];
        let bounds = bounds.into_iter();
        let bounds = bounds.filter_map(|(bound, each)| Some(format!("{} {each}", bound?)));
        f.pad(&bounds.collect::<Vec<_>>().join(", "))
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            per_hour: None,
            per_day: None,
            address_per_hour: None,
            address_per_day: None,
            alarm_percent: 80,
        }
    }
}

impl Budget {
    /// Returns the allowances that one message uses, those of the gateway first.
    pub(crate) fn allowances(&self, gateway: &Slug, to: &Address) -> Vec<Allowance> {
        let bounds = [
            self.per_hour,
            self.per_day,
            self.address_per_hour,
            self.address_per_day,
        ];
        if bounds == [None; 4] {
            return Vec::new();
        }
        let allowance = |meter: &str, window, limit: Option<u32>| {
            Some(Allowance {
                meter: meter.to_owned(),
                window,
                limit: limit?,
            })
        };
        let of_gateway = Self::meter(gateway);
        let of_address = format!("gateway/{gateway}/{to}");
        [
            allowance(&of_gateway, Window::Hour, self.per_hour),
            allowance(&of_gateway, Window::Day, self.per_day),
            allowance(&of_address, Window::Hour, self.address_per_hour),
            allowance(&of_address, Window::Day, self.address_per_day),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Returns the meter of all messages through a gateway.
    pub(crate) fn meter(gateway: &Slug) -> String {
        format!("gateway/{gateway}")
    }

    /// Returns the count at which an alarm is raised for a limit.
    pub(crate) fn alarm_at(&self, limit: u32) -> u32 {
        let at = u64::from(limit) * u64::from(self.alarm_percent) / 100;
        u32::try_from(at).unwrap_or(limit).clamp(1, limit.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raises_an_alarm_before_the_limit() {
        let budget = Budget::default();
        assert_eq!(budget.alarm_at(100), 80);
        assert_eq!(budget.alarm_at(1), 1);
        assert_eq!(budget.alarm_at(u32::MAX), 3_435_973_836);
    }

    #[test]
    fn counts_against_gateway_and_address() {
        let budget = Budget {
            per_day: Some(5),
            address_per_hour: Some(2),
            ..Budget::default()
        };
        let gateway = "a".parse().unwrap();
        let to = Address::new("+447700900001").unwrap();
        let all = budget.allowances(&gateway, &to);
        let all: Vec<_> = all.iter().map(|a| (&*a.meter, a.window, a.limit)).collect();
        assert_eq!(
            all,
            [
                ("gateway/a", Window::Day, 5),
                ("gateway/a/+447700900001", Window::Hour, 2)
            ]
        );
    }
}
