//! A sheet as HTML: whole without a script, which only fetches it again and puts the new one in.
//!
//! Nothing is loaded from elsewhere. Every figure has its unit beside or above it, every time
//! says its zone, and no meaning hangs on a colour alone.

use std::sync::LazyLock;

use alloy::primitives::keccak256;
use axum::http::StatusCode;
use jiff::{Timestamp, tz::TimeZone};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    Answer, HTML, JSON,
    route::Form,
    sheet::{Body, Field, Mood, Section, Sheet, Show, Tile, Told},
};
use crate::{
    report::{
        Table,
        chart::{Chart, Theme},
        figure,
    },
    units::{Amount, Shares, Usd},
};

pub(super) const STYLE: &str = include_str!("page.css");
pub(super) const SCRIPT: &str = include_str!("page.js");
pub(super) const ICON: &str = include_str!("icon.svg");

/// From this length on, a hash or an id is shown by its ends.
const LONG: usize = 20;
/// From this length on, words of a machine are unfolded by who wants them; so much is seen before.
const LENGTHY: usize = 160;
/// Words longer than this have a line of their own.
const WIDE: usize = 40;
const SHOWN: usize = 28;
/// Words this short stay in one line.
const SHORT: usize = 16;

fn hashed(text: &str) -> String {
    keccak256(text).to_string().chars().skip(2).take(12).collect()
}

/// Where the style is: another one is elsewhere, so that a browser may keep it.
pub(super) fn style_path() -> &'static str {
    static PATH: LazyLock<String> = LazyLock::new(|| format!("/page-{}.css", hashed(STYLE)));
    &PATH
}

/// Where the script is, likewise.
pub(super) fn script_path() -> &'static str {
    static PATH: LazyLock<String> = LazyLock::new(|| format!("/page-{}.js", hashed(SCRIPT)));
    &PATH
}

/// A sheet as a page.
pub(super) fn html(sheet: &Sheet) -> Markup {
    let body = html! {
        header.head {
            h1 { (sheet.title) }
            p.about { (marked(&sheet.about)) }
            @if !sheet.tiles.is_empty() { (verdict(&sheet.tiles)) }
        }
        @if !sheet.tiles.is_empty() {
            ul.tiles aria-label="Does it work?" { @for tile in &sheet.tiles { (a_tile(tile)) } }
        }
        @for section in &sheet.sections { (a_section(section)) }
        p.asof { "As the books had it at " (time(sheet.at)) "." }
    };
    framed(&sheet.title, &body)
}

/// What is said where there is no sheet.
pub(super) fn trouble(status: StatusCode, form: Form, what: &str, next: &str) -> Answer {
    match form {
        Form::Html => {
            let body = html! { header.head { h1 { (what) } p.about { (next) } } };
            Answer::new(status, HTML, framed(what, &body).into_string())
        }
        Form::Json => {
            let body = serde_json::json!({ "error": what, "next": next });
            Answer::new(status, JSON, body.to_string())
        }
    }
}

fn framed(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · hedge" }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href=(style_path());
                script src=(script_path()) defer {}
            }
            body {
                a.skip href="#main" { "To the content" }
                div.bar {
                    nav aria-label="Pages" {
                        a.brand href="/" { "hedge" }
                        a href="/" { "Overview" }
                        a href="/jobs" { "Jobs" }
                        a href="/metrics" { "Metrics" }
                    }
                    p #fresh role="status" {}
                }
                main #main { (body) }
            }
        }
    }
}

/// The worst of all tiles, in a sentence.
fn verdict(tiles: &[Tile]) -> Markup {
    let worst = tiles.iter().map(|tile| tile.mood).max().unwrap_or(Mood::Unknown);
    let of = |mood: Mood| {
        let names: Vec<&str> = tiles.iter().filter(|tile| tile.mood == mood).map(|tile| tile.name).collect();
        names.join(", ")
    };
    let said = match worst {
        Mood::Well => "It works.".to_owned(),
        Mood::Unknown => format!("It works, as far as is known. Not known: {}.", of(Mood::Unknown)),
        Mood::Look => format!("It works. To look at: {}.", of(Mood::Look)),
        Mood::Wrong => format!("Somebody must act: {}.", of(Mood::Wrong)),
    };
    html! { p class={ "verdict " (class(worst)) } { (sign(worst)) " " (said) } }
}

fn a_tile(tile: &Tile) -> Markup {
    let Tile { name, mood, value, detail, next } = tile;
    html! {
        li class={ "tile " (class(*mood)) } {
            p.name { (sign(*mood)) " " (name) }
            p.value { (value) }
            p.detail { (detail) }
            @if !next.is_empty() { p.next { (marked(next)) } }
        }
    }
}

const fn class(mood: Mood) -> &'static str {
    match mood {
        Mood::Well => "well",
        Mood::Unknown => "unknown",
        Mood::Look => "look",
        Mood::Wrong => "wrong",
    }
}

/// A shape for each mood, and its word for who does not see it.
fn sign(mood: Mood) -> Markup {
    let (shape, word) = match mood {
        Mood::Well => ("●", "well"),
        Mood::Unknown => ("○", "not known"),
        Mood::Look => ("▲", "to look at"),
        Mood::Wrong => ("■", "wrong"),
    };
    html! { span.sign aria-hidden="true" { (shape) } span.hidden { (word) ": " } }
}

fn a_section(section: &Section) -> Markup {
    let Section { key, title, note, body } = section;
    html! {
        section #(key) aria-labelledby={ (key) "-title" } {
            h2 #{ (key) "-title" } { (title) }
            p.note { (marked(note)) }
            @match body {
                Body::Rows { table, empty, .. } if table.rows.is_empty() => { p.empty { (marked(empty)) } }
                Body::Rows { fields, table, .. } => { (rows(title, fields, table)) }
                Body::Facts { fields, table } => { (facts(fields, table)) }
                Body::Charts { table, empty, .. } if table.rows.is_empty() => { p.empty { (marked(empty)) } }
                Body::Charts { charts, fields, table, .. } => {
                    div.charts { @for chart in charts { (picture(chart)) } }
                    details { summary { "In figures" } (rows(title, fields, table)) }
                }
                Body::Told { said, .. } => { ul.told { @for told in said { (sentence(told)) } } }
                Body::Unread(why) => { p.empty { (marked(why)) } }
            }
        }
    }
}

fn sentence(Told { said, act }: &Told) -> Markup {
    html! { li { p { (lines(said)) } p.next { "→ " (lines(act)) } } }
}

fn lines(text: &str) -> Markup {
    html! { @for (place, line) in text.lines().enumerate() { @if place > 0 { br; } (line) } }
}

fn picture(chart: &Chart) -> Markup {
    // Drawn by ourselves, what it was given escaped: `report/chart/picture.rs`.
    html! { figure { (PreEscaped(chart.narrow_svg(Theme::Page))) } }
}

fn rows(title: &str, fields: &[Field], table: &Table) -> Markup {
    // A column in which nothing stands is left out, but the first.
    let fields: Vec<&Field> = fields
        .iter()
        .enumerate()
        .filter(|(place, field)| {
            *place == 0 || table.rows.iter().any(|row| table.value(row, field.name).is_some())
        })
        .map(|(_, field)| field)
        .collect();
    html! {
        div.scroll role="group" tabindex="0" aria-label=(title) {
            table {
                thead { tr { @for field in &fields { th scope="col" class=[figures(field)] { (field.head) } } } }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for field in &fields {
                                td class=[figures(field)] data-head=(field.head) { (cell(field, table, row)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn figures(field: &Field) -> Option<&'static str> {
    field.show.is_figure().then_some("figure")
}

fn facts(fields: &[Field], table: &Table) -> Markup {
    let row = table.rows.first().map(Vec::as_slice).unwrap_or_default();
    html! {
        dl.facts {
            @for field in fields.iter().filter(|field| table.value(row, field.name).is_some()) {
                div class=[is_long(field, table, row)] { dt { (field.head) } dd { (cell(field, table, row)) } }
            }
        }
    }
}

/// What takes a line of its own, or half of one.
fn is_long(field: &Field, table: &Table, row: &[Option<String>]) -> Option<&'static str> {
    let length = table.value(row, field.name).map_or(0, str::len);
    let words = matches!(field.show, Show::Words | Show::Act);
    match (words, field.show == Show::Code) {
        (true, _) if length > WIDE => Some("long"),
        (_, true) if length > LONG => Some("half"),
        _ => None,
    }
}

fn cell(field: &Field, table: &Table, row: &[Option<String>]) -> Markup {
    let Some(value) = table.value(row, field.name) else { return html! { span.none { "–" } } };
    match field.show {
        Show::Words if value.len() <= SHORT => html! { span.short { (value) } },
        Show::Act if value.starts_with("hedge ") && !value.contains(['`', ';']) => html! { code { (value) } },
        Show::Words | Show::Act => html! { span { (marked(value)) } },
        Show::State => html! { span class={ "state " (tone(value)) } { (value) } },
        Show::Life => {
            let ended = table.value(row, "why").unwrap_or(value);
            let refusal = table.value(row, "refusal").map(|refusal| format!(": {refusal}"));
            html! { span class={ "state " (tone(ended)) } { (ended) (refusal.unwrap_or_default()) } }
        }
        Show::Time => value.parse().map_or_else(|_| html! { (value) }, time),
        Show::Quantity => html! { (quantity(value)) },
        Show::Dollars => html! { (dollars(value)) },
        Show::Price => html! { (price(value)) },
        Show::Whole => html! { (whole(value)) },
        Show::Seconds => html! { (quantity(value)) },
        Show::Code if value.len() > LENGTHY => {
            html! { details { summary { (value.chars().take(SHOWN).collect::<String>()) "…" } code { (value) } } }
        }
        Show::Code => html! { code { (value) } },
        Show::Symbol => html! { a href={ "/symbol/" (value) } { (value) } },
        Show::Order => html! { a href={ "/order/" (value) } { "#" (value) } },
        Show::Break => html! { a href={ "/break/" (value) } { (value) } },
        Show::Fill => {
            let of = |name| table.value(row, name).unwrap_or_default();
            let path = format!("/fill/{}/{value}/{}/{}", of("chain_id"), of("log_index"), of("role"));
            html! { a href=(path) title=(value) { (ends(value)) } }
        }
    }
}

/// Words that ask for a look are told apart from those that do not.
fn tone(word: &str) -> &'static str {
    match word {
        "filled"
        | "done"
        | "sent"
        | "working"
        | "planned"
        | "accepted"
        | "executed"
        | "closed"
        | "skipped"
        | "info"
        | "running"
        | "found at the broker" => "calm",
        "critical" | "ambiguous" | "failed" | "inconsistent" | "refused" | "doubted" => "grave",
        "warning" | "incomplete" | "unanswered" | "stuck" | "expired" | "OPEN" | "REOPENED" => "odd",
        _ => "plain",
    }
}

/// Words with what stands between backticks as a machine's.
fn marked(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// A time on the desk's clock, for a program in UTC.
fn time(at: Timestamp) -> Markup {
    let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
    let shown = at.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S ET").to_string();
    html! { time datetime=(at.to_string()) title={ (at.strftime("%Y-%m-%d %H:%M:%S UTC")) } { (shown) } }
}

/// Shares as a person is shown them; what is no number stays as it is.
pub(super) fn quantity(value: &str) -> String {
    value.parse().map_or_else(|_| value.to_owned(), |amount| figure::quantity(Shares(amount)))
}

fn dollars(value: &str) -> String {
    value.parse().map_or_else(|_| value.to_owned(), |amount| figure::dollars(Usd(amount)))
}

/// To the sixth decimal, cents always.
fn price(value: &str) -> String {
    let Ok(amount) = value.parse::<Amount>() else { return value.to_owned() };
    let text = figure::grouped(amount, 6);
    let Some((whole, decimals)) = text.split_once('.') else { return text };
    let decimals = format!("{:0<2}", decimals.trim_end_matches('0'));
    format!("{whole}.{decimals}")
}

/// A whole number, grouped by thousands.
pub(super) fn whole(value: &str) -> String {
    value.parse().map_or_else(|_| value.to_owned(), |amount| figure::grouped(amount, 0))
}

fn ends(value: &str) -> String {
    let (start, end) = (value.get(..8), value.len().checked_sub(6).and_then(|end| value.get(end..)));
    match (start, end) {
        (Some(start), Some(end)) if value.len() > LONG => format!("{start}…{end}"),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_a_desk() {
        assert_eq!(price("187.250000000000000000"), "187.25");
        assert_eq!(price("0.1234567"), "0.123457");
        assert_eq!(price("1234"), "1,234.00");
        assert_eq!(whole("41747644"), "41,747,644");
        assert_eq!(quantity("-1.500000000000000000"), "−1.5");
        assert_eq!([quantity("what"), price(""), whole("–")], ["what", "", "–"]);
        assert_eq!(ends("0x1234567890abcdef1234567890abcdef"), "0x123456…abcdef");
        assert_eq!(ends("é".repeat(30).as_str()), "éééé…ééé");
    }

    #[test]
    fn whatever_stands_in_the_books_is_text() {
        let evil = "<script>alert(1)</script>`\"><img>`";
        let text = marked(evil).into_string();
        assert!(!text.contains("<script") && !text.contains("<img"), "{text}");
        let page = trouble(StatusCode::NOT_FOUND, Form::Html, evil, evil);
        assert!(!String::from_utf8_lossy(&page.body).contains("alert(1)</script>"));
    }

    #[test]
    fn style_and_script_are_under_the_hash_of_what_they_say() {
        assert!(style_path().starts_with("/page-") && style_path().contains(".css"));
        assert_ne!(hashed("a"), hashed("b"));
        for outside in ["http:", "https:", "@import", "url("] {
            assert!(!STYLE.contains(outside) && !SCRIPT.contains(outside), "{outside}");
        }
    }
}
