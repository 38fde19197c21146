//! Logs, kept small.
//!
//! ABI data is mostly zeros: each 32-byte word is kept without the zeros it
//! begins with, so a million fills fit into a test machine. What goes in comes
//! out byte for byte, whatever it is: no topics, no data, half a word.
//!
//! Absent on purpose: which block or transaction a log is in. A log that is
//! mined again elsewhere is the same log.

use alloy::primitives::{Address, B256, Bytes, Log};

/// The logs of one transaction, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Logs {
    packed: Box<[u8]>,
    count: usize,
}

impl Logs {
    /// As many as `u32` counts.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn iter(&self) -> Iter<'_> {
        Iter { rest: &self.packed }
    }
}

impl FromIterator<Log> for Logs {
    fn from_iter<I: IntoIterator<Item = Log>>(logs: I) -> Self {
        let mut packed = Vec::new();
        let mut count = 0;
        for log in logs {
            pack(&log, &mut packed);
            count += 1;
        }
        Self { packed: packed.into_boxed_slice(), count }
    }
}

/// `address, number of topics, topics, length of data, length packed, packed`.
fn pack(log: &Log, out: &mut Vec<u8>) {
    let topics = log.data.topics();
    out.extend_from_slice(log.address.as_slice());
    out.push(u8::try_from(topics.len()).unwrap_or(u8::MAX));
    for topic in topics {
        out.extend_from_slice(topic.as_slice());
    }
    let data = &log.data.data;
    out.extend_from_slice(&length(data.len()));
    let mut words = Vec::with_capacity(data.len() / 2);
    for word in data.chunks(32) {
        let zeros = word.iter().take_while(|byte| **byte == 0).count();
        let kept = word.get(zeros..).unwrap_or_default();
        words.push(u8::try_from(kept.len()).unwrap_or(u8::MAX));
        words.extend_from_slice(kept);
    }
    out.extend_from_slice(&length(words.len()));
    out.extend_from_slice(&words);
}

/// A log's data is a few kilobytes; one that `u32` cannot count does not exist.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes()
}

/// One log, read in place.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogRef<'a> {
    pub(super) address: Address,
    topics: &'a [u8],
    data_len: usize,
    packed: &'a [u8],
}

impl<'a> LogRef<'a> {
    pub(super) fn topics(self) -> impl Iterator<Item = B256> + use<'a> {
        self.topics.chunks_exact(32).map(B256::from_slice)
    }

    /// The data, appended to `out`.
    pub(super) fn unpack(self, out: &mut Vec<u8>) {
        let mut rest = self.packed;
        let mut missing = self.data_len;
        while let Some((length, tail)) = rest.split_first() {
            let (kept, tail) = tail.split_at_checked(usize::from(*length)).unwrap_or_default();
            let word = missing.min(32);
            out.resize(out.len() + word.saturating_sub(kept.len()), 0);
            out.extend_from_slice(kept);
            missing -= word;
            rest = tail;
        }
    }

    pub(super) fn to_log(self) -> Log {
        let mut data = Vec::with_capacity(self.data_len);
        self.unpack(&mut data);
        Log::new_unchecked(self.address, self.topics().collect(), Bytes::from(data))
    }
}

/// Reads a transaction's logs one after the other.
#[derive(Debug, Clone)]
pub(super) struct Iter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Iter<'a> {
    type Item = LogRef<'a>;

    fn next(&mut self) -> Option<LogRef<'a>> {
        let (address, rest) = self.rest.split_first_chunk::<20>()?;
        let (topics, rest) = rest.split_first()?;
        let (topics, rest) = rest.split_at_checked(usize::from(*topics) * 32)?;
        let (data_len, rest) = rest.split_first_chunk::<4>()?;
        let (packed, rest) = rest.split_first_chunk::<4>()?;
        let (packed, rest) = rest.split_at_checked(read_length(*packed))?;
        self.rest = rest;
        Some(LogRef { address: Address::from(*address), topics, data_len: read_length(*data_len), packed })
    }
}

fn read_length(bytes: [u8; 4]) -> usize {
    usize::try_from(u32::from_le_bytes(bytes)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out(
            logs in proptest::collection::vec(
                (any::<[u8; 20]>(), proptest::collection::vec(any::<[u8; 32]>(), 0..5), sparse()),
                0..6,
            )
        ) {
            let logs: Vec<Log> = logs
                .into_iter()
                .map(|(address, topics, data)| {
                    let topics = topics.into_iter().map(B256::from).collect();
                    Log::new_unchecked(address.into(), topics, data.into())
                })
                .collect();
            let packed: Logs = logs.iter().cloned().collect();
            prop_assert_eq!(packed.count(), logs.len());
            prop_assert_eq!(packed.iter().map(LogRef::to_log).collect::<Vec<_>>(), logs);
        }
    }

    /// Any bytes, many of them zero, not always whole words.
    fn sparse() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop_oneof![3 => Just(0_u8), 1 => any::<u8>()], 0..200)
    }
}
