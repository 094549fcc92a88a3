//! The commands, one per file.

pub(crate) mod audit;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod contact;
pub(crate) mod copy;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod endpoint;
pub(crate) mod event;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod gateway;
pub(crate) mod group;
pub(crate) mod import;
pub(crate) mod inbound;
pub(crate) mod key;
pub(crate) mod log;
pub(crate) mod man;
pub(crate) mod migrate;
mod plan_output;
pub(crate) mod prune;
pub(crate) mod raise;
mod reachability;
pub(crate) mod resend;
pub(crate) mod serve;
mod template_arguments;
pub(crate) mod user;
