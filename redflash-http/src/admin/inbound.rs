//! `/admin/inbound`: what people have sent back, newest first.

use std::collections::HashMap;
use std::num::NonZeroU32;

use axum::http::Method;
use axum::response::Response;
use redflash_core::store::InboundFilter;
use redflash_core::{Inbound, InboundId, Name, NotificationId, Slug, Timestamp};
use serde::Serialize;
use url::form_urlencoded;

use crate::admin::log::deliveries;
use crate::admin::ui::field::Field;
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::{Empty, Link};
use crate::admin::ui::templates::Section;
use crate::route::{Auth, Permission, Route};

/// The list.
const LIST: &str = "/admin/inbound";
/// How many messages a page has.
const LENGTH: u32 = 50;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::new(
        Method::GET,
        LIST,
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
    /// The delivery that it answers.
    answers: Option<String>,
    /// The notification that it raised.
    raised: Option<String>,
}

/// What contacts are called.
type Names = HashMap<Slug, Name>;

async fn list(desk: PageContext) -> Result<Response, PageError> {
    let typed = desk.query.given("contact");
    let contact = typed.map(Slug::parse);
    let known = contact.as_ref().and_then(|contact| contact.as_ref().ok());
    let filter = InboundFilter {
        contact: known.cloned(),
        before: desk.query.get("before").parse::<InboundId>().ok(),
        // One more than is shown, to know whether there is one.
        limit: NonZeroU32::new(LENGTH + 1).expect("not zero"),
    };
    let mut found = desk.app.engine.store().inbound(&filter).await?;
    let is_more = found.len() > LENGTH as usize;
    found.truncate(LENGTH as usize);
    let names = desk.app.engine.store().contacts().await?;
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
    Ok(desk.page("inbound", Section::Inbound, "Inbound messages", page))
}

fn url(contact: Option<&Slug>, before: Option<InboundId>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(contact.map(|contact| ("contact", contact.as_str())));
    query.extend_pairs(before.map(|id| ("before", id.to_string())));
    match query.finish() {
        query if query.is_empty() => LIST.to_owned(),
        query => format!("{LIST}?{query}"),
    }
}

fn row(inbound: Inbound, names: &Names) -> Row {
    let contacts = inbound.contacts.iter().map(|contact| Link {
        url: format!("/admin/contacts/{contact}"),
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
        raised: raised(&inbound.effect).map(crate::admin::log::list::url),
        effect: inbound.effect,
        answers: inbound.answers.map(deliveries::url),
    }
}

/// The notification that an effect says was raised: `raised event/reply as 0192…`.
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
            url: LIST.into(),
            label: "Clear filters".into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_says_what_was_raised() {
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
