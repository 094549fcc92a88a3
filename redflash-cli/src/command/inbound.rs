//! `redflash inbound`: what people sent back.

use std::num::NonZeroU32;

use redflash_core::store::InboundFilter;
use redflash_core::{Inbound, InboundId, Slug};

use crate::backend::Backend;
use crate::error::CliError;
use crate::format::time;
use crate::sanitize::one_line;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only messages from this contact
    #[arg(long)]
    contact: Option<Slug>,
    /// Only messages that came before this one, as --json shows it
    #[arg(long, value_name = "ID")]
    before: Option<InboundId>,
    /// At most so many, newest first
    #[arg(long, default_value = "50")]
    limit: NonZeroU32,
}

pub(crate) async fn run(backend: &Backend, args: Args) -> Result<(), CliError> {
    let filter = InboundFilter {
        contact: args.contact,
        before: args.before,
        limit: args.limit,
    };
    let found = backend.inbound(&filter).await?;
    if backend.output.json {
        return backend.output.json(&found);
    }
    let row = |inbound: &Inbound| {
        let contacts: Vec<_> = inbound.contacts.iter().map(Slug::as_str).collect();
        let who = match &*contacts {
            [] => inbound.from.to_string(),
            contacts => contacts.join(", "),
        };
        let answers = inbound.answers.map(|id| id.notification().to_string());
        [
            time(inbound.received_at),
            inbound.gateway.to_string(),
            one_line(&who),
            one_line(&inbound.text),
            answers.unwrap_or_default(),
            one_line(&inbound.effect),
        ]
    };
    backend.output.table(
        ["received", "gateway", "from", "says", "answers", "did"],
        found.iter().map(row).collect(),
        "nobody sent anything back, or nobody who fits",
    )
}
