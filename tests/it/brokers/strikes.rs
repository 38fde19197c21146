//! What can go wrong at a broker, provoked: each strike does what its name says, and no more.

use std::time::Duration;

use hedge::{
    book::{execution::Nature, fill::Side, order::Refusal},
    sim::{Ask, Storm, Strike, broker::SimStatus},
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Desk, OPEN, ask, price, shares, usd};

fn market(client_id: &str, quantity: &str) -> Value {
    json!({
        "symbol": "AAPL", "qty": quantity, "side": "buy", "type": "market",
        "time_in_force": "day", "client_order_id": client_id,
    })
}

impl Desk {
    async fn lookup(&self, id: &str) -> super::Answer {
        self.get(&format!("/v2/orders:by_client_order_id?client_order_id={id}")).await
    }

    /// So many orders of the account have this client id: none or one.
    fn has(&self, id: &str) -> bool {
        self.account.orders().iter().any(|order| order.client_id == id)
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_an_order_behind() {
    let desk = Desk::at(OPEN).await;
    for (number, strike) in [
        Strike::Drop,
        Strike::Cut,
        Strike::Truncate,
        Strike::Garbage,
        Strike::FailAfter(500),
        Strike::FailAfter(504),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("order-{number}");
        desk.account.strike(strike.clone().once().on(Ask::Submit));
        let answer = desk.try_order(market(&id, "1")).await;
        let read = answer
            .filter(|answer| answer.status == 200 && serde_json::from_str::<Value>(&answer.text).is_ok());
        assert!(read.is_none(), "{strike:?}: {read:?}");
        assert_eq!(desk.lookup(&id).await.json()["status"], "filled", "{strike:?}");
        assert_eq!(desk.order(market(&id, "1")).await.status, 422, "{strike:?}: it is there");
    }
}

#[tokio::test]
async fn a_request_that_is_lost_leaves_nothing_behind() {
    let desk = Desk::at(OPEN).await;
    for (number, strike) in [
        Strike::Lose,
        Strike::Fail(503),
        Strike::Fail(502),
        Strike::Throttle { headers: true },
        Strike::Throttle { headers: false },
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("order-{number}");
        desk.account.strike(strike.clone().once().on(Ask::Submit));
        let answer = desk.try_order(market(&id, "1")).await;
        assert!(answer.is_none_or(|answer| answer.status > 400), "{strike:?}");
        assert!(!desk.has(&id), "{strike:?}");
        assert_eq!(desk.order(market(&id, "1")).await.status, 200, "{strike:?}: once");
    }
}

#[tokio::test]
async fn who_hangs_never_answers() {
    let desk = Desk::at(OPEN).await;
    let patient = async |id: &str| {
        let request = desk.request(reqwest::Method::POST, "/v2/orders").body(market(id, "1").to_string());
        tokio::time::timeout(Duration::from_millis(200), ask(request)).await.is_ok()
    };
    desk.account.strike(Strike::Hang.once());
    assert!(!patient("taken").await && desk.has("taken"));
    desk.account.strike(Strike::LoseAndHang.once());
    assert!(!patient("lost").await && !desk.has("lost"));
    desk.account.strike(Strike::Delay(Duration::from_millis(300)).once());
    assert!(!patient("slow").await && desk.has("slow"));
}

#[tokio::test]
async fn throttling_says_for_how_long_or_does_not_and_ends() {
    let desk = Desk::at(OPEN).await;
    desk.account.strike(Strike::Throttle { headers: true }.during(Duration::from_secs(90)));
    let answer = desk.get("/v2/clock").await;
    assert_eq!((answer.status, answer.header("x-ratelimit-reset")), (429, Some("1795188660")));
    desk.account.forward(SignedDuration::from_secs(90));
    assert_eq!(desk.get("/v2/clock").await.status, 200);
    desk.account.strike(Strike::Throttle { headers: false }.once());
    let answer = desk.get("/v2/clock").await;
    assert_eq!((answer.status, answer.header("x-ratelimit-reset")), (429, None));
}

#[tokio::test]
async fn an_order_that_arrives_late_is_not_there_before() {
    let desk = Desk::at(OPEN).await;
    let five = Duration::from_secs(5);
    desk.account.strike(Strike::Late(five).once());
    assert!(desk.try_order(market("late", "1")).await.is_none());
    assert_eq!(desk.lookup("late").await.status, 404);
    desk.account.forward(SignedDuration::from_secs(5));
    assert_eq!(desk.lookup("late").await.json()["status"], "filled");
    // And where a second try came before it, it is the one that is too late.
    desk.account.strike(Strike::Late(five).once());
    assert!(desk.try_order(market("twice", "1")).await.is_none());
    assert_eq!(desk.order(market("twice", "1")).await.status, 200);
    desk.account.forward(SignedDuration::from_secs(5));
    assert_eq!(desk.account.orders().len(), 2);
}

#[tokio::test]
async fn an_order_that_hides_is_there_all_the_same() {
    let desk = Desk::at(OPEN).await;
    desk.account.strike(Strike::Hide(Duration::from_secs(5)).once());
    let order = desk.order(market("hidden", "1")).await.json();
    let id = order["id"].as_str().unwrap();
    assert_eq!(desk.lookup("hidden").await.status, 404);
    assert_eq!(desk.get(&format!("/v2/orders/{id}")).await.status, 404);
    assert_eq!(desk.get("/v2/orders?status=all").await.json(), json!([]));
    assert_eq!(desk.order(market("hidden", "1")).await.status, 422);
    desk.account.forward(SignedDuration::from_secs(5));
    assert_eq!(desk.lookup("hidden").await.status, 200);
}

#[tokio::test]
async fn a_proxy_repeats_a_request_and_the_second_is_refused() {
    let desk = Desk::at(OPEN).await;
    desk.account.strike(Strike::Twice.once());
    let answer = desk.order(market("one", "1")).await;
    assert_eq!((answer.status, answer.message().as_str()), (422, "client_order_id must be unique"));
    assert_eq!(desk.account.orders().len(), 1);
}

#[tokio::test]
async fn every_refusal_can_be_had_for_nothing() {
    let desk = Desk::at(OPEN).await;
    for why in Refusal::ALL {
        desk.account.strike(Strike::Refuse(why).once().about("AAPL"));
        let answer = desk.order(market("one", "1")).await;
        assert!(matches!(answer.status, 403 | 422), "{why:?}: {}", answer.status);
        assert!(!answer.message().is_empty());
    }
    assert_eq!(desk.account.orders(), []);
}

#[tokio::test]
async fn an_order_goes_on_as_it_is_struck() {
    let desk = Desk::at(OPEN).await;
    let soon = Duration::from_secs(1);
    let struck = async |id: &str, strike: Strike| {
        desk.account.strike(strike.once());
        let answer = desk.order(market(id, "10")).await;
        assert_eq!(answer.status, 200);
        desk.account.forward(SignedDuration::from_secs(1));
        let order = desk.lookup(id).await.json();
        (order["status"].as_str().unwrap().to_owned(), order["filled_qty"].as_str().unwrap().to_owned())
    };
    let is = |status: &str, filled: &str| (status.to_owned(), filled.to_owned());
    assert_eq!(struck("hold", Strike::Hold).await, is("new", "0"));
    assert_eq!(struck("partial", Strike::Partial(300)).await, is("partially_filled", "3"));
    assert_eq!(struck("over", Strike::Overfill(1200)).await, is("filled", "12"));
    let reject = Strike::Reject { after: soon, reason: "not today".to_owned() };
    assert_eq!(struck("reject", reject).await, is("rejected", "0"));
    assert_eq!(struck("expire", Strike::Expire(soon)).await, is("expired", "0"));
    assert_eq!(struck("vanish", Strike::Vanish(soon)).await, is("canceled", "0"));
    assert_eq!(struck("word", Strike::Word("pondering".to_owned())).await, is("filled", "10"));
    assert_eq!(struck("replace", Strike::Supersede(soon)).await, is("replaced", "0"));
    let next = desk.lookup("replace").await.json()["replaced_by"].as_str().unwrap().to_owned();
    let next = desk.get(&format!("/v2/orders/{next}")).await.json();
    assert_eq!((&next["status"], &next["qty"]), (&json!("filled"), &json!("10")));
    // What is struck twice does both.
    desk.account.strike(Strike::Partial(400).once());
    assert_eq!(struck("both", Strike::Expire(Duration::ZERO)).await, is("expired", "4"));
    // Then calm lets what was held fill.
    desk.account.calm();
    assert_eq!(desk.lookup("hold").await.json()["status"], "filled");
    assert_eq!(desk.lookup("partial").await.json()["filled_qty"], "10");
}

#[tokio::test]
async fn an_order_is_filled_in_its_answer_or_in_slices() {
    let desk = Desk::at(OPEN).await;
    desk.account.strike(Strike::AtOnce.once());
    assert_eq!(desk.order(market("at once", "1")).await.json()["status"], "filled");
    desk.account.strike(Strike::Slices { parts: 3, every: Duration::from_secs(10) }.once());
    desk.order(market("slices", "9")).await;
    for (filled, status) in [("3", "partially_filled"), ("6", "partially_filled"), ("9", "filled")] {
        let order = desk.lookup("slices").await.json();
        assert_eq!((&order["filled_qty"], &order["status"]), (&json!(filled), &json!(status)));
        desk.account.forward(SignedDuration::from_secs(10));
    }
    assert_eq!(desk.account.executions().len(), 4);
}

#[tokio::test]
async fn a_test_fills_an_order_at_prices_of_its_own() {
    let desk = Desk::at(OPEN).await;
    desk.account.strike(Strike::Hold.once());
    desk.order(market("one", "3")).await;
    assert!(desk.account.execute("one", shares("1"), price("187.25")));
    assert!(desk.account.execute("one", shares("2"), price("187.26")));
    let order = desk.lookup("one").await.json();
    assert_eq!((&order["status"], &order["filled_avg_price"]), (&json!("filled"), &json!("187.256667")));
    assert!(!desk.account.cancel("one"), "it ended before");
}

#[tokio::test]
async fn a_cancel_comes_too_late() {
    let desk = Desk::at(OPEN).await;
    desk.account.strike(Strike::Hold.once());
    let order = desk.order(market("one", "3")).await.json();
    desk.account.strike(Strike::TooLate.once());
    let path = format!("/v2/orders/{}", order["id"].as_str().unwrap());
    assert_eq!(desk.delete(&path).await.status, 204);
    assert_eq!(desk.get(&path).await.json()["status"], "filled");
}

#[tokio::test]
async fn answers_have_words_and_fields_that_nobody_knows_and_lack_some() {
    let desk = Desk::at(OPEN).await;
    desk.order(market("one", "3")).await;
    desk.account.strike(Strike::Word("pondering".to_owned()).once());
    desk.account.strike(Strike::Extra.once());
    desk.account.strike(Strike::Bare.once());
    let order = desk.lookup("one").await.json();
    assert_eq!((&order["status"], &order["qty"]), (&json!("pondering"), &json!("3")));
    assert!(order.get("phase_of_the_moon").is_some() && order.get("filled_avg_price").is_none());
    assert_eq!(desk.lookup("one").await.json()["status"], "filled");
}

#[tokio::test]
async fn positions_lag_and_go_down_while_orders_are_told() {
    let desk = Desk::at(OPEN).await;
    desk.account.lag_positions(Duration::from_secs(10));
    desk.order(market("one", "3")).await;
    assert_eq!(desk.lookup("one").await.json()["status"], "filled");
    assert_eq!(desk.get("/v2/positions").await.json(), json!([]));
    assert_eq!(desk.account.position("AAPL"), shares("3"), "the truth does not lag");
    desk.account.forward(SignedDuration::from_secs(10));
    assert_eq!(desk.get("/v2/positions").await.json()[0]["qty"], "3");
    desk.account.strike(Strike::Fail(503).always().on(Ask::Positions));
    assert_eq!(desk.get("/v2/positions").await.status, 503);
    assert_eq!(desk.lookup("one").await.status, 200);
}

#[tokio::test]
async fn the_market_contradicts_itself() {
    let desk = Desk::at(OPEN).await;
    desk.account.strike(Strike::Contradict.once());
    assert_eq!(desk.get("/v2/clock").await.json()["is_open"], false);
    let quote = async |strike: Strike| {
        desk.account.strike(strike.once());
        let answer = desk.get("/v2/stocks/quotes/latest?symbols=AAPL").await;
        let quote = answer.json()["quotes"]["AAPL"].clone();
        (answer.status, quote["bp"].as_f64(), quote["ap"].as_f64())
    };
    assert_eq!(quote(Strike::NoQuote).await, (200, None, None));
    assert_eq!(quote(Strike::ZeroQuote).await, (200, Some(0.0), Some(0.0)));
    assert_eq!(quote(Strike::CrossedQuote).await, (200, Some(188.25), Some(187.25)));
    assert_eq!(quote(Strike::ForbidQuote).await, (403, None, None));
}

#[tokio::test]
async fn what_strikes_is_remembered_beside_what_was_asked() {
    let desk = Desk::at(OPEN).await;
    desk.account.strike(Strike::Drop.once().on(Ask::Submit));
    desk.get("/v2/clock").await;
    assert!(desk.try_order(market("one", "1")).await.is_none());
    let (asked, recent) = (desk.alpaca.asked(), desk.alpaca.recent());
    assert_eq!((asked.of(Ask::Submit), asked.of(Ask::Clock), asked.struck), (1, 1, 1));
    assert_eq!(recent[1].strikes, [Strike::Drop]);
    assert!(recent[1].body.contains("AAPL") && recent[1].line == "POST /v2/orders");
}

#[tokio::test]
async fn all_of_it_is_told_over_http_too() {
    let desk = Desk::at(OPEN).await;
    desk.control("drop?on=submit&about=AAPL").await;
    assert!(desk.try_order(market("one", "1")).await.is_none() && desk.has("one"));
    desk.control("refuse?why=held%20shares").await;
    assert_eq!(desk.order(market("two", "1")).await.status, 403);
    desk.control("hold").await;
    desk.order(market("three", "4")).await;
    desk.control("order/three/fill?quantity=1&price=186").await;
    desk.control("order/three/cancel").await;
    let order = desk.lookup("three").await.json();
    assert_eq!((&order["status"], &order["filled_qty"]), (&json!("canceled"), &json!("1")));
    let executions =
        ask(desk.client.get(format!("{}/sim/executions", desk.alpaca.url()))).await.unwrap().json();
    desk.control(&format!("execution/{}/bust", executions[1]["id"].as_str().unwrap())).await;
    assert_eq!(desk.account.executions().last().unwrap().nature, Nature::Bust);
    desk.control("person?symbol=AAPL&side=buy&quantity=2").await;
    assert_eq!(desk.account.position("AAPL"), shares("3"));
    desk.control("market?open=false").await;
    assert_eq!(desk.get("/v2/clock").await.json()["is_open"], false);
    desk.control("market?open=hours").await;
    desk.control("time?now=2026-11-20T21:30:00Z").await;
    assert_eq!(desk.get("/v2/clock").await.json()["is_open"], false);
    desk.control("day?date=2026-11-23&is=holiday").await;
    assert_eq!(desk.get("/v2/clock").await.json()["next_open"], "2026-11-24T09:30:00-05:00");
    desk.control("price?symbol=XYZ&bid=12.50&ask=12.52").await;
    desk.control("listing?symbol=XYZ&fractionable=false").await;
    assert_eq!(desk.get("/v2/assets/XYZ").await.json()["fractionable"], false);
    desk.control("account?cash=77&buying_power=5&blocked=true&lag_s=3&rate=0").await;
    let account = desk.get("/v2/account").await.json();
    assert_eq!((&account["cash"], &account["buying_power"]), (&json!("77"), &json!("5")));
    desk.control("reset?cash=9").await;
    assert_eq!(desk.account.cash(), usd("9"));
    // What means nothing is said so.
    for wrong in ["nonsense", "drop?on=nothing", "price?symbol=A", "order/none/cancel", "refuse?why=spite"] {
        let answer = ask(desk.client.post(format!("{}/sim/{wrong}", desk.alpaca.url()))).await.unwrap();
        assert_eq!(answer.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn the_same_storm_over_the_same_requests_is_the_same() {
    let course = async |seed: u64| {
        let desk = Desk::at(OPEN).await;
        desk.account.storm(Storm::seeded(seed));
        let mut seen = Vec::new();
        for number in 0..60 {
            let id = format!("order-{number}");
            let answer = desk.try_order(market(&id, "2")).await;
            seen.push(answer.map(|answer| (answer.status, answer.text)));
            desk.account.forward(SignedDuration::from_secs(1));
        }
        (seen, desk.account.orders(), desk.account.executions())
    };
    let (first, second) = (course(11).await, course(11).await);
    assert_eq!(first, second);
    assert_ne!(first.0, course(12).await.0);
    // And what an account did adds up, whatever was told of it.
    let (_, orders, executions) = first;
    for order in &orders {
        let filled = executions.iter().filter(|execution| execution.order_id == order.id);
        let filled = filled.fold(shares("0"), |sum, execution| sum.plus(execution.quantity).unwrap());
        assert_eq!(filled, order.filled, "{order:?}");
        assert!(
            order.side == Side::Buy
                && (order.status != SimStatus::Filled || filled >= order.quantity.unwrap())
        );
    }
}
