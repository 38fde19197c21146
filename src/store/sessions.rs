//! When the market is open: the exchange's rules, a broker's calendar over them, a person's word over both.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::{
    StoreError,
    types::{At, Day},
};
use crate::time::{TradingDay, nyse};

/// Who said it, the later before the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The exchange's rules, as `time/nyse.rs` has them.
    Rules,
    /// A broker's calendar.
    Broker,
}

impl Source {
    const fn word(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Broker => "broker",
        }
    }
}

/// What is known of some dates; where nothing is, the exchange's rules hold.
#[derive(Clone, Debug, Default)]
pub struct Sessions(BTreeMap<Date, bool>);

impl Sessions {
    /// Whether the exchange is open on a date.
    pub fn is_open(&self, date: Date) -> bool {
        self.0.get(&date).copied().unwrap_or_else(|| nyse::is_trading_day(date))
    }
}

/// What is known of the dates from one to another, both with it.
pub async fn known(conn: &mut PgConnection, from: Date, to: Date) -> Result<Sessions, StoreError> {
    let rows = sqlx::query(include_str!("../../sql/queries/sessions_known.sql"))
        .bind(Day(from))
        .bind(Day(to))
        .fetch_all(conn)
        .await;
    let read = |row: &PgRow| Ok((row.try_get::<Day, _>("date")?.0, row.try_get("is_open")?));
    rows.and_then(|rows| rows.iter().map(read).collect())
        .map(Sessions)
        .map_err(|error| StoreError::of("read when the market is open", error))
}

/// Writes days, those on which the exchange is closed among them (no [`TradingDay`]); gives back
/// how many were not known so.
pub async fn write(
    conn: &mut PgConnection,
    days: &[(Date, Option<TradingDay>)],
    source: Source,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let (dates, opens, closes, early) = columns(days);
    let rows = sqlx::query(include_str!("../../sql/queries/session_write.sql"))
        .bind(dates)
        .bind(opens)
        .bind(closes)
        .bind(early)
        .bind(source.word())
        .bind(At(now))
        .fetch_all(conn)
        .await
        .map_err(|error| StoreError::of("write when the market is open", error))?;
    Ok(rows.len())
}

/// The days from `today` on for which a broker says something else than these rules.
pub async fn differing(
    conn: &mut PgConnection,
    today: Date,
    rules: &[(Date, Option<TradingDay>)],
) -> Result<Vec<Date>, StoreError> {
    let (dates, opens, closes, _) = columns(rules);
    let rows = sqlx::query(include_str!("../../sql/queries/session_differs.sql"))
        .bind(Day(today))
        .bind(dates)
        .bind(opens)
        .bind(closes)
        .fetch_all(conn)
        .await;
    rows.and_then(|rows| rows.iter().map(|row| Ok(row.try_get::<Day, _>("date")?.0)).collect())
        .map_err(|error| StoreError::of("compare calendars", error))
}

type Columns = (Vec<Day>, Vec<Option<At>>, Vec<Option<At>>, Vec<bool>);

fn columns(days: &[(Date, Option<TradingDay>)]) -> Columns {
    let mut columns = Columns::default();
    for (date, day) in days {
        columns.0.push(Day(*date));
        columns.1.push(day.map(|day| At(day.open)));
        columns.2.push(day.map(|day| At(day.close)));
        columns.3.push(day.is_some_and(|day| day.closes_early()));
    }
    columns
}
