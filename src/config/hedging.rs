//! Where and how far hedging goes: `[hedge]`, `[venue.NAME]`, `[limits]`, and what the
//! environment of the earlier system says of them.
//!
//! Nothing that moves money has a default, and paper and live never meet: a url that is
//! known to be the one is refused for the other.

use jiff::SignedDuration;
use reqwest::Url;
use rust_decimal::Decimal;

use super::{
    Config,
    given::Given,
    problem::{Wrong, wrong},
    reading::{Node, Section},
    words::{above_zero, decimal, duration_ms, hex_key, name, one_of, prefix, url, whole},
};
use crate::{
    policy::{HedgeSettings, Limits},
    secret::Secret,
    units::{Shares, Usd},
    venue::{AuthStyle, Broker, Environment, VenueSettings},
};

pub(super) const HEDGE_KEYS: &[&str] = &["venue", "every", "session", "order_poll", "order_jitter"];
pub(super) const VENUE_KEYS: &[&str] = &[
    "kind",
    "environment",
    "base_url",
    "data_url",
    "path_prefix",
    "auth",
    "rate",
    "timeout",
    "redirect_uri",
    "account_index",
];
pub(super) const LIMITS_KEYS: &[&str] = &[
    "max_order_usd",
    "max_day_usd",
    "price_band_pct",
    "max_order_shares",
    "max_day_shares",
    "price_age",
    "blind",
    "slippage_bps",
];

/// The environment's description of hedging, where there is no file.
pub(super) const HEDGE_VARIABLES: [&str; 10] = [
    "BROKER",
    "ALPACA_TRADING_MODE",
    "SCHWAB_REDIRECT_URI",
    "SCHWAB_BASE_URL",
    "SCHWAB_ACCOUNT_INDEX",
    "ORDER_POLLING_INTERVAL",
    "ORDER_POLLING_MAX_JITTER",
    "HEDGE_MAX_ORDER_USD",
    "HEDGE_MAX_DAY_USD",
    "HEDGE_PRICE_BAND_PCT",
];

const EVERY_MS: u64 = 5_000;
const ORDER_POLL_MS: u64 = 15_000;
const ORDER_JITTER_MS: u64 = 5_000;
const TIMEOUT_MS: u64 = 30_000;
const SLIPPAGE_BPS: u32 = 100;
/// A long weekend and a day: where the quote feed is dead, the price of the last fill is all there
/// is, and a dead feed must not keep a position open.
const PRICE_AGE: SignedDuration = SignedDuration::from_hours(96);
const BLIND: SignedDuration = SignedDuration::from_hours(1);

const SESSIONS: [(&str, bool); 2] = [("regular", false), ("extended", true)];

/// Hosts whose money is known to be real, or not (`alpaca.md` §1, `schwab.md`; read on 2026-11-20).
const HOSTS: [(&str, Environment); 5] = [
    ("paper-api.alpaca.markets", Environment::Paper),
    ("broker-api.sandbox.alpaca.markets", Environment::Paper),
    ("api.alpaca.markets", Environment::Live),
    ("broker-api.alpaca.markets", Environment::Live),
    ("api.schwabapi.com", Environment::Live),
];

/// The venues of a file, as far as an asset must know them.
pub(super) struct Venues {
    /// Names, and brokers where those are right.
    known: Vec<(String, Option<Broker>)>,
    /// The one of an asset that names none.
    usual: Option<String>,
}

impl Venues {
    /// The name of a venue that there is.
    pub(super) fn named(&self, node: &Node<'_>) -> Option<String> {
        let venue = node.text(name)?;
        if !self.known.iter().any(|(known, _)| *known == venue) {
            let next = format!("add [venue.{venue}] with its kind and environment, or name another");
            node.refuse(format!("no [venue.{venue}] is configured"), next);
            return None;
        }
        Some(venue)
    }

    /// Whether only whole shares are traded at `venue`, or at the usual one.
    pub(super) fn whole_shares_at(&self, venue: Option<&str>) -> Option<&str> {
        let venue = venue.or(self.usual.as_deref())?;
        let (name, _) = self.known.iter().find(|it| it.0 == venue && it.1 == Some(Broker::Schwab))?;
        Some(name)
    }
}

/// `regular` or `extended`.
pub(super) fn session(node: &Node<'_>) -> Option<bool> {
    node.text(|text| one_of(text, &SESSIONS))
}

impl Config {
    /// Reads the three tables; what an asset must know of them is given back.
    pub(super) fn read_hedging(&mut self, root: &Section<'_>, given: &mut Given<'_>) -> Venues {
        let tables = root.get("venue").map(|venues| venues.named()).unwrap_or_default();
        let kinds: Vec<Option<Broker>> = tables.iter().map(kind_of).collect();
        let alpacas = kinds.iter().filter(|kind| **kind == Some(Broker::Alpaca)).count();
        for table in &tables {
            self.venues.extend(read_venue(table, alpacas == 1, given));
        }
        if alpacas > 1 {
            for variable in ["ALPACA_API_KEY", "ALPACA_API_SECRET"] {
                if given.environment.has(variable) {
                    let next = format!("set {variable}_NAME for each, in capitals");
                    given.problem(variable, "does not say which venue it is for", next);
                }
            }
        }
        let known = tables.iter().map(|table| table.name().to_owned()).zip(kinds).collect();
        let mut venues = Venues { known, usual: None };
        let hedge = root.get("hedge");
        if let Some(section) = hedge.as_ref().and_then(|hedge| hedge.section(HEDGE_KEYS)) {
            self.hedge = read_hedge(&section, &venues);
            venues.usual = hedge.as_ref().and_then(|hedge| hedge.peek("venue")).map(str::to_owned);
        }
        if hedge.is_some() && root.get("limits").is_none() {
            let next =
                "give max_order_usd, max_day_usd and price_band_pct: nothing that moves money has a default";
            root.need("limits", next);
        }
        let limits = root.get("limits").and_then(|limits| limits.section(LIMITS_KEYS));
        self.limits = limits.and_then(|limits| read_limits(&limits));
        venues
    }

    /// Says so where hedging is on and no share has a threshold.
    pub(super) fn note_what_is_not_hedged(&mut self) {
        if self.hedge.is_some() && self.directory.is_discovering() {
            self.notes
                .push("no [[asset]] is listed, so none has a threshold and nothing is hedged".to_owned());
        }
    }

    /// The venue that `BROKER` names, and hedging there as far as it is limited.
    pub(super) fn hedging_of_environment(&mut self, given: &mut Given<'_>) {
        let brokers = [
            ("alpaca", Broker::Alpaca),
            ("schwab", Broker::Schwab),
            ("dry-run", Broker::Paper),
            ("paper", Broker::Paper),
        ];
        let Some(broker) = given.value("BROKER", |text| one_of(text, &brokers)) else { return };
        let environment = match broker {
            Broker::Alpaca => {
                given.or("ALPACA_TRADING_MODE", |text| one_of(text, &environments()), Environment::Paper)
            }
            Broker::Schwab => Some(Environment::Live),
            Broker::Paper => Some(Environment::Paper),
        };
        let Some(environment) = environment else { return };
        let mut venue = usual(broker.word(), broker, environment);
        if broker == Broker::Schwab {
            let base = given.or("SCHWAB_BASE_URL", url, venue.base_url.clone());
            let redirect = given.or("SCHWAB_REDIRECT_URI", url, venue.redirect_uri.clone());
            let index = given.or("SCHWAB_ACCOUNT_INDEX", whole, 0);
            let (Some(base), Some(redirect), Some(index)) = (base, redirect, index) else { return };
            venue.data_url.clone_from(&base);
            venue.base_url = base;
            venue.redirect_uri = redirect;
            venue.account_index = usize::try_from(index).unwrap_or(usize::MAX);
        }
        (venue.key, venue.secret) = credentials(broker, "", given);
        self.venues.push(venue);

        let seconds = |text: &str| whole(text).map(|seconds| seconds.saturating_mul(1_000));
        let waits = |text: &str| match seconds(text)? {
            0 => Err(wrong("is no time at all", "give seconds, such as 15")),
            milliseconds => Ok(milliseconds),
        };
        let poll = given.or("ORDER_POLLING_INTERVAL", waits, ORDER_POLL_MS);
        let jitter = given.or("ORDER_POLLING_MAX_JITTER", seconds, ORDER_JITTER_MS);
        let unlimited: Vec<&str> = ["HEDGE_MAX_ORDER_USD", "HEDGE_MAX_DAY_USD", "HEDGE_PRICE_BAND_PCT"]
            .into_iter()
            .filter(|name| !given.environment.has(name))
            .collect();
        if !unlimited.is_empty() {
            let missing = unlimited.join(", ");
            self.notes.push(format!("BROKER is set and nothing is hedged: {missing} must limit it"));
            return;
        }
        let dollars = |text: &str| above_zero(decimal(text)?).map(Usd);
        let order = given.value("HEDGE_MAX_ORDER_USD", dollars);
        let day = given.value("HEDGE_MAX_DAY_USD", dollars);
        let band = given.value("HEDGE_PRICE_BAND_PCT", |text| band_bps(decimal(text)?));
        let (Some(poll_ms), Some(jitter_ms), Some(order), Some(day), Some(band)) =
            (poll, jitter, order, day, band)
        else {
            return;
        };
        self.limits = Some(limits(order, day, band));
        self.hedge = Some(HedgeSettings {
            venue: broker.word().to_owned(),
            every_ms: EVERY_MS,
            extended: false,
            poll_ms,
            jitter_ms,
        });
    }

    /// What `ENCRYPTION_KEY` says.
    pub(super) fn encryption_of_environment(&mut self, given: &mut Given<'_>) {
        self.encryption_key = given.value("ENCRYPTION_KEY", hex_key);
    }
}

fn environments() -> [(&'static str, Environment); 2] {
    Environment::ALL.map(|environment| (environment.word(), environment))
}

/// Which broker a venue's table names, where it is one; what is wrong is said by [`read_venue`].
fn kind_of(node: &Node<'_>) -> Option<Broker> {
    let kind = node.peek("kind")?;
    Broker::ALL.into_iter().find(|broker| broker.word() == kind)
}

/// A venue where its table says nothing more.
fn usual(name: &str, broker: Broker, environment: Environment) -> VenueSettings {
    let (base_url, data_url, path_prefix, rate) = match (broker, environment) {
        (Broker::Alpaca, Environment::Paper) => {
            ("https://paper-api.alpaca.markets", "https://data.alpaca.markets", "/v2", 200)
        }
        (Broker::Alpaca, Environment::Live) => {
            ("https://api.alpaca.markets", "https://data.alpaca.markets", "/v2", 200)
        }
        (Broker::Schwab, Environment::Paper | Environment::Live) => {
            ("https://api.schwabapi.com", "https://api.schwabapi.com", "/trader/v1", 120)
        }
        (Broker::Paper, Environment::Paper | Environment::Live) => ("", "", "", 0),
    };
    VenueSettings {
        name: name.to_owned(),
        broker,
        environment,
        base_url: base_url.to_owned(),
        data_url: data_url.to_owned(),
        path_prefix: path_prefix.to_owned(),
        auth: AuthStyle::Headers,
        key: None,
        secret: None,
        redirect_uri: "https://127.0.0.1".to_owned(),
        account_index: 0,
        rate,
        timeout_ms: TIMEOUT_MS,
    }
}

fn read_venue(node: &Node<'_>, sole: bool, given: &mut Given<'_>) -> Option<VenueSettings> {
    if let Err(Wrong { what, next }) = name(node.name()) {
        node.refuse(what, next);
    }
    let section = node.section(VENUE_KEYS)?;
    let kinds = Broker::ALL.map(|broker| (broker.word(), broker));
    let kind = section
        .need("kind", "give alpaca, schwab or paper")
        .and_then(|it| it.text(|text| one_of(text, &kinds)));
    let environment = section
        .need("environment", "say paper or live: nothing that moves money has a default")
        .and_then(|it| it.text(|text| one_of(text, &environments())));
    let (broker, environment) = (kind?, environment?);
    for (key, takes) in [
        ("base_url", &[Broker::Alpaca, Broker::Schwab][..]),
        ("data_url", &[Broker::Alpaca, Broker::Schwab]),
        ("path_prefix", &[Broker::Alpaca]),
        ("auth", &[Broker::Alpaca]),
        ("rate", &[Broker::Alpaca, Broker::Schwab]),
        ("timeout", &[Broker::Alpaca, Broker::Schwab]),
        ("redirect_uri", &[Broker::Schwab]),
        ("account_index", &[Broker::Schwab]),
    ] {
        if let Some(given) = section.get(key).filter(|_| !takes.contains(&broker)) {
            given.refuse(format!("is nothing that a venue of kind {} has", broker.word()), "remove it");
        }
    }
    let usual = usual(node.name(), broker, environment);
    let text = |key, make: fn(&str) -> Result<String, Wrong>, left_out: String| match section.get(key) {
        None => Some(left_out),
        Some(node) => node.text(make),
    };
    let base_url = text("base_url", url, usual.base_url);
    // Schwab's quotes come from where its orders go.
    let data_url = match broker {
        Broker::Schwab => base_url.clone().unwrap_or_default(),
        Broker::Alpaca | Broker::Paper => usual.data_url,
    };
    let data_url = text("data_url", url, data_url);
    let path_prefix = text("path_prefix", prefix, usual.path_prefix);
    let redirect_uri = text("redirect_uri", url, usual.redirect_uri);
    let auths = [("headers", AuthStyle::Headers), ("basic", AuthStyle::Basic), ("bearer", AuthStyle::Bearer)];
    let auth = section.get("auth").map_or(Some(usual.auth), |it| it.text(|text| one_of(text, &auths)));
    let rate = section.get("rate").map_or(Some(usual.rate), |it| it.whole_u32(1));
    let timeout_ms = section.get("timeout").map_or(Some(usual.timeout_ms), |it| it.text(duration_ms));
    let account_index = section.get("account_index").map_or(Some(0), |it| it.whole(0));
    let orders = section.get("base_url").or_else(|| section.get("environment"));
    for (place, url) in [(orders, &base_url), (section.get("data_url"), &data_url)] {
        if let (Some(place), Some(url)) = (place, url)
            && let Err(Wrong { what, next }) = money_is(environment, url)
        {
            place.refuse(what, next);
        }
    }
    if let (Broker::Paper, Environment::Live, Some(place)) = (broker, environment, section.get("environment"))
    {
        place.refuse("money is never real at a venue of kind paper", "say paper");
    }
    let suffix = if sole { String::new() } else { variable_suffix(node.name()) };
    let (key, secret) = credentials(broker, &suffix, given);
    Some(VenueSettings {
        name: usual.name,
        broker,
        environment,
        base_url: base_url?,
        data_url: data_url?,
        path_prefix: path_prefix?,
        auth: auth?,
        key,
        secret,
        redirect_uri: redirect_uri?,
        account_index: account_index.and_then(|index| usize::try_from(index).ok())?,
        rate: rate?,
        timeout_ms: timeout_ms?,
    })
}

/// Whether money is as real at `url` as it is said to be, and keys are safe on the way.
fn money_is(environment: Environment, url: &str) -> Result<(), Wrong> {
    let word = environment.word();
    let Ok(parsed) = Url::parse(url) else { return Ok(()) };
    let host = parsed.host_str().unwrap_or_default();
    if let Some((_, real)) = HOSTS.iter().find(|(known, real)| *known == host && *real != environment) {
        let next = format!("say {}, or give another url", real.word());
        return Err(wrong(format!("{host} is {}, and the environment is {word}", real.word()), next));
    }
    let here = ["127.0.0.1", "localhost", "[::1]"].contains(&host);
    if environment == Environment::Live && parsed.scheme() == "http" && !here {
        return Err(wrong("keys of a live account would travel in clear", "write https://"));
    }
    Ok(())
}

fn variable_suffix(name: &str) -> String {
    let letter = |it: char| if it.is_ascii_alphanumeric() { it.to_ascii_uppercase() } else { '_' };
    format!("_{}", name.chars().map(letter).collect::<String>())
}

/// The key of a venue and what goes with it: both or none.
fn credentials(broker: Broker, suffix: &str, given: &mut Given<'_>) -> (Option<Secret>, Option<Secret>) {
    let names = match broker {
        Broker::Alpaca => [format!("ALPACA_API_KEY{suffix}"), format!("ALPACA_API_SECRET{suffix}")],
        // A login is one app's: two venues share it.
        Broker::Schwab => ["SCHWAB_APP_KEY", "SCHWAB_APP_SECRET"].map(str::to_owned),
        Broker::Paper => return (None, None),
    };
    let [key, secret] = names.each_ref().map(|name| given.secret(name));
    for (name, other, missing) in [
        (&names[0], &names[1], key.is_none() && secret.is_some()),
        (&names[1], &names[0], secret.is_none() && key.is_some()),
    ] {
        if missing {
            given.missing::<()>(name, format!("set it beside {other}"));
        }
    }
    (key, secret)
}

fn read_hedge(section: &Section<'_>, venues: &Venues) -> Option<HedgeSettings> {
    let venue = section
        .need("venue", "name the [venue.NAME] that shares are hedged at")
        .and_then(|node| venues.named(&node));
    let milliseconds = |key, left_out| match section.get(key) {
        None => Some(left_out),
        Some(node) => node.text(duration_ms),
    };
    let every_ms = milliseconds("every", EVERY_MS);
    let poll_ms = milliseconds("order_poll", ORDER_POLL_MS);
    let jitter_ms = milliseconds("order_jitter", ORDER_JITTER_MS);
    let extended = section.get("session").map_or(Some(false), |node| session(&node));
    Some(HedgeSettings {
        venue: venue?,
        every_ms: every_ms?,
        extended: extended?,
        poll_ms: poll_ms?,
        jitter_ms: jitter_ms?,
    })
}

fn limits(max_order_usd: Usd, max_day_usd: Usd, price_band_bps: u32) -> Limits {
    Limits {
        max_order_usd,
        max_day_usd,
        max_order_shares: None,
        max_day_shares: None,
        price_band_bps,
        price_age: PRICE_AGE,
        blind: BLIND,
        slippage_bps: SLIPPAGE_BPS,
    }
}

fn read_limits(section: &Section<'_>) -> Option<Limits> {
    let amount = |node: &Node<'_>| node.number(above_zero);
    let need = |key, next| section.need(key, next).and_then(|node| amount(&node)).map(Usd);
    let order = need("max_order_usd", "give the most dollars of one order, such as 50000");
    let day = need("max_day_usd", "give the most dollars of one day, such as 500000");
    let band = section
        .need("price_band_pct", "give how far a price may lie from its reference, such as 5")
        .and_then(|node| node.number(band_bps));
    let optional = |key| -> Option<Option<Shares>> {
        section.get(key).map_or(Some(None), |node| amount(&node).map(Shares).map(Some))
    };
    let (order_shares, day_shares) = (optional("max_order_shares"), optional("max_day_shares"));
    let duration = |key, left_out| match section.get(key) {
        None => Some(left_out),
        Some(node) => node
            .text(duration_ms)
            .and_then(|milliseconds| i64::try_from(milliseconds).ok())
            .map(SignedDuration::from_millis),
    };
    let (price_age, blind) = (duration("price_age", PRICE_AGE), duration("blind", BLIND));
    let slippage = match section.get("slippage_bps") {
        None => Some(SLIPPAGE_BPS),
        Some(node) => node.whole_u32(1).filter(|bps| {
            let fits = *bps < 10_000;
            if !fits {
                node.refuse(
                    format!("{bps} leaves nothing of a price"),
                    "give hundredths of a percent, such as 100",
                );
            }
            fits
        }),
    };
    Some(Limits {
        max_order_shares: order_shares?,
        max_day_shares: day_shares?,
        price_age: price_age?,
        blind: blind?,
        slippage_bps: slippage?,
        ..limits(order?, day?, band?)
    })
}

/// Percent in hundredths.
fn band_bps(percent: Decimal) -> Result<u32, Wrong> {
    let bps = percent.checked_mul(Decimal::ONE_HUNDRED).filter(Decimal::is_integer);
    let bps = bps.and_then(|bps| u32::try_from(bps).ok()).filter(|bps| (1..=10_000).contains(bps));
    bps.ok_or_else(|| {
        wrong(format!("{percent} is not a percentage of 0.01 to 100"), "give it with two decimals at most")
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        assets::Threshold,
        config::{Environment as Variables, Problems},
    };

    const FILE: &str = r#"
[chain.8453]
rpc = ["http://127.0.0.1:8545"]
usdc = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"

[[asset]]
symbol = "AAPL"
tokens = [{ chain = 8453, address = "0x5cda0e1ca4ce2af96315f7f8963c85399c172204", wrapped = true }]
threshold = { fraction = 0.5 }
venue = "second"
session = "extended"

[hedge]
venue = "alpaca"

[venue.alpaca]
kind = "alpaca"
environment = "paper"

[venue.second]
kind = "paper"
environment = "paper"

[limits]
max_order_usd = 50000
max_day_usd = 500_000
price_band_pct = 0.25
"#;

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, Problems> {
        Config::of_file(Path::new("hedge.toml"), text, &variables.iter().copied().collect())
    }

    fn of_environment(variables: &[(&str, &str)]) -> Result<Config, Problems> {
        Config::of_environment(&variables.iter().copied().collect::<Variables>())
    }

    fn usd(text: &str) -> Usd {
        Usd(text.parse().unwrap())
    }

    #[test]
    fn three_tables_become_settings_and_what_is_left_out_is_as_documented() {
        let config = read(FILE, &[]).unwrap();

        let hedge = config.hedge.unwrap();
        let expected = HedgeSettings {
            venue: "alpaca".to_owned(),
            every_ms: 5_000,
            extended: false,
            poll_ms: 15_000,
            jitter_ms: 5_000,
        };
        assert_eq!(hedge, expected);
        assert_eq!(config.limits, Some(limits(usd("50000"), usd("500000"), 25)));
        let [alpaca, paper] = config.venues.as_slice() else { panic!("{:?}", config.venues) };
        assert_eq!((alpaca.name.as_str(), alpaca.mark().as_str()), ("alpaca", "alpaca-paper"));
        assert_eq!(alpaca.base_url, "https://paper-api.alpaca.markets");
        assert_eq!((alpaca.path_prefix.as_str(), alpaca.rate), ("/v2", 200));
        assert_eq!((paper.broker, paper.mark().as_str()), (Broker::Paper, "paper-paper"));
        let asset = &config.directory.assets()[0];
        assert_eq!(asset.threshold, Some(Threshold::Fraction("0.5".parse().unwrap())));
        assert_eq!((asset.venue.as_deref(), asset.extended), (Some("second"), Some(true)));
    }

    #[test]
    fn without_the_table_nothing_is_hedged_and_no_limit_is_needed() {
        let text = FILE.split("[hedge]").next().unwrap().replace("venue = \"second\"\n", "");
        let config = read(&text, &[]).unwrap();
        assert_eq!((config.hedge, config.limits), (None, None));
    }

    #[test]
    fn keys_come_from_the_environment_to_the_account_that_they_are_for() {
        let secret = |it: &Option<Secret>| it.as_ref().map(|it| it.expose().to_owned());
        let config = read(FILE, &[("ALPACA_API_KEY", "k"), ("ALPACA_API_SECRET", "hunter2")]).unwrap();
        assert_eq!(secret(&config.venues[0].key).as_deref(), Some("k"));
        assert_eq!(secret(&config.venues[0].secret).as_deref(), Some("hunter2"));
        assert_eq!(config.venues[1].key, None);
        assert!(!format!("{config:?}").contains("hunter2"));

        let two = FILE.replace("[venue.second]\nkind = \"paper\"", "[venue.live-2]\nkind = \"alpaca\"");
        let two = two.replace("venue = \"second\"", "venue = \"live-2\"");
        let named = [("ALPACA_API_KEY_LIVE_2", "k2"), ("ALPACA_API_SECRET_LIVE_2", "s2")];
        let config = read(&two, &named).unwrap();
        assert_eq!(secret(&config.venues[1].key).as_deref(), Some("k2"));
        assert_eq!(config.venues[0].key, None);
        let problems = read(&two, &[("ALPACA_API_KEY", "k"), ("ALPACA_API_SECRET_LIVE_2", "s")]).unwrap_err();
        assert_eq!(
            problems.to_string(),
            "ALPACA_API_KEY_LIVE_2: is missing; set it beside ALPACA_API_SECRET_LIVE_2\n\
             ALPACA_API_KEY: does not say which venue it is for; set ALPACA_API_KEY_NAME for each, in capitals"
        );
    }

    #[test]
    fn a_file_is_all_there_is_to_say_of_hedging_beside_it() {
        let config = read(FILE, &[("BROKER", "schwab"), ("HEDGE_MAX_DAY_USD", "1")]).unwrap();
        assert_eq!(config.limits.unwrap().max_day_usd, usd("500000"));
        assert_eq!(
            config.notes,
            [
                "BROKER is set but not used: hedge.toml describes hedging",
                "HEDGE_MAX_DAY_USD is set but not used: hedge.toml describes hedging"
            ]
        );
    }

    #[test]
    fn the_earlier_system_s_environment_describes_one_venue() {
        let limits = [
            ("HEDGE_MAX_ORDER_USD", "50000"),
            ("HEDGE_MAX_DAY_USD", "500000"),
            ("HEDGE_PRICE_BAND_PCT", "5"),
        ];
        let with = |more: &[(&str, &str)]| of_environment(&[&limits[..], more].concat()).unwrap();

        let config = with(&[
            ("BROKER", "alpaca"),
            ("ALPACA_TRADING_MODE", "live"),
            ("ALPACA_API_KEY", "k"),
            ("ALPACA_API_SECRET", "s"),
            ("ORDER_POLLING_INTERVAL", "20"),
            ("ORDER_POLLING_MAX_JITTER", "0"),
        ]);
        assert_eq!(config.venues[0].mark(), "alpaca-live");
        assert_eq!(config.venues[0].base_url, "https://api.alpaca.markets");
        assert!(config.venues[0].key.is_some());
        let hedge = config.hedge.unwrap();
        assert_eq!((hedge.venue.as_str(), hedge.poll_ms, hedge.jitter_ms), ("alpaca", 20_000, 0));
        assert_eq!(config.limits.unwrap().price_band_bps, 500);

        let config = with(&[
            ("BROKER", "schwab"),
            ("SCHWAB_BASE_URL", "http://127.0.0.1:9000/"),
            ("SCHWAB_ACCOUNT_INDEX", "1"),
        ]);
        let schwab = &config.venues[0];
        assert_eq!((schwab.base_url.as_str(), schwab.account_index), ("http://127.0.0.1:9000", 1));
        assert_eq!(
            (schwab.redirect_uri.as_str(), schwab.path_prefix.as_str()),
            ("https://127.0.0.1", "/trader/v1")
        );

        assert_eq!(with(&[("BROKER", "dry-run")]).venues[0].mark(), "paper-paper");
    }

    #[test]
    fn a_broker_without_limits_hedges_nothing_and_says_so() {
        let config = of_environment(&[("BROKER", "alpaca"), ("HEDGE_MAX_DAY_USD", "500000")]).unwrap();
        assert_eq!((config.hedge, config.venues.len()), (None, 1));
        assert_eq!(
            config.notes,
            ["BROKER is set and nothing is hedged: HEDGE_MAX_ORDER_USD, HEDGE_PRICE_BAND_PCT must limit it"]
        );
    }

    #[test]
    fn an_encryption_key_is_never_repeated() {
        let key = "0f".repeat(32);
        let config = of_environment(&[("ENCRYPTION_KEY", &key)]).unwrap();
        assert_eq!(config.encryption_key.unwrap().expose(), key);
        let problems = of_environment(&[("ENCRYPTION_KEY", "hunter2")]).unwrap_err().to_string();
        assert_eq!(problems, "ENCRYPTION_KEY: is not 64 hex digits; make one with `openssl rand -hex 32`");
    }

    #[test]
    fn hosts_that_are_known_are_paper_or_live_and_others_are_what_they_are_said_to_be() {
        use Environment::{Live, Paper};
        let is = |environment, url: &str| money_is(environment, url).is_ok();
        for (host, real) in HOSTS {
            let url = format!("https://{host}");
            assert_eq!((is(Paper, &url), is(Live, &url)), (real == Paper, real == Live), "{host}");
        }
        assert!(is(Live, "http://127.0.0.1:8080") && is(Paper, "http://broker:8080"));
        assert!(!is(Live, "http://broker:8080"), "keys in clear");
    }
}
