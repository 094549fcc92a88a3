//! Output of commands.

use std::io::{self, IsTerminal, Write};

use jiff::Timestamp as Instant;
use rustix::termios::tcgetwinsize;
use serde::Serialize;
use serde_json::Value;

use crate::error::{CliError, Exit};
use crate::sanitize::sanitize;
use crate::table::lay_out;

/// The format of output.
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
    /// Uses colours on a terminal, unless `NO_COLOR` is set (<https://no-color.org>).
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
        reason = "everything is printed through an output"
    )]
    pub(crate) fn line(&self, text: impl AsRef<str>) -> Result<(), CliError> {
        let mut stdout = io::stdout().lock();
        match writeln!(stdout, "{}", text.as_ref()) {
            // The reader has closed the pipe, as `head` does.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
            Err(error) => {
                let message = format!("cannot write to standard output: {error}");
                Err(CliError::new(Exit::NotPrinted, message))
            }
            Ok(()) => Ok(()),
        }
    }

    /// Prints a line, unless the output is JSON.
    pub(crate) fn remark(&self, text: impl AsRef<str>) -> Result<(), CliError> {
        if self.json { Ok(()) } else { self.line(text) }
    }

    /// Prints a line on standard error.
    #[expect(
        clippy::unused_self,
        reason = "everything is printed through an output"
    )]
    pub(crate) fn note(&self, text: &str) {
        // A closed standard error has no reader.
        let _ = writeln!(io::stderr(), "redflash: {}", sanitize(text));
    }

    /// Prints warnings on standard error.
    pub(crate) fn warn(&self, warnings: &[String]) {
        for warning in warnings {
            self.note(&format!("warning: {warning}"));
        }
    }

    /// Prints JSON, with RFC 3339 timestamps.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), CliError> {
        let text = serde_json::to_value(value).and_then(|mut value| {
            write_times(&mut value);
            serde_json::to_string_pretty(&value)
        });
        let text = text.map_err(|error| CliError::new(Exit::Failed, error.to_string()))?;
        self.line(text)
    }

    /// Prints a table.
    ///
    /// * `empty` - the line to print instead of a table without rows.
    pub(crate) fn table<const N: usize>(
        &self,
        head: [&str; N],
        rows: Vec<[String; N]>,
        empty: &str,
    ) -> Result<(), CliError> {
        if rows.is_empty() {
            return self.line(empty);
        }
        let head = head.map(|title| self.paint(Tone::Faint, title));
        self.line(lay_out(&head, rows, terminal_width()))
    }

    /// Colours a text by its meaning.
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

/// Returns the width of the terminal in columns; `None` without a terminal, or if its width is unknown.
fn terminal_width() -> Option<usize> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Replaces times in milliseconds with RFC 3339 timestamps.
fn write_times(value: &mut Value) {
    let is_time =
        |key: &str| matches!(key, "at" | "since" | "until" | "oldest_due") || key.ends_with("_at");
    match value {
        Value::Array(items) => items.iter_mut().for_each(write_times),
        Value::Object(fields) => {
            for (key, field) in fields {
                match field.as_i64().filter(|_| is_time(key)) {
                    Some(millis) => {
                        if let Ok(instant) = Instant::from_millisecond(millis) {
                            *field = format!("{instant:.3}").into();
                        }
                    }
                    // Arguments are data of the caller.
                    None if key == "arguments" => {}
                    None => write_times(field),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn writes_times_as_rfc_3339() {
        let mut value = json!([{
            "raised_at": 1_700_000_000_000_i64, "at": 0, "last_used_at": null, "took_ms": 5,
            "arguments": { "started_at": 7 }, "plan": { "created_at": 1 },
        }]);
        write_times(&mut value);
        let expected = json!([{
            "raised_at": "2023-11-14T22:13:20.000Z", "at": "1970-01-01T00:00:00.000Z",
            "last_used_at": null, "took_ms": 5, "arguments": { "started_at": 7 },
            "plan": { "created_at": "1970-01-01T00:00:00.001Z" },
        }]);
        assert_eq!(value, expected);
    }
}
