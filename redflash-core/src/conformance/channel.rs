//! The promises of a [`Channel`](crate::Channel), as tests.
