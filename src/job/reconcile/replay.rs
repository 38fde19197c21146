//! A past run once more, from what its sources answered then: nobody is asked.
//!
//! The raw answers are read by the very code that reads brokers and nodes, and stand in the place
//! of what the run kept of them; what the books said is as it was kept. Then it is judged. So an
//! answer that is not as it came, and a reader that reads it otherwise now, show in the digest.
//! What cannot be read again is named, and stays as it was kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use alloy::primitives::{Address, B256, U256};
use jiff::Timestamp;
use serde_json::Value;
use sqlx::PgConnection;

use super::{
    ask::{self, AtBroker},
    assemble,
};
use crate::{
    book::{
        log::{Log, Place},
        recon::{
            self,
            inputs::{Answer, Balance, Cut, Inputs, Leg, LogMove},
        },
        vault::{VaultKey, WalletKey},
    },
    chain::{
        reader,
        vault::{self, Held},
    },
    engine::reading::Reading,
    store::{
        StoreError, ledger,
        orders::VenueId,
        recon::{self as runs, RatioRow},
    },
    tape::{Said, Tape},
    units::Amount,
    venue::Venue,
};

/// Who reads the answers: made anew for it, and given a tape that answers in everybody's stead.
#[derive(Debug)]
pub struct Readers {
    /// The sources on chain.
    pub readings: Vec<Arc<Reading>>,
    /// The venues by name; none where one answers from our own books, as paper does.
    pub venues: BTreeMap<String, Option<Arc<dyn Venue>>>,
}

/// What a run comes to when it is judged again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    /// How many answers were kept of it.
    pub answers: usize,
    /// Each time that it judged.
    pub passes: Vec<Again>,
    /// What is not as it was.
    pub differs: Vec<String>,
    /// Answers that are not there, or that nobody here can read: so much stands on what was kept.
    pub missing: Vec<String>,
}

impl Replay {
    /// Whether every pass comes to the same, and nothing differs.
    pub fn is_same(&self) -> bool {
        self.differs.is_empty() && self.passes.iter().all(|pass| pass.is_same)
    }
}

/// A pass, judged again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Again {
    /// Which.
    pub pass: i32,
    /// The digest of what it looked at.
    pub input: B256,
    /// The digest of what it came to; none where the ledger contradicts itself.
    pub output: Option<B256>,
    /// Whether both are those on record.
    pub is_same: bool,
}

/// What a source said, read again.
enum Heard {
    Broker(Box<AtBroker>),
    Chain { reading: Arc<Reading>, usdc: Address, time: Timestamp, held: Held },
}

/// Judges a run again, from its raw answers; without readers, from what it kept of them.
///
/// # Errors
/// The database.
pub async fn replay(
    conn: &mut PgConnection,
    run: i64,
    readers: Option<&Readers>,
) -> Result<Replay, StoreError> {
    let (passes, changed) = runs::kept(conn, run).await?;
    let said = runs::answers(conn, run).await?;
    let mut replay = Replay { answers: said.len(), ..Replay::default() };
    replay
        .differs
        .extend(changed.iter().map(|request| format!("the answer to `{request}` is not as it came")));
    let mut kept = Vec::new();
    for pass in passes {
        match serde_json::from_str::<Inputs>(&pass.inputs) {
            Ok(inputs) => kept.push((pass, inputs)),
            Err(error) => {
                replay.differs.push(format!("what pass {} looked at does not read: {error}", pass.pass));
            }
        }
    }
    let mut heard = BTreeMap::new();
    if let (Some(readers), Some((_, inputs))) = (readers, kept.last()) {
        let since = runs::asked_since(conn, run).await?;
        let tape = Tape::playing(said);
        for cut in inputs.cuts.iter().filter(|cut| cut.answer == Answer::Whole) {
            let again = match readers.readings.iter().find(|reading| reading.source.name == cut.source) {
                Some(reading) => chain(reading, cut, inputs, &tape).await,
                None => match readers.venues.get(&cut.source) {
                    Some(Some(venue)) => {
                        let since = since.get(&cut.source).copied();
                        broker(conn, venue.as_ref(), cut, since, &tape).await?
                    }
                    Some(None) => continue,
                    None => Err("the configuration has no source or venue of that name".to_owned()),
                },
            };
            match again {
                Ok(again) => {
                    heard.insert(cut.source.clone(), again);
                }
                Err(why) => replay.missing.push(format!("{}: {why}", cut.source)),
            }
        }
        let ratios = runs::ratios(conn, run).await?;
        replay.differs.extend(ratios.iter().filter_map(|kept| other_ratio(kept, &heard)));
        let logs = logs(&kept, readers, &tape).await;
        for (_, inputs) in &kept {
            for log in &inputs.missing {
                replay.differs.extend(other_log(log, &logs));
            }
        }
    }
    for (pass, kept) in kept {
        let mut inputs = kept.clone();
        for (source, heard) in &heard {
            put(&mut inputs, source, heard);
        }
        let inputs = inputs.sorted();
        let input = recon::digest(&inputs);
        let output = recon::judge(&inputs).ok().map(|findings| recon::digest(&findings));
        let is_same = (input, output) == (pass.input_digest, pass.output_digest);
        replay.differs.extend(
            differences(&kept, &inputs).into_iter().map(|what| format!("pass {}: {what}", pass.pass)),
        );
        replay.passes.push(Again { pass: pass.pass, input, output, is_same });
    }
    Ok(replay)
}

/// What a broker said.
async fn broker(
    conn: &mut PgConnection,
    venue: &dyn Venue,
    cut: &Cut,
    since: Option<Timestamp>,
    tape: &Tape,
) -> Result<Result<Heard, String>, StoreError> {
    let Some(since) = since else {
        return Ok(Err("it is not on record from when on its trades were asked for".to_owned()));
    };
    let opened = ledger::opened_at(conn, &cut.source, Some(cut.at)).await?;
    venue.tape(Some(tape));
    let mut heard = Err("its answers never held still".to_owned());
    for _ in 0..ask::ATTEMPTS {
        // The books know it by its number, which nothing here asks for.
        match ask::account(VenueId(0), venue, (opened, since), || cut.at).await {
            Ok(None) => {}
            Ok(Some(told)) => {
                heard = Ok(Heard::Broker(Box::new(told)));
                break;
            }
            Err(error) => {
                heard = Err(error.to_string());
                break;
            }
        }
    }
    venue.tape(None);
    Ok(heard)
}

/// What a node said: of the block, and of all vaults at it.
async fn chain(reading: &Arc<Reading>, cut: &Cut, inputs: &Inputs, tape: &Tape) -> Result<Heard, String> {
    let usdc = reading.keeper.usdc().ok_or("its chain has no quote token")?;
    let (number, hash) = cut.block.as_ref().ok_or("it was cut at no block")?;
    let hash: B256 = hash.parse().map_err(|error| format!("its block's hash does not read: {error}"))?;
    let at = Place { number: *number, hash };
    let (mut vaults, mut wallets) = (BTreeSet::new(), BTreeSet::new());
    for one in inputs.reported.iter().filter(|one| one.leg.source() == cut.source) {
        match (vault_of(&one.leg), wallet_of(&one.leg)) {
            (Some(vault), _) => vaults.insert(vault),
            (None, Some(wallet)) => wallets.insert(wallet),
            (None, None) => return Err(format!("`{}` is no vault and no wallet", one.leg)),
        };
    }
    let wanted = ask::wanted(reading, vaults, wallets);
    let mut why = "no node answered".to_owned();
    let (mut time, mut held) = (None, None);
    for node in reading.nodes.all() {
        node.put(Some(tape.clone()));
        if time.is_none() {
            match reader::header_of(node, *number).await {
                Ok(Some(header)) if header.hash == hash => {
                    let seconds = i64::try_from(header.timestamp).unwrap_or(0);
                    time = Some(Timestamp::from_second(seconds).unwrap_or_default());
                }
                Ok(_) => why = format!("{} has another block {number}", node.name()),
                Err(error) => why = error.to_string(),
            }
        }
        // It may have been learnt since then that the node takes no batches.
        for batches in [true, false] {
            if held.is_none() {
                node.learn(|limits| limits.batches = batches);
                match vault::held(node, &reading.source, &wanted, at).await {
                    Ok(read) => held = Some(read),
                    Err(error) => why = error.to_string(),
                }
            }
        }
        node.put(None);
    }
    let (time, held) = time.zip(held).ok_or(why)?;
    Ok(Heard::Chain { reading: Arc::clone(reading), usdc, time, held })
}

/// The vault of a leg.
fn vault_of(leg: &Leg) -> Option<VaultKey> {
    let mut parts = leg.account.split('/').skip(1);
    let (owner, token, id) = (parts.next()?, parts.next()?, parts.next()?);
    let vault_id = B256::from(id.parse::<U256>().ok()?);
    Some(VaultKey { owner: owner.parse().ok()?, token: token.parse().ok()?, vault_id })
}

/// The wallet of a leg that is no vault.
fn wallet_of(leg: &Leg) -> Option<WalletKey> {
    let mut parts = leg.account.split('/').skip(1);
    Some(WalletKey { holder: parts.next()?.parse().ok()?, token: parts.next()?.parse().ok()? })
}

/// Puts what a source said in the place of what was kept of it.
fn put(inputs: &mut Inputs, source: &str, heard: &Heard) {
    inputs.cuts.retain(|cut| cut.source != source);
    for balances in [&mut inputs.reported, &mut inputs.unsettled, &mut inputs.pending] {
        balances.retain(|one| one.leg.source() != source);
    }
    match heard {
        Heard::Broker(told) => {
            inputs.told.retain(|trade| trade.account != source);
            inputs.movements.retain(|movement| movement.account != source);
            assemble::said(source, told, inputs);
            let reports = assemble::reports(told);
            for order in inputs.orders.iter_mut().filter(|order| order.account == source) {
                *order = assemble::as_told(order.clone(), &reports);
            }
        }
        Heard::Chain { reading, usdc, time, held } => {
            let block = Some((held.at.number, format!("{:#x}", held.at.hash)));
            let answer = Answer::Whole;
            inputs.cuts.push(Cut { source: source.to_owned(), at: *time, block, answer });
            let mut of_token: BTreeMap<String, Amount> = BTreeMap::new();
            let vaults = held
                .vaults
                .iter()
                .map(|(key, balance)| (key.token, assemble::vault_leg(reading, *usdc, key), balance));
            let wallets = held
                .wallets
                .iter()
                .map(|(key, balance)| (key.token, assemble::wallet_leg(reading, *usdc, key), balance));
            for (token, leg, balance) in vaults.chain(wallets) {
                let amount = balance.exact.cut(18).unwrap_or_default();
                let total = of_token.entry(format!("{token:#x}")).or_default();
                *total = total.plus(amount).unwrap_or(Amount::MAX);
                inputs.reported.push(Balance { leg, amount });
            }
            for ratio in inputs.ratios.iter_mut().filter(|ratio| ratio.source == source) {
                ratio.held = of_token.get(&ratio.token).copied().unwrap_or_default();
                let is = ratio.token.parse().ok().and_then(|token: Address| held.ratios.get(&token));
                ratio.is = (is.copied().unwrap_or_default(), held.at.number);
            }
        }
    }
}

/// A wrapper that was worth something else than the answer says.
fn other_ratio(kept: &RatioRow, heard: &BTreeMap<String, Heard>) -> Option<String> {
    let Some(Heard::Chain { held, .. }) = heard.get(&kept.source) else { return None };
    let is = held.ratios.get(&kept.token);
    let told = is.map_or_else(|| "nothing".to_owned(), Amount::to_string);
    (is != Some(&kept.ratio))
        .then(|| format!("a {:#x} was worth {}; the answer says {told}", kept.token, kept.ratio))
}

/// What a log moved, and in which words it was told: by its natural key.
type Logs = BTreeMap<String, Option<Moves>>;
/// Tokens, vaults, and what each vault gained.
type Moves = BTreeSet<(Address, B256, Amount)>;

/// The logs that were read again in the run.
async fn logs(kept: &[(runs::Kept, Inputs)], readers: &Readers, tape: &Tape) -> Logs {
    let mut found = Logs::new();
    let sought = |reading: &Reading| {
        let chain = format!("{}:", reading.source.chain);
        kept.iter().flat_map(|(_, inputs)| &inputs.missing).any(|log| log.id.starts_with(&chain))
    };
    for reading in readers.readings.iter().filter(|reading| sought(reading)) {
        let mut logs: Vec<Log> = Vec::new();
        for node in reading.nodes.all() {
            node.put(Some(tape.clone()));
            for said in tape.said().iter().filter(|said| said.door == node.name()) {
                for (from, to) in ranges(said, reading) {
                    // A range that was refused then is refused again, and smaller ones follow.
                    node.learn(|limits| limits.batches = true);
                    if let Ok(bulk) = reader::bulk(node, &reading.filter, from, to).await {
                        logs.extend(bulk.logs);
                    }
                }
            }
            node.put(None);
        }
        logs.sort_by_key(|log| (log.block_number, log.log_index));
        logs.dedup();
        let usdc = reading.keeper.usdc();
        let mut moved: BTreeMap<(B256, u64), Moves> = BTreeMap::new();
        for one in reading.keeper.moves(&reading.source, &logs) {
            for what in one.moves {
                let decimals = if Some(what.token) == usdc { 6 } else { 18 };
                let amount = what.amount_exact.cut(decimals).unwrap_or_default();
                moved.entry((one.block, one.log_index)).or_default().insert((
                    what.token,
                    what.vault_id,
                    amount,
                ));
            }
        }
        for log in logs {
            let id = format!("{}:{:#x}:{}", reading.source.chain, log.transaction_hash, log.log_index);
            found.insert(id, moved.remove(&(log.block_hash, log.log_index)));
        }
    }
    found
}

/// The ranges that a question asks this source's logs of.
fn ranges(said: &Said, reading: &Reading) -> Vec<(u64, u64)> {
    let asked: Value = serde_json::from_str(&said.request).unwrap_or_default();
    let calls = asked.as_array().cloned().unwrap_or_else(|| vec![asked]);
    let of_call = |call: &Value| {
        let range = (call.get("method")?.as_str()? == "eth_getLogs").then(|| call.pointer("/params/0"))??;
        let topics: Vec<B256> = serde_json::from_value(range.pointer("/topics/0")?.clone()).ok()?;
        let height = |name| {
            let text = range.get(name)?.as_str()?;
            u64::from_str_radix(text.trim_start_matches("0x"), 16).ok()
        };
        (topics == reading.filter.topics).then_some(())?;
        Some((height("fromBlock")?, height("toBlock")?))
    };
    calls.iter().filter_map(of_call).collect()
}

/// How a log that the ledger lacked differs from what the answers say of it.
fn other_log(kept: &LogMove, logs: &Logs) -> Option<String> {
    let Some(told) = logs.get(&kept.id) else {
        return Some(format!("the log {} is in no answer", kept.id));
    };
    let moves: Option<Moves> = kept
        .moves
        .iter()
        .map(|one| {
            let key = vault_of(&one.leg)?;
            let cut = crate::units::Exact::from(one.amount).cut(if one.leg.is_cash() { 6 } else { 18 })?;
            Some((key.token, key.vault_id, cut))
        })
        .collect();
    // A deposit or a withdrawal is no trade: that it is there is all that is compared.
    let told = told.as_ref()?;
    (moves.as_ref() != Some(told)).then(|| format!("the log {} moved something else by the answers", kept.id))
}

/// What was kept and is not what the answers say, in words.
fn differences(kept: &Inputs, again: &Inputs) -> Vec<String> {
    let balances = |inputs: &Inputs| -> BTreeMap<Leg, Amount> {
        inputs.reported.iter().map(|one| (one.leg.clone(), one.amount)).collect()
    };
    let (was, is) = (balances(kept), balances(again));
    let told = |amount: Option<&Amount>| amount.map_or_else(|| "nothing".to_owned(), Amount::to_string);
    let legs: BTreeSet<&Leg> = was.keys().chain(is.keys()).collect();
    let mut found: Vec<String> = legs
        .into_iter()
        .filter(|leg| was.get(leg) != is.get(leg))
        .map(|leg| format!("{leg}: {} was judged, the answer says {}", told(was.get(leg)), told(is.get(leg))))
        .collect();
    let mut lists = |what: &str, differs: bool| {
        if differs {
            found.push(format!("{what} are not those that the answers tell of"));
        }
    };
    lists("the moments of the cuts", kept.cuts != again.cuts);
    lists(
        "unsettled and pending cash",
        (&kept.unsettled, &kept.pending) != (&again.unsettled, &again.pending),
    );
    lists("trades", kept.told != again.told);
    lists("movements", kept.movements != again.movements);
    lists("orders", kept.orders != again.orders);
    lists("wrappers' ratios", kept.ratios != again.ratios);
    found
}
