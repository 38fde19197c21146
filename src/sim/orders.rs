//! Orders, and the logs that trading them leaves, in each generation's words.
//!
//! A trade is said once, in tokens and amounts, and written as the contract of
//! the [`Generation`] writes it: base units in v4, Floats in v5 and v6.

use super::abi::{float, log, transfer, v4, v5};
use super::fill::Decimal;
use alloy::primitives::{Address, B256, Bytes, I256, Log, U256, keccak256};
use alloy::sol_types::SolValue;

/// Which contract's events an orderbook emits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Generation {
    /// `TakeOrderV2`, `ClearV2`, `AfterClear`; amounts in base units.
    V4,
    /// `TakeOrderV3`, `ClearV3`, `AfterClearV2`; amounts are Floats.
    V5,
    /// The same events as v5.
    V6,
}

impl Generation {
    /// `v4`, `v5` or `v6`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V4 => "v4",
            Self::V5 => "v5",
            Self::V6 => "v6",
        }
    }

    /// Reads `v4`, `v5` or `v6`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "v4" => Some(Self::V4),
            "v5" => Some(Self::V5),
            "v6" => Some(Self::V6),
            _ => None,
        }
    }
}

/// A token in an order's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Io {
    pub(super) token: Address,
    pub(super) decimals: u8,
    pub(super) vault: B256,
}

/// An order, in no generation's words.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) owner: Address,
    pub(super) interpreter: Address,
    pub(super) store: Address,
    pub(super) bytecode: Bytes,
    pub(super) inputs: Vec<Io>,
    pub(super) outputs: Vec<Io>,
    pub(super) nonce: B256,
    /// The equity that it trades against the quote token.
    pub(super) equity: Address,
}

/// What one order received and gave in a trade.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leg<'a> {
    pub(super) order: &'a Order,
    /// Place of the received token in the order's inputs.
    pub(super) input: usize,
    /// Place of the given token in the order's outputs.
    pub(super) output: usize,
    pub(super) received: Decimal,
    pub(super) given: Decimal,
}

/// Writes the logs of one orderbook.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scribe {
    pub(super) generation: Generation,
    pub(super) orderbook: Address,
}

impl Scribe {
    /// The log of `taker` taking `leg`. The event's amounts are the taker's.
    pub(super) fn take(self, taker: Address, leg: Leg<'_>) -> Log {
        match self.generation {
            Generation::V4 => log(
                self.orderbook,
                &v4::TakeOrderV2 {
                    sender: taker,
                    config: v4::TakeOrderConfigV3 {
                        order: leg.order.v4(),
                        inputIOIndex: U256::from(leg.input),
                        outputIOIndex: U256::from(leg.output),
                        signedContext: Vec::new(),
                    },
                    input: leg.given_units(),
                    output: leg.received_units(),
                },
            ),
            Generation::V5 | Generation::V6 => log(
                self.orderbook,
                &v5::TakeOrderV3 {
                    sender: taker,
                    config: v5::TakeOrderConfigV4 {
                        order: leg.order.v5(),
                        inputIOIndex: U256::from(leg.input),
                        outputIOIndex: U256::from(leg.output),
                        signedContext: Vec::new(),
                    },
                    input: leg.given.float(),
                    output: leg.received.float(),
                },
            ),
        }
    }

    /// The log of `clearer` setting two orders against each other.
    pub(super) fn clear(self, clearer: Address, alice: Leg<'_>, bob: Leg<'_>) -> Log {
        match self.generation {
            Generation::V4 => log(
                self.orderbook,
                &v4::ClearV2 {
                    sender: clearer,
                    alice: alice.order.v4(),
                    bob: bob.order.v4(),
                    clearConfig: v4::ClearConfig {
                        aliceInputIOIndex: U256::from(alice.input),
                        aliceOutputIOIndex: U256::from(alice.output),
                        bobInputIOIndex: U256::from(bob.input),
                        bobOutputIOIndex: U256::from(bob.output),
                        aliceBountyVaultId: U256::ONE,
                        bobBountyVaultId: U256::ONE,
                    },
                },
            ),
            Generation::V5 | Generation::V6 => log(
                self.orderbook,
                &v5::ClearV3 {
                    sender: clearer,
                    alice: alice.order.v5(),
                    bob: bob.order.v5(),
                    clearConfig: v5::ClearConfigV2 {
                        aliceInputIOIndex: U256::from(alice.input),
                        aliceOutputIOIndex: U256::from(alice.output),
                        bobInputIOIndex: U256::from(bob.input),
                        bobOutputIOIndex: U256::from(bob.output),
                        aliceBountyVaultId: B256::with_last_byte(1),
                        bobBountyVaultId: B256::with_last_byte(1),
                    },
                },
            ),
        }
    }

    /// The log with the amounts, which ends a clear.
    pub(super) fn after_clear(self, clearer: Address, alice: Leg<'_>, bob: Leg<'_>) -> Log {
        match self.generation {
            Generation::V4 => log(
                self.orderbook,
                &v4::AfterClear {
                    sender: clearer,
                    clearStateChange: v4::ClearStateChange {
                        aliceOutput: alice.given_units(),
                        bobOutput: bob.given_units(),
                        aliceInput: alice.received_units(),
                        bobInput: bob.received_units(),
                    },
                },
            ),
            Generation::V5 | Generation::V6 => log(
                self.orderbook,
                &v5::AfterClearV2 {
                    sender: clearer,
                    clearStateChange: v5::ClearStateChangeV2 {
                        aliceOutput: alice.given.float(),
                        bobOutput: bob.given.float(),
                        aliceInput: alice.received.float(),
                        bobInput: bob.received.float(),
                    },
                },
            ),
        }
    }

    /// The log that says what `leg` was evaluated with. Amounts are in its own
    /// view; its balances and ratios say zero.
    pub(super) fn context(self, sender: Address, leg: Leg<'_>) -> Log {
        let word = |address: Address| address.into_word();
        let side = |io: Option<Io>, amount: B256| {
            let io = io.unwrap_or(Io::NONE);
            let decimals = B256::with_last_byte(io.decimals);
            vec![word(io.token), decimals, io.vault, B256::ZERO, amount]
        };
        let (input, output) = (leg.input_io(), leg.output_io());
        let (received, given) = match self.generation {
            Generation::V4 => (leg.received_units().into(), leg.given_units().into()),
            Generation::V5 | Generation::V6 => (leg.received.float(), leg.given.float()),
        };
        let columns = vec![
            vec![word(sender), word(self.orderbook)],
            vec![leg.order.hash(), word(leg.order.owner), word(sender)],
            vec![B256::ZERO, B256::ZERO],
            side(input, received),
            side(output, given),
        ];
        match self.generation {
            Generation::V4 => log(
                self.orderbook,
                &v4::Context {
                    sender,
                    context: columns
                        .into_iter()
                        .map(|column| column.into_iter().map(Into::into).collect())
                        .collect(),
                },
            ),
            Generation::V5 | Generation::V6 => {
                log(self.orderbook, &v5::ContextV2 { sender, context: columns })
            }
        }
    }

    /// The transfers that settle `taker` taking `leg`.
    pub(super) fn settlement(self, taker: Address, leg: Leg<'_>) -> impl Iterator<Item = Log> {
        let out = leg.output_io().map(|io| transfer(io.token, self.orderbook, taker, leg.given_units()));
        let paid = leg.input_io().map(|io| transfer(io.token, taker, self.orderbook, leg.received_units()));
        out.into_iter().chain(paid)
    }

    /// The log of an order being added.
    pub(super) fn add_order(self, order: &Order) -> Log {
        let (sender, hash) = (order.owner, order.hash());
        match self.generation {
            Generation::V4 => {
                log(self.orderbook, &v4::AddOrderV2 { sender, orderHash: hash, order: order.v4() })
            }
            Generation::V5 | Generation::V6 => {
                log(self.orderbook, &v5::AddOrderV3 { sender, orderHash: hash, order: order.v5() })
            }
        }
    }

    /// The log of `owner` putting `amount` into a vault.
    pub(super) fn deposit(self, owner: Address, io: Io, amount: Decimal) -> Log {
        let units = amount.at(io.decimals);
        match self.generation {
            Generation::V4 => log(
                self.orderbook,
                &v4::Deposit { sender: owner, token: io.token, vaultId: io.vault.into(), amount: units },
            ),
            Generation::V5 | Generation::V6 => log(
                self.orderbook,
                &v5::DepositV2 {
                    sender: owner,
                    token: io.token,
                    vaultId: io.vault,
                    depositAmountUint256: units,
                },
            ),
        }
    }

    /// The log of `owner` taking `amount` out of a vault.
    pub(super) fn withdraw(self, owner: Address, io: Io, amount: Decimal) -> Log {
        let units = amount.at(io.decimals);
        match self.generation {
            Generation::V4 => log(
                self.orderbook,
                &v4::Withdraw {
                    sender: owner,
                    token: io.token,
                    vaultId: io.vault.into(),
                    targetAmount: units,
                    amount: units,
                },
            ),
            Generation::V5 | Generation::V6 => log(
                self.orderbook,
                &v5::WithdrawV2 {
                    sender: owner,
                    token: io.token,
                    vaultId: io.vault,
                    targetAmount: amount.float(),
                    withdrawAmount: amount.float(),
                    withdrawAmountUint256: units,
                },
            ),
        }
    }
}

impl Decimal {
    fn float(self) -> B256 {
        float(I256::try_from(self.coefficient).unwrap_or(I256::MAX), self.exponent)
    }
}

impl Leg<'_> {
    fn input_io(&self) -> Option<Io> {
        self.order.inputs.get(self.input).copied()
    }

    fn output_io(&self) -> Option<Io> {
        self.order.outputs.get(self.output).copied()
    }

    fn received_units(&self) -> U256 {
        self.received.at(self.input_io().map_or(0, |io| io.decimals))
    }

    fn given_units(&self) -> U256 {
        self.given.at(self.output_io().map_or(0, |io| io.decimals))
    }
}

impl Io {
    const NONE: Self = Self { token: Address::ZERO, decimals: 0, vault: B256::ZERO };

    fn v4(self) -> v4::IO {
        v4::IO { token: self.token, decimals: self.decimals, vaultId: self.vault.into() }
    }

    fn v5(self) -> v5::IOV2 {
        v5::IOV2 { token: self.token, vaultId: self.vault }
    }
}

impl Order {
    fn v4(&self) -> v4::OrderV3 {
        v4::OrderV3 {
            owner: self.owner,
            evaluable: v4::EvaluableV3 {
                interpreter: self.interpreter,
                store: self.store,
                bytecode: self.bytecode.clone(),
            },
            validInputs: self.inputs.iter().map(|io| io.v4()).collect(),
            validOutputs: self.outputs.iter().map(|io| io.v4()).collect(),
            nonce: self.nonce,
        }
    }

    fn v5(&self) -> v5::OrderV4 {
        v5::OrderV4 {
            owner: self.owner,
            evaluable: v5::EvaluableV4 {
                interpreter: self.interpreter,
                store: self.store,
                bytecode: self.bytecode.clone(),
            },
            validInputs: self.inputs.iter().map(|io| io.v5()).collect(),
            validOutputs: self.outputs.iter().map(|io| io.v5()).collect(),
            nonce: self.nonce,
        }
    }

    fn hash(&self) -> B256 {
        keccak256((self.owner, self.nonce).abi_encode())
    }
}
