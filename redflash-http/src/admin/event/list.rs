//! `/admin/events`: the list of events, and the form for a new one.

use axum::response::Response;
use redflash_core::model::{Event, Slug};
use redflash_core::store::{Store, StoreError};
use serde::Serialize;

use crate::admin::crud;
use crate::admin::crud::{Pages, Rejected, Resource};
use crate::admin::event::form::{Draft, Fields};
use crate::admin::event::page;
use crate::admin::event::preview::Preview;
use crate::admin::event::samples::Samples;
use crate::admin::ui::field::Switch;
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{FieldErrors, FormError, FormErrors};
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::{Empty, Link};
use crate::admin::ui::templates::Section;
use crate::admin::urls;
use crate::route::Permission;

#[derive(Serialize)]
pub(crate) struct Row {
    url: String,
    name: String,
    slug: String,
    contacts: usize,
    groups: usize,
    switch: Switch,
}

#[derive(Serialize)]
pub(crate) struct NewForm {
    fields: Fields,
    samples: Samples,
    preview_url: &'static str,
    preview: Preview,
}

impl Resource for Event {
    const PAGES: Pages = Pages {
        title: "Events",
        section: Section::Events,
        list_template: "events",
        new_title: "New event",
        new_template: "event-new",
        search_label: "Name, slug or message",
    };
    const READ: Permission = Permission::View;

    type Row = Row;
    type NewForm = NewForm;
    type Secret = ();

    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        store.events().await
    }

    fn search_texts(&self) -> Vec<String> {
        let names = [self.slug.to_string(), self.name.to_string()];
        let words = [self.description.clone(), self.message.clone()];
        names.into_iter().chain(words).collect()
    }

    async fn rows(context: &PageContext, items: &[Self]) -> Result<Vec<Row>, StoreError> {
        let row = |event: &Self| Row {
            url: urls::event(&event.slug),
            name: event.name.to_string(),
            slug: event.slug.to_string(),
            contacts: event.contacts.len(),
            groups: event.groups.len(),
            switch: crud::switch(event, context),
        };
        Ok(items.iter().map(row).collect())
    }

    fn empty_list(new: Option<&'static str>) -> Empty {
        Empty {
            title: "No events yet".into(),
            text: "An event has a message template and a list of contacts and groups to notify."
                .into(),
            action: new.map(|url| Link {
                url: url.into(),
                label: "Add event".into(),
            }),
        }
    }

    async fn new_form(
        context: &PageContext,
        form: &Form,
        errors: Option<&FormErrors>,
    ) -> Result<NewForm, PageError> {
        let engine = &context.app.engine;
        let draft = Draft::parse(form, None, &mut FieldErrors::default());
        let event = draft.unsaved();
        let samples = Samples::of(&event, form);
        let contacts = engine.store().contacts().await?;
        let groups = engine.store().groups().await?;
        Ok(NewForm {
            fields: draft.fields(&contacts, &groups, errors),
            preview: Preview::of(engine, &event, &samples).await?,
            samples,
            preview_url: urls::EVENT_PREVIEW,
        })
    }

    async fn parse_new(_: &PageContext, form: &Form) -> Result<(Self, ()), FormError> {
        let mut errors = FieldErrors::default();
        let draft = Draft::parse(form, None, &mut errors);
        let slug = errors.take("slug", Slug::parse(form.get("slug").trim()));
        let name = draft.name(&mut errors);
        errors.extend(draft.unsaved().check_templates());
        let (Some(slug), Some(name), true) = (slug, name, errors.is_empty()) else {
            return Err(errors.into());
        };
        let mut event = Self::new(slug, name, "");
        draft.fill(&mut event);
        Ok((event, ()))
    }

    async fn is_repeat(existing: &Self, new: &Self, _: &Form) -> bool {
        existing == new
    }

    fn apply(&mut self, form: &Form) -> Result<(), FieldErrors> {
        let mut errors = FieldErrors::default();
        let draft = Draft::parse(form, Some(self), &mut errors);
        let (Some(name), true) = (draft.name(&mut errors), errors.is_empty()) else {
            return Err(errors);
        };
        draft.fill(self);
        self.name = name;
        Ok(())
    }

    async fn show(
        context: &PageContext,
        slug: &Slug,
        rejected: Rejected<'_>,
    ) -> Result<Response, PageError> {
        let (form, errors) = rejected.unzip();
        page::show(context, slug, form, errors).await
    }
}
