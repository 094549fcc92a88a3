//! The page of a user.

use axum::http::StatusCode;
use axum::response::Response;
use redflash_core::{Revision, Slug, Timestamp, User, UserView};
use serde::Serialize;

use crate::admin::ui::field::{Confirm, Field, Switch};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{Notice, Rejection};
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::templates::Section;
use crate::admin::user::list;
use crate::admin::user::new_password;

#[derive(Serialize)]
struct Page {
    name: String,
    slug: String,
    enabled: bool,
    is_self: bool,
    role: &'static str,
    way: &'static str,
    created_at: Timestamp,
    switch: Switch,
    notice: Option<Notice>,
    action: String,
    version: String,
    fields: Fields,
    password: new_password::Fields,
    remove: Confirm,
}

#[derive(Serialize)]
struct Fields {
    name: Field,
    role: Field,
}

/// Shows a user.
///
/// * `refused` - the form that was sent, and why the page is shown again.
pub(crate) async fn show(
    desk: &PageContext,
    slug: &Slug,
    refused: Option<(&Form, &Rejection)>,
) -> Result<Response, PageError> {
    let user = desk.app.engine.store().user(slug).await?;
    let user = user.ok_or_else(|| PageError::missing(format!("user {slug}")))?;
    let now = || {
        vec![
            format!("Name: {}", user.name),
            format!("Role: {}", user.role),
            format!("Switched {}", if user.enabled { "on" } else { "off" }),
        ]
    };
    let rejection = refused.map(|(_, rejection)| rejection);
    let url = list::url(slug);
    let page = Page {
        name: user.name.to_string(),
        slug: slug.to_string(),
        enabled: user.enabled,
        is_self: user.slug == desk.visitor.user.slug,
        role: user.role.as_str(),
        way: UserView::from(&user).logs_in_by(),
        created_at: user.created_at,
        switch: list::switch_of(&user),
        notice: rejection.map(|rejection| rejection.notice(now())),
        version: Revision::of(&user).to_string(),
        fields: Fields::new(&user, refused),
        password: new_password::Fields::new("New password", rejection).required(),
        remove: Confirm {
            action: format!("{url}/delete"),
            ask: "Remove user…".into(),
            text: "The user can no longer log in. Audit log entries are kept.".into(),
            button: format!("Remove {}", user.name),
            open: false,
        },
        action: url,
    };
    let status = rejection.map_or(StatusCode::OK, |rejection| rejection.status);
    let title = user.name.as_str();
    Ok(desk.page_with(status, "user", Section::Users, title, page))
}

impl Fields {
    fn new(user: &User, refused: Option<(&Form, &Rejection)>) -> Self {
        let error = |field| refused.and_then(|(_, rejection)| rejection.error(field));
        // Other forms of the page are without a name.
        let typed = refused.map(|(form, _)| form);
        let typed = typed.filter(|form| form.has("name"));
        let (name, role) = match typed {
            Some(form) => (form.get("name"), form.get("role")),
            None => (user.name.as_str(), user.role.as_str()),
        };
        Self {
            name: Field::text("name", "Name")
                .value(name)
                .error(error("name"))
                .required(),
            // That the last admin must stay is said here, whatever was to be done.
            role: list::role_field(role).error(error("role").or_else(|| error("user"))),
        }
    }
}
