//! Delivery of messages.

use std::time::Duration;

use jiff::SignedDuration;
use redflash_channels::Configured;
use serde::Deserialize;

use super::duration;
use super::source::Source;
use crate::error::CliError;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Delivery {
    pub(crate) mode: Mode,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) sync_wait: Duration,
    pub(crate) max_queued: u64,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) lease: Duration,
    #[serde(deserialize_with = "duration::deserialize_any")]
    pub(crate) keep_log: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    Async,
    Sync,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            mode: Mode::Async,
            sync_wait: redflash_http::HttpConfig::default().sync_wait,
            max_queued: redflash_core::engine::EngineBuilder::MAX_QUEUED,
            lease: redflash_core::engine::EngineBuilder::LEASE,
            keep_log: None,
        }
    }
}

impl Delivery {
    /// Rejects values that have the right type but are out of range.
    pub(super) fn check(&self, source: &Source<'_>) -> Result<(), CliError> {
        source.check_range("delivery.max_queued", self.max_queued, 1..=1_000_000_000)
    }

    /// Rejects a lease that could end during a hand-over, so that the message is sent twice.
    pub(super) fn check_lease(
        &self,
        gateways: &[Configured],
        source: &Source<'_>,
    ) -> Result<(), CliError> {
        let gateways = gateways.iter().map(|configured| &configured.gateway);
        let Some(slowest) = gateways.max_by_key(|gateway| gateway.limits.deadline) else {
            return Ok(());
        };
        let least = slowest.shortest_lease();
        if self.lease >= least {
            return Ok(());
        }
        let least = SignedDuration::try_from(least).unwrap_or(SignedDuration::MAX);
        let reason = format!(
            "it must be at least {least:#}: a hand-over to gateway {} can take {} s (its timeout plus \
             1 s), and a lease must cover two of them plus 2 s; increase the lease or decrease the \
             gateway's timeout",
            slowest.name,
            slowest.limits.deadline.as_secs_f32()
        );
        Err(source.key("delivery.lease", &reason))
    }
}

#[cfg(test)]
mod tests {
    use super::super::load::tests::load_text;

    #[test]
    fn requires_lease_longer_than_two_hand_overs() {
        let config = |lease: &str, timeout: &str| {
            format!(
                "[delivery]\nlease = \"{lease}\"\n[[gateways]]\nname = \"quick\"\ntype = \"webhook\"\n\
                 timeout = \"1s\"\n[[gateways]]\nname = \"slow\"\ntype = \"webhook\"\n\
                 timeout = \"{timeout}\"\n"
            )
        };
        let error = load_text(&config("3s", "10s")).unwrap_err();
        for wanted in [
            "FILE, line 2: delivery.lease:",
            "gateway slow",
            "at least 24s",
        ] {
            assert!(error.contains(wanted), "{wanted}: {error}");
        }
        assert!(load_text(&config("23s", "10s")).is_err());
        load_text(&config("24s", "10s")).unwrap();
        load_text(&config("10m", "4m")).unwrap();
        let without_lease = "[[gateways]]\nname = \"a\"\ntype = \"webhook\"\ntimeout = \"2m\"";
        let error = load_text(without_lease).unwrap_err();
        assert!(
            error.contains("delivery.lease: it must be at least 4m 4s"),
            "{error}"
        );
    }
}
