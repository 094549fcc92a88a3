//! The `redflash` command: the server, the directory, the log.

#[cfg(not(unix))]
compile_error!(
    "the command `redflash` needs a Unix system, such as Linux or macOS: build it there"
);

mod args;
mod backend;
mod command;
mod config;
mod context;
mod dispatch;
mod error;
mod format;
mod http_client;
mod operator;
mod output;
mod password;
mod sanitize;
mod server;
mod table;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use args::Cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Maximum time to wait for databases to be closed: a little more than a write waits for a lock.
const CLOSING: Duration = Duration::from_secs(6);

fn main() -> ExitCode {
    // An alert must not be lost for a byte that is not UTF-8.
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let cli = Cli::parse_from(arguments);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("redflash: threads cannot be started: {error}");
            return ExitCode::from(75);
        }
    };
    let ended = runtime.block_on(dispatch::run(cli));
    // What still runs after an orderly end is a lookup in a thread that cannot be stopped.
    runtime.shutdown_background();
    // Leaves each database in one file, unless others use it or lock it.
    redflash_store::SqliteStore::wait_until_closed(CLOSING);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}
