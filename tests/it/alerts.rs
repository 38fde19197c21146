//! Alerts as people get them: real mail by a server that wants STARTTLS and a login, a real
//! webhook, and what becomes of both when something on the way fails.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hedge::{
    alert::{
        Settings,
        smtp::{self, Tls},
    },
    engine::mailer::Mailer,
    job::notify::{Voice, tell},
    policy::alert::{Condition, Curve, Digest, Figures, Seen, Severity, rules::Rules},
    secret::Secret,
    store::outbox,
    time::Clock,
    units::{Shares, Usd},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sqlx::{Executor as _, PgPool};
use tempfile::TempDir;

use crate::{
    office::{Desk, PATIENCE, moment},
    process::Process,
    tools,
    world::{World, scratch},
};

const NIGHT: &str = "2026-11-21T01:30:00Z";

/// A mail server of this test's own, and a desk that writes to it.
struct Post {
    world: World,
    room: TempDir,
    server: Option<Process>,
    mode: &'static str,
    clock: Clock,
    to: Vec<String>,
    escalate_to: Vec<String>,
    webhook: Option<Secret>,
    password: &'static str,
}

impl Post {
    /// None where there is no mail server to be had on this machine.
    async fn open(mode: &'static str, to: &[&str]) -> Option<Self> {
        tools::mail_server()?;
        let mut post = Self {
            world: World::new().await,
            room: scratch(),
            server: None,
            mode,
            clock: Clock::told(NIGHT.parse().unwrap()),
            to: to.iter().map(|local| format!("{local}@desk.example")).collect(),
            escalate_to: vec!["Head <head@desk.example>".to_owned()],
            webhook: None,
            password: "swordfish",
        };
        let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(post.path("cert.pem"), pem("CERTIFICATE", issued.cert.der())).unwrap();
        fs::write(post.path("key.pem"), pem("PRIVATE KEY", &issued.signing_key.serialize_der())).unwrap();
        post.serve().await;
        Some(post)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.room.path().join(name)
    }

    /// Starts the server, at the port that it had.
    async fn serve(&mut self) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/smtp/server.py");
        let (room, cert, key) = (self.path(""), self.path("cert.pem"), self.path("key.pem"));
        let words =
            [script, room.to_str().unwrap(), cert.to_str().unwrap(), key.to_str().unwrap(), self.mode];
        let _ = fs::remove_file(self.path("ready"));
        let mut server = Process::start(tools::mail_server().unwrap(), &words, &[]);
        let begun = Instant::now();
        while !self.path("ready").exists() {
            assert!(server.runs() && begun.elapsed() < PATIENCE, "no mail server: {}", server.said());
            moment().await;
        }
        self.server = Some(server);
    }

    fn port(&self) -> u16 {
        fs::read_to_string(self.path("port")).unwrap().parse().unwrap()
    }

    fn settings(&self) -> Settings {
        Settings {
            environment: "prod".to_owned(),
            domain: "desk.example".to_owned(),
            to: self.to.clone(),
            escalate_to: self.escalate_to.clone(),
            smtp: Some(smtp::Settings {
                host: "localhost".to_owned(),
                port: self.port(),
                tls: if self.mode == "smtps" { Tls::Wrapped } else { Tls::Begun },
                ca: Some(self.path("cert.pem")),
                user: Some("hedge".to_owned()),
                password: Some(Secret::new(self.password)),
                folder: None,
                from: "hedge <hedge@desk.example>".to_owned(),
                list: "prod".to_owned(),
                timeout_ms: 5_000,
            }),
            webhook: self.webhook.clone(),
            rules: Rules::default(),
        }
    }

    fn pool(&self) -> &PgPool {
        self.world.pool()
    }

    /// Says what a run saw, so many hours after the first night.
    async fn tell(&self, hours: i64, conditions: Vec<Condition>, digest: bool) {
        let mut tx = self.pool().begin().await.unwrap();
        tell(&mut tx, &Voice::of(&self.settings()), &seen(hours, conditions, digest)).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Brings away all that is due: what came of it.
    async fn drain(&self) -> hedge::engine::mailer::Drained {
        Mailer::new(self.pool().clone(), &self.settings(), self.clock.clone()).drain().await.unwrap()
    }

    /// Brings away all there is, letting time pass until nothing waits any more.
    async fn settle(&self) {
        let mut mailer = Mailer::new(self.pool().clone(), &self.settings(), self.clock.clone());
        for _ in 0..60 {
            mailer.drain().await.unwrap();
            let mut conn = self.pool().acquire().await.unwrap();
            let Some(next) = outbox::next(&mut conn).await.unwrap() else { return };
            let wait = next.duration_since(self.clock.now()).max(SignedDuration::ZERO);
            self.clock.sleep(Duration::try_from(wait).unwrap() + Duration::from_secs(1)).await;
        }
        panic!("it never ends: {:?}", self.states().await);
    }

    /// The mails that the server took, in order.
    fn mails(&self) -> Vec<Value> {
        let mut paths: Vec<PathBuf> = fs::read_dir(self.room.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|it| it == "json"))
            .collect();
        paths.sort();
        paths.iter().map(|path| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()).collect()
    }

    /// How far each message got: recipient, state, how often it was put off, how often nobody knew.
    async fn states(&self) -> Vec<(String, String, i32, i32)> {
        let sql = "select recipient, state, deferred, unknown from outbox order by recipient, id";
        sqlx::query_as(sql).fetch_all(self.pool()).await.unwrap()
    }
}

fn pem(what: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", lines.join("\n"))
}

fn header<'v>(mail: &'v Value, name: &str) -> &'v str {
    mail["headers"][name].as_str().unwrap_or_default()
}

fn recipient(mail: &Value) -> &str {
    mail["for"][0].as_str().unwrap()
}

fn subjects(mails: &[Value]) -> Vec<&str> {
    mails.iter().map(|mail| header(mail, "subject")).collect()
}

fn at(hours: i64) -> Timestamp {
    NIGHT.parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
}

fn seen(hours: i64, conditions: Vec<Condition>, digest: bool) -> Seen {
    let points =
        (1..=20).map(|day| (jiff::civil::date(2026, 11, day), (i128::from(day) * 7 % 13).to_string()));
    let digest = digest.then(|| Digest {
        date: None,
        headline: format!("{} open in the vault.", conditions.len()),
        subject: None,
        tables: vec![Figures {
            title: "Drift".to_owned(),
            heads: vec!["symbol".to_owned(), "residual".to_owned()],
            rows: vec![vec!["AAPL".to_owned(), "−0.5".to_owned()]],
        }],
        curves: vec![Curve {
            title: "Drift".to_owned(),
            unit: "USD".to_owned(),
            points: points.map(|(date, value)| (date, value.parse().unwrap())).collect(),
        }],
    });
    Seen { scope: "reconcile".to_owned(), run: None, at: at(hours), conditions, unknown: Vec::new(), digest }
}

fn drift(severity: Severity, usd: &str) -> Condition {
    Condition {
        key: "break/17".to_owned(),
        class: "UNEXPLAINED".to_owned(),
        leg: "vault".to_owned(),
        severity,
        symbol: Some("AAPL".to_owned()),
        about: format!("AAPL −0.5 (−${}) vault leg", usd.trim_start_matches('-')),
        detail: "Nothing explains it.".to_owned(),
        next: "hedge show breaks".to_owned(),
        usd: Some(Usd(usd.parse().unwrap())),
        quantity: Some(Shares("-0.5".parse().unwrap())),
        since: at(-4),
        confirmed: true,
        acknowledged_until: None,
    }
}

#[tokio::test]
async fn a_break_is_mailed_in_secret_threads_hold_and_its_end_is_said_once() {
    let Some(post) = Post::open("starttls", &["a", "b"]).await else { return };
    let critical = || vec![drift(Severity::Critical, "-73.70")];
    // Given a night that finds something urgent, the same night again, and two business days of silence
    post.tell(0, critical(), true).await;
    post.drain().await;
    post.tell(1, critical(), false).await;
    post.tell(4 * 24, critical(), false).await;
    post.clock.sleep(Duration::from_hours(4 * 24)).await;
    post.drain().await;
    // When it is over
    post.tell(5 * 24, Vec::new(), true).await;
    post.clock.sleep(Duration::from_hours(24)).await;
    post.drain().await;

    // Then everybody has it once, and the second recipient from the escalation on
    let mails = post.mails();
    let of = |who: &str| -> Vec<Value> {
        mails.iter().filter(|mail| recipient(mail) == format!("{who}@desk.example")).cloned().collect()
    };
    let told = [
        "[hedge prod] AAPL −0.5 (−$73.70) vault leg",
        "[hedge prod] 1 open, 1 new: AAPL −0.5 (−$73.70) vault leg",
        "[hedge prod] ESCALATED: AAPL −0.5 (−$73.70) vault leg",
        "[hedge prod] over: AAPL −0.5 (−$73.70) vault leg",
        "[hedge prod] 0 open, 1 over: AAPL −0.5 (−$73.70) vault leg",
    ];
    assert_eq!(subjects(&of("a")), told);
    assert_eq!(subjects(&of("b")), told);
    assert_eq!(subjects(&of("head")), told[2..]);
    // And a thread is one: the escalation and the end answer the first
    let a = of("a");
    let first = header(&a[0], "message-id");
    assert_eq!(first, "<recon.prod.break/17.1@desk.example>");
    for answer in [&a[2], &a[3]] {
        assert_eq!((header(answer, "in-reply-to"), header(answer, "references")), (first, first));
    }
    assert_eq!(header(&a[1], "in-reply-to"), "", "the mail of a run is of no thread");
    // And no id is used twice for one of them, nor is a mail taken for a person's
    let ids: std::collections::BTreeSet<&str> = a.iter().map(|mail| header(mail, "message-id")).collect();
    assert_eq!(ids.len(), told.len());
    for mail in &mails {
        assert_eq!(header(mail, "auto-submitted"), "auto-generated");
        assert_eq!(header(mail, "list-id"), "hedge prod <prod.hedge.desk.example>");
    }
    assert_eq!(header(&a[0], "x-hedge-alert"), "break/17");
    // And it is text, and HTML with its picture inside
    let shape = ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"];
    assert_eq!(a[1]["shape"], serde_json::json!(shape));
    assert_eq!(a[1]["pictures"][0][0], "<chart-1>");
    assert!(a[1]["pictures"][0][1].as_u64().unwrap() < 60 * 1024);
    assert!(a[1]["text"].as_str().unwrap().starts_with("1 open in the vault."));
    assert!(a[1]["html"].as_str().unwrap().contains("cid:chart-1"));
    assert!(post.states().await.iter().all(|row| row.1 == "sent"));
}

#[tokio::test]
async fn smtps_is_spoken_from_the_first_byte() {
    let Some(post) = Post::open("smtps", &["a"]).await else { return };
    post.tell(0, Vec::new(), true).await;
    post.drain().await;
    assert_eq!(subjects(&post.mails()), ["[hedge prod] all clear: reconcile 2026-11-20"]);
}

#[tokio::test]
async fn nothing_is_sent_in_clear_nor_to_a_stranger_and_nothing_is_lost_by_that() {
    let Some(mut post) = Post::open("plain", &["a"]).await else { return };
    post.tell(0, Vec::new(), true).await;
    let waits = post.drain().await.waits.unwrap();
    assert!(waits.contains("offers no STARTTLS, and nothing is sent in clear"), "{waits}");
    // A server of another name is not ours.
    post.server = None;
    post.mode = "starttls";
    post.serve().await;
    let stranger = rcgen::generate_simple_self_signed(["elsewhere".to_owned()]).unwrap();
    let ours = fs::read(post.path("cert.pem")).unwrap();
    fs::write(post.path("cert.pem"), pem("CERTIFICATE", stranger.cert.der())).unwrap();
    post.clock.sleep(Duration::from_mins(10)).await;
    let waits = post.drain().await.waits.unwrap();
    assert!(waits.contains("does not begin TLS"), "{waits}");
    fs::write(post.path("cert.pem"), ours).unwrap();
    // A wrong password is no reason to lose a mail either, and stands nowhere.
    post.password = "hunter2";
    post.clock.sleep(Duration::from_mins(10)).await;
    let waits = post.drain().await.waits.unwrap();
    assert!(waits.contains("does not let us in") && !waits.contains("hunter2"), "{waits}");
    assert_eq!(post.mails().len(), 0);
    post.password = "swordfish";
    post.settle().await;
    assert_eq!(post.mails().len(), 1);
}

#[tokio::test]
async fn each_recipient_gets_it_once_or_is_reported_and_holds_up_nobody_else() {
    let everybody = ["a", "refused", "never", "later", "hangs", "rejected", "full", "lost", "slow", "z"];
    let Some(post) = Post::open("starttls", &everybody).await else { return };
    post.tell(0, Vec::new(), true).await;
    // When everything is brought once, then whoever can be reached has it
    post.drain().await;
    let reached: Vec<String> = post.mails().iter().map(|mail| recipient(mail).to_owned()).collect();
    assert_eq!(reached, ["a", "lost", "slow", "z"].map(|local| format!("{local}@desk.example")));
    // When it is tried to the end
    post.settle().await;
    let state = |who: &str, state: &str, deferred: i32, unknown: i32| {
        (format!("{who}@desk.example"), state.to_owned(), deferred, unknown)
    };
    assert_eq!(
        post.states().await,
        [
            state("a", "sent", 0, 0),
            state("full", "sent", 1, 0),
            state("hangs", "sent", 1, 0),
            state("later", "sent", 1, 0),
            // Nobody knew whether these were taken: they say so, and the id is the same.
            state("lost", "sent", 0, 1),
            state("never", "poisoned", 20, 0),
            state("refused", "failed", 0, 0),
            state("rejected", "failed", 0, 0),
            state("slow", "sent", 0, 1),
            state("z", "sent", 0, 0),
        ]
    );
    let mut copies: BTreeMap<String, usize> = BTreeMap::new();
    for mail in post.mails() {
        *copies.entry(recipient(&mail).trim_end_matches("@desk.example").to_owned()).or_default() += 1;
    }
    let wanted = [("a", 1), ("full", 1), ("hangs", 1), ("later", 1), ("lost", 2), ("slow", 2), ("z", 1)];
    assert_eq!(copies, wanted.map(|(who, count)| (who.to_owned(), count)).into());
    let ids: std::collections::BTreeSet<String> =
        post.mails().iter().map(|mail| header(mail, "message-id").to_owned()).collect();
    assert_eq!(ids.len(), 1, "a mailbox keeps one of two");
    // And what was given up is seen
    let mut conn = post.pool().acquire().await.unwrap();
    let health = outbox::health(&mut conn, at(-1)).await.unwrap();
    assert_eq!((health.waiting, health.given_up, health.doubtful), (0, 3, 2));
    assert!(health.last_given_up.unwrap().contains("never@desk.example"));
}

#[tokio::test]
async fn a_mail_server_that_is_dead_for_a_week_loses_nothing() {
    let Some(mut post) = Post::open("starttls", &["a", "b"]).await else { return };
    post.server = None;
    for night in 0..7 {
        post.tell(24 * night, Vec::new(), true).await;
        for _ in 0..20 {
            let drained = post.drain().await;
            assert_eq!((drained.sent, drained.given_up), (0, 0));
            post.clock.sleep(Duration::from_mins(72)).await;
        }
    }
    assert!(post.states().await.iter().all(|row| row.1 == "waiting"));
    post.serve().await;
    post.settle().await;
    assert_eq!(post.mails().len(), 14, "each night, to both, once");
}

#[tokio::test]
async fn a_sender_that_is_killed_before_it_wrote_down_what_it_sent_sends_it_again_under_the_same_id() {
    let Some(post) = Post::open("starttls", &["slow"]).await else { return };
    post.tell(0, Vec::new(), true).await;
    post.pool().execute("update outbox set next_at = now()").await.unwrap();
    let door = post.port();
    let toml = format!(
        "[alerts]\nenvironment = \"prod\"\nfrom = \"hedge@desk.example\"\nto = []\n\
         smtp = \"smtp://localhost:{door}\"\nsmtp_user = \"hedge\"\nsmtp_ca = \"{}\"\n",
        post.path("cert.pem").display()
    );
    let desk = Desk::configured(World::at(post.world.url().clone()).await, &toml);
    let send = || {
        std::process::Command::new(env!("CARGO_BIN_EXE_hedge"))
            .args(["--config", desk.config().to_str().unwrap(), "alert", "send"])
            .env_clear()
            .env("DATABASE_URL", post.world.url().expose())
            .env("SMTP_PASSWORD", "swordfish")
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    // Given a sender whose mail was taken, and who is killed before it hears so
    let mut sender = send();
    let begun = Instant::now();
    while post.mails().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "nothing was sent");
        moment().await;
    }
    sender.kill().unwrap();
    sender.wait().unwrap();
    assert_eq!(post.states().await[0].1, "sending");
    // When another comes at once, it leaves it alone; when it comes later, it sends it again
    assert!(send().wait_with_output().unwrap().status.success());
    assert_eq!(post.mails().len(), 1);
    post.pool().execute("update outbox set claimed_at = now() - interval '16 minutes'").await.unwrap();
    assert!(send().wait_with_output().unwrap().status.success());
    // Then the mailbox can tell that they are one
    let mails = post.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(header(&mails[0], "message-id"), header(&mails[1], "message-id"));
    assert_eq!(post.states().await, [("slow@desk.example".to_owned(), "sent".to_owned(), 0, 1)]);
}

#[tokio::test]
async fn what_is_told_stands_or_falls_with_its_cause_and_is_told_once() {
    let Some(post) = Post::open("starttls", &["a"]).await else { return };
    let voice = Voice::of(&post.settings());
    let run = seen(0, vec![drift(Severity::Critical, "-73.70")], true);
    // A cause that is taken back takes its mail with it.
    let mut tx = post.pool().begin().await.unwrap();
    tell(&mut tx, &voice, &run).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(post.states().await, []);
    // The same run made twice, at the same time even, is told once.
    let both = [0, 1].map(|_| async {
        let mut tx = post.pool().begin().await.unwrap();
        tell(&mut tx, &voice, &run).await.unwrap();
        tx.commit().await.unwrap();
    });
    let [one, two] = both;
    tokio::join!(one, two);
    assert_eq!(post.states().await.len(), 2, "a digest and a thread");
    let events: i64 =
        sqlx::query_scalar("select count(*) from alert_event").fetch_one(post.pool()).await.unwrap();
    assert_eq!(events, 1);
}

/// What a webhook was told, and what it answers next.
#[derive(Clone, Default)]
struct Hook(Arc<Mutex<(Vec<Value>, Vec<u16>)>>);

async fn hook(hook: Hook) -> String {
    let app = axum::Router::new().route(
        "/services/T0/B0/hunter2",
        axum::routing::post(move |body: String| async move {
            let mut inside = hook.0.lock().unwrap();
            inside.0.push(serde_json::from_str(&body).unwrap());
            let status = if inside.1.is_empty() { 200 } else { inside.1.remove(0) };
            (axum::http::StatusCode::from_u16(status).unwrap(), "no hunter2 here")
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/services/T0/B0/hunter2", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}

#[tokio::test]
async fn a_webhook_is_told_of_what_is_critical_until_it_takes_it() {
    let Some(mut post) = Post::open("starttls", &["a"]).await else { return };
    let heard = Hook::default();
    heard.0.lock().unwrap().1.extend([500, 429]);
    post.webhook = Some(Secret::new(hook(heard.clone()).await));
    post.tell(0, vec![drift(Severity::Critical, "-73.70")], true).await;
    post.settle().await;
    let told = heard.0.lock().unwrap().0.clone();
    // It was put off twice. The mail of the run says nothing that the thread has not said.
    assert_eq!(told.len(), 3);
    let text = told[0]["text"].as_str().unwrap();
    assert!(text.starts_with("*[hedge prod] AAPL −0.5 (−$73.70) vault leg*\n"), "{text}");
    // What mattered much is for it to its end, and what matters little is not
    post.tell(24, vec![drift(Severity::Warning, "-500")], true).await;
    post.clock.sleep(Duration::from_hours(24)).await;
    post.settle().await;
    assert_eq!(heard.0.lock().unwrap().0.len(), 4);
    let little = Condition { key: "break/18".to_owned(), ..drift(Severity::Warning, "-500") };
    post.tell(25, vec![drift(Severity::Warning, "-500"), little], true).await;
    post.clock.sleep(Duration::from_hours(1)).await;
    post.settle().await;
    assert_eq!(heard.0.lock().unwrap().0.len(), 4);
    let sent: Vec<String> =
        sqlx::query_scalar("select distinct coalesce(last_error, '') from outbox where channel = 'webhook'")
            .fetch_all(post.pool())
            .await
            .unwrap();
    assert_eq!(sent, [""], "what ended well leaves no error");
}

#[tokio::test]
async fn a_webhook_that_is_gone_is_given_up_and_its_url_stands_nowhere() {
    let Some(mut post) = Post::open("starttls", &[]).await else { return };
    let heard = Hook::default();
    heard.0.lock().unwrap().1.push(404);
    let url = hook(heard).await;
    post.webhook = Some(Secret::new(url));
    post.tell(0, vec![drift(Severity::Critical, "-73.70")], false).await;
    post.drain().await;
    // One that nobody listens at is away.
    post.webhook = Some(Secret::new("http://127.0.0.1:1/hunter2"));
    post.tell(100, vec![drift(Severity::Critical, "-7300")], false).await;
    post.clock.sleep(Duration::from_hours(100)).await;
    post.drain().await;
    let rows: Vec<(String, String)> = sqlx::query_as("select state, last_error from outbox order by id")
        .fetch_all(post.pool())
        .await
        .unwrap();
    let states: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
    assert_eq!(states, ["failed", "waiting"]);
    assert!(rows[0].1.starts_with("404"), "{rows:?}");
    assert!(!rows[1].1.contains("hunter2"), "{rows:?}");
}

#[tokio::test]
async fn an_operator_tries_it_lists_what_is_open_and_says_that_he_knows() {
    let Some(post) = Post::open("starttls", &["a"]).await else { return };
    let toml = format!(
        "[alerts]\nenvironment = \"prod\"\nfrom = \"hedge@desk.example\"\nto = [\"a@desk.example\"]\n\
         escalate_to = [\"head@desk.example\"]\nsmtp = \"smtp://localhost:{}\"\nsmtp_ca = \"{}\"\n\
         smtp_user = \"hedge\"\n",
        post.port(),
        post.path("cert.pem").display()
    );
    let desk = Desk::configured(World::at(post.world.url().clone()).await, &toml);
    fs::write(post.path("password"), "swordfish\n").unwrap();
    let hedge = |words: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_hedge"))
            .args(["--config", desk.config().to_str().unwrap(), "-q"])
            .args(words)
            .env_clear()
            .env("DATABASE_URL", post.world.url().expose())
            .env("SMTP_PASSWORD_FILE", post.path("password"))
            .env("USER", "kim")
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(said).unwrap())
    };
    // The test goes the way of everything that is told
    let (code, said) = hedge(&["alert", "test"]);
    assert_eq!((code, said.split(';').next().unwrap()), (0, "sent: 8, given up: 0"), "{said}");
    let mails = post.mails();
    let of_a: Vec<&str> = mails
        .iter()
        .filter(|mail| recipient(mail) == "a@desk.example")
        .map(|it| header(it, "subject"))
        .collect();
    assert_eq!(
        of_a,
        [
            "[hedge prod] a test: nothing is wrong",
            "[hedge prod] 1 open, 1 new: a test: nothing is wrong",
            "[hedge prod] ESCALATED: a test: nothing is wrong",
            "[hedge prod] over: a test: nothing is wrong",
            "[hedge prod] 0 open, 1 over: a test: nothing is wrong",
        ]
    );
    // What is open is listed, and who knows is on record
    assert_eq!(hedge(&["alert", "list"]), (0, "nothing is open\n".to_owned()));
    post.tell(0, vec![drift(Severity::Critical, "-73.70")], false).await;
    let (_, listed) = hedge(&["alert", "list"]);
    assert!(listed.contains("break/17") && listed.contains("hedge show breaks"), "{listed}");
    let know = ["alert", "acknowledge", "break/17", "--until", "2099-01-01", "--reason", "asked"];
    let (code, said) = hedge(&know);
    assert!(code == 0 && said.starts_with("acknowledged: break/17"), "{said}");
    let known: (String, String) =
        sqlx::query_as("select author, said from alert_event where event = 'acknowledged'")
            .fetch_one(post.pool())
            .await
            .unwrap();
    assert_eq!(known, ("kim".to_owned(), "asked".to_owned()));
    post.tell(20 * 24, vec![drift(Severity::Critical, "-73.70")], false).await;
    let told: i64 = sqlx::query_scalar(
        "select count(*) from alert_event where event <> 'acknowledged' and key = 'break/17'",
    )
    .fetch_one(post.pool())
    .await
    .unwrap();
    assert_eq!(told, 1, "nobody is reminded");
    let (code, said) = hedge(&["alert", "acknowledge", "break/99", "--until", "2099-01-01", "--reason", "x"]);
    assert!(code == 2 && said.contains("nobody is told of `break/99`"), "{said}");
    // The doctor logs in
    let (_, said) = hedge(&["doctor"]);
    assert!(said.contains("mail localhost"), "{said}");
    assert!(said.contains("mail.test, in secret, logged in; told by it: 2"), "{said}");
    assert!(said.contains("outbox"), "{said}");
}

#[tokio::test]
async fn a_unit_that_failed_is_told_of_without_the_books() {
    let Some(post) = Post::open("starttls", &["a"]).await else { return };
    let heard = Hook::default();
    let url = hook(heard.clone()).await;
    let configured = |to: &str| {
        format!(
            "[alerts]\nenvironment = \"prod\"\nfrom = \"hedge@desk.example\"\nto = [{to}]\n\
             smtp = \"smtp://localhost:{}\"\nsmtp_user = \"hedge\"\nsmtp_ca = \"{}\"\n",
            post.port(),
            post.path("cert.pem").display()
        )
    };
    let tell = |to: &str| {
        fs::write(post.path("hedge.toml"), configured(to)).unwrap();
        let mut unit = tokio::process::Command::new(env!("CARGO_BIN_EXE_hedge"));
        unit.args([
            "--config",
            post.path("hedge.toml").to_str().unwrap(),
            "alert",
            "unit",
            "hedge-job@pnl.service",
        ])
        .env_clear()
        // Where there is no database: it may be what failed.
        .env("DATABASE_URL", "postgres://hedge:swordfish@127.0.0.1:1/hedge")
        .env("SMTP_PASSWORD", "swordfish")
        .env("ALERT_WEBHOOK_URL", &url)
        .env("MONITOR_SERVICE_RESULT", "exit-code")
        .env("MONITOR_EXIT_STATUS", "4");
        unit
    };
    // When a unit failed, then everybody is told at once, with what the service manager said
    let output = tell("\"a@desk.example\", \"b@desk.example\"").output().await.unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(
        (output.status.code(), said.as_str()),
        (Some(0), "told a@desk.example\ntold b@desk.example\ntold webhook\n")
    );
    let mails = post.mails();
    assert_eq!(subjects(&mails), ["[hedge prod] hedge-job@pnl.service failed"; 2]);
    let text = mails[0]["text"].as_str().unwrap();
    for part in [
        "service result exit-code, exit status 4.",
        "The books were not asked",
        "journalctl -u hedge-job@pnl.service --since -1h",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(
        header(&mails[0], "message-id").starts_with("<recon.prod.unit/hedge-job@pnl.service/")
            || header(&mails[0], "message-id").contains("unit")
    );
    let told = heard.0.lock().unwrap().0.clone();
    assert_eq!(told.len(), 1);
    assert!(told[0].to_string().contains("hedge-job@pnl.service failed"), "{}", told[0]);
    // And who cannot be reached is named, holds up nobody, and the unit that tells fails too
    let output = tell("\"refused@desk.example\", \"z@desk.example\"").output().await.unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.starts_with("could not tell refused@desk.example: "), "{said}");
    assert!(said.ends_with("told z@desk.example\ntold webhook\n"), "{said}");
    assert!(!said.contains("swordfish") && !said.contains("hunter2"), "{said}");
    // Where nobody is to be told, that is said
    fs::write(post.path("hedge.toml"), "").unwrap();
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_hedge"))
        .args(["--config", post.path("hedge.toml").to_str().unwrap(), "alert", "unit", "hedge.service"])
        .env_clear()
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
}
