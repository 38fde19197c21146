//! Units: the ones that are written by hand, and a timer for each job.

use std::{fs, path::Path};

use anyhow::Context as _;

use super::{Exit, Out};
use crate::job::spec::Spec;

/// Those that no job changes.
const BY_HAND: [(&str, &str); 5] = [
    ("hedge-alert@.service", include_str!("../../systemd/hedge-alert@.service")),
    ("hedge-doctor.service", include_str!("../../systemd/hedge-doctor.service")),
    ("hedge-doctor.timer", include_str!("../../systemd/hedge-doctor.timer")),
    ("hedge-job@.service", include_str!("../../systemd/hedge-job@.service")),
    ("hedge.service", include_str!("../../systemd/hedge.service")),
];

/// Prints all units, or writes a file each.
///
/// # Errors
/// The directory cannot be written.
pub(super) fn run(dir: Option<&Path>, specs: &[Spec], out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let units = units(specs);
    for (name, text) in &units {
        match dir {
            Some(dir) => {
                let path = dir.join(name);
                fs::write(&path, text).with_context(|| format!("could not write {}", path.display()))?;
            }
            None => writeln!(out, "# {name}\n{text}")?,
        }
    }
    if let Some(dir) = dir {
        let is_timer = |name: &&str| Path::new(name).extension().is_some_and(|ending| ending == "timer");
        let timers: Vec<&str> = units.iter().map(|(name, _)| name.as_str()).filter(is_timer).collect();
        writeln!(
            out,
            "{} units written into {}; start them:\n  systemctl daemon-reload\n  systemctl enable --now hedge.service {}",
            units.len(),
            dir.display(),
            timers.join(" ")
        )?;
    }
    Ok(Exit::Done)
}

/// Every unit, by the name of its file.
fn units(specs: &[Spec]) -> Vec<(String, String)> {
    let by_hand = BY_HAND.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let mut units: Vec<(String, String)> =
        by_hand.chain(specs.iter().map(|spec| (format!("hedge-{}.timer", spec.name), timer(spec)))).collect();
    units.sort();
    units
}

fn timer(Spec { name, about, schedule, .. }: &Spec) -> String {
    format!(
        "# When {name} is due. Made by `hedge job systemd` from its file in jobs/: change it there.\n\
         [Unit]\n\
         Description=hedge: {about}\n\
         \n\
         [Timer]\n\
         OnCalendar={}\n\
         # What was missed while the machine was off is made up for, once.\n\
         Persistent=true\n\
         AccuracySec=1s\n\
         Unit=hedge-job@{name}.service\n\
         \n\
         [Install]\n\
         WantedBy=timers.target\n",
        schedule.on_calendar()
    )
}
