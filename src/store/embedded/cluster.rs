//! The cluster's place on disk, and what can be told of its server from there.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Child;

use super::host::Host;
use super::programs;
use crate::store::StoreError;
use crate::store::pool::DatabaseUrl;

/// The role and the database of the cluster.
pub(super) const NAME: &str = "hedge";

const SOCKET: &str = ".s.PGSQL.5432";
/// `sun_path` holds 108 bytes on Linux and 104 on macOS, the closing zero among them.
const LONGEST_SOCKET: usize = 103;

/// The cluster of a data directory, whether it runs or not, or exists at all.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub(super) home: PathBuf,
    pub(super) sockets: PathBuf,
}

impl Cluster {
    /// The cluster of `data_dir`, which is made if it does not exist.
    ///
    /// # Errors
    ///
    /// *Stop*: the directory cannot be made.
    pub fn at(data_dir: &Path) -> Result<Self, StoreError> {
        let unusable = |error| {
            StoreError::stop(
                format!("could not use the data directory {}", data_dir.display()),
                "set HEDGE_DATA to a directory of yours",
            )
            .because(error)
        };
        if !data_dir.exists() {
            make_passage(data_dir).map_err(unusable)?;
        }
        let data_dir = fs::canonicalize(data_dir).map_err(unusable)?;
        let home = data_dir.join("postgres");
        let mut sockets = home.join("socket");
        if sockets.join(SOCKET).as_os_str().len() > LONGEST_SOCKET {
            // Named after the directory itself, so that every process finds the same.
            let dir = fs::metadata(&data_dir).map_err(unusable)?;
            sockets = format!("/tmp/hedge-{:x}-{:x}", dir.dev(), dir.ino()).into();
        }
        Ok(Self { home, sockets })
    }

    /// The directory of the cluster.
    pub fn dir(&self) -> PathBuf {
        self.home.join("cluster")
    }

    /// What the server says.
    pub fn log(&self) -> PathBuf {
        self.home.join("server.log")
    }

    /// Where the programs are kept that were fetched for it, each version by itself.
    pub fn fetched(&self) -> PathBuf {
        self.home.with_file_name("postgresql")
    }

    /// The address of its database, answered while the server runs.
    pub fn url(&self) -> DatabaseUrl {
        DatabaseUrl::of_socket(&self.sockets, NAME)
    }

    /// Stops the server whoever uses it; `false` when none was running.
    ///
    /// # Errors
    ///
    /// *Stop*: it would not stop.
    pub fn stop_for_all(&self) -> Result<bool, StoreError> {
        if self.pid_file().is_none() {
            return Ok(false);
        }
        let _stopping = self.lock_start()?;
        if self.pulse() == Pulse::None {
            return Ok(false);
        }
        self.stop(None)?;
        Ok(true)
    }

    /// Stops the server, if there is one, and buries it, if it is a `child` of ours.
    pub(super) fn stop(&self, mut child: Option<&mut Child>) -> Result<(), StoreError> {
        if self.pulse() != Pulse::None {
            Host::of(self)?.stop(self, child.as_deref_mut())?;
        }
        if let Some(child) = child {
            // One that has ended is taken off the system's list; no other is waited for.
            child.try_wait().ok();
        }
        if !self.sockets.starts_with(&self.home) {
            // Nothing is left in /tmp. Should there be something, it is not ours.
            fs::remove_dir(&self.sockets).ok();
        }
        Ok(())
    }

    /// Forgets what a dead server has written down about itself.
    pub(super) fn forget(&self) {
        // What is not there need not be removed; what cannot be, the server will name.
        fs::remove_file(self.dir().join("postmaster.pid")).ok();
        fs::remove_file(self.sockets.join(format!("{SOCKET}.lock"))).ok();
    }

    /// What can be told of the server.
    pub(super) fn pulse(&self) -> Pulse {
        let Some(file) = self.pid_file() else {
            return Pulse::None;
        };
        if UnixStream::connect(self.sockets.join(SOCKET)).is_err() {
            return Pulse::None;
        }
        // Its eighth line: https://github.com/postgres/postgres/blob/master/src/include/utils/pidfile.h
        match file.lines().nth(7).map(str::trim) {
            Some("ready") => Pulse::Ready,
            _ => Pulse::Busy,
        }
    }

    /// What the server has written down about itself.
    pub(super) fn pid_file(&self) -> Option<String> {
        fs::read_to_string(self.dir().join("postmaster.pid")).ok()
    }

    /// The directory that holds all of it.
    pub(super) fn make_home(&self) -> Result<(), StoreError> {
        if self.home.exists() {
            return Ok(());
        }
        make_passage(&self.home).map_err(|error| self.unusable("", error))
    }

    /// Held while the server is made, started or stopped.
    pub(super) fn lock_start(&self) -> Result<File, StoreError> {
        let file = self.open("start.lock")?;
        file.lock().map_err(|error| self.unusable("start.lock", error))?;
        Ok(file)
    }

    /// A file of ours beside the cluster.
    pub(super) fn open(&self, name: &str) -> Result<File, StoreError> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(self.home.join(name))
            .map_err(|error| self.unusable(name, error))
    }

    pub(super) fn unusable(&self, name: &str, error: io::Error) -> StoreError {
        StoreError::stop(
            format!("could not use {}", self.home.join(name).display()),
            "give the directory to the user that runs hedge, or set HEDGE_DATA to another",
        )
        .because(error)
    }

    /// The major version that made it.
    pub(super) fn version(&self) -> Option<u32> {
        let text = fs::read_to_string(self.dir().join("PG_VERSION")).ok()?;
        text.trim().parse().ok()
    }

    /// `psql` of the installed Postgres, or the one on the `PATH`.
    pub fn psql(&self) -> PathBuf {
        programs::find(self)
            .map(|dir| dir.join("psql"))
            .ok()
            .filter(|psql| psql.is_file())
            .unwrap_or_else(|| "psql".into())
    }
}

/// What can be told of a server from outside.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) enum Pulse {
    None,
    /// Starting, recovering or stopping.
    Busy,
    Ready,
}

/// A directory that the server's user can pass, and not look into.
pub(super) fn make_passage(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    fs::set_permissions(dir, Permissions::from_mode(0o711))
}
