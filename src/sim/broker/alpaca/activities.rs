//! Activities: every execution, and what was taken back of one.

use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};

use super::{
    super::{
        front::{Answer, Request},
        ledger::Ledger,
        order::SimExecution,
        strike::Bent,
    },
    instant, invalid, render,
};
use crate::{book::execution::Nature, time::new_york_date, units::Shares};

/// Activities a page has, unless it is asked for fewer.
const PAGE: usize = 100;

/// The types that there are; only fills ever happen here.
const TYPES: [&str; 28] = [
    "FILL", "ACATC", "ACATS", "CFEE", "CSD", "CSW", "DIV", "DIVCGL", "DIVCGS", "DIVFEE", "DIVFT", "DIVNRA",
    "DIVROC", "DIVTW", "DIVTXEX", "FEE", "INT", "JNL", "JNLC", "JNLS", "MA", "NC", "PTC", "REORG", "SPIN",
    "SPLIT", "TRANS", "MISC",
];

pub(super) fn list(ledger: &Ledger, request: &Request, kind: Option<&str>, bent: &Bent) -> Answer {
    match chosen(ledger, request, kind) {
        Ok(rows) => {
            let rows = rows.into_iter().map(|row| render::extended(activity(row), bent)).collect();
            Answer::json(200, &Value::Array(rows))
        }
        Err(answer) => answer,
    }
}

fn chosen<'l>(
    ledger: &'l Ledger,
    request: &Request,
    kind: Option<&str>,
) -> Result<Vec<&'l SimExecution>, Answer> {
    let types: Option<Vec<&str>> = kind
        .map(|kind| vec![kind])
        .or_else(|| request.param("activity_types").map(|types| types.split(',').collect()));
    if let Some(unknown) = types.iter().flatten().find(|kind| !TYPES.contains(kind)) {
        return Err(invalid(&format!("invalid activity type: {unknown}")));
    }
    let fills = match (types, request.param("category")) {
        (Some(_), Some(_)) => {
            return Err(invalid("only one of activity_types or category is accepted"));
        }
        (Some(types), None) => types.contains(&"FILL"),
        (None, None | Some("trade_activity")) => true,
        (None, Some("non_trade_activity")) => false,
        (None, Some(other)) => return Err(invalid(&format!("invalid category: {other}"))),
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
    let mut rows: Vec<&SimExecution> = ledger
        .executions
        .iter()
        .filter(|row| {
            fills
                && after.is_none_or(|after| row.at > after)
                && until.is_none_or(|until| row.at < until)
                && date.is_none_or(|date| new_york_date(row.at) == date)
                && order.is_none_or(|order| row.order_id == order)
        })
        .collect();
    rows.sort_by_key(|row| row.at);
    if request.param("direction") != Some("asc") {
        rows.reverse();
    }
    if let Some(token) = request.param("page_token") {
        let last = rows.iter().position(|row| row.id == token);
        let last = last.ok_or_else(|| invalid("invalid page_token"))?;
        rows.drain(..=last);
    }
    rows.truncate(size);
    Ok(rows)
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
