//! The handle on the database, and the address it is found at.
//!
//! What is always true here: a [`Db`] has been spoken to once, by a server that is
//! new enough; times come and go in UTC; no statement has a time limit, because a
//! backfill's may be long, but a transaction in which nothing is said is ended: a
//! process that was put to sleep holds up nobody. Deliberately absent: retries. Who holds a `Db` knows
//! what is worth trying again.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};

use super::embedded::{Embedded, OLDEST};
use super::{Settings, StoreError, cause, passes};

/// How long the first word of a server is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The database: connections on demand, and the embedded server kept running.
#[derive(Debug)]
pub struct Db {
    pool: PgPool,
    url: DatabaseUrl,
    // After the pool: the server goes when its last user has.
    embedded: Option<Embedded>,
}

impl Db {
    /// Opens the operator's database, or the embedded one where none is named.
    ///
    /// # Errors
    ///
    /// *Try again*: the server cannot be reached, is starting or is full. *Stop*:
    /// anything an operator has to mend; the text says where and `next` what.
    pub async fn open(settings: &Settings) -> Result<Self, StoreError> {
        if let Some(url) = &settings.database_url {
            return Self::at(url.clone(), None).await;
        }
        let data_dir = settings.data_dir.clone();
        let embedded = tokio::task::spawn_blocking(move || Embedded::start(&data_dir, &[])).await.map_err(
            |error| StoreError::stop("could not start the embedded Postgres", "report it").because(error),
        )??;
        Self::at(embedded.url(), Some(embedded)).await
    }

    async fn at(url: DatabaseUrl, embedded: Option<Embedded>) -> Result<Self, StoreError> {
        url.connect().await?.close().await.ok();
        let pool = PgPoolOptions::new().max_connections(16).connect_lazy_with(url.options()?);
        Ok(Self { pool, url, embedded })
    }

    /// The connections.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Where it is.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Connections of their own for whoever only looks: they cannot write, and no question of theirs
    /// takes longer than `longest`. None is opened before it is needed.
    ///
    /// # Errors
    ///
    /// *Stop*: the address is none.
    pub fn lookers(&self, connections: u32, longest: Duration) -> Result<PgPool, StoreError> {
        let limit = longest.as_millis().to_string();
        let options = self.url.options()?.application_name("hedge web").options([
            ("default_transaction_read_only", "on"),
            ("statement_timeout", limit.as_str()),
            ("lock_timeout", limit.as_str()),
        ]);
        let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(longest);
        Ok(pool.connect_lazy_with(options))
    }

    /// Brings the tables up to date, and the schema `reporting` where it is another one.
    ///
    /// # Errors
    ///
    /// As [`super::migrate::migrate`].
    pub async fn migrate(&self) -> Result<super::Migrated, StoreError> {
        super::migrate::migrate(&self.url, super::migrate::Anew::WhereItDiffers).await
    }

    /// Brings the tables up to date and makes the schema `reporting` anew, whatever stands there.
    ///
    /// # Errors
    ///
    /// As [`super::migrate::migrate`].
    pub async fn migrate_anew(&self) -> Result<super::Migrated, StoreError> {
        super::migrate::migrate(&self.url, super::migrate::Anew::Always).await
    }

    /// Gives the roles of `sql/roles.sql` what is theirs.
    ///
    /// # Errors
    ///
    /// As [`super::migrate::roles`].
    pub async fn roles(&self) -> Result<(), StoreError> {
        super::migrate::roles(&self.url).await
    }

    /// Closes the connections, and stops the embedded server if nobody else uses it.
    pub async fn close(self) {
        self.pool.close().await;
        // Waiting for the server to stop is not for a thread of the runtime. Should
        // the runtime be ending, the drop happens there and then.
        let embedded = self.embedded;
        tokio::task::spawn_blocking(move || drop(embedded)).await.ok();
    }
}

/// The address of a database. It may hold a password: neither `Debug` nor
/// `Display` shows one.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The address of a server on a socket in `dir`, for a role and a database of one name.
    pub(super) fn of_socket(dir: &Path, name: &str) -> Self {
        let host = in_query(&dir.to_string_lossy());
        // The port and the mode are said, lest PGPORT or PGSSLMODE say otherwise.
        Self(format!("postgres:///{name}?host={host}&port=5432&user={name}&sslmode=disable"))
    }

    /// The address as it was given, with its password: for eyes that asked.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The address without its password, and the password: another program is given
    /// the one as an argument, which everybody can read, and the other in `PGPASSWORD`.
    pub fn parted(&self) -> (String, Option<String>) {
        let (before, query) = self.0.split_once('?').unwrap_or((&self.0, ""));
        let (mut parameters, secrets): (Vec<_>, Vec<_>) =
            query.split('&').partition(|parameter| !parameter.starts_with("password="));
        parameters.retain(|parameter| !parameter.is_empty());

        let (before, mut password) = match before.rsplit_once('@').map(|(who, at)| (who.rsplit_once(':'), at))
        {
            // The colon of the scheme stands before a user, not before a password.
            Some((Some((user, secret)), at)) if !secret.starts_with("//") => {
                (format!("{user}@{at}"), Some(secret))
            }
            _ => (before.to_owned(), None),
        };
        if let Some((_, secret)) = secrets.last().and_then(|secret| secret.split_once('=')) {
            password = Some(secret);
        }
        let url = [before, parameters.join("&")].join("?");
        (url.trim_end_matches('?').to_owned(), password.map(decoded))
    }

    /// How sqlx is to connect.
    ///
    /// # Errors
    ///
    /// *Stop*: it is not the address of a Postgres database.
    pub fn options(&self) -> Result<PgConnectOptions, StoreError> {
        let options = PgConnectOptions::from_str(&self.0).map_err(|error| not_a_url().because(error))?;
        Ok(options
            .application_name("hedge")
            .options([
                // "already exists, skipping" is what we asked for.
                ("client_min_messages", "warning"),
                ("statement_timeout", "0"),
                ("lock_timeout", "0"),
                // Whoever says nothing for so long in a transaction hangs, and others wait for its locks:
                // as long as the lease lasts.
                ("idle_in_transaction_session_timeout", "10s"),
            ])
            .disable_statement_logging())
    }

    /// One connection to a server that is new enough.
    pub(super) async fn connect(&self) -> Result<PgConnection, StoreError> {
        let options = self.options()?;
        let connecting = PgConnection::connect_with(&options);
        let mut connection = match tokio::time::timeout(PATIENCE, connecting).await {
            Ok(connected) => connected.map_err(|error| self.unopened(error))?,
            Err(late) => return Err(self.unreachable().because(late)),
        };
        let version: i32 = sqlx::query_scalar("select current_setting('server_version_num')::int")
            .fetch_one(&mut connection)
            .await
            .map_err(|error| self.unopened(error))?;
        self.new_enough(version)?;
        Ok(connection)
    }

    /// `version` is the server's own way to say 14.2: 140002.
    fn new_enough(&self, version: i32) -> Result<(), StoreError> {
        let major = version / 10_000;
        if u32::try_from(major).is_ok_and(|major| major >= OLDEST) {
            return Ok(());
        }
        Err(StoreError::stop(
            format!("{self} is served by PostgreSQL {major}"),
            format!("move it to PostgreSQL {OLDEST} or later"),
        ))
    }

    /// What a refused connection means for the operator.
    fn unopened(&self, error: sqlx::Error) -> StoreError {
        let code = error.as_database_error().and_then(DatabaseError::code);
        match code.as_deref() {
            Some("28P01" | "28000") => StoreError::stop(
                format!("{self} does not let us in"),
                "check the user and the password of DATABASE_URL, and the server's pg_hba.conf",
            ),
            Some("3D000") => StoreError::stop(
                format!("{self} does not exist"),
                "make it with `createdb`, or name another one in DATABASE_URL",
            ),
            _ if passes(&error) => self.unreachable(),
            _ => StoreError::stop(
                format!("could not open {self}"),
                "mend what the cause names, or name another database in DATABASE_URL",
            ),
        }
        .because(cause(error))
    }

    fn unreachable(&self) -> StoreError {
        StoreError::Unavailable {
            what: format!("{self} cannot be reached"),
            next: "see that the server runs, and check host and port of DATABASE_URL".to_owned(),
            source: None,
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let text = text.trim();
        if !["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Err(not_a_url());
        }
        let url = Self(text.to_owned());
        url.options().map(|_| url)
    }
}

/// The text itself is left out: it may hold a password.
fn not_a_url() -> StoreError {
    StoreError::stop(
        "DATABASE_URL is not the address of a Postgres database",
        "write it as postgres://user:password@host:5432/name, or leave it out for the embedded one",
    )
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(options) = self.options() else {
            return f.write_str("the database");
        };
        let user = options.get_username();
        let name = options.get_database().unwrap_or(user);
        write!(f, "database `{name}` (user `{user}`) at ")?;
        match options.get_socket() {
            Some(dir) => write!(f, "{}", dir.display()),
            None => write!(f, "{}:{}", options.get_host(), options.get_port()),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Percent-encodes what a query of an address cannot hold as it is.
fn in_query(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.split_at_checked(2).filter(|_| first == b'%').and_then(|(code, after)| {
            let code = str::from_utf8(code).ok()?;
            Some((u8::from_str_radix(code, 16).ok()?, after))
        });
        let (byte, after) = code.unwrap_or((first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_no_password() {
        let url: DatabaseUrl = "postgres://desk:hunter2@db.example:5433/books".parse().unwrap();
        assert_eq!(format!("{url:?}"), "[secret]");
        assert_eq!(url.to_string(), "database `books` (user `desk`) at db.example:5433");
    }

    #[test]
    fn a_password_is_parted_from_its_address() {
        let parted = |url: &str| url.parse::<DatabaseUrl>().unwrap().parted();
        for with in [
            "postgres://desk:h%40nter%2@db.example:5433/books?sslmode=require",
            "postgres://desk@db.example:5433/books?password=h%40nter%2&sslmode=require",
        ] {
            let without = "postgres://desk@db.example:5433/books?sslmode=require".to_owned();
            assert_eq!(parted(with), (without, Some("h@nter%2".to_owned())));
        }
        for without in
            ["postgres://db.example", "postgres://desk@db.example/books", "postgres:///hedge?host=/tmp/a:b@c"]
        {
            assert_eq!(parted(without), (without.into(), None));
        }
    }

    #[test]
    fn a_socket_in_an_odd_directory_is_found_again() {
        let url = DatabaseUrl::of_socket(Path::new("/tmp/a b&c+d/ü"), "hedge");
        let options = url.options().unwrap();
        assert_eq!(options.get_socket().unwrap(), Path::new("/tmp/a b&c+d/ü"));
        assert_eq!(options.get_username(), "hedge");
        assert_eq!(options.get_database(), Some("hedge"));
    }

    #[test]
    fn a_server_that_is_too_old_is_refused() {
        let url: DatabaseUrl = "postgres://desk@db.example/books".parse().unwrap();
        assert!(url.new_enough(140_000).is_ok());
        let error = url.new_enough(130_022).unwrap_err();
        assert_eq!(
            error.to_string(),
            "database `books` (user `desk`) at db.example:5432 is served by PostgreSQL 13"
        );
    }

    #[test]
    fn what_is_not_an_address_is_refused_without_being_repeated() {
        for text in ["", "hunter2", "mysql://u:hunter2@h/d", "postgres://u:hunter2@h:port/d"] {
            let error = text.parse::<DatabaseUrl>().unwrap_err();
            assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
        }
    }
}
