//! How many shares: what a venue trades, what cash buys, what a holding gives.
//!
//! Every cut is toward zero, every cost is rounded up: an order is never larger
//! than what it was taken from. What is cut away stays in the exposure.

use alloy::primitives::{U256, U512};

use crate::units::{Amount, Price, Shares, Usd};

/// A whole, in hundredths of a percent.
pub(super) const WHOLE_BPS: u32 = 10_000;

/// How much more than the price a market order may cost, in hundredths of a percent (`domain.md` R28).
pub const SLACK_BPS: u32 = 100;

/// The least part of a need that is worth covering by itself: 0.01 share (`domain.md` R29).
const LEAST_COVER: i128 = 10_000_000_000_000_000;

/// One cent, in atoms.
const CENT: u64 = 10_000_000_000_000_000;

/// What `quantity` costs at `price` and `slack_bps` more, in dollars and whole cents, rounded up
/// (`domain.md` R28). `None` where the grid ends.
pub fn cost(quantity: Shares, price: Price, slack_bps: u32) -> Option<Usd> {
    let wide = |amount: Amount| U512::from(amount.atoms().unsigned_abs());
    let each = wide(price.dollars()) * U512::from(u64::from(WHOLE_BPS) + u64::from(slack_bps));
    let one = wide(Amount::ONE) * U512::from(WHOLE_BPS) * U512::from(CENT);
    let cents = u64::try_from((wide(quantity.0) * each).div_ceil(one)).ok()?;
    Amount::from_atoms(i128::from(cents) * i128::from(CENT)).map(Usd)
}

/// The most shares whose [`cost`] is no more than `cash`: never above what cash buys, cut toward zero.
pub fn affordable(cash: Usd, price: Price, slack_bps: u32) -> Option<Shares> {
    if cash.0.is_negative() {
        return Some(Shares::ZERO);
    }
    let wide = |amount: Amount| U256::from(amount.atoms().unsigned_abs());
    // A cost is in whole cents: what is finer buys nothing.
    let cash = wide(cash.0.cut(2)) * wide(Amount::ONE) * U256::from(WHOLE_BPS);
    let each = wide(price.dollars()) * U256::from(u64::from(WHOLE_BPS) + u64::from(slack_bps));
    let atoms = i128::try_from(cash.checked_div(each)?).ok()?;
    Amount::from_atoms(atoms).map(Shares)
}

/// What of `need` a holding gives that has `available`: all of it, or what there is if that is at
/// least 0.01 share, or none (`domain.md` R29).
pub fn covered(need: Shares, available: Shares) -> Option<Shares> {
    let least = need.0.atoms().min(LEAST_COVER);
    Some(need.min(available)).filter(|given| given.0.atoms() >= least && !given.0.is_negative())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shares(text: &str) -> Shares {
        Shares(text.parse().unwrap())
    }

    fn price(text: &str) -> Price {
        Price::of(text.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_cost_beyond_the_grid_is_not_known_and_nothing_costs_nothing() {
        let most = "99999999999999999999";
        assert_eq!(cost(shares(most), price(most), 0), None);
        assert_eq!(cost(Shares::ZERO, price(most), SLACK_BPS), Some(Usd::ZERO));
        assert_eq!(affordable(Usd("-1".parse().unwrap()), price("1"), 0), Some(Shares::ZERO));
        assert_eq!(affordable(Usd::ZERO, price("0"), 0), None);
    }

    #[test]
    fn a_need_that_is_small_itself_is_covered() {
        assert_eq!(covered(shares("0.005"), shares("3")), Some(shares("0.005")));
        assert_eq!(covered(shares("0.005"), shares("0.004")), None);
        assert_eq!(covered(shares("5"), shares("-3")), None, "what is short gives nothing");
    }

    proptest! {
        #[test]
        fn what_cash_buys_never_costs_more_than_the_cash(
            cash in 0_i128..10_i128.pow(28),
            each in 1_i128..10_i128.pow(23),
            bps in 0_u32..500,
        ) {
            let each = Price::of(Amount::from_atoms(each).unwrap()).unwrap();
            let cash = Usd(Amount::from_atoms(cash).unwrap());
            if let Some(most) = affordable(cash, each, bps) {
                prop_assert!(cost(most, each, bps).unwrap() <= cash);
                // One atom a share more, and one cent of it, would cost more than there are cents.
                let more = Usd(cash.0.plus(Amount::from_atoms(i128::from(CENT)).unwrap()).unwrap());
                let next = affordable(more, each, bps).unwrap();
                prop_assert!(next >= most);
                prop_assert!(cost(next.plus(Shares(Amount::ONE)).unwrap(), each, bps).unwrap() > cash);
            }
        }
    }
}
