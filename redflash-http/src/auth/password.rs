//! Passwords: hashed with Argon2id, and compared so that the time it takes says nothing.

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc};
use argon2::{Algorithm, Argon2, Params, Version};
use redflash_core::PasswordHash;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// The fewest characters of a password.
const SHORTEST: usize = 8;
/// The most bytes of a password.
const LONGEST: usize = 1024;

/// A hash that costs what every other costs, for users who have none.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$cmVkZmxhc2gtbm9ib2R5$\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// How many are worked on at once: each takes 19 MiB and a core.
static PLACES: Semaphore = Semaphore::const_new(2);

/// Why a password was not hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordError {
    /// It has fewer characters than a password needs.
    TooShort(usize),
    /// It has more bytes than a password may have.
    TooLong(usize),
    /// The hash could not be made, for a reason that is none of the password's.
    Failed,
}

impl std::fmt::Display for PasswordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooShort(count) => write!(
                f,
                "a password has at least {SHORTEST} characters, this one has {count}"
            ),
            Self::TooLong(count) => write!(
                f,
                "a password has at most {LONGEST} bytes, this one has {count}"
            ),
            Self::Failed => f.write_str("the password could not be hashed: try again"),
        }
    }
}

impl std::error::Error for PasswordError {}

/// Hashes a new password, every byte of it.
///
/// # Errors
///
/// * [`PasswordError::TooShort`], [`PasswordError::TooLong`] - it breaks a rule.
/// * [`PasswordError::Failed`] - the machine has no memory or no random bytes left for it.
pub async fn hash_password(password: &SecretString) -> Result<PasswordHash, PasswordError> {
    let text = password.expose_secret();
    match (text.chars().count(), text.len()) {
        (count, _) if count < SHORTEST => return Err(PasswordError::TooShort(count)),
        (_, length) if length > LONGEST => return Err(PasswordError::TooLong(length)),
        _ => {}
    }
    let password = password.clone();
    let hash = apart(move || {
        let hash = hasher().hash_password(password.expose_secret().as_bytes());
        hash.ok().map(|hash| PasswordHash::new(hash.to_string()))
    });
    hash.await.flatten().ok_or(PasswordError::Failed)
}

/// Whether this is the password with that hash. Without a hash it is not, and that takes as long.
pub(crate) async fn is_password(password: &SecretString, hash: Option<&PasswordHash>) -> bool {
    let password = password.clone();
    let is_somebody = hash.is_some();
    let hash = hash.map_or(NOBODY, PasswordHash::expose).to_owned();
    let same = apart(move || {
        let hash = phc::PasswordHash::new(&hash).ok()?;
        let same = hasher().verify_password(password.expose_secret().as_bytes(), &hash);
        Some(same.is_ok())
    });
    let same = same.await.flatten().unwrap_or(false);
    same && is_somebody
}

fn hasher() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

/// Does what takes long where it holds nobody up, a few at a time.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let place = PLACES.acquire().await.ok()?;
    let work = move || {
        let done = work();
        drop(place);
        done
    };
    spawn_blocking(work).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn hash(text: &str) -> Result<PasswordHash, PasswordError> {
        hash_password(&text.into()).await
    }

    async fn is(text: &str, hash: &PasswordHash) -> bool {
        is_password(&text.into(), Some(hash)).await
    }

    #[tokio::test]
    async fn every_byte_of_a_password_counts() {
        for long in ["a".repeat(1024), "\0".repeat(8), "pass\0word".into()] {
            let known = hash(&long).await.unwrap();
            assert!(is(&long, &known).await);
            assert!(!is(&long[..long.len() - 1], &known).await);
            assert!(!is(&format!("{long}x"), &known).await);
        }
    }

    #[tokio::test]
    async fn two_hashes_of_one_password_differ() {
        let (one, other) = (hash("correct horse").await, hash("correct horse").await);
        let one = one.unwrap();
        assert_ne!(one, other.unwrap());
        assert!(one.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }

    #[tokio::test]
    async fn what_is_too_short_or_too_long_is_refused() {
        assert_eq!(hash("1234567").await, Err(PasswordError::TooShort(7)));
        assert_eq!(hash("äöüäöüä").await, Err(PasswordError::TooShort(7)));
        assert!(hash("äöüäöüäö").await.is_ok());
        assert_eq!(
            hash(&"a".repeat(1025)).await,
            Err(PasswordError::TooLong(1025))
        );
    }

    #[tokio::test]
    async fn nobody_has_a_password_and_finding_that_out_costs_the_same() {
        let nobody = phc::PasswordHash::new(NOBODY).unwrap();
        let known = hash("correct horse").await.unwrap();
        let known = phc::PasswordHash::new(known.expose()).unwrap();
        let cost = |hash: &phc::PasswordHash| (hash.algorithm, hash.version, hash.params.clone());
        assert_eq!(cost(&nobody), cost(&known));
        let length = |hash: &phc::PasswordHash| hash.hash.map(|output| output.len());
        assert_eq!(length(&nobody), length(&known));
        assert!(!is_password(&"correct horse".into(), None).await);
    }

    #[tokio::test]
    async fn a_hash_that_is_none_is_nobodys() {
        for broken in ["", "plain", "$argon2id$", "$2y$10$abcdefghijklmnopqrstuv"] {
            assert!(!is(broken, &PasswordHash::new(broken)).await, "{broken}");
        }
    }
}
