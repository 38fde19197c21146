//! Who is logged in at Schwab: codes, refresh tokens and access tokens, and how long each is good.
//!
//! A code lives half a minute, an access token half an hour, a refresh token seven days
//! from its login, however often it is used (`schwab.md` §2, read 2026-11-20).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

const CODE: SignedDuration = SignedDuration::from_secs(30);
const ACCESS: SignedDuration = SignedDuration::from_mins(30);
const LOGIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// All logins of one account.
#[derive(Debug, Default)]
pub(super) struct Logins {
    /// Codes not yet exchanged: where they were sent, and when.
    codes: BTreeMap<String, (String, Timestamp)>,
    /// Refresh tokens, and when a person logged in for them.
    refresh: BTreeMap<String, Timestamp>,
    /// Access tokens, and until when they are good.
    access: BTreeMap<String, Timestamp>,
    /// A refresh gives another refresh token.
    pub(super) rotates: bool,
    /// How often the account's hash changed.
    pub(super) hashes: u32,
}

/// What a login is good for.
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: String,
}

impl Logins {
    /// Somebody logged in, and this is sent to `redirect`.
    pub(super) fn send(&mut self, code: &str, redirect: &str, now: Timestamp) {
        self.codes.insert(code.to_owned(), (redirect.to_owned(), now));
    }

    /// A refresh token is good, as of a login now.
    pub(super) fn admit(&mut self, refresh: &str, now: Timestamp) {
        self.refresh.insert(refresh.to_owned(), now);
    }

    /// A code for tokens, once; none where it is too late, or another's.
    pub(super) fn exchange(
        &mut self,
        code: &str,
        redirect: &str,
        fresh: Tokens,
        now: Timestamp,
    ) -> Option<Tokens> {
        let (sent_to, at) = self.codes.remove(code)?;
        if sent_to != redirect || now > at + CODE {
            return None;
        }
        self.admit(&fresh.refresh, now);
        self.access.insert(fresh.access.clone(), now + ACCESS);
        Some(fresh)
    }

    /// Another access token; none where a person must log in again.
    pub(super) fn renew(&mut self, refresh: &str, fresh: Tokens, now: Timestamp) -> Option<Tokens> {
        let login = *self.refresh.get(refresh)?;
        if now >= login + LOGIN {
            return None;
        }
        self.access.insert(fresh.access.clone(), now + ACCESS);
        if !self.rotates {
            return Some(Tokens { refresh: refresh.to_owned(), ..fresh });
        }
        self.refresh.remove(refresh);
        // The seven days are the login's, not the token's.
        self.refresh.insert(fresh.refresh.clone(), login);
        Some(fresh)
    }

    /// Whether an access token is good.
    pub(super) fn lets_in(&self, access: &str, now: Timestamp) -> bool {
        self.access.get(access).is_some_and(|until| now < *until)
    }

    pub(super) fn expire_access(&mut self) {
        self.access.clear();
    }

    pub(super) fn expire_refresh(&mut self) {
        self.refresh.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(name: &str) -> Tokens {
        Tokens { access: format!("{name}-access"), refresh: format!("{name}-refresh") }
    }

    #[test]
    fn a_login_ends_after_seven_days_however_often_it_is_renewed() {
        let start = Timestamp::UNIX_EPOCH;
        for rotates in [false, true] {
            let mut logins = Logins { rotates, ..Logins::default() };
            logins.admit("R", start);
            let mut refresh = "R".to_owned();
            for day in 0..7 {
                let now = start + SignedDuration::from_hours(24 * day);
                let tokens = logins.renew(&refresh, fresh(&day.to_string()), now).unwrap();
                assert!(logins.lets_in(&tokens.access, now + SignedDuration::from_mins(29)));
                assert!(!logins.lets_in(&tokens.access, now + SignedDuration::from_mins(30)));
                refresh = tokens.refresh;
                assert_eq!(refresh != "R", rotates);
            }
            assert!(logins.renew(&refresh, fresh("late"), start + LOGIN).is_none());
            assert_eq!(logins.renew("R", fresh("again"), start).is_none(), rotates, "one refresher only");
        }
    }

    #[test]
    fn a_code_is_good_once_for_half_a_minute_where_it_was_sent() {
        let (start, here) = (Timestamp::UNIX_EPOCH, "https://127.0.0.1");
        let mut logins = Logins::default();
        logins.send("C", here, start);
        assert!(logins.exchange("C", "https://elsewhere", fresh("a"), start).is_none());
        logins.send("C", here, start);
        assert!(logins.exchange("C", here, fresh("a"), start + CODE).is_some());
        assert!(logins.exchange("C", here, fresh("a"), start).is_none(), "twice");
        logins.send("C", here, start);
        assert!(
            logins.exchange("C", here, fresh("a"), start + CODE + SignedDuration::from_secs(1)).is_none()
        );
    }
}
