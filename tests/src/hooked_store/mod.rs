//! A store that hangs or panics where a test wants it to.

mod calls;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use redflash_core::store::Store;
use tokio::sync::watch;

/// A store over another. Each call of a method first reaches the place of the method's name, where it
/// panics or waits if the test says so. `enqueued` and `claimed` are the places after `enqueue` and
/// `claim_due` have committed.
#[derive(Debug)]
pub struct HookedStore {
    inner: Arc<dyn Store>,
    panics: Mutex<BTreeSet<&'static str>>,
    held: watch::Sender<BTreeSet<&'static str>>,
    reached: watch::Sender<HashMap<&'static str, u64>>,
}

impl HookedStore {
    /// Hooks into a store.
    pub fn over(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            panics: Mutex::default(),
            held: watch::Sender::default(),
            reached: watch::Sender::default(),
        })
    }

    /// Panics when the place is reached next.
    pub fn panic_at(&self, place: &'static str) {
        self.panics.lock().unwrap().insert(place);
    }

    /// Returns true if nothing has reached the place since it was set to panic there.
    pub fn will_panic_at(&self, place: &str) -> bool {
        self.panics.lock().unwrap().contains(place)
    }

    /// Holds whatever reaches the place, until it is let go.
    pub fn hold(&self, place: &'static str) {
        self.held.send_modify(|held| {
            held.insert(place);
        });
    }

    /// Lets go of what is held at the place, and of what comes later.
    pub fn let_go(&self, place: &str) {
        self.held.send_modify(|held| {
            held.remove(place);
        });
    }

    /// Ends when the place is reached once more than it was at the time of this call.
    pub fn reaches(&self, place: &'static str) -> impl Future<Output = ()> + use<> {
        let count = move |all: &HashMap<&'static str, u64>| all.get(place).copied().unwrap_or(0);
        let mut reached = self.reached.subscribe();
        let before = count(&reached.borrow());
        async move {
            let more = reached.wait_for(|all| count(all) > before).await;
            more.expect("the store has the sender");
        }
    }

    async fn reach(&self, place: &'static str) {
        self.reached
            .send_modify(|all| *all.entry(place).or_default() += 1);
        let panics = self.panics.lock().unwrap().remove(place);
        assert!(!panics, "a panic at {place}");
        let mut held = self.held.subscribe();
        let free = held.wait_for(|held| !held.contains(place)).await;
        free.expect("the store has the sender");
    }
}
