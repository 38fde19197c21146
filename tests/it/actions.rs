//! What moves the books without a trade: activities taken up once, splits and new tickers gone along with.

use std::sync::Arc;

use hedge::{
    book::{action::Change, activity::ActivityKind},
    job::{Outcome, Run, Verdict, activities, corporate_actions},
    policy::alert::Condition,
    sim::{Ask, Strike},
    store::orders::VenueId,
    units::{Amount, Shares, Usd},
    venue::Venue,
};
use jiff::{Timestamp, civil::Date};
use sqlx::PgPool;

use crate::pit::{Pit, amount, price, shares, usd};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn run_at(now: &str) -> Run {
    let at = at(now);
    Run { id: None, job: "a test".to_owned(), date: hedge::time::new_york_date(at), at }
}

struct Night {
    pit: Pit,
    venue: Arc<dyn Venue>,
    id: VenueId,
}

impl Night {
    async fn open() -> Self {
        let pit = Pit::open().await;
        let (id, seat) = pit.trading.seats.iter().next().unwrap();
        let (id, venue) = (*id, Arc::clone(&seat.venue));
        Self { pit, venue, id }
    }

    fn pool(&self) -> &PgPool {
        self.pit.pool()
    }

    async fn take_up(&self, now: &str) -> activities::Taken {
        activities::run(self.pool(), &[(self.id, &*self.venue)], &run_at(now)).await.unwrap()
    }

    async fn actions(&self, now: &str) -> (Outcome, Vec<Condition>) {
        let venues = [Arc::clone(&self.venue)];
        let configured = ["AAPL".to_owned(), "TSLA".to_owned()];
        corporate_actions::run(self.pool(), &venues, &configured, &run_at(now)).await.unwrap()
    }

    /// What is exposed of a share, as the hedger sees it.
    async fn exposure(&self, symbol: &str) -> Shares {
        let sql = "select coalesce(sum(exposure), 0) from reporting.position_now where symbol = $1";
        sqlx::query_scalar(sql).bind(symbol).fetch_one(self.pool()).await.unwrap()
    }

    async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.pool()).await.unwrap()
    }
}

const FRIDAY: &str = "2026-11-20T15:40:00Z";
const MONDAY: &str = "2026-11-23T08:30:00Z";

#[tokio::test]
async fn activities_are_taken_up_and_their_cash_is_booked_once() {
    // Given fees, interest, a dividend, cash and shares, and something that nobody knows
    let night = Night::open().await;
    let account = &night.pit.account;
    let fee = account.fee(ActivityKind::Commission, usd("0.65"), "commission");
    account.happen(ActivityKind::Interest, None, Shares::ZERO, usd("-1.25"), "margin");
    account.endow("AAPL", shares("10"), price("180"));
    account.dividend("AAPL", price("0.26"));
    account.happen(ActivityKind::Cash, None, Shares::ZERO, usd("500"), "in");
    account.happen(ActivityKind::Shares, Some("TSLA"), shares("2"), Usd::ZERO, "journal");
    account.happen(ActivityKind::Other, None, Shares::ZERO, usd("7"), "a gift");
    // When they are taken up, twice
    let first = night.take_up(FRIDAY).await;
    let second = night.take_up(FRIDAY).await;
    // Then each is on record once, and what costs or brings money is booked under its id
    assert_eq!((first.new.len(), first.booked, first.silent.len()), (6, 4, 0));
    assert_eq!(second, activities::Taken::default());
    let flows: Vec<(String, Usd)> =
        sqlx::query_as("select kind, amount_usd from reporting.cash_flow order by kind")
            .fetch_all(night.pool())
            .await
            .unwrap();
    let booked = [("commission", "-0.65"), ("deposit", "500"), ("dividend", "2.6"), ("interest", "-1.25")];
    assert_eq!(flows, booked.map(|(kind, cash)| (kind.to_owned(), usd(cash))));
    assert_eq!(night.count("select count(*) from reporting.activity").await, 6);
    // And one that is taken back is booked the other way round, once
    assert!(account.take_back(&fee));
    assert_eq!(night.take_up(FRIDAY).await.taken_back, 1);
    assert_eq!(night.take_up(FRIDAY).await, activities::Taken::default());
    let sum = "select sum(amount) from cash_flow where kind = 'commission'";
    assert_eq!(sqlx::query_scalar::<_, Amount>(sum).fetch_one(night.pool()).await.unwrap(), Amount::ZERO);
}

#[tokio::test]
async fn a_venue_that_does_not_answer_is_said_and_asked_again_from_where_it_was() {
    let night = Night::open().await;
    night.pit.account.strike(Strike::Fail(502).once().on(Ask::Activities));
    night.pit.account.fee(ActivityKind::Regulatory, usd("0.02"), "TAF");
    let silent = night.take_up(FRIDAY).await;
    assert_eq!((silent.silent.len(), silent.new.len()), (1, 0));
    assert_eq!(night.count("select count(*) from activity_scan").await, 0);
    assert_eq!(night.take_up(FRIDAY).await.booked, 1);
}

fn four_for_one() -> Change {
    Change::Split { new: amount("4"), old: amount("1") }
}

#[tokio::test]
async fn a_split_multiplies_what_is_not_hedged_once_and_on_its_day() {
    // Given 0.4 that is sold on chain and not hedged, and a split of four for one on Monday
    let night = Night::open().await;
    night.pit.sold("AAPL", "10.4").await;
    night.pit.flat().await;
    assert_eq!(night.exposure("AAPL").await, shares("-0.4"));
    night.pit.account.announce("AAPL", four_for_one(), day("2026-11-23"));
    // When the job runs before the day
    let (outcome, conditions) = night.actions(FRIDAY).await;
    // Then it is on record, and nothing is changed yet
    assert_eq!((outcome.verdict, conditions.len()), (Verdict::Done, 0), "{}", outcome.said);
    assert_eq!(night.exposure("AAPL").await, shares("-0.4"));
    // When its day has come, and the job runs as often as it will
    for corrections in [1, 1, 1] {
        night.actions(MONDAY).await;
        assert_eq!(night.exposure("AAPL").await, shares("-1.6"));
        assert_eq!(night.count("select count(*) from correction").await, corrections);
    }
    let reason: String =
        sqlx::query_scalar("select reason from correction").fetch_one(night.pool()).await.unwrap();
    assert!(reason.starts_with("split 4 for 1 on 2026-11-23 (alpaca/"), "{reason}");
    // And a fill after it counts as it is: what is hedged then is a new share
    night.pit.clock.sleep(std::time::Duration::from_hours(72)).await;
    night.pit.bought("AAPL", "0.6").await;
    night.actions("2026-11-23T16:00:00Z").await;
    night.pit.flat().await;
    let hedged = "select hedged from reporting.position_now where symbol = 'AAPL'";
    let hedged: Amount = sqlx::query_scalar(hedged).fetch_one(night.pool()).await.unwrap();
    assert_eq!((hedged, night.exposure("AAPL").await), (amount("11"), Shares::ZERO));
}

#[tokio::test]
async fn what_becomes_known_late_is_split_as_well() {
    let night = Night::open().await;
    night.pit.account.announce("AAPL", four_for_one(), day("2026-11-20"));
    night.actions(FRIDAY).await;
    assert_eq!(night.count("select count(*) from correction").await, 0, "nothing was held");
    // When it turns out that something was held before its day
    let opening = "insert into opening_position (symbol, quantity, reason, author, happened_at)
                   values ('AAPL', 0.5, 'found', 'tester', '2026-11-19')";
    sqlx::query(opening).execute(night.pool()).await.unwrap();
    night.actions(FRIDAY).await;
    assert_eq!(night.exposure("AAPL").await, shares("2"));
}

#[tokio::test]
async fn a_new_ticker_takes_what_is_exposed_along_and_a_split_after_it_finds_it_there() {
    let night = Night::open().await;
    night.pit.sold("AAPL", "0.4").await;
    night.pit.settle().await;
    night.pit.account.announce("AAPL", Change::Rename { to: "APPL2".to_owned() }, day("2026-11-23"));
    let half = Change::Split { new: amount("1"), old: amount("2") };
    night.actions(FRIDAY).await;
    night.pit.account.announce("APPL2", half, day("2026-11-24"));
    night.actions(MONDAY).await;
    assert_eq!((night.exposure("AAPL").await, night.exposure("APPL2").await), (Shares::ZERO, shares("-0.4")));
    night.actions("2026-11-24T08:30:00Z").await;
    assert_eq!((night.exposure("AAPL").await, night.exposure("APPL2").await), (Shares::ZERO, shares("-0.2")));
}

#[tokio::test]
async fn what_is_called_off_before_its_day_is_withdrawn_and_afterwards_a_person_decides() {
    let night = Night::open().await;
    night.pit.sold("AAPL", "0.4").await;
    night.pit.settle().await;
    let account = &night.pit.account;
    let off = account.announce("AAPL", four_for_one(), day("2026-11-23"));
    night.actions(FRIDAY).await;
    account.call_off(&off);
    night.actions(FRIDAY).await;
    assert_eq!(night.count("select count(*) from corporate_action where withdrawn_at is not null").await, 1);
    // Announced again, of another ratio: that one stands
    let stands =
        account.announce("AAPL", Change::Split { new: amount("2"), old: amount("1") }, day("2026-11-23"));
    night.actions(MONDAY).await;
    assert_eq!(night.exposure("AAPL").await, shares("-0.8"));
    // When it vanishes after its day
    account.call_off(&stands);
    let (outcome, conditions) = night.actions(MONDAY).await;
    // Then it is told and stands, until a person withdraws it; then what it did is undone
    assert_eq!((outcome.verdict, conditions.len()), (Verdict::Found, 1));
    assert_eq!(conditions[0].class, "corporate action vanished");
    assert_eq!(night.exposure("AAPL").await, shares("-0.8"));
    let mut conn = night.pool().acquire().await.unwrap();
    let id = format!("alpaca/{stands}");
    assert!(hedge::store::actions::withdraw(&mut conn, &id, "it was wrong", at(MONDAY)).await.unwrap());
    drop(conn);
    night.actions(MONDAY).await;
    assert_eq!(night.exposure("AAPL").await, shares("-0.4"));
    assert_eq!(night.count("select count(*) from correction").await, 2, "both on record");
}

#[tokio::test]
async fn the_same_split_told_by_two_happens_once_and_another_ratio_is_told() {
    let night = Night::open().await;
    night.pit.sold("AAPL", "0.4").await;
    night.pit.settle().await;
    night.pit.account.announce("AAPL", four_for_one(), day("2026-11-23"));
    night.actions(MONDAY).await;
    // The same under another id, and one that says otherwise
    night.pit.account.announce("AAPL", four_for_one(), day("2026-11-23"));
    let (outcome, conditions) = night.actions(MONDAY).await;
    assert_eq!((outcome.verdict, conditions.len()), (Verdict::Done, 0));
    night.pit.account.announce(
        "AAPL",
        Change::Split { new: amount("5"), old: amount("1") },
        day("2026-11-23"),
    );
    let (outcome, conditions) = night.actions(MONDAY).await;
    assert_eq!((outcome.verdict, conditions.len()), (Verdict::Found, 1));
    assert_eq!(conditions[0].class, "corporate action contradicted");
    assert_eq!(night.exposure("AAPL").await, shares("-1.6"));
    assert_eq!(night.count("select count(*) from correction").await, 1);
}

#[tokio::test]
async fn a_venue_that_does_not_tell_withdraws_nothing() {
    let night = Night::open().await;
    night.pit.account.announce("AAPL", four_for_one(), day("2026-11-23"));
    night.actions(FRIDAY).await;
    night.pit.account.strike(Strike::Fail(503).always().on(Ask::Actions));
    let (outcome, _) = night.actions(FRIDAY).await;
    assert_eq!(outcome.verdict, Verdict::Incomplete);
    assert_eq!(night.count("select count(*) from corporate_action where withdrawn_at is null").await, 1);
}
