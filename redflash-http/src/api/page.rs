//! Pages of lists: `{"contacts":[…],"next":…}`.

use std::borrow::Cow;
use std::num::NonZeroU32;

use axum::Json;
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// An item of a list.
pub(super) trait Listed: JsonSchema + Serialize {
    /// Name of the list on a page, such as `contacts`.
    const LIST: &'static str;
    /// Name of a page's schema, such as `ContactPage`.
    const PAGE: &'static str;
    /// Description of a page.
    const DESCRIPTION: &'static str = "One page of a list.";
}

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// The `cursor` of the next page; `None` on the last.
    pub(super) next: Option<String>,
}

/// Truncates a list to a page and returns the cursor of the next page, if there are more items.
///
/// * `cursor` - the cursor that continues after an item.
pub(super) fn truncate<T, C: ToString>(
    items: &mut Vec<T>,
    limit: NonZeroU32,
    cursor: impl Fn(&T) -> C,
) -> Option<String> {
    let limit = usize::try_from(limit.get()).unwrap_or(usize::MAX);
    let is_more = items.len() > limit;
    items.truncate(limit);
    let last = items.last().filter(|_| is_more)?;
    Some(cursor(last).to_string())
}

impl<T: Listed> Serialize for Page<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut page = serializer.serialize_map(Some(2))?;
        page.serialize_entry(T::LIST, &self.items)?;
        page.serialize_entry("next", &self.next)?;
        page.end()
    }
}

impl<T: Listed> JsonSchema for Page<T> {
    fn schema_name() -> Cow<'static, str> {
        T::PAGE.into()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("{}::{}", module_path!(), T::PAGE).into()
    }

    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": T::DESCRIPTION,
            "required": [T::LIST, "next"],
            "additionalProperties": false,
            "properties": {
                T::LIST: { "type": "array", "items": schemas.subschema_for::<T>() },
                "next": {
                    "type": ["string", "null"],
                    "description": "The `cursor` of the next page; null on the last.",
                },
            },
        })
    }
}

impl<T: Listed> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}
