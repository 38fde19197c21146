//! A rehearsal Schwab: logins, the Trader API and market data, at one port.
//!
//! Below `/v1/oauth`, `/trader/v1` and `/marketdata/v1`. Shapes, codes and words are those
//! of `schwab.md`, read 2026-11-20; there is no real one to try against without money.
//!
//! Assumed, because it is nowhere said: a replaced order names the next one in its
//! `replacingOrderCollection`; an execution that is busted is `INVALID` among the
//! transactions, a correction is a transaction of its own with the difference, and the
//! order's activities stay what they were; a refusal of form is a 400, one of substance a
//! `REJECTED` a second later. An order of session `AM` or `PM` stands all of the extended day.
//! Absent: options, orders of several legs, stop orders, fractions, fees, and what it does
//! about orders that would meet another one of the same account.

mod account;
mod login;
mod orders;
mod render;

use std::{io, net::SocketAddr};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::ToSocketAddrs;

use super::{
    account::SimAccount,
    front::{Answer, Asked, Counter, Door, Heard, Request},
    ledger::{Ledger, uuid_of},
    strike::{Ask, Bent},
};
use crate::{book::order::Refusal, secret::Secret};

/// The app that may ask, and a login of its owner's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchwabApp {
    /// The app's key.
    pub key: Secret,
    /// The app's secret.
    pub secret: Secret,
    /// A refresh token that is good from the start.
    pub refresh_token: Secret,
    /// Where logins come back to; none: to any `https` address.
    pub callback: Option<String>,
}

impl Default for SchwabApp {
    /// `K`, `S` and `R`.
    fn default() -> Self {
        let [key, secret, refresh_token] = ["K", "S", "R"].map(Secret::new);
        Self { key, secret, refresh_token, callback: None }
    }
}

/// A Schwab that is open. Dropped, it closes.
#[derive(Debug)]
pub struct SimSchwab(Door);

impl SimSchwab {
    /// Serves `account` at `addr`; port 0 is any that is free.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub async fn serve(account: SimAccount, app: SchwabApp, addr: impl ToSocketAddrs) -> io::Result<Self> {
        let now = account.now();
        account.lock().logins.admit(app.refresh_token.expose(), now);
        Door::open(account, Desk { app }, addr).await.map(Self)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.0.addr()
    }

    /// Where it is to be asked, for logins, trading and market data alike.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// The account that it serves.
    pub fn account(&self) -> &SimAccount {
        self.0.account()
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Asked {
        self.0.asked()
    }

    /// The last requests, oldest first.
    pub fn recent(&self) -> Vec<Heard> {
        self.0.recent()
    }
}

#[derive(Debug)]
struct Desk {
    app: SchwabApp,
}

impl Desk {
    /// What an app's `Authorization` says at the token endpoint.
    fn basic(&self) -> String {
        let app = format!("{}:{}", self.app.key.expose(), self.app.secret.expose());
        format!("Basic {}", STANDARD.encode(app))
    }

    /// What orders of this app are marked with.
    fn tag(&self) -> String {
        let mark = uuid_of(self.app.key.expose());
        format!("TA_{}", mark.split('-').next().unwrap_or_default())
    }

    fn trade(&self, ledger: &mut Ledger, request: &Request, bent: &Bent, now: Timestamp) -> Answer {
        let parts = parts(request);
        let hash = hash(ledger);
        let tag = self.tag();
        let named = |part: &str| part == hash;
        match (request.method.as_str(), parts.get(2..).unwrap_or_default()) {
            ("GET", ["accounts", "accountNumbers"]) => account::numbers(ledger),
            ("GET", ["accounts"]) => account::all(ledger, request, now),
            (_, ["accounts", account, ..]) if !named(account) => {
                trouble(400, "Invalid account number", &["the account is named by its hash"])
            }
            ("GET", ["accounts", _]) => account::one(ledger, request, now),
            ("POST", ["accounts", _, "orders"]) => orders::submit(ledger, request, bent, now),
            ("POST", ["accounts", _, "previewOrder"]) => orders::preview(ledger, request),
            ("GET", ["orders"] | ["accounts", _, "orders"]) => orders::list(ledger, request, bent, &tag, now),
            ("GET", ["accounts", _, "orders", id]) => orders::read(ledger, id, bent, &tag, now),
            ("DELETE", ["accounts", _, "orders", id]) => orders::cancel(ledger, id, bent, now),
            ("PUT", ["accounts", _, "orders", id]) => orders::replace(ledger, id, request, bent, now),
            ("GET", ["accounts", _, "transactions"]) => account::transactions(ledger, request),
            _ => trouble(404, "Resource not found", &[]),
        }
    }
}

impl Counter for Desk {
    fn asked(&self, ledger: &Ledger, request: &Request) -> (Ask, Option<String>) {
        let of_order = |id: &str| {
            let order = ledger.place_of(id).and_then(|place| ledger.orders.get(place));
            order.map(|order| order.symbol.clone())
        };
        let positions = request.param("fields").is_some_and(|fields| fields.contains("positions"));
        match (request.method.as_str(), parts(request).as_slice()) {
            (_, ["v1", "oauth", ..]) => (Ask::Token, None),
            ("POST", ["trader", "v1", "accounts", _, "orders"]) => {
                (Ask::Submit, orders::symbol_of(&request.body))
            }
            ("PUT", ["trader", "v1", "accounts", _, "orders", id]) => (Ask::Replace, of_order(id)),
            ("DELETE", ["trader", "v1", "accounts", _, "orders", id]) => (Ask::Cancel, of_order(id)),
            ("GET", ["trader", "v1", "accounts", _, "orders", id]) => (Ask::Read, of_order(id)),
            ("GET", ["trader", "v1", "accounts", _, "orders"] | ["trader", "v1", "orders"]) => {
                (Ask::List, None)
            }
            ("GET", ["trader", "v1", "accounts", _, "transactions"]) => (Ask::Activities, None),
            ("GET", ["trader", "v1", "accounts"] | ["trader", "v1", "accounts", _]) if positions => {
                (Ask::Positions, None)
            }
            ("GET", ["trader", "v1", "accounts"] | ["trader", "v1", "accounts", _]) => (Ask::Account, None),
            ("GET", ["marketdata", "v1", "markets", ..]) => (Ask::Calendar, None),
            ("GET", ["marketdata", "v1", "quotes"]) => {
                (Ask::Quote, request.param("symbols").map(str::to_owned))
            }
            ("GET", ["marketdata", "v1", symbol, "quotes"]) => (Ask::Quote, Some((*symbol).to_owned())),
            _ => (Ask::Other, None),
        }
    }

    fn answer(&self, ledger: &mut Ledger, request: &Request, bent: &Bent, now: Timestamp) -> Answer {
        let parts = parts(request);
        if let ["v1", "oauth", step] = parts.as_slice() {
            return login::step(self, ledger, request, step, now);
        }
        let market = parts.first() == Some(&"marketdata");
        let token = request.header("authorization").and_then(|said| said.strip_prefix("Bearer "));
        let known = token.is_some_and(|token| ledger.logins.lets_in(token, now));
        if !known || ledger.manners.revoked {
            return if market {
                data_trouble(401, "Unauthorized", "Client not authorized")
            } else {
                trouble(401, "Client not authorized", &["Unauthorized"])
            };
        }
        match parts.as_slice() {
            ["trader", "v1", ..] => self.trade(ledger, request, bent, now),
            ["marketdata", "v1", "markets"] => account::markets(ledger, request, None, now),
            ["marketdata", "v1", "markets", market] => account::markets(ledger, request, Some(market), now),
            ["marketdata", "v1", "quotes"] => {
                account::quotes(ledger, request.param("symbols").unwrap_or_default(), bent, now)
            }
            ["marketdata", "v1", symbol, "quotes"] => account::quotes(ledger, symbol, bent, now),
            _ => trouble(404, "Resource not found", &[]),
        }
    }

    fn refuse(&self, _ledger: &Ledger, _request: &Request, why: Refusal) -> Answer {
        trouble(400, "The order was refused.", &[orders::words(why)])
    }

    fn fail(&self, status: u16) -> Answer {
        match status {
            500 => trouble(500, "An internal error occurred", &[]),
            503 => trouble(503, "Service temporarily unavailable", &[]),
            _ => {
                Answer::page(status, "<html><body><h1>Gateway</h1>The upstream did not answer.</body></html>")
            }
        }
    }

    fn throttle(&self, headers: bool, now: Timestamp) -> Answer {
        let mut answer = trouble(429, "Too many requests", &[]);
        if headers {
            answer.headers.push(("retry-after", (60 - now.as_second().rem_euclid(60)).to_string()));
        }
        answer
    }

    fn stamp(&self, answer: &mut Answer, _remaining: Option<u32>, _limit: Option<u32>, now: Timestamp) {
        let id = uuid_of(&format!("{now} {}", answer.body.len()));
        answer.headers.push(("schwab-client-correlid", id));
    }
}

fn parts(request: &Request) -> Vec<&str> {
    request.path.split('/').filter(|part| !part.is_empty()).collect()
}

/// What the account is called in paths.
fn hash(ledger: &Ledger) -> String {
    let seed = format!("{}/{}", ledger.account_number, ledger.logins.hashes);
    let halves = [uuid_of(&seed), uuid_of(&format!("{seed}/"))];
    halves.concat().replace('-', "").to_uppercase()
}

/// An error of the Trader API.
fn trouble(status: u16, message: &str, errors: &[&str]) -> Answer {
    Answer::json(status, &json!({ "message": message, "errors": errors }))
}

/// An error of market data.
fn data_trouble(status: u16, title: &str, detail: &str) -> Answer {
    let error: Value = json!({
        "id": uuid_of(detail), "status": status.to_string(), "title": title, "detail": detail,
    });
    Answer::json(status, &json!({ "errors": [error] }))
}
