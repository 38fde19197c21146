//! From a block to its orders at the broker.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use alloy::primitives::Address;
use anyhow::{Context, ensure};
use hedge::{
    sim::{
        AlpacaKeys, Cast, Genesis, Opening, Prices, Side, SimAccount, SimAlpaca, SimChain, SimNode, SimToken,
        SimTrade, Weather,
    },
    time::Clock,
    units::{Amount, Price, Usd},
};
use jiff::Timestamp;
use sqlx::{PgConnection, Row};
use tokio::{sync::watch, task::JoinHandle};

use super::{
    at,
    books::{Books, connect},
    millis,
};

/// How often `hedge run` looks at the head.
const POLL_MS: u64 = 100;
/// Shares that are traded.
const TICKERS: [&str; 10] = ["AAPL", "AMZN", "COIN", "GOOG", "META", "MSFT", "NFLX", "NVDA", "SPYM", "TSLA"];
/// Fills of a block.
const FILLS: [usize; 3] = [1, 100, 1_000];
/// Blocks until who looks comes or goes.
const TURN: usize = 10;
/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// Somebody who looks at the page, so many times a second, whether it has answered or not.
struct Crowd {
    looking: JoinHandle<Vec<JoinHandle<anyhow::Result<i64>>>>,
    enough: watch::Sender<bool>,
}

impl Crowd {
    fn gather(page: SocketAddr, looks: u32) -> Self {
        const PATHS: [&str; 5] = ["/", "/symbol/AAPL", "/order/1", "/api/overview.json", "/metrics"];
        let (enough, mut told) = watch::channel(false);
        let looking = tokio::spawn(async move {
            let client = reqwest::Client::new();
            let mut beat = tokio::time::interval(Duration::from_secs(1) / looks);
            let mut asked = Vec::new();
            for path in PATHS.into_iter().cycle() {
                tokio::select! {
                    _ = beat.tick() => {}
                    _ = told.changed() => break,
                }
                let look = client.get(format!("http://{page}{path}"));
                asked.push(tokio::spawn(async move {
                    let begun = Instant::now();
                    look.send().await?.error_for_status()?.bytes().await?;
                    Ok(i64::try_from(begun.elapsed().as_micros())?)
                }));
            }
            asked
        });
        Self { looking, enough }
    }

    /// Goes home, and says how long it waited each time, in microseconds.
    async fn tell(self) -> anyhow::Result<Vec<i64>> {
        self.enough.send(true)?;
        let mut waited = Vec::new();
        for asked in self.looking.await? {
            waited.push(asked.await??);
        }
        Ok(waited)
    }
}

/// A chain, its node, a broker and `hedge run` between them.
struct Stage {
    chain: SimChain,
    account: SimAccount,
    broker: SimAlpaca,
    books: PgConnection,
    hedge: Child,
    page: SocketAddr,
    _node: SimNode,
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.hedge.kill();
        let _ = self.hedge.wait();
    }
}

/// Measures and prints.
///
/// With `looks`, once more, every other ten blocks while the page is asked for so often a second.
pub(super) async fn measure(books: &Books, rounds: usize, looks: Option<u32>) -> anyhow::Result<()> {
    let mut stage = Stage::set(books).await?;
    stage.round(1).await.context("the first order")?;
    let trip = stage.round_trips().await?;
    println!("\nfrom a block to its orders at the broker, in ms, over {rounds} blocks each");
    println!(
        "poll interval {POLL_MS}; one round trip to the broker: p50 {}, p99 {}\n",
        millis(at(&trip, 50)),
        millis(at(&trip, 99))
    );
    head();
    for fills in FILLS {
        let mut times = Times::default();
        stage.rounds(fills, rounds, &mut times).await?;
        times.say(fills, "");
    }
    let Some(looks) = looks else { return Ok(()) };
    println!("\nthe same twice, in turns: alone, and while somebody looks {looks} times a second\n");
    head();
    let mut waited = Vec::new();
    for fills in FILLS {
        let (mut alone, mut beside) = (Times::default(), Times::default());
        // The books grow meanwhile, for both alike.
        for _ in 0..rounds.div_ceil(TURN) {
            stage.rounds(fills, TURN, &mut alone).await?;
            let crowd = Crowd::gather(stage.page, looks);
            stage.rounds(fills, TURN, &mut beside).await?;
            waited.extend(crowd.tell().await?);
        }
        alone.say(fills, "alone");
        beside.say(fills, "looked at");
    }
    waited.sort_unstable();
    let (half, most) = (millis(at(&waited, 50)), millis(at(&waited, 99)));
    println!("  {} looks, each answered: p50 {half}, p99 {most}", waited.len());
    Ok(())
}

/// How long blocks took: seen to committed, committed to the broker, and both; in microseconds.
#[derive(Default)]
struct Times([Vec<i64>; 3]);

fn head() {
    println!(
        "  fills a block   orders   seen → committed      committed → at the broker   seen → at the broker"
    );
    println!("                             p50      p99          p50      p99                p50      p99");
}

impl Times {
    fn say(mut self, fills: usize, how: &str) {
        for times in &mut self.0 {
            times.sort_unstable();
        }
        let [written, sent, both] = &self.0;
        let pair = |times: &[i64]| format!("{:>8} {:>8}", millis(at(times, 50)), millis(at(times, 99)));
        println!(
            "  {fills:>13}   {:>6}   {}     {}          {}   {how}",
            both.len(),
            pair(written),
            pair(sent),
            pair(both)
        );
    }
}

impl Stage {
    /// So many blocks of so many fills.
    async fn rounds(&mut self, fills: usize, rounds: usize, times: &mut Times) -> anyhow::Result<()> {
        for nth in 0..rounds {
            eprint!("\r{fills} fills a block: {} of {rounds}  ", nth + 1);
            for (seen, committed, received) in self.round(fills).await? {
                let [written, sent, both] = &mut times.0;
                written.push(committed - seen);
                sent.push(received - committed);
                both.push(received - seen);
            }
        }
        eprint!("\r                                        \r");
        Ok(())
    }

    async fn set(books: &Books) -> anyhow::Result<Self> {
        let usdc = Cast::default().usdc;
        let mut tokens = vec![SimToken::plain(usdc, "USDC", 6)];
        for (place, ticker) in (1_u8..).zip(TICKERS) {
            let token = SimToken::plain(Address::with_last_byte(place), &format!("t{ticker}"), 18);
            tokens.push(SimToken { ticker: Some(ticker.to_owned()), ..token });
        }
        let cast = Cast { tokens, ..Cast::default() };
        let begun = u64::try_from(Timestamp::now().as_second())? - 60;
        let chain = SimChain::new(Genesis { cast, timestamp: Some(begun), ..Genesis::at(1_000) });
        let node = SimNode::serve(chain.clone(), Weather::calm(), "127.0.0.1:0").await?;
        let hundred = Price::of("100".parse()?).context("a price")?;
        let prices = TICKERS.into_iter().fold(Prices::none(), |prices, ticker| prices.with(ticker, hundred));
        let dollars = Usd("10000000000".parse::<Amount>()?);
        let account = SimAccount::open(Opening { seed: 1, cash: dollars, prices, clock: Clock::Wall });
        account.hours(|hours| hours.always(Some(true)));
        account.limit_rate(None);
        let broker = SimAlpaca::serve(account.clone(), AlpacaKeys::default(), "127.0.0.1:0").await?;
        let url = books.create("latency").await?;
        let config = books.write("latency.toml", &configuration(&node, &broker))?;
        let hedge = PathBuf::from(env!("CARGO_BIN_EXE_hedge"));
        let run = |words: &[&str]| {
            let mut command = Command::new(&hedge);
            command
                .env_clear()
                .env("DATABASE_URL", &url)
                .env("ALPACA_API_KEY", "K")
                .env("ALPACA_API_SECRET", "S")
                .arg("--config")
                .arg(&config)
                .arg("--quiet")
                .args(words)
                .stdout(Stdio::null());
            command
        };
        // The source of the pattern is another one.
        let mut conn = connect(&url).await?;
        sqlx::raw_sql("set session_replication_role = replica; delete from source")
            .execute(&mut conn)
            .await?;
        ensure!(
            run(&["go-live", "--at", "1000", "--reason", "a bench"]).status()?.success(),
            "it does not go live"
        );
        let page = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let hedge = run(&["run", "--web", &page.to_string()]).spawn()?;
        Ok(Self { chain, account, broker, books: conn, hedge, page, _node: node })
    }

    /// One block of so many fills; for each of its orders when it was seen, committed and received,
    /// in microseconds since 1970.
    async fn round(&mut self, fills: usize) -> anyhow::Result<Vec<(i64, i64, i64)>> {
        let known = self.account.orders().len();
        let trades: Vec<SimTrade> = (0..fills)
            .map(|nth| {
                let quantity = Amount::from_atoms(Amount::ONE.atoms() * 3 / 2).unwrap_or_default();
                SimTrade {
                    ticker: TICKERS.get(nth % TICKERS.len()).copied().unwrap_or_default().to_owned(),
                    side: Side::Sell,
                    quantity,
                    price: "100".parse().unwrap_or_default(),
                }
            })
            .collect();
        let block = self.chain.trade(u64::try_from(Timestamp::now().as_second())?, &trades);
        let seen = Timestamp::now().as_microsecond();
        let due = fills.min(TICKERS.len());
        let begun = Instant::now();
        // Every symbol gets one order at once, and nothing else: the rest stays below the threshold.
        while self.account.orders().len() < known + due || self.live().await? > 0 {
            ensure!(
                begun.elapsed() < PATIENCE,
                "{} of {due} orders came",
                self.account.orders().len() - known
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let committed: i64 = sqlx::query(
            "select (extract(epoch from max(pg_xact_commit_timestamp(l.xmin))) * 1000000)::bigint
             from chain_log l where block_number = $1",
        )
        .bind(i64::try_from(block.number)?)
        .fetch_one(&mut self.books)
        .await?
        .try_get(0)?;
        let orders = self.account.orders();
        let first: BTreeMap<&str, i64> = orders
            .iter()
            .skip(known)
            .rev()
            .map(|order| (order.symbol.as_str(), order.submitted_at.as_microsecond()))
            .collect();
        Ok(first.into_values().map(|received| (seen, committed, received)).collect())
    }

    async fn live(&mut self) -> anyhow::Result<i64> {
        let live = sqlx::query_scalar("select count(*) from hedge_order where state <> 'closed'");
        Ok(live.fetch_one(&mut self.books).await?)
    }

    /// Round trips to the broker, in microseconds, sorted.
    async fn round_trips(&self) -> anyhow::Result<Vec<i64>> {
        let client = reqwest::Client::new();
        let mut times = Vec::new();
        for _ in 0..200 {
            let begun = Instant::now();
            let asked = client
                .get(format!("{}/v2/clock", self.broker.url()))
                .header("APCA-API-KEY-ID", "K")
                .header("APCA-API-SECRET-KEY", "S");
            asked.send().await?.error_for_status()?.bytes().await?;
            times.push(i64::try_from(begun.elapsed().as_micros())?);
        }
        times.sort_unstable();
        Ok(times)
    }
}

fn configuration(node: &SimNode, broker: &SimAlpaca) -> String {
    let chain = node.chain();
    let (id, cast) = (chain.chain_id(), chain.cast());
    let mut text = format!(
        "[chain.{id}]\nrpc = [\"{}\"]\nusdc = \"{}\"\npoll = \"{POLL_MS}ms\"\n\n\
         [[source]]\nname = \"raindex\"\nchain = {id}\nkind = \"raindex-{}\"\naddress = \"{}\"\nowners = [\"{}\"]\n\
         from_block = 1000\nhedge_at = \"latest\"\n\n\
         [hedge]\nvenue = \"alpaca\"\n\n\
         [venue.alpaca]\nkind = \"alpaca\"\nenvironment = \"paper\"\nbase_url = \"{}\"\ndata_url = \"{}\"\nrate = 1000000\n\n\
         [limits]\nmax_order_usd = 1000000000\nmax_day_usd = 1000000000\nprice_band_pct = 50\n",
        node.url(),
        cast.usdc,
        cast.generation.as_str(),
        cast.orderbook,
        cast.owner,
        broker.url(),
        broker.url(),
    );
    for token in cast.equities() {
        let ticker = token.ticker.as_deref().unwrap_or_default();
        let address = token.address;
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n[[asset]]\nsymbol = \"{ticker}\"\ntokens = [{{ chain = {id}, address = \"{address}\", wrapped = false }}]\n\
             threshold = {{ shares = 1 }}\n",
        );
    }
    text
}
