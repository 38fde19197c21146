//! The first limit: the same answers, thrown away.

use serde_json::{Value, json};

use super::Ranges;

/// Asks for each range and looks at nothing.
pub(super) async fn run(ranges: &Ranges) -> anyhow::Result<()> {
    let http = reqwest::Client::new();
    for (from, to) in ranges.each() {
        answer(&http, &ranges.url, from, to).await?;
    }
    Ok(())
}

/// A range's logs, and the header of its last block, as they come.
pub(super) async fn answer(
    http: &reqwest::Client,
    url: &str,
    from: u64,
    to: u64,
) -> reqwest::Result<bytes::Bytes> {
    http.post(url).json(&request(from, to)).send().await?.bytes().await
}

fn request(from: u64, to: u64) -> Value {
    let cast = hedge::sim::Cast::default();
    let (from, to) = (format!("{from:#x}"), format!("{to:#x}"));
    let logs = json!({"address": cast.orderbook, "fromBlock": from, "toBlock": to});
    json!([
        {"jsonrpc": "2.0", "id": 0, "method": "eth_getLogs", "params": [logs]},
        {"jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber", "params": [to, false]},
    ])
}
