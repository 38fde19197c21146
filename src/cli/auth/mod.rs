//! `hedge auth`: logins at brokers, and the key that they are kept under.

mod listen;

use std::{io, sync::Arc};

use clap::Subcommand;
use jiff::SignedDuration;

use super::{Desk, Exit, Out, Trouble};
use crate::{
    config::Config,
    engine::logins::Logins,
    secret::{SealingKey, Secret},
    store::{
        Db,
        credentials::{self, Kept},
    },
    time::Clock,
    venue::{
        Broker, Venue, VenueError, VenueSettings,
        schwab::{OAuth, Schwab, Standing, Tokens},
    },
};

const EXAMPLES: &str = "\
Examples:
  hedge auth schwab                      print where to log in, then paste where the browser ended
  hedge auth schwab --listen             the same, and meet the browser there
  hedge auth status                      how old each login is
  NEW_ENCRYPTION_KEY_FILE=key hedge auth rotate-key";

/// Logs in at a broker, tells how old a login is, moves logins to another key.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Logs in at Schwab; a login lasts seven days
    #[command(
        after_help = "Examples:\n  hedge auth schwab             print where to log in, then paste where the browser ended\n  hedge auth schwab --listen    the same, and meet the browser there"
    )]
    Schwab {
        /// The venue, where several are Schwab's
        #[arg(long, value_name = "NAME")]
        venue: Option<String>,
        /// Wait at the `redirect_uri`, on this machine, instead of reading it from standard input
        #[arg(long)]
        listen: bool,
    },
    /// Seals all logins under `NEW_ENCRYPTION_KEY` instead of `ENCRYPTION_KEY`
    #[command(after_help = "Examples:\n  NEW_ENCRYPTION_KEY_FILE=key hedge auth rotate-key")]
    RotateKey,
    /// Tells how old each login is, and which key it is sealed under; ends with 3 where one is about to end
    #[command(after_help = "Examples:\n  hedge auth status")]
    Status,
}

/// Runs the command.
///
/// # Errors
///
/// The configuration, the database, a key that does not open what is there, or the broker.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let config = desk.load()?;
    let db = Db::open(&desk.store()?).await?;
    db.migrate().await?;
    let exit = match args.what {
        What::Schwab { venue, listen } => log_in(&config, &db, venue.as_deref(), listen, out).await,
        What::RotateKey => rotate(&config, desk, &db, out).await,
        What::Status => status(&config, &db, out).await,
    }?;
    db.close().await;
    Ok(exit)
}

fn usage(what: &str, cause: impl Into<String>, next: &str) -> Trouble {
    Trouble {
        what: what.to_owned(),
        cause: cause.into(),
        state: "nothing was written".to_owned(),
        next: next.to_owned(),
        exit: Exit::Usage,
    }
}

/// What a broker's no means here.
fn refused(error: &VenueError) -> Trouble {
    let (next, exit) = match error {
        VenueError::Unauthorized { next, .. } => (next.as_str(), Exit::Failed),
        VenueError::Unreachable { .. }
        | VenueError::Unanswered { .. }
        | VenueError::Throttled { .. }
        | VenueError::Refused { .. } => ("begin anew: the code has been used", Exit::Unavailable),
    };
    Trouble {
        what: "could not log in".to_owned(),
        cause: error.to_string(),
        state: "the login before, if there was one, stands".to_owned(),
        next: next.to_owned(),
        exit,
    }
}

/// The key that logins are sealed under.
fn key(given: Option<&Secret>) -> Result<SealingKey, Trouble> {
    let make = "make one with `openssl rand -hex 32` and keep it apart from the database";
    let what = "logins cannot be sealed";
    let given = given.ok_or_else(|| usage(what, "ENCRYPTION_KEY is not set", make))?;
    SealingKey::parse(given).map_err(|error| usage(what, error.to_string(), make))
}

/// The venue that is Schwab's.
fn schwab<'a>(config: &'a Config, name: Option<&str>) -> Result<&'a VenueSettings, Trouble> {
    let fits =
        |venue: &&VenueSettings| venue.broker == Broker::Schwab && name.is_none_or(|name| venue.name == name);
    let found: Vec<&VenueSettings> = config.venues.iter().filter(fits).collect();
    let what = "it is not clear where to log in";
    match (found.as_slice(), name) {
        ([venue], _) => Ok(venue),
        ([], Some(name)) => {
            Err(usage(what, format!("no [venue.{name}] of kind schwab is configured"), NAME_ONE))
        }
        ([], None) => Err(usage(what, "no venue of kind schwab is configured", NAME_ONE)),
        (several, _) => {
            let names: Vec<&str> = several.iter().map(|venue| venue.name.as_str()).collect();
            Err(usage(
                what,
                format!("several venues are Schwab's: {}", names.join(", ")),
                "name one with --venue",
            ))
        }
    }
}

const NAME_ONE: &str = "write [venue.NAME] with kind = \"schwab\" into hedge.toml, or name one that is there";

async fn log_in(
    config: &Config,
    db: &Db,
    venue: Option<&str>,
    listen: bool,
    out: &mut Out<'_>,
) -> anyhow::Result<Exit> {
    let settings = schwab(config, venue)?;
    let logins = Logins::new(db.pool().clone(), key(config.encryption_key.as_ref())?);
    let door = OAuth::new(settings, Clock::Wall).map_err(|error| refused(&error))?;
    let listener = if listen { Some(listen::Listener::bind(&settings.redirect_uri).await?) } else { None };
    writeln!(out, "Log in here:\n\n  {}\n", door.authorize_url())?;
    let code = if let Some(listener) = listener {
        writeln!(out, "Waiting at {} for the browser to come back.", settings.redirect_uri)?;
        if settings.redirect_uri.starts_with("https:") {
            writeln!(
                out,
                "It will warn of a certificate that nobody vouches for: it was made just now, here."
            )?;
        }
        out.flush()?;
        listener.code().await?
    } else {
        writeln!(out, "The browser then ends at {} and shows nothing.", settings.redirect_uri)?;
        writeln!(out, "Paste the whole address that it shows, within 30 seconds:")?;
        out.flush()?;
        pasted().await?
    };
    let Some(code) = code else {
        let next = "begin anew, and paste all of the address, with `code=` in it";
        return Err(usage("could not log in", "the address has no code in it", next).into());
    };
    let login = door.log_in(&code).await.map_err(|error| refused(&error))?;
    let kept = async { logins.hold(&settings.name).await?.replace(&login).await };
    kept.await.map_err(|error| Trouble {
        what: "could not keep the login".to_owned(),
        cause: error.to_string(),
        state: "the login before, if there was one, stands".to_owned(),
        next: "see that Postgres runs and ENCRYPTION_KEY opens what is there (`hedge auth status`), and begin anew"
            .to_owned(),
        exit: Exit::Failed,
    })?;
    writeln!(out, "logged in at `{}` until {:.0}", settings.name, login.ends_at())?;
    // Whose account it is, while the person is still there.
    let venue = Schwab::new(settings, Arc::new(logins), Clock::Wall).map_err(|error| refused(&error))?;
    match venue.account().await {
        Ok(account) => writeln!(out, "the account is …{}", last_four(&account.id))?,
        Err(error) => writeln!(out, "but its account cannot be looked at yet: {error}")?,
    }
    Ok(Exit::Done)
}

fn last_four(id: &str) -> &str {
    id.char_indices().rev().nth(3).and_then(|(at, _)| id.get(at..)).unwrap_or(id)
}

/// The code in the line on standard input.
async fn pasted() -> anyhow::Result<Option<Secret>> {
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map(|_| line)
    });
    Ok(OAuth::code_in(&line.await??))
}

async fn rotate(config: &Config, desk: &Desk, db: &Db, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let old = key(config.encryption_key.as_ref())?;
    let next = "give 64 hex digits, such as `openssl rand -hex 32` prints, in the environment or a file";
    let what = "logins cannot be moved to another key";
    let new = desk.environment.value("NEW_ENCRYPTION_KEY");
    let new = new.map_err(|problem| usage(what, problem.to_string(), next))?;
    let new = new.ok_or_else(|| usage(what, "NEW_ENCRYPTION_KEY is not set", next))?;
    let new =
        SealingKey::parse(&new).map_err(|error| usage(what, format!("NEW_ENCRYPTION_KEY: {error}"), next))?;
    let mut tx = db.pool().begin().await?;
    let moved = credentials::rotate(&mut tx, &old, &new).await?;
    tx.commit().await?;
    writeln!(out, "sealed under {} instead of {}: {moved}", new.fingerprint(), old.fingerprint())?;
    writeln!(out, "from now on ENCRYPTION_KEY must be the new one: set it and restart what runs")?;
    Ok(Exit::Done)
}

async fn status(config: &Config, db: &Db, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let ours = config.encryption_key.as_ref().map(|given| key(Some(given))).transpose()?;
    let mut conn = db.pool().acquire().await?;
    let kept = credentials::list(&mut conn).await?;
    let now = Clock::Wall.now();
    let mut exit = Exit::Done;
    for Kept { venue, fingerprint, login_at, refreshed_at, .. } in &kept {
        let standing = Standing::of(*login_at, now);
        let word = match standing {
            Standing::Fine => "fine",
            Standing::Warn => "log in soon: `hedge auth schwab`",
            Standing::Page => "log in now: `hedge auth schwab`",
            Standing::Over => "over: nothing is hedged there; `hedge auth schwab`",
        };
        let opens = ours.as_ref().is_some_and(|ours| ours.fingerprint() == fingerprint);
        let age = now.duration_since(*login_at);
        writeln!(
            out,
            "{venue}: logged in {login_at:.0}, {} ago, renewed {refreshed_at:.0}: {word}",
            days(age)
        )?;
        if !opens {
            let given = ours.as_ref().map_or("not set", SealingKey::fingerprint);
            writeln!(out, "{venue}: sealed under the key {fingerprint}, and ENCRYPTION_KEY is {given}")?;
        }
        if standing != Standing::Fine || !opens {
            exit = Exit::Found;
        }
    }
    let has_login = |venue: &&VenueSettings| kept.iter().any(|kept| kept.venue == venue.name);
    for venue in config.venues.iter().filter(|venue| venue.broker == Broker::Schwab && !has_login(venue)) {
        writeln!(out, "{}: nobody has logged in yet: `hedge auth schwab`", venue.name)?;
        exit = Exit::Found;
    }
    if exit == Exit::Done && kept.is_empty() {
        writeln!(out, "no venue needs a login")?;
    }
    Ok(exit)
}

/// Days and hours.
fn days(age: SignedDuration) -> String {
    let hours = age.as_hours().max(0);
    format!("{} d {} h", hours / 24, hours % 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_known_by_its_end() {
        assert_eq!(["12345678", "123", ""].map(last_four), ["5678", "123", ""]);
    }

    #[test]
    fn an_age_is_told_in_days_and_hours() {
        assert_eq!(days(SignedDuration::from_hours(155)), "6 d 11 h");
        assert_eq!(days(SignedDuration::from_hours(-1)), "0 d 0 h");
    }
}
