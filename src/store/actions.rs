//! What companies do to their shares, and what that does to what is exposed.
//!
//! An action is written once and never edited: one that is called off is withdrawn. A split
//! or a new ticker changes stated exposure by corrections that bear its id; [`correct`] makes
//! their sum what it should be, whatever became known late, and does nothing where it is.

use jiff::{Timestamp, civil::Date};
use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::{StoreError, clean, exposure::Act, types::At};
use crate::{
    book::action::{Change, CorporateAction},
    units::{Amount, Exact, Price, Shares},
};

/// An action on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its number, in the order of writing.
    pub number: i64,
    /// What it is; its id is the one on record.
    pub action: CorporateAction,
    /// Who told of it: a venue's name, or hand.
    pub source: String,
    /// It was called off.
    pub withdrawn: bool,
}

/// The word used in columns.
pub const fn kind(change: &Change) -> &'static str {
    match change {
        Change::Split { .. } => "split",
        Change::Rename { .. } => "rename",
        Change::Dividend { .. } => "dividend",
    }
}

/// Writes an action down; false where one of its id, or the same of another source, stands already.
///
/// `act`: who says so, where a person does.
pub async fn keep(
    conn: &mut PgConnection,
    action: &CorporateAction,
    source: &str,
    act: Option<Act<'_>>,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let (mut new, mut old, mut to, mut cash) = (None, None, None, None);
    match &action.change {
        Change::Split { new: more, old: less } => (new, old) = (Some(*more), Some(*less)),
        Change::Rename { to: symbol } => to = Some(symbol.clone()),
        Change::Dividend { per_share } => cash = Some(*per_share),
    }
    let date = |date: Option<Date>| date.map(|date| date.to_string());
    let row = sqlx::query(include_str!("../../sql/queries/action_write.sql"))
        .bind(&action.id)
        .bind(kind(&action.change))
        .bind(&action.symbol)
        .bind(action.ex_date.to_string())
        .bind(At(action.effective_at))
        .bind(date(action.record_date))
        .bind(date(action.payable_date))
        .bind(new)
        .bind(old)
        .bind(to)
        .bind(cash)
        .bind(source)
        .bind(act.map(|act| act.author))
        .bind(act.map(|act| act.reason))
        .bind(clean(&action.said))
        .bind(At(at))
        .fetch_optional(conn)
        .await
        .map_err(|error| StoreError::of("write down a corporate action", error))?;
    Ok(row.is_some())
}

/// The actions with an ex-date from one day to another, the earlier first, withdrawn ones too.
pub async fn known(conn: &mut PgConnection, from: Date, to: Date) -> Result<Vec<Kept>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/action_read.sql"));
        let rows = query.bind(from.to_string()).bind(to.to_string()).fetch_all(conn).await?;
        rows.iter().map(kept).collect::<Result<Vec<_>, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read corporate actions", error))
}

fn kept(row: &PgRow) -> Result<Kept, sqlx::Error> {
    let date = |name: &str| -> Result<Option<Date>, sqlx::Error> {
        let text: Option<&str> = row.try_get(name)?;
        text.map(str::parse).transpose().map_err(|error| sqlx::Error::Decode(Box::new(error)))
    };
    let change = match row.try_get("kind")? {
        "split" => Change::Split { new: row.try_get("ratio_new")?, old: row.try_get("ratio_old")? },
        "rename" => Change::Rename { to: row.try_get("to_symbol")? },
        _ => Change::Dividend { per_share: row.try_get::<Price, _>("cash_per_share")? },
    };
    Ok(Kept {
        number: row.try_get("id")?,
        action: CorporateAction {
            id: row.try_get("action_id")?,
            symbol: row.try_get("symbol")?,
            change,
            ex_date: date("ex_date")?.ok_or_else(|| sqlx::Error::Decode("an action has its day".into()))?,
            effective_at: row.try_get::<At, _>("effective_at")?.0,
            record_date: date("record_date")?,
            payable_date: date("payable_date")?,
            said: row.try_get("said")?,
        },
        source: row.try_get("source")?,
        withdrawn: row.try_get("withdrawn")?,
    })
}

/// An action is called off; false where none of this id stands.
pub async fn withdraw(
    conn: &mut PgConnection,
    id: &str,
    why: &str,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let row = sqlx::query(include_str!("../../sql/queries/action_withdraw.sql"))
        .bind(id)
        .bind(At(at))
        .bind(why)
        .fetch_optional(conn)
        .await
        .map_err(|error| StoreError::of("withdraw a corporate action", error))?;
    Ok(row.is_some())
}

/// Shares that anything is held of, or was.
pub async fn symbols(conn: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    sqlx::query_scalar(include_str!("../../sql/queries/action_symbols.sql"))
        .fetch_all(conn)
        .await
        .map_err(|error| StoreError::of("read which shares are held", error))
}

/// A correction that a corporate action made necessary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corrected {
    /// The share.
    pub symbol: String,
    /// Added to what is exposed of it.
    pub quantity: Shares,
    /// The action's id.
    pub action: String,
}

/// Makes stated exposure what these actions, in their order, make of it; what was so already stays.
///
/// A split turns what was held as it became effective into new shares, a new ticker moves it
/// there; a withdrawn one does nothing, and what it did is undone.
///
/// # Errors
/// The database; or a position that no grid holds, and nothing of that action is written.
pub async fn correct(conn: &mut PgConnection, actions: &[Kept]) -> Result<Vec<Corrected>, StoreError> {
    let mut all = Vec::new();
    for kept in actions {
        let action = &kept.action;
        match &action.change {
            Change::Dividend { .. } => {}
            Change::Split { new, old } => {
                let (held, corrected) = position(conn, &action.symbol, kept).await?;
                let after = if kept.withdrawn { Some(held) } else { scaled(held, *new, *old) };
                let wanted = after.and_then(|after| after.minus(held)).ok_or_else(|| beyond(action))?;
                all.extend(append(conn, kept, &action.symbol, wanted, corrected).await?);
            }
            Change::Rename { to } => {
                let (held, corrected) = position(conn, &action.symbol, kept).await?;
                let (_, there) = position(conn, to, kept).await?;
                let held = if kept.withdrawn { Shares::ZERO } else { held };
                all.extend(append(conn, kept, &action.symbol, held.negated(), corrected).await?);
                all.extend(append(conn, kept, to, held, there).await?);
            }
        }
    }
    Ok(all)
}

/// `held × new / old`, half to even on the grid.
fn scaled(held: Shares, new: Amount, old: Amount) -> Option<Shares> {
    let exact = Exact::from(held.0.abs().times(new)?).per(&Exact::from(old))?.cut(18)?;
    Some(Shares(if held.0.is_negative() { exact.negated() } else { exact }))
}

fn beyond(action: &CorporateAction) -> StoreError {
    StoreError::Stop {
        what: format!("{} makes a position of {} that the books cannot hold", action.id, action.symbol),
        next: "look at the ratio; withdraw the action with `hedge action withdraw` where it is wrong"
            .to_owned(),
        source: None,
    }
}

/// What was held of a share as an action became effective, and what was corrected for it so far.
async fn position(
    conn: &mut PgConnection,
    symbol: &str,
    kept: &Kept,
) -> Result<(Shares, Shares), StoreError> {
    let read = async {
        let row = sqlx::query(include_str!("../../sql/queries/action_position.sql"))
            .bind(symbol)
            .bind(At(kept.action.effective_at))
            .bind(kept.number)
            .fetch_one(conn)
            .await?;
        Ok((row.try_get("held")?, row.try_get("corrected")?))
    };
    read.await.map_err(|error: sqlx::Error| StoreError::of("read what an action is of", error))
}

async fn append(
    conn: &mut PgConnection,
    kept: &Kept,
    symbol: &str,
    wanted: Shares,
    corrected: Shares,
) -> Result<Option<Corrected>, StoreError> {
    let action = &kept.action;
    let quantity = wanted.minus(corrected).ok_or_else(|| beyond(action))?;
    if quantity == Shares::ZERO {
        return Ok(None);
    }
    let what = match &action.change {
        Change::Split { new, old } => format!("split {new} for {old}"),
        Change::Rename { to } => format!("renamed to {to}"),
        Change::Dividend { .. } => "dividend".to_owned(),
    };
    let undone = if kept.withdrawn { ", withdrawn" } else { "" };
    sqlx::query(include_str!("../../sql/queries/action_correct.sql"))
        .bind(symbol)
        .bind(quantity)
        .bind(format!("{what} on {}{undone} ({})", action.ex_date, action.id))
        .bind("hedge")
        .bind(At(action.effective_at))
        .bind(&action.id)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("write a correction", error))?;
    Ok(Some(Corrected { symbol: symbol.to_owned(), quantity, action: action.id.clone() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_is_split_like_what_is_long() {
        let shares = |text: &str| Shares(text.parse().unwrap());
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        for (held, new, old, after) in [
            ("-0.4", "4", "1", "-1.6"),
            ("10", "1", "3", "3.333333333333333333"),
            ("-10", "1", "3", "-3.333333333333333333"),
            ("0", "7", "2", "0"),
        ] {
            assert_eq!(scaled(shares(held), amount(new), amount(old)), Some(shares(after)), "{held}");
        }
    }
}
