//! Whether nodes answer as they should, and the contracts are where the configuration says.
//!
//! Asked through the indexer's own door, so that what works here works there.

use alloy::{
    primitives::{Address, Bytes},
    sol,
    sol_types::SolCall,
};
use futures_util::future::join_all;
use serde::de::DeserializeOwned;

use super::findings::Findings;
use crate::{
    assets::{Asset, SymbolError, Token, book_symbol, tokenized},
    chain::{
        nodes::Nodes,
        proof::Header,
        refusal::Meaning,
        rpc::{Call, Node, Reply},
        source::{ChainSettings, SourceSettings},
    },
    config::Config,
    time::Clock,
};

/// Nobody waits longer for a doctor.
const PATIENCE_MS: u64 = 10_000;
/// Above this age a head is pointed at.
const OLD_SECONDS: i64 = 120;
/// USDC counts millionths.
const USDC_DECIMALS: u8 = 6;

sol! {
    function symbol() external view returns (string);
    function decimals() external view returns (uint8);
    function asset() external view returns (address);
}

/// Looks at one chain: every node, then sources and tokens through the first that is sound.
pub(super) async fn examine(settings: &ChainSettings, config: &Config, clock: &Clock) -> Findings {
    let mut findings = Findings::default();
    let about = format!("chain {}", settings.id);
    let patient = ChainSettings { timeout_ms: settings.timeout_ms.min(PATIENCE_MS), ..settings.clone() };
    let nodes = match Nodes::new(&patient, clock) {
        Ok(nodes) => nodes,
        Err(error) => {
            findings.failed(
                &about,
                error.without_url().to_string(),
                "see that TLS certificates are installed",
            );
            return findings;
        }
    };
    let sources: Vec<&SourceSettings> =
        config.sources.iter().filter(|source| source.chain == settings.id).collect();
    let first_block = sources.iter().map(|source| source.from_block).min();
    let looks = nodes.all().iter().map(|node| Look::at(node, settings, first_block, clock));
    let mut sound = None;
    for (node, look) in nodes.all().iter().zip(join_all(looks).await) {
        if look.sound && sound.is_none() {
            sound = Some(node);
        }
        findings.extend(look.findings);
    }
    let Some(node) = sound else {
        findings.failed(&about, "no node can be used: contracts were not tried", "mend a node first");
        return findings;
    };
    for source in sources {
        contract(node, source, &mut findings).await;
    }
    usdc(node, settings, &mut findings).await;
    for asset in config.directory.assets() {
        for token in asset.tokens.iter().filter(|token| token.chain == settings.id) {
            share(node, asset, token, &mut findings).await;
        }
    }
    findings
}

/// What a look at one node found.
struct Look<'n> {
    node: &'n Node,
    about: String,
    findings: Findings,
    /// It answers, and for the right chain.
    sound: bool,
}

impl<'n> Look<'n> {
    async fn at(node: &'n Node, chain: &ChainSettings, first_block: Option<u64>, clock: &Clock) -> Self {
        let about = format!("chain {} {}", chain.id, node.name());
        let mut look = Self { node, about, findings: Findings::default(), sound: false };
        if let Some(head) = look.head(chain, clock).await {
            look.tags().await;
            look.receipts(&head).await;
            if let Some(block) = first_block {
                look.history(block, head.number, chain.usdc).await;
            }
        }
        look
    }

    fn ok(&mut self, said: impl Into<String>) {
        self.findings.ok(&self.about, said);
    }

    fn noted(&mut self, said: impl Into<String>, next: impl Into<String>) {
        self.findings.noted(&self.about, said, next);
    }

    fn failed(&mut self, said: impl Into<String>, next: impl Into<String>) {
        self.findings.failed(&self.about, said, next);
    }

    /// Its chain and its newest block; none if it cannot be used.
    async fn head(&mut self, chain: &ChainSettings, clock: &Clock) -> Option<Header> {
        let (id, head) = match self.node.ask(&[Call::chain_id(), Call::tagged("latest")]).await {
            Ok(replies) => pair(replies)?,
            Err(fault) => {
                self.failed(
                    fault.to_string(),
                    format!("start it, or mend its url in chain.{}.rpc", chain.id),
                );
                return None;
            }
        };
        match read::<String>(&id).and_then(|id| u64::from_str_radix(id.trim_start_matches("0x"), 16).ok()) {
            Some(id) if id == chain.id => {}
            Some(id) => {
                let next = format!("give a node of chain {}, or write [chain.{id}]", chain.id);
                self.failed(format!("it serves chain {id}"), next);
                return None;
            }
            None => {
                self.failed(format!("it does not say its chain: {}", words(&id)), "give the url of a node");
                return None;
            }
        }
        let Some(header) = text(&head).and_then(|json| Header::read(json).ok()) else {
            self.failed(
                format!("its newest block cannot be read: {}", words(&head)),
                "see whether it is syncing",
            );
            return None;
        };
        self.sound = true;
        let age = clock.millis() / 1000 - i64::try_from(header.timestamp).unwrap_or(i64::MAX);
        let said = format!("head {}, {} old", header.number, told(age));
        if age > OLD_SECONDS {
            self.noted(said, "if the chain goes on, this node is behind: see whether it is syncing");
        } else {
            self.ok(said);
        }
        match header.proves {
            Some(_) => self.ok("headers prove their blooms and receipts"),
            None => self.noted(
                "the hash of its header does not recompute",
                "nothing can be proved by it: ranges stay `taken` or `cross-checked`; a second node helps",
            ),
        }
        if self.node.limits().batches {
            self.ok("takes batches");
        } else {
            self.noted("takes no batches", "calls are sent one by one, which is slower");
        }
        Some(header)
    }

    async fn tags(&mut self) {
        for tag in ["safe", "finalized"] {
            let replies = self.node.ask(&[Call::tagged(tag)]).await.unwrap_or_default();
            let found = replies.first().and_then(text).and_then(|json| Header::read(json).ok());
            match found {
                Some(header) => self.ok(format!("`{tag}` is {}", header.number)),
                None => {
                    self.noted(format!("has no `{tag}` tag"), "64 blocks below the head are taken instead");
                }
            }
        }
    }

    async fn receipts(&mut self, head: &Header) {
        let replies = self.node.ask(&[Call::receipts(head.hash)]).await.unwrap_or_default();
        if replies.iter().any(|reply| text(reply).is_some()) {
            self.ok("serves eth_getBlockReceipts");
        } else {
            let said = replies.first().map_or("no answer".to_owned(), words);
            self.noted(
                format!("eth_getBlockReceipts: {said}"),
                "blocks that blooms cannot exclude stay unproved; another node that serves it helps",
            );
        }
    }

    /// Whether it has the first block of a source, and the state there.
    async fn history(&mut self, block: u64, head: u64, usdc: Address) {
        if block > head {
            self.noted(
                format!("its head {head} is below from_block {block}"),
                "nothing is read until it gets there; see whether from_block is right",
            );
            return;
        }
        let calls = [Call::header(block), Call::read_at_height(usdc, &decimalsCall::SELECTOR, block)];
        let Some((header, state)) = self.node.ask(&calls).await.ok().and_then(pair) else {
            self.failed(format!("gave no answer about block {block}"), "ask again, or give another node");
            return;
        };
        if text(&header).is_none() {
            self.failed(
                format!("does not have block {block}: {}", words(&header)),
                "give a node with the whole history, or a later from_block",
            );
            return;
        }
        match state {
            // No contract yet at that block is an answer as well.
            Ok(_) => self.ok(format!("has block {block} and its state")),
            Err(refusal) if refusal.meaning() == Meaning::Reverted => {
                self.ok(format!("has block {block} and its state"));
            }
            Err(refusal) => self.noted(
                format!("has block {block} but not its state: {refusal}"),
                "wrapper ratios of old fills cannot be read: add an archive node",
            ),
        }
    }
}

async fn contract(node: &Node, source: &SourceSettings, findings: &mut Findings) {
    let about = format!("source {}", source.name);
    let owners = match source.owners.len() {
        0 => "all operators".to_owned(),
        1 => "1 owner".to_owned(),
        count => format!("{count} owners"),
    };
    match code(node, source.address).await {
        Ok(true) => findings.ok(&about, format!("{} at {}, {owners}", source.kind, source.address)),
        Ok(false) => findings.failed(
            &about,
            format!("there is no contract at {} on chain {}", source.address, source.chain),
            "check `address` and `chain`",
        ),
        Err(why) => findings.failed(&about, why, "ask again"),
    }
}

async fn usdc(node: &Node, chain: &ChainSettings, findings: &mut Findings) {
    let about = format!("usdc on {}", chain.id);
    match Said::by(node, chain.usdc).await {
        Ok(Said { symbol: Some(symbol), decimals: Some(USDC_DECIMALS), .. }) => {
            findings.ok(&about, format!("{symbol} at {}", chain.usdc));
        }
        Ok(Said { decimals: Some(decimals), .. }) => findings.failed(
            &about,
            format!("{} has {decimals} decimals, not {USDC_DECIMALS}", chain.usdc),
            format!("check chain.{}.usdc", chain.id),
        ),
        Ok(Said { .. }) => findings.failed(
            &about,
            format!("{} is not a token on this chain", chain.usdc),
            format!("check chain.{}.usdc", chain.id),
        ),
        Err(why) => findings.failed(&about, why, "ask again"),
    }
}

async fn share(node: &Node, asset: &Asset, token: &Token, findings: &mut Findings) {
    let about = format!("asset {}", asset.symbol);
    let said = match Said::by(node, token.address).await {
        Ok(said) => said,
        Err(why) => return findings.failed(&about, why, "ask again"),
    };
    let (Some(symbol), Some(decimals)) = (&said.symbol, said.decimals) else {
        let what = format!("{} is not a token on chain {}", token.address, token.chain);
        return findings.failed(&about, what, "check its address and chain");
    };
    match (token.wrapped, said.asset) {
        (true, None) => findings.failed(
            &about,
            format!("{symbol} at {} is no ERC-4626 share: it has no asset()", token.address),
            "write wrapped = false, or give the wrapper's address",
        ),
        (false, Some(inner)) => findings.failed(
            &about,
            format!("{symbol} at {} is an ERC-4626 share of {inner}", token.address),
            "write wrapped = true, or its ratio is ignored",
        ),
        (true, Some(_)) | (false, None) => {
            findings.ok(&about, format!("{symbol} at {}, {decimals} decimals", token.address));
        }
    }
    let own = match tokenized(symbol) {
        Ok(tokenized) => Some(book_symbol(tokenized.ticker)),
        Err(SymbolError::Quote | SymbolError::NotTokenized(_) | SymbolError::NoTicker(_)) => None,
    };
    if own != Some(asset.symbol.as_str()) {
        findings.noted(&about, format!("its token calls itself {symbol}"), "see that it is the right one");
    }
}

/// What a token says of itself.
struct Said {
    symbol: Option<String>,
    decimals: Option<u8>,
    asset: Option<Address>,
}

impl Said {
    async fn by(node: &Node, token: Address) -> Result<Self, String> {
        let calls = [
            Call::read(token, &symbolCall::SELECTOR),
            Call::read(token, &decimalsCall::SELECTOR),
            Call::read(token, &assetCall::SELECTOR),
        ];
        let replies = node.ask(&calls).await.map_err(|fault| fault.to_string())?;
        let mut bytes = replies.iter().map(|reply| read::<Bytes>(reply).unwrap_or_default());
        let mut next = || bytes.next().unwrap_or_default();
        Ok(Self {
            symbol: symbolCall::abi_decode_returns(&next()).ok(),
            decimals: decimalsCall::abi_decode_returns(&next()).ok(),
            asset: assetCall::abi_decode_returns(&next()).ok().filter(|asset| !asset.is_zero()),
        })
    }
}

async fn code(node: &Node, address: Address) -> Result<bool, String> {
    let replies = node.ask(&[Call::code(address)]).await.map_err(|fault| fault.to_string())?;
    let code = replies.first().and_then(read::<Bytes>).ok_or("its code cannot be read")?;
    Ok(!code.is_empty())
}

/// An age in the one unit that says it best.
fn told(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn pair(replies: Vec<Reply>) -> Option<(Reply, Reply)> {
    let [first, second] = <[Reply; 2]>::try_from(replies).ok()?;
    Some((first, second))
}

/// What was answered; none for a refusal and for null.
fn text(reply: &Reply) -> Option<&str> {
    reply.as_ref().ok()?.as_ref().map(|json| json.get()).filter(|json| *json != "null")
}

fn read<T: DeserializeOwned>(reply: &Reply) -> Option<T> {
    serde_json::from_str(text(reply)?).ok()
}

/// What was said instead of an answer.
fn words(reply: &Reply) -> String {
    match reply {
        Err(refusal) => refusal.to_string(),
        Ok(Some(json)) => json.get().chars().take(80).collect(),
        Ok(None) => "nothing".to_owned(),
    }
}
