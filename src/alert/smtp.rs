//! Mail: one message to one recipient, step by step.
//!
//! Each step says something else when it fails. Before the recipient is named it is
//! the server that is away, and nothing is said of the message; up to the last dot
//! the message was surely not taken; from there until the server answers nobody
//! knows. Nothing is sent in clear, and no login either: a server without STARTTLS is
//! not spoken with.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use lettre::{
    Address, Message as Mail,
    address::Envelope,
    message::{
        Attachment, Mailbox, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail as From, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
        response::Response,
    },
};

use super::{Answer, Message, said};
use crate::secret::Secret;

type Smtp<T> = Result<T, lettre::transport::smtp::Error>;

/// When a connection becomes a secret one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// By STARTTLS, which must be offered: `smtp://`.
    Begun,
    /// From its first byte: `smtps://`.
    Wrapped,
}

/// A mail server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name, as its certificate has it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken with in secret.
    pub tls: Tls,
    /// The file of a certificate of an authority of your own, PEM; none: the public ones.
    pub ca: Option<PathBuf>,
    /// Who we are there; none: it takes our mail without a login.
    pub user: Option<String>,
    /// `SMTP_PASSWORD`.
    pub password: Option<Secret>,
    /// Where mail is put as files, a message each, instead of being sent; none: it is sent.
    pub folder: Option<PathBuf>,
    /// From whom mail is.
    pub from: String,
    /// The name of the list that mail is of: `prod`.
    pub list: String,
    /// The longest wait for one answer.
    pub timeout_ms: u64,
}

/// A mail server that mail is brought to; a connection is kept between two messages.
pub struct Door {
    settings: Settings,
    open: Option<AsyncSmtpConnection>,
}

/// A step that failed, and what that says of the message.
type Step<T> = Result<T, Answer>;

impl Door {
    /// The door of this server; nothing is connected yet.
    pub const fn new(settings: Settings) -> Self {
        Self { settings, open: None }
    }

    /// Brings a message to a recipient.
    pub async fn bring(&mut self, message: Message<'_>) -> Answer {
        let (envelope, bytes) = match mail(&self.settings, message) {
            Ok(made) => made,
            Err(why) => return Answer::Refused(why),
        };
        if let Some(folder) = &self.settings.folder {
            return put(folder, message, &bytes);
        }
        let mut kept = self.open.take();
        if let Some(open) = &mut kept {
            // It may have been closed since; a new one is as good.
            let answers = within(self.settings.timeout_ms, open.test_connected()).await;
            kept = kept.filter(|_| answers == Some(true));
        }
        let connection = match kept {
            Some(kept) => Ok(kept),
            None => self.connect().await,
        };
        let mut connection = match connection {
            Ok(connection) => connection,
            Err(answer) => return answer,
        };
        let answer = self.hand_over(&mut connection, &envelope, &bytes).await;
        match answer {
            Ok(()) => {
                self.open = Some(connection);
                Answer::Delivered
            }
            Err(answer) => {
                let _ = within(self.settings.timeout_ms.min(2_000), connection.abort()).await;
                answer
            }
        }
    }

    /// Says goodbye, where a connection is open.
    pub async fn close(&mut self) {
        if let Some(mut connection) = self.open.take() {
            let _ = within(self.settings.timeout_ms.min(2_000), connection.quit()).await;
        }
    }

    /// Connects, logs in, asks for nothing and leaves: what the server calls itself.
    ///
    /// # Errors
    /// What the first step that failed came to.
    pub async fn probe(&mut self) -> Result<String, Answer> {
        if let Some(folder) = &self.settings.folder {
            let made = fs::create_dir_all(folder).map_err(|error| Answer::Away(said(&error)));
            return made.map(|()| folder.display().to_string());
        }
        let mut connection = self.connect().await?;
        let noop = within(self.settings.timeout_ms, connection.test_connected()).await;
        let name = connection.server_info().name().to_owned();
        self.open = Some(connection);
        self.close().await;
        match noop {
            Some(true) => Ok(name),
            Some(false) | None => Err(Answer::Away("it does not answer after the login".to_owned())),
        }
    }

    async fn connect(&self) -> Step<AsyncSmtpConnection> {
        let Settings { host, port, tls, user, password, timeout_ms, .. } = &self.settings;
        let away = |step: &str, error: &dyn std::error::Error| {
            Answer::Away(format!("{host}:{port} {step}: {}", said(error)))
        };
        let silent = |step: &str| Answer::Away(format!("{host}:{port} {step}: no answer in {timeout_ms} ms"));
        let hello = ClientId::default();
        let parameters = self.tls()?;
        let wrapped = (*tls == Tls::Wrapped).then(|| parameters.clone());
        let wait = Some(Duration::from_millis(*timeout_ms));
        let connecting =
            AsyncSmtpConnection::connect_tokio1((host.as_str(), *port), wait, &hello, wrapped, None);
        let mut connection = within(*timeout_ms, connecting)
            .await
            .ok_or_else(|| silent("cannot be reached"))?
            .map_err(|error| away("cannot be reached", &error))?;
        if *tls == Tls::Begun {
            if !connection.can_starttls() {
                let _ = within(*timeout_ms, connection.quit()).await;
                return Err(Answer::Away(format!(
                    "{host}:{port} offers no STARTTLS, and nothing is sent in clear"
                )));
            }
            within(*timeout_ms, connection.starttls(parameters, &hello))
                .await
                .ok_or_else(|| silent("does not begin TLS"))?
                .map_err(|error| away("does not begin TLS", &error))?;
        }
        if let Some((user, password)) = user.as_ref().zip(password.as_ref()) {
            let credentials = Credentials::new(user.clone(), password.expose().to_owned());
            let ways = [Mechanism::Plain, Mechanism::Login];
            within(*timeout_ms, connection.auth(&ways, &credentials))
                .await
                .ok_or_else(|| silent("does not let us in"))?
                .map_err(|error| away("does not let us in", &error))?;
        }
        Ok(connection)
    }

    fn tls(&self) -> Step<TlsParameters> {
        let Settings { host, port, ca, .. } = &self.settings;
        let builder = TlsParameters::builder(host.clone());
        let builder = match ca {
            Some(path) => {
                let shown = path.display();
                let pem = fs::read(path)
                    .map_err(|error| Answer::Away(format!("smtp_ca {shown} cannot be read: {error}")))?;
                let own = Certificate::from_pem(&pem).map_err(|error| {
                    Answer::Away(format!("smtp_ca {shown} is no certificate: {}", said(&error)))
                })?;
                builder.add_root_certificate(own)
            }
            None => builder,
        };
        builder.build().map_err(|error| {
            Answer::Away(format!("{host}:{port} cannot be spoken with in secret: {}", said(&error)))
        })
    }

    async fn hand_over(
        &self,
        connection: &mut AsyncSmtpConnection,
        envelope: &Envelope,
        bytes: &[u8],
    ) -> Step<()> {
        let wait = self.settings.timeout_ms;
        let mut options = Vec::new();
        if connection.server_info().supports_feature(Extension::EightBitMime) {
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        // What is refused up to here is us, not the message.
        let from = within(wait, connection.command(From::new(envelope.from().cloned(), options))).await;
        judged(from, |error| Answer::Away(format!("{} may not send there: {error}", self.settings.from)))?;
        for to in envelope.to() {
            judged(
                within(wait, connection.command(Rcpt::new(to.clone(), Vec::new()))).await,
                Answer::Refused,
            )?;
        }
        judged(within(wait, connection.command(Data)).await, Answer::Refused)?;
        // From the last dot on a lost answer says nothing.
        match within(wait, connection.message(bytes)).await {
            None => Err(Answer::Unknown(format!("no answer to the message in {wait} ms"))),
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) if error.is_permanent() => Err(Answer::Refused(said(&error))),
            Some(Err(error)) if error.is_transient() => Err(Answer::Later(said(&error))),
            Some(Err(error)) => Err(Answer::Unknown(format!("the answer was lost: {}", said(&error)))),
        }
    }
}

/// What a step before the message came to; `refused` says what a refusal for good means there.
fn judged(answer: Option<Smtp<Response>>, refused: impl FnOnce(String) -> Answer) -> Step<()> {
    match answer {
        None => Err(Answer::Later("no answer".to_owned())),
        Some(Ok(_)) => Ok(()),
        Some(Err(error)) if error.is_permanent() => Err(refused(said(&error))),
        Some(Err(error)) => Err(Answer::Later(said(&error))),
    }
}

/// What comes within a time, if anything does.
async fn within<T>(milliseconds: u64, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(Duration::from_millis(milliseconds), work).await.ok()
}

/// Puts a message into a folder, under its own id and its recipient: a second time it is the same file.
fn put(folder: &Path, message: Message<'_>, bytes: &[u8]) -> Answer {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "@.-_".contains(letter);
    let name: String = format!("{} {}", message.message_id, message.recipient)
        .chars()
        .filter_map(|letter| match letter {
            '<' | '>' => None,
            _ => Some(if plain(letter) { letter } else { '_' }),
        })
        .collect();
    let written =
        fs::create_dir_all(folder).and_then(|()| fs::write(folder.join(format!("{name}.eml")), bytes));
    written.map_or_else(|error| Answer::Away(said(&error)), |()| Answer::Delivered)
}

/// The message as it leaves: the same bytes but for the boundaries between its parts.
fn mail(settings: &Settings, message: Message<'_>) -> Result<(Envelope, Vec<u8>), String> {
    let address = |text: &str| -> Result<Mailbox, String> {
        text.parse().map_err(|error| format!("`{text}` is no mail address: {error}"))
    };
    let (from, to): (Mailbox, Address) = (address(&settings.from)?, address(message.recipient)?.email);
    let envelope = Envelope::new(Some(from.email.clone()), vec![to]).map_err(|error| error.to_string())?;
    let rendered = message.rendered;
    let mut builder = Mail::builder()
        .from(from)
        .subject(rendered.subject.as_str())
        .date(SystemTime::from(message.written_at))
        .message_id(Some(message.message_id.to_owned()))
        .envelope(envelope.clone());
    for recipient in message.recipients {
        builder = builder.to(address(recipient)?);
    }
    if let Some(root) = message.thread_root {
        builder = builder.in_reply_to(root.to_owned()).references(root.to_owned());
    }
    let host = message.message_id.rsplit('@').next().unwrap_or_default().trim_end_matches('>');
    for (name, value) in [
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("List-Id", format!("hedge {list} <{list}.hedge.{host}>", list = ascii(&settings.list))),
        ("X-Hedge-Alert", ascii(message.alert_key.unwrap_or(message.scope))),
        ("X-Hedge-Severity", message.severity.word().to_owned()),
    ] {
        let name = HeaderName::new_from_ascii(name.to_owned()).map_err(|error| error.to_string())?;
        builder = builder.raw_header(HeaderValue::new(name, value));
    }
    let html = SinglePart::html(rendered.html.clone());
    let png = ContentType::parse("image/png").map_err(|error| error.to_string())?;
    let related = rendered.pictures.iter().fold(MultiPart::related().singlepart(html), |part, picture| {
        let name = format!("{}.png", picture.id);
        let inline = Attachment::new_inline_with_name(picture.id.clone(), name);
        part.singlepart(inline.body(picture.png.clone(), png.clone()))
    });
    let text = SinglePart::plain(rendered.text.clone());
    let both = MultiPart::alternative().singlepart(text).multipart(related);
    let mail = builder.multipart(both).map_err(|error| error.to_string())?;
    Ok((envelope, mail.formatted()))
}

/// A header's value: what is not plain is left out.
fn ascii(text: &str) -> String {
    text.chars().filter(|letter| letter.is_ascii_graphic() && !"<>\"".contains(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        policy::alert::Severity,
        report::mail::{Picture, Rendered},
    };

    #[test]
    fn a_mail_has_its_id_its_thread_and_says_that_no_person_wrote_it() {
        let settings = Settings {
            host: "mail.example".to_owned(),
            port: 587,
            tls: Tls::Begun,
            ca: None,
            user: None,
            password: None,
            folder: None,
            from: "hedge <hedge@desk.example>".to_owned(),
            list: "prod".to_owned(),
            timeout_ms: 1,
        };
        let rendered = Rendered {
            subject: "[hedge prod] AAPL −0.5".to_owned(),
            text: "AAPL −0.5, since noon.".to_owned(),
            html: "<p>AAPL −0.5</p><img src=\"cid:chart-1\">".to_owned(),
            pictures: vec![Picture { id: "chart-1".to_owned(), alt: "drift".to_owned(), png: vec![1, 2, 3] }],
        };
        let recipients = ["a@desk.example".to_owned(), "B <b@desk.example>".to_owned()];
        let message = Message {
            message_id: "<recon.prod.break-17.2@desk.example>",
            thread_root: Some("<recon.prod.break-17.1@desk.example>"),
            alert_key: Some("break/17\r\nBcc: x@y"),
            scope: "reconcile",
            severity: Severity::Critical,
            recipients: &recipients,
            recipient: "B <b@desk.example>",
            rendered: &rendered,
            written_at: "2026-11-21T01:31:07Z".parse().unwrap(),
        };
        let (envelope, bytes) = mail(&settings, message).unwrap();
        assert_eq!(envelope.to().iter().map(ToString::to_string).collect::<Vec<_>>(), ["b@desk.example"]);
        let text = String::from_utf8(bytes).unwrap();
        let headers = text.split("\r\n\r\n").next().unwrap();
        let headers: Vec<&str> = headers.lines().filter(|line| !line.contains("oundary")).collect();
        insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("mail_headers", headers.join("\n"));
        });
        assert!(text.contains("Content-ID: <chart-1>") && text.contains("multipart/related"));
    }
}
