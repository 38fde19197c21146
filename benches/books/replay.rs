//! A file of trades, by the program as it is.

use std::{fmt::Write as _, process::Command, time::Instant};

use anyhow::{Context, ensure};

use super::{books::Books, seconds};

/// Writes a file, and lets the program count it.
pub(super) fn measure(books: &Books, trades: u64, shares: u64) -> anyhow::Result<()> {
    let mut text =
        "kind,symbol,executed_at,trade_type,trade_id,side,quantity,price,notional,fee,oracle_price,reference_price\n"
            .to_owned();
    for n in 0..trades {
        // A step of a well-known generator, so that every run writes the same file.
        let dice = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 16;
        let (minute, second) = (n / 60 % 60, n % 60);
        let (day, hour) = (1 + n / 86_400 % 28, n / 3_600 % 24);
        let kind = if dice % 5 < 3 { "ONCHAIN" } else { "OFFCHAIN" };
        let side = if dice / 5 % 2 == 0 { "BUY" } else { "SELL" };
        let (symbol, quantity) = (n % shares, dice % 1_000_000_000_000_000_000);
        writeln!(
            text,
            "trade,S{symbol:04},2026-03-{day:02}T{hour:02}:{minute:02}:{second:02}.{micro:06}Z,{kind},{n},{side},{}.{quantity:018},{}.{:06},,,,",
            dice % 3,
            100 + dice % 50,
            dice % 1_000_000,
            micro = n / 100 % 1_000_000,
        )?;
    }
    let events = books.write("events.csv", &text)?;
    let metrics = events.with_file_name("metrics.csv");
    // The disk is done with what was measured before.
    Command::new("sync").status().context("sync did not start")?;
    let begun = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_hedge"))
        .args(["pnl", "replay", "--events"])
        .arg(&events)
        .arg("--metrics")
        .arg(&metrics)
        .output()
        .context("hedge did not start")?;
    let took = begun.elapsed();
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    println!("\nreplay of a file of {trades} trades: {}", seconds(took));
    println!("  {}", String::from_utf8_lossy(&output.stdout).trim_end());
    Ok(())
}
