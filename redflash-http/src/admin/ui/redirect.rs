//! Redirects to other pages, with the notice that the next page shows.

use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::admin::ui::flash::{FLASH, Flash, UNDO};
use crate::admin::urls;

/// Redirects to a page.
pub(crate) fn redirect(path: &str) -> Response {
    let target = HeaderValue::try_from(path);
    let target = target.unwrap_or_else(|_| HeaderValue::from_static(urls::HOME));
    (StatusCode::SEE_OTHER, [(LOCATION, target)]).into_response()
}

/// Redirects to a page that shows a notice.
pub(crate) fn redirect_with(path: &str, flash: Flash) -> Response {
    redirect(&with_parameter(path, FLASH, flash.code()))
}

/// Redirects after an item was switched. If it is off now, the next page offers to undo that.
///
/// * `item` - the URL of the item.
pub(crate) fn redirect_toggled(path: &str, item: &str, enabled: bool) -> Response {
    if enabled {
        return redirect_with(path, Flash::SwitchedOn);
    }
    let item = item.strip_prefix("/admin/").unwrap_or(item);
    redirect_with(&with_parameter(path, UNDO, item), Flash::SwitchedOff)
}

fn with_parameter(path: &str, name: &str, value: &str) -> String {
    let separator = if path.contains('?') { '&' } else { '?' };
    format!("{path}{separator}{name}={value}")
}
