//! A text as it reaches an SMS centre.

use percent_encoding::percent_decode_str;

use crate::Received;

/// The alphabet of a text, by Kannel's number for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// The GSM 7-bit alphabet, which Kannel passes on to a centre of this type as UTF-8.
    Gsm7,
    /// UCS-2, as UTF-16 of big end first.
    Ucs2,
}

/// A text, or a part of one, as it reached the centre.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The sender.
    pub from: String,
    /// The receiver.
    pub to: String,
    /// The alphabet.
    pub coding: Coding,
    /// The text, encoded in that alphabet.
    pub bytes: Vec<u8>,
    /// Which of how many parts it is.
    pub part: (u8, u8),
    /// The centre's id for it.
    pub id: String,
}

impl Text {
    /// Returns the decoded text; undecodable bytes are marked.
    pub fn says(&self) -> String {
        Self::whole(std::slice::from_ref(self))
    }

    /// Joins the parts of a text, in whatever order they came.
    pub fn whole(parts: &[Self]) -> String {
        let mut parts: Vec<_> = parts.iter().collect();
        parts.sort_by_key(|text| text.part);
        let bytes: Vec<u8> = parts
            .iter()
            .flat_map(|text| text.bytes.iter().copied())
            .collect();
        match parts[0].coding {
            Coding::Gsm7 => String::from_utf8_lossy(&bytes).into_owned(),
            Coding::Ucs2 => {
                let units = bytes.chunks(2).map(|pair| match pair {
                    [high, low] => u16::from_be_bytes([*high, *low]),
                    _ => 0xfffd,
                });
                String::from_utf16_lossy(&units.collect::<Vec<_>>())
            }
        }
    }

    pub(crate) fn of(request: &Received) -> Self {
        let (_, query) = request.path.split_once('?').unwrap_or_default();
        // Texts are bytes in several alphabets.
        let bytes = |name: &str| -> Vec<u8> {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let value = pairs.find(|(key, _)| *key == name);
            let value = value.map_or("", |(_, value)| value).replace('+', " ");
            percent_decode_str(&value).collect()
        };
        let text = |name| String::from_utf8(bytes(name)).unwrap();
        Self {
            from: text("from"),
            to: text("to"),
            coding: match &*text("coding") {
                "0" => Coding::Gsm7,
                "2" => Coding::Ucs2,
                other => panic!("a text of the coding {other}"),
            },
            bytes: bytes("text"),
            part: match bytes("udh")[..] {
                [] => (1, 1),
                // The header of a part: the reference, how many there are, which this is.
                [5, 0, 3, _, of, part] => (part, of),
                ref other => panic!("a text with the header {other:?}"),
            },
            id: text("id"),
        }
    }
}
