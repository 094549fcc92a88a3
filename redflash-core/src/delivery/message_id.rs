//! Normal form of the ids that gateways give to messages.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::delivery::Receipt;
use crate::inbound::InboundMessage;
use crate::message::Accepted;

/// The maximum number of bytes of a stored id. An index entry of Postgres has at most 2704 bytes,
/// and a table on a page should stay readable.
const LONGEST: usize = 255;

/// Returns a gateway's id of a message in normal form; `None` if it is empty.
///
/// The id comes from outside, so it can have any length and contain any character. Control
/// characters are replaced. A long id is cut and gets a digest of the whole, so that equal ids stay
/// equal and different ones stay different.
fn kept(id: &str) -> Option<String> {
    let id = id.trim();
    let plain = |c: char| {
        if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    let text: String = id.chars().take(LONGEST).map(plain).collect();
    if text.is_empty() {
        return None;
    }
    if id.len() <= LONGEST && text.len() <= LONGEST {
        return Some(text);
    }
    let end = text.floor_char_boundary(LONGEST - 2 * Sha256::output_size() - 1);
    let mut short = format!("{}~", &text[..end]);
    for byte in Sha256::digest(id) {
        write!(short, "{byte:02x}").expect("a text takes every text");
    }
    Some(short)
}

impl Accepted {
    /// Returns the answer with its id in normal form.
    pub(crate) fn with_kept_id(self) -> Self {
        Self {
            message_id: self.message_id.as_deref().and_then(kept),
            ..self
        }
    }
}

impl Receipt {
    /// Returns the receipt with its id in normal form.
    pub(crate) fn with_kept_id(self) -> Self {
        Self {
            message_id: self.message_id.as_deref().and_then(kept),
            ..self
        }
    }
}

impl InboundMessage {
    /// Returns the message with its ids in normal form.
    pub(crate) fn with_kept_ids(self) -> Self {
        Self {
            message_id: self.message_id.as_deref().and_then(kept),
            answers_message: self.answers_message.as_deref().and_then(kept),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_ordinary_ids() {
        for id in [
            "0A0000000123ABCD1",
            "-1001/12",
            "$YUwRidLecu:example.com",
            &"x".repeat(255),
        ] {
            assert_eq!(kept(id).as_deref(), Some(id));
        }
        assert_eq!(kept(" 17\n").as_deref(), Some("17"));
        assert_eq!(kept(" "), None);
    }

    #[test]
    fn bounds_strange_ids_and_keeps_them_distinct() {
        let long = "é".repeat(100_000);
        let mut ids = vec![
            kept(&long).unwrap(),
            kept(&format!("{long}1")).unwrap(),
            kept(&"\u{0}".repeat(255)).unwrap(),
            kept(&"\u{0}".repeat(254)).unwrap(),
            kept(&"x".repeat(256)).unwrap(),
            kept("a\u{0}b").unwrap(),
        ];
        assert_eq!(ids[0], kept(&long).unwrap());
        for id in &ids {
            assert!((3..=LONGEST).contains(&id.len()), "{id}");
            assert!(!id.contains(char::is_control), "{id}");
        }
        ids.dedup();
        assert_eq!(ids.len(), 6);
    }
}
