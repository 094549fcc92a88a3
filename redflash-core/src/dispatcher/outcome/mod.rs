//! The outcomes of deliveries: recorded in the store, and counted.

mod count;
pub(super) mod record;
