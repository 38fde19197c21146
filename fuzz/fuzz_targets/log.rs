//! Logs of all kinds, read and booked.
//!
//! A case is a recorded transaction with edits, or logs made of nothing but
//! bytes. Always true: nothing panics; complete logs are always read; a fill is
//! of sane amounts; a text that a person may have to read is short; and what
//! alloy decodes, we decode to the same.
#![no_main]

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use alloy::{
    primitives::{Address, B256, U256},
    sol,
    sol_types::{SolValue, abi::AbiDecoderConfig},
};
use hedge::{
    assets::{Asset, Directory, Token},
    book::{
        coverage::Verdict,
        fill::{Fact, Reason, Role},
    },
    chain::{
        booking::{self, Need, Tokens},
        float,
        log::{Filter, Log},
        raindex::{self, Leg, Raw, Reading, Trade, topic},
        source::{HedgeAt, Kind, SourceSettings},
    },
    units::Amount,
};
use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};

const CHAIN: u64 = 8453;

#[derive(Arbitrary, Debug)]
struct Case {
    play: u8,
    transaction: u16,
    /// In place of the recorded ones, where there are any.
    made: Vec<Made>,
    edits: Vec<Edit>,
    complete: bool,
    decimals: u8,
    ratio: i128,
}

/// A log of nothing but bytes.
#[derive(Arbitrary, Debug)]
struct Made {
    event: u8,
    data: Vec<u8>,
}

#[derive(Arbitrary, Debug)]
struct Edit {
    log: u8,
    word: u16,
    what: What,
}

/// What is done to one word of one log, or to the whole log.
#[derive(Arbitrary, Debug)]
enum What {
    Number(u64),
    Bytes([u8; 32]),
    Plus(i8),
    Owner,
    Token(u8),
    Cut(u8),
    Event(u8),
    Twin,
    Gone,
}

/// One recording, and who plays in it.
struct Play {
    source: SourceSettings,
    filter: Filter,
    directory: Directory,
    tokens: Vec<Address>,
    transactions: Vec<Vec<Log>>,
}

static PLAYS: LazyLock<[Play; 3]> = LazyLock::new(|| {
    let v4 = Play::read(Kind::RaindexV4, include_str!("../../tests/fixtures/raindex/raindex-v4.json"));
    let v6 = Play::read(Kind::RaindexV6, include_str!("../../tests/fixtures/raindex/raindex-v6-random.json"));
    let inventory = v6.as_an_inventory();
    [v4, v6, inventory]
});

impl Play {
    fn read(kind: Kind, json: &str) -> Self {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Recording {
            orderbook: Address,
            order_owner: Address,
            usdc: Address,
            tokens: Vec<Equity>,
            transactions: Vec<Transaction>,
        }
        #[derive(serde::Deserialize)]
        struct Equity {
            address: Address,
            ticker: Option<String>,
        }
        #[derive(serde::Deserialize)]
        struct Transaction {
            logs: Vec<Log>,
        }
        let recording: Recording = serde_json::from_str(json).expect("a recording");
        let source = SourceSettings {
            name: "raindex".to_owned(),
            chain: CHAIN,
            kind,
            address: recording.orderbook,
            owners: vec![recording.order_owner],
            from_block: 0,
            hedge_at: HedgeAt::Latest,
            believe: Verdict::Taken,
            vaults: Vec::new(),
        };
        let filter = raindex::filter(&source);
        let assets = recording.tokens.iter().filter_map(|token| {
            let tokens = vec![Token { chain: CHAIN, address: token.address, wrapped: true }];
            Some(Asset { symbol: token.ticker.clone()?, tokens, threshold: None, pyth_feed: None })
        });
        let directory = Directory::listed([(CHAIN, recording.usdc)].into(), assets.collect());
        let transactions = recording.transactions.into_iter().map(|transaction| {
            transaction.logs.into_iter().filter(|log| filter.takes(log)).collect::<Vec<_>>()
        });
        Self {
            transactions: transactions.filter(|logs| !logs.is_empty()).collect(),
            tokens: recording.tokens.iter().map(|token| token.address).collect(),
            source,
            filter,
            directory,
        }
    }

    /// The same tokens, settled from an inventory: a deposit is a vault move's with another topic.
    fn as_an_inventory(&self) -> Self {
        let source = SourceSettings { kind: Kind::Inventory, ..self.source.clone() };
        let filter = raindex::filter(&source);
        let transactions = self.transactions.iter().map(|logs| {
            let renamed = logs.iter().zip(filter.topics.iter().cycle());
            renamed.map(|(log, topic)| Log { topics: vec![*topic], ..log.clone() }).collect()
        });
        Self {
            transactions: transactions.collect(),
            directory: self.directory.clone(),
            tokens: self.tokens.clone(),
            source,
            filter,
        }
    }

    /// The logs of a case: sorted, of one transaction, of the filter.
    fn logs(&self, case: &Case) -> Vec<Log> {
        let recorded = &self.transactions[usize::from(case.transaction) % self.transactions.len()];
        let event = |number: u8| vec![self.filter.topics[usize::from(number) % self.filter.topics.len()]];
        let mut logs = recorded.clone();
        if let Some(like) = recorded.first().filter(|_| !case.made.is_empty()) {
            let made = case.made.iter().map(|made| Log {
                topics: event(made.event),
                data: made.data.clone().into(),
                ..like.clone()
            });
            logs = made.collect();
        }
        for edit in &case.edits {
            if logs.is_empty() || logs.len() > 64 {
                break;
            }
            let at = usize::from(edit.log) % logs.len();
            let mut data = logs[at].data.to_vec();
            let words = data.len() / 32;
            let start = usize::from(edit.word) % words.max(1) * 32;
            let word = data.get(start..start + 32).map(U256::from_be_slice).unwrap_or_default();
            let new = match edit.what {
                What::Number(number) => U256::from(number),
                What::Bytes(bytes) => U256::from_be_bytes(bytes),
                What::Plus(some) if some < 0 => word.wrapping_sub(U256::from(some.unsigned_abs())),
                What::Plus(some) => word.wrapping_add(U256::from(some.unsigned_abs())),
                What::Owner => self.source.owners[0].into_word().into(),
                What::Token(token) => self.tokens[usize::from(token) % self.tokens.len()].into_word().into(),
                What::Cut(bytes) => {
                    data.truncate(start + usize::from(bytes));
                    word
                }
                What::Event(number) => {
                    logs[at].topics = event(number);
                    word
                }
                What::Twin => {
                    let twin = logs[at].clone();
                    logs.insert(at, twin);
                    word
                }
                What::Gone => {
                    logs.remove(at);
                    continue;
                }
            };
            if let Some(place) = data.get_mut(start..start + 32) {
                place.copy_from_slice(&new.to_be_bytes::<32>());
            }
            logs[at].data = data.into();
        }
        for (index, log) in logs.iter_mut().enumerate() {
            log.log_index = index as u64;
        }
        logs
    }
}

fuzz_target!(|case: Case| {
    let play = &PLAYS[usize::from(case.play) % PLAYS.len()];
    let logs = play.logs(&case);
    let readings = match raindex::read(&play.source, &logs, case.complete) {
        Ok(readings) => readings,
        Err(incomplete) => {
            assert!(!case.complete, "{incomplete}");
            return;
        }
    };
    assert!(readings.is_sorted_by_key(|(place, _)| *place));
    let read: BTreeSet<usize> = readings.iter().map(|(place, _)| *place).collect();
    assert!(read.into_iter().eq(0..logs.len()), "a log was passed over");
    agree_with_alloy(&play.source, &logs, &readings);
    for (place, reading) in readings {
        let tokens = answers(&case, &reading, &logs[place], &play.directory);
        match booking::book(reading, logs[place].block_hash, CHAIN, &play.directory, &tokens) {
            Some(Fact::Fill(fill)) => {
                assert!(fill.token_quantity > Amount::ZERO && fill.usdc.0 >= Amount::ZERO);
                assert!(fill.quantity.0 >= Amount::ZERO && fill.wrapper_ratio > Amount::ZERO);
                assert_eq!(fill.token_quantity_exact.cut(18), Some(fill.token_quantity));
                assert_eq!(fill.usdc_exact.cut(6), Some(fill.usdc.0));
                assert_eq!(fill.usdc_exact.per(&fill.token_quantity_exact), Some(fill.price));
            }
            Some(Fact::VaultMove(moved)) => {
                assert!(moved.withdrawal || moved.amount >= Amount::ZERO);
                assert!(!moved.withdrawal || moved.amount <= Amount::ZERO);
                assert_eq!(moved.amount_exact.cut(18), Some(moved.amount));
            }
            Some(Fact::Skip(skip)) => assert!(skip.detail.len() < 4_096, "{}", skip.detail),
            None => {}
        }
    }
});

/// What the chain answers to all that a reading asks of it.
fn answers(case: &Case, reading: &Reading, log: &Log, directory: &Directory) -> Tokens {
    let mut wanted = BTreeSet::new();
    booking::needs(reading, log.block_hash, CHAIN, directory, &mut wanted);
    // The door refuses both before they come here.
    let decimals = case.decimals % 78;
    let ratio = Amount::from_atoms(case.ratio.saturating_abs()).filter(|ratio| !ratio.is_zero());
    let ratio = ratio.ok_or_else(|| "no ratio that the books can hold".to_owned());
    let mut tokens = Tokens { tokens: HashMap::new(), ratios: HashMap::new() };
    for need in wanted {
        match need {
            Need::Token(token) => {
                let known = booking::Token { symbol: "wtAAPL".to_owned(), decimals };
                tokens.tokens.insert(token, Ok(known));
            }
            Need::Ratio(token, block) => {
                tokens.ratios.insert((token, block), ratio.clone());
            }
        }
    }
    tokens
}

/// What alloy makes of an event: the sides of a trade that it holds.
///
/// Lenient reads what ours may refuse (an address of more than 20 bytes), strict
/// only what nobody may refuse.
#[derive(Clone, Copy)]
struct Decoder(AbiDecoderConfig);

impl Decoder {
    const LENIENT: Self = Self(AbiDecoderConfig::new().memory_limit(1 << 20));
    const STRICT: Self = Self(AbiDecoderConfig::new().memory_limit(1 << 20).validate(true));
}

/// One side of a trade as alloy decodes it.
struct Side {
    role: Role,
    owner: Address,
    /// Each list's entry at its index, and the amount; `None` where the order has none there.
    received: Option<Leg>,
    given: Option<Leg>,
}

/// The sides that a log has, in each generation's words; `$amount` says what a word of it means.
macro_rules! generation {
    ($name:ident, $amount:expr, $vault:expr, { $($io:tt)* }) => {
        mod $name {
            use super::*;
            sol! {
                struct Evaluable { address interpreter; address store; bytes bytecode; }
                $($io)*
                struct SignedContext { address signer; bytes32[] context; bytes signature; }
                struct Order { address owner; Evaluable evaluable; IO[] inputs; IO[] outputs; bytes32 nonce; }
                struct Config { Order order; uint256 inputAt; uint256 outputAt; SignedContext[] context; }
                struct Clear { uint256 aliceIn; uint256 aliceOut; uint256 bobIn; uint256 bobOut; bytes32 a; bytes32 b; }
                struct Change { bytes32 aliceOutput; bytes32 bobOutput; bytes32 aliceInput; bytes32 bobInput; }
                struct TakeOrder { address sender; Config config; bytes32 input; bytes32 output; }
                struct Cleared { address sender; Order alice; Order bob; Clear config; }
                struct AfterClear { address sender; Change change; }
            }

            fn leg(list: &[IO], at: U256, amount: B256) -> Option<Leg> {
                let io = list.get(usize::try_from(at).ok()?)?;
                Some(Leg { token: io.token, vault: $vault(io), amount: $amount(amount) })
            }

            fn side(role: Role, order: &Order, at: (U256, U256), received: B256, given: B256) -> Side {
                Side {
                    role,
                    owner: order.owner,
                    received: leg(&order.inputs, at.0, received),
                    given: leg(&order.outputs, at.1, given),
                }
            }

            pub fn take(data: &[u8], decoder: Decoder) -> Option<Side> {
                let take = TakeOrder::abi_decode_params_with_config(data, decoder.0).ok()?;
                let at = (take.config.inputAt, take.config.outputAt);
                Some(side(Role::Order, &take.config.order, at, take.output, take.input))
            }

            pub fn clear(clear: &[u8], after: &[u8], decoder: Decoder) -> Option<[Side; 2]> {
                let clear = Cleared::abi_decode_params_with_config(clear, decoder.0).ok()?;
                let after = AfterClear::abi_decode_params_with_config(after, decoder.0).ok()?.change;
                let at = clear.config;
                Some([
                    side(Role::Alice, &clear.alice, (at.aliceIn, at.aliceOut), after.aliceInput, after.aliceOutput),
                    side(Role::Bob, &clear.bob, (at.bobIn, at.bobOut), after.bobInput, after.bobOutput),
                ])
            }
        }
    };
}

generation!(v4, |word: B256| Raw::Base(word.into()), |io: &IO| B256::from(io.vaultId), {
    struct IO { address token; uint8 decimals; uint256 vaultId; }
});
generation!(v5, |word: B256| Raw::Whole(float::decode(word)), |io: &IO| io.vaultId, {
    struct IO { address token; bytes32 vaultId; }
});

/// Every trade that alloy decodes is read, and read the same.
fn agree_with_alloy(source: &SourceSettings, logs: &[Log], readings: &[(usize, Reading)]) {
    let v4 = source.kind == Kind::RaindexV4;
    for (place, log) in logs.iter().enumerate() {
        let sides = |decoder| -> Option<Vec<Side>> {
            match log.topic0()? {
                topic::TAKE_ORDER_V2 | topic::TAKE_ORDER_V2_NEWER => {
                    Some(vec![v4::take(&log.data, decoder)?])
                }
                topic::TAKE_ORDER_V3 => Some(vec![v5::take(&log.data, decoder)?]),
                topic::CLEAR_V2 | topic::CLEAR_V3 => {
                    let after = logs[place + 1..].iter().find(|log| {
                        let clear =
                            [topic::CLEAR_V2, topic::CLEAR_V3, topic::AFTER_CLEAR, topic::AFTER_CLEAR_V2];
                        log.topic0().is_some_and(|topic| clear.contains(&topic))
                    })?;
                    if [topic::CLEAR_V2, topic::CLEAR_V3].contains(&after.topic0()?) {
                        return None;
                    }
                    let clear = if v4 { v4::clear } else { v5::clear };
                    Some(clear(&log.data, &after.data, decoder)?.into())
                }
                _ => None,
            }
        };
        let read: Vec<&Reading> =
            readings.iter().filter(|(at, _)| *at == place).map(|(_, reading)| reading).collect();
        let Some(lenient) = sides(Decoder::LENIENT) else { continue };
        let ours: Vec<Side> =
            lenient.into_iter().filter(|side| source.owners.contains(&side.owner)).collect();
        if read.iter().any(|reading| matches!(reading, Reading::Skip(skip) if skip.reason == Reason::Decode))
        {
            assert!(sides(Decoder::STRICT).is_none(), "alloy reads it strictly, we refuse it: {read:?}");
            continue;
        }
        if ours.is_empty() {
            assert_eq!(read, [&Reading::Foreign]);
            continue;
        }
        assert_eq!(read.len(), ours.len());
        for (reading, side) in read.into_iter().zip(ours) {
            match (reading, side.received, side.given) {
                (Reading::Trade(trade), Some(received), Some(given)) => {
                    assert_eq!(*trade, Trade { role: side.role, owner: side.owner, received, given });
                }
                (Reading::Skip(skip), received, given) => {
                    assert_eq!((skip.role, skip.reason), (Some(side.role), Reason::Index));
                    assert!(received.is_none() || given.is_none());
                }
                (reading, ..) => panic!("alloy has a trade of ours where we have {reading:?}"),
            }
        }
    }
}
