//! What is known of a share, for a person or a program.

use std::fmt::Write as _;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::facts::{OrderSeen, Part, PartOf, Position, Why};
use crate::{
    book::fill::Side,
    units::{Price, Shares},
};

/// Parts that a person is shown at most.
const PARTS: usize = 12;

impl Why {
    /// For a person: what is exposed, why no more is done and what to do, of what it is made.
    pub fn for_people(&self) -> String {
        let mut text = String::new();
        let mut say = |line: &str| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{line}");
        };
        say(&self.summary());
        if let Some(position) = &self.position {
            say(&format!("  = {}", position.sum()));
        } else if !self.known.is_empty() {
            say(&format!("  known are {}", self.known.join(", ")));
        }
        if let (fills @ 1.., quantity) = self.unreleased {
            let (fills, count) = match fills {
                1 => ("1 fill".to_owned(), "counts"),
                many => (format!("{many} fills"), "count"),
            };
            say(&format!(
                "  {fills} of {quantity} {count} later: not deep enough yet, or not believed (hedge_at, believe)"
            ));
        }
        let next = self.next();
        if !next.is_empty() {
            say("");
        }
        for next in next {
            say(&next.said);
            say(&format!("  → {}", next.act.replace('\n', "\n      ")));
        }
        if !self.parts.is_empty() {
            say("\nMade of, oldest first");
            let shown: Vec<_> = self.parts.iter().take(PARTS).map(|part| part.line(self)).collect();
            for line in aligned(&shown) {
                say(&line);
            }
            if let more @ 1.. = self.parts.len().saturating_sub(PARTS) {
                say(&format!("  and {more} more: hedge why {} --json", self.symbol));
            }
            if let Some(rest) = self.unexplained() {
                say(&format!(
                    "  {rest} that no part explains: a trade that was taken back, or orders on their way"
                ));
            }
        }
        if !self.orders.is_empty() {
            say("\nOrders");
            let shown: Vec<_> = self.orders.iter().map(|order| order.line(self)).collect();
            for line in aligned(&shown) {
                say(&line);
            }
        }
        text
    }

    /// What is exposed, in a line.
    pub fn summary(&self) -> String {
        match &self.position {
            Some(position) => self.headline(position),
            None => format!("{}: nothing is known of it", self.symbol),
        }
    }

    fn headline(&self, position: &Position) -> String {
        let Position { exposure, worth, .. } = position;
        match worth {
            Some((worth, price, at)) if *exposure != Shares::ZERO => format!(
                "{}: {exposure} exposed, {worth} USD at {}, the fill of {} ago",
                self.symbol,
                price.dollars().cut(6),
                self.age(*at)
            ),
            Some(_) | None => format!("{}: {exposure} exposed", self.symbol),
        }
    }

    /// What of the exposure no part stands for.
    fn unexplained(&self) -> Option<Shares> {
        let sum = self.parts.iter().try_fold(Shares::ZERO, |sum, part| sum.plus(part.quantity))?;
        self.exposure().abs().minus(sum).filter(|rest| *rest > Shares::ZERO)
    }

    /// For a program: everything, exact decimals as strings.
    pub fn for_programs(&self) -> Value {
        let position = self.position.as_ref();
        let shares = |of: fn(&Position) -> Shares| position.map(|it| of(it).to_string());
        let worth = position.and_then(|position| position.worth);
        let hold = position.and_then(|position| position.hold.as_ref());
        json!({
            "symbol": self.symbol,
            "now": self.now,
            "exposure": shares(|it| it.exposure),
            "onchain": shares(|it| it.onchain),
            "hedged": shares(|it| it.hedged),
            "stated": shares(|it| it.stated),
            "in_flight": shares(|it| it.in_flight),
            "exposure_usd": worth.map(|(usd, ..)| usd.to_string()),
            "last_fill_price": worth.map(|(_, price, _)| price.to_string()),
            "last_fill_at": worth.map(|(.., at)| at),
            "hold": hold.map(|(reason, ..)| reason),
            "hold_detail": hold.map(|(_, detail, _)| detail),
            "hold_since": hold.map(|(.., since)| since),
            "later": { "fills": self.unreleased.0, "quantity": self.unreleased.1.to_string() },
            "next": self.next().into_iter().map(|next| json!({ "said": next.said, "do": next.act })).collect::<Vec<_>>(),
            "parts": self.parts.iter().map(Part::for_programs).collect::<Vec<_>>(),
            "orders": self.orders.iter().map(OrderSeen::for_programs).collect::<Vec<_>>(),
        })
    }
}

impl Position {
    /// What the exposure is the sum of; what is nothing is left out.
    fn sum(&self) -> String {
        let parts = [
            (self.onchain, "on chain"),
            (self.hedged, "hedged"),
            (self.stated, "stated"),
            (self.in_flight, "in flight"),
        ];
        let signed = |quantity: Shares| match quantity {
            positive if positive > Shares::ZERO => format!("+{positive}"),
            other => other.to_string(),
        };
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(quantity, _)| *quantity != Shares::ZERO)
            .map(|(quantity, what)| format!("{} {what}", signed(quantity)))
            .collect();
        if parts.is_empty() { "nothing on chain, nothing hedged".to_owned() } else { parts.join(", ") }
    }
}

/// A price as people are shown it.
fn at(price: Option<Price>) -> String {
    price.map_or_else(String::new, |price| format!(" at {}", price.dollars().cut(6)))
}

impl Part {
    fn line(&self, why: &Why) -> Vec<String> {
        let quantity = self.quantity.to_string();
        let (what, place) = match &self.what {
            PartOf::Fill { side, of, price, block, log, tx } => {
                let did = match side {
                    Side::Buy => "bought on chain",
                    Side::Sell => "sold on chain",
                };
                let part = if *of == self.quantity { String::new() } else { format!("of {of} ") };
                (format!("{part}{did}{}", at(*price)), format!("block {block}, log {log}, {tx}"))
            }
            PartOf::Execution { order, id } => {
                (format!("by our own order #{order}, whose reason is gone"), format!("execution {id}"))
            }
            PartOf::Stated => ("stated by a person".to_owned(), String::new()),
        };
        vec![format!("{} ago", why.age(self.at)), quantity, what, place]
    }

    fn for_programs(&self) -> Value {
        let (at, quantity) = (self.at, self.quantity.to_string());
        match &self.what {
            PartOf::Fill { side, of, price, block, log, tx } => json!({
                "what": "fill", "at": at, "quantity": quantity, "side": side.word(), "of": of.to_string(),
                "price": price.map(|price| price.to_string()), "block_number": block, "log_index": log, "tx_hash": tx,
            }),
            PartOf::Execution { order, id } => json!({
                "what": "execution", "at": at, "quantity": quantity, "order_id": order, "execution_id": id,
            }),
            PartOf::Stated => json!({ "what": "stated", "at": at, "quantity": quantity }),
        }
    }
}

impl OrderSeen {
    fn line(&self, why: &Why) -> Vec<String> {
        let by = self.author.as_ref().map_or_else(String::new, |author| format!(", asked for by {author}"));
        let state = match (&self.why, &self.refusal) {
            (Some(why), Some(refusal)) => format!("{why}: {refusal}"),
            (Some(why), None) => why.clone(),
            (None, _) => self.state.clone(),
        };
        vec![
            format!("{} ago", why.age(self.since)),
            format!("#{}", self.id),
            format!("{} {}{}", self.side, self.quantity, at(self.limit)),
            state,
            format!("{} filled{}{by}", self.filled, at(self.price)),
        ]
    }

    fn for_programs(&self) -> Value {
        json!({
            "order_id": self.id,
            "venue": self.venue,
            "side": self.side,
            "quantity": self.quantity.to_string(),
            "limit_price": self.limit.map(|price| price.to_string()),
            "state": self.state,
            "why": self.why,
            "refusal": self.refusal,
            "filled": self.filled.to_string(),
            "average_price": self.price.map(|price| price.to_string()),
            "author": self.author,
            "since": self.since,
            "last_event": self.last.as_ref().map(|(event, ..)| event),
            "last_detail": self.last.as_ref().map(|(_, detail, _)| detail),
        })
    }
}

/// Columns side by side, the first of them to the right; what is last may be as long as it likes.
fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let width = |place: usize| {
        rows.iter().filter_map(|row| row.get(place)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    rows.iter()
        .map(|row| {
            let cells = row.iter().enumerate().map(|(place, cell)| match place {
                0 => format!("{cell:>0$}", width(place)),
                _ => format!("{cell:<0$}", width(place)),
            });
            format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned()
        })
        .collect()
}

/// An age as people say it: the largest unit, and the next where that helps.
pub(crate) fn age(age: SignedDuration) -> String {
    let seconds = age.as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, 0) => format!("{hours} h"),
        (0, ..) => format!("{hours} h {minutes} min"),
        (_, 0, _) => format!("{days} d"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_said_in_the_unit_that_matters() {
        let said = |seconds| age(SignedDuration::from_secs(seconds));
        assert_eq!(
            [said(-3), said(59), said(60), said(3_661), said(90_000)].join("; "),
            "0 s; 59 s; 1 min; 1 h 1 min; 1 d 1 h"
        );
    }

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [["3 min ago", "#1", "filled"], ["4 s ago", "#12", ""]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(aligned(&rows), ["  3 min ago  #1   filled", "    4 s ago  #12"]);
    }
}
