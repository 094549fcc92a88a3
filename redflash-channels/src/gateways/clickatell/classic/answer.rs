//! The lines of an answer, and the error codes of a send.

use std::time::Duration;

use redflash_core::clock::Timestamp;
use redflash_core::message::{Deferral, SendError};

use crate::http::short;

/// A line of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// The number it concerns, if there are several.
    pub(super) to: Option<&'a str>,
    pub(super) result: LineResult<'a>,
}

/// The result for one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineResult<'a> {
    Accepted { id: &'a str },
    Error { code: &'a str, text: &'a str },
}

impl<'a> Line<'a> {
    /// Parses a line; `None` if it is something else.
    pub(super) fn read(line: &'a str) -> Option<Self> {
        let line = line.trim();
        let (result, to) = match line.rsplit_once(" To:") {
            Some((result, to)) => (result, Some(to.trim())),
            None => (line, None),
        };
        let result = if let Some(id) = result.strip_prefix("ID:") {
            let id = id.trim();
            (!id.is_empty()).then_some(LineResult::Accepted { id })?
        } else {
            let error = result.strip_prefix("ERR:")?;
            let (code, text) = error.split_once(',').unwrap_or((error, ""));
            let (code, text) = (code.trim(), text.trim());
            LineResult::Error { code, text }
        };
        Some(Self { to, result })
    }
}

/// Maps an error code to a send error.
pub(super) fn send_error(code: &str, text: &str, now: Timestamp) -> SendError {
    let reason = format!("error {}: {}", short(code), short(text));
    match code {
        // Credentials, this machine's address, the connection, no credit.
        "001" | "002" | "005" | "007" | "108" | "301" => SendError::Unauthorized { reason },
        // An expired session, although none is used here; a temporary failure.
        "003" | "901" => SendError::Deferred {
            scope: Deferral::Message,
            reason,
            retry_after: None,
        },
        // The number is invalid, blocked, opted out, or delisted.
        "105" | "121" | "122" | "128" => SendError::InvalidAddress { reason },
        // The sender, the route.
        "106" | "114" | "123" => SendError::Unroutable { reason },
        "130" => SendError::RateLimited {
            retry_after: limited_until(text, now),
            reason,
        },
        _ => SendError::Rejected { reason },
    }
}

/// Returns the time until the end of a rate limit, which ends the text in Unix seconds.
fn limited_until(text: &str, now: Timestamp) -> Option<Duration> {
    let seconds: i64 = text.split_whitespace().last()?.parse().ok()?;
    let wait = seconds.checked_mul(1000)?.checked_sub(now.as_millis())?;
    Some(Duration::from_millis(u64::try_from(wait).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_of_answers() {
        let accepted = |id| LineResult::Accepted { id };
        let refused = |code, text| LineResult::Error { code, text };
        for (line, expected) in [
            ("ID: 205e85d0", Some((accepted("205e85d0"), None))),
            (
                "ID: 205e85d0 To: 447700900001",
                Some((accepted("205e85d0"), Some("447700900001"))),
            ),
            (
                "ERR: 114, Cannot route message",
                Some((refused("114", "Cannot route message"), None)),
            ),
            (
                "ERR: 105, Invalid Destination Address To: 447700900001 ",
                Some((
                    refused("105", "Invalid Destination Address"),
                    Some("447700900001"),
                )),
            ),
            ("ERR: 901", Some((refused("901", ""), None))),
            ("ID:", None),
            ("OK: x", None),
            ("<html>", None),
            ("", None),
        ] {
            let expected = expected.map(|(result, to)| Line { to, result });
            assert_eq!(Line::read(line), expected, "{line}");
        }
    }

    #[test]
    fn reads_the_end_of_a_rate_limit() {
        let now = Timestamp::from_millis(1_790_000_000_000);
        let wait = |text| limited_until(text, now);
        assert_eq!(
            wait("MT limit exceeded until 1790000017"),
            Some(Duration::from_secs(17))
        );
        for nonsense in [
            "",
            "MT limit exceeded",
            "until 17",
            "until 99999999999999999",
        ] {
            assert_eq!(wait(nonsense), None, "{nonsense}");
        }
    }
}
