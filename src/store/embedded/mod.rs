//! A private Postgres in the data directory.
//!
//! ```text
//! <data_dir>/postgres/
//!     cluster/      the cluster; made as `cluster.new` and renamed when whole
//!     socket/       the socket, unless the path is too long for one
//!     server.log    what the server says
//!     init.log      what initdb said, held by it while it runs
//!     start.lock    held while the server is made, started or stopped
//!     users.lock    held, shared, by every process that uses the server
//! <data_dir>/postgresql/
//!     18.6.0/       the programs, where none were installed and these were fetched
//! ```
//!
//! What is always true here:
//!
//! - A `cluster` that exists is complete, whenever the process that made it was killed.
//! - One server runs however many processes use it, and **the last one out stops
//!   it**. The kernel drops the lock of a process that is killed; the server it
//!   may leave behind is adopted by the next start and stopped by `hedge db stop`.
//! - Nobody else gets in. The server listens on no network; its socket lies in a
//!   directory of mode 0700 owned by the user it runs as, so that user and root
//!   reach it and no other, which is why it asks for no password (`trust`).
//! - Postgres refuses to run as root. Started by root it runs as `postgres`, or as
//!   `nobody` where there is no such user, and only `cluster` and `socket` are theirs.
//!
//! Deliberately absent: upgrades between major versions (the cluster's own version
//! is looked for among the installed ones), and any tuning that an operator could
//! not undo with `alter system`.

mod cluster;
mod fetch;
mod host;
mod programs;

use std::env;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Child;

pub use cluster::Cluster;
use host::Host;
pub use programs::OLDEST;

use super::StoreError;
use super::pool::DatabaseUrl;

/// What the user that root's server runs as can enter, on every machine.
const DATA_DIR_OF_ROOT: &str = "/var/lib/hedge";

/// A running server, used by this process among others.
///
/// Dropping it leaves the server to the others, or stops it.
#[derive(Debug)]
pub struct Embedded {
    cluster: Cluster,
    users: File,
    /// The server, where it is ours to bury.
    child: Option<Child>,
}

impl Embedded {
    /// Makes, starts or adopts the cluster in `data_dir` and waits until it answers.
    ///
    /// It blocks: milliseconds when the server runs, a second or two the first time,
    /// up to two minutes should Postgres have to be fetched.
    /// `server` are further settings of the server, should this call start it.
    ///
    /// # Errors
    ///
    /// *Stop*: no Postgres is installed and none can be fetched, the directory cannot
    /// be used, or the server will not start; the text holds the end of its log.
    pub fn start(data_dir: &Path, server: &[(&str, &str)]) -> Result<Self, StoreError> {
        let cluster = Cluster::at(data_dir)?;
        cluster.make_home()?;
        let _starting = cluster.lock_start()?;
        let users = cluster.open("users.lock")?;
        users.lock_shared().map_err(|error| cluster.unusable("users.lock", error))?;
        let host = Host::to_start(&cluster)?;
        if !cluster.dir().exists() {
            host.make(&cluster, server)?;
        }
        let child = host.run(&cluster, server)?;
        Ok(Self { cluster, users, child })
    }

    /// The address of its database, as sqlx and psql take it.
    pub fn url(&self) -> DatabaseUrl {
        self.cluster.url()
    }

    /// The process of the server.
    pub fn pid(&self) -> Option<u32> {
        self.cluster.pid_file()?.lines().next()?.parse().ok()
    }

    /// Stops the server unless another process uses it.
    fn leave(&mut self) -> Result<(), StoreError> {
        let _stopping = self.cluster.lock_start()?;
        let unusable = |error| self.cluster.unusable("users.lock", error);
        self.users.unlock().map_err(unusable)?;
        match self.users.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        self.cluster.stop(self.child.as_mut())
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Err(error) = self.leave() {
            tracing::warn!(%error, "the embedded Postgres was left running");
        }
    }
}

/// The directory that is used when none is named.
///
/// `$HEDGE_DATA`; for root `/var/lib/hedge`; else `$XDG_DATA_HOME/hedge` or
/// `~/.local/share/hedge`.
///
/// # Errors
///
/// *Stop*: there is neither a home nor a name.
pub fn default_data_dir() -> Result<PathBuf, StoreError> {
    let named = |name| env::var_os(name).filter(|value| !value.is_empty());
    if let Some(dir) = named("HEDGE_DATA") {
        return Ok(dir.into());
    }
    if host::id("-u", None)? == 0 {
        return Ok(DATA_DIR_OF_ROOT.into());
    }
    if let Some(dir) = named("XDG_DATA_HOME") {
        return Ok(PathBuf::from(dir).join("hedge"));
    }
    if let Some(home) = named("HOME") {
        return Ok(PathBuf::from(home).join(".local/share/hedge"));
    }
    Err(StoreError::stop(
        "there is no place for the books: neither HEDGE_DATA nor HOME is set",
        "set HEDGE_DATA to a directory",
    ))
}
