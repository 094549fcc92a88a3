//! `/metrics`, for Prometheus.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use metrics::SetRecorderError;
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use redflash_core::{Engine, GatewayState};

use crate::front::App;
use crate::key;
use crate::problem::Problem;

/// What this process counts.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

/// Why the counting could not begin.
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
    /// Begins to count, once in a process.
    ///
    /// # Errors
    ///
    /// [`MetricsError`] when something else counts here already.
    pub fn install() -> Result<Self, MetricsError> {
        /// In seconds: from a webhook next door to a gateway that runs into its deadline.
        const BUCKETS: [f64; 9] = [0.005, 0.02, 0.05, 0.1, 0.5, 1.0, 2.0, 10.0, 30.0];
        let attempts = Matcher::Full("redflash_attempt_seconds".into());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(attempts, &BUCKETS);
        let builder = builder.map_err(|fault: BuildError| MetricsError(fault.into()))?;
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).map_err(
            |fault: SetRecorderError<PrometheusRecorder>| MetricsError(fault.to_string().into()),
        )?;
        Ok(Self(handle))
    }

    /// Everything counted so far, with the state of the engine's gateways.
    pub(crate) fn render(&self, engine: &Engine) -> String {
        metrics::gauge!("redflash_nodes").set(f64::from(engine.nodes()));
        let health = engine.health();
        for gateway in engine.gateways().iter() {
            let stopped = health.stopped.contains(&gateway.name);
            metrics::gauge!("redflash_gateway_stopped", "gateway" => gateway.name.to_string())
                .set(f64::from(u8::from(stopped)));
        }
        for gateway in health.gateways {
            let labels = [
                ("gateway", gateway.gateway.to_string()),
                ("lane", gateway.lane.to_string()),
            ];
            for state in GatewayState::ALL {
                let labels = [
                    labels[0].clone(),
                    labels[1].clone(),
                    ("state", state.to_string()),
                ];
                let is_now = gateway.state == state;
                metrics::gauge!("redflash_gateway_state", &labels).set(f64::from(u8::from(is_now)));
            }
            metrics::gauge!("redflash_in_flight", &labels).set(f64::from(gateway.in_flight));
        }
        self.0.render()
    }

    /// Keeps the memory of histograms small; to be called every few seconds.
    pub(crate) fn tidy(&self) {
        self.0.run_upkeep();
    }

    pub(crate) fn response(&self, engine: &Engine) -> Response {
        let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        ([(CONTENT_TYPE, kind)], self.render(engine)).into_response()
    }
}

pub(crate) async fn behind_key(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = key::check(&app.engine, key::bearer(&headers)).await;
    if !key.is_ok_and(|key| key.inspect) {
        let detail = "metrics are shown to keys that may inspect: Authorization: Bearer …";
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "invalid_key",
            detail,
        ));
    }
    let Some(metrics) = &app.config.metrics else {
        let detail = "metrics are not collected";
        return Err(Problem::new(StatusCode::NOT_FOUND, "not_found", detail));
    };
    Ok(metrics.response(&app.engine))
}
