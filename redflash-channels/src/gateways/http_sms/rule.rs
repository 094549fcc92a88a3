//! What an answer means, and what is taken out of it.

use redflash_core::{Deferral, SendError};
use regex_lite::Regex;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::Value;

use crate::ConfigError;
use crate::http::{Answer, account_refusal, short};

/// A regular expression that is looked for in the body of an answer.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let source = String::deserialize(reader)?;
        let wrong = |error| D::Error::custom(format!("it is no regular expression: {error}"));
        Regex::new(&source).map(Self).map_err(wrong)
    }
}

/// Which answers are meant: those of which everything holds that is said here.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The HTTP status is one of these; any by default.
    #[serde(default)]
    pub status: Vec<u16>,
    /// The body holds this; anything by default.
    #[serde(default)]
    pub pattern: Option<Pattern>,
}

/// What is taken out of an answer.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extract {
    /// The first group of this regular expression.
    Pattern(Pattern),
    /// What stands in a JSON document at this pointer (RFC 6901), such as `/messages/0/id`.
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
                Err(ConfigError::at(key, "a pointer starts with a slash"))
            }
            _ => Ok(()),
        }
    }

    /// What stands there, if anything does.
    pub(super) fn of(&self, body: &str) -> Option<String> {
        let found = match self {
            Self::Pattern(pattern) => {
                let groups = pattern.0.captures(body)?;
                groups.get(1)?.as_str().to_owned()
            }
            Self::Pointer(pointer) => pointed(body, pointer)?,
        };
        (!found.is_empty()).then_some(found)
    }
}

/// A text, number or truth value in a JSON document.
pub(super) fn pointed(body: &str, pointer: &str) -> Option<String> {
    let document: Value = serde_json::from_str(body).ok()?;
    match document.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        plain @ (Value::Number(_) | Value::Bool(_)) => Some(plain.to_string()),
        _ => None,
    }
}

/// What the answers of a gateway mean, and what they hold.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerRules {
    /// It refuses our account.
    pub unauthorized: Option<Rule>,
    /// It refuses the message for good.
    pub permanent: Option<Rule>,
    /// It did not take the message, and may later: with everything else if it answers 429, or 503 and
    /// for how long; otherwise this message alone waits.
    pub retry: Option<Rule>,
    /// It took the message; every status of 200 to 299 by default.
    pub success: Option<Rule>,
    /// Where the gateway's id of a message that was taken stands; by default nowhere.
    pub message_id: Option<Extract>,
    /// Where its price stands; by default nowhere.
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

    /// What an answer means. An answer that no rule knows means what its status says in plain HTTP,
    /// except that nothing counts as success but what `success` says, if it says something.
    pub(super) fn judge(&self, answer: &Answer) -> Result<(), SendError> {
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
            let reason = format!("no rule knows what it {}", short(&reason));
            return Err(SendError::Unknown(reason.into()));
        }
        Err(account_refusal(answer))
    }
}
