//! `Float`: the 32-byte decimal of the v5 and v6 contracts (`raindex.md` §5).
//!
//! Every word is a number; none is refused and no power is built. Whether the
//! books can hold it is [`Exact::is_bookable`]'s to say.

use alloy::primitives::{B256, I256, U256};

use crate::units::Exact;

/// The top 4 bytes are the signed exponent, the low 28 the signed coefficient.
pub fn decode(word: B256) -> Exact {
    let mut exponent = [0; 4];
    let (top, low) = word.split_at(4);
    exponent.copy_from_slice(top);
    let exponent = i32::from_be_bytes(exponent);
    // Sign-extend 224 bits to 256 by shifting through the top.
    let coefficient = I256::from_raw(U256::from_be_slice(low) << 32).asr(32);
    Exact::new(coefficient.is_negative(), coefficient.unsigned_abs(), i64::from(exponent))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_vector_of_the_real_contract_decodes_exactly() {
        let file: Value =
            serde_json::from_str(include_str!("../../tests/fixtures/raindex/floats.json")).unwrap();
        let vectors = file["vectors"].as_array().unwrap();
        assert_eq!(vectors.len(), 68);
        for vector in vectors {
            let text = |key: &str| vector[key].as_str();
            let float = decode(text("packed").unwrap().parse().unwrap());
            let name = text("name").unwrap();
            let digits = text("coefficient").unwrap();
            let raw = Exact::new(
                digits.starts_with('-'),
                digits.trim_start_matches('-').parse().unwrap(),
                vector["exponent"].as_i64().unwrap(),
            );
            assert_eq!(float, raw, "{name}");
            assert_eq!(float.scientific(), text("scientific").unwrap(), "{name}");
            if let Some(decimal) = text("decimal") {
                assert_eq!(float.to_string(), decimal, "{name}");
            }
            for (key, decimals) in [("toFixed6", 6_u32), ("toFixed18", 18)] {
                let Ok(units) = vector[key]["value"].as_str().unwrap_or("").parse::<U256>() else {
                    assert!(float.is_negative() || !float.is_bookable(), "{name}: the contract reverts");
                    continue;
                };
                let expected = Exact::new(false, units, -i64::from(decimals));
                match float.cut(decimals) {
                    Some(amount) => {
                        assert_eq!(Exact::from(amount), expected, "{name}");
                        let lossless = vector[key]["lossless"].as_bool().unwrap();
                        assert_eq!(Exact::from(amount) == float, lossless, "{name}");
                    }
                    None => assert!(float.magnitude() > 20, "{name}"),
                }
            }
        }
    }

    #[test]
    fn the_worked_example_of_a_real_fill_comes_out() {
        // Base tx 0xf05d240c…304d (`domain.md` R7b).
        let word = |hex: &str| decode(hex.parse().unwrap());
        let shares = word("0xffffffee00000000000000000000000000000000000000001bc16d674ec80000");
        let usdc = word("0xffffffe500000000000000000000000000000002057d2cd516a29b6174400000");
        assert_eq!(shares.to_string(), "2");
        assert_eq!(usdc.to_string(), "160.15507752");
        assert_eq!(usdc.cut(6).unwrap().to_string(), "160.155077");
        assert_eq!(usdc.per(&shares).unwrap().to_string(), "80.07753876");
    }
}
