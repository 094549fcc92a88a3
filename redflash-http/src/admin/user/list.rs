//! `/admin/users`: the list of users, and the form for a new one.

use axum::response::Response;
use redflash_core::engine::Revision;
use redflash_core::model::{Name, Role, Slug, User, UserView};
use redflash_core::store::{Store, StoreError};
use serde::Serialize;

use crate::admin::crud;
use crate::admin::crud::{Pages, Rejected, Resource};
use crate::admin::ui::field::{Field, Switch};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{FieldErrors, FormError, FormErrors};
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::Empty;
use crate::admin::ui::templates::Section;
use crate::admin::urls;
use crate::admin::user::new_password;
use crate::admin::user::page;
use crate::auth::password::is_password;
use crate::route::Permission;

#[derive(Serialize)]
pub(crate) struct Row {
    url: String,
    name: String,
    slug: String,
    role: &'static str,
    login_method: &'static str,
    switch: Switch,
}

#[derive(Serialize)]
pub(crate) struct NewForm {
    name: Field,
    role: Field,
    password: new_password::Fields,
}

impl Resource for User {
    const PAGES: Pages = Pages {
        title: "Users",
        section: Section::Users,
        list_template: "users",
        new_title: "New user",
        new_template: "user-new",
        search_label: "Name or slug",
    };
    const READ: Permission = Permission::Admin;

    type Row = Row;
    type NewForm = NewForm;
    type Secret = ();

    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        store.users().await
    }

    fn search_texts(&self) -> Vec<String> {
        vec![self.slug.to_string(), self.name.to_string()]
    }

    async fn rows(context: &PageContext, items: &[Self]) -> Result<Vec<Row>, StoreError> {
        let row = |user: &Self| Row {
            url: urls::user(&user.slug),
            name: user.name.to_string(),
            slug: user.slug.to_string(),
            role: user.role.as_str(),
            login_method: UserView::from(user).logs_in_by(),
            switch: crud::switch(user, context),
        };
        Ok(items.iter().map(row).collect())
    }

    fn empty_list(_: Option<&'static str>) -> Empty {
        Empty {
            title: "No users".into(),
            text: "A user can log in to the web admin.".into(),
            action: None,
        }
    }

    fn slug_field() -> Field {
        crud::slug_field()
            .hint("User name for logging in. Letters, digits, - and _. Cannot be changed later.")
    }

    async fn new_form(
        _: &PageContext,
        form: &Form,
        errors: Option<&FormErrors>,
    ) -> Result<NewForm, PageError> {
        let error = |field| errors.and_then(|errors| errors.error(field));
        Ok(NewForm {
            name: Field::text("name", "Name")
                .value(form.get("name"))
                .error(error("name"))
                .hint("Display name, such as Ann Example.")
                .required(),
            role: page::role_field(form.get("role")).error(error("role")),
            password: new_password::Fields::new("Password", errors),
        })
    }

    async fn parse_new(context: &PageContext, form: &Form) -> Result<(Self, ()), FormError> {
        let mut errors = FieldErrors::default();
        let slug = errors.take("slug", Slug::parse(form.get("slug").trim()));
        let name = errors.take("name", Name::parse(form.get("name")));
        let role = errors.take("role", form.get("role").parse::<Role>());
        let password = if new_password::is_given(form) {
            new_password::hash(form, &mut errors).await
        } else {
            None
        };
        let (Some(slug), Some(name), Some(role), true) = (slug, name, role, errors.is_empty())
        else {
            return Err(errors.into());
        };
        let mut user = Self::new(slug, name, role, context.now());
        user.password = password;
        Ok((user, ()))
    }

    /// Compares everything but the time and the salt of the password.
    async fn is_repeat(existing: &Self, new: &Self, form: &Form) -> bool {
        let same_password = match (&existing.password, &new.password) {
            (None, None) => true,
            (Some(hash), Some(_)) => {
                is_password(&form.get("new_password").into(), Some(hash)).await
            }
            _ => false,
        };
        same_password && (&existing.name, existing.role) == (&new.name, new.role)
    }

    /// Changes the fields that the form has; the others stay.
    fn apply(&mut self, form: &Form) -> Result<(), FieldErrors> {
        let mut errors = FieldErrors::default();
        let given = |field| form.has(field).then(|| form.get(field));
        let name = given("name").and_then(|text| errors.take("name", Name::parse(text)));
        let role = given("role").and_then(|text| errors.take("role", text.parse::<Role>()));
        if !errors.is_empty() {
            return Err(errors);
        }
        self.name = name.unwrap_or_else(|| self.name.clone());
        self.role = role.unwrap_or(self.role);
        Ok(())
    }

    /// A form with the switch alone may change any revision.
    fn revision(form: &Form) -> Option<Revision> {
        let is_switch = !form.has("name") && !form.has("role");
        (!is_switch).then(|| Revision::new(form.get("version")))
    }

    async fn show(
        context: &PageContext,
        slug: &Slug,
        rejected: Rejected<'_>,
    ) -> Result<Response, PageError> {
        page::show(context, slug, rejected).await
    }
}
