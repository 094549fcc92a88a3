//! `/admin/oidc`: logging in through an OpenID provider.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tracing::{info, warn};

use crate::OidcConfig;
use crate::admin::auth::account_link;
use crate::admin::auth::guard;
use crate::admin::auth::login;
use crate::admin::auth::login::with_cookies;
use crate::admin::auth::login_state;
use crate::admin::auth::login_state::{Pending, Seal};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::sentence;
use crate::admin::ui::page::go;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::Link;
use crate::app::App;
use crate::middleware::client_ip::ClientAddress;
use crate::oidc::{Answer, OidcError, Provider};
use crate::route::{Auth, Route};

const CALLBACK: &str = "/admin/oidc/callback";

/// The provider through which users log in.
#[derive(Debug)]
pub(crate) struct OpenId {
    provider: Provider,
    seal: Seal,
}

impl OpenId {
    pub(crate) fn new(config: OidcConfig) -> Self {
        Self {
            seal: Seal::new(config.client_secret.as_ref()),
            provider: Provider::new(config),
        }
    }
}

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
        let reason = "server.public_url is not set; the provider redirects browsers there";
        refused(&OidcError::Misconfigured(reason.to_owned()))
    })?;
    Ok(format!("{}{CALLBACK}", public.trim_end_matches('/')))
}

async fn begin(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let query = Form::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let sent = send_away(&app, login::next(&query)).await;
    guard::finished(&app, None, sent.unwrap_or_else(IntoResponse::into_response))
}

async fn send_away(app: &App, next: String) -> Result<Response, PageError> {
    let OpenId { provider, seal } = of(app)?;
    let begun = provider.begin(&redirect_uri(app)?, app.engine.now()).await;
    let begun = begun.map_err(|fault| refused(&fault))?;
    let pending = Pending {
        remembered: begun.remembered,
        next,
    };
    let away = go(begun.url.as_str());
    Ok(with_cookies(away, [seal.cookie(&app.base, &pending)]))
}

async fn come_back(
    State(app): State<Arc<App>>,
    from: ClientAddress,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let answer = Query::try_from_uri(&uri).map_or_else(|_| Answer::default(), |Query(it)| it);
    let welcomed = welcome(&app, from, &headers, answer).await;
    let answered = welcomed.unwrap_or_else(IntoResponse::into_response);
    // It was used, whatever came of it.
    with_cookies(
        guard::finished(&app, None, answered),
        [login_state::no_cookie(&app.base)],
    )
}

async fn welcome(
    app: &App,
    ClientAddress(from): ClientAddress,
    headers: &HeaderMap,
    answer: Answer,
) -> Result<Response, PageError> {
    let OpenId { provider, seal } = of(app)?;
    let Pending { remembered, next } = seal.open(&app.base, headers).ok_or_else(|| {
        refused(&OidcError::Stale(
            "no login was started in this browser, or the browser did not return its cookie",
        ))
    })?;
    let redirect_uri = redirect_uri(app)?;
    let now = app.engine.now();
    let finished = provider
        .finish(remembered, answer, &redirect_uri, now)
        .await;
    let identity = finished.map_err(|fault| refused(&fault))?;
    let user = account_link::user(&app.engine, &provider.config, &identity).await;
    let user = user.inspect_err(|_| {
        info!(%from, user = identity.user, "OpenID login refused");
    })?;
    login::welcome(app, &user, from, headers, &next).await
}

/// The page that says why nobody was logged in.
fn refused(fault: &OidcError) -> PageError {
    let (status, title) = match fault {
        OidcError::Misconfigured(_) | OidcError::Unreachable(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The OpenID provider is unavailable",
        ),
        OidcError::Stale(_) => (StatusCode::FORBIDDEN, "This login has expired"),
        OidcError::Denied(_) | OidcError::Untrusted(_) | OidcError::Nameless { .. } => {
            (StatusCode::FORBIDDEN, "Login failed")
        }
    };
    warn!(%fault, "OpenID login failed");
    PageError::new(status, title, format!("{}.", sentence(&fault.to_string())))
}
