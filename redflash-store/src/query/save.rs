//! Changing contacts, groups, events and keys.

use diesel::dsl::case_when;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use redflash_core::store::{Entry, Save};
use redflash_core::{
    Address, ApiKey, ChannelKind, Clock, Contact, Event, Group, Slug, StoreError, SystemClock,
    Target,
};

use super::{Conn, RunQueryDsl};
use crate::error::Fault;
use crate::row::directory::{ApiKeyRow, ContactRow, EndpointRow, EventRow, GroupRow};
use crate::row::{parse, storable};
use crate::schema::{
    api_keys, contacts, directory, endpoints, event_contacts, event_groups, events, group_contacts,
    groups,
};

/// Saves entries, and returns the directory's version from now on.
pub(crate) async fn save(conn: &mut Conn, entries: &[Entry], save: Save) -> Result<u64, Fault> {
    for entry in entries {
        match entry {
            Entry::Contact(contact) => save_contact(conn, contact, save).await?,
            Entry::Group(group) => save_group(conn, group, save).await?,
            Entry::Event(event) => save_event(conn, event, save).await?,
            Entry::ApiKey(key) => save_api_key(conn, key, save).await?,
        }
    }
    changed(conn).await
}

/// Removes something; the directory's version from now on, or `None` when it was not there.
pub(crate) async fn remove(conn: &mut Conn, target: &Target) -> Result<Option<u64>, Fault> {
    let slug = target.slug().as_str();
    let removed = match target {
        Target::Contact(_) => {
            let found = diesel::delete(contacts::table.find(slug));
            found.execute(conn).await?
        }
        Target::Group(_) => {
            let found = diesel::delete(groups::table.find(slug));
            found.execute(conn).await?
        }
        Target::Event(_) => {
            let found = diesel::delete(events::table.find(slug));
            found.execute(conn).await?
        }
    };
    noted(conn, removed).await
}

/// Switches the endpoints of an address off for a reason, or on again those that have one. Returns
/// their contacts, and the directory's version from now on if that changed anything.
pub(crate) async fn opt(
    conn: &mut Conn,
    channel: &ChannelKind,
    address: &Address,
    reason: Option<&str>,
) -> Result<(Vec<Slug>, Option<u64>), Fault> {
    let there = endpoints::table
        .filter(endpoints::address.eq(address.as_str()))
        .filter(endpoints::channel.eq(channel.as_str()));
    let there = there.order((endpoints::contact, endpoints::place));
    let there = there.select((endpoints::id, endpoints::contact));
    let found: Vec<(String, String)> = if reason.is_some() {
        let on = there.filter(endpoints::enabled.eq(true));
        on.load(conn).await?
    } else {
        let off = there.filter(endpoints::opted_out.is_not_null());
        off.load(conn).await?
    };
    let mut contacts = Vec::new();
    for (id, contact) in &found {
        diesel::update(endpoints::table.find(id))
            .set((
                endpoints::enabled.eq(reason.is_none()),
                endpoints::opted_out.eq(reason.map(storable)),
            ))
            .execute(conn)
            .await?;
        contacts.push(parse(contact, "endpoints", "contact", id)?);
    }
    contacts.dedup();
    let version = noted(conn, found.len()).await?;
    Ok((contacts, version))
}

pub(crate) async fn remove_api_key(conn: &mut Conn, slug: &Slug) -> Result<Option<u64>, Fault> {
    let removed = diesel::delete(api_keys::table.find(slug.as_str()))
        .execute(conn)
        .await?;
    noted(conn, removed).await
}

async fn noted(conn: &mut Conn, removed: usize) -> Result<Option<u64>, Fault> {
    if removed == 0 {
        return Ok(None);
    }
    changed(conn).await.map(Some)
}

/// Makes a version that there has never been, not even in what a failover or an old backup has lost:
/// one more, and at least the time in milliseconds.
async fn changed(conn: &mut Conn) -> Result<u64, Fault> {
    let now = SystemClock.now().as_millis();
    let is_ahead = directory::version.ge(now);
    let next = case_when(is_ahead, directory::version + 1).otherwise(now);
    let version: i64 = diesel::update(directory::table)
        .set(directory::version.eq(next))
        .returning(directory::version)
        .get_result(conn)
        .await?;
    Ok(version.unsigned_abs())
}

/// Whether the row is to be made (`true`) or changed, by what is there and what was asked.
fn is_new(exists: bool, save: Save, what: &str) -> Result<bool, Fault> {
    let what = what.to_owned();
    match save {
        Save::Create if exists => Err(StoreError::Conflict { what }.into()),
        Save::Update if !exists => Err(StoreError::Missing { what }.into()),
        _ => Ok(!exists),
    }
}

fn exists(found: Result<String, DieselError>) -> Result<bool, Fault> {
    Ok(found.optional()?.is_some())
}

async fn save_contact(conn: &mut Conn, contact: &Contact, save: Save) -> Result<(), Fault> {
    let slug = contact.slug.as_str();
    let found = contacts::table
        .find(slug)
        .select(contacts::slug)
        .get_result(conn)
        .await;
    let row = ContactRow {
        slug: slug.to_owned(),
        name: contact.name.to_string(),
        enabled: contact.enabled,
    };
    if is_new(exists(found)?, save, &format!("contact/{slug}"))? {
        diesel::insert_into(contacts::table)
            .values(&row)
            .execute(conn)
            .await?;
    } else {
        diesel::update(contacts::table.find(slug))
            .set(&row)
            .execute(conn)
            .await?;
        let old = endpoints::table.filter(endpoints::contact.eq(slug));
        diesel::delete(old).execute(conn).await?;
    }
    for (endpoint, place) in contact.endpoints.iter().zip(0..) {
        let row = EndpointRow::new(&contact.slug, place, endpoint);
        diesel::insert_into(endpoints::table)
            .values(&row)
            .execute(conn)
            .await?;
    }
    Ok(())
}

async fn save_group(conn: &mut Conn, group: &Group, save: Save) -> Result<(), Fault> {
    let slug = group.slug.as_str();
    let what = format!("group/{slug}");
    let found = groups::table
        .find(slug)
        .select(groups::slug)
        .get_result(conn)
        .await;
    let row = GroupRow {
        slug: slug.to_owned(),
        name: group.name.to_string(),
        enabled: group.enabled,
    };
    if is_new(exists(found)?, save, &what)? {
        diesel::insert_into(groups::table)
            .values(&row)
            .execute(conn)
            .await?;
    } else {
        diesel::update(groups::table.find(slug))
            .set(&row)
            .execute(conn)
            .await?;
        let old = group_contacts::table.filter(group_contacts::group_slug.eq(slug));
        diesel::delete(old).execute(conn).await?;
    }
    for (contact, place) in group.contacts.iter().zip(0..) {
        must_exist(conn, &what, &Target::Contact(contact.clone())).await?;
        let row = (
            group_contacts::group_slug.eq(slug),
            group_contacts::place.eq(place),
            group_contacts::contact.eq(contact.as_str()),
        );
        diesel::insert_into(group_contacts::table)
            .values(row)
            .execute(conn)
            .await?;
    }
    Ok(())
}

async fn save_event(conn: &mut Conn, event: &Event, save: Save) -> Result<(), Fault> {
    let slug = event.slug.as_str();
    let what = format!("event/{slug}");
    let found = events::table
        .find(slug)
        .select(events::slug)
        .get_result(conn)
        .await;
    let row = EventRow::new(event);
    if is_new(exists(found)?, save, &what)? {
        diesel::insert_into(events::table)
            .values(&row)
            .execute(conn)
            .await?;
    } else {
        diesel::update(events::table.find(slug))
            .set(&row)
            .execute(conn)
            .await?;
        let old = event_contacts::table.filter(event_contacts::event.eq(slug));
        diesel::delete(old).execute(conn).await?;
        let old = event_groups::table.filter(event_groups::event.eq(slug));
        diesel::delete(old).execute(conn).await?;
    }
    for (contact, place) in event.contacts.iter().zip(0..) {
        must_exist(conn, &what, &Target::Contact(contact.clone())).await?;
        let row = (
            event_contacts::event.eq(slug),
            event_contacts::place.eq(place),
            event_contacts::contact.eq(contact.as_str()),
        );
        diesel::insert_into(event_contacts::table)
            .values(row)
            .execute(conn)
            .await?;
    }
    for (group, place) in event.groups.iter().zip(0..) {
        must_exist(conn, &what, &Target::Group(group.clone())).await?;
        let row = (
            event_groups::event.eq(slug),
            event_groups::place.eq(place),
            event_groups::group_slug.eq(group.as_str()),
        );
        diesel::insert_into(event_groups::table)
            .values(row)
            .execute(conn)
            .await?;
    }
    Ok(())
}

async fn must_exist(conn: &mut Conn, what: &str, reference: &Target) -> Result<(), Fault> {
    let slug = reference.slug().as_str();
    let found = match reference {
        Target::Group(_) => {
            groups::table
                .find(slug)
                .select(groups::slug)
                .get_result(conn)
                .await
        }
        _ => {
            contacts::table
                .find(slug)
                .select(contacts::slug)
                .get_result(conn)
                .await
        }
    };
    if exists(found)? {
        return Ok(());
    }
    let (what, reference) = (what.to_owned(), reference.to_string());
    Err(StoreError::Dangling { what, reference }.into())
}

async fn save_api_key(conn: &mut Conn, key: &ApiKey, save: Save) -> Result<(), Fault> {
    let slug = key.slug.as_str();
    let found = api_keys::table
        .find(slug)
        .select(api_keys::slug)
        .get_result(conn)
        .await;
    let row = ApiKeyRow::new(key);
    let written = if is_new(exists(found)?, save, &format!("key/{slug}"))? {
        diesel::insert_into(api_keys::table)
            .values(&row)
            .execute(conn)
            .await
    } else {
        diesel::update(api_keys::table.find(slug))
            .set(&row)
            .execute(conn)
            .await
    };
    match written {
        Err(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
            let what = "a key of this secret".to_owned();
            Err(StoreError::Conflict { what }.into())
        }
        written => Ok(written.map(|_| ())?),
    }
}
