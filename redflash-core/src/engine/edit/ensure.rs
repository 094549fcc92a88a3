//! Creating missing entries, for programs that declare their contacts, groups and events at each
//! start.

use super::{DirectoryItem, EditError};
use crate::Engine;
use crate::model::{Actor, Contact, Event, Group, Slug};
use crate::store::StoreError;

impl Engine {
    /// Creates a contact if its slug is free, and returns the one that exists.
    ///
    /// An existing contact is left as it is: what an operator has renamed, switched off, added or
    /// removed stays so, and its endpoints keep their ids.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create), except for a slug that is taken.
    pub async fn ensure_contact(
        &self,
        contact: &Contact,
        by: &Actor,
    ) -> Result<Contact, EditError> {
        self.ensure(&contact.slug, contact, by).await
    }

    /// Creates a group if its slug is free, and returns the one that exists, as
    /// [`ensure_contact`](Self::ensure_contact) does.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create), except for a slug that is taken.
    pub async fn ensure_group(&self, group: &Group, by: &Actor) -> Result<Group, EditError> {
        self.ensure(&group.slug, group, by).await
    }

    /// Creates an event if its slug is free, and returns the one that exists, as
    /// [`ensure_contact`](Self::ensure_contact) does.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create), except for a slug that is taken.
    pub async fn ensure_event(&self, event: &Event, by: &Actor) -> Result<Event, EditError> {
        self.ensure(&event.slug, event, by).await
    }

    async fn ensure<T: DirectoryItem>(
        &self,
        slug: &Slug,
        item: &T,
        by: &Actor,
    ) -> Result<T, EditError> {
        if let Some(known) = T::find(&**self.store(), slug).await? {
            return Ok(known);
        }
        match self.create(item, by).await {
            Ok(()) => Ok(item.clone()),
            // Another process was faster.
            Err(EditError::Store(StoreError::Conflict { what })) => {
                let known = T::find(&**self.store(), slug).await?;
                known.ok_or_else(|| StoreError::Conflict { what }.into())
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::{ManualClock, Timestamp};
    use crate::model::{Action, Address, ChannelKind, EndpointId, Name};
    use crate::store::MemoryStore;

    fn slug(text: &str) -> Slug {
        Slug::parse(text).unwrap()
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn by() -> Actor {
        Actor::Operator("monitor".into())
    }

    fn ann() -> Contact {
        let address = Address::new("+447700900123").unwrap();
        let id = EndpointId::new(Timestamp::from_millis(1));
        Contact::new(slug("ann"), name("Ann")).with_endpoint(id, ChannelKind::sms(), address)
    }

    fn engine() -> Engine {
        let built = Engine::builder(Arc::new(MemoryStore::new()))
            .clock(Arc::new(ManualClock::new(Timestamp::from_millis(1_000))))
            .address_rules(|_, raw| Address::new(raw))
            .build();
        built.unwrap()
    }

    #[tokio::test]
    async fn creates_missing_entries_and_records_them() {
        let (engine, ann) = (engine(), ann());
        let group = Group::new(slug("ops"), name("Ops"), vec![slug("ann")]);
        let event = Event::new(slug("disk"), name("Disk"), "full");
        engine.ensure_contact(&ann, &by()).await.unwrap();
        engine.ensure_group(&group, &by()).await.unwrap();
        engine.ensure_event(&event, &by()).await.unwrap();

        assert_eq!(
            engine.store().contact(&slug("ann")).await.unwrap(),
            Some(ann)
        );
        assert_eq!(
            engine.store().group(&slug("ops")).await.unwrap(),
            Some(group)
        );
        assert_eq!(
            engine.store().event(&slug("disk")).await.unwrap(),
            Some(event)
        );
        let log = super::super::tests::audit_log(&engine).await;
        assert!(log.iter().all(|(action, ..)| *action == Action::Added));
        assert_eq!(log.len(), 3);
    }

    #[tokio::test]
    async fn leaves_existing_entries_unchanged() {
        let (engine, ann) = (engine(), ann());
        engine.ensure_contact(&ann, &by()).await.unwrap();
        let change = |contact: &mut Contact| {
            contact.enabled = false;
            contact.endpoints[0].enabled = false;
            contact.endpoints.push(crate::model::Endpoint {
                id: EndpointId::new(Timestamp::from_millis(9)),
                channel: ChannelKind::email(),
                address: Address::new("ann@example.org").unwrap(),
                enabled: true,
                opted_out: None,
            });
            Ok(())
        };
        let changed = engine
            .change(&slug("ann"), &by(), None, change)
            .await
            .unwrap();
        let version = engine.store().version().await.unwrap();

        let known = engine.ensure_contact(&self::ann(), &by()).await.unwrap();

        assert_eq!(known, changed);
        assert_eq!(known.endpoints[0].id, ann.endpoints[0].id);
        assert_eq!(
            engine.store().contact(&slug("ann")).await.unwrap(),
            Some(changed)
        );
        assert_eq!(engine.store().version().await.unwrap(), version);
    }

    #[tokio::test]
    async fn rejects_invalid_entries() {
        let event = Event::new(slug("disk"), name("Disk"), "{{#if}}");
        let refused = engine().ensure_event(&event, &by()).await;
        assert!(matches!(refused, Err(EditError::Invalid(_))));
    }
}
