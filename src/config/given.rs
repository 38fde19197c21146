//! What the environment gives, read as the file is: to the end, with every problem kept.

use super::{
    environment::Environment,
    problem::{Problem, Wrong},
};
use crate::secret::Secret;

/// What the environment gives, and what is wrong with it.
pub(super) struct Given<'e> {
    pub(super) environment: &'e Environment,
    pub(super) problems: Vec<Problem>,
}

impl<'e> Given<'e> {
    pub(super) const fn new(environment: &'e Environment) -> Self {
        Self { environment, problems: Vec::new() }
    }

    pub(super) fn problem(&mut self, name: &str, what: impl Into<String>, next: impl Into<String>) {
        self.problems.push(Problem::new(name, what, next));
    }

    /// Leaves a problem, unless `name` is there and wrong already.
    pub(super) fn missing<T>(&mut self, name: &str, next: String) -> Option<T> {
        if !self.problems.iter().any(|problem| problem.place.starts_with(name)) {
            self.problem(name, "is missing", next);
        }
        None
    }

    pub(super) fn secret(&mut self, name: &str) -> Option<Secret> {
        self.environment.value(name).map_err(|problem| self.problems.push(problem)).ok().flatten()
    }

    pub(super) fn value<T>(&mut self, name: &str, make: impl Fn(&str) -> Result<T, Wrong>) -> Option<T> {
        let secret = self.secret(name)?;
        make(secret.expose()).map_err(|Wrong { what, next }| self.problem(name, what, next)).ok()
    }

    /// What `name` gives, or `left_out` where it gives nothing; none where it is wrong.
    pub(super) fn or<T>(
        &mut self,
        name: &str,
        make: impl Fn(&str) -> Result<T, Wrong>,
        left_out: T,
    ) -> Option<T> {
        if self.environment.has(name) { self.value(name, make) } else { Some(left_out) }
    }

    /// The first of `names` that is given.
    pub(super) fn first_of(&self, names: &[String]) -> Option<String> {
        names.iter().find(|name| self.environment.has(name)).cloned()
    }
}
