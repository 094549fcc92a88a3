//! `redflash resend`: resends failed, cancelled, suppressed or quarantined deliveries.

use serde_json::json;

use crate::backend::{Backend, IdPrefix};
use crate::error::CliError;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  redflash resend 019ab4c2")]
pub(crate) struct Args {
    /// Id of a notification, or its first digits; the id of a delivery resends only that one
    id: IdPrefix,
}

pub(crate) async fn run(backend: &Backend, args: Args) -> Result<(), CliError> {
    let resent = {
        let (id, only) = args.id.find(backend).await?;
        backend.resend(id, only).await?
    };
    if backend.output.json {
        return backend.output.json(&json!({ "resent": resent }));
    }
    backend.output.line(match resent {
        0 => "nothing to resend: no delivery failed or was cancelled, suppressed or quarantined"
            .to_owned(),
        number => format!("queued again: {number}"),
    })
}
