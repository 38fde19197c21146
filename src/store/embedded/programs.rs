//! Where Postgres is: installed, or fetched where it is not.

use std::cmp::Reverse;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cluster::Cluster;
use super::fetch;
use crate::store::StoreError;

/// The oldest Postgres that hedge is tried with.
pub const OLDEST: u32 = 14;

/// What an operator installs where there is none.
const INSTALL: &str = "Debian, Ubuntu: `apt install postgresql`; Fedora: `dnf install postgresql-server`; \
    macOS: `brew install postgresql@17`; or set PG_BIN to the directory of `initdb`, \
    or DATABASE_URL to a server of yours";

/// The directory of a Postgres that can serve the cluster: of the very version that
/// made it, or of any from [`OLDEST`] on where there is none yet.
pub(super) fn find(cluster: &Cluster) -> Result<PathBuf, StoreError> {
    seek(&places(&cluster.fetched()), cluster.version())
}

/// The same, fetched should there be none and the operator have named no place.
pub(super) fn find_or_fetch(cluster: &Cluster) -> Result<PathBuf, StoreError> {
    if named().is_some() {
        return find(cluster);
    }
    let fetched = cluster.fetched();
    seek_or_fetch(&places(&fetched), cluster.version(), &fetched, fetch::DOOR)
}

fn seek_or_fetch(
    places: &[PathBuf],
    made_by: Option<u32>,
    fetched: &Path,
    door: &str,
) -> Result<PathBuf, StoreError> {
    let missing = match seek(places, made_by) {
        Err(missing) if made_by.is_none_or(|made_by| made_by == fetch::MAJOR) => missing,
        sought => return sought,
    };
    fetch::fetch(fetched, door).map_err(|why| missing.because(why))
}

fn seek(places: &[PathBuf], made_by: Option<u32>) -> Result<PathBuf, StoreError> {
    let mut others = Vec::new();
    for dir in places {
        let Some(version) = version_of(dir) else {
            continue;
        };
        if made_by.map_or(version >= OLDEST, |made_by| version == made_by) {
            return Ok(dir.clone());
        }
        others.push(format!("{version} in {}", dir.display()));
    }
    let found = if others.is_empty() {
        "none was found".to_owned()
    } else {
        format!("found was {}", others.join(", "))
    };
    Err(match made_by {
        None => StoreError::stop(
            format!("hedge needs PostgreSQL {OLDEST} or later to run one of its own, and {found}"),
            INSTALL,
        ),
        Some(made_by) => StoreError::stop(
            format!("the cluster was made by PostgreSQL {made_by}, and {found}"),
            format!("install PostgreSQL {made_by} beside it, or set PG_BIN to its directory"),
        ),
    })
}

/// Where an operator says it is, if they say.
fn named() -> Option<PathBuf> {
    env::var_os("PG_BIN").filter(|dir| !dir.is_empty()).map(PathBuf::from)
}

/// Where Postgres is looked for, in order; only where an operator says, if they say.
fn places(fetched: &Path) -> Vec<PathBuf> {
    if let Some(dir) = named() {
        return vec![dir];
    }
    let mut places = Vec::new();
    if let Some(path) = env::var_os("PATH") {
        places.extend(env::split_paths(&path));
    }
    for (above, begins, below) in [
        (Path::new("/usr/lib/postgresql"), "", "bin"),         // Debian
        (Path::new("/usr"), "pgsql-", "bin"),                  // the project's own packages
        (Path::new("/opt/homebrew/opt"), "postgresql", "bin"), // Homebrew on Apple silicon
        (Path::new("/usr/local/opt"), "postgresql", "bin"),    // Homebrew on Intel
        (Path::new("/Applications/Postgres.app/Contents/Versions"), "", "bin"),
        (fetched, "", "bin"), // what we have fetched ourselves
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
pub(super) fn major(said: &str) -> Option<u32> {
    let version = said.split_whitespace().nth(2)?;
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::iter;
    use std::net::TcpListener;
    use std::time::{Duration, Instant};

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

    #[test]
    fn without_postgres_and_without_a_network_it_is_said_what_to_install_and_why_at_once() {
        // Given a machine without Postgres, and nobody where one is fetched from
        let room = tempfile::tempdir().unwrap();
        let fetched = room.path().join("postgresql");
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        // When one is needed
        let began = Instant::now();
        let error = seek_or_fetch(&[], None, &fetched, &format!("http://{closed}/")).unwrap_err();
        // Then a person reads all of it without having waited
        assert!(began.elapsed() < Duration::from_secs(5));
        assert_eq!(
            error.to_string(),
            "hedge needs PostgreSQL 14 or later to run one of its own, and none was found"
        );
        assert_eq!(error.next(), INSTALL);
        let causes = iter::successors(error.source(), |&error| error.source());
        let causes = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        assert!(causes.contains(" could not be fetched from github.com: "), "{causes}");
        assert!(causes.contains("Connection refused"), "{causes}");
        // And nothing is left behind
        assert_eq!(fs::read_dir(room.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_cluster_of_another_version_is_no_reason_to_fetch() {
        let nowhere = Path::new("/nonexistent");
        let error = seek_or_fetch(&[], Some(fetch::MAJOR - 1), nowhere, "http://127.0.0.1:1/").unwrap_err();
        assert!(error.source().is_none());
        assert!(error.next().starts_with("install PostgreSQL 17 beside it"));
    }
}
