//! A server and a remote client.

use redflash_tests::{Config, Output, Server, Site, WebhookSink};

use crate::world::hooks;

/// A server, and a client that has only a key.
pub(super) struct Remote {
    pub(super) site: Site,
    pub(super) server: Server,
    pub(super) hook: WebhookSink,
    /// The client's machine.
    pub(super) client: Site,
    pub(super) key: String,
}

impl Remote {
    pub(super) async fn start() -> Self {
        let hook = WebhookSink::start().await;
        let site = Site::new(&Config::new().gateway(&hooks()));
        let key = site.key("boss", &["--admin"]).await;
        Self {
            server: site.serve().await,
            client: Site::new(&Config::new()),
            site,
            hook,
            key,
        }
    }

    /// Runs a command line on the server's machine.
    pub(super) async fn run_locally(&self, line: &str, input: &str) -> Output {
        let line = line.replace("{HOOK}", &self.hook.url("/"));
        self.site.shell(&line).input(input).run().await
    }

    /// Runs a command line on the client.
    pub(super) async fn run(&self, line: &str, input: &str) -> Output {
        self.with(&self.key, line, input).await
    }

    /// Runs a command line on the client with another key.
    pub(super) async fn with(&self, key: &str, line: &str, input: &str) -> Output {
        let url = self.server.url("");
        let line = line.replace("{HOOK}", &self.hook.url("/"));
        let line = line.replace("redflash ", &format!("redflash --server {url} "));
        let command = self.client.shell(&line).variable("REDFLASH_API_KEY", key);
        command.input(input).run().await
    }

    /// Returns the output of a command without parts that differ between servers.
    pub(super) fn normalized(&self, output: &Output) -> String {
        let hook = self.hook.url("");
        let hook = hook.trim_start_matches("http://");
        let server = self.server.url("");
        let text = output
            .stdout
            .replace(hook, "{HOOK}")
            .replace(&server, "{SERVER}");
        // The actor is an operator locally and a key remotely, and durations differ.
        let varying = ["boss", "raised_by", "an operator", "took_ms"];
        let is_same = |line: &&str| !varying.iter().any(|text| line.contains(text));
        let lines = text.lines().filter(is_same);
        normalize(&lines.collect::<Vec<_>>().join("\n"))
    }
}

/// Replaces ids, times and durations with placeholders.
fn normalize(text: &str) -> String {
    let mut blurred = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '…'))
            .unwrap_or(rest.len());
        if let Some(after) = time(rest) {
            blurred.push('@');
            rest = after;
        } else if end == 0 {
            blurred.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (word, after) = rest.split_at(end);
            let is_id = word.len() >= 10 && word.bytes().all(|b| b.is_ascii_hexdigit());
            let is_span = after.starts_with(" ms") || word.starts_with("rfk");
            blurred.push_str(if is_id || is_span { "#" } else { word });
            rest = after;
        }
    }
    blurred
}

/// Returns the rest of a text after a leading time.
fn time(text: &str) -> Option<&str> {
    let after = |form: &str| {
        let (head, after) = text.split_at_checked(form.len())?;
        let fits = |(form, byte): (u8, u8)| form == byte || form == b'0' && byte.is_ascii_digit();
        form.bytes().zip(head.bytes()).all(fits).then_some(after)
    };
    after("0000-00-00 00:00:00Z").or_else(|| after("0000-00-00T00:00:00.000Z"))
}
