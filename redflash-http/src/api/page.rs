//! A page of a list: `{"contacts":[…],"next":…}`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page<T> {
    /// What the list is called, such as `contacts`.
    pub(super) name: &'static str,
    pub(super) items: Vec<T>,
    /// The `cursor` of the following page; `None` on the last.
    pub(super) next: Option<String>,
}

impl<T: Serialize> Serialize for Page<T> {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        let mut page = writer.serialize_map(Some(2))?;
        page.serialize_entry(self.name, &self.items)?;
        page.serialize_entry("next", &self.next)?;
        page.end()
    }
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}
