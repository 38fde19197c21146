//! Two programs on one database: one hedges, the other waits, and takes over when the first
//! is killed.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use hedge::sim::{Ask, Strike};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    crashes::lost_answers,
    floor::{Floor, SHARES},
    office::Program,
};

/// Desks side by side, and how often the leader of each is killed.
const DESKS: u64 = 10;
const ROUNDS: usize = 10;

/// What a takeover took.
struct Takeover {
    /// From the kill until somebody else has the lease.
    lease: Duration,
    /// From the kill until an order for a fill that came after it is at the broker.
    order: Duration,
}

/// A desk on which one program hedges and one waits.
struct Pair {
    floor: Floor,
    programs: Vec<Program>,
}

impl Pair {
    /// The program that has the lease: its name ends with its number.
    async fn leader(&self) -> usize {
        let holder: String =
            sqlx::query_scalar("select holder from lease").fetch_one(self.floor.desk.pool()).await.unwrap();
        let is_it = |program: &Program| holder.ends_with(&format!(" {}", program.child.id()));
        self.programs.iter().position(is_it).unwrap_or_else(|| panic!("{holder} is none of ours"))
    }

    /// Orders at the broker for AAPL.
    fn orders(&self) -> usize {
        self.floor.account.orders().iter().filter(|order| order.symbol == "AAPL").count()
    }

    async fn round(&mut self, fate: &mut StdRng) -> Takeover {
        // Given a leader at work on shares, in whatever it is
        for (symbol, _) in &SHARES[1..] {
            self.floor.sold(symbol, fate.random_range(1..9));
        }
        self.floor.wait(Duration::from_millis(fate.random_range(0..300))).await;
        let (fence, orders) = (self.floor.fence().await, self.orders());
        let leader = self.leader().await;
        // When it is killed, and another share is sold
        let killed = Instant::now();
        self.programs[leader].kill();
        self.floor.sold("AAPL", 5);
        self.floor.until("somebody takes over", async || self.floor.fence().await > fence).await;
        let lease = killed.elapsed();
        self.floor.until("the share is hedged", async || self.orders() > orders).await;
        let order = killed.elapsed();
        self.programs[leader] = self.floor.run();
        Takeover { lease, order }
    }
}

/// One desk: all of its rounds, and then the laws.
async fn desk(seed: u64) -> Vec<Takeover> {
    let mut fate = StdRng::seed_from_u64(seed);
    let floor = Floor::open().await;
    for rule in lost_answers() {
        // What is measured is the takeover, not how long an answer is lost.
        for symbol in ["TSLA", "SPYM"] {
            floor.account.strike(rule.clone().on(Ask::Submit).about(symbol));
        }
    }
    floor.account.strike(Strike::Delay(Duration::from_millis(200)).permille(200).on(Ask::Read));
    let first = floor.running().await;
    let programs = vec![first, floor.run()];
    let mut pair = Pair { floor, programs };
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        took.push(pair.round(&mut fate).await);
    }
    let Pair { floor, mut programs } = pair;
    floor.account.calm();
    floor.flat().await;
    floor.proved().await;
    for program in &mut programs {
        assert_eq!(program.has_ended(), None, "{}", floor.desk.said());
    }
    took
}

#[tokio::test]
async fn a_hundred_killed_leaders_are_replaced_within_fifteen_seconds_and_nothing_is_doubled() {
    let took: Vec<Takeover> = join_all((0..DESKS).map(desk)).await.into_iter().flatten().collect();
    assert_eq!(took.len(), 100);
    let sorted = |of: fn(&Takeover) -> Duration| {
        let mut times: Vec<Duration> = took.iter().map(of).collect();
        times.sort();
        times
    };
    for (what, times) in [("the lease", sorted(|took| took.lease)), ("an order", sorted(|took| took.order))] {
        println!("until {what}: {:.1?} in the middle, {:.1?} at most", times[50], times[99]);
        assert!(times[99] <= Duration::from_secs(15), "until {what}: {times:.1?}");
    }
}

#[tokio::test]
async fn a_leader_that_is_put_to_sleep_is_replaced_and_does_nothing_when_it_wakes_up() {
    let mut fate = StdRng::seed_from_u64(4);
    let floor = Floor::open().await;
    let first = floor.running().await;
    let mut pair = Pair { programs: vec![first, floor.run()], floor };
    for _ in 0..2 {
        let Pair { floor, programs } = &pair;
        // Given a leader that is put to sleep at work: its connections stand
        floor.sold("TSLA", 3);
        floor.wait(Duration::from_millis(fate.random_range(0..300))).await;
        let (fence, orders) = (floor.fence().await, pair.orders());
        let leader = &programs[pair.leader().await];
        let slept = Instant::now();
        leader.freeze();
        floor.sold("AAPL", 5);
        // Then the other one takes over when its time is over
        floor.until("the share is hedged", async || pair.orders() > orders).await;
        assert!(floor.fence().await > fence);
        assert!(slept.elapsed() <= Duration::from_secs(15), "it took {:?}", slept.elapsed());
        // And when it wakes up, it goes on with nothing
        leader.thaw();
        floor.sold("SPYM", 2);
        floor.flat().await;
        floor.proved().await;
    }
    assert_eq!(pair.floor.fence().await, 3);
    for program in &mut pair.programs {
        assert_eq!(program.has_ended(), None, "{}", pair.floor.desk.said());
    }
}
