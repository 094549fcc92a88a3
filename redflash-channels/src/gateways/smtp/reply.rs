//! The meaning of a server's refusal, by its enhanced status code, then by stage and class.

use std::error::Error as _;
use std::fmt;

use lettre::transport::smtp::Error;
use redflash_core::message::{Deferral, SendError};

use super::stage::Stage;

/// Maximum number of characters of a reply in the log.
const LONGEST: usize = 400;

/// A negative reply (RFC 5321, section 4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    code: u16,
    status: Option<Status>,
    text: String,
}

/// Subject and detail of an enhanced status code (RFC 3463). Its class repeats the first digit of
/// the reply code, which governs (RFC 2034, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Status {
    subject: u16,
    detail: u16,
}

impl Status {
    /// Reads the code at the beginning of a reply's text.
    fn parse(text: &str) -> Option<Self> {
        let number = |part: &str| {
            let legal = matches!(part.len(), 1..=3) && part.bytes().all(|b| b.is_ascii_digit());
            part.parse().ok().filter(|_| legal)
        };
        let mut parts = text.split_whitespace().next()?.split('.');
        let class = parts.next()?;
        let (subject, detail) = (number(parts.next()?)?, number(parts.next()?)?);
        let legal = matches!(class, "4" | "5") && parts.next().is_none();
        legal.then_some(Self { subject, detail })
    }
}

impl Reply {
    /// Returns the reply in an error, if the server sent one.
    pub(super) fn of(error: &Error) -> Option<Self> {
        let code = error.status()?.into();
        let text = error.source().map(ToString::to_string).unwrap_or_default();
        Some(Self::new(code, &text))
    }

    fn new(code: u16, text: &str) -> Self {
        let visible = text.trim().chars().filter(|c| !c.is_control());
        Self {
            code,
            status: Status::parse(text),
            text: visible.take(LONGEST).collect(),
        }
    }

    /// Returns true if the server closes the connection after this reply (RFC 5321, section 3.8).
    pub(super) const fn ends_session(&self) -> bool {
        self.code == 421
    }

    /// Returns the send error of this reply at a stage of the conversation.
    pub(super) fn send_error(&self, stage: Stage) -> SendError {
        let reason = self.to_string();
        let is_about_mail = !matches!(stage, Stage::Connect | Stage::Login);
        match self.code {
            _ if is_about_mail && self.is_permanent() && self.is_about_text() => {
                SendError::Rejected { reason }
            }
            // Authentication is required, too weak, wrong, or requires encryption (RFC 4954).
            530 | 534 | 535 | 538 => SendError::Unauthorized { reason },
            421 => SendError::Unreachable(reason.into()),
            _ if self.is_permanent() => self.refusal(stage, reason),
            _ => self.deferral(stage, reason),
        }
    }

    /// Returns the send error of a reply 4yz.
    fn deferral(&self, stage: Stage, reason: String) -> SendError {
        let scope = match (stage, self.status.map(|status| status.subject)) {
            (Stage::Connect | Stage::Login | Stage::Sender { .. }, _) => {
                return SendError::Unreachable(reason.into());
            }
            // A full mailbox, or greylisting.
            (Stage::Recipient, _) | (Stage::Data | Stage::Content, Some(1 | 2)) => {
                Deferral::Recipient
            }
            (Stage::Data | Stage::Content, _) => Deferral::Message,
        };
        SendError::Deferred {
            scope,
            reason,
            retry_after: None,
        }
    }

    /// Returns the send error of a reply 5yz.
    fn refusal(&self, stage: Stage, reason: String) -> SendError {
        match stage {
            Stage::Connect | Stage::Login | Stage::Sender { is_ours: true } => {
                SendError::Unauthorized { reason }
            }
            // The server may accept another event's sender.
            Stage::Sender { is_ours: false } => SendError::Refused { reason },
            Stage::Recipient | Stage::Data | Stage::Content => match self.status {
                Some(_) if self.is_about_sender() => SendError::Refused { reason },
                Some(Status {
                    subject: 2,
                    detail: 3,
                }) if stage != Stage::Recipient => SendError::Rejected { reason },
                Some(Status { subject: 1 | 2, .. }) => SendError::InvalidAddress { reason },
                // The mail system, the network, the protocol or a policy refuses us.
                Some(Status {
                    subject: 3 | 4 | 5 | 7,
                    ..
                }) => SendError::Refused { reason },
                _ if stage == Stage::Recipient => SendError::InvalidAddress { reason },
                _ => SendError::Rejected { reason },
            },
        }
    }

    const fn is_permanent(&self) -> bool {
        self.code >= 500
    }

    /// Returns true if the reply refuses the message itself, for its size (X.3.4) or its form (X.6).
    const fn is_about_text(&self) -> bool {
        matches!(
            self.status,
            Some(
                Status {
                    subject: 3,
                    detail: 4
                } | Status { subject: 6, .. }
            )
        )
    }

    /// Returns true if the reply refuses the sender's address rather than the recipient's: X.1.7 and
    /// X.1.8 in RFC 3463. Postfix and Exchange also answer RCPT with X.1.0, the "other address status";
    /// only the text then shows which address is meant ("Sender address rejected", "Sender denied").
    fn is_about_sender(&self) -> bool {
        match self.status {
            Some(Status {
                subject: 1,
                detail: 7 | 8,
            }) => true,
            Some(Status {
                subject: 1,
                detail: 0,
            }) => self.text.to_ascii_lowercase().contains("sender"),
            _ => false,
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stage, the reply, and the resulting send error.
    const CASES: &[(Stage, &str, &str)] = {
        use Stage::{Connect, Content, Data, Login, Recipient, Sender};
        const OURS: Stage = Sender { is_ours: true };
        const EVENTS: Stage = Sender { is_ours: false };
        &[
            // One recipient, for good.
            (Recipient, "550 5.1.1 no such user", "invalid address"),
            (Recipient, "550 5.1.2 bad domain", "invalid address"),
            (Recipient, "556 5.1.10 null MX", "invalid address"),
            (Recipient, "550 5.1.0 address rejected", "invalid address"),
            (Recipient, "550 5.2.1 mailbox disabled", "invalid address"),
            (Recipient, "552 5.2.2 mailbox full", "invalid address"),
            (Content, "552 5.2.2 mailbox full", "invalid address"),
            (Content, "550 5.1.1 no such user", "invalid address"),
            // One recipient, later.
            (Recipient, "452 4.2.2 mailbox full", "deferred recipient"),
            (Recipient, "450 4.7.1 greylisted", "deferred recipient"),
            (Recipient, "451 4.3.0 lookup failed", "deferred recipient"),
            (Recipient, "452 4.5.3 too many", "deferred recipient"),
            (Recipient, "450 try later", "deferred recipient"),
            (Content, "452 4.2.2 mailbox full", "deferred recipient"),
            // One message, later.
            (Data, "451 4.3.0 try later", "deferred message"),
            (Content, "451 4.3.0 try later", "deferred message"),
            (Content, "451 4.7.1 try later", "deferred message"),
            (Content, "452 no space", "deferred message"),
            // One message, for good.
            (Recipient, "552 5.3.4 too big", "rejected"),
            (Recipient, "550 5.6.7 needs SMTPUTF8", "rejected"),
            (OURS, "552 5.3.4 too big", "rejected"),
            (Content, "552 5.3.4 too big", "rejected"),
            (Content, "554 5.6.0 malformed", "rejected"),
            (Content, "552 5.2.3 too large", "rejected"),
            (Content, "554 no", "rejected"),
            (Data, "554 no", "rejected"),
            // Us, for this message: the next gateway.
            (Recipient, "554 5.7.1 blocked", "refused"),
            (Recipient, "550 5.7.1 relaying denied", "refused"),
            (Recipient, "550 5.4.5 daily quota exceeded", "refused"),
            (
                Recipient,
                "504 5.5.2 need fully-qualified hostname",
                "refused",
            ),
            (Recipient, "550 5.3.2 not accepting mail", "refused"),
            (Recipient, "553 5.1.8 domain of sender", "refused"),
            (Recipient, "550 5.1.7 bad sender", "refused"),
            (
                Recipient,
                "550 5.1.0 <a@b>: Sender address rejected",
                "refused",
            ),
            (Data, "554 5.5.1 no valid recipients", "refused"),
            (Content, "554 5.7.1 looks like spam", "refused"),
            (Content, "550 5.7.26 unauthenticated", "refused"),
            (EVENTS, "553 5.7.1 not your address", "refused"),
            (EVENTS, "550 no", "refused"),
            // Us, whatever the message.
            (OURS, "553 5.7.1 not your address", "account refused"),
            (OURS, "550 5.4.5 daily quota exceeded", "account refused"),
            (OURS, "550 no", "account refused"),
            (OURS, "530 5.7.0 log in first", "account refused"),
            (Recipient, "530 5.7.0 log in first", "account refused"),
            (Login, "535 5.7.8 wrong password", "account refused"),
            (Login, "504 5.5.4 unknown mechanism", "account refused"),
            (Connect, "554 5.7.1 not from you", "account refused"),
            (
                Connect,
                "504 5.5.2 need fully-qualified hostname",
                "account refused",
            ),
            // The gateway, later.
            (Connect, "421 4.3.2 try later", "not handed over"),
            (Connect, "450 4.7.1 try later", "not handed over"),
            (Login, "454 4.7.0 try later", "not handed over"),
            (OURS, "452 4.3.1 no space", "not handed over"),
            (EVENTS, "451 4.7.1 try later", "not handed over"),
            (Recipient, "421 4.7.0 too many errors", "not handed over"),
            (Content, "421 4.3.2 shutting down", "not handed over"),
        ]
    };

    #[test]
    fn enhanced_code_then_stage_and_class_say_who_is_refused() {
        for &(stage, answer, expected) in CASES {
            let (code, text) = answer.split_once(' ').unwrap();
            let error = Reply::new(code.parse().unwrap(), text).send_error(stage);
            let scope = match &error {
                SendError::Deferred { scope, .. } => format!(" {scope:?}").to_lowercase(),
                _ => String::new(),
            };
            let found = format!("{}{scope}", error.class());
            assert_eq!(found, expected, "{answer} at {stage:?}");
            assert!(error.detail().contains(answer), "{}", error.detail());
        }
    }

    #[test]
    fn reads_enhanced_codes_at_the_start_of_the_text() {
        let code = |subject, detail| Some(Status { subject, detail });
        assert_eq!(Status::parse("5.1.1 no"), code(1, 1));
        assert_eq!(Status::parse("4.7.500 busy"), code(7, 500));
        assert_eq!(Status::parse("5.7.1"), code(7, 1));
        for none in [
            "",
            "no 5.1.1",
            "5.1",
            "5.1.1.1 x",
            "5..1",
            "2.1.5 ok",
            "5.1.1000",
            "5.+1.1",
        ] {
            assert_eq!(Status::parse(none), None, "{none}");
        }
    }

    #[test]
    fn texts_of_replies_are_bounded_and_printable() {
        let reply = Reply::new(550, &format!("5.1.1 no\u{1b}[31m{}", "x".repeat(5000)));
        let shown = reply.to_string();
        assert!(shown.starts_with("550 5.1.1 no[31mx"), "{shown}");
        assert!(shown.len() < 500 && !shown.contains('\u{1b}'));
    }
}
