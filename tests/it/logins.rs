//! Logins at brokers: sealed in the database, renewed by one process at a time.

use hedge::{
    secret::{SealingKey, Secret},
    store::{
        StoreError,
        credentials::{self, Credential},
    },
};
use jiff::Timestamp;
use sqlx::{Executor, Row};

use crate::world::World;

fn key(digit: char) -> SealingKey {
    SealingKey::parse(&Secret::new(digit.to_string().repeat(64))).unwrap()
}

fn credential(secret: &str) -> Credential {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    Credential {
        secret: Secret::new(secret),
        login_at: at("2026-11-16T14:00:00.123456Z"),
        refreshed_at: at("2026-11-20T15:30:00Z"),
        access_until: at("2026-11-20T16:00:00Z"),
    }
}

fn said(error: &StoreError) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    format!("{error}: {cause}; {}", error.next())
}

#[tokio::test]
async fn a_login_is_kept_sealed_and_comes_back_as_it_was() {
    let world = World::new().await;
    let mut conn = world.pool().acquire().await.unwrap();
    assert_eq!(credentials::read(&mut conn, "schwab", &key('a')).await.unwrap(), None);
    credentials::write(&mut conn, "schwab", &credential("hunter1"), &key('a')).await.unwrap();
    credentials::write(&mut conn, "schwab", &credential("hunter2"), &key('a')).await.unwrap();
    assert_eq!(credentials::read(&mut conn, "schwab", &key('a')).await.unwrap(), Some(credential("hunter2")));
    let row = sqlx::query(
        "select credential::text, position('hunter' in encode(ciphertext, 'escape')) as clear from credential",
    );
    let row = row.fetch_one(&mut *conn).await.unwrap();
    assert!(!row.get::<String, _>(0).contains("hunter"));
    assert_eq!(row.get::<i32, _>(1), 0);
}

#[tokio::test]
async fn a_wrong_key_and_a_row_that_was_moved_are_told_apart() {
    let world = World::new().await;
    let mut conn = world.pool().acquire().await.unwrap();
    credentials::write(&mut conn, "schwab", &credential("x"), &key('a')).await.unwrap();
    let wrong = said(&credentials::read(&mut conn, "schwab", &key('b')).await.unwrap_err());
    assert!(wrong.contains(key('a').fingerprint()) && wrong.contains(key('b').fingerprint()), "{wrong}");
    conn.execute("update credential set venue = 'other'").await.unwrap();
    let moved = said(&credentials::read(&mut conn, "other", &key('a')).await.unwrap_err());
    assert!(moved.contains("damaged, or was sealed for something else"), "{moved}");
}

#[tokio::test]
async fn every_login_moves_to_the_new_key_or_none_does() {
    let world = World::new().await;
    let mut conn = world.pool().acquire().await.unwrap();
    for venue in ["one", "two"] {
        credentials::write(&mut conn, venue, &credential(venue), &key('a')).await.unwrap();
    }
    let mut tx = world.pool().begin().await.unwrap();
    assert_eq!(credentials::rotate(&mut tx, &key('a'), &key('b')).await.unwrap(), 2);
    assert_eq!(
        credentials::rotate(&mut tx, &key('a'), &key('b')).await.unwrap(),
        0,
        "a second time is harmless"
    );
    tx.commit().await.unwrap();
    assert_eq!(credentials::read(&mut conn, "one", &key('b')).await.unwrap(), Some(credential("one")));
    // One that is under neither key stops it all.
    credentials::write(&mut conn, "three", &credential("three"), &key('c')).await.unwrap();
    let mut tx = world.pool().begin().await.unwrap();
    assert!(credentials::rotate(&mut tx, &key('b'), &key('a')).await.is_err());
    drop(tx);
    assert_eq!(credentials::read(&mut conn, "one", &key('b')).await.unwrap(), Some(credential("one")));
    let kept = credentials::list(&mut conn).await.unwrap();
    let kept: Vec<_> = kept.iter().map(|kept| (kept.venue.as_str(), kept.fingerprint.clone())).collect();
    let print = |digit| key(digit).fingerprint().to_owned();
    assert_eq!(kept, [("one", print('b')), ("three", print('c')), ("two", print('b'))]);
}

#[tokio::test]
async fn who_would_renew_a_login_waits_for_the_one_who_does() {
    let world = World::new().await;
    let mut conn = world.pool().acquire().await.unwrap();
    credentials::write(&mut conn, "schwab", &credential("old"), &key('a')).await.unwrap();
    let mut first = world.pool().begin().await.unwrap();
    credentials::hold(&mut first, "schwab", &key('a')).await.unwrap().unwrap();
    let mut second = world.pool().begin().await.unwrap();
    second.execute("set local lock_timeout = '50ms'").await.unwrap();
    let waited = credentials::hold(&mut second, "schwab", &key('a')).await.unwrap_err();
    assert!(matches!(waited, StoreError::Unavailable { .. }), "{waited}");
    drop(second);
    credentials::write(&mut first, "schwab", &credential("new"), &key('a')).await.unwrap();
    first.commit().await.unwrap();
    let mut second = world.pool().begin().await.unwrap();
    let found = credentials::hold(&mut second, "schwab", &key('a')).await.unwrap();
    assert_eq!(found, Some(credential("new")));
}
