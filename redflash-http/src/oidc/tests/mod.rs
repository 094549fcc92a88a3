//! Logins with a mock provider.

mod identity;
mod token;

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::oidc::mock_provider::{Behavior, COME_BACK, Key, MockProvider, NOW, answer};
use crate::oidc::{Identity, LoginState, OidcConfig, OidcError, Provider};

/// Logs in correctly at a provider.
async fn login(site: &MockProvider, provider: &Provider) -> Result<Identity, OidcError> {
    let begun = provider.begin(COME_BACK, NOW).await?;
    let query = site.log_in(&begun.url).await;
    provider
        .finish(begun.state, answer(&query), COME_BACK, NOW)
        .await
}

/// Logs in at a provider whose behavior is changed.
async fn login_with(change: impl FnOnce(&mut Behavior)) -> Result<Identity, OidcError> {
    let site = MockProvider::start(Key::elliptic("one")).await;
    change(&mut *site.behavior.lock().await);
    login(&site, &Provider::new(site.config())).await
}

/// Logs in with a response that was changed on its way.
async fn login_changed(
    change: impl FnOnce(&mut BTreeMap<String, String>),
) -> (Result<Identity, OidcError>, MockProvider) {
    let site = MockProvider::start(Key::elliptic("one")).await;
    let provider = Provider::new(site.config());
    let begun = provider.begin(COME_BACK, NOW).await.unwrap();
    let mut query = site.log_in(&begun.url).await;
    change(&mut query);
    let finished = provider
        .finish(begun.state, answer(&query), COME_BACK, NOW)
        .await;
    (finished, site)
}

fn is_untrusted(result: Result<Identity, OidcError>, wanted: &str) {
    let Err(OidcError::Untrusted(reason)) = result else {
        panic!("{result:?}");
    };
    assert!(reason.contains(wanted), "{reason}");
}

#[tokio::test]
async fn accepts_every_asymmetric_signature() {
    for key in [Key::rsa("a"), Key::elliptic("b"), Key::edwards("c")] {
        let site = MockProvider::start(key).await;
        let identity = login(&site, &Provider::new(site.config())).await.unwrap();
        let wanted = Identity {
            issuer: site.config().issuer,
            subject: "248289".into(),
            name: Some("Ada Lovelace".into()),
            user: "ada".into(),
            role: None,
        };
        assert_eq!(identity, wanted);
        let asked = &site.behavior.lock().await.requests;
        assert!(!asked.contains_key("userinfo"), "{asked:?}");
    }
}

#[tokio::test]
async fn serializes_login_state_and_hides_it_from_debug() {
    let site = MockProvider::start(Key::elliptic("one")).await;
    let provider = Provider::new(site.config());
    let begun = provider.begin(COME_BACK, NOW).await.unwrap();
    let query = site.log_in(&begun.url).await;
    let written = serde_json::to_string(&begun.state).unwrap();
    let shown = format!("{:?}", begun.state);
    assert!(!shown.contains(&query["state"]), "{shown}");
    let read: LoginState = serde_json::from_str(&written).unwrap();
    let finished = provider.finish(read, answer(&query), COME_BACK, NOW).await;
    assert_eq!(finished.unwrap().user, "ada");
}

#[tokio::test]
async fn rejects_response_to_another_login_without_a_request() {
    let changes: [fn(&mut BTreeMap<String, String>); 3] = [
        |query| _ = query.insert("state".into(), "another".into()),
        |query| _ = query.remove("state"),
        |query| _ = query.remove("code"),
    ];
    for change in changes {
        let (finished, site) = login_changed(change).await;
        assert!(matches!(finished, Err(OidcError::Stale(_))), "{finished:?}");
        assert!(!site.behavior.lock().await.requests.contains_key("token"));
    }
}

#[tokio::test]
async fn rejects_login_that_took_too_long() {
    let site = MockProvider::start(Key::elliptic("one")).await;
    let provider = Provider::new(site.config());
    for (minutes, is_stale) in [(15, false), (16, true)] {
        let later = NOW.plus(Duration::from_secs(minutes * 60));
        let begun = provider.begin(COME_BACK, NOW).await.unwrap();
        let exp = later.plus(Duration::from_secs(60)).as_millis() / 1000;
        let mut behavior = site.behavior.lock().await;
        behavior.claims.insert("exp".into(), exp.into());
        drop(behavior);
        let query = site.log_in(&begun.url).await;
        let finished = provider
            .finish(begun.state, answer(&query), COME_BACK, later)
            .await;
        let stale = matches!(finished, Err(OidcError::Stale(_)));
        assert_eq!(stale, is_stale, "{finished:?}");
    }
}

#[tokio::test]
async fn code_works_once_and_with_its_verifier() {
    let site = MockProvider::start(Key::elliptic("one")).await;
    let provider = Provider::new(site.config());
    let begun = provider.begin(COME_BACK, NOW).await.unwrap();
    let mut query = site.log_in(&begun.url).await;
    let other = provider.begin(COME_BACK, NOW).await.unwrap();
    let others = site.log_in(&other.url).await;
    query.insert("code".into(), others["code"].clone());
    for _ in 0..2 {
        let written = serde_json::to_value(&begun.state).unwrap();
        let again = serde_json::from_value(written).unwrap();
        let finished = provider.finish(again, answer(&query), COME_BACK, NOW).await;
        assert!(matches!(finished, Err(OidcError::Stale(_))), "{finished:?}");
    }
}

#[tokio::test]
async fn quotes_refusal_of_provider() {
    let (finished, _) = login_changed(|query| {
        query.remove("code");
        query.insert("error".into(), "access_denied".into());
        query.insert("error_description".into(), "not assigned".into());
    })
    .await;
    let wanted = OidcError::Denied("access_denied: not assigned".into());
    assert_eq!(finished, Err(wanted));
}

#[tokio::test]
async fn rejects_response_of_another_provider() {
    let (finished, _) = login_changed(|query| {
        query.insert("iss".into(), "https://other.example.org".into());
    })
    .await;
    is_untrusted(finished, "another provider");
}

#[tokio::test]
async fn fetches_rotated_keys_once() {
    let site = MockProvider::start(Key::elliptic("one")).await;
    let provider = Provider::new(site.config());
    login(&site, &provider).await.unwrap();
    let new = Key::edwards("two");
    let mut behavior = site.behavior.lock().await;
    behavior.keys = vec![new.public()];
    behavior.signer = new;
    drop(behavior);
    for _ in 0..2 {
        login(&site, &provider).await.unwrap();
        assert_eq!(site.behavior.lock().await.requests["keys"], 2);
    }
    assert_eq!(site.behavior.lock().await.requests["discovery"], 1);
}

#[tokio::test]
async fn refreshes_metadata_after_an_hour() {
    let site = MockProvider::start(Key::elliptic("one")).await;
    let provider = Provider::new(site.config());
    for (minutes, asked) in [(0, 1), (59, 1), (60, 2)] {
        let now = NOW.plus(Duration::from_secs(minutes * 60));
        provider.begin(COME_BACK, now).await.unwrap();
        assert_eq!(site.behavior.lock().await.requests["discovery"], asked);
    }
}

#[tokio::test]
async fn retries_unreachable_provider_at_next_login() {
    let site = MockProvider::start(Key::elliptic("one")).await;
    let vacant = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", vacant.local_addr().unwrap());
    drop(vacant);
    let elsewhere = OidcConfig {
        issuer: url.clone(),
        ..site.config()
    };
    let Err(OidcError::Unreachable(reason)) = Provider::new(elsewhere)
        .begin(COME_BACK, NOW)
        .await
        .map(drop)
    else {
        panic!("nobody is there");
    };
    assert!(reason.contains(&url), "{reason}");
    let provider = Provider::new(OidcConfig {
        timeout: Duration::from_millis(200),
        ..site.config()
    });
    site.behavior.lock().await.hangs = Some("keys");
    let begun = provider.begin(COME_BACK, NOW).await;
    assert!(matches!(begun, Err(OidcError::Unreachable(_))), "{begun:?}");
    site.behavior.lock().await.hangs = None;
    provider.begin(COME_BACK, NOW).await.unwrap();
}

#[tokio::test]
async fn times_out_when_provider_hangs() {
    for path in ["discovery", "token", "userinfo"] {
        let site = MockProvider::start(Key::elliptic("one")).await;
        let mut behavior = site.behavior.lock().await;
        behavior
            .claims
            .insert("preferred_username".into(), Value::Null);
        behavior.hangs = Some(path);
        drop(behavior);
        let provider = Provider::new(OidcConfig {
            timeout: Duration::from_millis(200),
            ..site.config()
        });
        let Err(OidcError::Unreachable(reason)) = login(&site, &provider).await else {
            panic!("{path} hangs");
        };
        assert!(reason.contains("took longer than 200ms"), "{reason}");
    }
}

#[tokio::test]
async fn rejects_oversized_response() {
    let result = login_with(|behavior| behavior.padding = "x".repeat(1024 * 1024)).await;
    let Err(OidcError::Unreachable(reason)) = result else {
        panic!("{result:?}");
    };
    assert!(reason.contains("more than 1048576 bytes"), "{reason}");
}

#[tokio::test]
async fn explains_misconfiguration() {
    let site = MockProvider::start(Key::elliptic("one")).await;
    let other_secret = OidcConfig {
        client_secret: Some(SecretString::from("another-secret")),
        ..site.config()
    };
    let other_place = OidcConfig {
        issuer: format!("{}/realm", site.url),
        ..site.config()
    };
    for (config, wanted) in [
        (other_secret, "client_secret"),
        (other_place, "404"),
        (
            OidcConfig {
                issuer: "nowhere".into(),
                ..site.config()
            },
            "nowhere",
        ),
    ] {
        let result = login(&site, &Provider::new(config)).await;
        let Err(error @ OidcError::Misconfigured(_)) = result else {
            panic!("{result:?}");
        };
        let text = error.to_string();
        assert!(text.contains(wanted), "{text}");
        assert!(!text.contains("another-secret"), "{text}");
    }
    site.behavior.lock().await.issuer = Some("https://login.example.org/".into());
    let result = login(&site, &Provider::new(site.config())).await;
    let Err(OidcError::Misconfigured(reason)) = result else {
        panic!("{result:?}");
    };
    assert!(reason.contains("https://login.example.org/"), "{reason}");
}
