//! Daily bars, and what companies announce.

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde_json::{Map, Value, json};

use super::{
    super::{
        front::{Answer, Request},
        ledger::Ledger,
        money::double,
        night::SimAction,
        strike::{Bent, Strike},
    },
    error, invalid,
};
use crate::{book::action::Change, time::new_york_date};

/// Days that one question can be about.
const DAYS: usize = 10_000;

fn day(request: &Request, name: &str) -> Result<Option<Date>, Answer> {
    let Some(text) = request.param(name) else { return Ok(None) };
    // A date, or an instant of which the date counts.
    let date = text.get(..10).unwrap_or(text).parse();
    date.map(Some).map_err(|_| invalid(&format!("invalid {name}: {text}")))
}

/// Which page is asked for, and how many rows it has.
fn page(request: &Request, most: usize) -> Result<(usize, usize), Answer> {
    let limit = match request.param("limit").map(str::parse) {
        None => most,
        Some(Ok(limit)) if (1..=most).contains(&limit) => limit,
        Some(_) => return Err(invalid("invalid limit")),
    };
    let from = request.param("page_token").map_or(Ok(0), str::parse);
    from.map(|from| (from, limit)).map_err(|_| invalid("invalid page_token"))
}

pub(super) fn bars(ledger: &Ledger, request: &Request, bent: &Bent, now: Timestamp) -> Answer {
    if bent.has(&Strike::ForbidQuote) {
        return error(403, 42_210_000, "subscription does not permit querying recent SIP data");
    }
    let asked = || {
        if request.param("timeframe") != Some("1Day") {
            return Err(invalid("only timeframe=1Day is part of the rehearsal"));
        }
        let today = new_york_date(now);
        let start = day(request, "start")?.unwrap_or(today);
        Ok((start, day(request, "end")?.unwrap_or(today), page(request, DAYS)?))
    };
    let (start, end, (from, limit)) = match asked() {
        Ok(asked) => asked,
        Err(answer) => return answer,
    };
    let symbols = request.param("symbols").unwrap_or_default();
    let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
    let all = symbols.split(',').flat_map(|symbol| {
        let days = start.series(1.day()).take(DAYS).take_while(|date| *date <= end);
        days.filter_map(move |date| Some((symbol, date, ledger.close_of(symbol, date, now)?)))
    });
    let rows: Vec<_> = all.collect();
    let mut bars: Map<String, Value> = Map::new();
    for (symbol, date, close) in rows.iter().skip(from).take(limit) {
        let midnight = date.to_zoned(zone.clone()).map(|at| at.timestamp()).unwrap_or_default();
        let price = double(close.dollars());
        let bar = json!({ "t": midnight.to_string(), "o": price, "h": price, "l": price, "c": price,
                          "v": 41_000_000, "n": 512_000, "vw": price });
        if let Some(list) = bars.entry(*symbol).or_insert_with(|| json!([])).as_array_mut() {
            list.push(bar);
        }
    }
    let next = (from + limit < rows.len()).then(|| (from + limit).to_string());
    Answer::json(200, &json!({ "bars": bars, "next_page_token": next }))
}

pub(super) fn actions(ledger: &Ledger, request: &Request, bent: &Bent) -> Answer {
    if bent.has(&Strike::ForbidQuote) {
        return Answer::json(403, &json!({ "message": "forbidden." }));
    }
    let asked = || Ok::<_, Answer>((day(request, "start")?, day(request, "end")?, page(request, 1000)?));
    let (start, end, (from, limit)) = match asked() {
        Ok(asked) => asked,
        Err(answer) => return answer,
    };
    let symbols: Option<Vec<&str>> = request.param("symbols").map(|symbols| symbols.split(',').collect());
    let types: Option<Vec<&str>> = request.param("types").map(|types| types.split(',').collect());
    let wanted = |action: &&SimAction| {
        symbols.as_ref().is_none_or(|symbols| symbols.contains(&action.symbol.as_str()))
            && types.as_ref().is_none_or(|types| types.contains(&kind(action)))
            && start.is_none_or(|start| action.ex_date >= start)
            && end.is_none_or(|end| action.ex_date <= end)
    };
    let rows: Vec<&SimAction> = ledger.night.actions.iter().filter(wanted).collect();
    let mut groups: Map<String, Value> = Map::new();
    for action in rows.iter().skip(from).take(limit) {
        let group = groups.entry(format!("{}s", kind(action))).or_insert_with(|| json!([]));
        if let Some(list) = group.as_array_mut() {
            list.push(shown(action));
        }
    }
    let next = (from + limit < rows.len()).then(|| (from + limit).to_string());
    Answer::json(200, &json!({ "corporate_actions": groups, "next_page_token": next }))
}

fn kind(action: &SimAction) -> &'static str {
    match &action.change {
        Change::Split { new, old } if new < old => "reverse_split",
        Change::Split { .. } => "forward_split",
        Change::Dividend { .. } => "cash_dividend",
        Change::Rename { .. } => "name_change",
    }
}

fn shown(action: &SimAction) -> Value {
    let date = |date: Option<Date>| date.map(|date| date.to_string());
    let ex_date = action.ex_date.to_string();
    let (record, payable) = (date(action.record_date), date(action.payable_date));
    match &action.change {
        Change::Split { new, old } => json!({
            "id": action.id, "symbol": action.symbol, "cusip": "000000000", "new_rate": double(*new),
            "old_rate": double(*old), "ex_date": ex_date, "record_date": record, "payable_date": payable,
            "process_date": ex_date,
        }),
        Change::Dividend { per_share } => json!({
            "id": action.id, "symbol": action.symbol, "cusip": "000000000", "rate": double(per_share.dollars()),
            "special": false, "foreign": false, "ex_date": ex_date, "record_date": record,
            "payable_date": payable, "process_date": payable,
        }),
        Change::Rename { to } => json!({
            "id": action.id, "old_symbol": action.symbol, "new_symbol": to, "old_cusip": "000000000",
            "new_cusip": "000000001", "process_date": ex_date,
        }),
    }
}
