//! The job `statement`: states what a New York day earned, once and for good.
//!
//! Every day is stated, weekends too, for chains do not rest: what was not stated since the last
//! statement is stated with this one. What was stated stays as it is; what is learnt of days before
//! is `restated` in the day that states it, so that all statements together are what is known.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use sqlx::{PgConnection, PgPool};

use super::{
    Outcome, Run, Verdict,
    notify::{Voice, tell},
};
use crate::{
    book::{
        pnl::Bucket,
        statement::{COSTS, Coverage, Covered, INCOME, Line, Mark, Standing, Statement},
    },
    policy::alert::{Condition, Seen, Severity},
    report,
    store::{
        StoreError,
        statement::{self as books, Flows, Known, Stated},
    },
    time::NewYorkDay,
    units::Usd,
};

/// Lots that a statement lists: what lies longest.
const LOTS: i64 = 5;
/// Days before that a statement shows.
const DAYS: i64 = 30;

/// States the day of the run, and those since the last statement.
///
/// # Errors
///
/// The database. What was stated stays.
pub async fn run(pool: &PgPool, run: &Run, voice: &Voice) -> Result<Outcome, StoreError> {
    let failed = |error| StoreError::of("state a day", error);
    let mut tx = pool.begin().await.map_err(failed)?;
    if books::was_stated(&mut tx, run.date).await? {
        return Ok(Outcome { verdict: Verdict::Skipped, said: format!("{} was stated before", run.date) });
    }
    let last = books::stated_before(&mut tx, run.date).await?;
    let mut date = last.and_then(|(last, _)| last.tomorrow().ok()).unwrap_or(run.date);
    loop {
        let (statement, banked) = of(&mut tx, date, run.at).await?;
        if !statement.ties_out() {
            let said = format!("the statement of {date} does not tie out, and was not written");
            tx.rollback().await.map_err(failed)?;
            refuse(pool, run, voice, &said).await?;
            return Ok(Outcome { verdict: Verdict::Inconsistent, said });
        }
        books::state(&mut tx, &statement, &banked).await?;
        if date >= run.date {
            let seen = Seen {
                scope: run.job.clone(),
                run: run.id,
                at: run.at,
                conditions: Vec::new(),
                unknown: Vec::new(),
                digest: Some(report::statement::digest(&statement)),
            };
            tell(&mut tx, voice, &seen).await?;
            tx.commit().await.map_err(failed)?;
            let net = report::statement::total(statement.total(Line::net));
            return Ok(Outcome { verdict: Verdict::Done, said: format!("{date}: net P&L {net}") });
        }
        date = date.tomorrow().unwrap_or(run.date);
    }
}

async fn refuse(pool: &PgPool, run: &Run, voice: &Voice, said: &str) -> Result<(), StoreError> {
    let failed = |error| StoreError::of("say that a statement does not tie out", error);
    let condition = Condition {
        key: "statement/tie-out".to_owned(),
        class: "does not tie out".to_owned(),
        leg: "pnl".to_owned(),
        severity: Severity::Critical,
        symbol: None,
        about: "the statement does not tie out".to_owned(),
        detail: said.to_owned(),
        next: "hedge pnl --rebuild, then hedge statement".to_owned(),
        usd: None,
        quantity: None,
        since: run.at,
        confirmed: true,
        acknowledged_until: None,
    };
    let seen = Seen {
        scope: run.job.clone(),
        run: run.id,
        at: run.at,
        conditions: vec![condition],
        unknown: Vec::new(),
        digest: None,
    };
    let mut tx = pool.begin().await.map_err(failed)?;
    tell(&mut tx, voice, &seen).await?;
    tx.commit().await.map_err(failed)
}

/// A day as it was stated, or as it would be now.
///
/// # Errors
///
/// The database.
pub async fn read(conn: &mut PgConnection, date: Date, at: Timestamp) -> Result<Statement, StoreError> {
    match books::stated(conn, date).await? {
        None => Ok(of(conn, date, at).await?.0),
        Some((known_at, lines)) => beside(conn, date, known_at, lines).await,
    }
}

/// What is known of a day, and beside it what each share has banked by its end.
async fn of(
    conn: &mut PgConnection,
    date: Date,
    at: Timestamp,
) -> Result<(Statement, BTreeMap<String, Usd>), StoreError> {
    let before = date.yesterday().unwrap_or(date);
    let (opening, closing) = (books::known(conn, before).await?, books::known(conn, date).await?);
    let (marks_before, marks) = (books::marks(conn, before).await?, books::marks(conn, date).await?);
    let (today, until_before, until_now) = (
        books::flows(conn, date, false).await?,
        books::flows(conn, before, true).await?,
        books::flows(conn, date, true).await?,
    );
    let stated = books::stated_before(conn, date).await?.map(|(_, stated)| stated);
    let mut shares: BTreeSet<&String> = closing.keys().chain(until_now.keys()).collect();
    shares.extend(stated.iter().flat_map(BTreeMap::keys));

    let mut lines = Vec::new();
    let mut banked = BTreeMap::new();
    for share in shares {
        let opening = standing(opening.get(share), marks_before.get(share));
        let earned_before = bank(opening.1, until_before.get(share));
        let closing_of = closing.get(share);
        let (closing, realized) = standing(closing_of, marks.get(share));
        banked.insert(share.clone(), bank(realized, until_now.get(share)));
        let opening = opening.0;
        let restated = stated.as_ref().map(|stated| {
            let was = stated.get(share).cloned().unwrap_or_else(nothing);
            restated(&was, earned_before, opening.unrealized())
        });
        lines.push(line(share, opening, closing, closing_of, &today, restated.unwrap_or_default()));
    }
    // What is of no one share comes last.
    lines.sort_by_key(|line: &Line| line.symbol.is_none());
    Ok((beside(conn, date, at, lines).await?, banked))
}

/// What was never stated was nothing.
fn nothing() -> Stated {
    Stated { banked: Usd::ZERO, unrealized: Some(Usd::ZERO) }
}

fn standing(known: Option<&Known>, mark: Option<&Mark>) -> (Standing, Usd) {
    let Known { net, book_value, realized, .. } = known.cloned().unwrap_or_default();
    (Standing { net, book_value, mark: mark.cloned() }, realized)
}

/// Realized, with what came and went besides.
fn bank(realized: Usd, flows: Option<&BTreeMap<String, Usd>>) -> Usd {
    flows.into_iter().flatten().fold(realized, |sum, (_, usd)| sum.plus(*usd).unwrap_or(sum))
}

/// What days before earned more than was stated: banked, and not realized where both are known.
fn restated(was: &Stated, banked: Usd, unrealized: Option<Usd>) -> Usd {
    let banked = banked.minus(was.banked).unwrap_or_default();
    let marked = unrealized.zip(was.unrealized).and_then(|(now, then)| now.minus(then)).unwrap_or_default();
    banked.plus(marked).unwrap_or(banked)
}

fn line(
    share: &str,
    opening: Standing,
    closing: Standing,
    known: Option<&Known>,
    flows: &Flows,
    restated: Usd,
) -> Line {
    let day = known.and_then(|known| known.day).unwrap_or_default();
    let mut line = Line {
        symbol: (!share.is_empty()).then(|| share.to_owned()),
        opening,
        closing,
        trades: day.trades,
        bought: day.bought,
        sold: day.sold,
        realized: Bucket::ALL.into_iter().zip(day.realized).collect(),
        attributed: day.attributed,
        spread: day.spread,
        restated,
        ..Line::default()
    };
    for (kind, usd) in flows.get(share).into_iter().flatten() {
        if COSTS.contains(&kind.as_str()) {
            line.costs.insert(kind.clone(), Usd(usd.0.negated()));
        } else if INCOME.contains(&kind.as_str()) {
            line.income.insert(kind.clone(), *usd);
        }
    }
    line
}

/// A statement of these lines, with what stands beside them.
async fn beside(
    conn: &mut PgConnection,
    date: Date,
    known_at: Timestamp,
    lines: Vec<Line>,
) -> Result<Statement, StoreError> {
    let day_ago = Timestamp::from_microsecond(NewYorkDay::on(date).from).unwrap_or_default();
    let mut coverage = books::coverage(conn, date).await?;
    let unmarked = lines.iter().filter(|line| line.closing.market().is_none()).count();
    let aged =
        lines.iter().filter_map(|line| line.closing.mark.as_ref()).filter(|mark| mark.is_stale).count();
    for (of, missing) in [("marks", unmarked), ("marks of the last session", aged)] {
        let state = if missing == 0 { Covered::Included } else { Covered::Partial };
        let missing = u64::try_from(missing).unwrap_or(u64::MAX);
        coverage.push(Coverage { of: of.to_owned(), state, missing });
    }
    let (old_lots, more_lots) = books::old_lots(conn, day_ago, LOTS).await?;
    Ok(Statement {
        date,
        known_at,
        old_lots,
        more_lots,
        drift: books::drift(conn, date).await?,
        breaks: books::breaks(conn, date).await?,
        coverage,
        days: books::days_before(conn, date, DAYS).await?,
        lines,
    })
}
