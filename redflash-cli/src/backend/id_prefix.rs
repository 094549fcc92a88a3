//! Ids on the command line, in full or abbreviated to a unique prefix.

use std::num::NonZeroU32;
use std::str::FromStr;

use redflash_core::model::{DeliveryId, NotificationId};
use redflash_core::store::LogFilter;

use super::Backend;
use crate::error::{CliError, Exit};
use crate::format::time;

/// Minimum digits of a prefix.
const SHORTEST: usize = 4;
/// The digits that all deliveries of a notification share.
const COMMON: usize = 26;
/// Maximum notifications listed for an ambiguous prefix.
const MAX_LISTED: u32 = 10;
/// The digits of a complete id.
const COMPLETE: usize = 32;

/// A prefix of a notification's id, or the complete id of a notification or delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IdPrefix(String);

impl FromStr for IdPrefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex || !matches!(text.len(), SHORTEST..=COMMON | COMPLETE) {
            return Err(format!(
                "expected {COMPLETE} hex digits, or the first {SHORTEST} to {COMMON} of them"
            ));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl IdPrefix {
    /// Returns the notification, and the delivery if this is the id of one.
    pub(crate) async fn find(
        &self,
        backend: &Backend,
    ) -> Result<(NotificationId, Option<DeliveryId>), CliError> {
        if self.0.len() == COMPLETE {
            return self.parse_complete();
        }
        let found = self.candidates(backend).await?;
        match &found[..] {
            [] => {
                let message = format!(
                    "no notification has an id that starts with {}: see `redflash log`",
                    self.0
                );
                Err(CliError::new(Exit::Refused, message))
            }
            [(id, _)] => Ok((*id, None)),
            several => {
                let lines = several.iter().map(|(id, line)| format!("\n  {id}  {line}"));
                let lines: String = lines.collect();
                let more = if several.len() < MAX_LISTED as usize {
                    ""
                } else {
                    "\n  and possibly older ones"
                };
                let message = format!(
                    "several notifications have ids that start with {}:{lines}{more}",
                    self.0
                );
                Err(CliError::usage(message))
            }
        }
    }

    fn parse_complete(&self) -> Result<(NotificationId, Option<DeliveryId>), CliError> {
        let invalid = |_| CliError::usage(format!("{} is not an id", self.0));
        let delivery: DeliveryId = self.0.parse().map_err(invalid)?;
        let notification = delivery.notification();
        Ok((notification, (delivery.place() > 0).then_some(delivery)))
    }

    /// Returns the newest notifications with this prefix, with their time and target.
    async fn candidates(
        &self,
        backend: &Backend,
    ) -> Result<Vec<(NotificationId, String)>, CliError> {
        const LIMIT: NonZeroU32 = NonZeroU32::new(MAX_LISTED).expect("it is not 0");
        let after = format!("{:f<COMPLETE$}", self.0);
        let before = after
            .parse()
            .map_err(|_| CliError::usage(format!("{} is not an id", self.0)))?;
        let filter = LogFilter {
            before: Some(before),
            ..LogFilter::newest(LIMIT)
        };
        let found = backend.log(&filter).await?.into_iter();
        let matching = found.filter(|(one, _)| one.id.to_string().starts_with(&self.0));
        let described = matching.map(|(one, _)| {
            let line = format!("{}  {}", time(one.raised_at), one.target());
            (one.id, line)
        });
        Ok(described.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_prefixes_and_complete_ids() {
        for text in ["0193", "0193A5C7", &"a".repeat(26), &"a".repeat(32)] {
            assert_eq!(text.parse(), Ok(IdPrefix(text.to_ascii_lowercase())));
        }
        for text in [
            "",
            "019",
            "xyz1",
            "-123",
            &"a".repeat(27),
            &"a".repeat(33),
            "ä123",
        ] {
            assert!(text.parse::<IdPrefix>().is_err(), "{text}");
        }
    }
}
