//! `redflash resend`: sends again what failed, was cancelled, suppressed or set aside.

use serde_json::json;

use crate::failure::Failure;
use crate::id_prefix::IdPrefix;
use crate::place::Place;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The notification, as `redflash log` shows it, or the beginning of its id; the id of a delivery
    /// sends that one alone
    id: IdPrefix,
}

pub(crate) async fn run(place: &Place, args: Args) -> Result<(), Failure> {
    let resent = {
        let (id, only) = args.id.find(place).await?;
        place.resend(id, only).await?
    };
    if place.output.json {
        return place.output.json(&json!({ "resent": resent }));
    }
    place.output.line(match resent {
        0 => "nothing of it failed, was cancelled, suppressed or set aside".to_owned(),
        number => format!("queued again: {number}"),
    })
}
