//! Oracle prices of fills: from the trace, else after the block; refused, pruned, and in nobody's way.

use alloy::primitives::B256;
use hedge::{
    chain::{nodes::Nodes, source::usual_pyth},
    engine::pricer::{Priced, Pricer},
    sim::{Fault, Genesis, Method, Mix, Rate, SimChain, SimNode, Weather},
    units::Amount,
};

use crate::{
    chain::{Stage, node, settle},
    office::Desk,
    pit::amount,
    world::World,
};

const FEED: B256 = B256::repeat_byte(0x49);

struct Stand {
    world: World,
    chain: SimChain,
    node: SimNode,
    /// Whom fills are read from.
    _read_from: SimNode,
    stage: Stage,
    pricer: Pricer,
}

/// A chain with fills of AAPL, whose feed says 184.47215 and two blocks before the head 190.
async fn filled(weather: Weather) -> Stand {
    let chain = SimChain::new(Genesis { seed: 3, ..Genesis::at(43_339_885) });
    chain.keep_inventing(3, Rate::per_block(8), Mix::takes_only());
    chain.set_oracle("AAPL", FEED, 0, 18_447_215);
    chain.mine_invented(12);
    chain.set_oracle("AAPL", FEED, chain.head().number - 1, 19_000_000);
    let read_from = node(&chain, Weather::calm()).await;
    let node = node(&chain, weather).await;
    let world = World::new().await;
    let stage = Stage::new(&world, &chain, &[&read_from]);
    stage.settle().await;
    let settings = crate::chain::settings(&chain, &[&node]);
    let nodes = Nodes::new(&settings, &stage.clock).unwrap();
    let reading = stage.reading().await;
    let of = (reading.id, chain.chain_id());
    let feeds = vec![("AAPL".to_owned(), FEED)];
    let pyth = usual_pyth(chain.chain_id()).unwrap();
    let pricer = Pricer::new(world.pool().clone(), stage.clock.clone(), nodes, of, feeds, pyth);
    Stand { world, chain, node, _read_from: read_from, stage, pricer }
}

impl Stand {
    /// Prices on record: method, price and how many.
    async fn prices(&self) -> Vec<(String, Option<Amount>, i64)> {
        let sql = "select method, price, count(*) from reporting.oracle_price group by 1, 2 order by 1, 2";
        sqlx::query_as(sql).fetch_all(self.world.pool()).await.unwrap()
    }

    /// Fills of AAPL, up to two blocks before the head and after.
    fn fills(&self) -> (i64, i64) {
        let cast = self.chain.cast();
        let aapl = cast.equities().find(|token| token.ticker.as_deref() == Some("AAPL")).unwrap().address;
        let late = self.chain.head().number - 1;
        let fills = self.chain.canonical_fills();
        let ours = fills.iter().filter(|fill| fill.token == aapl && fill.ours);
        let (new, old): (Vec<_>, Vec<_>) = ours.partition(|fill| fill.block_number >= late);
        (i64::try_from(old.len()).unwrap(), i64::try_from(new.len()).unwrap())
    }

    async fn catch_up(&self) -> Priced {
        let mut priced = Priced::default();
        self.pricer.catch_up(0, 1_000, &mut priced).await.unwrap();
        priced
    }

    /// The real program's desk on these books.
    async fn desk(&self) -> Desk {
        let (settings, source) = (crate::chain::settings(&self.chain, &[&self.node]), &self.stage.source);
        let mut toml = format!(
            "[chain.{id}]\nrpc = [\"{rpc}\"]\nusdc = \"{}\"\n\n\
             [[source]]\nname = \"{}\"\nchain = {id}\nkind = \"{}\"\naddress = \"{}\"\nowners = [\"{}\"]\nfrom_block = {}\n",
            settings.usdc,
            source.name,
            source.kind,
            source.address,
            source.owners[0],
            source.from_block,
            id = settings.id,
            rpc = settings.rpc[0],
        );
        for token in self.chain.cast().equities() {
            let feed = if token.ticker.as_deref() == Some("AAPL") { FEED } else { B256::repeat_byte(0x50) };
            toml += &format!(
                "\n[[asset]]\nsymbol = \"{}\"\nthreshold = {{ shares = 1 }}\npyth_feed = \"{feed}\"\n\
                 tokens = [{{ chain = {}, address = \"{}\", wrapped = {} }}]\n",
                token.ticker.as_ref().unwrap(),
                settings.id,
                token.address,
                token.wraps.is_some(),
            );
        }
        Desk::configured(World::at(self.world.url().clone()).await, &toml)
    }

    fn expected(&self, method: &str) -> Vec<(String, Option<Amount>, i64)> {
        let (old, new) = self.fills();
        let all = [("184.47215", old), ("190", new)].into_iter().filter(|(_, count)| *count > 0);
        all.map(|(price, count)| (method.to_owned(), Some(amount(price)), count)).collect()
    }
}

#[tokio::test]
async fn every_fill_has_the_price_that_its_order_saw_once() {
    let priced = filled(Weather::calm()).await;
    let (old, new) = priced.fills();
    assert!(old > 0 && new > 0, "{old} {new}");
    let first = priced.catch_up().await;
    assert_eq!(i64::try_from(first.known).unwrap(), old + new);
    assert_eq!(priced.prices().await, priced.expected("trace"));
    let asked = priced.node.tally().requests;
    assert_eq!(priced.catch_up().await, Priced::default());
    assert_eq!(priced.node.tally().requests, asked, "what is known is not asked again");
}

#[tokio::test]
async fn a_node_that_traces_nothing_is_asked_once_and_gives_the_price_after_the_block() {
    let refuses = Fault::MethodNotFound.always().on(Method::Trace);
    let priced = filled(Weather::calm().with(refuses)).await;
    priced.catch_up().await;
    assert_eq!(priced.prices().await, priced.expected("end of block"));
    assert_eq!(priced.node.tally().of(Method::Trace), 1);
}

#[tokio::test]
async fn what_cannot_be_read_is_asked_for_again_ever_later_and_in_the_end_is_known_to_be_missing() {
    let weather = Weather::calm()
        .with(Fault::MethodNotFound.always().on(Method::Trace))
        .with(Fault::PrunedState(0).always());
    let priced = filled(weather).await;
    let (old, new) = priced.fills();
    // When the newest block alone still has its state, and time passes
    let mut rounds = 0;
    while rounds < 5 {
        let came = priced.catch_up().await;
        rounds += 1;
        assert_eq!(priced.catch_up().await, Priced::default(), "not before its time: {came:?}");
        priced.stage.clock.sleep(std::time::Duration::from_hours(5)).await;
    }
    // Then what could be read is there, and the rest is missing, with the reason
    let sql =
        "select count(*) filter (where missing like '%no longer has the state%'), count(*) from oracle_price";
    let (missing, all): (i64, i64) = sqlx::query_as(sql).fetch_one(priced.world.pool()).await.unwrap();
    assert_eq!(all, old + new);
    assert!(missing >= old, "{missing} of {all}");
    assert_eq!(priced.catch_up().await, Priced::default());
}

#[tokio::test]
async fn a_feed_that_pyth_does_not_know_is_missing_at_once() {
    let mut priced = filled(Weather::calm()).await;
    priced.pricer.feeds = vec![("AAPL".to_owned(), B256::repeat_byte(0x50))];
    let came = priced.catch_up().await;
    assert_eq!((came.known, came.later), (0, 0));
    assert!(came.missing > 0);
}

#[tokio::test]
async fn a_node_that_is_down_for_prices_delays_no_fill() {
    // Given a pricer whose node never answers, and fills that come meanwhile
    let mut priced = filled(Weather::calm().with(Fault::Unavailable.always())).await;
    let came = priced.catch_up().await;
    assert!(came.known == 0 && came.later > 0, "{came:?}");
    priced.chain.mine_invented(3);
    // When the books are read on, then they are at the head, whatever became of the prices
    priced.stage.settle().await;
    let cursor: i64 =
        sqlx::query_scalar("select number from cursor").fetch_one(priced.world.pool()).await.unwrap();
    assert_eq!(u64::try_from(cursor).unwrap(), priced.chain.head().number);
    assert!(priced.prices().await.is_empty());
    // And when the node is back, the loop finds its way by itself
    priced.node.calm();
    priced.stage.clock.sleep(std::time::Duration::from_hours(24)).await;
    settle(&mut priced.pricer).await;
    let (old, new) = priced.fills();
    let known = "select count(*) from oracle_price where price is not null";
    let known: i64 = sqlx::query_scalar(known).fetch_one(priced.world.pool()).await.unwrap();
    assert_eq!(known, old + new);
}

#[tokio::test]
async fn the_night_asks_for_every_price_that_is_not_known_and_goes_on_without_those_that_there_are_not() {
    // Given fills that nobody asked a price for, most of them of shares whose feed Pyth does not know
    let priced = filled(Weather::calm()).await;
    let desk = priced.desk().await;
    // When the night counts
    let said = desk.run(&["job", "run", "pnl", "--date", "2026-11-20"], 0).await;
    // Then those of AAPL are known, and the others known to be missing
    let (old, new) = priced.fills();
    assert!(said.contains(&format!("prices of fills learnt: {}", old + new)), "{said}");
    assert_eq!(
        priced.prices().await.into_iter().filter(|(_, price, _)| price.is_some()).collect::<Vec<_>>(),
        priced.expected("trace")
    );
    let counted = "select count(*) from pnl_row where symbol = 'AAPL' and oracle_price is not null";
    assert_eq!(desk.count(counted).await, old + new);
    let open = "select count(*) from fill f join chain_log l using (chain_id, block_hash, log_index)
                where l.taken_by is null and not exists (select from oracle_price p
                    where (p.chain_id, p.block_hash, p.log_index) = (f.chain_id, f.block_hash, f.log_index))";
    assert_eq!(desk.count(open).await, 0);
    // And the next night asks for none of them again
    let asked = priced.node.tally().of(Method::Trace);
    desk.run(&["job", "run", "pnl", "--date", "2026-11-20"], 0).await;
    assert_eq!(priced.node.tally().of(Method::Trace), asked);
}

#[tokio::test]
async fn a_person_asks_what_feeds_said_in_a_transaction() {
    let priced = filled(Weather::calm()).await;
    let desk = priced.desk().await;
    let cast = priced.chain.cast();
    let aapl = cast.equities().find(|token| token.ticker.as_deref() == Some("AAPL")).unwrap().address;
    let late = priced.chain.head().number - 1;
    let fills = priced.chain.canonical_fills();
    let of = |late_one: bool| {
        let fill = fills.iter().find(|fill| fill.token == aapl && (fill.block_number >= late) == late_one);
        let fill = fill.unwrap();
        (fill.tx_hash.to_string(), fill.block_number)
    };
    for (late_one, price) in [(false, "184.47215"), (true, "190")] {
        let (tx, block) = of(late_one);
        let said = desk.run(&["price", &tx], 0).await;
        assert!(said.contains(&format!("chain {}, block {block}\n", priced.chain.chain_id())), "{said}");
        assert!(said.contains(&format!("AAPL  {price} ± 0.10213  published ")), "{said}");
        assert!(said.lines().any(|line| line.starts_with("AAPL") && line.ends_with("(trace)")), "{said}");
        assert!(said.contains("none: the feed is not known to Pyth  (end of block)"), "{said}");
        std::fs::remove_file(desk.room.path().join("price.said")).unwrap();
    }
    // A node without traces says what the feed said after the block
    priced.node.set_weather(Weather::calm().with(Fault::MethodNotFound.always().on(Method::Trace)));
    let said = desk.run(&["price", &of(false).0], 0).await;
    assert!(
        said.lines().any(|line| line.starts_with("AAPL  184.47215") && line.ends_with("(end of block)")),
        "{said}"
    );
    // And what no node knows is said to be unknown, with what that leaves
    let said = desk.run(&["price", &B256::repeat_byte(7).to_string()], 1).await;
    for part in [
        "the transaction was not found",
        "no node knows the transaction",
        "nothing was read or written",
        "hedge doctor",
    ] {
        assert!(said.contains(part), "{said}");
    }
    // None of which touched the books
    assert!(priced.prices().await.is_empty());
}
