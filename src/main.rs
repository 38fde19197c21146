//! Parse, listen, do, and say how it ended.

use std::{
    io::{self, BufWriter, Write},
    process::ExitCode,
};

use clap::Parser;
use hedge::{
    cli::{Cli, trouble::outcome},
    config::Environment,
};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let environment = Environment::of_this_process();
    cli.listen(&environment);
    // It fails only where one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();

    let mut out = BufWriter::new(io::stdout());
    let (exit, trouble) = outcome(Box::pin(cli.run(environment, &mut out)).await);
    if let Some(trouble) = trouble {
        // Nobody is left to be told that stderr is closed.
        let _ = write!(io::stderr(), "{trouble}");
    }
    exit.into()
}
