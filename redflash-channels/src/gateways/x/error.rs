//! Error responses of X, which have two forms: problem documents (RFC 9457), and lists of numbered errors
//! as in the former API.

use std::time::Duration;

use redflash_core::clock::Timestamp;
use redflash_core::message::SendError;
use serde::Deserialize;

use crate::http::{Answer, account_refusal, short};

/// An error in either form.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Problem {
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    errors: Vec<ErrorItem>,
}

#[derive(Debug, Default, Deserialize)]
struct ErrorItem {
    #[serde(default)]
    code: Option<u32>,
    #[serde(default)]
    message: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
    /// The invalid parameters.
    #[serde(default)]
    parameters: serde_json::Map<String, serde_json::Value>,
}

impl Problem {
    /// Returns true if there is an error.
    pub(crate) fn is_some(&self) -> bool {
        !self.summary().is_empty()
    }

    /// Returns the error for people.
    pub(crate) fn summary(&self) -> String {
        let own = [&self.title, &self.detail].map(String::as_str);
        let listed = self.errors.iter();
        let listed = listed.flat_map(|error| [&*error.message, &error.title, &error.detail]);
        let mut texts: Vec<&str> = Vec::new();
        for text in own.into_iter().chain(listed) {
            if !text.is_empty() && !texts.contains(&text) {
                texts.push(text);
            }
        }
        short(&texts.join(": "))
    }

    /// Returns true if the same message was accepted before.
    pub(crate) fn is_duplicate(&self) -> bool {
        self.has(&[187]) || self.detail.contains("duplicate content")
    }

    fn has(&self, codes: &[u32]) -> bool {
        let mut own = self.errors.iter().filter_map(|error| error.code);
        own.any(|code| codes.contains(&code))
    }

    fn is(&self, kinds: &[&str]) -> bool {
        let kind = self.kind.rsplit('/').next().unwrap_or_default();
        kinds.contains(&kind)
    }

    fn names(&self, parameter: &str) -> bool {
        let mut errors = self.errors.iter();
        errors.any(|error| error.parameters.contains_key(parameter))
    }
}

/// Returns the send error of a rate limit, with its remaining time.
pub(crate) fn limited(answer: &Answer, problem: &Problem, now: Timestamp) -> Option<SendError> {
    let status = answer.status.as_u16();
    // A cap ends with the month or an upgrade of the plan: waiting does not help.
    let is_cap = problem.is(&["usage-capped"]);
    (!is_cap && (status == 429 || problem.has(&[88]))).then(|| SendError::RateLimited {
        reason: answer.detail(),
        retry_after: answer.retry_after.or_else(|| reset(answer, now)),
    })
}

/// Returns the send error of a refused account: the app lacks a permission or a plan, there is no credit,
/// or the account is suspended or locked.
pub(crate) fn account_refused(answer: &Answer, problem: &Problem) -> Option<SendError> {
    let account = [
        "client-forbidden",
        "client-not-enrolled",
        "oauth1-permissions",
        "unsupported-authentication",
        "usage-capped",
    ];
    let is_refused = problem.is(&account) || problem.has(&[32, 64, 89, 93, 135, 215, 261, 326]);
    is_refused.then(|| SendError::Unauthorized {
        reason: answer.detail(),
    })
}

/// Maps an error response to a send error.
pub(crate) fn refused(answer: &Answer, problem: &Problem, now: Timestamp) -> SendError {
    let of_all = limited(answer, problem, now).or_else(|| account_refused(answer, problem));
    if let Some(of_all) = of_all {
        return of_all;
    }
    let reason = answer.detail();
    match answer.status.as_u16() {
        _ if problem.is_duplicate() => SendError::Rejected {
            reason: format!(
                "the account has just sent the same text, and X rejects duplicates: make the texts differ, \
                 such as by a time ({})",
                problem.summary()
            ),
        },
        // The recipient does not follow the account, accepts no messages, or has blocked the account.
        403 if problem.has(&[150, 349]) || problem.detail.contains("permission to DM") => {
            SendError::Unroutable {
                reason: format!(
                    "the recipient does not accept messages of this account, and must follow it or allow \
                     messages from everyone ({})",
                    problem.summary()
                ),
            }
        }
        // Any other 403 concerns the recipient or the message, not all messages.
        403 => SendError::Unroutable { reason },
        404 => SendError::InvalidAddress { reason },
        _ if problem.has(&[34, 50, 108]) || problem.names("participant_id") => {
            SendError::InvalidAddress { reason }
        }
        _ => account_refusal(answer),
    }
}

/// Returns the time until all exhausted windows are reset.
fn reset(answer: &Answer, now: Timestamp) -> Option<Duration> {
    let header = |name: &str| {
        let value = answer.headers.get(name)?.to_str().ok()?;
        value.trim().parse::<i64>().ok()
    };
    let windows = ["x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour"];
    let resets = windows.iter().filter_map(|window| {
        let remaining = header(&format!("{window}-remaining")).unwrap_or(0);
        header(&format!("{window}-reset")).filter(|_| remaining <= 0)
    });
    let wait = resets.max()? - now.as_millis().div_euclid(1000);
    u64::try_from(wait).ok().map(Duration::from_secs)
}
