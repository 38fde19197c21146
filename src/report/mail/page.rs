//! A mail as HTML: styles stand at each element, for whoever strips the head; the head
//! answers dark screens and narrow ones.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Matter, Picture, acknowledge, are_figures, before, footer};
use crate::{
    policy::alert::{Condition, Figures, Severity, machine::Kind, machine::Notice},
    report::figure::desk_time,
};

const FONT: &str = "font-family:-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;";
const MONO: &str = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:13px;";
const HEAD: &str = "font-size:12px;font-weight:600;color:#59636e;padding:6px 12px 6px 0;text-align:";
const CELL: &str = "font-size:14px;line-height:20px;color:#1f2328;padding:7px 12px 7px 0;border-top:1px solid #e3e6ea;vertical-align:top;text-align:";
/// A cell that is longer is broken wherever it must be.
const LONG: usize = 30;
const TITLE: &str = "font-size:15px;line-height:20px;font-weight:600;color:#1f2328;margin:28px 0 8px;";

/// `!important`, for it overrides what stands at the elements.
const STYLE: &str = ":root{color-scheme:light dark;supported-color-schemes:light dark}\
@media(prefers-color-scheme:dark){\
.b{background:#0d1117!important}.c{background:#161b22!important;border-right-color:#30363d!important;border-bottom-color:#30363d!important;border-left-color:#30363d!important}\
.i{color:#e6edf3!important}.m{color:#9aa4af!important}.l{border-color:#30363d!important}\
.k{background:#21262d!important;color:#e6edf3!important}.p{border-color:#30363d!important}\
.s3{color:#ff8a80!important}.s2{color:#e3b341!important}.s1{color:#79b8ff!important}.s0{color:#56d364!important}}\
@media(max-width:560px){.w{padding:18px!important}}";

/// The colour of a severity, and its word on paper of that colour.
const fn colour(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Critical) => "#b3261e",
        Some(Severity::Warning) => "#9a6700",
        Some(Severity::Info) => "#0969da",
        None => "#1a7f37",
    }
}

/// The class by which a dark screen makes it lighter.
const fn shade(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Critical) => "s3",
        Some(Severity::Warning) => "s2",
        Some(Severity::Info) => "s1",
        None => "s0",
    }
}

pub(super) fn html(matter: &Matter<'_>, pictures: &[Picture]) -> String {
    let colour = colour(matter.severity);
    // Who has a subject of its own does not say that all is clear.
    let calm = if matter.digest.is_some_and(|digest| digest.subject.is_some()) { "stated" } else { "clear" };
    let word = matter.severity.map_or(calm, Severity::word);
    let page: Markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="supported-color-schemes" content="light dark";
                title { (matter.subject) }
                style { (PreEscaped(STYLE)) }
            }
            body.b style={ "margin:0;padding:0;background:#f3f4f6;" (FONT) } {
                table.b role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#f3f4f6;table-layout:fixed;" {
                    tr { td align="center" style="padding:20px 8px;" {
                        table.c role="presentation" width="100%" cellpadding="0" cellspacing="0"
                            style={ "max-width:720px;table-layout:fixed;background:#ffffff;border:1px solid #d8dce1;border-top:4px solid " (colour) ";border-radius:8px;text-align:left;" } {
                            tr { td.w style="padding:24px 28px;" {
                                p style="margin:0 0 10px;font-size:12px;line-height:16px;" {
                                    span style={ "display:inline-block;padding:2px 8px;border-radius:10px;background:" (colour) ";color:#ffffff;font-weight:600;" } { (word) }
                                    span.m style="color:#59636e;" { "\u{a0} hedge " (matter.occasion.environment) " · " (matter.occasion.scope) }
                                }
                                p.i style="margin:0;font-size:16px;line-height:24px;color:#1f2328;" { (matter.first) }
                                (told(matter))
                                (open(matter))
                                @for table in matter.digest.iter().flat_map(|digest| &digest.tables) { (figures(table)) }
                                @for picture in pictures { (drawn(picture)) }
                                (known(matter))
                                p.m.l style="margin:28px 0 0;padding-top:12px;border-top:1px solid #e3e6ea;font-size:12px;line-height:18px;color:#59636e;" { (footer(matter.occasion)) }
                            } }
                        }
                    } }
                }
            }
        }
    };
    page.into_string()
}

fn title(text: &str) -> Markup {
    html! { h2.i style=(TITLE) { (text) } }
}

/// A command, or words with commands between backticks.
fn command(text: &str) -> Markup {
    let code = |text: &str| {
        html! { code.k style={ (MONO) "background:#f0f2f4;color:#1f2328;padding:2px 6px;border-radius:4px;" @if text.len() < LONG { "white-space:nowrap;" } } { (text) } }
    };
    html! {
        @if !text.contains('`') && text.starts_with("hedge ") && !text.contains("; ") { (code(text)) }
        @else {
            span.i style="color:#1f2328;" {
                @for (place, part) in text.split('`').enumerate() {
                    @if place % 2 == 1 { (code(part)) } @else { (part) }
                }
            }
        }
    }
}

fn told(matter: &Matter<'_>) -> Markup {
    html! {
        @if !matter.told.is_empty() {
            (title("Told now"))
            @for notice in &matter.told { (one(notice)) }
        }
    }
}

fn one(notice: &Notice) -> Markup {
    let Condition { about, detail, next, key, class, severity, since, .. } = &notice.condition;
    let shown = (notice.kind != Kind::Over).then_some(*severity);
    let colour = colour(shown);
    html! {
        table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="margin:0 0 14px;" {
            tr { td style={ "border-left:3px solid " (colour) ";padding:1px 0 1px 12px;" } {
                p.i style="margin:0;font-size:15px;line-height:22px;color:#1f2328;" {
                    b { (about) } " " span class=(shade(shown)) style={ "color:" (colour) ";font-size:12px;font-weight:600;white-space:nowrap;" } { (notice.kind.word()) }
                }
                p.m style="margin:2px 0 0;font-size:12px;line-height:18px;color:#59636e;" {
                    (severity.word()) " · " (class) " · " (key) " · since " (desk_time(*since))
                    @if let Some(before) = before(notice) { " · " (before) }
                }
                @if notice.kind != Kind::Over && !detail.is_empty() {
                    p.i style="margin:4px 0 0;font-size:14px;line-height:20px;color:#1f2328;" { (detail) }
                }
                @if notice.kind != Kind::Over && !next.is_empty() {
                    p style="margin:6px 0 0;font-size:14px;line-height:22px;" { (command(next)) }
                }
            } }
        }
    }
}

fn open(matter: &Matter<'_>) -> Markup {
    html! {
        @if !matter.open.is_empty() {
            (title("Open"))
            div style="overflow-x:auto;" { table width="100%" cellpadding="0" cellspacing="0" {
                tr {
                    @for head in ["What", "Severity", "Since", "Do"] { th.m align="left" style={ (HEAD) "left;" } { (head) } }
                }
                @for condition in &matter.open {
                    tr {
                        td.i.l style={ (CELL) "left;" } { (condition.about) }
                        td class={ "l " (shade(Some(condition.severity))) } style={ (CELL) "left;font-weight:600;color:" (colour(Some(condition.severity))) ";" } { (condition.severity.word()) }
                        td.i.l style={ (CELL) "left;white-space:nowrap;" } { (desk_time(condition.since)) }
                        td.i.l style={ (CELL) "left;" } { (command(&condition.next)) }
                    }
                }
            } }
            @if matter.unlisted > 0 {
                p.m style="margin:6px 0 0;font-size:13px;color:#59636e;" { "and " (matter.unlisted) " more: " (command("hedge alert list")) }
            }
        }
    }
}

fn figures(table: &Figures) -> Markup {
    let side = |place: usize| if are_figures(&table.rows, place) { "right;" } else { "left;" };
    html! {
        (title(&table.title))
        div style="overflow-x:auto;" { table width="100%" cellpadding="0" cellspacing="0" style="font-variant-numeric:tabular-nums;" {
            tr {
                @for (place, head) in table.heads.iter().enumerate() { th.m style={ (HEAD) (side(place)) } { (head) } }
            }
            @for row in &table.rows {
                tr {
                    @for (place, cell) in row.iter().enumerate() { td.i.l style={ (CELL) (side(place)) @if cell.len() > LONG { "overflow-wrap:anywhere;" } } { (cell) } }
                }
            }
        } }
    }
}

fn drawn(picture: &Picture) -> Markup {
    html! {
        p style="margin:24px 0 0;" {
            img.p src={ "cid:" (picture.id) } alt=(picture.alt) width="640"
                style="display:block;width:100%;max-width:640px;height:auto;border:1px solid #e3e6ea;border-radius:6px;font-size:13px;";
        }
    }
}

fn known(matter: &Matter<'_>) -> Markup {
    html! {
        @if let Some(acknowledge) = acknowledge(matter) {
            p.m style="margin:28px 0 0;font-size:13px;line-height:22px;color:#59636e;" {
                "To hear no more of one of them for a while: " (command(&acknowledge))
            }
        }
    }
}
