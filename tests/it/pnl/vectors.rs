//! The cases of `tests/fixtures/fifo.json`, and what must come out.

use std::collections::BTreeMap;

use hedge::{
    book::{
        count::{Action, Counted},
        fill::Side,
        history::History,
        pnl::{Key, Trade, TradeId, TradeType, price_of, valued},
    },
    time::new_york_date,
    units::{Amount, Price, Shares, Usd},
};
use jiff::Timestamp;
use serde_json::{Map, Value};

pub const CASES: &str = include_str!("../../fixtures/fifo.json");

/// A case: batches in the order in which they became known, and what is so after each.
pub struct Case {
    pub name: String,
    pub batches: Vec<Vec<Value>>,
    pub expected: Vec<Value>,
    pub marks: BTreeMap<String, Amount>,
    pub error: Option<String>,
}

pub fn cases() -> Vec<Case> {
    let file: Value = serde_json::from_str(CASES).unwrap();
    let cases: Vec<Case> = file["cases"].as_array().unwrap().iter().map(case).collect();
    assert_eq!(cases.len(), 32);
    cases
}

fn case(value: &Value) -> Case {
    let list = |value: &Value| value.as_array().unwrap().clone();
    let (batches, expected) = match value.get("batches") {
        Some(batches) => (list(batches).iter().map(list).collect(), list(&value["expect_after_batch"])),
        None => (vec![list(&value["events"])], value.get("expect").cloned().into_iter().collect()),
    };
    let marks = value.get("marks").and_then(Value::as_object).cloned().unwrap_or_default();
    Case {
        name: text(value, "name").to_owned(),
        batches,
        expected,
        marks: marks
            .iter()
            .map(|(symbol, mark)| (symbol.clone(), mark.as_str().unwrap().parse().unwrap()))
            .collect(),
        error: value.get("expect_error").map(|error| error.as_str().unwrap().to_owned()),
    }
}

pub fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} of {value}"))
}

/// A number of an event, which may be a JSON number or text; none where there is none.
pub fn given(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

pub fn micros(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_microsecond()
}

pub fn amount(value: &Value, key: &str) -> Option<Amount> {
    given(value, key).map(|text| text.parse().unwrap())
}

/// `AAPL`'s trade, as a case tells it.
pub fn trade(event: &Value) -> Trade {
    let quantity = Shares(amount(event, "quantity").unwrap());
    let price = amount(event, "price").and_then(Price::of);
    let cash = amount(event, "notional").map(Usd).unwrap_or_else(|| quantity.at(price.unwrap()).unwrap());
    Trade {
        key: Key { at: micros(text(event, "executed_at")), kind: kind(event), id: id(event) },
        side: Side::named(text(event, "side")).unwrap(),
        quantity,
        price: price.unwrap_or_else(|| price_of(quantity, cash).unwrap()),
        cash,
        fee: Usd(amount(event, "fee").unwrap_or_default()),
        oracle: amount(event, "oracle_price").and_then(Price::of),
        reference: amount(event, "reference_price").and_then(Price::of),
    }
}

pub fn kind(event: &Value) -> TradeType {
    TradeType::named(text(event, "trade_type")).unwrap()
}

pub fn id(event: &Value) -> TradeId {
    given(event, "trade_id").unwrap().parse().unwrap()
}

/// Takes in an event.
pub fn take(history: &mut History, event: &Value) -> Result<(), hedge::book::history::Refused> {
    let symbol = history.symbol(text(event, "symbol"));
    match text(event, "kind") {
        "trade" => history.trade(symbol, trade(event)),
        "split" => {
            let (new, old) = (amount(event, "ratio_num").unwrap(), amount(event, "ratio_den").unwrap());
            history.action(symbol, micros(text(event, "at")), Action::Split { new, old })
        }
        "rename" => {
            let to = history.symbol(text(event, "to_symbol"));
            history.action(symbol, micros(text(event, "at")), Action::Rename { to })
        }
        _ => {
            history.retract(kind(event), id(event));
            Ok(())
        }
    }
}

/// What was counted, in the words of the cases.
pub fn told(history: &History, played: &Counted, marks: &BTreeMap<String, Amount>) -> Value {
    let name = |key: Key| format!("{}:{}", key.kind, key.id);
    let mut matches = played.matches.iter().peekable();
    let mut days: BTreeMap<(String, String), (Usd, Usd, u64, Usd, Usd, Shares)> = BTreeMap::new();
    let mut sums: BTreeMap<&str, [Amount; 4]> = BTreeMap::new();
    let mut rows = Vec::new();
    for row in &played.rows {
        let (trade, figures) = (&row.trade, &row.figures);
        let symbol = history.name(row.symbol);
        let mut met = Vec::new();
        while let Some(found) = matches.next_if(|found| found.closing == trade.key) {
            let mut told = Map::new();
            let mut put = |key: &str, value: Value| told.insert(key.to_owned(), value);
            put("opening", name(found.opening).into());
            put("closing", name(found.closing).into());
            put("quantity", found.quantity.to_string().into());
            put("opening_amount", found.opening_cash.to_string().into());
            put("closing_amount", found.closing_cash.to_string().into());
            put("pnl", found.pnl.to_string().into());
            put("bucket", found.bucket.word().into());
            put("elapsed_seconds", found.elapsed_seconds().into());
            if let Some(spread) = found.spread {
                put("edge", spread.edge.to_string().into());
                put("drift", spread.drift.to_string().into());
                put("slippage", spread.slippage.to_string().into());
            }
            met.push(Value::Object(told));
        }
        let date = new_york_date(Timestamp::from_microsecond(trade.key.at).unwrap()).to_string();
        let day = days.entry((date, symbol.to_owned())).or_default();
        day.0 = day.0.plus(figures.realized.unwrap_or_default()).unwrap();
        day.1 = day.1.plus(trade.fee).unwrap();
        day.2 += 1;
        day.5 = figures.net;
        let sum = sums.entry(symbol).or_default();
        let place = if trade.side == Side::Buy { 0 } else { 1 };
        sum[place] = sum[place].plus(trade.quantity.0).unwrap();
        sum[place + 2] = sum[place + 2].plus(trade.cash.0).unwrap();
        let usd = if trade.side == Side::Buy { &mut day.3 } else { &mut day.4 };
        *usd = usd.plus(trade.cash).unwrap();
        rows.push(serde_json::json!({
            "symbol": symbol, "executed_at": trade.key.at, "trade_type": trade.key.kind.word(),
            "trade_id": trade.key.id.to_string(), "side": trade.side.word(),
            "quantity": trade.quantity.to_string(), "price": trade.price.to_string(),
            "notional": trade.cash.to_string(), "realized_pnl": figures.realized.map(|usd| usd.to_string()),
            "cumulative_pnl": figures.cumulative.to_string(), "net_position_after": figures.net.to_string(),
            "fee": trade.fee.to_string(), "cumulative_fees": figures.fees.to_string(), "matches": met,
        }));
    }
    let mut books: Vec<_> = played.books.iter().map(|(symbol, book)| (history.name(*symbol), book)).collect();
    books.sort_by_key(|(name, _)| *name);
    let mut lots = Vec::new();
    let mut unrealized = Vec::new();
    for (symbol, book) in &books {
        for (position, lot) in book.queue.lots().enumerate() {
            lots.push(serde_json::json!({
                "symbol": symbol, "position": position, "opening": name(lot.tag.key),
                "side": if book.queue.side() == Side::Buy { "LONG" } else { "SHORT" },
                "open_quantity": lot.parcel.left().to_string(), "open_cost": lot.parcel.cost().to_string(),
            }));
        }
        let (net, book_value) = (book.queue.net(), book.queue.book_value());
        if net != Shares::ZERO {
            let mark = marks.get(*symbol).copied();
            let valued = valued(net, book_value, mark.and_then(Price::of));
            unrealized.push(serde_json::json!({
                "symbol": symbol, "net_position": net.to_string(), "book_value": book_value.to_string(),
                "mark": mark.map(|mark| mark.to_string()),
                "market_value": valued.map(|valued| valued.market.to_string()),
                "unrealized_pnl": valued.map(|valued| valued.unrealized.to_string()),
            }));
        }
    }
    let daily: Vec<Value> = days
        .into_iter()
        .map(|((date, symbol), (realized, fees, count, bought, sold, net))| {
            serde_json::json!({
                "et_date": date, "symbol": symbol, "realized_pnl": realized.to_string(),
                "fees": fees.to_string(), "net_pnl": realized.minus(fees).unwrap().to_string(),
                "trade_count": count, "bought_usd": bought.to_string(), "sold_usd": sold.to_string(),
                "net_position_end": net.to_string(),
            })
        })
        .collect();
    serde_json::json!({"rows": rows, "open_lots": lots, "daily": daily, "unrealized": unrealized})
}

/// What is expected, with times as microseconds and ids as text, which is how they are told.
pub fn expected(expected: &Value) -> Value {
    let mut expected = expected.clone();
    for row in expected["rows"].as_array_mut().unwrap() {
        row["executed_at"] = micros(text(row, "executed_at")).into();
        row["trade_id"] = given(row, "trade_id").unwrap().into();
    }
    expected
}

#[test]
fn every_case_comes_out_as_it_must() {
    for case in cases() {
        let mut known: Vec<&Value> = Vec::new();
        for (place, batch) in case.batches.iter().enumerate() {
            known.extend(batch);
            let mut history = History::default();
            if let Some(error) = &case.error {
                // What is no number never gets this far: `replay.rs`.
                if error == "conflicting_duplicate" {
                    let refused = known.iter().try_for_each(|event| take(&mut history, event)).unwrap_err();
                    assert!(refused.to_string().starts_with(error.as_str()), "{}: {refused}", case.name);
                }
                continue;
            }
            for event in &known {
                take(&mut history, event).unwrap();
            }
            let (history, played) = history.play().unwrap();
            let told = told(&history, &played, &case.marks);
            let expected = expected(&case.expected[place]);
            for part in ["rows", "open_lots", "daily"] {
                assert_eq!(told[part], expected[part], "{part} of {}", case.name);
            }
            if expected.get("unrealized").is_some() {
                assert_eq!(told["unrealized"], expected["unrealized"], "{}", case.name);
            }
        }
    }
}
