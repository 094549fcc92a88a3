//! JSON web tokens (RFC 7519): gateways sign callbacks with HS256 and expect requests with RS256.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::Sha256;

use crate::crypto::hmac::{equal, hmac};

#[derive(Deserialize)]
struct Header {
    alg: String,
}

/// A key that signs tokens.
pub(crate) struct Signer(Box<dyn rustls::sign::Signer>);

impl Signer {
    /// Reads a private RSA key in PEM; `None` if it is invalid.
    pub(crate) fn from_pem(pem: &SecretString) -> Option<Self> {
        let key = PrivateKeyDer::from_pem_slice(pem.expose_secret().as_bytes()).ok()?;
        let key = any_supported_type(&key).ok()?;
        key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])
            .map(Self)
    }

    /// Signs a token with these claims; `None` if the key fails.
    pub(crate) fn sign(&self, claims: &Value) -> Option<String> {
        let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
        let claims = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
        let signed = format!("{header}.{claims}");
        let signature = self.0.sign(signed.as_bytes()).ok()?;
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        Some(format!("{signed}.{signature}"))
    }
}

/// Returns the claims of a token after checking that one of these secrets signed it.
///
/// # Errors
///
/// Returns the reason if the token is invalid.
pub(crate) fn verified<T: DeserializeOwned>(
    token: &str,
    secrets: &[SecretString],
) -> Result<T, &'static str> {
    let (signed, signature) = token.rsplit_once('.').ok_or("it is not a token")?;
    let (header, claims) = signed.split_once('.').ok_or("it is not a token")?;
    let header: Header = decoded(header).ok_or("its header cannot be read")?;
    if header.alg != "HS256" {
        return Err("it is not signed with HS256");
    }
    let signs = |secret: &SecretString| {
        let code = hmac::<Sha256>(secret.expose_secret().as_bytes(), signed.as_bytes());
        equal(&BASE64_URL_SAFE_NO_PAD.encode(code), signature)
    };
    if !secrets.iter().any(signs) {
        return Err("none of the configured secrets signed it");
    }
    decoded(claims).ok_or("its claims cannot be read")
}

fn decoded<T: DeserializeOwned>(part: &str) -> Option<T> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of jwt.io.
    const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6\
        IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";

    #[test]
    fn accepts_only_tokens_signed_with_a_configured_secret() {
        let secrets = ["other".into(), "your-256-bit-secret".into()];
        let claims: Value = verified(TOKEN, &secrets).unwrap();
        assert_eq!(claims["iat"], 1_516_239_022);
        let refused = |token: &str| verified::<Value>(token, &secrets).unwrap_err();
        assert!(verified::<Value>(TOKEN, &secrets[..1]).is_err());
        for nonsense in ["", ".", "..", "a.b.c", "é.é.é", &TOKEN[..60]] {
            refused(nonsense);
        }
        refused(&format!("{TOKEN}x"));
        // `{"alg":"none"}`
        let claims = TOKEN.split('.').nth(1).unwrap();
        let error = refused(&format!("eyJhbGciOiJub25lIn0.{claims}."));
        assert_eq!(error, "it is not signed with HS256");
    }
}
