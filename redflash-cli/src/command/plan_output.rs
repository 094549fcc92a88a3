//! Output of plans.

use redflash_core::plan::{Plan, Recipient, Verdict};

use crate::backend::GatewayRoutes;
use crate::error::CliError;
use crate::output::{Output, Tone};
use crate::sanitize::{one_line, sanitize};

/// Prints a plan.
pub(super) fn print_plan(
    output: &Output,
    routes: &GatewayRoutes,
    plan: &Plan,
) -> Result<(), CliError> {
    let title = format!("{} {}", plan.target, sanitize(plan.name.as_str()));
    output.line(output.paint(Tone::Strong, &title))?;
    let message = &plan.message;
    output.line(format!("  subject  {}", one_line(&message.subject)))?;
    for (number, line) in message.body.lines().enumerate() {
        let label = if number == 0 { "message" } else { "" };
        output.line(format!("  {label:<8} {}", sanitize(line)))?;
    }
    if let Some(reason) = &message.degraded {
        let reason = format!(
            "  the template failed and was replaced by this text: {}",
            one_line(reason)
        );
        output.line(output.paint(Tone::Bad, &reason))?;
    }
    print_arguments(output, &plan.missing, &plan.unused)?;
    for recipient in &plan.recipients {
        print_recipient(output, routes, recipient)?;
    }
    if let Some(refusal) = plan.refusal {
        let verdict = format!("this alert would be rejected: {refusal}");
        output.line(output.paint(Tone::Bad, &verdict))?;
    }
    Ok(())
}

/// Prints missing and unused arguments.
pub(super) fn print_arguments(
    output: &Output,
    missing: &[String],
    unused: &[String],
) -> Result<(), CliError> {
    for (title, names) in [("missing", missing), ("unused", unused)] {
        if !names.is_empty() {
            let line = format!("  {title} arguments: {}", one_line(&names.join(", ")));
            output.line(output.paint(Tone::Waiting, &line))?;
        }
    }
    Ok(())
}

fn print_recipient(
    output: &Output,
    routes: &GatewayRoutes,
    recipient: &Recipient,
) -> Result<(), CliError> {
    let via: Vec<_> = recipient
        .via
        .iter()
        .map(|group| format!("group/{group}"))
        .collect();
    let via = match via.as_slice() {
        [] => String::new(),
        groups => format!(", through {}", groups.join(", ")),
    };
    let name = sanitize(recipient.name.as_str());
    output.line(format!("  {} ({name}){via}", recipient.contact))?;
    if let Some(skip) = &recipient.skip {
        let reason = format!("    skipped: {skip}");
        output.line(output.paint(Tone::Waiting, &reason))?;
    }
    for endpoint in &recipient.endpoints {
        let endpoint_line = format!("    {} {}", endpoint.channel, endpoint.address);
        let verdict = match &endpoint.verdict {
            Verdict::Deliver(_) => {
                let through = match &*routes.through(&endpoint.channel, &endpoint.address) {
                    "" => String::new(),
                    names => format!(" through {names}"),
                };
                output.paint(Tone::Good, &format!("deliver{through}"))
            }
            Verdict::Skip(skip) => output.paint(Tone::Waiting, &format!("skipped: {skip}")),
        };
        output.line(format!("{endpoint_line}  {verdict}"))?;
    }
    Ok(())
}
