//! `hedge demo`: everything at work on this machine alone.
//!
//! Our own Postgres in a directory that is made anew each time, a rehearsal node and a
//! rehearsal Alpaca that are asked over HTTP, and the very functions behind `hedge backfill`
//! and `hedge run`: nothing below this file knows that chain and broker are not real. The
//! books are left where they are, to be looked into; no process is.
//!
//! - `broker`: the rehearsal Alpaca, and what the configuration says of it
//! - `live`: the head moves, fills are hedged, and what may go wrong does
//! - `hedged`: what was hedged, beside what the broker has, and one fill step by step
//! - `past`: two weeks of trading before
//! - `night`: the books proved, the day's money counted
//! - `books`: what is in the tables then, and whether it is the truth

mod books;
mod broker;
mod hedged;
mod live;
mod night;
mod past;

use std::{
    env,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use tokio::task::spawn_blocking;

use super::{
    Desk, Exit, Out, Trouble, backfill, sim,
    sources::{self, Sources},
};
use crate::{
    config::Config,
    engine::Stop,
    sim::{Provider, SimAlpaca, SimNode, Weather},
    store::{
        Db, Settings,
        embedded::{Cluster, default_data_dir},
    },
    time::{Clock, new_york_date},
};

const EXAMPLES: &str = "\
Examples:
  hedge demo          ends by itself in half a minute
  hedge demo --stay   goes on until ctrl-c, to be looked into";

/// Shows everything at work on this machine alone: a rehearsal node and broker, our own Postgres, fills, hedges, a reorg.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Keep everything running until interrupted.
    #[arg(long)]
    pub stay: bool,
}

/// What the node takes to answer, and the most blocks it answers for at once, as public ones do.
const LATENCY: Duration = Duration::from_millis(100);
const WIDEST: u64 = 250;
/// Between two looks at the head: the demo's blocks come faster than a chain's.
const POLL_MS: u64 = 100;

/// Runs the command.
///
/// # Errors
///
/// No Postgres is installed and none can be fetched, the directory cannot be used, or
/// a demo runs there already.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let stop = sources::until_told()?;
    let mut voice = Voice { out, color: desk.color };
    let played = play(&args, desk, &mut voice, &stop).await;
    if *stop.borrow() {
        // What broke off because of it is no failure.
        voice.say("\nended; nothing is left running")?;
        return Ok(Exit::Done);
    }
    played
}

async fn play(args: &Args, desk: &Desk, voice: &mut Voice<'_, '_>, stop: &Stop) -> anyhow::Result<Exit> {
    voice.title("hedge demo")?;
    voice.say("Everything at work on this machine alone, with no real money. Ctrl-c ends it at any time.")?;

    let home = Home::of(desk)?;
    voice.act("1", &format!("A Postgres of its own, in {}", home.path.display()))?;
    let home = spawn_blocking(|| home.made_anew()).await??;
    let settings = Settings { database_url: None, data_dir: home.path.clone() };
    let db = Db::open(&settings).await?;
    if *stop.borrow() {
        db.close().await;
        return Ok(Exit::Done);
    }
    let migrated = db.migrate().await?;
    voice.say(&format!("It is up, and holds the tables of {}.", migrated.applied.join(", ")))?;

    voice.act("2", "A chain, and a node that serves it over HTTP")?;
    let told = stop.clone();
    let days = past::days(new_york_date(Clock::Wall.now()))?;
    let (chain, closes) = spawn_blocking(move || past::traded(&days, &told)).await??;
    let node = SimNode::serve(chain.clone(), weather(LATENCY), "127.0.0.1:0").await?;
    voice.say(&format!(
        "Blocks {}..={} are invented, of what a Raindex orderbook emits: two weeks of a desk that makes a market.\n\
         Like many a public node it takes {} ms to answer, and refuses more than {WIDEST} blocks at once.",
        chain.first_block(),
        chain.head().number,
        LATENCY.as_millis(),
    ))?;
    let broker = broker::serve(&closes).await?;
    voice.say(&format!(
        "And an Alpaca, with {} dollars, whose market is open whatever the time.",
        broker.account().cash()
    ))?;
    let file = home.write_config(&node, &broker)?;
    let sources = home.sources(&file, db).await?;
    let stage = Stage { node, broker, sources, home: home.path.clone() };
    if *stop.borrow() {
        return Ok(Exit::Done);
    }

    let played = stage.play(args, voice, stop, &how_to_call(desk, &file)).await;
    stage.sources.db.close().await;
    played
}

/// A node that answers so late, and refuses what is too much at once.
fn weather(latency: Duration) -> Weather {
    Weather::calm().limited(Provider::Infura, Some(WIDEST), None).with_latency(latency)
}

/// What is played on: a node, a broker, and the books that are written of them.
struct Stage {
    node: SimNode,
    broker: SimAlpaca,
    sources: Sources,
    /// Where files are written.
    home: PathBuf,
}

impl Stage {
    async fn play(
        &self,
        args: &Args,
        voice: &mut Voice<'_, '_>,
        stop: &Stop,
        hedge: &str,
    ) -> anyhow::Result<Exit> {
        voice.act("3", "`hedge backfill` reads all of it")?;
        let all = self.sources.ready(None)?;
        let read = backfill::history(&self.sources, all, None, false, stop, voice.out).await?;
        if read != Exit::Done || *stop.borrow() {
            return Ok(read);
        }
        self.state_the_past(voice).await?;
        if *stop.borrow() {
            return Ok(Exit::Done);
        }

        voice.act("4", "`hedge run` follows the head, and hedges: two blocks a second")?;
        self.go_live(voice).await?;
        let seen = self.follow(Some(live::ACT), voice, stop).await?;
        if *stop.borrow() {
            return Ok(Exit::Done);
        }

        voice.act("5", "What was hedged")?;
        self.show_hedges(&seen, voice).await?;

        voice.act("6", "The night: the books are proved, and the day's money is counted")?;
        self.night(voice).await?;

        voice.act("7", "What else is in the tables now")?;
        self.show_tables(voice).await?;

        voice.act("8", "Three queries to try")?;
        self.show_queries(voice).await?;

        voice.act("9", "Your turn")?;
        let program = program();
        voice.say(&format!(
            "Look into these books:  {hedge} db psql\n\
             What is exposed:        {hedge} why SPYM\n\
             Every fill as JSON:     {hedge} show fills --json\n\
             Your own orders:        {program} init    (then: doctor, backfill, run)",
        ))?;
        if args.stay {
            voice.say("\nNode, broker, hedge and database go on until ctrl-c:")?;
            self.broker.account().hours(|hours| hours.always(Some(true)));
            self.follow(None, voice, stop).await?;
        }
        Ok(Exit::Done)
    }
}

/// Where the demo's books are kept, held by this process alone.
struct Home {
    path: PathBuf,
    _lock: File,
}

impl Home {
    /// `demo` below `--data` or the usual place. The configuration is not asked: it may be unfinished.
    fn of(desk: &Desk) -> anyhow::Result<Self> {
        let named = desk.data.clone().or_else(|| desk.environment.variable("HEDGE_DATA").map(PathBuf::from));
        let data = named.map_or_else(default_data_dir, Ok)?;
        // Made so that the user whom root's Postgres runs as can pass.
        Cluster::at(&data)?;
        let path = data.join("demo");
        let unusable = |error: io::Error| Trouble {
            what: format!("could not use {}", path.display()),
            cause: error.to_string(),
            state: "nothing was started".to_owned(),
            next: "name another directory: hedge --data DIRECTORY demo".to_owned(),
            exit: Exit::Failed,
        };
        let lock = File::create(data.join("demo.lock")).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::Error(error)) => Err(unusable(error).into()),
            Err(TryLockError::WouldBlock) => Err(Trouble {
                what: "a demo is running already".to_owned(),
                cause: format!("it uses {}", path.display()),
                state: "that one goes on; nothing was started".to_owned(),
                next: "end it with ctrl-c, or run a second one elsewhere: hedge --data DIRECTORY demo"
                    .to_owned(),
                exit: Exit::Failed,
            }
            .into()),
        }
    }

    /// Removes what the last demo left, its server too if that was killed. A Postgres
    /// that was fetched stays: once is enough.
    fn made_anew(self) -> anyhow::Result<Self> {
        let cluster = Cluster::at(&self.path)?;
        cluster.stop_for_all()?;
        let fetched = cluster.fetched();
        let remove = |left: fs::DirEntry| match left.file_type()?.is_dir() {
            true if fetched.file_name() == Some(&left.file_name()) => Ok(()),
            true => fs::remove_dir_all(left.path()),
            false => fs::remove_file(left.path()),
        };
        fs::read_dir(&self.path)
            .and_then(|mut left| left.try_for_each(|left| remove(left?)))
            .with_context(|| format!("could not empty {}", self.path.display()))?;
        Ok(self)
    }

    /// Writes the file that a person would have written.
    fn write_config(&self, node: &SimNode, broker: &SimAlpaca) -> anyhow::Result<PathBuf> {
        let file = self.path.join("hedge.toml");
        let data = toml::Value::from(self.path.to_string_lossy().into_owned());
        let chain = sim::configuration(node, "hedge_at = \"latest\"\n");
        let text = format!(
            "{chain}\n{}\n{}\n[store]\ndata = {data}\n",
            broker::configuration(broker),
            night::configuration(&self.path)
        );
        fs::write(&file, text).with_context(|| format!("could not write {}", file.display()))?;
        Ok(file)
    }

    /// What that file describes, in the books that are open.
    async fn sources(&self, file: &Path, db: Db) -> anyhow::Result<Sources> {
        let text = fs::read_to_string(file)?;
        let mut config = Config::of_file(file, &text, &broker::keys())?;
        for chain in &mut config.chains {
            chain.poll_ms = POLL_MS;
        }
        Sources::of(config, db).await
    }
}

/// How this program was called.
fn program() -> String {
    env::args().next().unwrap_or_else(|| "hedge".to_owned())
}

/// The words that reach these books from a shell, whatever its environment names.
fn how_to_call(desk: &Desk, file: &Path) -> String {
    let mut words = Vec::new();
    for name in ["DATABASE_URL", "HEDGE_DATA"] {
        if desk.environment.variable(name).is_some() {
            words.extend(["-u", name]);
        }
    }
    if !words.is_empty() {
        words.insert(0, "env");
    }
    let (program, file) = (program(), file.display().to_string());
    words.extend([program.as_str(), "--config", file.as_str()]);
    words.join(" ")
}

/// Says what happens; what is said is seen at once.
struct Voice<'v, 'o> {
    out: &'v mut Out<'o>,
    color: bool,
}

impl Voice<'_, '_> {
    fn say(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    fn title(&mut self, text: &str) -> io::Result<()> {
        if self.color { self.say(&format!("\x1b[1m{text}\x1b[0m")) } else { self.say(text) }
    }

    fn act(&mut self, number: &str, text: &str) -> io::Result<()> {
        self.say("")?;
        self.title(&format!("{number}. {text}"))
    }
}
