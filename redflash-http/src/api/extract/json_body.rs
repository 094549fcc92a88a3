//! The body of a request: one JSON object.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode};
use redflash_core::engine::InvalidField;
use schemars::{JsonSchema, Schema, SchemaGenerator};
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

/// The body of a request: one JSON object, deserialized as a `T`.
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
            // Held while both the body and its value are in memory.
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
    let detail = "send a JSON object in UTF-8 with Content-Type: application/json";
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    Err(Problem::new(status, "bad_content_type", detail))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let invalid = |detail: String| Problem::new(StatusCode::BAD_REQUEST, "bad_body", detail);
    let Strict(value) =
        serde_json::from_slice(body).map_err(|error| invalid(format!("invalid JSON: {error}")))?;
    if !value.is_object() {
        return Err(invalid("the body must be a JSON object".to_owned()));
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let InvalidField { field, message, .. } = field_error(&error);
        Problem::field(field, message)
    })
}

/// Returns the field that an error is about. A missing field counts, not the object that lacks it.
fn field_error(error: &serde_path_to_error::Error<serde_json::Error>) -> InvalidField {
    let (path, message) = (error.path().to_string(), error.inner().to_string());
    let missing = message.strip_prefix("missing field `");
    let missing = missing.and_then(|rest| rest.strip_suffix('`'));
    match (missing, &*path) {
        (Some(name), ".") => InvalidField::new(name, "is missing"),
        (Some(name), parent) => InvalidField::new(format!("{parent}.{name}"), "is missing"),
        (None, _) => InvalidField::new(path, message),
    }
}

/// A field that may be absent, but not null.
///
/// For structs with `#[serde(default)]`. A nullable field is an `Optional<Option<T>>`: absence leaves it as
/// it is, null removes it.
#[derive(Clone, Debug)]
pub(crate) struct Optional<T>(pub(crate) Option<T>);

impl<T> Default for Optional<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Clone> Optional<T> {
    /// Sets a field to the value, if there is one.
    pub(crate) fn set(&self, field: &mut T) {
        if let Some(value) = &self.0 {
            field.clone_from(value);
        }
    }
}

impl<T> From<T> for Optional<T> {
    fn from(value: T) -> Self {
        Self(Some(value))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Optional<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

impl<T: JsonSchema> JsonSchema for Optional<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        schemas.subschema_for::<T>()
    }
}

/// A secret, which no error message repeats.
#[derive(Debug)]
pub(crate) struct Secret(pub(crate) SecretString);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer);
        let text = text.map_err(|_| D::Error::custom("must be a string"))?;
        Ok(Self(text.into()))
    }
}

/// Returns true, for `#[serde(default = "enabled")]`.
pub(crate) const fn enabled() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use redflash_core::model::{Name, Slug};
    use serde_json::Value;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Person {
        #[expect(dead_code, reason = "only its deserialization is tested")]
        slug: Slug,
        #[serde(default)]
        name: Optional<Name>,
        #[serde(default)]
        friends: Vec<Person>,
    }

    fn problem(body: &str) -> Value {
        let problem = read::<Person>(body.as_bytes()).unwrap_err();
        serde_json::to_value(problem.into_document()).unwrap()
    }

    #[test]
    fn names_invalid_field() {
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
            let problem = problem(body);
            assert_eq!(problem["code"], "invalid", "{body}");
            assert_eq!(problem["errors"][0]["field"], field, "{body}");
        }
    }

    #[test]
    fn rejects_body_that_is_no_json_object() {
        for body in [
            "",
            "{",
            "[]",
            "1",
            "null",
            r#"{"slug":"a","slug":"b"}"#,
            "{} {}",
        ] {
            let problem = problem(body);
            assert_eq!(problem["code"], "bad_body", "{body}");
        }
        assert!(read::<Person>(b"{\"slug\":\"\xff\"}").is_err());
    }

    #[test]
    fn distinguishes_absent_fields() {
        let person: Person = read(br#"{"slug":"a","friends":[{"slug":"b","name":"B"}]}"#).unwrap();
        assert!(person.name.0.is_none() && person.friends[0].name.0.is_some());
    }
}
