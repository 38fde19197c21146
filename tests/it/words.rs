//! What `hedge` says of itself: its help, its examples, its manual, its completions.

use std::{fmt::Write as _, path::Path, process::Command as Process};

use clap::{Command, CommandFactory as _, Parser as _};
use hedge::cli::Cli;
use insta::{assert_snapshot, with_settings};

use crate::world::scratch;

/// The command line as it is printed on a terminal of a hundred columns.
fn built() -> Command {
    let mut command = Cli::command().term_width(100);
    command.build();
    command
}

/// Every command below one, itself first, under its whole name; `help` itself aside.
fn below(command: &Command, name: &str, found: &mut Vec<(String, Command)>) {
    found.push((name.to_owned(), command.clone()));
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        below(inner, &format!("{name} {}", inner.get_name()), found);
    }
}

fn all() -> Vec<(String, Command)> {
    let mut found = Vec::new();
    below(&built(), "hedge", &mut found);
    found
}

#[test]
fn the_help_of_every_command_is_on_record() {
    let mut text = String::new();
    for (name, mut command) in all() {
        writeln!(text, "==== {name} --help\n\n{}", command.render_long_help()).unwrap();
    }
    with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
        assert_snapshot!("help", text);
    });
}

/// The words of a command line; what stands in quotes is one.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quoted, mut word) = (Vec::new(), false, String::new());
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.extend((!word.is_empty()).then(|| std::mem::take(&mut word))),
            other => word.push(other),
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// The command lines of `hedge` in what stands at a help's end, without remarks.
fn examples(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    let lines = lines.take_while(|line| line.starts_with("  ")).flat_map(|line| {
        let said = line.trim_start().split("  ").next().unwrap_or_default();
        said.split(" && ").flat_map(|part| part.split([';', '|', '>']).take(1)).collect::<Vec<_>>()
    });
    let lines = lines.filter_map(|line| Some(line[line.find("hedge ")?..].trim().to_owned()));
    lines.collect()
}

#[test]
fn every_command_ends_with_examples_and_each_is_a_command_line_that_is_taken() {
    let mut without = Vec::new();
    for (name, command) in all() {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let found = examples(&help);
        // One that only holds others is shown by theirs.
        if found.is_empty() && !command.has_subcommands() {
            without.push(name.clone());
        }
        for line in found {
            if let Err(error) = Cli::try_parse_from(words(&line)) {
                panic!("{name} gives `{line}` as example, of which the command line says {error}");
            }
        }
    }
    assert_eq!(without, Vec::<String>::new());
}

#[test]
fn the_help_says_what_a_command_does_in_one_sentence() {
    for (name, command) in all() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(about.starts_with(|first: char| first.is_uppercase()), "{name}: {about}");
        assert!(!about.ends_with('.'), "{name}: {about}");
        for argument in command.get_arguments().filter(|argument| argument.get_id() != "help") {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(!help.is_empty(), "{name} does not say what {} is", argument.get_id());
        }
    }
}

fn hedge(arguments: &[&str]) -> String {
    let ran = Process::new(env!("CARGO_BIN_EXE_hedge")).args(arguments).output().unwrap();
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn shells_complete_every_command_and_there_is_a_page_of_the_manual_for_each() {
    let names: Vec<String> = all().into_iter().map(|(name, _)| name).collect();
    for shell in ["bash", "zsh", "fish"] {
        let script = hedge(&["completions", shell]);
        for name in &names {
            let last = name.rsplit(' ').next().unwrap();
            assert!(script.contains(last), "{shell} does not complete `{name}`");
        }
    }
    // What bash would read, bash takes.
    let room = scratch();
    let script = room.path().join("hedge.bash");
    std::fs::write(&script, hedge(&["completions", "bash"])).unwrap();
    assert!(Process::new("bash").arg("-n").arg(&script).status().unwrap().success());

    assert!(hedge(&["man"]).starts_with(".ie"), "roff");
    let dir = room.path().join("man1");
    hedge(&["man", "--dir", dir.to_str().unwrap()]);
    for name in names {
        let page: &Path = &dir.join(format!("{}.1", name.replace(' ', "-")));
        assert!(page.exists(), "there is no {}", page.display());
    }
}
