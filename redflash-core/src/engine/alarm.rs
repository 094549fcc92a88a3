//! Alarms about the gateways themselves, sent to the alarm contact.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tracing::{error, warn};

use crate::clock::Timestamp;
use crate::dispatcher::{AlarmEvent, BudgetAlarm, Life, Loop, refusal_subject, stopped, subject};
use crate::engine::Engine;
use crate::error_chain;
use crate::gateway::{Gateway, GatewayStatuses};
use crate::message::Raise;
use crate::model::{ChannelKind, Slug};
use crate::panicked::caught;
use crate::store::{Alarm, Allowance, MAX_CLAIMS, Spent, StoreError, Window};

/// Time before the next try of an alarm that panicked.
const RETRY_DELAY: Duration = Duration::from_secs(1);

impl Engine {
    /// Returns the gateways with an open alarm, as the store has them now.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store does not answer.
    pub async fn stopped_gateways(&self) -> Result<Vec<Slug>, StoreError> {
        Ok(stopped(&self.dispatcher.store.alarms().await?))
    }

    /// Returns the states of the gateways, as far as this process and the store know them now.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store does not answer.
    pub async fn gateway_statuses(&self) -> Result<GatewayStatuses, StoreError> {
        let store = &self.dispatcher.store;
        let now = self.now();
        let mut alarms = store.alarms().await?;
        for next_try_at in alarms.iter_mut().filter_map(|one| one.next_try_at.as_mut()) {
            // A process that has started to dispatch since then hands the next message over at
            // once.
            *next_try_at = if self.dispatcher.is_running() {
                now
            } else {
                now.max(*next_try_at)
            };
        }
        Ok(GatewayStatuses {
            alarms,
            health: self.dispatcher.gateway_health(),
            waiting: store.waiting().await?,
        })
    }

    /// Sends alarms, in a loop of its own, until the dispatcher stops.
    pub(super) fn send_alarms(&self, life: &Arc<Life>) {
        let (engine, kept) = (self.clone(), Arc::clone(life));
        life.supervise(Loop::Alarms, move || {
            let (engine, life) = (engine.clone(), Arc::clone(&kept));
            async move {
                tokio::select! {
                    biased;
                    () = life.stop().cancelled() => {}
                    () = engine.handle_alarm_events(&life) => {}
                }
            }
        });
    }

    async fn handle_alarm_events(&self, life: &Life) {
        let mut events = self.dispatcher.alarms.receiver().await;
        while let Some(event) = events.recv().await {
            let round = life.heartbeat(Loop::Alarms).begin(self.monotonic());
            match caught(Box::pin(self.handle_alarm_event(&event))).await {
                Ok(Ok(())) => round.succeed(),
                Ok(Err(error)) => {
                    error!(
                        ?event,
                        error = error_chain(&error),
                        "could not send an alarm"
                    );
                }
                Err(panicked) => {
                    error!(?event, error = %panicked, "could not send an alarm; trying again");
                    self.dispatcher.alarms.push(event);
                    sleep(RETRY_DELAY).await;
                }
            }
        }
    }

    /// Handles one alarm event. A gateway that stops raises one alarm when it stops and one when it
    /// recovers, whichever node finds out.
    async fn handle_alarm_event(&self, event: &AlarmEvent) -> Result<(), StoreError> {
        let store = &self.dispatcher.store;
        match event {
            AlarmEvent::Stopped {
                gateway,
                reason,
                next_try_at,
            } => {
                let subject = subject(gateway);
                if self
                    .start_alarm(&subject, reason, Some(*next_try_at))
                    .await?
                {
                    let fallback = self.fallback(gateway);
                    let text =
                        format!("RedFlash: gateway {gateway} has stopped: {reason}. {fallback}");
                    warn!(%gateway, reason, "a gateway has stopped");
                    if !self.notify_contact(text, self.channel_of(gateway)).await {
                        // The alarm is then sent with the next failure.
                        store.end_alarm(&subject).await?;
                    }
                }
            }
            AlarmEvent::Recovered { gateway } => {
                if store.end_alarm(&subject(gateway)).await? {
                    warn!(%gateway, "a gateway has recovered");
                    let text = format!("RedFlash: gateway {gateway} has recovered.");
                    self.notify_contact(text, self.channel_of(gateway)).await;
                }
            }
            AlarmEvent::Refusing { gateway, reason } => {
                self.send_refusal_alarm(gateway, reason).await?;
            }
            AlarmEvent::RefusalEnded { gateway } => {
                if store.end_alarm(&refusal_subject(gateway)).await? {
                    warn!(%gateway, "a gateway no longer refuses messages");
                    let text = format!("RedFlash: gateway {gateway} no longer refuses messages.");
                    self.notify_contact(text, self.channel_of(gateway)).await;
                }
            }
            AlarmEvent::Budget { alarm, used, limit } => {
                self.send_budget_alarm(alarm, *used, *limit).await?;
            }
            AlarmEvent::Held { gateway } => {
                warn!(%gateway, "set aside a message that may have gone out");
                if self
                    .is_first(&format!("held/{gateway}"), Window::Hour)
                    .await?
                {
                    let text = format!(
                        "RedFlash: messages through gateway {gateway} may have been sent, and were set aside for review: see `redflash log --state quarantined`."
                    );
                    self.notify_contact(text, self.channel_of(gateway)).await;
                }
            }
            AlarmEvent::SetAside { set_aside } => {
                warn!(
                    set_aside,
                    "set aside deliveries that were leased several times without any outcome"
                );
                if self.is_first("set-aside", Window::Hour).await? {
                    let text = format!(
                        "RedFlash: messages were set aside for review ({set_aside} now), since the program ended {MAX_CLAIMS} times while sending them: see `redflash log --state quarantined`."
                    );
                    self.notify_contact(text, None).await;
                }
            }
            AlarmEvent::OptedOut {
                contacts,
                channel,
                address,
            } => {
                let contacts: Vec<_> = contacts.iter().map(Slug::as_str).collect();
                let contacts = contacts.join(", ");
                warn!(contacts, %channel, "a contact opted out");
                let text = format!(
                    "RedFlash: {contacts} opted out of messages to {address} ({channel}). The endpoint was switched off."
                );
                self.notify_contact(text, None).await;
            }
        }
        Ok(())
    }

    /// Records an alarm that begins now. Returns false if it is already open.
    async fn start_alarm(
        &self,
        subject: &str,
        reason: &str,
        next_try_at: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let alarm = Alarm {
            subject: subject.to_owned(),
            since: self.now(),
            reason: reason.to_owned(),
            next_try_at,
        };
        self.dispatcher.store.start_alarm(&alarm).await
    }

    /// Sends an alarm with the answer of a gateway that refuses messages, once an episode.
    async fn send_refusal_alarm(&self, gateway: &Slug, reason: &str) -> Result<(), StoreError> {
        let store = &self.dispatcher.store;
        let subject = refusal_subject(gateway);
        if !self.start_alarm(&subject, reason, None).await? {
            return Ok(());
        }
        warn!(%gateway, reason, "a gateway refuses messages");
        let fallback = self.fallback(gateway);
        let text =
            format!("RedFlash: gateway {gateway} is refusing messages: {reason}. {fallback}");
        if !self.notify_contact(text, self.channel_of(gateway)).await {
            // The alarm is then sent with the next refusal.
            store.end_alarm(&subject).await?;
        }
        Ok(())
    }

    /// Sends an alarm about a budget that is nearly or just used up, each once in its window.
    async fn send_budget_alarm(
        &self,
        alarm: &BudgetAlarm,
        used: u32,
        limit: u32,
    ) -> Result<(), StoreError> {
        let BudgetAlarm {
            gateway,
            window,
            is_used_up,
            ..
        } = alarm;
        let subject = format!("budget/{gateway}/{is_used_up}");
        if !self.is_first(&subject, *window).await? {
            return Ok(());
        }
        let window = window.as_str();
        warn!(%gateway, used, limit, window, "a budget is nearly used up");
        let text = if *is_used_up {
            format!(
                "RedFlash: gateway {gateway} has used up its budget of {limit} messages this {window}. Further messages are suppressed."
            )
        } else {
            format!(
                "RedFlash: gateway {gateway} has used {used} of its budget of {limit} messages this {window}."
            )
        };
        self.notify_contact(text, self.channel_of(gateway)).await;
        Ok(())
    }

    /// Returns true if something happens for the first time in a window, on any node.
    async fn is_first(&self, what: &str, window: Window) -> Result<bool, StoreError> {
        let once = Allowance {
            meter: format!("alarm/{what}"),
            window,
            limit: 1,
        };
        let spent = self.dispatcher.store.spend(&[once], self.now()).await?;
        Ok(matches!(spent, Spent::Counted(_)))
    }

    fn channel_of(&self, gateway: &Slug) -> Option<ChannelKind> {
        let gateways = self.gateways();
        Some(gateways.get(gateway)?.channel.kind())
    }

    /// Returns a sentence about the messages of a gateway that has stopped.
    fn fallback(&self, gateway: &Slug) -> String {
        let channel = self.channel_of(gateway);
        let stopped = self.dispatcher.alarms.stopped();
        let gateways = self.gateways();
        let others = gateways.iter().filter(|other| {
            other.name != *gateway
                && Some(other.channel.kind()) == channel
                && !stopped.contains(&other.name)
        });
        let named = |other: &Arc<Gateway>| match &*other.prefixes {
            [] => other.name.to_string(),
            prefixes => format!("{} ({})", other.name, prefixes.join(", ")),
        };
        let others: Vec<_> = others.map(named).collect();
        match &*others {
            [] => "Its messages are waiting.".into(),
            others => format!("Its messages go through {}.", others.join(", ")),
        }
    }

    /// Notifies the alarm contact through other channels than the affected one. Returns false if
    /// the alarm should be tried again.
    async fn notify_contact(&self, text: String, channel: Option<ChannelKind>) -> bool {
        let settings = self.dispatcher.settings();
        let Some(contact) = &settings.alarm_contact else {
            return true;
        };
        let mut raise = Raise::contact(contact.clone(), text);
        if let Some(channel) = channel {
            raise = raise.except(channel);
        }
        match self.raise(raise).await {
            Ok(_) => true,
            Err(error) => {
                error!(%contact, error = error_chain(&error), "could not raise an alarm");
                let passes = matches!(
                    error,
                    crate::engine::RaiseError::Store { .. }
                        | crate::engine::RaiseError::Overloaded { .. }
                );
                !passes
            }
        }
    }
}
