//! The least work that writes the same rows: fetch, decode, COPY, move a cursor.
//!
//! It knows one event of one contract, believes the node in everything, and
//! dies of whatever it did not expect. One task fetches and decodes the next
//! range while another writes the last: simply pipelined, as one would.

use alloy::{
    hex,
    primitives::{Address, U256, U512},
};
use anyhow::Context;
use hedge::sim::Cast;
use serde::Deserialize;
use sqlx::{Connection, Executor};
use tokio::sync::mpsc;

use super::{Ranges, books::connect, copy, fetch};

/// A range, ready to be written.
struct Page {
    logs: Vec<u8>,
    fills: Vec<u8>,
    last: u64,
    hash: [u8; 32],
}

/// Reads each range and writes it.
pub(super) async fn run(ranges: &Ranges, database: &str) -> anyhow::Result<()> {
    let (pages, mut written) = mpsc::channel::<Page>(1);
    let (each, url) = (ranges.each(), ranges.url.clone());
    let reading = tokio::spawn(async move {
        let (http, cast) = (reqwest::Client::new(), Cast::default());
        for (from, to) in each {
            let answer = fetch::answer(&http, &url, from, to).await?;
            if pages.send(page(&answer, to, &cast)?).await.is_err() {
                break;
            }
        }
        anyhow::Ok(())
    });
    let mut conn = connect(database).await?;
    conn.execute("insert into cursor (source_id, number, hash, block_time) select id, 0, sha256(''), now() from source").await?;
    while let Some(page) = written.recv().await {
        let mut tx = conn.begin().await?;
        copy::into(&mut tx, page.logs, page.fills).await?;
        sqlx::query("update cursor set number = $1, hash = $2")
            .bind(i64::try_from(page.last)?)
            .bind(page.hash)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
    }
    reading.await?
}

#[derive(Deserialize)]
struct Answer<T> {
    result: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Log<'a> {
    topics: Vec<&'a str>,
    data: &'a str,
    block_number: &'a str,
    block_hash: &'a str,
    block_timestamp: &'a str,
    transaction_hash: &'a str,
    transaction_index: &'a str,
    #[serde(rename = "logIndex")]
    index: &'a str,
}

#[derive(Deserialize)]
struct Header<'a> {
    hash: &'a str,
}

fn page(answer: &[u8], last: u64, cast: &Cast) -> anyhow::Result<Page> {
    let (logs, header): (Answer<Vec<Log<'_>>>, Answer<Header<'_>>) = serde_json::from_slice(answer)?;
    let (mut log_rows, mut fill_rows) = (Rows::new(), Rows::new());
    for log in &logs.result {
        let data = hex::decode(log.data)?;
        let block_hash = hash(log.block_hash)?;
        let log_index = int(log.index)?;
        log_rows.row(11);
        log_rows.field(&8453_i64.to_be_bytes());
        log_rows.field(&block_hash);
        log_rows.field(&log_index);
        log_rows.field(&1_i32.to_be_bytes());
        log_rows.field(&quantity(log.block_number)?.to_be_bytes());
        // Postgres counts from 2000, in microseconds.
        log_rows.field(&((quantity(log.block_timestamp)? - 946_684_800) * 1_000_000).to_be_bytes());
        log_rows.field(&hash(log.transaction_hash)?);
        log_rows.field(&int(log.transaction_index)?);
        log_rows.field(&hash(log.topics.first().context("no topic")?)?);
        log_rows.field(&data);
        log_rows.null();

        // (sender, (order, inputIOIndex, outputIOIndex, …), the taker's input, its output)
        let config = tail(&data, 1)?;
        let order = tail(config, 0)?;
        let given = Leg::of(tail(order, 3)?, word(config, 2)?, word(&data, 2)?)?;
        let received = Leg::of(tail(order, 2)?, word(config, 1)?, word(&data, 3)?)?;
        let (side, equity, usdc) = if received.token == cast.usdc {
            ("SELL", &given, &received)
        } else {
            ("BUY", &received, &given)
        };
        let token = cast.tokens.iter().find(|token| token.address == equity.token);
        let symbol = token.and_then(|token| token.ticker.as_deref()).context("no share")?;
        let quantity = equity.amount.cut(18)?;
        fill_rows.row(17);
        fill_rows.field(&8453_i64.to_be_bytes());
        fill_rows.field(&block_hash);
        fill_rows.field(&log_index);
        fill_rows.field(b"order");
        fill_rows.field(&word(order, 0)?[12..]);
        fill_rows.field(side.as_bytes());
        fill_rows.field(symbol.as_bytes());
        fill_rows.field(equity.token.as_slice());
        fill_rows.number(quantity);
        fill_rows.number(equity.amount);
        fill_rows.number(usdc.amount.cut(6)?);
        fill_rows.number(usdc.amount);
        fill_rows.number(Number { coefficient: U256::ONE, exponent: 0 });
        fill_rows.number(quantity);
        fill_rows.number(usdc.amount.per(equity.amount));
        fill_rows.field(&received.vault);
        fill_rows.field(&given.vault);
    }
    Ok(Page { logs: log_rows.0, fills: fill_rows.0, last, hash: hash(header.result.hash)? })
}

fn hash(text: &str) -> anyhow::Result<[u8; 32]> {
    Ok(hex::decode_to_array(text)?)
}

fn quantity(text: &str) -> anyhow::Result<i64> {
    Ok(i64::from_str_radix(text.strip_prefix("0x").context("no quantity")?, 16)?)
}

fn int(text: &str) -> anyhow::Result<[u8; 4]> {
    Ok(i32::try_from(quantity(text)?)?.to_be_bytes())
}

/// A word of ABI-encoded data.
fn word(data: &[u8], index: usize) -> anyhow::Result<[u8; 32]> {
    Ok(*data.get(32 * index..).and_then(|rest| rest.first_chunk()).context("the data is too short")?)
}

/// What lies at the offset in a word.
fn tail(data: &[u8], index: usize) -> anyhow::Result<&[u8]> {
    let offset = usize::try_from(U256::from_be_bytes(word(data, index)?))?;
    data.get(offset..).context("the data is too short")
}

/// One entry of an order's list, and how much of it moved.
struct Leg {
    token: Address,
    vault: [u8; 32],
    amount: Number,
}

impl Leg {
    fn of(list: &[u8], index: [u8; 32], amount: [u8; 32]) -> anyhow::Result<Self> {
        let at = 1 + 2 * usize::try_from(U256::from_be_bytes(index))?;
        Ok(Self {
            token: Address::from_slice(&word(list, at)?[12..]),
            vault: word(list, at + 1)?,
            amount: Number::of(amount),
        })
    }
}

/// `coefficient × 10^exponent`; nothing here is negative.
#[derive(Clone, Copy)]
struct Number {
    coefficient: U256,
    exponent: i32,
}

fn ten_to(power: u32) -> U256 {
    U256::from(10).pow(U256::from(power))
}

impl Number {
    /// A Float: four bytes of exponent, 28 of coefficient.
    fn of(word: [u8; 32]) -> Self {
        let [a, b, c, d, coefficient @ ..] = word;
        Self { coefficient: U256::from_be_slice(&coefficient), exponent: i32::from_be_bytes([a, b, c, d]) }
    }

    /// Without what lies behind so many decimals.
    fn cut(self, decimals: i32) -> anyhow::Result<Self> {
        let over = -decimals - self.exponent;
        if over <= 0 {
            return Ok(self);
        }
        Ok(Self { coefficient: self.coefficient / ten_to(u32::try_from(over)?), exponent: -decimals })
    }

    /// The quotient with 18 decimals, half to even.
    fn per(self, other: Self) -> Self {
        let shift = 18 + self.exponent - other.exponent;
        let lift = U512::from(10).pow(U512::from(shift.unsigned_abs()));
        let (above, below) = (U512::from(self.coefficient), U512::from(other.coefficient));
        let (above, below) = if shift < 0 { (above, below * lift) } else { (above * lift, below) };
        let (quotient, rest) = above.div_rem(below);
        let twice = rest << 1;
        let up = twice > below || (twice == below && quotient.bit(0));
        let coefficient = U256::from(if up { quotient + U512::ONE } else { quotient });
        Self { coefficient, exponent: -18 }
    }
}

/// Rows as binary COPY has them.
struct Rows(Vec<u8>);

impl Rows {
    fn new() -> Self {
        Self(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec())
    }

    fn row(&mut self, fields: i16) {
        self.0.extend_from_slice(&fields.to_be_bytes());
    }

    fn field(&mut self, value: &[u8]) {
        let length = i32::try_from(value.len()).unwrap_or(i32::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(value);
    }

    fn null(&mut self) {
        self.0.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    /// `numeric`: base-10000 digits, most significant first.
    fn number(&mut self, number: Number) {
        let lift = number.exponent.rem_euclid(4);
        let mut rest = number.coefficient * ten_to(lift.unsigned_abs());
        let mut digits = Vec::with_capacity(24);
        while !rest.is_zero() {
            let (above, below) = rest.div_rem(U256::from(10_000_000_000_000_000_u64));
            let mut below = below.to::<u64>();
            for _ in 0..4 {
                digits.push(i16::try_from(below % 10_000).unwrap_or_default());
                below /= 10_000;
            }
            rest = above;
        }
        let count = i16::try_from(digits.len()).unwrap_or(i16::MAX);
        let weight = i16::try_from(number.exponent.div_euclid(4)).unwrap_or(i16::MIN) + count - 1;
        let scale = i16::try_from(-number.exponent.min(0)).unwrap_or(i16::MAX);
        let length = 8 + 2 * i32::from(count);
        self.0.extend_from_slice(&length.to_be_bytes());
        for head in [count, weight, 0, scale] {
            self.0.extend_from_slice(&head.to_be_bytes());
        }
        for digit in digits.iter().rev() {
            self.0.extend_from_slice(&digit.to_be_bytes());
        }
    }
}
