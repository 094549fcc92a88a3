//! A watchdog for channels that block the thread they run on, which no deadline can end.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use tracing::error;

use crate::model::Slug;

/// Time after which a channel that has not yielded its thread is reported.
const BLOCKING_AFTER: Duration = Duration::from_secs(1);
/// Time between two checks while messages are being sent.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// Reports the gateways whose channels block a thread. It has its own thread, since theirs may be
/// the only one of the runtime.
#[derive(Debug)]
pub(crate) struct Watchdog(Arc<Calls>);

/// The calls to channels in progress.
#[derive(Debug)]
struct Calls {
    begun: Instant,
    calls: Mutex<Vec<Arc<Call>>>,
}

#[derive(Debug)]
struct Call {
    gateway: Slug,
    /// Time at which the channel got the thread, in milliseconds plus one; 0 while it waits.
    since: AtomicU64,
    was_reported: AtomicBool,
}

impl Watchdog {
    /// Starts the watchdog, which runs until it is dropped.
    pub(crate) fn start() -> Self {
        let begun = Instant::now();
        let calls = Mutex::default();
        let calls = Arc::new(Calls { begun, calls });
        let watched = Arc::downgrade(&calls);
        let named = thread::Builder::new().name("redflash-watchdog".into());
        if let Err(error) = named.spawn(move || watch(&watched)) {
            error!(error = %error, "could not start the watchdog for channels that block their thread");
        }
        Self(calls)
    }

    /// Watches a call to a gateway's channel.
    pub(crate) fn watched<F>(&self, gateway: &Slug, send: F) -> Watched<F> {
        let call = Arc::new(Call {
            gateway: gateway.clone(),
            since: AtomicU64::new(0),
            was_reported: AtomicBool::new(false),
        });
        self.0.lock().push(Arc::clone(&call));
        Watched {
            send,
            call,
            calls: Arc::clone(&self.0),
        }
    }

    /// Returns the gateways whose channels block a thread now, and for how long.
    pub(crate) fn blocking(&self) -> Vec<(Slug, Duration)> {
        let calls = self.0.lock();
        let blocking = |call: &Arc<Call>| Some((call.gateway.clone(), self.0.blocks_for(call)?));
        calls.iter().filter_map(blocking).collect()
    }
}

impl Calls {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Call>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the milliseconds since the watchdog started.
    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn blocks_for(&self, call: &Call) -> Option<Duration> {
        let since = call.since.load(Ordering::Relaxed).checked_sub(1)?;
        let elapsed = Duration::from_millis(self.now().saturating_sub(since));
        (elapsed >= BLOCKING_AFTER).then_some(elapsed)
    }

    /// Reports channels that have blocked their thread for too long, each call once. Returns true
    /// if any call is in progress.
    fn report_blocking(&self) -> bool {
        let calls = self.lock();
        for call in calls.iter() {
            if self.blocks_for(call).is_some() && !call.was_reported.swap(true, Ordering::Relaxed) {
                error!(
                    gateway = %call.gateway,
                    "a channel blocks its thread: no deadline can end the call, and other tasks wait; wrap blocking calls in tokio::task::spawn_blocking"
                );
            }
        }
        !calls.is_empty()
    }
}

fn watch(calls: &Weak<Calls>) {
    loop {
        let Some(calls) = calls.upgrade() else {
            return;
        };
        let pause = if calls.report_blocking() {
            CHECK_INTERVAL
        } else {
            BLOCKING_AFTER
        };
        drop(calls);
        thread::sleep(pause);
    }
}

/// A call that is watched.
pub(crate) struct Watched<F> {
    send: F,
    call: Arc<Call>,
    calls: Arc<Calls>,
}

impl<F: Future + Unpin> Future for Watched<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let since = self.calls.now().saturating_add(1);
        self.call.since.store(since, Ordering::Relaxed);
        let polled = Pin::new(&mut self.send).poll(context);
        self.call.since.store(0, Ordering::Relaxed);
        polled
    }
}

impl<F> Drop for Watched<F> {
    fn drop(&mut self) {
        let mut calls = self.calls.lock();
        calls.retain(|call| !Arc::ptr_eq(call, &self.call));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_blocking_channels_and_not_waiting_ones() {
        let watchdog = Watchdog::start();
        let gateway = |name| Slug::parse(name).unwrap();
        let mut waits = watchdog.watched(&gateway("waits"), std::future::pending::<()>());
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(Pin::new(&mut waits).poll(&mut context).is_pending());
        let send = Box::pin(async {
            let begun = Instant::now();
            loop {
                if let [(blocking, taken)] = &*watchdog.blocking() {
                    assert!(*taken >= BLOCKING_AFTER);
                    break blocking.clone();
                }
                assert!(
                    begun.elapsed() < Duration::from_secs(30),
                    "it is never named"
                );
                thread::sleep(Duration::from_millis(10));
            }
        });
        let mut blocks = watchdog.watched(&gateway("blocks"), send);
        let polled = Pin::new(&mut blocks).poll(&mut context);
        assert_eq!(polled, Poll::Ready(gateway("blocks")));
        assert_eq!(watchdog.blocking(), []);
    }
}
