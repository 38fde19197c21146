//! When a symbol is tried again whose orders the broker refuses (`faults.md` F31).

use jiff::SignedDuration;

use crate::book::order::Refusal;

/// How long to wait after so many refusals in a row, the last one for `why`: twice as long each time.
///
/// What ends by itself soon is tried soon; what a person must change is not asked for all day.
pub fn backoff(why: Refusal, times: u32) -> SignedDuration {
    let (first, most) = match why {
        Refusal::HeldShares | Refusal::WashTrade => (15, 120),
        Refusal::Funds
        | Refusal::NotFractionable
        | Refusal::BelowMinimum
        | Refusal::Session
        | Refusal::Account => (60, 900),
        Refusal::NotTradable | Refusal::NotShortable | Refusal::Other => (300, 3_600),
    };
    let doubled = 1_i64 << times.saturating_sub(1).min(10);
    SignedDuration::from_secs((first * doubled).min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_waits_longer_than_the_one_before_up_to_a_bound() {
        let waits = |why| [1, 2, 3, 4, 5, u32::MAX].map(|times| backoff(why, times).as_secs());
        assert_eq!(waits(Refusal::Funds), [60, 120, 240, 480, 900, 900]);
        assert_eq!(waits(Refusal::WashTrade), [15, 30, 60, 120, 120, 120]);
        assert_eq!(waits(Refusal::Other), [300, 600, 1_200, 2_400, 3_600, 3_600]);
    }
}
