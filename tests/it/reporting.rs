//! What reporting says of other times, and who may read what.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, postgres::PgConnectOptions};

use crate::{
    pit::{Pit, Setup},
    world::World,
};

/// Milliseconds after the first moment of these books.
type At = i64;

/// Signed thousandths of a share.
type Milli = i64;

/// Something that became known, as the books have it.
enum Known {
    Written(usize),
    Taken(usize),
    BackAgain(usize),
    Released { source: i64, to_block: i64 },
    Live { source: i64, from_block: i64 },
    Booked(usize),
    Stated { symbol: usize, quantity: Milli },
}

struct Log {
    source: i64,
    block: i64,
    time: At,
    symbol: usize,
    quantity: Milli,
}

struct Execution {
    order: Option<usize>,
    symbol: usize,
    quantity: Milli,
    time: At,
}

struct Order {
    symbol: usize,
    quantity: Milli,
    sent: At,
    closed: Option<At>,
}

/// Facts of two sources and a broker, in the order in which they became known.
#[derive(Default)]
struct History {
    known: Vec<(At, Known)>,
    logs: Vec<Log>,
    executions: Vec<Execution>,
    orders: Vec<Order>,
}

const SYMBOLS: [&str; 3] = ["AAPL", "SPYM", "TSLA"];
const END: At = 2_000_000;

impl History {
    fn invented(seed: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        let mut it = Self::default();
        for source in [1, 2] {
            it.source(&mut dice, source);
        }
        it.known.push((400_001, Known::Live { source: 1, from_block: 20 }));
        for _ in 0..10 {
            let (symbol, quantity) = (dice.random_range(0..3), dice.random_range(-9_000..9_000));
            it.known.push((dice.random_range(0..END), Known::Stated { symbol, quantity }));
        }
        for order in 0..60 {
            let sent = dice.random_range(0..END);
            let quantity = dice.random_range(1..9_000) * if dice.random() { 1 } else { -1 };
            let symbol = dice.random_range(0..3);
            let closed = dice.random_bool(0.9).then(|| sent + dice.random_range(1_000..90_000));
            it.orders.push(Order { symbol, quantity, sent, closed });
            for _ in 0..dice.random_range(0..3) {
                let time = sent + dice.random_range(1..60_000);
                it.executed(&mut dice, Some(order), symbol, quantity / 3, time);
            }
        }
        for _ in 0..10 {
            let (symbol, time) = (dice.random_range(0..3), dice.random_range(0..END));
            it.executed(&mut dice, None, symbol, 1_000, time);
        }
        it.known.sort_by_key(|(at, _)| *at);
        it
    }

    fn executed(
        &mut self,
        dice: &mut StdRng,
        order: Option<usize>,
        symbol: usize,
        quantity: Milli,
        time: At,
    ) {
        self.known.push((time + dice.random_range(1..200_000), Known::Booked(self.executions.len())));
        self.executions.push(Execution { order, symbol, quantity, time });
    }

    fn source(&mut self, dice: &mut StdRng, source: i64) {
        let mut now = source;
        let (mut head, mut released) = (0, 0);
        let mut canonical: Vec<usize> = Vec::new();
        while now < END {
            now += dice.random_range(2_000..12_000);
            head += 1;
            for _ in 0..dice.random_range(0..3) {
                canonical.push(self.logs.len());
                self.known.push((now + 500, Known::Written(self.logs.len())));
                let quantity = dice.random_range(-5_000..5_000);
                let symbol = dice.random_range(0..3);
                self.logs.push(Log { source, block: head, time: now, symbol, quantity });
            }
            if dice.random_bool(0.6) {
                released = released.max(head - dice.random_range(0..4));
                self.known.push((now + 700, Known::Released { source, to_block: released }));
            }
            if dice.random_bool(0.1) {
                let fork = head - dice.random_range(1..5);
                let (gone, stays) = canonical.iter().partition(|log| self.logs[**log].block > fork);
                canonical = stays;
                if released > fork {
                    released = fork;
                    self.known.push((now + 900, Known::Released { source, to_block: fork }));
                }
                let gone: Vec<usize> = gone;
                for log in gone {
                    self.known.push((now + 900, Known::Taken(log)));
                    if dice.random_bool(0.3) {
                        self.known.push((now + 1_100, Known::BackAgain(log)));
                        canonical.push(log);
                    }
                }
                head = fork + 4;
            }
        }
    }

    /// Position and exposure of each share at one instant, by what was known at another.
    fn replayed(&self, effective: At, known: At) -> BTreeMap<&'static str, (Milli, Milli)> {
        let mut canonical = BTreeSet::new();
        let (mut released, mut live) = (BTreeMap::new(), BTreeMap::new());
        let mut books: BTreeMap<&'static str, (Milli, Milli)> = BTreeMap::new();
        let mut filled: BTreeMap<usize, Milli> = BTreeMap::new();
        let mut add = |symbol: usize, position: Milli, flight: Milli| {
            let held = books.entry(SYMBOLS[symbol]).or_default();
            *held = (held.0 + position, held.1 + position + flight);
        };
        for (_, it) in self.known.iter().take_while(|(at, _)| *at <= known) {
            match it {
                Known::Written(log) | Known::BackAgain(log) => _ = canonical.insert(*log),
                Known::Taken(log) => _ = canonical.remove(log),
                Known::Released { source, to_block } => _ = released.insert(*source, *to_block),
                Known::Live { source, from_block } => _ = live.insert(*source, *from_block),
                Known::Booked(nth) => {
                    let execution = &self.executions[*nth];
                    if let (Some(order), true) = (execution.order, execution.time <= effective) {
                        add(execution.symbol, execution.quantity, 0);
                        *filled.entry(order).or_default() += execution.quantity;
                    }
                }
                Known::Stated { .. } => {}
            }
        }
        for (at, it) in &self.known {
            if let Known::Stated { symbol, quantity } = it
                && *at <= effective.min(known)
            {
                add(*symbol, *quantity, 0);
            }
        }
        for log in canonical.into_iter().map(|log| &self.logs[log]) {
            let from = if live.is_empty() { Some(&0) } else { live.get(&log.source) };
            let counts = released.get(&log.source).is_some_and(|to| log.block <= *to)
                && from.is_some_and(|from| log.block >= *from);
            if counts && log.time <= effective {
                add(log.symbol, log.quantity, 0);
            }
        }
        let then = effective.min(known);
        for (nth, order) in self.orders.iter().enumerate() {
            if order.sent <= then && order.closed.is_none_or(|closed| closed > then) {
                let left = order.quantity.abs() - filled.get(&nth).copied().unwrap_or_default().abs();
                add(order.symbol, 0, order.quantity.signum() * left.max(0));
            }
        }
        books
    }

    /// Written as if each fact had come at its time.
    fn sql(&self) -> String {
        let at = |ms: At| format!("timestamptz '2026-03-02Z' + {ms} * interval '1 ms'");
        let side = |quantity: Milli| if quantity > 0 { "BUY" } else { "SELL" };
        let place = |log: &usize| format!("1, sha256('{log}'), {log}");
        let mut lines = vec![
            "set session_replication_role = replica;
             insert into venue (name, broker, environment) values ('alpaca', 'alpaca', 'paper');
             insert into source (name, chain_id, kind, address, owners, from_block) values
                ('one', 1, 'raindex-v6', repeat('a', 20)::bytea, '{}', 0), ('two', 1, 'raindex-v6', repeat('b', 20)::bytea, '{}', 0)"
                .to_owned(),
        ];
        let mut taken = BTreeMap::new();
        for (when, it) in &self.known {
            let when = at(*when);
            lines.push(match it {
                Known::Written(nth) => {
                    let Log { source, block, time, symbol, quantity } = &self.logs[*nth];
                    let (key, time, symbol) = (place(nth), at(*time), SYMBOLS[*symbol]);
                    format!(
                        "insert into chain_log (chain_id, block_hash, log_index, source_id, block_number, block_time, tx_hash, tx_index, topics, data, written_at)
                         values ({key}, {source}, {block}, {time}, sha256('tx {nth}'), 0, '', '', {when});
                         insert into fill (chain_id, block_hash, log_index, role, owner, side, symbol, token, token_quantity,
                            token_quantity_exact, usdc, usdc_exact, wrapper_ratio, quantity, price)
                         values ({key}, 'order', repeat('o', 20)::bytea, '{}', '{symbol}', repeat('t', 20)::bytea, 1, 1, 1, 1, 1, {} / 1000.0, 1)",
                        side(*quantity),
                        quantity.abs(),
                    )
                }
                Known::Taken(log) => {
                    taken.insert(*log, true);
                    format!("insert into log_turn (chain_id, block_hash, log_index, taken_by, happened_at) values ({}, 1, {when})", place(log))
                }
                Known::BackAgain(log) => {
                    taken.insert(*log, false);
                    format!("insert into log_turn (chain_id, block_hash, log_index, taken_by, happened_at) values ({}, null, {when})", place(log))
                }
                Known::Released { source, to_block } => {
                    format!("insert into release_step (source_id, to_block, released_at) values ({source}, {to_block}, {when})")
                }
                Known::Live { source, from_block } => {
                    format!("insert into go_live (source_id, from_block, reason, author, happened_at) values ({source}, {from_block}, 'x', 'x', {when})")
                }
                Known::Booked(nth) => {
                    let Execution { order, symbol, quantity, time } = &self.executions[*nth];
                    let order = order.map_or("null".to_owned(), |nth| (nth + 1).to_string());
                    let (symbol, time) = (SYMBOLS[*symbol], at(*time));
                    format!(
                        "insert into execution (venue_id, execution_id, order_id, symbol, nature, quantity, price, cash, executed_at, booked_at)
                         values (1, '{nth}', {order}, '{symbol}', 'trade', {quantity} / 1000.0, 1, 0, {time}, {when})"
                    )
                }
                Known::Stated { symbol, quantity } => format!(
                    "insert into correction (symbol, quantity, reason, author, happened_at) values ('{}', {quantity} / 1000.0, 'x', 'x', {when})",
                    SYMBOLS[*symbol]
                ),
            });
        }
        for log in taken.iter().filter_map(|(log, taken)| taken.then_some(log)) {
            lines.push(format!(
                "update chain_log set taken_by = 1 where (chain_id, block_hash, log_index) = ({})",
                place(log)
            ));
        }
        for (nth, order) in self.orders.iter().enumerate() {
            let (symbol, sent) = (SYMBOLS[order.symbol], at(order.sent));
            let (state, closed, why) = match order.closed {
                Some(closed) => ("closed", at(closed), "'canceled'"),
                None => ("sent", "null".to_owned(), "null"),
            };
            lines.push(format!(
                "insert into hedge_order (venue_id, client_order_id, purpose, symbol, side, quantity, terms, reason, author, fence, state, why, planned_at, sent_at, closed_at)
                 values (1, '{nth}', 'manual', '{symbol}', '{}', {} / 1000.0, 'market', 'x', 'x', 1, '{state}', {why}, {sent}, {sent}, {closed})",
                side(order.quantity),
                order.quantity.abs(),
            ));
        }
        // And most of it is summed, as it is where a hedger runs
        lines.push(
            "insert into release (source_id, from_block, to_block, closed_to)
             select s.id, coalesce(g.from_block, 0), max(l.block_number),
                 greatest(coalesce(g.from_block, 0) - 1, max(l.block_number) * 4 / 5)
             from source s left join go_live g on g.source_id = s.id join chain_log l on l.source_id = s.id
             group by s.id, g.from_block;
             insert into fill_close (source_id, symbol, quantity)
             select r.source_id, f.symbol, sum(case f.side when 'BUY' then f.quantity else -f.quantity end)
             from release r
             join chain_log l on l.source_id = r.source_id and l.block_number between r.from_block and r.closed_to and l.taken_by is null
             join fill f using (chain_id, block_hash, log_index)
             group by r.source_id, f.symbol"
                .to_owned(),
        );
        lines.join(";\n")
    }
}

#[tokio::test]
async fn position_and_exposure_as_of_any_instant_are_what_a_replay_of_the_facts_says() {
    let history = History::invented(7);
    let world = World::new().await;
    world.pool().execute(AssertSqlSafe(history.sql())).await.unwrap();
    let mut dice = StdRng::seed_from_u64(8);
    let mut told_apart = 0;
    for nth in 0..200 {
        // Given an instant, and another by which it was known: now and then the same, or long after
        let known = dice.random_range(0..END + 200_000);
        let effective = match nth % 3 {
            0 => known,
            1 => END * 2,
            _ => dice.random_range(0..END),
        };
        // When the books are asked
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "select symbol, (position * 1000)::bigint, (exposure * 1000)::bigint
             from reporting.exposure_as_of(timestamptz '2026-03-02Z' + $1 * interval '1 ms', timestamptz '2026-03-02Z' + $2 * interval '1 ms')",
        )
        .bind(effective)
        .bind(known)
        .fetch_all(world.pool())
        .await
        .unwrap();
        // Then they say what replaying says
        let expected = history.replayed(effective, known);
        let rows: BTreeMap<&str, (i64, i64)> = rows
            .iter()
            .map(|(symbol, position, exposure)| (symbol.as_str(), (*position, *exposure)))
            .collect();
        for symbol in SYMBOLS {
            let (found, expected) = (rows.get(symbol), expected.get(symbol));
            assert_eq!(
                found.copied().unwrap_or_default(),
                expected.copied().unwrap_or_default(),
                "{symbol} at {effective} known at {known}"
            );
        }
        told_apart += u32::from(expected != history.replayed(effective, END * 2));
    }
    assert!(told_apart > 100, "what was known later makes a difference: {told_apart}");
}

/// What a run had counted: a trade's time, whether it was at a broker, and its number; its share and sum.
type Counted = BTreeMap<(At, bool, i64), (usize, Milli)>;

#[tokio::test]
async fn pnl_as_of_any_instant_is_what_had_been_counted_by_then() {
    // Given runs that each add trades, count some anew and take some back
    let mut dice = StdRng::seed_from_u64(21);
    let mut trades = Counted::new();
    let mut counted: Vec<(At, Counted)> = Vec::new();
    let mut lines = vec!["set session_replication_role = replica".to_owned()];
    let at = |ms: At| format!("timestamptz '2026-03-02Z' + {ms} * interval '1 ms'");
    let id = |key: &(At, bool, i64)| {
        if key.1 { key.2.to_string() } else { format!("8453:{}:{}:order", key.2 / 3, key.2 % 3) }
    };
    let mut number = 8;
    for run in 1..60_i64 {
        let known = run * 10_000;
        let ended = |key: &(At, bool, i64), why: &str| {
            format!(
                "update pnl_row set known_to = {}, ended_by = '{why}' where known_to is null and trade_id = '{}'",
                at(known),
                id(key)
            )
        };
        let counts = |key: (At, bool, i64), symbol: usize, sum: Milli| {
            let kind = if key.1 { "OFFCHAIN" } else { "ONCHAIN" };
            let order = if key.1 { (key.2 / 2).to_string() } else { "null".to_owned() };
            format!(
                "insert into pnl_row (symbol, executed_at, trade_type, trade_id, order_id, tie, side, quantity, price, cash,
                    cumulative_pnl, net_position_after, book_value_after, fee, cumulative_fees, run, known_from)
                 values ('{}', {}, '{kind}', '{}', {order}, {}, 'BUY', 1, 1, 1, {sum} / 1000.0, 0, 0, 0, 0, {run}, {})",
                SYMBOLS[symbol], at(key.0), id(&key), if key.1 { "0" } else { "null" }, at(known),
            )
        };
        let old: Vec<_> = trades.iter().map(|(key, it)| (*key, *it)).collect();
        for (key, (symbol, _)) in old {
            if dice.random_bool(0.9) {
                continue;
            }
            trades.remove(&key);
            if dice.random_bool(0.5) {
                lines.push(ended(&key, "withdrawn"));
            } else {
                let sum = dice.random_range(-9_000..9_000);
                lines.push(ended(&key, "restated"));
                lines.push(counts(key, symbol, sum));
                trades.insert(key, (symbol, sum));
            }
        }
        for _ in 0..3 {
            // Often several in one instant, so that their order tells.
            number += 1;
            let key = ((known - dice.random_range(0..20_000)) / 5_000 * 5_000, dice.random(), number);
            let (symbol, sum) = (dice.random_range(0..3), dice.random_range(-9_000..9_000));
            lines.push(counts(key, symbol, sum));
            trades.insert(key, (symbol, sum));
        }
        counted.push((known, trades.clone()));
    }
    let world = World::new().await;
    world.pool().execute(AssertSqlSafe(lines.join(";\n"))).await.unwrap();
    for _ in 0..200 {
        // When it is asked at any instant, by what was known at another
        let (effective, known) = (dice.random_range(0..620_000), dice.random_range(0..620_000_i64));
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "select symbol, (realized_usd_exact * 1000)::bigint
             from reporting.pnl_as_of(timestamptz '2026-03-02Z' + $1 * interval '1 ms', timestamptz '2026-03-02Z' + $2 * interval '1 ms')",
        )
        .bind(effective)
        .bind(known)
        .fetch_all(world.pool())
        .await
        .unwrap();
        // Then it is the last trade up to there of the last run up to then
        let mut expected = BTreeMap::new();
        if let Some((_, trades)) = counted.iter().rev().find(|(run, _)| *run <= known) {
            for (_, (symbol, sum)) in trades.iter().filter(|(key, _)| key.0 <= effective) {
                expected.insert(SYMBOLS[*symbol].to_owned(), *sum);
            }
        }
        assert_eq!(rows, expected.into_iter().collect::<Vec<_>>(), "at {effective} known at {known}");
    }
}

#[tokio::test]
async fn what_the_books_said_before_a_reorg_is_still_told_after_it() {
    let pit = Pit::open().await;
    let mut said: Vec<(String, String)> = Vec::new();
    let now = "select clock_timestamp()::text";
    let onchain =
        "select coalesce(string_agg(symbol || ' ' || trim_scale(onchain), ', ' order by symbol), '') from";
    // Given fills, one of which a reorg takes, and what the position was after each step
    for step in 0..6 {
        match step {
            0 | 1 | 4 => pit.sold("AAPL", "5").await,
            2 => pit.sold("TSLA", "2").await,
            3 => {
                pit.chain.step_back(1);
                pit.chain.mine([]);
                pit.chain.mine([]);
            }
            _ => {}
        }
        pit.index().await;
        pit.flat().await;
        said.push((
            pit.text(now).await,
            pit.text(&format!("{onchain} reporting.position_now where onchain <> 0")).await,
        ));
    }
    assert_eq!(said[2].1, "AAPL -10, TSLA -2");
    assert_eq!(said[3].1, "AAPL -10", "the reorg took it");
    // When they are asked again afterwards, then they say what they said
    for (known, expected) in said {
        let asked = format!("{onchain} reporting.position_as_of('infinity', '{known}') where onchain <> 0");
        assert_eq!(pit.text(&asked).await, expected, "known at {known}");
    }
}

#[tokio::test]
async fn every_change_of_a_position_leads_to_the_one_there_is_now() {
    let world = World::with_books().await;
    // When the history is asked for from before the first fact, and from between two
    for since in ["2026-01-01Z", "2026-03-09 13:30Z", "2026-11-01Z"] {
        let last: Vec<(String, bool)> = sqlx::query_as(AssertSqlSafe(format!(
            "select distinct on (c.symbol) c.symbol, c.position_after = n.position
             from reporting.exposure_changes('{since}') c join reporting.position_now n using (symbol)
             order by c.symbol, c.place desc"
        )))
        .fetch_all(world.pool())
        .await
        .unwrap();
        // Then it ends with what is held now
        assert_eq!(last, [("AAPL".to_owned(), true)], "{since}");
    }
}

#[tokio::test]
async fn the_steps_of_a_hedge_add_up_to_how_long_it_was_exposed() {
    let world = World::with_books().await;
    let told: (bool, String) = sqlx::query_as(
        "select detection_seconds + confirmation_seconds + decision_seconds + submission_seconds + execution_seconds
                = exposure_seconds,
            concat_ws(' ', detection_seconds, confirmation_seconds, decision_seconds, submission_seconds,
                execution_seconds, dollar_minutes)
         from reporting.hedge_latency",
    )
    .fetch_one(world.pool())
    .await
    .unwrap();
    assert_eq!(told, (true, "1.250 2.750 116995.000 0.010 0.490 213942.11".to_owned()));
}

/// Roles are the server's: one test at a time gives them what is theirs.
async fn roles(world: &World) {
    static ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _one = ONE.lock().await;
    world.db().roles().await.unwrap();
}

#[tokio::test]
async fn each_role_may_do_what_is_its_own_and_nothing_else() {
    // Given the roles, and a login of each
    let world = World::with_books().await;
    let logins =
        [("reader", "hedge_bi"), ("desk", "hedge_app"), ("clerk", "hedge_job"), ("keeper", "hedge_owner")];
    roles(&world).await;
    for (login, group) in logins {
        let sql = format!("create role {login} login in role {group}");
        world.pool().execute(AssertSqlSafe(sql)).await.unwrap();
    }
    world.pool().execute("alter role keeper set role = hedge_owner").await.unwrap();
    roles(&world).await;
    let as_login = async |login: &str| -> PgConnection {
        PgConnection::connect_with(&world.url().options().unwrap().username(login)).await.unwrap()
    };
    let refused = async |connection: &mut PgConnection, sql: &str| -> String {
        let error = connection.execute(AssertSqlSafe(sql.to_owned())).await.expect_err(sql);
        error.as_database_error().and_then(sqlx::error::DatabaseError::code).unwrap_or_default().into_owned()
    };

    // Then a reader reads all of reporting
    let mut reader = as_login("reader").await;
    let views: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relnamespace = 'reporting'::regnamespace and relkind = 'v'",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    for view in &views {
        reader.fetch_all(AssertSqlSafe(format!("select * from {view}"))).await.unwrap();
    }
    for call in
        ["position_as_of(now())", "exposure_as_of(now())", "exposure_changes(now() - interval '1 day')"]
    {
        reader.fetch_all(AssertSqlSafe(format!("select * from {call}"))).await.unwrap();
    }
    // And nothing else, and writes nothing, whatever it sets
    let tables: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public'")
            .fetch_all(world.pool())
            .await
            .unwrap();
    for table in &tables {
        assert_eq!(refused(&mut reader, &format!("select * from public.{table}")).await, "42501", "{table}");
    }
    assert_eq!(refused(&mut reader, "create temporary table mine (n int)").await, "25006");
    reader.execute("set default_transaction_read_only = off").await.unwrap();
    for write in [
        "create temporary table mine (n int)",
        "create table reporting.mine (n int)",
        "create table public.mine (n int)",
        "insert into public.mark (symbol) values ('AAPL')",
        "delete from public.fill",
    ] {
        assert_eq!(refused(&mut reader, write).await, "42501", "{write}");
    }

    // And whoever works in the tables adds facts, and edits none
    for login in ["desk", "clerk"] {
        let mut worker = as_login(login).await;
        worker
            .execute("insert into mark (symbol, price, as_of, source) values ('AAPL', 1, now(), 'close')")
            .await
            .unwrap();
        for table in ["fill", "execution", "order_event", "mark", "chain_log", "halt", "log_turn"] {
            assert_eq!(refused(&mut worker, &format!("delete from {table}")).await, "42501", "{table}");
        }
        for edit in [
            "update fill set quantity = 1",
            "update execution set price = 1",
            "update chain_log set data = ''",
            "update order_event set detail = ''",
            "update mark set price = 1",
        ] {
            assert_eq!(refused(&mut worker, edit).await, "42501", "{edit}");
        }
        worker.execute("update chain_log set taken_by = taken_by where false").await.unwrap();
        worker.execute("update execution set order_id = order_id where false").await.unwrap();
        assert_eq!(refused(&mut worker, "drop view reporting.fill").await, "42501");
        assert_eq!(refused(&mut worker, "alter table fill add column n int").await, "42501");
    }
    // And a job plans no order, and never holds the lease
    let mut clerk = as_login("clerk").await;
    assert_eq!(refused(&mut clerk, "insert into hedge_order (symbol) values ('AAPL')").await, "42501");
    assert_eq!(refused(&mut clerk, "update lease set fence = 1").await, "42501");

    // And the owner migrates, and everybody else finds all of it in place
    for login in ["keeper", "desk", "clerk"] {
        let url = world.url().expose().replacen("user=hedge", &format!("user={login}"), 1);
        let it = World::at(url.parse().unwrap()).await;
        if login == "keeper" {
            it.db().migrate_anew().await.unwrap();
        } else {
            assert!(it.db().migrate().await.unwrap().applied.is_empty());
            world.pool().execute("update reporting_made set digest = 'another'").await.unwrap();
            let told = it.db().migrate().await.unwrap_err().to_string();
            assert!(told.ends_with(&format!("the role {login} may not change it")), "{told}");
            it.pool().execute("select * from reporting.position_now").await.unwrap();
            world.db().migrate_anew().await.unwrap();
            roles(&world).await;
        }
    }

    // And a reader that asks for too much is cut off: a tool's own connection, which sets nothing
    let plain: PgConnectOptions = world.url().expose().parse().unwrap();
    let mut reader = PgConnection::connect_with(&plain.username("reader")).await.unwrap();
    let begun = Instant::now();
    assert_eq!(refused(&mut reader, "select pg_sleep(90)").await, "57014");
    assert!(begun.elapsed().as_secs() < 60);
}

#[tokio::test]
async fn a_desk_that_may_edit_no_fact_hedges_and_unwinds_all_the_same() {
    // Given a desk whose database login may do no more than it must
    let world = World::new().await;
    roles(&world).await;
    let login = "create role trader login in role hedge_app";
    world.pool().execute(login).await.unwrap();
    let url = world.url().expose().replacen("user=hedge", "user=trader", 1);
    let pit = Pit::in_world(World::at(url.parse().unwrap()).await, Setup::default(), 8453).await;
    // When a fill is hedged, and a reorg takes it
    pit.sold("AAPL", "5").await;
    pit.flat().await;
    pit.chain.step_back(1);
    pit.chain.mine([]);
    pit.chain.mine([]);
    pit.index().await;
    pit.flat().await;
    // Then the hedge is unwound
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: filled, 5 filled\n#2 SELL 5 AAPL: filled, 5 filled");
}
