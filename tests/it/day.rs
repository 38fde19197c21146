//! A day in the life of a desk, on a clock that is told the time: what became of every order,
//! and what was held back, from before the open until after the next one.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use hedge::{
    sim::Strike,
    store::{exposure::Act, halts},
};
use insta::{assert_snapshot, with_settings};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use sqlx::Row as _;

use crate::pit::{Pit, Setup, usd};

/// What happens, as it is written down: a line each, in New York's time and in UTC.
struct Journal {
    pit: Pit,
    zone: TimeZone,
    told: String,
    date: String,
    events: i64,
    holds: BTreeMap<String, String>,
}

impl Journal {
    /// Begins at a time in New York.
    async fn begin(at: &str, setup: Setup) -> Self {
        let zone = TimeZone::get("America/New_York").unwrap();
        let now = at.parse::<DateTime>().unwrap().to_zoned(zone.clone()).unwrap().timestamp();
        let now: &'static str = now.to_string().leak();
        let pit = Pit::with(Setup { now, ..setup }).await;
        Self { pit, zone, told: String::new(), date: String::new(), events: 0, holds: BTreeMap::new() }
    }

    fn line(&mut self, at: Timestamp, symbol: &str, what: &str) {
        let local = at.to_zoned(self.zone.clone());
        let date = local.strftime("%A, %Y-%m-%d").to_string();
        if date != self.date {
            writeln!(self.told, "{}{date}", if self.date.is_empty() { "" } else { "\n" }).unwrap();
            self.date = date;
        }
        let (local, utc) = (local.strftime("%H:%M:%S"), at.strftime("%H:%M:%SZ"));
        writeln!(self.told, "  {local}  {utc}  {symbol:<4}  {what}").unwrap();
    }

    /// Something happens in the world: it is said beside what comes of it.
    fn world(&mut self, symbol: &str, what: &str) {
        self.line(self.pit.clock.now(), symbol, &format!("— {what}"));
    }

    /// It becomes this time in New York, and the desk looks until nothing more comes of it.
    async fn at(&mut self, time: &str) {
        let at = time.parse::<DateTime>().unwrap().to_zoned(self.zone.clone()).unwrap().timestamp();
        let wait = at.duration_since(self.pit.clock.now());
        self.pit.clock.sleep(wait.try_into().unwrap()).await;
        self.look().await;
    }

    async fn look(&mut self) {
        for _ in 0..4 {
            self.pit.settle().await;
            self.write().await;
            self.pit.clock.sleep(Duration::from_millis(250)).await;
        }
    }

    async fn write(&mut self) {
        let rows = sqlx::query(
            "select event_id, order_id, symbol, event, detail,
                    (extract(epoch from happened_at) * 1000)::bigint as at
             from reporting.order_event where event_id > $1 -- What lanes do at once has no order of its own.
             order by happened_at, order_id, event_id",
        )
        .bind(self.events)
        .fetch_all(self.pit.pool())
        .await
        .unwrap();
        for row in rows {
            self.events = self.events.max(row.get("event_id"));
            let (event, detail): (String, String) = (row.get("event"), row.get("detail"));
            let detail = match event.as_str() {
                "sent" | "accepted" => String::new(),
                "executed" => format!(": {}", detail.split(": ").next().unwrap()),
                _ => format!(": {detail}"),
            };
            let at = Timestamp::from_millisecond(row.get("at")).unwrap();
            let (symbol, order): (String, i64) = (row.get("symbol"), row.get("order_id"));
            self.line(at, &symbol, &format!("#{order} {event}{detail}"));
        }
        let holds =
            self.pit.text("select symbol || '|' || reason || ': ' || detail from hold order by 1").await;
        let holds: BTreeMap<String, String> = holds
            .lines()
            .map(|line| line.split_once('|').unwrap())
            .map(|(symbol, why)| (symbol.to_owned(), why.to_owned()))
            .collect();
        let now = self.pit.clock.now();
        for (symbol, why) in &holds {
            if self.holds.get(symbol) != Some(why) {
                self.line(now, symbol, &format!("held, {why}"));
            }
        }
        self.holds = holds;
    }

    async fn sold(&mut self, symbol: &str, quantity: &str) {
        self.world(symbol, &format!("sold {quantity} on chain"));
        self.pit.sold(symbol, quantity).await;
        self.look().await;
    }

    async fn bought(&mut self, symbol: &str, quantity: &str) {
        self.world(symbol, &format!("bought {quantity} on chain"));
        self.pit.bought(symbol, quantity).await;
        self.look().await;
    }

    async fn halted(&mut self, symbol: &str, reason: &str) {
        self.world(symbol, &format!("halted by a person: {reason}"));
        let act = Act { author: "kim", reason, at: self.pit.clock.now() };
        let mut conn = self.pit.pool().acquire().await.unwrap();
        halts::halt(&mut conn, Some(symbol), act).await.unwrap();
        drop(conn);
        self.look().await;
    }

    async fn resumed(&mut self, symbol: &str) {
        self.world(symbol, "resumed");
        let act = Act { author: "kim", reason: "it is over", at: self.pit.clock.now() };
        let mut conn = self.pit.pool().acquire().await.unwrap();
        halts::resume(&mut conn, Some(symbol), act).await.unwrap();
        drop(conn);
        self.look().await;
    }

    /// The process dies, and another starts.
    async fn restart(&mut self) {
        self.world("", "hedge is started anew");
        self.pit.restart().await;
        self.look().await;
    }

    /// What was written down, and every law holds.
    async fn ends(self, name: &str) {
        self.pit.proved().await;
        with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
            assert_snapshot!(name, self.told.trim_end());
        });
    }
}

#[tokio::test]
async fn a_day_in_the_life() {
    let mut day = Journal::begin("2026-11-20T07:00:00", Setup::default()).await;
    // Before the open nothing is sent; at the open it is
    day.sold("AAPL", "5").await;
    day.at("2026-11-20T09:29:59").await;
    day.at("2026-11-20T09:30:02").await;
    // The exchange halts a share: its order waits there, and fills when trading resumes
    day.at("2026-11-20T10:15:00").await;
    day.world("TSLA", "trading is halted at the exchange");
    day.pit.account.listing("TSLA", |listing| listing.halted = true);
    day.sold("TSLA", "2").await;
    for at in ["2026-11-20T10:16:00", "2026-11-20T10:18:00", "2026-11-20T10:25:00"] {
        day.at(at).await;
    }
    day.world("TSLA", "trading resumes");
    day.pit.account.listing("TSLA", |listing| listing.halted = false);
    day.at("2026-11-20T10:25:30").await;
    // A person halts another
    day.at("2026-11-20T11:00:00").await;
    day.halted("SPYM", "the prices look wrong").await;
    day.sold("SPYM", "10").await;
    day.at("2026-11-20T11:20:00").await;
    day.resumed("SPYM").await;
    day.at("2026-11-20T11:20:30").await;
    // The money is gone, and comes back
    day.at("2026-11-20T12:00:00").await;
    day.world("", "100 dollars are left");
    day.pit.account.set_cash(usd("100"));
    day.at("2026-11-20T12:00:30").await;
    day.sold("AAPL", "3").await;
    day.at("2026-11-20T12:30:00").await;
    day.world("", "50 000 dollars are paid in");
    day.pit.account.set_cash(usd("50000"));
    day.at("2026-11-20T12:30:20").await;
    day.at("2026-11-20T12:30:30").await;
    // In the last moments nothing leaves that might arrive after the bell
    day.at("2026-11-20T15:59:50").await;
    day.sold("AAPL", "2").await;
    day.at("2026-11-20T16:00:01").await;
    // Fills of the night net out, a new process knows all of it, and the next open hedges what is left
    day.at("2026-11-20T22:00:00").await;
    day.sold("TSLA", "1").await;
    day.at("2026-11-21T03:00:00").await;
    day.bought("AAPL", "1").await;
    day.restart().await;
    day.at("2026-11-23T09:29:59").await;
    day.at("2026-11-23T09:30:02").await;
    day.at("2026-11-23T09:30:10").await;
    for symbol in ["AAPL", "TSLA", "SPYM"] {
        assert_eq!(day.pit.exposure(symbol).await, "0");
    }
    day.ends("day_in_the_life").await;
}

#[tokio::test]
async fn a_holiday_and_the_half_day_after_it() {
    let mut day = Journal::begin("2026-11-25T15:00:00", Setup::default()).await;
    day.pit.account.hours(|hours| {
        hours.holiday("2026-11-26".parse().unwrap());
        hours.half_day("2026-11-27".parse().unwrap());
    });
    day.at("2026-11-26T11:00:00").await;
    day.sold("AAPL", "5").await;
    day.at("2026-11-27T09:30:02").await;
    day.at("2026-11-27T09:30:10").await;
    day.at("2026-11-27T12:59:30").await;
    day.sold("AAPL", "3").await;
    day.at("2026-11-27T12:59:50").await;
    day.sold("TSLA", "2").await;
    day.at("2026-11-27T13:00:01").await;
    day.at("2026-11-30T09:29:59").await;
    day.at("2026-11-30T09:30:02").await;
    day.at("2026-11-30T09:30:10").await;
    day.ends("day_half").await;
}

#[tokio::test]
async fn on_the_days_of_a_clock_change_the_open_is_new_yorks() {
    for (name, [friday, sunday, early, late, open, filled]) in [
        (
            "day_spring",
            [
                "2026-03-06T09:30:02",
                "2026-03-08T03:30:00",
                "2026-03-09T08:30:02",
                "2026-03-09T09:29:59",
                "2026-03-09T09:30:02",
                "2026-03-09T09:30:10",
            ],
        ),
        (
            "day_autumn",
            [
                "2026-10-30T09:30:02",
                "2026-11-01T01:30:00",
                "2026-11-02T08:30:02",
                "2026-11-02T09:29:59",
                "2026-11-02T09:30:02",
                "2026-11-02T09:30:10",
            ],
        ),
    ] {
        let mut day = Journal::begin(friday, Setup::default()).await;
        day.sold("AAPL", "1").await;
        day.at(sunday).await;
        day.sold("AAPL", "5").await;
        for at in [early, late, open, filled] {
            day.at(at).await;
        }
        assert_eq!(day.pit.exposure("AAPL").await, "0");
        day.ends(name).await;
    }
}

#[tokio::test]
async fn a_limit_order_of_the_morning_gives_way_to_the_market_at_the_open() {
    let mut day = Journal::begin("2026-11-20T03:00:00", Setup { extended: true, ..Setup::default() }).await;
    // Before the extended session nothing leaves
    day.sold("TSLA", "2").await;
    day.at("2026-11-20T04:00:02").await;
    day.at("2026-11-20T04:00:10").await;
    // A limit order that the market does not reach is cancelled at the open, and a market order follows
    day.at("2026-11-20T09:27:00").await;
    day.pit.account.strike(Strike::Hold.once());
    day.sold("AAPL", "5").await;
    for at in ["2026-11-20T09:28:00", "2026-11-20T09:29:50", "2026-11-20T09:30:02", "2026-11-20T09:30:20"] {
        day.at(at).await;
    }
    day.at("2026-11-20T09:30:40").await;
    // After the close there are limit orders again, until the evening
    day.at("2026-11-20T19:58:00").await;
    day.sold("TSLA", "1").await;
    day.at("2026-11-20T19:58:10").await;
    day.at("2026-11-20T20:00:01").await;
    day.sold("TSLA", "1").await;
    day.ends("day_extended").await;
}
