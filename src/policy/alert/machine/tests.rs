//! Weeks of a condition, told as tables: when it was seen, how, and what was said.

use super::*;
use crate::policy::alert::Digest;

/// A time in New York: `Fri 20:30` of the week that begins with Monday 2026-11-16, `Mon+` of the next.
fn at(text: &str) -> Timestamp {
    let (day, clock) = text.split_once(' ').unwrap();
    let (day, weeks) = (day.trim_end_matches('+'), day.matches('+').count());
    let place = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].iter().position(|it| *it == day).unwrap();
    let monday = jiff::civil::date(2026, 11, 16);
    let date = (0..place + 7 * weeks).fold(monday, |date, _| date.tomorrow().unwrap());
    let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
    zone.to_timestamp(date.to_datetime(clock.parse().unwrap())).unwrap()
}

fn condition(usd: &str) -> Condition {
    Condition {
        key: "break/17".to_owned(),
        class: "UNEXPLAINED".to_owned(),
        leg: "vault".to_owned(),
        severity: Severity::Warning,
        symbol: Some("AAPL".to_owned()),
        about: "AAPL −0.5 (−$73.70) vault leg".to_owned(),
        detail: "Nothing explains it.".to_owned(),
        next: "hedge show breaks".to_owned(),
        usd: Some(Usd(usd.parse().unwrap())),
        quantity: None,
        since: at("Mon 20:30"),
        confirmed: true,
        acknowledged_until: None,
    }
}

/// Lets one condition live: what a run saw, and what was said of it.
fn life(nightly: bool, runs: &[(&str, Option<Condition>, &str)]) {
    let (rules, days) = (Rules::default(), BusinessDays::default());
    let mut kept = None;
    for (place, (when, seen, wanted)) in runs.iter().enumerate() {
        let look = Look { now: at(when), nightly, rules: &rules, days: &days };
        let (state, notice) = step(kept, seen.as_ref(), &look);
        let said = notice.map_or("", |notice| notice.kind.word());
        assert_eq!(said, *wanted, "run {place}, {when}");
        kept = state;
    }
}

#[expect(clippy::unnecessary_wraps, reason = "tables have it beside what was not seen")]
fn worth(usd: &str) -> Option<Condition> {
    Some(condition(usd))
}

#[test]
fn what_stays_as_it_is_is_told_once_a_business_day_and_its_end_once() {
    life(
        true,
        &[
            ("Mon 20:30", worth("-73.70"), "new"),
            ("Mon 21:30", worth("-73.70"), ""),
            ("Tue 20:30", worth("-73.70"), "still open"),
            ("Wed 20:30", worth("-73.70"), "escalated"),
            ("Thu 20:30", worth("-73.70"), "still open"),
            ("Fri 20:30", None, "over"),
            ("Mon+ 20:30", None, ""),
            ("Tue+ 20:30", worth("-73.70"), "new"),
        ],
    );
}

#[test]
fn a_weekend_reminds_nobody_and_escalates_nothing() {
    life(
        true,
        &[
            ("Fri 20:30", worth("100"), "new"),
            ("Sat 20:30", worth("100"), ""),
            ("Sun 20:30", worth("100"), ""),
            ("Mon+ 20:29", worth("100"), ""),
            ("Mon+ 20:30", worth("100"), "still open"),
            // Thursday is Thanksgiving.
            ("Tue+ 20:30", worth("100"), "escalated"),
            ("Wed+ 20:30", worth("100"), "still open"),
            ("Thu+ 20:30", worth("100"), ""),
            ("Fri+ 20:29", worth("100"), ""),
            ("Fri+ 20:30", worth("100"), "still open"),
        ],
    );
}

#[test]
fn what_flaps_around_the_threshold_is_told_once() {
    // Told of from 25 dollars on, over below 12.50 for three sweeps.
    life(
        false,
        &[
            ("Mon 10:00", worth("24.99"), ""),
            ("Mon 10:01", worth("25.00"), "new"),
            ("Mon 10:02", worth("24.00"), ""),
            ("Mon 10:03", worth("26.00"), ""),
            ("Mon 10:04", worth("12.50"), ""),
            ("Mon 10:05", worth("12.49"), ""),
            ("Mon 10:06", None, ""),
            ("Mon 10:07", worth("13"), ""),
            ("Mon 10:08", None, ""),
            ("Mon 10:09", None, ""),
            ("Mon 10:10", None, "over"),
            ("Mon 10:11", None, ""),
            ("Mon 10:12", worth("24.99"), ""),
        ],
    );
}

#[test]
fn what_was_seen_once_is_told_when_it_is_seen_again_a_minute_later() {
    let blink = Some(Condition { confirmed: false, ..condition("100") });
    life(
        false,
        &[
            ("Mon 10:00:00", blink.clone(), ""),
            ("Mon 10:00:59", blink.clone(), ""),
            ("Mon 10:01:00", blink.clone(), "new"),
        ],
    );
    life(false, &[("Mon 10:00", blink.clone(), ""), ("Mon 10:01", None, ""), ("Mon 10:02", blink, "")]);
}

#[test]
fn a_change_is_told_from_a_quarter_and_from_the_threshold_on() {
    life(
        true,
        &[
            ("Mon 20:30", worth("200"), "new"),
            ("Mon 20:31", worth("249.99"), ""),
            ("Mon 20:32", worth("250"), "changed"),
            ("Mon 20:33", worth("187.51"), ""),
            ("Mon 20:34", worth("187.50"), "changed"),
            ("Mon 20:35", worth("-187.50"), "changed"),
            ("Mon 20:36", Some(Condition { class: "STUCK".to_owned(), ..condition("-187.50") }), "changed"),
            ("Mon 20:37", Some(Condition { class: "STUCK".to_owned(), ..condition("-187.50") }), ""),
        ],
    );
    life(
        true,
        &[
            // A quarter of 30 is not worth a word.
            ("Mon 20:30", worth("30"), "new"),
            ("Mon 20:31", worth("54.99"), ""),
            ("Mon 20:32", worth("55"), "changed"),
        ],
    );
}

#[test]
fn what_matters_more_than_it_did_is_told_at_once_and_what_matters_less_is_not() {
    let critical = Some(Condition { severity: Severity::Critical, ..condition("100") });
    life(
        true,
        &[
            ("Mon 20:30", worth("100"), "new"),
            ("Mon 20:31", critical, "changed"),
            ("Mon 20:32", worth("100"), ""),
        ],
    );
}

#[test]
fn who_knows_hears_no_more_until_then_but_of_another_thing_and_of_its_end() {
    let until = Some(at("Thu 20:30"));
    let known = |usd: &str| Some(Condition { acknowledged_until: until, ..condition(usd) });
    let another =
        Some(Condition { class: "STUCK".to_owned(), acknowledged_until: until, ..condition("100") });
    life(
        true,
        &[
            ("Mon 20:30", worth("100"), "new"),
            ("Tue 20:30", known("100"), ""),
            ("Wed 20:30", known("200"), ""),
            ("Wed 20:31", another, "changed"),
            ("Thu 20:30", known("100"), "changed"),
            ("Thu 20:31", None, "over"),
        ],
    );
    life(true, &[("Mon 20:30", known("100"), ""), ("Fri 20:30", known("100"), "new")]);
}

#[test]
fn after_two_days_of_silence_one_word_is_said_not_two() {
    life(
        true,
        &[
            ("Mon 20:30", worth("100"), "new"),
            // Nothing ran on Tuesday and Wednesday.
            ("Thu 20:30", worth("100"), "escalated"),
            ("Thu 20:31", worth("100"), ""),
            ("Fri 20:30", worth("100"), "still open"),
        ],
    );
    // Sweeps that come back after a night need not be three to know that it is over.
    life(false, &[("Mon 20:30", worth("100"), "new"), ("Thu 20:30", None, "over")]);
}

#[test]
fn what_is_only_good_to_know_is_told_and_then_left_alone() {
    let info = Some(Condition { severity: Severity::Info, ..condition("100") });
    life(
        true,
        &[
            ("Mon 20:30", info.clone(), "new"),
            ("Tue 20:30", info.clone(), ""),
            ("Fri 20:30", info, ""),
            ("Fri 20:31", None, "over"),
        ],
    );
}

#[test]
fn r39_what_is_low_is_told_once_again_after_twelve_hours_and_its_end_at_once() {
    let low = Some(Condition { class: "low".to_owned(), usd: None, ..condition("0") });
    life(
        false,
        &[
            ("Mon 10:00", low.clone(), "new"),
            ("Mon 10:05", low.clone(), ""),
            ("Mon 21:59", low.clone(), ""),
            ("Mon 22:00", low.clone(), "still open"),
            ("Mon 22:05", None, "over"),
            ("Mon 22:10", None, ""),
            ("Sat 10:00", low.clone(), "new"),
            ("Sat 22:00", low, "still open"),
        ],
    );
}

#[test]
fn shares_are_counted_where_no_dollars_are_known_and_dollars_are_never_counted_as_shares() {
    let of = |usd: Option<&str>, quantity: &str, symbol: Option<&str>| Condition {
        usd: usd.map(|usd| Usd(usd.parse().unwrap())),
        quantity: Some(Shares(quantity.parse().unwrap())),
        symbol: symbol.map(str::to_owned),
        ..condition("0")
    };
    life(true, &[("Mon 20:30", Some(of(None, "0.24", Some("AAPL"))), "")]);
    life(true, &[("Mon 20:30", Some(of(None, "-0.25", Some("AAPL"))), "new")]);
    life(true, &[("Mon 20:30", Some(of(Some("1.20"), "0.25", Some("PENNY"))), "new")]);
    life(true, &[("Mon 20:30", Some(of(Some("-0.30"), "-0.30", None)), "")]);
}

fn seen(when: &str, conditions: Vec<Condition>, unknown: &[&str]) -> Seen {
    Seen {
        scope: "reconcile".to_owned(),
        run: None,
        at: at(when),
        conditions,
        unknown: unknown.iter().map(|leg| (*leg).to_owned()).collect(),
        digest: Some(Digest {
            date: None,
            headline: String::new(),
            subject: None,
            tables: Vec::new(),
            curves: Vec::new(),
        }),
    }
}

#[test]
fn a_leg_that_is_unknown_is_said_once_and_what_is_open_of_it_stays_as_it_is() {
    let (rules, days) = (Rules::default(), BusinessDays::default());
    let broker = Condition { key: "break/18".to_owned(), leg: "broker".to_owned(), ..condition("80") };
    let mut kept = Vec::new();
    let mut run = |seen: Seen| {
        let taken = take_up(std::mem::take(&mut kept), &seen, &rules, &days);
        kept = taken.states;
        let said = taken.notices.iter().map(|it| format!("{} {}", it.condition.key, it.kind.word()));
        said.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(run(seen("Mon 20:30", vec![condition("80")], &[])), "break/17 new");
    // The vault's nodes are away: its break is neither over nor new, and a new one of it is not judged.
    let new = Condition { key: "break/19".to_owned(), ..condition("900") };
    let dark = seen("Mon 20:40", vec![new.clone(), broker.clone()], &["vault"]);
    assert_eq!(run(dark), "break/18 new, unknown/reconcile/vault new");
    assert_eq!(run(seen("Tue 20:20", vec![broker.clone()], &["vault"])), "");
    assert_eq!(
        run(seen("Tue 20:40", vec![broker.clone()], &["vault"])),
        "break/18 still open, unknown/reconcile/vault still open",
        "what is muted reminds nobody"
    );
    let back = seen("Wed 20:40", vec![condition("80"), new, broker], &[]);
    assert_eq!(
        run(back),
        "break/17 escalated, break/18 escalated, break/19 new, unknown/reconcile/vault over"
    );
}

#[test]
fn a_leg_that_a_sweep_could_not_ask_once_is_not_worth_a_word() {
    let (rules, days) = (Rules::default(), BusinessDays::default());
    let sweep = |when| Seen { digest: None, ..seen(when, Vec::new(), &["broker"]) };
    let first = take_up(Vec::new(), &sweep("Mon 10:00"), &rules, &days);
    assert_eq!(first.notices, []);
    let second = take_up(first.states, &sweep("Mon 10:01"), &rules, &days);
    assert_eq!(second.notices.len(), 1);
    assert_eq!(second.notices[0].condition.since, at("Mon 10:00"), "since it was first away");
}

#[test]
fn what_has_one_cause_makes_one_thread() {
    let (rules, days) = (Rules::default(), BusinessDays::default());
    let critical = |key: u32, leg: &str| Condition {
        key: format!("break/{key}"),
        leg: leg.to_owned(),
        severity: Severity::Critical,
        ..condition("5000")
    };
    let conditions =
        vec![critical(1, "broker"), critical(2, "broker"), critical(3, "broker"), critical(4, "vault")];
    let taken = take_up(Vec::new(), &seen("Mon 20:30", conditions, &[]), &rules, &days);
    let sizes: Vec<usize> = threads(&taken.notices).iter().map(Vec::len).collect();
    assert_eq!(sizes, [3, 1]);
    assert!(
        threads(&take_up(Vec::new(), &seen("Mon 20:30", vec![condition("80")], &[]), &rules, &days).notices)
            .is_empty()
    );
}

#[test]
fn a_run_that_is_made_again_says_nothing_again() {
    let (rules, days) = (Rules::default(), BusinessDays::default());
    let run = seen("Mon 20:30", vec![condition("80")], &["broker"]);
    let first = take_up(Vec::new(), &run, &rules, &days);
    let again = take_up(first.states.clone(), &run, &rules, &days);
    assert_eq!(again, Taken { notices: Vec::new(), ..first });
}
