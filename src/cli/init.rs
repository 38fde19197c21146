//! `hedge init`: a configuration file with every key explained.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::PathBuf,
};

use super::{Exit, Out, Trouble};
use crate::config::TEMPLATE;

const EXAMPLES: &str = "\
Examples:
  hedge init
  hedge init /etc/hedge/hedge.toml";

/// Writes a hedge.toml in which every key is explained.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Where to write it.
    #[arg(default_value = "hedge.toml")]
    pub path: PathBuf,
    /// Replace the file that is there.
    #[arg(long)]
    pub force: bool,
}

/// Writes the file.
///
/// # Errors
///
/// It exists already, or cannot be written. Nothing was changed.
pub fn run(args: &Args, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let path = args.path.display();
    write(args).map_err(|error| {
        let (cause, next) = if error.kind() == io::ErrorKind::AlreadyExists {
            ("it exists already".to_owned(), "name another path, or replace it with --force")
        } else {
            (error.to_string(), "name a path that can be written")
        };
        Trouble {
            what: format!("could not write `{path}`"),
            cause,
            state: "nothing was changed".to_owned(),
            next: next.to_owned(),
            exit: Exit::Failed,
        }
    })?;
    writeln!(out, "wrote {path}; fill in each 0x…, then try it with `hedge doctor`")?;
    Ok(Exit::Done)
}

fn write(args: &Args) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    if args.force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    options.open(&args.path)?.write_all(TEMPLATE.as_bytes())
}
