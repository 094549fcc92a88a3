//! Requests to gateways.

use redflash_core::clock::Timestamp;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use url::{Url, form_urlencoded};

/// A request to a gateway.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// The current time, to which a date in the answer is compared.
    pub(crate) now: Timestamp,
}

impl Request {
    /// Creates a `POST` request with a form.
    pub(crate) fn form(url: Url, fields: &[(&str, &str)], now: Timestamp) -> Self {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        Self::post(url, "application/x-www-form-urlencoded", body.finish(), now)
    }

    /// Creates a `POST` request with a text.
    pub(crate) fn post(url: Url, content_type: &'static str, body: String, now: Timestamp) -> Self {
        let mut request = Self::get(url, now);
        request.method = Method::POST;
        request.body = body;
        let content_type = HeaderValue::from_static(content_type);
        request.headers.insert(CONTENT_TYPE, content_type);
        request
    }

    /// Creates a `GET` request.
    pub(crate) fn get(url: Url, now: Timestamp) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: String::new(),
            now,
        }
    }
}
