//! Requests with several messages.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redflash_core::error_chain;
use redflash_core::message::{Accepted, Deferral, OutboundMessage, Retry, SendError};
use redflash_core::model::DeliveryId;

/// The outcome of each message of a request.
pub(crate) type Outcomes = Vec<Result<Accepted, SendError>>;

/// Repeats an error for each of several messages.
fn for_each(error: &SendError, count: usize) -> Outcomes {
    let mut outcomes = Vec::new();
    outcomes.resize_with(count, || Err(copy(error)));
    outcomes
}

/// Messages of refused requests whose answer did not say which message was wrong.
///
/// Such a refusal rejects none of the messages: each is deferred and sent in a request of its own from
/// then on, which shows the wrong one. They are kept in memory only: at worst, a request is refused once
/// more.
#[derive(Debug, Default)]
pub(crate) struct Suspects(Mutex<HashSet<DeliveryId>>);

impl Suspects {
    /// Maximum number of messages remembered.
    const MAX: usize = 10_000;

    fn state(&self) -> MutexGuard<'_, HashSet<DeliveryId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns true if a message can share a request with others.
    pub(crate) fn may_go_with(
        &self,
        others: &[&OutboundMessage],
        message: &OutboundMessage,
    ) -> bool {
        let suspects = self.state();
        let mut all = others.iter().copied().chain([message]);
        all.all(|message| !suspects.contains(&message.delivery))
    }

    /// Returns the outcome of each message after an error of their whole request.
    pub(crate) fn all_failed(&self, error: &SendError, messages: &[OutboundMessage]) -> Outcomes {
        self.all_failed_of(error, messages.iter())
    }

    /// Returns the outcomes as [`all_failed`](Self::all_failed) does, for messages that are not in a slice.
    pub(crate) fn all_failed_of<'a>(
        &self,
        error: &SendError,
        messages: impl ExactSizeIterator<Item = &'a OutboundMessage>,
    ) -> Outcomes {
        let count = messages.len();
        let mut suspects = self.state();
        if let Some(deferred) = as_deferral(error, count) {
            if suspects.len() + count > Self::MAX {
                suspects.clear();
            }
            suspects.extend(messages.map(|message| message.delivery));
            return for_each(&deferred, count);
        }
        if error.retry() == Retry::Never {
            for message in messages {
                suspects.remove(&message.delivery);
            }
        }
        for_each(error, count)
    }

    /// Forgets the messages that are not sent again.
    pub(crate) fn forget_ended(&self, messages: &[OutboundMessage], outcomes: &Outcomes) {
        let mut suspects = self.state();
        for (message, outcome) in messages.iter().zip(outcomes) {
            let error = outcome.as_ref().err();
            if error.is_none_or(|error| error.retry() == Retry::Never) {
                suspects.remove(&message.delivery);
            }
        }
    }
}

/// Returns the deferral of each of several messages after an error that may concern only one of them;
/// `None` if it concerns all of them, or there is only one.
fn as_deferral(error: &SendError, count: usize) -> Option<SendError> {
    let (scope, reason, retry_after) = match error {
        // A gateway that refuses one bad message is working.
        SendError::Rejected { reason }
        | SendError::InvalidAddress { reason }
        | SendError::Unroutable { reason }
        | SendError::Refused { reason } => (Deferral::Recipient, reason, None),
        SendError::Deferred {
            scope,
            reason,
            retry_after,
        } => (*scope, reason, *retry_after),
        _ => return None,
    };
    let reason = format!("one of {count} messages in a request, will be sent alone: {reason}");
    (count > 1).then_some(SendError::Deferred {
        scope,
        reason,
        retry_after,
    })
}

/// Takes the first of several results that belongs to a message, so that none is used twice.
pub(crate) fn take_first<T>(results: &mut Vec<T>, belongs: impl Fn(&T) -> bool) -> Option<T> {
    let position = results.iter().position(belongs)?;
    Some(results.remove(position))
}

/// Returns the error of a message that the answer does not mention.
pub(crate) fn unanswered() -> SendError {
    SendError::Unknown("the answer does not mention this message".into())
}

/// Copies an error. The cause becomes a text.
fn copy(error: &SendError) -> SendError {
    match error {
        SendError::Rejected { reason } => SendError::Rejected {
            reason: reason.clone(),
        },
        SendError::InvalidAddress { reason } => SendError::InvalidAddress {
            reason: reason.clone(),
        },
        SendError::Unauthorized { reason } => SendError::Unauthorized {
            reason: reason.clone(),
        },
        SendError::Unroutable { reason } => SendError::Unroutable {
            reason: reason.clone(),
        },
        SendError::Refused { reason } => SendError::Refused {
            reason: reason.clone(),
        },
        SendError::Deferred {
            scope,
            reason,
            retry_after,
        } => SendError::Deferred {
            scope: *scope,
            reason: reason.clone(),
            retry_after: *retry_after,
        },
        SendError::RateLimited {
            reason,
            retry_after,
        } => SendError::RateLimited {
            reason: reason.clone(),
            retry_after: *retry_after,
        },
        SendError::Unreachable(cause) => SendError::Unreachable(error_chain(&**cause).into()),
        SendError::Unknown(cause) => SendError::Unknown(error_chain(&**cause).into()),
        other => SendError::Unknown(other.detail().into()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn repeats_an_error_for_each_message() {
        let reason = || "because".to_owned();
        for error in [
            SendError::Rejected { reason: reason() },
            SendError::InvalidAddress { reason: reason() },
            SendError::Unauthorized { reason: reason() },
            SendError::Unroutable { reason: reason() },
            SendError::Refused { reason: reason() },
            SendError::Deferred {
                scope: Deferral::Recipient,
                reason: reason(),
                retry_after: Some(Duration::from_secs(17)),
            },
            SendError::RateLimited {
                reason: reason(),
                retry_after: Some(Duration::from_secs(17)),
            },
            SendError::Unreachable(reason().into()),
            SendError::Unknown(reason().into()),
        ] {
            let outcomes = for_each(&error, 3);
            assert_eq!(outcomes.len(), 3);
            for outcome in outcomes {
                assert_eq!(format!("{:?}", outcome.unwrap_err()), format!("{error:?}"));
            }
        }
    }

    #[test]
    fn uses_each_result_once() {
        let mut answers = vec![("a", 1), ("b", 2), ("a", 3)];
        let mut take = |name| take_first(&mut answers, |answer| answer.0 == name);
        assert_eq!(take("a"), Some(("a", 1)));
        assert_eq!(take("a"), Some(("a", 3)));
        assert_eq!(take("a"), None);
        assert_eq!(take("b"), Some(("b", 2)));
    }
}
