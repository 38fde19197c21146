//! An operator takes a source back to a block.
//!
//! Nothing is deleted: what lies above is marked as taken by this act, with its
//! reason and author, and read again. A source that stopped may go on.

use super::reading::{Hindered, Reading};
use crate::{
    book::log::Place,
    chain::reader,
    store::{
        StoreError, cursors,
        facts::{self, Cause},
    },
};

/// Who does it, and why.
#[derive(Clone, Debug)]
pub struct Act {
    /// Why.
    pub reason: String,
    /// Who.
    pub author: String,
}

/// What a rewind came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewound {
    /// Where the cursor stood.
    pub from: u64,
    /// Where it stands.
    pub to: u64,
    /// The number of the `reorg` row that took what lay between.
    pub number: i64,
}

fn stop(what: String, next: &str) -> Hindered {
    StoreError::Stop { what, next: next.to_owned(), source: None }.into()
}

/// Takes the source back to `to`, the last block that is kept.
///
/// # Errors
/// Stop: `to` is not behind the cursor, or lies before the source's first block.
/// Try again: no node has that block.
pub async fn rewind(reading: &Reading, to: u64, act: &Act) -> Result<Rewound, Hindered> {
    let source = &reading.source;
    let mut conn = reading.connection().await?;
    let Some(cursor) = cursors::cursor(&mut conn, reading.id).await? else {
        return Err(stop(format!("`{}` has read nothing yet", source.name), "there is nothing to rewind"));
    };
    drop(conn);
    if to > cursor.at.number || to + 1 < source.from_block {
        let what = format!(
            "block {to} is not among those that `{}` has read, {}..={}",
            source.name, source.from_block, cursor.at.number
        );
        return Err(stop(what, "name one of them, or the one before the first"));
    }
    let node = reading.nodes.ready().await?;
    let missing = |block: u64| node.unanswered(format!("it does not have block {block}"));
    let fork = if to < source.from_block {
        let first =
            reader::header_of(&node, source.from_block).await?.ok_or_else(|| missing(source.from_block))?;
        (Place { number: to, hash: first.parent }, first.timestamp)
    } else {
        let header = reader::header_of(&node, to).await?.ok_or_else(|| missing(to))?;
        (header.place(), header.timestamp)
    };
    let cause = Cause::Operator { reason: act.reason.clone(), author: act.author.clone() };
    let mut tx = reading.begin().await?;
    cursors::release(&mut tx, reading.id, to).await?;
    let Ok(number) = facts::take_back(&mut tx, reading.id, cursor.at, fork, &cause).await? else {
        return Err(stop(
            "the cursor moved while it was to be rewound; nothing was written".to_owned(),
            "stop `hedge index`, then rewind",
        ));
    };
    tx.commit().await.map_err(|error| StoreError::of("commit a rewind", error))?;
    Ok(Rewound { from: cursor.at.number, to, number })
}

/// From now on the source is read for the owners that the configuration has.
pub async fn read_for_owners_of_now(reading: &Reading) -> Result<(), StoreError> {
    let mut conn = reading.connection().await?;
    cursors::set_owners(&mut conn, reading.id, &reading.source.owners).await
}
