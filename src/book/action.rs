//! What companies do to their shares: splits, new tickers, cash dividends.

use jiff::{Timestamp, civil::Date};

use crate::units::{Amount, Price};

/// What changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// So many new shares for so many old ones; a reverse split has fewer new than old.
    Split {
        /// New shares, above zero.
        new: Amount,
        /// Old shares, above zero.
        old: Amount,
    },
    /// Another ticker.
    Rename {
        /// The new one.
        to: String,
    },
    /// Cash for whoever is long on the record date, from whoever is short.
    Dividend {
        /// Dollars a share, above zero.
        per_share: Price,
    },
}

/// One corporate action of a share.
///
/// - **Source** a broker's announcements and activities, or a person.
/// - **Never** edited: one that is called off is withdrawn, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorporateAction {
    /// The source's own id.
    pub id: String,
    /// The ticker before it.
    pub symbol: String,
    /// What changes.
    pub change: Change,
    /// The first day that trades are of the new kind.
    pub ex_date: Date,
    /// Midnight in New York as that day begins: before its first trade.
    pub effective_at: Timestamp,
    /// Who holds shares at the end of this day is meant.
    pub record_date: Option<Date>,
    /// When cash or shares arrive.
    pub payable_date: Option<Date>,
    /// The source's words: evidence.
    pub said: String,
}
