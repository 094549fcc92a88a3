//! `redflash inbound`: messages that people sent back.

use std::num::NonZeroU32;

use redflash_core::inbound::Inbound;
use redflash_core::model::{InboundId, Slug};
use redflash_core::store::InboundFilter;

use crate::backend::Backend;
use crate::error::CliError;
use crate::format::time;
use crate::sanitize::one_line;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  redflash inbound --contact ann --limit 10")]
pub(crate) struct Args {
    /// Only messages from this contact
    #[arg(long)]
    contact: Option<Slug>,
    /// Only messages before this one (its id is in the JSON output)
    #[arg(long, value_name = "ID")]
    before: Option<InboundId>,
    /// Maximum number of messages, newest first
    #[arg(long, value_name = "NUMBER", default_value = "50")]
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
        let sender = match &*contacts {
            [] => inbound.from.to_string(),
            contacts => contacts.join(", "),
        };
        let answers = inbound.answers.map(|id| id.notification().to_string());
        [
            time(inbound.received_at),
            inbound.gateway.to_string(),
            one_line(&sender),
            one_line(&inbound.text),
            answers.unwrap_or_default(),
            one_line(&inbound.effect),
        ]
    };
    backend.output.table(
        [
            "received", "gateway", "from", "message", "reply to", "effect",
        ],
        found.iter().map(row).collect(),
        "no messages found",
    )
}
