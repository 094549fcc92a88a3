//! `/admin/profile`: what users change of themselves.

use std::net::IpAddr;

use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use redflash_core::{Name, PasswordHash, Revision, Role, User};
use serde::Serialize;

use crate::admin::auth::login::with_session;
use crate::admin::ui::field::Field;
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{Faults, Notice, Refused, Rejection};
use crate::admin::ui::page::{PageContext, Said};
use crate::admin::ui::page_error::PageError;
use crate::admin::user::new_password;
use crate::auth::password::is_password;
use crate::middleware::client_ip::ClientAddress;
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
    /// `None` for somebody who logs in without a password.
    password: Option<Password>,
}

#[derive(Serialize)]
struct Password {
    old: Field,
    fields: new_password::Fields,
}

async fn page(desk: PageContext) -> Result<Response, PageError> {
    show(&desk, None).await
}

/// Shows the profile.
///
/// * `refused` - the form that was sent, and why it is shown again.
async fn show(
    desk: &PageContext,
    refused: Option<(&Form, &Rejection)>,
) -> Result<Response, PageError> {
    let slug = &desk.visitor.user.slug;
    let user = desk.app.engine.store().user(slug).await?;
    let user = user.ok_or_else(|| PageError::missing(format!("user {slug}")))?;
    let rejection = refused.map(|(_, rejection)| rejection);
    let error = |field| rejection.and_then(|rejection| rejection.error(field));
    let name = refused.map_or(user.name.as_str(), |(form, _)| form.get("name"));
    let now = || {
        vec![
            format!("Name: {}", user.name),
            format!("Role: {}", user.role),
        ]
    };
    let page = Page {
        slug: slug.to_string(),
        is_admin: user.role == Role::Admin,
        notice: rejection.map(|rejection| rejection.notice(now())),
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
            fields: new_password::Fields::new("New password", rejection),
        }),
    };
    let status = rejection.map_or(StatusCode::OK, |rejection| rejection.status);
    Ok(desk.page_with(status, "profile", None, "Your profile", page))
}

async fn save(
    desk: PageContext,
    ClientAddress(from): ClientAddress,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, PageError> {
    match change(&desk, from, &form).await {
        Ok(None) => Ok(PageContext::go(PATH, Said::Saved)),
        Ok(Some(user)) => {
            // Every session of this user has ended, this one too.
            let done = PageContext::go(PATH, Said::PasswordSet);
            Ok(with_session(done, &desk.app, &user, &headers).await?)
        }
        Err(refused) => show(&desk, Some((&form, &refused.form()?))).await,
    }
}

/// Changes the name, and the password if a new one was typed. Returns the user where that was so.
async fn change(desk: &PageContext, from: IpAddr, form: &Form) -> Result<Option<User>, Refused> {
    let mut faults = Faults::default();
    let name = faults.take("name", Name::parse(form.get("name")));
    let password = if new_password::is_typed(form) {
        new_password(desk, from, form, &mut faults).await?
    } else {
        None
    };
    let (Some(name), true) = (name, faults.is_empty()) else {
        return Err(faults.into());
    };
    let seen = form.given("version").map(Revision::new);
    let change = |user: &mut User| {
        user.name = name.clone();
        if let Some(hash) = &password {
            user.password = Some(hash.clone());
        }
        Ok(())
    };
    let slug = &desk.visitor.user.slug;
    let engine = &desk.app.engine;
    let user = engine
        .change(slug, &desk.actor(), seen.as_ref(), change)
        .await?;
    Ok(password.is_some().then_some(user))
}

/// The hash of the new password, if the old one was right.
async fn new_password(
    desk: &PageContext,
    from: IpAddr,
    form: &Form,
    faults: &mut Faults,
) -> Result<Option<PasswordHash>, PageError> {
    let user = &desk.visitor.user;
    let tried = desk
        .app
        .throttle
        .begin(Some(&user.slug), from, desk.app.engine.monotonic());
    let tried = tried.map_err(|wait| {
        let seconds = wait.as_secs() + 1;
        let unit = if seconds == 1 { "second" } else { "seconds" };
        let text = format!("Too many failed attempts. Try again in {seconds} {unit}.");
        PageError::new(StatusCode::TOO_MANY_REQUESTS, "Too many attempts", text)
    })?;
    let old = form.get("password").into();
    if !is_password(&old, user.password.as_ref()).await {
        faults.add("password", "incorrect password");
        return Ok(None);
    }
    tried.forget();
    Ok(new_password::hash(form, faults).await)
}
