//! Raising systems that never pause, and keep a ledger of the answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinSet;

use crate::{Client, Ledger, until};

/// Raising systems that raise alerts at one target without pause, and the answers they got.
#[derive(Clone, Debug)]
pub struct Load {
    target: String,
    key: String,
    ledger: Arc<Ledger>,
    refused: Arc<AtomicUsize>,
}

impl Load {
    /// At a target such as `contact/ada`, with this key.
    pub fn new(target: &str, key: &str) -> Self {
        Self {
            target: target.to_owned(),
            key: key.to_owned(),
            ledger: Arc::default(),
            refused: Arc::default(),
        }
    }

    /// Starts this many, until the set is dropped. Each keeps to one of the servers, as behind a load
    /// balancer, and goes to the next when there is no answer; with a single server it then ends.
    pub fn start(&self, count: usize, servers: &[Client]) -> JoinSet<()> {
        let mut raising = JoinSet::new();
        for first in 0..count {
            let mut servers = servers.to_vec();
            let turn = first % servers.len();
            servers.rotate_left(turn);
            raising.spawn(self.clone().raise_without_end(servers));
        }
        raising
    }

    async fn raise_without_end(self, servers: Vec<Client>) {
        let body = format!("api_key={}&message=hi", self.key);
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let path = format!("/{}", self.target);
        let mut at = 0;
        loop {
            let server = &servers[at % servers.len()];
            match server.try_send("POST", &path, &headers, &*body).await {
                Ok(answer) if answer.status == 201 => self.ledger.accept(answer.notification()),
                Ok(answer) if answer.code() == "store_unknown" => self.ledger.doubt(),
                Ok(_) => {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                }
                Err(_) => {
                    self.ledger.doubt();
                    if servers.len() == 1 {
                        return;
                    }
                    at += 1;
                }
            }
        }
    }

    /// Returns the ledger of accepted alerts.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Returns the number of refused raises.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }

    /// Waits until this many more alerts were accepted.
    pub async fn accepted(&self, more: usize) {
        let enough = self.ledger.len() + more;
        until("enough alerts were accepted", async || {
            (self.ledger.len() >= enough).then_some(())
        })
        .await;
    }
}
