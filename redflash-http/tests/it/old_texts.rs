//! The texts of the old service, which its clients compare.

use redflash_http::HttpConfig;
use serde_json::Value;

use crate::site::Site;

const MISSING: &str = "You must specify your API key";
const INVALID: &str = "Invalid API key for operation";
const RIGHTS: &str = "Insufficient privileges";
const METHOD: &str = "Invalid request method";

/// The key of a request.
#[derive(Clone, Copy, Debug)]
enum Key {
    Missing,
    Unknown,
    Revoked,
    Plain,
    Narrow,
    Inspecting,
}

impl Key {
    fn of(self, site: &Site) -> Option<&str> {
        match self {
            Self::Missing => None,
            Self::Unknown => Some("rfk_nobody"),
            Self::Revoked => Some(&site.revoked),
            Self::Plain => Some(&site.plain),
            Self::Narrow => Some(&site.narrow),
            Self::Inspecting => Some(&site.key),
        }
    }
}

/// Sends a request to a path with and without a trailing slash, and compares the old texts.
async fn check(site: &Site, method: &str, path: &str, key: Key, body: &str, wanted: (u16, &str)) {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let key = key.of(site).map(|key| format!("api_key={key}"));
    for slash in ["", "/"] {
        let fields = [key.as_deref(), Some(body)];
        let fields: Vec<_> = fields.into_iter().flatten().collect();
        let fields = fields.join("&");
        let answer = if method == "POST" {
            let path = format!("/{path}{slash}");
            site.client.send(method, &path, &form, fields).await
        } else {
            let path = format!("/{path}{slash}?{fields}");
            site.client.send(method, &path, &[], "").await
        };
        let case = format!("{method} /{path}{slash}: {}", answer.body);
        let body: Value = answer.json();
        let actual = (answer.status, body["message"].as_str().unwrap_or_default());
        assert_eq!(actual, wanted, "{case}");
        assert_ne!(body["code"].as_str().unwrap_or_default(), "", "{case}");
        assert_ne!(body["detail"].as_str().unwrap_or_default(), "", "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_a_raise_carry_the_old_texts() {
    let site = Site::start(HttpConfig::default()).await;
    for target in ["contact/ann", "group/both", "event/disk"] {
        for (key, text) in [
            (Key::Missing, MISSING),
            (Key::Unknown, INVALID),
            (Key::Revoked, INVALID),
        ] {
            check(&site, "POST", target, key, "message=hi", (403, text)).await;
        }
        for method in ["PUT", "DELETE", "PATCH"] {
            check(&site, method, target, Key::Inspecting, "", (403, METHOD)).await;
        }
    }
    let key = Key::Plain;
    for (target, body, wanted) in [
        ("contact/ann", "message=", (500, "Empty message")),
        ("contact/ann", "", (500, "Empty message")),
        ("group/both", "message=", (500, "Empty message")),
        ("group/both", "", (500, "Empty message")),
        ("event/blank", "x=", (500, "Empty message")),
        ("contact/nobody", "message=hi", (404, "nobody not found")),
        ("group/nobody", "message=hi", (404, "nobody not found")),
        ("event/nobody", "", (404, "nobody not found")),
        ("contact/a%20b", "message=hi", (404, "a b not found")),
        (
            "contact/off",
            "message=hi",
            (404, "Contact 'Off Duty' (off) is disabled"),
        ),
        ("group/idle", "message=hi", (404, "Group idle is disabled")),
        ("event/muted", "", (404, "Event muted is disabled")),
        (
            "group/empty",
            "message=hi",
            (500, "nobody behind group/empty can be reached"),
        ),
    ] {
        check(&site, "POST", target, key, body, wanted).await;
    }
    for target in ["contact/refuse", "group/both", "event/disk"] {
        let wanted = (403, RIGHTS);
        check(&site, "POST", target, Key::Narrow, "message=hi", wanted).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_an_inspection_carry_the_old_texts() {
    let site = Site::start(HttpConfig::default()).await;
    for target in ["contact/ann", "group/both"] {
        for (key, text) in [
            (Key::Missing, MISSING),
            (Key::Unknown, INVALID),
            (Key::Revoked, INVALID),
            (Key::Plain, RIGHTS),
        ] {
            check(&site, "GET", target, key, "", (403, text)).await;
        }
    }
    for (target, wanted) in [
        ("contact/nobody", (404, "Invalid contact: nobody")),
        ("group/nobody", (404, "Invalid group: nobody")),
        ("contact/off", (404, "Disabled user")),
        ("group/idle", (404, "Disabled group")),
        ("event/disk", (403, METHOD)),
        ("event/nobody", (403, METHOD)),
    ] {
        check(&site, "GET", target, Key::Inspecting, "", wanted).await;
    }
}
