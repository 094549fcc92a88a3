//! The context in which a page's handler works: the visitor, the query and the templates.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};
use redflash_core::clock::Timestamp;
use redflash_core::model::{Actor, Role};
use serde::Serialize;

use crate::admin::auth::session::Visitor;
use crate::admin::ui::flash::FlashMessage;
use crate::admin::ui::form::Form;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::render::render;
use crate::admin::ui::templates::Section;
use crate::app::App;

/// The visitor who asks for a page, and the query.
pub(crate) struct PageContext {
    pub(crate) app: Arc<App>,
    pub(crate) visitor: Visitor,
    /// The fields of the query.
    pub(crate) query: Form,
}

impl PageContext {
    /// Returns the visitor as the audit log names them.
    pub(crate) fn actor(&self) -> Actor {
        self.visitor.actor()
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.visitor.user.role == Role::Admin
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.app.engine.now()
    }

    /// Renders a page.
    ///
    /// * `template` - a name of [`templates`](crate::admin::ui::templates).
    pub(crate) fn page(
        &self,
        template: &str,
        nav: impl Into<Option<Section>>,
        title: &str,
        page: impl Serialize,
    ) -> Response {
        self.page_with(StatusCode::OK, template, nav, title, page)
    }

    /// Renders a page with another status, such as 422 for a form with errors.
    pub(crate) fn page_with(
        &self,
        status: StatusCode,
        template: &str,
        nav: impl Into<Option<Section>>,
        title: &str,
        page: impl Serialize,
    ) -> Response {
        let flash = FlashMessage::from_query(&self.query, self.is_admin());
        let visitor = Some(&self.visitor);
        let html = render(&self.app, visitor, template, title, nav.into(), flash, page);
        (status, html).into_response()
    }

    /// Renders a part of a page, for a script that replaces it.
    pub(crate) fn fragment(&self, template: &str, page: impl Serialize) -> Html<String> {
        let visitor = Some(&self.visitor);
        render(&self.app, visitor, template, "", None, None, page)
    }
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
