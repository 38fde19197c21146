//! `hedge pnl replay`: files in, files out, or nothing at all.

use std::{fmt::Write as _, fs, path::Path, process::Command};

use serde_json::Value;
use tempfile::TempDir;

use super::vectors::{cases, given, micros, text};

const HEADER: &str = "kind,symbol,executed_at,trade_type,trade_id,side,quantity,price,notional,fee,ratio_num,\
                      ratio_den,to_symbol,oracle_price,reference_price\n";

/// Events as the file has them.
pub fn csv<'e>(events: impl IntoIterator<Item = &'e Value>) -> String {
    let mut csv = HEADER.to_owned();
    for event in events {
        let fields: Vec<String> = HEADER
            .trim_end()
            .split(',')
            .map(|name| {
                let at = if name == "executed_at" { given(event, "at") } else { None };
                given(event, name).or(at).unwrap_or_default()
            })
            .collect();
        writeln!(csv, "{}", fields.join(",")).unwrap();
    }
    csv
}

struct Replayed {
    code: Option<i32>,
    said: String,
    metrics: Option<Vec<Vec<String>>>,
    lots: Option<Vec<Vec<String>>>,
}

fn replay(dir: &TempDir, events: &str) -> Replayed {
    let path = |name: &str| dir.path().join(name);
    for name in ["m.csv", "l.csv"] {
        let _ = fs::remove_file(path(name));
    }
    fs::write(path("e.csv"), events).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_hedge"))
        .args(["pnl", "replay", "--events", "e.csv", "--metrics", "m.csv", "--lots", "l.csv"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    Replayed {
        code: output.status.code(),
        said: String::from_utf8(output.stderr).unwrap(),
        metrics: rows(&path("m.csv")),
        lots: rows(&path("l.csv")),
    }
}

fn rows(path: &Path) -> Option<Vec<Vec<String>>> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect())
}

#[test]
fn every_case_comes_out_of_the_file_as_it_must() {
    let dir = TempDir::new().unwrap();
    for case in cases() {
        for place in 0..case.batches.len() {
            let replayed = replay(&dir, &csv(case.batches[..=place].iter().flatten()));
            if let Some(error) = &case.error {
                assert_eq!(replayed.code, Some(1), "{}", case.name);
                assert!(replayed.said.contains(error.as_str()), "{}: {}", case.name, replayed.said);
                assert_eq!((replayed.metrics, replayed.lots), (None, None), "{}", case.name);
                continue;
            }
            assert_eq!(replayed.code, Some(0), "{}: {}", case.name, replayed.said);
            let expected = &case.expected[place];
            let [head, metrics @ ..] = &replayed.metrics.unwrap()[..] else { panic!("no header") };
            assert_eq!(
                head.join(","),
                "symbol,timestamp,trade_type,trade_id,trade_direction,quantity,price_per_share,realized_pnl,\
                 cumulative_pnl,net_position_after,fee,cumulative_fees"
            );
            let columns = [
                "symbol",
                "executed_at",
                "trade_type",
                "trade_id",
                "side",
                "quantity",
                "price",
                "realized_pnl",
                "cumulative_pnl",
                "net_position_after",
                "fee",
                "cumulative_fees",
            ];
            let cut = |row: &[String]| {
                let mut row = row.to_vec();
                row[1] = micros(&row[1]).to_string();
                row
            };
            let wanted: Vec<Vec<String>> =
                told(&expected["rows"], &columns).iter().map(|row| cut(row)).collect();
            let metrics: Vec<Vec<String>> = metrics.iter().map(|row| cut(row)).collect();
            assert_eq!(metrics, wanted, "{}", case.name);
            let columns = ["symbol", "position", "opening", "side", "open_quantity", "open_cost"];
            assert_eq!(replayed.lots.unwrap()[1..], told(&expected["open_lots"], &columns), "{}", case.name);
        }
    }
}

fn told(rows: &Value, columns: &[&str]) -> Vec<Vec<String>> {
    let rows = rows.as_array().unwrap();
    rows.iter()
        .map(|row| columns.iter().map(|column| given(row, column).unwrap_or_default()).collect())
        .collect()
}

#[test]
fn a_file_that_is_refused_is_refused_by_its_line_and_leaves_nothing() {
    let dir = TempDir::new().unwrap();
    let case = &cases()[0];
    let mut events = csv(&case.batches[0]);
    events.push_str("trade,AAPL,2026-03-02T14:07:00Z,ONCHAIN,6,SELL,1,,-5,,,,,,\n");
    let replayed = replay(&dir, &events);
    assert_eq!((replayed.code, replayed.metrics), (Some(1), None));
    assert!(replayed.said.contains("e.csv, line 9"), "{}", replayed.said);
    assert_eq!(text(&case.expected[0]["totals"][0], "cumulative_pnl"), "3.45");
}
