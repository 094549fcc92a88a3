//! `/admin/groups`: who is told together.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use redflash_core::{Contact, EditError, Event, Group, Name, Revision, Slug, StoreError, Target};
use serde::Serialize;

use crate::admin::contact::list::slug_field;
use crate::admin::log::history;
use crate::admin::log::history::RecentNotification;
use crate::admin::toggle;
use crate::admin::ui::choices;
use crate::admin::ui::choices::Reference;
use crate::admin::ui::field::{Checklist, Confirm, Field, Switch};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{FieldErrors, FormError, FormErrors, Notice, is_once};
use crate::admin::ui::page::{PageContext, Said};
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::pagination::{ListQuery, PageLinks};
use crate::admin::ui::partials::{Empty, Link};
use crate::admin::ui::path::SlugPath;
use crate::admin::ui::templates::Section;
use crate::route::{Auth, Permission, Route};

pub(super) const LIST: &str = "/admin/groups";

pub(super) fn routes() -> Vec<Route> {
    let view = Auth::Session(Permission::View);
    let admin = Auth::Session(Permission::Admin);
    vec![
        Route::new(Method::GET, LIST, view, list),
        Route::new(Method::POST, LIST, admin, create),
        Route::new(Method::GET, "/admin/new/group", admin, blank),
        Route::new(Method::GET, "/admin/groups/{slug}", view, page),
        Route::new(Method::POST, "/admin/groups/{slug}", admin, save),
        Route::new(
            Method::POST,
            "/admin/groups/{slug}/switch",
            admin,
            toggle::switch::<Group>,
        ),
        Route::new(
            Method::POST,
            "/admin/groups/{slug}/delete",
            admin,
            toggle::delete::<Group>,
        ),
    ]
}

fn url(slug: &Slug) -> String {
    format!("{LIST}/{slug}")
}

fn switch_of(group: &Group, context: &PageContext) -> Switch {
    Switch {
        action: format!("{}/switch", url(&group.slug)),
        label: format!("Group {}", group.name),
        on: group.enabled,
        locked: !context.is_admin(),
    }
}

#[derive(Serialize)]
struct List {
    search: Field,
    count: usize,
    rows: Vec<Row>,
    links: PageLinks,
    empty: Empty,
    new: Option<&'static str>,
}

#[derive(Serialize)]
struct Row {
    url: String,
    name: String,
    slug: String,
    members: usize,
    switch: Switch,
}

async fn list(context: PageContext) -> Result<Response, PageError> {
    let groups = context.app.engine.store().groups().await?;
    let list_query = ListQuery::of(LIST, &context.query);
    let texts = |group: &Group| vec![group.slug.to_string(), group.name.to_string()];
    let found = list_query.page(groups, |group| &group.slug, texts);
    let row = |group: &Group| Row {
        url: url(&group.slug),
        name: group.name.to_string(),
        slug: group.slug.to_string(),
        members: group.contacts.len(),
        switch: switch_of(group, &context),
    };
    let new = context.is_admin().then_some("/admin/new/group");
    let none = Empty {
        title: "No groups yet".into(),
        text: "A group is a set of contacts that are told together, such as those on call.".into(),
        action: new.map(|url| Link {
            url: url.into(),
            label: "Add a group".into(),
        }),
    };
    let page = List {
        search: list_query.field("Name or slug"),
        count: found.count,
        rows: found.shown.iter().map(row).collect(),
        links: found.links,
        empty: list_query.empty(none),
        new,
    };
    Ok(context.page("groups", Section::Groups, "Groups", page))
}

#[derive(Serialize)]
struct New {
    notice: Option<Notice>,
    once: String,
    slug: Field,
    fields: Fields,
}

/// What a group is made of, to be filled in.
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

async fn blank(context: PageContext) -> Result<Response, PageError> {
    form(&context, &Form::default(), None).await
}

/// The form of a new group, as it was filled in.
async fn form(
    context: &PageContext,
    form: &Form,
    errors: Option<&FormErrors>,
) -> Result<Response, PageError> {
    let all = context.app.engine.store().contacts().await?;
    let members = choices::ticked(form, "contacts", &[], &mut FieldErrors::default());
    let error = |field| errors.and_then(|errors| errors.error(field));
    let page = New {
        notice: errors.map(|errors| errors.notice(Vec::new())),
        once: form
            .given("once")
            .map_or_else(PageContext::once, str::to_owned),
        slug: slug_field().value(form.get("slug")).error(error("slug")),
        fields: Fields::new(&all, form.get("name"), &members, errors),
    };
    let status = errors.map_or(StatusCode::OK, |errors| errors.status);
    Ok(context.page_with(status, "group-new", Section::Groups, "New group", page))
}

async fn create(context: PageContext, form: Form) -> Result<Response, PageError> {
    match add(&context, &form).await {
        Ok(slug) => Ok(PageContext::go(&url(&slug), Said::Added)),
        Err(refused) => self::form(&context, &form, Some(&refused.form()?)).await,
    }
}

async fn add(context: &PageContext, form: &Form) -> Result<Slug, FormError> {
    let engine = &context.app.engine;
    let mut errors = FieldErrors::default();
    let slug = errors.take("slug", Slug::parse(form.get("slug").trim()));
    let name = errors.take("name", Name::parse(form.get("name")));
    let members = choices::ticked(form, "contacts", &[], &mut errors);
    let (Some(slug), Some(name), true) = (slug, name, errors.is_empty()) else {
        return Err(errors.into());
    };
    let group = Group::new(slug, name, members);
    match engine.create(&group, &context.actor()).await {
        Err(EditError::Store(StoreError::Conflict { .. }))
            if is_once(form)
                && engine.store().group(&group.slug).await?.as_ref() == Some(&group) => {}
        made => made?,
    }
    Ok(group.slug)
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

async fn page(context: PageContext, SlugPath(slug): SlugPath) -> Result<Response, PageError> {
    show(&context, &slug, None).await
}

/// Shows a group.
///
/// * `refused` - the form that was sent, and why it is shown again.
async fn show(
    context: &PageContext,
    slug: &Slug,
    refused: Option<(&Form, &FormErrors)>,
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
    let status = refused.map_or(StatusCode::OK, |(_, errors)| errors.status);
    let edit = context
        .is_admin()
        .then(|| Edit::new(&group, &contacts, &events, refused));
    let page = Page {
        name: group.name.to_string(),
        slug: slug.to_string(),
        enabled: group.enabled,
        switch: switch_of(&group, context),
        notice: refused.map(|(_, errors)| errors.notice(now())),
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
        url: crate::admin::contact::list::url(&contact.slug),
        name: contact.name.to_string(),
        reach: choices::reach(contact),
        state: choices::word(contact.enabled),
    }
}

impl Edit {
    fn new(
        group: &Group,
        contacts: &[Contact],
        events: &[Reference],
        refused: Option<(&Form, &FormErrors)>,
    ) -> Self {
        let url = url(&group.slug);
        let fields = match refused {
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
                text: format!("{text} Its members stay, and so does what was sent."),
                button: format!("Remove {}", group.name),
                open: false,
            },
            action: url,
        }
    }
}

async fn save(
    context: PageContext,
    SlugPath(slug): SlugPath,
    form: Form,
) -> Result<Response, PageError> {
    match change(&context, &slug, &form).await {
        Ok(()) => Ok(PageContext::go(&url(&slug), Said::Saved)),
        Err(refused) => show(&context, &slug, Some((&form, &refused.form()?))).await,
    }
}

async fn change(context: &PageContext, slug: &Slug, form: &Form) -> Result<(), FormError> {
    let enabled = form.has("enabled").then(|| form.is_on("enabled"));
    let seen = Revision::new(form.get("version"));
    let change = |group: &mut Group| {
        let mut errors = FieldErrors::default();
        let name = errors.take("name", Name::parse(form.get("name")));
        let members = choices::ticked(form, "contacts", &group.contacts, &mut errors);
        let (Some(name), true) = (name, errors.is_empty()) else {
            return Err(errors.into());
        };
        group.name = name;
        group.contacts = members;
        group.enabled = enabled.unwrap_or(group.enabled);
        Ok(())
    };
    let engine = &context.app.engine;
    engine
        .change(slug, &context.actor(), Some(&seen), change)
        .await?;
    Ok(())
}
