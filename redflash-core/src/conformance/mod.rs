//! The suites that every store and every channel must pass.
//!
//! Each promise of the traits is one public function. The macro of each suite generates one test of
//! every promise, so that a new promise reaches everyone who runs the suite.

#![expect(
    clippy::missing_panics_doc,
    reason = "a promise that does not hold panics: that is how a test fails"
)]

pub mod channel;
pub mod store;
