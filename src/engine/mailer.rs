//! Takes letters from the outbox to the doors, one recipient at a time.
//!
//! - a server that is away costs nothing: what waits, waits, and one try in a while is made;
//! - a recipient who cannot be reached is tried for most of a day, then given up, visibly;
//! - whoever is killed after a letter left and before that was written down leaves a claim;
//!   when it is old, the letter is sent again under the same id.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sqlx::{PgPool, Postgres, pool::PoolConnection};

use super::{Loop, Step};
use crate::{
    alert::{Answer, Message, Settings, smtp, webhook},
    job::notify::Channel,
    observe,
    store::{
        StoreError,
        outbox::{self, Fate, Parcel, Setback},
    },
    time::Clock,
};

/// How often it looks.
pub const EVERY: Duration = Duration::from_secs(5);
/// A claim that is so old is nobody's: no letter takes so long.
const GONE: SignedDuration = SignedDuration::from_mins(15);
/// So often a letter is put off, or lost in between, before it is given up: most of a day.
const MOST: u32 = 20;
const FIRST_SECS: i64 = 30;
const LONGEST_SECS: i64 = 3_600;
/// Whoever is away is asked again within five minutes.
const AWAY_SECS: i64 = 300;

/// The outbox's sender.
pub struct Mailer {
    pool: PgPool,
    clock: Clock,
    mail: Option<smtp::Door>,
    webhook: Option<webhook::Door>,
}

/// What a drain came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Letters that were taken.
    pub sent: u32,
    /// Letters that were given up.
    pub given_up: u32,
    /// Why others wait, the last of it.
    pub waits: Option<String>,
}

impl Mailer {
    /// A sender by the ways that are configured; by one that is not, nothing leaves and nothing is lost.
    pub fn new(pool: PgPool, settings: &Settings, clock: Clock) -> Self {
        Self {
            pool,
            clock,
            mail: settings.smtp.clone().map(smtp::Door::new),
            webhook: settings.webhook.clone().map(webhook::Door::new),
        }
    }

    /// Sends all that is due, each once.
    ///
    /// # Errors
    /// The database; what is on its way then is taken over under the same id.
    pub async fn drain(&mut self) -> Result<Drained, StoreError> {
        let mut drained = Drained::default();
        let mut closed: Vec<&'static str> = Vec::new();
        loop {
            let now = self.clock.now();
            let gone = now.checked_sub(GONE).unwrap_or(Timestamp::MIN);
            let mut conn = self.connection().await?;
            let claimed = outbox::claim(&mut conn, now, gone, 1, &closed).await?;
            // Nobody holds a connection while a server thinks.
            drop(conn);
            let Some(parcel) = claimed.into_iter().next() else { break };
            // A conversation with a mail server is large, and not carried about by every loop.
            let answer = Box::pin(self.bring(&parcel)).await;
            if let Answer::Away(_) = &answer {
                closed.extend(Channel::named(&parcel.channel).map(Channel::word));
            }
            let fate = fate(&parcel, answer, self.clock.now());
            let mut conn = self.connection().await?;
            outbox::settle(&mut conn, &parcel, &fate, self.clock.now()).await?;
            drained.add(&parcel, &fate);
            if Channel::ALL.iter().all(|channel| closed.contains(&channel.word())) {
                break;
            }
        }
        if let Some(mail) = &mut self.mail {
            mail.close().await;
        }
        Ok(drained)
    }

    async fn connection(&self) -> Result<PoolConnection<Postgres>, StoreError> {
        self.pool.acquire().await.map_err(|error| StoreError::of("open a connection", error))
    }

    async fn bring(&mut self, parcel: &Parcel) -> Answer {
        let message = Message {
            message_id: &parcel.message_id,
            thread_root: parcel.thread_root.as_deref(),
            alert_key: parcel.alert_key.as_deref(),
            scope: &parcel.scope,
            severity: parcel.severity,
            recipients: &parcel.recipients,
            recipient: &parcel.recipient,
            rendered: &parcel.rendered,
            written_at: parcel.written_at,
        };
        match (Channel::named(&parcel.channel), &mut self.mail, &self.webhook) {
            (Some(Channel::Mail), Some(door), _) => door.bring(message).await,
            (Some(Channel::Webhook), _, Some(door)) => door.bring(message).await,
            (Some(Channel::Mail), None, _) => Answer::Away("no [alerts] smtp is configured".to_owned()),
            (Some(Channel::Webhook), _, None) => Answer::Away("ALERT_WEBHOOK_URL is not set".to_owned()),
            (None, ..) => Answer::Refused(format!("no way is called `{}`", parcel.channel)),
        }
    }
}

impl Drained {
    fn add(&mut self, parcel: &Parcel, fate: &Fate) {
        let Parcel { channel, recipient, message_id, attempt, .. } = parcel;
        match fate {
            Fate::Sent => {
                self.sent += 1;
                observe::delivered(channel, recipient, message_id, *attempt);
            }
            Fate::Waiting { why, setback, .. } => {
                self.waits = Some(why.clone());
                match setback {
                    Setback::Unknown => observe::perhaps_delivered(channel, recipient, message_id, why),
                    Setback::Away | Setback::Deferred => {
                        observe::undelivered(channel, recipient, message_id, *attempt, why);
                    }
                }
            }
            Fate::Failed { why } | Fate::Poisoned { why, .. } => {
                self.given_up += 1;
                observe::given_up(channel, recipient, message_id, *attempt, why);
            }
        }
    }
}

/// What an answer means for a parcel.
fn fate(parcel: &Parcel, answer: Answer, now: Timestamp) -> Fate {
    let (why, setback) = match answer {
        Answer::Delivered => return Fate::Sent,
        Answer::Refused(why) => return Fate::Failed { why },
        Answer::Later(why) => (why, Setback::Deferred),
        Answer::Unknown(why) => (why, Setback::Unknown),
        Answer::Away(why) => (why, Setback::Away),
    };
    let setbacks = parcel.deferred + parcel.unknown;
    if setback != Setback::Away && setbacks + 1 >= MOST {
        return Fate::Poisoned { why, setback };
    }
    let (times, most) = match setback {
        Setback::Away => (parcel.attempt.saturating_sub(1), AWAY_SECS),
        Setback::Deferred | Setback::Unknown => (setbacks, LONGEST_SECS),
    };
    let wait = FIRST_SECS.saturating_mul(1_i64 << times.min(10)).min(most);
    // A fifth more or less, so that what failed together is not tried together.
    let wait = wait + rand::random_range(-wait / 5..=wait / 5);
    let until = now.checked_add(SignedDuration::from_secs(wait)).unwrap_or(now);
    Fate::Waiting { until, why, setback }
}

impl Loop for Mailer {
    async fn converge(&mut self) -> Result<Step, StoreError> {
        let drained = self.drain().await?;
        Ok(match drained.waits {
            Some(why) => Step::Held(format!("mail: {why}")),
            None => Step::Idle,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{policy::alert::Severity, report::mail::Rendered};

    fn parcel(attempt: u32, deferred: u32) -> Parcel {
        Parcel {
            id: 1,
            channel: "mail".to_owned(),
            recipient: "a@x".to_owned(),
            attempt,
            deferred,
            unknown: 0,
            message_id: String::new(),
            thread_root: None,
            alert_key: None,
            scope: String::new(),
            severity: Severity::Info,
            recipients: Vec::new(),
            rendered: Rendered {
                subject: String::new(),
                text: String::new(),
                html: String::new(),
                pictures: Vec::new(),
            },
            written_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn wait(fate: &Fate) -> i64 {
        match fate {
            Fate::Waiting { until, .. } => until.as_second(),
            Fate::Sent | Fate::Failed { .. } | Fate::Poisoned { .. } => panic!("{fate:?}"),
        }
    }

    #[test]
    fn a_server_that_is_away_for_a_year_loses_nothing() {
        for attempt in [1, 2, 30, 100_000] {
            let away = fate(&parcel(attempt, 0), Answer::Away("down".to_owned()), Timestamp::UNIX_EPOCH);
            assert!((24..=360).contains(&wait(&away)), "{away:?}");
        }
    }

    #[test]
    fn what_is_put_off_is_tried_for_most_of_a_day_and_then_given_up() {
        let mut total = 0;
        for deferred in 0..MOST - 1 {
            let later = fate(&parcel(1, deferred), Answer::Later("full".to_owned()), Timestamp::UNIX_EPOCH);
            total += wait(&later);
        }
        assert!((9 * 3_600..18 * 3_600).contains(&total), "{total} s");
        let last = fate(&parcel(1, MOST - 1), Answer::Later("full".to_owned()), Timestamp::UNIX_EPOCH);
        assert!(matches!(last, Fate::Poisoned { .. }), "{last:?}");
    }
}
