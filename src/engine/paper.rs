//! The paper venue's orders in the database, and its prices: those of the last fills on chain.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::PgPool;

use crate::{
    store::paper::{self, Kept},
    units::Price,
    venue::{
        Cause,
        paper::{Fate, Keeper, PaperOrder, Prices},
    },
};

/// What is kept and known of the paper venue.
#[derive(Clone, Debug)]
pub struct Books(pub PgPool);

#[async_trait]
impl Keeper for Books {
    async fn keep(&self, venue: &str, order: &PaperOrder) -> Result<PaperOrder, Cause> {
        let mut conn = self.0.acquire().await?;
        let kept = Kept {
            ticket: order.ticket.clone(),
            taken_at: order.taken_at,
            fate: order.fate.word().to_owned(),
            filled: filled(order.fate),
        };
        paper::keep(&mut conn, venue, &kept).await?;
        let found = paper::find(&mut conn, venue, Some(&order.ticket.client_id)).await?;
        found.into_iter().next().map(order_of).ok_or_else(|| "an order on paper is gone".into())
    }

    async fn find(&self, venue: &str, client_id: &str) -> Result<Option<PaperOrder>, Cause> {
        let mut conn = self.0.acquire().await?;
        let found = paper::find(&mut conn, venue, Some(client_id)).await?;
        Ok(found.into_iter().next().map(order_of))
    }

    async fn settle(&self, venue: &str, client_id: &str, fate: Fate) -> Result<(), Cause> {
        let mut conn = self.0.acquire().await?;
        Ok(paper::settle(&mut conn, venue, client_id, fate.word(), filled(fate)).await?)
    }

    async fn all(&self, venue: &str) -> Result<Vec<PaperOrder>, Cause> {
        let mut conn = self.0.acquire().await?;
        Ok(paper::find(&mut conn, venue, None).await?.into_iter().map(order_of).collect())
    }
}

#[async_trait]
impl Prices for Books {
    async fn of(&self, symbol: &str) -> Result<Option<(Price, Timestamp)>, Cause> {
        let mut conn = self.0.acquire().await?;
        Ok(paper::price(&mut conn, symbol).await?)
    }
}

const fn filled(fate: Fate) -> Option<(Price, Timestamp)> {
    match fate {
        Fate::Filled { at, when } => Some((at, when)),
        Fate::Resting | Fate::Canceled | Fate::Expired => None,
    }
}

fn order_of(kept: Kept) -> PaperOrder {
    let fate = match (kept.filled, kept.fate.as_str()) {
        (Some((at, when)), _) => Fate::Filled { at, when },
        (None, "canceled") => Fate::Canceled,
        (None, "expired") => Fate::Expired,
        (None, _) => Fate::Resting,
    };
    PaperOrder { ticket: kept.ticket, taken_at: kept.taken_at, fate }
}
