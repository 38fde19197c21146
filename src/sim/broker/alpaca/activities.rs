//! Activities: every execution, what was taken back of one, and what is no trade.

use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};

use super::{
    super::{
        front::{Answer, Request},
        ledger::Ledger,
        night::SimActivity,
        order::SimExecution,
        strike::Bent,
    },
    instant, invalid, render,
};
use crate::{
    book::{activity::ActivityKind, execution::Nature},
    time::new_york_date,
    units::Shares,
};

/// Activities a page has, unless it is asked for fewer.
const PAGE: usize = 100;

/// The types that there are.
const TYPES: [&str; 28] = [
    "FILL", "ACATC", "ACATS", "CFEE", "CSD", "CSW", "DIV", "DIVCGL", "DIVCGS", "DIVFEE", "DIVFT", "DIVNRA",
    "DIVROC", "DIVTW", "DIVTXEX", "FEE", "INT", "JNL", "JNLC", "JNLS", "MA", "NC", "PTC", "REORG", "SPIN",
    "SPLIT", "TRANS", "MISC",
];

pub(super) fn list(ledger: &Ledger, request: &Request, kind: Option<&str>, bent: &Bent) -> Answer {
    match chosen(ledger, request, kind) {
        Ok(rows) => {
            let rows = rows.into_iter().map(|row| render::extended(row.shown(), bent)).collect();
            Answer::json(200, &Value::Array(rows))
        }
        Err(answer) => answer,
    }
}

/// What is listed: a trade, or something else.
#[derive(Clone, Copy)]
enum Row<'l> {
    Trade(&'l SimExecution),
    Other(&'l SimActivity),
}

impl Row<'_> {
    fn id(&self) -> &str {
        match self {
            Self::Trade(row) => &row.id,
            Self::Other(row) => &row.id,
        }
    }

    fn at(&self) -> Timestamp {
        match self {
            Self::Trade(row) => row.at,
            Self::Other(row) => row.at,
        }
    }

    fn date(&self) -> Date {
        match self {
            Self::Trade(row) => new_york_date(row.at),
            Self::Other(row) => row.date,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Trade(_) => "FILL",
            Self::Other(row) => kind(row),
        }
    }

    fn is_of(&self, order: &str) -> bool {
        match self {
            Self::Trade(row) => row.order_id == order,
            Self::Other(_) => false,
        }
    }

    fn shown(&self) -> Value {
        match self {
            Self::Trade(row) => activity(row),
            Self::Other(row) => other(row),
        }
    }
}

fn chosen<'l>(ledger: &'l Ledger, request: &Request, kind: Option<&str>) -> Result<Vec<Row<'l>>, Answer> {
    let types: Option<Vec<&str>> = kind
        .map(|kind| vec![kind])
        .or_else(|| request.param("activity_types").map(|types| types.split(',').collect()));
    if let Some(unknown) = types.iter().flatten().find(|kind| !TYPES.contains(kind)) {
        return Err(invalid(&format!("invalid activity type: {unknown}")));
    }
    let category = request.param("category");
    match category {
        Some(_) if types.is_some() => {
            return Err(invalid("only one of activity_types or category is accepted"));
        }
        None | Some("trade_activity" | "non_trade_activity") => {}
        Some(other) => return Err(invalid(&format!("invalid category: {other}"))),
    }
    let wanted = |row: &Row<'_>| match (&types, category) {
        (Some(types), _) => types.contains(&row.kind()),
        (None, Some(category)) => (category == "trade_activity") == matches!(row, Row::Trade(_)),
        (None, None) => true,
    };
    let size = match request.param("page_size").map(str::parse) {
        None => PAGE,
        Some(Ok(size @ 1..=PAGE)) => size,
        Some(_) => return Err(invalid("page_size must be between 1 and 100")),
    };
    let date = match request.param("date").map(str::parse::<Date>) {
        None => None,
        Some(Ok(date)) => Some(date),
        Some(Err(_)) => return Err(invalid("invalid date")),
    };
    let (after, until): (Option<Timestamp>, _) = (instant(request, "after")?, instant(request, "until")?);
    let order = request.param("order_id");
    let trades = ledger.executions.iter().filter(|row| !ledger.night.hidden.contains(&row.id));
    let all = trades.map(Row::Trade).chain(ledger.night.listed().map(Row::Other));
    let mut rows: Vec<Row<'l>> = all
        .filter(|row| {
            wanted(row)
                && after.is_none_or(|after| row.at() > after)
                && until.is_none_or(|until| row.at() < until)
                && date.is_none_or(|date| row.date() == date)
                && order.is_none_or(|order| row.is_of(order))
        })
        .collect();
    rows.sort_by_key(Row::at);
    if request.param("direction") != Some("asc") {
        rows.reverse();
    }
    if let Some(token) = request.param("page_token") {
        let last = rows.iter().rposition(|row| row.id() == token);
        let last = last.ok_or_else(|| invalid("invalid page_token"))?;
        rows.drain(..=last);
    }
    rows.truncate(size);
    Ok(rows)
}

/// Alpaca's word for what is no trade.
fn kind(row: &SimActivity) -> &'static str {
    match row.kind {
        ActivityKind::Commission | ActivityKind::Regulatory => "FEE",
        ActivityKind::Interest => "INT",
        ActivityKind::Dividend => "DIV",
        ActivityKind::Cash if row.cash.0.is_negative() => "CSW",
        ActivityKind::Cash => "CSD",
        ActivityKind::Shares => "JNLS",
        ActivityKind::Split => "SPLIT",
        ActivityKind::Rename => "NC",
        ActivityKind::Other => "MISC",
    }
}

fn other(row: &SimActivity) -> Value {
    let detail = match row.kind {
        ActivityKind::Regulatory => "TAF",
        ActivityKind::Dividend => "CDIV",
        ActivityKind::Split if row.quantity.0.is_negative() => "RSPLIT",
        ActivityKind::Split => "FSPLIT",
        ActivityKind::Commission
        | ActivityKind::Interest
        | ActivityKind::Cash
        | ActivityKind::Shares
        | ActivityKind::Rename
        | ActivityKind::Other => "",
    };
    let mut value = json!({
        "id": row.id,
        "activity_type": kind(row),
        "activity_sub_type": detail,
        "date": row.date.to_string(),
        "created_at": row.at.to_string(),
        "net_amount": row.cash.to_string(),
        "description": row.note,
        "status": if row.canceled { "canceled" } else { "executed" },
        "group_id": "",
    });
    if let (Some(symbol), Some(fields)) = (&row.symbol, value.as_object_mut()) {
        fields.insert("symbol".to_owned(), json!(symbol));
        fields.insert("qty".to_owned(), json!(row.quantity.to_string()));
    }
    value
}

fn activity(row: &SimExecution) -> Value {
    let whole = row.leaves == Shares::ZERO;
    let kind = match row.nature {
        Nature::Trade if whole => "fill",
        Nature::Trade => "partial_fill",
        Nature::Correction => "trade_correct",
        Nature::Bust => "trade_bust",
    };
    let mut value = json!({
        "id": row.id,
        "activity_type": "FILL",
        "transaction_time": row.at.to_string(),
        "type": kind,
        "price": row.price.to_string(),
        "qty": row.shown.to_string(),
        "side": render::side(row.side),
        "symbol": row.symbol,
        "leaves_qty": row.leaves.to_string(),
        "order_id": row.order_id,
        "cum_qty": row.cumulative.to_string(),
        "order_status": if whole { "filled" } else { "partially_filled" },
    });
    if let (Some(previous), Some(fields)) = (&row.corrects, value.as_object_mut()) {
        fields.insert("previous_id".to_owned(), json!(previous));
    }
    value
}
