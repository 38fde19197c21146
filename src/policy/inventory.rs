//! How much of a share, and of cash, should be on chain and how much at brokers.
//!
//! Beyond the deviation a move is suggested, back to the target. Nothing moves by it: a person does.

use crate::units::Amount;

/// What is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The part that should be on chain, from 0 to 1.
    pub ratio: Amount,
    /// How far it may be from that.
    pub deviation: Amount,
}

/// What is wanted of shares and of cash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InventorySettings {
    /// Of every share (`EQUITY_TARGET_RATIO`, `EQUITY_DEVIATION`).
    pub equity: Target,
    /// Of cash (`USDC_TARGET_RATIO`, `USDC_DEVIATION`).
    pub cash: Target,
}

/// How much there is where, and what that suggests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// A ticker, or `USD`.
    pub instrument: String,
    /// On chain: underlying shares, or USDC.
    pub onchain: Amount,
    /// At brokers.
    pub at_brokers: Amount,
    /// What was wanted.
    pub target: Target,
    /// The part that is on chain; none where there is nothing to share, or something is owed.
    pub ratio: Option<Amount>,
    /// What should move: to the chain is positive; nothing where all is within the deviation.
    pub move_quantity: Amount,
}

impl Inventory {
    /// Holds what there is against what is wanted; `None` where the grid ends.
    pub fn of(instrument: &str, onchain: Amount, at_brokers: Amount, target: Target) -> Option<Self> {
        let total = onchain.plus(at_brokers)?;
        let is_owed = onchain.is_negative() || at_brokers.is_negative();
        let ratio = if total.is_zero() || is_owed { None } else { Amount::ONE.portion(onchain, total) };
        let is_beyond = match ratio {
            Some(ratio) => ratio.minus(target.ratio)?.abs() > target.deviation,
            None => false,
        };
        let move_quantity =
            if is_beyond { total.times_toward_zero(target.ratio)?.minus(onchain)? } else { Amount::ZERO };
        let instrument = instrument.to_owned();
        Some(Self { instrument, onchain, at_brokers, target, ratio, move_quantity })
    }

    /// What to do, in a line; none where all is as it should be.
    pub fn suggestion(&self) -> Option<String> {
        let (from, to) = match self.move_quantity {
            none if none.is_zero() => return None,
            back if back.is_negative() => ("the chain", "the broker"),
            _ => ("the broker", "the chain"),
        };
        Some(format!("move {} {} from {from} to {to}", self.move_quantity.abs(), self.instrument))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(onchain: &str, at_brokers: &str) -> Inventory {
        let number = |text: &str| text.parse::<Amount>().unwrap();
        let target = Target { ratio: number("0.5"), deviation: number("0.2") };
        Inventory::of("AAPL", number(onchain), number(at_brokers), target).unwrap()
    }

    #[test]
    fn within_the_deviation_nothing_is_suggested_and_its_end_is_within() {
        for (onchain, at_brokers) in [("50", "50"), ("70", "30"), ("30", "70"), ("0", "0")] {
            assert_eq!(held(onchain, at_brokers).suggestion(), None, "{onchain} {at_brokers}");
        }
    }

    #[test]
    fn beyond_it_a_move_back_to_the_target_is() {
        let much = held("71", "29");
        assert_eq!(much.suggestion().unwrap(), "move 21 AAPL from the chain to the broker");
        let little = held("10.5", "50");
        assert_eq!(little.suggestion().unwrap(), "move 19.75 AAPL from the broker to the chain");
        assert_eq!(held("0", "10").move_quantity.to_string(), "5");
    }

    #[test]
    fn what_is_owed_has_no_share() {
        let short = held("50", "-20");
        assert_eq!((short.ratio, short.suggestion()), (None, None));
    }
}
