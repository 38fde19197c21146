//! `hedge why`: what an exposure is made of, what is being done about it, and why not more.

use std::fmt::Write as _;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::{Desk, Exit, Out};
use crate::{
    book::fill::Side,
    store::{Db, StoreError, exposure, halts, lease, types::At},
    time::Clock,
    units::{Price, Shares, Usd},
};

const EXAMPLES: &str = "\
Examples:
  hedge why AAPL";

/// Parts that are shown at most.
const PARTS: usize = 12;

/// Explains an exposure: the fills that make it up, the orders on their way, and what is next.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The ticker.
    symbol: String,
}

/// Runs the command.
///
/// # Errors
///
/// The database.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let db = Db::open(&desk.store()?).await?;
    db.migrate().await?;
    let mut conn = db.pool().acquire().await.context("could not open a connection")?;
    let told = why(&mut conn, &args.symbol, Clock::Wall.now()).await?;
    drop(conn);
    db.close().await;
    write!(out, "{told}")?;
    Ok(Exit::Done)
}

/// The whole explanation, as of now.
///
/// # Errors
///
/// The database.
pub async fn why(conn: &mut PgConnection, symbol: &str, now: Timestamp) -> Result<String, StoreError> {
    let mut told = Told { text: String::new(), now };
    let failed = |error: sqlx::Error| StoreError::of("read what is known of a share", error);
    let position = sqlx::query(include_str!("../../sql/queries/why_position.sql"))
        .bind(symbol)
        .fetch_optional(&mut *conn)
        .await
        .map_err(failed)?;
    let exposure = if let Some(row) = &position {
        told.position(symbol, row).map_err(failed)?;
        row.try_get("exposure").map_err(failed)?
    } else {
        told.line(&format!("{symbol}: nothing is known of it"));
        Shares::ZERO
    };
    let unreleased = sqlx::query(include_str!("../../sql/queries/why_unreleased.sql"))
        .bind(symbol)
        .fetch_one(&mut *conn)
        .await
        .map_err(failed)?;
    told.unreleased(&unreleased).map_err(failed)?;
    if exposure != Shares::ZERO {
        let side = if exposure < Shares::ZERO { Side::Sell } else { Side::Buy };
        let parts = sqlx::query(include_str!("../../sql/queries/why_parts.sql"))
            .bind(symbol)
            .bind(side.word())
            .bind(exposure.abs())
            .fetch_all(&mut *conn)
            .await
            .map_err(failed)?;
        told.parts(&parts, exposure).map_err(failed)?;
    }
    let orders = sqlx::query(include_str!("../../sql/queries/why_orders.sql"))
        .bind(symbol)
        .fetch_all(&mut *conn)
        .await
        .map_err(failed)?;
    told.orders(&orders).map_err(failed)?;
    told.next(conn, symbol, exposure, position.as_ref()).await?;
    Ok(told.text)
}

/// What is told, line by line.
struct Told {
    text: String,
    now: Timestamp,
}

impl Told {
    fn line(&mut self, line: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{line}");
    }

    /// How long ago that is, in the two largest units.
    fn ago(&self, at: Timestamp) -> String {
        age(self.now.duration_since(at))
    }

    fn position(&mut self, symbol: &str, row: &PgRow) -> Result<(), sqlx::Error> {
        let shares = |column| row.try_get::<Shares, _>(column);
        let price: Option<Price> = row.try_get("last_fill_price")?;
        let at: Option<At> = row.try_get("last_fill_at")?;
        let worth: Option<Usd> = row.try_get("exposure_usd")?;
        let worth = match (worth, price, at) {
            (Some(worth), Some(price), Some(At(at))) => {
                format!(" ({worth} USD at {}, the fill of {})", price.dollars().cut(6), self.ago(at))
            }
            _ => String::new(),
        };
        self.line(&format!("{symbol}: {} exposed{worth}", shares("exposure")?));
        self.line(&format!(
            "  = {} on chain, {} hedged, {} stated, {} in flight",
            shares("onchain")?,
            shares("hedged")?,
            shares("stated")?,
            shares("in_flight")?
        ));
        Ok(())
    }

    fn unreleased(&mut self, row: &PgRow) -> Result<(), sqlx::Error> {
        let (fills, quantity): (i64, Shares) = (row.try_get("fills")?, row.try_get("quantity")?);
        if fills > 0 {
            self.line(&format!(
                "  besides, {fills} fills of {quantity} together do not count yet: they are not deep enough, or not believed"
            ));
        }
        Ok(())
    }

    fn parts(&mut self, rows: &[PgRow], exposure: Shares) -> Result<(), sqlx::Error> {
        self.line("\nIt is made of, oldest first:");
        let mut sum = Shares::ZERO;
        for (place, row) in rows.iter().enumerate() {
            let quantity: Shares = row.try_get("quantity")?;
            sum = sum.plus(quantity).unwrap_or(sum);
            if place >= PARTS {
                continue;
            }
            let at: At = row.try_get("at")?;
            let ago = self.ago(at.0);
            let line = match row.try_get::<&str, _>("what")? {
                "fill" => {
                    let of: Shares = row.try_get("of")?;
                    let part =
                        if of == quantity { quantity.to_string() } else { format!("{quantity} of {of}") };
                    let price: Option<Price> = row.try_get("price")?;
                    let price = price.map_or_else(String::new, |price| format!(" at {price}"));
                    format!(
                        "  {ago:>9}  {} {part}{price} on chain, block {}, log {} of {}",
                        row.try_get::<&str, _>("side")?,
                        row.try_get::<i64, _>("block_number")?,
                        row.try_get::<i32, _>("log_index")?,
                        row.try_get::<&str, _>("tx_hash")?
                    )
                }
                "execution" => format!(
                    "  {ago:>9}  {quantity} of our own order #{}, whose reason is gone: execution {}",
                    row.try_get::<i64, _>("order_id")?,
                    row.try_get::<&str, _>("execution_id")?
                ),
                _ => format!("  {ago:>9}  {quantity} stated by a person"),
            };
            self.line(&line);
        }
        if rows.len() > PARTS {
            self.line(&format!("  and {} more", rows.len() - PARTS));
        }
        if let Some(rest) = exposure.abs().minus(sum).filter(|rest| *rest > Shares::ZERO) {
            self.line(&format!(
                "  {rest} that no fill explains: a trade that was taken back, or orders on their way"
            ));
        }
        Ok(())
    }

    fn orders(&mut self, rows: &[PgRow]) -> Result<(), sqlx::Error> {
        if rows.is_empty() {
            self.line("\nNo order was ever sent for it.");
            return Ok(());
        }
        self.line("\nOrders:");
        for row in rows {
            let since: At = row.try_get("since")?;
            let (state, why): (&str, Option<&str>) = (row.try_get("state")?, row.try_get("why")?);
            let filled: Shares = row.try_get("filled")?;
            let price: Option<Price> = row.try_get("average_price")?;
            let price = price.map_or_else(String::new, |price| format!(" at {}", price.dollars().cut(6)));
            let manual =
                if row.try_get::<&str, _>("purpose")? == "manual" { ", asked for by a person" } else { "" };
            self.line(&format!(
                "  {:>9}  #{} {} {}: {}, {filled} filled{price}{manual}",
                self.ago(since.0),
                row.try_get::<i64, _>("order_id")?,
                row.try_get::<&str, _>("side")?,
                row.try_get::<Shares, _>("quantity")?,
                why.unwrap_or(state),
            ));
        }
        Ok(())
    }

    async fn next(
        &mut self,
        conn: &mut PgConnection,
        symbol: &str,
        exposure: Shares,
        position: Option<&PgRow>,
    ) -> Result<(), StoreError> {
        let failed = |error: sqlx::Error| StoreError::of("read why nothing is done", error);
        let mut next = Vec::new();
        for halt in halts::halts(conn).await? {
            if halt.symbol.as_deref().is_none_or(|halted| halted == symbol) {
                let what = halt.symbol.as_deref().unwrap_or("everything");
                next.push(format!(
                    "{what} is halted since {} by {}: {}",
                    self.ago(halt.since),
                    halt.author,
                    halt.reason
                ));
            }
        }
        if exposure_is_live(conn).await? {
            match lease::holder(conn).await? {
                Some(holder) if holder.held => {}
                Some(holder) => next.push(format!(
                    "nobody hedges: {} let go {}; start `hedge run`",
                    holder.name,
                    self.ago(holder.expires_at)
                )),
                None => next.push("nobody hedges yet; start `hedge run`".to_owned()),
            }
        } else {
            next.push("hedging has not begun: `hedge go-live` begins it".to_owned());
        }
        if let Some(row) = position {
            let (hold, detail): (Option<&str>, Option<&str>) =
                (row.try_get("hold").map_err(failed)?, row.try_get("hold_detail").map_err(failed)?);
            let since: Option<At> = row.try_get("hold_since").map_err(failed)?;
            if let (Some(hold), Some(detail), Some(At(since))) = (hold, detail, since) {
                next.push(format!("{hold}, since {}: {detail}", self.ago(since)));
            } else if exposure == Shares::ZERO {
                next.push("nothing is to be done".to_owned());
            }
        }
        self.line("\nWhat is next:");
        for line in next {
            self.line(&format!("  {line}"));
        }
        Ok(())
    }
}

async fn exposure_is_live(conn: &mut PgConnection) -> Result<bool, StoreError> {
    Ok(!exposure::live_sources(conn).await?.is_empty())
}

/// An age as people say it: the largest unit, and the next where that helps.
fn age(age: SignedDuration) -> String {
    let seconds = age.as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s ago"),
        (0, 0, _) => format!("{minutes} min ago"),
        (0, _, _) => format!("{hours} h {minutes} m ago"),
        _ => format!("{days} d {hours} h ago"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_said_in_the_unit_that_matters() {
        let said = |seconds| age(SignedDuration::from_secs(seconds));
        assert_eq!(
            [said(-3), said(59), said(60), said(3_661), said(90_000)].join("; "),
            "0 s ago; 59 s ago; 1 min ago; 1 h 1 m ago; 1 d 1 h ago"
        );
    }
}
