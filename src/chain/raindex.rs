//! One transaction's logs → trades, vault moves, skips (`raindex.md` §2–4).
//!
//! Everything is seen from the owner's side: *received* is what the order took
//! in, *given* what it gave. A `TakeOrder` speaks the taker's side and is turned
//! round; a clear's amounts stand in the `AfterClear` that follows it. Prices,
//! decimals and wrapper ratios are not here: that is `booking`.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, U256, b256};

use super::{
    abi::{Malformed, Tuple},
    float,
    log::{Filter, Log},
    source::{Kind, SourceSettings},
};
use crate::{
    book::{
        fill::{Reason, Role, Skip},
        vault::VaultKey,
    },
    units::Exact,
};

/// The events asked for, by their `topic0` (`raindex.md` §2, §11).
pub mod topic {
    use super::{B256, b256};

    /// `ClearV2`, v4.
    pub const CLEAR_V2: B256 = b256!("692ee69af2843c70772be93470669f3c73e583316a047b6bfefdae5629de37ce");
    /// `AfterClear`, v4.
    pub const AFTER_CLEAR: B256 = b256!("3f20e55919cca701abb2a40ab72542b25ea7eed63a50f979dd2cd3231e5f488d");
    /// `TakeOrderV2`, v4, as every deployed contract emits it.
    pub const TAKE_ORDER_V2: B256 = b256!("10de99b9032184587540c04e1850dff94a7683ae1fcc9eb06098621c739c0275");
    /// `TakeOrderV2` as newer interface files spell it; the data is laid out the same.
    pub const TAKE_ORDER_V2_NEWER: B256 =
        b256!("db6a7f7c95db17afba67ed8b030afd2d087b130ec173b9f15ccde01097dd9353");
    /// `Deposit`, v4.
    pub const DEPOSIT: B256 = b256!("dcbc1c05240f31ff3ad067ef1ee35ce4997762752e3a095284754544f4c709d7");
    /// `Withdraw`, v4.
    pub const WITHDRAW: B256 = b256!("ebff2602b3f468259e1e99f613fed6691f3a6526effe6ef3e768ba7ae7a36c4f");
    /// `ClearV3`, v5 and v6.
    pub const CLEAR_V3: B256 = b256!("6fa7f4c28634b0a9d6831401c45ae468195fb63aed07308935c35374ff5d9e39");
    /// `AfterClearV2`, v5 and v6.
    pub const AFTER_CLEAR_V2: B256 =
        b256!("d9fa84dd790c969daa5c33d8050dc06b4a9b59d5b42e2be5f5e8ae20447f618d");
    /// `TakeOrderV3`, v5 and v6.
    pub const TAKE_ORDER_V3: B256 = b256!("194f1feb3b4d7076a2c272e774e792e0c48bb8c7aa1a9a3671c1cd6da9e6b4c1");
    /// `DepositV2`, v5 and v6.
    pub const DEPOSIT_V2: B256 = b256!("7f9dfa19cf1cc2f806f2f860fbc9c056b601fb1afc0e9b843dfe5c63616268e6");
    /// `WithdrawV2`, v5 and v6.
    pub const WITHDRAW_V2: B256 = b256!("8045c25080b0868951141ed0a91720bcad09a8364a2b3109ee1fd49c1f0bc8b8");
    /// `AddOrderV2`, v4: read for the vaults that an order names, not for fills.
    pub const ADD_ORDER_V2: B256 = b256!("3ce8bbe652d8778b67dd565c479c3bbaa843e55e477d075f756f889ec4bbdaee");
    /// `AddOrderV3`, v5 and v6: likewise.
    pub const ADD_ORDER_V3: B256 = b256!("87491344dfbcf91f6cbbc610cbbeedc85313d37a02df0c93527f7ea5f8db717f");
    /// `OperatorDeposit`, inventory.
    pub const OPERATOR_DEPOSIT: B256 =
        b256!("a507aac739d4f580d86e1e34ebb6bd0bbd130d687ada88539711c645fd2b5480");
    /// `OperatorWithdraw`, inventory.
    pub const OPERATOR_WITHDRAW: B256 =
        b256!("50539c01596e1068221f68fffa4b27891c8ec42281472a03345e76561d4cfc44");
}

/// What to ask a node for to follow this source.
pub fn filter(source: &SourceSettings) -> Filter {
    let topics = match source.kind {
        Kind::RaindexV4 => vec![
            topic::CLEAR_V2,
            topic::AFTER_CLEAR,
            topic::TAKE_ORDER_V2,
            topic::TAKE_ORDER_V2_NEWER,
            topic::DEPOSIT,
            topic::WITHDRAW,
        ],
        Kind::RaindexV5 | Kind::RaindexV6 => vec![
            topic::CLEAR_V3,
            topic::AFTER_CLEAR_V2,
            topic::TAKE_ORDER_V3,
            topic::DEPOSIT_V2,
            topic::WITHDRAW_V2,
        ],
        Kind::Inventory => vec![topic::OPERATOR_DEPOSIT, topic::OPERATOR_WITHDRAW],
    };
    Filter { address: source.address, topics }
}

/// What to ask a node for to learn the vaults of this source; none where nobody adds orders.
pub fn added_orders(source: &SourceSettings) -> Option<Filter> {
    let topic = match source.kind {
        Kind::RaindexV4 => topic::ADD_ORDER_V2,
        Kind::RaindexV5 | Kind::RaindexV6 => topic::ADD_ORDER_V3,
        Kind::Inventory => return None,
    };
    Some(Filter { address: source.address, topics: vec![topic] })
}

/// The vaults that an order of ours names, of a log of [`added_orders`]; none where it is somebody else's.
///
/// `(sender, orderHash, order)`
///
/// # Errors
/// The log does not read as what its topic says.
pub fn vaults_of_order(source: &SourceSettings, log: &Log) -> Result<BTreeSet<VaultKey>, Malformed> {
    let shape = Shape::of(source.kind);
    let order = Tuple::new(&log.data).tail(2)?;
    if !source.owners.contains(&order.address(0)?) {
        return Ok(BTreeSet::new());
    }
    let order = Order::read(order, shape)?;
    let mut vaults = BTreeSet::new();
    for (count, entries) in [order.inputs, order.outputs] {
        for at in 0..count {
            vaults.insert(VaultKey {
                owner: order.owner,
                token: entries.address(at * shape.io_words)?,
                vault_id: entries.word(at * shape.io_words + shape.vault_at)?,
            });
        }
    }
    Ok(vaults)
}

/// An amount as its event says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raw {
    /// Base units: whole tokens only with the token's own decimals.
    Base(U256),
    /// Whole tokens.
    Whole(Exact),
}

/// One token that moved, into a vault or out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Which token.
    pub token: Address,
    /// How much.
    pub amount: Raw,
    /// Which vault.
    pub vault: B256,
}

/// A trade of an owner's, not yet priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Which side of the log is ours.
    pub role: Role,
    /// Whose order it was.
    pub owner: Address,
    /// What the owner received.
    pub received: Leg,
    /// What the owner gave.
    pub given: Leg,
}

/// What one log says; a clear between two owners of ours says two things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// A trade of ours.
    Trade(Trade),
    /// Into a vault of ours, or out of it.
    VaultMove {
        /// Whose vault.
        owner: Address,
        /// What moved.
        leg: Leg,
        /// Out of it?
        withdrawal: bool,
    },
    /// Ours or nobody knows whose, but no fill.
    Skip(Skip),
    /// The amounts of a clear of ours, or the other half of a settlement.
    Companion,
    /// Somebody else's.
    Foreign,
}

/// A log whose partner is not in the answer: nothing may be concluded from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer holds log {log_index} of transaction {tx} without its partner")]
pub struct Incomplete {
    /// The transaction.
    pub tx: B256,
    /// The log that is alone.
    pub log_index: u64,
}

/// Reads all logs that `source` has in one transaction.
///
/// Gives (position in `logs`, what it says), in order. `logs` are sorted, of
/// one transaction, and of the source's filter. With `complete`, they were
/// taken from proved receipts, and a missing partner is a fact to be skipped;
/// otherwise it means that the answer lacks something.
///
/// # Errors
/// [`Incomplete`]: ask again, best for the receipt. Never for what a log says.
pub fn read(
    source: &SourceSettings,
    logs: &[Log],
    complete: bool,
) -> Result<Vec<(usize, Reading)>, Incomplete> {
    match source.kind {
        Kind::Inventory => Ok(settlements(source, logs)),
        Kind::RaindexV4 | Kind::RaindexV5 | Kind::RaindexV6 => orders(source, logs, complete),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "an error, a literal or a text: what the caller has at hand"
)]
fn skip(role: Option<Role>, reason: Reason, detail: impl ToString) -> Reading {
    Reading::Skip(Skip { role, reason, detail: detail.to_string() })
}

fn orders(
    source: &SourceSettings,
    logs: &[Log],
    complete: bool,
) -> Result<Vec<(usize, Reading)>, Incomplete> {
    let shape = Shape::of(source.kind);
    let mut readings = Vec::with_capacity(logs.len());
    // The clear that waits for its amounts. Pairs never interleave: the
    // contract's entry points are non-reentrant (`raindex.md` §4).
    let mut open: Option<(usize, &Log)> = None;
    let alone = |readings: &mut Vec<_>, place: usize, log: &Log| {
        if !complete {
            return Err(Incomplete { tx: log.transaction_hash, log_index: log.log_index });
        }
        readings.push((place, skip(None, Reason::Unpaired, "its partner is not among the proved logs")));
        Ok(())
    };
    for (place, log) in logs.iter().enumerate() {
        match log.topic0() {
            Some(topic::CLEAR_V2 | topic::CLEAR_V3) => {
                if let Some((place, clear)) = open.replace((place, log)) {
                    alone(&mut readings, place, clear)?;
                }
            }
            Some(topic::AFTER_CLEAR | topic::AFTER_CLEAR_V2) => match open.take() {
                Some((clear_place, clear)) => {
                    let sides = clear_sides(source, shape, clear, log);
                    let ours = sides.iter().any(|side| *side != Reading::Foreign);
                    readings.extend(sides.into_iter().map(|side| (clear_place, side)));
                    readings.push((place, if ours { Reading::Companion } else { Reading::Foreign }));
                }
                None => alone(&mut readings, place, log)?,
            },
            Some(topic::TAKE_ORDER_V2 | topic::TAKE_ORDER_V2_NEWER | topic::TAKE_ORDER_V3) => {
                readings.push((place, take(source, shape, log)));
            }
            _ => readings.push((place, vault_move(source, log))),
        }
    }
    if let Some((place, clear)) = open {
        alone(&mut readings, place, clear)?;
    }
    readings.sort_by_key(|(place, _)| *place);
    Ok(readings)
}

/// How a generation lays out what differs.
#[derive(Clone, Copy)]
struct Shape {
    /// Words of one entry in an order's lists of inputs and outputs.
    io_words: usize,
    /// Where the vault id stands in it.
    vault_at: usize,
    /// Are amounts Floats?
    floats: bool,
}

impl Shape {
    const fn of(kind: Kind) -> Self {
        match kind {
            Kind::RaindexV4 => Self { io_words: 3, vault_at: 2, floats: false },
            Kind::RaindexV5 | Kind::RaindexV6 | Kind::Inventory => {
                Self { io_words: 2, vault_at: 1, floats: true }
            }
        }
    }

    fn amount(self, word: B256) -> Raw {
        if self.floats { Raw::Whole(float::decode(word)) } else { Raw::Base(U256::from_be_bytes(word.0)) }
    }
}

/// What stops a log from being a trade.
enum Stop {
    Malformed(Malformed),
    Index { list: &'static str, index: U256, count: usize },
}

impl From<Malformed> for Stop {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl Stop {
    fn into_skip(self, role: Option<Role>) -> Reading {
        match self {
            Self::Malformed(malformed) => skip(role, Reason::Decode, malformed),
            Self::Index { list, index, count } => {
                skip(role, Reason::Index, format!("{list} {index} of an order that has {count}"))
            }
        }
    }
}

/// An order, as far as a trade needs it; everything else is checked to lie within the data.
struct Order<'a> {
    owner: Address,
    inputs: (usize, Tuple<'a>),
    outputs: (usize, Tuple<'a>),
}

impl<'a> Order<'a> {
    /// `(owner, evaluable, validInputs, validOutputs, nonce)`
    fn read(order: Tuple<'a>, shape: Shape) -> Result<Self, Malformed> {
        let evaluable = order.tail(1)?;
        evaluable.address(0)?;
        evaluable.address(1)?;
        evaluable.bytes(2)?;
        order.word(4)?;
        Ok(Self {
            owner: order.address(0)?,
            inputs: order.array(2, shape.io_words)?,
            outputs: order.array(3, shape.io_words)?,
        })
    }

    fn leg(
        list: &'static str,
        (count, entries): (usize, Tuple<'a>),
        index: U256,
        shape: Shape,
        amount: B256,
    ) -> Result<Leg, Stop> {
        let at =
            usize::try_from(index).ok().filter(|at| *at < count).ok_or(Stop::Index { list, index, count })?;
        Ok(Leg {
            token: entries.address(at * shape.io_words)?,
            vault: entries.word(at * shape.io_words + shape.vault_at)?,
            amount: shape.amount(amount),
        })
    }
}

/// `(sender, (order, inputIOIndex, outputIOIndex, signedContext), input, output)`
///
/// The event's amounts are the taker's: its input is the order's output.
fn take(source: &SourceSettings, shape: Shape, log: &Log) -> Reading {
    let trade = || -> Result<Reading, Stop> {
        let event = Tuple::new(&log.data);
        let config = event.tail(1)?;
        let order = config.tail(0)?;
        if !source.owners.contains(&order.address(0)?) {
            return Ok(Reading::Foreign);
        }
        let order = Order::read(order, shape)?;
        let (count, contexts) = config.array(3, 1)?;
        for index in 0..count {
            let context = contexts.tail(index)?;
            context.address(0)?;
            context.array(1, 1)?;
            context.bytes(2)?;
        }
        Ok(Reading::Trade(Trade {
            role: Role::Order,
            owner: order.owner,
            received: Order::leg("input", order.inputs, config.number(1)?, shape, event.word(3)?)?,
            given: Order::leg("output", order.outputs, config.number(2)?, shape, event.word(2)?)?,
        }))
    };
    trade().unwrap_or_else(|stop| stop.into_skip(Some(Role::Order)))
}

/// `(sender, alice, bob, (aliceIn, aliceOut, bobIn, bobOut, bounty, bounty))` with
/// `(sender, aliceOutput, bobOutput, aliceInput, bobInput)`.
///
/// One reading for each side that is ours; one `Foreign` where none is.
fn clear_sides(source: &SourceSettings, shape: Shape, clear: &Log, after: &Log) -> Vec<Reading> {
    let event = Tuple::new(&clear.data);
    let amounts = Tuple::new(&after.data);
    let owners = || -> Result<_, Malformed> { Ok([event.tail(1)?.address(0)?, event.tail(2)?.address(0)?]) };
    let owners = match owners() {
        Ok(owners) => owners,
        Err(malformed) => return vec![skip(None, Reason::Decode, malformed)],
    };
    // (role, where the order stands, where its indexes stand, where its amounts stand)
    let sides = [(Role::Alice, 1, (3, 4), (3, 1)), (Role::Bob, 2, (5, 6), (4, 2))];
    let ours: Vec<Reading> = sides
        .into_iter()
        .zip(owners)
        .filter(|(_, owner)| source.owners.contains(owner))
        .map(|((role, at, (input_at, output_at), (received_at, given_at)), _)| {
            let trade = || -> Result<Trade, Stop> {
                let order = Order::read(event.tail(at)?, shape)?;
                event.word(8)?;
                Ok(Trade {
                    role,
                    owner: order.owner,
                    received: Order::leg(
                        "input",
                        order.inputs,
                        event.number(input_at)?,
                        shape,
                        amounts.word(received_at)?,
                    )?,
                    given: Order::leg(
                        "output",
                        order.outputs,
                        event.number(output_at)?,
                        shape,
                        amounts.word(given_at)?,
                    )?,
                })
            };
            trade().map_or_else(|stop| stop.into_skip(Some(role)), Reading::Trade)
        })
        .collect();
    if ours.is_empty() { vec![Reading::Foreign] } else { ours }
}

/// `(sender, token, vaultId, …)`, and then what left or came, as the event's kind has it.
fn vault_move(source: &SourceSettings, log: &Log) -> Reading {
    let moved = || -> Result<Reading, Malformed> {
        let event = Tuple::new(&log.data);
        let owner = event.address(0)?;
        if !source.owners.contains(&owner) {
            return Ok(Reading::Foreign);
        }
        let (withdrawal, amount) = match log.topic0() {
            Some(topic::DEPOSIT | topic::DEPOSIT_V2) => (false, Raw::Base(event.number(3)?)),
            // The target stands before what really left.
            Some(topic::WITHDRAW) => (true, Raw::Base(event.number(4)?)),
            Some(topic::WITHDRAW_V2) => {
                event.word(5)?;
                (true, Raw::Whole(float::decode(event.word(4)?)))
            }
            _ => return Err(Malformed("no event that was asked for")),
        };
        Ok(Reading::VaultMove {
            owner,
            leg: Leg { token: event.address(1)?, vault: event.word(2)?, amount },
            withdrawal,
        })
    };
    moved().unwrap_or_else(|malformed| skip(None, Reason::Decode, malformed))
}

/// An inventory's fills: of one operator in one transaction exactly one deposit
/// (received) and one withdrawal (given). The first of the two is the fill's log.
fn settlements(source: &SourceSettings, logs: &[Log]) -> Vec<(usize, Reading)> {
    struct Half {
        place: usize,
        leg: Leg,
        deposit: bool,
    }
    let mut readings = Vec::with_capacity(logs.len());
    let mut by_operator: BTreeMap<Address, Vec<Half>> = BTreeMap::new();
    for (place, log) in logs.iter().enumerate() {
        let half = || -> Result<(Address, Half), Malformed> {
            let [topic0, operator, token, vault] =
                *log.topics.first_chunk().ok_or(Malformed("an indexed parameter is missing"))?;
            // An indexed address is a word like any other.
            let address = |word: B256| Tuple::new(word.as_slice()).address(0);
            let leg =
                Leg { token: address(token)?, vault, amount: Raw::Base(Tuple::new(&log.data).number(0)?) };
            Ok((address(operator)?, Half { place, leg, deposit: topic0 == topic::OPERATOR_DEPOSIT }))
        };
        match half() {
            Err(malformed) => {
                readings.push((place, skip(Some(Role::Inventory), Reason::Decode, malformed)));
            }
            Ok((operator, half)) if source.owners.is_empty() || source.owners.contains(&operator) => {
                by_operator.entry(operator).or_default().push(half);
            }
            Ok(_) => readings.push((place, Reading::Foreign)),
        }
    }
    for (operator, halves) in by_operator {
        match halves.as_slice() {
            [first, second] if first.deposit != second.deposit => {
                let (received, given) = if first.deposit { (first, second) } else { (second, first) };
                readings.push((
                    first.place,
                    Reading::Trade(Trade {
                        role: Role::Inventory,
                        owner: source.address,
                        received: received.leg,
                        given: given.leg,
                    }),
                ));
                readings.push((second.place, Reading::Companion));
            }
            _ => {
                let deposits = halves.iter().filter(|half| half.deposit).count();
                let detail = format!(
                    "operator {operator} has {deposits} deposits and {} withdrawals in the transaction",
                    halves.len() - deposits
                );
                readings.extend(
                    halves
                        .iter()
                        .map(|half| (half.place, skip(Some(Role::Inventory), Reason::Unpaired, &detail))),
                );
            }
        }
    }
    readings.sort_by_key(|(place, _)| *place);
    readings
}
