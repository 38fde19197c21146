//! Schwab's JSON: quantities and prices are numbers, times have an offset without a colon.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::{
    ledger::{Ledger, uuid_of},
    money::{Summed, double},
    order::{PlacedBy, SimExecution, SimOrder, SimStatus, TimeInForce},
    strike::{Bent, Strike},
};
use crate::{
    book::{execution::Nature, fill::Side},
    units::{Price, Shares},
};

/// Fields that no order lacks.
const KEPT: [&str; 12] = [
    "orderId",
    "session",
    "duration",
    "orderType",
    "quantity",
    "filledQuantity",
    "orderLegCollection",
    "status",
    "enteredTime",
    "tag",
    "orderActivityCollection",
    "replacingOrderCollection",
];

/// So long an order is shown as one that nobody looked at yet.
const LOOKING: i64 = 1;

/// `2026-11-20T15:30:21+0000`.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S+0000").to_string()
}

/// A share, as it stands in orders, positions and transactions.
pub(super) fn instrument(symbol: &str) -> Value {
    let id = uuid_of(symbol).replace('-', "");
    let cusip = id.get(..9).unwrap_or_default().to_uppercase();
    let fund = ["SPY", "SPYM", "QQQ", "IVV"].contains(&symbol);
    json!({
        "assetType": if fund { "COLLECTIVE_INVESTMENT" } else { "EQUITY" },
        "cusip": cusip,
        "symbol": symbol,
        "description": format!("{symbol} INC"),
        "instrumentId": instrument_id(symbol),
        "type": if fund { "EXCHANGE_TRADED_FUND" } else { "COMMON_STOCK" },
    })
}

fn instrument_id(symbol: &str) -> u32 {
    let id = uuid_of(symbol);
    u32::from_str_radix(id.get(..7).unwrap_or_default(), 16).unwrap_or_default()
}

/// What an order does, in Schwab's word.
fn instruction(order: &SimOrder) -> &'static str {
    match (order.side, order.short) {
        (Side::Buy, false) => "BUY",
        (Side::Buy, true) => "BUY_TO_COVER",
        (Side::Sell, false) => "SELL",
        (Side::Sell, true) => "SELL_SHORT",
    }
}

/// An order.
pub(super) fn order(ledger: &Ledger, order: &SimOrder, bent: &Bent, tag: &str, now: Timestamp) -> Value {
    let quantity = order.quantity.unwrap_or_default();
    let open = order.status.is_open();
    let opens = (order.side == Side::Buy) != order.short;
    // What ended has nothing left to do.
    let remaining = if open { order.remaining(Price::default()) } else { Shares::ZERO };
    let mut value = json!({
        "session": order.session,
        "duration": match order.time_in_force {
            TimeInForce::Day => "DAY",
            TimeInForce::Gtc => "GOOD_TILL_CANCEL",
            TimeInForce::Ioc => "IMMEDIATE_OR_CANCEL",
            TimeInForce::Fok => "FILL_OR_KILL",
        },
        "orderType": if order.limit.is_some() { "LIMIT" } else { "MARKET" },
        "complexOrderStrategyType": "NONE",
        "quantity": double(quantity.0),
        "filledQuantity": double(order.filled.0),
        "remainingQuantity": double(remaining.0),
        "requestedDestination": "AUTO",
        "destinationLinkName": "AutoRoute",
        "orderLegCollection": [{
            "orderLegType": "EQUITY",
            "legId": 1,
            "instrument": instrument(&order.symbol),
            "instruction": instruction(order),
            "positionEffect": if opens { "OPENING" } else { "CLOSING" },
            "quantity": double(quantity.0),
        }],
        "orderStrategyType": "SINGLE",
        "orderId": order.number,
        "cancelable": open && order.status != SimStatus::PendingCancel,
        "editable": open && order.status != SimStatus::PendingCancel,
        "status": bent.word().unwrap_or(word(order, now)),
        "enteredTime": time(order.submitted_at),
        "tag": match order.placed_by {
            PlacedBy::Client | PlacedBy::Broker => tag,
            PlacedBy::Person => "API_TOS:CHART",
        },
        "accountNumber": ledger.account_number,
    });
    let Some(fields) = value.as_object_mut() else { return value };
    if let Some(limit) = order.limit {
        fields.insert("price".to_owned(), double(limit.dollars()));
    }
    if let Some(at) = order.ended_at {
        fields.insert("closeTime".to_owned(), json!(time(at)));
    }
    if let Some(reason) = &order.reason {
        fields.insert("statusDescription".to_owned(), json!(reason));
    }
    if let Some(next) = order.replaced_by.as_ref().and_then(|id| ledger.place_of(id)) {
        let next = ledger.orders.get(next).map(|next| json!({ "orderId": next.number }));
        fields.insert("replacingOrderCollection".to_owned(), json!([next]));
    }
    let trades = |row: &&SimExecution| row.order_number == order.number && row.nature == Nature::Trade;
    let mut activities: Vec<Value> = ledger.executions.iter().filter(trades).map(activity).collect();
    if order.status == SimStatus::Canceled {
        activities.push(cancellation(order));
    }
    if !activities.is_empty() {
        fields.insert("orderActivityCollection".to_owned(), Value::Array(activities));
    }
    if bent.has(&Strike::Bare) {
        fields.retain(|name, _| KEPT.contains(&name.as_str()));
    }
    if bent.has(&Strike::Extra) {
        fields.insert("phaseOfTheMoon".to_owned(), json!({ "waxing": true, "days": [1, 2.5, null] }));
    }
    value
}

fn activity(row: &SimExecution) -> Value {
    json!({
        "activityType": "EXECUTION",
        "activityId": row.number,
        "executionType": "FILL",
        "quantity": double(row.shown.0),
        "orderRemainingQuantity": double(row.leaves.0),
        "executionLegs": [{
            "legId": 1,
            "quantity": double(row.shown.0),
            "mismarkedQuantity": 0.0,
            "price": double(row.price.dollars()),
            "time": time(row.at),
            "instrumentId": instrument_id(&row.symbol),
        }],
    })
}

/// A cancel is an execution too, at no price: who sums all of them is wrong.
fn cancellation(order: &SimOrder) -> Value {
    let left = order.quantity.unwrap_or_default().less(order.filled);
    let at = order.ended_at.unwrap_or(order.updated_at);
    json!({
        "activityType": "EXECUTION",
        "activityId": order.number + 1_000_000_000_000,
        "executionType": "CANCELED",
        "quantity": double(left.0),
        "orderRemainingQuantity": 0.0,
        "executionLegs": [{
            "legId": 1,
            "quantity": double(left.0),
            "mismarkedQuantity": 0.0,
            "price": 0.0,
            "time": time(at),
            "instrumentId": instrument_id(&order.symbol),
        }],
    })
}

/// Schwab's word for a status.
pub(super) fn word(order: &SimOrder, now: Timestamp) -> &'static str {
    match order.status {
        SimStatus::PendingNew | SimStatus::New
            if now.as_second() - order.submitted_at.as_second() < LOOKING =>
        {
            "PENDING_ACKNOWLEDGEMENT"
        }
        SimStatus::PendingNew | SimStatus::New | SimStatus::PartiallyFilled => "WORKING",
        SimStatus::Accepted => "QUEUED",
        SimStatus::PendingCancel => "PENDING_CANCEL",
        SimStatus::Filled => "FILLED",
        SimStatus::Canceled => "CANCELED",
        SimStatus::Expired => "EXPIRED",
        SimStatus::Rejected => "REJECTED",
        SimStatus::Replaced => "REPLACED",
    }
}
