//! `hedge import`: takes over the earlier system's database.
//!
//! What it holds is kept in tables of its own and counts nowhere; of all of it only what was
//! open counts here, as opening positions, and only where its own accumulators agree. So a fill
//! that our indexer reads as well cannot count twice, as long as hedging begins after the last
//! imported trade: `hedge go-live` refuses to begin before it, and `imported_twice` checks it.

mod file;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::Hash,
    path::PathBuf,
};

use anyhow::Context as _;
use serde::Serialize;
use sqlx::PgConnection;

use super::{Desk, Exit, Out, Trouble};
use crate::{
    book::earlier::{Accumulator, Hedge, Link, Misfit, Profit, Row, Trade, agree},
    report::{Column, Form, Kind, Table},
    store::{
        Db,
        exposure::{self, Act, Opening},
        imports::{self, Net, OnChain, Position},
    },
    time::Clock,
    units::Shares,
};
use file::File;

const EXAMPLES: &str = "\
Examples:
  hedge import --sqlite schwab.db --dry-run    what it would take over, and what does not fit
  hedge import --sqlite schwab.db
  hedge go-live --at 43400001 --reason \"moved in\"

Imported history is kept apart and counts in no position and no P&L. What it nets to is stated as
opening position, share by share, where the file's own accumulators say the same. Fills that the
indexer reads of the same trades do not count: go live after the last imported trade.

Exit codes: 0 all of it fits, 3 something does not: it is named, and the rest is taken.";

/// Takes over the earlier system's database: its history, and what was open when it stopped.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The file; the earlier system must have ended.
    #[arg(long, value_name = "FILE")]
    sqlite: PathBuf,
    /// Say what would come of it, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Write an object instead of tables.
    #[arg(long)]
    json: bool,
}

/// A table of the file, and how much of it was taken.
#[derive(Debug, Serialize)]
struct Tally {
    table: &'static str,
    rows: u64,
    taken: usize,
}

/// How a share stands after an import.
#[derive(Debug, Serialize)]
struct Share {
    symbol: String,
    trades: u64,
    executions: u64,
    net: String,
    accumulator: Option<String>,
    opening: String,
    said: String,
}

/// What came of an import.
#[derive(Debug, Serialize)]
struct Report {
    file: String,
    sha256: String,
    written: bool,
    tables: Vec<Tally>,
    misfits: Vec<Misfit>,
    positions: Vec<Share>,
    on_chain: OnChain,
    /// Whether every share agrees with its accumulator.
    agreed: bool,
}

/// The file's rows that fit, and those that do not.
#[derive(Debug, Default)]
struct Contents {
    tables: Vec<Tally>,
    trades: Vec<Trade>,
    hedges: Vec<Hedge>,
    links: Vec<Link>,
    profits: Vec<Profit>,
    accumulators: Vec<Accumulator>,
    misfits: Vec<Misfit>,
}

/// The names of the executions' table, the later one first: it was renamed, never doubled.
const EXECUTIONS: [&str; 2] = ["offchain_trades", "schwab_executions"];

/// Runs the command.
///
/// # Errors
/// The file is not there or not the earlier system's; the database.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let name = args.sqlite.display().to_string();
    if file::has_journal(&args.sqlite) {
        return Err(unusable(
            &name,
            "what was written last lies beside it, in a journal".to_owned(),
            "end the earlier system, then: sqlite3 FILE \"pragma wal_checkpoint(truncate)\"",
        )
        .into());
    }
    let digest = file::digest(&args.sqlite)
        .map_err(|error| unusable(&name, error.to_string(), "name the earlier system's file"))?;
    let db = Db::open(&desk.store()?).await?;
    db.migrate().await?;
    let mut tx = db.pool().begin().await.context("could not begin a transaction")?;
    imports::lock(&mut tx).await?;
    if let Some((author, at)) = imports::known(&mut tx, digest).await? {
        drop(tx);
        db.close().await;
        writeln!(out, "{name} was imported by {author} at {at}; nothing was changed")?;
        return Ok(Exit::Done);
    }
    let contents = read(&args.sqlite, &name)?;
    let author = desk.author();
    let sha256 = alloy::hex::encode(digest);
    let reason = format!("open in {name}, SHA-256 {sha256}");
    let act = Act { author: &author, reason: &reason, at: Clock::Wall.now() };
    let id = imports::begin(&mut tx, digest, &name, act).await?;
    let mut report = write(&mut tx, id, contents, act).await?;
    if args.dry_run {
        tx.rollback().await.context("could not leave all as it was")?;
    } else {
        tx.commit().await.context("could not commit")?;
    }
    db.close().await;
    (report.file, report.sha256, report.written) = (name, sha256, !args.dry_run);
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        tell(&report, out)?;
    }
    let sound = report.misfits.is_empty() && report.agreed && report.on_chain.otherwise == 0;
    Ok(if sound { Exit::Done } else { Exit::Found })
}

fn unusable(file: &str, cause: String, next: &str) -> Trouble {
    Trouble {
        what: format!("could not import `{file}`"),
        cause,
        state: "nothing was written".to_owned(),
        next: next.to_owned(),
        exit: Exit::Usage,
    }
}

/// Everything of the file, sorted into what fits and what does not.
fn read(path: &std::path::Path, name: &str) -> anyhow::Result<Contents> {
    let foreign = |error: anyhow::Error| {
        unusable(name, format!("{error:#}"), "name the earlier system's database, a SQLite file")
    };
    let file = File::open(path).map_err(foreign)?;
    let tables = file.tables().map_err(foreign)?;
    let has = |table: &str| tables.iter().any(|name| name == table);
    if !has("onchain_trades") {
        let cause = "it has no table `onchain_trades`: it is not the earlier system's, or one of its later versions, which keep events".to_owned();
        return Err(unusable(name, cause, "name the earlier system's database; a later one: state what is open with `hedge go-live --opening`").into());
    }
    let mut all = Contents::default();
    let mut seen = HashMap::new();
    let once = |row: &Row<'_>, trade: &Trade| fresh(&mut seen, (trade.tx, trade.log_index), row, "tx_hash");
    all.trades = all.take(&file, "onchain_trades", Trade::read, once)?;
    let executions: Vec<&'static str> = EXECUTIONS.into_iter().filter(|table| has(table)).collect();
    if let [table, rest @ ..] = executions.as_slice() {
        let mut seen = HashMap::new();
        let once = |row: &Row<'_>, hedge: &Hedge| fresh(&mut seen, hedge.id, row, "id");
        all.hedges = all.take(&file, table, Hedge::read, once)?;
        for table in rest {
            let why = |row: &Row<'_>| {
                Err(row.misfit("id", "`offchain_trades` is there too, which it was renamed to"))
            };
            all.take(&file, table, why, |_, (): &()| Ok(()))?;
        }
    }
    if has("trade_execution_links") {
        let trades: HashSet<i64> = all.trades.iter().map(|trade| trade.id).collect();
        let hedges: HashSet<i64> = all.hedges.iter().map(|hedge| hedge.id).collect();
        let mut seen = HashMap::new();
        let once = |row: &Row<'_>, link: &Link| {
            if !trades.contains(&link.trade) {
                return Err(row.misfit("trade_id", "that trade was not taken"));
            }
            if !hedges.contains(&link.execution) {
                return Err(row.misfit("execution_id", "that execution was not taken"));
            }
            fresh(&mut seen, (link.trade, link.execution), row, "trade_id")
        };
        all.links = all.take(&file, "trade_execution_links", Link::read, once)?;
    }
    if has("metrics_pnl") {
        let mut seen = HashMap::new();
        let once =
            |row: &Row<'_>, line: &Profit| fresh(&mut seen, (line.kind.clone(), line.trade), row, "trade_id");
        all.profits = all.take(&file, "metrics_pnl", Profit::read, once)?;
    }
    if has("trade_accumulators") {
        all.accumulators =
            all.take(&file, "trade_accumulators", Accumulator::read, |_, _: &Accumulator| Ok(()))?;
    }
    Ok(all)
}

/// That nothing of this key was met before.
fn fresh<K: Eq + Hash>(
    seen: &mut HashMap<K, i64>,
    key: K,
    row: &Row<'_>,
    column: &str,
) -> Result<(), Misfit> {
    match seen.insert(key, row.number) {
        Some(before) => Err(row.misfit(column, format!("row {before} is the same one"))),
        None => Ok(()),
    }
}

impl Contents {
    /// The rows of a table that fit; `once` says of each whether it may stand beside the others.
    fn take<T>(
        &mut self,
        file: &File,
        table: &'static str,
        read: impl Fn(&Row<'_>) -> Result<T, Misfit>,
        mut once: impl FnMut(&Row<'_>, &T) -> Result<(), Misfit>,
    ) -> anyhow::Result<Vec<T>> {
        let (mut taken, misfits) = (Vec::new(), &mut self.misfits);
        let rows =
            file.rows(table, |row| match read(row).and_then(|fits| once(row, &fits).map(|()| fits)) {
                Ok(fits) => taken.push(fits),
                Err(misfit) => misfits.push(misfit),
            })?;
        self.tables.push(Tally { table, rows, taken: taken.len() });
        Ok(taken)
    }
}

/// Writes what fits, what does not, and what is open.
async fn write(
    tx: &mut PgConnection,
    id: imports::ImportId,
    mut contents: Contents,
    act: Act<'_>,
) -> anyhow::Result<Report> {
    let before = |table: &'static str, ids: Vec<i64>| {
        ids.into_iter().map(move |id| Misfit {
            table: table.to_owned(),
            row: id,
            column: "id".to_owned(),
            value: id.to_string(),
            why: "it was imported before with other content, which stands".to_owned(),
        })
    };
    let differ = imports::trades(tx, id, &contents.trades).await?;
    contents.misfits.extend(before("onchain_trades", differ));
    let differ = imports::executions(tx, id, &contents.hedges).await?;
    contents.misfits.extend(before(EXECUTIONS[0], differ));
    imports::links(tx, id, &contents.links).await?;
    imports::profits(tx, id, &contents.profits).await?;
    imports::misfits(tx, id, &contents.misfits).await?;

    let live = !exposure::live_sources(tx).await?.is_empty();
    let mut accumulators: BTreeMap<String, Option<Shares>> = BTreeMap::new();
    for Accumulator { symbol, net } in contents.accumulators {
        let sum = accumulators.entry(symbol).or_insert(Some(Shares::ZERO));
        *sum = sum.and_then(|sum| sum.plus(net));
    }
    let mut nets: BTreeMap<String, Net> =
        imports::nets(tx).await?.into_iter().map(|net| (net.symbol.clone(), net)).collect();
    for symbol in accumulators.keys() {
        let none =
            Net { symbol: symbol.clone(), trades: 0, executions: 0, net: Shares::ZERO, stated: Shares::ZERO };
        nets.entry(symbol.clone()).or_insert(none);
    }
    let (mut positions, mut agreed) = (Vec::with_capacity(nets.len()), true);
    for net in nets.into_values() {
        let accumulator = accumulators.get(&net.symbol).copied().flatten();
        let open = net.net.minus(net.stated).unwrap_or_default();
        let same = agree(net.net, accumulator);
        agreed &= same;
        let (stated, said) = if !same {
            (Shares::ZERO, "its accumulator says otherwise: nothing is stated")
        } else if open == Shares::ZERO {
            (Shares::ZERO, "nothing is open that was not stated")
        } else if live {
            (Shares::ZERO, "hedging has begun: nothing is stated any more")
        } else {
            (open, "stated as opening position")
        };
        let position =
            Position { symbol: net.symbol.clone(), net: net.net, accumulator, stated, said: said.to_owned() };
        imports::position(tx, id, &position).await?;
        if stated != Shares::ZERO {
            exposure::state(tx, &Opening { symbol: net.symbol.clone(), quantity: stated }, act).await?;
        }
        positions.push(Share {
            symbol: net.symbol,
            trades: net.trades,
            executions: net.executions,
            net: net.net.to_string(),
            accumulator: accumulator.map(|shares| shares.to_string()),
            opening: stated.to_string(),
            said: said.to_owned(),
        });
    }
    Ok(Report {
        file: String::new(),
        sha256: String::new(),
        written: false,
        tables: contents.tables,
        misfits: contents.misfits,
        positions,
        on_chain: imports::on_chain(tx).await?,
        agreed,
    })
}

fn table<const N: usize>(
    names: [(&str, Kind); N],
    rows: Vec<[Option<String>; N]>,
    out: &mut Out<'_>,
) -> anyhow::Result<()> {
    let columns = names.map(|(name, kind)| Column { name: name.to_owned(), kind }).to_vec();
    let rows = rows.into_iter().map(Vec::from).collect();
    Ok(Table { columns, rows }.write(Form::People, &names.map(|(name, _)| name), out)?)
}

/// What a person reads.
fn tell(report: &Report, out: &mut Out<'_>) -> anyhow::Result<()> {
    let text = |text: &dyn ToString| Some(text.to_string());
    writeln!(out, "{}, SHA-256 {}\n", report.file, report.sha256)?;
    let rows = report.tables.iter().map(|taken| {
        let left = taken.rows.saturating_sub(u64::try_from(taken.taken).unwrap_or(u64::MAX));
        [text(&taken.table), text(&taken.rows), text(&taken.taken), text(&left)]
    });
    let names =
        [("table", Kind::Text), ("rows", Kind::Whole), ("taken", Kind::Whole), ("left_out", Kind::Whole)];
    table(names, rows.collect(), out)?;
    if !report.misfits.is_empty() {
        writeln!(out, "\nWhat does not fit, which was left out:")?;
        let rows = report.misfits.iter().map(|Misfit { table, row, column, value, why }| {
            [text(table), text(row), text(column), text(value), text(why)]
        });
        let names = [
            ("table", Kind::Text),
            ("row", Kind::Whole),
            ("column", Kind::Text),
            ("value", Kind::Text),
            ("why", Kind::Text),
        ];
        table(names, rows.collect(), out)?;
    }
    writeln!(out, "\nWhat it nets to:")?;
    let rows = report.positions.iter().map(|share| {
        let Share { symbol, trades, executions, net, accumulator, opening, said } = share;
        [
            text(symbol),
            text(trades),
            text(executions),
            text(net),
            accumulator.clone(),
            text(opening),
            text(said),
        ]
    });
    let names = [
        ("symbol", Kind::Text),
        ("trades", Kind::Whole),
        ("executions", Kind::Whole),
        ("net", Kind::Exact),
        ("accumulator", Kind::Exact),
        ("opening", Kind::Exact),
        ("said", Kind::Text),
    ];
    table(names, rows.collect(), out)?;
    let OnChain { trades, indexed, otherwise, last_block } = report.on_chain;
    writeln!(
        out,
        "\n{indexed} of {trades} imported trades are among the fills read from the chain, where they count from go-live on"
    )?;
    if otherwise > 0 {
        writeln!(
            out,
            "{otherwise} of them are another share, side or quantity there: compare imported_trade with fill"
        )?;
    }
    match last_block {
        _ if indexed < trades => {
            writeln!(
                out,
                "read the chain past the last of them before going live: hedge backfill --from BLOCK"
            )?;
        }
        Some(block) => {
            writeln!(out, "go live after the last of them: hedge go-live --at {} --reason ...", block + 1)?;
        }
        None => {}
    }
    writeln!(out, "{}", if report.written { "imported" } else { "a dry run: nothing was written" })?;
    Ok(())
}
