//! The same in numbers, in the text format of Prometheus 0.0.4: base units, counters end in
//! `_total`, and a label has few values: sources, symbols (500 at most), venues, jobs, states, loops.
//!
//! Numbers come from the books as they are spelt there: exact.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>, read on 2026-11-20.

use std::{collections::BTreeMap, fmt::Write as _};

use axum::http::StatusCode;
use sqlx::{Arguments as _, postgres::PgArguments};

use super::{Answer, PROMETHEUS, Site};
use crate::{
    report::Table,
    store::{table, types::At},
};

/// Every metric, what kind it is, and what it says: name, kind, help.
pub const METRICS: [(&str, &str, &str); 31] = [
    ("hedge_build_info", "gauge", "Always 1; the version is a label."),
    ("hedge_database_up", "gauge", "Whether the books answered just now."),
    ("hedge_loop_step_age_seconds", "gauge", "Time since a loop of this process ended a step."),
    ("hedge_source_block", "gauge", "The last block that is written."),
    ("hedge_source_head_block", "gauge", "The newest block that was seen."),
    ("hedge_source_lag_blocks", "gauge", "How many blocks the books are behind the head."),
    ("hedge_source_lag_seconds", "gauge", "How old the last written block was when the head was looked at."),
    ("hedge_source_age_seconds", "gauge", "Time since the head was looked at."),
    ("hedge_source_stopped", "gauge", "Whether it stands still until a person acts."),
    ("hedge_source_unproved_blocks", "gauge", "Blocks that are believed as one node said them."),
    ("hedge_source_reorgs_total", "counter", "How often the chain changed its mind."),
    ("hedge_source_skipped_logs", "gauge", "Logs of ours that gave no fill and ask for a person."),
    ("hedge_node_contradictions_total", "counter", "How often nodes said what could not be true."),
    ("hedge_exposure_shares", "gauge", "Not hedged and not being hedged; long is positive."),
    ("hedge_exposure_dollars", "gauge", "The same at the price of the last fill."),
    ("hedge_position_shares", "gauge", "Fills and executions, summed."),
    ("hedge_in_flight_shares", "gauge", "What live orders would still do."),
    ("hedge_hold_age_seconds", "gauge", "Time since an exposure is held back for this reason."),
    ("hedge_orders", "gauge", "Orders that are not closed."),
    ("hedge_orders_closed_total", "counter", "Orders that were closed, by how they ended."),
    (
        "hedge_order_unanswered_age_seconds",
        "gauge",
        "Age of the oldest order that nobody answered for; 0: there is none.",
    ),
    ("hedge_lease_held", "gauge", "Whether some process hedges."),
    ("hedge_sweep_timestamp_seconds", "gauge", "When a sweep last looked at something that is held back."),
    ("hedge_halts", "gauge", "Halts that hold."),
    ("hedge_job_last_run_timestamp_seconds", "gauge", "When a job ended last."),
    ("hedge_job_last_run_duration_seconds", "gauge", "How long that took."),
    ("hedge_job_last_run_state", "gauge", "1 for the state that it ended in, or is in."),
    ("hedge_alerts", "gauge", "Conditions that are open, by severity."),
    ("hedge_letters", "gauge", "Messages that are not delivered, by state."),
    ("hedge_breaks", "gauge", "Breaks that are open, by class."),
    ("hedge_pnl_dollars", "gauge", "What closing trades earned in all, less fees, as it is known now."),
];

/// A metric's samples: its labels as they are written, and its value.
type Samples = BTreeMap<String, Vec<(String, String)>>;

pub(super) async fn answer(site: &Site) -> Answer {
    let mut samples = Samples::new();
    let mut say = |name: &str, labels: &[(&str, &str)], value: String| {
        samples.entry(name.to_owned()).or_default().push((labelled(labels), value));
    };
    say("hedge_build_info", &[("version", env!("CARGO_PKG_VERSION"))], "1".to_owned());
    for (name, since) in site.pulse.as_ref().map(crate::engine::pulse::Pulse::ages).unwrap_or_default() {
        let millis = since.as_millis();
        say(
            "hedge_loop_step_age_seconds",
            &[("loop", &name)],
            format!("{}.{:03}", millis / 1_000, millis % 1_000),
        );
    }
    let told = figures(site).await;
    say("hedge_database_up", &[], if told.is_ok() { "1" } else { "0" }.to_owned());
    match told {
        Ok(table) => {
            for row in &table.rows {
                let value = |name| table.value(row, name);
                let labels: Vec<(&str, &str)> = ["source", "symbol", "venue", "job", "state"]
                    .into_iter()
                    .filter_map(|label| Some((label, value(label)?)))
                    .collect();
                if let (Some(metric), Some(figure)) = (value("metric"), value("value")) {
                    say(metric, &labels, plain(figure));
                }
            }
        }
        Err(error) => tracing::warn!(%error, "the books could not be asked for figures"),
    }
    Answer::new(StatusCode::OK, PROMETHEUS, written(&samples))
}

async fn figures(site: &Site) -> Result<Table, sqlx::Error> {
    let mut conn = site.watched.acquire().await?;
    let mut arguments = PgArguments::default();
    arguments.add(At(site.clock.now())).map_err(sqlx::Error::Encode)?;
    table::read(&mut conn, include_str!("../../sql/queries/web_metrics.sql"), arguments).await
}

fn written(samples: &Samples) -> String {
    let mut text = String::new();
    for (name, kind, help) in METRICS {
        let Some(samples) = samples.get(name) else { continue };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    }
    text
}

fn labelled(labels: &[(&str, &str)]) -> String {
    let each: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    if each.is_empty() { String::new() } else { format!("{{{}}}", each.join(",")) }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A decimal without zeros at its end.
fn plain(figure: &str) -> String {
    match figure.split_once('.') {
        Some(_) => figure.trim_end_matches('0').trim_end_matches('.').to_owned(),
        None => figure.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_units_are_those_of_the_guide() {
        for (name, kind, help) in METRICS {
            assert!(
                name.starts_with("hedge_") && name.bytes().all(|it| it == b'_' || it.is_ascii_lowercase()),
                "{name}"
            );
            assert_eq!(name.ends_with("_total"), kind == "counter", "{name}");
            assert!(help.ends_with('.') && !help.contains('\n'), "{name}");
            for unit in ["_minutes", "_millis", "_ms", "_usd", "_hours"] {
                assert!(!name.ends_with(unit), "{name} is not in a base unit");
            }
        }
    }

    #[test]
    fn whatever_a_label_holds_it_stays_one_label() {
        assert_eq!(labelled(&[("symbol", "A\"\n\\B")]), r#"{symbol="A\"\n\\B"}"#);
        assert_eq!(labelled(&[]), "");
        assert_eq!(
            [plain("1.500"), plain("100"), plain("-0.250"), plain("7.000")],
            ["1.5", "100", "-0.25", "7"]
        );
    }
}
