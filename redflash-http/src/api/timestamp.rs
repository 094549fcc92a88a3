//! A point in time as a query parameter.

use std::fmt;
use std::str::FromStr;

use redflash_core::clock::Timestamp;

/// Last millisecond of the year 9999.
const MAX: i64 = 253_402_300_799_999;

/// A point in time: milliseconds since 1970, or RFC 3339.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeParameter(Timestamp);

/// Error for a text that is not a point in time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeError;

impl TimeParameter {
    /// Returns the point in time.
    pub(crate) const fn at(self) -> Timestamp {
        self.0
    }
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be milliseconds since 1970, or a time such as 2026-11-25T04:32:10Z")
    }
}

impl FromStr for TimeParameter {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        if let Ok(millis) = text.parse()
            && (0..=MAX).contains(&millis)
        {
            return Ok(Self(Timestamp::from_millis(millis)));
        }
        let at: jiff::Timestamp = text.parse().map_err(|_| TimeError)?;
        Ok(Self(Timestamp::from_millis(at.as_millisecond())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_milliseconds_and_rfc_3339() {
        let read = |text: &str| {
            text.parse::<TimeParameter>()
                .map(|time| time.at().as_millis())
        };
        for text in [
            "1795564800000",
            "2026-11-25T00:00:00Z",
            "2026-11-25T02:00:00.000+02:00",
        ] {
            assert_eq!(read(text).ok(), Some(1_795_564_800_000), "{text}");
        }
        for bad in [
            "",
            "-1",
            "253402300800000",
            "now",
            "2026-11-25",
            "2026-11-25T00:00:00",
            "1.5",
            "2026-13-01T00:00:00Z",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
