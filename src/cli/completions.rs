//! `hedge completions`: what a shell completes our commands with, made from the command line itself.

use clap::{CommandFactory as _, ValueEnum};
use clap_complete::{Shell, generate};

use super::{Cli, Exit, Out};

const EXAMPLES: &str = "\
Examples:
  hedge completions bash > /usr/share/bash-completion/completions/hedge
  hedge completions zsh > /usr/share/zsh/site-functions/_hedge
  hedge completions fish > ~/.config/fish/completions/hedge.fish";

/// Prints what a shell completes `hedge` with.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Which shell.
    #[arg(value_enum)]
    shell: Of,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Of {
    Bash,
    Zsh,
    Fish,
}

/// Runs the command.
///
/// # Errors
/// The writer's.
pub fn run(args: &Args, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let shell = match args.shell {
        Of::Bash => Shell::Bash,
        Of::Zsh => Shell::Zsh,
        Of::Fish => Shell::Fish,
    };
    // By way of memory: the generator stops the process where it cannot write.
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "hedge", &mut script);
    out.write_all(&script)?;
    Ok(Exit::Done)
}
