//! The orderbook's events as the contracts emit them, for writing only.
//!
//! Written from the contracts' own definitions and independent of the decoder
//! in `chain/`: a mistake there is not repeated here, and a rehearsal shows it.

use alloy::primitives::{Address, B256, I256, Log, U256};
use alloy::sol;
use alloy::sol_types::SolEvent;

/// `IOrderBookV4` with the interfaces of its deployed builds.
pub(super) mod v4 {
    use super::sol;
    sol! {
        struct EvaluableV3 { address interpreter; address store; bytes bytecode; }
        struct IO { address token; uint8 decimals; uint256 vaultId; }
        struct SignedContextV1 { address signer; uint256[] context; bytes signature; }
        struct OrderV3 { address owner; EvaluableV3 evaluable; IO[] validInputs; IO[] validOutputs; bytes32 nonce; }
        struct TakeOrderConfigV3 { OrderV3 order; uint256 inputIOIndex; uint256 outputIOIndex; SignedContextV1[] signedContext; }
        struct ClearConfig {
            uint256 aliceInputIOIndex; uint256 aliceOutputIOIndex; uint256 bobInputIOIndex; uint256 bobOutputIOIndex;
            uint256 aliceBountyVaultId; uint256 bobBountyVaultId;
        }
        struct ClearStateChange { uint256 aliceOutput; uint256 bobOutput; uint256 aliceInput; uint256 bobInput; }

        event ClearV2(address sender, OrderV3 alice, OrderV3 bob, ClearConfig clearConfig);
        event AfterClear(address sender, ClearStateChange clearStateChange);
        event TakeOrderV2(address sender, TakeOrderConfigV3 config, uint256 input, uint256 output);
        event Deposit(address sender, address token, uint256 vaultId, uint256 amount);
        event Withdraw(address sender, address token, uint256 vaultId, uint256 targetAmount, uint256 amount);
        event AddOrderV2(address sender, bytes32 orderHash, OrderV3 order);
        event Context(address sender, uint256[][] context);
    }
}

/// `IOrderBookV5` and `IRaindexV6`, whose events are the same.
pub(super) mod v5 {
    use super::sol;
    sol! {
        struct EvaluableV4 { address interpreter; address store; bytes bytecode; }
        struct IOV2 { address token; bytes32 vaultId; }
        struct SignedContextV1 { address signer; bytes32[] context; bytes signature; }
        struct OrderV4 { address owner; EvaluableV4 evaluable; IOV2[] validInputs; IOV2[] validOutputs; bytes32 nonce; }
        struct TakeOrderConfigV4 { OrderV4 order; uint256 inputIOIndex; uint256 outputIOIndex; SignedContextV1[] signedContext; }
        struct ClearConfigV2 {
            uint256 aliceInputIOIndex; uint256 aliceOutputIOIndex; uint256 bobInputIOIndex; uint256 bobOutputIOIndex;
            bytes32 aliceBountyVaultId; bytes32 bobBountyVaultId;
        }
        struct ClearStateChangeV2 { bytes32 aliceOutput; bytes32 bobOutput; bytes32 aliceInput; bytes32 bobInput; }

        event ClearV3(address sender, OrderV4 alice, OrderV4 bob, ClearConfigV2 clearConfig);
        event AfterClearV2(address sender, ClearStateChangeV2 clearStateChange);
        event TakeOrderV3(address sender, TakeOrderConfigV4 config, bytes32 input, bytes32 output);
        event DepositV2(address sender, address token, bytes32 vaultId, uint256 depositAmountUint256);
        event WithdrawV2(address sender, address token, bytes32 vaultId, bytes32 targetAmount, bytes32 withdrawAmount, uint256 withdrawAmountUint256);
        event AddOrderV3(address sender, bytes32 orderHash, OrderV4 order);
        event ContextV2(address sender, bytes32[][] context);
    }
}

/// What tokens emit, and what they and the orderbooks answer.
pub(super) mod views {
    use super::sol;
    sol! {
        event Transfer(address indexed from, address indexed to, uint256 value);

        function decimals() external view returns (uint8);
        function symbol() external view returns (string);
        function asset() external view returns (address);
        function convertToAssets(uint256 shares) external view returns (uint256);
        function balanceOf(address account) external view returns (uint256);
        function vaultBalance(address owner, address token, uint256 vaultId) external view returns (uint256);
        function vaultBalance2(address owner, address token, bytes32 vaultId) external view returns (bytes32);
    }
}

/// `event` as a log of `address`.
pub(super) fn log<E: SolEvent>(address: Address, event: &E) -> Log {
    Log { address, data: event.encode_log_data() }
}

/// A token's Transfer log.
pub(super) fn transfer(token: Address, from: Address, to: Address, value: U256) -> Log {
    log(token, &views::Transfer { from, to, value })
}

/// `coefficient` × 10^`exponent` as the contracts pack it: four bytes of
/// exponent, then twenty-eight of coefficient, both two's complement.
pub(super) fn float(coefficient: I256, exponent: i32) -> B256 {
    let mut word = B256::from(coefficient.into_raw());
    if let Some(high) = word.first_chunk_mut::<4>() {
        *high = exponent.to_be_bytes();
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::b256;

    #[test]
    fn the_topics_are_those_of_the_deployed_contracts() {
        assert_eq!(
            v4::TakeOrderV2::SIGNATURE_HASH,
            b256!("10de99b9032184587540c04e1850dff94a7683ae1fcc9eb06098621c739c0275")
        );
        assert_eq!(
            v4::ClearV2::SIGNATURE_HASH,
            b256!("692ee69af2843c70772be93470669f3c73e583316a047b6bfefdae5629de37ce")
        );
        assert_eq!(
            v4::AfterClear::SIGNATURE_HASH,
            b256!("3f20e55919cca701abb2a40ab72542b25ea7eed63a50f979dd2cd3231e5f488d")
        );
        assert_eq!(
            v5::TakeOrderV3::SIGNATURE_HASH,
            b256!("194f1feb3b4d7076a2c272e774e792e0c48bb8c7aa1a9a3671c1cd6da9e6b4c1")
        );
        assert_eq!(
            v5::ClearV3::SIGNATURE_HASH,
            b256!("6fa7f4c28634b0a9d6831401c45ae468195fb63aed07308935c35374ff5d9e39")
        );
        assert_eq!(
            v5::AfterClearV2::SIGNATURE_HASH,
            b256!("d9fa84dd790c969daa5c33d8050dc06b4a9b59d5b42e2be5f5e8ae20447f618d")
        );
        assert_eq!(
            v5::WithdrawV2::SIGNATURE_HASH,
            b256!("8045c25080b0868951141ed0a91720bcad09a8364a2b3109ee1fd49c1f0bc8b8")
        );
    }

    #[test]
    fn a_float_is_packed_as_the_contracts_do() {
        let cases = [
            (123, 0, "000000000000000000000000000000000000000000000000000000000000007b"),
            (1845, -1, "ffffffff00000000000000000000000000000000000000000000000000000735"),
            (-1, -2, "fffffffeffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
        ];
        for (coefficient, exponent, packed) in cases {
            let word = float(I256::try_from(coefficient).unwrap(), exponent);
            assert_eq!(word, packed.parse::<B256>().unwrap());
        }
    }
}
