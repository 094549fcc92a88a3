//! A deadline that holds even if the runtime, and its timers with it, is stalled.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tracing::error;

/// Waits for some time, measured on a separate thread. Dropping the future ends the thread.
pub(crate) async fn wait_out(time: Duration) {
    let (over, is_over) = oneshot::channel::<()>();
    let (awaited, given_up) = mpsc::channel::<()>();
    let named = thread::Builder::new().name("redflash-deadline".into());
    let spawned = named.spawn(move || {
        // Nothing is ever sent: the wait ends with the time, or when the future is dropped.
        let _ = given_up.recv_timeout(time);
        drop(over);
    });
    if let Err(error) = spawned {
        return error!(error = %error, "could not start the deadline thread; treating the deadline as over");
    }
    let _ = is_over.await;
    drop(awaited);
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn time_passes_without_a_runtime() {
        let time = Duration::from_millis(20);
        let begun = Instant::now();
        let waiting = thread::spawn(move || wait_for(wait_out(time)));
        waiting.join().unwrap();
        assert!(begun.elapsed() >= time);
    }

    /// Waits on this thread until a future is ready.
    fn wait_for(future: impl Future<Output = ()>) {
        struct Unpark(thread::Thread);
        impl std::task::Wake for Unpark {
            fn wake(self: std::sync::Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = std::sync::Arc::new(Unpark(thread::current())).into();
        let mut context = std::task::Context::from_waker(&waker);
        let mut future = std::pin::pin!(future);
        while future.as_mut().poll(&mut context).is_pending() {
            thread::park();
        }
    }
}
