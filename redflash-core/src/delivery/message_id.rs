//! The ids that gateways give to messages, in the form in which they are kept and compared.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::{Accepted, InboundMessage, Receipt};

/// Number of bytes that a kept id has at most. An index of Postgres takes no more than 2704 bytes for
/// an entry, and a table on a page no more than people can read.
const LONGEST: usize = 255;

/// A gateway's id of a message, in the form in which it is kept; `None` if it is empty.
///
/// It comes from outside, so it can be of any length and hold any character. A character that controls
/// something is replaced. Of a long id the beginning is kept, with a digest of the whole, so that equal
/// ids stay equal and different ones stay different.
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
    /// The same with its id in the form in which ids are kept.
    pub(crate) fn with_kept_id(self) -> Self {
        Self {
            message_id: self.message_id.as_deref().and_then(kept),
            ..self
        }
    }
}

impl Receipt {
    /// The same with its id in the form in which ids are kept.
    pub(crate) fn with_kept_id(self) -> Self {
        Self {
            message_id: self.message_id.as_deref().and_then(kept),
            ..self
        }
    }
}

impl InboundMessage {
    /// The same with its ids in the form in which ids are kept.
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
    fn an_ordinary_id_is_kept_as_it_is() {
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
    fn a_strange_id_is_bounded_and_still_tells_messages_apart() {
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
