//! What must be true outside before a source is read: its nodes serve its chain,
//! its contract is there, its first block can be had.
//!
//! All problems at once, each with its key. A node that is away is no problem: it is waited for.

use std::{fmt, sync::Arc};

use super::{Exit, Trouble};
use crate::{
    chain::{
        reader,
        rpc::{Call, Fault, Node},
    },
    engine::reading::{Hindered, Reading},
    store::cursors,
};

/// Looks at everything that the sources name.
///
/// # Errors
/// Everything that is wrong; or the database.
pub async fn look(file: &str, readings: &[Arc<Reading>]) -> anyhow::Result<()> {
    let mut problems: Vec<String> = Vec::new();
    for reading in readings {
        let source = &reading.source;
        let mut say = |key: String, what: &dyn fmt::Display, next: &str| {
            let problem = format!("{file}: {key}: {what}; {next}");
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        };
        let mut answering = Vec::new();
        for node in reading.nodes.all() {
            match reading.nodes.introduce(node).await {
                Ok(()) => answering.push(node),
                Err(fault @ Fault::AnotherChain { .. }) => {
                    say(format!("chain.{}.rpc", source.chain), &fault, "take it out, or mend the chain's id");
                }
                Err(fault) => tracing::warn!("{fault}: it is tried again"),
            }
        }
        let Some(node) = answering.first() else { continue };
        if has_code(node, source.address).await == Some(false) {
            let what = format!("there is no contract at {} on chain {}", source.address, source.chain);
            say(format!("source.{}.address", source.name), &what, "check `address` and `chain`");
        }
        if !first_block_is_there(reading, &answering).await? {
            let what = format!("no node has block {}, the first of `{}`", source.from_block, source.name);
            let next = "add a node with the whole history, or begin later";
            say(format!("source.{}.from_block", source.name), &what, next);
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Trouble {
        what: match problems.len() {
            1 => "what the configuration names is not there".to_owned(),
            count => format!("what the configuration names is not there: {count} problems"),
        },
        cause: problems.join("\n"),
        state: "nothing was read; what is written stands".to_owned(),
        next: "mend what is named; `hedge doctor` tries everything".to_owned(),
        exit: Exit::Usage,
    }
    .into())
}

/// Is there a contract? `None` where the node does not say.
async fn has_code(node: &Node, address: alloy::primitives::Address) -> Option<bool> {
    let replies = node.ask(&[Call::code(address)]).await.ok()?;
    let json = replies.into_iter().next()?.ok()??;
    Some(json.get() != "\"0x\"")
}

/// Can a source that has read nothing yet begin? A head that is not there yet is waited for.
async fn first_block_is_there(reading: &Reading, nodes: &[&Arc<Node>]) -> Result<bool, Hindered> {
    let mut conn = reading.connection().await?;
    if cursors::cursor(&mut conn, reading.id).await?.is_some() {
        return Ok(true);
    }
    let first = reading.source.from_block;
    for node in nodes {
        match reader::look(node, first).await {
            Ok(tip) if tip.head.number >= first && tip.at_cursor.is_none() => {}
            Ok(_) | Err(_) => return Ok(true),
        }
    }
    Ok(false)
}
