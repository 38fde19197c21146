//! What a source is read with, and what its readers share.
//!
//! Nodes, tokens, the database, and the two things every reader does: keep a
//! contradiction on record, and book logs whose answer lacked a partner.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{PgPool, pool::PoolConnection};

use super::booking::{Booked, Bookkeeper, Unbooked};
use crate::{
    assets::Directory,
    book::{coverage::Contradiction, log::Log},
    chain::{
        booking::Token,
        log::Filter,
        nodes::Nodes,
        raindex,
        reader::{self, Failed},
        refusal::Limits,
        rpc::Node,
        source::{ChainSettings, SourceSettings},
    },
    observe,
    store::{
        StoreError,
        cursors::{self, SourceId},
        nodes::{self, FoundBy, NodeLimit},
    },
    time::Clock,
};

/// One source, with all it is read with.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What is read.
    pub source: SourceSettings,
    /// What nodes are asked for.
    pub filter: Filter,
    /// Its number in the tables.
    pub id: SourceId,
    /// Who is asked.
    pub nodes: Nodes,
    /// Who knows the tokens.
    pub keeper: Bookkeeper,
    /// Where it is written.
    pub pool: PgPool,
    /// What time it is.
    pub clock: Clock,
    kept_limits: Arc<Mutex<Vec<NodeLimit>>>,
}

/// Why a step could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Hindered {
    /// By a chain or its nodes: ask again.
    #[error(transparent)]
    Chain(#[from] Failed),
    /// By the database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<crate::chain::rpc::Fault> for Hindered {
    fn from(fault: crate::chain::rpc::Fault) -> Self {
        Self::Chain(fault.into())
    }
}

impl Reading {
    /// A connection to the books.
    pub async fn connection(&self) -> Result<PoolConnection<sqlx::Postgres>, StoreError> {
        self.pool.acquire().await.map_err(|error| StoreError::of("reach the database", error))
    }

    /// Begins to write.
    pub async fn begin(&self) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, StoreError> {
        self.pool.begin().await.map_err(|error| StoreError::of("begin to write", error))
    }

    /// Begins to write history: the commit does not wait for the disk.
    ///
    /// Rows and cursor are one transaction, so a crash that takes the last moment's
    /// commits takes the cursor back with them, and the same blocks are read again.
    /// The next commit that does wait puts all before it on disk, too.
    pub async fn begin_unhurried(&self) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, StoreError> {
        let begin = "begin; set local synchronous_commit = off";
        self.pool.begin_with(begin).await.map_err(|error| StoreError::of("begin to write", error))
    }

    /// Keeps contradictions on record, and says them aloud.
    pub async fn accuse(&self, lies: &[Contradiction], found_by: FoundBy) -> Result<(), StoreError> {
        if lies.is_empty() {
            return Ok(());
        }
        let mut conn = self.connection().await?;
        for lie in lies {
            observe::contradicted(&self.source.name, lie);
            nodes::contradicted(&mut conn, self.id, self.source.chain, lie, found_by).await?;
        }
        Ok(())
    }

    /// Draws the consequence of a failed answer: who rests, who is asked next, what is put on record.
    ///
    /// Gives what to say of it.
    pub async fn failed(
        &self,
        node: &Arc<Node>,
        failed: Failed,
        found_by: FoundBy,
    ) -> Result<String, StoreError> {
        let said = failed.to_string();
        match failed {
            Failed::Fault(fault) => self.nodes.blame(node, &fault),
            Failed::Behind { .. } | Failed::Refused { .. } | Failed::Incomplete { .. } => {
                self.nodes.pass(node);
            }
            Failed::Untrue(lie) => {
                self.nodes.blame(node, &node.unanswered("an answer that cannot be true"));
                self.accuse(&[*lie], found_by).await?;
            }
        }
        Ok(said)
    }

    /// Books sorted logs; where the answer lacks a log's partner, its transaction's receipt is asked for.
    ///
    /// The receipts may complete the logs, so they come back with what was booked.
    pub async fn book(
        &self,
        node: &Node,
        mut logs: Vec<Log>,
        complete: impl Fn(u64) -> bool,
    ) -> Result<Booked, Hindered> {
        let mut asked_for = None;
        loop {
            let booked = self.keeper.book(&self.nodes, node, &self.source, self.id, &logs, &complete).await;
            let (incomplete, block) = match booked {
                Ok(booked) => {
                    self.keep_tokens().await?;
                    return Ok(booked);
                }
                Err(Unbooked::Fault(fault)) => return Err(fault.into()),
                Err(Unbooked::NoBlock(block)) => {
                    return Err(Failed::Behind { node: node.name().to_owned(), block: block.number }.into());
                }
                Err(Unbooked::Incomplete(incomplete, block)) => (incomplete, block),
            };
            let alone =
                || Failed::Incomplete { node: node.name().to_owned(), block: block.number, incomplete };
            // The receipt lacks it as well: nothing may be concluded, and the cursor stays.
            if asked_for.replace(incomplete.tx) == Some(incomplete.tx) {
                return Err(alone().into());
            }
            let whole = match reader::logs_of_transaction(node, &self.filter, incomplete.tx, block).await {
                Ok(Some(whole)) => whole,
                Ok(None) | Err(Failed::Untrue(_)) => return Err(alone().into()),
                Err(failed) => return Err(failed.into()),
            };
            let time =
                logs.iter().find(|log| log.block_hash == block.hash).and_then(|log| log.block_timestamp);
            logs.retain(|log| log.transaction_hash != incomplete.tx);
            logs.extend(whole.into_iter().map(|log| Log { block_timestamp: time, ..log }));
            logs.sort_by_key(|log| (log.block_number, log.log_index));
        }
    }

    /// Keeps what tokens said of themselves.
    async fn keep_tokens(&self) -> Result<(), StoreError> {
        let unsaved = self.keeper.unsaved();
        if unsaved.is_empty() {
            return Ok(());
        }
        let kept = async {
            let mut conn = self.connection().await?;
            for (address, token) in &unsaved {
                nodes::keep_token(&mut conn, self.source.chain, *address, &token.symbol, token.decimals)
                    .await?;
            }
            Ok(())
        };
        let kept = kept.await;
        if kept.is_err() {
            self.keeper.not_saved(unsaved);
        }
        kept
    }

    /// Keeps what the nodes have shown they can do, where it is news.
    pub async fn keep_limits(&self) -> Result<(), StoreError> {
        let shown = |node: &Arc<Node>| {
            let Limits { largest_ok, smallest_refused, batches, receipts, .. } = node.limits();
            NodeLimit { node: node.name().to_owned(), largest_ok, smallest_refused, batches, receipts }
        };
        let limits: Vec<NodeLimit> = self.nodes.all().iter().map(shown).collect();
        if *self.kept_limits.lock().unwrap_or_else(PoisonError::into_inner) == limits {
            return Ok(());
        }
        let mut conn = self.connection().await?;
        for limit in &limits {
            nodes::keep_limit(&mut conn, self.source.chain, limit).await?;
        }
        *self.kept_limits.lock().unwrap_or_else(PoisonError::into_inner) = limits;
        Ok(())
    }
}

/// Why sources cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No HTTP client could be made.
    #[error("could not make an HTTP client")]
    Http(#[from] reqwest::Error),
    /// The database, or what it knows of a source.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What one source is read with, and what stands between the configuration and the books.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Everything its readers share. It begins where the books do.
    pub reading: Arc<Reading>,
    /// History was read for other owners: it must be read again.
    pub other_owners: bool,
    /// The first block that the configuration wants, where the books begin later.
    pub begins_late: Option<u64>,
}

/// Opens every source: its number in the tables, its chain's nodes with what they have shown, its tokens.
///
/// # Errors
/// Stop: a source of the same name is another contract in the books.
pub async fn open(
    chains: &[ChainSettings],
    sources: &[SourceSettings],
    directory: &Directory,
    pool: &PgPool,
    clock: &Clock,
) -> Result<Vec<Opened>, OpenError> {
    let mut conn = pool.acquire().await.map_err(|error| StoreError::of("reach the database", error))?;
    let mut opened = Vec::with_capacity(sources.len());
    for chain in chains {
        let nodes = Nodes::new(chain, clock)?;
        for known in nodes::limits(&mut conn, chain.id).await? {
            if let Some(node) = nodes.all().iter().find(|node| node.name() == known.node) {
                node.learn(|limits| {
                    limits.largest_ok = known.largest_ok;
                    limits.smallest_refused = known.smallest_refused;
                    limits.batches = known.batches;
                    limits.receipts = known.receipts;
                });
            }
        }
        let tokens = nodes::tokens(&mut conn, chain.id).await?;
        let tokens =
            tokens.into_iter().map(|(address, symbol, decimals)| (address, Token { symbol, decimals }));
        let keeper = Bookkeeper::new(chain.id, directory.clone(), tokens);
        for source in sources.iter().filter(|source| source.chain == chain.id) {
            let row = cursors::Source {
                name: &source.name,
                chain: source.chain,
                kind: source.kind.word(),
                address: source.address,
                owners: &source.owners,
                from_block: source.from_block,
            };
            let known = cursors::source(&mut conn, &row).await?;
            if !known.same_contract {
                return Err(another(source).into());
            }
            let begins_late = (source.from_block < known.from_block).then_some(source.from_block);
            let reading = Reading {
                source: SourceSettings { from_block: known.from_block, ..source.clone() },
                filter: raindex::filter(source),
                id: known.id,
                nodes: nodes.clone(),
                keeper: keeper.clone(),
                pool: pool.clone(),
                clock: clock.clone(),
                kept_limits: Arc::default(),
            };
            opened.push(Opened { reading: Arc::new(reading), other_owners: !known.same_owners, begins_late });
        }
    }
    Ok(opened)
}

fn another(source: &SourceSettings) -> StoreError {
    StoreError::Stop {
        what: format!("the books have the source `{}` with another contract, chain or kind", source.name),
        next: "give the changed source a name of its own, or set it back as it was".to_owned(),
        source: None,
    }
}
