//! A real node: recordings are played into anvil, and the real program reads them from there.
//!
//! `Replay.sol` stands where the recordings had their contracts and emits their
//! logs again, in the same blocks, at the same places. Only hashes differ.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use alloy::{
    primitives::{Address, B256, Bytes, U256, address, keccak256},
    sol,
    sol_types::SolCall,
};
use hedge::{
    book::{
        log::{Log, Place},
        vault::{Balance, VaultKey},
    },
    chain::{
        float,
        nodes::Nodes,
        source::ChainSettings,
        vault::{self, Held, VaultError, Wanted},
    },
    engine::vaults::discover,
    sim::{Cast, Generation, SimChain, SimToken, Weather},
    store::ledger,
    time::Clock,
    units::Amount,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    chain::{compare, node, settings, source},
    process::Process,
    tools,
    world::{World, scratch},
};

sol! {
    struct Said { address from; bytes32[] topics; bytes data; }
    function replay(Said[] logs);
    function play(string symbol, uint8 decimals, address asset, uint256 ratioE18);
}

/// Who pays for everything: anvil's first account.
const PAYER: Address = address!("f39fd6e51aad88f6f4ce6ab8827279cfffb92266");

/// Somebody else who pays: anvil's second account.
const OTHER: Address = address!("70997970c51812dc3a010c7d01b50e0d17dc79c8");

const HEDGE: &str = env!("CARGO_BIN_EXE_hedge");

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// Blocks after which the node calls a recording final, and the program reads it in bulk.
const SETTLED: u64 = 320;

/// A recording of `vectors/README-raindex.md`, as far as it is played.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recording {
    first_block: u64,
    blocks: Vec<Block>,
    transactions: Vec<Transaction>,
    cases: Vec<Case>,
}

impl Recording {
    /// Transactions that hold a fill of ours.
    fn trades(&self) -> Vec<&Transaction> {
        let filled = |transaction: &&Transaction| {
            let cases = self.cases.iter().flat_map(|case| &case.expected_trades);
            cases.into_iter().any(|trade| trade.tx_hash == transaction.hash)
        };
        self.transactions.iter().filter(filled).collect()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    expected_trades: Vec<Trade>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trade {
    tx_hash: B256,
}

#[derive(Deserialize)]
struct Block {
    #[serde(with = "alloy::serde::quantity")]
    number: u64,
    #[serde(with = "alloy::serde::quantity")]
    timestamp: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transaction {
    #[serde(rename = "transactionHash")]
    hash: B256,
    #[serde(with = "alloy::serde::quantity")]
    block_number: u64,
    logs: Vec<Log>,
    #[serde(with = "alloy::serde::quantity")]
    status: u64,
}

impl Transaction {
    /// The same logs at the same places, from the contract at `orderbook`; or the same failure.
    fn again(&self, orderbook: Address) -> Value {
        let said = self.logs.iter().map(|log| Said {
            from: log.address,
            topics: log.topics.clone(),
            data: log.data.clone(),
        });
        let input = if self.status == 0 {
            Bytes::from_static(b"no such function")
        } else {
            replayCall { logs: said.collect() }.abi_encode().into()
        };
        json!({ "from": PAYER, "to": orderbook, "input": input, "gas": "0x300000" })
    }
}

/// A real node on which a recording was played.
struct Anvil {
    process: Process,
    url: String,
    http: reqwest::Client,
    cast: Cast,
}

impl Anvil {
    /// A chain that ends just before `first`.
    async fn start(program: &Path, first: &Block, cast: Cast) -> Self {
        Self::with(program, first, cast, &[]).await
    }

    /// The same, told something more.
    async fn with(program: &Path, first: &Block, cast: Cast, more: &[&str]) -> Self {
        // One block more, in which the tokens are told who they are.
        let number = (first.number - 2).to_string();
        let timestamp = (first.timestamp - 4).to_string();
        let place = ["--port", "0", "--chain-id", "8453", "--number", &number, "--timestamp", &timestamp];
        let manner = ["--no-mining", "--order", "fifo"];
        let mut process = Process::start(program, &[&place[..], &manner[..], more].concat(), &[]);
        let url = eventually("anvil listens", &mut process, async |process| {
            let said = process.said();
            let place = said.lines().find_map(|line| line.strip_prefix("Listening on "))?;
            Some(format!("http://{}", place.trim()))
        })
        .await;
        let _ = rustls::crypto::ring::default_provider().install_default();
        let anvil = Self { process, url, http: reqwest::Client::new(), cast };
        anvil.set_the_stage(first.timestamp - 2).await;
        anvil
    }

    async fn set_the_stage(&self, timestamp: u64) {
        let code: Value = serde_json::from_str(include_str!("../fixtures/solidity/Replay.json")).unwrap();
        self.ask("anvil_setCode", json!([self.cast.orderbook, code["runtime"]])).await;
        let mut plays = Vec::new();
        for SimToken { address, symbol, decimals, wraps, ratio_e18, .. } in self.cast.tokens.clone() {
            self.ask("anvil_setCode", json!([address, code["runtime"]])).await;
            let asset = wraps.unwrap_or_default();
            let play = playCall { symbol, decimals, asset, ratioE18: ratio_e18 }.abi_encode();
            plays
                .push(json!({ "from": PAYER, "to": address, "input": Bytes::from(play), "gas": "0x100000" }));
        }
        self.mine(timestamp, &plays).await;
    }

    async fn ask(&self, method: &str, params: Value) -> Value {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer = self.http.post(&self.url).json(&call).send().await.unwrap();
        let mut answer: Value = answer.json().await.unwrap();
        assert!(answer.get("error").is_none(), "{method}: {answer}\n{}", self.process.said());
        answer["result"].take()
    }

    /// One block of these transactions, in order.
    async fn mine(&self, timestamp: u64, transactions: &[Value]) {
        for transaction in transactions {
            self.ask("eth_sendTransaction", json!([transaction])).await;
        }
        self.ask("evm_mine", json!([{ "timestamp": timestamp }])).await;
    }

    async fn head(&self) -> Head {
        let block = self.ask("eth_getBlockByNumber", json!(["latest", false])).await;
        serde_json::from_value(block).unwrap()
    }

    /// Takes back the newest blocks and mines as many: these transactions, each in the block of its number.
    async fn reorg(&self, depth: u64, transactions: &[(Value, u64)]) {
        self.ask("anvil_reorg", json!([depth, transactions])).await;
    }

    /// Everything that was said since `first`, by whomever.
    async fn logs(&self, first: u64) -> Vec<Log> {
        let from = format!("{first:#x}");
        let logs = self.ask("eth_getLogs", json!([{ "fromBlock": from, "toBlock": "latest" }])).await;
        serde_json::from_value(logs).unwrap()
    }
}

#[derive(Debug, Deserialize)]
struct Head {
    #[serde(with = "alloy::serde::quantity")]
    number: u64,
    #[serde(with = "alloy::serde::quantity")]
    timestamp: u64,
    hash: B256,
}

/// Asks until there is an answer, which `process` is to bring about.
async fn eventually<T>(what: &str, process: &mut Process, ask: impl AsyncFn(&Process) -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(answer) = ask(process).await {
            return answer;
        }
        let patient = since.elapsed() < PATIENCE && process.runs();
        assert!(patient, "not after {:?}: {what}\n{}", since.elapsed(), process.said());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A recording on a real node, and how the program is to read it.
struct Stage {
    anvil: Anvil,
    recording: Recording,
    room: TempDir,
}

impl Stage {
    /// `None` where there is no real node to be had.
    async fn play(json: &str) -> Option<Self> {
        let program = tools::anvil()?;
        let recording: Recording = serde_json::from_str(json).unwrap();
        let cast = SimChain::from_recording(json).unwrap().cast();
        let anvil = Anvil::start(program, &recording.blocks[0], cast).await;
        for block in &recording.blocks {
            let transactions: Vec<Value> = recording
                .transactions
                .iter()
                .filter(|transaction| transaction.block_number == block.number)
                .map(|transaction| transaction.again(anvil.cast.orderbook))
                .collect();
            anvil.mine(block.timestamp, &transactions).await;
        }
        let stage = Self { anvil, recording, room: scratch() };
        fs::write(stage.room.path().join("hedge.toml"), stage.config()).unwrap();
        Some(stage)
    }

    fn config(&self) -> String {
        let Self { anvil: Anvil { url, cast, .. }, recording, .. } = self;
        let assets = cast.equities().map(|token| {
            let (symbol, address) = (token.ticker.as_ref().unwrap(), token.address);
            let wrapped = token.wraps.is_some();
            format!(
                r#"
                [[asset]]
                symbol = "{symbol}"
                threshold = {{ shares = 1 }}
                tokens = [{{ chain = 8453, address = "{address}", wrapped = {wrapped} }}]
                "#
            )
        });
        format!(
            r#"
            [chain.8453]
            rpc = ["{url}"]
            usdc = "{usdc}"
            poll = "50ms"
            [[source]]
            name = "raindex"
            chain = 8453
            kind = "raindex-{generation}"
            address = "{orderbook}"
            owners = ["{owner}"]
            from_block = {first}
            {assets}
            "#,
            usdc = cast.usdc,
            generation = cast.generation.as_str(),
            orderbook = cast.orderbook,
            owner = cast.owner,
            first = recording.first_block,
            assets = assets.collect::<String>(),
        )
    }

    /// `hedge backfill`, to its end.
    async fn backfill(&self, world: &World) {
        self.hedge(world, &["backfill", "--from", &self.recording.first_block.to_string()]).await;
    }

    /// The real program, to a good end.
    async fn hedge(&self, world: &World, arguments: &[&str]) -> String {
        let program = tokio::process::Command::new(HEDGE)
            .args(arguments)
            .env_clear()
            .env("DATABASE_URL", world.url().expose())
            .current_dir(self.room.path())
            .kill_on_drop(true)
            .output();
        let ended = tokio::time::timeout(PATIENCE, program).await.expect("it ends").unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8(ended.stdout).unwrap()
    }

    /// `hedge index`, running.
    fn index(&self, world: &World) -> Process {
        let config = self.room.path().join("hedge.toml");
        let variables = [("DATABASE_URL", world.url().expose()), ("HEDGE_CONFIG", config.to_str().unwrap())];
        Process::start(Path::new(HEDGE), &["index"], &variables)
    }

    /// Mines blocks of one recorded transaction each.
    async fn go_on(&self, transactions: &[&Transaction]) {
        for transaction in transactions {
            let time = self.anvil.head().await.timestamp + 2;
            self.anvil.mine(time, &[transaction.again(self.anvil.cast.orderbook)]).await;
        }
    }

    /// Waits until the books stand on the node's newest block.
    async fn caught_up(&self, world: &World, index: &mut Process) {
        let head = self.anvil.head().await;
        let cursor = "select hash = $1 from reporting.cursor";
        eventually(&format!("the cursor stands on {head:?}"), index, async |_| {
            let there: Option<bool> = sqlx::query_scalar(cursor)
                .bind(head.hash.to_string())
                .fetch_optional(world.pool())
                .await
                .unwrap();
            there.unwrap_or_default().then_some(())
        })
        .await;
    }
}

const V6: &str = include_str!("../fixtures/raindex/raindex-v6.json");

#[tokio::test]
async fn a_real_node_gives_the_fills_of_v4() {
    gives_the_recorded_fills(include_str!("../fixtures/raindex/raindex-v4.json")).await;
}

#[tokio::test]
async fn a_real_node_gives_the_fills_of_v4_that_cleared_nothing() {
    gives_the_recorded_fills(include_str!("../fixtures/raindex/raindex-v4-zero-clear.json")).await;
}

#[tokio::test]
async fn a_real_node_gives_the_fills_of_v5() {
    gives_the_recorded_fills(include_str!("../fixtures/raindex/raindex-v5.json")).await;
}

#[tokio::test]
async fn a_real_node_gives_the_fills_of_v6() {
    gives_the_recorded_fills(V6).await;
}

#[tokio::test]
async fn a_real_node_gives_the_fills_of_a_random_v6() {
    gives_the_recorded_fills(include_str!("../fixtures/raindex/raindex-v6-random.json")).await;
}

async fn gives_the_recorded_fills(json: &str) {
    // Given a real node that says what was recorded, log for log
    let Some(stage) = Stage::play(json).await else { return };
    let said = stage.anvil.logs(stage.recording.first_block).await;
    let recorded = stage.recording.transactions.iter().flat_map(|transaction| &transaction.logs);
    assert_eq!(said.iter().map(place).collect::<Vec<_>>(), recorded.map(place).collect::<Vec<_>>());
    // When all that is past, and is read in bulk
    stage.anvil.ask("anvil_mine", json!([SETTLED])).await;
    let world = World::new().await;
    stage.backfill(&world).await;
    // Then every trade is there, under the transaction that this node has it in
    let mut expected: Value = serde_json::from_str(json).unwrap();
    for case in expected["cases"].as_array_mut().unwrap() {
        for trade in case["expectedTrades"].as_array_mut().unwrap() {
            let at = (trade["blockNumber"].as_u64().unwrap(), trade["logIndex"].as_u64().unwrap());
            let log = said.iter().find(|log| (log.block_number, log.log_index) == at).unwrap();
            trade["txHash"] = log.transaction_hash.to_string().into();
        }
    }
    compare(world.pool(), &expected).await;
    assert_eq!(accusations(&world).await, 0);
}

/// Answers whatever it is asked from its storage: the slot is the hash of the question.
const LOOKUP: &str = "0x366000600037366000205460005260206000f3";

sol! {
    function decimals() view returns (uint8);
    function vaultBalance(address owner, address token, uint256 vaultId) view returns (uint256);
    function vaultBalance2(address owner, address token, bytes32 vaultId) view returns (bytes32);
}

/// What a vault answered at a block of a recording.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    block: u64,
    owner: Address,
    token: Address,
    vault_id: B256,
    raw: B256,
    decimal: String,
}

/// What the vaults of a recording answered, by block; vault 0 of the newest contract is no vault.
fn balances(json: &str) -> BTreeMap<u64, Vec<Answered>> {
    let recording: Value = serde_json::from_str(json).unwrap();
    let balances: Vec<Answered> = serde_json::from_value(recording["vaultBalances"].clone()).unwrap();
    let mut by_block: BTreeMap<u64, Vec<Answered>> = BTreeMap::new();
    for balance in balances.into_iter().filter(|balance| !balance.vault_id.is_zero()) {
        by_block.entry(balance.block).or_default().push(balance);
    }
    by_block
}

impl Answered {
    fn key(&self) -> VaultKey {
        VaultKey { owner: self.owner, token: self.token, vault_id: self.vault_id }
    }
}

impl Anvil {
    /// From the next block on, `contract` answers `word` to this question.
    async fn answers(&self, contract: Address, question: &[u8], word: B256) {
        self.ask("anvil_setStorageAt", json!([contract, keccak256(question), word])).await;
    }

    async fn looks_up(&self, contract: Address) {
        self.ask("anvil_setCode", json!([contract, LOOKUP])).await;
    }

    /// The vaults of a recording, each block of it mined with what they answered there.
    async fn hold(
        &self,
        balances: &BTreeMap<u64, Vec<Answered>>,
    ) -> Vec<(Place, BTreeMap<VaultKey, String>)> {
        let Cast { orderbook, generation, tokens, .. } = self.cast.clone();
        self.looks_up(orderbook).await;
        for token in &tokens {
            self.looks_up(token.address).await;
            let decimals = B256::with_last_byte(token.decimals);
            self.answers(token.address, &decimalsCall {}.abi_encode(), decimals).await;
        }
        let mut told = Vec::new();
        for of_block in balances.values() {
            for balance in of_block {
                let Answered { owner, token, vault_id, raw, .. } = *balance;
                let question = if generation == Generation::V4 {
                    vaultBalanceCall { owner, token, vaultId: vault_id.into() }.abi_encode()
                } else {
                    vaultBalance2Call { owner, token, vaultId: vault_id }.abi_encode()
                };
                self.answers(orderbook, &question, raw).await;
            }
            let time = self.head().await.timestamp + 2;
            self.mine(time, &[]).await;
            let head = self.head().await;
            // What is set next is of the head: this block is not it any more.
            self.mine(time + 2, &[]).await;
            let there = of_block.iter().map(|balance| (balance.key(), balance.decimal.clone())).collect();
            told.push((Place { number: head.number, hash: head.hash }, there));
        }
        told
    }

    /// Reads vaults at a block, as the program does.
    async fn held(
        &self,
        chain: &SimChain,
        vaults: impl Iterator<Item = VaultKey>,
        at: Place,
    ) -> Result<Held, VaultError> {
        let settings = ChainSettings { rpc: vec![self.url.clone()], ..settings(chain, &[]) };
        let nodes = Nodes::new(&settings, &Clock::Wall).unwrap();
        let wanted = Wanted { vaults: vaults.collect(), ..Wanted::default() };
        vault::read(&nodes, &source(chain), &wanted, at).await
    }
}

const V4: &str = include_str!("../fixtures/raindex/raindex-v4.json");
const V5: &str = include_str!("../fixtures/raindex/raindex-v5.json");
const V6_RANDOM: &str = include_str!("../fixtures/raindex/raindex-v6-random.json");

#[tokio::test]
async fn a_real_node_tells_what_vaults_held_at_a_block_and_at_no_other() {
    let Some(program) = tools::anvil() else { return };
    for json in [V4, V5, V6, V6_RANDOM] {
        // Given a real node with what vaults of the real contract answered, block by block
        let (chain, recording) =
            (SimChain::from_recording(json).unwrap(), serde_json::from_str::<Recording>(json).unwrap());
        let anvil = Anvil::start(program, &recording.blocks[0], chain.cast()).await;
        let told = anvil.hold(&balances(json)).await;
        assert!(told.len() > 1);
        // When they are read at each of the blocks, then each is as it was there, to the last digit
        for (at, expected) in &told {
            let held = anvil.held(&chain, expected.keys().copied(), *at).await.unwrap();
            let found: BTreeMap<VaultKey, String> =
                held.vaults.iter().map(|(key, balance)| (*key, balance.exact.to_string())).collect();
            assert_eq!(found, *expected, "{at:?}");
        }
        // And a block that is not on the node's chain any more is no block to read at
        let (last, expected) = told.last().unwrap();
        anvil.reorg(2, &[]).await;
        let error = anvil.held(&chain, expected.keys().copied(), *last).await.unwrap_err();
        assert!(matches!(error, VaultError::Absent { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_real_node_that_has_dropped_its_history_is_said_to_have() {
    let Some(program) = tools::anvil() else { return };
    let (chain, recording) =
        (SimChain::from_recording(V6).unwrap(), serde_json::from_str::<Recording>(V6).unwrap());
    let anvil = Anvil::with(program, &recording.blocks[0], chain.cast(), &["--prune-history", "2"]).await;
    let told = anvil.hold(&balances(V6)).await;
    let (first, expected) = &told[0];
    anvil.ask("anvil_mine", json!([10])).await;
    let error = anvil.held(&chain, expected.keys().copied(), *first).await.unwrap_err();
    assert!(matches!(error, VaultError::Pruned { .. }), "{error}");
    assert!(error.to_string().contains("no longer has the state of block"), "{error}");
    assert!(error.next().contains("archive node"));
}

#[tokio::test]
async fn the_books_move_as_vaults_of_the_real_contract_did() {
    for json in [V4, V5, V6, V6_RANDOM] {
        // Given the books of a recording
        let chain = SimChain::from_recording(json).unwrap();
        let node = node(&chain, Weather::calm()).await;
        let world = World::new().await;
        let stage = crate::chain::Stage::new(&world, &chain, &[&node]);
        stage.settle().await;
        let (reading, usdc) = (stage.reading().await, chain.cast().usdc);
        let head = chain.head();
        let at = Place { number: head.number, hash: head.hash };
        discover(&reading, usdc, at).await.unwrap();
        // When what its vaults answered is held against them, at every block that was recorded
        let mut residuals: BTreeMap<VaultKey, Vec<Amount>> = BTreeMap::new();
        let mut moved = 0;
        let balances = balances(json);
        for (block, of_block) in &balances {
            let decimals =
                |token| chain.cast().tokens.iter().find(|one| one.address == token).unwrap().decimals;
            let answered = of_block.iter().map(|balance| {
                let decimals = decimals(balance.token);
                let there = if chain.cast().generation == Generation::V4 {
                    Balance::base_units(balance.raw.into(), decimals)
                } else {
                    Balance::whole(float::decode(balance.raw), decimals)
                };
                assert_eq!(there.exact.to_string(), balance.decimal);
                (balance.key(), there)
            });
            let answered = answered.collect();
            let mut conn = world.pool().acquire().await.unwrap();
            let (rows, sums) = ledger::vaults(&mut conn, reading.id, *block, usdc, &answered).await.unwrap();
            moved += sums.iter().filter(|sums| !sums.traded.is_zero()).count();
            for row in rows.iter().filter(|row| answered.contains_key(&row.key)) {
                residuals.entry(row.key).or_default().push(row.residual);
            }
        }
        // Then they moved by what the books have, to the token's last digit
        assert!(moved > 0);
        for (vault, residuals) in residuals {
            assert_eq!(residuals.len(), balances.len());
            assert!(residuals.iter().all(|residual| *residual == residuals[0]), "{vault:?} {residuals:?}");
        }
    }
}

/// A log and where it stands, without what no two nodes have in common.
fn place(log: &Log) -> (u64, u64, u64, Address, &[B256], &Bytes) {
    (log.block_number, log.transaction_index, log.log_index, log.address, &log.topics, &log.data)
}

#[tokio::test]
async fn reorgs_of_a_real_node_end_where_a_fresh_start_ends() {
    // Given a real node that is followed
    let Some(stage) = Stage::play(V6).await else { return };
    let (world, orderbook) = (World::new().await, stage.anvil.cast.orderbook);
    let mut index = stage.index(&world);
    let trades = stage.recording.trades();
    let mut taken = Vec::new();
    // When it takes back one block, five, and forty, and puts none, three and twenty trades in their stead
    for (depth, again) in [(1, 0), (5, 3), (40, 20)] {
        stage.go_on(&trades[..6]).await;
        stage.caught_up(&world, &mut index).await;
        let fork = stage.anvil.head().await.number - depth;
        let lost = fills(&world, "fill", fork).await;
        assert!(!lost.is_empty(), "a reorg of {depth} takes no fill");
        taken.extend(lost);
        let again: Vec<(Value, u64)> =
            (0..again).map(|at| (trades[at + 1].again(orderbook), at as u64 % depth)).collect();
        stage.anvil.reorg(depth, &again).await;
        stage.caught_up(&world, &mut index).await;
    }
    stage.go_on(&trades[..6]).await;
    stage.caught_up(&world, &mut index).await;
    assert!(index.end().success(), "{}", index.said());
    // Then the books are those of one who was not there, and what was taken is kept and marked
    let fresh = World::new().await;
    stage.backfill(&fresh).await;
    assert_eq!(books(&world).await, books(&fresh).await);
    taken.sort();
    assert_eq!(fills(&world, "orphaned_fill", 0).await, taken);
    let reorgs: Vec<i64> = sqlx::query_scalar("select depth::bigint from reporting.reorg order by reorg_id")
        .fetch_all(world.pool())
        .await
        .unwrap();
    assert_eq!(reorgs, [1, 5, 40]);
    assert_eq!(accusations(&world).await, 0);
}

/// How often the node was called a liar; it is none.
async fn accusations(world: &World) -> i64 {
    let sql = "select count(*) from reporting.node_contradiction";
    sqlx::query_scalar(sql).fetch_one(world.pool()).await.unwrap()
}

/// Fills above a block, by where they stand.
async fn fills(world: &World, view: &str, above: u64) -> Vec<(String, i32, String, String)> {
    let sql = format!(
        "select block_hash, log_index, role, token_quantity_exact::text from reporting.{view}
         where block_number > $1 order by 1, 2, 3, 4"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(i64::try_from(above).unwrap())
        .fetch_all(world.pool())
        .await
        .unwrap()
}

/// All that the chain is held to have said, without the numbers and times of writing it down.
async fn books(world: &World) -> Vec<String> {
    let sql = "
        select 'fill ' || to_jsonb(f)::text from reporting.fill f
        union all
        select 'vault_move ' || to_jsonb(m)::text from reporting.vault_move m
        union all
        select 'skipped_log ' || (to_jsonb(k) - 'skipped_id' - 'skipped_at')::text from reporting.skipped_log k where canonical
        order by 1";
    sqlx::query_scalar(sql).fetch_all(world.pool()).await.unwrap()
}

/// A Pyth whose feeds all say this: so many hundredths of a dollar.
fn pyth(cents: u64) -> Bytes {
    let mut code = Vec::new();
    let negative_two = U256::MAX - U256::from(1);
    for (place, word) in [
        (0, U256::from(cents)),
        (0x20, U256::from(10)),
        (0x40, negative_two),
        (0x60, U256::from(1_774_200_000)),
    ] {
        code.push(0x7f); // PUSH32
        code.extend(word.to_be_bytes::<32>());
        code.extend([0x60, place, 0x52]); // PUSH1, MSTORE
    }
    code.extend([0x60, 0x80, 0x60, 0x00, 0xf3]); // RETURN
    code.into()
}

#[tokio::test]
async fn gas_costs_to_the_last_wei_what_a_real_nodes_receipts_say_where_one_of_ours_paid() {
    // Given a real node, on which first nobody knows what ETH is worth, then it is 3 412.87 dollars, then 3 500.01
    let Some(stage) = Stage::play(V6).await else { return };
    let (world, orderbook) = (World::new().await, stage.anvil.cast.orderbook);
    let trades = stage.recording.trades();
    let oracle = hedge::chain::source::usual_pyth(8453).unwrap();
    let mut ours = Vec::new();
    for (trade, (payer, cents)) in
        trades.iter().zip([(OTHER, 0), (OTHER, 341_287), (PAYER, 341_287), (OTHER, 350_001)])
    {
        if cents > 0 {
            // What is set belongs to the newest block's state: to one without anything of ours.
            stage.anvil.mine(stage.anvil.head().await.timestamp + 2, &[]).await;
            stage.anvil.ask("anvil_setCode", json!([oracle, pyth(cents)])).await;
        }
        let mut again = trade.again(orderbook);
        again["from"] = payer.to_string().into();
        let time = stage.anvil.head().await.timestamp + 2;
        stage.anvil.mine(time, &[again]).await;
        let block = stage.anvil.ask("eth_getBlockByNumber", json!(["latest", false])).await;
        if payer == OTHER {
            ours.push((block["transactions"][0].as_str().unwrap().to_owned(), cents));
        }
    }
    stage.anvil.ask("anvil_mine", json!([SETTLED])).await;
    // When the night counts, and that somebody else pays too is not ours
    let config = stage.config().replacen(
        "poll = ",
        &format!("payers = [\"{OTHER}\"]\neth_feed = \"{}\"\npoll = ", B256::repeat_byte(0xff)),
        1,
    );
    fs::write(stage.room.path().join("hedge.toml"), config).unwrap();
    stage.backfill(&world).await;
    let said = stage.hedge(&world, &["job", "run", "pnl", "--date", "2026-11-20"]).await;
    assert!(said.contains("2 costs booked, 0 taken back, 1 asked for in vain"), "{said}");
    // Then there is a row for each transaction that one of ours paid, with what its receipt says, and for no other
    let mut expected = Vec::new();
    for (tx, cents) in &ours {
        let receipt = stage.anvil.ask("eth_getTransactionReceipt", json!([tx])).await;
        let quantity = |name: &str| receipt[name].as_str().unwrap().parse::<U256>().unwrap();
        let wei = quantity("gasUsed") * quantity("effectiveGasPrice");
        assert!(wei > U256::ZERO);
        let eth = Amount::from_atoms(i128::try_from(wei).unwrap()).unwrap();
        let price = Amount::from_atoms(i128::from(*cents) * 10_i128.pow(16)).unwrap();
        let usd = (*cents > 0).then(|| eth.times(price).unwrap().negated());
        expected.push((tx.clone(), eth.negated(), usd));
    }
    let costs = "select tx_hash, amount_eth_exact, amount_usd_exact from reporting.cost where kind = 'gas' order by executed_at";
    let costs: Vec<(String, Amount, Option<Amount>)> =
        sqlx::query_as(costs).fetch_all(world.pool()).await.unwrap();
    assert_eq!(costs, expected);
    let why = "select valuation from reporting.cost where kind = 'gas' order by executed_at";
    let why: Vec<String> = sqlx::query_scalar(why).fetch_all(world.pool()).await.unwrap();
    assert!(why[0].contains("there is no Pyth at its address"), "{why:?}");
    assert!(why[1].starts_with("3412.87 dollars for one ETH at the end of block "), "{why:?}");
    // And it stands beside P&L in the days of the shares that were traded, and never inside
    let sums = "select sum(fees_usd_exact)::numeric(38,18), (select sum(realized_usd_exact)::numeric(38,18) from reporting.daily_pnl)
                from reporting.daily_pnl";
    let (fees, realized): (Amount, Amount) = sqlx::query_as(sums).fetch_one(world.pool()).await.unwrap();
    let paid =
        expected.iter().filter_map(|(.., usd)| *usd).fold(Amount::ZERO, |sum, usd| sum.minus(usd).unwrap());
    assert_eq!(fees, paid);
    let inside: Amount = sqlx::query_scalar(
        "select coalesce(sum(realized_pnl), 0)::numeric(38,18) from pnl_row where known_to is null",
    )
    .fetch_one(world.pool())
    .await
    .unwrap();
    assert_eq!(realized, inside);
    // And the next night has nothing to read but the price that is missing
    let said = stage.hedge(&world, &["job", "run", "pnl", "--date", "2026-11-20"]).await;
    assert!(said.contains("0 receipts read, 0 costs booked, 0 taken back, 1 asked for in vain"), "{said}");
}
