//! One request for several messages.

use redflash_core::{Accepted, SendError, report};

/// What an answer means for each message of a request.
pub(crate) type Outcomes = Vec<Result<Accepted, SendError>>;

/// The same error for each of several messages.
pub(crate) fn for_each(error: &SendError, count: usize) -> Outcomes {
    let mut outcomes = Vec::new();
    outcomes.resize_with(count, || Err(again(error)));
    outcomes
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
        SendError::RateLimited {
            reason,
            retry_after,
        } => SendError::RateLimited {
            reason: reason.clone(),
            retry_after: *retry_after,
        },
        SendError::Unreachable(cause) => SendError::Unreachable(report(&**cause).into()),
        SendError::Unknown(cause) => SendError::Unknown(report(&**cause).into()),
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
