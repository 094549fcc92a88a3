//! Validation of ID tokens.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::oidc::mock_provider::{Key, NOW, SECRET, encode, signed, unsigned};
use crate::oidc::tests::{is_untrusted, login_with};
use crate::oidc::{Identity, OidcError};

/// Logs in with a wrong claim; null removes it.
async fn login_claiming(claim: &str, value: Value) -> Result<Identity, OidcError> {
    login_with(|behavior| {
        behavior.claims.insert(claim.into(), value);
    })
    .await
}

#[tokio::test]
async fn rejects_wrong_claims() {
    let now = NOW.as_millis() / 1000;
    for (claim, value, wanted) in [
        ("nonce", json!("another"), "nonce"),
        ("nonce", Value::Null, "nonce"),
        ("exp", json!(now), "xpired"),
        ("aud", json!("another"), "audience"),
        ("aud", json!([]), "audience"),
        ("aud", json!(["redflash", "another"]), "no azp"),
        ("azp", json!("another"), "another party"),
        ("iss", json!("https://other.example.org"), "issuer"),
        ("at_hash", json!(encode([0; 16])), "at_hash"),
    ] {
        is_untrusted(login_claiming(claim, value).await, wanted);
    }
}

#[tokio::test]
async fn accepts_several_audiences_with_authorized_party() {
    let identity = login_with(|behavior| {
        let aud = json!(["redflash", "another"]);
        behavior.claims.insert("aud".into(), aud);
        behavior.claims.insert("azp".into(), "redflash".into());
    });
    assert_eq!(identity.await.unwrap().user, "ada");
}

#[tokio::test]
async fn rejects_signature_of_another_key() {
    let forged_under_its_name = login_with(|behavior| {
        behavior.signer = Key::elliptic("one");
    });
    is_untrusted(forged_under_its_name.await, "no key of the provider");
    let of_an_unknown_key = login_with(|behavior| {
        behavior.signer = Key::elliptic("another");
    });
    is_untrusted(of_an_unknown_key.await, "no key of the provider");
    let changed = login_with(|behavior| {
        behavior.forge = Some(|key, claims| {
            let token = signed(key, claims);
            let (_, signature) = token.rsplit_once('.').unwrap();
            let mut claims = claims.clone();
            claims["preferred_username"] = "root".into();
            let header = json!({"alg": "ES256", "kid": "one"});
            format!("{}.{signature}", unsigned(&header, &claims))
        });
    });
    is_untrusted(changed.await, "no key of the provider");
}

#[tokio::test]
async fn rejects_unsigned_token() {
    let none = login_with(|behavior| {
        behavior.forge = Some(|_, claims| {
            let header = json!({"alg": "none"});
            format!("{}.", unsigned(&header, claims))
        });
    });
    is_untrusted(none.await, "not signed");
}

/// Returns a token signed with a shared secret.
fn shared(secret: &[u8], claims: &Value) -> String {
    let text = unsigned(&json!({"alg": "HS256", "kid": "one"}), claims);
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(text.as_bytes());
    format!("{text}.{}", encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn rejects_token_signed_with_shared_secret() {
    let forgeries: [fn(&Key, &Value) -> String; 2] = [
        |key, claims| shared(key.raw(), claims),
        |_, claims| shared(SECRET.as_bytes(), claims),
    ];
    for forge in forgeries {
        let result = login_with(|behavior| behavior.forge = Some(forge)).await;
        is_untrusted(result, "Disallowed signature algorithm");
    }
}
