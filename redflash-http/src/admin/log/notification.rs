//! `/admin/log/{id}`: a notification, its deliveries and replies.

use std::num::NonZeroU32;

use axum::http::Method;
use axum::response::Response;
use redflash_core::clock::Timestamp;
use redflash_core::inbound::Inbound;
use redflash_core::model::{Action, AuditEntry, DeliveryId, NotificationId, Slug};
use redflash_core::plan::Notification;
use redflash_core::store::{AuditFilter, DeliveryRecord, InboundFilter, StoreError};
use serde::Serialize;

use crate::admin::log::deliveries::Deliveries;
use crate::admin::ui::flash::Flash;
use crate::admin::ui::form::Form;
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::{Link, Plan, Step};
use crate::admin::ui::path::NotificationPath;
use crate::admin::ui::redirect::redirect_with;
use crate::admin::ui::templates::Section;
use crate::admin::urls;
use crate::route::{Auth, Permission, Route};

/// Maximum number of contacts whose replies are searched.
const MAX_CONTACTS: usize = 20;
/// Maximum number of replies of a contact, and of audit log entries, that are searched.
const MAX_ENTRIES: NonZeroU32 = NonZeroU32::new(50).expect("not zero");

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
    /// URL of the stream of changes, until all deliveries are final.
    events: Option<String>,
    replies: Vec<Reply>,
    history: Vec<Step>,
    json: String,
    send_again: Option<String>,
}

/// A reply to a delivery.
#[derive(Serialize)]
struct Reply {
    at: Timestamp,
    from: String,
    text: String,
    effect: String,
}

async fn page(
    context: PageContext,
    NotificationPath(id): NotificationPath,
) -> Result<Response, PageError> {
    let (notification, records) = find(&context, id).await?;
    let entries = audit_entries(&context, id).await?;
    let deliveries = Deliveries::of(&notification, &records, context.is_admin());
    let title = notification.plan.name.to_string();
    let page = Page {
        id: id.to_string(),
        name: title.clone(),
        at: notification.raised_at,
        target: Link::target(notification.target()),
        by: by(&notification, &entries),
        degraded: notification.plan.message.degraded.clone(),
        cut: notification.plan.message.cut,
        sender: notification.plan.message.sender.clone(),
        events: deliveries
            .open
            .then(|| format!("{}/events", urls::notification(id))),
        deliveries,
        replies: replies(&context, &records).await?,
        history: entries.iter().rev().map(step).collect(),
        json: format!("/api/v1/notifications/{id}"),
        send_again: context
            .is_admin()
            .then(|| format!("/admin/send?target={}", notification.target())),
        plan: notification.plan.into(),
    };
    Ok(context.page("notification", Section::Log, &title, page))
}

/// Returns a notification with its deliveries.
pub(crate) async fn find(
    context: &PageContext,
    id: NotificationId,
) -> Result<(Notification, Vec<DeliveryRecord>), PageError> {
    let found = context.app.engine.store().notification(id).await?;
    found.ok_or_else(|| PageError::missing("notification with that ID"))
}

/// Returns the audit log entries of a notification, newest first.
async fn audit_entries(
    context: &PageContext,
    id: NotificationId,
) -> Result<Vec<AuditEntry>, StoreError> {
    let filter = AuditFilter {
        subject: Some(format!("notification/{id}")),
        by: None,
        before: None,
        limit: MAX_ENTRIES,
    };
    context.app.engine.store().audit_entries(&filter).await
}

/// Returns a link to the key or user that raised the notification.
fn by(notification: &Notification, entries: &[AuditEntry]) -> Link {
    let manual = entries.iter().find(|one| one.action == Action::Raised);
    let (url, label) = match (&notification.raised_by, manual) {
        (Some(key), _) => (urls::key(key), format!("key/{key}")),
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

/// Returns the replies to the deliveries, oldest first.
async fn replies(
    context: &PageContext,
    records: &[DeliveryRecord],
) -> Result<Vec<Reply>, StoreError> {
    let mut contacts: Vec<&Slug> = records.iter().map(|one| &one.delivery.contact).collect();
    contacts.sort();
    contacts.dedup();
    let mut found: Vec<Inbound> = Vec::new();
    for contact in contacts.into_iter().take(MAX_CONTACTS) {
        let filter = InboundFilter {
            contact: Some(contact.clone()),
            before: None,
            limit: MAX_ENTRIES,
        };
        let answers = |inbound: &Inbound| {
            let mut ours = records.iter().map(|record| record.delivery.id);
            inbound
                .answers
                .is_some_and(|answered| ours.any(|id| id == answered))
        };
        let inbound = context.app.engine.store().inbound(&filter).await?;
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
    context: PageContext,
    NotificationPath(id): NotificationPath,
    form: Form,
) -> Result<Response, PageError> {
    find(&context, id).await?;
    let only = match form.given("delivery") {
        None => None,
        Some(text) => {
            let named = text.parse::<DeliveryId>().ok();
            let ours = named.filter(|delivery| delivery.notification() == id);
            Some(ours.ok_or_else(|| PageError::missing("delivery with that ID"))?)
        }
    };
    let engine = &context.app.engine;
    let resent = engine.resend(id, only, &context.actor()).await?;
    let flash = match resent {
        0 => Flash::NothingToResend,
        _ => Flash::Resent,
    };
    Ok(redirect_with(&urls::notification(id), flash))
}
