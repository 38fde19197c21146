//! What `hedge doctor` says of hedging: brokers, who hedges, and what waits for a person.

use clap::Parser as _;
use hedge::{
    cli::{Cli, Exit},
    config::Environment,
    store::{exposure::Act, halts},
};
use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sqlx::Executor as _;

use crate::{
    acts::configuration,
    pit::{Pit, Setup},
    world::scratch,
};

/// What it says of hedging with this configuration and secret, a line each; nothing of what a clock says.
async fn said(pit: &Pit, toml: &str, secret: &str) -> (Exit, String) {
    let room = scratch();
    let file = room.path().join("hedge.toml");
    std::fs::write(&file, toml).unwrap();
    let environment = Environment::from_iter([
        ("DATABASE_URL", pit.world.url().expose()),
        ("ALPACA_API_KEY", "K"),
        ("ALPACA_API_SECRET", secret),
    ]);
    let words = ["hedge", "--config", file.to_str().unwrap(), "doctor", "--json"];
    let mut out = Vec::new();
    let exit = Cli::try_parse_from(words).unwrap().run(environment, &mut out).await.unwrap();
    let findings: Vec<Value> = serde_json::from_slice(&out).unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let of_hedging = |finding: &&Value| {
        let about = text(finding, "about");
        about == "limits" || about == "hedging" || about.starts_with("venue")
    };
    let lines: Vec<String> = findings
        .iter()
        .filter(of_hedging)
        .map(|finding| {
            let said = text(finding, "said");
            let said = said.split("; the ").next().unwrap().split("; no trading").next().unwrap();
            let line =
                [text(finding, "state"), text(finding, "about"), said.to_owned(), text(finding, "next")]
                    .join(" | ");
            line.trim_end_matches(" | ").to_owned()
        })
        .collect();
    (exit, lines.join("\n"))
}

/// The broker has the time of the machine, as doctors have.
async fn on_the_wall() -> Pit {
    let pit = Pit::open().await;
    pit.account.set_time(Timestamp::now());
    pit
}

#[tokio::test]
async fn a_desk_that_can_hedge_is_told_so_line_by_line() {
    let pit = on_the_wall().await;
    pit.keeper.turn().await.unwrap();
    // Its age is the database's, and passes.
    pit.pool().execute("update lease set taken_at = now() - interval '3 hours'").await.unwrap();
    let (_, said) = said(&pit, &configuration(&pit), "S").await;
    assert_snapshot!(said, @r"
    ok | limits | 2000 USD an order, 1400 USD a day, prices within 5.00 %
    ok | venue alpaca | lets us in; 1000000 USD to buy with
    ok | venue alpaca | its clock is ours
    ok | venue alpaca | trades AAPL, TSLA, SPYM, as their thresholds need
    ok | hedging | fills of raindex-8453 from block 1000 on are hedged
    ok | hedging | a test hedges, for 3 h
    ");
}

#[tokio::test]
async fn what_keeps_a_desk_from_hedging_is_said_with_what_to_do() {
    let pit = on_the_wall().await;
    // Given a broker that is slow by an hour, and of three shares trades none as it should
    pit.account.set_time(Timestamp::now() - SignedDuration::from_mins(61));
    pit.account.listing("AAPL", |listing| listing.fractionable = false);
    pit.account.listing("TSLA", |listing| listing.tradable = false);
    pit.account.delist("SPYM");
    // And an order of three days ago, a halt, and a process that ended
    pit.sold("AAPL", "5").await;
    let pool = pit.pool();
    pool.execute(
        "insert into venue (name, broker, environment) values ('elsewhere', 'alpaca', 'paper');
         insert into hedge_order (venue_id, client_order_id, purpose, symbol, side, quantity, terms, fence, state,
                                  planned_at, sent_at)
         select id, 'c-1', 'hedge', 'AAPL', 'BUY', 5, 'market', 1, 'sent', now() - interval '73 hours',
                now() - interval '73 hours'
         from venue where name = 'elsewhere'",
    )
    .await
    .unwrap();
    let at = Timestamp::now() - SignedDuration::from_hours(2);
    let act = Act { author: "kim", reason: "earnings tonight", at };
    halts::halt(&mut pool.acquire().await.unwrap(), Some("TSLA"), act).await.unwrap();
    pit.keeper.turn().await.unwrap();
    pool.execute("update lease set expires_at = now() - interval '4 hours'").await.unwrap();
    let toml = configuration(&pit).replace("{ shares = 1 }", "{ fraction = 0.5 }");
    let (exit, told) = said(&pit, &toml, "S").await;
    assert_eq!(exit, Exit::Found);
    assert_snapshot!(told, @r"
    ok | limits | 2000 USD an order, 1400 USD a day, prices within 5.00 %
    ok | venue alpaca | lets us in; 1000000 USD to buy with
    failed | venue alpaca | its clock is 1 h 1 min behind ours | set this machine's clock: timedatectl set-ntp true
    failed | venue alpaca | only whole shares of AAPL are traded there | give { shares = N } or { usd = N } as its threshold
    failed | venue alpaca | TSLA cannot be traded there | ask the broker, or name another venue
    failed | venue alpaca | SPYM is not listed there | check the ticker, or name another venue
    ok | hedging | fills of raindex-8453 from block 1000 on are hedged
    failed | hedging | nobody hedges: a test ended 4 h ago | start it: hedge run
    noted | hedging | TSLA is halted by kim, for 2 h: earnings tonight | once that is over: hedge resume TSLA --reason …
    failed | hedging | order #1 to BUY 5 AAPL is sent, planned 3 d 1 h ago | see what to do: hedge why AAPL
    ");
    // And with the wrong keys it is not let in
    let (_, told) = said(&pit, &configuration(&pit), "not the secret").await;
    let line = told.lines().nth(1).unwrap();
    assert!(line.starts_with("failed | venue alpaca | it does not let us in: "), "{line}");
    assert!(line.contains("key and secret are right"), "{line}");
    // And an account that is blocked takes nothing
    pit.account.block(true);
    let (_, told) = said(&pit, &configuration(&pit), "S").await;
    let line = told.lines().nth(1).unwrap();
    assert!(line.starts_with("failed | venue alpaca | the account takes no orders: "), "{line}");
    assert!(line.ends_with(" | ask the broker"), "{line}");
}

#[tokio::test]
async fn before_it_goes_live_a_doctor_says_how_to() {
    let pit = Pit::with(Setup { live: false, ..Setup::default() }).await;
    pit.account.set_time(Timestamp::now());
    let (_, told) = said(&pit, &configuration(&pit), "S").await;
    assert_snapshot!(told.lines().last().unwrap(), @"noted | hedging | fills of raindex-8453 are not hedged: hedging has not begun | see what would be done: hedge show positions; then: hedge go-live --reason …");
}
