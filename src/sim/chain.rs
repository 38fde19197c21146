//! The chain that every node of a rehearsal serves, and what happens to it.
//!
//! [`SimChain`] is a handle; clones are the same chain. A block that was ever
//! mined stays known by its hash, as on a real node, and the chain can go back
//! to a branch that it left. Absent on purpose: anything that lies. What is in
//! here is the truth; lies are the [`weather`](super::weather) of a node.

use super::block::{Block, Draft, SimLog, SimTx, count};
use super::fill::{Decimal, Side, SimFill};
use super::flow::Flow;
use super::invent::{Cast, Invention, Inventor, Mix, Rate, noise};
use super::oracle::{Oracle, PYTH, feed_of};
use super::token::{Ledger, Reverted, SimToken};
use super::vault::{Hold, Vaults};
use crate::units::Amount;
use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Base's: its block 0 was at this second, and a block follows every two.
const BASE_GENESIS_TIME: u64 = 1_686_789_347;
const BLOCK_TIME: u64 = 2;

/// A block's number and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockId {
    /// Its height.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
}

/// How a chain begins.
#[derive(Debug, Clone)]
pub struct Genesis {
    /// The chain's id.
    pub chain_id: u64,
    /// Height of the first block; the node knows none below.
    pub first_block: u64,
    /// Seconds since 1970 of the first block; Base's if none.
    pub timestamp: Option<u64>,
    /// Who and what trades.
    pub cast: Cast,
    /// Whether headers carry blooms.
    pub blooms: bool,
    /// What reorgs and their like are drawn from.
    pub seed: u64,
}

impl Genesis {
    /// A chain of Base's id with the default cast.
    pub fn at(first_block: u64) -> Self {
        Self { chain_id: 8453, first_block, timestamp: None, cast: Cast::default(), blooms: true, seed: 0 }
    }
}

/// A trade that somebody makes with an order of the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimTrade {
    /// The share.
    pub ticker: String,
    /// What the owner does.
    pub side: Side,
    /// Whole tokens.
    pub quantity: Amount,
    /// USDC a token.
    pub price: Amount,
}

/// A reorg: so many blocks go, so many come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reorg {
    /// Blocks that are dropped from the head.
    pub depth: u64,
    /// Blocks of the branch that replaces them.
    pub length: u64,
}

/// A chain, shared by whoever holds this handle.
#[derive(Debug, Clone)]
pub struct SimChain {
    state: Arc<Mutex<State>>,
}

impl SimChain {
    /// A chain of one block without transactions.
    pub fn new(genesis: Genesis) -> Self {
        let chain = Self::empty(genesis);
        chain.mine([]);
        chain
    }

    /// A chain that is invented from a seed.
    pub fn invent(invention: &Invention) -> Self {
        let chain = Self::empty(Genesis {
            chain_id: invention.chain_id,
            cast: invention.cast.clone(),
            blooms: invention.blooms,
            seed: invention.seed,
            ..Genesis::at(invention.first_block)
        });
        chain.keep_inventing(invention.seed, invention.fills, invention.mix);
        chain.mine_invented(invention.blocks);
        chain
    }

    /// A chain whose first block is yet to be mined.
    pub fn empty(genesis: Genesis) -> Self {
        Self { state: Arc::new(Mutex::new(State::new(genesis))) }
    }

    /// From now on [`mine_invented`](Self::mine_invented) and the new blocks
    /// of a reorg invent from `seed`, for the cast of this chain.
    pub fn keep_inventing(&self, seed: u64, fills: Rate, mix: Mix) {
        let mut state = self.lock();
        let inventor = Inventor::new(seed, &state.cast, fills, mix);
        state.inventor = Some(inventor);
    }

    /// The same, and trades go by a market, whose prices the feeds of Pyth tell.
    pub fn keep_inventing_in(&self, flow: Flow, seed: u64, fills: Rate, mix: Mix) {
        let mut state = self.lock();
        let inventor = Inventor::new(seed, &state.cast, fills, mix).in_flow(flow);
        state.inventor = Some(inventor);
    }

    /// Mines a block of invented transactions, not before `time`, in seconds since 1970.
    pub fn mine_invented_at(&self, time: u64) -> BlockId {
        let mut state = self.lock();
        let txs = state.invent();
        state.tell_prices();
        let time = state.canon.last().map_or(time, |last| time.max(last.timestamp + 1));
        state.mine(Some(time), txs).id()
    }

    /// Mines a block on the head.
    pub fn mine(&self, txs: impl IntoIterator<Item = SimTx>) -> BlockId {
        self.mine_at(None, txs)
    }

    /// Mines a block in which somebody takes orders of the owner, one transaction a trade,
    /// not before `time`, in seconds since 1970. A ticker that the cast does not have is not traded.
    pub fn trade(&self, time: u64, trades: &[SimTrade]) -> BlockId {
        let mut state = self.lock();
        let decimal = |amount: Amount| Decimal::new(U256::from(amount.atoms().unsigned_abs()), -18);
        let trades: Vec<_> = trades
            .iter()
            .filter_map(|trade| {
                let token =
                    state.cast.equities().find(|token| token.ticker.as_ref() == Some(&trade.ticker))?;
                Some((token.address, trade.side, decimal(trade.quantity), decimal(trade.price)))
            })
            .collect();
        let txs = state.trader().takes(&trades).into_iter().map(Arc::new).collect();
        let time = state.canon.last().map_or(time, |last| time.max(last.timestamp + 1));
        state.mine(Some(time), txs).id()
    }

    /// Mines a block in which the owner adds its orders and puts so many whole tokens into each
    /// of their vaults.
    pub fn stock(&self, whole: u64) -> BlockId {
        let mut state = self.lock();
        let txs = state.trader().stock(|_| whole).into_iter().map(Arc::new).collect();
        state.mine(None, txs).id()
    }

    /// The same, with so many whole tokens of each kind.
    pub fn stock_each(&self, whole: &BTreeMap<Address, u64>) -> BlockId {
        let mut state = self.lock();
        let of = |token| whole.get(&token).copied().unwrap_or_default();
        let txs = state.trader().stock(of).into_iter().map(Arc::new).collect();
        state.mine(None, txs).id()
    }

    /// The vaults of the owner's orders.
    pub fn vaults(&self) -> BTreeSet<Hold> {
        let mut state = self.lock();
        let (orderbook, owner) = (state.cast.orderbook, state.cast.owner);
        let orders = state.trader().orders();
        let ios = orders.iter().flat_map(|order| order.inputs.iter().chain(&order.outputs));
        ios.map(|io| Hold { orderbook, owner, token: io.token, vault: io.vault }).collect()
    }

    /// From `from_block` on, so much more lies in a vault or a wallet, and no log says so.
    pub fn move_silently(&self, hold: Hold, from_block: u64, amount: Amount) {
        self.lock().vaults.move_silently(hold, from_block, amount.atoms());
    }

    /// From `from_block` on, Pyth's feed of a share says this many hundred-thousandths of a dollar,
    /// and orders of that share ask it.
    pub fn set_oracle(&self, ticker: &str, feed: B256, from_block: u64, price: i64) {
        self.lock().oracle.set(ticker, feed, from_block, price);
    }

    /// Pyth's feed of a share, if it has one here.
    pub fn feed(&self, ticker: &str) -> Option<B256> {
        self.lock().oracle.feed(ticker)
    }

    /// What that feed says now, in hundred-thousandths of a dollar.
    pub fn oracle_price(&self, ticker: &str) -> Option<i64> {
        self.lock().oracle.last(ticker)
    }

    /// Mines a block with a timestamp of its own.
    pub(super) fn mine_at(&self, timestamp: Option<u64>, txs: impl IntoIterator<Item = SimTx>) -> BlockId {
        let txs = txs.into_iter().map(Arc::new).collect();
        self.lock().mine(timestamp, txs).id()
    }

    /// Mines so many blocks of invented transactions; empty ones if nothing
    /// was said about what to invent.
    pub fn mine_invented(&self, blocks: u64) -> BlockId {
        let mut state = self.lock();
        for _ in 0..blocks {
            let txs = state.invent();
            state.mine(None, txs);
        }
        state.head_id()
    }

    /// Replaces the last `depth` blocks by as many others.
    pub fn reorg(&self, depth: u64) -> BlockId {
        self.reorg_with(Reorg { depth, length: depth })
    }

    /// Replaces the last blocks by others, and answers with the head that was.
    ///
    /// Most transactions of the dropped blocks are mined again, in another
    /// order and place; some are never seen again; new ones come.
    pub fn reorg_with(&self, reorg: Reorg) -> BlockId {
        self.lock().reorg(reorg)
    }

    /// Makes a block that was ever mined the head again, and answers with the
    /// head that was. None, and nothing changes, if no such block is known.
    pub fn reorg_to(&self, head: B256) -> Option<BlockId> {
        self.lock().reorg_to(head)
    }

    /// The head goes `blocks` lower and nothing takes their place.
    pub fn step_back(&self, blocks: u64) -> BlockId {
        let mut state = self.lock();
        state.leave();
        state.drop_blocks(blocks);
        state.head_id()
    }

    /// From `from_block` on, 10^18 shares of `token` are `ratio_e18` of its
    /// asset.
    pub fn set_ratio(&self, token: Address, from_block: u64, ratio_e18: U256) {
        if let Some(ledger) = self.lock().tokens.get_mut(&token) {
            ledger.set_ratio(from_block, ratio_e18);
        }
    }

    /// The node knows one more token.
    pub fn add_token(&self, token: SimToken) {
        let mut state = self.lock();
        state.tokens.insert(token.address, Ledger::new(token.clone()));
        state.cast.tokens.push(token);
    }

    /// The node knows one more orderbook.
    pub fn add_orderbook(&self, orderbook: Address) {
        self.lock().orderbooks.insert(orderbook);
    }

    /// Who and what trades here.
    pub fn cast(&self) -> Cast {
        self.lock().cast.clone()
    }

    /// The chain's id.
    pub fn chain_id(&self) -> u64 {
        self.lock().chain_id
    }

    /// The height of the first block.
    pub fn first_block(&self) -> u64 {
        self.lock().first
    }

    /// The newest block.
    pub fn head(&self) -> BlockId {
        self.lock().head_id()
    }

    /// The canonical block of a height.
    pub fn block(&self, number: u64) -> Option<Arc<Block>> {
        self.lock().at(number).cloned()
    }

    /// A block that was ever mined.
    pub fn block_by_hash(&self, hash: B256) -> Option<Arc<Block>> {
        self.lock().known.get(&hash).cloned()
    }

    /// All canonical blocks, oldest first.
    pub fn canonical_blocks(&self) -> Vec<Arc<Block>> {
        self.lock().canon.clone()
    }

    /// All canonical logs, oldest first.
    pub fn canonical_logs(&self) -> Vec<SimLog> {
        let blocks = self.canonical_blocks();
        blocks.iter().flat_map(|block| block.logs()).collect()
    }

    /// All invented fills of canonical blocks, oldest first, foreign ones too.
    pub fn canonical_fills(&self) -> Vec<SimFill> {
        let blocks = self.canonical_blocks();
        blocks.iter().flat_map(|block| block.fills()).collect()
    }

    /// The heads that were left, oldest first.
    pub fn abandoned(&self) -> Vec<BlockId> {
        self.lock().abandoned.clone()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Block {
    /// Its number and hash.
    pub fn id(&self) -> BlockId {
        BlockId { number: self.number, hash: self.hash }
    }
}

/// The chain behind the handle.
#[derive(Debug)]
pub(super) struct State {
    pub(super) chain_id: u64,
    first: u64,
    first_timestamp: u64,
    blooms: bool,
    cast: Cast,
    tokens: BTreeMap<Address, Ledger>,
    orderbooks: BTreeSet<Address>,
    canon: Vec<Arc<Block>>,
    /// Every block ever mined.
    known: HashMap<B256, Arc<Block>>,
    /// Where each canonical transaction is.
    mined_in: HashMap<B256, B256>,
    abandoned: Vec<BlockId>,
    inventor: Option<Inventor>,
    vaults: Vaults,
    oracle: Oracle,
    fate: StdRng,
}

impl State {
    fn new(genesis: Genesis) -> Self {
        let tokens = genesis.cast.tokens.iter().cloned();
        Self {
            chain_id: genesis.chain_id,
            first: genesis.first_block,
            first_timestamp: genesis
                .timestamp
                .unwrap_or(BASE_GENESIS_TIME + BLOCK_TIME * genesis.first_block),
            blooms: genesis.blooms,
            tokens: tokens.map(|token| (token.address, Ledger::new(token))).collect(),
            orderbooks: BTreeSet::from([genesis.cast.orderbook]),
            cast: genesis.cast,
            canon: Vec::new(),
            known: HashMap::new(),
            mined_in: HashMap::new(),
            abandoned: Vec::new(),
            inventor: None,
            vaults: Vaults::default(),
            oracle: Oracle::default(),
            fate: StdRng::seed_from_u64(genesis.seed),
        }
    }

    /// The canonical block of a height.
    pub(super) fn at(&self, number: u64) -> Option<&Arc<Block>> {
        let place = number.checked_sub(self.first)?;
        self.canon.get(usize::try_from(place).ok()?)
    }

    /// A block that was ever mined.
    pub(super) fn known(&self, hash: B256) -> Option<&Arc<Block>> {
        self.known.get(&hash)
    }

    /// The canonical block that holds a transaction.
    pub(super) fn block_of(&self, tx: B256) -> Option<&Arc<Block>> {
        self.known.get(self.mined_in.get(&tx)?)
    }

    pub(super) fn is_canonical(&self, block: &Block) -> bool {
        self.at(block.number).is_some_and(|there| there.hash == block.hash)
    }

    /// The newest block's; before the first is mined, that of the one below.
    pub(super) fn head_id(&self) -> BlockId {
        self.canon.last().map_or_else(
            || BlockId { number: self.first.saturating_sub(1), hash: keccak256(self.chain_id.to_be_bytes()) },
            |head| head.id(),
        )
    }

    /// What a node sees whose head is `head`: the canonical chain up to where
    /// `head`'s own branch leaves it, and that branch.
    pub(super) fn seen_from(&self, head: BlockId) -> View<'_> {
        let mut branch = Vec::new();
        let mut next = head.hash;
        while let Some(block) = self.known.get(&next).filter(|block| !self.is_canonical(block)) {
            branch.push(Arc::clone(block));
            next = block.parent_hash;
        }
        branch.reverse();
        View { state: self, head: head.number, branch }
    }

    /// What a contract answers after a block; an address without code answers nothing.
    pub(super) fn call(&self, to: Address, input: &[u8], block: &Block) -> Result<Bytes, Reverted> {
        let number = block.number;
        if let Some(ledger) = self.tokens.get(&to) {
            let wallet = self.vaults.wallet(to, input, &self.seen_from(block.id()), number);
            wallet.map_or_else(|| ledger.call(input, number), Ok)
        } else if self.orderbooks.contains(&to) {
            self.vaults.call(to, self.cast.generation, input, &self.seen_from(block.id()), number)
        } else if to == PYTH {
            self.oracle.call(input, block)
        } else {
            Ok(Bytes::new())
        }
    }

    /// The calls of a transaction as it ran; none where nobody knows it.
    pub(super) fn trace(&self, view: &View<'_>, tx: B256) -> Option<serde_json::Value> {
        let block = view.block_of(tx)?;
        let tx = block.transactions().find(|there| there.hash == tx)?;
        let tickers = tx.notes.iter().filter_map(|note| {
            let token = self.cast.tokens.iter().find(|token| token.address == note.token)?;
            token.ticker.clone()
        });
        Some(self.oracle.trace(tx, block, tickers))
    }

    /// The decimals of a token; of one that nobody knows, those that most have.
    pub(super) fn decimals(&self, token: Address) -> u8 {
        self.tokens.get(&token).map_or(18, |ledger| ledger.token.decimals)
    }

    /// Who writes the owner's logs.
    fn trader(&mut self) -> &mut Inventor {
        let (cast, nothing) = (&self.cast, Rate { times: 0, blocks: 1 });
        self.inventor.get_or_insert_with(|| Inventor::new(0, cast, nothing, Mix::takes_only()))
    }

    pub(super) fn has_code(&self, address: Address) -> bool {
        self.tokens.contains_key(&address) || self.orderbooks.contains(&address)
    }

    pub(super) fn abandoned(&self) -> &[BlockId] {
        &self.abandoned
    }

    fn invent(&mut self) -> Vec<Arc<SimTx>> {
        let number = self.head_id().number + 1;
        let invented = self.inventor.as_mut().map(|inventor| inventor.transactions(number));
        invented.into_iter().flatten().map(Arc::new).collect()
    }

    /// Feeds of Pyth say from the next block on what the invented market says.
    fn tell_prices(&mut self) {
        let next = self.head_id().number + 1;
        if let Some(flow) = self.inventor.as_ref().and_then(Inventor::flow) {
            for (ticker, price) in flow.prices() {
                self.oracle.set(ticker, feed_of(ticker), next, price);
            }
        }
    }

    fn mine(&mut self, timestamp: Option<u64>, txs: Vec<Arc<SimTx>>) -> Arc<Block> {
        let parent = self.head_id();
        let timestamp = timestamp.unwrap_or_else(|| match self.canon.last() {
            Some(parent) => parent.timestamp + BLOCK_TIME,
            None => self.first_timestamp,
        });
        let mined = count(self.known.len()).to_be_bytes();
        let block = Arc::new(Block::mine(Draft {
            number: parent.number + 1,
            parent_hash: parent.hash,
            timestamp,
            txs,
            entropy: keccak256([parent.hash.as_slice(), &mined].concat()),
            blooms: self.blooms,
        }));
        self.known.insert(block.hash, Arc::clone(&block));
        self.extend(Arc::clone(&block));
        block
    }

    /// Puts a block that fits on the head.
    fn extend(&mut self, block: Arc<Block>) {
        for tx in &block.txs {
            self.mined_in.insert(tx.hash, block.hash);
        }
        self.canon.push(block);
    }

    /// Remembers the head, which is about to be left.
    fn leave(&mut self) -> BlockId {
        let head = self.head_id();
        self.abandoned.push(head);
        head
    }

    /// Takes blocks off the head, never the first, and answers with them,
    /// oldest first.
    fn drop_blocks(&mut self, blocks: u64) -> Vec<Arc<Block>> {
        let most = self.canon.len().saturating_sub(1);
        let blocks = usize::try_from(blocks).unwrap_or(usize::MAX).min(most);
        let dropped = self.canon.split_off(self.canon.len() - blocks);
        for block in &dropped {
            for tx in &block.txs {
                self.mined_in.remove(&tx.hash);
            }
        }
        dropped
    }

    fn reorg(&mut self, reorg: Reorg) -> BlockId {
        let left = self.leave();
        let dropped = self.drop_blocks(reorg.depth);
        let mut pool: Vec<Arc<SimTx>> = dropped.iter().flat_map(|block| block.txs.clone()).collect();
        pool.retain(|tx| tx.is_portable() && self.fate.random_ratio(3, 4));
        pool.shuffle(&mut self.fate);
        for remaining in (1..=reorg.length).rev() {
            let mut txs = self.invent();
            if self.fate.random() {
                txs.push(Arc::new(noise(&mut self.fate)));
            }
            let most = usize::try_from(2 * count(pool.len()) / remaining).unwrap_or(usize::MAX);
            let again = match remaining {
                1 => pool.len(),
                _ => self.fate.random_range(0..=most).min(pool.len()),
            };
            txs.extend(pool.drain(..again));
            self.mine(None, txs);
        }
        left
    }

    fn reorg_to(&mut self, head: B256) -> Option<BlockId> {
        let head = self.known.get(&head)?.id();
        let branch = self.seen_from(head).branch;
        let fork = branch.first().map_or(head.number, |first| first.number - 1);
        let left = self.leave();
        self.drop_blocks(left.number.saturating_sub(fork));
        for block in branch {
            self.extend(block);
        }
        Some(left)
    }
}

impl SimTx {
    /// Whether another block may hold it: the deposit of a block is its own.
    fn is_portable(&self) -> bool {
        self.kind != super::block::TxKind::Deposit
    }
}

/// The chain as one node sees it at one moment.
#[derive(Debug)]
pub(super) struct View<'a> {
    state: &'a State,
    head: u64,
    branch: Vec<Arc<Block>>,
}

impl View<'_> {
    pub(super) fn head(&self) -> u64 {
        self.head
    }

    /// Makes it so many blocks older.
    pub(super) fn lower(&mut self, blocks: u64) {
        self.head = self.head.saturating_sub(blocks).max(self.first());
    }

    /// The block of a height, if this node has it yet.
    pub(super) fn at(&self, number: u64) -> Option<&Arc<Block>> {
        if number > self.head {
            return None;
        }
        match self.branch.first() {
            Some(first) if number >= first.number => {
                let place = usize::try_from(number - first.number).ok()?;
                self.branch.get(place)
            }
            Some(_) | None => self.state.at(number),
        }
    }

    /// A block by its hash, side blocks too, if this node has it yet.
    pub(super) fn known(&self, hash: B256) -> Option<&Arc<Block>> {
        self.state.known(hash).filter(|block| block.number <= self.head)
    }

    /// The block that holds a transaction, as this node sees it.
    pub(super) fn block_of(&self, tx: B256) -> Option<&Arc<Block>> {
        let holds = |block: &&Arc<Block>| block.txs.iter().any(|there| there.hash == tx);
        self.branch.iter().find(holds).or_else(|| {
            let block = self.state.block_of(tx)?;
            self.at(block.number).filter(|there| there.hash == block.hash)
        })
    }

    pub(super) fn first(&self) -> u64 {
        self.state.first
    }

    pub(super) fn state(&self) -> &State {
        self.state
    }

    /// Whether a block is on the branch that this node follows.
    pub(super) fn follows(&self, block: &Block) -> bool {
        self.at(block.number).is_some_and(|there| there.hash == block.hash)
    }

    /// The blocks of a range that hold logs.
    pub(super) fn with_logs(&self, from: u64, to: u64) -> Vec<Arc<Block>> {
        let from = from.max(self.first());
        (from..=to.min(self.head))
            .filter_map(|number| self.at(number))
            .filter(|block| block.has_logs())
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::Bloom;
    use std::collections::HashSet;

    fn small(seed: u64) -> SimChain {
        SimChain::invent(&Invention { blocks: 30, ..Invention::seeded(seed) })
    }

    /// Every block stands on the one below and is what its hash says.
    fn holds_together(chain: &SimChain) {
        let blocks = chain.canonical_blocks();
        for pair in blocks.windows(2) {
            assert_eq!(pair[1].parent_hash, pair[0].hash);
            assert_eq!(pair[1].number, pair[0].number + 1);
            assert!(pair[1].timestamp > pair[0].timestamp);
        }
        for block in &blocks {
            let header = block.header();
            assert_eq!(header.hash_slow(), block.hash);
            let mut bloom = Bloom::ZERO;
            for log in block.logs() {
                bloom.accrue_log(&log.log);
            }
            assert_eq!(header.logs_bloom, bloom);
        }
    }

    #[test]
    fn the_same_seed_mines_the_same_hashes() {
        assert_eq!(small(3).head(), small(3).head());
        assert_ne!(small(3).head(), small(4).head());
    }

    #[test]
    fn an_invented_chain_holds_together_through_reorgs() {
        let chain = small(1);
        holds_together(&chain);
        chain.reorg(5);
        holds_together(&chain);
        chain.reorg_with(Reorg { depth: 3, length: 6 });
        holds_together(&chain);
        chain.mine_invented(2);
        holds_together(&chain);
    }

    #[test]
    fn a_reorg_moves_some_transactions_and_loses_others() {
        let chain = small(2);
        let hashes = |chain: &SimChain| -> HashSet<B256> {
            chain.canonical_logs().iter().map(|log| log.tx_hash).collect()
        };
        let before = hashes(&chain);
        let fills = chain.canonical_fills();
        let left = chain.reorg(10);
        let after = hashes(&chain);
        assert_ne!(chain.head(), left);
        assert_eq!(chain.head().number, left.number);
        assert!(before.difference(&after).count() > 0, "none was lost");
        assert!(after.difference(&before).count() > 0, "none is new");
        let moved = chain.canonical_fills().into_iter().any(|fill| {
            let was = fills.iter().find(|was| was.tx_hash == fill.tx_hash);
            was.is_some_and(|was| was.block_number != fill.block_number)
        });
        assert!(moved, "none was mined again elsewhere");
    }

    #[test]
    fn the_chain_flips_back_to_a_branch_it_left() {
        let chain = small(5);
        let before = chain.canonical_logs();
        let old = chain.reorg_with(Reorg { depth: 4, length: 7 });
        let between = chain.canonical_logs();
        let new = chain.reorg_to(old.hash).unwrap();
        assert_eq!(chain.head(), old);
        assert_eq!(chain.canonical_logs(), before);
        chain.reorg_to(new.hash).unwrap();
        assert_eq!(chain.canonical_logs(), between);
        assert_eq!(chain.reorg_to(B256::ZERO), None);
    }

    #[test]
    fn a_step_back_lowers_the_head_and_the_rest_may_return() {
        let chain = small(6);
        let head = chain.head();
        let lower = chain.step_back(3);
        assert_eq!(lower.number, head.number - 3);
        assert_eq!(chain.block(head.number), None);
        chain.reorg_to(head.hash).unwrap();
        assert_eq!(chain.head(), head);
    }

    #[test]
    fn a_fill_points_at_its_log() {
        let chain = small(9);
        let fills = chain.canonical_fills();
        assert!(fills.iter().any(|fill| fill.ours) && fills.iter().any(|fill| !fill.ours));
        let logs = chain.canonical_logs();
        let cast = chain.cast();
        for fill in fills {
            let log = logs
                .iter()
                .find(|log| log.block_hash == fill.block_hash && log.log_index == fill.log_index)
                .unwrap();
            assert_eq!(log.tx_hash, fill.tx_hash);
            assert_eq!(log.log.address, cast.orderbook);
        }
    }

    #[test]
    fn a_chain_without_blooms_still_has_true_hashes() {
        let chain = SimChain::invent(&Invention { blooms: false, blocks: 5, ..Invention::seeded(1) });
        for block in chain.canonical_blocks() {
            assert!(block.header().logs_bloom.is_zero());
            assert_eq!(block.header().hash_slow(), block.hash);
        }
    }
}
