//! The statement as text: what an operator reads at night, and what tables of a mail are made of.

use std::io::{self, Write};

use super::table::{Column, Form, Kind, Table};
use crate::{
    book::{
        pnl::Bucket,
        statement::{COSTS, Covered, INCOME, Line, Statement, Total},
    },
    policy::alert::{Curve, Digest, Figures},
    units::Usd,
};

/// Every figure of a statement: a row per line, as CSV and JSON have it.
pub fn lines(statement: &Statement) -> Table {
    type Figure = (&'static str, Kind, fn(&Line) -> Option<String>);
    const FIGURES: &[Figure] = &[
        ("symbol", Kind::Text, |line| line.symbol.clone()),
        ("opening_quantity", Kind::Exact, |line| Some(line.opening.net.to_string())),
        ("opening_book_usd", Kind::Exact, |line| Some(line.opening.book_value.to_string())),
        ("opening_market_usd", Kind::Exact, |line| line.opening.market().map(|usd| usd.to_string())),
        ("trades", Kind::Whole, |line| Some(line.trades.to_string())),
        ("bought_quantity", Kind::Exact, |line| Some(line.bought.0.to_string())),
        ("bought_usd", Kind::Exact, |line| Some(line.bought.1.to_string())),
        ("sold_quantity", Kind::Exact, |line| Some(line.sold.0.to_string())),
        ("sold_usd", Kind::Exact, |line| Some(line.sold.1.to_string())),
        ("action_quantity", Kind::Exact, |line| line.actions().map(|shares| shares.to_string())),
        ("closing_quantity", Kind::Exact, |line| Some(line.closing.net.to_string())),
        ("closing_book_usd", Kind::Exact, |line| Some(line.closing.book_value.to_string())),
        ("closing_market_usd", Kind::Exact, |line| line.closing.market().map(|usd| usd.to_string())),
        ("mark", Kind::Exact, |line| line.closing.mark.as_ref().map(|mark| mark.price.to_string())),
        ("mark_is_stale", Kind::Flag, |line| {
            line.closing.mark.as_ref().map(|mark| mark.is_stale.to_string())
        }),
        ("realized_usd", Kind::Exact, |line| line.realized().map(|usd| usd.to_string())),
        ("unrealized_change_usd", Kind::Exact, |line| line.unrealized_change().map(|usd| usd.to_string())),
        ("costs_usd", Kind::Exact, |line| line.costs().map(|usd| usd.to_string())),
        ("income_usd", Kind::Exact, |line| line.income().map(|usd| usd.to_string())),
        ("net_pnl_usd", Kind::Exact, |line| line.net().map(|usd| usd.to_string())),
        ("tie_out_usd", Kind::Exact, |line| line.tie_out().map(|usd| usd.to_string())),
        ("restated_usd", Kind::Exact, |line| Some(line.restated.to_string())),
        ("edge_usd", Kind::Exact, |line| Some(line.spread.edge.to_string())),
        ("drift_usd", Kind::Exact, |line| Some(line.spread.drift.to_string())),
        ("slippage_usd", Kind::Exact, |line| Some(line.spread.slippage.to_string())),
    ];
    Table {
        columns: FIGURES
            .iter()
            .map(|(name, kind, _)| Column { name: (*name).to_owned(), kind: *kind })
            .collect(),
        rows: statement
            .lines
            .iter()
            .map(|line| FIGURES.iter().map(|(_, _, figure)| figure(line)).collect())
            .collect(),
    }
}

/// The statement as the mail of a run has it: the sums, then a row per share on which something happened.
pub fn digest(statement: &Statement) -> Digest {
    let net = statement.total(Line::net);
    let row = |name: &str, sum: Total| vec![name.to_owned(), total(sum)];
    let sums = vec![
        row("net P&L", net),
        row("realized", statement.total(Line::realized)),
        row("unrealized change", statement.total(Line::unrealized_change)),
        row("costs", statement.total(Line::costs)),
        row("income", statement.total(Line::income)),
        row("days before restated", statement.total(|line| Some(line.restated))),
        row("tie-out", statement.total(Line::tie_out)),
    ];
    let shown = |usd: Option<Usd>| usd.map_or_else(|| "unknown".to_owned(), dollars);
    let shares = statement.lines.iter().filter(|line| moved(line)).map(|line| {
        vec![
            line.symbol.clone().unwrap_or_else(|| "no share".to_owned()),
            line.trades.to_string(),
            line.closing.net.to_string(),
            shown(line.realized()),
            shown(line.unrealized_change()),
            shown(line.net()),
        ]
    });
    let heads = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let breaks = statement.breaks.iter().map(|one| {
        vec![
            one.instrument.clone(),
            one.leg.clone(),
            one.class.clone(),
            one.state.to_lowercase().replace('_', " "),
            one.quantity.to_string(),
            shown(one.value),
        ]
    });
    let broken = (!statement.breaks.is_empty()).then(|| Figures {
        title: "Breaks".to_owned(),
        heads: heads(&["share", "leg", "class", "state", "quantity", "USD"]),
        rows: breaks.collect(),
    });
    let days = statement.days.iter().map(|(date, usd)| (*date, usd.0));
    let open = statement.breaks.iter().filter(|one| one.state.ends_with("OPEN")).count();
    let open = if open > 0 { format!(", {open} open") } else { String::new() };
    let headline = format!("{}: net P&L {}{open}", statement.date, total(net));
    Digest {
        date: Some(statement.date),
        subject: Some(format!("statement {headline}")),
        headline,
        tables: [
            Figures { title: "The day".to_owned(), heads: heads(&["", "USD"]), rows: sums },
            Figures {
                title: "By share".to_owned(),
                heads: heads(&["share", "trades", "position", "realized", "unrealized change", "net"]),
                rows: shares.collect(),
            },
        ]
        .into_iter()
        .chain(broken)
        .collect(),
        curves: vec![Curve {
            title: "Net P&L".to_owned(),
            unit: "USD".to_owned(),
            points: days.chain([(statement.date, net.usd.0)]).collect(),
        }],
    }
}

/// Whether there is anything to say of a share.
pub fn moved(line: &Line) -> bool {
    line.trades > 0
        || line.closing.net != line.opening.net
        || line.closing.net.0.atoms() != 0
        || line.restated != Usd::ZERO
        || !line.costs.is_empty()
        || !line.income.is_empty()
}

/// A sum as it is read: dollars and cents, and whether something is missing of it.
pub fn total(total: Total) -> String {
    match total.unknown {
        0 => dollars(total.usd),
        1 => format!("{}, one unknown", dollars(total.usd)),
        unknown => format!("{}, {unknown} unknown", dollars(total.usd)),
    }
}

/// Dollars and cents, rounded half to even: for eyes alone.
pub fn dollars(usd: Usd) -> String {
    let cents = usd.0.abs().atoms() / 10_000_000_000_000_000;
    let rest = usd.0.abs().atoms() % 10_000_000_000_000_000;
    let half = 5_000_000_000_000_000;
    let cents = cents + i128::from(rest > half || (rest == half && cents % 2 == 1));
    let sign = if usd.0.is_negative() && cents > 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

/// Writes it for people: the sums first, then a row per share, then what to be careful about.
///
/// # Errors
///
/// The writer's.
pub fn write(statement: &Statement, out: &mut dyn Write) -> io::Result<()> {
    let sum = |figure: fn(&Line) -> Option<Usd>| total(statement.total(figure));
    writeln!(out, "Statement of {} (New York), as known at {}", statement.date, statement.known_at)?;
    writeln!(out)?;
    writeln!(out, "net P&L              {}", sum(Line::net))?;
    writeln!(out, "  realized           {}", sum(Line::realized))?;
    for bucket in Bucket::ALL {
        let usd = statement.total(|line| Some(line.realized.get(&bucket).copied().unwrap_or_default()));
        writeln!(out, "    {:<17}{}", bucket.word().replace('_', " "), total(usd))?;
    }
    writeln!(out, "  unrealized change  {}", sum(Line::unrealized_change))?;
    writeln!(out, "  costs              {}", sum(Line::costs))?;
    kinds(statement, &COSTS, |line| &line.costs, out)?;
    writeln!(out, "  income             {}", sum(Line::income))?;
    kinds(statement, &INCOME, |line| &line.income, out)?;
    writeln!(out, "days before restated {}", sum(|line| Some(line.restated)))?;
    writeln!(
        out,
        "spread captured      {} = edge {} + drift {} + slippage {}",
        sum(|line| Some(line.attributed)),
        sum(|line| Some(line.spread.edge)),
        sum(|line| Some(line.spread.drift)),
        sum(|line| Some(line.spread.slippage))
    )?;
    writeln!(
        out,
        "tie-out              {}: market value {} + cash of trades {} - costs {} + income {} = {}",
        if statement.ties_out() { "ties out to the unit" } else { "DOES NOT TIE OUT" },
        sum(Line::market_change),
        sum(Line::traded_cash),
        sum(Line::costs),
        sum(Line::income),
        sum(Line::tie_out)
    )?;
    writeln!(out)?;
    let moved = Statement {
        lines: statement.lines.iter().filter(|line| moved(line)).cloned().collect(),
        ..statement.clone()
    };
    lines(&moved).write(
        Form::People,
        &[
            "symbol",
            "opening_quantity",
            "trades",
            "closing_quantity",
            "mark",
            "realized_usd",
            "unrealized_change_usd",
            "costs_usd",
            "income_usd",
            "net_pnl_usd",
            "restated_usd",
        ],
        out,
    )?;
    cares(statement, out)
}

fn kinds(
    statement: &Statement,
    kinds: &[&str],
    of: fn(&Line) -> &std::collections::BTreeMap<String, Usd>,
    out: &mut dyn Write,
) -> io::Result<()> {
    for kind in kinds {
        let usd = statement.total(|line| Some(of(line).get(*kind).copied().unwrap_or_default()));
        if usd.usd != Usd::ZERO {
            writeln!(out, "    {kind:<17}{}", total(usd))?;
        }
    }
    Ok(())
}

/// What something is worth, in brackets; nothing where it has no price.
fn worth(value: Option<Usd>) -> String {
    value.map_or_else(String::new, |usd| format!(" ({} USD)", dollars(usd)))
}

/// What a reader should know before relying on a sum.
fn cares(statement: &Statement, out: &mut dyn Write) -> io::Result<()> {
    if !statement.old_lots.is_empty() {
        writeln!(out, "\nopen for longer than a day:")?;
    }
    for lot in &statement.old_lots {
        writeln!(
            out,
            "  {} {} since {}, {}: {}",
            lot.quantity,
            lot.symbol,
            lot.opened_at,
            lot.opening,
            dollars(lot.cost)
        )?;
    }
    if statement.more_lots > 0 {
        writeln!(
            out,
            "  and {} more: select * from reporting.open_lot order by opened_at",
            statement.more_lots
        )?;
    }
    if !statement.drift.is_empty() {
        writeln!(out, "\ndrift, as reconciled last:")?;
    }
    for drift in &statement.drift {
        writeln!(
            out,
            "  {} {}: {}, unexplained {}{}",
            drift.leg,
            drift.instrument,
            drift.residual,
            drift.unexplained,
            worth(drift.value)
        )?;
    }
    if !statement.breaks.is_empty() {
        let (came, over, stand) = statement.broken();
        writeln!(out, "\nbreaks: {came} came up, {over} resolved, {stand} stand:")?;
    }
    for one in &statement.breaks {
        writeln!(
            out,
            "  {} {} {} {}: {}{}, since {}",
            one.state.to_lowercase().replace('_', " "),
            one.leg,
            one.instrument,
            one.class,
            one.quantity,
            worth(one.value),
            one.since
        )?;
    }
    if !statement.coverage.is_empty() {
        writeln!(out, "\ncoverage:")?;
    }
    for state in [Covered::Included, Covered::Partial, Covered::NotIngested] {
        let of = statement.coverage.iter().filter(|coverage| coverage.state == state);
        let of: Vec<String> = of
            .map(|coverage| match coverage.missing {
                0 => coverage.of.clone(),
                missing => format!("{} ({missing} missing)", coverage.of),
            })
            .collect();
        if !of.is_empty() {
            writeln!(out, "  {:<13} {}", state.word().replace('_', " "), of.join(", ").replace('_', " "))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_shown_to_the_cent_and_never_as_less_than_nothing() {
        for (exact, shown) in [
            ("3.45", "3.45"),
            ("-0.005", "0.00"),
            ("0.015", "0.02"),
            ("-1234.5678", "-1234.57"),
            ("0.125", "0.12"),
        ] {
            assert_eq!(dollars(Usd(exact.parse().unwrap())), shown);
        }
    }
}
