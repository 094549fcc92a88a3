//! The steps of a conversation with a mail server, and the meaning of their failures.

use std::future::Future;

use lettre::transport::smtp::Error;
use redflash_core::message::SendError;
use redflash_core::{BoxError, error_chain};
use tokio::time::{Instant, timeout_at};

use super::reply::Reply;
use super::stage::Stage;

/// A failed step of a conversation.
#[derive(Debug)]
pub(super) struct Failure {
    stage: Stage,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    /// The server refused the step.
    Answer(Reply),
    /// The step is impossible with this server.
    Impossible(Error),
    /// The connection was lost, or the reply is invalid.
    Lost(Error),
    /// There was no reply in time.
    Timeout,
}

/// Performs one step of a conversation.
pub(super) async fn step<T>(
    stage: Stage,
    end: Instant,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    let cause = match timeout_at(end, work).await {
        Ok(Ok(done)) => return Ok(done),
        Ok(Err(error)) => match Reply::of(&error) {
            Some(reply) => Cause::Answer(reply),
            None if error.is_client() => Cause::Impossible(error),
            None => Cause::Lost(error),
        },
        Err(_) => Cause::Timeout,
    };
    Err(Failure { stage, cause })
}

impl Failure {
    /// Returns true if the server had already ended the session, or ends it now. On an idle connection,
    /// this does not concern the mail.
    pub(super) fn ended_session(&self) -> bool {
        match &self.cause {
            Cause::Answer(reply) => reply.ends_session(),
            Cause::Lost(_) => true,
            Cause::Impossible(_) | Cause::Timeout => false,
        }
    }

    /// Returns the send error of this failure.
    pub(super) fn send_error(self) -> SendError {
        let Self { stage, cause } = self;
        let lost = |cause: BoxError| match stage {
            Stage::Content => SendError::Unknown(cause),
            _ => SendError::Unreachable(cause),
        };
        match cause {
            Cause::Answer(reply) => reply.send_error(stage),
            Cause::Impossible(error) if stage == Stage::Login => SendError::Unauthorized {
                reason: error_chain(&error),
            },
            Cause::Impossible(error) | Cause::Lost(error) => lost(error.into()),
            Cause::Timeout => lost("no answer in time".into()),
        }
    }
}
