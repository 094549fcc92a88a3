//! How far a conversation got, and so what its failure means.

use std::future::Future;

use lettre::transport::smtp::Error;
use redflash_core::{BoxError, SendError, error_chain};
use tokio::time::{Instant, timeout_at};

use super::reply::Reply;

/// How far a conversation got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Connection, greeting, EHLO and TLS.
    Connect,
    /// The login.
    Login,
    /// The sender was named.
    Sender {
        /// True if the address is the gateway's own, not that of an event.
        is_ours: bool,
    },
    /// The recipient was named.
    Recipient,
    /// The text was announced.
    Data,
    /// The text is under way: from here on the server may have taken it.
    Content,
}

/// A step of a conversation that failed.
#[derive(Debug)]
pub(super) struct Failure {
    stage: Stage,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    /// The server refused the step.
    Answer(Reply),
    /// The step was not taken, since it cannot be with this server.
    Impossible(Error),
    /// The connection was lost, or what came back makes no sense.
    Lost(Error),
    /// Nothing came back in time.
    Silence,
}

/// Takes one step of a conversation.
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
        Err(_) => Cause::Silence,
    };
    Err(Failure { stage, cause })
}

impl Failure {
    /// Returns true if the server had already ended the session, or ends it now. On a connection that
    /// was idle, this says nothing about the mail.
    pub(super) fn ended_session(&self) -> bool {
        match &self.cause {
            Cause::Answer(reply) => reply.ends_session(),
            Cause::Lost(_) => true,
            Cause::Impossible(_) | Cause::Silence => false,
        }
    }

    /// The consequence of this failure.
    pub(super) fn meaning(self) -> SendError {
        let Self { stage, cause } = self;
        let lost = |cause: BoxError| match stage {
            Stage::Content => SendError::Unknown(cause),
            _ => SendError::Unreachable(cause),
        };
        match cause {
            Cause::Answer(reply) => reply.meaning(stage),
            Cause::Impossible(error) if stage == Stage::Login => SendError::Unauthorized {
                reason: error_chain(&error),
            },
            Cause::Impossible(error) | Cause::Lost(error) => lost(error.into()),
            Cause::Silence => lost("no answer in time".into()),
        }
    }
}
