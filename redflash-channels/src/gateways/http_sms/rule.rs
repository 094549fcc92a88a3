//! Rules for the meaning of answers, and for values in them.

use redflash_core::message::{Deferral, SendError};
use regex_lite::Regex;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::Value;

use crate::ConfigError;
use crate::http::{Answer, account_refusal, short};

/// A regular expression for the body of an answer.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let source = String::deserialize(reader)?;
        let invalid = |error| D::Error::custom(format!("invalid regular expression: {error}"));
        Regex::new(&source).map(Self).map_err(invalid)
    }
}

/// Conditions on an answer, all of which must match.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The accepted HTTP statuses; any by default.
    #[serde(default)]
    pub status: Vec<u16>,
    /// The pattern of the body; any by default.
    #[serde(default)]
    pub pattern: Option<Pattern>,
}

/// The location of a value in an answer.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extract {
    /// The first group of this regular expression.
    Pattern(Pattern),
    /// The value in a JSON document at this pointer (RFC 6901), such as `/messages/0/id`.
    Pointer(String),
}

impl Rule {
    fn check(&self, key: &str) -> Result<(), ConfigError> {
        if self.status.is_empty() && self.pattern.is_none() {
            return Err(ConfigError::at(key, "it needs a status or a pattern"));
        }
        Ok(())
    }

    fn holds(&self, status: u16, body: &str) -> bool {
        let pattern = self.pattern.as_ref();
        (self.status.is_empty() || self.status.contains(&status))
            && pattern.is_none_or(|pattern| pattern.0.is_match(body))
    }
}

impl Extract {
    fn check(&self, key: &str) -> Result<(), ConfigError> {
        match self {
            Self::Pattern(pattern) if pattern.0.captures_len() < 2 => {
                let reason = "the regular expression needs a group, such as \"id=([0-9]+)\"";
                Err(ConfigError::at(key, reason))
            }
            Self::Pointer(pointer) if !pointer.starts_with('/') => {
                Err(ConfigError::at(key, "a pointer must start with a slash"))
            }
            _ => Ok(()),
        }
    }

    /// Returns the value in a body, if there is one.
    pub(super) fn of(&self, body: &str) -> Option<String> {
        let found = match self {
            Self::Pattern(pattern) => {
                let groups = pattern.0.captures(body)?;
                groups.get(1)?.as_str().to_owned()
            }
            Self::Pointer(pointer) => value_at(body, pointer)?,
        };
        (!found.is_empty()).then_some(found)
    }
}

/// Returns a text, number or boolean in a JSON document.
pub(super) fn value_at(body: &str, pointer: &str) -> Option<String> {
    let document: Value = serde_json::from_str(body).ok()?;
    match document.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        plain @ (Value::Number(_) | Value::Bool(_)) => Some(plain.to_string()),
        _ => None,
    }
}

/// The meaning of a gateway's answers, and the locations of values in them.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerRules {
    /// The gateway refuses our account.
    pub unauthorized: Option<Rule>,
    /// The gateway rejects the message.
    pub permanent: Option<Rule>,
    /// The gateway defers the message: along with all others for a 429, or a 503 with `Retry-After`;
    /// otherwise this message alone.
    pub retry: Option<Rule>,
    /// The gateway accepts the message; every status from 200 to 299 by default.
    pub success: Option<Rule>,
    /// The gateway's id of an accepted message; none by default.
    pub message_id: Option<Extract>,
    /// The price of an accepted message; none by default.
    pub price: Option<Extract>,
}

impl AnswerRules {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (key, rule) in [
            ("answer.unauthorized", &self.unauthorized),
            ("answer.permanent", &self.permanent),
            ("answer.retry", &self.retry),
            ("answer.success", &self.success),
        ] {
            rule.as_ref().map_or(Ok(()), |rule| rule.check(key))?;
        }
        for (key, extract) in [
            ("answer.message_id", &self.message_id),
            ("answer.price", &self.price),
        ] {
            extract
                .as_ref()
                .map_or(Ok(()), |extract| extract.check(key))?;
        }
        Ok(())
    }

    /// Checks that an answer accepts the message. An answer that matches no rule has the meaning of its HTTP
    /// status, except that only a match of `success` counts as success if that rule exists.
    pub(super) fn check_answer(&self, answer: &Answer) -> Result<(), SendError> {
        let body = String::from_utf8_lossy(&answer.body);
        let status = answer.status.as_u16();
        let is = |rule: &Option<Rule>| rule.as_ref().is_some_and(|rule| rule.holds(status, &body));
        let reason = answer.detail();
        if is(&self.unauthorized) {
            return Err(SendError::Unauthorized { reason });
        }
        if is(&self.permanent) {
            return Err(SendError::Rejected { reason });
        }
        if is(&self.retry) {
            return Err(match status {
                429 => answer.rate_limited(reason),
                503 if answer.retry_after.is_some() => answer.rate_limited(reason),
                _ => answer.deferred(Deferral::Message, reason),
            });
        }
        let plain = self.success.is_none() && answer.status.is_success();
        if plain || is(&self.success) {
            return Ok(());
        }
        if answer.status.is_success() {
            let reason = format!("no rule matches: it {}", short(&reason));
            return Err(SendError::Unknown(reason.into()));
        }
        Err(account_refusal(answer))
    }
}
