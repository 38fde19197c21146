//! Lies and bad weather, one at a time: in each the books end as a clean run leaves them.
//!
//! The scenarios are those in which public indexers were seen to store wrong rows.

use hedge::{
    book::coverage::Verdict,
    engine::{
        Loop, Step,
        audit::{Auditor, Scope},
    },
    sim::{Fault, Invention, Method, Pick, Provider, Rate, Reorg, SimChain, SimNode, Weather},
};
use sqlx::PgPool;

use crate::{
    chain::{Stage, as_invented, clean_state, node, pretty_equal, settle, sound, state},
    world::World,
};

/// A chain and nodes of it, indexed in one weather and judged in calm.
struct Scene {
    world: World,
    chain: SimChain,
    nodes: Vec<SimNode>,
    stage: Stage,
}

impl Scene {
    async fn new(weathers: Vec<Weather>) -> Self {
        Self::of(Invention { fills: Rate::per_block(3), ..Invention::seeded(7) }, weathers).await
    }

    async fn of(invention: Invention, weathers: Vec<Weather>) -> Self {
        let chain = SimChain::invent(&invention);
        let mut nodes = Vec::new();
        for weather in weathers {
            nodes.push(node(&chain, weather).await);
        }
        let world = World::new().await;
        let stage = Stage::new(&world, &chain, &nodes.iter().collect::<Vec<_>>());
        Self { world, chain, nodes, stage }
    }

    fn pool(&self) -> &PgPool {
        self.world.pool()
    }

    /// Turns the loop a few times, whatever comes of it.
    async fn turn(&self, looping: &mut impl Loop, times: usize) {
        for _ in 0..times {
            if let Step::Stopped(why) = looping.converge().await.unwrap() {
                panic!("stopped: {why}");
            }
        }
    }

    /// The weather calms, the source settles, and all is as a clean run leaves it.
    async fn ends_clean(self) -> Self {
        for node in &self.nodes {
            node.calm();
        }
        self.stage.settle().await;
        self.is_clean().await;
        self
    }

    async fn is_clean(&self) {
        let source = &self.stage.source.name;
        as_invented(self.pool(), &self.chain, source).await;
        pretty_equal(&state(self.pool(), source).await, &clean_state(&self.world, &self.chain).await);
        sound(self.pool()).await;
    }

    async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.pool()).await.unwrap()
    }
}

#[tokio::test]
async fn a_calm_chain_is_followed() {
    let scene = Scene::new(vec![Weather::calm()]).await;
    let mut indexer = scene.stage.indexer().await;
    for _ in 0..10 {
        settle(&mut indexer).await;
        scene.chain.mine_invented(3);
    }
    let scene = scene.ends_clean().await;
    assert_eq!(scene.count("select count(*) from reporting.reorg").await, 0);
    assert_eq!(scene.count("select count(*) from reporting.node_contradiction").await, 0);
    let unproved = "select count(*) from reporting.block_range where verdict <> 'proved'";
    assert_eq!(scene.count(unproved).await, 0, "the head is proved as it is read");
}

#[tokio::test]
async fn a_head_replaced_at_the_same_height_is_noticed() {
    let scene = Scene::new(vec![Weather::calm()]).await;
    let mut indexer = scene.stage.indexer().await;
    for round in 1..=10 {
        scene.chain.mine_invented(1);
        settle(&mut indexer).await;
        scene.chain.reorg(1);
        settle(&mut indexer).await;
        assert_eq!(scene.count("select count(*) from reporting.reorg where depth = 1").await, round);
    }
    scene.ends_clean().await;
}

#[tokio::test]
async fn a_reorg_three_deep_keeps_the_fills_it_took_and_marks_them() {
    let scene = Scene::new(vec![Weather::calm()]).await;
    let mut indexer = scene.stage.indexer().await;
    settle(&mut indexer).await;
    let before = scene.count("select count(*) from reporting.fill").await;
    scene.chain.reorg(3);
    settle(&mut indexer).await;
    let scene = scene.ends_clean().await;
    assert_eq!(scene.count("select depth from reporting.reorg").await, 3);
    let orphans = scene.count("select count(*) from reporting.orphaned_fill").await;
    let after = scene.count("select count(*) from reporting.fill").await;
    assert!(orphans > 0 && before + after > 0);
    let all = scene.count("select count(*) from fill").await;
    assert_eq!(all, after + orphans, "no fill is forgotten");
}

#[tokio::test]
async fn a_head_that_steps_back_is_no_reorg_until_another_branch_grows() {
    let scene = Scene::new(vec![Weather::calm()]).await;
    let mut indexer = scene.stage.indexer().await;
    settle(&mut indexer).await;
    scene.chain.step_back(4);
    scene.turn(&mut indexer, 3).await;
    assert_eq!(scene.count("select count(*) from reporting.reorg").await, 0);
    scene.chain.mine_invented(6);
    settle(&mut indexer).await;
    let scene = scene.ends_clean().await;
    assert_eq!(scene.count("select depth from reporting.reorg").await, 4);
}

#[tokio::test]
async fn a_branch_that_comes_back_is_canonical_again() {
    let scene = Scene::new(vec![Weather::calm()]).await;
    let mut indexer = scene.stage.indexer().await;
    settle(&mut indexer).await;
    let first = scene.chain.head();
    scene.chain.reorg_with(Reorg { depth: 5, length: 6 });
    settle(&mut indexer).await;
    scene.chain.reorg_to(first.hash);
    scene.chain.mine_invented(2);
    settle(&mut indexer).await;
    let scene = scene.ends_clean().await;
    assert_eq!(scene.count("select count(*) from reporting.reorg").await, 2);
}

#[tokio::test]
async fn a_reorg_while_down_is_met_at_the_next_start() {
    let scene = Scene::new(vec![Weather::calm()]).await;
    scene.stage.settle().await;
    scene.chain.reorg(7);
    scene.chain.mine_invented(5);
    scene.stage.settle().await;
    let scene = scene.ends_clean().await;
    assert_eq!(scene.count("select count(*) from reporting.reorg").await, 1);
}

#[tokio::test]
async fn every_third_answer_from_a_node_three_behind_loses_nothing() {
    // A load balancer that deals one batch out to several backends.
    let proxy = Weather::calm().with(Fault::Lag(3).every(3).on(Method::Logs));
    for weather in [Weather::named("lagging").unwrap(), proxy] {
        let scene = Scene::new(vec![weather]).await;
        let mut indexer = scene.stage.indexer().await;
        for _ in 0..20 {
            scene.chain.mine_invented(1);
            scene.turn(&mut indexer, 2).await;
        }
        scene.ends_clean().await;
    }
}

#[tokio::test]
async fn a_log_left_out_is_found_and_its_node_named() {
    for rule in
        [Fault::OmitLog(Pick::Any).every(3), Fault::OmitLog(Pick::Last).always(), Fault::EmptyLogs.every(2)]
    {
        let scene = Scene::new(vec![Weather::calm().with(rule)]).await;
        let mut indexer = scene.stage.indexer().await;
        for _ in 0..10 {
            scene.chain.mine_invented(2);
            settle(&mut indexer).await;
        }
        // While it still lies.
        scene.is_clean().await;
        let named =
            "select count(distinct node) from reporting.node_contradiction where said like 'eth_getLogs%'";
        assert_eq!(scene.count(named).await, 1);
    }
}

#[tokio::test]
async fn throttling_outages_and_cut_connections_are_waited_out() {
    for weather in ["busy", "broken"] {
        let scene = Scene::new(vec![Weather::named(weather).unwrap().seeded(3)]).await;
        let mut indexer = scene.stage.indexer().await;
        for _ in 0..10 {
            scene.chain.mine_invented(2);
            settle(&mut indexer).await;
        }
        scene.is_clean().await;
    }
}

#[tokio::test]
async fn null_blocks_are_asked_for_again() {
    let scene = Scene::new(vec![Weather::calm().with(Fault::NullBlocks.permille(200))]).await;
    settle(&mut scene.stage.indexer().await).await;
    scene.ends_clean().await;
}

#[tokio::test]
async fn every_lie_in_one_answer_is_refused() {
    let lies = [
        Fault::DuplicateLog(Pick::Any),
        Fault::ShuffleLogs,
        Fault::WrongBlockHash(Pick::Any),
        Fault::ForeignAddress(Pick::Any),
        Fault::ForeignTopic(Pick::Any),
        Fault::RemovedLog(Pick::Any),
        Fault::PhantomLog(Pick::Any),
        Fault::ReceiptWithout(Pick::Any),
        Fault::TruncateLogs,
    ];
    for lie in lies {
        let scene = Scene::new(vec![Weather::calm().with(lie.permille(500))]).await;
        let mut indexer = scene.stage.indexer().await;
        for _ in 0..5 {
            scene.chain.mine_invented(2);
            settle(&mut indexer).await;
        }
        for node in &scene.nodes {
            node.calm();
        }
        scene.stage.audit().await;
        scene.ends_clean().await;
    }
}

#[tokio::test]
async fn a_liar_beside_an_honest_node_changes_nothing() {
    let liar = Weather::named("lying").unwrap().with(Fault::StaleBranch.permille(200));
    let scene = Scene::new(vec![liar, Weather::calm()]).await;
    let mut indexer = scene.stage.indexer().await;
    for round in 0..15 {
        scene.chain.mine_invented(2);
        if round % 4 == 3 {
            scene.chain.reorg(2);
        }
        scene.turn(&mut indexer, 4).await;
    }
    scene.ends_clean().await;
}

#[tokio::test]
async fn a_silent_omission_in_the_backfill_is_found_by_the_auditor() {
    let invention = Invention { blocks: 1_000, ..Invention::seeded(11) };
    let scene = Scene::of(invention, vec![Weather::calm().with(Fault::OmitLog(Pick::Any).always())]).await;
    scene.stage.settle().await;
    let missing = scene.chain.canonical_fills().iter().filter(|fill| fill.ours).count()
        - usize::try_from(scene.count("select count(*) from reporting.fill").await).unwrap();
    scene.nodes[0].calm();
    let report = scene.stage.audit().await;
    assert!(
        report.added > 0 && u64::try_from(missing).unwrap() <= report.added,
        "{report:?}, {missing} missing"
    );
    let unproved = "select count(*) from reporting.block_range where verdict <> 'proved'";
    assert_eq!(scene.count(unproved).await, 0);
    let named = "select count(*) from reporting.node_contradiction where found_by = 'audit'";
    assert_eq!(scene.count(named).await, i64::try_from(report.added).unwrap());
    scene.ends_clean().await;
}

#[tokio::test]
async fn nodes_without_tags_batches_receipts_or_times_are_read_all_the_same() {
    let manner = hedge::sim::Manner {
        safe: None,
        finalized: None,
        log_timestamps: false,
        block_receipts: false,
        beyond_head_is_an_error: true,
        ..hedge::sim::Manner::default()
    };
    let bare = Weather::calm().of_manner(manner).with(Fault::BatchRefused.always());
    let invention = Invention { blocks: 500, ..Invention::seeded(13) };
    let scene = Scene::of(invention, vec![bare]).await;
    let mut indexer = scene.stage.indexer().await;
    settle(&mut indexer).await;
    scene.chain.mine_invented(3);
    scene.chain.reorg(2);
    settle(&mut indexer).await;
    scene.is_clean().await;
    let limits: (bool, bool) =
        sqlx::query_as("select batches, receipts from node_limit").fetch_one(scene.pool()).await.unwrap();
    assert_eq!(limits, (false, false), "what it cannot do is kept for the next start");
    // Without a tag nothing is called final: what lies 64 blocks deep is audited all the same.
    let scope = Scope { from: 0, to: u64::MAX, only_final: true, wanted: Verdict::CrossChecked };
    let mut auditor = Auditor::new(scene.stage.reading().await, scope);
    settle(&mut auditor).await;
    assert!(auditor.report().believed > 400, "{:?}", auditor.report());
}

#[tokio::test]
async fn a_chain_without_blooms_is_indexed_and_its_blooms_are_not_believed() {
    let invention = Invention { blooms: false, ..Invention::seeded(17) };
    let scene = Scene::of(invention, vec![Weather::calm()]).await;
    scene.stage.settle().await;
    scene.is_clean().await;
}

#[tokio::test]
async fn a_reorg_below_finality_stops_the_source_and_a_rewind_lets_it_go_on() {
    let scene = Scene::new(vec![Weather::calm()]).await;
    let mut indexer = scene.stage.indexer().await;
    settle(&mut indexer).await;
    scene.chain.reorg(80);
    assert!(matches!(indexer.converge().await.unwrap(), Step::Stopped(_)));
    assert_eq!(scene.count("select count(*) from reporting.cursor where stopped_why is not null").await, 1);
    // Nothing is written and nothing taken until a person acts.
    assert_eq!(scene.count("select count(*) from reporting.reorg").await, 0);
    assert!(matches!(scene.stage.indexer().await.converge().await.unwrap(), Step::Stopped(_)));
    let act = hedge::engine::rewind::Act { reason: "the chain was restored".into(), author: "tester".into() };
    let to = scene.chain.first_block() + 10;
    hedge::engine::rewind::rewind(&*scene.stage.reading().await, to, &act).await.unwrap();
    scene.ends_clean().await;
}

#[tokio::test]
async fn a_refusal_in_anybodys_words_costs_a_few_requests_and_no_waiting() {
    const BLOCKS: u64 = 3_000;
    const CAP: u64 = 333;
    let invention = Invention { blocks: BLOCKS, fills: Rate::once_in(20), ..Invention::seeded(19) };
    let chain = SimChain::invent(&invention);
    for provider in Provider::ALL {
        for (blocks, results) in [(Some(CAP), None), (None, Some(40))] {
            let node = node(&chain, Weather::calm().limited(provider, blocks, results)).await;
            let world = World::new().await;
            let stage = Stage::new(&world, &chain, &[&node]);
            stage.settle().await;
            as_invented(world.pool(), &chain, &stage.source.name).await;
            assert_eq!(stage.clock.millis(), 0, "{provider:?}: it waited");
            if blocks.is_some() {
                // Halving ends between half the cap and the cap, and is done once.
                let asked = node.tally().of(Method::Logs);
                let useful = (2 * BLOCKS).div_ceil(CAP) + 2;
                let extra = u64::from(BLOCKS.ilog2());
                assert!(asked <= useful + extra, "{provider:?}: {asked} requests");
            }
        }
    }
}

#[tokio::test]
async fn what_a_node_refuses_is_known_after_a_restart() {
    let invention = Invention { blocks: 2_000, fills: Rate::once_in(20), ..Invention::seeded(23) };
    let scene = Scene::of(invention, vec![Weather::calm().limited(Provider::MadeUp, Some(500), None)]).await;
    scene.stage.settle().await;
    let act = hedge::engine::rewind::Act { reason: "once more".into(), author: "tester".into() };
    let before = scene.chain.first_block() - 1;
    hedge::engine::rewind::rewind(&*scene.stage.reading().await, before, &act).await.unwrap();
    let refused =
        || scene.nodes[0].recent().iter().filter(|served| served.answer.contains("\"error\"")).count();
    let before_restart = refused();
    assert!(before_restart > 0, "it was refused at first");
    scene.stage.settle().await;
    assert_eq!(refused(), before_restart, "and never again");
    scene.is_clean().await;
}
