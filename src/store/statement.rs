//! What a day's statement is made of, and what was stated.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use sqlx::{PgConnection, Row as _};

use super::{StoreError, pnl::day_of, types::At};
use crate::{
    book::{
        count::Day,
        pnl::{Bucket, Spread},
        statement::{
            COSTS, Coverage, Covered, DayBreak, Drift, INCOME, Line, Mark, OldLot, Standing, Statement,
        },
    },
    units::{Price, Shares, Usd},
};

/// What is known of a share at the end of a day: its position, what was earned to then, and that day's sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The position.
    pub net: Shares,
    /// What it cost.
    pub book_value: Usd,
    /// What matches earned on all days up to this one.
    pub realized: Usd,
    /// The day itself; none: nothing happened on it.
    pub day: Option<Day>,
}

/// Every share that ever had a trade up to this day.
pub async fn known(conn: &mut PgConnection, date: Date) -> Result<BTreeMap<String, Known>, StoreError> {
    let read = async {
        let rows = sqlx::query(include_str!("../../sql/queries/statement_known.sql"))
            .bind(date.to_string())
            .fetch_all(conn)
            .await?;
        let mut known = BTreeMap::new();
        for row in &rows {
            let day = day_of(row)?;
            let is_today: bool = row.try_get("is_today")?;
            let share = Known {
                net: day.closing_net,
                book_value: day.closing_book,
                realized: row.try_get("realized")?,
                day: is_today.then_some(day),
            };
            known.insert(row.try_get("symbol")?, share);
        }
        Ok(known)
    };
    read.await.map_err(|error: sqlx::Error| StoreError::of("read what is known of a day", error))
}

/// The newest mark of each share on this day or before: of one day an official close goes before
/// others, and what was said last before what was said earlier.
pub async fn marks(conn: &mut PgConnection, date: Date) -> Result<BTreeMap<String, Mark>, StoreError> {
    let read = async {
        let rows = sqlx::query(include_str!("../../sql/queries/statement_marks.sql"))
            .bind(date.to_string())
            .fetch_all(conn)
            .await?;
        rows.iter()
            .map(|row| {
                let price: Price = row.try_get("price")?;
                let mark = Mark {
                    price,
                    as_of: row.try_get::<At, _>("as_of")?.0,
                    source: row.try_get("source")?,
                    is_stale: row.try_get("is_stale")?,
                };
                Ok((row.try_get("symbol")?, mark))
            })
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read marks", error))
}

/// Cash that moved without a trade: by share, none of which is "", and by kind.
pub type Flows = BTreeMap<String, BTreeMap<String, Usd>>;

/// Costs and income of one day, or of all days up to it.
pub async fn flows(conn: &mut PgConnection, date: Date, all_before: bool) -> Result<Flows, StoreError> {
    let read = async {
        let rows = sqlx::query(include_str!("../../sql/queries/statement_flows.sql"))
            .bind(date.to_string())
            .bind(all_before)
            .fetch_all(conn)
            .await?;
        let mut flows = Flows::new();
        for row in &rows {
            let symbol: String = row.try_get("symbol")?;
            flows.entry(symbol).or_default().insert(row.try_get("kind")?, row.try_get("amount")?);
        }
        Ok(flows)
    };
    read.await.map_err(|error: sqlx::Error| StoreError::of("read costs and income", error))
}

/// What was stated of a share last before a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stated {
    /// Realized less costs with income, of all days up to then.
    pub banked: Usd,
    /// What was not realized; none: it had no mark.
    pub unrealized: Option<Usd>,
}

/// The last day that was stated before this one, and what was.
pub async fn stated_before(
    conn: &mut PgConnection,
    date: Date,
) -> Result<Option<(Date, BTreeMap<String, Stated>)>, StoreError> {
    let read = async {
        let rows = sqlx::query(include_str!("../../sql/queries/statement_before.sql"))
            .bind(date.to_string())
            .fetch_all(conn)
            .await?;
        let mut last = None;
        let mut stated = BTreeMap::new();
        for row in &rows {
            let day: String = row.try_get("et_date")?;
            last = day.parse::<Date>().ok();
            let (market, book): (Option<Usd>, Usd) =
                (row.try_get("closing_market")?, row.try_get("closing_book")?);
            let unrealized = market.and_then(|market| market.minus(book));
            stated.insert(row.try_get("symbol")?, Stated { banked: row.try_get("banked")?, unrealized });
        }
        Ok(last.map(|last| (last, stated)))
    };
    read.await.map_err(|error: sqlx::Error| StoreError::of("read what was stated", error))
}

/// Was this day stated?
pub async fn was_stated(conn: &mut PgConnection, date: Date) -> Result<bool, StoreError> {
    sqlx::query_scalar(include_str!("../../sql/queries/statement_exists.sql"))
        .bind(date.to_string())
        .fetch_one(conn)
        .await
        .map_err(|error| StoreError::of("read what was stated", error))
}

/// Lots that were opened before this instant, oldest first: at most so many, and how many more there are.
pub async fn old_lots(
    conn: &mut PgConnection,
    before: Timestamp,
    most: i64,
) -> Result<(Vec<OldLot>, usize), StoreError> {
    let read = async {
        let rows = sqlx::query(include_str!("../../sql/queries/statement_lots.sql"))
            .bind(At(before))
            .bind(most)
            .fetch_all(conn)
            .await?;
        let lots = rows.iter().map(|row| {
            Ok(OldLot {
                symbol: row.try_get("symbol")?,
                opened_at: row.try_get::<At, _>("opened_at")?.0,
                opening: row.try_get("opening")?,
                quantity: row.try_get("quantity")?,
                cost: row.try_get("cost")?,
            })
        });
        let lots = lots.collect::<Result<Vec<_>, sqlx::Error>>()?;
        let all: i64 = rows.first().map_or(Ok(0), |row| row.try_get("lots"))?;
        let more = usize::try_from(all).unwrap_or_default().saturating_sub(lots.len());
        Ok::<_, sqlx::Error>((lots, more))
    };
    read.await.map_err(|error| StoreError::of("read old lots", error))
}

/// What the last reconciliation of a date found that is not as the books say, what matters most first.
pub async fn drift(conn: &mut PgConnection, date: Date) -> Result<Vec<Drift>, StoreError> {
    let read = async {
        let rows = sqlx::query(include_str!("../../sql/queries/statement_drift.sql"))
            .bind(date.to_string())
            .fetch_all(conn)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Drift {
                    leg: row.try_get("leg")?,
                    instrument: row.try_get("instrument")?,
                    residual: row.try_get("residual")?,
                    unexplained: row.try_get("unexplained")?,
                    value: row.try_get("value")?,
                })
            })
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read what drifted", error))
}

/// Breaks that lived on a date, as they were at its end.
pub async fn breaks(conn: &mut PgConnection, date: Date) -> Result<Vec<DayBreak>, StoreError> {
    let read = async {
        let rows = sqlx::query(include_str!("../../sql/queries/statement_breaks.sql"))
            .bind(date.to_string())
            .fetch_all(conn)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(DayBreak {
                    leg: row.try_get("leg")?,
                    instrument: row.try_get("instrument")?,
                    class: row.try_get("class")?,
                    state: row.try_get("state")?,
                    quantity: row.try_get("quantity")?,
                    value: row.try_get("value")?,
                    since: row.try_get::<At, _>("first_seen")?.0,
                    came: row.try_get("came")?,
                    is_over: row.try_get("is_over")?,
                })
            })
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read the breaks of a day", error))
}

/// How far costs, income and what is beside trades are known.
pub async fn coverage(conn: &mut PgConnection, date: Date) -> Result<Vec<Coverage>, StoreError> {
    let read = async {
        let rows = sqlx::query(include_str!("../../sql/queries/statement_coverage.sql"))
            .bind(date.to_string())
            .fetch_all(conn)
            .await?;
        rows.iter()
            .map(|row| {
                let (has_some, missing): (bool, i64) = (row.try_get("has_some")?, row.try_get("missing")?);
                let state = match (has_some, missing) {
                    (true, 0) => Covered::Included,
                    (true, _) => Covered::Partial,
                    (false, _) => Covered::NotIngested,
                };
                Ok(Coverage { of: row.try_get("of")?, state, missing: super::small(missing) })
            })
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read what is missing", error))
}

/// Net P&L of the last days that were stated before this one, oldest first; days that are not known are left out.
pub async fn days_before(
    conn: &mut PgConnection,
    date: Date,
    most: i64,
) -> Result<Vec<(Date, Usd)>, StoreError> {
    let read = async {
        let rows = sqlx::query(include_str!("../../sql/queries/statement_days.sql"))
            .bind(date.to_string())
            .bind(most)
            .fetch_all(conn)
            .await?;
        let mut days = Vec::new();
        for row in &rows {
            let day: String = row.try_get("et_date")?;
            if let Ok(date) = day.parse() {
                days.push((date, row.try_get("net_pnl")?));
            }
        }
        Ok(days)
    };
    read.await.map_err(|error: sqlx::Error| StoreError::of("read the days before", error))
}

/// States a day, for good. `banked` is by share.
pub async fn state(
    conn: &mut PgConnection,
    statement: &Statement,
    banked: &BTreeMap<String, Usd>,
) -> Result<(), StoreError> {
    for line in &statement.lines {
        let symbol = line.symbol.clone().unwrap_or_default();
        let banked = banked.get(&symbol).copied().unwrap_or_default();
        state_line(conn, statement, line, &symbol, banked)
            .await
            .map_err(|error| StoreError::of("state a day", error))?;
    }
    Ok(())
}

async fn state_line(
    conn: &mut PgConnection,
    statement: &Statement,
    line: &Line,
    symbol: &str,
    banked: Usd,
) -> Result<(), sqlx::Error> {
    let date = statement.date.to_string();
    let realized = |bucket| line.realized.get(&bucket).copied().unwrap_or_default();
    let (before, mark) = (line.opening.mark.as_ref(), line.closing.mark.as_ref());
    sqlx::query(include_str!("../../sql/queries/statement_write.sql"))
        .bind(&date)
        .bind(symbol)
        .bind(At(statement.known_at))
        .bind(line.opening.net)
        .bind(line.opening.book_value)
        .bind(line.opening.market())
        .bind(before.map(|mark| mark.price))
        .bind(before.map(|mark| At(mark.as_of)))
        .bind(before.map(|mark| &mark.source))
        .bind(before.map(|mark| mark.is_stale))
        .bind(line.closing.net)
        .bind(line.closing.book_value)
        .bind(line.closing.market())
        .bind(mark.map(|mark| mark.price))
        .bind(mark.map(|mark| At(mark.as_of)))
        .bind(mark.map(|mark| &mark.source))
        .bind(mark.map(|mark| mark.is_stale))
        .bind(super::big(line.trades))
        .bind(line.bought.0)
        .bind(line.bought.1)
        .bind(line.sold.0)
        .bind(line.sold.1)
        .bind(realized(Bucket::OnchainNetting))
        .bind(realized(Bucket::CounterTrade))
        .bind(realized(Bucket::Directional))
        .bind(line.attributed)
        .bind(line.spread.edge)
        .bind(line.spread.drift)
        .bind(line.spread.slippage)
        .bind(line.costs().unwrap_or_default())
        .bind(line.income().unwrap_or_default())
        .bind(line.net())
        .bind(line.restated)
        .bind(banked)
        .execute(&mut *conn)
        .await?;
    let costs = line.costs.iter().map(|(kind, usd)| (kind, Usd(usd.0.negated())));
    for (kind, usd) in costs.chain(line.income.iter().map(|(kind, usd)| (kind, *usd))) {
        sqlx::query(include_str!("../../sql/queries/statement_flow_write.sql"))
            .bind(&date)
            .bind(symbol)
            .bind(kind)
            .bind(usd)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// A day as it was stated; none: it was not.
pub async fn stated(
    conn: &mut PgConnection,
    date: Date,
) -> Result<Option<(Timestamp, Vec<Line>)>, StoreError> {
    let read = async {
        let rows = sqlx::query(include_str!("../../sql/queries/statement_read.sql"))
            .bind(date.to_string())
            .fetch_all(&mut *conn)
            .await?;
        let flows = sqlx::query(include_str!("../../sql/queries/statement_flow_read.sql"))
            .bind(date.to_string())
            .fetch_all(&mut *conn)
            .await?;
        let mut known_at = None;
        let mut lines = Vec::new();
        for row in &rows {
            known_at = Some(row.try_get::<At, _>("known_at")?.0);
            let symbol: String = row.try_get("symbol")?;
            let mut line = line_of(row)?;
            for flow in &flows {
                let (of, kind, usd): (String, String, Usd) =
                    (flow.try_get("symbol")?, flow.try_get("kind")?, flow.try_get("amount")?);
                if of != symbol {
                    continue;
                }
                if COSTS.contains(&kind.as_str()) {
                    line.costs.insert(kind, Usd(usd.0.negated()));
                } else if INCOME.contains(&kind.as_str()) {
                    line.income.insert(kind, usd);
                }
            }
            line.symbol = (!symbol.is_empty()).then_some(symbol);
            lines.push(line);
        }
        // What is of no one share comes last.
        lines.sort_by_key(|line| (line.symbol.is_none(), line.symbol.clone()));
        Ok(known_at.map(|known_at| (known_at, lines)))
    };
    read.await.map_err(|error: sqlx::Error| StoreError::of("read a statement", error))
}

fn line_of(row: &sqlx::postgres::PgRow) -> Result<Line, sqlx::Error> {
    let mark = |name: &str| -> Result<Option<Mark>, sqlx::Error> {
        let price: Option<Price> = row.try_get(name)?;
        let as_of: Option<At> = row.try_get(format!("{name}_at").as_str())?;
        let source: Option<String> = row.try_get(format!("{name}_source").as_str())?;
        let is_stale: Option<bool> = row.try_get(format!("{name}_is_stale").as_str())?;
        Ok(price.zip(as_of).zip(source.zip(is_stale)).map(|((price, as_of), (source, is_stale))| Mark {
            price,
            as_of: as_of.0,
            source,
            is_stale,
        }))
    };
    let standing = |net: &str, book_value: &str, of: &str| -> Result<Standing, sqlx::Error> {
        Ok(Standing { net: row.try_get(net)?, book_value: row.try_get(book_value)?, mark: mark(of)? })
    };
    let opening = standing("opening_net", "opening_book", "opening_mark")?;
    let closing = standing("closing_net", "closing_book", "mark")?;
    let buckets = [
        (Bucket::OnchainNetting, row.try_get("onchain_netting")?),
        (Bucket::CounterTrade, row.try_get("counter_trade")?),
        (Bucket::Directional, row.try_get("directional")?),
    ];
    Ok(Line {
        opening,
        closing,
        trades: super::small(row.try_get("trades")?),
        bought: (row.try_get("bought_quantity")?, row.try_get("bought_cash")?),
        sold: (row.try_get("sold_quantity")?, row.try_get("sold_cash")?),
        realized: buckets.into_iter().collect(),
        attributed: row.try_get("attributed")?,
        spread: Spread {
            edge: row.try_get("edge")?,
            drift: row.try_get("drift")?,
            slippage: row.try_get("slippage")?,
        },
        restated: row.try_get("restated")?,
        ..Line::default()
    })
}
