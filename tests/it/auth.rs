//! `hedge auth`, as a person meets it: the real program, a broker that repeats what it was told to say.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use serde_json::json;
use sqlx::Executor;

use crate::{
    parrot::Parrot,
    world::{World, scratch},
};

const OLD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const NEW: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

struct Desk {
    world: World,
    room: tempfile::TempDir,
    parrot: Parrot,
}

impl Desk {
    async fn new() -> Self {
        let (world, room, parrot) = (World::new().await, scratch(), Parrot::default());
        let url = parrot.listen().await;
        let config = format!(
            "[venue.schwab]\nkind = \"schwab\"\nenvironment = \"live\"\nbase_url = \"{url}\"\n\
             redirect_uri = \"https://127.0.0.1:8182\"\n"
        );
        std::fs::write(room.path().join("hedge.toml"), config).unwrap();
        Self { world, room, parrot }
    }

    async fn hedge(&self, arguments: &[&str], key: &str, typed: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hedge"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", "/nonexistent")
            .env("DATABASE_URL", self.world.url().expose())
            .env("ENCRYPTION_KEY", key)
            .env("NEW_ENCRYPTION_KEY", NEW)
            .env("SCHWAB_APP_KEY", "app-key")
            .env("SCHWAB_APP_SECRET", "app-secret")
            .current_dir(self.room.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let typed = typed.to_owned();
        let run = move || {
            let mut child = command.spawn().unwrap();
            // A program that asks for nothing may be gone already.
            let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
            child.wait_with_output().unwrap()
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_logs_in_asks_how_old_that_is_and_changes_the_key() {
    let desk = Desk::new().await;
    let nobody = desk.hedge(&["auth", "status"], OLD, "").await;
    assert_eq!((nobody.status.code(), said(&nobody).contains("nobody has logged in yet")), (Some(3), true));
    // Given a code in what the browser shows
    desk.parrot
        .says(200, json!({"expires_in": 1800, "access_token": "access-1", "refresh_token": "refresh-1"}))
        .says(200, json!([{"accountNumber": "12345678", "hashValue": "A1B2"}]))
        .says(
            200,
            json!({"securitiesAccount": {"type": "CASH", "accountNumber": "12345678",
                   "currentBalances": {"cashAvailableForTrading": 5.0}}}),
        );
    let typed = "https://127.0.0.1:8182/?code=C0.x%40&session=s\n";
    let logged_in = desk.hedge(&["auth", "schwab"], OLD, typed).await;
    let told = said(&logged_in);
    assert_eq!(logged_in.status.code(), Some(0), "{told}");
    assert!(told.contains("/v1/oauth/authorize?response_type=code&client_id=app-key"), "{told}");
    assert!(told.contains("logged in at `schwab` until ") && told.contains("the account is …5678"), "{told}");
    for secret in ["access-1", "refresh-1", "C0.x", "app-secret", "12345678", OLD] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    // Then it is young, and sealed
    let status = desk.hedge(&["auth", "status"], OLD, "").await;
    assert_eq!(
        (status.status.code(), said(&status).contains("0 d 0 h ago")),
        (Some(0), true),
        "{}",
        said(&status)
    );
    // When the key changes
    let rotated = desk.hedge(&["auth", "rotate-key"], OLD, "").await;
    assert_eq!(rotated.status.code(), Some(0), "{}", said(&rotated));
    // Then only the new one opens it
    let old = desk.hedge(&["auth", "status"], OLD, "").await;
    assert_eq!((old.status.code(), said(&old).contains("sealed under the key")), (Some(3), true));
    assert_eq!(desk.hedge(&["auth", "status"], NEW, "").await.status.code(), Some(0));
    // Six and a half days on, a person is called
    desk.world.pool().execute("update credential set login_at = now() - interval '157 hours'").await.unwrap();
    let late = desk.hedge(&["auth", "status"], NEW, "").await;
    assert_eq!((late.status.code(), said(&late).contains("log in now")), (Some(3), true), "{}", said(&late));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_fails_says_what_stands_and_what_to_do() {
    let desk = Desk::new().await;
    let no_code = desk.hedge(&["auth", "schwab"], OLD, "https://127.0.0.1:8182/?error=access_denied\n").await;
    assert_eq!((no_code.status.code(), said(&no_code).contains("has no code in it")), (Some(2), true));
    desk.parrot.says(400, json!({"error": "invalid_grant", "error_description": "C0.x is spent"}));
    let spent = desk.hedge(&["auth", "schwab"], OLD, "https://127.0.0.1:8182/?code=C0.x\n").await;
    let told = said(&spent);
    assert_eq!(spent.status.code(), Some(1), "{told}");
    assert!(
        told.contains("invalid_grant: [secret] is spent") && told.contains("hedge auth schwab"),
        "{told}"
    );
    assert!(told.contains("state: the login before, if there was one, stands"), "{told}");
}
