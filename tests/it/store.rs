//! The database door: the embedded cluster, the address, the migrations.

use hedge::store::{Embedded, Migrated};

use crate::world::{FLEETING, World, scratch};

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

#[test]
fn the_embedded_postgres_begins_in_an_empty_directory_and_leaves_nothing_running() {
    // Given an empty directory
    let dir = scratch();
    // When hedge's own Postgres is started there and dropped
    let embedded = Embedded::start(dir.path(), &FLEETING).unwrap();
    let pid = embedded.pid().unwrap();
    assert!(is_alive(pid));
    drop(embedded);
    // Then it is gone
    assert!(!is_alive(pid));
}

fn is_alive(pid: u32) -> bool {
    std::process::Command::new("kill")
        .args(["-0", &pid.to_string()])
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap()
        .success()
}
