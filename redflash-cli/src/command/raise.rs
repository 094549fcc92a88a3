//! `redflash send` and `redflash fire`: alerts raised from a shell.

use std::io::Read;
use std::time::Duration;

use clap::{Args, ValueEnum};
use redflash_core::store::DeliveryRecord;
use redflash_core::{Arguments, DeliveryState, Engine, Raise, Raised, Slug, Target};
use redflash_store::Access;
use serde_json::{Value, json};

use crate::context::{Context, Served};
use crate::failure::{Exit, Failure};
use crate::output::one_line;
use crate::words::{count, tone};

/// The largest message read from standard input, in bytes.
const MAX_INPUT: u64 = 256 * 1024;
/// How long `--wait` waits.
const WAIT: Duration = Duration::from_secs(60);
/// How long hand-overs under way may take when the command ends.
const GRACE: Duration = Duration::from_secs(10);

/// What a text can be sent to.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Kind {
    Contact,
    Group,
}

#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    kind: Kind,
    slug: Slug,
    /// What is said; `-` reads it from standard input
    message: String,
    /// Wait for the first attempts, and say how they went
    #[arg(long)]
    wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct FireArgs {
    event: Slug,
    /// Arguments of the event's template
    #[arg(value_name = "NAME=VALUE", value_parser = argument)]
    arguments: Vec<(String, String)>,
    /// Wait for the first attempts, and say how they went
    #[arg(long)]
    wait: bool,
}

/// Reads `name=value`.
pub(super) fn argument(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE, such as host=db1".into()),
    }
}

/// The arguments of a template; of several of one name, the last.
pub(super) fn arguments(given: Vec<(String, String)>) -> Arguments {
    given
        .into_iter()
        .map(|(name, value)| (name, Value::from(value)))
        .collect()
}

pub(crate) async fn send(context: &Context, args: SendArgs) -> Result<(), Failure> {
    let message = match &*args.message {
        "-" => input()?,
        _ => args.message,
    };
    let raise = match args.kind {
        Kind::Contact => Raise::contact(args.slug, message),
        Kind::Group => Raise::group(args.slug, message),
    };
    raise_and_tell(context, raise, args.wait).await
}

pub(crate) async fn fire(context: &Context, args: FireArgs) -> Result<(), Failure> {
    let raise = Raise::event(args.event, arguments(args.arguments));
    raise_and_tell(context, raise, args.wait).await
}

fn input() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().take(MAX_INPUT + 1).read_to_end(&mut bytes);
    read.map_err(|fault| Failure::usage(format!("standard input: {fault}")))?;
    if bytes.len() as u64 > MAX_INPUT {
        let message = format!("standard input: a message has at most {MAX_INPUT} bytes");
        return Err(Failure::usage(message));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

async fn raise_and_tell(context: &Context, raise: Raise, wait: bool) -> Result<(), Failure> {
    let served = context.served().await?;
    if wait && served.is_none() {
        // Nobody else would send it.
        let engine = context.engine(Access::Server).await?;
        let running = engine.start().await?;
        let raised = engine.raise(raise).await?;
        let records = engine.wait(raised.notification, WAIT).await?;
        running.shutdown(GRACE).await;
        return tell(context, &raised, Some(&records), None);
    }
    let engine: Engine = super::engine(context).await?;
    let raised = engine.raise(raise).await?;
    let records = if wait {
        Some(engine.wait(raised.notification, WAIT).await?)
    } else {
        None
    };
    tell(context, &raised, records.as_deref(), served)
}

fn tell(
    context: &Context,
    raised: &Raised,
    records: Option<&[DeliveryRecord]>,
    served: Option<Served>,
) -> Result<(), Failure> {
    let output = &context.output;
    let plan = &raised.plan;
    if output.json {
        output.json(&json!({
            "notification_id": raised.notification, "queued": plan.queued(),
            "skipped": plan.skipped(), "plan": plan, "deliveries": records,
        }))?;
    } else {
        let queued = count(plan.queued(), "delivery");
        output.line(format!(
            "{} raised as {}: {queued}",
            plan.target, raised.notification
        ))?;
        for record in records.unwrap_or_default() {
            let delivery = &record.delivery;
            output.line(format!(
                "  {} {} {}: {} {}",
                delivery.contact,
                delivery.channel,
                delivery.address,
                output.paint(tone(delivery.state), delivery.state.as_str()),
                one_line(&delivery.detail)
            ))?;
        }
        if records.is_none() && served.is_none() {
            output.line("no server runs here: it is sent once one is started (redflash serve)")?;
        }
    }
    unreached(raised, records)
}

/// Fails when somebody was not reached.
fn unreached(raised: &Raised, records: Option<&[DeliveryRecord]>) -> Result<(), Failure> {
    let mut missed: Vec<String> = Vec::new();
    if matches!(raised.plan.target, Target::Group(_)) {
        for recipient in raised.plan.unreached() {
            let reason = recipient
                .skip
                .as_ref()
                .map(ToString::to_string)
                .or_else(|| {
                    recipient
                        .endpoints
                        .iter()
                        .find_map(|endpoint| match &endpoint.verdict {
                            redflash_core::Verdict::Skip(skip) => Some(skip.to_string()),
                            redflash_core::Verdict::Deliver(_) => None,
                        })
                });
            missed.push(format!(
                "{} ({})",
                recipient.contact,
                reason.unwrap_or_default()
            ));
        }
    }
    let taken = |record: &&DeliveryRecord| {
        matches!(
            record.delivery.state,
            DeliveryState::Sent | DeliveryState::Delivered
        )
    };
    let records = records.unwrap_or_default();
    let sent = records.iter().filter(taken).count();
    for record in records.iter().filter(|record| !taken(record)) {
        missed.push(format!(
            "{} ({})",
            record.delivery.contact, record.delivery.state
        ));
    }
    if missed.is_empty() {
        return Ok(());
    }
    let exit = if records.is_empty() || sent > 0 {
        Exit::Partly
    } else {
        Exit::Failed
    };
    Err(Failure::new(
        exit,
        format!("not reached: {}", missed.join(", ")),
    ))
}
