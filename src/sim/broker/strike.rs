//! What can go wrong between a broker's truth and a client.
//!
//! A [`Strike`] is one thing that goes wrong; a [`Rule`] says when, at which
//! [`Ask`] and for which ticker; a [`Storm`] draws them by chance. The same
//! requests in the same order meet the same strikes.

use std::time::Duration;

use jiff::Timestamp;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{
    ledger::later,
    order::{Ending, Fate},
};
use crate::book::order::Refusal;

/// What a broker may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ask {
    /// To take an order.
    Submit,
    /// To put an order in another one's place.
    Replace,
    /// To cancel an order, or all.
    Cancel,
    /// For an order, by the client's id.
    Lookup,
    /// For an order, by the broker's id.
    Read,
    /// For orders.
    List,
    /// For executions.
    Activities,
    /// For the account, or for all of a login.
    Account,
    /// For positions.
    Positions,
    /// For the time.
    Clock,
    /// For the days and hours.
    Calendar,
    /// For bid and ask.
    Quote,
    /// For what shares closed at.
    Closes,
    /// For what companies announce.
    Actions,
    /// For what can be traded.
    Asset,
    /// For a login.
    Token,
    /// Anything else.
    Other,
}

impl Ask {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Submit,
        Self::Replace,
        Self::Cancel,
        Self::Lookup,
        Self::Read,
        Self::List,
        Self::Activities,
        Self::Account,
        Self::Positions,
        Self::Clock,
        Self::Calendar,
        Self::Quote,
        Self::Closes,
        Self::Actions,
        Self::Asset,
        Self::Token,
        Self::Other,
    ];

    /// The word at the control endpoints.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Replace => "replace",
            Self::Cancel => "cancel",
            Self::Lookup => "lookup",
            Self::Read => "read",
            Self::List => "list",
            Self::Activities => "activities",
            Self::Account => "account",
            Self::Positions => "positions",
            Self::Clock => "clock",
            Self::Calendar => "calendar",
            Self::Quote => "quote",
            Self::Closes => "closes",
            Self::Actions => "actions",
            Self::Asset => "asset",
            Self::Token => "token",
            Self::Other => "other",
        }
    }

    /// The one of a word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ask| ask.word() == word)
    }
}

/// One thing that goes wrong. Times are the account's, but for [`Strike::Delay`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strike {
    // Nothing is done.
    /// The request never arrives: the connection closes.
    Lose,
    /// The request never arrives: the connection stays, and nothing comes.
    LoseAndHang,
    /// An order arrives so much later; the connection closes at once.
    Late(Duration),
    /// Nothing is done, and this is the status.
    Fail(u16),
    /// 429, with or without the headers that say how long.
    Throttle {
        /// Whether it says how long.
        headers: bool,
    },
    /// An order is refused at once.
    Refuse(Refusal),

    // It is done, and the answer suffers.
    /// The connection closes before a byte of it.
    Drop,
    /// The connection closes in its middle.
    Cut,
    /// It never comes, and the connection stays.
    Hang,
    /// It says this status, as a gateway does.
    FailAfter(u16),
    /// The first half of its body, as if that were all.
    Truncate,
    /// It is no JSON.
    Garbage,
    /// It comes so much later, by the wall's clock.
    Delay(Duration),
    /// A proxy repeats the request: done twice, and the second answer comes.
    Twice,
    /// Orders in it have this status.
    Word(String),
    /// There are fields in it that nobody knows.
    Extra,
    /// What may be left out of it is.
    Bare,

    // How an order goes on that is taken.
    /// It is filled in the answer.
    AtOnce,
    /// It never fills.
    Hold,
    /// So many thousandths of it fill and no more.
    Partial(u32),
    /// More is filled than was asked for: so many thousandths of it.
    Overfill(u32),
    /// It fills in so many equal parts, so far from each other.
    Slices {
        /// How many.
        parts: u32,
        /// How far from each other.
        every: Duration,
    },
    /// It is rejected after so long.
    Reject {
        /// After so long.
        after: Duration,
        /// Why.
        reason: String,
    },
    /// It expires after so long.
    Expire(Duration),
    /// Somebody cancels it after so long.
    Vanish(Duration),
    /// The broker puts another in its place after so long.
    Supersede(Duration),
    /// It cannot be looked up, read or listed for so long.
    Hide(Duration),

    // What a cancel meets.
    /// The order fills all the same.
    TooLate,

    // What the market says.
    /// The clock says the opposite of the calendar.
    Contradict,
    /// There is no quote.
    NoQuote,
    /// The quote is zero on both sides.
    ZeroQuote,
    /// Bid and ask are the wrong way round.
    CrossedQuote,
    /// The login may not see quotes, nor other market data.
    ForbidQuote,

    // How Schwab says where an order is.
    /// Not at all.
    NoLocation,
    /// Without its own address.
    RelativeLocation,
    /// It names another order.
    OtherLocation,
}

impl Strike {
    /// Strikes the first time it could, and never again.
    pub fn once(self) -> Rule {
        self.first(1)
    }

    /// Strikes every time.
    pub fn always(self) -> Rule {
        self.when(When::Always)
    }

    /// Strikes the first `n` times it could.
    pub fn first(self, n: u64) -> Rule {
        self.when(When::First(n))
    }

    /// Strikes the `n`th time it could, counted from one.
    pub fn nth(self, n: u64) -> Rule {
        self.when(When::Nth(n))
    }

    /// Strikes by chance.
    pub fn permille(self, permille: u32) -> Rule {
        self.when(When::Permille(permille))
    }

    /// Strikes every time until so much later, by the account's clock.
    pub fn during(self, time: Duration) -> Rule {
        self.when(When::During(time))
    }

    fn when(self, when: When) -> Rule {
        Rule { strike: self, when, on: None, about: None }
    }

    /// Whether such a question could meet it.
    fn could_strike(&self, ask: Ask) -> bool {
        match self {
            Self::Lose
            | Self::LoseAndHang
            | Self::Fail(_)
            | Self::Throttle { .. }
            | Self::Drop
            | Self::Cut
            | Self::Hang
            | Self::FailAfter(_)
            | Self::Truncate
            | Self::Garbage
            | Self::Delay(_)
            | Self::Twice
            | Self::Extra
            | Self::Bare => true,
            Self::Word(_) => matches!(ask, Ask::Submit | Ask::Lookup | Ask::Read | Ask::List),
            Self::Late(_)
            | Self::Refuse(_)
            | Self::AtOnce
            | Self::Hold
            | Self::Partial(_)
            | Self::Overfill(_)
            | Self::Slices { .. }
            | Self::Reject { .. }
            | Self::Expire(_)
            | Self::Vanish(_)
            | Self::Supersede(_)
            | Self::Hide(_) => ask == Ask::Submit,
            Self::NoLocation | Self::RelativeLocation | Self::OtherLocation => {
                matches!(ask, Ask::Submit | Ask::Replace)
            }
            Self::TooLate => ask == Ask::Cancel,
            Self::Contradict => ask == Ask::Clock,
            Self::NoQuote | Self::ZeroQuote | Self::CrossedQuote => ask == Ask::Quote,
            Self::ForbidQuote => matches!(ask, Ask::Quote | Ask::Closes | Ask::Actions),
        }
    }
}

/// When a strike strikes, counted over the questions that it could.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Always,
    First(u64),
    Nth(u64),
    Permille(u32),
    During(Duration),
}

/// A strike, and when it strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    strike: Strike,
    when: When,
    on: Option<Ask>,
    about: Option<String>,
}

impl Rule {
    /// Only on this question.
    #[must_use]
    pub fn on(self, ask: Ask) -> Self {
        Self { on: Some(ask), ..self }
    }

    /// Only where it is about this ticker.
    #[must_use]
    pub fn about(self, symbol: &str) -> Self {
        Self { about: Some(symbol.to_owned()), ..self }
    }

    fn concerns(&self, ask: Ask, symbol: Option<&str>) -> bool {
        self.strike.could_strike(ask)
            && self.on.is_none_or(|on| on == ask)
            && self.about.as_deref().is_none_or(|about| {
                // A question may be about several.
                symbol.is_some_and(|symbols| symbols.split(',').any(|symbol| symbol == about))
            })
    }
}

/// Strikes by chance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storm {
    seed: u64,
    rules: Vec<Rule>,
}

impl Storm {
    /// A bit of everything that a broker that comes to rest again does: about every
    /// fifth order meets something, and about every tenth question.
    pub fn seeded(seed: u64) -> Self {
        let seconds = Duration::from_secs;
        let reason = "rejected by the market".to_owned();
        let rules = vec![
            Strike::Drop.permille(15),
            Strike::Drop.permille(25).on(Ask::Submit),
            Strike::Lose.permille(15),
            Strike::Lose.permille(20).on(Ask::Submit),
            Strike::Cut.permille(5),
            Strike::Fail(503).permille(15),
            Strike::FailAfter(500).permille(10),
            Strike::FailAfter(504).permille(10).on(Ask::Submit),
            Strike::Truncate.permille(5),
            Strike::Garbage.permille(5),
            Strike::Throttle { headers: true }.permille(5),
            Strike::Throttle { headers: false }.permille(5),
            Strike::Twice.permille(10).on(Ask::Cancel),
            Strike::Late(seconds(3)).permille(10),
            Strike::Hide(seconds(5)).permille(30),
            Strike::Partial(400).permille(30),
            Strike::Slices { parts: 3, every: seconds(5) }.permille(50),
            Strike::Reject { after: seconds(2), reason }.permille(15),
            Strike::Expire(seconds(20)).permille(10),
            Strike::Vanish(seconds(20)).permille(15),
            Strike::Supersede(seconds(5)).permille(10),
            Strike::AtOnce.permille(50),
            Strike::Refuse(Refusal::Funds).permille(10),
            Strike::TooLate.permille(200),
            Strike::Word("pending_fates".to_owned()).permille(10),
            Strike::Extra.permille(30),
            Strike::Bare.permille(30),
            Strike::Contradict.permille(10),
            Strike::NoQuote.permille(10),
            Strike::ZeroQuote.permille(10),
            Strike::CrossedQuote.permille(10),
            Strike::ForbidQuote.permille(5),
            Strike::NoLocation.permille(20),
            Strike::RelativeLocation.permille(20),
            Strike::OtherLocation.permille(10),
        ];
        Self { seed, rules }
    }

    /// No strikes but these, by chance.
    pub fn of(seed: u64, rules: Vec<Rule>) -> Self {
        Self { seed, rules }
    }
}

/// The rules of an account, and how often each was met.
#[derive(Debug)]
pub(super) struct Strikes {
    rules: Vec<(Rule, u64, Option<Timestamp>)>,
    chance: StdRng,
}

impl Strikes {
    pub(super) fn seeded(seed: u64) -> Self {
        Self { rules: Vec::new(), chance: StdRng::seed_from_u64(seed ^ 0x0073_7472_696b_6573) }
    }

    pub(super) fn add(&mut self, rule: Rule, now: Timestamp) {
        let until = if let When::During(time) = rule.when { Some(later(now, time)) } else { None };
        self.rules.push((rule, 0, until));
    }

    pub(super) fn storm(&mut self, storm: Storm, now: Timestamp) {
        self.chance = StdRng::seed_from_u64(storm.seed);
        for rule in storm.rules {
            self.add(rule, now);
        }
    }

    pub(super) fn calm(&mut self) {
        self.rules.clear();
    }

    /// What strikes this question.
    pub(super) fn draw(&mut self, ask: Ask, symbol: Option<&str>, now: Timestamp) -> Bent {
        let chance = &mut self.chance;
        let mut bent = Vec::new();
        for (rule, met, until) in &mut self.rules {
            if !rule.concerns(ask, symbol) {
                continue;
            }
            *met += 1;
            let strikes = match rule.when {
                When::Always => true,
                When::First(n) => *met <= n,
                When::Nth(n) => *met == n,
                When::Permille(permille) => chance.random_range(0..1000) < permille,
                When::During(_) => until.is_some_and(|until| now < until),
            };
            if strikes {
                bent.push(rule.strike.clone());
            }
        }
        self.rules.retain(|(rule, met, until)| match rule.when {
            When::First(n) | When::Nth(n) => *met < n,
            When::During(_) => until.is_some_and(|until| now < until),
            When::Always | When::Permille(_) => true,
        });
        Bent(bent)
    }
}

/// What strikes one question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bent(pub(super) Vec<Strike>);

impl Bent {
    pub(super) fn has(&self, strike: &Strike) -> bool {
        self.0.contains(strike)
    }

    /// The status that orders are to have.
    pub(super) fn word(&self) -> Option<&str> {
        self.0
            .iter()
            .find_map(|strike| if let Strike::Word(word) = strike { Some(word.as_str()) } else { None })
    }

    /// How much later an order is to arrive.
    pub(super) fn late(&self) -> Option<Duration> {
        self.0.iter().find_map(|strike| if let Strike::Late(by) = strike { Some(*by) } else { None })
    }

    /// How an order is to go on.
    pub(super) fn fate(&self) -> Fate {
        let mut fate = Fate::default();
        for strike in &self.0 {
            #[expect(clippy::wildcard_enum_match_arm, reason = "the others are not about an order's course")]
            match strike {
                Strike::AtOnce => fate.at_once = true,
                Strike::Hold => fate.held = true,
                Strike::Partial(permille) | Strike::Overfill(permille) => fate.permille = Some(*permille),
                Strike::Slices { parts, every } => fate.slices = Some((*parts, *every)),
                Strike::Reject { after, reason } => {
                    fate.ending = Some((*after, Ending::Reject(reason.clone())));
                }
                Strike::Expire(after) => fate.ending = Some((*after, Ending::Expire)),
                Strike::Vanish(after) => fate.ending = Some((*after, Ending::Cancel)),
                Strike::Supersede(after) => fate.ending = Some((*after, Ending::Replace)),
                Strike::Hide(time) => fate.hidden = *time,
                _ => {}
            }
        }
        fate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(strikes: &mut Strikes, ask: Ask, symbol: &str) -> Vec<Strike> {
        strikes.draw(ask, Some(symbol), Timestamp::UNIX_EPOCH).0
    }

    #[test]
    fn a_rule_counts_only_what_it_could_strike() {
        let mut strikes = Strikes::seeded(1);
        strikes.add(Strike::Drop.nth(2).on(Ask::Submit).about("AAPL"), Timestamp::UNIX_EPOCH);
        assert_eq!(drawn(&mut strikes, Ask::Submit, "AAPL"), []);
        assert_eq!(drawn(&mut strikes, Ask::Submit, "TSLA"), []);
        assert_eq!(drawn(&mut strikes, Ask::Read, "AAPL"), []);
        assert_eq!(drawn(&mut strikes, Ask::Submit, "TSLA,AAPL"), [Strike::Drop]);
        assert_eq!(drawn(&mut strikes, Ask::Submit, "AAPL"), []);
    }

    #[test]
    fn an_orders_course_is_struck_only_where_it_is_placed() {
        let mut strikes = Strikes::seeded(1);
        strikes.add(Strike::Hold.always(), Timestamp::UNIX_EPOCH);
        assert_eq!(drawn(&mut strikes, Ask::Cancel, "AAPL"), []);
        assert_eq!(drawn(&mut strikes, Ask::Submit, "AAPL"), [Strike::Hold]);
    }

    #[test]
    fn what_strikes_for_a_time_ends_with_it() {
        let mut strikes = Strikes::seeded(1);
        let (start, second) = (Timestamp::UNIX_EPOCH, Duration::from_secs(1));
        strikes.add(Strike::Throttle { headers: true }.during(second), start);
        assert_eq!(strikes.draw(Ask::Read, None, start).0.len(), 1);
        assert_eq!(strikes.draw(Ask::Read, None, later(start, second)).0.len(), 0);
    }

    #[test]
    fn a_storm_is_the_same_from_the_same_seed() {
        let course = |seed| {
            let mut strikes = Strikes::seeded(1);
            strikes.storm(Storm::seeded(seed), Timestamp::UNIX_EPOCH);
            (0..200).map(|_| drawn(&mut strikes, Ask::Submit, "AAPL")).collect::<Vec<_>>()
        };
        assert_eq!(course(3), course(3));
        assert_ne!(course(3), course(4));
        let struck = course(3).iter().filter(|drawn| !drawn.is_empty()).count();
        assert!((40..160).contains(&struck), "{struck} of 200");
    }
}
