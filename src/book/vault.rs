//! Where our tokens rest on chain: which vault, and what lies in it.

use alloy::primitives::{Address, B256, U256};

use crate::units::Exact;

/// One vault of an order book. The same id under another token or owner is another vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VaultKey {
    /// Whose.
    pub owner: Address,
    /// What lies in it.
    pub token: Address,
    /// Which of the owner's.
    pub vault_id: B256,
}

/// Who has it in an ordinary account: a wallet, or a contract that tokens pass through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WalletKey {
    /// Whose.
    pub holder: Address,
    /// What.
    pub token: Address,
}

/// How much lies there.
///
/// - **Unit** whole tokens.
/// - **Source** the contract, at one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// As the contract has it, to the last digit: a v5 or v6 vault holds more digits than its token.
    pub exact: Exact,
    /// Cut toward zero to the token's own decimals: what could be withdrawn.
    pub cut: Exact,
    /// The token's own decimals.
    pub decimals: u8,
}

impl Balance {
    /// So many whole tokens.
    pub fn whole(exact: Exact, decimals: u8) -> Self {
        Self { exact, cut: exact.cut_to(decimals), decimals }
    }

    /// So many base units.
    pub fn base_units(units: U256, decimals: u8) -> Self {
        Self::whole(Exact::from_base_units(units, decimals), decimals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balance_with_more_digits_than_its_token_is_cut_toward_zero() {
        let exact = Exact::new(false, "12350688267023750000000000123".parse().unwrap(), -18);
        let balance = Balance::whole(exact, 6);
        assert_eq!(balance.exact.to_string(), "12350688267.023750000000000123");
        assert_eq!(balance.cut.to_string(), "12350688267.02375");
        let owed = Balance::whole(exact.negated(), 6);
        assert_eq!(owed.cut.to_string(), "-12350688267.02375");
    }

    #[test]
    fn base_units_are_whole_tokens_with_their_decimals() {
        let balance = Balance::base_units(U256::from(1_500_000), 6);
        assert_eq!((balance.exact, balance.cut), (balance.cut, Exact::new(false, U256::from(15), -1)));
    }

    #[test]
    fn dust_below_a_base_unit_is_nothing_that_could_be_withdrawn() {
        let dust = Balance::whole(Exact::new(false, U256::from(7), -90), 18);
        assert!(!dust.exact.is_zero() && dust.cut.is_zero());
    }
}
