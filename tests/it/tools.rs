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

/// A real node; `None` where it cannot be fetched, which stands on stderr.
///
/// # Panics
/// On CI, where it cannot be fetched: nothing is skipped there.
pub fn anvil() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match PROGRAM.get_or_init(fetched_anvil) {
        Ok(program) => Some(program),
        Err(why) => {
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "nothing is skipped on CI: {why}");
            // Not by `eprintln!`, which a test that passes is not heard by.
            let mut stderr = std::io::stderr();
            writeln!(stderr, "SKIPPED, no real node was tested: {why}").unwrap();
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

/// Where a package of npm lies, fetching it the first time.
fn fetched(package: &str, version: &str) -> Result<PathBuf, String> {
    let name = package.rsplit('/').next().unwrap();
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
    let npm = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"])
        .args(["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--prefix"])
        .arg(partial.path())
        .arg(format!("{package}@{version}"))
        .output()
        .map_err(|error| format!("npm does not start: {error}"))?;
    if !npm.status.success() {
        let said = String::from_utf8_lossy(&npm.stderr);
        let said: Vec<&str> = said.lines().take(4).collect();
        return Err(format!("npm did not fetch {package}@{version}: {}", said.join("; ")));
    }
    fs::rename(partial.keep(), &room).unwrap();
    Ok(room)
}
