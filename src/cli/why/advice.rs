//! What each state asks of a person: mostly nothing, and otherwise the command.

use super::facts::{OrderSeen, Why};
use crate::{policy::Reason, units::Shares};

/// What is so, and what a person does about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// What is so, in a sentence.
    pub said: String,
    /// What to do.
    pub act: String,
}

/// So much of a broker's words is shown.
const SAID: usize = 200;

fn next(said: String, act: impl Into<String>) -> Next {
    Next { said, act: act.into() }
}

impl Why {
    /// Why no more is done, and what to do: what concerns everything comes first.
    pub fn next(&self) -> Vec<Next> {
        let mut told = Vec::new();
        for halt in &self.halts {
            let (what, named) = match &halt.symbol {
                Some(symbol) => (symbol.as_str(), format!(" {symbol}")),
                None => ("everything", String::new()),
            };
            told.push(next(
                format!("{what} is halted by {}, for {}: {}", halt.author, self.age(halt.since), halt.reason),
                format!("once that is over: hedge resume{named} --reason …"),
            ));
        }
        let hold = self.position.as_ref().and_then(|position| position.hold.as_ref());
        match (&self.holder, self.live) {
            (_, false) if hold.is_none() => {
                told.push(next("hedging has not begun".to_owned(), advice(Reason::NotLive)));
            }
            (Some(holder), true) if !holder.held => told.push(next(
                format!("nobody hedges for {}: {} ended", self.age(holder.expires_at), holder.name),
                "start it: hedge run",
            )),
            (None, true) => told.push(next("nobody hedges yet".to_owned(), "start it: hedge run")),
            (Some(_) | None, _) => {}
        }
        told.extend(self.live_orders().map(|order| self.of_order(order)));
        if let Some((word, detail, since)) = hold {
            let reason = Reason::named(word);
            let said_already = (reason == Some(Reason::Halted) && !self.halts.is_empty())
                || (reason == Some(Reason::InFlight) && self.live_orders().next().is_some());
            if !said_already {
                let act = reason.map_or("see the README", advice);
                let mut said = format!("{word}, for {}: {detail}", self.age(*since));
                if reason == Some(Reason::Refused)
                    && let Some(words) = self.orders.last().and_then(|order| order.said.as_deref())
                {
                    said =
                        format!("{said}\nthe broker said: {}", words.chars().take(SAID).collect::<String>());
                }
                told.push(next(said, act));
            }
        } else if told.is_empty() && self.exposure() != Shares::ZERO {
            told.push(next("the next sweep decides it".to_owned(), "nothing to do"));
        }
        told
    }

    fn of_order(&self, order: &OrderSeen) -> Next {
        let OrderSeen { id, venue, searches, filled, quantity, .. } = order;
        let since = self.age(order.since);
        let (event, detail) =
            order.last.as_ref().map_or(("", ""), |(event, detail, _)| (event.as_str(), detail.as_str()));
        match order.state.as_str() {
            "planned" if order.author.is_some() => next(
                format!(
                    "order #{id} waits for the regular session, or for another order of it to end, for {since}"
                ),
                "nothing to do: it leaves as soon as it may",
            ),
            "planned" => next(
                format!("order #{id} is planned, for {since}"),
                "nothing to do: it leaves as soon as it may",
            ),
            "sent" if event == "unanswered" || *searches > 0 => {
                let looked = match searches {
                    0 => "it has not said yet whether it has it".to_owned(),
                    1 => "looked for once, and not found".to_owned(),
                    times => format!("looked for {times} times, and not found"),
                };
                next(
                    format!("order #{id} was sent to {venue} {since} ago and not answered; {looked}"),
                    "nothing to do: it is looked for until there is evidence, and counts as in flight",
                )
            }
            "sent" => next(
                format!("order #{id} was sent to {venue} {since} ago, and the answer is on its way"),
                "nothing to do",
            ),
            "ambiguous" => next(
                format!("order #{id} is ambiguous, for {since}: {detail}"),
                format!(
                    "see at {venue} what it did, then say so:\n\
                     hedge adopt {id} --broker-id ID --reason …      it is there\n\
                     hedge resolve {id} --never-placed --reason …    it is not\n\
                     hedge resolve {id} --closed --reason …          it is over, and all that it filled is booked"
                ),
            ),
            _ => {
                let works =
                    format!("order #{id} works at {venue}, for {since}: {filled} of {quantity} filled");
                match order.cancel_asked_at {
                    Some(asked) => next(
                        format!("{works}; its cancel was asked for {} ago", self.age(asked)),
                        "nothing to do: what it does not fill is exposure again",
                    ),
                    None if event == "stuck" => next(
                        format!("{works}; it is stuck: {detail}"),
                        format!("see at {venue} why; to give up on it: hedge cancel {id} --reason …"),
                    ),
                    None => next(works, "nothing to do: it is asked after"),
                }
            }
        }
    }
}

/// What a hold asks of a person.
pub const fn advice(reason: Reason) -> &'static str {
    match reason {
        Reason::Flat | Reason::InFlight => "nothing to do",
        Reason::BelowThreshold | Reason::BelowLot => "nothing to do: it is carried until it is enough",
        Reason::NoThreshold => "give its [[asset]] a threshold, and start `hedge run` anew",
        Reason::NotLive => "to begin: hedge go-live --reason …",
        Reason::Ambiguous => "see below what the order is",
        Reason::Halted => "to go on: hedge resume --reason …",
        Reason::Closed => "nothing to do: it is hedged when the market opens",
        Reason::HoursUnknown | Reason::AccountUnknown => {
            "nothing to do for some minutes; if it stays: hedge doctor"
        }
        Reason::NoPrice => {
            "nothing to do while quotes are late; if it stays: hedge doctor, or raise limits.price_age"
        }
        Reason::PriceBand => {
            "see which price is right; the reference counts for an hour, or raise limits.price_band_pct"
        }
        Reason::DayLimit => {
            "nothing to do: a new day begins at midnight in New York; or raise limits.max_day_usd"
        }
        Reason::Funds => "pay dollars in at the broker: it goes on by itself",
        Reason::NoShares => "bring shares to the broker: nothing is sold short; it goes on by itself",
        Reason::AccountBlocked => "ask the broker; once it is free it goes on by itself",
        Reason::NotTradable => "ask the broker whether it trades again; it goes on by itself",
        Reason::Refused => "do what the broker's words ask for; it is tried again by itself",
        Reason::Throttled => "nothing to do: it goes on by itself; if it stays, lower the venue's rate",
        Reason::Unauthorized => "mend the keys, or log in again: hedge doctor; it goes on by itself",
    }
}
