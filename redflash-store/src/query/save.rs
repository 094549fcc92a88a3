//! Changing contacts, groups, events and keys.

use diesel::dsl::case_when;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use redflash_core::clock::{Clock, SystemClock};
use redflash_core::model::{Address, ApiKey, ChannelKind, Contact, Event, Group, Slug, Target};
use redflash_core::store::{Edit, Entry, EntryRef, Save, Step, StoreError};

use super::existence::is_new;
use super::{Conn, RunQueryDsl, audit, held_version, user};
use crate::error::QueryError;
use crate::row::directory::{ApiKeyRow, ContactRow, EndpointRow, EventRow, GroupRow};
use crate::row::{parse, storable};
use crate::schema::{
    api_keys, contacts, directory, endpoints, event_contacts, event_groups, events, group_contacts,
    groups,
};

/// Does all steps of an edit and records its changes, and returns the directory's version from now on.
pub(crate) async fn edit(conn: &mut Conn, edit: &Edit<'_>) -> Result<u64, QueryError> {
    let version = held_version(conn).await?;
    if edit.version.is_some_and(|made_for| made_for != version) {
        return Err(StoreError::Outdated.into());
    }
    for step in edit.steps {
        match step {
            Step::Save(entry, how) => save(conn, entry, *how).await?,
            Step::Remove(what) => remove(conn, what).await?,
        }
    }
    let version = changed(conn).await?;
    audit::record_audit(conn, edit.changes).await?;
    Ok(version)
}

async fn save(conn: &mut Conn, entry: &Entry, how: Save) -> Result<(), QueryError> {
    match entry {
        Entry::Contact(contact) => save_contact(conn, contact, how).await,
        Entry::Group(group) => save_group(conn, group, how).await,
        Entry::Event(event) => save_event(conn, event, how).await,
        Entry::ApiKey(key) => save_api_key(conn, key, how).await,
        Entry::User(user) => user::save(conn, user, how).await,
    }
}

async fn remove(conn: &mut Conn, what: &EntryRef) -> Result<(), QueryError> {
    let removed = match what {
        EntryRef::Target(Target::Contact(slug)) => {
            let found = diesel::delete(contacts::table.find(slug.as_str()));
            found.execute(conn).await?
        }
        EntryRef::Target(Target::Group(slug)) => {
            let found = diesel::delete(groups::table.find(slug.as_str()));
            found.execute(conn).await?
        }
        EntryRef::Target(Target::Event(slug)) => {
            let found = diesel::delete(events::table.find(slug.as_str()));
            found.execute(conn).await?
        }
        EntryRef::ApiKey(slug) => {
            let found = diesel::delete(api_keys::table.find(slug.as_str()));
            found.execute(conn).await?
        }
        EntryRef::User(slug) => user::remove(conn, slug).await?,
    };
    if removed == 0 {
        let what = what.to_string();
        return Err(StoreError::Missing { what }.into());
    }
    Ok(())
}

/// Switches the endpoints of an address off for a reason, or on again those that have one. Returns
/// their contacts, and the directory's version from now on if that changed anything.
pub(crate) async fn set_opt_out(
    conn: &mut Conn,
    channel: &ChannelKind,
    address: &Address,
    reason: Option<&str>,
) -> Result<(Vec<Slug>, Option<u64>), QueryError> {
    // First, as every edit does, so that no two wait for each other.
    held_version(conn).await?;
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
    let version = if found.is_empty() {
        None
    } else {
        Some(changed(conn).await?)
    };
    Ok((contacts, version))
}

/// Makes a version that there has never been, not even in what a failover or an old backup has lost:
/// one more, and at least the time in milliseconds.
async fn changed(conn: &mut Conn) -> Result<u64, QueryError> {
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

fn exists(found: Result<String, DieselError>) -> Result<bool, QueryError> {
    Ok(found.optional()?.is_some())
}

async fn save_contact(conn: &mut Conn, contact: &Contact, save: Save) -> Result<(), QueryError> {
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

async fn save_group(conn: &mut Conn, group: &Group, save: Save) -> Result<(), QueryError> {
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

async fn save_event(conn: &mut Conn, event: &Event, save: Save) -> Result<(), QueryError> {
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

async fn must_exist(conn: &mut Conn, what: &str, reference: &Target) -> Result<(), QueryError> {
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

async fn save_api_key(conn: &mut Conn, key: &ApiKey, save: Save) -> Result<(), QueryError> {
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
