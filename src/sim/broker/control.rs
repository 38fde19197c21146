//! The control endpoints: what a test in Rust tells an account, told over HTTP.
//!
//! What there is, [`super`] lists. Parameters come in the query or as a JSON object.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use jiff::{SignedDuration, Timestamp, civil::Date};
use serde_json::{Value, json};

use super::{
    account::SimAccount,
    front::{Answer, Request},
    order::SimStatus,
    strike::{Ask, Rule, Storm, Strike},
};
use crate::{
    book::{action::Change, activity::ActivityKind, fill::Side, order::Refusal},
    units::{Amount, Price, Shares, Usd},
};

/// What a caller got wrong.
type Wrong = String;

/// Does what a control endpoint is asked for.
pub(super) fn act(account: &SimAccount, verb: &str, request: &Request) -> Answer {
    let done = Params::of(request).and_then(|params| {
        let parts: Vec<&str> = verb.split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", [what]) => show(account, what),
            ("POST", ["order", id, act]) => upon_order(account, id, act, &params),
            ("POST", ["execution", id, act]) => upon_execution(account, id, act, &params),
            ("POST", ["activity", id, act]) => upon_activity(account, id, act),
            ("POST", ["announced", id, "call-off"]) if account.call_off(id) => {
                Ok(json!({ "done": "call-off" }))
            }
            ("POST", ["announced", id, _]) => Err(format!("nothing was announced as {id}")),
            ("POST", [verb]) => set(account, verb, &params),
            _ => Err(format!("there is no {} /sim/{verb}", request.method)),
        }
    });
    match done {
        Ok(said) => Answer::json(200, &said),
        Err(wrong) => Answer::json(400, &json!({ "message": wrong })),
    }
}

/// The parameters of a control request.
struct Params(BTreeMap<String, String>);

impl Params {
    fn of(request: &Request) -> Result<Self, Wrong> {
        let mut params: BTreeMap<String, String> = request.query.iter().cloned().collect();
        if !request.body.is_empty() {
            let body: BTreeMap<String, Value> =
                serde_json::from_slice(&request.body).map_err(|error| format!("no JSON object: {error}"))?;
            params.extend(body.into_iter().map(|(name, value)| match value {
                Value::String(text) => (name, text),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    (name, value.to_string())
                }
            }));
        }
        Ok(Self(params))
    }

    fn maybe<T: FromStr>(&self, name: &str) -> Result<Option<T>, Wrong> {
        let Some(text) = self.0.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("`{name}` cannot be `{text}`"))
    }

    fn the<T: FromStr>(&self, name: &str) -> Result<T, Wrong> {
        self.maybe(name)?.ok_or_else(|| format!("`{name}` is missing"))
    }

    fn seconds(&self, name: &str, default: u64) -> Result<Duration, Wrong> {
        let millis = self.maybe::<u64>(&format!("{name}_ms"))?.map(Duration::from_millis);
        Ok(millis.unwrap_or(Duration::from_secs(self.maybe(&format!("{name}_s"))?.unwrap_or(default))))
    }

    fn price(&self, name: &str) -> Result<Price, Wrong> {
        Price::of(self.the(name)?).ok_or_else(|| format!("`{name}` is less than nothing"))
    }
}

fn set(account: &SimAccount, verb: &str, params: &Params) -> Result<Value, Wrong> {
    match verb {
        "calm" => account.calm(),
        "storm" => account.storm(Storm::seeded(params.the("seed")?)),
        "price" => {
            let symbol: String = params.the("symbol")?;
            match params.maybe::<Amount>("price")? {
                Some(_) => account.set_price(&symbol, params.price("price")?),
                None => account.set_quote(&symbol, params.price("bid")?, params.price("ask")?),
            }
        }
        "listing" => set_listing(account, params)?,
        "market" => {
            let open = match params.the::<String>("open")?.as_str() {
                "true" => Some(true),
                "false" => Some(false),
                "hours" => None,
                other => return Err(format!("`open` is true, false or hours, not `{other}`")),
            };
            account.hours(|hours| hours.always(open));
        }
        "day" => {
            let date: Date = params.the("date")?;
            match params.the::<String>("is")?.as_str() {
                "holiday" => account.hours(|hours| hours.holiday(date)),
                "half" => account.hours(|hours| hours.half_day(date)),
                other => return Err(format!("`is` is holiday or half, not `{other}`")),
            }
        }
        "time" => match params.maybe::<Timestamp>("now")? {
            Some(now) => account.set_time(now),
            None => account.forward(SignedDuration::from_secs(params.the("forward_s")?)),
        },
        "account" => set_account(account, params)?,
        "activity" | "split" | "dividend" | "rename" | "announce" => {
            let ids = happen(account, verb, params)?;
            return Ok(json!({ "id": ids.first(), "ids": ids }));
        }
        "close" => {
            account.set_close(&params.the::<String>("symbol")?, params.the("date")?, params.price("price")?);
        }
        "person" => {
            let side = side(&params.the::<String>("side")?)?;
            let id = account.person_trades(
                &params.the::<String>("symbol")?,
                side,
                Shares(params.the("quantity")?),
            );
            return Ok(json!({ "id": id }));
        }
        "login" => {
            if let Some(rotates) = params.maybe("rotate")? {
                account.rotate_tokens(rotates);
            }
            match params.maybe::<String>("expire")?.as_deref() {
                None => {}
                Some("access") => account.expire_access(),
                Some("refresh") => account.expire_login(),
                Some(other) => return Err(format!("`expire` is access or refresh, not `{other}`")),
            }
            if params.maybe("rehash")? == Some(true) {
                account.change_hash();
            }
        }
        "reset" => account.reset(Usd(params.the("cash")?)),
        strike => account.strike(rule(strike, params)?),
    }
    Ok(json!({ "done": verb, "now": account.now().to_string() }))
}

fn set_listing(account: &SimAccount, params: &Params) -> Result<(), Wrong> {
    let symbol: String = params.the("symbol")?;
    if params.maybe("listed")? == Some(false) {
        account.delist(&symbol);
        return Ok(());
    }
    let [tradable, fractionable, shortable, halted] =
        ["tradable", "fractionable", "shortable", "halted"].map(|name| params.maybe::<bool>(name));
    let (tradable, fractionable) = (tradable?, fractionable?);
    let (shortable, halted) = (shortable?, halted?);
    account.listing(&symbol, |listing| {
        listing.tradable = tradable.unwrap_or(listing.tradable);
        listing.fractionable = fractionable.unwrap_or(listing.fractionable);
        listing.shortable = shortable.unwrap_or(listing.shortable);
        listing.halted = halted.unwrap_or(listing.halted);
    });
    Ok(())
}

fn set_account(account: &SimAccount, params: &Params) -> Result<(), Wrong> {
    if let Some(cash) = params.maybe("cash")? {
        account.set_cash(Usd(cash));
    }
    match params.maybe::<String>("buying_power")?.as_deref() {
        None => {}
        Some("cash") => account.set_buying_power(None),
        Some(_) => account.set_buying_power(Some(Usd(params.the("buying_power")?))),
    }
    if let Some(blocked) = params.maybe("blocked")? {
        account.block(blocked);
    }
    if let Some(closing_only) = params.maybe("closing_only")? {
        account.close_only(closing_only);
    }
    if let Some(shorts) = params.maybe("shorts")? {
        account.allow_shorts(shorts);
    }
    if let Some(revoked) = params.maybe("revoked")? {
        account.revoke_keys(revoked);
    }
    if let Some(at_once) = params.maybe("at_once")? {
        account.fill_at_once(at_once);
    }
    if let Some(rate) = params.maybe::<u32>("rate")? {
        account.limit_rate((rate > 0).then_some(rate));
    }
    if params.0.keys().any(|name| name.starts_with("lag_")) {
        account.lag_positions(params.seconds("lag", 0)?);
    }
    if params.0.keys().any(|name| name.starts_with("listing_")) {
        account.set_listing_delay(params.seconds("listing", 1)?);
    }
    if params.0.keys().any(|name| name.starts_with("latency_")) {
        account.set_latency(params.seconds("latency", 0)?);
    }
    Ok(())
}

/// The strike of a word, and when it strikes.
fn rule(word: &str, params: &Params) -> Result<Rule, Wrong> {
    let strike = strike(word, params)?;
    let mut rule = if let Some(n) = params.maybe("times")? {
        strike.first(n)
    } else if let Some(n) = params.maybe("nth")? {
        strike.nth(n)
    } else if let Some(permille) = params.maybe("permille")? {
        strike.permille(permille)
    } else if params.maybe("always")? == Some(true) {
        strike.always()
    } else if params.0.keys().any(|name| name.starts_with("for_")) {
        strike.during(params.seconds("for", 0)?)
    } else {
        strike.once()
    };
    if let Some(on) = params.maybe::<String>("on")? {
        rule = rule.on(Ask::named(&on).ok_or_else(|| format!("nobody asks for `{on}`"))?);
    }
    if let Some(symbol) = params.maybe::<String>("about")? {
        rule = rule.about(&symbol);
    }
    Ok(rule)
}

fn strike(word: &str, params: &Params) -> Result<Strike, Wrong> {
    let after = |default| params.seconds("after", default);
    Ok(match word {
        "lose" => Strike::Lose,
        "lose-and-hang" => Strike::LoseAndHang,
        "late" => Strike::Late(after(5)?),
        "fail" => Strike::Fail(params.maybe("status")?.unwrap_or(503)),
        "throttle" => Strike::Throttle { headers: params.maybe("headers")?.unwrap_or(true) },
        "refuse" => {
            let why: String = params.the("why")?;
            let named = Refusal::ALL.into_iter().find(|known| known.word() == why);
            Strike::Refuse(named.ok_or_else(|| format!("nothing is refused for `{why}`"))?)
        }
        "drop" => Strike::Drop,
        "cut" => Strike::Cut,
        "hang" => Strike::Hang,
        "fail-after" => Strike::FailAfter(params.maybe("status")?.unwrap_or(500)),
        "truncate" => Strike::Truncate,
        "garbage" => Strike::Garbage,
        "delay" => Strike::Delay(after(1)?),
        "twice" => Strike::Twice,
        "word" => Strike::Word(params.the("word")?),
        "extra" => Strike::Extra,
        "bare" => Strike::Bare,
        "at-once" => Strike::AtOnce,
        "hold" => Strike::Hold,
        "partial" => Strike::Partial(params.maybe("filled")?.unwrap_or(500)),
        "overfill" => Strike::Overfill(params.maybe("filled")?.unwrap_or(2000)),
        "slices" => {
            Strike::Slices { parts: params.maybe("parts")?.unwrap_or(3), every: params.seconds("every", 1)? }
        }
        "reject" => Strike::Reject {
            after: after(0)?,
            reason: params.maybe("reason")?.unwrap_or_else(|| "rejected by the market".to_owned()),
        },
        "expire" => Strike::Expire(after(0)?),
        "vanish" => Strike::Vanish(after(0)?),
        "supersede" => Strike::Supersede(after(0)?),
        "hide" => Strike::Hide(after(5)?),
        "too-late" => Strike::TooLate,
        "contradict" => Strike::Contradict,
        "no-quote" => Strike::NoQuote,
        "zero-quote" => Strike::ZeroQuote,
        "crossed-quote" => Strike::CrossedQuote,
        "forbid-quote" => Strike::ForbidQuote,
        "no-location" => Strike::NoLocation,
        "relative-location" => Strike::RelativeLocation,
        "other-location" => Strike::OtherLocation,
        other => return Err(format!("there is no POST /sim/{other}")),
    })
}

fn upon_order(account: &SimAccount, id: &str, act: &str, params: &Params) -> Result<Value, Wrong> {
    let done = match act {
        "fill" => account.execute(id, Shares(params.the("quantity")?), params.price("price")?),
        "cancel" => account.cancel(id),
        "expire" => account.expire(id),
        "supersede" => account.supersede(id),
        "reject" => {
            let reason: Option<String> = params.maybe("reason")?;
            account.reject(id, reason.as_deref().unwrap_or("rejected by the market"))
        }
        other => return Err(format!("nobody can {other} an order")),
    };
    if done { Ok(json!({ "done": act })) } else { Err(format!("there is no open order {id}")) }
}

fn upon_execution(account: &SimAccount, id: &str, act: &str, params: &Params) -> Result<Value, Wrong> {
    let entry = match act {
        "bust" => account.bust(id),
        "correct" => account.correct(id, Shares(params.the("quantity")?), params.price("price")?),
        other => return Err(format!("nobody can {other} an execution")),
    };
    entry.map(|id| json!({ "id": id })).ok_or_else(|| format!("there is no execution {id}"))
}

/// Something that is no trade, or that is going to be; its ids.
fn happen(account: &SimAccount, verb: &str, params: &Params) -> Result<Vec<String>, Wrong> {
    let symbol: Option<String> = params.maybe("symbol")?;
    if verb == "activity" {
        let word: String = params.the("kind")?;
        let kind = ActivityKind::ALL.into_iter().find(|kind| kind.word() == word);
        let kind = kind.ok_or_else(|| format!("no activity is of kind `{word}`"))?;
        let quantity = Shares(params.maybe("quantity")?.unwrap_or_default());
        let cash = Usd(params.maybe("cash")?.unwrap_or_default());
        let note: String = params.maybe("note")?.unwrap_or_default();
        return Ok(vec![account.happen(kind, symbol.as_deref(), quantity, cash, &note)]);
    }
    let symbol = symbol.ok_or("`symbol` is missing")?;
    let split = || Ok::<_, Wrong>((params.the("new")?, params.the("old")?));
    Ok(match verb {
        "split" => {
            let (new, old) = split()?;
            vec![account.split(&symbol, new, old)]
        }
        "dividend" => vec![account.dividend(&symbol, params.price("per_share")?)],
        "rename" => account.rename(&symbol, &params.the::<String>("to")?).to_vec(),
        _ => {
            let change = if params.0.contains_key("new") {
                let (new, old) = split()?;
                Change::Split { new, old }
            } else if params.0.contains_key("to") {
                Change::Rename { to: params.the("to")? }
            } else {
                Change::Dividend { per_share: params.price("per_share")? }
            };
            vec![account.announce(&symbol, change, params.the("ex_date")?)]
        }
    })
}

fn upon_activity(account: &SimAccount, id: &str, act: &str) -> Result<Value, Wrong> {
    match act {
        "hide" => account.hide(id, true),
        "show" => account.hide(id, false),
        "repeat" => account.repeat(id),
        "take-back" if account.take_back(id) => {}
        "take-back" => return Err(format!("there is no activity {id}")),
        other => return Err(format!("nobody can {other} an activity")),
    }
    Ok(json!({ "done": act }))
}

/// What is true, whatever is answered to others.
fn show(account: &SimAccount, what: &str) -> Result<Value, Wrong> {
    Ok(match what {
        "orders" => account
            .orders()
            .into_iter()
            .map(|order| {
                json!({
                    "id": order.id,
                    "number": order.number,
                    "client_id": order.client_id,
                    "symbol": order.symbol,
                    "side": order.side.word(),
                    "quantity": order.quantity.map(|quantity| quantity.to_string()),
                    "filled": order.filled.to_string(),
                    "status": word(order.status),
                    "submitted_at": order.submitted_at.to_string(),
                })
            })
            .collect(),
        "executions" => account
            .executions()
            .into_iter()
            .map(|execution| {
                json!({
                    "id": execution.id,
                    "number": execution.number,
                    "order_id": execution.order_id,
                    "symbol": execution.symbol,
                    "quantity": execution.quantity.to_string(),
                    "price": execution.price.to_string(),
                    "cash": execution.cash.to_string(),
                    "at": execution.at.to_string(),
                    "nature": execution.nature.word(),
                    "corrects": execution.corrects,
                })
            })
            .collect(),
        "activities" => account
            .activities()
            .into_iter()
            .map(|activity| {
                json!({
                    "id": activity.id,
                    "number": activity.number,
                    "kind": activity.kind.word(),
                    "symbol": activity.symbol,
                    "quantity": activity.quantity.to_string(),
                    "cash": activity.cash.to_string(),
                    "at": activity.at.to_string(),
                })
            })
            .collect(),
        "account" => json!({
            "id": account.id(),
            "number": account.number(),
            "now": account.now().to_string(),
            "cash": account.cash().to_string(),
            "buying_power": account.buying_power().to_string(),
            "positions": account.positions().into_iter()
                .map(|(symbol, quantity)| (symbol, quantity.to_string()))
                .collect::<BTreeMap<_, _>>(),
        }),
        other => return Err(format!("there is no GET /sim/{other}")),
    })
}

/// A status as it is shown here.
fn word(status: SimStatus) -> &'static str {
    match status {
        SimStatus::PendingNew => "pending new",
        SimStatus::Accepted => "accepted",
        SimStatus::New => "new",
        SimStatus::PartiallyFilled => "partially filled",
        SimStatus::PendingCancel => "pending cancel",
        SimStatus::Filled => "filled",
        SimStatus::Canceled => "canceled",
        SimStatus::Expired => "expired",
        SimStatus::Rejected => "rejected",
        SimStatus::Replaced => "replaced",
    }
}

fn side(word: &str) -> Result<Side, Wrong> {
    Side::named(&word.to_uppercase()).ok_or_else(|| format!("`side` is buy or sell, not `{word}`"))
}
