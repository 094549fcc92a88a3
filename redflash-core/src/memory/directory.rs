//! Contacts, groups, events and keys in memory.

use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::model::{
    Address, ApiKey, ChannelKind, Contact, Endpoint, Event, Group, KeyHash, Slug, Target,
    TargetView, User,
};
use crate::store::{Directory, Edit, Entry, EntryRef, Save, Step, StoreError};

#[async_trait]
impl Directory for MemoryStore {
    async fn version(&self) -> Result<u64, StoreError> {
        Ok(self.state().version)
    }

    async fn view(&self, target: &Target) -> Result<Option<TargetView>, StoreError> {
        Ok(self.state().view(target))
    }

    async fn contact(&self, slug: &Slug) -> Result<Option<Contact>, StoreError> {
        Ok(self.state().contacts.get(slug).cloned())
    }

    async fn group(&self, slug: &Slug) -> Result<Option<Group>, StoreError> {
        Ok(self.state().groups.get(slug).cloned())
    }

    async fn event(&self, slug: &Slug) -> Result<Option<Event>, StoreError> {
        Ok(self.state().events.get(slug).cloned())
    }

    async fn api_key(&self, slug: &Slug) -> Result<Option<ApiKey>, StoreError> {
        Ok(self.state().api_keys.get(slug).cloned())
    }

    async fn api_key_by_hash(&self, hash: &KeyHash) -> Result<Option<ApiKey>, StoreError> {
        Ok(self
            .state()
            .api_keys
            .values()
            .find(|key| key.hash == *hash)
            .cloned())
    }

    async fn contacts(&self) -> Result<Vec<Contact>, StoreError> {
        Ok(self.state().contacts.values().cloned().collect())
    }

    async fn groups(&self) -> Result<Vec<Group>, StoreError> {
        Ok(self.state().groups.values().cloned().collect())
    }

    async fn events(&self) -> Result<Vec<Event>, StoreError> {
        Ok(self.state().events.values().cloned().collect())
    }

    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        Ok(self.state().api_keys.values().cloned().collect())
    }

    async fn user(&self, slug: &Slug) -> Result<Option<User>, StoreError> {
        Ok(self.state().users.get(slug).cloned())
    }

    async fn users(&self) -> Result<Vec<User>, StoreError> {
        Ok(self.state().users.values().cloned().collect())
    }

    async fn edit(&self, edit: &Edit<'_>) -> Result<(), StoreError> {
        let mut state = self.state();
        if edit.version.is_some_and(|version| version != state.version) {
            return Err(StoreError::Outdated);
        }
        let mut changed = state.clone();
        for step in edit.steps {
            match step {
                Step::Save(entry, save) => changed.save(entry, *save)?,
                Step::Remove(what) if !changed.remove(what) => {
                    let what = what.to_string();
                    return Err(StoreError::Missing { what });
                }
                Step::Remove(_) => {}
            }
        }
        changed.version += 1;
        changed.record_audit(edit.changes);
        *state = changed;
        Ok(())
    }

    async fn contacts_at(
        &self,
        channel: &ChannelKind,
        address: &Address,
    ) -> Result<Vec<Contact>, StoreError> {
        let state = self.state();
        let has_address =
            |endpoint: &Endpoint| (&endpoint.channel, &endpoint.address) == (channel, address);
        let contacts = state.contacts.values();
        Ok(contacts
            .filter(|contact| contact.endpoints.iter().any(has_address))
            .cloned()
            .collect())
    }

    async fn set_opt_out(
        &self,
        channel: &ChannelKind,
        address: &Address,
        reason: Option<&str>,
    ) -> Result<Vec<Slug>, StoreError> {
        let mut state = self.state();
        let mut changed = Vec::new();
        for contact in state.contacts.values_mut() {
            let is_affected = |endpoint: &&mut Endpoint| {
                (&endpoint.channel, &endpoint.address) == (channel, address)
                    && if reason.is_some() {
                        endpoint.enabled
                    } else {
                        endpoint.opted_out.is_some()
                    }
            };
            for endpoint in contact.endpoints.iter_mut().filter(is_affected) {
                endpoint.enabled = reason.is_none();
                endpoint.opted_out = reason.map(str::to_owned);
                changed.push(contact.slug.clone());
            }
        }
        changed.dedup();
        state.version += u64::from(!changed.is_empty());
        Ok(changed)
    }
}

impl State {
    fn view(&self, target: &Target) -> Option<TargetView> {
        let mut view = TargetView {
            version: self.version,
            ..TargetView::default()
        };
        let mut people: Vec<&Slug> = Vec::new();
        match target {
            Target::Contact(slug) => people.push(self.contacts.get_key_value(slug)?.0),
            Target::Group(slug) => view.groups.push(self.groups.get(slug)?.clone()),
            Target::Event(slug) => {
                let event = self.events.get(slug)?;
                people.extend(&event.contacts);
                view.groups = event
                    .groups
                    .iter()
                    .filter_map(|g| self.groups.get(g))
                    .cloned()
                    .collect();
                view.event = Some(event.clone());
            }
        }
        people.extend(view.groups.iter().flat_map(|group| &group.contacts));
        people.sort();
        people.dedup();
        view.contacts = people
            .into_iter()
            .filter_map(|slug| self.contacts.get(slug))
            .cloned()
            .collect();
        Some(view)
    }

    fn save(&mut self, entry: &Entry, save: Save) -> Result<(), StoreError> {
        let what = entry.named().to_string();
        let exists = match entry {
            Entry::Contact(contact) => self.contacts.contains_key(&contact.slug),
            Entry::Group(group) => self.groups.contains_key(&group.slug),
            Entry::Event(event) => self.events.contains_key(&event.slug),
            Entry::ApiKey(key) => self.api_keys.contains_key(&key.slug),
            Entry::User(user) => self.users.contains_key(&user.slug),
        };
        match save {
            Save::Create if exists => return Err(StoreError::Conflict { what }),
            Save::Update if !exists => return Err(StoreError::Missing { what }),
            _ => {}
        }
        match entry {
            Entry::Contact(contact) => {
                self.contacts.insert(contact.slug.clone(), contact.clone());
            }
            Entry::Group(group) => {
                self.check_contacts(&what, &group.contacts)?;
                self.groups.insert(group.slug.clone(), group.clone());
            }
            Entry::Event(event) => {
                self.check_contacts(&what, &event.contacts)?;
                if let Some(unknown) = event.groups.iter().find(|g| !self.groups.contains_key(g)) {
                    let reference = format!("group/{unknown}");
                    return Err(StoreError::Dangling { what, reference });
                }
                self.events.insert(event.slug.clone(), event.clone());
            }
            Entry::ApiKey(key) => {
                let twin = |other: &&ApiKey| other.hash == key.hash && other.slug != key.slug;
                if let Some(other) = self.api_keys.values().find(twin) {
                    let what = format!("a key of this secret, key/{},", other.slug);
                    return Err(StoreError::Conflict { what });
                }
                self.api_keys.insert(key.slug.clone(), key.clone());
            }
            Entry::User(user) => {
                let before = self.users.insert(user.slug.clone(), user.clone());
                let keeps_sessions = |before: &User| {
                    (&before.password, before.role) == (&user.password, user.role) && user.enabled
                };
                if !before.as_ref().is_some_and(keeps_sessions) {
                    self.end_sessions(&user.slug, None);
                }
            }
        }
        Ok(())
    }

    fn check_contacts(&self, what: &str, contacts: &[Slug]) -> Result<(), StoreError> {
        match contacts
            .iter()
            .find(|contact| !self.contacts.contains_key(contact))
        {
            None => Ok(()),
            Some(unknown) => Err(StoreError::Dangling {
                what: what.to_owned(),
                reference: format!("contact/{unknown}"),
            }),
        }
    }

    fn remove(&mut self, what: &EntryRef) -> bool {
        match what {
            EntryRef::Target(Target::Contact(slug)) => {
                self.groups
                    .values_mut()
                    .for_each(|group| group.contacts.retain(|c| c != slug));
                self.events
                    .values_mut()
                    .for_each(|event| event.contacts.retain(|c| c != slug));
                self.contacts.remove(slug).is_some()
            }
            EntryRef::Target(Target::Group(slug)) => {
                self.events
                    .values_mut()
                    .for_each(|event| event.groups.retain(|g| g != slug));
                self.groups.remove(slug).is_some()
            }
            EntryRef::Target(Target::Event(slug)) => self.events.remove(slug).is_some(),
            EntryRef::ApiKey(slug) => {
                self.key_uses.remove(slug);
                self.api_keys.remove(slug).is_some()
            }
            EntryRef::User(slug) => {
                self.end_sessions(slug, None);
                self.users.remove(slug).is_some()
            }
        }
    }
}
