//! The statement as a page: for a screen, light or dark, and for one or two sheets of A4.
//!
//! It stands by itself: nothing is fetched, charts are drawn in it. Figures are rounded to cents
//! here, half to even; `hedge statement --csv` has them to the last digit.

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    chart::{Chart, Series, Shape, Theme},
    figure::{desk_time, dollars, quantity},
};
use crate::{
    book::{
        pnl::Bucket,
        statement::{COSTS, Covered, INCOME, Line, Standing, Statement, Total},
    },
    units::{Amount, Shares, Usd},
};

const STYLE: &str = include_str!("statement_page.css");

/// Days of the charts: a quarter.
const DAYS: usize = 63;
/// Shares of a chart, those that moved most.
const SHARES: usize = 12;

/// The page of a day's statement; `environment` is the name of the installation.
pub fn page(statement: &Statement, environment: &str) -> String {
    let date = statement.date.strftime("%A, %-d %B %Y").to_string();
    let page: Markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                title { "Statement of " (statement.date) " – hedge " (environment) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    header {
                        div {
                            h1 { "Statement" }
                            p { (date) ", by New York's day" }
                            p.muted { "hedge " (environment) " · as known at " (desk_time(statement.known_at)) }
                        }
                        div.net {
                            span.muted { "net P&L of the day" }
                            b { (summed(statement, Line::net)) }
                        }
                    }
                    (sums(statement))
                    (tie(statement))
                    div.charts {
                        @for chart in charts(statement) { (PreEscaped(chart.narrow_svg(Theme::Page))) }
                    }
                    (by_share(statement))
                    (parts(statement))
                    (old_lots(statement))
                    (drift(statement))
                    (breaks(statement))
                    (coverage(statement))
                    footer.muted {
                        p { "Net P&L is what matches realized and what more is not realized at the mark, less costs, with income. A day is not rewritten: what is learnt later of days before is restated in the day that it became known." }
                        p { "Rounded to cents, half to even; " code { "hedge statement --date " (statement.date) " --csv" } " has every digit." }
                    }
                }
            }
        }
    };
    page.into_string()
}

/// A figure over all lines, and whether something is missing of it.
fn summed(statement: &Statement, figure: impl Fn(&Line) -> Option<Usd>) -> Markup {
    let Total { usd, unknown } = statement.total(figure);
    html! {
        (money(usd))
        @if unknown > 0 { " " span.muted { "(" (unknown) " unknown)" } }
    }
}

/// The same in a table, where a star says that something is missing.
fn starred(statement: &Statement, figure: impl Fn(&Line) -> Option<Usd>) -> Markup {
    let Total { usd, unknown } = statement.total(figure);
    html! { (money(usd)) @if unknown > 0 { " *" } }
}

/// Dollars, with what is below zero told by its sign and shown besides.
fn money(usd: Usd) -> Markup {
    let text = dollars(usd);
    html! { @if text.starts_with('−') { span.down { (text) } } @else { (text) } }
}

fn sums(statement: &Statement) -> Markup {
    type Sum = (&'static str, fn(&Line) -> Option<Usd>);
    const SUMS: [Sum; 5] = [
        ("realized", Line::realized),
        ("unrealized, change", Line::unrealized_change),
        ("costs", Line::costs),
        ("income", Line::income),
        ("days before, restated", |line| Some(line.restated)),
    ];
    html! {
        div.sums {
            @for (name, figure) in SUMS { div { span.muted { (name) } b { (summed(statement, figure)) } } }
        }
    }
}

fn tie(statement: &Statement) -> Markup {
    let ties = statement.ties_out();
    let said = if ties { "Ties out to the unit." } else { "DOES NOT TIE OUT: rely on none of this." };
    html! {
        p.tie.not[!ties] {
            b { (said) } " Change of market value " (summed(statement, Line::market_change))
            " + cash of trades " (summed(statement, Line::traded_cash))
            " − costs " (summed(statement, Line::costs))
            " + income " (summed(statement, Line::income))
            " = " (summed(statement, Line::tie_out))
        }
    }
}

/// Each day's net P&L and their sum; what each share came to, where there are several; of what the spread is made.
fn charts(statement: &Statement) -> Vec<Chart> {
    let today = statement.total(Line::net);
    let mut days = statement.days.clone();
    days.retain(|(date, _)| *date < statement.date);
    days.push((statement.date, today.usd));
    let days = days.get(days.len().saturating_sub(DAYS)..).unwrap_or_default();
    let points: Vec<_> = days.iter().map(|(date, usd)| (*date, usd.0)).collect();
    let mut sum = Usd::ZERO;
    let mut sums = Vec::with_capacity(points.len());
    for (date, usd) in days {
        sum = sum.plus(*usd).unwrap_or(sum);
        sums.push((*date, sum.0));
    }
    let mut shares: Vec<(String, Amount)> = statement
        .lines
        .iter()
        .filter_map(|line| {
            Some((line.symbol.clone().unwrap_or_else(|| "no share".to_owned()), line.net()?.0))
        })
        .filter(|(_, net)| !net.is_zero())
        .collect();
    shares.sort_by_key(|(_, net)| std::cmp::Reverse(net.abs()));
    shares.truncate(SHARES);
    shares.sort_by_key(|(_, net)| std::cmp::Reverse(*net));
    let spread = |figure: fn(&Line) -> Usd| statement.total(|line| Some(figure(line))).usd.0;
    let captured = [
        ("edge", spread(|line| line.spread.edge)),
        ("drift", spread(|line| line.spread.drift)),
        ("slippage", spread(|line| line.spread.slippage)),
    ];
    let captured = captured.map(|(name, usd)| (name.to_owned(), usd));
    vec![
        Chart::of_days("Net P&L a day", "USD", Shape::Bars, &points),
        Chart::of_days("Net P&L, summed", "USD", Shape::Line, &sums),
        named("Net P&L by share", &shares),
        named("Spread captured, of what it is made", &captured),
    ]
}

/// A bar for each name.
fn named(title: &str, bars: &[(String, Amount)]) -> Chart {
    Chart {
        title: title.to_owned(),
        unit: "USD".to_owned(),
        shape: Shape::Bars,
        labels: bars.iter().map(|(name, _)| name.clone()).collect(),
        series: vec![Series {
            name: title.to_owned(),
            values: bars.iter().map(|(_, value)| Some(*value)).collect(),
        }],
    }
}

fn known(usd: Option<Usd>) -> Markup {
    usd.map_or_else(|| html! { span.muted { "unknown" } }, money)
}

fn shares(shares: Shares) -> String {
    quantity(shares)
}

fn mark(standing: &Standing) -> Markup {
    html! {
        @match &standing.mark {
            Some(mark) => {
                (dollars(Usd(mark.price.dollars())))
                @if mark.is_stale { span.muted { " old" } }
            }
            None => { span.muted { "none" } }
        }
    }
}

fn by_share(statement: &Statement) -> Markup {
    const HEADS: [&str; 11] = [
        "share",
        "opening",
        "trades",
        "closing",
        "mark",
        "market value",
        "realized",
        "unrealized",
        "costs",
        "income",
        "net P&L",
    ];
    html! {
        h2 { "By share" }
        @if statement.lines.is_empty() { p.muted { "Nothing was traded and nothing is open." } }
        @else {
            div.wide { table {
                thead { tr { @for head in HEADS { th { (head) } } } }
                tbody {
                    @for line in &statement.lines {
                        tr {
                            td { (line.symbol.as_deref().unwrap_or("no share")) }
                            td { (shares(line.opening.net)) }
                            td { (line.trades) }
                            td { (shares(line.closing.net)) }
                            td { (mark(&line.closing)) }
                            td { (known(line.closing.market())) }
                            td { (known(line.realized())) }
                            td { (known(line.unrealized_change())) }
                            td { (known(line.costs())) }
                            td { (known(line.income())) }
                            td { (known(line.net())) }
                        }
                    }
                    tr.sum {
                        td { "all" } td {} td { (statement.lines.iter().map(|line| line.trades).sum::<u64>()) } td {} td {}
                        td { (starred(statement, |line| line.closing.market())) }
                        td { (starred(statement, Line::realized)) }
                        td { (starred(statement, Line::unrealized_change)) }
                        td { (starred(statement, Line::costs)) }
                        td { (starred(statement, Line::income)) }
                        td { (starred(statement, Line::net)) }
                    }
                }
            } }
            @if statement.total(Line::net).unknown > 0 {
                p.muted { "* without what is unknown: a share that has no mark has no value, and none is made up." }
            }
        }
    }
}

/// One small table: a name and dollars a row.
fn part(title: &str, rows: &[(String, Total)]) -> Markup {
    html! {
        section {
            h2 { (title) }
            @if rows.is_empty() { p.muted { "none" } }
            @else {
                table { tbody { @for (name, total) in rows { tr { td { (name) } td { (money(total.usd)) } } } } }
            }
        }
    }
}

fn parts(statement: &Statement) -> Markup {
    let realized = Bucket::ALL.map(|bucket| {
        let figure = |line: &Line| Some(line.realized.get(&bucket).copied().unwrap_or_default());
        (bucket.word().replace('_', " "), statement.total(figure))
    });
    let kinds = |kinds: &[&str], of: fn(&Line) -> &BTreeMap<String, Usd>| -> Vec<(String, Total)> {
        let total = |kind: &&str| {
            let figure = |line: &Line| Some(of(line).get(*kind).copied().unwrap_or_default());
            ((*kind).to_owned(), statement.total(figure))
        };
        kinds.iter().map(total).filter(|(_, total)| total.usd != Usd::ZERO).collect()
    };
    html! {
        div.parts {
            (part("Realized, by how", &realized))
            (part("Costs", &kinds(&COSTS, |line| &line.costs)))
            (part("Income", &kinds(&INCOME, |line| &line.income)))
        }
    }
}

fn old_lots(statement: &Statement) -> Markup {
    html! {
        @if !statement.old_lots.is_empty() {
            h2 { "Open for longer than a day" }
            table {
                thead { tr { th { "share" } th { "quantity" } th { "cost" } th.l { "since" } th.l { "opened by" } } }
                tbody {
                    @for lot in &statement.old_lots {
                        tr {
                            td { (lot.symbol) } td { (shares(lot.quantity)) } td { (money(lot.cost)) }
                            td.l { (desk_time(lot.opened_at)) } td.l { (lot.opening) }
                        }
                    }
                }
            }
            @if statement.more_lots > 0 {
                p.muted { "and " (statement.more_lots) " more: " code { "select * from reporting.open_lot order by opened_at" } }
            }
        }
    }
}

fn drift(statement: &Statement) -> Markup {
    html! {
        @if !statement.drift.is_empty() {
            h2 { "Drift, as reconciled last" }
            table {
                thead { tr { th { "leg" } th.l { "of" } th { "residual" } th { "unexplained" } th { "worth" } } }
                tbody {
                    @for drift in &statement.drift {
                        tr {
                            td { (drift.leg) } td.l { (drift.instrument) }
                            td { (shares(drift.residual)) } td { (shares(drift.unexplained)) } td { (known(drift.value)) }
                        }
                    }
                }
            }
        }
    }
}

fn breaks(statement: &Statement) -> Markup {
    let (came, over, stand) = statement.broken();
    html! {
        @if !statement.breaks.is_empty() {
            h2 { "Breaks: " (came) " came up, " (over) " resolved, " (stand) " stand" }
            div.wide { table {
                thead { tr { th { "state" } th.l { "leg" } th.l { "of" } th.l { "class" } th { "quantity" } th { "worth" } th.l { "since" } } }
                tbody {
                    @for one in &statement.breaks {
                        tr {
                            td { (one.state.to_lowercase().replace('_', " ")) }
                            td.l { (one.leg) } td.l { (short(&one.instrument)) } td.l { (one.class) }
                            td { (shares(one.quantity)) } td { (known(one.value)) } td.l { (desk_time(one.since)) }
                        }
                    }
                }
            } }
        }
    }
}

/// A share as it is, and of an address its ends.
fn short(instrument: &str) -> String {
    match (instrument.get(..6), instrument.len().checked_sub(4).and_then(|end| instrument.get(end..))) {
        (Some(first), Some(last)) if instrument.starts_with("0x") => format!("{first}…{last}"),
        _ => instrument.to_owned(),
    }
}

fn coverage(statement: &Statement) -> Markup {
    let told = |state: Covered| {
        let of = statement.coverage.iter().filter(|it| it.state == state);
        let of = of.filter(|it| it.state != Covered::Included || it.missing > 0);
        let of = of.map(|coverage| match coverage.missing {
            0 => coverage.of.replace('_', " "),
            missing => format!("{} ({missing} missing)", coverage.of.replace('_', " ")),
        });
        of.collect::<Vec<_>>().join(", ")
    };
    let missing = [
        ("In part: ", told(Covered::Partial)),
        ("Not ingested: ", told(Covered::NotIngested)),
        ("Included, but for some: ", told(Covered::Included)),
    ];
    html! {
        @if missing.iter().any(|(_, of)| !of.is_empty()) {
            h2 { "Not in these figures" }
            @for (state, of) in missing.iter().filter(|(_, of)| !of.is_empty()) { p { b { (state) } (of) "." } }
            p.muted { "Where costs are not ingested, the net is an upper bound." }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, civil::date};

    use super::*;
    use crate::{
        book::{
            pnl::Spread,
            statement::{Coverage, DayBreak, Drift, Mark, OldLot},
        },
        units::Price,
    };

    fn usd(text: &str) -> Usd {
        Usd(text.parse().unwrap())
    }

    fn standing(net: &str, book: &str, price: Option<&str>) -> Standing {
        let mark = |price: &str| Mark {
            price: Price::of(price.parse().unwrap()).unwrap(),
            as_of: Timestamp::UNIX_EPOCH,
            source: "close".to_owned(),
            is_stale: net.starts_with('-'),
        };
        Standing { net: Shares(net.parse().unwrap()), book_value: usd(book), mark: price.map(mark) }
    }

    fn line(symbol: &str, net: &str, price: Option<&str>, earned: &str) -> Line {
        let book = Shares(net.parse().unwrap()).at(Price::of("147.5".parse().unwrap()).unwrap()).unwrap();
        let bought = book.minus(usd(earned)).unwrap();
        let realized = usd(earned).plus(usd("-2.9")).unwrap();
        let mut line = Line {
            symbol: Some(symbol.to_owned()),
            opening: standing("0", "0", price),
            closing: standing(net, &book.to_string(), price),
            trades: 17,
            bought: (Shares("2.7".parse().unwrap()), bought.plus(usd("0")).unwrap()),
            sold: (Shares("2.3".parse().unwrap()), Usd::ZERO),
            realized: [(Bucket::OnchainNetting, realized), (Bucket::CounterTrade, usd("2.9"))].into(),
            attributed: usd(earned),
            spread: Spread { edge: usd("5"), drift: usd("-0.35"), slippage: usd("-1.2") },
            restated: usd("-0.3"),
            ..Line::default()
        };
        line.costs = [("gas".to_owned(), usd("0.02")), ("regulatory".to_owned(), usd("1.13"))].into();
        line.income = [("dividend".to_owned(), usd("0.1"))].into();
        line
    }

    fn statement() -> Statement {
        let mut days = Vec::new();
        let mut day = date(2026, 9, 1);
        for place in 0..80_i64 {
            if !matches!(day.weekday(), jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday) {
                days.push((day, usd(&format!("{}.{:02}", (place * 7_919 % 163) - 52, place))));
            }
            day = day.tomorrow().unwrap();
        }
        let shares = [
            ("AAPL", "0.4", Some("147.40"), "182.45"),
            ("AMZN", "12.25", Some("148.06"), "96.10"),
            ("COIN", "0", Some("147.15"), "-41.77"),
            ("MSTR", "-3.5", Some("151.42"), "12.03"),
            ("NVDA", "101.125", Some("147.88"), "-8.4"),
            ("SPYM", "7", None, "3.2"),
            ("TSLA", "-0.75", Some("139.09"), "64.91"),
        ];
        let shares = shares.map(|(symbol, net, price, earned)| line(symbol, net, price, earned));
        Statement {
            date: date(2026, 11, 20),
            known_at: "2026-11-21T01:34:00Z".parse().unwrap(),
            lines: shares.to_vec(),
            old_lots: vec![OldLot {
                symbol: "NVDA".to_owned(),
                opened_at: "2026-11-18T18:04:11Z".parse().unwrap(),
                opening: "ONCHAIN:8453:41747644:12:order".to_owned(),
                quantity: Shares("101.125".parse().unwrap()),
                cost: usd("17934.25"),
            }],
            more_lots: 2,
            drift: vec![Drift {
                leg: "vault".to_owned(),
                instrument: "AAPL".to_owned(),
                residual: Shares("-0.5".parse().unwrap()),
                unexplained: Shares("-0.5".parse().unwrap()),
                value: Some(usd("-73.70")),
            }],
            breaks: vec![
                DayBreak {
                    leg: "vault".to_owned(),
                    instrument: "AAPL".to_owned(),
                    class: "UNEXPLAINED".to_owned(),
                    state: "OPEN".to_owned(),
                    quantity: Shares("-0.5".parse().unwrap()),
                    value: Some(usd("-73.70")),
                    since: "2026-11-21T01:30:00Z".parse().unwrap(),
                    came: true,
                    is_over: false,
                },
                DayBreak {
                    leg: "broker".to_owned(),
                    instrument: "0x9fe46736679d2d9a65f0992f2272de9f3c7fa6e0".to_owned(),
                    class: "IN_FLIGHT_ORDER".to_owned(),
                    state: "WRITTEN_OFF".to_owned(),
                    quantity: Shares("3".parse().unwrap()),
                    value: None,
                    since: "2026-11-19T01:30:00Z".parse().unwrap(),
                    came: false,
                    is_over: true,
                },
            ],
            coverage: vec![
                Coverage { of: "gas".to_owned(), state: Covered::Partial, missing: 3 },
                Coverage { of: "marks".to_owned(), state: Covered::Included, missing: 0 },
                Coverage { of: "bridge".to_owned(), state: Covered::NotIngested, missing: 0 },
            ],
            days,
        }
    }

    /// Without what is drawn: that has tests of its own.
    fn undrawn(page: &str) -> String {
        let mut parts = page.split("<svg");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| text + "<svg/>" + part.split_once("</svg>").map_or("", |it| it.1))
    }

    #[test]
    fn a_statement_is_a_page_that_stands_by_itself() {
        let page = page(&statement(), "prod");
        assert_eq!(page.matches("<svg").count(), 4);
        for fetched in ["src=", "href=", "url(", "@import", "<script"] {
            assert!(!page.contains(fetched), "{fetched}");
        }
        assert!(page.len() < 100 * 1024, "{} bytes", page.len());
        let text = undrawn(&page).replace(STYLE, "").replace("><", ">\n<");
        insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("statement_page", text);
        });
    }

    #[test]
    fn what_is_not_known_is_said_and_what_does_not_tie_out_is_said_first() {
        let mut wrong = statement();
        wrong.lines[0].sold.1 = usd("0.01");
        let page = page(&wrong, "prod");
        assert!(page.contains("DOES NOT TIE OUT") && page.contains("1 unknown"));
        let empty = Statement { lines: Vec::new(), days: Vec::new(), ..wrong };
        assert!(super::page(&empty, "prod").contains("Nothing was traded and nothing is open."));
    }
}
