//! Renders pages inside their frame.

use axum::response::Html;
use serde::Serialize;

use crate::admin::auth::session::Visitor;
use crate::admin::ui::flash::FlashMessage;
use crate::admin::ui::templates::{Frame, Person, Section};
use crate::app::App;

/// Renders a page for a visitor, or for an anonymous user.
pub(crate) fn render(
    app: &App,
    visitor: Option<&Visitor>,
    template: &str,
    title: &str,
    nav: Option<Section>,
    flash: Option<FlashMessage>,
    page: impl Serialize,
) -> Html<String> {
    let frame = Frame {
        title,
        nav,
        user: visitor.map(|visitor| Person {
            name: visitor.user.name.as_str(),
            role: visitor.user.role.as_str(),
        }),
        csrf: visitor.map_or("", |visitor| &visitor.csrf),
        flash,
        base: app.base.as_str(),
        now: app.engine.now(),
        page,
    };
    Html(app.views.render(template, &frame))
}
