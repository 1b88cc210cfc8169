//! What is fuzzed, once for the fuzz targets and for the tests that run on a stable toolchain:
//! whatever is given is taken, or refused with its place; nothing panics.
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "what is found is to be seen where it stands"
)]

mod journal;
mod live;

use std::fs;
use std::path::{Path, PathBuf};

use tidegate_core::Span;
use tidegate_sim::model::{Load, Model, Piece};
use tidegate_sim::scenario::{Overrides, parse};

use crate::shipped::folder;

pub use journal::journal;
pub use live::{configuration, notification};

/// A scenario with every table and every kind of load, over within minutes.
pub const EVERYTHING: &str = include_str!("../tests/fuzz/everything.toml");

/// Simulated time of a run, and requests, jobs or readings in it, at most.
const LENGTH: Span = Span::from_mins(2);
const WORK: f64 = 4_000.0;

/// The inputs that fuzzing of `target` begins with, in the order of their names.
pub fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz-targets/corpus").join(target);
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// A scenario file, read, and run if it is one.
pub fn scenario(text: &str) {
    if let Some(model) = read(text, &Overrides::default()) {
        run(&model);
    }
}

/// A trace, read in place of a scenario's loads, and run if it is one. It is written to `path`.
pub fn trace(path: &Path, bytes: &[u8]) {
    if let Some(model) = load(path, bytes) {
        run(&model);
    }
}

/// The model shortened until it is cheap to run: its open loads, people, clocks and servers
/// come to a few thousand events. `None` if a second of it is too much already.
pub fn light(model: &Model) -> Option<Model> {
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
pub fn run(model: &Model) {
    let Some(model) = light(model) else { return };
    let finished = tidegate_sim::run::run(&model, &mut Vec::new(), &mut |_| {}).unwrap();
    let properties = &finished.record.summary.properties;
    let conserved = properties.iter().find(|one| one.name == "conservation").unwrap();
    assert!(conserved.holds, "{conserved:?}");
}

/// Reads a scenario; what is refused says why and where. What is absent has no place.
pub fn read(text: &str, overrides: &Overrides) -> Option<Model> {
    let read = parse("fuzz", "fuzz.toml", text, &folder(), overrides);
    read.map_err(|error| {
        assert!(!error.message.is_empty());
        let absent = ["there is no load", "the run has no length"];
        let placeless =
            absent.contains(&error.message.as_str()) || error.file.starts_with("--set ");
        assert!(placeless || error.position().is_some(), "{error}\n{}", error.text);
    })
    .ok()
}

/// As [`read`], with a trace in place of the loads, which is written to `path`.
pub fn load(path: &Path, trace: &[u8]) -> Option<Model> {
    fs::write(path, trace).unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let overrides = Overrides { load: Some(path.to_owned()), ..Overrides::default() };
    let read = parse("fuzz", "fuzz.toml", EVERYTHING, Path::new("."), &overrides);
    read.map_err(|error| {
        let (named, placed) = (error.file.ends_with(&name), error.position().is_some());
        let unreadable = error.message.contains(&name) || error.message.contains("366 days");
        assert!(named && placed || unreadable, "{error}");
    })
    .ok()
}
