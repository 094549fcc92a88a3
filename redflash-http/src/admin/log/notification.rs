//! `/admin/log/{id}`: one notification, and what became of it.

use std::num::NonZeroU32;

use axum::http::Method;
use axum::response::Response;
use redflash_core::store::{AuditFilter, DeliveryRecord, InboundFilter};
use redflash_core::{
    Action, AuditEntry, DeliveryId, Inbound, Notification, NotificationId, Slug, StoreError,
    Timestamp,
};
use serde::Serialize;

use crate::admin::log::deliveries::Deliveries;
use crate::admin::log::list;
use crate::admin::ui::form::Form;
use crate::admin::ui::page::{PageContext, Said};
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::{Link, Plan, Step};
use crate::admin::ui::path::NamedNotification;
use crate::admin::ui::templates::Section;
use crate::route::{Auth, Permission, Route};

/// How many contacts are looked at for answers.
const ASKED: usize = 20;
/// How many answers of a contact, and how many entries of the audit log, are looked at.
const NEWEST: NonZeroU32 = NonZeroU32::new(50).expect("not zero");

pub(crate) fn routes() -> Vec<Route> {
    let view = Auth::Session(Permission::View);
    let admin = Auth::Session(Permission::Admin);
    vec![
        Route::new(Method::GET, "/admin/log/{id}", view, page),
        Route::new(Method::POST, "/admin/log/{id}/resend", admin, resend),
    ]
}

#[derive(Serialize)]
struct Page {
    id: String,
    name: String,
    at: Timestamp,
    target: Link,
    by: Link,
    degraded: Option<String>,
    cut: bool,
    sender: Option<String>,
    plan: Plan,
    deliveries: Deliveries,
    /// Where what changes is told, as long as something is to happen.
    events: Option<String>,
    replies: Vec<Reply>,
    history: Vec<Step>,
    json: String,
    again: Option<String>,
}

/// A message that somebody sent back.
#[derive(Serialize)]
struct Reply {
    at: Timestamp,
    from: String,
    text: String,
    effect: String,
}

async fn page(
    desk: PageContext,
    NamedNotification(id): NamedNotification,
) -> Result<Response, PageError> {
    let (notification, records) = find(&desk, id).await?;
    let changes = changes(&desk, id).await?;
    let deliveries = Deliveries::of(&notification, &records, desk.is_admin());
    let title = notification.plan.name.to_string();
    let page = Page {
        id: id.to_string(),
        name: title.clone(),
        at: notification.raised_at,
        target: list::target(notification.target()),
        by: by(&notification, &changes),
        degraded: notification.plan.message.degraded.clone(),
        cut: notification.plan.message.cut,
        sender: notification.plan.message.sender.clone(),
        events: deliveries.open.then(|| format!("{}/events", list::url(id))),
        deliveries,
        replies: replies(&desk, &records).await?,
        history: changes.iter().rev().map(step).collect(),
        json: format!("/api/v1/notifications/{id}"),
        again: desk
            .is_admin()
            .then(|| format!("/admin/send?target={}", notification.target())),
        plan: notification.plan.into(),
    };
    Ok(desk.page("notification", Section::Log, &title, page))
}

/// A notification with its deliveries.
pub(crate) async fn find(
    desk: &PageContext,
    id: NotificationId,
) -> Result<(Notification, Vec<DeliveryRecord>), PageError> {
    let found = desk.app.engine.store().notification(id).await?;
    found.ok_or_else(|| PageError::missing("notification with that ID"))
}

/// What the audit log says of a notification, newest first.
async fn changes(desk: &PageContext, id: NotificationId) -> Result<Vec<AuditEntry>, StoreError> {
    let filter = AuditFilter {
        subject: Some(format!("notification/{id}")),
        by: None,
        before: None,
        limit: NEWEST,
    };
    desk.app.engine.store().audit_entries(&filter).await
}

/// Who raised it.
fn by(notification: &Notification, changes: &[AuditEntry]) -> Link {
    let by_hand = changes.iter().find(|one| one.action == Action::Raised);
    let (url, label) = match (&notification.raised_by, by_hand) {
        (Some(key), _) => (format!("/admin/keys/{key}"), format!("key/{key}")),
        (None, Some(change)) => {
            let subject = format!("notification/{}", notification.id);
            let audit = format!("/admin/audit?subject={subject}");
            (audit, change.by.to_string())
        }
        (None, None) => (String::new(), "RedFlash or an operator".into()),
    };
    Link { url, label }
}

fn step(change: &AuditEntry) -> Step {
    let done = match change.action {
        Action::Raised => "Raised",
        Action::Resent => "Resent",
        _ => "Changed",
    };
    Step {
        at: change.at,
        state: None,
        title: format!("{done} by {}", change.by),
        text: Some(change.detail.clone()),
    }
}

/// What people have answered to these deliveries, oldest first.
async fn replies(desk: &PageContext, records: &[DeliveryRecord]) -> Result<Vec<Reply>, StoreError> {
    let mut contacts: Vec<&Slug> = records.iter().map(|one| &one.delivery.contact).collect();
    contacts.sort();
    contacts.dedup();
    let mut found: Vec<Inbound> = Vec::new();
    for contact in contacts.into_iter().take(ASKED) {
        let filter = InboundFilter {
            contact: Some(contact.clone()),
            before: None,
            limit: NEWEST,
        };
        let answers = |inbound: &Inbound| {
            let mut ours = records.iter().map(|record| record.delivery.id);
            inbound
                .answers
                .is_some_and(|answered| ours.any(|id| id == answered))
        };
        let inbound = desk.app.engine.store().inbound(&filter).await?;
        found.extend(inbound.into_iter().filter(answers));
    }
    found.sort_by_key(|inbound| inbound.id);
    found.dedup_by_key(|inbound| inbound.id);
    let reply = |inbound: Inbound| Reply {
        at: inbound.received_at,
        from: inbound.from.to_string(),
        text: inbound.text,
        effect: inbound.effect,
    };
    Ok(found.into_iter().map(reply).collect())
}

async fn resend(
    desk: PageContext,
    NamedNotification(id): NamedNotification,
    form: Form,
) -> Result<Response, PageError> {
    find(&desk, id).await?;
    let only = match form.given("delivery") {
        None => None,
        Some(text) => {
            let named = text.parse::<DeliveryId>().ok();
            let ours = named.filter(|delivery| delivery.notification() == id);
            Some(ours.ok_or_else(|| PageError::missing("delivery with that ID"))?)
        }
    };
    let engine = &desk.app.engine;
    let resent = engine.resend(id, only, &desk.actor()).await?;
    let said = match resent {
        0 => Said::NothingToResend,
        _ => Said::Resent,
    };
    Ok(PageContext::go(&list::url(id), said))
}
