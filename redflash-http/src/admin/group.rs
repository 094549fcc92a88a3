//! `/admin/groups`: who is told together.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use redflash_core::{Contact, EditError, Event, Group, Name, Revision, Slug, StoreError, Target};
use serde::Serialize;

use crate::admin::contact::list::slug_field;
use crate::admin::log::history;
use crate::admin::log::history::Sent;
use crate::admin::toggle;
use crate::admin::ui::choices;
use crate::admin::ui::choices::Naming;
use crate::admin::ui::field::{Checklist, Confirm, Field, Switch};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{Faults, Notice, Refused, Rejection, is_once};
use crate::admin::ui::page::{PageContext, Said};
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::pagination::{Listing, Turn};
use crate::admin::ui::partials::{Empty, Link};
use crate::admin::ui::path::Named;
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

fn switch_of(group: &Group, desk: &PageContext) -> Switch {
    Switch {
        action: format!("{}/switch", url(&group.slug)),
        label: format!("Group {}", group.name),
        on: group.enabled,
        locked: !desk.is_admin(),
    }
}

#[derive(Serialize)]
struct List {
    search: Field,
    count: usize,
    rows: Vec<Row>,
    turn: Turn,
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

async fn list(desk: PageContext) -> Result<Response, PageError> {
    let groups = desk.app.engine.store().groups().await?;
    let listing = Listing::of(LIST, &desk.query);
    let texts = |group: &Group| vec![group.slug.to_string(), group.name.to_string()];
    let found = listing.excerpt(groups, |group| &group.slug, texts);
    let row = |group: &Group| Row {
        url: url(&group.slug),
        name: group.name.to_string(),
        slug: group.slug.to_string(),
        members: group.contacts.len(),
        switch: switch_of(group, &desk),
    };
    let new = desk.is_admin().then_some("/admin/new/group");
    let none = Empty {
        title: "No groups yet".into(),
        text: "A group is a set of contacts to notify together, such as an on-call team.".into(),
        action: new.map(|url| Link {
            url: url.into(),
            label: "Add group".into(),
        }),
    };
    let page = List {
        search: listing.field("Name or slug"),
        count: found.count,
        rows: found.shown.iter().map(row).collect(),
        turn: found.turn,
        empty: listing.empty(none),
        new,
    };
    Ok(desk.page("groups", Section::Groups, "Groups", page))
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
    fn new(all: &[Contact], name: &str, members: &[Slug], rejection: Option<&Rejection>) -> Self {
        let error = |field| rejection.and_then(|rejection| rejection.error(field));
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

async fn blank(desk: PageContext) -> Result<Response, PageError> {
    form(&desk, &Form::default(), None).await
}

/// The form of a new group, as it was filled in.
async fn form(
    desk: &PageContext,
    form: &Form,
    rejection: Option<&Rejection>,
) -> Result<Response, PageError> {
    let all = desk.app.engine.store().contacts().await?;
    let members = choices::ticked(form, "contacts", &[], &mut Faults::default());
    let error = |field| rejection.and_then(|rejection| rejection.error(field));
    let page = New {
        notice: rejection.map(|rejection| rejection.notice(Vec::new())),
        once: form
            .given("once")
            .map_or_else(PageContext::once, str::to_owned),
        slug: slug_field().value(form.get("slug")).error(error("slug")),
        fields: Fields::new(&all, form.get("name"), &members, rejection),
    };
    let status = rejection.map_or(StatusCode::OK, |rejection| rejection.status);
    Ok(desk.page_with(status, "group-new", Section::Groups, "New group", page))
}

async fn create(desk: PageContext, form: Form) -> Result<Response, PageError> {
    match add(&desk, &form).await {
        Ok(slug) => Ok(PageContext::go(&url(&slug), Said::Added)),
        Err(refused) => self::form(&desk, &form, Some(&refused.form()?)).await,
    }
}

async fn add(desk: &PageContext, form: &Form) -> Result<Slug, Refused> {
    let engine = &desk.app.engine;
    let mut faults = Faults::default();
    let slug = faults.take("slug", Slug::parse(form.get("slug").trim()));
    let name = faults.take("name", Name::parse(form.get("name")));
    let members = choices::ticked(form, "contacts", &[], &mut faults);
    let (Some(slug), Some(name), true) = (slug, name, faults.is_empty()) else {
        return Err(faults.into());
    };
    let group = Group::new(slug, name, members);
    match engine.create(&group, &desk.actor()).await {
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
    events: Vec<Naming>,
    recent: Vec<Sent>,
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

async fn page(desk: PageContext, Named(slug): Named) -> Result<Response, PageError> {
    show(&desk, &slug, None).await
}

/// Shows a group.
///
/// * `refused` - the form that was sent, and why it is shown again.
async fn show(
    desk: &PageContext,
    slug: &Slug,
    refused: Option<(&Form, &Rejection)>,
) -> Result<Response, PageError> {
    let engine = &desk.app.engine;
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
        .map(Naming::event)
        .collect();
    let now = || {
        let names: Vec<_> = members.iter().map(|member| &*member.name).collect();
        vec![
            format!("Name: {}", group.name),
            format!("Members: {}", names.join(", ")),
        ]
    };
    let status = refused.map_or(StatusCode::OK, |(_, rejection)| rejection.status);
    let edit = desk
        .is_admin()
        .then(|| Edit::new(&group, &contacts, &events, refused));
    let page = Page {
        name: group.name.to_string(),
        slug: slug.to_string(),
        enabled: group.enabled,
        switch: switch_of(&group, desk),
        notice: refused.map(|(_, rejection)| rejection.notice(now())),
        members,
        events,
        recent: history::of_target(engine, Target::Group(slug.clone())).await?,
        log: format!("/admin/log?target=group/{slug}"),
        audit: format!("/admin/audit?subject=group/{slug}"),
        edit,
    };
    Ok(desk.page_with(status, "group", Section::Groups, group.name.as_str(), page))
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
        events: &[Naming],
        refused: Option<(&Form, &Rejection)>,
    ) -> Self {
        let url = url(&group.slug);
        let fields = match refused {
            None => Fields::new(contacts, group.name.as_str(), &group.contacts, None),
            Some((form, rejection)) => {
                let members = choices::ticked(form, "contacts", &[], &mut Faults::default());
                Fields::new(contacts, form.get("name"), &members, Some(rejection))
            }
        };
        let text = choices::losses(events.iter());
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

async fn save(desk: PageContext, Named(slug): Named, form: Form) -> Result<Response, PageError> {
    match change(&desk, &slug, &form).await {
        Ok(()) => Ok(PageContext::go(&url(&slug), Said::Saved)),
        Err(refused) => show(&desk, &slug, Some((&form, &refused.form()?))).await,
    }
}

async fn change(desk: &PageContext, slug: &Slug, form: &Form) -> Result<(), Refused> {
    let enabled = form.has("enabled").then(|| form.is_on("enabled"));
    let seen = Revision::new(form.get("version"));
    let change = |group: &mut Group| {
        let mut faults = Faults::default();
        let name = faults.take("name", Name::parse(form.get("name")));
        let members = choices::ticked(form, "contacts", &group.contacts, &mut faults);
        let (Some(name), true) = (name, faults.is_empty()) else {
            return Err(faults.into());
        };
        group.name = name;
        group.contacts = members;
        group.enabled = enabled.unwrap_or(group.enabled);
        Ok(())
    };
    let engine = &desk.app.engine;
    engine
        .change(slug, &desk.actor(), Some(&seen), change)
        .await?;
    Ok(())
}
