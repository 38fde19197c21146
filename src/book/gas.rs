//! What a transaction cost, to the last wei, and who paid.

use alloy::primitives::{Address, B256};

use crate::units::{Amount, Usd};

/// What a receipt says of costs.
///
/// - **Unit** ETH, whose 18 decimals are the grid's: one unit of it is one wei.
/// - **Sign** none: what was paid is positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gas {
    /// The transaction.
    pub tx: B256,
    /// The block that it is in.
    pub block: B256,
    /// Who sent it, and so paid.
    pub payer: Address,
    /// Gas used.
    pub used: u64,
    /// ETH for one of it: what was charged in the end.
    pub price: Amount,
    /// ETH charged for its data besides, on chains that keep theirs on another; none where the receipt names none.
    pub l1_fee: Option<Amount>,
}

impl Gas {
    /// All that it cost, in ETH; `None` where the grid ends.
    pub fn eth(&self) -> Option<Amount> {
        let run = i128::from(self.used).checked_mul(self.price.atoms()).and_then(Amount::from_atoms)?;
        run.plus(self.l1_fee.unwrap_or_default())
    }

    /// The same in dollars, at so many for one ETH, rounded half to even; `None` where the grid ends.
    pub fn worth(&self, ether: Amount) -> Option<Usd> {
        self.eth()?.times(ether).map(Usd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gas(used: u64, wei: i128, l1_fee: Option<i128>) -> Gas {
        Gas {
            tx: B256::ZERO,
            block: B256::ZERO,
            payer: Address::ZERO,
            used,
            price: Amount::from_atoms(wei).unwrap(),
            l1_fee: l1_fee.and_then(Amount::from_atoms),
        }
    }

    #[test]
    fn a_transaction_costs_its_gas_and_what_its_data_cost_elsewhere() {
        // A deposit on Base: 104 921 gas at 0.005 gwei and one wei, and 1 287 654 321 wei for its data.
        let with_data = gas(104_921, 5_000_001, Some(1_287_654_321));
        assert_eq!(with_data.eth().unwrap().to_string(), "0.000000525892759242");
        assert_eq!(gas(104_921, 5_000_001, None).eth().unwrap().to_string(), "0.000000524605104921");
        // 3 412.87 dollars for one
        let worth = with_data.worth("3412.87".parse().unwrap()).unwrap();
        assert_eq!(worth.to_string(), "0.001794803621234245");
    }

    #[test]
    fn what_is_beyond_the_grid_is_no_number() {
        assert_eq!(
            gas(u64::MAX, 1_000_000_000_000_000_000, None).eth().map(|eth| eth.to_string()),
            Some("18446744073709551615".to_owned())
        );
        assert_eq!(gas(u64::MAX, 10_000_000_000_000_000_000, None).eth(), None);
    }
}
