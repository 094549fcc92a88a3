//! Composes messages: a literal text, an event's rendered templates, or the fallback if those fail.

use std::io;

use serde_json::Value;

use crate::clock::Timestamp;
use crate::message::{Content, Message};
use crate::model::Event;
use crate::template::{Arguments, Template, TemplateError};

/// A message, and how the arguments matched its templates.
pub(super) struct Composed {
    pub(super) message: Message,
    /// Arguments that the templates need and that were not given.
    pub(super) missing: Vec<String>,
    /// Arguments that were given and that no template uses.
    pub(super) unused: Vec<String>,
}

pub(super) fn compose(content: &Content, event: Option<&Event>, now: Timestamp) -> Composed {
    let text = match (content, event) {
        (Content::Arguments(arguments), Some(event)) => {
            return event_message(event, arguments, now);
        }
        (Content::Arguments(_), None) => "",
        (Content::Message(text), _) => text,
    };
    Composed {
        message: literal(text),
        missing: Vec::new(),
        unused: Vec::new(),
    }
}

/// Returns the subject of a text: its first line, shortened. Mail software folds it.
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
    /// The maximum size in bytes: no channel accepts more.
    const LONGEST: usize = 256 * 1024;
    let cut = text.len() > LONGEST;
    let mut body = printable(&text[..text.floor_char_boundary(LONGEST)]);
    if cut {
        body.push('…');
    }
    Message {
        subject: first_line(&body),
        body,
        sender: None,
        degraded: None,
        cut,
    }
}

fn event_message(event: &Event, arguments: &Arguments, now: Timestamp) -> Composed {
    let body = Template::parse(&event.message);
    let subject = event.subject.as_deref().map(Template::parse);
    let render = |template: &Result<Template, TemplateError>| match template {
        Ok(template) => template.render(arguments, now, event.missing_arguments),
        Err(error) => Err(error.clone()),
    };
    let mut missing = Vec::new();
    let (text, degraded, cut) = match render(&body) {
        Ok(rendered) => {
            missing = rendered.missing;
            (rendered.text, None, rendered.cut)
        }
        Err(error) => {
            let (text, cut) = fallback(event, arguments);
            (text, Some(error.to_string()), cut)
        }
    };
    let line = match subject.as_ref().map(render) {
        Some(Ok(rendered)) => {
            missing.extend(rendered.missing);
            first_line(&printable(&rendered.text))
        }
        _ => event.name.to_string(),
    };
    missing.sort_unstable();
    missing.dedup();
    let templates: Vec<_> = [Some(body), subject].into_iter().flatten().collect();
    Composed {
        message: Message {
            subject: line,
            body: printable(&text),
            sender: event.sender.clone(),
            degraded,
            cut,
        },
        missing: listed(missing.iter()),
        unused: unused(&templates, arguments),
    }
}

/// Returns the arguments that no template uses; none while a template cannot be parsed.
fn unused(templates: &[Result<Template, TemplateError>], arguments: &Arguments) -> Vec<String> {
    let is_unused = |name: &&String| {
        let mut templates = templates.iter();
        templates.all(|template| template.as_ref().is_ok_and(|template| !template.uses(name)))
    };
    listed(arguments.keys().filter(is_unused))
}

/// Returns a bounded list of names, each of bounded length.
fn listed<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    const MOST: usize = 50;
    const LONGEST: usize = 100;
    let short = |name: &String| match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.clone(),
    };
    names
        .take(MOST)
        .map(|name| printable(&short(name)))
        .collect()
}

/// Returns the text for a template that failed: the event's name, and each argument on a line.
fn fallback(event: &Event, arguments: &Arguments) -> (String, bool) {
    let mut text = Bounded(event.name.to_string().into_bytes());
    let written = arguments.iter().try_for_each(|(name, value)| {
        use io::Write as _;
        write!(text, "\n{name}: ")?;
        match value {
            Value::String(value) => text.write_all(value.as_bytes()),
            value => serde_json::to_writer(&mut text, value).map_err(Into::into),
        }
    });
    let cut = written.is_err();
    let mut text = String::from_utf8_lossy(&text.0).into_owned();
    if cut {
        text.truncate(text.floor_char_boundary(Template::MAX_OUTPUT - '…'.len_utf8()));
        text.push('…');
    }
    (text, cut)
}

/// A buffer that is limited to the size of a message.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = Template::MAX_OUTPUT.saturating_sub(self.0.len());
        if room == 0 && !bytes.is_empty() {
            return Err(io::Error::other("the text is as long as it may be"));
        }
        let taken = bytes.len().min(room);
        self.0.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the text without control characters except tabs and line ends; NUL leaves a visible
/// mark.
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
