//! What is said: a literal text, an event's own words, or the fallback when those fail.

use serde::{Deserialize, Serialize};

use crate::raise::Content;
use crate::template::Arguments;
use crate::{Event, Template, Timestamp};

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The subject, for channels that have one.
    pub subject: String,
    /// The text.
    pub body: String,
    /// Who it says it comes from, where the gateway allows that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Why the text is a fallback, when the event's own template failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded: Option<String>,
    /// Whether the text was cut at the bound for messages.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

pub(super) fn message(content: &Content, event: Option<&Event>, now: Timestamp) -> Message {
    match (content, event) {
        (Content::Arguments(arguments), Some(event)) => event_message(event, arguments, now),
        (Content::Arguments(_), None) => literal(""),
        (Content::Message(text), _) => literal(text),
    }
}

/// The subject that a text makes: its first line, shortened. Mail folds it.
fn first_line(body: &str) -> String {
    const LONGEST: usize = 200;
    let line = body
        .trim_start()
        .lines()
        .next()
        .unwrap_or_default()
        .trim_end();
    if line.chars().count() <= LONGEST {
        return line.to_owned();
    }
    line.chars().take(LONGEST - 1).chain(['…']).collect()
}

fn literal(text: &str) -> Message {
    let body = printable(text);
    Message {
        subject: first_line(&body),
        body,
        sender: None,
        degraded: None,
        cut: false,
    }
}

fn event_message(event: &Event, arguments: &Arguments, now: Timestamp) -> Message {
    let render = |source: &str| Template::parse(source)?.render(arguments, now);
    let (body, degraded, cut) = match render(&event.message) {
        Ok(rendered) => (rendered.text, None, rendered.cut),
        Err(error) => {
            let (text, cut) = fallback(event, arguments);
            (text, Some(error.to_string()), cut)
        }
    };
    let subject = match event.subject.as_deref().map(render) {
        Some(Ok(rendered)) => first_line(&printable(&rendered.text)),
        _ => event.name.to_string(),
    };
    Message {
        subject,
        body: printable(&body),
        sender: event.sender.clone(),
        degraded,
        cut,
    }
}

/// What is said when an event's own template fails: its name, and each argument on its line.
fn fallback(event: &Event, arguments: &Arguments) -> (String, bool) {
    let mut text = event.name.to_string();
    for (name, value) in arguments {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        text.extend(["\n", name, ": ", &value]);
    }
    let cut = text.len() > Template::MAX_OUTPUT;
    if cut {
        text.truncate(text.floor_char_boundary(Template::MAX_OUTPUT - '…'.len_utf8()));
        text.push('…');
    }
    (text, cut)
}

/// The text without control characters, but for tabs and line ends; NUL leaves a visible mark.
pub(crate) fn printable(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.chars()
        .filter_map(|character| match character {
            '\0' => Some(char::REPLACEMENT_CHARACTER),
            '\r' => Some('\n'),
            '\n' | '\t' => Some(character),
            _ if character.is_control() => None,
            _ => Some(character),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_keep_200_characters() {
        let long = "ä".repeat(200);
        assert_eq!(first_line(&long), long);
        assert_eq!(first_line(&format!("\n{long} \nmore")), long);
        let cut = first_line(&format!("{long}ö"));
        assert_eq!(cut.chars().count(), 200);
        assert!(cut.ends_with("ä…"), "{cut}");
    }
}
