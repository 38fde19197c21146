//! At what limit: the reference, a step to the bad side, on the exchange's grid of ticks.

use jiff::SignedDuration;

use super::sizing::WHOLE_BPS;
use crate::{
    book::fill::Side,
    units::{Amount, Price},
};

/// How long before a long closure the step grows.
const RAMP: SignedDuration = SignedDuration::from_mins(15);

/// How far it has grown when the market closes, in hundredths of a percent.
const RAMP_BPS: u32 = 400;

/// One atom and one dollar, in the units that a price times hundredths of a percent is in.
const ATOM: i128 = 10_000;
const DOLLAR: i128 = 1_000_000_000_000_000_000 * ATOM;

/// A limit `bps` hundredths of a percent to the bad side of `reference`: a buy's rounded up, a sale's
/// down, to cents from one dollar up and to hundredths of a cent below (`domain.md` R30). It is the
/// adjusted price that decides which.
///
/// `None` where nothing is left of the price, or the grid ends.
pub fn limit_price(reference: Price, side: Side, bps: u32) -> Option<Price> {
    let (whole, bps) = (i128::from(WHOLE_BPS), i128::from(bps));
    let part = match side {
        Side::Buy => whole + bps,
        Side::Sell => whole - bps,
    };
    let adjusted = reference.dollars().atoms().checked_mul(part)?;
    let tick = if adjusted >= DOLLAR { DOLLAR / 100 } else { DOLLAR / 10_000 };
    let up = i128::from(side == Side::Buy && adjusted % tick != 0);
    let limit = Amount::from_atoms((adjusted / tick + up) * (tick / ATOM))?;
    Price::of(limit).filter(|price| !price.dollars().is_zero())
}

/// How far a limit may lie from its reference so long before the market closes for longer than a
/// night: `bps`, growing to 400 in the last quarter of an hour (`domain.md` R31). None: it does not.
pub fn ramp(bps: u32, before_long_closure: Option<SignedDuration>) -> u32 {
    let Some(left) = before_long_closure.filter(|left| *left < RAMP) else { return bps };
    let passed = (RAMP - left.max(SignedDuration::ZERO)).as_secs();
    let grown = i64::from(RAMP_BPS.saturating_sub(bps)) * passed / RAMP.as_secs();
    bps.saturating_add(u32::try_from(grown).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_wider_step_than_the_ramp_s_is_kept() {
        assert_eq!(ramp(500, Some(SignedDuration::ZERO)), 500);
    }

    #[test]
    fn a_step_of_all_of_it_or_more_leaves_no_price_to_sell_at() {
        let reference = Price::of("187.2".parse().unwrap()).unwrap();
        for bps in [10_000, 10_001, u32::MAX] {
            assert_eq!(limit_price(reference, Side::Sell, bps), None);
        }
    }

    proptest! {
        #[test]
        fn a_limit_is_on_the_bad_side_on_a_tick_and_less_than_one_tick_too_far(
            atoms in 10_i128.pow(15)..10_i128.pow(24), bps in 0_u32..1_000, buy: bool,
        ) {
            let reference = Price::of(Amount::from_atoms(atoms).unwrap()).unwrap();
            let side = if buy { Side::Buy } else { Side::Sell };
            let limit = limit_price(reference, side, bps).unwrap().dollars().atoms();
            let exact = atoms * (if buy { 10_000 + i128::from(bps) } else { 10_000 - i128::from(bps) });
            let tick = if exact >= DOLLAR { DOLLAR / 100 } else { DOLLAR / 10_000 };
            let off = if buy { limit * ATOM - exact } else { exact - limit * ATOM };
            prop_assert!((0..tick).contains(&off));
            prop_assert_eq!(limit * ATOM % tick, 0);
        }
    }
}
