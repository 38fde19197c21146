//! Which node to ask, which to let rest, and what proofs may still cost.
//!
//! One node answers one step. A faulty one rests, with jitter and a cap, or as
//! long as it asked for; the next is preferred meanwhile. Nothing is asked here.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use alloy::primitives::U64;

use super::{
    rpc::{Call, Fault, Node, host_of},
    source::{ChainSettings, ProofBudget},
};
use crate::{tape::Tape, time::Clock};

/// The nodes of one chain.
#[derive(Clone)]
pub struct Nodes {
    chain: u64,
    all: Arc<[Arc<Node>]>,
    preferred: Arc<AtomicUsize>,
    clock: Clock,
    blooms_hold: Arc<AtomicBool>,
    budget: ProofBudget,
    spent: Arc<Mutex<Spent>>,
}

/// What proofs have cost in the minute that runs.
#[derive(Debug, Default)]
struct Spent {
    minute: i64,
    requests: u64,
    bytes: u64,
}

impl fmt::Debug for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all.iter()).finish()
    }
}

impl Nodes {
    /// Connects to nothing yet.
    pub fn new(chain: &ChainSettings, clock: &Clock) -> Result<Self, reqwest::Error> {
        let mut names: Vec<String> = Vec::new();
        let nodes = chain
            .rpc
            .iter()
            .map(|url| {
                let host = host_of(url);
                let twins = names.iter().filter(|name| **name == host).count();
                names.push(host.clone());
                let name = if twins == 0 { host } else { format!("{host}#{}", twins + 1) };
                let timeout = Duration::from_millis(chain.timeout_ms);
                Node::new(name, url.clone(), timeout, clock.clone()).map(Arc::new)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            chain: chain.id,
            all: nodes,
            preferred: Arc::default(),
            clock: clock.clone(),
            blooms_hold: Arc::new(AtomicBool::new(true)),
            budget: chain.proof_budget,
            spent: Arc::default(),
        })
    }

    /// All of them, in order of preference.
    pub fn all(&self) -> &[Arc<Node>] {
        &self.all
    }

    /// From now on all answers are kept on this tape, or come from it; none: neither.
    pub fn tape(&self, tape: Option<&Tape>) {
        for node in self.all.iter() {
            node.put(tape.cloned());
        }
    }

    /// Does this chain's bloom hold what its blocks hold? Some chains fill it late, or not at all.
    pub fn blooms_hold(&self) -> bool {
        self.blooms_hold.load(Ordering::Relaxed)
    }

    /// Proved receipts held a log that the block's own bloom did not: its blooms prove nothing.
    pub fn distrust_blooms(&self) {
        self.blooms_hold.store(false, Ordering::Relaxed);
    }

    /// How many blocks' receipts may be fetched in a minute.
    pub const fn proofs_a_minute(&self) -> u64 {
        self.budget.requests
    }

    /// How many more blocks' receipts may be fetched in this minute.
    pub fn proofs_left(&self) -> u64 {
        let minute = self.clock.millis() / 60_000;
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.minute != minute {
            *spent = Spent { minute, ..Spent::default() };
        }
        if spent.bytes >> 20 < self.budget.mib {
            self.budget.requests.saturating_sub(spent.requests)
        } else {
            0
        }
    }

    /// May one more block's receipts be fetched? If so, it is counted.
    pub fn may_prove(&self) -> bool {
        let may = self.proofs_left() > 0;
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.requests += u64::from(may);
        may
    }

    /// So many bytes of receipts came.
    pub fn paid(&self, bytes: usize) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.bytes = spent.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// The widest range that the preferred node is known to serve.
    pub fn widest(&self) -> u64 {
        self.all.get(self.preferred.load(Ordering::Relaxed)).map_or(1, |node| node.limits().widest())
    }

    /// The node for the next step: the preferred one, the next that does not
    /// rest, or whichever has rested soonest, waited for.
    ///
    /// # Errors
    /// No node could be asked yet, or none is of this chain: try again.
    pub async fn ready(&self) -> Result<Arc<Node>, Fault> {
        let mut fault =
            Fault::Unanswered { node: format!("chain {}", self.chain), why: "it has no rpc".to_owned() };
        let strangers = self.all.iter().filter(|node| !node.is_introduced() && node.wait_left().is_zero());
        for node in strangers {
            if let Err(why) = self.introduce(node).await {
                self.blame(node, &why);
                fault = why;
            }
        }
        let preferred = self.preferred.load(Ordering::Relaxed);
        let (before, after) = self.all.split_at_checked(preferred).unwrap_or_default();
        let known = after.iter().chain(before).filter(|node| node.is_introduced());
        let Some(soonest) = known.min_by_key(|node| node.wait_left()) else {
            let rest = self.all.iter().map(|node| node.wait_left()).min().unwrap_or_default();
            self.clock.sleep(rest).await;
            return Err(fault);
        };
        let wait = soonest.wait_left();
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
        Ok(Arc::clone(soonest))
    }

    /// Asks a node once which chain it serves: another chain's answers would all be well-formed.
    ///
    /// # Errors
    /// No usable answer, or another chain.
    pub async fn introduce(&self, node: &Node) -> Result<(), Fault> {
        let reply = node.ask(&[Call::chain_id()]).await?.into_iter().next();
        let json = reply
            .and_then(Result::ok)
            .flatten()
            .ok_or_else(|| node.unanswered("it does not say its chain id"))?;
        let id: U64 = serde_json::from_str(json.get()).map_err(|error| node.unanswered(error))?;
        let (serves, ours) = (id.to(), self.chain);
        if serves != ours {
            return Err(Fault::AnotherChain { node: node.name().to_owned(), serves, ours });
        }
        node.is_now_introduced();
        Ok(())
    }

    /// Another node than `node`, for a second opinion; the same where there is no other of this chain.
    pub fn second(&self, node: &Arc<Node>) -> Arc<Node> {
        let others = self.all.iter().filter(|other| other.is_introduced() && !Arc::ptr_eq(other, node));
        Arc::clone(others.min_by_key(|other| other.wait_left()).unwrap_or(node))
    }

    /// `node` cannot help now, through no fault: the next one is preferred.
    pub fn pass(&self, node: &Arc<Node>) {
        if let Some(place) = self.all.iter().position(|other| Arc::ptr_eq(other, node)) {
            self.preferred.store((place + 1) % self.all.len().max(1), Ordering::Relaxed);
        }
    }

    /// `node` answered well.
    pub fn praise(&self, node: &Node) {
        node.recovered();
    }

    /// `node` failed us: it rests, and the next one is preferred.
    pub fn blame(&self, node: &Arc<Node>, fault: &Fault) {
        node.rests(fault);
        self.pass(node);
    }
}
