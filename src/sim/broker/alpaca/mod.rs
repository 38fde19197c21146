//! A rehearsal Alpaca: the Trading API, the Broker API's paths of one account, and market data.
//!
//! Served at one port: `/v2/…` with the two `APCA-` headers or a bearer token, the same
//! below `/v1/trading/accounts/ID/…` (and `/v1/clock`, `/v1/calendar`, `/v1/assets`,
//! `/v1/accounts/activities`) with HTTP Basic, `/v2/stocks/…/quotes/latest`, daily
//! `/v2/stocks/bars`, and `/v1/corporate-actions`. Shapes,
//! codes and words are those of `alpaca.md`, read 2026-11-20.
//!
//! Assumed, because it is nowhere said how REST activities show it: a bust and a
//! correction are rows of type `FILL` of their own, with `"type":"trade_bust"` or
//! `"trade_correct"` and the first row's id as `"previous_id"`; a correction has the
//! quantity and price that are right, and the order's own figures stay what they were.
//! Absent: stop orders, brackets, orders for the auctions, options, crypto, streams;
//! margin, so that buying power is cash; prices too far from the market.

mod account;
mod activities;
mod night;
mod orders;
mod render;

use std::{io, net::SocketAddr};

use axum::http::Method;
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Value, json};
use tokio::net::ToSocketAddrs;

use super::{
    account::SimAccount,
    front::{Answer, Asked, Counter, Door, Heard, Request},
    ledger::Ledger,
    order::Refused,
    strike::{Ask, Bent},
};
use crate::{book::order::Refusal, secret::Secret, units::Usd};

/// Requests a minute that the headers speak of where nothing limits them.
const USUAL_RATE: u32 = 200;

/// Who may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlpacaKeys {
    /// The key's id.
    pub key: Secret,
    /// What goes with it; also the token of a bearer.
    pub secret: Secret,
}

impl Default for AlpacaKeys {
    /// `K` and `S`.
    fn default() -> Self {
        Self { key: Secret::new("K"), secret: Secret::new("S") }
    }
}

/// An Alpaca that is open. Dropped, it closes.
#[derive(Debug)]
pub struct SimAlpaca(Door);

impl SimAlpaca {
    /// Serves `account` at `addr`; port 0 is any that is free.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub async fn serve(account: SimAccount, keys: AlpacaKeys, addr: impl ToSocketAddrs) -> io::Result<Self> {
        Door::open(account, Desk { keys }, addr).await.map(Self)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.0.addr()
    }

    /// Where it is to be asked, trading and market data alike.
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
    keys: AlpacaKeys,
}

/// Where a path leads, whichever of the two APIs it is of.
struct Route {
    /// The account that it names.
    account: Option<String>,
    /// Whether it is the Broker API's.
    firm: bool,
    /// What stands behind.
    resource: Vec<String>,
}

impl Route {
    fn of(request: &Request) -> Self {
        let path = request.path.replace("%3A", ":").replace("%3a", ":");
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let owned = |rest: &[&str]| rest.iter().map(|part| (*part).to_owned()).collect();
        match parts.as_slice() {
            // Market data, whichever API the account is of.
            ["v1", "corporate-actions"] => {
                Self { account: None, firm: false, resource: vec!["corporate-actions".to_owned()] }
            }
            ["v1", "trading", "accounts", account, rest @ ..] => {
                Self { account: Some((*account).to_owned()), firm: true, resource: owned(rest) }
            }
            ["v1", "accounts", rest @ ..] => {
                let account = request.param("account_id").map(str::to_owned);
                Self { account, firm: true, resource: [vec!["account".to_owned()], owned(rest)].concat() }
            }
            ["v1", rest @ ..] => Self { account: None, firm: true, resource: owned(rest) },
            ["v2", rest @ ..] => Self { account: None, firm: false, resource: owned(rest) },
            _ => Self { account: None, firm: false, resource: Vec::new() },
        }
    }

    fn parts(&self) -> Vec<&str> {
        self.resource.iter().map(String::as_str).collect()
    }

    fn ask(&self, method: &Method) -> Ask {
        match (method.as_str(), self.parts().as_slice()) {
            ("POST", ["orders"]) => Ask::Submit,
            ("PATCH", ["orders", _]) => Ask::Replace,
            ("DELETE", ["orders"] | ["orders", _]) => Ask::Cancel,
            ("GET", ["orders:by_client_order_id"]) => Ask::Lookup,
            ("GET", ["orders", _]) => Ask::Read,
            ("GET", ["orders"]) => Ask::List,
            ("GET", ["account", "activities"] | ["account", "activities", _]) => Ask::Activities,
            ("GET", ["account"]) => Ask::Account,
            ("GET", ["positions"] | ["positions", _]) => Ask::Positions,
            ("GET", ["clock"]) => Ask::Clock,
            ("GET", ["calendar"]) => Ask::Calendar,
            ("GET", ["stocks", "bars"]) => Ask::Closes,
            ("GET", ["corporate-actions"]) => Ask::Actions,
            ("GET", ["stocks", "quotes", "latest"] | ["stocks", _, "quotes", "latest"]) => Ask::Quote,
            ("GET", ["assets"] | ["assets", _]) => Ask::Asset,
            _ => Ask::Other,
        }
    }
}

impl Desk {
    /// Why somebody may not ask.
    fn stranger(&self, ledger: &Ledger, request: &Request, route: &Route) -> Option<Answer> {
        let (key, secret) = (self.keys.key.expose(), self.keys.secret.expose());
        let authorization = request.header("authorization");
        let bearer = authorization.and_then(|said| said.strip_prefix("Bearer "));
        let known = if route.firm {
            let basic = format!("Basic {}", STANDARD.encode(format!("{key}:{secret}")));
            authorization.map(|said| said == basic || bearer == Some(secret))
        } else {
            let headers = (request.header("apca-api-key-id"), request.header("apca-api-secret-key"));
            match headers {
                (None, None) => bearer.map(|token| token == secret),
                said => Some(said == (Some(key), Some(secret))),
            }
        };
        match known {
            None => Some(error(401, 40_110_000, "request is not authorized")),
            Some(false) if route.firm => Some(error(401, 40_110_000, "request is not authorized")),
            Some(known) if !known || ledger.manners.revoked => {
                Some(Answer::json(403, &json!({ "message": "forbidden." })))
            }
            Some(_) => None,
        }
    }
}

impl Counter for Desk {
    fn asked(&self, ledger: &Ledger, request: &Request) -> (Ask, Option<String>) {
        let route = Route::of(request);
        let ask = route.ask(&request.method);
        let of_order = |place: Option<usize>| {
            place.and_then(|place| ledger.orders.get(place)).map(|order| order.symbol.clone())
        };
        let symbol = match (ask, route.parts().as_slice()) {
            (Ask::Submit, _) => orders::symbol_of(&request.body),
            (Ask::Lookup, _) => {
                of_order(request.param("client_order_id").and_then(|id| ledger.place_of_client_id(id)))
            }
            (_, ["orders", id]) => of_order(ledger.place_of(id)),
            (_, ["positions" | "assets", symbol] | ["stocks", symbol, "quotes", "latest"]) => {
                Some((*symbol).to_owned())
            }
            _ => request.param("symbols").or_else(|| request.param("symbol")).map(str::to_owned),
        };
        (ask, symbol)
    }

    fn answer(&self, ledger: &mut Ledger, request: &Request, bent: &Bent, now: Timestamp) -> Answer {
        let route = Route::of(request);
        if let Some(refused) = self.stranger(ledger, request, &route) {
            return refused;
        }
        if route.account.as_ref().is_some_and(|account| *account != ledger.account_id) {
            return error(404, 40_410_000, "account not found");
        }
        match (request.method.as_str(), route.parts().as_slice()) {
            ("POST", ["orders"]) => orders::submit(ledger, request, bent, now),
            ("GET", ["orders"]) => orders::list(ledger, request, bent, now),
            ("DELETE", ["orders"]) => orders::cancel_all(ledger, bent, now),
            ("GET", ["orders:by_client_order_id"]) => orders::lookup(ledger, request, bent, now),
            ("GET", ["orders", id]) => orders::read(ledger, id, bent, now),
            ("DELETE", ["orders", id]) => orders::cancel(ledger, id, bent, now),
            ("PATCH", ["orders", id]) => orders::replace(ledger, id, request, bent, now),
            ("GET", ["account"]) => account::account(ledger, bent, now),
            ("GET", ["stocks", "bars"]) => night::bars(ledger, request, bent, now),
            ("GET", ["corporate-actions"]) => night::actions(ledger, request, bent),
            ("GET", ["account", "activities"]) => activities::list(ledger, request, None, bent),
            ("GET", ["account", "activities", kind]) => activities::list(ledger, request, Some(kind), bent),
            ("GET", ["positions"]) => account::positions(ledger, bent, now),
            ("GET", ["positions", symbol]) => account::position(ledger, symbol, bent, now),
            ("GET", ["assets"]) => account::assets(ledger, bent),
            ("GET", ["assets", symbol]) => account::asset(ledger, symbol, bent),
            ("GET", ["clock"]) => account::clock(ledger, bent, now),
            ("GET", ["calendar"]) => account::calendar(ledger, request),
            ("GET", ["stocks", "quotes", "latest"]) => account::quotes(ledger, request, bent, now),
            ("GET", ["stocks", symbol, "quotes", "latest"]) => account::quote(ledger, symbol, bent, now),
            _ => Answer::json(404, &json!({ "message": "endpoint not found." })),
        }
    }

    fn refuse(&self, _ledger: &Ledger, request: &Request, why: Refusal) -> Answer {
        let symbol = orders::symbol_of(&request.body).unwrap_or_default();
        let refused = match why {
            Refusal::Funds => Refused::Funds { buying_power: Usd::ZERO, cost_basis: Usd::ZERO },
            Refusal::HeldShares => Refused::Held {
                available: crate::units::Shares::ZERO,
                existing: crate::units::Shares::ZERO,
                related: Vec::new(),
            },
            Refusal::WashTrade => {
                Refused::Wash { existing: super::ledger::uuid_of("somebody's"), limit: false }
            }
            Refusal::NotTradable => Refused::NotTradable,
            Refusal::NotShortable => Refused::NotShortable,
            Refusal::NotFractionable => Refused::NotFractionable,
            Refusal::BelowMinimum => Refused::BelowMinimum,
            Refusal::Account => Refused::Blocked,
            Refusal::Session => {
                return error(422, 42_210_000, "extended hours order must be DAY limit orders");
            }
            Refusal::Other => return error(422, 42_299_999, "order violates a rule made this morning"),
        };
        orders::refused(&refused, &symbol, "0", false)
    }

    fn fail(&self, status: u16) -> Answer {
        match status {
            500 => error(500, 50_010_000, "internal server error occurred"),
            503 => error(503, 50_310_000, "service unavailable"),
            _ => Answer::page(
                status,
                "<html><head><title>Gateway</title></head><body>upstream did not answer</body></html>",
            ),
        }
    }

    fn throttle(&self, headers: bool, now: Timestamp) -> Answer {
        if !headers {
            return Answer::json(429, &json!({ "message": "too many requests." }));
        }
        let mut answer = error(429, 42_910_000, "rate limit exceeded");
        limits(&mut answer, 0, USUAL_RATE, now);
        answer
    }

    fn stamp(&self, answer: &mut Answer, remaining: Option<u32>, limit: Option<u32>, now: Timestamp) {
        // One that throttles has said so already, or does not say.
        if answer.status != 429 {
            let limit = limit.unwrap_or(USUAL_RATE);
            limits(answer, remaining.unwrap_or_default().min(limit), limit, now);
        }
    }
}

fn limits(answer: &mut Answer, remaining: u32, limit: u32, now: Timestamp) {
    let reset = (now.as_second().div_euclid(60) + 1) * 60;
    answer.headers.push(("x-ratelimit-limit", limit.to_string()));
    answer.headers.push(("x-ratelimit-remaining", remaining.to_string()));
    answer.headers.push(("x-ratelimit-reset", reset.to_string()));
}

/// An error as Alpaca words it.
fn error(status: u16, code: u32, message: &str) -> Answer {
    error_with(status, code, message, json!({}))
}

/// An error that says more than code and message.
fn error_with(status: u16, code: u32, message: &str, mut more: Value) -> Answer {
    if let Some(fields) = more.as_object_mut() {
        fields.insert("code".to_owned(), code.into());
        fields.insert("message".to_owned(), message.into());
    }
    Answer::json(status, &more)
}

/// A request that is not well formed.
fn invalid(message: &str) -> Answer {
    error(422, 40_010_001, message)
}

/// An instant in a query: RFC 3339, or without a zone, or a date alone.
fn instant(request: &Request, name: &str) -> Result<Option<Timestamp>, Answer> {
    let Some(text) = request.param(name) else { return Ok(None) };
    let instant = text.parse::<Timestamp>().ok().or_else(|| {
        let civil = text.parse::<DateTime>().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    });
    instant.map(Some).ok_or_else(|| invalid(&format!("invalid {name}: {text}")))
}
