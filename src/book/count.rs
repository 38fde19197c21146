//! Counting: trades in order become rows, days, snapshots, and segments that a second count
//! can be held against.
//!
//! What may be counted together is what may take each other's names: mostly one share. It begins
//! with nothing, or where a snapshot stopped, and comes to the same either way.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{
    fill::Side,
    lot::{GridEnds, Lot},
    pnl::{Book, Bucket, Figures, Match, Opening, Spread, Trade},
};
use crate::{
    time::NewYorkDay,
    units::{Amount, Shares, Usd},
};

/// A share by its place among the names of a count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(pub u32);

/// What a company did to its shares, as it changes lots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// So many new shares for so many old ones.
    Split {
        /// New shares.
        new: Amount,
        /// For so many old ones.
        old: Amount,
    },
    /// The book goes on under another ticker.
    Rename {
        /// The new one.
        to: Symbol,
    },
}

/// Why a trade or an action cannot be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A number is more than any book holds.
    GridEnds,
    /// The name has a history of its own.
    Taken(Symbol),
}

impl From<GridEnds> for Trouble {
    fn from(GridEnds: GridEnds) -> Self {
        Self::GridEnds
    }
}

/// A trade, and where the books of its share stood after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The share, by its name then.
    pub symbol: Symbol,
    /// The trade.
    pub trade: Trade,
    /// Where the books stood.
    pub figures: Figures,
}

/// A share's New York day, summed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// How many trades.
    pub trades: u64,
    /// Shares and dollars bought.
    pub bought: (Shares, Usd),
    /// Shares and dollars sold.
    pub sold: (Shares, Usd),
    /// What matches earned, in the order of [`Bucket::ALL`].
    pub realized: [Usd; 3],
    /// What of that is parted.
    pub attributed: Usd,
    /// Into these.
    pub spread: Spread,
    /// What trades cost besides.
    pub fees: Usd,
    /// Fills that a broker's trade closed without an oracle's price or a reference.
    pub unattributed: u64,
    /// The position after the day's last trade.
    pub net_after: Shares,
    /// The position at the end of the day; after a split or another name it is another.
    pub closing_net: Shares,
    /// What it cost.
    pub closing_book: Usd,
}

impl Day {
    fn add(&mut self, trade: &Trade, figures: &Figures, matches: &[Match]) -> Result<(), GridEnds> {
        let (shares, usd) = match trade.side {
            Side::Buy => &mut self.bought,
            Side::Sell => &mut self.sold,
        };
        *shares = shares.plus(trade.quantity).ok_or(GridEnds)?;
        add(usd, trade.cash)?;
        add(&mut self.fees, trade.fee)?;
        for met in matches {
            if let Some(sum) = self.realized.iter_mut().zip(Bucket::ALL).find(|(_, of)| *of == met.bucket) {
                add(sum.0, met.pnl)?;
            }
            if let Some(spread) = met.spread {
                add(&mut self.attributed, met.pnl)?;
                add(&mut self.spread.edge, spread.edge)?;
                add(&mut self.spread.drift, spread.drift)?;
                add(&mut self.spread.slippage, spread.slippage)?;
            } else if met.hedges() {
                self.unattributed += 1;
            }
        }
        self.trades += 1;
        self.net_after = figures.net;
        self.close(figures);
        Ok(())
    }

    const fn close(&mut self, figures: &Figures) {
        self.closing_net = figures.net;
        self.closing_book = figures.book_value;
    }
}

fn add(sum: &mut Usd, more: Usd) -> Result<(), GridEnds> {
    *sum = sum.plus(more).ok_or(GridEnds)?;
    Ok(())
}

/// Where a share's books stood: everything before `until` is in them, nothing of it or after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The share.
    pub symbol: Symbol,
    /// Microseconds since 1970.
    pub until: i64,
    /// The books.
    pub book: Book,
}

/// Trades of one book between two splits: on one ruler of units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// The lots that it began with, and their side.
    pub opening: Option<(Side, Vec<Lot<Opening>>)>,
    /// Its trades, by their place among the rows.
    pub trades: Vec<usize>,
    /// Its matches, by their place.
    pub matches: Vec<usize>,
    /// The lots that it ended with, and their side.
    pub closing: Option<(Side, Vec<Lot<Opening>>)>,
}

/// What trades come to.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// One a trade, in order.
    pub rows: Vec<Row>,
    /// What closed what, in order.
    pub matches: Vec<Match>,
    /// Every day on which something happened to a share.
    pub days: BTreeMap<(Symbol, Date), Day>,
    /// Where books stood at the end of some days.
    pub snapshots: Vec<Snapshot>,
    /// All trades and matches, cut at splits.
    pub segments: Vec<Segment>,
    /// Where the books of each share end; none of a share that has another name now.
    pub books: BTreeMap<Symbol, Book>,
}

/// A share while it is counted.
#[derive(Debug, Default)]
struct State {
    book: Book,
    segment: Segment,
    day: Option<(NewYorkDay, Day)>,
    /// Trades since the last snapshot.
    unkept: usize,
}

fn lots(book: &Book) -> Option<(Side, Vec<Lot<Opening>>)> {
    (!book.queue.is_empty()).then(|| (book.queue.side(), book.queue.lots().copied().collect()))
}

/// Counts trades as they are given: in order.
#[derive(Debug)]
pub struct Counter {
    states: BTreeMap<Symbol, State>,
    counted: Counted,
    /// Trades of a share between two of its snapshots, at least.
    keep_every: usize,
    /// The day of the last event, for it mostly is the next one's too.
    today: Option<NewYorkDay>,
}

impl Counter {
    /// One that knows nothing yet, and keeps a snapshot of a share at the end of the day on which so
    /// many trades of it were counted since the last one.
    pub fn new(keep_every: usize) -> Self {
        Self { states: BTreeMap::new(), counted: Counted::default(), keep_every, today: None }
    }

    /// Goes on from a book, in the midst of a day if one is given.
    pub fn resume(&mut self, symbol: Symbol, book: Book, day: Option<(NewYorkDay, Day)>) {
        let segment = Segment { opening: lots(&book), ..Segment::default() };
        self.states.insert(symbol, State { book, segment, day, unkept: 0 });
    }

    fn day(&mut self, at: i64) -> NewYorkDay {
        match self.today {
            Some(today) if today.contains(at) => today,
            _ => *self.today.insert(NewYorkDay::of(at)),
        }
    }

    /// The state of a share on the day of `at`; what came before that day is put away.
    fn state(&mut self, symbol: Symbol, at: i64) -> &mut State {
        let today = self.day(at);
        let keep_every = self.keep_every;
        let state = self.states.entry(symbol).or_default();
        if let Some((day, sums)) = state.day.take_if(|(day, _)| *day != today) {
            self.counted.days.insert((symbol, day.date), sums);
            // A snapshot is worth its room where it is shorter than what it saves.
            if state.unkept >= keep_every.max(4 * state.book.queue.lots().len()) {
                state.unkept = 0;
                let book = state.book.clone();
                self.counted.snapshots.push(Snapshot { symbol, until: day.to, book });
            }
        }
        state.day.get_or_insert((today, Day::default()));
        state
    }

    /// The next trade.
    ///
    /// # Errors
    ///
    /// A number ends the grid. Stop.
    pub fn trade(&mut self, symbol: Symbol, trade: Trade) -> Result<(), Trouble> {
        let mut matches = std::mem::take(&mut self.counted.matches);
        let (row, known) = (self.counted.rows.len(), matches.len());
        let state = self.state(symbol, trade.key.at);
        let figures = state.book.trade(&trade, &mut matches)?;
        state.segment.trades.push(row);
        state.segment.matches.extend(known..matches.len());
        state.unkept += 1;
        if let Some((_, day)) = &mut state.day {
            day.add(&trade, &figures, matches.get(known..).unwrap_or_default())?;
        }
        self.counted.matches = matches;
        self.counted.rows.push(Row { symbol, trade, figures });
        Ok(())
    }

    /// What a company did to its shares. A share without books has nothing to change.
    ///
    /// # Errors
    ///
    /// A number ends the grid, or the new name has a history of its own. Stop.
    pub fn act(&mut self, symbol: Symbol, at: i64, action: Action) -> Result<(), Trouble> {
        if !self.states.contains_key(&symbol) {
            return Ok(());
        }
        let state = self.state(symbol, at);
        match action {
            Action::Split { new, old } => {
                let mut segment = std::mem::take(&mut state.segment);
                segment.closing = lots(&state.book);
                state.book.queue.split(new, old)?;
                state.segment.opening = lots(&state.book);
                let figures = state.book.figures(None);
                if let Some((_, day)) = &mut state.day {
                    day.close(&figures);
                }
                self.counted.segments.push(segment);
            }
            Action::Rename { to } => {
                if self.states.contains_key(&to) {
                    return Err(Trouble::Taken(to));
                }
                let Some(mut state) = self.states.remove(&symbol) else { return Ok(()) };
                let figures = state.book.figures(None);
                if let Some((day, mut sums)) = state.day.take() {
                    // The old name ends flat; its lots are the new one's from here on.
                    sums.close(&Figures::default());
                    self.counted.days.insert((symbol, day.date), sums);
                    let mut sums = Day { net_after: figures.net, ..Day::default() };
                    sums.close(&figures);
                    state.day = Some((day, sums));
                }
                self.states.insert(to, state);
            }
        }
        Ok(())
    }

    /// What it came to.
    pub fn end(mut self) -> Counted {
        for (symbol, mut state) in self.states {
            if let Some((day, sums)) = state.day {
                self.counted.days.insert((symbol, day.date), sums);
            }
            state.segment.closing = lots(&state.book);
            self.counted.segments.push(state.segment);
            self.counted.books.insert(symbol, state.book);
        }
        self.counted
    }
}
