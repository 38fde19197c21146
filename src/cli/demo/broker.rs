//! The rehearsal Alpaca of the demo, and what the configuration says of it.

use anyhow::Context as _;

use super::{Stage, Voice, past::Closes};
use crate::{
    config::Environment,
    sim::{AlpacaKeys, Opening, Prices, SimAccount, SimAlpaca},
    store::{
        cursors,
        exposure::{self, Act},
    },
    units::Price,
};

/// What is listed, and at what price.
pub(super) const PRICES: [(&str, &str); 3] = [("AAPL", "187.25"), ("TSLA", "404.50"), ("SPYM", "81.95")];

/// Serves one whose market is open, whatever the time: the demo is watched at night too.
pub(super) async fn serve(closes: &Closes) -> anyhow::Result<SimAlpaca> {
    let mut prices = Prices::none();
    for (ticker, price) in PRICES {
        prices = prices.with(ticker, Price::of(price.parse()?).context("a price is less than nothing")?);
    }
    // Ids that were used yesterday are in nobody's books: these are made anew each time.
    let account = SimAccount::open(Opening { prices, ..Opening::default() });
    account.hours(|hours| hours.always(Some(true)));
    for (ticker, date, price) in closes {
        account.set_close(ticker, *date, *price);
    }
    let broker = SimAlpaca::serve(account, AlpacaKeys::default(), "127.0.0.1:0").await?;
    Ok(broker)
}

/// What `hedge.toml` says of it.
pub(super) fn configuration(broker: &SimAlpaca) -> String {
    format!(
        "\
[hedge]
venue = \"alpaca\"
every = \"1s\"
order_poll = \"300ms\"
order_jitter = \"100ms\"

[venue.alpaca]
kind = \"alpaca\"
environment = \"paper\"
base_url = \"{url}\"
data_url = \"{url}\"

[limits]
max_order_usd = 5000
max_day_usd = 100000
price_band_pct = 5
",
        url = broker.url()
    )
}

/// The keys that it lets in, as the environment of a person would have them.
pub(super) fn keys() -> Environment {
    Environment::from_iter([("ALPACA_API_KEY", "K"), ("ALPACA_API_SECRET", "S")])
}

impl Stage {
    /// Begins hedging behind what is written: history is not hedged.
    pub(super) async fn go_live(&self, voice: &mut Voice<'_, '_>) -> anyhow::Result<()> {
        let mut tx = self.sources.db.pool().begin().await.context("could not begin a transaction")?;
        let act = Act { author: "hedge demo", reason: "the demo", at: self.sources.clock.now() };
        for reading in self.sources.ready(None)? {
            let Some(cursor) = cursors::cursor(&mut tx, reading.id).await? else { continue };
            let next = cursor.at.number + 1;
            exposure::go_live(&mut tx, reading.id, next, act).await?;
            voice.say(&format!(
                "`hedge go-live` was said: fills from block {next} on are hedged, and history is not."
            ))?;
        }
        tx.commit().await.context("could not commit")
    }
}
