//! `/admin/oidc`: login through an OpenID provider.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tracing::{info, warn};

use crate::admin::auth::account_link;
use crate::admin::auth::cookie::with_cookies;
use crate::admin::auth::guard;
use crate::admin::auth::login_state;
use crate::admin::auth::login_state::{OpenId, PendingLogin};
use crate::admin::auth::sign_in::{return_path, sign_in};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::sentence;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::Link;
use crate::admin::ui::redirect::redirect;
use crate::app::App;
use crate::middleware::client_ip::ClientIp;
use crate::oidc::{AuthorizationResponse, OidcError};
use crate::route::{Auth, Route};

const CALLBACK: &str = "/admin/oidc/callback";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "/admin/oidc/begin", Auth::Public, begin),
        Route::new(Method::GET, CALLBACK, Auth::Public, callback),
    ]
}

/// Returns the link to the provider for the login page.
pub(crate) fn link(app: &App, next: &str) -> Option<Link> {
    let openid = app.openid.as_ref()?;
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", next);
    Some(Link {
        url: format!("/admin/oidc/begin?{}", query.finish()),
        label: openid.provider.config.label.clone(),
    })
}

fn openid(app: &App) -> Result<&OpenId, PageError> {
    let none = || PageError::missing("OpenID provider");
    app.openid.as_ref().ok_or_else(none)
}

/// Returns the redirect URI.
fn redirect_uri(app: &App) -> Result<String, PageError> {
    let public = app.config.public_url.as_deref().ok_or_else(|| {
        let reason = "server.public_url is not set; the provider redirects browsers there";
        error_page(&OidcError::Misconfigured(reason.to_owned()))
    })?;
    Ok(format!("{}{CALLBACK}", public.trim_end_matches('/')))
}

async fn begin(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let query = Form::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let response = redirect_to_provider(&app, return_path(&query)).await;
    guard::finish(
        &app,
        None,
        response.unwrap_or_else(IntoResponse::into_response),
    )
}

async fn redirect_to_provider(app: &App, next: String) -> Result<Response, PageError> {
    let OpenId { provider, signer } = openid(app)?;
    let begun = provider.begin(&redirect_uri(app)?, app.engine.now()).await;
    let begun = begun.map_err(|error| error_page(&error))?;
    let pending = PendingLogin {
        state: begun.state,
        next,
    };
    let away = redirect(begun.url.as_str());
    Ok(with_cookies(away, [signer.cookie(&app.base, &pending)]))
}

async fn callback(
    State(app): State<Arc<App>>,
    from: ClientIp,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let authorization =
        Query::try_from_uri(&uri).map_or_else(|_| AuthorizationResponse::default(), |Query(it)| it);
    let response = finish_login(&app, from, &headers, authorization).await;
    let response = response.unwrap_or_else(IntoResponse::into_response);
    // The state is used up, whatever the result.
    with_cookies(
        guard::finish(&app, None, response),
        [login_state::removal(&app.base)],
    )
}

async fn finish_login(
    app: &App,
    ClientIp(from): ClientIp,
    headers: &HeaderMap,
    authorization: AuthorizationResponse,
) -> Result<Response, PageError> {
    let OpenId { provider, signer } = openid(app)?;
    let PendingLogin { state, next } = signer.verify(&app.base, headers).ok_or_else(|| {
        error_page(&OidcError::Stale(
            "no login was started in this browser, or the browser did not return its cookie",
        ))
    })?;
    let redirect_uri = redirect_uri(app)?;
    let now = app.engine.now();
    let finished = provider
        .finish(state, authorization, &redirect_uri, now)
        .await;
    let identity = finished.map_err(|error| error_page(&error))?;
    let user = account_link::user(&app.engine, &provider.config, &identity).await;
    let user = user.inspect_err(|_| {
        info!(%from, user = identity.user, "OpenID login refused");
    })?;
    sign_in(app, &user, from, headers, &next).await
}

/// Returns the page that explains a failed login.
fn error_page(error: &OidcError) -> PageError {
    let (status, title) = match error {
        OidcError::Misconfigured(_) | OidcError::Unreachable(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The OpenID provider is unavailable",
        ),
        OidcError::Stale(_) => (StatusCode::FORBIDDEN, "This login has expired"),
        OidcError::Denied(_) | OidcError::Untrusted(_) | OidcError::Nameless { .. } => {
            (StatusCode::FORBIDDEN, "Login failed")
        }
    };
    warn!(%error, "OpenID login failed");
    PageError::new(status, title, format!("{}.", sentence(&error.to_string())))
}
