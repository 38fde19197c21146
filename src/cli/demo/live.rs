//! The head moves, fills are hedged, the chain changes its mind, a node keeps a log to itself,
//! and a broker's answer is lost.
//!
//! What is told here is read from the books, never from the script: had nobody
//! noticed, nothing would be said.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context as _;
use jiff::Timestamp;
use sqlx::{PgPool, Row as _};
use tokio::{sync::watch, task::JoinHandle};

use super::{Stage, Voice, past::hundred_thousandths};
use crate::{
    cli::{
        index::{self, Following},
        pricing, trading,
    },
    engine::{
        Stop, Until, drive,
        indexer::Progress,
        pricer::{self, Priced, Pricer},
        pulse::Pulse,
        stopped,
    },
    sim::{Ask, Fault, Pick, Side, SimTrade, Strike, feed_of},
    store::{StoreError, types::At},
    time::Clock,
    units::{Amount, Price, Shares},
    web::{self, Site, door::USUAL},
};

/// Blocks of the act.
pub(super) const ACT: u64 = 12;
const BLOCK_TIME: Duration = Duration::from_millis(500);
/// A block's time is in whole seconds, and grows by one at least: so far back they begin, so that
/// none is of the future.
const BEHIND: i64 = 15;
/// Of so many blocks …
const ROUND: u64 = 40;
/// … these have somebody take an order of ours: tokens, and dollars for each; what Pyth says of the
/// share then, and by how many cents the broker's price has moved when we are there.
const TRADES: [(u64, Side, &str, &str, &str, &str, i64); 6] = [
    (1, Side::Sell, "AAPL", "3", "187.60", "187.25", 2),
    (3, Side::Sell, "TSLA", "2", "405.20", "404.50", -4),
    (4, Side::Sell, "SPYM", "0.5", "86.20", "81.95", 0),
    (5, Side::Sell, "AAPL", "5", "187.70", "187.31", 3),
    (9, Side::Sell, "TSLA", "1", "405.35", "404.62", 5),
    (11, Side::Buy, "TSLA", "1", "403.90", "404.58", -3),
];
/// The broker's answer to the order for the first of them is lost, …
const LOST_AT: u64 = 1;
/// … here the chain takes back so many blocks and goes on with one more, …
const REORG_AT: u64 = 8;
const DEPTH: u64 = 3;
/// … and of this one the node does not tell all logs.
const LIE_AT: u64 = 9;
/// What is said beside a block is aligned with what is said of it.
const MARGIN: &str = "                 ";
/// How often the books are read for news.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// Prices that are asked for, at most.
const MOST: u64 = 100;
/// How long it is waited for orders that are on their way.
const PATIENCE: Duration = Duration::from_secs(15);

/// Since when which block is written, as the books said it at the time.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(BTreeMap<i64, Timestamp>);

impl Seen {
    /// Since when a block is written.
    pub(super) fn since(&self, block: i64) -> Option<Timestamp> {
        self.0.range(block..).next().map(|(_, at)| *at)
    }
}

impl Stage {
    /// Follows the head while it moves, and hedges: for so many blocks, or until told to stop.
    pub(super) async fn follow(
        &self,
        blocks: Option<u64>,
        voice: &mut Voice<'_, '_>,
        stop: &Stop,
    ) -> anyhow::Result<Seen> {
        let (end, ended) = watch::channel(false);
        let ready = trading::ready(&self.sources).await?;
        let readings = self.sources.ready(None)?;
        let pricers = pricing::pricers(&self.sources)?;
        let Following { mut work, mut shown, pulse } = index::follow(&self.sources, readings, &ended);
        ready.begin(&mut work, shown.clone(), &pulse, &ended);
        let page = match blocks {
            None => Some(self.show_page(pulse, voice, &ended).await?),
            Some(_) => None,
        };
        for mut pricer in pricers.iter().filter(|_| blocks.is_none()).cloned() {
            let (clock, told) = (self.sources.clock.clone(), ended.clone());
            work.spawn(async move { drive(&mut pricer, Until::Told, pricer::EVERY, &clock, told).await });
        }
        let mut seen = Seen::default();
        if let Some((_, progress)) = shown.pop() {
            let mut narrator =
                Narrator::begin(self.sources.db.pool(), progress, self.sources.clock.clone()).await?;
            let mut told = stop.clone();
            tokio::select! {
                () = stopped(&mut told) => {}
                said = async {
                    tokio::select! {
                        mined = self.mine(blocks) => mined?,
                        said = narrator.tell(voice, None) => said?,
                    }
                    let head = self.node.chain().head().number;
                    narrator.tell(voice, Some(head)).await
                } => said?,
            }
            seen = narrator.seen;
        }
        if blocks.is_some() && !*stop.borrow() {
            self.ask_prices(&pricers, seen.0.first_key_value().map(|(block, _)| *block)).await?;
        }
        // Nobody listening any more is an end as well.
        let _ = end.send(true);
        index::until_all_end(work).await?;
        ready.end().await;
        if let Some(page) = page {
            page.await?;
        }
        Ok(seen)
    }

    /// Lets the books be looked at where the page usually is, or at any free port.
    async fn show_page(
        &self,
        pulse: Pulse,
        voice: &mut Voice<'_, '_>,
        stop: &Stop,
    ) -> anyhow::Result<JoinHandle<()>> {
        let settings = web::Settings::default();
        let listener = match web::bind(&settings, USUAL.parse()?).await {
            Ok(listener) => listener,
            Err(_) => web::bind(&settings, "127.0.0.1:0".parse()?).await?,
        };
        voice.say(&format!("Look at it in a browser:  http://{}\n", listener.local_addr()?))?;
        let site = Site::of(&self.sources.db, self.sources.clock.clone(), Some(pulse))?;
        let stop = stop.clone();
        Ok(tokio::spawn(async move {
            let books = site.books.clone();
            if let Err(error) = web::serve(listener, &settings, site, stop).await {
                tracing::warn!(%error, "the page ended");
            }
            books.close().await;
        }))
    }

    /// Mines so many blocks, or for ever.
    async fn mine(&self, blocks: Option<u64>) -> anyhow::Result<()> {
        let (chain, clock) = (self.node.chain(), &self.sources.clock);
        let pause = if blocks.is_some() { BLOCK_TIME } else { BLOCK_TIME * 2 };
        for number in 1..=blocks.unwrap_or(u64::MAX) {
            clock.sleep(pause).await;
            let now = u64::try_from(clock.now().as_second() - BEHIND).unwrap_or_default();
            let in_round = number % ROUND;
            if in_round == LOST_AT {
                self.broker.account().strike(Strike::Drop.once().on(Ask::Submit));
            }
            if in_round == REORG_AT {
                // What it takes back is to be hedged by then.
                calm(self.sources.db.pool(), clock).await?;
                chain.step_back(DEPTH);
                for _ in 0..DEPTH {
                    chain.trade(now, &[]);
                }
            }
            if in_round == LIE_AT {
                let next = chain.head().number + 1;
                let weather = self.node.weather();
                self.node.set_weather(weather.with(Fault::OmitLog(Pick::Any).always().about(next)));
            }
            self.quote(in_round)?;
            chain.trade(now, &trades(in_round)?);
        }
        Ok(())
    }

    /// Pyth and the broker say what shares are worth in a block of a round: a cent each side of it,
    /// once it has moved.
    fn quote(&self, in_round: u64) -> anyhow::Result<()> {
        let chain = self.node.chain();
        let next = chain.head().number + 1;
        for (_, _, ticker, _, _, share, moved) in TRADES.iter().filter(|(block, ..)| *block == in_round) {
            let oracle = hundred_thousandths(share)?;
            chain.set_oracle(ticker, feed_of(ticker), next, oracle);
            let cent = Amount::ONE.atoms() / 100;
            let price = |cents: i64| {
                let atoms = i128::from(oracle) * cent / 1_000 + i128::from(moved + cents) * cent;
                Amount::from_atoms(atoms).and_then(Price::of).context("a price of the demo is absurd")
            };
            self.broker.account().set_quote(ticker, price(-1)?, price(1)?);
        }
        Ok(())
    }

    /// Learns what Pyth said at the fills that were hedged.
    async fn ask_prices(&self, pricers: &[Pricer], from: Option<i64>) -> anyhow::Result<()> {
        let from = from.map_or(Ok(0), u64::try_from)?;
        for pricer in pricers {
            pricer.catch_up(from, MOST, &mut Priced::default()).await?;
        }
        Ok(())
    }
}

/// What is traded in a block of a round.
fn trades(in_round: u64) -> anyhow::Result<Vec<SimTrade>> {
    let here = TRADES.iter().filter(|(block, ..)| *block == in_round);
    here.map(|(_, side, ticker, quantity, price, ..)| {
        let amount = |text: &str| text.parse::<Amount>().context("a trade of the demo cannot be read");
        Ok(SimTrade {
            ticker: (*ticker).to_owned(),
            side: *side,
            quantity: amount(quantity)?,
            price: amount(price)?,
        })
    })
    .collect()
}

/// Waits until no order is on its way and nothing is left to be hedged, a while.
async fn calm(pool: &PgPool, clock: &Clock) -> Result<(), StoreError> {
    let until = clock.now() + PATIENCE;
    while !is_calm(pool).await? && clock.now() < until {
        clock.sleep(LOOK_EVERY).await;
    }
    Ok(())
}

async fn is_calm(pool: &PgPool) -> Result<bool, StoreError> {
    let asked = sqlx::query_scalar(include_str!("../../../sql/queries/demo_calm.sql"));
    asked.fetch_one(pool).await.map_err(|error| StoreError::of("see what is on its way", error))
}

/// Tells what the books take in.
struct Narrator<'p> {
    pool: &'p PgPool,
    clock: Clock,
    progress: watch::Receiver<Progress>,
    told: Progress,
    lies: i64,
    event: i64,
    /// Fills are told up to here.
    fills: i64,
    seen: Seen,
}

impl<'p> Narrator<'p> {
    async fn begin(
        pool: &'p PgPool,
        progress: watch::Receiver<Progress>,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let lies = last_lie(pool).await?.map_or(0, |(lies, ..)| lies);
        let event = sqlx::query_scalar(include_str!("../../../sql/queries/demo_last_event.sql"))
            .fetch_one(pool)
            .await
            .map_err(|error| StoreError::of("read the last event", error))?;
        let mut narrator = Self {
            pool,
            clock,
            progress,
            told: Progress::default(),
            lies,
            event,
            fills: i64::MAX,
            seen: Seen::default(),
        };
        narrator.look().await?;
        Ok(narrator)
    }

    /// Notes how far the books are.
    async fn look(&mut self) -> Result<(i64, i64), StoreError> {
        let failed = |error| StoreError::of("read how far the books are", error);
        let row = sqlx::query(include_str!("../../../sql/queries/demo_seen.sql"))
            .fetch_one(self.pool)
            .await
            .map_err(failed)?;
        let number: i64 = row.try_get("number").map_err(failed)?;
        let at: At = row.try_get("moved_at").map_err(failed)?;
        self.seen.0.insert(number, at.0);
        self.fills = self.fills.min(number);
        Ok((number, row.try_get("released").map_err(failed)?))
    }

    /// Tells what comes: for ever, or until a block is reached and all is calm, or nothing moves any more.
    async fn tell(&mut self, voice: &mut Voice<'_, '_>, until: Option<u64>) -> anyhow::Result<()> {
        let mut since = self.clock.now();
        loop {
            let now = *self.progress.borrow();
            let (number, released) = self.look().await?;
            self.tell_of(now, number, voice).await?;
            self.told = now;
            self.tell_orders(voice).await?;
            if let Some(until) = until {
                let until = i64::try_from(until)?;
                if number < until || released < until {
                    since = self.clock.now();
                } else if is_calm(self.pool).await? || self.clock.now() > since + PATIENCE {
                    return self.tell_orders(voice).await;
                }
            }
            self.clock.sleep(LOOK_EVERY).await;
        }
    }

    async fn tell_of(&mut self, now: Progress, number: i64, voice: &mut Voice<'_, '_>) -> anyhow::Result<()> {
        if now.reorgs > self.told.reorgs {
            let (fork, depth, taken) = last_reorg(self.pool).await?;
            voice.say(&format!(
                "block {number}   the chain changed its mind after block {fork}:\n{MARGIN}\
                 {} and {} of ours are taken back, and kept",
                counted(depth, "block"),
                counted(taken, "log"),
            ))?;
            self.fills = self.fills.min(fork);
        }
        if number > self.fills {
            let failed = |error| StoreError::of("read new fills", error);
            let rows = sqlx::query(include_str!("../../../sql/queries/demo_new_fills.sql"))
                .bind(self.fills)
                .bind(number)
                .fetch_all(self.pool)
                .await
                .map_err(failed)?;
            for row in &rows {
                let (block, side, symbol): (i64, &str, &str) = (
                    row.try_get("block_number").map_err(failed)?,
                    row.try_get("side").map_err(failed)?,
                    row.try_get("symbol").map_err(failed)?,
                );
                let quantity: Shares = row.try_get("quantity").map_err(failed)?;
                let price: Amount = row.try_get("price").map_err(failed)?;
                voice.say(&format!("block {block}   {side} {quantity} {symbol} at {price} on chain"))?;
            }
            self.fills = number;
        }
        if let Some((lies, node, block)) = last_lie(self.pool).await?
            && lies > self.lies
        {
            voice.say(&format!(
                "{MARGIN}{node} left a log of block {block} out. The block's header gave it away,\n{MARGIN}\
                 its receipts proved the log, and the node's words are on record"
            ))?;
            self.lies = lies;
        }
        Ok(())
    }

    async fn tell_orders(&mut self, voice: &mut Voice<'_, '_>) -> anyhow::Result<()> {
        let failed = |error| StoreError::of("read what became of orders", error);
        let rows = sqlx::query(include_str!("../../../sql/queries/demo_new_events.sql"))
            .bind(self.event)
            .fetch_all(self.pool)
            .await
            .map_err(failed)?;
        for row in &rows {
            self.event = row.try_get("event_id").map_err(failed)?;
            let (order, symbol): (i64, &str) =
                (row.try_get("order_id").map_err(failed)?, row.try_get("symbol").map_err(failed)?);
            let (event, detail): (&str, &str) =
                (row.try_get("event").map_err(failed)?, row.try_get("detail").map_err(failed)?);
            let said = match event {
                "planned" => format!("planned: {detail}"),
                "unanswered" => {
                    format!(
                        "is sent, and the answer lost: it may exist, so it is in flight, and {symbol} waits"
                    )
                }
                "found" => "is found at the broker under its own id: nothing was sent twice".to_owned(),
                _ => detail.to_owned(),
            };
            voice.say(&format!("{MARGIN}order #{order} {said}"))?;
        }
        Ok(())
    }
}

fn counted(number: i64, thing: &str) -> String {
    match number {
        0 => format!("no {thing}"),
        1 => format!("1 {thing}"),
        many => format!("{many} {thing}s"),
    }
}

/// How many contradictions there are; of the last one, who was caught, and about which block.
async fn last_lie(pool: &PgPool) -> Result<Option<(i64, String, i64)>, StoreError> {
    let asked = sqlx::query_as(include_str!("../../../sql/queries/demo_last_lie.sql"));
    asked.fetch_optional(pool).await.map_err(|error| StoreError::of("read contradictions", error))
}

/// The block before the fork, how many blocks were left, and how many logs of ours with them.
async fn last_reorg(pool: &PgPool) -> Result<(i64, i64, i64), StoreError> {
    let asked = sqlx::query_as(include_str!("../../../sql/queries/demo_last_reorg.sql"));
    asked.fetch_one(pool).await.map_err(|error| StoreError::of("read reorgs", error))
}
