//! Who is let in, where it may listen, and what every answer carries.
//!
//! There is no session, no cookie and no form: a token comes with every request, as
//! `Authorization: Bearer TOKEN` from a program, or as the password of `Authorization: Basic`
//! from a browser, which asks for it by itself; the name beside it is not looked at. Where there
//! is no token, only this machine is answered, under its own names: a page of somebody else's,
//! whose name was made to point here, is not.

use std::{fmt, net::IpAddr, net::SocketAddr};

use alloy::primitives::{B256, keccak256};
use axum::http::{HeaderMap, HeaderName, Method, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::route::Asked;
use crate::secret::Secret;

/// Where the page is, while nobody says otherwise.
pub const USUAL: &str = "127.0.0.1:8080";
/// A shorter token is guessed.
pub const SHORTEST: usize = 16;

/// `[web]`, and `HEDGE_WEB_TOKEN`.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Where `hedge run` and `hedge web` listen; none: `hedge run` does not.
    pub listen: Option<SocketAddr>,
    /// What whoever looks must know.
    pub token: Option<Secret>,
}

/// What no answer is without: nothing of another's is loaded, framed, sent or guessed.
pub(super) const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Whether it may listen there: what others can reach needs a token.
///
/// # Errors
/// What is wrong, and what to do.
pub fn may_listen(at: SocketAddr, token: Option<&Secret>) -> Result<(), Refused> {
    match token {
        Some(token) if token.expose().len() < SHORTEST => Err(Refused::Short),
        None if !at.ip().is_loopback() => Err(Refused::Public(at)),
        Some(_) | None => Ok(()),
    }
}

/// Why it may not listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Everybody could look.
    #[error("{0} can be reached from other machines, and HEDGE_WEB_TOKEN is not set")]
    Public(SocketAddr),
    /// The token would be guessed.
    #[error("HEDGE_WEB_TOKEN is shorter than {SHORTEST} characters")]
    Short,
}

impl Refused {
    /// What to do.
    pub const fn next(self) -> &'static str {
        match self {
            Self::Public(_) => "set HEDGE_WEB_TOKEN, or listen at 127.0.0.1",
            Self::Short => "make one with: openssl rand -hex 32",
        }
    }
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Method,
    Host,
    Token,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "only GET and HEAD are answered: this page changes nothing",
            Self::Host => {
                "without a token only this machine is answered, under its own name: set HEDGE_WEB_TOKEN"
            }
            Self::Token => {
                "the token is missing or wrong: Authorization: Bearer TOKEN, or TOKEN as the password"
            }
        })
    }
}

/// Knows the token by its hash alone, so that how far a guess is right takes no longer to see.
#[derive(Debug)]
pub(super) struct Door {
    token: Option<B256>,
}

impl Door {
    pub(super) fn of(settings: &Settings) -> Self {
        Self { token: settings.token.as_ref().map(|token| keccak256(token.expose())) }
    }

    pub(super) fn admits(&self, method: &Method, headers: &HeaderMap, asked: &Asked) -> Result<(), Refusal> {
        if method != Method::GET && method != Method::HEAD {
            return Err(Refusal::Method);
        }
        match self.token {
            // Whoever restarts us may ask whether we are there; that says nothing.
            Some(_) if *asked == Asked::Health => Ok(()),
            Some(token) if shown(headers).is_some_and(|shown| keccak256(shown) == token) => Ok(()),
            Some(_) => Err(Refusal::Token),
            None if is_here(headers) => Ok(()),
            None => Err(Refusal::Host),
        }
    }
}

/// The token that comes with a request.
fn shown(headers: &HeaderMap) -> Option<String> {
    let (scheme, given) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(given.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(given.trim()).ok()?).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

/// Whether the host that is asked for is this machine by its own name. A program may name none.
fn is_here(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_matches(['[', ']']);
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn what_others_can_reach_needs_a_token_that_nobody_guesses() {
        let (here, everywhere) = ("127.0.0.1:1".parse().unwrap(), "0.0.0.0:1".parse().unwrap());
        let (long, short) = (Secret::new("0123456789abcdef"), Secret::new("hunter2"));
        assert_eq!(may_listen(here, None), Ok(()));
        assert_eq!(may_listen("[::1]:1".parse().unwrap(), None), Ok(()));
        assert_eq!(may_listen(everywhere, None), Err(Refused::Public(everywhere)));
        assert_eq!(may_listen(everywhere, Some(&long)), Ok(()));
        assert_eq!(may_listen(here, Some(&short)), Err(Refused::Short));
    }

    #[test]
    fn a_token_is_shown_by_a_program_or_as_a_browsers_password() {
        let settings = Settings { listen: None, token: Some(Secret::new("0123456789:abcdef")) };
        let door = Door::of(&settings);
        let at = |value: &str| {
            door.admits(&Method::GET, &headers(&[(header::AUTHORIZATION, value)]), &Asked::Metrics)
        };
        assert_eq!(at("Bearer 0123456789:abcdef"), Ok(()));
        assert_eq!(at(&format!("basic {}", STANDARD.encode("me:0123456789:abcdef"))), Ok(()));
        for wrong in ["Bearer 0123456789:abcde", "Bearer", "Basic x", "Digest 0123456789:abcdef", "Bearer "] {
            assert_eq!(at(wrong), Err(Refusal::Token), "{wrong}");
        }
        let nobody = HeaderMap::new();
        assert_eq!(door.admits(&Method::GET, &nobody, &Asked::Metrics), Err(Refusal::Token));
        assert_eq!(door.admits(&Method::GET, &nobody, &Asked::Health), Ok(()));
        assert!(!format!("{door:?} {settings:?}").contains("0123456789"), "{door:?}");
    }

    #[test]
    fn without_a_token_this_machine_is_answered_under_its_own_name() {
        let door = Door::of(&Settings::default());
        let at = |host: &str| door.admits(&Method::GET, &headers(&[(header::HOST, host)]), &Asked::Metrics);
        for here in ["127.0.0.1:8080", "localhost", "LOCALHOST:80", "[::1]:8080", "[::1]", "127.9.9.9"] {
            assert_eq!(at(here), Ok(()), "{here}");
        }
        for elsewhere in ["evil.example", "evil.example:8080", "localhost.evil.example", "10.0.0.1:8080"] {
            assert_eq!(at(elsewhere), Err(Refusal::Host), "{elsewhere}");
        }
    }

    #[test]
    fn only_looking_is_answered() {
        let door = Door::of(&Settings::default());
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::TRACE] {
            assert_eq!(door.admits(&method, &HeaderMap::new(), &Asked::Health), Err(Refusal::Method));
        }
    }
}
