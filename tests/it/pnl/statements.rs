//! Statements: a day's figures tie out, stay as they were stated, and add up to what is known.

use hedge::{
    book::statement::{Covered, Line},
    job::{Outcome, Run, Verdict, notify::Voice, statement},
    units::{Amount, Usd},
};
use insta::{assert_snapshot, with_settings};
use jiff::{Timestamp, civil::Date};
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor};

use super::{
    books::{Books, history},
    vectors::{cases, text},
};

async fn mark(books: &Books, symbol: &str, at: &str, price: &str) {
    let sql = format!(
        "insert into mark (symbol, price, as_of, source) values ('{symbol}', {price}, '{at}', 'close')"
    );
    books.world.pool().execute(AssertSqlSafe(sql)).await.unwrap();
}

async fn state(books: &Books, date: &str) -> Outcome {
    let date: Date = date.parse().unwrap();
    let at: Timestamp = format!("{}T01:00:00Z", date.tomorrow().unwrap()).parse().unwrap();
    let run = Run { id: None, job: "statement".to_owned(), date, at };
    statement::run(books.world.pool(), &run, &Voice::default()).await.unwrap()
}

async fn read(books: &Books, date: &str) -> hedge::book::statement::Statement {
    let mut conn = books.world.pool().acquire().await.unwrap();
    let at = "2026-03-20T01:00:00Z".parse().unwrap();
    statement::read(&mut conn, date.parse().unwrap(), at).await.unwrap()
}

async fn one(books: &Books, sql: &str) -> Amount {
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(books.world.pool()).await.unwrap()
}

fn usd(text: &str) -> Usd {
    Usd(text.parse().unwrap())
}

#[tokio::test]
async fn a_day_is_stated_to_the_unit_and_for_good() {
    // Given the earlier system's seven trades, a mark, a fee and interest
    let case = cases().into_iter().find(|case| case.name == "seed-taapl-table").unwrap();
    let mut books = Books::new().await;
    for event in &case.batches[0] {
        books.tell(event).await.unwrap();
    }
    mark(&books, "AAPL", "2026-03-02T21:00:00Z", "147.40").await;
    books
        .world
        .pool()
        .execute(
            "insert into cash_flow (flow_id, kind, venue_id, symbol, amount, occurred_at, said) values
                 ('alpaca/f1', 'regulatory', 1, 'AAPL', -0.02, '2026-03-02T22:00:00Z', ''),
                 ('alpaca/f2', 'interest earned', 1, null, 0.10, '2026-03-02T22:00:00Z', '')",
        )
        .await
        .unwrap();
    books.count_on().await;
    // When it is stated
    let outcome = state(&books, "2026-03-02").await;
    // Then 3.45 are realized, 0.04 is lost at the mark, and the rest is beside
    assert_eq!((outcome.verdict, outcome.said.as_str()), (Verdict::Done, "2026-03-02: net P&L 3.49"));
    let stated = read(&books, "2026-03-02").await;
    assert_eq!(stated.total(Line::net).usd, usd("3.49"));
    assert_eq!(stated.total(Line::tie_out).usd, usd("3.49"));
    assert_eq!(stated.total(Line::unrealized_change).usd, usd("-0.04"));
    let mut shown = Vec::new();
    hedge::report::statement::write(&stated, &mut shown).unwrap();
    with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        assert_snapshot!("statement", String::from_utf8(shown).unwrap());
    });
    // And a second time there is nothing to do
    assert_eq!(state(&books, "2026-03-02").await.verdict, Verdict::Skipped);

    // When a fill of that day is learnt a day later
    let late = json!({"kind": "trade", "symbol": "AAPL", "executed_at": "2026-03-02T13:59:00Z", "trade_type": "ONCHAIN",
        "trade_id": 9, "side": "SELL", "quantity": "0.5", "price": "155"});
    books.tell(&late).await.unwrap();
    books.count_on().await;
    mark(&books, "AAPL", "2026-03-03T21:00:00Z", "147.40").await;
    state(&books, "2026-03-03").await;
    // Then the day stays as it was stated, and the next one says what it lacked: 0.5 × (155 − 147.40)
    assert_eq!(read(&books, "2026-03-02").await.lines, stated.lines);
    let next = read(&books, "2026-03-03").await;
    assert_eq!(next.total(Line::net).usd, usd("0"));
    assert_eq!(next.total(|line| Some(line.restated)).usd, usd("3.8"));
    let refused = books.world.pool().execute("update pnl_statement set restated = 0").await.unwrap_err();
    assert!(refused.to_string().contains("never edited"), "{refused}");
}

#[tokio::test]
async fn all_statements_together_are_what_is_known() {
    for seed in 100..104 {
        let mut books = Books::new().await;
        // Given marks for every day, and facts that come late, are taken back and split
        for day in 1..=12 {
            for (symbol, price) in [("AAPL", 150 + day), ("TSLA", 300 - day)] {
                mark(&books, symbol, &format!("2026-03-{day:02}T21:00:00Z"), &price.to_string()).await;
            }
        }
        let batches = history(seed);
        for (place, batch) in batches.iter().enumerate() {
            for event in batch {
                books.tell(event).await.unwrap();
            }
            books.count_on().await;
            // When a day is stated after each, and at last one on which nothing is left to happen
            let day = if place + 1 == batches.len() { 12 } else { (1 + place).min(11) };
            let outcome = state(&books, &format!("2026-03-{day:02}")).await;
            assert_ne!(outcome.verdict, Verdict::Inconsistent, "seed {seed}: {}", outcome.said);
        }
        // Then they add up: realized, not realized and fees
        let stated = one(&books, "select sum(net_pnl + restated) from pnl_statement").await;
        let first = one(
            &books,
            "select coalesce(sum(banked + opening_market - opening_book - (onchain_netting + counter_trade + directional) + costs - income), 0)
             from pnl_statement where et_date = (select min(et_date) from pnl_statement)",
        )
        .await;
        let known = one(
            &books,
            "select (select coalesce(sum(onchain_netting + counter_trade + directional), 0) from pnl_day)
                 + (select coalesce(sum(amount), 0) from cash_flow)
                 + (select coalesce(sum(case side when 'LONG' then quantity * m.price - cost else cost - quantity * m.price end), 0)::numeric(38,18)
                    from open_lot join mark m using (symbol) where m.as_of = '2026-03-12T21:00:00Z')",
        )
        .await;
        let off = known.minus(stated.plus(first).unwrap()).unwrap().abs();
        // A position is valued as a whole, and the sum above lot by lot.
        assert!(off.atoms() < 50, "seed {seed}: {off}");
        assert_eq!(books.told().await["rows"].as_array().unwrap().is_empty(), false);
        assert!(!text(&batches[0][0], "kind").is_empty());
    }
}

#[tokio::test]
async fn a_dividend_is_income_of_the_long_and_owed_by_the_short_until_the_broker_books_it() {
    // Given one share that is long and one that is short at the end of the record date
    let mut books = Books::new().await;
    for (symbol, side, id) in [("AAPL", "BUY", 1), ("TSLA", "SELL", 2)] {
        let event = json!({"kind": "trade", "symbol": symbol, "executed_at": "2026-03-02T15:00:00Z", "trade_type": "ONCHAIN",
            "trade_id": id, "side": side, "quantity": "2.5", "price": "100"});
        books.tell(&event).await.unwrap();
        let dividend = format!(
            "insert into corporate_action (action_id, kind, symbol, ex_date, effective_at, record_date, payable_date, cash_per_share, source, said)
             values ('d/{symbol}', 'dividend', '{symbol}', '2026-03-03', '2026-03-03T05:00:00Z', '2026-03-03', '2026-03-05', 0.26, 'alpaca', '')"
        );
        books.world.pool().execute(AssertSqlSafe(dividend)).await.unwrap();
        for day in 2..=6 {
            mark(&books, symbol, &format!("2026-03-{day:02}T21:00:00Z"), "100").await;
        }
    }
    books.count_on().await;
    // When days are stated, then it counts on the day that it is paid
    state(&books, "2026-03-04").await;
    assert_eq!(read(&books, "2026-03-04").await.total(Line::income).usd, usd("0"));
    state(&books, "2026-03-05").await;
    let paid = read(&books, "2026-03-05").await;
    let income = |place: usize| paid.lines[place].income["dividend"];
    assert_eq!((income(0), income(1)), (usd("0.65"), usd("-0.65")));
    // And what the broker books instead is restated
    let booked = "insert into cash_flow (flow_id, kind, venue_id, symbol, amount, occurred_at, said)
                  values ('alpaca/div', 'dividend', 1, 'AAPL', 0.60, '2026-03-05T21:00:00Z', '')";
    books.world.pool().execute(booked).await.unwrap();
    state(&books, "2026-03-06").await;
    assert_eq!(read(&books, "2026-03-06").await.lines[0].restated, usd("-0.05"));
}

#[tokio::test]
async fn what_has_no_mark_is_unknown_and_what_is_old_is_said() {
    let mut books = Books::new().await;
    for (symbol, id) in [("AAPL", 1), ("NVDA", 2)] {
        let event = json!({"kind": "trade", "symbol": symbol, "executed_at": "2026-03-05T15:00:00Z", "trade_type": "ONCHAIN",
            "trade_id": id, "side": "BUY", "quantity": "1", "price": "100"});
        books.tell(&event).await.unwrap();
    }
    // Given a mark of Monday, on Thursday
    mark(&books, "AAPL", "2026-03-02T21:00:00Z", "101").await;
    books.count_on().await;
    state(&books, "2026-03-05").await;
    let stated = read(&books, "2026-03-05").await;
    let [aapl, nvda] = &stated.lines[..] else { panic!("{stated:?}") };
    assert!(aapl.closing.mark.as_ref().unwrap().is_stale);
    assert_eq!((aapl.net(), nvda.net()), (Some(usd("1")), None));
    let marks = stated.coverage.iter().find(|coverage| coverage.of == "marks").unwrap();
    assert_eq!((marks.state, marks.missing), (Covered::Partial, 1));
}

#[tokio::test]
async fn the_program_counts_shows_and_states() {
    // Given the earlier system's seven trades
    let case = cases().into_iter().find(|case| case.name == "seed-taapl-table").unwrap();
    let books = Books::new().await;
    for event in &case.batches[0] {
        books.tell(event).await.unwrap();
    }
    let hedge = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_hedge"))
            .args(arguments)
            .env_clear()
            .env("DATABASE_URL", books.world.url().expose())
            .current_dir(std::env::temp_dir())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    };
    // When it counts, then it says what
    let said = hedge(&["pnl", "--date", "2026-03-02"]);
    assert!(
        said.starts_with("7 trades of 1 shares counted twice: 7 added, 0 restated, 0 withdrawn"),
        "{said}"
    );
    assert!(said.contains("3.45"), "{said}");
    assert!(hedge(&["pnl"]).starts_with("0 trades"));
    assert!(hedge(&["pnl", "--rebuild"]).contains("7 trades of 1 shares counted twice: 0 added"));
    // And shows trades and days
    let rows = hedge(&["show", "pnl", "--symbol", "AAPL", "--csv"]);
    assert_eq!(rows.lines().count(), 8);
    assert!(
        rows.lines().nth(1).unwrap().contains("1.500000000000000000,3.45,3.450000000000000000"),
        "{rows}"
    );
    let day = hedge(&["statement", "--date", "2026-03-02", "--csv"]);
    assert!(day.lines().nth(1).unwrap().starts_with("AAPL,0,0,0,7,2.7,399.35,2.3,343.8,0,0.4,59,,"), "{day}");
}
