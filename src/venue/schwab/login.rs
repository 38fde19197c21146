//! Logging in at Schwab, and staying so.
//!
//! A person logs in with a browser; what is handed back is exchanged for an access token
//! of half an hour and a refresh token that lives seven days **from the login**, however
//! often it is used (`schwab.md` §2, read 2026-11-20). Two that renew at once can undo
//! each other: here one does, while it holds the login against everybody else.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, Url};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::{
    secret::Secret,
    time::Clock,
    venue::{
        Cause, VenueError, VenueSettings,
        http::{Does, Host},
    },
};

/// What to do when the login does not hold.
pub(super) const LOG_IN: &str = "log in with `hedge auth schwab`";

/// Tokens are renewed so long before they end.
const EARLY: SignedDuration = SignedDuration::from_mins(5);
/// A renewal that failed is tried again after so long, while the tokens hold.
const AGAIN: SignedDuration = SignedDuration::from_secs(15);
/// A login ends so long after it began.
const LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A person is reminded from then on, and called from then on.
const WARN: SignedDuration = SignedDuration::from_hours(5 * 24);
const PAGE: SignedDuration = SignedDuration::from_hours(6 * 24 + 12);

/// What a login left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Lets requests in, until [`Self::access_until`].
    pub access: Secret,
    /// Gets the next of these.
    pub refresh: Secret,
    /// When a person logged in.
    pub login_at: Timestamp,
    /// When the tokens were last renewed.
    pub refreshed_at: Timestamp,
    /// When `access` ends.
    pub access_until: Timestamp,
}

/// The secret half of a [`Login`], as it is sealed.
#[derive(Serialize, Deserialize)]
struct Pair {
    access: String,
    refresh: String,
}

impl Login {
    /// Its tokens in one text, to be sealed.
    pub fn tokens(&self) -> Secret {
        let tokens =
            Pair { access: self.access.expose().to_owned(), refresh: self.refresh.expose().to_owned() };
        // Two texts are always JSON.
        Secret::new(serde_json::to_string(&tokens).unwrap_or_default())
    }

    /// A login of what [`Self::tokens`] gave; `None` where it is something else.
    pub fn of(
        tokens: &Secret,
        login_at: Timestamp,
        refreshed_at: Timestamp,
        access_until: Timestamp,
    ) -> Option<Self> {
        let Pair { access, refresh } = serde_json::from_str(tokens.expose()).ok()?;
        Some(Self {
            access: Secret::new(access),
            refresh: Secret::new(refresh),
            login_at,
            refreshed_at,
            access_until,
        })
    }

    /// When it ends: nothing but another login goes beyond.
    pub fn ends_at(&self) -> Timestamp {
        self.login_at.saturating_add(LIFE).unwrap_or(Timestamp::MAX)
    }
}

/// How near its end a login is: at the end hedging stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It is young.
    Fine,
    /// Five days old: log in within two days.
    Warn,
    /// Six and a half days old: log in now.
    Page,
    /// Over.
    Over,
}

impl Standing {
    /// That of a login made at `login_at`.
    pub fn of(login_at: Timestamp, now: Timestamp) -> Self {
        let age = now.duration_since(login_at);
        let stages = [(LIFE, Self::Over), (PAGE, Self::Page), (WARN, Self::Warn)];
        stages.into_iter().find(|(from, _)| age >= *from).map_or(Self::Fine, |(_, standing)| standing)
    }
}

/// Where logins are kept.
#[async_trait]
pub trait Tokens: fmt::Debug + Send + Sync {
    /// Holds the login of a venue: until it is dropped or replaced, nobody else gets it.
    async fn hold(&self, venue: &str) -> Result<Box<dyn Held>, Cause>;
}

/// A login that is held.
#[async_trait]
pub trait Held: Send {
    /// The login; `None` before the first.
    fn login(&self) -> Option<Login>;

    /// Puts another in its place, and lets go.
    async fn replace(self: Box<Self>, login: &Login) -> Result<(), Cause>;
}

/// Schwab's door for logins.
#[derive(Debug)]
pub struct OAuth {
    venue: String,
    host: Host,
    authorize: Url,
    key: Secret,
    secret: Secret,
    redirect_uri: String,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    refresh_token: Option<String>,
    expires_in: i64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Denied {
    error: Option<String>,
    error_description: Option<String>,
}

impl OAuth {
    /// The door of this venue; nothing is asked yet.
    ///
    /// # Errors
    ///
    /// A url is none, or the app's key is missing: a person acts.
    pub fn new(settings: &VenueSettings, clock: Clock) -> Result<Self, VenueError> {
        let host = Host::new(settings, &settings.base_url, clock)?;
        let needed = |given: &Option<Secret>, what: &str| {
            given.clone().filter(|given| !given.is_empty()).ok_or_else(|| VenueError::Unauthorized {
                venue: settings.name.clone(),
                said: format!("there is no {what}"),
                next: "set SCHWAB_APP_KEY and SCHWAB_APP_SECRET to those of the app".to_owned(),
            })
        };
        Ok(Self {
            venue: settings.name.clone(),
            authorize: host.url(["v1", "oauth", "authorize"]),
            host,
            key: needed(&settings.key, "app key")?,
            secret: needed(&settings.secret, "app secret")?,
            redirect_uri: settings.redirect_uri.clone(),
        })
    }

    /// Where a person logs in.
    pub fn authorize_url(&self) -> String {
        let mut url = self.authorize.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", self.key.expose())
            .append_pair("redirect_uri", &self.redirect_uri);
        url.to_string()
    }

    /// The code in the url that the browser was sent back to; `None` where there is none.
    pub fn code_in(redirect: &str) -> Option<Secret> {
        let redirect = redirect.trim();
        let url = Url::parse(redirect).or_else(|_| Url::parse("https://127.0.0.1")?.join(redirect)).ok()?;
        let (_, code) = url.query_pairs().find(|(name, _)| name == "code")?;
        Some(Secret::new(code)).filter(|code| !code.is_empty())
    }

    /// Now, as the database can keep it.
    fn now(&self) -> Timestamp {
        let now = self.host.now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// Exchanges the code, which lives some 30 seconds, for tokens.
    ///
    /// # Errors
    ///
    /// `Unauthorized`: the code or the app's key is not taken; begin anew. Else try again at once.
    pub async fn log_in(&self, code: &Secret) -> Result<Login, VenueError> {
        let now = self.now();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", &self.redirect_uri),
        ];
        let granted = self.token("a login", &form, code).await?;
        let refresh = granted
            .refresh_token
            .ok_or_else(|| self.host.unanswered("a login", "an answer without a refresh token"))?;
        Ok(Login {
            access: Secret::new(granted.access_token),
            refresh: Secret::new(refresh),
            login_at: now,
            refreshed_at: now,
            access_until: ends(now, granted.expires_in),
        })
    }

    /// Renews the tokens of a login, which does not make it younger.
    async fn renew(&self, login: &Login) -> Result<Login, VenueError> {
        let now = self.now();
        let form = [("grant_type", "refresh_token"), ("refresh_token", login.refresh.expose())];
        let granted = self.token("a renewal of the login", &form, &login.refresh).await?;
        Ok(Login {
            access: Secret::new(granted.access_token),
            // Whether another comes back is disputed: what comes is kept.
            refresh: granted.refresh_token.map_or_else(|| login.refresh.clone(), Secret::new),
            login_at: login.login_at,
            refreshed_at: now,
            access_until: ends(now, granted.expires_in),
        })
    }

    async fn token(
        &self,
        what: &'static str,
        form: &[(&str, &str)],
        given: &Secret,
    ) -> Result<Granted, VenueError> {
        let request = self.host.request(Method::POST, ["v1", "oauth", "token"]).form(form);
        let request = request.basic_auth(self.key.expose(), Some(self.secret.expose()));
        let answer = match self.host.ask(what, Does::Look, request).await {
            Err(VenueError::Unauthorized { said, .. }) => return Err(self.denied(&said, given)),
            other => other?,
        };
        if answer.status.is_success() {
            // Its words are tokens: none of them is told.
            return answer.read().map_err(|_| self.host.unanswered(what, "an answer that holds no tokens"));
        }
        // A refusal of this door is about the login, whatever its status.
        let Denied { error, error_description } = answer.read().unwrap_or_default();
        let said = [error, error_description].into_iter().flatten().collect::<Vec<_>>().join(": ");
        let said = if said.is_empty() { format!("http {}", answer.status.as_u16()) } else { said };
        Err(self.denied(&said, given))
    }

    fn denied(&self, said: &str, given: &Secret) -> VenueError {
        self.host.unauthorized(said.replace(given.expose(), "[secret]").as_bytes(), LOG_IN.to_owned())
    }

    fn over(&self, said: String) -> VenueError {
        VenueError::Unauthorized { venue: self.venue.clone(), said, next: LOG_IN.to_owned() }
    }
}

fn ends(from: Timestamp, seconds: i64) -> Timestamp {
    from.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(from)
}

/// The login that requests are let in by.
#[derive(Debug)]
pub(super) struct Access {
    oauth: OAuth,
    tokens: Arc<dyn Tokens>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    login: Option<Login>,
    /// A refresh token that was refused, and how: it is not tried again.
    dead: Option<(Secret, String)>,
    /// When a renewal last failed.
    failed_at: Option<Timestamp>,
}

impl Access {
    pub(super) fn new(
        settings: &VenueSettings,
        tokens: Arc<dyn Tokens>,
        clock: Clock,
    ) -> Result<Self, VenueError> {
        Ok(Self { oauth: OAuth::new(settings, clock)?, tokens, known: Mutex::default() })
    }

    /// A login whose access token is good for a while, and is not `refused`.
    ///
    /// # Errors
    ///
    /// Nothing of the request that it is for has left, so never `Unanswered`. `Unauthorized`: a
    /// person logs in.
    pub(super) async fn login(&self, refused: Option<&Secret>) -> Result<Login, VenueError> {
        // Held while renewing: whoever else needs a token waits for this one.
        let mut known = self.known.lock().await;
        let now = self.oauth.host.now();
        let usable = |login: &Login, until: Timestamp| {
            login.access_until > until && login.ends_at() > now && refused != Some(&login.access)
        };
        let soon = now.saturating_add(EARLY).unwrap_or(now);
        let rests =
            known.failed_at.is_some_and(|at| (SignedDuration::ZERO..AGAIN).contains(&now.duration_since(at)));
        let until = if rests { now } else { soon };
        if let Some(login) = known.login.as_ref().filter(|login| usable(login, until)) {
            return Ok(login.clone());
        }
        match self.renewed(&mut known, |login| usable(login, soon)).await {
            Ok(login) => {
                known.failed_at = None;
                known.login = Some(login.clone());
                Ok(login)
            }
            Err(error) => {
                known.failed_at = Some(now);
                // Renewing begins early: until the end there is time to try again.
                match known.login.as_ref().filter(|login| usable(login, now)) {
                    Some(login) => Ok(login.clone()),
                    None => Err(self.nothing_left(error)),
                }
            }
        }
    }

    async fn renewed(&self, known: &mut Known, usable: impl Fn(&Login) -> bool) -> Result<Login, VenueError> {
        let venue = &self.oauth.venue;
        let unkept = |source| VenueError::Unreachable { venue: venue.clone(), source: Some(source) };
        let held = self.tokens.hold(venue).await.map_err(unkept)?;
        let kept = held.login();
        // Ours is the younger one where keeping it failed.
        let login = match (kept, known.login.take()) {
            (Some(kept), Some(ours))
                if ours.login_at == kept.login_at && ours.refreshed_at > kept.refreshed_at =>
            {
                ours
            }
            (Some(kept), _) => kept,
            (None, _) => return Err(self.oauth.over("nobody has logged in yet".to_owned())),
        };
        known.login = Some(login.clone());
        if usable(&login) {
            return Ok(login);
        }
        if login.ends_at() <= self.oauth.host.now() {
            return Err(self
                .oauth
                .over(format!("the login of {:.0} is over: it lasts seven days", login.login_at)));
        }
        if let Some((_, said)) = known.dead.as_ref().filter(|(dead, _)| *dead == login.refresh) {
            return Err(self.oauth.over(said.clone()));
        }
        let renewed = self.oauth.renew(&login).await.inspect_err(|error| {
            if let VenueError::Unauthorized { said, .. } = error {
                known.dead = Some((login.refresh.clone(), said.clone()));
            }
        })?;
        if let Err(error) = held.replace(&renewed).await {
            tracing::error!(venue, error, "renewed tokens could not be kept: they go with this process");
        }
        Ok(renewed)
    }

    /// Whatever became of the renewal, nothing of what it was for was sent.
    fn nothing_left(&self, error: VenueError) -> VenueError {
        match error {
            VenueError::Unanswered { .. } => {
                VenueError::Unreachable { venue: self.oauth.venue.clone(), source: Some(error.into()) }
            }
            VenueError::Unreachable { .. }
            | VenueError::Throttled { .. }
            | VenueError::Refused { .. }
            | VenueError::Unauthorized { .. } => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_warned_of_at_five_days_and_paged_at_six_and_a_half() {
        let login: Timestamp = "2026-11-13T14:00:00Z".parse().unwrap();
        for (hours, standing) in [
            (0, Standing::Fine),
            (119, Standing::Fine),
            (120, Standing::Warn),
            (155, Standing::Warn),
            (156, Standing::Page),
            (167, Standing::Page),
            (168, Standing::Over),
        ] {
            let now = login + SignedDuration::from_hours(hours);
            assert_eq!(Standing::of(login, now), standing, "{hours} h");
        }
    }

    #[test]
    fn the_code_is_found_in_whatever_the_browser_was_sent_back_to() {
        for pasted in [
            "https://127.0.0.1/?code=C0.abc%40&session=x\n",
            "/?session=x&code=C0.abc%40",
            "https://127.0.0.1:8182/callback?code=C0.abc@",
        ] {
            assert_eq!(OAuth::code_in(pasted).unwrap().expose(), "C0.abc@", "{pasted}");
        }
        for pasted in ["", "https://127.0.0.1/?error=access_denied", "https://127.0.0.1/?code="] {
            assert_eq!(OAuth::code_in(pasted), None, "{pasted}");
        }
    }

    #[test]
    fn tokens_are_kept_as_one_text() {
        let at = Timestamp::UNIX_EPOCH;
        let login = Login {
            access: Secret::new("a\"b"),
            refresh: Secret::new("r"),
            login_at: at,
            refreshed_at: at,
            access_until: at,
        };
        assert_eq!(Login::of(&login.tokens(), at, at, at), Some(login));
        assert_eq!(Login::of(&Secret::new("{}"), at, at, at), None);
    }
}
