//! `/admin/groups`: groups of contacts.

use axum::http::StatusCode;
use axum::response::Response;
use redflash_core::engine::Revision;
use redflash_core::model::{Contact, Event, Group, Name, Slug, Target};
use redflash_core::store::{Store, StoreError};
use serde::Serialize;

use crate::admin::crud;
use crate::admin::crud::{Pages, Rejected, Resource};
use crate::admin::log::history;
use crate::admin::log::history::RecentNotification;
use crate::admin::ui::choices;
use crate::admin::ui::choices::Reference;
use crate::admin::ui::field::{Checklist, Confirm, Field, Switch};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{FieldErrors, FormError, FormErrors, Notice};
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
    members: usize,
    switch: Switch,
}

#[derive(Serialize)]
pub(crate) struct NewForm {
    fields: Fields,
}

/// The fields of a group.
#[derive(Serialize)]
struct Fields {
    name: Field,
    contacts: Checklist,
}

impl Fields {
    fn new(all: &[Contact], name: &str, members: &[Slug], errors: Option<&FormErrors>) -> Self {
        let error = |field| errors.and_then(|errors| errors.error(field));
        Self {
            name: Field::text("name", "Name")
                .value(name)
                .error(error("name"))
                .required(),
            contacts: Checklist {
                name: "contacts",
                legend: "Members".into(),
                options: choices::contacts(all, members),
                error: error("contacts"),
            },
        }
    }
}

impl Resource for Group {
    const PAGES: Pages = Pages {
        title: "Groups",
        section: Section::Groups,
        list_template: "groups",
        new_title: "New group",
        new_template: "group-new",
        search_label: "Name or slug",
    };
    const READ: Permission = Permission::View;

    type Row = Row;
    type NewForm = NewForm;
    type Secret = ();

    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        store.groups().await
    }

    fn search_texts(&self) -> Vec<String> {
        vec![self.slug.to_string(), self.name.to_string()]
    }

    async fn rows(context: &PageContext, items: &[Self]) -> Result<Vec<Row>, StoreError> {
        let row = |group: &Self| Row {
            url: urls::group(&group.slug),
            name: group.name.to_string(),
            slug: group.slug.to_string(),
            members: group.contacts.len(),
            switch: crud::switch(group, context),
        };
        Ok(items.iter().map(row).collect())
    }

    fn empty_list(new: Option<&'static str>) -> Empty {
        Empty {
            title: "No groups yet".into(),
            text: "A group is a set of contacts to notify together, such as an on-call team."
                .into(),
            action: new.map(|url| Link {
                url: url.into(),
                label: "Add group".into(),
            }),
        }
    }

    async fn new_form(
        context: &PageContext,
        form: &Form,
        errors: Option<&FormErrors>,
    ) -> Result<NewForm, PageError> {
        let all = context.app.engine.store().contacts().await?;
        let members = choices::ticked(form, "contacts", &[], &mut FieldErrors::default());
        Ok(NewForm {
            fields: Fields::new(&all, form.get("name"), &members, errors),
        })
    }

    async fn parse_new(_: &PageContext, form: &Form) -> Result<(Self, ()), FormError> {
        let mut errors = FieldErrors::default();
        let slug = errors.take("slug", Slug::parse(form.get("slug").trim()));
        let name = errors.take("name", Name::parse(form.get("name")));
        let members = choices::ticked(form, "contacts", &[], &mut errors);
        let (Some(slug), Some(name), true) = (slug, name, errors.is_empty()) else {
            return Err(errors.into());
        };
        Ok((Self::new(slug, name, members), ()))
    }

    async fn is_repeat(existing: &Self, new: &Self, _: &Form) -> bool {
        existing == new
    }

    fn apply(&mut self, form: &Form) -> Result<(), FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = errors.take("name", Name::parse(form.get("name")));
        let members = choices::ticked(form, "contacts", &self.contacts, &mut errors);
        let (Some(name), true) = (name, errors.is_empty()) else {
            return Err(errors);
        };
        self.name = name;
        self.contacts = members;
        Ok(())
    }

    async fn show(
        context: &PageContext,
        slug: &Slug,
        rejected: Rejected<'_>,
    ) -> Result<Response, PageError> {
        show(context, slug, rejected).await
    }
}

#[derive(Serialize)]
struct Page {
    name: String,
    slug: String,
    enabled: bool,
    switch: Switch,
    notice: Option<Notice>,
    members: Vec<Member>,
    events: Vec<Reference>,
    recent: Vec<RecentNotification>,
    log: String,
    audit: String,
    edit: Option<Edit>,
}

#[derive(Serialize)]
struct Member {
    url: String,
    name: String,
    reach: String,
    state: &'static str,
}

#[derive(Serialize)]
struct Edit {
    send: String,
    action: String,
    version: String,
    fields: Fields,
    remove: Confirm,
}

/// Shows a group.
///
/// * `rejected` - the form that was sent, with its errors.
async fn show(
    context: &PageContext,
    slug: &Slug,
    rejected: Rejected<'_>,
) -> Result<Response, PageError> {
    let engine = &context.app.engine;
    let group = engine.store().group(slug).await?;
    let group = group.ok_or_else(|| PageError::missing(format!("group {slug}")))?;
    let contacts = engine.store().contacts().await?;
    let members = group.contacts.iter().filter_map(|slug| {
        let mut all = contacts.iter();
        all.find(|contact| contact.slug == *slug)
    });
    let members: Vec<Member> = members.map(member).collect();
    let names = |event: &Event| event.groups.contains(slug);
    let events = engine.store().events().await?;
    let events: Vec<_> = events
        .iter()
        .filter(|event| names(event))
        .map(Reference::event)
        .collect();
    let now = || {
        let names: Vec<_> = members.iter().map(|member| &*member.name).collect();
        vec![
            format!("Name: {}", group.name),
            format!("Members: {}", names.join(", ")),
        ]
    };
    let status = rejected.map_or(StatusCode::OK, |(_, errors)| errors.status);
    let edit = context
        .is_admin()
        .then(|| Edit::new(&group, &contacts, &events, rejected));
    let page = Page {
        name: group.name.to_string(),
        slug: slug.to_string(),
        enabled: group.enabled,
        switch: crud::switch(&group, context),
        notice: rejected.map(|(_, errors)| errors.notice(now())),
        members,
        events,
        recent: history::of_target(engine, Target::Group(slug.clone())).await?,
        log: format!("/admin/log?target=group/{slug}"),
        audit: format!("/admin/audit?subject=group/{slug}"),
        edit,
    };
    Ok(context.page_with(status, "group", Section::Groups, group.name.as_str(), page))
}

fn member(contact: &Contact) -> Member {
    Member {
        url: urls::contact(&contact.slug),
        name: contact.name.to_string(),
        reach: choices::reach(contact),
        state: choices::badge(contact.enabled),
    }
}

impl Edit {
    fn new(
        group: &Group,
        contacts: &[Contact],
        events: &[Reference],
        rejected: Rejected<'_>,
    ) -> Self {
        let url = urls::group(&group.slug);
        let fields = match rejected {
            None => Fields::new(contacts, group.name.as_str(), &group.contacts, None),
            Some((form, errors)) => {
                let members = choices::ticked(form, "contacts", &[], &mut FieldErrors::default());
                Fields::new(contacts, form.get("name"), &members, Some(errors))
            }
        };
        let text = choices::removal_impact(events.iter());
        Self {
            send: format!("/admin/send?target=group/{}", group.slug),
            version: Revision::of(group).to_string(),
            fields,
            remove: Confirm {
                action: format!("{url}/delete"),
                ask: "Remove group…".into(),
                text: format!(
                    "{text} Its members are not removed, and past alerts remain in the log."
                ),
                button: format!("Remove {}", group.name),
                open: false,
            },
            action: url,
        }
    }
}
