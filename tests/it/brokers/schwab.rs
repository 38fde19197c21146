//! Schwab's shapes and refusals, as `schwab.md` has them.

use std::time::Duration;

use hedge::{
    book::{fill::Side, order::Refusal},
    sim::{Ask, SchwabApp, SimAccount, SimSchwab, Strike},
};
use jiff::SignedDuration;
use reqwest::{Client, Method, RequestBuilder, redirect};
use serde_json::{Value, json};

use super::{Answer, OPEN, account, ask, client, price, shares, usd};

const CALLBACK: &str = "https://127.0.0.1:8182/back";

/// A Schwab, and a client that logged in.
struct Desk {
    account: SimAccount,
    schwab: SimSchwab,
    client: Client,
    token: String,
    hash: String,
}

impl Desk {
    async fn at(now: &str) -> Self {
        let account = account(now);
        let app = SchwabApp::default();
        let schwab = SimSchwab::serve(account.clone(), app, "127.0.0.1:0").await.unwrap();
        let mut desk = Self { account, schwab, client: client(), token: String::new(), hash: String::new() };
        desk.token = text(&desk.renewed("R").await.json()["access_token"]);
        let numbers = desk.get("/trader/v1/accounts/accountNumbers").await.json();
        desk.hash = text(&numbers[0]["hashValue"]);
        desk
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.schwab.url())
    }

    fn token(&self, form: &str) -> RequestBuilder {
        let request = self.client.post(self.url("/v1/oauth/token")).body(form.to_owned());
        request.header("content-type", "application/x-www-form-urlencoded").basic_auth("K", Some("S"))
    }

    async fn renewed(&self, refresh: &str) -> Answer {
        let refresh = refresh.replace('@', "%40");
        ask(self.token(&format!("grant_type=refresh_token&refresh_token={refresh}"))).await.unwrap()
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path)).bearer_auth(&self.token)
    }

    async fn get(&self, path: &str) -> Answer {
        ask(self.request(Method::GET, path)).await.unwrap()
    }

    fn orders(&self) -> String {
        format!("/trader/v1/accounts/{}/orders", self.hash)
    }

    async fn order(&self, body: Value) -> Answer {
        self.try_order(body).await.unwrap()
    }

    async fn try_order(&self, body: Value) -> Option<Answer> {
        ask(self.request(Method::POST, &self.orders()).body(body.to_string())).await
    }

    /// The order that an answer says was placed.
    async fn placed(&self, answer: &Answer) -> Value {
        let location = answer.header("location").unwrap();
        ask(self.client.get(location).bearer_auth(&self.token)).await.unwrap().json()
    }

    /// All orders of that hour.
    async fn listed(&self) -> Vec<Value> {
        let window = "fromEnteredTime=2026-11-20T15:00:00.000Z&toEnteredTime=2026-11-20T16:00:00.000Z";
        let list = self.get(&format!("{}?{window}", self.orders())).await;
        assert_eq!(list.status, 200, "{}", list.text);
        list.json().as_array().unwrap().clone()
    }

    fn forward(&self, seconds: i64) {
        self.account.forward(SignedDuration::from_secs(seconds));
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn market(instruction: &str, quantity: u32) -> Value {
    json!({
        "orderType": "MARKET", "session": "NORMAL", "duration": "DAY", "orderStrategyType": "SINGLE",
        "orderLegCollection": [{
            "instruction": instruction, "quantity": quantity,
            "instrument": { "symbol": "AAPL", "assetType": "EQUITY" },
        }],
    })
}

fn limit(instruction: &str, quantity: u32, price: &str) -> Value {
    let mut order = market(instruction, quantity);
    (order["orderType"], order["price"]) = (json!("LIMIT"), json!(price));
    order
}

#[tokio::test]
async fn a_login_goes_by_code_and_comes_back_as_tokens() {
    let desk = Desk::at(OPEN).await;
    // Given a person who logs in
    let browser = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
    let page = async |client_id: &str| {
        let query = [("client_id", client_id), ("redirect_uri", CALLBACK), ("response_type", "code")];
        ask(browser.get(desk.url("/v1/oauth/authorize")).query(&query)).await.unwrap()
    };
    assert_eq!(page("X").await.status, 401);
    let back = page("K").await;
    assert_eq!(back.status, 302);
    let location = back.header("location").unwrap();
    assert!(
        location.starts_with(&format!("{CALLBACK}?code=")) && location.contains("%40&session="),
        "{location}"
    );
    let code = location.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let exchange = format!(
        "grant_type=authorization_code&code={code}&redirect_uri=https%3A%2F%2F127.0.0.1%3A8182%2Fback"
    );
    // When the code is exchanged
    let tokens = ask(desk.token(&exchange)).await.unwrap();
    let body = tokens.json();
    assert_eq!(
        (tokens.status, &body["expires_in"], &body["token_type"]),
        (200, &json!(1800), &json!("Bearer"))
    );
    assert_eq!((&body["scope"], body["id_token"].is_string()), (&json!("api"), true));
    // Then it is worth nothing a second time, nor is one that is half a minute old
    assert_eq!(ask(desk.token(&exchange)).await.unwrap().json()["error"], "invalid_grant");
    let location = page("K").await.header("location").unwrap().to_owned();
    let code = location.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    desk.forward(31);
    let late = format!(
        "grant_type=authorization_code&code={code}&redirect_uri=https%3A%2F%2F127.0.0.1%3A8182%2Fback"
    );
    let late = ask(desk.token(&late)).await.unwrap();
    assert_eq!((late.status, &late.json()["error"]), (400, &json!("invalid_grant")));
    // And the new login's tokens are good
    let refresh = body["refresh_token"].as_str().unwrap();
    assert_eq!(desk.renewed(refresh).await.status, 200);
}

#[tokio::test]
async fn tokens_end_and_may_rotate() {
    let desk = Desk::at(OPEN).await;
    assert_eq!(desk.renewed("R").await.json()["refresh_token"], "R");
    desk.forward(30 * 60);
    let dead = desk.get("/trader/v1/accounts/accountNumbers").await;
    assert_eq!((dead.status, dead.message()), (401, "Client not authorized".to_owned()));
    assert_eq!(desk.get("/marketdata/v1/quotes?symbols=AAPL").await.json()["errors"][0]["status"], "401");
    // A rotation ends the token that it was asked with.
    desk.account.rotate_tokens(true);
    let next = desk.renewed("R").await.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(next, "R");
    let again = desk.renewed("R").await;
    assert_eq!((again.status, &again.json()["error"]), (400, &json!("unsupported_token_type")));
    assert!(
        again.json()["error_description"].as_str().unwrap().contains("refresh_token_authentication_error")
    );
    // Seven days from the login, whatever was refreshed meanwhile
    desk.forward(7 * 24 * 3600 - 30 * 60 - 1);
    let last = desk.renewed(&next).await;
    assert_eq!(last.status, 200);
    desk.forward(1);
    assert_eq!(desk.renewed(last.json()["refresh_token"].as_str().unwrap()).await.status, 400);
}

#[tokio::test]
async fn the_token_endpoint_wants_the_app_and_a_form() {
    let desk = Desk::at(OPEN).await;
    let form = "grant_type=refresh_token&refresh_token=R";
    let wrong = desk.client.post(desk.url("/v1/oauth/token")).body(form).basic_auth("K", Some("X"));
    let wrong = ask(wrong).await.unwrap();
    assert_eq!((wrong.status, &wrong.json()["error"]), (401, &json!("invalid_client")));
    let json = desk.client.post(desk.url("/v1/oauth/token")).basic_auth("K", Some("S")).body("{}");
    assert_eq!(ask(json).await.unwrap().status, 400);
    desk.account.expire_access();
    assert_eq!(desk.get("/trader/v1/accounts/accountNumbers").await.status, 401);
    desk.account.expire_login();
    assert_eq!(desk.renewed("R").await.status, 400);
    // Nothing of a login is remembered.
    for heard in desk.schwab.recent().iter().filter(|heard| heard.ask == Ask::Token) {
        assert!(heard.body.is_empty() && heard.answer.is_empty() && !heard.line.contains('?'), "{heard:?}");
    }
}

#[tokio::test]
async fn only_the_hash_leads_to_the_account() {
    let desk = Desk::at(OPEN).await;
    assert_eq!(desk.hash.len(), 64);
    let number = desk.account.number();
    assert_eq!(desk.get(&format!("/trader/v1/accounts/{number}")).await.status, 400);
    assert_eq!(desk.get(&format!("/trader/v1/accounts/{}", desk.hash)).await.status, 200);
    desk.account.change_hash();
    assert_eq!(desk.get(&format!("/trader/v1/accounts/{}", desk.hash)).await.status, 400);
    let stranger = desk.client.get(desk.url("/trader/v1/accounts/accountNumbers"));
    assert_eq!(ask(stranger).await.unwrap().status, 401);
}

#[tokio::test]
async fn an_order_is_only_a_location() {
    let desk = Desk::at(OPEN).await;
    let answer = desk.order(market("BUY", 15)).await;
    assert_eq!((answer.status, answer.text.as_str()), (201, ""));
    let location = answer.header("location").unwrap();
    assert!(location.starts_with(&desk.url(&desk.orders())), "{location}");
    assert!(answer.header("schwab-client-correlid").is_some());
    let order = desk.placed(&answer).await;
    assert_eq!((&order["status"], &order["orderType"]), (&json!("FILLED"), &json!("MARKET")));
    assert!(order["orderId"].as_i64().unwrap() > i64::from(u32::MAX));
    assert!(location.ends_with(&format!("/{}", order["orderId"])));
    assert_eq!(order["accountNumber"], desk.account.number());
    assert!(order["tag"].as_str().unwrap().starts_with("TA_"));
    assert_eq!(order["enteredTime"], "2026-11-20T15:30:00+0000");
    let leg = &order["orderLegCollection"][0];
    assert_eq!((&leg["instruction"], &leg["instrument"]["symbol"]), (&json!("BUY"), &json!("AAPL")));
    // Numbers, and no average price but in the legs.
    assert_eq!((&order["quantity"], &order["filledQuantity"]), (&json!(15.0), &json!(15.0)));
    let activity = &order["orderActivityCollection"][0];
    assert_eq!(
        (&activity["activityType"], &activity["executionType"]),
        (&json!("EXECUTION"), &json!("FILL"))
    );
    assert_eq!(activity["executionLegs"][0]["price"], json!(187.26));
    assert_eq!(activity["executionLegs"][0]["quantity"], json!(15.0));
    assert_eq!(desk.account.position("AAPL"), shares("15"));
}

#[tokio::test]
async fn orders_are_listed_a_second_later_between_two_times() {
    let desk = Desk::at(OPEN).await;
    desk.order(market("BUY", 15)).await;
    assert_eq!(desk.listed().await, [] as [Value; 0]);
    desk.forward(1);
    assert_eq!(desk.listed().await.len(), 1);
    assert_eq!(desk.get(&desk.orders()).await.status, 400, "both times are required");
    let half = format!("{}?fromEnteredTime=2026-11-20T15:00:00.000Z", desk.orders());
    assert_eq!(desk.get(&half).await.status, 400);
    let query = "fromEnteredTime=2026-11-20T15:30:01.000Z&toEnteredTime=2026-11-20T16:00:00.000Z";
    assert_eq!(desk.get(&format!("{}?{query}", desk.orders())).await.json(), json!([]));
    let query =
        "fromEnteredTime=2026-11-20T15:00:00.000Z&toEnteredTime=2026-11-20T16:00:00.000Z&status=WORKING";
    assert_eq!(desk.get(&format!("/trader/v1/orders?{query}")).await.json(), json!([]));
    let query = "fromEnteredTime=2025-11-01T15:00:00.000Z&toEnteredTime=2026-11-20T16:00:00.000Z";
    assert_eq!(desk.get(&format!("{}?{query}", desk.orders())).await.status, 400, "more than a year");
}

#[tokio::test]
async fn what_is_not_well_formed_is_refused_at_once() {
    let desk = Desk::at(OPEN).await;
    let with = |name: &str, value: Value| {
        let mut order = market("BUY", 1);
        order[name] = value;
        order
    };
    let mut fraction = market("BUY", 1);
    fraction["orderLegCollection"][0]["quantity"] = json!(1.5);
    let mut priceless = limit("BUY", 1, "100");
    priceless.as_object_mut().unwrap().remove("price");
    for order in [
        with("tag", json!("mine")),
        with("requestedDestination", json!("INET")),
        with("session", json!("NIGHT")),
        with("duration", json!("FOR_EVER")),
        with("orderLegCollection", json!([])),
        market("HOLD", 1),
        market("BUY", 0),
        fraction,
        priceless,
        json!("order"),
    ] {
        let answer = desk.order(order.clone()).await;
        assert_eq!(answer.status, 400, "{order}");
        assert_eq!(answer.message(), "A validation error occurred while processing the request.", "{order}");
        assert!(answer.json()["errors"].is_array());
    }
    assert_eq!(desk.account.orders(), []);
}

#[tokio::test]
async fn what_cannot_be_done_is_rejected_later() {
    let desk = Desk::at(OPEN).await;
    let mut unknown = market("BUY", 1);
    unknown["orderLegCollection"][0]["instrument"]["symbol"] = json!("NOPE");
    let mut evening = market("BUY", 1);
    evening["session"] = json!("SEAMLESS");
    for (order, reason) in [
        (market("BUY", 10_000), "enough available cash"),
        (market("SELL", 1), "oversold"),
        (market("SELL_SHORT", 1), "sell short"),
        (market("BUY_TO_COVER", 1), "oversold/overbought"),
        (unknown, "symbol"),
        (evening, "normal session"),
    ] {
        let answer = desk.order(order.clone()).await;
        assert_eq!(answer.status, 201, "{order}");
        assert_eq!(desk.placed(&answer).await["status"], "PENDING_ACKNOWLEDGEMENT");
        desk.forward(1);
        let rejected = desk.placed(&answer).await;
        assert_eq!((&rejected["status"], &rejected["filledQuantity"]), (&json!("REJECTED"), &json!(0.0)));
        assert!(rejected["statusDescription"].as_str().unwrap().contains(reason), "{rejected}");
    }
    let preview = format!("/trader/v1/accounts/{}/previewOrder", desk.hash);
    let preview =
        ask(desk.request(Method::POST, &preview).body(market("SELL", 1).to_string())).await.unwrap();
    assert_eq!(preview.json()["orderValidationResult"]["rejects"].as_array().unwrap().len(), 1);
    assert_eq!(desk.account.orders().len(), 6, "a preview places nothing");
}

#[tokio::test]
async fn a_cancel_is_an_execution_at_no_price() {
    let desk = Desk::at(OPEN).await;
    desk.account.strike(Strike::Partial(400).once());
    let placed = desk.order(market("BUY", 10)).await;
    desk.forward(2);
    let order = desk.placed(&placed).await;
    assert_eq!((&order["status"], &order["remainingQuantity"]), (&json!("WORKING"), &json!(6.0)));
    let path = format!("{}/{}", desk.orders(), order["orderId"]);
    let answer = ask(desk.request(Method::DELETE, &path)).await.unwrap();
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    let order = desk.get(&path).await.json();
    assert_eq!((&order["status"], &order["filledQuantity"]), (&json!("CANCELED"), &json!(4.0)));
    let cancelled = &order["orderActivityCollection"][1];
    assert_eq!(
        (&cancelled["executionType"], &cancelled["executionLegs"][0]["price"]),
        (&json!("CANCELED"), &json!(0.0))
    );

    let order = desk.order(market("BUY", 1)).await;
    let path = format!("{}/{}", desk.orders(), desk.placed(&order).await["orderId"]);
    assert_eq!(ask(desk.request(Method::DELETE, &path)).await.unwrap().status, 400, "it is filled");
    assert_eq!(desk.get(&format!("{}/7", desk.orders())).await.status, 404);
}

#[tokio::test]
async fn a_replaced_order_goes_on_elsewhere() {
    let desk = Desk::at(OPEN).await;
    let old = desk.order(limit("BUY", 2, "100.00")).await;
    let path = format!("{}/{}", desk.orders(), desk.placed(&old).await["orderId"]);
    let put = |body: Value| ask(desk.request(Method::PUT, &path).body(body.to_string()));
    let new = put(limit("BUY", 3, "101.00")).await.unwrap();
    assert_eq!(new.status, 201);
    let (old, new) = (desk.placed(&old).await, desk.placed(&new).await);
    assert_eq!(
        (&old["status"], &new["quantity"], &new["price"]),
        (&json!("REPLACED"), &json!(3.0), &json!(101.0))
    );
    assert_eq!(old["replacingOrderCollection"][0]["orderId"], new["orderId"]);
    assert_eq!(put(limit("BUY", 4, "101.00")).await.unwrap().status, 400);
}

#[tokio::test]
async fn positions_are_there_when_asked_for_and_held() {
    let desk = Desk::at(OPEN).await;
    let account = async |query: &str| {
        let answer = desk.get(&format!("/trader/v1/accounts/{}{query}", desk.hash)).await;
        answer.json()["securitiesAccount"].clone()
    };
    let flat = account("?fields=positions").await;
    assert!(flat.get("positions").is_none());
    assert_eq!((&flat["type"], flat["accountNumber"].is_string()), (&json!("CASH"), true));
    assert_eq!(flat["currentBalances"]["cashAvailableForTrading"], json!(100_000.0));
    desk.account.endow("AAPL", shares("10"), price("150"));
    assert!(account("").await.get("positions").is_none());
    let position = account("?fields=positions").await["positions"][0].clone();
    assert_eq!((&position["longQuantity"], &position["shortQuantity"]), (&json!(10.0), &json!(0.0)));
    assert_eq!(position["averagePrice"], json!(150.0));
    desk.account.lag_positions(Duration::from_secs(10));
    desk.account.person_trades("AAPL", Side::Buy, shares("5"));
    desk.forward(9);
    assert_eq!(account("?fields=positions").await.get("positions"), None, "as it was ten seconds ago");
    desk.account.close_only(true);
    assert_eq!(account("").await["isClosingOnlyRestricted"], true);
}

#[tokio::test]
async fn shorts_say_that_they_are() {
    let desk = Desk::at(OPEN).await;
    desk.account.allow_shorts(true);
    let sold = desk.order(market("SELL_SHORT", 3)).await;
    assert_eq!(desk.placed(&sold).await["orderLegCollection"][0]["instruction"], "SELL_SHORT");
    let bought = desk.order(market("BUY_TO_COVER", 3)).await;
    assert_eq!(desk.placed(&bought).await["status"], "FILLED");
    assert_eq!(desk.account.position("AAPL"), shares("0"));
}

#[tokio::test]
async fn transactions_have_the_share_the_currency_and_a_fee() {
    let desk = Desk::at(OPEN).await;
    desk.order(market("BUY", 2)).await;
    desk.order(market("BUY", 1)).await;
    let path = format!("/trader/v1/accounts/{}/transactions", desk.hash);
    let window = "startDate=2026-11-20T00:00:00.000Z&endDate=2026-11-21T00:00:00.000Z";
    assert_eq!(desk.get(&format!("{path}?{window}")).await.status, 400, "types are required");
    assert_eq!(desk.get(&format!("{path}?types=TRADE")).await.status, 400, "dates are");
    let rows = desk.get(&format!("{path}?{window}&types=TRADE,RECEIVE_AND_DELIVER&symbol=AAPL")).await.json();
    let row = &rows[0];
    assert_eq!(
        (&row["type"], &row["status"], &row["netAmount"]),
        (&json!("TRADE"), &json!("VALID"), &json!(-374.52))
    );
    assert_eq!(row["orderId"], desk.account.orders()[0].number);
    let items = row["transferItems"].as_array().unwrap();
    let share = items.iter().find(|item| item["instrument"]["symbol"] == "AAPL").unwrap();
    assert_eq!((&share["amount"], &share["price"]), (&json!(2.0), &json!(187.26)));
    assert_eq!(items.len(), 3);
    desk.account.bust(&desk.account.executions()[0].id).unwrap();
    let rows = desk.get(&format!("{path}?{window}&types=TRADE")).await.json();
    assert_eq!((&rows[0]["status"], &rows[1]["status"]), (&json!("INVALID"), &json!("VALID")));
    assert_eq!(desk.get(&format!("{path}?{window}&types=JOURNAL")).await.json(), json!([]));
}

#[tokio::test]
async fn hours_are_of_the_day_and_not_of_the_instant() {
    let desk = Desk::at("2026-11-20T22:00:00Z").await;
    let hours = async |query: &str| desk.get(&format!("/marketdata/v1/markets?markets=equity{query}")).await;
    let today = hours("").await.json()["equity"]["EQ"].clone();
    assert_eq!((&today["isOpen"], &today["date"]), (&json!(true), &json!("2026-11-20")));
    assert_eq!(
        today["sessionHours"],
        json!({
            "preMarket": [{ "start": "2026-11-20T07:00:00-05:00", "end": "2026-11-20T09:30:00-05:00" }],
            "regularMarket": [{ "start": "2026-11-20T09:30:00-05:00", "end": "2026-11-20T16:00:00-05:00" }],
            "postMarket": [{ "start": "2026-11-20T16:00:00-05:00", "end": "2026-11-20T20:00:00-05:00" }],
        })
    );
    let saturday = hours("&date=2026-11-21").await.json()["equity"]["equity"].clone();
    assert_eq!((&saturday["isOpen"], saturday.get("sessionHours")), (&json!(false), None));
    desk.account.hours(|hours| hours.half_day("2026-11-27".parse().unwrap()));
    let half = desk.get("/marketdata/v1/markets/equity?date=2026-11-27").await.json();
    assert_eq!(half["equity"]["EQ"]["sessionHours"]["regularMarket"][0]["end"], "2026-11-27T13:00:00-05:00");
    let past = hours("&date=2026-11-19").await;
    assert_eq!((past.status, &past.json()["errors"][0]["status"]), (400, &json!("400")));
}

#[tokio::test]
async fn quotes_name_what_they_do_not_know() {
    let desk = Desk::at(OPEN).await;
    let quotes = desk.get("/marketdata/v1/quotes?symbols=AAPL,NOPE&fields=quote,reference").await;
    assert_eq!(quotes.status, 200);
    let quotes = quotes.json();
    let quote = &quotes["AAPL"]["quote"];
    assert_eq!((&quote["bidPrice"], &quote["askPrice"]), (&json!(187.25), &json!(187.26)));
    assert_eq!((&quote["securityStatus"], &quotes["AAPL"]["realtime"]), (&json!("Normal"), &json!(true)));
    assert_eq!(quote["quoteTime"], 1_795_188_600_000_u64);
    assert_eq!(quotes["errors"]["invalidSymbols"], json!(["NOPE"]));
    desk.account.listing("AAPL", |listing| listing.halted = true);
    let one = desk.get("/marketdata/v1/AAPL/quotes").await.json();
    assert_eq!(one["AAPL"]["quote"]["securityStatus"], "Halted");
    desk.account.strike(Strike::ForbidQuote.once());
    assert_eq!(desk.get("/marketdata/v1/AAPL/quotes").await.status, 403);
}

#[tokio::test]
async fn locations_are_missing_relative_or_another_orders() {
    let desk = Desk::at(OPEN).await;
    desk.order(market("BUY", 1)).await;
    desk.account.strike(Strike::NoLocation.once());
    let answer = desk.order(market("BUY", 2)).await;
    assert_eq!((answer.status, answer.header("location")), (201, None));
    desk.account.strike(Strike::RelativeLocation.once());
    let answer = desk.order(market("BUY", 3)).await;
    assert!(answer.header("location").unwrap().starts_with("/trader/v1/accounts/"));
    desk.account.strike(Strike::OtherLocation.once());
    let answer = desk.order(market("BUY", 4)).await;
    assert_eq!(desk.placed(&answer).await["quantity"], json!(3.0));
    assert_eq!(desk.account.orders().len(), 4);
}

#[tokio::test]
async fn a_repeated_order_is_two_orders_and_a_late_one_comes_later() {
    let desk = Desk::at(OPEN).await;
    desk.account.strike(Strike::Twice.once());
    assert_eq!(desk.order(market("BUY", 5)).await.status, 201);
    assert_eq!(desk.account.position("AAPL"), shares("10"));
    desk.account.strike(Strike::Late(Duration::from_secs(30)).once());
    assert!(desk.try_order(market("SELL", 10)).await.is_none());
    desk.forward(29);
    assert_eq!(desk.listed().await.len(), 2);
    desk.forward(2);
    let listed = desk.listed().await;
    assert_eq!((listed.len(), &listed[0]["enteredTime"]), (3, &json!("2026-11-20T15:30:30+0000")));
    assert_eq!(desk.account.position("AAPL"), shares("0"));
}

#[tokio::test]
async fn a_persons_order_is_marked_as_one() {
    let desk = Desk::at(OPEN).await;
    desk.account.person_trades("AAPL", Side::Buy, shares("2"));
    desk.forward(1);
    let listed = desk.listed().await;
    assert!(listed[0]["tag"].as_str().unwrap().starts_with("API_TOS"));
    // And what is told over HTTP is heard here as well.
    let told =
        ask(desk.client.post(desk.url("/sim/login?expire=access&rotate=true&rehash=true"))).await.unwrap();
    assert_eq!(told.status, 200);
    assert_eq!(desk.get("/trader/v1/accounts/accountNumbers").await.status, 401);
}

#[tokio::test]
async fn answers_are_lost_and_orders_stay() {
    let desk = Desk::at(OPEN).await;
    for (number, strike) in
        [Strike::Drop, Strike::FailAfter(503), Strike::FailAfter(504)].into_iter().enumerate()
    {
        desk.account.strike(strike.clone().once().on(Ask::Submit).about("AAPL"));
        let answer = desk.try_order(market("BUY", 1)).await;
        assert!(answer.is_none_or(|answer| answer.status > 500), "{strike:?}");
        assert_eq!(desk.account.orders().len(), number + 1, "{strike:?}");
    }
    for strike in
        [Strike::Lose, Strike::Fail(500), Strike::Throttle { headers: true }, Strike::Refuse(Refusal::Funds)]
    {
        desk.account.strike(strike.clone().once().on(Ask::Submit));
        let answer = desk.try_order(market("BUY", 1)).await;
        assert!(answer.is_none_or(|answer| answer.status >= 400), "{strike:?}");
        assert_eq!(desk.account.orders().len(), 3, "{strike:?}");
    }
    assert_eq!(desk.account.cash(), usd("99438.22"));
}
