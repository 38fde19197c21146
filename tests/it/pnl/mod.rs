//! Profit and loss: the vectors of `fifo.json` by every way there is, and the laws.

mod books;
mod laws;
mod replay;
mod statements;
mod vectors;
