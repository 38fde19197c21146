//! Where Postgres is installed.

use std::cmp::Reverse;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::store::StoreError;

/// The oldest Postgres that hedge is tried with.
pub const OLDEST: u32 = 14;

/// What an operator installs where there is none.
const INSTALL: &str = "Debian, Ubuntu: `apt install postgresql`; Fedora: `dnf install postgresql-server`; \
    macOS: `brew install postgresql@17`; or set PG_BIN to the directory of `initdb`, \
    or DATABASE_URL to a server of yours";

/// The directory of a Postgres that can serve the cluster: of the very version that
/// made it, or of any from [`OLDEST`] on where there is none yet.
pub(super) fn find(made_by: Option<u32>) -> Result<PathBuf, StoreError> {
    let mut others = Vec::new();
    for dir in places() {
        let Some(version) = version_of(&dir) else {
            continue;
        };
        if made_by.map_or(version >= OLDEST, |made_by| version == made_by) {
            return Ok(dir);
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

/// Where Postgres is looked for, in order; where an operator says, if they say.
fn places() -> Vec<PathBuf> {
    if let Some(dir) = env::var_os("PG_BIN").filter(|dir| !dir.is_empty()) {
        return vec![dir.into()];
    }
    let mut places = Vec::new();
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
