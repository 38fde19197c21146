//! `hedge man`: the manual, made from the command line itself.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_mangen::Man;

use super::{Cli, Exit, Out};

const EXAMPLES: &str = "\
Examples:
  hedge man | man -l -
  hedge man --dir /usr/local/share/man/man1    a page a command";

/// Prints the manual's first page, or writes a page for every command.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Write a file each into this directory.
    #[arg(long, value_name = "DIRECTORY")]
    dir: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// The writer's, or the disk.
pub fn run(args: &Args, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let Some(dir) = &args.dir else {
        Man::new(Cli::command()).render(&mut *out)?;
        return Ok(Exit::Done);
    };
    let written = fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(Cli::command(), dir));
    written.with_context(|| format!("could not write the manual into {}", dir.display()))?;
    writeln!(out, "written: {}", dir.join("hedge.1").display())?;
    Ok(Exit::Done)
}
