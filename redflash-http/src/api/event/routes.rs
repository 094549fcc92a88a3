//! `/api/v1/events`.

use redflash_core::Engine;
use redflash_core::engine::EditError;
use redflash_core::model::{Event, Slug};
use redflash_core::store::{Store, StoreError};

use crate::api::crud;
use crate::api::crud::{Editable, Resource};
use crate::api::event::dto::{self, EventPatch, EventReplacement, NewEvent};
use crate::api::page::Listed;
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    crud::routes::<Event>("/api/v1/events", "/api/v1/events/{slug}")
}

impl Listed for dto::Event {
    const LIST: &'static str = "events";
    const PAGE: &'static str = "EventPage";
}

impl Resource for Event {
    type View = dto::Event;

    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        store.events().await
    }

    fn slug(&self) -> &Slug {
        &self.slug
    }

    fn texts(&self) -> Vec<&str> {
        vec![
            self.slug.as_str(),
            self.name.as_str(),
            &self.description,
            &self.message,
        ]
    }

    fn view(&self, warnings: Vec<String>) -> dto::Event {
        dto::Event::new(self, warnings)
    }
}

impl Editable for Event {
    const NOUN: &'static str = "Event";
    const ONE: &'static str = "an event";
    const TAG: &'static str = "Events";
    const REMOVAL: &'static str = "Delete an event";

    type New = NewEvent;
    type Replacement = EventReplacement;
    type Patch = EventPatch;

    fn create(new: NewEvent, _: &Engine) -> Result<Self, EditError> {
        Ok(new.into())
    }

    fn slug_of(patch: &EventPatch) -> Option<&Slug> {
        patch.slug.0.as_ref()
    }

    fn apply(&mut self, patch: &EventPatch, _: &Engine) -> Result<(), EditError> {
        patch.apply(self);
        Ok(())
    }

    fn warnings(&self, _: &Engine) -> Vec<String> {
        Self::warnings(self)
    }
}
