//! The web admin: pages made on the server, for whoever is in charge, at a desk or on a phone.

#![expect(
    dead_code,
    clippy::unused_async,
    reason = "the router and the pages that use it come next"
)]

mod assets;
