//! Rows of contacts, groups, events and keys.

use diesel::prelude::*;
use redflash_core::clock::Timestamp;
use redflash_core::model::{ApiKey, Contact, Endpoint, Event, Group, Slug};

use super::{parse, storable};
use crate::error::QueryError;
use crate::schema::{api_keys, contacts, endpoints, events, groups};

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = contacts, treat_none_as_null = true)]
pub(crate) struct ContactRow {
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) enabled: bool,
}

#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = endpoints)]
pub(crate) struct EndpointRow {
    pub(crate) id: String,
    pub(crate) contact: String,
    pub(crate) place: i32,
    pub(crate) channel: String,
    pub(crate) address: String,
    pub(crate) enabled: bool,
    pub(crate) opted_out: Option<String>,
}

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = groups, treat_none_as_null = true)]
pub(crate) struct GroupRow {
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) enabled: bool,
}

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = events, treat_none_as_null = true)]
pub(crate) struct EventRow {
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) enabled: bool,
    pub(crate) subject: Option<String>,
    pub(crate) message: String,
    pub(crate) sender: Option<String>,
    pub(crate) missing_arguments: String,
}

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = api_keys, treat_none_as_null = true)]
pub(crate) struct ApiKeyRow {
    pub(crate) slug: String,
    pub(crate) enabled: bool,
    pub(crate) inspect: bool,
    pub(crate) scope: String,
    pub(crate) hash: String,
    pub(crate) hint: String,
    pub(crate) created_at: i64,
    pub(crate) admin: bool,
}

impl ContactRow {
    pub(crate) fn into_contact(
        self,
        rows: impl IntoIterator<Item = EndpointRow>,
    ) -> Result<Contact, QueryError> {
        let endpoints = rows.into_iter().map(EndpointRow::into_endpoint);
        Ok(Contact {
            slug: parse(&self.slug, "contacts", "slug", &self.slug)?,
            name: parse(&self.name, "contacts", "name", &self.slug)?,
            enabled: self.enabled,
            endpoints: endpoints.collect::<Result<_, _>>()?,
        })
    }
}

impl EndpointRow {
    pub(crate) fn new(contact: &Slug, place: i32, endpoint: &Endpoint) -> Self {
        Self {
            id: endpoint.id.to_string(),
            contact: contact.to_string(),
            place,
            channel: endpoint.channel.to_string(),
            address: endpoint.address.as_str().to_owned(),
            enabled: endpoint.enabled,
            opted_out: endpoint.opted_out.as_deref().map(storable),
        }
    }

    fn into_endpoint(self) -> Result<Endpoint, QueryError> {
        let bad = |column| QueryError::inconsistent("endpoints", column, &self.id);
        Ok(Endpoint {
            id: self.id.parse().map_err(|_| bad("id"))?,
            channel: self.channel.parse().map_err(|_| bad("channel"))?,
            address: self
                .address
                .clone()
                .try_into()
                .map_err(|_| bad("address"))?,
            enabled: self.enabled,
            opted_out: self.opted_out,
        })
    }
}

impl GroupRow {
    pub(crate) fn into_group(self, contacts: &[String]) -> Result<Group, QueryError> {
        Ok(Group {
            slug: parse(&self.slug, "groups", "slug", &self.slug)?,
            name: parse(&self.name, "groups", "name", &self.slug)?,
            enabled: self.enabled,
            contacts: slugs(contacts, "group_contacts", "contact")?,
        })
    }
}

impl EventRow {
    pub(crate) fn new(event: &Event) -> Self {
        Self {
            slug: event.slug.to_string(),
            name: event.name.to_string(),
            description: storable(&event.description),
            enabled: event.enabled,
            subject: event.subject.as_deref().map(storable),
            message: storable(&event.message),
            sender: event.sender.as_deref().map(storable),
            missing_arguments: event.missing_arguments.to_string(),
        }
    }

    pub(crate) fn into_event(
        self,
        contacts: &[String],
        groups: &[String],
    ) -> Result<Event, QueryError> {
        Ok(Event {
            slug: parse(&self.slug, "events", "slug", &self.slug)?,
            name: parse(&self.name, "events", "name", &self.slug)?,
            description: self.description,
            enabled: self.enabled,
            subject: self.subject,
            message: self.message,
            missing_arguments: parse(
                &self.missing_arguments,
                "events",
                "missing_arguments",
                &self.slug,
            )?,
            sender: self.sender,
            contacts: slugs(contacts, "event_contacts", "contact")?,
            groups: slugs(groups, "event_groups", "group_slug")?,
        })
    }
}

impl ApiKeyRow {
    pub(crate) fn new(key: &ApiKey) -> Self {
        Self {
            slug: key.slug.to_string(),
            enabled: key.enabled,
            inspect: key.inspect,
            scope: serde_json::to_string(&key.scope).unwrap_or_default(),
            hash: key.hash.to_string(),
            hint: key.hint.clone(),
            created_at: key.created_at.as_millis(),
            admin: key.admin,
        }
    }

    pub(crate) fn into_api_key(self) -> Result<ApiKey, QueryError> {
        let bad = |column| QueryError::inconsistent("api_keys", column, &self.slug);
        Ok(ApiKey {
            slug: self.slug.parse().map_err(|_| bad("slug"))?,
            enabled: self.enabled,
            inspect: self.inspect,
            admin: self.admin,
            scope: serde_json::from_str(&self.scope).map_err(|_| bad("scope"))?,
            hash: self.hash.parse().map_err(|_| bad("hash"))?,
            hint: self.hint.clone(),
            created_at: Timestamp::from_millis(self.created_at),
        })
    }
}

fn slugs(
    texts: &[String],
    table: &'static str,
    column: &'static str,
) -> Result<Vec<Slug>, QueryError> {
    texts
        .iter()
        .map(|text| parse(text, table, column, text))
        .collect()
}
