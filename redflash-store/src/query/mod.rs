//! The queries, one file per subject. Each runs inside the transaction or snapshot of its caller.
//!
//! They are written once and compiled for each back end, which mounts this folder as a module of its own
//! and provides: `Conn`, the connection; `RunQueryDsl`, which runs a query
//! on it; `entry` and `write`, which read a delivery to change it and write it back; `held_version`,
//! the directory's version, held against other edits; `within`, deliveries of several ranges of ids;
//! `plans`, notifications by their ids; `insert`, which records deliveries; `orphans`, `unconfirmed`
//! and `due_queues`, whose statements differ between back ends.

pub(crate) mod audit;
pub(crate) mod claimed;
pub(crate) mod count;
pub(crate) mod directory;
pub(crate) mod existence;
pub(crate) mod fan_out;
pub(crate) mod inbox;
pub(crate) mod index_condition;
pub(crate) mod log;
pub(crate) mod meter;
pub(crate) mod outbox;
pub(crate) mod overdue;
pub(crate) mod receipt;
pub(crate) mod recent;
pub(crate) mod save;
pub(crate) mod session;
pub(crate) mod set_aside;
pub(crate) mod user;

use super::{
    Conn, RunQueryDsl, due_queues, entry, held_version, insert, orphans, plans, unconfirmed,
    within, write,
};
