//! What was counted, written out as the tables take it by COPY, and put there in the caller's transaction.

use jiff::{Timestamp, civil::Date};
use sqlx::{PgConnection, Postgres, Transaction};

use super::kept::kept;
use crate::{
    book::{
        count::{Day, Row},
        fill::Side,
        pnl::{Book, Key, Match, Spread, TradeId},
    },
    store::{StoreError, copy::Rows, types::At},
    units::{Price, Usd},
};

/// How a version of a row ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Another one follows.
    Restated,
    /// Its trade never happened.
    Withdrawn,
}

/// Rows on their way into the tables, of one run.
#[derive(Debug)]
pub struct Sheet {
    run: i64,
    known_at: Timestamp,
    /// Shares of which is forgotten first what is derived from a time on.
    forgotten: Vec<(String, i64)>,
    closing: Rows,
    rows: Rows,
    matches: Rows,
    days: Rows,
    lots: Rows,
    snapshots: Rows,
}

impl Sheet {
    /// An empty one for a run, and as of when.
    pub fn new(run: i64, known_at: Timestamp) -> Self {
        let rows = Rows::default;
        Self {
            run,
            known_at,
            forgotten: Vec::new(),
            closing: rows(),
            rows: rows(),
            matches: rows(),
            days: rows(),
            lots: rows(),
            snapshots: rows(),
        }
    }

    /// The one that follows it, of the same run.
    #[must_use]
    pub fn next(&self) -> Self {
        Self::new(self.run, self.known_at)
    }

    /// How many bytes stand on it.
    pub fn size(&self) -> usize {
        let all = [&self.closing, &self.rows, &self.matches, &self.days, &self.lots, &self.snapshots];
        all.into_iter().map(Rows::len).sum()
    }

    /// What was derived of a share from this time on is gone before anything of the sheet is written.
    pub fn forget(&mut self, symbol: &str, since: i64) {
        self.forgotten.push((symbol.to_owned(), since));
    }

    /// A version is no longer what is known.
    pub fn close(&mut self, symbol: &str, key: Key, how: Ended) {
        let how = match how {
            Ended::Restated => "restated",
            Ended::Withdrawn => "withdrawn",
        };
        let id = key.id.to_string();
        self.closing.row(5).bytes(symbol).micros(key.at).bytes(key.kind.word()).bytes(id).bytes(how);
    }

    /// A version is what is known now. `cause` names the first changed trade of the share; none: it is new itself.
    pub fn open(&mut self, symbol: &str, Row { trade, figures, .. }: &Row, cause: Option<&str>) {
        let mut row = self.rows.row(21);
        row.bytes(symbol).micros(trade.key.at).bytes(trade.key.kind.word()).bytes(trade.key.id.to_string());
        match trade.key.id {
            TradeId::Execution { order, tie, .. } => row.bigint(order).bigint(tie),
            TradeId::Number(_) | TradeId::Log { .. } => row.maybe(None::<&[u8]>).maybe(None::<&[u8]>),
        };
        row.bytes(trade.side.word())
            .amount(trade.quantity.0)
            .amount(trade.price.dollars())
            .amount(trade.cash.0)
            .maybe_amount(figures.realized.map(|usd| usd.0))
            .amount(figures.cumulative.0)
            .amount(figures.net.0)
            .amount(figures.book_value.0)
            .amount(trade.fee.0)
            .amount(figures.fees.0)
            .maybe_amount(trade.oracle.map(Price::dollars))
            .maybe_amount(trade.reference.map(Price::dollars))
            .bytes(self.run.to_be_bytes())
            .micros(self.known_at.as_microsecond())
            .maybe(cause);
    }

    /// A match of a trade of this share.
    pub fn matched(&mut self, symbol: &str, met: &Match) {
        let spread = |part: fn(Spread) -> Usd| met.spread.map(|spread| part(spread).0);
        self.matches
            .row(15)
            .bytes(symbol)
            .micros(met.closing.at)
            .bytes(met.closing.kind.word())
            .bytes(met.closing.id.to_string())
            .micros(met.opening.at)
            .bytes(met.opening.kind.word())
            .bytes(met.opening.id.to_string())
            .amount(met.quantity.0)
            .amount(met.opening_cash.0)
            .amount(met.closing_cash.0)
            .amount(met.pnl.0)
            .bytes(met.bucket.word())
            .maybe_amount(spread(|spread| spread.edge))
            .maybe_amount(spread(|spread| spread.drift))
            .maybe_amount(spread(|spread| spread.slippage));
    }

    /// A day of a share.
    pub fn day(&mut self, symbol: &str, date: Date, day: &Day) {
        let epoch = Date::constant(1970, 1, 1);
        let days = date.since(epoch).map_or(0, |span| span.get_days());
        let mut row = self.days.row(19);
        row.bytes(symbol).date(days).bigint(day.trades);
        row.amount(day.bought.0.0).amount(day.bought.1.0).amount(day.sold.0.0).amount(day.sold.1.0);
        for realized in day.realized {
            row.amount(realized.0);
        }
        row.amount(day.attributed.0)
            .amount(day.spread.edge.0)
            .amount(day.spread.drift.0)
            .amount(day.spread.slippage.0)
            .bigint(day.unattributed)
            .amount(day.fees.0)
            .amount(day.net_after.0)
            .amount(day.closing_net.0)
            .amount(day.closing_book.0);
    }

    /// Where a share's books stood; where they stand now, if this is the last that is known.
    pub fn snapshot(&mut self, symbol: &str, until: i64, book: &Book, is_last: bool) {
        // A version number stands before json as bytes.
        let mut lots = vec![1];
        lots.extend_from_slice(kept(book).as_bytes());
        self.snapshots
            .row(6)
            .bytes(symbol)
            .micros(until)
            .flag(is_last)
            .amount(book.cumulative.0)
            .amount(book.fees.0)
            .bytes(lots);
        if !is_last {
            return;
        }
        let side = match book.queue.side() {
            Side::Buy => "LONG",
            Side::Sell => "SHORT",
        };
        for (position, lot) in book.queue.lots().enumerate() {
            self.lots
                .row(8)
                .bytes(symbol)
                .int(u64::try_from(position).unwrap_or(u64::MAX))
                .bytes(lot.tag.key.kind.word())
                .bytes(lot.tag.key.id.to_string())
                .micros(lot.tag.key.at)
                .bytes(side)
                .amount(lot.parcel.left().0)
                .amount(lot.parcel.cost().0);
        }
    }

    /// Puts it into the tables.
    ///
    /// # Errors
    ///
    /// As [`StoreError::of`].
    pub async fn put(self, tx: &mut Transaction<'_, Postgres>) -> Result<(), StoreError> {
        for (symbol, since) in &self.forgotten {
            super::forget(tx, symbol, *since).await?;
        }
        let write = async {
            if !self.closing.is_empty() {
                sqlx::raw_sql(include_str!("../../../sql/pnl_staging.sql")).execute(&mut **tx).await?;
                send(tx, "copy pnl_closing from stdin (format binary)", self.closing).await?;
                sqlx::query(include_str!("../../../sql/queries/pnl_close.sql"))
                    .bind(At(self.known_at))
                    .execute(&mut **tx)
                    .await?;
            }
            for (table, columns, rows) in [
                ("pnl_row", PNL_ROW, self.rows),
                ("pnl_match", "", self.matches),
                ("pnl_day", "", self.days),
                ("open_lot", "", self.lots),
                ("pnl_snapshot", "", self.snapshots),
            ] {
                if !rows.is_empty() {
                    send(tx, &format!("copy {table} {columns} from stdin (format binary)"), rows).await?;
                }
            }
            Ok(())
        };
        write.await.map_err(|error: sqlx::Error| StoreError::of("write P&L", error))
    }
}

/// What a version has before it ends.
const PNL_ROW: &str = "(symbol, executed_at, trade_type, trade_id, order_id, tie, side, quantity, price, cash, realized_pnl, \
                       cumulative_pnl, net_position_after, book_value_after, fee, cumulative_fees, oracle_price, \
                       reference_price, run, known_from, cause)";

async fn send(conn: &mut PgConnection, sql: &str, rows: Rows) -> Result<(), sqlx::Error> {
    let mut copy = conn.copy_in_raw(sql).await?;
    copy.send(rows.finish()).await?;
    copy.finish().await?;
    Ok(())
}
