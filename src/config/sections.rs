//! The tables of `hedge.toml`, each made into its room's settings.
//!
//! A table with a problem gives none, and is still read to its end, so that
//! everything that is wrong with it is said.

use std::collections::BTreeMap;

use alloy::primitives::Address;
use rust_decimal::Decimal;

use super::{
    given::Given,
    hedging::{Venues, session},
    problem::wrong,
    reading::{Node, Section},
    words::{
        address, duration_ms, feed, hedge_at, http_url, kind, name, one_of, rpc_urls, ticker, vault_id, whole,
    },
};
use crate::{
    assets::{Asset, Threshold, Token},
    book::{coverage::Verdict, vault::VaultKey},
    chain::source::{ChainSettings, HedgeAt, Kind, ProofBudget, SourceSettings, usual_pyth},
};

pub(super) const ROOT_KEYS: &[&str] = &[
    "chain",
    "source",
    "asset",
    "hedge",
    "venue",
    "limits",
    "reconcile",
    "inventory",
    "jobs",
    "alerts",
    "web",
    "store",
];
pub(super) const CHAIN_KEYS: &[&str] =
    &["rpc", "usdc", "poll", "timeout", "concurrency", "proof_budget", "pyth", "payers", "eth_feed"];
pub(super) const BUDGET_KEYS: &[&str] = &["mib", "requests"];
pub(super) const SOURCE_KEYS: &[&str] =
    &["name", "chain", "kind", "address", "owners", "from_block", "hedge_at", "believe", "vaults", "wallets"];
pub(super) const VAULT_KEYS: &[&str] = &["token", "id", "owner"];
pub(super) const ASSET_KEYS: &[&str] = &["symbol", "tokens", "threshold", "pyth_feed", "venue", "session"];
pub(super) const TOKEN_KEYS: &[&str] = &["chain", "address", "wrapped"];
pub(super) const THRESHOLD_KEYS: &[&str] = &["shares", "fraction", "usd"];
pub(super) const JOBS_KEYS: &[&str] = &["dir"];
pub(super) const WEB_KEYS: &[&str] = &["listen"];
pub(super) const STORE_KEYS: &[&str] = &["data"];

const THRESHOLD_NEXT: &str =
    "give { shares = N }, { fraction = N } or { usd = N }: nothing that moves money has a default";

pub(super) const POLL_MS: u64 = 2_000;
pub(super) const TIMEOUT_MS: u64 = 30_000;
pub(super) const CONCURRENCY: usize = 8;

/// Places where a name, a contract or a token was first used.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<String, usize>);

impl Seen {
    /// Refuses the second use of `what` at `node`.
    fn once(&mut self, node: &Node<'_>, what: String, next: &str) {
        match self.0.get(&what) {
            Some(line) => node.refuse(format!("{what} is already used in line {line}"), next),
            None => {
                self.0.insert(what, node.line());
            }
        }
    }
}

pub(super) fn tables<'r>(root: &Section<'r>, key: &str) -> Vec<Node<'r>> {
    let Some(node) = root.get(key) else { return Vec::new() };
    node.items_of(&format!("a list of tables: write [[{key}]] above each")).unwrap_or_default()
}

/// Every item read, or none if one is wrong; reads to the end, so that each wrong one is named.
fn all<T>(items: &[Node<'_>], read: impl FnMut(&Node<'_>) -> Option<T>) -> Option<Vec<T>> {
    let read: Vec<Option<T>> = items.iter().map(read).collect();
    read.into_iter().collect()
}

pub(super) fn read_chain(
    node: &Node<'_>,
    variables: &[String],
    given: &mut Given<'_>,
) -> Option<ChainSettings> {
    // Spelt in one way only: [chain.08] would be a second chain 8.
    let id = whole(node.name()).ok().filter(|id| *id > 0 && id.to_string() == node.name());
    if id.is_none() {
        node.refuse("is not a chain id", "write its number: [chain.8453]");
    }
    let section = node.section(CHAIN_KEYS)?;
    let usdc =
        section.need("usdc", "give the address of USDC on this chain").and_then(|node| node.text(address));
    let rpc = match (given.first_of(variables), section.get("rpc")) {
        (Some(name), _) => given.value(&name, rpc_urls),
        (None, Some(listed)) => read_rpc(&listed),
        (None, None) => {
            section.need("rpc", "list the http(s) urls of nodes, or set RPC_URL");
            None
        }
    };
    let milliseconds = |key, default| match section.get(key) {
        None => Some(default),
        Some(node) => node.text(duration_ms),
    };
    let poll_ms = milliseconds("poll", POLL_MS);
    let timeout_ms = milliseconds("timeout", TIMEOUT_MS);
    let concurrency = match section.get("concurrency") {
        None => Some(CONCURRENCY),
        Some(node) => node.whole(1).and_then(|number| usize::try_from(number).ok()),
    };
    let proof_budget = match section.get("proof_budget") {
        None => Some(ProofBudget::default()),
        Some(node) => read_budget(&node),
    };
    let pyth = match section.get("pyth") {
        None => Some(id.and_then(usual_pyth)),
        Some(node) => node.text(address).map(Some),
    };
    let payers = match section.get("payers") {
        None => Some(Vec::new()),
        Some(node) => node.items().and_then(|items| addresses_once(&items, "payer")),
    };
    let eth_feed = match section.get("eth_feed") {
        None => Some(None),
        Some(node) => {
            if pyth == Some(None) {
                node.refuse(
                    "asks a Pyth that is not known on this chain",
                    "give its contract: pyth = \"0x…\"",
                );
            }
            node.text(feed).map(Some)
        }
    };
    Some(ChainSettings {
        id: id?,
        rpc: rpc?,
        usdc: usdc?,
        poll_ms: poll_ms?,
        timeout_ms: timeout_ms?,
        concurrency: concurrency?,
        proof_budget: proof_budget?,
        pyth: pyth?,
        payers: payers?,
        eth_feed: eth_feed?,
    })
}

fn read_rpc(node: &Node<'_>) -> Option<Vec<String>> {
    let listed = node.items()?;
    if listed.is_empty() {
        node.refuse("names no node", "list at least one http(s) url, or set RPC_URL");
        return None;
    }
    let read = |item: &Node<'_>| {
        item.text(|text| match http_url(text)?.password() {
            Some(_) => Err(wrong("a password does not belong in a file", "set RPC_URL in the environment")),
            None => Ok(text.to_owned()),
        })
    };
    all(&listed, read)
}

fn read_budget(node: &Node<'_>) -> Option<ProofBudget> {
    let section = node.section(BUDGET_KEYS)?;
    let default = ProofBudget::default();
    let number = |key, default| section.get(key).map_or(Some(default), |node| node.whole(0));
    let (mib, requests) = (number("mib", default.mib), number("requests", default.requests));
    Some(ProofBudget { mib: mib?, requests: requests? })
}

pub(super) fn read_source(node: &Node<'_>, chains: &[u64], seen: &mut Seen) -> Option<SourceSettings> {
    let section = node.section(SOURCE_KEYS)?;
    let named = section.need("name", "give it a name of its own, such as \"raindex\"");
    let name = named.as_ref().and_then(|node| node.text(name));
    if let (Some(node), Some(name)) = (&named, &name) {
        seen.once(node, format!("the name `{name}`"), "give every source a name of its own");
    }
    let chain = section.need("chain", "give a chain id").and_then(|node| read_chain_id(&node, chains));
    let kind = section
        .need("kind", "give raindex-v4, raindex-v5, raindex-v6 or raindex-inventory")
        .and_then(|node| node.text(kind));
    let contract = section.need("address", "give the contract's address");
    let address = contract.as_ref().and_then(|node| node.text(address));
    if let (Some(node), Some(chain), Some(address)) = (&contract, chain, address) {
        let what = format!("the contract {address} on chain {chain}");
        seen.once(node, what, "one source reads a contract: list both owners in it");
    }
    let owners = match (section.get("owners"), kind) {
        (None, Some(Kind::Inventory)) => Some(Vec::new()),
        (None, _) => {
            section.need("owners", "list the addresses whose orders are yours");
            None
        }
        (Some(node), kind) => read_owners(&node, kind),
    };
    let from_block = section
        .need("from_block", "give the block of the contract's deployment")
        .and_then(|node| node.whole(0));
    let hedge_at = match section.get("hedge_at") {
        None => Some(HedgeAt::Safe),
        Some(node) => node.number_or_word(HedgeAt::Blocks, hedge_at),
    };
    let believe = match section.get("believe") {
        None => Some(Verdict::Bloom),
        Some(node) => node.text(|text| one_of(text, &Verdict::ALL.map(|it| (it.word(), it)))),
    };
    let vaults = match (section.get("vaults"), &owners) {
        (None, _) => Some(Vec::new()),
        (Some(node), Some(owners)) => {
            node.items().and_then(|items| all(&items, |item| read_vault(item, owners)))
        }
        (Some(_), None) => None,
    };
    let wallets = match section.get("wallets") {
        None => Some(Vec::new()),
        Some(node) => read_wallets(&node, kind, chain, seen),
    };
    Some(SourceSettings {
        name: name?,
        chain: chain?,
        kind: kind?,
        address: address?,
        owners: owners?,
        from_block: from_block?,
        hedge_at: hedge_at?,
        believe: believe?,
        vaults: vaults?,
        wallets: wallets?,
    })
}

fn read_wallets(
    node: &Node<'_>,
    kind: Option<Kind>,
    chain: Option<u64>,
    seen: &mut Seen,
) -> Option<Vec<Address>> {
    if kind == Some(Kind::Inventory) {
        node.refuse("are counted with the vaults of an orderbook", "name them in a source that is one");
        return None;
    }
    all(&node.items()?, |item| {
        let wallet = item.text(address)?;
        if let Some(chain) = chain {
            let what = format!("the wallet {wallet} on chain {chain}");
            seen.once(item, what, "one source counts a wallet: name it there alone");
        }
        Some(wallet)
    })
}

fn read_vault(node: &Node<'_>, owners: &[Address]) -> Option<VaultKey> {
    let section = node.section(VAULT_KEYS)?;
    let token = section.need("token", "give the token's address").and_then(|node| node.text(address));
    let vault_id = section.need("id", "give the vault's id").and_then(|node| node.text(vault_id));
    let owner = match (section.get("owner"), owners) {
        (None, [only]) => Some(*only),
        (None, _) => {
            section.need("owner", "say which of the owners' it is");
            None
        }
        (Some(node), _) => {
            let owner = node.text(address)?;
            if !owners.contains(&owner) {
                node.refuse(format!("{owner} is not among the owners"), "name one of `owners`");
            }
            Some(owner)
        }
    };
    Some(VaultKey { owner: owner?, token: token?, vault_id: vault_id? })
}

fn read_owners(node: &Node<'_>, kind: Option<Kind>) -> Option<Vec<Address>> {
    let items = node.items()?;
    if items.is_empty() && kind.is_some_and(|kind| kind != Kind::Inventory) {
        node.refuse("names nobody", "list the addresses whose orders are yours");
        return None;
    }
    addresses_once(&items, "owner")
}

fn addresses_once(items: &[Node<'_>], who: &str) -> Option<Vec<Address>> {
    let mut seen = Seen::default();
    all(items, |item| {
        let address = item.text(address)?;
        seen.once(item, format!("the {who} {address}"), &format!("name every {who} once"));
        Some(address)
    })
}

pub(super) fn read_asset(
    node: &Node<'_>,
    chains: &[u64],
    usdc: &BTreeMap<u64, Address>,
    venues: &Venues,
    seen: &mut Seen,
) -> Option<Asset> {
    let section = node.section(ASSET_KEYS)?;
    let named = section.need("symbol", "give the share's ticker, such as \"AAPL\"");
    let symbol = named.as_ref().and_then(|node| node.text(ticker));
    if let (Some(node), Some(symbol)) = (&named, &symbol) {
        seen.once(node, format!("the symbol `{symbol}`"), "list all tokens of a share in one [[asset]]");
    }
    let listed =
        section.need("tokens", "list its tokens: [{ chain = 8453, address = \"0x…\", wrapped = true }]");
    let tokens = listed.as_ref().and_then(|node| {
        let items = node.items()?;
        if items.is_empty() {
            node.refuse(
                "names no token",
                "list its tokens: [{ chain = 8453, address = \"0x…\", wrapped = true }]",
            );
        }
        all(&items, |item| read_token(item, chains, usdc, seen))
    });
    let given = section.need("threshold", THRESHOLD_NEXT);
    let threshold = given.as_ref().and_then(read_threshold);
    let venue = match section.get("venue") {
        None => Some(None),
        Some(node) => venues.named(&node).map(Some),
    };
    if let (Some(node), Some(Threshold::Fraction(_)), Some(venue)) = (&given, threshold, &venue)
        && let Some(venue) = venues.whole_shares_at(venue.as_deref())
    {
        let next = "give { shares = N } or { usd = N }, or name another venue";
        node.refuse(format!("parts of a share are not traded at `{venue}`"), next);
    }
    let extended = match section.get("session") {
        None => Some(None),
        Some(node) => session(&node).map(Some),
    };
    let pyth_feed = match section.get("pyth_feed") {
        None => Some(None),
        Some(node) => node.text(feed).map(Some),
    };
    Some(Asset {
        symbol: symbol?,
        tokens: tokens?,
        threshold: Some(threshold?),
        pyth_feed: pyth_feed?,
        venue: venue?,
        extended: extended?,
    })
}

fn read_token(
    node: &Node<'_>,
    chains: &[u64],
    usdc: &BTreeMap<u64, Address>,
    seen: &mut Seen,
) -> Option<Token> {
    let section = node.section(TOKEN_KEYS)?;
    let chain = section.need("chain", "give a chain id").and_then(|node| read_chain_id(&node, chains));
    let contract = section.need("address", "give the token's address");
    let address = contract.as_ref().and_then(|node| node.text(address));
    if let (Some(node), Some(chain), Some(address)) = (&contract, chain, address) {
        seen.once(node, format!("the token {address} on chain {chain}"), "a token stands for one share");
        if usdc.get(&chain) == Some(&address) {
            node.refuse("is USDC itself", "give the address of the share's token");
        }
    }
    let wrapped = section
        .need("wrapped", "say true for an ERC-4626 share (wtAAPL), false for one that is worth one (tAAPL)")
        .and_then(|node| node.flag());
    Some(Token { chain: chain?, address: address?, wrapped: wrapped? })
}

fn read_threshold(node: &Node<'_>) -> Option<Threshold> {
    let section = node.section(THRESHOLD_KEYS)?;
    let above_zero = |node: &Node<'_>| {
        let number = node.decimal()?;
        if number <= Decimal::ZERO {
            node.refuse(format!("{number} is not above zero"), "give the exposure from which on to hedge");
            return None;
        }
        Some(number)
    };
    let keyed = |key, kind: fn(Decimal) -> Threshold| Some((key, section.get(key)?, kind));
    let given = [
        keyed("shares", Threshold::Shares),
        keyed("fraction", Threshold::Fraction),
        keyed("usd", Threshold::Usd),
    ];
    let given: Vec<_> = given.into_iter().flatten().collect();
    match given.as_slice() {
        [] => {
            section.need("shares", THRESHOLD_NEXT);
            None
        }
        [(_, node, kind)] => above_zero(node).map(kind),
        [first, rest @ ..] => {
            let both = if rest.len() == 1 { "both " } else { "" };
            let others: Vec<&str> = rest.iter().map(|(key, ..)| *key).collect();
            node.refuse(format!("has {both}{} and {}", first.0, others.join(" and ")), "keep one of them");
            None
        }
    }
}

fn read_chain_id(node: &Node<'_>, chains: &[u64]) -> Option<u64> {
    let id = node.whole(1)?;
    if !chains.contains(&id) {
        node.refuse(
            format!("no [chain.{id}] is configured"),
            format!("add [chain.{id}] with its rpc and usdc"),
        );
    }
    Some(id)
}
