//! `redflash resend`: sends again what failed, was cancelled, suppressed or set aside.

use serde_json::json;

use crate::backend::{Backend, IdPrefix};
use crate::error::CliError;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The notification, as `redflash log` shows it, or the beginning of its id; the id of a delivery
    /// sends that one alone
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
        0 => "nothing of it failed, was cancelled, suppressed or set aside".to_owned(),
        number => format!("queued again: {number}"),
    })
}
