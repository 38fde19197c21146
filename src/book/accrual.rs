//! What a wrapper earned for who held it: its ratio rose, and with it the shares that its tokens are worth.
//!
//! It is income beside P&L: no lot is touched. A split is passed on the same way and is none:
//! more shares, each worth as much less.

use crate::units::{Amount, Shares};

/// What a wrapper was at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Tokens that came at that moment; what left is negative.
    pub moved: Amount,
    /// Underlying shares for one token then; none: it was not read.
    pub ratio: Option<Amount>,
}

/// Shares that accrued to `held` tokens since they were worth `ratio` each, over `steps` in their order.
///
/// `(ρ₂ − ρ₁) · tokens held`, from one ratio that was read to the next, so that a token counts
/// for as long as it was held. Of `splits`, so many new shares for so many old ones, each is
/// passed on once: by the step that is nearer to it than to none. Floored in its size, as the wrapper does.
///
/// `None` where the grid ends.
pub fn accrued(held: Amount, ratio: Amount, steps: &[Step], splits: &[(Amount, Amount)]) -> Option<Shares> {
    let (mut held, mut ratio) = (held, ratio);
    let mut splits = splits.to_vec();
    let mut accrued = Amount::ZERO;
    for step in steps {
        if let Some(next) = step.ratio {
            let mut before = ratio;
            if let Some(place) = splits.iter().position(|split| passes_on(ratio, next, *split)) {
                let (new, old) = splits.remove(place);
                before = ratio.portion(new, old)?;
            }
            accrued = accrued.plus(held.times_toward_zero(next.minus(before)?)?)?;
            ratio = next;
        }
        held = held.plus(step.moved)?;
    }
    Some(Shares(accrued))
}

/// Whether `to` is nearer to the ratio that a split makes of `from` than to `from` itself.
fn passes_on(from: Amount, to: Amount, (new, old): (Amount, Amount)) -> bool {
    let Some((split, away)) = from.portion(new, old).zip(to.minus(from)) else { return false };
    to.minus(split).is_some_and(|off| off.abs() < away.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    fn step(moved: &str, ratio: Option<&str>) -> Step {
        Step { moved: amount(moved), ratio: ratio.map(amount) }
    }

    fn told(held: &str, ratio: &str, steps: &[Step], splits: &[(&str, &str)]) -> String {
        let splits: Vec<_> = splits.iter().map(|(new, old)| (amount(new), amount(old))).collect();
        accrued(amount(held), amount(ratio), steps, &splits).unwrap().to_string()
    }

    #[test]
    fn twelve_tokens_that_are_worth_more_have_earned_the_difference() {
        // `accounting.md` A.6, example 9: 12.0996 → 12.12
        assert_eq!(told("12", "1.0083", &[step("0", Some("1.0100"))], &[]), "0.0204");
        assert_eq!(told("12", "1.0083", &[step("0", Some("1.0083"))], &[]), "0");
        assert_eq!(told("0", "1.0083", &[step("0", Some("1.0100"))], &[]), "0");
    }

    #[test]
    fn what_was_sold_before_it_rose_has_earned_nothing_and_after_it_all() {
        // The example's fill: 1.5 tokens at 1.0083
        let before = [step("-1.5", Some("1.0083")), step("0", Some("1.0100"))];
        assert_eq!(told("12", "1.0083", &before, &[]), "0.01785");
        let after = [step("-1.5", Some("1.0100")), step("0", Some("1.0100"))];
        assert_eq!(told("12", "1.0083", &after, &[]), "0.0204");
        // A deposit at a ratio that was not read counts from the next one on
        let deposited = [step("3", None), step("0", Some("1.0100"))];
        assert_eq!(told("12", "1.0083", &deposited, &[]), "0.0255");
    }

    #[test]
    fn a_split_that_is_passed_on_is_no_income() {
        // Example 8: 5 tokens, 4:1, and after the donation one is worth four
        assert_eq!(told("5", "1", &[step("0", Some("4"))], &[("4", "1")]), "0");
        // With a dividend in the same step
        assert_eq!(told("5", "1", &[step("0", Some("4.01"))], &[("4", "1")]), "0.05");
        // A dividend before the split is passed on, which then is
        let steps = [step("0", Some("1.01")), step("0", Some("4.04"))];
        assert_eq!(told("5", "1", &steps, &[("4", "1")]), "0.05");
        // One for ten
        assert_eq!(told("5", "2", &[step("0", Some("0.2"))], &[("1", "10")]), "0");
        // Nobody announced it: it is what it looks like, and a person sees it
        assert_eq!(told("5", "1", &[step("0", Some("4"))], &[]), "15");
    }
}
