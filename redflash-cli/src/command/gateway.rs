//! `redflash gateway`: gateways and their states.

use std::time::Duration;

use redflash_core::delivery::DeliveryState;
use redflash_core::gateway::{GatewayDetails, GatewayState, GatewayStatus, GatewayView};
use redflash_core::model::{NotificationId, Slug};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::backend::Backend;
use crate::config::duration;
use crate::error::{CliError, Exit};
use crate::format::time;
use crate::output::{Output, Tone};
use crate::sanitize::one_line;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List gateways, in the order in which those of a channel are tried
    #[command(after_help = "Examples:\n  redflash gateway list")]
    List,
    /// Show a gateway with its limits and callback URLs
    #[command(after_help = "Examples:\n  redflash gateway show vonage-uk")]
    Show {
        /// Name of the gateway
        #[arg(value_name = "GATEWAY")]
        name: Slug,
    },
    /// Send a real message through a gateway and show the result
    Test(Test),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  redflash gateway test vonage-uk --to +447700900123")]
pub(crate) struct Test {
    /// Name of the gateway
    #[arg(value_name = "GATEWAY")]
    name: Slug,
    /// Address to send the message to, on the gateway's channel
    #[arg(long, value_name = "ADDRESS", allow_hyphen_values = true)]
    to: String,
    /// Text of the message
    #[arg(
        long,
        default_value = "This is a test of RedFlash.",
        allow_hyphen_values = true
    )]
    message: String,
    /// Time to wait for a receipt, if the gateway sends them
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration::parse)]
    wait: Duration,
}

pub(crate) async fn run(backend: &Backend, command: Command) -> Result<(), CliError> {
    match command {
        Command::List => list(backend).await,
        Command::Show { name } => show(backend, &name).await,
        Command::Test(test) => self::test(backend, test).await,
    }
}

async fn list(backend: &Backend) -> Result<(), CliError> {
    let all = backend.gateways().await?;
    let output = &backend.output;
    if output.json {
        return output.json(&all);
    }
    let row = |gateway: &GatewayView| {
        [
            gateway.name.to_string(),
            gateway.type_name.clone(),
            gateway.channel.to_string(),
            state(output, gateway.status.state),
            gateway.status.waiting.to_string(),
            gateway.features.join(", "),
        ]
    };
    let head = ["gateway", "type", "channel", "state", "waiting", "features"];
    let rows = all.iter().map(row).collect();
    output.table(head, rows, "no gateways configured")?;
    for gateway in &all {
        if let Some(reason) = reason(&gateway.status) {
            output.remark(format!("{}: {reason}", gateway.name))?;
        }
    }
    Ok(())
}

/// Describes why a gateway is not ok: the error, its start, and the time of the next attempt.
pub(super) fn reason(status: &GatewayStatus) -> Option<String> {
    let error = one_line(status.last_error.as_deref()?);
    let mut reason = vec![error];
    reason.extend(status.since.map(|since| format!("since {}", time(since))));
    let next = status.next_try_at;
    reason.extend(next.map(|next| format!("next attempt {}", time(next))));
    Some(reason.join(", "))
}

fn state(output: &Output, state: GatewayState) -> String {
    let tone = match state {
        GatewayState::Ok => Tone::Good,
        GatewayState::Probing | GatewayState::Paused => Tone::Waiting,
        GatewayState::Stopped => Tone::Bad,
    };
    output.paint(tone, state.as_str())
}

async fn show(backend: &Backend, name: &Slug) -> Result<(), CliError> {
    let details = backend.gateway(name).await?;
    let output = &backend.output;
    if output.json {
        return output.json(&details);
    }
    output.line(output.paint(Tone::Strong, &format!("gateway {name}")))?;
    let lanes = details.lanes.clone();
    let facts = facts(output, details);
    for (fact, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        output.line(format!("  {fact:<12} {value}"))?;
    }
    for lane in lanes.iter().filter(|lane| lane.state != GatewayState::Ok) {
        let Some(host) = &lane.host else { continue };
        let error = lane.last_error.as_deref().unwrap_or_default();
        let (state, error) = (lane.state, one_line(error));
        output.line(format!("  host         {host} {state}: {error}"))?;
    }
    Ok(())
}

fn facts(output: &Output, details: GatewayDetails) -> [(&'static str, String); 15] {
    let rate = details.per_second.map(|rate| rate.to_string());
    let gateway = details.gateway;
    let error = gateway.status.last_error.unwrap_or_default();
    [
        ("type", gateway.type_name.clone()),
        ("channel", gateway.channel.to_string()),
        ("state", state(output, gateway.status.state)),
        ("since", gateway.status.since.map(time).unwrap_or_default()),
        ("last error", one_line(&error)),
        (
            "next attempt",
            gateway.status.next_try_at.map(time).unwrap_or_default(),
        ),
        ("waiting", gateway.status.waiting.to_string()),
        ("features", gateway.features.join(", ")),
        ("concurrency", details.concurrency.to_string()),
        ("per second", rate.unwrap_or_default()),
        ("prefixes", gateway.prefixes.join(", ")),
        ("senders", details.senders.join(", ")),
        ("budget", details.budget.to_string()),
        ("receipts", details.receipts.unwrap_or_default()),
        ("replies", details.replies.unwrap_or_default()),
    ]
}

async fn test(backend: &Backend, test: Test) -> Result<(), CliError> {
    let gateway = backend.gateway(&test.name).await?.gateway;
    let result = backend
        .test_gateway(&test.name, &test.to, &test.message)
        .await?;
    let output = &backend.output;
    let is_accepted = result.class == "accepted";
    let (detail, took) = (one_line(&result.detail), result.took_ms);
    if is_accepted {
        output.remark(format!("accepted after {took} ms: {detail}"))?;
    } else {
        output.remark(format!("failed after {took} ms: {detail}"))?;
    }
    if let Some(id) = &result.message_id {
        output.remark(format!("message id {}", one_line(id)))?;
    }
    if let Some(price) = &result.price {
        output.remark(format!("price {price}"))?;
    }
    let mut shown = json!(result);
    if is_accepted && gateway.features.iter().any(|can| can == "receipts") {
        output.remark(format!("waiting {} s for a receipt…", test.wait.as_secs()))?;
        let receipt = receipt(backend, result.notification, test.wait).await?;
        let outcome = receipt.as_deref().unwrap_or("no receipt arrived");
        output.remark(one_line(outcome))?;
        shown["receipt"] = json!(receipt);
    }
    if output.json {
        output.json(&shown)?;
    }
    if is_accepted {
        return Ok(());
    }
    let message = format!("{} did not accept the message", test.name);
    Err(CliError::new(Exit::Failed, message))
}

/// Waits for a receipt and describes it.
async fn receipt(
    backend: &Backend,
    id: NotificationId,
    wait: Duration,
) -> Result<Option<String>, CliError> {
    /// Polling interval.
    const POLL: Duration = Duration::from_millis(250);
    let end = Instant::now().checked_add(wait);
    loop {
        let (_, deliveries) = backend.notification(id).await?;
        let deliveries = deliveries.into_iter().map(|record| record.delivery);
        let mut confirmed = deliveries.filter(|delivery| delivery.state != DeliveryState::Sent);
        if let Some(delivery) = confirmed.next() {
            return Ok(Some(format!("{}: {}", delivery.state, delivery.detail)));
        }
        if end.is_some_and(|end| Instant::now() >= end) {
            return Ok(None);
        }
        sleep(POLL).await;
    }
}
