//! The pages of the delivery log.

mod csv;
mod list;
mod notification;
mod stream;
