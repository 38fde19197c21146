//! Orders: placed, read, cancelled, replaced.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json, value::RawValue};

use super::{
    super::{
        front::{Answer, Request},
        ledger::{CancelRefused, Late, Ledger, later},
        money::is_sane,
        order::{NewOrder, PlacedBy, Refused, SimOrder, SimStatus, TimeInForce},
        strike::{Bent, Strike},
    },
    error, error_with, instant, invalid, render,
};
use crate::{
    book::fill::Side,
    units::{Amount, Price, Shares, Usd},
};

/// Orders a list has, unless it is asked for more; and the most it can be.
const LISTED: usize = 50;
const MOST_LISTED: usize = 500;

/// A JSON object whose numbers may be strings.
struct Fields<'b>(BTreeMap<String, &'b RawValue>);

impl<'b> Fields<'b> {
    fn of(body: &'b [u8]) -> Result<Self, Answer> {
        let fields = serde_json::from_slice(body);
        fields.map(Self).map_err(|_| error(400, 40_010_000, "request body format is invalid"))
    }

    /// What a field says, as text; an empty one says nothing.
    fn text(&self, name: &str) -> Option<String> {
        let raw = self.0.get(name)?.get();
        let text = if raw.starts_with('"') { serde_json::from_str(raw).ok()? } else { raw.to_owned() };
        (!text.is_empty() && text != "null").then_some(text)
    }

    fn decimal(&self, name: &str) -> Result<Option<Amount>, Answer> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| invalid(&format!("invalid {name}: {text}")))
    }
}

/// The ticker that an order's body is about.
pub(super) fn symbol_of(body: &[u8]) -> Option<String> {
    Fields::of(body).ok()?.text("symbol")
}

pub(super) fn submit(ledger: &mut Ledger, request: &Request, bent: &Bent, now: Timestamp) -> Answer {
    let order = match Fields::of(&request.body).and_then(|fields| wanted(&fields)) {
        Ok(order) => order,
        Err(answer) => return answer,
    };
    if let Some(by) = bent.late() {
        ledger.arrives(Late { at: later(now, by), order, fate: bent.fate(), decided: false });
        return Answer::empty(504);
    }
    if let Err(why) = ledger.check(&order) {
        let wanted = order.quantity.map(|quantity| quantity.to_string()).unwrap_or_default();
        return refused(&why, &order.symbol, &wanted, order.is_fractional());
    }
    let place = ledger.take(order, &bent.fate(), now);
    shown(ledger, Some(place), bent, || Answer::empty(500))
}

/// The order that a body asks for, held against the rules of form.
fn wanted(fields: &Fields<'_>) -> Result<NewOrder, Answer> {
    let required = |name: &str| fields.text(name).ok_or_else(|| invalid(&format!("{name} is required")));
    let symbol = required("symbol")?;
    let side = match required("side")?.as_str() {
        "buy" => Side::Buy,
        "sell" => Side::Sell,
        other => return Err(invalid(&format!("invalid side: {other}"))),
    };
    let kind = required("type")?;
    let time_in_force = match required("time_in_force")?.as_str() {
        "day" => TimeInForce::Day,
        "gtc" => TimeInForce::Gtc,
        "ioc" => TimeInForce::Ioc,
        "fok" => TimeInForce::Fok,
        "opg" | "cls" => return Err(absent("orders for the auctions")),
        other => return Err(invalid(&format!("invalid time_in_force: {other}"))),
    };
    if !matches!(fields.text("order_class").as_deref(), None | Some("simple")) {
        return Err(absent("orders of several legs"));
    }
    let limit = match (kind.as_str(), fields.decimal("limit_price")?) {
        ("market", None) => None,
        ("market", Some(_)) => return Err(invalid("market orders require no limit price")),
        ("limit", Some(limit)) => Some(penny(limit)?),
        ("limit", None) => return Err(invalid("limit orders require a limit price")),
        ("stop" | "stop_limit" | "trailing_stop", _) => return Err(absent("stop orders")),
        (other, _) => return Err(invalid(&format!("invalid type: {other}"))),
    };
    let (quantity, notional) = size(fields)?;
    let extended = fields.text("extended_hours").as_deref() == Some("true");
    if extended && (limit.is_none() || !matches!(time_in_force, TimeInForce::Day | TimeInForce::Gtc)) {
        return Err(error(422, 42_210_000, "extended hours order must be DAY limit orders"));
    }
    let client_id = fields.text("client_order_id");
    if client_id.as_ref().is_some_and(|id| id.chars().count() > 128) {
        return Err(invalid("client_order_id must be no more than 128 characters"));
    }
    let order = NewOrder {
        client_id,
        symbol,
        side,
        quantity,
        notional,
        limit,
        time_in_force,
        extended,
        session: "",
        short: false,
        placed_by: PlacedBy::Client,
        replaces: None,
    };
    if order.is_fractional() && time_in_force != TimeInForce::Day {
        return Err(error(422, 42_210_000, "fractional orders must be DAY orders"));
    }
    Ok(order)
}

/// Shares, or dollars.
fn size(fields: &Fields<'_>) -> Result<(Option<Shares>, Option<Usd>), Answer> {
    match (fields.decimal("qty")?, fields.decimal("notional")?) {
        (Some(_), Some(_)) => Err(invalid("only one of qty or notional is accepted")),
        (None, None) => Err(invalid("qty or notional is required")),
        (Some(quantity), None) if quantity.is_zero() || quantity.is_negative() => {
            Err(invalid("qty must be > 0"))
        }
        (Some(quantity), None) if quantity != quantity.cut(9) => {
            Err(invalid("qty must be limited to 9 decimal places"))
        }
        (None, Some(notional)) if notional.is_zero() || notional.is_negative() => {
            Err(invalid("notional must be > 0"))
        }
        (None, Some(notional)) if notional != notional.cut(2) => {
            Err(error(422, 42_210_000, "notional value must be limited to 2 decimal places"))
        }
        (Some(size), None) | (None, Some(size)) if !is_sane(size) => Err(invalid("order is too large")),
        (quantity, notional) => Ok((quantity.map(Shares), notional.map(Usd))),
    }
}

/// A limit price, two decimals from a dollar on and four below.
fn penny(limit: Amount) -> Result<Price, Answer> {
    let decimals = if limit < Amount::ONE { 4 } else { 2 };
    if limit.is_zero() || !is_sane(limit) {
        return Err(invalid("limit price must be > 0"));
    }
    let price = Price::of(limit).filter(|_| limit == limit.cut(decimals));
    price.ok_or_else(|| {
        let message = format!(
            "invalid limit_price {limit}. sub-penny increment does not fulfill minimum pricing criteria"
        );
        error(422, 42_210_000, &message)
    })
}

/// What the real one has and this one has not.
fn absent(what: &str) -> Answer {
    error(422, 42_210_000, &format!("{what} are not part of the rehearsal"))
}

/// A refusal in Alpaca's words.
pub(super) fn refused(why: &Refused, symbol: &str, wanted: &str, fractional: bool) -> Answer {
    match why {
        Refused::Duplicate => invalid("client_order_id must be unique"),
        Refused::NotListed => error(422, 42_210_000, &format!("asset \"{symbol}\" not found")),
        Refused::NotTradable => error(422, 42_210_000, &format!("asset \"{symbol}\" is not tradable")),
        Refused::NotShortable if fractional => {
            error(422, 42_210_000, "fractional orders cannot be sold short")
        }
        Refused::NotShortable => error(422, 42_210_000, &format!("asset \"{symbol}\" cannot be sold short")),
        Refused::NotFractionable => {
            error(403, 40_310_000, &format!("asset \"{symbol}\" is not fractionable"))
        }
        Refused::BelowMinimum => error(403, 40_310_000, "cost basis must be >= minimal amount of order 1"),
        Refused::Blocked => error(403, 40_310_000, "account is blocked from trading"),
        Refused::ClosingOnly => error(403, 40_310_000, "account is restricted to liquidation only"),
        Refused::Funds { buying_power, cost_basis } => error_with(
            403,
            40_310_000,
            "insufficient buying power",
            json!({ "buying_power": buying_power.to_string(), "cost_basis": cost_basis.to_string() }),
        ),
        Refused::Held { available, existing, related } => {
            let held = existing.minus(*available).unwrap_or_default();
            let message =
                format!("insufficient qty available for order (requested: {wanted}, available: {available})");
            let more = json!({
                "available": available.to_string(),
                "existing_qty": existing.to_string(),
                "held_for_orders": held.to_string(),
                "related_orders": related,
                "symbol": symbol,
            });
            error_with(403, 40_310_000, &message, more)
        }
        Refused::Wash { existing, limit } => {
            let reason = if *limit {
                "opposite side limit order exists"
            } else {
                "opposite side market/stop order exists"
            };
            let more = json!({ "existing_order_id": existing, "reject_reason": reason });
            error_with(403, 40_310_000, "potential wash trade detected. use complex orders", more)
        }
    }
}

/// An order, where there is one to be seen.
fn shown(ledger: &Ledger, place: Option<usize>, bent: &Bent, otherwise: impl FnOnce() -> Answer) -> Answer {
    match place.and_then(|place| ledger.orders.get(place)) {
        Some(order) => Answer::json(200, &render::order(ledger, order, bent)),
        None => otherwise(),
    }
}

fn not_found(id: &str) -> Answer {
    error(404, 40_410_000, &format!("order not found for {id}"))
}

/// Where the order of an id is, if it can be seen.
fn found(ledger: &Ledger, id: &str, now: Timestamp) -> Result<usize, Answer> {
    if !is_uuid(id) {
        return Err(invalid("order_id is missing"));
    }
    let place = ledger.place_of(id).filter(|place| visible(ledger, *place, now));
    place.ok_or_else(|| not_found(id))
}

fn visible(ledger: &Ledger, place: usize, now: Timestamp) -> bool {
    ledger.orders.get(place).is_some_and(|order| order.is_visible(now))
}

fn is_uuid(id: &str) -> bool {
    let lengths = id.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

pub(super) fn lookup(ledger: &Ledger, request: &Request, bent: &Bent, now: Timestamp) -> Answer {
    let Some(id) = request.param("client_order_id") else {
        return invalid("client_order_id is required");
    };
    let place = ledger.place_of_client_id(id).filter(|place| visible(ledger, *place, now));
    shown(ledger, place, bent, || not_found(id))
}

pub(super) fn read(ledger: &Ledger, id: &str, bent: &Bent, now: Timestamp) -> Answer {
    match found(ledger, id, now) {
        Ok(place) => shown(ledger, Some(place), bent, || not_found(id)),
        Err(answer) => answer,
    }
}

pub(super) fn list(ledger: &Ledger, request: &Request, bent: &Bent, now: Timestamp) -> Answer {
    match chosen(ledger, request, now) {
        Ok(orders) => {
            let orders = orders.into_iter().map(|order| render::order(ledger, order, bent)).collect();
            Answer::json(200, &Value::Array(orders))
        }
        Err(answer) => answer,
    }
}

fn chosen<'l>(ledger: &'l Ledger, request: &Request, now: Timestamp) -> Result<Vec<&'l SimOrder>, Answer> {
    let open = match request.param("status").unwrap_or("open") {
        "open" => Some(true),
        "closed" => Some(false),
        "all" => None,
        other => return Err(invalid(&format!("invalid status: {other}"))),
    };
    let limit = match request.param("limit").map(str::parse) {
        None => LISTED,
        Some(Ok(limit @ 1..=MOST_LISTED)) => limit,
        Some(_) => return Err(invalid("limit must be between 1 and 500")),
    };
    let side = match request.param("side") {
        None => None,
        Some("buy") => Some(Side::Buy),
        Some("sell") => Some(Side::Sell),
        Some(other) => return Err(invalid(&format!("invalid side: {other}"))),
    };
    let (after, until) = (instant(request, "after")?, instant(request, "until")?);
    let symbols: Option<Vec<&str>> = request.param("symbols").map(|symbols| symbols.split(',').collect());
    let place = |name: &str| request.param(name).and_then(|id| ledger.place_of(id));
    let (after_order, before_order) = (place("after_order_id"), place("before_order_id"));
    let chosen = ledger.orders.iter().enumerate().filter(|(at, order)| {
        order.is_visible(now)
            && open.is_none_or(|open| open == order.status.is_open())
            && side.is_none_or(|side| side == order.side)
            && symbols.as_ref().is_none_or(|symbols| symbols.contains(&order.symbol.as_str()))
            && after.is_none_or(|after| order.submitted_at > after)
            && until.is_none_or(|until| order.submitted_at < until)
            && after_order.is_none_or(|after| *at > after)
            && before_order.is_none_or(|before| *at < before)
    });
    let mut chosen: Vec<&SimOrder> = chosen.map(|(_, order)| order).collect();
    // One that arrived late stands where it was submitted.
    chosen.sort_by_key(|order| order.submitted_at);
    if request.param("direction") != Some("asc") {
        chosen.reverse();
    }
    chosen.truncate(limit);
    Ok(chosen)
}

pub(super) fn cancel(ledger: &mut Ledger, id: &str, bent: &Bent, now: Timestamp) -> Answer {
    let place = match found(ledger, id, now) {
        Ok(place) => place,
        Err(answer) => return answer,
    };
    match ledger.cancel(place, bent.has(&Strike::TooLate), now) {
        Ok(()) => Answer::empty(204),
        Err(CancelRefused::Pending) => error(422, 42_210_000, "order pending cancel"),
        Err(CancelRefused::Ended(status)) => {
            let message = format!("order is already in \"{}\" state", render::word(status));
            error(422, 42_210_000, &message)
        }
    }
}

pub(super) fn cancel_all(ledger: &mut Ledger, bent: &Bent, now: Timestamp) -> Answer {
    let open: Vec<String> = ledger.open_orders().map(|order| order.id.clone()).collect();
    let done = open.into_iter().map(|id| {
        let answer = cancel(ledger, &id, bent, now);
        json!({ "id": id, "status": if answer.status == 204 { 200 } else { answer.status } })
    });
    let done = done.collect();
    Answer::json(207, &Value::Array(done))
}

pub(super) fn replace(
    ledger: &mut Ledger,
    id: &str,
    request: &Request,
    bent: &Bent,
    now: Timestamp,
) -> Answer {
    let replaced = found(ledger, id, now).and_then(|place| {
        let fields = Fields::of(&request.body)?;
        let change = Change::of(&fields)?;
        let Some(order) = ledger.orders.get(place) else { return Err(not_found(id)) };
        match order.status {
            SimStatus::New | SimStatus::PartiallyFilled => {}
            SimStatus::Accepted | SimStatus::PendingNew | SimStatus::PendingCancel => {
                let message = format!("cannot replace order in {} status", render::word(order.status));
                return Err(error(422, 42_210_000, &message));
            }
            SimStatus::Filled
            | SimStatus::Canceled
            | SimStatus::Expired
            | SimStatus::Rejected
            | SimStatus::Replaced => {
                return Err(error(422, 42_210_000, "unable to replace order, order is not open"));
            }
        }
        let whole = |quantity: Option<Shares>| quantity.is_some_and(|quantity| quantity == quantity.cut(0));
        if !whole(order.quantity) || change.quantity.is_some() && !whole(change.quantity) {
            return Err(error(422, 42_210_000, "fractional orders cannot be replaced"));
        }
        if change.client_id.as_ref().is_some_and(|id| ledger.place_of_client_id(id).is_some()) {
            return Err(invalid("client_order_id must be unique"));
        }
        let Change { quantity, limit, client_id } = change;
        Ok(ledger.replace(place, quantity, limit, client_id, PlacedBy::Client, now))
    });
    match replaced {
        Ok(place) => shown(ledger, place, bent, || not_found(id)),
        Err(answer) => answer,
    }
}

/// What is to be other in an order.
struct Change {
    quantity: Option<Shares>,
    limit: Option<Price>,
    client_id: Option<String>,
}

impl Change {
    fn of(fields: &Fields<'_>) -> Result<Self, Answer> {
        let quantity = fields.decimal("qty")?;
        if quantity.is_some_and(|quantity| quantity.is_zero() || !is_sane(quantity)) {
            return Err(invalid("qty must be > 0"));
        }
        let limit = fields.decimal("limit_price")?.map(penny).transpose()?;
        Ok(Self { quantity: quantity.map(Shares), limit, client_id: fields.text("client_order_id") })
    }
}
