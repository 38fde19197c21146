//! Whom to tell, how, and from when on: `[alerts]`, with the mail server's password and the
//! webhook's url from the environment.

use std::path::PathBuf;

use lettre::message::Mailbox;
use reqwest::Url;

use super::{
    Config,
    given::Given,
    problem::{Wrong, wrong},
    reading::{Node, Section},
    words::{above_zero, directory, name},
};
use crate::{
    alert::{
        Settings,
        smtp::{self, Tls},
    },
    policy::alert::rules::Rules,
    units::{Shares, Usd},
};

pub(super) const ALERTS_KEYS: &[&str] = &[
    "environment",
    "from",
    "to",
    "escalate_to",
    "domain",
    "smtp",
    "smtp_user",
    "smtp_ca",
    "min_usd",
    "min_quantity",
];

const PASSWORD: &str = "SMTP_PASSWORD";
const WEBHOOK: &str = "ALERT_WEBHOOK_URL";
/// The longest wait for one answer of a mail server (RFC 5321 §4.5.3.2 has minutes; nobody waits so long).
const TIMEOUT_MS: u64 = 30_000;

impl Config {
    /// Reads `[alerts]`.
    pub(super) fn read_alerts(&mut self, root: &Section<'_>, given: &mut Given<'_>) {
        let Some(node) = root.get("alerts") else {
            for variable in [PASSWORD, WEBHOOK] {
                if given.environment.has(variable) {
                    self.notes.push(format!("{variable} is set but not used: there is no [alerts]"));
                }
            }
            return;
        };
        if let Some(section) = node.section(ALERTS_KEYS) {
            self.alerts = read(&section, given);
        }
    }
}

fn read(section: &Section<'_>, given: &mut Given<'_>) -> Option<Settings> {
    let environment = section
        .need("environment", "name this installation, such as \"prod\": subjects begin with it")
        .and_then(|node| node.text(name));
    let from = section
        .need("from", "give the address that mail is from: \"hedge <hedge@desk.example>\"")
        .and_then(|node| node.text(mailbox));
    let to = section
        .need("to", "list who is told by mail: [\"desk@desk.example\"]; [] for nobody")
        .and_then(|node| addresses(&node));
    let escalate_to = section.get("escalate_to").map_or(Some(Vec::new()), |node| addresses(&node));
    let domain = match (section.get("domain"), &from) {
        (Some(node), _) => node.text(name),
        (None, Some(from)) => domain_of(from),
        (None, None) => None,
    };
    let webhook = given.value(WEBHOOK, webhook);
    let password = given.secret(PASSWORD);
    let server = section.get("smtp").map_or(Some(None), |node| node.text(server).map(Some));
    let user = section.get("smtp_user").map_or(Some(None), |node| node.text(word).map(Some));
    let ca = section.get("smtp_ca").map_or(Some(None), |node| node.text(directory).map(Some));
    if let (Some(to), Some(None)) = (&to, &server)
        && !to.is_empty()
    {
        section.need("smtp", "give the mail server: \"smtp://mail.desk.example:587\" or smtps://");
    }
    match (&user, &password) {
        (Some(Some(_)), None) => {
            given.missing::<()>(PASSWORD, "set it: [alerts] names a smtp_user".to_owned());
        }
        (Some(None), Some(_)) => section.refuse(
            "smtp_user",
            "is missing",
            format!("name the user whose password {PASSWORD} is, or unset it"),
        ),
        _ => {}
    }
    let usual = Rules::default();
    let usd = section.get("min_usd").map_or(Some(usual.usd), |node| node.number(above_zero).map(Usd));
    let quantity =
        section.get("min_quantity").map_or(Some(usual.quantity), |node| node.number(above_zero).map(Shares));
    let (environment, from, user, ca) = (environment?, from?, user?, ca?);
    let smtp = server?.map(|Server { host, port, tls, folder }| smtp::Settings {
        host,
        port,
        tls,
        folder,
        ca,
        user,
        password,
        from,
        list: environment.clone(),
        timeout_ms: TIMEOUT_MS,
    });
    Some(Settings {
        environment,
        domain: domain?,
        to: to?,
        escalate_to: escalate_to?,
        smtp,
        webhook,
        rules: Rules { usd: usd?, quantity: quantity?, ..usual },
    })
}

fn addresses(node: &Node<'_>) -> Option<Vec<String>> {
    let read: Vec<Option<String>> = node.items()?.iter().map(|item| item.text(mailbox)).collect();
    read.into_iter().collect()
}

fn mailbox(text: &str) -> Result<String, Wrong> {
    match text.parse::<Mailbox>() {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => {
            Err(wrong(format!("`{text}` is no mail address: {error}"), "write it like desk@desk.example"))
        }
    }
}

fn domain_of(address: &str) -> Option<String> {
    address.parse::<Mailbox>().ok().map(|mailbox| mailbox.email.domain().to_owned())
}

fn word(text: &str) -> Result<String, Wrong> {
    if text.is_empty() { Err(wrong("is empty", "give a name, or leave it out")) } else { Ok(text.to_owned()) }
}

/// A mail server, or the folder that stands in for one.
struct Server {
    host: String,
    port: u16,
    tls: Tls,
    folder: Option<PathBuf>,
}

fn server(text: &str) -> Result<Server, Wrong> {
    let next = "write smtp://host:587 (STARTTLS is required), smtps://host:465, or file:///a/folder; its user is smtp_user";
    if let Some(folder) = text.strip_prefix("file://") {
        return Ok(Server {
            host: String::new(),
            port: 0,
            tls: Tls::Wrapped,
            folder: Some(directory(folder)?),
        });
    }
    let url = Url::parse(text).map_err(|error| wrong(format!("is not a url: {error}"), next))?;
    let (tls, usual) = match url.scheme() {
        "smtp" => (Tls::Begun, 587),
        "smtps" => (Tls::Wrapped, 465),
        other => return Err(wrong(format!("{other}:// is no mail server"), next)),
    };
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    match url.host_str() {
        Some(host) if plain && matches!(url.path(), "" | "/") => {
            let port = url.port().unwrap_or(usual);
            Ok(Server { host: host.to_owned(), port, tls, folder: None })
        }
        Some(_) | None => Err(wrong("is not the plain url of a mail server", next)),
    }
}

/// What is wrong with one never repeats it: who has the url may post.
fn webhook(text: &str) -> Result<crate::secret::Secret, Wrong> {
    let next = "give the https url that your chat gave you";
    match Url::parse(text) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) => Ok(crate::secret::Secret::new(text)),
        Ok(_) | Err(_) => Err(wrong("is not an http(s) url", next)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Environment, Problems};
    use super::*;

    const GOOD: &str = "[alerts]\nenvironment = \"prod\"\nfrom = \"hedge <hedge@desk.example>\"\n\
                        to = [\"desk@desk.example\"]\nsmtp = \"smtp://mail.desk.example\"\n";

    fn read(text: &str, pairs: &[(&str, &str)]) -> Result<Option<Settings>, Problems> {
        let environment: Environment = pairs.iter().copied().collect();
        Config::of_file(Path::new("hedge.toml"), text, &environment).map(|config| config.alerts)
    }

    #[test]
    fn a_mail_server_is_spoken_with_in_secret_at_its_usual_port() {
        let of = |url: &str| {
            let smtp =
                read(&GOOD.replace("smtp://mail.desk.example", url), &[]).unwrap().unwrap().smtp.unwrap();
            (smtp.port, smtp.tls)
        };
        assert_eq!(of("smtp://mail.desk.example"), (587, Tls::Begun));
        assert_eq!(of("smtps://mail.desk.example"), (465, Tls::Wrapped));
        assert_eq!(of("smtp://127.0.0.1:2525"), (2525, Tls::Begun));
        let folder = read(&GOOD.replace("smtp://mail.desk.example", "file:///var/spool/hedge"), &[]);
        assert_eq!(folder.unwrap().unwrap().smtp.unwrap().folder.unwrap(), Path::new("/var/spool/hedge"));
        assert_eq!(read(GOOD, &[]).unwrap().unwrap().domain, "desk.example");
        assert!(read("", &[]).unwrap().is_none());
    }

    #[test]
    fn what_is_wrong_is_said_and_never_the_secret() {
        let hook = "ftp://hunter2.example/hunter2";
        for (text, pairs, wanted) in [
            (GOOD.replace("desk@desk", "desk"), vec![], "is no mail address"),
            (GOOD.replace("smtp://", "http://"), vec![], "http:// is no mail server"),
            (GOOD.replace("smtp://", "smtp://me:hunter2@"), vec![], "is not the plain url"),
            (GOOD.replace("smtp = \"smtp://mail.desk.example\"\n", ""), vec![], "alerts.smtp: is missing"),
            (format!("{GOOD}smtp_user = \"me\"\n"), vec![], "SMTP_PASSWORD: is missing"),
            (format!("{GOOD}smtp_password = \"hunter2\"\n"), vec![], "a secret does not belong in a file"),
            (GOOD.to_owned(), vec![("SMTP_PASSWORD", "hunter2")], "alerts.smtp_user: is missing"),
            (GOOD.to_owned(), vec![("ALERT_WEBHOOK_URL", hook)], "ALERT_WEBHOOK_URL: is not an http(s) url"),
            (format!("{GOOD}smtp_ca = \"ca.pem\"\n"), vec![], "is not an absolute path"),
            (format!("{GOOD}min_usd = 0\n"), vec![], "is not above zero"),
        ] {
            let problems = read(&text, &pairs).unwrap_err().to_string();
            assert!(problems.contains(wanted) && !problems.contains("hunter2"), "{problems}");
        }
    }

    #[test]
    fn thresholds_may_be_given_and_secrets_are_never_printed() {
        let text = format!("{GOOD}smtp_user = \"me\"\nmin_usd = 100\nmin_quantity = 0.5\n");
        let pairs = [("SMTP_PASSWORD", "hunter2"), ("ALERT_WEBHOOK_URL", "https://chat.example/hunter2")];
        let settings = read(&text, &pairs).unwrap().unwrap();
        assert_eq!(settings.rules.usd.to_string(), "100");
        assert_eq!(settings.rules.quantity.to_string(), "0.5");
        assert!(!format!("{settings:?}").contains("hunter2"));
        let unused = Config::of_file(Path::new("hedge.toml"), "", &pairs.into_iter().collect()).unwrap();
        assert_eq!(unused.notes.len(), 2, "{:?}", unused.notes);
    }
}
