//! What lies in vaults and wallets: the sum of what logs moved, and what moved without one.
//!
//! An orderbook answers from here, at any block of any branch. Deposits, withdrawals,
//! takes and clears move balances as the contracts do, a clear's bounty among them. A
//! test may move something that no log tells of: a break to be found. A vault that was
//! never stocked goes below zero, which no real one can: [`SimChain::stock`](super::SimChain::stock)
//! comes first. Wallets hold what a test put there; Transfer logs are scenery.

use super::abi::{float, v4, v5, views};
use super::block::Block;
use super::chain::View;
use super::orders::Generation;
use super::token::Reverted;
use alloy::primitives::aliases::I512;
use alloy::primitives::{Address, B256, Bytes, I256, Log, U256, U512};
use alloy::sol_types::{SolCall, SolEvent, SolValue};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Balances are counted in 10^-80 of a whole token: no amount that is invented has a finer digit.
const PLACES: i32 = 80;
/// So many digits of any size fit into a Float's coefficient.
const FLOAT_DIGITS: usize = 67;

/// Whose vault of what, at which contract; for a wallet, the contract is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hold {
    /// The orderbook; zero for a wallet.
    pub orderbook: Address,
    /// Whose.
    pub owner: Address,
    /// What.
    pub token: Address,
    /// Which; zero for a wallet.
    pub vault: B256,
}

impl Hold {
    /// An ordinary account.
    pub fn wallet(owner: Address, token: Address) -> Self {
        Self { orderbook: Address::ZERO, owner, token, vault: B256::ZERO }
    }
}

/// So much more, or less, in one place.
type Change = (Hold, I512);

/// What moved where.
#[derive(Debug, Default)]
pub(super) struct Vaults {
    /// What no log tells of, and from which block on it is so.
    silent: Vec<(u64, Change)>,
    /// What the logs of a block moved, once somebody asked.
    told: Mutex<HashMap<B256, Arc<[Change]>>>,
}

/// `coefficient` × 10^`exponent` in our units; what is finer is cut off.
fn scaled(coefficient: I512, exponent: i32) -> I512 {
    let shift = exponent.saturating_add(PLACES);
    let ten = |power: i32| I512::from_raw(U512::from(10).saturating_pow(U512::from(power.unsigned_abs())));
    if shift < 0 {
        coefficient.checked_div(ten(shift)).unwrap_or_default()
    } else {
        coefficient.saturating_mul(ten(shift))
    }
}

fn of_units(units: U256, decimals: u8) -> I512 {
    scaled(I512::from_raw(U512::from(units)), -i32::from(decimals))
}

fn of_float(word: B256) -> I512 {
    let (exponent, coefficient) = word.split_at(4);
    let exponent = exponent.first_chunk().map_or(0, |bytes| i32::from_be_bytes(*bytes));
    // Twenty-eight bytes, two's complement.
    let fill = if coefficient.first().is_some_and(|byte| *byte >= 0x80) { 0xff } else { 0 };
    let mut whole = [fill; 64];
    if let Some(low) = whole.last_chunk_mut::<28>() {
        low.copy_from_slice(coefficient);
    }
    scaled(I512::from_raw(U512::from_be_bytes(whole)), exponent)
}

/// As a Float, without zeros at its end; a digit that it has no room for is cut off.
fn to_float(amount: I512) -> B256 {
    let (sign, magnitude) = amount.into_sign_and_abs();
    let digits = magnitude.to_string();
    let kept: String = digits.chars().take(FLOAT_DIGITS).collect();
    let bare = kept.trim_end_matches('0');
    let dropped = i32::try_from(digits.len() - bare.len()).unwrap_or_default();
    let coefficient = I256::from_dec_str(if bare.is_empty() { "0" } else { bare }).unwrap_or_default();
    let coefficient = if sign.is_negative() { coefficient.saturating_neg() } else { coefficient };
    if coefficient.is_zero() { B256::ZERO } else { float(coefficient, dropped - PLACES) }
}

/// In base units, cut toward zero; nothing below zero has any.
fn to_units(amount: I512, decimals: u8) -> Option<U256> {
    let one = scaled(I512::ONE, -i32::from(decimals));
    U256::checked_from_limbs_slice(amount.checked_div(one)?.try_into_raw()?.as_limbs())
}

/// The bits of what is not below zero.
trait IntoRaw {
    fn try_into_raw(self) -> Option<U512>;
}

impl IntoRaw for I512 {
    fn try_into_raw(self) -> Option<U512> {
        (!self.is_negative()).then(|| self.into_raw())
    }
}

impl Vaults {
    /// From `from_block` on, so many atoms (10^-18) more lie there, and no log says so.
    pub(super) fn move_silently(&mut self, hold: Hold, from_block: u64, atoms: i128) {
        let amount = I512::try_from(atoms).unwrap_or_default();
        self.silent.push((from_block, (hold, scaled(amount, -18))));
    }

    /// What lies there after block `number` of `view`.
    fn balance(&self, hold: Hold, view: &View<'_>, number: u64) -> I512 {
        let silent = self.silent.iter().filter(|(from, (there, _))| *from <= number && *there == hold);
        let mut balance = silent.fold(I512::ZERO, |sum, (_, (_, change))| sum.saturating_add(*change));
        if hold.orderbook.is_zero() {
            return balance;
        }
        for block in view.with_logs(view.first(), number) {
            for (_, change) in self.told_by(&block, view).iter().filter(|(there, _)| *there == hold) {
                balance = balance.saturating_add(*change);
            }
        }
        balance
    }

    /// What the logs of a block moved.
    fn told_by(&self, block: &Block, view: &View<'_>) -> Arc<[Change]> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = told.entry(block.hash).or_insert_with(|| {
            let decimals = |token: Address| view.state().decimals(token);
            block.transactions().flat_map(|tx| changes(tx.logs(), &decimals)).collect()
        });
        Arc::clone(changes)
    }

    /// What an orderbook answers.
    pub(super) fn call(
        &self,
        orderbook: Address,
        generation: Generation,
        input: &[u8],
        view: &View<'_>,
        number: u64,
    ) -> Result<Bytes, Reverted> {
        let (selector, _) = input.split_first_chunk::<4>().ok_or(Reverted)?;
        match (*selector, generation) {
            (views::vaultBalanceCall::SELECTOR, Generation::V4) => {
                let call = views::vaultBalanceCall::abi_decode(input).map_err(|_| Reverted)?;
                let hold =
                    Hold { orderbook, owner: call.owner, token: call.token, vault: call.vaultId.into() };
                let units = to_units(self.balance(hold, view, number), view.state().decimals(call.token));
                Ok(units.ok_or(Reverted)?.abi_encode().into())
            }
            (views::vaultBalance2Call::SELECTOR, Generation::V5 | Generation::V6) => {
                let call = views::vaultBalance2Call::abi_decode(input).map_err(|_| Reverted)?;
                let hold = Hold { orderbook, owner: call.owner, token: call.token, vault: call.vaultId };
                Ok(to_float(self.balance(hold, view, number)).abi_encode().into())
            }
            _ => Err(Reverted),
        }
    }

    /// What a token says that somebody has; none where something else is asked of it.
    pub(super) fn wallet(&self, token: Address, input: &[u8], view: &View<'_>, number: u64) -> Option<Bytes> {
        let call = views::balanceOfCall::abi_decode(input).ok()?;
        let balance = self.balance(Hold::wallet(call.account, token), view, number);
        Some(to_units(balance, view.state().decimals(token))?.abi_encode().into())
    }
}

/// What an order received or gave.
fn moved(orderbook: Address, owner: Address, token: Address, vault: B256, amount: I512) -> Change {
    (Hold { orderbook, owner, token, vault }, amount)
}

/// What the logs of one transaction moved; a clear waits for its amounts.
fn changes(logs: impl Iterator<Item = Log>, decimals: &dyn Fn(Address) -> u8) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut open = HashMap::new();
    for log in logs {
        let Some(topic) = log.data.topics().first() else { continue };
        match *topic {
            v4::ClearV2::SIGNATURE_HASH | v5::ClearV3::SIGNATURE_HASH => {
                open.insert(log.address, log);
            }
            v4::AfterClear::SIGNATURE_HASH | v5::AfterClearV2::SIGNATURE_HASH => {
                let clear = open.remove(&log.address);
                changes.extend(clear.and_then(|clear| cleared(&clear, &log, decimals)).unwrap_or_default());
            }
            _ => changes.extend(taken(&log, decimals).unwrap_or_default()),
        }
    }
    changes
}

/// An entry of an order's list.
fn entry<T>(list: &[T], index: U256) -> Option<&T> {
    list.get(usize::try_from(index).ok()?)
}

/// What a log that stands alone moved.
fn taken(log: &Log, decimals: &dyn Fn(Address) -> u8) -> Option<Vec<Change>> {
    let book = log.address;
    let of = |owner, token, vault, amount| moved(book, owner, token, vault, amount);
    Some(match *log.data.topics().first()? {
        v4::TakeOrderV2::SIGNATURE_HASH => {
            let take = v4::TakeOrderV2::decode_log(log).ok()?;
            let order = &take.config.order;
            let input = entry(&order.validInputs, take.config.inputIOIndex)?;
            let output = entry(&order.validOutputs, take.config.outputIOIndex)?;
            let (received, given) =
                (of_units(take.output, decimals(input.token)), of_units(take.input, decimals(output.token)));
            vec![
                of(order.owner, input.token, input.vaultId.into(), received),
                of(order.owner, output.token, output.vaultId.into(), -given),
            ]
        }
        v5::TakeOrderV3::SIGNATURE_HASH => {
            let take = v5::TakeOrderV3::decode_log(log).ok()?;
            let order = &take.config.order;
            let input = entry(&order.validInputs, take.config.inputIOIndex)?;
            let output = entry(&order.validOutputs, take.config.outputIOIndex)?;
            vec![
                of(order.owner, input.token, input.vaultId, of_float(take.output)),
                of(order.owner, output.token, output.vaultId, -of_float(take.input)),
            ]
        }
        v4::Deposit::SIGNATURE_HASH => {
            let moved = v4::Deposit::decode_log(log).ok()?;
            let amount = of_units(moved.amount, decimals(moved.token));
            vec![of(moved.sender, moved.token, moved.vaultId.into(), amount)]
        }
        v5::DepositV2::SIGNATURE_HASH => {
            let moved = v5::DepositV2::decode_log(log).ok()?;
            let amount = of_units(moved.depositAmountUint256, decimals(moved.token));
            vec![of(moved.sender, moved.token, moved.vaultId, amount)]
        }
        v4::Withdraw::SIGNATURE_HASH => {
            let moved = v4::Withdraw::decode_log(log).ok()?;
            let amount = of_units(moved.amount, decimals(moved.token));
            vec![of(moved.sender, moved.token, moved.vaultId.into(), -amount)]
        }
        v5::WithdrawV2::SIGNATURE_HASH => {
            let moved = v5::WithdrawV2::decode_log(log).ok()?;
            vec![of(moved.sender, moved.token, moved.vaultId, -of_float(moved.withdrawAmount))]
        }
        _ => return None,
    })
}

/// What a clear moved: both orders, and what was left over to who cleared them.
fn cleared(clear: &Log, after: &Log, decimals: &dyn Fn(Address) -> u8) -> Option<Vec<Change>> {
    let of = |owner, token, vault, amount| moved(clear.address, owner, token, vault, amount);
    if *clear.data.topics().first()? == v4::ClearV2::SIGNATURE_HASH {
        let clear = v4::ClearV2::decode_log(clear).ok()?;
        let change = v4::AfterClear::decode_log(after).ok()?.clearStateChange.clone();
        let (alice, bob, config) = (&clear.alice, &clear.bob, &clear.clearConfig);
        let (a_in, a_out) = (
            entry(&alice.validInputs, config.aliceInputIOIndex)?,
            entry(&alice.validOutputs, config.aliceOutputIOIndex)?,
        );
        let (b_in, b_out) = (
            entry(&bob.validInputs, config.bobInputIOIndex)?,
            entry(&bob.validOutputs, config.bobOutputIOIndex)?,
        );
        let (given_a, given_b) = (
            of_units(change.aliceOutput, decimals(a_out.token)),
            of_units(change.bobOutput, decimals(b_out.token)),
        );
        let (got_a, got_b) = (
            of_units(change.aliceInput, decimals(a_in.token)),
            of_units(change.bobInput, decimals(b_in.token)),
        );
        return Some(vec![
            of(alice.owner, a_in.token, a_in.vaultId.into(), got_a),
            of(alice.owner, a_out.token, a_out.vaultId.into(), -given_a),
            of(bob.owner, b_in.token, b_in.vaultId.into(), got_b),
            of(bob.owner, b_out.token, b_out.vaultId.into(), -given_b),
            of(clear.sender, a_out.token, config.aliceBountyVaultId.into(), given_a - got_b),
            of(clear.sender, b_out.token, config.bobBountyVaultId.into(), given_b - got_a),
        ]);
    }
    let clear = v5::ClearV3::decode_log(clear).ok()?;
    let change = v5::AfterClearV2::decode_log(after).ok()?.clearStateChange.clone();
    let (alice, bob, config) = (&clear.alice, &clear.bob, &clear.clearConfig);
    let (a_in, a_out) = (
        entry(&alice.validInputs, config.aliceInputIOIndex)?,
        entry(&alice.validOutputs, config.aliceOutputIOIndex)?,
    );
    let (b_in, b_out) = (
        entry(&bob.validInputs, config.bobInputIOIndex)?,
        entry(&bob.validOutputs, config.bobOutputIOIndex)?,
    );
    let (given_a, given_b) = (of_float(change.aliceOutput), of_float(change.bobOutput));
    let (got_a, got_b) = (of_float(change.aliceInput), of_float(change.bobInput));
    Some(vec![
        of(alice.owner, a_in.token, a_in.vaultId, got_a),
        of(alice.owner, a_out.token, a_out.vaultId, -given_a),
        of(bob.owner, b_in.token, b_in.vaultId, got_b),
        of(bob.owner, b_out.token, b_out.vaultId, -given_b),
        of(clear.sender, a_out.token, config.aliceBountyVaultId, given_a - got_b),
        of(clear.sender, b_out.token, config.bobBountyVaultId, given_b - got_a),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_comes_back_as_it_was_however_it_was_written() {
        for (coefficient, exponent, plain) in
            [(1845_i64, -1, (1845, -1)), (1_845_000, -4, (1845, -1)), (-7, -66, (-7, -66)), (3, 2, (3, 2))]
        {
            let word = float(I256::try_from(coefficient).unwrap(), exponent);
            let bare = float(I256::try_from(plain.0).unwrap(), plain.1);
            assert_eq!(to_float(of_float(word)), bare, "{coefficient}e{exponent}");
        }
        assert_eq!(to_float(I512::ZERO), B256::ZERO);
    }

    #[test]
    fn base_units_are_cut_and_what_is_owed_has_none() {
        let amount = of_units(U256::from(1_234_567), 6) + scaled(I512::try_from(9).unwrap(), -7);
        assert_eq!(to_units(amount, 6), Some(U256::from(1_234_567)));
        assert_eq!(to_units(-amount, 6), None);
    }
}
