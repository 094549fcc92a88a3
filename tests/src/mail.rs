//! A mail as it arrived.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// A mail as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Whether it came under TLS.
    pub tls: bool,
    /// The user that logged in to send it.
    pub login: Option<String>,
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// Headers and text, dots unstuffed, lines ended by CR LF.
    pub source: String,
}

impl Mail {
    /// A header's value, unfolded; empty when there is none.
    pub fn header(&self, name: &str) -> String {
        let head = self.source.split("\r\n\r\n").next().unwrap_or_default();
        let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let value = head.lines().find_map(|line| {
            let (given, value) = line.split_once(':')?;
            given
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        });
        value.unwrap_or_default()
    }

    /// The names of all headers, in lower case.
    pub fn header_names(&self) -> Vec<String> {
        let head = self.source.split("\r\n\r\n").next().unwrap_or_default();
        let lines = head.lines().filter(|line| !line.starts_with([' ', '\t']));
        lines
            .filter_map(|line| Some(line.split_once(':')?.0.to_ascii_lowercase()))
            .collect()
    }

    /// The text, with its transfer encoding undone, lines ended by LF.
    pub fn text(&self) -> String {
        let (_, body) = self.source.split_once("\r\n\r\n").unwrap();
        let bytes = match &*self
            .header("Content-Transfer-Encoding")
            .to_ascii_lowercase()
        {
            "base64" => BASE64_STANDARD.decode(body.replace("\r\n", "")).unwrap(),
            "quoted-printable" => unquote(body),
            _ => body.as_bytes().to_vec(),
        };
        String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
    }
}

/// Undoes quoted-printable (RFC 2045, section 6.7).
fn unquote(text: &str) -> Vec<u8> {
    let text = text.replace("=\r\n", "");
    let mut pieces = text.split('=');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (code, rest) = piece.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).unwrap());
        bytes.extend(rest.as_bytes());
    }
    bytes
}
