//! A process, and what it cost.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::ensure;

/// What one run came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    /// From start to end, by the wall's clock.
    pub(super) seconds: f64,
    /// Of all cores, user's and kernel's.
    pub(super) cpu: f64,
    /// Most memory ever resident, in bytes.
    pub(super) rss: u64,
    /// HTTP requests to the node.
    pub(super) requests: u64,
    /// Ranges of logs asked for.
    pub(super) ranges: u64,
    /// Bytes of the node's answers.
    pub(super) bytes: u64,
}

/// Between two looks at a process.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Starts a process and watches it to its end.
pub(super) async fn race(name: &str, command: Command) -> anyhow::Result<Figures> {
    eprintln!("  {name} …");
    let begun = Instant::now();
    let mut child =
        tokio::process::Command::from(command).stdout(Stdio::null()).kill_on_drop(true).spawn()?;
    let mut figures = Figures::default();
    let id = child.id().unwrap_or_default();
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            () = tokio::time::sleep(LOOK_EVERY) => look(id, &mut figures),
        }
    };
    figures.seconds = begun.elapsed().as_secs_f64();
    ensure!(status.success(), "{name} ended with {status}");
    Ok(figures)
}

/// What the kernel says of a process so far; nothing where it has just ended.
fn look(id: u32, figures: &mut Figures) {
    let of = |file: &str| std::fs::read_to_string(format!("/proc/{id}/{file}")).unwrap_or_default();
    let status = of("status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    if let Some(peak) = peak.and_then(|kilobytes| kilobytes.parse::<u64>().ok()) {
        figures.rss = peak * 1024;
    }
    // utime and stime are the 12th and 13th field behind the name, in hundredths of a second.
    let stat = of("stat");
    let ticks = stat.rsplit_once(')').map(|(_, fields)| {
        fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok()).sum::<u32>()
    });
    if let Some(ticks) = ticks {
        figures.cpu = f64::from(ticks) / 100.0;
    }
}

/// The middle one of several, the lower of two middle ones.
pub(super) fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}
