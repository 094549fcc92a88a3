//! The helpers of the template language.

use jiff::tz::TimeZone;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::closest::closest;

/// The helpers that open a block.
const BLOCKS: [&str; 4] = ["if", "unless", "each", "with"];

/// A helper that gives a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Helper {
    Upper,
    Lower,
    Truncate,
    Default,
    Eq,
    Ne,
    Length,
    Lookup,
    Date,
    FormatDate,
}

/// Every helper that gives a value, in the order in which they are shown.
const VALUES: [(&str, Helper); 10] = [
    ("upper", Helper::Upper),
    ("lower", Helper::Lower),
    ("truncate", Helper::Truncate),
    ("default", Helper::Default),
    ("eq", Helper::Eq),
    ("ne", Helper::Ne),
    ("length", Helper::Length),
    ("lookup", Helper::Lookup),
    ("date", Helper::Date),
    ("format_date", Helper::FormatDate),
];

/// Returns the names of all helpers.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let values = VALUES.iter().map(|(name, _)| *name);
    BLOCKS.into_iter().chain(values)
}

impl Helper {
    pub(super) fn parse(name: &str) -> Option<Self> {
        let mut helpers = VALUES.iter();
        helpers.find_map(|(known, helper)| (*known == name).then_some(*helper))
    }

    fn name(self) -> &'static str {
        let mut helpers = VALUES.iter();
        helpers
            .find_map(|(name, helper)| (*helper == self).then_some(*name))
            .unwrap_or_default()
    }

    /// Returns the number of values required, and an example of them.
    const fn needed(self) -> (usize, &'static str) {
        match self {
            Self::Upper | Self::Lower | Self::Length => (1, "host"),
            Self::Truncate => (2, "text 20"),
            Self::Default => (1, "host \"unknown\""),
            Self::Eq | Self::Ne => (2, "status \"resolved\""),
            Self::Lookup => (2, "labels name"),
            Self::Date => (0, "\"%H:%M\""),
            Self::FormatDate => (1, "started_at \"%H:%M\" \"Europe/London\""),
        }
    }

    /// Checks the values that are known before there are any arguments.
    ///
    /// * `values` - each literal, or `None` for a value that only the arguments give.
    pub(super) fn check(self, values: &[Option<&Value>]) -> Result<(), String> {
        let (needed, example) = self.needed();
        let name = self.name();
        if values.len() < needed {
            return Err(format!(
                "{name} needs more values: write {{{{{name} {example}}}}}"
            ));
        }
        let format = match self {
            Self::Truncate => {
                if let Some(Some(limit)) = values.get(1) {
                    characters(&plain(limit))?;
                }
                return Ok(());
            }
            Self::Date => 0,
            Self::FormatDate => 1,
            _ => return Ok(()),
        };
        let given = |index: usize| match values.get(index) {
            Some(Some(value)) => plain(value),
            _ => String::new(),
        };
        format_time(Timestamp::default(), &given(format), &given(format + 1))?;
        Ok(())
    }
}

/// Returns true if a helper opens a block.
pub(super) fn is_block(name: &str) -> bool {
    BLOCKS.contains(&name)
}

/// Returns a scalar as text.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Parses the limit of `truncate`.
pub(super) fn characters(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| {
        format!(
            "truncate needs a number of characters, as in {{{{truncate text 20}}}}, not {text:?}"
        )
    })
}

/// Returns at most `limit` characters of a text, the last being `…` if it is longer.
pub(super) fn truncate(text: &str, limit: usize) -> String {
    let Some((longest, _)) = text.char_indices().nth(limit) else {
        return text.to_owned();
    };
    let kept = text[..longest].char_indices().next_back();
    let mut short = kept.map_or_else(String::new, |(end, _)| text[..end].to_owned());
    if limit > 0 {
        short.push('…');
    }
    short
}

/// Formats a time in a zone. The format and the zone may be empty.
pub(super) fn format_time(at: Timestamp, format: &str, zone: &str) -> Result<String, String> {
    const DEFAULT_FORMAT: &str = "%Y-%m-%d %H:%M %Z";
    let format = if format.is_empty() {
        DEFAULT_FORMAT
    } else {
        format
    };
    let zone = if zone.is_empty() { "UTC" } else { zone };
    let instant = jiff::Timestamp::from_millisecond(at.as_millis())
        .map_err(|_| "date: this time is out of range".to_owned())?;
    let zone = TimeZone::get(zone).map_err(|_| unknown_zone(zone))?;
    jiff::fmt::strtime::format(format, &instant.to_zoned_datetime(zone))
        .map_err(|error| format!("date: the format {format:?} cannot be used: {error}"))
}

fn unknown_zone(zone: &str) -> String {
    let known = jiff::tz::db().available();
    let names: Vec<_> = known.map(|name| name.as_str().to_owned()).collect();
    let names = names.iter().map(String::as_str);
    closest(zone, names).map_or_else(
        || format!("date: there is no time zone {zone:?}; write one such as \"Europe/London\""),
        |name| format!("date: there is no time zone {zone:?}; did you mean {name:?}?"),
    )
}

/// Parses a time: RFC 3339, or the seconds or milliseconds since 1970.
pub(super) fn parse_time(text: &str) -> Result<Timestamp, String> {
    /// The year 5138 in seconds, the year 1973 in milliseconds.
    const FIRST_MILLISECONDS: f64 = 1e11;
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        let millis = if number.abs() < FIRST_MILLISECONDS {
            number * 1000.0
        } else {
            number
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it saturates, and is checked later"
        )]
        return Ok(Timestamp::from_millis(millis.round() as i64));
    }
    let instant: jiff::Timestamp = text.parse().map_err(|_| {
        format!(
            "format_date needs a time such as 2026-01-31T12:00:00Z or the seconds since 1970, \
            not {:?}",
            truncate(text, 40)
        )
    })?;
    Ok(Timestamp::from_millis(instant.as_millisecond()))
}
