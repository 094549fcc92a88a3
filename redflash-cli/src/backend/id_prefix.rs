//! Ids on the command line: whole, or so much of one that no other begins so.

use std::num::NonZeroU32;
use std::str::FromStr;

use redflash_core::store::LogFilter;
use redflash_core::{DeliveryId, NotificationId};

use super::Backend;
use crate::error::{CliError, Exit};
use crate::format::time;

/// The fewest digits.
const SHORTEST: usize = 4;
/// The digits that all deliveries of a notification have in common.
const COMMON: usize = 26;
/// The number of notifications that are listed when several begin so.
const MOST: u32 = 10;
/// The digits of a whole id.
const WHOLE: usize = 32;

/// The beginning of a notification's id, or the whole id of a notification or a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IdPrefix(String);

impl FromStr for IdPrefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex || !matches!(text.len(), SHORTEST..=COMMON | WHOLE) {
            return Err(format!(
                "write {WHOLE} hex digits, or the first {SHORTEST} to {COMMON} of them"
            ));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl IdPrefix {
    /// The notification that is meant, and the delivery if it is the id of one.
    pub(crate) async fn find(
        &self,
        backend: &Backend,
    ) -> Result<(NotificationId, Option<DeliveryId>), CliError> {
        if self.0.len() == WHOLE {
            return self.whole();
        }
        let found = self.candidates(backend).await?;
        match &found[..] {
            [] => {
                let message = format!("no notification begins with {}: see `redflash log`", self.0);
                Err(CliError::new(Exit::Refused, message))
            }
            [(id, _)] => Ok((*id, None)),
            several => {
                let lines = several.iter().map(|(id, line)| format!("\n  {id}  {line}"));
                let lines: String = lines.collect();
                let more = if several.len() < MOST as usize {
                    ""
                } else {
                    "\n  and perhaps older ones"
                };
                let message = format!("several notifications begin with {}:{lines}{more}", self.0);
                Err(CliError::usage(message))
            }
        }
    }

    fn whole(&self) -> Result<(NotificationId, Option<DeliveryId>), CliError> {
        let wrong = |_| CliError::usage(format!("{} is not an id", self.0));
        let delivery: DeliveryId = self.0.parse().map_err(wrong)?;
        let notification = delivery.notification();
        Ok((notification, (delivery.place() > 0).then_some(delivery)))
    }

    /// The newest notifications that begin so, with what tells them apart.
    async fn candidates(
        &self,
        backend: &Backend,
    ) -> Result<Vec<(NotificationId, String)>, CliError> {
        const LIMIT: NonZeroU32 = NonZeroU32::new(MOST).expect("it is not 0");
        let after = format!("{:f<WHOLE$}", self.0);
        let before = after
            .parse()
            .map_err(|_| CliError::usage(format!("{} is not an id", self.0)))?;
        let filter = LogFilter {
            before: Some(before),
            ..LogFilter::newest(LIMIT)
        };
        let found = backend.log(&filter).await?.into_iter();
        let begins = found.filter(|(one, _)| one.id.to_string().starts_with(&self.0));
        let told = begins.map(|(one, _)| {
            let line = format!("{}  {}", time(one.raised_at), one.target());
            (one.id, line)
        });
        Ok(told.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_beginnings_and_whole_ids() {
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
