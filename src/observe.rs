//! The door to logs and to systemd: one function per event that matters.
//!
//! Words and fields live here, so that a search finds every mention of one
//! thing. Levels: `error` someone must act; `warn` strange, but recovered;
//! `info` a line of the day's story.

use std::time::Duration;

use jiff::Timestamp;
use sd_notify::NotifyState;

use crate::{
    book::{
        coverage::Contradiction,
        execution::Execution,
        log::Place,
        order::{OrderId, Report, Ticket},
        vault::VaultKey,
    },
    policy::{Intent, alert::machine::Notice},
};

/// A range was committed.
pub fn read(source: &str, from: u64, to: u64, fills: u64) {
    tracing::debug!(source, from, to, fills, "read");
}

/// The chain changed its mind.
pub fn reorg(source: &str, fork: Place, old: Place, depth: u64) {
    tracing::warn!(source, fork = fork.number, old = old.number, old_hash = %old.hash, depth, "the chain changed its mind: rewound and read again");
}

/// Two answers could not both be true.
pub fn contradicted(source: &str, lie: &Contradiction) {
    tracing::warn!(
        source,
        node = lie.node,
        block = lie.block_number,
        said = lie.said,
        against = lie.against,
        against_said = lie.against_said,
        "a node was caught in a contradiction"
    );
}

/// A source stands still until a person acts.
pub fn source_stopped(source: &str, why: &str) {
    tracing::error!(source, why, "stopped: `hedge rewind` lets it go on");
}

/// An audit found what the first reading had not.
pub fn audit_found(source: &str, block: u64, what: &str) {
    tracing::error!(source, block, what, "the audit corrected the books");
}

/// A vault of ours stands in no list.
pub fn unlisted_vault(source: &str, vault: &VaultKey, found_by: &str) {
    tracing::warn!(
        source,
        owner = %vault.owner,
        token = %vault.token,
        vault_id = %vault.vault_id,
        found_by,
        "a vault of ours is not among the source's `vaults`"
    );
}

/// The lease is ours.
pub fn lease_taken(fence: i64, holder: &str) {
    tracing::info!(fence, holder, "took the lease: this process hedges");
}

/// Somebody else has the lease now.
pub fn lease_lost(fence: i64) {
    tracing::error!(fence, "lost the lease: another process hedges now");
}

/// An order is written down.
pub fn planned(order: OrderId, intent: &Intent) {
    let Intent { symbol, side, quantity, terms, .. } = intent;
    tracing::info!(order = order.0, symbol, %side, %quantity, ?terms, "planned");
}

/// A plan was given up before anything left.
pub fn dropped(order: OrderId, why: &str) {
    tracing::info!(order = order.0, why, "dropped the plan");
}

/// An order left.
pub fn sent(order: OrderId, ticket: &Ticket, again: bool) {
    let Ticket { client_id, symbol, side, quantity, .. } = ticket;
    tracing::info!(order = order.0, client_id, symbol, %side, %quantity, again, "sent");
}

/// A broker has an order.
pub fn accepted(order: OrderId, report: &Report) {
    tracing::info!(order = order.0, broker_id = report.broker_id, status = report.word, "the broker has it");
}

/// Nobody knows whether an order exists.
pub fn unanswered(order: OrderId, why: &str) {
    tracing::warn!(order = order.0, why, "no answer: the order may exist, and is looked for");
}

/// A broker refused an order.
pub fn refused(order: OrderId, why: &str, said: &str) {
    tracing::warn!(order = order.0, why, said, "refused");
}

/// An execution is booked.
pub fn executed(order: OrderId, execution: &Execution) {
    let Execution { id, symbol, quantity, price, .. } = execution;
    tracing::info!(order = order.0, execution = id, symbol, %quantity, %price, "executed");
}

/// A trade was corrected, taken back or only told after its order had ended: exposure changed.
pub fn taken_back(execution: &Execution) {
    let Execution { id, symbol, quantity, corrects, .. } = execution;
    tracing::error!(execution = id, symbol, %quantity, corrects, "the broker changed, took back, or told late a trade of an order that had ended");
}

/// An order will never fill again.
pub fn closed(order: OrderId, why: &str, filled: crate::units::Shares) {
    tracing::info!(order = order.0, why, %filled, "closed");
}

/// The evidence contradicts itself.
pub fn doubted(order: OrderId, symbol: &str, why: &str) {
    tracing::error!(
        order = order.0,
        symbol,
        why,
        "ambiguous: the symbol rests until `hedge adopt` or `hedge resolve`"
    );
}

/// More was filled than was asked for.
pub fn overfilled(order: OrderId, asked: crate::units::Shares, filled: crate::units::Shares) {
    tracing::error!(order = order.0, %asked, %filled, "filled more than was asked: the rest is new exposure");
}

/// A broker used a word that we do not know.
pub fn strange(order: OrderId, word: &str) {
    tracing::error!(order = order.0, word, "the broker's word is not one that we know: taken as working");
}

/// An order rests at the broker for too long.
pub fn stuck(order: OrderId, symbol: &str, word: &str) {
    tracing::error!(order = order.0, symbol, status = word, "stuck: the market is open and nothing fills");
}

/// An order that is not ours is in our account.
pub fn foreign(venue: &str, report: &Report) {
    let Report { broker_id, symbol, side, quantity, .. } = report;
    let quantity = quantity.unwrap_or_default();
    tracing::error!(venue, broker_id, symbol, %side, %quantity, "an order that is not ours: it is reported, and not hedged back");
}

/// Everything was halted by ourselves.
pub fn halted(symbol: Option<&str>, why: &str) {
    tracing::error!(symbol, why, "halted: `hedge resume` lets it go on");
}

/// A venue does not let us in.
pub fn locked_out(venue: &str, said: &str, next: &str) {
    tracing::error!(venue, said, next, "nothing is sent: the venue does not let us in");
}

/// An account may not trade.
pub fn blocked(venue: &str, why: &str) {
    tracing::error!(venue, why, "nothing is sent: the account may not trade");
}

/// A login is five days old: it lasts seven.
pub fn login_ages(venue: &str, login_at: Timestamp) {
    tracing::warn!(venue, %login_at, "log in within two days: `hedge auth schwab`");
}

/// A login is six and a half days old, or over.
pub fn login_ends(venue: &str, login_at: Timestamp) {
    tracing::error!(venue, %login_at, "log in now: `hedge auth schwab`; nothing is hedged there once it is seven days old");
}

/// A job ended.
pub fn job_ended(job: &str, date: jiff::civil::Date, verdict: &str, said: &str) {
    tracing::info!(job, %date, verdict, said, "a job ended");
}

/// A job failed.
pub fn job_failed(job: &str, date: jiff::civil::Date, attempt: i32, why: &str) {
    tracing::error!(job, %date, attempt, why, "a job failed: it is tried again a few times; `hedge job list` shows it");
}

/// What is due could not be run.
pub fn jobs_held(why: &str) {
    tracing::warn!(why, "jobs wait: they are looked at again in a minute");
}

/// The page can be looked at.
pub fn page_begun(at: std::net::SocketAddr) {
    tracing::info!(%at, "the page is there");
}

/// The page is not there; everything else goes on.
pub fn page_held(at: std::net::SocketAddr, why: &str) {
    tracing::warn!(%at, why, "no page: it is tried again; everything else goes on");
}

/// How long the service manager waits for a sign of life before it ends us; none: it does not.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

/// The service is up.
pub fn service_ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The service is alive, and how it is.
pub fn service_alive(status: &str) {
    notify(&[NotifyState::Watchdog, NotifyState::Status(status)]);
}

/// Loops do not go on: the service manager hears nothing until they do, and ends us.
pub fn service_hangs(loops: &[String], time: Duration) {
    let status = format!("no step for {} s: {}", time.as_secs(), loops.join(", "));
    tracing::error!(?loops, "loops hang: the service manager will end this process unless they go on");
    notify(&[NotifyState::Status(&status)]);
}

/// The service was told to end, and ends.
pub fn service_stopping() {
    notify(&[NotifyState::Stopping, NotifyState::Status("ending: what was sent is waited for")]);
}

/// Where nobody listens, nothing is said.
fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "the service manager does not listen");
    }
}

/// People are told something.
pub fn told(scope: &str, notice: &Notice) {
    let condition = &notice.condition;
    tracing::info!(
        scope,
        key = condition.key,
        class = condition.class,
        severity = condition.severity.word(),
        what = notice.kind.word(),
        "{}",
        condition.about
    );
}

/// A message was taken by whoever brings it.
pub fn delivered(channel: &str, recipient: &str, message_id: &str, attempt: u32) {
    tracing::info!(channel, recipient, message_id, attempt, "delivered");
}

/// A message was not taken, and is tried again.
pub fn undelivered(channel: &str, recipient: &str, message_id: &str, attempt: u32, why: &str) {
    tracing::warn!(channel, recipient, message_id, attempt, why, "not delivered: it is tried again");
}

/// Nobody knows whether a message was taken.
pub fn perhaps_delivered(channel: &str, recipient: &str, message_id: &str, why: &str) {
    tracing::warn!(
        channel,
        recipient,
        message_id,
        why,
        "perhaps delivered: it is sent again under the same id, and the mailbox may hold it twice"
    );
}

/// A message is not tried any more.
pub fn given_up(channel: &str, recipient: &str, message_id: &str, attempt: u32, why: &str) {
    tracing::error!(channel, recipient, message_id, attempt, why, "given up: nobody there hears of it");
}
