//! The console: prints what would be sent. For development, and to try a configuration out.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use redflash_core::{
    Accepted, Address, AddressError, Capabilities, Channel, ChannelKind, OutboundMessage, SendError,
};
use serde::Deserialize;

/// How a console is set up.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsoleConfig {
    /// The channel it stands in for; `console` when left out.
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
    /// Prints to the standard output.
    pub fn new(config: ConsoleConfig) -> Self {
        Self::printing_to(config, io::stdout())
    }

    /// Prints to something else.
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
            harmless(&message.subject)
        )?;
        for line in message.body.lines() {
            writeln!(output, "{}", harmless(line))?;
        }
        writeln!(output, "--- notification {}", message.notification)?;
        output.flush()
    }
}

/// The text without what would steer a terminal.
fn harmless(line: &str) -> String {
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
