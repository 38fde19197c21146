//! What a tool can check of how this house is kept, checked.
//!
//! The floors are read from the map in `src/lib.rs`, so that there is one truth.
//! Code is looked at without its comments, strings and unit tests: a test may
//! bring a rehearsal chain to any floor. Every list of exceptions below may only
//! shrink: one that is no longer needed fails as well.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use clap::CommandFactory;
use hedge::{
    book::recon::explain::Class,
    cli::{Cli, Exit},
    config::TEMPLATE,
};

const LIB: &str = include_str!("../../src/lib.rs");
/// All that is written for whoever uses it: the README, and what it points to. Bad input comes last.
pub(crate) const WORDS: &str = concat!(
    include_str!("../../README.md"),
    include_str!("../../docs/commands.md"),
    include_str!("../../docs/books.md"),
    include_str!("../../docs/proving.md"),
    include_str!("../../docs/configuration.md"),
);

/// Doors open on streets of their own, none onto another.
const DOORS: u8 = 3;
/// A float is for speeds and bars, which begin here.
const ABOVE_MONEY: u8 = 4;
/// Lines of a file, its tests aside, from which on it has two ideas.
const LONG: usize = 700;

/// Files that wait without a [`hedge::time::Clock`], and on whom.
const WAITING: [(&str, &str); 3] = [
    ("src/sim/node.rs", "a slow node is slow"),
    ("src/sim/wire.rs", "a socket that cannot accept"),
    ("src/store/embedded/host.rs", "a process of the machine"),
];

/// A file of `src/`, as it is looked at.
struct Source {
    /// From the root of the repository.
    path: String,
    /// As it is written.
    text: String,
    /// Without comments, what strings say, and unit tests; as many lines.
    code: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let code = without_tests(&bare(text));
        // A module of tests in a file of its own is all test.
        let code = if path.ends_with("/tests.rs") { String::new() } else { code };
        Self { path: path.to_owned(), text: text.to_owned(), code }
    }

    /// The room it is in; none for the two that only hold the house together.
    fn room(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        let room = inside.split_once('/').map_or(inside, |(room, _)| room).trim_end_matches(".rs");
        (!["lib", "main"].contains(&room)).then_some(room)
    }

    /// How many `super`s lead out of its room.
    fn depth(&self) -> usize {
        let inside = self.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        inside.split('/').count()
    }
}

/// All files below a folder with this ending.
fn below(folder: &str, ending: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join(folder)];
    let mut files: Vec<(String, String)> = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                let name = path.strip_prefix(root).map(PathBuf::from).unwrap();
                files.push((name.to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

fn house() -> Vec<Source> {
    below("src", "rs").iter().map(|(path, text)| Source::new(path, text)).collect()
}

/// The floor of each room, by the map of `lib.rs`.
fn floors(lib: &str) -> BTreeMap<String, u8> {
    let map = lib.split("//! ```text\n").nth(1).unwrap().split("//! ```").next().unwrap();
    let mut floors = BTreeMap::new();
    for line in map.lines() {
        let (floor, rest) = line.trim_start_matches("//! ").split_once("  ").unwrap();
        let rooms = rest.split("   ").next().unwrap();
        floors.extend(rooms.split_whitespace().map(|room| (room.to_owned(), floor.parse().unwrap())));
    }
    floors
}

/// Source without comments and without what strings and characters hold; newlines stay.
fn bare(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => end_of_string(rest),
            'r' if !bare.ends_with(|before: char| before.is_alphanumeric() || before == '_') => {
                end_of_raw_string(rest).unwrap_or(0)
            }
            '\'' => end_of_character(rest).unwrap_or(0),
            _ => 0,
        };
        if length == 0 {
            bare.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            bare.extend(rest[..length].chars().filter(|passed| *passed == '\n'));
            rest = &rest[length..];
        }
    }
    bare
}

fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    let closing = text.char_indices().skip(1).find(|(_, character)| {
        let closes = *character == '"' && !escaped;
        escaped = *character == '\\' && !escaped;
        closes
    });
    closing.map_or(text.len(), |(at, _)| at + 1)
}

fn end_of_raw_string(text: &str) -> Option<usize> {
    let hashes: String = text[1..].chars().take_while(|character| *character == '#').collect();
    let inside = text[1 + hashes.len()..].strip_prefix('"')?;
    let closing = format!("\"{hashes}");
    let end = inside.find(&closing).unwrap_or(inside.len() - closing.len());
    Some(text.len() - inside.len() + end + closing.len())
}

/// None where the quote begins a lifetime.
fn end_of_character(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().skip(1);
    let (_, first) = characters.next()?;
    if first == '\\' {
        characters.next()?;
        return characters.find(|(_, character)| *character == '\'').map(|(at, _)| at + 1);
    }
    characters.next().filter(|(_, character)| *character == '\'').map(|(at, _)| at + 1)
}

/// Bare code without its `#[cfg(test)]` modules.
fn without_tests(code: &str) -> String {
    let mut kept = String::new();
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        let (before, tests) = rest.split_at(at);
        kept.push_str(before);
        let body = tests.find(['{', ';']).unwrap_or(tests.len());
        let length = if tests[body..].starts_with('{') { body + braced(&tests[body..]) } else { body };
        kept.extend(tests[..length].chars().filter(|passed| *passed == '\n'));
        rest = &tests[length..];
    }
    kept + rest
}

/// The length of what stands in braces, them included.
fn braced(text: &str) -> usize {
    let mut open = 0;
    let closing = text.char_indices().find(|(_, character)| {
        open += i32::from(*character == '{') - i32::from(*character == '}');
        open == 0
    });
    closing.map_or(text.len(), |(at, _)| at + 1)
}

/// Where `word` stands by itself, each with what follows it.
fn uses<'c>(code: &'c str, word: &'c str) -> impl Iterator<Item = (usize, &'c str)> {
    let part_of_a_word = |character: char| character.is_alphanumeric() || character == '_';
    code.match_indices(word).filter_map(move |(at, _)| {
        let after = &code[at + word.len()..];
        (!code[..at].ends_with(part_of_a_word)).then_some((at, after))
    })
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].lines().count().max(1)
}

/// The first names of a path's rest: one, or those of `{a::b, c}`.
fn first_names(after: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|next| next.is_alphanumeric() || *next == '_').collect()
    };
    if !after.starts_with('{') {
        return vec![name(after)];
    }
    let mut depth = 0;
    let parts = after[1..braced(after) - 1].split(|character| {
        depth += i32::from(character == '{') - i32::from(character == '}');
        character == ',' && depth == 0
    });
    parts.map(name).filter(|name| !name.is_empty()).collect()
}

/// Where a file reaches into rooms that it must not know.
fn trespasses(source: &Source, floors: &BTreeMap<String, u8>) -> Vec<String> {
    let Some(room) = source.room() else { return Vec::new() };
    let Some(floor) = floors.get(room) else {
        return vec![format!("{}: the map in src/lib.rs has no room `{room}`", source.path)];
    };
    let mut found = Vec::new();
    for (at, after) in uses(&source.code, "crate::") {
        for other in first_names(after) {
            // What is no room is a name of the crate's root.
            let Some(height) = floors.get(&other) else { continue };
            if other != room && (height > floor || (height == floor && *floor == DOORS)) {
                let line = line_of(&source.code, at);
                found.push(format!(
                    "{}:{line}: floor {floor} reaches to `{other}` on floor {height}",
                    source.path
                ));
            }
        }
    }
    for (at, after) in uses(&source.code, "super::") {
        let begins = !source.code[..at].ends_with("::");
        let more = after.split("::").take_while(|part| *part == "super").count();
        if begins && more + 1 >= source.depth() {
            let line = line_of(&source.code, at);
            found.push(format!("{}:{line}: leave a room by `crate::`, not by `super::`", source.path));
        }
    }
    found
}

/// Where the wall clock is read.
fn clocks(source: &Source) -> Vec<String> {
    let readers = ["SystemTime::now", "Instant::now", "Timestamp::now", "Zoned::now"];
    let found = readers.iter().flat_map(|reader| uses(&source.code, reader));
    found
        .map(|(at, _)| format!("{}:{}: reads the wall clock", source.path, line_of(&source.code, at)))
        .collect()
}

/// Where something waits by itself: a call of `sleep` or `interval` that is not a clock's.
fn waits(source: &Source) -> Vec<String> {
    let waiting = ["sleep(", "interval(", "interval_at("];
    let found = waiting.iter().flat_map(|wait| uses(&source.code, wait)).filter(|(at, _)| {
        let before = &source.code[..*at];
        !before.ends_with('.') && !before.ends_with("fn ")
    });
    found
        .map(|(at, _)| format!("{}:{}: waits without a clock", source.path, line_of(&source.code, at)))
        .collect()
}

/// Where a float is named or written.
fn floats(source: &Source) -> Vec<String> {
    let code = &source.code;
    let mut places: Vec<usize> = ["f32", "f64"]
        .iter()
        .flat_map(|float| code.match_indices(float))
        .filter(|(at, _)| !code[..*at].ends_with(|before: char| before.is_alphabetic() || before == '_'))
        .map(|(at, _)| at)
        .collect();
    let bytes = code.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    for at in (1..bytes.len()).filter(|at| bytes[*at] == b'.' && digit(at - 1) && digit(at + 1)) {
        let whole = code[..at].trim_end_matches(|part: char| part.is_ascii_digit() || part == '_');
        // Of `self.0.1` neither number is a whole part.
        if !whole.ends_with(|before: char| before == '.' || before.is_alphanumeric()) {
            places.push(at);
        }
    }
    places.into_iter().map(|at| format!("{}:{}: a float", source.path, line_of(code, at))).collect()
}

/// Lines of a file, its tests aside, which come last.
fn length(text: &str) -> usize {
    text.split("#[cfg(test)]\nmod ").next().unwrap_or_default().lines().count()
}

fn nothing(found: &[String]) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn no_file_reaches_up_nor_from_door_to_door() {
    assert!(LIB.contains("never a neighbour on floor 3, never up"), "the map says what is checked");
    let floors = floors(LIB);
    nothing(&house().iter().flat_map(|source| trespasses(source, &floors)).collect::<Vec<_>>());
}

#[test]
fn every_room_is_on_the_map() {
    let rooms: BTreeSet<&str> =
        LIB.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let floors = floors(LIB);
    assert_eq!(rooms, floors.keys().map(String::as_str).collect());
}

#[test]
fn only_time_reads_the_wall_clock() {
    let elsewhere = house().into_iter().filter(|source| source.path != "src/time.rs");
    nothing(&elsewhere.flat_map(|source| clocks(&source)).collect::<Vec<_>>());
}

#[test]
fn whoever_waits_is_given_a_clock() {
    for source in house().iter().filter(|source| source.path != "src/time.rs") {
        let found = waits(source);
        match WAITING.iter().find(|(path, _)| *path == source.path) {
            None => nothing(&found),
            Some((path, on)) => assert!(!found.is_empty(), "{path} no longer waits: {on}"),
        }
    }
}

#[test]
fn no_float_is_where_money_is() {
    let floors = floors(LIB);
    let money = house().into_iter().filter(|source| source.room().is_some_and(|it| floors[it] < ABOVE_MONEY));
    nothing(&money.flat_map(|source| floats(&source)).collect::<Vec<_>>());
}

#[test]
fn every_file_says_what_it_is_for() {
    for (path, text) in below("src", "rs").iter().chain(&below("tests", "rs")) {
        assert!(text.starts_with("//! "), "{path} does not begin with what it is for");
    }
    for (path, text) in below("sql", "sql").iter().chain(&below("migrations", "sql")) {
        assert!(text.starts_with("-- "), "{path} does not begin with what one row is");
    }
}

#[test]
fn no_file_has_two_ideas() {
    for source in house() {
        let length = length(&source.text);
        assert!(length <= LONG, "{} has {length} lines without its tests", source.path);
    }
}

#[test]
fn the_docs_name_every_command_key_and_exit_code() {
    for command in Cli::command().get_subcommands() {
        let name = command.get_name();
        assert!(WORDS.contains(&format!("| `hedge {name}")), "the docs have no row for `hedge {name}`");
    }
    for exit in [Exit::Done, Exit::Failed, Exit::Usage, Exit::Found, Exit::Unavailable] {
        assert!(WORDS.contains(&format!("\n| {} |", exit.code())), "the docs do not explain {exit:?}");
    }
    let keys = TEMPLATE.lines().filter_map(|line| line.trim_start_matches("# ").split_once(" = "));
    let keys: BTreeSet<&str> = keys.map(|(key, _)| key).filter(|key| !key.contains([' ', '.'])).collect();
    assert!(keys.contains("rpc") && keys.contains("pyth_feed"), "{keys:?}");
    for key in keys {
        assert!(WORDS.contains(&format!("`{key}` |")), "the docs have no row for the key `{key}`");
    }
}

/// Classes of alerts: those that `health.sql` gives, and those that jobs do.
fn alerts() -> BTreeSet<String> {
    const LEGS: [&str; 7] = ["chain", "orders", "hedging", "broker", "alerts", "calendar", "jobs"];
    let mut classes = BTreeSet::new();
    for line in
        include_str!("../../sql/queries/health.sql").lines().filter(|line| line.starts_with("select '"))
    {
        let literals: Vec<&str> = line.split('\'').skip(1).step_by(2).collect();
        let leg = literals.iter().skip(1).position(|literal| LEGS.contains(literal)).unwrap() + 1;
        // Before the leg stands the class; where it has two, both begin with what it is of.
        let of = literals[leg - 1].split(' ').next().unwrap();
        let same = literals[..leg].iter().filter(|literal| literal.starts_with(&format!("{of} ")));
        classes.extend(same.chain([&literals[leg - 1]]).map(|class| (*class).to_owned()));
    }
    for (path, text) in below("src", "rs").iter().filter(|(path, _)| !path.ends_with("tests.rs")) {
        let code = text.split("#[cfg(test)]").next().unwrap();
        let named = code.lines().filter_map(|line| line.trim().strip_prefix("class: \""));
        // A test message is of no class that anybody gets.
        let told = named.filter(|_| !path.ends_with("cli/alert.rs"));
        classes.extend(told.filter_map(|rest| Some(rest.split_once("\".to_owned()")?.0.to_owned())));
    }
    classes
}

#[test]
fn the_readme_says_what_to_do_about_every_alert() {
    let readme = include_str!("../../README.md");
    let section =
        readme.split("### What to do about each alert").nth(1).unwrap().split("\n### ").next().unwrap();
    let alerts = alerts();
    for known in ["order unanswered", "order ambiguous", "messages given up", "job late", "unit failed"] {
        assert!(alerts.contains(known), "{alerts:?}");
    }
    for class in &alerts {
        assert!(
            section.contains(&format!("`{class}`")),
            "the README does not say what to do about `{class}`"
        );
    }
    for class in Class::ALL {
        assert!(section.contains(class.word()), "the README does not say what to do about {}", class.word());
    }
}

#[test]
fn what_the_docs_point_to_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for from in [
        "README.md",
        "DEVELOPERS.md",
        "docs/books.md",
        "docs/commands.md",
        "docs/configuration.md",
        "docs/proving.md",
    ] {
        let text = fs::read_to_string(root.join(from)).unwrap();
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if link.starts_with("https://") {
                continue;
            }
            let (path, anchor) =
                link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
            let there = match path {
                "" => root.join(from),
                _ => root.join(from).parent().unwrap().join(path),
            };
            assert!(there.is_file(), "{from} points to {link}");
            let Some(anchor) = anchor else { continue };
            let heads = fs::read_to_string(&there).unwrap();
            let heads = heads.lines().filter(|line| line.starts_with('#'));
            let slug = |head: &str| {
                let words = head.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
                words
                    .chars()
                    .filter(|letter| letter.is_alphanumeric() || "-_".contains(*letter))
                    .collect::<String>()
            };
            assert!(heads.map(slug).any(|head| head == anchor), "{from} points to {link}");
        }
    }
}

#[test]
fn the_checks_find_what_they_are_there_for() {
    let floors = floors("//! ```text\n//! 3  chain  store    doors\n//! 1  book            facts\n//! ```\n");
    assert_eq!(floors, BTreeMap::from([("chain".into(), 3), ("store".into(), 3), ("book".into(), 1)]));
    let found = |path: &str, text: &str| trespasses(&Source::new(path, text), &floors).len();

    assert_eq!(found("src/book/fill.rs", "use crate::chain::rpc;"), 1, "up");
    assert_eq!(
        found("src/store/facts.rs", "use crate::{book::{fill, log}, chain::{rpc, abi}, time};"),
        1,
        "to a neighbour"
    );
    assert_eq!(found("src/book/fill.rs", "fn f() { crate::store::open() }"), 1, "in the middle");
    assert_eq!(found("src/book.rs", "use super::store;"), 1, "by the back door");
    assert_eq!(found("src/book/fill/deep.rs", "use super::super::super::store;"), 1, "by the back door");
    assert_eq!(found("src/cellar/x.rs", ""), 1, "from nowhere");
    assert_eq!(found("src/chain/rpc.rs", "use crate::{book::log, chain::abi}; use super::abi;"), 0);
    assert_eq!(found("src/book/fill/deep.rs", "use super::super::log;"), 0);
    let quiet = "// crate::chain\n/* crate::chain */ const A: &str = \"crate::chain\"; const B: &str = r#\"\"crate::chain\"#;";
    assert_eq!(found("src/book/fill.rs", quiet), 0, "in words");
    let tests = "#[cfg(test)]\nmod tests { fn f() { { '}' } } use crate::chain; }\nuse crate::chain;";
    assert_eq!(found("src/book/fill.rs", tests), 1, "behind the tests, not in them");
    assert_eq!(found("src/book/fill/tests.rs", "use crate::chain;"), 0);

    let source = |code: &str| Source::new("src/book/fill.rs", code);
    assert_eq!(clocks(&source("let a = std::time::Instant::now();\nlet b = Timestamp::now();")).len(), 2);
    assert_eq!(clocks(&source("let a = clock.now(); // Instant::now")).len(), 0);
    assert_eq!(waits(&source("tokio::time::sleep(a).await; sleep(b); interval(c);")).len(), 3);
    assert_eq!(waits(&source("clock.sleep(a).await; fn sleep(b: u8) {} oversleep(c)")).len(), 0);
    assert_eq!(floats(&source("fn f(a: f64) { let b = 1.5; let c = 2f32; let d = 1_000.25; }")).len(), 4);
    assert_eq!(
        floats(&source("let a = self.0.1; for b in 0..10 {} let c = 1.max(2); let of64 = 0xf32;")).len(),
        0
    );
    assert_eq!(
        bare("let a: &'a str = \"x\\\"y\"; let b = '\"'; let c = b'\\''; // z"),
        "let a: &'a str = ; let b = ; let c = b; "
    );
    assert_eq!(length("//! one\n\nfn two() {}\n\n#[cfg(test)]\nmod tests {\n    // six\n}\n"), 4);
}
