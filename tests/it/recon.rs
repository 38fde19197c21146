//! Reconciliation end to end: a chain and a broker over HTTP, the desk between them, the job in a real Postgres.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use alloy::primitives::{Address, U256};
use hedge::{
    book::{activity::ActivityKind, fill::Side, vault::VaultKey},
    job::{
        Outcome, Run, Verdict,
        accruals::{self, Accrued},
        notify::Voice,
        reconcile::{
            ReconcileSettings, Reconciler, acts,
            replay::{Readers, Replay, replay},
            transfer::{End, Moved, Named, transfer},
        },
    },
    policy::inventory::{InventorySettings, Target},
    sim::{Ask, Hold, Mix, ONE_E18, Rate, Strike},
    store::{exposure::Act, recon as runs},
    time::Clock,
    units::{Shares, Usd},
    venue::Broker,
};
use jiff::civil::date;
use sqlx::PgConnection;

use crate::pit::{Pit, Setup, amount, price, shares, usd};

/// A pit at the end of a day.
struct Night {
    pit: Pit,
}

/// Blocks until what was mined is final.
const FINAL: u64 = 70;

impl Night {
    /// A desk that has traded nothing; its account is stated.
    async fn opened() -> Self {
        let night = Self::begun().await;
        night.open().await;
        night
    }

    /// A desk whose account nobody has stated.
    async fn begun() -> Self {
        Self::in_pit(Pit::with(Setup::default()).await).await
    }

    async fn in_pit(pit: Pit) -> Self {
        pit.chain.stock(100_000);
        let night = Self { pit };
        night.finalize().await;
        night
    }

    /// A desk that sold ten and is hedged, all of it final.
    async fn traded() -> Self {
        let night = Self::opened().await;
        night.pit.sold("AAPL", "10").await;
        night.pit.flat().await;
        night.finalize().await;
        night
    }

    async fn finalize(&self) {
        self.pit.chain.mine_invented(FINAL);
        self.pit.index().await;
    }

    async fn reconciler(&self) -> Reconciler {
        let seats = self.pit.trading.seats.iter();
        let target = Target { ratio: amount("0.5"), deviation: amount("0.5") };
        Reconciler {
            environment: "test".to_owned(),
            pool: self.pit.pool().clone(),
            clock: self.pit.clock.clone(),
            readings: vec![self.pit.stage.reading().await],
            venues: seats.map(|(id, seat)| (*id, Arc::clone(&seat.venue))).collect(),
            thresholds: BTreeMap::new(),
            inventory: InventorySettings { equity: target, cash: target },
            settings: ReconcileSettings { confirm_after_ms: 60_000, critical_usd: usd("1000") },
            voice: Voice::default(),
        }
    }

    async fn open(&self) {
        let at = self.pit.clock.now();
        let act = Act { author: "tester", reason: "the first night", at };
        acts::open(&self.reconciler().await, act).await.unwrap();
        self.pit.clock.sleep(Duration::from_secs(1)).await;
        self.pit.account.set_time(self.pit.clock.now());
    }

    async fn run(&self) -> Outcome {
        let at = self.pit.clock.now();
        let run = Run { id: None, job: "reconcile".to_owned(), date: date(2026, 11, 20), at };
        self.reconciler().await.run(&run).await.unwrap()
    }

    /// What a run finds: its verdict, and every break with its state.
    async fn found(&self) -> (Verdict, String) {
        let verdict = self.run().await.verdict;
        (verdict, self.breaks().await)
    }

    async fn breaks(&self) -> String {
        self.pit
            .text(
                "select state || ' ' || class || case when stuck then ' stuck' else '' end || ' ' || leg || ' ' || instrument
                    || ' ' || trim_scale(quantity) || coalesce(' ' || trim_scale(cash), '')
                 from recon_break where state <> 'RESOLVED' order by leg, instrument, class",
            )
            .await
    }

    async fn events(&self) -> i64 {
        self.pit.number("select count(*) from recon_break_event").await
    }

    /// Somebody takes orders of ours in pairs that are no trades of the desk.
    async fn swapped(&self) {
        let mix = Mix { other_pairs: 1000, ..Mix::takes_only() };
        self.pit.chain.keep_inventing(3, Rate::once_in(7), mix);
        self.finalize().await;
        self.pit.chain.keep_inventing(3, Rate { times: 0, blocks: 1 }, mix);
        self.finalize().await;
    }

    /// Something is done to the books behind everybody's back.
    async fn tamper(&self, sql: &str) {
        let sql = format!("begin; set local session_replication_role = replica; {sql}; commit");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(self.pit.pool()).await.unwrap();
    }

    /// Who reads raw answers again: doors of their own, by the clock of a run.
    async fn readers(&self, run: i64, conn: &mut PgConnection) -> Readers {
        let started = runs::started_at(conn, run).await.unwrap().unwrap();
        let venue = self.pit.venue_at(&Clock::told(started));
        let venues = [(venue.name().to_owned(), Some(venue))].into();
        Readers { readings: vec![self.pit.stage.reading().await], venues }
    }

    async fn replay(&self, run: i64) -> Replay {
        let mut conn = self.pit.pool().acquire().await.unwrap();
        let readers = self.readers(run, &mut conn).await;
        let asked = (self.pit.node.tally(), self.pit.broker.asked());
        let replay = replay(&mut conn, run, Some(&readers)).await.unwrap();
        assert_eq!((self.pit.node.tally(), self.pit.broker.asked()), asked, "nobody is asked");
        replay
    }

    /// Every run comes to the same again, from its raw answers.
    async fn replays(&self) {
        let mut conn = self.pit.pool().acquire().await.unwrap();
        let ids: Vec<i64> =
            sqlx::query_scalar("select id from recon_run order by id").fetch_all(&mut *conn).await.unwrap();
        drop(conn);
        for id in ids {
            let replay = self.replay(id).await;
            assert!(replay.is_same() && replay.missing.is_empty(), "run {id}: {replay:#?}");
            assert!(replay.answers > 5 && !replay.passes.is_empty(), "{replay:?}");
        }
    }

    /// Something is done to the last run's answers, and to the digests that vouch for them.
    async fn retold(&self, set: &str, like: &str) -> Replay {
        self.tamper(&format!(
            "alter table recon_answer drop constraint if exists an_answer_is_as_it_came;
             update recon_answer set {set} where request like '{like}' and run_id = (select max(id) from recon_run);
             update recon_answer set sha256 = sha256(convert_to(said, 'UTF8'))"
        ))
        .await;
        let run = self.pit.number("select max(id) from recon_run").await;
        self.replay(run).await
    }

    /// Shares are at the broker that nothing it tells of explains.
    fn appear(&self, quantity: &str) {
        let account = &self.pit.account;
        let id = account.happen(ActivityKind::Shares, Some("AAPL"), shares(quantity), usd("0"), "not told");
        account.hide(&id, true);
    }

    /// A person names one end of a transfer.
    async fn names(&self, named: &Named) -> Result<Moved, acts::ActError> {
        let (mut tx, act) = self.act().await;
        let moved = transfer(&mut tx, named, act).await?;
        tx.commit().await.unwrap();
        Ok(moved)
    }

    async fn act(&self) -> (sqlx::Transaction<'static, sqlx::Postgres>, Act<'static>) {
        let tx = self.pit.pool().begin().await.unwrap();
        (tx, Act { author: "tester", reason: "a test", at: self.pit.clock.now() })
    }
}

const DONE: (Verdict, String) = (Verdict::Done, String::new());

#[tokio::test]
async fn what_a_broker_holds_is_unexplained_until_somebody_states_it() {
    let night = Night::begun().await;
    assert_eq!(
        night.found().await,
        (Verdict::Found, "OPEN UNEXPLAINED cash USD 1000000".to_owned()),
        "vaults need no statement: their history is whole"
    );
    night.open().await;
    assert_eq!(night.found().await, DONE);
    night.replays().await;
}

#[tokio::test]
async fn a_hedged_day_is_balanced_in_every_leg() {
    let night = Night::traded().await;
    assert_eq!(night.found().await, DONE);
    let legs = night
        .pit
        .text(
            "select leg || ' ' || instrument || ' ' || trim_scale(expected) || ' ' || trim_scale(residual)
             from recon_leg where expected not in (0, 100000) order by leg, instrument",
        )
        .await;
    // Ten sold of a vault at 187.25, ten bought at the broker's offer.
    assert!(legs.contains("broker AAPL 10 0"), "{legs}");
    assert!(legs.contains("vault AAPL 99990 0") && legs.contains("vault USDC 101872.5 0"), "{legs}");
    night.pit.laws().await;
}

#[tokio::test]
async fn a_run_is_read_again_from_its_raw_answers_and_what_was_changed_in_one_is_found() {
    for broker in [Broker::Alpaca, Broker::Schwab] {
        let setup = Setup { broker, ..Setup::default() };
        let night = Night::in_pit(Pit::with(setup).await).await;
        night.open().await;
        night.pit.sold("AAPL", "10").await;
        night.pit.flat().await;
        night.pit.account.fee(ActivityKind::Regulatory, usd("0.02"), "TAF");
        night.finalize().await;
        night.run().await;
        night.replays().await;
        // Then what a broker held, …
        let (held, other) = match broker {
            Broker::Schwab => ("\"longQuantity\":10", "\"longQuantity\":11"),
            Broker::Alpaca | Broker::Paper => ("\"qty\":\"10", "\"qty\":\"11"),
        };
        let changed = night.retold(&format!("said = replace(said, '{held}', '{other}')"), "GET %").await;
        assert!(!changed.is_same(), "{changed:#?}");
        assert!(
            changed.differs.iter().any(|what| what.contains("AAPL: 10 was judged, the answer says 11")),
            "{changed:#?}"
        );
        let changed = night.retold(&format!("said = replace(said, '{other}', '{held}')"), "GET %").await;
        assert!(changed.is_same(), "{changed:#?}");
        // … what a vault held, …
        night.tamper("create table kept as select * from recon_answer").await;
        // 9999e1, and 9998e1
        let changed = night.retold("said = replace(said, '270f\"', '270e\"')", "%41d1514f%").await;
        let vault = |what: &String| what.contains("AAPL: 99990 was judged, the answer says 99980");
        assert!(!changed.is_same() && changed.differs.iter().any(vault), "{changed:#?}");
        night
            .tamper("update recon_answer a set said = k.said, sha256 = k.sha256 from kept k where k.run_id = a.run_id and k.place = a.place")
            .await;
        night.replays().await;
        // … and that an answer is not there, are all found
        night
            .tamper("delete from recon_answer where place = (select min(place) from recon_answer where request like 'GET %') ")
            .await;
        let last = night.pit.number("select max(id) from recon_run").await;
        let replay = night.replay(last).await;
        assert!(replay.is_same(), "what was kept stands: {replay:#?}");
        assert!(replay.missing.iter().any(|what| what.contains("not on the tape")), "{replay:#?}");
    }
}

#[tokio::test]
async fn cash_that_has_not_settled_and_cash_that_an_open_order_holds_are_no_break() {
    // Given a cash account at a broker that says what of it has not settled
    let night = Night::in_pit(Pit::with(Setup { broker: Broker::Schwab, ..Setup::default() }).await).await;
    night.pit.account.allow_shorts(false);
    night.open().await;
    night.pit.sold("AAPL", "10").await;
    night.pit.flat().await;
    // When some of it is sold again the same day, and an order to buy is left open
    night.pit.bought("AAPL", "4").await;
    night.pit.flat().await;
    night.pit.account.strike(Strike::Hold.always().on(Ask::Submit));
    night.pit.sold("AAPL", "5").await;
    night.pit.settle().await;
    night.finalize().await;
    // Then the books agree with all of it, and it is said how much has not settled
    assert_eq!(night.found().await, DONE);
    let unsettled = "select count(*) from reporting.recon_leg where leg = 'cash' and residual = 0 and unsettled_usd_exact > 700";
    assert_eq!(night.pit.number(unsettled).await, 1);
    night.replays().await;
}

#[tokio::test]
async fn wallets_of_ours_are_read_at_the_same_block_and_reconciled_beside_the_vaults() {
    // Given a wallet with shares and dollars in it, which is the owner's
    let mut pit = Pit::with(Setup::default()).await;
    let (cast, stranger) = (pit.chain.cast(), Address::repeat_byte(7));
    let share = cast.equities().next().unwrap().address;
    pit.stage.source.wallets = vec![cast.owner, stranger];
    pit.chain.move_silently(Hold::wallet(cast.owner, share), 0, amount("250"));
    pit.chain.move_silently(Hold::wallet(cast.owner, cast.usdc), 0, amount("5000.25"));
    let night = Night::in_pit(pit).await;
    // What the vaults were stocked with came from it, too
    let found = night.found().await;
    assert!(
        found.1.contains("OPEN UNEXPLAINED wallet AAPL 100250") && found.1.contains("wallet USDC 105000.25"),
        "{found:?}"
    );
    // When it is stated, then it is balanced, and counts as what is on chain
    night.open().await;
    assert_eq!(night.found().await, DONE);
    let place = "select string_agg(distinct block_number::text, ' ') from recon_cut where block_number is not null and run_id = 2";
    assert!(!night.pit.text(place).await.contains(' '));
    let there = "select trim_scale(onchain)::text from reporting.inventory where instrument = 'AAPL'";
    assert_eq!(night.pit.text(there).await, "100250");
    // And stated twice it is still there once
    night.open().await;
    assert_eq!(night.found().await, DONE);
    // When something leaves it that nobody tells of, it is found
    let head = night.pit.chain.head().number;
    night.pit.chain.move_silently(Hold::wallet(cast.owner, share), head, amount("-1.5"));
    night.finalize().await;
    assert_eq!(night.found().await, (Verdict::Found, "REOPENED UNEXPLAINED wallet AAPL -1.5".to_owned()));
    night.replays().await;
}

#[tokio::test]
async fn what_is_paid_into_a_vault_has_left_the_wallet_of_its_owner() {
    let mut pit = Pit::with(Setup::default()).await;
    let cast = pit.chain.cast();
    pit.stage.source.wallets = vec![cast.owner];
    for token in &cast.tokens {
        pit.chain.move_silently(Hold::wallet(cast.owner, token.address), 0, amount("1000000"));
    }
    let night = Night::in_pit(pit).await;
    night.open().await;
    let opened = i64::try_from(night.pit.chain.head().number).unwrap();
    // When vaults are filled and emptied, which the wallets of this chain do not follow by themselves
    let mix = Mix { vault_moves: 1000, ..Mix::takes_only() };
    night.pit.chain.keep_inventing(5, Rate::once_in(9), mix);
    night.finalize().await;
    night.pit.chain.keep_inventing(5, Rate { times: 0, blocks: 1 }, mix);
    night.finalize().await;
    let head = night.pit.chain.head().number;
    let moved: Vec<(Vec<u8>, String)> = sqlx::query_as(
        "select token, sum(-trunc(amount_exact, case when token = $1 then 6 else 18 end))::text from vault_move m
         join chain_log l using (chain_id, block_hash, log_index) where l.block_number > $2 and l.taken_by is null group by token",
    )
    .bind(cast.usdc.as_slice())
    .bind(opened)
    .fetch_all(night.pit.pool())
    .await
    .unwrap();
    assert!(moved.len() > 1, "{moved:?}");
    for (token, came) in moved {
        let wallet = Hold::wallet(cast.owner, Address::from_slice(&token));
        night.pit.chain.move_silently(wallet, head, amount(&came));
    }
    night.finalize().await;
    // Then the books have both ends of each
    night.pit.flat().await;
    night.finalize().await;
    assert_eq!(night.found().await, DONE);
}

#[tokio::test]
async fn a_transfer_that_a_broker_speaks_of_without_an_id_is_a_candidate_and_no_explanation() {
    let night = Night::traded().await;
    night.pit.account.pend(usd("500"));
    let id = night.pit.account.happen(ActivityKind::Cash, None, Shares::ZERO, usd("-500"), "unknown");
    night.pit.account.hide(&id, true);
    assert_eq!(night.found().await, (Verdict::Found, "OPEN UNEXPLAINED cash USD -500".to_owned()));
    let candidates = night.pit.text("select candidates from reporting.recon_leg where leg = 'cash'").await;
    assert_eq!(candidates, "alpaca speaks of transfers of 500 that it has not booked");
    night.replays().await;
}

#[tokio::test]
async fn a_second_run_over_the_same_adds_no_event() {
    let night = Night::traded().await;
    night.appear("0.25");
    assert_eq!(night.found().await, (Verdict::Found, "OPEN UNEXPLAINED broker AAPL 0.25".to_owned()));
    let events = night.events().await;
    assert_eq!(night.found().await.0, Verdict::Found);
    assert_eq!(night.events().await, events);
    assert_eq!(night.pit.number("select count(*) from recon_run where supersedes is not null").await, 1);
    night.replays().await;
}

#[tokio::test]
async fn example_2_an_order_that_filled_meanwhile_is_in_flight() {
    let night = Night::opened().await;
    night.pit.account.strike(Strike::Hold.always().on(Ask::Submit));
    night.pit.sold("AAPL", "10").await;
    night.pit.settle().await;
    night.finalize().await;
    let order = night.pit.account.orders().pop().unwrap();
    assert!(night.pit.account.execute(&order.id, shares("4"), price("187.25")));
    let (verdict, breaks) = night.found().await;
    assert_eq!((verdict, breaks.as_str()), (Verdict::Done, "EXPLAINED IN_FLIGHT_ORDER broker AAPL 4 -749"));
}

#[tokio::test]
async fn example_4_a_log_that_a_node_never_gave_is_taken_up_and_stays_on_record() {
    let night = Night::traded().await;
    // Given a fill that was never indexed
    night.tamper("delete from fill; delete from cover; delete from chain_log where log_index in (select log_index from chain_log order by block_number desc limit 1) and block_number = (select max(block_number) from chain_log)").await;
    assert_eq!(night.pit.number("select count(*) from fill").await, 0);
    // When the night reconciles
    let found = night.found().await;
    // Then it is in the books, and both legs were explained by its log
    assert_eq!(found, DONE);
    assert_eq!(night.pit.number("select count(*) from fill").await, 1);
    let story = night
        .pit
        .text(
            "select pass || ' ' || leg || ' ' || instrument || ' ' || class || ' ' || trim_scale(amount)
             from recon_explanation order by pass, place",
        )
        .await;
    assert_eq!(story, "1 vault AAPL MISSING_ONCHAIN_FILL -10\n1 vault USDC MISSING_ONCHAIN_FILL 1872.5");
    let events = night.pit.text("select event from recon_break_event order by id").await;
    assert_eq!(events, "opened\nexplained\nresolved");
    night.replays().await;
}

#[tokio::test]
async fn a_trade_of_one_equity_against_another_moves_vaults_and_leaves_no_break() {
    let night = Night::traded().await;
    night.swapped().await;
    assert_eq!(night.found().await, DONE);
    // Each moved two vaults
    let pairs = night.pit.number("select count(*) from skipped_log where reason = 'pair'").await;
    let moves = "select count(*) from reporting.skipped_move where reason = 'pair' and token_quantity <> 0";
    assert!(pairs > 5, "{pairs}");
    assert_eq!(night.pit.number(moves).await, 2 * pairs);
    let expected = "select count(*) from recon_leg where leg = 'vault' and residual = 0 and expected not in (0, 99990, 100000, 101872.5)";
    assert!(night.pit.number(expected).await > 0, "what they moved is expected to the last digit");
    // A second night reads none of them again
    assert_eq!(night.found().await, DONE);
    assert_eq!(night.pit.number(moves).await, 2 * pairs);
    night.replays().await;
}

#[tokio::test]
async fn a_trade_that_is_no_fill_and_was_never_indexed_is_taken_up_with_both_its_tokens() {
    let night = Night::traded().await;
    night.swapped().await;
    // Given one of them that the books have never seen
    night
        .tamper(
            "delete from chain_log where (block_hash, log_index) = (select block_hash, log_index from skipped_log order by id desc limit 1);
             delete from skipped_log where id = (select max(id) from skipped_log)",
        )
        .await;
    let skipped = night.pit.number("select count(*) from skipped_log").await;
    assert_eq!(night.found().await, DONE);
    // Then its log explained both, and is in the books by the indexer's own way
    assert_eq!(night.pit.number("select count(*) from skipped_log").await, skipped + 1);
    let story = night
        .pit
        .text("select pass || ' ' || class || ' ' || count(distinct instrument) || ' ' || count(distinct refs) from recon_explanation group by pass, class")
        .await;
    assert_eq!(story, "1 MISSING_ONCHAIN_FILL 2 1");
    night.replays().await;
}

#[tokio::test]
async fn example_5_a_trade_that_is_booked_twice_is_found_and_corrected() {
    let night = Night::traded().await;
    night
        .tamper(
            "insert into execution (venue_id, execution_id, order_id, broker_order_id, symbol, nature, quantity, price, cash, executed_at)
             select venue_id, execution_id || 'b', order_id, broker_order_id, symbol, nature, quantity, price, cash, executed_at from execution",
        )
        .await;
    let (_, breaks) = night.found().await;
    assert!(breaks.contains("EXPLAINED DUPLICATE_IN_LEDGER broker AAPL -10"), "{breaks}");
    // When a person corrects it
    let (mut tx, act) = night.act().await;
    let corrected = acts::correct(&mut tx, 1, None, None, act).await.unwrap();
    tx.commit().await.unwrap();
    // Then the account is right, and so is what is hedged
    assert!(corrected.exposed);
    assert_eq!(night.pit.exposure("AAPL").await, "0");
    assert_eq!(night.found().await, DONE);
}

#[tokio::test]
async fn example_6_and_7_one_trade_with_another_quantity_or_price_in_the_books_is_found_by_its_id() {
    let night = Night::traded().await;
    night.tamper("update execution set quantity = quantity + 0.1").await;
    assert_eq!(night.found().await, (Verdict::Done, "EXPLAINED QUANTITY broker AAPL -0.1".to_owned()));
    night.tamper("update execution set quantity = quantity - 0.1, cash = cash + 0.30").await;
    let (verdict, breaks) = night.found().await;
    assert_eq!((verdict, breaks.as_str()), (Verdict::Done, "EXPLAINED PRICE_OR_CASH cash USD -0.3"));
}

#[tokio::test]
async fn example_9_a_wrapper_that_is_worth_more_at_the_next_cut_is_income_and_no_break() {
    let night = Night::traded().await;
    assert_eq!(night.found().await, DONE);
    let token = night.pit.chain.cast().equities().find(|token| token.wraps.is_some()).unwrap().address;
    let ratio = ONE_E18 / U256::from(100) * U256::from(101);
    night.pit.chain.set_ratio(token, night.pit.chain.head().number - 2, ratio);
    night.finalize().await;
    assert_eq!(night.found().await, DONE);
    let accrued = night.pit.text("select class || ' ' || leg from recon_explanation").await;
    assert_eq!(accrued, "NAV_ACCRUAL wrapper");
    assert_eq!(night.pit.number("select count(*) from recon_break").await, 0);
    // And the night books it, once, at what a share is worth on that day
    let mark = "insert into mark (symbol, price, as_of, source)
                select instrument, 200, (select max(as_of) from recon_cut), 'close' from recon_explanation";
    sqlx::query(mark).execute(night.pit.pool()).await.unwrap();
    for booked in [1, 0] {
        assert_eq!(accruals::run(night.pit.pool()).await.unwrap(), Accrued { booked, unmarked: 0 });
    }
    let worth = "select c.amount_usd_exact = e.amount * 200 and e.amount > 0
                 from reporting.cost c, recon_explanation e where c.kind = 'nav accrual' and c.symbol = e.instrument";
    assert!(sqlx::query_scalar::<_, bool>(worth).fetch_one(night.pit.pool()).await.unwrap());
}

#[tokio::test]
async fn example_10_a_transfer_is_under_way_until_its_deadline_and_then_it_is_stuck() {
    let mut pit = Pit::with(Setup::default()).await;
    let (cast, share) = (pit.chain.cast(), pit.chain.cast().equities().next().unwrap().address);
    pit.stage.source.wallets = vec![cast.owner];
    let night = Night::in_pit(pit).await;
    night.open().await;
    night.pit.sold("AAPL", "10").await;
    night.pit.flat().await;
    night.finalize().await;
    // Given two shares that left the broker for the chain and are not there yet
    night.pit.account.happen(ActivityKind::Shares, Some("AAPL"), shares("-2"), usd("0"), "mint-3");
    let explained = "EXPLAINED EXTERNAL_ACTIVITY broker AAPL -2";
    assert_eq!(night.found().await, (Verdict::Done, explained.to_owned()));
    // When a person says that they are a transfer
    let hour = jiff::SignedDuration::from_hours(1);
    let named = |end, lost| Named { end, transfer: "mint-3".to_owned(), within: hour, lost };
    let moved = night.names(&named(End::Break(1), false)).await.unwrap();
    assert_eq!((moved.quantity, moved.under_way), (amount("-2"), amount("2")));
    // Then they are under way
    assert_eq!(
        night.found().await,
        (Verdict::Done, "EXPLAINED TRANSFER_IN_FLIGHT transit AAPL 2".to_owned())
    );
    // And once their time is over, stuck
    night.pit.clock.sleep(Duration::from_hours(2)).await;
    assert_eq!(
        night.found().await,
        (Verdict::Found, "OPEN TRANSFER_IN_FLIGHT stuck transit AAPL 2".to_owned())
    );
    let shown = night.pit.text("select class from reporting.recon_break where state <> 'RESOLVED'").await;
    assert_eq!(shown, "TRANSFER_STUCK");
    // When a little less has come, and is named
    night.pit.chain.move_silently(Hold::wallet(cast.owner, share), 0, amount("1.9"));
    let (_, breaks) = night.found().await;
    assert!(breaks.contains("OPEN UNEXPLAINED wallet AAPL 1.9"), "{breaks}");
    let came = night.pit.number("select id from recon_break where class = 'UNEXPLAINED'").await;
    let stuck = night.pit.number("select id from recon_break where class = 'TRANSFER_IN_FLIGHT'").await;
    for (wrong, why) in [
        (named(End::Break(stuck), false), "is none"),
        (Named { transfer: "mint-4".to_owned(), ..named(End::Break(came), true) }, "nothing has left yet"),
        (named(End::Log { id: "1:0x:2".to_owned(), instrument: None }, false), "no deposit"),
        (named(End::Break(99), false), "there is no break 99"),
    ] {
        let refused = night.names(&wrong).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
    let moved = night.names(&named(End::Break(came), true)).await.unwrap();
    assert_eq!((moved.under_way, moved.lost), (amount("0"), amount("0.1")));
    // Then it is over, nothing of it is hedged, and a third end is refused
    assert_eq!(night.found().await, DONE);
    assert_eq!(night.pit.exposure("AAPL").await, "0");
    night.pit.chain.move_silently(Hold::wallet(cast.owner, share), 0, amount("0.1"));
    night.found().await;
    let late = night.pit.number("select max(id) from recon_break").await;
    let refused = night.names(&named(End::Break(late), false)).await.unwrap_err().to_string();
    assert!(refused.contains("all of mint-3 has come"), "{refused}");
}

#[tokio::test]
async fn a_transfer_may_begin_with_the_log_that_emptied_a_vault() {
    let night = Night::traded().await;
    // Given dollars that came into a vault by a deposit, and at the broker went out before
    let log = night
        .pit
        .text(
            "select l.chain_id || ':0x' || encode(l.tx_hash, 'hex') || ':' || l.log_index from vault_move m
             join chain_log l using (chain_id, block_hash, log_index) where kind = 'deposit' and encode(token, 'hex') ilike '833589fcd6edb6e08f4c7c32d4f71b54bda02913'
             order by l.log_index limit 1",
        )
        .await;
    let within = jiff::SignedDuration::from_hours(1);
    let log = |instrument: Option<&str>| Named {
        end: End::Log { id: log.clone(), instrument: instrument.map(str::to_owned) },
        transfer: "wire-9".to_owned(),
        within,
        lost: false,
    };
    assert!(night.names(&log(None)).await.unwrap_err().to_string().contains("--instrument"));
    assert_eq!(night.names(&log(Some("USDC"))).await.unwrap().under_way, amount("-100000"));
    assert!(night.names(&log(None)).await.unwrap_err().to_string().contains("an end already"));
    // The deposit is in the books by its own log: what is missing is where it came from
    assert_eq!(
        night.found().await,
        (Verdict::Done, "EXPLAINED TRANSFER_IN_FLIGHT transit USDC -100000".to_owned())
    );
    night.pit.account.happen(ActivityKind::Cash, None, Shares::ZERO, usd("-100000"), "to the chain");
    night.found().await;
    let left = night.pit.number("select id from recon_break where class = 'EXTERNAL_ACTIVITY'").await;
    assert_eq!(
        night.names(&Named { end: End::Break(left), ..log(None) }).await.unwrap().under_way,
        amount("0")
    );
    assert_eq!(night.found().await, DONE);
}

#[tokio::test]
async fn a_fill_that_the_chain_took_back_below_finality_is_taken_back_and_stays_on_record() {
    let night = Night::traded().await;
    // Given a chain that has another past, and books that have not heard of it
    night.pit.chain.reorg(FINAL + 5);
    let (verdict, _) = night.found().await;
    // Then what the books had is of no block any more, and what was mined again is there
    assert_eq!(verdict, Verdict::Done);
    let classes =
        night.pit.text("select distinct class from recon_explanation where leg = 'vault' order by 1").await;
    assert_eq!(classes, "REORGED_FILL");
    assert!(night.pit.number("select count(*) from chain_log where taken_by is not null").await > 0);
    night.replays().await;
}

#[tokio::test]
async fn example_8_and_11_a_split_and_a_fee_are_explained_by_their_activities() {
    let night = Night::traded().await;
    night.pit.account.split("AAPL", amount("4"), amount("1"));
    night.pit.account.fee(ActivityKind::Regulatory, usd("0.02"), "TAF");
    let (verdict, breaks) = night.found().await;
    assert_eq!(verdict, Verdict::Done);
    assert_eq!(breaks, "EXPLAINED CORPORATE_ACTION broker AAPL 30\nEXPLAINED FEE_TIMING cash USD -0.02");
}

#[tokio::test]
async fn example_12_a_strangers_trade_is_external_and_changes_no_exposure_when_it_is_booked() {
    let night = Night::traded().await;
    night.pit.account.person_trades("AAPL", Side::Sell, shares("0.6"));
    let (verdict, breaks) = night.found().await;
    assert_eq!(verdict, Verdict::Done, "it is explained, and has a day");
    assert!(breaks.starts_with("EXPLAINED EXTERNAL_ACTIVITY broker AAPL -0.6 "), "{breaks}");
    let before = night.pit.exposure("AAPL").await;
    let (mut tx, act) = night.act().await;
    let corrected = acts::correct(&mut tx, 1, None, None, act).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!corrected.exposed);
    assert_eq!(night.pit.exposure("AAPL").await, before);
    assert_eq!(night.found().await, DONE);
    assert_eq!(night.pit.number("select count(*) from account_entry where kind = 'external'").await, 2);
}

#[tokio::test]
async fn example_13_what_nothing_explains_is_open_until_it_is_written_off() {
    let night = Night::traded().await;
    night.appear("0.25");
    let hold =
        night.pit.chain.vaults().into_iter().find(|hold| hold.token == night.pit.chain.cast().usdc).unwrap();
    night.pit.chain.move_silently(Hold { ..hold }, 0, amount("-3.5"));
    let (verdict, breaks) = night.found().await;
    assert_eq!(verdict, Verdict::Found);
    assert_eq!(breaks, "OPEN UNEXPLAINED broker AAPL 0.25\nOPEN UNEXPLAINED vault USDC -3.5");
    let (mut tx, act) = night.act().await;
    for id in [1, 2] {
        acts::write_off(&mut tx, id, act).await.unwrap();
    }
    tx.commit().await.unwrap();
    let (verdict, _) = night.found().await;
    assert_eq!(verdict, Verdict::Done);
    assert_eq!(night.pit.text("select distinct state from recon_break").await, "WRITTEN_OFF");
}

#[tokio::test]
async fn example_14_a_broker_that_does_not_answer_is_not_judged_and_nothing_of_it_changes() {
    let night = Night::traded().await;
    night.appear("0.25");
    assert_eq!(night.found().await.0, Verdict::Found);
    let (breaks, events) = (night.breaks().await, night.events().await);
    // When its positions cannot be had
    night.pit.account.strike(Strike::Fail(502).always().on(Ask::Positions));
    let outcome = night.run().await;
    // Then the run is incomplete, and the break stays as it is
    assert_eq!(outcome.verdict, Verdict::Incomplete);
    assert!(outcome.said.contains("alpaca is not judged"), "{}", outcome.said);
    assert_eq!((night.breaks().await, night.events().await), (breaks, events));
    assert_eq!(night.pit.text("select status from recon_run order by id desc limit 1").await, "INCOMPLETE");
    night.replays().await;
}

#[tokio::test]
async fn example_15_a_ledger_that_contradicts_itself_is_not_judged_at_all() {
    let night = Night::traded().await;
    night.tamper("update fill set vault_out = null").await;
    let outcome = night.run().await;
    assert_eq!(outcome.verdict, Verdict::Inconsistent);
    assert!(outcome.said.contains("AAPL") && outcome.said.contains("off by 10"), "{}", outcome.said);
    assert_eq!(night.pit.number("select count(*) from recon_leg").await, 0);
    assert_eq!(night.breaks().await, "");
}

#[tokio::test]
async fn a_vault_of_ours_that_nobody_listed_is_a_finding_until_somebody_lists_it() {
    let mut pit = Pit::with(Setup::default()).await;
    let vaults = pit.chain.vaults().into_iter();
    let vaults = vaults.map(|hold| VaultKey { owner: hold.owner, token: hold.token, vault_id: hold.vault });
    let mut listed: Vec<VaultKey> = vaults.collect();
    let left_out = listed.remove(0);
    pit.stage.source.vaults = listed;
    let mut night = Night::in_pit(pit).await;
    night.open().await;
    let outcome = night.run().await;
    assert_eq!(outcome.verdict, Verdict::Found);
    assert!(outcome.said.ends_with("; 1 vault of ours is not in the configuration"), "{}", outcome.said);
    // It is reconciled all the same, and somebody is told
    assert_eq!(night.breaks().await, "");
    let told = night.pit.text("select about from reporting.alert where class = 'UNKNOWN_VAULT'").await;
    assert!(told.contains("that nobody listed"), "{told}");
    night.replays().await;
    night.pit.stage.source.vaults.push(left_out);
    assert_eq!(night.found().await, DONE);
}

#[tokio::test]
async fn nothing_is_judged_while_the_two_ways_of_counting_pnl_differ() {
    let night = Night::traded().await;
    let counted = async |state: &str| {
        sqlx::query("insert into pnl_run (kind, state, known_at, shares, trades, added, restated, withdrawn, said) values ('change', $1, now(), 1, 2, 0, 0, 0, 'AAPL: 3.45 and 3.44')")
            .bind(state)
            .execute(night.pit.pool())
            .await
            .unwrap();
    };
    counted("inconsistent").await;
    let outcome = night.run().await;
    assert_eq!(outcome.verdict, Verdict::Inconsistent);
    assert!(
        outcome.said.contains("counted two ways, and they differ: AAPL: 3.45 and 3.44"),
        "{}",
        outcome.said
    );
    assert_eq!(night.pit.number("select count(*) from recon_leg").await, 0);
    counted("published").await;
    assert_eq!(night.found().await, DONE);
    night.replays().await;
}

#[tokio::test]
async fn a_run_that_dies_at_any_write_leaves_nothing_and_comes_to_the_same_the_next_time() {
    let night = Night::traded().await;
    night.appear("0.25");
    night.tamper("delete from fill; delete from cover; delete from chain_log where log_index in (select log_index from chain_log order by block_number desc limit 1) and block_number = (select max(block_number) from chain_log)").await;
    for table in [
        "fill",
        "recon_run",
        "recon_pass",
        "recon_cut",
        "recon_leg",
        "recon_explanation",
        "recon_break",
        "recon_break_event",
    ] {
        let refuse = format!(
            "create function die() returns trigger language plpgsql as $$ begin raise exception 'killed'; end $$;
             create trigger die before insert on {table} for each statement execute function die()"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(refuse)).execute(night.pit.pool()).await.unwrap();
        let at = night.pit.clock.now();
        let run = Run { id: None, job: "reconcile".to_owned(), date: date(2026, 11, 20), at };
        night.reconciler().await.run(&run).await.unwrap_err();
        for table in ["fill", "recon_run", "recon_break"] {
            assert_eq!(night.pit.number(&format!("select count(*) from {table}")).await, 0, "{table}");
        }
        sqlx::raw_sql("drop function die() cascade").execute(night.pit.pool()).await.unwrap();
    }
    assert_eq!(night.found().await, (Verdict::Found, "OPEN UNEXPLAINED broker AAPL 0.25".to_owned()));
    assert_eq!(night.pit.number("select count(*) from fill").await, 1);
}

#[tokio::test]
async fn a_person_who_knows_of_a_break_is_on_record_and_it_lapses() {
    let night = Night::traded().await;
    night.pit.account.happen(ActivityKind::Other, None, Shares::ZERO, Usd(amount("7")), "a gift");
    night.appear("0.25");
    night.run().await;
    let id = night.pit.number("select id from recon_break where class = 'UNEXPLAINED'").await;
    let (mut tx, act) = night.act().await;
    let until = night.pit.clock.now().checked_add(jiff::SignedDuration::from_hours(1)).unwrap();
    acts::acknowledge(&mut tx, id, until, act).await.unwrap();
    tx.commit().await.unwrap();
    let state = async || night.pit.text("select state from recon_break where class = 'UNEXPLAINED'").await;
    assert_eq!(night.run().await.verdict, Verdict::Done);
    assert_eq!(state().await, "ACKNOWLEDGED");
    night.pit.clock.sleep(Duration::from_hours(2)).await;
    assert_eq!(night.run().await.verdict, Verdict::Found);
    assert_eq!(state().await, "OPEN");
    let missing = acts::write_off(&mut night.act().await.0, 99, act).await.unwrap_err();
    assert_eq!(missing.to_string(), "there is no break 99");
}
