//! Telling the person in charge what has happened to the gateways themselves.

use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::Engine;
use crate::dispatcher::Trouble;
use crate::{ChannelKind, Raise, Slug, StoreError, report};

impl Engine {
    /// Tells of troubles until told to stop.
    pub(super) fn tell(&self, stop: CancellationToken) -> impl Future<Output = ()> + Send + use<> {
        let engine = self.clone();
        let waiting = self.dispatcher.troubles.take();
        async move {
            let Some(mut waiting) = waiting else {
                return;
            };
            loop {
                let trouble = tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    trouble = waiting.recv() => trouble,
                };
                let Some(trouble) = trouble else {
                    return;
                };
                if let Err(fault) = engine.tell_of(&trouble).await {
                    error!(?trouble, error = report(&fault), "an alarm was not given");
                }
            }
        }
    }

    /// Tells of one trouble: of a gateway that has stopped once, and once when that is over,
    /// whichever node finds it out.
    async fn tell_of(&self, trouble: &Trouble) -> Result<(), StoreError> {
        let store = &self.dispatcher.store;
        match trouble {
            Trouble::Stopped { gateway, reason } => {
                let subject = subject(gateway);
                if store.start_alarm(&subject, self.now()).await? {
                    let others = self.others(gateway);
                    let text =
                        format!("RedFlash: the gateway {gateway} has stopped. {reason}. {others}");
                    warn!(%gateway, reason, "a gateway has stopped");
                    if !self.alarm(text, self.channel_of(gateway)).await {
                        // So that it is told when it is found out again.
                        store.end_alarm(&subject).await?;
                    }
                }
            }
            Trouble::Works { gateway } => {
                if store.end_alarm(&subject(gateway)).await? {
                    warn!(%gateway, "a gateway works again");
                    let text = format!("RedFlash: the gateway {gateway} works again.");
                    self.alarm(text, self.channel_of(gateway)).await;
                }
            }
            Trouble::Budget {
                gateway,
                used,
                limit,
                window,
            } => {
                let window = window.as_str();
                warn!(%gateway, used, limit, window, "a budget is nearly used up");
                let text = if used < limit {
                    format!(
                        "RedFlash: the gateway {gateway} has sent {used} of the {limit} messages it may send this {window}."
                    )
                } else {
                    format!(
                        "RedFlash: the gateway {gateway} has sent all {limit} messages it may send this {window}. What comes now is suppressed."
                    )
                };
                self.alarm(text, self.channel_of(gateway)).await;
            }
            Trouble::OptedOut {
                contacts,
                channel,
                address,
            } => {
                let contacts: Vec<_> = contacts.iter().map(Slug::as_str).collect();
                let contacts = contacts.join(", ");
                warn!(contacts, %channel, "a contact opted out");
                let text = format!(
                    "RedFlash: {contacts} does not want to be told at {address} ({channel}) any more; it was switched off."
                );
                self.alarm(text, None).await;
            }
        }
        Ok(())
    }

    fn channel_of(&self, gateway: &Slug) -> Option<ChannelKind> {
        let gateway = self.dispatcher.gateways.get(gateway)?;
        Some(gateway.channel.kind())
    }

    /// What becomes of the messages of a gateway that has stopped.
    fn others(&self, gateway: &Slug) -> String {
        let channel = self.channel_of(gateway);
        let others = self
            .dispatcher
            .gateways
            .iter()
            .filter(|other| other.name != *gateway && Some(other.channel.kind()) == channel);
        let others: Vec<_> = others.map(|other| other.name.as_str()).collect();
        match &*others {
            [] => "Its messages wait.".into(),
            others => format!("Its messages go through {}.", others.join(", ")),
        }
    }

    /// Tells the person in charge, through another channel than the one in trouble; `false` when
    /// that should be tried again.
    async fn alarm(&self, text: String, channel: Option<ChannelKind>) -> bool {
        let Some(contact) = &self.alarm_contact else {
            return true;
        };
        let mut raise = Raise::contact(contact.clone(), text);
        if let Some(channel) = channel {
            raise = raise.except(channel);
        }
        match self.raise(raise).await {
            Ok(_) => true,
            Err(fault) => {
                let why = report(&fault);
                error!(%contact, why, "an alarm reached nobody");
                !matches!(fault, super::RaiseError::Store { .. })
            }
        }
    }
}

/// How the alarm about a gateway is called in the store.
fn subject(gateway: &Slug) -> String {
    format!("gateway/{gateway}")
}
