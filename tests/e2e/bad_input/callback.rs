//! Rows about what gateways call us for: signed as the row says, and sent to the default gateway.

use redflash_tests::raw::Step;
use serde_json::Value;

use super::input::repeated;
use super::row::Row;
use crate::callback::{OURS, Signed, seconds, signature};
use crate::world::state;

/// Tries a row, and says what is not as it should be.
pub(super) async fn run(row: &Row, world: &Signed) -> Vec<String> {
    // A row before may have switched it off.
    let endpoint = ["endpoint", "on", "ada", "sms", "+447900000001"];
    world.site.run(endpoint).await;
    let (delivery, other) = (world.sent().await, world.sent_by_other().await);
    let fill = |text: &str| {
        let text = text.replace("{TXID}", delivery["id"].as_str().unwrap());
        let text = text.replace("{OTHERGWTX}", other["id"].as_str().unwrap());
        repeated(&text.replace("{OURNUMBER}", OURS))
    };
    let body = fill(&row.body) + &signed(row, &fill(&row.body));
    let mut head = format!(
        "{} {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n",
        row.method,
        fill(&row.path),
        body.len()
    );
    for (name, value) in row.headers() {
        head.extend([name, ": ", value, "\r\n"]);
    }
    let steps = [Step::Send(format!("{head}\r\n{body}").into_bytes())];
    let before = world.inbound().await.len();
    let status = world.exchange(&steps).await.to_string();
    let mut wrong = Vec::new();
    if !row.expects(&status) {
        wrong.push(format!("answered {status} instead of {}", row.expected));
    }
    for clause in row.effects() {
        if let Err(problem) = check(clause, world, [&delivery, &other], before).await {
            wrong.push(problem);
        }
    }
    wrong
}

/// The fields that sign a body as the row's headers say: now, `{GWSIG}`; ahead of time, `{GWSIG:+3600}`;
/// wrongly, any other header of a signature; or not at all.
fn signed(row: &Row, body: &str) -> String {
    let Some((_, rest)) = row.headers.split_once("{GWSIG") else {
        let wrong = row.headers().find(|(name, _)| *name == "X-Signature");
        return wrong.map_or_else(String::new, |(_, value)| format!("&sig={value}"));
    };
    let ahead = rest.split('}').next().unwrap_or_default();
    let ahead = ahead.trim_start_matches(":+").parse().unwrap_or(0);
    let timestamp = seconds(ahead).to_string();
    let fields = url::form_urlencoded::parse(body.as_bytes());
    let mut fields: Vec<_> = fields
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    fields.push(("timestamp".into(), timestamp.clone()));
    let borrowed: Vec<_> = fields.iter().map(|(n, v)| (&**n, &**v)).collect();
    format!("&timestamp={timestamp}&sig={}", signature(&borrowed))
}

/// Checks one clause of a row's effect. A clause that is in nobody's vocabulary holds.
async fn check(
    clause: &str,
    world: &Signed,
    deliveries: [&Value; 2],
    before: usize,
) -> Result<(), String> {
    match clause.split(':').next().unwrap_or_default() {
        "row unchanged" => {
            for delivery in deliveries {
                let now = world
                    .delivery(delivery["notification"].as_str().unwrap())
                    .await;
                if state(&now) != "sent" {
                    return Err(format!("it changed: {now}"));
                }
            }
            Ok(())
        }
        "nothing done" => {
            let all = world.inbound().await;
            let new = &all[..all.len() - before];
            match new
                .iter()
                .find(|one| !one["effect"].as_str().unwrap().starts_with("nothing"))
            {
                Some(one) => Err(format!("it did something: {one}")),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}
