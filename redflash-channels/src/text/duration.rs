//! Lengths of time as people write them in a configuration: `10s`, `2m`, `24h`.

use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, de::Error as _};

/// The longest time that can be meant: 30 days.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long most vendors may take to answer, where a table does not say.
pub(crate) const fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}

/// Reads a length of time.
///
/// # Errors
///
/// Says what is wrong with the text.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let wanted = "write a length of time such as \"10s\", \"2m\" or \"24h\"";
    let signed: SignedDuration = text
        .parse()
        .map_err(|_| format!("{text:?} is no length of time: {wanted}"))?;
    let duration =
        Duration::try_from(signed).map_err(|_| format!("{text:?} is negative: {wanted}"))?;
    if duration > LONGEST {
        return Err(format!("{text:?} is too long: at most 30 days"));
    }
    Ok(duration)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(reader: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(reader)?;
    let duration = parse(&text).map_err(D::Error::custom)?;
    if duration.is_zero() {
        return Err(D::Error::custom("it must be longer than nothing"));
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_write_them() {
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
