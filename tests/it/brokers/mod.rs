//! The rehearsal brokers, over HTTP: each shape and each refusal that is written down of the real ones.

mod alpaca;
mod night;
mod schwab;
mod sdk;
mod strikes;

use std::time::Duration;

use hedge::{
    sim::{AlpacaKeys, Opening, Prices, SimAccount, SimAlpaca},
    time::Clock,
    units::{Amount, Price, Shares, Usd},
};
use jiff::Timestamp;
use reqwest::{Client, Method, RequestBuilder, header::HeaderMap};
use serde_json::Value;

/// A Friday, half past ten in New York.
pub const OPEN: &str = "2026-11-20T15:30:00Z";

pub fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

pub fn shares(text: &str) -> Shares {
    Shares(amount(text))
}

pub fn usd(text: &str) -> Usd {
    Usd(amount(text))
}

pub fn price(text: &str) -> Price {
    Price::of(amount(text)).unwrap()
}

/// A hundred thousand dollars and two tickers, at a clock that is told the time.
pub fn account(now: &str) -> SimAccount {
    let prices = Prices::none().with("AAPL", price("187.26")).with("TSLA", price("404"));
    let clock = Clock::told(now.parse::<Timestamp>().unwrap());
    let account = SimAccount::open(Opening { prices, clock, ..Opening::default() });
    account.set_quote("AAPL", price("187.25"), price("187.26"));
    account
}

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn message(&self) -> String {
        self.json()["message"].as_str().unwrap().to_owned()
    }

    /// Status, code and message, as they are looked at to tell errors apart.
    pub fn error(&self) -> (u16, i64, String) {
        (self.status, self.json()["code"].as_i64().unwrap_or_default(), self.message())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Somebody who asks; `None` is no answer.
pub async fn ask(request: RequestBuilder) -> Option<Answer> {
    let response = request.timeout(Duration::from_secs(5)).send().await.ok()?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Some(Answer { status, headers, text: response.text().await.ok()? })
}

pub fn client() -> Client {
    // It fails only where one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

/// An Alpaca, and a client that may ask it.
pub struct Desk {
    pub account: SimAccount,
    pub alpaca: SimAlpaca,
    pub client: Client,
}

impl Desk {
    pub async fn at(now: &str) -> Self {
        let account = account(now);
        let keys = AlpacaKeys::default();
        let alpaca = SimAlpaca::serve(account.clone(), keys, "127.0.0.1:0").await.unwrap();
        Self { account, alpaca, client: client() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.alpaca.url()));
        request.header("APCA-API-KEY-ID", "K").header("APCA-API-SECRET-KEY", "S")
    }

    pub async fn get(&self, path: &str) -> Answer {
        ask(self.request(Method::GET, path)).await.unwrap()
    }

    pub async fn delete(&self, path: &str) -> Answer {
        ask(self.request(Method::DELETE, path)).await.unwrap()
    }

    pub async fn order(&self, body: Value) -> Answer {
        self.try_order(body).await.unwrap()
    }

    pub async fn try_order(&self, body: Value) -> Option<Answer> {
        ask(self.request(Method::POST, "/v2/orders").body(body.to_string())).await
    }

    pub async fn control(&self, path: &str) -> Value {
        let answer = ask(self.client.post(format!("{}/sim/{path}", self.alpaca.url()))).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }
}
