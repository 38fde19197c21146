//! What is asked for, by its path: nothing else of a request is read.

use std::fmt;

use super::page;

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Asked {
    /// A sheet of the books.
    Sheet(Subject, Form),
    /// How it looks, under the hash of what it says.
    Style,
    /// What refreshes it, likewise.
    Script,
    /// What stands in the tab.
    Icon,
    /// Whether this process is there.
    Health,
    /// Whether its loops go on.
    Ready,
    /// All of it in numbers.
    Metrics,
    /// There is nothing there.
    Nothing,
}

/// What a sheet is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Overview,
    Symbol(String),
    Order(i64),
    Fill(FillKey),
    Break(i64),
    Jobs,
}

/// Which fill: a transaction's log, and our side of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct FillKey {
    pub(super) chain: i64,
    /// 64 lower-case hex digits.
    pub(super) tx: String,
    pub(super) log: i32,
    pub(super) role: String,
}

/// How a sheet is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Form {
    Html,
    Json,
}

impl Asked {
    /// Whether what is there under this path is there for ever.
    pub(super) const fn never_changes(&self) -> bool {
        matches!(self, Self::Style | Self::Script)
    }
}

impl Subject {
    /// What is said where there is none.
    pub(super) fn missing(&self) -> String {
        match self {
            Self::Overview | Self::Jobs => "There is nothing.".to_owned(),
            Self::Symbol(symbol) => format!("Nothing is known of {symbol}."),
            Self::Order(order) => format!("There is no order #{order}."),
            Self::Fill(_) => {
                "There is no such fill: the chain may have taken it back; reporting.orphaned_fill has those."
                    .to_owned()
            }
            Self::Break(number) => format!("There is no break {number}."),
        }
    }
}

impl fmt::Display for FillKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chain, tx, log, role } = self;
        write!(f, "{chain}/0x{tx}/{log}/{role}")
    }
}

/// Reads a path.
pub(super) fn asked(path: &str) -> Asked {
    match path {
        "/healthz" => return Asked::Health,
        "/readyz" => return Asked::Ready,
        "/metrics" => return Asked::Metrics,
        "/icon.svg" => return Asked::Icon,
        _ if path == page::style_path() => return Asked::Style,
        _ if path == page::script_path() => return Asked::Script,
        _ => {}
    }
    let json = path.strip_prefix("/api/").and_then(|rest| rest.strip_suffix(".json"));
    let (words, form) = match json {
        Some("overview") => ("", Form::Json),
        Some("") => return Asked::Nothing,
        Some(words) => (words, Form::Json),
        None => (path.strip_prefix('/').unwrap_or("?"), Form::Html),
    };
    subject(words).map_or(Asked::Nothing, |subject| Asked::Sheet(subject, form))
}

fn subject(words: &str) -> Option<Subject> {
    let words: Vec<&str> = words.split('/').collect();
    match words.as_slice() {
        [""] => Some(Subject::Overview),
        ["jobs"] => Some(Subject::Jobs),
        ["symbol", symbol] => is_name(symbol).then(|| Subject::Symbol((*symbol).to_owned())),
        ["order", number] => number.parse().ok().map(Subject::Order),
        ["break", number] => number.parse().ok().map(Subject::Break),
        ["fill", chain, tx, log, role] => {
            let tx = tx.strip_prefix("0x").filter(|digits| {
                digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
            })?;
            let (chain, log) = (chain.parse().ok()?, log.parse().ok()?);
            let tx = tx.to_ascii_lowercase();
            is_name(role).then(|| Subject::Fill(FillKey { chain, tx, log, role: (*role).to_owned() }))
        }
        _ => None,
    }
}

/// A ticker or another word of ours, as it stands in a path.
fn is_name(text: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    !text.is_empty() && text.len() <= 32 && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_sheet_as_a_page_or_for_a_program() {
        let aapl = || Subject::Symbol("AAPL".to_owned());
        for (path, wanted) in [
            ("/", Asked::Sheet(Subject::Overview, Form::Html)),
            ("/api/overview.json", Asked::Sheet(Subject::Overview, Form::Json)),
            ("/symbol/AAPL", Asked::Sheet(aapl(), Form::Html)),
            ("/api/symbol/AAPL.json", Asked::Sheet(aapl(), Form::Json)),
            ("/order/7", Asked::Sheet(Subject::Order(7), Form::Html)),
            ("/api/break/7.json", Asked::Sheet(Subject::Break(7), Form::Json)),
            ("/jobs", Asked::Sheet(Subject::Jobs, Form::Html)),
            ("/healthz", Asked::Health),
            (page::style_path(), Asked::Style),
        ] {
            assert_eq!(asked(path), wanted, "{path}");
        }
        let tx = "aB".repeat(32);
        let Asked::Sheet(Subject::Fill(fill), Form::Html) = asked(&format!("/fill/8453/0x{tx}/4/order"))
        else {
            panic!("no fill")
        };
        assert_eq!(fill.to_string(), format!("8453/0x{}/4/order", tx.to_lowercase()));
    }

    #[test]
    fn whatever_else_is_asked_for_is_not_there() {
        for path in [
            "",
            "//",
            "/api/.json",
            "/api/",
            "/order/",
            "/order/x",
            "/order/99999999999999999999",
            "/symbol/",
            "/symbol/../x",
            "/symbol/%2e%2e",
            "/symbol/<script>",
            "/fill/8453/0x12/4/order",
            "/style.css",
            "/api/order/7",
        ] {
            assert_eq!(asked(path), Asked::Nothing, "{path}");
        }
        assert_eq!(asked(&format!("/symbol/{}", "A".repeat(33))), Asked::Nothing);
    }
}
