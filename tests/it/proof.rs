//! What must hold of books and broker, whoever traded and whatever went wrong.

use std::collections::BTreeMap;

use hedge::{
    sim::{PlacedBy, SimAccount},
    units::Shares,
};
use sqlx::{AssertSqlSafe, PgPool, Row as _};

use crate::sql::files;

/// Every order, a line each.
pub async fn orders(pool: &PgPool) -> String {
    let lines: Vec<String> = sqlx::query_scalar(
        "select '#' || id || ' ' || side || ' ' || trim_scale(quantity) || ' ' || symbol || ': '
             || coalesce(why, state) || ', ' || trim_scale(filled) || ' filled'
         from hedge_order order by id",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    lines.join("\n")
}

/// What the broker really has, a line each.
pub fn at_broker(account: &SimAccount) -> String {
    let line = |order: &hedge::sim::broker::SimOrder| {
        let quantity = order.quantity.unwrap_or_default();
        format!("{} {quantity} {}: {:?}, {} filled", order.side, order.symbol, order.status, order.filled)
    };
    account.orders().iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The invariants of `faults.md`, as far as a moment shows them.
pub async fn laws(pool: &PgPool, account: &SimAccount) {
    for (name, sql) in files("checks") {
        let wrong = sqlx::query(AssertSqlSafe(sql)).fetch_all(pool).await.unwrap().len();
        assert_eq!(wrong, 0, "check {name}\n{}", orders(pool).await);
    }
    // I1: at the broker, one order an intent, and none that we do not know.
    let mut by_client: BTreeMap<String, usize> = BTreeMap::new();
    for order in account.orders() {
        if order.replaces.is_none() && order.placed_by == PlacedBy::Client {
            *by_client.entry(order.client_id.clone()).or_default() += 1;
        }
    }
    assert!(by_client.values().all(|times| *times == 1), "{by_client:?}");
    let known: Vec<String> =
        sqlx::query_scalar("select client_order_id from hedge_order").fetch_all(pool).await.unwrap();
    for client_id in by_client.keys() {
        assert!(known.contains(client_id), "{client_id} is at the broker and not in the books");
    }
}

/// Once all is calm and closed: the broker's shares are what the books say of it.
pub async fn proved(pool: &PgPool, account: &SimAccount) {
    laws(pool, account).await;
    let hedged: Vec<(String, Shares)> = sqlx::query(
        "select symbol, sum(quantity) as quantity from execution where order_id is not null
         group by symbol having sum(quantity) <> 0 order by symbol",
    )
    .fetch_all(pool)
    .await
    .unwrap()
    .iter()
    .map(|row| (row.try_get("symbol").unwrap(), row.try_get("quantity").unwrap()))
    .collect();
    let held: Vec<(String, Shares)> =
        account.positions().into_iter().filter(|(_, held)| *held != Shares::ZERO).collect();
    assert_eq!(hedged, held, "the books, and the broker\n{}", orders(pool).await);
}

/// The books have the broker's executions, each once, and no others.
pub async fn executions_agree(pool: &PgPool, account: &SimAccount) {
    let booked: BTreeMap<String, Shares> = sqlx::query("select execution_id, quantity from execution")
        .fetch_all(pool)
        .await
        .unwrap()
        .iter()
        .map(|row| (row.try_get(0).unwrap(), row.try_get(1).unwrap()))
        .collect();
    let done: BTreeMap<String, Shares> =
        account.executions().into_iter().map(|execution| (execution.id, execution.quantity)).collect();
    assert_eq!(booked, done, "the books, and the broker");
}
