//! Programs that tests need beyond cargo's, fetched once a machine.
//!
//! They lie in the target directory, under their version, and go with it. Where
//! one cannot be had, a test says so and passes; on CI it fails.

use std::{
    env::consts::{ARCH, OS},
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

const ANVIL: &str = "1.7.1";
const ALPACA_PY: &str = "0.44.0";
const REPRESENTATIONS: &str = "1.2.0";
const AIOSMTPD: &str = "1.4.6";
const DUCKDB: &str = "2.0.0";

/// A real node; `None` where it cannot be fetched, which stands on stderr.
///
/// # Panics
/// On CI, where it cannot be fetched: nothing is skipped there.
pub fn anvil() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    had(PROGRAM.get_or_init(fetched_anvil), "no real node was tested")
}

/// A Python that knows Alpaca's own SDK; `None` where it cannot be fetched, which stands on stderr.
///
/// # Panics
/// On CI, where it cannot be fetched: nothing is skipped there.
pub fn alpaca_sdk() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    had(PROGRAM.get_or_init(|| fetched_python("alpaca-py", ALPACA_PY)), "no SDK of Alpaca's was tested")
}

/// A Python that can be a mail server; `None` where it cannot be fetched, which stands on stderr.
///
/// # Panics
/// On CI, where it cannot be fetched: nothing is skipped there.
pub fn mail_server() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    had(PROGRAM.get_or_init(|| fetched_python("aiosmtpd", AIOSMTPD)), "no mail was sent")
}

/// A Python that knows `DuckDB`; `None` where it cannot be fetched, which stands on stderr.
///
/// # Panics
/// On CI, where it cannot be fetched: nothing is skipped there.
pub fn duckdb() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    had(PROGRAM.get_or_init(|| fetched_python("duckdb", DUCKDB)), "no file was read by DuckDB")
}

/// What says whether files are ones that Metabase takes; `None` where it cannot be fetched, which stands on stderr.
///
/// # Panics
/// On CI, where it cannot be fetched: nothing is skipped there.
pub fn metabase_representations() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let fetched = || {
        let room = fetched("@metabase/representations", REPRESENTATIONS)?;
        Ok(room.join("node_modules/.bin/representations"))
    };
    had(PROGRAM.get_or_init(fetched), "no dashboard was validated")
}

fn had(program: &'static Result<PathBuf, String>, skipped: &str) -> Option<&'static Path> {
    match program {
        Ok(program) => Some(program),
        Err(why) => {
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "nothing is skipped on CI: {why}");
            // Not by `eprintln!`, which a test that passes is not heard by.
            let mut stderr = std::io::stderr();
            writeln!(stderr, "SKIPPED, {skipped}: {why}").unwrap();
            None
        }
    }
}

fn fetched_anvil() -> Result<PathBuf, String> {
    let platform = match (OS, ARCH) {
        ("linux", "x86_64") => "linux-amd64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "x86_64") => "darwin-amd64",
        ("macos", "aarch64") => "darwin-arm64",
        _ => return Err(format!("there is no anvil for {OS} on {ARCH}")),
    };
    let room = fetched("@foundry-rs/anvil", ANVIL)?;
    Ok(room.join(format!("node_modules/@foundry-rs/anvil-{platform}/bin/anvil")))
}

/// A Python with a package of its index, fetching it the first time.
fn fetched_python(package: &str, version: &str) -> Result<PathBuf, String> {
    let room = kept(package, version, |room| {
        run(Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(room))?;
        let python = room.join("bin/python");
        let pip = ["-m", "pip", "--python"];
        let quiet = ["install", "--quiet", "--no-input", "--disable-pip-version-check", "--retries=1"];
        let package = format!("{package}=={version}");
        run(Command::new("python3").args(pip).arg(python).args(quiet).arg(package))
    })?;
    Ok(room.join("bin/python"))
}

/// Where a package of npm lies, fetching it the first time.
fn fetched(package: &str, version: &str) -> Result<PathBuf, String> {
    kept(package.rsplit('/').next().unwrap(), version, |room| {
        run(Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"])
            .args(["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--prefix"])
            .arg(room)
            .arg(format!("{package}@{version}")))
    })
}

/// Where a tool lies, made the first time by `make`, which is given an empty directory.
fn kept(
    name: &str,
    version: &str,
    make: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("tools");
    let room = tools.join(format!("{name}-{version}"));
    fs::create_dir_all(&tools).map_err(|error| format!("{}: {error}", tools.display()))?;
    let lock = File::create(tools.join(format!("{name}.lock"))).unwrap();
    // Other tests and other runs wait here while one fetches.
    lock.lock().unwrap();
    if room.exists() {
        return Ok(room);
    }
    let partial = tempfile::tempdir_in(&tools).unwrap();
    make(partial.path())?;
    fs::rename(partial.keep(), &room).unwrap();
    Ok(room)
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let ended = command.output().map_err(|error| format!("{program} does not start: {error}"))?;
    if ended.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    let said: Vec<&str> = said.lines().take(4).collect();
    Err(format!("{program} failed: {}", said.join("; ")))
}
