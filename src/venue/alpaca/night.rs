//! What the night asks of Alpaca: activities that are no trades, closes, corporate actions.
//!
//! Activities and announcements are documented (`alpaca.md` §11, §12); that a canceled
//! activity keeps its id, and that shares of a journal, transfer or split are signed as they
//! move, is assumed. The close of a day is its daily bar's, unadjusted. A word that is not
//! known here gives an activity of kind `Other`, and an announcement is left out and told.

use std::collections::BTreeMap;

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{
    book::{
        action::{Change, CorporateAction},
        activity::{Activity, ActivityKind},
    },
    time::new_york_date,
    units::{Amount, Price, Shares, Usd},
    venue::number::Number,
};

/// A number that may be left blank.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Blank(pub(super) Option<Number>);

impl<'de> Deserialize<'de> for Blank {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(from)?;
        if matches!(raw.get().trim(), "null" | "\"\"") {
            return Ok(Self(None));
        }
        serde_json::from_str(raw.get()).map(|number| Self(Some(number))).map_err(serde::de::Error::custom)
    }
}

/// One activity that is no trade.
#[derive(Deserialize)]
struct Row {
    id: String,
    activity_type: String,
    activity_sub_type: Option<String>,
    date: Option<Date>,
    created_at: Option<String>,
    #[serde(default)]
    net_amount: Blank,
    #[serde(default)]
    qty: Blank,
    symbol: Option<String>,
    status: Option<String>,
    description: Option<String>,
}

/// Fees that regulators and exchanges ask for, by the word that begins a sub-type or a description.
const REGULATORY: [&str; 6] = ["REG", "TAF", "CAT", "ORF", "OCC", "SEC"];

impl Row {
    fn kind(&self) -> ActivityKind {
        let moves_shares = self.qty.0.is_some_and(|qty| !qty.0.is_zero());
        match self.activity_type.as_str() {
            "FEE" | "CFEE" => {
                let said = [&self.activity_sub_type, &self.description];
                let first = |text: &str| text.split_whitespace().next().map(str::to_uppercase);
                let words = said.into_iter().flatten().filter_map(|text| first(text));
                let mut regulatory = words.filter(|word| REGULATORY.contains(&word.as_str()));
                if regulatory.next().is_some() { ActivityKind::Regulatory } else { ActivityKind::Commission }
            }
            "PTC" | "PTR" => ActivityKind::Regulatory,
            "INT" | "INTNRA" | "INTTW" => ActivityKind::Interest,
            "CSD" | "CSW" | "JNLC" | "ACATC" => ActivityKind::Cash,
            "JNL" | "TRANS" if !moves_shares => ActivityKind::Cash,
            "JNL" | "TRANS" | "JNLS" | "ACATS" => ActivityKind::Shares,
            "SPLIT" => ActivityKind::Split,
            "NC" | "SC" => ActivityKind::Rename,
            dividend if dividend.starts_with("DIV") => ActivityKind::Dividend,
            _ => ActivityKind::Other,
        }
    }

    fn created_at(&self) -> Option<Timestamp> {
        self.created_at.as_deref()?.parse().ok()
    }
}

/// Its id alone: what the next page is asked by.
#[derive(Deserialize)]
struct Named {
    id: String,
}

/// The id of an activity.
pub(super) fn id(raw: &RawValue) -> Result<String, serde_json::Error> {
    serde_json::from_str::<Named>(raw.get()).map(|named| named.id)
}

/// An activity, in our words; `None` for a trade.
pub(super) fn activity(raw: &RawValue) -> Result<Option<Activity>, serde_json::Error> {
    use serde::de::Error as _;
    // A trade has no amount, and is not this room's.
    #[derive(Deserialize)]
    struct Kind {
        activity_type: String,
    }
    if serde_json::from_str::<Kind>(raw.get())?.activity_type == "FILL" {
        return Ok(None);
    }
    let row: Row = serde_json::from_str(raw.get())?;
    let date = row.date.or_else(|| row.created_at().map(new_york_date));
    let date = date.ok_or_else(|| serde_json::Error::missing_field("date"))?;
    let number = |blank: Blank| blank.0.map_or(Amount::ZERO, |number| number.0);
    let mut kind = row.kind();
    let mut word = row.activity_type.clone();
    let (mut quantity, mut cash) = (number(row.qty), number(row.net_amount));
    match kind {
        // What is held, not what moves.
        ActivityKind::Commission
        | ActivityKind::Regulatory
        | ActivityKind::Interest
        | ActivityKind::Dividend
        | ActivityKind::Cash => quantity = Amount::ZERO,
        ActivityKind::Shares | ActivityKind::Split | ActivityKind::Rename | ActivityKind::Other => {}
    }
    if row.status.as_deref() == Some("canceled") {
        (kind, quantity, cash) = (ActivityKind::Other, Amount::ZERO, Amount::ZERO);
        word.push_str(" canceled");
    }
    Ok(Some(Activity {
        at: row.created_at(),
        id: row.id,
        kind,
        word,
        symbol: row.symbol.filter(|symbol| !symbol.is_empty()),
        quantity: Shares(quantity),
        cash: Usd(cash),
        date,
        said: raw.get().to_owned(),
    }))
}

/// `/stocks/bars`.
#[derive(Deserialize)]
pub(super) struct Bars {
    #[serde(default)]
    bars: Option<BTreeMap<String, Vec<Bar>>>,
    pub(super) next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Bar {
    t: Timestamp,
    c: Number,
}

impl Bars {
    /// What each closed at on this day.
    pub(super) fn closes(self, day: Date) -> impl Iterator<Item = (String, Price)> {
        let bars = self.bars.unwrap_or_default().into_iter();
        bars.filter_map(move |(symbol, bars)| {
            let bar = bars.iter().find(|bar| new_york_date(bar.t) == day)?;
            Some((symbol, bar.c.price().filter(|price| !price.dollars().is_zero())?))
        })
    }
}

/// `/v1/corporate-actions`.
#[derive(Deserialize)]
pub(super) struct Announcements<'a> {
    #[serde(borrow, default)]
    corporate_actions: BTreeMap<String, Vec<&'a RawValue>>,
    pub(super) next_page_token: Option<String>,
}

/// The types that are asked for. Of the others none has a place in our books yet.
pub(super) const TYPES: &str = "forward_split,reverse_split,cash_dividend,name_change";

#[derive(Deserialize)]
struct Announced {
    id: Option<String>,
    symbol: Option<String>,
    old_symbol: Option<String>,
    new_symbol: Option<String>,
    old_rate: Option<Number>,
    new_rate: Option<Number>,
    rate: Option<Number>,
    ex_date: Option<Date>,
    process_date: Option<Date>,
    record_date: Option<Date>,
    payable_date: Option<Date>,
}

impl Announcements<'_> {
    /// What is announced, in our words; what is not understood comes as it stands.
    pub(super) fn read(&self) -> (Vec<CorporateAction>, Vec<String>) {
        let mut strange = Vec::new();
        let mut actions = Vec::new();
        for (group, rows) in &self.corporate_actions {
            for raw in rows {
                match announced(group, raw) {
                    Some(action) => actions.push(action),
                    None => strange.push(format!("{group}: {}", raw.get())),
                }
            }
        }
        (actions, strange)
    }
}

fn announced(group: &str, raw: &RawValue) -> Option<CorporateAction> {
    let row: Announced = serde_json::from_str(raw.get()).ok()?;
    let above_zero = |number: Option<Number>| {
        number.map(|number| number.0).filter(|number| !number.is_zero() && !number.is_negative())
    };
    let (symbol, change) = match group {
        "forward_splits" | "reverse_splits" => {
            let (new, old) = (above_zero(row.new_rate)?, above_zero(row.old_rate)?);
            (row.symbol?, Change::Split { new, old })
        }
        "cash_dividends" => (row.symbol?, Change::Dividend { per_share: Price::of(above_zero(row.rate)?)? }),
        "name_changes" => (row.old_symbol?, Change::Rename { to: row.new_symbol? }),
        _ => return None,
    };
    let ex_date = row.ex_date.or(row.process_date)?;
    Some(CorporateAction {
        // Older answers have no id: then it is what it says it is.
        id: row.id.unwrap_or_else(|| format!("{group} {symbol} {ex_date}")),
        symbol,
        change,
        ex_date,
        effective_at: midnight(ex_date)?,
        record_date: row.record_date,
        payable_date: row.payable_date,
        said: raw.get().to_owned(),
    })
}

/// When a day begins in New York.
fn midnight(date: Date) -> Option<Timestamp> {
    let zone = TimeZone::get("America/New_York").ok()?;
    zone.to_timestamp(date.to_datetime(Time::midnight())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Activity {
        activity(&RawValue::from_string(json.to_owned()).unwrap()).unwrap().unwrap()
    }

    fn shown(json: &str) -> String {
        let Activity { kind, word, symbol, quantity, cash, date, .. } = read(json);
        format!("{} {word} {} {quantity} {cash} {date}", kind.word(), symbol.unwrap_or_default())
    }

    #[test]
    fn an_activity_is_signed_as_it_moves_the_account() {
        for (json, expected) in [
            (
                r#"{"id":"a","activity_type":"DIV","date":"2026-11-16","net_amount":"1.02","symbol":"T","cusip":"C00206R102","qty":"2","per_share_amount":"0.51","status":"executed"}"#,
                "dividend DIV T 0 1.02 2026-11-16",
            ),
            (
                r#"{"id":"b","activity_type":"DIVNRA","date":"2026-11-16","net_amount":"-0.15","symbol":"T"}"#,
                "dividend DIVNRA T 0 -0.15 2026-11-16",
            ),
            (
                r#"{"id":"c","activity_type":"FEE","activity_sub_type":"","date":"2026-11-17","net_amount":"-0.02","description":"TAF fee for proceed of 35 shares (10 trades) on 2026-11-16 by 1","status":"executed"}"#,
                "regulatory FEE  0 -0.02 2026-11-17",
            ),
            (
                r#"{"id":"d","activity_type":"FEE","date":"2026-11-17","net_amount":"-5","description":"wire fee","qty":""}"#,
                "commission FEE  0 -5 2026-11-17",
            ),
            (
                r#"{"id":"e","activity_type":"INT","date":"2026-11-17","net_amount":"-3.2","qty":null}"#,
                "interest INT  0 -3.2 2026-11-17",
            ),
            (
                r#"{"id":"f","activity_type":"CSW","date":"2026-11-17","net_amount":"-100"}"#,
                "cash CSW  0 -100 2026-11-17",
            ),
            (
                r#"{"id":"g","activity_type":"JNLS","date":"2026-11-17","symbol":"AAPL","qty":"-20","net_amount":"0"}"#,
                "shares JNLS AAPL -20 0 2026-11-17",
            ),
            (
                r#"{"id":"h","activity_type":"SPLIT","activity_sub_type":"FSPLIT","date":"2026-11-17","symbol":"NFLX","qty":"90","net_amount":"0"}"#,
                "split SPLIT NFLX 90 0 2026-11-17",
            ),
            (
                r#"{"id":"i","activity_type":"NC","date":"2026-11-17","symbol":"FB","qty":"-4","net_amount":"0"}"#,
                "rename NC FB -4 0 2026-11-17",
            ),
            (
                r#"{"id":"j","activity_type":"SPIN","date":"2026-11-17","symbol":"GEV","qty":"3","net_amount":"0"}"#,
                "other SPIN GEV 3 0 2026-11-17",
            ),
            (
                r#"{"id":"k","activity_type":"FEE","date":"2026-11-17","net_amount":"-0.02","status":"canceled"}"#,
                "other FEE canceled  0 0 2026-11-17",
            ),
            (
                r#"{"id":"l","activity_type":"NEW","created_at":"2026-11-18T03:00:00Z","net_amount":"7"}"#,
                "other NEW  0 7 2026-11-17",
            ),
        ] {
            assert_eq!(shown(json), expected);
        }
    }

    #[test]
    fn an_amount_that_does_not_read_is_an_error_and_never_nothing() {
        let raw = RawValue::from_string(
            r#"{"id":"a","activity_type":"FEE","date":"2026-11-16","net_amount":"-1,5"}"#.to_owned(),
        );
        assert!(activity(&raw.unwrap()).is_err());
        let trade = RawValue::from_string(r#"{"id":"a","activity_type":"FILL"}"#.to_owned()).unwrap();
        assert_eq!(activity(&trade).unwrap(), None);
    }

    #[test]
    fn announcements_are_read_and_what_is_not_understood_is_told() {
        let body = r#"{"corporate_actions":{
            "forward_splits":[{"symbol":"NFLX","cusip":"64110L106","old_rate":1,"new_rate":10,"ex_date":"2025-11-17",
                "record_date":"2025-11-10","payable_date":"2025-11-14","process_date":"2025-11-17","id":"s-1"}],
            "reverse_splits":[{"symbol":"MMAT","old_cusip":"a","new_cusip":"b","old_rate":100,"new_rate":1,"ex_date":"2024-01-29","process_date":"2024-01-29","id":"s-2"}],
            "cash_dividends":[{"symbol":"AAPL","rate":0.26,"special":false,"foreign":false,"ex_date":"2026-02-09","record_date":"2026-02-09","payable_date":"2026-02-12","process_date":"2026-02-12"}],
            "name_changes":[{"old_symbol":"FB","new_symbol":"META","process_date":"2022-06-09","id":"n-1"}],
            "spin_offs":[{"source_symbol":"GE","new_symbol":"GEV"}]},
            "next_page_token":null}"#;
        let told: Announcements<'_> = serde_json::from_str(body).unwrap();
        let (actions, strange) = told.read();
        let shown: Vec<String> = actions
            .iter()
            .map(|action| {
                format!("{} {} {:?} {}", action.id, action.symbol, action.change, action.effective_at)
            })
            .collect();
        assert_eq!(shown.len(), 4, "{shown:#?}");
        assert!(shown.iter().any(|it| it.starts_with("cash_dividends AAPL 2026-02-09 AAPL")), "{shown:#?}");
        assert!(
            shown.iter().any(|it| it.ends_with("2025-11-17T05:00:00Z")),
            "midnight in New York: {shown:#?}"
        );
        assert!(shown.iter().any(|it| it.contains("Rename { to: \"META\" }")), "{shown:#?}");
        assert_eq!(strange.len(), 1);
        assert!(strange[0].starts_with("spin_offs: "));
    }

    #[test]
    fn a_close_is_the_bar_of_its_day_and_no_other() {
        let body = r#"{"bars":{"AAPL":[{"c":187.25,"h":188,"l":186,"n":5,"o":187,"t":"2026-11-20T05:00:00Z","v":10,"vw":187.1}],
                       "TSLA":[{"c":404,"t":"2026-11-19T05:00:00Z"}]},"next_page_token":null}"#;
        let bars: Bars = serde_json::from_str(body).unwrap();
        let closes: Vec<(String, Price)> = bars.closes("2026-11-20".parse().unwrap()).collect();
        assert_eq!(closes, [("AAPL".to_owned(), Price::of("187.25".parse().unwrap()).unwrap())]);
    }
}
