//! `redflash resend`: sends again what failed, was cancelled, suppressed or set aside.

use redflash_core::NotificationId;
use serde_json::json;

use crate::failure::Failure;
use crate::place::Place;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The notification, as `redflash log` shows it
    id: NotificationId,
}

pub(crate) async fn run(place: &Place, args: Args) -> Result<(), Failure> {
    let resent = place.resend(args.id).await?;
    if place.output.json {
        return place.output.json(&json!({ "resent": resent }));
    }
    place.output.line(match resent {
        0 => "nothing of it failed, was cancelled, suppressed or set aside".to_owned(),
        number => format!("queued again: {number}"),
    })
}
