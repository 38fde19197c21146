//! Proves what was counted, and writes it out, beside those who count and those who publish.

use jiff::Timestamp;
use tokio::{
    sync::mpsc::{Receiver, Sender},
    task::spawn_blocking,
};

use super::{Done, Proof};
use crate::{
    book::{
        count::{Counted, Row, Symbol},
        pnl::{Figures, Trade},
    },
    job::pairing::Differs,
    store::pnl::{self as books, Ended, Sheet},
};

/// Bytes of rows that are handed on at a time.
const FULL: usize = 8 << 20;

/// Who proves what was counted, and writes it onto sheets.
pub(super) struct Scribe {
    proof: Proof,
    /// Something was published before.
    known: bool,
    sheet: Sheet,
    /// Days are handed on at the end, at once: a total that is kept of them is touched once.
    days: Sheet,
    /// To who publishes.
    to: Sender<Sheet>,
    done: books::Counted,
}

impl Scribe {
    /// For a run, and as of when.
    pub(super) fn new(proof: Proof, known: bool, (run, at): (i64, Timestamp), to: Sender<Sheet>) -> Self {
        let sheet = || Sheet::new(run, at);
        Self { proof, known, sheet: sheet(), days: sheet(), to, done: books::Counted::default() }
    }

    /// Works until nothing comes any more; how much of what it was.
    ///
    /// It sits on a thread of its own: polars waits on others, which no thread of the runtime may.
    pub(super) async fn work(self, counted: Receiver<Vec<Done>>) -> Result<books::Counted, Differs> {
        let worked = spawn_blocking(move || self.prove_and_write(counted)).await;
        worked
            .unwrap_or_else(|died| Err(Differs { of: "the second count".to_owned(), what: died.to_string() }))
    }

    fn prove_and_write(mut self, mut counted: Receiver<Vec<Done>>) -> Result<books::Counted, Differs> {
        while let Some(batch) = counted.blocking_recv() {
            let counts: Vec<&Counted> = batch.iter().map(|done| &done.counted).collect();
            (self.proof)(&counts)?;
            for done in batch {
                self.write(done);
            }
        }
        self.hand_on();
        // Who publishes stops first only where it failed, and that ends the run.
        let _ = self.to.blocking_send(self.days);
        Ok(self.done)
    }

    fn hand_on(&mut self) {
        let next = self.sheet.next();
        let _ = self.to.blocking_send(std::mem::replace(&mut self.sheet, next));
    }

    fn write(&mut self, Done { mut work, counted, last }: Done) {
        let since = work.since();
        if self.known {
            for share in &work.shares {
                self.sheet.forget(share, since);
            }
        }
        let name = |symbol: Symbol| work.names.name(symbol).to_owned();
        let mut old = std::mem::take(&mut work.old);
        self.done.shares += u64::try_from(work.shares.len()).unwrap_or(0);
        self.done.trades += u64::try_from(counted.rows.len()).unwrap_or(0);
        let mut matches = counted.matches.iter().peekable();
        let mut share = (Symbol::default(), name(Symbol::default()));
        for row in &counted.rows {
            if row.symbol != share.0 {
                share = (row.symbol, name(row.symbol));
            }
            let (_, share) = &share;
            while let Some(met) = matches.next_if(|met| met.closing == row.trade.key) {
                self.sheet.matched(share, met);
            }
            let was = if old.is_empty() { None } else { old.remove(&(share.clone(), row.trade.key)) };
            match was {
                Some((trade, figures)) if (trade, figures) == (row.trade, row.figures) => {}
                Some(was) => {
                    self.done.restated += u64::from(reads_otherwise(&was, row));
                    self.sheet.close(share, row.trade.key, Ended::Restated);
                    self.sheet.open(share, row, work.cause.as_deref());
                }
                None => {
                    self.done.added += 1;
                    self.sheet.open(share, row, None);
                }
            }
            if self.sheet.size() >= FULL {
                self.hand_on();
            }
        }
        for (share, key) in old.keys() {
            self.done.withdrawn += 1;
            self.sheet.close(share, *key, Ended::Withdrawn);
        }
        for ((symbol, date), day) in &counted.days {
            self.days.day(&name(*symbol), *date, day);
        }
        // What can take another name is counted whole.
        if work.shares.len() == 1 {
            for snapshot in &counted.snapshots {
                self.sheet.snapshot(&name(snapshot.symbol), snapshot.until, &snapshot.book, false);
            }
        }
        for (symbol, book) in &counted.books {
            let until = last.get(symbol).map_or(since, |last| last.saturating_add(1).max(since));
            let begun = work.place.as_ref().filter(|place| !place.is_last && place.until < until);
            if let Some(begun) = begun {
                self.sheet.snapshot(&name(*symbol), begun.until, &begun.book, false);
            }
            self.sheet.snapshot(&name(*symbol), until, book, true);
        }
    }
}

/// Whether a row says something else than before; a price that was learnt beside it is no restatement.
fn reads_otherwise((trade, figures): &(Trade, Figures), row: &Row) -> bool {
    let bare = |trade: &Trade| Trade { oracle: None, reference: None, ..*trade };
    bare(trade) != bare(&row.trade) || *figures != row.figures
}
