//! The status page over real HTTP: what it shows, whom it answers, and that it changes nothing.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hedge::{
    cli::{Cli, Exit, trouble::outcome},
    config::{Config, Environment},
    engine::pulse::Pulse,
    secret::Secret,
    time::Clock,
    web::{self, METRICS, Settings, Site},
};
use insta::{assert_snapshot, with_settings};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Method, Response, StatusCode, header::HOST};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, PgPool};
use tokio::sync::watch;

use crate::{floor::Floor, office::moment, world::World};

/// The day after the books were proved last.
const NOW: &str = "2026-03-10T14:31:00Z";
const TOKEN: &str = "0123456789abcdef0123";
/// The fill of the books.
const FILL: &str = "/fill/8453/0x5454545454545454545454545454545454545454545454545454545454545454/4/order";

/// What more a desk has after a night than `books.sql` says.
const NIGHT: &str = r"
    insert into job_run (job, due_at, business_date, state, holder, started_at, finished_at, said) values
        ('reconcile', '2026-03-08 00:30:00Z', '2026-03-07', 'done', 'desk 4711', '2026-03-08 00:30:00Z', '2026-03-08 00:30:04Z', 'balanced'),
        ('reconcile', '2026-03-09 00:30:00Z', '2026-03-08', 'found', 'desk 4711', '2026-03-09 00:30:00Z', '2026-03-09 00:30:03.25Z', '1 break is open'),
        ('health', '2026-03-09 13:25:00Z', '2026-03-09', 'failed', 'desk 4711', '2026-03-09 13:25:00Z', '2026-03-09 13:25:01Z', 'no route to host');
    insert into alert (key, scope, class, leg, severity, about, detail, next, since, confirmed, phase, fired_at, told_at,
                       told_class, told_severity, judged_at)
    values ('health/cursor/raindex', 'health', 'cursor behind', 'chain', 'critical', 'raindex has not been read for 6 min',
            'It stands at block 103.', 'hedge doctor', '2026-03-09 13:20:00Z', true, 'firing', '2026-03-09 13:25:00Z',
            '2026-03-09 13:25:00Z', 'cursor behind', 'critical', '2026-03-09 13:25:00Z');
    insert into check_result (name, failures, allowed, sample, checked_at)
    values ('coverage', 0, 0, '[]', '2026-03-09 01:10:00Z');
";

/// A page that is being served, until it is dropped.
struct Served {
    at: SocketAddr,
    client: Client,
    pulse: Pulse,
    _stop: watch::Sender<bool>,
}

impl Served {
    async fn over(world: &World) -> Self {
        Self::with(world, Settings::default(), Pulse::default()).await
    }

    async fn with(world: &World, settings: Settings, pulse: Pulse) -> Self {
        let clock = Clock::told(NOW.parse().unwrap());
        let site = Site::of(world.db(), clock, Some(pulse.clone())).unwrap();
        let site = Site { fresh: Duration::ZERO, patience: Duration::from_millis(400), ..site };
        let listener = web::bind(&settings, "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let at = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move { web::serve(listener, &settings, site, stopped).await });
        Self { at, client: client(), pulse, _stop: stop }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.page(path).await).unwrap()
    }
}

fn client() -> Client {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::new()
}

async fn night() -> World {
    let world = World::with_books().await;
    world.pool().execute(NIGHT).await.unwrap();
    world
}

/// What a page says, without how it looks: a line for each piece of text.
fn text(page: &str) -> String {
    let main = page.split("<main").nth(1).unwrap().split_once('>').unwrap().1;
    let main = main.split("</main>").next().unwrap();
    let mut said = String::new();
    for part in main.split('<') {
        let (tag, text) = part.split_once('>').unwrap_or(("", part));
        let ends = ["/p", "/h1", "/h2", "/tr", "/li", "/div", "/dt", "/dd", "br", "/th", "/td"];
        if tag == "/th" || tag == "/td" || tag == "/dt" {
            said.push_str(" | ");
        } else if ends.contains(&tag) {
            said.push('\n');
        }
        said.push_str(text);
    }
    for (written, read) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")] {
        said = said.replace(written, read);
    }
    let lines = said.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).map(|line| line + "\n").collect()
}

fn snapshot(name: &str, text: &str) {
    with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
        assert_snapshot!(name, text);
    });
}

/// Every place on this page that a click leads to.
fn links(page: &str) -> BTreeSet<String> {
    let found = page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    found.filter(|link| !link.starts_with('#')).collect()
}

#[tokio::test]
async fn every_page_says_what_the_books_say() {
    let world = night().await;
    let served = Served::over(&world).await;
    for (name, path) in [
        ("page_overview", "/"),
        ("page_symbol", "/symbol/AAPL"),
        ("page_order", "/order/1"),
        ("page_fill", FILL),
        ("page_break", "/break/2"),
        ("page_jobs", "/jobs"),
    ] {
        snapshot(name, &text(&served.page(path).await));
    }
}

#[tokio::test]
async fn books_without_a_row_say_what_to_do_first() {
    let world = World::new().await;
    let served = Served::over(&world).await;
    snapshot("page_empty", &text(&served.page("/").await));
    assert_eq!(served.json("/api/overview.json").await["fills"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn every_link_of_every_page_leads_somewhere() {
    let world = night().await;
    let served = Served::over(&world).await;
    let mut left: Vec<String> = vec!["/".to_owned()];
    let mut seen: BTreeSet<String> = left.iter().cloned().collect();
    while let Some(path) = left.pop() {
        let page = served.page(&path).await;
        let found = if path.contains(".css") { BTreeSet::new() } else { links(&page) };
        left.extend(found.into_iter().filter(|link| seen.insert(link.clone())));
    }
    for path in ["/symbol/AAPL", "/order/1", FILL, "/break/1", "/jobs", "/metrics"] {
        assert!(seen.contains(path), "no page leads to {path}: {seen:?}");
    }
}

#[tokio::test]
async fn a_program_is_told_the_same_with_every_digit() {
    let world = night().await;
    let served = Served::over(&world).await;
    let overview = served.json("/api/overview.json").await;
    assert_eq!(overview["at"], NOW);
    assert_eq!(overview["exposure"][0]["symbol"], "AAPL");
    assert_eq!(overview["exposure"][0]["exposure"], "-0.762450000000000000");
    assert_eq!(overview["tiles"][0]["mood"], "wrong");
    assert_eq!(overview["alerts"][0]["alert_key"], "health/cursor/raindex");
    let symbol = served.json("/api/symbol/AAPL.json").await;
    assert_eq!(symbol["why"]["exposure"], "-0.76245");
    assert_eq!(symbol["earned"][1]["earned_usd"], "-0.984172369334523455");
    assert_eq!(symbol["lots"][0]["side"], "SHORT");
    assert_eq!(symbol["fills"][0]["quantity"], "1.512450000000000000");
    let order = served.json("/api/order/1.json").await;
    assert_eq!(order["events"][1]["evidence"], r#"{"status":"filled"}"#);
    assert_eq!(order["covers"][1]["chain_id"], 8453);
    assert_eq!(served.json(&format!("/api{FILL}.json")).await["hedges"][0]["order_id"], 1);
    assert_eq!(served.json("/api/jobs.json").await["runs"].as_array().unwrap().len(), 2);
    let missing = served.get("/api/order/7.json").await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    let missing: Value = serde_json::from_str(&missing.text().await.unwrap()).unwrap();
    assert_eq!(missing["error"], "There is no order #7.");
}

#[tokio::test]
async fn of_many_exposed_shares_the_ten_largest_say_since_when() {
    // Given twelve shares that somebody stated, each a minute older and a share larger than the one before
    let world = night().await;
    let many = "insert into opening_position (symbol, quantity, reason, author, happened_at)
                select 'S' || n, 100 + n, 'many', 'test', timestamptz '2026-03-10 14:31Z' - n * interval '1 minute'
                from generate_series(1, 12) n";
    world.pool().execute(many).await.unwrap();
    let served = Served::over(&world).await;
    // When the page is asked
    let overview = served.json("/api/overview.json").await;
    // Then all are there, the one with a price first, then the largest
    let exposed: Vec<&Value> =
        overview["exposure"].as_array().unwrap().iter().filter(|row| row["exposure_usd"].is_null()).collect();
    let symbols: Vec<&str> = exposed.iter().filter_map(|row| row["symbol"].as_str()).collect();
    assert_eq!(symbols, ["S12", "S11", "S10", "S9", "S8", "S7", "S6", "S5", "S4", "S3", "S2", "S1"]);
    // And those among the ten largest of the page say since when, to the minute
    let since: Vec<Option<Timestamp>> =
        exposed.iter().map(|row| row["exposed_since"].as_str().map(|since| since.parse().unwrap())).collect();
    assert_eq!(since.iter().flatten().count(), 9, "one of the ten is AAPL");
    let now: Timestamp = NOW.parse().unwrap();
    for ((minutes, since), symbol) in (1..=12).rev().zip(since).zip(symbols) {
        assert_eq!(since, (minutes > 3).then_some(now - SignedDuration::from_mins(minutes)), "{symbol}");
    }
}

#[tokio::test]
async fn what_is_not_there_says_so_and_where_to_begin() {
    let world = night().await;
    let served = Served::over(&world).await;
    for path in
        ["/order/2", "/symbol/MSFT", "/break/3", "/nowhere", "/fill/1/0x00/1/order", "/symbol/%3Cscript%3E"]
    {
        let answer = served.get(path).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(answer.text().await.unwrap().contains("href=\"/\""), "{path}");
    }
}

#[tokio::test]
async fn a_fill_that_the_chain_took_back_is_still_shown_and_says_so() {
    let world = night().await;
    let taken = "update chain_log set taken_by = 1 where log_index = 4";
    world.pool().execute(taken).await.unwrap();
    let served = Served::over(&world).await;
    let said = text(&served.page(FILL).await);
    assert!(said.contains("Taken back by | chain"), "{said}");
    let overview = served.page("/").await;
    assert!(!overview.contains("/fill/"), "it is no fill any more");
}

#[tokio::test]
async fn books_that_were_never_migrated_are_not_an_empty_page() {
    let world = World::blank().await;
    let served = Served::over(&world).await;
    let answer = served.get("/").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.text().await.unwrap().contains("hedge migrate"));
}

#[tokio::test]
async fn every_answer_forbids_what_a_page_of_others_could_do_with_it() {
    let world = night().await;
    let served = Served::over(&world).await;
    for path in ["/", "/api/overview.json", "/metrics", "/readyz", "/healthz", "/nowhere", "/icon.svg"] {
        let answer = served.get(path).await;
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "frame-ancestors 'none'",
            "form-action 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert!(answer.headers().get("set-cookie").is_none(), "{path}");
    }
    let page = served.page("/").await;
    for inline in ["<style", "style=", "onclick", "<script>"] {
        assert!(!page.contains(inline), "{inline} would be refused by its own policy");
    }
    let style = links(&page).into_iter().find(|link| link.contains(".css")).unwrap();
    assert!(served.get(&style).await.headers()["cache-control"].to_str().unwrap().contains("immutable"));
}

#[tokio::test]
async fn only_looking_is_answered_and_nothing_changes() {
    let world = night().await;
    let served = Served::over(&world).await;
    let before = contents(world.pool()).await;
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS, Method::TRACE] {
        for path in ["/", "/order/1", "/api/overview.json", "/healthz"] {
            let answer = served.client.request(method.clone(), served.url(path)).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(answer.headers()["allow"], "GET, HEAD", "{method} {path}");
        }
    }
    for path in ["/", "/symbol/AAPL", "/order/1", FILL, "/jobs", "/healthz", "/metrics"] {
        let whole = served.page(path).await.len();
        let head = served.client.head(served.url(path)).send().await.unwrap();
        let length: usize = head.headers()["content-length"].to_str().unwrap().parse().unwrap();
        assert_eq!((head.text().await.unwrap().len(), length > whole / 2), (0, true), "{path}");
    }
    assert_eq!(contents(world.pool()).await, before);
}

/// A digest of every table.
async fn contents(pool: &PgPool) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I', tablename) from pg_tables where schemaname = 'public' order by 1",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut all = Vec::new();
    for table in tables {
        let sql =
            format!("select md5(coalesce(string_agg(t::text, '' order by t::text), '')) from {table} t");
        let digest: String = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(pool).await.unwrap();
        all.push(format!("{table} {digest}"));
    }
    all.join("\n")
}

#[tokio::test]
async fn its_connections_cannot_write_and_give_up_on_long_questions() {
    let world = night().await;
    let books = world.db().lookers(1, Duration::from_millis(300)).unwrap();
    let code = async |sql: &'static str| {
        let error = books.execute(sql).await.unwrap_err();
        error.as_database_error().unwrap().code().unwrap().into_owned()
    };
    assert_eq!(code("insert into halt (act, reason, author) values ('halt', 'x', 'x')").await, "25006");
    assert_eq!(code("select pg_sleep(5)").await, "57014");
    // And while somebody has locked what it reads, it says so soon
    let mut tx = world.pool().begin().await.unwrap();
    tx.execute("lock table hedge_order in access exclusive mode").await.unwrap();
    assert!(["55P03", "57014"].contains(&code("select count(*) from hedge_order").await.as_str()));
}

#[tokio::test]
async fn with_a_token_nobody_looks_without_it() {
    let world = night().await;
    let settings = Settings { listen: None, token: Some(Secret::new(TOKEN)) };
    let served = Served::with(&world, settings, Pulse::default()).await;
    let basic = format!("Basic {}", STANDARD.encode(format!("anybody:{TOKEN}")));
    for path in ["/", "/api/overview.json", "/metrics", "/readyz", "/order/1"] {
        let answer = served.get(path).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
        let asked: Vec<_> = answer.headers().get_all("www-authenticate").iter().collect();
        assert_eq!(asked.len(), 2, "{path}");
        assert!(!answer.text().await.unwrap().contains("AAPL"), "{path}");
        for shown in [&format!("Bearer {TOKEN}"), &basic] {
            let answer =
                served.client.get(served.url(path)).header("authorization", shown).send().await.unwrap();
            assert_ne!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
        }
        let wrong =
            served.client.get(served.url(path)).bearer_auth("0123456789abcdef0124").send().await.unwrap();
        assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(served.get("/healthz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_name_of_somebody_elses_that_points_here_is_not_answered() {
    let world = night().await;
    let served = Served::over(&world).await;
    let asked = served.client.get(served.url("/")).header(HOST, "evil.example").send().await.unwrap();
    assert_eq!(asked.status(), StatusCode::MISDIRECTED_REQUEST);
    assert!(!asked.text().await.unwrap().contains("AAPL"));
}

#[tokio::test]
async fn where_others_can_reach_it_it_does_not_begin_without_a_token() {
    let world = World::new().await;
    for arguments in [["hedge", "web", "--web", "0.0.0.0:0"], ["hedge", "run", "--web", "[::]:0"]] {
        let environment =
            Environment::from_iter([("DATABASE_URL", world.url().expose()), ("HEDGE_CONFIG", "/dev/null")]);
        let cli = <Cli as clap::Parser>::try_parse_from(arguments).unwrap();
        let (exit, trouble) = outcome(cli.run(environment, &mut Vec::new()).await);
        let trouble = trouble.unwrap();
        assert_eq!(exit, Exit::Usage, "{trouble}");
        assert!(trouble.cause.contains("HEDGE_WEB_TOKEN is not set"), "{trouble}");
    }
    let open = Settings { listen: None, token: None };
    assert!(web::bind(&open, "0.0.0.0:0".parse().unwrap()).await.is_err());
    let environment = Environment::from_iter([("HEDGE_WEB_TOKEN", "hunter2")]);
    let config = Config::of_file("x".as_ref(), "[web]\nlisten = \"127.0.0.1:0\"\n", &environment).unwrap();
    let refused = web::bind(&config.web, config.web.listen.unwrap()).await.unwrap_err().to_string();
    assert!(refused.contains("shorter than 16") && !refused.contains("hunter2"), "{refused}");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[tokio::test]
async fn it_is_not_ready_while_a_loop_stands_still_or_a_source_is_not_read() {
    // Given books whose source was read a moment ago, and two loops
    let world = night().await;
    let read = format!("update cursor set looked_at = '{NOW}'");
    world.pool().execute(AssertSqlSafe(read)).await.unwrap();
    let served = Served::with(&world, Settings::default(), Pulse::default()).await;
    served.pulse.beat("hedger");
    served.pulse.beat("raindex");
    let asked = async || {
        let answer = served.get("/readyz").await;
        let status = answer.status();
        (status, serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap())
    };
    let (status, said) = asked().await;
    assert_eq!(
        (status, &said["ready"], &said["reasons"]),
        (StatusCode::OK, &Value::Bool(true), &Value::Array(Vec::new())),
        "{said}"
    );
    // When one of them stops
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(600) {
        served.pulse.beat("raindex");
        moment().await;
    }
    served.pulse.beat("raindex");
    // Then it is not ready, and says which
    let (status, said) = asked().await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{said}");
    assert!(said["reasons"][0].as_str().unwrap().starts_with("loop hedger: its last step ended"), "{said}");
    assert_eq!(said["reasons"].as_array().unwrap().len(), 1, "{said}");
    // And likewise for a source that is old, or stopped
    served.pulse.beat("hedger");
    world.pool().execute("update cursor set looked_at = looked_at - interval '6 minutes'").await.unwrap();
    assert_eq!(asked().await.1["reasons"][0], "source raindex: its head was looked at 6 min ago");
    served.pulse.beat("hedger");
    served.pulse.beat("raindex");
    world
        .pool()
        .execute("update cursor set stopped_at = looked_at, stopped_why = 'a deep reorg'")
        .await
        .unwrap();
    assert_eq!(asked().await.1["reasons"][0], "source raindex: it is stopped: a deep reorg");
}

#[tokio::test]
async fn without_its_books_it_is_there_and_not_ready() {
    let world = World::blank().await;
    let served = Served::over(&world).await;
    assert_eq!(served.get("/healthz").await.status(), StatusCode::OK);
    let answer = served.get("/readyz").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.text().await.unwrap().contains("database: it does not answer"));
    assert!(served.page("/metrics").await.contains("\nhedge_database_up 0\n"));
}

/// Name, labels and value of each sample; whatever is not one of Prometheus' lines fails.
fn samples(metrics: &str) -> Vec<(String, Vec<(String, String)>, String)> {
    let mut samples = Vec::new();
    let (mut helped, mut typed) = (String::new(), String::new());
    for line in metrics.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            help.split_once(' ').unwrap().0.clone_into(&mut helped);
            continue;
        }
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(["gauge", "counter"].contains(&kind) && name == helped, "{line}");
            name.clone_into(&mut typed);
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}').unwrap()),
            None => (series, ""),
        };
        assert_eq!(name, typed, "{line}");
        assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
        let labels = labels.split("\",").filter(|label| !label.is_empty()).map(|label| {
            let (name, value) = label.split_once("=\"").unwrap();
            (name.to_owned(), value.trim_end_matches('"').to_owned())
        });
        samples.push((name.to_owned(), labels.collect(), value.to_owned()));
    }
    samples
}

#[tokio::test]
async fn prometheus_reads_every_figure_and_no_series_twice() {
    let world = night().await;
    let served = Served::with(&world, Settings::default(), Pulse::default()).await;
    served.pulse.beat("hedger");
    let text = served.page("/metrics").await;
    let samples = samples(&text);
    let series: BTreeSet<_> = samples.iter().map(|(name, labels, _)| (name, labels)).collect();
    assert_eq!(series.len(), samples.len(), "a series is there twice:\n{text}");
    let known: BTreeSet<&str> = METRICS.iter().map(|(name, ..)| *name).collect();
    let labels: BTreeSet<&str> =
        samples.iter().flat_map(|(_, labels, _)| labels.iter().map(|(name, _)| name.as_str())).collect();
    assert_eq!(
        labels.into_iter().collect::<Vec<_>>(),
        ["job", "loop", "source", "state", "symbol", "venue", "version"]
    );
    for (name, ..) in &samples {
        assert!(known.contains(name.as_str()), "{name} has no help");
    }
    let value = |name: &str| {
        let found: Vec<&str> =
            samples.iter().filter(|(it, ..)| it == name).map(|(.., value)| value.as_str()).collect();
        found.join(" ")
    };
    assert_eq!(value("hedge_exposure_shares"), "-0.76245");
    assert_eq!(value("hedge_source_lag_blocks"), "7");
    assert_eq!(value("hedge_orders_closed_total"), "1");
    assert_eq!(value("hedge_source_reorgs_total"), "1");
    assert_eq!(value("hedge_halts"), "1");
    assert_eq!(value("hedge_breaks"), "1 1");
    assert_eq!(value("hedge_pnl_dollars"), "-0.984172369334523455");
    assert_eq!(value("hedge_database_up"), "1");
}

#[test]
fn the_dashboard_for_grafana_draws_only_what_is_measured() {
    let dashboard: Value = serde_json::from_str(include_str!("../../dashboards/grafana/hedge.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let known: BTreeSet<&str> = METRICS.iter().map(|(name, ..)| *name).collect();
    let mut drawn = BTreeSet::new();
    for target in panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten()) {
        let expression = target["expr"].as_str().unwrap();
        let word = |letter: char| !(letter.is_ascii_alphanumeric() || letter == '_');
        for name in expression.split(word).filter(|word| word.starts_with("hedge_")) {
            assert!(known.contains(name), "{name} is not measured: {expression}");
            drawn.insert(name.to_owned());
        }
    }
    let left: Vec<_> = known.iter().filter(|name| !drawn.contains(**name)).collect();
    assert!(left.is_empty(), "measured, and drawn nowhere: {left:?}");
}

#[tokio::test]
async fn whatever_somebody_wrote_into_the_books_is_shown_as_text() {
    let world = night().await;
    let evil = "<script>alert(1)</script><img src=x>";
    for sql in [
        "update hold set detail = $1",
        "update job_run set said = $1",
        "update alert set about = $1, next = $1",
    ] {
        sqlx::query(sql).bind(evil).execute(world.pool()).await.unwrap();
    }
    let served = Served::over(&world).await;
    for path in ["/", "/symbol/AAPL", "/jobs"] {
        let page = served.page(path).await;
        assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script>alert"), "{path}");
        assert!(!page.contains("<img"), "{path}");
    }
}

#[tokio::test]
async fn the_page_stands_beside_a_desk_that_hedges() {
    // Given a desk that runs, with a page
    let floor = Floor::open().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = free.local_addr().unwrap().to_string();
    drop(free);
    let program = floor.desk.start(&["run", "--web", &at]);
    let client = client();
    let asked = async |path: &str| {
        let answer = client.get(format!("http://{at}{path}")).send().await.ok()?;
        Some((answer.status(), answer.text().await.ok()?))
    };
    let ready = async || asked("/readyz").await.is_some_and(|(status, _)| status == StatusCode::OK);
    floor.until("it is ready", ready).await;
    // When a fill is hedged
    floor.sold("AAPL", 5);
    floor.flat().await;
    // Then the page shows the order, and every loop goes on
    floor
        .until("the order is on the page", async || {
            asked("/")
                .await
                .is_some_and(|(_, page)| page.contains("/order/1") && page.contains("/symbol/AAPL"))
        })
        .await;
    let (_, said) = asked("/readyz").await.unwrap();
    for running in ["loop hedger", "loop tracker", "loop watcher", "loop raindex", "source raindex"] {
        assert!(said.contains(running), "{said}");
    }
    // And it ends with the desk
    let mut program = program;
    program.terminate();
    assert!(program.ended().await.success());
    assert!(asked("/healthz").await.is_none());
}
