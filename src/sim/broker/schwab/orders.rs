//! Orders: placed without an id of the client's, found by what they look like.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json, value::RawValue};

use super::{
    super::{
        front::{Answer, Request},
        ledger::{CancelRefused, Late, Ledger, later},
        money::is_sane,
        order::{Ending, NewOrder, PlacedBy, Refused, TimeInForce},
        strike::{Bent, Strike},
    },
    hash, render, trouble,
};
use crate::{
    book::{fill::Side, order::Refusal},
    units::{Amount, Price, Shares},
};

/// Orders that a list has at most, unless it is asked for fewer.
const LISTED: usize = 3000;
/// The longest time that a list can be about.
const YEAR: SignedDuration = SignedDuration::from_hours(366 * 24);
/// So long a refusal of substance takes.
const THINKING: Duration = Duration::from_secs(1);

const VALIDATION: &str = "A validation error occurred while processing the request.";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'b> {
    order_type: String,
    session: String,
    duration: String,
    order_strategy_type: String,
    #[serde(borrow)]
    price: Option<&'b RawValue>,
    #[serde(borrow)]
    order_leg_collection: Vec<Leg<'b>>,
    tag: Option<IgnoredAny>,
    requested_destination: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Leg<'b> {
    instruction: String,
    #[serde(borrow)]
    quantity: &'b RawValue,
    instrument: Instrument,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Instrument {
    symbol: String,
    asset_type: String,
}

/// A number, which may be a string.
fn decimal(raw: &RawValue) -> Option<Amount> {
    raw.get().trim_matches('"').parse().ok()
}

/// The ticker that an order's body is about.
pub(super) fn symbol_of(body: &[u8]) -> Option<String> {
    let body: Body<'_> = serde_json::from_slice(body).ok()?;
    Some(body.order_leg_collection.into_iter().next()?.instrument.symbol)
}

fn invalid(what: &str) -> Answer {
    trouble(400, VALIDATION, &[what])
}

/// The order that a body asks for, held against the rules of form.
fn wanted(body: &[u8]) -> Result<NewOrder, Answer> {
    let body: Body<'_> = serde_json::from_slice(body).map_err(|error| invalid(&error.to_string()))?;
    if body.tag.is_some() {
        return Err(invalid("tag cannot be set"));
    }
    if body.requested_destination.is_some() {
        return Err(invalid("requestedDestination cannot be set"));
    }
    let [leg] = body.order_leg_collection.as_slice() else { return Err(invalid("one leg is expected")) };
    if body.order_strategy_type != "SINGLE" || leg.instrument.asset_type != "EQUITY" {
        return Err(invalid("only single orders for equities are part of the rehearsal"));
    }
    let (side, short) = match leg.instruction.as_str() {
        "BUY" => (Side::Buy, false),
        "SELL" => (Side::Sell, false),
        "SELL_SHORT" => (Side::Sell, true),
        "BUY_TO_COVER" => (Side::Buy, true),
        _ => return Err(invalid("instruction is unknown")),
    };
    let quantity = decimal(leg.quantity).filter(|quantity| is_sane(*quantity) && !quantity.is_zero());
    let Some(quantity) = quantity.filter(|quantity| *quantity == quantity.cut(0)) else {
        return Err(invalid("quantity must be a whole number above zero"));
    };
    let session = ["NORMAL", "AM", "PM", "SEAMLESS"].into_iter().find(|word| *word == body.session);
    let Some(session) = session else { return Err(invalid("session is unknown")) };
    let time_in_force = match body.duration.as_str() {
        "DAY" => TimeInForce::Day,
        "GOOD_TILL_CANCEL" => TimeInForce::Gtc,
        "IMMEDIATE_OR_CANCEL" => TimeInForce::Ioc,
        "FILL_OR_KILL" => TimeInForce::Fok,
        _ => return Err(invalid("duration is not part of the rehearsal")),
    };
    let limit = match (body.order_type.as_str(), body.price) {
        ("MARKET", _) => None,
        ("LIMIT", Some(price)) => {
            let price = decimal(price).filter(|price| is_sane(*price) && *price == price.cut(4));
            let price = price.filter(|price| !price.is_zero()).and_then(Price::of);
            Some(price.ok_or_else(|| invalid("price is not valid"))?)
        }
        ("LIMIT", None) => return Err(invalid("price is required")),
        _ => return Err(invalid("orderType is not part of the rehearsal")),
    };
    Ok(NewOrder {
        client_id: None,
        symbol: leg.instrument.symbol.clone(),
        side,
        quantity: Some(Shares(quantity)),
        notional: None,
        limit,
        time_in_force,
        extended: session != "NORMAL",
        session,
        short,
        placed_by: PlacedBy::Client,
        replaces: None,
    })
}

/// Why an order is rejected, in words.
pub(super) fn words(why: Refusal) -> &'static str {
    match why {
        Refusal::Funds => "You do not have enough available cash/buying power for this order.",
        Refusal::HeldShares => "This order may result in an oversold/overbought position in your account.",
        Refusal::WashTrade => "This order would trade against another open order of yours.",
        Refusal::NotTradable => "This security is not eligible for trading; the symbol is not valid.",
        Refusal::NotShortable => "This security is not available to sell short.",
        Refusal::NotFractionable => "Fractional quantities are not accepted.",
        Refusal::BelowMinimum => "The order's value is below the minimum.",
        Refusal::Session => "Market orders are only accepted in the normal session.",
        Refusal::Account => "Your account is restricted to closing transactions.",
        Refusal::Other => "The order was rejected for reasons of its own.",
    }
}

/// Why an order that is well formed is rejected all the same.
fn refusal(ledger: &Ledger, order: &NewOrder) -> Option<&'static str> {
    let why = if order.extended && order.limit.is_none() {
        Refusal::Session
    } else {
        match ledger.check_said(order) {
            Ok(()) => return None,
            Err(Refused::Funds { .. }) => Refusal::Funds,
            Err(Refused::Held { .. }) => Refusal::HeldShares,
            Err(Refused::NotListed | Refused::NotTradable) => Refusal::NotTradable,
            Err(Refused::NotShortable) => Refusal::NotShortable,
            Err(Refused::NotFractionable) => Refusal::NotFractionable,
            Err(Refused::Blocked | Refused::ClosingOnly) => Refusal::Account,
            Err(Refused::BelowMinimum) => Refusal::BelowMinimum,
            Err(Refused::Wash { .. }) => Refusal::WashTrade,
            Err(Refused::Duplicate) => Refusal::Other,
        }
    };
    Some(words(why))
}

pub(super) fn submit(ledger: &mut Ledger, request: &Request, bent: &Bent, now: Timestamp) -> Answer {
    let order = match wanted(&request.body) {
        Ok(order) => order,
        Err(answer) => return answer,
    };
    let mut fate = bent.fate();
    if let Some(reason) = refusal(ledger, &order) {
        fate.at_once = false;
        fate.permille = None;
        fate.ending = Some((THINKING, Ending::Reject(reason.to_owned())));
    }
    if let Some(by) = bent.late() {
        ledger.arrives(Late { at: later(now, by), order, fate, decided: true });
        return Answer::empty(504);
    }
    let place = ledger.take(order, &fate, now);
    placed(ledger, request, place, bent)
}

/// 201, nothing in it, and where the order is.
fn placed(ledger: &Ledger, request: &Request, place: usize, bent: &Bent) -> Answer {
    let mut answer = Answer::empty(201);
    let number = |place: usize| ledger.orders.get(place).map(|order| order.number);
    let Some(mut id) = number(place) else { return answer };
    if bent.has(&Strike::OtherLocation) {
        id = place.checked_sub(1).and_then(number).unwrap_or(id + 1);
    }
    let path = format!("/trader/v1/accounts/{}/orders/{id}", hash(ledger));
    let host = request.header("host").unwrap_or("api.schwabapi.com");
    if bent.has(&Strike::NoLocation) {
        return answer;
    }
    let relative = bent.has(&Strike::RelativeLocation);
    answer.headers.push(("location", if relative { path } else { format!("http://{host}{path}") }));
    answer
}

pub(super) fn preview(ledger: &Ledger, request: &Request) -> Answer {
    let order = match wanted(&request.body) {
        Ok(order) => order,
        Err(answer) => return answer,
    };
    let rejects: Vec<Value> = refusal(ledger, &order)
        .into_iter()
        .map(|reason| json!({ "activityMessage": reason, "originalSeverity": "REJECT" }))
        .collect();
    let accepted = rejects.is_empty();
    Answer::json(
        200,
        &json!({
            "orderId": 0,
            "orderStrategy": { "orderStrategyType": "SINGLE", "status": if accepted { "ACCEPTED" } else { "REJECTED" } },
            "orderValidationResult": { "alerts": [], "accepts": [], "rejects": rejects, "reviews": [], "warns": [] },
            "commissionAndFee": { "commission": { "commissionLegs": [] }, "fee": { "feeLegs": [] } },
        }),
    )
}

fn found(ledger: &Ledger, id: &str, now: Timestamp) -> Result<usize, Answer> {
    // Alpaca's ids lead nowhere here.
    let place = id.parse::<i64>().ok().and_then(|_| ledger.place_of(id));
    let visible = |place: &usize| ledger.orders.get(*place).is_some_and(|order| order.is_visible(now));
    place.filter(visible).ok_or_else(|| trouble(404, "Order not found", &[id]))
}

pub(super) fn read(ledger: &Ledger, id: &str, bent: &Bent, tag: &str, now: Timestamp) -> Answer {
    match found(ledger, id, now).map(|place| ledger.orders.get(place)) {
        Ok(Some(order)) => Answer::json(200, &render::order(ledger, order, bent, tag, now)),
        Ok(None) => trouble(404, "Order not found", &[id]),
        Err(answer) => answer,
    }
}

/// An instant that a query must name.
pub(super) fn required(request: &Request, name: &str) -> Result<Timestamp, Answer> {
    let text = request.param(name).unwrap_or_default();
    let read = text.parse().or_else(|_| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text));
    read.map_err(|_| invalid(&format!("{name} is required, as yyyy-MM-dd'T'HH:mm:ss.SSSZ")))
}

/// Two instants in order, not more than a year apart.
pub(super) fn window(from: Timestamp, to: Timestamp) -> Result<(), Answer> {
    let length = to.duration_since(from);
    if length.is_negative() || length > YEAR {
        return Err(invalid("the window is longer than a year, or ends before it begins"));
    }
    Ok(())
}

pub(super) fn list(ledger: &Ledger, request: &Request, bent: &Bent, tag: &str, now: Timestamp) -> Answer {
    let times = required(request, "fromEnteredTime").and_then(|from| {
        let to = required(request, "toEnteredTime")?;
        window(from, to).map(|()| (from, to))
    });
    let (from, to) = match times {
        Ok(times) => times,
        Err(answer) => return answer,
    };
    let most = request.param("maxResults").and_then(|most| most.parse().ok()).unwrap_or(LISTED);
    let status = request.param("status");
    let listed = ledger.orders.iter().rev().filter(|order| {
        now >= order.course.listed_from
            && (from..=to).contains(&order.submitted_at)
            && status.is_none_or(|status| status == render::word(order, now))
    });
    let listed = listed.take(most).map(|order| render::order(ledger, order, bent, tag, now));
    Answer::json(200, &listed.collect())
}

pub(super) fn cancel(ledger: &mut Ledger, id: &str, bent: &Bent, now: Timestamp) -> Answer {
    let place = match found(ledger, id, now) {
        Ok(place) => place,
        Err(answer) => return answer,
    };
    match ledger.cancel(place, bent.has(&Strike::TooLate), now) {
        Ok(()) => Answer::empty(200),
        Err(CancelRefused::Pending | CancelRefused::Ended(_)) => {
            trouble(400, "Order cannot be canceled.", &["the order is not in a cancelable state"])
        }
    }
}

pub(super) fn replace(
    ledger: &mut Ledger,
    id: &str,
    request: &Request,
    bent: &Bent,
    now: Timestamp,
) -> Answer {
    let found = found(ledger, id, now).and_then(|place| wanted(&request.body).map(|order| (place, order)));
    let (place, wanted) = match found {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let same = |place: usize| {
        let order = ledger.orders.get(place)?;
        let same = order.status.is_open() && order.symbol == wanted.symbol && order.side == wanted.side;
        same.then_some(())
    };
    if same(place).is_none() {
        return trouble(400, "Order cannot be replaced.", &["the order is not in an editable state"]);
    }
    match ledger.replace(place, wanted.quantity, wanted.limit, None, PlacedBy::Client, now) {
        Some(place) => placed(ledger, request, place, bent),
        None => trouble(404, "Order not found", &[id]),
    }
}
