//! The door to people: mail and webhooks.
//!
//! - [`smtp`]: mail, by a server that is spoken to in secret and lets us in
//! - [`webhook`]: a short text to one url, as Slack and its like take it
//!
//! It is given a message as it leaves and answers what became of it; it decides
//! nothing, keeps nothing and knows no database. "Nobody knows" is an answer.

pub mod smtp;
pub mod webhook;

use jiff::Timestamp;

use crate::{
    policy::alert::{Severity, rules::Rules},
    report::mail::Rendered,
    secret::Secret,
};

/// Where messages go, and what they say of whom they are from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of this installation, as subjects have it: `prod`.
    pub environment: String,
    /// What message ids end with.
    pub domain: String,
    /// Who is told by mail.
    pub to: Vec<String>,
    /// Who is told besides of what nobody has looked at for two business days.
    pub escalate_to: Vec<String>,
    /// The mail server; none: nothing is mailed.
    pub smtp: Option<smtp::Settings>,
    /// The webhook's url, which is a secret.
    pub webhook: Option<Secret>,
    /// From when on, how often.
    pub rules: Rules,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was taken.
    Delivered,
    /// It is not taken, now or later: this recipient, or this message.
    Refused(String),
    /// It was not taken, and may be later.
    Later(String),
    /// Nobody knows whether it was taken: the answer was lost.
    Unknown(String),
    /// Nobody was reached, or they do not let us in: that says nothing of the message.
    Away(String),
}

/// A message to one recipient.
#[derive(Clone, Copy, Debug)]
pub struct Message<'m> {
    /// Its Message-ID, in angle brackets: the same at every try.
    pub message_id: &'m str,
    /// The id of the first of its thread.
    pub thread_root: Option<&'m str>,
    /// The condition that it is of.
    pub alert_key: Option<&'m str>,
    /// The job.
    pub scope: &'m str,
    /// How much it matters.
    pub severity: Severity,
    /// All who get it by mail.
    pub recipients: &'m [String],
    /// Who gets it now.
    pub recipient: &'m str,
    /// As it leaves.
    pub rendered: &'m Rendered,
    /// When it was written.
    pub written_at: Timestamp,
}

/// What is known of an error, in one line.
fn said(error: &dyn std::error::Error) -> String {
    let layers = std::iter::successors(Some(error), |error| error.source());
    let said = layers.fold(String::new(), |told, layer| match layer.to_string() {
        said if told.contains(&said) => told,
        said if told.is_empty() => said,
        said => format!("{told}: {said}"),
    });
    said.replace(['\r', '\n'], " ").trim().to_owned()
}
