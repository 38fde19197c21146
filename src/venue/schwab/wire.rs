//! Schwab's objects as it sends them, and in our words.
//!
//! Numbers are JSON numbers, read from their text; a time's offset has no colon
//! (`schwab.md` §3, §6, §8, read 2026-11-20).
#![expect(clippy::struct_field_names, reason = "they are Schwab's")]

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::value::RawValue;

use crate::{
    book::{
        execution::{Execution, Nature},
        fill::Side,
        market::{Account, Funds, Holding, Listing, Quote},
        order::{Report, Status, Terms, Ticket},
    },
    time::TradingDay,
    units::Usd,
    venue::number::Number,
};

/// A time: `2026-11-20T15:30:21+0000`, also with a colon or `Z`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time(pub(super) Timestamp);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let time = text.parse().or_else(|_| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", &text));
        time.map(Self).map_err(D::Error::custom)
    }
}

/// One login's accounts.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountNumber {
    pub(super) hash_value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    order_id: u64,
    session: Option<String>,
    duration: Option<String>,
    order_type: Option<String>,
    quantity: Option<Number>,
    filled_quantity: Option<Number>,
    status: String,
    status_description: Option<String>,
    entered_time: Time,
    tag: Option<String>,
    #[serde(default)]
    order_leg_collection: Vec<Leg>,
    #[serde(default)]
    order_activity_collection: Vec<Activity>,
    #[serde(default)]
    replacing_order_collection: Vec<Replacing>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Leg {
    leg_id: Option<u64>,
    instrument: Instrument,
    instruction: String,
}

#[derive(Deserialize)]
struct Instrument {
    symbol: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Activity {
    activity_type: Option<String>,
    execution_type: Option<String>,
    activity_id: Option<u64>,
    #[serde(default)]
    execution_legs: Vec<ExecutionLeg>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecutionLeg {
    leg_id: u64,
    quantity: Number,
    price: Number,
    time: Time,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Replacing {
    order_id: u64,
}

/// An order as Schwab shows it.
pub(super) struct Shown {
    order: Order,
    side: Side,
    symbol: String,
    said: String,
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "order {}", self.order.order_id)
    }
}

/// An order for one share; `None` for what has several legs, or none.
pub(super) fn shown(raw: &RawValue) -> Result<Option<Shown>, serde_json::Error> {
    let order: Order = serde_json::from_str(raw.get())?;
    let [leg] = order.order_leg_collection.as_slice() else { return Ok(None) };
    let Some(side) = side(&leg.instruction) else { return Ok(None) };
    let symbol = leg.instrument.symbol.clone();
    Ok(Some(Shown { order, side, symbol, said: raw.get().to_owned() }))
}

/// The orders of a list that are for one share.
pub(super) fn all_shown(list: &[&RawValue]) -> Result<Vec<Shown>, serde_json::Error> {
    list.iter().copied().filter_map(|raw| shown(raw).transpose()).collect()
}

/// Options are bought to open and to close; shares are not.
fn side(instruction: &str) -> Option<Side> {
    match instruction {
        "BUY" | "BUY_TO_COVER" => Some(Side::Buy),
        "SELL" | "SELL_SHORT" => Some(Side::Sell),
        _ => None,
    }
}

/// What a market order and one outside the session are called.
pub(super) const fn kind(terms: Terms) -> (&'static str, &'static str) {
    match terms {
        Terms::Market => ("MARKET", "NORMAL"),
        Terms::ExtendedLimit(_) => ("LIMIT", "SEAMLESS"),
    }
}

/// The desk sells no more than it holds.
pub(super) const fn instruction(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

impl Shown {
    /// The broker's id.
    pub(super) fn id(&self) -> String {
        self.order.order_id.to_string()
    }

    /// Whether it looks like what was sent, not before `from`: the fingerprint of `schwab.md` §5.
    pub(super) fn is_like(&self, ticket: &Ticket, from: Timestamp) -> bool {
        let (kind, session) = kind(ticket.terms);
        let instruction = self.order.order_leg_collection.first().map(|leg| leg.instruction.as_str());
        self.symbol == ticket.symbol
            && instruction == Some(instruction_of(ticket))
            && self.order.quantity.is_some_and(|quantity| quantity.shares() == ticket.quantity)
            && self.order.order_type.as_deref() == Some(kind)
            && self.order.session.as_deref() == Some(session)
            && self.order.duration.as_deref() == Some("DAY")
            && self.order.entered_time.0 >= from
            // A person's order bears another tag; one without any may be ours.
            && self.order.tag.as_deref().is_none_or(|tag| tag.starts_with("TA_"))
    }

    /// In our words.
    pub(super) fn report(&self) -> Report {
        let Self { order, side, symbol, said } = self;
        let (status, known) = status(&order.status);
        let next = order.replacing_order_collection.iter().find(|next| next.order_id != order.order_id);
        Report {
            broker_id: order.order_id.to_string(),
            client_id: None,
            symbol: symbol.clone(),
            side: *side,
            quantity: order.quantity.map(Number::shares),
            filled: order.filled_quantity.map(Number::shares),
            status,
            word: order.status.clone(),
            known,
            reason: order.status_description.clone().filter(|reason| !reason.is_empty()),
            // That the replacing order is listed with the replaced one is assumed.
            replaced_by: next.filter(|_| status == Status::Replaced).map(|next| next.order_id.to_string()),
            submitted_at: order.entered_time.0,
            said: said.clone(),
        }
    }

    /// Its trades: of all activities the executions, and of those the fills. Each once.
    ///
    /// `None` where one is no trade.
    pub(super) fn executions(&self) -> Option<Vec<Execution>> {
        let mut seen = HashSet::new();
        let fills = self.order.order_activity_collection.iter().filter(|activity| {
            activity.activity_type.as_deref() == Some("EXECUTION")
                && activity.execution_type.as_deref() == Some("FILL")
        });
        let legs = fills.flat_map(|fill| fill.execution_legs.iter().map(move |leg| (fill.activity_id, leg)));
        let mut executions = Vec::new();
        for (activity, leg) in legs {
            let id = format!("{}-{}", activity?, leg.leg_id);
            let ours = self.order.order_leg_collection.first().and_then(|leg| leg.leg_id);
            if ours.is_some_and(|ours| ours != leg.leg_id) || !seen.insert(id.clone()) {
                continue;
            }
            let price = leg.price.price()?;
            let quantity = self.side.signed(leg.quantity.shares().abs());
            executions.push(Execution {
                id,
                broker_order_id: Some(self.id()),
                symbol: self.symbol.clone(),
                quantity,
                price,
                cash: Usd(quantity.at(price)?.0.negated()),
                executed_at: leg.time.0,
                nature: Nature::Trade,
                corrects: None,
            });
        }
        Some(executions)
    }
}

const fn instruction_of(ticket: &Ticket) -> &'static str {
    instruction(ticket.side)
}

/// What a status means, and whether we know the word.
fn status(word: &str) -> (Status, bool) {
    let status = match word {
        "FILLED" => Status::Filled,
        "CANCELED" => Status::Canceled,
        "EXPIRED" => Status::Expired,
        "REJECTED" => Status::Rejected,
        "REPLACED" => Status::Replaced,
        "AWAITING_PARENT_ORDER"
        | "AWAITING_CONDITION"
        | "AWAITING_STOP_CONDITION"
        | "AWAITING_MANUAL_REVIEW"
        | "ACCEPTED"
        | "AWAITING_UR_OUT"
        | "PENDING_ACTIVATION"
        | "QUEUED"
        | "WORKING"
        | "PENDING_CANCEL"
        | "PENDING_REPLACE"
        | "NEW"
        | "AWAITING_RELEASE_TIME"
        | "PENDING_ACKNOWLEDGEMENT"
        | "PENDING_RECALL"
        | "UNKNOWN" => Status::Working,
        _ => return (Status::Working, false),
    };
    (status, true)
}

/// `/accounts/HASH?fields=positions`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountBody {
    securities_account: Securities,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Securities {
    #[serde(rename = "type")]
    kind: Option<String>,
    account_number: String,
    #[serde(default)]
    is_closing_only_restricted: bool,
    /// Absent where nothing is held.
    #[serde(default)]
    positions: Vec<Position>,
    current_balances: Balances,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Balances {
    cash_balance: Option<Number>,
    cash_available_for_trading: Option<Number>,
    total_cash: Option<Number>,
    unsettled_cash: Option<Number>,
    available_funds: Option<Number>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Position {
    long_quantity: Number,
    short_quantity: Number,
    instrument: Instrument,
}

impl AccountBody {
    /// In our words; `None` where it says nothing of cash, or of more than can be counted.
    ///
    /// What open orders hold of a position is not said: all of it counts as free.
    pub(super) fn account(self, asked_at: Timestamp) -> Option<Account> {
        let Securities { kind, account_number, is_closing_only_restricted, positions, current_balances } =
            self.securities_account;
        let Balances {
            cash_balance,
            cash_available_for_trading,
            total_cash,
            unsettled_cash,
            available_funds,
        } = current_balances;
        // What a cash account may trade with lacks what open orders hold; all of it is its total.
        let (cash, total) = if kind.as_deref() == Some("CASH") {
            let free = cash_available_for_trading.or(cash_balance).or(total_cash);
            (free, total_cash.or(cash_balance).or(free))
        } else {
            let cash = cash_balance.or(total_cash).or(available_funds);
            (cash, cash)
        };
        let funds = Funds { unsettled: unsettled_cash.map(Number::usd), ..Funds::of(total?.usd()) };
        let mut holdings = BTreeMap::new();
        for position in positions {
            let quantity = position.long_quantity.shares().minus(position.short_quantity.shares())?;
            holdings.insert(position.instrument.symbol, Holding { quantity, available: quantity });
        }
        Some(Account {
            id: account_number,
            cash: cash?.usd(),
            funds,
            holdings,
            blocked: None,
            closing_only: is_closing_only_restricted,
            asked_at,
        })
    }
}

/// `/markets`: by market, then by product.
pub(super) type Markets = BTreeMap<String, BTreeMap<String, Hours>>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Hours {
    date: Date,
    is_open: bool,
    session_hours: Option<Sessions>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Sessions {
    pre_market: Vec<Span>,
    regular_market: Vec<Span>,
    post_market: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    start: Time,
    end: Time,
}

/// The trading day that `markets` has for `date`; none on a closed one.
pub(super) fn day(markets: &Markets, date: Date) -> Result<Option<TradingDay>, &'static str> {
    let hours = markets.get("equity").and_then(|products| products.values().next());
    let hours = hours.filter(|hours| hours.date == date).ok_or("no hours of that day")?;
    if !hours.is_open {
        return Ok(None);
    }
    let sessions = hours.session_hours.as_ref().ok_or("an open day without hours")?;
    let regular = sessions.regular_market.first().ok_or("an open day without a regular session")?;
    let (open, close) = (regular.start.0, regular.end.0);
    let early = sessions.pre_market.first().map_or(open, |span| span.start.0);
    let late = sessions.post_market.last().map_or(close, |span| span.end.0);
    let in_order = early <= open && open < close && close <= late;
    in_order
        .then_some(Some(TradingDay { date, early, open, close, late }))
        .ok_or("hours that are out of order")
}

/// `/quotes`: by symbol. Unknown ones are listed under `errors`, which is no symbol.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Quoted {
    #[serde(default)]
    realtime: bool,
    quote: Option<QuoteBody>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QuoteBody {
    bid_price: Option<Number>,
    ask_price: Option<Number>,
    quote_time: Option<i64>,
    security_status: Option<String>,
}

impl Quoted {
    fn is_normal(&self) -> bool {
        self.quote.as_ref().and_then(|quote| quote.security_status.as_deref()) == Some("Normal")
    }

    /// The two-sided quote, where it is of now and of a share that trades.
    pub(super) fn quote(&self) -> Option<Quote> {
        let body = self.quote.as_ref().filter(|_| self.realtime && self.is_normal())?;
        let at = Timestamp::from_millisecond(body.quote_time?).ok()?;
        crate::venue::quote(body.bid_price?, body.ask_price?, at)
    }

    /// Schwab takes whole shares (`schwab.md` §4), and this desk sells none short there.
    pub(super) fn listing(&self) -> Listing {
        Listing { tradable: self.is_normal(), fractionable: false, shortable: false }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The filled market order of `schwab.md` §6, changed by `with`.
    fn order(with: &serde_json::Value) -> Shown {
        let mut order: serde_json::Value = serde_json::from_str(FILLED).unwrap();
        order.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        shown(&serde_json::value::to_raw_value(&order).unwrap()).unwrap().unwrap()
    }

    const FILLED: &str = r#"{"session":"NORMAL","duration":"DAY","orderType":"MARKET","quantity":15.0,"filledQuantity":15.0,
        "remainingQuantity":0.0,"requestedDestination":"AUTO","orderLegCollection":[{"orderLegType":"EQUITY","legId":1,
        "instrument":{"assetType":"EQUITY","cusip":"037833100","symbol":"AAPL","instrumentId":1973757747},"instruction":"BUY",
        "positionEffect":"OPENING","quantity":15.0}],"orderStrategyType":"SINGLE","orderId":1004051988123,"status":"FILLED",
        "enteredTime":"2026-11-20T15:30:01+0000","closeTime":"2026-11-20T15:30:02+0000","tag":"TA_myapp","accountNumber":12345678,
        "orderActivityCollection":[{"activityType":"EXECUTION","activityId":90123456789,"executionType":"FILL","quantity":15.0,
        "executionLegs":[{"legId":1,"quantity":15.0,"price":187.2567,"time":"2026-11-20T15:30:02+0000"}]}]}"#;

    fn ticket() -> Ticket {
        Ticket {
            client_id: "schwab-live-1".to_owned(),
            symbol: "AAPL".to_owned(),
            side: Side::Buy,
            quantity: crate::units::Shares("15".parse().unwrap()),
            terms: Terms::Market,
        }
    }

    #[test]
    fn a_filled_order_and_its_trade_are_read() {
        let shown = order(&json!({}));
        let report = shown.report();
        assert_eq!((report.broker_id.as_str(), report.symbol.as_str()), ("1004051988123", "AAPL"));
        assert_eq!((report.status, report.known, report.side), (Status::Filled, true, Side::Buy));
        assert_eq!(report.filled.unwrap().to_string(), "15");
        assert_eq!(report.submitted_at.to_string(), "2026-11-20T15:30:01Z");
        let trades = shown.executions().unwrap();
        assert_eq!(trades.len(), 1);
        assert_eq!(
            (trades[0].id.as_str(), trades[0].price.to_string()),
            ("90123456789-1", "187.2567".to_owned())
        );
        assert_eq!(
            (trades[0].quantity.to_string(), trades[0].cash.to_string()),
            ("15".into(), "-2808.8505".into())
        );
    }

    #[test]
    fn only_fills_are_trades_and_each_is_one_once() {
        let fill = |activity: u64, quantity: u64| {
            json!({"activityType": "EXECUTION", "executionType": "FILL", "activityId": activity, "executionLegs":
                   [{"legId": 1, "quantity": quantity, "price": 10.5, "time": "2026-11-20T15:30:02Z"}]})
        };
        let mut canceled = fill(3, 5);
        canceled["executionType"] = json!("CANCELED");
        canceled["executionLegs"][0]["price"] = json!(0.0);
        let mut action = fill(4, 5);
        action["activityType"] = json!("ORDER_ACTION");
        let mut sold = order(
            &json!({"orderActivityCollection": [fill(1, 4), fill(2, 6), fill(1, 4), canceled, action]}),
        );
        sold.side = Side::Sell;
        let trades: Vec<String> = sold
            .executions()
            .unwrap()
            .iter()
            .map(|it| format!("{} {} {}", it.id, it.quantity, it.cash))
            .collect();
        assert_eq!(trades, ["1-1 -4 42", "2-1 -6 63"]);
        assert!(order(&json!({"orderActivityCollection": []})).executions().unwrap().is_empty());
    }

    #[test]
    fn every_status_has_its_meaning_and_one_never_heard_of_is_alive() {
        for (word, meaning) in [
            ("AWAITING_PARENT_ORDER", Status::Working),
            ("AWAITING_CONDITION", Status::Working),
            ("AWAITING_STOP_CONDITION", Status::Working),
            ("AWAITING_MANUAL_REVIEW", Status::Working),
            ("ACCEPTED", Status::Working),
            ("AWAITING_UR_OUT", Status::Working),
            ("PENDING_ACTIVATION", Status::Working),
            ("QUEUED", Status::Working),
            ("WORKING", Status::Working),
            ("REJECTED", Status::Rejected),
            ("PENDING_CANCEL", Status::Working),
            ("CANCELED", Status::Canceled),
            ("PENDING_REPLACE", Status::Working),
            ("REPLACED", Status::Replaced),
            ("FILLED", Status::Filled),
            ("EXPIRED", Status::Expired),
            ("NEW", Status::Working),
            ("AWAITING_RELEASE_TIME", Status::Working),
            ("PENDING_ACKNOWLEDGEMENT", Status::Working),
            ("PENDING_RECALL", Status::Working),
            ("UNKNOWN", Status::Working),
        ] {
            let report = order(&json!({"status": word})).report();
            assert_eq!((report.status, report.known), (meaning, true), "{word}");
        }
        let strange = order(&json!({"status": "QUANTUM", "filledQuantity": null})).report();
        assert_eq!((strange.status, strange.known, strange.filled), (Status::Working, false, None));
    }

    #[test]
    fn a_later_refusal_gives_its_reason_and_a_replaced_order_its_heir() {
        let rejected = order(&json!({"status": "REJECTED", "statusDescription": "no buying power"})).report();
        assert_eq!(rejected.reason.as_deref(), Some("no buying power"));
        let replaced =
            order(&json!({"status": "REPLACED", "replacingOrderCollection": [{"orderId": 8}]})).report();
        assert_eq!(replaced.replaced_by.as_deref(), Some("8"));
    }

    #[test]
    fn a_fingerprint_matches_in_every_field_or_not_at_all() {
        let sent: Timestamp = "2026-11-20T15:30:00Z".parse().unwrap();
        assert!(order(&json!({})).is_like(&ticket(), sent));
        assert!(order(&json!({"tag": null})).is_like(&ticket(), sent), "without a tag it may be ours");
        for with in [
            json!({"quantity": 14.0}),
            json!({"quantity": null}),
            json!({"orderType": "LIMIT"}),
            json!({"session": "SEAMLESS"}),
            json!({"duration": "GOOD_TILL_CANCEL"}),
            json!({"enteredTime": "2026-11-20T15:29:59+0000"}),
            json!({"tag": "API_TOS:x"}),
        ] {
            assert!(!order(&with).is_like(&ticket(), sent), "{with}");
        }
        let sale = Ticket { side: Side::Sell, ..ticket() };
        let other = Ticket { symbol: "MSFT".to_owned(), ..ticket() };
        assert!(!order(&json!({})).is_like(&sale, sent) && !order(&json!({})).is_like(&other, sent));
    }

    #[test]
    fn orders_with_several_legs_are_passed_over() {
        let raw: &RawValue = serde_json::from_str(
            r#"{"orderId":1,"status":"FILLED","enteredTime":"2026-11-20T15:30:01.123+0000","orderLegCollection":[]}"#,
        )
        .unwrap();
        assert!(all_shown(&[raw]).unwrap().is_empty());
        let broken: &RawValue = serde_json::from_str(r#"{"orderId":"x"}"#).unwrap();
        assert!(all_shown(&[broken]).is_err());
    }

    #[test]
    fn an_account_is_read_whether_or_not_it_holds_anything() {
        let account =
            |body: &str| serde_json::from_str::<AccountBody>(body).unwrap().account(Timestamp::UNIX_EPOCH);
        let flat = account(
            r#"{"securitiesAccount":{"type":"CASH","accountNumber":"12345678","isClosingOnlyRestricted":true,
                "currentBalances":{"cashAvailableForTrading":1.0E+5,"totalCash":7}}}"#,
        )
        .unwrap();
        assert_eq!(
            (flat.cash.to_string(), flat.closing_only, flat.holdings.len()),
            ("100000".into(), true, 0)
        );
        assert_eq!(flat.funds, Funds::of(Usd("7".parse().unwrap())), "the books are held against all of it");
        let sold = account(
            r#"{"securitiesAccount":{"type":"CASH","accountNumber":"1","currentBalances":{"cashBalance":1,
                "cashAvailableForTrading":2.5,"totalCash":1002.5,"unsettledCash":1000.0}}}"#,
        )
        .unwrap();
        let dollars = |text: &str| Usd(text.parse().unwrap());
        assert_eq!(sold.cash, dollars("2.5"));
        assert_eq!((sold.funds.total, sold.funds.unsettled), (dollars("1002.5"), Some(dollars("1000"))));
        let margin = account(
            r#"{"securitiesAccount":{"type":"MARGIN","accountNumber":"1","currentBalances":{"cashBalance":12.34,
                "availableFunds":99},"positions":[{"longQuantity":5.0,"shortQuantity":0.0,"instrument":
                {"assetType":"COLLECTIVE_INVESTMENT","symbol":"SPYM"}},{"longQuantity":0,"shortQuantity":2,
                "instrument":{"assetType":"EQUITY","symbol":"TSLA"}}]}}"#,
        )
        .unwrap();
        assert_eq!(margin.cash.to_string(), "12.34");
        assert_eq!(margin.holdings["SPYM"].quantity.to_string(), "5");
        assert_eq!(margin.holdings["TSLA"].quantity.to_string(), "-2");
        assert!(account(r#"{"securitiesAccount":{"accountNumber":"1","currentBalances":{}}}"#).is_none());
    }

    #[test]
    fn a_days_hours_are_those_of_its_sessions() {
        let date: Date = "2026-11-20".parse().unwrap();
        let day = |body: &str| day(&serde_json::from_str(body).unwrap(), date);
        let open = day(
            r#"{"equity":{"EQ":{"date":"2026-11-20","marketType":"EQUITY","isOpen":true,"sessionHours":{
                "preMarket":[{"start":"2026-11-20T07:00:00-05:00","end":"2026-11-20T09:30:00-05:00"}],
                "regularMarket":[{"start":"2026-11-20T09:30:00-05:00","end":"2026-11-20T13:00:00-05:00"}]}}}}"#,
        );
        let open = open.unwrap().unwrap();
        let times = [open.early, open.open, open.close, open.late].map(|at| at.to_string());
        assert_eq!(
            times,
            ["2026-11-20T12:00:00Z", "2026-11-20T14:30:00Z", "2026-11-20T18:00:00Z", "2026-11-20T18:00:00Z"]
        );
        let closed = r#"{"equity":{"equity":{"date":"2026-11-20","marketType":"EQUITY","isOpen":false}}}"#;
        assert_eq!(day(closed), Ok(None));
        for unclear in [
            "{}",
            r#"{"equity":{"equity":{"date":"2026-11-21","isOpen":false}}}"#,
            r#"{"equity":{"EQ":{"date":"2026-11-20","isOpen":true}}}"#,
            r#"{"equity":{"EQ":{"date":"2026-11-20","isOpen":true,"sessionHours":{"regularMarket":[]}}}}"#,
        ] {
            assert!(day(unclear).is_err(), "{unclear}");
        }
    }

    #[test]
    fn a_quote_is_of_now_and_of_a_share_that_trades() {
        let quoted = |realtime: bool, status: &str, bid: &str| {
            let body = format!(
                r#"{{"realtime":{realtime},"quote":{{"bidPrice":{bid},"askPrice":187.27,"quoteTime":1795188600500,
                    "securityStatus":"{status}"}}}}"#
            );
            serde_json::from_str::<Quoted>(&body).unwrap()
        };
        let sane = quoted(true, "Normal", "187.25");
        assert_eq!(sane.quote().unwrap().at.to_string(), "2026-11-20T15:30:00.5Z");
        assert!(sane.listing().tradable && !sane.listing().fractionable);
        for odd in [
            quoted(false, "Normal", "187.25"),
            quoted(true, "Halted", "187.25"),
            quoted(true, "Normal", "0.0"),
        ] {
            assert_eq!(odd.quote(), None);
        }
        assert!(!quoted(true, "Halted", "187.25").listing().tradable);
    }
}
