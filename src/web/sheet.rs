//! A sheet: what the books say of one thing, section by section, as a page and a program are given it.

use jiff::Timestamp;
use serde::{
    Serialize,
    ser::{SerializeMap as _, Serializer},
};
use serde_json::Value;

use crate::report::{Table, chart::Chart};

/// What the books say of one thing.
pub(super) struct Sheet {
    /// When they said it.
    pub(super) at: Timestamp,
    /// What it is about.
    pub(super) title: String,
    /// What that is, in a line.
    pub(super) about: String,
    /// Whether all is well, where that is asked.
    pub(super) tiles: Vec<Tile>,
    /// Section by section.
    pub(super) sections: Vec<Section>,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mood {
    Well,
    Unknown,
    Look,
    Wrong,
}

/// One thing that is well or not, at a glance.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Tile {
    pub(super) name: &'static str,
    pub(super) mood: Mood,
    /// The figure, with its unit.
    pub(super) value: String,
    /// What it is of, and since when.
    pub(super) detail: String,
    /// What to do; empty: nothing.
    pub(super) next: String,
}

/// A part of a sheet.
pub(super) struct Section {
    /// What a program knows it by, and a link.
    pub(super) key: &'static str,
    pub(super) title: String,
    /// What is shown, and as of when.
    pub(super) note: String,
    pub(super) body: Body,
}

/// What a section holds.
pub(super) enum Body {
    /// Rows below each other; said where there is none.
    Rows { fields: &'static [Field], table: Table, empty: &'static str },
    /// One row, field by field.
    Facts { fields: &'static [Field], table: Table },
    /// Pictures of rows, and the rows, the newest last.
    Charts { charts: Vec<Chart>, fields: &'static [Field], table: Table, empty: &'static str },
    /// What is so and what to do, in sentences; for a program, more of it.
    Told { said: Vec<Told>, value: Value },
    /// It could not be read, and why.
    Unread(String),
}

/// A sentence, and what to do about it.
pub(super) struct Told {
    pub(super) said: String,
    pub(super) act: String,
}

/// A column that people see.
pub(super) struct Field {
    /// In the table.
    pub(super) name: &'static str,
    /// Above it, with its unit.
    pub(super) head: &'static str,
    pub(super) show: Show,
}

/// How a value is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    /// As it is.
    Words,
    /// A word that says how something is.
    State,
    /// The same of an order: how it ended, of the row's `why` and `refusal`, or where it is.
    Life,
    /// A time on the desk's clock.
    Time,
    /// Shares, without zeros at the end.
    Quantity,
    /// Dollars and cents.
    Dollars,
    /// Dollars of one share, to the sixth decimal.
    Price,
    /// A whole number, grouped.
    Whole,
    /// A number of seconds.
    Seconds,
    /// Words of a machine, which may be long.
    Code,
    /// What to do: a command, or words with commands between backticks.
    Act,
    /// A ticker, which leads to its page.
    Symbol,
    /// An order's number, likewise.
    Order,
    /// A break's number, likewise.
    Break,
    /// A fill's transaction, likewise; of the row's `chain_id`, `tx_hash`, `log_index` and `role`.
    Fill,
}

impl Show {
    /// Whether it stands to the right, so that digits stand below each other.
    pub(super) const fn is_figure(self) -> bool {
        matches!(self, Self::Quantity | Self::Dollars | Self::Price | Self::Whole | Self::Seconds)
    }
}

impl Serialize for Sheet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sheet = serializer.serialize_map(None)?;
        sheet.serialize_entry("at", &self.at)?;
        sheet.serialize_entry("title", &self.title)?;
        if !self.tiles.is_empty() {
            sheet.serialize_entry("tiles", &self.tiles)?;
        }
        for Section { key, body, .. } in &self.sections {
            match body {
                Body::Rows { table, .. } | Body::Charts { table, .. } | Body::Facts { table, .. } => {
                    sheet.serialize_entry(key, table)?;
                }
                Body::Told { value, .. } => sheet.serialize_entry(key, value)?,
                Body::Unread(why) => sheet.serialize_entry(key, &serde_json::json!({ "unread": why }))?,
            }
        }
        sheet.end()
    }
}
