//! Walks a TOML file and collects everything that is wrong with it.
//!
//! serde stops at the first error; an operator wants all of them. So a file is
//! walked by hand: a [`Node`] is a value with its line and key, and asking it for
//! something it is not leaves a [`Problem`] with the [`Reader`] and answers `None`.

use std::{cell::RefCell, ops::Range};

use rust_decimal::Decimal;
use toml::{
    Spanned,
    de::{DeFloat, DeInteger, DeString, DeTable, DeValue},
};

use super::problem::{Problem, Wrong, wrong};

/// Words in a key that must not be in a file at all.
const SECRETS: [&str; 7] =
    ["database_url", "password", "secret", "api_key", "private_key", "encryption_key", "credential"];

/// A file being read, and what was found wrong so far.
pub(super) struct Reader<'r> {
    file: &'r str,
    text: &'r str,
    found: RefCell<Vec<(usize, Problem)>>,
}

impl<'r> Reader<'r> {
    pub(super) fn new(file: &'r str, text: &'r str) -> Self {
        Self { file, text, found: RefCell::default() }
    }

    /// The file's tables, or what keeps it from being TOML.
    pub(super) fn parse(&self) -> Option<Spanned<DeTable<'r>>> {
        let (root, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let at = error.span().map_or(0, |span| span.start);
            let what = format!("not TOML: {}", error.message().replace('\n', ", "));
            self.problem(at, "", &wrong(what, "mend this line first; the rest of the file is not read yet"));
        }
        errors.is_empty().then_some(root)
    }

    pub(super) fn root(
        &'r self,
        root: &'r Spanned<DeTable<'r>>,
        keys: &'static [&'static str],
    ) -> Section<'r> {
        Section::new(self, String::new(), 0..0, root.get_ref(), keys)
    }

    /// Everything that was found, in the order of the file.
    pub(super) fn problems(self) -> Vec<Problem> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|(at, _)| *at);
        found.into_iter().map(|(_, problem)| problem).collect()
    }

    fn problem(&self, at: usize, key: &str, Wrong { what, next }: &Wrong) {
        let line = 1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        let place = match key {
            "" => format!("{}:{line}", self.file),
            key => format!("{}:{line}: {key}", self.file),
        };
        self.found.borrow_mut().push((at, Problem::new(place, what, next)));
    }
}

/// A value in the file, with its key and place.
#[derive(Clone)]
pub(super) struct Node<'r> {
    reader: &'r Reader<'r>,
    key: String,
    span: Range<usize>,
    value: &'r DeValue<'r>,
}

impl<'r> Node<'r> {
    fn new(reader: &'r Reader<'r>, key: String, value: &'r Spanned<DeValue<'r>>) -> Self {
        Self { reader, key, span: value.span(), value: value.get_ref() }
    }

    /// The last part of its key: `8453` of `chain.8453`.
    pub(super) fn name(&self) -> &str {
        self.key.rsplit('.').next().unwrap_or_default()
    }

    /// The line it stands on.
    pub(super) fn line(&self) -> usize {
        1 + self.reader.text.bytes().take(self.span.start).filter(|byte| *byte == b'\n').count()
    }

    /// Leaves a problem at this place.
    pub(super) fn refuse(&self, what: impl Into<String>, next: impl Into<String>) {
        self.reader.problem(self.span.start, &self.key, &wrong(what, next));
    }

    /// A string, made into something.
    pub(super) fn text<T>(&self, make: impl Fn(&str) -> Result<T, Wrong>) -> Option<T> {
        let Some(text) = self.value.as_str() else { return self.not("a string in quotes") };
        make(text).map_err(|Wrong { what, next }| self.refuse(what, next)).ok()
    }

    /// A whole number, none below `least`.
    pub(super) fn whole(&self, least: u64) -> Option<u64> {
        let Some(number) = self.value.as_integer() else {
            return self.not("a whole number, without quotes");
        };
        // As wide as TOML and Postgres have it.
        let read = i64::from_str_radix(number.as_str(), number.radix()).ok();
        let read = read.and_then(|read| u64::try_from(read).ok()).filter(|read| *read >= least);
        if read.is_none() {
            self.refuse(format!("{number} is out of range"), format!("give a whole number from {least} up"));
        }
        read
    }

    /// A whole number that is no longer than it need be.
    pub(super) fn whole_u32(&self, least: u64) -> Option<u32> {
        let number = self.whole(least)?;
        let read = u32::try_from(number).ok();
        if read.is_none() {
            self.refuse(format!("{number} is out of range"), format!("give at most {}", u32::MAX));
        }
        read
    }

    /// The string at `key` of a table, if there is one; nothing is found wrong.
    pub(super) fn peek(&self, key: &str) -> Option<&'r str> {
        self.value.as_table()?.get(key)?.get_ref().as_str()
    }

    /// A number with or without a fraction, exactly as written.
    pub(super) fn decimal(&self) -> Option<Decimal> {
        let whole = self.value.as_integer().filter(|number| number.radix() == 10).map(DeInteger::as_str);
        let Some(written) = whole.or_else(|| self.value.as_float().map(DeFloat::as_str)) else {
            return self.not("a number, without quotes");
        };
        let read = Decimal::from_str_exact(written).ok();
        if read.is_none() {
            self.refuse(
                format!("{written} is not a plain decimal number"),
                "write it like 0.5, with at most 28 digits",
            );
        }
        read
    }

    /// A number with or without a fraction, made into something.
    pub(super) fn number<T>(&self, make: impl Fn(Decimal) -> Result<T, Wrong>) -> Option<T> {
        make(self.decimal()?).map_err(|Wrong { what, next }| self.refuse(what, next)).ok()
    }

    /// True or false.
    pub(super) fn flag(&self) -> Option<bool> {
        self.value.as_bool().or_else(|| self.not("true or false, without quotes"))
    }

    /// A whole number or a word, each made into something.
    pub(super) fn number_or_word<T>(
        &self,
        number: impl Fn(u64) -> T,
        word: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        if self.value.is_integer() { self.whole(0).map(number) } else { self.text(word) }
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Option<Vec<Self>> {
        self.items_of("a list in square brackets")
    }

    /// The items of a list that is called `wanted` where it is none.
    pub(super) fn items_of(&self, wanted: &str) -> Option<Vec<Self>> {
        let Some(items) = self.value.as_array() else { return self.not(wanted) };
        Some(items.iter().map(|item| Self::new(self.reader, self.key.clone(), item)).collect())
    }

    /// A table with these keys and no others.
    pub(super) fn section(&self, keys: &'static [&'static str]) -> Option<Section<'r>> {
        let Some(table) = self.value.as_table() else {
            return self.not(&format!("a table with {}", keys.join(", ")));
        };
        Some(Section::new(self.reader, self.key.clone(), self.span.clone(), table, keys))
    }

    /// A table whose keys are names.
    pub(super) fn named(&self) -> Vec<Self> {
        let Some(table) = self.value.as_table() else {
            return self.not(&format!("a table: write [{}.NAME]", self.key)).unwrap_or_default();
        };
        let node = |(key, value): (&'r Spanned<DeString<'r>>, &'r Spanned<DeValue<'r>>)| {
            Self::new(self.reader, format!("{}.{}", self.key, key.get_ref()), value)
        };
        table.iter().map(node).collect()
    }

    fn not<T>(&self, wanted: &str) -> Option<T> {
        let what = format!("is {}", with_article(self.value.type_str()));
        self.refuse(what, format!("it must be {wanted}"));
        None
    }
}

/// A table whose keys are known.
pub(super) struct Section<'r> {
    reader: &'r Reader<'r>,
    key: String,
    span: Range<usize>,
    table: &'r DeTable<'r>,
    /// Keys that stand there misspelt: their absence is not a problem of its own.
    misspelt: Vec<&'static str>,
}

impl<'r> Section<'r> {
    /// Refuses every key that is not among `keys`.
    fn new(
        reader: &'r Reader<'r>,
        key: String,
        span: Range<usize>,
        table: &'r DeTable<'r>,
        keys: &'static [&'static str],
    ) -> Self {
        let mut section = Self { reader, key, span, table, misspelt: Vec::new() };
        for name in table.keys() {
            let word = name.get_ref().as_ref();
            if keys.contains(&word) {
                continue;
            }
            let meant = nearest(word, keys);
            let problem = if SECRETS.iter().any(|secret| word.to_lowercase().contains(secret)) {
                let variable = word.to_uppercase();
                wrong(
                    "a secret does not belong in a file",
                    format!("use the environment: {variable}, {variable}_FILE or a systemd credential"),
                )
            } else if let Some(meant) = meant {
                section.misspelt.push(meant);
                wrong("unknown key", format!("did you mean `{meant}`?"))
            } else {
                wrong("unknown key", format!("remove it; known here: {}", keys.join(", ")))
            };
            reader.problem(name.span().start, &section.path(word), &problem);
        }
        section
    }

    /// What stands at `key`, if anything does.
    pub(super) fn get(&self, key: &str) -> Option<Node<'r>> {
        self.table.get(key).map(|value| Node::new(self.reader, self.path(key), value))
    }

    /// What stands at `key`; its absence is a problem. `next` says what to write.
    pub(super) fn need(&self, key: &str, next: &str) -> Option<Node<'r>> {
        let found = self.get(key);
        if found.is_none() && !self.misspelt.contains(&key) {
            self.refuse(key, "is missing", next);
        }
        found
    }

    /// Leaves a problem about `key` at the head of this table.
    pub(super) fn refuse(&self, key: &str, what: impl Into<String>, next: impl Into<String>) {
        self.reader.problem(self.span.start, &self.path(key), &wrong(what, next));
    }

    fn path(&self, key: &str) -> String {
        if self.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.key) }
    }
}

/// The word that was most likely meant.
fn nearest<'w>(word: &str, words: &[&'w str]) -> Option<&'w str> {
    words
        .iter()
        .map(|known| (strsim::damerau_levenshtein(word, known), *known))
        .min()
        .filter(|(distance, known)| *distance <= (known.len() / 3).max(1))
        .map(|(_, known)| known)
}

fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {kind}")
}
