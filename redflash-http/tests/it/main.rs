//! The server over a store in memory.

#![expect(clippy::unwrap_used, reason = "a failed expectation ends the test")]

mod api;
mod connection;
mod directory;
mod history;
mod large_body;
mod old_texts;
mod pager;
mod prefix;
mod raising;
mod site;
mod told;
mod visitor;
mod walk;
