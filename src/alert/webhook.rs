//! A webhook: a short text to one url, as Slack, Mattermost and Discord's `/slack` take it.
//!
//! The url is a secret and stands in no error.

use std::time::Duration;

use super::{Answer, Message};
use crate::secret::Secret;

/// Letters of a text: what is longer is read in the mail.
const LONG: usize = 3_000;
const TIMEOUT: Duration = Duration::from_secs(20);

/// A webhook.
pub struct Door {
    url: Secret,
    http: Option<reqwest::Client>,
}

impl Door {
    /// The door of this url; nothing is connected yet.
    pub fn new(url: Secret) -> Self {
        // Said once for the process; a second saying is refused and that is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(concat!("hedge/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { url, http: http.ok() }
    }

    /// Posts a message.
    pub async fn bring(&self, message: Message<'_>) -> Answer {
        let Some(http) = &self.http else {
            return Answer::Away("this machine has no TLS".to_owned());
        };
        let body = serde_json::json!({ "text": text(message) }).to_string();
        let request = http
            .post(self.url.expose())
            .header("content-type", "application/json")
            .header("x-hedge-message-id", message.message_id)
            .body(body);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let (builder, connect) = (error.is_builder(), error.is_connect());
                let why = super::said(&error.without_url());
                return match (builder, connect) {
                    (true, _) => Answer::Away(format!("its url is none: {why}")),
                    (_, true) => Answer::Away(format!("it cannot be reached: {why}")),
                    (false, false) => Answer::Unknown(format!("the answer was lost: {why}")),
                };
            }
        };
        let status = response.status();
        let said: String = response.text().await.unwrap_or_default().chars().take(200).collect();
        let said = format!("{status}: {}", said.replace(['\r', '\n'], " "));
        match status.as_u16() {
            200..=299 => Answer::Delivered,
            408 | 429 | 500..=599 => Answer::Later(said),
            _ => Answer::Refused(said),
        }
    }
}

/// The subject and the text; what others take for markup is not.
fn text(message: Message<'_>) -> String {
    let rendered = message.rendered;
    let text = format!("*{}*\n{}", rendered.subject, rendered.text);
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    if text.chars().count() <= LONG {
        return text;
    }
    let short: String = text.chars().take(LONG).collect();
    format!("{short}…\n(the rest is in the mail)")
}
