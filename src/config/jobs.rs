//! `jobs/*.toml`: what runs when, and who is told.
//!
//! The files are built in. A directory of the operator's goes before them, file by file: one of
//! the same name takes its place, another is a job of its own. What is wrong with a file is said
//! with its line; then what is wrong between files.

use std::{collections::BTreeMap, fs, path::Path};

use super::{
    problem::{Problem, Problems, Wrong, wrong},
    reading::{Node, Reader, Section},
    words::{duration, one_of},
};
use crate::{
    job::{
        health,
        notify::Channel,
        schedule::{Schedule, ScheduleError},
        spec::{Kind, Missed, Routes, Spec},
    },
    policy::alert::Severity,
    store::checks::CHECKS,
};

/// `jobs/`, in the order of their names.
pub const BUILT_IN: [(&str, &str); 7] = [
    ("calendar", include_str!("../../jobs/calendar.toml")),
    ("checks", include_str!("../../jobs/checks.toml")),
    ("corporate_actions", include_str!("../../jobs/corporate_actions.toml")),
    ("health", include_str!("../../jobs/health.toml")),
    ("pnl", include_str!("../../jobs/pnl.toml")),
    ("reconcile", include_str!("../../jobs/reconcile.toml")),
    ("statement", include_str!("../../jobs/statement.toml")),
];

const KEYS: &[&str] =
    &["about", "kind", "schedule", "zone", "days", "deadline", "missed", "catch_up", "routes", "parameters"];
const ROUTE_KEYS: &[&str] = &["info", "warning", "critical"];
const HEALTH_KEYS: &[&str] = &["cursor_age", "unanswered", "held_back", "unproved", "unsent", "days_ahead"];
const KINDS: [(&str, &str); 7] = [
    ("reconcile", "reconcile"),
    ("pnl", "pnl"),
    ("statement", "statement"),
    ("health", "health"),
    ("checks", "checks"),
    ("corporate_actions", "corporate_actions"),
    ("calendar", "calendar"),
];

/// By the job's name: where its file is, and the text of it.
type Files = BTreeMap<String, (String, String)>;

/// All jobs, in the order of their names: the built-in ones, and those of `directory` before them.
///
/// # Errors
/// Everything that is wrong with them.
pub fn specs(directory: Option<&Path>) -> Result<Vec<Spec>, Problems> {
    let mut files: Files = BUILT_IN
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (format!("jobs/{name}.toml"), (*text).to_owned())))
        .collect();
    let mut problems = Vec::new();
    if let Some(directory) = directory {
        match theirs(directory) {
            Ok(found) => files.extend(found),
            Err(problem) => problems.push(problem),
        }
    }
    let mut specs = Vec::new();
    for (name, (file, text)) in &files {
        let reader = Reader::new(file, text);
        if let Some(root) = reader.parse() {
            specs.extend(read(name, &reader.root(&root, KEYS)));
        }
        problems.extend(reader.problems());
    }
    problems.extend(between(&specs));
    if problems.is_empty() { Ok(specs) } else { Err(Problems(problems)) }
}

fn theirs(directory: &Path) -> Result<Files, Problem> {
    let place = directory.display().to_string();
    let unread = |error: std::io::Error| {
        Problem::new(
            place.clone(),
            format!("cannot be read: {error}"),
            "name a readable directory of job files",
        )
    };
    let mut found = Files::new();
    for entry in fs::read_dir(directory).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        let name = path.file_stem().and_then(|name| name.to_str());
        let (Some(name), true) = (name, path.extension().is_some_and(|ending| ending == "toml")) else {
            continue;
        };
        let text = fs::read_to_string(&path).map_err(unread)?;
        found.insert(name.to_owned(), (path.display().to_string(), text));
    }
    Ok(found)
}

/// What is wrong between jobs that are each right.
fn between(specs: &[Spec]) -> Vec<Problem> {
    let due = |word: &str| specs.iter().find(|spec| spec.kind.word() == word);
    let mut problems = Vec::new();
    for spec in specs {
        let twin = specs.iter().find(|other| other.kind.word() == spec.kind.word() && other.name < spec.name);
        if let Some(twin) = twin {
            let what = format!("is of the kind {} as {} is", spec.kind.word(), twin.name);
            problems.push(Problem::new(
                spec.name.clone(),
                what,
                "keep one of them: both would count the same",
            ));
        }
    }
    // From a Wednesday on: whichever of the two is due first.
    let (pnl, statement) = (due("pnl"), due("statement"));
    if let (Some(pnl), Some(statement)) = (pnl, statement) {
        let at = |spec: &Spec| {
            let noon = "2026-01-07T17:00:00Z".parse().ok()?;
            spec.schedule.next(noon).map(|due| due.at)
        };
        if at(statement) <= at(pnl) {
            problems.push(Problem::new(
                statement.name.clone(),
                "is due before the P&L that it states",
                format!("let it be due after {}", pnl.name),
            ));
        }
    }
    problems
}

fn read(name: &str, root: &Section<'_>) -> Option<Spec> {
    let about = root.need("about", "say in a sentence what it does").and_then(|node| node.text(sentence));
    let kind = root
        .need("kind", "give one of reconcile, pnl, statement, health, checks, corporate_actions, calendar")
        .and_then(|node| node.text(|text| one_of(text, &KINDS)))
        .and_then(|kind| read_kind(kind, root));
    let zone = root.need("zone", "name it, such as \"America/New_York\"").and_then(|node| {
        node.text(|text| {
            Schedule::parse("0 0 * * *", text).map(|_| text.to_owned()).map_err(|error| refused(&error))
        })
    });
    let line = root.need("schedule", "give minute, hour, day, month and weekday: \"30 20 * * Mon-Fri\"");
    let schedule = line.and_then(|node| {
        node.text(|text| {
            Schedule::parse(text, zone.as_deref().unwrap_or("UTC")).map_err(|error| refused(&error))
        })
    });
    let sessions_only = root
        .need("days", "say sessions or all")
        .and_then(|node| node.text(|text| one_of(text, &[("sessions", true), ("all", false)])));
    let time = |key, next| root.need(key, next).and_then(|node| node.text(duration));
    let deadline = time("deadline", "say how long after it is due it must have ended, such as \"30m\"");
    let catch_up = time("catch_up", "say how long ago a missed time may be, such as \"168h\"");
    let missed = root
        .need("missed", "say newest or each")
        .and_then(|node| node.text(|text| one_of(text, &Missed::ALL.map(|it| (it.word(), it)))));
    let routes = root
        .need("routes", "say who is told: [routes] with info, warning and critical")
        .and_then(|node| node.section(ROUTE_KEYS))
        .and_then(|section| read_routes(&section));
    Some(Spec {
        name: name.to_owned(),
        kind: kind?,
        about: about?,
        schedule: zone.and(schedule)?,
        sessions_only: sessions_only?,
        deadline: deadline?,
        missed: missed?,
        catch_up: catch_up?,
        routes: routes?,
    })
}

fn sentence(text: &str) -> Result<String, Wrong> {
    if text.trim().is_empty() {
        return Err(wrong("says nothing", "say in a sentence what it does"));
    }
    Ok(text.to_owned())
}

fn refused(error: &ScheduleError) -> Wrong {
    let next = match error {
        ScheduleError::Line { .. } => "write it like \"30 20 * * Mon-Fri\"",
        ScheduleError::Zone(_) => "name one of the IANA zones, such as \"America/New_York\"",
    };
    wrong(error.to_string(), next)
}

fn read_routes(section: &Section<'_>) -> Option<Routes> {
    let mut routes = Routes::new();
    let mut whole = true;
    for severity in Severity::ALL {
        let listed = section.need(severity.word(), "list mail, webhook, or nothing: []");
        let channel = |node: &Node<'_>| {
            node.text(|text| one_of(text, &Channel::ALL.map(|channel| (channel.word(), channel))))
        };
        let channels = listed
            .and_then(|node| node.items())
            .and_then(|items| items.iter().map(channel).collect::<Option<Vec<_>>>());
        match channels {
            Some(channels) => {
                routes.insert(severity, channels);
            }
            None => whole = false,
        }
    }
    whole.then_some(routes)
}

fn read_kind(word: &str, root: &Section<'_>) -> Option<Kind> {
    let parameters = root.get("parameters");
    let of = |keys: &'static [&'static str]| match &parameters {
        Some(node) => node.section(keys).map(Some),
        None => Some(None),
    };
    match word {
        "health" => {
            let section = of(HEALTH_KEYS)?;
            let limits = health::Limits::default();
            let get = |key| section.as_ref().and_then(|section| section.get(key));
            let time = |key, default| get(key).map_or(Some(default), |node| node.text(duration));
            Some(Kind::Health(health::Limits {
                cursor_age: time("cursor_age", limits.cursor_age)?,
                unanswered: time("unanswered", limits.unanswered)?,
                held_back: time("held_back", limits.held_back)?,
                unproved: time("unproved", limits.unproved)?,
                unsent: time("unsent", limits.unsent)?,
                days_ahead: get("days_ahead").map_or(Some(limits.days_ahead), |node| node.whole_u32(1))?,
            }))
        }
        "checks" => {
            let allow = of(&["allow"])?.and_then(|section| section.get("allow"));
            let known: Vec<(&str, &str)> = CHECKS.iter().map(|(name, _)| (*name, *name)).collect();
            let mut allowed = BTreeMap::new();
            for node in allow.map(|node| node.named()).unwrap_or_default() {
                match one_of(node.name(), &known) {
                    Ok(name) => {
                        allowed.insert(name.to_owned(), node.whole(0)?);
                    }
                    Err(Wrong { what, next }) => node.refuse(what, next),
                }
            }
            Some(Kind::Checks(allowed))
        }
        "calendar" => {
            let section = of(&["ahead"])?;
            let ahead = section.and_then(|section| section.get("ahead"));
            Some(Kind::Calendar(ahead.map_or(Some(550), |node| node.whole_u32(1))?))
        }
        _ => {
            of(&[])?;
            Some(match word {
                "pnl" => Kind::Pnl,
                "statement" => Kind::Statement,
                "corporate_actions" => Kind::CorporateActions,
                _ => Kind::Reconcile,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(file: &str, text: &str) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(file), text).unwrap();
        let place = format!("{}/", dir.path().display());
        let problems = specs(Some(dir.path())).unwrap_err();
        problems.iter().map(|problem| problem.to_string().replace(&place, "")).collect()
    }

    #[test]
    fn the_jobs_that_are_built_in_are_those_of_the_folder_and_can_be_read() {
        let folder = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/jobs")).unwrap();
        let mut names: Vec<String> = folder
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        assert_eq!(names, BUILT_IN.map(|(name, _)| name));
        assert_eq!(specs(None).unwrap().len(), names.len());
    }

    #[test]
    fn no_job_is_due_while_a_clock_may_be_turned() {
        for spec in specs(None).unwrap() {
            let year = ["2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z"].map(|at| at.parse().unwrap());
            let left_out =
                spec.schedule.dues(year[0], year[1]).into_iter().find(|due| due.left_out.is_some());
            assert_eq!(left_out, None, "{}", spec.name);
        }
    }

    #[test]
    fn a_file_of_the_operators_takes_the_place_of_ours() {
        let dir = tempfile::tempdir().unwrap();
        let later = include_str!("../../jobs/reconcile.toml").replace("30 20", "15 22");
        fs::write(dir.path().join("reconcile.toml"), later).unwrap();
        let specs = specs(Some(dir.path())).unwrap();
        let reconcile = specs.iter().find(|spec| spec.name == "reconcile").unwrap();
        assert_eq!((specs.len(), reconcile.schedule.line()), (BUILT_IN.len(), "15 22 * * Mon-Fri"));
    }

    #[test]
    fn everything_that_is_wrong_with_a_job_is_said_at_once() {
        let text = "about = \"\"\nkind = \"recon\"\nschedule = \"61 20 * * *\"\nzone = \"America/Newark\"\n\
                    days = \"weekdays\"\ndeadline = 30\nmised = \"each\"\ncatch_up = \"soon\"\n\
                    [routes]\ninfo = [\"fax\"]\nwarning = []\n";
        insta::assert_snapshot!(problems("night.toml", text).join("\n"));
    }

    #[test]
    fn what_is_wrong_between_jobs_is_said_as_well() {
        let early = include_str!("../../jobs/statement.toml").replace("0 21", "0 20");
        assert_eq!(
            problems("statement.toml", &early),
            ["statement: is due before the P&L that it states; let it be due after pnl"]
        );
        let twin = include_str!("../../jobs/pnl.toml");
        assert_eq!(
            problems("second.toml", twin),
            ["second: is of the kind pnl as pnl is; keep one of them: both would count the same"]
        );
        let health = include_str!("../../jobs/checks.toml").to_owned() + "order_covr = 1\n";
        assert!(
            problems("checks.toml", &health)[0].contains("`order_covr` is unknown; give one of coverage,")
        );
    }
}
