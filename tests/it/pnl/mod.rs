//! Profit and loss: the vectors of `fifo.json` by every way there is, and the laws.

mod replay;
mod vectors;
