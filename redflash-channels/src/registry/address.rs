//! Addresses of channels without a configured gateway.

use redflash_core::model::{Address, AddressError, ChannelKind};

use crate::gateways;

/// Normalizes an address of a channel that has no configured gateway yet.
///
/// # Errors
///
/// Returns an [`AddressError`] that describes the problem.
pub fn parse_address(channel: &ChannelKind, raw: &str) -> Result<Address, AddressError> {
    match channel.as_str() {
        #[cfg(feature = "sms")]
        "sms" => crate::sms::phone::parse(raw),
        #[cfg(feature = "email")]
        "email" => gateways::smtp::parse_address(raw),
        #[cfg(feature = "webhook")]
        "webhook" => gateways::webhook::parse_address(raw),
        #[cfg(feature = "x")]
        "x" => gateways::x::parse_address(raw),
        #[cfg(feature = "chat")]
        "slack" => gateways::slack::parse_address(raw),
        #[cfg(feature = "chat")]
        "telegram" => gateways::telegram::parse_address(raw),
        #[cfg(feature = "chat")]
        "discord" | "gotify" | "teams" => crate::named_destinations::parse_name(raw),
        #[cfg(feature = "chat")]
        "ntfy" => gateways::ntfy::parse_address(raw),
        #[cfg(feature = "chat")]
        "pushover" => gateways::pushover::parse_address(raw),
        #[cfg(feature = "chat")]
        "matrix" => gateways::matrix::parse_address(raw),
        #[cfg(feature = "chat")]
        "pagerduty" => gateways::pagerduty::parse_address(raw),
        #[cfg(feature = "chat")]
        "signal" => gateways::signal::parse_address(raw),
        _ => Address::new(raw.trim()),
    }
}
