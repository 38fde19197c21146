//! Vaults: which are ours, and what lies in them at a block, asked of nodes that reorg, prune and lag.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256};
use hedge::{
    book::{
        log::Place,
        vault::{VaultKey, WalletKey},
    },
    chain::{
        nodes::Nodes,
        source::{ChainSettings, Kind, SourceSettings},
        vault::{self, VaultError, Wanted},
    },
    engine::vaults::{Vaults, discover},
    sim::{Cast, Fault, Generation, Genesis, Hold, Mix, ONE_E18, Rate, SimChain, SimNode, Weather},
    store::{ledger, vaults::VaultFound},
    tape::Tape,
    time::Clock,
    units::Exact,
};
use jiff::Timestamp;

use crate::{
    chain::{Stage, node, settings, source},
    pit::amount,
    world::World,
};

/// A stocked orderbook with everything in it that moves a vault of ours and leaves a fact.
fn traded(generation: Generation, seed: u64) -> SimChain {
    let cast = Cast { generation, ..Cast::default() };
    let chain = SimChain::new(Genesis { cast, seed, ..Genesis::at(43_339_885) });
    chain.keep_inventing(seed, Rate::per_block(3), Mix { other_pairs: 0, ..Mix::full() });
    chain.stock(100_000_000_000);
    chain.mine_invented(40);
    chain
}

fn keys(chain: &SimChain) -> BTreeSet<VaultKey> {
    let key = |hold: Hold| VaultKey { owner: hold.owner, token: hold.token, vault_id: hold.vault };
    chain.vaults().into_iter().map(key).collect()
}

fn wanted(chain: &SimChain) -> Wanted {
    Wanted { vaults: keys(chain), ..Wanted::default() }
}

fn head(chain: &SimChain) -> Place {
    let head = chain.head();
    Place { number: head.number, hash: head.hash }
}

fn nodes(chain: &SimChain, nodes: &[&SimNode]) -> Nodes {
    Nodes::new(&settings(chain, nodes), &Clock::told(Timestamp::UNIX_EPOCH)).unwrap()
}

async fn read(chain: &SimChain, of: &[&SimNode], at: Place) -> Result<vault::Held, VaultError> {
    vault::read(&nodes(chain, of), &source(chain), &wanted(chain), at).await
}

/// What the books have in each vault up to a block: deposits, withdrawals and fills, summed by Postgres.
async fn booked(world: &World, usdc: Address, to: u64) -> BTreeMap<VaultKey, String> {
    let sql = "
        select array[owner, token, vault_id], trim_scale(sum(moved))::text
        from chain_log l
        join lateral (
            select m.owner, m.token, m.vault_id, m.amount_exact as moved from vault_move m
            where (m.chain_id, m.block_hash, m.log_index) = (l.chain_id, l.block_hash, l.log_index)
            union all
            select f.owner, leg.token, leg.vault_id, leg.moved from fill f
            cross join lateral (values
                (case f.side when 'BUY' then f.token else $1 end, f.vault_in, case f.side when 'BUY' then f.token_quantity_exact else f.usdc_exact end),
                (case f.side when 'BUY' then $1 else f.token end, f.vault_out, -case f.side when 'BUY' then f.usdc_exact else f.token_quantity_exact end)
            ) as leg (token, vault_id, moved)
            where (f.chain_id, f.block_hash, f.log_index) = (l.chain_id, l.block_hash, l.log_index)
        ) facts on true
        where l.taken_by is null and l.block_number <= $2
        group by owner, token, vault_id";
    let rows: Vec<(Vec<Vec<u8>>, String)> = sqlx::query_as(sql)
        .bind(usdc.as_slice())
        .bind(i64::try_from(to).unwrap())
        .fetch_all(world.pool())
        .await
        .unwrap();
    rows.into_iter()
        .map(|(place, sum)| {
            let key = VaultKey {
                owner: Address::from_slice(&place[0]),
                token: Address::from_slice(&place[1]),
                vault_id: B256::from_slice(&place[2]),
            };
            (key, sum)
        })
        .collect()
}

#[tokio::test]
async fn vaults_hold_what_the_books_say_at_every_block_in_every_generation() {
    for generation in [Generation::V4, Generation::V5, Generation::V6] {
        // Given an orderbook that was stocked, traded and reorged
        let chain = traded(generation, 7);
        chain.reorg(5);
        let node = node(&chain, Weather::calm()).await;
        let world = World::new().await;
        let stage = Stage::new(&world, &chain, &[&node]);
        stage.settle().await;
        // When its vaults are read now and in the past
        for below in [0, 1, 17, 33] {
            let block = chain.block(chain.head().number - below).unwrap();
            let at = Place { number: block.number, hash: block.hash };
            let held = read(&chain, &[&node], at).await.unwrap();
            let booked = booked(&world, chain.cast().usdc, block.number).await;
            // Then they hold what the facts add up to
            assert_eq!(held.vaults.len(), keys(&chain).len());
            for (key, balance) in &held.vaults {
                // A Float holds 67 digits: of more the contract drops the last.
                let booked = &booked[key];
                assert!(
                    booked.starts_with(&balance.exact.to_string()),
                    "{booked} {balance:?} {key:?} {at:?}"
                );
                let (whole, decimals) = booked.split_once('.').unwrap_or((booked, "0"));
                let grid = amount(&format!("{whole}.{}", &decimals[..decimals.len().min(18)]));
                assert_eq!(balance.exact.cut_to(18), Exact::from(grid), "{key:?} {at:?}");
                let decimals = if key.token == chain.cast().usdc { 6 } else { 18 };
                assert_eq!((balance.decimals, balance.cut), (decimals, balance.exact.cut_to(decimals)));
            }
        }
    }
}

#[tokio::test]
async fn trades_that_are_no_fills_are_in_the_books_of_every_vault_in_every_generation() {
    for generation in [Generation::V4, Generation::V5, Generation::V6] {
        // Given an orderbook in which something of everything happens, a reorg too
        let cast = Cast { generation, ..Cast::default() };
        let chain = SimChain::new(Genesis { cast, seed: 9, ..Genesis::at(43_339_885) });
        chain.keep_inventing(9, Rate::per_block(4), Mix { other_pairs: 400, ..Mix::full() });
        chain.stock(100_000_000_000);
        chain.mine_invented(40);
        chain.reorg(5);
        let node = node(&chain, Weather::calm()).await;
        let world = World::new().await;
        let stage = Stage::new(&world, &chain, &[&node]);
        stage.settle().await;
        let reading = stage.reading().await;
        // When the vaults are held against the books, now and in the past
        let (usdc, mut swapped) = (chain.cast().usdc, 0);
        for below in [17, 0] {
            let block = chain.block(chain.head().number - below).unwrap();
            let at = Place { number: block.number, hash: block.hash };
            discover(&reading, usdc, at).await.unwrap();
            let held = read(&chain, &[&node], at).await.unwrap();
            let mut conn = world.pool().acquire().await.unwrap();
            let (rows, sums) =
                ledger::vaults(&mut conn, reading.id, at.number, usdc, &held.vaults).await.unwrap();
            // Then all of them agree, with fills and without
            assert_eq!(rows.len(), held.vaults.len());
            assert!(rows.iter().all(|row| row.residual.is_zero()), "{generation:?} {below}: {rows:#?}");
            let now = sums.iter().filter(|sums| !sums.skipped.is_zero()).count();
            assert!(now >= swapped && now > 0, "{sums:?}");
            swapped = now;
        }
        // And what a side that gave its fill later had moved counts once
        let sql = "insert into fill
            select chain_id, block_hash, log_index, role, owner, 'BUY', 'AAPL', token, 1, amount_exact, 0, 0, 1, 1, 0, vault_id, vault_id
            from skipped_move where direction = 'in' and amount_exact > 0";
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(world.pool()).await.unwrap();
        let left: i64 = sqlx::query_scalar("select count(*) from reporting.skipped_move")
            .fetch_one(world.pool())
            .await
            .unwrap();
        let kept: i64 = sqlx::query_scalar("select count(*) from skipped_move where direction = 'in'")
            .fetch_one(world.pool())
            .await
            .unwrap();
        assert!(kept > 0 && left == 0, "{kept} kept, {left} left");
    }
}

#[tokio::test]
async fn what_moves_without_a_log_is_in_the_balance_and_in_no_fact() {
    let chain = traded(Generation::V6, 1);
    let node = node(&chain, Weather::calm()).await;
    let before = read(&chain, &[&node], head(&chain)).await.unwrap();
    // When something leaves a vault in the newest block, and no log says so
    let hold = *chain.vaults().first().unwrap();
    chain.move_silently(hold, chain.head().number, amount("-0.5"));
    // Then it is gone there, and only there and then
    let after = read(&chain, &[&node], head(&chain)).await.unwrap();
    let key = VaultKey { owner: hold.owner, token: hold.token, vault_id: hold.vault };
    let difference: Vec<_> =
        before.vaults.iter().filter(|(key, balance)| after.vaults[key] != **balance).collect();
    assert_eq!(difference.iter().map(|(key, _)| **key).collect::<Vec<_>>(), [key]);
    let parent = chain.block(chain.head().number - 1).unwrap();
    let at = Place { number: parent.number, hash: parent.hash };
    assert_eq!(read(&chain, &[&node], at).await.unwrap().vaults.len(), before.vaults.len());
}

#[tokio::test]
async fn vault_zero_of_the_newest_contract_is_its_owners_wallet() {
    let chain = traded(Generation::V6, 1);
    let (node, cast) = (node(&chain, Weather::calm()).await, chain.cast());
    chain.move_silently(Hold::wallet(cast.owner, cast.usdc), 0, amount("1234.5"));
    let zero = VaultKey { owner: cast.owner, token: cast.usdc, vault_id: B256::ZERO };
    let wallet = WalletKey { holder: cast.owner, token: cast.usdc };
    let wrapper = cast.equities().next().unwrap().address;
    chain.set_ratio(wrapper, chain.head().number, ONE_E18 / alloy::primitives::U256::from(2));
    let wanted = Wanted { vaults: [zero].into(), wallets: [wallet].into(), wrappers: [wrapper].into() };
    let of = async |source: &SourceSettings| {
        vault::read(&nodes(&chain, &[&node]), source, &wanted, head(&chain)).await.unwrap()
    };
    let held = of(&source(&chain)).await;
    assert_eq!(held.vaults[&zero].cut.to_string(), "1234.5");
    assert_eq!(held.wallets[&wallet].cut.to_string(), "1234.5");
    assert_eq!(held.ratios[&wrapper].to_string(), "0.5");
    // And of an older one it is a vault like any other
    let held = of(&SourceSettings { kind: Kind::RaindexV5, ..source(&chain) }).await;
    assert_eq!(held.vaults[&zero].exact, Exact::ZERO);
}

#[tokio::test]
async fn a_node_without_the_state_passes_the_question_on_and_alone_says_what_to_do() {
    let chain = traded(Generation::V6, 2);
    let pruned = node(&chain, Weather::calm().with(Fault::PrunedState(5).always())).await;
    let archive = node(&chain, Weather::calm()).await;
    let block = chain.block(chain.head().number - 20).unwrap();
    let at = Place { number: block.number, hash: block.hash };
    let held = read(&chain, &[&pruned, &archive], at).await.unwrap();
    assert_eq!(held.node, archive.addr().to_string());
    let error = read(&chain, &[&pruned], at).await.unwrap_err();
    assert!(matches!(error, VaultError::Pruned { .. }), "{error}");
    assert!(error.to_string().contains("no longer has the state of block"), "{error}");
    assert!(error.next().contains("archive node"));
    // What is young enough is still there
    read(&chain, &[&pruned], head(&chain)).await.unwrap();
}

#[tokio::test]
async fn a_block_that_was_reorged_away_is_no_block_to_read_at() {
    let chain = traded(Generation::V6, 3);
    let node = node(&chain, Weather::calm()).await;
    let at = head(&chain);
    chain.reorg(2);
    let error = read(&chain, &[&node], at).await.unwrap_err();
    assert!(matches!(error, VaultError::Absent { .. }), "{error}");
}

#[tokio::test]
async fn an_address_without_a_contract_is_an_error_and_no_balance_of_zero() {
    let chain = traded(Generation::V6, 4);
    let node = node(&chain, Weather::calm()).await;
    let of = async |source: SourceSettings| {
        vault::read(&nodes(&chain, &[&node]), &source, &wanted(&chain), head(&chain)).await.unwrap_err()
    };
    let error = of(SourceSettings { address: Address::repeat_byte(9), ..source(&chain) }).await;
    assert!(matches!(error, VaultError::NoContract { .. }), "{error}");
    let error = of(SourceSettings { kind: Kind::RaindexV4, ..source(&chain) }).await;
    assert!(matches!(error, VaultError::Refused { .. }), "another generation: {error}");
}

#[tokio::test]
async fn what_a_node_said_is_played_back_without_it() {
    let chain = traded(Generation::V6, 8);
    let served = node(&chain, Weather::calm().with(Fault::Unavailable.nth(2))).await;
    let (nodes, tape) = (nodes(&chain, &[&served]), Tape::recording());
    let (source, wanted) = (source(&chain), wanted(&chain));
    let read = async || {
        let failed = vault::read(&nodes, &source, &wanted, head(&chain)).await.unwrap_err().to_string();
        (failed, vault::read(&nodes, &source, &wanted, head(&chain)).await.unwrap())
    };
    nodes.tape(Some(&tape));
    let first = read().await;
    drop(served);
    // The run that plays is another: its nodes introduce themselves again
    let again = Nodes::new(&settings_of(&nodes, &chain), &Clock::told(Timestamp::UNIX_EPOCH)).unwrap();
    again.tape(Some(&Tape::playing(tape.said())));
    let failed = vault::read(&again, &source, &wanted, head(&chain)).await.unwrap_err().to_string();
    let held = vault::read(&again, &source, &wanted, head(&chain)).await.unwrap();
    assert_eq!((failed, held), first);
    assert!(vault::read(&again, &source, &wanted, head(&chain)).await.is_err(), "each answer once");
}

/// The chain, reached by the nodes of these names.
fn settings_of(nodes: &Nodes, chain: &SimChain) -> ChainSettings {
    let rpc = nodes.all().iter().map(|node| format!("http://{}", node.name())).collect();
    ChainSettings { rpc, ..settings(chain, &[]) }
}

async fn found(stage: &Stage, chain: &SimChain) -> Vaults {
    discover(&*stage.reading().await, chain.cast().usdc, head(chain)).await.unwrap()
}

#[tokio::test]
async fn vaults_are_learnt_from_orders_deposits_and_fills_each_once() {
    for generation in [Generation::V4, Generation::V6] {
        // Given an owner whose orders name vaults that are not all in use, and a node that takes few blocks
        let chain = traded(generation, 5);
        let node = node(&chain, Weather::calm().limited(hedge::sim::Provider::Infura, Some(7), None)).await;
        let world = World::new().await;
        let stage = Stage::new(&world, &chain, &[&node]);
        stage.settle().await;
        // When they are looked for
        let vaults = found(&stage, &chain).await;
        // Then every vault that an order names is known, and none is foreign
        let known: BTreeSet<VaultKey> = vaults.all.iter().map(|vault| vault.key).collect();
        assert_eq!(known, keys(&chain));
        assert!(vaults.all.iter().all(|vault| vault.found_by == VaultFound::Order), "{vaults:?}");
        assert_eq!((vaults.new.len(), vaults.unlisted.len(), vaults.unread.len()), (known.len(), 0, 0));
        // And a second look asks only for what came since
        chain.mine_invented(3);
        stage.settle().await;
        let asked = node.tally().of(hedge::sim::Method::Logs);
        let again = found(&stage, &chain).await;
        assert_eq!((again.all, again.new), (vaults.all, Vec::new()));
        assert_eq!(node.tally().of(hedge::sim::Method::Logs), asked + 1);
    }
}

#[tokio::test]
async fn a_vault_of_ours_that_the_list_lacks_is_reported() {
    let chain = traded(Generation::V6, 6);
    let node = node(&chain, Weather::calm()).await;
    let world = World::new().await;
    let mut stage = Stage::new(&world, &chain, &[&node]);
    let mut listed: Vec<VaultKey> = keys(&chain).into_iter().collect();
    let left_out = listed.remove(1);
    stage.source.vaults = listed;
    let vaults = found(&stage, &chain).await;
    assert_eq!(vaults.unlisted.iter().map(|vault| vault.key).collect::<Vec<_>>(), [left_out]);
    assert_eq!(vaults.unlisted[0].found_by, VaultFound::Order);
    let configured = vaults.all.iter().filter(|vault| vault.found_by == VaultFound::Configuration);
    assert_eq!(configured.count(), stage.source.vaults.len());
}
