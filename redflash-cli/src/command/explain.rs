//! `redflash explain`: who would be told, through what, in which words; who not, and why.

use clap::ValueEnum;
use redflash_core::{Raise, Slug};

use super::plan_output::print_plan;
use super::template_arguments::{argument, arguments};
use crate::backend::Backend;
use crate::error::CliError;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Contact,
    Group,
    Event,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    kind: Kind,
    slug: Slug,
    /// Arguments of an event's template; `message=…` for a contact or a group
    #[arg(value_name = "NAME=VALUE", value_parser = argument)]
    arguments: Vec<(String, String)>,
}

pub(crate) async fn run(backend: &Backend, args: Args) -> Result<(), CliError> {
    let given = arguments(args.arguments)?;
    // Something is said, or there would be nothing to explain.
    let message = || match given.get("message").and_then(|text| text.as_str()) {
        Some(text) => text.to_owned(),
        None => "(your message)".to_owned(),
    };
    let raise = match args.kind {
        Kind::Contact => Raise::contact(args.slug, message()),
        Kind::Group => Raise::group(args.slug, message()),
        Kind::Event => Raise::event(args.slug, given),
    };
    let plan = backend.explain(&raise).await?;
    if backend.output.json {
        return backend.output.json(&plan);
    }
    print_plan(&backend.output, &backend.routes().await?, &plan)
}
