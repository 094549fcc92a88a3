//! The console: prints messages instead of sending them, for development and for trying a configuration.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use redflash_core::gateway::{Capabilities, Channel};
use redflash_core::message::{Accepted, OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use serde::Deserialize;

/// Configuration of a console.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsoleConfig {
    /// The channel it replaces; `console` by default.
    pub channel: ChannelKind,
}

/// Prints each message instead of sending it.
pub struct Console {
    kind: ChannelKind,
    output: Mutex<Box<dyn Write + Send>>,
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        let channel = ChannelKind::parse("console").expect("it is a legal kind");
        Self { channel }
    }
}

impl Console {
    /// Creates a channel that prints to the standard output.
    pub fn new(config: ConsoleConfig) -> Self {
        Self::printing_to(config, io::stdout())
    }

    /// Creates a channel that prints to another output.
    pub fn printing_to(config: ConsoleConfig, output: impl Write + Send + 'static) -> Self {
        Self {
            kind: config.channel,
            output: Mutex::new(Box::new(output)),
        }
    }

    fn print(&self, message: &OutboundMessage) -> io::Result<()> {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(
            output,
            "--- {} to {}: {}",
            self.kind,
            message.to,
            sanitized(&message.subject)
        )?;
        for line in message.body.lines() {
            writeln!(output, "{}", sanitized(line))?;
        }
        writeln!(output, "--- notification {}", message.notification)?;
        output.flush()
    }
}

/// Removes control characters, which a terminal would interpret.
fn sanitized(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).collect()
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Channel for Console {
    fn kind(&self) -> ChannelKind {
        self.kind.clone()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            subject: true,
            ..Capabilities::default()
        }
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        Address::new(raw.trim())
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        self.print(message)
            .map(|()| Accepted::delivered("printed"))
            .map_err(|error| SendError::Unreachable(error.into()))
    }
}
