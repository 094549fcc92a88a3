//! What is made of the claims.

use redflash_core::Role;
use serde_json::{Value, json};

use crate::oidc::mock_provider::{ACCESS_TOKEN, Key, MockProvider};
use crate::oidc::tests::{is_untrusted, login, login_with};
use crate::oidc::{OidcConfig, OidcError, Provider, UserClaim};

#[tokio::test]
async fn what_the_token_lacks_is_asked_of_the_provider() {
    let site = MockProvider::start(Key::elliptic("one")).await;
    let mut says = site.says.lock().await;
    says.claims.remove("preferred_username");
    says.user_info = Some(json!({"sub": "248289", "preferred_username": "ada", "name": "Other"}));
    drop(says);
    let provider = Provider::new(site.config());
    let identity = login(&site, &provider).await.unwrap();
    assert_eq!(
        (&*identity.user, identity.name.as_deref()),
        ("ada", Some("Ada Lovelace"))
    );
    site.says.lock().await.user_info = Some(json!({"sub": "1", "preferred_username": "ada"}));
    is_untrusted(login(&site, &provider).await, "another user");
}

#[tokio::test]
async fn without_the_claim_that_names_the_user_those_that_are_there_are_listed() {
    let judged = login_with(|says| {
        says.claims.insert("preferred_username".into(), " ".into());
        says.user_info = Some(json!({"sub": "248289", "nickname": "ada"}));
    });
    let fault = judged.await.unwrap_err();
    let OidcError::Nameless { claim, present } = &fault else {
        panic!("{fault:?}");
    };
    assert_eq!(*claim, "preferred_username");
    assert!(present.contains(&"nickname".to_owned()), "{present:?}");
    assert!(!fault.to_string().contains(ACCESS_TOKEN));
}

#[tokio::test]
async fn a_mailbox_names_a_user_unless_it_is_unverified() {
    for (verified, is_believed) in [
        (Value::Null, true),
        (json!(true), true),
        (json!("true"), true),
        (json!(false), false),
        (json!("false"), false),
    ] {
        let site = MockProvider::start(Key::elliptic("one")).await;
        let mut says = site.says.lock().await;
        says.claims.insert("email".into(), "ada@example.org".into());
        says.claims
            .insert("email_verified".into(), verified.clone());
        drop(says);
        let provider = Provider::new(OidcConfig {
            user_claim: UserClaim::Email,
            ..site.config()
        });
        let judged = login(&site, &provider).await;
        if is_believed {
            assert_eq!(judged.unwrap().user, "ada@example.org", "{verified}");
        } else {
            is_untrusted(judged, "not verified");
        }
    }
}

#[tokio::test]
async fn the_role_claim_says_what_a_user_may_do() {
    for (claim, said, wanted) in [
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
        let mut says = site.says.lock().await;
        says.claims.extend(said.as_object().unwrap().clone());
        drop(says);
        let provider = Provider::new(OidcConfig {
            role_claim: Some(claim.into()),
            ..site.config()
        });
        let identity = login(&site, &provider).await.unwrap();
        assert_eq!(identity.role, wanted, "{said}");
        assert!(!site.says.lock().await.asked.contains_key("userinfo"));
    }
}
