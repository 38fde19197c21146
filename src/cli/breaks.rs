//! `hedge correct`, `hedge write-off`, `hedge transfer`: what a person does about a break.

use jiff::{SignedDuration, civil::Date};

use super::{Desk, Exit, Out, Trouble};
use crate::{
    job::reconcile::{
        acts::{self, ActError, Corrected},
        transfer::{self, End, Moved, Named},
    },
    store::{Db, StoreError, exposure::Act},
    time::{Clock, end_of_new_york_date},
    units::Amount,
};

const CORRECT: &str = r#"Examples:
  hedge correct 4 --reason "sold by hand on Tuesday"                all of it, with its dollars and evidence
  hedge correct 4 --quantity=-0.6 --reason "the broker's ticket 77"  a part of it"#;

const WRITE_OFF: &str = r#"Examples:
  hedge write-off 4 --reason "not worth another day""#;

const TRANSFER: &str = r#"Examples:
  hedge transfer 4 --id mint-3 --within 2h --reason "two AAPL to be minted"     break 4 is what left
  hedge transfer 5 --id mint-3 --reason "minted"                                break 5 is what came
  hedge transfer 5 --id wire-9 --lost --reason "the wire's fee"                 no more of it will come
  hedge transfer --log 8453:0x9c…:12 --instrument USDC --id bridge-77 --reason "to the broker"

Until its deadline what is under way is explained, TRANSFER_IN_FLIGHT; after it, it is TRANSFER_STUCK."#;

/// Names one end of a transfer between the chain and a broker, so that what is under way is no break.
///
/// An end is shown by the break that it leaves in an account, or by the log that took it out of a vault or put it
/// into one. Nothing is moved by it, and what is hedged is as it was.
#[derive(Debug, clap::Args)]
#[command(after_help = TRANSFER, group = clap::ArgGroup::new("end").required(true))]
pub struct Transfer {
    /// The break's id, as `hedge show breaks` prints it.
    #[arg(value_name = "BREAK", group = "end")]
    pub found: Option<i64>,
    /// Or a deposit or withdrawal of a vault of ours: chain, transaction, log index.
    #[arg(long, value_name = "CHAIN:TX:INDEX", group = "end")]
    pub log: Option<String>,
    /// Of what the log is, where no other end of the transfer says so: a ticker, or USDC.
    #[arg(long, requires = "log")]
    pub instrument: Option<String>,
    /// The transfer's own id, the same at both ends: of a mint, a redemption, a bridge, a wire.
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub id: String,
    /// How long it may take from now on; said with the first end.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    pub within: SignedDuration,
    /// What has not come with this end is lost: a fee, or a rounding.
    #[arg(long)]
    pub lost: bool,
    /// Why; kept on record.
    #[arg(long)]
    pub reason: String,
}

fn duration(text: &str) -> anyhow::Result<SignedDuration> {
    let duration: SignedDuration = text.parse()?;
    anyhow::ensure!(duration.is_positive(), "more than no time expected, such as 90m");
    Ok(duration)
}

/// Books a break: the next run expects what is there.
///
/// What we booked wrong of our own trades changes what is hedged as well; what came from outside does not.
#[derive(Debug, clap::Args)]
#[command(after_help = CORRECT)]
pub struct Correct {
    /// The break's id, as `hedge show breaks` prints it.
    #[arg(value_name = "BREAK")]
    pub id: i64,
    /// How much the account has more, signed; all of the break where it is left out.
    #[arg(long, allow_hyphen_values = true)]
    pub quantity: Option<Amount>,
    /// Whether what is hedged changes with it, where that is not as the break's class has it.
    #[arg(long, value_name = "BOOL")]
    pub exposure: Option<bool>,
    /// Why; kept on record.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub reason: String,
}

/// Takes a break into the books as it is, and closes it.
#[derive(Debug, clap::Args)]
#[command(after_help = WRITE_OFF)]
pub struct WriteOff {
    /// The break's id, as `hedge show breaks` prints it.
    #[arg(value_name = "BREAK")]
    pub id: i64,
    /// Why; kept on record.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub reason: String,
}

fn refused(error: ActError) -> anyhow::Error {
    match error {
        ActError::Store(error) => error.into(),
        ActError::NoEnd { ref end, ref why } => Trouble {
            what: format!("{end} is no end of that transfer"),
            cause: why.clone(),
            state: "nothing was written".to_owned(),
            next: "see what is under way, and what is not explained: hedge show breaks".to_owned(),
            exit: Exit::Usage,
        }
        .into(),
        ActError::NoSuch(_) | ActError::NotNow { .. } => Trouble {
            what: error.to_string(),
            cause: "it is not among the breaks that are open".to_owned(),
            state: "nothing was written".to_owned(),
            next: "take a number from `hedge show breaks`".to_owned(),
            exit: Exit::Usage,
        }
        .into(),
    }
}

/// Does something to a break, in a transaction of its own.
async fn act<T>(
    desk: &Desk,
    reason: &str,
    how: impl AsyncFnOnce(&mut sqlx::Transaction<'static, sqlx::Postgres>, Act<'_>) -> Result<T, ActError>,
) -> anyhow::Result<T> {
    let db = Db::open(&desk.store()?).await?;
    db.migrate().await?;
    let mut tx = db.pool().begin().await?;
    let author = desk.author();
    let done = how(&mut tx, Act { author: &author, reason, at: Clock::Wall.now() }).await.map_err(refused)?;
    tx.commit().await.map_err(|error| StoreError::of("commit what was done to a break", error))?;
    db.close().await;
    Ok(done)
}

/// Runs `hedge correct`.
///
/// # Errors
/// The database, or there is no such break.
pub async fn correct(args: Correct, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let Correct { id, quantity, exposure, reason } = args;
    let done =
        act(desk, &reason, async |tx, act| acts::correct(tx, id, quantity, exposure, act).await).await?;
    let Corrected { quantity, cash, leg, exposed } = done;
    let with = cash.map_or_else(String::new, |cash| format!(" and {cash} USD"));
    let hedged = if exposed { "what is hedged changed with it" } else { "what is hedged is as it was" };
    writeln!(out, "break {id}: {} has {quantity} {}{with} more; {hedged}", leg.account, leg.instrument)?;
    Ok(Exit::Done)
}

/// Runs `hedge transfer`.
///
/// # Errors
/// The database, or it is no end of that transfer.
pub async fn transfer(args: Transfer, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let Transfer { found, log, instrument, id, within, lost, reason } = args;
    let end = match (found, log) {
        (Some(found), _) => End::Break(found),
        (None, Some(id)) => End::Log { id, instrument },
        (None, None) => return Ok(Exit::Usage),
    };
    let said = end.to_string();
    let named = Named { end, transfer: id, within, lost };
    let done = act(desk, &reason, async |tx, act| transfer::transfer(tx, &named, act).await).await?;
    let Moved { quantity, leg, under_way, lost, deadline } = done;
    let (transfer, what) = (named.transfer, leg.instrument);
    let way = if under_way.is_zero() {
        "all of it has come".to_owned()
    } else {
        format!("{under_way} {what} are under way, until {deadline}")
    };
    let gone = if lost.is_zero() { String::new() } else { format!(", {lost} {what} are lost") };
    writeln!(out, "{said}: {quantity} {what} of {transfer}; {way}{gone}")?;
    Ok(Exit::Done)
}

/// Runs `hedge write-off`.
///
/// # Errors
/// As [`correct`].
pub async fn write_off(args: WriteOff, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let WriteOff { id, reason } = args;
    let done = act(desk, &reason, async |tx, act| acts::write_off(tx, id, act).await).await?;
    writeln!(
        out,
        "break {id} is written off: {} {} at {}",
        done.quantity, done.leg.instrument, done.leg.account
    )?;
    Ok(Exit::Done)
}

/// Runs `hedge accept --break`.
///
/// # Errors
/// As [`correct`].
pub(super) async fn acknowledge(
    id: i64,
    until: Date,
    reason: &str,
    desk: &Desk,
    out: &mut Out<'_>,
) -> anyhow::Result<Exit> {
    let last = end_of_new_york_date(until);
    act(desk, reason, async |tx, act| acts::acknowledge(tx, id, last, act).await).await?;
    writeln!(out, "break {id} is known, until the end of {until} in New York")?;
    Ok(Exit::Done)
}
