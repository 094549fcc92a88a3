//! Durations, as the command line and the configuration write them.

use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, de::Error as _};

/// Parses a duration such as `90s`, `2h` or `3d`. A day has 24 hours.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let error = || "expected a duration such as 90s, 2h or 3d".to_owned();
    let text = match text.trim().strip_suffix('d') {
        Some(days) => format!(
            "{}h",
            days.parse::<u32>().map_err(|_| error())?.saturating_mul(24)
        ),
        None => text.to_owned(),
    };
    let parsed: SignedDuration = text.parse().map_err(|_| error())?;
    Duration::try_from(parsed).map_err(|_| error())
}

/// Deserializes a duration from a millisecond to a day.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(reader: D) -> Result<Duration, D::Error> {
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    let text = String::deserialize(reader)?;
    let error = || {
        let reason = format!("{text:?} is not a duration from 1ms to 24h, such as \"10s\"");
        D::Error::custom(reason)
    };
    let parsed: SignedDuration = text.parse().map_err(|_| error())?;
    let parsed = Duration::try_from(parsed).map_err(|_| error())?;
    if parsed.is_zero() || parsed > LONGEST {
        return Err(error());
    }
    Ok(parsed)
}

/// Deserializes a duration of any length.
pub(super) fn deserialize_any<'de, D: Deserializer<'de>>(
    reader: D,
) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(reader)?;
    let parsed = parse(&text).map_err(D::Error::custom)?;
    Ok(Some(parsed))
}
