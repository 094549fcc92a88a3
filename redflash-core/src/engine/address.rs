//! Telephone numbers that cost whoever sends to them extra.

use crate::engine::Engine;
use crate::{Address, AddressError, ChannelKind, Gateway};

impl Engine {
    /// An address in the normal form of one gateway, to test that gateway with.
    ///
    /// # Errors
    ///
    /// [`AddressError`] says what is wrong with it.
    pub fn parse_test_address(
        &self,
        gateway: &Gateway,
        raw: &str,
    ) -> Result<Address, AddressError> {
        let address = gateway.channel.parse_address(raw)?;
        self.refuse_premium(&gateway.channel.kind(), address)
    }

    /// The address, unless it is a number of premium rate.
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
