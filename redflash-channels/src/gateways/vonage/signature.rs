//! Vonage's message signatures, which sign requests and callbacks of the SMS API.
//!
//! Facts are from the vendor's guide "Signing Messages": all parameters but `sig` in the order of
//! their names, each as `&name=value` with `_` for every `&` and `=` in the value, are either hashed with
//! the secret appended (`md5hash`), or authenticated by an HMAC with the secret as its key. The vendor's
//! description limits `sig` to 60 characters, which two of its methods exceed.

use md5::{Digest, Md5};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::crypto::hmac::{hex, hmac};

/// The signature method in the account's settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignatureMethod {
    /// The MD5 hash of the parameters and the secret: the vendor's default.
    #[default]
    Md5Hash,
    /// HMAC-MD5.
    Md5,
    /// HMAC-SHA1.
    Sha1,
    /// HMAC-SHA256.
    Sha256,
    /// HMAC-SHA512.
    Sha512,
}

impl SignatureMethod {
    /// Returns the signature of these parameters.
    pub(crate) fn sign(self, secret: &SecretString, parameters: &[(&str, &str)]) -> String {
        let mut sorted = parameters.to_vec();
        sorted.sort_by_key(|(name, _)| *name);
        let mut text = String::new();
        for (name, value) in sorted {
            let value = value.replace(['&', '='], "_");
            text.extend(["&", name, "=", &value]);
        }
        let (secret, text) = (secret.expose_secret().as_bytes(), text.as_bytes());
        hex(&match self {
            Self::Md5Hash => Md5::digest([text, secret].concat()).to_vec(),
            Self::Md5 => hmac::<Md5>(secret, text),
            Self::Sha1 => hmac::<Sha1>(secret, text),
            Self::Sha256 => hmac::<Sha256>(secret, text),
            Self::Sha512 => hmac::<Sha512>(secret, text),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by the rules of the guide with `md5sum` and `openssl`.
    #[test]
    fn signs_by_each_documented_method() {
        let parameters = [
            ("api_key", "abcd1234"),
            ("to", "447700900000"),
            ("type", "text"),
            ("from", "AcmeInc"),
            ("text", "Disk & CPU = bad"),
            ("timestamp", "1461605396"),
        ];
        let secret = "my_secret_key_for_testing".into();
        for (method, signature) in [
            (SignatureMethod::Md5Hash, "95a3dc38f5a99540bd274a02bdd98cc6"),
            (SignatureMethod::Md5, "a0c1c0dd321b1fa9df60a80a208113fc"),
            (
                SignatureMethod::Sha1,
                "87915e1bfa16e1b33b033af48582dba05af989f7",
            ),
            (
                SignatureMethod::Sha256,
                "1e199620b0b1b160069fef5715315cc82f054ee79ab4f2f9f6d4fd7bb3066bee",
            ),
            (
                SignatureMethod::Sha512,
                "8ce000e4c69e77de459b30aab0c279b8c022116a252513cca97b0685fdec35a2\
                 1d173443ce7be9861c6c6a68d71fd74d58385cf5ac43e0bf4f234cc0a0223a22",
            ),
        ] {
            assert_eq!(method.sign(&secret, &parameters), signature, "{method:?}");
        }
    }
}
