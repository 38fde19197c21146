//! `hedge.toml` and the environment, made into each room's settings.
//!
//! - everything that is wrong is said at once, a line each: place, what, what to do;
//! - nothing that moves money has a default;
//! - a secret comes from the environment, a named file or systemd's credentials,
//!   never from the file.
//!
//! The form of the file, key by key, is what `hedge init` writes ([`TEMPLATE`]).
//! Whether what it names exists is not asked here: `hedge doctor` does.

mod alerting;
mod environment;
mod given;
mod hedging;
pub mod jobs;
mod problem;
mod proving;
mod reading;
mod sections;
mod words;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use alloy::primitives::Address;

pub use environment::Environment;
use given::Given;
use hedging::HEDGE_VARIABLES;
use problem::wrong;
pub use problem::{Problem, Problems};
use reading::{Node, Reader, Section};
use sections::{
    CONCURRENCY, JOBS_KEYS, POLL_MS, ROOT_KEYS, STORE_KEYS, Seen, TIMEOUT_MS, WEB_KEYS, read_asset,
    read_chain, read_source, tables,
};
use words::{address, addresses, directory, kind, listen, rpc_urls, whole};

use crate::{
    alert,
    assets::{Asset, Directory, Token},
    book::coverage::Verdict,
    chain::source::{ChainSettings, HedgeAt, Kind, ProofBudget, SourceSettings, usual_pyth},
    job::reconcile::ReconcileSettings,
    policy::inventory::InventorySettings,
    policy::{HedgeSettings, Limits},
    secret::Secret,
    store::{DatabaseUrl, StoreError},
    venue::VenueSettings,
    web,
};

/// What `hedge init` writes: every key, explained.
pub const TEMPLATE: &str = include_str!("config/template.toml");

/// Where a file is looked for when nobody names one.
const PLACES: [&str; 2] = ["hedge.toml", "/etc/hedge/hedge.toml"];

/// The environment's description of one source.
const SOURCE_VARIABLES: [&str; 7] =
    ["WS_RPC_URL", "ORDERBOOK", "ORDER_OWNER", "DEPLOYMENT_BLOCK", "USDC", "CHAIN_ID", "ORDERBOOK_KIND"];

/// Base, and USDC on it: what the environment means when it names neither.
const BASE: u64 = 8453;
const USDC_ON_BASE: &str = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";

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
    /// How hedging goes; none: nothing is hedged.
    pub hedge: Option<HedgeSettings>,
    /// Brokers, in the order of their names.
    pub venues: Vec<VenueSettings>,
    /// What no order may exceed; there where `hedge` is.
    pub limits: Option<Limits>,
    /// Whom to tell, and from when on; none: what is seen is on record, and nobody is told.
    pub alerts: Option<alert::Settings>,
    /// Where it can be looked at, and by whom.
    pub web: web::Settings,
    /// `ENCRYPTION_KEY`: what tokens of logins are kept under, 64 hex digits.
    pub encryption_key: Option<Secret>,
    /// How the books are proved.
    pub reconcile: ReconcileSettings,
    /// How much should lie where.
    pub inventory: InventorySettings,
    /// Where the books are kept.
    pub store: StoreSettings,
    /// The operator's own files of jobs; see [`jobs::specs`].
    pub jobs: Option<PathBuf>,
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
        config.encryption_of_environment(&mut given);
        config.web.token = given.secret("HEDGE_WEB_TOKEN");
        config.note_what_is_not_hedged();
        let unused = SOURCE_VARIABLES.iter().map(|name| (*name, "the sources"));
        let unused = unused.chain(HEDGE_VARIABLES.iter().map(|name| (*name, "hedging")));
        for (name, what) in unused.filter(|(name, _)| environment.has(name)) {
            config.notes.push(format!("{name} is set but not used: {} describes {what}", path.display()));
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
        config.hedging_of_environment(&mut given);
        config.read_proving(None, &mut given);
        config.encryption_of_environment(&mut given);
        config.web.token = given.secret("HEDGE_WEB_TOKEN");
        config.note_what_is_not_hedged();
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
        let rpc = match given.first_of(&["RPC_URL", "WS_RPC_URL"].map(str::to_owned)) {
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
            pyth: usual_pyth(chain),
            payers: Vec::new(),
            eth_feed: None,
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
            vaults: Vec::new(),
            wallets: Vec::new(),
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
        let venues = self.read_hedging(root, given);
        let mut seen = Seen::default();
        let shares = tables(root, "asset");
        let read = |share: &Node<'_>| read_asset(share, &known, &usdc, &venues, &mut seen);
        let assets = shares.iter().filter_map(read).collect();
        self.directory =
            if shares.is_empty() { Directory::discovering(usdc) } else { Directory::listed(usdc, assets) };
        if let Some(jobs) = root.get("jobs").and_then(|jobs| jobs.section(JOBS_KEYS)) {
            self.jobs = jobs.get("dir").and_then(|dir| dir.text(directory));
        }
        self.read_alerts(root, given);
        if let Some(web) = root.get("web").and_then(|web| web.section(WEB_KEYS)) {
            self.web.listen = web.get("listen").and_then(|node| node.text(listen));
        }
        self.read_proving(Some(root), given);
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

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;
    use rust_decimal::Decimal;

    use super::{
        hedging::{HEDGE_KEYS, LIMITS_KEYS, VENUE_KEYS},
        proving::{INVENTORY_KEYS, RECONCILE_KEYS},
        sections::{
            ASSET_KEYS, BUDGET_KEYS, CHAIN_KEYS, SOURCE_KEYS, THRESHOLD_KEYS, TOKEN_KEYS, VAULT_KEYS,
        },
        *,
    };
    use crate::assets::Threshold;

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
    fn vaults_are_an_owners_and_a_sole_owner_need_not_be_named() {
        let with =
            |vaults: &str| file().replace("hedge_at = 12", &format!("hedge_at = 12\nvaults = [{vaults}]"));
        let listed =
            with(&format!(r#"{{ token = "{TOKEN}", id = "0x1f" }}, {{ token = "{TOKEN}", id = "31" }}"#));
        let vaults = read(&listed, &[]).unwrap().sources.remove(0).vaults;
        assert_eq!(vaults[0], vaults[1]);
        assert_eq!((vaults[0].owner, vaults[0].vault_id), (OWNER.parse().unwrap(), B256::with_last_byte(31)));
        for wrong in [
            format!(r#"{{ token = "{TOKEN}", id = "0x" }}"#),
            format!(r#"{{ token = "{TOKEN}", id = "0x1", owner = "{TOKEN}" }}"#),
            format!(r#"{{ id = "0x1", owner = "{OWNER}" }}"#),
        ] {
            assert_eq!(read(&with(&wrong), &[]).unwrap_err().iter().count(), 1, "{wrong}");
        }
    }

    #[test]
    fn a_wallet_is_counted_by_one_source_and_by_none_that_is_no_orderbook() {
        let with =
            |wallets: &str| file().replace("hedge_at = 12", &format!("hedge_at = 12\nwallets = [{wallets}]"));
        let one = with(&format!("\"{OWNER}\""));
        assert_eq!(read(&one, &[]).unwrap().sources.remove(0).wallets, [OWNER.parse::<Address>().unwrap()]);
        for wrong in
            [with(&format!("\"{OWNER}\", \"{OWNER}\"")), one.replace("raindex-v5", "raindex-inventory")]
        {
            let problems = read(&wrong, &[]).unwrap_err();
            assert_eq!(problems.iter().count(), 1, "{wrong}");
            assert!(problems.iter().all(|problem| problem.place.contains("source.wallets")), "{problems:?}");
        }
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
        let config =
            read(&file(), &[("ORDERBOOK", ORDERBOOK), ("WS_RPC_URL", "wss://node.example")]).unwrap();
        assert_eq!(
            config.notes,
            [
                "WS_RPC_URL is set but not used: hedge.toml describes the sources",
                "ORDERBOOK is set but not used: hedge.toml describes the sources"
            ]
        );
    }

    #[test]
    fn a_chain_is_spelt_in_one_way() {
        let text = file() + "[chain.08453]\nrpc = [\"http://other\"]\nusdc = \"" + USDC_ON_BASE + "\"\n";
        let problems = read(&text, &[]).unwrap_err().to_string();
        assert_eq!(problems, "hedge.toml:26: chain.08453: is not a chain id; write its number: [chain.8453]");
    }

    #[test]
    fn no_key_of_a_url_and_no_password_is_ever_printed() {
        let text = file().replace("http://127.0.0.1:8545", "ftp://me:hunter2@node.example/v2/hunter2");
        let problems = read(&text, &[("DATABASE_URL", "mysql://me:hunter2@db/x")]).unwrap_err();
        assert!(!problems.to_string().contains("hunter2"), "{problems}");

        let key = "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318";
        let problems = of_environment(&[("ORDERBOOK", key)]).unwrap_err();
        assert!(!problems.to_string().contains("4c0883"), "{problems}");

        let config = read(&file(), &[("RPC_URL", "https://node.example/v2/hunter2")]).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
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
    fn who_pays_and_what_eth_is_worth_are_of_a_chain() {
        let feed = format!("0x{}", "0f".repeat(32));
        let paying = |payers: &str, feed: &str| {
            file().replacen(
                "[chain.8453]",
                &format!("[chain.8453]\npayers = [{payers}]\neth_feed = \"{feed}\""),
                1,
            )
        };
        let ours = format!("\"{ORDERBOOK}\", \"{TOKEN}\"");
        let chain = &read(&paying(&ours, &feed), &[]).unwrap().chains[0];
        assert_eq!(chain.payers, [ORDERBOOK, TOKEN].map(|payer| payer.parse::<Address>().unwrap()));
        assert_eq!(chain.eth_feed.unwrap().to_string(), feed);
        assert_eq!(
            (
                read(&file(), &[]).unwrap().chains[0].payers.len(),
                read(&file(), &[]).unwrap().chains[0].eth_feed
            ),
            (0, None)
        );
        let twice = read(&paying(&format!("\"{TOKEN}\", \"{TOKEN}\""), "0x12"), &[]).unwrap_err().to_string();
        for said in ["name every payer once", "`0x12` is not a Pyth feed id"] {
            assert!(twice.contains(said), "{twice}");
        }
        let elsewhere = read(&paying("", &feed).replace("8453", "10"), &[]).unwrap_err().to_string();
        assert!(
            elsewhere.contains("chain.10.eth_feed: asks a Pyth that is not known on this chain"),
            "{elsewhere}"
        );
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
                if line.starts_with("pyth_feed") || line.starts_with("eth_feed") {
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
        assert_eq!(config.venues.len(), 2);
        assert!(config.hedge.is_some() && config.limits.is_some());
        for key in [
            ROOT_KEYS,
            CHAIN_KEYS,
            BUDGET_KEYS,
            SOURCE_KEYS,
            ASSET_KEYS,
            TOKEN_KEYS,
            THRESHOLD_KEYS,
            VAULT_KEYS,
            HEDGE_KEYS,
            VENUE_KEYS,
            LIMITS_KEYS,
            RECONCILE_KEYS,
            INVENTORY_KEYS,
            alerting::ALERTS_KEYS,
            STORE_KEYS,
            WEB_KEYS,
        ]
        .concat()
        {
            let mentioned = TEMPLATE.contains(&format!("{key} = ")) || TEMPLATE.contains(&format!("[{key}"));
            assert!(mentioned, "`{key}` is not explained");
        }
    }
}
