//! `redflash doctor`: checks the installation for problems.

use redflash_core::clock::Timestamp;
use redflash_core::gateway::GatewayView;
use redflash_core::model::{Contact, Event};
use redflash_core::store::Backlog;
use redflash_core::{Engine, error_chain};
use serde::Serialize;

use super::gateway;
use crate::backend::{Backend, GatewayRoutes, Status};
use crate::context::{Context, ServedBy};
use crate::error::{CliError, Exit};
use crate::format::{count, time};
use crate::output::{Output, Tone};
use crate::sanitize::one_line;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  redflash doctor
  redflash --server https://alerts.example.org doctor --json")]
pub(crate) struct Args {}

/// The result of one check.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    detail: String,
}

impl Finding {
    fn new(check: &'static str, verdict: Verdict, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            check,
            verdict,
            detail,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Warning,
    Error,
}

pub(crate) async fn run(backend: &Backend, _: Args) -> Result<(), CliError> {
    let mut findings = Vec::new();
    let mut is_open = true;
    if let Some(local) = backend.local_store() {
        let context = &local.context;
        findings.extend(configuration(context));
        findings.push(server(context).await);
        match local.engine().await {
            Ok(engine) => {
                findings.push(commit(engine).await);
                findings.extend(references(context, engine).await?);
            }
            Err(error) => {
                is_open = false;
                findings.push(Finding::new("store", Verdict::Error, error.message));
            }
        }
    }
    if is_open {
        findings.extend(shared(backend).await?);
    }
    show(&backend.output, &findings)?;
    if findings
        .iter()
        .any(|finding| finding.verdict == Verdict::Error)
    {
        return Err(CliError::new(Exit::Failed, "problems found: see above"));
    }
    Ok(())
}

fn show(output: &Output, findings: &[Finding]) -> Result<(), CliError> {
    if output.json {
        return output.json(&findings);
    }
    for finding in findings {
        let (tone, word) = match finding.verdict {
            Verdict::Ok => (Tone::Good, "ok"),
            Verdict::Warning => (Tone::Waiting, "warning"),
            Verdict::Error => (Tone::Bad, "error"),
        };
        let word = output.paint(tone, &format!("{word:<8}"));
        let detail = one_line(&finding.detail);
        output.line(format!("{word} {:<14} {detail}", finding.check))?;
    }
    Ok(())
}

/// Returns the checks that work locally and through a server.
async fn shared(backend: &Backend) -> Result<Vec<Finding>, CliError> {
    let status = backend.status().await?;
    let routes = backend.routes().await?;
    let mut findings = Vec::new();
    findings.extend(status.sends.map(|sends| {
        let (verdict, detail) = if sends {
            (Verdict::Ok, "running and sending")
        } else {
            (Verdict::Error, "running, but not sending")
        };
        Finding::new("server", verdict, detail)
    }));
    findings.push(backlog(&status, backend.now().await?));
    findings.extend(directory(backend, &routes).await?);
    findings.extend(gateways(&backend.gateways().await?));
    Ok(findings)
}

fn configuration(context: &Context) -> Vec<Finding> {
    let loaded = &context.loaded;
    let source = loaded.file.as_ref().map_or_else(
        || "no file, using defaults".to_owned(),
        |path| path.display().to_string(),
    );
    let names = loaded.gateways.iter().map(|configured| {
        let gateway = &configured.gateway;
        format!("{} ({})", gateway.name, gateway.channel.kind())
    });
    let names = names.collect::<Vec<_>>().join(", ");
    let mut findings = vec![
        Finding::new("configuration", Verdict::Ok, source),
        Finding::new("gateways", Verdict::Ok, names),
    ];
    findings.extend(loaded.gateways.iter().flat_map(|configured| {
        let gateway = &configured.gateway;
        let derived = gateway.channel.derived_settings().into_iter();
        derived.map(|setting| {
            let detail = format!("{}: {setting}", gateway.name);
            Finding::new("gateways", Verdict::Ok, detail)
        })
    }));
    let warnings = loaded.warnings.iter();
    findings.extend(
        warnings.map(|warning| Finding::new("configuration", Verdict::Warning, warning.as_str())),
    );
    findings
}

async fn server(context: &Context) -> Finding {
    let none = "not running on this store: nothing is sent until you run `redflash serve`";
    let (verdict, detail) = match context.served_by().await {
        Ok(None) => (Verdict::Warning, none.to_owned()),
        Ok(Some(ServedBy::Process(pid))) => (Verdict::Ok, format!("running as process {pid}")),
        Ok(Some(ServedBy::Nodes(nodes))) => (
            Verdict::Ok,
            format!("{} running on this database", count(nodes, "node")),
        ),
        Err(error) => (Verdict::Error, error.message),
    };
    Finding::new("server", verdict, detail)
}

async fn commit(engine: &Engine) -> Finding {
    let (verdict, detail) = match engine.store().probe(engine.now()).await {
        Ok(()) => (Verdict::Ok, "a test commit succeeded".to_owned()),
        Err(error) => (Verdict::Error, error_chain(&error)),
    };
    Finding::new("store", verdict, detail)
}

fn backlog(status: &Status, now: Timestamp) -> Finding {
    /// Delay in milliseconds that counts as late.
    const LATE: u128 = 60_000;
    let Backlog {
        queued,
        sending,
        oldest_due,
    } = status.backlog;
    let late = oldest_due.map_or(0, |due| now.since(due).as_millis());
    let oldest = oldest_due.map_or_else(String::new, |due| format!(", oldest due {}", time(due)));
    let verdict = if late > LATE {
        Verdict::Warning
    } else {
        Verdict::Ok
    };
    let detail = format!("{queued} queued, {sending} in progress{oldest}");
    Finding::new("queue", verdict, detail)
}

/// Returns warnings about missing entries that the configuration refers to.
async fn references(context: &Context, engine: &Engine) -> Result<Vec<Finding>, CliError> {
    let config = &context.loaded.config;
    let mut missing = Vec::new();
    if let Some(slug) = &config.alarm.contact
        && engine.store().contact(slug).await?.is_none()
    {
        missing.push(format!(
            "alarm.contact refers to contact/{slug}, which does not exist"
        ));
    }
    if let Some(slug) = &config.inbound.event
        && engine.store().event(slug).await?.is_none()
    {
        missing.push(format!(
            "inbound.event refers to event/{slug}, which does not exist"
        ));
    }
    let finding = |detail: String| Finding::new("configuration", Verdict::Warning, detail);
    Ok(missing.into_iter().map(finding).collect())
}

/// Returns warnings about gateways that are not ok.
fn gateways(all: &[GatewayView]) -> Vec<Finding> {
    let finding = |gateway: &GatewayView| {
        let reason = gateway::reason(&gateway.status)?;
        let (name, state, waiting) = (&gateway.name, gateway.status.state, gateway.status.waiting);
        let detail = format!(
            "{name} is {state}: {reason}; {waiting} waiting, see `redflash log --state queued`"
        );
        Some(Finding::new("gateways", Verdict::Warning, detail))
    };
    all.iter().filter_map(finding).collect()
}

/// Returns warnings about endpoints without a gateway and events without recipients.
async fn directory(backend: &Backend, routes: &GatewayRoutes) -> Result<Vec<Finding>, CliError> {
    let mut findings = Vec::new();
    for contact in backend.list::<Contact>().await? {
        let endpoints = contact.endpoints.iter();
        let unserved = endpoints.filter(|endpoint| !routes.serve(&endpoint.channel));
        findings.extend(unserved.map(|endpoint| {
            let detail = format!(
                "contact/{} has an address on channel {}, which has no gateway",
                contact.slug, endpoint.channel
            );
            Finding::new("contacts", Verdict::Warning, detail)
        }));
    }
    for event in backend.list::<Event>().await? {
        if event.contacts.is_empty() && event.groups.is_empty() {
            let detail = format!("event/{} has no recipients", event.slug);
            findings.push(Finding::new("events", Verdict::Warning, detail));
        }
    }
    Ok(findings)
}
