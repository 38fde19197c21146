//! What a Pyth price feed said while a transaction ran, or after its block (`raindex.md` §8).
//!
//! What an order saw is in the call trace of its transaction alone. Pyth is a proxy, so each
//! call has a nested one with the same input: only frames to Pyth itself count. A frame that
//! was reverted, or lies in one that was, never happened. Without a trace, or where the trace
//! has no such call, the feed is asked at the end of the block; which of the two it was is said.

use alloy::primitives::{Address, B256, Bytes, I256, U256};
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    refusal::{Meaning, Refusal},
    rpc::{Call, Fault, Node, Reply},
};
use crate::units::{Amount, Exact};

/// Calls that answer a price: of both kinds, no older than asked or whatever there is.
const ASKS: [[u8; 4]; 4] =
    [[0xa4, 0xae, 0x35, 0xe0], GET_PRICE_UNSAFE, [0x71, 0x1a, 0x2e, 0x28], [0x94, 0x74, 0xf4, 0x5b]];
/// `getPriceUnsafe(bytes32)`
const GET_PRICE_UNSAFE: [u8; 4] = [0x96, 0x83, 0x4a, 0xd3];

/// How a price was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// From the transaction as it ran.
    Trace,
    /// From the contract, after the block.
    EndOfBlock,
}

impl Method {
    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::EndOfBlock => "end of block",
        }
    }
}

/// What a feed said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OraclePrice {
    /// Dollars for one, above zero, cut to 18 decimals.
    pub price: Amount,
    /// Half the width of the feed's confidence interval, in dollars.
    pub confidence: Amount,
    /// When the feed published it.
    pub published_at: Timestamp,
}

/// What is known of a feed at a fill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// How it was read.
    pub method: Method,
    /// The price, or why there is none.
    pub price: Result<OraclePrice, String>,
    /// Asking again later may help: a node failed us, the chain did not say no.
    pub again: bool,
    /// The node was asked for a trace, and serves none.
    pub traceless: bool,
}

/// A frame of `callTracer`.
#[derive(Debug, Deserialize)]
struct Frame {
    #[serde(default)]
    to: Option<Address>,
    #[serde(default)]
    input: Bytes,
    #[serde(default)]
    output: Bytes,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    calls: Option<Vec<Frame>>,
}

/// Everything that `feed` answered in a trace that was not reverted, in order.
///
/// # Errors
/// It is no trace.
pub fn in_trace(json: &str, pyth: Address, feed: B256) -> Result<Vec<OraclePrice>, serde_json::Error> {
    let frame: Option<Frame> = serde_json::from_str(json)?;
    let mut found = Vec::new();
    if let Some(frame) = &frame {
        walk(frame, pyth, feed, &mut found);
    }
    Ok(found)
}

/// Depth first; as deep as JSON is read at most.
fn walk(frame: &Frame, pyth: Address, feed: B256, found: &mut Vec<OraclePrice>) {
    if frame.error.is_some() {
        return;
    }
    if frame.to == Some(pyth)
        && let Some((selector, rest)) = frame.input.split_first_chunk::<4>()
        && ASKS.contains(selector)
        && rest.first_chunk::<32>() == Some(&feed.0)
    {
        found.extend(answer(&frame.output));
    }
    for call in frame.calls.iter().flatten() {
        walk(call, pyth, feed, found);
    }
}

/// Four words: `int64 price, uint64 conf, int32 expo, uint256 publishTime`; `None` where they are no price.
pub fn answer(output: &[u8]) -> Option<OraclePrice> {
    let word = |at: usize| output.get(at * 32..)?.first_chunk::<32>().map(|word| U256::from_be_bytes(*word));
    let signed = |at: usize| i64::try_from(I256::from_raw(word(at)?)).ok();
    let exponent = i32::try_from(signed(2)?).ok()?;
    let scaled = |coefficient: u64| Exact::new(false, U256::from(coefficient), exponent.into()).cut(18);
    let price = scaled(u64::try_from(signed(0)?).ok()?)?;
    let confidence = scaled(u64::try_from(word(1)?).ok()?)?;
    let published_at = Timestamp::from_second(i64::try_from(word(3)?).ok()?).ok()?;
    (!price.is_zero()).then_some(OraclePrice { price, confidence, published_at })
}

/// What `feed` said in transaction `tx` of block `block`; of its end where the trace does not tell.
///
/// `traces`: whether this node is asked for them at all.
///
/// # Errors
/// No usable answer to the second question: try again.
pub async fn read(
    node: &Node,
    (tx, block): (B256, B256),
    pyth: Address,
    feed: B256,
    traces: bool,
) -> Result<Told, Fault> {
    let mut traceless = false;
    if traces && let Ok(replies) = node.ask(&[Call::trace(tx)]).await {
        // Whoever has no trace, or none that reads, is asked the other way.
        let seen = match replies.into_iter().next() {
            Some(Ok(Some(json))) => in_trace(json.get(), pyth, feed).unwrap_or_default(),
            Some(Err(said)) => {
                traceless = said.meaning() == Meaning::NoMethod;
                Vec::new()
            }
            Some(Ok(None)) | None => Vec::new(),
        };
        match seen.as_slice() {
            [] => {}
            [one, rest @ ..] if rest.iter().all(|other| other == one) => {
                return Ok(Told { method: Method::Trace, price: Ok(*one), again: false, traceless });
            }
            several => {
                let why = format!("its transaction saw {} prices of the feed that differ", several.len());
                return Ok(Told { method: Method::Trace, price: Err(why), again: false, traceless });
            }
        }
    }
    Ok(Told { traceless, ..at_end_of(node, block, pyth, feed).await? })
}

/// What `feed` says after a block.
///
/// # Errors
/// No usable answer: try again.
pub async fn at_end_of(node: &Node, block: B256, pyth: Address, feed: B256) -> Result<Told, Fault> {
    let input = [&GET_PRICE_UNSAFE[..], feed.as_slice()].concat();
    let replies = node.ask(&[Call::read_at(pyth, &input, block)]).await?;
    let (price, again) = match replies.into_iter().next() {
        Some(reply) => told(node, reply)?,
        None => return Err(node.unanswered("no reply")),
    };
    Ok(Told { method: Method::EndOfBlock, price, again, traceless: false })
}

fn told(node: &Node, reply: Reply) -> Result<(Result<OraclePrice, String>, bool), Fault> {
    let refused = |refusal: &Refusal| match refusal.meaning() {
        Meaning::Reverted => (Err("the feed is not known to Pyth".to_owned()), false),
        Meaning::Pruned => (Err(format!("{} no longer has the state of its block", node.name())), true),
        Meaning::TooWide
        | Meaning::TooMuch
        | Meaning::TooFast
        | Meaning::Unwell
        | Meaning::Unknown
        | Meaning::NoMethod
        | Meaning::Unheard => (Err(format!("{} says {refusal}", node.name())), true),
    };
    let json = match reply {
        Ok(Some(json)) => json,
        Ok(None) => return Err(node.unanswered("null where a read was asked for")),
        Err(refusal) => return Ok(refused(&refusal)),
    };
    let bytes: Bytes = serde_json::from_str(json.get())
        .map_err(|error| node.unanswered(format!("a read that gave no hex: {error}")))?;
    let none =
        || if bytes.is_empty() { "there is no Pyth at its address" } else { "what Pyth answers is no price" };
    Ok((answer(&bytes).ok_or_else(|| none().to_owned()), false))
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{address, b256};
    use serde_json::{Value, json};

    use super::*;

    const PYTH: Address = address!("8250f4aF4B972684F7b336503E2D6dFeDeB1487a");
    const AAPL: B256 = b256!("49f6b65cb1de6b10eaf75e7c03ca029c306d0357e91b5311b175084a5ad55688");

    fn recorded() -> Value {
        let recording: Value =
            serde_json::from_str(include_str!("../../tests/fixtures/raindex/raindex-v6.json")).unwrap();
        recording["traces"][0]["callTracer"].clone()
    }

    fn seen(trace: &Value) -> Vec<String> {
        let found = in_trace(&trace.to_string(), PYTH, AAPL).unwrap();
        found.iter().map(|it| format!("{} ± {} {}", it.price, it.confidence, it.published_at)).collect()
    }

    /// The first frame to Pyth, wherever it is.
    fn to_pyth(frame: &mut Value) -> Option<&mut Value> {
        if frame["to"].as_str().is_some_and(|to| to.parse() == Ok(PYTH)) {
            return Some(frame);
        }
        frame["calls"].as_array_mut()?.iter_mut().find_map(to_pyth)
    }

    #[test]
    fn the_price_of_a_recorded_fill_is_what_its_order_saw() {
        assert_eq!(seen(&recorded()), ["184.47215 ± 0.10213 2026-03-22T17:25:44Z"]);
    }

    #[test]
    fn the_proxys_own_call_counts_and_not_the_one_below_it() {
        let mut trace = recorded();
        let frame = to_pyth(&mut trace).unwrap();
        let below = json!({"type": "DELEGATECALL", "from": PYTH, "to": Address::repeat_byte(7),
                           "input": frame["input"], "output": frame["output"]});
        frame["calls"] = json!([below]);
        assert_eq!(seen(&trace).len(), 1);
    }

    #[test]
    fn what_was_reverted_or_lies_in_it_never_happened() {
        let mut trace = recorded();
        to_pyth(&mut trace).unwrap()["error"] = json!("execution reverted");
        assert_eq!(seen(&trace), [""; 0]);
        let mut trace = recorded();
        trace["error"] = json!("execution reverted");
        assert_eq!(seen(&trace), [""; 0], "an ancestor");
    }

    #[test]
    fn another_feed_another_call_and_no_trace_give_none() {
        let trace = recorded().to_string();
        assert_eq!(in_trace(&trace, PYTH, B256::repeat_byte(1)).unwrap(), []);
        assert_eq!(in_trace(&trace, Address::repeat_byte(1), AAPL).unwrap(), []);
        let mut other = recorded();
        to_pyth(&mut other).unwrap()["input"] = json!(format!("0xdeadbeef{}", alloy::hex::encode(AAPL)));
        assert_eq!(seen(&other), [""; 0]);
        assert_eq!(in_trace("null", PYTH, AAPL).unwrap(), []);
        assert!(in_trace("\"a page\"", PYTH, AAPL).is_err());
    }

    #[test]
    fn an_answer_that_is_no_price_is_none() {
        let words = |price: I256, exponent: I256| {
            let word = |value: I256| value.into_raw().to_be_bytes::<32>();
            let at = U256::from(1_700_000_000).to_be_bytes::<32>();
            [word(price), U256::from(5).to_be_bytes::<32>(), word(exponent), at].concat()
        };
        let number = |value: i64| I256::try_from(value).unwrap();
        assert_eq!(answer(&words(number(18_447_215), number(-5))).unwrap().price.to_string(), "184.47215");
        assert_eq!(answer(&words(number(3), number(2))).unwrap().price.to_string(), "300");
        for wrong in [
            words(number(-1), number(-5)),
            words(number(0), number(-5)),
            words(number(1), number(i64::from(i32::MAX) + 1)),
            words(number(1), number(40)),
            words(I256::MAX, number(0)),
            vec![0; 64],
            vec![],
        ] {
            assert_eq!(answer(&wrong), None, "{}", alloy::hex::encode(wrong));
        }
    }
}
