//! `GET /api/v1/inbound`: replies to messages.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use redflash_core::clock::Timestamp;
use redflash_core::model::{Address, ChannelKind, DeliveryId, InboundId, Slug};
use redflash_core::store::InboundFilter;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::extract::query::Query;
use crate::api::openapi::operation::Operation;
use crate::api::openapi::value;
use crate::api::page::{Listed, Page, truncate};
use crate::api::problem::Problem;
use crate::app::App;
use crate::route::{Auth, Permission, Route};

pub(super) fn routes() -> Vec<Route> {
    let auth = Auth::ApiKey(Permission::View);
    let inbound = Operation::new(
        "listInbound",
        "Inbound",
        "List received messages, newest first",
    )
    .parameters(&["contact", "limit", "cursor"])
    .ok::<Page<Inbound>>();
    vec![Route::new(Method::GET, "/api/v1/inbound", auth, list).described(inbound)]
}

/// A received message.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Inbound {
    #[schemars(with = "value::Id")]
    id: InboundId,
    #[schemars(with = "value::Slug")]
    gateway: Slug,
    #[schemars(with = "value::Channel")]
    channel: ChannelKind,
    /// The gateway's id of the message.
    message_id: Option<String>,
    /// Address of the sender.
    #[schemars(with = "String")]
    from: Address,
    text: String,
    #[schemars(with = "value::Time")]
    received_at: Timestamp,
    /// Contacts with the address of the sender.
    #[schemars(with = "Vec<value::Slug>")]
    contacts: Vec<Slug>,
    /// Delivery that the message replies to, if the gateway reports it.
    #[schemars(with = "Option<value::Id>")]
    answers: Option<DeliveryId>,
    /// Effect of the message, for people.
    effect: String,
}

impl Listed for Inbound {
    const LIST: &'static str = "inbound";
    const PAGE: &'static str = "InboundPage";
}

impl From<redflash_core::inbound::Inbound> for Inbound {
    fn from(inbound: redflash_core::inbound::Inbound) -> Self {
        Self {
            id: inbound.id,
            gateway: inbound.gateway,
            channel: inbound.channel,
            message_id: inbound.message_id,
            from: inbound.from,
            text: inbound.text,
            received_at: inbound.received_at,
            contacts: inbound.contacts,
            answers: inbound.answers,
            effect: inbound.effect,
        }
    }
}

async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Page<Inbound>, Problem> {
    let limit = query.limit()?;
    let filter = InboundFilter {
        contact: query.read("contact")?,
        before: query.read("cursor")?,
        limit: limit.saturating_add(1),
    };
    let mut found = app.engine.store().inbound(&filter).await?;
    let next = truncate(&mut found, limit, |inbound| inbound.id);
    let items = found.into_iter().map(Into::into).collect();
    Ok(Page { items, next })
}
