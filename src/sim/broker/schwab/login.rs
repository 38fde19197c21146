//! OAuth: a login sent back as a code, a code for tokens, a refresh token for another access token.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::{
    super::{
        front::{Answer, Request},
        ledger::Ledger,
        login::Tokens,
    },
    Desk,
};

/// One step of a login.
pub(super) fn step(
    desk: &Desk,
    ledger: &mut Ledger,
    request: &Request,
    step: &str,
    now: Timestamp,
) -> Answer {
    match (request.method.as_str(), step) {
        ("GET", "authorize") => authorize(desk, ledger, request, now),
        ("POST", "token") => token(desk, ledger, request, now),
        _ => dead(404, "invalid_request", "no such endpoint"),
    }
}

/// The page on which a person would log in: it sends them back at once.
fn authorize(desk: &Desk, ledger: &mut Ledger, request: &Request, now: Timestamp) -> Answer {
    if request.param("client_id") != Some(desk.app.key.expose()) || ledger.manners.revoked {
        return dead(401, "invalid_client", "Unauthorized");
    }
    let known = |uri: &&str| match &desk.app.callback {
        Some(callback) => callback == uri,
        None => uri.starts_with("https://") && uri.len() <= 255,
    };
    let Some(redirect) = request.param("redirect_uri").filter(known) else {
        return dead(400, "invalid_request", "redirect_uri is not the app's callback");
    };
    let (code, session) = (format!("C0.{}.@", ledger.fresh_id()), ledger.fresh_id());
    ledger.logins.send(&code, redirect, now);
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("code", &code)
        .append_pair("session", &session)
        .finish();
    let back = format!("{redirect}?{query}");
    let mut answer = Answer::page(302, &format!("<html><body><a href=\"{back}\">Go on</a></body></html>"));
    answer.headers.push(("location", back));
    answer
}

fn token(desk: &Desk, ledger: &mut Ledger, request: &Request, now: Timestamp) -> Answer {
    if request.header("authorization") != Some(&desk.basic()) || ledger.manners.revoked {
        return dead(401, "invalid_client", "Unauthorized");
    }
    let form = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if !form {
        return dead(400, "invalid_request", "the body is no form");
    }
    let form: BTreeMap<String, String> = form_urlencoded::parse(&request.body).into_owned().collect();
    let said = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let fresh =
        Tokens { access: format!("I0.{}@", ledger.fresh_id()), refresh: format!("{}@", ledger.fresh_id()) };
    let tokens = match said("grant_type") {
        "authorization_code" => {
            let tokens = ledger.logins.exchange(said("code"), said("redirect_uri"), fresh, now);
            tokens.ok_or_else(|| dead(400, "invalid_grant", "Invalid authorization code"))
        }
        "refresh_token" => ledger.logins.renew(said("refresh_token"), fresh, now).ok_or_else(|| {
            let inner = json!({
                "error_description": "Exception while authenticating refresh token",
                "error": "refresh_token_authentication_error",
            });
            dead(400, "unsupported_token_type", &format!("400 Bad Request: \"{inner}\""))
        }),
        other => Err(dead(400, "unsupported_grant_type", &format!("grant type {other} is not supported"))),
    };
    match tokens {
        Ok(Tokens { access, refresh }) => Answer::json(
            200,
            &json!({
                "expires_in": 1800,
                "token_type": "Bearer",
                "scope": "api",
                "refresh_token": refresh,
                "access_token": access,
                "id_token": format!("eyJ.{}", ledger.fresh_id()),
            }),
        ),
        Err(answer) => answer,
    }
}

fn dead(status: u16, error: &str, description: &str) -> Answer {
    Answer::json(status, &json!({ "error": error, "error_description": description }))
}
