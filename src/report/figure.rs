//! Figures and times as a person on a desk reads them: grouped, rounded half to even, with a true minus.

use jiff::{Timestamp, tz::TimeZone};

use crate::units::{Amount, Shares, Usd};

/// Decimals of a quantity that a person is shown.
const QUANTITY: u32 = 9;

/// With so many decimals (at most 18), grouped by thousands: `−1,234.50`.
pub fn grouped(amount: Amount, decimals: u32) -> String {
    let decimals = decimals.min(18);
    let step = 10_i128.pow(18 - decimals);
    let (whole, rest) = (amount.atoms() / step, (amount.atoms() % step).abs());
    let up = match (rest * 2).cmp(&step) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => whole % 2 != 0,
    };
    let rounded = whole.unsigned_abs() + u128::from(up);
    let one = 10_u128.pow(decimals);
    let minus = if amount.is_negative() && rounded > 0 { "−" } else { "" };
    let width = usize::try_from(decimals).unwrap_or_default();
    let fraction = if decimals == 0 { String::new() } else { format!(".{:0width$}", rounded % one) };
    format!("{minus}{}{fraction}", thousands(rounded / one))
}

fn thousands(number: u128) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Dollars and cents: `−$73.70`.
pub fn dollars(usd: Usd) -> String {
    with_sign(&grouped(usd.0, 2), "$")
}

/// Shares or coins, without zeros at the end: `−0.5`.
pub fn quantity(shares: Shares) -> String {
    let text = grouped(shares.0, QUANTITY);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A figure's sign before what it is counted in.
pub(super) fn with_sign(figure: &str, before: &str) -> String {
    match figure.strip_prefix('−') {
        Some(positive) => format!("−{before}{positive}"),
        None => format!("{before}{figure}"),
    }
}

/// A time on the desk's clock: `2026-11-20 16:02 ET`.
pub fn desk_time(at: Timestamp) -> String {
    let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).strftime("%Y-%m-%d %H:%M ET").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_and_rounded_half_to_even() {
        for (amount, decimals, wanted) in [
            ("0", 2, "0.00"),
            ("-73.7", 2, "−73.70"),
            ("1234567.895", 2, "1,234,567.90"),
            ("0.125", 2, "0.12"),
            ("0.135", 2, "0.14"),
            ("-0.004", 2, "0.00"),
            ("999.5", 0, "1,000"),
            ("-999.5", 0, "−1,000"),
            ("99999999999999999999.999999999999999999", 18, "99,999,999,999,999,999,999.999999999999999999"),
        ] {
            assert_eq!(grouped(amount.parse().unwrap(), decimals), wanted, "{amount}");
        }
        assert_eq!(dollars(Usd("-73.7".parse().unwrap())), "−$73.70");
        assert_eq!(quantity(Shares("-0.5".parse().unwrap())), "−0.5");
        assert_eq!(quantity(Shares("1000".parse().unwrap())), "1,000");
    }

    #[test]
    fn times_are_those_of_the_desk() {
        assert_eq!(desk_time("2026-11-20T21:02:59Z".parse().unwrap()), "2026-11-20 16:02 ET");
        assert_eq!(desk_time("2026-07-20T21:02:00Z".parse().unwrap()), "2026-07-20 17:02 ET");
    }
}
