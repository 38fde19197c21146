//! Lots: shares taken on together for one sum of cash, closed oldest first.
//!
//! A lot carries cash, not a price. Of a parcel of quantity `Q` and cash `N` the units `[a, b)`
//! are worth `R(N·b/Q) − R(N·a/Q)`, so that whatever the slices, all of them together give
//! back `N` to the last unit (`accounting.md` B.3). A queue is of one side at a time: what
//! comes from the other side meets the oldest lots first, and opens a lot with what it has left.
//!
//! Deliberately absent: fees, prices, times. What a lot is of is the caller's tag.

use std::collections::VecDeque;

use super::fill::Side;
use crate::units::{Amount, Shares, Usd};

/// The grid ended: a number that no book can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridEnds;

/// Shares and the cash that moved for them, handed out front to back.
///
/// - **Unit** shares; dollars. Both without sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// All shares of it, above zero.
    pub quantity: Shares,
    /// All dollars of it, never negative.
    pub cash: Usd,
    /// How many shares were handed out.
    pub used: Shares,
    /// What they were worth: `R(cash · used / quantity)`.
    given: Usd,
}

impl Parcel {
    /// A parcel of which nothing was handed out; none without shares, or with less than no cash.
    pub fn whole(quantity: Shares, cash: Usd) -> Option<Self> {
        Self::resumed(quantity, cash, Shares::ZERO)
    }

    /// A parcel of which so much was handed out before, and not all.
    pub fn resumed(quantity: Shares, cash: Usd, used: Shares) -> Option<Self> {
        let sound = quantity > Shares::ZERO && cash >= Usd::ZERO && used >= Shares::ZERO && used < quantity;
        let given = cash.0.portion(used.0, quantity.0).map(Usd)?;
        sound.then_some(Self { quantity, cash, used, given })
    }

    /// What was not handed out.
    pub fn left(&self) -> Shares {
        self.quantity.minus(self.used).unwrap_or_default()
    }

    /// What that is worth.
    pub fn cost(&self) -> Usd {
        self.cash.minus(self.given).unwrap_or_default()
    }

    /// The money of the next so many units, or of as many as there are.
    pub fn take(&mut self, units: Shares) -> Usd {
        let left = self.left();
        if units >= left {
            let rest = self.cost();
            (self.used, self.given) = (self.quantity, self.cash);
            return rest;
        }
        let used = self.used.plus(units).unwrap_or(self.quantity);
        // Less than all of a cash that the grid holds.
        let given = self.cash.0.portion(used.0, self.quantity.0).map_or(self.cash, Usd);
        let money = given.minus(self.given).unwrap_or_default();
        (self.used, self.given) = (used, given);
        money
    }

    /// What is left after a split of `new` for `old`: other shares, the same cost, as a parcel of its own.
    ///
    /// Rounded half to even; what would round to nothing keeps one unit, so that no cost is lost.
    fn split(&self, new: Amount, old: Amount) -> Result<Self, GridEnds> {
        let quantity = self.left().0.portion(new, old).map(Shares).ok_or(GridEnds)?;
        let least = Amount::from_atoms(1).map(Shares).unwrap_or_default();
        Self::whole(quantity.max(least), self.cost()).ok_or(GridEnds)
    }
}

/// An open lot: what it is of, and what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot<T> {
    /// What opened it.
    pub tag: T,
    /// Its shares and cash.
    pub parcel: Parcel,
}

/// A part of a lot that a trade closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<T> {
    /// What had opened the lot.
    pub opening: T,
    /// Shares of it.
    pub quantity: Shares,
    /// Dollars of the lot that fall to them.
    pub opening_cash: Usd,
    /// Dollars of the closing trade that fall to them.
    pub closing_cash: Usd,
}

impl<T> Piece<T> {
    /// What was earned, where the closing trade was of this side: sold less bought.
    pub fn pnl(&self, closing: Side) -> Usd {
        let (sold, bought) = match closing {
            Side::Sell => (self.closing_cash, self.opening_cash),
            Side::Buy => (self.opening_cash, self.closing_cash),
        };
        // Neither is below zero, so their difference is on the grid.
        sold.minus(bought).unwrap_or_default()
    }
}

/// The open lots of one share, all of one side, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue<T> {
    lots: VecDeque<Lot<T>>,
    /// Whether they were bought or sold; of no meaning without lots.
    side: Side,
    /// Shares left in all of them.
    left: Shares,
    /// What these are worth.
    cost: Usd,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { lots: VecDeque::new(), side: Side::Buy, left: Shares::ZERO, cost: Usd::ZERO }
    }
}

impl<T: Copy> Queue<T> {
    /// One with these lots, oldest first.
    ///
    /// # Errors
    ///
    /// The grid ends. Stop.
    pub fn of(side: Side, lots: impl IntoIterator<Item = Lot<T>>) -> Result<Self, GridEnds> {
        let mut queue = Self { side, ..Self::default() };
        for lot in lots {
            queue.open(lot)?;
        }
        Ok(queue)
    }

    /// The lots, oldest first.
    pub fn lots(&self) -> impl ExactSizeIterator<Item = &Lot<T>> {
        self.lots.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lots.is_empty()
    }

    /// Whether its lots were bought or sold.
    pub const fn side(&self) -> Side {
        self.side
    }

    /// The position: long is positive.
    pub const fn net(&self) -> Shares {
        self.side.signed(self.left)
    }

    /// What the open lots cost; of sold ones, what they brought, negative.
    pub const fn book_value(&self) -> Usd {
        match self.side {
            Side::Buy => self.cost,
            Side::Sell => Usd(self.cost.0.negated()),
        }
    }

    fn open(&mut self, lot: Lot<T>) -> Result<(), GridEnds> {
        self.left = self.left.plus(lot.parcel.left()).ok_or(GridEnds)?;
        self.cost = self.cost.plus(lot.parcel.cost()).ok_or(GridEnds)?;
        self.lots.push_back(lot);
        Ok(())
    }

    /// Takes in a trade: it closes lots of the other side, oldest first, and opens one with the rest.
    ///
    /// `met` hears of every part that it closes, in order.
    ///
    /// # Errors
    ///
    /// The grid ends. Stop: the queue is not to be used any more.
    pub fn trade(
        &mut self,
        side: Side,
        tag: T,
        mut parcel: Parcel,
        mut met: impl FnMut(Piece<T>),
    ) -> Result<(), GridEnds> {
        if side != self.side {
            while let Some(oldest) = self.lots.front_mut() {
                let quantity = oldest.parcel.left().min(parcel.left());
                if quantity == Shares::ZERO {
                    return Ok(());
                }
                let opening_cash = oldest.parcel.take(quantity);
                let piece = Piece {
                    opening: oldest.tag,
                    quantity,
                    opening_cash,
                    closing_cash: parcel.take(quantity),
                };
                self.left = self.left.minus(quantity).ok_or(GridEnds)?;
                self.cost = self.cost.minus(opening_cash).ok_or(GridEnds)?;
                if oldest.parcel.left() == Shares::ZERO {
                    self.lots.pop_front();
                }
                met(piece);
            }
        }
        if parcel.left() > Shares::ZERO {
            self.side = side;
            self.open(Lot { tag, parcel })?;
        }
        Ok(())
    }

    /// A split of `new` shares for `old` ones: every lot by itself keeps its cost.
    ///
    /// # Errors
    ///
    /// The grid ends. Stop.
    pub fn split(&mut self, new: Amount, old: Amount) -> Result<(), GridEnds> {
        let split = |lot: &Lot<T>| Ok(Lot { tag: lot.tag, parcel: lot.parcel.split(new, old)? });
        let lots = self.lots.iter().map(split).collect::<Result<Vec<_>, GridEnds>>()?;
        *self = Self::of(self.side, lots)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shares(text: &str) -> Shares {
        Shares(text.parse().unwrap())
    }

    fn usd(text: &str) -> Usd {
        Usd(text.parse().unwrap())
    }

    #[test]
    fn three_thirds_of_a_parcel_give_back_its_cash() {
        let mut parcel = Parcel::whole(shares("0.3"), usd("45.000001")).unwrap();
        let thirds = [(); 3].map(|()| parcel.take(shares("0.1")).to_string());
        assert_eq!(thirds, ["15.000000333333333333", "15.000000333333333334", "15.000000333333333333"]);
        assert_eq!((parcel.left(), parcel.cost()), (Shares::ZERO, Usd::ZERO));
    }

    #[test]
    fn a_lot_that_a_split_rounds_to_nothing_keeps_its_cost() {
        let mut queue = Queue::default();
        let dust = Parcel::whole(shares("0.000000000000000001"), usd("2")).unwrap();
        queue.trade(Side::Buy, (), dust, |_| {}).unwrap();
        queue.split(Amount::ONE, "3".parse().unwrap()).unwrap();
        assert_eq!((queue.net(), queue.book_value()), (shares("0.000000000000000001"), usd("2")));
    }

    #[test]
    fn nothing_and_less_are_no_parcel() {
        assert_eq!(Parcel::whole(Shares::ZERO, usd("1")), None);
        assert_eq!(Parcel::whole(shares("1"), usd("-1")), None);
        assert_eq!(Parcel::resumed(shares("1"), usd("1"), shares("1")), None);
    }

    proptest! {
        #[test]
        fn whatever_the_slices_they_add_up_to_the_cash(quantity in 1_i128..1 << 90, cash in 0_i128..1 << 90, cuts in prop::collection::vec(1_i128..1 << 89, 0..8)) {
            let atoms = |atoms| Amount::from_atoms(atoms).unwrap();
            let mut parcel = Parcel::whole(Shares(atoms(quantity)), Usd(atoms(cash))).unwrap();
            let mut sum = Usd::ZERO;
            for cut in cuts {
                if parcel.left() > Shares::ZERO {
                    sum = sum.plus(parcel.take(Shares(atoms(cut)))).unwrap();
                }
                // And going on from what was written down is going on.
                if let Some(resumed) = Parcel::resumed(parcel.quantity, parcel.cash, parcel.used) {
                    prop_assert_eq!(resumed, parcel);
                }
            }
            sum = sum.plus(parcel.cost()).unwrap();
            prop_assert_eq!(sum, Usd(atoms(cash)));
        }
    }
}
