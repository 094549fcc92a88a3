//! Callbacks of gateways: receipts, and inbound messages.

use std::sync::Arc;

use tracing::{info, warn};

use crate::delivery::Receipt;
use crate::dispatcher::AlarmEvent;
use crate::engine::{Engine, ReceiveError};
use crate::gateway::{Authenticity, Callback, CallbackError, Gateway};
use crate::inbound::{Inbound, InboundMessage, Keyword};
use crate::message::{Idempotency, Raise};
use crate::model::{
    Action, Actor, AuditEntry, ChannelKind, Contact, DeliveryId, InboundId, NotificationId, Slug,
};
use crate::store::{Allowance, ReceiptEffect, Spent, StoreError, Window};
use crate::template::Arguments;

/// The effects of a gateway's callback.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallbackOutcome {
    /// The effect of each receipt.
    pub receipts: Vec<ReceiptEffect>,
    /// The inbound messages that were recorded, without repeats.
    pub inbound: Vec<InboundId>,
}

/// The expected content of a callback, by the URL that it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackKind {
    /// Receipts.
    Receipts,
    /// Inbound messages.
    Inbound,
}

/// The content of a callback, as the channel parsed it.
#[derive(Default)]
struct ParsedCallback {
    receipts: Vec<Receipt>,
    inbound: Vec<InboundMessage>,
}

/// Maximum number of messages from one address that raise the inbound event in an hour, so that two
/// machines do not answer each other for ever.
const MAX_REPLIES_AN_HOUR: u32 = 20;

impl Engine {
    /// Checks the signature of a callback, if the gateway is configured to.
    ///
    /// # Errors
    ///
    /// [`ReceiveError::UnknownGateway`], and [`ReceiveError::Callback`] when the signature is not
    /// valid.
    pub fn authenticate(
        &self,
        gateway: &Slug,
        callback: &Callback<'_>,
    ) -> Result<Authenticity, ReceiveError> {
        let gateway = self.gateway(gateway)?;
        Ok(gateway.channel.authenticate(callback, self.now())?)
    }

    /// Applies a gateway's callback that is known to be genuine.
    ///
    /// Some vendors have only one URL for everything. A callback without the expected content is
    /// parsed as the other kind.
    ///
    /// # Errors
    ///
    /// Every variant of [`ReceiveError`]. Effects before a failing part stay applied.
    pub async fn record_callback(
        &self,
        gateway: &Slug,
        expected: CallbackKind,
        callback: &Callback<'_>,
    ) -> Result<CallbackOutcome, ReceiveError> {
        let gateway = &*self.gateway(gateway)?;
        let read = parse_callback(gateway, expected, callback)?;
        let mut called = CallbackOutcome::default();
        let store = &self.dispatcher.store;
        for receipt in read.receipts {
            let effect = store
                .record_receipt(&gateway.name, &receipt, self.now())
                .await?;
            if effect == ReceiptEffect::Unmatched {
                warn!(gateway = %gateway.name, "received a receipt for an unknown delivery");
            }
            called.receipts.push(effect);
        }
        for message in read.inbound {
            called.inbound.extend(self.receive(gateway, message).await?);
        }
        Ok(called)
    }

    fn gateway(&self, name: &Slug) -> Result<Arc<Gateway>, ReceiveError> {
        let gateways = self.gateways();
        let known = gateways.get(name).cloned();
        known.ok_or_else(|| ReceiveError::UnknownGateway(name.clone()))
    }

    /// Applies an inbound message, and records it; `None` if it was recorded before.
    async fn receive(
        &self,
        gateway: &Gateway,
        message: InboundMessage,
    ) -> Result<Option<InboundId>, StoreError> {
        let store = &self.dispatcher.store;
        if let Some(id) = &message.message_id
            && store.has_inbound(&gateway.name, id).await?
        {
            return Ok(None);
        }
        let channel = gateway.channel.kind();
        let contacts = store.contacts_at(&channel, &message.from).await?;
        let answered = match (message.answers, &message.answers_message) {
            (None, None) => None,
            (delivery, id) => {
                let id = id.as_deref();
                store.delivery_of(&gateway.name, delivery, id).await?
            }
        };
        let now = self.now();
        let mut inbound = Inbound {
            id: InboundId::new(now),
            gateway: gateway.name.clone(),
            channel,
            message_id: message.message_id,
            from: message.from,
            text: Inbound::kept(&message.text),
            received_at: now,
            contacts: contacts
                .iter()
                .map(|contact| contact.slug.clone())
                .collect(),
            answers: answered.map(|delivery| delivery.id),
            effect: String::new(),
        };
        // The effect can be applied twice, so it comes first: a crash in between loses nothing.
        let answers = inbound.answers.map(DeliveryId::notification);
        inbound.effect = self.effect(gateway, &inbound, &contacts, answers).await?;
        let is_new = store.record_inbound(&inbound).await?;
        info!(gateway = %gateway.name, inbound = %inbound.id, effect = inbound.effect, "inbound message");
        metrics::counter!("redflash_inbound_total", "gateway" => gateway.name.to_string())
            .increment(1);
        Ok(is_new.then_some(inbound.id))
    }

    /// Applies an inbound message, and returns a description of the effect.
    async fn effect(
        &self,
        gateway: &Gateway,
        inbound: &Inbound,
        contacts: &[Contact],
        answers: Option<NotificationId>,
    ) -> Result<String, StoreError> {
        if gateway.channel.own_address().as_ref() == Some(&inbound.from) {
            return Ok("nothing: the message came from our own number".into());
        }
        if contacts.is_empty() {
            return Ok("nothing: no contact has this address".into());
        }
        let (channel, from) = (&inbound.channel, &inbound.from);
        match Keyword::of(&inbound.text) {
            Some(Keyword::Stop) => self.stop(channel, inbound).await,
            // The endpoint is off because of its address, not because of a STOP.
            Some(Keyword::Start) if self.parse_address(channel, from.as_str()).is_err() => {
                Ok("nothing: the address is not valid".into())
            }
            Some(Keyword::Start) => {
                let on = self
                    .dispatcher
                    .store
                    .set_opt_out(channel, from, None)
                    .await?;
                if on.is_empty() {
                    return Ok("nothing: the endpoint was not switched off by an opt-out".into());
                }
                self.record_opt(&on, Action::SwitchedOn, inbound).await?;
                Ok(format!("switched {channel} of {} on", join(&on)))
            }
            None => match &self.dispatcher.settings().inbound_event {
                Some(event) if inbound.text.trim().is_empty() => {
                    Ok(format!("nothing: there is no text to raise {event} with"))
                }
                Some(event) => self.raise_inbound(event, inbound, contacts, answers).await,
                None => Ok("kept".into()),
            },
        }
    }

    async fn stop(&self, channel: &ChannelKind, inbound: &Inbound) -> Result<String, StoreError> {
        let reason = format!("answered {} to {}", inbound.text.trim(), inbound.gateway);
        let store = &self.dispatcher.store;
        let off = store
            .set_opt_out(channel, &inbound.from, Some(&reason))
            .await?;
        if off.is_empty() {
            return Ok("nothing: the endpoint was already off".into());
        }
        self.record_opt(&off, Action::SwitchedOff, inbound).await?;
        let effect = format!("switched {channel} of {} off", join(&off));
        self.dispatcher.alarms.push(AlarmEvent::OptedOut {
            contacts: off,
            channel: channel.clone(),
            address: inbound.from.clone(),
        });
        Ok(effect)
    }

    /// Records in the audit log the contacts that the sender switched on or off.
    async fn record_opt(
        &self,
        contacts: &[Slug],
        action: Action,
        inbound: &Inbound,
    ) -> Result<(), StoreError> {
        let changes = contacts.iter().map(|slug| {
            let detail = format!(
                "{} {}: answered {} to {}",
                inbound.channel,
                inbound.from,
                inbound.text.trim(),
                inbound.gateway
            );
            let by = Actor::Contact(slug.to_string());
            AuditEntry::new(
                inbound.received_at,
                by,
                action,
                format!("contact/{slug}"),
                detail,
            )
        });
        self.store()
            .record_audit(&changes.collect::<Vec<_>>())
            .await
    }

    async fn raise_inbound(
        &self,
        event: &Slug,
        inbound: &Inbound,
        contacts: &[Contact],
        answers: Option<NotificationId>,
    ) -> Result<String, StoreError> {
        let allowance = Allowance {
            meter: format!("inbound/{}/{}", inbound.gateway, inbound.from),
            window: Window::Hour,
            limit: MAX_REPLIES_AN_HOUR,
        };
        let store = &self.dispatcher.store;
        if let Spent::UsedUp(_) = store.spend(&[allowance], inbound.received_at).await? {
            return Ok(format!(
                "nothing: more than {MAX_REPLIES_AN_HOUR} messages in an hour came from this address"
            ));
        }
        let names: Vec<_> = contacts
            .iter()
            .map(|contact| contact.name.as_str())
            .collect();
        let mut arguments = Arguments::new();
        let mut argument = |name: &str, value: &str| {
            arguments.insert(name.to_owned(), value.into());
        };
        argument("text", &inbound.text);
        argument("from", inbound.from.as_str());
        argument("contact", &names.join(", "));
        argument("gateway", inbound.gateway.as_str());
        argument("channel", inbound.channel.as_str());
        if let Some(answers) = answers {
            argument("answers", &answers.to_string());
        }
        let mut raise = Raise::event(event.clone(), arguments);
        if let Some(id) = &inbound.message_id {
            let key = format!("inbound/{}/{id}", inbound.gateway);
            let key = key.chars().take(Idempotency::MAX_KEY).collect();
            raise = raise.idempotent(Idempotency {
                key,
                digest: inbound.from.to_string(),
            });
        }
        match self.raise(raise).await {
            Ok(raised) => Ok(format!("raised event/{event} as {}", raised.notification)),
            Err(crate::engine::RaiseError::Store { source, .. }) => Err(source),
            // The gateway then calls again.
            Err(error @ crate::engine::RaiseError::Overloaded { .. }) => {
                Err(StoreError::Unavailable(error.into()))
            }
            Err(error) => {
                let error = crate::error_chain(&error);
                warn!(%event, error, "could not raise the inbound event");
                Ok(format!("nothing: event/{event} was not raised: {error}"))
            }
        }
    }
}

/// Parses a callback as the expected kind, or else as the other.
fn parse_callback(
    gateway: &Gateway,
    expected: CallbackKind,
    callback: &Callback<'_>,
) -> Result<ParsedCallback, CallbackError> {
    let receipts = || {
        let receipts = gateway.channel.parse_receipts(callback)?.into_iter();
        Ok(ParsedCallback {
            receipts: receipts.map(Receipt::with_kept_id).collect(),
            ..ParsedCallback::default()
        })
    };
    let inbound = || {
        let inbound = gateway.channel.parse_inbound(callback)?.into_iter();
        Ok(ParsedCallback {
            inbound: inbound.map(InboundMessage::with_kept_ids).collect(),
            ..ParsedCallback::default()
        })
    };
    let wanted = match expected {
        CallbackKind::Receipts => receipts(),
        CallbackKind::Inbound => inbound(),
    };
    let other = || match expected {
        CallbackKind::Receipts => inbound(),
        CallbackKind::Inbound => receipts(),
    };
    match wanted {
        Ok(read) if !read.receipts.is_empty() || !read.inbound.is_empty() => Ok(read),
        Ok(nothing) => Ok(other().unwrap_or(nothing)),
        Err(CallbackError::Unsupported) => other(),
        Err(error) => Err(error),
    }
}

fn join(slugs: &[Slug]) -> String {
    let slugs: Vec<_> = slugs.iter().map(Slug::as_str).collect();
    slugs.join(", ")
}
