//! What everything in the directory has below its page: a switch, and an end.

use axum::response::Response;
use redflash_core::{ApiKey, Contact, DirectoryItem, EditError, Event, Group, Slug, User};

use crate::admin::ui::form::Form;
use crate::admin::ui::page::{PageContext, Said};
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::path::Named;
use crate::admin::ui::referer::Referer;

/// What stands in a list, and can be switched off.
pub(crate) trait Listed: DirectoryItem {
    /// The list; the page of each stands below it.
    const LIST: &'static str;

    /// Its switch.
    fn switch(&mut self) -> &mut bool;
}

macro_rules! listed {
    ($kind:ident, $list:expr) => {
        impl Listed for $kind {
            const LIST: &'static str = $list;

            fn switch(&mut self) -> &mut bool {
                &mut self.enabled
            }
        }
    };
}

listed!(Contact, crate::admin::contact::list::LIST);
listed!(Group, crate::admin::group::LIST);
listed!(Event, crate::admin::event::list::LIST);
listed!(ApiKey, crate::admin::key::list::LIST);
listed!(User, crate::admin::user::list::LIST);

/// `POST …/{slug}/switch`, from its page or from the list.
pub(crate) async fn switch<T: Listed>(
    desk: PageContext,
    Named(slug): Named,
    referer: Referer,
    form: Form,
) -> Result<Response, PageError> {
    let on = wanted(&form)?;
    Ok(turn::<T>(&desk, &slug, &referer, on).await?)
}

/// Switches it on or off.
pub(crate) async fn turn<T: Listed>(
    desk: &PageContext,
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
    Ok(PageContext::go_switched(
        &referer.list_or(T::LIST, &page),
        &page,
        on,
    ))
}

/// `POST …/{slug}/delete`.
pub(crate) async fn delete<T: Listed>(
    desk: PageContext,
    Named(slug): Named,
) -> Result<Response, PageError> {
    Ok(remove::<T>(&desk, &slug).await?)
}

/// Removes it.
pub(crate) async fn remove<T: Listed>(
    desk: &PageContext,
    slug: &Slug,
) -> Result<Response, EditError> {
    let engine = &desk.app.engine;
    engine.remove::<T>(slug, &desk.actor(), None).await?;
    Ok(PageContext::go(T::LIST, Said::Removed))
}

/// The state that a switch is to have.
pub(crate) fn wanted(form: &Form) -> Result<bool, PageError> {
    match form.get("enabled") {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(PageError::unreadable("Send enabled=true or enabled=false.")),
    }
}
