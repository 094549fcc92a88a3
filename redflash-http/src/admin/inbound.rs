//! `/admin/inbound`: replies, newest first.

use std::collections::HashMap;
use std::num::NonZeroU32;

use axum::http::Method;
use axum::response::Response;
use redflash_core::clock::Timestamp;
use redflash_core::inbound::Inbound;
use redflash_core::model::{InboundId, Name, NotificationId, Slug};
use redflash_core::store::InboundFilter;
use serde::Serialize;
use url::form_urlencoded;

use crate::admin::ui::field::Field;
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::{Empty, Link};
use crate::admin::ui::templates::Section;
use crate::admin::urls;
use crate::route::{Auth, Permission, Route};

/// Number of messages on a page.
const PAGE_SIZE: u32 = 50;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::new(
        Method::GET,
        urls::INBOUND,
        Auth::Session(Permission::View),
        list,
    )]
}

#[derive(Serialize)]
struct List {
    contact: Field,
    rows: Vec<Row>,
    newest: Option<String>,
    older: Option<String>,
    empty: Empty,
}

#[derive(Serialize)]
struct Row {
    at: Timestamp,
    contacts: Vec<Link>,
    from: String,
    channel: String,
    gateway: String,
    text: String,
    effect: String,
    /// URL of the delivery that it answers.
    answers: Option<String>,
    /// URL of the notification that it raised.
    raised: Option<String>,
}

/// Names of contacts by their slugs.
type Names = HashMap<Slug, Name>;

async fn list(context: PageContext) -> Result<Response, PageError> {
    let typed = context.query.given("contact");
    let contact = typed.map(Slug::parse);
    let known = contact.as_ref().and_then(|contact| contact.as_ref().ok());
    let filter = InboundFilter {
        contact: known.cloned(),
        before: context.query.get("before").parse::<InboundId>().ok(),
        // One more than is shown, to know whether there are older ones.
        limit: NonZeroU32::new(PAGE_SIZE + 1).expect("not zero"),
    };
    let mut found = context.app.engine.store().inbound(&filter).await?;
    let is_more = found.len() > PAGE_SIZE as usize;
    found.truncate(PAGE_SIZE as usize);
    let names = context.app.engine.store().contacts().await?;
    let names: Names = names.into_iter().map(|one| (one.slug, one.name)).collect();
    let last = found.last().filter(|_| is_more);
    let error = contact.as_ref().and_then(|contact| contact.as_ref().err());
    let page = List {
        contact: Field::text("contact", "Contact")
            .value(typed.unwrap_or_default())
            .error(error.map(ToString::to_string)),
        newest: filter.before.map(|_| url(known, None)),
        older: last.map(|inbound| url(known, Some(inbound.id))),
        empty: empty(filter.before.is_none() && known.is_none()),
        rows: found
            .into_iter()
            .map(|inbound| row(inbound, &names))
            .collect(),
    };
    Ok(context.page("inbound", Section::Inbound, "Inbound messages", page))
}

fn url(contact: Option<&Slug>, before: Option<InboundId>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(contact.map(|contact| ("contact", contact.as_str())));
    query.extend_pairs(before.map(|id| ("before", id.to_string())));
    match query.finish() {
        query if query.is_empty() => urls::INBOUND.to_owned(),
        query => format!("{}?{query}", urls::INBOUND),
    }
}

fn row(inbound: Inbound, names: &Names) -> Row {
    let contacts = inbound.contacts.iter().map(|contact| Link {
        url: urls::contact(contact),
        label: match names.get(contact) {
            Some(name) => name.to_string(),
            None => contact.to_string(),
        },
    });
    Row {
        at: inbound.received_at,
        contacts: contacts.collect(),
        from: inbound.from.to_string(),
        channel: inbound.channel.to_string(),
        gateway: inbound.gateway.to_string(),
        text: inbound.text,
        raised: raised(&inbound.effect).map(urls::notification),
        effect: inbound.effect,
        answers: inbound.answers.map(urls::delivery),
    }
}

/// Returns the notification in an effect such as `raised event/reply as 0192…`.
fn raised(effect: &str) -> Option<NotificationId> {
    let (_, id) = effect.strip_prefix("raised ")?.rsplit_once(" as ")?;
    id.parse().ok()
}

fn empty(is_all: bool) -> Empty {
    if is_all {
        return Empty {
            title: "No inbound messages yet".into(),
            text: "Replies received by a gateway appear here, with their effect.".into(),
            action: None,
        };
    }
    Empty {
        title: "No messages".into(),
        text: "There are no messages from this contact, or no older ones.".into(),
        action: Some(Link {
            url: urls::INBOUND.into(),
            label: "Clear filters".into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_raised_notification_in_effect() {
        let id = NotificationId::new(Timestamp::from_millis(1));
        assert_eq!(raised(&format!("raised event/a as {id}")), Some(id));
        for other in [
            "kept",
            "raised event/a as ",
            "nothing: as it is",
            "switched sms of ann off",
        ] {
            assert_eq!(raised(other), None, "{other}");
        }
    }
}
