//! URLs of the pages, without the base path.

use redflash_core::model::{DeliveryId, EndpointId, NotificationId, Slug, Target};

/// The home page.
pub(crate) const HOME: &str = "/admin";
/// The login form.
pub(crate) const LOGIN: &str = "/admin/login";
/// The log of notifications.
pub(crate) const LOG: &str = "/admin/log";
/// The log of replies.
pub(crate) const INBOUND: &str = "/admin/inbound";
/// The list of gateways.
pub(crate) const GATEWAYS: &str = "/admin/gateways";
/// The audit log.
pub(crate) const AUDIT: &str = "/admin/audit";
/// The form that raises an alert.
pub(crate) const SEND: &str = "/admin/send";
/// Renders an unsaved event. Not below `/admin/events`, where an event may have that slug.
pub(crate) const EVENT_PREVIEW: &str = "/admin/preview/event";

/// The paths of one kind of directory item, as routes name them.
pub(crate) struct ItemPaths {
    pub(crate) list: &'static str,
    pub(crate) new: &'static str,
    pub(crate) page: &'static str,
    pub(crate) toggle: &'static str,
    pub(crate) delete: &'static str,
}

macro_rules! item_paths {
    ($list:literal, $new:literal) => {
        ItemPaths {
            list: $list,
            new: $new,
            page: concat!($list, "/{slug}"),
            toggle: concat!($list, "/{slug}/switch"),
            delete: concat!($list, "/{slug}/delete"),
        }
    };
}

pub(crate) const CONTACTS: ItemPaths = item_paths!("/admin/contacts", "/admin/new/contact");
pub(crate) const GROUPS: ItemPaths = item_paths!("/admin/groups", "/admin/new/group");
pub(crate) const EVENTS: ItemPaths = item_paths!("/admin/events", "/admin/new/event");
pub(crate) const KEYS: ItemPaths = item_paths!("/admin/keys", "/admin/new/key");
pub(crate) const USERS: ItemPaths = item_paths!("/admin/users", "/admin/new/user");

impl ItemPaths {
    /// Returns the page of one item.
    pub(crate) fn of(&self, slug: &Slug) -> String {
        format!("{}/{slug}", self.list)
    }
}

pub(crate) fn contact(slug: &Slug) -> String {
    CONTACTS.of(slug)
}

pub(crate) fn endpoint(contact: &Slug, id: EndpointId) -> String {
    format!("{}/endpoints/{id}", self::contact(contact))
}

pub(crate) fn group(slug: &Slug) -> String {
    GROUPS.of(slug)
}

pub(crate) fn event(slug: &Slug) -> String {
    EVENTS.of(slug)
}

pub(crate) fn key(slug: &Slug) -> String {
    KEYS.of(slug)
}

pub(crate) fn user(slug: &Slug) -> String {
    USERS.of(slug)
}

pub(crate) fn gateway(name: &Slug) -> String {
    format!("{GATEWAYS}/{name}")
}

pub(crate) fn target(target: &Target) -> String {
    match target {
        Target::Contact(slug) => contact(slug),
        Target::Group(slug) => group(slug),
        Target::Event(slug) => event(slug),
    }
}

pub(crate) fn notification(id: NotificationId) -> String {
    format!("{LOG}/{id}")
}

/// Returns the place of a delivery on the page of its notification.
pub(crate) fn delivery(id: DeliveryId) -> String {
    format!("{}#d-{id}", notification(id.notification()))
}
