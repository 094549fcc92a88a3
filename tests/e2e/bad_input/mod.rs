//! Bad inputs: tables of what must be refused, or taken as it is, and what must come of it.
//!
//! `bad_inputs.tsv` is driven in every run. The variable `REDFLASH_BAD_INPUTS` names another table
//! of the same columns to be driven too.

mod callback;
mod command;
mod effect;
mod input;
mod row;
mod stage;
mod web_admin;

use std::time::Duration;

use redflash_tests::raw::{self, Exchange};
use row::Row;
use stage::Stage;
use web_admin::WebAdmin;

use crate::callback::Signed;

#[tokio::test(flavor = "multi_thread")]
async fn answers_every_bad_request_as_documented() {
    drive(Row::table(include_str!("../bad_inputs.tsv"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn external_table_of_bad_inputs_holds() {
    let Some(path) = std::env::var_os("REDFLASH_BAD_INPUTS") else {
        eprintln!("skipped: REDFLASH_BAD_INPUTS names no table");
        return;
    };
    drive(Row::table(&std::fs::read_to_string(path).unwrap())).await;
}

/// Tries every row on one installation, and fails with all that do not hold.
async fn drive(rows: Vec<Row>) {
    let stage = Stage::start().await;
    let signed = Signed::start().await;
    let web_admin = WebAdmin::start().await;
    let mut wrong = Vec::new();
    for row in &rows {
        let found = match &*row.surface {
            _ if row.headers.contains("X-Test-Condition") => {
                skip(row, "needs a fault of the machine")
            }
            "admin" | "admin-form" | "export" => web_admin.run(row).await,
            "http" => request(row, &stage).await,
            surface if surface.starts_with("raise-") => request(row, &stage).await,
            "ack" if row.method == "GET" => skip(row, "asks for POST alone, and both are taken"),
            "ack" | "inbound" => callback::run(row, &signed).await,
            "cli" | "config" | "import" => command::run(row, &stage).await,
            _ => skip(row, "is about another surface"),
        };
        for problem in found {
            wrong.push(format!("{} / {}: {problem}", row.surface, row.name));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} rows:\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
}

fn skip(row: &Row, why: &str) -> Vec<String> {
    eprintln!("skipped: {} / {} {why}", row.surface, row.name);
    Vec::new()
}

/// Sends a row's request, and says what is not as it should be.
async fn request(row: &Row, stage: &Stage) -> Vec<String> {
    let before = stage.newest().await;
    let exchange = exchange(row, stage).await;
    let mut wrong: Vec<_> = answered(row, &exchange).into_iter().collect();
    let happened = effect::Happened {
        exchange,
        before,
        after: stage.newest().await,
    };
    wrong.extend(effect::of(row, &happened, stage).await);
    wrong
}

async fn exchange(row: &Row, stage: &Stage) -> Exchange {
    let steps = input::steps(row, stage);
    let address = stage.world.server.address();
    raw::exchange(address, &steps, Duration::from_millis(500)).await
}

/// Returns the mismatch of the answer's status.
fn answered(row: &Row, exchange: &Exchange) -> Option<String> {
    let outcome = match exchange.status() {
        Some(status) => status.to_string(),
        None if exchange.closed.is_some() => "closed".to_owned(),
        None => "silence".to_owned(),
    };
    let text: String = exchange.text().chars().take(400).collect();
    let wanted = &row.expected;
    let wrong = format!("answered {outcome} instead of {wanted}: {text}");
    (!row.expects(&outcome)).then_some(wrong)
}
