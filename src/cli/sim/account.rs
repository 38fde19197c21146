//! The account that a rehearsal broker serves, as the command line describes it.

use anyhow::Context;
use jiff::Timestamp;

use crate::{
    sim::{Opening, Prices, SimAccount, Storm},
    time::Clock,
    units::{Amount, Price, Usd},
};

/// What may be said of an account.
#[derive(Debug, clap::Args)]
pub(super) struct Account {
    /// Dollars it begins with.
    #[arg(long, value_name = "DOLLARS", default_value = "100000", value_parser = dollars)]
    cash: Usd,
    /// A ticker and its price, beside a dozen well-known ones; may be given again.
    #[arg(long = "price", value_name = "SYMBOL=PRICE", value_parser = price)]
    prices: Vec<(String, Price)>,
    /// What ids, prices and chances are drawn from [default: another one each time].
    #[arg(long)]
    seed: Option<u64>,
    /// A bit of everything goes wrong, drawn from this seed.
    #[arg(long, value_name = "SEED")]
    storm: Option<u64>,
    /// Requests a minute that are answered; 0: as many as come [default: as the real one].
    #[arg(long, value_name = "N")]
    rate: Option<u32>,
    /// The market is open whatever the time.
    #[arg(long)]
    open: bool,
    /// The time it begins at, as 2026-11-20T15:30:00Z [default: now].
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

impl Account {
    /// Opens it at a broker that answers `rate` requests a minute; its seed too.
    pub(super) fn opened(&self, rate: u32) -> (SimAccount, u64) {
        // Ids that were used yesterday are in somebody's books.
        let seed = self.seed.unwrap_or_else(|| Clock::Wall.millis().unsigned_abs());
        let prices = self
            .prices
            .iter()
            .fold(Prices::seeded(seed), |prices, (ticker, price)| prices.with(ticker, *price));
        let account = SimAccount::open(Opening { seed, cash: self.cash, prices, clock: Clock::Wall });
        let rate = self.rate.unwrap_or(rate);
        account.limit_rate((rate > 0).then_some(rate));
        if let Some(now) = self.now {
            account.set_time(now);
        }
        if self.open {
            account.hours(|hours| hours.always(Some(true)));
        }
        if let Some(seed) = self.storm {
            account.storm(Storm::seeded(seed));
        }
        (account, seed)
    }
}

fn dollars(text: &str) -> anyhow::Result<Usd> {
    let amount: Amount = text.parse()?;
    Price::of(amount).context("less than nothing")?;
    Ok(Usd(amount))
}

fn price(text: &str) -> anyhow::Result<(String, Price)> {
    let (ticker, price) = text.split_once('=').context("TICKER=PRICE expected")?;
    let price = Price::of(price.parse()?).context("less than nothing")?;
    Ok((ticker.to_owned(), price))
}
