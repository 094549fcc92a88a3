//! `/admin/contacts`: the list of contacts, and the form for a new one.

use axum::response::Response;
use redflash_core::model::{Contact, Endpoint, EndpointId, Name, Slug};
use redflash_core::store::{Store, StoreError};
use serde::Serialize;

use crate::admin::contact::endpoint_form;
use crate::admin::contact::endpoint_form::EndpointFields;
use crate::admin::contact::page;
use crate::admin::crud;
use crate::admin::crud::{Pages, Rejected, Resource};
use crate::admin::ui::choices;
use crate::admin::ui::field::{Field, Switch};
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
    reach: String,
    switch: Switch,
}

#[derive(Serialize)]
pub(crate) struct NewForm {
    name: Field,
    endpoint: EndpointFields,
}

impl Resource for Contact {
    const PAGES: Pages = Pages {
        title: "Contacts",
        section: Section::Contacts,
        list_template: "contacts",
        new_title: "New contact",
        new_template: "contact-new",
        search_label: "Name, slug or address",
    };
    const READ: Permission = Permission::View;

    type Row = Row;
    type NewForm = NewForm;
    type Secret = ();

    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        store.contacts().await
    }

    fn search_texts(&self) -> Vec<String> {
        let addresses = self.endpoints.iter().map(|one| one.address.to_string());
        let names = [self.slug.to_string(), self.name.to_string()];
        names.into_iter().chain(addresses).collect()
    }

    async fn rows(context: &PageContext, items: &[Self]) -> Result<Vec<Row>, StoreError> {
        let row = |contact: &Self| Row {
            url: urls::contact(&contact.slug),
            name: contact.name.to_string(),
            slug: contact.slug.to_string(),
            reach: choices::reach(contact),
            switch: crud::switch(contact, context),
        };
        Ok(items.iter().map(row).collect())
    }

    fn empty_list(new: Option<&'static str>) -> Empty {
        Empty {
            title: "No contacts yet".into(),
            text: "A contact is a person or system to notify, with one or more endpoints.".into(),
            action: new.map(|url| Link {
                url: url.into(),
                label: "Add contact".into(),
            }),
        }
    }

    async fn new_form(
        context: &PageContext,
        form: &Form,
        errors: Option<&FormErrors>,
    ) -> Result<NewForm, PageError> {
        Ok(NewForm {
            name: Field::text("name", "Name")
                .value(form.get("name"))
                .error(errors.and_then(|errors| errors.error("name")))
                .hint("Display name, such as Ann Example or Duty phone.")
                .required(),
            endpoint: EndpointFields::new(&context.app.engine, form, None, errors),
        })
    }

    async fn parse_new(context: &PageContext, form: &Form) -> Result<(Self, ()), FormError> {
        let mut errors = FieldErrors::default();
        let slug = errors.take("slug", Slug::parse(form.get("slug").trim()));
        let name = errors.take("name", Name::parse(form.get("name")));
        let endpoint = match form.given("address") {
            Some(_) => endpoint_form::parse(&context.app.engine, form, &mut errors),
            None => None,
        };
        let (Some(slug), Some(name), true) = (slug, name, errors.is_empty()) else {
            return Err(errors.into());
        };
        let mut contact = Self::new(slug, name);
        if let Some((channel, address)) = endpoint {
            contact = contact.with_endpoint(EndpointId::new(context.now()), channel, address);
        }
        Ok((contact, ()))
    }

    /// Compares everything but the ids of the endpoints.
    async fn is_repeat(existing: &Self, new: &Self, _: &Form) -> bool {
        let address = |one: &Endpoint| (one.channel.clone(), one.address.clone());
        let addresses = |contact: &Self| contact.endpoints.iter().map(address).collect::<Vec<_>>();
        existing.name == new.name && addresses(existing) == addresses(new)
    }

    fn apply(&mut self, form: &Form) -> Result<(), FieldErrors> {
        let mut errors = FieldErrors::default();
        match errors.take("name", Name::parse(form.get("name"))) {
            Some(name) => self.name = name,
            None => return Err(errors),
        }
        Ok(())
    }

    async fn show(
        context: &PageContext,
        slug: &Slug,
        rejected: Rejected<'_>,
    ) -> Result<Response, PageError> {
        let rejected = rejected.map(|(form, errors)| page::RejectedForm::Name(form, errors));
        page::show(context, slug, rejected).await
    }
}
