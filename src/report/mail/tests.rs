//! Mails as they are read: every kind of them is on record.

use super::*;
use crate::{
    policy::alert::{Curve, Figures, machine::Told},
    units::{Shares, Usd},
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn drift() -> Condition {
    Condition {
        key: "break/17".to_owned(),
        class: "UNEXPLAINED".to_owned(),
        leg: "vault".to_owned(),
        severity: Severity::Warning,
        symbol: Some("AAPL".to_owned()),
        about: "AAPL −0.5 (−$73.70) vault leg".to_owned(),
        detail: "The vault holds 0.5 less than our fills say, and no order, log or transfer explains it."
            .to_owned(),
        next: "hedge show breaks --symbol AAPL".to_owned(),
        usd: Some(Usd("-73.70".parse().unwrap())),
        quantity: Some(Shares("-0.5".parse().unwrap())),
        since: at("2026-11-20T21:02:00Z"),
        confirmed: true,
        acknowledged_until: None,
    }
}

fn notice(kind: Kind, condition: Condition) -> Notice {
    let before = Told {
        at: at("2026-11-20T01:30:00Z"),
        class: "IN_FLIGHT_ORDER".to_owned(),
        severity: condition.severity,
        usd: Some(Usd("-20".parse().unwrap())),
        quantity: None,
    };
    Notice {
        kind,
        condition,
        number: 2,
        escalated: kind == Kind::Escalated,
        before: (kind != Kind::New).then_some(before),
        fired_at: at("2026-11-19T01:31:00Z"),
    }
}

const NIGHT: &str = "2026-11-21T01:31:07Z";

fn occasion() -> Occasion<'static> {
    Occasion { environment: "prod", scope: "reconcile", run: Some(17), at: at(NIGHT) }
}

pub(super) fn nightly() -> Rendered {
    let tsla = Condition {
        key: "break/12".to_owned(),
        class: "TRANSFER_STUCK".to_owned(),
        severity: Severity::Critical,
        symbol: Some("TSLA".to_owned()),
        about: "TSLA +20 (+$6,836.40) transfer".to_owned(),
        detail: "Minted 58 minutes past its deadline and not arrived; mint id 0x9c4f…21.".to_owned(),
        next: "hedge show breaks --symbol TSLA".to_owned(),
        since: at("2026-11-20T19:03:00Z"),
        ..drift()
    };
    let cash = Condition {
        key: "break/9".to_owned(),
        about: "USD −0.02 (−$0.02) broker cash".to_owned(),
        ..drift()
    };
    let told = [notice(Kind::New, drift()), notice(Kind::Changed, tsla.clone()), notice(Kind::Over, cash)];
    let mut date = jiff::civil::date(2026, 10, 12);
    let mut drifts = Vec::new();
    for day in 0..40_i64 {
        let value = (day * 7_919 % 97 - 30) * (day % 7);
        drifts.push((date, value.to_string().parse().unwrap()));
        date = date.tomorrow().unwrap();
    }
    let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<String>>();
    let digest = Digest {
        date: None,
        headline: "2 breaks are open, 1 of them new: AAPL −0.5 (−$73.70) in the vault, since 2026-11-20 16:02 ET; nothing explains it. Do: hedge show breaks --symbol AAPL".to_owned(),
        subject: None,
        tables: vec![Figures {
            title: "Drift by leg".to_owned(),
            heads: row(&["symbol", "leg", "expected", "reported", "residual", "explained", "unexplained", "at mark"]),
            rows: vec![
                row(&["AAPL", "vault", "50.4", "49.9", "−0.5", "0", "−0.5", "−$73.70"]),
                row(&["AAPL", "broker", "100", "100", "0", "0", "0", "$0.00"]),
                row(&["TSLA", "transfer", "0", "20", "20", "20", "0", "$6,836.40"]),
            ],
        }],
        curves: vec![Curve { title: "Unexplained, all symbols".to_owned(), unit: "USD".to_owned(), points: drifts }],
    };
    of_run(occasion(), &told, &[drift(), tsla], Some(&digest))
}

pub(super) fn urgent() -> Rendered {
    let login = Condition {
        key: "health/login/schwab".to_owned(),
        class: "login over".to_owned(),
        leg: "schwab".to_owned(),
        severity: Severity::Critical,
        symbol: None,
        about: "login at schwab is over: nothing is hedged there".to_owned(),
        detail: "It was of 2026-11-13 16:02 ET and lasts seven days.".to_owned(),
        next: "hedge auth schwab".to_owned(),
        usd: None,
        quantity: None,
        ..drift()
    };
    of_urgent(Occasion { scope: "health", ..occasion() }, &[&notice(Kind::Escalated, login)]).unwrap()
}

pub(super) fn clear() -> Rendered {
    let digest = Digest {
        date: None,
        headline: "All clear: 4 symbols, 3 legs and cash are as they should be. Nothing to do.".to_owned(),
        subject: None,
        tables: Vec::new(),
        curves: Vec::new(),
    };
    of_run(occasion(), &[], &[], Some(&digest))
}

fn many() -> Rendered {
    let of = |symbol: &str| Condition {
        key: format!("break/{symbol}"),
        about: format!("{symbol} +100 (+$14,740.00) broker leg"),
        leg: "broker".to_owned(),
        severity: Severity::Critical,
        symbol: Some(symbol.to_owned()),
        ..drift()
    };
    let told = ["AAPL", "MSFT", "TSLA"].map(|symbol| notice(Kind::New, of(symbol)));
    of_urgent(occasion(), &told.iter().collect::<Vec<_>>()).unwrap()
}

fn sweep() -> Rendered {
    of_run(Occasion { scope: "health", run: None, ..occasion() }, &[notice(Kind::Over, drift())], &[], None)
}

#[test]
fn every_mail_reads_as_it_should() {
    for (name, mail) in [
        ("nightly", nightly()),
        ("urgent", urgent()),
        ("clear", clear()),
        ("many", many()),
        ("over", sweep()),
    ] {
        insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
            let text = format!("Subject: {}\n\n{}", mail.subject, mail.text);
            insta::assert_snapshot!(format!("mail_{name}_text"), text);
            insta::assert_snapshot!(format!("mail_{name}_html"), mail.html.replace("><", ">\n<"));
        });
    }
}

#[test]
fn a_mail_is_small_and_fetches_nothing() {
    for mail in [nightly(), urgent(), clear(), many(), sweep()] {
        assert!(mail.html.len() < 100 * 1024, "{} bytes", mail.html.len());
        assert!(!mail.html.contains("http"), "something is fetched");
        assert!(mail.pictures.iter().all(|picture| picture.png.len() < 60 * 1024 && !picture.alt.is_empty()));
    }
}

#[test]
fn a_thousand_open_ones_still_make_a_small_mail() {
    let open: Vec<Condition> =
        (0..1_000).map(|number| Condition { key: format!("break/{number}"), ..drift() }).collect();
    let mail = of_run(occasion(), &[], &open, None);
    assert!(mail.html.len() < 100 * 1024, "{} bytes", mail.html.len());
    assert!(mail.text.contains("and 960 more") && mail.subject.contains("1000 open"));
}

#[test]
fn what_others_said_is_never_markup_nor_a_second_header() {
    let evil = Condition {
        about: "AAPL\r\nBcc: everybody@example.com <b>".to_owned(),
        detail: "<script>alert(1)</script>".to_owned(),
        next: "\"><img src=http://x>".to_owned(),
        ..drift()
    };
    let mail = of_run(occasion(), &[notice(Kind::New, evil)], &[], None);
    assert!(!mail.subject.contains(['\r', '\n']), "{}", mail.subject);
    assert!(!mail.html.contains("<script>") && !mail.html.contains("<img src=http"), "{}", mail.html);
}
