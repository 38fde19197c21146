//! How a command ends: its exit code, and what a person reads when it failed.

use std::{error::Error, fmt, io, iter, process::ExitCode};

use crate::{config::Problems, store::StoreError};

/// Exit codes, for scripts and units. They do not change their meaning; `hedge reconcile` and
/// `hedge job run` have some of their own from 2 to 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: failed; the error says what state that leaves.
    Failed,
    /// 2: the command line or the configuration is wrong; nothing was started.
    Usage,
    /// 3: the command ran, and what it checked is not in order.
    Found,
    /// 4: a node, a database or another thing outside is not there; trying again may help.
    Unavailable,
    /// 2 of a job: it found something that is not in order.
    Open,
    /// 3 of a job: not all could be asked, so that not all was judged.
    Incomplete,
    /// 4 of a job: the books contradict themselves; nothing was judged or published.
    Inconsistent,
}

impl Exit {
    /// The number that the process ends with.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage | Self::Open => 2,
            Self::Found | Self::Incomplete => 3,
            Self::Unavailable | Self::Inconsistent => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What failed and where, why, what state that leaves, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What failed, and where.
    pub what: String,
    /// Why.
    pub cause: String,
    /// What state that leaves.
    pub state: String,
    /// What to do.
    pub next: String,
    /// How the process ends.
    pub exit: Exit,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, cause, state, next, exit: _ } = self;
        for (head, text) in [("error", what), ("cause", cause), ("state", state), ("next", next)] {
            if !text.is_empty() {
                let head = format!("{head}:");
                writeln!(f, "{head:<6} {}", text.replace('\n', "\n       "))?;
            }
        }
        Ok(())
    }
}

impl Error for Trouble {}

impl From<&Problems> for Trouble {
    fn from(problems: &Problems) -> Self {
        let cause = problems.to_string();
        let what = match cause.lines().count() {
            1 => "the configuration cannot be used".to_owned(),
            count => format!("the configuration cannot be used: {count} problems"),
        };
        Self {
            what,
            cause,
            state: "nothing was started".to_owned(),
            next: "mend what is named; `hedge init` writes a file with every key explained".to_owned(),
            exit: Exit::Usage,
        }
    }
}

impl From<&StoreError> for Trouble {
    fn from(error: &StoreError) -> Self {
        Self {
            what: error.to_string(),
            cause: causes(error),
            state: "what was committed before stands; nothing else was written".to_owned(),
            next: error.next().to_owned(),
            exit: match error {
                StoreError::Unavailable { .. } => Exit::Unavailable,
                StoreError::Stop { .. } | StoreError::NewerDatabase { .. } => Exit::Failed,
            },
        }
    }
}

/// What lies below an error, in one line; a layer that only repeats the one below is left out.
fn causes(error: &dyn Error) -> String {
    let layers = iter::successors(error.source(), |&error| error.source());
    layers.fold(String::new(), |told, layer| match layer.to_string() {
        said if told.contains(&said) => told,
        said if told.is_empty() => said,
        said => format!("{told}: {said}"),
    })
}

/// What became of a command: its exit code, and what to print if it went wrong.
///
/// A reader that has seen enough (`hedge show fills | head`) is not an error.
pub fn outcome(result: Result<Exit, anyhow::Error>) -> (Exit, Option<Trouble>) {
    let error = match result {
        Ok(exit) => return (exit, None),
        Err(error) => error,
    };
    let broken_pipe = |cause: &(dyn Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(broken_pipe) {
        return (Exit::Done, None);
    }
    let known = error.chain().find_map(|cause| {
        let trouble = cause.downcast_ref::<Trouble>().cloned();
        let trouble = trouble.or_else(|| cause.downcast_ref::<Problems>().map(Trouble::from));
        trouble.or_else(|| cause.downcast_ref::<StoreError>().map(Trouble::from))
    });
    let trouble = known.unwrap_or_else(|| Trouble {
        what: error.to_string(),
        cause: causes(error.as_ref()),
        state: String::new(),
        next: "see the lines above; `-v` prints more of them, `hedge doctor` tries everything outside"
            .to_owned(),
        exit: Exit::Failed,
    });
    (trouble.exit, Some(trouble))
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn trouble_is_told_in_four_lines() {
        let trouble = Trouble {
            what: "could not index `raindex` on chain 8453, blocks 41200001..=41200500".to_owned(),
            cause: "the rpc answered 429 five times in 30 s".to_owned(),
            state: "nothing was written; the cursor is still at 41200000".to_owned(),
            next: "add a second url to `chain.8453.rpc`".to_owned(),
            exit: Exit::Unavailable,
        };
        let (exit, told) = outcome(Err(trouble).context("around it"));
        assert_eq!(exit, Exit::Unavailable);
        assert_eq!(
            told.unwrap().to_string(),
            "error: could not index `raindex` on chain 8453, blocks 41200001..=41200500\n\
             cause: the rpc answered 429 five times in 30 s\n\
             state: nothing was written; the cursor is still at 41200000\n\
             next:  add a second url to `chain.8453.rpc`\n"
        );
    }

    #[test]
    fn a_reader_that_has_seen_enough_is_no_error() {
        let error = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(outcome(Err(error).context("writing the table")), (Exit::Done, None));
    }

    #[test]
    fn an_error_of_nobody_shows_its_chain() {
        let error = Err(io::Error::other("disk full")).context("could not write");
        let (exit, told) = outcome(error);
        let told = told.unwrap();
        assert_eq!(
            (exit, told.what.as_str(), told.cause.as_str()),
            (Exit::Failed, "could not write", "disk full")
        );
    }
}
