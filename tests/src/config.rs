//! The configuration of one installation.

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

    /// With another section: its head and its lines.
    #[must_use]
    pub fn section(mut self, lines: &str) -> Self {
        self.gateways.extend([lines, "\n"]);
        self
    }

    /// With another gateway: the lines of its table.
    #[must_use]
    pub fn gateway(mut self, lines: &str) -> Self {
        self.gateways.extend(["[[gateways]]\n", lines, "\n"]);
        self
    }

    /// The file's text.
    ///
    /// * `database` - the URL of where everything is kept.
    pub fn text(&self, database: &str) -> String {
        let Self {
            top,
            server,
            delivery,
            gateways,
        } = self;
        format!(
            "database = \"{database}\"\n{top}\n\
             [server]\nlisten = \"127.0.0.1:0\"\n{server}\n\
             [delivery]\n{delivery}\n{gateways}"
        )
    }
}
