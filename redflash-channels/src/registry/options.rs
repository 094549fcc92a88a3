//! The options that every gateway has in addition to those of its type.

use std::sync::Arc;
use std::time::Duration;

use redflash_core::delivery::RetrySchedule;
use redflash_core::gateway::{Budget, Channel, Gateway, Limits, OnUnknown};
use redflash_core::model::{ChannelKind, Slug};
use serde::Deserialize;

use crate::ConfigError;
use crate::registry::deadline;
use crate::registry::settings::{Settings, read};
use crate::text::duration;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct GatewayOptions {
    concurrency: Option<u32>,
    per_second: Option<f64>,
    retry: Option<Vec<Wait>>,
    give_up_after: Option<Wait>,
    prefixes: Vec<String>,
    senders: Vec<String>,
    budget: BudgetTable,
    on_unknown: OnUnknown,
    receipt_timeout: Option<Wait>,
    #[serde(skip)]
    deadline: Option<Duration>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct BudgetTable {
    per_hour: Option<u32>,
    per_day: Option<u32>,
    address_per_hour: Option<u32>,
    address_per_day: Option<u32>,
    alarm_percent: Option<u32>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
struct Wait(#[serde(with = "duration")] Duration);

/// The keys that every gateway's table may hold in addition to its name, type and callback secrets.
pub const COMMON_KEYS: &[&str] = &[
    "concurrency",
    "per_second",
    "retry",
    "give_up_after",
    "prefixes",
    "senders",
    "budget",
    "on_unknown",
    "receipt_timeout",
];

impl GatewayOptions {
    /// Takes the keys out of the table of a gateway of this type.
    pub(crate) fn take(settings: &mut Settings, type_name: &str) -> Result<Self, ConfigError> {
        let keys = COMMON_KEYS
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), settings.remove(*key)?)));
        let options: Self = read(keys.collect())?;
        Ok(Self {
            deadline: deadline::of(settings, type_name),
            ..options
        })
    }

    /// Returns the prefixes of the addresses that the gateway is used for.
    pub(crate) fn prefixes(&self) -> &[String] {
        &self.prefixes
    }

    /// Creates the gateway of a channel.
    pub(crate) fn gateway(
        self,
        name: Slug,
        type_name: &str,
        channel: Arc<dyn Channel>,
        default_schedule: RetrySchedule,
    ) -> Result<Gateway, ConfigError> {
        self.check(&*channel)?;
        Ok(Gateway {
            name,
            type_name: type_name.to_owned(),
            limits: self.limits()?,
            schedule: self.schedule(default_schedule),
            budget: self.budget.budget()?,
            on_unknown: self.on_unknown,
            receipt_timeout: self.receipt_timeout.map(|wait| wait.0),
            prefixes: self.prefixes,
            senders: self.senders,
            channel,
        })
    }

    /// Checks the options against the capabilities of the channel.
    fn check(&self, channel: &dyn Channel) -> Result<(), ConfigError> {
        let is_sms = channel.kind() == ChannelKind::sms();
        for (index, prefix) in self.prefixes.iter().enumerate() {
            let digits = prefix.strip_prefix('+').unwrap_or_default();
            let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            if prefix.is_empty() || (is_sms && !is_number) {
                let reason = "it must be a prefix of addresses, such as \"+44\"";
                return Err(ConfigError::at(format!("prefixes[{index}]"), reason));
            }
        }
        for (index, sender) in self.senders.iter().enumerate() {
            channel
                .check_sender(sender)
                .map_err(|error| ConfigError::at(format!("senders[{index}]"), error.to_string()))?;
        }
        if self.receipt_timeout.is_some() && !channel.capabilities().receipts {
            let reason = "gateways of this type do not send receipts";
            return Err(ConfigError::at("receipt_timeout", reason));
        }
        Ok(())
    }

    fn limits(&self) -> Result<Limits, ConfigError> {
        let mut limits = Limits::default();
        if let Some(deadline) = self.deadline {
            limits.deadline = deadline;
        }
        if let Some(concurrency) = self.concurrency {
            if !(1..=1000).contains(&concurrency) {
                return Err(ConfigError::at("concurrency", "it must be from 1 to 1000"));
            }
            limits.concurrency = concurrency;
        }
        if let Some(rate) = self.per_second {
            if !rate.is_finite() || !(0.001..=100_000.0).contains(&rate) {
                let reason = "it must be from 0.001 to 100000";
                return Err(ConfigError::at("per_second", reason));
            }
            limits.per_second = Some(rate);
        }
        Ok(limits)
    }

    fn schedule(&self, default_schedule: RetrySchedule) -> RetrySchedule {
        let give_up_after = self.give_up_after.map(|wait| wait.0);
        let give_up_after = give_up_after.unwrap_or_else(|| default_schedule.give_up_after());
        match &self.retry {
            Some(waits) => {
                RetrySchedule::new(waits.iter().map(|wait| wait.0).collect(), give_up_after)
            }
            None => default_schedule.giving_up_after(give_up_after),
        }
    }
}

impl BudgetTable {
    fn budget(&self) -> Result<Budget, ConfigError> {
        let counts = [
            ("per_hour", self.per_hour),
            ("per_day", self.per_day),
            ("address_per_hour", self.address_per_hour),
            ("address_per_day", self.address_per_day),
        ];
        for (key, count) in counts {
            if count.is_some_and(|count| !(1..=1_000_000_000).contains(&count)) {
                let reason = "it must be from 1 to 1000000000";
                return Err(ConfigError::at(format!("budget.{key}"), reason));
            }
        }
        let mut budget = Budget {
            per_hour: self.per_hour,
            per_day: self.per_day,
            address_per_hour: self.address_per_hour,
            address_per_day: self.address_per_day,
            ..Budget::default()
        };
        if let Some(percent) = self.alarm_percent {
            if !(1..=100).contains(&percent) {
                let reason = "it must be from 1 to 100";
                return Err(ConfigError::at("budget.alarm_percent", reason));
            }
            budget.alarm_percent = percent;
        }
        Ok(budget)
    }
}
