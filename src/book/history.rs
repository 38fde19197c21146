//! The facts that P&L is counted from: which they are, and in which order.
//!
//! P&L is a function of the set of facts: neither the order in which they became known nor
//! how they were batched matters. An identical repeat is one fact; another trade of the same
//! name is refused. What was retracted never happened.
//!
//! Order: time to the microsecond, then splits and renames, then what was onchain, then what
//! was at a broker, then the trade's id.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    count::{Action, Counted, Counter, Symbol, Trouble},
    pnl::{Trade, TradeId, TradeType},
};

/// Why facts cannot be counted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Two different trades of one name.
    #[error("conflicting_duplicate: {kind} {id} was given before with other content")]
    ConflictingDuplicate {
        /// Where.
        kind: TradeType,
        /// Which.
        id: TradeId,
    },
    /// Two different splits or renames of a share in one instant.
    #[error("conflicting_action: {symbol} has another split or rename at this time")]
    ConflictingAction {
        /// The share.
        symbol: String,
    },
    /// A share would take the name of one that has a history.
    #[error("rename_onto_history: {to} has trades of its own before {from} takes its name")]
    RenameOntoHistory {
        /// The share.
        from: String,
        /// The name.
        to: String,
    },
    /// A number is more than any book holds.
    #[error("out_of_range: a sum of {symbol} is beyond 1e20")]
    GridEnds {
        /// The share.
        symbol: String,
    },
}

/// Every fact that is known.
#[derive(Debug, Default)]
pub struct History {
    names: Vec<String>,
    by_name: HashMap<String, Symbol>,
    trades: Vec<(Symbol, Trade)>,
    by_id: HashMap<(TradeType, TradeId), usize>,
    retracted: HashSet<(TradeType, TradeId)>,
    /// By time, and of one instant splits before renames.
    actions: BTreeMap<(i64, Symbol, bool), Action>,
}

impl History {
    /// The place of a share's name.
    pub fn symbol(&mut self, name: &str) -> Symbol {
        if let Some(known) = self.by_name.get(name) {
            return *known;
        }
        let symbol = Symbol(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(name.to_owned());
        self.by_name.insert(name.to_owned(), symbol);
        symbol
    }

    /// The name of a share.
    pub fn name(&self, symbol: Symbol) -> &str {
        let place = usize::try_from(symbol.0).unwrap_or(usize::MAX);
        self.names.get(place).map_or("", String::as_str)
    }

    /// A trade happened.
    ///
    /// # Errors
    ///
    /// Another one of its name is known. Stop.
    pub fn trade(&mut self, symbol: Symbol, trade: Trade) -> Result<(), Refused> {
        let (kind, id) = (trade.key.kind, trade.key.id);
        let place = *self.by_id.entry((kind, id)).or_insert(self.trades.len());
        match self.trades.get(place) {
            None => self.trades.push((symbol, trade)),
            Some(known) if *known == (symbol, trade) => {}
            Some(_) => return Err(Refused::ConflictingDuplicate { kind, id }),
        }
        Ok(())
    }

    /// A split or a new name, from this time on: microseconds since 1970.
    ///
    /// # Errors
    ///
    /// Another one of the share in the same instant. Stop.
    pub fn action(&mut self, symbol: Symbol, at: i64, action: Action) -> Result<(), Refused> {
        let renames = matches!(action, Action::Rename { .. });
        if *self.actions.entry((at, symbol, renames)).or_insert(action) != action {
            return Err(Refused::ConflictingAction { symbol: self.name(symbol).to_owned() });
        }
        Ok(())
    }

    /// A trade never happened.
    pub fn retract(&mut self, kind: TradeType, id: TradeId) {
        self.retracted.insert((kind, id));
    }

    /// Counts all of it.
    ///
    /// # Errors
    ///
    /// The facts cannot all be true, or a number ends the grid. Stop.
    pub fn play(mut self) -> Result<(Self, Counted), Refused> {
        let mut trades = std::mem::take(&mut self.trades);
        if !self.retracted.is_empty() {
            trades.retain(|(_, trade)| !self.retracted.contains(&(trade.key.kind, trade.key.id)));
        }
        // What is in order already is not sorted again.
        trades.sort_by_key(|(_, trade)| trade.key);
        let mut counter = Counter::new(usize::MAX);
        let mut actions = self.actions.iter().peekable();
        for (symbol, trade) in trades {
            while let Some(((at, of, _), action)) = actions.next_if(|((at, _, _), _)| *at <= trade.key.at) {
                counter.act(*of, *at, *action).map_err(|trouble| self.refused(*of, trouble))?;
            }
            counter.trade(symbol, trade).map_err(|trouble| self.refused(symbol, trouble))?;
        }
        for ((at, of, _), action) in actions {
            counter.act(*of, *at, *action).map_err(|trouble| self.refused(*of, trouble))?;
        }
        Ok((self, counter.end()))
    }

    fn refused(&self, symbol: Symbol, trouble: Trouble) -> Refused {
        let name = self.name(symbol).to_owned();
        match trouble {
            Trouble::GridEnds => Refused::GridEnds { symbol: name },
            Trouble::Taken(to) => Refused::RenameOntoHistory { from: name, to: self.name(to).to_owned() },
        }
    }
}
