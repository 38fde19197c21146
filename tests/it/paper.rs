//! The paper venue with its orders in the database.

use std::sync::Arc;

use async_trait::async_trait;
use hedge::{
    book::{
        fill::Side,
        order::{Status, Terms, Ticket},
    },
    engine::paper::Books,
    time::Clock,
    units::{Price, Shares},
    venue::{
        AuthStyle, Broker, Cause, Environment, Of, Venue, VenueSettings,
        paper::{Paper, Prices},
    },
};
use jiff::Timestamp;

use crate::world::World;

#[derive(Debug)]
struct Ten;

#[async_trait]
impl Prices for Ten {
    async fn of(&self, _symbol: &str) -> Result<Option<(Price, Timestamp)>, Cause> {
        Ok(Some((price("10"), Timestamp::UNIX_EPOCH)))
    }
}

fn price(text: &str) -> Price {
    Price::of(text.parse().unwrap()).unwrap()
}

fn paper(world: &World, name: &str) -> Paper {
    let settings = VenueSettings {
        name: name.to_owned(),
        broker: Broker::Paper,
        environment: Environment::Paper,
        base_url: String::new(),
        data_url: String::new(),
        path_prefix: String::new(),
        auth: AuthStyle::Headers,
        key: None,
        secret: None,
        redirect_uri: String::new(),
        account_index: 0,
        rate: 0,
        timeout_ms: 0,
    };
    let clock = Clock::told("2026-11-20T13:00:00.123456789Z".parse().unwrap());
    Paper::new(&settings, Arc::new(Books(world.pool().clone())), Arc::new(Ten), clock)
}

fn ticket(id: &str, limit: &str) -> Ticket {
    Ticket {
        client_id: id.to_owned(),
        symbol: "AAPL".to_owned(),
        side: Side::Sell,
        quantity: Shares("1.000000001".parse().unwrap()),
        terms: Terms::ExtendedLimit(price(limit)),
    }
}

#[tokio::test]
async fn orders_on_paper_outlive_the_process_and_are_kept_once() {
    let world = World::new().await;
    let before = paper(&world, "paper");
    let filled = before.submit(&ticket("paper-paper-1", "9.5")).await.unwrap();
    let rests = before.submit(&ticket("paper-paper-2", "10.5")).await.unwrap();
    assert_eq!((filled.status, rests.status), (Status::Filled, Status::Working));
    // Another process sends the same again, and goes on with what rests.
    let after = paper(&world, "paper");
    let again = after.submit(&ticket("paper-paper-1", "9.5")).await.unwrap();
    assert_eq!((again.broker_id, again.status), (filled.broker_id, Status::Filled));
    after.cancel(&rests.broker_id).await.unwrap();
    assert_eq!(before.ask(&rests.broker_id).await.unwrap().unwrap().status, Status::Canceled);
    let executions = before.executions(Of::Since(Timestamp::MIN)).await.unwrap();
    assert_eq!(executions, after.executions(Of::Order("on-paper-paper-paper-1")).await.unwrap());
    assert_eq!((executions.len(), executions[0].quantity.to_string()), (1, "-1.000000001".to_owned()));
    // Another venue on paper has none of it.
    assert!(paper(&world, "other").orders(Timestamp::MIN).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_price_on_paper_is_that_of_the_last_fill_on_chain() {
    let world = World::with_books().await;
    let books = Books(world.pool().clone());
    let known: Option<(String, Price)> = {
        let row: Option<(String, String)> = sqlx::query_as(
            "select symbol, last_fill_price::text from reporting.position_now where last_fill_price is not null limit 1",
        )
        .fetch_optional(world.pool())
        .await
        .unwrap();
        row.map(|(symbol, text)| (symbol, price(&text)))
    };
    let (symbol, last) = known.expect("the sound books hold a fill that may be acted on");
    assert_eq!(books.of(&symbol).await.unwrap().map(|(price, _)| price), Some(last));
    assert_eq!(books.of("NOSUCH").await.unwrap(), None);
}
