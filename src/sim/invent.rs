//! Invents trading from a seed: the same seed, the same chain, byte for byte.
//!
//! Each invented transaction carries notes of the fills in it. What the desk
//! must leave alone is invented too: other people's orders, the owner's other
//! pairs, look-alikes from other contracts, vault movements, plain transfers.

use super::abi::transfer;
use super::block::SimTx;
use super::fill::{Decimal, Note, Role, Side};
use super::flow::Flow;
use super::orders::{Generation, Io, Leg, Order, Scribe};
use super::token::SimToken;
use alloy::primitives::{Address, B256, Bytes, Log, U256, address};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;

/// So many digits of any size fit into a Float's coefficient.
const FLOAT_DIGITS: u32 = 67;

/// How often something happens: so many times in so many blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many times …
    pub times: u64,
    /// … in how many blocks.
    pub blocks: u64,
}

impl Rate {
    /// So many times in each block.
    pub fn per_block(times: u64) -> Self {
        Self { times, blocks: 1 }
    }

    /// Once in so many blocks.
    pub fn once_in(blocks: u64) -> Self {
        Self { times: 1, blocks }
    }

    /// How often it happens in the `n`th block of a chain; sums up exactly.
    fn in_block(self, n: u64) -> u64 {
        let blocks = self.blocks.max(1);
        let until = |n: u64| n.saturating_mul(self.times) / blocks;
        until(n.saturating_add(1)) - until(n)
    }
}

/// Who and what trades on a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cast {
    /// Whose events the orderbook emits.
    pub generation: Generation,
    /// The orderbook that is watched.
    pub orderbook: Address,
    /// The account that is hedged.
    pub owner: Address,
    /// The quote token.
    pub usdc: Address,
    /// Every token the node answers for, USDC among them.
    pub tokens: Vec<SimToken>,
}

impl Default for Cast {
    /// The latest orderbook on Base, with three wrapped equities.
    fn default() -> Self {
        let usdc = address!("833589fCD6eDb6E08f4c7C32D4f71b54bdA02913");
        let mut tokens = vec![SimToken::plain(usdc, "USDC", 6)];
        for (ticker, place) in [("AAPL", 0xa1), ("TSLA", 0xa2), ("SPYM", 0xa3)] {
            let asset = Address::with_last_byte(place);
            let share = Address::with_last_byte(place + 0x10);
            tokens.push(SimToken::plain(asset, &format!("t{ticker}"), 18));
            tokens.push(SimToken::wrapper(share, &format!("wt{ticker}"), asset, ticker));
        }
        Self {
            generation: Generation::V6,
            orderbook: address!("7242ce1ffe34297921c54cD7f9343c411E1E7759"),
            owner: address!("70997970C51812dc3A010C7d01b50e0d17dc79C8"),
            usdc,
            tokens,
        }
    }
}

impl Cast {
    /// The tokens that stand for equities.
    pub fn equities(&self) -> impl Iterator<Item = &SimToken> {
        self.tokens.iter().filter(|token| token.ticker.is_some())
    }
}

/// What happens how often, in permille of the fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix {
    /// Clears instead of takes.
    pub clears: u32,
    /// Other people's orders and vaults.
    pub foreign: u32,
    /// Takes of the owner's orders in a pair that is no trade of the desk.
    pub other_pairs: u32,
    /// The same log again from another contract, in the same transaction.
    pub lookalikes: u32,
    /// Several fills in one transaction.
    pub together: u32,
    /// A deposit or a withdrawal, in a transaction beside the fill's.
    pub vault_moves: u32,
    /// Whether Context logs and token transfers stand around each fill.
    pub surroundings: bool,
    /// Transactions of strangers that leave Transfer logs or fail.
    pub noise: Rate,
    /// Whether each block opens with the deposit of an OP chain.
    pub deposits: bool,
}

impl Mix {
    /// Something of everything.
    pub fn full() -> Self {
        Self {
            clears: 250,
            foreign: 250,
            other_pairs: 60,
            lookalikes: 60,
            together: 250,
            vault_moves: 100,
            surroundings: true,
            noise: Rate::per_block(1),
            deposits: true,
        }
    }

    /// The owner's fills by take, one log a transaction, and nothing else:
    /// for measuring.
    pub fn takes_only() -> Self {
        Self {
            clears: 0,
            foreign: 0,
            other_pairs: 0,
            lookalikes: 0,
            together: 0,
            vault_moves: 0,
            surroundings: false,
            noise: Rate { times: 0, blocks: 1 },
            deposits: false,
        }
    }
}

/// What chain to invent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invention {
    /// Everything random comes from it.
    pub seed: u64,
    /// The chain's id.
    pub chain_id: u64,
    /// Height of the first block.
    pub first_block: u64,
    /// How many blocks.
    pub blocks: u64,
    /// Takes and clears, of whatever owner.
    pub fills: Rate,
    /// Who and what.
    pub cast: Cast,
    /// What else.
    pub mix: Mix,
    /// Whether headers carry blooms. Some chains leave them zero.
    pub blooms: bool,
}

impl Invention {
    /// A hundred blocks of Base with something of everything.
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            chain_id: 8453,
            first_block: 43_339_885,
            blocks: 100,
            fills: Rate::per_block(2),
            cast: Cast::default(),
            mix: Mix::full(),
            blooms: true,
        }
    }
}

/// One who trades: an account and its orders, one an equity.
#[derive(Debug, Clone)]
struct Party {
    account: Address,
    orders: Vec<Order>,
}

/// Invents the transactions of block after block.
#[derive(Debug)]
pub(super) struct Inventor {
    rng: StdRng,
    scribe: Scribe,
    usdc: Address,
    owner: Party,
    strangers: Vec<Party>,
    fills: Rate,
    mix: Mix,
    invented: u64,
    /// The market it goes by, if any.
    flow: Option<Flow>,
}

/// A transaction being written.
#[derive(Debug, Default)]
struct Writing {
    logs: Vec<Log>,
    notes: Vec<Note>,
}

/// What somebody trades for what.
#[derive(Debug, Clone, Copy)]
struct Trade {
    equity: Address,
    quantity: Decimal,
    usdc: Decimal,
}

impl Inventor {
    pub(super) fn new(seed: u64, cast: &Cast, fills: Rate, mix: Mix) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let owner = Party::invent(cast.owner, cast, &mut rng);
        let strangers =
            (0..3).map(|_| Party::invent(Address::from(rng.random::<[u8; 20]>()), cast, &mut rng)).collect();
        Self {
            scribe: Scribe { generation: cast.generation, orderbook: cast.orderbook },
            usdc: cast.usdc,
            owner,
            strangers,
            fills,
            mix,
            invented: 0,
            flow: None,
            rng,
        }
    }

    /// The same, and trades go by this market.
    pub(super) fn in_flow(self, flow: Flow) -> Self {
        Self { flow: Some(flow), ..self }
    }

    /// The market that it goes by.
    pub(super) fn flow(&self) -> Option<&Flow> {
        self.flow.as_ref()
    }

    /// The transactions of the next block, which will be number `number`.
    pub(super) fn transactions(&mut self, number: u64) -> Vec<SimTx> {
        let nth = self.invented;
        self.invented += 1;
        if let Some(flow) = &mut self.flow {
            flow.walk(&mut self.rng);
        }
        let mut writings: Vec<Writing> = Vec::new();
        for _ in 0..self.fills.in_block(nth) {
            let together = self.chance(self.mix.together);
            let mut writing = match writings.pop() {
                Some(last) if together => last,
                Some(last) => {
                    writings.push(last);
                    Writing::default()
                }
                None => Writing::default(),
            };
            let noted = writing.notes.len();
            self.fill(&mut writing);
            if let Some(flow) = &mut self.flow {
                let ours = writing.notes.iter().skip(noted).filter(|note| note.ours);
                ours.for_each(|note| flow.done(note.token, note.side, note.quantity));
            }
            writings.push(writing);
            if self.chance(self.mix.vault_moves) {
                writings.push(self.vault_move());
            }
        }
        let mut txs: Vec<SimTx> = writings.into_iter().map(|w| self.sign(w)).collect();
        for _ in 0..self.mix.noise.in_block(nth) {
            txs.push(noise(&mut self.rng));
        }
        txs.shuffle(&mut self.rng);
        if self.mix.deposits {
            txs.insert(0, SimTx::l1_attributes(number));
        }
        txs
    }

    /// One transaction a trade: somebody takes the owner's order in that equity.
    pub(super) fn takes(&mut self, trades: &[(Address, Side, Decimal, Decimal)]) -> Vec<SimTx> {
        let mut txs = Vec::new();
        for (equity, side, quantity, price) in trades {
            let Some(order) = self.owner.orders.iter().find(|order| order.equity == *equity).cloned() else {
                continue;
            };
            let trade = Trade {
                equity: *equity,
                quantity: *quantity,
                usdc: Decimal::new(quantity.times(*price).at(6), -6),
            };
            let note = self.note(0, Role::Order, *side, self.owner.account, trade);
            let log = self.scribe.take(self.account(), order.leg(self.usdc, *side, trade));
            txs.push(self.sign(Writing { logs: vec![log], notes: vec![note] }));
        }
        txs
    }

    /// The owner's orders.
    pub(super) fn orders(&self) -> &[Order] {
        &self.owner.orders
    }

    /// The owner adds its orders and puts so many whole tokens of each kind into their vaults.
    pub(super) fn stock(&mut self, whole: impl Fn(Address) -> u64) -> Vec<SimTx> {
        let orders = self.owner.orders.clone();
        let vaults: BTreeMap<(Address, B256), Io> = orders
            .iter()
            .flat_map(|order| order.inputs.iter().chain(&order.outputs))
            .map(|io| ((io.token, io.vault), *io))
            .collect();
        let added = orders.iter().map(|order| self.scribe.add_order(order));
        let owner = self.owner.account;
        let filled = vaults
            .values()
            .map(|io| self.scribe.deposit(owner, *io, Decimal::new(U256::from(whole(io.token)), 0)));
        let logs: Vec<Log> = added.chain(filled).collect();
        logs.into_iter().map(|log| self.sign(Writing { logs: vec![log], notes: Vec::new() })).collect()
    }

    fn chance(&mut self, permille: u32) -> bool {
        permille > 0 && self.rng.random_ratio(permille.min(1000), 1000)
    }

    fn account(&mut self) -> Address {
        Address::from(self.rng.random::<[u8; 20]>())
    }

    fn sign(&mut self, writing: Writing) -> SimTx {
        let hash = B256::from(self.rng.random::<[u8; 32]>());
        let mut tx = SimTx::new(hash, self.account(), self.scribe.orderbook, writing.logs);
        tx.notes = writing.notes.into_boxed_slice();
        tx
    }

    fn fill(&mut self, writing: &mut Writing) {
        if self.chance(self.mix.clears) {
            self.clear(writing);
        } else {
            self.take(writing);
        }
    }

    /// Somebody takes an order.
    fn take(&mut self, writing: &mut Writing) {
        let party = self.party();
        let Some(order) = party.orders.choose(&mut self.rng).cloned() else {
            return;
        };
        let taker = self.account();
        let side = match &self.flow {
            Some(flow) if party.account == self.owner.account => flow.side(order.equity, &mut self.rng),
            Some(_) | None => self.side(),
        };
        let trade = self.trade(order.equity, Some(side));
        let leg = match order.other_pair(self.usdc) {
            Some((input, output)) if self.chance(self.mix.other_pairs) => {
                Leg { order: &order, input, output, received: trade.quantity, given: trade.quantity }
            }
            Some(_) | None => {
                let role = Role::Order;
                let log = writing.logs.len() + usize::from(self.mix.surroundings);
                writing.notes.push(self.note(log, role, side, party.account, trade));
                order.leg(self.usdc, side, trade)
            }
        };
        if self.mix.surroundings {
            writing.logs.push(self.scribe.context(taker, leg));
        }
        writing.logs.push(self.scribe.take(taker, leg));
        if self.chance(self.mix.lookalikes) {
            let elsewhere = Scribe { orderbook: self.account(), ..self.scribe };
            writing.logs.push(elsewhere.take(taker, leg));
        }
        if self.mix.surroundings {
            writing.logs.extend(self.scribe.settlement(taker, leg));
        }
    }

    /// The owner's order and a stranger's are cleared against each other, or
    /// two strangers' are. The seller gives a little more than the buyer gets.
    fn clear(&mut self, writing: &mut Writing) {
        let foreign = self.chance(self.mix.foreign);
        self.strangers.shuffle(&mut self.rng);
        let mut parties = self.strangers.iter().cloned();
        let (Some(stranger), Some(other)) = (parties.next(), parties.next()) else {
            return;
        };
        let mut pair = [if foreign { other } else { self.owner.clone() }, stranger];
        pair.shuffle(&mut self.rng);
        let [alice, bob] = pair;
        let which = self.rng.random_range(0..alice.orders.len().max(1));
        let (Some(of_alice), Some(of_bob)) = (alice.orders.get(which), bob.orders.get(which)) else {
            return;
        };

        let sold = self.trade(of_alice.equity, None);
        let bounty = Decimal::new(U256::from(999), -3);
        let bought = Trade { quantity: self.representable(sold.quantity.times(bounty), 18), ..sold };
        let alice_side = self.side();
        let (of_a, of_b, bob_side) = match alice_side {
            Side::Sell => (sold, bought, Side::Buy),
            Side::Buy => (bought, sold, Side::Sell),
        };
        let log = writing.logs.len();
        for (role, side, account, trade) in
            [(Role::Alice, alice_side, alice.account, of_a), (Role::Bob, bob_side, bob.account, of_b)]
        {
            writing.notes.push(self.note(log, role, side, account, trade));
        }
        let leg_a = of_alice.leg(self.usdc, alice_side, of_a);
        let leg_b = of_bob.leg(self.usdc, bob_side, of_b);
        let clearer = self.account();
        writing.logs.push(self.scribe.clear(clearer, leg_a, leg_b));
        if self.mix.surroundings {
            writing.logs.push(self.scribe.context(clearer, leg_a));
            writing.logs.push(self.scribe.context(clearer, leg_b));
        }
        writing.logs.push(self.scribe.after_clear(clearer, leg_a, leg_b));
    }

    /// Somebody fills or empties a vault a little.
    fn vault_move(&mut self) -> Writing {
        let amount = self.trade(Address::ZERO, None).quantity;
        let party = self.party();
        let order = party.orders.choose(&mut self.rng);
        let Some(io) = order.and_then(|order| order.inputs.choose(&mut self.rng)).copied() else {
            return Writing::default();
        };
        let (owner, book) = (party.account, self.scribe.orderbook);
        let units = amount.at(io.decimals);
        let deposits = self.rng.random();
        let logs = match (deposits, self.scribe.generation) {
            (true, Generation::V4) => {
                vec![self.scribe.deposit(owner, io, amount), transfer(io.token, owner, book, units)]
            }
            (true, Generation::V5 | Generation::V6) => {
                vec![transfer(io.token, owner, book, units), self.scribe.deposit(owner, io, amount)]
            }
            (false, _) => {
                vec![transfer(io.token, book, owner, units), self.scribe.withdraw(owner, io, amount)]
            }
        };
        Writing { logs, notes: Vec::new() }
    }

    /// The owner, or now and then a stranger.
    fn party(&mut self) -> Party {
        let foreign = self.chance(self.mix.foreign);
        match self.strangers.choose(&mut self.rng) {
            Some(stranger) if foreign => stranger.clone(),
            Some(_) | None => self.owner.clone(),
        }
    }

    fn side(&mut self) -> Side {
        if self.rng.random() { Side::Buy } else { Side::Sell }
    }

    fn note(&self, log: usize, role: Role, side: Side, owner: Address, trade: Trade) -> Note {
        Note {
            log,
            role,
            side,
            owner,
            ours: owner == self.owner.account,
            token: trade.equity,
            quantity: trade.quantity,
            usdc: trade.usdc,
        }
    }

    /// A quantity at a price: where there is a market, as it goes; else round ones, odd ones,
    /// dust, and from v5 on those with more digits than any token has.
    fn trade(&mut self, equity: Address, side: Option<Side>) -> Trade {
        if let Some(flow) = &self.flow
            && let Some([quantity, usdc]) = flow.trade(equity, side, &mut self.rng)
        {
            let usdc = self.representable(usdc, 6);
            return Trade { equity, quantity: self.representable(quantity, 18), usdc };
        }
        let price = Decimal::new(U256::from(self.rng.random_range(500_000..5_000_000_u64)), -4);
        let quantity = match self.rng.random_range(0..8_u8) {
            0 => Decimal::new(U256::from(self.rng.random_range(1..1000_u64)), 0),
            1 => Decimal::new(U256::from(self.rng.random_range(1..1000_u64)), -6),
            2 => {
                let digits = U256::from(self.rng.random_range(1..u128::MAX >> 20));
                let tail = U256::from(10).pow(U256::from(34));
                Decimal::new(digits * tail + U256::from(7), -66)
            }
            _ => Decimal::new(U256::from(self.rng.random_range(1..10_000_000_u64)), -4),
        };
        let usdc = match quantity.exponent {
            -66 => price,
            _ => quantity.times(price),
        };
        Trade { equity, quantity: self.representable(quantity, 18), usdc: self.representable(usdc, 6) }
    }

    /// The amount as this generation can hold it: cut to base units, or as a
    /// Float in one of its many forms, cut to the digits that it has.
    fn representable(&mut self, amount: Decimal, decimals: u8) -> Decimal {
        match self.scribe.generation {
            Generation::V4 => Decimal::new(amount.at(decimals), -i32::from(decimals)),
            Generation::V5 | Generation::V6 => {
                let amount = amount.cut_to(FLOAT_DIGITS);
                let room = FLOAT_DIGITS.saturating_sub(amount.digits());
                let zeros = match self.rng.random_range(0..4_u8) {
                    0 => room.min(12),
                    1 => room,
                    _ => 0,
                };
                amount.stretched(zeros)
            }
        }
    }
}

impl Party {
    fn invent(account: Address, cast: &Cast, rng: &mut StdRng) -> Self {
        let equities: Vec<&SimToken> = cast.equities().collect();
        let quote = Io { token: cast.usdc, decimals: 6, vault: B256::from(rng.random::<[u8; 32]>()) };
        let mut io = |token: &SimToken| Io {
            token: token.address,
            decimals: token.decimals,
            vault: B256::from(rng.random::<[u8; 32]>()),
        };
        let ios: Vec<Io> = equities.iter().map(|token| io(token)).collect();
        let orders = ios
            .iter()
            .zip(ios.iter().cycle().skip(1))
            .map(|(equity, other)| {
                let mut inputs = vec![quote, *equity];
                let mut outputs = inputs.clone();
                if other != equity && rng.random() {
                    inputs.push(*other);
                    outputs.push(*other);
                }
                inputs.shuffle(rng);
                outputs.shuffle(rng);
                Order {
                    owner: account,
                    interpreter: Address::from(rng.random::<[u8; 20]>()),
                    store: Address::from(rng.random::<[u8; 20]>()),
                    bytecode: Bytes::copy_from_slice(&rng.random::<[u8; 40]>()),
                    inputs,
                    outputs,
                    nonce: B256::from(rng.random::<[u8; 32]>()),
                    equity: equity.token,
                }
            })
            .collect();
        Self { account, orders }
    }
}

impl Order {
    /// Places of two tokens neither of which is quoted in dollars: the owner's
    /// equity for another. None if the order has no third token.
    fn other_pair(&self, usdc: Address) -> Option<(usize, usize)> {
        let input = self.inputs.iter().position(|io| io.token == self.equity)?;
        let third = |io: &Io| io.token != self.equity && io.token != usdc;
        Some((input, self.outputs.iter().position(third)?))
    }

    fn leg(&self, usdc: Address, side: Side, trade: Trade) -> Leg<'_> {
        let place =
            |ios: &[Io], token: Address| ios.iter().position(|io| io.token == token).unwrap_or(usize::MAX);
        let (dollars, shares) = ((usdc, trade.usdc), (trade.equity, trade.quantity));
        let (received, given) = match side {
            Side::Sell => (dollars, shares),
            Side::Buy => (shares, dollars),
        };
        Leg {
            order: self,
            input: place(&self.inputs, received.0),
            output: place(&self.outputs, given.0),
            received: received.1,
            given: given.1,
        }
    }
}

/// A stranger's transaction: some transfers of some token, or a failure.
pub(super) fn noise(rng: &mut StdRng) -> SimTx {
    let mut account = || Address::from(rng.random::<[u8; 20]>());
    let (from, token, to) = (account(), account(), account());
    let hash = B256::from(rng.random::<[u8; 32]>());
    if rng.random_ratio(1, 8) {
        return SimTx::failed(hash, from, token);
    }
    let logs: Vec<Log> = (0..rng.random_range(1..4_u8))
        .map(|_| transfer(token, from, to, U256::from(rng.random::<u64>())))
        .collect();
    SimTx::new(hash, from, token, logs)
}

#[cfg(test)]
mod tests {
    use super::super::abi::{v4, v5};
    use super::*;
    use alloy::sol_types::SolEvent;

    /// What the logs say of a note's order: tokens and amounts, received and given.
    fn legs(tx: &SimTx, note: &Note) -> [(Address, B256); 2] {
        let logs: Vec<Log> = tx.logs().collect();
        let place = |index: U256| index.to::<usize>();
        if let Ok(take) = v5::TakeOrderV3::decode_log(&logs[note.log]) {
            let v5::TakeOrderConfigV4 { order, inputIOIndex, outputIOIndex, .. } = &take.config;
            assert_eq!(order.owner, note.owner);
            return [
                (order.validInputs[place(*inputIOIndex)].token, take.output),
                (order.validOutputs[place(*outputIOIndex)].token, take.input),
            ];
        }
        if let Ok(take) = v4::TakeOrderV2::decode_log(&logs[note.log]) {
            let v4::TakeOrderConfigV3 { order, inputIOIndex, outputIOIndex, .. } = &take.config;
            assert_eq!(order.owner, note.owner);
            return [
                (order.validInputs[place(*inputIOIndex)].token, take.output.into()),
                (order.validOutputs[place(*outputIOIndex)].token, take.input.into()),
            ];
        }
        let of_alice = note.role == Role::Alice;
        let rest = &logs[note.log..];
        if let Ok(clear) = v5::ClearV3::decode_log(&logs[note.log]) {
            let after = rest.iter().find_map(|log| v5::AfterClearV2::decode_log(log).ok()).unwrap();
            let (change, config) = (&after.clearStateChange, &clear.clearConfig);
            let (order, input, output, received, given) = if of_alice {
                let (input, output) = (config.aliceInputIOIndex, config.aliceOutputIOIndex);
                (&clear.alice, input, output, change.aliceInput, change.aliceOutput)
            } else {
                let (input, output) = (config.bobInputIOIndex, config.bobOutputIOIndex);
                (&clear.bob, input, output, change.bobInput, change.bobOutput)
            };
            assert_eq!(order.owner, note.owner);
            return [
                (order.validInputs[place(input)].token, received),
                (order.validOutputs[place(output)].token, given),
            ];
        }
        let clear = v4::ClearV2::decode_log(&logs[note.log]).unwrap();
        let after = rest.iter().find_map(|log| v4::AfterClear::decode_log(log).ok()).unwrap();
        let (change, config) = (&after.clearStateChange, &clear.clearConfig);
        let (order, input, output, received, given) = if of_alice {
            let (input, output) = (config.aliceInputIOIndex, config.aliceOutputIOIndex);
            (&clear.alice, input, output, change.aliceInput, change.aliceOutput)
        } else {
            let (input, output) = (config.bobInputIOIndex, config.bobOutputIOIndex);
            (&clear.bob, input, output, change.bobInput, change.bobOutput)
        };
        assert_eq!(order.owner, note.owner);
        [
            (order.validInputs[place(input)].token, received.into()),
            (order.validOutputs[place(output)].token, given.into()),
        ]
    }

    /// The amount in plain notation.
    fn written(generation: Generation, word: B256, decimals: i32) -> String {
        match generation {
            Generation::V4 => Decimal::new(word.into(), -decimals).to_string(),
            Generation::V5 | Generation::V6 => {
                let (exponent, coefficient) = word.split_at(4);
                let exponent = i32::from_be_bytes(exponent.try_into().unwrap());
                assert!(coefficient[0] < 0x80, "negative: {word}");
                Decimal::new(U256::from_be_slice(coefficient), exponent).to_string()
            }
        }
    }

    #[test]
    fn a_note_says_what_its_logs_say() {
        for generation in [Generation::V4, Generation::V5, Generation::V6] {
            let cast = Cast { generation, ..Cast::default() };
            let mut inventor = Inventor::new(5, &cast, Rate::per_block(5), Mix::full());
            let mut roles = [0; 3];
            for tx in (0..200).flat_map(|n| inventor.transactions(n)) {
                for note in &tx.notes {
                    let dollars = (cast.usdc, note.usdc.to_string());
                    let shares = (note.token, note.quantity.to_string());
                    let wanted = match note.side {
                        Side::Sell => [dollars, shares],
                        Side::Buy => [shares, dollars],
                    };
                    let said = legs(&tx, note).map(|(token, amount)| {
                        let decimals = if token == cast.usdc { 6 } else { 18 };
                        (token, written(generation, amount, decimals))
                    });
                    assert_eq!(said, wanted);
                    assert!(wanted.iter().all(|(_, amount)| amount != "0"));
                    roles[note.role as usize] += 1;
                }
            }
            assert!(roles.iter().all(|seen| *seen > 50), "{roles:?}");
        }
    }

    #[test]
    fn a_rate_sums_up_exactly() {
        for rate in [Rate::per_block(20), Rate::once_in(50), Rate { times: 3, blocks: 7 }] {
            let sum: u64 = (0..700).map(|n| rate.in_block(n)).sum();
            assert_eq!(sum, 700 * rate.times / rate.blocks);
        }
    }

    #[test]
    fn the_same_seed_invents_the_same() {
        for generation in [Generation::V4, Generation::V5, Generation::V6] {
            let cast = Cast { generation, ..Cast::default() };
            let invent = |seed| {
                let mut inventor = Inventor::new(seed, &cast, Rate::per_block(3), Mix::full());
                (0..20).map(|n| inventor.transactions(n)).collect::<Vec<_>>()
            };
            assert_eq!(invent(7), invent(7));
            assert_ne!(invent(7), invent(8));
        }
    }
}
