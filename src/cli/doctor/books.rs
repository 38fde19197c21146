//! Whether the books can be kept: the database, its tables, its directory.

use std::{io::Write, path::Path};

use alloy::primitives::Address;
use sqlx::PgPool;

use super::{alerts, findings::Findings, hedging};
use crate::{
    cli::{Desk, Trouble, job, show::no_such_table, trouble::outcome},
    config::{Config, jobs::specs},
    store::{Db, Settings, StoreError, credentials, migrate::NEWEST},
    time::Clock,
    venue::schwab::Standing,
};

const ABOUT: &str = "database";

/// Opens the database, and gives the tokens that the indexer has met: chain, address, symbol.
///
/// Where the configuration cannot be read, what it says of the books is unknown:
/// only a database that the command line or the environment names is tried.
pub(super) async fn examine(
    desk: &Desk,
    config: Option<&Config>,
    findings: &mut Findings,
) -> Vec<(u64, Address, String)> {
    let readable = config.is_some();
    let named =
        desk.data.is_some() || ["DATABASE_URL", "HEDGE_DATA"].iter().any(|name| desk.environment.has(name));
    let settings = match (readable, named) {
        (true, _) => desk.store(),
        (false, true) => elsewhere(desk),
        (false, false) => {
            findings.noted(ABOUT, "not tried: the configuration says where it is", "mend that first");
            return Vec::new();
        }
    };
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => {
            let (_, trouble) = outcome(Err(error));
            let (said, next) = trouble.map(|it| (it.cause, it.next)).unwrap_or_default();
            findings.failed(ABOUT, said, next);
            return Vec::new();
        }
    };
    if settings.database_url.is_none() {
        directory(&settings.data_dir, findings);
    }
    match Db::open(&settings).await {
        Ok(db) => {
            let tokens = tables(&db, &settings, findings).await;
            if let (Some(_), Some(config)) = (&tokens, config) {
                hedging::examine(config, &db, &Clock::Wall, findings).await;
                jobs(config, &db, findings).await;
                if config.alerts.is_some() {
                    alerts::outbox(&db, &Clock::Wall, findings).await;
                }
            }
            db.close().await;
            tokens.unwrap_or_default()
        }
        Err(error) => {
            failed(&error, findings);
            Vec::new()
        }
    }
}

/// What the jobs' files say, and which of them ran.
async fn jobs(config: &Config, db: &Db, findings: &mut Findings) {
    match specs(config.jobs.as_deref()) {
        Ok(specs) => {
            let looked = super::runs::examine(&specs, db, Clock::Wall.now(), false, findings).await;
            if let Err(error) = looked {
                failed(&error, findings);
            }
        }
        Err(problems) => {
            for problem in problems.iter() {
                findings.failed("jobs", format!("{}: {}", problem.place, problem.what), &problem.next);
            }
        }
    }
}

/// Whether every job ran when it was due.
///
/// # Errors
/// The configuration, the jobs' files, or the database: nobody knows then.
pub(super) async fn runs(desk: &Desk, findings: &mut Findings) -> anyhow::Result<()> {
    let specs = job::all(desk)?;
    let db = Db::open(&desk.store()?).await?;
    db.migrate().await?;
    let looked = super::runs::examine(&specs, &db, Clock::Wall.now(), true, findings).await;
    db.close().await;
    Ok(looked?)
}

/// What the command line and the environment say of the books, without the file.
fn elsewhere(desk: &Desk) -> anyhow::Result<Settings> {
    Desk { config: Some("/dev/null".into()), ..desk.clone() }.store()
}

fn directory(data: &Path, findings: &mut Findings) {
    let tried = std::fs::create_dir_all(data).and_then(|()| {
        let probe = data.join(".doctor");
        std::fs::File::create(&probe).and_then(|mut file| file.write_all(b"ok"))?;
        std::fs::remove_file(probe)
    });
    match tried {
        Ok(()) => findings.ok("disk", format!("{} can be written", data.display())),
        Err(error) => findings.failed(
            "disk",
            format!("{} cannot be written: {error}", data.display()),
            "give it to this user, or name another with --data",
        ),
    }
}

/// The tokens that were met; none where the tables are not those of this program.
async fn tables(
    db: &Db,
    settings: &Settings,
    findings: &mut Findings,
) -> Option<Vec<(u64, Address, String)>> {
    let server: Result<String, _> =
        sqlx::query_scalar("select split_part(version(), ' ', 2)").fetch_one(db.pool()).await;
    let whose = if settings.database_url.is_some() { "yours" } else { "our own, started for this look" };
    match server {
        Ok(version) => findings.ok(ABOUT, format!("{} on PostgreSQL {version}, {whose}", db.url())),
        Err(error) => failed(&StoreError::of("ask for its version", error), findings),
    }
    let migrated: Result<Option<(i32, String)>, _> =
        sqlx::query_as(include_str!("../../../sql/queries/schema_version.sql"))
            .fetch_optional(db.pool())
            .await;
    match migrated {
        Ok(Some((version, name))) if usize::try_from(version).is_ok_and(|version| version < NEWEST) => {
            let said = format!("at V{version:03} {name}: this program has more");
            findings.noted("tables", said, "`hedge migrate` brings them up to date, and so does `run`");
            return None;
        }
        Ok(Some((version, name))) => {
            findings.ok("tables", format!("at V{version:03} {name}"));
            if let Err(error) = logins(db.pool(), findings).await {
                failed(&error, findings);
            }
        }
        Err(error) if !no_such_table(&error) => {
            failed(&StoreError::of("read the last migration", error), findings);
        }
        Ok(None) | Err(_) => {
            findings.noted("tables", "not made yet", "`hedge migrate`, `backfill` and `run` make them");
            return None;
        }
    }
    Some(known_tokens(db.pool()).await.unwrap_or_else(|error| {
        failed(&StoreError::of("read the tokens that were met", error), findings);
        Vec::new()
    }))
}

/// How old each login is.
async fn logins(pool: &PgPool, findings: &mut Findings) -> Result<(), StoreError> {
    let mut conn = pool.acquire().await.map_err(|error| StoreError::of("open a connection", error))?;
    for login in credentials::list(&mut conn).await? {
        let (about, said) = (format!("login {}", login.venue), format!("of {:.0}", login.login_at));
        match Standing::of(login.login_at, Clock::Wall.now()) {
            Standing::Fine => findings.ok(&about, said),
            Standing::Warn => findings.noted(&about, said, "log in soon: `hedge auth schwab`"),
            Standing::Page => findings.failed(&about, said, "log in now: `hedge auth schwab`"),
            Standing::Over => {
                findings.failed(&about, format!("{said}, over"), "log in: `hedge auth schwab`");
            }
        }
    }
    Ok(())
}

async fn known_tokens(pool: &PgPool) -> Result<Vec<(u64, Address, String)>, sqlx::Error> {
    let rows: Vec<(i64, Vec<u8>, String)> =
        sqlx::query_as(include_str!("../../../sql/queries/tokens.sql")).fetch_all(pool).await?;
    let token = |(chain, address, symbol): (i64, Vec<u8>, String)| {
        Some((u64::try_from(chain).ok()?, Address::try_from(address.as_slice()).ok()?, symbol))
    };
    Ok(rows.into_iter().filter_map(token).collect())
}

pub(super) fn failed(error: &StoreError, findings: &mut Findings) {
    let Trouble { what, cause, next, .. } = Trouble::from(error);
    let said = if cause.is_empty() { what } else { format!("{what}: {cause}") };
    findings.failed(ABOUT, said.replace('\n', " "), next);
}
