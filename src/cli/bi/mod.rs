//! `hedge bi`: dashboards for Metabase, shipped as files and pushed over its REST API.
//!
//! - [`boards`]: the files, read
//! - `metabase`: the API, as far as it is needed
//! - `push`: what is there made what the files say

pub mod boards;
mod metabase;
mod push;

use clap::Subcommand;

use super::{Desk, Exit, Out, Trouble};
use crate::config::Problems;
use metabase::{Metabase, MetabaseError};

const EXAMPLES: &str = "\
Examples:
  METABASE_API_KEY_FILE=key hedge bi push --url https://metabase.example.com --dry-run
  METABASE_API_KEY_FILE=key hedge bi push --url https://metabase.example.com --database hedge

The key is an API key of Metabase (Admin settings, Authentication, API keys) whose group may edit
collections. It comes from METABASE_API_KEY, METABASE_API_KEY_FILE or a credential of the unit, never
from the command line: who may list processes would see it there.";

/// Makes the dashboards of a Metabase what `hedge` ships.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Makes the collection `hedge` of a Metabase what the files say: new ones are added, changed ones changed, none doubled
    #[command(
        after_help = "Examples:\n  METABASE_API_KEY_FILE=key hedge bi push --url https://metabase.example.com --dry-run"
    )]
    Push {
        /// Where Metabase is
        #[arg(long, value_name = "URL")]
        url: String,
        /// What the database of hedge is called there
        #[arg(long, value_name = "NAME", default_value = "hedge")]
        database: String,
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
    },
}

/// Runs the command.
///
/// # Errors
///
/// No key, a Metabase that does not answer or refuses, or one that does not know the database.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let What::Push { url, database, dry_run } = args.what;
    let key = desk.environment.value("METABASE_API_KEY").map_err(Problems::from)?;
    let Some(key) = key else {
        return Err(Trouble {
            what: format!("could not push to {url}"),
            cause: "METABASE_API_KEY is not set".to_owned(),
            state: "nothing was asked".to_owned(),
            next: "make an API key in Metabase's admin settings, and name its file in METABASE_API_KEY_FILE"
                .to_owned(),
            exit: Exit::Usage,
        }
        .into());
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let metabase = Metabase::at(&url, &key).map_err(|error| trouble(&url, &error))?;
    let done = push::push(&metabase, &boards::shipped()?, &database, dry_run, out).await;
    done.map_err(|failed| match failed {
        push::Failed::Metabase(error) => trouble(&url, &error).into(),
        push::Failed::Writer(error) => anyhow::Error::from(error),
    })?;
    Ok(Exit::Done)
}

/// What a person reads.
fn trouble(url: &str, error: &MetabaseError) -> Trouble {
    let (next, exit) = match error {
        MetabaseError::Unanswered { .. } => {
            ("see that Metabase runs and is reached from here, and push again", Exit::Unavailable)
        }
        MetabaseError::Refused { status: 401 | 403, .. } => {
            ("give the key's group the right to edit collections, and to read the database", Exit::Failed)
        }
        MetabaseError::Refused { .. } | MetabaseError::Strange { .. } => {
            ("see whether this Metabase is one that the README names, and report it", Exit::Failed)
        }
        MetabaseError::NoDatabase { .. } => {
            ("add the database in Metabase's admin settings, or name it with --database", Exit::Usage)
        }
    };
    Trouble {
        what: format!("could not push to {url}"),
        cause: error.to_string(),
        state: "what was pushed before stands; pushing again goes on from there".to_owned(),
        next: next.to_owned(),
        exit,
    }
}
