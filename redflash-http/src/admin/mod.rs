//! The web admin: pages made on the server, for whoever is in charge, at a desk or on a phone.
//!
//! `view` says how a page is written.

#![expect(
    dead_code,
    clippy::unused_async,
    reason = "the router and the pages that use it come next"
)]

mod assets;
mod chart;
mod field;
mod helper;
mod part;
mod view;
