//! The doors to brokers meet the rehearsal brokers: what each fault leaves us knowing, and what is there.

use std::{collections::HashSet, sync::Arc, time::Duration};

use hedge::{
    book::{
        execution::Nature,
        fill::Side,
        order::{Refusal, Status, Terms, Ticket},
    },
    secret::Secret,
    sim::{Ask, SchwabApp, SimAccount, SimAlpaca, SimSchwab, Strike},
    time::Clock,
    units::Shares,
    venue::{
        AuthStyle, Broker, Environment, Of, Venue, VenueError, VenueSettings,
        alpaca::Alpaca,
        schwab::{Schwab, login::Login},
    },
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    brokers::{OPEN, account, price, shares, usd},
    schwab::Drawer,
};

struct Desk {
    account: SimAccount,
    alpaca: SimAlpaca,
    venue: Alpaca,
}

fn settings(url: &str) -> VenueSettings {
    VenueSettings {
        name: "alpaca".to_owned(),
        broker: Broker::Alpaca,
        environment: Environment::Paper,
        base_url: url.to_owned(),
        data_url: url.to_owned(),
        path_prefix: "/v2".to_owned(),
        auth: AuthStyle::Headers,
        key: Some(Secret::new("K")),
        secret: Some(Secret::new("S")),
        redirect_uri: String::new(),
        account_index: 0,
        rate: 1_000,
        timeout_ms: 300,
    }
}

impl Desk {
    async fn at(now: &str) -> Self {
        let account = account(now);
        let alpaca = SimAlpaca::serve(account.clone(), hedge::sim::AlpacaKeys::default(), "127.0.0.1:0")
            .await
            .unwrap();
        let venue = Alpaca::new(&settings(&alpaca.url()), Clock::Wall).unwrap();
        Self { account, alpaca, venue }
    }

    async fn open() -> Self {
        Self::at(OPEN).await
    }
}

fn ticket(id: &str, side: Side, quantity: &str) -> Ticket {
    Ticket {
        client_id: id.to_owned(),
        symbol: "AAPL".to_owned(),
        side,
        quantity: shares(quantity),
        terms: Terms::Market,
    }
}

fn buy() -> Ticket {
    ticket("alpaca-paper-1", Side::Buy, "3")
}

#[tokio::test]
async fn an_order_is_sent_filled_asked_after_and_booked() {
    let desk = Desk::open().await;
    let taken = desk.venue.submit(&buy()).await.unwrap();
    desk.account.forward(SignedDuration::from_secs(5));
    let filled = desk.venue.ask(&taken.broker_id).await.unwrap().unwrap();
    assert_eq!((filled.status, filled.known, filled.filled), (Status::Filled, true, Some(shares("3"))));
    let executions = desk.venue.executions(Of::Order(&taken.broker_id)).await.unwrap();
    let sum = executions.iter().fold(Shares::ZERO, |sum, it| sum.plus(it.quantity).unwrap());
    assert_eq!(sum, shares("3"));
    let orders = desk.venue.orders(OPEN.parse().unwrap()).await.unwrap();
    assert_eq!(orders.iter().map(|it| &it.broker_id).collect::<Vec<_>>(), [&taken.broker_id]);
    assert_eq!(desk.venue.account().await.unwrap().holdings["AAPL"].quantity, shares("3"));
    assert_eq!(desk.venue.executions(Of::Since(OPEN.parse().unwrap())).await.unwrap(), executions);
}

#[tokio::test]
async fn whatever_happens_to_an_answer_the_order_is_found_by_our_id_and_a_second_try_adds_none() {
    for strike in [
        Strike::Drop,
        Strike::Cut,
        Strike::Hang,
        Strike::Truncate,
        Strike::Garbage,
        Strike::FailAfter(500),
        Strike::FailAfter(502),
        Strike::FailAfter(503),
        Strike::FailAfter(504),
    ] {
        let desk = Desk::open().await;
        desk.account.strike(strike.clone().once().on(Ask::Submit));
        let error = desk.venue.submit(&buy()).await.unwrap_err();
        assert!(matches!(error, VenueError::Unanswered { .. }), "{strike:?}: {error}");
        let found = desk.venue.search(&buy(), Timestamp::UNIX_EPOCH, &HashSet::new()).await.unwrap();
        let again = desk.venue.submit(&buy()).await.unwrap();
        assert_eq!(
            found.iter().map(|it| &it.broker_id).collect::<Vec<_>>(),
            [&again.broker_id],
            "{strike:?}"
        );
        assert_eq!(desk.account.orders().len(), 1, "{strike:?}");
    }
}

#[tokio::test]
async fn a_request_that_never_arrived_is_sent_again_under_the_same_id() {
    for strike in [Strike::Lose, Strike::LoseAndHang, Strike::Fail(503)] {
        let desk = Desk::open().await;
        desk.account.strike(strike.clone().once().on(Ask::Submit));
        let error = desk.venue.submit(&buy()).await.unwrap_err();
        assert!(matches!(error, VenueError::Unanswered { .. }), "{strike:?}: {error}");
        let found = desk.venue.search(&buy(), Timestamp::UNIX_EPOCH, &HashSet::new()).await.unwrap();
        assert_eq!((found.len(), desk.account.orders().len()), (0, 0), "{strike:?}");
        desk.venue.submit(&buy()).await.unwrap();
        assert_eq!(desk.account.orders().len(), 1);
    }
}

#[tokio::test]
async fn a_proxy_that_repeats_our_order_makes_no_second_one() {
    let desk = Desk::open().await;
    desk.account.strike(Strike::Twice.once().on(Ask::Submit));
    let taken = desk.venue.submit(&buy()).await.unwrap();
    assert_eq!(desk.account.orders().iter().map(|it| it.id.clone()).collect::<Vec<_>>(), [taken.broker_id]);
}

#[tokio::test]
async fn a_throttled_order_was_not_placed_and_waits_by_the_header_or_by_itself() {
    for headers in [true, false] {
        let desk = Desk::open().await;
        desk.account.strike(Strike::Throttle { headers }.once().on(Ask::Submit));
        for _ in 0..3 {
            let error = desk.venue.submit(&buy()).await.unwrap_err();
            let VenueError::Throttled { retry_in, .. } = error else { panic!("{error}") };
            assert!(retry_in <= Duration::from_mins(5), "{retry_in:?}");
        }
        assert_eq!((desk.alpaca.asked().of(Ask::Submit), desk.account.orders().len()), (1, 0));
    }
}

#[tokio::test]
async fn every_refusal_is_understood() {
    for why in Refusal::ALL {
        let desk = Desk::open().await;
        desk.account.strike(Strike::Refuse(why).once().on(Ask::Submit));
        let error = desk.venue.submit(&buy()).await.unwrap_err();
        let VenueError::Refused { why: understood, said, .. } = error else { panic!("{why:?}: {error}") };
        assert_eq!(understood, why, "{said}");
    }
}

#[tokio::test]
async fn the_accounts_own_state_is_told_before_anything_is_sent() {
    let desk = Desk::open().await;
    desk.account.set_cash(usd("12.5"));
    desk.account.endow("TSLA", shares("2"), price("404"));
    desk.account.block(true);
    let account = desk.venue.account().await.unwrap();
    assert!(account.blocked.is_some());
    assert_eq!((account.cash, account.holdings["TSLA"].available), (usd("12.5"), shares("2")));
    desk.account.revoke_keys(true);
    assert!(matches!(desk.venue.account().await, Err(VenueError::Unauthorized { .. })));
    assert!(matches!(desk.venue.submit(&buy()).await, Err(VenueError::Unauthorized { .. })));
}

#[tokio::test]
async fn words_and_fields_never_heard_of_stop_nothing() {
    let desk = Desk::open().await;
    let taken = desk.venue.submit(&buy()).await.unwrap();
    desk.account.strike(Strike::Word("quantum".to_owned()).once().on(Ask::Read));
    let strange = desk.venue.ask(&taken.broker_id).await.unwrap().unwrap();
    assert_eq!((strange.status, strange.known, strange.word.as_str()), (Status::Working, false, "quantum"));
    for strike in [Strike::Extra, Strike::Bare] {
        desk.account.strike(strike.once().on(Ask::Read));
        assert!(desk.venue.ask(&taken.broker_id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_cancel_is_told_by_the_order_alone() {
    let desk = Desk::open().await;
    desk.account.strike(Strike::Hold.once());
    let rests = desk.venue.submit(&buy()).await.unwrap();
    desk.venue.cancel(&rests.broker_id).await.unwrap();
    desk.account.forward(SignedDuration::from_secs(5));
    assert_eq!(desk.venue.ask(&rests.broker_id).await.unwrap().unwrap().status, Status::Canceled);
    desk.venue.cancel(&rests.broker_id).await.unwrap();
    // One that fills all the same, and one that nobody has heard of.
    let filled = desk.venue.submit(&ticket("alpaca-paper-2", Side::Buy, "1")).await.unwrap();
    desk.account.forward(SignedDuration::from_secs(5));
    desk.venue.cancel(&filled.broker_id).await.unwrap();
    assert_eq!(desk.venue.ask(&filled.broker_id).await.unwrap().unwrap().status, Status::Filled);
    desk.venue.cancel("6f0c2c0e-3d0b-4f3e-9d51-0b5b3d6f2a11").await.unwrap();
    assert_eq!(desk.venue.ask("6f0c2c0e-3d0b-4f3e-9d51-0b5b3d6f2a11").await.unwrap(), None);
}

#[tokio::test]
async fn busts_and_corrections_take_back_what_they_change() {
    let desk = Desk::open().await;
    for number in 1..=2 {
        desk.venue.submit(&ticket(&format!("alpaca-paper-{number}"), Side::Buy, "5")).await.unwrap();
        desk.account.forward(SignedDuration::from_secs(5));
    }
    let trades: Vec<String> = desk.account.executions().iter().map(|it| it.id.clone()).collect();
    let later = desk.account.now();
    desk.account.forward(SignedDuration::from_secs(5));
    desk.account.correct(&trades[0], shares("4"), price("187")).unwrap();
    desk.account.bust(&trades[1]).unwrap();
    // The trades themselves lie before what is asked for.
    let found = desk.venue.executions(Of::Since(later)).await.unwrap();
    let shown: Vec<_> = found.iter().map(|it| (it.nature, it.quantity, it.corrects.clone())).collect();
    assert_eq!(
        shown,
        [
            (Nature::Correction, shares("-1"), Some(trades[0].clone())),
            (Nature::Bust, shares("-5"), Some(trades[1].clone()))
        ]
    );
    assert_eq!(desk.account.position("AAPL"), shares("4"));
}

#[tokio::test]
async fn hours_and_quotes_are_those_of_the_market() {
    let desk = Desk::open().await;
    let market = desk.venue.market().await.unwrap();
    assert_eq!(market.is_open, Some(true));
    assert_eq!(market.day.unwrap().close.to_string(), "2026-11-20T21:00:00Z");
    let sane = desk.venue.quote("AAPL").await.unwrap().unwrap();
    assert_eq!((sane.bid, sane.ask), (price("187.25"), price("187.26")));
    for strike in [Strike::NoQuote, Strike::ZeroQuote, Strike::CrossedQuote, Strike::ForbidQuote] {
        desk.account.strike(strike.clone().once().on(Ask::Quote));
        assert_eq!(desk.venue.quote("AAPL").await.unwrap(), None, "{strike:?}");
    }
    let saturday = Desk::at("2026-11-21T15:30:00Z").await;
    assert_eq!(saturday.venue.market().await.unwrap().day, None);
    assert!(desk.venue.listing("AAPL").await.unwrap().unwrap().tradable);
    assert_eq!(desk.venue.listing("NOSUCH").await.unwrap(), None);
}

#[tokio::test]
async fn lists_longer_than_a_page_are_whole() {
    let desk = Desk::open().await;
    desk.account.fill_at_once(true);
    for number in 0..120 {
        desk.venue.submit(&ticket(&format!("alpaca-paper-{number}"), Side::Buy, "0.5")).await.unwrap();
    }
    assert_eq!(desk.venue.executions(Of::Since(OPEN.parse().unwrap())).await.unwrap().len(), 120);
    assert_eq!(desk.venue.orders(OPEN.parse().unwrap()).await.unwrap().len(), 120);
}

/// A Schwab whose login is good, and needs an access token first.
struct Branch {
    account: SimAccount,
    schwab: SimSchwab,
    venue: Schwab,
}

impl Branch {
    async fn open() -> Self {
        let account = account(OPEN);
        let schwab = SimSchwab::serve(account.clone(), SchwabApp::default(), "127.0.0.1:0").await.unwrap();
        let now: Timestamp = OPEN.parse().unwrap();
        let login = Login {
            access: Secret::new("none yet"),
            refresh: Secret::new("R"),
            login_at: now,
            refreshed_at: now,
            access_until: now,
        };
        let drawer = Drawer::default();
        *drawer.0.lock().await = Some(login);
        let settings = VenueSettings {
            name: "schwab".to_owned(),
            broker: Broker::Schwab,
            path_prefix: "/trader/v1".to_owned(),
            timeout_ms: 1_000,
            ..settings(&schwab.url())
        };
        let venue = Schwab::new(&settings, Arc::new(drawer), Clock::told(now)).unwrap();
        Self { account, schwab, venue }
    }

    async fn found(&self) -> Vec<String> {
        let found = self.venue.search(&buy(), OPEN.parse().unwrap(), &HashSet::new()).await.unwrap();
        found.into_iter().map(|it| it.broker_id).collect()
    }
}

#[tokio::test]
async fn at_schwab_an_order_is_sent_filled_asked_after_and_booked() {
    let desk = Branch::open().await;
    let taken = desk.venue.submit(&buy()).await.unwrap();
    desk.account.forward(SignedDuration::from_secs(5));
    let filled = desk.venue.ask(&taken.broker_id).await.unwrap().unwrap();
    assert_eq!((filled.status, filled.known, filled.filled), (Status::Filled, true, Some(shares("3"))));
    let executions = desk.venue.executions(Of::Order(&taken.broker_id)).await.unwrap();
    let sum = executions.iter().fold(Shares::ZERO, |sum, it| sum.plus(it.quantity).unwrap());
    assert_eq!(sum, shares("3"));
    assert_eq!(desk.venue.executions(Of::Since(OPEN.parse().unwrap())).await.unwrap(), executions);
    assert_eq!(desk.venue.account().await.unwrap().holdings["AAPL"].quantity, shares("3"));
    assert_eq!(desk.venue.market().await.unwrap().day.unwrap().close.to_string(), "2026-11-20T21:00:00Z");
    assert_eq!(desk.venue.quote("AAPL").await.unwrap().unwrap().ask, price("187.26"));
    assert!(desk.venue.listing("AAPL").await.unwrap().unwrap().tradable);
    assert_eq!(desk.schwab.asked().of(Ask::Token), 1);
}

#[tokio::test]
async fn at_schwab_a_lost_answer_leaves_one_order_that_is_found_by_what_it_looks_like() {
    for strike in [
        Strike::Drop,
        Strike::Hang,
        Strike::FailAfter(500),
        Strike::FailAfter(503),
        Strike::NoLocation,
        Strike::OtherLocation,
    ] {
        let desk = Branch::open().await;
        desk.account.strike(strike.clone().once().on(Ask::Submit));
        let error = desk.venue.submit(&buy()).await.unwrap_err();
        assert!(matches!(error, VenueError::Unanswered { .. }), "{strike:?}: {error}");
        desk.account.forward(SignedDuration::from_secs(3));
        let there: Vec<String> = desk.account.orders().iter().map(|it| it.number.to_string()).collect();
        assert_eq!((desk.found().await, there.len()), (there.clone(), 1), "{strike:?}");
    }
}

#[tokio::test]
async fn at_schwab_what_never_arrived_is_not_found_and_a_relative_location_leads_there() {
    let desk = Branch::open().await;
    desk.account.strike(Strike::Lose.once().on(Ask::Submit));
    let error = desk.venue.submit(&buy()).await.unwrap_err();
    assert!(matches!(error, VenueError::Unanswered { .. }), "{error}");
    assert!(desk.found().await.is_empty());
    desk.account.strike(Strike::RelativeLocation.once().on(Ask::Submit));
    let taken = desk.venue.submit(&buy()).await.unwrap();
    assert_eq!(
        desk.account.orders().iter().map(|it| it.number.to_string()).collect::<Vec<_>>(),
        [taken.broker_id]
    );
}

#[tokio::test]
async fn at_schwab_an_order_is_rejected_after_it_was_taken() {
    let desk = Branch::open().await;
    let reason = "insufficient funds".to_owned();
    desk.account.strike(Strike::Reject { after: Duration::from_secs(1), reason: reason.clone() }.once());
    let taken = desk.venue.submit(&buy()).await.unwrap();
    desk.account.forward(SignedDuration::from_secs(5));
    let rejected = desk.venue.ask(&taken.broker_id).await.unwrap().unwrap();
    assert_eq!((rejected.status, rejected.reason), (Status::Rejected, Some(reason)));
}
