//! `hedge action`: what companies do to their shares, by hand.

use jiff::{
    civil::{Date, Time},
    tz::TimeZone,
};

use super::{Desk, Exit, Out, Trouble};
use crate::{
    book::action::{Change, CorporateAction},
    job::corporate_actions,
    store::{Db, actions, exposure::Act},
    time::{Clock, new_york_date},
    units::{Amount, Price},
};

const ADD: &str = "\
Examples:
  hedge action add NFLX --ex-date 2026-11-17 --split 10:1 --reason \"the company's notice\"
  hedge action add FB --ex-date 2026-06-09 --rename META --reason \"…\"
  hedge action add AAPL --ex-date 2026-11-09 --dividend 0.26 --reason \"…\"";
const WITHDRAW: &str = "\
Examples:
  hedge action withdraw hand/NFLX/2026-11-17/split --reason \"it was another date\"";
const EXAMPLES: &str = "\
Examples:
  hedge action add NFLX --ex-date 2026-11-17 --split 10:1 --reason \"the company's notice\"
  hedge action add FB --ex-date 2026-06-09 --rename META --reason \"…\"
  hedge action add AAPL --ex-date 2026-11-09 --dividend 0.26 --reason \"…\"
  hedge action withdraw hand/NFLX/2026-11-17/split --reason \"it was another date\"";

/// Writes down by hand what companies do to their shares; a split or a new ticker changes what is exposed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    act: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Add(Add),
    Withdraw(Withdraw),
}

/// Writes a split, a new ticker or a dividend down.
#[derive(Debug, clap::Args)]
#[command(after_help = ADD)]
struct Add {
    /// The ticker before it.
    symbol: String,
    /// The first day that trades are of the new kind, in New York.
    #[arg(long, value_name = "DATE")]
    ex_date: Date,
    #[command(flatten)]
    change: Given,
    /// Why; kept on record.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Given {
    /// So many new shares for so many old ones.
    #[arg(long, value_name = "NEW:OLD", value_parser = ratio)]
    split: Option<(Amount, Amount)>,
    /// The new ticker.
    #[arg(long, value_name = "SYMBOL")]
    rename: Option<String>,
    /// Dollars a share.
    #[arg(long, value_name = "DOLLARS", value_parser = dollars)]
    dividend: Option<Price>,
}

/// Withdraws one that was written down: what it did to exposure is undone.
#[derive(Debug, clap::Args)]
#[command(after_help = WITHDRAW)]
struct Withdraw {
    /// Its id, as it stands in the books.
    #[arg(value_name = "ACTION")]
    id: String,
    /// Why; kept on record.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
}

fn above_zero(text: &str) -> Result<Amount, String> {
    let amount: Amount = text.parse().map_err(|_| format!("`{text}` is not a decimal number"))?;
    if amount.is_zero() || amount.is_negative() {
        return Err(format!("`{text}` is not above zero"));
    }
    Ok(amount)
}

fn ratio(text: &str) -> Result<(Amount, Amount), String> {
    let (new, old) = text.split_once(':').ok_or("write it like 4:1, new shares first")?;
    Ok((above_zero(new)?, above_zero(old)?))
}

fn dollars(text: &str) -> Result<Price, String> {
    above_zero(text).and_then(|amount| Price::of(amount).ok_or_else(|| "no price".to_owned()))
}

fn trouble(what: String, cause: &str, next: &str) -> Trouble {
    Trouble {
        what,
        cause: cause.to_owned(),
        state: "nothing was written".to_owned(),
        next: next.to_owned(),
        exit: Exit::Usage,
    }
}

/// Runs the command.
///
/// # Errors
///
/// The database; one of the kind stands already, or there is none of this id.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let db = Db::open(&desk.store()?).await?;
    db.migrate().await?;
    let (author, now) = (desk.author(), Clock::Wall.now());
    let mut tx = db.pool().begin().await?;
    let said = match args.act {
        What::Add(Add { symbol, ex_date, change, reason }) => {
            let change = match change {
                Given { split: Some((new, old)), .. } => Change::Split { new, old },
                Given { rename: Some(to), .. } => Change::Rename { to },
                Given { dividend, .. } => Change::Dividend { per_share: dividend.unwrap_or_default() },
            };
            let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
            let id = format!("hand/{symbol}/{ex_date}/{}", actions::kind(&change));
            let action = CorporateAction {
                // The same again, after one that was withdrawn, is another.
                id: format!("{id}/{}", now.as_second()),
                symbol,
                change,
                ex_date,
                effective_at: zone.to_timestamp(ex_date.to_datetime(Time::midnight()))?,
                record_date: None,
                payable_date: None,
                said: format!("by {author}: {reason}"),
            };
            let act = Act { author: &author, reason: &reason, at: now };
            if !actions::keep(&mut tx, &action, "hand", Some(act), now).await? {
                return Err(trouble(
                    format!("{} has such an action on {ex_date} already", action.symbol),
                    "what happens to a share once does not happen twice",
                    "withdraw the one that stands first, where it is wrong: `hedge action withdraw`",
                )
                .into());
            }
            format!("written down: {}", action.id)
        }
        What::Withdraw(Withdraw { id, reason }) => {
            let why = format!("{reason} ({author})");
            if !actions::withdraw(&mut tx, &id, &why, now).await? {
                return Err(trouble(
                    format!("no action {id} stands"),
                    "its id is unknown, or it was withdrawn before",
                    "take an id from reporting.corporate_action",
                )
                .into());
            }
            format!("withdrawn: {id}")
        }
    };
    let corrected = corporate_actions::apply(&mut tx, now, new_york_date(now)).await?;
    tx.commit().await?;
    db.close().await;
    writeln!(out, "{said}")?;
    for it in corrected {
        writeln!(out, "corrected: {} {} of what is exposed, by {}", it.quantity, it.symbol, it.action)?;
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_two_numbers_above_zero_the_new_one_first() {
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        assert_eq!(ratio("10:1"), Ok((amount("10"), amount("1"))));
        assert_eq!(ratio("1:2.5"), Ok((amount("1"), amount("2.5"))));
        for wrong in ["10", "0:1", "1:-1", "a:b", "1:2:3"] {
            assert!(ratio(wrong).is_err(), "{wrong}");
        }
    }
}
