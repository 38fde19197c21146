//! The pit: a chain, an orderbook, a broker and the desk between them, all over HTTP, on a
//! clock that is told the time.
//!
//! It opens on a Friday at 10:30 in New York, with all of history read and hedging begun.

use std::{collections::BTreeMap, fmt::Write as _, net::SocketAddr, sync::Arc, time::Duration};

use alloy::primitives::Address;
use hedge::{
    assets::Threshold,
    book::{coverage::Verdict, fill::Side},
    engine::Bell,
    engine::hedging::{self, Feed, Hedged, Pace, Trading, brokers, lanes::Lanes, lease::Keeper},
    engine::logins::Logins,
    policy::Limits,
    secret::{SealingKey, Secret},
    sim::{
        self, AlpacaKeys, Cast, Genesis, Opening, PlacedBy, Prices, SchwabApp, SimAccount, SimAlpaca,
        SimChain, SimNode, SimSchwab, SimToken, SimTrade, Weather,
        broker::{Asked, Heard, SimOrder},
    },
    store::{
        exposure::{self, Act, Depth},
        orders::VenueId,
    },
    time::Clock,
    units::{Amount, Price, Shares, Usd},
    venue::{
        AuthStyle, Broker, Environment, Venue, VenueSettings,
        schwab::{OAuth, Tokens as _, login::Login},
    },
};
use jiff::{SignedDuration, Timestamp};
use sqlx::{AssertSqlSafe, PgPool, Row as _};

use crate::{
    chain::{Stage, node},
    sql::files,
    world::World,
};

/// Friday, 2026-11-20, 10:30 in New York.
pub const FRIDAY_MORNING: &str = "2026-11-20T15:30:00Z";

/// How a pit is set up.
pub struct Setup {
    pub broker: Broker,
    pub now: &'static str,
    pub threshold: Threshold,
    pub limits: Limits,
    pub extended: bool,
    pub live: bool,
    pub cash: &'static str,
    pub timeout_ms: u64,
    /// Requests a minute that the desk allows itself.
    pub rate: u32,
    /// Equities besides the usual three: `E000`, `E001`, …, at a hundred dollars each.
    pub others: u16,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            broker: Broker::Alpaca,
            now: FRIDAY_MORNING,
            threshold: Threshold::Shares(1.into()),
            limits: limits(),
            extended: false,
            live: true,
            cash: "1000000",
            timeout_ms: 2_000,
            rate: 1_000_000,
            others: 0,
        }
    }
}

/// Limits that no test meets by accident.
pub fn limits() -> Limits {
    Limits {
        max_order_usd: usd("1000000"),
        max_day_usd: usd("10000000"),
        max_order_shares: None,
        max_day_shares: None,
        price_band_bps: 2_000,
        price_age: SignedDuration::from_hours(24),
        blind: SignedDuration::from_hours(1),
        slippage_bps: 100,
    }
}

pub fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

pub fn shares(text: &str) -> Shares {
    Shares(amount(text))
}

pub fn usd(text: &str) -> Usd {
    Usd(amount(text))
}

pub fn price(text: &str) -> Price {
    Price::of(amount(text)).unwrap()
}

/// The broker that serves the account.
pub enum Server {
    Alpaca(SimAlpaca),
    Schwab(SimSchwab),
}

impl Server {
    async fn serve(broker: Broker, account: SimAccount) -> Self {
        const ANY: &str = "127.0.0.1:0";
        match broker {
            Broker::Alpaca => {
                Self::Alpaca(SimAlpaca::serve(account, AlpacaKeys::default(), ANY).await.unwrap())
            }
            Broker::Schwab => {
                Self::Schwab(SimSchwab::serve(account, SchwabApp::default(), ANY).await.unwrap())
            }
            Broker::Paper => panic!("paper is nobody to be served by"),
        }
    }

    pub fn addr(&self) -> SocketAddr {
        match self {
            Self::Alpaca(broker) => broker.addr(),
            Self::Schwab(broker) => broker.addr(),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr())
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Asked {
        match self {
            Self::Alpaca(broker) => broker.asked(),
            Self::Schwab(broker) => broker.asked(),
        }
    }

    /// The last requests, oldest first.
    pub fn recent(&self) -> Vec<Heard> {
        match self {
            Self::Alpaca(broker) => broker.recent(),
            Self::Schwab(broker) => broker.recent(),
        }
    }
}

/// Everything at once.
pub struct Pit {
    pub world: World,
    pub chain: SimChain,
    pub node: SimNode,
    pub stage: Stage,
    pub account: SimAccount,
    pub broker: Server,
    /// Where the desk reaches it, from the next start on.
    pub url: String,
    pub clock: Clock,
    pub trading: Arc<Trading>,
    pub keeper: Keeper,
    setup: Setup,
}

impl Pit {
    pub async fn open() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        Self::in_world(World::new().await, setup, 8453).await
    }

    /// A pit in a database that others may use too: each has a chain of its own.
    pub async fn in_world(world: World, setup: Setup, chain_id: u64) -> Self {
        let now: Timestamp = setup.now.parse().unwrap();
        let clock = Clock::told(now);
        let begun = u64::try_from(now.as_second() - 600).unwrap();
        let mut cast = Cast::default();
        cast.tokens.extend((0..setup.others).map(|number| {
            let address = Address::left_padding_from(&(0x1000 + number).to_be_bytes());
            SimToken {
                ticker: Some(other(number)),
                ..SimToken::plain(address, &format!("t{}", other(number)), 18)
            }
        }));
        let chain = SimChain::new(Genesis { chain_id, timestamp: Some(begun), cast, ..Genesis::at(1_000) });
        let node = node(&chain, Weather::calm()).await;
        let mut stage = Stage::new(&world, &chain, &[&node]);
        stage.clock = clock.clone();
        let usual = [("AAPL", "187.25"), ("TSLA", "420.5"), ("SPYM", "80")];
        let prices =
            usual.into_iter().fold(Prices::none(), |prices, (ticker, at)| prices.with(ticker, price(at)));
        let prices =
            (0..setup.others).fold(prices, |prices, number| prices.with(&other(number), price("100")));
        let account =
            SimAccount::open(Opening { seed: 1, cash: usd(setup.cash), prices, clock: clock.clone() });
        account.limit_rate(None);
        let broker = Server::serve(setup.broker, account.clone()).await;
        if setup.broker == Broker::Schwab {
            let login = Login {
                access: Secret::new("none yet"),
                refresh: SchwabApp::default().refresh_token,
                login_at: now,
                refreshed_at: now,
                access_until: now,
            };
            keep(&world, &login).await;
        }
        let (trading, keeper) = start(&world, &stage, &broker.url(), &setup).await;
        let url = broker.url();
        let pit = Self { world, chain, node, stage, account, broker, url, clock, trading, keeper, setup };
        if pit.setup.live {
            pit.go_live(1_000).await;
        }
        pit.index().await;
        pit
    }

    /// The world, for another pit.
    pub fn into_world(self) -> World {
        self.world
    }

    pub fn pool(&self) -> &PgPool {
        self.world.pool()
    }

    pub async fn go_live(&self, block: u64) {
        let id = self.trading.feeds[0].source;
        let mut tx = self.pool().begin().await.unwrap();
        let act = Act { author: "tester", reason: "a test", at: self.clock.now() };
        assert!(exposure::go_live(&mut tx, id, block, act).await.unwrap());
        tx.commit().await.unwrap();
    }

    /// The process dies and another one starts: what it had in memory is gone.
    pub async fn restart(&mut self) {
        sqlx::raw_sql("update lease set expires_at = now()").execute(self.pool()).await.unwrap();
        (self.trading, self.keeper) = start(&self.world, &self.stage, &self.url, &self.setup).await;
    }

    /// The broker, by a door of its own and another clock.
    pub fn venue_at(&self, clock: &Clock) -> Arc<dyn Venue> {
        brokers::connect(&venue(&self.url, &self.setup), self.pool(), Some(&key()), clock).unwrap()
    }

    /// A person logs in at Schwab, with a browser.
    pub async fn log_in(&self) {
        let oauth = OAuth::new(&venue(&self.url, &self.setup), self.clock.clone()).unwrap();
        let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let page = browser.get(oauth.authorize_url()).send().await.unwrap();
        let code = OAuth::code_in(page.headers()["location"].to_str().unwrap()).unwrap();
        keep(&self.world, &oauth.log_in(&code).await.unwrap()).await;
    }

    /// Somebody takes an order of the desk's: the desk sold, or bought, so many shares.
    pub async fn fill(&self, side: Side, symbol: &str, quantity: &str) {
        let dollars = match symbol {
            "AAPL" => "187.25",
            "TSLA" => "420.5",
            "SPYM" => "80",
            _ => "100",
        };
        self.fills(&[(side, symbol, quantity, dollars)]).await;
    }

    /// Several trades in one block, at these prices.
    pub async fn fills(&self, trades: &[(Side, &str, &str, &str)]) {
        self.mine(trades);
        self.index().await;
    }

    /// The same; nobody reads them yet.
    pub fn mine(&self, trades: &[(Side, &str, &str, &str)]) {
        let trades: Vec<SimTrade> = trades
            .iter()
            .map(|(side, ticker, quantity, price)| SimTrade {
                ticker: (*ticker).to_owned(),
                side: match side {
                    Side::Buy => sim::Side::Buy,
                    Side::Sell => sim::Side::Sell,
                },
                quantity: amount(quantity),
                price: amount(price),
            })
            .collect();
        self.chain.trade(u64::try_from(self.clock.now().as_second()).unwrap(), &trades);
    }

    pub async fn sold(&self, symbol: &str, quantity: &str) {
        self.fill(Side::Sell, symbol, quantity).await;
    }

    pub async fn bought(&self, symbol: &str, quantity: &str) {
        self.fill(Side::Buy, symbol, quantity).await;
    }

    pub async fn index(&self) {
        self.stage.settle().await;
    }

    /// Recovers, polls, decides and sends until there is nothing left to do now.
    pub async fn settle(&self) {
        self.keeper.turn().await.unwrap();
        self.trading.settle().await.unwrap();
    }

    /// So much time passes, and the desk looks every two seconds.
    pub async fn pass(&self, time: Duration) {
        self.pass_by(time, Duration::from_secs(2)).await;
    }

    /// So much time passes, and the desk looks this often.
    pub async fn pass_by(&self, time: Duration, step: Duration) {
        let mut left = time;
        while left > Duration::ZERO {
            self.clock.sleep(step.min(left)).await;
            left = left.saturating_sub(step);
            self.settle().await;
        }
    }

    /// Settles, and waits until no order is on its way.
    pub async fn flat(&self) {
        for _ in 0..200 {
            self.settle().await;
            if self.live().await == 0 {
                return;
            }
            self.clock.sleep(Duration::from_secs(3)).await;
        }
        panic!("orders are still on their way:\n{}", self.orders().await);
    }

    pub async fn live(&self) -> i64 {
        self.number("select count(*) from hedge_order where state <> 'closed'").await
    }

    pub async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(self.pool()).await.unwrap()
    }

    pub async fn text(&self, sql: &str) -> String {
        let rows = sqlx::query_scalar::<_, String>(AssertSqlSafe(sql)).fetch_all(self.pool()).await.unwrap();
        rows.join("\n")
    }

    pub async fn exposure(&self, symbol: &str) -> String {
        let found: Option<Shares> =
            sqlx::query("select exposure from reporting.position_now where symbol = $1")
                .bind(symbol)
                .fetch_optional(self.pool())
                .await
                .unwrap()
                .map(|row| row.try_get(0).unwrap());
        found.unwrap_or_default().to_string()
    }

    /// Why nothing is done about a share: the reason alone.
    pub async fn hold(&self, symbol: &str) -> String {
        self.text(&format!("select coalesce(max(reason), '-') from hold where symbol = '{symbol}'")).await
    }

    /// Every order, a line each.
    pub async fn orders(&self) -> String {
        self.text(
            "select '#' || id || ' ' || side || ' ' || trim_scale(quantity) || ' ' || symbol || ': '
                 || coalesce(why, state) || ', ' || trim_scale(filled) || ' filled'
             from hedge_order order by id",
        )
        .await
    }

    /// What happened to an order, a line each.
    pub async fn story(&self, order: i64) -> String {
        self.text(&format!("select event from order_event where order_id = {order} order by id")).await
    }

    /// What the broker really has, a line each.
    pub fn at_broker(&self) -> String {
        let mut told = String::new();
        for order in self.account.orders() {
            let quantity = order.quantity.unwrap_or_default();
            writeln!(
                told,
                "{} {quantity} {}: {:?}, {} filled",
                order.side, order.symbol, order.status, order.filled
            )
            .unwrap();
        }
        told.trim_end().to_owned()
    }

    /// The invariants of `faults.md`, as far as a moment shows them.
    pub async fn laws(&self) {
        for (name, sql) in files("checks") {
            let wrong = sqlx::query(AssertSqlSafe(sql)).fetch_all(self.pool()).await.unwrap().len();
            assert_eq!(wrong, 0, "check {name}\n{}", self.orders().await);
        }
        // I1: at the broker, one order an intent, and none that we do not know.
        let mut by_intent: BTreeMap<String, usize> = BTreeMap::new();
        for order in self.account.orders() {
            if order.replaces.is_none() && order.placed_by == PlacedBy::Client {
                *by_intent.entry(self.intent_of(&order).await).or_default() += 1;
            }
        }
        assert!(by_intent.values().all(|times| *times == 1), "{by_intent:?}\n{}", self.orders().await);
    }

    /// What an order at the broker is to the books: by our id of it, or at Schwab by whose it was found to be.
    async fn intent_of(&self, order: &SimOrder) -> String {
        let sql = match self.setup.broker {
            Broker::Schwab => {
                "select 'order ' || order_id from broker_order where broker_order_id = $1
                 union all select 'foreign ' || broker_order_id from foreign_order where broker_order_id = $1"
            }
            Broker::Alpaca | Broker::Paper => {
                "select client_order_id from hedge_order where client_order_id = $1"
            }
        };
        let id = match self.setup.broker {
            Broker::Schwab => order.number.to_string(),
            Broker::Alpaca | Broker::Paper => order.client_id.clone(),
        };
        let found: Vec<String> = sqlx::query_scalar(sql).bind(&id).fetch_all(self.pool()).await.unwrap();
        assert_eq!(found.len(), 1, "{id} is at the broker, and in the books {found:?}");
        found.concat()
    }

    /// Once all is calm and closed: the broker's shares are what the books say of it.
    pub async fn proved(&self) {
        self.laws().await;
        let hedged: Vec<(String, Shares)> = sqlx::query(
            "select symbol, sum(quantity) as quantity from execution where order_id is not null
             group by symbol having sum(quantity) <> 0 order by symbol",
        )
        .fetch_all(self.pool())
        .await
        .unwrap()
        .iter()
        .map(|row| (row.try_get("symbol").unwrap(), row.try_get("quantity").unwrap()))
        .collect();
        let held: Vec<(String, Shares)> =
            self.account.positions().into_iter().filter(|(_, held)| *held != Shares::ZERO).collect();
        assert_eq!(hedged, held, "the books, and the broker\n{}", self.orders().await);
    }
}

/// A process: everything that it has in memory.
async fn start(world: &World, stage: &Stage, url: &str, setup: &Setup) -> (Arc<Trading>, Keeper) {
    let settings = venue(url, setup);
    let venues = vec![(
        settings.clone(),
        brokers::connect(&settings, world.pool(), Some(&key()), &stage.clock).unwrap(),
    )];
    let (seats, strays) = hedging::take_seats(world.pool(), venues).await.unwrap();
    assert_eq!(strays, []);
    let venue = *seats.keys().next().unwrap();
    let keeper = Keeper::new(world.pool().clone(), "a test".to_owned(), stage.clock.clone());
    let bell = Bell::default();
    let reading = stage.reading().await;
    let trading = Trading {
        pool: world.pool().clone(),
        clock: stage.clock.clone(),
        feeds: vec![Feed {
            source: reading.id,
            from_block: reading.source.from_block,
            depth: Depth { word: "latest", blocks: 0 },
            believe: Verdict::Bloom,
        }],
        seats,
        assets: assets(stage, venue, setup),
        limits: setup.limits.clone(),
        pace: Pace::default(),
        lease: keeper.holding(),
        lanes: Lanes::new(bell.clone()),
        bell,
    };
    (Arc::new(trading), keeper)
}

fn assets(stage: &Stage, venue: VenueId, setup: &Setup) -> BTreeMap<String, Hedged> {
    let hedged = |asset: &hedge::assets::Asset| {
        let asset = hedge::assets::Asset { threshold: Some(setup.threshold), ..asset.clone() };
        (asset.symbol.clone(), Hedged { asset, venue, extended: setup.extended })
    };
    stage.directory.assets().iter().map(hedged).collect()
}

/// The ticker of an equity besides the usual three.
pub fn other(number: u16) -> String {
    format!("E{number:03}")
}

/// What logins are sealed under.
fn key() -> SealingKey {
    SealingKey::parse(&Secret::new("a".repeat(64))).unwrap()
}

/// Keeps a login at Schwab, in the place of the one before.
async fn keep(world: &World, login: &Login) {
    let logins = Logins::new(world.pool().clone(), key());
    logins.hold("schwab").await.unwrap().replace(login).await.unwrap();
}

fn venue(url: &str, setup: &Setup) -> VenueSettings {
    let (path_prefix, auth) = match setup.broker {
        Broker::Schwab => ("/trader/v1", AuthStyle::Bearer),
        Broker::Alpaca | Broker::Paper => ("/v2", AuthStyle::Headers),
    };
    VenueSettings {
        name: setup.broker.word().to_owned(),
        broker: setup.broker,
        environment: Environment::Paper,
        base_url: url.to_owned(),
        data_url: url.to_owned(),
        path_prefix: path_prefix.to_owned(),
        auth,
        key: Some(Secret::new("K")),
        secret: Some(Secret::new("S")),
        redirect_uri: "https://127.0.0.1:8182".to_owned(),
        account_index: 0,
        rate: setup.rate,
        timeout_ms: setup.timeout_ms,
    }
}
