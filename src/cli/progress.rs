//! How far long work is, for whoever waits: a bar on a terminal, a line now and then elsewhere.

use std::{io::IsTerminal, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::{sync::watch, task::JoinHandle};

use crate::{engine::indexer::Progress, time::Clock};

/// Shows until it is dropped.
pub struct Shown(Vec<JoinHandle<()>>);

impl Drop for Shown {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

/// Between two lines where nobody draws bars.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// Between two pictures of a bar.
const BAR_EVERY: Duration = Duration::from_millis(100);

/// Shows how far these are.
pub fn show(of: Vec<(String, watch::Receiver<Progress>)>, clock: &Clock) -> Shown {
    let terminal = std::io::stderr().is_terminal();
    let bars = MultiProgress::new();
    let tasks = of.into_iter().map(|(name, progress)| {
        if terminal {
            let bar = bars.add(ProgressBar::new(0));
            tokio::spawn(draw(bar, name, progress))
        } else {
            tokio::spawn(tell(name, progress, clock.clone()))
        }
    });
    Shown(tasks.collect())
}

async fn draw(bar: ProgressBar, name: String, progress: watch::Receiver<Progress>) {
    let template = "{prefix} {wide_bar} block {msg} {percent}% · {per_sec} · {eta} left";
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_prefix(name);
    let mut begun = None;
    loop {
        let now = *progress.borrow();
        let begun = *begun.get_or_insert(now.number);
        bar.set_length(now.target.saturating_sub(begun));
        bar.set_position(now.number.saturating_sub(begun));
        bar.set_message(format!("{} of {} · {} fills ·", now.number, now.target, now.fills));
        tokio::time::sleep(BAR_EVERY).await;
    }
}

async fn tell(name: String, progress: watch::Receiver<Progress>, clock: Clock) {
    let mut before = (clock.millis(), *progress.borrow());
    loop {
        clock.sleep(LINE_EVERY).await;
        let now = (clock.millis(), *progress.borrow());
        if now.1 != before.1 {
            let seconds = u64::try_from((now.0 - before.0) / 1_000).unwrap_or(1).max(1);
            let a_second = now.1.number.saturating_sub(before.1.number) / seconds;
            let left = now.1.target.saturating_sub(now.1.number).checked_div(a_second);
            let left = left.map_or(String::new(), |left| format!(", {left} s left"));
            let Progress { number, target, fills, .. } = now.1;
            tracing::info!("{name}: block {number} of {target}, {fills} fills, {a_second} blocks/s{left}");
        }
        before = now;
    }
}
