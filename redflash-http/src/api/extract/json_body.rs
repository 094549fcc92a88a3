//! The body of a request: one JSON object.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode};
use redflash_core::InvalidField;
use secrecy::SecretString;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};

use crate::api::caller::Caller;
use crate::api::problem::Problem;
use crate::app::App;
use crate::extract::body;
use crate::extract::body::{BufferedBody, Format};
use crate::extract::strict_json::Strict;
use crate::off_thread;

/// The body of a request: one JSON object, read as a `T`.
#[derive(Debug)]
pub(crate) struct Input<T>(pub(crate) T);

impl<T: DeserializeOwned + Send + 'static> FromRequest<Arc<App>> for Input<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        is_json(&parts.headers)?;
        let is_known = parts.extensions.get::<Caller>().is_some();
        let BufferedBody { bytes, memory } =
            body::read(&parts.headers, body, app.body_limits(is_known)).await?;
        let is_large = bytes.len() >= off_thread::LARGE;
        let input = off_thread::run(is_large, async move {
            let input = read(&bytes);
            // Kept for as long as the body and what is read from it are both there.
            drop(memory);
            input
        });
        input.await?.map(Self)
    }
}

fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    body::check_encoding(headers)?;
    if matches!(body::format(headers), Ok(Some(Format::Json))) {
        return Ok(());
    }
    let detail = "send a JSON object in UTF-8, with Content-Type: application/json";
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    Err(Problem::new(status, "bad_content_type", detail))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let broken = |detail: String| Problem::new(StatusCode::BAD_REQUEST, "bad_body", detail);
    let Strict(value) =
        serde_json::from_slice(body).map_err(|fault| broken(format!("JSON: {fault}")))?;
    if !value.is_object() {
        return Err(broken("JSON: an object is wanted, {…}".to_owned()));
    }
    serde_path_to_error::deserialize(value).map_err(|fault| {
        let InvalidField { field, message, .. } = fault_of(&fault);
        Problem::field(field, message)
    })
}

/// What is wrong with which field. A field that is missing is named as such, not by what lacks it.
fn fault_of(fault: &serde_path_to_error::Error<serde_json::Error>) -> InvalidField {
    let (path, message) = (fault.path().to_string(), fault.inner().to_string());
    let missing = message.strip_prefix("missing field `");
    let missing = missing.and_then(|rest| rest.strip_suffix('`'));
    match (missing, &*path) {
        (Some(name), ".") => InvalidField::new(name, "is missing"),
        (Some(name), parent) => InvalidField::new(format!("{parent}.{name}"), "is missing"),
        (None, _) => InvalidField::new(path, message),
    }
}

/// A field that may be null, which says something else than leaving it out.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct OrNull<T>(pub(crate) Option<T>);

/// A field that may be left out, where null says something else than nothing: for
/// `#[serde(default, deserialize_with = "given")]`.
pub(crate) fn given<'de, T, D>(reader: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(reader).map(Some)
}

/// A secret, of which no refusal says anything.
#[derive(Debug)]
pub(crate) struct Secret(pub(crate) SecretString);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let text = String::deserialize(reader);
        let text = text.map_err(|_| D::Error::custom("a text is wanted"))?;
        Ok(Self(text.into()))
    }
}

/// For `#[serde(default = "on")]`: what is not said to be off is on.
pub(crate) const fn on() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use redflash_core::{Name, Slug};
    use serde_json::Value;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Person {
        #[expect(dead_code, reason = "only whether it can be read matters")]
        slug: Slug,
        #[serde(default, deserialize_with = "given")]
        name: Option<Name>,
        #[serde(default)]
        friends: Vec<Person>,
    }

    fn refusal(body: &str) -> Value {
        let problem = read::<Person>(body.as_bytes()).unwrap_err();
        serde_json::to_value(problem).unwrap()
    }

    #[test]
    fn a_field_that_breaks_a_rule_is_named() {
        for (body, field) in [
            (r"{}", "slug"),
            (r#"{"slug":"a b"}"#, "slug"),
            (r#"{"slug":1}"#, "slug"),
            (r#"{"slug":"a","name":null}"#, "name"),
            (r#"{"slug":"a","age":1}"#, "age"),
            (
                r#"{"slug":"a","friends":[{"slug":"b"},{}]}"#,
                "friends[1].slug",
            ),
            (r#"{"slug":"a","friends":[{"slug":""}]}"#, "friends[0].slug"),
        ] {
            let refusal = refusal(body);
            assert_eq!(refusal["code"], "invalid", "{body}");
            assert_eq!(refusal["errors"][0]["field"], field, "{body}");
        }
    }

    #[test]
    fn what_is_no_object_of_json_is_a_bad_request() {
        for body in [
            "",
            "{",
            "[]",
            "1",
            "null",
            r#"{"slug":"a","slug":"b"}"#,
            "{} {}",
        ] {
            let refusal = refusal(body);
            assert_eq!(refusal["code"], "bad_body", "{body}");
        }
        assert!(read::<Person>(b"{\"slug\":\"\xff\"}").is_err());
    }

    #[test]
    fn what_is_left_out_is_not_given() {
        let person: Person = read(br#"{"slug":"a","friends":[{"slug":"b","name":"B"}]}"#).unwrap();
        assert!(person.name.is_none() && person.friends[0].name.is_some());
    }
}
