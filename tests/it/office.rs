//! Where an operator sits: a database, a `hedge.toml`, and the real program.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use sqlx::PgPool;
use tempfile::TempDir;

use crate::{
    sql::files,
    world::{World, scratch},
};

/// How long anything is waited for: a loaded machine is no failure.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// Between two looks at something that is waited for.
pub async fn moment() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

/// A database, and a room with a `hedge.toml` and what programs said.
pub struct Desk {
    pub world: World,
    pub room: TempDir,
}

impl Desk {
    /// A desk with this configuration.
    pub fn configured(world: World, toml: &str) -> Self {
        let desk = Self { world, room: scratch() };
        fs::write(desk.config(), toml).unwrap();
        desk
    }

    pub fn config(&self) -> PathBuf {
        self.room.path().join("hedge.toml")
    }

    pub fn pool(&self) -> &PgPool {
        self.world.pool()
    }

    /// Starts `hedge`; what it says is kept in the room.
    pub fn start(&self, arguments: &[&str]) -> Program {
        self.start_with(arguments, &[])
    }

    /// The same, with more variables.
    pub fn start_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Program {
        let said = self.room.path().join(format!("{}.said", arguments[0]));
        let file = File::options().create(true).append(true).open(&said).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_hedge"))
            .arg("--config")
            .arg(self.config())
            .args(arguments)
            .env_clear()
            .env("DATABASE_URL", self.world.url().expose())
            .env("USER", "tester")
            .env("ALPACA_API_KEY", "K")
            .env("ALPACA_API_SECRET", "S")
            .envs(variables.iter().copied())
            .current_dir(self.room.path())
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Program { child, said }
    }

    /// Runs `hedge` to its end, which is to be this code, and gives what it said.
    pub async fn run(&self, arguments: &[&str], code: i32) -> String {
        let mut program = self.start(arguments);
        let status = program.ended().await;
        let said = fs::read_to_string(&program.said).unwrap();
        assert_eq!(status.code(), Some(code), "hedge {arguments:?} said:\n{said}");
        said
    }

    /// Everything that programs said here.
    pub fn said(&self) -> String {
        let files = fs::read_dir(self.room.path()).unwrap().map(|entry| entry.unwrap().path());
        let said = files.filter(|path| path.extension().is_some_and(|ending| ending == "said"));
        said.map(|path| fs::read_to_string(path).unwrap()).collect()
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.pool()).await.unwrap()
    }

    pub async fn is_sound(&self) {
        for (name, sql) in files("checks") {
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(self.pool()).await.unwrap();
            assert!(rows.is_empty(), "{} rows fail the check {name}\n{}", rows.len(), self.said());
        }
    }
}

/// A process that does not outlive its test.
pub struct Program {
    pub child: Child,
    pub said: PathBuf,
}

impl Program {
    /// Ctrl-C's and systemd's way.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// It stands still, as on a machine that is put to sleep.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let told = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    pub async fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.has_ended() {
                return status;
            }
            let said = || fs::read_to_string(&self.said).unwrap();
            assert!(begun.elapsed() < PATIENCE, "it does not end:\n{}", said());
            moment().await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended by itself cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
