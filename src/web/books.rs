//! What the books say of a subject, section by section.
//!
//! A section is the answer to one of [`super::questions`], and a page is made of sections: that is
//! all. One that takes too long says so, and the others stand.

use jiff::civil::Date;
use serde_json::Value;
use sqlx::{Arguments as _, PgConnection, postgres::PgArguments};

use super::{
    LONGEST, Site,
    questions::{
        ALERTS, ALL_RUNS, BREAK, BREAK_EVENTS, BREAK_EVIDENCE, BREAKS, CHECKS, COVERS, EARNED, EVENTS,
        EXECUTIONS, FILL, FILLS, HEDGES, INVENTORY, LAST_ORDERS, LIVE_ORDERS, LOTS, ORDER, ORDER_EXECUTIONS,
        POSITION, POSITIONS, Question, RUNS, SOURCES,
    },
    route::{FillKey, Subject},
    sheet::{Body, Field, Section, Sheet, Told},
    vitals,
};
use crate::{
    cli::why::facts::Why,
    report::{
        Table,
        chart::{Chart, Shape},
    },
    store::{StoreError, table, types::At},
    units::Amount,
};

/// Rows that people are shown of what there may be much of.
const ROWS: i64 = 50;
/// Of what was last, on the page of everything and on that of a share.
const LAST: i64 = 8;
const NEWEST: i64 = 20;

/// What a query is given.
enum Given<'g> {
    Text(Option<&'g str>),
    Number(Option<i64>),
    Small(i32),
    Flag(bool),
    At(At),
}

/// Reads what is asked for; none where there is no such thing.
///
/// # Errors
/// The database.
pub(super) async fn read(site: &Site, subject: &Subject) -> Result<Option<Sheet>, StoreError> {
    let mut conn = site.books.acquire().await.map_err(|error| StoreError::of("read the books", error))?;
    match subject {
        Subject::Overview => overview(site, &mut conn).await.map(Some),
        Subject::Symbol(symbol) => of_symbol(site, &mut conn, symbol).await,
        Subject::Order(order) => of_order(site, &mut conn, *order).await,
        Subject::Fill(fill) => of_fill(site, &mut conn, fill).await,
        Subject::Break(number) => of_break(site, &mut conn, *number).await,
        Subject::Jobs => of_jobs(site, &mut conn).await.map(Some),
    }
}

async fn overview(site: &Site, conn: &mut PgConnection) -> Result<Sheet, StoreError> {
    let now = site.clock.now();
    let sql = include_str!("../../sql/queries/web_vitals.sql");
    let vitals = rows(conn, sql, &[]).await?;
    let exposure =
        POSITIONS.read(conn, &[Given::At(At(now)), Given::Text(None), Given::Number(Some(ROWS))]).await?;
    let sources = SOURCES.read(conn, &[]).await?;
    let tiles = vitals::tiles(&vitals::Seen {
        now,
        vitals: vitals.as_ref().ok(),
        positions: exposure.table(),
        sources: sources.table(),
        pulse: site.pulse.as_ref(),
    });
    let earned = earned(conn, None).await?;
    let live = LIVE_ORDERS.read(conn, &live_orders(None, true, ROWS)).await?;
    let breaks = BREAKS.read(conn, &breaks(None, None)).await?;
    let inventory = INVENTORY.read(conn, &[]).await?;
    let alerts = ALERTS.read(conn, &[Given::Text(None), Given::Number(Some(ROWS))]).await?;
    let fills = FILLS.read(conn, &last_fills(None, LAST)).await?;
    let orders = LAST_ORDERS.read(conn, &live_orders(None, false, LAST)).await?;
    let runs = RUNS.read(conn, &[Given::Number(None)]).await?;
    Ok(Sheet {
        at: now,
        title: "Overview".to_owned(),
        about: "What is exposed, what is done about it, what was earned, and whether it all works."
            .to_owned(),
        tiles,
        sections: vec![exposure, live, earned, breaks, alerts, inventory, fills, orders, sources, runs],
    })
}

async fn of_symbol(site: &Site, conn: &mut PgConnection, symbol: &str) -> Result<Option<Sheet>, StoreError> {
    let now = site.clock.now();
    let why = Why::read(conn, symbol, now).await?;
    let fills = FILLS.read(conn, &last_fills(Some(symbol), NEWEST)).await?;
    if why.position.is_none() && fills.table().is_none_or(|fills| fills.rows.is_empty()) {
        return Ok(None);
    }
    let given = [Given::At(At(now)), Given::Text(Some(symbol)), Given::Number(Some(1))];
    let position = rows(conn, POSITIONS.sql, &given).await?;
    let mut sections = vec![told(&why)];
    sections.push(facts("position", "In numbers", "As the books have it now.", POSITION, position));
    sections.push(earned(conn, Some(symbol)).await?);
    sections.push(LOTS.read(conn, &[Given::Text(Some(symbol)), Given::Number(Some(ROWS))]).await?);
    sections.push(LAST_ORDERS.read(conn, &live_orders(Some(symbol), false, NEWEST)).await?);
    sections.push(fills);
    sections.push(EXECUTIONS.read(conn, &[Given::Text(Some(symbol)), Given::Number(Some(NEWEST))]).await?);
    sections.push(BREAKS.read(conn, &breaks(None, Some(symbol))).await?);
    sections.push(ALERTS.read(conn, &[Given::Text(Some(symbol)), Given::Number(Some(ROWS))]).await?);
    Ok(Some(Sheet { at: now, title: symbol.to_owned(), about: why.summary(), tiles: Vec::new(), sections }))
}

async fn of_order(site: &Site, conn: &mut PgConnection, order: i64) -> Result<Option<Sheet>, StoreError> {
    let given = || [Given::Number(Some(order))];
    let found = rows(conn, include_str!("../../sql/queries/web_order.sql"), &given()).await?;
    let Some(about) = found.as_ref().ok().and_then(|table| table.rows.first().map(|row| about(table, row)))
    else {
        return Ok(None);
    };
    let sections = vec![
        facts("order", "The order", "As the books have it now.", ORDER, found),
        EVENTS.read(conn, &[Given::Number(Some(order)), Given::Number(None)]).await?,
        COVERS.read(conn, &given()).await?,
        ORDER_EXECUTIONS.read(conn, &given()).await?,
    ];
    Ok(Some(Sheet {
        at: site.clock.now(),
        title: format!("Order #{order}"),
        about,
        tiles: Vec::new(),
        sections,
    }))
}

async fn of_fill(site: &Site, conn: &mut PgConnection, fill: &FillKey) -> Result<Option<Sheet>, StoreError> {
    let FillKey { chain, tx, log, role } = fill;
    let given =
        || [Given::Number(Some(*chain)), Given::Text(Some(tx)), Given::Small(*log), Given::Text(Some(role))];
    let found = rows(conn, include_str!("../../sql/queries/web_fill.sql"), &given()).await?;
    let Some(about) = found.as_ref().ok().and_then(|table| table.rows.first().map(|row| about(table, row)))
    else {
        return Ok(None);
    };
    let sections = vec![
        facts(
            "fill",
            "The fill",
            "As the chain has it now; what was taken back counts for nothing.",
            FILL,
            found,
        ),
        HEDGES.read(conn, &given()).await?,
    ];
    Ok(Some(Sheet {
        at: site.clock.now(),
        title: format!("Fill in 0x{}…", tx.get(..8).unwrap_or_default()),
        about,
        tiles: Vec::new(),
        sections,
    }))
}

async fn of_break(site: &Site, conn: &mut PgConnection, number: i64) -> Result<Option<Sheet>, StoreError> {
    let found = rows(conn, BREAKS.sql, &breaks(Some(number), None)).await?;
    let Some(about) = found.as_ref().ok().and_then(|table| {
        let row = table.rows.first()?;
        let value = |name| table.value(row, name).unwrap_or_default();
        Some(format!("{} of {} in {}", value("class"), value("instrument"), value("account")))
    }) else {
        return Ok(None);
    };
    let given = || [Given::Number(Some(number))];
    let sections = vec![
        facts("break", "The break", "As the last run left it.", BREAK, found),
        BREAK_EVENTS.read(conn, &given()).await?,
        BREAK_EVIDENCE.read(conn, &given()).await?,
    ];
    Ok(Some(Sheet {
        at: site.clock.now(),
        title: format!("Break {number}"),
        about,
        tiles: Vec::new(),
        sections,
    }))
}

async fn of_jobs(site: &Site, conn: &mut PgConnection) -> Result<Sheet, StoreError> {
    Ok(Sheet {
        at: site.clock.now(),
        title: "Jobs".to_owned(),
        about: "What runs by the clock, and what came of it. `hedge job list` says when each is due next."
            .to_owned(),
        tiles: Vec::new(),
        sections: vec![
            RUNS.read(conn, &[Given::Number(None)]).await?,
            ALL_RUNS.read(conn, &[Given::Number(Some(ROWS))]).await?,
            CHECKS.read(conn, &[]).await?,
        ],
    })
}

/// What was earned, day by day, in pictures and in figures.
async fn earned(conn: &mut PgConnection, symbol: Option<&str>) -> Result<Section, StoreError> {
    let sql = include_str!("../../sql/queries/web_earned.sql");
    let body = match rows(conn, sql, &[Given::Text(symbol)]).await? {
        Ok(table) => {
            let days = |name: &str| -> Vec<(Date, Amount)> {
                let of = |row: &Vec<Option<String>>| {
                    let day = table.value(row, "et_date")?.parse().ok()?;
                    Some((day, table.value(row, name)?.parse().ok()?))
                };
                table.rows.iter().filter_map(of).collect()
            };
            let charts = vec![
                Chart::of_days("Realized in all, less fees", "USD", Shape::Line, &days("earned_usd")),
                Chart::of_days("Spread captured, by day", "USD", Shape::Bars, &days("spread_usd")),
            ];
            let empty = "Nothing was counted yet: `hedge pnl` counts what trades earned, and `hedge run` does every night.";
            Body::Charts { charts, fields: EARNED, table, empty }
        }
        Err(why) => Body::Unread(why),
    };
    Ok(Section {
        key: "earned",
        title: "What was earned".to_owned(),
        note: "By New York days, as it is known now. What is open counts in `hedge statement`.".to_owned(),
        body,
    })
}

fn breaks(number: Option<i64>, instrument: Option<&str>) -> [Given<'_>; 3] {
    [Given::Number(number), Given::Text(instrument), Given::Number(Some(ROWS))]
}

fn last_fills(symbol: Option<&str>, rows: i64) -> [Given<'_>; 5] {
    [
        Given::Text(None),
        Given::Number(None),
        Given::Number(None),
        Given::Number(Some(rows)),
        Given::Text(symbol),
    ]
}

fn live_orders(symbol: Option<&str>, live: bool, rows: i64) -> [Given<'_>; 3] {
    [Given::Text(symbol), Given::Flag(live), Given::Number(Some(rows))]
}

/// `SELL 5 AAPL`, of a row that has these.
fn about(table: &Table, row: &[Option<String>]) -> String {
    let value = |name| table.value(row, name).unwrap_or_default();
    let quantity = super::page::quantity(value("quantity"));
    format!("{} {quantity} {}", value("side"), value("symbol"))
}

/// What a share's page says first: what is so, and what to do.
fn told(why: &Why) -> Section {
    let mut said: Vec<Told> =
        why.next().into_iter().map(|next| Told { said: next.said, act: next.act }).collect();
    if said.is_empty() {
        said.push(Told { said: "nothing is exposed".to_owned(), act: "nothing to do".to_owned() });
    }
    let mut value = why.for_programs();
    if let Value::Object(fields) = &mut value {
        // It has the time of the sheet, which has it already.
        fields.remove("now");
    }
    Section {
        key: "why",
        title: "Why, and what to do".to_owned(),
        note: format!("The same as `hedge why {}`.", why.symbol),
        body: Body::Told { said, value },
    }
}

fn facts(
    key: &'static str,
    title: &str,
    note: &str,
    fields: &'static [Field],
    table: Result<Table, String>,
) -> Section {
    let body = match table {
        Ok(table) => Body::Facts { fields, table },
        Err(why) => Body::Unread(why),
    };
    Section { key, title: title.to_owned(), note: note.to_owned(), body }
}

impl Question {
    async fn read(&self, conn: &mut PgConnection, given: &[Given<'_>]) -> Result<Section, StoreError> {
        let Self { key, title, note, sql, fields, empty } = *self;
        let body = match rows(conn, sql, given).await? {
            Ok(table) => Body::Rows { fields, table, empty },
            Err(why) => Body::Unread(why),
        };
        Ok(Section { key, title: title.to_owned(), note: note.to_owned(), body })
    }
}

impl Section {
    fn table(&self) -> Option<&Table> {
        match &self.body {
            Body::Rows { table, .. } | Body::Facts { table, .. } | Body::Charts { table, .. } => Some(table),
            Body::Told { .. } | Body::Unread(_) => None,
        }
    }
}

/// The rows of a query, or why there is no time for them.
async fn rows(
    conn: &mut PgConnection,
    sql: &'static str,
    given: &[Given<'_>],
) -> Result<Result<Table, String>, StoreError> {
    let failed = |error| StoreError::of("read the books", error);
    let mut arguments = PgArguments::default();
    for value in given {
        match value {
            Given::Text(text) => arguments.add(*text),
            Given::Number(number) => arguments.add(*number),
            Given::Small(number) => arguments.add(*number),
            Given::Flag(flag) => arguments.add(*flag),
            Given::At(at) => arguments.add(*at),
        }
        .map_err(|error| failed(sqlx::Error::Encode(error)))?;
    }
    match table::read(conn, sql, arguments).await {
        Ok(table) => Ok(Ok(table)),
        Err(error) if is_late(&error) => {
            Ok(Err(format!("It took longer than {} s. `hedge show` has the same.", LONGEST.as_secs())))
        }
        Err(error) if table::is_absent(&error) => Err(StoreError::Stop {
            what: "the tables are not there yet".to_owned(),
            next: "make them with `hedge migrate`; `hedge run` does it too".to_owned(),
            source: None,
        }),
        Err(error) => Err(failed(error)),
    }
}

/// The statement was ended by its time limit.
fn is_late(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == "57014")
}
