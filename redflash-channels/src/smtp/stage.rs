//! How far a conversation got, and so what its failure means.

use std::future::Future;

use lettre::transport::smtp::Error;
use redflash_core::{SendError, report};
use tokio::time::{Instant, timeout_at};

/// How far a conversation got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Connection, greeting and TLS.
    Connect,
    /// The login.
    Login,
    /// The sender was named, or the text announced.
    Sender,
    /// The recipient was named.
    Recipient,
    /// The text is under way: from here on the server may have taken it.
    Content,
}

/// Takes one step of a conversation.
pub(super) async fn step<T>(
    stage: Stage,
    end: Instant,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, SendError> {
    match timeout_at(end, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(fault)) => Err(stage.failure(fault)),
        Err(_) => Err(stage.silence()),
    }
}

impl Stage {
    /// What follows when the server does not answer.
    pub(super) fn silence(self) -> SendError {
        self.lost("no answer in time".into())
    }

    /// What follows from a failure at this stage.
    pub(super) fn failure(self, fault: Error) -> SendError {
        let reason = report(&fault);
        let code = fault.status().map(u16::from);
        match (self, code) {
            // Authentication is required, too weak, wrong, or wants encryption (RFC 4954).
            (_, Some(530 | 534 | 535 | 538)) | (Self::Connect | Self::Login, Some(500..)) => {
                SendError::Unauthorized { reason }
            }
            (Self::Login, None) if fault.is_client() => SendError::Unauthorized { reason },
            (Self::Recipient, Some(500..)) => SendError::InvalidAddress { reason },
            (_, Some(500..)) => SendError::Rejected { reason },
            (_, Some(_)) => SendError::Unreachable(fault.into()),
            (_, None) => self.lost(fault.into()),
        }
    }

    fn lost(self, cause: redflash_core::BoxError) -> SendError {
        match self {
            Self::Content => SendError::Unknown(cause),
            _ => SendError::Unreachable(cause),
        }
    }
}
