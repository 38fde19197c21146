//! From figures to places: where an axis begins and ends, and where its lines are.

use crate::{
    report::figure::{grouped, with_sign},
    units::Amount,
};

/// Figures are placed in counts of 1e-12: what is finer has no width, and what is largest has room.
const FINE: i128 = 1_000_000;
/// One whole unit in them.
const ONE: i128 = 1_000_000_000_000;
/// At most so many lines beside the first.
const LINES: i128 = 4;

/// An axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    low: i128,
    high: i128,
    step: i128,
}

impl Scale {
    /// An axis that holds all of `values`, and zero where they are bars or it is near; `None` without any.
    pub(super) fn over(values: impl Iterator<Item = Amount>, bars: bool) -> Option<Self> {
        let values: Vec<i128> = values.map(|value| value.atoms() / FINE).collect();
        let (mut low, mut high) = (*values.iter().min()?, *values.iter().max()?);
        let range = high - low;
        if bars || range == 0 || (low > 0 && low <= range) || (high < 0 && -high <= range) {
            (low, high) = (low.min(0), high.max(0));
        }
        if low == high {
            high = low + ONE;
        }
        let step = step(high - low);
        Some(Self { low: low.div_euclid(step) * step, high: -(-high).div_euclid(step) * step, step })
    }

    /// How far below the top a figure lies, where the axis is `height` high.
    pub(super) fn below_top(&self, value: Amount, height: i64) -> i64 {
        let down = (self.high - value.atoms() / FINE) * i128::from(height) / (self.high - self.low);
        i64::try_from(down).unwrap_or(height)
    }

    /// Every line of it, lowest first: the figure and how it is written.
    pub(super) fn lines(&self, unit: &Unit) -> Vec<(Amount, String)> {
        let count = (self.high - self.low) / self.step;
        let largest = self.high.abs().max(self.low.abs());
        let (part, letter) = match largest / ONE {
            10_000_000.. => (1_000_000, "M"),
            10_000.. => (1_000, "k"),
            _ => (1, ""),
        };
        let decimals = (0..12).find(|decimals| self.step * 10_i128.pow(*decimals) % (part * ONE) == 0);
        let lines = (0..=count).filter_map(|line| {
            let value = Amount::from_atoms((self.low + line * self.step) * FINE)?;
            let shown = Amount::from_atoms(value.atoms() / part)?;
            let figure = format!("{}{letter}", grouped(shown, decimals.unwrap_or(12)));
            Some((value, unit.with(if value.is_zero() { "0" } else { &figure })))
        });
        lines.collect()
    }
}

/// The smallest of 1, 2 and 5 with zeros that goes at most so often into `range`.
fn step(range: i128) -> i128 {
    let sizes = (0..36).flat_map(|zeros| [1, 2, 5].map(|digit| digit * 10_i128.pow(zeros)));
    sizes.into_iter().find(|size| range / size <= LINES).unwrap_or(range)
}

/// What is counted, and where that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Before the figure.
    Dollars,
    /// Behind it.
    Percent,
    /// In the title.
    Named(String),
}

impl Unit {
    pub(super) fn of(unit: &str) -> Self {
        match unit {
            "USD" => Self::Dollars,
            "%" => Self::Percent,
            other => Self::Named(other.to_owned()),
        }
    }

    /// A figure with what it is counted in.
    pub(super) fn with(&self, figure: &str) -> String {
        match self {
            Self::Dollars => with_sign(figure, "$"),
            Self::Percent => format!("{figure} %"),
            Self::Named(_) => figure.to_owned(),
        }
    }

    /// What stands beside the title.
    pub(super) fn title(&self) -> &str {
        match self {
            Self::Dollars => "USD",
            Self::Percent => "%",
            Self::Named(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(values: &[&str], bars: bool) -> Vec<String> {
        let values: Vec<Amount> = values.iter().map(|value| value.parse().unwrap()).collect();
        let scale = Scale::over(values.into_iter(), bars).unwrap();
        scale.lines(&Unit::Dollars).into_iter().map(|(_, line)| line).collect()
    }

    #[test]
    fn lines_are_round_figures_around_what_is_drawn() {
        assert_eq!(lines(&["-310", "880"], false), ["−$500", "$0", "$500", "$1,000"]);
        assert_eq!(lines(&["147.2", "149.9"], false), ["$147", "$148", "$149", "$150"]);
        assert_eq!(lines(&["12", "95"], false), ["$0", "$20", "$40", "$60", "$80", "$100"]);
        assert_eq!(lines(&["70", "95"], true), ["$0", "$20", "$40", "$60", "$80", "$100"]);
        assert_eq!(lines(&["0"], false), ["$0", "$0.5", "$1.0"]);
        assert_eq!(lines(&["0", "26000"], false), ["$0", "$10k", "$20k", "$30k"]);
        assert_eq!(lines(&["0", "12500000"], false), ["$0", "$5M", "$10M", "$15M"]);
    }

    #[test]
    fn a_figure_lies_between_the_first_line_and_the_last() {
        let scale = Scale::over(["-1", "3"].map(|it| it.parse().unwrap()).into_iter(), false).unwrap();
        let place = |value: &str| scale.below_top(value.parse().unwrap(), 1000);
        assert_eq!((place("3"), place("1"), place("-1")), (0, 500, 1000));
    }
}
