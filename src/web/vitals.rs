//! Whether all is well, at a glance: a tile for each thing that a person would ask first.
//!
//! Pure: it is given rows and the time, and says what they mean. Where nothing is known of a
//! thing, that is what its tile says.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::sheet::{Mood, Tile};
use crate::{
    cli::why::telling::age,
    engine::pulse::Pulse,
    job::health::Limits,
    policy::Reason,
    report::{Table, figure},
    time,
    units::{Amount, Usd},
};

/// What tiles are made of; what could not be read is none.
pub(super) struct Seen<'s> {
    pub(super) now: Timestamp,
    pub(super) vitals: Option<&'s Table>,
    pub(super) positions: Option<&'s Table>,
    pub(super) sources: Option<&'s Table>,
    /// The loops of this process, where it has some.
    pub(super) pulse: Option<&'s Pulse>,
}

/// One row of a table, and its time.
struct Row<'s> {
    now: Timestamp,
    table: &'s Table,
    values: &'s [Option<String>],
}

impl<'s> Row<'s> {
    fn text(&self, name: &str) -> Option<&'s str> {
        self.table.value(self.values, name)
    }

    fn count(&self, name: &str) -> i64 {
        self.text(name).and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    fn amount(&self, name: &str) -> Option<Amount> {
        self.text(name)?.parse().ok()
    }

    fn since(&self, name: &str) -> Option<SignedDuration> {
        let at: Timestamp = self.text(name)?.parse().ok()?;
        Some(time::age(at, self.now))
    }
}

/// Every tile, in the order in which a person would ask.
pub(super) fn tiles(seen: &Seen<'_>) -> Vec<Tile> {
    let of = |table| rows(table, seen.now);
    let (vitals, positions, sources) = (of(seen.vitals), of(seen.positions), of(seen.sources));
    let vitals = vitals.as_ref().and_then(|rows| rows.first());
    vec![
        known("Chain", sources.as_deref().map(chain)),
        known("Hedging", vitals.map(|row| hedging(row, seen.pulse))),
        known("Orders without an answer", vitals.map(orders)),
        known("Not hedged", positions.as_deref().map(exposure)),
        known("Reconciliation", vitals.map(proof)),
        known("Jobs", vitals.map(jobs)),
        known("Open alerts", vitals.map(alerts)),
    ]
}

fn rows(table: Option<&Table>, now: Timestamp) -> Option<Vec<Row<'_>>> {
    table.map(|table| table.rows.iter().map(|values| Row { now, table, values }).collect())
}

/// What a tile says, but for its name.
struct Said {
    mood: Mood,
    value: String,
    detail: String,
    next: String,
}

fn said(mood: Mood, value: impl Into<String>, detail: impl Into<String>, next: impl Into<String>) -> Said {
    Said { mood, value: value.into(), detail: detail.into(), next: next.into() }
}

fn known(name: &'static str, said: Option<Said>) -> Tile {
    let Said { mood, value, detail, next } = said.unwrap_or_else(|| Said {
        mood: Mood::Unknown,
        value: "not known".to_owned(),
        detail: "It could not be read in time.".to_owned(),
        next: String::new(),
    });
    Tile { name, mood, value, detail, next }
}

/// The source that is worst off.
fn chain(sources: &[Row<'_>]) -> Said {
    let next = "See that `hedge run` runs and its node answers: `hedge doctor`";
    if let Some(stopped) = sources.iter().find(|row| row.text("stopped_why").is_some()) {
        let name = stopped.text("source").unwrap_or_default();
        let why = stopped.text("stopped_why").unwrap_or_default();
        return said(
            Mood::Wrong,
            "stopped",
            format!("{name}: {why}"),
            "`hedge rewind --source NAME --to BLOCK --reason …`",
        );
    }
    let ages = sources.iter().filter_map(|row| Some((row.since("looked_at")?, row)));
    let Some((oldest, row)) = ages.max_by_key(|(age, _)| *age) else {
        return said(
            Mood::Unknown,
            "nothing read",
            "No source was read yet.",
            "`hedge doctor`, then `hedge run`",
        );
    };
    let late = oldest > Limits::default().cursor_age;
    let detail = format!(
        "{}: head looked at; block {}, {} behind",
        row.text("source").unwrap_or_default(),
        super::page::whole(row.text("number").unwrap_or_default()),
        super::page::whole(row.text("lag_blocks").unwrap_or("0")),
    );
    let mood = if late { Mood::Wrong } else { Mood::Well };
    said(mood, format!("{} ago", age(oldest)), detail, if late { next } else { "" })
}

fn hedging(row: &Row<'_>, pulse: Option<&Pulse>) -> Said {
    if row.count("live_sources") == 0 {
        return said(
            Mood::Look,
            "not live",
            "Hedging has not begun: nothing is sent, the positions say what would be.",
            "`hedge go-live --reason …`",
        );
    }
    let holder = row.text("holder").unwrap_or("nobody");
    if row.text("held") != Some("true") {
        let since = row.since("expires_at").map(|ago| format!(", for {}", age(ago)));
        let detail = format!("{holder} ended{}.", since.unwrap_or_default());
        return said(Mood::Wrong, "nobody hedges", detail, "Start it: `hedge run`");
    }
    if let Some(halted) = row.text("halted") {
        return said(
            Mood::Look,
            "halted",
            format!("{halted} is halted."),
            "Once that is over: `hedge resume --reason …`",
        );
    }
    let here = pulse.and_then(|pulse| pulse.ages().remove("hedger"));
    let swept = here.and_then(|swept| SignedDuration::try_from(swept).ok()).or_else(|| row.since("swept_at"));
    match swept {
        Some(swept) => said(
            Mood::Well,
            format!("{} ago", age(swept)),
            format!("Last sweep; {holder} has the lease."),
            "",
        ),
        None => {
            said(Mood::Well, "at work", format!("{holder} has the lease; nothing was to be hedged yet."), "")
        }
    }
}

fn orders(row: &Row<'_>) -> Said {
    if let Some(orders) = row.text("ambiguous") {
        let detail = "The evidence contradicts itself: the share rests until a person has looked.";
        return said(
            Mood::Wrong,
            format!("{orders} ambiguous"),
            detail,
            "See at the broker, then `hedge adopt` or `hedge resolve`",
        );
    }
    let live = row.count("live_orders");
    let Some(since) = row.since("unanswered_at") else {
        return said(Mood::Well, "none", format!("{live} on their way to a close."), "");
    };
    let symbol = row.text("unanswered_symbol").unwrap_or_default();
    let detail = format!(
        "#{} of {} was sent and not answered; it is looked for, and counts as in flight.",
        row.text("unanswered").unwrap_or_default(),
        symbol
    );
    let late = since > Limits::default().unanswered;
    said(
        if late { Mood::Wrong } else { Mood::Look },
        age(since),
        detail,
        if late { format!("`hedge why {symbol}`") } else { String::new() },
    )
}

/// What is exposed of all shares together, and which for longest times dollars.
fn exposure(positions: &[Row<'_>]) -> Said {
    let exposed: Vec<&Row<'_>> =
        positions.iter().filter(|row| row.amount("exposure").is_some_and(|it| !it.is_zero())).collect();
    if exposed.is_empty() {
        return said(Mood::Well, "nothing", "Every share that counts is hedged, or on its way.", "");
    }
    let total = exposed
        .iter()
        .filter_map(|row| row.amount("exposure_usd"))
        .try_fold(Amount::default(), |sum, usd| sum.plus(usd.abs()));
    let unpriced = exposed.iter().filter(|row| row.amount("exposure_usd").is_none()).count();
    let value = total.map_or_else(|| "too much to count".to_owned(), |total| figure::dollars(Usd(total)));
    let worst =
        exposed.iter().filter_map(|row| Some((row.amount("dollar_minutes")?, row))).max_by_key(|(it, _)| *it);
    let shares = counted(i64::try_from(exposed.len()).unwrap_or(i64::MAX), "share");
    let most = worst.map(|(dollar_minutes, row)| {
        let since = row.since("exposed_since").map(age).unwrap_or_default();
        let symbol = row.text("symbol").unwrap_or_default();
        format!("most is {symbol}: {} dollar-minutes, for {since}", figure::grouped(dollar_minutes, 0))
    });
    let unpriced = (unpriced > 0).then(|| format!("{unpriced} without a price"));
    let detail: Vec<String> = [Some(shares), most, unpriced].into_iter().flatten().collect();
    let detail = detail.join("; ");
    let odd = exposed.iter().find(|row| row.text("hold").is_some_and(|word| !is_usual(word)));
    match odd {
        Some(row) => {
            let (symbol, hold) =
                (row.text("symbol").unwrap_or_default(), row.text("hold").unwrap_or_default());
            said(
                Mood::Look,
                value,
                format!("{detail}; {symbol} is held back: {hold}."),
                format!("`hedge why {symbol}`"),
            )
        }
        None => said(Mood::Well, value, format!("{detail}."), ""),
    }
}

/// Whether a hold is the desk's everyday, and passes by itself or by a plan of somebody's.
fn is_usual(word: &str) -> bool {
    match Reason::named(word) {
        Some(
            Reason::Flat
            | Reason::BelowThreshold
            | Reason::BelowLot
            | Reason::NotLive
            | Reason::InFlight
            | Reason::Closed
            | Reason::Halted,
        ) => true,
        Some(
            Reason::NoThreshold
            | Reason::Ambiguous
            | Reason::HoursUnknown
            | Reason::AccountUnknown
            | Reason::NoPrice
            | Reason::PriceBand
            | Reason::DayLimit
            | Reason::Funds
            | Reason::NoShares
            | Reason::AccountBlocked
            | Reason::NotTradable
            | Reason::Refused
            | Reason::Throttled
            | Reason::Unauthorized,
        )
        | None => false,
    }
}

fn proof(row: &Row<'_>) -> Said {
    let Some(state) = row.text("proof") else {
        return said(
            Mood::Unknown,
            "never",
            "The books were not yet proved against the broker and the vaults.",
            "`hedge reconcile`",
        );
    };
    let ago = row.since("proof_at").map_or_else(|| "now".to_owned(), |ago| format!("{} ago", age(ago)));
    let detail = format!(
        "Of {}: {}",
        row.text("proof_date").unwrap_or_default(),
        row.text("proof_said").unwrap_or_default()
    );
    match state {
        "COMPLETE" if row.count("open_breaks") == 0 => said(Mood::Well, ago, detail, ""),
        "COMPLETE" => said(Mood::Look, ago, detail, "See what drifted, below"),
        _ => said(Mood::Wrong, ago, detail, "See its run under Jobs; then `hedge reconcile`"),
    }
}

fn jobs(row: &Row<'_>) -> Said {
    let jobs = row.count("jobs");
    if let Some(failed) = row.text("failed_jobs") {
        return said(Mood::Wrong, "failed", format!("{failed}: see Jobs."), "`hedge job run NAME`");
    }
    if jobs == 0 {
        return said(
            Mood::Unknown,
            "none ran",
            "No job has run yet.",
            "`hedge run`, or `hedge job run NAME`",
        );
    }
    let ago = row.since("job_at").map_or_else(|| "running".to_owned(), |ago| format!("{} ago", age(ago)));
    match row.text("jobs_that_found") {
        Some(found) => said(Mood::Look, ago, format!("{found} found something; see below."), ""),
        None => {
            said(Mood::Well, ago, format!("{} ended well, each when it ran last.", counted(jobs, "job")), "")
        }
    }
}

fn alerts(row: &Row<'_>) -> Said {
    let (critical, warnings, infos) = (row.count("critical"), row.count("warnings"), row.count("infos"));
    let first = row.text("first_alert").unwrap_or_default();
    if critical + warnings == 0 {
        let detail =
            if infos == 0 { String::new() } else { format!("{} to know of.", counted(infos, "thing")) };
        return said(
            Mood::Well,
            "none",
            if detail.is_empty() { "All is as it should be.".to_owned() } else { detail },
            "",
        );
    }
    let value = match (critical, warnings) {
        (0, warnings) => counted(warnings, "warning"),
        (critical, 0) => format!("{critical} critical"),
        (critical, warnings) => format!("{critical} critical, {}", counted(warnings, "warning")),
    };
    let mood = if critical > 0 { Mood::Wrong } else { Mood::Look };
    said(mood, value, first, "`hedge alert acknowledge KEY --until WHEN --reason …`")
}

fn counted(number: i64, thing: &str) -> String {
    match number {
        0 => format!("no {thing}s"),
        1 => format!("1 {thing}"),
        many => format!("{many} {thing}s"),
    }
}

/// An age that is counted by the machine's own clock.
pub(super) fn seconds(time: Duration) -> String {
    SignedDuration::try_from(time).map_or_else(|_| "for ever".to_owned(), age)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Column, Kind};

    fn table(pairs: &[(&str, &str)]) -> Table {
        let columns = pairs.iter().map(|(name, _)| Column { name: (*name).to_owned(), kind: Kind::Text });
        let row = pairs.iter().map(|(_, value)| (!value.is_empty()).then(|| (*value).to_owned()));
        Table { columns: columns.collect(), rows: vec![row.collect()] }
    }

    fn at(name: &str, vitals: &[(&str, &str)], positions: &[(&str, &str)], sources: &[(&str, &str)]) -> Tile {
        let (vitals, positions, sources) = (table(vitals), table(positions), table(sources));
        let seen = Seen {
            now: "2026-11-20T15:30:00Z".parse().unwrap(),
            vitals: Some(&vitals),
            positions: Some(&positions),
            sources: Some(&sources),
            pulse: None,
        };
        tiles(&seen).into_iter().find(|tile| tile.name == name).unwrap()
    }

    #[test]
    fn the_chain_is_as_well_as_the_source_that_was_looked_at_last() {
        let source = |looked_at: &str, stopped: &str| {
            at(
                "Chain",
                &[],
                &[],
                &[
                    ("source", "raindex"),
                    ("number", "1103"),
                    ("lag_blocks", "7"),
                    ("looked_at", looked_at),
                    ("stopped_why", stopped),
                ],
            )
        };
        let well = source("2026-11-20T15:29:57Z", "");
        assert_eq!((well.mood, well.value.as_str()), (Mood::Well, "3 s ago"));
        assert_eq!(well.detail, "raindex: head looked at; block 1,103, 7 behind");
        assert_eq!(source("2026-11-20T15:24:59Z", "").mood, Mood::Wrong);
        assert_eq!(source("2026-11-20T15:29:57Z", "a reorg deeper than its window").value, "stopped");
    }

    #[test]
    fn an_order_that_nobody_answered_is_looked_at_first_and_wrong_after_five_minutes() {
        let order = |sent: &str| {
            at(
                "Orders without an answer",
                &[
                    ("unanswered", "7"),
                    ("unanswered_symbol", "AAPL"),
                    ("unanswered_at", sent),
                    ("live_orders", "1"),
                ],
                &[],
                &[],
            )
        };
        assert_eq!(order("").mood, Mood::Well);
        assert_eq!(order("2026-11-20T15:29:00Z").mood, Mood::Look);
        let late = order("2026-11-20T15:20:00Z");
        assert_eq!((late.mood, late.value.as_str()), (Mood::Wrong, "10 min"));
    }

    #[test]
    fn what_is_not_hedged_is_summed_without_its_signs() {
        let of = |hold: &str| {
            at(
                "Not hedged",
                &[],
                &[
                    ("symbol", "AAPL"),
                    ("exposure", "-2.5"),
                    ("exposure_usd", "-468.125"),
                    ("dollar_minutes", "1404.375"),
                    ("exposed_since", "2026-11-20T15:27:00Z"),
                    ("hold", hold),
                ],
                &[],
            )
        };
        let usual = of("below threshold");
        assert_eq!((usual.mood, usual.value.as_str()), (Mood::Well, "$468.12"));
        assert_eq!(usual.detail, "1 share; most is AAPL: 1,404 dollar-minutes, for 3 min.");
        assert_eq!(of("no shares").mood, Mood::Look);
        assert_eq!(of("a word of tomorrow").mood, Mood::Look);
    }

    #[test]
    fn what_was_never_read_is_not_called_well() {
        let seen =
            Seen { now: Timestamp::UNIX_EPOCH, vitals: None, positions: None, sources: None, pulse: None };
        for tile in tiles(&seen) {
            assert_eq!((tile.mood, tile.value.as_str()), (Mood::Unknown, "not known"), "{}", tile.name);
        }
    }
}
