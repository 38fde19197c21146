//! Columns and rows, as they came from the database, and three ways to write them.
//!
//! A value is text exactly as Postgres spells it, or nothing. People see it
//! shortened; JSON and CSV carry it whole.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, presets};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// Decimals that a person is shown.
const DECIMALS: usize = 6;
/// From this length on, a hash or an address is shown by its ends.
const LONG_HEX: usize = 20;

/// What kind of value a column holds, which says how it is aligned and spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words, hashes, dates.
    Text,
    /// A 64-bit number: bare in JSON.
    Whole,
    /// An exact decimal: a string in JSON, because most readers would make a float of it.
    Exact,
    /// True or false: bare in JSON.
    Flag,
    /// A time, RFC 3339 in UTC.
    Time,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// As in the database.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

/// Rows under columns. Every row is as long as there are columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows; `None` is null.
    pub rows: Vec<Vec<Option<String>>>,
}

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Aligned, shortened, only the columns that a person reads.
    People,
    /// An array of objects, every column, exact.
    Json,
    /// RFC 4180 with a header, every column, exact; null is empty.
    Csv,
}

impl Table {
    /// Writes it. `chosen` are the columns that people see, in their order.
    pub fn write(&self, form: Form, chosen: &[&str], out: &mut dyn Write) -> io::Result<()> {
        match form {
            Form::People => writeln!(out, "{}", self.for_people(chosen)),
            Form::Json => {
                serde_json::to_writer_pretty(&mut *out, self).map_err(io::Error::from)?;
                writeln!(out)
            }
            Form::Csv => {
                let mut csv = csv::Writer::from_writer(out);
                csv.write_record(self.columns.iter().map(|column| &column.name)).map_err(io::Error::from)?;
                for row in &self.rows {
                    let values = row.iter().map(|value| value.as_deref().unwrap_or_default());
                    csv.write_record(values).map_err(io::Error::from)?;
                }
                csv.flush()
            }
        }
    }

    /// What a row has in the column of this name; none where there is no such column, or nothing in it.
    pub fn value<'t>(&self, row: &'t [Option<String>], name: &str) -> Option<&'t str> {
        let place = self.columns.iter().position(|column| column.name == name)?;
        row.get(place)?.as_deref()
    }

    fn for_people(&self, chosen: &[&str]) -> String {
        let places: Vec<usize> = chosen
            .iter()
            .filter_map(|name| self.columns.iter().position(|column| column.name == *name))
            .collect();
        let mut table = comfy_table::Table::new();
        // As wide as its values: a table that is cut to the terminal cannot be searched.
        table
            .load_style(presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()))
            .set_content_arrangement(ContentArrangement::Disabled);
        let columns = || places.iter().filter_map(|place| self.columns.get(*place));
        table.set_header(columns().map(|column| cell(&column.name.replace('_', " "), column.kind)));
        for row in &self.rows {
            let values = places.iter().filter_map(|place| row.get(*place));
            table.add_row(columns().zip(values).map(|(column, value)| {
                let shown = value.as_deref().map(|value| shortened(value, column.kind));
                cell(shown.as_deref().unwrap_or("–"), column.kind)
            }));
        }
        table.trim_fmt()
    }
}

fn cell(text: &str, kind: Kind) -> Cell {
    let alignment = match kind {
        Kind::Whole | Kind::Exact => CellAlignment::Right,
        Kind::Text | Kind::Flag | Kind::Time => CellAlignment::Left,
    };
    Cell::new(text).set_alignment(alignment)
}

/// A value as a person is shown it: hashes by their ends, decimals cut, times to the second.
fn shortened(value: &str, kind: Kind) -> String {
    match kind {
        Kind::Whole => value.to_owned(),
        Kind::Exact => cut(value),
        Kind::Flag => if value == "true" { "yes" } else { "no" }.to_owned(),
        Kind::Time => value.get(..19).unwrap_or(value).replace('T', " "),
        Kind::Text => match (value.get(..6), value.len().checked_sub(4).and_then(|end| value.get(end..))) {
            (Some(start), Some(end)) if value.starts_with("0x") && value.len() > LONG_HEX => {
                format!("{start}…{end}")
            }
            _ => value.to_owned(),
        },
    }
}

/// A decimal without its closing zeros; `…` stands for digits that are not shown.
fn cut(value: &str) -> String {
    let Some((whole, fraction)) = value.split_once('.') else { return value.to_owned() };
    let fraction = fraction.trim_end_matches('0');
    match fraction.get(..DECIMALS) {
        Some(shown) if fraction.len() > DECIMALS => format!("{whole}.{shown}…"),
        _ if fraction.is_empty() => whole.to_owned(),
        _ => format!("{whole}.{fraction}"),
    }
}

/// An array of objects, every column, exact.
impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.rows.len()))?;
        for row in &self.rows {
            rows.serialize_element(&Object { columns: &self.columns, row })?;
        }
        rows.end()
    }
}

/// One row as a JSON object, its keys in the order of the columns.
struct Object<'t> {
    columns: &'t [Column],
    row: &'t [Option<String>],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.columns.len()))?;
        for (Column { name, kind }, value) in self.columns.iter().zip(self.row) {
            match (kind, value) {
                (Kind::Whole, Some(value)) => match value.parse::<i64>() {
                    Ok(number) => object.serialize_entry(name, &number)?,
                    Err(_) => object.serialize_entry(name, value)?,
                },
                (Kind::Flag, Some(value)) => object.serialize_entry(name, &(value == "true"))?,
                (Kind::Text | Kind::Exact | Kind::Time, _) | (_, None) => {
                    object.serialize_entry(name, value)?;
                }
            }
        }
        object.end()
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn table() -> Table {
        let columns = [
            ("symbol", Kind::Text),
            ("quantity", Kind::Exact),
            ("block_number", Kind::Whole),
            ("is_open", Kind::Flag),
            ("executed_at", Kind::Time),
            ("tx_hash", Kind::Text),
        ];
        let hash = format!("0x{}", "ab".repeat(32));
        let rows = [
            ["AAPL", "1.500000000000000000", "41747644", "true", "2025-11-04T15:30:01Z", &hash],
            ["GME, \"old\"", "0.392127850777440263", "7", "false", "2025-11-04T15:30:01.123456Z", &hash],
        ];
        let mut rows: Vec<Vec<Option<String>>> = rows
            .into_iter()
            .map(|row| row.into_iter().map(|value| Some(value.to_owned())).collect())
            .collect();
        rows[1][5] = None;
        let columns =
            columns.into_iter().map(|(name, kind)| Column { name: name.to_owned(), kind }).collect();
        Table { columns, rows }
    }

    fn written(form: Form) -> String {
        let mut out = Vec::new();
        table()
            .write(
                form,
                &["executed_at", "symbol", "quantity", "block_number", "is_open", "tx_hash"],
                &mut out,
            )
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn people_see_numbers_to_the_right_and_hashes_by_their_ends() {
        assert_snapshot!(written(Form::People), @r#"
        ─────────────────────────────────────────────────────────────────────────────────────
         executed at           symbol        quantity   block number   is open   tx hash
        ═════════════════════════════════════════════════════════════════════════════════════
         2025-11-04 15:30:01   AAPL               1.5       41747644   yes       0xabab…abab
         2025-11-04 15:30:01   GME, "old"   0.392127…              7   no        –
        ─────────────────────────────────────────────────────────────────────────────────────
        "#);
    }

    #[test]
    fn json_keeps_every_digit_in_strings() {
        assert_snapshot!(written(Form::Json), @r#"
        [
          {
            "symbol": "AAPL",
            "quantity": "1.500000000000000000",
            "block_number": 41747644,
            "is_open": true,
            "executed_at": "2025-11-04T15:30:01Z",
            "tx_hash": "0xabababababababababababababababababababababababababababababababab"
          },
          {
            "symbol": "GME, \"old\"",
            "quantity": "0.392127850777440263",
            "block_number": 7,
            "is_open": false,
            "executed_at": "2025-11-04T15:30:01.123456Z",
            "tx_hash": null
          }
        ]
        "#);
    }

    #[test]
    fn csv_is_exact_and_quoted_where_it_must_be() {
        assert_snapshot!(written(Form::Csv), @r#"
        symbol,quantity,block_number,is_open,executed_at,tx_hash
        AAPL,1.500000000000000000,41747644,true,2025-11-04T15:30:01Z,0xabababababababababababababababababababababababababababababababab
        "GME, ""old""",0.392127850777440263,7,false,2025-11-04T15:30:01.123456Z,
        "#);
    }

    #[test]
    fn decimals_are_cut_with_a_mark() {
        assert_eq!(cut("5"), "5");
        assert_eq!(cut("5.000"), "5");
        assert_eq!(cut("-0.123456"), "-0.123456");
        assert_eq!(cut("0.1234560001"), "0.123456…");
    }
}
