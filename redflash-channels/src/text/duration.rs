//! Durations as people write them in a configuration: `10s`, `2m`, `24h`.

use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, de::Error as _};

/// The longest permitted duration: 30 days.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Default of `timeout` for most vendors.
pub(crate) const fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}

/// Parses a duration.
///
/// # Errors
///
/// Returns a description of the problem.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let hint = "use a duration such as \"10s\", \"2m\" or \"24h\"";
    let signed: SignedDuration = text
        .parse()
        .map_err(|_| format!("{text:?} is not a duration: {hint}"))?;
    let duration =
        Duration::try_from(signed).map_err(|_| format!("{text:?} is negative: {hint}"))?;
    if duration > LONGEST {
        return Err(format!("{text:?} is too long: use at most 30 days"));
    }
    Ok(duration)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(reader: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(reader)?;
    let duration = parse(&text).map_err(D::Error::custom)?;
    if duration.is_zero() {
        return Err(D::Error::custom("it must be greater than zero"));
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_durations_as_people_write_them() {
        assert_eq!(parse("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(parse("1h 30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        for bad in [
            "",
            "-5s",
            "10",
            "soon",
            "1000000000h",
            "9".repeat(40).as_str(),
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
