//! `/admin/send`: raises an alert manually, after a preview.

pub(crate) mod plan;
pub(crate) mod targets;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use redflash_core::engine::RaiseError;
use redflash_core::message::{Content, Idempotency, Raise};
use redflash_core::model::{Event, Name, Target};
use redflash_core::plan::Refusal;
use serde::Serialize;

use crate::admin::event::arguments;
use crate::admin::event::arguments::Fields;
use crate::admin::send::targets::Kind;
use crate::admin::ui::field::Field;
use crate::admin::ui::flash::Flash;
use crate::admin::ui::form::{Form, once_token};
use crate::admin::ui::form_error::sentence;
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::{Empty, Link, Plan};
use crate::admin::ui::redirect::redirect_with;
use crate::admin::ui::templates::Section;
use crate::admin::urls;
use crate::alert;
use crate::error::RaiseFailure;
use crate::extract::idempotency::digest;
use crate::route::{Auth, Permission, Route};

pub(super) fn routes() -> Vec<Route> {
    let view = Auth::Session(Permission::View);
    let admin = Auth::Session(Permission::Admin);
    vec![
        Route::new(Method::GET, urls::SEND, view, blank),
        Route::new(Method::POST, urls::SEND, admin, send),
        Route::new(Method::POST, "/admin/send/plan", admin, plan),
    ]
}

/// The page that lists the possible targets.
#[derive(Serialize)]
struct Choose {
    search: Field,
    kinds: Vec<Kind>,
    empty: Empty,
}

/// An alert to a target, as far as it is filled in.
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
    /// The form; `None` for users who may not send.
    ask: Option<Ask>,
    planned: Option<Planned>,
}

#[derive(Serialize)]
struct Ask {
    target: String,
    /// The message to a contact or a group.
    message: Option<Field>,
    /// The arguments of an event's template.
    arguments: Option<Fields>,
    template: Option<String>,
}

/// The preview of an alert.
#[derive(Serialize)]
struct Planned {
    plan: Plan,
    degraded: Option<String>,
    /// Reason why the alert was not sent.
    error: Option<String>,
    /// The hidden fields of the form that sends it; `None` if it cannot be sent.
    fields: Option<Vec<Hidden>>,
}

#[derive(Serialize)]
struct Hidden {
    name: String,
    value: String,
}

async fn blank(context: PageContext) -> Result<Response, PageError> {
    let Ok(target) = context.query.get("target").parse::<Target>() else {
        return choose(&context).await;
    };
    let draft = Draft::find(&context, target, &context.query).await?;
    Ok(draft.page(&context, StatusCode::OK, None))
}

async fn choose(context: &PageContext) -> Result<Response, PageError> {
    let text = context.query.given("q").unwrap_or_default();
    let (title, text_of_empty, action) = if text.is_empty() {
        let text = "You can send an alert to an event, a group or a contact.";
        let action = context.is_admin().then(|| Link {
            url: urls::CONTACTS.new.into(),
            label: "Add contact".into(),
        });
        ("No contacts yet", text, action)
    } else {
        let action = Link {
            url: urls::SEND.into(),
            label: "Clear search".into(),
        };
        ("No results", "Try part of a name or slug.", Some(action))
    };
    let page = Choose {
        search: Field::input("q", "Name or slug", "search").value(text),
        kinds: targets::matching(context, text).await?,
        empty: Empty {
            title: title.into(),
            text: text_of_empty.into(),
            action,
        },
    };
    Ok(context.page("send-choose", Section::Send, "Send alert", page))
}

async fn plan(context: PageContext, form: Form) -> Result<Response, PageError> {
    let draft = Draft::sent(&context, &form).await?;
    draft.planned(&context, None).await
}

async fn send(context: PageContext, form: Form) -> Result<Response, PageError> {
    let draft = Draft::sent(&context, &form).await?;
    let mut raise = draft.raise();
    let once = form.given("once");
    raise.idempotency = once
        .filter(|once| once.len() <= Idempotency::MAX_KEY)
        .map(|once| Idempotency {
            key: once.to_owned(),
            digest: digest(raise.target(), raise.content()),
        });
    match alert::raise_as(&context.app, raise, context.actor()).await {
        Ok(outcome) => {
            let id = outcome.raised().notification;
            Ok(redirect_with(&urls::notification(id), Flash::Raised))
        }
        Err(RaiseFailure::Refused(
            error @ (RaiseError::UnknownTarget(_) | RaiseError::Store { .. }),
        )) => Err(error.into()),
        Err(RaiseFailure::Refused(error)) => draft.planned(&context, Some(&error)).await,
        Err(failed) => Err(failed.into()),
    }
}

impl<'a> Draft<'a> {
    async fn sent(context: &PageContext, form: &'a Form) -> Result<Self, PageError> {
        let target = form.get("target").parse();
        let target = target.map_err(|_| PageError::missing("target with that name"))?;
        Self::find(context, target, form).await
    }

    async fn find(
        context: &PageContext,
        target: Target,
        form: &'a Form,
    ) -> Result<Self, PageError> {
        let found = targets::find(context, &target).await?;
        let (name, event) = found.ok_or_else(|| PageError::missing(&target))?;
        Ok(Self {
            target,
            name,
            event,
            form,
        })
    }

    fn raise(&self) -> Raise {
        let content = match &self.event {
            Some(event) => Content::Arguments(Fields::of(event, self.form).arguments()),
            None => Content::Message(self.form.get("message").to_owned()),
        };
        Raise::new(self.target.clone(), content)
    }

    /// Shows the preview, with the reason if sending failed.
    async fn planned(
        &self,
        context: &PageContext,
        error: Option<&RaiseError>,
    ) -> Result<Response, PageError> {
        let plan = context.app.engine.explain(&self.raise()).await?;
        let refusal = plan.refusal;
        let outlook = context.app.engine.obstacles(&plan).await?;
        let status = match error {
            Some(RaiseError::Overloaded { .. }) => StatusCode::SERVICE_UNAVAILABLE,
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
            None if refusal.is_some() => StatusCode::UNPROCESSABLE_ENTITY,
            None => StatusCode::OK,
        };
        let planned = Planned {
            degraded: plan.message.degraded.clone(),
            // The plan shows a refusal itself.
            error: error
                .filter(|_| refusal.is_none())
                .map(|error| sentence(&error.to_string())),
            fields: refusal.is_none().then(|| self.hidden()),
            plan: Plan::from(plan).with_outlook(outlook),
        };
        Ok(self.page(context, status, Some((planned, refusal))))
    }

    fn page(
        &self,
        context: &PageContext,
        status: StatusCode,
        planned: Option<(Planned, Option<Refusal>)>,
    ) -> Response {
        let (planned, refusal) = planned.map_or((None, None), |(plan, why)| (Some(plan), why));
        let is_empty = refusal == Some(Refusal::EmptyMessage);
        let page = Page {
            name: self.name.to_string(),
            target: Link::target(&self.target),
            ask: context.is_admin().then(|| self.ask(is_empty)),
            planned,
        };
        let title = format!("Send to {}", self.name);
        context.page_with(status, "send", Section::Send, &title, page)
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

    /// Returns the filled-in values, with a token that makes repeated submissions send once.
    fn hidden(&self) -> Vec<Hidden> {
        let hidden = |name: &str, value: &str| Hidden {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        let mut fields = vec![
            hidden("target", &self.target.to_string()),
            hidden("once", &once_token()),
        ];
        for name in ["message", arguments::LINES] {
            if self.form.has(name) {
                fields.push(hidden(name, self.form.get(name)));
            }
        }
        let given = self.form.with_prefix(arguments::PREFIX);
        fields.extend(given.map(|(name, value)| {
            let name = format!("{}{name}", arguments::PREFIX);
            hidden(&name, value)
        }));
        fields
    }
}
