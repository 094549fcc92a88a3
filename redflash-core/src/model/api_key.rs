//! API keys of the systems that raise alerts.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::Timestamp;
use crate::model::{Slug, Target};

/// An API key, without the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Identifier in commands and logs.
    pub slug: Slug,
    /// True if requests with it are accepted.
    pub enabled: bool,
    /// True if it may read contacts, groups and every notification.
    pub inspect: bool,
    /// True if it may also change everything, as an admin may.
    #[serde(default)]
    pub admin: bool,
    /// The targets it may raise.
    pub scope: Scope,
    /// SHA-256 of the secret, used to look up the key of a request.
    pub hash: KeyHash,
    /// Prefix and last four characters of the secret, to tell keys apart in a list.
    pub hint: String,
    /// Time of creation.
    pub created_at: Timestamp,
}

/// A key for display, without the hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyView {
    /// Identifier in commands and logs.
    pub slug: Slug,
    /// True if requests with it are accepted.
    pub enabled: bool,
    /// True if it may read everything.
    pub inspect: bool,
    /// True if it may also change everything.
    pub admin: bool,
    /// The targets it may raise.
    pub scope: Scope,
    /// Prefix and last four characters of the secret.
    pub hint: String,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of last use, if any.
    pub last_used_at: Option<Timestamp>,
}

/// A key as of one version of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedKey {
    /// The key.
    pub key: ApiKey,
    /// The directory's [version](crate::store::Directory::version).
    pub version: u64,
}

/// The targets that a key may raise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every target.
    #[default]
    All,
    /// Only these targets.
    Only(BTreeSet<Target>),
}

/// SHA-256 of a secret, written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyHash([u8; 32]);

/// Reason why a text cannot be the secret of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text has fewer than 16 characters.
    #[error("a key has at least 16 characters, this one has {0}")]
    TooShort(usize),
    /// The text has more than 128 characters.
    #[error("a key has at most 128 characters, this one has {0}")]
    TooLong(usize),
    /// The text contains something other than visible ASCII.
    #[error("a key consists of visible ASCII characters")]
    Character,
    /// The text has our prefix and a wrong checksum: it was mistyped.
    #[error("this key was mistyped: its checksum does not match")]
    Checksum,
}

const PREFIX: &str = "rfk_";
const BODY: usize = 32;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl ApiKey {
    /// Creates a key with a new secret, which is shown once and not stored.
    pub fn generate(
        slug: Slug,
        inspect: bool,
        scope: Scope,
        now: Timestamp,
    ) -> (Self, SecretString) {
        let body = random_text(BODY);
        let secret = format!("{PREFIX}{body}{}", checksum(&body));
        let key = Self::from_secret(slug, inspect, scope, now, &secret);
        (key, SecretString::from(secret))
    }

    /// Creates a key from an existing secret, such as one of the old service.
    ///
    /// # Errors
    ///
    /// Each variant of [`KeyError`] names the rule that the secret breaks.
    pub fn import(
        slug: Slug,
        inspect: bool,
        scope: Scope,
        now: Timestamp,
        secret: &SecretString,
    ) -> Result<Self, KeyError> {
        let secret = secret.expose_secret();
        match secret.len() {
            0..16 => return Err(KeyError::TooShort(secret.len())),
            129.. => return Err(KeyError::TooLong(secret.len())),
            _ => {}
        }
        if !secret.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(KeyError::Character);
        }
        if let Some(rest) = secret.strip_prefix(PREFIX) {
            let (body, sum) = rest.split_at_checked(BODY).ok_or(KeyError::Checksum)?;
            if checksum(body) != sum {
                return Err(KeyError::Checksum);
            }
        }
        Ok(Self::from_secret(slug, inspect, scope, now, secret))
    }

    fn from_secret(slug: Slug, inspect: bool, scope: Scope, now: Timestamp, secret: &str) -> Self {
        let shown = if secret.starts_with(PREFIX) {
            PREFIX
        } else {
            ""
        };
        let last = &secret[secret.len() - 4..];
        Self {
            slug,
            enabled: true,
            inspect,
            admin: false,
            scope,
            hash: KeyHash::of(secret),
            hint: format!("{shown}…{last}"),
            created_at: now,
        }
    }

    /// Returns the key with the right to read and change everything.
    #[must_use]
    pub const fn with_admin(mut self) -> Self {
        self.admin = true;
        self.inspect = true;
        self
    }

    /// Returns true if the key may raise this target.
    pub fn may_raise(&self, target: &Target) -> bool {
        match &self.scope {
            Scope::All => true,
            Scope::Only(targets) => targets.contains(target),
        }
    }
}

impl KeyView {
    /// Creates the view of a key.
    pub fn new(key: &ApiKey, last_used_at: Option<Timestamp>) -> Self {
        Self {
            slug: key.slug.clone(),
            enabled: key.enabled,
            inspect: key.inspect,
            admin: key.admin,
            scope: key.scope.clone(),
            hint: key.hint.clone(),
            created_at: key.created_at,
            last_used_at,
        }
    }
}

impl KeyHash {
    /// Returns the hash of a secret exactly as it was sent: nothing is trimmed or folded.
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }
}

/// Returns this number of random letters and digits.
pub(crate) fn random_text(length: usize) -> String {
    (0..length).map(|_| random_character()).collect()
}

fn random_character() -> char {
    let mut source = [0_u8; 1];
    loop {
        getrandom::fill(&mut source).expect("the operating system gives random bytes");
        // 248 is the largest multiple of 62 in a byte: beyond it some characters would be likelier.
        if source[0] < 248 {
            return char::from(ALPHABET[usize::from(source[0]) % ALPHABET.len()]);
        }
    }
}

/// Returns the CRC-32 of a key's body as six base-62 digits.
fn checksum(body: &str) -> String {
    let mut rest = usize::try_from(crc32fast::hash(body.as_bytes())).unwrap_or_default();
    let mut digits = ['0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = char::from(ALPHABET[rest % ALPHABET.len()]);
        rest /= ALPHABET.len();
    }
    digits.iter().collect()
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash([REDACTED])")
    }
}

/// Error for a text that is not a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key hash is 64 lower-case hex digits")]
pub struct KeyHashError;

impl FromStr for KeyHash {
    type Err = KeyHashError;

    fn from_str(text: &str) -> Result<Self, KeyHashError> {
        let digit = |b: u8| (!b.is_ascii_uppercase()).then(|| char::from(b).to_digit(16))?;
        let mut hash = [0_u8; 32];
        if text.len() != 64 {
            return Err(KeyHashError);
        }
        for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let (high, low) = (digit(pair[0]), digit(pair[1]));
            let value = high.zip(low).map(|(high, low)| high * 16 + low);
            *byte = value
                .and_then(|v| u8::try_from(v).ok())
                .ok_or(KeyHashError)?;
        }
        Ok(Self(hash))
    }
}

impl TryFrom<String> for KeyHash {
    type Error = KeyHashError;

    fn try_from(text: String) -> Result<Self, KeyHashError> {
        text.parse()
    }
}

impl From<KeyHash> for String {
    fn from(hash: KeyHash) -> Self {
        hash.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug() -> Slug {
        Slug::parse("app").unwrap()
    }

    #[test]
    fn new_key_passes_its_own_checks() {
        let now = Timestamp::default();
        let (key, secret) = ApiKey::generate(slug(), false, Scope::All, now);
        assert_eq!(secret.expose_secret().len(), 4 + 32 + 6);
        assert_eq!(key.hash, KeyHash::of(secret.expose_secret()));
        let again = ApiKey::import(slug(), false, Scope::All, now, &secret).unwrap();
        assert_eq!(again, key);
        assert!(!format!("{key:?}").contains(&secret.expose_secret()[4..30]));
        assert!(
            secret
                .expose_secret()
                .ends_with(&key.hint[key.hint.len() - 4..])
        );
    }

    #[test]
    fn imports_keys_of_the_old_service() {
        let import = |secret: &str| {
            let secret = SecretString::from(secret);
            ApiKey::import(slug(), false, Scope::All, Timestamp::default(), &secret)
        };
        assert!(import("a1b2c3d4e5f6a7b8c9d0").is_ok());
        assert_eq!(import("short"), Err(KeyError::TooShort(5)));
        assert_eq!(import("with a space in between"), Err(KeyError::Character));
        let mistyped = format!("rfk_{}000000", "a".repeat(32));
        assert_eq!(import(&mistyped), Err(KeyError::Checksum));
    }

    #[test]
    fn scope_limits_targets() {
        let only: Target = "event/disk".parse().unwrap();
        let scope = Scope::Only([only.clone()].into());
        let (key, _) = ApiKey::generate(slug(), false, scope, Timestamp::default());
        assert!(key.may_raise(&only));
        assert!(!key.may_raise(&"contact/disk".parse().unwrap()));
    }

    #[test]
    fn parses_its_own_hashes() {
        let hash = KeyHash::of("x");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!("g".repeat(64).parse::<KeyHash>(), Err(KeyHashError));
        assert_eq!("A".repeat(64).parse::<KeyHash>(), Err(KeyHashError));
    }
}
