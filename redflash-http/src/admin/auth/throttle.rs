//! How often somebody may try to log in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::{IpNet, Ipv6Net};
use redflash_core::{Monotonic, Slug};

/// In which time so many tries may be wrong.
const SPAN: Duration = Duration::from_secs(60);
/// How many from one address.
const OF_ADDRESS: u32 = 10;
/// How many for one user, from wherever: no more than make guessing hopeless, since whoever uses them
/// up keeps the user out.
const OF_USER: u32 = 100;
/// How many addresses and users are kept in mind. Beyond that nobody new may try.
const KEPT: usize = 50_000;

/// The wrong tries of the last minute, whatever the clock is set to.
#[derive(Debug, Default)]
pub(crate) struct LoginThrottle(Mutex<HashMap<Key, Monotonic>>);

/// Whose tries are counted together, each with the time at which the last of them is forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Address(IpNet),
    User(Slug),
}

impl Key {
    /// How long it takes until one try more is allowed.
    fn price(&self) -> Duration {
        match self {
            Self::Address(_) => SPAN / OF_ADDRESS,
            Self::User(_) => SPAN / OF_USER,
        }
    }
}

/// A try, which counts as a wrong one until it is taken back.
#[derive(Debug)]
pub(crate) struct LoginAttempt<'a> {
    throttle: &'a LoginThrottle,
    keys: Vec<Key>,
}

impl LoginThrottle {
    /// Begins a try, or says how long to wait.
    ///
    /// * `user` - who is said to log in; `None` for a name that nobody can have.
    pub(crate) fn begin(
        &self,
        user: Option<&Slug>,
        from: IpAddr,
        now: Monotonic,
    ) -> Result<LoginAttempt<'_>, Duration> {
        let keys = [
            Some(Key::Address(neighbourhood(from))),
            user.map(|user| Key::User(user.clone())),
        ];
        let keys: Vec<Key> = keys.into_iter().flatten().collect();
        let mut kept = self.kept();
        if kept.len() + keys.len() > KEPT {
            kept.retain(|_, until| *until > now);
        }
        let full = kept.len() + keys.len() > KEPT;
        let mut after = Vec::new();
        for key in &keys {
            let known = kept.get(key).copied();
            let until = known.unwrap_or(now).max(now).plus(key.price());
            let wait = until.since(now).saturating_sub(SPAN);
            if full && known.is_none() || !wait.is_zero() {
                return Err(wait.max(key.price()));
            }
            after.push(until);
        }
        kept.extend(keys.iter().cloned().zip(after));
        drop(kept);
        Ok(LoginAttempt {
            throttle: self,
            keys,
        })
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<Key, Monotonic>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LoginAttempt<'_> {
    /// It was right.
    pub(crate) fn succeed(self) {
        let mut kept = self.throttle.kept();
        for key in &self.keys {
            if let Some(until) = kept.get_mut(key) {
                *until = until.minus(key.price());
            }
        }
    }
}

/// The addresses that one client can have: of IPv6 a whole network.
fn neighbourhood(address: IpAddr) -> IpNet {
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

    fn wrong(throttle: &LoginThrottle, count: u32, from: IpAddr) {
        for number in 0..count {
            let tried = throttle.begin(Some(&ann()), from, NOW);
            assert!(tried.is_ok(), "the try {number} was refused");
        }
    }

    #[test]
    fn ten_wrong_tries_a_minute_are_enough_and_keep_no_other_address_out() {
        let throttle = LoginThrottle::default();
        wrong(&throttle, 10, at(1));
        let wait = throttle.begin(Some(&ann()), at(1), NOW).unwrap_err();
        assert_eq!(wait, Duration::from_secs(6));
        assert!(throttle.begin(None, at(1), NOW).is_err());
        assert!(throttle.begin(Some(&ann()), at(2), NOW).is_ok());
        let later = NOW.plus(wait);
        assert!(throttle.begin(Some(&ann()), at(1), later).is_ok());
        assert!(throttle.begin(Some(&ann()), at(1), later).is_err());
    }

    #[test]
    fn a_right_try_is_not_counted() {
        let throttle = LoginThrottle::default();
        for _ in 0..50 {
            let tried = throttle.begin(Some(&ann()), at(1), NOW).unwrap();
            tried.succeed();
        }
        wrong(&throttle, 10, at(1));
    }

    #[test]
    fn many_addresses_together_guess_no_user() {
        let throttle = LoginThrottle::default();
        for address in 0..10 {
            wrong(&throttle, 10, at(address));
        }
        assert!(throttle.begin(Some(&ann()), at(11), NOW).is_err());
        let bob = "bob".parse().unwrap();
        assert!(throttle.begin(Some(&bob), at(11), NOW).is_ok());
    }

    #[test]
    fn a_network_of_one_client_is_one_address() {
        let throttle = LoginThrottle::default();
        for host in 0..10 {
            wrong(&throttle, 1, format!("2001:db8::{host}").parse().unwrap());
        }
        let other = "2001:db8::ffff".parse().unwrap();
        assert!(throttle.begin(None, other, NOW).is_err());
        let elsewhere = "2001:db8:0:1::1".parse().unwrap();
        assert!(throttle.begin(None, elsewhere, NOW).is_ok());
    }

    #[test]
    fn memory_is_bounded_and_comes_back() {
        let throttle = LoginThrottle::default();
        for address in 0..u32::try_from(KEPT).unwrap() {
            throttle.begin(None, at(address), NOW).unwrap();
        }
        assert!(throttle.begin(None, at(99_999), NOW).is_err());
        assert!(throttle.begin(None, at(1), NOW).is_ok());
        assert_eq!(throttle.kept().len(), KEPT);
        let later = NOW.plus(Duration::from_secs(12));
        assert!(throttle.begin(None, at(99_999), later).is_ok());
        assert_eq!(throttle.kept().len(), 1);
    }
}
