//! Whether every loop goes on: what a watchdog is fed by.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{Loop, Step};
use crate::{store::StoreError, time::Since};

/// When each loop last ended a step.
#[derive(Clone, Debug, Default)]
pub struct Pulse(Arc<Mutex<BTreeMap<String, Since>>>);

impl Pulse {
    /// A loop that is felt.
    pub fn of<L>(&self, name: impl Into<String>, looping: L) -> Beating<L> {
        let name = name.into();
        self.beat(&name);
        Beating { name, pulse: self.clone(), looping }
    }

    /// This one goes on.
    pub fn beat(&self, name: &str) {
        self.beats().insert(name.to_owned(), Since::now());
    }

    /// How long ago each loop ended a step.
    pub fn ages(&self) -> BTreeMap<String, Duration> {
        self.beats().iter().map(|(name, at)| (name.clone(), at.elapsed())).collect()
    }

    /// The loops that have not ended a step for so long.
    pub fn still(&self, time: Duration) -> Vec<String> {
        let beats = self.beats();
        beats.iter().filter(|(_, at)| at.elapsed() > time).map(|(name, _)| name.clone()).collect()
    }

    fn beats(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Since>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A loop whose steps are felt.
#[derive(Debug)]
pub struct Beating<L> {
    name: String,
    pulse: Pulse,
    looping: L,
}

impl<L: Loop + Send> Loop for Beating<L> {
    async fn converge(&mut self) -> Result<Step, StoreError> {
        let made = self.looping.converge().await;
        self.pulse.beat(&self.name);
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stuck(bool);

    impl Loop for Stuck {
        async fn converge(&mut self) -> Result<Step, StoreError> {
            if self.0 { std::future::pending().await } else { Ok(Step::Idle) }
        }
    }

    #[tokio::test]
    async fn a_loop_that_hangs_is_the_one_that_is_named() {
        let pulse = Pulse::default();
        let (mut well, mut hung) = (pulse.of("well", Stuck(false)), pulse.of("hung", Stuck(true)));
        let limit = Duration::from_millis(40);
        let begun = Since::now();
        while begun.elapsed() < limit * 2 {
            well.converge().await.unwrap();
            let _ = tokio::time::timeout(Duration::from_millis(5), hung.converge()).await;
        }
        assert_eq!(pulse.still(limit), ["hung"]);
    }
}
