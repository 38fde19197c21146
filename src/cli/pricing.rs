//! Who asks price feeds and receipts: by nodes of their own, in nobody's way.

use super::sources::Sources;
use crate::{
    chain::{nodes::Nodes, source::ChainSettings},
    engine::{meter::Meter, pricer::Pricer},
    store::cursors::SourceId,
};

/// Who learns the prices that feeds had while fills were made, a source each.
///
/// # Errors
/// A client for a node cannot be made.
pub(super) fn pricers(sources: &Sources) -> anyhow::Result<Vec<Pricer>> {
    let config = sources.config();
    let feeds = config.directory.assets().iter();
    let feeds: Vec<_> = feeds.filter_map(|asset| Some((asset.symbol.clone(), asset.pyth_feed?))).collect();
    let mut pricers = Vec::new();
    for (settings, id) in named(sources)?.into_iter().filter(|_| !feeds.is_empty()) {
        let Some(pyth) = settings.pyth else { continue };
        let nodes = Nodes::new(settings, &sources.clock)?;
        let (pool, clock) = (sources.db.pool().clone(), sources.clock.clone());
        pricers.push(Pricer::new(pool, clock, nodes, (id, settings.id), feeds.clone(), pyth));
    }
    Ok(pricers)
}

/// Who learns what transactions of ours cost, a chain each.
///
/// # Errors
/// A client for a node cannot be made.
pub(super) fn meters(sources: &Sources) -> anyhow::Result<Vec<Meter>> {
    let named = named(sources)?;
    let mut meters = Vec::new();
    for settings in &sources.config().chains {
        let of = named.iter().filter(|(chain, _)| chain.id == settings.id).map(|(_, id)| *id);
        meters.push(Meter {
            pool: sources.db.pool().clone(),
            clock: sources.clock.clone(),
            nodes: Nodes::new(settings, &sources.clock)?,
            chain: settings.id,
            sources: of.collect(),
            payers: settings.payers.clone(),
            ether: settings.pyth.zip(settings.eth_feed),
        });
    }
    Ok(meters)
}

/// Every source, and its chain.
fn named(sources: &Sources) -> anyhow::Result<Vec<(&ChainSettings, SourceId)>> {
    let chain = |id: u64| sources.config().chains.iter().find(move |settings| settings.id == id);
    let opened = sources.named(None)?;
    Ok(opened
        .into_iter()
        .filter_map(|opened| Some((chain(opened.reading.source.chain)?, opened.reading.id)))
        .collect())
}
