//! What P&L is counted from, and what was counted, in versions.
//!
//! Trades are read by COPY, a share after the other, or one by one where a note says that
//! something about them changed. What was counted is written by COPY; a version that is no
//! longer known is closed, and never edited otherwise.

mod kept;
mod sheet;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use sqlx::{PgConnection, Postgres, Row as _, Transaction};

use super::{
    StoreError,
    copied::{Copied, Fields},
    types::At,
};
use crate::{
    book::{
        count::{Action, Day, Symbol},
        fill::{Role, Side},
        pnl::{Book, Figures, Key, Spread, Trade, TradeId, TradeType, price_of},
    },
    time::NewYorkDay,
    units::{Amount, Price, Shares, Usd},
};
use kept::unkept;
pub use sheet::{Ended, Sheet};

const TRADES: &str = include_str!("../../../sql/queries/pnl_trades.sql");
const TOUCHED: &str = include_str!("../../../sql/queries/pnl_touched.sql");
const ROWS: &str = include_str!("../../../sql/queries/pnl_rows.sql");

/// Takes the right to count: who counts at the same time is waited for, until the transaction ends.
///
/// The transaction may be silent for as long as counting takes.
pub async fn take_turn(tx: &mut Transaction<'_, Postgres>) -> Result<(), StoreError> {
    sqlx::raw_sql(include_str!("../../../sql/pnl_turn.sql"))
        .execute(&mut **tx)
        .await
        .map_err(|error| StoreError::of("wait for the turn to count P&L", error))?;
    Ok(())
}

/// From now on what changes is noted. Waits for whoever writes facts, once; false where it was so before.
pub async fn begin(tx: &mut Transaction<'_, Postgres>, at: Timestamp) -> Result<bool, StoreError> {
    let write = async {
        let begun: bool =
            sqlx::query_scalar("select exists (select from pnl_begun)").fetch_one(&mut **tx).await?;
        if begun {
            return Ok(false);
        }
        sqlx::raw_sql(include_str!("../../../sql/pnl_begin.sql")).execute(&mut **tx).await?;
        let begun = sqlx::query(include_str!("../../../sql/queries/pnl_begin.sql"))
            .bind(At(at))
            .execute(&mut **tx)
            .await?;
        Ok(begun.rows_affected() > 0)
    };
    write.await.map_err(|error: sqlx::Error| StoreError::of("begin to note what changes", error))
}

/// One picture of the facts for as long as the transaction lasts; nothing is written in it.
pub async fn freeze(tx: &mut Transaction<'_, Postgres>) -> Result<(), StoreError> {
    sqlx::raw_sql(include_str!("../../../sql/pnl_freeze.sql"))
        .execute(&mut **tx)
        .await
        .map_err(|error| StoreError::of("take a picture of the facts", error))?;
    Ok(())
}

/// Was anything published yet?
pub async fn was_published(conn: &mut PgConnection) -> Result<bool, StoreError> {
    sqlx::query_scalar("select exists (select from pnl_run where state = 'published')")
        .fetch_one(conn)
        .await
        .map_err(|error| StoreError::of("read which P&L was published", error))
}

/// What companies did to their shares, withdrawn ones aside: share, time, what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The ticker before it.
    pub symbol: String,
    /// Microseconds since 1970.
    pub at: i64,
    /// A split; none: a new name.
    pub ratio: Option<(Amount, Amount)>,
    /// The new name.
    pub to: Option<String>,
}

/// Every split and every new name, oldest first.
pub async fn changes(conn: &mut PgConnection) -> Result<Vec<Change>, StoreError> {
    let read = async {
        let rows = sqlx::query(include_str!("../../../sql/queries/pnl_changes.sql")).fetch_all(conn).await?;
        rows.iter()
            .map(|row| {
                let (new, old): (Option<Amount>, Option<Amount>) =
                    (row.try_get("ratio_new")?, row.try_get("ratio_old")?);
                Ok(Change {
                    symbol: row.try_get("symbol")?,
                    at: row.try_get::<At, _>("effective_at")?.0.as_microsecond(),
                    ratio: new.zip(old),
                    to: row.try_get("to_symbol")?,
                })
            })
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error: sqlx::Error| StoreError::of("read splits and new names", error))
}

/// A trade as the facts have it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It counts.
    Present(Box<Trade>),
    /// It does not, or no more.
    Absent(Key),
    /// Its numbers cannot be counted: shares and cash went the same way.
    Broken(Key),
}

impl Fact {
    /// Which trade it is about.
    pub fn key(&self) -> Key {
        match self {
            Self::Present(trade) => trade.key,
            Self::Absent(key) | Self::Broken(key) => *key,
        }
    }
}

/// Trades on their way, a share after the other.
pub struct Trades<'c> {
    rows: Copied<'c>,
    /// Whether a column says if it counts.
    noted: bool,
}

/// Which shares are read.
#[derive(Clone, Copy, Debug)]
pub enum Of<'s> {
    /// All but these.
    AllBut(&'s BTreeSet<String>),
    /// These.
    These(&'s BTreeSet<String>),
}

/// Trades of these shares, in the order of their tickers.
pub async fn trades<'c>(conn: &'c mut PgConnection, of: Of<'_>) -> Result<Trades<'c>, StoreError> {
    let (word, symbols) = match of {
        Of::AllBut(symbols) => ("not in", symbols),
        Of::These(symbols) => ("in", symbols),
    };
    let symbols: Vec<String> = symbols.iter().map(|symbol| quoted(symbol)).collect();
    let which = if symbols.is_empty() {
        matches!(of, Of::AllBut(_)).to_string()
    } else {
        format!("symbol {word} ({})", symbols.join(", "))
    };
    let sql = format!("select * from (\n{TRADES}\n) trade where {which} order by symbol");
    Ok(Trades { rows: Copied::out(conn, &sql, "read trades").await?, noted: false })
}

/// Trades that a note is about.
pub async fn touched(conn: &mut PgConnection) -> Result<Trades<'_>, StoreError> {
    Ok(Trades { rows: Copied::out(conn, TOUCHED, "read what changed").await?, noted: true })
}

/// A text of SQL. What stands in it is a ticker.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Trades<'_> {
    /// The next one: `take` is given its share.
    pub async fn next(&mut self) -> Result<Option<(String, Fact)>, StoreError> {
        let Some(row) = self.rows.row().await? else { return Ok(None) };
        fact(&mut Fields::of(&row), self.noted).map(Some).ok_or_else(|| self.rows.unreadable())
    }
}

fn fact(row: &mut Fields<'_>, noted: bool) -> Option<(String, Fact)> {
    let symbol = row.text()?.to_owned();
    let at = row.micros()?;
    let (chain, block, log) = (row.maybe_number()?, row.maybe_number()?, row.maybe_number()?);
    let role = row.maybe_text()?;
    let (order, tie, number) = (row.maybe_number()?, row.maybe_number()?, row.maybe_number()?);
    let (quantity, cash) = (Shares(row.amount()?), Usd(row.amount()?));
    let price = row.maybe_amount()?.and_then(Price::of);
    let fee = Usd(row.maybe_amount()?.unwrap_or_default());
    let (oracle, reference) =
        (row.maybe_amount()?.and_then(Price::of), row.maybe_amount()?.and_then(Price::of));
    let key = match (number, chain) {
        (Some(number), _) => {
            let number = number.try_into().ok()?;
            // A trade that nobody here ordered never counts, and needs no place.
            let (order, tie) = (order.unwrap_or(0).try_into().ok()?, tie.unwrap_or(0).try_into().ok()?);
            Key { at, kind: TradeType::Offchain, id: TradeId::Execution { order, tie, number } }
        }
        (None, chain) => {
            let (chain, block, log) =
                (chain?.try_into().ok()?, block?.try_into().ok()?, log?.try_into().ok()?);
            Key {
                at,
                kind: TradeType::Onchain,
                id: TradeId::Log { chain, block, log, role: Role::named(role?)? },
            }
        }
    };
    if noted && !row.flag()? {
        return Some((symbol, Fact::Absent(key)));
    }
    let (side, cash) =
        if quantity > Shares::ZERO { (Side::Buy, Usd(cash.0.negated())) } else { (Side::Sell, cash) };
    if cash < Usd::ZERO {
        return Some((symbol, Fact::Broken(key)));
    }
    let quantity = quantity.abs();
    // A price that no column holds is shown as the highest that one does; cash is what counts.
    let price = price.or_else(|| price_of(quantity, cash)).or_else(|| Price::of(Amount::MAX))?;
    let trade = Trade { key, side, quantity, price, cash, fee, oracle, reference };
    Some((symbol, Fact::Present(Box::new(trade))))
}

/// What is noted beside trades: shares that are to be counted again from a time on.
pub async fn touched_shares(conn: &mut PgConnection) -> Result<Vec<(String, i64)>, StoreError> {
    let read = async {
        let rows =
            sqlx::query(include_str!("../../../sql/queries/pnl_touched_shares.sql")).fetch_all(conn).await?;
        rows.iter()
            .map(|row| Ok((row.try_get("symbol")?, row.try_get::<At, _>("since")?.0.as_microsecond())))
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error: sqlx::Error| StoreError::of("read which shares changed", error))
}

/// The notes that are there.
pub async fn notes(conn: &mut PgConnection) -> Result<Vec<i64>, StoreError> {
    sqlx::query_scalar("select id from pnl_touch")
        .fetch_all(conn)
        .await
        .map_err(|error| StoreError::of("read what changed", error))
}

/// Takes notes away that were heeded.
pub async fn heed(conn: &mut PgConnection, notes: &[i64]) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../../sql/queries/pnl_heed.sql"))
        .bind(notes)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("take away what was counted", error))?;
    Ok(())
}

/// Notes that a share is to be counted again, from this time on.
pub async fn note_share(conn: &mut PgConnection, symbol: &str, since: i64) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../../sql/queries/pnl_note_share.sql"))
        .bind(symbol)
        .bind(At(Timestamp::from_microsecond(since).unwrap_or(Timestamp::UNIX_EPOCH)))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("note that a share is to be counted again", error))?;
    Ok(())
}

/// Shares of which something was published.
pub async fn shares(conn: &mut PgConnection) -> Result<BTreeSet<String>, StoreError> {
    let shares: Vec<String> = sqlx::query_scalar(include_str!("../../../sql/queries/pnl_shares.sql"))
        .fetch_all(conn)
        .await
        .map_err(|error| StoreError::of("read which shares have P&L", error))?;
    Ok(shares.into_iter().collect())
}

/// What was published of a share since this time, and holds now, in order.
pub async fn rows(
    conn: &mut PgConnection,
    symbol: &str,
    since: i64,
) -> Result<Vec<(Trade, Figures)>, StoreError> {
    let since = Timestamp::from_microsecond(since).unwrap_or(Timestamp::UNIX_EPOCH);
    let sql = ROWS.replace("$1", &quoted(symbol)).replace("$2", &format!("'{since}'::timestamptz"));
    let mut copied = Copied::out(conn, &sql, "read P&L").await?;
    let mut rows = Vec::new();
    while let Some(row) = copied.row().await? {
        rows.push(published(&mut Fields::of(&row)).ok_or_else(|| copied.unreadable())?);
    }
    // What is in order but for ties is soon sorted.
    rows.sort_by_key(|(trade, _)| trade.key);
    Ok(rows)
}

fn published(row: &mut Fields<'_>) -> Option<(Trade, Figures)> {
    let at = row.micros()?;
    let kind = TradeType::named(row.text()?)?;
    let id: TradeId = row.text()?.parse().ok()?;
    let (order, tie) = (row.maybe_number()?, row.maybe_number()?);
    let id = match (id, order.zip(tie)) {
        (TradeId::Number(number), Some((order, tie))) => {
            TradeId::Execution { order: order.try_into().ok()?, tie: tie.try_into().ok()?, number }
        }
        (id, _) => id,
    };
    let side = Side::named(row.text()?)?;
    let (quantity, price, cash) = (Shares(row.amount()?), Price::of(row.amount()?)?, Usd(row.amount()?));
    let realized = row.maybe_amount()?.map(Usd);
    let (cumulative, net, book_value) = (Usd(row.amount()?), Shares(row.amount()?), Usd(row.amount()?));
    let (fee, fees) = (Usd(row.amount()?), Usd(row.amount()?));
    let (oracle, reference) =
        (row.maybe_amount()?.and_then(Price::of), row.maybe_amount()?.and_then(Price::of));
    let key = Key { at, kind, id };
    let trade = Trade { key, side, quantity, price, cash, fee, oracle, reference };
    Some((trade, Figures { realized, cumulative, net, book_value, fees }))
}

/// A place from which a share can be counted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Everything before this is in it: microseconds since 1970.
    pub until: i64,
    /// The books there.
    pub book: Book,
    /// It is not the end of a day but of what is known.
    pub is_last: bool,
}

/// The last such place that is not after this time.
pub async fn place_before(
    conn: &mut PgConnection,
    symbol: &str,
    before: i64,
) -> Result<Option<Place>, StoreError> {
    let read = async {
        let row = sqlx::query(include_str!("../../../sql/queries/pnl_snapshot.sql"))
            .bind(symbol)
            .bind(At(Timestamp::from_microsecond(before).unwrap_or(Timestamp::UNIX_EPOCH)))
            .fetch_optional(conn)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let until: At = row.try_get("until")?;
        let lots: String = row.try_get("lots")?;
        let Some(queue) = unkept(&lots) else {
            return Err(sqlx::Error::Protocol(format!("the lots of {symbol} until {} do not read", until.0)));
        };
        let book =
            Book { queue, cumulative: row.try_get("cumulative_pnl")?, fees: row.try_get("cumulative_fees")? };
        Ok(Some(Place { until: until.0.as_microsecond(), book, is_last: row.try_get("is_last")? }))
    };
    read.await.map_err(|error: sqlx::Error| StoreError::of("read where to count on", error))
}

/// What is known of a share's day.
pub async fn day(conn: &mut PgConnection, symbol: &str, date: Date) -> Result<Option<Day>, StoreError> {
    let read = async {
        let row = sqlx::query(include_str!("../../../sql/queries/pnl_day.sql"))
            .bind(symbol)
            .bind(date.to_string())
            .fetch_optional(conn)
            .await?;
        row.as_ref().map(day_of).transpose()
    };
    read.await.map_err(|error: sqlx::Error| StoreError::of("read a day", error))
}

/// A row of `pnl_day`.
pub(super) fn day_of(row: &sqlx::postgres::PgRow) -> Result<Day, sqlx::Error> {
    Ok(Day {
        trades: super::small(row.try_get("trades")?),
        bought: (row.try_get("bought_quantity")?, row.try_get("bought_cash")?),
        sold: (row.try_get("sold_quantity")?, row.try_get("sold_cash")?),
        realized: [
            row.try_get("onchain_netting")?,
            row.try_get("counter_trade")?,
            row.try_get("directional")?,
        ],
        attributed: row.try_get("attributed")?,
        spread: Spread {
            edge: row.try_get("edge")?,
            drift: row.try_get("drift")?,
            slippage: row.try_get("slippage")?,
        },
        unattributed: super::small(row.try_get("unattributed")?),
        fees: row.try_get("fees")?,
        net_after: row.try_get("net_after")?,
        closing_net: row.try_get("closing_net")?,
        closing_book: row.try_get("closing_book")?,
    })
}

/// Forgets what is derived of a share from this time on: matches, days, snapshots, and its open lots.
async fn forget(conn: &mut PgConnection, symbol: &str, since: i64) -> Result<(), StoreError> {
    let date = NewYorkDay::of(since).date;
    let at = At(Timestamp::from_microsecond(since).unwrap_or(Timestamp::UNIX_EPOCH));
    let write = async {
        sqlx::query(include_str!("../../../sql/queries/pnl_forget_matches.sql"))
            .bind(symbol)
            .bind(at)
            .execute(&mut *conn)
            .await?;
        sqlx::query(include_str!("../../../sql/queries/pnl_forget_days.sql"))
            .bind(symbol)
            .bind(date.to_string())
            .execute(&mut *conn)
            .await?;
        sqlx::query(include_str!("../../../sql/queries/pnl_forget_snapshots.sql"))
            .bind(symbol)
            .bind(at)
            .execute(&mut *conn)
            .await?;
        sqlx::query(include_str!("../../../sql/queries/pnl_forget_lots.sql"))
            .bind(symbol)
            .execute(&mut *conn)
            .await
    };
    write.await.map_err(|error| StoreError::of("forget what is counted again", error))?;
    Ok(())
}

/// A run on record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// From the beginning, or only what changed.
    pub rebuilt: bool,
    /// Published, or refused because two counts differ.
    pub published: bool,
    /// Shares that were counted.
    pub shares: u64,
    /// Trades that were counted.
    pub trades: u64,
    /// Rows that are new.
    pub added: u64,
    /// Rows that read otherwise now.
    pub restated: u64,
    /// Rows of trades that never happened.
    pub withdrawn: u64,
    /// In a sentence.
    pub said: String,
}

/// The number of the next run: what it writes carries it before it is on record.
pub async fn next_run(conn: &mut PgConnection) -> Result<i64, StoreError> {
    sqlx::query_scalar("select nextval(pg_get_serial_sequence('pnl_run', 'id'))")
        .fetch_one(conn)
        .await
        .map_err(|error| StoreError::of("number a run", error))
}

/// Puts a run on record.
pub async fn record(
    conn: &mut PgConnection,
    id: i64,
    at: Timestamp,
    run: &Counted,
) -> Result<(), StoreError> {
    let counts = [run.shares, run.trades, run.added, run.restated, run.withdrawn].map(super::big);
    let mut query = sqlx::query(include_str!("../../../sql/queries/pnl_run_write.sql"))
        .bind(id)
        .bind(if run.rebuilt { "rebuild" } else { "change" })
        .bind(if run.published { "published" } else { "inconsistent" })
        .bind(At(at))
        .bind(&run.said);
    for count in counts {
        query = query.bind(count);
    }
    query.execute(conn).await.map_err(|error| StoreError::of("put a run on record", error))?;
    Ok(())
}

/// A name to each share of a count, and back.
#[derive(Debug, Default)]
pub struct Names {
    names: Vec<String>,
    places: BTreeMap<String, Symbol>,
}

impl Names {
    /// The place of a name.
    pub fn place(&mut self, name: &str) -> Symbol {
        if let Some(known) = self.places.get(name) {
            return *known;
        }
        let symbol = Symbol(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(name.to_owned());
        self.places.insert(name.to_owned(), symbol);
        symbol
    }

    /// The name at a place.
    pub fn name(&self, symbol: Symbol) -> &str {
        let place = usize::try_from(symbol.0).unwrap_or(usize::MAX);
        self.names.get(place).map_or("", String::as_str)
    }
}

impl Change {
    /// As it changes lots.
    pub fn action(&self, names: &mut Names) -> Option<Action> {
        match (self.ratio, &self.to) {
            (Some((new, old)), _) => Some(Action::Split { new, old }),
            (None, Some(to)) => Some(Action::Rename { to: names.place(to) }),
            (None, None) => None,
        }
    }
}
