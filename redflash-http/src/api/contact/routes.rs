//! `/api/v1/contacts`.

use redflash_core::Engine;
use redflash_core::engine::EditError;
use redflash_core::model::{Contact, Slug};
use redflash_core::store::{Store, StoreError};

use crate::api::contact::dto::{self, ContactPatch, ContactReplacement, NewContact};
use crate::api::crud;
use crate::api::crud::{Editable, Resource};
use crate::api::page::Listed;
use crate::route::Route;

pub(crate) fn routes() -> Vec<Route> {
    crud::routes::<Contact>("/api/v1/contacts", "/api/v1/contacts/{slug}")
}

impl Listed for dto::Contact {
    const LIST: &'static str = "contacts";
    const PAGE: &'static str = "ContactPage";
}

impl Resource for Contact {
    type View = dto::Contact;

    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        store.contacts().await
    }

    fn slug(&self) -> &Slug {
        &self.slug
    }

    fn texts(&self) -> Vec<&str> {
        let addresses = self
            .endpoints
            .iter()
            .map(|one| one.address.after_userinfo());
        [self.slug.as_str(), self.name.as_str()]
            .into_iter()
            .chain(addresses)
            .collect()
    }

    fn view(&self, warnings: Vec<String>) -> dto::Contact {
        dto::Contact::new(self, warnings)
    }
}

impl Editable for Contact {
    const NOUN: &'static str = "Contact";
    const ONE: &'static str = "a contact";
    const TAG: &'static str = "Contacts";
    const REMOVAL: &'static str = "Delete a contact, but not its deliveries in the log";

    type New = NewContact;
    type Replacement = ContactReplacement;
    type Patch = ContactPatch;

    fn create(new: NewContact, engine: &Engine) -> Result<Self, EditError> {
        Ok(Self {
            slug: new.slug,
            name: new.name,
            enabled: new.enabled,
            endpoints: new.endpoints.resolve(engine, &[])?,
        })
    }

    fn slug_of(patch: &ContactPatch) -> Option<&Slug> {
        patch.slug.0.as_ref()
    }

    fn apply(&mut self, patch: &ContactPatch, engine: &Engine) -> Result<(), EditError> {
        patch.name.set(&mut self.name);
        patch.enabled.set(&mut self.enabled);
        if let Some(endpoints) = &patch.endpoints.0 {
            self.endpoints = endpoints.resolve(engine, &self.endpoints)?;
        }
        Ok(())
    }

    fn warnings(&self, engine: &Engine) -> Vec<String> {
        engine.contact_warnings(self)
    }
}
