//! Books what wrappers earned since the reconciliation before: income beside P&L, at the day's mark.
//!
//! What has no mark waits for one. A split that a wrapper passes on is no income.

use sqlx::PgPool;

use crate::{
    book::accrual::{Step, accrued},
    store::{
        StoreError,
        accruals::{self, Risen},
        activities::{self, CashFlow},
    },
    units::Amount,
};

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accrued {
    /// Accruals that were booked.
    pub booked: usize,
    /// Those that wait for a mark.
    pub unmarked: usize,
}

/// Books what is not booked yet.
///
/// # Errors
/// The database.
pub async fn run(pool: &PgPool) -> Result<Accrued, StoreError> {
    let failed = |error| StoreError::of("book what wrappers earned", error);
    let mut tx = pool.begin().await.map_err(failed)?;
    let mut done = Accrued::default();
    for risen in accruals::due(&mut tx).await? {
        let mut steps = accruals::steps(&mut tx, &risen).await?;
        steps.push(Step { moved: Amount::ZERO, ratio: Some(risen.to.0) });
        let splits = accruals::splits(&mut tx, &risen).await?;
        let Some(shares) = accrued(risen.held, risen.from.0, &steps, &splits) else { continue };
        if shares.0.is_zero() {
            continue;
        }
        let Some((price, source, priced_at)) = &risen.price else {
            done.unmarked += 1;
            continue;
        };
        let Some(amount) = shares.at(*price).filter(|usd| !usd.0.is_zero()) else { continue };
        let Risen { held, from, to, symbol, .. } = &risen;
        let valuation = format!("{price} dollars a share, {source} of {priced_at}");
        let said = format!(
            "{shares} shares: {held} tokens worth {} each at block {}, {} at block {}",
            from.0, from.1, to.0, to.1
        );
        let flow = CashFlow {
            id: &risen.flow(),
            kind: "nav accrual",
            venue: None,
            symbol: Some(symbol),
            amount,
            at: to.2,
            tx: None,
            valuation: Some(&valuation),
            said: &said,
        };
        done.booked += usize::from(activities::book(&mut tx, &flow).await?);
    }
    tx.commit().await.map_err(failed)?;
    Ok(done)
}
