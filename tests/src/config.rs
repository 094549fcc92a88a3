//! The configuration of one installation.

use std::path::Path;

/// The configuration of one installation, put together from lines of TOML.
#[derive(Clone, Debug, Default)]
pub struct Config {
    top: String,
    server: String,
    delivery: String,
    gateways: String,
}

impl Config {
    /// No gateway; a port of the system's choice on loopback.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this line at the top.
    #[must_use]
    pub fn top(mut self, line: &str) -> Self {
        self.top.extend([line, "\n"]);
        self
    }

    /// With this line in `[server]`.
    #[must_use]
    pub fn server(mut self, line: &str) -> Self {
        self.server.extend([line, "\n"]);
        self
    }

    /// With this line in `[delivery]`.
    #[must_use]
    pub fn delivery(mut self, line: &str) -> Self {
        self.delivery.extend([line, "\n"]);
        self
    }

    /// With another gateway: the lines of its table.
    #[must_use]
    pub fn gateway(mut self, lines: &str) -> Self {
        self.gateways.extend(["[[gateways]]\n", lines, "\n"]);
        self
    }

    /// The file's text, for an installation in this directory.
    pub fn text(&self, directory: &Path) -> String {
        let Self {
            top,
            server,
            delivery,
            gateways,
        } = self;
        let database = directory.join("redflash.db");
        let database = database.display();
        format!(
            "database = \"sqlite:{database}\"\n{top}\n\
             [server]\nlisten = \"127.0.0.1:0\"\n{server}\n\
             [delivery]\n{delivery}\n{gateways}"
        )
    }
}
