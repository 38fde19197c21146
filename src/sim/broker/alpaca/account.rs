//! The account, what it holds, what can be traded, and the market's hours and quotes.

use std::collections::BTreeMap;

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, date},
    tz::TimeZone,
};
use serde_json::{Value, json};

use super::{
    super::{
        front::{Answer, Request},
        ledger::{Ledger, Position, uuid_of},
        market::SimListing,
        money::{Summed, double, ratio, rounded},
        strike::{Bent, Strike},
    },
    error, invalid, render,
};
use crate::{
    time::{Session, TradingDay},
    units::{Amount, Price, Shares, Usd},
};

/// The calendar's end.
const LAST_DAY: Date = date(2029, 12, 31);

pub(super) fn account(ledger: &Ledger, bent: &Bent, now: Timestamp) -> Answer {
    let positions = ledger.positions(now);
    let value = |long: bool| {
        positions
            .iter()
            .filter(|(_, position)| position.quantity.0.is_negative() != long)
            .fold(Usd::ZERO, |sum, (symbol, position)| sum.and(worth(ledger, symbol, position.quantity)))
    };
    let (long, short) = (value(true), value(false));
    let (cash, buying_power) = (ledger.cash(), ledger.buying_power());
    let equity = cash.and(long).and(short);
    let text = |usd: Usd| cents(usd.0);
    let account = json!({
        "id": ledger.account_id,
        "account_number": format!("PA{}", ledger.account_number),
        "status": "ACTIVE",
        "crypto_status": "ACTIVE",
        "currency": "USD",
        "cash": text(cash),
        "buying_power": text(buying_power),
        "regt_buying_power": text(buying_power),
        "non_marginable_buying_power": text(buying_power),
        "effective_buying_power": text(buying_power),
        "options_buying_power": text(buying_power),
        "equity": text(equity),
        "last_equity": text(equity),
        "portfolio_value": text(equity),
        "long_market_value": text(long),
        "short_market_value": text(short),
        "position_market_value": text(long.and(short)),
        "initial_margin": text(long),
        "maintenance_margin": "0",
        "last_maintenance_margin": "0",
        "sma": "0",
        "multiplier": "1",
        "accrued_fees": "0",
        "pending_transfer_in": text(ledger.manners.pending.max(Usd::ZERO)),
        "pending_transfer_out": text(Usd(ledger.manners.pending.min(Usd::ZERO).0.abs())),
        "pending_reg_taf_fees": "0",
        "intraday_adjustments": "0",
        "balance_asof": now.strftime("%Y-%m-%d").to_string(),
        "trading_blocked": ledger.manners.blocked,
        "transfers_blocked": false,
        "account_blocked": ledger.manners.blocked,
        "trade_suspended_by_user": false,
        "shorting_enabled": ledger.manners.shorts,
        "created_at": ledger.opened_at.to_string(),
    });
    Answer::json(200, &render::extended(account, bent))
}

pub(super) fn positions(ledger: &Ledger, bent: &Bent, now: Timestamp) -> Answer {
    let shown = shown(ledger, now);
    let rows = shown.iter().map(|(symbol, held)| one(ledger, symbol, held, bent)).collect();
    Answer::json(200, &Value::Array(rows))
}

pub(super) fn position(ledger: &Ledger, name: &str, bent: &Bent, now: Timestamp) -> Answer {
    let Some((symbol, _)) = listed(ledger, name) else {
        return error(404, 40_410_000, &format!("symbol not found: {name}"));
    };
    match shown(ledger, now).get(symbol) {
        Some(held) => Answer::json(200, &one(ledger, symbol, held, bent)),
        None => error(404, 40_410_000, "position does not exist"),
    }
}

/// The positions as they are shown: as late as they are.
fn shown(ledger: &Ledger, now: Timestamp) -> BTreeMap<String, Position> {
    ledger.positions(now.checked_sub(ledger.manners.lag).unwrap_or(now))
}

fn one(ledger: &Ledger, symbol: &str, position: &Position, bent: &Bent) -> Value {
    let Position { quantity, cost } = *position;
    let long = !quantity.0.is_negative();
    let sells =
        ledger.open_sells(symbol).fold(Shares::ZERO, |sum, sell| sum.and(sell.remaining(Price::default())));
    let market_value = worth(ledger, symbol, quantity);
    let profit = market_value.less(cost);
    let profit_part = ratio(profit.0, cost.0.abs()).unwrap_or_default();
    let price = ledger.listings.get(symbol).map(middle).unwrap_or_default();
    let average = ratio(cost.0, quantity.0).unwrap_or_default();
    let value = json!({
        "asset_id": uuid_of(symbol),
        "symbol": symbol,
        "exchange": "NASDAQ",
        "asset_class": "us_equity",
        "asset_marginable": true,
        "avg_entry_price": rounded(average, 6).to_string(),
        "qty": quantity.to_string(),
        "qty_available": if long { quantity.less(sells) } else { quantity }.to_string(),
        "side": if long { "long" } else { "short" },
        "market_value": cents(market_value.0),
        "cost_basis": cents(cost.0),
        "unrealized_pl": cents(profit.0),
        "unrealized_plpc": rounded(profit_part, 6).to_string(),
        "unrealized_intraday_pl": cents(profit.0),
        "unrealized_intraday_plpc": rounded(profit_part, 6).to_string(),
        "current_price": price.to_string(),
        "lastday_price": price.to_string(),
        "change_today": "0",
    });
    render::extended(value, bent)
}

/// Dollars as they are shown.
fn cents(amount: Amount) -> String {
    rounded(amount, 2).to_string()
}

fn worth(ledger: &Ledger, symbol: &str, quantity: Shares) -> Usd {
    let price = ledger.listings.get(symbol).map(middle).unwrap_or_default();
    quantity.at(price).unwrap_or_default()
}

fn middle(listing: &SimListing) -> Price {
    let sum = listing.bid.dollars().atoms() + listing.ask.dollars().atoms();
    Amount::from_atoms(sum / 2).and_then(Price::of).unwrap_or(listing.bid)
}

/// What is listed under a ticker, or an asset's id.
fn listed<'l>(ledger: &'l Ledger, name: &str) -> Option<(&'l str, &'l SimListing)> {
    let mut listings = ledger.listings.iter();
    listings
        .find(|(symbol, _)| *symbol == name || uuid_of(symbol) == name)
        .map(|(symbol, listing)| (symbol.as_str(), listing))
}

pub(super) fn assets(ledger: &Ledger, bent: &Bent) -> Answer {
    let rows = ledger.listings.iter().map(|(symbol, listing)| of_asset(symbol, listing, bent)).collect();
    Answer::json(200, &Value::Array(rows))
}

pub(super) fn asset(ledger: &Ledger, name: &str, bent: &Bent) -> Answer {
    match listed(ledger, name) {
        Some((symbol, listing)) => Answer::json(200, &of_asset(symbol, listing, bent)),
        None => error(404, 40_410_000, &format!("asset not found for {name}")),
    }
}

fn of_asset(symbol: &str, listing: &SimListing, bent: &Bent) -> Value {
    let value = json!({
        "id": uuid_of(symbol),
        "class": "us_equity",
        "exchange": "NASDAQ",
        "symbol": symbol,
        "name": format!("{symbol} Common Stock"),
        "status": if listing.tradable { "active" } else { "inactive" },
        "tradable": listing.tradable,
        "marginable": true,
        "shortable": listing.shortable,
        "easy_to_borrow": listing.shortable,
        "borrow_status": if listing.shortable { "easy_to_borrow" } else { "not_available" },
        "fractionable": listing.fractionable,
        "maintenance_margin_requirement": 30,
        "attributes": if listing.fractionable { json!(["fractional_eh_enabled"]) } else { json!([]) },
    });
    render::extended(value, bent)
}

pub(super) fn clock(ledger: &Ledger, bent: &Bent, now: Timestamp) -> Answer {
    let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
    let shown = |at: Timestamp| {
        let at = at.to_zoned(zone.clone());
        at.strftime(if at.subsec_nanosecond() == 0 { "%FT%T%:z" } else { "%FT%T%.f%:z" }).to_string()
    };
    let next = |of: fn(&TradingDay) -> Timestamp| {
        let next = ledger.hours.days_from(now).map(|day| of(&day)).find(|at| *at > now);
        next.map(shown)
    };
    let open = ledger.hours.session(now) == Session::Regular;
    let value = json!({
        "timestamp": shown(now),
        "is_open": open != bent.has(&Strike::Contradict),
        "next_open": next(|day| day.open),
        "next_close": next(|day| day.close),
    });
    Answer::json(200, &render::extended(value, bent))
}

pub(super) fn calendar(ledger: &Ledger, request: &Request) -> Answer {
    let day = |name: &str, default: Date| match request.param(name) {
        None => Ok(default),
        // A date, or an instant of which the date counts.
        Some(text) => {
            text.get(..10).unwrap_or(text).parse::<Date>().map_err(|_| invalid(&format!("invalid {name}")))
        }
    };
    let (start, end) = match (day("start", date(1970, 1, 1)), day("end", LAST_DAY)) {
        (Ok(start), Ok(end)) => (start, end),
        (Err(answer), _) | (_, Err(answer)) => return answer,
    };
    let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
    let at = |at: Timestamp, form: &str| at.to_zoned(zone.clone()).strftime(form).to_string();
    let days = start.series(1.day()).take_while(|date| *date <= end.min(LAST_DAY));
    let rows = days.filter_map(|date| ledger.hours.day(date)).map(|day| {
        json!({
            "date": day.date.to_string(),
            "open": at(day.open, "%H:%M"),
            "close": at(day.close, "%H:%M"),
            "session_open": at(day.early, "%H%M"),
            "session_close": at(day.late, "%H%M"),
            "settlement_date": settled(ledger, day.date).to_string(),
        })
    });
    Answer::json(200, &rows.collect())
}

/// The next trading day.
fn settled(ledger: &Ledger, date: Date) -> Date {
    let mut days = date.series(1.day()).skip(1).take(30);
    days.find(|date| ledger.hours.day(*date).is_some()).unwrap_or(date)
}

pub(super) fn quotes(ledger: &Ledger, request: &Request, bent: &Bent, now: Timestamp) -> Answer {
    let Some(symbols) = request.param("symbols") else { return invalid("symbols is required") };
    if bent.has(&Strike::ForbidQuote) {
        return forbidden();
    }
    let quotes = symbols.split(',').filter_map(|symbol| {
        let quote = one_quote(ledger, symbol, bent, now)?;
        Some((symbol.to_owned(), quote))
    });
    let quotes: serde_json::Map<String, Value> = quotes.collect();
    Answer::json(200, &json!({ "quotes": quotes }))
}

pub(super) fn quote(ledger: &Ledger, symbol: &str, bent: &Bent, now: Timestamp) -> Answer {
    if bent.has(&Strike::ForbidQuote) {
        return forbidden();
    }
    match one_quote(ledger, symbol, bent, now) {
        Some(quote) => Answer::json(200, &json!({ "symbol": symbol, "quote": quote })),
        None => Answer::json(404, &json!({ "message": format!("no quote found for {symbol}") })),
    }
}

fn forbidden() -> Answer {
    error(403, 42_210_000, "subscription does not permit querying recent SIP data")
}

fn one_quote(ledger: &Ledger, symbol: &str, bent: &Bent, now: Timestamp) -> Option<Value> {
    let (bid, ask, at) = ledger.quoted(symbol, bent, now)?;
    Some(json!({
        "ap": double(ask.dollars()), "as": 2, "ax": "V",
        "bp": double(bid.dollars()), "bs": 3, "bx": "V",
        "c": ["R"], "t": at.to_string(), "z": "C",
    }))
}
