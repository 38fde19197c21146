//! Laws, not cases: what holds whatever is drawn.

use alloy::{
    primitives::{Address, B256, I256, U256},
    sol_types::SolEvent,
};
use hedge::{
    book::{
        coverage::{Stretch, Verdict},
        fill::Role,
        log::{Log, Place},
    },
    chain::{
        float,
        raindex::{Leg, Raw, Reading, Trade, read},
        refusal::{Limits, narrower},
        source::{HedgeAt, Kind, SourceSettings},
    },
    engine::Loop,
    sim::{Invention, Reorg, SimChain, Weather},
    store::copy::Rows,
    units::Exact,
};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};
use sqlx::Executor;

use crate::{
    chain::{Stage, as_invented, clean_state, node, pretty_equal, state},
    world::World,
};

/// The events of both layouts, written out from the contracts' sources: independent of the reader.
mod v4 {
    alloy::sol! {
        struct EvaluableV3 { address interpreter; address store; bytes bytecode; }
        struct IO { address token; uint8 decimals; uint256 vaultId; }
        struct SignedContextV1 { address signer; uint256[] context; bytes signature; }
        struct OrderV3 { address owner; EvaluableV3 evaluable; IO[] validInputs; IO[] validOutputs; bytes32 nonce; }
        struct TakeOrderConfigV3 { OrderV3 order; uint256 inputIOIndex; uint256 outputIOIndex; SignedContextV1[] signedContext; }
        struct ClearConfig { uint256 aliceInputIOIndex; uint256 aliceOutputIOIndex; uint256 bobInputIOIndex; uint256 bobOutputIOIndex; uint256 aliceBountyVaultId; uint256 bobBountyVaultId; }
        struct ClearStateChange { uint256 aliceOutput; uint256 bobOutput; uint256 aliceInput; uint256 bobInput; }
        event ClearV2(address sender, OrderV3 alice, OrderV3 bob, ClearConfig clearConfig);
        event AfterClear(address sender, ClearStateChange clearStateChange);
        event TakeOrderV2(address sender, TakeOrderConfigV3 config, uint256 input, uint256 output);
        event Deposit(address sender, address token, uint256 vaultId, uint256 amount);
        event Withdraw(address sender, address token, uint256 vaultId, uint256 targetAmount, uint256 amount);
    }
}
pub mod v5 {
    alloy::sol! {
        struct EvaluableV4 { address interpreter; address store; bytes bytecode; }
        struct IOV2 { address token; bytes32 vaultId; }
        struct SignedContextV1 { address signer; bytes32[] context; bytes signature; }
        struct OrderV4 { address owner; EvaluableV4 evaluable; IOV2[] validInputs; IOV2[] validOutputs; bytes32 nonce; }
        struct TakeOrderConfigV4 { OrderV4 order; uint256 inputIOIndex; uint256 outputIOIndex; SignedContextV1[] signedContext; }
        struct ClearConfigV2 { uint256 aliceInputIOIndex; uint256 aliceOutputIOIndex; uint256 bobInputIOIndex; uint256 bobOutputIOIndex; bytes32 aliceBountyVaultId; bytes32 bobBountyVaultId; }
        struct ClearStateChangeV2 { bytes32 aliceOutput; bytes32 bobOutput; bytes32 aliceInput; bytes32 bobInput; }
        event ClearV3(address sender, OrderV4 alice, OrderV4 bob, ClearConfigV2 clearConfig);
        event AfterClearV2(address sender, ClearStateChangeV2 clearStateChange);
        event TakeOrderV3(address sender, TakeOrderConfigV4 config, bytes32 input, bytes32 output);
        event DepositV2(address sender, address token, bytes32 vaultId, uint256 depositAmountUint256);
        event WithdrawV2(address sender, address token, bytes32 vaultId, bytes32 targetAmount, bytes32 withdrawAmount, uint256 withdrawAmountUint256);
    }
}
alloy::sol! {
    event OperatorDeposit(address indexed operator, address indexed token, bytes32 indexed vaultId, uint256 amount);
    event OperatorWithdraw(address indexed operator, address indexed token, bytes32 indexed vaultId, uint256 amount);
}

const OWNER: Address = Address::repeat_byte(0x0a);
const OTHER: Address = Address::repeat_byte(0x0b);
const THIRD: Address = Address::repeat_byte(0x0c);
const BOOK: Address = Address::repeat_byte(0xbb);

fn source(kind: Kind, owners: Vec<Address>) -> SourceSettings {
    SourceSettings {
        name: "law".into(),
        chain: 1,
        kind,
        address: BOOK,
        owners,
        from_block: 0,
        hedge_at: HedgeAt::Latest,
        believe: Verdict::Taken,
        vaults: Vec::new(),
        wallets: Vec::new(),
    }
}

fn log(event: &impl SolEvent, log_index: u64) -> Log {
    let data = event.encode_log_data();
    Log {
        address: BOOK,
        topics: data.topics().to_vec(),
        data: data.data,
        block_number: 1,
        block_hash: B256::ZERO,
        block_timestamp: Some(0),
        transaction_hash: B256::ZERO,
        transaction_index: 0,
        log_index,
        removed: false,
    }
}

/// One drawn order: its inputs and outputs as (token, vault), the chosen of each, and how much clutter it has.
#[derive(Clone, Debug)]
struct Drawn {
    inputs: Vec<(Address, U256)>,
    outputs: Vec<(Address, U256)>,
    input: usize,
    output: usize,
    bytecode: Vec<u8>,
    contexts: Vec<Vec<U256>>,
}

fn io() -> impl Strategy<Value = Vec<(Address, U256)>> {
    prop::collection::vec(
        (any::<[u8; 20]>().prop_map(Address::from), any::<[u64; 4]>().prop_map(U256::from_limbs)),
        1..6,
    )
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let clutter = (
        prop::collection::vec(any::<u8>(), 0..200),
        prop::collection::vec(prop::collection::vec(any::<u64>().prop_map(U256::from), 0..5), 0..4),
    );
    (io(), io(), any::<prop::sample::Index>(), any::<prop::sample::Index>(), clutter).prop_map(
        |(inputs, outputs, input, output, (bytecode, contexts))| {
            let (input, output) = (input.index(inputs.len()), output.index(outputs.len()));
            Drawn { inputs, outputs, input, output, bytecode, contexts }
        },
    )
}

impl Drawn {
    fn v4(&self, owner: Address) -> v4::OrderV3 {
        let io = |list: &[(Address, U256)]| {
            list.iter().map(|(token, vault)| v4::IO { token: *token, decimals: 3, vaultId: *vault }).collect()
        };
        v4::OrderV3 {
            owner,
            evaluable: v4::EvaluableV3 {
                interpreter: OTHER,
                store: THIRD,
                bytecode: self.bytecode.clone().into(),
            },
            validInputs: io(&self.inputs),
            validOutputs: io(&self.outputs),
            nonce: B256::ZERO,
        }
    }

    fn v5(&self, owner: Address) -> v5::OrderV4 {
        let io = |list: &[(Address, U256)]| {
            list.iter().map(|(token, vault)| v5::IOV2 { token: *token, vaultId: (*vault).into() }).collect()
        };
        v5::OrderV4 {
            owner,
            evaluable: v5::EvaluableV4 {
                interpreter: OTHER,
                store: THIRD,
                bytecode: self.bytecode.clone().into(),
            },
            validInputs: io(&self.inputs),
            validOutputs: io(&self.outputs),
            nonce: B256::ZERO,
        }
    }

    /// The trade that this order's owner made.
    fn trade(&self, role: Role, owner: Address, received: Raw, given: Raw) -> Reading {
        let leg = |(token, vault): (Address, U256), amount| Leg { token, amount, vault: vault.into() };
        Reading::Trade(Trade {
            role,
            owner,
            received: leg(self.inputs[self.input], received),
            given: leg(self.outputs[self.output], given),
        })
    }
}

fn raw(kind: Kind, word: U256) -> Raw {
    if kind == Kind::RaindexV4 { Raw::Base(word) } else { Raw::Whole(float::decode(word.into())) }
}

fn word() -> impl Strategy<Value = U256> {
    any::<[u64; 4]>().prop_map(U256::from_limbs)
}

proptest! {
    #[test]
    fn a_take_reads_back_as_it_was_written(order in drawn(), gave in word(), got in word(), ours in any::<bool>()) {
        let owner = if ours { OWNER } else { OTHER };
        let (input, output) = (U256::from(order.input), U256::from(order.output));
        let contexts4 = order.contexts.iter().map(|context| v4::SignedContextV1 { signer: THIRD, context: context.clone(), signature: vec![9; 65].into() }).collect();
        let contexts5 = order.contexts.iter().map(|context| v5::SignedContextV1 { signer: THIRD, context: context.iter().map(|word| B256::from(*word)).collect(), signature: vec![9; 65].into() }).collect();
        let take4 = v4::TakeOrderV2 { sender: THIRD, config: v4::TakeOrderConfigV3 { order: order.v4(owner), inputIOIndex: input, outputIOIndex: output, signedContext: contexts4 }, input: gave, output: got };
        let take5 = v5::TakeOrderV3 { sender: THIRD, config: v5::TakeOrderConfigV4 { order: order.v5(owner), inputIOIndex: input, outputIOIndex: output, signedContext: contexts5 }, input: gave.into(), output: got.into() };
        for (kind, log) in [(Kind::RaindexV4, log(&take4, 3)), (Kind::RaindexV5, log(&take5, 3)), (Kind::RaindexV6, log(&take5, 3))] {
            let expected = if ours { order.trade(Role::Order, OWNER, raw(kind, got), raw(kind, gave)) } else { Reading::Foreign };
            prop_assert_eq!(read(&source(kind, vec![OWNER]), &[log], false).unwrap(), vec![(0, expected)]);
        }
    }

    #[test]
    fn a_clear_reads_back_for_each_side_that_is_ours(alice in drawn(), bob in drawn(), amounts in [word(), word(), word(), word()], sides in 0..4_u8) {
        let owners: Vec<Address> = [(1, OWNER), (2, OTHER)].into_iter().filter(|(bit, _)| sides & bit != 0).map(|(_, owner)| owner).collect();
        let owners = if owners.is_empty() { vec![THIRD] } else { owners };
        let [alice_out, bob_out, alice_in, bob_in] = amounts;
        let at = |index: usize| U256::from(index);
        let clear4 = v4::ClearV2 { sender: THIRD, alice: alice.v4(OWNER), bob: bob.v4(OTHER), clearConfig: v4::ClearConfig { aliceInputIOIndex: at(alice.input), aliceOutputIOIndex: at(alice.output), bobInputIOIndex: at(bob.input), bobOutputIOIndex: at(bob.output), aliceBountyVaultId: U256::ZERO, bobBountyVaultId: U256::ZERO } };
        let after4 = v4::AfterClear { sender: THIRD, clearStateChange: v4::ClearStateChange { aliceOutput: alice_out, bobOutput: bob_out, aliceInput: alice_in, bobInput: bob_in } };
        let clear5 = v5::ClearV3 { sender: THIRD, alice: alice.v5(OWNER), bob: bob.v5(OTHER), clearConfig: v5::ClearConfigV2 { aliceInputIOIndex: at(alice.input), aliceOutputIOIndex: at(alice.output), bobInputIOIndex: at(bob.input), bobOutputIOIndex: at(bob.output), aliceBountyVaultId: B256::ZERO, bobBountyVaultId: B256::ZERO } };
        let after5 = v5::AfterClearV2 { sender: THIRD, clearStateChange: v5::ClearStateChangeV2 { aliceOutput: alice_out.into(), bobOutput: bob_out.into(), aliceInput: alice_in.into(), bobInput: bob_in.into() } };
        // The partner is the next one, wherever it stands: never the index after.
        for (kind, logs) in [(Kind::RaindexV4, [log(&clear4, 5), log(&after4, 9)]), (Kind::RaindexV6, [log(&clear5, 5), log(&after5, 8)])] {
            let mut expected = Vec::new();
            if owners.contains(&OWNER) { expected.push((0, alice.trade(Role::Alice, OWNER, raw(kind, alice_in), raw(kind, alice_out)))); }
            if owners.contains(&OTHER) { expected.push((0, bob.trade(Role::Bob, OTHER, raw(kind, bob_in), raw(kind, bob_out)))); }
            let ours = !expected.is_empty();
            if !ours { expected.push((0, Reading::Foreign)); }
            expected.push((1, if ours { Reading::Companion } else { Reading::Foreign }));
            prop_assert_eq!(read(&source(kind, owners.clone()), &logs, false).unwrap(), expected);
            prop_assert!(read(&source(kind, owners.clone()), &logs[..1], false).is_err(), "alone it says nothing");
        }
    }

    #[test]
    fn a_vault_move_reads_back_with_what_really_moved(token in any::<[u8; 20]>().prop_map(Address::from), vault in word(), target in word(), amount in word(), base in word()) {
        let moved = |raw, withdrawal| Reading::VaultMove { owner: OWNER, leg: Leg { token, amount: raw, vault: vault.into() }, withdrawal };
        let logs = [
            (Kind::RaindexV4, log(&v4::Deposit { sender: OWNER, token, vaultId: vault, amount }, 0), moved(Raw::Base(amount), false)),
            (Kind::RaindexV4, log(&v4::Withdraw { sender: OWNER, token, vaultId: vault, targetAmount: target, amount }, 0), moved(Raw::Base(amount), true)),
            (Kind::RaindexV5, log(&v5::DepositV2 { sender: OWNER, token, vaultId: vault.into(), depositAmountUint256: amount }, 0), moved(Raw::Base(amount), false)),
            (Kind::RaindexV5, log(&v5::WithdrawV2 { sender: OWNER, token, vaultId: vault.into(), targetAmount: target.into(), withdrawAmount: amount.into(), withdrawAmountUint256: base }, 0), moved(Raw::Whole(float::decode(amount.into())), true)),
        ];
        for (kind, log, expected) in logs {
            prop_assert_eq!(read(&source(kind, vec![OWNER]), std::slice::from_ref(&log), false).unwrap(), vec![(0, expected)]);
            prop_assert_eq!(read(&source(kind, vec![THIRD]), &[log], false).unwrap(), vec![(0, Reading::Foreign)]);
        }
    }

    #[test]
    fn an_inventorys_pair_is_one_fill_and_all_else_is_skipped(order in any::<[bool; 4]>(), operators in [0..2_u8, 0..2, 0..2, 0..2], count in 1..5_usize, amounts in [word(), word(), word(), word()]) {
        let operator = |which: u8| Address::repeat_byte(0x40 + which);
        let logs: Vec<Log> = (0..count).map(|at| {
            let (operator, token, vault, amount) = (operator(operators[at]), Address::repeat_byte(u8::try_from(at).unwrap()), B256::repeat_byte(7), amounts[at]);
            let index = u64::try_from(at).unwrap();
            if order[at] { log(&OperatorDeposit { operator, token, vaultId: vault, amount }, index) } else { log(&OperatorWithdraw { operator, token, vaultId: vault, amount }, index) }
        }).collect();
        let readings = read(&source(Kind::Inventory, vec![]), &logs, false).unwrap();
        prop_assert_eq!(readings.len(), count);
        for which in 0..2 {
            let mine: Vec<usize> = (0..count).filter(|at| operators[*at] == which).collect();
            let said: Vec<&Reading> = readings.iter().filter(|(at, _)| mine.contains(at)).map(|(_, reading)| reading).collect();
            match mine.as_slice() {
                [first, second] if order[*first] != order[*second] => {
                    let (received, given) = if order[*first] { (*first, *second) } else { (*second, *first) };
                    let Reading::Trade(trade) = said[0] else { panic!("{said:?}") };
                    prop_assert_eq!((trade.role, trade.owner), (Role::Inventory, BOOK));
                    prop_assert_eq!((trade.received.amount, trade.given.amount), (Raw::Base(amounts[received]), Raw::Base(amounts[given])));
                    prop_assert_eq!(said[1], &Reading::Companion);
                }
                _ => prop_assert!(said.iter().all(|reading| matches!(reading, Reading::Skip(_)))),
            }
        }
    }

    #[test]
    fn a_float_is_its_coefficient_and_exponent(coefficient in any::<i128>(), exponent in any::<i32>()) {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&exponent.to_be_bytes());
        let wide = I256::try_from(coefficient).unwrap().to_be_bytes::<32>();
        bytes[4..].copy_from_slice(&wide[4..]);
        let expected = Exact::new(coefficient < 0, U256::from(coefficient.unsigned_abs()), exponent.into());
        prop_assert_eq!(float::decode(bytes.into()), expected);
    }

    #[test]
    fn whatever_a_node_refuses_ranges_cover_all_blocks_once(from in 0_u64..1_000_000, blocks in 1_u64..5_000, cap in 1_u64..6_000, hint in prop::option::of((0_u64..10_000, 0_u64..10_000))) {
        let mut limits = Limits::default();
        let (mut next, to, mut refused, mut asked) = (from, from + blocks - 1, 0, 0);
        let mut width = blocks;
        while next <= to {
            let end = to.min(next + width - 1);
            asked += 1;
            if end + 1 - next > cap {
                refused += 1;
                limits.refused(end + 1 - next);
                let less = narrower(end + 1 - next, hint);
                prop_assert!(less >= 1 && less < end + 1 - next, "each refusal makes the next request smaller");
                width = less;
            } else {
                limits.answered(end + 1 - next);
                next = end + 1;
            }
            prop_assert!(asked <= 20_000);
        }
        prop_assert_eq!(next, to + 1);
        if hint.is_none() {
            prop_assert!(refused <= blocks.ilog2() + 1, "{refused} refusals of {blocks} blocks");
        }
        prop_assert!(limits.widest() >= 1);
    }

    #[test]
    fn stretches_side_by_side_stay_so_when_joined(widths in prop::collection::vec((1_u64..50, 0..4_usize, any::<bool>()), 1..40)) {
        let mut joined = Vec::new();
        let mut from = 100;
        for (width, verdict, node) in &widths {
            let to = Place { number: from + width - 1, hash: B256::ZERO };
            let node = if *node { "one" } else { "two" }.to_owned();
            Stretch::append(&mut joined, Stretch { from, to, verdict: Verdict::ALL[*verdict], node, logs: 1, foreign: 2 });
            from += width;
        }
        prop_assert_eq!((joined[0].from, joined.last().unwrap().to.number), (100, from - 1));
        for pair in joined.windows(2) {
            prop_assert_eq!(pair[0].to.number + 1, pair[1].from);
            prop_assert!((pair[0].verdict, &pair[0].node) != (pair[1].verdict, &pair[1].node));
        }
        prop_assert_eq!(joined.iter().map(|part| part.logs).sum::<u64>(), u64::try_from(widths.len()).unwrap());
    }
}

#[tokio::test]
async fn numbers_cross_into_postgres_exactly() {
    let world = World::new().await;
    let mut rng = StdRng::seed_from_u64(1);
    let mut numbers =
        vec![Exact::ZERO, Exact::new(true, U256::MAX, -77), Exact::new(false, U256::from(1), -900)];
    numbers.extend((0..2_000).map(|_| {
        let coefficient = U256::from_limbs(rng.random()) >> rng.random_range(0..256_usize);
        Exact::new(rng.random(), coefficient, rng.random_range(-120..20))
    }));
    let mut rows = Rows::default();
    for (place, number) in numbers.iter().enumerate() {
        rows.row(2).bigint(u64::try_from(place).unwrap()).numeric(number);
    }
    let mut connection = world.pool().acquire().await.unwrap();
    connection.execute("create temp table crossed (place bigint, number numeric)").await.unwrap();
    let mut copy = connection.copy_in_raw("copy crossed from stdin (format binary)").await.unwrap();
    copy.send(rows.finish()).await.unwrap();
    copy.finish().await.unwrap();
    let read: Vec<String> = sqlx::query_scalar("select trim_scale(number)::text from crossed order by place")
        .fetch_all(&mut *connection)
        .await
        .unwrap();
    let written: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    pretty_equal(&read, &written);
}

#[tokio::test]
async fn any_interleaving_of_polls_and_reorgs_gives_the_clean_state() {
    let world = World::new().await;
    for seed in 0..12 {
        let mut rng = StdRng::seed_from_u64(seed);
        let chain = SimChain::invent(&Invention {
            chain_id: 5_000 + seed,
            blocks: rng.random_range(3..90),
            ..Invention::seeded(seed)
        });
        let node = node(&chain, Weather::calm()).await;
        let stage = Stage::new(&world, &chain, &[&node]);
        let mut indexer = stage.indexer().await;
        for _ in 0..25 {
            match rng.random_range(0..4_u8) {
                0 => drop(chain.mine_invented(rng.random_range(1..3))),
                1 => drop(
                    chain.reorg_with(Reorg { depth: rng.random_range(1..6), length: rng.random_range(1..8) }),
                ),
                2 => drop(chain.step_back(1)),
                _ => drop(indexer.converge().await.unwrap()),
            }
        }
        chain.mine_invented(10);
        stage.settle().await;
        as_invented(world.pool(), &chain, &stage.source.name).await;
        pretty_equal(&state(world.pool(), &stage.source.name).await, &clean_state(&world, &chain).await);
    }
}
