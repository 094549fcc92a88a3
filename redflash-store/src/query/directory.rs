//! Reading contacts, groups, events and keys.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;
use redflash_core::{ApiKey, Contact, Event, Group, KeyHash, Slug, Target, View};

use super::Conn;
use crate::error::Fault;
use crate::row::directory::{ApiKeyRow, ContactRow, EndpointRow, EventRow, GroupRow};
use crate::schema::{
    api_keys, contacts, directory, endpoints, event_contacts, event_groups, events, group_contacts,
    groups,
};

pub(crate) fn version(conn: &mut Conn) -> Result<u64, Fault> {
    let version: i64 = directory::table
        .select(directory::version)
        .get_result(conn)?;
    Ok(version.unsigned_abs())
}

pub(crate) fn view(conn: &mut Conn, target: &Target) -> Result<Option<View>, Fault> {
    let mut view = View {
        version: version(conn)?,
        ..View::default()
    };
    let mut people = BTreeSet::new();
    match target {
        Target::Contact(slug) => {
            view.contacts.extend(contact(conn, slug)?);
            return Ok((!view.contacts.is_empty()).then_some(view));
        }
        Target::Group(slug) => view.groups.extend(group(conn, slug)?),
        Target::Event(slug) => {
            view.event = event(conn, slug)?;
            if let Some(event) = &view.event {
                people.extend(event.contacts.iter().map(ToString::to_string));
                for slug in &event.groups {
                    view.groups.extend(group(conn, slug)?);
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
        view.contacts.extend(contacts_named(conn, slice)?);
    }
    Ok(Some(view))
}

fn contacts_named(conn: &mut Conn, slugs: &[String]) -> Result<Vec<Contact>, Fault> {
    let rows = contacts::table
        .filter(contacts::slug.eq_any(slugs))
        .order(contacts::slug)
        .select(ContactRow::as_select())
        .load(conn)?;
    let endpoints = endpoints::table
        .filter(endpoints::contact.eq_any(slugs))
        .order((endpoints::contact, endpoints::place))
        .select(EndpointRow::as_select())
        .load(conn)?;
    assemble(rows, endpoints)
}

fn assemble(rows: Vec<ContactRow>, endpoints: Vec<EndpointRow>) -> Result<Vec<Contact>, Fault> {
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

pub(crate) fn contact(conn: &mut Conn, slug: &Slug) -> Result<Option<Contact>, Fault> {
    let row = contacts::table
        .find(slug.as_str())
        .select(ContactRow::as_select())
        .get_result(conn)
        .optional()?;
    let Some(row) = row else {
        return Ok(None);
    };
    let endpoints = endpoints::table
        .filter(endpoints::contact.eq(slug.as_str()))
        .order(endpoints::place)
        .select(EndpointRow::as_select())
        .load(conn)?;
    row.into_contact(endpoints).map(Some)
}

pub(crate) fn contacts(conn: &mut Conn) -> Result<Vec<Contact>, Fault> {
    let rows = contacts::table
        .order(contacts::slug)
        .select(ContactRow::as_select())
        .load(conn)?;
    let endpoints = endpoints::table
        .order((endpoints::contact, endpoints::place))
        .select(EndpointRow::as_select())
        .load(conn)?;
    assemble(rows, endpoints)
}

pub(crate) fn group(conn: &mut Conn, slug: &Slug) -> Result<Option<Group>, Fault> {
    let row = groups::table
        .find(slug.as_str())
        .select(GroupRow::as_select())
        .get_result(conn)
        .optional()?;
    row.map(|row| with_contacts(conn, row)).transpose()
}

pub(crate) fn groups(conn: &mut Conn) -> Result<Vec<Group>, Fault> {
    let rows = groups::table
        .order(groups::slug)
        .select(GroupRow::as_select())
        .load(conn)?;
    rows.into_iter()
        .map(|row| with_contacts(conn, row))
        .collect()
}

fn with_contacts(conn: &mut Conn, row: GroupRow) -> Result<Group, Fault> {
    let contacts = group_contacts::table
        .filter(group_contacts::group_slug.eq(&row.slug))
        .order(group_contacts::place)
        .select(group_contacts::contact)
        .load(conn)?;
    row.into_group(&contacts)
}

pub(crate) fn event(conn: &mut Conn, slug: &Slug) -> Result<Option<Event>, Fault> {
    let row = events::table
        .find(slug.as_str())
        .select(EventRow::as_select())
        .get_result(conn)
        .optional()?;
    row.map(|row| with_recipients(conn, row)).transpose()
}

pub(crate) fn events(conn: &mut Conn) -> Result<Vec<Event>, Fault> {
    let rows = events::table
        .order(events::slug)
        .select(EventRow::as_select())
        .load(conn)?;
    rows.into_iter()
        .map(|row| with_recipients(conn, row))
        .collect()
}

fn with_recipients(conn: &mut Conn, row: EventRow) -> Result<Event, Fault> {
    let contacts: Vec<String> = event_contacts::table
        .filter(event_contacts::event.eq(&row.slug))
        .order(event_contacts::place)
        .select(event_contacts::contact)
        .load(conn)?;
    let groups: Vec<String> = event_groups::table
        .filter(event_groups::event.eq(&row.slug))
        .order(event_groups::place)
        .select(event_groups::group_slug)
        .load(conn)?;
    row.into_event(&contacts, &groups)
}

pub(crate) fn api_key(conn: &mut Conn, slug: &Slug) -> Result<Option<ApiKey>, Fault> {
    let row = api_keys::table
        .find(slug.as_str())
        .select(ApiKeyRow::as_select())
        .get_result(conn)
        .optional()?;
    row.map(ApiKeyRow::into_api_key).transpose()
}

pub(crate) fn api_key_by_hash(conn: &mut Conn, hash: &KeyHash) -> Result<Option<ApiKey>, Fault> {
    let row = api_keys::table
        .filter(api_keys::hash.eq(hash.to_string()))
        .select(ApiKeyRow::as_select())
        .get_result(conn)
        .optional()?;
    row.map(ApiKeyRow::into_api_key).transpose()
}

pub(crate) fn api_keys(conn: &mut Conn) -> Result<Vec<ApiKey>, Fault> {
    let rows = api_keys::table
        .order(api_keys::slug)
        .select(ApiKeyRow::as_select())
        .load(conn)?;
    rows.into_iter().map(ApiKeyRow::into_api_key).collect()
}
