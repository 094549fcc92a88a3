//! Effects of a row beyond the status of its answer.

use std::time::Duration;

use redflash_tests::raw::Exchange;
use serde_json::Value;

use super::input::unescaped;
use super::row::Row;
use super::stage::Stage;

/// The observed effect of a row.
#[derive(Debug)]
pub(crate) struct Happened {
    pub(crate) exchange: Exchange,
    /// The state before it: the newest notification, or the directory.
    pub(crate) before: Option<String>,
    /// The same, after it.
    pub(crate) after: Option<String>,
}

/// Returns the unmet expectations of a row's effect.
pub(crate) async fn of(row: &Row, happened: &Happened, stage: &Stage) -> Vec<String> {
    let mut wrong = Vec::new();
    for clause in row.effects() {
        wrong.extend(check(clause, happened, stage).await.err());
    }
    wrong
}

/// Checks one clause of a row's effect. A clause that is in nobody's vocabulary holds.
///
/// # Errors
///
/// What is not so.
async fn check(clause: &str, happened: &Happened, stage: &Stage) -> Result<(), String> {
    let exchange = &happened.exchange;
    let (word, rest) = clause.split_once(' ').unwrap_or((clause, ""));
    let body = exchange.body();
    match word {
        "nothing" if rest.is_empty() || rest.starts_with("stored") => {
            so(happened.before == happened.after, "something was stored")
        }
        "code" => {
            let wanted = rest.split([' ', ',', ':']).next().unwrap_or_default();
            let code = parsed(exchange)?["code"].clone();
            so(code == wanted, &format!("the code is {code}, not {wanted}"))
        }
        "json" => parsed(exchange).map(|_| ()),
        "says" => {
            let text: String = body.chars().take(400).collect();
            so(body.contains(rest), &format!("{text} does not say {rest}"))
        }
        "silent" => {
            let secret = rest.trim_start_matches("on ");
            so(
                !exchange.text().contains(secret),
                &format!("it tells {secret}: {body}"),
            )
        }
        "header" if rest.contains(':') => {
            let head = exchange.head();
            so(
                head.contains(&rest.to_ascii_lowercase()),
                &format!("no {rest} in {head}"),
            )
        }
        "no" if rest == "body" => so(body.is_empty(), &format!("there is a body: {body}")),
        "no" if rest.starts_with("header ") => {
            let name = rest.trim_start_matches("header ");
            so(
                !exchange.head().contains(&name.to_ascii_lowercase()),
                &format!("there is a {name}"),
            )
        }
        "connection" if rest.starts_with("closed") => {
            so(exchange.closed.is_some(), "the connection stays open")
        }
        "closed" => {
            let seconds = rest.trim_start_matches("within ").split(' ').next();
            let limit = Duration::from_secs(seconds.and_then(|s| s.parse().ok()).unwrap_or(30));
            let closed = exchange.closed;
            so(
                closed.is_some_and(|at| at <= limit),
                &format!("closed after {closed:?}"),
            )
        }
        "read" => {
            let most = rest
                .trim_start_matches("at most ")
                .parse()
                .unwrap_or(usize::MAX);
            so(
                exchange.sent <= most,
                &format!("{} bytes were read", exchange.sent),
            )
        }
        "answers" => {
            let mut wanted = vec![200; 10];
            wanted.push(400);
            let statuses = exchange.statuses();
            so(statuses == wanted, &format!("it answers {statuses:?}"))
        }
        "log" => {
            let word = rest.trim_start_matches("without ");
            so(
                !stage.world.server.log().contains(word),
                &format!("the log has a line of {word}"),
            )
        }
        "delivers" | "mails" | "parts" | "degraded" => arrived(word, rest, happened, stage).await,
        _ => Ok(()),
    }
}

/// Checks what was sent on, and what the log says about it.
async fn arrived(
    word: &str,
    wanted: &str,
    happened: &Happened,
    stage: &Stage,
) -> Result<(), String> {
    let id = happened
        .after
        .as_ref()
        .filter(|_| happened.before != happened.after);
    let Some(id) = id else {
        return Err("nothing was stored".to_owned());
    };
    let at = &stage.world;
    let delivery = at.settled(id).await.remove(0);
    let expected = String::from_utf8(unescaped(wanted)).unwrap();
    match word {
        "parts" => so(
            delivery["parts"].as_u64() == wanted.parse().ok(),
            &format!("{delivery}"),
        ),
        "degraded" => {
            let plan = &at.notification(id).await["plan"];
            so(
                !plan["message"]["degraded"].is_null(),
                "the log does not call it degraded",
            )
        }
        "mails" => {
            let mail = at
                .mail
                .mails()
                .pop()
                .map(|mail| mail.text())
                .unwrap_or_default();
            so(mail.contains(&expected), &format!("the mail says {mail:?}"))
        }
        _ => {
            let hooks = at.webhook.received();
            let hook = hooks.iter().rfind(|hook| hook.notification() == *id);
            let text = hook
                .map(redflash_tests::Received::message)
                .unwrap_or_default();
            match wanted.strip_prefix("at most ") {
                Some(most) => so(
                    !text.is_empty() && text.len() <= most.parse().unwrap(),
                    &format!("{} bytes arrived", text.len()),
                ),
                None => so(text == expected, &format!("{text:?} arrived")),
            }
        }
    }
}

fn parsed(exchange: &Exchange) -> Result<Value, String> {
    let json = exchange.head().contains("content-type: application/json");
    let body = exchange.body();
    let parsed = serde_json::from_str(&body).ok().filter(|_| json);
    parsed.ok_or_else(|| format!("the answer is no JSON: {}", exchange.text()))
}

fn so(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(otherwise.to_owned())
    }
}
