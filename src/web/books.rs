//! What the books say of a subject, section by section.
//!
//! A section is a query of `sql/queries`, the columns of it that people see, and what is said
//! where there is no row: that is all a page is made of. One that takes too long says so, and the
//! others stand.

use jiff::civil::Date;
use serde_json::Value;
use sqlx::{Arguments as _, PgConnection, postgres::PgArguments};

use super::{
    LONGEST, Site,
    route::{FillKey, Subject},
    sheet::{Body, Field, Section, Sheet, Show, Told},
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

/// A section that is rows of a query.
struct Question {
    key: &'static str,
    title: &'static str,
    note: &'static str,
    sql: &'static str,
    fields: &'static [Field],
    empty: &'static str,
}

/// What a query is given.
enum Given<'g> {
    Text(Option<&'g str>),
    Number(Option<i64>),
    Small(i32),
    Flag(bool),
    At(At),
}

const fn field(name: &'static str, head: &'static str, show: Show) -> Field {
    Field { name, head, show }
}

const POSITIONS: Question = Question {
    key: "exposure",
    title: "What is exposed",
    note: "Position and orders in flight, at the price of the last fill; the largest first. Dollar-minutes: how many dollars for how long.",
    sql: include_str!("../../sql/queries/web_positions.sql"),
    fields: &[
        field("symbol", "Symbol", Show::Symbol),
        field("exposure", "Exposure, shares", Show::Quantity),
        field("exposure_usd", "Exposure, $", Show::Dollars),
        field("exposed_since", "Since", Show::Time),
        field("dollar_minutes", "Unhedged, $ × min", Show::Dollars),
        field("doing", "What is done about it", Show::Words),
    ],
    empty: "Nothing was ever exposed. Fills of your orders show up here: see that `hedge run` reads, below.",
};

/// The same of one share, whole.
const POSITION: &[Field] = &[
    field("exposure", "Exposure, shares", Show::Quantity),
    field("exposure_usd", "Exposure, $", Show::Dollars),
    field("exposed_since", "Exposed since", Show::Time),
    field("dollar_minutes", "Unhedged, $ × min", Show::Dollars),
    field("position", "Position, shares", Show::Quantity),
    field("onchain", "Traded on chain, shares", Show::Quantity),
    field("hedged", "Hedged at brokers, shares", Show::Quantity),
    field("stated", "Stated by a person, shares", Show::Quantity),
    field("in_flight", "In flight, shares", Show::Quantity),
    field("last_fill_price", "Last fill, $ a share", Show::Price),
    field("last_fill_at", "Last fill at", Show::Time),
    field("doing", "What is done about it", Show::Words),
];

const ORDERS: &[Field] = &[
    field("order_id", "Order", Show::Order),
    field("symbol", "Symbol", Show::Symbol),
    field("side", "Side", Show::Words),
    field("quantity", "Quantity, shares", Show::Quantity),
    field("filled", "Filled, shares", Show::Quantity),
    field("average_price", "At, $ a share", Show::Price),
    field("state", "State", Show::Life),
    field("planned_at", "Planned", Show::Time),
    field("venue", "Venue", Show::Words),
];

const LIVE_ORDERS: Question = Question {
    key: "live_orders",
    title: "Orders on their way",
    note: "What brokers were asked to do and have not ended.",
    sql: include_str!("../../sql/queries/show_orders.sql"),
    fields: ORDERS,
    empty: "None is on its way.",
};

const LAST_ORDERS: Question = Question {
    key: "orders",
    title: "Orders",
    note: "What brokers were asked to do, the newest first. `hedge show orders` has all.",
    sql: include_str!("../../sql/queries/show_orders.sql"),
    fields: ORDERS,
    empty: "No order was ever planned. Until `hedge go-live` is said, nothing is sent.",
};

const FILLS: Question = Question {
    key: "fills",
    title: "Fills",
    note: "Trades of your orders on chain, as the chain has them now; the newest first. `hedge show fills` has all.",
    sql: include_str!("../../sql/queries/show_fills.sql"),
    fields: &[
        field("executed_at", "At", Show::Time),
        field("symbol", "Symbol", Show::Symbol),
        field("side", "Side", Show::Words),
        field("quantity", "Quantity, shares", Show::Quantity),
        field("price_per_underlying", "Price, $ a share", Show::Price),
        field("usdc", "For, $", Show::Dollars),
        field("tx_hash", "Transaction", Show::Fill),
    ],
    empty: "No fill is in the books. `hedge backfill --from BLOCK` reads history, `hedge run` what comes.",
};

const EXECUTIONS: Question = Question {
    key: "executions",
    title: "Executions",
    note: "Trades at brokers, the newest first.",
    sql: include_str!("../../sql/queries/show_executions.sql"),
    fields: EXECUTION,
    empty: "There is none.",
};

const EXECUTION: &[Field] = &[
    field("executed_at", "At", Show::Time),
    field("order_id", "Order", Show::Order),
    field("side", "Side", Show::Words),
    field("quantity", "Quantity, shares", Show::Quantity),
    field("price", "Price, $ a share", Show::Price),
    field("cash_usd_exact", "Cash, $", Show::Dollars),
    field("nature", "Nature", Show::Words),
    field("venue", "Venue", Show::Words),
    field("execution_id", "Id there", Show::Code),
];

const ALERTS: Question = Question {
    key: "alerts",
    title: "What people were told of",
    note: "Conditions that are open, the gravest first.",
    sql: include_str!("../../sql/queries/web_alerts.sql"),
    fields: &[
        field("severity", "Severity", Show::State),
        field("about", "What", Show::Words),
        field("value_usd", "Worth, $", Show::Dollars),
        field("since_at", "Since", Show::Time),
        field("what_to_do", "What to do", Show::Code),
    ],
    empty: "Nothing is open.",
};

const BREAK: &[Field] = &[
    field("break_id", "Break", Show::Break),
    field("class", "Class", Show::Words),
    field("instrument", "Of", Show::Words),
    field("account", "In", Show::Words),
    field("quantity", "Quantity, shares or $", Show::Quantity),
    field("cash", "Cash, $", Show::Dollars),
    field("value_usd", "Worth, $", Show::Dollars),
    field("state", "State", Show::State),
    field("first_seen", "First seen", Show::Time),
    field("deadline", "Must be over by", Show::Time),
    field("acknowledged_until", "Known until", Show::Time),
    field("detail", "What", Show::Words),
];

const BREAKS: Question = Question {
    key: "breaks",
    title: "What drifted",
    note: "Breaks between our books and the broker or the vaults that are not over; what nothing explains comes first.",
    sql: include_str!("../../sql/queries/web_breaks.sql"),
    fields: BREAK,
    empty: "No break is open. `hedge reconcile` looks again.",
};

const BREAK_EVENTS: Question = Question {
    key: "events",
    title: "What happened to it",
    note: "In runs, and by a person's hand; oldest first.",
    sql: include_str!("../../sql/queries/web_break_events.sql"),
    fields: &[
        field("happened_at", "At", Show::Time),
        field("event", "Event", Show::State),
        field("state", "State after", Show::State),
        field("quantity", "Quantity, shares or $", Show::Quantity),
        field("cash", "Cash, $", Show::Dollars),
        field("until", "Until", Show::Time),
        field("business_date", "Run of", Show::Words),
        field("author", "By", Show::Words),
        field("reason", "Reason", Show::Words),
    ],
    empty: "Nothing yet.",
};

const BREAK_EVIDENCE: Question = Question {
    key: "evidence",
    title: "What explains its place",
    note: "Parts of the residual that have evidence, run by run; the newest first.",
    sql: include_str!("../../sql/queries/web_break_evidence.sql"),
    fields: &[
        field("business_date", "Run of", Show::Words),
        field("class", "Class", Show::Words),
        field("amount", "Amount, shares or $", Show::Quantity),
        field("detail", "What", Show::Words),
        field("evidence", "Evidence", Show::Code),
        field("deadline", "Must be over by", Show::Time),
    ],
    empty: "Nothing explains any of it: somebody looks at the broker's or the vault's own record.",
};

const LOTS: Question = Question {
    key: "lots",
    title: "Open lots",
    note: "What was taken on together and is not closed yet; what is oldest closes first.",
    sql: include_str!("../../sql/queries/web_lots.sql"),
    fields: &[
        field("opened_at", "Opened", Show::Time),
        field("side", "Side", Show::Words),
        field("quantity_exact", "Quantity, shares", Show::Quantity),
        field("cost_usd", "Cost, or brought, $", Show::Dollars),
        field("opening_type", "Opened by", Show::Words),
        field("opening_id", "Trade", Show::Code),
    ],
    empty: "None is open, or nothing was counted yet: `hedge pnl` counts.",
};

/// A day's money.
const EARNED: &[Field] = &[
    field("et_date", "New York day", Show::Words),
    field("trades", "Trades", Show::Whole),
    field("realized_usd", "Realized, $", Show::Dollars),
    field("fees_usd", "Fees, $", Show::Dollars),
    field("net_usd", "Net of fees, $", Show::Dollars),
    field("earned_usd", "In all, $", Show::Dollars),
    field("edge_usd", "Edge, $", Show::Dollars),
    field("drift_usd", "Drift, $", Show::Dollars),
    field("slippage_usd", "Slippage, $", Show::Dollars),
    field("spread_usd", "Spread captured, $", Show::Dollars),
];

const SOURCES: Question = Question {
    key: "sources",
    title: "What is read",
    note: "Each source, how far it is written, and how well that is believed.",
    sql: include_str!("../../sql/queries/web_sources.sql"),
    fields: &[
        field("source", "Source", Show::Words),
        field("number", "Block", Show::Whole),
        field("lag_blocks", "Behind, blocks", Show::Whole),
        field("looked_at", "Head looked at", Show::Time),
        field("block_time", "Block of", Show::Time),
        field("unproved_blocks", "Unproved, blocks", Show::Whole),
        field("skipped_logs", "Skipped, logs", Show::Whole),
        field("stopped_why", "Stopped", Show::Words),
    ],
    empty: "Nothing is read yet: `hedge doctor` tries what is configured, `hedge run` begins.",
};

const RUNS: Question = Question {
    key: "runs",
    title: "Last runs",
    note: "The newest run of each job.",
    sql: include_str!("../../sql/queries/web_runs.sql"),
    fields: RUN,
    empty: "No job has run yet: `hedge run` does it, or `hedge job run NAME`.",
};

const RUN: &[Field] = &[
    field("job", "Job", Show::Words),
    field("business_date", "Of", Show::Words),
    field("state", "State", Show::State),
    field("finished_at", "Ended", Show::Time),
    field("duration_seconds", "Took, s", Show::Seconds),
    field("said", "Said", Show::Words),
];

const ORDER: &[Field] = &[
    field("state", "State", Show::Life),
    field("symbol", "Symbol", Show::Symbol),
    field("side", "Side", Show::Words),
    field("quantity", "Quantity, shares", Show::Quantity),
    field("filled", "Filled, shares", Show::Quantity),
    field("average_price", "Average, $ a share", Show::Price),
    field("cash_usd_exact", "Cash, $", Show::Dollars),
    field("terms", "Terms", Show::Words),
    field("limit_price", "Limit, $ a share", Show::Price),
    field("exposure_before", "Planned for, shares", Show::Quantity),
    field("reference_price", "Reference, $ a share", Show::Price),
    field("reference_source", "Reference from", Show::Words),
    field("reference_at", "Reference of", Show::Time),
    field("purpose", "Purpose", Show::Words),
    field("author", "Asked for by", Show::Words),
    field("reason", "Reason", Show::Words),
    field("venue", "Venue", Show::Words),
    field("environment", "Environment", Show::Words),
    field("planned_at", "Planned", Show::Time),
    field("sent_at", "Sent", Show::Time),
    field("accepted_at", "Accepted", Show::Time),
    field("cancel_asked_at", "Cancel asked for", Show::Time),
    field("closed_at", "Closed", Show::Time),
    field("client_order_id", "Our id", Show::Code),
    field("broker_order_id", "Id there", Show::Code),
];

const EVENTS: Question = Question {
    key: "events",
    title: "What happened to it",
    note: "Each move, and the broker's words that it rests on; oldest first.",
    sql: include_str!("../../sql/queries/show_events.sql"),
    fields: &[
        field("happened_at", "At", Show::Time),
        field("event", "Event", Show::State),
        field("detail", "What", Show::Words),
        field("author", "By", Show::Words),
        field("evidence", "Evidence", Show::Code),
    ],
    empty: "Nothing yet.",
};

const COVERS: Question = Question {
    key: "covers",
    title: "What it hedges",
    note: "Part by part, in the order of filling.",
    sql: include_str!("../../sql/queries/web_order_covers.sql"),
    fields: &[
        field("what", "What", Show::Words),
        field("quantity", "Quantity, shares", Show::Quantity),
        field("covered", "Of it filled, shares", Show::Quantity),
        field("filled_onchain_at", "Traded", Show::Time),
        field("block_number", "Block", Show::Whole),
        field("tx_hash", "Fill", Show::Fill),
    ],
    empty: "It hedges nothing: a person asked for it.",
};

const ORDER_EXECUTIONS: Question = Question {
    key: "executions",
    title: "Executions",
    note: "What the broker traded for it.",
    sql: include_str!("../../sql/queries/web_order_executions.sql"),
    fields: EXECUTION,
    empty: "The broker has traded nothing for it.",
};

const FILL: &[Field] = &[
    field("symbol", "Symbol", Show::Symbol),
    field("side", "Side", Show::Words),
    field("quantity", "Quantity, shares", Show::Quantity),
    field("price_per_underlying", "Price, $ a share", Show::Price),
    field("usdc", "For, $", Show::Dollars),
    field("executed_at", "At", Show::Time),
    field("taken_at", "Taken back", Show::Time),
    field("cause", "Taken back by", Show::Words),
    field("source", "Source", Show::Words),
    field("role", "Our part", Show::Words),
    field("block_number", "Block", Show::Whole),
    field("log_index", "Log", Show::Whole),
    field("tx_hash", "Transaction", Show::Code),
    field("token_quantity", "Tokens", Show::Quantity),
    field("wrapper_ratio", "Shares of a token", Show::Price),
    field("token_address", "Token", Show::Code),
    field("owner", "Owner", Show::Code),
    field("vault_in", "Vault that received", Show::Code),
    field("vault_out", "Vault that paid", Show::Code),
];

const HEDGES: Question = Question {
    key: "hedges",
    title: "How it was hedged",
    note: "Orders that hedge a part of it.",
    sql: include_str!("../../sql/queries/web_fill_covers.sql"),
    fields: &[
        field("order_id", "Order", Show::Order),
        field("side", "Side", Show::Words),
        field("quantity", "Of this fill, shares", Show::Quantity),
        field("of_quantity", "Of the order, shares", Show::Quantity),
        field("average_price", "At, $ a share", Show::Price),
        field("state", "State", Show::State),
        field("planned_at", "Planned", Show::Time),
        field("closed_at", "Closed", Show::Time),
    ],
    empty: "No order hedges it: it may net with others, be below the threshold, or lie before `hedge go-live`. Its symbol's page says why.",
};

const ALL_RUNS: Question = Question {
    key: "history",
    title: "Runs before",
    note: "The newest first.",
    sql: include_str!("../../sql/queries/web_runs.sql"),
    fields: RUN,
    empty: "No job has run yet: `hedge run` does it, or `hedge job run NAME`.",
};

const CHECKS: Question = Question {
    key: "checks",
    title: "Laws of the books",
    note: "Each check of `hedge check`, as it was found last: a row is a failure.",
    sql: include_str!("../../sql/queries/web_checks.sql"),
    fields: &[
        field("name", "Check", Show::Words),
        field("failures", "Failures, rows", Show::Whole),
        field("allowed", "Let pass, rows", Show::Whole),
        field("checked_at", "Checked", Show::Time),
    ],
    empty: "They were not checked yet: `hedge check`, or the job of the same name.",
};

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
        sections: vec![exposure, live, earned, breaks, alerts, fills, orders, sources, runs],
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
