//! `hedge.toml` and the environment, made into each room's settings.
//!
//! - everything that is wrong is said at once, a line each: place, what, what to do;
//! - nothing that moves money has a default;
//! - a secret comes from the environment, a named file or systemd's credentials,
//!   never from the file.
//!
//! The form of the file, key by key, is what `hedge init` writes ([`TEMPLATE`]).
//! Whether what it names exists is not asked here: `hedge doctor` does.

mod environment;
mod problem;
mod reading;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use alloy::primitives::{Address, B256};
use jiff::SignedDuration;
use reqwest::Url;
use rust_decimal::Decimal;
use serde::{Deserialize, de::IntoDeserializer};

pub use environment::{Environment, Secret};
pub use problem::{Problem, Problems};
use reading::{Node, Reader, Section, Wrong, nearest, wrong};

use crate::{
    assets::{Asset, Directory, Threshold, Token, book_symbol, tokenized},
    book::coverage::Verdict,
    chain::{
        rpc::host_of,
        source::{ChainSettings, HedgeAt, Kind, ProofBudget, SourceSettings},
    },
    store::{DatabaseUrl, StoreError},
};

/// What `hedge init` writes: every key, explained.
pub const TEMPLATE: &str = include_str!("config/template.toml");

/// Where a file is looked for when nobody names one.
const PLACES: [&str; 2] = ["hedge.toml", "/etc/hedge/hedge.toml"];

const ROOT_KEYS: &[&str] = &["chain", "source", "asset", "store"];
const CHAIN_KEYS: &[&str] = &["rpc", "usdc", "poll", "timeout", "concurrency", "proof_budget"];
const BUDGET_KEYS: &[&str] = &["mib", "requests"];
const SOURCE_KEYS: &[&str] =
    &["name", "chain", "kind", "address", "owners", "from_block", "hedge_at", "believe"];
const ASSET_KEYS: &[&str] = &["symbol", "tokens", "threshold", "pyth_feed"];
const TOKEN_KEYS: &[&str] = &["chain", "address", "wrapped"];
const THRESHOLD_KEYS: &[&str] = &["shares", "usd"];
const STORE_KEYS: &[&str] = &["data"];

/// The environment's description of one source.
const SOURCE_VARIABLES: [&str; 6] =
    ["ORDERBOOK", "ORDER_OWNER", "DEPLOYMENT_BLOCK", "USDC", "CHAIN_ID", "ORDERBOOK_KIND"];

/// Base, and Circle's USDC on it (developers.circle.com, read 2025-11-20).
const BASE: u64 = 8453;
const USDC_ON_BASE: &str = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";

const POLL_MS: u64 = 2_000;
const TIMEOUT_MS: u64 = 30_000;
const CONCURRENCY: usize = 8;

/// Everything an operator decides, checked.
#[derive(Debug, Default)]
pub struct Config {
    /// The file it was read from; none if the environment alone describes the source.
    pub file: Option<PathBuf>,
    /// Chains, by id.
    pub chains: Vec<ChainSettings>,
    /// Sources, in the order of the file.
    pub sources: Vec<SourceSettings>,
    /// Which token is which share.
    pub directory: Directory,
    /// Where the books are kept.
    pub store: StoreSettings,
    /// What was given and is not used, a line each.
    pub notes: Vec<String>,
}

/// Where the books are kept.
#[derive(Debug, Default)]
pub struct StoreSettings {
    /// `DATABASE_URL`: a Postgres of the operator's. None: `hedge` runs its own.
    pub database_url: Option<DatabaseUrl>,
    /// `HEDGE_DATA` or `[store] data`: the directory of our own Postgres. None: the usual place.
    pub data: Option<PathBuf>,
}

impl StoreSettings {
    fn of_environment(&mut self, given: &mut Given<'_>) {
        self.database_url = given.value("DATABASE_URL", |text| {
            text.parse().map_err(|error: StoreError| wrong(error.to_string(), error.next()))
        });
        if let Some(data) = given.environment.variable("HEDGE_DATA") {
            self.data = Some(PathBuf::from(data));
        }
    }
}

impl Config {
    /// Reads the file named by `flag` or `HEDGE_CONFIG`, or else the first of
    /// `./hedge.toml` and `/etc/hedge/hedge.toml` that exists, together with the environment.
    /// Without any file the environment may describe one source.
    ///
    /// # Errors
    ///
    /// Everything that is wrong; nothing was started.
    pub fn load(flag: Option<&Path>, environment: &Environment) -> Result<Self, Problems> {
        let named =
            flag.map(Path::to_owned).or_else(|| environment.variable("HEDGE_CONFIG").map(PathBuf::from));
        let found = named.or_else(|| PLACES.iter().map(PathBuf::from).find(|path| path.exists()));
        let Some(path) = found else { return Self::of_environment(environment) };
        match fs::read_to_string(&path) {
            Ok(text) => Self::of_file(&path, &text, environment),
            Err(error) => Err(Problems(vec![Problem::new(
                path.display().to_string(),
                format!("cannot be read: {error}"),
                "name a readable file, or write one with `hedge init`",
            )])),
        }
    }

    /// Reads the text of a file, together with the environment.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, in the order of the file, the environment last.
    pub fn of_file(path: &Path, text: &str, environment: &Environment) -> Result<Self, Problems> {
        let name = path.display().to_string();
        let reader = Reader::new(&name, text);
        let mut given = Given::new(environment);
        let mut config = Self { file: Some(path.to_owned()), ..Self::default() };
        if let Some(root) = reader.parse() {
            config.read(&reader.root(&root, ROOT_KEYS), &mut given);
        }
        config.store.of_environment(&mut given);
        for name in SOURCE_VARIABLES.into_iter().filter(|name| environment.has(name)) {
            config
                .notes
                .push(format!("{name} is set but not used: {} describes the sources", path.display()));
        }
        let mut problems = reader.problems();
        problems.extend(given.problems);
        if problems.is_empty() { Ok(config) } else { Err(Problems(problems)) }
    }

    /// Reads one source, named `raindex`, from the environment; none if it names no `ORDERBOOK`.
    /// Its shares are discovered by their symbols.
    ///
    /// # Errors
    ///
    /// Everything that is wrong.
    pub fn of_environment(environment: &Environment) -> Result<Self, Problems> {
        let mut given = Given::new(environment);
        let mut config = Self::default();
        config.store.of_environment(&mut given);
        if environment.has("ORDERBOOK") {
            config.source_of_environment(&mut given);
        }
        if given.problems.is_empty() { Ok(config) } else { Err(Problems(given.problems)) }
    }

    /// Whether nothing is configured that could be read.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// The file that says the same, for an operator who began without one. Nodes are
    /// left to `RPC_URL`: their urls may carry keys.
    pub fn to_toml(&self) -> String {
        let mut text = String::from("# Nodes come from RPC_URL; thresholds are examples: decide each.\n");
        let list = |addresses: &[Address]| {
            addresses.iter().map(|it| format!("\"{it}\"")).collect::<Vec<_>>().join(", ")
        };
        for chain in &self.chains {
            text += &format!("\n[chain.{}]\nusdc = \"{}\"\n", chain.id, chain.usdc);
        }
        for source in &self.sources {
            let SourceSettings { name, chain, kind, address, owners, from_block, .. } = source;
            text += &format!(
                "\n[[source]]\nname = \"{name}\"\nchain = {chain}\nkind = \"{kind}\"\naddress = \"{address}\"\n\
                 owners = [{}]\nfrom_block = {from_block}\n",
                list(owners)
            );
        }
        for Asset { symbol, tokens, .. } in self.directory.assets() {
            let tokens: Vec<String> = tokens
                .iter()
                .map(|Token { chain, address, wrapped }| {
                    format!("{{ chain = {chain}, address = \"{address}\", wrapped = {wrapped} }}")
                })
                .collect();
            text += &format!(
                "\n[[asset]]\nsymbol = \"{symbol}\"\ntokens = [{}]\nthreshold = {{ shares = 1 }}\n",
                tokens.join(", ")
            );
        }
        if self.directory.assets().is_empty() {
            text += "\n# No token was met yet: index first, then ask again for the [[asset]] tables.\n";
        }
        text
    }

    fn source_of_environment(&mut self, given: &mut Given<'_>) {
        let chain = given.value("CHAIN_ID", whole).unwrap_or(BASE);
        let usdc = match given.value("USDC", address) {
            None if chain == BASE => address(USDC_ON_BASE).ok(),
            None => given.missing("USDC", format!("give the address of USDC on chain {chain}")),
            found => found,
        };
        let rpc = match given.rpc(&["RPC_URL"]) {
            None => given.missing("RPC_URL", "give the http(s) url of a node".to_owned()).unwrap_or_default(),
            Some(rpc) => rpc,
        };
        let orderbook = given.value("ORDERBOOK", address);
        let kind = given.value("ORDERBOOK_KIND", kind).unwrap_or(Kind::RaindexV6);
        let owners = match given.value("ORDER_OWNER", addresses) {
            None if kind == Kind::Inventory => Some(Vec::new()),
            None => given.missing("ORDER_OWNER", "give the address whose orders are yours".to_owned()),
            found => found,
        };
        let from_block = match given.value("DEPLOYMENT_BLOCK", whole) {
            None => given.missing("DEPLOYMENT_BLOCK", "give the first block to read".to_owned()),
            found => found,
        };
        let (Some(usdc), Some(address), Some(owners), Some(from_block)) =
            (usdc, orderbook, owners, from_block)
        else {
            return;
        };
        self.chains.push(ChainSettings {
            id: chain,
            rpc,
            usdc,
            poll_ms: POLL_MS,
            timeout_ms: TIMEOUT_MS,
            concurrency: CONCURRENCY,
            proof_budget: ProofBudget::default(),
        });
        self.sources.push(SourceSettings {
            name: "raindex".to_owned(),
            chain,
            kind,
            address,
            owners,
            from_block,
            hedge_at: HedgeAt::Safe,
            believe: Verdict::Bloom,
        });
        self.directory = Directory::discovering(BTreeMap::from([(chain, usdc)]));
    }

    fn read(&mut self, root: &Section<'_>, given: &mut Given<'_>) {
        let chains = root.get("chain").map(|chains| chains.named()).unwrap_or_default();
        // A chain that is named but wrong is no reason to call it unknown elsewhere.
        let known: Vec<u64> = chains.iter().filter_map(|chain| chain.name().parse().ok()).collect();
        for chain in &chains {
            let names: &[&str] = if chains.len() == 1 { &["RPC_URL_", "RPC_URL"] } else { &["RPC_URL_"] };
            self.chains.extend(read_chain(chain, names, given));
        }
        if chains.len() > 1 && given.environment.has("RPC_URL") {
            given.problem(
                "RPC_URL",
                "does not say which chain it is for",
                format!(
                    "set {}",
                    known.iter().map(|id| format!("RPC_URL_{id}")).collect::<Vec<_>>().join(", ")
                ),
            );
        }
        let usdc: BTreeMap<u64, Address> = self.chains.iter().map(|chain| (chain.id, chain.usdc)).collect();

        let mut sources = Seen::default();
        for source in tables(root, "source") {
            self.sources.extend(read_source(&source, &known, &mut sources));
        }
        let mut seen = Seen::default();
        let shares = tables(root, "asset");
        let assets = shares.iter().filter_map(|share| read_asset(share, &known, &usdc, &mut seen)).collect();
        self.directory =
            if shares.is_empty() { Directory::discovering(usdc) } else { Directory::listed(usdc, assets) };
        if let Some(store) = root.get("store").and_then(|store| store.section(STORE_KEYS)) {
            self.store.data = store.get("data").and_then(|data| data.text(directory));
        }
    }
}

/// Places where a name, a contract or a token was first used.
#[derive(Default)]
struct Seen(BTreeMap<String, usize>);

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

fn tables<'r>(root: &Section<'r>, key: &str) -> Vec<Node<'r>> {
    let Some(node) = root.get(key) else { return Vec::new() };
    node.items_of(&format!("a list of tables: write [[{key}]] above each")).unwrap_or_default()
}

/// Every item read, or none if one is wrong; reads to the end, so that each wrong one is named.
fn all<T>(items: &[Node<'_>], read: impl FnMut(&Node<'_>) -> Option<T>) -> Option<Vec<T>> {
    let read: Vec<Option<T>> = items.iter().map(read).collect();
    read.into_iter().collect()
}

fn read_chain(node: &Node<'_>, variables: &[&str], given: &mut Given<'_>) -> Option<ChainSettings> {
    let id = node.name().parse().ok().filter(|id| *id > 0);
    if id.is_none() {
        node.refuse("is not a chain id", "write its number: [chain.8453]");
    }
    let section = node.section(CHAIN_KEYS)?;
    let usdc =
        section.need("usdc", "give the address of USDC on this chain").and_then(|node| node.text(address));
    let variables: Vec<String> = variables
        .iter()
        .map(|name| if name.ends_with('_') { format!("{name}{}", node.name()) } else { (*name).to_owned() })
        .collect();
    let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
    let rpc = match (given.rpc(&variables), section.get("rpc")) {
        (Some(rpc), _) => Some(rpc),
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
    Some(ChainSettings {
        id: id?,
        rpc: rpc?,
        usdc: usdc?,
        poll_ms: poll_ms?,
        timeout_ms: timeout_ms?,
        concurrency: concurrency?,
        proof_budget: proof_budget?,
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

fn read_source(node: &Node<'_>, chains: &[u64], seen: &mut Seen) -> Option<SourceSettings> {
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
    Some(SourceSettings {
        name: name?,
        chain: chain?,
        kind: kind?,
        address: address?,
        owners: owners?,
        from_block: from_block?,
        hedge_at: hedge_at?,
        believe: believe?,
    })
}

fn read_owners(node: &Node<'_>, kind: Option<Kind>) -> Option<Vec<Address>> {
    let items = node.items()?;
    if items.is_empty() && kind.is_some_and(|kind| kind != Kind::Inventory) {
        node.refuse("names nobody", "list the addresses whose orders are yours");
        return None;
    }
    let mut seen = Seen::default();
    all(&items, |item| {
        let owner = item.text(address)?;
        seen.once(item, format!("the owner {owner}"), "name every owner once");
        Some(owner)
    })
}

fn read_asset(
    node: &Node<'_>,
    chains: &[u64],
    usdc: &BTreeMap<u64, Address>,
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
    let threshold = section
        .need("threshold", "give { shares = N } or { usd = N }: nothing that moves money has a default")
        .and_then(|node| read_threshold(&node));
    let pyth_feed = match section.get("pyth_feed") {
        None => Some(None),
        Some(node) => node.text(feed).map(Some),
    };
    Some(Asset { symbol: symbol?, tokens: tokens?, threshold: Some(threshold?), pyth_feed: pyth_feed? })
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
    match (section.get("shares"), section.get("usd")) {
        (Some(shares), None) => above_zero(&shares).map(Threshold::Shares),
        (None, Some(usd)) => above_zero(&usd).map(Threshold::Usd),
        (Some(_), Some(_)) => {
            node.refuse("has both shares and usd", "keep one of them");
            None
        }
        (None, None) => {
            section.need("shares", "give { shares = N } or { usd = N }");
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

/// What the environment gives, and what is wrong with it.
struct Given<'e> {
    environment: &'e Environment,
    problems: Vec<Problem>,
}

impl<'e> Given<'e> {
    const fn new(environment: &'e Environment) -> Self {
        Self { environment, problems: Vec::new() }
    }

    fn problem(&mut self, name: &str, what: impl Into<String>, next: impl Into<String>) {
        self.problems.push(Problem::new(name, what, next));
    }

    /// Leaves a problem, unless `name` is there and wrong already.
    fn missing<T>(&mut self, name: &str, next: String) -> Option<T> {
        if !self.problems.iter().any(|problem| problem.place == name) {
            self.problem(name, "is missing", next);
        }
        None
    }

    fn secret(&mut self, name: &str) -> Option<Secret> {
        self.environment.value(name).map_err(|problem| self.problems.push(problem)).ok().flatten()
    }

    fn value<T>(&mut self, name: &str, make: impl Fn(&str) -> Result<T, Wrong>) -> Option<T> {
        let secret = self.secret(name)?;
        make(secret.expose()).map_err(|Wrong { what, next }| self.problem(name, what, next)).ok()
    }

    /// The nodes that the first of `names` lists, or else `WS_RPC_URL`, as the earlier system called it.
    fn rpc(&mut self, names: &[&str]) -> Option<Vec<String>> {
        if let Some(name) = names.iter().find(|name| self.environment.has(name)) {
            return self.value(name, rpc_urls);
        }
        let name = names.contains(&"RPC_URL").then_some("WS_RPC_URL")?;
        self.value(name, |text| {
            if text.starts_with("ws") {
                let next =
                    "a websocket would only ring the bell: set RPC_URL to an http(s) url of the same node";
                return Err(wrong("is a websocket", next));
            }
            rpc_urls(text)
        })
    }
}

fn http_url(text: &str) -> Result<Url, Wrong> {
    let url = Url::parse(text)
        .map_err(|error| wrong(format!("is not a url: {error}"), "write http://host:port"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(wrong(
            format!("{scheme}://{} is not an http(s) url", host_of(text)),
            "give the node's http(s) url: blocks are polled",
        )),
    }
}

fn rpc_urls(text: &str) -> Result<Vec<String>, Wrong> {
    text.split(',').map(str::trim).map(|url| http_url(url).map(|_| url.to_owned())).collect()
}

fn address(text: &str) -> Result<Address, Wrong> {
    let digits = text.strip_prefix("0x").unwrap_or_default();
    let next = "write 0x and 40 hex digits";
    if digits.len() != 40 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(wrong(format!("`{text}` is not an address"), next));
    }
    let read: Address = text.parse().map_err(|_| wrong(format!("`{text}` is not an address"), next))?;
    let spelt_right =
        digits.bytes().all(|digit| !digit.is_ascii_uppercase()) || read.to_checksum(None) == text;
    if !spelt_right {
        let next = "copy it again from where it came; if you are sure, write it in lower case";
        return Err(wrong(format!("`{text}` has a wrong checksum: a digit or a letter's case is off"), next));
    }
    if read.is_zero() {
        return Err(wrong("is the zero address", "give the real one"));
    }
    Ok(read)
}

fn addresses(text: &str) -> Result<Vec<Address>, Wrong> {
    text.split(',').map(str::trim).map(address).collect()
}

fn whole(text: &str) -> Result<u64, Wrong> {
    text.parse().map_err(|_| wrong(format!("`{text}` is not a whole number"), "write digits only"))
}

fn kind(text: &str) -> Result<Kind, Wrong> {
    one_of(text, &Kind::ALL.map(|kind| (kind.word(), kind)))
}

fn hedge_at(text: &str) -> Result<HedgeAt, Wrong> {
    let read: Result<_, serde::de::value::Error> = HedgeAt::deserialize(text.into_deserializer());
    read.map_err(|_| {
        wrong(format!("`{text}` is unknown"), "give latest, safe, finalized or a number of blocks")
    })
}

fn one_of<T: Copy>(text: &str, all: &[(&str, T)]) -> Result<T, Wrong> {
    if let Some((_, found)) = all.iter().find(|(word, _)| *word == text) {
        return Ok(*found);
    }
    let words: Vec<&str> = all.iter().map(|(word, _)| *word).collect();
    let next = match nearest(text, &words) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("give one of {}", words.join(", ")),
    };
    Err(wrong(format!("`{text}` is unknown"), next))
}

fn name(text: &str) -> Result<String, Wrong> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if text.is_empty() || !text.chars().all(plain) {
        return Err(wrong(format!("`{text}` is not a name"), "use letters, digits, `-`, `_` and `.`"));
    }
    Ok(text.to_owned())
}

fn ticker(text: &str) -> Result<String, Wrong> {
    if let Ok(token) = tokenized(text) {
        let next = format!("write the share's own: `{}`", book_symbol(token.ticker));
        return Err(wrong(format!("`{text}` is a token's symbol"), next));
    }
    let plain =
        |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || ".-".contains(letter);
    if text.is_empty() || text == "USDC" || !text.chars().all(plain) {
        return Err(wrong(
            format!("`{text}` is not a ticker"),
            "write it as the market does, such as \"AAPL\"",
        ));
    }
    let newest = book_symbol(text);
    if newest != text {
        return Err(wrong(format!("`{text}` has been renamed"), format!("write `{newest}`")));
    }
    Ok(text.to_owned())
}

fn feed(text: &str) -> Result<B256, Wrong> {
    text.parse().map_err(|_| wrong(format!("`{text}` is not a Pyth feed id"), "write 0x and 64 hex digits"))
}

fn directory(text: &str) -> Result<PathBuf, Wrong> {
    if !text.starts_with('/') {
        return Err(wrong(format!("`{text}` is not an absolute path"), "begin it with /"));
    }
    Ok(PathBuf::from(text))
}

fn duration_ms(text: &str) -> Result<u64, Wrong> {
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|duration| u64::try_from(duration.as_millis()).ok())
        .filter(|milliseconds| *milliseconds > 0)
        .ok_or_else(|| wrong(format!("`{text}` is not a duration"), "write it like \"2s\" or \"500ms\""))
}
