//! Passwords: hashed with Argon2id, and compared in constant time.

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc};
use argon2::{Algorithm, Argon2, Params, Version};
use redflash_core::model::PasswordHash;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Minimum number of characters in a password.
const MIN_LENGTH: usize = 8;
/// Maximum size of a password, in bytes.
const MAX_SIZE: usize = 1024;

/// A hash that costs as much as any other, for users without a password.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$cmVkZmxhc2gtbm9ib2R5$\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Limit on hashes that are computed at once: each takes 19 MiB and a core.
static PERMITS: Semaphore = Semaphore::const_new(2);

/// The reason why a password was not hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordError {
    /// It has too few characters.
    TooShort(usize),
    /// It has too many bytes.
    TooLong(usize),
    /// The hash could not be computed, whatever the password.
    Failed,
}

impl std::fmt::Display for PasswordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooShort(count) => write!(
                f,
                "a password has at least {MIN_LENGTH} characters, this one has {count}"
            ),
            Self::TooLong(count) => write!(
                f,
                "a password has at most {MAX_SIZE} bytes, this one has {count}"
            ),
            Self::Failed => f.write_str("the password could not be hashed: try again"),
        }
    }
}

impl std::error::Error for PasswordError {}

/// Hashes every byte of a new password.
///
/// # Errors
///
/// * [`PasswordError::TooShort`], [`PasswordError::TooLong`] - its length is not allowed.
/// * [`PasswordError::Failed`] - the machine lacks memory or random bytes.
pub async fn hash_password(password: &SecretString) -> Result<PasswordHash, PasswordError> {
    let text = password.expose_secret();
    match (text.chars().count(), text.len()) {
        (count, _) if count < MIN_LENGTH => return Err(PasswordError::TooShort(count)),
        (_, length) if length > MAX_SIZE => return Err(PasswordError::TooLong(length)),
        _ => {}
    }
    let password = password.clone();
    let hash = run_limited(move || {
        let hash = hasher().hash_password(password.expose_secret().as_bytes());
        hash.ok().map(|hash| PasswordHash::new(hash.to_string()))
    });
    hash.await.flatten().ok_or(PasswordError::Failed)
}

/// Returns true if a password has a hash. Without a hash, it returns false after the same time.
pub(crate) async fn is_password(password: &SecretString, hash: Option<&PasswordHash>) -> bool {
    let password = password.clone();
    let has_hash = hash.is_some();
    let hash = hash.map_or(DUMMY_HASH, PasswordHash::expose).to_owned();
    let same = run_limited(move || {
        let hash = phc::PasswordHash::new(&hash).ok()?;
        let same = hasher().verify_password(password.expose_secret().as_bytes(), &hash);
        Some(same.is_ok())
    });
    let same = same.await.flatten().unwrap_or(false);
    same && has_hash
}

fn hasher() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

/// Runs work on a blocking thread, a few at a time.
async fn run_limited<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let permit = PERMITS.acquire().await.ok()?;
    let work = move || {
        let done = work();
        drop(permit);
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
    async fn compares_every_byte() {
        for long in ["a".repeat(1024), "\0".repeat(8), "pass\0word".into()] {
            let known = hash(&long).await.unwrap();
            assert!(is(&long, &known).await);
            assert!(!is(&long[..long.len() - 1], &known).await);
            assert!(!is(&format!("{long}x"), &known).await);
        }
    }

    #[tokio::test]
    async fn salts_hashes() {
        let (one, other) = (hash("correct horse").await, hash("correct horse").await);
        let one = one.unwrap();
        assert_ne!(one, other.unwrap());
        assert!(one.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }

    #[tokio::test]
    async fn rejects_too_short_and_too_long_passwords() {
        assert_eq!(hash("1234567").await, Err(PasswordError::TooShort(7)));
        assert_eq!(hash("äöüäöüä").await, Err(PasswordError::TooShort(7)));
        assert!(hash("äöüäöüäö").await.is_ok());
        assert_eq!(
            hash(&"a".repeat(1025)).await,
            Err(PasswordError::TooLong(1025))
        );
    }

    #[tokio::test]
    async fn missing_hash_costs_as_much_as_any_other() {
        let dummy = phc::PasswordHash::new(DUMMY_HASH).unwrap();
        let known = hash("correct horse").await.unwrap();
        let known = phc::PasswordHash::new(known.expose()).unwrap();
        let cost = |hash: &phc::PasswordHash| (hash.algorithm, hash.version, hash.params.clone());
        assert_eq!(cost(&dummy), cost(&known));
        let length = |hash: &phc::PasswordHash| hash.hash.map(|output| output.len());
        assert_eq!(length(&dummy), length(&known));
        assert!(!is_password(&"correct horse".into(), None).await);
    }

    #[tokio::test]
    async fn malformed_hash_matches_no_password() {
        for broken in ["", "plain", "$argon2id$", "$2y$10$abcdefghijklmnopqrstuv"] {
            assert!(!is(broken, &PasswordHash::new(broken)).await, "{broken}");
        }
    }
}
