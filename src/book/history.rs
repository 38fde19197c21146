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
    lot::GridEnds,
    pnl::{Book, Figures, Match, Trade, TradeId, TradeType},
};
use crate::units::Amount;

/// A share by its place in a [`History`]'s names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(pub u32);

/// What a company did to its shares, as it changes lots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// So many new shares for so many old ones.
    Split {
        /// New shares.
        new: Amount,
        /// For so many old ones.
        old: Amount,
    },
    /// The book goes on under another ticker.
    Rename {
        /// The new one.
        to: Symbol,
    },
}

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

/// What a history comes to.
#[derive(Debug, Default)]
pub struct Played {
    /// One a trade, in order.
    pub rows: Vec<Row>,
    /// What closed what, in order.
    pub matches: Vec<Match>,
    /// Where the books of each share end; none of a share that was renamed.
    pub books: BTreeMap<Symbol, Book>,
}

/// A trade, and where the books of its share stood after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The share, by its name then.
    pub symbol: Symbol,
    /// The trade.
    pub trade: Trade,
    /// Where the books stood.
    pub figures: Figures,
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
    pub fn play(mut self) -> Result<(Self, Played), Refused> {
        let mut trades = std::mem::take(&mut self.trades);
        if !self.retracted.is_empty() {
            trades.retain(|(_, trade)| !self.retracted.contains(&(trade.key.kind, trade.key.id)));
        }
        // What is in order already is not sorted again.
        trades.sort_by_key(|(_, trade)| trade.key);
        let mut books = Books::default();
        let mut played = Played { rows: Vec::with_capacity(trades.len()), ..Played::default() };
        let mut actions = self.actions.iter().peekable();
        for (symbol, trade) in trades {
            while let Some(((_, of, _), action)) = actions.next_if(|((at, _, _), _)| *at <= trade.key.at) {
                books.act(*of, *action).map_err(|trouble| self.refused(*of, trouble))?;
            }
            let figures = books
                .of(symbol)
                .trade(&trade, &mut played.matches)
                .map_err(|GridEnds| self.refused(symbol, Trouble::GridEnds))?;
            played.rows.push(Row { symbol, trade, figures });
        }
        for ((_, of, _), action) in actions {
            books.act(*of, *action).map_err(|trouble| self.refused(*of, trouble))?;
        }
        played.books = books.0;
        Ok((self, played))
    }

    fn refused(&self, symbol: Symbol, trouble: Trouble) -> Refused {
        let name = self.name(symbol).to_owned();
        match trouble {
            Trouble::GridEnds => Refused::GridEnds { symbol: name },
            Trouble::Taken(to) => Refused::RenameOntoHistory { from: name, to: self.name(to).to_owned() },
        }
    }
}

/// The books of several shares that may take each other's names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books(pub BTreeMap<Symbol, Book>);

/// Why an action cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A number is more than any book holds.
    GridEnds,
    /// The name has a history of its own.
    Taken(Symbol),
}

impl Books {
    /// The books of a share; new ones where it has none.
    pub fn of(&mut self, symbol: Symbol) -> &mut Book {
        self.0.entry(symbol).or_default()
    }

    /// Does to lots what a company did to its shares. A share without books has nothing to change.
    ///
    /// # Errors
    ///
    /// The grid ends, or the new name has books already. Stop.
    pub fn act(&mut self, symbol: Symbol, action: Action) -> Result<(), Trouble> {
        match action {
            Action::Split { new, old } => match self.0.get_mut(&symbol) {
                Some(book) => book.queue.split(new, old).map_err(|GridEnds| Trouble::GridEnds),
                None => Ok(()),
            },
            Action::Rename { to } if self.0.contains_key(&to) => Err(Trouble::Taken(to)),
            Action::Rename { to } => {
                if let Some(book) = self.0.remove(&symbol) {
                    self.0.insert(to, book);
                }
                Ok(())
            }
        }
    }
}
