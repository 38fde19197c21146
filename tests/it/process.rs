//! Programs that run beside a test and end with it, however it ends.
//!
//! A shell stands between: it reads from a pipe that we hold, and when that is
//! closed, by us or by the kernel, it tells the program to end. It ends with the
//! program, and as it did.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

use tempfile::TempDir;

use crate::world::scratch;

const LIFELINE: &str = r#"
    exec 3<&0
    "$@" </dev/null 3<&- &
    program=$!
    { read -r _ <&3; kill "$program"; } &
    reader=$!
    wait "$program"
    code=$?
    kill "$reader" 2>/dev/null
    exit "$code"
"#;

/// A running program.
pub struct Process {
    shell: Child,
    room: TempDir,
}

impl Process {
    /// Starts it in a directory of its own, with these variables and no others.
    pub fn start(program: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let room = scratch();
        let said = File::create(room.path().join("said")).unwrap();
        let shell = Command::new("sh")
            .args(["-c", LIFELINE, "lifeline"])
            .arg(program)
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .envs(variables.iter().copied())
            .current_dir(room.path())
            .stdin(Stdio::piped())
            .stdout(said.try_clone().unwrap())
            .stderr(said)
            .spawn()
            .unwrap();
        Self { shell, room }
    }

    /// All that it wrote so far, stdout and stderr as they came.
    pub fn said(&self) -> String {
        fs::read_to_string(self.room.path().join("said")).unwrap()
    }

    /// Is it still there?
    pub fn runs(&mut self) -> bool {
        self.shell.try_wait().unwrap().is_none()
    }

    /// Sends SIGTERM and waits for the end.
    pub fn end(&mut self) -> ExitStatus {
        drop(self.shell.stdin.take());
        self.shell.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
