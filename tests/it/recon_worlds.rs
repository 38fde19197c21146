//! Seeded worlds: a true world, perfect views of it, and so many faults whose truth is known (`accounting.md` A.8).
//!
//! `cargo test --test it recon_worlds -- --nocapture` prints the confusion matrix.

use std::collections::{BTreeMap, BTreeSet};

use hedge::{
    book::recon::{
        self, Findings,
        breaks::{self, Break, State},
        explain::Class,
        inputs::{
            Answer, Balance, Cut, Identity, Inputs, Kind, Leg, LogMove, Mark, Movement, Order, Position,
            Ratio, Trade, Transfer,
        },
    },
    units::{Amount, Price},
};
use jiff::{Timestamp, civil::date};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

const SYMBOLS: [&str; 4] = ["AAPL", "TSLA", "NFLX", "SPYM"];
const ACCOUNT: &str = "alpaca";
const SOURCE: &str = "raindex";

fn much(atoms: i128) -> Amount {
    Amount::from_atoms(atoms).unwrap()
}

fn cents(cents: i64) -> Amount {
    much(i128::from(cents) * 10_000_000_000_000_000)
}

fn milli(milli: i64) -> Amount {
    much(i128::from(milli) * 1_000_000_000_000_000)
}

fn sum(one: Amount, other: Amount) -> Amount {
    one.plus(other).unwrap()
}

fn now() -> Timestamp {
    "2026-11-18T01:30:00Z".parse().unwrap()
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(1_763_000_000 + second).unwrap()
}

fn vault(symbol: &str) -> Leg {
    Leg::new(Kind::Vault, format!("{SOURCE}/{symbol}"), symbol)
}

fn dollars(symbol: &str) -> Leg {
    Leg::new(Kind::Vault, format!("{SOURCE}/usdc-{symbol}"), "USDC")
}

fn shares(symbol: &str) -> Leg {
    Leg::new(Kind::Broker, ACCOUNT, symbol)
}

fn cash() -> Leg {
    Leg::new(Kind::Cash, ACCOUNT, "USD")
}

/// What truly happened.
#[derive(Clone, Default)]
struct World {
    opening: BTreeMap<Leg, Amount>,
    logs: Vec<LogMove>,
    orders: Vec<Order>,
    trades: Vec<Trade>,
    movements: Vec<Movement>,
    transfers: Vec<Transfer>,
    ratios: Vec<Ratio>,
}

/// What each of three has of it: the ledger, the broker, the chain.
#[derive(Clone)]
struct Views {
    ledger: World,
    broker: World,
    chain: World,
    /// Activities that the ledger has taken up.
    settled: BTreeSet<String>,
    /// What appears in a source and in no list.
    conjured: BTreeMap<Leg, Amount>,
    stray: Vec<LogMove>,
    unknown: Option<&'static str>,
}

fn world(dice: &mut StdRng) -> World {
    let mut world = World::default();
    world.opening.insert(cash(), cents(dice.random_range(1_000_000..100_000_000)));
    for symbol in SYMBOLS {
        world.opening.insert(shares(symbol), milli(dice.random_range(0..1_000) * 1_000));
        world.opening.insert(vault(symbol), milli(dice.random_range(100_000..9_000_000)));
        world.opening.insert(dollars(symbol), cents(dice.random_range(10_000_000..90_000_000)));
        for number in 0..dice.random_range(0..6) {
            let (quantity, price) =
                (milli(dice.random_range(1..20_000)), cents(dice.random_range(500..90_000)));
            let paid = quantity.times(price).unwrap().cut(6);
            let bought = dice.random_bool(0.5);
            let signed = |amount: Amount, plus: bool| if plus { amount } else { amount.negated() };
            world.logs.push(LogMove {
                block: 1_000 + number,
                id: format!("8453:0x{symbol}:{number}"),
                moves: vec![
                    Balance { leg: vault(symbol), amount: signed(quantity, bought) },
                    Balance { leg: dollars(symbol), amount: signed(paid, !bought) },
                ],
                said: "a trade".to_owned(),
            });
        }
        for number in 0..dice.random_range(0..5) {
            let id = format!("{symbol}-{number}");
            let sign = if dice.random_bool(0.5) { 1 } else { -1 };
            let asked = dice.random_range(2..50);
            let open = number == 0 && dice.random_bool(0.5);
            let parts = dice.random_range(1..=2.min(asked));
            let mut filled = Amount::ZERO;
            for part in 0..parts {
                let quantity = milli(
                    sign * 1_000
                        * if part == 0 { asked - parts + 1 - i64::from(open && asked > parts) } else { 1 },
                );
                filled = sum(filled, quantity);
                let at = second(i64::from(number) * 100 + part);
                let price = cents(dice.random_range(500..90_000));
                world.trades.push(Trade {
                    account: ACCOUNT.to_owned(),
                    at,
                    id: format!("t-{id}-{part}"),
                    order: Some(format!("b-{id}")),
                    ours: true,
                    symbol: symbol.to_owned(),
                    quantity,
                    cash: quantity.times(price).unwrap().negated(),
                });
            }
            world.orders.push(Order {
                account: ACCOUNT.to_owned(),
                id: id.clone(),
                broker_ids: vec![format!("b-{id}")],
                symbol: symbol.to_owned(),
                quantity: milli(sign * 1_000 * asked),
                filled: Some(filled),
                open,
                since: second(i64::from(number) * 100),
            });
        }
    }
    for number in 0..dice.random_range(0..4) {
        world.movements.push(movement(
            &format!("fee-{number}"),
            "regulatory",
            None,
            Amount::ZERO,
            cents(-dice.random_range(1..50)),
        ));
    }
    world
}

fn movement(id: &str, kind: &str, symbol: Option<&str>, quantity: Amount, cash: Amount) -> Movement {
    Movement {
        account: ACCOUNT.to_owned(),
        date: date(2026, 11, 17),
        id: id.to_owned(),
        kind: kind.to_owned(),
        symbol: symbol.map(str::to_owned),
        quantity,
        cash,
        transfer: None,
    }
}

fn perfect(world: &World) -> Views {
    let settled = world.movements.iter().map(|one| format!("activity/{ACCOUNT}/{}", one.id)).collect();
    Views {
        ledger: world.clone(),
        broker: world.clone(),
        chain: world.clone(),
        settled,
        conjured: BTreeMap::new(),
        stray: Vec::new(),
        unknown: None,
    }
}

/// A fault that was put in: its class, the places that it moves, and how much.
#[derive(Clone, Debug)]
struct Fault {
    class: Class,
    moves: BTreeMap<Leg, Amount>,
}

fn fault(class: Class, moves: impl IntoIterator<Item = (Leg, Amount)>) -> Fault {
    let mut of: BTreeMap<Leg, Amount> = BTreeMap::new();
    for (leg, amount) in moves {
        let place = of.entry(leg).or_default();
        *place = sum(*place, amount);
    }
    of.retain(|_, amount| !amount.is_zero());
    Fault { class, moves: of }
}

fn of_log(log: &LogMove, class: Class) -> Fault {
    fault(class, log.moves.iter().map(|one| (one.leg.clone(), one.amount)))
}

fn of_trade(trade: &Trade, class: Class) -> Fault {
    fault(class, [(shares(&trade.symbol), trade.quantity), (cash(), trade.cash)])
}

fn back(mut fault: Fault) -> Fault {
    for amount in fault.moves.values_mut() {
        *amount = amount.negated();
    }
    fault
}

/// Puts one fault of a class in, where the world has a place for it.
fn inject(views: &mut Views, class: Class, number: usize, dice: &mut StdRng) -> Option<Fault> {
    let symbol = *SYMBOLS.choose(dice).unwrap();
    // A thing has one fault at most: what two do to one thing has no single truth.
    let of_symbol = |trade: &Trade| trade.symbol == symbol;
    let intact = |views: &Views, trade: &Trade| {
        views.broker.trades.iter().filter(|one| one.id == trade.id).eq([trade])
            && views.ledger.trades.iter().filter(|one| one.order == trade.order).eq(views
                .broker
                .trades
                .iter()
                .filter(|one| one.order == trade.order))
    };
    let place = |views: &Views, open: bool| {
        let of_open = |trade: &Trade| {
            views
                .broker
                .orders
                .iter()
                .any(|order| order.open == open && order.broker_ids[0] == *trade.order.as_ref().unwrap())
        };
        views
            .ledger
            .trades
            .iter()
            .position(|trade| trade.ours && of_symbol(trade) && of_open(trade) && intact(views, trade))
    };
    match class {
        Class::SourceUnknown => {
            views.unknown = Some(if dice.random_bool(0.5) { ACCOUNT } else { SOURCE });
            Some(fault(class, []))
        }
        Class::MissingOnchainFill => {
            let place = views
                .ledger
                .logs
                .iter()
                .position(|log| views.chain.logs.contains(log) && !views.stray.contains(log))?;
            Some(of_log(&views.ledger.logs.remove(place), class))
        }
        Class::ReorgedFill => {
            let place = views.chain.logs.iter().position(|log| views.ledger.logs.contains(log))?;
            let log = views.chain.logs.remove(place);
            views.stray.push(log.clone());
            Some(back(of_log(&log, class)))
        }
        Class::DuplicateInLedger => {
            let twin = views.ledger.trades[place(views, false)?].clone();
            let id = if dice.random_bool(0.5) { format!("{}-again", twin.id) } else { twin.id.clone() };
            views.ledger.trades.push(Trade { id, ..twin.clone() });
            Some(back(of_trade(&twin, class)))
        }
        Class::InFlightOrder => {
            let trade = views.ledger.trades.remove(place(views, true)?);
            Some(of_trade(&trade, class))
        }
        Class::MissingBrokerFill => {
            let trade = views.ledger.trades.remove(place(views, false)?);
            Some(of_trade(&trade, class))
        }
        Class::Quantity => {
            let place = place(views, false)?;
            let more = milli(dice.random_range(1..900));
            let trade = &mut views.ledger.trades[place];
            trade.quantity = sum(trade.quantity, more);
            Some(fault(class, [(shares(symbol), more.negated())]))
        }
        Class::PriceOrCash => {
            let place = place(views, false)?;
            let more = cents(dice.random_range(1..900));
            let trade = &mut views.ledger.trades[place];
            trade.cash = sum(trade.cash, more);
            Some(fault(class, [(cash(), more.negated())]))
        }
        Class::FeeTiming => {
            let paid = cents(-dice.random_range(1..500));
            views.broker.movements.push(movement(
                &format!("late-{number}"),
                "interest",
                None,
                Amount::ZERO,
                paid,
            ));
            Some(fault(class, [(cash(), paid)]))
        }
        Class::TransferInFlight => {
            let quantity = milli(dice.random_range(1..50_000));
            let id = format!("mint-{number}");
            let gone = |world: &mut World| {
                let held = world.opening.entry(shares(symbol)).or_default();
                *held = sum(*held, quantity.negated());
            };
            gone(&mut views.ledger);
            gone(&mut views.broker);
            let deadline = "2026-11-18T02:00:00Z".parse().unwrap();
            views.ledger.transfers.push(Transfer {
                id: id.clone(),
                instrument: symbol.to_owned(),
                quantity,
                deadline,
            });
            Some(fault(class, [(Leg::new(Kind::Transit, id, symbol), quantity)]))
        }
        Class::CorporateAction => {
            let more = milli(dice.random_range(1..900) * 1_000);
            views.broker.movements.push(movement(
                &format!("split-{number}"),
                "split",
                Some(symbol),
                more,
                Amount::ZERO,
            ));
            Some(fault(class, [(shares(symbol), more)]))
        }
        Class::NavAccrual => {
            let held = milli(dice.random_range(1_000..9_000_000));
            let was = much(1_000_000_000_000_000_000 + i128::from(dice.random_range(0..1_000_000_000_u64)));
            let is = sum(was, much(i128::from(dice.random_range(1_000_000..2_000_000_000_000_000_u64))));
            let token = format!("wrapper-{number}");
            let accrued =
                held.times_toward_zero(is).unwrap().minus(held.times_toward_zero(was).unwrap()).unwrap();
            views.chain.ratios.push(Ratio {
                source: SOURCE.to_owned(),
                token: token.clone(),
                symbol: symbol.to_owned(),
                held,
                was: (was, 1),
                is: (is, 2),
            });
            Some(fault(class, [(Leg::new(Kind::Wrapper, format!("{SOURCE}/{token}"), symbol), accrued)]))
        }
        Class::ExternalActivity => {
            let quantity = milli(dice.random_range(1..9_000) * if dice.random_bool(0.5) { 1 } else { -1 });
            let paid = quantity.times(cents(dice.random_range(500..90_000))).unwrap().negated();
            let trade = Trade {
                account: ACCOUNT.to_owned(),
                at: second(5_000 + i64::try_from(number).unwrap()),
                id: format!("stranger-{number}"),
                order: dice.random_bool(0.5).then(|| format!("b-stranger-{number}")),
                ours: false,
                symbol: symbol.to_owned(),
                quantity,
                cash: paid,
            };
            views.broker.trades.push(trade.clone());
            if dice.random_bool(0.5) {
                views.ledger.trades.push(trade.clone());
            }
            Some(of_trade(&trade, class))
        }
        Class::Unexplained => {
            let leg = [vault(symbol), dollars(symbol), shares(symbol), cash()].choose(dice).unwrap().clone();
            // Not on top of another: two of them in one place are one break.
            if views.conjured.contains_key(&leg) {
                return None;
            }
            let amount = cents(dice.random_range(100..90_000) * if dice.random_bool(0.5) { 1 } else { -1 });
            views.conjured.insert(leg.clone(), amount);
            Some(fault(class, [(leg, amount)]))
        }
    }
}

fn balances(
    world: &World,
    of: impl Fn(&Leg) -> bool,
    activities: impl Fn(&Movement) -> bool,
) -> BTreeMap<Leg, Amount> {
    let mut held: BTreeMap<Leg, Amount> =
        world.opening.iter().filter(|(leg, _)| of(leg)).map(|(leg, amount)| (leg.clone(), *amount)).collect();
    let mut add = |leg: Leg, amount: Amount| {
        if of(&leg) {
            let place = held.entry(leg).or_default();
            *place = sum(*place, amount);
        }
    };
    for one in world.logs.iter().flat_map(|log| &log.moves) {
        add(one.leg.clone(), one.amount);
    }
    for trade in &world.trades {
        add(shares(&trade.symbol), trade.quantity);
        add(cash(), trade.cash);
    }
    for one in world.movements.iter().filter(|one| activities(one)) {
        add(shares(one.symbol.as_deref().unwrap_or("?")), one.quantity);
        add(cash(), one.cash);
    }
    held.retain(|_, amount| !amount.is_zero());
    held
}

fn inputs(views: &Views) -> Inputs {
    let mut inputs = Inputs::new("worlds", date(2026, 11, 17), now());
    let answer = |source: &str| {
        if views.unknown == Some(source) {
            Answer::Unknown("it answered 502".to_owned())
        } else {
            Answer::Whole
        }
    };
    inputs.cuts = [ACCOUNT, SOURCE]
        .map(|source| Cut { source: source.to_owned(), at: now(), block: None, answer: answer(source) })
        .to_vec();
    let known = |leg: &Leg| views.unknown != Some(leg.source());
    let at_broker = |leg: &Leg| matches!(leg.kind, Kind::Broker | Kind::Cash);
    let mut reported = balances(&views.broker, at_broker, |_| true);
    reported.extend(balances(&views.chain, |leg| leg.kind == Kind::Vault, |_| true));
    for (leg, amount) in &views.conjured {
        let place = reported.entry(leg.clone()).or_default();
        *place = sum(*place, *amount);
    }
    inputs.reported = reported
        .into_iter()
        .filter(|(leg, amount)| known(leg) && !amount.is_zero())
        .map(|(leg, amount)| Balance { leg, amount })
        .collect();
    // Strangers' trades are on record, and in no balance of ours.
    let ours = World {
        trades: views.ledger.trades.iter().filter(|trade| trade.ours).cloned().collect(),
        ..views.ledger.clone()
    };
    let booked =
        balances(&ours, |_| true, |one| views.settled.contains(&format!("activity/{ACCOUNT}/{}", one.id)));
    inputs.booked = booked.into_iter().map(|(leg, amount)| Balance { leg, amount }).collect();
    if known(&vault("AAPL")) {
        inputs.missing =
            views.chain.logs.iter().filter(|log| !views.ledger.logs.contains(log)).cloned().collect();
        inputs.stray = views.stray.clone();
        inputs.ratios = views.chain.ratios.clone();
    }
    inputs.orders = views.broker.orders.clone();
    inputs.trades = views.ledger.trades.clone();
    if known(&cash()) {
        inputs.told =
            views.broker.trades.iter().map(|trade| Trade { ours: false, ..trade.clone() }).collect();
        inputs.told_whole.insert(ACCOUNT.to_owned());
        inputs.movements = views.broker.movements.clone();
    }
    inputs.settled = views.settled.clone();
    inputs.transfers = views.ledger.transfers.clone();
    let marks =
        SYMBOLS.map(|symbol| Mark { symbol: symbol.to_owned(), price: Price::of(cents(14_740)).unwrap() });
    inputs.marks = marks.to_vec();
    inputs.identities = vec![Identity {
        of: "tokens".to_owned(),
        held: vec![("vaults".to_owned(), milli(3))],
        owed: vec![("fills".to_owned(), milli(1)), ("moves".to_owned(), milli(2))],
        tolerance: Amount::ZERO,
    }];
    inputs.positions = SYMBOLS
        .map(|symbol| Position {
            symbol: symbol.to_owned(),
            net: Amount::ZERO,
            pending: Amount::ZERO,
            threshold: Amount::ONE,
            why: None,
            oldest: None,
            parts: Vec::new(),
        })
        .to_vec();
    inputs.sorted()
}

fn by_class(of: impl IntoIterator<Item = (Class, Leg, Amount)>) -> BTreeMap<(Class, Leg), Amount> {
    let mut sums: BTreeMap<(Class, Leg), Amount> = BTreeMap::new();
    for (class, leg, amount) in of {
        let place = sums.entry((class, leg)).or_default();
        *place = sum(*place, amount);
    }
    sums.retain(|_, amount| !amount.is_zero());
    sums
}

/// What was found, by class and place; what nothing explains among it.
fn found(findings: &Findings) -> BTreeMap<(Class, Leg), Amount> {
    let explained = findings.explanations.iter().map(|one| (one.class, one.leg.clone(), one.amount));
    let unexplained = findings.legs.iter().map(|leg| (Class::Unexplained, leg.leg.clone(), leg.unexplained));
    by_class(explained.chain(unexplained))
}

fn run(
    known: &BTreeMap<alloy::primitives::B256, Break>,
    inputs: &Inputs,
    findings: &Findings,
) -> (BTreeMap<alloy::primitives::B256, Break>, usize) {
    let whole = |leg: &Leg| {
        leg.kind == Kind::Transit
            || inputs.cuts.iter().any(|cut| cut.source == leg.source() && cut.answer == Answer::Whole)
    };
    let news = breaks::news(known, &findings.sightings, whole, (inputs.at, inputs.date), &inputs.calendar);
    (breaks::fold(known.clone(), &news, &findings.sightings, inputs.at).unwrap(), news.len())
}

#[test]
fn every_fault_of_a_seeded_world_is_found_for_what_it_is_and_nothing_else_is() {
    let seeds: u64 = std::env::var("RECON_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(10_000);
    let mut matrix: BTreeMap<Class, [u64; 3]> = BTreeMap::new();
    for seed in 0..seeds {
        let dice = &mut StdRng::seed_from_u64(seed);
        let world = world(dice);
        let clean = perfect(&world);
        let mut views = clean.clone();
        let mut faults = Vec::new();
        for number in 0..dice.random_range(0..=3) {
            let class = *Class::ALL.choose(dice).unwrap();
            faults.extend(inject(&mut views, class, number, dice));
        }
        let judged = inputs(&views);
        let findings = recon::judge(&judged).unwrap();
        // What lies in a place that was not read whole cannot be found.
        let is_known = |leg: &Leg| leg.kind == Kind::Transit || views.unknown != Some(leg.source());
        let truth = by_class(faults.iter().flat_map(|fault| {
            fault
                .moves
                .iter()
                .filter(|(leg, _)| is_known(leg))
                .map(|(leg, amount)| (fault.class, leg.clone(), *amount))
        }));
        let found = found(&findings);

        // Every residual is what was put in, and is explained and unexplained to the last digit.
        for leg in &findings.legs {
            let put_in = truth
                .iter()
                .filter(|((_, at), _)| *at == leg.leg)
                .fold(Amount::ZERO, |all, (_, one)| sum(all, *one));
            assert_eq!(leg.residual, put_in, "seed {seed}: {leg:?} {faults:?}");
            assert_eq!(leg.residual, sum(leg.explained, leg.unexplained), "seed {seed}");
        }
        for class in Class::ALL {
            let of = |of: &BTreeMap<(Class, Leg), Amount>| -> BTreeMap<Leg, Amount> {
                of.iter()
                    .filter(|((its, _), _)| *its == class)
                    .map(|((_, leg), amount)| (leg.clone(), *amount))
                    .collect()
            };
            let (truth, found) = (of(&truth), of(&found));
            let row = matrix.entry(class).or_default();
            for (leg, amount) in &truth {
                row[usize::from(found.get(leg) != Some(amount))] += 1;
            }
            row[2] +=
                u64::try_from(found.iter().filter(|(leg, amount)| truth.get(*leg) != Some(*amount)).count())
                    .unwrap();
        }
        if views.unknown.is_some() {
            let row = matrix.entry(Class::SourceUnknown).or_default();
            row[usize::from(findings.unknown.len() != 1)] += 1;
        }
        if faults.is_empty() {
            assert_eq!((findings.sightings.len(), findings.unknown.len()), (0, 0), "seed {seed}");
        }

        // Again, it is the same, and adds no event.
        let again = recon::judge(&judged.clone().sorted()).unwrap();
        assert_eq!(recon::digest(&again), recon::digest(&findings), "seed {seed}");
        let (known, _) = run(&BTreeMap::new(), &judged, &findings);
        let (same, events) = run(&known, &judged, &again);
        assert_eq!((&same, events), (&known, 0), "seed {seed}");
        // And a clean night resolves all of it.
        let calm = inputs(&clean);
        let quiet = recon::judge(&calm).unwrap();
        assert_eq!(quiet.sightings, [], "seed {seed}");
        let (over, _) = run(&known, &calm, &quiet);
        assert!(over.values().all(|one| one.state == State::Resolved), "seed {seed}");
    }
    println!("\n| class | found | missed | wrong |\n|---|---|---|---|");
    for (class, [found, missed, wrong]) in &matrix {
        println!("| {} | {found} | {missed} | {wrong} |", class.word());
    }
    println!("({seeds} seeds)");
    for (class, [found, missed, wrong]) in matrix {
        if class != Class::Unexplained {
            assert_eq!(wrong, 0, "{class:?} was found where it was not");
        }
        assert!(missed * 100 <= found + missed, "{class:?}: {missed} of {} missed", found + missed);
    }
}
