//! What everything in the directory has below its page: a switch, and an end.

use axum::response::Response;
use redflash_core::{ApiKey, Contact, DirectoryItem, EditError, Event, Group, Slug, User};

use super::desk::{Desk, Said};
use super::form::Form;
use super::named::Named;
use super::oops::Oops;
use super::referer::Referer;
use super::{contact, event, group, key, user};

/// What stands in a list, and can be switched off.
pub(super) trait Listed: DirectoryItem {
    /// The list; the page of each stands below it.
    const LIST: &'static str;

    /// Its switch.
    fn switch(&mut self) -> &mut bool;
}

macro_rules! listed {
    ($kind:ident, $module:ident) => {
        impl Listed for $kind {
            const LIST: &'static str = $module::LIST;

            fn switch(&mut self) -> &mut bool {
                &mut self.enabled
            }
        }
    };
}

listed!(Contact, contact);
listed!(Group, group);
listed!(Event, event);
listed!(ApiKey, key);
listed!(User, user);

/// `POST …/{slug}/switch`, from its page or from the list.
pub(super) async fn switch<T: Listed>(
    desk: Desk,
    Named(slug): Named,
    referer: Referer,
    form: Form,
) -> Result<Response, Oops> {
    let on = wanted(&form)?;
    Ok(turn::<T>(&desk, &slug, &referer, on).await?)
}

/// Switches it on or off.
pub(super) async fn turn<T: Listed>(
    desk: &Desk,
    slug: &Slug,
    referer: &Referer,
    on: bool,
) -> Result<Response, EditError> {
    let change = |item: &mut T| {
        *item.switch() = on;
        Ok(())
    };
    let engine = &desk.app.engine;
    engine.change(slug, &desk.actor(), None, change).await?;
    let page = format!("{}/{slug}", T::LIST);
    Ok(Desk::go_switched(
        &referer.list_or(T::LIST, &page),
        &page,
        on,
    ))
}

/// `POST …/{slug}/delete`.
pub(super) async fn delete<T: Listed>(desk: Desk, Named(slug): Named) -> Result<Response, Oops> {
    Ok(remove::<T>(&desk, &slug).await?)
}

/// Removes it.
pub(super) async fn remove<T: Listed>(desk: &Desk, slug: &Slug) -> Result<Response, EditError> {
    let engine = &desk.app.engine;
    engine.remove::<T>(slug, &desk.actor(), None).await?;
    Ok(Desk::go(T::LIST, Said::Removed))
}

/// The state that a switch is to have.
pub(super) fn wanted(form: &Form) -> Result<bool, Oops> {
    match form.get("enabled") {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Oops::unreadable(
            "A switch sends enabled=true or enabled=false.",
        )),
    }
}
