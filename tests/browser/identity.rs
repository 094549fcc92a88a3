//! The identity provider, with a browser that logs in.

use axum::Router;
use axum::extract::RawQuery;
use axum::routing::get;
use redflash_tests::{Browser, IdentityProvider, http_client};
use serde_json::Value;
use url::Url;

use crate::serve;

#[tokio::test]
async fn login_returns_the_identity_to_the_client() {
    let callback = get(async |RawQuery(query)| query.unwrap_or_default());
    let client = serve(Router::new().route("/callback", callback)).await;
    let provider = IdentityProvider::start("http://127.0.0.1/callback").await;
    let discovered = discover(&provider).await;
    assert_eq!(discovered["issuer"], provider.issuer());

    let redirect_uri = format!("{client}/callback");
    let mut authorization = Url::parse(text(&discovered["authorization_endpoint"])).unwrap();
    authorization.query_pairs_mut().extend_pairs([
        ("client_id", IdentityProvider::CLIENT_ID),
        ("response_type", "code"),
        ("redirect_uri", &redirect_uri),
        ("scope", "openid profile groups"),
        ("state", "the-state"),
        // The example challenge of RFC 7636.
        (
            "code_challenge",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ),
        ("code_challenge_method", "S256"),
    ]);
    let browser = Browser::start().await;
    browser.goto(authorization.as_str()).await;
    browser.fill("[name=login]", "ann").await;
    browser.fill("[name=password]", "any").await;
    browser.submit("form").await;
    let arrived = Url::parse(&browser.arrive(&redirect_uri).await).unwrap();
    let field = |wanted: &str| {
        let mut fields = arrived.query_pairs();
        let found = fields.find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.into_owned())
    };
    assert_eq!(field("state").as_deref(), Some("the-state"), "{arrived}");

    let code = field("code").unwrap();
    let tokens = http_client()
        .post(text(&discovered["token_endpoint"]))
        .basic_auth(
            IdentityProvider::CLIENT_ID,
            Some(IdentityProvider::CLIENT_SECRET),
        )
        .form(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &redirect_uri),
            (
                "code_verifier",
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            ),
        ])
        .send();
    let tokens: Value = tokens.await.unwrap().json().await.unwrap();
    let claims = http_client()
        .get(text(&discovered["userinfo_endpoint"]))
        .bearer_auth(text(&tokens["access_token"]))
        .send();
    let claims: Value = claims.await.unwrap().json().await.unwrap();
    assert_eq!(claims["preferred_username"], "ann", "{claims}");
    assert_eq!(claims["groups"][1], "redflash-admins", "{claims}");
    assert_eq!(claims["email"], Value::Null, "{claims}");
}

async fn discover(provider: &IdentityProvider) -> Value {
    let url = format!("{}/.well-known/openid-configuration", provider.issuer());
    let answer = http_client().get(url).send().await.unwrap();
    answer.json().await.unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
