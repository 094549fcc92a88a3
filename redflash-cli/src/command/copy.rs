//! `redflash copy`: moves everything from an SQLite file to a Postgres database.

use redflash_store::{Access, PostgresStore, SqliteStore, copy};

use crate::config::{DatabaseUrl, Overrides};
use crate::context::Database;
use crate::error::{CliError, Exit};
use crate::output::Output;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where it is, such as sqlite:redflash.db; no server may run on it
    #[arg(long, value_name = "URL")]
    from: String,
    /// The URL of the Postgres database that it is to be in; it must be empty
    #[arg(long, value_name = "URL")]
    to: String,
}

pub(crate) async fn run(
    args: &Args,
    overrides: &Overrides,
    output: &Output,
) -> Result<(), CliError> {
    let mut config = crate::config::load(overrides)?.config;
    let mut named = |url: &str| {
        config.database = DatabaseUrl(url.into());
        Database::parse(&config)
    };
    let Database::Sqlite(path) = named(&args.from)? else {
        return Err(CliError::usage(
            "--from: write sqlite: and the path of a file",
        ));
    };
    let Database::Postgres(target) = named(&args.to)? else {
        let message = "--to: write postgres://user:password@host/database";
        return Err(CliError::usage(message));
    };
    if !path.exists() {
        let message = format!("--from: there is no file {}", path.display());
        return Err(CliError::usage(message));
    }
    let from = SqliteStore::open(path, Access::Server)?;
    let to = PostgresStore::open(&target).await?;
    let found = to.counts().await?;
    if found.total() > 0 {
        let message = "--to: the database is not empty: name one that is";
        return Err(CliError::new(Exit::Refused, message));
    }
    copy(&from, &to).await?;
    let (wanted, found) = (from.counts().await?, to.counts().await?);
    if wanted != found {
        let message = format!(
            "the copy does not match: {wanted} there and {found} here; empty the target and try again"
        );
        return Err(CliError::new(Exit::Failed, message));
    }
    if output.json {
        return output.json(&found);
    }
    output.remark(format!("copied and counted: {found}"))
}
