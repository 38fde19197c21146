//! The same through the books: facts in tables, the job, rows in versions.

use std::collections::{BTreeMap, BTreeSet};

use hedge::{
    book::{
        count::Counted,
        pnl::{TradeType, price_of},
    },
    job::{
        Outcome, Run, Verdict,
        notify::Voice,
        pairing::{self, Differs},
        pnl::{self, Counting},
        statement,
    },
    time::new_york_date,
    units::{Amount, Shares, Usd},
};
use jiff::Timestamp;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

use super::vectors::{amount, cases, expected, given, text, trade};
use crate::world::World;

/// Books that are told events as the cases have them.
pub struct Books {
    pub world: World,
    runs: i64,
}

impl Books {
    pub async fn new() -> Self {
        let world = World::new().await;
        world
            .pool()
            .execute(
                "insert into source (name, chain_id, kind, address, owners, from_block)
                 values ('raindex', 8453, 'raindex-v6', repeat('a', 20)::bytea, array[repeat('o', 20)::bytea], 0);
                 insert into venue (name, broker, environment) values ('alpaca', 'alpaca', 'paper');
                 insert into lease (deployment, fence, holder, taken_at, expires_at)
                 values ('1f3a9c2e', 1, 'a test', now(), now())",
            )
            .await
            .unwrap();
        Self { world, runs: 0 }
    }

    /// Writes an event down as the facts that it is; what the tables refuse is an error.
    pub async fn tell(&self, event: &Value) -> Result<(), sqlx::Error> {
        let sql = match text(event, "kind") {
            "trade" => facts(event),
            "split" => format!(
                "insert into corporate_action (action_id, kind, symbol, ex_date, effective_at, ratio_new, ratio_old, source, said)
                 values (gen_random_uuid()::text, 'split', '{}', '{}'::timestamptz::date, '{}', {}, {}, 'alpaca', '')",
                text(event, "symbol"), text(event, "at"), text(event, "at"),
                given(event, "ratio_num").unwrap(), given(event, "ratio_den").unwrap(),
            ),
            "rename" => format!(
                "insert into corporate_action (action_id, kind, symbol, ex_date, effective_at, to_symbol, source, said)
                 values (gen_random_uuid()::text, 'rename', '{}', '{}'::timestamptz::date, '{}', '{}', 'alpaca', '')",
                text(event, "symbol"), text(event, "at"), text(event, "at"), text(event, "to_symbol"),
            ),
            _ => retracted(event),
        };
        // All of it or nothing: several statements at once are one transaction.
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(self.world.pool()).await.map(drop)
    }

    /// What the job says of the run after the last one, a minute later.
    pub async fn count(&mut self, how: &Counting) -> Outcome {
        self.runs += 1;
        let at = Timestamp::from_second(1_790_000_000 + 60 * self.runs).unwrap();
        let run = Run { id: None, job: "pnl".to_owned(), date: new_york_date(at), at };
        pnl::run(self.world.pool(), &run, &Voice::default(), how).await.unwrap()
    }

    /// Only what changed, with a snapshot at the end of every day.
    pub async fn count_on(&mut self) -> Outcome {
        self.count(&Counting { keep_every: 1, ..Counting::new(false) }).await
    }

    /// What is known now, in the words of the cases.
    pub async fn told(&self) -> Value {
        let rows = self.ask(
            "select symbol, (extract(epoch from executed_at) * 1000000)::bigint as executed_at, trade_type,
                 case trade_type when 'ONCHAIN' then split_part(trade_id, ':', 2) else trade_id end as trade_id,
                 side, quantity::text, price::text, cash::text as notional, realized_pnl::text, cumulative_pnl::text,
                 net_position_after::text, fee::text, cumulative_fees::text,
                 (select coalesce(json_agg(json_build_object(
                         'opening', opening_type || ':' || case opening_type when 'ONCHAIN' then split_part(opening_id, ':', 2) else opening_id end,
                         'closing', closing_type || ':' || case closing_type when 'ONCHAIN' then split_part(closing_id, ':', 2) else closing_id end,
                         'quantity', quantity::text, 'opening_amount', opening_cash::text, 'closing_amount', closing_cash::text,
                         'pnl', pnl::text, 'bucket', bucket,
                         'elapsed_seconds', floor(extract(epoch from closed_at - opened_at))::bigint,
                         'edge', edge::text, 'drift', drift::text, 'slippage', slippage::text) order by m.ctid), '[]')
                  from pnl_match m
                  where (m.symbol, m.closed_at, m.closing_type, m.closing_id) = (r.symbol, r.executed_at, r.trade_type, r.trade_id)) as matches
             from pnl_row r
             where known_to is null
             order by executed_at, trade_type desc, coalesce(order_id, split_part(trade_id, ':', 2)::bigint), tie",
        );
        let lots = self.ask(
            "select symbol, position, opening_type || ':' || case opening_type when 'ONCHAIN' then split_part(opening_id, ':', 2) else opening_id end as opening,
                 side, quantity::text as open_quantity, cost::text as open_cost
             from open_lot order by symbol, position",
        );
        let daily = self.ask(
            "select et_date::text, symbol, (onchain_netting + counter_trade + directional)::text as realized_pnl, fees::text,
                 (onchain_netting + counter_trade + directional - fees)::text as net_pnl, trades as trade_count,
                 bought_cash::text as bought_usd, sold_cash::text as sold_usd, net_after::text as net_position_end
             from pnl_day where trades > 0 order by et_date, symbol",
        );
        let (rows, lots, daily) = (rows.await, lots.await, daily.await);
        json!({"rows": rows, "open_lots": lots, "daily": daily})
    }

    /// What is open, valued at these marks as the statement of the last day values it.
    async fn unrealized(&self, marks: &BTreeMap<String, Amount>) -> Value {
        let last: String = sqlx::query_scalar("select max(et_date)::text from pnl_day")
            .fetch_one(self.world.pool())
            .await
            .unwrap();
        for (symbol, price) in marks {
            let sql = format!(
                "insert into mark (symbol, price, as_of, source) values ('{symbol}', {price}, '{last}T23:30:00Z', 'close')
                 on conflict do nothing"
            );
            self.world.pool().execute(AssertSqlSafe(sql)).await.unwrap();
        }
        let mut conn = self.world.pool().acquire().await.unwrap();
        let stated = statement::read(&mut conn, last.parse().unwrap(), Timestamp::UNIX_EPOCH).await.unwrap();
        let open = stated.lines.iter().filter(|line| line.closing.net != Shares::ZERO);
        open.map(|line| {
            let closing = &line.closing;
            json!({
                "symbol": line.symbol, "net_position": closing.net.to_string(),
                "book_value": closing.book_value.to_string(),
                "mark": closing.mark.as_ref().map(|mark| mark.price.to_string()),
                "market_value": closing.market().map(|usd| usd.to_string()),
                "unrealized_pnl": closing.unrealized().map(|usd| usd.to_string()),
            })
        })
        .collect()
    }

    /// Rows as objects, decimals without closing zeros, without what is null in a match.
    async fn ask(&self, sql: &'static str) -> Vec<Value> {
        let sql = format!("select to_json(asked)::text from ({sql}) asked");
        let rows: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(self.world.pool()).await.unwrap();
        rows.iter().map(|row| plain(serde_json::from_str(row).unwrap(), false)).collect()
    }

    /// The trades whose version ended, or whose first one began, in the last run.
    async fn ended(&self, condition: &str) -> Vec<String> {
        let at = Timestamp::from_second(1_790_000_000 + 60 * self.runs).unwrap();
        let sql = format!(
            "select trade_type || ':' || case trade_type when 'ONCHAIN' then split_part(trade_id, ':', 2) else trade_id end
             from pnl_row r where {} order by executed_at, trade_type desc",
            condition.replace("$1", &format!("'{at}'"))
        );
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(self.world.pool()).await.unwrap()
    }
}

fn plain(value: Value, inside: bool) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !(inside && value.is_null()));
            Value::Object(fields.map(|(key, value)| (key, plain(value, inside))).collect())
        }
        Value::Array(parts) => parts.into_iter().map(|part| plain(part, true)).collect(),
        Value::String(text) => match text.parse::<Amount>() {
            Ok(amount) => amount.to_string().into(),
            Err(_) => text.into(),
        },
        other => other,
    }
}

fn facts(event: &Value) -> String {
    let told = trade(event);
    let symbol = text(event, "symbol");
    let at = text(event, "executed_at");
    // Postgres rounds to the microsecond; we cut.
    let at =
        at.parse::<Timestamp>().map(|at| Timestamp::from_microsecond(at.as_microsecond()).unwrap()).unwrap();
    let id = given(event, "trade_id").unwrap();
    let (quantity, cash) = (told.quantity, told.cash);
    let fee = amount(event, "fee").filter(|fee| !fee.is_zero());
    let paid = fee.map(Amount::negated);
    if told.key.kind == TradeType::Onchain {
        let mut sql = format!(
            "insert into chain_log (chain_id, block_hash, log_index, source_id, block_number, block_time, tx_hash, tx_index, topics, data)
             values (8453, sha256(int8send({id})), 0, 1, {id}, '{at}', sha256(int8send(-{id})), 0, '', '');
             insert into fill (chain_id, block_hash, log_index, role, owner, side, symbol, token, token_quantity, token_quantity_exact,
                 usdc, usdc_exact, wrapper_ratio, quantity, price)
             values (8453, sha256(int8send({id})), 0, 'order', repeat('o', 20)::bytea, '{}', '{symbol}', repeat('t', 20)::bytea,
                 greatest({quantity}, 0.1), 1, {cash}, {cash}, 1, {quantity}, 0)",
            told.side
        );
        if let Some(paid) = paid {
            sql += &format!(
                "; insert into cash_flow (flow_id, kind, amount, occurred_at, tx_hash, said)
                 values ('chain/{id}', 'gas', {paid}, '{at}', sha256(int8send(-{id})), '')"
            );
        }
        if let Some(oracle) = told.oracle {
            sql += &format!(
                "; insert into oracle_price (chain_id, block_hash, log_index, feed, method, price)
                 values (8453, sha256(int8send({id})), 0, sha256('feed'), 'trace', {oracle})"
            );
        }
        return sql;
    }
    let (signed, moved) = if told.side == hedge::book::fill::Side::Buy { ("", "-") } else { ("-", "") };
    let reference =
        told.reference.map_or("null, null, null".to_owned(), |price| format!("{price}, 'quote', '{at}'"));
    let mut sql = format!(
        "insert into hedge_order (id, venue_id, client_order_id, purpose, symbol, side, quantity, terms, fence, state, filled, why,
             reference_price, reference_source, reference_at, sent_at, closed_at)
         overriding system value
         values ({id}, 1, 'client-{id}', 'hedge', '{symbol}', '{}', {quantity}, 'market', 1, 'closed', {quantity}, 'filled',
             {reference}, '{at}', '{at}');
         insert into execution (id, venue_id, execution_id, order_id, symbol, nature, quantity, price, cash, executed_at)
         overriding system value
         values ({id}, 1, '{id}', {id}, '{symbol}', 'trade', {signed}{quantity}, {}, {moved}{cash}, '{at}')",
        told.side, told.price
    );
    if let Some(paid) = paid {
        let kind = if paid.is_negative() { "commission" } else { "rebate" };
        sql += &format!(
            "; insert into cash_flow (flow_id, kind, venue_id, symbol, amount, occurred_at, execution_id, said)
             values ('alpaca/{id}', '{kind}', 1, '{symbol}', {paid}, '{at}', '{id}', '')"
        );
    }
    sql
}

fn retracted(event: &Value) -> String {
    let id = given(event, "trade_id").unwrap();
    if text(event, "trade_type") == "OFFCHAIN" {
        return format!(
            "insert into execution (id, venue_id, execution_id, order_id, symbol, nature, quantity, price, cash, executed_at, corrects)
             overriding system value
             select -id, venue_id, 'bust of ' || execution_id, order_id, symbol, 'bust', -quantity, price, -cash, executed_at + interval '1 day', execution_id
             from execution where id = {id}"
        );
    }
    format!(
        "with taken as (
             insert into reorg (source_id, cause, fork_number, fork_hash, old_number, old_hash)
             values (1, 'chain', {id}, repeat('0', 32)::bytea, {id}, repeat('x', 32)::bytea) returning id)
         update chain_log set taken_by = taken.id from taken where block_number = {id}"
    )
}

#[tokio::test]
async fn every_case_comes_out_of_the_books_as_it_must() {
    let mut valued = 0;
    for case in cases() {
        let mut books = Books::new().await;
        for (place, batch) in case.batches.iter().enumerate() {
            let mut seen: Vec<&Value> = Vec::new();
            let mut refused = 0;
            for event in batch {
                // A fact that is there is not written again: its key says so.
                if seen.contains(&event) {
                    assert!(books.tell(event).await.is_err(), "{}", case.name);
                    continue;
                }
                seen.push(event);
                if case.error.as_deref() == Some("too_many_decimals") {
                    // The chain's door and the brokers' cut or refuse it: no column holds it.
                    refused += 1;
                    continue;
                }
                if case.error.as_deref() == Some("non_positive_price") {
                    // No table takes dollars below zero for a fill.
                    let mut sound = event.clone();
                    sound["price"] = "150".into();
                    let wrong = facts(&sound).replace(", 150, 150,", ", -150, -150,");
                    let told = sqlx::raw_sql(AssertSqlSafe(wrong)).execute(books.world.pool()).await;
                    refused += usize::from(told.is_err());
                    continue;
                }
                refused += usize::from(books.tell(event).await.is_err());
            }
            let outcome = books.count_on().await;
            assert_eq!(outcome.verdict, Verdict::Done, "{}: {}", case.name, outcome.said);
            if let Some(error) = &case.error {
                let rows = books.told().await["rows"].as_array().unwrap().len();
                let wanted = if error == "conflicting_duplicate" {
                    (1, 1)
                } else {
                    (0, usize::from(error != "non_positive_quantity"))
                };
                assert_eq!((rows, refused), wanted, "{}", case.name);
                continue;
            }
            assert_eq!(refused, 0, "{}", case.name);
            let (told, mut wanted) = (books.told().await, expected(&case.expected[place]));
            // Of a fill the cash is known, and the price follows from it.
            for row in
                wanted["rows"].as_array_mut().unwrap().iter_mut().filter(|row| row["trade_type"] == "ONCHAIN")
            {
                let (quantity, cash) = (amount(row, "quantity").unwrap(), amount(row, "notional").unwrap());
                row["price"] = price_of(Shares(quantity), Usd(cash)).unwrap().to_string().into();
            }
            for part in ["rows", "open_lots", "daily"] {
                assert_eq!(told[part], wanted[part], "{part} of {}", case.name);
            }
            if let Some(unrealized) = wanted.get("unrealized") {
                assert_eq!(&books.unrealized(&case.marks).await, unrealized, "{}", case.name);
                valued += unrealized.as_array().unwrap().len();
            }
            if wanted.get("restated").is_some() {
                let told = json!({
                    "restated": books.ended("known_to = $1 and ended_by = 'restated'").await,
                    "withdrawn": books.ended("known_to = $1 and ended_by = 'withdrawn'").await,
                    "added": books.ended("known_from = $1 and cause is null").await,
                });
                for part in ["restated", "withdrawn", "added"] {
                    assert_eq!(told[part], wanted[part], "{part} of {}", case.name);
                }
            }
        }
        // And counted from the beginning it is the same, row for row
        let before = books.told().await;
        let outcome = books.count(&Counting::new(true)).await;
        assert!(
            outcome.said.ends_with("0 added, 0 restated, 0 withdrawn"),
            "{}: {}",
            case.name,
            outcome.said
        );
        assert_eq!(books.told().await, before, "{}", case.name);
    }
    assert_eq!(valued, 5, "positions that a case values");
}

/// Trades of two shares over some days, with late ones, taken ones and splits, in batches.
pub fn history(seed: u64) -> Vec<Vec<Value>> {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut batches = vec![Vec::new()];
    let mut known: Vec<(String, u64)> = Vec::new();
    // A share is split at most once a day.
    let mut split = BTreeSet::new();
    for id in 1..=60_u64 {
        let at = Timestamp::from_second(1_772_400_000 + dice.random_range(0..500) * 1_000).unwrap();
        let symbol = if dice.random_bool(0.6) { "AAPL" } else { "TSLA" };
        let side = if dice.random_bool(0.5) { "BUY" } else { "SELL" };
        let kind = if dice.random_bool(0.6) { "ONCHAIN" } else { "OFFCHAIN" };
        let quantity = format!(
            "{}.{:018}",
            dice.random_range(0..3),
            dice.random_range(1..1_000_000_000_000_000_000_u64)
        );
        batches.last_mut().unwrap().push(json!({
            "kind": "trade", "symbol": symbol, "executed_at": at.to_string(), "trade_type": kind, "trade_id": id, "side": side,
            "quantity": quantity, "notional": format!("{}.{:06}", dice.random_range(1..500), dice.random_range(0..1_000_000)),
            "fee": format!("0.{:02}", dice.random_range(0..3)),
        }));
        known.push((kind.to_owned(), id));
        if dice.random_bool(0.03) && split.insert((symbol, at.strftime("%F").to_string())) {
            let (num, den) = [(2, 1), (1, 3), (3, 2)][dice.random_range(0..3)];
            batches.last_mut().unwrap().push(json!({"kind": "split", "symbol": symbol, "at": at.to_string(), "ratio_num": num, "ratio_den": den}));
        }
        if dice.random_bool(0.08) {
            let (kind, id) = known.remove(dice.random_range(0..known.len()));
            batches.last_mut().unwrap().push(json!({"kind": "retract", "trade_type": kind, "trade_id": id}));
        }
        if dice.random_bool(0.15) {
            batches.push(Vec::new());
        }
    }
    batches
}

#[tokio::test]
async fn however_facts_are_batched_the_rows_are_those_of_one_count() {
    for seed in 0..12 {
        // Given facts that come in batches, counted after each
        let batches = history(seed);
        let mut books = Books::new().await;
        for batch in &batches {
            for event in batch {
                books.tell(event).await.unwrap();
            }
            assert_eq!(books.count_on().await.verdict, Verdict::Done);
        }
        let told = books.told().await;
        // When all are counted from the beginning, then nothing changes
        let outcome = books.count(&Counting::new(true)).await;
        assert!(outcome.said.ends_with("0 added, 0 restated, 0 withdrawn"), "seed {seed}: {}", outcome.said);
        assert_eq!(books.told().await, told, "seed {seed}");
        // And books that learnt everything at once have the same
        let mut at_once = Books::new().await;
        let mut events: Vec<&Value> = batches.iter().flatten().collect();
        events.sort_by_key(|event| text(event, "kind") == "retract");
        for event in events {
            at_once.tell(event).await.unwrap();
        }
        at_once.count_on().await;
        assert_eq!(at_once.told().await, told, "seed {seed}");
    }
}

#[tokio::test]
async fn where_two_counts_differ_nothing_is_published() {
    // Given books that were counted, and a trade more
    fn planted(counts: &[&Counted]) -> Result<(), Differs> {
        let mut wrong: Vec<Counted> = counts.iter().map(|counted| (*counted).clone()).collect();
        let met = wrong.iter_mut().flat_map(|counted| &mut counted.matches).next().unwrap();
        met.opening = met.closing;
        pairing::agree(&wrong.iter().collect::<Vec<_>>())
    }
    let case = cases().into_iter().find(|case| case.name == "seed-taapl-table").unwrap();
    let mut books = Books::new().await;
    let (last, first) = case.batches[0].split_last().unwrap();
    for event in first {
        books.tell(event).await.unwrap();
    }
    books.count_on().await;
    let before = books.told().await;
    books.tell(last).await.unwrap();
    // When the loop gets a match wrong
    let wrong = Counting { proof: planted, ..Counting::new(true) };
    let outcome = books.count(&wrong).await;
    // Then the run says so, and the numbers of the run before hold
    assert_eq!(outcome.verdict, Verdict::Inconsistent);
    assert!(outcome.said.contains("counted again"), "{}", outcome.said);
    assert_eq!(books.told().await, before);
    let states: Vec<String> = sqlx::query_scalar("select state from pnl_run order by id")
        .fetch_all(books.world.pool())
        .await
        .unwrap();
    assert_eq!(states, ["published", "inconsistent"]);
    // And once it is right, what was noted meanwhile is counted
    assert_eq!(books.count_on().await.verdict, Verdict::Done);
    assert_eq!(books.told().await["rows"], expected(&case.expected[0])["rows"]);
}

#[tokio::test]
async fn a_share_that_cannot_be_counted_stops_itself_alone() {
    // Given a trade whose shares and cash go the same way, and a sound one of another share
    let mut books = Books::new().await;
    for (symbol, id) in [("AAPL", 1), ("TSLA", 2)] {
        let event = json!({"kind": "trade", "symbol": symbol, "executed_at": "2026-03-02T14:00:00Z", "trade_type": "OFFCHAIN",
            "trade_id": id, "side": "BUY", "quantity": "1", "price": "150"});
        books.tell(&event).await.unwrap();
    }
    let strange = "insert into execution (id, venue_id, execution_id, order_id, symbol, nature, quantity, price, cash, executed_at, corrects)
                   overriding system value values (-1, 1, 'c', 1, 'AAPL', 'correction', 0, 150, 300, '2026-03-02T15:00:00Z', '1')";
    books.world.pool().execute(strange).await.unwrap();
    // When it is counted
    let outcome = books.count_on().await;
    // Then the other one is, and this one is said not to be
    assert_eq!(outcome.verdict, Verdict::Found);
    assert!(outcome.said.contains("AAPL is not counted"), "{}", outcome.said);
    assert_eq!(books.told().await["rows"].as_array().unwrap().len(), 1);
    // And once the broker has put it right, it is counted
    let mended = "insert into execution (id, venue_id, execution_id, order_id, symbol, nature, quantity, price, cash, executed_at, corrects)
                  overriding system value values (-2, 1, 'd', 1, 'AAPL', 'correction', 1, 150, -450, '2026-03-02T16:00:00Z', 'c')";
    books.world.pool().execute(mended).await.unwrap();
    assert_eq!(books.count_on().await.verdict, Verdict::Done);
    let told = books.told().await;
    let row = told["rows"].as_array().unwrap().iter().find(|row| row["symbol"] == "AAPL").unwrap();
    assert_eq!((&row["quantity"], &row["notional"]), (&json!("2"), &json!("300")));
}

#[tokio::test]
async fn what_is_learnt_beside_a_trade_is_no_restatement() {
    let case = cases().into_iter().find(|case| case.name == "spread-attribution").unwrap();
    let mut books = Books::new().await;
    let mut oracles = BTreeMap::new();
    for event in &case.batches[0] {
        let mut event = event.clone();
        if let Some(price) = event.as_object_mut().unwrap().remove("oracle_price") {
            oracles.insert(given(&event, "trade_id").unwrap(), price.as_str().unwrap().to_owned());
        }
        books.tell(&event).await.unwrap();
    }
    books.count_on().await;
    for (id, price) in oracles {
        let sql = format!(
            "insert into oracle_price (chain_id, block_hash, log_index, feed, method, price)
             values (8453, sha256(int8send({id})), 0, sha256('feed'), 'trace', {price})"
        );
        books.world.pool().execute(AssertSqlSafe(sql)).await.unwrap();
    }
    let outcome = books.count_on().await;
    assert!(outcome.said.ends_with("0 added, 0 restated, 0 withdrawn"), "{}", outcome.said);
    assert_eq!(books.told().await["rows"], expected(&case.expected[0])["rows"]);
}
