//! Mapping of claims to identities.

use redflash_core::model::Role;
use serde_json::{Value, json};

use crate::oidc::mock_provider::{ACCESS_TOKEN, Key, MockProvider};
use crate::oidc::tests::{is_untrusted, login, login_with};
use crate::oidc::{OidcConfig, OidcError, Provider, UserClaim};

#[tokio::test]
async fn requests_missing_claims_from_userinfo() {
    let site = MockProvider::start(Key::elliptic("one")).await;
    let mut behavior = site.behavior.lock().await;
    behavior.claims.remove("preferred_username");
    behavior.user_info =
        Some(json!({"sub": "248289", "preferred_username": "ada", "name": "Other"}));
    drop(behavior);
    let provider = Provider::new(site.config());
    let identity = login(&site, &provider).await.unwrap();
    assert_eq!(
        (&*identity.user, identity.name.as_deref()),
        ("ada", Some("Ada Lovelace"))
    );
    site.behavior.lock().await.user_info = Some(json!({"sub": "1", "preferred_username": "ada"}));
    is_untrusted(login(&site, &provider).await, "another user");
}

#[tokio::test]
async fn lists_present_claims_if_user_claim_is_missing() {
    let result = login_with(|behavior| {
        behavior
            .claims
            .insert("preferred_username".into(), " ".into());
        behavior.user_info = Some(json!({"sub": "248289", "nickname": "ada"}));
    });
    let error = result.await.unwrap_err();
    let OidcError::Nameless { claim, present } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(*claim, "preferred_username");
    assert!(present.contains(&"nickname".to_owned()), "{present:?}");
    assert!(!error.to_string().contains(ACCESS_TOKEN));
}

#[tokio::test]
async fn accepts_email_as_user_unless_unverified() {
    for (verified, is_believed) in [
        (Value::Null, true),
        (json!(true), true),
        (json!("true"), true),
        (json!(false), false),
        (json!("false"), false),
    ] {
        let site = MockProvider::start(Key::elliptic("one")).await;
        let mut behavior = site.behavior.lock().await;
        behavior
            .claims
            .insert("email".into(), "ada@example.org".into());
        behavior
            .claims
            .insert("email_verified".into(), verified.clone());
        drop(behavior);
        let provider = Provider::new(OidcConfig {
            user_claim: UserClaim::Email,
            ..site.config()
        });
        let result = login(&site, &provider).await;
        if is_believed {
            assert_eq!(result.unwrap().user, "ada@example.org", "{verified}");
        } else {
            is_untrusted(result, "not verified");
        }
    }
}

#[tokio::test]
async fn maps_role_claim() {
    for (claim, value, wanted) in [
        ("groups", json!({"groups": "ops"}), Some(Role::Admin)),
        (
            "groups",
            json!({"groups": ["staff", "ops"]}),
            Some(Role::Admin),
        ),
        (
            "groups",
            json!({"groups": ["staff", 5]}),
            Some(Role::Viewer),
        ),
        ("groups", json!({"groups": ["operators"]}), None),
        (
            "/realm/roles",
            json!({"realm": {"roles": ["staff"]}}),
            Some(Role::Viewer),
        ),
        (
            "https://a.example/r",
            json!({"https://a.example/r": "ops"}),
            Some(Role::Admin),
        ),
    ] {
        let site = MockProvider::start(Key::elliptic("one")).await;
        let mut behavior = site.behavior.lock().await;
        behavior.claims.extend(value.as_object().unwrap().clone());
        drop(behavior);
        let provider = Provider::new(OidcConfig {
            role_claim: Some(claim.into()),
            ..site.config()
        });
        let identity = login(&site, &provider).await.unwrap();
        assert_eq!(identity.role, wanted, "{value}");
        assert!(!site.behavior.lock().await.requests.contains_key("userinfo"));
    }
}
