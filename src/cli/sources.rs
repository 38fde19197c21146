//! What the commands that read chains have in common: the books opened, the
//! sources of the configuration found in them, and an end when the process is told to.

use std::{sync::Arc, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use super::{Desk, Exit, Trouble, preflight};
use crate::{
    config::Config,
    engine::{
        Stop,
        reading::{self, Opened, Reading},
    },
    store::{Db, StoreError},
    time::Clock,
};

/// Sources, ready to be read.
pub struct Sources {
    /// The books.
    pub db: Db,
    /// What time it is.
    pub clock: Clock,
    config: Config,
    opened: Vec<Opened>,
}

impl Sources {
    /// Opens the books, brings them up to date, and finds every source in them.
    ///
    /// # Errors
    /// The configuration, or the database.
    pub async fn open(desk: &Desk) -> anyhow::Result<Self> {
        let config = desk.config()?;
        let db = Db::open(&desk.store()?).await?;
        db.migrate().await?;
        Self::of(config, db).await
    }

    /// Finds every source of a configuration in books that are open.
    ///
    /// # Errors
    /// The database, or a source that is another contract there.
    pub async fn of(config: Config, db: Db) -> anyhow::Result<Self> {
        let clock = Clock::Wall;
        let opened =
            reading::open(&config.chains, &config.sources, &config.directory, db.pool(), &clock).await?;
        Ok(Self { db, clock, config, opened })
    }

    /// All of them, or the one that is named.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn named(&self, name: Option<&str>) -> Result<Vec<&Opened>, Trouble> {
        let Some(name) = name else { return Ok(self.opened.iter().collect()) };
        let found: Vec<&Opened> =
            self.opened.iter().filter(|opened| opened.reading.source.name == name).collect();
        if found.is_empty() {
            let names: Vec<&str> =
                self.opened.iter().map(|opened| opened.reading.source.name.as_str()).collect();
            return Err(Trouble {
                what: format!("there is no source `{name}`"),
                cause: format!("the configuration has {}", names.join(", ")),
                state: "nothing was done".to_owned(),
                next: "name one of these".to_owned(),
                exit: Exit::Usage,
            });
        }
        Ok(found)
    }

    /// The same, where the books are what the configuration says.
    ///
    /// # Errors
    /// The books have a source for other owners, or from a later block.
    pub fn ready(&self, name: Option<&str>) -> Result<Vec<Arc<Reading>>, Trouble> {
        self.named(name)?.into_iter().map(agreed).collect()
    }

    /// Looks whether what these sources name is there.
    ///
    /// # Errors
    /// Everything that is wrong; or the database.
    pub async fn look(&self, readings: &[Arc<Reading>]) -> anyhow::Result<()> {
        let file = self
            .config
            .file
            .as_ref()
            .map_or_else(|| "environment".to_owned(), |file| file.display().to_string());
        preflight::look(&file, readings).await
    }

    /// What the operator decided.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// How often the head of a source's chain is looked at.
    pub fn poll(&self, reading: &Reading) -> Duration {
        let chain = self.config.chains.iter().find(|chain| chain.id == reading.source.chain);
        Duration::from_millis(chain.map_or(2_000, |chain| chain.poll_ms))
    }

    /// Answers asked for at the same time in history.
    pub fn concurrency(&self, reading: &Reading) -> usize {
        let chain = self.config.chains.iter().find(|chain| chain.id == reading.source.chain);
        chain.map_or(1, |chain| chain.concurrency)
    }
}

/// The source, where the books are what the configuration says.
///
/// # Errors
/// The books have it for other owners, or from a later block.
pub fn agreed(opened: &Opened) -> Result<Arc<Reading>, Trouble> {
    let source = &opened.reading.source;
    let differs = |cause: String, next: String| Trouble {
        what: format!("the books do not have all of `{}`", source.name),
        cause,
        state: "nothing was read; what is written stands".to_owned(),
        next,
        exit: Exit::Usage,
    };
    if opened.other_owners {
        let next = format!(
            "read it again for the owners of now: hedge rewind --source {} --to {} --reason \"other owners\"",
            source.name,
            source.from_block.saturating_sub(1)
        );
        return Err(differs("they were read for other owners than the configuration has".to_owned(), next));
    }
    if let Some(wanted) = opened.begins_late {
        let cause =
            format!("they begin at block {}, the configuration wants it from {wanted}", source.from_block);
        return Err(differs(
            cause,
            format!("read what is missing: hedge backfill --source {} --from {wanted}", source.name),
        ));
    }
    Ok(Arc::clone(&opened.reading))
}

/// Becomes true when the process is told to end: the commit in hand is finished, then it does.
///
/// # Errors
/// Signals cannot be listened to.
pub fn until_told() -> Result<Stop, StoreError> {
    let listen = |kind| {
        signal(kind).map_err(|error| StoreError::Stop {
            what: "could not listen to signals".to_owned(),
            next: "report it".to_owned(),
            source: Some(error.into()),
        })
    };
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let (tell, stop) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to end: finishing what is in hand");
        // Nobody listening any more is an end as well.
        let _ = tell.send(true);
        std::future::pending::<()>().await;
    });
    Ok(stop)
}
