//! `/admin/search`: full search of the directory, the gateways and the log.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::http::Method;
use axum::response::Response;
use redflash_core::gateway::Gateway;
use redflash_core::model::{ApiKey, Contact, DeliveryId, Event, Group, NotificationId, User};
use redflash_core::store::{LogFilter, StoreError};
use serde::Serialize;
use url::form_urlencoded;

use crate::admin::key::permissions;
use crate::admin::log::history;
use crate::admin::log::history::RecentNotification;
use crate::admin::ui::choices;
use crate::admin::ui::field::Field;
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::Link;
use crate::admin::ui::redirect::redirect;
use crate::admin::urls;
use crate::route::{Auth, Permission, Route};
use crate::search_text::compact;

const PATH: &str = "/admin/search";
/// Maximum number of results of one kind.
const MAX_RESULTS: usize = 8;
/// Maximum number of notifications.
const MAX_NOTIFICATIONS: NonZeroU32 = NonZeroU32::new(8).expect("not zero");
/// Maximum length of the search text, in characters.
const MAX_LENGTH: usize = 200;

pub(super) fn routes() -> Vec<Route> {
    let view = Auth::Session(Permission::View);
    vec![Route::new(Method::GET, PATH, view, page)]
}

#[derive(Serialize)]
struct Page {
    search: Field,
    /// The search text; `None` if it is empty.
    text: Option<String>,
    kinds: Vec<Kind>,
    notifications: Vec<RecentNotification>,
    /// URL of the log with this text.
    log: String,
}

/// The results of one kind.
#[derive(Serialize)]
struct Kind {
    title: &'static str,
    found: Vec<Found>,
    /// The list with this text, if it has more results.
    all: Option<Link>,
}

#[derive(Serialize)]
struct Found {
    url: String,
    name: String,
    /// Slug and state, or another short description.
    detail: String,
    state: Option<&'static str>,
}

async fn page(context: PageContext) -> Result<Response, PageError> {
    let text: String = context
        .query
        .get("q")
        .trim()
        .chars()
        .take(MAX_LENGTH)
        .collect();
    if let Some(id) = notification(&context, &text).await? {
        return Ok(redirect(&urls::notification(id)));
    }
    let (kinds, notifications) = if text.is_empty() {
        (Vec::new(), Vec::new())
    } else {
        (
            kinds(&context, &text).await?,
            with_mention(&context, &text).await?,
        )
    };
    let page = Page {
        search: Field::input("q", "Search", "search").value(&*text),
        log: with_text(urls::LOG, &text),
        text: Some(text).filter(|text| !text.is_empty()),
        kinds,
        notifications,
    };
    Ok(context.page("search", None, "Search", page))
}

/// Returns the notification with this id, or with a delivery of this id.
async fn notification(
    context: &PageContext,
    text: &str,
) -> Result<Option<NotificationId>, StoreError> {
    let Ok(id) = text.parse::<DeliveryId>() else {
        return Ok(None);
    };
    let id = id.notification();
    let found = context.app.engine.store().notification(id).await?;
    Ok(found.map(|_| id))
}

/// Returns the newest notifications with the text.
async fn with_mention(
    context: &PageContext,
    text: &str,
) -> Result<Vec<RecentNotification>, StoreError> {
    let filter = LogFilter {
        text: Some(text.to_owned()),
        ..LogFilter::newest(MAX_NOTIFICATIONS)
    };
    history::matching(&context.app.engine, &filter, |_| true).await
}

async fn kinds(context: &PageContext, text: &str) -> Result<Vec<Kind>, StoreError> {
    let engine = &context.app.engine;
    let store = engine.store();
    let contacts = store.contacts().await?;
    let (groups, events) = (store.groups().await?, store.events().await?);
    let gateways = engine.gateways();
    let gateways = gateways.iter().map(Arc::as_ref);
    let mut kinds = vec![
        Kind::new(
            "Contacts",
            urls::CONTACTS.list,
            text,
            contacts.iter().map(of_contact),
        ),
        Kind::new(
            "Groups",
            urls::GROUPS.list,
            text,
            groups.iter().map(of_group),
        ),
        Kind::new(
            "Events",
            urls::EVENTS.list,
            text,
            events.iter().map(of_event),
        ),
        Kind::new("Gateways", urls::GATEWAYS, text, gateways.map(of_gateway)),
    ];
    if context.is_admin() {
        let (keys, users) = (store.api_keys().await?, store.users().await?);
        kinds.push(Kind::new(
            "API keys",
            urls::KEYS.list,
            text,
            keys.iter().map(of_key),
        ));
        kinds.push(Kind::new(
            "Users",
            urls::USERS.list,
            text,
            users.iter().map(of_user),
        ));
    }
    kinds.retain(|kind| !kind.found.is_empty());
    Ok(kinds)
}

impl Kind {
    /// Returns the items of a kind that have the text.
    fn new(
        title: &'static str,
        list: &str,
        text: &str,
        all: impl Iterator<Item = (Found, Vec<String>)>,
    ) -> Self {
        let needle = compact(text);
        let has = |(_, texts): &(Found, Vec<String>)| {
            texts.iter().any(|text| compact(text).contains(&needle))
        };
        let mut found: Vec<_> = all.filter(has).map(|(found, _)| found).collect();
        let count = found.len();
        found.truncate(MAX_RESULTS);
        let all = Link {
            url: with_text(list, text),
            label: format!("View all {count}"),
        };
        Self {
            title,
            found,
            all: Some(all).filter(|_| count > MAX_RESULTS),
        }
    }
}

fn of_contact(contact: &Contact) -> (Found, Vec<String>) {
    let mut texts = vec![contact.slug.to_string(), contact.name.to_string()];
    texts.extend(contact.endpoints.iter().map(|one| one.address.to_string()));
    let found = Found {
        url: urls::contact(&contact.slug),
        name: contact.name.to_string(),
        detail: format!("{} · {}", contact.slug, choices::reach(contact)),
        state: state(contact.enabled),
    };
    (found, texts)
}

fn of_group(group: &Group) -> (Found, Vec<String>) {
    let found = Found {
        url: urls::group(&group.slug),
        name: group.name.to_string(),
        detail: format!("{} · {}", group.slug, choices::size(group)),
        state: state(group.enabled),
    };
    (found, vec![group.slug.to_string(), group.name.to_string()])
}

fn of_event(event: &Event) -> (Found, Vec<String>) {
    let found = Found {
        url: urls::event(&event.slug),
        name: event.name.to_string(),
        detail: event.slug.to_string(),
        state: state(event.enabled),
    };
    let texts = [
        event.slug.as_str(),
        event.name.as_str(),
        &*event.description,
    ];
    (found, texts.map(str::to_owned).to_vec())
}

fn of_gateway(gateway: &Gateway) -> (Found, Vec<String>) {
    let channel = gateway.channel.kind().to_string();
    let found = Found {
        url: urls::gateway(&gateway.name),
        name: gateway.name.to_string(),
        detail: channel.clone(),
        state: None,
    };
    (found, vec![gateway.name.to_string(), channel])
}

fn of_key(key: &ApiKey) -> (Found, Vec<String>) {
    let found = Found {
        url: urls::key(&key.slug),
        name: key.slug.to_string(),
        detail: permissions::summary(key),
        state: state(key.enabled),
    };
    (found, vec![key.slug.to_string(), key.hint.clone()])
}

fn of_user(user: &User) -> (Found, Vec<String>) {
    let found = Found {
        url: urls::user(&user.slug),
        name: user.name.to_string(),
        detail: format!("{} · {}", user.slug, user.role),
        state: state(user.enabled),
    };
    (found, vec![user.slug.to_string(), user.name.to_string()])
}

/// Returns the badge of an item that is disabled.
fn state(enabled: bool) -> Option<&'static str> {
    (!enabled).then_some("off")
}

/// Returns the URL of a list with a search text.
fn with_text(path: &str, text: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("q", text);
    format!("{path}?{}", query.finish())
}
