//! The database door: the embedded cluster, the address, the migrations.

use std::error::Error;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use clap::Parser;
use hedge::cli;
use hedge::store::embedded::Cluster;
use hedge::store::{Db, Embedded, Migrated, Settings, StoreError};
use insta::{assert_snapshot, with_settings};
use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;

use crate::world::{FLEETING, World, open, scratch};

// The embedded cluster.

#[test]
fn the_embedded_postgres_begins_in_an_empty_directory_and_leaves_nothing_running() {
    // Given an empty directory
    let dir = scratch();
    // When hedge's own Postgres is started there
    let embedded = start(&dir);
    let pid = embedded.pid().unwrap();
    // Then nobody but its user and root reaches it
    let home = dir.path().join("postgres");
    for private in ["cluster", "socket"] {
        assert_eq!(fs::metadata(home.join(private)).unwrap().mode() & 0o777, 0o700);
    }
    assert_ne!(fs::metadata(home.join("cluster")).unwrap().uid(), 0, "Postgres never runs as root");
    // And when it is dropped, it is gone
    drop(embedded);
    assert!(!is_alive(pid));
}

#[test]
fn an_ordinary_user_can_do_the_same() {
    if !are_root() {
        return; // the test before this one was run by an ordinary user already
    }
    // Given a directory of `nobody`, who can reach a copy of these tests
    let dir = scratch();
    chown(dir.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let copy = dir.path().join("it");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    // When they run that test, then it passes for them too
    let status = Command::new(copy)
        .args([
            "--exact",
            "store::the_embedded_postgres_begins_in_an_empty_directory_and_leaves_nothing_running",
        ])
        .uid(NOBODY)
        .gid(NOBODY)
        .current_dir("/")
        .env_remove("HOME")
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

#[tokio::test]
async fn whoever_comes_second_shares_the_server_and_the_last_one_stops_it() {
    // Given two users of one directory
    let dir = scratch();
    let first = start(&dir);
    let second = start(&dir);
    let pid = first.pid().unwrap();
    assert_eq!(second.pid(), Some(pid));
    // When the one who started the server leaves
    drop(first);
    // Then it goes on serving the other
    assert!(is_alive(pid));
    assert_eq!(ask(&second).await, 42);
    // And goes with them
    drop(second);
    assert!(Cluster::at(dir.path()).unwrap().stop_for_all().is_ok_and(|stopped| !stopped));
}

#[tokio::test]
async fn two_processes_that_start_at_once_make_one_cluster() {
    // Given an empty directory
    let dir = scratch();
    // When a process and this one start there at once
    let mut other = another_process(&dir);
    let embedded = start(&dir);
    other.wait_until_ready();
    // Then both use the same server
    assert_eq!(ask(&embedded).await, 42);
    drop(embedded);
    other.leave();
    assert!(!Cluster::at(dir.path()).unwrap().stop_for_all().unwrap());
}

#[tokio::test]
async fn the_server_of_a_killed_process_is_adopted_and_then_stopped() {
    // Given a process that used the server and was killed
    let dir = scratch();
    let mut other = another_process(&dir);
    other.wait_until_ready();
    other.kill();
    // When the next one starts
    let embedded = start(&dir);
    // Then it finds the server running, and stops it in the end
    assert_eq!(ask(&embedded).await, 42);
    drop(embedded);
    assert!(!Cluster::at(dir.path()).unwrap().stop_for_all().unwrap());
}

#[tokio::test]
async fn a_process_killed_at_any_moment_of_its_start_is_in_nobodys_way() {
    for milliseconds in [0, 20, 60, 150, 300, 500, 700, 900, 1_200] {
        // Given a start that was killed after a while
        let dir = scratch();
        let mut other = another_process(&dir);
        std::thread::sleep(Duration::from_millis(milliseconds));
        other.kill();
        // When the next one starts, then it works
        let embedded = start(&dir);
        assert_eq!(ask(&embedded).await, 42, "after {milliseconds} ms");
    }
}

#[tokio::test]
async fn a_server_that_was_killed_is_started_again() {
    // Given a server with all its promises kept, a table in it, that was killed
    let dir = scratch();
    let embedded = Embedded::start(dir.path(), &[]).unwrap();
    let mut connection = connect(&embedded).await;
    connection.execute("create table kept (n int); insert into kept values (7)").await.unwrap();
    kill("-KILL", embedded.pid().unwrap());
    drop(embedded);
    // When it is started again
    let embedded = Embedded::start(dir.path(), &[]).unwrap();
    // Then the table is there
    let mut connection = connect(&embedded).await;
    let n: i32 = sqlx::query_scalar("select n from kept").fetch_one(&mut connection).await.unwrap();
    assert_eq!(n, 7);
}

#[tokio::test]
async fn a_pid_file_whose_number_belongs_to_a_stranger_by_now_is_in_nobodys_way() {
    // Given a pid file of a dead server, and a process of the same user with its number
    let dir = scratch();
    drop(start(&dir));
    let cluster = Cluster::at(dir.path()).unwrap();
    let owner = fs::metadata(cluster.dir()).unwrap();
    let mut sleep = Command::new("sleep");
    if are_root() {
        sleep.uid(owner.uid()).gid(owner.gid());
    }
    let mut stranger = sleep.arg("60").spawn().unwrap();
    let file = cluster.dir().join("postmaster.pid");
    fs::write(&file, format!("{}\n{}\n1\n5432\n\n\n0 0\nready\n", stranger.id(), cluster.dir().display()))
        .unwrap();
    let lock = dir.path().join("postgres/socket/.s.PGSQL.5432.lock");
    fs::copy(&file, &lock).unwrap();
    for left in [file, lock] {
        chown(left, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    // When hedge starts
    let embedded = start(&dir);
    // Then it works, and the stranger was left alone
    assert_eq!(ask(&embedded).await, 42);
    assert!(is_alive(stranger.id()));
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn a_half_made_cluster_is_thrown_away() {
    // Given what initdb leaves when it is killed
    let dir = scratch();
    let half = dir.path().join("postgres/cluster.new/base/1");
    fs::create_dir_all(&half).unwrap();
    fs::set_permissions(dir.path().join("postgres"), fs::Permissions::from_mode(0o711)).unwrap();
    fs::write(half.join("PG_VERSION"), "15").unwrap();
    // When hedge starts, then it works
    assert_eq!(ask(&start(&dir)).await, 42);
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_is_no_obstacle() {
    // Given a directory whose path a socket cannot have
    let dir = scratch();
    let long = dir.path().join("o".repeat(60)).join("h & h".repeat(12));
    // When hedge starts there, twice
    let embedded = Embedded::start(&long, &FLEETING).unwrap();
    let again = Embedded::start(&long, &FLEETING).unwrap();
    // Then it works
    assert_eq!(ask(&embedded).await, 42);
    assert_eq!(ask(&again).await, 42);
    let url = again.url();
    let sockets = url.options().unwrap().get_socket().unwrap().clone();
    assert!(sockets.starts_with("/tmp"));
    // And nothing of it is left in /tmp
    drop((embedded, again));
    assert!(!sockets.exists());
}

#[test]
fn root_is_told_which_directory_the_server_cannot_enter() {
    if !are_root() {
        return;
    }
    let dir = scratch();
    let closed = dir.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let error = Embedded::start(&closed.join("hedge"), &FLEETING).unwrap_err();
    shown("unreachable_directory", &told(&error).replace(closed.to_str().unwrap(), "/closed"));
}

#[test]
fn without_postgres_it_is_said_what_to_install() {
    // Given a machine whose only Postgres is nowhere
    let dir = scratch();
    let output = helper(&dir).env("PG_BIN", "/nowhere").output().unwrap();
    // Then a person reads what to do
    let said = String::from_utf8(output.stderr).unwrap();
    let (_, said) = said.split_once("told: ").unwrap();
    shown("no_postgres", said);
}

/// Plays another process: it starts the server, says so, and leaves when its input ends.
#[test]
#[ignore = "played by the tests above as another process"]
fn another_process_uses_the_server() {
    let dir = std::env::var_os("HEDGE_IT_DATA").unwrap();
    match Embedded::start(Path::new(&dir), &FLEETING) {
        Ok(_embedded) => {
            println!("ready");
            std::io::stdin().read_line(&mut String::new()).unwrap();
        }
        Err(error) => eprintln!("told: {}", told(&error)),
    }
}

// The address, and what is wrong with it.

#[tokio::test]
async fn what_is_wrong_with_a_database_is_said_without_its_password() {
    let world = World::new().await;
    let real = world.url().expose();
    let (before, query) = real.split_once('?').unwrap();
    let query = query.replace("user=hedge", "user=stranger");
    let host = query.split('&').next().unwrap().strip_prefix("host=").unwrap().to_owned();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut text = String::new();
    for (case, url) in [
        ("a wrong password", format!("{before}?{query}&password=hunter2")),
        ("no such database", real.replacen("/test_", "/nowhere_test_", 1)),
        ("nobody at the socket", "postgres:///books?host=/nonexistent&user=desk&password=hunter2".into()),
        ("nobody at the port", format!("postgres://desk:hunter2@127.0.0.1:{closed}/books")),
        ("no tls there", format!("{real}&sslmode=require")),
    ] {
        let settings = Settings { database_url: Some(url.parse().unwrap()), data_dir: "/nonexistent".into() };
        let error = Db::open(&settings).await.unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
        let kind = match error {
            StoreError::Unavailable { .. } => "try again",
            StoreError::Stop { .. } | StoreError::NewerDatabase { .. } => "stop",
        };
        writeln!(text, "{case} ({kind})\n    {}", told(&error).replace('\n', "\n    ")).unwrap();
    }
    let name = before.rsplit_once('/').unwrap().1;
    let text = text.replace(&host, "/socket").replace(&closed.to_string(), "5433");
    shown("databases", &text.replace(name, "books"));
}

// The migrations.

#[tokio::test]
async fn a_fresh_database_gets_every_migration_once() {
    // Given a database with nothing in it
    let world = World::blank().await;
    // When it is migrated twice
    let first = world.db().migrate().await.unwrap();
    let second = world.db().migrate().await.unwrap();
    // Then the second time there is nothing left to apply
    assert_eq!(first.applied.first().map(String::as_str), Some("V1__the_chain"));
    assert_eq!(second, Migrated { applied: vec![] });
}

#[tokio::test]
async fn processes_that_migrate_at_once_all_succeed() {
    // Given a database with nothing in it
    let world = World::blank().await;
    // When four migrate it at once
    let migrate = || world.db().migrate();
    let done = futures_util::future::join_all([migrate(), migrate(), migrate(), migrate()]).await;
    // Then one of them did the work, and nobody failed
    let applied: Vec<_> =
        done.into_iter().filter(|done| !done.as_ref().unwrap().applied.is_empty()).collect();
    assert_eq!(applied.len(), 1);
}

#[tokio::test]
async fn a_database_newer_than_this_binary_is_refused_and_left_alone() {
    // Given a database that a later hedge has migrated
    let world = World::new().await;
    world
        .pool()
        .execute("insert into refinery_schema_history values (999, 'from_the_future', '2031-01-01T00:00:00Z', '1')")
        .await
        .unwrap();
    // When this one comes
    let error = world.db().migrate().await.unwrap_err();
    // Then it says so, and goes away
    assert!(matches!(error, StoreError::NewerDatabase { .. }));
    shown("newer_database", &told(&error).replace(&world.url().to_string(), "database `books`"));
}

#[tokio::test]
async fn a_database_of_another_hedge_is_refused() {
    let world = World::new().await;
    world
        .pool()
        .execute("update refinery_schema_history set checksum = '1' where version = 1")
        .await
        .unwrap();
    let error = world.db().migrate().await.unwrap_err();
    shown("divergent_database", &told(&error).replace(&world.url().to_string(), "database `books`"));
}

#[tokio::test]
async fn reporting_is_made_anew_and_open_to_readers_who_see_nothing_else() {
    // Given a view that somebody left in the schema
    let world = World::new().await;
    world.pool().execute("create view reporting.left_over as select 1 as n").await.unwrap();
    // When the database is migrated by the way, then the view stays: it was not asked for
    world.db().migrate().await.unwrap();
    world.pool().execute("select * from reporting.left_over").await.unwrap();
    // And when it is asked for
    world.db().migrate_anew().await.unwrap();
    // Then that view is gone, and a reader reads what is there and not below
    let mut reader = world.pool().acquire().await.unwrap();
    reader.execute("set role hedge_bi").await.unwrap();
    assert!(reader.execute("select * from reporting.left_over").await.is_err());
    assert!(reader.execute("select * from reporting.fill").await.is_ok());
    assert!(reader.execute("select * from fill").await.is_err());
}

#[tokio::test]
async fn sessions_speak_utc_and_have_no_time_limit() {
    let world = World::new().await;
    world.pool().execute("alter role hedge set statement_timeout = '1s'").await.unwrap();
    let world = open(world.url().clone()).await;
    for (setting, value) in [("timezone", "UTC"), ("statement_timeout", "0"), ("application_name", "hedge")] {
        let found: String = sqlx::query_scalar("select current_setting($1)")
            .bind(setting)
            .fetch_one(world.pool())
            .await
            .unwrap();
        assert_eq!(found, value, "{setting}");
    }
}

// The commands.

#[tokio::test]
async fn a_person_can_look_inside_and_stop_the_server_by_hand() {
    // Given books nobody has opened yet
    let dir = scratch();
    let settings = Settings { database_url: None, data_dir: dir.path().to_owned() };
    let cluster = Cluster::at(dir.path()).unwrap();
    let db = async |args: &[&str]| -> String {
        let mut out = Vec::new();
        let Line { args } = Line::parse_from([&["hedge"], args].concat());
        cli::db::run(args, &settings, &mut out).await.unwrap();
        String::from_utf8(out).unwrap()
    };
    // When a person migrates them and looks
    let mut out = Vec::new();
    let Line { args } = Line::parse_from(["hedge"]);
    cli::migrate::run(args, &settings, &mut out).await.unwrap();
    let answer = dir.path().join("answer");
    let answer = answer.to_str().unwrap();
    db(&["psql", "--", "-At", "-o", answer, "-c", "select count(*) from reporting.fill"]).await;
    // Then they see what is there
    let told = String::from_utf8(out).unwrap();
    assert!(told.starts_with("applied V1__the_chain\n"), "{told}");
    assert!(told.ends_with("the schema `reporting` is made anew\n"), "{told}");
    assert_eq!(fs::read_to_string(answer).unwrap(), "0\n");
    assert_eq!(db(&["path"]).await, format!("{}\n", cluster.dir().display()));
    assert_eq!(db(&["url"]).await, format!("{}\n", cluster.url().expose()));
    // And a server that somebody left running is stopped
    std::mem::forget(start(&dir));
    assert_eq!(db(&["stop"]).await, "stopped\n");
    assert_eq!(db(&["stop"]).await, "none was running\n");
}

/// A command line of one command.
#[derive(Parser)]
struct Line<A: clap::Args> {
    #[command(flatten)]
    args: A,
}

const NOBODY: u32 = 65_534;

fn start(dir: &TempDir) -> Embedded {
    Embedded::start(dir.path(), &FLEETING).unwrap()
}

async fn connect(embedded: &Embedded) -> PgConnection {
    PgConnection::connect_with(&embedded.url().options().unwrap()).await.unwrap()
}

async fn ask(embedded: &Embedded) -> i32 {
    sqlx::query_scalar("select 42").fetch_one(&mut connect(embedded).await).await.unwrap()
}

/// What a person reads of an error.
fn told(error: &StoreError) -> String {
    let mut text = error.to_string();
    if let Some(cause) = error.source() {
        text = format!("{text}\ncause: {cause}");
    }
    format!("{text}\nnext: {}", error.next())
}

fn shown(name: &str, text: &str) {
    with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        assert_snapshot!(name, text);
    });
}

fn are_root() -> bool {
    fs::metadata(scratch().path()).unwrap().uid() == 0
}

fn is_alive(pid: u32) -> bool {
    kill("-0", pid)
}

fn kill(signal: &str, pid: u32) -> bool {
    let pid = pid.to_string();
    Command::new("kill").args([signal, &pid]).stderr(Stdio::null()).status().unwrap().success()
}

/// The tests themselves, playing another process.
fn helper(dir: &TempDir) -> Command {
    let mut helper = Command::new(std::env::current_exe().unwrap());
    let play: [OsString; 4] =
        ["--exact", "--ignored", "--nocapture", "store::another_process_uses_the_server"].map(Into::into);
    helper.args(play).env("HEDGE_IT_DATA", dir.path());
    helper
}

struct Other(Child);

fn another_process(dir: &TempDir) -> Other {
    Other(helper(dir).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
}

impl Other {
    fn wait_until_ready(&mut self) {
        use std::io::BufRead;
        let mut said = std::io::BufReader::new(self.0.stdout.take().unwrap()).lines();
        assert!(said.any(|line| line.unwrap().contains("ready")));
        // It may go on talking: nobody hangs up on it.
        std::thread::spawn(move || said.for_each(drop));
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn leave(&mut self) {
        self.0.stdin.take().unwrap().write_all(b"\n").unwrap();
        self.0.wait().unwrap();
    }
}
