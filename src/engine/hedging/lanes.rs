//! Lanes: each order is dealt with by one task at a time, and none waits for another's.

use std::{
    collections::BTreeSet,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::Semaphore, task::JoinSet};

use super::super::Bell;
use crate::{book::order::OrderId, store::StoreError};

/// Tasks that speak with a broker at the same time.
const AT_ONCE: usize = 32;

/// The lanes of all orders.
#[derive(Debug)]
pub struct Lanes {
    busy: Arc<Mutex<BTreeSet<OrderId>>>,
    tasks: Mutex<JoinSet<Result<(), StoreError>>>,
    room: Arc<Semaphore>,
    /// Rung whenever a task has ended.
    bell: Bell,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Frees the lanes of its orders, however the task ends.
struct Taken(Arc<Mutex<BTreeSet<OrderId>>>, Vec<OrderId>, Bell);

impl Drop for Taken {
    fn drop(&mut self) {
        let mut busy = locked(&self.0);
        for id in &self.1 {
            busy.remove(id);
        }
        drop(busy);
        self.2.ring();
    }
}

impl Lanes {
    /// Empty lanes that ring this bell.
    pub fn new(bell: Bell) -> Self {
        Self { busy: Arc::default(), tasks: Mutex::default(), room: Arc::new(Semaphore::new(AT_ONCE)), bell }
    }

    /// Whether somebody deals with this order now.
    pub fn busy(&self, id: OrderId) -> bool {
        locked(&self.busy).contains(&id)
    }

    /// Whether nobody deals with any.
    pub fn idle(&self) -> bool {
        locked(&self.busy).is_empty()
    }

    /// Lets a task deal with these orders; false where somebody does already.
    pub fn run(
        &self,
        ids: &[OrderId],
        work: impl Future<Output = Result<(), StoreError>> + Send + 'static,
    ) -> bool {
        let mut busy = locked(&self.busy);
        if ids.iter().any(|id| busy.contains(id)) {
            return false;
        }
        busy.extend(ids);
        drop(busy);
        let taken = Taken(Arc::clone(&self.busy), ids.to_vec(), self.bell.clone());
        let room = Arc::clone(&self.room);
        locked(&self.tasks).spawn(async move {
            let _taken = taken;
            let _room = room.acquire().await;
            work.await
        });
        true
    }

    /// What the tasks that ended came to: the first error that ends the process, if any.
    ///
    /// # Errors
    /// The database refuses for good. One that is away is met again by the next task.
    pub fn reap(&self) -> Result<(), StoreError> {
        let mut tasks = locked(&self.tasks);
        while let Some(ended) = tasks.try_join_next() {
            match ended {
                Ok(Err(StoreError::Unavailable { what, .. })) => tracing::warn!("an order waits: {what}"),
                Ok(done) => done?,
                Err(panicked) => tracing::error!("a lane broke off: {panicked}"),
            }
        }
        Ok(())
    }

    /// Waits until nobody deals with any order.
    pub async fn finish(&self) {
        let mut ear = self.bell.listen();
        while !self.idle() {
            ear.heard().await;
        }
    }
}
