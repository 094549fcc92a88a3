//! The `redflash` command: the server, the directory, the log.

#[cfg(not(unix))]
compile_error!("redflash requires a Unix system, such as Linux or macOS");

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

/// Maximum time to wait for databases to close: slightly more than a write waits for a lock.
const CLOSING: Duration = Duration::from_secs(6);

fn main() -> ExitCode {
    // A byte that is not UTF-8 must not stop an alert.
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let cli = Cli::parse_from(arguments);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("redflash: cannot start threads: {error}");
            return ExitCode::from(75);
        }
    };
    let result = runtime.block_on(dispatch::run(cli));
    // Only DNS lookups can still be running; their threads cannot be stopped.
    runtime.shutdown_background();
    // A database that closes is merged into one file, unless other processes use it.
    redflash_store::SqliteStore::wait_until_closed(CLOSING);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}
