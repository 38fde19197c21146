//! The stage: one throw-away Postgres for the whole run, a fresh database a test.
//!
//! A test binary has no last line in which to tear anything down, and may be killed.
//! So the server's life hangs on a pipe: a shell reads from it, and when the test
//! process ends, in whichever way, the kernel closes our end, the shell stops the
//! server and removes its directory.

use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use hedge::store::{DatabaseUrl, Db, Embedded, Settings};
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tempfile::TempDir;

/// Nothing here has to survive a power cut.
pub const FLEETING: [(&str, &str); 3] =
    [("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off")];

/// What a test plays on: so far, a database.
pub struct World {
    db: Db,
}

impl World {
    /// A world with a fresh database that has all tables and views, and no row.
    pub async fn new() -> Self {
        Self { db: open(Stage::get().fresh("template_migrated").await).await }
    }

    /// A world with small sound books: `books.sql` says what is in them.
    pub async fn with_books() -> Self {
        let world = Self::new().await;
        world.pool().execute(include_str!("books.sql")).await.unwrap();
        world
    }

    /// A world whose database is empty: not even migrated.
    pub async fn blank() -> Self {
        Self { db: open(Stage::get().fresh("template1").await).await }
    }

    /// Forgets every row, so that the database is as new.
    pub async fn empty(&self) {
        let tables: Vec<String> = sqlx::query_scalar(
            "select format('%I', tablename) from pg_tables
             where schemaname = 'public' and tablename <> 'refinery_schema_history'",
        )
        .fetch_all(self.pool())
        .await
        .unwrap();
        let sql = format!(
            "begin; set local session_replication_role = replica;
             truncate {} restart identity cascade; commit",
            tables.join(", ")
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(self.pool()).await.unwrap();
    }

    /// A world in a database that is there already.
    pub async fn at(url: DatabaseUrl) -> Self {
        Self { db: open(url).await }
    }

    /// A copy of its database as it is now. Whoever is connected is thrown out, and may not come back
    /// meanwhile.
    pub async fn copy(&self) -> Self {
        let options = self.url().options().unwrap();
        let name = options.get_database().unwrap();
        Self { db: open(Stage::get().copy(name).await).await }
    }

    pub fn db(&self) -> &Db {
        &self.db
    }

    pub fn pool(&self) -> &PgPool {
        self.db.pool()
    }

    pub fn url(&self) -> &DatabaseUrl {
        self.db.url()
    }
}

/// A database that is there already.
pub async fn open(url: DatabaseUrl) -> Db {
    let settings = Settings { database_url: Some(url), data_dir: "/nonexistent".into() };
    Db::open(&settings).await.unwrap()
}

/// A directory that the server of root may enter too.
pub fn scratch() -> TempDir {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::Builder::new().prefix("hedge-it-").tempdir().unwrap();
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o711)).unwrap();
    dir
}

/// The server of this run.
struct Stage {
    server: Embedded,
    /// Open as long as this process lives.
    _lifeline: ChildStdin,
    databases: AtomicU32,
}

impl Stage {
    fn get() -> &'static Self {
        static STAGE: OnceLock<Stage> = OnceLock::new();
        STAGE.get_or_init(|| std::thread::spawn(Self::build).join().unwrap())
    }

    #[tokio::main(flavor = "current_thread")]
    async fn build() -> Self {
        // `RUST_LOG=hedge=debug cargo test … -- --nocapture` tells what a test goes through.
        let quiet = tracing_subscriber::filter::LevelFilter::OFF;
        let filter =
            tracing_subscriber::EnvFilter::builder().with_default_directive(quiet.into()).from_env_lossy();
        let _ = tracing_subscriber::fmt().with_env_filter(filter).try_init();
        let dir = scratch().keep();
        // One role must show its password, and may not: tests want to be refused.
        let doors = dir.join("pg_hba.conf");
        std::fs::write(&doors, "local all stranger scram-sha-256\nlocal all all trust\n").unwrap();
        let doors = ("hba_file", doors.to_str().unwrap());
        // Every test has its connections, and every program that it starts.
        let seats = ("max_connections", "600");
        let server = Embedded::start(&dir, &[&FLEETING[..], &[doors, seats]].concat()).unwrap();
        let lifeline = bury_with_us(&server, &dir);
        let stage = Self { server, _lifeline: lifeline, databases: AtomicU32::new(0) };
        let url = stage.create("template_migrated", "template1").await;
        let db = open(url).await;
        db.pool().execute("create role hedge_bi").await.unwrap();
        db.pool().execute("create role stranger login password 'not hunter2'").await.unwrap();
        db.migrate().await.unwrap();
        db.close().await;
        stage
    }

    async fn fresh(&self, template: &str) -> DatabaseUrl {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        self.create(&format!("test_{number}"), template).await
    }

    /// A database as `name` is now: nobody may be in it while it is copied.
    async fn copy(&self, name: &str) -> DatabaseUrl {
        let all = "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname";
        self.order(&format!("{all} = '{name}'")).await;
        self.fresh(name).await
    }

    async fn create(&self, name: &str, template: &str) -> DatabaseUrl {
        self.order(&format!("create database {name} template {template}")).await;
        self.url_of(name)
    }

    async fn order(&self, sql: &str) {
        let maintenance = self.url_of("postgres").options().unwrap();
        let mut admin = PgConnection::connect_with(&maintenance).await.unwrap();
        admin.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.unwrap();
        admin.close().await.unwrap();
    }

    fn url_of(&self, database: &str) -> DatabaseUrl {
        let url = self.server.url().expose().replacen("/hedge?", &format!("/{database}?"), 1);
        url.parse().unwrap()
    }
}

/// Starts the shell that outlives us by a moment.
fn bury_with_us(server: &Embedded, dir: &Path) -> ChildStdin {
    use std::os::unix::process::CommandExt;
    let pid = server.pid().unwrap().to_string();
    let script = r#"
        read -r _
        kill -QUIT "$1"
        for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
            [ -e "$2/postgres/cluster/postmaster.pid" ] || break
            sleep 0.05
        done
        rm -rf "$2"
    "#;
    Command::new("sh")
        .args(["-c", script, "lifeline", &pid])
        .arg(dir)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
        .stdin
        .unwrap()
}
