//! Units: systemd takes them without a word, they may do little, they agree with `jobs/`, and
//! the program speaks with the service manager as they say.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{floor::Floor, office::PATIENCE, world::scratch};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd")
}

fn units(folder: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// `systemd-analyze`, where there is one; in CI there is.
fn analyze(arguments: &[&str]) -> Option<(String, bool)> {
    match Command::new("systemd-analyze").args(arguments).env("LC_ALL", "C").env("TZ", "UTC").output() {
        Ok(output) => {
            let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
            Some((said, output.status.success()))
        }
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "systemd-analyze: {error}");
            eprintln!("SKIPPED: there is no systemd-analyze here");
            None
        }
    }
}

/// The units in a directory in which what they start exists.
fn installed() -> tempfile::TempDir {
    let dir = scratch();
    let program = env!("CARGO_BIN_EXE_hedge");
    for (name, text) in units(&folder()) {
        let text = text.replace("/usr/local/bin/hedge", program);
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

#[tokio::test]
async fn the_units_in_the_folder_are_those_that_the_program_prints() {
    let room = scratch();
    let made = room.path().join("units");
    fs::create_dir(&made).unwrap();
    let said = Command::new(env!("CARGO_BIN_EXE_hedge"))
        .args(["job", "systemd", "--dir"])
        .arg(&made)
        .current_dir(room.path())
        .env_clear()
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let (made, kept) = (units(&made), units(&folder()));
    assert!(made.keys().eq(kept.keys()), "{:?} are not {:?}", made.keys(), kept.keys());
    for (name, text) in made {
        assert_eq!(text, kept[&name], "write it anew: hedge job systemd --dir systemd");
    }
}

#[test]
fn systemd_has_nothing_to_say_of_any_unit() {
    let dir = installed();
    for name in units(&folder()).keys() {
        // A template is looked at as one of its instances.
        let name = name.replace('@', "@pnl");
        let path = dir.path().join(&name);
        let template = dir.path().join(name.replace("@pnl", "@"));
        if !path.exists() {
            fs::copy(template, &path).unwrap();
        }
        let Some((said, verified)) = analyze(&["verify", "--man=no", path.to_str().unwrap()]) else { return };
        // What this machine has not installed is not the unit's fault.
        let ours: Vec<&str> = said.lines().filter(|line| line.contains("hedge")).collect();
        assert!(verified && ours.is_empty(), "{name}: {said}");
    }
}

#[test]
fn no_service_may_do_more_than_it_must() {
    let dir = installed();
    for name in units(&folder()).keys().filter(|name| name.ends_with(".service")) {
        let path = dir.path().join(name);
        let path = path.to_str().unwrap();
        let Some((said, passed)) =
            analyze(&["security", "--offline=yes", "--threshold=12", "--no-pager", path])
        else {
            return;
        };
        assert!(passed, "{name}: {}", said.lines().last().unwrap_or_default());
    }
}

#[test]
fn systemd_reckons_the_same_times_as_the_schedules() {
    let specs = hedge::config::jobs::specs(None).unwrap();
    for spec in specs {
        let line = spec.schedule.on_calendar();
        let base = "--base-time=2026-10-30 12:00:00 UTC";
        let Some((said, understood)) = analyze(&["calendar", "--iterations=8", base, &line]) else { return };
        assert!(understood, "{said}");
        let is_time = |head: &str| head == "Next elapse" || head.starts_with("Iter. #");
        let theirs: Vec<&str> = said
            .lines()
            .filter_map(|line| line.trim().split_once(": "))
            .filter_map(|(head, at)| is_time(head).then_some(at.trim()))
            .collect();
        let from = "2026-10-30T12:00:00Z".parse().unwrap();
        let dues = spec.schedule.dues(from, "2027-01-30T12:00:00Z".parse().unwrap());
        let ours = dues.iter().take(8).map(|due| due.at.strftime("%a %Y-%m-%d %H:%M:%S UTC").to_string());
        assert_eq!(theirs, ours.collect::<Vec<_>>(), "{line}");
    }
}

#[tokio::test]
async fn the_service_manager_hears_that_we_are_up_alive_and_ending() {
    let floor = Floor::open().await;
    let socket = floor.desk.room.path().join("notify");
    let ear = UnixDatagram::bind(&socket).unwrap();
    ear.set_read_timeout(Some(PATIENCE)).unwrap();
    let heard = move || {
        let mut told = [0; 4096];
        let length = ear.recv(&mut told).unwrap();
        String::from_utf8(told[..length].to_vec()).unwrap()
    };
    let watchdog = Duration::from_millis(800).as_micros().to_string();
    let variables = [("NOTIFY_SOCKET", socket.to_str().unwrap()), ("WATCHDOG_USEC", &watchdog)];
    let mut program = floor.desk.start_with(&["run"], &variables);
    let hear = async move |heard: Box<dyn Fn() -> String + Send>| {
        tokio::task::spawn_blocking(move || {
            let told = heard();
            (told, heard)
        })
        .await
        .unwrap()
    };
    let (told, heard) = hear(Box::new(heard)).await;
    assert_eq!(told, "READY=1\nSTATUS=reading and hedging\n", "{}", floor.desk.said());
    let (told, heard) = hear(heard).await;
    assert_eq!(told, "WATCHDOG=1\nSTATUS=reading and hedging\n");
    program.terminate();
    let mut last = hear(heard).await;
    while last.0.starts_with("WATCHDOG=1") {
        last = hear(last.1).await;
    }
    assert_eq!(last.0, "STOPPING=1\nSTATUS=ending: what was sent is waited for\n");
    assert!(program.ended().await.success());
}
