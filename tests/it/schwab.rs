//! The door to Schwab, over HTTP: logins, orders without an id of ours, and what is made of the answers.

use std::{
    collections::HashSet,
    sync::{Arc, atomic::Ordering},
};

use async_trait::async_trait;
use axum::http::Method;
use hedge::{
    book::{
        fill::Side,
        order::{Refusal, Status, Terms, Ticket},
    },
    engine::logins::Logins,
    secret::{SealingKey, Secret},
    time::Clock,
    units::{Price, Shares},
    venue::{
        AuthStyle, Broker, Cause, Environment, Of, Venue, VenueError, VenueSettings,
        schwab::{Held, OAuth, Schwab, Tokens, login::Login},
    },
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{parrot::Parrot, world::World};

const NOW: &str = "2026-11-20T15:30:00Z";
const ORDERS: &str = "/trader/v1/accounts/A1B2/orders";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Logins in memory.
#[derive(Clone, Debug, Default)]
pub struct Drawer(pub Arc<Mutex<Option<Login>>>);

struct Pulled(OwnedMutexGuard<Option<Login>>);

#[async_trait]
impl Tokens for Drawer {
    async fn hold(&self, _venue: &str) -> Result<Box<dyn Held>, Cause> {
        Ok(Box::new(Pulled(self.0.clone().lock_owned().await)))
    }
}

#[async_trait]
impl Held for Pulled {
    fn login(&self) -> Option<Login> {
        self.0.clone()
    }

    async fn replace(mut self: Box<Self>, login: &Login) -> Result<(), Cause> {
        *self.0 = Some(login.clone());
        Ok(())
    }
}

fn settings(url: &str) -> VenueSettings {
    VenueSettings {
        name: "schwab".to_owned(),
        broker: Broker::Schwab,
        environment: Environment::Live,
        base_url: url.to_owned(),
        data_url: url.to_owned(),
        path_prefix: "/trader/v1".to_owned(),
        auth: AuthStyle::Bearer,
        key: Some(Secret::new("app-key")),
        secret: Some(Secret::new("app-secret")),
        redirect_uri: "https://127.0.0.1:8182".to_owned(),
        account_index: 1,
        rate: 120,
        timeout_ms: 2_000,
    }
}

/// A login made at `login_at`, whose access token `access` is good for ten minutes more.
fn login(access: &str, login_at: &str) -> Login {
    Login {
        access: Secret::new(access),
        refresh: Secret::new("refresh-1"),
        login_at: at(login_at),
        refreshed_at: at("2026-11-20T15:10:00Z"),
        access_until: at("2026-11-20T15:40:00Z"),
    }
}

struct Desk {
    parrot: Parrot,
    clock: Clock,
    drawer: Drawer,
    venue: Schwab,
}

impl Desk {
    /// Nobody has logged in.
    async fn new() -> Self {
        let (parrot, clock, drawer) = (Parrot::default(), Clock::told(at(NOW)), Drawer::default());
        let venue = Schwab::new(&settings(&parrot.listen().await), Arc::new(drawer.clone()), clock.clone());
        Self { venue: venue.unwrap(), parrot, clock, drawer }
    }

    async fn with(login: Login) -> Self {
        let desk = Self::new().await;
        *desk.drawer.0.lock().await = Some(login);
        desk
    }

    /// Logged in since Monday, and the account's number is known.
    async fn settled() -> Self {
        let desk = Self::with(login("access-1", "2026-11-16T14:00:00Z")).await;
        desk.parrot.says(200, numbers()).says(200, "[]");
        desk.venue.orders(at(NOW)).await.unwrap();
        desk.parrot.heard.lock().unwrap().clear();
        desk
    }
}

fn numbers() -> Value {
    json!([{"accountNumber": "1", "hashValue": "FFFF"}, {"accountNumber": "12345678", "hashValue": "A1B2"}])
}

fn granted(access: &str, refresh: &str) -> Value {
    json!({"expires_in": 1800, "token_type": "Bearer", "scope": "api", "refresh_token": refresh,
           "access_token": access, "id_token": "x"})
}

fn ticket() -> Ticket {
    Ticket {
        client_id: "schwab-live-1".to_owned(),
        symbol: "AAPL".to_owned(),
        side: Side::Buy,
        quantity: Shares("15".parse().unwrap()),
        terms: Terms::Market,
    }
}

fn order(id: u64, entered: &str) -> Value {
    json!({"session": "NORMAL", "duration": "DAY", "orderType": "MARKET", "quantity": 15.0, "filledQuantity": 15.0,
        "orderLegCollection": [{"legId": 1, "instrument": {"assetType": "EQUITY", "symbol": "AAPL"}, "instruction": "BUY",
        "quantity": 15.0}], "orderId": id, "status": "FILLED", "enteredTime": entered, "tag": "TA_myapp",
        "orderActivityCollection": [{"activityType": "EXECUTION", "activityId": id * 10, "executionType": "FILL",
        "executionLegs": [{"legId": 1, "quantity": 15.0, "price": 187.2567, "time": "2026-11-20T15:30:02+0000"}]}]})
}

#[tokio::test]
async fn an_order_is_sent_once_and_looked_at_before_it_is_owned() {
    for location in
        ["https://api.schwabapi.com/trader/v1/accounts/A1B2/orders/7", "/trader/v1/accounts/A1B2/orders/7"]
    {
        let desk = Desk::settled().await;
        desk.parrot.says_with(201, ("location", location)).says(200, order(7, "2026-11-20T15:30:01+0000"));
        let report = desk.venue.submit(&ticket()).await.unwrap();
        assert_eq!((report.broker_id.as_str(), report.status), ("7", Status::Filled));
        assert_eq!(desk.parrot.heard(), [format!("POST {ORDERS}"), format!("GET {ORDERS}/7")]);
        let sent = desk.parrot.heard.lock().unwrap()[0].clone();
        assert_eq!(sent.headers["authorization"], "Bearer access-1");
        assert_eq!(
            sent.body,
            json!({"orderType": "MARKET", "session": "NORMAL", "duration": "DAY", "orderStrategyType": "SINGLE",
                   "orderLegCollection": [{"instruction": "BUY", "quantity": 15,
                                           "instrument": {"symbol": "AAPL", "assetType": "EQUITY"}}]})
        );
    }
}

#[tokio::test]
async fn outside_the_regular_session_an_order_is_a_limit_and_a_sale_is_never_short() {
    let desk = Desk::settled().await;
    desk.parrot.says(400, json!({"message": "no", "errors": []}));
    let price = Price::of("150.25".parse().unwrap()).unwrap();
    let _ =
        desk.venue.submit(&Ticket { side: Side::Sell, terms: Terms::ExtendedLimit(price), ..ticket() }).await;
    let sent = desk.parrot.heard.lock().unwrap()[0].body.clone();
    assert_eq!(
        (&sent["orderType"], &sent["session"], &sent["price"]),
        (&json!("LIMIT"), &json!("SEAMLESS"), &json!("150.25"))
    );
    assert_eq!(sent["orderLegCollection"][0]["instruction"], "SELL");
}

#[tokio::test]
async fn an_answer_that_does_not_lead_to_our_order_leaves_it_in_doubt() {
    let named = ("location", "https://api.schwabapi.com/trader/v1/accounts/A1B2/orders/7");
    let ours = order(7, "2026-11-20T15:30:01+0000");
    let changed = |key: &str, value: Value| {
        let mut order = ours.clone();
        order[key] = value;
        order
    };
    for other in [
        changed("quantity", json!(14.0)),
        changed("enteredTime", json!("2026-11-20T15:20:00+0000")),
        changed("orderLegCollection", json!([{"instrument": {"symbol": "MSFT"}, "instruction": "BUY"}])),
        changed("orderLegCollection", json!([{"instrument": {"symbol": "AAPL"}, "instruction": "SELL"}])),
    ] {
        let desk = Desk::settled().await;
        desk.parrot.says_with(201, named).says(200, other.clone());
        let error = desk.venue.submit(&ticket()).await.unwrap_err();
        assert!(matches!(error, VenueError::Unanswered { .. }), "{other}: {error}");
    }
    // Not named, not shown, not to be looked at.
    let desk = Desk::settled().await;
    desk.parrot.says(201, "").says_with(201, named).says(404, "{}").says_with(201, named).says(500, "");
    for _ in 0..3 {
        assert!(matches!(desk.venue.submit(&ticket()).await, Err(VenueError::Unanswered { .. })));
    }
    assert_eq!(desk.parrot.heard().iter().filter(|it| it.starts_with("POST")).count(), 3);
}

#[tokio::test]
async fn a_refusal_is_one_only_in_schwabs_own_words() {
    let desk = Desk::settled().await;
    desk.parrot.says(400, json!({"message": "Insufficient buying power", "errors": []}));
    let error = desk.venue.submit(&ticket()).await.unwrap_err();
    assert!(matches!(error, VenueError::Refused { why: Refusal::Funds, .. }), "{error}");
    for (status, body) in [(400, "<html>"), (404, ""), (403, "blocked"), (500, "{}"), (503, ""), (302, "")] {
        desk.parrot.says(status, body);
        let error = desk.venue.submit(&ticket()).await.unwrap_err();
        assert!(matches!(error, VenueError::Unanswered { .. }), "{status} {body}: {error}");
    }
}

#[tokio::test]
async fn a_part_of_a_share_is_not_even_sent() {
    let desk = Desk::settled().await;
    for quantity in ["0.5", "1.000000001", "0"] {
        let ticket = Ticket { quantity: Shares(quantity.parse().unwrap()), ..ticket() };
        let error = desk.venue.submit(&ticket).await.unwrap_err();
        assert!(matches!(error, VenueError::Refused { why: Refusal::NotFractionable, .. }), "{error}");
    }
    assert!(desk.parrot.heard().is_empty());
}

#[tokio::test]
async fn a_lost_order_is_searched_by_what_it_looks_like() {
    let desk = Desk::settled().await;
    let mut typed = order(3, "2026-11-20T15:30:01+0000");
    typed["tag"] = json!("API_TOS:person");
    let listed = json!([
        order(1, "2026-11-20T15:30:01+0000"),
        order(2, "2026-11-20T15:30:01+0000"),
        typed,
        order(4, "2026-11-20T15:28:59+0000")
    ]);
    desk.parrot.says(200, &listed).says(200, &listed);
    let found = desk.venue.search(&ticket(), at(NOW), &HashSet::from(["1".to_owned()])).await.unwrap();
    assert_eq!(found.iter().map(|it| it.broker_id.as_str()).collect::<Vec<_>>(), ["2"]);
    let found = desk.venue.search(&ticket(), at(NOW), &HashSet::new()).await.unwrap();
    assert_eq!(found.len(), 2, "which of two is not guessed here");
    let window = "fromEnteredTime=2026-11-20T15%3A29%3A00.000Z&toEnteredTime=2026-11-20T15%3A31%3A00.000Z";
    assert_eq!(desk.parrot.heard()[0], format!("GET {ORDERS}?{window}"));
}

#[tokio::test]
async fn a_search_reaches_as_far_as_the_clocks_were_seen_to_differ() {
    let desk = Desk::settled().await;
    // Our clock is ten minutes fast: what was entered now is ten minutes old to us.
    desk.parrot.says_dated(200, "Fri, 20 Nov 2026 15:20:00 GMT", "[]");
    desk.venue.orders(at(NOW)).await.unwrap();
    desk.parrot.says(200, json!([order(1, "2026-11-20T15:20:01+0000")]));
    let found = desk.venue.search(&ticket(), at(NOW), &HashSet::new()).await.unwrap();
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn tokens_are_renewed_five_minutes_early_by_one_of_many_who_ask() {
    let desk = Desk::settled().await;
    desk.clock.sleep(std::time::Duration::from_mins(5)).await;
    desk.parrot.says(200, granted("access-2", "refresh-2"));
    for _ in 0..8 {
        desk.parrot.says(200, "[]");
    }
    let asked = futures_util::future::join_all((0..8).map(|_| desk.venue.orders(at(NOW)))).await;
    assert!(asked.iter().all(Result::is_ok));
    let heard = desk.parrot.heard.lock().unwrap().clone();
    let renewals: Vec<_> = heard.iter().filter(|it| it.uri.path() == "/v1/oauth/token").collect();
    assert_eq!(renewals.len(), 1);
    assert_eq!(renewals[0].headers["authorization"], "Basic YXBwLWtleTphcHAtc2VjcmV0");
    assert!(heard.iter().skip(1).all(|it| it.headers["authorization"] == "Bearer access-2"));
    let kept = desk.drawer.0.lock().await.clone().unwrap();
    assert_eq!((kept.refresh.expose(), kept.login_at), ("refresh-2", at("2026-11-16T14:00:00Z")));
    assert_eq!(kept.access_until, at(NOW) + SignedDuration::from_mins(35));
}

#[tokio::test]
async fn two_processes_renew_once() {
    let one = Desk::settled().await;
    let url = one.parrot.listen().await;
    let other = Schwab::new(&settings(&url), Arc::new(one.drawer.clone()), one.clock.clone()).unwrap();
    one.clock.sleep(std::time::Duration::from_mins(6)).await;
    one.parrot
        .says(200, granted("access-2", "refresh-2"))
        .says(200, "[]")
        .says(200, numbers())
        .says(200, "[]");
    one.venue.orders(at(NOW)).await.unwrap();
    other.orders(at(NOW)).await.unwrap();
    let renewals = one.parrot.heard().iter().filter(|it| it.contains("token")).count();
    assert_eq!(renewals, 1, "the second finds what the first renewed");
}

#[tokio::test]
async fn while_tokens_still_hold_a_renewal_that_fails_is_tried_again_later() {
    let desk = Desk::settled().await;
    desk.clock.sleep(std::time::Duration::from_mins(6)).await;
    desk.parrot.says(503, "").says(200, "[]");
    desk.venue.orders(at(NOW)).await.unwrap();
    // When they do not hold any more, nothing is sent.
    desk.clock.sleep(std::time::Duration::from_mins(5)).await;
    desk.parrot.says(503, "");
    let error = desk.venue.submit(&ticket()).await.unwrap_err();
    assert!(matches!(error, VenueError::Unreachable { .. }), "{error}");
    assert!(!desk.parrot.heard().iter().any(|it| it.starts_with(&format!("POST {ORDERS}"))));
}

#[tokio::test]
async fn a_login_that_is_over_is_not_tried_and_the_next_one_is_found() {
    let over = login("access-1", "2026-11-13T15:29:59Z");
    let desk = Desk::with(over).await;
    let error = desk.venue.submit(&ticket()).await.unwrap_err();
    let VenueError::Unauthorized { said, next, .. } = &error else { panic!("{error}") };
    assert_eq!(said, "the login of 2026-11-13T15:29:59Z is over: it lasts seven days");
    assert!(next.contains("hedge auth schwab"), "{next}");
    assert!(desk.parrot.heard().is_empty());
    *desk.drawer.0.lock().await = Some(login("access-9", NOW));
    desk.parrot.says(200, numbers()).says(200, "[]");
    desk.venue.orders(at(NOW)).await.unwrap();
}

#[tokio::test]
async fn a_dead_refresh_token_is_tried_once_and_asks_for_a_person() {
    for (status, body) in [
        (
            400,
            json!({"error": "unsupported_token_type", "error_description": "400 Bad Request: \"{\\\"error\\\":\\\"refresh_token_authentication_error\\\"}\""}),
        ),
        (400, json!({"error": "invalid_grant", "error_description": "refresh-1 is not known"})),
        (401, json!({"error": "invalid_client"})),
    ] {
        let mut login = login("access-1", "2026-11-16T14:00:00Z");
        login.access_until = at(NOW);
        let desk = Desk::with(login).await;
        desk.parrot.says(status, body);
        for _ in 0..3 {
            let error = desk.venue.account().await.unwrap_err();
            assert!(
                matches!(&error, VenueError::Unauthorized { next, .. } if next.contains("hedge auth schwab")),
                "{error}"
            );
            assert!(!format!("{error:?}").contains("refresh-1"), "{error:?}");
        }
        assert_eq!(desk.parrot.heard().len(), 1);
    }
    let error = Desk::new().await.venue.account().await.unwrap_err();
    assert!(error.to_string().contains("nobody has logged in yet"), "{error}");
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_for_a_look_and_not_for_an_order() {
    let desk = Desk::settled().await;
    desk.parrot.says(401, "{}").says(200, granted("access-2", "refresh-2")).says(200, "[]");
    desk.venue.orders(at(NOW)).await.unwrap();
    desk.clock.sleep(std::time::Duration::from_mins(2)).await;
    desk.parrot.says(401, "{}").says(200, granted("access-3", "refresh-3"));
    let error = desk.venue.submit(&ticket()).await.unwrap_err();
    assert!(matches!(error, VenueError::Unreachable { .. }), "not placed, and worth another try: {error}");
    // A fresh token that is refused as well is not a matter of its age.
    desk.parrot.says(401, "{}");
    let error = desk.venue.submit(&ticket()).await.unwrap_err();
    assert!(matches!(error, VenueError::Unauthorized { .. }), "{error}");
    assert_eq!(desk.parrot.heard().iter().filter(|it| it.starts_with(&format!("POST {ORDERS}"))).count(), 2);
}

#[tokio::test]
async fn a_new_login_looks_the_account_up_anew() {
    let desk = Desk::settled().await;
    let mut next = login("access-9", "2026-11-20T15:31:00Z");
    next.access_until = at("2026-11-20T18:00:00Z");
    *desk.drawer.0.lock().await = Some(next);
    desk.clock.sleep(std::time::Duration::from_mins(6)).await;
    let moved =
        json!([{"accountNumber": "1", "hashValue": "FFFF"}, {"accountNumber": "2", "hashValue": "C3D4"}]);
    desk.parrot.says(200, moved).says(404, "{}");
    assert_eq!(desk.venue.ask("7").await.unwrap(), None);
    assert_eq!(desk.parrot.heard()[1], "GET /trader/v1/accounts/C3D4/orders/7");
}

#[tokio::test]
async fn a_cancel_says_nothing_of_what_became_of_the_order() {
    let desk = Desk::settled().await;
    for status in [200, 400, 404, 409, 422] {
        desk.parrot.says(status, "{}");
        desk.venue.cancel("7").await.unwrap();
    }
    desk.parrot.says(500, "");
    assert!(matches!(desk.venue.cancel("7").await, Err(VenueError::Unanswered { .. })));
    assert_eq!(desk.parrot.heard.lock().unwrap()[0].method, Method::DELETE);
}

#[tokio::test]
async fn executions_since_a_time_are_those_of_orders_entered_up_to_a_week_before() {
    let desk = Desk::settled().await;
    let mut early = order(2, "2026-11-19T15:30:00+0000");
    early["orderActivityCollection"][0]["executionLegs"][0]["time"] = json!("2026-11-20T15:00:00+0000");
    desk.parrot.says(200, json!([order(1, "2026-11-20T15:30:01+0000"), early]));
    let found = desk.venue.executions(Of::Since(at("2026-11-20T15:30:00Z"))).await.unwrap();
    assert_eq!(found.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["10-1"]);
    assert!(desk.parrot.heard()[0].contains("fromEnteredTime=2026-11-13T15%3A30%3A00.000Z"));
}

#[tokio::test]
async fn the_time_is_that_of_schwabs_answers() {
    let desk = Desk::settled().await;
    let hours = json!({"equity": {"EQ": {"date": "2026-11-20", "isOpen": true, "sessionHours": {"regularMarket":
        [{"start": "2026-11-20T09:30:00-05:00", "end": "2026-11-20T16:00:00-05:00"}]}}}});
    desk.parrot.says_dated(200, "Fri, 20 Nov 2026 15:35:00 GMT", hours);
    let market = desk.venue.market().await.unwrap();
    assert_eq!((market.now, market.is_open), (at("2026-11-20T15:35:00Z"), None));
    assert_eq!(market.day.unwrap().close, at("2026-11-20T21:00:00Z"));
    assert_eq!(desk.parrot.heard(), ["GET /marketdata/v1/markets?markets=equity&date=2026-11-20"]);
}

#[tokio::test]
async fn a_quote_of_an_unknown_share_is_none() {
    let desk = Desk::settled().await;
    desk.parrot.says(200, json!({"errors": {"invalidSymbols": ["AAPL"]}}));
    assert_eq!(desk.venue.quote("AAPL").await.unwrap(), None);
    assert_eq!(desk.parrot.heard(), ["GET /marketdata/v1/quotes?symbols=AAPL&fields=quote%2Creference"]);
}

#[tokio::test]
async fn a_person_logs_in_with_a_code_and_no_error_repeats_it() {
    let parrot = Parrot::default();
    let clock = Clock::told(at(NOW));
    let door = OAuth::new(&settings(&parrot.listen().await), clock).unwrap();
    let url = door.authorize_url();
    assert!(url.ends_with("/v1/oauth/authorize?response_type=code&client_id=app-key&redirect_uri=https%3A%2F%2F127.0.0.1%3A8182"), "{url}");
    let code = OAuth::code_in("https://127.0.0.1:8182/?code=C0.x%40&session=s").unwrap();
    parrot.says(200, granted("access-1", "refresh-1"));
    let login = door.log_in(&code).await.unwrap();
    assert_eq!((login.login_at, login.ends_at()), (at(NOW), at("2026-11-27T15:30:00Z")));
    parrot.says(400, json!({"error": "invalid_grant", "error_description": "C0.x@ is spent"}));
    parrot.says(200, "{\"access_token\":\"access-2\"");
    for _ in 0..2 {
        let told = format!("{:?}", door.log_in(&code).await.unwrap_err());
        assert!(!told.contains("C0.x") && !told.contains("access-2"), "{told}");
    }
}

#[tokio::test]
async fn a_login_in_the_database_is_renewed_there() {
    let world = World::new().await;
    let key = SealingKey::parse(&Secret::new("a".repeat(64))).unwrap();
    let logins = Logins::new(world.pool().clone(), key);
    let before = login("access-1", "2026-11-16T14:00:00Z");
    logins.hold("schwab").await.unwrap().replace(&before).await.unwrap();
    let (parrot, clock) = (Parrot::default(), Clock::told(at(NOW)));
    let venue =
        Schwab::new(&settings(&parrot.listen().await), Arc::new(logins.clone()), clock.clone()).unwrap();
    clock.sleep(std::time::Duration::from_mins(6)).await;
    parrot.says(200, granted("access-2", "refresh-2")).says(200, numbers()).says(200, "[]");
    venue.orders(at(NOW)).await.unwrap();
    let after = logins.hold("schwab").await.unwrap().login().unwrap();
    assert_eq!((after.access.expose(), after.refresh.expose()), ("access-2", "refresh-2"));
    assert_eq!(after.login_at, before.login_at);
    let Clock::Told(time) = &clock else { unreachable!() };
    assert_eq!(after.refreshed_at.as_millisecond(), time.load(Ordering::SeqCst));
}
