//! The directory: which token on which chain is which share, and what its symbol says of it.
//!
//! A token is USDC, one share in one wrapping, or nothing of ours; never two things.
//! Reading symbols off a chain is not here: [`Directory::learn`] is told.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use alloy::primitives::{Address, B256};
use jiff::civil::{Date, date};
use rust_decimal::Decimal;

/// The quote currency's symbol.
const USDC: &str = "USDC";

/// Shares that changed their ticker: the old one, the new one, and its first day.
/// The day is the one the earlier system changed over on.
const RENAMED: [(&str, &str, Date); 1] = [("SPLG", "SPYM", date(2025, 10, 31))];

/// How a share is wrapped into a token, as the token's symbol says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wrapping {
    /// `tAAPL`: minted one for one.
    T,
    /// `wtAAPL`: a share of an ERC-4626 vault; worth its ratio at the block of the fill.
    Wt,
    /// `AAPL0x`: one for one, of an earlier issue.
    ZeroX,
    /// `AAPLs1`: one for one, of an earlier issue.
    S1,
}

/// A token's symbol, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokenized<'a> {
    /// The ticker as the symbol spells it; [`ticker_on`] knows renames.
    pub ticker: &'a str,
    /// How it is wrapped.
    pub wrapping: Wrapping,
}

/// Why a symbol names no share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SymbolError {
    /// It is what shares are paid in.
    #[error("`USDC` is the quote currency, not a share")]
    Quote,
    /// Nothing marks it as the token of a share.
    #[error("`{0}` is not the token of a share: those are called tAAPL, wtAAPL, AAPL0x or AAPLs1")]
    NotTokenized(String),
    /// Only the mark, no ticker.
    #[error("`{0}` has no ticker")]
    NoTicker(String),
}

/// Takes a token's symbol apart. Case matters, and a prefix is seen before a
/// suffix: `tAAPL0x` is the `t` token of `AAPL0x`.
///
/// # Errors
///
/// The symbol names no share; asking again will not change it.
pub fn tokenized(symbol: &str) -> Result<Tokenized<'_>, SymbolError> {
    if symbol == USDC {
        return Err(SymbolError::Quote);
    }
    let marks = [
        (symbol.strip_prefix("wt"), Wrapping::Wt),
        (symbol.strip_prefix('t'), Wrapping::T),
        (symbol.strip_suffix("0x"), Wrapping::ZeroX),
        (symbol.strip_suffix("s1"), Wrapping::S1),
    ];
    let marked = marks.into_iter().find_map(|(rest, wrapping)| Some((rest?, wrapping)));
    match marked {
        Some(("", _)) => Err(SymbolError::NoTicker(symbol.to_owned())),
        None if symbol.is_empty() => Err(SymbolError::NoTicker(String::new())),
        // `tether` and `wtf` are other people's words: a ticker begins with a capital.
        Some((ticker, wrapping)) if ticker.starts_with(|first: char| first.is_ascii_uppercase()) => {
            Ok(Tokenized { ticker, wrapping })
        }
        Some(_) | None => Err(SymbolError::NotTokenized(symbol.to_owned())),
    }
}

/// What the market called a share on a day.
pub fn ticker_on(ticker: &str, day: Date) -> &str {
    RENAMED.iter().find(|(old, _, since)| *old == ticker && *since <= day).map_or(ticker, |(_, new, _)| new)
}

/// What the books call a share, whenever its fill was: its newest ticker, so
/// that a rename does not tear one position in two.
pub fn book_symbol(ticker: &str) -> &str {
    ticker_on(ticker, Date::MAX)
}

/// Net exposure from which a symbol is hedged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// Underlying shares; only whole ones are hedged (`domain.md` R17).
    Shares(Decimal),
    /// Underlying shares; parts of one are hedged as well (R18).
    Fraction(Decimal),
    /// Dollars at the last price; parts of a share are hedged as well (R19).
    Usd(Decimal),
}

/// One token of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// The chain's id.
    pub chain: u64,
    /// The token's contract.
    pub address: Address,
    /// Whether it is an ERC-4626 share (`wtAAPL`), worth its ratio at the block of the fill.
    pub wrapped: bool,
}

/// One share, and the tokens that stand for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// The ticker, as the books and the venues call it.
    pub symbol: String,
    /// Its tokens, on any chain.
    pub tokens: Vec<Token>,
    /// From which exposure on it is hedged. A discovered share has none and is never hedged.
    pub threshold: Option<Threshold>,
    /// The Pyth price feed of the share.
    pub pyth_feed: Option<B256>,
    /// The venue it is hedged at, where that is not the usual one.
    pub venue: Option<String>,
    /// Whether it is hedged outside the regular session, where that is not as usual.
    pub extended: Option<bool>,
}

/// What a token is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg<'a> {
    /// What shares are paid in.
    Usdc,
    /// A share.
    Equity {
        /// Its ticker in the books.
        symbol: &'a str,
        /// Whether the wrapper's ratio applies.
        wrapped: bool,
    },
    /// Nothing that we know.
    Unknown,
}

/// Which token on which chain is which share.
///
/// Either every share is listed by the operator, or none is and tokens are
/// learnt by their own symbols ([`Directory::discovering`]).
#[derive(Clone, Debug, Default)]
pub struct Directory {
    discovering: bool,
    usdc: BTreeMap<u64, Address>,
    assets: Vec<Asset>,
    /// Every token met: a share in its wrapping, or (while discovering) nothing of ours.
    tokens: HashMap<(u64, Address), Option<Known>>,
}

/// What [`Directory::leg`] answers from, without a walk through the assets.
#[derive(Clone, Debug)]
struct Known {
    symbol: String,
    wrapped: bool,
}

impl Directory {
    /// A directory of exactly these shares. `config` has seen to it that no token stands for two.
    pub fn listed(usdc: BTreeMap<u64, Address>, assets: Vec<Asset>) -> Self {
        let tokens = assets
            .iter()
            .flat_map(|asset| asset.tokens.iter().map(move |token| (token, &asset.symbol)))
            .map(|(token, symbol)| {
                let known = Known { symbol: symbol.clone(), wrapped: token.wrapped };
                ((token.chain, token.address), Some(known))
            })
            .collect();
        Self { discovering: false, usdc, assets, tokens }
    }

    /// An empty directory that learns tokens as they are met.
    pub fn discovering(usdc: BTreeMap<u64, Address>) -> Self {
        Self { discovering: true, usdc, ..Self::default() }
    }

    /// Whether tokens are learnt by their symbols.
    pub const fn is_discovering(&self) -> bool {
        self.discovering
    }

    /// What shares are paid in on `chain`.
    pub fn usdc(&self, chain: u64) -> Option<Address> {
        self.usdc.get(&chain).copied()
    }

    /// Every share, as listed or in the order they were learnt.
    pub fn assets(&self) -> &[Asset] {
        &self.assets
    }

    /// What `token` is to us.
    pub fn leg(&self, chain: u64, token: Address) -> Leg<'_> {
        if self.usdc(chain) == Some(token) {
            return Leg::Usdc;
        }
        match self.tokens.get(&(chain, token)) {
            Some(Some(known)) => Leg::Equity { symbol: &known.symbol, wrapped: known.wrapped },
            Some(None) | None => Leg::Unknown,
        }
    }

    /// Whether `token` should be asked for its symbol, and [`Self::learn`] told.
    pub fn wants(&self, chain: u64, token: Address) -> bool {
        self.discovering && self.usdc(chain) != Some(token) && !self.tokens.contains_key(&(chain, token))
    }

    /// Learns a token by the symbol that it gives itself on chain. Told once,
    /// a token stays what it is; a directory that is not discovering learns nothing.
    ///
    /// # Errors
    ///
    /// The symbol names no share. The token is remembered as none of ours.
    pub fn learn(&mut self, chain: u64, token: Address, onchain_symbol: &str) -> Result<(), SymbolError> {
        if !self.wants(chain, token) {
            return Ok(());
        }
        let Entry::Vacant(place) = self.tokens.entry((chain, token)) else { return Ok(()) };
        let Tokenized { ticker, wrapping } = match tokenized(onchain_symbol) {
            Ok(tokenized) => tokenized,
            Err(error) => {
                place.insert(None);
                return Err(error);
            }
        };
        let (symbol, wrapped) = (book_symbol(ticker).to_owned(), wrapping == Wrapping::Wt);
        let learnt = Token { chain, address: token, wrapped };
        match self.assets.iter_mut().find(|asset| asset.symbol == symbol) {
            Some(asset) => asset.tokens.push(learnt),
            None => self.assets.push(Asset {
                symbol: symbol.clone(),
                tokens: vec![learnt],
                threshold: None,
                pyth_feed: None,
                venue: None,
                extended: None,
            }),
        }
        place.insert(Some(Known { symbol, wrapped }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: u64 = 8453;

    fn address(last: u8) -> Address {
        Address::with_last_byte(last)
    }

    fn discovering() -> Directory {
        Directory::discovering(BTreeMap::from([(CHAIN, address(1))]))
    }

    #[test]
    fn a_symbol_says_which_share_and_how_it_is_wrapped() {
        let read = |symbol| tokenized(symbol).map(|it| (it.ticker, it.wrapping)).unwrap();
        assert_eq!(read("tAAPL"), ("AAPL", Wrapping::T));
        assert_eq!(read("wtCOIN"), ("COIN", Wrapping::Wt));
        assert_eq!(read("GME0x"), ("GME", Wrapping::ZeroX));
        assert_eq!(read("NVDAs1"), ("NVDA", Wrapping::S1));
        assert_eq!(read("tAAPL0x"), ("AAPL0x", Wrapping::T), "a prefix is seen before a suffix");
        assert_eq!(read("tBRK.B"), ("BRK.B", Wrapping::T));
    }

    #[test]
    fn a_symbol_that_names_no_share_is_refused_with_its_reason() {
        assert_eq!(tokenized("USDC"), Err(SymbolError::Quote));
        for bare in ["t", "wt", "0x", "s1", ""] {
            assert_eq!(tokenized(bare), Err(SymbolError::NoTicker(bare.to_owned())));
        }
        for plain in ["AAPL", "TAAPL", "WTCOIN", "AAPL0X", "tether", "wtf"] {
            assert_eq!(tokenized(plain), Err(SymbolError::NotTokenized(plain.to_owned())));
        }
    }

    #[test]
    fn splg_is_spym_from_its_day_and_always_in_the_books() {
        assert_eq!(ticker_on("SPLG", date(2025, 10, 30)), "SPLG");
        assert_eq!(ticker_on("SPLG", date(2025, 10, 31)), "SPYM");
        assert_eq!(ticker_on("AAPL", date(2025, 10, 31)), "AAPL");
        assert_eq!(book_symbol("SPLG"), "SPYM");
    }

    #[test]
    fn a_listed_directory_knows_its_tokens_per_chain_and_learns_nothing() {
        let token = Token { chain: CHAIN, address: address(2), wrapped: true };
        let asset = Asset {
            symbol: "AAPL".to_owned(),
            tokens: vec![token],
            threshold: None,
            pyth_feed: None,
            venue: None,
            extended: None,
        };
        let mut directory = Directory::listed(BTreeMap::from([(CHAIN, address(1))]), vec![asset]);

        directory.learn(CHAIN, address(3), "tNVDA").unwrap();

        assert_eq!(directory.leg(CHAIN, address(1)), Leg::Usdc);
        assert_eq!(directory.leg(CHAIN, address(2)), Leg::Equity { symbol: "AAPL", wrapped: true });
        assert_eq!(directory.leg(1, address(2)), Leg::Unknown, "another chain, another token");
        assert_eq!(directory.leg(CHAIN, address(3)), Leg::Unknown);
        assert!(!directory.wants(CHAIN, address(3)));
    }

    #[test]
    fn a_discovering_directory_learns_each_token_once() {
        let mut directory = discovering();
        assert!(directory.wants(CHAIN, address(2)));
        assert!(!directory.wants(CHAIN, address(1)), "usdc is known");

        directory.learn(CHAIN, address(2), "tSPLG").unwrap();
        directory.learn(CHAIN, address(3), "wtSPYM").unwrap();
        directory.learn(CHAIN, address(3), "wtNVDA").unwrap();
        assert_eq!(directory.learn(CHAIN, address(4), "USDC"), Err(SymbolError::Quote));

        assert_eq!(directory.leg(CHAIN, address(2)), Leg::Equity { symbol: "SPYM", wrapped: false });
        assert_eq!(directory.leg(CHAIN, address(3)), Leg::Equity { symbol: "SPYM", wrapped: true });
        assert_eq!(directory.leg(CHAIN, address(4)), Leg::Unknown);
        assert!(!directory.wants(CHAIN, address(4)), "asked once");
        assert_eq!(directory.assets().len(), 1);
        assert_eq!(directory.assets()[0].tokens.len(), 2);
    }
}
