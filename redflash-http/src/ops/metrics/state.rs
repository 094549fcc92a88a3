//! Gauges that each scrape reads from the engine.
//!
//! The recorder does not hold them, since it cannot forget a gauge: the series of a removed gateway or
//! lane would keep its last value for ever.

use std::fmt::Write;
use std::time::Duration;

use redflash_core::Engine;
use redflash_core::gateway::{GatewayHealth, GatewayState};
use tokio::time::timeout;

/// Time limit for the store to report its backlog.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);

/// Series of one name, in the text format of Prometheus.
struct Gauge<'a> {
    name: &'static str,
    help: &'static str,
    samples: Vec<(Vec<(&'static str, &'a str)>, f64)>,
}

impl<'a> Gauge<'a> {
    const fn new(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            help,
            samples: Vec::new(),
        }
    }

    fn with(mut self, labels: &[(&'static str, &'a str)], value: f64) -> Self {
        self.samples.push((labels.to_vec(), value));
        self
    }

    /// Appends the gauge to a text, unless it has no samples.
    fn write(&self, text: &mut String) {
        if self.samples.is_empty() {
            return;
        }
        let Self { name, help, .. } = self;
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (labels, value) in &self.samples {
            let labels: Vec<_> = labels
                .iter()
                .map(|(label, value)| format!("{label}=\"{}\"", escape(value)))
                .collect();
            let labels = match &*labels.join(",") {
                "" => String::new(),
                labels => format!("{{{labels}}}"),
            };
            let _ = writeln!(text, "{name}{labels} {value}");
        }
        text.push('\n');
    }
}

fn escape(value: &str) -> String {
    value
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', r"\n")
}

/// Renders the current gauges.
pub(crate) async fn render(engine: &Engine) -> String {
    let health = engine.health();
    let mut text = String::new();
    Gauge::new(
        "redflash_build_info",
        "The version of RedFlash, as a label.",
    )
    .with(&[("version", env!("CARGO_PKG_VERSION"))], 1.0)
    .write(&mut text);
    Gauge::new("redflash_nodes", "Nodes that dispatch from the store.")
        .with(&[], f64::from(engine.nodes()))
        .write(&mut text);
    if let Some(seconds) = oldest_due(engine).await {
        Gauge::new(
            "redflash_oldest_due_seconds",
            "Time since the oldest waiting delivery became due; 0 if none is due.",
        )
        .with(&[], seconds)
        .write(&mut text);
    }
    let mut stopped = Gauge::new(
        "redflash_gateway_stopped",
        "1 while an alarm reports the gateway as stopped, otherwise 0.",
    );
    let gateways = engine.gateways();
    for gateway in gateways.iter() {
        let is_stopped = health.stopped.contains(&gateway.name);
        stopped = stopped.with(&[("gateway", gateway.name.as_str())], number(is_stopped));
    }
    stopped.write(&mut text);
    by_lane(&health.gateways, &mut text);
    text
}

fn by_lane(gateways: &[GatewayHealth], text: &mut String) {
    let mut state = Gauge::new(
        "redflash_gateway_state",
        "1 for the state of a gateway within a lane, 0 for the others.",
    );
    let mut in_flight = Gauge::new(
        "redflash_in_flight",
        "Messages being handed to a gateway, by lane.",
    );
    let lanes: Vec<_> = gateways.iter().map(|one| one.lane.to_string()).collect();
    for (gateway, lane) in gateways.iter().zip(&lanes) {
        let labels = [("gateway", gateway.gateway.as_str()), ("lane", lane)];
        for one in GatewayState::ALL {
            let labels = [labels[0], labels[1], ("state", one.as_str())];
            state = state.with(&labels, number(gateway.state == one));
        }
        in_flight = in_flight.with(&labels, f64::from(gateway.in_flight));
    }
    state.write(text);
    in_flight.write(text);
}

/// Returns the seconds since the oldest waiting delivery became due; `None` if the store fails.
async fn oldest_due(engine: &Engine) -> Option<f64> {
    let backlog = timeout(STORE_TIMEOUT, engine.store().backlog())
        .await
        .ok()?
        .ok()?;
    let since = backlog.oldest_due.map(|due| engine.now().since(due));
    Some(since.unwrap_or_default().as_secs_f64())
}

const fn number(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_labels_and_skips_empty_gauges() {
        let mut text = String::new();
        Gauge::new("empty", "Nothing.").write(&mut text);
        assert_eq!(text, "");
        Gauge::new("a", "Some.")
            .with(&[("l", "a\\b\"c\nd"), ("m", "")], 1.0)
            .with(&[], 0.5)
            .write(&mut text);
        let wanted = "# HELP a Some.\n# TYPE a gauge\na{l=\"a\\\\b\\\"c\\nd\",m=\"\"} 1\na 0.5\n\n";
        assert_eq!(text, wanted);
    }
}
