//! What the sources said and what the books say, laid side by side for the pure judgement.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, U256};
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{
    Reconciler,
    ask::{Asked, AtBroker, OnChain, Read},
};
use crate::{
    assets::Threshold,
    book::{
        fill::Side,
        market::Funds,
        order::{Report, Status},
        recon::inputs::{
            Announced, Answer, Balance, Cut, Identity, Inputs, Kind, Leg, LogMove, Mark, Movement, Order,
            Position, Ratio, Trade, Transfer,
        },
        vault::{VaultKey, WalletKey},
    },
    chain::vault,
    engine::reading::Reading,
    job::Run,
    policy::inventory::Inventory,
    store::{
        StoreError, exposure,
        ledger::{self, BookedOrder, LogFact},
        recon::RatioRow,
    },
    time::new_york_date,
    units::{Amount, Exact, Price, Shares, Usd},
};

/// What a run judges, and what it keeps besides.
#[derive(Debug)]
pub(super) struct Assembled {
    pub(super) inputs: Inputs,
    pub(super) ratios: Vec<RatioRow>,
    pub(super) inventory: Vec<Inventory>,
}

/// How much of an instrument lies where.
#[derive(Debug, Default)]
struct Where {
    onchain: Amount,
    at_brokers: Amount,
}

/// Lays everything side by side.
///
/// # Errors
/// The database.
pub(super) async fn assemble(
    conn: &mut PgConnection,
    job: &Reconciler,
    run: &Run,
    at: Timestamp,
    read: &Read,
) -> Result<Assembled, StoreError> {
    let mut inputs = Inputs::new(&job.environment, run.date, at);
    let mut ratios = Vec::new();
    let mut places: BTreeMap<String, Where> = BTreeMap::new();
    for asked in &read.chains {
        chain(conn, asked, at, &mut inputs, &mut ratios, &mut places).await?;
    }
    let oldest =
        read.brokers.iter().filter_map(|asked| asked.said.as_ref().ok()).map(|broker| broker.since).min();
    inputs.settled = ledger::settled(conn, oldest.unwrap_or(at)).await?;
    for asked in &read.brokers {
        broker(conn, asked, &mut inputs, &mut places).await?;
    }
    for (id, instrument, quantity, deadline) in ledger::transfers(conn, at).await? {
        let deadline = deadline.unwrap_or(at);
        inputs.transfers.push(Transfer { id, instrument, quantity, deadline });
    }
    for (id, symbol, ex_date, new, old) in ledger::announced(conn, run.date).await? {
        inputs.announced.push(Announced { id, symbol, ex_date, new, old });
    }
    let doubts = ledger::doubts(conn).await?;
    inputs.doubts =
        doubts.iter().map(|said| format!("P&L is counted two ways, and they differ: {said}")).collect();
    let marks = ledger::marks(conn, at).await?;
    positions(conn, job, &marks, &mut inputs).await?;
    inputs.marks = marks.into_iter().map(|(symbol, price)| Mark { symbol, price }).collect();
    for (date, is_open) in ledger::sessions(conn, run.date).await? {
        if is_open {
            inputs.calendar.open.insert(date)
        } else {
            inputs.calendar.closed.insert(date)
        };
    }
    let complete = inputs.cuts.iter().all(|cut| cut.answer == Answer::Whole);
    let inventory = if complete { inventory(job, places) } else { Vec::new() };
    Ok(Assembled { inputs: inputs.sorted(), ratios, inventory })
}

/// The leg of a vault; the newest contract's vault 0 is its owner's wallet.
pub(super) fn vault_leg(reading: &Reading, usdc: Address, key: &VaultKey) -> Leg {
    let VaultKey { owner, token, vault_id } = key;
    let id = U256::from_be_bytes(vault_id.0);
    let is_wallet = vault::is_wallet(&reading.source, key);
    let kind = if is_wallet { Kind::Wallet } else { Kind::Vault };
    let account = format!("{}/{owner:#x}/{token:#x}/{id:#x}", reading.source.name);
    Leg::new(kind, account, instrument(reading, usdc, *token))
}

/// The leg of a wallet.
pub(super) fn wallet_leg(reading: &Reading, usdc: Address, key: &WalletKey) -> Leg {
    let WalletKey { holder, token } = key;
    let account = format!("{}/{holder:#x}/{token:#x}", reading.source.name);
    Leg::new(Kind::Wallet, account, instrument(reading, usdc, *token))
}

fn instrument(reading: &Reading, usdc: Address, token: Address) -> String {
    if token == usdc {
        return "USDC".to_owned();
    }
    reading.keeper.share(token).map_or_else(|| format!("{token:#x}"), |(symbol, _)| symbol)
}

/// Every wallet that was read, with its leg: those that are named, and those that a vault stands for.
pub(super) fn wallets(chain: &OnChain) -> Vec<(WalletKey, Leg, u8)> {
    let (reading, usdc) = (&chain.reading, chain.usdc);
    let named = chain.held.wallets.iter();
    let named = named.map(|(key, balance)| (*key, wallet_leg(reading, usdc, key), balance.decimals));
    let zero = chain.held.vaults.iter().filter(|(key, _)| vault::is_wallet(&reading.source, key));
    let zero = zero.map(|(key, balance)| {
        let wallet = WalletKey { holder: key.owner, token: key.token };
        (wallet, vault_leg(reading, usdc, key), balance.decimals)
    });
    named.chain(zero).collect()
}

/// Logs as the judgement takes them.
pub(super) fn log_moves(chain: &OnChain, facts: Vec<LogFact>) -> Vec<LogMove> {
    let reading = &chain.reading;
    let balance =
        |(key, amount): (VaultKey, Amount)| Balance { leg: vault_leg(reading, chain.usdc, &key), amount };
    facts
        .into_iter()
        .map(|fact| LogMove {
            block: fact.block,
            id: format!("{}:{:#x}:{}", reading.source.chain, fact.tx, fact.log_index),
            moves: fact.moves.into_iter().map(balance).collect(),
            said: fact.said,
        })
        .collect()
}

async fn chain(
    conn: &mut PgConnection,
    asked: &Asked<OnChain>,
    now: Timestamp,
    inputs: &mut Inputs,
    kept: &mut Vec<RatioRow>,
    places: &mut BTreeMap<String, Where>,
) -> Result<(), StoreError> {
    let source = asked.source.clone();
    let chain = match &asked.said {
        Ok(chain) => chain,
        Err(why) => {
            inputs.cuts.push(Cut {
                source,
                at: asked.started,
                block: None,
                answer: Answer::Unknown(why.clone()),
            });
            return Ok(());
        }
    };
    let (reading, number) = (&chain.reading, chain.held.at.number);
    let block = Some((number, format!("{:#x}", chain.held.at.hash)));
    inputs.cuts.push(Cut { source: source.clone(), at: chain.time, block, answer: Answer::Whole });
    let mut of_token: BTreeMap<Address, Amount> = BTreeMap::new();
    let (rows, tokens) = ledger::vaults(conn, reading.id, number, chain.usdc, &chain.held.vaults).await?;
    for row in rows {
        let leg = vault_leg(reading, chain.usdc, &row.key);
        let booked = row.reported.minus(row.residual).unwrap_or_default();
        let held = of_token.entry(row.key.token).or_default();
        *held = held.plus(row.reported).unwrap_or(Amount::MAX);
        inputs.reported.push(Balance { leg: leg.clone(), amount: row.reported });
        inputs.booked.push(Balance { leg, amount: booked });
    }
    inputs.unlisted.extend(chain.unlisted.iter().map(|key| vault_leg(reading, chain.usdc, key)));
    for (key, balance) in &chain.held.wallets {
        let amount = balance.exact.cut(18).unwrap_or_default();
        let held = of_token.entry(key.token).or_default();
        *held = held.plus(amount).unwrap_or(Amount::MAX);
        inputs.reported.push(Balance { leg: wallet_leg(reading, chain.usdc, key), amount });
    }
    // What is paid into a vault leaves its owner's wallet, and what is taken out comes to it.
    let wallets = wallets(chain);
    let keys: Vec<(WalletKey, u8)> = wallets.iter().map(|(key, _, decimals)| (*key, *decimals)).collect();
    let moved = ledger::wallet_moves(conn, reading.source.chain, number, &keys).await?;
    for ((_, leg, _), amount) in wallets.into_iter().zip(moved) {
        inputs.booked.push(Balance { leg, amount });
    }
    for (kind, account, instrument, amount) in ledger::entries(conn, &source, now).await? {
        if let Some(kind) = Kind::named(&kind) {
            inputs.booked.push(Balance { leg: Leg::new(kind, account, instrument), amount });
        }
    }
    let last = ledger::last_ratios(conn, &source, number).await?;
    for (token, held) in &of_token {
        let (ratio, symbol) = match (chain.held.ratios.get(token), reading.keeper.share(*token)) {
            (ratio, Some((symbol, _))) => (ratio.copied(), symbol),
            (_, None) if *token == chain.usdc => (None, "USD".to_owned()),
            (_, None) => continue,
        };
        let worth = held.times_toward_zero(ratio.unwrap_or(Amount::ONE)).unwrap_or_default();
        let place = places.entry(symbol.clone()).or_default();
        place.onchain = place.onchain.plus(worth).unwrap_or(Amount::MAX);
        let Some(ratio) = ratio else { continue };
        if let Some((was, block)) = last.get(token).filter(|(was, _)| *was != ratio) {
            inputs.ratios.push(Ratio {
                source: source.clone(),
                token: format!("{token:#x}"),
                symbol: symbol.clone(),
                held: *held,
                was: (*was, *block),
                is: (ratio, number),
            });
        }
        kept.push(RatioRow {
            source: source.clone(),
            token: *token,
            symbol,
            held: *held,
            ratio,
            block: number,
        });
    }
    for sums in tokens {
        if let Some((symbol, _)) = reading.keeper.share(sums.token) {
            inputs.identities.push(Identity {
                of: format!("{symbol} of {source} ({:#x})", sums.token),
                held: vec![("vaults".to_owned(), sums.held)],
                owed: vec![
                    ("fills".to_owned(), sums.traded),
                    ("moves".to_owned(), sums.moved),
                    ("trades that are no fills".to_owned(), sums.skipped),
                ],
                // Each of the four is cut once.
                tolerance: Amount::from_atoms(3).unwrap_or_default(),
            });
        }
    }
    Ok(())
}

async fn broker(
    conn: &mut PgConnection,
    asked: &Asked<AtBroker>,
    inputs: &mut Inputs,
    places: &mut BTreeMap<String, Where>,
) -> Result<(), StoreError> {
    let name = &asked.source;
    let told = match &asked.said {
        Ok(told) => told,
        Err(why) => {
            let answer = Answer::Unknown(why.clone());
            inputs.cuts.push(Cut { source: name.clone(), at: asked.started, block: None, answer });
            return Ok(());
        }
    };
    let mut hold = |instrument: &str, amount: Amount| {
        let place = places.entry(instrument.to_owned()).or_default();
        place.at_brokers = place.at_brokers.plus(amount).unwrap_or(Amount::MAX);
    };
    for (symbol, holding) in &told.account.holdings {
        hold(symbol, holding.quantity.0);
    }
    hold("USD", told.account.funds.total.0);
    said(name, told, inputs);
    let cash = Leg::new(Kind::Cash, name, "USD");
    let booked = ledger::account(conn, told.id, name, told.at).await?;
    inputs.booked.push(Balance { leg: cash, amount: booked.cash.0 });
    inputs.rounded.insert(name.clone(), booked.fills);
    for (symbol, quantity) in booked.shares {
        inputs.booked.push(Balance { leg: Leg::new(Kind::Broker, name, symbol), amount: quantity.0 });
    }

    let since = told.window().0;
    for trade in ledger::trades(conn, told.id, (since, told.at)).await? {
        inputs.trades.push(Trade {
            account: name.clone(),
            at: trade.at,
            id: trade.id,
            order: trade.order,
            ours: trade.ours,
            symbol: trade.symbol,
            quantity: trade.quantity.0,
            cash: trade.cash.0,
        });
    }
    let reports = reports(told);
    for order in ledger::orders(conn, told.id, since).await? {
        inputs.orders.push(as_told(order_of(name, order), &reports));
    }
    Ok(())
}

/// What a broker itself says of an account.
pub(super) fn said(name: &str, told: &AtBroker, inputs: &mut Inputs) {
    inputs.cuts.push(Cut { source: name.to_owned(), at: told.at, block: None, answer: Answer::Whole });
    for (symbol, holding) in &told.account.holdings {
        let leg = Leg::new(Kind::Broker, name, symbol);
        inputs.reported.push(Balance { leg, amount: holding.quantity.0 });
    }
    let cash = |amount: Usd| Balance { leg: Leg::new(Kind::Cash, name, "USD"), amount: amount.0 };
    let Funds { total, unsettled, pending } = told.account.funds;
    inputs.reported.push(cash(total));
    inputs.unsettled.extend(unsettled.map(cash));
    inputs.pending.extend((pending != Usd::ZERO).then(|| cash(pending)));
    let (since, to) = told.window();
    let in_window = |at: Timestamp| since < at && at <= to;
    inputs.told.extend(told.executions.iter().filter(|told| in_window(told.executed_at)).map(|told| Trade {
        account: name.to_owned(),
        at: told.executed_at,
        id: told.id.clone(),
        order: told.broker_order_id.clone(),
        ours: false,
        symbol: told.symbol.clone(),
        quantity: told.quantity.0,
        cash: told.cash.0,
    }));
    inputs.told_whole.insert(name.to_owned());
    // A broker dates what it does not time: what the opening knew of is settled.
    let is_after_opening = |at: Option<Timestamp>, date| match (told.opened, at) {
        (None, _) => true,
        (Some(opened), Some(at)) => at > opened,
        (Some(opened), None) => date >= new_york_date(opened),
    };
    let after = told.activities.iter().filter(|activity| is_after_opening(activity.at, activity.date));
    inputs.movements.extend(after.map(|activity| Movement {
        account: name.to_owned(),
        date: activity.date,
        id: activity.id.clone(),
        kind: activity.kind.word().to_owned(),
        symbol: activity.symbol.clone(),
        quantity: activity.quantity.0,
        cash: activity.cash.0,
        transfer: None,
    }));
}

/// An order of ours, as the books have it.
fn order_of(account: &str, order: BookedOrder) -> Order {
    Order {
        account: account.to_owned(),
        id: format!("#{}", order.id),
        broker_ids: order.broker_ids,
        symbol: order.symbol,
        quantity: order.quantity.0,
        filled: None,
        open: order.live,
        since: order.since,
    }
}

/// What a broker says of orders, by its own ids.
pub(super) fn reports(said: &AtBroker) -> BTreeMap<&str, &Report> {
    said.orders.iter().map(|report| (report.broker_id.as_str(), report)).collect()
}

/// The same, with what the broker says of it.
pub(super) fn as_told(order: Order, reports: &BTreeMap<&str, &Report>) -> Order {
    let told: Vec<&Report> =
        order.broker_ids.iter().filter_map(|id| reports.get(id.as_str()).copied()).collect();
    let is_told_whole = !told.is_empty() && told.len() == order.broker_ids.len();
    let filled = told.iter().try_fold(Shares::ZERO, |total, report| total.plus(report.filled?));
    let side = if order.quantity < Amount::ZERO { Side::Sell } else { Side::Buy };
    Order {
        filled: filled.filter(|_| is_told_whole).map(|filled| side.signed(filled).0),
        open: if is_told_whole { told.iter().any(|one| one.status == Status::Working) } else { order.open },
        ..order
    }
}

/// From how many shares on a share is hedged.
fn threshold(threshold: Option<Threshold>, price: Option<&Price>) -> Amount {
    let on_the_grid = |decimal| Exact::from(decimal).cut(18).unwrap_or(Amount::ONE);
    match threshold {
        Some(Threshold::Shares(shares) | Threshold::Fraction(shares)) => on_the_grid(shares),
        Some(Threshold::Usd(usd)) => {
            let shares = price.and_then(|price| Usd(on_the_grid(usd)).buys(*price));
            shares.map_or(Amount::ONE, |shares| shares.0)
        }
        None => Amount::ONE,
    }
}

async fn positions(
    conn: &mut PgConnection,
    job: &Reconciler,
    marks: &BTreeMap<String, Price>,
    inputs: &mut Inputs,
) -> Result<(), StoreError> {
    for standing in ledger::positions(conn).await? {
        let threshold = threshold(job.thresholds.get(&standing.symbol).copied(), marks.get(&standing.symbol));
        let left = standing.net.plus(standing.pending).unwrap_or_default();
        let (mut parts, mut oldest) = (Vec::new(), None);
        if left.0.abs() >= threshold {
            let units = exposure::units(conn, &standing.symbol, left).await?;
            oldest = ledger::oldest(conn, &units).await?;
            for unit in units {
                let part = match unit.part {
                    exposure::Part::Fill { block, log_index, role, .. } => {
                        format!("fill {}:{log_index}:{role}", alloy::hex::encode_prefixed(block))
                    }
                    exposure::Part::Execution(id) => format!("execution {id}"),
                    exposure::Part::Stated => "stated".to_owned(),
                };
                parts.push((part, unit.quantity.0));
            }
        }
        inputs.positions.push(Position {
            symbol: standing.symbol,
            net: standing.net.0,
            pending: standing.pending.0,
            threshold,
            why: standing.hold,
            oldest,
            parts,
        });
    }
    Ok(())
}

/// How much of what is where, against what is wanted.
fn inventory(job: &Reconciler, places: BTreeMap<String, Where>) -> Vec<Inventory> {
    let of = |(instrument, place): (String, Where)| {
        let target = if instrument == "USD" { job.inventory.cash } else { job.inventory.equity };
        Inventory::of(&instrument, place.onchain, place.at_brokers, target)
    };
    places.into_iter().filter_map(of).collect()
}

/// The sources that were read whole.
pub(super) fn whole(inputs: &Inputs) -> BTreeSet<String> {
    let whole = inputs.cuts.iter().filter(|cut| cut.answer == Answer::Whole);
    whole.map(|cut| cut.source.clone()).collect()
}
