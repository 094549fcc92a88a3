//! The promises of a [`Store`](crate::Store), as tests.
