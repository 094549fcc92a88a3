//! `redflash copy`: copies an SQLite database to Postgres.

use redflash_store::{Access, PostgresStore, SqliteStore, copy};

use crate::config::{DatabaseUrl, Overrides};
use crate::context::Database;
use crate::error::{CliError, Exit};
use crate::output::Output;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  redflash copy --from sqlite:redflash.db --to postgres://ann@db.example.org/b")]
pub(crate) struct Args {
    /// SQLite database to copy, such as sqlite:redflash.db; no server may be using it
    #[arg(long, value_name = "URL")]
    from: String,
    /// URL of an empty Postgres database
    #[arg(long, value_name = "URL")]
    to: String,
}

pub(crate) async fn run(
    args: &Args,
    overrides: &Overrides,
    output: &Output,
) -> Result<(), CliError> {
    let mut config = crate::config::load(overrides)?.config;
    let mut parse = |url: &str| {
        config.database = DatabaseUrl(url.into());
        Database::parse(&config)
    };
    let Database::Sqlite(path) = parse(&args.from)? else {
        return Err(CliError::usage("--from: expected sqlite:PATH"));
    };
    let Database::Postgres(target) = parse(&args.to)? else {
        let message = "--to: expected postgres://user:password@host/database";
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
        let message = "--to: the database is not empty";
        return Err(CliError::new(Exit::Refused, message));
    }
    copy(&from, &to).await?;
    let (wanted, found) = (from.counts().await?, to.counts().await?);
    if wanted != found {
        let message = format!(
            "the copy is incomplete: the source has {wanted}, the target {found}; empty the target and try again"
        );
        return Err(CliError::new(Exit::Failed, message));
    }
    if output.json {
        return output.json(&found);
    }
    output.remark(format!("copied and verified: {found}"))
}
