//! `redflash explain`: the plan of an alert.

use clap::ValueEnum;
use redflash_core::message::Raise;
use redflash_core::model::Slug;

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
#[command(after_help = "\
Examples:
  redflash explain event disk-full host=db1 percent=97
  redflash explain group on-call message='The disk is full.'")]
pub(crate) struct Args {
    /// Kind of target
    kind: Kind,
    /// Slug of the target
    slug: Slug,
    /// Arguments of the event's template; `message=…` for a contact or a group
    #[arg(value_name = "NAME=VALUE", value_parser = argument)]
    arguments: Vec<(String, String)>,
}

pub(crate) async fn run(backend: &Backend, args: Args) -> Result<(), CliError> {
    let arguments = arguments(args.arguments)?;
    // An empty message would be rejected.
    let message = || match arguments.get("message").and_then(|text| text.as_str()) {
        Some(text) => text.to_owned(),
        None => "(your message)".to_owned(),
    };
    let raise = match args.kind {
        Kind::Contact => Raise::contact(args.slug, message()),
        Kind::Group => Raise::group(args.slug, message()),
        Kind::Event => Raise::event(args.slug, arguments),
    };
    let plan = backend.explain(&raise).await?;
    if backend.output.json {
        return backend.output.json(&plan);
    }
    print_plan(&backend.output, &backend.routes().await?, &plan)
}
