//! Bad input: what you give, what it says. Each row of the table in docs/configuration.md is one of these.

use std::{collections::BTreeMap, path::Path, process::Command};

use hedge::config::{Config, Environment};
use insta::assert_snapshot;

const GOOD: &str = r#"[chain.8453]
rpc = ["http://127.0.0.1:8545"]
usdc = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"

[[source]]
name = "raindex"
chain = 8453
kind = "raindex-v6"
address = "0xd2938e7c9fe3597f78832ce780feb61945c377d7"
owners = ["0x17a0b3a25eaeed3d31e2e0fd3a8a5e0f0c4c7e0a"]
from_block = 41747644

[[asset]]
symbol = "AAPL"
tokens = [{ chain = 8453, address = "0x5cda0e1ca4ce2af96315f7f8963c85399c172204", wrapped = true }]
threshold = { shares = 1 }
"#;

/// What is said of the good file after `from` was replaced by `to` in it.
fn given(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    said(&GOOD.replacen(from, to, 1), &[])
}

/// What is said of the good file with `more` below it.
fn added(more: &str) -> String {
    said(&format!("{GOOD}{more}"), &[])
}

fn said(text: &str, environment: &[(&str, &str)]) -> String {
    let environment: Environment = environment.iter().copied().collect();
    match Config::of_file(Path::new("hedge.toml"), text, &environment) {
        Ok(_) => "nothing".to_owned(),
        Err(problems) => problems.to_string(),
    }
}

fn said_of(environment: &[(&str, &str)]) -> String {
    Config::of_environment(&environment.iter().copied().collect()).unwrap_err().to_string()
}

/// What the program says on stderr, and the code it ends with.
fn hedge(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let room = crate::world::scratch();
    let output = Command::new(env!("CARGO_BIN_EXE_hedge"))
        .args(arguments)
        .current_dir(room.path())
        .env_clear()
        .env("HOME", room.path())
        .envs(environment.iter().copied().collect::<BTreeMap<_, _>>())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap().replace(room.path().to_str().unwrap(), "ROOM");
    format!("{said}exit code {}", output.status.code().unwrap())
}

#[test]
fn the_readme_says_what_is_said() {
    let section = crate::tidy::WORDS.split("## Bad input").nth(1).unwrap();
    let table = section.split("\n## ").next().unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 15);
    for row in rows {
        let (_, said) = row.trim_end_matches(" |").rsplit_once(" | ").unwrap();
        let mark = if said.starts_with("``") { "``" } else { "`" };
        let message = said.split(mark).nth(1).unwrap().trim();
        for piece in message.split('…') {
            assert!(include_str!("bad_input.rs").contains(piece), "no test says: {piece}");
        }
    }
}

#[test]
fn the_good_file_is_good() {
    assert_eq!(said(GOOD, &[]), "nothing");
}

#[test]
fn a_misspelt_key() {
    assert_snapshot!(given("address = \"0xd2", "adress = \"0xd2"), @"hedge.toml:9: source.adress: unknown key; did you mean `address`?");
}

#[test]
fn a_key_nobody_knows() {
    assert_snapshot!(given("[chain.8453]", "[chain.8453]\nwebsocket = true"), @"hedge.toml:2: chain.8453.websocket: unknown key; remove it; known here: rpc, usdc, poll, timeout, concurrency, proof_budget, pyth, payers, eth_feed");
}

#[test]
fn a_wrong_checksum() {
    assert_snapshot!(given("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "0x833589FCD6eDb6E08f4c7C32D4f71b54bdA02913"), @"hedge.toml:3: chain.8453.usdc: `0x833589FCD6eDb6E08f4c7C32D4f71b54bdA02913` has a wrong checksum: a digit or a letter's case is off; copy it again from where it came; if you are sure, write it in lower case");
}

#[test]
fn a_placeholder_left_as_it_was() {
    assert_snapshot!(given("0x17a0b3a25eaeed3d31e2e0fd3a8a5e0f0c4c7e0a", "0x…"), @"hedge.toml:10: source.owners: `0x…` is not an address; write 0x and 40 hex digits");
}

#[test]
fn two_assets_on_one_token() {
    assert_snapshot!(added("[[asset]]\nsymbol = \"MSFT\"\ntokens = [{ chain = 8453, address = \"0x5cda0e1ca4ce2af96315f7f8963c85399c172204\", wrapped = true }]\nthreshold = { shares = 1 }\n"), @"hedge.toml:19: asset.tokens.address: the token 0x5cDa0E1CA4ce2af96315f7F8963C85399c172204 on chain 8453 is already used in line 15; a token stands for one share");
}

#[test]
fn one_symbol_twice() {
    assert_snapshot!(added("[[asset]]\nsymbol = \"AAPL\"\ntokens = [{ chain = 8453, address = \"0x1234567890123456789012345678901234567890\", wrapped = false }]\nthreshold = { usd = 2 }\n"), @"hedge.toml:18: asset.symbol: the symbol `AAPL` is already used in line 14; list all tokens of a share in one [[asset]]");
}

#[test]
fn two_sources_on_one_contract() {
    assert_snapshot!(added("[[source]]\nname = \"raindex\"\nchain = 8453\nkind = \"raindex-v6\"\naddress = \"0xd2938e7c9fe3597f78832ce780feb61945c377d7\"\nowners = [\"0x1234567890123456789012345678901234567890\"]\nfrom_block = 1\n"), @r#"
    hedge.toml:18: source.name: the name `raindex` is already used in line 6; give every source a name of its own
    hedge.toml:21: source.address: the contract 0xd2938E7c9fe3597F78832CE780Feb61945c377d7 on chain 8453 is already used in line 9; one source reads a contract: list both owners in it
    "#);
}

#[test]
fn no_owners() {
    assert_snapshot!(given("\"0x17a0b3a25eaeed3d31e2e0fd3a8a5e0f0c4c7e0a\"", ""), @"hedge.toml:10: source.owners: names nobody; list the addresses whose orders are yours");
}

#[test]
fn a_source_on_an_unknown_chain() {
    assert_snapshot!(given("chain = 8453", "chain = 1"), @"hedge.toml:7: source.chain: no [chain.1] is configured; add [chain.1] with its rpc and usdc");
}

#[test]
fn no_node() {
    assert_snapshot!(given("rpc = [\"http://127.0.0.1:8545\"]\n", ""), @"hedge.toml:1: chain.8453.rpc: is missing; list the http(s) urls of nodes, or set RPC_URL");
}

#[test]
fn a_websocket_for_a_node() {
    assert_snapshot!(given("http://127.0.0.1:8545", "wss://node.example/v2/key"), @"hedge.toml:2: chain.8453.rpc: wss://node.example is not an http(s) url; give the http(s) url of the same node: blocks are polled, a websocket would only ring the bell");
}

#[test]
fn a_number_in_quotes() {
    assert_snapshot!(given("41747644", "\"41747644\""), @"hedge.toml:11: source.from_block: is a string; it must be a whole number, without quotes");
}

#[test]
fn an_unknown_generation() {
    assert_snapshot!(given("raindex-v6", "raindex-v7"), @"hedge.toml:8: source.kind: `raindex-v7` is unknown; give one of raindex-v4, raindex-v5, raindex-v6, raindex-inventory");
}

#[test]
fn a_depth_that_is_none() {
    assert_snapshot!(given("from_block = 41747644", "from_block = 41747644\nhedge_at = \"soon\""), @"hedge.toml:12: source.hedge_at: `soon` is unknown; give latest, safe, finalized or a number of blocks");
}

#[test]
fn a_threshold_of_zero() {
    assert_snapshot!(given("shares = 1", "shares = 0"), @"hedge.toml:16: asset.threshold.shares: 0 is not above zero; give the exposure from which on to hedge");
}

#[test]
fn a_threshold_of_both() {
    assert_snapshot!(given("shares = 1", "shares = 1, usd = 2"), @"hedge.toml:16: asset.threshold: has both shares and usd; keep one of them");
}

#[test]
fn a_tokens_symbol_for_a_ticker() {
    assert_snapshot!(given("symbol = \"AAPL\"", "symbol = \"wtAAPL\""), @"hedge.toml:14: asset.symbol: `wtAAPL` is a token's symbol; write the share's own: `AAPL`");
}

/// Hedging as it should be, below the good file.
const HEDGING: &str = r#"[hedge]
venue = "alpaca"

[venue.alpaca]
kind = "alpaca"
environment = "paper"

[limits]
max_order_usd = 50000
max_day_usd = 500000
price_band_pct = 5
"#;

/// What is said of the good file with hedging, after `from` was replaced by `to` in it.
fn hedging(from: &str, to: &str) -> String {
    assert!(HEDGING.contains(from), "{from}");
    added(&HEDGING.replacen(from, to, 1))
}

#[test]
fn hedging_as_it_should_be() {
    assert_eq!(added(HEDGING), "nothing");
}

#[test]
fn hedging_without_limits() {
    let without = HEDGING.split("[limits]").next().unwrap();
    assert_snapshot!(added(without), @"hedge.toml:1: limits: is missing; give max_order_usd, max_day_usd and price_band_pct: nothing that moves money has a default");
}

#[test]
fn limits_with_nothing_in_them() {
    assert_snapshot!(hedging("max_order_usd = 50000\nmax_day_usd = 500000\nprice_band_pct = 5\n", ""), @r"
    hedge.toml:24: limits.max_order_usd: is missing; give the most dollars of one order, such as 50000
    hedge.toml:24: limits.max_day_usd: is missing; give the most dollars of one day, such as 500000
    hedge.toml:24: limits.price_band_pct: is missing; give how far a price may lie from its reference, such as 5
    ");
}

#[test]
fn limits_that_are_none() {
    assert_snapshot!(hedging("max_order_usd = 50000\nmax_day_usd = 500000\nprice_band_pct = 5", "max_order_usd = 0\nmax_day_usd = \"500000\"\nprice_band_pct = 0.005\nslippage_bps = 10000"), @r"
    hedge.toml:25: limits.max_order_usd: 0 is not above zero; give a number above zero
    hedge.toml:26: limits.max_day_usd: is a string; it must be a number, without quotes
    hedge.toml:27: limits.price_band_pct: 0.005 is not a percentage of 0.01 to 100; give it with two decimals at most
    hedge.toml:28: limits.slippage_bps: 10000 leaves nothing of a price; give hundredths of a percent, such as 100
    ");
}

#[test]
fn a_venue_without_environment() {
    assert_snapshot!(hedging("environment = \"paper\"\n", ""), @"hedge.toml:20: venue.alpaca.environment: is missing; say paper or live: nothing that moves money has a default");
}

#[test]
fn a_live_url_for_paper() {
    assert_snapshot!(hedging("environment = \"paper\"", "environment = \"paper\"\nbase_url = \"https://api.alpaca.markets\""), @"hedge.toml:23: venue.alpaca.base_url: api.alpaca.markets is live, and the environment is paper; say live, or give another url");
}

#[test]
fn a_paper_url_for_live() {
    assert_snapshot!(hedging("environment = \"paper\"", "environment = \"live\"\nbase_url = \"https://paper-api.alpaca.markets\""), @"hedge.toml:23: venue.alpaca.base_url: paper-api.alpaca.markets is paper, and the environment is live; say paper, or give another url");
}

#[test]
fn live_at_paper() {
    assert_snapshot!(hedging("kind = \"alpaca\"\nenvironment = \"paper\"", "kind = \"paper\"\nenvironment = \"live\""), @"hedge.toml:22: venue.alpaca.environment: money is never real at a venue of kind paper; say paper");
}

#[test]
fn live_keys_in_clear() {
    assert_snapshot!(hedging("environment = \"paper\"", "environment = \"live\"\nbase_url = \"http://broker.example\"\ndata_url = \"http://me:it@data.example\""), @r"
    hedge.toml:23: venue.alpaca.base_url: keys of a live account would travel in clear; write https://
    hedge.toml:24: venue.alpaca.data_url: is not the plain http(s) url of a host; write it like https://host, without user, query or fragment
    ");
}

#[test]
fn paper_at_schwab() {
    assert_snapshot!(hedging("kind = \"alpaca\"", "kind = \"schwab\""), @"hedge.toml:22: venue.alpaca.environment: api.schwabapi.com is live, and the environment is paper; say live, or give another url");
}

#[test]
fn a_venue_that_is_nowhere() {
    assert_snapshot!(hedging("venue = \"alpaca\"", "venue = \"alpca\""), @"hedge.toml:18: hedge.venue: no [venue.alpca] is configured; add [venue.alpca] with its kind and environment, or name another");
}

#[test]
fn an_asset_at_a_venue_that_is_nowhere() {
    let text = GOOD.replace("threshold = { shares = 1 }", "threshold = { shares = 1 }\nvenue = \"ibkr\"");
    assert_snapshot!(said(&format!("{text}{HEDGING}"), &[]), @"hedge.toml:17: asset.venue: no [venue.ibkr] is configured; add [venue.ibkr] with its kind and environment, or name another");
}

#[test]
fn parts_of_a_share_at_schwab() {
    let text = GOOD.replace("shares = 1", "fraction = 0.5");
    let schwab = HEDGING
        .replace("kind = \"alpaca\"\nenvironment = \"paper\"", "kind = \"schwab\"\nenvironment = \"live\"");
    assert_snapshot!(said(&format!("{text}{schwab}"), &[]), @"hedge.toml:16: asset.threshold: parts of a share are not traded at `alpaca`; give { shares = N } or { usd = N }, or name another venue");
}

#[test]
fn a_key_of_another_kind_of_venue() {
    assert_snapshot!(hedging("kind = \"alpaca\"", "kind = \"alpaca\"\naccount_index = 1"), @"hedge.toml:22: venue.alpaca.account_index: is nothing that a venue of kind alpaca has; remove it");
}

#[test]
fn a_key_without_its_secret() {
    assert_snapshot!(said(&format!("{GOOD}{HEDGING}"), &[("ALPACA_API_KEY", "PK123")]), @"ALPACA_API_SECRET: is missing; set it beside ALPACA_API_KEY");
}

#[test]
fn a_broker_that_nobody_knows() {
    assert_snapshot!(said_of(&[("BROKER", "ibkr")]), @"BROKER: `ibkr` is unknown; give one of alpaca, schwab, dry-run, paper");
}

#[test]
fn limits_in_the_environment_that_are_none() {
    assert_snapshot!(said_of(&[("BROKER", "alpaca"), ("HEDGE_MAX_ORDER_USD", "50k"), ("HEDGE_MAX_DAY_USD", "-1"), ("HEDGE_PRICE_BAND_PCT", "500")]), @r"
    HEDGE_MAX_ORDER_USD: `50k` is not a plain decimal number; write it like 0.5
    HEDGE_MAX_DAY_USD: -1 is not above zero; give a number above zero
    HEDGE_PRICE_BAND_PCT: 500 is not a percentage of 0.01 to 100; give it with two decimals at most
    ");
}

#[test]
fn a_secret_in_the_file() {
    assert_snapshot!(added("[store]\ndatabase_url = \"postgres://me:hunter2@db/hedge\"\n"), @"hedge.toml:18: store.database_url: a secret does not belong in a file; use the environment: DATABASE_URL, DATABASE_URL_FILE or a systemd credential");
}

#[test]
fn not_toml() {
    assert_snapshot!(given("kind = \"raindex-v6\"", "kind = raindex-v6"), @"hedge.toml:8: not TOML: string values must be quoted, expected literal string; mend this line first; the rest of the file is not read yet");
}

#[test]
fn a_poll_without_unit() {
    assert_snapshot!(given("[chain.8453]", "[chain.8453]\npoll = \"2\""), @r#"hedge.toml:2: chain.8453.poll: `2` is not a duration; write it like "2s", "500ms" or "72h""#);
}

#[test]
fn one_rpc_url_for_two_chains() {
    let two = format!(
        "{GOOD}[chain.1]\nrpc = [\"http://127.0.0.1:9545\"]\nusdc = \"0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48\"\n"
    );
    assert_snapshot!(said(&two, &[("RPC_URL", "http://127.0.0.1:8545")]), @"RPC_URL: does not say which chain it is for; set RPC_URL_1, RPC_URL_8453");
}

#[test]
fn an_orderbook_in_the_environment_and_nothing_else() {
    assert_snapshot!(said_of(&[("ORDERBOOK", "0xd2938e7c9fe3597f78832ce780feb61945c377d7")]), @r#"
    RPC_URL: is missing; give the http(s) url of a node
    ORDER_OWNER: is missing; give the address whose orders are yours
    DEPLOYMENT_BLOCK: is missing; give the first block to read
    "#);
}

#[test]
fn a_database_that_is_no_postgres() {
    assert_snapshot!(said(GOOD, &[("DATABASE_URL", "sqlite://hedge.db")]), @"DATABASE_URL: is not the address of a Postgres database; write it as postgres://user:password@host:5432/name, or leave it out for the embedded one");
}

#[test]
fn a_file_that_is_not_there() {
    assert_snapshot!(hedge(&["index", "--config", "nowhere.toml"], &[]), @r#"
    error: the configuration cannot be used
    cause: nowhere.toml: cannot be read: No such file or directory (os error 2); name a readable file, or write one with `hedge init`
    state: nothing was started
    next:  mend what is named; `hedge init` writes a file with every key explained
    exit code 2
    "#);
}

#[test]
fn nothing_configured_at_all() {
    assert_snapshot!(hedge(&["index"], &[]), @r#"
    error: there is nothing to read
    cause: there is no hedge.toml here or in /etc/hedge, and ORDERBOOK is not set
    state: nothing was started
    next:  write a file with `hedge init` and fill it in, or see everything at work with `hedge demo`
    exit code 2
    "#);
}

#[test]
fn a_file_with_two_problems() {
    let room = crate::world::scratch();
    let file = room.path().join("hedge.toml");
    std::fs::write(&file, GOOD.replace("shares = 1", "shares = -1").replace("raindex-v6", "raindex-6"))
        .unwrap();
    let path = file.to_str().unwrap();
    assert_snapshot!(hedge(&["index"], &[("HEDGE_CONFIG", path)]).replace(path, "hedge.toml"), @r#"
    error: the configuration cannot be used: 2 problems
    cause: hedge.toml:8: source.kind: `raindex-6` is unknown; give one of raindex-v4, raindex-v5, raindex-v6, raindex-inventory
           hedge.toml:16: asset.threshold.shares: -1 is not above zero; give the exposure from which on to hedge
    state: nothing was started
    next:  mend what is named; `hedge init` writes a file with every key explained
    exit code 2
    "#);
}

#[test]
fn a_database_that_does_not_answer() {
    let environment = [("DATABASE_URL", "postgres://me:hunter2@127.0.0.1:1/hedge")];
    assert_snapshot!(hedge(&["show", "fills"], &environment), @r#"
    error: database `hedge` (user `me`) at 127.0.0.1:1 cannot be reached
    cause: error communicating with database: Connection refused (os error 111)
    state: what was committed before stands; nothing else was written
    next:  see that the server runs, and check host and port of DATABASE_URL
    exit code 4
    "#);
}

#[test]
fn init_over_a_file_that_is_there() {
    let room = crate::world::scratch();
    let file = room.path().join("hedge.toml");
    std::fs::write(&file, GOOD).unwrap();
    let path = file.to_str().unwrap();
    assert_snapshot!(hedge(&["init", path], &[]).replace(path, "hedge.toml"), @r#"
    error: could not write `hedge.toml`
    cause: it exists already
    state: nothing was changed
    next:  name another path, or replace it with --force
    exit code 1
    "#);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), GOOD, "it is left as it was");
}
