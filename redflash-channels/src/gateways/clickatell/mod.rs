//! Clickatell: the channel `sms`, over its One API or its classic HTTP API.

pub mod classic;
pub mod one_api;
