//! Messages that people send back.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::model::{Address, ChannelKind, DeliveryId, InboundId, Slug};

/// A stored message that a person sent back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbound {
    /// Identifier of the message.
    pub id: InboundId,
    /// The gateway it came through.
    pub gateway: Slug,
    /// The gateway's channel.
    pub channel: ChannelKind,
    /// The gateway's id of the message.
    pub message_id: Option<String>,
    /// Sender.
    pub from: Address,
    /// Text, at most [`Inbound::MAX_TEXT`] bytes of it.
    pub text: String,
    /// Time of receipt.
    pub received_at: Timestamp,
    /// Contacts with the sender's address.
    pub contacts: Vec<Slug>,
    /// The delivery it answers, if the gateway reports one.
    pub answers: Option<DeliveryId>,
    /// Effect of the message, for people.
    pub effect: String,
}

impl Inbound {
    /// The maximum size of a stored text, in bytes.
    pub const MAX_TEXT: usize = 4096;

    /// Returns the text to store: without control characters except line ends and tabs, cut with a
    /// mark.
    pub fn kept(text: &str) -> String {
        const MARK: &str = " […]";
        let visible = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
        let mut kept: String = text.chars().filter(|c| visible(*c)).collect();
        if kept.len() > Self::MAX_TEXT {
            kept.truncate(kept.floor_char_boundary(Self::MAX_TEXT - MARK.len()));
            kept.push_str(MARK);
        }
        kept
    }
}

/// A message that a person sent back, as a channel reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundMessage {
    /// The gateway's id of the message, which identifies repeats.
    pub message_id: Option<String>,
    /// Sender, in the channel's normal form.
    pub from: Address,
    /// The text.
    pub text: String,
    /// The delivery it answers, if the gateway echoes our reference.
    pub answers: Option<DeliveryId>,
    /// The gateway's id of the message it answers.
    pub answers_message: Option<String>,
}

/// A command that consists of one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyword {
    /// Opt out: send nothing more to this address.
    Stop,
    /// Opt in again.
    Start,
}

impl Keyword {
    /// Returns the keyword of a message, by the conventions of text messages. Only a message of one
    /// word counts, in any case and with any punctuation around it: a sentence with "stop" in it is
    /// a message.
    pub fn of(text: &str) -> Option<Self> {
        let word = text.trim_matches(|c: char| !c.is_alphanumeric());
        match &*word.to_uppercase() {
            "STOP" | "STOPALL" | "STOP ALL" | "UNSUBSCRIBE" | "CANCEL" | "END" | "QUIT"
            | "REVOKE" | "OPTOUT" | "OPT OUT" | "OPT-OUT" => Some(Self::Stop),
            "START" | "UNSTOP" => Some(Self::Start),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_a_single_word_as_keyword() {
        for word in [
            "STOP",
            "STOPALL",
            "UNSUBSCRIBE",
            "CANCEL",
            "END",
            "QUIT",
            "REVOKE",
            "OPTOUT",
        ] {
            let lower = word.to_lowercase();
            for stop in [
                word.to_owned(),
                format!(" {lower}\r\n"),
                format!("{lower}."),
                format!("\u{201c}{word}\u{201d}!!"),
                format!("*{lower}*"),
                format!("({word})?"),
            ] {
                assert_eq!(Keyword::of(&stop), Some(Keyword::Stop), "{stop}");
            }
        }
        for stop in ["Stop all", "opt out", "Opt-out."] {
            assert_eq!(Keyword::of(stop), Some(Keyword::Stop), "{stop}");
        }
        assert_eq!(Keyword::of("start"), Some(Keyword::Start));
        assert_eq!(Keyword::of(" \"START\"."), Some(Keyword::Start));
        for message in [
            "",
            "...",
            "stop the press",
            "please stop",
            "stop, no: go on",
            "the end",
            "yes",
            "STOP2",
            "ok",
        ] {
            assert_eq!(Keyword::of(message), None, "{message}");
        }
    }

    #[test]
    fn cuts_a_long_text_with_a_mark() {
        assert_eq!(Inbound::kept("a\0b\r\nc"), "ab\nc");
        let kept = Inbound::kept(&"ж".repeat(100_000));
        assert!(kept.len() <= Inbound::MAX_TEXT && kept.ends_with("ж […]"));
    }
}
