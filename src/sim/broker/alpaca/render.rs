//! Alpaca's JSON: quantities and prices are strings or null, times RFC 3339.

use serde_json::{Value, json};

use super::super::{
    ledger::{Ledger, uuid_of},
    money::{ratio, rounded},
    order::{PlacedBy, SimOrder, SimStatus, TimeInForce},
    strike::{Bent, Strike},
};
use crate::{book::fill::Side, units::Shares};

/// Fields that no order lacks, because the official SDK refuses it without them, and
/// those that say what it is.
const KEPT: [&str; 14] = [
    "id",
    "client_order_id",
    "created_at",
    "updated_at",
    "submitted_at",
    "order_class",
    "time_in_force",
    "status",
    "extended_hours",
    "symbol",
    "side",
    "type",
    "qty",
    "filled_qty",
];

/// An order.
pub(super) fn order(ledger: &Ledger, order: &SimOrder, bent: &Bent) -> Value {
    let quantity = |shares: Shares| shares.to_string();
    let average = ratio(order.value.0, order.filled.0).map(|average| rounded(average, 6).to_string());
    let kind = if order.limit.is_some() { "limit" } else { "market" };
    let ended = |status: SimStatus| (order.status == status).then_some(order.ended_at).flatten();
    let held = ledger.held(&order.symbol);
    let intent = match order.side {
        Side::Buy if held.0.is_negative() => "buy_to_close",
        Side::Buy => "buy_to_open",
        Side::Sell if held > Shares::ZERO => "sell_to_close",
        Side::Sell => "sell_to_open",
    };
    let mut value = json!({
        "id": order.id,
        "client_order_id": order.client_id,
        "created_at": order.submitted_at.to_string(),
        "updated_at": order.updated_at.to_string(),
        "submitted_at": order.submitted_at.to_string(),
        "filled_at": order.filled_at.filter(|_| order.status == SimStatus::Filled).map(|at| at.to_string()),
        "expired_at": ended(SimStatus::Expired).map(|at| at.to_string()),
        "expires_at": order.expires_at.to_string(),
        "canceled_at": ended(SimStatus::Canceled).map(|at| at.to_string()),
        "failed_at": ended(SimStatus::Rejected).map(|at| at.to_string()),
        "replaced_at": ended(SimStatus::Replaced).map(|at| at.to_string()),
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
        "asset_id": uuid_of(&order.symbol),
        "symbol": order.symbol,
        "asset_class": "us_equity",
        "notional": order.notional.map(|notional| notional.to_string()),
        "qty": order.quantity.map(quantity),
        "filled_qty": quantity(order.filled),
        "filled_avg_price": average,
        "order_class": "",
        "order_type": kind,
        "type": kind,
        "side": side(order.side),
        "time_in_force": time_in_force(order.time_in_force),
        "limit_price": order.limit.map(|limit| limit.to_string()),
        "stop_price": null,
        "status": bent.word().unwrap_or(word(order.status)),
        "extended_hours": order.extended,
        "legs": null,
        "trail_percent": null,
        "trail_price": null,
        "hwm": null,
        "position_intent": intent,
        "subtag": null,
        "source": if order.placed_by == PlacedBy::Client { Some("access_key") } else { None },
    });
    if let (true, Some(fields)) = (bent.has(&Strike::Bare), value.as_object_mut()) {
        fields.retain(|name, _| KEPT.contains(&name.as_str()));
    }
    extended(value, bent)
}

/// With fields that nobody knows, where those strike.
pub(super) fn extended(mut value: Value, bent: &Bent) -> Value {
    if let (true, Some(fields)) = (bent.has(&Strike::Extra), value.as_object_mut()) {
        fields.insert("phase_of_the_moon".to_owned(), json!({ "waxing": true, "days": [1, 2.5, null] }));
        fields.insert("group_role".to_owned(), json!("lead"));
    }
    value
}

/// Alpaca's word for a status.
pub(super) fn word(status: SimStatus) -> &'static str {
    match status {
        SimStatus::PendingNew => "pending_new",
        SimStatus::Accepted => "accepted",
        SimStatus::New => "new",
        SimStatus::PartiallyFilled => "partially_filled",
        SimStatus::PendingCancel => "pending_cancel",
        SimStatus::Filled => "filled",
        SimStatus::Canceled => "canceled",
        SimStatus::Expired => "expired",
        SimStatus::Rejected => "rejected",
        SimStatus::Replaced => "replaced",
    }
}

pub(super) fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

fn time_in_force(time_in_force: TimeInForce) -> &'static str {
    match time_in_force {
        TimeInForce::Day => "day",
        TimeInForce::Gtc => "gtc",
        TimeInForce::Ioc => "ioc",
        TimeInForce::Fok => "fok",
    }
}
