//! The earlier system's books, row by row: what of them fits into ours.
//!
//! Its tables lie in `SQLite`, where any column may hold any kind of value, and its amounts are
//! binary fractions: each is taken as the shortest decimal that reads back as the same one.
//! A row that does not fit is named with its column and the reason; nothing is mended.
//! Reading the file is not here.

use std::fmt;

use alloy::primitives::B256;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::fill::Side;
use crate::{
    assets::{self, Tokenized, Wrapping},
    units::{Amount, Price, Shares, Usd},
};

/// Sums of binary fractions and sums of decimals are the same up to here.
const HAIR: i128 = 1_000_000_000_000;
/// One cent on the grid.
const CENT: i128 = 10_000_000_000_000_000;

/// A value as `SQLite` holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A whole number.
    Whole(i64),
    /// A binary fraction, as the shortest decimal that reads back as the same one.
    Real(String),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Whole(number) => number.fmt(f),
            Self::Real(text) | Self::Text(text) => text.fmt(f),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
        }
    }
}

/// A row of a table, with the names of its columns.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The table.
    pub table: &'a str,
    /// `SQLite`'s rowid.
    pub number: i64,
    /// The columns' names.
    pub columns: &'a [String],
    /// Its values, in their order.
    pub cells: &'a [Cell],
}

/// What did not fit, and why.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Misfit {
    /// The table.
    pub table: String,
    /// `SQLite`'s rowid.
    pub row: i64,
    /// The column.
    pub column: String,
    /// What stands there.
    pub value: String,
    /// Why it does not fit.
    pub why: String,
}

impl<'a> Row<'a> {
    /// What it holds in a column; a column that is not there holds nothing.
    fn cell(&self, column: &str) -> &'a Cell {
        let place = self.columns.iter().position(|name| name == column);
        place.and_then(|place| self.cells.get(place)).unwrap_or(&Cell::Null)
    }

    /// That it does not fit.
    pub fn misfit(&self, column: &str, why: impl Into<String>) -> Misfit {
        Misfit {
            table: self.table.to_owned(),
            row: self.number,
            column: column.to_owned(),
            value: self.cell(column).to_string().chars().take(100).collect(),
            why: why.into(),
        }
    }

    /// A column read by `read`; what that says of it is the reason why not.
    fn read<T>(&self, column: &str, read: impl FnOnce(&Cell) -> Result<T, String>) -> Result<T, Misfit> {
        read(self.cell(column)).map_err(|why| self.misfit(column, why))
    }

    /// The same, or none where nothing is there.
    fn maybe<T>(
        &self,
        column: &str,
        read: impl FnOnce(&Cell) -> Result<T, String>,
    ) -> Result<Option<T>, Misfit> {
        match self.cell(column) {
            Cell::Null => Ok(None),
            cell @ (Cell::Whole(_) | Cell::Real(_) | Cell::Text(_) | Cell::Bytes(_)) => {
                read(cell).map(Some).map_err(|why| self.misfit(column, why))
            }
        }
    }

    fn id(&self) -> Result<i64, Misfit> {
        self.maybe("id", whole).map(|id| id.unwrap_or(self.number))
    }
}

fn text(cell: &Cell) -> Result<&str, String> {
    match cell {
        Cell::Text(text) if !text.is_empty() => Ok(text),
        Cell::Text(_) | Cell::Null | Cell::Whole(_) | Cell::Real(_) | Cell::Bytes(_) => {
            Err("this is no text".to_owned())
        }
    }
}

fn owned(cell: &Cell) -> Result<String, String> {
    text(cell).map(str::to_owned)
}

fn whole(cell: &Cell) -> Result<i64, String> {
    match cell {
        Cell::Whole(number) => Ok(*number),
        Cell::Null | Cell::Text(_) | Cell::Real(_) | Cell::Bytes(_) => {
            Err("this is no whole number".to_owned())
        }
    }
}

fn amount(cell: &Cell) -> Result<Amount, String> {
    let text = match cell {
        Cell::Whole(number) => number.to_string(),
        Cell::Real(text) | Cell::Text(text) => text.clone(),
        Cell::Null | Cell::Bytes(_) => return Err("this is no number".to_owned()),
    };
    text.parse().map_err(|_| "this is no decimal number with at most 18 decimals".to_owned())
}

fn above_zero(cell: &Cell) -> Result<Amount, String> {
    let amount = amount(cell)?;
    if amount.is_negative() || amount.is_zero() {
        Err("this is not above zero".to_owned())
    } else {
        Ok(amount)
    }
}

fn shares(cell: &Cell) -> Result<Shares, String> {
    above_zero(cell).map(Shares)
}

fn price(cell: &Cell) -> Result<Price, String> {
    above_zero(cell).and_then(|dollars| Price::of(dollars).ok_or_else(|| "this is no price".to_owned()))
}

fn cents(cell: &Cell) -> Result<Price, String> {
    let dollars = i128::from(whole(cell)?).checked_mul(CENT).and_then(Amount::from_atoms);
    dollars.and_then(Price::of).ok_or_else(|| "this is no price in cents".to_owned())
}

fn side(cell: &Cell) -> Result<Side, String> {
    Side::named(text(cell)?).ok_or_else(|| "this is neither BUY nor SELL".to_owned())
}

/// A time of day there is UTC, with or without saying so.
fn time(cell: &Cell) -> Result<Timestamp, String> {
    let text = text(cell)?;
    let stated = text.parse::<Timestamp>().ok();
    let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    stated.or_else(civil).ok_or_else(|| "this is no time".to_owned())
}

fn hash(cell: &Cell) -> Result<B256, String> {
    let digits = text(cell)?.strip_prefix("0x").filter(|digits| digits.len() == 64);
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| "this is no transaction's hash".to_owned())
}

/// The ticker of a token that is worth one share.
fn ticker(token: &str) -> Result<String, String> {
    let Tokenized { ticker, wrapping } = assets::tokenized(token).map_err(|error| error.to_string())?;
    if wrapping == Wrapping::Wt {
        return Err("a wrapped token: what it was worth in shares at its block is not in the file".to_owned());
    }
    Ok(assets::book_symbol(ticker).to_owned())
}

/// The ticker of a share, tokenized or not.
fn base(cell: &Cell) -> Result<String, String> {
    let text = text(cell)?;
    if let Ok(Tokenized { ticker, .. }) = assets::tokenized(text) {
        return Ok(assets::book_symbol(ticker).to_owned());
    }
    let plain = |character: char| {
        character.is_ascii_uppercase() || character.is_ascii_digit() || ".-/".contains(character)
    };
    if text.starts_with(|first: char| first.is_ascii_uppercase()) && text.chars().all(plain) && text != "USDC"
    {
        Ok(assets::book_symbol(text).to_owned())
    } else {
        Err("this is no ticker".to_owned())
    }
}

/// An onchain trade of the earlier system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Its id there.
    pub id: i64,
    /// Its transaction.
    pub tx: B256,
    /// Its log's place in the block.
    pub log_index: i32,
    /// The token's symbol.
    pub token: String,
    /// The share's ticker in our books.
    pub symbol: String,
    /// What the owner did on chain.
    pub side: Side,
    /// Shares, without a sign.
    pub quantity: Shares,
    /// Dollars per share.
    pub price: Price,
    /// The block's time, where it was kept.
    pub executed_at: Option<Timestamp>,
}

impl Trade {
    /// Reads a row of `onchain_trades`.
    ///
    /// # Errors
    /// The first thing of it that does not fit.
    pub fn read(row: &Row<'_>) -> Result<Self, Misfit> {
        let token = row.read("symbol", owned)?;
        Ok(Self {
            id: row.id()?,
            tx: row.read("tx_hash", hash)?,
            log_index: row.read("log_index", |cell| {
                i32::try_from(whole(cell)?)
                    .ok()
                    .filter(|index| *index >= 0)
                    .ok_or_else(|| "this is no place in a block".to_owned())
            })?,
            symbol: row.read("symbol", |cell| ticker(text(cell)?))?,
            token,
            side: row.read("direction", side)?,
            quantity: row.read("amount", shares)?,
            price: row.read("price_usdc", price)?,
            executed_at: row.maybe("block_timestamp", time)?,
        })
    }
}

/// An order of the earlier system at a broker, which has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hedge {
    /// Its id there.
    pub id: i64,
    /// The ticker.
    pub symbol: String,
    /// What was done at the broker.
    pub side: Side,
    /// Shares, without a sign.
    pub quantity: Shares,
    /// Dollars per share; none where nothing was filled.
    pub price: Option<Price>,
    /// Whether it was filled; else it failed.
    pub filled: bool,
    /// Which broker.
    pub broker: Option<String>,
    /// The broker's id.
    pub order: Option<String>,
    /// When it ended.
    pub executed_at: Option<Timestamp>,
}

impl Hedge {
    /// Reads a row of `schwab_executions` or `offchain_trades`.
    ///
    /// # Errors
    /// The first thing of it that does not fit; or that it has not ended.
    pub fn read(row: &Row<'_>) -> Result<Self, Misfit> {
        let filled = row.read("status", |cell| match text(cell)? {
            "FILLED" => Ok(true),
            "FAILED" => Ok(false),
            "PENDING" | "SUBMITTED" => {
                Err("it had not ended: whether it was filled is not in the file; ask the broker".to_owned())
            }
            _ => Err("this is neither PENDING, SUBMITTED, FILLED nor FAILED".to_owned()),
        })?;
        let hedge = Self {
            id: row.id()?,
            symbol: row.read("symbol", base)?,
            side: row.read("direction", side)?,
            quantity: row.read("shares", shares)?,
            price: row.maybe("price_cents", cents)?,
            filled,
            broker: row.maybe("broker", owned)?,
            order: row.maybe("order_id", owned)?,
            executed_at: row.maybe("executed_at", time)?,
        };
        match hedge.price {
            None if filled => Err(row.misfit("price_cents", "it was filled, at no price")),
            Some(_) | None => Ok(hedge),
        }
    }
}

/// How much of a trade an execution hedged there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The trade's id there.
    pub trade: i64,
    /// The execution's id there.
    pub execution: i64,
    /// Shares, without a sign.
    pub quantity: Shares,
}

impl Link {
    /// Reads a row of `trade_execution_links`.
    ///
    /// # Errors
    /// The first thing of it that does not fit.
    pub fn read(row: &Row<'_>) -> Result<Self, Misfit> {
        Ok(Self {
            trade: row.read("trade_id", whole)?,
            execution: row.read("execution_id", whole)?,
            quantity: row.read("contributed_shares", shares)?,
        })
    }
}

/// A line of the earlier system's own P&L.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profit {
    /// `ONCHAIN` or `OFFCHAIN`.
    pub kind: String,
    /// The trade's id there, among those of its kind.
    pub trade: i64,
    /// The ticker.
    pub symbol: String,
    /// What was done.
    pub side: Side,
    /// Shares, without a sign.
    pub quantity: Shares,
    /// Dollars per share.
    pub price: Price,
    /// Dollars; none where nothing was closed.
    pub realized: Option<Usd>,
    /// Dollars realized so far.
    pub cumulative: Usd,
    /// Shares afterwards: long is positive.
    pub net_after: Shares,
    /// When.
    pub executed_at: Timestamp,
}

impl Profit {
    /// Reads a row of `metrics_pnl`.
    ///
    /// # Errors
    /// The first thing of it that does not fit.
    pub fn read(row: &Row<'_>) -> Result<Self, Misfit> {
        Ok(Self {
            kind: row.read("trade_type", |cell| match text(cell)? {
                kind @ ("ONCHAIN" | "OFFCHAIN") => Ok(kind.to_owned()),
                _ => Err("this is neither ONCHAIN nor OFFCHAIN".to_owned()),
            })?,
            trade: row.read("trade_id", whole)?,
            symbol: row.read("symbol", base)?,
            side: row.read("trade_direction", side)?,
            quantity: row.read("quantity", shares)?,
            price: row.read("price_per_share", price)?,
            realized: row.maybe("realized_pnl", amount)?.map(Usd),
            cumulative: row.read("cumulative_pnl", amount).map(Usd)?,
            net_after: row.read("net_position_after", amount).map(Shares)?,
            executed_at: row.read("timestamp", time)?,
        })
    }
}

/// What the earlier system said is open of a share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accumulator {
    /// The ticker.
    pub symbol: String,
    /// Shares: long is positive.
    pub net: Shares,
}

impl Accumulator {
    /// Reads a row of `trade_accumulators`.
    ///
    /// # Errors
    /// The first thing of it that does not fit.
    pub fn read(row: &Row<'_>) -> Result<Self, Misfit> {
        let (bought, sold) = (row.read("accumulated_long", amount)?, row.read("accumulated_short", amount)?);
        let net = bought.minus(sold).ok_or_else(|| row.misfit("accumulated_long", "this is too much"))?;
        Ok(Self { symbol: row.read("symbol", base)?, net: Shares(net) })
    }
}

/// Whether what is summed exactly is what was summed in binary fractions; a share that was never
/// spoken of has nothing open.
pub fn agree(net: Shares, said: Option<Shares>) -> bool {
    said.unwrap_or_default().minus(net).is_some_and(|apart| apart.0.abs().atoms() <= HAIR)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0xf05d240c99c7c3f8d4562130f655d2b571b1b82643b621987bed3d8aabab304d";

    fn columns(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn word(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    fn real(text: &str) -> Cell {
        Cell::Real(text.to_owned())
    }

    fn trade(symbol: &str, amount: Cell, at: Cell) -> Result<Trade, Misfit> {
        let names = columns(&[
            "id",
            "tx_hash",
            "log_index",
            "symbol",
            "amount",
            "direction",
            "price_usdc",
            "block_timestamp",
        ]);
        let cells = [
            Cell::Whole(7),
            word(HASH),
            Cell::Whole(3),
            word(symbol),
            amount,
            word("SELL"),
            real("80.0775385"),
            at,
        ];
        Trade::read(&Row { table: "onchain_trades", number: 70, columns: &names, cells: &cells })
    }

    #[test]
    fn a_trade_is_read_to_the_last_digit_under_its_ticker_of_now() {
        let read = trade("tSPLG", real("0.39212785077744026"), word("2025-09-01 12:00:00")).unwrap();
        assert_eq!((read.symbol.as_str(), read.token.as_str()), ("SPYM", "tSPLG"));
        assert_eq!(read.quantity.to_string(), "0.39212785077744026");
        assert_eq!(read.executed_at, Some("2025-09-01T12:00:00Z".parse().unwrap()));
        let stated = trade("GME0x", Cell::Whole(2), word("2025-09-01T14:00:00+02:00")).unwrap();
        assert_eq!((stated.symbol.as_str(), stated.executed_at), ("GME", read.executed_at));
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_column_and_why() {
        let told = |read: Result<Trade, Misfit>| {
            let Misfit { table, row, column, value, why } = read.unwrap_err();
            assert_eq!((table.as_str(), row), ("onchain_trades", 70));
            format!("{column} = {value}: {why}")
        };
        let one = || Cell::Whole(1);
        assert_eq!(told(trade("tAAPL", real("-0.5"), Cell::Null)), "amount = -0.5: this is not above zero");
        assert_eq!(
            told(trade("tAAPL", real("NaN"), Cell::Null)),
            "amount = NaN: this is no decimal number with at most 18 decimals"
        );
        assert_eq!(told(trade("tAAPL", one(), word("soon"))), "block_timestamp = soon: this is no time");
        assert!(told(trade("AAPL", one(), Cell::Null)).starts_with("symbol = AAPL: `AAPL` is not the token"));
        assert!(told(trade("wtAAPL", one(), Cell::Null)).starts_with("symbol = wtAAPL: a wrapped token"));
    }

    #[test]
    fn an_order_that_had_not_ended_is_not_taken_for_one_that_failed() {
        let names = columns(&["id", "symbol", "shares", "direction", "price_cents", "status"]);
        let read = |price: Cell, status: &str| {
            let cells = [Cell::Whole(1), word("AAPL"), Cell::Whole(2), word("BUY"), price, word(status)];
            Hedge::read(&Row { table: "offchain_trades", number: 1, columns: &names, cells: &cells })
        };
        assert_eq!(read(Cell::Whole(14_850), "FILLED").unwrap().price.unwrap().to_string(), "148.5");
        assert!(!read(Cell::Null, "FAILED").unwrap().filled);
        assert!(read(Cell::Null, "SUBMITTED").unwrap_err().why.contains("ask the broker"));
        assert_eq!(read(Cell::Null, "FILLED").unwrap_err().column, "price_cents");
    }

    #[test]
    fn sums_of_binary_fractions_agree_with_exact_ones_up_to_a_hair() {
        let shares = |text: &str| Shares(text.parse().unwrap());
        assert!(agree(shares("0.3"), Some(shares("0.30000000000000004"))));
        assert!(!agree(shares("0.3"), Some(shares("0.300002"))));
        assert!(agree(Shares::ZERO, None));
        assert!(!agree(shares("0.3"), None));
    }
}
