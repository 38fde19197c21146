//! A chart drawn: SVG by hand, PNG by resvg. Places are tenths of a pixel.

use std::{fmt::Write as _, sync::Arc};

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree, fontdb::Database},
};

use super::{Chart, Shape, Theme, scale::Unit};
use crate::{report::figure::grouped, units::Amount};

/// How large a picture is, in pixels at the size that its letters are meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    width: i64,
    height: i64,
}

/// As wide as a mail or a page.
pub(super) const WIDE: Frame = Frame { width: 640, height: 240 };
/// Two of them stand beside each other on a page.
pub(super) const NARROW: Frame = Frame { width: 400, height: 176 };

const REGULAR: &[u8] = include_bytes!("../fonts/DejaVuSans.ttf");
const BOLD: &[u8] = include_bytes!("../fonts/DejaVuSans-Bold.ttf");

// Places, in tenths of a pixel.
const TOP: i64 = 480;
const EDGE: i64 = 160;
const LETTER: i64 = 66;
const LINE: i64 = 140;

/// The colours of a theme: ink, muted, grid, paper, and four series.
struct Colours {
    ink: &'static str,
    muted: &'static str,
    grid: &'static str,
    paper: &'static str,
    series: [&'static str; 4],
}

impl Colours {
    const fn of(theme: Theme) -> Self {
        match theme {
            Theme::Light => Self {
                ink: "#1f2328",
                muted: "#59636e",
                grid: "#e3e6ea",
                paper: "#ffffff",
                series: ["#0072b2", "#d55e00", "#009e73", "#aa4499"],
            },
            Theme::Dark => Self {
                ink: "#e6edf3",
                muted: "#9aa4af",
                grid: "#30363d",
                paper: "#161b22",
                series: ["#56b4e9", "#e69f00", "#2fc79b", "#e08bc4"],
            },
            Theme::Page => Self {
                ink: "var(--ink, #1f2328)",
                muted: "var(--muted, #59636e)",
                grid: "var(--grid, #e3e6ea)",
                paper: "var(--paper, #ffffff)",
                series: [
                    "var(--series-1, #0072b2)",
                    "var(--series-2, #d55e00)",
                    "var(--series-3, #009e73)",
                    "var(--series-4, #aa4499)",
                ],
            },
        }
    }
}

impl Frame {
    /// Where the axis lies.
    const fn bottom(self) -> i64 {
        self.height * 10 - 320
    }

    const fn right(self) -> i64 {
        self.width * 10 - EDGE
    }
}

/// Where a text ends or begins.
#[derive(Clone, Copy)]
enum Anchor {
    Start,
    Middle,
    End,
}

struct Pen {
    svg: String,
    colours: Colours,
}

/// Tenths of a pixel as SVG has them.
fn px(tenths: i64) -> String {
    let (sign, tenths) = (if tenths < 0 { "-" } else { "" }, tenths.unsigned_abs());
    format!("{sign}{}.{}", tenths / 10, tenths % 10)
}

fn escaped(text: &str) -> String {
    let plain = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    plain.chars().filter(|letter| !letter.is_control()).collect()
}

/// How wide a small text is, about.
fn wide(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(40) * LETTER
}

impl Pen {
    fn text(&mut self, (x, y): (i64, i64), anchor: Anchor, colour: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (x, y, text) = (px(x), px(y), escaped(text));
        let _ = write!(
            self.svg,
            r#"<text x="{x}" y="{y}" font-size="11" text-anchor="{anchor}" fill="{colour}">{text}</text>"#
        );
    }

    fn across(&mut self, (from, to): (i64, i64), y: i64, colour: &str) {
        let (from, to, y) = (px(from), px(to), px(y));
        let _ = write!(
            self.svg,
            r#"<line x1="{from}" y1="{y}" x2="{to}" y2="{y}" stroke="{colour}" stroke-width="1"/>"#
        );
    }
}

/// The whole picture, so many times as dense as its frame.
pub(super) fn svg(chart: &Chart, theme: Theme, frame: Frame, density: i64) -> String {
    let Frame { width: inside, height: deep } = frame;
    let (width, height) = (inside * density, deep * density);
    let mut pen = Pen { svg: String::new(), colours: Colours::of(theme) };
    let Colours { ink, muted, paper, .. } = pen.colours;
    let _ = write!(
        pen.svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {inside} {deep}" role="img" aria-label="{alt}" font-family="DejaVu Sans, system-ui, sans-serif"><rect width="{inside}" height="{deep}" rx="6" fill="{paper}"/>"#,
        alt = escaped(&chart.alt()),
    );
    let unit = Unit::of(&chart.unit);
    let _ = write!(
        pen.svg,
        r#"<text x="16" y="24" font-size="13" fill="{ink}"><tspan font-weight="bold">{title}</tspan><tspan dx="7" font-size="11" fill="{muted}">{unit}</tspan></text>"#,
        title = escaped(&chart.title),
        unit = escaped(unit.title()),
    );
    match chart.scale() {
        None => {
            let middle = (inside * 5, i64::midpoint(TOP, frame.bottom()));
            pen.text(middle, Anchor::Middle, muted, "no figures yet");
        }
        Some(scale) => {
            let lines = scale.lines(&unit);
            let left = EDGE + lines.iter().map(|(_, line)| wide(line)).max().unwrap_or(0) + 60;
            let ends: Vec<End> = ends(chart, &unit);
            let right = frame.right() - ends.iter().map(|end| wide(&end.text)).max().unwrap_or(0);
            let right = if chart.shape == Shape::Line { right - 80 } else { frame.right() };
            let height = frame.bottom() - TOP;
            let down = |value: Amount| TOP + scale.below_top(value, height);
            for (value, line) in &lines {
                let colour = if value.is_zero() { pen.colours.muted } else { pen.colours.grid };
                pen.across((left, right), down(*value), colour);
                pen.text((left - 80, down(*value) + 40), Anchor::End, muted, line);
            }
            match chart.shape {
                Shape::Line => draw_lines(&mut pen, chart, (left, right), &down, ends),
                Shape::Bars => draw_bars(&mut pen, chart, (left, right), &down),
            }
            draw_labels(&mut pen, chart, frame, (left, right));
        }
    }
    pen.svg + "</svg>"
}

/// The middle of the place of a label: points of a line reach both edges, bars have room of their own.
fn across(chart: &Chart, place: usize, (left, right): (i64, i64)) -> i64 {
    let (place, count) =
        (i64::try_from(place).unwrap_or(0), i64::try_from(chart.labels.len()).unwrap_or(1).max(1));
    match chart.shape {
        Shape::Line if count == 1 => i64::midpoint(left, right),
        Shape::Line => left + (right - left) * place / (count - 1),
        Shape::Bars => left + (right - left) * (2 * place + 1) / (2 * count),
    }
}

fn draw_labels(pen: &mut Pen, chart: &Chart, frame: Frame, (left, right): (i64, i64)) {
    let muted = pen.colours.muted;
    let widest = chart.labels.iter().map(|label| wide(label)).max().unwrap_or(0) + 200;
    let room = usize::try_from((right - left) / widest.max(1)).unwrap_or(1).max(1);
    let count = chart.labels.len();
    let every = count.div_ceil(room).max(1);
    for (place, label) in chart.labels.iter().enumerate() {
        // Counted from the newest, so that it is named.
        if (count - 1 - place).is_multiple_of(every) {
            let x = across(chart, place, (left, right));
            let half = wide(label) / 2;
            let x = x.min(frame.width * 10 - 80 - half).max(80 + half);
            pen.text((x, frame.bottom() + 190), Anchor::Middle, muted, label);
        }
    }
}

/// What stands at the end of a line.
struct End {
    series: usize,
    text: String,
}

fn ends(chart: &Chart, unit: &Unit) -> Vec<End> {
    let several = chart.drawn().len() > 1;
    let end = |(place, series): (usize, &super::Series)| {
        let last = series.values.iter().rev().find_map(|value| *value)?;
        let cents = if last.abs().atoms() < 1_000 * Amount::ONE.atoms() { 2 } else { 0 };
        let figure = grouped(last, cents);
        let figure = if cents == 2 && matches!(unit, Unit::Named(_)) {
            figure.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            figure
        };
        let figure = unit.with(&figure);
        let text = if several { format!("{} {figure}", series.name) } else { figure };
        Some(End { series: place, text })
    };
    chart.drawn().iter().enumerate().filter_map(end).collect()
}

fn draw_lines(pen: &mut Pen, chart: &Chart, span: (i64, i64), down: &impl Fn(Amount) -> i64, ends: Vec<End>) {
    let mut labels: Vec<(i64, i64, &'static str, String)> = Vec::new();
    let mut ends = ends.into_iter().peekable();
    for (place, series) in chart.drawn().iter().enumerate() {
        let colour = pen.colours.series.get(place).copied().unwrap_or(pen.colours.ink);
        let mut path = String::new();
        let mut broken = true;
        let mut last = None;
        for (label, value) in series.values.iter().enumerate() {
            let Some(value) = value else {
                broken = true;
                continue;
            };
            let (x, y) = (across(chart, label, span), down(*value));
            let _ = write!(path, "{}{} {}", if broken { "M" } else { "L" }, px(x), px(y));
            (broken, last) = (false, Some((x, y)));
        }
        let _ = write!(
            pen.svg,
            r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round" stroke-linecap="round"/>"#
        );
        if let Some((x, y)) = last {
            let (cx, cy) = (px(x), px(y));
            let _ = write!(pen.svg, r#"<circle cx="{cx}" cy="{cy}" r="3.5" fill="{colour}"/>"#);
            if let Some(end) = ends.next_if(|end| end.series == place) {
                labels.push((y, x + 80, colour, end.text));
            }
        }
    }
    // Labels that would lie on each other are moved apart, downwards.
    labels.sort_by_key(|label| label.0);
    let mut free = TOP - LINE;
    for (y, x, colour, text) in labels {
        let y = y.max(free);
        free = y + LINE;
        let colour = if chart.drawn().len() > 1 { colour } else { pen.colours.ink };
        let paper = pen.colours.paper;
        // No line strikes a figure through.
        let _ = write!(pen.svg, r#"<g stroke="{paper}" stroke-width="4" paint-order="stroke">"#);
        pen.text((x, y + 40), Anchor::Start, colour, &text);
        pen.svg += "</g>";
    }
}

fn draw_bars(pen: &mut Pen, chart: &Chart, span: (i64, i64), down: &impl Fn(Amount) -> i64) {
    let zero = down(Amount::ZERO);
    let count = i64::try_from(chart.labels.len()).unwrap_or(1).max(1);
    let width = ((span.1 - span.0) * 7 / (count * 10)).clamp(10, 480);
    let [above, below, ..] = pen.colours.series;
    for (label, value) in chart.drawn().iter().flat_map(|series| series.values.iter().enumerate()) {
        let Some(value) = value.filter(|value| !value.is_zero()) else { continue };
        let (x, y) = (across(chart, label, span) - width / 2, down(value));
        let (top, height) = (y.min(zero), (y - zero).abs().max(10));
        let colour = if value.is_negative() { below } else { above };
        let (x, y, width, height) = (px(x), px(top), px(width), px(height));
        let _ =
            write!(pen.svg, r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{colour}"/>"#);
    }
    pen.across(span, zero, pen.colours.muted);
}

/// A picture as PNG; `None` where it cannot be read or is too large.
pub(super) fn png(svg: &str) -> Option<Vec<u8>> {
    let mut letters = Database::new();
    letters.load_font_data(REGULAR.to_vec());
    letters.load_font_data(BOLD.to_vec());
    let options = Options { fontdb: Arc::new(letters), ..Options::default() };
    let tree = Tree::from_str(svg, &options).ok()?;
    let size = tree.size().to_int_size();
    let mut pixmap = Pixmap::new(size.width(), size.height())?;
    resvg::render(&tree, Transform::default(), &mut pixmap.as_mut());
    pixmap.encode_png().ok()
}
