//! Alpaca's shapes and refusals, as `alpaca.md` has them.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use hedge::{book::fill::Side, sim::broker::SimStatus};

use super::{Desk, OPEN, ask, price, shares, usd};

fn market(client_id: &str, side: &str, quantity: &str) -> Value {
    json!({
        "symbol": "AAPL", "qty": quantity, "side": side, "type": "market",
        "time_in_force": "day", "client_order_id": client_id,
    })
}

fn limit(client_id: &str, side: &str, quantity: &str, limit: &str) -> Value {
    let mut order = market(client_id, side, quantity);
    (order["type"], order["limit_price"]) = (json!("limit"), json!(limit));
    order
}

#[tokio::test]
async fn an_order_is_pending_in_its_answer_and_filled_at_the_next_look() {
    let desk = Desk::at(OPEN).await;
    let answer = desk.order(market("one", "buy", "3")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-ratelimit-limit"), Some("200"));
    let order = answer.json();
    assert_eq!(order["status"], "pending_new");
    assert_eq!((&order["qty"], &order["filled_qty"]), (&json!("3"), &json!("0")));
    assert_eq!(order["filled_avg_price"], Value::Null);
    assert_eq!(order["expires_at"], "2026-11-20T21:00:00Z");
    assert_eq!(order["submitted_at"], OPEN);
    assert_eq!(order["extended_hours"], false);

    let order = desk.get("/v2/orders:by_client_order_id?client_order_id=one").await.json();
    assert_eq!((&order["status"], &order["filled_qty"]), (&json!("filled"), &json!("3")));
    assert_eq!(order["filled_avg_price"], "187.26");
    let id = order["id"].as_str().unwrap();
    assert_eq!(desk.get(&format!("/v2/orders/{id}")).await.json(), order);
    assert_eq!(desk.account.position("AAPL"), shares("3"));
    assert_eq!(desk.account.cash(), usd("99438.22"));
}

#[tokio::test]
async fn numbers_may_be_numbers() {
    let desk = Desk::at(OPEN).await;
    let mut order = market("one", "buy", "1");
    order["qty"] = json!(1.25);
    assert_eq!(desk.order(order).await.json()["qty"], "1.25");
    let order = json!({ "symbol": "AAPL", "notional": 187.26, "side": "buy", "type": "market", "time_in_force": "day" });
    let order = desk.order(order).await.json();
    assert_eq!((&order["qty"], &order["notional"]), (&Value::Null, &json!("187.26")));
    assert!(!order["client_order_id"].as_str().unwrap().is_empty(), "one is made up");
    let id = order["id"].as_str().unwrap();
    assert_eq!(desk.get(&format!("/v2/orders/{id}")).await.json()["filled_qty"], "1");
}

#[tokio::test]
async fn an_id_is_used_once_for_all_time() {
    let desk = Desk::at(OPEN).await;
    let error = (422, 40_010_001, "client_order_id must be unique".to_owned());
    // Given an order that is open, then filled
    desk.account.hours(|hours| hours.always(Some(false)));
    assert_eq!(desk.order(market("one", "buy", "3")).await.json()["status"], "accepted");
    assert_eq!(desk.order(market("one", "buy", "3")).await.error(), error);
    desk.account.hours(|hours| hours.always(Some(true)));
    assert_eq!(desk.order(market("one", "sell", "1")).await.error(), error);
    // And one that was cancelled
    let order = desk.order(limit("two", "buy", "1", "100")).await.json();
    desk.delete(&format!("/v2/orders/{}", order["id"].as_str().unwrap())).await;
    assert_eq!(
        desk.get("/v2/orders:by_client_order_id?client_order_id=two").await.json()["status"],
        "canceled"
    );
    assert_eq!(desk.order(market("two", "buy", "1")).await.error(), error);
    // Then there are two
    assert_eq!(desk.account.orders().len(), 2);
}

#[tokio::test]
async fn what_is_not_well_formed_is_refused_in_alpacas_words() {
    let desk = Desk::at(OPEN).await;
    let with = |name: &str, value: Value| {
        let mut order = limit("x", "buy", "3", "100");
        order[name] = value;
        order
    };
    let without = |name: &str| {
        let mut order = limit("x", "buy", "3", "100");
        order.as_object_mut().unwrap().remove(name);
        order
    };
    let (form, rule) = (40_010_001, 42_210_000);
    let long = "x".repeat(129);
    for (order, code, message) in [
        (with("qty", json!("0")), form, "qty must be > 0"),
        (with("notional", json!("5")), form, "only one of qty or notional is accepted"),
        (without("limit_price"), form, "limit orders require a limit price"),
        (with("client_order_id", json!(long)), form, "client_order_id must be no more than 128 characters"),
        (
            with("limit_price", json!("290.123")),
            rule,
            "invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria",
        ),
        (with("symbol", json!("NOPE")), rule, "asset \"NOPE\" not found"),
        (
            json!({ "symbol": "AAPL", "notional": "5.001", "side": "buy", "type": "market", "time_in_force": "day" }),
            rule,
            "notional value must be limited to 2 decimal places",
        ),
        (
            json!({ "symbol": "AAPL", "qty": "1.5", "side": "buy", "type": "market", "time_in_force": "gtc" }),
            rule,
            "fractional orders must be DAY orders",
        ),
        (
            json!({ "symbol": "AAPL", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day", "extended_hours": true }),
            rule,
            "extended hours order must be DAY limit orders",
        ),
        (market("x", "sell", "1"), rule, "asset \"AAPL\" cannot be sold short"),
        (market("x", "sell", "0.5"), rule, "fractional orders cannot be sold short"),
    ] {
        assert_eq!(desk.order(order.clone()).await.error(), (422, code, message.to_owned()), "{order}");
    }
    let broken = ask(desk.request(Method::POST, "/v2/orders").body("{\"qty\": 3")).await.unwrap();
    assert_eq!(broken.error(), (400, 40_010_000, "request body format is invalid".to_owned()));
    assert_eq!(desk.account.orders(), []);
}

#[tokio::test]
async fn a_limit_below_a_dollar_has_four_decimals() {
    let desk = Desk::at(OPEN).await;
    assert_eq!(desk.order(limit("a", "buy", "3", "0.9999")).await.status, 200);
    assert_eq!(desk.order(limit("b", "buy", "3", "0.99999")).await.status, 422);
}

#[tokio::test]
async fn money_that_open_orders_reserve_is_not_spent_twice() {
    let desk = Desk::at(OPEN).await;
    desk.account.set_cash(usd("1000"));
    assert_eq!(desk.order(limit("a", "buy", "5", "180")).await.status, 200);
    let refused = desk.order(market("b", "buy", "1")).await;
    assert_eq!(refused.error(), (403, 40_310_000, "insufficient buying power".to_owned()));
    let refused = refused.json();
    // A market order reserves two and a half percent above the ask.
    assert_eq!((&refused["buying_power"], &refused["cost_basis"]), (&json!("100"), &json!("191.9415")));
    let small = json!({ "symbol": "AAPL", "notional": "0.99", "side": "buy", "type": "market", "time_in_force": "day" });
    assert_eq!(
        desk.order(small).await.error(),
        (403, 40_310_000, "cost basis must be >= minimal amount of order 1".to_owned())
    );
}

#[tokio::test]
async fn shares_that_open_orders_hold_are_not_sold_twice() {
    let desk = Desk::at(OPEN).await;
    desk.account.endow("AAPL", shares("10"), price("150"));
    let first = desk.order(limit("a", "sell", "7", "200")).await.json();
    let refused = desk.order(limit("b", "sell", "4", "201")).await;
    let message = "insufficient qty available for order (requested: 4, available: 3)".to_owned();
    assert_eq!(refused.error(), (403, 40_310_000, message));
    let refused = refused.json();
    assert_eq!(refused["existing_qty"], "10");
    assert_eq!(refused["held_for_orders"], "7");
    assert_eq!(refused["available"], "3");
    assert_eq!(refused["related_orders"], json!([first["id"]]));
    let position = desk.get("/v2/positions/AAPL").await.json();
    assert_eq!((&position["qty"], &position["qty_available"]), (&json!("10"), &json!("3")));
}

#[tokio::test]
async fn an_order_never_meets_another_one_of_ours() {
    let desk = Desk::at(OPEN).await;
    desk.account.endow("AAPL", shares("10"), price("150"));
    let sell = desk.order(limit("a", "sell", "1", "200")).await.json();
    let refused = desk.order(market("b", "buy", "1")).await;
    let message = "potential wash trade detected. use complex orders".to_owned();
    assert_eq!(refused.error(), (403, 40_310_000, message));
    assert_eq!(refused.json()["existing_order_id"], sell["id"]);
    assert_eq!(refused.json()["reject_reason"], "opposite side limit order exists");
    // Limits that do not cross may stand beside each other.
    assert_eq!(desk.order(limit("c", "buy", "1", "180")).await.status, 200);
    assert_eq!(desk.order(limit("d", "buy", "1", "200")).await.status, 403);
}

#[tokio::test]
async fn listings_say_what_can_be_done() {
    let desk = Desk::at(OPEN).await;
    desk.account.listing("AAPL", |listing| listing.fractionable = false);
    desk.account.listing("TSLA", |listing| listing.tradable = false);
    assert_eq!(
        desk.order(market("a", "buy", "1.5")).await.error(),
        (403, 40_310_000, "asset \"AAPL\" is not fractionable".to_owned())
    );
    let mut order = market("b", "buy", "1");
    order["symbol"] = json!("TSLA");
    assert_eq!(
        desk.order(order).await.error(),
        (422, 42_210_000, "asset \"TSLA\" is not tradable".to_owned())
    );
    let asset = desk.get("/v2/assets/AAPL").await.json();
    assert_eq!((&asset["fractionable"], &asset["tradable"]), (&json!(false), &json!(true)));
    assert_eq!(desk.get(&format!("/v2/assets/{}", asset["id"].as_str().unwrap())).await.json(), asset);
    assert_eq!(
        desk.get("/v2/assets/NOPE").await.error(),
        (404, 40_410_000, "asset not found for NOPE".to_owned())
    );
}

#[tokio::test]
async fn shorts_are_sold_where_they_are_allowed() {
    let desk = Desk::at(OPEN).await;
    desk.account.allow_shorts(true);
    assert_eq!(desk.order(market("a", "sell", "2")).await.status, 200);
    let position = desk.get("/v2/positions/AAPL").await.json();
    assert_eq!((&position["qty"], &position["side"]), (&json!("-2"), &json!("short")));
    assert_eq!(position["avg_entry_price"], "187.25");
    // But no order flips a long position.
    desk.order(market("b", "buy", "2")).await;
    desk.account.endow("AAPL", shares("1"), price("150"));
    assert_eq!(desk.order(market("c", "sell", "2")).await.status, 403);
}

#[tokio::test]
async fn a_day_order_waits_for_the_open_and_ends_with_the_close() {
    let desk = Desk::at("2026-11-20T21:30:00Z").await;
    let queued = desk.order(market("queued", "buy", "1")).await.json();
    assert_eq!(
        (&queued["status"], &queued["expires_at"]),
        (&json!("accepted"), &json!("2026-11-23T21:00:00Z"))
    );
    let status = async |id: &str| {
        desk.get(&format!("/v2/orders:by_client_order_id?client_order_id={id}")).await.json()
    };
    assert_eq!(status("queued").await["status"], "accepted");
    // When Monday opens
    desk.account.set_time("2026-11-23T15:00:00Z".parse().unwrap());
    let filled = status("queued").await;
    assert_eq!((&filled["status"], &filled["filled_at"]), (&json!("filled"), &json!("2026-11-23T14:30:00Z")));
    // And one that does not fill meets the close
    desk.order(limit("unfilled", "buy", "1", "100")).await;
    desk.account.forward(SignedDuration::from_hours(7));
    let expired = status("unfilled").await;
    assert_eq!(
        (&expired["status"], &expired["expired_at"]),
        (&json!("expired"), &json!("2026-11-23T21:00:00Z"))
    );
}

#[tokio::test]
async fn outside_the_regular_session_only_such_limits_fill() {
    let desk = Desk::at("2026-11-20T21:30:00Z").await;
    let mut order = limit("extended", "buy", "1", "190");
    order["extended_hours"] = json!(true);
    assert_eq!(desk.order(order).await.json()["status"], "pending_new");
    assert_eq!(desk.order(limit("regular", "buy", "1", "190")).await.json()["status"], "accepted");
    let orders = desk.get("/v2/orders?status=all&direction=asc").await.json();
    let statuses: Vec<&str> =
        orders.as_array().unwrap().iter().map(|order| order["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["filled", "accepted"]);
    assert_eq!(orders[0]["filled_avg_price"], "187.26", "not at the limit");
}

#[tokio::test]
async fn a_limit_fills_when_the_price_reaches_it() {
    let desk = Desk::at(OPEN).await;
    desk.order(limit("a", "buy", "1", "180")).await;
    assert_eq!(desk.account.order("a").unwrap().status, SimStatus::New);
    desk.account.forward(SignedDuration::from_mins(1));
    desk.account.set_price("AAPL", price("179.5"));
    let order = desk.account.order("a").unwrap();
    assert_eq!((order.status, order.filled), (SimStatus::Filled, shares("1")));
    assert_eq!(desk.account.executions()[0].price, price("179.5"));
    // A halt takes orders and fills none.
    desk.account.listing("AAPL", |listing| listing.halted = true);
    assert_eq!(desk.order(market("b", "buy", "1")).await.status, 200);
    desk.account.forward(SignedDuration::from_mins(9));
    assert_eq!(desk.account.order("b").unwrap().status, SimStatus::New);
    desk.account.listing("AAPL", |listing| listing.halted = false);
    assert_eq!(desk.account.order("b").unwrap().status, SimStatus::Filled);
}

#[tokio::test]
async fn a_cancel_is_only_a_request() {
    let desk = Desk::at(OPEN).await;
    let order = desk.order(limit("a", "buy", "1", "100")).await.json();
    let path = format!("/v2/orders/{}", order["id"].as_str().unwrap());
    let answer = desk.delete(&path).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert_eq!(desk.get(&path).await.json()["status"], "canceled");
    assert_eq!(desk.delete(&path).await.status, 204, "again, as has been seen");

    let order = desk.order(market("b", "buy", "1")).await.json();
    let path = format!("/v2/orders/{}", order["id"].as_str().unwrap());
    let message = "order is already in \"filled\" state".to_owned();
    assert_eq!(desk.delete(&path).await.error(), (422, 42_210_000, message));

    desk.order(limit("c", "buy", "1", "100")).await;
    let all = desk.delete("/v2/orders").await;
    assert_eq!((all.status, all.json()[0]["status"].as_u64()), (207, Some(200)));
}

#[tokio::test]
async fn a_replaced_order_goes_on_under_another_id() {
    let desk = Desk::at(OPEN).await;
    let order = desk.order(limit("a", "buy", "2", "100")).await.json();
    let path = format!("/v2/orders/{}", order["id"].as_str().unwrap());
    let change = |body: Value| ask(desk.request(Method::PATCH, &path).body(body.to_string()));
    // At once it is pending, which the next look ends.
    let new = change(json!({ "qty": "3", "limit_price": "101" })).await.unwrap();
    assert_eq!(new.status, 200);
    assert_eq!((&new.json()["qty"], &new.json()["replaces"]), (&json!("3"), &order["id"]));
    assert_ne!(new.json()["client_order_id"], "a");
    let old = desk.get(&path).await.json();
    assert_eq!((&old["status"], &old["replaced_by"]), (&json!("replaced"), &new.json()["id"]));
    let message = "unable to replace order, order is not open".to_owned();
    assert_eq!(change(json!({ "qty": "4" })).await.unwrap().error(), (422, 42_210_000, message));
}

#[tokio::test]
async fn who_is_unknown_is_not_found() {
    let desk = Desk::at(OPEN).await;
    let unknown = "6f0c2c0e-3d0b-4f3e-9d51-0b5b3d6f2a11";
    let absent = |message: String| (404, 40_410_000, message);
    assert_eq!(
        desk.get(&format!("/v2/orders/{unknown}")).await.error(),
        absent(format!("order not found for {unknown}"))
    );
    assert_eq!(
        desk.get("/v2/orders/seven").await.error(),
        (422, 40_010_001, "order_id is missing".to_owned())
    );
    assert_eq!(
        desk.get("/v2/orders:by_client_order_id?client_order_id=x").await.error(),
        absent("order not found for x".to_owned())
    );
    assert_eq!(desk.delete(&format!("/v2/orders/{unknown}")).await.status, 404);
    assert_eq!(desk.get("/v2/positions/AAPL").await.error(), absent("position does not exist".to_owned()));
    assert_eq!(desk.get("/v2/positions/NOPE").await.error(), absent("symbol not found: NOPE".to_owned()));
    assert_eq!(desk.get("/v2/positions").await.json(), json!([]));
}

#[tokio::test]
async fn strangers_are_not_let_in() {
    let desk = Desk::at(OPEN).await;
    let url = |path: &str| format!("{}{path}", desk.alpaca.url());
    let nobody = ask(desk.client.get(url("/v2/account"))).await.unwrap();
    assert_eq!(nobody.error(), (401, 40_110_000, "request is not authorized".to_owned()));
    let wrong =
        desk.client.get(url("/v2/account")).header("APCA-API-KEY-ID", "K").header("APCA-API-SECRET-KEY", "X");
    let wrong = ask(wrong).await.unwrap();
    assert_eq!((wrong.status, wrong.message()), (403, "forbidden.".to_owned()));
    assert_eq!(ask(desk.client.get(url("/v2/account")).bearer_auth("S")).await.unwrap().status, 200);
    desk.account.revoke_keys(true);
    assert_eq!(desk.get("/v2/account").await.status, 403);
}

#[tokio::test]
async fn the_firms_paths_lead_to_the_same_account() {
    let desk = Desk::at(OPEN).await;
    let id = desk.account.id();
    let firm = |method: Method, path: &str| {
        desk.client.request(method, format!("{}{path}", desk.alpaca.url())).basic_auth("K", Some("S"))
    };
    let orders = format!("/v1/trading/accounts/{id}/orders");
    let placed = firm(Method::POST, &orders).body(market("one", "buy", "1").to_string());
    assert_eq!(ask(placed).await.unwrap().status, 200);
    let found = firm(Method::GET, &format!("{orders}:by_client_order_id?client_order_id=one"));
    assert_eq!(ask(found).await.unwrap().json()["status"], "filled");
    for path in [
        format!("/v1/trading/accounts/{id}/account"),
        format!("/v1/trading/accounts/{id}/positions"),
        format!("/v1/accounts/activities?account_id={id}"),
        format!("/v1/accounts/activities/FILL?account_id={id}"),
        "/v1/clock".to_owned(),
        "/v1/calendar?start=2026-11-20&end=2026-11-23".to_owned(),
        "/v1/assets/AAPL".to_owned(),
    ] {
        assert_eq!(ask(firm(Method::GET, &path)).await.unwrap().status, 200, "{path}");
        let stranger = desk.client.get(format!("{}{path}", desk.alpaca.url())).basic_auth("K", Some("X"));
        assert_eq!(ask(stranger).await.unwrap().status, 401, "{path}");
    }
    let other = firm(Method::GET, "/v1/trading/accounts/6f0c2c0e-3d0b-4f3e-9d51-0b5b3d6f2a11/orders");
    assert_eq!(ask(other).await.unwrap().status, 404);
}

#[tokio::test]
async fn lists_are_short_filtered_and_exclusive() {
    let desk = Desk::at(OPEN).await;
    for number in 0..60 {
        desk.order(limit(&format!("order-{number}"), "buy", "1", "100")).await;
        desk.account.forward(SignedDuration::from_secs(1));
    }
    let ids = async |query: &str| -> Vec<String> {
        let list = desk.get(&format!("/v2/orders{query}")).await.json();
        let id = |order: &Value| order["client_order_id"].as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(id).collect()
    };
    let newest = ids("").await;
    assert_eq!((newest.len(), newest[0].as_str()), (50, "order-59"));
    assert_eq!(ids("?limit=500&direction=asc").await.len(), 60);
    assert_eq!(ids("?status=closed").await, [""; 0]);
    assert_eq!(ids("?symbols=TSLA").await, [""; 0]);
    assert_eq!(ids("?side=sell").await, [""; 0]);
    // Its own time is not after itself.
    let after = "?status=all&direction=asc&limit=2&after=2026-11-20T15:30:10Z";
    assert_eq!(ids(after).await, ["order-11", "order-12"]);
    assert_eq!(ids("?until=2026-11-20T15:30:02Z").await, ["order-1", "order-0"]);
    assert_eq!(desk.get("/v2/orders?limit=501").await.status, 422);
    assert_eq!(desk.get("/v2/orders?status=some").await.status, 422);
}

#[tokio::test]
async fn activities_are_paged_by_the_last_of_them() {
    let desk = Desk::at(OPEN).await;
    for number in 0..5 {
        desk.order(market(&format!("order-{number}"), "buy", "1")).await;
        desk.account.forward(SignedDuration::from_secs(1));
    }
    let all = desk.get("/v2/account/activities/FILL?direction=asc").await.json();
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 5);
    let first = &all[0];
    assert_eq!((&first["activity_type"], &first["type"]), (&json!("FILL"), &json!("fill")));
    assert_eq!(
        (&first["qty"], &first["cum_qty"], &first["leaves_qty"]),
        (&json!("1"), &json!("1"), &json!("0"))
    );
    assert!(first["id"].as_str().unwrap().starts_with("20261120103000000::"), "New York's time: {first}");
    assert!(first.get("client_order_id").is_none());
    let mut paged: Vec<Value> = Vec::new();
    loop {
        let token = paged.last().map(|row| format!("&page_token={}", row["id"].as_str().unwrap()));
        let path = format!(
            "/v2/account/activities?activity_types=FILL&direction=asc&page_size=2{}",
            token.unwrap_or_default()
        );
        let page = desk.get(&path).await.json();
        paged.extend(page.as_array().unwrap().iter().cloned());
        if page.as_array().unwrap().len() < 2 {
            break;
        }
    }
    assert_eq!(&paged, all);
    let rows = async |query: &str| {
        desk.get(&format!("/v2/account/activities{query}")).await.json().as_array().unwrap().len()
    };
    assert_eq!(rows("?after=2026-11-20T15:30:03Z").await, 1, "strictly");
    assert_eq!(rows("?until=2026-11-20T15:30:03Z&category=trade_activity").await, 3);
    assert_eq!(rows("?date=2026-11-20").await, 5);
    assert_eq!(rows("?date=2026-11-19").await, 0);
    assert_eq!(rows("?category=non_trade_activity").await, 0);
    assert_eq!(rows(&format!("?order_id={}", first["order_id"].as_str().unwrap())).await, 1);
    assert_eq!(
        desk.get("/v2/account/activities/GIFT").await.error(),
        (422, 40_010_001, "invalid activity type: GIFT".to_owned())
    );
}

#[tokio::test]
async fn a_bust_and_a_correction_are_rows_of_their_own() {
    let desk = Desk::at(OPEN).await;
    desk.order(market("a", "buy", "4")).await;
    desk.order(market("b", "buy", "4")).await;
    let ids: Vec<String> = desk.account.executions().into_iter().map(|execution| execution.id).collect();
    desk.account.forward(SignedDuration::from_mins(1));
    desk.account.bust(&ids[0]).unwrap();
    desk.account.correct(&ids[1], shares("3"), price("187")).unwrap();
    assert_eq!(desk.account.position("AAPL"), shares("3"));
    assert_eq!(desk.account.cash(), usd("99439"));
    let rows = desk.get("/v2/account/activities?direction=asc").await.json();
    let seen: Vec<_> = rows.as_array().unwrap()[2..]
        .iter()
        .map(|row| {
            (
                row["type"].as_str().unwrap(),
                row["previous_id"].as_str().unwrap(),
                row["qty"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(seen, [("trade_bust", ids[0].as_str(), "4"), ("trade_correct", ids[1].as_str(), "3")]);
}

#[tokio::test]
async fn the_clock_and_the_calendar_speak_new_yorks_time() {
    let desk = Desk::at(OPEN).await;
    assert_eq!(
        desk.get("/v2/clock").await.json(),
        json!({
            "timestamp": "2026-11-20T10:30:00-05:00", "is_open": true,
            "next_open": "2026-11-23T09:30:00-05:00", "next_close": "2026-11-20T16:00:00-05:00",
        })
    );
    desk.account.hours(|hours| {
        hours.holiday("2026-11-26".parse().unwrap());
        hours.half_day("2026-11-27".parse().unwrap());
    });
    let days = desk.get("/v2/calendar?start=2026-11-25&end=2026-11-28").await.json();
    assert_eq!(
        days,
        json!([
            { "date": "2026-11-25", "open": "09:30", "close": "16:00", "session_open": "0400", "session_close": "2000", "settlement_date": "2026-11-27" },
            { "date": "2026-11-27", "open": "09:30", "close": "13:00", "session_open": "0400", "session_close": "1700", "settlement_date": "2026-11-30" },
        ])
    );
}

#[tokio::test]
async fn the_account_and_its_positions_are_strings() {
    let desk = Desk::at(OPEN).await;
    desk.account.endow("AAPL", shares("10"), price("150"));
    let account = desk.get("/v2/account").await.json();
    assert_eq!((&account["cash"], &account["buying_power"]), (&json!("100000"), &json!("100000")));
    assert_eq!(account["long_market_value"], "1872.55");
    assert_eq!((&account["status"], &account["trading_blocked"]), (&json!("ACTIVE"), &json!(false)));
    assert_eq!(account["id"], desk.account.id());
    let position = &desk.get("/v2/positions").await.json()[0];
    assert_eq!((&position["qty"], &position["avg_entry_price"]), (&json!("10"), &json!("150")));
    assert_eq!((&position["cost_basis"], &position["unrealized_pl"]), (&json!("1500"), &json!("372.55")));
    assert_eq!(position["asset_marginable"], true);
    desk.account.block(true);
    assert_eq!(desk.get("/v2/account").await.json()["trading_blocked"], true);
    assert_eq!(desk.order(market("a", "buy", "1")).await.status, 403);
}

#[tokio::test]
async fn quotes_are_numbers() {
    let desk = Desk::at(OPEN).await;
    let quotes = desk.get("/v2/stocks/quotes/latest?symbols=AAPL,NOPE&feed=iex").await;
    assert!(
        quotes.text.contains("\"ap\":187.26") && quotes.text.contains("\"bp\":187.25"),
        "{}",
        quotes.text
    );
    assert_eq!(quotes.json()["quotes"].as_object().unwrap().len(), 1);
    let one = desk.get("/v2/stocks/AAPL/quotes/latest").await.json();
    assert_eq!((&one["symbol"], one["quote"]["t"].is_string()), (&json!("AAPL"), true));
}

#[tokio::test]
async fn a_persons_order_is_in_the_list_and_a_reset_empties_it() {
    let desk = Desk::at(OPEN).await;
    let id = desk.account.person_trades("AAPL", Side::Buy, shares("2"));
    let list = desk.get("/v2/orders?status=all").await.json();
    assert_eq!((&list[0]["id"], &list[0]["source"]), (&json!(id), &Value::Null));
    let before = desk.account.id();
    desk.account.reset(usd("5"));
    assert_ne!(desk.get("/v2/account").await.json()["id"], before);
    assert_eq!(desk.get(&format!("/v2/orders/{id}")).await.status, 404);
    assert_eq!(desk.get("/v2/orders?status=all").await.json(), json!([]));
    assert_eq!((desk.account.cash(), desk.account.position("AAPL")), (usd("5"), shares("0")));
}

#[tokio::test]
async fn a_minute_has_so_many_requests() {
    let desk = Desk::at(OPEN).await;
    desk.account.limit_rate(Some(3));
    for left in ["2", "1", "0"] {
        assert_eq!(desk.get("/v2/clock").await.header("x-ratelimit-remaining"), Some(left));
    }
    let refused = desk.order(market("a", "buy", "1")).await;
    assert_eq!(refused.error(), (429, 42_910_000, "rate limit exceeded".to_owned()));
    assert_eq!(refused.header("x-ratelimit-reset"), Some("1795188660"));
    assert_eq!(desk.account.orders(), []);
    desk.account.forward(SignedDuration::from_mins(1));
    assert_eq!(desk.order(market("a", "buy", "1")).await.status, 200);
}
