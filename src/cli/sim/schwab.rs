//! `hedge sim schwab`: a Schwab to rehearse with.

use std::{future::Future, io::Write};

use anyhow::Context;

use super::account::Account;
use crate::{
    secret::Secret,
    sim::{SchwabApp, SimSchwab, broker::CONTROL},
};

/// Requests a minute that the Trader API has been seen to take (`schwab.md` §9).
const RATE: u32 = 120;

const EXAMPLES: &str = "\
Examples:
  hedge sim schwab --open                            fills whatever the time
  hedge sim schwab --price AAPL=187.26 --cash 5000   little money, and a price of its own
  curl -X POST 'http://127.0.0.1:8601/sim/no-location'          the next order's place is not told
  curl -X POST 'http://127.0.0.1:8601/sim/login?expire=access'  who asks next must refresh";

/// Serves a Schwab over HTTP until ctrl-c: logins, trading, market data.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\nWhile it runs:\n{CONTROL}"))]
pub(super) struct Schwab {
    /// The port on 127.0.0.1; 0 is any that is free.
    #[arg(long, default_value_t = 8601)]
    port: u16,
    /// The app's key that is let in. No real one: it stands on a command line.
    #[arg(long, default_value = "K")]
    app_key: String,
    /// The app's secret.
    #[arg(long, default_value = "S")]
    app_secret: String,
    /// A refresh token that is good for seven days from the start.
    #[arg(long, default_value = "R")]
    refresh_token: String,
    /// Where logins must come back to [default: any https address].
    #[arg(long, value_name = "URL")]
    callback: Option<String>,
    #[command(flatten)]
    account: Account,
}

/// Serves a Schwab until told otherwise.
pub(super) async fn serve(
    args: Schwab,
    out: &mut (dyn Write + Send),
    until: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let (account, seed) = args.account.opened(RATE);
    let app = SchwabApp {
        key: Secret::new(&args.app_key),
        secret: Secret::new(&args.app_secret),
        refresh_token: Secret::new(&args.refresh_token),
        callback: args.callback,
    };
    let schwab = SimSchwab::serve(account.clone(), app, ("127.0.0.1", args.port))
        .await
        .with_context(|| format!("port {} cannot be listened on", args.port))?;
    write!(
        out,
        "\
# account {number} at {url}, seed {seed}; ctrl-c ends it
# SCHWAB_APP_KEY={key} SCHWAB_APP_SECRET={secret}, refresh token {refresh_token}

[venue.schwab]
kind = \"schwab\"
environment = \"paper\"
base_url = \"{url}\"
",
        number = account.number(),
        url = schwab.url(),
        key = args.app_key,
        secret = args.app_secret,
        refresh_token = args.refresh_token,
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
        schwab: Schwab,
    }

    #[tokio::test]
    async fn what_is_printed_is_configuration() {
        let line = "schwab --port 0 --app-key A --app-secret B --refresh-token C --seed 7";
        let schwab = Line::try_parse_from(line.split_whitespace()).unwrap().schwab;
        let mut out = Vec::new();
        serve(schwab, &mut out, async {}).await.unwrap();
        let said = String::from_utf8(out).unwrap();
        assert!(said.contains("refresh token C"), "{said}");
        let config: toml::Table = said.parse().unwrap();
        assert_eq!(config["venue"]["schwab"]["kind"].as_str(), Some("schwab"));
    }
}
