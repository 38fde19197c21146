//! The door to Alpaca, over HTTP: what leaves, and what is made of the answers.

use std::{collections::HashSet, time::Duration};

use axum::http::{HeaderValue, Method};
use hedge::{
    book::{
        fill::Side,
        order::{Refusal, Status, Terms, Ticket},
    },
    secret::Secret,
    time::Clock,
    units::Shares,
    venue::{AuthStyle, Broker, Environment, Of, Venue, VenueError, VenueSettings, alpaca::Alpaca},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::parrot::{Heard, Parrot};

fn settings(url: &str) -> VenueSettings {
    VenueSettings {
        name: "alpaca".to_owned(),
        broker: Broker::Alpaca,
        environment: Environment::Paper,
        base_url: url.to_owned(),
        data_url: url.to_owned(),
        path_prefix: "/v2".to_owned(),
        auth: AuthStyle::Headers,
        key: Some(Secret::new("the-key")),
        secret: Some(Secret::new("the-secret")),
        redirect_uri: String::new(),
        account_index: 0,
        rate: 200,
        timeout_ms: 500,
    }
}

fn alpaca(url: &str) -> Alpaca {
    Alpaca::new(&settings(url), Clock::Wall).unwrap()
}

fn shares(text: &str) -> Shares {
    Shares(text.parse().unwrap())
}

fn ticket() -> Ticket {
    Ticket {
        client_id: "alpaca-paper-1".to_owned(),
        symbol: "AAPL".to_owned(),
        side: Side::Buy,
        quantity: shares("1.5"),
        terms: Terms::Market,
    }
}

fn order(id: &str, status: &str, at: &str) -> Value {
    json!({"id": id, "client_order_id": "alpaca-paper-1", "symbol": "AAPL", "side": "buy", "qty": "1.5",
           "filled_qty": "0", "status": status, "time_in_force": "day", "submitted_at": at, "created_at": at})
}

const AT: &str = "2026-11-20T15:30:01Z";

#[tokio::test]
async fn an_order_leaves_once_in_alpacas_words_and_comes_back_in_ours() {
    let parrot = Parrot::default();
    let venue = alpaca(&parrot.listen().await);
    parrot.says(200, order("o-1", "pending_new", AT));
    let report = venue.submit(&ticket()).await.unwrap();
    assert_eq!((report.broker_id.as_str(), report.status), ("o-1", Status::Working));
    let heard = parrot.heard.lock().unwrap();
    let Heard { method, uri, headers, body } = &heard[0];
    assert_eq!((method, uri.path()), (&Method::POST, "/v2/orders"));
    assert_eq!(
        (&headers["apca-api-key-id"], &headers["apca-api-secret-key"]),
        (&HeaderValue::from_static("the-key"), &HeaderValue::from_static("the-secret"))
    );
    let sent = json!({"symbol": "AAPL", "qty": "1.5", "side": "buy", "type": "market", "time_in_force": "day",
                      "client_order_id": "alpaca-paper-1"});
    assert_eq!((body, heard.len()), (&sent, 1));
}

#[tokio::test]
async fn outside_the_regular_session_an_order_is_a_limit_for_the_day() {
    let parrot = Parrot::default();
    let venue = alpaca(&parrot.listen().await);
    parrot.says(200, order("o-1", "accepted", AT));
    let price = hedge::units::Price::of("190.25".parse().unwrap()).unwrap();
    venue.submit(&Ticket { terms: Terms::ExtendedLimit(price), side: Side::Sell, ..ticket() }).await.unwrap();
    let body = parrot.heard.lock().unwrap()[0].body.clone();
    assert_eq!(
        (&body["type"], &body["limit_price"], &body["extended_hours"]),
        (&json!("limit"), &json!("190.25"), &json!(true))
    );
    assert_eq!((&body["side"], &body["time_in_force"]), (&json!("sell"), &json!("day")));
}

#[tokio::test]
async fn a_taken_id_is_followed_by_a_look_at_the_order_that_has_it() {
    let parrot = Parrot::default();
    let venue = alpaca(&parrot.listen().await);
    let taken = json!({"code": 40_010_001, "message": "client_order_id must be unique"});
    parrot.says(422, &taken).says(200, order("o-1", "filled", AT));
    assert_eq!(venue.submit(&ticket()).await.unwrap().broker_id, "o-1");
    assert_eq!(
        parrot.heard(),
        ["POST /v2/orders", "GET /v2/orders:by_client_order_id?client_order_id=alpaca-paper-1"]
    );
    // Not to be shown it, whatever the reason, leaves the order's fate open.
    let not_found = json!({"code": 40_410_000, "message": "order not found for alpaca-paper-1"});
    parrot.says(409, &taken).says(404, not_found);
    assert!(matches!(venue.submit(&ticket()).await, Err(VenueError::Unanswered { .. })));
    parrot.says(422, &taken).says_with(429, ("retry-after", "1"));
    assert!(matches!(venue.submit(&ticket()).await, Err(VenueError::Unanswered { .. })));
}

#[tokio::test]
async fn a_refusal_says_what_it_means_and_keeps_the_brokers_words() {
    let parrot = Parrot::default();
    let venue = alpaca(&parrot.listen().await);
    let held = json!({"available": "0", "code": 40_310_000, "existing_qty": "5", "held_for_orders": "5",
        "message": "insufficient qty available for order (requested: 5, available: 0)",
        "related_orders": ["6f0c2c0e-3d0b-4f3e-9d51-0b5b3d6f2a11"], "symbol": "AAPL"});
    parrot.says(403, held);
    let error = venue.submit(&ticket()).await.unwrap_err();
    let VenueError::Refused { why, said, .. } = error else { panic!("{error}") };
    assert_eq!(why, Refusal::HeldShares);
    assert!(said.contains("6f0c2c0e-3d0b-4f3e-9d51-0b5b3d6f2a11"), "{said}");
}

#[tokio::test]
async fn whatever_is_no_answer_leaves_an_order_in_doubt() {
    let parrot = Parrot::default();
    let venue = alpaca(&parrot.listen().await);
    for (status, body) in [
        (200, "{\"id\":\"o-1\",".to_owned()),
        (200, "<html>welcome</html>".to_owned()),
        (200, String::new()),
        (200, order("o-1", "new", AT).to_string().replace("alpaca-paper-1", "somebody-elses")),
        (302, String::new()),
        (408, String::new()),
        (409, "{\"message\":\"conflict\"}".to_owned()),
        (500, "{\"code\":50010000,\"message\":\"internal\"}".to_owned()),
        (502, String::new()),
        (503, "{\"code\":50310000,\"message\":\"service unavailable\"}".to_owned()),
        (504, "<html>gateway</html>".to_owned()),
    ] {
        parrot.says(status, &body);
        let error = venue.submit(&ticket()).await.unwrap_err();
        assert!(matches!(error, VenueError::Unanswered { .. }), "{status} {body}: {error}");
    }
    assert_eq!(parrot.heard().len(), 11, "nothing was tried twice, no redirect followed");
}

/// Hears a request, and hangs up or falls silent in the way it is told.
async fn dying(answer: Option<&'static [u8]>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut heard = [0; 4096];
                let _ = socket.read(&mut heard).await;
                match answer {
                    Some(answer) => drop(socket.write_all(answer).await),
                    None => std::future::pending::<()>().await,
                }
            });
        }
    });
    url
}

#[tokio::test]
async fn a_line_that_breaks_after_the_order_left_leaves_it_in_doubt() {
    let silence = None;
    let hangs_up = Some(&b""[..]);
    let cut_short = Some(&b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"id\":"[..]);
    for answer in [silence, hangs_up, cut_short] {
        let error = alpaca(&dying(answer).await).submit(&ticket()).await.unwrap_err();
        assert!(matches!(error, VenueError::Unanswered { .. }), "{answer:?}: {error}");
    }
}

#[tokio::test]
async fn a_broker_that_cannot_be_reached_was_sent_nothing() {
    // A port that was free a moment ago, and a name that there is not.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for url in [format!("http://127.0.0.1:{port}"), "http://broker.invalid".to_owned()] {
        let error = alpaca(&url).submit(&ticket()).await.unwrap_err();
        assert!(matches!(error, VenueError::Unreachable { .. }), "{url}: {error}");
    }
}

#[tokio::test]
async fn after_a_429_nothing_more_leaves_until_the_wait_is_over() {
    let parrot = Parrot::default();
    let url = parrot.listen().await;
    let clock = Clock::told(AT.parse().unwrap());
    let venue = Alpaca::new(&settings(&url), clock.clone()).unwrap();
    parrot.says_with(429, ("retry-after", "9"));
    for _ in 0..2 {
        let error = venue.submit(&ticket()).await.unwrap_err();
        let VenueError::Throttled { retry_in, .. } = error else { panic!("{error}") };
        assert_eq!(retry_in, Duration::from_secs(9));
    }
    assert_eq!(parrot.heard().len(), 1);
    // The market data's host has a budget of its own.
    parrot.says(200, json!({"quotes": {}}));
    assert_eq!(venue.quote("AAPL").await.unwrap(), None);
    clock.sleep(Duration::from_secs(9)).await;
    parrot.says(200, order("o-1", "new", AT));
    venue.submit(&ticket()).await.unwrap();
}

#[tokio::test]
async fn a_wrong_key_is_told_as_such_and_never_repeated() {
    let parrot = Parrot::default();
    let venue = alpaca(&parrot.listen().await);
    for (status, body) in [
        (401, "{\"code\":40110000,\"message\":\"request is not authorized\"}"),
        (401, "key the-key with the-secret is unknown"),
        (403, "{\"message\":\"forbidden.\"}"),
    ] {
        parrot.says(status, body).says(status, body);
        for error in [venue.submit(&ticket()).await.unwrap_err(), venue.account().await.unwrap_err()] {
            assert!(matches!(error, VenueError::Unauthorized { .. }), "{error}");
            let told = format!("{error} {error:?} {venue:?}");
            assert!(!told.contains("the-key") && !told.contains("the-secret"), "{told}");
        }
    }
}

#[tokio::test]
async fn an_order_that_alpaca_does_not_know_is_none() {
    let parrot = Parrot::default();
    let venue = alpaca(&parrot.listen().await);
    parrot.says(404, json!({"code": 40_410_000, "message": "order not found for 7"}));
    parrot.says(422, json!({"code": 40_010_001, "message": "order_id is missing"}));
    parrot.says(404, "{}").says(500, "");
    assert_eq!(venue.ask("7").await.unwrap(), None);
    assert_eq!(venue.ask("no uuid/../x").await.unwrap(), None);
    assert_eq!(venue.search(&ticket(), Timestamp::UNIX_EPOCH, &HashSet::new()).await.unwrap(), []);
    assert!(matches!(venue.ask("7").await, Err(VenueError::Unanswered { .. })));
    assert_eq!(parrot.heard()[1], "GET /v2/orders/no%20uuid%2F..%2Fx");
}

#[tokio::test]
async fn a_cancel_of_what_is_over_is_no_error() {
    let parrot = Parrot::default();
    let venue = alpaca(&parrot.listen().await);
    parrot.says(204, "");
    parrot.says(422, json!({"code": 42_210_000, "message": "order is already in \"filled\" state"}));
    parrot.says(422, json!({"code": 42_210_000, "message": "order pending cancel"}));
    parrot.says(404, json!({"code": 40_410_000, "message": "order not found for o-1"}));
    for _ in 0..4 {
        venue.cancel("o-1").await.unwrap();
    }
    parrot.says(503, "");
    assert!(matches!(venue.cancel("o-1").await, Err(VenueError::Unanswered { .. })));
    assert_eq!(parrot.heard()[0], "DELETE /v2/orders/o-1");
}

fn activity(number: usize, order: &str) -> Value {
    json!({"id": format!("20261120103001650::{number}"), "activity_type": "FILL", "type": "fill", "price": "10",
           "transaction_time": AT, "qty": "1", "side": "sell", "symbol": "AAPL", "leaves_qty": "0", "cum_qty": "1",
           "order_id": order, "order_status": "filled"})
}

#[tokio::test]
async fn executions_are_read_page_by_page_each_once() {
    let parrot = Parrot::default();
    let venue = alpaca(&parrot.listen().await);
    let page =
        |numbers: std::ops::Range<usize>| Value::Array(numbers.map(|it| activity(it, "o-1")).collect());
    parrot.says(200, page(0..100)).says(200, page(99..130));
    let read = venue.executions(Of::Since(AT.parse().unwrap())).await.unwrap();
    let ids: HashSet<&str> = read.iter().map(|execution| execution.id.as_str()).collect();
    assert_eq!((read.len(), ids.len()), (130, 130));
    assert_eq!(
        parrot.heard(),
        [
            "GET /v2/account/activities/FILL?direction=asc&page_size=100&after=2026-11-20T15%3A30%3A00.999Z",
            "GET /v2/account/activities/FILL?direction=asc&page_size=100&after=2026-11-20T15%3A30%3A00.999Z\
             &page_token=20261120103001650%3A%3A99",
        ]
    );
    // Of an order, those of that order, even where the question is not understood.
    parrot.says(200, json!([activity(1, "o-1"), activity(2, "o-2")]));
    let read = venue.executions(Of::Order("o-2")).await.unwrap();
    assert_eq!(read.iter().map(|it| it.cash.to_string()).collect::<Vec<_>>(), ["10"]);
}

#[tokio::test]
async fn orders_are_read_page_by_page_across_the_same_instant() {
    let parrot = Parrot::default();
    let venue = alpaca(&parrot.listen().await);
    let page = |numbers: std::ops::Range<usize>, at: &str| {
        numbers.map(|it| order(&format!("o-{it}"), "filled", at)).collect::<Vec<_>>()
    };
    let first = [page(0..498, AT), page(498..500, "2026-11-20T15:30:02Z")].concat();
    parrot.says(200, Value::Array(first)).says(200, Value::Array(page(498..503, "2026-11-20T15:30:02Z")));
    let read = venue.orders(AT.parse().unwrap()).await.unwrap();
    let ids: HashSet<&str> = read.iter().map(|report| report.broker_id.as_str()).collect();
    assert_eq!((read.len(), ids.len()), (503, 503));
    assert!(
        parrot.heard()[1]
            .ends_with("status=all&direction=asc&nested=false&limit=500&after=2026-11-20T15%3A30%3A01.999Z")
    );
    // A page of one instant that never ends is no answer.
    let stuck = Value::Array(page(0..500, AT));
    parrot.says(200, &stuck).says(200, &stuck);
    assert!(matches!(venue.orders(AT.parse().unwrap()).await, Err(VenueError::Unanswered { .. })));
}

#[tokio::test]
async fn todays_hours_are_those_of_the_brokers_day() {
    let parrot = Parrot::default();
    let venue = alpaca(&parrot.listen().await);
    // Half past midnight in UTC is yesterday evening in New York.
    let clock = json!({"timestamp": "2026-11-20T19:30:00.5-05:00", "is_open": false,
                       "next_open": "2026-11-23T09:30:00-05:00", "next_close": "2026-11-23T16:00:00-05:00"});
    let day = |date: &str| json!([{"date": date, "open": "09:30", "close": "13:00", "session_open": "0400", "session_close": "1700"}]);
    parrot.says(200, &clock).says(200, day("2026-11-20"));
    let market = venue.market().await.unwrap();
    assert_eq!((market.now.to_string(), market.is_open), ("2026-11-21T00:30:00.5Z".to_owned(), Some(false)));
    assert_eq!(market.day.unwrap().close.to_string(), "2026-11-20T18:00:00Z");
    assert_eq!(parrot.heard()[1], "GET /v2/calendar?start=2026-11-20&end=2026-11-20");
    // No day, or a later one, is a closed day; an earlier one is nonsense.
    for closed in [json!([]), day("2026-11-23")] {
        parrot.says(200, &clock).says(200, closed);
        assert_eq!(venue.market().await.unwrap().day, None);
    }
    for nonsense in [day("2026-11-19"), json!([{"date": "2026-11-20", "open": "16:00", "close": "09:30"}])] {
        parrot.says(200, &clock).says(200, nonsense);
        assert!(matches!(venue.market().await, Err(VenueError::Unanswered { .. })));
    }
}

#[tokio::test]
async fn quotes_without_entitlement_are_none_and_other_troubles_are_errors() {
    let parrot = Parrot::default();
    let venue = alpaca(&parrot.listen().await);
    parrot.says(403, json!({"message": "forbidden."}));
    parrot.says(
        422,
        json!({"code": 42_210_000, "message": "subscription does not permit querying recent SIP data"}),
    );
    assert_eq!(venue.quote("AAPL").await.unwrap(), None);
    assert_eq!(venue.quote("AAPL").await.unwrap(), None);
    parrot.says(500, "").says(200, json!({"quotes": {"AAPL": {"ap": 187.27, "bp": 187.25, "t": AT}}}));
    assert!(matches!(venue.quote("AAPL").await, Err(VenueError::Unanswered { .. })));
    assert_eq!(venue.quote("AAPL").await.unwrap().unwrap().ask.to_string(), "187.27");
    assert_eq!(parrot.heard()[0], "GET /v2/stocks/quotes/latest?symbols=AAPL");
}

#[tokio::test]
async fn the_account_is_read_with_what_it_holds() {
    let parrot = Parrot::default();
    let venue = alpaca(&parrot.listen().await);
    parrot.says(200, json!({"id": "acc", "cash": "100000.50", "status": "ACTIVE", "trading_blocked": false}));
    parrot
        .says(200, json!([{"symbol": "AAPL", "asset_class": "us_equity", "qty": "5", "qty_available": "3"}]));
    let account = venue.account().await.unwrap();
    assert_eq!((account.cash.to_string(), account.blocked), ("100000.5".to_owned(), None));
    assert_eq!(account.holdings["AAPL"].available, shares("3"));
    assert_eq!(parrot.heard(), ["GET /v2/account", "GET /v2/positions"]);
}

#[tokio::test]
async fn a_listing_must_be_active_to_be_tradable() {
    let parrot = Parrot::default();
    let venue = alpaca(&parrot.listen().await);
    parrot.says(200, json!({"status": "active", "tradable": true, "fractionable": true, "shortable": true}));
    parrot.says(200, json!({"status": "inactive", "tradable": true}));
    parrot.says(404, json!({"code": 40_410_000, "message": "asset not found for XYZ"}));
    assert!(venue.listing("AAPL").await.unwrap().unwrap().tradable);
    assert!(!venue.listing("GONE").await.unwrap().unwrap().tradable);
    assert_eq!(venue.listing("XYZ").await.unwrap(), None);
}

#[tokio::test]
async fn the_broker_apis_paths_and_credentials_fit_too() {
    let parrot = Parrot::default();
    let url = parrot.listen().await;
    let settings = VenueSettings {
        path_prefix: "/v1/trading/accounts/acc-1".to_owned(),
        auth: AuthStyle::Basic,
        ..settings(&url)
    };
    let venue = Alpaca::new(&settings, Clock::Wall).unwrap();
    parrot.says(200, order("o-1", "new", AT)).says(200, "[]").says(404, "{}").says(404, "{}");
    parrot.says(200, json!({"timestamp": AT, "is_open": true})).says(200, "[]");
    venue.submit(&ticket()).await.unwrap();
    venue.executions(Of::Order("o-1")).await.unwrap();
    venue.search(&ticket(), Timestamp::UNIX_EPOCH, &HashSet::new()).await.unwrap();
    venue.listing("AAPL").await.unwrap();
    venue.market().await.unwrap();
    assert_eq!(
        parrot.heard(),
        [
            "POST /v1/trading/accounts/acc-1/orders",
            "GET /v1/accounts/activities/FILL?account_id=acc-1&direction=asc&page_size=100&order_id=o-1",
            "GET /v1/trading/accounts/acc-1/orders:by_client_order_id?client_order_id=alpaca-paper-1",
            "GET /v1/assets/AAPL",
            "GET /v1/clock",
            "GET /v1/calendar?start=2026-11-20&end=2026-11-20",
        ]
    );
    let signed = parrot.heard.lock().unwrap()[0].headers["authorization"].clone();
    assert_eq!(signed, "Basic dGhlLWtleTp0aGUtc2VjcmV0");
}
