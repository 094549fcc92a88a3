//! One request for several messages.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redflash_core::{
    Accepted, Deferral, DeliveryId, OutboundMessage, Retry, SendError, error_chain,
};

/// What an answer means for each message of a request.
pub(crate) type Outcomes = Vec<Result<Accepted, SendError>>;

/// The same error for each of several messages.
fn for_each(error: &SendError, count: usize) -> Outcomes {
    let mut outcomes = Vec::new();
    outcomes.resize_with(count, || Err(again(error)));
    outcomes
}

/// The messages that were refused in the company of others, without a word which of them is wrong.
///
/// Such a refusal condemns none of them: each is deferred and goes in a request of its own from then
/// on, where it is seen which is wrong. Not kept beyond the process: at worst, a request is refused
/// once more.
#[derive(Debug, Default)]
pub(crate) struct Suspects(Mutex<HashSet<DeliveryId>>);

impl Suspects {
    /// Number of messages remembered.
    const MOST: usize = 10_000;

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

    /// The outcome of each message after an error of their whole request.
    pub(crate) fn all_failed(&self, error: &SendError, messages: &[OutboundMessage]) -> Outcomes {
        self.all_failed_of(error, messages.iter())
    }

    /// The same for messages that stand apart.
    pub(crate) fn all_failed_of<'a>(
        &self,
        error: &SendError,
        messages: impl ExactSizeIterator<Item = &'a OutboundMessage>,
    ) -> Outcomes {
        let count = messages.len();
        let mut suspects = self.state();
        if let Some(deferred) = of_company(error, count) {
            if suspects.len() + count > Self::MOST {
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

/// The meaning for each of several messages of an error that may be about one of them alone; `None`
/// where it is about all, or about the only one.
fn of_company(error: &SendError, count: usize) -> Option<SendError> {
    let (scope, reason, retry_after) = match error {
        // A gateway that refuses one bad message works.
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
    let reason = format!("one of {count} messages of a request, next time alone: {reason}");
    (count > 1).then_some(SendError::Deferred {
        scope,
        reason,
        retry_after,
    })
}

/// Takes the first of several answers that belongs to a message, so that none is given twice.
pub(crate) fn take_first<T>(answers: &mut Vec<T>, belongs: impl Fn(&T) -> bool) -> Option<T> {
    let place = answers.iter().position(belongs)?;
    Some(answers.remove(place))
}

/// What is known of a message of which the answer does not speak.
pub(crate) fn unanswered() -> SendError {
    SendError::Unknown("the answer does not speak of this message".into())
}

/// An error once more. Its cause becomes a text.
fn again(error: &SendError) -> SendError {
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
    fn an_error_is_the_same_for_each_message() {
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
    fn an_answer_is_given_once() {
        let mut answers = vec![("a", 1), ("b", 2), ("a", 3)];
        let mut take = |name| take_first(&mut answers, |answer| answer.0 == name);
        assert_eq!(take("a"), Some(("a", 1)));
        assert_eq!(take("a"), Some(("a", 3)));
        assert_eq!(take("a"), None);
        assert_eq!(take("b"), Some(("b", 2)));
    }
}
