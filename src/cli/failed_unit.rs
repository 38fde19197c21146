//! `hedge alert unit`: a unit failed, and people are told without the books, which may be what failed.

use jiff::Timestamp;

use super::{Exit, Out};
use crate::{
    alert::{Answer, Message, Settings, smtp, webhook},
    config::Environment,
    job::notify::Voice,
    policy::alert::{
        Condition, Severity,
        machine::{Kind, Notice},
    },
    report::mail::{Occasion, of_urgent},
    time::Clock,
};

/// What a service manager says of a unit that failed.
const SAID: [&str; 3] = ["MONITOR_SERVICE_RESULT", "MONITOR_EXIT_CODE", "MONITOR_EXIT_STATUS"];
/// How often, and how long between: a network may come up with us.
const TRIES: u32 = 5;
const BETWEEN: std::time::Duration = std::time::Duration::from_secs(20);

/// Tells everybody who is configured that a unit failed, and ends when all were told.
///
/// # Errors
/// The answer could not be written.
pub(super) async fn tell(
    unit: &str,
    settings: &Settings,
    environment: &Environment,
    clock: &Clock,
    out: &mut Out<'_>,
) -> anyhow::Result<Exit> {
    let now = clock.now();
    let condition = condition(unit, environment, now);
    let notice =
        Notice { kind: Kind::New, condition, number: 1, escalated: false, before: None, fired_at: now };
    let occasion = Occasion { environment: &settings.environment, scope: "unit", run: None, at: now };
    let Some(rendered) = of_urgent(occasion, &[&notice]) else { return Ok(Exit::Done) };
    let message_id = Voice::of(settings).message_id(&format!("unit/{unit}/{}", now.as_second()));
    let mut all_told = true;
    let mut mail = settings.smtp.clone().map(smtp::Door::new);
    let web = settings.webhook.clone().map(webhook::Door::new);
    let recipients = settings.to.iter().filter(|_| mail.is_some()).map(String::as_str).map(Some);
    let recipients: Vec<Option<&str>> = recipients.chain(web.is_some().then_some(None)).collect();
    for recipient in recipients {
        let message = Message {
            message_id: &message_id,
            thread_root: None,
            alert_key: Some(&notice.condition.key),
            scope: "unit",
            severity: Severity::Critical,
            recipients: &settings.to,
            recipient: recipient.unwrap_or("webhook"),
            rendered: &rendered,
            written_at: now,
        };
        let mut tried = 1;
        let answer = loop {
            let answer = match (recipient, &mut mail, &web) {
                (Some(_), Some(door), _) => door.bring(message).await,
                (None, _, Some(door)) => door.bring(message).await,
                (Some(_), None, _) | (None, _, None) => break Answer::Delivered,
            };
            if matches!(answer, Answer::Delivered | Answer::Refused(_)) || tried == TRIES {
                break answer;
            }
            tried += 1;
            clock.sleep(BETWEEN).await;
        };
        let name = recipient.unwrap_or("webhook");
        match answer {
            Answer::Delivered => writeln!(out, "told {name}")?,
            Answer::Refused(why) | Answer::Later(why) | Answer::Unknown(why) | Answer::Away(why) => {
                all_told = false;
                writeln!(out, "could not tell {name}: {why}")?;
            }
        }
    }
    Ok(if all_told { Exit::Done } else { Exit::Unavailable })
}

fn condition(unit: &str, environment: &Environment, now: Timestamp) -> Condition {
    let said: Vec<String> = SAID
        .into_iter()
        .filter_map(|name| {
            let what = name.trim_start_matches("MONITOR_").replace('_', " ").to_lowercase();
            Some(format!("{what} {}", environment.variable(name)?))
        })
        .collect();
    let said =
        if said.is_empty() { "Its last lines say why.".to_owned() } else { format!("{}.", said.join(", ")) };
    Condition {
        key: format!("unit/{unit}"),
        class: "unit failed".to_owned(),
        leg: "units".to_owned(),
        severity: Severity::Critical,
        symbol: None,
        about: format!("{unit} failed"),
        detail: format!("{said} The books were not asked: they may be what failed."),
        next: format!("journalctl -u {unit} --since -1h; hedge doctor"),
        usd: None,
        quantity: None,
        since: now,
        confirmed: true,
        acknowledged_until: None,
    }
}
