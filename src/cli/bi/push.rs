//! What is in a Metabase, made what the files say.
//!
//! What is always true here: a thing is found again by a mark at the end of its description,
//! which holds its id in the files and a digest of what was pushed; where a person took the mark
//! away, by its name in our collection. So a second push makes no second copy, and one that
//! was interrupted is simply pushed again. Metabase gives entity ids itself, which is why ours
//! are in the mark. What people add to a dashboard stays; what they change of ours is
//! changed back by the next push, because a card that says something else under the same name
//! would be taken for ours.

use std::{collections::BTreeMap, io};

use alloy::{hex, primitives::keccak256};
use serde_json::{Map, Value, json};

use super::boards::{Boards, Card, Dashboard};
use super::metabase::{Metabase, MetabaseError, number, text};
use crate::cli::Out;

/// Why a push ended early.
#[derive(Debug)]
pub(super) enum Failed {
    Metabase(MetabaseError),
    Writer(io::Error),
}

impl From<MetabaseError> for Failed {
    fn from(error: MetabaseError) -> Self {
        Self::Metabase(error)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Writer(error)
    }
}

/// What there was to do.
#[derive(Default)]
struct Done {
    new: u32,
    changed: u32,
    same: u32,
}

/// Pushes; with `dry_run` only says what it would do.
pub(super) async fn push(
    metabase: &Metabase,
    boards: &Boards,
    database: &str,
    dry_run: bool,
    out: &mut Out<'_>,
) -> Result<(), Failed> {
    let database = metabase.database(database).await?;
    let mut pushed = Push { metabase, dry_run, out, done: Done::default(), there: Vec::new() };
    let collection = pushed.collection(boards).await?;
    if let Some(collection) = collection {
        pushed.there = metabase.items(collection).await?;
    }
    let mut cards = BTreeMap::new();
    for card in &boards.cards {
        let id = pushed.card(card, database, collection).await?;
        cards.insert(card.entity_id.as_str(), id);
    }
    for dashboard in &boards.dashboards {
        pushed.dashboard(dashboard, &cards, collection).await?;
    }
    let Push { out, done, .. } = pushed;
    let (would, dot) = if dry_run { ("would be ", "; nothing was changed") } else { ("", "") };
    writeln!(
        out,
        "{} {would}added, {} {would}changed, {} as they should be{dot}",
        done.new, done.changed, done.same
    )?;
    if !dry_run {
        metabase.look_again(database).await?;
    }
    Ok(())
}

struct Push<'p, 'o> {
    metabase: &'p Metabase,
    dry_run: bool,
    out: &'p mut Out<'o>,
    done: Done,
    /// What lies in our collection.
    there: Vec<Value>,
}

impl Push<'_, '_> {
    /// Our collection; none in a dry run where there is none yet.
    async fn collection(&mut self, boards: &Boards) -> Result<Option<i64>, Failed> {
        let ours = &boards.collection;
        let there = self.metabase.collections().await?;
        let there: Vec<Value> = there
            .into_iter()
            .filter(|it| it.get("archived") != Some(&Value::Bool(true)) && number(it).is_some())
            .collect();
        let body = json!({ "name": ours.name, "description": ours.description });
        self.one("collection", &ours.entity_id, &ours.name, body, &there, |_, _| true).await
    }

    async fn card(
        &mut self,
        card: &Card,
        database: i64,
        collection: Option<i64>,
    ) -> Result<Option<i64>, Failed> {
        let tags: Map<String, Value> = card.tags().iter().map(|tag| (tag.name.clone(), json!(tag))).collect();
        let body = json!({
            "name": card.name,
            "description": card.description,
            "display": card.display,
            "type": "question",
            "collection_id": collection,
            "dataset_query": {
                "type": "native",
                "database": database,
                "native": { "query": card.sql(), "template-tags": tags },
            },
            "visualization_settings": card.visualization_settings,
        });
        let there = self.of("card");
        let sql = card.sql();
        let same = |live: &Value, ours: &Value| {
            // As it was sent, and as newer ones keep it.
            let asked = live
                .pointer("/dataset_query/native/query")
                .or(live.pointer("/dataset_query/stages/0/native"));
            let drawn =
                ["display", "visualization_settings"].iter().all(|key| live.get(*key) == ours.get(*key));
            asked.and_then(Value::as_str) == Some(sql) && drawn
        };
        self.one("card", &card.entity_id, &card.name, body, &there, same).await
    }

    async fn dashboard(
        &mut self,
        dashboard: &Dashboard,
        cards: &BTreeMap<&str, Option<i64>>,
        collection: Option<i64>,
    ) -> Result<(), Failed> {
        let there = self.of("dashboard");
        let body = json!({
            "name": dashboard.name,
            "description": dashboard.description,
            "collection_id": collection,
            "parameters": dashboard.parameters,
            "width": dashboard.width,
        });
        let placed: Vec<Value> = dashboard
            .dashcards
            .iter()
            .map(|it| {
                let card = cards.get(it.card_id.as_str()).copied().flatten();
                let mappings = it.parameter_mappings.iter().map(
                    |mapping| json!({ "card_id": card, "parameter_id": mapping.parameter_id, "target": mapping.target }),
                );
                json!({
                    "card_id": card, "row": it.row, "col": it.col, "size_x": it.size_x, "size_y": it.size_y,
                    "parameter_mappings": mappings.collect::<Vec<_>>(),
                    "visualization_settings": it.visualization_settings,
                    "series": [],
                })
            })
            .collect();
        let same = |live: &Value, _: &Value| {
            let shown = live.get("dashcards").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let stands =
                |ours: &Value| shown.iter().any(|it| PLACE.iter().all(|key| it.get(*key) == ours.get(*key)));
            placed.iter().all(stands)
        };
        let (new, changed) = (self.done.new, self.done.changed);
        let id = self.one("dashboard", &dashboard.entity_id, &dashboard.name, body, &there, same).await?;
        let moved = (new, changed) != (self.done.new, self.done.changed);
        let (Some(id), true, false) = (id, moved, self.dry_run) else {
            return Ok(());
        };
        let live = self.metabase.read("dashboard", id).await?;
        let dashcards = laid_out(&live, &placed);
        Ok(self
            .metabase
            .change(
                "dashboard",
                id,
                &json!({ "dashcards": dashcards, "tabs": live.get("tabs").cloned().unwrap_or(json!([])) }),
            )
            .await?)
    }

    /// Makes or changes one thing; its number.
    async fn one(
        &mut self,
        what: &str,
        entity: &str,
        name: &str,
        mut body: Value,
        there: &[Value],
        same: impl Fn(&Value, &Value) -> bool,
    ) -> Result<Option<i64>, Failed> {
        let mark = mark(entity, &body);
        let said = text(&body, "description").to_owned();
        set(&mut body, "description", format!("{said}\n\n{mark}"));
        let Some(found) = found(there, entity, name) else {
            self.done.new += 1;
            writeln!(self.out, "+ {what} {name}")?;
            return Ok(if self.dry_run { None } else { Some(self.metabase.create(what, &body).await?) });
        };
        let live = self.metabase.read(what, found).await?;
        if text(&live, "description").ends_with(&mark) && text(&live, "name") == name && same(&live, &body) {
            self.done.same += 1;
            return Ok(Some(found));
        }
        self.done.changed += 1;
        writeln!(self.out, "~ {what} {name}")?;
        if !self.dry_run {
            self.metabase.change(what, found, &body).await?;
        }
        Ok(Some(found))
    }

    fn of(&self, model: &str) -> Vec<Value> {
        self.there.iter().filter(|it| text(it, "model") == model).cloned().collect()
    }
}

fn set(body: &mut Value, key: &str, value: impl Into<Value>) {
    if let Some(body) = body.as_object_mut() {
        body.insert(key.to_owned(), value.into());
    }
}

/// What says of a card on a page that it stands where it should.
const PLACE: [&str; 5] = ["card_id", "row", "col", "size_x", "size_y"];

/// Ours where the files have them, each once, and after them what people added.
fn laid_out(live: &Value, placed: &[Value]) -> Vec<Value> {
    let mut shown = live.get("dashcards").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut all = Vec::new();
    for (ours, fresh) in placed.iter().zip(1_i64..) {
        let at = shown.iter().position(|it| it.get("card_id") == ours.get("card_id"));
        let kept = at.map(|at| shown.remove(at)).and_then(|it| it.get("id").cloned());
        let mut ours = ours.clone();
        // A number below zero: one that is not there yet.
        set(&mut ours, "id", kept.unwrap_or_else(|| json!(-fresh)));
        all.push(ours);
    }
    let is_ours = |it: &Value| placed.iter().any(|ours| it.get("card_id") == ours.get("card_id"));
    all.extend(shown.into_iter().filter(|it| !is_ours(it)));
    all
}

/// Which of these it is: by its mark, else by its name.
fn found(there: &[Value], entity: &str, name: &str) -> Option<i64> {
    let marked = format!("[hedge {entity} ");
    let by_mark = there.iter().find(|it| text(it, "description").contains(&marked));
    let unmarked = |it: &&Value| text(it, "name") == name && !text(it, "description").contains("[hedge ");
    by_mark.or_else(|| there.iter().find(unmarked)).and_then(number)
}

/// What stands at the end of a description.
fn mark(entity: &str, body: &Value) -> String {
    let digest = hex::encode(keccak256(body.to_string()));
    format!("[hedge {entity} {}]", digest.get(..12).unwrap_or_default())
}
