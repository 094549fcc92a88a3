//! A vendor's cloud, simulated: checks each request by the vendor's rules, answers as the vendor
//! would, or as programmed.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use crate::peer::{Peer, Received, Reply};

/// A vendor's documented behaviour.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Returns the faults of a request.
    pub faults: fn(&Received) -> Vec<String>,
    /// The answer to a request that is wrong, with what is wrong with it.
    pub refuse: fn(&str) -> Reply,
    /// The answer to a request that is right; with how many came before it, and 1.
    pub accept: fn(&Received, u32) -> Reply,
}

/// A running simulation; it stops when dropped.
#[derive(Debug)]
pub struct Simulator {
    peer: Peer,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    rules: Rules,
    next: VecDeque<Reply>,
    faults: Vec<String>,
    accepted: u32,
}

/// Collects what is wrong with a request.
#[derive(Debug, Default)]
pub struct Check(Vec<String>);

impl Check {
    /// A rule that must hold.
    pub fn rule(&mut self, holds: bool, text: &str) -> &mut Self {
        if !holds {
            self.0.push(text.to_owned());
        }
        self
    }

    /// The body is JSON, an object with no other fields than these.
    pub fn json(&mut self, request: &Received, known: &[&str]) -> &mut Self {
        let is_json = request.header("content-type") == "application/json";
        let body = request.json();
        let mut names = body.as_object().into_iter().flatten();
        self.rule(is_json && body.is_object(), "the body is JSON")
            .rule(
                names.all(|(name, _)| known.contains(&&**name)),
                "there are known fields only",
            )
    }

    /// The rules that did not hold.
    pub fn faults(&mut self) -> Vec<String> {
        std::mem::take(&mut self.0)
    }
}

impl Simulator {
    /// Starts one on a port of its own.
    pub async fn start(rules: Rules) -> Self {
        let state = Arc::new(Mutex::new(State {
            rules,
            next: VecDeque::new(),
            faults: Vec::new(),
            accepted: 0,
        }));
        let account = Arc::clone(&state);
        let peer = Peer::start(move |request| account.lock().unwrap().answer(request));
        Self {
            peer: peer.await,
            state,
        }
    }

    /// Returns the URL that it listens on.
    pub const fn address(&self) -> SocketAddr {
        self.peer.address()
    }

    /// The URL of its root, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Programs the reaction to one more valid request, after those programmed before.
    pub fn once(&self, reply: Reply) {
        self.state.lock().unwrap().next.push_back(reply);
    }

    /// Every request so far.
    pub fn received(&self) -> Vec<Received> {
        self.peer.received()
    }

    /// Waits until at least this many requests have arrived, and returns all.
    pub async fn expect(&self, count: usize) -> Vec<Received> {
        self.peer.expect(count).await
    }

    /// Returns the faults of the requests so far.
    pub fn faults(&self) -> Vec<String> {
        self.state.lock().unwrap().faults.clone()
    }
}

impl State {
    fn answer(&mut self, request: &Received) -> Reply {
        let faults = (self.rules.faults)(request);
        if !faults.is_empty() {
            let text = faults.join("; ");
            self.faults.extend(faults);
            return (self.rules.refuse)(&text);
        }
        if let Some(reply) = self.next.pop_front() {
            return reply;
        }
        self.accepted += 1;
        (self.rules.accept)(request, self.accepted)
    }
}
