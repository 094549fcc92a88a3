//! A moment, as the parameter of a query.

use std::fmt;
use std::str::FromStr;

use redflash_core::Timestamp;

/// The last millisecond of the year 9999.
const LAST: i64 = 253_402_300_799_999;

/// A moment: milliseconds since 1970, or as in RFC 3339.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(Timestamp);

/// A text that is no moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MomentError;

impl Moment {
    /// When it is.
    pub(crate) const fn at(self) -> Timestamp {
        self.0
    }
}

impl fmt::Display for MomentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write milliseconds since 1970, or a moment as 2026-11-25T04:32:10Z")
    }
}

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        if let Ok(millis) = text.parse()
            && (0..=LAST).contains(&millis)
        {
            return Ok(Self(Timestamp::from_millis(millis)));
        }
        let at: jiff::Timestamp = text.parse().map_err(|_| MomentError)?;
        Ok(Self(Timestamp::from_millis(at.as_millisecond())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_number_or_a_date_with_an_offset() {
        let read = |text: &str| text.parse::<Moment>().map(|moment| moment.at().as_millis());
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
