//! Any two words as Floats: read, written, cut and divided.
//!
//! Always true: text stays short, a cut is what cutting the text gives, and a
//! quotient is off by no more than half of its last place, which is then even.
#![no_main]

use alloy::primitives::{B256, Uint};
use hedge::{
    chain::float,
    units::{Amount, Exact},
};
use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};

type Wide = Uint<8192, 128>;

/// A Float: any, or one of those that fills are made of.
#[derive(Arbitrary, Debug)]
enum Word {
    Any([u8; 32]),
    Near(i128, i16),
    Small(u8, i8),
}

impl Word {
    fn packed(&self) -> B256 {
        let (coefficient, exponent) = match *self {
            Self::Any(bytes) => return B256::from(bytes),
            Self::Near(coefficient, exponent) => (coefficient, i32::from(exponent)),
            Self::Small(coefficient, exponent) => (i128::from(coefficient), i32::from(exponent)),
        };
        let mut word = [if coefficient < 0 { 0xff } else { 0 }; 32];
        word[..4].copy_from_slice(&exponent.to_be_bytes());
        word[16..].copy_from_slice(&coefficient.to_be_bytes());
        B256::from(word)
    }
}

fuzz_target!(|input: (Word, Word, u8)| {
    let (one, other, decimals) = input;
    let (one, other) = (float::decode(one.packed()), float::decode(other.packed()));
    for number in [&one, &other] {
        assert!(number.to_string().len() <= 1_100 && number.scientific().len() <= 100);
        assert_eq!(number.negated().negated(), *number);
        assert_eq!(number.is_negative() && number.is_zero(), false);
        cut(number, u32::from(decimals % 19));
    }
    let Some(quotient) = one.per(&other) else {
        let divisible = one.is_bookable() && other.is_bookable() && !other.is_zero();
        assert!(!divisible || one.magnitude() - other.magnitude() > 50, "{one} per {other}");
        return;
    };
    // |a - q·b| <= b/2 · 1e-18, in whole numbers of the smallest power.
    let least = one.exponent().min(other.exponent() - 19).min(other.exponent() + quotient.exponent());
    let (above, below) = (scaled(&one, least), scaled(&other, least + 18));
    let product = Wide::from(quotient.coefficient())
        * Wide::from(other.coefficient())
        * ten(quotient.exponent() + other.exponent() - least);
    let off = if above > product { above - product } else { product - above };
    let twice = off * Wide::from(2);
    let even = quotient.exponent() > -18 || !quotient.coefficient().bit(0);
    assert!(twice < below || (twice == below && even), "{one} per {other} is not {quotient}");
});

/// `10^power`.
fn ten(power: i64) -> Wide {
    Wide::from(10).pow(Wide::from(u64::try_from(power).expect("the smallest power is smaller")))
}

/// The number in units of `10^least`, without its sign.
fn scaled(number: &Exact, least: i64) -> Wide {
    Wide::from(number.coefficient())
        * if number.is_zero() { Wide::ONE } else { ten(number.exponent() - least) }
}

/// Cuts a number, and its text where it has a plain one.
fn cut(number: &Exact, decimals: u32) {
    let cut = number.cut(decimals);
    assert_eq!(cut.is_none(), number.magnitude() > 20, "{number} to {decimals}");
    let text = number.to_string();
    let (Some(cut), false) = (cut, text.contains('e')) else { return };
    let kept = match text.split_once('.') {
        Some((whole, rest)) => format!("{whole}.{}", &rest[..rest.len().min(decimals as usize)]),
        None => text.clone(),
    };
    let kept = kept.strip_suffix('.').unwrap_or(&kept);
    let expected: Amount = if kept.trim_matches(['-', '0', '.']).is_empty() {
        Amount::ZERO
    } else {
        kept.parse().expect("a plain decimal")
    };
    assert_eq!(cut, expected, "{text} to {decimals}");
}
