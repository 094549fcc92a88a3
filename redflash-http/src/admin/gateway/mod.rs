//! Gateways: their state, configuration and recent attempts.

pub(crate) mod attempt_chart;
pub(crate) mod facts;
pub(crate) mod list;
pub(crate) mod state;
