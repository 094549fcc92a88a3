//! What a page's handler works with: who asks, and how an answer is made.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use redflash_core::{Actor, Role, Timestamp};
use serde::Serialize;

use crate::admin::auth::session::Visitor;
use crate::admin::ui::flash::{Flash, UNDO};
use crate::admin::ui::form::Form;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::templates::{Frame, Person, Section};
use crate::app::App;

/// Who asks for a page, and for what.
pub(crate) struct PageContext {
    pub(crate) app: Arc<App>,
    pub(crate) visitor: Visitor,
    /// The fields of the query.
    pub(crate) query: Form,
}

/// What is said at the top of the next page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Added,
    Saved,
    Removed,
    SwitchedOn,
    SwitchedOff,
    Raised,
    Resent,
    NothingToResend,
    PasswordSet,
}

const SAID: [(Said, &str, &str); 9] = [
    (Said::Added, "added", "Added."),
    (Said::Saved, "saved", "Saved."),
    (
        Said::Removed,
        "removed",
        "Removed. Past alerts remain in the log.",
    ),
    (Said::SwitchedOn, "on", "Switched on."),
    (
        Said::SwitchedOff,
        "off",
        "Switched off. This also applies to queued messages.",
    ),
    (
        Said::Raised,
        "raised",
        "Alert sent. This page shows its deliveries.",
    ),
    (Said::Resent, "resent", "Queued again."),
    (Said::NothingToResend, "nothing", "No deliveries to resend."),
    (
        Said::PasswordSet,
        "password",
        "Password changed. Other sessions are logged out.",
    ),
];

impl PageContext {
    /// As the audit log names who asks.
    pub(crate) fn actor(&self) -> Actor {
        self.visitor.actor()
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.visitor.user.role == Role::Admin
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.app.engine.now()
    }

    /// What tells a form that is sent twice from two forms: hidden in it as `once`.
    pub(crate) fn once() -> String {
        format!("{:032x}", fastrand::u128(..))
    }

    /// A page.
    ///
    /// * `template` - its name in `view`.
    pub(crate) fn page(
        &self,
        template: &str,
        nav: impl Into<Option<Section>>,
        title: &str,
        page: impl Serialize,
    ) -> Response {
        self.page_with(StatusCode::OK, template, nav, title, page)
    }

    /// A page with another status: a form that was sent with faults is shown again with 422.
    pub(crate) fn page_with(
        &self,
        status: StatusCode,
        template: &str,
        nav: impl Into<Option<Section>>,
        title: &str,
        page: impl Serialize,
    ) -> Response {
        let said = SAID
            .iter()
            .find(|(_, code, _)| *code == self.query.get("said"));
        let flash = said.map(|(said, _, text)| {
            let undo = (*said == Said::SwitchedOff)
                .then(|| Flash::switched_off(&self.query, self.is_admin()));
            undo.flatten().unwrap_or_else(|| Flash::new(text))
        });
        let visitor = Some(&self.visitor);
        let html = render(&self.app, visitor, template, title, nav.into(), flash, page);
        (status, html).into_response()
    }

    /// A part of a page, for a script that replaces it.
    pub(crate) fn fragment(&self, template: &str, page: impl Serialize) -> String {
        let visitor = Some(&self.visitor);
        render(&self.app, visitor, template, "", None, None, page).0
    }

    /// Redirects after a switch was moved; once it is off, the next page offers to undo that.
    ///
    /// * `item` - the URL of what has the switch.
    pub(crate) fn go_switched(path: &str, item: &str, on: bool) -> Response {
        if on {
            return Self::go(path, Said::SwitchedOn);
        }
        let mark = if path.contains('?') { '&' } else { '?' };
        let item = item.strip_prefix("/admin/").unwrap_or(item);
        Self::go(&format!("{path}{mark}{UNDO}={item}"), Said::SwitchedOff)
    }

    /// To another page, which says what was done.
    pub(crate) fn go(path: &str, said: Said) -> Response {
        let code = SAID.iter().find(|(known, ..)| *known == said);
        let code = code.map_or("", |(_, code, _)| code);
        let mark = if path.contains('?') { '&' } else { '?' };
        go(&format!("{path}{mark}said={code}"))
    }
}

/// To another page.
pub(crate) fn go(path: &str) -> Response {
    let target = HeaderValue::try_from(path);
    let target = target.unwrap_or_else(|_| HeaderValue::from_static("/admin"));
    (StatusCode::SEE_OTHER, [(LOCATION, target)]).into_response()
}

pub(crate) fn render(
    app: &App,
    visitor: Option<&Visitor>,
    template: &str,
    title: &str,
    nav: Option<Section>,
    flash: Option<Flash>,
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

impl FromRequestParts<Arc<App>> for PageContext {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let query = Form::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let unreadable = || PageError::unreadable("the query has too many fields").into_response();
        Ok(Self {
            visitor: Visitor::from_request_parts(parts, app).await?,
            query: query.ok_or_else(unreadable)?,
            app: Arc::clone(app),
        })
    }
}
