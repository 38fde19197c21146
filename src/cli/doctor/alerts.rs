//! Whether people can be told: the mail server, the webhook, and what waits in the outbox.

use jiff::{SignedDuration, Timestamp};

use super::findings::Findings;
use crate::{
    alert::{Answer, Settings, smtp},
    config::Config,
    store::{Db, StoreError, outbox},
    time::Clock,
};

/// Nobody waits longer for a doctor.
const PATIENCE_MS: u64 = 10_000;
/// A letter that waits so long waits for a person.
const LONG: SignedDuration = SignedDuration::from_mins(15);
/// What was given up longer ago is history.
const LATELY: SignedDuration = SignedDuration::from_hours(24);

/// Connects to the mail server and logs in; nothing is sent.
pub(super) async fn examine(config: &Config, findings: &mut Findings) {
    let Some(Settings { to, escalate_to, smtp, webhook, .. }) = &config.alerts else {
        findings.noted(
            "alerts",
            "nobody is told of anything: there is no [alerts]",
            "write it: `hedge init` shows it",
        );
        return;
    };
    if let Some(settings) = smtp {
        let place = settings.folder.as_ref().map(|folder| folder.display().to_string());
        let about = format!("mail {}", place.as_ref().unwrap_or(&settings.host));
        let patient = smtp::Settings { timeout_ms: settings.timeout_ms.min(PATIENCE_MS), ..settings.clone() };
        let login = if settings.user.is_some() { "logged in" } else { "no login" };
        match smtp::Door::new(patient).probe().await {
            Ok(name) => {
                let told = to.len() + escalate_to.len();
                findings.ok(&about, format!("{name}, in secret, {login}; told by it: {told}"));
            }
            Err(answer) => {
                findings.failed(
                    &about,
                    said(answer),
                    "check [alerts] smtp, smtp_user, smtp_ca and SMTP_PASSWORD",
                );
            }
        }
    }
    if webhook.is_some() {
        findings.ok("webhook", "set; `hedge alert test` posts to it");
    } else if smtp.is_none() {
        findings.noted("alerts", "nobody is told of anything", "give [alerts] smtp or ALERT_WEBHOOK_URL");
    }
}

fn said(answer: Answer) -> String {
    match answer {
        Answer::Delivered => String::new(),
        Answer::Refused(why) | Answer::Later(why) | Answer::Unknown(why) | Answer::Away(why) => why,
    }
}

/// Looks at what waits and what was given up.
pub(super) async fn outbox(db: &Db, clock: &Clock, findings: &mut Findings) {
    let now = clock.now();
    let read = async {
        let mut conn =
            db.pool().acquire().await.map_err(|error| StoreError::of("open a connection", error))?;
        outbox::health(&mut conn, now.checked_sub(LATELY).unwrap_or(Timestamp::MIN)).await
    };
    let about = "outbox";
    let health = match read.await {
        Ok(health) => health,
        Err(error) => return super::books::failed(&error, findings),
    };
    if health.given_up > 0 {
        let last = health.last_given_up.unwrap_or_default();
        findings.failed(
            about,
            format!("given up in a day: {}; the last to {last}", health.given_up),
            "mend the address; `hedge alert outbox` has all",
        );
    }
    let late = health.oldest.filter(|oldest| now.duration_since(*oldest) >= LONG);
    match late {
        Some(oldest) => {
            let why = health.last_error.map_or_else(String::new, |why| format!(": {why}"));
            findings.failed(
                about,
                format!("waiting: {}, since {oldest:.0}{why}", health.waiting),
                "`hedge run` sends what waits, and `hedge alert send` does it now",
            );
        }
        None if health.given_up == 0 => findings.ok(about, format!("waiting: {}", health.waiting)),
        None => {}
    }
}
