//! Handing a message to a gateway, once and within its deadline, alone or in a batch.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use crate::dispatcher::Dispatcher;
use crate::dispatcher::lease::LeaseView;
use crate::gateway::{Channel, Gateway};
use crate::message::{Accepted, OutboundMessage, SendError};
use crate::model::{NotificationId, Slug};

type SendResult = Result<Accepted, SendError>;

/// Number of times that a collector yields, so that more messages can join its request.
const YIELDS: usize = 3;

/// A message on its way to a gateway.
#[derive(Debug)]
pub(crate) struct SendRequest {
    pub(crate) gateway: Arc<Gateway>,
    /// Permits for the gateway's requests in flight.
    pub(crate) requests: Arc<Semaphore>,
    pub(crate) message: OutboundMessage,
    pub(crate) lease: LeaseView,
}

/// A request without an answer.
struct Unanswered {
    why: String,
    /// True if the end of the dispatcher cut it off, which says nothing about the gateway.
    is_cut_off: bool,
}

/// The result of a message. Only the first message of a request reports to the breaker, since its
/// failure is one failure for all of them.
#[derive(Debug)]
pub(crate) struct SendReport {
    pub(crate) result: SendResult,
    pub(crate) is_first: bool,
}

/// The messages that wait for the next request to their gateway.
#[derive(Debug, Default)]
pub(crate) struct Batches(Mutex<HashMap<(Slug, usize), Vec<QueuedMessage>>>);

#[derive(Debug)]
struct QueuedMessage {
    message: OutboundMessage,
    lease: LeaseView,
    answer: oneshot::Sender<SendReport>,
}

impl Batches {
    fn state(&self) -> MutexGuard<'_, HashMap<(Slug, usize), Vec<QueuedMessage>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message. Returns true if it needs a collector.
    fn add(&self, key: (Slug, usize), waiting: QueuedMessage) -> bool {
        let mut state = self.state();
        let needs_collector = !state.contains_key(&key);
        state.entry(key).or_default().push(waiting);
        needs_collector
    }

    /// Takes the messages of one request. If there are none, the collecting ends.
    fn take(&self, key: &(Slug, usize), channel: &dyn Channel) -> Vec<QueuedMessage> {
        let mut state = self.state();
        let Some(waiting) = state.get_mut(key) else {
            return Vec::new();
        };
        let taken = take_companions(waiting, channel);
        if taken.is_empty() {
            state.remove(key);
        }
        taken
    }
}

/// The collecting of messages for a gateway. If it ends early, the waiting messages are dropped.
struct Collecting<'a> {
    batches: &'a Batches,
    key: Option<(Slug, usize)>,
}

impl Collecting<'_> {
    /// Takes the messages of the next request. If there are none, the collecting ends.
    fn take(&mut self, channel: &dyn Channel) -> Vec<QueuedMessage> {
        let Some(key) = &self.key else {
            return Vec::new();
        };
        let taken = self.batches.take(key, channel);
        if taken.is_empty() {
            // The next message starts another collector.
            self.key = None;
        }
        taken
    }
}

impl Drop for Collecting<'_> {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            self.batches.state().remove(key);
        }
    }
}

/// Takes the first message and those that fit into its request, in their order.
fn take_companions(waiting: &mut Vec<QueuedMessage>, channel: &dyn Channel) -> Vec<QueuedMessage> {
    /// Number of messages searched for companions, as a multiple of a request's size.
    const LOOK_AHEAD: usize = 4;
    let most = usize::try_from(channel.capabilities().batch).unwrap_or(1);
    let window = waiting.len().min(most.saturating_mul(LOOK_AHEAD));
    let mut together: Vec<&OutboundMessage> = Vec::new();
    let mut companions = Vec::with_capacity(window);
    for QueuedMessage { message, .. } in &waiting[..window] {
        let fits = together.is_empty() || channel.goes_with(&together, message);
        let is_companion = together.len() < most && fits;
        if is_companion {
            together.push(message);
        }
        companions.push(is_companion);
    }
    let mut companions = companions.into_iter();
    let (taken, left): (Vec<_>, Vec<_>) = waiting
        .drain(..window)
        .partition(|_| companions.next().unwrap_or(false));
    waiting.splice(..0, left);
    taken
}

impl Dispatcher {
    /// Hands a message to a gateway.
    pub(crate) async fn send(self: &Arc<Self>, sending: SendRequest) -> SendReport {
        let SendRequest {
            gateway,
            requests,
            mut message,
            lease,
        } = sending;
        message.link = self.page_of(message.notification);
        if gateway.channel.capabilities().batch <= 1 {
            return match self.request_permit(&gateway, &requests, &lease).await {
                Ok(_request) => {
                    lease.begin(&gateway.name, self.now());
                    self.send_one(&gateway, &message).await
                }
                // A request that was not begun says nothing about the gateway.
                Err(late) => SendReport {
                    result: Err(late),
                    is_first: false,
                },
            };
        }
        let (answer, answered) = oneshot::channel();
        let waiting = QueuedMessage {
            message,
            lease,
            answer,
        };
        // Each lane of a gateway has requests of its own.
        let key = (gateway.name.clone(), Arc::as_ptr(&requests).addr());
        if self.batches.add(key.clone(), waiting) {
            let collecting = Arc::clone(self).run_collector(key, gateway, requests);
            self.spawn(collecting);
        }
        answered.await.unwrap_or_else(|_| SendReport {
            result: Err(SendError::Unknown("the request was abandoned".into())),
            is_first: true,
        })
    }

    /// Returns the URL of a notification's page, if there is one.
    fn page_of(&self, notification: NotificationId) -> Option<String> {
        let pages = self.notification_pages.as_ref()?;
        Some(format!("{pages}{notification}"))
    }

    /// Waits until a gateway may get another request. After a wait, the request is not begun if the
    /// lease does not hold until the gateway's deadline.
    async fn request_permit(
        &self,
        gateway: &Gateway,
        requests: &Arc<Semaphore>,
        lease: &LeaseView,
    ) -> Result<OwnedSemaphorePermit, SendError> {
        if let Ok(request) = Arc::clone(requests).try_acquire_owned() {
            return Ok(request);
        }
        let request = Arc::clone(requests).acquire_owned().await;
        let request = request.map_err(|closed| SendError::Unreachable(closed.into()))?;
        if !self.still_holds(lease, gateway.limits.deadline).await {
            return Err(lease_ended());
        }
        Ok(request)
    }

    /// Separates messages with a valid lease from those that another process owns by now.
    async fn split_by_lease(
        &self,
        gateway: &Gateway,
        waited: Vec<QueuedMessage>,
    ) -> (Vec<QueuedMessage>, Vec<QueuedMessage>) {
        let (mut held, mut lost) = (Vec::new(), Vec::new());
        for one in waited {
            if self.still_holds(&one.lease, gateway.limits.deadline).await {
                held.push(one);
            } else {
                lost.push(one);
            }
        }
        (held, lost)
    }

    /// Sends the waiting messages in batches until none are left.
    async fn run_collector(
        self: Arc<Self>,
        key: (Slug, usize),
        gateway: Arc<Gateway>,
        requests: Arc<Semaphore>,
    ) {
        let mut collecting = Collecting {
            batches: &self.batches,
            key: Some(key),
        };
        let mut had_to_wait = false;
        loop {
            had_to_wait |= requests.available_permits() == 0;
            let Ok(request) = Arc::clone(&requests).acquire_owned().await else {
                return;
            };
            for _ in 0..YIELDS {
                tokio::task::yield_now().await;
            }
            let taken = collecting.take(&*gateway.channel);
            if taken.is_empty() {
                return;
            }
            let (batch, lost) = if had_to_wait {
                self.split_by_lease(&gateway, taken).await
            } else {
                (taken, Vec::new())
            };
            for one in lost {
                // The receiver is gone once the process is about to end.
                let _ = one.answer.send(SendReport {
                    result: Err(lease_ended()),
                    is_first: false,
                });
            }
            let (dispatcher, gateway) = (Arc::clone(&self), Arc::clone(&gateway));
            self.spawn(async move {
                dispatcher.send_many(&gateway, batch).await;
                drop(request);
            });
        }
    }

    /// Calls the gateway once for one message.
    async fn send_one(&self, gateway: &Gateway, message: &OutboundMessage) -> SendReport {
        let sending = gateway.channel.send(message);
        let (result, is_first) = match self.within_deadline(gateway, sending).await {
            Ok(sent) => (sent, true),
            Err(Unanswered { why, is_cut_off }) => {
                (Err(SendError::Unknown(why.into())), !is_cut_off)
            }
        };
        SendReport {
            result: result.map(Accepted::with_kept_id),
            is_first,
        }
    }

    /// Calls the gateway once for several messages, and answers each.
    async fn send_many(&self, gateway: &Gateway, batch: Vec<QueuedMessage>) {
        let now = self.now();
        for one in &batch {
            one.lease.begin(&gateway.name, now);
        }
        let (messages, answers): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|one| (one.message, one.answer))
            .unzip();
        let sending = match &*messages {
            [] => return,
            // A vendor may have a simpler request for one.
            [message] => Box::pin(async move { vec![gateway.channel.send(message).await] }),
            many => gateway.channel.send_batch(many),
        };
        let (sent, Unanswered { why, is_cut_off }) =
            match self.within_deadline(gateway, sending).await {
                Ok(sent) => (
                    sent,
                    Unanswered {
                        why: "the gateway answered for fewer messages than it got".to_owned(),
                        is_cut_off: false,
                    },
                ),
                Err(unanswered) => (Vec::new(), unanswered),
            };
        let mut sent = sent.into_iter();
        for (position, answer) in answers.into_iter().enumerate() {
            let unanswered = || Err(SendError::Unknown(why.clone().into()));
            let report = SendReport {
                result: sent
                    .next()
                    .unwrap_or_else(unanswered)
                    .map(Accepted::with_kept_id),
                is_first: position == 0 && !is_cut_off,
            };
            // The receiver is gone once the process is about to end.
            let _ = answer.send(report);
        }
    }

    /// Returns the answer of a channel within the deadline, even if it hangs; otherwise the reason
    /// why there is none.
    async fn within_deadline<T>(
        &self,
        gateway: &Gateway,
        sending: Pin<Box<dyn Future<Output = T> + Send + '_>>,
    ) -> Result<T, Unanswered> {
        let deadline = gateway.limits.deadline;
        let late = |_| Unanswered {
            why: format!("no answer within {} s", deadline.as_secs_f32()),
            is_cut_off: false,
        };
        let Some(life) = self.life().filter(|life| !life.is_over()) else {
            return timeout(deadline, sending).await.map_err(late);
        };
        let watched = self.watchdog().watched(&gateway.name, sending);
        tokio::select! {
            biased;
            answer = timeout(deadline, watched) => answer.map_err(late),
            () = life.cut().cancelled() => Err(Unanswered {
                why: "the engine was shut down before the gateway answered".to_owned(),
                is_cut_off: true,
            }),
        }
    }

    /// Runs a part of a hand-over in a separate task, which ends when hand-overs do.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        match self.life().filter(|life| !life.is_over()) {
            Some(life) => life.spawn_hand_over(task),
            None => {
                tokio::spawn(task);
            }
        }
    }
}

/// Returns the error of a message whose lease ended, or was about to end, before its turn came.
fn lease_ended() -> SendError {
    SendError::Unreachable("the lease was about to end before the message's turn".into())
}
