//! The front desk, as a person meets it: the real program, what it prints, how it ends.

use std::process::{Command, Output, Stdio};

use clap::Parser;
use hedge::{
    cli::{Cli, Exit, trouble::outcome},
    config::{Config, Environment, TEMPLATE},
    secret::{SealingKey, Secret},
    store::credentials::{self, Credential},
};
use serde_json::{Value, json};
use sqlx::Executor;

use crate::world::{World, scratch};

fn hedge(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hedge"));
    command.args(arguments).env_clear().env("HOME", "/nonexistent").current_dir("/");
    command
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a command answers on a world's database.
async fn asked(world: &World, arguments: &[&str]) -> (Exit, String) {
    let environment =
        Environment::from_iter([("DATABASE_URL", world.url().expose()), ("HEDGE_CONFIG", "/dev/null")]);
    let mut out = Vec::new();
    let cli = Cli::try_parse_from([&["hedge"], arguments].concat()).unwrap();
    let exit = cli.run(environment, &mut out).await.unwrap();
    (exit, String::from_utf8(out).unwrap())
}

/// A source with one fill of one share and a half.
async fn one_fill(world: &World) {
    world
        .pool()
        .execute(
            r"
            insert into source (name, chain_id, kind, address, owners, from_block)
                values ('raindex', 8453, 'raindex-v6', decode(repeat('aa', 20), 'hex'), '{}', 1);
            insert into chain_log (chain_id, block_hash, log_index, source_id, block_number, block_time,
                                   tx_hash, tx_index, topics, data)
                select 8453, decode(repeat('b1', 32), 'hex'), 3, id, 41747700, '2025-11-04 15:30:01+00',
                       decode(repeat('c1', 32), 'hex'), 0, '', '' from source;
            insert into fill (chain_id, block_hash, log_index, role, owner, side, symbol, token, token_quantity,
                              token_quantity_exact, usdc, usdc_exact, wrapper_ratio, quantity, price)
                values (8453, decode(repeat('b1', 32), 'hex'), 3, 'order', decode(repeat('dd', 20), 'hex'), 'SELL',
                        'AAPL', decode(repeat('ee', 20), 'hex'), 1.5, 1.5, 405.000001, 405.0000014, 1, 1.5,
                        270.000000933333333333);
            ",
        )
        .await
        .unwrap();
}

#[test]
fn init_writes_the_template_and_will_not_write_over_it() {
    let room = scratch();
    let path = room.path().join("hedge.toml");
    let path = path.to_str().unwrap();

    assert!(hedge(&["init", path]).stdout(Stdio::null()).status().unwrap().success());
    assert_eq!(std::fs::read_to_string(path).unwrap(), TEMPLATE);
    assert_eq!(hedge(&["init", path]).stderr(Stdio::null()).status().unwrap().code(), Some(1));
    assert!(hedge(&["init", "--force", path]).stdout(Stdio::null()).status().unwrap().success());
}

#[test]
fn a_wrong_command_line_ends_with_two() {
    let output = hedge(&["backfill", "--form", "1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = hedge(&["init", "/dev/null", "--force"]).stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

#[tokio::test]
async fn fills_are_shown_short_to_people_and_exact_to_programs() {
    let world = World::new().await;
    one_fill(&world).await;

    let (_, people) = asked(&world, &["show", "fills"]).await;
    insta::assert_snapshot!(people, @r#"
    ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     executed at           source    symbol   side   quantity   price per underlying         usdc   block number   log index   tx hash
    ═══════════════════════════════════════════════════════════════════════════════════════════════════════════════════════════════════════
     2025-11-04 15:30:01   raindex   AAPL     SELL        1.5            270.000000…   405.000001       41747700           3   0xc1c1…c1c1
    ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    "#);
    let (_, json) = asked(&world, &["show", "fills", "--json"]).await;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["usdc_exact"], "405.0000014");
    assert_eq!(json[0]["quantity"], "1.500000000000000000");
    assert_eq!(json[0]["block_number"], 41_747_700);
    assert_eq!(json[0]["executed_at"], "2025-11-04T15:30:01.000000Z");
    let (_, csv) = asked(&world, &["show", "fills", "--csv", "--symbol", "AAPL", "--from", "41747700"]).await;
    assert_eq!(csv.lines().count(), 2);
    let (_, none) = asked(&world, &["show", "fills", "--symbol", "MSFT"]).await;
    assert_eq!(none, "no fills; `hedge show cursors` says how far was read\n");
}

#[tokio::test]
async fn a_database_without_tables_is_told_apart_from_one_without_rows() {
    let world = World::blank().await;
    let environment =
        Environment::from_iter([("DATABASE_URL", world.url().expose()), ("HEDGE_CONFIG", "/dev/null")]);
    let answer = Cli::parse_from(["hedge", "show", "fills"]).run(environment, &mut Vec::new()).await;
    let (exit, trouble) = outcome(answer);
    assert_eq!((exit, trouble.unwrap().cause.as_str()), (Exit::Failed, "the tables are not there yet"));
}

#[tokio::test]
async fn cursors_and_skipped_logs_are_shown() {
    let world = World::new().await;
    for what in ["cursors", "skipped"] {
        let (exit, json) = asked(&world, &["show", what, "--json"]).await;
        assert_eq!((exit, json.as_str()), (Exit::Done, "[]\n"));
    }
}

#[tokio::test]
async fn the_doctor_tries_everything_and_stops_at_nothing() {
    let world = World::new().await;
    let environment = Environment::from_iter([
        ("DATABASE_URL", world.url().expose()),
        ("RPC_URL", "http://127.0.0.1:1/key"),
        ("ORDERBOOK", "0xd2938e7c9fe3597f78832ce780feb61945c377d7"),
        ("ORDER_OWNER", "0x17a0b3a25eaeed3d31e2e0fd3a8a5e0f0c4c7e0a"),
        ("DEPLOYMENT_BLOCK", "41747644"),
    ]);
    let mut out = Vec::new();
    let exit =
        Cli::parse_from(["hedge", "doctor", "--color", "never"]).run(environment, &mut out).await.unwrap();
    let said = String::from_utf8(out).unwrap();

    assert_eq!(exit, Exit::Found);
    assert!(said.contains("FAIL  chain 8453 127.0.0.1:1"), "{said}");
    assert!(said.contains("ok    tables"), "what comes after the node is tried too: {said}");
    assert!(!said.contains("/key"), "{said}");
    let (_, kept) = said.split_once("hedge.toml:\n\n").unwrap();
    let rpc = Environment::from_iter([("RPC_URL", "http://127.0.0.1:1")]);
    Config::of_file("kept.toml".as_ref(), kept, &rpc).unwrap();
}

#[tokio::test]
async fn the_doctor_says_how_old_a_login_is_and_what_to_do() {
    let world = World::new().await;
    let now = jiff::Timestamp::now();
    for (hours, line) in [
        (119, "ok    login schwab"),
        (121, "note  login schwab"),
        (157, "FAIL  login schwab"),
        (169, "FAIL  login schwab"),
    ] {
        let login_at = now - jiff::SignedDuration::from_hours(hours);
        let credential =
            Credential { secret: Secret::new("x"), login_at, refreshed_at: now, access_until: now };
        let key = SealingKey::parse(&Secret::new("a".repeat(64))).unwrap();
        let mut conn = world.pool().acquire().await.unwrap();
        credentials::write(&mut conn, "schwab", &credential, &key).await.unwrap();
        let (_, said) = asked(&world, &["doctor", "--color", "never"]).await;
        let about = said.lines().find(|told| told.starts_with(line)).unwrap_or_else(|| panic!("{said}"));
        assert_eq!(about.contains("`hedge auth schwab`"), hours > 120, "{said}");
        assert_eq!(about.contains("over"), hours > 168, "{said}");
    }
}

#[test]
fn help_says_the_exit_codes() {
    let help = printed(&hedge(&["--help"]).output().unwrap());
    for code in [Exit::Done, Exit::Failed, Exit::Usage, Exit::Found, Exit::Unavailable] {
        assert!(help.contains(&format!("{} ", code.code())), "{help}");
    }
}

/// A node with one block and no contract but USDC; it knows nothing of tags, and says so.
async fn modest_node() -> String {
    use alloy::{consensus::Header, primitives::U256, sol_types::SolValue};
    let header = Header { number: 41_747_700, timestamp: 1_762_270_201, ..Header::default() };
    let mut block = serde_json::to_value(&header).unwrap();
    block["hash"] = serde_json::to_value(header.hash_slow()).unwrap();
    let usdc = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913";
    let answer = move |call: &Value| {
        let params = &call["params"];
        let result = match (call["method"].as_str().unwrap(), params[0].as_str(), params[0]["data"].as_str())
        {
            ("eth_chainId", ..) => json!("0x2105"),
            ("eth_getBlockByNumber", Some("safe" | "finalized"), _) => Value::Null,
            ("eth_getBlockByNumber", ..) => block.clone(),
            ("eth_getCode", ..) => json!("0x"),
            ("eth_call", _, Some("0x95d89b41")) if params[0]["to"] == usdc => {
                json!(alloy::hex::encode_prefixed("USDC".abi_encode()))
            }
            ("eth_call", _, Some("0x313ce567")) if params[0]["to"] == usdc && params[1] == "latest" => {
                json!(alloy::hex::encode_prefixed(U256::from(6).abi_encode()))
            }
            (method, ..) => {
                let error = json!({"code": -32601, "message": format!("the method {method} does not exist")});
                return json!({"jsonrpc": "2.0", "id": call["id"], "error": error});
            }
        };
        json!({"jsonrpc": "2.0", "id": call["id"], "result": result})
    };
    let route = axum::routing::post(async move |body: String| {
        let call: Value = serde_json::from_str(&body).unwrap();
        let refused = json!({"error": {"code": -32600, "message": "batches are not served"}});
        if call.is_array() { refused } else { answer(&call) }.to_string()
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/", route)).await.unwrap() });
    url
}

#[tokio::test]
async fn the_doctor_states_the_fallback_for_what_a_node_lacks() {
    let world = World::new().await;
    let url = modest_node().await;
    let environment = Environment::from_iter([
        ("DATABASE_URL", world.url().expose()),
        ("RPC_URL", &url),
        ("ORDERBOOK", "0xd2938e7c9fe3597f78832ce780feb61945c377d7"),
        ("ORDER_OWNER", "0x17a0b3a25eaeed3d31e2e0fd3a8a5e0f0c4c7e0a"),
        ("DEPLOYMENT_BLOCK", "41747644"),
    ]);
    let mut out = Vec::new();
    let exit = Cli::parse_from(["hedge", "doctor", "--json"]).run(environment, &mut out).await.unwrap();
    let findings: Vec<Value> = serde_json::from_slice(&out).unwrap();
    let told: Vec<String> = findings
        .iter()
        .filter(|finding| {
            // What the clock of this run says is left out.
            let said = finding["said"].as_str().unwrap();
            finding["about"] != "database" && !said.contains(" old") && !said.starts_with("it never ran")
        })
        .map(|it| {
            ["state", "said", "next"]
                .map(|key| it[key].as_str().unwrap())
                .join(" | ")
                .trim_end_matches(" | ")
                .to_owned()
        })
        .collect();

    assert_eq!(exit, Exit::Found, "there is no contract");
    insta::assert_snapshot!(told.join("\n"), @r#"
    ok | the environment; chains: 1, sources: 1, shares discovered by symbol
    ok | headers prove their blooms and receipts
    noted | takes no batches | calls are sent one by one, which is slower
    noted | has no `safe` tag | 64 blocks below the head are taken instead
    noted | has no `finalized` tag | 64 blocks below the head are taken instead
    noted | eth_getBlockReceipts: `the method eth_getBlockReceipts does not exist` (code -32601) | blocks that blooms cannot exclude stay unproved; another node that serves it helps
    noted | has block 41747644 but not its state: `the method eth_call does not exist` (code -32601) | wrapper ratios of old fills cannot be read: add an archive node
    failed | there is no contract at 0xd2938E7c9fe3597F78832CE780Feb61945c377d7 on chain 8453 | check `address` and `chain`
    ok | USDC at 0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913
    noted | nobody is told of anything: there is no [alerts] | write it: `hedge init` shows it
    ok | at V014 looking_back
    "#);
}
