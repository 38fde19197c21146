//! Brings exposure below its threshold.
//!
//! One symbol at a time, from the most lasting reason to do nothing to the most
//! passing one: what is not wanted, what stands in the way, whether the market is
//! open, what it is worth, and how much of it the limits, the cash and the holding
//! let through. The threshold is asked about the exposure, never about one side
//! of it; what is cut off stays in the exposure and is carried for ever.

use jiff::SignedDuration;
use rust_decimal::Decimal;

use super::{
    Hold, Intent, Mark, Reason, View, at,
    backoff::backoff,
    hold,
    hours::{Open, open},
    limit::{limit_price, ramp},
    sizing::{SLACK_BPS, WHOLE_BPS, affordable, cost, covered},
};
use crate::{
    assets::Threshold,
    book::{
        fill::Side,
        market::{Account, Holding},
        order::{Refusal, State, Terms},
    },
    units::{Amount, Exact, Price, SCALE, Shares, Usd},
};

/// How old a reference may be that the price is compared with. Beyond that the market may well
/// have moved further than the band, nothing need ever make the reference younger, and the
/// symbol would rest for ever; the limits of orders and days hold all the same.
const REFERENCE_AGE: SignedDuration = SignedDuration::from_hours(1);

/// What brokers ask a purchase of parts of a share to be worth: a dollar.
const LEAST_USD: Usd = Usd(Amount::ONE);

/// What is wanted of a symbol, or why nothing is.
///
/// An intent is never above the exposure, any limit, the cash or the holding, and never finer
/// than the lot. Without a young price there is none at all, whatever the threshold is in: what
/// cannot be valued cannot be held against the day's dollars.
///
/// # Errors
///
/// The hold: nothing is to be done now.
pub fn flatten(view: &View<'_>) -> Result<Intent, Hold> {
    let side = if view.exposure.0.is_negative() { Side::Buy } else { Side::Sell };
    let quantity = wanted(view, side)?;
    nothing_live(view)?;
    nothing_forbids(view)?;
    let account = account(view)?;
    not_refused(view, account)?;
    let open = open(view)?;
    let mark = price(view)?;
    let terms = terms(view, side, mark.price, open)?;
    let quantity = within_limits(view, quantity, mark.price, terms)?;
    let quantity = match side {
        Side::Buy => within_cash(view, quantity, mark.price, terms, account)?,
        Side::Sell => within_holding(view, quantity, account)?,
    };
    worth_an_order(view, side, quantity, Some(mark.price))?;
    if !view.live_trading {
        let limit = match terms {
            Terms::Market => String::new(),
            Terms::ExtendedLimit(limit) => format!(" at {limit}"),
        };
        return hold(Reason::NotLive, format!("would {} {quantity} {}{limit}", side.word(), view.symbol));
    }
    Ok(Intent { symbol: view.symbol.to_owned(), side, quantity, terms, reference: mark })
}

/// How many shares the exposure and the lot call for.
fn wanted(view: &View<'_>, side: Side) -> Result<Shares, Hold> {
    let net = view.exposure.abs();
    if net.0.is_zero() {
        return hold(Reason::Flat, "there is no exposure");
    }
    let carried = format!("{} {}", view.exposure, view.symbol);
    let Some(threshold) = view.threshold else {
        return hold(Reason::NoThreshold, format!("{carried} and no threshold: give its [[asset]] one"));
    };
    match threshold {
        Threshold::Shares(from) | Threshold::Fraction(from) if net.0 < on_the_grid(from) => {
            return hold(Reason::BelowThreshold, format!("{carried} is below its threshold of {from}"));
        }
        Threshold::Usd(from) => {
            let Some(mark) = priced(view) else {
                return hold(Reason::NoPrice, format!("{carried} has no price to tell {from} USD by"));
            };
            // What is worth more than the grid holds is worth enough.
            let worth = net.at(mark.price);
            if let Some(worth) = worth.filter(|worth| worth.0 < on_the_grid(from)) {
                let detail = format!(
                    "{carried} at {} is {} USD, below its threshold of {from}",
                    mark.price,
                    cents(worth)
                );
                return hold(Reason::BelowThreshold, detail);
            }
        }
        Threshold::Shares(_) | Threshold::Fraction(_) => {}
    }
    let quantity = net.cut(decimals(view));
    if quantity.0.is_zero() {
        let lot = if decimals(view) == 0 { "one whole share" } else { "what the venue trades" };
        return hold(Reason::BelowLot, format!("{carried} is less than {lot}"));
    }
    worth_an_order(view, side, quantity, priced(view).map(|mark| mark.price))?;
    Ok(quantity)
}

/// Decimals of an order: those of the venue, or none where only whole shares are wanted or taken.
fn decimals(view: &View<'_>) -> u32 {
    let whole = matches!(view.threshold, Some(Threshold::Shares(_)))
        || view.listing.is_some_and(|listing| !listing.fractionable)
        || view.refused.is_some_and(|refused| refused.why == Refusal::NotFractionable);
    if whole { 0 } else { view.capabilities.decimals }
}

/// Parts of a share are only bought from a dollar on.
fn worth_an_order(view: &View<'_>, side: Side, quantity: Shares, price: Option<Price>) -> Result<(), Hold> {
    let in_parts = quantity != quantity.cut(0);
    let worth = price.and_then(|price| quantity.at(price));
    match worth {
        Some(worth) if side == Side::Buy && in_parts && worth < LEAST_USD => {
            let detail = format!("{quantity} {} is worth less than a dollar", view.symbol);
            hold(Reason::BelowLot, detail)
        }
        Some(_) | None => Ok(()),
    }
}

fn nothing_live(view: &View<'_>) -> Result<(), Hold> {
    let Some(live) = view.live else { return Ok(()) };
    let detail = format!("order {}, planned at {}, is {}", live.id, at(live.since), live.state.word());
    match live.state {
        State::Ambiguous => hold(Reason::Ambiguous, format!("{detail}: adopt or resolve it")),
        State::Planned | State::Sent | State::Working | State::Closed(_) => hold(Reason::InFlight, detail),
    }
}

fn nothing_forbids(view: &View<'_>) -> Result<(), Hold> {
    if let Some(why) = view.halt {
        return hold(Reason::Halted, why);
    }
    if view.listing.is_some_and(|listing| !listing.tradable) {
        return hold(Reason::NotTradable, format!("the venue does not trade {}", view.symbol));
    }
    Ok(())
}

/// What the account holds, if it may trade and said so not too long ago.
fn account<'a>(view: &View<'a>) -> Result<&'a Account, Hold> {
    let Some(account) = view.account else {
        return hold(Reason::AccountUnknown, "the broker has not told yet what the account holds");
    };
    if view.now.duration_since(account.asked_at) > view.limits.blind {
        let (told, blind) = (at(account.asked_at), view.limits.blind);
        let detail = format!("the broker last told at {told} what the account holds, over {blind:#} ago");
        return hold(Reason::AccountUnknown, detail);
    }
    if let Some(why) = &account.blocked {
        return hold(Reason::AccountBlocked, why.clone());
    }
    Ok(account)
}

fn not_refused(view: &View<'_>, account: &Account) -> Result<(), Hold> {
    let Some(refused) = view.refused.filter(|refused| refused.times > 0) else { return Ok(()) };
    let richer = refused.cash.is_some_and(|then| account.cash > then);
    if refused.why == Refusal::Funds && richer {
        return Ok(());
    }
    let wait = backoff(refused.why, refused.times);
    if view.now.duration_since(refused.at) >= wait {
        return Ok(());
    }
    let (times, why) = (refused.times, refused.why.word());
    let again = refused.at.checked_add(wait).unwrap_or(refused.at);
    let often = if times == 1 { "once".to_owned() } else { format!("{times} times in a row, last") };
    hold(Reason::Refused, format!("refused {often} for {why}; again at {}", at(again)))
}

/// The last price, whatever its age.
fn priced(view: &View<'_>) -> Option<Mark> {
    view.price.filter(|mark| !mark.price.dollars().is_zero())
}

/// What an order is valued by: young, and not far from the reference.
fn price(view: &View<'_>) -> Result<Mark, Hold> {
    let Some(mark) = priced(view) else {
        return hold(Reason::NoPrice, format!("{} has no price", view.symbol));
    };
    let said = format!("{}, by {} of {}", mark.price, mark.source.word(), at(mark.at));
    // One of the future is as wrong as one of the past.
    if view.now.duration_since(mark.at).abs() > view.limits.price_age {
        return hold(Reason::NoPrice, format!("{said}, is more than {:#} off", view.limits.price_age));
    }
    let young = |reference: &Mark| view.now.duration_since(reference.at).abs() <= REFERENCE_AGE;
    if let Some(reference) = view.reference.filter(young) {
        let bps = view.limits.price_band_bps;
        if is_apart(mark.price, reference.price, bps) {
            let (whole, part) = (bps / 100, bps % 100);
            let other =
                format!("{}, by {} of {}", reference.price, reference.source.word(), at(reference.at));
            let detail = format!("{said}, is more than {whole}.{part:02} % from {other}");
            return hold(Reason::PriceBand, detail);
        }
    }
    Ok(mark)
}

/// Whether a price is further from the reference than so many hundredths of a percent of it.
fn is_apart(price: Price, reference: Price, bps: u32) -> bool {
    let (price, reference) = (price.dollars(), reference.dollars());
    let whole = Amount::from_atoms(i128::from(bps) * (Amount::ONE.atoms() / i128::from(WHOLE_BPS)));
    let band = whole.and_then(|band| reference.times(band));
    // What the grid does not hold is far.
    price.minus(reference).zip(band).is_none_or(|(apart, band)| apart.abs() > band)
}

fn terms(view: &View<'_>, side: Side, price: Price, open: Open) -> Result<Terms, Hold> {
    let before = match open {
        Open::Market => return Ok(Terms::Market),
        Open::Limit(before) => before,
    };
    let bps = ramp(view.limits.slippage_bps, before);
    match limit_price(price, side, bps) {
        Some(limit) => Ok(Terms::ExtendedLimit(limit)),
        None => {
            hold(Reason::NoPrice, format!("nothing is left of {price} less {bps} hundredths of a percent"))
        }
    }
}

/// What of `quantity` the order's and the day's limits let through.
fn within_limits(view: &View<'_>, quantity: Shares, price: Price, terms: Terms) -> Result<Shares, Hold> {
    let limits = view.limits;
    let each = match terms {
        Terms::Market => price,
        Terms::ExtendedLimit(limit) => limit.max(price),
    };
    // More shares than the grid holds are no limit.
    let for_usd = |usd: Usd| usd.buys(each).unwrap_or(quantity);
    let cut = |quantity: Shares, most: Shares| quantity.min(most).cut(decimals(view));

    let most = limits.max_order_shares.unwrap_or(quantity);
    let order = cut(quantity, most.min(for_usd(limits.max_order_usd)));
    if order.0 <= Amount::ZERO {
        let usd = cents(limits.max_order_usd);
        let detail = format!(
            "an order of {most} {} at {each} and {usd} USD at most is less than the venue trades",
            view.symbol
        );
        return hold(Reason::BelowLot, detail);
    }
    let left_usd = limits.max_day_usd.minus(view.spent.usd).unwrap_or(Usd::ZERO);
    let day = cut(order, for_usd(left_usd));
    if day.0 <= Amount::ZERO {
        let detail =
            format!("{} of {} USD are traded today", cents(view.spent.usd), cents(limits.max_day_usd));
        return hold(Reason::DayLimit, detail);
    }
    let Some(most) = limits.max_day_shares else { return Ok(day) };
    let day = cut(day, most.minus(view.spent.shares).unwrap_or(Shares::ZERO));
    if day.0 <= Amount::ZERO {
        let detail = format!("{} of {most} {} are traded today", view.spent.shares, view.symbol);
        return hold(Reason::DayLimit, detail);
    }
    Ok(day)
}

/// What of a purchase the cash pays for; and no more than is short, where only closing is allowed.
fn within_cash(
    view: &View<'_>,
    quantity: Shares,
    price: Price,
    terms: Terms,
    account: &Account,
) -> Result<Shares, Hold> {
    let quantity = if account.closing_only {
        let short = holding(view, account).quantity.negated().max(Shares::ZERO);
        let closing = quantity.min(short).cut(decimals(view));
        if closing.0.is_zero() {
            return hold(
                Reason::AccountBlocked,
                "the broker takes closing orders alone, and nothing is short",
            );
        }
        closing
    } else {
        quantity
    };
    // A limit is the most that it costs; the market may move.
    let (each, slack) = match terms {
        Terms::Market => (price, SLACK_BPS),
        Terms::ExtendedLimit(limit) => (limit, 0),
    };
    let most = affordable(account.cash, each, slack).unwrap_or(quantity);
    let paid = quantity.min(most).cut(decimals(view));
    if paid.0.is_zero() {
        let there = cents(account.cash);
        let detail = match cost(quantity, each, slack) {
            Some(cost) => {
                format!("{quantity} {} may cost {} USD, and {there} are there", view.symbol, cents(cost))
            }
            None => format!("{there} USD are there"),
        };
        return hold(Reason::Funds, detail);
    }
    Ok(paid)
}

/// What of a sale the holding gives: nothing is sold short.
fn within_holding(view: &View<'_>, quantity: Shares, account: &Account) -> Result<Shares, Hold> {
    let Holding { quantity: held, available } = holding(view, account);
    let given = covered(quantity, available.min(held)).map(|given| given.cut(decimals(view)));
    match given.filter(|given| !given.0.is_zero()) {
        Some(given) => Ok(given),
        None => hold(
            Reason::NoShares,
            format!("to sell {quantity} {}: {held} held, {available} free", view.symbol),
        ),
    }
}

fn holding(view: &View<'_>, account: &Account) -> Holding {
    account.holdings.get(view.symbol).copied().unwrap_or_default()
}

/// A threshold as the grid has it; beyond it, the end of the grid.
fn on_the_grid(threshold: Decimal) -> Amount {
    Exact::from(threshold).cut(SCALE).unwrap_or(Amount::MAX)
}

/// Dollars as people write them: cut to cents.
fn cents(usd: Usd) -> Amount {
    usd.0.cut(2)
}
