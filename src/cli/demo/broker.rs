//! The rehearsal Alpaca of the demo, and what the configuration says of it.

use anyhow::Context as _;
use jiff::{Timestamp, ToSpan as _, civil::Weekday, civil::time, tz::TimeZone};

use super::{Stage, Voice};
use crate::{
    config::Environment,
    sim::{AlpacaKeys, Opening, Prices, SimAccount, SimAlpaca},
    store::{
        cursors,
        exposure::{self, Act},
    },
    time::Clock,
    units::Price,
};

/// Whose time a market has.
pub(super) const ZONE: &str = "America/New_York";
/// What is listed, and at what price.
const PRICES: [(&str, &str); 3] = [("AAPL", "187.25"), ("TSLA", "404.50"), ("SPYM", "81.95")];

/// Serves one whose clock is told a trading morning: the demo is watched at night too.
pub(super) async fn serve() -> anyhow::Result<SimAlpaca> {
    let mut prices = Prices::none();
    for (ticker, price) in PRICES {
        prices = prices.with(ticker, Price::of(price.parse()?).context("a price is less than nothing")?);
    }
    // Ids that were used yesterday are in nobody's books: these are made anew each time.
    let account = SimAccount::open(Opening { prices, ..Opening::default() });
    account.set_time(morning(Clock::Wall.now())?);
    let broker = SimAlpaca::serve(account, AlpacaKeys::default(), "127.0.0.1:0").await?;
    Ok(broker)
}

/// The last weekday morning in New York at half past ten.
fn morning(now: Timestamp) -> anyhow::Result<Timestamp> {
    let zone = TimeZone::get(ZONE)?;
    let mut date = now.to_zoned(zone.clone()).date();
    loop {
        let at = date.to_datetime(time(10, 30, 0, 0)).to_zoned(zone.clone())?.timestamp();
        if at <= now && !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) {
            return Ok(at);
        }
        date = date.checked_sub(1.day())?;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_morning_is_that_of_the_last_trading_day() {
        for (now, expected) in [
            ("2026-11-20T16:00:00Z", "2026-11-20T15:30:00Z"),
            ("2026-11-20T15:29:59Z", "2026-11-19T15:30:00Z"),
            ("2026-11-22T12:00:00Z", "2026-11-20T15:30:00Z"),
            ("2026-07-20T03:00:00Z", "2026-07-17T14:30:00Z"),
        ] {
            let now: Timestamp = now.parse().unwrap();
            assert_eq!(morning(now).unwrap(), expected.parse().unwrap());
        }
    }
}
