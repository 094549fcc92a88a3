//! Messages that people send back.

use serde::{Deserialize, Serialize};

use crate::{Address, ChannelKind, DeliveryId, InboundId, Slug, Timestamp};

/// A message that a person sent back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbound {
    /// Names it.
    pub id: InboundId,
    /// The gateway it came through.
    pub gateway: Slug,
    /// The gateway's channel.
    pub channel: ChannelKind,
    /// The gateway's own id of the message.
    pub message_id: Option<String>,
    /// Who sent it.
    pub from: Address,
    /// The text, at most [`Inbound::LONGEST`] bytes of it.
    pub text: String,
    /// When it came.
    pub received_at: Timestamp,
    /// The contacts who have that address.
    pub contacts: Vec<Slug>,
    /// The delivery it answers, as far as the gateway says.
    pub answers: Option<DeliveryId>,
    /// What it did, for people.
    pub effect: String,
}

impl Inbound {
    /// The longest text that is kept, in bytes.
    pub const LONGEST: usize = 4096;

    /// A text as it is kept: without control characters but line ends, cut with a mark.
    pub fn kept(text: &str) -> String {
        const MARK: &str = " […]";
        let visible = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
        let mut kept: String = text.chars().filter(|c| visible(*c)).collect();
        if kept.len() > Self::LONGEST {
            kept.truncate(kept.floor_char_boundary(Self::LONGEST - MARK.len()));
            kept.push_str(MARK);
        }
        kept
    }
}

/// A message that a person sent back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundMessage {
    /// The gateway's own id of the message, by which a repeat is known.
    pub message_id: Option<String>,
    /// Who sent it, in the channel's normal form.
    pub from: Address,
    /// The text.
    pub text: String,
    /// The delivery it answers, where the gateway echoes our reference.
    pub answers: Option<DeliveryId>,
    /// The gateway's own id of the message it answers.
    pub answers_message: Option<String>,
}

/// What a message asks for by being one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyword {
    /// To be told nothing more at this address.
    Stop,
    /// To be told again.
    Start,
}

impl Keyword {
    /// The word of a message, in the customs of text messages. One word alone counts, whatever its
    /// case and the punctuation around it: a sentence with "stop" in it is a message.
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
    fn one_word_alone_is_a_keyword() {
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
    fn a_long_text_is_cut_with_a_mark() {
        assert_eq!(Inbound::kept("a\0b\r\nc"), "ab\nc");
        let kept = Inbound::kept(&"ж".repeat(100_000));
        assert!(kept.len() <= Inbound::LONGEST && kept.ends_with("ж […]"));
    }
}
