//! An engine embedded in a program: odd runtimes, futures that are dropped, ends at bad moments, channels
//! and stores that panic or hang, other processes. Whatever happens, each alert that was recorded is sent, once
//! unless the log says why not.

#![expect(clippy::unwrap_used, reason = "a failed expectation ends the test")]

mod deadline;
mod ends;
mod fake_channel;
mod files;
mod lives;
mod panics;
mod processes;
mod runtimes;
mod world;
