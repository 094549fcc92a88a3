//! `redflash log`: alerts and their deliveries.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use redflash_core::delivery::{Delivery, DeliveryState};
use redflash_core::model::{ChannelKind, NotificationId, Slug, Target};
use redflash_core::plan::Notification;
use redflash_core::store::{DeliveryRecord, LogFilter};
use serde_json::json;

use super::plan_output::print_plan;
use crate::backend::{Backend, GatewayRoutes, IdPrefix};
use crate::config::duration;
use crate::error::CliError;
use crate::format::{time, tone};
use crate::output::{Output, Tone};
use crate::sanitize::one_line;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  redflash log
  redflash log 019ab4c2
  redflash log --state failed --since 2h --target event/disk-full")]
pub(crate) struct Args {
    /// Notification to show in full: its id or first digits, or the id of a delivery
    id: Option<IdPrefix>,
    /// Only notifications with a delivery in this state: queued, sending, sent, delivered, failed,
    /// cancelled, suppressed or quarantined
    #[arg(long)]
    state: Option<DeliveryState>,
    /// Only notifications with a delivery to this contact
    #[arg(long)]
    contact: Option<Slug>,
    /// Only notifications with a delivery on this channel
    #[arg(long)]
    channel: Option<ChannelKind>,
    /// Only notifications with a delivery whose last gateway is this one
    #[arg(long)]
    gateway: Option<Slug>,
    /// Only notifications raised at this target, such as contact/ann or event/disk-full
    #[arg(long)]
    target: Option<Target>,
    /// Only notifications with this text in their name, message or recipients
    #[arg(long, allow_hyphen_values = true)]
    text: Option<String>,
    /// Only notifications raised at most this long ago, such as 2h or 3d
    #[arg(long, value_name = "AGE", value_parser = duration::parse)]
    since: Option<Duration>,
    /// Only notifications raised at least this long ago, such as 2h or 3d
    #[arg(long, value_name = "AGE", value_parser = duration::parse)]
    until: Option<Duration>,
    /// Maximum number of notifications, newest first
    #[arg(long, value_name = "NUMBER", default_value = "50")]
    limit: NonZeroU32,
}

pub(crate) async fn run(backend: &Backend, args: Args) -> Result<(), CliError> {
    if let Some(id) = args.id {
        let (id, _) = id.find(backend).await?;
        return one(backend, id).await;
    }
    let now = backend.now().await?;
    let filter = LogFilter {
        state: args.state,
        contact: args.contact,
        channel: args.channel,
        gateway: args.gateway,
        target: args.target,
        text: args.text,
        since: args.since.map(|age| now.minus(age)),
        until: args.until.map(|age| now.minus(age)),
        ..LogFilter::newest(args.limit)
    };
    let found = backend.log(&filter).await?;
    if backend.output.json {
        let shown = found.iter().map(|(notification, deliveries)| {
            json!({ "notification": notification, "deliveries": deliveries })
        });
        return backend.output.json(&shown.collect::<Vec<_>>());
    }
    let rows = found.iter().map(|(notification, deliveries)| {
        [
            time(notification.raised_at),
            notification.id.to_string(),
            notification.target().to_string(),
            states(&backend.output, deliveries),
            one_line(&notification.plan.message.subject),
        ]
    });
    backend.output.table(
        ["raised", "notification", "target", "deliveries", "subject"],
        rows.collect(),
        "no notifications found",
    )
}

/// Counts the deliveries in each state.
fn states(output: &Output, deliveries: &[Delivery]) -> String {
    let mut states = BTreeMap::<_, usize>::new();
    for delivery in deliveries {
        *states.entry(delivery.state).or_default() += 1;
    }
    let counts = states
        .into_iter()
        .map(|(state, count)| output.paint(tone(state), &format!("{count} {state}")));
    counts.collect::<Vec<_>>().join(", ")
}

async fn one(backend: &Backend, id: NotificationId) -> Result<(), CliError> {
    let (notification, deliveries) = backend.notification(id).await?;
    let output = &backend.output;
    if output.json {
        return output.json(&json!({ "notification": notification, "deliveries": deliveries }));
    }
    print(output, &backend.routes().await?, &notification, &deliveries)
}

fn print(
    output: &Output,
    routes: &GatewayRoutes,
    notification: &Notification,
    deliveries: &[DeliveryRecord],
) -> Result<(), CliError> {
    let by = match &notification.raised_by {
        Some(key) => format!("with key {key}"),
        None => "by an operator or in-process".to_owned(),
    };
    let (id, at) = (notification.id, time(notification.raised_at));
    output.line(format!("notification {id}, raised {at} {by}"))?;
    print_plan(output, routes, &notification.plan)?;
    output.line(output.paint(Tone::Strong, "deliveries"))?;
    for record in deliveries {
        let delivery = &record.delivery;
        output.line(format!(
            "  {} {} {}: {}{}",
            delivery.contact,
            delivery.channel,
            delivery.address,
            output.paint(tone(delivery.state), delivery.state.as_str()),
            suffix(&delivery.detail)
        ))?;
        for attempt in &record.attempts_made {
            let gateway = attempt.gateway.as_ref().map_or("?", Slug::as_str);
            let repeat = if attempt.may_repeat {
                ", possible duplicate"
            } else {
                ""
            };
            output.line(format!(
                "    {}  attempt {} through {gateway}: {}{repeat}{}",
                time(attempt.started_at),
                attempt.number,
                attempt.outcome.as_str(),
                suffix(&attempt.detail)
            ))?;
        }
        if delivery.state == DeliveryState::Queued {
            output.line(format!("    {}  due", time(delivery.due_at)))?;
        }
        let attempted_at = record.attempts_made.last().map(|attempt| attempt.ended_at);
        if let Some(ended_at) = delivery.ended_at()
            && Some(ended_at) != attempted_at
        {
            output.line(format!("    {}  {}", time(ended_at), delivery.state))?;
        }
    }
    Ok(())
}

fn suffix(detail: &str) -> String {
    if detail.is_empty() {
        return String::new();
    }
    format!(", {}", one_line(detail))
}
