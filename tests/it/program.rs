//! The real program: killed, told to end, run twice at once, and an operator's commands.
//!
//! What is expected of a [`Desk`] is always the same: the state that a clean run gives,
//! which is the chain's.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use alloy::primitives::Address;
use hedge::sim::{
    Cast, Fault, Generation, Invention, Mix, Provider, Reorg, SimChain, SimFill, SimNode, Weather,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use sqlx::{PgPool, Row};

use crate::{
    office::{Desk, PATIENCE, Program, moment},
    world::{World, scratch},
};

/// A source of a test: what `[[source]]` says, and who serves its chain.
struct Source<'n> {
    name: &'static str,
    node: &'n SimNode,
    owners: Vec<Address>,
    from: u64,
}

impl<'n> Source<'n> {
    /// All of a chain, for the owner that it was invented for.
    fn of(node: &'n SimNode) -> Self {
        let chain = node.chain();
        Self { name: "raindex", node, owners: vec![chain.cast().owner], from: chain.first_block() }
    }

    fn toml(&self) -> String {
        let chain = self.node.chain();
        let (id, cast) = (chain.chain_id(), chain.cast());
        format!(
            "[chain.{id}]\nrpc = [\"{}\"]\nusdc = \"{}\"\npoll = \"20ms\"\nconcurrency = 2\n\n\
             [[source]]\nname = \"{}\"\nchain = {id}\nkind = \"raindex-{}\"\naddress = \"{}\"\nowners = {:?}\n\
             from_block = {}\n\n",
            self.node.url(),
            cast.usdc,
            self.name,
            cast.generation.as_str(),
            cast.orderbook,
            self.owners.iter().map(Address::to_string).collect::<Vec<_>>(),
            self.from,
        )
    }
}

impl Desk {
    async fn new(sources: &[Source<'_>]) -> Self {
        let desk = Self::configured(World::new().await, "");
        desk.configure(sources);
        desk
    }

    fn configure(&self, sources: &[Source<'_>]) {
        let toml: String = sources.iter().map(Source::toml).collect();
        fs::write(self.config(), toml).unwrap();
    }

    /// Reads everything from the first block on.
    async fn backfill(&self, source: &Source<'_>) -> String {
        self.run(&["backfill", "--source", source.name, "--from", &source.from.to_string()], 0).await
    }

    /// Waits until the books have the block that is the chain's head.
    async fn caught_up(&self, node: &SimNode) {
        let head = node.chain().head();
        let sql = "select count(*) = 1 from cursor c join source s on s.id = c.source_id
                   where s.chain_id = $1 and c.number = $2 and c.hash = $3";
        let begun = Instant::now();
        let chain = i64::try_from(node.chain().chain_id()).unwrap();
        loop {
            let query = sqlx::query_scalar(sql).bind(chain).bind(i64::try_from(head.number).unwrap());
            if query.bind(head.hash.as_slice()).fetch_one(self.pool()).await.unwrap() {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "the books do not reach block {}:\n{}",
                head.number,
                self.said()
            );
            moment().await;
        }
    }

    /// The last block that is written, or 0.
    async fn cursor(&self) -> u64 {
        let number = sqlx::query_scalar("select coalesce(max(number), 0) from cursor");
        u64::try_from(number.fetch_one(self.pool()).await.unwrap_or(0_i64)).unwrap()
    }

    /// The canonical state, a line a fact.
    async fn state(&self) -> Vec<String> {
        lines(self.pool(), STATE).await
    }

    /// The books are sound, hold what a clean run writes, and that is what is on the chain.
    async fn is_as_a_clean_run(&self, sources: &[Source<'_>]) {
        self.is_sound().await;
        let clean = Self::new(sources).await;
        for source in sources {
            source.node.calm();
            clean.backfill(source).await;
            clean.holds_the_truth(source).await;
        }
        clean.is_sound().await;
        let (ours, theirs) = (self.state().await, clean.state().await);
        let ours: BTreeSet<_> = ours.iter().collect();
        let theirs: BTreeSet<_> = theirs.iter().collect();
        let differs: Vec<_> = ours.symmetric_difference(&theirs).take(10).collect();
        assert!(differs.is_empty(), "{differs:#?}\n{}", self.said());
    }

    /// Every fill of the source's owners on the chain is in the books, and no other.
    async fn holds_the_truth(&self, source: &Source<'_>) {
        let of_source = async |sql: &'static str| -> BTreeSet<String> {
            let rows = sqlx::query_scalar(sql).bind(source.name).fetch_all(self.pool()).await.unwrap();
            rows.into_iter().collect()
        };
        let books = of_source(
            "select concat_ws(' ', block_hash, tx_hash, log_index, role, side, owner, token_address,
                              trim_scale(token_quantity_exact), trim_scale(usdc_exact))
             from reporting.fill where source = $1",
        )
        .await;
        let skipped = of_source(
            "select concat_ws(' ', block_hash, tx_hash, log_index) from reporting.skipped_log
             where source = $1 and canonical",
        )
        .await;
        let chain = source.node.chain();
        let ours = chain.canonical_fills().into_iter().filter(|fill| source.owners.contains(&fill.owner));
        let truth: BTreeSet<String> = ours
            .map(|fill| (format!("{} {} {}", fill.block_hash, fill.tx_hash, fill.log_index), fill))
            .filter(|(place, _)| !skipped.contains(place))
            .map(|(place, SimFill { role, side, owner, token, quantity, usdc, .. })| {
                let (role, side) = (role.as_str(), side.as_str());
                format!("{place} {role} {side} {owner:#x} {token:#x} {quantity} {usdc}")
            })
            .collect();
        assert!(!truth.is_empty());
        let differs: Vec<_> = truth.symmetric_difference(&books).take(10).collect();
        assert!(differs.is_empty(), "{differs:#?}");
    }
}

/// One line per canonical log and per fact of one, without what depends on when it was written.
const STATE: &str = "
    select concat_ws(' ', 'log', s.name, block_number, block_hash, log_index, tx_hash, tx_index, topics, data, block_time)
    from chain_log l join source s on s.id = l.source_id where taken_by is null
    union all
    select concat_ws(' ', 'fill', source, block_number, block_hash, tx_hash, log_index, role, side, owner, symbol,
                     token_address, token_quantity_exact, token_quantity, wrapper_ratio, quantity, usdc_exact, usdc,
                     price, vault_in, vault_out, executed_at)
    from reporting.fill
    union all
    select concat_ws(' ', 'move', source, block_hash, log_index, kind, owner, token_address, vault_id,
                     token_quantity_exact)
    from reporting.vault_move
    union all
    select concat_ws(' ', 'skip', source, block_hash, log_index, role, reason, is_open)
    from reporting.skipped_log where canonical
    order by 1";

async fn lines(pool: &PgPool, sql: &'static str) -> Vec<String> {
    let rows = sqlx::query(sql).fetch_all(pool).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

fn invented(seed: u64, blocks: u64) -> SimChain {
    SimChain::invent(&Invention { blocks, ..Invention::seeded(seed) })
}

/// A node that takes its time and is asked for little at once, so that a backfill lasts.
async fn slow_node(chain: SimChain) -> SimNode {
    let slow =
        Weather::calm().limited(Provider::Infura, Some(10), None).with_latency(Duration::from_millis(30));
    SimNode::serve(chain, slow, "127.0.0.1:0").await.unwrap()
}

async fn calm_node(chain: SimChain) -> SimNode {
    SimNode::serve(chain, Weather::calm(), "127.0.0.1:0").await.unwrap()
}

/// Blocks come and now and then go, until this is dropped.
struct Mining(tokio::task::JoinHandle<()>);

impl Mining {
    fn at(chain: &SimChain, seed: u64) -> Self {
        let chain = chain.clone();
        Self(tokio::spawn(async move {
            let mut fate = StdRng::seed_from_u64(seed);
            loop {
                tokio::time::sleep(Duration::from_millis(30)).await;
                if fate.random_ratio(1, 15) {
                    let depth = fate.random_range(1..5);
                    chain.reorg_with(Reorg { depth, length: depth + 1 });
                } else {
                    chain.mine_invented(1);
                }
            }
        }))
    }

    async fn end(self) {
        self.0.abort();
        // It was told to.
        let _ = self.0.await;
    }
}

#[tokio::test]
async fn told_to_end_it_finishes_the_commit_in_hand_and_goes_on_from_there() {
    let node = slow_node(invented(11, 1_500)).await;
    let source = Source::of(&node);
    let desk = Desk::new(&[Source::of(&node)]).await;
    // Given a backfill under way
    let from = source.from.to_string();
    let mut program = desk.start(&["backfill", "--from", &from]);
    while desk.cursor().await < source.from + 100 {
        assert_eq!(program.has_ended(), None, "{}", desk.said());
        moment().await;
    }
    // When it is told to end
    let told = Instant::now();
    program.terminate();
    let status = program.ended().await;
    // Then it does, soon, and says where
    assert_eq!(status.code(), Some(0), "{}", desk.said());
    assert!(told.elapsed() < Duration::from_secs(2), "it took {:?}", told.elapsed());
    let stopped_at = desk.cursor().await;
    assert!(stopped_at < node.chain().head().number);
    assert!(desk.said().contains(&format!("interrupted at block {stopped_at}")), "{}", desk.said());
    desk.is_sound().await;
    // And the same command goes on
    node.calm();
    desk.backfill(&source).await;
    desk.is_as_a_clean_run(&[source]).await;
}

#[tokio::test]
async fn told_to_end_it_does_not_wait_for_a_node_that_rests() {
    // Given a node that asks for five minutes' rest
    let node = calm_node(invented(12, 20)).await;
    let desk = Desk::new(&[Source::of(&node)]).await;
    let mut program = desk.start(&["index"]);
    while desk.cursor().await < node.chain().head().number {
        assert_eq!(program.has_ended(), None, "{}", desk.said());
        moment().await;
    }
    node.set_weather(Weather::calm().with(Fault::Throttle(Some(300)).always()));
    let asked = node.tally().struck;
    while node.tally().struck == asked {
        moment().await;
    }
    // When it is told to end, it does
    let told = Instant::now();
    program.terminate();
    assert_eq!(program.ended().await.code(), Some(0), "{}", desk.said());
    assert!(told.elapsed() < Duration::from_secs(15), "it took {:?}", told.elapsed());
}

#[tokio::test]
async fn killed_at_fifty_moments_it_loses_and_doubles_nothing() {
    const KILLS: u32 = 25;
    let mut fate = StdRng::seed_from_u64(50);
    let node = slow_node(invented(12, 3_000)).await;
    let desk = Desk::new(&[Source::of(&node)]).await;
    let from = node.chain().first_block().to_string();

    let (mut within, mut killed) = (0, 0);
    while killed < KILLS {
        let mut program = desk.start(&["backfill", "--from", &from]);
        let before = desk.cursor().await;
        // Half of them while it starts, half once it has written something.
        if killed % 2 == 1 {
            while desk.cursor().await == before && program.has_ended().is_none() {
                moment().await;
            }
        }
        tokio::time::sleep(Duration::from_millis(fate.random_range(0..150))).await;
        program.kill();
        killed += 1;
        desk.is_sound().await;
        within += u32::from((before + 1..node.chain().head().number).contains(&desk.cursor().await));
    }
    assert!(within > KILLS / 4, "only {within} kills found it at work");

    node.calm();
    desk.backfill(&Source::of(&node)).await;
    let mining = Mining::at(node.chain(), 13);
    for _ in 0..KILLS {
        let mut program = desk.start(&["index"]);
        let before = desk.cursor().await;
        while desk.cursor().await == before {
            assert_eq!(program.has_ended(), None, "{}", desk.said());
            moment().await;
        }
        tokio::time::sleep(Duration::from_millis(fate.random_range(0..150))).await;
        program.kill();
        desk.is_sound().await;
    }
    mining.end().await;
    let program = desk.start(&["index"]);
    desk.caught_up(&node).await;
    program.terminate();
    assert!(desk.count("select count(*) from reorg").await > 0);
    desk.is_as_a_clean_run(&[Source::of(&node)]).await;
}

#[tokio::test]
async fn two_indexers_on_one_database_write_everything_once() {
    let node = slow_node(invented(14, 800)).await;
    let desk = Desk::new(&[Source::of(&node)]).await;
    let mut programs = [desk.start(&["index"]), desk.start(&["index"])];
    let mut reach = async |block: u64| {
        while desk.cursor().await < block {
            for program in &mut programs {
                assert_eq!(program.has_ended(), None, "{}", desk.said());
            }
            moment().await;
        }
    };
    // First in history, then at a head that moves and changes its mind
    reach(node.chain().first_block() + 300).await;
    node.calm();
    reach(node.chain().head().number).await;
    let mining = Mining::at(node.chain(), 15);
    reach(node.chain().head().number + 80).await;
    mining.end().await;
    desk.caught_up(&node).await;
    for program in &mut programs {
        program.terminate();
        assert_eq!(program.ended().await.code(), Some(0), "{}", desk.said());
    }
    let reorgs = desk.count("select count(*) from reorg").await;
    let left = i64::try_from(node.chain().abandoned().len()).unwrap();
    assert!((1..=left).contains(&reorgs), "{reorgs} reorgs of {left} are on record");
    desk.is_as_a_clean_run(&[Source::of(&node)]).await;
}

#[tokio::test]
async fn two_migrations_at_once_both_succeed() {
    let desk = Desk::configured(World::blank().await, "");
    let mut programs = [desk.start(&["migrate"]), desk.start(&["migrate"])];
    for program in &mut programs {
        assert_eq!(program.ended().await.code(), Some(0), "{}", desk.said());
    }
    assert_eq!(desk.count("select count(*) from reporting.fill").await, 0);
}

#[tokio::test]
async fn books_that_begin_late_are_read_from_an_earlier_block() {
    let node = calm_node(invented(16, 300)).await;
    let late = Source { from: node.chain().first_block() + 200, ..Source::of(&node) };
    let desk = Desk::new(&[Source { owners: late.owners.clone(), ..late }]).await;
    desk.backfill(&late).await;
    let fills = desk.count("select count(*) from reporting.fill").await;
    assert!(fills > 0);

    desk.configure(&[Source::of(&node)]);
    desk.run(&["index"], 2).await;
    desk.backfill(&Source::of(&node)).await;
    // What had been read is the chain's still, and no orphan.
    assert_eq!(desk.count("select count(*) from reporting.orphaned_fill").await, 0);
    assert!(desk.count("select count(*) from reporting.fill").await > fills);
    desk.is_as_a_clean_run(&[Source::of(&node)]).await;
}

#[tokio::test]
async fn a_source_is_rewound_with_a_reason_and_read_again() {
    let node = calm_node(invented(17, 300)).await;
    let source = Source::of(&node);
    let desk = Desk::new(&[Source::of(&node)]).await;
    desk.backfill(&source).await;
    let to = source.from + 99;
    let rewind = |to: u64| {
        ["rewind", "--source", "raindex", "--to", &to.to_string(), "--reason", "to see"].map(str::to_owned)
    };
    let arguments = rewind(to);
    desk.run(&arguments.each_ref().map(String::as_str), 0).await;

    assert_eq!(desk.cursor().await, to);
    desk.is_sound().await;
    assert_eq!(desk.count("select count(*) from reporting.fill where block_number > 43339984").await, 0);
    let by = lines(desk.pool(), "select concat_ws(' ', cause, reason, author) from reorg").await;
    assert_eq!(by, ["operator to see tester"]);
    let nowhere = rewind(source.from + 10_000);
    desk.run(&nowhere.each_ref().map(String::as_str), 1).await;

    desk.backfill(&source).await;
    desk.is_as_a_clean_run(&[source]).await;
}

#[tokio::test]
async fn a_fill_whose_ratio_was_pruned_comes_by_redrive() {
    // Given a node without the state of old blocks
    let node = calm_node(invented(18, 300)).await;
    let source = Source::of(&node);
    node.set_weather(Weather::calm().with(Fault::PrunedState(5).always()));
    let desk = Desk::new(&[Source::of(&node)]).await;
    desk.backfill(&source).await;
    let ratio = "select count(*) from reporting.skipped_log where reason = 'ratio' and is_open";
    let unread = desk.count(ratio).await;
    assert!(unread > 100, "{unread}");
    // When it has it, and the skipped logs are read again
    node.calm();
    let said = desk.run(&["redrive"], 0).await;
    // Then each of them is a fill, and the skips say that they were resolved
    assert_eq!(desk.count(ratio).await, 0, "{said}");
    let redriven = "select count(*) from reporting.skipped_log where redriven_at is not null";
    assert_eq!(desk.count(redriven).await, unread);
    desk.is_sound().await;
    let clean = Desk::new(&[Source::of(&node)]).await;
    clean.backfill(&source).await;
    let fills = async |desk: &Desk| {
        desk.state().await.into_iter().filter(|line| !line.starts_with("skip")).collect::<Vec<_>>()
    };
    assert_eq!(fills(&desk).await, fills(&clean).await);
}

#[tokio::test]
async fn one_transaction_is_looked_at_and_its_fills_are_shown() {
    // Given books of the first blocks of a chain
    let node = calm_node(invented(18, 300)).await;
    let source = Source::of(&node);
    let desk = Desk::new(&[Source::of(&node)]).await;
    let (from, to) = (source.from.to_string(), (source.from + 150).to_string());
    desk.run(&["backfill", "--from", &from, "--to", &to], 0).await;
    let fills = node.chain().canonical_fills();
    let ours: Vec<&SimFill> = fills.iter().filter(|fill| fill.ours).collect();
    let (first, last) = (ours.first().unwrap(), ours.last().unwrap());
    // When one of them is asked for, then it is shown
    let said = desk.run(&["process-tx", &first.tx_hash.to_string()], 0).await;
    assert!(said.contains("it lacked nothing") && said.contains(first.side.as_str()), "{said}");
    // When it lies above, or nobody has it, then that is said and nothing is written
    let logs = desk.count("select count(*) from chain_log").await;
    let said = desk.run(&["process-tx", &last.tx_hash.to_string()], 4).await;
    assert!(said.contains("is above the cursor"), "{said}");
    let said = desk.run(&["process-tx", &format!("0x{}", "7".repeat(64))], 1).await;
    assert!(said.contains("no source has a log in 0x777"), "{said}");
    assert_eq!(desk.count("select count(*) from chain_log").await, logs);
    desk.is_sound().await;
}

#[tokio::test]
async fn a_skipped_log_is_accepted_once() {
    let node = calm_node(invented(18, 300)).await;
    node.set_weather(Weather::calm().with(Fault::PrunedState(5).always()));
    let desk = Desk::new(&[Source::of(&node)]).await;
    desk.backfill(&Source::of(&node)).await;
    let id = desk.count("select min(skipped_id) from reporting.skipped_log where is_open").await.to_string();
    desk.run(&["accept", &id, "--reason", "told by the desk"], 0).await;
    let accepted =
        lines(desk.pool(), "select concat_ws(' ', accepted_reason, author, is_open) from reporting.skipped_log where accepted_at is not null").await;
    assert_eq!(accepted, ["told by the desk tester f"]);
    desk.run(&["accept", &id, "--reason", "again"], 2).await;
}

#[tokio::test]
async fn two_generations_and_two_owners_live_in_one_database() {
    let new = calm_node(invented(19, 300)).await;
    let cast = Cast { generation: Generation::V4, ..Cast::default() };
    let old = Invention { chain_id: 1, cast, blocks: 300, mix: Mix::full(), ..Invention::seeded(20) };
    let old = calm_node(SimChain::invent(&old)).await;
    let of_two = |node: &SimNode| {
        let fills = node.chain().canonical_fills();
        let stranger = fills.iter().find(|fill| !fill.ours).unwrap().owner;
        vec![node.chain().cast().owner, stranger]
    };
    // Given one source, read to its head
    let one = || Source { name: "new", owners: of_two(&new), ..Source::of(&new) };
    let two = || Source { name: "old", owners: of_two(&old), ..Source::of(&old) };
    let desk = Desk::new(&[one()]).await;
    desk.backfill(&one()).await;
    let as_it_was = lines(desk.pool(), OF_THE_FIRST).await;
    // When a second one is added
    desk.configure(&[one(), two()]);
    desk.backfill(&two()).await;
    // Then it is read, and of the first nothing moved
    assert_eq!(lines(desk.pool(), OF_THE_FIRST).await, as_it_was);
    desk.holds_the_truth(&one()).await;
    desk.holds_the_truth(&two()).await;
    assert_eq!(desk.count("select count(distinct owner) from reporting.fill").await, 3);
    // And both go on together
    let mining = [Mining::at(new.chain(), 21), Mining::at(old.chain(), 22)];
    let program = desk.start(&["index"]);
    let wanted = new.chain().head().number + 20;
    while desk.cursor().await < wanted {
        moment().await;
    }
    for mining in mining {
        mining.end().await;
    }
    desk.caught_up(&new).await;
    desk.caught_up(&old).await;
    program.terminate();
    desk.is_as_a_clean_run(&[one(), two()]).await;
}

#[tokio::test]
async fn what_a_source_names_is_looked_at_before_it_is_read() {
    // Given a node of another chain, a contract that is not there, and a first block that nobody has
    let chain = invented(31, 20);
    let node = calm_node(chain.clone()).await;
    let desk = Desk::new(&[Source { from: chain.first_block() - 5, ..Source::of(&node) }]).await;
    let nowhere = "0x4242424242424242424242424242424242424242";
    let toml = fs::read_to_string(desk.config()).unwrap();
    fs::write(desk.config(), toml.replace(&chain.cast().orderbook.to_string(), nowhere)).unwrap();
    // When it is to be read, both are said at once, with their keys
    let said = desk.run(&["index"], 2).await;
    for line in [
        "2 problems",
        &format!(": source.raindex.address: there is no contract at {nowhere} on chain 8453;"),
        ": source.raindex.from_block: no node has block",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    // And so is a node of another chain; nothing is read
    node.set_weather(Weather::calm().with(Fault::WrongChainId(1).always()));
    let said = desk.run(&["backfill", "--from", "5"], 2).await;
    assert!(said.contains(&format!(": chain.8453.rpc: {} serves chain 1, not 8453;", node.addr())), "{said}");
    assert_eq!(desk.count("select count(*) from cursor").await, 0);
}

#[tokio::test]
async fn the_demo_shows_everything_and_leaves_no_process() {
    let data = scratch();
    let said = data.path().join("said");
    let start = |arguments: &[&str]| {
        let file = File::options().create(true).append(true).open(&said).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_hedge"))
            .args(arguments)
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "PG_BIN"))
            .current_dir(data.path())
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Program { child, said: said.clone() }
    };
    let told = || fs::read_to_string(&said).unwrap();
    // Given a demo that stays
    let mut demo = start(&["--data", data.path().to_str().unwrap(), "demo", "--stay"]);
    let begun = Instant::now();
    while !told().contains("go on until ctrl-c") {
        assert_eq!(demo.has_ended(), None, "{}", told());
        assert!(begun.elapsed() < PATIENCE, "{}", told());
        moment().await;
    }
    for line in [
        "fills from block",
        "the answer lost: it may exist",
        "is found at the broker under its own id",
        "the chain changed its mind",
        "planned: SELL 5 AAPL for an exposure of 5",
        "left a log of block",
        "below threshold",
        "Laid beside the broker: it has the same 6 orders, each once",
        "The walk of one fill",
        "closed: filled: 1 of 1 filled",
        "Laid beside the chain: all",
    ] {
        assert!(told().contains(line), "{line}\n{}", told());
    }
    for drowning in ["WARN", "ERROR", "INFO"] {
        assert!(!told().contains(drowning), "{}", told());
    }
    // Then one demo is enough, and its books can be looked into
    let second = start(&["--data", data.path().to_str().unwrap(), "demo"]).ended().await;
    assert_eq!(second.code(), Some(1));
    let config = data.path().join("demo/hedge.toml");
    let look = start(&["--config", config.to_str().unwrap(), "show", "fills", "--limit", "1"]).ended().await;
    assert!(look.success(), "{}", told());
    let why = start(&["--config", config.to_str().unwrap(), "why", "SPYM"]).ended().await;
    // It goes on selling SPYM meanwhile: -0.525, or what was sold since and is not hedged.
    assert!(
        why.success() && told().contains("SPYM: -") && told().contains("Made of, oldest first"),
        "{}",
        told()
    );
    // And told to end, it leaves nothing running
    demo.terminate();
    assert_eq!(demo.ended().await.code(), Some(0), "{}", told());
    assert!(!data.path().join("demo/postgres/cluster/postmaster.pid").exists());
}

/// Every row of the first source, with when it was written.
const OF_THE_FIRST: &str = "
    select concat_ws(' ', 'range', r.*) from reporting.block_range r where source = 'new'
    union all
    select concat_ws(' ', 'cursor', c.*) from reporting.cursor c where source = 'new'
    union all
    select concat_ws(' ', 'fill', f.*) from reporting.fill f where source = 'new'
    order by 1";
