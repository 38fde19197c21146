//! A trade and what is known of its tokens → a fill, or why there is none.
//!
//! The one place where both legs are told apart, decimals applied, amounts cut
//! to the grid and a price made (`domain.md` R12–R14, R33). Pure: what must be
//! asked of a chain is named by [`needs`] and handed in as [`Tokens`].

use std::collections::{BTreeSet, HashMap};

use alloy::primitives::{Address, B256};

use super::raindex::{self, Raw, Reading, Trade};
use crate::{
    assets::{self, Directory},
    book::fill::{Fact, Fill, Reason, Side, Skip, VaultMove},
    units::{Amount, Exact, Shares, Usd},
};

/// What must be known of a chain before a reading can be booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A token's own decimals and symbol: they never change.
    Token(Address),
    /// Underlying shares per wrapper share, at a block.
    Ratio(Address, B256),
}

/// What one token says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its symbol: a check, never a reason to believe (`raindex.md` §7).
    pub symbol: String,
    /// Its decimals.
    pub decimals: u8,
}

/// What is known of tokens; `Err` is what the chain answered instead.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    /// Tokens, by address.
    pub tokens: HashMap<Address, Result<Token, String>>,
    /// Ratios of wrappers, by block.
    pub ratios: HashMap<(Address, B256), Result<Amount, String>>,
}

impl Tokens {
    /// Is this known, for good or ill?
    pub fn has(&self, need: Need) -> bool {
        match need {
            Need::Token(token) => self.tokens.contains_key(&token),
            Need::Ratio(token, block) => self.ratios.contains_key(&(token, block)),
        }
    }

    /// In whole tokens.
    fn whole(&self, token: Address, amount: Raw) -> Result<Exact, Skip> {
        let raw = match amount {
            Raw::Whole(exact) => return Ok(exact),
            Raw::Base(raw) => raw,
        };
        match self.tokens.get(&token) {
            Some(Ok(known)) => Ok(Exact::from_base_units(raw, known.decimals)),
            Some(Err(answer)) => {
                Err(skip(Reason::Token, format!("{token:#x} does not say its decimals: {answer}")))
            }
            None => Err(skip(Reason::Token, format!("{token:#x} was not asked for its decimals"))),
        }
    }
}

fn skip(reason: Reason, detail: String) -> Skip {
    Skip { role: None, reason, detail }
}

/// Adds to `wanted` what booking `reading`, a log of block `block`, asks of the chain.
pub fn needs(reading: &Reading, block: B256, chain: u64, directory: &Directory, wanted: &mut BTreeSet<Need>) {
    let legs: [Option<&raindex::Leg>; 2] = match reading {
        Reading::Trade(trade) => [Some(&trade.received), Some(&trade.given)],
        Reading::VaultMove { leg, .. } => [Some(leg), None],
        Reading::Skip(_) | Reading::Companion | Reading::Foreign => [None, None],
    };
    for leg in legs.into_iter().flatten() {
        let traded = matches!(reading, Reading::Trade(_));
        // A vault may hold any token: the books want to know its name.
        if !traded || matches!(leg.amount, Raw::Base(_)) || directory.wants(chain, leg.token) {
            wanted.insert(Need::Token(leg.token));
        }
        if traded && matches!(directory.leg(chain, leg.token), assets::Leg::Equity { wrapped: true, .. }) {
            wanted.insert(Need::Ratio(leg.token, block));
        }
    }
}

/// What a reading comes to; `None` for logs that say nothing of their own.
pub fn book(
    reading: Reading,
    block: B256,
    chain: u64,
    directory: &Directory,
    tokens: &Tokens,
) -> Option<Fact> {
    match reading {
        Reading::Trade(trade) => Some(match fill(&trade, block, chain, directory, tokens) {
            Ok(fill) => Fact::Fill(Box::new(fill)),
            Err(skip) => Fact::Skip(Skip { role: Some(trade.role), ..skip }),
        }),
        Reading::VaultMove { owner, leg, withdrawal } => {
            let moved = vault_move(owner, &leg, withdrawal, tokens);
            Some(moved.map_or_else(Fact::Skip, Fact::VaultMove))
        }
        Reading::Skip(skip) => Some(Fact::Skip(skip)),
        Reading::Companion | Reading::Foreign => None,
    }
}

/// What a trade moves in the vaults of its owner, be it a fill or not: into one, and out of one.
///
/// None where an amount is not known, or none that books can hold.
pub fn moves(trade: &Trade, tokens: &Tokens) -> Option<[VaultMove; 2]> {
    let came = vault_move(trade.owner, &trade.received, false, tokens).ok()?;
    let went = vault_move(trade.owner, &trade.given, true, tokens).ok()?;
    Some([came, went])
}

fn vault_move(
    owner: Address,
    leg: &raindex::Leg,
    withdrawal: bool,
    tokens: &Tokens,
) -> Result<VaultMove, Skip> {
    let exact = tokens.whole(leg.token, leg.amount)?;
    let exact = if withdrawal { exact.negated() } else { exact };
    let absurd = exact.is_negative() != (withdrawal && !exact.is_zero()) || !exact.is_bookable();
    let amount = exact.cut(18).filter(|_| !absurd);
    let amount = amount.ok_or_else(|| skip(Reason::Range, format!("it moves {exact}")))?;
    Ok(VaultMove { owner, token: leg.token, vault_id: leg.vault, amount, amount_exact: exact, withdrawal })
}

/// Which leg is which, with its amounts: the side and both amounts come from one look (`lessons.md` 1).
fn fill(
    trade: &Trade,
    block: B256,
    chain: u64,
    directory: &Directory,
    tokens: &Tokens,
) -> Result<Fill, Skip> {
    use assets::Leg::{Equity, Usdc};
    let (received, given) = (&trade.received, &trade.given);
    let (side, equity, usdc, symbol, wrapped) =
        match (directory.leg(chain, received.token), directory.leg(chain, given.token)) {
            (Usdc, Equity { symbol, wrapped }) => (Side::Sell, given, received, symbol, wrapped),
            (Equity { symbol, wrapped }, Usdc) => (Side::Buy, received, given, symbol, wrapped),
            _ => {
                let detail = format!("received {:#x} for {:#x}", received.token, given.token);
                return Err(skip(Reason::Pair, detail));
            }
        };
    let token_quantity_exact = tokens.whole(equity.token, equity.amount)?;
    let usdc_exact = tokens.whole(usdc.token, usdc.amount)?;
    let amounts = || format!("{token_quantity_exact} {symbol} for {usdc_exact} USDC");
    let range = || skip(Reason::Range, amounts());
    if token_quantity_exact.is_negative() || usdc_exact.is_negative() {
        return Err(range());
    }
    if token_quantity_exact.is_zero() || usdc_exact.is_zero() {
        return Err(skip(Reason::Zero, amounts()));
    }
    if !token_quantity_exact.is_bookable() || !usdc_exact.is_bookable() {
        return Err(range());
    }
    let token_quantity = token_quantity_exact.cut(18).ok_or_else(range)?;
    let usdc_cut = usdc_exact.cut(6).ok_or_else(range)?;
    if token_quantity.is_zero() {
        return Err(skip(Reason::Zero, amounts()));
    }
    let wrapper_ratio = if wrapped {
        match tokens.ratios.get(&(equity.token, block)) {
            Some(Ok(ratio)) => *ratio,
            Some(Err(answer)) => {
                let detail =
                    format!("{:#x} does not say its ratio at block {block:#x}: {answer}", equity.token);
                return Err(skip(Reason::Ratio, detail));
            }
            None => {
                return Err(skip(Reason::Ratio, format!("{:#x} was not asked for its ratio", equity.token)));
            }
        }
    } else {
        Amount::ONE
    };
    Ok(Fill {
        role: trade.role,
        owner: trade.owner,
        side,
        symbol: symbol.to_owned(),
        token: equity.token,
        token_quantity,
        token_quantity_exact,
        usdc: Usd(usdc_cut),
        usdc_exact,
        wrapper_ratio,
        quantity: Shares(token_quantity.times_toward_zero(wrapper_ratio).ok_or_else(range)?),
        price: usdc_exact.per(&token_quantity_exact).ok_or_else(range)?,
        vault_in: Some(received.vault),
        vault_out: Some(given.vault),
    })
}
