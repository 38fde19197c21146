//! The faults of the reference, each by its number: what goes wrong, and that it comes out once.
//!
//! "Once" is the broker's own list of orders. An alarm is what stays in the books: an event of the
//! order, a hold, a halt, another's order. What kills the process itself is elsewhere.

mod domain;
mod gate;
mod life;
mod market;
mod operations;
mod quantity;
mod schwab;
mod transport;

use std::time::Duration;

use hedge::{
    sim::{Ask, broker::Heard},
    store::exposure::Act,
};

use crate::pit::Pit;

pub const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub const fn mins(minutes: u64) -> Duration {
    Duration::from_mins(minutes)
}

impl Pit {
    /// What a person does now.
    pub fn act(&self) -> Act<'static> {
        Act { author: "a person", reason: "a test", at: self.clock.now() }
    }

    /// The requests of a kind that the broker was asked.
    pub fn heard(&self, ask: Ask) -> Vec<Heard> {
        self.broker.recent().into_iter().filter(|heard| heard.ask == ask).collect()
    }

    /// The ids of ours that orders were sent under, in the order of sending.
    pub fn sent_ids(&self) -> Vec<String> {
        let id = |heard: Heard| {
            let body: serde_json::Value = serde_json::from_str(&heard.body).unwrap();
            body["client_order_id"].as_str().unwrap().to_owned()
        };
        self.heard(Ask::Submit).into_iter().map(id).collect()
    }

    /// The broker's ids of all its orders, oldest first.
    pub fn broker_ids(&self) -> Vec<String> {
        self.account.orders().into_iter().map(|order| order.id).collect()
    }

    /// What happened to an order in these words: the details, a line each.
    pub async fn told(&self, order: i64, event: &str) -> String {
        let sql = format!(
            "select detail from order_event where order_id = {order} and event = '{event}' order by id"
        );
        self.text(&sql).await
    }
}
