//! `hedge export`: the views of `reporting` as files, a folder a day.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use futures_util::TryStreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;
use serde::Serialize;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use super::{Desk, Exit, Out, Trouble};
use crate::{
    report::partition::{self, Field, Format, Holds, Partition},
    store::{Db, StoreError, types::Day},
};

const EXAMPLES: &str = "\
Examples:
  hedge export --from 2026-11-01 --to 2026-11-30 --out books
  hedge export --tables fill,execution --format csv --from 2026-11-20 --to 2026-11-20 --out books
  duckdb -c \"select symbol, sum(quantity) from 'books/fill/*/*.parquet' group by 1\"

A day of a table is books/TABLE/et_date=DATE/TABLE.parquet, there whole or not at all; a second
export of it takes the place of the first. books/TABLE/_schema.json says what its columns are.
Quantities and money are decimal(38,18); numbers of any number of digits are text.";

/// Writes the views of `reporting` as files, a folder a day, exactly.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The first date, in New York.
    #[arg(long, value_name = "DATE")]
    from: Date,
    /// The last date, in New York.
    #[arg(long, value_name = "DATE")]
    to: Date,
    /// The folder that they are written into.
    #[arg(long, value_name = "DIRECTORY")]
    out: PathBuf,
    /// What the files are.
    #[arg(long, value_enum, default_value = "parquet")]
    format: Format,
    /// Only these, separated by commas; without it, every view that has dates.
    #[arg(long, value_name = "TABLES", value_delimiter = ',')]
    tables: Vec<String>,
}

/// The column that says which day a row is of; it stands in the folder's name.
const DAY: &str = "et_date";

/// A view with dates.
#[derive(Debug, Default)]
struct View {
    about: String,
    columns: Vec<Column>,
}

#[derive(Clone, Debug, Serialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    holds: &'static str,
    about: String,
    #[serde(skip)]
    field: Holds,
}

/// What `_schema.json` says.
#[derive(Debug, Serialize)]
struct Schema<'a> {
    table: &'a str,
    about: &'a str,
    format: Format,
    /// The name of its folders; the column is in no file.
    partitioned_by: &'static str,
    columns: Vec<&'a Column>,
}

fn wrong(what: String, cause: String, next: &str) -> Trouble {
    Trouble { what, cause, state: "nothing was written".to_owned(), next: next.to_owned(), exit: Exit::Usage }
}

/// Runs the command.
///
/// # Errors
/// The database, the disk, dates the wrong way round, or a table that is not there.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let Args { format, tables, from, to, out: room } = args;
    if from > to {
        return Err(wrong(
            format!("there is no day from {from} to {to}"),
            "the first is after the last".to_owned(),
            "give the earlier one first",
        )
        .into());
    }
    let db = Db::open(&desk.store()?).await?;
    db.migrate().await?;
    // All tables as they are at one moment.
    let begin = "begin isolation level repeatable read, read only";
    let mut tx =
        db.pool().begin_with(begin).await.map_err(|error| StoreError::of("read the books", error))?;
    let mut views = views(&mut tx).await?;
    if let Some(missing) = tables.iter().find(|table| !views.contains_key(*table)) {
        let names: Vec<&str> = views.keys().map(String::as_str).collect();
        return Err(wrong(
            format!("there is no table `{missing}` to export"),
            format!("there are {}", names.join(", ")),
            "name some of these",
        )
        .into());
    }
    if !tables.is_empty() {
        views.retain(|name, _| tables.contains(name));
    }
    let bar = ProgressBar::new(u64::try_from(views.len()).unwrap_or(0));
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    for (name, view) in &views {
        bar.set_prefix(name.clone());
        let (days, rows) = export(&mut tx, name, view, (from, to), format, &room, &bar).await?;
        bar.suspend(|| writeln!(out, "{name}: {rows} rows of {days} days"))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    drop(tx);
    db.close().await;
    Ok(Exit::Done)
}

/// Everything that may be exported, by name.
async fn views(conn: &mut PgConnection) -> anyhow::Result<BTreeMap<String, View>> {
    let rows = sqlx::query(include_str!("../../sql/queries/export_columns.sql"))
        .fetch_all(conn)
        .await
        .map_err(|error| StoreError::of("look for what may be exported", error))?;
    let mut views: BTreeMap<String, View> = BTreeMap::new();
    for row in rows {
        let view = views.entry(row.try_get("view_name")?).or_default();
        let field = Holds::of(row.try_get("type_name")?);
        view.about = row.try_get("view_about")?;
        view.columns.push(Column {
            name: row.try_get("column_name")?,
            holds: field.word(),
            about: row.try_get("column_about")?,
            field,
        });
    }
    Ok(views)
}

/// The rows of a view, day after day; nothing of it but names of columns, quoted, is not ours.
fn question(name: &str, view: &View) -> String {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let mut wanted = vec![format!("{DAY}::text")];
    for column in view.columns.iter().filter(|column| column.name != DAY) {
        let name = quoted(&column.name);
        wanted.push(match column.field {
            Holds::Time => format!(r#"to_char({name} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#),
            Holds::Text | Holds::Whole | Holds::Decimal | Holds::Flag | Holds::Date => {
                format!("{name}::text")
            }
        });
    }
    let time = view.columns.iter().find(|column| column.field == Holds::Time);
    let then = time.map_or(String::new(), |column| format!(", {}", quoted(&column.name)));
    format!(
        "select {} from reporting.{} where {DAY} between $1 and $2 order by {DAY}{then}",
        wanted.join(", "),
        quoted(name)
    )
}

/// Writes a view's days; gives how many of them have rows, and how many rows.
async fn export(
    conn: &mut PgConnection,
    name: &str,
    view: &View,
    (from, to): (Date, Date),
    format: Format,
    room: &Path,
    bar: &ProgressBar,
) -> anyhow::Result<(u64, u64)> {
    let room = room.join(name);
    let columns: Vec<&Column> = view.columns.iter().filter(|column| column.name != DAY).collect();
    let fields: Vec<Field> =
        columns.iter().map(|column| Field { name: column.name.clone(), holds: column.field }).collect();
    let schema = Schema { table: name, about: &view.about, format, partitioned_by: DAY, columns };
    partition::replace(&room.join("_schema.json"), &format!("{}\n", serde_json::to_string_pretty(&schema)?))?;

    let place = |day: Date| room.join(format!("{DAY}={day}")).join(format!("{name}.{}", format.ending()));
    let unread = |error| StoreError::of(&format!("read `{name}`"), error);
    let mut rows = sqlx::query(AssertSqlSafe(question(name, view))).bind(Day(from)).bind(Day(to)).fetch(conn);
    let (mut open, mut days, mut count): (Option<(Date, Partition)>, u64, u64) = (None, 0, 0);
    // Days before this one are done.
    let mut next = from;
    while let Some(row) = rows.try_next().await.map_err(unread)? {
        let day: Date = row.try_get::<&str, _>(0)?.parse().context("a date that is none")?;
        if open.as_ref().is_none_or(|(open, _)| *open != day) {
            if let Some((done, file)) = open.take() {
                file.finish()?;
                next = done.tomorrow()?;
            }
            forget(&place, next, day)?;
            next = day;
            days += 1;
            open = Some((day, Partition::begin(&place(day), fields.clone(), format)?));
        }
        let values: Vec<Option<&str>> = (1..row.len()).map(|at| row.try_get(at)).collect::<Result<_, _>>()?;
        if let Some((_, file)) = &mut open {
            file.row(&values)?;
        }
        count += 1;
        if count.is_multiple_of(10_000) {
            bar.set_message(format!("{day} · {count} rows"));
        }
    }
    if let Some((done, file)) = open {
        file.finish()?;
        next = done.tomorrow()?;
    }
    forget(&place, next, to.tomorrow()?)?;
    Ok((days, count))
}

/// Days that have no row any more have no file either.
fn forget(place: &impl Fn(Date) -> PathBuf, from: Date, to: Date) -> io::Result<()> {
    for day in from.series(jiff::Span::new().days(1)).take_while(|day| *day < to) {
        match fs::remove_file(place(day)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}
