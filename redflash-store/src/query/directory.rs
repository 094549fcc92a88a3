//! Reading contacts, groups, events and keys.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use redflash_core::model::{
    Address, ApiKey, ChannelKind, Contact, Event, Group, KeyHash, Slug, Target, TargetView,
};

use super::{Conn, RunQueryDsl};
use crate::error::QueryError;
use crate::row::directory::{ApiKeyRow, ContactRow, EndpointRow, EventRow, GroupRow};
use crate::schema::{
    api_keys, contacts, directory, endpoints, event_contacts, event_groups, events, group_contacts,
    groups,
};

pub(crate) async fn version(conn: &mut Conn) -> Result<u64, QueryError> {
    let version: i64 = directory::table
        .select(directory::version)
        .get_result(conn)
        .await?;
    Ok(version.unsigned_abs())
}

pub(crate) async fn view(
    conn: &mut Conn,
    target: &Target,
) -> Result<Option<TargetView>, QueryError> {
    let mut view = TargetView {
        version: version(conn).await?,
        ..TargetView::default()
    };
    let mut people = BTreeSet::new();
    match target {
        Target::Contact(slug) => {
            view.contacts.extend(contact(conn, slug).await?);
            return Ok((!view.contacts.is_empty()).then_some(view));
        }
        Target::Group(slug) => view.groups.extend(group(conn, slug).await?),
        Target::Event(slug) => {
            view.event = event(conn, slug).await?;
            if let Some(event) = &view.event {
                people.extend(event.contacts.iter().map(ToString::to_string));
                for slug in &event.groups {
                    view.groups.extend(group(conn, slug).await?);
                }
            }
        }
    }
    if view.groups.is_empty() && view.event.is_none() {
        return Ok(None);
    }
    let members = view.groups.iter().flat_map(|group| &group.contacts);
    people.extend(members.map(ToString::to_string));
    let people: Vec<_> = people.into_iter().collect();
    // In slices, since a statement takes only so many parameters.
    for slice in people.chunks(500) {
        view.contacts.extend(contacts_named(conn, slice).await?);
    }
    Ok(Some(view))
}

async fn contacts_named(conn: &mut Conn, slugs: &[String]) -> Result<Vec<Contact>, QueryError> {
    let rows = contacts::table
        .filter(contacts::slug.eq_any(slugs))
        .order(contacts::slug)
        .select(ContactRow::as_select())
        .load(conn)
        .await?;
    let endpoints = endpoints::table
        .filter(endpoints::contact.eq_any(slugs))
        .order((endpoints::contact, endpoints::place))
        .select(EndpointRow::as_select())
        .load(conn)
        .await?;
    assemble(rows, endpoints)
}

fn assemble(
    rows: Vec<ContactRow>,
    endpoints: Vec<EndpointRow>,
) -> Result<Vec<Contact>, QueryError> {
    let mut of_contact: HashMap<String, Vec<EndpointRow>> = HashMap::new();
    for endpoint in endpoints {
        of_contact
            .entry(endpoint.contact.clone())
            .or_default()
            .push(endpoint);
    }
    let contacts = rows.into_iter().map(|row| {
        let endpoints = of_contact.remove(&row.slug).unwrap_or_default();
        row.into_contact(endpoints)
    });
    contacts.collect()
}

pub(crate) async fn contact(conn: &mut Conn, slug: &Slug) -> Result<Option<Contact>, QueryError> {
    let row = contacts::table
        .find(slug.as_str())
        .select(ContactRow::as_select())
        .get_result(conn)
        .await
        .optional()?;
    let Some(row) = row else {
        return Ok(None);
    };
    let endpoints = endpoints::table
        .filter(endpoints::contact.eq(slug.as_str()))
        .order(endpoints::place)
        .select(EndpointRow::as_select())
        .load(conn)
        .await?;
    row.into_contact(endpoints).map(Some)
}

/// The contacts with an endpoint of this address, in the order of slugs.
pub(crate) async fn contacts_at(
    conn: &mut Conn,
    channel: &ChannelKind,
    address: &Address,
) -> Result<Vec<Contact>, QueryError> {
    let mut slugs: Vec<String> = endpoints::table
        .filter(endpoints::address.eq(address.as_str()))
        .filter(endpoints::channel.eq(channel.as_str()))
        .order(endpoints::contact)
        .select(endpoints::contact)
        .load(conn)
        .await?;
    slugs.dedup();
    let mut found = Vec::new();
    for slugs in slugs.chunks(500) {
        found.extend(contacts_named(conn, slugs).await?);
    }
    Ok(found)
}

pub(crate) async fn contacts(conn: &mut Conn) -> Result<Vec<Contact>, QueryError> {
    let rows = contacts::table
        .order(contacts::slug)
        .select(ContactRow::as_select())
        .load(conn)
        .await?;
    let endpoints = endpoints::table
        .order((endpoints::contact, endpoints::place))
        .select(EndpointRow::as_select())
        .load(conn)
        .await?;
    assemble(rows, endpoints)
}

pub(crate) async fn group(conn: &mut Conn, slug: &Slug) -> Result<Option<Group>, QueryError> {
    let row = groups::table
        .find(slug.as_str())
        .select(GroupRow::as_select())
        .get_result(conn)
        .await
        .optional()?;
    match row {
        Some(row) => with_contacts(conn, row).await.map(Some),
        None => Ok(None),
    }
}

pub(crate) async fn groups(conn: &mut Conn) -> Result<Vec<Group>, QueryError> {
    let rows = groups::table
        .order(groups::slug)
        .select(GroupRow::as_select())
        .load(conn)
        .await?;
    let mut groups = Vec::with_capacity(rows.len());
    for row in rows {
        groups.push(with_contacts(conn, row).await?);
    }
    Ok(groups)
}

async fn with_contacts(conn: &mut Conn, row: GroupRow) -> Result<Group, QueryError> {
    let contacts = group_contacts::table
        .filter(group_contacts::group_slug.eq(&row.slug))
        .order(group_contacts::place)
        .select(group_contacts::contact)
        .load(conn)
        .await?;
    row.into_group(&contacts)
}

pub(crate) async fn event(conn: &mut Conn, slug: &Slug) -> Result<Option<Event>, QueryError> {
    let row = events::table
        .find(slug.as_str())
        .select(EventRow::as_select())
        .get_result(conn)
        .await
        .optional()?;
    match row {
        Some(row) => with_recipients(conn, row).await.map(Some),
        None => Ok(None),
    }
}

pub(crate) async fn events(conn: &mut Conn) -> Result<Vec<Event>, QueryError> {
    let rows = events::table
        .order(events::slug)
        .select(EventRow::as_select())
        .load(conn)
        .await?;
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        events.push(with_recipients(conn, row).await?);
    }
    Ok(events)
}

async fn with_recipients(conn: &mut Conn, row: EventRow) -> Result<Event, QueryError> {
    let contacts: Vec<String> = event_contacts::table
        .filter(event_contacts::event.eq(&row.slug))
        .order(event_contacts::place)
        .select(event_contacts::contact)
        .load(conn)
        .await?;
    let groups: Vec<String> = event_groups::table
        .filter(event_groups::event.eq(&row.slug))
        .order(event_groups::place)
        .select(event_groups::group_slug)
        .load(conn)
        .await?;
    row.into_event(&contacts, &groups)
}

pub(crate) async fn api_key(conn: &mut Conn, slug: &Slug) -> Result<Option<ApiKey>, QueryError> {
    let row = api_keys::table
        .find(slug.as_str())
        .select(ApiKeyRow::as_select())
        .get_result(conn)
        .await
        .optional()?;
    row.map(ApiKeyRow::into_api_key).transpose()
}

pub(crate) async fn api_key_by_hash(
    conn: &mut Conn,
    hash: &KeyHash,
) -> Result<Option<ApiKey>, QueryError> {
    let row = api_keys::table
        .filter(api_keys::hash.eq(hash.to_string()))
        .select(ApiKeyRow::as_select())
        .get_result(conn)
        .await
        .optional()?;
    row.map(ApiKeyRow::into_api_key).transpose()
}

pub(crate) async fn api_keys(conn: &mut Conn) -> Result<Vec<ApiKey>, QueryError> {
    let rows = api_keys::table
        .order(api_keys::slug)
        .select(ApiKeyRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(ApiKeyRow::into_api_key).collect()
}
