//! The logins of venues, in the database: what the door to brokers asks for and the door
//! to Postgres keeps.

use async_trait::async_trait;
use sqlx::{PgPool, Postgres, Transaction};

use crate::{
    secret::SealingKey,
    store::credentials::{self, Credential},
    venue::{
        Cause,
        schwab::{Held, Tokens, login::Login},
    },
};

/// Logins, sealed under one key.
#[derive(Clone, Debug)]
pub struct Logins {
    pool: PgPool,
    key: SealingKey,
}

impl Logins {
    /// Those of this database.
    pub const fn new(pool: PgPool, key: SealingKey) -> Self {
        Self { pool, key }
    }
}

#[async_trait]
impl Tokens for Logins {
    async fn hold(&self, venue: &str) -> Result<Box<dyn Held>, Cause> {
        let mut tx = self.pool.begin().await?;
        let kept = credentials::hold(&mut tx, venue, &self.key).await?;
        let login = kept
            .and_then(|kept| Login::of(&kept.secret, kept.login_at, kept.refreshed_at, kept.access_until));
        Ok(Box::new(Row { tx, venue: venue.to_owned(), key: self.key.clone(), login }))
    }
}

/// A login whose row is locked as long as this lives.
struct Row {
    tx: Transaction<'static, Postgres>,
    venue: String,
    key: SealingKey,
    login: Option<Login>,
}

#[async_trait]
impl Held for Row {
    fn login(&self) -> Option<Login> {
        self.login.clone()
    }

    async fn replace(mut self: Box<Self>, login: &Login) -> Result<(), Cause> {
        let credential = Credential {
            secret: login.tokens(),
            login_at: login.login_at,
            refreshed_at: login.refreshed_at,
            access_until: login.access_until,
        };
        credentials::write(&mut self.tx, &self.venue, &credential, &self.key).await?;
        Ok(self.tx.commit().await?)
    }
}
