//! What people are told of what a run saw: written with its cause, sent afterwards.
//!
//! One mail a run, however much there is to say; what is urgent has a thread of its
//! own besides. A nightly run always writes, so that silence means trouble. Nothing
//! is sent here: what is written is taken from the outbox once the caller commits.

use std::collections::BTreeMap;

use sqlx::{Postgres, Transaction};

use crate::{
    alert::Settings,
    observe,
    policy::alert::{
        Condition, Seen, Severity,
        machine::{Kind, Notice, Phase, State, take_up, threads},
        rules::Rules,
    },
    report::mail::{Occasion, Rendered, of_run, of_urgent},
    store::{
        StoreError,
        alerts::{self, Kept},
        outbox::{self, Letter},
    },
    time::business::BusinessDays,
};

/// A way to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// To each address.
    Mail,
    /// To the one url that is configured.
    Webhook,
}

impl Channel {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mail, Self::Webhook];

    /// The word used in columns and specs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
        }
    }

    /// The one that `word` means.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.word() == word)
    }
}

/// How people are told: who says it, to whom, and which way each severity goes.
#[derive(Clone, Debug)]
pub struct Voice {
    /// The name of this installation, as subjects have it: `prod`.
    pub environment: String,
    /// What message ids end with.
    pub domain: String,
    /// Who is told by mail; nobody: nothing is mailed, and what is open is on record all the same.
    pub to: Vec<String>,
    /// Who is told besides of what nobody has looked at for two business days.
    pub escalate_to: Vec<String>,
    /// Whether there is a webhook.
    pub webhook: bool,
    /// Which way each severity goes; one that is not here goes nowhere.
    pub routes: BTreeMap<Severity, Vec<Channel>>,
    /// From when on, how often.
    pub rules: Rules,
}

impl Default for Voice {
    /// Everything by mail, what is critical by webhook too, to nobody.
    fn default() -> Self {
        Self {
            environment: String::new(),
            domain: "hedge.invalid".to_owned(),
            to: Vec::new(),
            escalate_to: Vec::new(),
            webhook: false,
            routes: BTreeMap::from([
                (Severity::Info, vec![Channel::Mail]),
                (Severity::Warning, vec![Channel::Mail]),
                (Severity::Critical, vec![Channel::Mail, Channel::Webhook]),
            ]),
            rules: Rules::default(),
        }
    }
}

impl Voice {
    /// As it is configured.
    pub fn of(settings: &Settings) -> Self {
        let Settings { environment, domain, to, escalate_to, smtp, webhook, rules } = settings;
        let mailed = |list: &Vec<String>| if smtp.is_some() { list.clone() } else { Vec::new() };
        Self {
            environment: environment.clone(),
            domain: domain.clone(),
            to: mailed(to),
            escalate_to: mailed(escalate_to),
            webhook: webhook.is_some(),
            rules: rules.clone(),
            ..Self::default()
        }
    }
}

/// What is to be said in one letter, and under which name.
struct Message<'m> {
    /// What its id is made of: a condition's key and which of its notices it is, or a run.
    name: String,
    key: Option<&'m str>,
    root: Option<String>,
    severity: Severity,
    escalated: bool,
    rendered: Rendered,
}

impl Voice {
    /// `<recon.ENVIRONMENT.NAME@DOMAIN>`: the same for the same thing said, whoever says it again.
    pub fn message_id(&self, name: &str) -> String {
        let word = |text: &str| -> String {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./".contains(letter);
            text.chars().map(|letter| if plain(letter) { letter } else { '-' }).collect()
        };
        // What is spelt alike once it is plain is still told apart.
        let (plain, mark) = (word(name), checksum(name));
        let mark = if plain == name { String::new() } else { format!(".{mark:08x}") };
        format!("<recon.{}.{plain}{mark}@{}>", word(&self.environment), self.domain)
    }

    /// To whom a letter of this severity goes, by which way.
    fn recipients(&self, severity: Severity, escalated: bool) -> Vec<(&'static str, &str)> {
        let channels = self.routes.get(&severity).map(Vec::as_slice).unwrap_or_default();
        let mut to = Vec::new();
        for channel in channels {
            match channel {
                Channel::Mail => {
                    let second = self.escalate_to.iter().filter(|_| escalated);
                    for address in self.to.iter().chain(second) {
                        if !to.contains(&(channel.word(), address.as_str())) {
                            to.push((channel.word(), address.as_str()));
                        }
                    }
                }
                Channel::Webhook if self.webhook => to.push((channel.word(), "webhook")),
                Channel::Webhook => {}
            }
        }
        to
    }

    async fn post(
        &self,
        tx: &mut Transaction<'_, Postgres>,
        seen: &Seen,
        message: &Message<'_>,
    ) -> Result<(), StoreError> {
        let to = self.recipients(message.severity, message.escalated);
        if to.is_empty() {
            return Ok(());
        }
        let message_id = self.message_id(&message.name);
        let mails = to.iter().filter(|(channel, _)| *channel == Channel::Mail.word());
        let recipients: Vec<String> = mails.map(|(_, address)| (*address).to_owned()).collect();
        let letter = Letter {
            dedup_key: &message_id,
            message_id: &message_id,
            thread_root: message.root.as_deref().filter(|root| *root != message_id),
            alert_key: message.key,
            scope: &seen.scope,
            run: seen.run,
            severity: message.severity,
            recipients: &recipients,
            rendered: &message.rendered,
            at: seen.at,
        };
        outbox::post(tx, &letter, &to).await
    }
}

/// FNV-1a: told apart, not kept secret.
fn checksum(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Takes up what a run saw, and writes down what is to be sent of it, in the caller's transaction.
///
/// A run that is made again over the same conditions says nothing again; its mail is written once.
///
/// # Errors
/// The database.
pub async fn tell(tx: &mut Transaction<'_, Postgres>, voice: &Voice, seen: &Seen) -> Result<(), StoreError> {
    let kept = alerts::kept(tx, &seen.scope).await?;
    let days = BusinessDays::but_for(alerts::closed_days(tx, seen.at).await?);
    let mut roots: BTreeMap<String, Option<String>> =
        kept.iter().map(|kept| (kept.state.condition.key.clone(), kept.root.clone())).collect();
    let states = kept.iter().map(|kept| kept.state.clone()).collect();
    let taken = take_up(states, seen, &voice.rules, &days);
    let occasion =
        Occasion { environment: &voice.environment, scope: &seen.scope, run: seen.run, at: seen.at };

    let threads = threads(&taken.notices);
    for thread in &threads {
        let Some(message) = of_thread(voice, occasion, thread, &roots) else { continue };
        voice.post(tx, seen, &message).await?;
        let id = voice.message_id(&message.name);
        for notice in thread {
            let root = roots.entry(notice.condition.key.clone()).or_default();
            // What is new begins a thread, whatever there was of it before.
            if root.is_none() || notice.kind == Kind::New {
                *root = Some(id.clone());
            }
        }
    }
    let told_already = threads.iter().map(Vec::len).sum::<usize>() == taken.notices.len();
    if seen.digest.is_some() || !told_already {
        voice.post(tx, seen, &of_all(occasion, seen, &taken.notices, &taken.states)).await?;
    }
    for notice in &taken.notices {
        alerts::said(tx, seen.run, notice, seen.at).await?;
        observe::told(&seen.scope, notice);
    }
    for state in taken.states {
        let over = state.phase == Phase::Quiet;
        let root = roots.get(&state.condition.key).cloned().flatten().filter(|_| !over);
        alerts::write(tx, &seen.scope, &Kept { state, root }, over).await?;
    }
    Ok(())
}

/// The letter of what is urgent: it answers the first one of its thread.
fn of_thread<'m>(
    voice: &Voice,
    occasion: Occasion<'_>,
    thread: &[&'m Notice],
    roots: &BTreeMap<String, Option<String>>,
) -> Option<Message<'m>> {
    let first = thread.first()?;
    let key = first.condition.key.as_str();
    let root = if first.kind == Kind::New { None } else { roots.get(key).cloned().flatten() };
    let before = first.before.as_ref().map(|told| told.severity);
    let severity = thread.iter().map(|notice| notice.condition.severity).max().max(before)?;
    let name = format!("{key}.{}", first.number);
    // A root of another environment or domain is none of ours.
    let root = root.filter(|root| root.ends_with(&format!("@{}>", voice.domain)));
    Some(Message {
        name,
        key: Some(key),
        root,
        severity,
        escalated: first.escalated,
        rendered: of_urgent(occasion, thread)?,
    })
}

/// The letter of a run: all that is said, all that is open.
fn of_all<'m>(occasion: Occasion<'_>, seen: &Seen, told: &[Notice], states: &[State]) -> Message<'m> {
    let open = states.iter().filter(|state| state.phase == Phase::Firing);
    let open: Vec<Condition> = open.map(|state| state.condition.clone()).collect();
    // What has a thread of its own has gone its way already.
    let severities = told.iter().filter(|notice| !notice.is_urgent()).map(|notice| notice.condition.severity);
    let severity = severities.max().unwrap_or(Severity::Info);
    // What is made again for the same run is the same letter.
    let which = seen.run.map_or_else(|| seen.at.as_microsecond().to_string(), |run| format!("run-{run}"));
    Message {
        name: format!("{}.{which}", seen.scope),
        key: None,
        root: None,
        severity,
        escalated: told.iter().any(|notice| notice.escalated),
        rendered: of_run(occasion, told, &open, seen.digest.as_ref()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_is_stable_plain_and_never_that_of_something_else() {
        let voice =
            Voice { environment: "prod".to_owned(), domain: "desk.example".to_owned(), ..Voice::default() };
        assert_eq!(voice.message_id("reconcile.run-17"), "<recon.prod.reconcile.run-17@desk.example>");
        assert_eq!(voice.message_id("break/17.1"), "<recon.prod.break/17.1@desk.example>");
        let ids = ["break@17.1", "break-17.1", "break 17.1", "break>17.1"].map(|name| voice.message_id(name));
        let plain = |id: &String| {
            id.starts_with("<recon.prod.break-17.1")
                && id.ends_with("@desk.example>")
                && id.matches(['<', '>', ' ', '@']).count() == 3
        };
        assert!(ids.iter().all(plain), "{ids:?}");
        let distinct: std::collections::BTreeSet<&String> = ids.iter().collect();
        assert_eq!(distinct.len(), 4, "{ids:?}");
        assert_eq!(voice.message_id("break@17.1"), ids[0]);
    }

    #[test]
    fn a_severity_goes_its_ways_and_a_second_recipient_hears_of_what_escalates() {
        let voice = Voice {
            to: vec!["a@x".to_owned(), "b@x".to_owned()],
            escalate_to: vec!["chief@x".to_owned(), "a@x".to_owned()],
            webhook: true,
            ..Voice::default()
        };
        let mail = |address| ("mail", address);
        assert_eq!(voice.recipients(Severity::Info, false), [mail("a@x"), mail("b@x")]);
        assert_eq!(voice.recipients(Severity::Warning, true), [mail("a@x"), mail("b@x"), mail("chief@x")]);
        assert_eq!(
            voice.recipients(Severity::Critical, false),
            [mail("a@x"), mail("b@x"), ("webhook", "webhook")]
        );
        assert_eq!(Voice::default().recipients(Severity::Critical, true), []);
    }
}
