//! The days before: a desk that has made a market for two weeks, and what each of its days earned.
//!
//! The chain is invented, of the real contract's events, and in a market: nobody hedged these days,
//! so the desk ends them flat, and what it earned is what sellers and buyers paid it.

use std::{collections::BTreeMap, str::FromStr as _, time::Duration};

use alloy::primitives::Address;
use anyhow::Context as _;
use jiff::{ToSpan as _, civil::Date};

use super::{LATENCY, Stage, Voice, broker::PRICES, weather};
use crate::{
    cli::job,
    config::jobs::specs,
    engine::Stop,
    sim::{Flow, Genesis, Mix, Rate, Side, SimChain, SimTrade},
    time::{new_york_date, nyse},
    units::{Amount, Price},
};

/// Contract, tokens and wrappers are those of a recording.
const RECORDING: &str = include_str!("../../../tests/fixtures/raindex/raindex-v6.json");
/// Trading days of the past …
const DAYS: usize = 10;
/// … and blocks of each: enough to see a backfill work.
const BLOCKS: u64 = 500;
/// What lies in each vault at first: whole tokens.
const STOCK: [(&str, u64); 3] = [("AAPL", 60), ("TSLA", 40), ("SPYM", 120)];
const DOLLARS: u64 = 25_000;
/// Where it begins.
const FIRST: u64 = 43_339_956;

/// The trading days before this one, the oldest first.
pub(super) fn days(today: Date) -> anyhow::Result<Vec<Date>> {
    let mut days = Vec::new();
    let mut last = today;
    while days.len() < DAYS {
        last = nyse::last_trading_day(last.checked_sub(1.day())?);
        days.push(last);
    }
    days.reverse();
    Ok(days)
}

/// What a share closed at.
pub(super) type Closes = Vec<(String, Date, Price)>;

/// A chain on which the owner's orders were taken on each of these days, and what shares closed at.
pub(super) fn traded(days: &[Date], stop: &Stop) -> anyhow::Result<(SimChain, Closes)> {
    let recorded =
        SimChain::from_recording(RECORDING).context("the recording of the demo cannot be played")?;
    let cast = recorded.cast();
    let hours = |date: Date| nyse::trading_day(date).with_context(|| format!("{date} is no trading day"));
    let Some(first) = days.first() else { anyhow::bail!("there are no days") };
    let opened = u64::try_from(hours(*first)?.open.as_second())?;
    let chain =
        SimChain::empty(Genesis { cast: cast.clone(), timestamp: Some(opened - 60), ..Genesis::at(FIRST) });
    let mut flow = Flow::default();
    let mut stock = BTreeMap::from([(cast.usdc, DOLLARS)]);
    for token in cast.equities() {
        let of = |(ticker, _): &&(&str, _)| Some(*ticker) == token.ticker.as_deref();
        if let Some((_, price)) = PRICES.iter().find(|listed| Some(listed.0) == token.ticker.as_deref()) {
            flow = flow.with(token, hundred_thousandths(price)?);
        }
        stock.extend(STOCK.iter().find(of).map(|(_, whole)| (token.address, *whole)));
    }
    let mix = Mix { vault_moves: 0, other_pairs: 0, clears: 120, ..Mix::full() };
    chain.keep_inventing_in(flow, 6, Rate { times: 1, blocks: 2 }, mix);
    chain.stock_each(&stock);
    let mut closes = Vec::new();
    for date in days {
        let day = hours(*date)?;
        let (open, close) = (u64::try_from(day.open.as_second())?, u64::try_from(day.close.as_second())?);
        for block in 1..=BLOCKS {
            if *stop.borrow() {
                return Ok((chain, closes));
            }
            chain.mine_invented_at(open + block * (close - open) / (BLOCKS + 2));
        }
        if Some(date) == days.last() {
            chain.trade(close - 30, &to_be_flat(&chain)?);
        }
        for (ticker, _) in PRICES {
            closes.extend(price_of(&chain, ticker).map(|price| (ticker.to_owned(), *date, price)));
        }
    }
    Ok((chain, closes))
}

/// Dollars as Pyth has them.
pub(super) fn hundred_thousandths(dollars: &str) -> anyhow::Result<i64> {
    Ok(i64::try_from(dollars.parse::<Amount>()?.atoms() / (Amount::ONE.atoms() / 100_000))?)
}

/// What Pyth says of a share, to the cent.
fn price_of(chain: &SimChain, ticker: &str) -> Option<Price> {
    let cents = chain.oracle_price(ticker)? / 1_000;
    Price::of(Amount::from_atoms(i128::from(cents) * (Amount::ONE.atoms() / 100))?)
}

/// The trades that leave the owner flat, at the market.
fn to_be_flat(chain: &SimChain) -> anyhow::Result<Vec<SimTrade>> {
    let mut held: BTreeMap<Address, Amount> = BTreeMap::new();
    for fill in chain.canonical_fills().into_iter().filter(|fill| fill.ours) {
        let quantity = Amount::from_str(&fill.quantity)?;
        let now = held.entry(fill.token).or_default();
        let after = match fill.side {
            Side::Buy => now.plus(quantity),
            Side::Sell => now.minus(quantity),
        };
        *now = after.context("the desk holds too much")?;
    }
    let cast = chain.cast();
    let mut trades = Vec::new();
    for token in cast.equities() {
        let (Some(ticker), Some(held)) = (&token.ticker, held.get(&token.address)) else { continue };
        let Some(share) = price_of(chain, ticker) else { continue };
        let ratio = Amount::from_atoms(i128::try_from(token.ratio_e18)?).context("an absurd ratio")?;
        let price = share.dollars().times(ratio).context("an absurd price")?;
        let side = if held.is_negative() { Side::Buy } else { Side::Sell };
        if !held.is_zero() {
            trades.push(SimTrade { ticker: ticker.clone(), side, quantity: held.abs(), price });
        }
    }
    Ok(trades)
}

impl Stage {
    /// Counts and states each of the days before, as the night after it would have done.
    pub(super) async fn state_the_past(&self, voice: &mut Voice<'_, '_>) -> anyhow::Result<()> {
        // Prices of two weeks of fills are asked for, one by one.
        self.node.set_weather(weather(Duration::ZERO));
        let all = specs(None)?;
        let office = job::office(&self.sources, all.clone())?;
        let mut last = None;
        for date in days(new_york_date(self.sources.clock.now()))? {
            for name in ["pnl", "statement"] {
                let Some(spec) = all.iter().find(|spec| spec.name == name) else { continue };
                last = office.run_for(spec, date).await?.or(last);
            }
        }
        office.clerk.end().await;
        self.node.set_weather(weather(LATENCY));
        if let Some(ended) = last {
            voice.say(&format!(
                "Its {DAYS} days are counted and stated, as every night does it. The last one:\n{}",
                ended.said
            ))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_days_before_are_ten_on_which_there_was_trade() {
        // Given the Monday after Thanksgiving, and a Sunday
        for today in [date(2026, 11, 30), date(2026, 11, 29)] {
            let days = days(today).unwrap();
            assert_eq!((days[0], days[9], days.len()), (date(2026, 11, 13), date(2026, 11, 27), DAYS));
            assert!(days.iter().all(|day| nyse::is_trading_day(*day)) && days.is_sorted());
        }
        assert_eq!(hundred_thousandths("187.25").unwrap(), 18_725_000);
    }

    #[test]
    fn the_desk_ends_its_past_flat() {
        let (_, told) = tokio::sync::watch::channel(false);
        let (chain, closes) = traded(&days(date(2026, 11, 30)).unwrap(), &told).unwrap();
        let mut held: BTreeMap<Address, Amount> = BTreeMap::new();
        for fill in chain.canonical_fills().into_iter().filter(|fill| fill.ours) {
            let quantity: Amount = fill.quantity.parse().unwrap();
            let now = held.entry(fill.token).or_default();
            *now = match fill.side {
                Side::Buy => now.plus(quantity).unwrap(),
                Side::Sell => now.minus(quantity).unwrap(),
            };
        }
        assert_eq!(held.len(), PRICES.len());
        assert!(held.values().all(|held| held.is_zero()), "{held:?}");
        assert_eq!(closes.len(), DAYS * PRICES.len());
    }
}
