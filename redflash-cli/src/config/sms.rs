//! Text messages, whichever gateway sends them.

use serde::Deserialize;

use super::source::Source;
use crate::error::CliError;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Sms {
    /// Prefixes of premium-rate numbers, which are rejected.
    pub(crate) premium_prefixes: Vec<String>,
}

impl Default for Sms {
    fn default() -> Self {
        let prefixes = redflash_core::engine::EngineBuilder::PREMIUM_PREFIXES;
        Self {
            premium_prefixes: prefixes.map(str::to_owned).to_vec(),
        }
    }
}

impl Sms {
    pub(super) fn check(&self, source: &Source<'_>) -> Result<(), CliError> {
        for (index, prefix) in self.premium_prefixes.iter().enumerate() {
            let digits = prefix.strip_prefix('+').unwrap_or_default();
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                let key = format!("sms.premium_prefixes[{index}]");
                let reason = "it must be a phone number prefix, such as \"+449\"";
                return Err(source.key(&key, reason));
            }
        }
        Ok(())
    }
}
