//! Handing a message to a gateway: once, within its deadline, alone or with others in one request.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::Dispatcher;
use crate::{Accepted, Gateway, OutboundMessage, SendError, Slug};

type Sent = Result<Accepted, SendError>;

/// How often what is about to be sent lets others run that might come along.
const JOIN: usize = 3;

/// The messages that wait for the next request to their gateway.
#[derive(Debug, Default)]
pub(super) struct Batches(Mutex<HashMap<Slug, Batch>>);

#[derive(Debug)]
struct Batch {
    waiting: Vec<(OutboundMessage, oneshot::Sender<Sent>)>,
    /// Lets through as many requests as may be under way.
    requests: Arc<Semaphore>,
    is_collected: bool,
}

impl Batches {
    fn state(&self) -> MutexGuard<'_, HashMap<Slug, Batch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message. `Some` when somebody has to collect, with what lets requests through.
    fn add(
        &self,
        gateway: &Gateway,
        message: OutboundMessage,
        answer: oneshot::Sender<Sent>,
    ) -> Option<Arc<Semaphore>> {
        let mut state = self.state();
        let batch = state.entry(gateway.name.clone()).or_insert_with(|| {
            let requests = usize::try_from(gateway.limits.concurrency).unwrap_or(1);
            Batch {
                waiting: Vec::new(),
                requests: Arc::new(Semaphore::new(requests)),
                is_collected: false,
            }
        });
        batch.waiting.push((message, answer));
        let begin = !std::mem::replace(&mut batch.is_collected, true);
        begin.then(|| Arc::clone(&batch.requests))
    }

    /// Takes what goes into one request; nothing ends the collecting.
    fn take(&self, gateway: &Slug, most: usize) -> Vec<(OutboundMessage, oneshot::Sender<Sent>)> {
        let mut state = self.state();
        let Some(batch) = state.get_mut(gateway) else {
            return Vec::new();
        };
        let count = most.min(batch.waiting.len());
        batch.is_collected = count > 0;
        batch.waiting.drain(..count).collect()
    }
}

impl Dispatcher {
    /// Hands a message to a gateway.
    pub(crate) async fn send(
        self: &Arc<Self>,
        gateway: &Arc<Gateway>,
        message: OutboundMessage,
    ) -> Sent {
        if gateway.channel.capabilities().batch <= 1 {
            return alone(gateway, &message).await;
        }
        let (answer, answered) = oneshot::channel();
        if let Some(requests) = self.batches.add(gateway, message, answer) {
            let collecting = Arc::clone(self).collect(Arc::clone(gateway), requests);
            self.tasks.spawn(collecting);
        }
        let lost = |_| Err(SendError::Unknown("its request was given up".into()));
        answered.await.unwrap_or_else(lost)
    }

    /// Sends what waits for a gateway, as much at once as goes into a request, until nothing waits.
    async fn collect(self: Arc<Self>, gateway: Arc<Gateway>, requests: Arc<Semaphore>) {
        let most = usize::try_from(gateway.channel.capabilities().batch).unwrap_or(1);
        loop {
            let Ok(request) = Arc::clone(&requests).acquire_owned().await else {
                return;
            };
            for _ in 0..JOIN {
                tokio::task::yield_now().await;
            }
            let batch = self.batches.take(&gateway.name, most);
            if batch.is_empty() {
                return;
            }
            let gateway = Arc::clone(&gateway);
            self.tasks.spawn(async move {
                together(&gateway, batch).await;
                drop(request);
            });
        }
    }
}

/// Calls the gateway once for one message.
async fn alone(gateway: &Gateway, message: &OutboundMessage) -> Sent {
    within_deadline(gateway, gateway.channel.send(message))
        .await
        .unwrap_or_else(|why| Err(SendError::Unknown(why.into())))
}

/// Calls the gateway once for several messages, and answers each.
async fn together(gateway: &Gateway, batch: Vec<(OutboundMessage, oneshot::Sender<Sent>)>) {
    let (messages, answers): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
    let sending = match &*messages {
        // A vendor may have a simpler request for one.
        [message] => Box::pin(async move { vec![gateway.channel.send(message).await] }),
        many => gateway.channel.send_batch(many),
    };
    let (sent, why) = match within_deadline(gateway, sending).await {
        Ok(sent) => (
            sent,
            "the gateway answered for fewer messages than it got".to_owned(),
        ),
        Err(why) => (Vec::new(), why),
    };
    let mut sent = sent.into_iter();
    for answer in answers {
        let unanswered = || Err(SendError::Unknown(why.clone().into()));
        // Nobody waits for it once the process is about to end.
        let _ = answer.send(sent.next().unwrap_or_else(unanswered));
    }
}

/// What a channel answers within the deadline, whatever it does; otherwise why it did not.
async fn within_deadline<T>(
    gateway: &Gateway,
    sending: Pin<Box<dyn Future<Output = T> + Send + '_>>,
) -> Result<T, String> {
    let deadline = gateway.limits.deadline;
    match timeout(deadline, CatchPanic(sending)).await {
        Ok(result) => result,
        Err(_) => Err(format!("no answer within {} s", deadline.as_secs_f32())),
    }
}

/// A future whose panic is an answer.
struct CatchPanic<'a, T>(Pin<Box<dyn Future<Output = T> + Send + 'a>>);

impl<T> Future for CatchPanic<'_, T> {
    type Output = Result<T, String>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let inner = &mut self.0;
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| inner.as_mut().poll(context)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(answer)) => Poll::Ready(Ok(answer)),
            Err(_) => Poll::Ready(Err("the channel panicked".into())),
        }
    }
}
