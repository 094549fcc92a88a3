//! What a command prints.

use std::io::{self, IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::failure::{Exit, Failure};

/// Where answers go, and in which form.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub(crate) json: bool,
    colour: bool,
}

/// A colour with a meaning.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tone {
    Good,
    Bad,
    Waiting,
    Faint,
    Strong,
}

impl Output {
    /// Colours are for people in front of a terminal who have not declined them
    /// (<https://no-color.org>).
    pub(crate) fn new(json: bool) -> Self {
        let declined = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            json,
            colour: io::stdout().is_terminal() && !declined,
        }
    }

    /// Prints a line.
    #[expect(
        clippy::unused_self,
        reason = "all that is printed goes through an output"
    )]
    pub(crate) fn line(&self, text: impl AsRef<str>) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        match writeln!(stdout, "{}", text.as_ref()) {
            // Whoever read has read enough.
            Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
            Err(fault) => Err(Failure::new(Exit::Failed, format!("cannot print: {fault}"))),
            Ok(()) => Ok(()),
        }
    }

    /// Prints a line for people, who are not there when the answer is JSON.
    pub(crate) fn remark(&self, text: impl AsRef<str>) -> Result<(), Failure> {
        if self.json { Ok(()) } else { self.line(text) }
    }

    /// Prints what may not be meant so, apart from the answer.
    #[expect(
        clippy::unused_self,
        reason = "all that is printed goes through an output"
    )]
    pub(crate) fn warn(&self, warnings: &[String]) {
        for warning in warnings {
            eprintln!("redflash: warning: {}", harmless(warning));
        }
    }

    /// Prints JSON.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value);
        let text = text.map_err(|fault| Failure::new(Exit::Failed, fault.to_string()))?;
        self.line(text)
    }

    /// Prints a table, or what is said instead of an empty one.
    pub(crate) fn table<const N: usize>(
        &self,
        head: [&str; N],
        rows: Vec<[String; N]>,
        empty: &str,
    ) -> Result<(), Failure> {
        if rows.is_empty() {
            return self.line(empty);
        }
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(head.map(|title| self.paint(Tone::Faint, title)));
        for row in rows {
            table.add_row(row);
        }
        let text = table.to_string();
        let lines = text.lines().map(str::trim_end);
        self.line(lines.collect::<Vec<_>>().join("\n"))
    }

    /// A text in the colour of its meaning.
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Waiting => "33",
            Tone::Faint => "2",
            Tone::Strong => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// The text with what would steer a terminal made visible.
pub(crate) fn harmless(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && character != '\n' {
            harmless.extend(character.escape_unicode());
        } else {
            harmless.push(character);
        }
    }
    harmless
}

/// The text on one line, harmless.
pub(crate) fn one_line(text: &str) -> String {
    harmless(&text.replace('\n', " ⏎ "))
}
