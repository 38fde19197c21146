//! The environment as a value.
//!
//! A name is looked for as a variable, then in the file that `NAME_FILE` names,
//! then in systemd's `$CREDENTIALS_DIRECTORY` (`NAME` or `name`, with `hedge_` before it where a
//! unit loads a whole directory). Nothing here is global: a test makes an environment of its own.

use std::{collections::BTreeMap, fmt, fs, path::PathBuf};

use super::problem::Problem;
use crate::secret::Secret;

/// Names and values that a process was started with.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

impl Environment {
    /// This process's own.
    pub fn of_this_process() -> Self {
        let words = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        std::env::vars_os().filter_map(words).collect()
    }

    /// A plain variable; an empty one counts as absent.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// A value that may also lie in a file or in systemd's credentials.
    ///
    /// # Errors
    ///
    /// It is given twice, or its file cannot be read.
    pub fn value(&self, name: &str) -> Result<Option<Secret>, Problem> {
        let by_file = format!("{name}_FILE");
        match (self.variable(name), self.variable(&by_file)) {
            (Some(_), Some(_)) => {
                let what = format!("is given twice: as {name} and as {by_file}");
                Err(Problem::new(name, what, "unset one of them"))
            }
            (Some(_), None) if self.credential(name).is_some() => {
                let what = format!("is given twice: as {name} and as a credential of the unit");
                Err(Problem::new(name, what, "unset it: who may look at the process sees its environment"))
            }
            (Some(value), None) => Ok(Some(Secret::new(value))),
            (None, Some(file)) => match fs::read_to_string(file) {
                Ok(text) if text.trim().is_empty() => {
                    Err(Problem::new(by_file, format!("`{file}` is empty"), "write the value into it"))
                }
                Ok(text) => Ok(Some(Secret::new(text.trim()))),
                Err(error) => {
                    let what = format!("cannot read `{file}`: {error}");
                    Err(Problem::new(by_file, what, "let it name a readable file"))
                }
            },
            (None, None) => Ok(self.credential(name)),
        }
    }

    /// Whether [`Self::value`] would find something under `name`.
    pub fn has(&self, name: &str) -> bool {
        !matches!(self.value(name), Ok(None))
    }

    /// The names of all variables that begin with `prefix`.
    pub fn names_from<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.variables.keys().map(String::as_str).filter(move |name| name.starts_with(prefix))
    }

    fn credential(&self, name: &str) -> Option<Secret> {
        let directory = PathBuf::from(self.variable("CREDENTIALS_DIRECTORY")?);
        [
            name.to_owned(),
            name.to_lowercase(),
            format!("hedge_{name}"),
            format!("hedge_{}", name.to_lowercase()),
        ]
        .into_iter()
        .find_map(|file| fs::read_to_string(directory.join(file)).ok())
        .map(|text| Secret::new(text.trim()))
        .filter(|secret| !secret.is_empty())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self { variables: pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints_itself() {
        let secret = Secret::new("postgres://me:hunter2@db/hedge");
        assert_eq!(format!("{secret:?}"), "[secret]");
        let environment = Environment::from_iter([("DATABASE_URL", secret.expose())]);
        assert!(!format!("{environment:?}").contains("hunter2"));
    }

    #[test]
    fn a_value_is_found_as_a_variable_in_a_file_or_among_credentials() {
        let room = tempfile::tempdir().unwrap();
        let file = room.path().join("database_url");
        fs::write(&file, "from the file\n").unwrap();
        let (file, room) = (file.to_str().unwrap(), room.path().to_str().unwrap());
        let found = |pairs: &[(&str, &str)]| {
            let environment: Environment = pairs.iter().copied().collect();
            environment.value("DATABASE_URL").map(|value| value.map(|secret| secret.expose().to_owned()))
        };

        assert_eq!(found(&[]), Ok(None));
        assert_eq!(found(&[("DATABASE_URL", "  ")]), Ok(None));
        assert_eq!(found(&[("DATABASE_URL", "plain")]), Ok(Some("plain".to_owned())));
        assert_eq!(found(&[("DATABASE_URL_FILE", file)]), Ok(Some("from the file".to_owned())));
        assert_eq!(found(&[("CREDENTIALS_DIRECTORY", room)]), Ok(Some("from the file".to_owned())));
        let both = found(&[("CREDENTIALS_DIRECTORY", room), ("DATABASE_URL", "plain")]).unwrap_err();
        assert!(both.to_string().contains("given twice: as DATABASE_URL and as a credential"), "{both}");
        let twice = found(&[("DATABASE_URL", "plain"), ("DATABASE_URL_FILE", file)]).unwrap_err();
        assert_eq!(
            twice.to_string(),
            "DATABASE_URL: is given twice: as DATABASE_URL and as DATABASE_URL_FILE; unset one of them"
        );
    }
}
