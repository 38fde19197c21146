//! The account, what it holds, what was traded, and the market's hours and quotes.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, time},
    tz::TimeZone,
};
use serde_json::{Value, json};

use super::{
    super::{
        front::{Answer, Request},
        ledger::{Ledger, Position},
        money::{Summed, double, ratio, rounded},
        night::SimActivity,
        order::SimExecution,
        strike::{Bent, Strike},
    },
    data_trouble, hash, orders, render, trouble,
};
use crate::{
    book::{activity::ActivityKind, execution::Nature},
    time::{TradingDay, new_york_date},
    units::{Amount, Price, Usd},
};

pub(super) fn numbers(ledger: &Ledger) -> Answer {
    let number = ledger.account_number.to_string();
    Answer::json(200, &json!([{ "accountNumber": number, "hashValue": hash(ledger) }]))
}

pub(super) fn all(ledger: &Ledger, request: &Request, now: Timestamp) -> Answer {
    Answer::json(200, &json!([account(ledger, request, now)]))
}

pub(super) fn one(ledger: &Ledger, request: &Request, now: Timestamp) -> Answer {
    Answer::json(200, &account(ledger, request, now))
}

fn account(ledger: &Ledger, request: &Request, now: Timestamp) -> Value {
    let until = now.checked_sub(ledger.manners.lag).unwrap_or(now);
    let positions = ledger.positions(until);
    let worth = positions.iter().fold(Usd::ZERO, |sum, (symbol, position)| {
        let price = ledger.listings.get(symbol).map(|listing| listing.bid).unwrap_or_default();
        sum.and(position.quantity.at(price).unwrap_or_default())
    });
    let cents = |usd: Usd| double(rounded(usd.0, 2));
    let (cash, free) = (cents(ledger.cash()), cents(ledger.buying_power()));
    let liquidation = cents(ledger.cash().and(worth));
    let margin = ledger.manners.shorts;
    // Shares settle on the next business day: what was sold today has not.
    let sold = ledger.executions.iter().filter(|one| new_york_date(one.at) == new_york_date(now));
    let unsettled = cents(sold.fold(Usd::ZERO, |sum, one| sum.and(one.cash.max(Usd::ZERO))));
    let balances = if margin {
        json!({
            "availableFunds": free, "buyingPower": free, "buyingPowerNonMarginableTrade": free,
            "dayTradingBuyingPower": free, "equity": liquidation, "regTCall": 0.0, "sma": free,
            "isInCall": false, "cashBalance": cash, "liquidationValue": liquidation,
        })
    } else {
        json!({
            "cashAvailableForTrading": free, "cashAvailableForWithdrawal": free, "totalCash": cash,
            "unsettledCash": unsettled, "cashCall": 0.0, "cashBalance": cash, "liquidationValue": liquidation,
        })
    };
    let mut account = json!({
        "type": if margin { "MARGIN" } else { "CASH" },
        "accountNumber": ledger.account_number.to_string(),
        "roundTrips": 0,
        "isDayTrader": false,
        "isClosingOnlyRestricted": ledger.manners.closing_only || ledger.manners.blocked,
        "pfcbFlag": false,
        "initialBalances": balances,
        "currentBalances": balances,
        "projectedBalances": balances,
    });
    // Not there when flat, nor unless it is asked for.
    let asked = request.param("fields").is_some_and(|fields| fields.contains("positions"));
    if let (true, Some(fields)) = (asked && !positions.is_empty(), account.as_object_mut()) {
        let rows = positions.iter().map(|(symbol, held)| position(ledger, symbol, held)).collect();
        fields.insert("positions".to_owned(), Value::Array(rows));
    }
    json!({ "securitiesAccount": account })
}

fn position(ledger: &Ledger, symbol: &str, position: &Position) -> Value {
    let Position { quantity, cost } = *position;
    let size = double(quantity.abs().0);
    let nothing = double(Amount::ZERO);
    let long = !quantity.0.is_negative();
    let (longs, shorts) = if long { (&size, &nothing) } else { (&nothing, &size) };
    let average = double(rounded(ratio(cost.0, quantity.0).unwrap_or_default(), 6));
    let price = ledger.listings.get(symbol).map(|listing| listing.bid).unwrap_or_default();
    let worth = quantity.at(price).unwrap_or_default();
    json!({
        "longQuantity": longs,
        "shortQuantity": shorts,
        "settledLongQuantity": longs,
        "settledShortQuantity": shorts,
        "agedQuantity": 0.0,
        "averagePrice": average,
        "averageLongPrice": average,
        "taxLotAverageLongPrice": average,
        "marketValue": double(rounded(worth.0, 2)),
        "maintenanceRequirement": 0.0,
        "longOpenProfitLoss": double(rounded(worth.less(cost).0, 2)),
        "currentDayProfitLoss": 0.0,
        "currentDayProfitLossPercentage": 0.0,
        "previousSessionLongQuantity": 0.0,
        "instrument": render::instrument(symbol),
    })
}

pub(super) fn transactions(ledger: &Ledger, request: &Request) -> Answer {
    let times = orders::required(request, "startDate").and_then(|from| {
        let to = orders::required(request, "endDate")?;
        orders::window(from, to).map(|()| from..=to)
    });
    let times = match times {
        Ok(times) => times,
        Err(answer) => return answer,
    };
    let Some(types) = request.param("types") else {
        return trouble(
            400,
            "A validation error occurred while processing the request.",
            &["types is required"],
        );
    };
    let symbol = request.param("symbol");
    let trades = types.split(',').any(|kind| kind == "TRADE");
    let rows = ledger.executions.iter().filter(|row| {
        trades
            && times.contains(&row.at)
            && row.nature != Nature::Bust
            && !ledger.night.hidden.contains(&row.id)
            && symbol.is_none_or(|symbol| symbol == row.symbol)
    });
    let others = ledger.night.listed().filter(|row| {
        types.split(',').any(|asked| asked == kind(row))
            && times.contains(&row.at)
            && symbol.is_none_or(|symbol| row.symbol.as_deref() == Some(symbol))
    });
    let trades = rows.map(|row| transaction(ledger, row));
    Answer::json(200, &trades.chain(others.map(|row| other(ledger, row))).collect())
}

/// Schwab's word for what is no trade; a fee comes with one.
fn kind(row: &SimActivity) -> &'static str {
    match row.kind {
        ActivityKind::Commission | ActivityKind::Regulatory => "TRADE",
        ActivityKind::Interest | ActivityKind::Dividend => "DIVIDEND_OR_INTEREST",
        ActivityKind::Cash if row.cash.0.is_negative() => "WIRE_OUT",
        ActivityKind::Cash => "WIRE_IN",
        ActivityKind::Shares | ActivityKind::Split | ActivityKind::Rename => "RECEIVE_AND_DELIVER",
        ActivityKind::Other => "MEMORANDUM",
    }
}

fn other(ledger: &Ledger, row: &SimActivity) -> Value {
    let cash = double(rounded(row.cash.0, 2));
    let fee = match row.kind {
        ActivityKind::Commission => Some("COMMISSION"),
        ActivityKind::Regulatory => Some("TAF_FEE"),
        ActivityKind::Interest
        | ActivityKind::Dividend
        | ActivityKind::Cash
        | ActivityKind::Shares
        | ActivityKind::Split
        | ActivityKind::Rename
        | ActivityKind::Other => None,
    };
    let mut items = Vec::new();
    if let Some(fee) = fee {
        let paid = double(rounded(row.cash.0.abs(), 2));
        items.push(json!({ "instrument": dollar(), "amount": paid, "cost": cash, "feeType": fee }));
    } else if let Some(symbol) = &row.symbol {
        // A dividend says what it is paid on.
        let held = if row.kind == ActivityKind::Dividend { ledger.held(symbol) } else { row.quantity };
        items
            .push(json!({ "instrument": render::instrument(symbol), "amount": double(held.0), "cost": 0.0 }));
    } else {
        items.push(json!({ "instrument": dollar(), "amount": cash, "cost": 0.0 }));
    }
    json!({
        "activityId": row.number,
        "time": render::time(row.at),
        "description": row.note,
        "accountNumber": ledger.account_number.to_string(),
        "type": kind(row),
        "status": if row.canceled { "INVALID" } else { "VALID" },
        "subAccount": if ledger.manners.shorts { "MARGIN" } else { "CASH" },
        "tradeDate": render::time(row.at),
        "netAmount": cash,
        "transferItems": items,
    })
}

fn dollar() -> Value {
    json!({ "assetType": "CURRENCY", "status": "ACTIVE", "symbol": "CURRENCY_USD", "instrumentId": 1 })
}

fn transaction(ledger: &Ledger, row: &SimExecution) -> Value {
    let busted = ledger
        .executions
        .iter()
        .any(|later| later.nature == Nature::Bust && later.corrects.as_deref() == Some(&row.id));
    let opens = !row.quantity.0.is_negative();
    let mut share = render::instrument(&row.symbol);
    if let Some(fields) = share.as_object_mut() {
        fields.insert("status".to_owned(), json!("ACTIVE"));
    }
    let dollar = dollar();
    json!({
        "activityId": row.number,
        "time": render::time(row.at),
        "accountNumber": ledger.account_number.to_string(),
        "type": "TRADE",
        "status": if busted { "INVALID" } else { "VALID" },
        "subAccount": if ledger.manners.shorts { "MARGIN" } else { "CASH" },
        "tradeDate": render::time(row.at),
        "settlementDate": render::time(row.at.checked_add(24.hours()).unwrap_or(row.at)),
        "positionId": 2_000_000_000_u64,
        "orderId": row.order_number,
        "netAmount": double(rounded(row.cash.0, 2)),
        "transferItems": [
            { "instrument": dollar, "amount": 0.0, "cost": 0.0, "feeType": "SEC_FEE" },
            { "instrument": dollar, "amount": double(rounded(row.cash.0, 2)), "cost": 0.0 },
            {
                "instrument": share,
                "amount": double(row.quantity.0),
                "cost": double(rounded(row.cash.0, 2)),
                "price": double(row.price.dollars()),
                "positionEffect": if opens { "OPENING" } else { "CLOSING" },
            },
        ],
    })
}

pub(super) fn markets(ledger: &Ledger, request: &Request, market: Option<&str>, now: Timestamp) -> Answer {
    let market = market.or_else(|| request.param("markets")).unwrap_or_default();
    if !market.split(',').any(|market| market == "equity") {
        return data_trouble(400, "Bad Request", "only the market `equity` is part of the rehearsal");
    }
    let today = new_york_date(now);
    let date = match request.param("date").map(str::parse::<Date>) {
        None => today,
        Some(Ok(date)) if (today..=today.saturating_add(1.year())).contains(&date) => date,
        Some(_) => return data_trouble(400, "Bad Request", "date must be from today to a year ahead"),
    };
    let hours = match ledger.hours.day(date) {
        None => json!({ "equity": {
            "date": date.to_string(), "marketType": "EQUITY", "product": "equity", "isOpen": false,
        } }),
        Some(day) => json!({ "EQ": {
            "date": date.to_string(), "marketType": "EQUITY", "product": "EQ", "productName": "equity",
            // That the day is a trading day: nothing about this instant.
            "isOpen": true,
            "sessionHours": sessions(&day),
        } }),
    };
    Answer::json(200, &json!({ "equity": hours }))
}

fn sessions(day: &TradingDay) -> Value {
    let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
    let span = |from: Timestamp, to: Timestamp| {
        let shown = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        json!([{ "start": shown(from), "end": shown(to) }])
    };
    // Trading before the open begins at seven here.
    let seven = zone.to_timestamp(day.date.to_datetime(time(7, 0, 0, 0))).unwrap_or(day.early);
    let mut sessions = json!({ "regularMarket": span(day.open, day.close) });
    if let Some(fields) = sessions.as_object_mut() {
        if seven < day.open {
            fields.insert("preMarket".to_owned(), span(seven, day.open));
        }
        if day.close < day.late {
            fields.insert("postMarket".to_owned(), span(day.close, day.late));
        }
    }
    sessions
}

pub(super) fn quotes(ledger: &Ledger, symbols: &str, bent: &Bent, now: Timestamp) -> Answer {
    if bent.has(&Strike::ForbidQuote) {
        return data_trouble(403, "Forbidden", "the app is not entitled to quotes");
    }
    let mut quotes = serde_json::Map::new();
    let mut invalid = Vec::new();
    for symbol in symbols.split(',').filter(|symbol| !symbol.is_empty()) {
        match quote(ledger, symbol, bent, now) {
            Some(quote) => {
                quotes.insert(symbol.to_owned(), quote);
            }
            None => invalid.push(symbol),
        }
    }
    if !invalid.is_empty() {
        quotes.insert("errors".to_owned(), json!({ "invalidSymbols": invalid }));
    }
    Answer::json(200, &Value::Object(quotes))
}

fn quote(ledger: &Ledger, symbol: &str, bent: &Bent, now: Timestamp) -> Option<Value> {
    let (bid, ask, at) = ledger.quoted(symbol, bent, now)?;
    let listing = ledger.listings.get(symbol)?;
    let price = |price: Price| double(price.dollars());
    let status = match (listing.tradable, listing.halted) {
        (_, true) => "Halted",
        (false, false) => "Unknown",
        (true, false) => "Normal",
    };
    let quoted_at = at;
    let at = at.as_millisecond();
    let share = render::instrument(symbol);
    Some(json!({
        "assetMainType": "EQUITY",
        "assetSubType": "COE",
        "quoteType": "NBBO",
        "realtime": true,
        "ssid": share.get("instrumentId"),
        "symbol": symbol,
        "quote": {
            "bidPrice": price(bid), "bidSize": 3, "askPrice": price(ask), "askSize": 2,
            "lastPrice": price(bid), "mark": price(bid), "quoteTime": at, "tradeTime": at,
            "securityStatus": status, "totalVolume": 41_000_000,
        },
        "reference": {
            "cusip": share.get("cusip"), "description": share.get("description"), "exchange": "Q",
            "exchangeName": "NASDAQ", "isHardToBorrow": !listing.shortable, "isShortable": listing.shortable,
        },
        "regular": regular(ledger, symbol, bid, quoted_at, now),
        "extended": { "bidPrice": price(bid), "askPrice": price(ask), "quoteTime": at },
    }))
}

/// The last trade of a regular session: once that is over, what it closed at.
fn regular(ledger: &Ledger, symbol: &str, bid: Price, at: Timestamp, now: Timestamp) -> Value {
    let today = new_york_date(now);
    let over = ledger.hours.day(today).filter(|day| day.close <= now);
    let (price, at) = match over {
        Some(day) => (ledger.close_of(symbol, today, now).unwrap_or(bid), day.close),
        None => (bid, at),
    };
    json!({ "regularMarketLastPrice": double(price.dollars()), "regularMarketTradeTime": at.as_millisecond() })
}
