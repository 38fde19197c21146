//! Charts: a line or bars over days or names, as SVG and as PNG.
//!
//! One picture says one thing: what is drawn carries its unit on the axis and its
//! last figure beside it; nothing moves, nothing is decoration. Colours are those
//! of Okabe and Ito, which the colour-blind tell apart, and no meaning hangs on a
//! colour alone. The letters are bundled ([`fonts/`], `DejaVu`), so that a picture
//! is the same on every machine. All is reckoned in whole tenths of a pixel.
//!
//! [`fonts/`]: https://dejavu-fonts.github.io/

mod picture;
mod scale;

use std::fmt::Write as _;

use jiff::civil::Date;

use super::figure::grouped;
use crate::{policy::alert::Curve, units::Amount};
use scale::{Scale, Unit};

/// How figures are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A level over time: inventory, a price, a sum that grows.
    Line,
    /// What each day or thing came to, above and below zero.
    Bars,
}

/// On what it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// White paper.
    Light,
    /// A dark page.
    Dark,
    /// A page that says itself, by `--ink`, `--muted`, `--grid`, `--paper` and `--series-1` to `--series-4`;
    /// light where it says nothing.
    Page,
}

/// One figure for each label; none: there is none, and a line has a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// What it is, where there are several.
    pub name: String,
    /// In the order of the labels.
    pub values: Vec<Option<Amount>>,
}

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// What is counted: `USD` and `%` stand at each figure, others in the title.
    pub unit: String,
    /// How.
    pub shape: Shape,
    /// Below the axis, in order.
    pub labels: Vec<String>,
    /// One to four; bars take the first alone.
    pub series: Vec<Series>,
}

impl Chart {
    /// One figure a day, oldest first.
    pub fn of_days(title: &str, unit: &str, shape: Shape, points: &[(Date, Amount)]) -> Self {
        let years = points.first().zip(points.last()).is_some_and(|(a, b)| a.0.year() != b.0.year());
        let form = if years { "%b %-d %y" } else { "%b %-d" };
        Self {
            title: title.to_owned(),
            unit: unit.to_owned(),
            shape,
            labels: points.iter().map(|(date, _)| date.strftime(form).to_string()).collect(),
            series: vec![Series {
                name: title.to_owned(),
                values: points.iter().map(|(_, value)| Some(*value)).collect(),
            }],
        }
    }

    /// A curve as a run hands it over: a bar a day, for between two days there is nothing.
    pub fn of_curve(curve: &Curve) -> Self {
        Self::of_days(&curve.title, &curve.unit, Shape::Bars, &curve.points)
    }

    /// What is seen, for those who do not see it: last, lowest and highest.
    pub fn alt(&self) -> String {
        let unit = Unit::of(&self.unit);
        let told = |value: Amount| unit.with(&grouped(value, 2));
        let mut text = self.title.clone();
        for series in &self.series {
            let known: Vec<(Amount, &str)> = (series.values.iter().zip(&self.labels))
                .filter_map(|(value, label)| Some(((*value)?, label.as_str())))
                .collect();
            let name = if self.series.len() > 1 { format!(" {}", series.name) } else { String::new() };
            let on = |point: Option<&(Amount, &str)>| {
                point.map_or_else(String::new, |(value, label)| format!("{} on {label}", told(*value)))
            };
            let (first, last) = (on(known.first()), on(known.last()));
            let lowest = on(known.iter().min_by_key(|point| point.0));
            let highest = on(known.iter().max_by_key(|point| point.0));
            let _ = if known.is_empty() {
                write!(text, "{name}: no figures yet.")
            } else {
                write!(text, "{name}: {last}, from {first}; lowest {lowest}, highest {highest}.")
            };
        }
        text
    }

    /// As SVG, to stand in a page.
    pub fn svg(&self, theme: Theme) -> String {
        picture::svg(self, theme, picture::WIDE, 1)
    }

    /// As SVG, so narrow that two stand beside each other.
    pub fn narrow_svg(&self, theme: Theme) -> String {
        picture::svg(self, theme, picture::NARROW, 1)
    }

    /// As PNG, twice as dense as its size, on paper of its own; `None` where it could not be drawn.
    pub fn png(&self, theme: Theme) -> Option<Vec<u8>> {
        picture::png(&picture::svg(self, theme, picture::WIDE, 2))
    }

    /// The figures that are drawn.
    fn drawn(&self) -> &[Series] {
        let most = match self.shape {
            Shape::Line => 4,
            Shape::Bars => 1,
        };
        self.series.get(..most.min(self.series.len())).unwrap_or_default()
    }

    fn scale(&self) -> Option<Scale> {
        let values = self.drawn().iter().flat_map(|series| series.values.iter().flatten().copied());
        Scale::over(values, self.shape == Shape::Bars)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(values: &[&str]) -> Vec<(Date, Amount)> {
        let mut date = jiff::civil::date(2026, 11, 2);
        values
            .iter()
            .map(|value| {
                let point = (date, value.parse().unwrap());
                date = date.tomorrow().unwrap();
                point
            })
            .collect()
    }

    #[test]
    fn a_chart_says_in_words_what_it_shows() {
        let chart = Chart::of_days("Drift", "USD", Shape::Line, &days(&["10", "-1234.5", "88", "73.704"]));
        assert_eq!(
            chart.alt(),
            "Drift: $73.70 on Nov 5, from $10.00 on Nov 2; lowest −$1,234.50 on Nov 3, highest $88.00 on Nov 4."
        );
        let empty = Chart::of_days("Drift", "USD", Shape::Line, &[]);
        assert_eq!(empty.alt(), "Drift: no figures yet.");
    }

    #[test]
    fn whatever_is_drawn_is_well_formed_and_its_picture_is_small() {
        let most = "99999999999999999999.999999999999999999";
        let least = format!("-{most}");
        for values in [
            &[][..],
            &["0"],
            &["0", "0"],
            &["5"],
            &["-0.000000000000000001", "0"],
            &[most, &least, most],
            &["10", "-1234.5", "88", "73.704", "12000", "-9000", "1", "2", "3", "4", "5"],
        ] {
            for shape in [Shape::Line, Shape::Bars] {
                let chart = Chart::of_days("A <title> & \"more\"", "USD", shape, &days(values));
                for theme in [Theme::Light, Theme::Dark] {
                    let png = chart.png(theme).unwrap_or_else(|| panic!("{values:?} is not drawn"));
                    assert!(png.len() < 60 * 1024, "{} bytes", png.len());
                    assert_eq!(png[1..4], *b"PNG");
                }
                assert!(!chart.svg(Theme::Page).contains("<title>"), "what is given is never markup");
            }
        }
    }

    #[test]
    fn a_year_of_days_is_drawn_in_60_kib() {
        let values: Vec<String> =
            (0..260_i64).map(|day| ((day * 7_919 % 997 - 400) * day).to_string()).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        for shape in [Shape::Line, Shape::Bars] {
            let png = Chart::of_days("Net P&L", "USD", shape, &days(&values)).png(Theme::Light).unwrap();
            assert!(png.len() < 60 * 1024, "{} bytes", png.len());
        }
    }
}
