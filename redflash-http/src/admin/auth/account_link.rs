//! The link between an OpenID account and a user.

use axum::http::StatusCode;
use redflash_core::Engine;
use redflash_core::engine::EditError;
use redflash_core::model::{Actor, Name, Role, Slug, User};
use redflash_core::store::StoreError;

use crate::OidcConfig;
use crate::admin::ui::page_error::PageError;
use crate::oidc::Identity;

/// Returns the user of an identity: the one linked to it, or else the one of the same name, whom this
/// links, or else a new one if the configuration allows that.
///
/// An identity is the provider's issuer together with the subject (OpenID Connect Core 1.0, section
/// 5.7): another provider may give the same subject to another person. A user without a recorded issuer
/// is recognized only if the name matches too, which records the issuer.
///
/// A user with a password is not linked by name: at many providers people choose their own names, and
/// could take over any user.
///
/// The provider's role applies, unless that would leave no admin.
pub(crate) async fn user(
    engine: &Engine,
    config: &OidcConfig,
    identity: &Identity,
) -> Result<User, PageError> {
    if config.role_claim.is_some() && identity.role.is_none() {
        let text = "Your OpenID account has no role in RedFlash. Contact the administrator of the provider.";
        return Err(refused(text));
    }
    let users = engine.store().users().await?;
    let is_namesake = |user: &&User| user.slug.as_str() == identity.user;
    let is_linked = |user: &&User| {
        user.subject.as_deref() == Some(&*identity.subject)
            && match &user.issuer {
                Some(issuer) => *issuer == identity.issuer,
                None => slug(&identity.user).is_some_and(|slug| slug == user.slug),
            }
    };
    let known = users.iter().find(is_linked);
    match known.or_else(|| users.iter().find(is_namesake)) {
        Some(user) if !user.enabled => Err(refused(
            "Your user is switched off. Ask an admin to switch it on.",
        )),
        Some(user) if known.is_none() && user.subject.is_some() => Err(taken(&user.slug)),
        Some(user) if known.is_none() && user.password.is_some() => Err(refused(format!(
            "The user {} logs in with a password. Ask an admin for a user without one.",
            user.slug
        ))),
        Some(user) => link(engine, &user.slug, identity).await,
        None if config.create_users => create(engine, identity).await,
        None => {
            let text = format!(
                "There is no user for your OpenID account. Ask an admin to add the user {:?}.",
                identity.user
            );
            Err(refused(text))
        }
    }
}

/// Links a user to an identity, and sets the role of the identity.
async fn link(engine: &Engine, slug: &Slug, identity: &Identity) -> Result<User, PageError> {
    let by = Actor::User(slug.to_string());
    let change = |role: Option<Role>| {
        move |user: &mut User| {
            user.subject = Some(identity.subject.clone());
            user.issuer = Some(identity.issuer.clone());
            user.role = role.unwrap_or(user.role);
            Ok(())
        }
    };
    match engine.change(slug, &by, None, change(identity.role)).await {
        Err(EditError::LastAdmin(_)) => Ok(engine.change(slug, &by, None, change(None)).await?),
        changed => Ok(changed?),
    }
}

async fn create(engine: &Engine, identity: &Identity) -> Result<User, PageError> {
    let role = identity.role.ok_or_else(|| {
        refused("There is no user for your OpenID account, and the provider assigns no role. Ask an admin.")
    })?;
    let slug = slug(&identity.user).ok_or_else(|| {
        refused(format!(
            "{:?} is not a valid user name. Ask an admin for a user.",
            identity.user
        ))
    })?;
    let display_name = identity.name.as_deref().unwrap_or(&identity.user);
    let name = Name::parse(display_name).or_else(|_| Name::parse(slug.as_str()));
    let name = name.map_err(|error| refused(error.to_string()))?;
    let mut user = User::new(slug, name, role, engine.now());
    user.subject = Some(identity.subject.clone());
    user.issuer = Some(identity.issuer.clone());
    let by = Actor::User(user.slug.to_string());
    match engine.create(&user, &by).await {
        Err(EditError::Store(StoreError::Conflict { .. })) => Err(taken(&user.slug)),
        made => Ok(made.map(|()| user)?),
    }
}

/// Returns the slug closest to a name.
fn slug(name: &str) -> Option<Slug> {
    let legal = |c: char| match c {
        '-' | '_' => c,
        c if c.is_ascii_alphanumeric() => c,
        _ => '-',
    };
    Slug::parse(&name.chars().map(legal).collect::<String>()).ok()
}

fn taken(slug: &Slug) -> PageError {
    refused(format!(
        "The user {slug} is linked to another OpenID account. Ask an admin."
    ))
}

fn refused(text: impl Into<String>) -> PageError {
    PageError::new(StatusCode::FORBIDDEN, "Login failed", text)
}
