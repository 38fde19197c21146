//! What was found: a line each, aligned, or JSON.

use std::io::{self, Write};

use serde::Serialize;

/// How a thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, with the stated fallback.
    Noted,
    /// It does not work.
    Failed,
}

impl State {
    /// The word at the head of its line, and its colour on a terminal.
    const fn word(self) -> (&'static str, &'static str) {
        match self {
            Self::Ok => ("ok", "\x1b[32m"),
            Self::Noted => ("note", "\x1b[33m"),
            Self::Failed => ("FAIL", "\x1b[31m"),
        }
    }
}

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it was found.
    pub state: State,
    /// What was tried.
    pub about: String,
    /// What came of it.
    pub said: String,
    /// What to do, or what is done instead; empty if it is as it should be.
    pub next: String,
}

/// Everything that was tried, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// It is as it should be.
    pub fn ok(&mut self, about: &str, said: impl Into<String>) {
        self.add(State::Ok, about, said, "");
    }

    /// It works, with a fallback or less than it could.
    pub fn noted(&mut self, about: &str, said: impl Into<String>, next: impl Into<String>) {
        self.add(State::Noted, about, said, next);
    }

    /// It does not work.
    pub fn failed(&mut self, about: &str, said: impl Into<String>, next: impl Into<String>) {
        self.add(State::Failed, about, said, next);
    }

    fn add(&mut self, state: State, about: &str, said: impl Into<String>, next: impl Into<String>) {
        let about = about.to_owned();
        self.0.push(Finding { state, about, said: said.into(), next: next.into() });
    }

    /// Takes up what was found elsewhere.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether anything does not work.
    pub fn any_failed(&self) -> bool {
        self.0.iter().any(|finding| finding.state == State::Failed)
    }

    /// A line each; what to do stands below what it is about.
    pub fn write(&self, color: bool, out: &mut dyn Write) -> io::Result<()> {
        let width = self.0.iter().map(|finding| finding.about.chars().count()).max().unwrap_or(0);
        for Finding { state, about, said, next } in &self.0 {
            let (word, paint) = state.word();
            let (paint, plain) = if color { (paint, "\x1b[0m") } else { ("", "") };
            let arrow = if next.is_empty() { "" } else { " → " };
            writeln!(out, "{paint}{word:<4}{plain}  {about:<width$}  {said}{arrow}{next}")?;
        }
        let count = |wanted| self.0.iter().filter(|finding| finding.state == wanted).count();
        writeln!(
            out,
            "\n{} ok, {} noted, {} failed",
            count(State::Ok),
            count(State::Noted),
            count(State::Failed)
        )
    }

    /// An array of objects.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, &self.0).map_err(io::Error::from)?;
        writeln!(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_aligned_and_say_what_to_do() {
        let mut findings = Findings::default();
        findings.ok("configuration", "hedge.toml");
        findings.failed("chain 8453", "no answer", "start the node");
        let mut out = Vec::new();
        findings.write(false, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "ok    configuration  hedge.toml\n\
             FAIL  chain 8453     no answer → start the node\n\
             \n1 ok, 0 noted, 1 failed\n"
        );
    }
}
