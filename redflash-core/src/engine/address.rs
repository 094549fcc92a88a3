//! Premium-rate phone numbers, which are refused.

use crate::engine::Engine;
use crate::gateway::Gateway;
use crate::model::{Address, AddressError, ChannelKind};

impl Engine {
    /// Parses an address for a test of one gateway, into that gateway's normal form.
    ///
    /// # Errors
    ///
    /// [`AddressError`] if the address is not valid.
    pub fn parse_test_address(
        &self,
        gateway: &Gateway,
        raw: &str,
    ) -> Result<Address, AddressError> {
        let address = gateway.channel.parse_address(raw)?;
        self.refuse_premium(&gateway.channel.kind(), address)
    }

    /// Returns the address, unless it is a premium-rate number.
    pub(crate) fn refuse_premium(
        &self,
        channel: &ChannelKind,
        address: Address,
    ) -> Result<Address, AddressError> {
        let begins = |prefix: &&String| address.as_str().starts_with(&***prefix);
        let premium = self.premium_prefixes.iter().find(begins);
        match premium.filter(|_| *channel == ChannelKind::sms()) {
            None => Ok(address),
            Some(prefix) => Err(AddressError::new(format!(
                "{address} is a premium-rate number: sms.premium_prefixes lists {prefix}"
            ))),
        }
    }
}
