//! The dashboards that are shipped: `dashboards/metabase/`, in Metabase's representation format.
//!
//! What is always true here: every card is a native query over the schema `reporting`, and
//! says which columns it gives. Deliberately absent: what the format knows and these files
//! do not use, such as tabs, segments and queries that are not SQL.

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use yaml_rust2::{Yaml, YamlLoader};

/// `dashboards/metabase/collections/main/`, by name.
const FILES: [(&str, &str); 48] = [
    ("hedge", include_str!("../../../dashboards/metabase/collections/main/hedge.yaml")),
    ("hedge/acts", include_str!("../../../dashboards/metabase/collections/main/hedge/acts.yaml")),
    (
        "hedge/alerts_open",
        include_str!("../../../dashboards/metabase/collections/main/hedge/alerts_open.yaml"),
    ),
    (
        "hedge/break_events",
        include_str!("../../../dashboards/metabase/collections/main/hedge/break_events.yaml"),
    ),
    (
        "hedge/breaks_by_class",
        include_str!("../../../dashboards/metabase/collections/main/hedge/breaks_by_class.yaml"),
    ),
    (
        "hedge/breaks_open",
        include_str!("../../../dashboards/metabase/collections/main/hedge/breaks_open.yaml"),
    ),
    (
        "hedge/corporate_actions",
        include_str!("../../../dashboards/metabase/collections/main/hedge/corporate_actions.yaml"),
    ),
    (
        "hedge/costs_and_coverage",
        include_str!("../../../dashboards/metabase/collections/main/hedge/costs_and_coverage.yaml"),
    ),
    (
        "hedge/costs_by_kind",
        include_str!("../../../dashboards/metabase/collections/main/hedge/costs_by_kind.yaml"),
    ),
    (
        "hedge/costs_latest",
        include_str!("../../../dashboards/metabase/collections/main/hedge/costs_latest.yaml"),
    ),
    ("hedge/coverage", include_str!("../../../dashboards/metabase/collections/main/hedge/coverage.yaml")),
    (
        "hedge/cumulative_pnl",
        include_str!("../../../dashboards/metabase/collections/main/hedge/cumulative_pnl.yaml"),
    ),
    (
        "hedge/explanations",
        include_str!("../../../dashboards/metabase/collections/main/hedge/explanations.yaml"),
    ),
    (
        "hedge/exposed_dollars",
        include_str!("../../../dashboards/metabase/collections/main/hedge/exposed_dollars.yaml"),
    ),
    (
        "hedge/exposure_now",
        include_str!("../../../dashboards/metabase/collections/main/hedge/exposure_now.yaml"),
    ),
    ("hedge/freshness", include_str!("../../../dashboards/metabase/collections/main/hedge/freshness.yaml")),
    ("hedge/hedging", include_str!("../../../dashboards/metabase/collections/main/hedge/hedging.yaml")),
    ("hedge/inventory", include_str!("../../../dashboards/metabase/collections/main/hedge/inventory.yaml")),
    ("hedge/jobs", include_str!("../../../dashboards/metabase/collections/main/hedge/jobs.yaml")),
    (
        "hedge/latency_by_day",
        include_str!("../../../dashboards/metabase/collections/main/hedge/latency_by_day.yaml"),
    ),
    (
        "hedge/latency_by_step",
        include_str!("../../../dashboards/metabase/collections/main/hedge/latency_by_step.yaml"),
    ),
    ("hedge/net_pnl", include_str!("../../../dashboards/metabase/collections/main/hedge/net_pnl.yaml")),
    (
        "hedge/net_pnl_by_day",
        include_str!("../../../dashboards/metabase/collections/main/hedge/net_pnl_by_day.yaml"),
    ),
    ("hedge/open_lots", include_str!("../../../dashboards/metabase/collections/main/hedge/open_lots.yaml")),
    (
        "hedge/orders_by_outcome",
        include_str!("../../../dashboards/metabase/collections/main/hedge/orders_by_outcome.yaml"),
    ),
    (
        "hedge/orders_open",
        include_str!("../../../dashboards/metabase/collections/main/hedge/orders_open.yaml"),
    ),
    (
        "hedge/orphaned_fills",
        include_str!("../../../dashboards/metabase/collections/main/hedge/orphaned_fills.yaml"),
    ),
    ("hedge/overview", include_str!("../../../dashboards/metabase/collections/main/hedge/overview.yaml")),
    (
        "hedge/pnl_by_symbol",
        include_str!("../../../dashboards/metabase/collections/main/hedge/pnl_by_symbol.yaml"),
    ),
    ("hedge/recon_runs", include_str!("../../../dashboards/metabase/collections/main/hedge/recon_runs.yaml")),
    (
        "hedge/reconciliation",
        include_str!("../../../dashboards/metabase/collections/main/hedge/reconciliation.yaml"),
    ),
    ("hedge/reorgs", include_str!("../../../dashboards/metabase/collections/main/hedge/reorgs.yaml")),
    ("hedge/residuals", include_str!("../../../dashboards/metabase/collections/main/hedge/residuals.yaml")),
    (
        "hedge/restated_by_day",
        include_str!("../../../dashboards/metabase/collections/main/hedge/restated_by_day.yaml"),
    ),
    (
        "hedge/restated_rows",
        include_str!("../../../dashboards/metabase/collections/main/hedge/restated_rows.yaml"),
    ),
    (
        "hedge/restatements",
        include_str!("../../../dashboards/metabase/collections/main/hedge/restatements.yaml"),
    ),
    (
        "hedge/skipped_logs",
        include_str!("../../../dashboards/metabase/collections/main/hedge/skipped_logs.yaml"),
    ),
    (
        "hedge/slowest_hedges",
        include_str!("../../../dashboards/metabase/collections/main/hedge/slowest_hedges.yaml"),
    ),
    (
        "hedge/spread_by_day",
        include_str!("../../../dashboards/metabase/collections/main/hedge/spread_by_day.yaml"),
    ),
    (
        "hedge/spread_by_hour",
        include_str!("../../../dashboards/metabase/collections/main/hedge/spread_by_hour.yaml"),
    ),
    (
        "hedge/spread_by_session",
        include_str!("../../../dashboards/metabase/collections/main/hedge/spread_by_session.yaml"),
    ),
    (
        "hedge/spread_by_symbol",
        include_str!("../../../dashboards/metabase/collections/main/hedge/spread_by_symbol.yaml"),
    ),
    (
        "hedge/spread_capture",
        include_str!("../../../dashboards/metabase/collections/main/hedge/spread_capture.yaml"),
    ),
    (
        "hedge/stated_restatements",
        include_str!("../../../dashboards/metabase/collections/main/hedge/stated_restatements.yaml"),
    ),
    ("hedge/statement", include_str!("../../../dashboards/metabase/collections/main/hedge/statement.yaml")),
    (
        "hedge/unhedged_by_day",
        include_str!("../../../dashboards/metabase/collections/main/hedge/unhedged_by_day.yaml"),
    ),
    (
        "hedge/unhedged_by_symbol",
        include_str!("../../../dashboards/metabase/collections/main/hedge/unhedged_by_symbol.yaml"),
    ),
    ("hedge/unrealized", include_str!("../../../dashboards/metabase/collections/main/hedge/unrealized.yaml")),
];

/// What is shipped: one collection, its cards, and the dashboards that show them.
#[derive(Clone, Debug)]
pub struct Boards {
    /// Where all of it lies.
    pub collection: Collection,
    /// The questions.
    pub cards: Vec<Card>,
    /// The pages.
    pub dashboards: Vec<Dashboard>,
}

/// A folder.
#[derive(Clone, Debug, Deserialize)]
pub struct Collection {
    /// Under which it is known for good.
    pub entity_id: String,
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: String,
}

/// A question and its picture.
#[derive(Clone, Debug, Deserialize)]
pub struct Card {
    /// Under which it is known for good.
    pub entity_id: String,
    /// What it is called.
    pub name: String,
    /// What it answers.
    pub description: String,
    /// `table`, `bar`, `line`, `scalar`, …
    pub display: String,
    dataset_query: Query,
    /// The columns that it gives, in order.
    pub result_metadata: Vec<Column>,
    /// How it is drawn.
    pub visualization_settings: Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
struct Query {
    stages: [Stage; 1],
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Stage {
    native: String,
    template_tags: Vec<Tag>,
}

/// A place in a query that a filter fills in.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Tag {
    /// Unique among all.
    pub id: String,
    /// As in the query, in double braces.
    pub name: String,
    /// Over the field.
    pub display_name: String,
    /// `text` or `date`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A column of a card.
#[derive(Clone, Debug, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// In Metabase's words, such as `type/Decimal`.
    pub base_type: String,
}

/// A page of cards with filters above them.
#[derive(Clone, Debug, Deserialize)]
pub struct Dashboard {
    /// Under which it is known for good.
    pub entity_id: String,
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// `fixed` or `full`.
    pub width: String,
    /// Its filters, as Metabase takes them.
    pub parameters: Value,
    /// Its cards.
    pub dashcards: Vec<Dashcard>,
}

/// A card on a page: where, and which filter fills in what.
#[derive(Clone, Debug, Deserialize)]
pub struct Dashcard {
    /// Of the card.
    pub card_id: String,
    /// Rows from the top.
    pub row: u32,
    /// Columns from the left, of 24.
    pub col: u32,
    /// Columns wide.
    pub size_x: u32,
    /// Rows high.
    pub size_y: u32,
    /// Which filter fills in what.
    pub parameter_mappings: Vec<Mapping>,
    /// What is drawn otherwise here than on the card.
    pub visualization_settings: Map<String, Value>,
}

/// A filter of the page and the place that it fills in.
#[derive(Clone, Debug, Deserialize)]
pub struct Mapping {
    /// Of the filter.
    pub parameter_id: String,
    /// Of the query's place.
    pub target: Value,
}

impl Card {
    /// What is asked.
    pub fn sql(&self) -> &str {
        let [stage] = &self.dataset_query.stages;
        &stage.native
    }

    /// The places that a filter fills in.
    pub fn tags(&self) -> &[Tag] {
        let [stage] = &self.dataset_query.stages;
        &stage.template_tags
    }
}

/// What is shipped, read.
///
/// # Errors
///
/// A file is not what it should be; a test sees to it that none is.
pub fn shipped() -> anyhow::Result<Boards> {
    let (mut collections, mut cards, mut dashboards) = (Vec::new(), Vec::new(), Vec::new());
    for (name, text) in FILES {
        let value = read(text).with_context(|| format!("dashboards/metabase: {name} is no YAML"))?;
        let model =
            value.pointer("/serdes~1meta/0/model").and_then(Value::as_str).unwrap_or_default().to_owned();
        let what = || format!("dashboards/metabase: {name}");
        match model.as_str() {
            "Collection" => collections.push(serde_json::from_value(value).with_context(what)?),
            "Card" => cards.push(serde_json::from_value(value).with_context(what)?),
            "Dashboard" => dashboards.push(serde_json::from_value(value).with_context(what)?),
            _ => bail!("dashboards/metabase: {name} is a `{model}`"),
        }
    }
    match <[Collection; 1]>::try_from(collections) {
        Ok([collection]) => Ok(Boards { collection, cards, dashboards }),
        Err(found) => bail!("dashboards/metabase: {} collections", found.len()),
    }
}

/// One document of YAML as JSON, which is all that these files say.
fn read(text: &str) -> anyhow::Result<Value> {
    let documents = YamlLoader::load_from_str(text)?;
    documents.first().context("it is empty").and_then(json)
}

fn json(yaml: &Yaml) -> anyhow::Result<Value> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Boolean(it) => Value::from(*it),
        Yaml::Integer(it) => Value::from(*it),
        Yaml::String(it) => Value::from(it.as_str()),
        Yaml::Array(them) => Value::Array(them.iter().map(json).collect::<anyhow::Result<_>>()?),
        Yaml::Hash(them) => {
            let pairs = them.iter().map(|(key, value)| {
                Ok((key.as_str().context("a key that is no text")?.to_owned(), json(value)?))
            });
            Value::Object(pairs.collect::<anyhow::Result<_>>()?)
        }
        Yaml::Real(_) | Yaml::Alias(_) | Yaml::BadValue => bail!("what these files do not use: {yaml:?}"),
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn every_file_is_built_in_and_read() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards/metabase/collections/main");
        let mut names = vec!["hedge".to_owned()];
        names.extend(
            fs::read_dir(root.join("hedge")).unwrap().map(|entry| {
                format!("hedge/{}", entry.unwrap().path().file_stem().unwrap().to_str().unwrap())
            }),
        );
        names.sort();
        assert_eq!(names, FILES.map(|(name, _)| name));
        let boards = shipped().unwrap();
        assert_eq!(boards.cards.len() + boards.dashboards.len() + 1, FILES.len());
    }

    #[test]
    fn every_dashboard_shows_cards_that_there_are_side_by_side_and_each_card_is_shown() {
        let boards = shipped().unwrap();
        let known: BTreeSet<&str> = boards.cards.iter().map(|card| card.entity_id.as_str()).collect();
        let mut shown = BTreeSet::new();
        for dashboard in &boards.dashboards {
            let mut taken = BTreeSet::new();
            for it in &dashboard.dashcards {
                assert!(it.col + it.size_x <= 24, "{}", dashboard.name);
                for row in it.row..it.row + it.size_y {
                    for col in it.col..it.col + it.size_x {
                        assert!(taken.insert((row, col)), "{}: {row} {col} is covered twice", dashboard.name);
                    }
                }
                shown.insert(it.card_id.as_str());
            }
            let filters: Vec<&str> = dashboard
                .parameters
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["slug"].as_str().unwrap())
                .collect();
            assert_eq!(filters, ["symbol", "from", "to"], "{}", dashboard.name);
        }
        assert_eq!(shown, known);
        let names: Vec<&str> = boards.dashboards.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names,
            ["Costs and coverage", "Hedging", "Overview", "Reconciliation", "Restatements", "Spread capture"]
        );
    }

    #[test]
    fn each_place_of_a_query_is_filled_in_by_a_filter_of_its_dashboard() {
        let boards = shipped().unwrap();
        for card in &boards.cards {
            let places: BTreeSet<&str> =
                card.sql().split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap()).collect();
            let tags: BTreeSet<&str> = card.tags().iter().map(|tag| tag.name.as_str()).collect();
            assert_eq!(places, tags, "{}", card.name);
            for dashboard in &boards.dashboards {
                for it in dashboard.dashcards.iter().filter(|it| it.card_id == card.entity_id) {
                    let filled: BTreeSet<&str> =
                        it.parameter_mappings.iter().map(|it| it.target[1][1].as_str().unwrap()).collect();
                    assert_eq!(filled, tags, "{} on {}", card.name, dashboard.name);
                }
            }
        }
    }
}
