//! Static files of the pages: stylesheet, script and icon.
//!
//! They are compiled into the program. Their URLs have a hash of the content, so that browsers cache
//! them without ever using an outdated one.

use std::fmt::Write;
use std::sync::LazyLock;

use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

/// URL of the folder.
const ROOT: &str = "/admin/assets";

/// A static file.
struct Asset {
    name: &'static str,
    kind: &'static str,
    content: &'static str,
    /// Hash of the content.
    hash: String,
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        Asset::new(
            "style.css",
            "text/css; charset=utf-8",
            include_str!("../static/style.css"),
        ),
        Asset::new(
            "script.js",
            "text/javascript; charset=utf-8",
            include_str!("../static/script.js"),
        ),
        Asset::new(
            "icon.svg",
            "image/svg+xml",
            include_str!("../static/icon.svg"),
        ),
    ]
});

impl Asset {
    fn new(name: &'static str, kind: &'static str, content: &'static str) -> Self {
        let digest = Sha256::digest(content);
        let hash = digest[..8].iter().fold(String::new(), |mut hash, byte| {
            let _ = write!(hash, "{byte:02x}");
            hash
        });
        Self {
            name,
            kind,
            content,
            hash,
        }
    }

    fn named(name: &str) -> Option<&'static Self> {
        ASSETS.iter().find(|asset| asset.name == name)
    }
}

/// Returns the URL of a file with its version.
pub(crate) fn url(name: &str) -> Option<String> {
    Asset::named(name).map(|asset| format!("{ROOT}/{name}?v={}", asset.hash))
}

/// `GET /admin/assets/{name}`.
pub(crate) async fn asset(
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = Asset::named(&name) else {
        return (StatusCode::NOT_FOUND, "File not found.\n").into_response();
    };
    let tag = format!("\"{}\"", asset.hash);
    // While nodes of two versions run side by side, a request may ask for the other node's version.
    let is_current = query.is_some_and(|query| query == format!("v={}", asset.hash));
    let cache_control = if is_current {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let is_known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let headers = [
        (header::ETAG, tag.as_str()),
        (header::CACHE_CONTROL, cache_control),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    if is_known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let kind = [(header::CONTENT_TYPE, asset.kind)];
    (headers, kind, asset.content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(name: &str, query: Option<&str>, known: Option<&str>) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(known) = known {
            headers.insert(header::IF_NONE_MATCH, known.parse().unwrap());
        }
        let query = RawQuery(query.map(str::to_owned));
        asset(Path(name.to_owned()), query, headers).await
    }

    fn header_value(response: &Response, name: header::HeaderName) -> &str {
        response.headers()[name].to_str().unwrap()
    }

    #[tokio::test]
    async fn caches_versioned_files_forever() {
        let url = url("style.css").unwrap();
        let (_, version) = url.split_once('?').unwrap();
        let versioned = get("style.css", Some(version), None).await;
        assert!(header_value(&versioned, header::CACHE_CONTROL).contains("immutable"));
        assert!(header_value(&versioned, header::CONTENT_TYPE).starts_with("text/css"));
        for other in [None, Some("v=0123456789abcdef")] {
            let response = get("style.css", other, None).await;
            assert_eq!(header_value(&response, header::CACHE_CONTROL), "no-cache");
        }
    }

    #[tokio::test]
    async fn answers_known_etag_without_content() {
        let first = get("icon.svg", None, None).await;
        let tag = header_value(&first, header::ETAG).to_owned();
        let again = get("icon.svg", None, Some(&tag)).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let other = get("icon.svg", None, Some("\"another\"")).await;
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn rejects_unknown_files() {
        for name in ["", "nothing.css", "../view.rs", "style.css/"] {
            assert_eq!(get(name, None, None).await.status(), StatusCode::NOT_FOUND);
        }
    }
}
