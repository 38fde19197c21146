//! Alpaca's objects as it sends them, and in our words.
//!
//! Fields that nobody here needs are left out, and what Alpaca adds tomorrow is
//! passed over (`alpaca.md` §2, §5, §7, §8, read 2026-11-20).

use std::collections::BTreeMap;

use jiff::{
    Timestamp,
    civil::{Date, Time},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::night::Blank;
use crate::{
    book::{
        fill::Side,
        market::{Account, Funds, Holding, Listing, Quote},
        order::{Report, Status},
    },
    time::TradingDay,
    units::Usd,
    venue::number::Number,
};

/// The shares that this desk hedges with; crypto and options of the account are not ours.
const EQUITY: &str = "us_equity";

#[derive(Deserialize)]
struct Order {
    id: String,
    client_order_id: Option<String>,
    symbol: String,
    side: String,
    qty: Option<Number>,
    filled_qty: Option<Number>,
    status: String,
    time_in_force: Option<String>,
    submitted_at: Option<Timestamp>,
    created_at: Option<Timestamp>,
    replaced_by: Option<String>,
    reject_reason: Option<String>,
}

/// What tells whether an object is of a share at all.
#[derive(Deserialize)]
struct Class {
    asset_class: Option<String>,
    order_class: Option<String>,
}

impl Class {
    fn is_ours(&self) -> bool {
        self.asset_class.as_deref().is_none_or(|class| class.is_empty() || class == EQUITY)
            && self.order_class.as_deref() != Some("mleg")
    }
}

/// An order, in our words.
pub(super) fn report(raw: &RawValue) -> Result<Report, serde_json::Error> {
    use serde::de::Error as _;
    let order: Order = serde_json::from_str(raw.get())?;
    let side = side(&order.side).ok_or_else(|| serde_json::Error::custom("a side that is none"))?;
    let submitted_at = order.submitted_at.or(order.created_at);
    let (status, known) = status(&order.status, order.time_in_force.as_deref());
    Ok(Report {
        broker_id: order.id,
        client_id: order.client_order_id.filter(|id| !id.is_empty()),
        symbol: order.symbol,
        side,
        quantity: order.qty.map(Number::shares),
        filled: order.filled_qty.map(Number::shares),
        status,
        word: order.status,
        known,
        reason: order.reject_reason.filter(|reason| !reason.is_empty()),
        replaced_by: order.replaced_by,
        submitted_at: submitted_at.ok_or_else(|| serde_json::Error::missing_field("submitted_at"))?,
        said: raw.get().to_owned(),
    })
}

/// The orders of a list that are for shares.
pub(super) fn reports(list: &[&RawValue]) -> Result<Vec<Report>, serde_json::Error> {
    list.iter().copied().filter(|raw| is_ours(raw)).map(report).collect()
}

fn is_ours(raw: &RawValue) -> bool {
    // What has no class that can be read is looked at whole, and complained of there.
    serde_json::from_str::<Class>(raw.get()).map_or(true, |class| class.is_ours())
}

/// A side, as an order or an activity has it.
pub(super) fn side(word: &str) -> Option<Side> {
    match word {
        "buy" | "buy_to_cover" => Some(Side::Buy),
        "sell" | "sell_short" => Some(Side::Sell),
        _ => None,
    }
}

/// What a status means, and whether we know the word.
fn status(word: &str, time_in_force: Option<&str>) -> (Status, bool) {
    let status = match word {
        "filled" => Status::Filled,
        "canceled" => Status::Canceled,
        "expired" => Status::Expired,
        "rejected" => Status::Rejected,
        "replaced" => Status::Replaced,
        // A GTC order goes on tomorrow.
        "done_for_day" if time_in_force == Some("day") => Status::Expired,
        "new"
        | "accepted"
        | "pending_new"
        | "accepted_for_bidding"
        | "held"
        | "pending_review"
        | "partially_filled"
        | "pending_cancel"
        | "pending_replace"
        | "stopped"
        | "calculated"
        | "suspended"
        | "done_for_day" => Status::Working,
        _ => return (Status::Working, false),
    };
    (status, true)
}

/// `/account`.
#[derive(Deserialize)]
pub(super) struct AccountBody {
    id: String,
    /// With the proceeds of what has not settled (`alpaca.md` §7).
    cash: Number,
    #[serde(default)]
    pending_transfer_in: Blank,
    #[serde(default)]
    pending_transfer_out: Blank,
    status: Option<String>,
    #[serde(default)]
    trading_blocked: bool,
    #[serde(default)]
    account_blocked: bool,
    #[serde(default)]
    trade_suspended_by_user: bool,
}

/// One of `/positions`.
#[derive(Deserialize)]
struct Position {
    symbol: String,
    qty: Number,
    qty_available: Option<Number>,
}

/// The account, of its two halves.
pub(super) fn account(
    body: AccountBody,
    positions: &[&RawValue],
    asked_at: Timestamp,
) -> Result<Account, serde_json::Error> {
    let mut holdings = BTreeMap::new();
    for raw in positions.iter().filter(|raw| is_ours(raw)) {
        let position: Position = serde_json::from_str(raw.get())?;
        let quantity = position.qty.shares();
        let available = position.qty_available.map_or(quantity, Number::shares);
        holdings.insert(position.symbol, Holding { quantity, available });
    }
    let flags = [
        ("trading is blocked", body.trading_blocked),
        ("the account is blocked", body.account_blocked),
        ("trading is suspended by its owner", body.trade_suspended_by_user),
    ];
    let mut blocked: Vec<String> =
        flags.iter().filter(|(_, set)| *set).map(|(why, _)| (*why).to_owned()).collect();
    if let Some(status) = body.status.filter(|status| status != "ACTIVE") {
        blocked.push(format!("the account is {status}"));
    }
    let dollars = |blank: Blank| blank.0.map_or(Usd::ZERO, Number::usd);
    let (to_come, to_go) = (dollars(body.pending_transfer_in), dollars(body.pending_transfer_out));
    let pending = to_come.minus(to_go).unwrap_or_default();
    Ok(Account {
        id: body.id,
        cash: body.cash.usd(),
        funds: Funds { pending, ..Funds::of(body.cash.usd()) },
        holdings,
        blocked: (!blocked.is_empty()).then(|| blocked.join(", ")),
        closing_only: false,
        asked_at,
    })
}

/// `/clock`.
#[derive(Deserialize)]
pub(super) struct ClockBody {
    pub(super) timestamp: Timestamp,
    pub(super) is_open: bool,
}

/// One day of `/calendar`.
#[derive(Deserialize)]
pub(super) struct Day {
    pub(super) date: Date,
    open: String,
    close: String,
    session_open: Option<String>,
    session_close: Option<String>,
}

impl Day {
    /// Its hours; without a word on extended trading there is none. `None` where they are no hours.
    pub(super) fn hours(&self) -> Option<TradingDay> {
        let (open, close) = (wall(&self.open)?, wall(&self.close)?);
        let or = |said: &Option<String>, usual| said.as_deref().map_or(Some(usual), wall);
        let (early, late) = (or(&self.session_open, open)?, or(&self.session_close, close)?);
        TradingDay::in_new_york(self.date, [early, open, close, late])
    }
}

/// `09:30` or `0930`: both occur.
fn wall(text: &str) -> Option<Time> {
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    let (hour, minute) = (digits.len() == 4).then(|| digits.split_at_checked(2)).flatten()?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// `/stocks/quotes/latest`.
#[derive(Deserialize)]
pub(super) struct Quotes {
    #[serde(default)]
    quotes: BTreeMap<String, QuoteBody>,
}

#[derive(Deserialize)]
struct QuoteBody {
    ap: Number,
    bp: Number,
    t: Timestamp,
}

impl Quotes {
    /// The sane two-sided quote of `symbol`.
    pub(super) fn of(&self, symbol: &str) -> Option<Quote> {
        let found = self.quotes.get(symbol)?;
        crate::venue::quote(found.bp, found.ap, found.t)
    }
}

/// `/assets/X`.
#[derive(Deserialize)]
pub(super) struct Asset {
    status: Option<String>,
    #[serde(default)]
    tradable: bool,
    #[serde(default)]
    fractionable: bool,
    #[serde(default)]
    shortable: bool,
}

impl Asset {
    pub(super) fn listing(&self) -> Listing {
        Listing {
            tradable: self.tradable && self.status.as_deref() == Some("active"),
            fractionable: self.fractionable,
            shortable: self.shortable,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The filled market order of `alpaca.md` §2, changed by `with`.
    fn order(with: &Value) -> Result<Report, serde_json::Error> {
        let mut order = json!({
            "id": "6f0c2c0e-3d0b-4f3e-9d51-0b5b3d6f2a11", "client_order_id": "hedge-01HF2K-7",
            "created_at": "2026-11-20T15:30:01.102938475Z", "submitted_at": "2026-11-20T15:30:01.102938475Z",
            "asset_class": "us_equity", "notional": null, "qty": "3", "filled_qty": "3", "symbol": "AAPL",
            "filled_avg_price": "187.256667", "order_class": "", "type": "market", "side": "buy",
            "time_in_force": "day", "limit_price": null, "status": "filled", "extended_hours": false,
            "replaced_by": null, "a_field_of_tomorrow": {"x": [1]}
        });
        order.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        report(&serde_json::value::to_raw_value(&order).unwrap())
    }

    #[test]
    fn a_filled_order_is_read() {
        let report = order(&json!({})).unwrap();
        assert_eq!(report.broker_id, "6f0c2c0e-3d0b-4f3e-9d51-0b5b3d6f2a11");
        assert_eq!(report.client_id.as_deref(), Some("hedge-01HF2K-7"));
        assert_eq!((report.symbol.as_str(), report.side), ("AAPL", Side::Buy));
        assert_eq!(report.quantity.unwrap().to_string(), "3");
        assert_eq!(report.filled.unwrap().to_string(), "3");
        assert_eq!((report.status, report.known), (Status::Filled, true));
        assert_eq!(report.submitted_at.to_string(), "2026-11-20T15:30:01.102938475Z");
        assert!(report.said.contains("a_field_of_tomorrow"), "the evidence is whole");
    }

    #[test]
    fn every_status_has_its_meaning_and_one_never_heard_of_is_alive() {
        for (word, meaning) in [
            ("new", Status::Working),
            ("accepted", Status::Working),
            ("pending_new", Status::Working),
            ("accepted_for_bidding", Status::Working),
            ("held", Status::Working),
            ("pending_review", Status::Working),
            ("partially_filled", Status::Working),
            ("pending_cancel", Status::Working),
            ("pending_replace", Status::Working),
            ("stopped", Status::Working),
            ("calculated", Status::Working),
            ("suspended", Status::Working),
            ("done_for_day", Status::Expired),
            ("filled", Status::Filled),
            ("canceled", Status::Canceled),
            ("expired", Status::Expired),
            ("rejected", Status::Rejected),
            ("replaced", Status::Replaced),
        ] {
            let report = order(&json!({"status": word})).unwrap();
            assert_eq!((report.status, report.known), (meaning, true), "{word}");
        }
        let rests = order(&json!({"status": "done_for_day", "time_in_force": "gtc"})).unwrap();
        assert_eq!((rests.status, rests.known), (Status::Working, true));
        let strange = order(&json!({"status": "quantum"})).unwrap();
        assert_eq!(
            (strange.status, strange.known, strange.word.as_str()),
            (Status::Working, false, "quantum")
        );
    }

    #[test]
    fn what_is_not_said_is_not_zero() {
        let silent = order(&json!({"filled_qty": null, "qty": null, "notional": "100"})).unwrap();
        assert_eq!((silent.quantity, silent.filled), (None, None));
        assert!(order(&json!({"filled_qty": "lots"})).is_err());
        assert!(order(&json!({"submitted_at": null, "created_at": null})).is_err());
        let other_offset = order(&json!({"submitted_at": "2026-11-20T10:30:01-05:00"})).unwrap();
        assert_eq!(other_offset.submitted_at.to_string(), "2026-11-20T15:30:01Z");
    }

    #[test]
    fn orders_for_other_things_than_shares_are_passed_over_and_broken_ones_are_not() {
        let list = r#"[{"asset_class":"crypto","side":"buy"},{"order_class":"mleg","symbol":""},
                       {"id":"7","symbol":"AAPL","side":"sell","status":"new","submitted_at":"2026-11-20T15:30:01Z"}]"#;
        let list: Vec<&RawValue> = serde_json::from_str(list).unwrap();
        let found = reports(&list).unwrap();
        assert_eq!(found.iter().map(|order| order.broker_id.as_str()).collect::<Vec<_>>(), ["7"]);
        let broken: Vec<&RawValue> = serde_json::from_str(r#"[{"id":"7"}]"#).unwrap();
        assert!(reports(&broken).is_err());
    }

    #[test]
    fn an_account_that_may_not_trade_says_why() {
        let account = |with: &str| {
            let body = format!(r#"{{"id":"x","cash":"-12.34","status":"ACTIVE"{with}}}"#);
            account(serde_json::from_str(&body).unwrap(), &[], Timestamp::UNIX_EPOCH).unwrap()
        };
        assert_eq!(account("").blocked, None);
        assert_eq!(account("").cash.to_string(), "-12.34");
        assert_eq!(account(r#","trading_blocked":true"#).blocked.as_deref(), Some("trading is blocked"));
        let both = account(r#","account_blocked":true,"trade_suspended_by_user":true"#).blocked;
        assert_eq!(both.as_deref(), Some("the account is blocked, trading is suspended by its owner"));
        let body = r#"{"id":"x","cash":"0","status":"ACCOUNT_CLOSED"}"#;
        let closed = super::account(serde_json::from_str(body).unwrap(), &[], Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(closed.blocked.as_deref(), Some("the account is ACCOUNT_CLOSED"));
    }

    #[test]
    fn holdings_are_signed_and_tell_what_is_free() {
        let positions = r#"[{"symbol":"AAPL","qty":"5","qty_available":"2"},{"symbol":"TSLA","qty":"-3"},
                            {"symbol":"BTCUSD","asset_class":"crypto","qty":"0.1"}]"#;
        let positions: Vec<&RawValue> = serde_json::from_str(positions).unwrap();
        let body = serde_json::from_str(r#"{"id":"x","cash":"1"}"#).unwrap();
        let held = account(body, &positions, Timestamp::UNIX_EPOCH).unwrap().holdings;
        let shown: Vec<String> = held
            .iter()
            .map(|(symbol, held)| format!("{symbol} {} {}", held.quantity, held.available))
            .collect();
        assert_eq!(shown, ["AAPL 5 2", "TSLA -3 -3"]);
    }

    #[test]
    fn hours_are_read_with_and_without_a_colon() {
        let day = |json: &str| serde_json::from_str::<Day>(json).unwrap().hours();
        let full = day(
            r#"{"date":"2026-11-20","open":"09:30","close":"1600","session_open":"0400","session_close":"20:00"}"#,
        );
        let full = full.unwrap();
        let times = [full.early, full.open, full.close, full.late].map(|time| time.to_string());
        assert_eq!(
            times,
            ["2026-11-20T09:00:00Z", "2026-11-20T14:30:00Z", "2026-11-20T21:00:00Z", "2026-11-21T01:00:00Z"]
        );
        let half = day(r#"{"date":"2026-11-27","open":"09:30","close":"13:00"}"#).unwrap();
        assert_eq!(
            (half.early, half.late),
            (half.open, half.close),
            "no word on extended trading: there is none"
        );
        for bad in ["9:30", "25:00", "ab:cd", "", "09:30:00", "é9:3"] {
            assert_eq!(wall(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_quote_without_a_side_or_crossed_is_none() {
        let quotes = r#"{"quotes":{"AAPL":{"ap":187.27,"bp":187.25,"t":"2026-11-20T15:30:00.5Z"},
            "NOASK":{"ap":0,"bp":1,"t":"2026-11-20T15:30:00Z"},"NOBID":{"ap":1,"bp":0.0,"t":"2026-11-20T15:30:00Z"},
            "CROSSED":{"ap":1,"bp":1.01,"t":"2026-11-20T15:30:00Z"}}}"#;
        let quotes: Quotes = serde_json::from_str(quotes).unwrap();
        let sane = quotes.of("AAPL").unwrap();
        assert_eq!((sane.bid.to_string(), sane.ask.to_string()), ("187.25".into(), "187.27".into()));
        for symbol in ["NOASK", "NOBID", "CROSSED", "ABSENT"] {
            assert_eq!(quotes.of(symbol), None, "{symbol}");
        }
    }
}
