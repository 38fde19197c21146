//! What open quantity is valued at: the official close of the last session, else the last trade.
//!
//! A price keeps its own time: a statement says of an old one that it is stale, and of none that
//! there is none. Nothing here is a guess.

use std::{collections::BTreeMap, sync::Arc};

use jiff::ToSpan;
use sqlx::PgPool;

use super::Run;
use crate::{
    store::{
        StoreError,
        marks::{self, Wanted},
    },
    time::nyse,
    venue::Venue,
};

/// What was taken up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marked {
    /// Shares with an official close.
    pub closes: usize,
    /// Shares whose last trade is all there is.
    pub trades: usize,
    /// Shares without any price.
    pub none: usize,
    /// Venues that did not answer, and what they said.
    pub silent: Vec<String>,
}

/// Takes up a price for every share that the statement of the run's date values.
///
/// # Errors
/// The database. A venue that does not answer is among the silent.
pub async fn run(pool: &PgPool, venues: &[Arc<dyn Venue>], run: &Run) -> Result<Marked, StoreError> {
    let failed = |error| StoreError::of("take up marks", error);
    let mut conn = pool.acquire().await.map_err(failed)?;
    let wanted = marks::wanted(&mut conn, run.date).await?;
    drop(conn);
    let symbols: Vec<String> = wanted.iter().map(|wanted| wanted.symbol.clone()).collect();
    // The last session that is over.
    let mut day = nyse::last_trading_day(run.date);
    if nyse::trading_day(day).is_some_and(|day| run.at < day.close) {
        day = nyse::last_trading_day(day.checked_sub(1.day()).unwrap_or(day));
    }
    let mut marked = Marked::default();
    let mut closes = BTreeMap::new();
    for venue in venues {
        match venue.closes(&symbols, day).await {
            Ok(found) => {
                for (symbol, price) in found {
                    closes.entry(symbol).or_insert(price);
                }
            }
            Err(error) => marked.silent.push(error.to_string()),
        }
    }
    let closed_at = nyse::trading_day(day).map_or(run.at, |day| day.close);
    let mut tx = pool.begin().await.map_err(failed)?;
    for Wanted { symbol, last } in wanted {
        let close = closes.get(&symbol).filter(|price| !price.dollars().is_zero());
        match (close, last) {
            (Some(price), _) => {
                marks::write(&mut tx, &symbol, *price, closed_at, "close").await?;
                marked.closes += 1;
            }
            (None, Some((price, at, source))) => {
                marks::write(&mut tx, &symbol, price, at, &source).await?;
                marked.trades += 1;
            }
            (None, None) => marked.none += 1,
        }
    }
    tx.commit().await.map_err(failed)?;
    Ok(marked)
}
