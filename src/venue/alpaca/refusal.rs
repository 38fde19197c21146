//! What Alpaca means when it says no.
//!
//! By message, then by code, then by status: 40310000 is funds, held shares, a wash
//! trade and more, and 40010001 is a taken id as well as a missing field
//! (`alpaca.md` §9, read 2026-11-20). What proves that an order was not placed is a
//! 400, 403, 404 or 422 that is no duplicate; anything else proves nothing.

use reqwest::StatusCode;
use serde::Deserialize;

use crate::{book::order::Refusal, venue::http::Answer};

/// What a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum No {
    /// The order was not taken.
    Refused(Refusal),
    /// The id was used before: there is an order that has it.
    Duplicate,
    /// The keys are wrong, or for another host.
    NotLetIn,
    /// It does not prove that nothing was done.
    Unclear,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    code: Option<u64>,
    message: Option<String>,
}

/// Words of a message, and what they mean: the first that are found count.
const WORDS: [(&str, No); 32] = [
    ("client_order_id must be unique", No::Duplicate),
    ("request is not authorized", No::NotLetIn),
    ("insufficient qty available", No::Refused(Refusal::HeldShares)),
    ("insufficient buying power", No::Refused(Refusal::Funds)),
    ("insufficient day trading buying power", No::Refused(Refusal::Funds)),
    ("insufficient balance", No::Refused(Refusal::Funds)),
    ("wash trade", No::Refused(Refusal::WashTrade)),
    ("opposite side", No::Refused(Refusal::WashTrade)),
    ("is not fractionable", No::Refused(Refusal::NotFractionable)),
    ("fractional trading is disabled", No::Refused(Refusal::NotFractionable)),
    ("minimal amount of order", No::Refused(Refusal::BelowMinimum)),
    ("cannot be sold short", No::Refused(Refusal::NotShortable)),
    ("not shortable", No::Refused(Refusal::NotShortable)),
    ("not allowed to short", No::Refused(Refusal::NotShortable)),
    ("is not tradable", No::Refused(Refusal::NotTradable)),
    ("is not active", No::Refused(Refusal::NotTradable)),
    ("asset not found", No::Refused(Refusal::NotTradable)),
    ("symbol not found", No::Refused(Refusal::NotTradable)),
    ("could not find asset", No::Refused(Refusal::NotTradable)),
    ("extended hours order must be", No::Refused(Refusal::Session)),
    ("market is closed", No::Refused(Refusal::Session)),
    ("market hours", No::Refused(Refusal::Session)),
    ("trading hours", No::Refused(Refusal::Session)),
    ("opg order", No::Refused(Refusal::Session)),
    ("cls order", No::Refused(Refusal::Session)),
    ("market on open", No::Refused(Refusal::Session)),
    ("market on close", No::Refused(Refusal::Session)),
    ("trading is blocked", No::Refused(Refusal::Account)),
    ("account is blocked", No::Refused(Refusal::Account)),
    ("account is restricted", No::Refused(Refusal::Account)),
    ("account is not authorized to trade", No::Refused(Refusal::Account)),
    ("pattern day trading", No::Refused(Refusal::Account)),
];

/// What an answer that is no success means.
pub(super) fn meaning(answer: &Answer) -> No {
    let said: Said = answer.read().unwrap_or_default();
    let message = said.message.unwrap_or_default().to_lowercase();
    let found = WORDS.iter().find(|(words, _)| message.contains(words));
    if let Some((_, no)) = found {
        return *no;
    }
    // `asset "X" not found`.
    if message.starts_with("asset ") && message.ends_with("not found") {
        return No::Refused(Refusal::NotTradable);
    }
    match said.code {
        Some(40_110_000) => return No::NotLetIn,
        Some(40_310_100) => return No::Refused(Refusal::Account),
        _ => {}
    }
    match answer.status {
        StatusCode::UNAUTHORIZED => No::NotLetIn,
        StatusCode::FORBIDDEN if matches!(message.trim_end_matches('.'), "forbidden" | "unauthorized") => {
            No::NotLetIn
        }
        StatusCode::BAD_REQUEST
        | StatusCode::FORBIDDEN
        | StatusCode::NOT_FOUND
        | StatusCode::UNPROCESSABLE_ENTITY => No::Refused(Refusal::Other),
        _ => No::Unclear,
    }
}

/// Whether a refused cancel only says that there is nothing left to cancel.
pub(super) fn is_over(answer: &Answer) -> bool {
    let message = answer.read::<Said>().unwrap_or_default().message.unwrap_or_default().to_lowercase();
    answer.status == StatusCode::NOT_FOUND
        || answer.status == StatusCode::UNPROCESSABLE_ENTITY
            && ["order is already in", "pending cancel", "not cancelable", "not open"]
                .iter()
                .any(|words| message.contains(words))
}

/// Whether the id that was asked for cannot be one of Alpaca's.
pub(super) fn is_no_id(answer: &Answer) -> bool {
    let message = answer.read::<Said>().unwrap_or_default().message.unwrap_or_default();
    answer.status == StatusCode::UNPROCESSABLE_ENTITY && message.contains("order_id is missing")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn answer(status: u16, body: impl Into<Bytes>) -> Answer {
        Answer { status: StatusCode::from_u16(status).unwrap(), location: None, body: body.into() }
    }

    fn coded(status: u16, code: u32, message: &str) -> No {
        let body = serde_json::json!({"code": code, "message": message}).to_string();
        meaning(&answer(status, body))
    }

    #[test]
    fn every_refusal_that_alpaca_documents_is_understood() {
        use Refusal::{Account, BelowMinimum, Funds, HeldShares, NotFractionable, NotShortable, NotTradable};
        use Refusal::{Other, Session, WashTrade};
        for (status, code, message, why) in [
            (400, 40_010_000, "request body format is invalid", Other),
            (403, 40_310_000, "insufficient buying power", Funds),
            (
                403,
                40_310_000,
                "insufficient qty available for order (requested: 5, available: 0)",
                HeldShares,
            ),
            (403, 40_310_000, "potential wash trade detected. use complex orders", WashTrade),
            (403, 40_310_000, "asset \"BRK.A\" is not fractionable", NotFractionable),
            (403, 40_310_000, "cost basis must be >= minimal amount of order 1", BelowMinimum),
            (403, 40_310_000, "fractional trading is disabled for this account", NotFractionable),
            (403, 40_310_000, "opg orders are not accepted between 09:28 and 19:00", Session),
            (403, 40_310_100, "trade denied due to pattern day trading protection", Account),
            (403, 40_310_100, "words of tomorrow", Account),
            (403, 40_310_000, "words of tomorrow", Other),
            (404, 40_410_000, "asset not found for XYZ", NotTradable),
            (404, 40_410_000, "symbol not found: XYZ", NotTradable),
            (422, 40_010_001, "qty must be > 0", Other),
            (422, 40_010_001, "limit orders require a limit price", Other),
            (422, 40_010_001, "client_order_id must be no more than 128 characters", Other),
            (
                422,
                42_210_000,
                "invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria",
                Other,
            ),
            (422, 42_210_000, "extended hours order must be DAY limit orders", Session),
            (422, 42_210_000, "fractional orders must be DAY orders", Other),
            (422, 42_210_000, "fractional orders must be simple orders", Other),
            (422, 42_210_000, "fractional orders cannot be sold short", NotShortable),
            (422, 42_210_000, "asset \"GME\" cannot be sold short", NotShortable),
            (422, 42_210_000, "asset \"GME\" is not tradable", NotTradable),
            (422, 42_210_000, "asset \"GMEX\" not found", NotTradable),
        ] {
            assert_eq!(coded(status, code, message), No::Refused(why), "{message}");
        }
    }

    #[test]
    fn a_taken_id_is_told_by_its_message_whatever_the_status() {
        for status in [409, 422] {
            assert_eq!(coded(status, 40_010_001, "client_order_id must be unique"), No::Duplicate);
        }
    }

    #[test]
    fn wrong_keys_are_told_from_refused_orders() {
        assert_eq!(coded(401, 40_110_000, "request is not authorized"), No::NotLetIn);
        for body in [r#"{"message":"forbidden."}"#, r#"{"message":"unauthorized."}"#] {
            assert_eq!(meaning(&answer(403, body)), No::NotLetIn);
        }
    }

    #[test]
    fn what_proves_nothing_is_unclear() {
        assert_eq!(meaning(&answer(409, r#"{"message":"conflict"}"#)), No::Unclear);
        assert_eq!(meaning(&answer(418, "tea")), No::Unclear);
        assert_eq!(meaning(&answer(403, "<html>forbidden</html>")), No::Refused(Refusal::Other));
    }

    #[test]
    fn a_cancel_of_what_is_over_is_told_from_a_refused_one() {
        for (status, message) in [
            (422, "order is already in \"filled\" state"),
            (422, "order pending cancel"),
            (404, "order not found for 7"),
        ] {
            let body = serde_json::json!({"code": 42_210_000, "message": message}).to_string();
            assert!(is_over(&answer(status, body)), "{message}");
        }
        assert!(!is_over(&answer(422, r#"{"message":"no"}"#)));
        assert!(!is_over(&answer(403, r#"{"message":"order is already in \"filled\" state"}"#)));
    }
}
