//! What brokers and nodes said, verbatim: kept while a run asks, and played back without a network.
//!
//! A [`Tape`] is given to the doors of a run. Recording, it keeps every answer as it came,
//! and that none came; playing, it answers in their stead, and nothing leaves this machine.
//! No header is on it, so no key; a login's tokens are asked for elsewhere, and are not.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use alloy::primitives::B256;
use rustls::{SupportedCipherSuite, crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256};

/// One question and what came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Who was asked: a venue's or a node's name.
    pub door: String,
    /// What: method, path and query, and the body if there was one.
    pub request: String,
    /// The HTTP status; none where no answer came, and `body` says why.
    pub status: Option<u16>,
    /// The answer's body as it came.
    pub body: Vec<u8>,
}

impl Said {
    /// SHA-256 of the body.
    pub fn sha256(&self) -> B256 {
        let hash = match TLS13_AES_128_GCM_SHA256 {
            SupportedCipherSuite::Tls13(suite) => suite.common.hash_provider,
            SupportedCipherSuite::Tls12(suite) => suite.common.hash_provider,
        };
        B256::try_from(hash.hash(&self.body).as_ref()).unwrap_or_default()
    }

    /// What is asked, whatever the query says of times and pages.
    fn line(request: &str) -> &str {
        request.split('?').next().unwrap_or_default()
    }
}

/// What was said, in order. A clone is the same tape.
#[derive(Clone, Debug)]
pub struct Tape(Arc<Mutex<Reel>>);

#[derive(Debug)]
struct Reel {
    plays: bool,
    said: Vec<Said>,
    played: BTreeSet<usize>,
}

impl Tape {
    /// An empty one, which keeps what is said from now on.
    pub fn recording() -> Self {
        Self::new(false, Vec::new())
    }

    /// One that says this again.
    pub fn playing(said: Vec<Said>) -> Self {
        Self::new(true, said)
    }

    fn new(plays: bool, said: Vec<Said>) -> Self {
        Self(Arc::new(Mutex::new(Reel { plays, said, played: BTreeSet::new() })))
    }

    fn reel(&self) -> MutexGuard<'_, Reel> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does it answer, so that nobody is asked?
    pub fn plays(&self) -> bool {
        self.reel().plays
    }

    /// All that is on it, in the order of coming.
    pub fn said(&self) -> Vec<Said> {
        self.reel().said.clone()
    }

    /// Keeps what came back; a tape that plays keeps nothing.
    pub fn keep(&self, said: Said) {
        let mut reel = self.reel();
        if !reel.plays {
            reel.said.push(said);
        }
    }

    /// What was said to this, each answer once and in order; none where it is not on the tape.
    ///
    /// A question that differs in its query alone, by a time or a page's token, is answered
    /// like the next of its kind.
    pub fn play(&self, door: &str, request: &str) -> Option<Said> {
        let mut reel = self.reel();
        let open = |like: &dyn Fn(&Said) -> bool| {
            let mut said = reel.said.iter().enumerate();
            said.find(|(place, said)| said.door == door && !reel.played.contains(place) && like(said))
                .map(|(place, said)| (place, said.clone()))
        };
        let same = open(&|said| said.request == request);
        let line = Said::line(request);
        let (place, said) = same.or_else(|| open(&|said| Said::line(&said.request) == line))?;
        reel.played.insert(place);
        Some(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(door: &str, request: &str, body: &str) -> Said {
        Said { door: door.into(), request: request.into(), status: Some(200), body: body.into() }
    }

    #[test]
    fn a_body_has_the_digest_that_everybody_else_computes() {
        assert_eq!(
            said("a", "GET /", "abc").sha256(),
            "0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".parse::<B256>().unwrap()
        );
    }

    #[test]
    fn what_was_said_is_said_again_each_once_and_in_order() {
        let tape = Tape::recording();
        for (request, body) in [("GET /a?now=1", "one"), ("GET /b", "two"), ("GET /a?now=2", "three")] {
            tape.keep(said("alpaca", request, body));
        }
        let again = Tape::playing(tape.said());
        let heard = |request| again.play("alpaca", request).map(|said| String::from_utf8(said.body).unwrap());
        assert_eq!(again.play("schwab", "GET /b"), None);
        assert_eq!(heard("GET /b").as_deref(), Some("two"));
        assert_eq!(heard("GET /b"), None);
        assert_eq!(heard("GET /a?now=2").as_deref(), Some("three"), "the very question goes first");
        assert_eq!(heard("GET /a?now=9").as_deref(), Some("one"));
        again.keep(said("alpaca", "GET /c", "four"));
        assert_eq!(again.said().len(), 3, "what plays keeps nothing");
    }
}
