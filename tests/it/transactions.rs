//! One transaction, now: what the books lacked of it is added, once, and nothing else.

use std::collections::BTreeMap;

use alloy::primitives::B256;
use hedge::{
    book::coverage::Verdict,
    engine::transaction::{self, Found},
    sim::{Fault, Invention, Pick, SimChain, Weather},
};

use crate::{
    chain::{Stage, as_invented, node, settle, sound},
    world::World,
};

/// How many fills of ours each transaction of the chain holds.
fn on_chain(chain: &SimChain) -> BTreeMap<B256, i64> {
    let mut fills = BTreeMap::new();
    for fill in chain.canonical_fills().into_iter().filter(|fill| fill.ours) {
        *fills.entry(fill.tx_hash).or_insert(0) += 1;
    }
    fills
}

async fn in_books(world: &World, tx: B256) -> i64 {
    sqlx::query_scalar(
        "select count(*) from chain_log join fill using (chain_id, block_hash, log_index)
         where taken_by is null and tx_hash = $1",
    )
    .bind(tx.to_vec())
    .fetch_one(world.pool())
    .await
    .unwrap()
}

#[tokio::test]
async fn a_transaction_that_a_node_left_out_is_there_once_it_is_asked_for_and_only_once() {
    // Given books that were read from a node which leaves logs out
    let chain = SimChain::invent(&Invention { blocks: 1_000, ..Invention::seeded(11) });
    let node = node(&chain, Weather::calm().with(Fault::OmitLog(Pick::Any).always())).await;
    let world = World::new().await;
    let stage = Stage::new(&world, &chain, &[&node]);
    stage.settle().await;
    node.calm();
    let mut missing = Vec::new();
    for (tx, fills) in on_chain(&chain) {
        if in_books(&world, tx).await < fills {
            missing.push((tx, fills));
        }
    }
    assert!(!missing.is_empty());
    // When each of what is missing is asked for
    let reading = stage.reading().await;
    for (tx, fills) in &missing {
        let found = transaction::index(&reading, *tx).await.unwrap();
        assert!(matches!(found, Found::Written { verdict: Verdict::Proved, .. }), "{found:?}");
        assert_eq!(in_books(&world, *tx).await, *fills, "{tx}: {found:?}");
        // And once more
        let again = transaction::index(&reading, *tx).await.unwrap();
        assert!(matches!(again, Found::Written { added: 0, .. }), "{again:?}");
        assert_eq!(in_books(&world, *tx).await, *fills);
    }
    // Then the books are the chain, and what was left out stands on record
    as_invented(world.pool(), &chain, &stage.source.name).await;
    sound(world.pool()).await;
    let named: i64 = sqlx::query_scalar("select count(*) from node_contradiction where found_by = 'audit'")
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert!(named > 0);
}

#[tokio::test]
async fn a_transaction_above_the_cursor_or_on_another_branch_is_not_written() {
    // Given books up to a block, and a chain that has gone on
    let chain = SimChain::invent(&Invention { blocks: 300, ..Invention::seeded(11) });
    let node = node(&chain, Weather::calm()).await;
    let world = World::new().await;
    let stage = Stage::new(&world, &chain, &[&node]);
    stage.settle().await;
    let written = chain.head().number;
    chain.mine_invented(40);
    let reading = stage.reading().await;
    // When a transaction above is asked for, then it is left to come in its turn
    let above =
        chain.canonical_fills().into_iter().rfind(|fill| fill.ours && fill.block_number > written).unwrap();
    assert_eq!(
        transaction::index(&reading, above.tx_hash).await.unwrap(),
        Found::Ahead { block: above.block_number, cursor: written }
    );
    assert_eq!(in_books(&world, above.tx_hash).await, 0);
    // When nobody has it, then nothing is said to be there
    assert_eq!(transaction::index(&reading, B256::repeat_byte(7)).await.unwrap(), Found::Nowhere);
    // When the chain has another block where the books end, then nothing is written
    settle(&mut stage.indexer().await).await;
    chain.reorg(3);
    let before: i64 =
        sqlx::query_scalar("select count(*) from chain_log").fetch_one(world.pool()).await.unwrap();
    for fill in chain.canonical_fills().into_iter().filter(|fill| fill.ours).rev().take(5) {
        transaction::index(&reading, fill.tx_hash).await.unwrap();
    }
    let after: i64 =
        sqlx::query_scalar("select count(*) from chain_log").fetch_one(world.pool()).await.unwrap();
    assert_eq!(before, after);
    settle(&mut stage.indexer().await).await;
    as_invented(world.pool(), &chain, &stage.source.name).await;
    sound(world.pool()).await;
}
