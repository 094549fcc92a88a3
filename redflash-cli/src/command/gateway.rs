//! `redflash gateway`: what messages go through, and whether it works.

use std::time::Duration;

use redflash_channels::Configured;
use redflash_core::{
    Authenticity, Callback, Engine, Gateway, NotificationId, Slug, Timestamp, report,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::log;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Tone, one_line};
use crate::place::Place;

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

pub(crate) async fn run(place: &Place, command: Command) -> Result<(), Failure> {
    let machine = place.machine().ok_or_else(|| Failure::usage("not yet"))?;
    let context = &machine.context;
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
    let stopped = context
        .engine(redflash_store::Access::Shared)
        .await?
        .stopped_gateways()
        .await?;
    let works = |gateway: &Gateway| !stopped.contains(&gateway.name);
    let all = &context.loaded.gateways;
    let output = &context.output;
    if output.json {
        let shown = all
            .iter()
            .map(|configured| summary(configured, works(&configured.gateway)));
        return output.json(&shown.collect::<Vec<_>>());
    }
    let rows = all.iter().map(|configured| {
        let gateway = &configured.gateway;
        let state = if works(gateway) {
            output.paint(Tone::Good, "works")
        } else {
            output.paint(Tone::Bad, "has stopped")
        };
        [
            gateway.name.to_string(),
            configured.type_name.to_owned(),
            gateway.channel.kind().to_string(),
            state,
            abilities(gateway).join(", "),
        ]
    });
    let head = ["gateway", "type", "channel", "state", "can"];
    output.table(head, rows.collect(), "no gateways are configured")
}

fn abilities(gateway: &Gateway) -> Vec<&'static str> {
    let can = gateway.channel.capabilities();
    let all = [
        (can.receipts, "receipts"),
        (can.inbound, "replies"),
        (can.sender, "senders"),
        (can.subject, "subjects"),
        (can.batch > 1, "batches"),
        (can.idempotent, "knows repeats"),
    ];
    all.into_iter()
        .filter_map(|(can, name)| can.then_some(name))
        .collect()
}

fn summary(configured: &Configured, works: bool) -> Value {
    let gateway = &configured.gateway;
    json!({
        "name": gateway.name, "type": configured.type_name, "channel": gateway.channel.kind(),
        "works": works, "can": abilities(gateway),
    })
}

async fn show(context: &Context, name: &Slug) -> Result<(), Failure> {
    let configured = find(context, name)?;
    let stopped = context
        .engine(redflash_store::Access::Shared)
        .await?
        .stopped_gateways()
        .await?;
    let works = !stopped.contains(name);
    let gateway = &configured.gateway;
    let mut facts = vec![
        ("type", configured.type_name.to_owned()),
        ("channel", gateway.channel.kind().to_string()),
        (
            "state",
            if works { "works" } else { "has stopped" }.to_owned(),
        ),
        ("can", abilities(gateway).join(", ")),
        ("at once", gateway.limits.concurrency.to_string()),
    ];
    if let Some(rate) = gateway.limits.per_second {
        facts.push(("a second", rate.to_string()));
    }
    if !gateway.prefixes.is_empty() {
        facts.push(("used for", gateway.prefixes.join(", ")));
    }
    if !gateway.senders.is_empty() {
        facts.push(("senders", gateway.senders.join(", ")));
    }
    facts.extend(budget(gateway));
    facts.extend(callbacks(context, configured));
    let output = &context.output;
    if output.json {
        let mut summary = summary(configured, works);
        for (name, value) in facts {
            let name = name.replace(' ', "_");
            if summary.get(&name).is_none() {
                summary[name] = value.into();
            }
        }
        return output.json(&summary);
    }
    output.line(output.paint(Tone::Strong, &format!("gateway {name}")))?;
    for (fact, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        output.line(format!("  {fact:<10} {value}"))?;
    }
    Ok(())
}

fn budget(gateway: &Gateway) -> Option<(&'static str, String)> {
    let budget = &gateway.budget;
    let bounds = [
        (budget.per_hour, "an hour"),
        (budget.per_day, "a day"),
        (budget.address_per_hour, "an hour to one address"),
        (budget.address_per_day, "a day to one address"),
    ];
    let bounds = bounds
        .into_iter()
        .filter_map(|(bound, each)| Some(format!("{} {each}", bound?)));
    let bounds: Vec<_> = bounds.collect();
    (!bounds.is_empty()).then(|| ("budget", bounds.join(", ")))
}

/// Where a gateway is to call, without its secret; or that it is not believed.
fn callbacks(context: &Context, configured: &Configured) -> Vec<(&'static str, String)> {
    let gateway = &configured.gateway;
    let can = gateway.channel.capabilities();
    let public = context.loaded.config.server.public_url.as_deref();
    let base = public.unwrap_or("http://…").trim_end_matches('/');
    let nothing = Callback {
        method: "POST",
        url: "",
        fields: &[],
        headers: &[],
        body: &[],
    };
    let signed = gateway.channel.authenticate(&nothing, Timestamp::default());
    let is_signed = !matches!(signed, Ok(Authenticity::Unsigned));
    let has_secret = !configured.callback_secrets.is_empty();
    let url = |path: &str| match (is_signed, has_secret) {
        (true, _) => format!("{base}/{path}/{} (signed)", gateway.name),
        (false, true) => format!("{base}/{path}/{}/<callback_secret>", gateway.name),
        (false, false) => "off: the gateway has no callback_secret".to_owned(),
    };
    let mut urls = Vec::new();
    if can.receipts {
        urls.push(("receipts", url("ack")));
    }
    if can.inbound {
        urls.push(("replies", url("inbound")));
    }
    urls
}

async fn test(context: &Context, test: Test) -> Result<(), Failure> {
    let gateway = &find(context, &test.name)?.gateway;
    let to = gateway.channel.parse_address(&test.to);
    let to = to.map_err(|fault| Failure::usage(format!("--to: {fault}")))?;
    let engine = context.engine(redflash_store::Access::Shared).await?;
    let tried = engine.try_gateway(&test.name, to, &test.message).await?;
    let trial = tried.ok_or_else(|| Failure::missing("gateway", test.name.as_str()))?;
    let (class, detail) = match &trial.result {
        Ok(accepted) => ("accepted", accepted.detail.clone()),
        Err(fault) => (fault.class(), report(fault)),
    };
    let output = &context.output;
    let took = trial.took.as_millis();
    let said = match &trial.result {
        Ok(_) => format!("accepted: {detail}"),
        Err(_) => detail.clone(),
    };
    output.remark(format!("after {took} ms {}", one_line(&said)))?;
    let mut shown = json!({
        "notification": trial.notification, "class": class, "detail": detail, "took_ms": took,
    });
    if let Ok(accepted) = &trial.result {
        let (id, price) = (&accepted.message_id, &accepted.price);
        if let Some(id) = id {
            output.remark(format!("message id {}", one_line(id)))?;
        }
        if let Some(price) = price {
            output.remark(format!("price {price}"))?;
        }
        shown["message_id"] = json!(id);
        shown["price"] = json!(price);
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
