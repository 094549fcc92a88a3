//! The log: its format, and the filter that selects what is logged.

use serde::Deserialize;
use tracing_subscriber::filter::{LevelFilter, Targets};

use super::environment::variable;
use super::source::Source;
use crate::error::CliError;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) level: String,
    pub(crate) format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".into(),
            format: LogFormat::Text,
        }
    }
}

impl Log {
    pub(super) fn check(&self, source: &Source<'_>) -> Result<(), CliError> {
        let filter = parse_filter(&self.level);
        filter
            .map(drop)
            .map_err(|reason| source.key("log.level", &reason))
    }

    /// Returns the filter of the log: an option takes precedence over the environment, which takes
    /// precedence over the file.
    pub(crate) fn filter(&self, option: Option<&str>) -> Result<Targets, CliError> {
        let exported = variable("REDFLASH_LOG")?;
        let (level, named_by) = match (option, &exported) {
            (Some(level), _) => (level, "--log"),
            (None, Some(level)) => (level.as_str(), "REDFLASH_LOG"),
            (None, None) => (self.level.as_str(), "log.level"),
        };
        let filter = parse_filter(level);
        filter.map_err(|reason| CliError::usage(format!("{named_by}: {reason}")))
    }
}

/// The levels with their names.
const LEVELS: [(&str, LevelFilter); 6] = [
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("warning", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
    ("trace", LevelFilter::TRACE),
];

/// Parses a level, or a list such as `warn,redflash_http=debug`: a default level and levels of modules.
/// The default level is `info` if omitted.
///
/// # Errors
///
/// Returns an error that describes a valid level.
fn parse_filter(text: &str) -> Result<Targets, String> {
    let invalid = |part: &str| {
        format!(
            "{part:?} is not a level: expected error, warn, info, debug or trace, or a list such as \
             \"warn,redflash_http=debug\""
        )
    };
    let level = |name: &str| {
        let known = LEVELS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        known.map(|(_, level)| *level)
    };
    let is_target = |name: &str| {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
        !name.is_empty() && name.chars().all(legal)
    };
    let mut targets = Targets::new().with_default(LevelFilter::INFO);
    let mut has_default = false;
    for part in text.split(',').map(str::trim) {
        match part.split_once('=') {
            None if has_default => {
                return Err(format!("{text:?} contains two default levels: omit one"));
            }
            None => {
                targets = targets.with_default(level(part).ok_or_else(|| invalid(part))?);
                has_default = true;
            }
            Some((target, name)) => {
                let (target, name) = (target.trim(), name.trim());
                let found = level(name).filter(|_| is_target(target));
                targets = targets.with_target(target, found.ok_or_else(|| invalid(part))?);
            }
        }
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn accepts_level_names() {
        for (name, level) in [
            ("error", Level::ERROR),
            ("warn", Level::WARN),
            ("warning", Level::WARN),
            ("Info", Level::INFO),
            ("debug", Level::DEBUG),
            (" trace ", Level::TRACE),
        ] {
            let targets = parse_filter(name).unwrap();
            for other in [
                Level::ERROR,
                Level::WARN,
                Level::INFO,
                Level::DEBUG,
                Level::TRACE,
            ] {
                let expected = other <= level;
                assert_eq!(
                    targets.would_enable("any", &other),
                    expected,
                    "{name} {other}"
                );
            }
        }
    }

    #[test]
    fn accepts_levels_of_modules() {
        let targets = parse_filter("warn,redflash_http=debug").unwrap();
        assert!(targets.would_enable("redflash_http::server", &Level::DEBUG));
        assert!(!targets.would_enable("redflash_core", &Level::INFO));
        assert!(targets.would_enable("redflash_core", &Level::WARN));
        let targets = parse_filter("redflash_http=error").unwrap();
        assert!(!targets.would_enable("redflash_http", &Level::INFO));
        assert!(targets.would_enable("redflash_core", &Level::INFO));
    }

    #[test]
    fn rejects_invalid_levels() {
        for text in [
            "",
            " ",
            "inf",
            "verbose",
            "off",
            "3",
            "a=b",
            "a=",
            "=info",
            "info,",
            "info,debug",
            "a=b=c",
            "[x]=info",
            "redflash_http",
            "*=info",
        ] {
            let refused = parse_filter(text).map(|targets| targets.to_string());
            assert!(refused.is_err(), "{text:?}: {refused:?}");
        }
    }
}
