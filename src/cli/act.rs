//! What a person does to the hedging: each act with its reason, on record for good.
//!
//! None of these speaks with a broker: an act is written down, and whoever hedges goes by it.

use anyhow::Context as _;
use sqlx::{PgConnection, Postgres, pool::PoolConnection};

use super::{Desk, Exit, Out, Trouble, sources::Sources};
use crate::{
    book::{
        fill::Side,
        order::{OrderId, State},
    },
    engine::hedging::acts::{self, Done, Ending, NotDone, Wish},
    policy::{Mark, PriceSource},
    store::{
        Db, cursors,
        exposure::{self, Act, Opening},
        halts, imports, venues,
    },
    time::{Clock, new_york_date},
    units::{Amount, Shares, Usd},
};

/// Why it is done, and who does it is known.
#[derive(Debug, clap::Args)]
pub struct Because {
    /// Why; kept on record.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
}

/// The books, opened for one act.
struct Books {
    db: Db,
    author: String,
    clock: Clock,
}

impl Books {
    async fn open(desk: &Desk) -> anyhow::Result<Self> {
        let db = Db::open(&desk.store()?).await?;
        db.migrate().await?;
        Ok(Self { db, author: desk.author(), clock: Clock::Wall })
    }

    fn act<'a>(&'a self, because: &'a Because) -> Act<'a> {
        Act { author: &self.author, reason: &because.reason, at: self.clock.now() }
    }

    async fn connection(&self) -> anyhow::Result<PoolConnection<Postgres>> {
        self.db.pool().acquire().await.context("could not open a connection")
    }
}

const HALT_EXAMPLES: &str = "\
Examples:
  hedge halt TSLA --reason \"earnings tonight\"
  hedge halt --reason \"the prices look wrong\"     everything
  hedge resume TSLA --reason \"earnings are out\"";

/// Stops planning and sending: of one share, or of everything. What is at a broker stays there.
#[derive(Debug, clap::Args)]
#[command(after_help = HALT_EXAMPLES)]
pub struct Halt {
    /// The ticker; without it, everything is halted.
    symbol: Option<String>,
    #[command(flatten)]
    because: Because,
}

/// Lets go on what was halted.
#[derive(Debug, clap::Args)]
#[command(after_help = HALT_EXAMPLES)]
pub struct Resume {
    /// The ticker; without it, what was halted as a whole goes on.
    symbol: Option<String>,
    #[command(flatten)]
    because: Because,
}

fn named(symbol: Option<&str>) -> &str {
    symbol.unwrap_or("everything")
}

/// Halts.
///
/// # Errors
/// The database.
pub async fn halt(args: Halt, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let books = Books::open(desk).await?;
    let symbol = args.symbol.as_deref();
    halts::halt(&mut *books.connection().await?, symbol, books.act(&args.because)).await?;
    writeln!(
        out,
        "halted: {}; what is at a broker already stays there: `hedge show orders --live`",
        named(symbol)
    )?;
    books.db.close().await;
    Ok(Exit::Done)
}

/// Resumes.
///
/// # Errors
/// The database, or that nothing of the kind is halted.
pub async fn resume(args: Resume, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let books = Books::open(desk).await?;
    let symbol = args.symbol.as_deref();
    let mut conn = books.connection().await?;
    let halted = halts::halts(&mut conn).await?;
    if !halted.iter().any(|halt| halt.symbol.as_deref() == symbol) {
        let others: Vec<&str> = halted.iter().map(|halt| named(halt.symbol.as_deref())).collect();
        let (cause, next) = match others.as_slice() {
            [] => ("no halt holds".to_owned(), "nothing to do"),
            others => (format!("halted are: {}", others.join(", ")), "name what is halted"),
        };
        return Err(Trouble {
            what: match symbol {
                Some(symbol) => format!("{symbol} is not halted by itself"),
                None => "nothing is halted as a whole".to_owned(),
            },
            cause,
            state: "nothing was changed".to_owned(),
            next: next.to_owned(),
            exit: Exit::Usage,
        }
        .into());
    }
    halts::resume(&mut conn, symbol, books.act(&args.because)).await?;
    if symbol.is_none() {
        // Should it have been halted because an account is another one: that one is taken as it is.
        venues::forget_accounts(&mut conn).await?;
    }
    drop(conn);
    writeln!(out, "resumed: {}", named(symbol))?;
    books.db.close().await;
    Ok(Exit::Done)
}

const LIVE_EXAMPLES: &str = "\
Examples:
  hedge go-live --reason \"rehearsed for a week\"                 from the next block on
  hedge go-live --at 43400000 --opening AAPL=-0.25 --reason ...  from this block on, with what is open already
  hedge go-live --at raindex=43400000 --reason ...               of one source of several";

/// Begins hedging: fills from a block on are exposure. Until then nothing is sent.
#[derive(Debug, clap::Args)]
#[command(after_help = LIVE_EXAMPLES)]
pub struct GoLive {
    /// The first block whose fills are hedged, for all sources or for one; without it, the next one.
    #[arg(long, value_name = "[SOURCE=]BLOCK", value_parser = at)]
    at: Vec<(Option<String>, u64)>,
    /// What is exposed already and nobody hedged: shares, long is positive.
    #[arg(long, value_name = "SYMBOL=SHARES", value_parser = opening)]
    opening: Vec<Opening>,
    #[command(flatten)]
    because: Because,
}

fn at(text: &str) -> anyhow::Result<(Option<String>, u64)> {
    let (source, block) = match text.split_once('=') {
        Some((source, block)) => (Some(source.to_owned()), block),
        None => (None, text),
    };
    Ok((source, block.parse().with_context(|| format!("`{block}` is not the number of a block"))?))
}

fn opening(text: &str) -> anyhow::Result<Opening> {
    let (symbol, quantity) = text.split_once('=').context("write it as SYMBOL=SHARES, such as AAPL=-0.25")?;
    let quantity: Amount = quantity.parse()?;
    Ok(Opening { symbol: symbol.to_owned(), quantity: Shares(quantity) })
}

/// Goes live.
///
/// # Errors
/// The configuration, a source that is not there or was never read, or the database.
pub async fn go_live(args: GoLive, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let sources = Sources::open(desk).await?;
    let author = desk.author();
    let act = Act { author: &author, reason: &args.because.reason, at: sources.clock.now() };
    for (name, _) in &args.at {
        sources.named(name.as_deref())?;
    }
    let mut tx = sources.db.pool().begin().await.context("could not begin a transaction")?;
    let (mut begun, mut begins) = (Vec::new(), false);
    for opened in sources.named(None)? {
        let (id, source) = (opened.reading.id, &opened.reading.source);
        let said = args
            .at
            .iter()
            .find(|(name, _)| name.as_deref() == Some(&source.name))
            .or_else(|| args.at.iter().find(|(name, _)| name.is_none()));
        let block = match said {
            Some((_, block)) => *block,
            None if args.at.is_empty() => match cursors::cursor(&mut tx, id).await? {
                Some(cursor) => cursor.at.number + 1,
                None => return Err(never_read(&source.name).into()),
            },
            // Another source was named, and this one was not.
            None => continue,
        };
        let block = block.max(source.from_block);
        let twice = imports::from_block(&mut tx, id, block).await?;
        if twice > 0 {
            return Err(counted(&source.name, block, twice).into());
        }
        let line = if exposure::go_live(&mut tx, id, block, act).await? {
            begins = true;
            format!("{}: fills from block {block} on are hedged", source.name)
        } else {
            format!("{}: is hedged already; nothing was changed", source.name)
        };
        begun.push(line);
    }
    // Said a second time, it would be exposed twice.
    if !begins && !args.opening.is_empty() {
        return Err(Trouble {
            what: "what was open before cannot be stated any more".to_owned(),
            cause: "hedging had begun already".to_owned(),
            state: "nothing was changed".to_owned(),
            next: "see what is exposed: hedge show positions; place what is missing: hedge order place"
                .to_owned(),
            exit: Exit::Usage,
        }
        .into());
    }
    for opening in &args.opening {
        exposure::state(&mut tx, opening, act).await?;
        begun.push(format!("{}: {} stated as exposed", opening.symbol, opening.quantity));
    }
    tx.commit().await.context("could not commit")?;
    for line in begun {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "see what is exposed: hedge show positions")?;
    sources.db.close().await;
    Ok(Exit::Done)
}

fn counted(source: &str, block: u64, trades: u64) -> Trouble {
    Trouble {
        what: format!("`{source}` cannot go live at block {block}"),
        cause: format!("{trades} trades from there on are imported, and what they left open counts already"),
        state: "nothing was changed".to_owned(),
        next: "name the first block after the last imported trade: `hedge import` says which".to_owned(),
        exit: Exit::Usage,
    }
}

fn never_read(source: &str) -> Trouble {
    Trouble {
        what: format!("`{source}` cannot go live yet"),
        cause: "nothing was read of it".to_owned(),
        state: "nothing was changed".to_owned(),
        next: format!("read it first: hedge backfill --source {source}; or name the block with --at"),
        exit: Exit::Usage,
    }
}

const ORDER_EXAMPLES: &str = "\
Examples:
  hedge cancel 42 --reason \"wrong side of the news\"
  hedge adopt 42 --broker-id 6f0c2c0e-3d0b-4f3e-9d51-0b5b3d6f2a11 --reason \"seen in the broker's app\"
  hedge resolve 42 --never-placed --reason \"the broker confirmed by phone\"
  hedge resolve 42 --closed --reason \"the account was reset\"";

/// Cancels an order: one that has not left is dropped, of any other the broker is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = ORDER_EXAMPLES)]
pub struct Cancel {
    /// The order's number.
    order: i64,
    #[command(flatten)]
    because: Because,
}

/// Says which of the broker's orders an order of ours is; it is followed from now on.
#[derive(Debug, clap::Args)]
#[command(after_help = ORDER_EXAMPLES)]
pub struct Adopt {
    /// The order's number.
    order: i64,
    /// The broker's id.
    #[arg(long, value_name = "ID", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    broker_id: String,
    #[command(flatten)]
    because: Because,
}

/// Says how an order ended that cannot be found out.
#[derive(Debug, clap::Args)]
#[command(after_help = ORDER_EXAMPLES)]
#[command(group = clap::ArgGroup::new("ending").required(true))]
pub struct Resolve {
    /// The order's number.
    order: i64,
    /// It never reached the broker.
    #[arg(long, group = "ending")]
    never_placed: bool,
    /// It will never fill again, and what is booked is all that it filled.
    #[arg(long, group = "ending")]
    closed: bool,
    #[command(flatten)]
    because: Because,
}

/// Says what an act came to.
async fn told(
    done: Done<State>,
    order: i64,
    books: Books,
    said: impl Fn(State) -> String,
    out: &mut Out<'_>,
) -> anyhow::Result<Exit> {
    let done = done?;
    books.db.close().await;
    match done {
        Ok(state) => {
            writeln!(out, "{}", said(state))?;
            Ok(Exit::Done)
        }
        Err(error) => Err(not_done(order, &error).into()),
    }
}

fn not_done(order: i64, error: &NotDone) -> Trouble {
    let next = match error {
        NotDone::NoOrder(_) => "see which there are: hedge show orders".to_owned(),
        NotDone::State { .. } => format!("see what became of it: hedge show events {order}"),
        NotDone::Filled { .. } => "what filled is at the broker: resolve it with --closed".to_owned(),
        NotDone::Owned(owner) => format!("see which is whose: hedge show events {}", owner.0),
    };
    let state = match error {
        NotDone::NoOrder(_) => "nothing was changed",
        NotDone::State { .. } | NotDone::Filled { .. } | NotDone::Owned(_) => "it is as it was",
    };
    Trouble {
        what: format!("nothing was done to order #{order}"),
        cause: error.to_string(),
        state: state.to_owned(),
        next,
        exit: Exit::Usage,
    }
}

/// Cancels.
///
/// # Errors
/// The database, or an order that cannot be cancelled.
pub async fn cancel(args: Cancel, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let books = Books::open(desk).await?;
    let done = acts::cancel(books.db.pool(), OrderId(args.order), books.act(&args.because)).await;
    let said = |state| match state {
        State::Closed(_) => format!("order #{} had not left, and is dropped", args.order),
        State::Planned | State::Sent | State::Working | State::Ambiguous => format!(
            "asked for; whoever hedges asks the broker, and what it filled until then stays: hedge show events {}",
            args.order
        ),
    };
    told(done, args.order, books, said, out).await
}

/// Adopts.
///
/// # Errors
/// The database, or an order that cannot be adopted.
pub async fn adopt(args: Adopt, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let books = Books::open(desk).await?;
    let act = books.act(&args.because);
    let done = acts::adopt(books.db.pool(), OrderId(args.order), &args.broker_id, act).await;
    let said = |_| format!("order #{} is followed as {}", args.order, args.broker_id);
    told(done, args.order, books, said, out).await
}

/// Resolves.
///
/// # Errors
/// The database, or an order that is closed already, or has filled.
pub async fn resolve(args: Resolve, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let books = Books::open(desk).await?;
    let ending = if args.never_placed { Ending::NeverPlaced } else { Ending::Closed };
    let done = acts::resolve(books.db.pool(), OrderId(args.order), ending, books.act(&args.because)).await;
    let said = |_| format!("order #{} is closed; what it had in flight is exposure again", args.order);
    told(done, args.order, books, said, out).await
}

/// Places an order of your own.
#[derive(Debug, clap::Args)]
pub struct Order {
    #[command(subcommand)]
    what: OrderWhat,
}

#[derive(Debug, clap::Subcommand)]
enum OrderWhat {
    /// Asks for an order: it passes the same limits as a hedge, and stands in the same books
    Place(Place),
}

const PLACE_EXAMPLES: &str = "\
Examples:
  hedge order place --symbol AAPL --side buy --quantity 3 --reason \"the fill of yesterday's outage\"";

#[derive(Debug, clap::Args)]
#[command(after_help = PLACE_EXAMPLES)]
struct Place {
    /// The ticker.
    #[arg(long)]
    symbol: String,
    /// Buy or sell.
    #[arg(long, value_parser = side)]
    side: Side,
    /// How many shares.
    #[arg(long, value_name = "SHARES", value_parser = shares)]
    quantity: Shares,
    #[command(flatten)]
    because: Because,
}

fn side(text: &str) -> anyhow::Result<Side> {
    Side::named(&text.to_uppercase()).context("buy or sell expected")
}

fn shares(text: &str) -> anyhow::Result<Shares> {
    let quantity = Shares(text.parse::<Amount>()?);
    anyhow::ensure!(quantity > Shares::ZERO, "more than none expected");
    Ok(quantity)
}

/// Places an order.
///
/// # Errors
/// The configuration, a limit, a halt, or the database.
pub async fn order(args: Order, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let OrderWhat::Place(Place { symbol, side, quantity, because }) = args.what;
    let config = desk.config()?;
    let books = Books::open(desk).await?;
    let mut conn = books.connection().await?;
    let refuse = |cause: String, next: &str| -> anyhow::Error {
        Trouble {
            what: format!("{side} {quantity} {symbol} was not placed"),
            cause,
            state: "nothing was written".to_owned(),
            next: next.to_owned(),
            exit: Exit::Usage,
        }
        .into()
    };
    let (Some(hedge), Some(limits)) = (&config.hedge, &config.limits) else {
        return Err(refuse(
            "the configuration has no [hedge]".to_owned(),
            "write [hedge], [venue.NAME] and [limits]",
        ));
    };
    let asset = config.directory.assets().iter().find(|asset| asset.symbol == symbol);
    let Some(asset) = asset else {
        return Err(refuse(format!("no [[asset]] is called {symbol}"), "add one, or check the ticker"));
    };
    let name = asset.venue.as_ref().unwrap_or(&hedge.venue);
    let Some(settings) = config.venues.iter().find(|venue| venue.name == *name) else {
        return Err(refuse(format!("there is no [venue.{name}]"), "configure it"));
    };
    if let Some(halt) = halted(&mut conn, &symbol).await? {
        return Err(refuse(halt, "once that is over: hedge resume"));
    }
    let reference = reference(&mut conn, &symbol).await?.ok_or_else(|| {
        refuse(
            format!("nothing was ever filled of {symbol}: it cannot be held against the limits"),
            "read its fills first: hedge index",
        )
    })?;
    let worth = quantity.at(reference.price).unwrap_or(Usd::MOST);
    let now = books.clock.now();
    let midnight = new_york_date(now).in_tz("America/New_York").map_or(now, |midnight| midnight.timestamp());
    let (spent, _) = exposure::spent(&mut conn, midnight).await?;
    if worth > limits.max_order_usd {
        let cause =
            format!("it is worth {worth} USD, and an order may be worth {} USD", limits.max_order_usd);
        return Err(refuse(cause, "ask for less, or raise limits.max_order_usd"));
    }
    if let Some(most) = limits.max_order_shares.filter(|most| quantity > *most) {
        let cause = format!("an order may have {most} shares");
        return Err(refuse(cause, "ask for less, or raise limits.max_order_shares"));
    }
    if spent.plus(worth).is_none_or(|sum| sum > limits.max_day_usd) {
        let cause = format!(
            "it is worth {worth} USD, and of {} USD a day {spent} are traded or on their way",
            limits.max_day_usd
        );
        return Err(refuse(cause, "ask for less, or raise limits.max_day_usd"));
    }
    let venue =
        venues::venue(&mut conn, &settings.name, settings.broker.word(), settings.environment.word()).await?;
    drop(conn);
    let wish = Wish { venue, mark: settings.mark(), symbol, side, quantity, reference };
    let placed = acts::place(books.db.pool(), &wish, books.act(&because)).await?;
    let id = placed.context("the order was not written down")?;
    writeln!(
        out,
        "order {id} is written down; whoever hedges sends it in the next regular session: hedge show events {}",
        id.0
    )?;
    books.db.close().await;
    Ok(Exit::Done)
}

async fn halted(conn: &mut PgConnection, symbol: &str) -> anyhow::Result<Option<String>> {
    let halts = halts::halts(conn).await?;
    let halt = halts.into_iter().find(|halt| halt.symbol.as_deref().is_none_or(|halted| halted == symbol));
    Ok(halt.map(|halt| {
        format!("{} is halted by {}: {}", named(halt.symbol.as_deref()), halt.author, halt.reason)
    }))
}

async fn reference(conn: &mut PgConnection, symbol: &str) -> anyhow::Result<Option<Mark>> {
    let known = exposure::exposures(conn).await?.remove(symbol).and_then(|known| known.last_fill);
    Ok(known.map(|(price, at)| Mark { price, at, source: PriceSource::Fill }))
}
