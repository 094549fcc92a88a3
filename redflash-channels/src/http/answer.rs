//! What a peer answered, as much of it as is kept.

use std::time::Duration;

use jiff::Timestamp as Instant;
use redflash_core::{SendError, Timestamp};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::de::DeserializeOwned;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// How long the peer asks us to wait.
    pub(crate) retry_after: Option<Duration>,
    /// The body, or its beginning when it is long, slow or cut off.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; `None` when it is something else.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body's beginning as one short line, for the log.
    pub(crate) fn snippet(&self) -> String {
        short(&String::from_utf8_lossy(&self.body))
    }

    /// The status and the body's beginning, for the log.
    pub(crate) fn detail(&self) -> String {
        let status = self.status.as_u16();
        match self.snippet() {
            text if text.is_empty() => format!("answered {status}"),
            text => format!("answered {status}: {text}"),
        }
    }
}

/// What a peer said, on one line, as much of it as the log keeps.
pub(crate) fn short(text: &str) -> String {
    /// In characters.
    const LONGEST: usize = 200;
    let words: Vec<_> = text.split_whitespace().collect();
    let line = words.join(" ");
    line.chars()
        .filter(|c| !c.is_control())
        .take(LONGEST)
        .collect()
}

/// What follows from a status that is no success, unless the gateway's documents say otherwise:
/// 4xx is a refusal for good, except where it says "later"; 5xx is a failure for now.
pub(crate) fn refusal(answer: &Answer) -> SendError {
    match answer.status.as_u16() {
        408 | 425 | 429 => SendError::RateLimited {
            reason: answer.detail(),
            retry_after: answer.retry_after,
        },
        500.. if answer.retry_after.is_some() => SendError::RateLimited {
            reason: answer.detail(),
            retry_after: answer.retry_after,
        },
        500.. => SendError::Unreachable(answer.detail().into()),
        300..400 => SendError::Rejected {
            reason: format!("{}, and redirects are not followed", answer.detail()),
        },
        _ => SendError::Rejected {
            reason: answer.detail(),
        },
    }
}

/// `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date. Nonsense counts as absent.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let seconds = text.parse().ok()?;
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    let now = Instant::from_millisecond(now.as_millis()).ok()?;
    Duration::try_from(date.timestamp().duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().unwrap());
        // Wed, 21 Oct 2015 07:28:00 GMT
        retry_after(&headers, Timestamp::from_millis(1_445_412_480_000))
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(after("30"), Some(Duration::from_secs(30)));
        let date = after("Wed, 21 Oct 2015 07:30:00 GMT");
        assert_eq!(date, Some(Duration::from_secs(120)));
        assert_eq!(
            after("999999999999"),
            Some(Duration::from_secs(999_999_999_999))
        );
        for nonsense in [
            "-1",
            "soon",
            "",
            "99999999999999999999999",
            "Wed, 21 Oct 2015 07:00:00 GMT",
        ] {
            assert_eq!(after(nonsense), None, "{nonsense}");
        }
    }
}
