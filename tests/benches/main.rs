//! Benchmarks of RedFlash, each beside something that bounds it, in one run:
//! `cargo bench -p redflash-tests` for everything, or with the names of some benchmarks.
//!
//! The load, the receiver of webhooks and what is compared with are processes of their own, started
//! from this program, so that both sides of a ratio pay the same.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints numbers, and stops where something fails"
)]

mod accept;
mod child;
mod fan_out;
mod history;
mod idle;
mod load;
mod logged;
mod noop;
mod postgres;
mod relay;
mod served;
mod sink;

use std::env;
use std::process::exit;

/// The allocator of the server that is measured, so that both sides of a ratio have the same.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Benchmark = (&'static str, fn());

const BENCHMARKS: [Benchmark; 8] = [
    ("accept", accept::run),
    ("relay", accept::run_with_delivery),
    ("fan-out", fan_out::run),
    ("idle", idle::run),
    ("history", history::run),
    ("postgres", postgres::run),
    ("postgres-fan-out", postgres::fan_out),
    ("postgres-claim", postgres::claim),
];

fn main() {
    let arguments: Vec<String> = env::args()
        .skip(1)
        .filter(|name| name != "--bench")
        .collect();
    if let [role, rest @ ..] = &arguments[..]
        && let Some(child) = role.strip_prefix("child:")
    {
        match child {
            "noop" => noop::serve(),
            "logged" => logged::serve(&rest[0]),
            "relay" => relay::serve(&rest[0]),
            "sink" => sink::serve(),
            other => panic!("there is no child {other}"),
        }
    }
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|given| given == name);
    if let Some(unknown) = arguments
        .iter()
        .find(|name| !BENCHMARKS.iter().any(|(known, _)| known == *name))
    {
        eprintln!("there is no benchmark {unknown}");
        exit(2);
    }
    for (name, run) in BENCHMARKS {
        if wanted(name) {
            run();
        }
    }
}
