//! The rules that an order is refused by: what both brokers hold an order against.
//!
//! Deliberately absent: margin. Buying power is cash less what open buys reserve.

use super::{
    ledger::Ledger,
    money::Summed,
    order::{NewOrder, Refused, SimOrder},
};
use crate::{
    book::fill::Side,
    units::{Amount, Shares, Usd},
};

impl Ledger {
    /// Whether an order would be taken.
    pub(super) fn check(&self, order: &NewOrder) -> Result<(), Refused> {
        // First, so that a second try is told that the first one arrived.
        if order.client_id.as_ref().is_some_and(|id| self.place_of_client_id(id).is_some()) {
            return Err(Refused::Duplicate);
        }
        let listing = self.listings.get(&order.symbol).ok_or(Refused::NotListed)?;
        let fractional = order.is_fractional();
        if self.manners.blocked {
            return Err(Refused::Blocked);
        }
        if !listing.tradable {
            return Err(Refused::NotTradable);
        }
        if fractional && !listing.fractionable {
            return Err(Refused::NotFractionable);
        }
        self.check_wash(order)?;
        match order.side {
            Side::Buy => self.check_buy(order),
            Side::Sell => self.check_sell(order, fractional, listing.shortable),
        }
    }

    /// Whether an order would be taken where it says itself whether it sells short, and may
    /// meet another one of the same account.
    pub(super) fn check_said(&self, order: &NewOrder) -> Result<(), Refused> {
        let listing = self.listings.get(&order.symbol).ok_or(Refused::NotListed)?;
        if self.manners.blocked {
            return Err(Refused::Blocked);
        }
        if !listing.tradable {
            return Err(Refused::NotTradable);
        }
        let existing = self.held(&order.symbol);
        match (order.side, order.short) {
            (Side::Buy, false) => self.check_buy(order),
            (Side::Buy, true) if order.quantity.unwrap_or_default() <= existing.negated() => {
                self.check_buy(order)
            }
            (Side::Sell, false) if existing > Shares::ZERO => self.check_sell(order, false, false),
            (Side::Sell, true) if existing <= Shares::ZERO => {
                self.check_sell(order, false, listing.shortable)
            }
            _ => Err(Refused::Held { available: Shares::ZERO, existing, related: Vec::new() }),
        }
    }

    fn check_buy(&self, order: &NewOrder) -> Result<(), Refused> {
        if self.manners.closing_only && !self.held(&order.symbol).0.is_negative() {
            return Err(Refused::ClosingOnly);
        }
        let each = self.reserved_each(&order.symbol, order.limit);
        let cost = order.quantity.and_then(|quantity| quantity.at(each));
        let cost_basis = order.notional.or(cost).unwrap_or_default();
        if cost_basis < Usd(Amount::ONE) {
            return Err(Refused::BelowMinimum);
        }
        let buying_power = self.buying_power();
        if cost_basis > buying_power {
            return Err(Refused::Funds { buying_power, cost_basis });
        }
        Ok(())
    }

    fn check_sell(&self, order: &NewOrder, fractional: bool, shortable: bool) -> Result<(), Refused> {
        let existing = self.held(&order.symbol);
        let each = self.listings.get(&order.symbol).map(|listing| listing.bid).unwrap_or_default();
        let sells: Vec<&SimOrder> = self.open_sells(&order.symbol).collect();
        let holding = sells.iter().fold(Shares::ZERO, |sum, sell| sum.and(sell.remaining(each)));
        let available = existing.less(holding);
        let wanted = order.quantity.unwrap_or_else(|| {
            let notional = order.notional.unwrap_or_default();
            Shares(super::money::ratio(notional.0, each.dollars()).unwrap_or_default())
        });
        if wanted <= available {
            return Ok(());
        }
        if existing > Shares::ZERO {
            // One order may not flip a long position to a short one.
            let related = sells.iter().map(|sell| sell.id.clone()).collect();
            return Err(Refused::Held { available, existing, related });
        }
        if self.manners.closing_only {
            return Err(Refused::ClosingOnly);
        }
        if self.manners.shorts && shortable && !fractional { Ok(()) } else { Err(Refused::NotShortable) }
    }

    /// The open orders that hold shares of a ticker.
    pub(super) fn open_sells(&self, symbol: &str) -> impl Iterator<Item = &SimOrder> {
        self.open_orders().filter(move |order| order.symbol == symbol && order.side == Side::Sell)
    }

    /// An order may not meet another of the same account.
    fn check_wash(&self, order: &NewOrder) -> Result<(), Refused> {
        let mut opposite =
            self.open_orders().filter(|open| open.symbol == order.symbol && open.side != order.side);
        let meets = opposite.find(|open| match (order.limit, open.limit) {
            (Some(ours), Some(theirs)) if order.side == Side::Buy => ours >= theirs,
            (Some(ours), Some(theirs)) => ours <= theirs,
            _ => true,
        });
        meets.map_or(Ok(()), |open| {
            Err(Refused::Wash { existing: open.id.clone(), limit: open.limit.is_some() })
        })
    }
}
