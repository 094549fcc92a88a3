//! `/admin/profile`: the user's own name and password.

use std::net::IpAddr;

use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use redflash_core::engine::Revision;
use redflash_core::model::{Name, PasswordHash, Role, User};
use serde::Serialize;

use crate::admin::auth::sign_in::with_session;
use crate::admin::ui::field::Field;
use crate::admin::ui::flash::Flash;
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{FieldErrors, FormError, FormErrors, Notice};
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::redirect::redirect_with;
use crate::admin::user::new_password;
use crate::auth::password::is_password;
use crate::middleware::client_ip::ClientIp;
use crate::route::{Auth, Permission, Route};

const PATH: &str = "/admin/profile";

pub(super) fn routes() -> Vec<Route> {
    let anybody = Auth::Session(Permission::Any);
    vec![
        Route::new(Method::GET, PATH, anybody, page),
        Route::new(Method::POST, PATH, anybody, save),
    ]
}

#[derive(Serialize)]
struct Page {
    slug: String,
    is_admin: bool,
    notice: Option<Notice>,
    version: String,
    name: Field,
    /// `None` for users who log in without a password.
    password: Option<Password>,
}

#[derive(Serialize)]
struct Password {
    old: Field,
    fields: new_password::Fields,
}

async fn page(context: PageContext) -> Result<Response, PageError> {
    show(&context, None).await
}

/// Shows the profile.
///
/// * `rejected` - the form that was sent, with its errors.
async fn show(
    context: &PageContext,
    rejected: Option<(&Form, &FormErrors)>,
) -> Result<Response, PageError> {
    let slug = &context.visitor.user.slug;
    let user = context.app.engine.store().user(slug).await?;
    let user = user.ok_or_else(|| PageError::missing(format!("user {slug}")))?;
    let errors = rejected.map(|(_, errors)| errors);
    let error = |field| errors.and_then(|errors| errors.error(field));
    let name = rejected.map_or(user.name.as_str(), |(form, _)| form.get("name"));
    let now = || {
        vec![
            format!("Name: {}", user.name),
            format!("Role: {}", user.role),
        ]
    };
    let page = Page {
        slug: slug.to_string(),
        is_admin: user.role == Role::Admin,
        notice: errors.map(|errors| errors.notice(now())),
        version: Revision::of(&user).to_string(),
        name: Field::text("name", "Name")
            .value(name)
            .autocomplete("name")
            .error(error("name"))
            .required(),
        password: user.password.is_some().then(|| Password {
            old: Field::password("password", "Current password")
                .autocomplete("current-password")
                .error(error("password")),
            fields: new_password::Fields::new("New password", errors),
        }),
    };
    let status = errors.map_or(StatusCode::OK, |errors| errors.status);
    Ok(context.page_with(status, "profile", None, "Your profile", page))
}

async fn save(
    context: PageContext,
    ClientIp(from): ClientIp,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, PageError> {
    match change(&context, from, &form).await {
        Ok(None) => Ok(redirect_with(PATH, Flash::Saved)),
        Ok(Some(user)) => {
            // All sessions of this user have ended, including this one.
            let done = redirect_with(PATH, Flash::PasswordSet);
            Ok(with_session(done, &context.app, &user, &headers).await?)
        }
        Err(error) => show(&context, Some((&form, &error.form()?))).await,
    }
}

/// Changes the name, and the password if there is a new one. Returns the user if the password changed.
async fn change(
    context: &PageContext,
    from: IpAddr,
    form: &Form,
) -> Result<Option<User>, FormError> {
    let mut errors = FieldErrors::default();
    let name = errors.take("name", Name::parse(form.get("name")));
    let password = if new_password::is_given(form) {
        new_password(context, from, form, &mut errors).await?
    } else {
        None
    };
    let (Some(name), true) = (name, errors.is_empty()) else {
        return Err(errors.into());
    };
    let seen = form.given("version").map(Revision::new);
    let change = |user: &mut User| {
        user.name = name.clone();
        if let Some(hash) = &password {
            user.password = Some(hash.clone());
        }
        Ok(())
    };
    let slug = &context.visitor.user.slug;
    let engine = &context.app.engine;
    let user = engine
        .change(slug, &context.actor(), seen.as_ref(), change)
        .await?;
    Ok(password.is_some().then_some(user))
}

/// Returns the hash of the new password, if the current one is correct.
async fn new_password(
    context: &PageContext,
    from: IpAddr,
    form: &Form,
    errors: &mut FieldErrors,
) -> Result<Option<PasswordHash>, PageError> {
    let user = &context.visitor.user;
    let attempt =
        context
            .app
            .login_throttle
            .begin(Some(&user.slug), from, context.app.engine.monotonic());
    let attempt = attempt.map_err(|wait| {
        let seconds = wait.as_secs() + 1;
        let unit = if seconds == 1 { "second" } else { "seconds" };
        let text = format!("Too many failed attempts. Try again in {seconds} {unit}.");
        PageError::new(StatusCode::TOO_MANY_REQUESTS, "Too many attempts", text)
    })?;
    let old = form.get("password").into();
    if !is_password(&old, user.password.as_ref()).await {
        errors.add("password", "incorrect password");
        return Ok(None);
    }
    attempt.succeed();
    Ok(new_password::hash(form, errors).await)
}
