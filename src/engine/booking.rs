//! Logs → a page of facts.
//!
//! Groups logs by transaction, reads them, asks the chain what booking needs
//! (a token's decimals, a wrapper's ratio at the fill's block) and writes the
//! page. What a token will not say becomes a skip; only a node that gives no
//! answer at all makes the caller try again.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use alloy::primitives::{Address, B256, U256};

use crate::{
    assets::{Directory, Leg},
    book::log::{Log, Place},
    chain::{
        booking::{Need, Token, Tokens, book, moves, needs},
        nodes::Nodes,
        raindex::{self, Incomplete, Reading},
        refusal::Meaning,
        rpc::{Call, Fault, Node, Reply},
        source::SourceSettings,
    },
    store::{cursors::SourceId, facts::Page, skips::Moved},
    units::Amount,
};

/// Knows a chain's tokens, and what they are to us. Shared by the chain's sources.
#[derive(Clone, Debug)]
pub struct Bookkeeper {
    chain: u64,
    directory: Arc<RwLock<Directory>>,
    tokens: Arc<RwLock<HashMap<Address, Token>>>,
    /// Learnt since the start, and not in the books yet.
    unsaved: Arc<Mutex<Vec<(Address, Token)>>>,
    /// Ratios at blocks: they never change.
    ratios: Arc<Mutex<HashMap<(Address, B256), Amount>>>,
}

/// Logs that became a page.
#[derive(Debug)]
pub struct Booked {
    /// The facts.
    pub page: Page,
    /// For each block with logs: how many are ours, how many of other owners.
    pub counts: BTreeMap<u64, (u64, u64)>,
}

/// Why logs could not be booked.
#[derive(Debug)]
pub enum Unbooked {
    /// No usable answer: try again elsewhere.
    Fault(Fault),
    /// A log of this block lacks its partner: the answer lacks something.
    Incomplete(Incomplete, Place),
    /// The node has no such block: a log's hash is not to be believed, or the node lags.
    NoBlock(Place),
}

impl From<Fault> for Unbooked {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// `decimals()`
const DECIMALS: [u8; 4] = [0x31, 0x3c, 0xe5, 0x67];
/// `symbol()`
const SYMBOL: [u8; 4] = [0x95, 0xd8, 0x9b, 0x41];
/// `convertToAssets(uint256)`
const CONVERT_TO_ASSETS: [u8; 4] = [0x07, 0xa2, 0xd1, 0x3a];

/// Reads of contracts asked for in one batch.
const READS_A_BATCH: usize = 100;

/// Ratios kept for another attempt before all are forgotten.
const REMEMBERED: usize = 100_000;

impl Bookkeeper {
    /// Knows these tokens from before.
    pub fn new(chain: u64, directory: Directory, known: impl IntoIterator<Item = (Address, Token)>) -> Self {
        let keeper = Self {
            chain,
            directory: Arc::new(RwLock::new(directory)),
            tokens: Arc::default(),
            unsaved: Arc::default(),
            ratios: Arc::default(),
        };
        for (address, token) in known {
            keeper.meet(address, token);
        }
        keeper
    }

    fn meet(&self, address: Address, token: Token) {
        let mut directory = self.directory.write().unwrap_or_else(PoisonError::into_inner);
        if directory.wants(self.chain, address)
            && let Err(error) = directory.learn(self.chain, address, &token.symbol)
        {
            tracing::info!("token {address} is no share: {error}");
        }
        drop(directory);
        self.tokens.write().unwrap_or_else(PoisonError::into_inner).insert(address, token);
    }

    /// The ratios of these that were read before, by an attempt that failed later.
    fn remembered(&self, wanted: &[Need]) -> Vec<Ratio> {
        let ratios = self.ratios.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |need: &Need| match need {
            Need::Ratio(token, block) => {
                ratios.get(&(*token, *block)).map(|ratio| ((*token, *block), Ok(*ratio)))
            }
            Need::Token(_) => None,
        };
        wanted.iter().filter_map(known).collect()
    }

    fn remember(&self, read: &HashMap<(Address, B256), Result<Amount, String>>) {
        let mut ratios = self.ratios.lock().unwrap_or_else(PoisonError::into_inner);
        if ratios.len() > REMEMBERED {
            ratios.clear();
        }
        ratios.extend(read.iter().filter_map(|(key, ratio)| Some((*key, *ratio.as_ref().ok()?))));
    }

    /// What shares are paid in on this chain.
    pub fn usdc(&self) -> Option<Address> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner).usdc(self.chain)
    }

    /// The tokens of this chain that are a share of ours, or what shares are paid in.
    pub fn of_ours(&self) -> BTreeSet<Address> {
        let directory = self.directory.read().unwrap_or_else(PoisonError::into_inner);
        let shares = directory.assets().iter().flat_map(|asset| &asset.tokens);
        let here = shares.filter(|token| token.chain == self.chain).map(|token| token.address);
        here.chain(directory.usdc(self.chain)).collect()
    }

    /// The ticker of a token, and whether a wrapper's ratio applies; none where it is no share of ours.
    pub fn share(&self, token: Address) -> Option<(String, bool)> {
        match self.directory.read().unwrap_or_else(PoisonError::into_inner).leg(self.chain, token) {
            Leg::Equity { symbol, wrapped } => Some((symbol.to_owned(), wrapped)),
            Leg::Usdc | Leg::Unknown => None,
        }
    }

    /// Takes the tokens that were learnt and are not in the books yet.
    pub fn unsaved(&self) -> Vec<(Address, Token)> {
        std::mem::take(&mut *self.unsaved.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives back tokens that could not be saved.
    pub fn not_saved(&self, tokens: Vec<(Address, Token)>) {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner).extend(tokens);
    }

    /// Reads sorted logs, asking `node` what their tokens are.
    ///
    /// `complete` says of which blocks the logs are proved to be all.
    ///
    /// # Errors
    /// As [`Unbooked`] says; never for what a log says.
    pub async fn book(
        &self,
        nodes: &Nodes,
        node: &Node,
        source: &SourceSettings,
        id: SourceId,
        logs: &[Log],
        complete: impl Fn(u64) -> bool,
    ) -> Result<Booked, Unbooked> {
        let mut readings: Vec<(&Log, Reading)> = Vec::with_capacity(logs.len());
        for of_one in logs.chunk_by(|one, two| {
            (one.block_hash, one.transaction_hash) == (two.block_hash, two.transaction_hash)
        }) {
            let Some(first) = of_one.first() else { continue };
            match raindex::read(source, of_one, complete(first.block_number)) {
                Ok(read) => readings
                    .extend(read.into_iter().filter_map(|(at, reading)| Some((of_one.get(at)?, reading)))),
                Err(incomplete) => {
                    let block = Place { number: first.block_number, hash: first.block_hash };
                    return Err(Unbooked::Incomplete(incomplete, block));
                }
            }
        }
        let tokens = self.ask(nodes, node, &readings).await?;
        let mut page = Page::new(id, self.chain);
        let mut counts: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        let directory = self.directory.read().unwrap_or_else(PoisonError::into_inner);
        let mut written = None;
        for (log, reading) in readings {
            let (ours, foreign) = counts.entry(log.block_number).or_default();
            if reading == Reading::Foreign {
                *foreign += 1;
                continue;
            }
            // A clear between two of ours speaks twice and is one log.
            if written.replace((log.block_hash, log.log_index)) != Some((log.block_hash, log.log_index)) {
                *ours += 1;
                page.log(log, log.block_timestamp.unwrap_or_default());
            }
            if let Some(fact) = book(reading, log.block_hash, self.chain, &directory, &tokens) {
                page.fact(log.block_hash, log.log_index, &fact);
            }
        }
        drop(directory);
        Ok(Booked { page, counts })
    }

    /// All tokens that said what they are.
    fn known(&self) -> Tokens {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        let tokens = tokens.iter().map(|(address, token)| (*address, Ok(token.clone()))).collect();
        Tokens { tokens, ratios: HashMap::new() }
    }

    /// What trades in sorted logs moved in vaults of ours, be they fills or not. The logs are all
    /// that the books have of their transactions; nobody is asked.
    pub fn moves(&self, source: &SourceSettings, logs: &[Log]) -> Vec<Moved> {
        let tokens = self.known();
        let same = |one: &Log, two: &Log| {
            (one.block_hash, one.transaction_hash) == (two.block_hash, two.transaction_hash)
        };
        let mut moved = Vec::new();
        for of_one in logs.chunk_by(same) {
            for (at, reading) in raindex::read(source, of_one, true).unwrap_or_default() {
                let Reading::Trade(trade) = reading else { continue };
                let (Some(log), Some(both)) = (of_one.get(at), moves(&trade, &tokens)) else { continue };
                moved.push(Moved {
                    block: log.block_hash,
                    log_index: log.log_index,
                    role: trade.role,
                    moves: both,
                });
            }
        }
        moved
    }

    /// Everything that booking these readings needs of the chain.
    async fn ask(
        &self,
        nodes: &Nodes,
        node: &Node,
        readings: &[(&Log, Reading)],
    ) -> Result<Tokens, Unbooked> {
        let mut known = self.known();
        // Twice: a token that says it is a share (while discovering) may then want its ratio.
        for _ in 0..2 {
            let mut wanted = BTreeSet::new();
            {
                let directory = self.directory.read().unwrap_or_else(PoisonError::into_inner);
                for (log, reading) in readings {
                    needs(reading, log.block_hash, self.chain, &directory, &mut wanted);
                }
            }
            wanted.retain(|need| !known.has(*need));
            let heights: BTreeMap<B256, u64> =
                readings.iter().map(|(log, _)| (log.block_hash, log.block_number)).collect();
            let (tokens, ratios): (Vec<Need>, Vec<Need>) =
                wanted.into_iter().partition(|need| matches!(need, Need::Token(_)));
            for need in tokens {
                let Need::Token(address) = need else { continue };
                let token = token(node, address).await?;
                if let Ok(token) = &token {
                    self.meet(address, token.clone());
                    self.not_saved(vec![(address, token.clone())]);
                }
                known.tokens.insert(address, token);
            }
            known.ratios.extend(self.remembered(&ratios));
            let ratios: Vec<Need> = ratios.into_iter().filter(|need| !known.has(*need)).collect();
            // One at a time where a batch would be asked one by one: what came is kept, whatever fails next.
            let together = if node.limits().batches { READS_A_BATCH } else { 1 };
            for some in ratios.chunks(together) {
                let mut read: HashMap<_, _> = ratios_of(node, some, &heights).await?.into_iter().collect();
                // A node that has pruned the state is no authority: another may have it.
                for other in nodes.all().iter().filter(|other| other.name() != node.name()) {
                    let refused = |need: &&Need| matches!(need, Need::Ratio(token, block) if read.get(&(*token, *block)).is_some_and(Result::is_err));
                    let refused: Vec<Need> = some.iter().filter(refused).copied().collect();
                    if refused.is_empty() {
                        break;
                    }
                    read.extend(ratios_of(other, &refused, &heights).await.unwrap_or_default());
                }
                self.remember(&read);
                known.ratios.extend(read);
            }
        }
        Ok(known)
    }
}

/// What a token says of itself; inner error: what came instead.
async fn token(node: &Node, address: Address) -> Result<Result<Token, String>, Fault> {
    let replies = node.ask(&[Call::read(address, &DECIMALS), Call::read(address, &SYMBOL)]).await?;
    let mut replies = replies.into_iter();
    let mut answer = || answer(node, replies.next());
    let (decimals, symbol) = (answer()?, answer()?);
    Ok(decimals.and_then(|word| {
        let decimals = word.get(..32).map(U256::from_be_slice).and_then(|word| u8::try_from(word).ok());
        let decimals = decimals.filter(|decimals| *decimals <= 77).ok_or("no decimals")?;
        Ok(Token { symbol: symbol.map(|bytes| text(&bytes)).unwrap_or_default(), decimals })
    }))
}

/// An ABI string, or the 32 bytes that some old tokens answer.
fn text(bytes: &[u8]) -> String {
    let length = bytes.get(32..64).map(U256::from_be_slice).and_then(|length| usize::try_from(length).ok());
    let string = length.and_then(|length| bytes.get(64..)?.get(..length));
    let bare = bytes.get(..32).filter(|_| bytes.len() == 32);
    let text = String::from_utf8_lossy(string.or(bare).unwrap_or_default());
    text.trim_end_matches('\0').chars().filter(|character| !character.is_control()).take(64).collect()
}

/// The bytes that a read gave; inner error: the node's "no".
fn answer(node: &Node, reply: Option<Reply>) -> Result<Result<Vec<u8>, String>, Fault> {
    match reply {
        Some(Ok(Some(json))) => {
            let hex: String = serde_json::from_str(json.get())
                .map_err(|error| node.unanswered(format!("a read that gave no hex: {error}")))?;
            let bytes = alloy::hex::decode(&hex)
                .map_err(|error| node.unanswered(format!("a read that gave no hex: {error}")))?;
            Ok(if bytes.is_empty() { Err("there is no contract".to_owned()) } else { Ok(bytes) })
        }
        Some(Err(refusal)) => match refusal.meaning() {
            Meaning::Unwell | Meaning::TooFast | Meaning::Unknown => Err(node.unanswered(refusal)),
            Meaning::Pruned
            | Meaning::Reverted
            | Meaning::NoMethod
            | Meaning::TooMuch
            | Meaning::TooWide
            | Meaning::Unheard => Ok(Err(format!("{} says {refusal}", node.name()))),
        },
        Some(Ok(None)) | None => Err(node.unanswered("null where a read was asked for")),
    }
}

type Ratio = ((Address, B256), Result<Amount, String>);

/// Ratios by block hash; where a node knows no such block parameter, by height.
async fn ratios_of(
    node: &Node,
    wanted: &[Need],
    heights: &BTreeMap<B256, u64>,
) -> Result<Vec<Ratio>, Unbooked> {
    let mut input = CONVERT_TO_ASSETS.to_vec();
    input.extend_from_slice(&U256::from(Amount::ONE.atoms().unsigned_abs()).to_be_bytes::<32>());
    let keys: Vec<(Address, B256)> = wanted
        .iter()
        .filter_map(|need| match need {
            Need::Ratio(token, block) => Some((*token, *block)),
            Need::Token(_) => None,
        })
        .collect();
    let by_hash: Vec<Call> =
        keys.iter().map(|(token, block)| Call::read_at(*token, &input, *block)).collect();
    let mut replies = node.ask(&by_hash).await?;
    if replies.iter().any(|reply| matches!(reply, Err(refusal) if refusal.meaning() == Meaning::Unheard)) {
        let by_height: Vec<Call> = keys
            .iter()
            .map(|(token, block)| {
                Call::read_at_height(*token, &input, heights.get(block).copied().unwrap_or_default())
            })
            .collect();
        replies = node.ask(&by_height).await?;
    }
    keys.into_iter()
        .zip(replies)
        .map(|(key, reply)| {
            if matches!(&reply, Err(refusal) if refusal.meaning() == Meaning::Unknown) {
                let number = heights.get(&key.1).copied().unwrap_or_default();
                return Err(Unbooked::NoBlock(Place { number, hash: key.1 }));
            }
            let ratio = answer(node, Some(reply))?.and_then(|bytes| {
                let atoms =
                    bytes.get(..32).map(U256::from_be_slice).and_then(|word| i128::try_from(word).ok());
                let ratio = atoms.and_then(Amount::from_atoms).filter(|ratio| !ratio.is_zero());
                ratio.ok_or_else(|| "no ratio that the books can hold".to_owned())
            });
            Ok((key, ratio))
        })
        .collect()
}
