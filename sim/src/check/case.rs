//! A case: a scenario that was drawn, and what comes of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use tidegate_core::Span;
use tidegate_core::record::{PropertyResult, Summary};
use toml_edit::DocumentMut;

use super::paths::{fix_files, with_policy};
use crate::model::{FaultKind, Model};
use crate::run::run_unrecorded;
use crate::scenario::{Overrides, ScenarioError, parse};

/// A scenario file that cases are drawn from.
#[derive(Clone, Debug)]
pub struct Base {
    /// Its name, without folders and ending.
    pub name: String,
    /// The file as it was given.
    pub file: String,
    /// Its text, with the policy that it takes in from another file.
    pub text: String,
    /// Where its traces lie.
    pub directory: PathBuf,
    /// What it comes to.
    pub model: Model,
}

impl Base {
    /// Reads a scenario.
    ///
    /// # Errors
    /// As [`crate::scenario::read`].
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let model = crate::scenario::read(path, &Overrides::default())?;
        let directory = path.parent().unwrap_or(Path::new("."));
        Ok(Self {
            name: model.name.clone(),
            file: path.display().to_string(),
            text: with_policy(&std::fs::read_to_string(path).unwrap_or_default(), directory),
            directory: directory.to_owned(),
            model,
        })
    }
}

/// A scenario that was drawn.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// The file that it comes from.
    pub file: String,
    /// Its text.
    pub text: String,
    /// Where its traces lie.
    pub directory: PathBuf,
}

/// What stands in place of a property where a case is no scenario.
pub(super) const REFUSED: &str = "refused";

/// How a case failed: the first violation of a property, or a `panic`, or what was `refused`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The property.
    pub property: String,
    /// What happened, with its time and the decision in force.
    pub what: String,
    /// When, from the start of the run.
    pub at: Span,
}

/// What came of a case.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Time that was simulated.
    pub simulated: Span,
    /// Requests that arrived.
    pub requests: u64,
    /// Requests that failed.
    pub failed_requests: u64,
    /// Jobs that were enqueued.
    pub jobs: u64,
    /// Scale events: up, down, failed.
    pub events: [u64; 3],
    /// How often faults of each kind befell something.
    pub faults: Vec<(FaultKind, u64)>,
    /// How it failed, if it did: the first violation of each property.
    pub failures: Vec<Failure>,
}

impl Case {
    /// Reads the case as a scenario.
    ///
    /// # Errors
    /// As [`parse`].
    pub fn model(&self) -> Result<Model, ScenarioError> {
        parse(&self.name, &self.file, &self.text, &self.directory, &Overrides::default())
    }

    /// Its text as a file that may lie anywhere on this machine.
    pub fn file_text(&self) -> String {
        self.text.parse::<DocumentMut>().map_or_else(
            |_| self.text.clone(),
            |mut document| {
                fix_files(&mut document, &self.directory);
                document.to_string()
            },
        )
    }

    /// Runs it. A panic is a failure like any other.
    pub fn run(&self) -> Outcome {
        match self.model() {
            Ok(model) => run_model(&model),
            Err(error) => {
                Outcome { failures: plain(REFUSED, error.to_string()), ..Outcome::default() }
            }
        }
    }
}

fn run_model(model: &Model) -> Outcome {
    let run = || run_unrecorded(model);
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(finished)) => {
            let summary = &finished.record.summary;
            Outcome {
                simulated: model.duration,
                requests: summary.requests.arrived,
                failed_requests: summary.requests.failed,
                jobs: summary.jobs.enqueued,
                events: [summary.scaling.ups, summary.scaling.downs, summary.scaling.failed],
                faults: finished.faults,
                failures: failures_of(model, summary),
            }
        }
        Ok(Err(why)) => Outcome { failures: plain("panic", why.to_string()), ..Outcome::default() },
        Err(panic) => {
            let what = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let failures = plain("panic", what.unwrap_or_default());
            Outcome { failures, ..Outcome::default() }
        }
    }
}

/// The first violation of each property.
pub(super) fn failures_of(model: &Model, summary: &Summary) -> Vec<Failure> {
    let broken = summary.properties.iter().filter(|one| !one.holds);
    broken.map(|one| failure(model, one)).collect()
}

fn failure(model: &Model, broken: &PropertyResult) -> Failure {
    let first = broken.violations.first();
    Failure {
        property: broken.name.clone(),
        what: first.map_or_else(String::new, |one| {
            format!("{} at {} ({})", one.what, one.at, one.in_force())
        }),
        at: first.map_or(model.duration, |one| one.at.at.since(model.start)),
    }
}

fn plain(property: &str, what: String) -> Vec<Failure> {
    vec![Failure { property: property.to_owned(), what, at: Span::ZERO }]
}
