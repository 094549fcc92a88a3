//! `/admin/oidc`: logging in through an OpenID provider.

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
use crate::admin::ui::page::go;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::Link;
use crate::app::App;
use crate::middleware::client_ip::ClientIp;
use crate::oidc::{AuthorizationResponse, OidcError};
use crate::route::{Auth, Route};

const CALLBACK: &str = "/admin/oidc/callback";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "/admin/oidc/begin", Auth::Public, begin),
        Route::new(Method::GET, CALLBACK, Auth::Public, come_back),
    ]
}

/// The way to the provider, for the page where one logs in.
pub(crate) fn link(app: &App, next: &str) -> Option<Link> {
    let openid = app.openid.as_ref()?;
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", next);
    Some(Link {
        url: format!("/admin/oidc/begin?{}", query.finish()),
        label: openid.provider.config.label.clone(),
    })
}

fn of(app: &App) -> Result<&OpenId, PageError> {
    let none = || PageError::missing("OpenID provider");
    app.openid.as_ref().ok_or_else(none)
}

/// Where the provider sends browsers back to.
fn redirect_uri(app: &App) -> Result<String, PageError> {
    let public = app.config.public_url.as_deref().ok_or_else(|| {
        let reason = "server.public_url is missing, to which the provider sends browsers back";
        refused(&OidcError::Misconfigured(reason.to_owned()))
    })?;
    Ok(format!("{}{CALLBACK}", public.trim_end_matches('/')))
}

async fn begin(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let query = Form::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let sent = send_away(&app, return_path(&query)).await;
    guard::finish(&app, None, sent.unwrap_or_else(IntoResponse::into_response))
}

async fn send_away(app: &App, next: String) -> Result<Response, PageError> {
    let OpenId { provider, signer } = of(app)?;
    let begun = provider.begin(&redirect_uri(app)?, app.engine.now()).await;
    let begun = begun.map_err(|fault| refused(&fault))?;
    let pending = PendingLogin {
        state: begun.state,
        next,
    };
    let away = go(begun.url.as_str());
    Ok(with_cookies(away, [signer.cookie(&app.base, &pending)]))
}

async fn come_back(
    State(app): State<Arc<App>>,
    from: ClientIp,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let answer =
        Query::try_from_uri(&uri).map_or_else(|_| AuthorizationResponse::default(), |Query(it)| it);
    let welcomed = welcome(&app, from, &headers, answer).await;
    let answered = welcomed.unwrap_or_else(IntoResponse::into_response);
    // It was used, whatever came of it.
    with_cookies(
        guard::finish(&app, None, answered),
        [login_state::removal(&app.base)],
    )
}

async fn welcome(
    app: &App,
    ClientIp(from): ClientIp,
    headers: &HeaderMap,
    answer: AuthorizationResponse,
) -> Result<Response, PageError> {
    let OpenId { provider, signer } = of(app)?;
    let PendingLogin { state, next } = signer.open(&app.base, headers).ok_or_else(|| {
        refused(&OidcError::Stale(
            "no login was begun in this browser, or its cookie did not come back",
        ))
    })?;
    let redirect_uri = redirect_uri(app)?;
    let now = app.engine.now();
    let finished = provider.finish(state, answer, &redirect_uri, now).await;
    let identity = finished.map_err(|fault| refused(&fault))?;
    let user = account_link::user(&app.engine, &provider.config, &identity).await;
    let user = user.inspect_err(|_| {
        info!(%from, user = identity.user, "somebody whom the OpenID provider knows was not let in");
    })?;
    sign_in(app, &user, from, headers, &next).await
}

/// The page that says why nobody was logged in.
fn refused(fault: &OidcError) -> PageError {
    let (status, title) = match fault {
        OidcError::Misconfigured(_) | OidcError::Unreachable(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The OpenID provider is of no use now",
        ),
        OidcError::Stale(_) => (StatusCode::FORBIDDEN, "This login is over"),
        OidcError::Denied(_) | OidcError::Untrusted(_) | OidcError::Nameless { .. } => {
            (StatusCode::FORBIDDEN, "You cannot log in")
        }
    };
    warn!(%fault, "a login through the OpenID provider failed");
    PageError::new(status, title, format!("{}.", sentence(&fault.to_string())))
}
