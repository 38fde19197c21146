//! A private Postgres in the data directory.
//!
//! ```text
//! <data_dir>/postgres/
//!     cluster/      the cluster; made as `cluster.new` and renamed when whole
//!     socket/       the socket, unless the path is too long for one
//!     server.log    what the server says
//!     start.lock    held while the server is made, started or stopped
//!     users.lock    held, shared, by every process that uses the server
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

use std::cmp::Reverse;
use std::env;
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::StoreError;
use super::pool::DatabaseUrl;

/// The oldest Postgres that hedge is tried with.
pub const OLDEST: u32 = 14;

/// The role and the database of the cluster.
const NAME: &str = "hedge";

/// `sun_path` holds 108 bytes on Linux and 104 on macOS, the closing zero among them.
const LONGEST_SOCKET: usize = 103;
const SOCKET: &str = ".s.PGSQL.5432";

/// The user that the server of root runs as has to enter this by default.
const DATA_DIR_OF_ROOT: &str = "/var/lib/hedge";

const BEAT: Duration = Duration::from_millis(10);
/// How long a server is waited for, in beats. Recovery after a crash reads at most
/// `max_wal_size`, which is minutes on the slowest disk.
const PATIENCE: u32 = 60_000;
/// How long a server that somebody else began may take until it answers, in beats.
const GRACE: u32 = 200;
const LONGEST_LOG: u64 = 16 << 20;

/// What a cluster begins with. `alter system` changes it.
///
/// For a small machine, and for one writer with few sessions: short plans that
/// compiling would only slow down, and checkpoints that a backfill does not outrun.
const BEGINNING: [(&str, &str); 5] = [
    ("shared_buffers", "128MB"),
    ("work_mem", "16MB"),
    ("max_wal_size", "2GB"),
    ("checkpoint_timeout", "15min"),
    ("jit", "off"),
];

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
    if id("-u", None)? == 0 {
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
    /// It blocks: milliseconds when the server runs, a second or two the first time.
    /// `server` are further settings of the server, should this call start it.
    ///
    /// # Errors
    ///
    /// *Stop*: no Postgres is installed, the directory cannot be used, or the
    /// server will not start; the text holds the end of its log.
    pub fn start(data_dir: &Path, server: &[(&str, &str)]) -> Result<Self, StoreError> {
        let cluster = Cluster::at(data_dir)?;
        cluster.make_home()?;
        let _starting = cluster.lock_start()?;
        let users = cluster.open("users.lock")?;
        users.lock_shared().map_err(|error| cluster.unusable("users.lock", error))?;
        let host = Host::of(&cluster)?;
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
        self.cluster.stop()?;
        if let Some(child) = &mut self.child {
            child
                .wait()
                .map_err(|error| StoreError::stop("could not wait for the server", "").because(error))?;
        }
        Ok(())
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Err(error) = self.leave() {
            tracing::warn!(%error, "the embedded Postgres was left running");
        }
    }
}

/// The cluster of a data directory, whether it runs or not, or exists at all.
#[derive(Debug, Clone)]
pub struct Cluster {
    home: PathBuf,
    sockets: PathBuf,
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
        self.stop()?;
        Ok(true)
    }

    fn stop(&self) -> Result<(), StoreError> {
        if self.pulse() == Pulse::None {
            return Ok(());
        }
        let host = Host::of(self)?;
        let mut stop = host.command("pg_ctl");
        stop.arg("stop").arg("-D").arg(self.dir());
        host.finish(stop.args(["-m", "fast", "-w", "-t", "60"]))
    }

    fn pulse(&self) -> Pulse {
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

    fn pid_file(&self) -> Option<String> {
        fs::read_to_string(self.dir().join("postmaster.pid")).ok()
    }

    fn make_home(&self) -> Result<(), StoreError> {
        if self.home.exists() {
            return Ok(());
        }
        make_passage(&self.home).map_err(|error| self.unusable("", error))
    }

    /// Held while the server is made, started or stopped.
    fn lock_start(&self) -> Result<File, StoreError> {
        let file = self.open("start.lock")?;
        file.lock().map_err(|error| self.unusable("start.lock", error))?;
        Ok(file)
    }

    fn open(&self, name: &str) -> Result<File, StoreError> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(self.home.join(name))
            .map_err(|error| self.unusable(name, error))
    }

    fn unusable(&self, name: &str, error: io::Error) -> StoreError {
        StoreError::stop(
            format!("could not use {}", self.home.join(name).display()),
            "give the directory to the user that runs hedge, or set HEDGE_DATA to another",
        )
        .because(error)
    }
}

/// A directory that the server's user can pass, and not look into.
fn make_passage(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    fs::set_permissions(dir, Permissions::from_mode(0o711))
}

/// What can be told of a server from outside.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Pulse {
    None,
    /// Starting, recovering or stopping.
    Busy,
    Ready,
}

/// Who runs the server, and with which programs.
struct Host {
    programs: PathBuf,
    /// Somebody else than ourselves: we are root.
    user: Option<User>,
}

/// A user of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
struct User {
    uid: u32,
    gid: u32,
    name: String,
}

impl Host {
    fn of(cluster: &Cluster) -> Result<Self, StoreError> {
        Ok(Self { programs: programs(cluster.version())?, user: user(cluster)? })
    }

    /// Makes the cluster beside its place and moves it there when it is whole.
    fn make(&self, cluster: &Cluster, server: &[(&str, &str)]) -> Result<(), StoreError> {
        self.can_enter(&cluster.home)?;
        let new = cluster.home.join("cluster.new");
        let unusable = |error| cluster.unusable("cluster.new", error);
        if new.exists() {
            tracing::info!("a half-made cluster was found and is thrown away");
            fs::remove_dir_all(&new).map_err(unusable)?;
        }
        self.make_dir(&new).map_err(unusable)?;

        let mut init = self.command("initdb");
        init.arg("-D").arg(&new);
        init.args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--data-checksums"]);
        init.args(["-U", NAME]);
        if server.contains(&("fsync", "off")) {
            init.arg("--no-sync");
        }
        self.finish(&mut init)?;

        let mut script = format!("create database {NAME};\n");
        for (name, value) in BEGINNING {
            script.push_str(&format!("alter system set {name} = '{value}';\n"));
        }
        let mut single = self.command("postgres");
        single.arg("--single").arg("-D").arg(&new);
        for (name, value) in server {
            single.arg("-c").arg(format!("{name}={value}"));
        }
        self.finish_with(single.arg("postgres"), &script)?;

        fs::rename(&new, cluster.dir()).map_err(unusable)?;
        File::open(&cluster.home).and_then(|home| home.sync_all()).map_err(unusable)
    }

    /// Starts the server, or finds that it runs already.
    fn run(&self, cluster: &Cluster, server: &[(&str, &str)]) -> Result<Option<Child>, StoreError> {
        if self.wait(cluster, None)? {
            return Ok(None);
        }
        self.can_enter(&cluster.home)?;
        self.make_socket_dir(cluster)?;
        let mut child = self.spawn(cluster, server)?;
        if self.wait(cluster, Some(&mut child))? {
            return Ok(Some(child));
        }
        // It left at once. Its pid file may speak of another server, begun by a
        // process that was killed before it could wait …
        for _ in 0..GRACE {
            if cluster.pid_file().is_none() {
                break;
            }
            if self.wait(cluster, None)? {
                return Ok(None);
            }
            sleep(BEAT);
        }
        // … or of a dead one, whose number belongs to a stranger by now. Postgres
        // cannot tell; should it be mistaken the other way, the shared memory of the
        // old server keeps the new one out all the same.
        let _ = fs::remove_file(cluster.dir().join("postmaster.pid"));
        let mut child = self.spawn(cluster, server)?;
        if self.wait(cluster, Some(&mut child))? {
            return Ok(Some(child));
        }
        Err(StoreError::stop(
            format!("the embedded Postgres did not start: {}", last_words(cluster)),
            format!("read {}", cluster.log().display()),
        ))
    }

    /// Waits while a server is on its way; `false` when there is none (any more).
    fn wait(&self, cluster: &Cluster, mut child: Option<&mut Child>) -> Result<bool, StoreError> {
        for beat in 0..PATIENCE {
            match cluster.pulse() {
                Pulse::Ready => return Ok(true),
                Pulse::Busy => {}
                Pulse::None => match child.as_mut().map(|child| child.try_wait()) {
                    Some(Ok(None)) => {}
                    None | Some(Ok(Some(_)) | Err(_)) => return Ok(false),
                },
            }
            if beat == GRACE {
                tracing::info!(log = %cluster.log().display(), "waiting for the embedded Postgres");
            }
            sleep(BEAT);
        }
        Err(StoreError::Unavailable {
            what: format!("the embedded Postgres in {} does not get ready", cluster.dir().display()),
            next: format!("read {}", cluster.log().display()),
            source: None,
        })
    }

    fn spawn(&self, cluster: &Cluster, server: &[(&str, &str)]) -> Result<Child, StoreError> {
        let path = cluster.log();
        if fs::metadata(&path).is_ok_and(|log| log.len() > LONGEST_LOG) {
            let _ = fs::rename(&path, path.with_extension("log.old"));
        }
        let log = cluster.open("server.log")?;
        let both = log.try_clone().map_err(|error| cluster.unusable("server.log", error))?;
        let sockets = cluster.sockets.to_string_lossy();
        let ours = [
            ("listen_addresses", ""),
            ("unix_socket_directories", &*sockets),
            ("unix_socket_permissions", "0700"),
            ("port", "5432"),
            ("max_connections", "100"),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            ("log_checkpoints", "off"),
            ("log_line_prefix", "%m [%p] %q%a "),
            ("logging_collector", "off"),
        ];
        let mut postgres = self.command("postgres");
        postgres.arg("-D").arg(cluster.dir());
        for (name, value) in ours.iter().chain(server) {
            postgres.arg("-c").arg(format!("{name}={value}"));
        }
        postgres
            .process_group(0) // Ctrl-C in our terminal is not for the server
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(both)
            .spawn()
            .map_err(|error| self.will_not_run("postgres", error))
    }

    fn make_socket_dir(&self, cluster: &Cluster) -> Result<(), StoreError> {
        let dir = &cluster.sockets;
        let unusable = |error| {
            StoreError::stop(
                format!("could not use {} for the socket", dir.display()),
                "remove it, or set HEDGE_DATA to a directory with a shorter path",
            )
            .because(error)
        };
        match self.make_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map_err(unusable),
        }
        // In /tmp anybody could have made it before us.
        let found = fs::symlink_metadata(dir).map_err(unusable)?;
        let cluster = fs::metadata(cluster.dir()).map_err(unusable)?;
        if found.is_dir() && found.uid() == cluster.uid() && found.mode() & 0o077 == 0 {
            return Ok(());
        }
        Err(unusable(io::Error::other("it is not a directory of the server's user alone")))
    }

    /// A directory of the server's user alone.
    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        fs::DirBuilder::new().mode(0o700).create(dir)?;
        match &self.user {
            Some(user) => chown(dir, Some(user.uid), Some(user.gid)),
            None => Ok(()),
        }
    }

    /// Whether the server's user gets down to `dir`; access lists are not looked at.
    fn can_enter(&self, dir: &Path) -> Result<(), StoreError> {
        let Some(user) = &self.user else {
            return Ok(());
        };
        for above in dir.ancestors() {
            let Ok(found) = fs::metadata(above) else {
                continue;
            };
            let needed = if found.uid() == user.uid {
                0o100
            } else if found.gid() == user.gid {
                0o010
            } else {
                0o001
            };
            if found.mode() & needed == 0 {
                return Err(StoreError::stop(
                    format!(
                        "the user `{}` cannot enter {}, and Postgres does not run as root",
                        user.name,
                        above.display()
                    ),
                    format!(
                        "set HEDGE_DATA to a directory outside, such as {DATA_DIR_OF_ROOT}, \
                         or `chmod o+x {}`",
                        above.display()
                    ),
                ));
            }
        }
        Ok(())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        // The server's user need not be able to enter where we are.
        command.current_dir("/").env("LC_ALL", "C");
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        if let Some(user) = &self.user {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }

    fn finish(&self, command: &mut Command) -> Result<(), StoreError> {
        self.finish_with(command, "")
    }

    /// Runs a program to its end; what it complains of is the error.
    fn finish_with(&self, command: &mut Command, input: &str) -> Result<(), StoreError> {
        let program =
            Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let broken = |error| self.will_not_run(&program, error);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(broken)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that will not read says why on its own.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().map_err(broken)?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().filter(|line| !line.trim().is_empty());
        let said = said.collect::<Vec<_>>().join("; ");
        Err(StoreError::stop(
            format!("{program} failed: {said}"),
            "mend what it names and start again; nothing half-done is kept",
        ))
    }

    fn will_not_run(&self, program: &str, error: io::Error) -> StoreError {
        StoreError::stop(
            format!("could not run {}", self.programs.join(program).display()),
            "set PG_BIN to the directory of a working Postgres",
        )
        .because(error)
    }
}

/// Who the server runs as, where that is not ourselves.
fn user(cluster: &Cluster) -> Result<Option<User>, StoreError> {
    let us = id("-u", None)?;
    let owner = fs::metadata(cluster.dir()).ok();
    if us != 0 {
        return match owner {
            Some(owner) if owner.uid() != us => Err(StoreError::stop(
                format!("the cluster in {} belongs to another user", cluster.dir().display()),
                "run hedge as that user or as root, or set HEDGE_DATA to a directory of yours",
            )),
            _ => Ok(None),
        };
    }
    if let Some(owner) = owner {
        return Ok(Some(User { uid: owner.uid(), gid: owner.gid(), name: owner.uid().to_string() }));
    }
    for name in ["postgres", "nobody"] {
        if let (Ok(uid), Ok(gid)) = (id("-u", Some(name)), id("-g", Some(name))) {
            return Ok(Some(User { uid, gid, name: name.to_owned() }));
        }
    }
    Err(StoreError::stop(
        "Postgres does not run as root, and there is neither a user `postgres` nor `nobody`",
        "make one: `useradd --system postgres`",
    ))
}

/// What `id` says: the standard library does not ask the kernel who we are.
fn id(what: &str, name: Option<&str>) -> Result<u32, StoreError> {
    let unknown = || StoreError::stop("could not ask `id` for a user's number", "install `id`");
    let output = Command::new("id")
        .arg(what)
        .args(name)
        .stderr(Stdio::null())
        .output()
        .map_err(|error| unknown().because(error))?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.trim().parse().map_err(|_| unknown())
}

/// The directory of a Postgres that can serve the cluster: the very version that
/// made it, or any from [`OLDEST`] on where there is none yet.
fn programs(made_by: Option<u32>) -> Result<PathBuf, StoreError> {
    let mut found = Vec::new();
    for dir in places() {
        let Some(version) = version_of(&dir) else {
            continue;
        };
        if made_by.map_or(version >= OLDEST, |made_by| version == made_by) {
            return Ok(dir);
        }
        found.push(format!("{version} in {}", dir.display()));
    }
    let found = match found.is_empty() {
        true => "none was found".to_owned(),
        false => format!("found: {}", found.join(", ")),
    };
    let install = "Debian, Ubuntu: `apt install postgresql`; Fedora: `dnf install postgresql-server`; \
                   macOS: `brew install postgresql@17`; or set PG_BIN to the directory of `initdb`; \
                   or DATABASE_URL to a server of yours";
    Err(match made_by {
        None => StoreError::stop(
            format!("hedge needs PostgreSQL {OLDEST} or later to run its own, and {found}"),
            install,
        ),
        Some(made_by) => StoreError::stop(
            format!("the cluster was made by PostgreSQL {made_by}, and {found}"),
            format!("install PostgreSQL {made_by} beside it, or set PG_BIN to its directory"),
        ),
    })
}

/// Where Postgres is looked for, in order.
fn places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    if let Some(dir) = env::var_os("PG_BIN") {
        places.push(dir.into());
    }
    if let Some(path) = env::var_os("PATH") {
        places.extend(env::split_paths(&path));
    }
    for (above, begins, below) in [
        ("/usr/lib/postgresql", "", "bin"),         // Debian
        ("/usr", "pgsql-", "bin"),                  // the project's own packages
        ("/opt/homebrew/opt", "postgresql", "bin"), // Homebrew on Apple silicon
        ("/usr/local/opt", "postgresql", "bin"),    // Homebrew on Intel
        ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ] {
        let Ok(entries) = fs::read_dir(above) else {
            continue;
        };
        let mut dirs: Vec<_> = entries
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(begins))
            .map(|entry| entry.path().join(below))
            .collect();
        dirs.sort_by_key(|dir| Reverse(number_in(dir)));
        places.extend(dirs);
    }
    places
}

/// The first number in a path, which is the version where these are kept; else zero.
fn number_in(dir: &Path) -> u32 {
    let path = dir.to_string_lossy();
    let mut numbers = path.split(|c: char| !c.is_ascii_digit());
    numbers.find_map(|digits| digits.parse().ok()).unwrap_or(0)
}

/// The major version of the Postgres in `dir`, if all that is needed is there.
fn version_of(dir: &Path) -> Option<u32> {
    if !["initdb", "postgres", "pg_ctl"].iter().all(|program| dir.join(program).is_file()) {
        return None;
    }
    let output = Command::new(dir.join("postgres")).arg("--version").output().ok()?;
    major(&String::from_utf8_lossy(&output.stdout))
}

/// `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)` is 15; a beta is its version.
fn major(said: &str) -> Option<u32> {
    let version = said.split_whitespace().nth(2)?;
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

impl Cluster {
    /// The major version that made it.
    fn version(&self) -> Option<u32> {
        let text = fs::read_to_string(self.dir().join("PG_VERSION")).ok()?;
        text.trim().parse().ok()
    }

    /// `psql` of the installed Postgres, or the one on the `PATH`.
    pub fn psql(&self) -> PathBuf {
        programs(self.version())
            .map(|dir| dir.join("psql"))
            .ok()
            .filter(|psql| psql.is_file())
            .unwrap_or_else(|| "psql".into())
    }
}

/// The end of the server's log, on one line.
fn last_words(cluster: &Cluster) -> String {
    let log = fs::read(cluster.log()).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let mut lines: Vec<_> = log.lines().rev().take(4).collect();
    lines.reverse();
    lines.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_what_postgres_says() {
        assert_eq!(major("postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("bash: postgres: not found"), None);
    }

    #[test]
    fn the_newest_of_a_directory_comes_first() {
        let number = |dir| number_in(Path::new(dir));
        assert!(number("/usr/lib/postgresql/17/bin") > number("/usr/lib/postgresql/9.6/bin"));
        assert_eq!(number("/opt/homebrew/opt/postgresql@16/bin"), 16);
        assert_eq!(number("/opt/homebrew/opt/postgresql/bin"), 0);
    }
}
