//! How far long work is, for whoever waits: a bar on a terminal, a line now and then elsewhere.

use std::{fmt, io::IsTerminal, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use tokio::{sync::watch, task::JoinHandle};

use crate::{engine::indexer::Progress, time::Clock};

/// Shows until it is dropped; what a bar stood for is then said by whoever showed it.
pub struct Shown {
    tasks: Vec<JoinHandle<()>>,
    bars: MultiProgress,
}

impl Drop for Shown {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        // A bar that cannot be removed stays to be seen.
        let _ = self.bars.clear();
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
    let task = |(name, progress)| {
        if terminal {
            let bar = bars.add(ProgressBar::new(0));
            tokio::spawn(draw(bar, name, progress, clock.clone()))
        } else {
            tokio::spawn(tell(name, progress, clock.clone()))
        }
    };
    Shown { tasks: of.into_iter().map(task).collect(), bars }
}

async fn draw(bar: ProgressBar, name: String, mut progress: watch::Receiver<Progress>, clock: Clock) {
    // Before the chain was looked at there is neither a beginning nor an end.
    let Ok(begun) = progress.wait_for(|progress| progress.target > 0).await.map(|now| now.number) else {
        return;
    };
    let template = "{prefix} {wide_bar} block {msg} · {percent}% · {speed} · {eta} left";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.with_key("speed", |bar: &ProgressState, to: &mut dyn fmt::Write| {
        // A picture that lacks its speed is still a picture.
        let _ = write!(to, "{:.0} blocks/s", bar.per_sec());
    }));
    bar.set_prefix(name);
    loop {
        let now = *progress.borrow();
        bar.set_length(now.target.saturating_sub(begun));
        bar.set_position(now.number.saturating_sub(begun));
        bar.set_message(format!("{} of {} · {} fills", now.number, now.target, now.fills));
        clock.sleep(BAR_EVERY).await;
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
