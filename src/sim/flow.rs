//! A market for what is invented: prices that walk about, and a desk that makes it, both ways.
//!
//! Without it invented trades are at any price, which is what tests want. With it they read like
//! those of a desk: a little above the market what is sold, a little below it what is bought,
//! sizes that somebody would trade, and the more of a side that is open, the rarer it becomes.

use std::collections::BTreeMap;

use alloy::primitives::{Address, U256};
use rand::{RngExt, rngs::StdRng};

use super::{
    fill::{Decimal, Side},
    token::SimToken,
};

/// Of the price, so many hundred-thousandths are walked in a block, at most.
const STEP: i64 = 40;
/// And so many parts of the way home are walked back.
const HOME: i64 = 2_000;
/// What the desk earns on a trade, in hundredths of a percent, about.
const EDGE: std::ops::RangeInclusive<u64> = 8..=34;
/// How much rarer a side becomes with each share of it that is open, in permille.
const LEAN: i64 = 45;

/// A market of shares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flow(BTreeMap<Address, Walk>);

/// A share in it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Walk {
    ticker: String,
    /// Shares a token, times 10^18.
    ratio_e18: U256,
    /// Hundred-thousandths of a dollar, as Pyth has them: where it began, and where it is.
    home: i64,
    price: i64,
    /// Ten-thousandths of a token that the desk holds: long is positive.
    held: i64,
}

impl Flow {
    /// And this token's share, from this price on, in hundred-thousandths of a dollar.
    #[must_use]
    pub fn with(mut self, token: &SimToken, price: i64) -> Self {
        let ticker = token.ticker.clone().unwrap_or_default();
        let walk = Walk { ticker, ratio_e18: token.ratio_e18, home: price, price, held: 0 };
        self.0.insert(token.address, walk);
        self
    }

    /// Tickers and what they are worth, in hundred-thousandths of a dollar.
    pub(super) fn prices(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0.values().map(|walk| (walk.ticker.as_str(), walk.price))
    }

    /// A block later.
    pub(super) fn walk(&mut self, rng: &mut StdRng) {
        for walk in self.0.values_mut() {
            let step = walk.price * STEP / 100_000;
            walk.price += rng.random_range(-step..=step) + (walk.home - walk.price) / HOME;
        }
    }

    /// Which side of the desk is taken.
    pub(super) fn side(&self, token: Address, rng: &mut StdRng) -> Side {
        let held = self.0.get(&token).map_or(0, |walk| walk.held / 10_000);
        let selling = (500 + held * LEAN).clamp(50, 950);
        if rng.random_range(0..1_000) < selling { Side::Sell } else { Side::Buy }
    }

    /// Tokens, and the dollars for them; at the market where no side is named. None: it is not of this market.
    pub(super) fn trade(&self, token: Address, side: Option<Side>, rng: &mut StdRng) -> Option<[Decimal; 2]> {
        let walk = self.0.get(&token)?;
        let edge = rng.random_range(EDGE);
        let quoted = match side {
            Some(Side::Sell) => 10_000 + edge,
            Some(Side::Buy) => 10_000 - edge,
            None => 10_000,
        };
        let ten_thousandths = match rng.random_range(0..6_u8) {
            0..=2 => rng.random_range(1..=4_u64) * 10_000,
            3 | 4 => rng.random_range(1..=10_u64) * 2_500,
            _ => rng.random_range(100..=30_000_u64),
        };
        let quantity = Decimal::new(U256::from(ten_thousandths), -4);
        let share = Decimal::new(U256::from(walk.price.unsigned_abs()), -5);
        let ratio = Decimal::new(walk.ratio_e18 / U256::from(10).pow(U256::from(9)), -9);
        let dollars = quantity.times(share).times(ratio).times(Decimal::new(U256::from(quoted), -4));
        Some([quantity, Decimal::new(dollars.at(6), -6)])
    }

    /// The desk did this.
    pub(super) fn done(&mut self, token: Address, side: Side, quantity: Decimal) {
        if let Some(walk) = self.0.get_mut(&token) {
            let moved = i64::try_from(quantity.at(4)).unwrap_or_default();
            walk.held += match side {
                Side::Buy => moved,
                Side::Sell => -moved,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_desk_sells_above_the_market_and_buys_below_it_and_does_not_run_away() {
        let mut rng = StdRng::seed_from_u64(3);
        let token = SimToken::wrapper(Address::with_last_byte(1), "wtAAPL", Address::ZERO, "AAPL");
        let mut flow = Flow::default().with(&token, 18_725_000);
        let mut most = 0;
        for _ in 0..2_000 {
            flow.walk(&mut rng);
            let side = flow.side(token.address, &mut rng);
            let [quantity, dollars] = flow.trade(token.address, Some(side), &mut rng).unwrap();
            let (_, price) = flow.prices().next().unwrap();
            let worth = quantity.times(Decimal::new(U256::from(price.unsigned_abs()), -5)).at(6);
            match side {
                Side::Sell => assert!(dollars.at(6) > worth),
                Side::Buy => assert!(dollars.at(6) < worth),
            }
            flow.done(token.address, side, quantity);
            most = most.max(flow.0[&token.address].held.abs());
            assert!((17_000_000..20_500_000).contains(&price), "{price}");
        }
        assert!((10_000..300_000).contains(&most), "{most}");
    }
}
