//! `hedge sim alpaca`: an Alpaca to rehearse with.

use std::{future::Future, io::Write};

use anyhow::Context;

use super::account::Account;
use crate::{
    secret::Secret,
    sim::{AlpacaKeys, SimAlpaca, broker::CONTROL},
};

/// Requests a minute that the Trading API takes (`alpaca.md` §10).
const RATE: u32 = 200;

const EXAMPLES: &str = "\
Examples:
  hedge sim alpaca --open                            fills whatever the time
  hedge sim alpaca --price AAPL=187.26 --cash 5000   little money, and a price of its own
  hedge sim alpaca --storm 7                         answers lost, orders refused, all drawn from a seed
  curl -X POST 'http://127.0.0.1:8600/sim/drop?on=submit'   the next order is taken, its answer lost";

/// Serves an Alpaca over HTTP until ctrl-c: trading, the Broker API's paths of one account, quotes.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\nWhile it runs:\n{CONTROL}"))]
pub(super) struct Alpaca {
    /// The port on 127.0.0.1; 0 is any that is free.
    #[arg(long, default_value_t = 8600)]
    port: u16,
    /// The key that is let in. No real one: it stands on a command line.
    #[arg(long, default_value = "K")]
    key: String,
    /// The secret that goes with it.
    #[arg(long, default_value = "S")]
    secret: String,
    #[command(flatten)]
    account: Account,
}

/// Serves an Alpaca until told otherwise.
pub(super) async fn serve(
    args: Alpaca,
    out: &mut (dyn Write + Send),
    until: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let (account, seed) = args.account.opened(RATE);
    let keys = AlpacaKeys { key: Secret::new(&args.key), secret: Secret::new(&args.secret) };
    let alpaca = SimAlpaca::serve(account.clone(), keys, ("127.0.0.1", args.port))
        .await
        .with_context(|| format!("port {} cannot be listened on", args.port))?;
    write!(
        out,
        "\
# account {id} at {url}, seed {seed}; ctrl-c ends it
# ALPACA_API_KEY={key} ALPACA_API_SECRET={secret}

[venue.alpaca]
kind = \"alpaca\"
environment = \"paper\"
base_url = \"{url}\"
data_url = \"{url}\"
",
        id = account.id(),
        url = alpaca.url(),
        key = args.key,
        secret = args.secret,
    )?;
    out.flush()?;
    until.await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        alpaca: Alpaca,
    }

    #[tokio::test]
    async fn what_is_printed_is_configuration() {
        let line = "alpaca --port 0 --price XYZ=12.5 --seed 7 --storm 3 --open --now 2026-11-20T15:30:00Z";
        let alpaca = Line::try_parse_from(line.split_whitespace()).unwrap().alpaca;
        let mut out = Vec::new();
        serve(alpaca, &mut out, async {}).await.unwrap();
        let config: toml::Table = String::from_utf8(out).unwrap().parse().unwrap();
        assert_eq!(config["venue"]["alpaca"]["kind"].as_str(), Some("alpaca"));
    }

    #[test]
    fn words_that_mean_nothing_are_refused() {
        for wrong in ["--price AAPL", "--price AAPL=-1", "--cash lots", "--now noon"] {
            let words = "alpaca ".to_owned() + wrong;
            assert!(Line::try_parse_from(words.split_whitespace()).is_err(), "{wrong}");
        }
    }
}
