//! `hedge alert`: what people are told of, who knows, and whether they can be told at all.

use clap::Subcommand;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use sqlx::{Arguments as _, postgres::PgArguments};

use super::{Desk, Exit, Out, Trouble, failed_unit, show};
use crate::{
    alert::Settings,
    engine::mailer::{Drained, Mailer},
    job::notify::{Voice, tell},
    policy::alert::{
        Condition, Curve, Digest, Figures, Seen, Severity,
        rules::{Pace, Rules},
    },
    report::Form,
    store::{Db, StoreError, alerts, exposure::Act},
    time::{Clock, new_york_date},
    units::Amount,
};

const EXAMPLES: &str = "\
Examples:
  hedge alert list
  hedge alert acknowledge break/17 --until 2026-11-24 --reason \"the custodian is asked\"
  hedge alert test                    one of each kind, to everybody who is configured
  hedge alert outbox                  how far each message got, with each recipient";

const ALERTS: &[&str] = &[
    "alert_key",
    "severity",
    "about",
    "since_at",
    "phase",
    "acknowledged_until",
    "acknowledged_by",
    "what_to_do",
];
const OUTBOX: &[&str] =
    &["written_at", "state", "channel", "recipient", "subject", "attempts", "next_at", "last_error"];

/// Lists what people are told of, says that somebody knows, tries whether they can be told.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Lists what is not as it should be, what matters most first
    #[command(after_help = "Examples:\n  hedge alert list\n  hedge alert list --all --json")]
    List {
        /// What is over too.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        form: Printed,
    },
    /// Says that somebody knows: nobody is reminded of it until then
    #[command(
        after_help = "Examples:\n  hedge alert acknowledge break/17 --until 2026-11-24 --reason \"the custodian is asked\""
    )]
    Acknowledge {
        /// The condition's key, as `hedge alert list` and its mails have it.
        key: String,
        /// Until when: a date in New York, whose end is meant, or a time such as 2026-11-24T09:30.
        #[arg(long, value_name = "WHEN", value_parser = until)]
        until: Timestamp,
        /// Why; kept on record.
        #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
        reason: String,
    },
    /// Sends one message of each kind to everybody who is configured
    #[command(after_help = "Examples:\n  hedge alert test")]
    Test,
    /// Lists how far each message got, newest first
    #[command(after_help = "Examples:\n  hedge alert outbox --limit 50")]
    Outbox {
        /// At most so many.
        #[arg(long, value_name = "ROWS", default_value_t = 20, value_parser = clap::value_parser!(i64).range(0..))]
        limit: i64,
        #[command(flatten)]
        form: Printed,
    },
    /// Sends now what waits, and ends
    #[command(after_help = "Examples:\n  hedge alert send")]
    Send,
    /// Tells everybody that a unit failed, without the books: what `OnFailure=` of a unit starts
    #[command(after_help = "Examples:\n  hedge alert unit hedge.service")]
    Unit {
        /// The unit's name.
        name: String,
    },
}

/// In which form it is written.
#[derive(Debug, clap::Args)]
struct Printed {
    /// Write an array of objects; exact decimals are strings.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Write comma-separated values with a header.
    #[arg(long)]
    csv: bool,
}

impl Printed {
    const fn form(&self) -> Form {
        match (self.json, self.csv) {
            (true, _) => Form::Json,
            (false, true) => Form::Csv,
            (false, false) => Form::People,
        }
    }
}

fn until(text: &str) -> Result<Timestamp, String> {
    let zone = TimeZone::get("America/New_York").map_err(|error| error.to_string())?;
    let end_of = |date: Date| date.to_datetime(Time::constant(23, 59, 59, 0));
    // A date is read from a time too: only what has none is a whole day.
    let whole = !text.contains(['T', ' ']);
    let read = if whole { text.parse::<Date>().map(end_of) } else { text.parse::<DateTime>() };
    let time =
        read.map_err(|_| "write a date such as 2026-11-24, or a time such as 2026-11-24T09:30".to_owned())?;
    zone.to_timestamp(time).map_err(|error| error.to_string())
}

/// Does what was asked.
///
/// # Errors
///
/// The configuration, the database, or that there is no such condition.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    if let What::Unit { name } = &args.what {
        return failed_unit::tell(name, &settings(desk)?, &desk.environment, &Clock::Wall, out).await;
    }
    let db = Db::open(&desk.store()?).await?;
    let done = Box::pin(with(args.what, desk, &db, out)).await;
    db.close().await;
    done
}

async fn with(what: What, desk: &Desk, db: &Db, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    match what {
        // Told already, without the books.
        What::Unit { .. } => Ok(Exit::Done),
        What::List { all, form } => {
            let sql = include_str!("../../sql/queries/alerts_list.sql");
            print(db, sql, all, ALERTS, &form, "nothing is open", out).await
        }
        What::Outbox { limit, form } => {
            let sql = include_str!("../../sql/queries/outbox_list.sql");
            print(db, sql, limit, OUTBOX, &form, "nothing was ever written", out).await
        }
        What::Acknowledge { key, until, reason } => {
            db.migrate().await?;
            acknowledge(desk, db, &key, until, &reason, out).await
        }
        What::Test => {
            let settings = settings(desk)?;
            db.migrate().await?;
            test(&settings, db, out).await
        }
        What::Send => {
            let settings = settings(desk)?;
            db.migrate().await?;
            let drained = Mailer::new(db.pool().clone(), &settings, Clock::Wall).drain().await?;
            report(&drained, out)
        }
    }
}

async fn print(
    db: &Db,
    sql: &'static str,
    argument: impl for<'q> sqlx::Encode<'q, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + 'static,
    chosen: &[&str],
    printed: &Printed,
    nothing: &str,
    out: &mut Out<'_>,
) -> anyhow::Result<Exit> {
    let mut arguments = PgArguments::default();
    arguments.add(argument).map_err(anyhow::Error::from_boxed)?;
    let table = show::answer(db.pool(), sql, arguments).await?;
    if table.rows.is_empty() && printed.form() == Form::People {
        writeln!(out, "{nothing}")?;
    } else {
        table.write(printed.form(), chosen, out)?;
    }
    Ok(Exit::Done)
}

async fn acknowledge(
    desk: &Desk,
    db: &Db,
    key: &str,
    until: Timestamp,
    reason: &str,
    out: &mut Out<'_>,
) -> anyhow::Result<Exit> {
    let now = Clock::Wall.now();
    let wrong = |what: String, cause: &str, next: &str| Trouble {
        what,
        cause: cause.to_owned(),
        state: "nothing was written".to_owned(),
        next: next.to_owned(),
        exit: Exit::Usage,
    };
    if until <= now {
        return Err(wrong(format!("{until} is over"), "it lies in the past", "give a later one").into());
    }
    let mut tx = db.pool().begin().await.map_err(|error| StoreError::of("begin", error))?;
    let author = desk.author();
    let act = Act { author: &author, reason, at: now };
    if !alerts::acknowledge(&mut tx, key, until, act).await? {
        let cause = "its key is unknown, or it is over";
        return Err(
            wrong(format!("nobody is told of `{key}`"), cause, "take a key from `hedge alert list`").into()
        );
    }
    tx.commit().await.map_err(|error| StoreError::of("acknowledge a condition", error))?;
    writeln!(out, "acknowledged: {key}; nobody is reminded of it before {until}")?;
    Ok(Exit::Done)
}

fn settings(desk: &Desk) -> anyhow::Result<Settings> {
    desk.load()?.alerts.ok_or_else(|| {
        let trouble = Trouble {
            what: "nobody can be told".to_owned(),
            cause: "the configuration has no [alerts]".to_owned(),
            state: "nothing was sent".to_owned(),
            next: "write [alerts]: `hedge init` shows it".to_owned(),
            exit: Exit::Usage,
        };
        trouble.into()
    })
}

/// Goes the way of everything that is told: something urgent is new, escalates and is over.
async fn test(settings: &Settings, db: &Db, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let now = Clock::Wall.now();
    let voice = Voice::of(settings);
    let at_once = Voice {
        rules: Rules { escalate: Some(Pace::Wall(SignedDuration::ZERO)), ..voice.rules.clone() },
        ..voice.clone()
    };
    let after = |seconds| now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(now);
    let runs = [
        (
            &voice,
            seen(
                now,
                vec![condition(now)],
                "This is a test: something urgent is made up, with a table and a curve.",
            ),
        ),
        (&at_once, Seen { digest: None, ..seen(after(1), vec![condition(now)], "") }),
        (&voice, seen(after(2), Vec::new(), "This was a test: what was made up is over. All clear.")),
    ];
    let mut tx = db.pool().begin().await.map_err(|error| StoreError::of("begin", error))?;
    for (voice, seen) in &runs {
        tell(&mut tx, voice, seen).await?;
    }
    tx.commit().await.map_err(|error| StoreError::of("write down a test", error))?;
    // What was written for a moment from now is due then.
    Clock::Wall.sleep(std::time::Duration::from_secs(3)).await;
    let drained = Mailer::new(db.pool().clone(), settings, Clock::Wall).drain().await?;
    report(&drained, out)
}

fn report(drained: &Drained, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let Drained { sent, given_up, waits } = drained;
    writeln!(out, "sent: {sent}, given up: {given_up}; `hedge alert outbox` says to whom")?;
    if let Some(why) = waits {
        writeln!(out, "others wait, and nothing of them is lost: {why}")?;
        return Ok(Exit::Unavailable);
    }
    Ok(if *given_up > 0 { Exit::Found } else { Exit::Done })
}

fn seen(at: Timestamp, conditions: Vec<Condition>, headline: &str) -> Seen {
    let today = new_york_date(at);
    let days = std::iter::successors(Some(today), |day| day.yesterday().ok()).take(20);
    let mut points: Vec<(Date, Amount)> = days.zip(0_i128..).map(|(day, back)| (day, wave(back))).collect();
    points.reverse();
    let words = |words: [&str; 3]| words.map(str::to_owned).to_vec();
    let rows = conditions.iter().map(|it| words([&it.key, it.severity.word(), &it.about]));
    Seen {
        scope: "test".to_owned(),
        run: None,
        at,
        unknown: Vec::new(),
        digest: Some(Digest {
            date: None,
            headline: headline.to_owned(),
            subject: None,
            tables: vec![Figures {
                title: "What is made up".to_owned(),
                heads: words(["key", "severity", "about"]),
                rows: rows.collect(),
            }],
            curves: vec![Curve { title: "A curve".to_owned(), unit: "USD".to_owned(), points }],
        }),
        conditions,
    }
}

/// Something that goes up and down.
fn wave(back: i128) -> Amount {
    Amount::from_atoms((back * 7_919 % 97 - 40) * Amount::ONE.atoms()).unwrap_or_default()
}

fn condition(since: Timestamp) -> Condition {
    Condition {
        key: "test/urgent".to_owned(),
        class: "TEST".to_owned(),
        leg: "test".to_owned(),
        severity: Severity::Critical,
        symbol: None,
        about: "a test: nothing is wrong".to_owned(),
        detail: "Somebody wants to know whether you are told.".to_owned(),
        next: "hedge alert outbox".to_owned(),
        usd: None,
        quantity: None,
        since,
        confirmed: true,
        acknowledged_until: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn until_is_the_end_of_a_day_in_new_york_or_a_time_there() {
        assert_eq!(until("2026-11-24").unwrap().to_string(), "2026-11-25T04:59:59Z");
        assert_eq!(until("2026-11-24T09:30").unwrap().to_string(), "2026-11-24T14:30:00Z");
        assert!(until("tomorrow").is_err());
    }
}
