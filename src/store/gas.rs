//! What transactions of ours cost: which receipts are wanted, what they said, what of it is to be booked.

use alloy::primitives::{Address, B256};
use jiff::Timestamp;
use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::{StoreError, big, clean, cursors::SourceId, place, small, types::At};
use crate::{
    book::{gas::Gas, log::Place},
    units::{Amount, Usd},
};

/// A transaction whose receipt is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedReceipt {
    /// Which.
    pub tx: B256,
    /// Its block.
    pub block: Place,
    /// When that was.
    pub at: Timestamp,
}

/// What is to be booked of a transaction, or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// What it cost, and who paid.
    pub gas: Gas,
    /// Its block's height.
    pub block_number: u64,
    /// When that was.
    pub at: Timestamp,
    /// It is the chain's, and one of ours paid. If not, what is booked of it is taken back.
    pub stands: bool,
    /// What ETH was worth then, and when that was published; none: it is not known.
    pub ether: Option<(Amount, Timestamp)>,
    /// What is booked of it.
    pub booked: Usd,
    /// In how many rows.
    pub times: u64,
}

/// These addresses alone pay for transactions of ours on a chain.
pub async fn payers(conn: &mut PgConnection, chain: u64, payers: &[Address]) -> Result<(), StoreError> {
    let failed = |error| StoreError::of("write down who pays for transactions", error);
    let addresses: Vec<&[u8]> = payers.iter().map(|payer| payer.as_slice()).collect();
    for sql in [
        include_str!("../../sql/queries/gas_payers_forget.sql"),
        include_str!("../../sql/queries/gas_payers_write.sql"),
    ] {
        sqlx::query(sql).bind(big(chain)).bind(&addresses).execute(&mut *conn).await.map_err(failed)?;
    }
    Ok(())
}

fn hash(row: &PgRow, name: &str) -> Result<B256, sqlx::Error> {
    row.try_get::<&[u8], _>(name).map(|hash| B256::try_from(hash).unwrap_or_default())
}

/// Canonical transactions of a source whose receipts were not read, the newest first, from `before` on downward.
pub async fn wanted(
    conn: &mut PgConnection,
    source: SourceId,
    before: Option<WantedReceipt>,
    most: i64,
) -> Result<Vec<WantedReceipt>, StoreError> {
    let (number, tx) = before.map_or((i64::MAX, B256::repeat_byte(0xff)), |it| (big(it.block.number), it.tx));
    let read = |row: &PgRow| {
        Ok(WantedReceipt {
            tx: hash(row, "tx_hash")?,
            block: place(row.try_get("block_number")?, row.try_get("block_hash")?),
            at: row.try_get::<At, _>("block_time")?.0,
        })
    };
    let rows = sqlx::query(include_str!("../../sql/queries/gas_wanted.sql"))
        .bind(source.0)
        .bind(number)
        .bind(tx.as_slice())
        .bind(most)
        .fetch_all(conn)
        .await;
    rows.and_then(|rows| rows.iter().map(read).collect())
        .map_err(|error| StoreError::of("read which receipts are wanted", error))
}

/// Writes down what a receipt said; what is there already stays.
pub async fn keep(
    conn: &mut PgConnection,
    chain: u64,
    wanted: &WantedReceipt,
    gas: &Gas,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/gas_write.sql"))
        .bind(gas.tx.as_slice())
        .bind(gas.block.as_slice())
        .bind(big(chain))
        .bind(big(wanted.block.number))
        .bind(At(wanted.at))
        .bind(gas.payer.as_slice())
        .bind(big(gas.used))
        .bind(gas.price)
        .bind(gas.l1_fee)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("keep what a transaction cost", error))?;
    Ok(())
}

/// Blocks in which one of ours paid, of which it is not known what ETH was worth and which were not asked for
/// since; those that were asked for least come first.
pub async fn unpriced(
    conn: &mut PgConnection,
    chain: u64,
    feed: B256,
    since: Timestamp,
    most: i64,
) -> Result<Vec<Place>, StoreError> {
    let rows = sqlx::query(include_str!("../../sql/queries/gas_unpriced.sql"))
        .bind(big(chain))
        .bind(feed.as_slice())
        .bind(At(since))
        .bind(most)
        .fetch_all(conn)
        .await;
    rows.and_then(|rows| {
        rows.iter().map(|row| Ok(place(row.try_get("block_number")?, row.try_get("block_hash")?))).collect()
    })
    .map_err(|error| StoreError::of("read where the price of ETH is wanted", error))
}

/// Writes down what ETH was worth at the end of a block and when that was published, or why that is not known.
pub async fn price(
    conn: &mut PgConnection,
    chain: u64,
    (block, feed): (B256, B256),
    told: Result<(Amount, Timestamp), &str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/ether_price_write.sql"))
        .bind(big(chain))
        .bind(block.as_slice())
        .bind(feed.as_slice())
        .bind(told.ok().map(|(price, _)| price))
        .bind(told.ok().map(|(_, at)| At(at)))
        .bind(told.err().map(clean))
        .bind(At(now))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("keep a price of ETH", error))?;
    Ok(())
}

/// What is to be booked of a chain's transactions, or taken back, by a price feed of ETH.
pub async fn due(conn: &mut PgConnection, chain: u64, feed: Option<B256>) -> Result<Vec<Due>, StoreError> {
    let read = |row: &PgRow| {
        let payer: &[u8] = row.try_get("payer")?;
        let (price, at): (Option<Amount>, Option<At>) =
            (row.try_get("ether_price")?, row.try_get("published_at")?);
        Ok(Due {
            gas: Gas {
                tx: hash(row, "tx_hash")?,
                block: hash(row, "block_hash")?,
                payer: Address::try_from(payer).unwrap_or_default(),
                used: small(row.try_get("used")?),
                price: row.try_get("price")?,
                l1_fee: row.try_get("l1_fee")?,
            },
            block_number: small(row.try_get("block_number")?),
            at: row.try_get::<At, _>("block_time")?.0,
            stands: row.try_get("stands")?,
            ether: price.zip(at.map(|at| at.0)),
            booked: row.try_get("booked")?,
            times: small(row.try_get("times")?),
        })
    };
    let rows = sqlx::query(include_str!("../../sql/queries/gas_due.sql"))
        .bind(big(chain))
        .bind(feed.map(|feed| feed.to_vec()))
        .fetch_all(conn)
        .await;
    rows.and_then(|rows| rows.iter().map(read).collect())
        .map_err(|error| StoreError::of("read which costs are to be booked", error))
}
