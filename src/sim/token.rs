//! Tokens that answer: decimals, symbol, and how much of its asset a share is.
//!
//! A ratio holds from a block on, so the answer depends on the block that was
//! asked. Absent on purpose: balances, which are the vaults' affair.

use super::abi::views;
use alloy::primitives::{Address, Bytes, U256};
use alloy::sol_types::{SolCall, SolValue};
use std::collections::BTreeMap;

/// 10^18: a ratio of one.
pub const ONE_E18: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

/// A token the node knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimToken {
    /// Its contract.
    pub address: Address,
    /// What `symbol()` says.
    pub symbol: String,
    /// What `decimals()` says.
    pub decimals: u8,
    /// The token it wraps as an ERC-4626 vault; none, and `asset()` reverts.
    pub wraps: Option<Address>,
    /// Underlying per 10^18 shares at the first block.
    pub ratio_e18: U256,
    /// The equity it stands for, if the desk hedges it.
    pub ticker: Option<String>,
}

impl SimToken {
    /// An ordinary ERC-20.
    pub fn plain(address: Address, symbol: &str, decimals: u8) -> Self {
        Self { address, symbol: symbol.to_owned(), decimals, wraps: None, ratio_e18: ONE_E18, ticker: None }
    }

    /// An ERC-4626 share of `asset`, one for one at first.
    pub fn wrapper(address: Address, symbol: &str, asset: Address, ticker: &str) -> Self {
        Self { wraps: Some(asset), ticker: Some(ticker.to_owned()), ..Self::plain(address, symbol, 18) }
    }
}

/// A call that a contract refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reverted;

/// A token with what became of its ratio.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    pub(super) token: SimToken,
    ratios: BTreeMap<u64, U256>,
}

impl Ledger {
    pub(super) fn new(token: SimToken) -> Self {
        Self { token, ratios: BTreeMap::new() }
    }

    pub(super) fn set_ratio(&mut self, from_block: u64, ratio_e18: U256) {
        self.ratios.insert(from_block, ratio_e18);
    }

    fn ratio_at(&self, block: u64) -> U256 {
        self.ratios.range(..=block).next_back().map_or(self.token.ratio_e18, |(_, ratio)| *ratio)
    }

    /// What the contract answers to `input` at `block`.
    pub(super) fn call(&self, input: &[u8], block: u64) -> Result<Bytes, Reverted> {
        let (selector, _) = input.split_first_chunk::<4>().ok_or(Reverted)?;
        let answer = match *selector {
            views::decimalsCall::SELECTOR => U256::from(self.token.decimals).abi_encode(),
            views::symbolCall::SELECTOR => self.token.symbol.abi_encode(),
            views::assetCall::SELECTOR => self.token.wraps.ok_or(Reverted)?.abi_encode(),
            views::convertToAssetsCall::SELECTOR => {
                self.token.wraps.ok_or(Reverted)?;
                let asked = views::convertToAssetsCall::abi_decode(input).map_err(|_| Reverted)?;
                let assets = asked.shares.checked_mul(self.ratio_at(block)).ok_or(Reverted)?;
                (assets / ONE_E18).abi_encode()
            }
            _ => return Err(Reverted),
        };
        Ok(answer.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::address;

    #[test]
    fn a_split_counts_from_its_block_on() {
        let asset = address!("00000000000000000000000000000000000000aa");
        let share = address!("00000000000000000000000000000000000000bb");
        let mut ledger = Ledger::new(SimToken::wrapper(share, "wtAAPL", asset, "AAPL"));
        ledger.set_ratio(100, ONE_E18 * U256::from(2));
        let ask = views::convertToAssetsCall { shares: U256::from(5) }.abi_encode();
        assert_eq!(ledger.call(&ask, 99), Ok(U256::from(5).abi_encode().into()));
        assert_eq!(ledger.call(&ask, 100), Ok(U256::from(10).abi_encode().into()));
    }

    #[test]
    fn a_plain_token_is_no_vault() {
        let token = address!("00000000000000000000000000000000000000cc");
        let ledger = Ledger::new(SimToken::plain(token, "USDC", 6));
        let asset = views::assetCall {}.abi_encode();
        assert_eq!(ledger.call(&asset, 1), Err(Reverted));
        let decimals = views::decimalsCall {}.abi_encode();
        assert_eq!(ledger.call(&decimals, 1), Ok(U256::from(6).abi_encode().into()));
    }
}
