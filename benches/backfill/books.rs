//! A throw-away Postgres as an operator has it, and a new database a run.

use std::{os::unix::fs::PermissionsExt, path::PathBuf};

use anyhow::Context;
use hedge::{
    sim::Cast,
    store::{DatabaseUrl, Db, Embedded, Settings, cursors},
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use tempfile::TempDir;

/// The cluster, whose database `hedge` is the pattern of all others.
pub(super) struct Books {
    server: Embedded,
    // After the server: it writes there until it is stopped.
    dir: TempDir,
}

/// What a database holds, in short: the same rows give the same digest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Digest {
    /// Fills in it.
    pub(super) fills: u64,
    logs: String,
    rows: String,
    cursor: String,
}

impl Books {
    /// Makes the cluster, the tables, and the one source.
    pub(super) async fn open() -> anyhow::Result<Self> {
        Self::with(&[]).await
    }

    /// The same, with these settings of Postgres.
    pub(super) async fn with(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("hedge-bench-").tempdir()?;
        // The server of root is another user's, and must get in.
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o711))?;
        let server = Embedded::start(dir.path(), settings)?;
        let settings = Settings { database_url: Some(server.url()), data_dir: dir.path().to_owned() };
        let db = Db::open(&settings).await?;
        db.migrate().await?;
        let cast = Cast::default();
        let source = cursors::Source {
            name: "raindex",
            chain: 8453,
            kind: "raindex-v6",
            address: cast.orderbook,
            owners: &[cast.owner],
            from_block: 0,
        };
        cursors::source(&mut *db.pool().acquire().await?, &source).await?;
        db.close().await;
        Ok(Self { server, dir })
    }

    /// A file that goes with the cluster.
    pub(super) fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// A new database with empty tables; one of that name goes. Nothing of the past is left to be written.
    pub(super) async fn create(&self, name: &str) -> anyhow::Result<String> {
        let mut conn = connect(&self.url_of("postgres")).await?;
        conn.execute(AssertSqlSafe(format!("drop database if exists {name}"))).await?;
        conn.execute(AssertSqlSafe(format!("create database {name} template hedge"))).await?;
        conn.execute("checkpoint").await?;
        conn.close().await?;
        Ok(self.url_of(name))
    }

    /// The address of a database.
    pub(super) fn url_of(&self, name: &str) -> String {
        self.server.url().expose().replacen("/hedge?", &format!("/{name}?"), 1)
    }

    /// What a database holds.
    pub(super) async fn digest(&self, name: &str) -> anyhow::Result<Digest> {
        let mut conn = connect(&self.url_of(name)).await?;
        let row = conn.fetch_one(include_str!("digest.sql")).await?;
        conn.close().await?;
        Ok(Digest {
            fills: u64::try_from(row.try_get::<i64, _>("fills")?)?,
            logs: row.try_get("logs")?,
            rows: row.try_get("rows")?,
            cursor: row.try_get("at")?,
        })
    }

    /// Stops the server and removes what it wrote.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        let Self { server, dir } = self;
        tokio::task::spawn_blocking(move || drop(server)).await?;
        dir.close().context("the cluster is left behind")
    }
}

/// A connection of the kind that hedge has. Its commits do not wait for the disk, as hedge's do not.
pub(super) async fn connect(url: &str) -> anyhow::Result<PgConnection> {
    let options = url.parse::<DatabaseUrl>()?.options()?.options([("synchronous_commit", "off")]);
    Ok(PgConnection::connect_with(&options).await?)
}
