//! Message authentication codes (HMAC, RFC 2104) and comparison in constant time.

use hmac::digest::block_api::EagerHash;
use hmac::{Hmac, KeyInit, Mac};
use subtle::ConstantTimeEq;

/// Returns the HMAC of a message with a hash such as `Sha256`.
pub(crate) fn hmac<D: EagerHash>(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = <Hmac<D> as KeyInit>::new_from_slice(key);
    let mut mac = mac.expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// Returns bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
    }
    text
}

/// Returns true if two texts are equal. Takes the same time for all texts of one length.
pub(crate) fn equal(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use md5::Md5;
    use sha1::Sha1;
    use sha2::Sha256;

    use super::*;

    /// RFC 2202, test cases 2, and RFC 4231, test case 2.
    #[test]
    fn codes_match_the_standards_vectors() {
        let (key, text) = (b"Jefe", b"what do ya want for nothing?");
        assert_eq!(
            hex(&hmac::<Md5>(key, text)),
            "750c783e6ab0b503eaa86e310a5db738"
        );
        assert_eq!(
            hex(&hmac::<Sha1>(key, text)),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
        assert_eq!(
            hex(&hmac::<Sha256>(key, text)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert!(equal("a", "a") && !equal("a", "b") && !equal("a", ""));
    }
}
