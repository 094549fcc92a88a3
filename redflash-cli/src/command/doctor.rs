//! `redflash doctor`: looks for what is wrong.

use redflash_core::{Engine, Slug, report};
use serde::Serialize;

use crate::context::{Context, Served};
use crate::failure::{Exit, Failure};
use crate::output::{Tone, one_line};
use crate::place::Place;
use crate::words::time;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    verdict: Verdict,
    detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Fine,
    Warning,
    Wrong,
}

pub(crate) async fn run(place: &Place, _: Args) -> Result<(), Failure> {
    let machine = place.machine().ok_or_else(|| Failure::usage("not yet"))?;
    let context = &machine.context;
    let mut findings = configuration(context);
    findings.push(server(context).await);
    match context.engine(redflash_store::Access::Shared).await {
        Ok(engine) => {
            findings.push(commit(&engine).await);
            findings.push(backlog(&engine).await?);
            findings.extend(directory(&engine).await?);
            findings.extend(alarms(&engine).await?);
            findings.extend(named(context, &engine).await?);
        }
        Err(failure) => findings.push(Finding {
            what: "store",
            verdict: Verdict::Wrong,
            detail: failure.message,
        }),
    }
    if context.output.json {
        context.output.json(&findings)?;
    } else {
        for finding in &findings {
            let (tone, word) = match finding.verdict {
                Verdict::Fine => (Tone::Good, "fine"),
                Verdict::Warning => (Tone::Waiting, "look"),
                Verdict::Wrong => (Tone::Bad, "wrong"),
            };
            let word = context.output.paint(tone, &format!("{word:<6}"));
            let detail = one_line(&finding.detail);
            context
                .output
                .line(format!("{word} {:<14} {detail}", finding.what))?;
        }
    }
    if findings
        .iter()
        .any(|finding| finding.verdict == Verdict::Wrong)
    {
        return Err(Failure::new(Exit::Failed, "something is wrong: see above"));
    }
    Ok(())
}

fn configuration(context: &Context) -> Vec<Finding> {
    let loaded = &context.loaded;
    let source = loaded.file.as_ref().map_or_else(
        || "no file: the built-in defaults".to_owned(),
        |path| path.display().to_string(),
    );
    let names = loaded.gateways.iter().map(|configured| {
        let gateway = &configured.gateway;
        format!("{} ({})", gateway.name, gateway.channel.kind())
    });
    let mut findings = vec![
        Finding {
            what: "configuration",
            verdict: Verdict::Fine,
            detail: source,
        },
        Finding {
            what: "gateways",
            verdict: Verdict::Fine,
            detail: names.collect::<Vec<_>>().join(", "),
        },
    ];
    findings.extend(loaded.warnings.iter().map(|warning| Finding {
        what: "configuration",
        verdict: Verdict::Warning,
        detail: warning.clone(),
    }));
    findings
}

async fn server(context: &Context) -> Finding {
    let none = "none runs on this store: nothing is sent until `redflash serve`";
    let (verdict, detail) = match context.served().await {
        Ok(None) => (Verdict::Warning, none.to_owned()),
        Ok(Some(Served::Process(pid))) => (Verdict::Fine, format!("runs as process {pid}")),
        Ok(Some(Served::Nodes(nodes))) => (Verdict::Fine, format!("{nodes} run on this database")),
        Err(failure) => (Verdict::Wrong, failure.message),
    };
    Finding {
        what: "server",
        verdict,
        detail,
    }
}

async fn commit(engine: &Engine) -> Finding {
    let (verdict, detail) = match engine.store().probe(engine.now()).await {
        Ok(()) => (Verdict::Fine, "a commit was made and synced".to_owned()),
        Err(fault) => (Verdict::Wrong, report(&fault)),
    };
    Finding {
        what: "store",
        verdict,
        detail,
    }
}

async fn backlog(engine: &Engine) -> Result<Finding, Failure> {
    /// In milliseconds.
    const LATE: u128 = 60_000;
    let backlog = engine.store().backlog().await?;
    let late = backlog
        .oldest_due
        .map_or(0, |due| engine.now().since(due).as_millis());
    let oldest = backlog
        .oldest_due
        .map_or_else(String::new, |due| format!(", the oldest due {}", time(due)));
    let (queued, sending) = (backlog.queued, backlog.sending);
    let detail = format!("{queued} queued, {sending} being sent{oldest}");
    Ok(Finding {
        what: "queue",
        verdict: if late > LATE {
            Verdict::Warning
        } else {
            Verdict::Fine
        },
        detail,
    })
}

/// What the configuration names of the directory, and is not there.
async fn named(context: &Context, engine: &Engine) -> Result<Vec<Finding>, Failure> {
    let config = &context.loaded.config;
    let mut missing = Vec::new();
    if let Some(slug) = &config.alarm.contact
        && engine.store().contact(slug).await?.is_none()
    {
        missing.push(format!(
            "alarm.contact names contact/{slug}, which is not there"
        ));
    }
    if let Some(slug) = &config.inbound.event
        && engine.store().event(slug).await?.is_none()
    {
        missing.push(format!(
            "inbound.event names event/{slug}, which is not there"
        ));
    }
    let finding = |detail: String| Finding {
        what: "configuration",
        verdict: Verdict::Warning,
        detail,
    };
    Ok(missing.into_iter().map(finding).collect())
}

/// Gateways that are known to have stopped.
async fn alarms(engine: &Engine) -> Result<Vec<Finding>, Failure> {
    let alarms = engine.stopped_gateways().await?;
    let configured = engine.gateways().iter().map(|gateway| &gateway.name);
    let stopped = configured.filter(|name| alarms.contains(name));
    let finding = |name: &Slug| Finding {
        what: "gateways",
        verdict: Verdict::Warning,
        detail: format!("{name} has stopped: see `redflash log --state queued`"),
    };
    Ok(stopped.map(finding).collect())
}

/// Endpoints that no gateway serves, and events that tell nobody.
async fn directory(engine: &Engine) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for contact in engine.store().contacts().await? {
        for endpoint in &contact.endpoints {
            if engine
                .gateways()
                .of(endpoint.channel.as_str())
                .next()
                .is_none()
            {
                findings.push(Finding {
                    what: "contacts",
                    verdict: Verdict::Warning,
                    detail: format!(
                        "contact/{} has an address on {}, which no gateway serves",
                        contact.slug, endpoint.channel
                    ),
                });
            }
        }
    }
    for event in engine.store().events().await? {
        if event.contacts.is_empty() && event.groups.is_empty() {
            findings.push(Finding {
                what: "events",
                verdict: Verdict::Warning,
                detail: format!("event/{} tells nobody", event.slug),
            });
        }
    }
    Ok(findings)
}
