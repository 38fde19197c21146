//! A real SDK of Alpaca's, against the program: what it does not read is not Alpaca's shape.

use std::{path::Path, process::Command, time::Duration};

use crate::{process::Process, tools};

/// A Friday, half past ten in New York.
const NOW: &str = "2026-11-20T15:30:00Z";

#[test]
fn the_official_sdk_trades_with_the_rehearsal_alpaca() {
    let Some(python) = tools::alpaca_sdk() else { return };
    let program = Path::new(env!("CARGO_BIN_EXE_hedge"));
    let arguments = ["sim", "alpaca", "--port", "0", "--now", NOW, "--price", "AAPL=187.26", "--seed", "7"];
    let mut broker = Process::start(program, &arguments, &[]);
    let url = loop {
        let said = broker.said();
        if let Some(url) = said.split('"').find(|part| part.starts_with("http://127.0.0.1:")) {
            break url.to_owned();
        }
        assert!(broker.runs(), "{said}");
        std::thread::sleep(Duration::from_millis(20));
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/alpaca/sdk.py");
    let trade = Command::new(python)
        .arg(script)
        .arg(&url)
        .envs(["NO_PROXY", "no_proxy"].map(|name| (name, "127.0.0.1")))
        .output()
        .unwrap();
    assert!(
        trade.status.success(),
        "{}{}",
        String::from_utf8_lossy(&trade.stdout),
        String::from_utf8_lossy(&trade.stderr)
    );
    assert!(String::from_utf8_lossy(&trade.stdout).contains("all is as the SDK expects it"));
}
