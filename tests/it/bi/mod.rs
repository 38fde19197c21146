//! Dashboards: their files, their queries, and what a push makes of a Metabase.

mod asked;

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{Method, StatusCode},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::{any, get, post},
};
use clap::Parser as _;
use hedge::{
    cli::{Cli, bi::boards},
    config::Environment,
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Column as _, Executor as _, SqlSafeStr as _, Statement as _, TypeInfo as _};

use crate::{tools, world::World};
use asked::asked;

#[test]
fn every_file_of_the_dashboards_is_one_that_metabase_takes() {
    let Some(validate) = tools::metabase_representations() else { return };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/dashboards/metabase");
    let told = Command::new(validate).args(["validate-schema", "--folder", folder]).output().unwrap();
    let said = String::from_utf8_lossy(&told.stdout);
    assert!(told.status.success(), "{said}");
    let boards = boards::shipped().unwrap();
    let files = 1 + boards.cards.len() + boards.dashboards.len();
    assert!(said.contains(&format!("{files} passed, 0 failed")), "{said}");
}

#[tokio::test]
async fn every_card_answers_a_reader_with_the_columns_it_declares() {
    let world = World::with_books().await;
    let mut reader = world.pool().acquire().await.unwrap();
    reader.execute("set role hedge_bi; set search_path = reporting").await.unwrap();
    let chosen = BTreeMap::from([("symbol", "AAPL"), ("from", "2026-03-01"), ("to", "2026-03-31")]);
    let mut rows = 0;
    for card in &boards::shipped().unwrap().cards {
        let name = &card.name;
        // When it is asked with no filter, with all, and with one that finds nothing
        let nothing = BTreeMap::from([("symbol", "NONE")]);
        for filters in [&BTreeMap::new(), &chosen, &nothing] {
            let sql = asked(card, filters);
            let found = reader.fetch_all(AssertSqlSafe(sql.clone())).await;
            rows += found.unwrap_or_else(|error| panic!("{name}: {error}: {sql}")).len();
        }
        // Then its columns are those that it says, in their order
        let statement =
            (&mut *reader).prepare(AssertSqlSafe(asked(card, &chosen)).into_sql_str()).await.unwrap();
        let given: Vec<(String, &str)> = statement
            .columns()
            .iter()
            .map(|column| (column.name().to_owned(), in_their_words(column.type_info().name())))
            .collect();
        let declared: Vec<(String, &str)> =
            card.result_metadata.iter().map(|it| (it.name.clone(), it.base_type.as_str())).collect();
        assert_eq!(given, declared, "{name}");
        // And what is drawn is among them
        let names: BTreeSet<&str> = card.result_metadata.iter().map(|it| it.name.as_str()).collect();
        for key in ["graph.dimensions", "graph.metrics"] {
            let drawn =
                card.visualization_settings.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
            assert!(drawn.iter().all(|it| names.contains(it.as_str().unwrap())), "{name}: {drawn:?}");
        }
        let graph = card.visualization_settings.contains_key("graph.metrics");
        assert_eq!(graph, matches!(card.display.as_str(), "bar" | "line" | "area"), "{name}");
    }
    assert!(rows > 40, "the books have something to show: {rows}");
}

fn in_their_words(kind: &str) -> &str {
    match kind {
        "NUMERIC" => "type/Decimal",
        "INT8" => "type/BigInteger",
        "INT4" => "type/Integer",
        "DATE" => "type/Date",
        "TIMESTAMPTZ" => "type/DateTimeWithLocalTZ",
        "BOOL" => "type/Boolean",
        "TEXT" => "type/Text",
        other => other,
    }
}

/// What a Metabase keeps.
#[derive(Default)]
struct Kept {
    things: BTreeMap<&'static str, BTreeMap<i64, Value>>,
    last_id: i64,
    /// Requests that change something, in order.
    acts: Vec<String>,
    /// After so many of them it is gone.
    patience: Option<usize>,
}

/// A Metabase that does what its documentation says of the four endpoints.
#[derive(Clone)]
struct Fake {
    kept: Arc<Mutex<Kept>>,
    /// Keeps queries as Metabase does since 0.57.
    modern: bool,
    url: String,
}

impl Fake {
    async fn serve(modern: bool) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let it = Self { kept: Arc::default(), modern, url };
        let router = Router::new()
            .route("/api/database", get(databases))
            .route("/api/database/7/sync_schema", post(async || Json(&json!({ "status": "ok" }))))
            .route("/api/collection", any(many))
            .route("/api/card", any(many))
            .route("/api/dashboard", any(many))
            .route("/api/{what}/{id}", any(one))
            .route("/api/collection/{id}/items", get(items))
            .layer(from_fn_with_state(it.clone(), key))
            .with_state(it.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        it
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }

    /// How many there are of each, and what was done since it was asked last.
    fn counted(&self) -> (usize, usize, usize, Vec<String>) {
        let mut kept = self.kept();
        let acts = std::mem::take(&mut kept.acts);
        let count = |what: &str| kept.things.get(what).map_or(0, BTreeMap::len);
        (count("collection"), count("card"), count("dashboard"), acts)
    }

    /// The number and body of the thing that is called so.
    fn named(&self, what: &'static str, name: &str) -> (i64, Value) {
        let kept = self.kept();
        let (id, it) = kept.things[what].iter().find(|(_, it)| it["name"] == name).unwrap();
        (*id, it.clone())
    }

    async fn pushed(&self, more: &[&str]) -> String {
        self.tried("K", more).await.unwrap()
    }

    async fn tried(&self, key: &str, more: &[&str]) -> Result<String, String> {
        let line = [&["hedge", "bi", "push", "--url", &self.url], more].concat();
        let environment = Environment::from_iter([("METABASE_API_KEY", key)]);
        let mut out = Vec::new();
        match Cli::parse_from(line).run(environment, &mut out).await {
            Ok(_) => Ok(String::from_utf8(out).unwrap()),
            Err(error) => Err(error.to_string()),
        }
    }
}

async fn key(State(it): State<Fake>, request: Request, next: Next) -> Response {
    if request.headers().get("x-api-key").is_none_or(|key| key != "K") {
        return (StatusCode::UNAUTHORIZED, "Unauthenticated").into_response();
    }
    let act = format!("{} {}", request.method(), request.uri().path());
    if request.method() != Method::GET && !act.ends_with("sync_schema") {
        let mut kept = it.kept();
        if kept.patience.is_some_and(|patience| kept.acts.len() >= patience) {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        kept.acts.push(act);
    }
    next.run(request).await
}

async fn databases() -> Response {
    Json(&json!({ "total": 2, "data": [
        { "id": 1, "name": "Sample Database", "engine": "h2" }, { "id": 7, "name": "hedge", "engine": "postgres" }] }))
}

#[expect(non_snake_case, reason = "it reads like axum's own, which is not among the features")]
fn Json(value: &Value) -> Response {
    ([("content-type", "application/json")], value.to_string()).into_response()
}

/// Which kind of thing a path is about.
fn kind(path: &str) -> &'static str {
    match path.split('/').nth(2) {
        Some("collection") => "collection",
        Some("card") => "card",
        Some("dashboard") => "dashboard",
        other => panic!("{other:?}"),
    }
}

async fn many(State(it): State<Fake>, method: Method, uri: axum::http::Uri, body: String) -> Response {
    let what = kind(uri.path());
    let mut kept = it.kept();
    if method == Method::GET {
        // The root has a word for a number.
        let mut all = vec![json!({ "id": "root", "name": "Our analytics" })];
        all.extend(kept.things.entry(what).or_default().values().cloned());
        return Json(&Value::Array(all));
    }
    let mut body: Value = serde_json::from_str(&body).unwrap();
    let needed: &[&str] = match what {
        "card" => &["name", "dataset_query", "display", "visualization_settings"],
        _ => &["name"],
    };
    if let Some(missing) = needed.iter().find(|key| body.get(**key).is_none()) {
        return (
            StatusCode::BAD_REQUEST,
            format!("{{\"errors\":{{\"{missing}\":\"value must be there\"}}}}"),
        )
            .into_response();
    }
    kept.last_id += 1;
    let id = kept.last_id;
    body["id"] = id.into();
    body["entity_id"] = format!("given-by-metabase-{id:03}").into();
    body["archived"] = false.into();
    if what == "dashboard" {
        body["dashcards"] = json!([]);
    }
    kept.things.entry(what).or_default().insert(id, keep(&it, body.clone()));
    Json(&body)
}

/// As it is kept: newer ones rewrite queries.
fn keep(it: &Fake, mut body: Value) -> Value {
    if it.modern
        && let Some(native) = body.pointer("/dataset_query/native").cloned()
    {
        body["dataset_query"] = json!({ "lib/type": "mbql/query", "database": 7, "stages": [
            { "lib/type": "mbql.stage/native", "native": native["query"], "template-tags": native["template-tags"] }] });
    }
    body
}

async fn one(
    State(it): State<Fake>,
    Path((_, id)): Path<(String, i64)>,
    method: Method,
    uri: axum::http::Uri,
    body: String,
) -> Response {
    let what = kind(uri.path());
    let mut kept = it.kept();
    let Kept { things, last_id, .. } = &mut *kept;
    let cards: BTreeSet<i64> = things.get("card").into_iter().flat_map(BTreeMap::keys).copied().collect();
    let Some(live) = things.entry(what).or_default().get_mut(&id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if method == Method::PUT {
        let Value::Object(mut body) = serde_json::from_str(&body).unwrap() else { panic!("no object") };
        if let Some(Value::Array(dashcards)) = body.get_mut("dashcards") {
            let ids: BTreeSet<i64> = dashcards.iter().map(|card| card["id"].as_i64().unwrap()).collect();
            assert_eq!(ids.len(), dashcards.len(), "dashcards whose ids are not unique");
            let had: BTreeSet<i64> = live["dashcards"]
                .as_array()
                .unwrap()
                .iter()
                .map(|card| card["id"].as_i64().unwrap())
                .collect();
            for card in dashcards {
                let of = card["card_id"].as_i64();
                assert!(of.is_none_or(|of| cards.contains(&of)), "a dashcard of a card that there is not");
                let id = card["id"].as_i64().unwrap();
                assert!(id < 0 || had.contains(&id), "a dashcard that there never was");
                if id < 0 {
                    *last_id += 1;
                    card["id"] = (*last_id).into();
                }
            }
        }
        let patch = keep(&it, Value::Object(body));
        live.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
    }
    Json(live)
}

async fn items(State(it): State<Fake>, Path(id): Path<i64>, uri: axum::http::Uri) -> Response {
    let query: Vec<(String, String)> =
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let number = |key: &str| {
        query.iter().find(|(name, _)| name == key).map(|(_, value)| value.parse::<usize>().unwrap())
    };
    let kept = it.kept();
    let mut all = Vec::new();
    for what in ["card", "dashboard"] {
        if query.iter().any(|(name, value)| name == "models" && value == what) {
            let inside = kept.things.get(what).into_iter().flat_map(BTreeMap::values);
            all.extend(inside.filter(|it| it["collection_id"] == id).map(|it| {
                json!({ "id": it["id"], "name": it["name"], "description": it["description"], "model": what })
            }));
        }
    }
    let total = all.len();
    // Pages are small here, so that there are several.
    let page: Vec<Value> =
        all.into_iter().skip(number("offset").unwrap()).take(number("limit").unwrap().min(7)).collect();
    Json(&json!({ "total": total, "data": page }))
}

#[tokio::test]
async fn a_second_push_makes_no_second_copy_and_touches_nothing() {
    let boards = boards::shipped().unwrap();
    for modern in [false, true] {
        let there = Fake::serve(modern).await;
        // Given what a first push made
        let said = there.pushed(&[]).await;
        let (collections, cards, dashboards, _) = there.counted();
        assert_eq!((collections, cards, dashboards), (1, boards.cards.len(), boards.dashboards.len()));
        assert!(
            said.ends_with(&format!("{} added, 0 changed, 0 as they should be\n", 1 + cards + dashboards)),
            "{said}"
        );
        let (_, overview) = there.named("dashboard", "Overview");
        let shown = boards.dashboards.iter().find(|it| it.name == "Overview").unwrap().dashcards.len();
        assert_eq!(overview["dashcards"].as_array().unwrap().len(), shown);
        assert_eq!(overview["parameters"].as_array().unwrap().len(), 3);
        let (_, card) = there.named("card", "Exposure now");
        if !modern {
            assert_eq!(card["dataset_query"]["database"], 7);
            assert_eq!(card["dataset_query"]["native"]["template-tags"]["symbol"]["type"], "text");
        }
        // When it is pushed again
        let said = there.pushed(&[]).await;
        // Then nothing is made, and nothing changed
        assert_eq!(there.counted(), (collections, cards, dashboards, Vec::new()), "{said}");
        assert_eq!(said, format!("0 added, 0 changed, {} as they should be\n", 1 + cards + dashboards));
    }
}

#[tokio::test]
async fn what_is_not_as_it_should_be_is_changed_and_what_people_added_stays() {
    let there = Fake::serve(true).await;
    there.pushed(&[]).await;
    let (_, cards, dashboards, _) = there.counted();
    // Given a card of another version, one that somebody renamed, one that somebody asked otherwise,
    // one without its mark, and a card of their own on a dashboard of ours
    let (older, body) = there.named("card", "Net P&L");
    let (renamed, _) = there.named("card", "Exposure now");
    let (asked, _) = there.named("card", "Open breaks");
    let (unmarked, _) = there.named("card", "Where the inventory is");
    let (overview, _) = there.named("dashboard", "Overview");
    {
        let mut kept = there.kept();
        let digest = body["description"].as_str().unwrap().rsplit(' ').next().unwrap().to_owned();
        let old = body["description"].as_str().unwrap().replace(&digest, "000000000000]");
        let cards = kept.things.get_mut("card").unwrap();
        cards.get_mut(&older).unwrap()["description"] = old.into();
        cards.get_mut(&renamed).unwrap()["name"] = "My exposure".into();
        cards.get_mut(&asked).unwrap()["dataset_query"]["stages"][0]["native"] = "select 1".into();
        cards.get_mut(&unmarked).unwrap()["description"] = "mine".into();
        cards.insert(9_000, json!({ "id": 9_000, "name": "Mine", "collection_id": 1, "description": null }));
        let dashboard = kept.things.get_mut("dashboard").unwrap().get_mut(&overview).unwrap();
        let mine = json!({ "id": 9_001, "card_id": 9_000, "row": 90, "col": 0, "size_x": 4, "size_y": 4 });
        dashboard["dashcards"].as_array_mut().unwrap().push(mine);
        dashboard["dashcards"][0]["row"] = 70.into();
    }
    // When it is pushed
    let said = there.pushed(&[]).await;
    // Then each is as the files say, there are no more of them, and theirs is still there
    let changed: BTreeSet<&str> = said.lines().filter(|line| line.starts_with('~')).collect();
    let expected = [
        "card Exposure now",
        "card Net P&L",
        "card Open breaks",
        "card Where the inventory is",
        "dashboard Overview",
    ];
    assert_eq!(
        changed,
        expected.iter().map(|it| format!("~ {it}")).collect::<Vec<_>>().iter().map(String::as_str).collect()
    );
    let (_, now, pages, _) = there.counted();
    assert_eq!((now, pages), (cards + 1, dashboards));
    assert_eq!(there.named("card", "Exposure now").0, renamed);
    let (_, page) = there.named("dashboard", "Overview");
    assert!(page["dashcards"].as_array().unwrap().iter().any(|it| it["card_id"] == 9_000));
    assert!(page["dashcards"].as_array().unwrap().iter().all(|it| it["row"] != 70));
    assert!(there.pushed(&[]).await.starts_with("0 added, 0 changed"));
}

#[tokio::test]
async fn a_push_that_was_cut_off_goes_on_where_it_was() {
    let there = Fake::serve(false).await;
    there.kept().patience = Some(12);
    let told = there.tried("K", &[]).await.unwrap_err();
    assert!(told.contains("cause: no answer to POST /api/card"), "{told}");
    there.kept().patience = None;
    there.pushed(&[]).await;
    let boards = boards::shipped().unwrap();
    let (collections, cards, dashboards, _) = there.counted();
    assert_eq!((collections, cards, dashboards), (1, boards.cards.len(), boards.dashboards.len()));
}

#[tokio::test]
async fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let there = Fake::serve(false).await;
    let said = there.pushed(&["--dry-run"]).await;
    assert!(
        said.starts_with("+ collection hedge\n+ card ") && said.contains("\n+ dashboard Overview\n"),
        "{said}"
    );
    assert!(said.ends_with("0 would be changed, 0 as they should be; nothing was changed\n"), "{said}");
    assert_eq!(there.counted(), (0, 0, 0, Vec::new()));
}

#[tokio::test]
async fn what_keeps_a_push_from_being_done_is_said_without_the_key() {
    let there = Fake::serve(false).await;
    let told = there.tried("another-key", &[]).await.unwrap_err();
    assert!(
        told.contains("GET /api/database was answered with 401") && !told.contains("another-key"),
        "{told}"
    );
    let told = there.tried("K", &["--database", "books"]).await.unwrap_err();
    assert!(told.contains("no database there is called `books`; it knows Sample Database, hedge"), "{told}");
    let told = there.tried("", &[]).await.unwrap_err();
    assert!(told.contains("METABASE_API_KEY is not set"), "{told}");
}
