//! The conditions of the partial indexes of deliveries.
//!
//! They are literals, since a parameter would keep SQLite from using the indexes.

/// Deliveries that wait for their turn.
pub(crate) const QUEUED: &str = "deliveries.state = 'queued'";
/// Deliveries that are being handed over.
pub(crate) const SENDING: &str = "deliveries.state = 'sending'";
/// Deliveries that ended without reaching anybody.
pub(crate) const ENDED_BADLY: &str =
    "deliveries.state IN ('failed', 'cancelled', 'suppressed', 'quarantined')";
