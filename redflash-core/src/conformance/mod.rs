//! The suites that every store and every channel must pass.

pub mod channel;
pub mod store;
