//! `redflash gateway`: what messages go through, and whether it works.

use std::time::Duration;

use redflash_channels::Configured;
use redflash_core::{
    Callbacks, Engine, GatewayDetails, GatewayView, NotificationId, Slug, TrialView,
};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{engine, log};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Tone, one_line};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Every gateway, in the order in which those of one channel are tried
    List,
    /// One gateway, with its limits and the URLs of its callbacks
    Show { name: Slug },
    /// Send a real message through one gateway, and say what it answers
    Test(Test),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Test {
    name: Slug,
    /// Where the message goes, as an address of the gateway's channel
    #[arg(long, value_name = "ADDRESS")]
    to: String,
    /// What it says
    #[arg(long, default_value = "This is a test of RedFlash.")]
    message: String,
    /// How long a receipt is waited for, where the gateway sends any
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = log::age)]
    wait: Duration,
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::List => list(context).await,
        Command::Show { name } => show(context, &name).await,
        Command::Test(test) => self::test(context, test).await,
    }
}

fn find<'a>(context: &'a Context, name: &Slug) -> Result<&'a Configured, Failure> {
    let mut all = context.loaded.gateways.iter();
    all.find(|configured| configured.gateway.name == *name)
        .ok_or_else(|| Failure::missing("gateway", name.as_str()))
}

async fn list(context: &Context) -> Result<(), Failure> {
    let stopped = engine(context).await?.stopped_gateways().await?;
    let all = context.loaded.gateways.iter();
    let view = |configured: &Configured| {
        let gateway = &configured.gateway;
        GatewayView::new(gateway, !stopped.contains(&gateway.name))
    };
    let all: Vec<_> = all.map(view).collect();
    let output = &context.output;
    if output.json {
        return output.json(&all);
    }
    let rows = all.into_iter().map(|gateway| {
        let tone = if gateway.works { Tone::Good } else { Tone::Bad };
        [
            gateway.name.to_string(),
            gateway.type_name,
            gateway.channel.to_string(),
            output.paint(tone, state(gateway.works)),
            gateway.can.join(", "),
        ]
    });
    let head = ["gateway", "type", "channel", "state", "can"];
    output.table(head, rows.collect(), "no gateways are configured")
}

const fn state(works: bool) -> &'static str {
    if works { "works" } else { "has stopped" }
}

async fn show(context: &Context, name: &Slug) -> Result<(), Failure> {
    let configured = find(context, name)?;
    let stopped = engine(context).await?.stopped_gateways().await?;
    let callbacks = Callbacks {
        public_url: context.loaded.config.server.public_url.as_deref(),
        has_secret: !configured.callback_secrets.is_empty(),
    };
    let works = !stopped.contains(name);
    let details = GatewayDetails::new(&configured.gateway, works, callbacks);
    let output = &context.output;
    if output.json {
        return output.json(&details);
    }
    output.line(output.paint(Tone::Strong, &format!("gateway {name}")))?;
    for (fact, value) in facts(details) {
        if !value.is_empty() {
            output.line(format!("  {fact:<10} {value}"))?;
        }
    }
    Ok(())
}

/// What is said of a gateway, line by line.
fn facts(details: GatewayDetails) -> [(&'static str, String); 11] {
    let GatewayView {
        type_name,
        channel,
        works,
        can,
        ..
    } = details.gateway;
    let a_second = details.a_second.map(|rate| rate.to_string());
    [
        ("type", type_name),
        ("channel", channel.to_string()),
        ("state", state(works).to_owned()),
        ("can", can.join(", ")),
        ("at once", details.at_once.to_string()),
        ("a second", a_second.unwrap_or_default()),
        ("used for", details.used_for.join(", ")),
        ("senders", details.senders.join(", ")),
        ("budget", details.budget.to_string()),
        ("receipts", details.receipts.unwrap_or_default()),
        ("replies", details.replies.unwrap_or_default()),
    ]
}

async fn test(context: &Context, test: Test) -> Result<(), Failure> {
    let gateway = &find(context, &test.name)?.gateway;
    let to = gateway.channel.parse_address(&test.to);
    let to = to.map_err(|fault| Failure::usage(format!("--to: {fault}")))?;
    let engine = engine(context).await?;
    let tried = engine.try_gateway(&test.name, to, &test.message).await?;
    let trial = tried.ok_or_else(|| Failure::missing("gateway", test.name.as_str()))?;
    let view = TrialView::from(&trial);
    let output = &context.output;
    let said = match &trial.result {
        Ok(_) => format!("accepted: {}", view.detail),
        Err(_) => view.detail.clone(),
    };
    output.remark(format!("after {} ms {}", view.took_ms, one_line(&said)))?;
    let mut shown = json!(view);
    if let Ok(accepted) = &trial.result {
        if let Some(id) = &view.message_id {
            output.remark(format!("message id {}", one_line(id)))?;
        }
        if let Some(price) = &view.price {
            output.remark(format!("price {price}"))?;
        }
        if gateway.channel.capabilities().receipts && !accepted.delivered {
            output.remark(format!("waiting {} s for a receipt …", test.wait.as_secs()))?;
            let receipt = receipt(&engine, trial.notification, test.wait).await?;
            let said = receipt.as_deref().unwrap_or("no receipt came");
            output.remark(one_line(said))?;
            shown["receipt"] = json!(receipt);
        }
    }
    if output.json {
        output.json(&shown)?;
    }
    match trial.result {
        Ok(_) => Ok(()),
        Err(_) => Err(Failure::new(
            Exit::Failed,
            format!("{} did not take the message", test.name),
        )),
    }
}

/// What a receipt says, once it has come to the server.
async fn receipt(
    engine: &Engine,
    id: NotificationId,
    wait: Duration,
) -> Result<Option<String>, Failure> {
    /// How often it is looked for.
    const LOOK: Duration = Duration::from_millis(250);
    let end = Instant::now().checked_add(wait);
    loop {
        let found = engine.store().notification(id).await?;
        let deliveries = found.into_iter().flat_map(|(_, deliveries)| deliveries);
        for record in deliveries {
            let delivery = record.delivery;
            if delivery.state != redflash_core::DeliveryState::Sent {
                return Ok(Some(format!("{}: {}", delivery.state, delivery.detail)));
            }
        }
        if end.is_some_and(|end| Instant::now() >= end) {
            return Ok(None);
        }
        sleep(LOOK).await;
    }
}
