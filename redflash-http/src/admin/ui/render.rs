//! Renders pages inside their frame.

use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;

use crate::admin::auth::session::Visitor;
use crate::admin::ui::flash::FlashMessage;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::{ErrorPage, Link};
use crate::admin::ui::templates::{Frame, Person, Section};
use crate::admin::urls;
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
    Html(app.templates.render(template, &frame))
}

/// Renders an error in the frame of the pages.
pub(crate) fn render_error(app: &App, visitor: Option<&Visitor>, error: PageError) -> Response {
    let title = error.title;
    let page = ErrorPage {
        status: error.status.as_u16(),
        title: title.to_owned(),
        text: error.text,
        action: Some(match visitor {
            Some(_) => Link {
                url: urls::HOME.into(),
                label: "Back to home".into(),
            },
            None => Link {
                url: urls::LOGIN.into(),
                label: "Back to login".into(),
            },
        }),
    };
    let html = render(app, visitor, "error", title, None, None, page);
    (error.status, html).into_response()
}
