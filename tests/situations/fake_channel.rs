//! A channel that does with each message what its text says.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::delivery::RetrySchedule;
use redflash_core::gateway::{Capabilities, Channel, Gateway, Limits};
use redflash_core::message::{Accepted, OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use tokio::sync::watch;

/// A channel that accepts messages. It waits for its gate with those that begin with `gated`, for ever with
/// those that begin with `hang`, and with those that begin with `block` it does not let go of its thread for
/// 2.5 seconds.
#[derive(Clone, Debug)]
pub(crate) struct FakeChannel(Arc<State>);

#[derive(Debug, Default)]
struct State {
    capabilities: Capabilities,
    is_open: watch::Sender<bool>,
    /// The texts that it was given, and those that it accepted.
    seen: watch::Sender<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    begun: Vec<String>,
    sent: Vec<String>,
}

/// Time for which a message blocks its thread.
pub(crate) const BLOCKED: Duration = Duration::from_millis(2500);

impl FakeChannel {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// Returns a channel that takes up to this many messages in a request.
    pub(crate) fn in_batches(batch: u32) -> Self {
        let capabilities = Capabilities {
            batch,
            ..Capabilities::default()
        };
        Self(Arc::new(State {
            capabilities,
            ..State::default()
        }))
    }

    /// A gateway named `fake` of this channel.
    pub(crate) fn gateway(&self) -> Gateway {
        gateway(self.clone())
    }

    /// Returns every text that was accepted, in order.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.0.seen.borrow().sent.clone()
    }

    /// Returns how many messages it was given.
    pub(crate) fn begun_count(&self) -> usize {
        self.0.seen.borrow().begun.len()
    }

    /// Waits until it is given a message with this text.
    pub(crate) async fn begins(&self, text: &str) {
        let mut seen = self.0.seen.subscribe();
        let begun = seen.wait_for(|seen| seen.begun.iter().any(|begun| begun == text));
        begun.await.unwrap();
    }

    /// Lets messages through for which it waits.
    pub(crate) fn open_gate(&self) {
        self.0.is_open.send_replace(true);
    }
}

/// A gateway named `fake`, with a short schedule.
pub(crate) fn gateway(channel: impl Channel) -> Gateway {
    let limits = Limits {
        deadline: Duration::from_secs(5),
        ..Limits::default()
    };
    let waits = vec![Duration::from_millis(50)];
    Gateway::new("fake".parse().unwrap(), channel)
        .with_limits(limits)
        .with_schedule(RetrySchedule::new(waits, Duration::from_secs(3600)))
}

#[async_trait]
impl Channel for FakeChannel {
    fn kind(&self) -> ChannelKind {
        "fake".parse().unwrap()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        Address::new(raw)
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let text = message.body.clone();
        let State { seen, is_open, .. } = &*self.0;
        seen.send_modify(|seen| seen.begun.push(text.clone()));
        assert!(text != "panic", "a panic of a channel");
        match text.split(' ').next() {
            Some("hang") => std::future::pending().await,
            Some("block") => std::thread::sleep(BLOCKED),
            Some("gated") => {
                is_open
                    .subscribe()
                    .wait_for(|is_open| *is_open)
                    .await
                    .unwrap();
            }
            _ => {}
        }
        seen.send_modify(|seen| seen.sent.push(text));
        Ok(Accepted::new(Some(message.delivery.to_string())))
    }
}
