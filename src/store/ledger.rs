//! What the books say of every place at a moment: reconciliation holds sources against it.
//!
//! Sums are made in Postgres, where they are exact whatever the digits; what leaves here is
//! on the grid. Nothing is written here.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256};
use jiff::{Timestamp, civil::Date};
use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::{
    StoreError, big,
    cursors::SourceId,
    exposure::{Part, Unit},
    facts::LogPlace,
    orders::VenueId,
    small,
    types::{At, Day},
};
use crate::{
    book::vault::{Balance, VaultKey, WalletKey},
    units::{Amount, Price, Shares, Usd},
};

/// A vault, as it was reported and as the books have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VaultRow {
    /// Which.
    pub key: VaultKey,
    /// What is there, cut to the grid.
    pub reported: Amount,
    /// Reported less booked: exact, then cut toward zero to the token's base units.
    pub residual: Amount,
}

fn address(row: &PgRow, column: &str) -> Result<Address, sqlx::Error> {
    Ok(Address::try_from(row.try_get::<&[u8], _>(column)?).unwrap_or_default())
}

fn word(row: &PgRow, column: &str) -> Result<Option<B256>, sqlx::Error> {
    let bytes: Option<&[u8]> = row.try_get(column)?;
    Ok(bytes.map(|bytes| B256::try_from(bytes).unwrap_or_default()))
}

fn date(row: &PgRow, column: &str) -> Result<Date, sqlx::Error> {
    Ok(row.try_get::<Day, _>(column)?.0)
}

/// A token in the books of a source, counted two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenSums {
    /// Which.
    pub token: Address,
    /// In vaults.
    pub held: Amount,
    /// By fills.
    pub traded: Amount,
    /// By deposits and withdrawals.
    pub moved: Amount,
    /// By trades that are no fills.
    pub skipped: Amount,
}

/// The vaults of a source, reported at a block, against what the books have of them up to it; and
/// every token, counted two ways.
pub async fn vaults(
    conn: &mut PgConnection,
    id: SourceId,
    to_block: u64,
    usdc: Address,
    reported: &BTreeMap<VaultKey, Balance>,
) -> Result<(Vec<VaultRow>, Vec<TokenSums>), StoreError> {
    let owners: Vec<&[u8]> = reported.keys().map(|key| key.owner.as_slice()).collect();
    let tokens: Vec<&[u8]> = reported.keys().map(|key| key.token.as_slice()).collect();
    let ids: Vec<&[u8]> = reported.keys().map(|key| key.vault_id.as_slice()).collect();
    let amounts: Vec<String> = reported.values().map(|balance| balance.exact.to_string()).collect();
    let decimals: Vec<i32> = reported.values().map(|balance| balance.decimals.into()).collect();
    let read = async {
        // History is summed in memory, not on disk.
        sqlx::query("select set_config('work_mem', '256MB', true)").execute(&mut *conn).await?;
        let rows = sqlx::query(include_str!("../../sql/queries/recon_vaults.sql"))
            .bind(id.0)
            .bind(big(to_block))
            .bind(usdc.as_slice())
            .bind(owners)
            .bind(tokens)
            .bind(ids)
            .bind(amounts)
            .bind(decimals)
            .fetch_all(&mut *conn)
            .await?;
        let (mut vaults, mut sums) = (Vec::new(), Vec::new());
        for row in &rows {
            let token = address(row, "token")?;
            match word(row, "vault_id")? {
                Some(vault_id) => vaults.push(VaultRow {
                    key: VaultKey { owner: address(row, "owner")?, token, vault_id },
                    reported: row.try_get("reported")?,
                    residual: row.try_get("residual")?,
                }),
                None => sums.push(TokenSums {
                    token,
                    held: row.try_get("held")?,
                    traded: row.try_get("traded")?,
                    moved: row.try_get("moved")?,
                    skipped: row.try_get("skipped")?,
                }),
            }
        }
        Ok((vaults, sums))
    };
    read.await.map_err(|error: sqlx::Error| StoreError::of("hold vaults against the books", error))
}

/// What wallets gained by withdrawals from vaults of their holders, less what they paid into vaults, up to a
/// block: for each, in order. Whatever contract of the chain it was; cut to base units, which is what moves.
pub async fn wallet_moves(
    conn: &mut PgConnection,
    chain: u64,
    to_block: u64,
    wallets: &[(WalletKey, u8)],
) -> Result<Vec<Amount>, StoreError> {
    let query = sqlx::query_scalar(include_str!("../../sql/queries/recon_wallet_moves.sql"))
        .bind(big(chain))
        .bind(big(to_block))
        .bind(wallets.iter().map(|(key, _)| key.holder.as_slice()).collect::<Vec<_>>())
        .bind(wallets.iter().map(|(key, _)| key.token.as_slice()).collect::<Vec<_>>())
        .bind(wallets.iter().map(|(_, decimals)| i32::from(*decimals)).collect::<Vec<_>>());
    let read = query.fetch_all(conn).await;
    read.map_err(|error| StoreError::of("read what vaults gave to wallets", error))
}

/// The block of the last run in which all vaults of a source were balanced.
pub async fn balanced_to(conn: &mut PgConnection, source: &str) -> Result<Option<u64>, StoreError> {
    let query = sqlx::query_scalar::<_, Option<i64>>(include_str!("../../sql/queries/recon_clean_from.sql"));
    let read = query.bind(source).fetch_one(conn).await;
    read.map(|block| block.map(small)).map_err(|error| StoreError::of("read the last balanced run", error))
}

/// What one log did: to which vaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFact {
    /// The height of its block.
    pub block: u64,
    /// Its transaction.
    pub tx: B256,
    /// Its place in the block.
    pub log_index: u64,
    /// What it was, in words.
    pub said: String,
    /// Each vault, and what it gained.
    pub moves: Vec<(VaultKey, Amount)>,
}

impl LogFact {
    fn add(&mut self, said: &str, moves: Vec<(VaultKey, Amount)>) {
        if self.said != said {
            self.said = format!("{}, {said}", self.said);
        }
        for (key, amount) in moves {
            match self.moves.iter_mut().find(|(known, _)| *known == key) {
                Some((_, total)) => *total = total.plus(amount).unwrap_or(Amount::MAX),
                None => self.moves.push((key, amount)),
            }
        }
    }
}

/// What these logs did; those that gave no fact are left out.
pub async fn log_facts(
    conn: &mut PgConnection,
    chain: u64,
    usdc: Address,
    logs: &[(B256, u64)],
) -> Result<Vec<LogFact>, StoreError> {
    let hashes: Vec<&[u8]> = logs.iter().map(|(hash, _)| hash.as_slice()).collect();
    let indexes: Vec<i32> = logs.iter().map(|(_, index)| i32::try_from(*index).unwrap_or(i32::MAX)).collect();
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/recon_log_facts.sql"));
        let rows = query.bind(big(chain)).bind(hashes).bind(indexes).fetch_all(conn).await?;
        let mut facts: Vec<((B256, u64), LogFact)> = Vec::new();
        for row in &rows {
            let (owner, token) = (address(row, "owner")?, address(row, "token")?);
            let (tokens, dollars): (Amount, Amount) = (row.try_get("tokens")?, row.try_get("usdc")?);
            let what: &str = row.try_get("what")?;
            let vault = |token, vault_id| VaultKey { owner, token, vault_id };
            let mut moves = Vec::new();
            let said = if what == "fill" {
                let side: &str = row.try_get("side")?;
                let (came, went) = if side == "BUY" {
                    ((token, tokens), (usdc, dollars))
                } else {
                    ((usdc, dollars), (token, tokens))
                };
                moves.extend(word(row, "vault_in")?.map(|id| (vault(came.0, id), came.1)));
                moves.extend(word(row, "vault_out")?.map(|id| (vault(went.0, id), went.1.negated())));
                format!("{side} {tokens} {} for {dollars}", row.try_get::<&str, _>("symbol")?)
            } else {
                moves.extend(word(row, "vault_id")?.map(|id| (vault(token, id), tokens)));
                format!("{what} of {}", tokens.abs())
            };
            let log_index = small(row.try_get::<i32, _>("log_index")?.into());
            let place = (word(row, "block_hash")?.unwrap_or_default(), log_index);
            let (block, tx) =
                (small(row.try_get("block_number")?), word(row, "tx_hash")?.unwrap_or_default());
            match facts.last_mut().filter(|(last, _)| *last == place) {
                // Another side of it, or another token: still one log.
                Some((_, fact)) => fact.add(&said, moves),
                None => facts.push((place, LogFact { block, tx, log_index, said, moves })),
            }
        }
        Ok::<Vec<LogFact>, sqlx::Error>(
            facts
                .into_iter()
                .map(|(_, mut fact)| {
                    // The share first: a break stands there.
                    fact.moves.sort_by_key(|(key, _)| key.token == usdc);
                    fact
                })
                .collect(),
        )
    };
    read.await.map_err(|error| StoreError::of("read what logs did", error))
}

/// What these canonical logs did: as [`log_facts`], by their places.
pub async fn facts_at(
    conn: &mut PgConnection,
    chain: u64,
    usdc: Address,
    places: &[LogPlace],
) -> Result<Vec<LogFact>, StoreError> {
    let logs: Vec<(B256, u64)> = places.iter().map(|log| (log.block_hash, log.log_index)).collect();
    log_facts(conn, chain, usdc, &logs).await
}

/// An account at a broker, as the books have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Booked {
    /// Shares by ticker.
    pub shares: BTreeMap<String, Shares>,
    /// Dollars.
    pub cash: Usd,
    /// How many fills are in that.
    pub fills: u64,
}

/// What the books say that an account at a broker had at a moment.
pub async fn account(
    conn: &mut PgConnection,
    venue: VenueId,
    name: &str,
    at: Timestamp,
) -> Result<Booked, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/recon_account.sql"));
        let rows = query.bind(venue.0).bind(name).bind(At(at)).fetch_all(conn).await?;
        let mut booked = Booked::default();
        for row in &rows {
            booked.fills += small(row.try_get("fills")?);
            if row.try_get::<&str, _>("leg")? == "cash" {
                booked.cash = row.try_get("amount")?;
            } else {
                booked.shares.insert(row.try_get("instrument")?, row.try_get("amount")?);
            }
        }
        Ok(booked)
    };
    read.await.map_err(|error: sqlx::Error| StoreError::of("read what an account should hold", error))
}

/// Since when the balances of an account are known, where a person stated them: by now, or as of a moment.
pub async fn opened_at(
    conn: &mut PgConnection,
    name: &str,
    as_of: Option<Timestamp>,
) -> Result<Option<Timestamp>, StoreError> {
    let query = sqlx::query_scalar::<_, Option<At>>(include_str!("../../sql/queries/recon_opened.sql"));
    let read = query.bind(name).bind(as_of.map(At)).fetch_one(conn).await;
    read.map(|at| at.map(|at| at.0)).map_err(|error| StoreError::of("read when an account was opened", error))
}

/// A trade in the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookedTrade {
    /// The broker's own id of it.
    pub id: String,
    /// The broker's id of its order.
    pub order: Option<String>,
    /// Whether it is of an order of ours.
    pub ours: bool,
    /// The ticker.
    pub symbol: String,
    /// Shares, signed.
    pub quantity: Shares,
    /// Dollars, signed.
    pub cash: Usd,
    /// When.
    pub at: Timestamp,
}

/// The trades of an account from one moment to another.
pub async fn trades(
    conn: &mut PgConnection,
    venue: VenueId,
    (after, to): (Timestamp, Timestamp),
) -> Result<Vec<BookedTrade>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/recon_trades.sql"));
        let rows = query.bind(venue.0).bind(At(after)).bind(At(to)).fetch_all(conn).await?;
        rows.iter()
            .map(|row| {
                Ok(BookedTrade {
                    id: row.try_get("execution_id")?,
                    order: row.try_get("broker_order_id")?,
                    ours: row.try_get("ours")?,
                    symbol: row.try_get("symbol")?,
                    quantity: row.try_get("quantity")?,
                    cash: row.try_get("cash")?,
                    at: row.try_get::<At, _>("executed_at")?.0,
                })
            })
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read the trades of an account", error))
}

/// An order of ours that may have traded in the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookedOrder {
    /// Its number.
    pub id: i64,
    /// The broker's ids of it.
    pub broker_ids: Vec<String>,
    /// The ticker.
    pub symbol: String,
    /// Shares asked for, signed.
    pub quantity: Shares,
    /// Whether it may still trade.
    pub live: bool,
    /// When it was accepted, or sent.
    pub since: Timestamp,
}

/// Orders of ours that may have traded since then.
pub async fn orders(
    conn: &mut PgConnection,
    venue: VenueId,
    since: Timestamp,
) -> Result<Vec<BookedOrder>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/recon_orders.sql"));
        let rows = query.bind(venue.0).bind(At(since)).fetch_all(conn).await?;
        rows.iter()
            .map(|row| {
                Ok(BookedOrder {
                    id: row.try_get("id")?,
                    broker_ids: row.try_get("broker_ids")?,
                    symbol: row.try_get("symbol")?,
                    quantity: row.try_get("quantity")?,
                    live: row.try_get("live")?,
                    since: row.try_get::<At, _>("since")?.0,
                })
            })
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read the orders of an account", error))
}

/// Evidence that the books have taken up already.
pub async fn settled(conn: &mut PgConnection, since: Timestamp) -> Result<BTreeSet<String>, StoreError> {
    let query = sqlx::query_scalar::<_, Option<String>>(include_str!("../../sql/queries/recon_settled.sql"));
    let read = query.bind(At(since)).fetch_all(conn).await;
    read.map(|refs| refs.into_iter().flatten().collect())
        .map_err(|error| StoreError::of("read which evidence is taken up", error))
}

/// What is under way: the transfer's id, what, how much, until when.
pub type UnderWay = (String, String, Amount, Option<Timestamp>);

/// Transfers of which one end is booked.
pub async fn transfers(conn: &mut PgConnection, at: Timestamp) -> Result<Vec<UnderWay>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/recon_transfers.sql"));
        let rows = query.bind(At(at)).fetch_all(conn).await?;
        rows.iter()
            .map(|row| {
                let deadline: Option<At> = row.try_get("deadline")?;
                Ok((
                    row.try_get("transfer")?,
                    row.try_get("instrument")?,
                    row.try_get("quantity")?,
                    deadline.map(|at| at.0),
                ))
            })
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read what is under way", error))
}

/// What is known of a transfer: its ends, summed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Of what it is; none where no end is known.
    pub instrument: Option<String>,
    /// What came, less what left.
    pub sum: Amount,
    /// Until when it should be over.
    pub deadline: Option<Timestamp>,
    /// What its ends rest on.
    pub refs: BTreeSet<String>,
}

/// What is known of a transfer. Of two that name its ends at once, one waits.
pub async fn ends(conn: &mut PgConnection, transfer: &str) -> Result<Ends, StoreError> {
    let read = async {
        sqlx::query(include_str!("../../sql/queries/recon_lock.sql")).execute(&mut *conn).await?;
        let query = sqlx::query(include_str!("../../sql/queries/transfer_ends.sql"));
        let row = query.bind(transfer).fetch_one(conn).await?;
        let deadline: Option<At> = row.try_get("deadline")?;
        let refs: Vec<String> = row.try_get("refs")?;
        Ok(Ends {
            instrument: row.try_get("instrument")?,
            sum: row.try_get("sum")?,
            deadline: deadline.map(|at| at.0),
            refs: refs.into_iter().collect(),
        })
    };
    read.await.map_err(|error: sqlx::Error| StoreError::of("read the ends of a transfer", error))
}

/// A deposit or a withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Whose vault.
    pub owner: Address,
    /// Which token.
    pub token: Address,
    /// What the vault gained, signed.
    pub amount: Amount,
    /// When.
    pub at: Timestamp,
}

/// The canonical deposit or withdrawal of a log, by chain, transaction and log index.
pub async fn vault_move(conn: &mut PgConnection, log: &str) -> Result<Option<Move>, StoreError> {
    let query = sqlx::query(include_str!("../../sql/queries/transfer_move.sql"));
    let read = query.bind(log).fetch_optional(conn).await.and_then(|row| {
        let Some(row) = row else { return Ok(None) };
        let (owner, token) = (address(&row, "owner")?, address(&row, "token")?);
        let at = row.try_get::<At, _>("block_time")?.0;
        Ok(Some(Move { owner, token, amount: row.try_get("amount")?, at }))
    });
    read.map_err(|error| StoreError::of("read what a log moved", error))
}

/// An announced split: its id, ticker, ex-date, new for old.
pub type Split = (String, String, Date, Amount, Amount);

/// Splits announced for the days before a date.
pub async fn announced(conn: &mut PgConnection, on: Date) -> Result<Vec<Split>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/recon_announced.sql"));
        let rows = query.bind(Day(on)).fetch_all(conn).await?;
        rows.iter()
            .map(|row| {
                Ok((
                    row.try_get("action_id")?,
                    row.try_get("symbol")?,
                    date(row, "ex_date")?,
                    row.try_get("ratio_new")?,
                    row.try_get("ratio_old")?,
                ))
            })
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read which splits are announced", error))
}

/// Wrappers' ratios at the last cut of a source before a block, and its block.
pub async fn last_ratios(
    conn: &mut PgConnection,
    source: &str,
    before: u64,
) -> Result<BTreeMap<Address, (Amount, u64)>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/recon_last_ratios.sql"));
        let rows = query.bind(source).bind(big(before)).fetch_all(conn).await?;
        rows.iter()
            .map(|row| {
                Ok((address(row, "token")?, (row.try_get("ratio")?, small(row.try_get("block_number")?))))
            })
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read the last ratios", error))
}

/// A price for every share that has one.
pub async fn marks(conn: &mut PgConnection, at: Timestamp) -> Result<BTreeMap<String, Price>, StoreError> {
    let read = async {
        let rows = sqlx::query(include_str!("../../sql/queries/recon_marks.sql"))
            .bind(At(at))
            .fetch_all(conn)
            .await?;
        rows.iter()
            .map(|row| Ok((row.try_get("symbol")?, row.try_get("price")?)))
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read marks", error))
}

/// What the newest count of P&L said, where its two ways of counting differ.
pub async fn doubts(conn: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    let query = sqlx::query_scalar(include_str!("../../sql/queries/recon_doubts.sql"));
    query.fetch_all(conn).await.map_err(|error| StoreError::of("read how P&L was counted", error))
}

/// What stands open of a share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The ticker.
    pub symbol: String,
    /// Long is positive.
    pub net: Shares,
    /// What live orders would do.
    pub pending: Shares,
    /// Why nothing is done, and since when.
    pub hold: Option<(String, Timestamp)>,
}

/// What stands open of every share.
pub async fn positions(conn: &mut PgConnection) -> Result<Vec<Standing>, StoreError> {
    let read = async {
        let rows = sqlx::query(include_str!("../../sql/queries/recon_positions.sql")).fetch_all(conn).await?;
        rows.iter()
            .map(|row| {
                let (hold, since): (Option<String>, Option<At>) =
                    (row.try_get("hold")?, row.try_get("hold_since")?);
                Ok(Standing {
                    symbol: row.try_get("symbol")?,
                    net: row.try_get("position")?,
                    pending: row.try_get("in_flight")?,
                    hold: hold.zip(since.map(|at| at.0)),
                })
            })
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read what stands open", error))
}

/// When the first of these parts of an exposure was traded; none where all of it was stated.
pub async fn oldest(conn: &mut PgConnection, units: &[Unit]) -> Result<Option<Timestamp>, StoreError> {
    let (mut blocks, mut indexes, mut executions) = (Vec::new(), Vec::new(), Vec::new());
    for unit in units {
        match &unit.part {
            Part::Fill { block, log_index, .. } => {
                blocks.push(block.clone());
                indexes.push(*log_index);
            }
            Part::Execution(id) => executions.push(*id),
            Part::Stated => {}
        }
    }
    let query = sqlx::query_scalar::<_, Option<At>>(include_str!("../../sql/queries/recon_oldest.sql"));
    let read = query.bind(blocks).bind(indexes).bind(executions).fetch_one(conn).await;
    read.map(|at| at.map(|at| at.0)).map_err(|error| StoreError::of("read how old an exposure is", error))
}

/// Days near a date of which it is known whether the exchange is open.
pub async fn sessions(conn: &mut PgConnection, near: Date) -> Result<BTreeMap<Date, bool>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/recon_sessions.sql"));
        let rows = query.bind(Day(near)).fetch_all(conn).await?;
        rows.iter()
            .map(|row| Ok((date(row, "date")?, row.try_get("is_open")?)))
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read the calendar", error))
}

/// What people entered for vaults and wallets of a source, up to a moment: leg, account, instrument, sum.
pub async fn entries(
    conn: &mut PgConnection,
    source: &str,
    at: Timestamp,
) -> Result<Vec<(String, String, String, Amount)>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/recon_entries.sql"));
        let rows = query.bind(source).bind(At(at)).fetch_all(conn).await?;
        rows.iter()
            .map(|row| {
                let text = |column| row.try_get::<String, _>(column);
                Ok((text("leg")?, text("account")?, text("instrument")?, row.try_get("amount")?))
            })
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read what people entered", error))
}

/// The newest moment at which a source was read whole.
pub async fn last_cut(conn: &mut PgConnection, source: &str) -> Result<Option<Timestamp>, StoreError> {
    let query = sqlx::query_scalar::<_, Option<At>>(include_str!("../../sql/queries/recon_last_cut.sql"));
    let read = query.bind(source).fetch_one(conn).await;
    read.map(|at| at.map(|at| at.0)).map_err(|error| StoreError::of("read the last cut", error))
}

/// What nothing explained by the last run of each date, in dollars, oldest first.
pub async fn history(conn: &mut PgConnection, to: Date) -> Result<Vec<(Date, Amount)>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/recon_history.sql"));
        let rows = query.bind(Day(to)).fetch_all(conn).await?;
        rows.iter()
            .map(|row| Ok((date(row, "date")?, row.try_get("usd")?)))
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read what was unexplained", error))
}
