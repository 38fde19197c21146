//! Wrappers whose ratio changed between two reconciliations, and what is known of the time between.

use alloy::primitives::Address;
use jiff::Timestamp;
use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::{StoreError, big, small, types::At};
use crate::{
    book::accrual::Step,
    units::{Amount, Price},
};

/// A wrapper whose ratio is another one than at the cut before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risen {
    /// The source's name.
    pub source: String,
    /// The wrapper.
    pub token: Address,
    /// The ticker of what it wraps.
    pub symbol: String,
    /// Tokens that were held at the first cut.
    pub held: Amount,
    /// Underlying shares for one then, the block and its time.
    pub from: (Amount, u64, Timestamp),
    /// The same at the second cut.
    pub to: (Amount, u64, Timestamp),
    /// What a share was worth on the second cut's day, whose price that is, and of when; none: it has no mark.
    pub price: Option<(Price, String, Timestamp)>,
}

impl Risen {
    /// Under which it is booked once.
    pub fn flow(&self) -> String {
        format!("accrual/{}/{:#x}/{}-{}", self.source, self.token, self.from.1, self.to.1)
    }
}

/// Everything that is not booked, oldest first.
pub async fn due(conn: &mut PgConnection) -> Result<Vec<Risen>, StoreError> {
    let read = |row: &PgRow| {
        let price: Option<Price> = row.try_get("price")?;
        let source: Option<String> = row.try_get("price_source")?;
        let at: Option<At> = row.try_get("price_at")?;
        let token: &[u8] = row.try_get("token")?;
        let cut = |ratio, block, at| {
            let at: At = row.try_get(at)?;
            Ok::<_, sqlx::Error>((row.try_get(ratio)?, small(row.try_get(block)?), at.0))
        };
        Ok(Risen {
            source: row.try_get("source")?,
            token: Address::try_from(token).unwrap_or_default(),
            symbol: row.try_get("symbol")?,
            held: row.try_get("held")?,
            from: cut("from_ratio", "from_block", "since")?,
            to: cut("to_ratio", "to_block", "as_of")?,
            price: price.zip(source).zip(at).map(|((price, source), at)| (price, source, at.0)),
        })
    };
    let rows = sqlx::query(include_str!("../../sql/queries/accrual_due.sql")).fetch_all(conn).await;
    rows.and_then(|rows| rows.iter().map(read).collect())
        .map_err(|error| StoreError::of("read which wrappers accrued", error))
}

/// What came and went between the two cuts, in order, without the second cut itself.
pub async fn steps(conn: &mut PgConnection, risen: &Risen) -> Result<Vec<Step>, StoreError> {
    let rows = sqlx::query(include_str!("../../sql/queries/accrual_steps.sql"))
        .bind(&risen.source)
        .bind(risen.token.as_slice())
        .bind(big(risen.from.1))
        .bind(big(risen.to.1))
        .fetch_all(conn)
        .await;
    rows.and_then(|rows| {
        rows.iter()
            .map(|row| Ok(Step { moved: row.try_get("moved")?, ratio: row.try_get("ratio")? }))
            .collect()
    })
    .map_err(|error| StoreError::of("read what was held of a wrapper", error))
}

/// Splits that it may have passed on in that time: so many new shares for so many old ones.
pub async fn splits(conn: &mut PgConnection, risen: &Risen) -> Result<Vec<(Amount, Amount)>, StoreError> {
    let rows = sqlx::query(include_str!("../../sql/queries/accrual_splits.sql"))
        .bind(&risen.symbol)
        .bind(At(risen.from.2))
        .bind(At(risen.to.2))
        .fetch_all(conn)
        .await;
    rows.and_then(|rows| {
        rows.iter().map(|row| Ok((row.try_get("ratio_new")?, row.try_get("ratio_old")?))).collect()
    })
    .map_err(|error| StoreError::of("read splits", error))
}
