//! Who runs the server, and how it is made and started.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::cluster::{Cluster, NAME, Pulse};
use super::{DATA_DIR_OF_ROOT, programs};
use crate::store::StoreError;

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

/// Who runs the server, and with which programs.
pub(super) struct Host {
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
    pub(super) fn of(cluster: &Cluster) -> Result<Self, StoreError> {
        Ok(Self { programs: programs::find(cluster)?, user: user(cluster)? })
    }

    /// The same, fetching the programs where there are none; `start.lock` is held.
    pub(super) fn to_start(cluster: &Cluster) -> Result<Self, StoreError> {
        let user = user(cluster)?;
        Ok(Self { programs: programs::find_or_fetch(cluster)?, user })
    }

    /// Makes the cluster beside its place and moves it there when it is whole.
    pub(super) fn make(&self, cluster: &Cluster, server: &[(&str, &str)]) -> Result<(), StoreError> {
        self.can_enter(&cluster.home)?;
        let new = cluster.home.join("cluster.new");
        let unusable = |error| cluster.unusable("cluster.new", error);
        // An initdb may outlive the process that called it. Its output is the file
        // that we lock and it inherits, so whoever comes next waits until it is done.
        let log = cluster.open("init.log")?;
        log.lock().and_then(|()| log.set_len(0)).map_err(unusable)?;
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
        self.finish(init.stdout(log.try_clone().map_err(unusable)?), "")?;

        let mut script = vec![format!("create database {NAME};\n")];
        script.extend(BEGINNING.map(|(name, value)| format!("alter system set {name} = '{value}';\n")));
        let mut single = self.command("postgres");
        single.arg("--single").arg("-D").arg(&new);
        for (name, value) in server {
            single.arg("-c").arg(format!("{name}={value}"));
        }
        self.finish(single.arg("postgres").stdout(log), &script.concat())?;

        fs::rename(&new, cluster.dir()).map_err(unusable)?;
        File::open(&cluster.home).and_then(|home| home.sync_all()).map_err(unusable)
    }

    /// Starts the server, or finds that it runs already.
    pub(super) fn run(
        &self,
        cluster: &Cluster,
        server: &[(&str, &str)],
    ) -> Result<Option<Child>, StoreError> {
        if Self::wait(cluster, None)? {
            return Ok(None);
        }
        self.can_enter(&cluster.home)?;
        self.make_socket_dir(cluster)?;
        let mut child = self.spawn(cluster, server)?;
        if Self::wait(cluster, Some(&mut child))? {
            return Ok(Some(child));
        }
        // It left at once. Its pid file may speak of another server, begun by a
        // process that was killed before it could wait …
        for _ in 0..GRACE {
            if cluster.pid_file().is_none() {
                break;
            }
            if Self::wait(cluster, None)? {
                return Ok(None);
            }
            sleep(BEAT);
        }
        // … or of a dead one, whose number belongs to a stranger by now. Postgres
        // cannot tell; should we be mistaken, the shared memory of the old server
        // keeps the new one out all the same.
        cluster.forget();
        let mut child = self.spawn(cluster, server)?;
        if Self::wait(cluster, Some(&mut child))? {
            return Ok(Some(child));
        }
        Err(StoreError::stop(
            format!("the embedded Postgres did not start: {}", last_words(cluster)),
            format!("read {}", cluster.log().display()),
        ))
    }

    /// Stops the server, which ends every session, and waits until it is gone.
    pub(super) fn stop(&self, cluster: &Cluster, mut child: Option<&mut Child>) -> Result<(), StoreError> {
        let mut stop = self.command("pg_ctl");
        stop.arg("stop").arg("-D").arg(cluster.dir());
        self.finish(stop.args(["-m", "fast", "-W"]).stdout(Stdio::null()), "")?;
        for _ in 0..PATIENCE {
            let gone = match child.as_mut() {
                // A child that has ended is a number still taken, until it is asked after.
                Some(child) => !matches!(child.try_wait(), Ok(None)),
                None => cluster.pid_file().is_none() || cluster.pulse() == Pulse::None,
            };
            if gone {
                return Ok(());
            }
            sleep(BEAT);
        }
        Err(StoreError::Unavailable {
            what: format!("the embedded Postgres in {} does not stop", cluster.dir().display()),
            next: format!("read {}", cluster.log().display()),
            source: None,
        })
    }

    /// Waits while a server is on its way; `false` when there is none (any more).
    fn wait(cluster: &Cluster, mut child: Option<&mut Child>) -> Result<bool, StoreError> {
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
        // The last six bits are what the group and others may do.
        if found.is_dir() && found.uid() == cluster.uid() && found.mode().trailing_zeros() >= 6 {
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

    /// Runs a program to its end; what it complains of is the error.
    fn finish(&self, command: &mut Command, input: &str) -> Result<(), StoreError> {
        let program =
            Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let broken = |error| self.will_not_run(&program, error);
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(broken)?;
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
        Err(StoreError::stop(format!("{program} failed: {said}"), "mend what it names and start again"))
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
pub(super) fn id(what: &str, name: Option<&str>) -> Result<u32, StoreError> {
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

/// The end of the server's log, on one line.
fn last_words(cluster: &Cluster) -> String {
    let log = fs::read(cluster.log()).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let mut lines: Vec<_> = log.lines().rev().take(4).collect();
    lines.reverse();
    lines.join("; ")
}
