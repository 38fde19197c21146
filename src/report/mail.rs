//! Mails: what is told of a run, as a subject, as text and as HTML.
//!
//! - the first line answers what, how much, since when, why, what to do;
//! - the text is complete by itself, and so is the HTML without its pictures;
//! - nothing is fetched from anywhere, a dark mail program is answered in dark.
//!
//! What a broker or a node said stands in here too: it is text, never markup and
//! never a second header.

mod page;

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{chart::Chart, chart::Theme, figure::desk_time};
use crate::policy::alert::{
    Condition, Digest, Severity,
    machine::{Kind, Notice},
};

/// Characters of a subject: more is cut off by whoever shows it.
const SUBJECT: usize = 140;
/// Open ones that are listed one by one.
const LISTED: usize = 40;

/// Who says it, and of what.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'o> {
    /// The name of this installation: `prod`.
    pub environment: &'o str,
    /// The job.
    pub scope: &'o str,
    /// Its run.
    pub run: Option<i64>,
    /// When.
    pub at: Timestamp,
}

/// A mail, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// All of it, for whoever sees no more.
    pub text: String,
    /// The same, for eyes.
    pub html: String,
    /// Named by the HTML as `cid:ID`.
    pub pictures: Vec<Picture>,
}

/// A picture of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Its name within the mail.
    pub id: String,
    /// What is seen.
    pub alt: String,
    /// At most 60 KiB.
    pub png: Vec<u8>,
}

/// What a mail is made of, before it has a form.
struct Matter<'m> {
    subject: String,
    severity: Option<Severity>,
    first: String,
    told: Vec<&'m Notice>,
    open: Vec<&'m Condition>,
    unlisted: usize,
    digest: Option<&'m Digest>,
    charts: Vec<Chart>,
    occasion: Occasion<'m>,
}

/// The mail of a run: what is new, changed or over, and all that is open.
pub fn of_run(
    occasion: Occasion<'_>,
    told: &[Notice],
    open: &[Condition],
    digest: Option<&Digest>,
) -> Rendered {
    let mut told: Vec<&Notice> = told.iter().collect();
    told.sort_by_key(|notice| (notice.kind == Kind::Over, std::cmp::Reverse(notice.condition.severity)));
    let mut open: Vec<&Condition> = open.iter().collect();
    open.sort_by_key(|condition| (std::cmp::Reverse(condition.severity), condition.since));
    let counted = |kind: Kind| told.iter().filter(|notice| notice.kind == kind).count();
    let mut counts = vec![format!("{} open", open.len())];
    for kind in [Kind::New, Kind::Changed, Kind::Escalated, Kind::Still, Kind::Over] {
        if counted(kind) > 0 {
            counts.push(format!("{} {}", counted(kind), kind.word()));
        }
    }
    let worst = told.first().map(|notice| &notice.condition).or(open.first().copied());
    let Occasion { environment, scope, at, .. } = occasion;
    let subject = match worst {
        None => {
            let of = digest.and_then(|digest| digest.date).unwrap_or_else(|| crate::time::new_york_date(at));
            let said = digest.and_then(|digest| digest.subject.clone());
            format!("[hedge {environment}] {}", said.unwrap_or_else(|| format!("all clear: {scope} {of}")))
        }
        Some(worst) => format!("[hedge {environment}] {}: {}", counts.join(", "), worst.about),
    };
    let headline = digest.map(|digest| digest.headline.clone()).filter(|line| !line.is_empty());
    let first = headline.unwrap_or_else(|| match (told.first(), open.first()) {
        (Some(notice), _) => first_line(notice),
        (None, Some(condition)) => answer(condition, condition.since),
        (None, None) => "All clear: nothing is open. Nothing to do.".to_owned(),
    });
    let severity = told.iter().filter(|it| it.kind != Kind::Over).map(|notice| notice.condition.severity);
    let severity = severity.chain(open.iter().map(|condition| condition.severity)).max();
    let charts = digest.map(|digest| digest.curves.iter().map(Chart::of_curve).collect()).unwrap_or_default();
    let unlisted = open.len().saturating_sub(LISTED);
    open.truncate(LISTED);
    render(Matter { subject, severity, first, told, open, unlisted, digest, charts, occasion })
}

/// The mail of what is urgent: one condition, or several of one cause. `None` for none at all.
pub fn of_urgent(occasion: Occasion<'_>, told: &[&Notice]) -> Option<Rendered> {
    let notice = told.first()?;
    let environment = occasion.environment;
    let prefix = match notice.kind {
        Kind::Over => "over: ",
        Kind::Changed => "changed: ",
        Kind::New | Kind::Escalated | Kind::Still => "",
    };
    let prefix = if notice.escalated && notice.kind != Kind::Over {
        format!("ESCALATED: {prefix}")
    } else {
        prefix.to_owned()
    };
    let more = told.len() - 1;
    let others = if more > 0 { format!(", and {more} more at once") } else { String::new() };
    let subject = format!("[hedge {environment}] {prefix}{}{others}", notice.condition.about);
    let severity = (notice.kind != Kind::Over).then_some(notice.condition.severity);
    let mut first = first_line(notice);
    if more > 0 {
        first = format!(
            "{} conditions of one kind at once, which mostly have one cause: {} leg, {}. The first: {first}",
            told.len(),
            notice.condition.leg,
            notice.condition.class
        );
    }
    Some(render(Matter {
        subject,
        severity,
        first,
        told: told.to_vec(),
        open: Vec::new(),
        unlisted: 0,
        digest: None,
        charts: Vec::new(),
        occasion,
    }))
}

/// What, how much, since when, why, what to do.
fn first_line(notice: &Notice) -> String {
    let Notice { kind, condition, fired_at, .. } = notice;
    match kind {
        Kind::Over => {
            format!("Over: {}, told of since {}. Nothing to do.", condition.about, desk_time(*fired_at))
        }
        Kind::New | Kind::Changed | Kind::Escalated | Kind::Still => answer(condition, condition.since),
    }
}

fn answer(condition: &Condition, since: Timestamp) -> String {
    let Condition { about, detail, next, .. } = condition;
    let detail = if detail.is_empty() { String::new() } else { format!(" {}", full_stop(detail)) };
    let next = if next.is_empty() { String::new() } else { format!(" Do: {next}") };
    format!("{about}, since {}.{detail}{next}", desk_time(since))
}

fn full_stop(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// How it was before, where that is another figure or class.
fn before(notice: &Notice) -> Option<String> {
    use super::figure::{dollars, quantity};
    let told = notice.before.as_ref().filter(|_| notice.kind == Kind::Changed)?;
    let figure = match (told.usd, told.quantity) {
        (Some(usd), _) => dollars(usd),
        (None, Some(shares)) => quantity(shares),
        (None, None) => String::new(),
    };
    Some(format!("before: {} {figure}", told.class).trim_end().to_owned())
}

/// One line of plain text, whatever was in it.
fn one_line(text: &str) -> String {
    let plain: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(SUBJECT).collect();
    plain.trim_end().to_owned()
}

/// How to say that one knows, where there is something to know.
fn acknowledge(matter: &Matter<'_>) -> Option<String> {
    let notice = matter.told.iter().find(|notice| notice.kind != Kind::Over)?;
    let key = &notice.condition.key;
    let key = if key.contains(' ') { format!("'{key}'") } else { key.clone() };
    let until = crate::time::nyse::next_trading_day(crate::time::new_york_date(matter.occasion.at));
    Some(format!("hedge alert acknowledge {key} --until {until} --reason \"...\""))
}

fn footer(occasion: Occasion<'_>) -> String {
    let Occasion { environment, scope, run, at } = occasion;
    let run = run.map_or_else(String::new, |run| format!(" · run {run}"));
    format!("hedge {environment} · {scope}{run} · {} ({at:.0})", desk_time(at))
}

fn render(matter: Matter<'_>) -> Rendered {
    let matter = Matter { subject: one_line(&matter.subject), ..matter };
    let pictures = matter.charts.iter().enumerate().filter_map(|(place, chart)| {
        let png = chart.png(Theme::Light)?;
        Some(Picture { id: format!("chart-{}", place + 1), alt: chart.alt(), png })
    });
    let pictures: Vec<Picture> = pictures.collect();
    let html = page::html(&matter, &pictures);
    Rendered { text: text(&matter), html, subject: matter.subject, pictures }
}

/// All of it in letters alone.
fn text(matter: &Matter<'_>) -> String {
    let mut text = format!("{}\n", matter.first);
    if !matter.told.is_empty() {
        text += "\nTOLD NOW\n";
    }
    for notice in &matter.told {
        let Condition { about, detail, next, key, class, severity, since, .. } = &notice.condition;
        let _ = writeln!(text, "\n* {}: {about}", notice.kind.word());
        let _ = writeln!(text, "  {} · {class} · {key} · since {}", severity.word(), desk_time(*since));
        let detail = (notice.kind != Kind::Over).then(|| detail.clone());
        for line in [before(notice), detail].into_iter().flatten().filter(|it| !it.is_empty()) {
            let _ = writeln!(text, "  {}", line.replace('\n', "\n  "));
        }
        if notice.kind != Kind::Over && !next.is_empty() {
            let _ = writeln!(text, "  do: {next}");
        }
    }
    if !matter.open.is_empty() {
        text += "\nOPEN\n\n";
        let rows = matter.open.iter().map(|condition| {
            vec![
                condition.about.clone(),
                condition.severity.word().to_owned(),
                desk_time(condition.since),
                condition.next.clone(),
            ]
        });
        text += &columns(&["what", "severity", "since", "do"].map(str::to_owned), &rows.collect::<Vec<_>>());
        if matter.unlisted > 0 {
            let _ = writeln!(text, "and {} more: hedge alert list", matter.unlisted);
        }
    }
    for table in matter.digest.iter().flat_map(|digest| &digest.tables) {
        let _ = write!(text, "\n{}\n\n{}", table.title.to_uppercase(), columns(&table.heads, &table.rows));
    }
    for chart in &matter.charts {
        let _ = writeln!(text, "\n{}", chart.alt());
    }
    if let Some(acknowledge) = acknowledge(matter) {
        let _ = writeln!(text, "\nTo hear no more of one of them for a while:\n  {acknowledge}");
    }
    let _ = write!(text, "\n-- \n{}\n", footer(matter.occasion));
    text
}

/// Text in columns; figures are to the right.
fn columns(heads: &[String], rows: &[Vec<String>]) -> String {
    let cell = |row: &Vec<String>, place: usize| row.get(place).map_or("", String::as_str).replace('\n', " ");
    let figures: Vec<bool> = (0..heads.len()).map(|place| are_figures(rows, place)).collect();
    let widths: Vec<usize> = heads
        .iter()
        .enumerate()
        .map(|(place, head)| {
            let longest = rows.iter().map(|row| cell(row, place).chars().count()).max().unwrap_or(0);
            longest.max(head.chars().count())
        })
        .collect();
    let mut text = String::new();
    for row in std::iter::once(&heads.to_vec()).chain(rows) {
        let cells: Vec<String> = widths
            .iter()
            .zip(&figures)
            .enumerate()
            .map(|(place, (width, right))| {
                let cell = cell(row, place);
                if *right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            })
            .collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text
}

/// Whether a column is of figures alone.
fn are_figures(rows: &[Vec<String>], place: usize) -> bool {
    let figure = |text: &str| {
        text.is_empty()
            || text == "–"
            || (text.chars().any(|letter| letter.is_ascii_digit())
                && text.chars().all(|letter| letter.is_ascii_digit() || "+-−$%.,×k M".contains(letter)))
    };
    !rows.is_empty() && rows.iter().all(|row| row.get(place).is_none_or(|text| figure(text)))
}

#[cfg(test)]
mod tests;
