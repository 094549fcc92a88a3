//! `/metrics`, for Prometheus.

mod state;

use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use metrics::{SetRecorderError, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use redflash_core::Engine;

/// The metrics of this process.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

/// The error when the metrics recorder cannot be installed.
#[derive(Debug)]
pub struct MetricsError(redflash_core::BoxError);

impl std::fmt::Display for MetricsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("metrics cannot be collected in this process")
    }
}

impl std::error::Error for MetricsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

impl Metrics {
    /// Installs the recorder, once in a process.
    ///
    /// # Errors
    ///
    /// [`MetricsError`] if the process has another recorder already.
    pub fn install() -> Result<Self, MetricsError> {
        /// In seconds: from a webhook on the local network to a gateway at its time limit.
        const BUCKETS: [f64; 9] = [0.005, 0.02, 0.05, 0.1, 0.5, 1.0, 2.0, 10.0, 30.0];
        let attempts = Matcher::Full("redflash_attempt_seconds".into());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(attempts, &BUCKETS);
        let builder = builder.map_err(|error: BuildError| MetricsError(error.into()))?;
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).map_err(
            |error: SetRecorderError<PrometheusRecorder>| MetricsError(error.to_string().into()),
        )?;
        describe();
        Ok(Self(handle))
    }

    /// Renders all metrics, with the current state of the engine.
    pub(crate) async fn render(&self, engine: &Engine) -> String {
        let mut text = self.0.render();
        text.push_str(&state::render(engine).await);
        text
    }

    /// Bounds the memory of histograms; call it every few seconds.
    pub(crate) fn run_upkeep(&self) {
        self.0.run_upkeep();
    }

    pub(crate) async fn response(&self, engine: &Engine) -> Response {
        let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        ([(CONTENT_TYPE, kind)], self.render(engine).await).into_response()
    }
}

/// Sets the help texts of the metrics.
fn describe() {
    describe_counter!(
        "redflash_raised_total",
        "Recorded alerts, by the kind of their target."
    );
    describe_counter!(
        "redflash_deliveries_total",
        "Deliveries by their state after sending: sent, failed or set aside. Receipts are not \
         counted."
    );
    describe_counter!(
        "redflash_attempts_total",
        "Attempts to hand a delivery to a gateway, by their outcome."
    );
    describe_histogram!(
        "redflash_attempt_seconds",
        "Duration of an attempt to hand a delivery to a gateway."
    );
    describe_counter!(
        "redflash_suppressed_total",
        "Deliveries not sent because the budget of the gateway was exhausted."
    );
    describe_counter!("redflash_inbound_total", "Inbound messages, by gateway.");
    describe_counter!(
        "redflash_refused_keys_total",
        "Requests refused because their API key is unknown or disabled."
    );
    describe_counter!(
        "redflash_http_requests_total",
        "HTTP requests by route and status."
    );
    describe_gauge!(
        "redflash_queued",
        "Deliveries that wait for their first or next attempt."
    );
}
