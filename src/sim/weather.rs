//! What can go wrong between a true chain and a client.
//!
//! A [`Weather`] is a list of rules, each a [`Fault`] and when it strikes. A
//! script says it exactly ("the third `eth_getLogs`", "block 17"), a seed says
//! it by chance, and a storm redraws the rules every few requests. Nothing
//! reads a clock: the same requests in the same order meet the same weather.
//!
//! Absent on purpose: how a fault is carried out. That is the node's part.

use super::provider::Provider;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use std::time::Duration;

/// What a node may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the method of its name")]
pub enum Method {
    ChainId,
    NetVersion,
    ClientVersion,
    Syncing,
    BlockNumber,
    BlockByNumber,
    BlockByHash,
    Logs,
    BlockReceipts,
    TransactionReceipt,
    Call,
    Code,
    Trace,
    /// Anything else: the node does not have it.
    Unknown,
}

impl Method {
    const NAMED: [(&'static str, Self); 13] = [
        ("eth_chainId", Self::ChainId),
        ("net_version", Self::NetVersion),
        ("web3_clientVersion", Self::ClientVersion),
        ("eth_syncing", Self::Syncing),
        ("eth_blockNumber", Self::BlockNumber),
        ("eth_getBlockByNumber", Self::BlockByNumber),
        ("eth_getBlockByHash", Self::BlockByHash),
        ("eth_getLogs", Self::Logs),
        ("eth_getBlockReceipts", Self::BlockReceipts),
        ("eth_getTransactionReceipt", Self::TransactionReceipt),
        ("eth_call", Self::Call),
        ("eth_getCode", Self::Code),
        ("debug_traceTransaction", Self::Trace),
    ];

    /// By the name on the wire.
    pub fn named(name: &str) -> Self {
        let named = Self::NAMED.iter().find(|(known, _)| *known == name);
        named.map_or(Self::Unknown, |(_, method)| *method)
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        let named = Self::NAMED.iter().find(|(_, method)| *method == self);
        named.map_or("unknown", |(name, _)| *name)
    }
}

/// Which log of an answer a fault is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The first.
    First,
    /// The last.
    Last,
    /// Any, by chance.
    Any,
    /// This one, if the answer has it.
    At {
        /// Its block's number.
        block: u64,
        /// Its place in the block.
        log_index: u64,
    },
}

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    // The view of the chain.
    /// The node is so many blocks behind, for all of a request.
    Lag(u64),
    /// The node still follows the branch that was left last, for all of a request.
    StaleBranch,
    /// Blocks asked for by number or hash are null.
    NullBlocks,
    /// The answer is null, whatever was asked.
    NullResult,
    /// The answer is this JSON, whatever was asked.
    Say(String),
    /// The chain id is another.
    WrongChainId(u64),

    // Logs.
    /// No logs.
    EmptyLogs,
    /// One log is left out.
    OmitLog(Pick),
    /// The second half of the logs is left out.
    TruncateLogs,
    /// One log comes twice.
    DuplicateLog(Pick),
    /// The logs come in another order.
    ShuffleLogs,
    /// One log says another block hash.
    WrongBlockHash(Pick),
    /// One log is from another contract.
    ForeignAddress(Pick),
    /// One log has another topic.
    ForeignTopic(Pick),
    /// One log is marked as removed.
    RemovedLog(Pick),
    /// One log more, which is not on the chain, is like this one.
    PhantomLog(Pick),
    /// Of a block's logs, exactly these, by log index, in this order.
    ExactlyLogs {
        /// The block's number.
        block: u64,
        /// The logs' places in the block.
        log_indexes: Vec<u64>,
    },
    /// The question is refused, in somebody's words, whatever its size.
    Refuse(Provider),

    // Headers, receipts, state.
    /// The bloom in the header is not the one that its hash covers.
    WrongBloom,
    /// The bloom is zero though the hash covers the true one.
    ZeroBloom,
    /// A receipt lacks a log.
    ReceiptWithout(Pick),
    /// The node does not have this method.
    MethodNotFound,
    /// State older than so many blocks is gone.
    PrunedState(u64),

    // The wire.
    /// 429, perhaps with `Retry-After` in seconds.
    Throttle(Option<u64>),
    /// 503.
    Unavailable,
    /// HTTP 200 and a JSON-RPC error about a rate limit.
    RateLimitError,
    /// The connection is cut before a byte of the answer.
    CutBefore,
    /// The connection is cut in the middle of the answer.
    CutWithin,
    /// The answer takes so long.
    Slow(Duration),
    /// The answer is noise.
    Garbage,
    /// The answer is a web page.
    HtmlPage,
    /// The answer is the first half of some JSON.
    TruncatedJson,
    /// A batch is answered by a single error.
    BatchRefused,
    /// A batch is answered in another order.
    BatchReordered,
    /// A batch is answered but for its last question.
    BatchShort,
}

impl Fault {
    /// Strikes every time.
    pub fn always(self) -> Rule {
        self.when(When::Always)
    }

    /// Strikes the `n`th time it could, counted from one.
    pub fn nth(self, n: u64) -> Rule {
        self.when(When::Nth(n))
    }

    /// Strikes the first `n` times it could.
    pub fn first(self, n: u64) -> Rule {
        self.when(When::First(n))
    }

    /// Strikes each `n`th time it could.
    pub fn every(self, n: u64) -> Rule {
        self.when(When::Every(n))
    }

    /// Strikes by chance.
    pub fn permille(self, permille: u32) -> Rule {
        self.when(When::Permille(permille))
    }

    fn when(self, when: When) -> Rule {
        Rule { fault: self, when, on: None, about: None }
    }

    /// Whether it strikes the whole HTTP answer and not one call.
    fn is_of_the_wire(&self) -> bool {
        matches!(
            self,
            Self::Throttle(_)
                | Self::Unavailable
                | Self::RateLimitError
                | Self::CutBefore
                | Self::CutWithin
                | Self::Slow(_)
                | Self::Garbage
                | Self::HtmlPage
                | Self::TruncatedJson
                | Self::BatchRefused
                | Self::BatchReordered
                | Self::BatchShort
        )
    }

    /// Whether it only strikes batches.
    fn is_of_batches(&self) -> bool {
        matches!(self, Self::BatchRefused | Self::BatchReordered | Self::BatchShort)
    }

    /// Whether an answer to `method` could have it.
    fn could_strike(&self, method: Method) -> bool {
        match self {
            Self::EmptyLogs
            | Self::OmitLog(_)
            | Self::TruncateLogs
            | Self::DuplicateLog(_)
            | Self::ShuffleLogs
            | Self::WrongBlockHash(_)
            | Self::ForeignAddress(_)
            | Self::ForeignTopic(_)
            | Self::RemovedLog(_)
            | Self::PhantomLog(_)
            | Self::ExactlyLogs { .. }
            | Self::Refuse(_) => method == Method::Logs,
            Self::NullBlocks | Self::WrongBloom | Self::ZeroBloom => {
                matches!(method, Method::BlockByNumber | Method::BlockByHash)
            }
            Self::ReceiptWithout(_) => {
                matches!(method, Method::BlockReceipts | Method::TransactionReceipt)
            }
            Self::PrunedState(_) => matches!(method, Method::Call | Method::Code),
            Self::WrongChainId(_) => matches!(method, Method::ChainId | Method::NetVersion),
            Self::Lag(_)
            | Self::StaleBranch
            | Self::NullResult
            | Self::Say(_)
            | Self::MethodNotFound
            | Self::Throttle(_)
            | Self::Unavailable
            | Self::RateLimitError
            | Self::CutBefore
            | Self::CutWithin
            | Self::Slow(_)
            | Self::Garbage
            | Self::HtmlPage
            | Self::TruncatedJson
            | Self::BatchRefused
            | Self::BatchReordered
            | Self::BatchShort => true,
        }
    }
}

/// When a fault strikes, counted over the calls or requests that it could.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    Nth(u64),
    First(u64),
    Every(u64),
    Permille(u32),
}

/// A fault and when it strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    fault: Fault,
    when: When,
    on: Option<Method>,
    about: Option<u64>,
}

impl Rule {
    /// Only on this method; for a fault of the wire, on requests that hold it.
    #[must_use]
    pub fn on(self, method: Method) -> Self {
        Self { on: Some(method), ..self }
    }

    /// Only on questions about this block, or a range with it.
    #[must_use]
    pub fn about(self, block: u64) -> Self {
        Self { about: Some(block), ..self }
    }

    /// Whether it strikes a request as a whole: a batch goes down one wire and
    /// to one backend. A view bent for one method alone is a proxy's that deals
    /// a batch out to several.
    fn is_of_requests(&self) -> bool {
        let of_the_view = matches!(self.fault, Fault::Lag(_) | Fault::StaleBranch);
        self.fault.is_of_the_wire() || (of_the_view && self.on.is_none())
    }

    fn concerns(&self, call: Asked) -> bool {
        self.fault.could_strike(call.method)
            && self.on.is_none_or(|method| method == call.method)
            && self
                .about
                .is_none_or(|block| call.blocks.is_some_and(|(from, to)| (from..=to).contains(&block)))
    }
}

/// What a rule needs to know about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) method: Method,
    /// The blocks that it is about, first and last.
    pub(super) blocks: Option<(u64, u64)>,
}

/// How big a question about logs may be, and in whose words it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// In whose words.
    pub provider: Provider,
    /// At most so many blocks in a range.
    pub blocks: Option<u64>,
    /// At most so many logs in an answer.
    pub results: Option<u64>,
}

/// What a node does when asked for logs of a block that is not canonical.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SideLogs {
    /// Answers with them, as geth does.
    Answered,
    /// Answers that there are none, as some did.
    Empty,
    /// Answers with an error.
    Refused,
}

/// What kind of node it is: habits, not faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// How far `safe` is behind the head; none, and the tag is refused.
    pub safe: Option<u64>,
    /// How far `finalized` is behind the head; none, and the tag is refused.
    pub finalized: Option<u64>,
    /// Whether logs say their block's timestamp.
    pub log_timestamps: bool,
    /// Whether a range that begins beyond the head is an error, as on anvil,
    /// or has no logs.
    pub beyond_head_is_an_error: bool,
    /// Logs asked for by the hash of a side block.
    pub side_logs: SideLogs,
    /// Whether `eth_getBlockReceipts` is there.
    pub block_receipts: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            safe: Some(32),
            finalized: Some(64),
            log_timestamps: true,
            beyond_head_is_an_error: false,
            side_logs: SideLogs::Answered,
            block_receipts: true,
        }
    }
}

/// What clients of a node have to live through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weather {
    /// Every answer takes at least so long.
    pub latency: Duration,
    /// How big a question about logs may be.
    pub limits: Option<Limits>,
    /// What kind of node it is.
    pub manner: Manner,
    /// What else goes wrong.
    pub rules: Vec<Rule>,
    /// What chance is drawn from.
    pub seed: u64,
    /// Whether limits and rules are drawn anew every few requests.
    stormy: bool,
}

impl Weather {
    /// Nothing goes wrong.
    pub fn calm() -> Self {
        Self::default()
    }

    /// Something else goes wrong every few requests, drawn from a seed.
    ///
    /// Of all faults it leaves out those after which a client rightly stops
    /// for good or that say nothing by chance: another chain id, a missing
    /// method, answers given word for word.
    pub fn storm(seed: u64) -> Self {
        Self { seed, stormy: true, ..Self::calm() }
    }

    /// Weathers that a person may ask for by name.
    pub const NAMES: [&'static str; 8] =
        ["calm", "lagging", "forgetful", "lying", "busy", "broken", "narrow", "storm"];

    /// The weather of one of [`Self::NAMES`].
    pub fn named(name: &str) -> Option<Self> {
        let calm = Self::calm();
        Some(match name {
            "calm" => calm,
            "lagging" => calm.with(Fault::Lag(3).every(3)),
            "forgetful" => calm.with(Fault::OmitLog(Pick::Any).every(3)),
            "lying" => calm
                .with(Fault::EmptyLogs.permille(100))
                .with(Fault::PhantomLog(Pick::Any).permille(100))
                .with(Fault::WrongBlockHash(Pick::Any).permille(100))
                .with(Fault::RemovedLog(Pick::Any).permille(100))
                .with(Fault::ForeignAddress(Pick::Any).permille(100)),
            "busy" => calm
                .with(Fault::Throttle(Some(1)).permille(150))
                .with(Fault::RateLimitError.permille(100))
                .with(Fault::Unavailable.permille(50)),
            "broken" => calm
                .with(Fault::CutBefore.permille(50))
                .with(Fault::CutWithin.permille(50))
                .with(Fault::TruncatedJson.permille(50))
                .with(Fault::Garbage.permille(50))
                .with(Fault::HtmlPage.permille(50))
                .with(Fault::BatchShort.permille(50)),
            "narrow" => calm.limited(Provider::Infura, Some(2000), Some(10_000)),
            "storm" => Self::storm(0),
            _ => return None,
        })
    }

    /// This weather with one more rule.
    #[must_use]
    pub fn with(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// This weather with limits in somebody's words.
    #[must_use]
    pub fn limited(self, provider: Provider, blocks: Option<u64>, results: Option<u64>) -> Self {
        Self { limits: Some(Limits { provider, blocks, results }), ..self }
    }

    /// This weather with every answer taking at least so long.
    #[must_use]
    pub fn with_latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// This weather at another kind of node.
    #[must_use]
    pub fn of_manner(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }

    /// This weather with another seed.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }
}

/// A weather under way: what was counted and drawn so far.
#[derive(Debug)]
pub(super) struct Sky {
    pub(super) weather: Weather,
    struck: Vec<u64>,
    rng: StdRng,
    redraw_in: u32,
}

impl Sky {
    pub(super) fn new(weather: Weather) -> Self {
        Self {
            struck: vec![0; weather.rules.len()],
            rng: StdRng::seed_from_u64(weather.seed),
            redraw_in: 0,
            weather,
        }
    }

    /// Before each request: a storm may turn.
    pub(super) fn turn(&mut self) {
        if !self.weather.stormy {
            return;
        }
        match self.redraw_in.checked_sub(1) {
            Some(left) => self.redraw_in = left,
            None => self.redraw(),
        }
    }

    fn redraw(&mut self) {
        self.redraw_in = self.rng.random_range(2..12);
        self.weather.limits = self.rng.random_ratio(1, 3).then(|| Limits {
            provider: *Provider::ALL.choose(&mut self.rng).unwrap_or(&Provider::MadeUp),
            blocks: Some(self.rng.random_range(1..200)),
            results: self.rng.random::<bool>().then(|| self.rng.random_range(5..200)),
        });
        let rules = self.rng.random_range(0..4_u8);
        self.weather.rules = (0..rules).map(|_| self.draw()).collect();
        self.struck = vec![0; self.weather.rules.len()];
    }

    fn draw(&mut self) -> Rule {
        let rng = &mut self.rng;
        let pick = *[Pick::First, Pick::Last, Pick::Any].choose(rng).unwrap_or(&Pick::Any);
        let provider = *Provider::ALL.choose(rng).unwrap_or(&Provider::MadeUp);
        let few = rng.random_range(1..6_u64);
        let faults = [
            Fault::Lag(few),
            Fault::StaleBranch,
            Fault::NullBlocks,
            Fault::NullResult,
            Fault::EmptyLogs,
            Fault::OmitLog(pick),
            Fault::TruncateLogs,
            Fault::DuplicateLog(pick),
            Fault::ShuffleLogs,
            Fault::WrongBlockHash(pick),
            Fault::ForeignAddress(pick),
            Fault::ForeignTopic(pick),
            Fault::RemovedLog(pick),
            Fault::PhantomLog(pick),
            Fault::Refuse(provider),
            Fault::WrongBloom,
            Fault::ZeroBloom,
            Fault::ReceiptWithout(pick),
            Fault::PrunedState(few),
            Fault::Throttle(None),
            Fault::Throttle(Some(0)),
            Fault::Unavailable,
            Fault::RateLimitError,
            Fault::CutBefore,
            Fault::CutWithin,
            Fault::Slow(Duration::from_millis(few * 5)),
            Fault::Garbage,
            Fault::HtmlPage,
            Fault::TruncatedJson,
            Fault::BatchRefused,
            Fault::BatchReordered,
            Fault::BatchShort,
        ];
        let permille = rng.random_range(100..600);
        let fault = faults.choose(rng).cloned().unwrap_or(Fault::Unavailable);
        match rng.random_range(0..3_u8) {
            0 => fault.first(few),
            1 => fault.every(few),
            _ => fault.permille(permille),
        }
    }

    /// The faults that strike one call.
    pub(super) fn strike_call(&mut self, call: Asked) -> Vec<Fault> {
        self.strike(|rule| !rule.is_of_requests() && rule.concerns(call))
    }

    /// The faults that strike a whole request: on its wire, or at its backend.
    pub(super) fn strike_request(&mut self, calls: &[Asked], batch: bool) -> Vec<Fault> {
        self.strike(|rule| {
            rule.is_of_requests()
                && (batch || !rule.fault.is_of_batches())
                && calls.iter().any(|call| rule.concerns(*call))
        })
    }

    fn strike(&mut self, concerns: impl Fn(&Rule) -> bool) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (rule, seen) in self.weather.rules.iter().zip(&mut self.struck) {
            if !concerns(rule) {
                continue;
            }
            *seen += 1;
            let strikes = match rule.when {
                When::Always => true,
                When::Nth(n) => *seen == n,
                When::First(n) => *seen <= n,
                When::Every(n) => seen.is_multiple_of(n),
                When::Permille(permille) => self.rng.random_ratio(permille.min(1000), 1000),
            };
            if strikes {
                faults.push(rule.fault.clone());
            }
        }
        faults
    }

    /// A seed for what one answer draws by itself.
    pub(super) fn seed(&mut self) -> u64 {
        self.rng.random()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGS: Asked = Asked { method: Method::Logs, blocks: Some((10, 20)) };

    fn strikes(rule: Rule, calls: usize) -> Vec<bool> {
        let mut sky = Sky::new(Weather::calm().with(rule));
        (0..calls).map(|_| !sky.strike_call(LOGS).is_empty()).collect()
    }

    #[test]
    fn a_rule_counts_the_calls_that_it_could_strike() {
        let (no, yes) = (false, true);
        assert_eq!(strikes(Fault::EmptyLogs.nth(2), 4), [no, yes, no, no]);
        assert_eq!(strikes(Fault::EmptyLogs.first(2), 4), [yes, yes, no, no]);
        assert_eq!(strikes(Fault::EmptyLogs.every(2), 4), [no, yes, no, yes]);
        assert_eq!(strikes(Fault::EmptyLogs.always().about(21), 2), [no, no]);
        assert_eq!(strikes(Fault::Lag(1).always().on(Method::Call), 1), [no]);
        assert_eq!(strikes(Fault::NullBlocks.always(), 1), [no]);
    }

    #[test]
    fn a_storm_is_the_same_for_the_same_seed_and_is_never_still() {
        let days = |seed| {
            let mut sky = Sky::new(Weather::storm(seed));
            let mut days = Vec::new();
            for _ in 0..200 {
                sky.turn();
                days.push((sky.weather.rules.clone(), sky.strike_call(LOGS)));
            }
            days
        };
        assert_eq!(days(4), days(4));
        assert_ne!(days(4), days(5));
        let struck = days(4).iter().filter(|(_, faults)| !faults.is_empty()).count();
        assert!((5..195).contains(&struck), "{struck} of 200");
    }

    #[test]
    fn methods_are_known_by_their_names() {
        for (name, method) in Method::NAMED {
            assert_eq!(Method::named(name), method);
            assert_eq!(method.as_str(), name);
        }
        assert_eq!(Method::named("eth_mystery"), Method::Unknown);
    }
}
