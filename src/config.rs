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
use reading::{Node, Reader, Section, Wrong, wrong};

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

/// Base, and USDC on it: what the environment means when it names neither.
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
            let said = |error: &StoreError| error.to_string().trim_start_matches("DATABASE_URL ").to_owned();
            text.parse().map_err(|error| wrong(said(&error), error.next()))
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

    /// What to keep of what was discovered: the `[[asset]]` tables, and without a
    /// file the others too. Nodes are left to `RPC_URL`: their urls may carry keys.
    pub fn to_toml(&self) -> String {
        let described = if self.file.is_none() { self.surroundings() } else { Vec::new() };
        let assets = self.directory.assets().iter().map(asset_toml);
        let mut tables: Vec<String> = described.into_iter().chain(assets).collect();
        if self.directory.assets().is_empty() {
            tables.push(
                "# No token was met yet: index first, then ask again for the [[asset]] tables.\n".to_owned(),
            );
        }
        tables.join("\n")
    }

    fn surroundings(&self) -> Vec<String> {
        let chains = self.chains.iter().map(|ChainSettings { id, usdc, .. }| {
            format!("[chain.{id}]\n# rpc is left out: RPC_URL in the environment names the nodes.\nusdc = \"{usdc}\"\n")
        });
        let sources = self.sources.iter().map(|source| {
            let SourceSettings { name, chain, kind, address, owners, from_block, .. } = source;
            let owners: Vec<String> = owners.iter().map(|owner| format!("\"{owner}\"")).collect();
            format!(
                "[[source]]\nname = \"{name}\"\nchain = {chain}\nkind = \"{kind}\"\naddress = \"{address}\"\n\
                 owners = [{}]\nfrom_block = {from_block}\n",
                owners.join(", ")
            )
        });
        chains.chain(sources).collect()
    }

    fn source_of_environment(&mut self, given: &mut Given<'_>) {
        let chain = given.value("CHAIN_ID", whole).unwrap_or(BASE);
        let usdc = match given.value("USDC", address) {
            None if chain == BASE => address(USDC_ON_BASE).ok(),
            None => given.missing("USDC", format!("give the address of USDC on chain {chain}")),
            found => found,
        };
        let rpc = match given.rpc_variable(&["RPC_URL".to_owned()]) {
            Some(name) => given.value(&name, rpc_urls),
            None => given.missing("RPC_URL", "give the http(s) url of a node".to_owned()),
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
        let (Some(rpc), Some(usdc), Some(address), Some(owners), Some(from_block)) =
            (rpc, usdc, orderbook, owners, from_block)
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
            let mut variables = vec![format!("RPC_URL_{}", chain.name())];
            variables.extend((chains.len() == 1).then(|| "RPC_URL".to_owned()));
            self.chains.extend(read_chain(chain, &variables, given));
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

fn asset_toml(Asset { symbol, tokens, .. }: &Asset) -> String {
    let tokens: Vec<String> = tokens
        .iter()
        .map(|Token { chain, address, wrapped }| {
            format!("{{ chain = {chain}, address = \"{address}\", wrapped = {wrapped} }}")
        })
        .collect();
    format!(
        "[[asset]]\nsymbol = \"{symbol}\"\ntokens = [{}]\n# An example: nothing is hedged on a guess.\nthreshold = {{ shares = 1 }}\n",
        tokens.join(", ")
    )
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

fn read_chain(node: &Node<'_>, variables: &[String], given: &mut Given<'_>) -> Option<ChainSettings> {
    let id = node.name().parse().ok().filter(|id| *id > 0);
    if id.is_none() {
        node.refuse("is not a chain id", "write its number: [chain.8453]");
    }
    let section = node.section(CHAIN_KEYS)?;
    let usdc =
        section.need("usdc", "give the address of USDC on this chain").and_then(|node| node.text(address));
    let rpc = match (given.rpc_variable(variables), section.get("rpc")) {
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
        if !self.problems.iter().any(|problem| problem.place.starts_with(name)) {
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

    /// The variable that lists nodes: the first of `names`, or else, for a sole chain,
    /// `WS_RPC_URL`, as the earlier system called it.
    fn rpc_variable(&self, names: &[String]) -> Option<String> {
        let earlier = names.iter().any(|name| name == "RPC_URL").then(|| "WS_RPC_URL".to_owned());
        names.iter().cloned().chain(earlier).find(|name| self.environment.has(name))
    }
}

fn http_url(text: &str) -> Result<Url, Wrong> {
    let next =
        "give the http(s) url of the same node: blocks are polled, a websocket would only ring the bell";
    let url = Url::parse(text)
        .map_err(|error| wrong(format!("is not a url: {error}"), "write http://host:port"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(wrong(format!("{scheme}://{} is not an http(s) url", host_of(text)), next)),
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
    Err(wrong(format!("`{text}` is unknown"), format!("give one of {}", words.join(", "))))
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

#[cfg(test)]
mod tests {
    use super::*;

    const ORDERBOOK: &str = "0xd2938e7c9fe3597f78832ce780feb61945c377d7";
    const OWNER: &str = "0x17a0b3a25eaeed3d31e2e0fd3a8a5e0f0c4c7e0a";
    const TOKEN: &str = "0x5cda0e1ca4ce2af96315f7f8963c85399c172204";

    fn file() -> String {
        format!(
            r#"
[chain.8453]
rpc = ["http://127.0.0.1:8545"]
usdc = "{USDC_ON_BASE}"
poll = "500ms"
proof_budget = {{ mib = 64 }}

[[source]]
name = "raindex"
chain = 8453
kind = "raindex-v5"
address = "{ORDERBOOK}"
owners = ["{OWNER}"]
from_block = 41_747_644
hedge_at = 12
believe = "proved"

[[asset]]
symbol = "AAPL"
tokens = [{{ chain = 8453, address = "{TOKEN}", wrapped = true }}]
threshold = {{ usd = 2.50 }}
pyth_feed = "0x49f6b65cb1de6b10eaf75e7c03ca029c306d0357e91b5311b175084a5ad55688"

[store]
data = "/var/lib/hedge"
"#
        )
    }

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<Config, Problems> {
        Config::of_file(Path::new("hedge.toml"), text, &environment.iter().copied().collect())
    }

    fn of_environment(pairs: &[(&str, &str)]) -> Result<Config, Problems> {
        Config::of_environment(&pairs.iter().copied().collect())
    }

    #[test]
    fn a_whole_file_becomes_settings() {
        let config = read(&file(), &[]).unwrap();

        let chain = &config.chains[0];
        assert_eq!((chain.id, chain.poll_ms, chain.timeout_ms, chain.concurrency), (8453, 500, 30_000, 8));
        assert_eq!(chain.rpc, ["http://127.0.0.1:8545"]);
        assert_eq!(chain.proof_budget, ProofBudget { mib: 64, requests: 1200 });
        let source = &config.sources[0];
        assert_eq!((source.kind, source.from_block), (Kind::RaindexV5, 41_747_644));
        assert_eq!((source.hedge_at, source.believe), (HedgeAt::Blocks(12), Verdict::Proved));
        let asset = &config.directory.assets()[0];
        assert_eq!(asset.threshold, Some(Threshold::Usd(Decimal::new(250, 2))));
        assert!(asset.pyth_feed.is_some());
        assert!(!config.directory.is_discovering());
        assert_eq!(config.store.data, Some(PathBuf::from("/var/lib/hedge")));
    }

    #[test]
    fn what_is_left_out_has_the_documented_default() {
        let text = file().replace("hedge_at = 12\nbelieve = \"proved\"\n", "");
        let source = read(&text, &[]).unwrap().sources.remove(0);
        assert_eq!((source.hedge_at, source.believe), (HedgeAt::Safe, Verdict::Bloom));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once_in_the_order_of_the_file() {
        let text = file()
            .replace("raindex-v5", "raindex-v7")
            .replace("usd = 2.50", "usd = 0")
            .replace("[store]", "[stroe]");
        let problems = read(&text, &[("RPC_URL_FILE", "/nonexistent")]).unwrap_err();
        let places: Vec<&str> = problems.iter().map(|problem| problem.place.as_str()).collect();
        assert_eq!(
            places,
            [
                "hedge.toml:11: source.kind",
                "hedge.toml:21: asset.threshold.usd",
                "hedge.toml:24: stroe",
                "RPC_URL_FILE"
            ]
        );
    }

    #[test]
    fn an_inventory_may_name_no_operators() {
        let text = file()
            .replace("raindex-v5", "raindex-inventory")
            .replace(&format!("owners = [\"{OWNER}\"]\n"), "");
        assert!(read(&text, &[]).unwrap().sources[0].owners.is_empty());
    }

    #[test]
    fn rpc_url_replaces_the_list_of_a_sole_chain_and_of_the_chain_it_names() {
        let keyed = "https://node.example/v2/key, http://second.example";
        for name in ["RPC_URL", "RPC_URL_8453"] {
            let config = read(&file(), &[(name, keyed)]).unwrap();
            assert_eq!(config.chains[0].rpc, ["https://node.example/v2/key", "http://second.example"]);
        }
    }

    #[test]
    fn without_a_file_the_environment_describes_one_source() {
        let config = of_environment(&[
            ("RPC_URL", "http://127.0.0.1:8545"),
            ("ORDERBOOK", ORDERBOOK),
            ("ORDER_OWNER", OWNER),
            ("DEPLOYMENT_BLOCK", "41747644"),
        ])
        .unwrap();

        assert_eq!(config.sources[0].name, "raindex");
        assert_eq!((config.sources[0].chain, config.sources[0].kind), (8453, Kind::RaindexV6));
        assert!(config.directory.is_discovering());
        assert_eq!(config.directory.usdc(8453), USDC_ON_BASE.parse().ok());
    }

    #[test]
    fn an_environment_that_says_too_little_is_told_all_that_is_missing() {
        let problems = of_environment(&[
            ("ORDERBOOK", ORDERBOOK),
            ("WS_RPC_URL", "wss://node.example/key"),
            ("CHAIN_ID", "1"),
        ])
        .unwrap_err()
        .to_string();
        assert_eq!(
            problems,
            "USDC: is missing; give the address of USDC on chain 1\n\
             WS_RPC_URL: wss://node.example is not an http(s) url; give the http(s) url of the same node: blocks are \
             polled, a websocket would only ring the bell\n\
             ORDER_OWNER: is missing; give the address whose orders are yours\n\
             DEPLOYMENT_BLOCK: is missing; give the first block to read"
        );
    }

    #[test]
    fn a_source_in_the_environment_beside_a_file_is_noted() {
        let config = read(&file(), &[("ORDERBOOK", ORDERBOOK)]).unwrap();
        assert_eq!(config.notes, ["ORDERBOOK is set but not used: hedge.toml describes the sources"]);
    }

    #[test]
    fn no_key_of_a_url_and_no_password_is_ever_printed() {
        let text = file().replace("http://127.0.0.1:8545", "ftp://me:hunter2@node.example/v2/hunter2");
        let problems = read(&text, &[("DATABASE_URL", "mysql://me:hunter2@db/x")]).unwrap_err();
        assert!(!problems.to_string().contains("hunter2"), "{problems}");
    }

    #[test]
    fn what_was_discovered_can_be_kept_as_a_file() {
        let rpc = ("RPC_URL", "http://127.0.0.1:8545");
        let mut config = of_environment(&[
            rpc,
            ("ORDERBOOK", ORDERBOOK),
            ("ORDER_OWNER", OWNER),
            ("DEPLOYMENT_BLOCK", "7"),
        ])
        .unwrap();
        config.directory.learn(8453, TOKEN.parse().unwrap(), "wtAAPL").unwrap();

        let kept = read(&config.to_toml(), &[rpc]).unwrap();

        assert_eq!(kept.directory.assets()[0].tokens, config.directory.assets()[0].tokens);
        assert_eq!(kept.sources[0].address, config.sources[0].address);
    }

    #[test]
    fn the_template_explains_every_key_and_reads_once_filled_in() {
        let filled: String = TEMPLATE
            .lines()
            // Keys and tables that are commented out are put to work.
            .map(|line| match line.strip_prefix("# ") {
                Some(key)
                    if key.starts_with('[')
                        || key.split_once(" = ").is_some_and(|(word, _)| !word.contains(' ')) =>
                {
                    key
                }
                _ => line,
            })
            .map(|line| {
                if line.starts_with("pyth_feed") {
                    line.replace("0x…", &format!("0x{}", "0f".repeat(32)))
                } else {
                    line.to_owned()
                }
            })
            .map(|line| if line.starts_with("tokens") { line.replace("0x…", TOKEN) } else { line })
            .map(|line| line.replace("0x…", ORDERBOOK) + "\n")
            .collect();
        let config = read(&filled, &[]).unwrap_or_else(|problems| panic!("{problems}\n{filled}"));
        assert_eq!(config.directory.assets().len(), 1);
        for key in [
            ROOT_KEYS,
            CHAIN_KEYS,
            BUDGET_KEYS,
            SOURCE_KEYS,
            ASSET_KEYS,
            TOKEN_KEYS,
            THRESHOLD_KEYS,
            STORE_KEYS,
        ]
        .concat()
        {
            let mentioned = TEMPLATE.contains(&format!("{key} = ")) || TEMPLATE.contains(&format!("[{key}"));
            assert!(mentioned, "`{key}` is not explained");
        }
    }
}
