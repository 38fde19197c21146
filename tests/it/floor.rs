//! The trading floor: the real program between a rehearsal node and a rehearsal broker,
//! by the wall's clock. It is open at any hour.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    time::{Duration, Instant},
};

use hedge::{
    book::fill::Side,
    sim::{
        self, AlpacaKeys, Genesis, Opening, Prices, SimAccount, SimAlpaca, SimChain, SimNode, SimTrade,
        Weather,
    },
    units::Shares,
};
use jiff::Timestamp;

use crate::{
    office::{Desk, PATIENCE, Program, moment},
    pit::{amount, price, usd},
    proof,
    world::World,
};

/// What is traded, and at how many dollars.
pub const SHARES: [(&str, &str); 3] = [("AAPL", "187.25"), ("TSLA", "420.5"), ("SPYM", "80")];

/// Chain, broker, and the desk between them.
pub struct Floor {
    pub desk: Desk,
    pub chain: SimChain,
    pub node: SimNode,
    pub account: SimAccount,
    pub broker: SimAlpaca,
}

impl Floor {
    /// A floor on which hedging has begun, and nobody hedges yet.
    pub async fn open() -> Self {
        Self::on(World::new().await).await
    }

    /// The same, in this database.
    pub async fn on(world: World) -> Self {
        let begun = u64::try_from(Timestamp::now().as_second() - 600).unwrap();
        let chain = SimChain::new(Genesis { timestamp: Some(begun), ..Genesis::at(1_000) });
        let node = SimNode::serve(chain.clone(), Weather::calm(), "127.0.0.1:0").await.unwrap();
        let mut prices = Prices::none();
        for (symbol, dollars) in SHARES {
            prices = prices.with(symbol, price(dollars));
        }
        let account = SimAccount::open(Opening { cash: usd("100000000"), prices, ..Opening::default() });
        account.hours(|hours| hours.always(Some(true)));
        account.limit_rate(None);
        let broker = SimAlpaca::serve(account.clone(), AlpacaKeys::default(), "127.0.0.1:0").await.unwrap();
        let floor = Self { desk: Desk::configured(world, ""), chain, node, account, broker };
        floor.configure("30s");
        floor.desk.run(&["go-live", "--at", "1000", "--reason", "a test"], 0).await;
        floor
    }

    /// Writes `hedge.toml`, with the longest wait for an answer of the broker's.
    pub fn configure(&self, timeout: &str) {
        let cast = self.chain.cast();
        let (id, url) = (self.chain.chain_id(), self.broker.url());
        let mut toml = format!(
            "[chain.{id}]\nrpc = [\"{}\"]\nusdc = \"{}\"\npoll = \"50ms\"\nconcurrency = 2\n\n\
             [[source]]\nname = \"raindex\"\nchain = {id}\nkind = \"raindex-{}\"\naddress = \"{}\"\n\
             owners = [\"{}\"]\nfrom_block = 1000\nhedge_at = \"latest\"\n\n\
             [hedge]\nvenue = \"alpaca\"\nevery = \"100ms\"\norder_poll = \"100ms\"\norder_jitter = \"50ms\"\n\n\
             [venue.alpaca]\nkind = \"alpaca\"\nenvironment = \"paper\"\nbase_url = \"{url}\"\n\
             data_url = \"{url}\"\nrate = 1000000\ntimeout = \"{timeout}\"\n\n\
             [limits]\nmax_order_usd = 10000000\nmax_day_usd = 100000000\nprice_band_pct = 20\n\n",
            self.node.url(),
            cast.usdc,
            cast.generation.as_str(),
            cast.orderbook,
            cast.owner,
        );
        for token in cast.equities() {
            let (symbol, wrapped) = (token.ticker.as_ref().unwrap(), token.wraps.is_some());
            writeln!(
                toml,
                "[[asset]]\nsymbol = \"{symbol}\"\nthreshold = {{ shares = 1 }}\n\
                 tokens = [{{ chain = {id}, address = \"{}\", wrapped = {wrapped} }}]\n",
                token.address
            )
            .unwrap();
        }
        fs::write(self.desk.config(), toml).unwrap();
    }

    /// The same floor after a fire: other books, and nobody at the desk.
    pub fn with_books(self, world: World) -> Self {
        Self { desk: Desk { world, room: self.desk.room }, ..self }
    }

    /// Starts `hedge run`.
    pub fn run(&self) -> Program {
        self.desk.start(&["run"])
    }

    /// Starts `hedge run`, and waits until it hedges.
    pub async fn running(&self) -> Program {
        let before = self.fence().await;
        let program = self.run();
        self.until("it has the lease", async || self.fence().await > before).await;
        program
    }

    /// The number of the lease that is held or was held last.
    pub async fn fence(&self) -> i64 {
        self.desk.count("select coalesce(max(fence), 0) from lease").await
    }

    /// Waits until this is so.
    pub async fn until(&self, what: &str, so: impl AsyncFn() -> bool) {
        let begun = Instant::now();
        while !so().await {
            assert!(
                begun.elapsed() < PATIENCE,
                "not yet: {what}\n{}\nat the broker:\n{}\n{}",
                proof::orders(self.desk.pool()).await,
                self.at_broker(),
                self.desk.said()
            );
            moment().await;
        }
    }

    /// Somebody takes orders of the desk's, all in one block.
    pub fn trade(&self, trades: &[(Side, &str, u32)]) {
        let trades: Vec<SimTrade> = trades
            .iter()
            .map(|(side, symbol, quantity)| SimTrade {
                ticker: (*symbol).to_owned(),
                side: match side {
                    Side::Buy => sim::Side::Buy,
                    Side::Sell => sim::Side::Sell,
                },
                quantity: amount(&quantity.to_string()),
                price: amount(SHARES.iter().find(|(known, _)| known == symbol).unwrap().1),
            })
            .collect();
        self.chain.trade(u64::try_from(Timestamp::now().as_second()).unwrap(), &trades);
    }

    /// The desk sells.
    pub fn sold(&self, symbol: &str, quantity: u32) {
        self.trade(&[(Side::Sell, symbol, quantity)]);
    }

    /// What is neither hedged nor below the threshold, by the chain and the broker alone.
    pub fn uncovered(&self) -> BTreeMap<String, Shares> {
        let cast = self.chain.cast();
        let mut net: BTreeMap<String, Shares> = self.account.positions();
        for fill in self.chain.canonical_fills().into_iter().filter(|fill| fill.ours) {
            let token = cast.equities().find(|token| token.address == fill.token).unwrap();
            let quantity = Shares(amount(&fill.quantity));
            let signed = match fill.side {
                sim::Side::Buy => quantity,
                sim::Side::Sell => Shares(quantity.0.negated()),
            };
            let sum = net.entry(token.ticker.clone().unwrap()).or_default();
            *sum = sum.plus(signed).unwrap();
        }
        net.retain(|_, net| net.abs() >= Shares(amount("1")));
        net
    }

    /// Waits until all that the desk did on chain is hedged, and no order is on its way.
    pub async fn flat(&self) {
        let sql = "select count(*) from hedge_order where state <> 'closed'";
        self.until("all is hedged", async || self.uncovered().is_empty() && self.desk.count(sql).await == 0)
            .await;
    }

    /// Once it is flat: every law holds, and books and broker agree execution by execution.
    pub async fn proved(&self) {
        proof::proved(self.desk.pool(), &self.account).await;
        proof::executions_agree(self.desk.pool(), &self.account).await;
        assert_eq!(self.uncovered(), BTreeMap::new());
    }

    pub fn at_broker(&self) -> String {
        proof::at_broker(&self.account)
    }

    pub async fn orders(&self) -> String {
        proof::orders(self.desk.pool()).await
    }

    /// What happened to an order, a line each.
    pub async fn story(&self, order: i64) -> String {
        let sql = "select event from order_event where order_id = $1 order by id";
        let events: Vec<String> =
            sqlx::query_scalar(sql).bind(order).fetch_all(self.desk.pool()).await.unwrap();
        events.join(", ")
    }

    /// So long.
    pub async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
