//! `redflash send` and `redflash fire`: alerts from a shell.

use std::io::Read;
use std::time::Duration;

use clap::{Args, ValueEnum};
use redflash_core::delivery::DeliveryState;
use redflash_core::message::Raise;
use redflash_core::model::{Slug, Target};
use redflash_core::plan::{Recipient, Verdict};
use serde_json::json;

use super::plan_output::print_arguments;
use super::template_arguments::{argument, arguments};
use crate::backend::{Backend, RaiseOutcome, is_sent};
use crate::error::{CliError, Exit};
use crate::format::{count, tone};
use crate::output::{Output, Tone};
use crate::sanitize::one_line;

/// Maximum size of a message from standard input, in bytes.
const MAX_INPUT: u64 = 256 * 1024;
/// Maximum time that `--wait` waits.
const WAIT: Duration = Duration::from_secs(60);

/// The kinds of targets of a message.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Kind {
    Contact,
    Group,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  redflash send contact ann 'The disk of db1 is full.' --wait
  redflash send group on-call - < report.txt")]
pub(crate) struct SendArgs {
    /// Kind of target
    kind: Kind,
    /// Slug of the contact or group
    slug: Slug,
    /// Text of the message; `-` for standard input
    #[arg(allow_hyphen_values = true)]
    message: String,
    /// Wait for the first attempts and show their outcomes
    #[arg(long)]
    wait: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  redflash fire disk-full host=db1 percent=97 --wait")]
pub(crate) struct FireArgs {
    /// Slug of the event
    event: Slug,
    /// Arguments of the event's template
    #[arg(value_name = "NAME=VALUE", value_parser = argument)]
    arguments: Vec<(String, String)>,
    /// Reject missing and unused arguments
    #[arg(long)]
    strict: bool,
    /// Wait for the first attempts and show their outcomes
    #[arg(long)]
    wait: bool,
}

pub(crate) async fn send(backend: &Backend, args: SendArgs) -> Result<(), CliError> {
    let message = match &*args.message {
        "-" => input()?,
        _ => args.message,
    };
    let raise = match args.kind {
        Kind::Contact => Raise::contact(args.slug, message),
        Kind::Group => Raise::group(args.slug, message),
    };
    raise_and_report(backend, raise, args.wait).await
}

pub(crate) async fn fire(backend: &Backend, args: FireArgs) -> Result<(), CliError> {
    let raise = Raise::event(args.event, arguments(args.arguments)?).strict(args.strict);
    raise_and_report(backend, raise, args.wait).await
}

fn input() -> Result<String, CliError> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().take(MAX_INPUT + 1).read_to_end(&mut bytes);
    read.map_err(|error| CliError::usage(format!("standard input: {error}")))?;
    if bytes.len() as u64 > MAX_INPUT {
        let message = format!("standard input: the message is longer than {MAX_INPUT} bytes");
        return Err(CliError::usage(message));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

async fn raise_and_report(backend: &Backend, raise: Raise, wait: bool) -> Result<(), CliError> {
    let outcome = backend.raise(raise, wait.then_some(WAIT)).await?;
    report(&backend.output, &outcome)?;
    check_reached(&outcome)
}

fn report(output: &Output, outcome: &RaiseOutcome) -> Result<(), CliError> {
    if output.json {
        return output.json(&json!({
            "notification_id": outcome.notification, "queued": outcome.queued,
            "skipped": outcome.skipped, "missing": outcome.missing, "unused": outcome.unused, "plan": outcome.plan, "deliveries": outcome.deliveries,
        }));
    }
    let queued = count(outcome.queued, "delivery");
    output.line(format!(
        "{} raised as {}: {queued}",
        outcome.target, outcome.notification
    ))?;
    print_arguments(output, &outcome.missing, &outcome.unused)?;
    print_skipped(output, outcome)?;
    for record in outcome.deliveries.iter().flatten() {
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
    if outcome.is_unserved {
        output.line("no server is running: the alert is sent once you run `redflash serve`")?;
    }
    Ok(())
}

/// Prints skipped recipients and endpoints, with the reasons.
fn print_skipped(output: &Output, outcome: &RaiseOutcome) -> Result<(), CliError> {
    let Some(plan) = &outcome.plan else {
        if outcome.skipped > 0 {
            let skipped = count(outcome.skipped, "endpoint");
            let line =
                format!("  skipped: {skipped}; use a key with the inspect permission to see which");
            output.line(output.paint(Tone::Waiting, &line))?;
        }
        return Ok(());
    };
    for recipient in &plan.recipients {
        let contact = &recipient.contact;
        if let Some(skip) = &recipient.skip {
            let line = format!("  {contact} skipped: {skip}");
            output.line(output.paint(Tone::Waiting, &line))?;
            continue;
        }
        for endpoint in &recipient.endpoints {
            if let Verdict::Skip(skip) = &endpoint.verdict {
                let (channel, address) = (&endpoint.channel, &endpoint.address);
                let line = format!("  {contact} {channel} {address} skipped: {skip}");
                output.line(output.paint(Tone::Waiting, &line))?;
            }
        }
    }
    Ok(())
}

/// Returns an error if a recipient was not reached.
fn check_reached(outcome: &RaiseOutcome) -> Result<(), CliError> {
    let records = outcome.deliveries.as_deref().unwrap_or_default();
    let mut missed = left_out(outcome);
    for record in records.iter().filter(|record| !is_sent(record)) {
        let delivery = &record.delivery;
        let (contact, channel, state) = (&delivery.contact, &delivery.channel, delivery.state);
        let later = match state {
            DeliveryState::Queued => ", will retry",
            _ => "",
        };
        missed.push(format!("{contact} by {channel} ({state}{later})"));
    }
    if missed.is_empty() && misses_hidden_recipient(outcome) {
        missed
            .push("some recipients; use a key with the inspect permission to see which".to_owned());
    }
    if missed.is_empty() {
        return Ok(());
    }
    let exit = match outcome.sent {
        Some(0) => Exit::Failed,
        _ => Exit::Partly,
    };
    let message = format!("not reached: {}", missed.join(", "));
    Err(CliError::new(exit, message))
}

/// Returns true if a recipient was not reached whom the key may not see.
fn misses_hidden_recipient(outcome: &RaiseOutcome) -> bool {
    let is_group = matches!(outcome.target, Target::Group(_));
    let falls_short = outcome.sent.is_some_and(|sent| sent < outcome.queued);
    falls_short || outcome.plan.is_none() && is_group && outcome.misses_recipient
}

/// Returns the members of a group that are on but skipped, with the reasons.
fn left_out(outcome: &RaiseOutcome) -> Vec<String> {
    let is_group = matches!(outcome.target, Target::Group(_));
    let Some(plan) = outcome.plan.as_ref().filter(|_| is_group) else {
        return Vec::new();
    };
    let describe = |recipient: &Recipient| {
        let skip = recipient.skip.as_ref().or_else(|| {
            let mut endpoints = recipient.endpoints.iter();
            endpoints.find_map(|endpoint| match &endpoint.verdict {
                Verdict::Skip(skip) => Some(skip),
                Verdict::Deliver(_) => None,
            })
        });
        let reason = skip.map(ToString::to_string).unwrap_or_default();
        format!("{} ({reason})", recipient.contact)
    };
    plan.unreached().map(describe).collect()
}
