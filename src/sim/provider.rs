//! How providers say that a question about logs is too big.
//!
//! Texts and codes as users reported them in public issue threads and as other
//! indexers match them, read on 2026-11-20 (base/base#2421, INFURA/infura#237,
//! OffchainLabs/arbitrum-sdk#609, boundless-xyz/boundless#838,
//! enviodev/hyperindex#605, moonbeam#3250, Ponder's `getLogsRetryHelper.ts`).
//! Where only the text is on record, the code is the usual -32602 or -32000: a
//! client that tells refusals apart by code learns here why not to.

/// What limit a question went over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cap {
    /// At most so many blocks in a range.
    Blocks(u64),
    /// At most so many logs in an answer.
    Results {
        /// So many.
        most: u64,
        /// The last block of the range up to which they would fit.
        fits: u64,
    },
}

/// A refusal as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The JSON-RPC code.
    pub code: i64,
    /// The JSON-RPC message.
    pub message: String,
}

/// Whose words a node refuses in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Suggests a range, in hexadecimal.
    Alchemy,
    /// The same with a small limit and an HTTP error.
    AlchemyFree,
    /// -32005, the code that also stands for an exhausted quota.
    Infura,
    /// Infura's other limit, which its documentation does not have.
    InfuraRange,
    /// HTTP 413, and a number with a comma in it.
    QuickNode,
    /// Says no number.
    Ankr,
    /// Says no number.
    Chainstack,
    /// Two numbers, the wide one first.
    Blast,
    /// A sentence about a paid plan.
    Drpc,
    /// Counts results only.
    Llama,
    /// -32701, a code of its own.
    PublicNode,
    /// `Max range: N`.
    Cloudflare,
    /// Base's own endpoint: blames the backend, not the question.
    Base,
    /// Coinbase's endpoint for Base.
    Coinbase,
    /// Erigon: block range by number.
    Erigon,
    /// Nethermind.
    Nethermind,
    /// Suggests a range, in decimal.
    Reth,
    /// As reth did in 2026: the range it suggests is the one that it refuses.
    RethStuck,
    /// Suggests a range with its ends exchanged.
    Inverted,
    /// Suggests a range that ends beyond what was asked.
    Overshooting,
    /// What the next new provider will say.
    MadeUp,
}

impl Provider {
    /// Every wording there is.
    pub const ALL: [Self; 21] = [
        Self::Alchemy,
        Self::AlchemyFree,
        Self::Infura,
        Self::InfuraRange,
        Self::QuickNode,
        Self::Ankr,
        Self::Chainstack,
        Self::Blast,
        Self::Drpc,
        Self::Llama,
        Self::PublicNode,
        Self::Cloudflare,
        Self::Base,
        Self::Coinbase,
        Self::Erigon,
        Self::Nethermind,
        Self::Reth,
        Self::RethStuck,
        Self::Inverted,
        Self::Overshooting,
        Self::MadeUp,
    ];

    /// Whether one block is answered however many logs it has, as reth does.
    /// With the others, nothing but receipts helps.
    pub fn answers_any_single_block(self) -> bool {
        matches!(self, Self::Reth | Self::RethStuck | Self::Base | Self::Coinbase)
    }

    /// How this provider refuses `from..=to` for going over `cap`.
    #[expect(clippy::too_many_lines, reason = "a table, one row a wording")]
    pub fn refusal(self, from: u64, to: u64, cap: Cap) -> Refusal {
        let width = to.saturating_sub(from) + 1;
        let (limit, fits) = match cap {
            Cap::Blocks(most) => (most, from.saturating_add(most.saturating_sub(1))),
            Cap::Results { most, fits } => (most, fits),
        };
        let by_blocks = matches!(cap, Cap::Blocks(_));
        let (status, code, message) = match self {
            Self::Alchemy => (
                200,
                -32602,
                format!(
                    "Log response size exceeded. You can make eth_getLogs requests with up to a \
                     {limit} block range and no limit on the response size, or you can request any \
                     block range with a cap of 10K logs in the response. Based on your parameters \
                     and the response size limit, this block range should work: [{from:#x}, {fits:#x}]"
                ),
            ),
            Self::AlchemyFree => (
                400,
                -32600,
                format!(
                    "Under the Free tier plan, you can make eth_getLogs requests with up to a {limit} \
                     block range. Based on your parameters, this block range should work: \
                     [{from:#x}, {fits:#x}]. Upgrade to PAYG for expanded block range."
                ),
            ),
            Self::Infura => (
                200,
                -32005,
                format!(
                    "query returned more than 10000 results. Try with this block range \
                     [{from:#X}, {fits:#X}]."
                )
                .replace("0X", "0x"),
            ),
            Self::InfuraRange => (200, -32602, format!("range {width} exceeds limit of {limit}")),
            Self::QuickNode => {
                (413, -32614, format!("eth_getLogs is limited to a {} range", thousands(limit)))
            }
            Self::Ankr => (200, -32600, "block range is too wide".to_owned()),
            Self::Chainstack => (
                200,
                -32602,
                "Block range limit exceeded. See more details at \
                 https://docs.chainstack.com/docs/limits#evm-range-limits"
                    .to_owned(),
            ),
            Self::Blast => (
                200,
                -32600,
                format!("requested range exceeds the range allowed for your plan ({width} > {limit})"),
            ),
            Self::Drpc => (200, 35, format!("ranges over {limit} blocks are not supported on freetier")),
            Self::Llama => (200, -32000, format!("query exceeds max results {limit}")),
            Self::PublicNode => (200, -32701, format!("exceed maximum block range: {limit}")),
            Self::Cloudflare => (
                200,
                -32047,
                format!(
                    "Invalid eth_getLogs request. 'fromBlock'-'toBlock' range too large. Max range: {limit}"
                ),
            ),
            Self::Base => (503, -32011, "no backend is currently healthy to serve traffic".to_owned()),
            Self::Coinbase => (200, -32602, format!("please limit the query to at most {limit} blocks")),
            Self::Erigon => (
                200,
                -32000,
                format!(
                    "block range is larger than max block range, block range = {width}, max block range = {limit}"
                ),
            ),
            Self::Nethermind if by_blocks => {
                (200, -32602, format!("Too many blocks requested in range: {width}, the limit is {limit}"))
            }
            Self::Nethermind => {
                (200, -32005, format!("Too many logs requested. Max logs per response is {limit}."))
            }
            Self::Reth if by_blocks => (200, -32602, format!("query exceeds max block range {limit}")),
            Self::Reth => (
                200,
                -32602,
                format!("query exceeds max results {limit}, retry with the range {from}-{fits}"),
            ),
            Self::RethStuck => {
                (200, -32602, format!("query exceeds max results {limit}, retry with the range {from}-{to}"))
            }
            Self::Inverted => (
                200,
                -32005,
                format!(
                    "query returned more than {limit} results. Try with this block range [{fits:#x}, {from:#x}]."
                ),
            ),
            Self::Overshooting => (
                200,
                -32602,
                format!("this block range should work: [{from:#x}, {:#x}]", to.saturating_add(width)),
            ),
            Self::MadeUp => {
                (200, -32099, format!("the scribes are weary: no more than {limit} pages at a sitting"))
            }
        };
        Refusal { status, code, message }
    }
}

/// `10000` as `10,000`.
fn thousands(number: u64) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", thousands(number / 1000), number % 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_are_written_as_each_provider_does() {
        let blocks = Cap::Blocks(10_000);
        let results = Cap::Results { most: 20_000, fits: 150 };
        let cases = [
            (Provider::QuickNode, blocks, "eth_getLogs is limited to a 10,000 range"),
            (Provider::Reth, results, "query exceeds max results 20000, retry with the range 100-150"),
            (Provider::RethStuck, results, "query exceeds max results 20000, retry with the range 100-900"),
            (
                Provider::Infura,
                results,
                "query returned more than 10000 results. Try with this block range [0x64, 0x96].",
            ),
        ];
        for (provider, cap, message) in cases {
            assert_eq!(provider.refusal(100, 900, cap).message, message);
        }
    }

    #[test]
    fn every_wording_is_its_own() {
        let mut messages: Vec<String> = Provider::ALL
            .iter()
            .map(|provider| provider.refusal(1, 50_000, Cap::Blocks(1000)).message)
            .collect();
        messages.sort();
        messages.dedup();
        assert_eq!(messages.len(), Provider::ALL.len());
    }
}
