//! Learns what transactions of ours cost who paid for them, and books it beside P&L.
//!
//! A receipt is read once, whoever paid; what one of ours paid is made dollars by what ETH was
//! worth at the end of its block. What cannot be read now is asked for another night and stays
//! in ETH meanwhile: nothing waits for it. What is booked and does not stand any more, because
//! its block is not the chain's or its payer not one of ours, is taken back by a row of its own.

use std::time::Duration;

use alloy::primitives::{Address, B256};
use sqlx::PgPool;

use crate::{
    book::gas::Gas,
    chain::{
        gas,
        nodes::Nodes,
        pyth::{self, OraclePrice, Told},
    },
    store::{
        StoreError,
        activities::{self, CashFlow},
        cursors::SourceId,
        gas::{self as books, Due, WantedReceipt},
    },
    time::Clock,
    units::Usd,
};

/// Receipts in one request.
const A_TIME: i64 = 50;
/// How often something is asked for in one night.
const TRIES: usize = 3;

/// What came of metering.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metered {
    /// Receipts that are known now.
    pub receipts: u64,
    /// Blocks of which it is known now what ETH was worth.
    pub priced: u64,
    /// Costs that were booked.
    pub booked: u64,
    /// Costs that were taken back.
    pub taken_back: u64,
    /// Receipts and prices that were asked for in vain: they are asked for again.
    pub later: u64,
    /// Time was up before all was asked for.
    pub cut_short: bool,
}

/// Meters the transactions of one chain.
#[derive(Clone, Debug)]
pub struct Meter {
    /// Where it is written.
    pub pool: PgPool,
    /// What time it is.
    pub clock: Clock,
    /// Who is asked: not those that fills are read from.
    pub nodes: Nodes,
    /// On which chain.
    pub chain: u64,
    /// Whose logs there.
    pub sources: Vec<SourceId>,
    /// Who of ours pays.
    pub payers: Vec<Address>,
    /// Pyth's contract, and its feed of what ETH is worth.
    pub ether: Option<(Address, B256)>,
}

impl Meter {
    /// Reads what can be read in this time, and books what is known.
    ///
    /// # Errors
    /// The database. What a node does not answer is left for later.
    pub async fn run(&self, time: Duration) -> Result<Metered, StoreError> {
        let failed = |error| StoreError::of("meter transactions", error);
        let mut tx = self.pool.begin().await.map_err(failed)?;
        books::payers(&mut tx, self.chain, &self.payers).await?;
        tx.commit().await.map_err(failed)?;
        let mut metered = Metered::default();
        if !self.payers.is_empty() {
            let half = time / 2;
            match tokio::time::timeout(half, self.receipts(&mut metered)).await {
                Ok(asked) => asked?,
                Err(_) => metered.cut_short = true,
            }
            match tokio::time::timeout(half, self.prices(&mut metered)).await {
                Ok(asked) => asked?,
                Err(_) => metered.cut_short = true,
            }
        }
        self.book(&mut metered).await?;
        Ok(metered)
    }

    /// Reads receipts, the newest first.
    async fn receipts(&self, metered: &mut Metered) -> Result<(), StoreError> {
        let failed = |error| StoreError::of("read receipts", error);
        for source in &self.sources {
            let mut before = None;
            loop {
                let mut conn = self.pool.acquire().await.map_err(failed)?;
                let wanted = books::wanted(&mut conn, *source, before, A_TIME).await?;
                drop(conn);
                let Some(last) = wanted.last() else { break };
                before = Some(*last);
                let Some(said) = self.ask(&wanted).await else {
                    metered.later += u64::try_from(wanted.len()).unwrap_or(u64::MAX);
                    return Ok(());
                };
                self.keep(&wanted, said, metered).await?;
            }
        }
        Ok(())
    }

    /// What these receipts say, each where a node has it; `None` where no node answers.
    async fn ask(&self, wanted: &[WantedReceipt]) -> Option<Vec<Option<Gas>>> {
        let txs: Vec<B256> = wanted.iter().map(|wanted| wanted.tx).collect();
        for _ in 0..TRIES {
            let Ok(node) = self.nodes.ready().await else { continue };
            match gas::receipts(&node, &txs).await {
                Ok(said) => {
                    self.nodes.praise(&node);
                    return Some(said);
                }
                Err(fault) => self.nodes.blame(&node, &fault),
            }
        }
        None
    }

    async fn keep(
        &self,
        wanted: &[WantedReceipt],
        said: Vec<Option<Gas>>,
        metered: &mut Metered,
    ) -> Result<(), StoreError> {
        let failed = |error| StoreError::of("keep receipts", error);
        let mut tx = self.pool.begin().await.map_err(failed)?;
        for (wanted, said) in wanted.iter().zip(said) {
            // In another block than ours: one of us is behind, and that passes.
            match said.filter(|said| said.block == wanted.block.hash && said.eth().is_some()) {
                Some(gas) => {
                    books::keep(&mut tx, self.chain, wanted, &gas).await?;
                    metered.receipts += 1;
                }
                None => metered.later += 1,
            }
        }
        tx.commit().await.map_err(failed)
    }

    /// Asks what ETH was worth wherever that is to be known, once.
    async fn prices(&self, metered: &mut Metered) -> Result<(), StoreError> {
        let Some((contract, feed)) = self.ether else { return Ok(()) };
        let failed = |error| StoreError::of("read prices of ETH", error);
        let begun = self.clock.now();
        loop {
            let mut conn = self.pool.acquire().await.map_err(failed)?;
            let wanted = books::unpriced(&mut conn, self.chain, feed, begun, A_TIME).await?;
            drop(conn);
            if wanted.is_empty() {
                return Ok(());
            }
            for block in wanted {
                let told = self.price(block.hash, contract, feed).await;
                let told =
                    told.as_ref().map(|price| (price.price, price.published_at)).map_err(String::as_str);
                let known = told.is_ok();
                // Not before it began, whatever the clock: each is asked for once.
                let now = self.clock.now().max(begun);
                let mut conn = self.pool.acquire().await.map_err(failed)?;
                books::price(&mut conn, self.chain, (block.hash, feed), told, now).await?;
                metered.priced += u64::from(known);
                metered.later += u64::from(!known);
            }
        }
    }

    async fn price(&self, block: B256, contract: Address, feed: B256) -> Result<OraclePrice, String> {
        let mut why = "no node answers".to_owned();
        for _ in 0..TRIES {
            let node = match self.nodes.ready().await {
                Ok(node) => node,
                Err(fault) => {
                    why = fault.to_string();
                    continue;
                }
            };
            match pyth::at_end_of(&node, block, contract, feed).await {
                Ok(Told { price: Ok(price), .. }) => {
                    self.nodes.praise(&node);
                    return Ok(price);
                }
                Ok(Told { price: Err(said), again, .. }) => {
                    self.nodes.praise(&node);
                    why = said;
                    if !again {
                        break;
                    }
                    // Another node may still have what this one has not.
                    self.nodes.pass(&node);
                }
                Err(fault) => {
                    self.nodes.blame(&node, &fault);
                    why = fault.to_string();
                }
            }
        }
        Err(why)
    }

    /// Books what is known and not booked, and takes back what is booked and does not stand.
    async fn book(&self, metered: &mut Metered) -> Result<(), StoreError> {
        let failed = |error| StoreError::of("book what transactions cost", error);
        let mut tx = self.pool.begin().await.map_err(failed)?;
        let feed = self.ether.map(|(_, feed)| feed);
        for due in books::due(&mut tx, self.chain, feed).await? {
            let Due { gas, at, stands, ether, booked, times, .. } = due;
            let id = format!("gas/{}/{:#x}/{:#x}/{}", self.chain, gas.tx, gas.block, times + 1);
            let (amount, valuation, said) = match (stands, ether) {
                (true, Some((price, published_at))) => {
                    let Some(worth) = gas.worth(price) else { continue };
                    let valuation = format!(
                        "{price} dollars for one ETH at the end of block {}, published {published_at}, by Pyth's feed {:#x}",
                        due.block_number,
                        feed.unwrap_or_default()
                    );
                    (Usd(worth.0.negated()), Some(valuation), cost(&due))
                }
                (true, None) => continue,
                (false, _) => {
                    (Usd(booked.0.negated()), None, "it does not stand any more: taken back".to_owned())
                }
            };
            // So little that it is less than the last digit of a dollar.
            if amount == Usd::ZERO {
                continue;
            }
            let flow = CashFlow {
                id: &id,
                kind: "gas",
                venue: None,
                symbol: None,
                amount,
                at,
                tx: Some(gas.tx),
                valuation: valuation.as_deref(),
                said: &said,
            };
            if activities::book(&mut tx, &flow).await? {
                metered.booked += u64::from(stands);
                metered.taken_back += u64::from(!stands);
            }
        }
        tx.commit().await.map_err(failed)
    }
}

fn cost(due: &Due) -> String {
    let Due { gas, .. } = due;
    let data = gas.l1_fee.map_or_else(String::new, |fee| format!(" and {fee} ETH for its data"));
    let eth = gas.eth().map(|eth| eth.to_string()).unwrap_or_default();
    format!("{eth} ETH: {} gas at {} ETH{data}, paid by {:#x}", gas.used, gas.price, gas.payer)
}
