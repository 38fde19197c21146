//! What the night asks of Schwab: transactions besides trades, their fees, and closes.
//!
//! Shapes are documented (`schwab.md` §7, §8), what a fee line says is not: its `cost` is
//! taken as what it does to cash, and where that is nothing its `amount` as what was paid.
//! A corporate action comes as `RECEIVE_AND_DELIVER` and is shares that came or went: what
//! it was, nothing here guesses. What is pending has moved nothing yet and is left out.

use jiff::{Timestamp, civil::Date};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::wire::Time;
use crate::{
    book::activity::{Activity, ActivityKind},
    time::new_york_date,
    units::{Amount, Price, Shares, Usd},
    venue::number::Number,
};

/// All types that there are; a trade is looked at for its fees alone.
pub(super) const TYPES: &str = "TRADE,RECEIVE_AND_DELIVER,DIVIDEND_OR_INTEREST,ACH_RECEIPT,ACH_DISBURSEMENT,\
    CASH_RECEIPT,CASH_DISBURSEMENT,ELECTRONIC_FUND,WIRE_OUT,WIRE_IN,JOURNAL,MEMORANDUM,MARGIN_CALL,\
    MONEY_MARKET,SMA_ADJUSTMENT";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transaction {
    activity_id: u64,
    time: Time,
    #[serde(rename = "type")]
    kind: String,
    status: Option<String>,
    net_amount: Option<Number>,
    trade_date: Option<Time>,
    #[serde(default)]
    transfer_items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    instrument: Option<Instrument>,
    amount: Option<Number>,
    cost: Option<Number>,
    fee_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Instrument {
    asset_type: Option<String>,
    symbol: Option<String>,
}

impl Item {
    /// The ticker, where it is a security.
    fn symbol(&self) -> Option<&str> {
        let instrument = self.instrument.as_ref()?;
        let is_money = instrument.asset_type.as_deref() == Some("CURRENCY");
        instrument.symbol.as_deref().filter(|symbol| !is_money && !symbol.is_empty())
    }

    /// What a fee line does to cash.
    fn fee(&self) -> Amount {
        let cost = self.cost.map_or(Amount::ZERO, |cost| cost.0);
        let amount = self.amount.map_or(Amount::ZERO, |amount| amount.0.abs().negated());
        if cost.is_zero() { amount } else { cost }
    }
}

/// The activities in a transaction: of a trade its fees, of anything else what it moves.
pub(super) fn activities(raw: &RawValue) -> Result<Vec<Activity>, serde_json::Error> {
    let transaction: Transaction = serde_json::from_str(raw.get())?;
    let at = transaction.time.0;
    let date = new_york_date(transaction.trade_date.map_or(at, |date| date.0));
    let activity = |id: String, kind, word: &str, symbol: Option<&str>, quantity, cash| Activity {
        id,
        kind,
        word: word.to_owned(),
        symbol: symbol.map(str::to_owned),
        quantity: Shares(quantity),
        cash: Usd(cash),
        date,
        at: Some(at),
        said: raw.get().to_owned(),
    };
    let id = transaction.activity_id;
    match transaction.status.as_deref() {
        Some("PENDING") => return Ok(Vec::new()),
        // Its trades are taken back where orders are looked at; its fees go with them.
        Some("INVALID") => {
            let word = format!("{} invalid", transaction.kind);
            let none = Amount::ZERO;
            return Ok(vec![activity(id.to_string(), ActivityKind::Other, &word, None, none, none)]);
        }
        _ => {}
    }
    let items = &transaction.transfer_items;
    let traded = items.iter().find_map(Item::symbol);
    if transaction.kind == "TRADE" {
        let fees = items.iter().enumerate().filter_map(|(place, item)| {
            let (fee, cash) = (item.fee_type.as_deref()?, item.fee());
            let kind = if fee == "COMMISSION" { ActivityKind::Commission } else { ActivityKind::Regulatory };
            let id = format!("{id}/{place}");
            (!cash.is_zero()).then(|| activity(id, kind, fee, traded, Amount::ZERO, cash))
        });
        return Ok(fees.collect());
    }
    let cash = transaction.net_amount.map_or(Amount::ZERO, |amount| amount.0);
    let (securities, word) = (traded.is_some(), transaction.kind.as_str());
    let kind = match word {
        "RECEIVE_AND_DELIVER" => ActivityKind::Shares,
        "DIVIDEND_OR_INTEREST" if securities => ActivityKind::Dividend,
        "DIVIDEND_OR_INTEREST" => ActivityKind::Interest,
        "JOURNAL" if securities => ActivityKind::Shares,
        "ACH_RECEIPT" | "ACH_DISBURSEMENT" | "CASH_RECEIPT" | "CASH_DISBURSEMENT" | "ELECTRONIC_FUND"
        | "WIRE_OUT" | "WIRE_IN" | "JOURNAL" => ActivityKind::Cash,
        _ => ActivityKind::Other,
    };
    // A dividend names the share that it is of, and moves none.
    let moving = items.iter().filter(|item| kind != ActivityKind::Dividend && item.symbol().is_some());
    let mut found: Vec<Activity> = moving
        .enumerate()
        .map(|(place, item)| {
            let quantity = item.amount.map_or(Amount::ZERO, |amount| amount.0);
            let (id, cash) =
                if place == 0 { (id.to_string(), cash) } else { (format!("{id}/{place}"), Amount::ZERO) };
            activity(id, kind, word, item.symbol(), quantity, cash)
        })
        .collect();
    if found.is_empty() {
        found.push(activity(id.to_string(), kind, word, traded, Amount::ZERO, cash));
    }
    Ok(found)
}

/// The last regular trade of a share.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Regular {
    regular_market_last_price: Option<Number>,
    regular_market_trade_time: Option<i64>,
}

/// A quote, as far as a close is looked for.
#[derive(Deserialize)]
pub(super) struct Closed {
    regular: Option<Regular>,
}

impl Closed {
    /// What it closed at on this day, where its last regular trade was on it.
    pub(super) fn on(&self, day: Date) -> Option<Price> {
        let regular = self.regular.as_ref()?;
        let at = Timestamp::from_millisecond(regular.regular_market_trade_time?).ok()?;
        let price = regular.regular_market_last_price?.price().filter(|price| !price.dollars().is_zero());
        price.filter(|_| new_york_date(at) == day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(json: &str) -> Vec<String> {
        let raw = RawValue::from_string(json.to_owned()).unwrap();
        let shown = |it: Activity| {
            let symbol = it.symbol.unwrap_or_default();
            format!("{} {} {symbol} {} {} {}", it.id, it.kind.word(), it.quantity, it.cash, it.date)
        };
        activities(&raw).unwrap().into_iter().map(shown).collect()
    }

    const DOLLAR: &str =
        r#"{"assetType":"CURRENCY","status":"ACTIVE","symbol":"CURRENCY_USD","instrumentId":1}"#;
    const SHARE: &str = r#"{"assetType":"EQUITY","symbol":"AAPL","instrumentId":1973757747}"#;

    fn transaction(kind: &str, status: &str, net: &str, items: &str) -> String {
        format!(
            r#"{{"activityId":90123,"time":"2026-11-20T21:00:00+0000","type":"{kind}","status":"{status}","subAccount":"CASH",
            "tradeDate":"2026-11-20T05:00:00+0000","netAmount":{net},"transferItems":[{items}]}}"#
        )
    }

    #[test]
    fn a_trade_is_looked_at_for_its_fees_alone() {
        let items = format!(
            r#"{{"instrument":{DOLLAR},"amount":0.65,"cost":-0.65,"feeType":"COMMISSION"}},
               {{"instrument":{DOLLAR},"amount":0.03,"cost":0.0,"feeType":"SEC_FEE"}},
               {{"instrument":{DOLLAR},"amount":0.0,"cost":0.0,"feeType":"TAF_FEE"}},
               {{"instrument":{SHARE},"amount":-15.0,"cost":2808.85,"price":187.2567}}"#
        );
        assert_eq!(
            shown(&transaction("TRADE", "VALID", "2808.17", &items)),
            ["90123/0 commission AAPL 0 -0.65 2026-11-20", "90123/1 regulatory AAPL 0 -0.03 2026-11-20"]
        );
    }

    #[test]
    fn everything_else_is_what_it_moves() {
        let share = |amount: &str| format!(r#"{{"instrument":{SHARE},"amount":{amount},"cost":0.0}}"#);
        let dollars = format!(r#"{{"instrument":{DOLLAR},"amount":12.5,"cost":0.0}}"#);
        for (kind, net, items, expected) in [
            ("RECEIVE_AND_DELIVER", "0.0", share("45.0"), "90123 shares AAPL 45 0 2026-11-20"),
            ("DIVIDEND_OR_INTEREST", "12.5", share("50.0"), "90123 dividend AAPL 0 12.5 2026-11-20"),
            ("DIVIDEND_OR_INTEREST", "-1.25", dollars.clone(), "90123 interest  0 -1.25 2026-11-20"),
            ("WIRE_IN", "5000.0", dollars.clone(), "90123 cash  0 5000 2026-11-20"),
            ("JOURNAL", "-7.0", dollars.clone(), "90123 cash  0 -7 2026-11-20"),
            ("MEMORANDUM", "0.0", String::new(), "90123 other  0 0 2026-11-20"),
            ("SOMETHING_NEW", "-3.0", dollars, "90123 other  0 -3 2026-11-20"),
        ] {
            assert_eq!(shown(&transaction(kind, "VALID", net, &items)), [expected], "{kind}");
        }
        let both = format!("{},{}", share("-4.0"), share("4.0").replace("AAPL", "APPL2"));
        assert_eq!(
            shown(&transaction("RECEIVE_AND_DELIVER", "VALID", "0.0", &both)),
            ["90123 shares AAPL -4 0 2026-11-20", "90123/1 shares APPL2 4 0 2026-11-20"]
        );
    }

    #[test]
    fn what_is_pending_has_moved_nothing_and_what_is_invalid_moves_nothing() {
        assert!(shown(&transaction("WIRE_IN", "PENDING", "5000.0", "")).is_empty());
        assert_eq!(shown(&transaction("WIRE_IN", "INVALID", "5000.0", "")), ["90123 other  0 0 2026-11-20"]);
    }

    #[test]
    fn a_close_is_the_last_regular_trade_of_its_day() {
        let closed: Closed = serde_json::from_str(
            r#"{"regular":{"regularMarketLastPrice":187.25,"regularMarketTradeTime":1795208400000}}"#,
        )
        .unwrap();
        let day: Date = "2026-11-20".parse().unwrap();
        assert_eq!(closed.on(day).unwrap().to_string(), "187.25");
        assert_eq!(closed.on(day.tomorrow().unwrap()), None);
        assert_eq!(serde_json::from_str::<Closed>("{}").unwrap().on(day), None);
    }
}
