//! hedge
fn main() {}
