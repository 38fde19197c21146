//! What was answered a moment ago is answered again: however many look at a page, the books
//! are asked once, and whoever comes meanwhile waits for that one answer. What took long to
//! answer is kept for longer, so that a crowd before the page costs the desk behind it little.

use std::{
    collections::HashMap,
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{Answer, route::Asked};
use crate::time::Since;

/// So many answers are kept at most.
const MOST: usize = 256;

/// An answer is kept for so many times as long as it took to make, within limits.
const REST: u32 = 50;

/// One answer, since when it is kept, and for how long; its lock is held while it is made.
type Place = Arc<tokio::sync::Mutex<Option<(Since, Duration, Answer)>>>;

#[derive(Debug)]
pub(super) struct Kept {
    age: Duration,
    places: Mutex<HashMap<Asked, Place>>,
}

impl Kept {
    pub(super) fn for_at_most(age: Duration) -> Self {
        Self { age, places: Mutex::default() }
    }

    /// The answer of a moment ago, or a new one. `times` says how much older than a fresh one it may be:
    /// at least, and where it took long to make. What failed is not kept for longer than it must be.
    pub(super) async fn or_made<F: Future<Output = Answer>>(
        &self,
        asked: &Asked,
        times: RangeInclusive<u32>,
        make: impl FnOnce() -> F,
    ) -> Answer {
        let place = self.place(asked);
        let mut place = place.lock().await;
        if let Some((since, fresh, answer)) = place.as_ref()
            && since.elapsed() < *fresh
        {
            return answer.clone();
        }
        let begun = Since::now();
        let answer = make().await;
        let (least, most) = (self.age * *times.start(), self.age * *times.end());
        let rest = if answer.status.is_success() { begun.elapsed() * REST } else { least };
        let fresh = rest.clamp(least, most);
        *place = Some((Since::now(), fresh, answer.clone()));
        answer
    }

    fn place(&self, asked: &Asked) -> Place {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= MOST && !places.contains_key(asked) {
            // What is being made now is made for those who wait for it, kept or not.
            places.clear();
        }
        Arc::clone(places.entry(asked.clone()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::http::StatusCode;

    use super::*;
    use crate::web::route::{Form, Subject};

    #[tokio::test]
    async fn many_who_look_at_once_are_answered_by_one_question() {
        let kept = Kept::for_at_most(Duration::from_hours(1));
        let asked = AtomicUsize::new(0);
        let make = || async {
            asked.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Answer::new(StatusCode::OK, "text/plain", "x")
        };
        let all = (0..50).map(|_| kept.or_made(&Asked::Ready, 1..=1, make));
        let all = futures_util::future::join_all(all).await;
        assert_eq!((all.len(), asked.load(Ordering::Relaxed)), (50, 1));
        let stale = Kept::for_at_most(Duration::ZERO);
        stale.or_made(&Asked::Ready, 1..=1, make).await;
        stale.or_made(&Asked::Ready, 1..=1, make).await;
        assert_eq!(asked.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn what_took_long_is_kept_for_longer_unless_it_failed_or_may_not() {
        let kept = Kept::for_at_most(Duration::from_millis(100));
        let slow = |status| async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Answer::new(status, "text/plain", "x")
        };
        let cases = [
            (1, StatusCode::OK, 1..=20, true),
            (2, StatusCode::OK, 1..=1, false),
            (3, StatusCode::SERVICE_UNAVAILABLE, 1..=20, false),
        ];
        for (order, status, times, _) in cases.clone() {
            let asked = Asked::Sheet(Subject::Order(order), Form::Html);
            kept.or_made(&asked, times, || slow(status)).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        for (order, _, times, still) in cases {
            let asked = Asked::Sheet(Subject::Order(order), Form::Html);
            let answer =
                kept.or_made(&asked, times, || async { Answer::new(StatusCode::GONE, "text/plain", "") });
            assert_eq!(answer.await.status != StatusCode::GONE, still, "case {order}");
        }
    }

    #[tokio::test]
    async fn no_number_of_paths_fills_the_memory() {
        let kept = Kept::for_at_most(Duration::from_hours(1));
        for order in 0..1_000 {
            let asked = Asked::Sheet(Subject::Order(order), Form::Html);
            kept.or_made(&asked, 1..=1, || async { Answer::new(StatusCode::OK, "text/plain", "x") }).await;
        }
        assert!(kept.places.lock().unwrap().len() <= MOST);
    }
}
