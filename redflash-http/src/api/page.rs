//! A page of a list: `{"contacts":[…],"next":…}`.

use std::num::NonZeroU32;

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

/// Cuts a list off where a page ends, and says where the following page begins if there is more.
///
/// * `cursor` - what stands for an entry in a cursor.
pub(super) fn cut<T, C: ToString>(
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
