//! The worked examples, number for number (`accounting.md` A.6).
//!
//! World `W0`: opening broker 100 AAPL and $20000.00, vault 50 tokens and 10000 USDC; then
//! seven trades, after which all is as [`clean`] has it. The mark is 147.40.

use jiff::civil::date;

use super::{
    explain::Class,
    inputs::{
        Announced, Answer, Balance, Cut, Identity, Inputs, Kind, Leg, LogMove, Mark, Movement, Order,
        Position, Ratio, Trade, Transfer,
    },
    *,
};

fn much(text: &str) -> Amount {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    format!("2026-11-17T{text}Z").parse().unwrap()
}

fn leg(kind: Kind) -> Leg {
    match kind {
        Kind::Vault => Leg::new(Kind::Vault, "raindex/0xa/0x1", "AAPL"),
        Kind::Broker => Leg::new(Kind::Broker, "alpaca", "AAPL"),
        Kind::Cash => Leg::new(Kind::Cash, "alpaca", "USD"),
        Kind::Wallet | Kind::Transit | Kind::Wrapper => panic!("not of W0"),
    }
}

fn usdc() -> Leg {
    Leg::new(Kind::Vault, "raindex/0xb/0x1", "USDC")
}

fn balance(leg: Leg, amount: &str) -> Balance {
    Balance { leg, amount: much(amount) }
}

fn clean() -> Inputs {
    let mut inputs = Inputs::new("w0", date(2026, 11, 17), at("21:30:00"));
    inputs.cuts = vec![
        Cut { source: "alpaca".into(), at: at("21:29:58"), block: None, answer: Answer::Whole },
        Cut {
            source: "raindex".into(),
            at: at("21:29:00"),
            block: Some((23_100_500, "0xb".into())),
            answer: Answer::Whole,
        },
    ];
    inputs.reported = vec![
        balance(leg(Kind::Broker), "100"),
        balance(leg(Kind::Vault), "50.4"),
        balance(usdc(), "9943.95"),
        balance(leg(Kind::Cash), "20000.50"),
    ];
    inputs.booked = inputs.reported.clone();
    inputs.told_whole.insert("alpaca".into());
    inputs.marks = vec![Mark { symbol: "AAPL".into(), price: Price::of(much("147.40")).unwrap() }];
    inputs.positions = vec![Position {
        symbol: "AAPL".into(),
        net: much("0.4"),
        pending: Amount::ZERO,
        threshold: Amount::ONE,
        why: None,
        oldest: Some(at("21:28:00")),
        parts: vec![("ONCHAIN:5 at 147.50".into(), much("0.4"))],
    }];
    inputs.identities = vec![identity("150.4")];
    inputs
}

fn identity(held: &str) -> Identity {
    Identity {
        of: "AAPL".into(),
        held: vec![("broker".into(), much("100")), ("vault".into(), much(held).minus(much("100")).unwrap())],
        owed: vec![("opening".into(), much("150")), ("traded".into(), much("0.4"))],
        tolerance: Amount::ZERO,
    }
}

/// What the source says instead.
fn report(inputs: &mut Inputs, leg: &Leg, amount: &str) {
    inputs.reported.retain(|one| one.leg != *leg);
    inputs.reported.push(balance(leg.clone(), amount));
}

/// What our books say instead.
fn book(inputs: &mut Inputs, leg: &Leg, amount: &str) {
    inputs.booked.retain(|one| one.leg != *leg);
    inputs.booked.push(balance(leg.clone(), amount));
}

fn order(id: &str, quantity: &str, filled: &str, open: bool) -> Order {
    Order {
        account: "alpaca".into(),
        id: id.into(),
        broker_ids: vec![format!("b-{id}")],
        symbol: "AAPL".into(),
        quantity: much(quantity),
        filled: Some(much(filled)),
        open,
        since: at("14:03:58"),
    }
}

fn trade(id: &str, order: Option<&str>, quantity: &str, cash: &str) -> Trade {
    Trade {
        account: "alpaca".into(),
        at: at("14:04:00"),
        id: id.into(),
        order: order.map(|order| format!("b-{order}")),
        ours: order.is_some(),
        symbol: "AAPL".into(),
        quantity: much(quantity),
        cash: much(cash),
    }
}

fn activity(id: &str, kind: &str, symbol: Option<&str>, quantity: &str, cash: &str) -> Movement {
    Movement {
        account: "alpaca".into(),
        date: date(2026, 11, 16),
        id: id.into(),
        kind: kind.into(),
        symbol: symbol.map(Into::into),
        quantity: much(quantity),
        cash: much(cash),
        transfer: None,
    }
}

/// Expected, reported, residual, explained and unexplained of a leg.
fn row(findings: &Findings, leg: &Leg) -> [String; 5] {
    let found = findings.legs.iter().find(|one| one.leg == *leg).unwrap();
    assert_eq!(found.residual, found.explained.plus(found.unexplained).unwrap());
    assert_eq!(found.residual, found.reported.minus(found.expected).unwrap());
    [found.expected, found.reported, found.residual, found.explained, found.unexplained]
        .map(|one| one.to_string())
}

fn told(findings: &Findings) -> Vec<(Class, String, &str)> {
    let explanation = |one: &Explanation| (one.class, one.amount.to_string());
    let pairs = findings.explanations.iter();
    pairs.map(|one| (explanation(one).0, explanation(one).1, one.refs.first().unwrap().as_str())).collect()
}

#[test]
fn example_1_clean_is_balanced_and_its_exposure_is_one_small_lot() {
    let findings = judge(&clean()).unwrap();
    assert!(findings.legs.iter().all(|leg| leg.residual.is_zero()));
    assert_eq!((findings.explanations.len(), findings.sightings.len(), findings.is_complete()), (0, 0, true));
    let [exposed] = &findings.exposed[..] else { panic!() };
    assert_eq!(exposed.left, much("0.4"));
    assert!(exposed.within && exposed.is_accounted_for());
    assert_eq!(exposed.value.unwrap().to_string(), "58.96");
    assert_eq!(exposed.parts, [("ONCHAIN:5 at 147.50".to_owned(), much("0.4"))]);
}

#[test]
fn example_2_an_order_in_flight_explains_what_the_broker_is_ahead_by() {
    let mut inputs = clean();
    inputs.told_whole.clear();
    report(&mut inputs, &leg(Kind::Broker), "101");
    inputs.orders = vec![order("o-77", "1", "1", true)];
    inputs.positions[0] = Position { net: much("-1.1"), pending: much("1"), ..inputs.positions[0].clone() };
    let findings = judge(&inputs).unwrap();
    assert_eq!(row(&findings, &leg(Kind::Broker)), ["100", "101", "1", "1", "0"]);
    assert_eq!(told(&findings), [(Class::InFlightOrder, "1".into(), "order/alpaca/o-77")]);
    assert_eq!(findings.explanations[0].deadline, Some(at("14:18:58")));
    assert_eq!((findings.exposed[0].left, findings.exposed[0].within), (much("-0.1"), true));
}

#[test]
fn example_3_a_partly_filled_order_explains_its_part() {
    let mut inputs = clean();
    inputs.told_whole.clear();
    report(&mut inputs, &leg(Kind::Broker), "100.4");
    inputs.orders = vec![order("o-77", "1", "0.4", true)];
    let findings = judge(&inputs).unwrap();
    assert_eq!(row(&findings, &leg(Kind::Broker)), ["100", "100.4", "0.4", "0.4", "0"]);
    assert_eq!(told(&findings), [(Class::InFlightOrder, "0.4".into(), "order/alpaca/o-77")]);
}

fn sold_half() -> LogMove {
    LogMove {
        block: 23_100_441,
        id: "8453:0x9c:12".into(),
        moves: vec![balance(leg(Kind::Vault), "-0.5"), balance(usdc(), "73.75")],
        said: "SELL 0.5 AAPL for 73.75".into(),
    }
}

#[test]
fn example_4_a_missing_fill_explains_tokens_and_dollars_exactly_and_is_to_be_read_again() {
    let mut inputs = clean();
    report(&mut inputs, &leg(Kind::Vault), "49.9");
    report(&mut inputs, &usdc(), "10017.70");
    inputs.missing = vec![sold_half()];
    let findings = judge(&inputs).unwrap();
    assert_eq!(row(&findings, &leg(Kind::Vault)), ["50.4", "49.9", "-0.5", "-0.5", "0"]);
    assert_eq!(row(&findings, &usdc()), ["9943.95", "10017.7", "73.75", "73.75", "0"]);
    let refs = "8453:0x9c:12";
    assert_eq!(
        told(&findings),
        [(Class::MissingOnchainFill, "-0.5".into(), refs), (Class::MissingOnchainFill, "73.75".into(), refs)]
    );
    assert_eq!(findings.missing, [(refs.to_owned(), 23_100_441)]);
    // Once it is booked all is balanced, and 0.1 stands open.
    book(&mut inputs, &leg(Kind::Vault), "49.9");
    book(&mut inputs, &usdc(), "10017.70");
    inputs.missing.clear();
    inputs.positions[0].net = much("-0.1");
    let findings = judge(&inputs).unwrap();
    assert_eq!((findings.sightings.len(), findings.exposed[0].left), (0, much("-0.1")));
}

#[test]
fn example_4b_a_fill_that_only_one_leg_bears_out_explains_neither() {
    for (token, dollars) in [("49.9", "9943.95"), ("50.4", "10017.70"), ("50.9", "9900")] {
        let mut inputs = clean();
        report(&mut inputs, &leg(Kind::Vault), token);
        report(&mut inputs, &usdc(), dollars);
        inputs.missing = vec![sold_half()];
        let findings = judge(&inputs).unwrap();
        assert_eq!(findings.explanations, [], "{token} {dollars}");
        assert!(findings.sightings.iter().all(|one| one.class == Class::Unexplained));
        assert!(findings.legs.iter().flat_map(|leg| &leg.candidates).any(|one| one.contains("0x9c:12")));
        assert_eq!(findings.missing.len(), 1, "it is to be read again all the same");
    }
}

#[test]
fn example_4d_what_hides_a_fill_in_one_leg_is_left_over_where_the_other_comes_out_to_the_last_digit() {
    let mut inputs = clean();
    report(&mut inputs, &leg(Kind::Vault), "50.6");
    report(&mut inputs, &usdc(), "10017.70");
    inputs.missing = vec![sold_half()];
    let findings = judge(&inputs).unwrap();
    assert_eq!(row(&findings, &leg(Kind::Vault)), ["50.4", "50.6", "0.2", "-0.5", "0.7"]);
    assert_eq!(row(&findings, &usdc())[4], "0");
}

#[test]
fn example_4c_a_fill_that_the_chain_took_back_is_explained_by_its_log() {
    let mut inputs = clean();
    book(&mut inputs, &leg(Kind::Vault), "49.9");
    book(&mut inputs, &usdc(), "10017.70");
    inputs.stray = vec![sold_half()];
    let findings = judge(&inputs).unwrap();
    assert_eq!(row(&findings, &leg(Kind::Vault)), ["49.9", "50.4", "0.5", "0.5", "0"]);
    assert_eq!(row(&findings, &usdc()), ["10017.7", "9943.95", "-73.75", "-73.75", "0"]);
    assert!(told(&findings).iter().all(|(class, _, _)| *class == Class::ReorgedFill));
}

#[test]
fn example_5_what_is_booked_twice_is_found_by_its_order() {
    let mut inputs = clean();
    book(&mut inputs, &leg(Kind::Broker), "99");
    book(&mut inputs, &leg(Kind::Cash), "20149.50");
    inputs.orders = vec![order("o-78", "-1", "-1", false)];
    let once = trade("OFFCHAIN:2", Some("o-78"), "-1", "149.00");
    inputs.trades = vec![once.clone(), Trade { id: "OFFCHAIN:2b".into(), ..once.clone() }];
    inputs.told = vec![once.clone()];
    let findings = judge(&inputs).unwrap();
    assert_eq!(row(&findings, &leg(Kind::Broker)), ["99", "100", "1", "1", "0"]);
    assert_eq!(row(&findings, &leg(Kind::Cash)), ["20149.5", "20000.5", "-149", "-149", "0"]);
    assert!(told(&findings).iter().all(|(class, _, name)| {
        *class == Class::DuplicateInLedger && *name == "execution/alpaca/OFFCHAIN:2b/twice"
    }));
    // The same key twice is the same.
    inputs.trades = vec![once.clone(), once];
    let findings = judge(&inputs).unwrap();
    assert!(told(&findings).iter().all(|(class, _, _)| *class == Class::DuplicateInLedger));
    assert_eq!((findings.unexplained(), findings.sightings.len()), (0, 1));
}

#[test]
fn example_6_one_order_with_two_quantities_is_a_quantity_break() {
    let mut inputs = clean();
    inputs.told_whole.clear();
    report(&mut inputs, &leg(Kind::Broker), "100.1");
    inputs.orders = vec![order("o-81", "-1", "-0.9", false)];
    inputs.trades = vec![trade("OFFCHAIN:3", Some("o-81"), "-1", "149.00")];
    let findings = judge(&inputs).unwrap();
    assert_eq!(row(&findings, &leg(Kind::Broker)), ["100", "100.1", "0.1", "0.1", "0"]);
    assert_eq!(told(&findings), [(Class::Quantity, "0.1".into(), "order/alpaca/o-81")]);
}

#[test]
fn example_7_one_trade_at_two_prices_is_a_cash_break() {
    let mut inputs = clean();
    report(&mut inputs, &leg(Kind::Cash), "20000.20");
    inputs.orders = vec![order("o-80", "1", "1", false)];
    inputs.trades = vec![trade("OFFCHAIN:1", Some("o-80"), "1", "-148.50")];
    inputs.told = vec![trade("OFFCHAIN:1", Some("o-80"), "1", "-148.80")];
    let findings = judge(&inputs).unwrap();
    assert_eq!(row(&findings, &leg(Kind::Broker)), ["100", "100", "0", "0", "0"]);
    assert_eq!(row(&findings, &leg(Kind::Cash)), ["20000.5", "20000.2", "-0.3", "-0.3", "0"]);
    assert_eq!(told(&findings), [(Class::PriceOrCash, "-0.3".into(), "execution/alpaca/OFFCHAIN:1")]);
}

#[test]
fn example_7b_half_a_cent_a_fill_is_rounding_and_no_more() {
    let mut inputs = clean();
    inputs.rounded.insert("alpaca".into(), 2);
    report(&mut inputs, &leg(Kind::Cash), "20000.51");
    let findings = judge(&inputs).unwrap();
    assert_eq!(row(&findings, &leg(Kind::Cash)), ["20000.5", "20000.51", "0.01", "0.01", "0"]);
    assert_eq!((findings.explanations[0].tolerated, findings.sightings.len()), (true, 0));
    report(&mut inputs, &leg(Kind::Cash), "20000.510001");
    assert_eq!(judge(&inputs).unwrap().unexplained(), 1);
}

fn netflix(reported: &str) -> Inputs {
    let mut inputs = clean();
    let leg = Leg::new(Kind::Broker, "alpaca", "NFLX");
    report(&mut inputs, &leg, reported);
    book(&mut inputs, &leg, "10");
    inputs
}

#[test]
fn example_8_a_split_is_explained_by_its_activity_or_announcement_and_else_a_candidate() {
    let leg = Leg::new(Kind::Broker, "alpaca", "NFLX");
    let mut inputs = netflix("40");
    inputs.movements = vec![activity("SPLIT-1", "split", Some("NFLX"), "30", "0")];
    let findings = judge(&inputs).unwrap();
    assert_eq!(row(&findings, &leg), ["10", "40", "30", "30", "0"]);
    assert_eq!(told(&findings), [(Class::CorporateAction, "30".into(), "activity/alpaca/SPLIT-1")]);

    let announced = Announced {
        id: "ca-7".into(),
        symbol: "NFLX".into(),
        ex_date: date(2026, 11, 17),
        new: much("4"),
        old: much("1"),
    };
    // With the activity told as well, it is one split.
    inputs.announced = vec![announced.clone()];
    assert_eq!(judge(&inputs).unwrap().explanations.len(), 1);
    inputs.movements.clear();
    let findings = judge(&inputs).unwrap();
    assert_eq!(told(&findings), [(Class::CorporateAction, "30".into(), "action/ca-7/alpaca")]);
    // It is exactly that, or nothing.
    report(&mut inputs, &leg, "39");
    assert_eq!(judge(&inputs).unwrap().explanations, []);
    // The ratio alone is no evidence.
    let findings = judge(&netflix("40")).unwrap();
    assert_eq!(row(&findings, &leg), ["10", "40", "30", "0", "30"]);
    let candidates = &findings.legs.iter().find(|one| one.leg == leg).unwrap().candidates;
    assert_eq!(candidates[..], ["40 is 4:1 of 10: a split that nobody announced?"]);
}

#[test]
fn example_9_a_wrapper_that_is_worth_more_is_income_and_no_break() {
    let mut inputs = clean();
    inputs.ratios = vec![Ratio {
        source: "raindex".into(),
        token: "0xa".into(),
        symbol: "AAPL".into(),
        held: much("12"),
        was: (much("1.0083"), 23_000_000),
        is: (much("1.0100"), 23_100_500),
    }];
    let findings = judge(&inputs).unwrap();
    let leg = Leg::new(Kind::Wrapper, "raindex/0xa", "AAPL");
    assert_eq!(row(&findings, &leg), ["12.0996", "12.12", "0.0204", "0.0204", "0"]);
    assert_eq!(told(&findings), [(Class::NavAccrual, "0.0204".into(), "ratio/0xa/23000000-23100500")]);
    assert_eq!(findings.sightings, []);
    assert_eq!(much("-1.5").times_toward_zero(much("1.0083")), Some(much("-1.51245")));
}

#[test]
fn example_10_a_transfer_under_way_is_in_no_residual_and_has_a_deadline() {
    let mut inputs = clean();
    for (leg, amount) in [(leg(Kind::Broker), "80"), (leg(Kind::Vault), "50")] {
        report(&mut inputs, &leg, amount);
        book(&mut inputs, &leg, amount);
    }
    let transfer = Transfer {
        id: "mint-3".into(),
        instrument: "AAPL".into(),
        quantity: much("20"),
        deadline: at("15:00:00"),
    };
    inputs.transfers = vec![transfer];
    inputs.identities = vec![Identity {
        of: "AAPL".into(),
        held: vec![
            ("broker".into(), much("80")),
            ("vault".into(), much("50")),
            ("transit".into(), much("20")),
        ],
        owed: vec![("opening".into(), much("150"))],
        tolerance: Amount::ZERO,
    }];
    let findings = judge(&inputs).unwrap();
    assert_eq!(findings.unexplained(), 0);
    for leg in [leg(Kind::Broker), leg(Kind::Vault)] {
        assert_eq!(row(&findings, &leg)[2], "0");
    }
    let [sighting] = &findings.sightings[..] else { panic!() };
    assert_eq!((sighting.class, sighting.deadline), (Class::TransferInFlight, Some(at("15:00:00"))));
    // Past it, it is stuck.
    let known = BTreeMap::from([(sighting.key, breaks::Break::opened(sighting, at("14:03:00")))]);
    let known =
        breaks::fold(known, &[(sighting.key, breaks::Event::Explained)], &findings.sightings, at("14:03:00"))
            .unwrap();
    let day = (at("15:01:00"), date(2026, 11, 17));
    let news = breaks::news(&known, &findings.sightings, |_| true, day, &inputs.calendar);
    assert_eq!(news, [(sighting.key, breaks::Event::Stuck)]);
    let known = breaks::fold(known, &news, &findings.sightings, day.0).unwrap();
    assert_eq!(known.values().next().unwrap().class_word(), "TRANSFER_STUCK");
}

#[test]
fn example_11_a_fee_that_is_not_booked_yet_explains_its_cents() {
    let mut inputs = clean();
    report(&mut inputs, &leg(Kind::Cash), "20000.48");
    inputs.movements = vec![activity("FEE-1", "regulatory", None, "0", "-0.02")];
    let findings = judge(&inputs).unwrap();
    assert_eq!(row(&findings, &leg(Kind::Cash)), ["20000.5", "20000.48", "-0.02", "-0.02", "0"]);
    assert_eq!(told(&findings), [(Class::FeeTiming, "-0.02".into(), "activity/alpaca/FEE-1")]);
    // Once it is booked it explains nothing any more.
    book(&mut inputs, &leg(Kind::Cash), "20000.48");
    inputs.settled.insert("activity/alpaca/FEE-1".into());
    assert_eq!(judge(&inputs).unwrap().explanations, []);
}

#[test]
fn example_12_two_causes_are_found_in_one_residual() {
    let mut inputs = clean();
    report(&mut inputs, &leg(Kind::Broker), "100.4");
    inputs.told_whole.clear();
    inputs.orders = vec![order("o-90", "1", "1", true)];
    inputs.movements = vec![activity("A-5", "shares", Some("AAPL"), "-0.6", "0")];
    let findings = judge(&inputs).unwrap();
    assert_eq!(row(&findings, &leg(Kind::Broker)), ["100", "100.4", "0.4", "0.4", "0"]);
    assert_eq!(
        told(&findings),
        [
            (Class::InFlightOrder, "1".into(), "order/alpaca/o-90"),
            (Class::ExternalActivity, "-0.6".into(), "activity/alpaca/A-5")
        ]
    );
}

#[test]
fn example_13_an_equal_amount_is_a_candidate_and_nothing_more() {
    let mut inputs = clean();
    report(&mut inputs, &leg(Kind::Broker), "100.25");
    inputs.orders = vec![order("o-60", "0.25", "0.25", false)];
    inputs.trades = vec![trade("OFFCHAIN:9", Some("o-60"), "0.25", "-36.85")];
    inputs.told = inputs.trades.clone();
    let findings = judge(&inputs).unwrap();
    assert_eq!(row(&findings, &leg(Kind::Broker)), ["100", "100.25", "0.25", "0", "0.25"]);
    let found = findings.legs.iter().find(|one| one.leg == leg(Kind::Broker)).unwrap();
    assert_eq!(found.candidates[..], ["execution/alpaca/OFFCHAIN:9 is as large, and booked"]);
    assert_eq!(Shares(found.unexplained).at(found.price.unwrap()).unwrap().to_string(), "36.85");
    assert_eq!(findings.sightings[0].class, Class::Unexplained);
}

#[test]
fn example_14_a_source_that_does_not_answer_whole_is_not_judged() {
    let mut inputs = clean();
    inputs.cuts[0].answer = Answer::Unknown("positions answered 502 twice".into());
    inputs.reported.retain(|one| one.leg.source() != "alpaca");
    inputs.movements = vec![activity("A-5", "shares", Some("AAPL"), "-0.6", "0")];
    let findings = judge(&inputs).unwrap();
    assert_eq!(findings.unknown, [("alpaca".to_owned(), "positions answered 502 twice".to_owned())]);
    assert!(findings.legs.iter().all(|one| one.leg.source() == "raindex"));
    assert_eq!((findings.sightings.len(), findings.explanations.len()), (0, 0));
    assert!(!findings.is_complete());
}

#[test]
fn example_15_a_ledger_that_contradicts_itself_is_not_judged_at_all() {
    let mut inputs = clean();
    inputs.identities = vec![identity("150.5")];
    let error = judge(&inputs).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the ledger contradicts itself: AAPL is off by 0.1: held broker 100 + vault 50.5 = 150.5, owed opening 150 + traded 0.4 = 150.4"
    );
}

#[test]
fn a_share_that_no_complete_list_names_is_nought() {
    let mut inputs = clean();
    inputs.reported.retain(|one| one.leg != leg(Kind::Broker));
    assert_eq!(row(&judge(&inputs).unwrap(), &leg(Kind::Broker)), ["100", "0", "-100", "0", "-100"]);
}

#[test]
fn equal_inputs_in_any_order_come_to_one_digest_and_findings() {
    let mut inputs = clean();
    report(&mut inputs, &leg(Kind::Broker), "100.4");
    inputs.movements = vec![
        activity("A-5", "shares", Some("AAPL"), "0.3", "0"),
        activity("A-6", "shares", Some("AAPL"), "0.1", "0"),
    ];
    let one = inputs.clone().sorted();
    inputs.reported.reverse();
    inputs.movements.reverse();
    let other = inputs.sorted();
    assert_eq!(digest(&one), digest(&other));
    assert_eq!(digest(&judge(&one).unwrap()), digest(&judge(&other).unwrap()));
    // And they are what they were after they were kept.
    let kept: Inputs = serde_json::from_slice(&serde_json::to_vec(&one).unwrap()).unwrap();
    assert_eq!((&kept, digest(&kept)), (&one, digest(&one)));
}

#[test]
fn exposure_beyond_the_threshold_is_accounted_for_only_by_a_reason_with_its_start() {
    let mut inputs = clean();
    inputs.positions[0].net = much("-1");
    assert!(!judge(&inputs).unwrap().exposed[0].is_accounted_for());
    inputs.positions[0].why = Some(("market closed".into(), at("21:00:00")));
    assert!(judge(&inputs).unwrap().exposed[0].is_accounted_for());
}
