//! The answer to a request, and the meaning of its status.

use std::time::Duration;

use jiff::Timestamp as Instant;
use redflash_core::clock::Timestamp;
use redflash_core::message::{Deferral, SendError};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::de::DeserializeOwned;

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The delay that the peer requests.
    pub(crate) retry_after: Option<Duration>,
    /// The body, or its beginning if it is long, slow or incomplete.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Parses the body as JSON; `None` if it is something else.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Returns a deferral of this recipient or message, for the delay that the peer requests.
    pub(crate) const fn deferred(&self, scope: Deferral, reason: String) -> SendError {
        SendError::Deferred {
            scope,
            reason,
            retry_after: self.retry_after,
        }
    }

    /// Returns a deferral of all messages, for the delay that the peer requests.
    pub(crate) const fn rate_limited(&self, reason: String) -> SendError {
        SendError::RateLimited {
            reason,
            retry_after: self.retry_after,
        }
    }

    /// Returns the beginning of the body as one short line, for the log.
    pub(crate) fn snippet(&self) -> String {
        short(&String::from_utf8_lossy(&self.body))
    }

    /// Returns the status and the beginning of the body, for the log.
    pub(crate) fn detail(&self) -> String {
        let status = self.status.as_u16();
        match self.snippet() {
            text if text.is_empty() => format!("answered {status}"),
            text => format!("answered {status}: {text}"),
        }
    }
}

/// Shortens a text of a peer to one line for the log.
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

/// Maps a status other than success to a send error, unless the gateway's documentation says otherwise
/// (RFC 9110, section 15, and RFC 6585).
///
/// | status | meaning |
/// | --- | --- |
/// | 401, 403, 407 | the message is refused because it comes from us |
/// | 429 | this recipient is deferred: the limit is not named, and this request counted towards it |
/// | 502, 504, 520 to 527, 598, 599 | an intermediary got no answer from the server: outcome unknown |
/// | 503 with `Retry-After` | all messages are deferred |
/// | 511 | a network requires a login: the request went nowhere |
/// | 408, 421, 425, any other 5xx | this message is deferred |
/// | anything else | the message is rejected |
///
/// By the RFC a 503 without `Retry-After` concerns the whole server, but often it concerns only one of
/// many applications behind a proxy. Deferring this message alone affects no other one, and a server that
/// is really down soon fails for different recipients.
pub(crate) fn refusal(answer: &Answer) -> SendError {
    let reason = answer.detail();
    match answer.status.as_u16() {
        300..=399 => SendError::Rejected {
            reason: format!("{reason}, and redirects are not followed"),
        },
        401 | 403 | 407 => SendError::Refused { reason },
        429 => answer.deferred(Deferral::Recipient, reason),
        // 520 to 527 are Cloudflare's, "Cloudflare 5xx errors"; 598 and 599 some proxies' timeouts.
        502 | 504 | 520..=527 | 598 | 599 => SendError::Unknown(reason.into()),
        503 if answer.retry_after.is_some() => answer.rate_limited(reason),
        511 => SendError::Unreachable(reason.into()),
        408 | 421 | 425 | 500.. => answer.deferred(Deferral::Message, reason),
        _ => SendError::Rejected { reason },
    }
}

/// Reads `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date. Ignores an invalid value.
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
    fn reads_retry_after_in_seconds_or_as_a_date() {
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
