//! Scenario files and traces: what can be read is run for a short while too, as far as that stays
//! cheap.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::select;
use tidegate_core::Span;
use tidegate_core::record::Fidelity;
use tidegate_sim::model::{Load, Model, Piece};
use tidegate_sim::scenario::{Overrides, parse};

use crate::change::{apply, change};
use crate::config;

/// A scenario with every table and every kind of load, over within minutes.
const EVERYTHING: &str = include_str!("everything.toml");

/// Simulated time of a run, and requests, jobs or readings in it, at most.
const LENGTH: Span = Span::from_mins(2);
const WORK: f64 = 4_000.0;

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

/// The shipped scenarios and [`EVERYTHING`].
fn seeds() -> Vec<String> {
    let paths = fs::read_dir(shipped()).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|given| given == "toml")).collect();
    paths.sort();
    let texts = paths.iter().map(|path| fs::read_to_string(path).unwrap());
    texts.chain([EVERYTHING.to_owned()]).collect()
}

/// Beginnings of the lines of [`EVERYTHING`] that hold what flows do not know.
const UNKNOWN_TO_FLOWS: [&str; 28] = [
    "queue = 1",
    "queue = 200",
    "fidelity",
    "sticky",
    "connect",
    "health = {",
    "memory = \"1MiB\"",
    "eviction",
    "cache = {",
    "snapshot",
    "append_only",
    "miss",
    "oom_killer",
    "writes",
    "{ kind = \"server-dies\"",
    "{ kind = \"services-crash\"",
    "{ kind = \"worker-dies\"",
    "{ kind = \"memory-leak\"",
    "{ kind = \"deploy\"",
    "{ kind = \"slow\"",
    "{ kind = \"stalled\"",
    "{ kind = \"errors\"",
    "{ kind = \"storage-full\"",
    "{ kind = \"redis-restarts\"",
    "{ kind = \"redis-full\"",
    "{ kind = \"cut\"",
    "{ kind = \"slow-link\"",
    "{ kind = \"retry-storm\"",
];

/// Its phases that are given as bytes.
const BYTES: [&str; 3] = ["{ read = \"40KiB\" }", "{ write = \"1MiB\" }", "{ read = \"8MiB\" }"];

/// As [`seeds`], in flows.
fn seeds_in_flows() -> Vec<String> {
    let known = |line: &&str| !UNKNOWN_TO_FLOWS.iter().any(|unknown| line.starts_with(unknown));
    let in_flows = |text: String| {
        let lines: Vec<&str> = text.lines().filter(known).collect();
        let text =
            BYTES.iter().fold(lines.join("\n"), |text, bytes| text.replace(bytes, "\"9ms\""));
        format!("fidelity = \"fluid\"\n{text}\n")
    };
    seeds().into_iter().map(in_flows).collect()
}

/// The model shortened until it is cheap to run: its open loads, people, clocks and servers
/// come to a few thousand events. `None` if a second of it is too much already.
fn light(model: &Model) -> Option<Model> {
    let mut duration = model.duration.min(LENGTH);
    while work(model, duration) > WORK {
        duration = Span::from_nanos(duration.as_nanos() / 2);
        if duration < Span::from_secs(1) {
            return None;
        }
    }
    Some(Model { duration, ..model.clone() })
}

/// Requests, jobs and readings that the first `duration` brings, about.
fn work(model: &Model, duration: Span) -> f64 {
    let times = |every: f64| 1.0 + duration.as_secs_f64() / every.max(1e-3);
    let load = |load: &Load| match load {
        Load::Exam(exam) if exam.opens > duration => 0.0,
        Load::Exam(exam) => f64::from(exam.users) * times(exam.think.mean_seconds()),
        Load::Open(open) => open.pieces.iter().map(|piece| requests(piece, duration)).sum(),
    };
    let jobs =
        model.cron_jobs.iter().map(|job| f64::from(job.count) * times(job.every.as_secs_f64()));
    let monitoring = &model.monitoring;
    let readings = [monitoring.scrape, monitoring.evaluate, monitoring.health]
        .map(|every| times(every.as_secs_f64()));
    model.loads.iter().map(load).chain(jobs).chain(readings).sum()
}

fn requests(piece: &Piece, duration: Span) -> f64 {
    let within = piece.to.min(duration) - piece.from;
    within.as_secs_f64() * piece.rate_from.max(piece.rate_to)
}

/// Runs the model briefly, if it is light enough; its requests must be accounted for.
fn run(model: &Model) {
    let Some(model) = light(model) else { return };
    let finished = tidegate_sim::run::run(&model, &mut Vec::new(), &mut |_| {}).unwrap();
    let properties = &finished.record.summary.properties;
    let conserved = properties.iter().find(|one| one.name == "conservation").unwrap();
    assert!(conserved.holds, "{conserved:?}");
}

/// Reads a scenario; what is refused says why and where. What is absent has no place.
fn read(text: &str, overrides: &Overrides) -> Option<Model> {
    let read = parse("fuzz", "fuzz.toml", text, &shipped(), overrides);
    read.map_err(|error| {
        assert!(!error.message.is_empty());
        let absent = ["there is no load", "the run has no length"];
        let placeless =
            absent.contains(&error.message.as_str()) || error.file.starts_with("--set ");
        assert!(placeless || error.position().is_some(), "{error}\n{}", error.text);
    })
    .ok()
}

/// As [`read`], with a trace in place of the loads.
fn load(name: &str, trace: &[u8]) -> Option<Model> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, trace).unwrap();
    let overrides = Overrides { load: Some(path), ..Overrides::default() };
    let read = parse("fuzz", "fuzz.toml", EVERYTHING, Path::new("."), &overrides);
    read.map_err(|error| {
        let (named, placed) = (error.file.ends_with(name), error.position().is_some());
        let unreadable = error.message.contains(name) || error.message.contains("366 days");
        assert!(named && placed || unreadable, "{error}");
    })
    .ok()
}

const TRACE: &str = "seconds,requests_per_minute\n0,40\n60,2\n120,0\n180,7\n";

#[test]
fn what_is_changed_is_itself_sound() {
    for text in seeds() {
        assert!(read(&text, &Overrides::default()).is_some());
    }
    for text in seeds_in_flows() {
        let model = read(&text, &Overrides::default()).unwrap();
        assert_eq!(model.fidelity, Fidelity::Fluid);
        run(&model);
    }
    assert!(light(&read(EVERYTHING, &Overrides::default()).unwrap()).is_some());
    assert!(load("sound.csv", TRACE.as_bytes()).is_some());
}

proptest! {
    #![proptest_config(config(1_000))]

    #[test]
    fn a_changed_scenario_runs_or_is_refused(
        seed in select(seeds()),
        changes in prop::collection::vec(change(), 1..4),
    ) {
        let text = changes.iter().fold(seed, |text, change| apply(&text, change));
        if let Some(model) = read(&text, &Overrides::default()) {
            run(&model);
        }
    }

    #[test]
    fn a_changed_scenario_runs_in_flows_or_is_refused(
        seed in select(seeds_in_flows()),
        changes in prop::collection::vec(change(), 1..4),
    ) {
        let text = changes.iter().fold(seed, |text, change| apply(&text, change));
        if let Some(model) = read(&text, &Overrides::default()) {
            run(&model);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        if let Some(model) = read(&text, &Overrides::default()) {
            run(&model);
        }
    }

    #[test]
    fn any_override_is_applied_or_refused(key in "[a-z_.0-9]{0,20}", value in any::<String>()) {
        let set = vec![format!("{key}={value}"), format!("load.0.rate={value}"), value];
        for set in set {
            let overrides = Overrides { set: vec![set], ..Overrides::default() };
            if let Some(model) = read(EVERYTHING, &overrides) {
                run(&model);
            }
        }
    }

    #[test]
    fn a_changed_trace_runs_or_is_refused(
        changes in prop::collection::vec(change(), 1..4),
        name in select(vec!["seconds", "timestamp"]),
    ) {
        let text = TRACE.replacen("seconds", name, 1);
        let text = changes.iter().fold(text, |text, change| apply(&text, change));
        if let Some(model) = load("changed.csv", text.as_bytes()) {
            run(&model);
        }
    }

    #[test]
    fn any_bytes_are_a_trace_or_refused(bytes in any::<Vec<u8>>()) {
        let headed = [b"timestamp,requests_per_5min\n", bytes.as_slice()].concat();
        for trace in [bytes, headed] {
            if let Some(model) = load("bytes.csv", &trace) {
                run(&model);
            }
        }
    }
}
