//! `redflash explain`: who would be told, through what, in which words; who not, and why.

use clap::ValueEnum;
use redflash_core::{Plan, Raise, Recipient, Slug, Verdict};

use super::raise::{argument, arguments};
use crate::failure::Failure;
use crate::output::{Output, Tone, harmless, one_line};
use crate::place::{Place, Routes};

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Contact,
    Group,
    Event,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    kind: Kind,
    slug: Slug,
    /// Arguments of an event's template; `message=…` for a contact or a group
    #[arg(value_name = "NAME=VALUE", value_parser = argument)]
    arguments: Vec<(String, String)>,
}

pub(crate) async fn run(place: &Place, args: Args) -> Result<(), Failure> {
    let given = arguments(args.arguments)?;
    // Something is said, or there would be nothing to explain.
    let message = || match given.get("message").and_then(|text| text.as_str()) {
        Some(text) => text.to_owned(),
        None => "(your message)".to_owned(),
    };
    let raise = match args.kind {
        Kind::Contact => Raise::contact(args.slug, message()),
        Kind::Group => Raise::group(args.slug, message()),
        Kind::Event => Raise::event(args.slug, given),
    };
    let plan = place.explain(&raise).await?;
    if place.output.json {
        return place.output.json(&plan);
    }
    print(&place.output, &place.routes().await?, &plan)
}

/// Prints a plan for people.
pub(super) fn print(output: &Output, routes: &Routes, plan: &Plan) -> Result<(), Failure> {
    let title = format!("{} {}", plan.target, harmless(plan.name.as_str()));
    output.line(output.paint(Tone::Strong, &title))?;
    let message = &plan.message;
    output.line(format!("  subject  {}", one_line(&message.subject)))?;
    for (number, line) in message.body.lines().enumerate() {
        let label = if number == 0 { "says" } else { "" };
        output.line(format!("  {label:<8} {}", harmless(line)))?;
    }
    if let Some(reason) = &message.degraded {
        let reason = format!(
            "  the template failed, so this text stands in: {}",
            one_line(reason)
        );
        output.line(output.paint(Tone::Bad, &reason))?;
    }
    print_arguments(output, &plan.missing, &plan.unused)?;
    for recipient in &plan.recipients {
        print_recipient(output, routes, recipient)?;
    }
    if let Some(refusal) = plan.refusal {
        let verdict = format!("a raise would be refused: {refusal}");
        output.line(output.paint(Tone::Bad, &verdict))?;
    }
    Ok(())
}

/// Prints which arguments are missing, and which are of no use.
pub(super) fn print_arguments(
    output: &Output,
    missing: &[String],
    unused: &[String],
) -> Result<(), Failure> {
    for (title, names) in [("missing", missing), ("unused", unused)] {
        if !names.is_empty() {
            let line = format!("  {title} arguments: {}", one_line(&names.join(", ")));
            output.line(output.paint(Tone::Waiting, &line))?;
        }
    }
    Ok(())
}

fn print_recipient(output: &Output, routes: &Routes, recipient: &Recipient) -> Result<(), Failure> {
    let via: Vec<_> = recipient
        .via
        .iter()
        .map(|group| format!("group/{group}"))
        .collect();
    let via = match via.as_slice() {
        [] => String::new(),
        groups => format!(", through {}", groups.join(", ")),
    };
    let name = harmless(recipient.name.as_str());
    output.line(format!("  {} ({name}){via}", recipient.contact))?;
    if let Some(skip) = &recipient.skip {
        let reason = format!("    not told: {skip}");
        output.line(output.paint(Tone::Waiting, &reason))?;
    }
    for endpoint in &recipient.endpoints {
        let place = format!("    {} {}", endpoint.channel, endpoint.address);
        let verdict = match &endpoint.verdict {
            Verdict::Deliver(_) => {
                let through = match &*routes.through(&endpoint.channel, &endpoint.address) {
                    "" => String::new(),
                    names => format!(" through {names}"),
                };
                output.paint(Tone::Good, &format!("told{through}"))
            }
            Verdict::Skip(skip) => output.paint(Tone::Waiting, &format!("not told: {skip}")),
        };
        output.line(format!("{place}  {verdict}"))?;
    }
    Ok(())
}
