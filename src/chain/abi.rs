//! Reading ABI-encoded data without building it.
//!
//! A log's data is attacker-made: anybody may take an order with a megabyte of
//! signed context whose offsets all point at one array, and a decoder that
//! materialises it runs out of memory. This reader looks at the words it is
//! asked for, checks that everything else lies within the data in one pass, and
//! allocates nothing. It knows no event; `raindex` does.

use alloy::primitives::{Address, B256, U256};

/// The data does not read as its type says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

const WORD: usize = 32;

/// A tuple or an array's elements: 32-byte heads, and tails at offsets from its own start.
#[derive(Clone, Copy, Debug)]
pub struct Tuple<'a>(&'a [u8]);

impl<'a> Tuple<'a> {
    /// The whole of a log's data.
    pub const fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    /// Word `index`, as it stands.
    pub fn word(self, index: usize) -> Result<B256, Malformed> {
        index
            .checked_mul(WORD)
            .and_then(|start| self.0.get(start..)?.first_chunk::<WORD>())
            .map(|word| B256::from(*word))
            .ok_or(Malformed("the data ends before its last field"))
    }

    /// Word `index` as an unsigned number.
    pub fn number(self, index: usize) -> Result<U256, Malformed> {
        self.word(index).map(|word| U256::from_be_bytes(word.0))
    }

    /// Word `index` as an address; the 12 bytes above must be zero.
    pub fn address(self, index: usize) -> Result<Address, Malformed> {
        let word = self.word(index)?;
        let (above, address) = word.split_at(12);
        if above.iter().any(|byte| *byte != 0) {
            return Err(Malformed("an address has more than 20 bytes"));
        }
        Ok(Address::from_slice(address))
    }

    /// Word `index` as a length, count or offset.
    fn size(self, index: usize) -> Result<usize, Malformed> {
        usize::try_from(self.number(index)?).map_err(|_| Malformed("an offset or length is beyond the data"))
    }

    /// What lies at the offset in word `index`.
    pub fn tail(self, index: usize) -> Result<Self, Malformed> {
        self.0.get(self.size(index)?..).map(Self).ok_or(Malformed("an offset points beyond the data"))
    }

    /// The array at the offset in word `index`: its count, and its elements of `words` head words each.
    pub fn array(self, index: usize, words: usize) -> Result<(usize, Self), Malformed> {
        let tail = self.tail(index)?;
        let count = tail.size(0)?;
        let elements = tail.0.get(WORD..).unwrap_or_default();
        let bytes = count.checked_mul(words * WORD).ok_or(Malformed("a count is beyond the data"))?;
        if bytes > elements.len() {
            return Err(Malformed("an array ends before its last element"));
        }
        Ok((count, Self(elements)))
    }

    /// Checks the `bytes` at the offset in word `index`; their content is nobody's business here.
    pub fn bytes(self, index: usize) -> Result<(), Malformed> {
        let tail = self.tail(index)?;
        let length = tail.size(0)?;
        if length > tail.0.len().saturating_sub(WORD) {
            return Err(Malformed("bytes end before their length"));
        }
        Ok(())
    }
}
