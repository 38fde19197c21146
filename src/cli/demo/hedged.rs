//! What was hedged: as tables, beside what the broker has, and one fill step by step.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::Row as _;

use super::{Stage, Voice, live::Seen};
use crate::{
    sim::PlacedBy,
    store::{StoreError, orders, types::At},
    units::{Amount, Shares},
};

/// Tables that are shown: the first line of each says what it is.
const TABLES: [&str; 2] = [
    include_str!("../../../sql/queries/demo_positions.sql"),
    include_str!("../../../sql/queries/demo_orders.sql"),
];

impl Stage {
    /// Shows positions and orders, lays them beside the broker's, and walks with one fill.
    pub(super) async fn show_hedges(&self, seen: &Seen, voice: &mut Voice<'_, '_>) -> anyhow::Result<()> {
        self.show(&TABLES, voice).await?;
        let (orders, wrong) = self.beside_the_broker().await?;
        voice.say(&match wrong {
            0 => format!(
                "\nLaid beside the broker: it has the same {orders} orders, each once, and holds what the books say."
            ),
            _ => format!("\nLaid beside the broker: {wrong} things are not as they should be. Please report it."),
        })?;
        self.walk(seen, voice).await
    }

    /// How many orders the broker has, and how many of these or of its holdings the books do not
    /// have, or have otherwise.
    async fn beside_the_broker(&self) -> anyhow::Result<(usize, usize)> {
        let failed = |error| StoreError::of("compare the books with the broker", error);
        let pool = self.sources.db.pool();
        let books: BTreeMap<String, Shares> =
            sqlx::query_as(include_str!("../../../sql/queries/demo_hedged.sql"))
                .fetch_all(pool)
                .await
                .map_err(failed)?
                .into_iter()
                .map(|(symbol, quantity): (String, Amount)| (symbol, Shares(quantity)))
                .collect();
        let broker = self.broker.account();
        let held: BTreeMap<String, Shares> =
            broker.positions().into_iter().filter(|(_, held)| *held != Shares::ZERO).collect();
        let symbols = books.keys().chain(held.keys().filter(|symbol| !books.contains_key(*symbol)));
        let mut wrong = symbols.filter(|symbol| books.get(*symbol) != held.get(*symbol)).count();
        let mut client_ids: Vec<String> = broker
            .orders()
            .into_iter()
            .filter(|order| order.placed_by == PlacedBy::Client)
            .map(|order| order.client_id)
            .collect();
        let placed = client_ids.len();
        let mut conn = pool.acquire().await.map_err(failed)?;
        for id in &client_ids {
            wrong += usize::from(orders::under(&mut conn, id).await?.is_none());
        }
        client_ids.sort();
        client_ids.dedup();
        Ok((placed, wrong + placed - client_ids.len()))
    }

    /// Walks with one fill, from its block to the close of the order that hedged it.
    async fn walk(&self, seen: &Seen, voice: &mut Voice<'_, '_>) -> anyhow::Result<()> {
        let pool = self.sources.db.pool();
        let failed = |error| StoreError::of("walk with a fill", error);
        let walked = sqlx::query(include_str!("../../../sql/queries/demo_walked.sql"))
            .fetch_optional(pool)
            .await
            .map_err(failed)?;
        let Some(fill) = walked else { return Ok(()) };
        let (order, block): (i64, i64) =
            (fill.try_get("order_id").map_err(failed)?, fill.try_get("block_number").map_err(failed)?);
        let amount = |column| fill.try_get::<Amount, _>(column).map_err(failed);
        let text = |column| fill.try_get::<&str, _>(column).map_err(failed);
        voice.say("\nThe walk of one fill, as the books tell it:\n")?;
        let mined: At = fill.try_get("executed_at").map_err(failed)?;
        // A block's time is in whole seconds: nothing is measured from it.
        voice.say(&format!(
            "{}                mined: {} {} {} at {}, in block {block}",
            mined.0.strftime("%H:%M:%S"),
            text("side")?,
            amount("quantity")?,
            text("symbol")?,
            amount("price")?,
        ))?;
        let mut steps = Vec::new();
        if let Some(at) = seen.since(block) {
            steps.push((
                at,
                "seen: it is in the books, and released to be hedged: `hedge_at` is latest".to_owned(),
            ));
        }
        let events = sqlx::query(include_str!("../../../sql/queries/demo_walk.sql"))
            .bind(order)
            .fetch_all(pool)
            .await
            .map_err(failed)?;
        for event in &events {
            let at: At = event.try_get("happened_at").map_err(failed)?;
            let (word, detail): (&str, &str) =
                (event.try_get("event").map_err(failed)?, event.try_get("detail").map_err(failed)?);
            let of = if word == "planned" { format!(" as #{order}") } else { String::new() };
            steps.push((at.0, format!("{word}{of}: {detail}")));
        }
        let mut before: Option<Timestamp> = None;
        for (at, what) in steps {
            let passed = before.map(|before| format!("+{} ms", at.duration_since(before).as_millis()));
            let time = at.strftime("%H:%M:%S%.3f").to_string();
            voice.say(&format!("{time}  {:>8}  {what}", passed.unwrap_or_default()))?;
            before = Some(at);
        }
        Ok(())
    }
}
