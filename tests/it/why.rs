//! What an operator reads: `hedge why` and `hedge show`, situation by situation, as snapshots.

use std::time::Duration;

use clap::Parser as _;
use hedge::{
    assets::Threshold,
    book::order::Refusal,
    cli::{
        Cli,
        why::{advice::advice, facts::Why},
    },
    config::Environment,
    policy::Reason,
    sim::{Ask, Strike},
};
use insta::{assert_snapshot, with_settings};

use crate::pit::{Pit, Setup, price, shares, usd};

/// What is drawn by chance, made the same each time and left as long as it is.
pub fn steady(text: &str) -> String {
    let mut told = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = chance(rest);
        if length == 0 {
            told.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let blank = |part: char| if part.is_ascii_hexdigit() { 'x' } else { part };
            told.extend(rest[..length].chars().map(blank));
            rest = &rest[length..];
        }
    }
    told
}

/// How much of the beginning was drawn by chance: a broker's id, or what is drawn of an id of ours.
fn chance(text: &str) -> usize {
    let begins = |lengths: &[usize]| {
        let length = lengths.iter().sum::<usize>() + lengths.len() - 1;
        let parts = text.get(..length)?.split('-');
        let hex = |part: &str| part.chars().all(|digit| digit.is_ascii_hexdigit());
        parts.clone().map(str::len).eq(lengths.iter().copied()).then_some(())?;
        parts.clone().all(hex).then_some(length)
    };
    begins(&[8, 4, 4, 4, 12]).or_else(|| begins(&[8, 16])).unwrap_or(0)
}

fn snapshot(name: &str, text: &str) {
    with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
        assert_snapshot!(name, steady(text));
    });
}

async fn why(pit: &Pit, symbol: &str) -> Why {
    pit.keeper.turn().await.unwrap();
    let mut conn = pit.pool().acquire().await.unwrap();
    Why::read(&mut conn, symbol, pit.clock.now()).await.unwrap()
}

/// What `hedge why` says now.
async fn said(pit: &Pit, name: &str) {
    snapshot(&format!("why_{name}"), &why(pit, "AAPL").await.for_people());
}

/// What `hedge show` says.
async fn shown(pit: &Pit, arguments: &[&str]) -> String {
    let environment =
        Environment::from_iter([("DATABASE_URL", pit.world.url().expose()), ("HEDGE_CONFIG", "/dev/null")]);
    let mut out = Vec::new();
    let cli = Cli::try_parse_from([&["hedge", "show"], arguments].concat()).unwrap();
    cli.run(environment, &mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn of_what_nobody_traded_nothing_is_known() {
    let pit = Pit::open().await;
    pit.sold("TSLA", "2").await;
    pit.flat().await;
    said(&pit, "nothing_known").await;
}

#[tokio::test]
async fn after_a_hedge_nothing_is_to_be_done() {
    let pit = Pit::open().await;
    pit.sold("AAPL", "5").await;
    pit.flat().await;
    pit.pass(Duration::from_mins(3)).await;
    said(&pit, "flat").await;
}

#[tokio::test]
async fn what_is_below_its_threshold_is_carried() {
    let pit = Pit::open().await;
    pit.sold("AAPL", "0.25").await;
    pit.sold("AAPL", "0.392127850777440263").await;
    pit.settle().await;
    said(&pit, "below_threshold").await;
}

#[tokio::test]
async fn an_order_that_the_market_holds_is_asked_after_and_in_the_end_is_stuck() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Hold.once());
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    pit.pass(Duration::from_secs(40)).await;
    said(&pit, "working").await;
    pit.pass(Duration::from_mins(2)).await;
    said(&pit, "stuck").await;
}

#[tokio::test]
async fn an_order_that_nobody_answered_is_looked_for() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Lose.once().on(Ask::Submit));
    pit.account.strike(Strike::Fail(503).always().on(Ask::Lookup));
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    pit.pass(Duration::from_secs(12)).await;
    said(&pit, "unanswered").await;
}

#[tokio::test]
async fn after_the_close_it_waits_for_the_next_open() {
    let pit = Pit::with(Setup { now: "2026-11-20T22:05:00Z", ..Setup::default() }).await;
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    said(&pit, "market_closed").await;
}

#[tokio::test]
async fn a_halted_share_says_who_halted_it_and_how_it_goes_on() {
    let pit = Pit::open().await;
    let mut conn = pit.pool().acquire().await.unwrap();
    let act = hedge::store::exposure::Act { author: "kim", reason: "earnings tonight", at: pit.clock.now() };
    hedge::store::halts::halt(&mut conn, Some("AAPL"), act).await.unwrap();
    drop(conn);
    pit.sold("AAPL", "5").await;
    pit.pass(Duration::from_hours(1)).await;
    said(&pit, "halted").await;
}

#[tokio::test]
async fn without_shares_nothing_is_sold() {
    let pit = Pit::open().await;
    pit.bought("AAPL", "3").await;
    pit.settle().await;
    said(&pit, "no_shares").await;
}

#[tokio::test]
async fn without_dollars_nothing_is_bought() {
    let pit = Pit::with(Setup { cash: "100", ..Setup::default() }).await;
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    said(&pit, "funds").await;
}

#[tokio::test]
async fn what_the_broker_refuses_is_tried_again_later() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Refuse(Refusal::Other).always());
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    pit.pass(Duration::from_mins(1)).await;
    said(&pit, "refused").await;
}

#[tokio::test]
async fn before_it_goes_live_it_says_what_would_be_done() {
    let pit = Pit::with(Setup { live: false, ..Setup::default() }).await;
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    said(&pit, "not_live").await;
}

#[tokio::test]
async fn a_fill_that_is_not_deep_enough_counts_later() {
    let pit = Pit::open().await;
    pit.sold("AAPL", "5").await;
    pit.flat().await;
    pit.sold("AAPL", "2").await;
    said(&pit, "not_deep_enough").await;
}

#[tokio::test]
async fn a_hedge_whose_fill_was_taken_back_is_our_own_doing() {
    let pit = Pit::open().await;
    pit.sold("AAPL", "5").await;
    pit.flat().await;
    pit.account.strike(Strike::Hold.once());
    pit.chain.step_back(1);
    pit.chain.mine([]);
    pit.chain.mine([]);
    pit.index().await;
    said(&pit, "taken_back").await;
}

#[tokio::test]
async fn an_ambiguous_order_asks_for_a_person() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Hold.once());
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    // Given that the broker forgets all that it had
    pit.account.reset(usd("1000000"));
    pit.pass(Duration::from_mins(2)).await;
    said(&pit, "ambiguous").await;
}

#[tokio::test]
async fn many_parts_are_told_shortly_to_people_and_whole_to_programs() {
    let pit = Pit::with(Setup { threshold: Threshold::Shares(1_000.into()), ..Setup::default() }).await;
    for _ in 0..14 {
        pit.sold("AAPL", "2.5").await;
    }
    pit.bought("AAPL", "3").await;
    pit.settle().await;
    said(&pit, "many_parts").await;
    let json = why(&pit, "AAPL").await.for_programs();
    assert_eq!(json["exposure"], "-32");
    assert_eq!(json["parts"].as_array().unwrap().len(), 13);
    assert_eq!(json["parts"][0]["quantity"], "2");
    assert_eq!(json["parts"][0]["of"], "2.5");
    assert_eq!(json["hold"], "below threshold");
    assert_eq!(json["next"][0]["do"], advice(Reason::BelowThreshold));
}

#[tokio::test]
async fn a_desk_is_shown_as_tables() {
    let pit =
        Pit::with(Setup { threshold: Threshold::Fraction("0.5".parse().unwrap()), ..Setup::default() }).await;
    // Given a hedge, one that is held, one that there are no shares for, and one below its threshold
    pit.sold("AAPL", "5.25").await;
    pit.flat().await;
    pit.account.strike(Strike::Hold.once());
    pit.account.endow("SPYM", shares("0.1"), price("80"));
    pit.sold("TSLA", "2").await;
    pit.bought("SPYM", "0.75").await;
    pit.sold("AAPL", "0.125").await;
    pit.pass(Duration::from_secs(30)).await;
    for what in ["positions", "orders", "executions", "events"] {
        snapshot(&format!("show_{what}"), &shown(&pit, &[what]).await);
    }
}

#[test]
fn every_hold_says_what_to_do_and_the_readme_too() {
    let readme = crate::tidy::WORDS;
    for reason in Reason::ALL {
        assert_eq!(Reason::named(reason.word()), Some(reason));
        assert!(!advice(reason).is_empty());
        let row = format!("\n| `{}` |", reason.word());
        assert!(reason == Reason::Flat || readme.contains(&row), "the README has no row{row}");
    }
}
