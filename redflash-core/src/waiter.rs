//! Waiters for the deliveries of a notification.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::model::NotificationId;

/// Notifies the waiters of a notification when one of its deliveries is settled.
#[derive(Debug, Default)]
pub(crate) struct Waiters(Mutex<HashMap<NotificationId, Arc<Notify>>>);

/// A registered waiter, which is removed when dropped.
#[derive(Debug)]
pub(crate) struct Waiter<'a> {
    waiters: &'a Waiters,
    id: NotificationId,
    pub(crate) notify: Arc<Notify>,
}

impl Waiters {
    pub(crate) fn wait(&self, id: NotificationId) -> Waiter<'_> {
        let notify = Arc::clone(self.lock().entry(id).or_default());
        Waiter {
            waiters: self,
            id,
            notify,
        }
    }

    pub(crate) fn notify(&self, id: NotificationId) {
        if let Some(notify) = self.lock().get(&id) {
            notify.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<NotificationId, Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut waiters = self.waiters.lock();
        // The map's own and this one: there is no other waiter.
        if Arc::strong_count(&self.notify) <= 2 {
            waiters.remove(&self.id);
        }
    }
}
