//! The job `pnl`: counts what trades earned, proves it by a second count, and publishes both or nothing.
//!
//! A full count is the definition. Every other run takes what the notes say has changed: of each
//! share it restores the last snapshot before the first change, and counts on from there; it comes
//! to the same rows. What reads otherwise than before closes one version and opens the next. All
//! of a run is one transaction: until it commits, the numbers of the run before hold.

mod scribe;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use futures_util::TryFutureExt;
use jiff::Timestamp;
use sqlx::{PgPool, Postgres, Transaction, pool::PoolConnection};
use tokio::sync::mpsc::{self, Receiver, Sender};

use scribe::Scribe;

use super::{
    Outcome, Run, Verdict,
    notify::{Voice, tell},
    pairing::{self, Differs},
};
use crate::{
    book::{
        count::{Action, Counted, Counter, Day, Symbol, Trouble},
        pnl::{Figures, Key, Trade},
    },
    policy::alert::{Condition, Seen, Severity},
    store::{
        StoreError,
        pnl::{self as books, Change, Fact, Names, Of, Place, Sheet},
    },
    time::NewYorkDay,
};

/// Trades that are proved at a time, at least.
const BATCH: usize = 100_000;

/// From when on everything is: microseconds since 1970.
const EVER: i64 = 0;

/// A second count, held against the first.
pub type Proof = fn(&[&Counted]) -> Result<(), Differs>;

/// How to count.
#[derive(Clone, Copy, Debug)]
pub struct Counting {
    /// All of it again, whatever the notes say.
    pub rebuild: bool,
    /// Trades of a share between two of its snapshots, at least.
    pub keep_every: usize,
    /// The second count.
    pub proof: Proof,
}

impl Counting {
    /// What changed, or all of it again.
    pub const fn new(rebuild: bool) -> Self {
        Self { rebuild, keep_every: 1_000, proof: pairing::agree }
    }
}

/// Why nothing was published.
#[derive(Debug)]
enum Stopped {
    Store(StoreError),
    Differs(Differs),
}

impl From<Differs> for Stopped {
    fn from(differs: Differs) -> Self {
        Self::Differs(differs)
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Counts, proves, publishes, and says what could not be counted.
///
/// # Errors
///
/// The database. What it had before holds.
pub async fn run(pool: &PgPool, run: &Run, voice: &Voice, how: &Counting) -> Result<Outcome, StoreError> {
    match publish(pool, run.at, how).await {
        Ok((counted, stopped)) => {
            let conditions: Vec<Condition> =
                stopped.iter().map(|(share, why)| uncounted(share, why, run.at)).collect();
            say(pool, run, voice, conditions).await?;
            let verdict = if stopped.is_empty() { Verdict::Done } else { Verdict::Found };
            Ok(Outcome { verdict, said: counted.said })
        }
        Err(Stopped::Differs(differs)) => {
            let said = format!("two counts differ, and nothing was published: {differs}");
            let mut conn =
                pool.acquire().await.map_err(|error| StoreError::of("reach the database", error))?;
            let refused = books::Counted { said: said.clone(), ..books::Counted::default() };
            let id = books::next_run(&mut conn).await?;
            books::record(&mut conn, id, run.at, &refused).await?;
            say(pool, run, voice, vec![inconsistent(&differs, run.at)]).await?;
            Ok(Outcome { verdict: Verdict::Inconsistent, said })
        }
        Err(Stopped::Store(error)) => Err(error),
    }
}

async fn say(pool: &PgPool, run: &Run, voice: &Voice, conditions: Vec<Condition>) -> Result<(), StoreError> {
    let seen = Seen {
        scope: run.job.clone(),
        run: run.id,
        at: run.at,
        conditions,
        unknown: Vec::new(),
        digest: None,
    };
    let failed = |error| StoreError::of("say what was counted", error);
    let mut tx = pool.begin().await.map_err(failed)?;
    tell(&mut tx, voice, &seen).await?;
    tx.commit().await.map_err(failed)
}

fn inconsistent(differs: &Differs, at: Timestamp) -> Condition {
    Condition {
        key: "pnl/inconsistent".to_owned(),
        class: "two counts differ".to_owned(),
        leg: "pnl".to_owned(),
        severity: Severity::Critical,
        symbol: None,
        about: "two counts of P&L differ".to_owned(),
        detail: format!("{differs}. Nothing was published: what was known before still holds."),
        next: "hedge pnl --rebuild; if it says the same, report it".to_owned(),
        usd: None,
        quantity: None,
        since: at,
        confirmed: true,
        acknowledged_until: None,
    }
}

fn uncounted(share: &str, why: &str, at: Timestamp) -> Condition {
    Condition {
        key: format!("pnl/uncounted/{share}"),
        class: "uncounted".to_owned(),
        leg: "pnl".to_owned(),
        severity: Severity::Critical,
        symbol: Some(share.to_owned()),
        about: format!("P&L of {share} is not counted"),
        detail: format!("{why}. The numbers of the run before still hold for it; other shares are counted."),
        next: format!("see `hedge show executions --symbol {share}` and its corporate actions"),
        usd: None,
        quantity: None,
        since: at,
        confirmed: true,
        acknowledged_until: None,
    }
}

/// Shares and why they could not be counted.
type Uncounted = BTreeMap<String, String>;

async fn publish(
    pool: &PgPool,
    at: Timestamp,
    how: &Counting,
) -> Result<(books::Counted, Uncounted), Stopped> {
    let failed = |error| StoreError::of("count P&L", error);
    let mut tx = pool.begin().await.map_err(failed)?;
    books::take_turn(&mut tx).await?;
    let mut beginning = pool.begin().await.map_err(failed)?;
    books::begin(&mut beginning, at).await?;
    beginning.commit().await.map_err(failed)?;
    let known = books::was_published(&mut tx).await?;
    let rebuilt = how.rebuild || !known;

    let mut facts = pool.begin().await.map_err(failed)?;
    books::freeze(&mut facts).await?;
    let notes = books::notes(&mut facts).await?;
    let changes = books::changes(&mut facts).await?;
    let id = books::next_run(&mut tx).await?;
    let (hand, counted) = mpsc::channel(1);
    let clerk = Clerk {
        how,
        known,
        changes: &changes,
        past: pool.acquire().await.map_err(failed)?,
        waiting: Vec::new(),
        hand,
        uncounted: Uncounted::new(),
    };
    let (to, sheets) = mpsc::channel(1);
    let scribe = Scribe::new(how.proof, known, (id, at), to);
    // While the database takes one batch, the next is proved and written out, and one more is read and counted.
    let (uncounted, done, mut tx) = tokio::try_join!(
        clerk.count_out(&mut facts, rebuilt),
        scribe.work(counted).err_into(),
        put_all(tx, sheets).err_into()
    )?;
    let mut done = books::Counted { rebuilt, published: true, ..done };
    facts.rollback().await.map_err(failed)?;

    books::heed(&mut tx, &notes).await?;
    for share in uncounted.keys() {
        books::note_share(&mut tx, share, EVER).await?;
    }
    done.said = said(&done, &uncounted);
    books::record(&mut tx, id, at, &done).await?;
    tx.commit().await.map_err(failed)?;
    Ok((done, uncounted))
}

/// Puts sheets into the tables, on a task of its own: whoever counts meanwhile keeps no row waiting.
async fn put_all(
    mut tx: Transaction<'static, Postgres>,
    mut sheets: Receiver<Sheet>,
) -> Result<Transaction<'static, Postgres>, StoreError> {
    let put = tokio::spawn(async move {
        while let Some(sheet) = sheets.recv().await {
            sheet.put(&mut tx).await?;
        }
        Ok(tx)
    });
    put.await.unwrap_or_else(|_| Err(StoreError::of("write P&L", sqlx::Error::WorkerCrashed)))
}

fn said(done: &books::Counted, uncounted: &Uncounted) -> String {
    let books::Counted { trades, shares, added, restated, withdrawn, .. } = done;
    let mut said = format!(
        "{trades} trades of {shares} shares counted twice: {added} added, {restated} restated, {withdrawn} withdrawn"
    );
    for (share, why) in uncounted {
        // Writing into memory does not fail.
        let _ = write!(said, "; {share} is not counted: {why}");
    }
    said
}

/// Shares that may take each other's names: one that never did is not among them.
fn families(changes: &[Change]) -> Vec<BTreeSet<String>> {
    let mut families: Vec<BTreeSet<String>> = Vec::new();
    for change in changes {
        let Some(to) = &change.to else { continue };
        let mut family = BTreeSet::from([change.symbol.clone(), to.clone()]);
        families.retain(|other| {
            let apart = other.is_disjoint(&family);
            if !apart {
                family.extend(other.iter().cloned());
            }
            apart
        });
        families.push(family);
    }
    families
}

/// What is to be counted: a share, or a family.
struct Work {
    names: Names,
    /// The shares that it is of.
    shares: BTreeSet<String>,
    /// Where it begins.
    place: Option<Place>,
    /// The day in whose midst that is.
    day: Option<(NewYorkDay, Day)>,
    trades: Vec<(Symbol, Trade)>,
    /// What was published since then.
    old: BTreeMap<(String, Key), (Trade, Figures)>,
    /// The first thing that changed.
    cause: Option<String>,
}

impl Work {
    fn since(&self) -> i64 {
        self.place.as_ref().map_or(EVER, |place| place.until)
    }
}

/// Counted, and not written yet.
struct Done {
    work: Work,
    counted: Counted,
    /// When the last thing happened to each share.
    last: BTreeMap<Symbol, i64>,
}

/// Who counts, for one run.
struct Clerk<'r> {
    how: &'r Counting,
    /// Something was published before.
    known: bool,
    changes: &'r [Change],
    /// Reads what was published before.
    past: PoolConnection<Postgres>,
    waiting: Vec<Done>,
    /// To who proves it.
    hand: Sender<Vec<Done>>,
    uncounted: Uncounted,
}

impl Clerk<'_> {
    /// All that is to be counted; what could not be.
    async fn count_out(
        mut self,
        facts: &mut Transaction<'_, Postgres>,
        rebuilt: bool,
    ) -> Result<Uncounted, Stopped> {
        if rebuilt {
            self.everything(facts).await?;
        } else {
            self.what_changed(facts).await?;
        }
        self.hand_on().await;
        Ok(self.uncounted)
    }

    /// All trades of all shares, from the first.
    async fn everything(&mut self, facts: &mut Transaction<'_, Postgres>) -> Result<(), Stopped> {
        let families = families(self.changes);
        let kin: BTreeSet<String> = families.iter().flatten().cloned().collect();
        let mut gone = if self.known { books::shares(&mut self.past).await? } else { BTreeSet::new() };
        let mut trades = books::trades(facts, Of::AllBut(&kin)).await?;
        let mut share: Option<(String, Vec<Fact>)> = None;
        while let Some((symbol, fact)) = trades.next().await? {
            match &mut share {
                Some((same, facts)) if *same == symbol => facts.push(fact),
                _ => {
                    if let Some((symbol, facts)) = share.replace((symbol, vec![fact])) {
                        gone.remove(&symbol);
                        self.whole(BTreeSet::from([symbol.clone()]), vec![(symbol, facts)]).await?;
                    }
                }
            }
        }
        drop(trades);
        if let Some((symbol, facts)) = share {
            gone.remove(&symbol);
            self.whole(BTreeSet::from([symbol.clone()]), vec![(symbol, facts)]).await?;
        }
        for family in families {
            gone.retain(|share| !family.contains(share));
            self.afresh(facts, family).await?;
        }
        for share in gone {
            self.whole(BTreeSet::from([share]), Vec::new()).await?;
        }
        Ok(())
    }

    /// What the notes speak of.
    async fn what_changed(&mut self, facts: &mut Transaction<'_, Postgres>) -> Result<(), Stopped> {
        let mut touched: BTreeMap<String, (i64, Vec<Fact>)> = BTreeMap::new();
        for (share, since) in books::touched_shares(facts).await? {
            touched.insert(share, (since, Vec::new()));
        }
        let mut trades = books::touched(facts).await?;
        while let Some((share, fact)) = trades.next().await? {
            let (since, facts) = touched.entry(share).or_insert((i64::MAX, Vec::new()));
            *since = (*since).min(fact.key().at);
            facts.push(fact);
        }
        drop(trades);
        for family in families(self.changes) {
            if family.iter().any(|share| touched.contains_key(share)) {
                touched.retain(|share, _| !family.contains(share));
                self.afresh(facts, family).await?;
            }
        }
        for (share, (since, changed)) in touched {
            if since <= EVER {
                self.afresh(facts, BTreeSet::from([share])).await?;
            } else {
                self.onward(share, since, changed).await?;
            }
        }
        Ok(())
    }

    /// These shares from their facts, from the first.
    async fn afresh(
        &mut self,
        facts: &mut Transaction<'_, Postgres>,
        shares: BTreeSet<String>,
    ) -> Result<(), Stopped> {
        let mut by_share: Vec<(String, Vec<Fact>)> = Vec::new();
        let mut trades = books::trades(facts, Of::These(&shares)).await?;
        while let Some((symbol, fact)) = trades.next().await? {
            match by_share.last_mut() {
                Some((same, facts)) if *same == symbol => facts.push(fact),
                _ => by_share.push((symbol, vec![fact])),
            }
        }
        drop(trades);
        self.whole(shares, by_share).await
    }

    /// These shares, of which these are all trades.
    async fn whole(
        &mut self,
        shares: BTreeSet<String>,
        facts: Vec<(String, Vec<Fact>)>,
    ) -> Result<(), Stopped> {
        let mut names = Names::default();
        let mut trades = Vec::with_capacity(facts.iter().map(|(_, facts)| facts.len()).sum());
        for (share, facts) in facts {
            let symbol = names.place(&share);
            for fact in facts {
                match fact {
                    Fact::Present(trade) => trades.push((symbol, *trade)),
                    Fact::Absent(_) => {}
                    Fact::Broken(key) => {
                        self.broken(&shares, key);
                        return Ok(());
                    }
                }
            }
        }
        let mut old = BTreeMap::new();
        if self.known {
            for share in &shares {
                let rows = books::rows(&mut self.past, share, EVER).await?;
                old.extend(
                    rows.into_iter().map(|(trade, figures)| ((share.clone(), trade.key), (trade, figures))),
                );
            }
        }
        let cause = Some("counted from the beginning".to_owned());
        self.count(Work { names, shares, place: None, day: None, trades, old, cause }).await;
        Ok(())
    }

    /// A share from the last snapshot before the first change.
    async fn onward(&mut self, share: String, since: i64, changed: Vec<Fact>) -> Result<(), Stopped> {
        let place = books::place_before(&mut self.past, &share, since).await?;
        let from = place.as_ref().map_or(EVER, |place| place.until);
        let today = NewYorkDay::of(from);
        let day = match &place {
            // In the midst of a day its sums go on.
            Some(_) if from > today.from => books::day(&mut self.past, &share, today.date).await?,
            _ => None,
        };
        let old = books::rows(&mut self.past, &share, from).await?;
        let mut now: BTreeMap<Key, Trade> = old.iter().map(|(trade, _)| (trade.key, *trade)).collect();
        let cause = changed.iter().map(Fact::key).min().map(|key| format!("{} {}", key.kind, key.id));
        // A log that was taken back may stand again in the same place.
        for key in changed.iter().filter(|fact| matches!(fact, Fact::Absent(_))).map(Fact::key) {
            now.remove(&key);
        }
        for fact in changed {
            match fact {
                Fact::Present(trade) => {
                    now.insert(trade.key, *trade);
                }
                Fact::Absent(_) => {}
                Fact::Broken(key) => {
                    self.broken(&BTreeSet::from([share]), key);
                    return Ok(());
                }
            }
        }
        let mut names = Names::default();
        let symbol = names.place(&share);
        let old =
            old.into_iter().map(|(trade, figures)| ((share.clone(), trade.key), (trade, figures))).collect();
        let cause = cause.or_else(|| Some("a corporate action".to_owned()));
        let trades = now.into_values().map(|trade| (symbol, trade)).collect();
        let day = day.map(|sums| (today, sums));
        self.count(Work { names, shares: BTreeSet::from([share]), place, day, trades, old, cause }).await;
        Ok(())
    }

    fn broken(&mut self, shares: &BTreeSet<String>, key: Key) {
        let why = format!("of {} {} shares and cash went the same way", key.kind, key.id);
        self.uncounted.extend(shares.iter().map(|share| (share.clone(), why.clone())));
    }

    async fn count(&mut self, mut work: Work) {
        match counted(&mut work, self.changes, self.how.keep_every) {
            Ok((counted, last)) => {
                self.waiting.push(Done { work, counted, last });
                let trades: usize = self.waiting.iter().map(|done| done.counted.rows.len()).sum();
                if trades >= BATCH {
                    self.hand_on().await;
                }
            }
            Err(trouble) => {
                let why = match trouble {
                    Trouble::GridEnds => "a sum is beyond 1e20".to_owned(),
                    Trouble::Taken(to) => format!(
                        "{} has a history of its own before it is taken as a name",
                        work.names.name(to)
                    ),
                };
                self.uncounted.extend(work.shares.iter().map(|share| (share.clone(), why.clone())));
            }
        }
    }

    /// Hands on what waits.
    async fn hand_on(&mut self) {
        // Who proves stops first only where it failed, and that ends the run.
        let _ = self.hand.send(std::mem::take(&mut self.waiting)).await;
    }
}

/// Counts, and says when the last thing happened to each share.
fn counted(
    work: &mut Work,
    changes: &[Change],
    keep_every: usize,
) -> Result<(Counted, BTreeMap<Symbol, i64>), Trouble> {
    let since = work.since();
    let mut actions: Vec<(i64, Symbol, Action)> = Vec::new();
    for change in changes.iter().filter(|change| change.at >= since && work.shares.contains(&change.symbol)) {
        let symbol = work.names.place(&change.symbol);
        if let Some(action) = change.action(&mut work.names) {
            actions.push((change.at, symbol, action));
        }
    }
    let mut counter = Counter::new(keep_every);
    if let Some(place) = &work.place {
        let symbol = work.shares.first().map(|share| work.names.place(share)).unwrap_or_default();
        counter.resume(symbol, place.book.clone(), work.day);
    }
    let mut trades = std::mem::take(&mut work.trades);
    trades.sort_by_key(|(_, trade)| trade.key);
    let mut last = BTreeMap::new();
    let mut actions = actions.into_iter().peekable();
    let act = |counter: &mut Counter, last: &mut BTreeMap<Symbol, i64>, (at, symbol, action)| {
        last.insert(symbol, at);
        if let Action::Rename { to } = action {
            last.insert(to, at);
        }
        counter.act(symbol, at, action)
    };
    for (symbol, trade) in trades {
        while let Some(due) = actions.next_if(|(at, ..)| *at <= trade.key.at) {
            act(&mut counter, &mut last, due)?;
        }
        last.insert(symbol, trade.key.at);
        counter.trade(symbol, trade)?;
    }
    for due in actions {
        act(&mut counter, &mut last, due)?;
    }
    Ok((counter.end(), last))
}
