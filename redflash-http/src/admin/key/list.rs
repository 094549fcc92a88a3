//! `/admin/keys`: the list of API keys, and the form for a new one.

use axum::response::Response;
use redflash_core::clock::Timestamp;
use redflash_core::model::{ApiKey, Scope, Slug, Target};
use redflash_core::store::{Store, StoreError};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::admin::crud;
use crate::admin::crud::{Pages, Rejected, Resource};
use crate::admin::key::page;
use crate::admin::key::permissions;
use crate::admin::key::permissions::Permissions;
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
    slug: String,
    hint: String,
    permissions: String,
    used_at: Option<Timestamp>,
    switch: Switch,
}

#[derive(Serialize)]
pub(crate) struct NewForm {
    permissions: permissions::Fields,
}

/// The only page that shows the secret of a new key.
#[derive(Serialize)]
struct Created<'a> {
    slug: &'a str,
    secret: &'a str,
    url: String,
    /// A target that the key may raise, for the example.
    target: String,
}

impl Resource for ApiKey {
    const PAGES: Pages = Pages {
        title: "API keys",
        section: Section::Keys,
        list_template: "keys",
        new_title: "New API key",
        new_template: "key-new",
        search_label: "Slug or hint",
    };
    const READ: Permission = Permission::Admin;

    type Row = Row;
    type NewForm = NewForm;
    type Secret = SecretString;

    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        store.api_keys().await
    }

    fn search_texts(&self) -> Vec<String> {
        vec![self.slug.to_string(), self.hint.clone()]
    }

    async fn rows(context: &PageContext, items: &[Self]) -> Result<Vec<Row>, StoreError> {
        let uses = context.app.engine.store().key_usage().await?;
        let row = |key: &Self| Row {
            url: urls::key(&key.slug),
            slug: key.slug.to_string(),
            hint: key.hint.clone(),
            permissions: permissions::summary(key),
            used_at: uses.get(&key.slug).copied(),
            switch: crud::switch(key, context),
        };
        Ok(items.iter().map(row).collect())
    }

    fn empty_list(new: Option<&'static str>) -> Empty {
        Empty {
            title: "No API keys yet".into(),
            text: "Systems use API keys to raise alerts. Create one for each system.".into(),
            action: new.map(|url| Link {
                url: url.into(),
                label: "Create API key".into(),
            }),
        }
    }

    fn slug_field() -> Field {
        crud::slug_field()
            .hint("The system that uses the API key, such as nagios. Cannot be changed later.")
    }

    async fn new_form(
        context: &PageContext,
        form: &Form,
        errors: Option<&FormErrors>,
    ) -> Result<NewForm, PageError> {
        let permissions = Permissions::parse(form, &mut FieldErrors::default());
        Ok(NewForm {
            permissions: permissions::Fields::new(&context.app.engine, &permissions, errors)
                .await?,
        })
    }

    async fn parse_new(
        context: &PageContext,
        form: &Form,
    ) -> Result<(Self, SecretString), FormError> {
        let mut errors = FieldErrors::default();
        let slug = errors.take("slug", Slug::parse(form.get("slug").trim()));
        let permissions = Permissions::parse(form, &mut errors);
        let (Some(slug), true) = (slug, errors.is_empty()) else {
            return Err(errors.into());
        };
        let (mut key, secret) = Self::generate(slug, false, Scope::All, context.now());
        permissions.apply_to(&mut key);
        Ok((key, secret))
    }

    /// Compares everything but the secret and the time.
    async fn is_repeat(existing: &Self, new: &Self, _: &Form) -> bool {
        let permissions = |key: &Self| (key.enabled, key.inspect, key.admin, key.scope.clone());
        permissions(existing) == permissions(new)
    }

    fn created(context: &PageContext, key: &Self, secret: SecretString) -> Response {
        let first = match &key.scope {
            Scope::Only(targets) => targets.first().map(Target::to_string),
            Scope::All => None,
        };
        let page = Created {
            slug: key.slug.as_str(),
            secret: secret.expose_secret(),
            url: urls::key(&key.slug),
            target: first.unwrap_or_else(|| "contact/SLUG".into()),
        };
        let title = format!("API key {}", key.slug);
        context.page("key-made", Section::Keys, &title, page)
    }

    fn apply(&mut self, form: &Form) -> Result<(), FieldErrors> {
        let mut errors = FieldErrors::default();
        let permissions = Permissions::parse(form, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        permissions.apply_to(self);
        Ok(())
    }

    async fn show(
        context: &PageContext,
        slug: &Slug,
        rejected: Rejected<'_>,
    ) -> Result<Response, PageError> {
        page::show(context, slug, rejected).await
    }
}
