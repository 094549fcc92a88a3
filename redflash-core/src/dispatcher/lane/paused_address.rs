//! Addresses that a gateway asked us not to use for a while, such as one chat of many.

use std::collections::HashMap;

use crate::clock::Monotonic;
use crate::model::{Address, Slug};

/// Number of addresses remembered. Beyond it, the pauses that end first are dropped, so that those
/// addresses are tried early.
const MAX_PAUSED: usize = 10_000;

/// The addresses to which a gateway takes no messages for a while.
#[derive(Debug, Default)]
pub(crate) struct PausedAddresses(HashMap<Slug, HashMap<Address, Monotonic>>);

impl PausedAddresses {
    /// Keeps messages to this address from this gateway until `until`.
    pub(crate) fn pause(
        &mut self,
        gateway: &Slug,
        address: &Address,
        until: Monotonic,
        now: Monotonic,
    ) {
        if self.len() >= MAX_PAUSED {
            self.forget(now);
        }
        if self.len() >= MAX_PAUSED {
            self.drop_soonest();
        }
        let addresses = self.0.entry(gateway.clone()).or_default();
        let paused = addresses.entry(address.clone()).or_insert(until);
        *paused = until.max(*paused);
    }

    /// Returns the time before which this gateway gets nothing for this address.
    pub(crate) fn until(
        &self,
        gateway: &Slug,
        address: &Address,
        now: Monotonic,
    ) -> Option<Monotonic> {
        let until = *self.0.get(gateway)?.get(address)?;
        (until > now).then_some(until)
    }

    /// Drops pauses that are over.
    pub(crate) fn forget(&mut self, now: Monotonic) {
        self.0.retain(|_, addresses| {
            addresses.retain(|_, until| *until > now);
            !addresses.is_empty()
        });
    }

    /// Drops the tenth that ends first, so that a full map is rarely searched.
    fn drop_soonest(&mut self) {
        let mut ends: Vec<_> = self.0.values().flat_map(HashMap::values).copied().collect();
        let (_, soonest, _) = ends.select_nth_unstable(MAX_PAUSED / 10);
        let soonest = *soonest;
        self.forget(soonest);
    }

    fn len(&self) -> usize {
        self.0.values().map(HashMap::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_millis(seconds * 1000)
    }

    fn names() -> (Slug, Address) {
        (Slug::parse("chat").unwrap(), Address::new("a").unwrap())
    }

    #[test]
    fn pauses_one_address_of_one_gateway() {
        let (gateway, address) = names();
        let mut paused = PausedAddresses::default();
        paused.pause(&gateway, &address, at(30), at(0));
        paused.pause(&gateway, &address, at(20), at(1));
        assert_eq!(paused.until(&gateway, &address, at(29)), Some(at(30)));
        assert_eq!(paused.until(&gateway, &address, at(30)), None);
        let other = Address::new("b").unwrap();
        assert_eq!(paused.until(&gateway, &other, at(1)), None);
        let other = Slug::parse("other").unwrap();
        assert_eq!(paused.until(&other, &address, at(1)), None);
    }

    #[test]
    fn drops_pauses_that_are_over() {
        let (gateway, address) = names();
        let mut paused = PausedAddresses::default();
        paused.pause(&gateway, &address, at(30), at(0));
        paused.forget(at(30));
        assert_eq!(paused.len(), 0);
    }

    #[test]
    fn remembers_a_bounded_number_of_addresses() {
        let (gateway, last) = names();
        let mut paused = PausedAddresses::default();
        for number in 0..25_000 {
            let address = Address::new(format!("n{number}")).unwrap();
            paused.pause(&gateway, &address, at(100 + number), at(0));
            assert!(paused.len() <= MAX_PAUSED);
        }
        paused.pause(&gateway, &last, at(99_999), at(0));
        assert_eq!(paused.until(&gateway, &last, at(0)), Some(at(99_999)));
        for number in 0..1_000 {
            let address = Address::new(format!("m{number}")).unwrap();
            paused.pause(&gateway, &address, at(5), at(0));
        }
        assert!(paused.len() <= MAX_PAUSED);
    }
}
