//! Reconciliation without the network: 1 000 shares and as many fills as asked for, all of them in
//! the window, against books in Postgres.
//!
//! What is measured is all that stands between the answers and the commit: the ledger at its cut,
//! vault by vault and trade by trade; the judgement; the digests; the run written down.

use std::{collections::BTreeMap, time::Instant};

use alloy::primitives::{Address, B256, U256};
use anyhow::Context;
use hedge::{
    book::{
        recon::{
            self,
            inputs::{Answer, Balance as Reported, Cut, Inputs, Kind, Leg, Mark, Position},
        },
        vault::{Balance, VaultKey},
    },
    store::{
        Db, Settings,
        cursors::SourceId,
        ledger,
        recon::{self as runs, Pass, RunRow},
    },
    units::{Amount, Price},
};
use jiff::{Timestamp, civil::date};
use sqlx::AssertSqlSafe;

use super::{books::Books, seconds};

/// Shares that were traded.
const SYMBOLS: u64 = 1_000;
/// Fills a block.
const FILLS_A_BLOCK: u64 = 20;

/// Fills the books of an empty database that is migrated and has source 1.
const FILL: &str = "
    begin;
    set local session_replication_role = replica;
    insert into chain_log (chain_id, block_hash, log_index, source_id, block_number, block_time, tx_hash, tx_index, topics, data)
    select 8453, sha256(int8send(n / {a_block})), n % {a_block}, 1, n / {a_block},
        '2026-01-01Z'::timestamptz + (n / {a_block}) * interval '2 seconds', sha256(int8send(-1 - n)), 0, '', ''
    from generate_series(0::bigint, {fills} - 1) n;
    insert into fill (chain_id, block_hash, log_index, role, owner, side, symbol, token, token_quantity, token_quantity_exact,
        usdc, usdc_exact, wrapper_ratio, quantity, price, vault_in, vault_out)
    select 8453, sha256(int8send(n / {a_block})), n % {a_block}, 'order', repeat('o', 20)::bytea,
        case when n % 7 < 4 then 'SELL' else 'BUY' end, 'S' || lpad((n % {symbols})::text, 4, '0'),
        substring(sha256(int8send(n % {symbols})), 1, 20), q, q, round(q * 100, 6), round(q * 100, 6), 1, q, 100,
        case when n % 7 < 4 then sha256('usdc') else sha256('shares') end,
        case when n % 7 < 4 then sha256('shares') else sha256('usdc') end
    from generate_series(0::bigint, {fills} - 1) n, lateral (select round(0.1 + (n % 97) / 31.0, 9) as q) q;
    commit;
    analyze chain_log; analyze fill;";

/// Fills the books, reconciles them, and says how long each part took.
pub(super) async fn measure(books: &Books, fills: u64) -> anyhow::Result<()> {
    eprintln!("writing {fills} fills of {SYMBOLS} shares");
    let settings = Settings {
        database_url: Some(books.create("reconcile").await?.parse()?),
        data_dir: "/nonexistent".into(),
    };
    let db = Db::open(&settings).await?;
    let sql = FILL
        .replace("{fills}", &fills.to_string())
        .replace("{a_block}", &FILLS_A_BLOCK.to_string())
        .replace("{symbols}", &SYMBOLS.to_string());
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(db.pool()).await.context("the fills were not written")?;
    let mut tx = db.pool().begin().await?;
    let (source, usdc, to) = (SourceId(1), Address::repeat_byte(0x55), fills);
    // What the vaults would answer: what is booked, which the first look at nothing reported says.
    let nothing = BTreeMap::new();
    let (booked, _) = ledger::vaults(&mut tx, source, to, usdc, &nothing).await?;
    let held: BTreeMap<VaultKey, Balance> = booked
        .iter()
        .map(|row| {
            let atoms = row.residual.negated().atoms();
            let exact = hedge::units::Exact::new(atoms < 0, U256::from(atoms.unsigned_abs()), -18);
            (row.key, Balance::whole(exact, 18))
        })
        .collect();

    let begun = Instant::now();
    let (rows, _) = ledger::vaults(&mut tx, source, to, usdc, &held).await?;
    let ledger = begun.elapsed();
    let at: Timestamp = "2026-11-21T01:30:00Z".parse()?;
    let mut inputs = Inputs::new("bench", date(2026, 11, 20), at);
    let block = Some((to, format!("{:#x}", B256::ZERO)));
    inputs.cuts.push(Cut { source: "raindex".to_owned(), at, block, answer: Answer::Whole });
    for row in &rows {
        let VaultKey { owner, token, vault_id } = row.key;
        let leg = Leg::new(
            Kind::Vault,
            format!("raindex/{owner:#x}/{token:#x}/{vault_id:#x}"),
            format!("{token:#x}"),
        );
        let booked = row.reported.minus(row.residual).context("the grid ends")?;
        inputs.reported.push(Reported { leg: leg.clone(), amount: row.reported });
        inputs.booked.push(Reported { leg, amount: booked });
    }
    for number in 0..SYMBOLS {
        let symbol = format!("S{number:04}");
        inputs.marks.push(Mark { symbol: symbol.clone(), price: Price::of(Amount::ONE).context("a price")? });
        inputs.positions.push(Position {
            symbol,
            net: Amount::ZERO,
            pending: Amount::ZERO,
            threshold: Amount::ONE,
            why: None,
            oldest: None,
            parts: Vec::new(),
        });
    }
    let judging = Instant::now();
    let inputs = inputs.sorted();
    let findings = recon::judge(&inputs)?;
    let pass = Pass {
        inputs: serde_json::to_string(&inputs)?,
        input_digest: recon::digest(&inputs),
        output_digest: Some(recon::digest(&findings)),
        findings,
    };
    let judged = judging.elapsed();
    anyhow::ensure!(pass.findings.sightings.is_empty(), "books that agree differ");
    let writing = Instant::now();
    let row = RunRow {
        job_run: None,
        date: inputs.date,
        started: at,
        finished: at,
        status: "COMPLETE",
        passes: vec![pass],
        cuts: Vec::new(),
        answers: Vec::new(),
        ratios: Vec::new(),
        inventory: Vec::new(),
        open_breaks: 0,
        said: "a bench".to_owned(),
    };
    runs::write(&mut tx, &row).await?;
    tx.commit().await?;
    println!(
        "\nreconcile {SYMBOLS} shares, {} vaults, {fills} fills: {}",
        rows.len(),
        seconds(begun.elapsed())
    );
    println!(
        "  ledger {}, judgement {}, written down {}",
        seconds(ledger),
        seconds(judged),
        seconds(writing.elapsed())
    );
    db.close().await;
    Ok(())
}
