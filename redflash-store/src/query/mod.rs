//! The queries, in the files of what they are about. Each runs inside the transaction or snapshot
//! of its caller.

pub(crate) mod directory;
pub(crate) mod log;
pub(crate) mod outbox;
pub(crate) mod receipt;
pub(crate) mod save;

/// The connection that queries run on.
pub(crate) type Conn = diesel::sqlite::SqliteConnection;
