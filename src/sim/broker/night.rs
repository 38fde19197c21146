//! What happens to an account besides trades, and what companies announce.
//!
//! An activity moves cash and shares like an execution does, and is listed as its broker
//! lists it. A test may keep one from being listed, or have it listed twice: the account
//! is what it is all the same. An announcement moves nothing by itself: [`SimAccount::split`]
//! and its like do, when the day comes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};

use super::{account::SimAccount, ledger::Ledger, money::Summed};
use crate::{
    book::{action::Change, activity::ActivityKind},
    time::new_york_date,
    units::{Amount, Price, Shares, Usd},
};

/// Something that moved the account without a trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimActivity {
    /// Alpaca's id of it.
    pub id: String,
    /// Schwab's.
    pub number: i64,
    /// What it is.
    pub kind: ActivityKind,
    /// Of which share, if of one.
    pub symbol: Option<String>,
    /// What it does to the position, signed.
    pub quantity: Shares,
    /// What it does to cash, signed.
    pub cash: Usd,
    /// The day it counts for.
    pub date: Date,
    /// When it is listed.
    pub at: Timestamp,
    /// In words.
    pub note: String,
    /// It was taken back: it moves nothing any more, and is listed as that.
    pub canceled: bool,
}

/// What a company announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimAction {
    /// The broker's id of it.
    pub id: String,
    /// The ticker before it.
    pub symbol: String,
    /// What changes.
    pub change: Change,
    /// From which day on.
    pub ex_date: Date,
    /// Who holds shares at the end of this day is meant.
    pub record_date: Option<Date>,
    /// When cash or shares arrive.
    pub payable_date: Option<Date>,
}

/// All of that, of one account.
#[derive(Debug, Default)]
pub(super) struct Night {
    pub(super) activities: Vec<SimActivity>,
    pub(super) actions: Vec<SimAction>,
    closes: BTreeMap<(String, Date), Price>,
    /// Ids of activities and executions that are not listed.
    pub(super) hidden: BTreeSet<String>,
    /// Ids of those that are listed twice.
    pub(super) repeated: BTreeSet<String>,
}

impl Night {
    /// Activities as they are listed, oldest first.
    pub(super) fn listed(&self) -> impl Iterator<Item = &SimActivity> {
        let shown = self.activities.iter().filter(|activity| !self.hidden.contains(&activity.id));
        shown.flat_map(|activity| {
            let times = 1 + usize::from(self.repeated.contains(&activity.id));
            std::iter::repeat_n(activity, times)
        })
    }

    /// What they do to the position in a share, and to cash.
    pub(super) fn shares(&self, symbol: &str) -> Shares {
        let ours = self.activities.iter().filter(|it| it.symbol.as_deref() == Some(symbol));
        ours.fold(Shares::ZERO, |sum, activity| sum.and(activity.quantity))
    }

    pub(super) fn cash(&self) -> Usd {
        self.activities.iter().fold(Usd::ZERO, |sum, activity| sum.and(activity.cash))
    }
}

impl Ledger {
    /// What a share closed at on a day: what somebody said, or what it stands at once the day is over.
    pub(super) fn close_of(&self, symbol: &str, day: Date, now: Timestamp) -> Option<Price> {
        if let Some(said) = self.night.closes.get(&(symbol.to_owned(), day)) {
            return Some(*said);
        }
        let over = self.hours.day(day).is_some_and(|hours| hours.close <= now);
        let listing = self.listings.get(symbol).filter(|_| over)?;
        Some(listing.bid)
    }

    fn happens(
        &mut self,
        kind: ActivityKind,
        symbol: Option<&str>,
        quantity: Shares,
        cash: Usd,
        note: &str,
        now: Timestamp,
    ) -> String {
        let (id, number) = self.activity_ids(now);
        self.night.activities.push(SimActivity {
            id: id.clone(),
            number,
            kind,
            symbol: symbol.map(str::to_owned),
            quantity,
            cash,
            date: new_york_date(now),
            at: now,
            note: note.to_owned(),
            canceled: false,
        });
        id
    }
}

impl SimAccount {
    /// Something moves the account without a trade; its id.
    pub fn happen(
        &self,
        kind: ActivityKind,
        symbol: Option<&str>,
        quantity: Shares,
        cash: Usd,
        note: &str,
    ) -> String {
        let (mut ledger, now) = self.settled();
        ledger.happens(kind, symbol, quantity, cash, note, now)
    }

    /// The broker asks for a fee of so many dollars; its id.
    pub fn fee(&self, kind: ActivityKind, dollars: Usd, note: &str) -> String {
        self.happen(kind, None, Shares::ZERO, Usd(dollars.0.abs().negated()), note)
    }

    /// A cash dividend is paid on what is held, or asked for of what is short; its id.
    pub fn dividend(&self, symbol: &str, per_share: Price) -> String {
        let (mut ledger, now) = self.settled();
        let cash = ledger.held(symbol).at(per_share).unwrap_or_default();
        ledger.happens(ActivityKind::Dividend, Some(symbol), Shares::ZERO, cash, "Cash DIV", now)
    }

    /// So many new shares for so many old ones, and the price the other way round; its id.
    pub fn split(&self, symbol: &str, new: Amount, old: Amount) -> String {
        let (mut ledger, now) = self.settled();
        let held = ledger.held(symbol);
        let scaled = |amount: Amount, by: Amount, per: Amount| {
            amount.times(by).and_then(|amount| super::money::ratio(amount, per)).unwrap_or(amount)
        };
        let after = Shares(scaled(held.0, new, old));
        if let Some(listing) = ledger.listings.get_mut(symbol) {
            let price = |price: Price| Price::of(scaled(price.dollars(), old, new)).unwrap_or(price);
            (listing.bid, listing.ask) = (price(listing.bid), price(listing.ask));
        }
        let note = format!("{new} for {old}");
        ledger.happens(ActivityKind::Split, Some(symbol), after.less(held), Usd::ZERO, &note, now)
    }

    /// A share goes by another ticker: what is held goes out under one and comes in under the other.
    pub fn rename(&self, from: &str, to: &str) -> [String; 2] {
        let (mut ledger, now) = self.settled();
        let held = ledger.held(from);
        if let Some(listing) = ledger.listings.remove(from) {
            ledger.listings.insert(to.to_owned(), listing);
        }
        let note = format!("{from} to {to}");
        [(from, held.negated()), (to, held)].map(|(symbol, quantity)| {
            ledger.happens(ActivityKind::Rename, Some(symbol), quantity, Usd::ZERO, &note, now)
        })
    }

    /// An activity is taken back: it moved nothing. `false`: there is none of this id.
    pub fn take_back(&self, id: &str) -> bool {
        let (mut ledger, _) = self.settled();
        let found = ledger.night.activities.iter_mut().find(|activity| activity.id == id);
        let Some(activity) = found else { return false };
        (activity.quantity, activity.cash, activity.canceled) = (Shares::ZERO, Usd::ZERO, true);
        true
    }

    /// An activity or an execution is not listed, whatever it moved; or it is again.
    pub fn hide(&self, id: &str, hidden: bool) {
        let (mut ledger, _) = self.settled();
        if hidden {
            ledger.night.hidden.insert(id.to_owned());
        } else {
            ledger.night.hidden.remove(id);
        }
    }

    /// An activity is listed twice, and moved what it moved once.
    pub fn repeat(&self, id: &str) {
        self.settled().0.night.repeated.insert(id.to_owned());
    }

    /// All activities that are no trades, oldest first, whether they are listed or not.
    pub fn activities(&self) -> Vec<SimActivity> {
        self.settled().0.night.activities.clone()
    }

    /// A company announces something; the broker's id of it.
    pub fn announce(&self, symbol: &str, change: Change, ex_date: Date) -> String {
        let (mut ledger, _) = self.settled();
        let id = ledger.fresh_id();
        ledger.night.actions.push(SimAction {
            id: id.clone(),
            symbol: symbol.to_owned(),
            change,
            ex_date,
            record_date: Some(ex_date),
            payable_date: Some(ex_date),
        });
        id
    }

    /// What was announced is called off. `false`: there is none of this id.
    pub fn call_off(&self, id: &str) -> bool {
        let (mut ledger, _) = self.settled();
        let before = ledger.night.actions.len();
        ledger.night.actions.retain(|action| action.id != id);
        ledger.night.actions.len() < before
    }

    /// What a share closed at on a day, whatever it stands at.
    pub fn set_close(&self, symbol: &str, day: Date, price: Price) {
        self.settled().0.night.closes.insert((symbol.to_owned(), day), price);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::account::Opening, *};
    use crate::time::Clock;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    fn price(text: &str) -> Price {
        Price::of(amount(text)).unwrap()
    }

    fn account() -> SimAccount {
        let clock = Clock::told("2026-11-20T15:30:00Z".parse().unwrap());
        let account = SimAccount::open(Opening { clock, ..Opening::default() });
        account.set_price("AAPL", price("100"));
        account.endow("AAPL", Shares(amount("10")), price("90"));
        account
    }

    #[test]
    fn a_split_multiplies_what_is_held_and_divides_its_price() {
        let account = account();
        account.split("AAPL", amount("4"), amount("1"));
        assert_eq!(account.position("AAPL"), Shares(amount("40")));
        assert_eq!(account.positions()["AAPL"], Shares(amount("40")));
        let ledger = account.lock();
        assert_eq!(ledger.positions(Timestamp::MAX)["AAPL"].cost, Usd(amount("900")), "it cost what it did");
        assert_eq!(ledger.listings["AAPL"].bid, price("25"));
    }

    #[test]
    fn what_is_not_listed_moved_all_the_same() {
        let account = account();
        let before = account.cash();
        let fee = account.fee(ActivityKind::Commission, Usd(amount("1.5")), "a fee");
        account.dividend("AAPL", price("0.25"));
        account.hide(&fee, true);
        assert_eq!(account.cash().less(before), Usd(amount("1")));
        assert_eq!(account.lock().night.listed().count(), 1);
        account.hide(&fee, false);
        account.repeat(&fee);
        assert_eq!(account.lock().night.listed().count(), 3);
        assert!(account.take_back(&fee));
        assert_eq!(account.cash().less(before), Usd(amount("2.5")));
    }

    #[test]
    fn a_renamed_share_is_held_under_its_new_ticker() {
        let account = account();
        account.rename("AAPL", "APPL2");
        let held: Vec<_> = account.positions().into_iter().collect();
        assert_eq!(held, [("APPL2".to_owned(), Shares(amount("10")))]);
    }
}
