//! What the night asks of brokers: what moved without a trade, when the market is open, closes, announcements.

use std::{collections::BTreeMap, sync::Arc};

use hedge::{
    book::{
        action::Change,
        activity::{Activity, ActivityKind},
    },
    secret::Secret,
    sim::{AlpacaKeys, Ask, SchwabApp, SimAccount, SimAlpaca, SimSchwab, Strike},
    tape::Tape,
    time::{Clock, nyse},
    units::{Shares, Usd},
    venue::{
        AuthStyle, Broker, Environment, Of, Venue, VenueError, VenueSettings,
        alpaca::Alpaca,
        schwab::{Schwab, login::Login},
    },
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use tokio::sync::Mutex;

use super::{OPEN, account, amount, price, shares, usd};
use crate::schwab::Drawer;

/// An account, who serves it, and the door to that.
struct Door {
    account: SimAccount,
    venue: Box<dyn Venue>,
    server: Box<dyn std::any::Any>,
}

fn settings(broker: Broker, url: &str, prefix: &str, auth: AuthStyle) -> VenueSettings {
    VenueSettings {
        name: broker.word().to_owned(),
        broker,
        environment: Environment::Paper,
        base_url: url.to_owned(),
        data_url: url.to_owned(),
        path_prefix: prefix.to_owned(),
        auth,
        key: Some(Secret::new("K")),
        secret: Some(Secret::new("S")),
        redirect_uri: "https://127.0.0.1".to_owned(),
        account_index: 0,
        rate: 100_000,
        timeout_ms: 2_000,
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

impl Door {
    async fn to_alpaca() -> Self {
        let account = account(OPEN);
        let server = SimAlpaca::serve(account.clone(), AlpacaKeys::default(), "127.0.0.1:0").await.unwrap();
        let settings = settings(Broker::Alpaca, &server.url(), "/v2", AuthStyle::Headers);
        let venue = Box::new(Alpaca::new(&settings, Clock::Wall).unwrap());
        Self { account, venue, server: Box::new(server) }
    }

    /// At Schwab's, at a time of the venue's own: it asks no clock.
    async fn to_schwab(now: &str) -> Self {
        let account = account(now);
        let server = SimSchwab::serve(account.clone(), SchwabApp::default(), "127.0.0.1:0").await.unwrap();
        let settings = settings(Broker::Schwab, &server.url(), "/trader/v1", AuthStyle::Bearer);
        let login = Login {
            access: Secret::new("A"),
            refresh: Secret::new("R"),
            login_at: at(now),
            refreshed_at: at(now),
            access_until: at(now),
        };
        let drawer = Arc::new(Drawer(Arc::new(Mutex::new(Some(login)))));
        let venue = Box::new(Schwab::new(&settings, drawer, Clock::told(at(now))).unwrap());
        Self { account, venue, server: Box::new(server) }
    }

    async fn activities(&self) -> Vec<Activity> {
        self.venue.activities(at("2026-11-01T00:00:00Z")).await.unwrap()
    }
}

fn shown(activities: &[Activity]) -> Vec<String> {
    let shown = |it: &Activity| {
        let symbol = it.symbol.as_deref().unwrap_or("-");
        format!("{} {} {symbol} {} {}", it.kind.word(), it.word, it.quantity, it.cash)
    };
    activities.iter().map(shown).collect()
}

/// What a trade, and everything but a trade, does to an account.
fn eventful(door: &Door) {
    let account = &door.account;
    account.person_trades("AAPL", hedge::book::fill::Side::Buy, shares("10"));
    account.forward(SignedDuration::from_mins(1));
    for act in 0..8 {
        match act {
            0 => account.fee(ActivityKind::Commission, usd("0.65"), "commission"),
            1 => account.fee(ActivityKind::Regulatory, usd("0.03"), "TAF fee for proceed of 10 shares"),
            2 => account.happen(ActivityKind::Interest, None, Shares::ZERO, usd("-1.25"), "margin"),
            3 => account.dividend("AAPL", price("0.26")),
            4 => account.happen(ActivityKind::Cash, None, Shares::ZERO, usd("-500"), "out"),
            5 => account.happen(ActivityKind::Shares, Some("TSLA"), shares("2"), Usd::ZERO, "journal"),
            6 => account.split("AAPL", amount("4"), amount("1")),
            _ => account.happen(ActivityKind::Other, None, Shares::ZERO, usd("7"), "a gift"),
        };
        account.forward(SignedDuration::from_secs(1));
    }
}

/// Executions and activities add up to the account as it is.
async fn adds_up(door: &Door, before: Usd) {
    let executions = door.venue.executions(Of::Since(at("2026-11-01T00:00:00Z"))).await.unwrap();
    let activities = door.activities().await;
    let mut held: BTreeMap<String, Shares> = BTreeMap::new();
    let mut cash = before;
    for execution in &executions {
        let sum = held.entry(execution.symbol.clone()).or_default();
        *sum = sum.plus(execution.quantity).unwrap();
        cash = cash.plus(execution.cash).unwrap();
    }
    for activity in &activities {
        if let Some(symbol) = &activity.symbol {
            let sum = held.entry(symbol.clone()).or_default();
            *sum = sum.plus(activity.quantity).unwrap();
        }
        cash = cash.plus(activity.cash).unwrap();
    }
    let account = door.venue.account().await.unwrap();
    let shown: BTreeMap<String, Shares> =
        account.holdings.into_iter().map(|(symbol, holding)| (symbol, holding.quantity)).collect();
    held.retain(|_, quantity| *quantity != Shares::ZERO);
    assert_eq!((held, cash), (shown, account.cash));
    assert_eq!(cash, door.account.cash());
}

#[tokio::test]
async fn executions_and_activities_are_all_that_ever_moves_an_account_at_alpaca() {
    let door = Door::to_alpaca().await;
    let before = door.account.cash();
    eventful(&door);
    assert_eq!(
        shown(&door.activities().await),
        [
            "commission FEE - 0 -0.65",
            "regulatory FEE - 0 -0.03",
            "interest INT - 0 -1.25",
            "dividend DIV AAPL 0 2.6",
            "cash CSW - 0 -500",
            "shares JNLS TSLA 2 0",
            "split SPLIT AAPL 30 0",
            "other MISC - 0 7",
        ]
    );
    adds_up(&door, before).await;
}

#[tokio::test]
async fn executions_and_activities_are_all_that_ever_moves_an_account_at_schwab() {
    let door = Door::to_schwab(OPEN).await;
    let before = door.account.cash();
    eventful(&door);
    assert_eq!(
        shown(&door.activities().await),
        [
            "commission COMMISSION - 0 -0.65",
            "regulatory TAF_FEE - 0 -0.03",
            "interest DIVIDEND_OR_INTEREST - 0 -1.25",
            "dividend DIVIDEND_OR_INTEREST AAPL 0 2.6",
            "cash WIRE_OUT - 0 -500",
            "shares RECEIVE_AND_DELIVER TSLA 2 0",
            "shares RECEIVE_AND_DELIVER AAPL 30 0",
            "other MEMORANDUM - 0 7",
        ]
    );
    adds_up(&door, before).await;
}

#[tokio::test]
async fn activities_come_page_by_page_each_once_however_often_they_are_listed() {
    let door = Door::to_alpaca().await;
    for cents in 1..=250 {
        let id = door.account.fee(ActivityKind::Commission, usd(&format!("0.{cents:03}")), "a fee");
        if cents % 100 == 0 {
            door.account.repeat(&id);
        }
        door.account.forward(SignedDuration::from_secs(1));
    }
    let activities = door.activities().await;
    assert_eq!(activities.len(), 250);
    let since = activities[200].at.unwrap();
    assert_eq!(door.venue.activities(since).await.unwrap().len(), 50, "its own instant is taken in");
}

#[tokio::test]
async fn what_is_not_listed_is_missing_and_what_is_taken_back_moves_nothing() {
    for door in [Door::to_alpaca().await, Door::to_schwab(OPEN).await] {
        let hidden = door.account.fee(ActivityKind::Commission, usd("0.65"), "hidden");
        let taken = door.account.happen(ActivityKind::Cash, None, Shares::ZERO, usd("9"), "taken back");
        let known = door.activities().await;
        door.account.hide(&hidden, true);
        assert!(door.account.take_back(&taken));
        let now = door.activities().await;
        assert_eq!((known.len(), now.len()), (2, 1));
        assert_eq!((now[0].kind, now[0].cash), (ActivityKind::Other, Usd::ZERO));
        assert_eq!(now[0].id, known[1].id, "under the same id");
        // An execution may be left out as well
        let order = door.account.person_trades("AAPL", hedge::book::fill::Side::Buy, shares("1"));
        door.account.forward(SignedDuration::from_mins(1));
        let execution = door.account.executions().remove(0);
        assert!(door.account.order(&order).is_some());
        door.account.hide(&execution.id, true);
        if door.venue.name() == "alpaca" {
            assert_eq!(door.venue.executions(Of::Since(at(OPEN))).await.unwrap(), []);
        }
    }
}

#[tokio::test]
async fn a_positions_list_that_fails_is_no_answer_and_never_nothing_held() {
    for door in [Door::to_alpaca().await, Door::to_schwab(OPEN).await] {
        door.account.endow("AAPL", shares("5"), price("180"));
        door.account.strike(Strike::Fail(502).first(2).on(Ask::Positions));
        for _ in 0..2 {
            let error = door.venue.account().await.unwrap_err();
            assert!(matches!(error, VenueError::Unanswered { .. }), "{error}");
        }
        assert_eq!(door.venue.account().await.unwrap().holdings["AAPL"].quantity, shares("5"));
    }
}

#[tokio::test]
async fn a_calendar_has_holidays_and_half_days_where_the_venue_has_one() {
    let door = Door::to_alpaca().await;
    door.account.hours(|hours| {
        hours.holiday(day("2026-11-26"));
        hours.half_day(day("2026-11-27"));
    });
    let days = door.venue.calendar(day("2026-11-25"), day("2026-11-30")).await.unwrap().unwrap();
    let dates: Vec<String> = days.iter().map(|day| format!("{} {}", day.date, day.close)).collect();
    assert_eq!(
        dates,
        [
            "2026-11-25 2026-11-25T21:00:00Z",
            "2026-11-27 2026-11-27T18:00:00Z",
            "2026-11-30 2026-11-30T21:00:00Z"
        ]
    );
    let schwab = Door::to_schwab(OPEN).await;
    assert_eq!(schwab.venue.calendar(day("2026-11-25"), day("2026-11-30")).await.unwrap(), None);
}

#[tokio::test]
async fn the_rehearsal_brokers_calendar_is_the_exchanges() {
    let door = Door::to_alpaca().await;
    let (from, to) = (day("2026-11-20"), day("2028-05-31"));
    let told = door.venue.calendar(from, to).await.unwrap().unwrap();
    let days = std::iter::successors(Some(from), |day| day.tomorrow().ok()).take_while(|day| *day <= to);
    let rules: Vec<_> = days.filter_map(nyse::trading_day).collect();
    assert_eq!(told, rules);
    assert_eq!(told.iter().filter(|day| day.closes_early()).count(), 3);
}

#[tokio::test]
async fn a_close_is_known_once_the_day_is_over_and_only_of_that_day() {
    let both = ["AAPL".to_owned(), "NONE".to_owned()];
    let friday = day("2026-11-20");
    let door = Door::to_alpaca().await;
    assert_eq!(door.venue.closes(&both, friday).await.unwrap(), BTreeMap::new());
    door.account.set_time(at("2026-11-20T21:30:00Z"));
    let closes = door.venue.closes(&both, friday).await.unwrap();
    assert_eq!(closes, [("AAPL".to_owned(), price("187.25"))].into());
    door.account.set_close("AAPL", day("2026-11-19"), price("185"));
    let before = door.venue.closes(&both, day("2026-11-19")).await.unwrap();
    assert_eq!(before, [("AAPL".to_owned(), price("185"))].into());
    // Who may not have bars is without closes, and goes on
    door.account.strike(Strike::ForbidQuote.always());
    assert_eq!(door.venue.closes(&both, friday).await.unwrap(), BTreeMap::new());

    for (now, of, known) in [
        ("2026-11-20T20:59:00Z", friday, false),
        ("2026-11-20T21:30:00Z", friday, true),
        ("2026-11-20T21:30:00Z", day("2026-11-19"), false),
    ] {
        let schwab = Door::to_schwab(now).await;
        let closes = schwab.venue.closes(&both, of).await.unwrap();
        assert_eq!(closes.contains_key("AAPL"), known, "{now} {of}");
        assert_eq!(closes.len(), usize::from(known));
    }
}

#[tokio::test]
async fn announcements_are_those_of_the_shares_and_days_asked_for() {
    let door = Door::to_alpaca().await;
    let (split, friday) = (Change::Split { new: amount("4"), old: amount("1") }, day("2026-11-20"));
    let merged = Change::Split { new: amount("1"), old: amount("10") };
    let kept = door.account.announce("AAPL", split.clone(), friday);
    let off = door.account.announce("AAPL", Change::Dividend { per_share: price("0.26") }, day("2026-11-23"));
    door.account.announce("TSLA", merged.clone(), friday);
    door.account.announce("AAPL", Change::Rename { to: "APPL2".to_owned() }, day("2026-12-24"));
    let asked = async |symbols: &[&str]| {
        let symbols: Vec<String> = symbols.iter().map(|symbol| (*symbol).to_owned()).collect();
        let found = door.venue.actions(&symbols, friday, day("2026-11-30")).await.unwrap();
        found.into_iter().map(|it| (it.id, it.change, it.effective_at.to_string())).collect::<Vec<_>>()
    };
    let midnight = |day: &str| format!("2026-11-{day}T05:00:00Z");
    let dividend = (off.clone(), Change::Dividend { per_share: price("0.26") }, midnight("23"));
    assert_eq!(asked(&["AAPL"]).await, [(kept.clone(), split.clone(), midnight("20")), dividend]);
    assert_eq!(asked(&["TSLA"]).await[0].1, merged);
    assert!(door.account.call_off(&off));
    assert_eq!(asked(&["AAPL"]).await, [(kept, split, midnight("20"))]);
    // Not to be told of splits is not to know of none
    door.account.strike(Strike::ForbidQuote.always().on(Ask::Actions));
    let error = door.venue.actions(&["AAPL".to_owned()], friday, friday).await.unwrap_err();
    assert!(matches!(error, VenueError::Unanswered { .. }), "{error}");
}

#[tokio::test]
async fn what_a_broker_said_is_played_back_without_it_and_holds_no_key() {
    for mut door in [Door::to_alpaca().await, Door::to_schwab("2026-11-20T21:30:00Z").await] {
        // Given a run whose answers were kept, failures among them
        door.account.set_time(at("2026-11-20T21:30:00Z"));
        door.account.endow("AAPL", shares("5"), price("180"));
        door.account.fee(ActivityKind::Commission, usd("0.65"), "a fee");
        door.account.strike(Strike::Fail(502).once().on(Ask::Positions));
        let look = async |venue: &dyn Venue| {
            let failed = venue.account().await.unwrap_err().to_string();
            let account = venue.account().await.unwrap();
            let activities = venue.activities(at(OPEN)).await.unwrap();
            let closes = venue.closes(&["AAPL".to_owned()], day("2026-11-20")).await.unwrap();
            (failed, account.holdings, account.cash, activities, closes)
        };
        let tape = Tape::recording();
        door.venue.tape(Some(&tape));
        let first = look(&*door.venue).await;
        let said = tape.said();
        assert!(said.len() >= 4, "{said:?}");
        assert!(said.iter().any(|said| said.status == Some(502)));
        let text = format!("{said:?}");
        assert!(!text.to_lowercase().contains("bearer") && !text.contains("APCA-"), "{text}");
        // When the broker is gone, and the tape plays
        door.server = Box::new(());
        door.venue.tape(Some(&Tape::playing(said)));
        // Then all is as it was, and what was not asked then has no answer now
        assert_eq!(look(&*door.venue).await, first);
        assert!(door.venue.orders(at(OPEN)).await.is_err());
    }
}
