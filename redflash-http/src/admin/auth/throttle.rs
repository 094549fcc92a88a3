//! The limit on failed logins.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::{IpNet, Ipv6Net};
use redflash_core::clock::Monotonic;
use redflash_core::model::Slug;

/// The period of the limits.
const PERIOD: Duration = Duration::from_secs(60);
/// Maximum number of failures per address.
const MAX_PER_ADDRESS: u32 = 10;
/// Maximum number of failures per user, from all addresses. It is high, since an attacker who reaches it
/// locks the user out, but still makes guessing hopeless.
const MAX_PER_USER: u32 = 100;
/// Maximum number of addresses and users in memory. Beyond that, new ones are refused.
const MAX_KEYS: usize = 50_000;

/// The failed logins of the last minute, by the monotonic clock.
#[derive(Debug, Default)]
pub(crate) struct LoginThrottle(Mutex<HashMap<Key, Monotonic>>);

/// The subject of a limit. Each has the time at which its last failure expires.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Address(IpNet),
    User(Slug),
}

impl Key {
    /// Returns the time after which one more attempt is allowed.
    fn cost(&self) -> Duration {
        match self {
            Self::Address(_) => PERIOD / MAX_PER_ADDRESS,
            Self::User(_) => PERIOD / MAX_PER_USER,
        }
    }
}

/// A login attempt, which counts as a failure until it succeeds.
#[derive(Debug)]
pub(crate) struct LoginAttempt<'a> {
    throttle: &'a LoginThrottle,
    keys: Vec<Key>,
}

impl LoginThrottle {
    /// Starts an attempt.
    ///
    /// * `user` - the user name; `None` for one that cannot exist.
    ///
    /// # Errors
    ///
    /// The time to wait before the next attempt.
    pub(crate) fn begin(
        &self,
        user: Option<&Slug>,
        from: IpAddr,
        now: Monotonic,
    ) -> Result<LoginAttempt<'_>, Duration> {
        let keys = [
            Some(Key::Address(client_network(from))),
            user.map(|user| Key::User(user.clone())),
        ];
        let keys: Vec<Key> = keys.into_iter().flatten().collect();
        let mut expiries = self.expiries();
        if expiries.len() + keys.len() > MAX_KEYS {
            expiries.retain(|_, until| *until > now);
        }
        let full = expiries.len() + keys.len() > MAX_KEYS;
        let mut after = Vec::new();
        for key in &keys {
            let known = expiries.get(key).copied();
            let until = known.unwrap_or(now).max(now).plus(key.cost());
            let wait = until.since(now).saturating_sub(PERIOD);
            if full && known.is_none() || !wait.is_zero() {
                return Err(wait.max(key.cost()));
            }
            after.push(until);
        }
        expiries.extend(keys.iter().cloned().zip(after));
        drop(expiries);
        Ok(LoginAttempt {
            throttle: self,
            keys,
        })
    }

    fn expiries(&self) -> MutexGuard<'_, HashMap<Key, Monotonic>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LoginAttempt<'_> {
    /// Takes the attempt back, since the credentials were correct.
    pub(crate) fn succeed(self) {
        let mut expiries = self.throttle.expiries();
        for key in &self.keys {
            if let Some(until) = expiries.get_mut(key) {
                *until = until.minus(key.cost());
            }
        }
    }
}

/// Returns the addresses that one client can have: with IPv6, a whole network.
fn client_network(address: IpAddr) -> IpNet {
    match address {
        IpAddr::V6(v6) => IpNet::V6(Ipv6Net::new_assert(v6, 64).trunc()),
        v4 @ IpAddr::V4(_) => v4.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Monotonic = Monotonic::from_millis(1_000_000);

    fn ann() -> Slug {
        "ann".parse().unwrap()
    }

    fn at(last: u32) -> IpAddr {
        IpAddr::V4((0x0a00_0000 + last).into())
    }

    fn fail(throttle: &LoginThrottle, count: u32, from: IpAddr) {
        for number in 0..count {
            let attempt = throttle.begin(Some(&ann()), from, NOW);
            assert!(attempt.is_ok(), "attempt {number} was refused");
        }
    }

    #[test]
    fn limits_failures_per_address() {
        let throttle = LoginThrottle::default();
        fail(&throttle, 10, at(1));
        let wait = throttle.begin(Some(&ann()), at(1), NOW).unwrap_err();
        assert_eq!(wait, Duration::from_secs(6));
        assert!(throttle.begin(None, at(1), NOW).is_err());
        assert!(throttle.begin(Some(&ann()), at(2), NOW).is_ok());
        let later = NOW.plus(wait);
        assert!(throttle.begin(Some(&ann()), at(1), later).is_ok());
        assert!(throttle.begin(Some(&ann()), at(1), later).is_err());
    }

    #[test]
    fn does_not_count_successful_attempts() {
        let throttle = LoginThrottle::default();
        for _ in 0..50 {
            let attempt = throttle.begin(Some(&ann()), at(1), NOW).unwrap();
            attempt.succeed();
        }
        fail(&throttle, 10, at(1));
    }

    #[test]
    fn limits_failures_per_user() {
        let throttle = LoginThrottle::default();
        for address in 0..10 {
            fail(&throttle, 10, at(address));
        }
        assert!(throttle.begin(Some(&ann()), at(11), NOW).is_err());
        let bob = "bob".parse().unwrap();
        assert!(throttle.begin(Some(&bob), at(11), NOW).is_ok());
    }

    #[test]
    fn counts_ipv6_network_as_one_address() {
        let throttle = LoginThrottle::default();
        for host in 0..10 {
            fail(&throttle, 1, format!("2001:db8::{host}").parse().unwrap());
        }
        let other = "2001:db8::ffff".parse().unwrap();
        assert!(throttle.begin(None, other, NOW).is_err());
        let elsewhere = "2001:db8:0:1::1".parse().unwrap();
        assert!(throttle.begin(None, elsewhere, NOW).is_ok());
    }

    #[test]
    fn bounds_memory_and_frees_it() {
        let throttle = LoginThrottle::default();
        for address in 0..u32::try_from(MAX_KEYS).unwrap() {
            throttle.begin(None, at(address), NOW).unwrap();
        }
        assert!(throttle.begin(None, at(99_999), NOW).is_err());
        assert!(throttle.begin(None, at(1), NOW).is_ok());
        assert_eq!(throttle.expiries().len(), MAX_KEYS);
        let later = NOW.plus(Duration::from_secs(12));
        assert!(throttle.begin(None, at(99_999), later).is_ok());
        assert_eq!(throttle.expiries().len(), 1);
    }
}
