//! Laws of counting: whatever the trades, splits and retractions.

use hedge::{
    book::{
        count::{Action, Counted},
        fill::Side,
        history::History,
        pnl::{Key, Trade, TradeId, TradeType, price_of},
    },
    job::pairing,
    units::{Amount, Price, Shares, Usd},
};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};

/// What may happen to a share.
#[derive(Clone, Debug)]
enum Event {
    Trade(&'static str, Trade),
    Split(&'static str, i64, Amount, Amount),
    Retract(TradeType, TradeId),
}

fn atoms(atoms: i128) -> Amount {
    Amount::from_atoms(atoms).unwrap()
}

/// Few prices and quantities meet often; many decimals meet never.
fn events(dice: &mut StdRng, trades: u64, splits: bool) -> Vec<Event> {
    let mut events = Vec::new();
    for id in 0..trades {
        let symbol = if dice.random_bool(0.8) { "AAPL" } else { "TSLA" };
        let round = dice.random_bool(0.5);
        let quantity = if round {
            i128::from(dice.random_range(1..5_u32)) * 1_000_000_000_000_000_000
        } else {
            dice.random_range(1..3_000_000_000_000_000_000_i128)
        };
        let cash = dice.random_range(0..1_000_000_000_i128) * 1_000_000_000_000;
        let (quantity, cash) = (Shares(atoms(quantity)), Usd(atoms(cash)));
        let kind = if dice.random_bool(0.5) { TradeType::Onchain } else { TradeType::Offchain };
        // Ties of time are common.
        let key = Key { at: dice.random_range(0..40) * 100_000_000, kind, id: TradeId::Number(id) };
        let price =
            |dice: &mut StdRng| Price::of(atoms(dice.random_range(1..300_i128) * 500_000_000_000_000_000));
        let trade = Trade {
            key,
            side: if dice.random_bool(0.5) { Side::Buy } else { Side::Sell },
            quantity,
            price: price_of(quantity, cash).unwrap_or(Price::of(Amount::MAX).unwrap()),
            cash,
            fee: Usd(atoms(dice.random_range(-5..20))),
            oracle: if dice.random_bool(0.7) { price(dice) } else { None },
            reference: if dice.random_bool(0.7) { price(dice) } else { None },
        };
        events.push(Event::Trade(symbol, trade));
        if splits && dice.random_bool(0.05) {
            let [new, old] =
                [(); 2].map(|()| atoms(dice.random_range(1..5_i128) * 1_000_000_000_000_000_000));
            // One a time: two at once would be refused.
            events.push(Event::Split(symbol, key.at + i64::try_from(id).unwrap() + 1, new, old));
        }
    }
    events
}

fn played(events: &[Event]) -> Counted {
    let mut history = History::default();
    // A name has its place before anything is known of it.
    let [aapl, tsla] = ["AAPL", "TSLA"].map(|name| history.symbol(name));
    let place = |symbol: &str| if symbol == "AAPL" { aapl } else { tsla };
    for event in events {
        match event {
            Event::Trade(symbol, trade) => history.trade(place(symbol), *trade).unwrap(),
            Event::Split(symbol, at, new, old) => {
                history.action(place(symbol), *at, Action::Split { new: *new, old: *old }).unwrap();
            }
            Event::Retract(kind, id) => history.retract(*kind, *id),
        }
    }
    history.play().unwrap().1
}

#[test]
fn booking_neither_makes_nor_loses_money() {
    for seed in 0..2_000 {
        let counted = played(&events(&mut StdRng::seed_from_u64(seed), 40, true));
        let mut earned = [Usd::ZERO; 2];
        for row in &counted.rows {
            let earned = &mut earned[usize::try_from(row.symbol.0).unwrap()];
            *earned = match row.trade.side {
                Side::Sell => earned.plus(row.trade.cash).unwrap(),
                Side::Buy => earned.minus(row.trade.cash).unwrap(),
            };
            assert_eq!(row.figures.cumulative, earned.plus(row.figures.book_value).unwrap(), "seed {seed}");
        }
        for met in counted.matches.iter().filter(|met| met.spread.is_some()) {
            let spread = met.spread.unwrap();
            let sum = spread.edge.plus(spread.drift).unwrap().plus(spread.slippage).unwrap();
            assert_eq!(sum, met.pnl, "seed {seed}");
        }
    }
}

#[test]
fn ten_thousand_histories_are_the_same_counted_without_a_queue() {
    for batch in 0..100 {
        let counted: Vec<Counted> = (0..100)
            .map(|place| played(&events(&mut StdRng::seed_from_u64(batch * 100 + place), 30, true)))
            .collect();
        pairing::agree(&counted.iter().collect::<Vec<_>>()).unwrap();
    }
}

#[test]
fn a_wrong_match_is_found_wherever_it_is() {
    let mut found = 0;
    for seed in 0..200 {
        let mut dice = StdRng::seed_from_u64(seed);
        let sound = played(&events(&mut dice, 30, true));
        let Some(place) = (!sound.matches.is_empty()).then(|| dice.random_range(0..sound.matches.len()))
        else {
            continue;
        };
        let unit = atoms(1);
        for plant in 0..5 {
            let mut wrong = sound.clone();
            let met = &mut wrong.matches[place];
            match plant {
                0 => met.quantity = Shares(met.quantity.0.plus(unit).unwrap()),
                1 => met.pnl = Usd(met.pnl.0.plus(unit).unwrap()),
                2 => met.opening.at += 1,
                3 => {
                    let row = wrong.rows.iter_mut().find(|row| row.trade.key == met.closing).unwrap();
                    row.figures.realized = None;
                }
                _ => {
                    for segment in &mut wrong.segments {
                        segment.matches.retain(|of| *of != place);
                    }
                }
            }
            assert!(pairing::agree(&[&sound, &wrong]).is_err(), "seed {seed}, plant {plant}");
            found += 1;
        }
        pairing::agree(&[&sound]).unwrap();
    }
    assert!(found > 500);
}

#[test]
fn the_order_in_which_facts_arrive_is_irrelevant() {
    for seed in 0..300 {
        let mut dice = StdRng::seed_from_u64(seed);
        let mut events = events(&mut dice, 40, true);
        let counted = played(&events);
        // What comes twice comes once
        events.extend(events.clone());
        events.shuffle(&mut dice);
        let shuffled = played(&events);
        assert_eq!(shuffled.rows, counted.rows, "seed {seed}");
        assert_eq!(shuffled.matches, counted.matches, "seed {seed}");
        assert_eq!(shuffled.days, counted.days, "seed {seed}");
    }
}

#[test]
fn what_is_retracted_never_happened() {
    for seed in 0..300 {
        let mut dice = StdRng::seed_from_u64(seed);
        let mut events = events(&mut dice, 40, true);
        let gone: Vec<Event> = events
            .iter()
            .filter_map(|event| match event {
                Event::Trade(_, trade) if dice.random_bool(0.2) => {
                    Some(Event::Retract(trade.key.kind, trade.key.id))
                }
                _ => None,
            })
            .collect();
        let without: Vec<Event> = events
            .iter()
            .filter(|event| match event {
                Event::Trade(_, trade) => !gone.iter().any(
                    |gone| matches!(gone, Event::Retract(kind, id) if (*kind, *id) == (trade.key.kind, trade.key.id)),
                ),
                _ => true,
            })
            .cloned()
            .collect();
        events.extend(gone);
        let (retracted, without) = (played(&events), played(&without));
        assert_eq!(retracted.rows, without.rows, "seed {seed}");
        assert_eq!(retracted.matches, without.matches, "seed {seed}");
        assert_eq!(retracted.books, without.books, "seed {seed}");
    }
}
