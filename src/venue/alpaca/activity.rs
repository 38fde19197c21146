//! Alpaca's FILL activities as executions.
//!
//! Trades are documented (`alpaca.md` §11). That a bust or a correction comes as an
//! activity of its own, `type` `trade_bust` or `trade_correct` with a `previous_id`,
//! is documented for the broker's stream alone and assumed here. A correction is
//! taken to state the trade as it should have been; what is booked is the difference.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::wire::side;
use crate::{
    book::execution::{Execution, Nature},
    units::{Shares, Usd},
    venue::number::Number,
};

/// One FILL activity.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Activity {
    pub(super) id: String,
    transaction_time: Timestamp,
    #[serde(rename = "type")]
    kind: Option<String>,
    price: Number,
    qty: Number,
    side: String,
    symbol: String,
    pub(super) order_id: Option<String>,
    previous_id: Option<String>,
}

/// A trade as it stands.
#[derive(Clone, Copy)]
struct Stand {
    quantity: Shares,
    cash: Usd,
}

impl Activity {
    fn nature(&self) -> Nature {
        match self.kind.as_deref() {
            Some("trade_bust") => Nature::Bust,
            Some("trade_correct") => Nature::Correction,
            _ => Nature::Trade,
        }
    }

    /// What it says, whatever it takes back; `None` where that is no trade.
    fn stand(&self) -> Option<Stand> {
        let quantity = side(&self.side)?.signed(self.qty.shares().abs());
        let cash = quantity.at(self.price.price()?)?;
        Some(Stand { quantity, cash: Usd(cash.0.negated()) })
    }
}

/// The orders whose whole history is needed to tell what was taken back.
pub(super) fn unexplained(activities: &[Activity]) -> BTreeSet<String> {
    let known: HashSet<&str> = activities.iter().map(|activity| activity.id.as_str()).collect();
    let lacking = activities.iter().filter(|activity| {
        activity.nature() != Nature::Trade
            && !activity.previous_id.as_deref().is_some_and(|previous| known.contains(previous))
    });
    lacking.filter_map(|activity| activity.order_id.clone()).collect()
}

/// Executions, oldest first, each once, and the ids of activities that cannot be booked as they
/// are. `before` is what they may take something back of, and is not given itself.
pub(super) fn executions(before: &[Activity], activities: Vec<Activity>) -> (Vec<Execution>, Vec<String>) {
    let mut seen = HashSet::new();
    let mut activities: Vec<Activity> =
        activities.into_iter().filter(|activity| seen.insert(activity.id.clone())).collect();
    activities.sort_by_key(|activity| activity.transaction_time);
    let stands: HashMap<&str, Stand> = before
        .iter()
        .chain(&activities)
        .filter_map(|activity| Some((activity.id.as_str(), activity.stand()?)))
        .collect();
    let mut odd = Vec::new();
    let booked = activities.iter().filter_map(|activity| {
        let booked = execution(activity, &stands);
        if booked.is_none() {
            odd.push(activity.id.clone());
        }
        booked
    });
    (booked.collect(), odd)
}

fn execution(activity: &Activity, stands: &HashMap<&str, Stand>) -> Option<Execution> {
    let says = activity.stand()?;
    let nature = activity.nature();
    // What takes back must say of what.
    if nature != Nature::Trade && activity.previous_id.is_none() {
        return None;
    }
    let was = activity.previous_id.as_deref().and_then(|previous| stands.get(previous).copied());
    let (quantity, cash) = match nature {
        Nature::Trade => (says.quantity, says.cash),
        Nature::Bust => {
            let was = was.unwrap_or(says);
            (was.quantity.negated(), Usd(was.cash.0.negated()))
        }
        Nature::Correction => {
            let was = was?;
            (says.quantity.minus(was.quantity)?, says.cash.minus(was.cash)?)
        }
    };
    Some(Execution {
        id: activity.id.clone(),
        broker_order_id: activity.order_id.clone(),
        symbol: activity.symbol.clone(),
        quantity,
        price: activity.price.price()?,
        cash,
        executed_at: activity.transaction_time,
        nature,
        corrects: activity.previous_id.clone().filter(|_| nature != Nature::Trade),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activity(
        id: &str,
        kind: &str,
        side: &str,
        qty: &str,
        price: &str,
        previous: Option<&str>,
    ) -> Activity {
        let body = serde_json::json!({"id": id, "activity_type": "FILL", "type": kind, "side": side, "qty": qty,
            "price": price, "symbol": "AAPL", "order_id": "o-1", "previous_id": previous,
            "transaction_time": format!("2026-11-20T15:30:{:0>2}Z", id.len())});
        serde_json::from_str(&body.to_string()).unwrap()
    }

    fn shown(executions: &[Execution]) -> Vec<String> {
        let shown = |it: &Execution| {
            let corrects = it.corrects.as_deref().unwrap_or("-");
            format!("{} {} {} for {} {corrects}", it.id, it.nature.word(), it.quantity, it.cash)
        };
        executions.iter().map(shown).collect()
    }

    #[test]
    fn trades_are_signed_as_they_move_the_position_each_once_and_oldest_first() {
        let late = activity("aaa", "fill", "sell_short", "1", "187.26", None);
        let early = activity("a", "partial_fill", "buy", "2", "187.255", None);
        let read = executions(&[], vec![late.clone(), early, late]).0;
        assert_eq!(shown(&read), ["a trade 2 for -374.51 -", "aaa trade -1 for 187.26 -"]);
        assert_eq!(read[0].broker_order_id.as_deref(), Some("o-1"));
    }

    #[test]
    fn a_bust_takes_the_whole_trade_back_and_a_correction_the_difference() {
        let trade = activity("a", "fill", "buy", "5", "10", None);
        let corrected = activity("ab", "trade_correct", "buy", "4", "11", Some("a"));
        let busted = activity("abc", "trade_bust", "buy", "4", "11", Some("ab"));
        let read = executions(&[], vec![trade, corrected, busted]).0;
        assert_eq!(
            shown(&read),
            ["a trade 5 for -50 -", "ab correction -1 for 6 a", "abc bust -4 for 44 ab"],
        );
        let sum = read.iter().fold(Shares::ZERO, |sum, it| sum.plus(it.quantity).unwrap());
        assert_eq!(sum, Shares::ZERO);
    }

    #[test]
    fn what_is_corrected_may_lie_before_what_was_asked_for() {
        let trade = activity("a", "fill", "sell", "5", "10", None);
        let corrected = activity("ab", "trade_correct", "sell", "5", "9", Some("a"));
        assert_eq!(unexplained(std::slice::from_ref(&corrected)), ["o-1".to_owned()].into());
        assert!(unexplained(&[trade.clone(), corrected.clone()]).is_empty());
        assert_eq!(executions(&[], vec![corrected.clone()]), (vec![], vec!["ab".to_owned()]));
        let read = executions(&[trade], vec![corrected]).0;
        assert_eq!(shown(&read), ["ab correction 0 for -5 a"]);
    }
}
