//! What people hear of a reconciliation: a condition for each open break, and the digest.

use std::{collections::BTreeSet, fmt::Write as _};

use alloy::primitives::B256;
use jiff::civil::Date;

use crate::{
    book::recon::{
        Exposed, Findings, Judged,
        breaks::State,
        inputs::{Answer, Inputs, Kind, Leg},
    },
    job::{Run, Verdict},
    policy::alert::{Condition, Curve, Digest, Figures, Seen, Severity},
    store::recon::{Followed, RunRow},
    units::{Amount, Price, Shares, Usd},
};

/// All that may be told of a run.
pub(super) struct Told<'a> {
    pub(super) run: &'a Run,
    pub(super) verdict: Verdict,
    pub(super) row: &'a RunRow,
    pub(super) findings: &'a Findings,
    pub(super) inputs: &'a Inputs,
    pub(super) breaks: &'a [Followed],
    /// What the first look saw as well.
    pub(super) confirmed: &'a BTreeSet<B256>,
    pub(super) critical: Usd,
    pub(super) history: Vec<(Date, Amount)>,
}

/// What a run came to, in a sentence with figures.
pub(super) fn headline(findings: &Findings, open: usize, uncovered: usize) -> String {
    let judged = findings.legs.len();
    let mut said = match (open, judged) {
        (0, 0) => "nothing could be judged".to_owned(),
        (0, _) => format!("{judged} balances agree with the books, or differ for a known reason"),
        (1, _) => format!("1 open break; {judged} balances judged"),
        (_, _) => format!("{open} open breaks; {judged} balances judged"),
    };
    if uncovered > 0 {
        let _ = write!(said, "; {uncovered} exposures over their threshold without a reason");
    }
    match findings.unlisted.len() {
        0 => {}
        1 => said.push_str("; 1 vault of ours is not in the configuration"),
        many => {
            let _ = write!(said, "; {many} vaults of ours are not in the configuration");
        }
    }
    for (source, why) in &findings.unknown {
        let _ = write!(said, "; {source} is not judged: {why}");
    }
    said
}

/// Where a leg is seen, for muting.
fn place(leg: &Leg) -> String {
    format!("{}/{}", leg.kind.word(), leg.source())
}

/// The price of what a leg counts.
fn price(inputs: &Inputs, leg: &Leg) -> Option<Price> {
    if leg.is_cash() {
        return Price::of(Amount::ONE);
    }
    inputs.marks.iter().find(|mark| mark.symbol == leg.instrument).map(|mark| mark.price)
}

/// All that a run sees.
pub(super) fn seen(told: &Told<'_>) -> Seen {
    let Told { run, inputs, findings, .. } = told;
    let mut conditions: Vec<Condition> = told
        .breaks
        .iter()
        .filter(|one| !one.what.state.is_over())
        .filter_map(|one| condition(told, one))
        .collect();
    conditions
        .extend(findings.exposed.iter().filter(|one| !one.is_accounted_for()).map(|one| exposure(told, one)));
    conditions.extend(findings.unlisted.iter().map(|leg| unlisted(told, leg)));
    if told.verdict == Verdict::Inconsistent {
        conditions.push(Condition {
            key: "ledger".to_owned(),
            class: "LEDGER_INCONSISTENT".to_owned(),
            leg: "ledger".to_owned(),
            severity: Severity::Critical,
            symbol: None,
            about: "the books contradict themselves".to_owned(),
            detail: told.row.said.clone(),
            next: "nothing was judged: look at what the identity names, then `hedge reconcile` again"
                .to_owned(),
            usd: None,
            quantity: None,
            since: run.at,
            confirmed: true,
            acknowledged_until: None,
        });
    }
    let is_unknown = |source: &&str| {
        let mut cuts = inputs.cuts.iter().filter(|cut| cut.source == **source);
        cuts.any(|cut| matches!(cut.answer, Answer::Unknown(_)))
    };
    let sources = inputs.cuts.iter().map(|cut| cut.source.as_str()).filter(is_unknown);
    let unknown = if told.verdict == Verdict::Inconsistent {
        inputs.cuts.iter().flat_map(|cut| legs_of(&cut.source)).collect()
    } else {
        sources.flat_map(legs_of).collect()
    };
    Seen { scope: run.job.clone(), run: run.id, at: run.at, conditions, unknown, digest: Some(digest(told)) }
}

fn legs_of(source: &str) -> Vec<String> {
    Kind::ALL.iter().map(|kind| format!("{}/{source}", kind.word())).collect()
}

/// An open break; what is explained in time is in the digest alone.
fn condition(told: &Told<'_>, followed: &Followed) -> Option<Condition> {
    let one = &followed.what;
    if !one.state.needs_someone() && one.state != State::Acknowledged {
        return None;
    }
    let value = price(told.inputs, &one.leg).and_then(|price| Shares(one.quantity).at(price));
    let is_large = value.is_none_or(|value| Usd(value.0.abs()) >= told.critical);
    Some(Condition {
        key: format!("break/{}", followed.id),
        class: one.class_word(),
        leg: place(&one.leg),
        severity: if is_large { Severity::Critical } else { Severity::Warning },
        symbol: Some(one.leg.instrument.clone()),
        about: format!("{} {} {} leg", one.leg.instrument, signed(one.quantity), one.leg.kind.word()),
        detail: format!("{} at {}: {}", one.class_word(), one.leg.account, followed.detail),
        next: format!(
            "`hedge show breaks`; then `hedge accept --break {0}`, `hedge correct {0}` or `hedge write-off {0}`, each with `--reason`",
            followed.id
        ),
        usd: value,
        quantity: (!one.leg.is_cash()).then_some(Shares(one.quantity)),
        since: one.first_seen,
        confirmed: told.confirmed.contains(&one.key) || one.stuck,
        acknowledged_until: one.acknowledged_until,
    })
}

fn exposure(told: &Told<'_>, one: &Exposed) -> Condition {
    Condition {
        key: format!("exposure/{}", one.symbol),
        class: "EXPOSURE".to_owned(),
        leg: "hedge".to_owned(),
        severity: Severity::Warning,
        symbol: Some(one.symbol.clone()),
        about: format!("{} {} not hedged", one.symbol, signed(one.left)),
        detail: format!("{} held, {} in flight, and no reason on record why not more", one.net, one.pending),
        next: format!("hedge why {}", one.symbol),
        usd: one.value,
        quantity: Some(Shares(one.left)),
        since: one.oldest.unwrap_or(told.run.at),
        confirmed: true,
        acknowledged_until: None,
    }
}

fn unlisted(told: &Told<'_>, vault: &Leg) -> Condition {
    Condition {
        key: format!("vault/{}", vault.account),
        class: "UNKNOWN_VAULT".to_owned(),
        leg: place(vault),
        severity: Severity::Warning,
        symbol: Some(vault.instrument.clone()),
        about: format!("a vault of {} that nobody listed", vault.instrument),
        detail: format!("{} is of an owner of ours, and not among the `vaults` of its source", vault.account),
        next: "look who filled it; if it is ours, list it in `vaults` of its [[source]]".to_owned(),
        usd: None,
        quantity: None,
        since: told.run.at,
        confirmed: true,
        acknowledged_until: None,
    }
}

fn signed(amount: Amount) -> String {
    if amount.is_negative() { amount.to_string() } else { format!("+{amount}") }
}

fn digest(told: &Told<'_>) -> Digest {
    let Told { row, findings, breaks, .. } = told;
    let mut tables = Vec::new();
    let drift: Vec<Vec<String>> =
        findings.legs.iter().filter(|leg| !leg.residual.is_zero()).map(drifted).collect();
    table(
        &mut tables,
        "Drift",
        &["leg", "account", "instrument", "expected", "reported", "residual", "explained", "unexplained"],
        drift,
    );
    let live = breaks.iter().filter(|one| !one.what.state.is_over()).map(|one| {
        let what = &one.what;
        vec![
            one.id.to_string(),
            what.state.word().to_owned(),
            what.class_word(),
            what.leg.instrument.clone(),
            signed(what.quantity),
            format!("{} d", what.age(&told.inputs.calendar, told.run.date)),
            one.detail.clone(),
        ]
    });
    table(
        &mut tables,
        "Breaks",
        &["break", "state", "class", "instrument", "quantity", "age", "detail"],
        live.collect(),
    );
    let open = findings.exposed.iter().filter(|one| !one.within).map(|one| {
        let why = one
            .why
            .as_ref()
            .map_or_else(|| "no reason on record".to_owned(), |(why, since)| format!("{why}, since {since}"));
        let value = one.value.map_or_else(String::new, |value| value.0.cut(2).to_string());
        vec![one.symbol.clone(), signed(one.net), signed(one.pending), signed(one.left), value, why]
    });
    table(
        &mut tables,
        "Exposure over its threshold",
        &["symbol", "net", "pending", "left", "USD", "why"],
        open.collect(),
    );
    let moves = row.inventory.iter().filter_map(|one| {
        let ratio = one.ratio.map_or_else(String::new, |ratio| ratio.cut(4).to_string());
        Some(vec![
            one.instrument.clone(),
            one.onchain.to_string(),
            one.at_brokers.to_string(),
            ratio,
            one.suggestion()?,
        ])
    });
    table(
        &mut tables,
        "Inventory",
        &["instrument", "on chain", "at brokers", "on chain, part", "suggestion"],
        moves.collect(),
    );
    let points = told.history.iter().copied().filter(|(date, _)| *date != told.run.date);
    let today = findings.legs.iter().filter_map(|leg| {
        let value = Shares(leg.unexplained).at(leg.price?)?;
        Some(value.0.abs())
    });
    let today = today.fold(Amount::ZERO, |sum, one| sum.plus(one).unwrap_or(Amount::MAX));
    let curve = Curve {
        title: "Unexplained".to_owned(),
        unit: "USD".to_owned(),
        points: points.chain([(told.run.date, today)]).collect(),
    };
    Digest {
        date: Some(told.run.date),
        headline: row.said.clone(),
        subject: None,
        tables,
        curves: vec![curve],
    }
}

fn drifted(leg: &Judged) -> Vec<String> {
    vec![
        leg.leg.kind.word().to_owned(),
        leg.leg.account.clone(),
        leg.leg.instrument.clone(),
        leg.expected.to_string(),
        leg.reported.to_string(),
        signed(leg.residual),
        signed(leg.explained),
        signed(leg.unexplained),
    ]
}

fn table(tables: &mut Vec<Figures>, title: &str, heads: &[&str], rows: Vec<Vec<String>>) {
    if !rows.is_empty() {
        let heads = heads.iter().map(|head| (*head).to_owned()).collect();
        tables.push(Figures { title: title.to_owned(), heads, rows });
    }
}
