//! `/admin/search`: everything that has a text in it.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::http::Method;
use axum::response::Response;
use redflash_core::store::LogFilter;
use redflash_core::{
    ApiKey, Contact, DeliveryId, Event, Gateway, Group, NotificationId, StoreError, User,
};
use serde::Serialize;
use url::form_urlencoded;

use crate::admin::key::permissions;
use crate::admin::log::history;
use crate::admin::log::history::Sent;
use crate::admin::ui::choices;
use crate::admin::ui::field::Field;
use crate::admin::ui::page::{PageContext, go};
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::pagination::compact;
use crate::admin::ui::partials::Link;
use crate::route::{Auth, Permission, Route};

const PATH: &str = "/admin/search";
/// How many of a kind are shown.
const SHOWN: usize = 8;
/// How many notifications.
const MENTIONS: NonZeroU32 = NonZeroU32::new(8).expect("not zero");
/// The most characters that are looked for.
const LONGEST: usize = 200;

pub(super) fn routes() -> Vec<Route> {
    let view = Auth::Session(Permission::View);
    vec![Route::new(Method::GET, PATH, view, page)]
}

#[derive(Serialize)]
struct Page {
    search: Field,
    /// What was looked for; `None` when nothing was.
    text: Option<String>,
    kinds: Vec<Kind>,
    sent: Vec<Sent>,
    /// The log with this text.
    log: String,
}

/// What was found of one kind.
#[derive(Serialize)]
struct Kind {
    title: &'static str,
    found: Vec<Found>,
    /// The list with this text, where more was found than is shown.
    all: Option<Link>,
}

#[derive(Serialize)]
struct Found {
    url: String,
    name: String,
    /// What else there is to say of it.
    detail: String,
    state: Option<&'static str>,
}

async fn page(desk: PageContext) -> Result<Response, PageError> {
    let text: String = desk.query.get("q").trim().chars().take(LONGEST).collect();
    if let Some(id) = notification(&desk, &text).await? {
        return Ok(go(&format!("/admin/log/{id}")));
    }
    let (kinds, sent) = if text.is_empty() {
        (Vec::new(), Vec::new())
    } else {
        (kinds(&desk, &text).await?, mentions(&desk, &text).await?)
    };
    let page = Page {
        search: Field::input("q", "Search", "search").value(&*text),
        log: with_text("/admin/log", &text),
        text: Some(text).filter(|text| !text.is_empty()),
        kinds,
        sent,
    };
    Ok(desk.page("search", None, "Search", page))
}

/// The notification whose id this is, or the id of one of its deliveries.
async fn notification(
    desk: &PageContext,
    text: &str,
) -> Result<Option<NotificationId>, StoreError> {
    let Ok(id) = text.parse::<DeliveryId>() else {
        return Ok(None);
    };
    let id = id.notification();
    let found = desk.app.engine.store().notification(id).await?;
    Ok(found.map(|_| id))
}

/// The newest notifications that have the text.
async fn mentions(desk: &PageContext, text: &str) -> Result<Vec<Sent>, StoreError> {
    let filter = LogFilter {
        text: Some(text.to_owned()),
        ..LogFilter::newest(MENTIONS)
    };
    history::sent(&desk.app.engine, &filter, |_| true).await
}

async fn kinds(desk: &PageContext, text: &str) -> Result<Vec<Kind>, StoreError> {
    let engine = &desk.app.engine;
    let store = engine.store();
    let contacts = store.contacts().await?;
    let (groups, events) = (store.groups().await?, store.events().await?);
    let gateways = engine.gateways();
    let gateways = gateways.iter().map(Arc::as_ref);
    let mut kinds = vec![
        Kind::new(
            "Contacts",
            "/admin/contacts",
            text,
            contacts.iter().map(of_contact),
        ),
        Kind::new("Groups", "/admin/groups", text, groups.iter().map(of_group)),
        Kind::new("Events", "/admin/events", text, events.iter().map(of_event)),
        Kind::new(
            "Gateways",
            "/admin/gateways",
            text,
            gateways.map(of_gateway),
        ),
    ];
    if desk.is_admin() {
        let (keys, users) = (store.api_keys().await?, store.users().await?);
        kinds.push(Kind::new(
            "API keys",
            "/admin/keys",
            text,
            keys.iter().map(of_key),
        ));
        kinds.push(Kind::new(
            "Users",
            "/admin/users",
            text,
            users.iter().map(of_user),
        ));
    }
    kinds.retain(|kind| !kind.found.is_empty());
    Ok(kinds)
}

impl Kind {
    /// What has the text, of everything of a kind.
    fn new(
        title: &'static str,
        list: &str,
        text: &str,
        all: impl Iterator<Item = (Found, Vec<String>)>,
    ) -> Self {
        let wanted = compact(text);
        let has = |(_, places): &(Found, Vec<String>)| {
            places.iter().any(|place| compact(place).contains(&wanted))
        };
        let mut found: Vec<_> = all.filter(has).map(|(found, _)| found).collect();
        let count = found.len();
        found.truncate(SHOWN);
        let all = Link {
            url: with_text(list, text),
            label: format!("View all {count}"),
        };
        Self {
            title,
            found,
            all: Some(all).filter(|_| count > SHOWN),
        }
    }
}

fn of_contact(contact: &Contact) -> (Found, Vec<String>) {
    let mut places = vec![contact.slug.to_string(), contact.name.to_string()];
    places.extend(contact.endpoints.iter().map(|one| one.address.to_string()));
    let found = Found {
        url: crate::admin::contact::list::url(&contact.slug),
        name: contact.name.to_string(),
        detail: format!("{} · {}", contact.slug, choices::reach(contact)),
        state: state(contact.enabled),
    };
    (found, places)
}

fn of_group(group: &Group) -> (Found, Vec<String>) {
    let found = Found {
        url: format!("/admin/groups/{}", group.slug),
        name: group.name.to_string(),
        detail: format!("{} · {}", group.slug, choices::size(group)),
        state: state(group.enabled),
    };
    (found, vec![group.slug.to_string(), group.name.to_string()])
}

fn of_event(event: &Event) -> (Found, Vec<String>) {
    let found = Found {
        url: format!("/admin/events/{}", event.slug),
        name: event.name.to_string(),
        detail: event.slug.to_string(),
        state: state(event.enabled),
    };
    let places = [
        event.slug.as_str(),
        event.name.as_str(),
        &*event.description,
    ];
    (found, places.map(str::to_owned).to_vec())
}

fn of_gateway(gateway: &Gateway) -> (Found, Vec<String>) {
    let channel = gateway.channel.kind().to_string();
    let found = Found {
        url: format!("/admin/gateways/{}", gateway.name),
        name: gateway.name.to_string(),
        detail: channel.clone(),
        state: None,
    };
    (found, vec![gateway.name.to_string(), channel])
}

fn of_key(key: &ApiKey) -> (Found, Vec<String>) {
    let found = Found {
        url: crate::admin::key::list::url(&key.slug),
        name: key.slug.to_string(),
        detail: permissions::words(key),
        state: state(key.enabled),
    };
    (found, vec![key.slug.to_string(), key.hint.clone()])
}

fn of_user(user: &User) -> (Found, Vec<String>) {
    let found = Found {
        url: crate::admin::user::list::url(&user.slug),
        name: user.name.to_string(),
        detail: format!("{} · {}", user.slug, user.role),
        state: state(user.enabled),
    };
    (found, vec![user.slug.to_string(), user.name.to_string()])
}

/// Said of what is off alone.
fn state(enabled: bool) -> Option<&'static str> {
    (!enabled).then_some("off")
}

/// A list that shows what has a text.
fn with_text(path: &str, text: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("q", text);
    format!("{path}?{}", query.finish())
}
