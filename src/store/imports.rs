//! What was taken over from the earlier system: written once, apart from our own facts.
//!
//! A file that was imported is known by its digest; what another one brought already is left as
//! it is, and what differs from it is given back. Only the opening positions count in our books.

use jiff::Timestamp;
use sqlx::{PgConnection, Postgres, Row as _, Transaction, postgres::PgArguments, query::Query};

use super::{StoreError, big, cursors::SourceId, exposure::Act, small, types::At};
use crate::{
    book::earlier::{Hedge, Link, Misfit, Profit, Trade},
    units::{Price, Shares, Usd},
};

/// Rows written by one statement.
const BATCH: usize = 10_000;

/// The number of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportId(i32);

/// What all imports so far come to in a share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Net {
    /// The ticker.
    pub symbol: String,
    /// Onchain trades.
    pub trades: u64,
    /// Executions that were filled.
    pub executions: u64,
    /// Both summed: long is positive.
    pub net: Shares,
    /// What earlier imports stated of it as opening position.
    pub stated: Shares,
}

/// How many of the imported trades our own books of the chain have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct OnChain {
    /// Imported trades.
    pub trades: u64,
    /// Those whose log is in our books.
    pub indexed: u64,
    /// Those of them of which our books say another share, side or quantity.
    pub otherwise: u64,
    /// The newest block of any of them.
    pub last_block: Option<u64>,
}

/// Keeps other imports, and the beginning of hedging, out until the transaction ends.
pub async fn lock(tx: &mut Transaction<'_, Postgres>) -> Result<(), StoreError> {
    let lock = sqlx::query(include_str!("../../sql/queries/import_lock.sql"));
    lock.execute(&mut **tx).await.map_err(|error| StoreError::of("wait for another import", error))?;
    Ok(())
}

/// Who imported a file of this digest, and when.
pub async fn known(
    conn: &mut PgConnection,
    digest: [u8; 32],
) -> Result<Option<(String, Timestamp)>, StoreError> {
    let query = sqlx::query(include_str!("../../sql/queries/import_known.sql")).bind(digest.to_vec());
    let row = query.fetch_optional(conn).await;
    row.and_then(|row| {
        row.map(|row| Ok((row.try_get("author")?, row.try_get::<At, _>("imported_at")?.0))).transpose()
    })
    .map_err(|error| StoreError::of("look for an import", error))
}

/// Begins an import.
pub async fn begin(
    conn: &mut PgConnection,
    digest: [u8; 32],
    file: &str,
    act: Act<'_>,
) -> Result<ImportId, StoreError> {
    sqlx::query(include_str!("../../sql/queries/import_write.sql"))
        .bind(digest.to_vec())
        .bind(file)
        .bind(act.author)
        .bind(At(act.at))
        .fetch_one(conn)
        .await
        .and_then(|row| row.try_get(0).map(ImportId))
        .map_err(|error| StoreError::of("begin an import", error))
}

fn list<'a, T, V>(of: &'a [T], each: impl Fn(&'a T) -> V) -> Vec<V> {
    of.iter().map(each).collect()
}

type Asked<'q> = Query<'q, Postgres, PgArguments>;

/// The ids that a statement gives back.
async fn ids(conn: &mut PgConnection, query: Asked<'_>) -> Result<Vec<i64>, StoreError> {
    let rows = query.fetch_all(conn).await;
    rows.and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect())
        .map_err(|error| StoreError::of("write what is imported", error))
}

/// Writes trades; gives the ids of those that were imported before with other content.
pub async fn trades(conn: &mut PgConnection, id: ImportId, trades: &[Trade]) -> Result<Vec<i64>, StoreError> {
    let mut differ = Vec::new();
    for some in trades.chunks(BATCH) {
        let query = sqlx::query(include_str!("../../sql/queries/import_trades.sql"))
            .bind(id.0)
            .bind(list(some, |trade| trade.tx.to_vec()))
            .bind(list(some, |trade| trade.log_index))
            .bind(list(some, |trade| trade.id))
            .bind(list(some, |trade| trade.token.as_str()))
            .bind(list(some, |trade| trade.symbol.as_str()))
            .bind(list(some, |trade| trade.side.word()))
            .bind(list(some, |trade| trade.quantity.0))
            .bind(list(some, |trade| trade.price.dollars()))
            .bind(list(some, |trade| trade.executed_at.map(At)));
        differ.extend(ids(conn, query).await?);
    }
    Ok(differ)
}

/// Writes executions; gives the ids of those that were imported before with other content.
pub async fn executions(
    conn: &mut PgConnection,
    id: ImportId,
    executions: &[Hedge],
) -> Result<Vec<i64>, StoreError> {
    let mut differ = Vec::new();
    for some in executions.chunks(BATCH) {
        let query = sqlx::query(include_str!("../../sql/queries/import_executions.sql"))
            .bind(id.0)
            .bind(list(some, |hedge| hedge.id))
            .bind(list(some, |hedge| hedge.symbol.as_str()))
            .bind(list(some, |hedge| hedge.side.word()))
            .bind(list(some, |hedge| hedge.quantity.0))
            .bind(list(some, |hedge| hedge.price.map(Price::dollars)))
            .bind(list(some, |hedge| if hedge.filled { "FILLED" } else { "FAILED" }))
            .bind(list(some, |hedge| hedge.broker.as_deref()))
            .bind(list(some, |hedge| hedge.order.as_deref()))
            .bind(list(some, |hedge| hedge.executed_at.map(At)));
        differ.extend(ids(conn, query).await?);
    }
    Ok(differ)
}

/// Writes which execution hedged which trade.
pub async fn links(conn: &mut PgConnection, id: ImportId, links: &[Link]) -> Result<(), StoreError> {
    for some in links.chunks(BATCH) {
        let query = sqlx::query(include_str!("../../sql/queries/import_links.sql"))
            .bind(id.0)
            .bind(list(some, |link| link.trade))
            .bind(list(some, |link| link.execution))
            .bind(list(some, |link| link.quantity.0));
        ids(conn, query).await?;
    }
    Ok(())
}

/// Writes the earlier system's own P&L.
pub async fn profits(conn: &mut PgConnection, id: ImportId, profits: &[Profit]) -> Result<(), StoreError> {
    for some in profits.chunks(BATCH) {
        let query = sqlx::query(include_str!("../../sql/queries/import_profits.sql"))
            .bind(id.0)
            .bind(list(some, |line| line.kind.as_str()))
            .bind(list(some, |line| line.trade))
            .bind(list(some, |line| line.symbol.as_str()))
            .bind(list(some, |line| line.side.word()))
            .bind(list(some, |line| line.quantity.0))
            .bind(list(some, |line| line.price.dollars()))
            .bind(list(some, |line| line.realized.map(|Usd(dollars)| dollars)))
            .bind(list(some, |line| line.cumulative.0))
            .bind(list(some, |line| line.net_after.0))
            .bind(list(some, |line| At(line.executed_at)));
        ids(conn, query).await?;
    }
    Ok(())
}

/// Writes what did not fit.
pub async fn misfits(conn: &mut PgConnection, id: ImportId, misfits: &[Misfit]) -> Result<(), StoreError> {
    let query = sqlx::query(include_str!("../../sql/queries/import_misfits.sql"))
        .bind(id.0)
        .bind(list(misfits, |misfit| super::clean(&misfit.table)))
        .bind(list(misfits, |misfit| misfit.row))
        .bind(list(misfits, |misfit| super::clean(&misfit.column)))
        .bind(list(misfits, |misfit| super::clean(&misfit.value)))
        .bind(list(misfits, |misfit| super::clean(&misfit.why)));
    ids(conn, query).await.map(|_| ())
}

/// What all imports so far come to, share by share.
pub async fn nets(conn: &mut PgConnection) -> Result<Vec<Net>, StoreError> {
    let rows = sqlx::query(include_str!("../../sql/queries/import_nets.sql")).fetch_all(conn).await;
    let net = |row: &sqlx::postgres::PgRow| {
        Ok(Net {
            symbol: row.try_get("symbol")?,
            trades: small(row.try_get("trades")?),
            executions: small(row.try_get("executions")?),
            net: row.try_get("net")?,
            stated: row.try_get("stated")?,
        })
    };
    rows.and_then(|rows| rows.iter().map(net).collect())
        .map_err(|error| StoreError::of("sum what is imported", error))
}

/// A share after an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The ticker.
    pub symbol: String,
    /// What all imports so far come to: long is positive.
    pub net: Shares,
    /// What the earlier system said it was.
    pub accumulator: Option<Shares>,
    /// What is stated of it with this import.
    pub stated: Shares,
    /// Why so much.
    pub said: String,
}

/// Writes down how a share stands, and what is stated of it.
pub async fn position(conn: &mut PgConnection, id: ImportId, position: &Position) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/import_positions.sql"))
        .bind(id.0)
        .bind(&position.symbol)
        .bind(position.net)
        .bind(position.accumulator)
        .bind(position.stated)
        .bind(&position.said)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("write what is open of a share", error))?;
    Ok(())
}

/// How many of the imported trades our own books of the chain have.
pub async fn on_chain(conn: &mut PgConnection) -> Result<OnChain, StoreError> {
    let row = sqlx::query(include_str!("../../sql/queries/import_on_chain.sql")).fetch_one(conn).await;
    row.and_then(|row| {
        Ok(OnChain {
            trades: small(row.try_get("trades")?),
            indexed: small(row.try_get("indexed")?),
            otherwise: small(row.try_get("otherwise")?),
            last_block: row.try_get::<Option<i64>, _>("last_block")?.map(small),
        })
    })
    .map_err(|error| StoreError::of("look for imported trades on chain", error))
}

/// How many imported trades lie at or after a block of a source: hedging from there would count them again.
pub async fn from_block(conn: &mut PgConnection, source: SourceId, block: u64) -> Result<u64, StoreError> {
    sqlx::query(include_str!("../../sql/queries/imported_from.sql"))
        .bind(source.0)
        .bind(big(block))
        .fetch_one(conn)
        .await
        .and_then(|row| row.try_get(0).map(small))
        .map_err(|error| StoreError::of("look for imported trades after a block", error))
}
