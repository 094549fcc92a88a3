//! The body of a request, and its fields: a form, a multipart form, or a JSON object.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use futures_util::stream;
use http_body_util::BodyExt;
use redflash_core::message::Raise;
use serde_json::{Map, Value};
use tokio::time::timeout;
use url::form_urlencoded;

use crate::error::{RequestError, RequestErrorKind};
use crate::extract::body_memory::Reservation;
use crate::extract::strict_json::Strict;
use crate::off_thread;

/// Maximum number of fields in a request.
const MAX_FIELDS: usize = Raise::MAX_ARGUMENTS;

/// The fields of a request by name. The last field of a name wins.
pub(crate) type Fields = Map<String, Value>;

/// The format of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Form,
    Multipart { boundary: String },
    Json,
}

/// Maximum size of a body whose sender has not shown a valid key yet, in bytes.
pub(crate) const MAX_ANONYMOUS_BODY: usize = 256 * 1024;

/// The limits of a body.
pub(crate) struct BodyLimits {
    /// Maximum size in bytes.
    pub(crate) bytes: usize,
    /// Maximum time to receive it.
    pub(crate) time: Duration,
    /// The reservation of its memory.
    pub(crate) memory: Reservation,
}

/// A body that is read completely.
#[derive(Debug)]
pub(crate) struct BufferedBody {
    pub(crate) bytes: Bytes,
    /// Must live as long as the values parsed from the body.
    pub(crate) memory: Reservation,
}

/// Reads a whole body.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    limits: BodyLimits,
) -> Result<BufferedBody, RequestError> {
    let declared = headers.get(CONTENT_LENGTH);
    let declared = declared.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > limits.bytes as u64) {
        return Err(too_large(limits.bytes));
    }
    let time = limits.time;
    timeout(time, collect_body(body, limits))
        .await
        .unwrap_or_else(|_| {
            let detail = format!("the body did not arrive within {} s", time.as_secs());
            Err(RequestError::new(RequestErrorKind::TooSlow, detail).closing())
        })
}

async fn collect_body(mut body: Body, limits: BodyLimits) -> Result<BufferedBody, RequestError> {
    let BodyLimits {
        bytes: limit,
        mut memory,
        ..
    } = limits;
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            let detail = "the body ended early, or its HTTP framing is invalid";
            RequestError::new(RequestErrorKind::BadBody, detail).closing()
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if data.len() > limit - whole.len() {
            return Err(too_large(limit));
        }
        memory.grow(whole.len() + data.len())?;
        whole.extend_from_slice(&data);
    }
    Ok(BufferedBody {
        bytes: whole.into(),
        memory,
    })
}

fn too_large(limit: usize) -> RequestError {
    let mut detail = format!("a body has at most {limit} bytes");
    if limit == MAX_ANONYMOUS_BODY {
        detail += "; send a valid key in the Authorization header or the query to send more";
    }
    RequestError::new(RequestErrorKind::TooLarge, detail).closing()
}

/// Parses the fields of a body, on a separate thread if it is large.
pub(crate) async fn parse_fields(
    headers: &HeaderMap,
    bytes: Bytes,
) -> Result<Fields, RequestError> {
    let is_large = bytes.len() >= off_thread::LARGE;
    let headers = headers.clone();
    off_thread::run(is_large, async move { fields(&headers, bytes).await }).await?
}

/// Parses the fields of a body. Without a `Content-Type`, it counts as a form.
async fn fields(headers: &HeaderMap, body: Bytes) -> Result<Fields, RequestError> {
    check_encoding(headers)?;
    match format(headers)?.unwrap_or(Format::Form) {
        Format::Form => collect(
            form_urlencoded::parse(&body)
                .map(|(name, value)| (name.into_owned(), Value::from(value.into_owned()))),
        ),
        Format::Multipart { boundary } => multipart(body, boundary).await,
        Format::Json => json(&body),
    }
}

/// Parses the fields of a query.
pub(crate) fn query(query: Option<&str>) -> Result<Fields, RequestError> {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    collect(pairs.map(|(name, value)| (name.into_owned(), Value::from(value.into_owned()))))
}

fn collect(pairs: impl Iterator<Item = (String, Value)>) -> Result<Fields, RequestError> {
    let mut fields = Fields::new();
    for (number, (name, value)) in pairs.enumerate() {
        if number == MAX_FIELDS {
            return Err(too_many());
        }
        fields.insert(name, value);
    }
    Ok(fields)
}

fn too_many() -> RequestError {
    let message = format!("a request has at most {MAX_FIELDS} fields");
    RequestError::new(RequestErrorKind::TooManyFields, message)
}

/// Fails if a body is compressed.
pub(crate) fn check_encoding(headers: &HeaderMap) -> Result<(), RequestError> {
    match headers.get(CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => {
            let message = "send the body without a Content-Encoding";
            Err(RequestError::new(RequestErrorKind::BadEncoding, message))
        }
        _ => Ok(()),
    }
}

/// Parses `Content-Type`, if there is one.
///
/// It is lenient about parameters, since a malformed one must not lose an alert.
pub(crate) fn format(headers: &HeaderMap) -> Result<Option<Format>, RequestError> {
    let wrong = |kind: &str| {
        let kind: String = kind.chars().take(100).collect();
        let message = format!(
            "{kind:?} is not supported: send application/x-www-form-urlencoded, \
             multipart/form-data or application/json, in UTF-8"
        );
        RequestError::new(RequestErrorKind::BadContentType, message)
    };
    let Some(header) = headers.get(CONTENT_TYPE) else {
        return Ok(None);
    };
    let header = header.to_str().map_err(|_| wrong("not ASCII"))?;
    let (kind, parameters) = header.split_once(';').unwrap_or((header, ""));
    let charset = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches('"').to_ascii_lowercase())
    });
    if charset.is_some_and(|name| !matches!(&*name, "utf-8" | "utf8" | "us-ascii")) {
        return Err(wrong(header));
    }
    match &*kind.trim().to_ascii_lowercase() {
        "application/x-www-form-urlencoded" => Ok(Some(Format::Form)),
        "application/json" => Ok(Some(Format::Json)),
        "multipart/form-data" => {
            let boundary = multer::parse_boundary(header).map_err(|_| wrong(header))?;
            Ok(Some(Format::Multipart { boundary }))
        }
        _ => Err(wrong(header)),
    }
}

/// Parses a multipart form. Files are skipped.
async fn multipart(body: Bytes, boundary: String) -> Result<Fields, RequestError> {
    let invalid = |error: multer::Error| {
        RequestError::new(RequestErrorKind::BadBody, format!("multipart: {error}"))
    };
    let whole = stream::iter([Ok::<_, Infallible>(body)]);
    let mut form = multer::Multipart::new(whole, boundary);
    let mut fields = Fields::new();
    let mut seen = 0;
    while let Some(field) = form.next_field().await.map_err(invalid)? {
        seen += 1;
        if seen > MAX_FIELDS {
            return Err(too_many());
        }
        let name = field.name().map(str::to_owned);
        let is_file = field.file_name().is_some();
        let value = field.bytes().await.map_err(invalid)?;
        if let (Some(name), false) = (name, is_file) {
            fields.insert(name, String::from_utf8_lossy(&value).into());
        }
    }
    Ok(fields)
}

fn json(body: &[u8]) -> Result<Fields, RequestError> {
    // Invalid UTF-8 in a text is no reason to lose an alert.
    let text = String::from_utf8_lossy(body);
    let invalid =
        |reason: String| RequestError::new(RequestErrorKind::BadBody, format!("JSON: {reason}"));
    match serde_json::from_str(&text) {
        Ok(Strict(Value::Object(fields))) if fields.len() > MAX_FIELDS => Err(too_many()),
        Ok(Strict(Value::Object(fields))) => Ok(fields),
        Ok(_) => Err(invalid(
            "send an object, such as {\"message\":\"…\"}".into(),
        )),
        Err(error) => Err(invalid(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn parsed(kind: &str, body: &str) -> Result<Value, &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        let fields = fields(&headers, Bytes::copy_from_slice(body.as_bytes())).await;
        fields.map(Value::from).map_err(|error| error.kind.code())
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    #[tokio::test]
    async fn parses_all_formats_alike() {
        let wanted = Ok(json!({"api_key": "k", "message": "a & b"}));
        let multipart = "--x\r\nContent-Disposition: form-data; name=\"api_key\"\r\n\r\nk\r\n\
            --x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\nfile\r\n\
            --x\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\na & b\r\n--x--\r\n";
        let json = r#"{"api_key":"k","message":"a & b"}"#;
        assert_eq!(parsed(FORM, "api_key=k&message=a+%26+b").await, wanted);
        assert_eq!(
            parsed("multipart/form-data; boundary=x", multipart).await,
            wanted
        );
        assert_eq!(
            parsed("Application/JSON; charset=\"UTF-8\"", json).await,
            wanted
        );
    }

    #[tokio::test]
    async fn last_field_wins_and_invalid_utf8_is_replaced() {
        let fields = parsed(FORM, "x=1&x=2&y=caf%E9&z=%00").await;
        assert_eq!(fields, Ok(json!({"x": "2", "y": "caf\u{fffd}", "z": "\0"})));
    }

    #[tokio::test]
    async fn rejects_unreadable_bodies() {
        for (kind, body, code) in [
            ("text/plain", "api_key=k", "bad_content_type"),
            (
                "application/x-www-form-urlencoded; charset=utf-7",
                "",
                "bad_content_type",
            ),
            ("multipart/form-data", "", "bad_content_type"),
            ("multipart/form-data; boundary=x", "--x\r\n", "bad_body"),
            ("application/json", "{", "bad_body"),
            ("application/json", "[]", "bad_body"),
            ("application/json", "{\"a\":1,\"a\":2}", "bad_body"),
            ("application/json", "api_key=k", "bad_body"),
            (FORM, &"a=1&".repeat(1001), "too_many_fields"),
        ] {
            assert_eq!(parsed(kind, body).await, Err(code), "{kind} {body:.40}");
        }
    }
}
