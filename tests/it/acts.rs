//! What a person does to orders and halts: each act and each refusal of one, as it reads.

use std::fmt::Write as _;

use clap::Parser as _;
use hedge::{
    assets::Threshold,
    cli::{Cli, trouble::outcome},
    config::Environment,
    sim::Strike,
};
use insta::{assert_snapshot, with_settings};
use tempfile::TempDir;

use crate::{
    pit::{Pit, Setup},
    why::steady,
    world::scratch,
};

/// An operator at a terminal, and all that stands on it.
struct Terminal<'p> {
    pit: &'p Pit,
    room: TempDir,
    written: String,
}

impl<'p> Terminal<'p> {
    fn at(pit: &'p Pit) -> Self {
        let terminal = Self { pit, room: scratch(), written: String::new() };
        std::fs::write(terminal.config(), configuration(pit)).unwrap();
        terminal
    }

    fn config(&self) -> std::path::PathBuf {
        self.room.path().join("hedge.toml")
    }

    /// Types a command; what it answers is kept.
    async fn types(&mut self, line: &str) {
        let environment =
            Environment::from_iter([("DATABASE_URL", self.pit.world.url().expose()), ("USER", "kim")]);
        let mut words = vec!["hedge".to_owned(), "--config".to_owned(), self.config().display().to_string()];
        for (place, part) in line.split('"').enumerate() {
            if place % 2 == 1 {
                words.push(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        let mut out = Vec::new();
        let (exit, trouble) = outcome(Cli::try_parse_from(words).unwrap().run(environment, &mut out).await);
        let said = String::from_utf8(out).unwrap();
        let trouble = trouble.map(|trouble| trouble.to_string()).unwrap_or_default();
        writeln!(self.written, "$ hedge {line}\n{said}{trouble}[{}]\n", exit.code()).unwrap();
    }

    fn shows(self, name: &str) {
        let room = self.room.path().display().to_string();
        with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
            assert_snapshot!(name, steady(&self.written.replace(&room, "…")));
        });
    }
}

/// A file that describes the pit.
pub fn configuration(pit: &Pit) -> String {
    let (source, cast) = (&pit.stage.source, pit.chain.cast());
    let mut assets = String::new();
    for asset in pit.stage.directory.assets() {
        let token = &asset.tokens[0];
        writeln!(
            assets,
            "[[asset]]\nsymbol = \"{}\"\ntokens = [{{ chain = {}, address = \"{}\", wrapped = {} }}]\n\
             threshold = {{ shares = 1 }}\n",
            asset.symbol, token.chain, token.address, token.wrapped
        )
        .unwrap();
    }
    format!(
        "[chain.{id}]\nrpc = [\"{}\"]\nusdc = \"{}\"\n\n\
         [[source]]\nname = \"{}\"\nchain = {id}\nkind = \"raindex-{}\"\naddress = \"{}\"\nowners = [\"{}\"]\nfrom_block = {}\n\n\
         {assets}[hedge]\nvenue = \"alpaca\"\n\n\
         [venue.alpaca]\nkind = \"alpaca\"\nenvironment = \"paper\"\nbase_url = \"{url}\"\ndata_url = \"{url}\"\n\n\
         [limits]\nmax_order_usd = 2000\nmax_day_usd = 1400\nprice_band_pct = 5\nmax_order_shares = 8\n",
        pit.node.url(),
        cast.usdc,
        source.name,
        cast.generation.as_str(),
        source.address,
        cast.owner,
        source.from_block,
        id = source.chain,
        url = pit.broker.url(),
    )
}

#[tokio::test]
async fn halting_and_going_live_say_what_they_did_and_what_they_did_not() {
    let pit = Pit::with(Setup { live: false, ..Setup::default() }).await;
    pit.sold("AAPL", "5").await;
    let mut terminal = Terminal::at(&pit);
    for line in [
        "resume --reason \"all is well\"",
        "halt TSLA --reason \"earnings tonight\"",
        "halt --reason \"the prices look wrong\"",
        "resume AAPL --reason \"a slip\"",
        "resume --reason \"the prices were right\"",
        "resume TSLA --reason \"earnings are out\"",
        "go-live --at raindex=1001 --reason \"no such source\"",
        "go-live --at 1001 --opening TSLA=-0.25 --reason \"rehearsed for a week\"",
        "go-live --reason \"again\"",
    ] {
        terminal.types(line).await;
    }
    terminal.shows("acts_of_halting");
}

#[tokio::test]
async fn an_act_on_an_order_that_cannot_be_says_why_and_what_else() {
    let pit = Pit::open().await;
    // Given an order that filled, one that fills in part and no more, and one that works
    pit.sold("AAPL", "5").await;
    pit.flat().await;
    pit.account.strike(Strike::Partial(500).once());
    pit.sold("AAPL", "4").await;
    pit.settle().await;
    pit.pass(std::time::Duration::from_secs(10)).await;
    pit.account.strike(Strike::Hold.once());
    pit.sold("TSLA", "2").await;
    pit.settle().await;
    let broker_id = pit.account.orders()[1].id.clone();
    let mut terminal = Terminal::at(&pit);
    for line in [
        "cancel 99 --reason \"wrong number\"",
        "cancel 1 --reason \"too late\"",
        "adopt 1 --broker-id b7 --reason \"too late\"",
        "resolve 1 --closed --reason \"too late\"",
        "resolve 2 --never-placed --reason \"it is not in the app\"",
        &format!("adopt 3 --broker-id {broker_id} --reason \"the wrong line of the app\""),
        "cancel 3 --reason \"earnings tonight\"",
        "resolve 2 --closed --reason \"the broker confirmed by phone\"",
    ] {
        terminal.types(line).await;
    }
    terminal.shows("acts_on_orders");
}

#[tokio::test]
async fn an_order_of_a_person_passes_the_limits_or_says_which_it_does_not() {
    // Given a price, and nothing traded: a day is the wall's, and the pit has another
    let pit = Pit::with(Setup { threshold: Threshold::Shares(100.into()), ..Setup::default() }).await;
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    let mut terminal = Terminal::at(&pit);
    for line in [
        "order place --symbol GME --side buy --quantity 1 --reason \"a mistake\"",
        "order place --symbol TSLA --side buy --quantity 1 --reason \"nobody traded it yet\"",
        "order place --symbol AAPL --side buy --quantity 9 --reason \"too many\"",
        "order place --symbol AAPL --side buy --quantity 11 --reason \"too dear\"",
        "order place --symbol AAPL --side buy --quantity 3 --reason \"yesterday's outage\"",
        "order place --symbol AAPL --side sell --quantity 8 --reason \"too much for a day\"",
        "cancel 1 --reason \"not needed any more\"",
        "halt AAPL --reason \"earnings tonight\"",
        "order place --symbol AAPL --side buy --quantity 3 --reason \"all the same\"",
    ] {
        terminal.types(line).await;
    }
    let text = configuration(&pit);
    std::fs::write(terminal.config(), text.split("[hedge]").next().unwrap()).unwrap();
    for line in
        ["order place --symbol AAPL --side buy --quantity 3 --reason \"elsewhere\"", "sweep --dry-run", "run"]
    {
        terminal.types(line).await;
    }
    terminal.shows("acts_of_placing");
}
