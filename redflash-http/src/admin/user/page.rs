//! The page of a user.

use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use redflash_core::clock::Timestamp;
use redflash_core::engine::Revision;
use redflash_core::model::{Role, Slug, User, UserView};
use serde::Serialize;

use crate::admin::auth::sign_in::with_session;
use crate::admin::crud;
use crate::admin::crud::Rejected;
use crate::admin::ui::field::{Choice, Confirm, Field, Switch};
use crate::admin::ui::flash::Flash;
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{FieldErrors, FormError, Notice};
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::path::SlugPath;
use crate::admin::ui::redirect::redirect_with;
use crate::admin::ui::templates::Section;
use crate::admin::urls;
use crate::admin::user::new_password;
use crate::route::{Auth, Permission, Route};

pub(crate) fn routes() -> Vec<Route> {
    vec![Route::new(
        Method::POST,
        "/admin/users/{slug}/password",
        Auth::Session(Permission::Admin),
        set_password,
    )]
}

#[derive(Serialize)]
struct Page {
    name: String,
    slug: String,
    enabled: bool,
    is_self: bool,
    role: &'static str,
    login_method: &'static str,
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
/// * `rejected` - the form that was sent, with its errors.
pub(crate) async fn show(
    context: &PageContext,
    slug: &Slug,
    rejected: Rejected<'_>,
) -> Result<Response, PageError> {
    let user = context.app.engine.store().user(slug).await?;
    let user = user.ok_or_else(|| PageError::missing(format!("user {slug}")))?;
    let now = || {
        vec![
            format!("Name: {}", user.name),
            format!("Role: {}", user.role),
            format!("Switched {}", if user.enabled { "on" } else { "off" }),
        ]
    };
    let errors = rejected.map(|(_, errors)| errors);
    let url = urls::user(slug);
    let page = Page {
        name: user.name.to_string(),
        slug: slug.to_string(),
        enabled: user.enabled,
        is_self: user.slug == context.visitor.user.slug,
        role: user.role.as_str(),
        login_method: UserView::from(&user).logs_in_by(),
        created_at: user.created_at,
        switch: crud::switch(&user, context),
        notice: errors.map(|errors| errors.notice(now())),
        version: Revision::of(&user).to_string(),
        fields: Fields::new(&user, rejected),
        password: new_password::Fields::new("New password", errors).required(),
        remove: Confirm {
            action: format!("{url}/delete"),
            ask: "Remove user…".into(),
            text: "The user can no longer log in. Audit log entries are kept.".into(),
            button: format!("Remove {}", user.name),
            open: false,
        },
        action: url,
    };
    let status = errors.map_or(StatusCode::OK, |errors| errors.status);
    let title = user.name.as_str();
    Ok(context.page_with(status, "user", Section::Users, title, page))
}

impl Fields {
    fn new(user: &User, rejected: Rejected<'_>) -> Self {
        let error = |field| rejected.and_then(|(_, errors)| errors.error(field));
        // The other forms of the page have no name.
        let typed = rejected.map(|(form, _)| form);
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
            // The error of the last admin is shown here, whichever form caused it.
            role: role_field(role).error(error("role").or_else(|| error("user"))),
        }
    }
}

/// Returns the field for the role.
pub(crate) fn role_field(chosen: &str) -> Field {
    let choice = |role: Role, label: &str| Choice {
        value: role.to_string(),
        label: label.into(),
        detail: None,
        chosen: chosen == role.as_str(),
    };
    let choices = vec![
        choice(Role::Viewer, "Viewer: read-only access"),
        choice(Role::Admin, "Admin: full access"),
    ];
    Field::select("role", "Role", choices)
}

async fn set_password(
    context: PageContext,
    SlugPath(slug): SlugPath,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, PageError> {
    let mut errors = FieldErrors::default();
    let Some(hash) = new_password::hash(&form, &mut errors).await else {
        let errors = FormError::from(errors).form()?;
        return show(&context, &slug, Some((&form, &errors))).await;
    };
    let change = |user: &mut User| {
        user.password = Some(hash.clone());
        Ok(())
    };
    let engine = &context.app.engine;
    let user = engine.change(&slug, &context.actor(), None, change).await?;
    let done = redirect_with(&urls::user(&slug), Flash::PasswordSet);
    if slug != context.visitor.user.slug {
        return Ok(done);
    }
    // All sessions of this user have ended, including this one.
    Ok(with_session(done, &context.app, &user, &headers).await?)
}
