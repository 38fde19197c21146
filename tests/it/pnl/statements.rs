//! Statements: a day's figures tie out, stay as they were stated, and add up to what is known.

use hedge::{
    book::statement::{Covered, Line},
    job::{
        Outcome, Run, Verdict,
        accruals::{self, Accrued},
        notify::Voice,
        statement,
    },
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
        assert!(!books.told().await["rows"].as_array().unwrap().is_empty());
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

/// A reconciliation of a source at a block, at which so many tokens of a wrapper were worth so much each.
async fn cut(books: &Books, (run, date): (i64, &str), block: i64, held: &str, ratio: &str) {
    let sql = format!(
        "insert into recon_run (id, business_date, attempt, started_at, finished_at, status, passes, input_digest, output_digest,
             open_breaks, unexplained, code_version, said)
         overriding system value
         values ({run}, '{date}', 1, '{date}T23:30:00Z', '{date}T23:31:00Z', 'COMPLETE', 1, sha256(''), sha256(''), 0, 0, '', '');
         insert into recon_cut (run_id, source, as_of, block_number, block_hash, read_started, read_finished, completeness)
         values ({run}, 'raindex', '{date}T23:29:00Z', {block}, sha256(int8send({block})), '{date}T23:30:00Z', '{date}T23:30:10Z', 'WHOLE');
         insert into recon_ratio (run_id, source, token, symbol, held, ratio, block_number)
         values ({run}, 'raindex', repeat('t', 20)::bytea, 'AAPL', {held}, {ratio}, {block})"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(books.world.pool()).await.unwrap();
}

async fn accrue(books: &Books) -> Accrued {
    accruals::run(books.world.pool()).await.unwrap()
}

#[tokio::test]
async fn what_a_wrapper_earned_is_income_of_its_day_and_no_trade() {
    let mut books = Books::new().await;
    // Given twelve tokens that are worth 1.0083 shares each, of which one and a half are sold (`accounting.md` A.6, example 9)
    cut(&books, (1, "2026-03-02"), 100, "12", "1.0083").await;
    let sold = "
        insert into chain_log (chain_id, block_hash, log_index, source_id, block_number, block_time, tx_hash, tx_index, topics, data)
        values (8453, sha256('150'), 0, 1, 150, '2026-03-03T15:00:00Z', sha256('tx'), 0, '', '');
        insert into fill (chain_id, block_hash, log_index, role, owner, side, symbol, token, token_quantity, token_quantity_exact,
            usdc, usdc_exact, wrapper_ratio, quantity, price)
        values (8453, sha256('150'), 0, 'order', repeat('o', 20)::bytea, 'SELL', 'AAPL', repeat('t', 20)::bytea, 1.5, 1.5,
            222.33015, 222.33015, 1.0083, 1.51245, 148.2201)";
    books.world.pool().execute(sold).await.unwrap();
    books.count_on().await;
    assert_eq!(accrue(&books).await, Accrued::default());
    // When the ratio rises, then nothing is booked before there is a mark
    cut(&books, (2, "2026-03-03"), 200, "10.5", "1.0100").await;
    assert_eq!(accrue(&books).await, Accrued { booked: 0, unmarked: 1 });
    mark(&books, "AAPL", "2026-03-03T21:00:00Z", "147.40").await;
    assert_eq!(accrue(&books).await, Accrued { booked: 1, unmarked: 0 });
    assert_eq!(accrue(&books).await, Accrued::default(), "once");
    let row: (String, Amount, String, String) = sqlx::query_as(
        "select symbol, amount_usd_exact, valuation, et_date::text from reporting.cost where kind = 'nav accrual' and is_income",
    )
    .fetch_one(books.world.pool())
    .await
    .unwrap();
    assert_eq!(row.0, "AAPL");
    assert_eq!(row.2, "147.4 dollars a share, close of 2026-03-03T21:00:00Z");
    assert_eq!(row.3, "2026-03-03");
    // 10.5 tokens, 0.0017 shares more each
    assert_eq!(row.1, "2.63109".parse().unwrap());
    // Then it is income of that day and share, and what trades earned is what it was
    books.count_on().await;
    state(&books, "2026-03-03").await;
    let stated = read(&books, "2026-03-03").await;
    assert_eq!(stated.lines[0].income["nav accrual"], Usd(row.1));
    assert_eq!(stated.total(Line::realized).usd, Usd::ZERO);
    assert!(stated.ties_out());
    // A run that reads an older block again makes nothing accrue twice
    cut(&books, (3, "2026-03-04"), 180, "10.5", "1.0083").await;
    cut(&books, (4, "2026-03-05"), 300, "10.5", "1.0100").await;
    assert_eq!(accrue(&books).await, Accrued::default());
    // And a split that the wrapper passes on is none: four for one, a day late
    let split = json!({"kind": "split", "symbol": "AAPL", "at": "2026-03-06T05:00:00Z", "ratio_num": "4", "ratio_den": "1"});
    books.tell(&split).await.unwrap();
    cut(&books, (5, "2026-03-09"), 400, "10.5", "4.04").await;
    assert_eq!(accrue(&books).await, Accrued::default());
}

#[tokio::test]
async fn a_statement_says_what_drifted_on_its_day() {
    // Given a day on which one break came up, one that was there is resolved, and one stands explained
    let mut books = Books::new().await;
    let event = json!({"kind": "trade", "symbol": "AAPL", "executed_at": "2026-03-03T15:00:00Z", "trade_type": "ONCHAIN",
        "trade_id": 1, "side": "BUY", "quantity": "1", "price": "147"});
    books.tell(&event).await.unwrap();
    mark(&books, "AAPL", "2026-03-03T21:00:00Z", "147.40").await;
    books.count_on().await;
    cut(&books, (1, "2026-03-02"), 100, "12", "1").await;
    cut(&books, (2, "2026-03-03"), 200, "12", "1").await;
    let drifted = "
        insert into recon_leg (run_id, leg, account, instrument, expected, reported, residual, explained, unexplained, price, candidates) values
            (1, 'broker', 'alpaca', 'TSLA', 10, 12, 2, 0, 2, 200, '{}'),
            (2, 'vault', 'raindex/v', 'AAPL', 50.4, 49.9, -0.5, 0, -0.5, 147.40, '{}'),
            (2, 'broker', 'alpaca', 'AAPL', 100, 101, 1, 1, 0, 147.40, '{}'),
            (2, 'cash', 'alpaca', 'USD', 20000.50, 20000.20, -0.30, 0, -0.30, null, '{}'),
            (2, 'broker', 'alpaca', 'MSFT', 7, 7, 0, 0, 0, 400, '{}');
        insert into recon_break (id, key, leg, account, instrument, class, stuck, state, quantity, first_seen, changed_at, refs, detail)
        overriding system value values
            (1, sha256('1'), 'broker', 'alpaca', 'TSLA', 'UNEXPLAINED', false, 'RESOLVED', 0, '2026-03-02T23:31:00Z', '2026-03-03T23:31:00Z', '{}', ''),
            (2, sha256('2'), 'vault', 'raindex/v', 'AAPL', 'UNEXPLAINED', false, 'OPEN', -0.5, '2026-03-03T23:31:00Z', '2026-03-03T23:31:00Z', '{}', ''),
            (3, sha256('3'), 'broker', 'alpaca', 'AAPL', 'IN_FLIGHT_ORDER', false, 'EXPLAINED', 1, '2026-03-03T23:31:00Z', '2026-03-03T23:31:00Z', '{}', ''),
            (4, sha256('4'), 'broker', 'alpaca', 'NVDA', 'UNEXPLAINED', false, 'OPEN', 3, '2026-03-04T23:31:00Z', '2026-03-04T23:31:00Z', '{}', '');
        insert into recon_break_event (break_id, run_id, event, state, quantity, happened_at) values
            (1, 1, 'opened', 'OPEN', 2, '2026-03-02T23:31:00Z'),
            (1, 2, 'resolved', 'RESOLVED', 0, '2026-03-03T23:31:00Z'),
            (2, 2, 'opened', 'OPEN', -0.5, '2026-03-03T23:31:00Z'),
            (3, 2, 'explained', 'EXPLAINED', 1, '2026-03-03T23:31:00Z'),
            (4, 2, 'opened', 'OPEN', 3, '2026-03-04T23:31:00Z')";
    books.world.pool().execute(drifted).await.unwrap();
    // When it is stated, then that is on it, as text, as a page and in the mail
    state(&books, "2026-03-03").await;
    let stated = read(&books, "2026-03-03").await;
    assert_eq!(stated.broken(), (2, 1, 2));
    let mut shown = Vec::new();
    hedge::report::statement::write(&stated, &mut shown).unwrap();
    let shown = String::from_utf8(shown).unwrap();
    let drift =
        shown.split("drift, as reconciled last:\n").nth(1).unwrap().split("\ncoverage").next().unwrap();
    assert_snapshot!(drift, @"
      vault AAPL: -0.5, unexplained -0.5 (-73.70 USD)
      cash USD: -0.3, unexplained -0.3 (-0.30 USD)
      broker AAPL: 1, unexplained 0 (0.00 USD)

    breaks: 2 came up, 1 resolved, 2 stand:
      open vault AAPL UNEXPLAINED: -0.5 (-73.70 USD), since 2026-03-03T23:31:00Z
      explained broker AAPL IN_FLIGHT_ORDER: 1 (147.40 USD), since 2026-03-03T23:31:00Z
      resolved broker TSLA UNEXPLAINED: 0 (0.00 USD), since 2026-03-02T23:31:00Z
    ");
    let page = hedge::report::statement_page::page(&stated, "prod");
    for part in ["Drift, as reconciled last", "Breaks: 2 came up, 1 resolved, 2 stand", "IN_FLIGHT_ORDER"] {
        assert!(page.contains(part), "{part}");
    }
    let mail = hedge::report::statement::digest(&stated);
    let breaks = mail.tables.iter().find(|table| table.title == "Breaks").unwrap();
    assert_eq!(breaks.rows[0], ["AAPL", "vault", "UNEXPLAINED", "open", "-0.5", "-73.70"]);
    // And it is of that day: the day before had its own, and a break of the day after is none of it
    let before = read(&books, "2026-03-02").await;
    assert_eq!((before.broken(), before.drift.len()), ((1, 0, 1), 1));
    assert_eq!(before.drift[0].value, Some(usd("400")));
    // And where nobody reconciled there is nothing to say
    assert!(read(&books, "2026-03-01").await.drift.is_empty());
}
