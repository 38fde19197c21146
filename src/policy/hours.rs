//! Whether anything may be sent now, and how (`domain.md` R32).

use jiff::{SignedDuration, Timestamp};

use super::{Hold, Hours, Reason, View, at, hold};
use crate::time::{Session, TradingDay, new_york_date, nyse::next_trading_day};

/// An order that leaves so shortly before the end of a session may arrive after it (`faults.md` F43).
const LAST_MOMENTS: SignedDuration = SignedDuration::from_secs(15);

/// What may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Open {
    /// An order at the market's price.
    Market,
    /// An order with a limit; and how long before a closure that is longer than a night, if one follows.
    Limit(Option<SignedDuration>),
}

/// What may be sent now, or why nothing may.
pub(super) fn open(view: &View<'_>) -> Result<Open, Hold> {
    let today = new_york_date(view.now);
    let day = match view.hours {
        Hours::Unknown => {
            return hold(Reason::HoursUnknown, "nobody can tell whether the market is open");
        }
        Hours::ClosedDay => {
            return hold(
                Reason::Closed,
                format!("no trading day; it opens on {} by the exchange's rules", next_trading_day(today)),
            );
        }
        Hours::Day(day) if day.date != today => {
            let detail = format!("the calendar tells of {}, and it is {today} in New York", day.date);
            return hold(Reason::HoursUnknown, detail);
        }
        Hours::Day(day) => day,
    };
    let may = view.extended && view.capabilities.extended;
    let session = day.session_at(view.now);
    let closed = |why: &str| hold(Reason::Closed, format!("{why}; {}", opens(&day, view.now, may)));
    match (session, day.next_bell(view.now)) {
        (Session::Closed, _) | (_, None) => closed("the market is closed"),
        (Session::Extended, _) if !view.extended => {
            closed("only the extended session is on, and it is not hedged in")
        }
        (Session::Extended, _) if !may => {
            closed("only the extended session is on, and the venue takes no orders in it")
        }
        (_, Some(bell)) if bell.duration_since(view.now) <= LAST_MOMENTS => {
            closed(&format!("the session ends at {}", at(bell)))
        }
        (Session::Regular, _) => Ok(Open::Market),
        (Session::Extended, Some(bell)) => {
            let long = bell == day.late && day.date.tomorrow().ok() != Some(next_trading_day(day.date));
            Ok(Open::Limit(long.then(|| bell.duration_since(view.now))))
        }
    }
}

/// When it opens next for a symbol that may be hedged in extended sessions, or may not.
fn opens(day: &TradingDay, now: Timestamp, extended: bool) -> String {
    let bells = [(day.early, extended), (day.open, true), (day.close, extended && day.close < day.late)];
    match bells.into_iter().find(|(bell, counts)| *counts && now < *bell) {
        Some((bell, _)) => format!("it opens at {}", at(bell)),
        None => format!("it opens on {} by the exchange's rules", next_trading_day(day.date)),
    }
}
