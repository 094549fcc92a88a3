//! The promises of a [`Channel`], as tests.
//!
//! The author of a channel writes a [`Fixture`]: the channel, and a peer with a given [`Behaviour`].
//! If a behaviour does not exist for a channel, the fixture [refuses](Fixture::prepare) it, and its
//! promises hold trivially.
//!
//! ```ignore
//! async fn open() -> Carrier { Carrier::start().await }
//! redflash_core::channel_conformance!(open);
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::unused_async,
    reason = "a promise fails by panicking, and all promises are called alike"
)]

use std::future::poll_fn;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::gateway::Channel;
use crate::message::{Accepted, OutboundMessage, SendError};
use crate::model::{DeliveryId, NotificationId};

/// The behaviour of a peer with the next message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Accepts the message.
    Accept,
    /// Rejects the message permanently.
    Reject,
    /// Rejects our credentials.
    RefuseAccount,
    /// Answers that the rate is too high, with `Some` number of seconds to wait.
    Throttle(Option<u64>),
    /// Answers with a temporary failure.
    Fail,
    /// Reads the message and never answers.
    Hang,
    /// Reads the message and closes the connection.
    Drop,
    /// Reads the message and answers with nonsense in its protocol.
    Garbage,
    /// Reads the message and answers without end.
    Endless,
    /// Does not listen.
    Gone,
}

/// A channel under test, with the peer behind it.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The channel.
    fn channel(&self) -> &dyn Channel;

    /// Returns an address that the peer serves, as a person would type it, and in another notation.
    fn address(&self) -> (String, String);

    /// Returns texts that the channel must not accept as addresses.
    fn not_addresses(&self) -> Vec<String>;

    /// Prepares the peer's behaviour with the next message; `false` if it does not exist here.
    async fn prepare(&self, behaviour: Behaviour) -> bool;

    /// Returns the number of messages that have reached the peer so far, accepted or not.
    async fn messages(&self) -> usize;

    /// Returns the secrets of the channel.
    fn secrets(&self) -> Vec<String>;
}

/// Longest time that a channel may wait for a silent peer. Fixtures configure less.
const DEADLINE: Duration = Duration::from_secs(30);

/// Generates one test of every promise of a channel.
///
/// * `open` - the path of an `async fn() -> impl Fixture`.
#[macro_export]
macro_rules! channel_conformance {
    ($open:path) => {
        $crate::channel_conformance! { $open =>
            equal_addresses_have_one_normal_form
            rejects_invalid_addresses
            accepted_message_is_accepted
            rejected_message_is_rejected
            rejected_credentials_stop_the_gateway
            throttled_message_waits_as_long_as_asked
            temporary_failure_is_retried
            silence_is_an_unknown_outcome
            silence_blocks_no_thread
            lost_connection_is_an_unknown_outcome
            garbage_is_an_unknown_outcome
            endless_answer_is_cut_off
            missing_peer_is_unreachable
            secrets_stay_secret
        }
    };
    ($open:path => $($case:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::conformance::channel::$case(&$open().await).await;
            }
        )+
    };
}

/// The notification's id in [`message`].
pub const NOTIFICATION: &str = "019f4a2b6c007d3e8f50617283000000";

/// Returns a message to this address, the same each time.
pub fn message(channel: &dyn Channel, to: &str) -> OutboundMessage {
    let now = Timestamp::from_millis(1_790_000_000_000);
    let notification: NotificationId = NOTIFICATION.parse().unwrap();
    OutboundMessage {
        notification,
        delivery: DeliveryId::new(notification, 1),
        attempt: 1,
        first_attempt_at: now,
        at: now,
        to: channel.parse_address(to).unwrap(),
        subject: "Disk full".into(),
        body: "The disk of db1 is full: 100 %.".into(),
        sender: None,
        link: None,
        origin: None,
    }
}

/// Sends one message to a peer with this behaviour; `None` if it does not exist. Checks the
/// promises of every send: it ends, it makes at most one request, and it reveals no secret.
async fn sent(fixture: &dyn Fixture, behaviour: Behaviour) -> Option<Result<Accepted, SendError>> {
    if !fixture.prepare(behaviour).await {
        return None;
    }
    let message = message(fixture.channel(), &fixture.address().0);
    let before = fixture.messages().await;
    let begun = Instant::now();
    let result = fixture.channel().send(&message).await;
    assert!(begun.elapsed() < DEADLINE, "took {:?}", begun.elapsed());
    let requests = fixture.messages().await - before;
    let reached = usize::from(behaviour != Behaviour::Gone);
    assert!(requests <= reached, "{requests} requests for one send");
    if let Err(error) = &result {
        no_secrets(fixture, &format!("{error:?} {}", error.detail()));
    }
    Some(result)
}

fn no_secrets(fixture: &dyn Fixture, text: &str) {
    for secret in fixture.secrets() {
        assert!(!text.contains(&secret), "a secret is revealed: {text}");
    }
}

/// Two notations of one address have one normal form, which is its own normal form.
pub async fn equal_addresses_have_one_normal_form(fixture: &dyn Fixture) {
    let channel = fixture.channel();
    let (one, other) = fixture.address();
    let address = channel.parse_address(&one).unwrap();
    assert_eq!(channel.parse_address(&other).unwrap(), address);
    assert_eq!(channel.parse_address(address.as_str()).unwrap(), address);
}

/// Texts that are not addresses are refused.
pub async fn rejects_invalid_addresses(fixture: &dyn Fixture) {
    let channel = fixture.channel();
    for text in fixture.not_addresses() {
        let taken = channel.parse_address(&text);
        assert!(taken.is_err(), "{text:?} was taken for {taken:?}");
    }
    assert!(channel.parse_address("").is_err());
}

/// A message that the peer accepts is accepted, has at least one part, and reached it once.
pub async fn accepted_message_is_accepted(fixture: &dyn Fixture) {
    for _ in 0..2 {
        let before = fixture.messages().await;
        let accepted = sent(fixture, Behaviour::Accept).await;
        let accepted = accepted.expect("every peer can accept").unwrap();
        assert!(accepted.parts >= 1);
        assert_eq!(fixture.messages().await, before + 1);
    }
}

/// A message that the peer rejects permanently is not tried again.
pub async fn rejected_message_is_rejected(fixture: &dyn Fixture) {
    if let Some(result) = sent(fixture, Behaviour::Reject).await {
        let rejected = matches!(
            result,
            Err(SendError::Rejected { .. } | SendError::InvalidAddress { .. })
        );
        assert!(rejected, "{result:?}");
    }
}

/// A peer that rejects our credentials stops the gateway.
pub async fn rejected_credentials_stop_the_gateway(fixture: &dyn Fixture) {
    if let Some(result) = sent(fixture, Behaviour::RefuseAccount).await {
        assert!(
            matches!(result, Err(SendError::Unauthorized { .. })),
            "{result:?}"
        );
    }
}

/// A throttled message waits as long as the peer asks: with all other messages of the gateway, or
/// alone if the peer means this recipient or this message.
pub async fn throttled_message_waits_as_long_as_asked(fixture: &dyn Fixture) {
    for asked in [None, Some(17)] {
        if let Some(result) = sent(fixture, Behaviour::Throttle(asked)).await {
            let Err(
                SendError::RateLimited { retry_after, .. }
                | SendError::Deferred { retry_after, .. },
            ) = result
            else {
                panic!("{result:?}");
            };
            assert_eq!(retry_after, asked.map(Duration::from_secs));
        }
    }
}

/// A message that fails temporarily is tried again, and does not count as possibly sent.
pub async fn temporary_failure_is_retried(fixture: &dyn Fixture) {
    if let Some(result) = sent(fixture, Behaviour::Fail).await {
        assert!(
            matches!(
                result,
                Err(SendError::Unreachable(_) | SendError::Deferred { .. })
            ),
            "{result:?}"
        );
    }
}

/// Silence is an unknown outcome.
pub async fn silence_is_an_unknown_outcome(fixture: &dyn Fixture) {
    unknown(fixture, Behaviour::Hang).await;
}

/// A channel that waits yields its thread. All other tasks of the program run on it too, and no
/// deadline ends a call that blocks.
pub async fn silence_blocks_no_thread(fixture: &dyn Fixture) {
    const BLOCKING: Duration = Duration::from_secs(1);
    if !fixture.prepare(Behaviour::Hang).await {
        return;
    }
    let message = message(fixture.channel(), &fixture.address().0);
    let mut sending = fixture.channel().send(&message);
    let mut longest = Duration::ZERO;
    let _ = poll_fn(|context| {
        let begun = Instant::now();
        let polled = sending.as_mut().poll(context);
        longest = longest.max(begun.elapsed());
        polled
    })
    .await;
    assert!(longest < BLOCKING, "it blocked its thread for {longest:?}");
}

/// A lost connection is an unknown outcome.
pub async fn lost_connection_is_an_unknown_outcome(fixture: &dyn Fixture) {
    unknown(fixture, Behaviour::Drop).await;
}

/// A nonsensical answer is an unknown outcome.
pub async fn garbage_is_an_unknown_outcome(fixture: &dyn Fixture) {
    unknown(fixture, Behaviour::Garbage).await;
}

async fn unknown(fixture: &dyn Fixture, behaviour: Behaviour) {
    if let Some(result) = sent(fixture, behaviour).await {
        assert!(matches!(result, Err(SendError::Unknown(_))), "{result:?}");
    }
}

/// An endless answer is read up to a limit. Its meaning depends on its beginning.
pub async fn endless_answer_is_cut_off(fixture: &dyn Fixture) {
    if let Some(result) = sent(fixture, Behaviour::Endless).await {
        assert!(
            matches!(result, Ok(_) | Err(SendError::Unknown(_))),
            "{result:?}"
        );
    }
}

/// A message that never reached the peer is tried again, and does not count as possibly sent.
pub async fn missing_peer_is_unreachable(fixture: &dyn Fixture) {
    if let Some(result) = sent(fixture, Behaviour::Gone).await {
        assert!(
            matches!(result, Err(SendError::Unreachable(_))),
            "{result:?}"
        );
    }
}

/// The channel's own texts contain no secret.
pub async fn secrets_stay_secret(fixture: &dyn Fixture) {
    no_secrets(fixture, &format!("{:?}", fixture.channel()));
}

#[cfg(test)]
mod tests {
    #[test]
    fn macro_lists_every_promise() {
        let source = include_str!("channel.rs");
        let promises = source
            .lines()
            .filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
        for promise in promises {
            let line = format!("            {promise}\n");
            assert!(source.contains(&line), "{promise} is not in the macro");
        }
    }
}
