//! `/admin/send`: an alert is raised by hand. What it would do is shown before it is done.

pub(crate) mod plan;
pub(crate) mod targets;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use redflash_core::{Event, Idempotency, Name, Raise, RaiseError, Refusal, Target};
use serde::Serialize;

use crate::admin::event::arguments;
use crate::admin::event::arguments::Fields;
use crate::admin::send::targets::Kind;
use crate::admin::ui::field::Field;
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::sentence;
use crate::admin::ui::page::{PageContext, Said};
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::{Empty, Link, Plan};
use crate::admin::ui::templates::Section;
use crate::alert;
use crate::alert::RaiseFailure;
use crate::extract::idempotency::digest;
use crate::route::{Auth, Permission, Route};

pub(super) fn routes() -> Vec<Route> {
    let view = Auth::Session(Permission::View);
    let admin = Auth::Session(Permission::Admin);
    vec![
        Route::new(Method::GET, "/admin/send", view, blank),
        Route::new(Method::POST, "/admin/send", admin, send),
        Route::new(Method::POST, "/admin/send/plan", admin, plan),
    ]
}

/// The list of what can be chosen.
#[derive(Serialize)]
struct Choose {
    search: Field,
    kinds: Vec<Kind>,
    empty: Empty,
}

/// What is to be sent to a target, as far as it was filled in.
struct Draft<'a> {
    target: Target,
    name: Name,
    event: Option<Event>,
    form: &'a Form,
}

#[derive(Serialize)]
struct Page {
    name: String,
    target: Link,
    /// What is asked for; `None` for those who may not send.
    ask: Option<Ask>,
    planned: Option<Planned>,
}

#[derive(Serialize)]
struct Ask {
    target: String,
    /// What is said to a contact or a group.
    message: Option<Field>,
    /// What fills in the words of an event.
    arguments: Option<Fields>,
    template: Option<String>,
}

/// What would be done.
#[derive(Serialize)]
struct Planned {
    plan: Plan,
    degraded: Option<String>,
    /// Why it was not done.
    fault: Option<String>,
    /// The fields that are sent to do it; `None` when it cannot be done.
    fields: Option<Vec<Hidden>>,
}

#[derive(Serialize)]
struct Hidden {
    name: String,
    value: String,
}

async fn blank(desk: PageContext) -> Result<Response, PageError> {
    let Ok(target) = desk.query.get("target").parse::<Target>() else {
        return choose(&desk).await;
    };
    let draft = Draft::find(&desk, target, &desk.query).await?;
    Ok(draft.page(&desk, StatusCode::OK, None))
}

async fn choose(desk: &PageContext) -> Result<Response, PageError> {
    let text = desk.query.given("q").unwrap_or_default();
    let (title, text_of_empty, action) = if text.is_empty() {
        let text = "You can send an alert to an event, a group or a contact.";
        let action = desk.is_admin().then(|| Link {
            url: "/admin/new/contact".into(),
            label: "Add contact".into(),
        });
        ("No contacts yet", text, action)
    } else {
        let action = Link {
            url: "/admin/send".into(),
            label: "Clear search".into(),
        };
        ("No results", "Try part of a name or slug.", Some(action))
    };
    let page = Choose {
        search: Field::input("q", "Name or slug", "search").value(text),
        kinds: targets::matching(desk, text).await?,
        empty: Empty {
            title: title.into(),
            text: text_of_empty.into(),
            action,
        },
    };
    Ok(desk.page("send-choose", Section::Send, "Send alert", page))
}

async fn plan(desk: PageContext, form: Form) -> Result<Response, PageError> {
    let draft = Draft::sent(&desk, &form).await?;
    draft.planned(&desk, None).await
}

async fn send(desk: PageContext, form: Form) -> Result<Response, PageError> {
    let draft = Draft::sent(&desk, &form).await?;
    let mut raise = draft.raise();
    let once = form.given("once");
    raise.idempotency = once
        .filter(|once| once.len() <= Idempotency::MAX_KEY)
        .map(|once| Idempotency {
            key: once.to_owned(),
            digest: digest(raise.target(), raise.content()),
        });
    match alert::raise_as(&desk.app, raise, desk.actor()).await {
        Ok(outcome) => {
            let id = outcome.raised().notification;
            Ok(PageContext::go(
                &crate::admin::log::list::url(id),
                Said::Raised,
            ))
        }
        Err(RaiseFailure::Refused(
            fault @ (RaiseError::UnknownTarget(_) | RaiseError::Store { .. }),
        )) => Err(fault.into()),
        Err(RaiseFailure::Refused(fault)) => draft.planned(&desk, Some(&fault)).await,
        Err(failed) => Err(failed.into()),
    }
}

impl<'a> Draft<'a> {
    async fn sent(desk: &PageContext, form: &'a Form) -> Result<Self, PageError> {
        let target = form.get("target").parse();
        let target = target.map_err(|_| PageError::missing("target with that name"))?;
        Self::find(desk, target, form).await
    }

    async fn find(desk: &PageContext, target: Target, form: &'a Form) -> Result<Self, PageError> {
        let found = targets::find(desk, &target).await?;
        let (name, event) = found.ok_or_else(|| PageError::missing(&target))?;
        Ok(Self {
            target,
            name,
            event,
            form,
        })
    }

    fn raise(&self) -> Raise {
        let slug = self.target.slug().clone();
        let message = self.form.get("message");
        match (&self.target, &self.event) {
            (_, Some(event)) => Raise::event(slug, Fields::of(event, self.form).arguments()),
            (Target::Group(_), None) => Raise::group(slug, message),
            (_, None) => Raise::contact(slug, message),
        }
    }

    /// The page with what would be done, and why it was not.
    async fn planned(
        &self,
        desk: &PageContext,
        fault: Option<&RaiseError>,
    ) -> Result<Response, PageError> {
        let plan = desk.app.engine.explain(&self.raise()).await?;
        let refusal = plan.refusal;
        let outlook = desk.app.engine.outlook(&plan).await?;
        let status = match fault {
            Some(RaiseError::Overloaded { .. }) => StatusCode::SERVICE_UNAVAILABLE,
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
            None if refusal.is_some() => StatusCode::UNPROCESSABLE_ENTITY,
            None => StatusCode::OK,
        };
        let planned = Planned {
            degraded: plan.message.degraded.clone(),
            // The plan says it already.
            fault: fault
                .filter(|_| refusal.is_none())
                .map(|fault| sentence(&fault.to_string())),
            fields: refusal.is_none().then(|| self.hidden()),
            plan: Plan::from(plan).with_outlook(outlook),
        };
        Ok(self.page(desk, status, Some((planned, refusal))))
    }

    fn page(
        &self,
        desk: &PageContext,
        status: StatusCode,
        planned: Option<(Planned, Option<Refusal>)>,
    ) -> Response {
        let (planned, refusal) = planned.map_or((None, None), |(plan, why)| (Some(plan), why));
        let is_empty = refusal == Some(Refusal::EmptyMessage);
        let page = Page {
            name: self.name.to_string(),
            target: crate::admin::log::list::target(&self.target),
            ask: desk.is_admin().then(|| self.ask(is_empty)),
            planned,
        };
        let title = format!("Send to {}", self.name);
        desk.page_with(status, "send", Section::Send, &title, page)
    }

    fn ask(&self, is_empty: bool) -> Ask {
        let message = || {
            Field::area("message", "Message")
                .value(self.form.get("message").replace("\r\n", "\n"))
                .error(is_empty.then_some("Enter a message."))
                .required()
        };
        let event = self.event.as_ref();
        Ask {
            target: self.target.to_string(),
            message: event.is_none().then(message),
            arguments: event.map(|event| Fields::of(event, self.form)),
            template: event.map(|event| event.message.clone()),
        }
    }

    /// Everything that was filled in, and what makes sure that it is sent once.
    fn hidden(&self) -> Vec<Hidden> {
        let hidden = |name: &str, value: &str| Hidden {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        let mut fields = vec![
            hidden("target", &self.target.to_string()),
            hidden("once", &PageContext::once()),
        ];
        for name in ["message", arguments::LINES] {
            if self.form.has(name) {
                fields.push(hidden(name, self.form.get(name)));
            }
        }
        let given = self.form.beginning(arguments::PREFIX);
        fields.extend(given.map(|(name, value)| {
            let name = format!("{}{name}", arguments::PREFIX);
            hidden(&name, value)
        }));
        fields
    }
}
