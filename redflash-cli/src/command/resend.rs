//! `redflash resend`: sends again what failed, was cancelled, suppressed or set aside.

use redflash_core::NotificationId;
use serde_json::json;

use crate::context::Context;
use crate::failure::{Exit, Failure};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The notification, as `redflash log` shows it
    id: NotificationId,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let engine = super::engine(context).await?;
    if engine.store().notification(args.id).await?.is_none() {
        let message = format!("there is no notification {}: see `redflash log`", args.id);
        return Err(Failure::new(Exit::Refused, message));
    }
    let resent = engine.store().resend(args.id, None, engine.now()).await?;
    if context.output.json {
        return context.output.json(&json!({ "resent": resent }));
    }
    context.output.line(match resent {
        0 => "nothing of it failed, was cancelled, suppressed or set aside".to_owned(),
        number => format!("queued again: {number}"),
    })
}
